/* SPDX-License-Identifier: MIT */
#include "backup/context.h"

#include <string.h>
#include <unistd.h>

#include "backup/context_state.h"
#include "log/stream.h"

/* Guards inst->backup against calls that pass no gate. */
static GMutex contexts_lock;

void
context_assert_state(const struct context *c)
{
    bool logs = c->state == BACKUP_LOGS || c->state == BACKUP_INC_LOGS;
    g_assert((c->state == BACKUP_FROZEN) == (c->frozen != NULL));
    g_assert(logs == (c->logs_ready && c->state != BACKUP_FROZEN));
    g_assert(!c->plain.open || (c->state != BACKUP_NONE && c->state != BACKUP_FROZEN));
    g_assert(!c->plain.open || c->plain.is_log == (c->state != BACKUP_DATABASES));
    g_assert(!logs || c->copy_mac > 0);
    g_assert(c->state == BACKUP_FROZEN || c->state == BACKUP_NONE || context_is_outside(c) ||
             c->incremental == (c->state == BACKUP_INCREMENTAL || c->state == BACKUP_INC_LOGS));
    g_assert(!context_is_outside(c) || !c->plain.open);
    g_assert(c->state != BACKUP_NONE || (!c->pin && !c->plain.open));
    g_assert((c->state != BACKUP_NONE) == (atomic_load(&c->inst->backup_error) < 0));
}

bool
context_is_full(const struct context *c)
{
    return !c->incremental;
}

/* ---- the context of an instance ---- */

static void
handle_unref(struct frozen_handle *handle)
{
    if (!handle || !g_atomic_int_dec_and_test(&handle->refs))
        return;
    frozen_reader_free(handle->reader);
    g_free(handle);
}

struct context *
context_get(struct instance *inst)
{
    g_mutex_lock(&contexts_lock);
    struct context *c = inst->backup;
    if (!c) {
        c = g_new0(struct context, 1);
        c->inst = inst;
        c->handles = g_ptr_array_new();
        g_mutex_init(&c->lock);
        g_mutex_init(&c->handles_lock);
        g_strlcpy(c->status.szState, "none", sizeof c->status.szState);
        inst->backup = c;
    }
    g_mutex_unlock(&contexts_lock);
    return c;
}

static void
context_free(struct context *c)
{
    if (!c)
        return;
    g_ptr_array_free(c->handles, TRUE);
    g_mutex_clear(&c->lock);
    g_mutex_clear(&c->handles_lock);
    g_free(c);
}

JET_ERR
context_lock_running(struct instance *inst, struct context **out)
{
    struct context *c = context_get(inst);
    g_mutex_lock(&c->lock);
    context_assert_state(c);
    if (c->state == BACKUP_NONE || context_is_outside(c)) {
        g_mutex_unlock(&c->lock);
        return JET_errNoBackup;
    }
    *out = c;
    return JET_errSuccess;
}

JET_ERR
context_lock_live(struct instance *inst, struct context **out)
{
    JET_ERR err = context_lock_running(inst, out);
    if (err < 0)
        return err;
    if (atomic_load(&(*out)->stopped)) {
        context_unlock(*out);
        return JET_errBackupAbortByServer;
    }
    return JET_errSuccess;
}

JET_ERR
context_lock_frozen(struct instance *inst, struct context **out)
{
    JET_ERR err = context_lock_live(inst, out);
    if (err < 0)
        return err;
    err = (*out)->state == BACKUP_FROZEN ? frozen_error((*out)->frozen)
                                         : JET_errInvalidBackupSequence;
    if (err < 0)
        context_unlock(*out);
    return err;
}

void
context_unlock(struct context *c)
{
    context_assert_state(c);
    g_mutex_unlock(&c->lock);
}

static void
list_one(struct instance_db *db, void *ctx)
{
    struct backup_file_list *list = ctx;
    if (db->readonly || !db->file || lgpos_is_zero(db->attach))
        return;
    list->files[list->n] = db->file;
    list->dbids[list->n] = db->dbid;
    list->paths[list->n++] = db->path;
}

void
context_list_databases(struct instance *inst, struct backup_file_list *list)
{
    memset(list, 0, sizeof *list);
    instance_each_db(inst, list_one, list);
}

/* ---- status ---- */

static uint64_t
packed(struct lgpos pos)
{
    return (uint64_t)(uint32_t)pos.gen << 32 | (uint64_t)pos.isec << 16 | pos.ib;
}

void
context_set_state_name(struct context *c, const char *name)
{
    g_mutex_lock(&c->handles_lock);
    g_strlcpy(c->status.szState, name, sizeof c->status.szState);
    g_mutex_unlock(&c->handles_lock);
}

