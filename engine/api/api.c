/* SPDX-License-Identifier: MIT */
#include "api/api.h"

#include <string.h>

#include "instance/handle.h"
#include "instance/registry.h"
#include "table/table.h"
#include "txn/session.h"

static GRWLock handles_lock;
static GPtrArray *sessions; /* of all instances; handles_lock, exclusive */

/* ---- instances ---- */

static JET_ERR
enter_held(struct instance *inst, JET_ERR err, struct instance **out)
{
    if (err < 0)
        return err;
    err = instance_enter(inst);
    if (err < 0)
        registry_release(inst);
    else
        *out = inst;
    return err;
}

JET_ERR
api_enter_instance(JET_INSTANCE handle, struct instance **out)
{
    struct instance *inst = NULL;
    JET_ERR err = registry_find(handle, &inst);
    return enter_held(inst, err, out);
}

JET_ERR
api_enter_legacy(struct instance **out)
{
    struct instance *inst = NULL;
    JET_ERR err = registry_find_legacy(&inst);
    return enter_held(inst, err, out);
}

void
api_leave_instance(struct instance *inst)
{
    instance_leave(inst);
    registry_release(inst);
}

/* ---- sessions ---- */

static JET_ERR
enter_session(struct api_session *session)
{
    JET_ERR err = instance_enter(session->inst);
    if (err < 0)
        return err;
    if (atomic_exchange(&session->busy, true)) {
        instance_leave(session->inst);
        return JET_errSessionSharingViolation;
    }
    return JET_errSuccess;
}

JET_ERR
api_enter(JET_SESID sesid, struct api_session **out)
{
    g_rw_lock_reader_lock(&handles_lock);
    struct api_session *session = handle_get(HANDLE_SESSION, sesid);
    JET_ERR err = session ? enter_session(session) : JET_errInvalidSesid;
    g_rw_lock_reader_unlock(&handles_lock);
    if (err >= 0)
        *out = session;
    return err;
}

JET_ERR
api_enter_table(JET_SESID sesid, JET_TABLEID tableid, struct api_session **session,
                struct table **table)
{
    g_rw_lock_reader_lock(&handles_lock);
    struct api_session *found = handle_get(HANDLE_SESSION, sesid);
    struct api_table *t = handle_get(HANDLE_TABLE, tableid);
    JET_ERR err = !found ? JET_errInvalidSesid : enter_session(found);
    if (err >= 0 && (!t || t->owner != found)) {
        api_leave(found);
        err = JET_errInvalidTableId;
    }
    g_rw_lock_reader_unlock(&handles_lock);
    if (err >= 0) {
        *session = found;
        *table = t->t;
    }
    return err;
}

void
api_leave(struct api_session *session)
{
    struct instance *inst = session->inst;
    atomic_store(&session->busy, false);
    instance_leave(inst);
}

JET_ERR
api_db(struct api_session *session, JET_DBID dbid, struct instance_db **db)
{
    if (dbid < 1 || dbid > INSTANCE_DBS || session->opens[dbid] == 0)
        return JET_errInvalidDatabaseId;
    *db = instance_db_get(session->inst, dbid);
    return *db ? JET_errSuccess : JET_errInvalidDatabaseId;
}

JET_ERR
api_table_add(struct api_session *session, struct table *t, JET_TABLEID *tableid)
{
    struct api_table *entry = g_new0(struct api_table, 1);
    *entry = (struct api_table) {.owner = session, .t = t};
    entry->handle = handle_new(HANDLE_TABLE, entry);
    if (!entry->handle) {
        g_free(entry);
        table_close(t);
        return JET_errOutOfMemory;
    }
    g_ptr_array_add(session->tables, entry);
    *tableid = entry->handle;
    return JET_errSuccess;
}

static void
close_entry(struct api_table *entry)
{
    g_rw_lock_writer_lock(&handles_lock);
    handle_drop(HANDLE_TABLE, entry->handle);
    g_rw_lock_writer_unlock(&handles_lock);
    table_close(entry->t);
    g_free(entry);
}

/**
 * JetBeginSession: a session of an initialized instance. User name and password are ignored, as by
 * ESE.
 *
 * JET_errInvalidParameter: psesid NULL, or no instance; JET_errInvalidInstance;
 * JET_errOutOfSessions: JET_paramMaxSessions are open; JET_errNotInitialized,
 * JET_errTermInProgress, JET_errInstanceUnavailable, JET_errClientRequestToStopJetService;
 * JET_errOutOfMemory.
 */
