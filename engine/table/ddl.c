/* SPDX-License-Identifier: MIT */
/* ddl: creating and deleting tables, columns, indexes. Each in a transaction of its own level. */
#include <string.h>

#include "cache/dbfile.h"
#include "space/space.h"
#include "table/open.h"
#include "txn/session.h"

#define COLUMN_GRBITS                                                                              \
    (JET_bitColumnFixed | JET_bitColumnTagged | JET_bitColumnNotNULL | JET_bitColumnVersion |      \
     JET_bitColumnAutoincrement | JET_bitColumnUpdatable | JET_bitColumnMultiValued |              \
     JET_bitColumnUnversioned | JET_bitColumnMaybeNull | JET_bitColumnCompressed)
#define COLUMN_GRBITS_NOT_HERE                                                                     \
    (JET_bitColumnEscrowUpdate | JET_bitColumnFinalize | JET_bitColumnUserDefinedDefault |         \
     JET_bitColumnDeleteOnZero)
#define INDEX_GRBITS                                                                               \
    (JET_bitIndexUnique | JET_bitIndexPrimary | JET_bitIndexDisallowNull |                         \
     JET_bitIndexSortNullsHigh | JET_bitIndexLazyFlush | JET_bitIndexEmpty |                       \
     JET_bitIndexUnversioned | JET_bitIndexKeyMost | JET_bitIndexDisallowTruncation |              \
     JET_bitIndexDotNetGuid)
#define DENSITY_DEFAULT 80u

/* One change of definitions: the table as it is so far. */
struct ddl {
    struct session *s;
    struct table_db *tdb;
    struct schema *schema;
};

static JET_ERR
reload(struct ddl *d, uint32_t objid)
{
    schema_unref(d->schema);
    d->schema = NULL;
    return catalog_load(d->s, d->tdb, objid, &d->schema);
}

/* ---- columns ---- */

static JET_ERR
check_column_grbit(const struct table_column_spec *spec)
{
    JET_GRBIT g = spec->grbit;
    bool special = g & (JET_bitColumnAutoincrement | JET_bitColumnVersion);

    if (g & COLUMN_GRBITS_NOT_HERE)
        return JET_errFeatureNotAvailable;
    if (g & ~(JET_GRBIT)COLUMN_GRBITS)
        return JET_errInvalidGrbit;
    if ((g & JET_bitColumnFixed) && (g & JET_bitColumnTagged))
        return JET_errInvalidGrbit;
    if ((g & JET_bitColumnAutoincrement) && (g & JET_bitColumnVersion))
        return JET_errInvalidGrbit;
    if (special && (g & (JET_bitColumnTagged | JET_bitColumnMultiValued)))
        return JET_errCannotBeTagged;
    if (special && spec->def)
        return JET_errInvalidGrbit;
    if ((g & JET_bitColumnVersion) && spec->coltyp != JET_coltypLong)
        return JET_errInvalidColumnType;
    if ((g & JET_bitColumnAutoincrement) && spec->coltyp != JET_coltypLong &&
        spec->coltyp != JET_coltypUnsignedLong && coltyp_size(spec->coltyp) != 8)
        return JET_errInvalidColumnType;
    return JET_errSuccess;
}

/* How the column is stored decides its id. */
static JET_ERR
place_column(const struct schema *sc, const struct table_column_spec *spec, struct column *c)
{
    JET_GRBIT g = spec->grbit;
    bool sized = coltyp_size(spec->coltyp) != 0;

    if (coltyp_is_long(spec->coltyp) || (g & JET_bitColumnTagged)) {
        if (g & JET_bitColumnFixed)
            return JET_errInvalidGrbit;
        if (g & JET_bitColumnNotNULL)
            return JET_errTaggedNotNULL;
        c->id = sc->last_tagged + 1;
        return c->id > COLUMN_TAGGED_MOST ? JET_errTooManyColumns : JET_errSuccess;
    }
    if (g & JET_bitColumnMultiValued)
        return JET_errMultiValuedColumnMustBeTagged;
    if (!sized && !(g & JET_bitColumnFixed)) {
        c->id = sc->last_var + 1;
        return c->id > COLUMN_VAR_MOST ? JET_errTooManyColumns : JET_errSuccess;
    }
    c->id = sc->last_fixed + 1;
    c->offset = (uint16_t)sc->fixed_end;
    return c->id > COLUMN_FIXED_MOST ? JET_errTooManyColumns : JET_errSuccess;
}

