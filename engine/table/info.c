/* SPDX-License-Identifier: MIT */
/* info: what JetGetColumnInfo and JetGetDatabaseInfo tell. */
#include <string.h>

#include "cache/dbfile.h"
#include "page/dbheader.h"
#include "space/space.h"
#include "table/open.h"

#define LEVEL_GRBITS                                                                               \
    (JET_ColInfoGrbitNonDerivedColumnsOnly | JET_ColInfoGrbitMinimalInfo |                         \
     JET_ColInfoGrbitSortByColumnid)
#define LANGID_EN_US 0x409
#define COUNTRY_USA  1

/* ---- columns ---- */

static JET_GRBIT
column_grbit(const struct table *t, const struct column *c)
{
    JET_GRBIT g = 0;

    if (column_is_fixed(c))
        g |= JET_bitColumnFixed;
    if (column_is_tagged(c))
        g |= JET_bitColumnTagged;
    if (c->flags & COLUMN_NOT_NULL)
        g |= JET_bitColumnNotNULL;
    if (c->flags & COLUMN_VERSION)
        g |= JET_bitColumnVersion;
    if (c->flags & COLUMN_AUTOINC)
        g |= JET_bitColumnAutoincrement;
    if (c->flags & COLUMN_MULTIVALUED)
        g |= JET_bitColumnMultiValued;
    if (c->flags & COLUMN_ESCROW)
        g |= JET_bitColumnEscrowUpdate;
    if (c->flags & COLUMN_FINALIZE)
        g |= JET_bitColumnFinalize;
    if (c->flags & COLUMN_USER_DEFAULT)
        g |= JET_bitColumnUserDefinedDefault;
    if (c->flags & COLUMN_COMPRESSED)
        g |= JET_bitColumnCompressed;
    if (!(t->grbit & JET_bitTableReadOnly) && !(c->flags & (COLUMN_VERSION | COLUMN_AUTOINC)))
        g |= JET_bitColumnUpdatable;
    return g;
}

static void
fill_def(const struct table *t, const struct column *c, JET_COLUMNDEF *def)
{
    *def = (JET_COLUMNDEF) {.cbStruct = sizeof(*def),
                            .columnid = c->id,
                            .coltyp = c->coltyp,
                            .cp = c->cp,
                            .cbMax = c->cb_max,
                            .grbit = column_grbit(t, c)};
    if (coltyp_is_text(c->coltyp)) {
        def->wCountry = COUNTRY_USA;
        def->langid = LANGID_EN_US;
    }
}

static void
fill_base(const struct table *t, const struct column *c, JET_COLUMNBASE_A *base)
{
    JET_COLUMNDEF def;

    fill_def(t, c, &def);
    *base = (JET_COLUMNBASE_A) {.cbStruct = sizeof(*base),
                                .columnid = def.columnid,
                                .coltyp = def.coltyp,
                                .wCountry = def.wCountry,
                                .langid = def.langid,
                                .cp = def.cp,
                                .cbMax = def.cbMax,
                                .grbit = def.grbit};
    g_strlcpy(base->szBaseTableName, t->schema->name, sizeof(base->szBaseTableName));
    g_strlcpy(base->szBaseColumnName, c->name, sizeof(base->szBaseColumnName));
}

static JET_ERR
find_column(const struct table *t, const char *name, JET_COLUMNID id, bool by_id,
            const struct column **c)
{
    if (by_id && (id == 0 || id > COLUMN_TAGGED_MOST))
        return JET_errBadColumnId;
    if (!by_id && (!name || !*name))
        return JET_errInvalidParameter;
    *c = by_id ? schema_column(t->schema, id) : schema_column_named(t->schema, name);
    return *c ? JET_errSuccess : JET_errColumnNotFound;
}

