/* SPDX-License-Identifier: MIT */
/* table: JetCreateTable ... JetAddColumn, JetCreateIndex, JetGet(Table)ColumnInfo. */
#include "table/table.h"

#include <string.h>

#include "api/api.h"

/* ---- from structs of the API to those of table/ ---- */

static JET_ERR
take_columns(const JET_COLUMNCREATE_A *in, uint32_t n, struct table_column_spec **out)
{
    *out = g_try_new0(struct table_column_spec, (gsize)n + 1);
    if (!*out)
        return JET_errOutOfMemory;
    for (uint32_t i = 0; i < n; i++) {
        if (in[i].cbStruct != sizeof(in[i]))
            return JET_errInvalidParameter;
        (*out)[i] = (struct table_column_spec) {.name = in[i].szColumnName,
                                                .coltyp = in[i].coltyp,
                                                .cb_max = in[i].cbMax,
                                                .cp = (uint16_t)in[i].cp,
                                                .grbit = in[i].grbit,
                                                .def = in[i].pvDefault,
                                                .def_cb = in[i].cbDefault};
    }
    return JET_errSuccess;
}

static JET_ERR
take_indexes(const JET_INDEXCREATE_A *in, uint32_t n, struct table_index_spec **out)
{
    *out = g_try_new0(struct table_index_spec, (gsize)n + 1);
    if (!*out)
        return JET_errOutOfMemory;
    for (uint32_t i = 0; i < n; i++) {
        if (in[i].cbStruct != sizeof(in[i]))
            return JET_errInvalidParameter;
        bool tuples = (in[i].grbit & JET_bitIndexTupleLimits) != 0;
        (*out)[i] = (struct table_index_spec) {.name = in[i].szIndexName,
                                               .key = in[i].szKey,
                                               .key_cb = in[i].cbKey,
                                               .grbit = in[i].grbit,
                                               .density = in[i].ulDensity,
                                               .key_most = in[i].cbKeyMost,
                                               .var_seg_mac = tuples ? 0 : in[i].cbVarSegMac};
    }
    return JET_errSuccess;
}

static void
give_results(const struct table_spec *spec, JET_COLUMNCREATE_A *columns, JET_INDEXCREATE_A *indexes)
{
    for (uint32_t i = 0; spec->columns && i < spec->n_columns; i++) {
        columns[i].columnid = spec->columns[i].columnid;
        columns[i].err = spec->columns[i].err;
    }
    for (uint32_t i = 0; spec->indexes && i < spec->n_indexes; i++)
        indexes[i].err = spec->indexes[i].err;
}

static JET_ERR
create_table(struct api_session *session, JET_DBID dbid, struct table_spec *spec,
             JET_TABLEID *tableid)
{
    struct instance_db *db;
    JET_ERR err = api_db(session, dbid, &db);
    if (err >= 0 && db->readonly)
        err = JET_errDatabaseFileReadOnly;
    struct table *t = NULL;
    if (err >= 0)
        err = table_create(session->s, db->catalog, spec, &t);
    return err < 0 ? err : api_table_add(session, t, tableid);
}

/**
 * JetCreateTable: an empty table, open. JET_errTableDuplicate, JET_errInvalidName,
 * JET_errDensityInvalid, JET_errInvalidDatabaseId, JET_errInvalidParameter,
 * JET_errDatabaseFileReadOnly; errors of space, log and disk.
 */
JET_ERR
JetCreateTableA(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName, uint32_t lPages,
                uint32_t lDensity, JET_TABLEID *ptableid)
{
    if (!ptableid)
        return JET_errInvalidParameter;
    struct api_session *session;
    JET_ERR err = api_enter(sesid, &session);
    if (err < 0)
        return err;
    struct table_spec spec = {.name = szTableName, .pages = lPages, .density = lDensity};
    err = create_table(session, dbid, &spec, ptableid);
    api_leave(session);
    return err;
}

JET_ERR
JetCreateTableW(JET_SESID sesid, JET_DBID dbid, JET_PCWSTR szTableName, uint32_t lPages,
                uint32_t lDensity, JET_TABLEID *ptableid)
{
    g_autofree char *name = NULL;
    JET_ERR err = api_from_wide(szTableName, &name);
    return err < 0 ? err : JetCreateTableA(sesid, dbid, name, lPages, lDensity, ptableid);
}

/**
 * JetCreateTableColumnIndex: table, columns and primary index at once, or nothing. Each column's
 * and index' err says what was wrong with it; cCreated counts what was made.
 *
 * JET_errInvalidParameter: a cbStruct is wrong, an array is missing; JET_errFeatureNotAvailable:
 * template tables, secondary indexes, callbacks; errors of JetCreateTable, JetAddColumn and
 * JetCreateIndex.
 */