JET_ERR
JetBeginSessionA(JET_INSTANCE instance, JET_SESID *psesid, JET_PCSTR szUserName,
                 JET_PCSTR szPassword)
{
    if (!psesid)
        return JET_errInvalidParameter;
    struct instance *inst = NULL;
    JET_ERR err = api_enter_instance(instance, &inst);
    if (err < 0)
        return err;
    struct session *s = NULL;
    err = txn_session_count(inst->txn) > params_number(inst->params, JET_paramMaxSessions)
              ? JET_errOutOfSessions
              : session_new(inst->txn, &s);
    if (err >= 0) {
        struct api_session *session = g_new0(struct api_session, 1);
        *session = (struct api_session) {.inst = inst, .s = s, .tables = g_ptr_array_new()};
        g_rw_lock_writer_lock(&handles_lock);
        session->handle = handle_new(HANDLE_SESSION, session);
        if (session->handle) {
            if (!sessions)
                sessions = g_ptr_array_new();
            g_ptr_array_add(sessions, session);
            *psesid = session->handle;
        }
        g_rw_lock_writer_unlock(&handles_lock);
        if (!session->handle) {
            g_ptr_array_unref(session->tables);
            g_free(session);
            session_free(s);
            err = JET_errOutOfSessions;
        }
    }
    api_leave_instance(inst);
    return err;
}

JET_ERR
JetBeginSessionW(JET_INSTANCE instance, JET_SESID *psesid, JET_PCWSTR szUserName,
                 JET_PCWSTR szPassword)
{
    return JetBeginSessionA(instance, psesid, NULL, NULL);
}

void
api_session_end(struct api_session *session)
{
    while (session->tables->len > 0)
        close_entry(g_ptr_array_remove_index_fast(session->tables, session->tables->len - 1));
    if (session_level(session->s) > 0 && session_rollback(session->s, JET_bitRollbackAll) < 0)
        instance_fail(session->inst, JET_errRollbackError);
    for (JET_DBID dbid = 1; dbid <= INSTANCE_DBS; dbid++) {
        for (; session->opens[dbid] > 0; session->opens[dbid]--)
            (void)instance_close_database(session->inst, dbid); /* it is open: cannot fail */
    }
    g_rw_lock_writer_lock(&handles_lock);
    handle_drop(HANDLE_SESSION, session->handle);
    g_ptr_array_remove_fast(sessions, session);
    g_rw_lock_writer_unlock(&handles_lock);
    session_free(session->s);
    g_ptr_array_unref(session->tables);
    g_free(session);
}

void
api_end_sessions(struct instance *inst)
{
    for (guint i = sessions ? sessions->len : 0; i-- > 0;) {
        struct api_session *session = sessions->pdata[i];
        if (session->inst == inst)
            api_session_end(session);
    }
}

/**
 * JetEndSession: closes its tables and databases; an open transaction is rolled back.
 *
 * JET_errInvalidSesid, JET_errSessionSharingViolation (another thread uses it), the gate's.
 */
JET_ERR
JetEndSession(JET_SESID sesid, JET_GRBIT grbit)
{
    struct api_session *session;
    JET_ERR err = api_enter(sesid, &session);
    if (err < 0)
        return err;
    struct instance *inst = session->inst;
    api_session_end(session);
    instance_leave(inst);
    return JET_errSuccess;
}

/**
 * JetCloseTable. JET_errInvalidTableId, JET_errInvalidSesid. An update in preparation is dropped.
 */
JET_ERR
JetCloseTable(JET_SESID sesid, JET_TABLEID tableid)
{
    struct api_session *session;
    struct table *t;
    JET_ERR err = api_enter_table(sesid, tableid, &session, &t);
    if (err < 0)
        return err;
    struct api_table *entry = handle_get(HANDLE_TABLE, tableid);
    g_ptr_array_remove_fast(session->tables, entry);
    close_entry(entry);
    api_leave(session);
    return JET_errSuccess;
}

/* ---- text ---- */

size_t
api_wide_len(const uint16_t *wide)
{
    size_t n = 0;
    while (wide[n])
        n++;
    return n;
}

JET_ERR
api_from_wide(const uint16_t *wide, char **out)
{
    *out = NULL;
    if (!wide)
        return JET_errSuccess;
    *out = g_utf16_to_utf8(wide, -1, NULL, NULL, NULL);
    return *out ? JET_errSuccess : JET_errUnicodeTranslationFail;
}

JET_ERR
api_to_wide(const char *text, uint16_t *out, uint32_t cb)
{
    glong units = 0;
    g_autofree gunichar2 *wide = g_utf8_to_utf16(text, -1, NULL, &units, NULL);
    if (!wide)
        return JET_errUnicodeTranslationFail;
    if (((size_t)units + 1) * 2 > cb)
        return JET_errBufferTooSmall;
    memcpy(out, wide, ((size_t)units + 1) * 2);
    return JET_errSuccess;
}