static JET_ERR
type_column(const struct table_column_spec *spec, struct column *c)
{
    uint32_t size = coltyp_size(spec->coltyp);

    c->coltyp = spec->coltyp;
    if (size) {
        c->cb_max = size;
    } else if (coltyp_is_long(spec->coltyp)) {
        c->cb_max = spec->cb_max;
    } else if (spec->coltyp == JET_coltypText || spec->coltyp == JET_coltypBinary) {
        c->cb_max =
            spec->cb_max && spec->cb_max < JET_cbColumnMost ? spec->cb_max : JET_cbColumnMost;
    } else {
        return JET_errInvalidColumnType;
    }
    if (!coltyp_is_text(spec->coltyp))
        return JET_errSuccess;
    c->cp = spec->cp ? spec->cp : 1252;
    return c->cp == 1252 || c->cp == 1200 ? JET_errSuccess : JET_errInvalidCodePage;
}

static JET_ERR
default_column(const struct table_column_spec *spec, struct column *c)
{
    if (!spec->def || (spec->def_cb == 0 && coltyp_size(c->coltyp)))
        return JET_errSuccess;
    if (spec->def_cb > JET_cbLVDefaultValueMost)
        return JET_errDefaultValueTooBig;
    if (coltyp_size(c->coltyp) && spec->def_cb != coltyp_size(c->coltyp))
        return JET_errInvalidBufferSize;
    if (c->cb_max && spec->def_cb > c->cb_max)
        return JET_errColumnTooBig;
    if (column_is_fixed(c) && spec->def_cb != column_size(c))
        return JET_errInvalidBufferSize;
    c->flags |= COLUMN_DEFAULT;
    c->def = g_malloc0(spec->def_cb + 1);
    c->def_cb = spec->def_cb;
    memcpy(c->def, spec->def, spec->def_cb);
    if (c->coltyp == JET_coltypBit)
        c->def[0] = c->def[0] ? 0xff : 0;
    return JET_errSuccess;
}

static JET_ERR
plan_column(const struct schema *sc, const struct table_column_spec *spec, struct column *c)
{
    JET_ERR err = check_column_grbit(spec);
    if (err >= 0)
        err = type_column(spec, c);
    if (err >= 0)
        err = place_column(sc, spec, c);
    if (err < 0)
        return err;
    if ((spec->grbit & JET_bitColumnAutoincrement && sc->autoinc) ||
        (spec->grbit & JET_bitColumnVersion && sc->version))
        return JET_errColumnRedundant;
    if ((spec->grbit & JET_bitColumnCompressed) && !coltyp_is_long(c->coltyp))
        return JET_errColumnCannotBeCompressed;
    c->flags = (spec->grbit & JET_bitColumnNotNULL ? COLUMN_NOT_NULL : 0) |
               (spec->grbit & JET_bitColumnVersion ? COLUMN_VERSION : 0) |
               (spec->grbit & JET_bitColumnAutoincrement ? COLUMN_AUTOINC : 0) |
               (spec->grbit & JET_bitColumnMultiValued ? COLUMN_MULTIVALUED : 0) |
               (spec->grbit & JET_bitColumnCompressed ? COLUMN_COMPRESSED : 0);
    return default_column(spec, c);
}

static JET_ERR
add_column(struct ddl *d, struct table_column_spec *spec)
{
    struct column *c = g_new0(struct column, 1);
    struct cat_row row;
    uint32_t max = record_max(d->tdb->page_bytes, table_key_most(d->schema));

    spec->columnid = 0;
    JET_ERR err = name_check(spec->name);
    if (err >= 0 && schema_column_named(d->schema, spec->name))
        err = JET_errColumnDuplicate;
    if (err >= 0)
        err = plan_column(d->schema, spec, c);
    if (err >= 0 && column_is_fixed(c) && c->offset + column_size(c) + 32 > max)
        err = JET_errRecordTooBig;
    if (err >= 0) {
        c->name = g_strdup(spec->name);
        cat_row_of_column(c, d->schema->objid, &row);
        err = catalog_insert(d->s, d->tdb, &row);
    }
    if (err >= 0) {
        spec->columnid = c->id;
        schema_add_column(d->schema, c);
        c = NULL;
        err = schema_finish(d->schema);
    }
    column_free(c);
    spec->err = err;
    return err;
}