JET_ERR
JetCreateTableColumnIndexA(JET_SESID sesid, JET_DBID dbid, JET_TABLECREATE_A *ptablecreate)
{
    JET_TABLECREATE_A *tc = ptablecreate;
    if (!tc || tc->cbStruct != sizeof(*tc) || (tc->cColumns && !tc->rgcolumncreate) ||
        (tc->cIndexes && !tc->rgindexcreate))
        return JET_errInvalidParameter;
    if (tc->szTemplateTableName)
        return JET_errFeatureNotAvailable;
    struct api_session *session;
    JET_ERR err = api_enter(sesid, &session);
    if (err < 0)
        return err;
    struct table_spec spec = {.name = tc->szTableName,
                              .pages = tc->ulPages,
                              .density = tc->ulDensity,
                              .grbit = tc->grbit,
                              .n_columns = tc->cColumns,
                              .n_indexes = tc->cIndexes};
    err = take_columns(tc->rgcolumncreate, tc->cColumns, &spec.columns);
    if (err >= 0)
        err = take_indexes(tc->rgindexcreate, tc->cIndexes, &spec.indexes);
    if (err >= 0) {
        err = create_table(session, dbid, &spec, &tc->tableid);
        give_results(&spec, tc->rgcolumncreate, tc->rgindexcreate);
        tc->cCreated = spec.n_created;
    }
    g_free(spec.columns);
    g_free(spec.indexes);
    api_leave(session);
    return err;
}

/** JetCreateTableColumnIndex2: as above; a callback gives JET_errFeatureNotAvailable. */
JET_ERR
JetCreateTableColumnIndex2A(JET_SESID sesid, JET_DBID dbid, JET_TABLECREATE2_A *ptablecreate)
{
    JET_TABLECREATE2_A *tc = ptablecreate;
    if (!tc || tc->cbStruct != sizeof(*tc))
        return JET_errInvalidParameter;
    if (tc->szCallback)
        return JET_errFeatureNotAvailable;
    JET_TABLECREATE_A plain = {sizeof(plain),
                               tc->szTableName,
                               tc->szTemplateTableName,
                               tc->ulPages,
                               tc->ulDensity,
                               tc->rgcolumncreate,
                               tc->cColumns,
                               tc->rgindexcreate,
                               tc->cIndexes,
                               tc->grbit,
                               0,
                               0};
    JET_ERR err = JetCreateTableColumnIndexA(sesid, dbid, &plain);
    tc->tableid = plain.tableid;
    tc->cCreated = plain.cCreated;
    return err;
}

/* ---- the same in UTF-16 ---- */

/* "+Col\0-Col2\0\0" in UTF-16 to UTF-8, NULs kept. */
static JET_ERR
key_from_wide(const uint16_t *wide, uint32_t cb, char **out, uint32_t *out_cb)
{
    GString *key = g_string_new(NULL);
    size_t units = cb / 2, at = 0;
    JET_ERR err = JET_errSuccess;
    while (err >= 0 && wide && at < units) {
        size_t n = 0;
        while (at + n < units && wide[at + n])
            n++;
        char *part = g_utf16_to_utf8(wide + at, (glong)n, NULL, NULL, NULL);
        if (!part)
            err = JET_errUnicodeTranslationFail;
        else
            g_string_append(key, part);
        if (at + n < units)
            g_string_append_c(key, '\0');
        g_free(part);
        at += n + 1;
    }
    *out_cb = (uint32_t)key->len;
    *out = g_string_free(key, FALSE);
    return err;
}

static JET_ERR
narrow_columns(const JET_COLUMNCREATE_W *in, JET_COLUMNCREATE_A *out, uint32_t n)
{
    JET_ERR err = JET_errSuccess;
    for (uint32_t i = 0; err >= 0 && i < n; i++) {
        if (in[i].cbStruct != sizeof(in[i]))
            return JET_errInvalidParameter;
        char *name = NULL;
        err = api_from_wide(in[i].szColumnName, &name);
        out[i] = (JET_COLUMNCREATE_A) {sizeof(out[i]),  name,        in[i].coltyp,
                                       in[i].cbMax,     in[i].grbit, in[i].pvDefault,
                                       in[i].cbDefault, in[i].cp,    0,
                                       JET_errSuccess};
    }
    return err;
}