void
context_status_begin(struct context *c, const char *state)
{
    const char *program = g_get_prgname();
    JETX_BACKUPSTATUS s = {.cbStruct = sizeof s, .pid = (uint32_t)getpid()};
    s.pidHolder = s.pid;
    g_strlcpy(s.szHolderProgram, program ? program : "", sizeof s.szHolderProgram);
    g_strlcpy(s.szInstance, c->inst->name, sizeof s.szInstance);
    g_strlcpy(s.szState, state, sizeof s.szState);
    s.lgposBegin = packed(c->begin.mark);
    s.genLow = c->begin.gen_low;
    memcpy(&s.signLog, log_signature(c->inst->log), sizeof s.signLog);
    s.timeBegin = (uint64_t)(g_get_real_time() / G_USEC_PER_SEC);
    g_mutex_lock(&c->handles_lock);
    c->status = s;
    g_mutex_unlock(&c->handles_lock);
}

void
context_status_freeze(struct context *c, struct lgpos at, uint32_t gen_high)
{
    g_mutex_lock(&c->handles_lock);
    c->status.lgposFreeze = packed(at);
    c->status.genHigh = gen_high;
    g_mutex_unlock(&c->handles_lock);
}

/* Takes over what the frozen session counts. Needs handles_lock. */
static void
status_refresh(struct context *c)
{
    struct frozen_stats stats;
    if (!c->frozen)
        return;
    frozen_get_stats(c->frozen, &stats);
    c->status.lgposFreeze = packed(stats.freeze);
    c->status.genLow = stats.gen_low;
    c->status.genHigh = stats.gen_high;
    c->status.usFreeze = stats.freeze_us;
    c->status.cbPreimage = stats.preimage_bytes;
    c->status.cPagePreimage = stats.preimage_pages;
    c->status.cbPinnedLog = stats.pinned_log_bytes;
    c->status.errSession = frozen_error(c->frozen);
    context_refresh_limits(c, &stats);
}

void
context_status_end(struct context *c, JET_ERR outcome)
{
    g_mutex_lock(&c->handles_lock);
    status_refresh(c);
    g_strlcpy(c->status.szState, outcome < 0 ? "aborted" : "ended", sizeof c->status.szState);
    c->status.errSession = outcome;
    c->status.timeEnd = (uint64_t)(g_get_real_time() / G_USEC_PER_SEC);
    c->status.cbPinnedLog = 0;
    context_commits_end(c);
    g_mutex_unlock(&c->handles_lock);
}

JET_ERR
context_status(struct instance *inst, JETX_BACKUPSTATUS *status)
{
    uint32_t cb = status->cbStruct;
    if (cb < sizeof(uint32_t))
        return JET_errInvalidParameter;
    JETX_BACKUPSTATUS now = {.cbStruct = cb};
    g_mutex_lock(&contexts_lock);
    struct context *c = inst->backup;
    if (c) {
        g_mutex_lock(&c->handles_lock);
        status_refresh(c);
        now = c->status;
        g_mutex_unlock(&c->handles_lock);
    }
    g_mutex_unlock(&contexts_lock);
    if (!c)
        g_strlcpy(now.szState, "none", sizeof now.szState);
    now.cbStruct = cb;
    memcpy(status, &now, MIN(cb, sizeof now));
    return JET_errSuccess;
}

void
context_reset(struct context *c)
{
    context_close_plain(c);
    if (c->pin)
        log_unpin(c->inst->log, g_steal_pointer(&c->pin));
    c->state = BACKUP_NONE;
    c->incremental = c->truncated = c->logs_ready = false;
    c->copy_mic = c->copy_mac = c->delete_mic = c->delete_mac = 0;
    c->copied = 0;
    memset(c->dbs, 0, sizeof c->dbs);
    atomic_store(&c->stopped, false);
    atomic_store(&c->inst->backup_error, JET_errSuccess);
}

/* ---- end ---- */

static void
drop_frozen(struct context *c, JET_ERR outcome)
{
    g_mutex_lock(&c->handles_lock);
    struct frozen *frozen = g_steal_pointer(&c->frozen);
    for (guint i = 0; i < c->handles->len; i++)
        handle_unref(c->handles->pdata[i]);
    g_ptr_array_set_size(c->handles, 0);
    g_mutex_unlock(&c->handles_lock);
    frozen_end(frozen, outcome);
}