/* ---- indexes ---- */

/* "+A\0-B\0\0" */
static JET_ERR
parse_key(const struct schema *sc, const struct table_index_spec *spec, struct index *ix)
{
    const char *p = spec->key, *end = p ? p + spec->key_cb : NULL;

    while (p && p < end && *p) {
        size_t n = strnlen(p, (size_t)(end - p));
        if (p + n == end)
            return JET_errIndexInvalidDef;
        if (ix->n_segments == INDEX_SEGMENTS_MAX)
            return JET_errTooManyKeys;
        bool descending = *p == '-';
        const struct column *c = schema_column_named(sc, p + (descending || *p == '+'));
        if (!c)
            return JET_errColumnNotFound;
        if (c->flags & (COLUMN_MULTIVALUED | COLUMN_ESCROW | COLUMN_ENCRYPTED))
            return JET_errIndexInvalidDef;
        if (coltyp_is_text(c->coltyp) && c->cp == 1200)
            ix->flags |= INDEX_LOCALIZED;
        ix->segments[ix->n_segments].column = (uint16_t)c->id;
        ix->segments[ix->n_segments++].flags = descending ? SEGMENT_DESCENDING : 0;
        p += n + 1;
    }
    return ix->n_segments ? JET_errSuccess : JET_errIndexInvalidDef;
}

static JET_ERR
size_index(const struct table_db *tdb, const struct table_index_spec *spec, struct index *ix)
{
    uint32_t most = tdb->page_bytes == 4096 ? JET_cbKeyMost4KBytePage : JET_cbKeyMost8KBytePage;

    ix->density = spec->density ? spec->density : DENSITY_DEFAULT;
    if (ix->density < 20 || ix->density > 100)
        return JET_errDensityInvalid;
    ix->key_most = KEY_MOST_DEFAULT;
    if ((spec->grbit & JET_bitIndexKeyMost) && spec->key_most)
        ix->key_most = spec->key_most;
    if (ix->key_most < KEY_MOST_DEFAULT || ix->key_most > most)
        return JET_errIndexInvalidDef;
    ix->var_seg_mac = spec->var_seg_mac;
    return ix->var_seg_mac > ix->key_most ? JET_errIndexInvalidDef : JET_errSuccess;
}

static JET_ERR
plan_index(struct ddl *d, const struct table_index_spec *spec, struct index *ix)
{
    JET_ERR err = name_check(spec->name);
    if (err < 0)
        return err;
    if (!(spec->grbit & JET_bitIndexPrimary))
        return JET_errFeatureNotAvailable;
    if (spec->grbit & ~(JET_GRBIT)INDEX_GRBITS)
        return JET_errInvalidGrbit;
    if (schema_index_named(d->schema, spec->name))
        return JET_errIndexDuplicate;
    if (d->schema->primary)
        return JET_errIndexHasPrimary;
    if (spec->var_seg_mac) /* would need its catalog column; nothing asks for it on a primary index
                            */
        return JET_errFeatureNotAvailable;
    ix->flags = INDEX_UNIQUE | INDEX_PRIMARY | INDEX_EXTENDED;
    if (spec->grbit & JET_bitIndexDisallowNull)
        ix->flags |= INDEX_NO_NULL;
    else
        ix->flags |= INDEX_ALLOW_ALL_NULL | INDEX_ALLOW_FIRST_NULL | INDEX_ALLOW_SOME_NULL;
    if (spec->grbit & JET_bitIndexSortNullsHigh)
        ix->flags |= INDEX_NULLS_HIGH;
    if (spec->grbit & JET_bitIndexDisallowTruncation)
        ix->flags |= INDEX_NO_TRUNCATION;
    if (spec->grbit & JET_bitIndexDotNetGuid)
        ix->flags |= INDEX_DOTNET_GUID;
    err = parse_key(d->schema, spec, ix);
    if (err >= 0)
        err = size_index(d->tdb, spec, ix);
    ix->name = g_strdup(spec->name);
    ix->objid = d->schema->objid;
    ix->pgno_fdp = d->schema->pgno_fdp;
    return err;
}