static JET_ERR
narrow_indexes(const JET_INDEXCREATE_W *in, JET_INDEXCREATE_A *out, uint32_t n)
{
    JET_ERR err = JET_errSuccess;
    for (uint32_t i = 0; err >= 0 && i < n; i++) {
        if (in[i].cbStruct != sizeof(in[i]))
            return JET_errInvalidParameter;
        out[i] = (JET_INDEXCREATE_A) {.cbStruct = sizeof(out[i]),
                                      .grbit = in[i].grbit,
                                      .ulDensity = in[i].ulDensity,
                                      .cbVarSegMac = in[i].cbVarSegMac,
                                      .cbKeyMost = in[i].cbKeyMost};
        err = api_from_wide(in[i].szIndexName, &out[i].szIndexName);
        if (err >= 0)
            err = key_from_wide(in[i].szKey, in[i].cbKey, &out[i].szKey, &out[i].cbKey);
    }
    return err;
}

static void
free_narrow(JET_COLUMNCREATE_A *columns, uint32_t n_columns, JET_INDEXCREATE_A *indexes,
            uint32_t n_indexes)
{
    for (uint32_t i = 0; columns && i < n_columns; i++)
        g_free(columns[i].szColumnName);
    for (uint32_t i = 0; indexes && i < n_indexes; i++) {
        g_free(indexes[i].szIndexName);
        g_free(indexes[i].szKey);
    }
    g_free(columns);
    g_free(indexes);
}

JET_ERR
JetCreateTableColumnIndexW(JET_SESID sesid, JET_DBID dbid, JET_TABLECREATE_W *ptablecreate)
{
    JET_TABLECREATE_W *tc = ptablecreate;
    if (!tc || tc->cbStruct != sizeof(*tc) || (tc->cColumns && !tc->rgcolumncreate) ||
        (tc->cIndexes && !tc->rgindexcreate))
        return JET_errInvalidParameter;
    JET_COLUMNCREATE_A *columns = g_try_new0(JET_COLUMNCREATE_A, (gsize)tc->cColumns + 1);
    JET_INDEXCREATE_A *indexes = g_try_new0(JET_INDEXCREATE_A, (gsize)tc->cIndexes + 1);
    g_autofree char *name = NULL, *template_name = NULL;
    JET_ERR err = columns && indexes ? JET_errSuccess : JET_errOutOfMemory;
    if (err >= 0)
        err = narrow_columns(tc->rgcolumncreate, columns, tc->cColumns);
    if (err >= 0)
        err = narrow_indexes(tc->rgindexcreate, indexes, tc->cIndexes);
    if (err >= 0)
        err = api_from_wide(tc->szTableName, &name);
    if (err >= 0)
        err = api_from_wide(tc->szTemplateTableName, &template_name);
    if (err >= 0) {
        JET_TABLECREATE_A plain = {sizeof(plain),
                                   name,
                                   template_name,
                                   tc->ulPages,
                                   tc->ulDensity,
                                   columns,
                                   tc->cColumns,
                                   indexes,
                                   tc->cIndexes,
                                   tc->grbit,
                                   0,
                                   0};
        err = JetCreateTableColumnIndexA(sesid, dbid, &plain);
        tc->tableid = plain.tableid;
        tc->cCreated = plain.cCreated;
        for (uint32_t i = 0; i < tc->cColumns; i++) {
            tc->rgcolumncreate[i].columnid = columns[i].columnid;
            tc->rgcolumncreate[i].err = columns[i].err;
        }
        for (uint32_t i = 0; i < tc->cIndexes; i++)
            tc->rgindexcreate[i].err = indexes[i].err;
    }
    free_narrow(columns, tc->cColumns, indexes, tc->cIndexes);
    return err;
}

JET_ERR
JetCreateTableColumnIndex2W(JET_SESID sesid, JET_DBID dbid, JET_TABLECREATE2_W *ptablecreate)
{
    JET_TABLECREATE2_W *tc = ptablecreate;
    if (!tc || tc->cbStruct != sizeof(*tc))
        return JET_errInvalidParameter;
    if (tc->szCallback)
        return JET_errFeatureNotAvailable;
    JET_TABLECREATE_W plain = {sizeof(plain),
                               tc->szTableName,
                               tc->szTemplateTableName,
                               tc->ulPages,
                               tc->ulDensity,
                               tc->rgcolumncreate,
                               tc->cColumns,
                               tc->rgindexcreate,
                               tc->cIndexes,
                               tc->grbit,
                               0,
                               0};
    JET_ERR err = JetCreateTableColumnIndexW(sesid, dbid, &plain);
    tc->tableid = plain.tableid;
    tc->cCreated = plain.cCreated;
    return err;
}

/* ---- open ---- */

