/* SPDX-License-Identifier: MIT */
/*
 * api: what the Jet entry points share: from handles to objects, through the gate and back.
 *
 * An entry point checks its arguments, enters (handle and gate under one lock, so that JetTerm
 * cannot pull the object away in between), calls the layer below, leaves. A session serves one
 * thread at a time: a second one gets JET_errSessionSharingViolation instead of a race.
 *
 * Locks: the handles' lock (shared to look up and enter, exclusive to drop handles) comes first.
 */
#pragma once

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "esent.h"
#include "instance/instance.h"

struct session;
struct table;

/* A JET_SESID. */
struct api_session {
    uintptr_t handle;
    struct instance *inst;
    struct session *s;
    GPtrArray *tables; /* of struct api_table */
    uint32_t opens[INSTANCE_DBS + 1];
    atomic_bool busy;
};

/* A JET_TABLEID. */
struct api_table {
    uintptr_t handle;
    struct api_session *owner;
    struct table *t;
};

/* ---- instances ---- */

/* registry_find and the gate. Undo with api_leave_instance. */
JET_ERR api_enter_instance(JET_INSTANCE handle, struct instance **out);
JET_ERR api_enter_legacy(struct instance **out);
void api_leave_instance(struct instance *inst);

/* Calls fn for each instance that runs now, inside its gate. */
void api_each_running(void (*fn)(void *ctx, struct instance *inst), void *ctx);

/* Where a call wants its array of JET_INSTANCE_INFO; JetFreeBuffer gives it back. */
struct api_instance_info {
    uint32_t *count;
    void **out; /* NULL for no instance */
    bool wide;
};

/* Fits snapshot_describe: ctx is a struct api_instance_info. JET_errOutOfMemory. */
JET_ERR api_describe_instances(void *ctx, struct instance *const *insts, size_t n);

/* ---- sessions and tables ---- */

/* JET_errInvalidSesid, JET_errSessionSharingViolation; the gate's. Undo with api_leave. */
JET_ERR api_enter(JET_SESID sesid, struct api_session **out);

/* And JET_errInvalidTableId: no such table, or not of this session. */
JET_ERR api_enter_table(JET_SESID sesid, JET_TABLEID tableid, struct api_session **session,
                        struct table **table);
void api_leave(struct api_session *session);

/* A new table handle of the session. JET_errOutOfMemory: too many handles; the table is then
 * closed. */
JET_ERR api_table_add(struct api_session *session, struct table *t, JET_TABLEID *tableid);

/* Closes all that a session has and drops it. rollback: open transactions are taken back. */
void api_session_end(struct api_session *session);

/* Ends all sessions of an instance; nobody is inside it. */
void api_end_sessions(struct instance *inst);

/* The catalog of an open database of this session. JET_errInvalidDatabaseId. */
JET_ERR api_db(struct api_session *session, JET_DBID dbid, struct instance_db **db);

/* ---- text ---- */

/* UTF-16 to UTF-8. JET_errUnicodeTranslationFail. *out NULL for NULL. g_free. */
JET_ERR api_from_wide(const uint16_t *wide, char **out);
size_t api_wide_len(const uint16_t *wide); /* units before the NUL */

/* UTF-8 into a caller's UTF-16 buffer of cb bytes, with its NUL. JET_errBufferTooSmall. */
JET_ERR api_to_wide(const char *text, uint16_t *out, uint32_t cb);