static JET_ERR
add_index(struct ddl *d, struct table_index_spec *spec)
{
    struct index *ix = g_new0(struct index, 1);
    struct cat_row row;
    uint8_t fids[64];

    JET_ERR err = plan_index(d, spec, ix);
    if (err >= 0) {
        cat_row_of_index(ix, d->schema->objid, fids, &row);
        err = catalog_insert(d->s, d->tdb, &row);
    }
    if (err >= 0) {
        schema_add_index(d->schema, ix);
        ix = NULL;
        err = schema_finish(d->schema);
    }
    index_free(ix);
    spec->err = err;
    return err;
}

/* ---- tables ---- */

static JET_ERR
check_table(const struct table_spec *spec)
{
    JET_ERR err = name_check(spec->name);
    if (err < 0)
        return err;
    if (spec->grbit &
        (JET_bitTableCreateTemplateTable | JET_bitTableCreateNoFixedVarColumnsInDerivedTables))
        return JET_errFeatureNotAvailable;
    if (spec->grbit &
        ~(JET_GRBIT)(JET_bitTableCreateFixedDDL | JET_bitTableCreateImmutableStructure))
        return JET_errInvalidGrbit;
    if (spec->density && (spec->density < 20 || spec->density > 100))
        return JET_errDensityInvalid;
    if (spec->n_columns > COLUMN_TAGGED_MOST)
        return JET_errTooManyColumns;
    return JET_errSuccess;
}

static JET_ERR
create_tree_and_row(struct ddl *d, const struct table_spec *spec, uint32_t *objid)
{
    *objid = dbfile_objid_next(btree_db_file(d->tdb->trees));
    struct space_tree_spec tree = {.pgno_parent = 1, .objid = *objid, .pages = spec->pages};
    struct cat_row row = {.objid_table = *objid,
                          .type = CAT_TABLE,
                          .id = *objid,
                          .space_usage = spec->density ? spec->density : DENSITY_DEFAULT,
                          .flags = spec->grbit ? TABLE_FIXED_DDL : 0,
                          .pages_or_locale = spec->pages ? spec->pages : 1,
                          .root_flag = true};

    JET_ERR err = space_create_tree(d->s, d->tdb->trees, &tree, &row.coltyp_or_pgno);
    if (err < 0)
        return err;
    catalog_created(d->s, catalog_shared(d->tdb, *objid));
    g_strlcpy(row.name, spec->name, sizeof(row.name));
    return catalog_insert(d->s, d->tdb, &row);
}

static JET_ERR
fill_table(struct ddl *d, struct table_spec *spec)
{
    JET_ERR err = JET_errSuccess;

    spec->n_created = 1;
    for (uint32_t i = 0; err >= 0 && i < spec->n_columns; i++) {
        err = add_column(d, &spec->columns[i]);
        spec->n_created += err >= 0;
    }
    for (uint32_t i = 0; err >= 0 && i < spec->n_indexes; i++) {
        err = add_index(d, &spec->indexes[i]);
        spec->n_created += err >= 0;
    }
    return err;
}

/* Ends the level: commit, or roll back and keep the first error. */
static JET_ERR
finish(struct ddl *d, JET_ERR err)
{
    schema_unref(d->schema);
    if (err >= 0)
        return session_commit(d->s, 0, NULL);
    JET_ERR undo = session_rollback(d->s, 0);
    return undo < 0 ? undo : err;
}

static JET_ERR
check_database_writable(const struct table_db *tdb)
{
    return dbfile_is_readonly(btree_db_file(tdb->trees)) ? JET_errDatabaseFileReadOnly
                                                         : JET_errSuccess;
}