/**
 * JetOpenTable. pvParameters must be NULL. JET_errObjectNotFound; JET_errTableLocked,
 * JET_errTableInUse; JET_errInvalidDatabaseId, JET_errInvalidParameter, JET_errInvalidGrbit,
 * JET_errInvalidName, JET_errInvalidSesid.
 */
JET_ERR
JetOpenTableA(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName, const void *pvParameters,
              uint32_t cbParameters, JET_GRBIT grbit, JET_TABLEID *ptableid)
{
    if (!ptableid)
        return JET_errInvalidParameter;
    struct api_session *session;
    JET_ERR err = api_enter(sesid, &session);
    if (err < 0)
        return err;
    struct instance_db *db;
    struct table *t = NULL;
    err = api_db(session, dbid, &db);
    if (err >= 0)
        err = table_open(session->s, db->catalog, szTableName,
                         db->readonly ? grbit | JET_bitTableReadOnly : grbit, &t);
    if (err >= 0)
        err = api_table_add(session, t, ptableid);
    api_leave(session);
    return err;
}

JET_ERR
JetOpenTableW(JET_SESID sesid, JET_DBID dbid, JET_PCWSTR szTableName, const void *pvParameters,
              uint32_t cbParameters, JET_GRBIT grbit, JET_TABLEID *ptableid)
{
    g_autofree char *name = NULL;
    JET_ERR err = api_from_wide(szTableName, &name);
    return err < 0 ? err : JetOpenTableA(sesid, dbid, name, NULL, 0, grbit, ptableid);
}

/* ---- columns and indexes ---- */

/**
 * JetAddColumn. JET_errColumnDuplicate, JET_errInvalidName, JET_errInvalidColumnType,
 * JET_errInvalidCodePage, JET_errTooManyColumns, JET_errTaggedNotNULL, JET_errCannotBeTagged,
 * JET_errColumnRedundant, JET_errMultiValuedColumnMustBeTagged, JET_errInvalidGrbit,
 * JET_errDefaultValueTooBig, JET_errFixedDDL, JET_errPermissionDenied, JET_errFeatureNotAvailable,
 * JET_errInvalidParameter (pcolumndef NULL or of a wrong size), JET_errInvalidTableId.
 */
JET_ERR
JetAddColumnA(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szColumnName,
              const JET_COLUMNDEF *pcolumndef, const void *pvDefault, uint32_t cbDefault,
              JET_COLUMNID *pcolumnid)
{
    if (!pcolumndef || pcolumndef->cbStruct != sizeof(*pcolumndef))
        return JET_errInvalidParameter;
    struct api_session *session;
    struct table *t;
    JET_ERR err = api_enter_table(sesid, tableid, &session, &t);
    if (err < 0)
        return err;
    struct table_column_spec spec = {.name = szColumnName,
                                     .coltyp = pcolumndef->coltyp,
                                     .cb_max = pcolumndef->cbMax,
                                     .cp = (uint16_t)pcolumndef->cp,
                                     .grbit = pcolumndef->grbit,
                                     .def = pvDefault,
                                     .def_cb = cbDefault};
    err = table_add_column(t, &spec);
    if (err >= 0 && pcolumnid)
        *pcolumnid = spec.columnid;
    api_leave(session);
    return err;
}

JET_ERR
JetAddColumnW(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szColumnName,
              const JET_COLUMNDEF *pcolumndef, const void *pvDefault, uint32_t cbDefault,
              JET_COLUMNID *pcolumnid)
{
    g_autofree char *name = NULL;
    JET_ERR err = api_from_wide(szColumnName, &name);
    return err < 0
               ? err
               : JetAddColumnA(sesid, tableid, name, pcolumndef, pvDefault, cbDefault, pcolumnid);
}

/**
 * JetCreateIndex: the primary index of an empty table. JET_errIndexDuplicate,
 * JET_errIndexHasPrimary, JET_errIndexInvalidDef, JET_errColumnNotFound, JET_errTableNotEmpty,
 * JET_errInvalidName, JET_errInvalidGrbit, JET_errTooManyKeys, JET_errDensityInvalid,
 * JET_errFixedDDL; JET_errFeatureNotAvailable: secondary indexes.
 */
JET_ERR
JetCreateIndexA(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName, JET_GRBIT grbit,
                JET_PCSTR szKey, uint32_t cbKey, uint32_t lDensity)
{
    struct api_session *session;
    struct table *t;
    JET_ERR err = api_enter_table(sesid, tableid, &session, &t);
    if (err < 0)
        return err;
    struct table_index_spec spec = {
        .name = szIndexName, .key = szKey, .key_cb = cbKey, .grbit = grbit, .density = lDensity};
    err = table_create_index(t, &spec);
    api_leave(session);
    return err;
}