JET_ERR
table_column_info(struct table *t, const char *name, JET_COLUMNID columnid, void *pv, uint32_t cb,
                  uint32_t level)
{
    const struct column *c;
    bool base, by_id;

    switch (level & ~LEVEL_GRBITS) {
    case JET_ColInfo:
    case JET_ColInfoByColid:
    case JET_ColInfoBase:
    case JET_ColInfoBaseByColid:
        break;
    case JET_ColInfoList:
    case JET_ColInfoListCompact:
    case JET_ColInfoListSortColumnid:
        return JET_errFeatureNotAvailable;
    default:
        return JET_errInvalidParameter;
    }
    level &= ~LEVEL_GRBITS;
    base = level == JET_ColInfoBase || level == JET_ColInfoBaseByColid;
    by_id = level == JET_ColInfoByColid || level == JET_ColInfoBaseByColid;
    if (!pv || cb < (base ? sizeof(JET_COLUMNBASE_A) : sizeof(JET_COLUMNDEF)))
        return JET_errInvalidBufferSize;
    JET_ERR err = table_refresh(t);
    if (err >= 0)
        err = find_column(t, name, columnid, by_id, &c);
    if (err < 0)
        return err;
    if (base)
        fill_base(t, c, pv);
    else
        fill_def(t, c, pv);
    return JET_errSuccess;
}

JET_ERR
table_column_at(struct table *t, uint32_t i, const char **name, JET_COLUMNDEF *def)
{
    JET_ERR err = table_refresh(t);
    if (err < 0)
        return err;
    if (i >= t->schema->columns->len)
        return JET_errColumnNotFound;
    const struct column *c = t->schema->columns->pdata[i];
    *name = c->name;
    fill_def(t, c, def);
    return JET_errSuccess;
}

/* ---- databases ---- */

static JET_ERR
give_misc(struct dbfile *file, void *pv, uint32_t cb)
{
    struct dbheader header;
    dbfile_header(file, &header);
    return dbheader_misc(&header, pv, cb);
}

static JET_ERR
give_text(const char *text, void *pv, uint32_t cb)
{
    size_t bytes = strlen(text) + 1;
    if (bytes > cb)
        return JET_errBufferTooSmall;
    memcpy(pv, text, bytes);
    return JET_errSuccess;
}

static JET_ERR
number_at(struct table_db *tdb, uint32_t level, uint32_t *value)
{
    struct dbfile *file = btree_db_file(tdb->trees);
    uint32_t owned = 0, available = 0;
    JET_ERR err;

    switch (level) {
    case JET_DbInfoCountry:
        *value = COUNTRY_USA;
        return JET_errSuccess;
    case JET_DbInfoLCID:
        *value = LANGID_EN_US;
        return JET_errSuccess;
    case JET_DbInfoCp:
        *value = 1252;
        return JET_errSuccess;
    case JET_DbInfoCollate:
    case JET_DbInfoOptions:
        *value = 0;
        return JET_errSuccess;
    case JET_DbInfoTransactions:
        *value = 7;
        return JET_errSuccess;
    case JET_DbInfoVersion:
        *value = DBHEADER_VERSION;
        return JET_errSuccess;
    case JET_DbInfoFilesize:
        *value = dbfile_pgno_last(file) + 2;
        return JET_errSuccess;
    case JET_DbInfoSpaceOwned:
    case JET_DbInfoSpaceAvailable:
        err = space_info(tdb->trees, 1, &owned, &available);
        *value = level == JET_DbInfoSpaceOwned ? owned : available;
        return err;
    case JET_DbInfoPageSize:
        *value = tdb->page_bytes;
        return JET_errSuccess;
    case JET_DbInfoFileType:
        *value = JET_filetypeDatabase;
        return JET_errSuccess;
    default:
        return JET_errInvalidParameter;
    }
}

JET_ERR
table_database_info(struct table_db *tdb, void *pv, uint32_t cb, uint32_t level)
{
    struct dbfile *file = btree_db_file(tdb->trees);
    uint64_t bytes = ((uint64_t)dbfile_pgno_last(file) + 2) * tdb->page_bytes;
    uint32_t value;

    if (!pv)
        return JET_errInvalidParameter;
    switch (level) {
    case JET_DbInfoFilename:
        return give_text(dbfile_path(file), pv, cb);
    case JET_DbInfoConnect:
        return give_text("", pv, cb);
    case JET_DbInfoMisc:
        return give_misc(file, pv, cb);
    case JET_DbInfoFilesizeOnDisk:
        if (cb != sizeof(bytes))
            return JET_errInvalidBufferSize;
        memcpy(pv, &bytes, sizeof(bytes));
        return JET_errSuccess;
    default:
        break;
    }
    JET_ERR err = number_at(tdb, level, &value);
    if (err < 0)
        return err;
    if (cb != sizeof(value))
        return JET_errInvalidBufferSize;
    memcpy(pv, &value, sizeof(value));
    return JET_errSuccess;
}