JET_ERR
table_create(struct session *s, struct table_db *tdb, struct table_spec *spec, struct table **out)
{
    struct ddl d = {s, tdb, NULL};
    struct table *t = NULL;
    uint32_t objid;

    spec->n_created = 0;
    JET_ERR err = check_table(spec);
    if (err >= 0)
        err = check_database_writable(tdb);
    if (err >= 0)
        err = session_begin(s, 0);
    if (err < 0)
        return err;
    err = create_tree_and_row(&d, spec, &objid);
    if (err >= 0)
        err = reload(&d, objid);
    if (err >= 0)
        err = fill_table(&d, spec);
    if (err >= 0)
        err = table_open_objid(s, tdb, objid, JET_bitTableDenyRead | JET_bitTablePermitDDL, &t);
    if (err < 0)
        spec->n_created = 0;
    err = finish(&d, err);
    if (err < 0) {
        table_close(t);
        return err;
    }
    *out = t;
    return JET_errSuccess;
}

/* May the definition of this open table change? Begins the level and reads the definition. */
static JET_ERR
begin_change(struct table *t, struct ddl *d)
{
    JET_ERR err = table_refresh(t);
    if (err < 0)
        return err;
    if ((t->grbit & JET_bitTableReadOnly) || (t->schema->flags & TABLE_SYSTEM))
        return JET_errPermissionDenied;
    if ((t->schema->flags & TABLE_FIXED_DDL) && !(t->grbit & JET_bitTablePermitDDL))
        return JET_errFixedDDL;
    if (t->schema->flags & (TABLE_TEMPLATE | TABLE_DERIVED))
        return JET_errFeatureNotAvailable;
    err = check_database_writable(t->tdb);
    if (err >= 0)
        err = session_begin(t->s, 0);
    if (err < 0)
        return err;
    *d = (struct ddl) {t->s, t->tdb, NULL};
    err = reload(d, t->sh->objid);
    return err < 0 ? finish(d, err) : JET_errSuccess;
}

JET_ERR
table_add_column(struct table *t, struct table_column_spec *spec)
{
    struct ddl d;

    JET_ERR err = begin_change(t, &d);
    if (err < 0)
        return err;
    err = add_column(&d, spec);
    if (err >= 0)
        catalog_changed(t->s, t->sh);
    return finish(&d, err);
}

/* Nobody else has the table open, and it has no records: keys can change. */
static JET_ERR
check_rebuildable(struct table *t)
{
    struct btree_cursor *c;
    JET_ERR err = JET_errSuccess;

    g_mutex_lock(&t->sh->lock);
    if (t->sh->open->len > 1)
        err = JET_errTableInUse;
    g_mutex_unlock(&t->sh->lock);
    if (err >= 0)
        err = btree_cursor_open(t->s, t->sh->tree, &c);
    if (err < 0)
        return err;
    err = btree_first(c);
    btree_cursor_close(c);
    if (err >= 0)
        return JET_errTableNotEmpty;
    return err == JET_errRecordNotFound || err == JET_errNoCurrentRecord ? JET_errSuccess : err;
}

JET_ERR
table_create_index(struct table *t, struct table_index_spec *spec)
{
    struct ddl d;

    JET_ERR err = begin_change(t, &d);
    if (err < 0)
        return err;
    err = spec->grbit & JET_bitIndexPrimary ? check_rebuildable(t) : JET_errSuccess;
    if (err >= 0)
        err = add_index(&d, spec);
    if (err >= 0)
        catalog_changed(t->s, t->sh);
    return finish(&d, err);
}

JET_ERR
table_delete(struct session *s, struct table_db *tdb, const char *name)
{
    struct ddl d = {s, tdb, NULL};
    struct table_shared *sh;
    uint32_t objid;

    JET_ERR err = name_check(name);
    if (err >= 0)
        err = check_database_writable(tdb);
    if (err >= 0)
        err = catalog_find(s, tdb, name, &objid);
    if (err < 0)
        return err;
    if (objid < OBJID_USER)
        return JET_errCannotDeleteSystemTable;
    sh = catalog_shared(tdb, objid);
    g_mutex_lock(&sh->lock);
    err = sh->open->len ? JET_errTableInUse : JET_errSuccess;
    g_mutex_unlock(&sh->lock);
    if (err >= 0)
        err = session_begin(s, 0);
    if (err < 0)
        return err;
    err = reload(&d, objid);
    if (err >= 0)
        err = catalog_delete_table(s, tdb, objid);
    if (err >= 0) {
        catalog_deleted(s, sh);
        err = space_delete_tree(s, tdb->trees, d.schema->pgno_fdp);
    }
    return finish(&d, err);
}
