/* SPDX-License-Identifier: MIT */
/*
 * record: reading, changing and finding records: one call of table/ each, between enter and leave.
 *
 * Common to all: JET_errInvalidSesid, JET_errInvalidTableId, JET_errSessionSharingViolation,
 * JET_errTermInProgress, JET_errInstanceUnavailable, JET_errClientRequestToStopJetService, errors
 * of disk and log. What else a call may answer stands with the function of table/table.h that it
 * names.
 */
#include "api/api.h"
#include "table/table.h"
#include "txn/session.h"

#define WITH_TABLE(call)                                                                           \
    struct api_session *session;                                                                   \
    struct table *t;                                                                               \
    JET_ERR err = api_enter_table(sesid, tableid, &session, &t);                                   \
    if (err < 0)                                                                                   \
        return err;                                                                                \
    err = (call);                                                                                  \
    api_leave(session);                                                                            \
    return err

/** JetPrepareUpdate: table_prepare_update. JET_errNotInTransaction outside of a transaction. */
JET_ERR
JetPrepareUpdate(JET_SESID sesid, JET_TABLEID tableid, uint32_t prep)
{
    WITH_TABLE(table_prepare_update(t, prep));
}

/** JetSetColumn: table_set_column. */
JET_ERR
JetSetColumn(JET_SESID sesid, JET_TABLEID tableid, JET_COLUMNID columnid, const void *pvData,
             uint32_t cbData, JET_GRBIT grbit, JET_SETINFO *psetinfo)
{
    if (!pvData && cbData > 0 && !(grbit & JET_bitSetSizeLV))
        return JET_errInvalidParameter;
    if (psetinfo && psetinfo->cbStruct != sizeof(*psetinfo))
        return JET_errInvalidParameter;
    WITH_TABLE(table_set_column(t, columnid, pvData, cbData, grbit, psetinfo));
}

/** JetSetColumns: table_set_columns. */
JET_ERR
JetSetColumns(JET_SESID sesid, JET_TABLEID tableid, JET_SETCOLUMN *psetcolumn, uint32_t csetcolumn)
{
    if (!psetcolumn && csetcolumn > 0)
        return JET_errInvalidParameter;
    WITH_TABLE(table_set_columns(t, psetcolumn, csetcolumn));
}

/** JetUpdate(2): table_update. */
JET_ERR
JetUpdate2(JET_SESID sesid, JET_TABLEID tableid, void *pvBookmark, uint32_t cbBookmark,
           uint32_t *pcbActual, JET_GRBIT grbit)
{
    WITH_TABLE(table_update(t, pvBookmark, cbBookmark, pcbActual, grbit));
}

JET_ERR
JetUpdate(JET_SESID sesid, JET_TABLEID tableid, void *pvBookmark, uint32_t cbBookmark,
          uint32_t *pcbActual)
{
    return JetUpdate2(sesid, tableid, pvBookmark, cbBookmark, pcbActual, 0);
}

/** JetDelete: table_delete_record. */
JET_ERR
JetDelete(JET_SESID sesid, JET_TABLEID tableid)
{
    WITH_TABLE(table_delete_record(t));
}

/** JetRetrieveColumn: table_retrieve_column. */
JET_ERR
JetRetrieveColumn(JET_SESID sesid, JET_TABLEID tableid, JET_COLUMNID columnid, void *pvData,
                  uint32_t cbData, uint32_t *pcbActual, JET_GRBIT grbit, JET_RETINFO *pretinfo)
{
    if (!pvData && cbData > 0)
        return JET_errInvalidParameter;
    if (pretinfo && pretinfo->cbStruct != sizeof(*pretinfo))
        return JET_errInvalidParameter;
    WITH_TABLE(table_retrieve_column(t, columnid, pvData, cbData, pcbActual, grbit, pretinfo));
}

/** JetRetrieveColumns: table_retrieve_columns. */
JET_ERR
JetRetrieveColumns(JET_SESID sesid, JET_TABLEID tableid, JET_RETRIEVECOLUMN *pretrievecolumn,
                   uint32_t cretrievecolumn)
{
    if (!pretrievecolumn && cretrievecolumn > 0)
        return JET_errInvalidParameter;
    WITH_TABLE(table_retrieve_columns(t, pretrievecolumn, cretrievecolumn));
}