JET_ERR
JetCreateIndexW(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szIndexName, JET_GRBIT grbit,
                JET_PCWSTR szKey, uint32_t cbKey, uint32_t lDensity)
{
    g_autofree char *name = NULL, *key = NULL;
    uint32_t key_cb = 0;
    JET_ERR err = api_from_wide(szIndexName, &name);
    if (err >= 0)
        err = key_from_wide(szKey, cbKey, &key, &key_cb);
    return err < 0 ? err : JetCreateIndexA(sesid, tableid, name, grbit, key, key_cb, lDensity);
}

/* The ByColid levels take a JET_COLUMNID where the others take a name. */
static bool
level_by_id(uint32_t level)
{
    switch (level & ~(JET_ColInfoGrbitNonDerivedColumnsOnly | JET_ColInfoGrbitMinimalInfo |
                      JET_ColInfoGrbitSortByColumnid)) {
    case JET_ColInfoByColid:
    case JET_ColInfoBaseByColid:
        return true;
    default:
        return false;
    }
}

static JET_ERR
column_info(struct table *t, const void *name_or_id, void *pv, uint32_t cb, uint32_t level)
{
    if (!level_by_id(level))
        return table_column_info(t, name_or_id, 0, pv, cb, level);
    if (!name_or_id)
        return JET_errInvalidParameter;
    JET_COLUMNID id;
    memcpy(&id, name_or_id, sizeof(id));
    return table_column_info(t, NULL, id, pv, cb, level);
}

/**
 * JetGetTableColumnInfo. JET_errColumnNotFound, JET_errBadColumnId; JET_errInvalidParameter: level,
 * or no name; JET_errInvalidBufferSize; JET_errFeatureNotAvailable: levels that give a temporary
 * table.
 */
JET_ERR
JetGetTableColumnInfoA(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szColumnName, void *pvResult,
                       uint32_t cbMax, uint32_t InfoLevel)
{
    if (!pvResult)
        return JET_errInvalidParameter;
    struct api_session *session;
    struct table *t;
    JET_ERR err = api_enter_table(sesid, tableid, &session, &t);
    if (err < 0)
        return err;
    err = column_info(t, szColumnName, pvResult, cbMax, InfoLevel);
    api_leave(session);
    return err;
}

JET_ERR
JetGetTableColumnInfoW(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szColumnName,
                       void *pvResult, uint32_t cbMax, uint32_t InfoLevel)
{
    if (level_by_id(InfoLevel))
        return JetGetTableColumnInfoA(sesid, tableid, (JET_PCSTR)szColumnName, pvResult, cbMax,
                                      InfoLevel);
    g_autofree char *name = NULL;
    JET_ERR err = api_from_wide(szColumnName, &name);
    return err < 0 ? err : JetGetTableColumnInfoA(sesid, tableid, name, pvResult, cbMax, InfoLevel);
}

/** JetGetColumnInfo: the same of a table by its name. And JET_errObjectNotFound,
 * JET_errInvalidDatabaseId. */
JET_ERR
JetGetColumnInfoA(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName, JET_PCSTR pColumnNameOrId,
                  void *pvResult, uint32_t cbMax, uint32_t InfoLevel)
{
    if (!pvResult)
        return JET_errInvalidParameter;
    struct api_session *session;
    JET_ERR err = api_enter(sesid, &session);
    if (err < 0)
        return err;
    struct instance_db *db;
    struct table *t = NULL;
    err = api_db(session, dbid, &db);
    if (err >= 0)
        err = table_open(session->s, db->catalog, szTableName, JET_bitTableReadOnly, &t);
    if (err >= 0) {
        err = column_info(t, pColumnNameOrId, pvResult, cbMax, InfoLevel);
        table_close(t);
    }
    api_leave(session);
    return err;
}

JET_ERR
JetGetColumnInfoW(JET_SESID sesid, JET_DBID dbid, JET_PCWSTR szTableName,
                  JET_PCWSTR pColumnNameOrId, void *pvResult, uint32_t cbMax, uint32_t InfoLevel)
{
    g_autofree char *table = NULL, *column = NULL;
    JET_ERR err = api_from_wide(szTableName, &table);
    bool by_id = level_by_id(InfoLevel);
    if (err >= 0 && !by_id)
        err = api_from_wide(pColumnNameOrId, &column);
    return err < 0
               ? err
               : JetGetColumnInfoA(sesid, dbid, table, by_id ? (JET_PCSTR)pColumnNameOrId : column,
                                   pvResult, cbMax, InfoLevel);
}