static void
report_end(struct context *c, JET_ERR outcome)
{
    struct events *events = c->inst->events;
    if (outcome >= 0) {
        event_report(events, EVENT_BACKUP_STOP, NULL);
    } else if (outcome == JET_errBackupAbortByCaller) {
        event_report(events, EVENT_BACKUP_STOP_BY_CALLER, NULL);
    } else if (outcome == JET_errBackupAbortByServer) {
        g_autofree char *why = context_death_text(c);
        event_report(events, EVENT_BACKUP_STOP_BY_SERVER, why, NULL);
    } else {
        g_autofree char *number = event_number(outcome);
        event_report(events, EVENT_BACKUP_STOP_ERROR, number, NULL);
    }
}

void
context_finish(struct context *c, JET_ERR outcome, JET_GRBIT grbit)
{
    bool truncated = c->truncated || (grbit & JET_bitBackupTruncateDone);
    context_close_plain(c);
    if (outcome >= 0 && !(grbit & JET_bitBackupNoDbHeaderUpdate))
        stamp_databases(c, truncated);
    else if (outcome < 0)
        (void)stamp_record(c, PHASE_ABORT, 0, &c->begin, NULL);
    (void)stamp_record(c, PHASE_STOP, 0, &c->begin, NULL);
    context_status_end(c, outcome);
    /* Who still reads was not told of another backup: its own was taken away. */
    drop_frozen(c, outcome == JET_errBackupInProgress ? JET_errBackupAbortByCaller : outcome);
    if (c->state != BACKUP_SNAPSHOT) /* its events are its own */
        report_end(c, outcome);
    context_reset(c);
}

static JET_ERR
outcome_of(struct context *c, JET_GRBIT grbit, bool surrogate)
{
    if (surrogate != (c->state == BACKUP_SURROGATE))
        return atomic_load(&c->inst->backup_error); /* ended by the call for the other kind */
    if (grbit & JET_bitBackupEndAbort)
        return JET_errBackupAbortByCaller;
    if (atomic_load(&c->stopped))
        return JET_errBackupAbortByServer;
    if (c->state == BACKUP_FROZEN)
        return frozen_error(c->frozen);
    return c->state == BACKUP_DATABASES ? JET_errBackupAbortByCaller : JET_errSuccess;
}

/* A session that context_end or context_end_surrogate may end, locked. */
static JET_ERR
lock_to_end(struct instance *inst, struct context **out)
{
    struct context *c = context_get(inst);
    g_mutex_lock(&c->lock);
    if (c->state == BACKUP_NONE || c->state == BACKUP_SNAPSHOT) {
        atomic_store(&c->stopped, false);
        g_mutex_unlock(&c->lock);
        return JET_errNoBackup;
    }
    *out = c;
    return JET_errSuccess;
}

static JET_ERR
end(struct instance *inst, JET_GRBIT grbit, bool surrogate)
{
    struct context *c;
    JET_GRBIT how = grbit & (JET_bitBackupEndNormal | JET_bitBackupEndAbort);
    if (how != JET_bitBackupEndNormal && how != JET_bitBackupEndAbort)
        return JET_errInvalidParameter;
    JET_ERR err = lock_to_end(inst, &c);
    if (err < 0)
        return err;
    JET_ERR outcome = outcome_of(c, grbit, surrogate);
    bool ours = surrogate == (c->state == BACKUP_SURROGATE);
    context_finish(c, outcome, grbit);
    context_unlock(c);
    return surrogate && !ours ? JET_errSuccess : outcome;
}

JET_ERR
context_end(struct instance *inst, JET_GRBIT grbit)
{
    return end(inst, grbit, false);
}

JET_ERR
context_end_surrogate(struct instance *inst, JET_GRBIT grbit)
{
    return end(inst, grbit, true);
}

void
context_stop(struct instance *inst)
{
    g_mutex_lock(&contexts_lock);
    struct context *c = inst->backup;
    if (c) {
        atomic_store(&c->stopped, true);
        g_mutex_lock(&c->handles_lock);
        if (c->frozen)
            frozen_kill(c->frozen, JET_errBackupAbortByServer);
        g_mutex_unlock(&c->handles_lock);
    }
    g_mutex_unlock(&contexts_lock);
}

void
context_term(struct instance *inst, bool silent)
{
    g_mutex_lock(&contexts_lock);
    struct context *c = g_steal_pointer(&inst->backup);
    g_mutex_unlock(&contexts_lock);
    if (!c)
        return;
    if (c->state != BACKUP_NONE && silent) {
        drop_frozen(c, JET_errBackupAbortByServer);
        context_reset(c);
    } else if (c->state != BACKUP_NONE) {
        context_finish(c,
                       c->state == BACKUP_SURROGATE ? JET_errSurrogateBackupInProgress
                                                    : JET_errBackupAbortByServer,
                       0);
    }
    context_free(c);
}