/** JetGetLock: table_get_lock. */
JET_ERR
JetGetLock(JET_SESID sesid, JET_TABLEID tableid, JET_GRBIT grbit)
{
    WITH_TABLE(table_get_lock(t, grbit));
}

/** JetMakeKey: table_make_key. */
JET_ERR
JetMakeKey(JET_SESID sesid, JET_TABLEID tableid, const void *pvData, uint32_t cbData,
           JET_GRBIT grbit)
{
    if (!pvData && cbData > 0)
        return JET_errInvalidParameter;
    WITH_TABLE(table_make_key(t, pvData, cbData, grbit));
}

/** JetRetrieveKey: table_retrieve_key. */
JET_ERR
JetRetrieveKey(JET_SESID sesid, JET_TABLEID tableid, void *pvKey, uint32_t cbMax,
               uint32_t *pcbActual, JET_GRBIT grbit)
{
    WITH_TABLE(table_retrieve_key(t, pvKey, cbMax, pcbActual, grbit));
}

/** JetSeek: table_seek. */
JET_ERR
JetSeek(JET_SESID sesid, JET_TABLEID tableid, JET_GRBIT grbit)
{
    WITH_TABLE(table_seek(t, grbit));
}

/** JetMove: table_move. */
JET_ERR
JetMove(JET_SESID sesid, JET_TABLEID tableid, int32_t cRow, JET_GRBIT grbit)
{
    WITH_TABLE(table_move(t, cRow, grbit));
}

/** JetSetIndexRange: table_set_index_range. */
JET_ERR
JetSetIndexRange(JET_SESID sesid, JET_TABLEID tableid, JET_GRBIT grbit)
{
    WITH_TABLE(table_set_index_range(t, grbit));
}

/** JetGetBookmark: table_get_bookmark. */
JET_ERR
JetGetBookmark(JET_SESID sesid, JET_TABLEID tableid, void *pvBookmark, uint32_t cbMax,
               uint32_t *pcbActual)
{
    WITH_TABLE(table_get_bookmark(t, pvBookmark, cbMax, pcbActual));
}

/** JetGotoBookmark: table_goto_bookmark. */
JET_ERR
JetGotoBookmark(JET_SESID sesid, JET_TABLEID tableid, const void *pvBookmark, uint32_t cbBookmark)
{
    if (!pvBookmark || cbBookmark == 0)
        return JET_errInvalidBookmark;
    WITH_TABLE(table_goto_bookmark(t, pvBookmark, cbBookmark));
}

/** JetSetCurrentIndex: table_set_current_index. */
JET_ERR
JetSetCurrentIndexA(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName)
{
    WITH_TABLE(table_set_current_index(t, szIndexName, JET_bitMoveFirst));
}

JET_ERR
JetSetCurrentIndexW(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szIndexName)
{
    g_autofree char *name = NULL;
    JET_ERR converted = api_from_wide(szIndexName, &name);
    if (converted < 0)
        return converted;
    return JetSetCurrentIndexA(sesid, tableid, name);
}

/** JetGetCurrentIndex: its name, "" without a primary index. JET_errBufferTooSmall. */
JET_ERR
JetGetCurrentIndexA(JET_SESID sesid, JET_TABLEID tableid, JET_PSTR szIndexName,
                    uint32_t cbIndexName)
{
    if (!szIndexName)
        return JET_errInvalidParameter;
    WITH_TABLE(g_strlcpy(szIndexName, table_current_index(t), cbIndexName) < cbIndexName
                   ? JET_errSuccess
                   : JET_errBufferTooSmall);
}

JET_ERR
JetGetCurrentIndexW(JET_SESID sesid, JET_TABLEID tableid, JET_PWSTR szIndexName,
                    uint32_t cbIndexName)
{
    if (!szIndexName)
        return JET_errInvalidParameter;
    WITH_TABLE(api_to_wide(table_current_index(t), szIndexName, cbIndexName));
}
