/* SPDX-License-Identifier: MIT */
/*
 * context_outside: sessions whose files are copied past the engine: a surrogate backup (another
 * program, or a replica of this database, is what gets copied) and an OS snapshot (a disk, or a
 * file system, is). The engine knows that one runs, refuses what would disturb it, and stamps the
 * headers at its end. Calls about files answer JET_errNoBackup meanwhile.
 */
#include "backup/context_state.h"
#include "log/stream.h"
#include "os/file.h"

/* ---- surrogate ---- */

JET_ERR
context_begin_surrogate(struct instance *inst, uint32_t gen_first, uint32_t gen_last,
                        JET_GRBIT grbit)
{
    struct context *c;
    if (!atomic_load(&inst->backup_allowed))
        return JET_errBackupNotAllowedYet;
    if (gen_first > gen_last || (uint32_t)log_gen(inst->log) < gen_last)
        return JET_errInvalidParameter;
    JET_ERR err = context_check_begin(inst, grbit | JET_bitBackupSurrogate,
                                      JET_bitBackupIncremental | JET_bitBackupSurrogate);
    if (err >= 0)
        err = context_enter_session(inst, JET_errSurrogateBackupInProgress, &c);
    if (err < 0)
        return err;
    c->state = BACKUP_SURROGATE;
    c->incremental = (grbit & JET_bitBackupIncremental) != 0;
    const bool full = context_is_full(c);
    err = context_begin_marks(c);
    c->begin.gen_low = gen_first;
    c->begin.gen_high = gen_last;
    if (err < 0)
        context_reset(c);
    g_mutex_unlock(&inst->work);
    if (err >= 0) {
        context_status_begin(c, "surrogate");
        event_report(inst->events, full ? EVENT_FULL_BACKUP_START : EVENT_INCREMENTAL_BACKUP_START,
                     NULL);
    }
    context_unlock(c);
    return err;
}

/* ---- OS snapshot ---- */

/* Which logs it needs, and which may go when it is done. The checkpoint cannot move meanwhile. */
static JET_ERR
choose_logs(struct context *c)
{
    JET_ERR err = context_begin_marks(c);
    if (err >= 0 && c->incremental)
        err = context_check_no_hole(c);
    if (err < 0)
        return err;
    uint32_t checkpoint = (uint32_t)instance_checkpoint_lgpos(c->inst).gen;
    if (c->incremental)
        c->begin.gen_low = c->delete_mic;
    c->delete_mac = c->incremental ? checkpoint : MIN(checkpoint, c->begin.gen_low);
    return JET_errSuccess;
}

JET_ERR
context_begin_snapshot(struct instance *inst, bool incremental, bool copy)
{
    struct context *c;
    struct instance_freeze freeze;
    const bool circular = params_number(inst->params, JET_paramCircularLog) != 0;
    JET_ERR err = context_check_begin(inst, incremental ? JET_bitBackupIncremental : 0,
                                      JET_bitBackupIncremental);
    if (err >= 0)
        err = context_enter_session(inst, JET_errBackupInProgress, &c);
    if (err < 0)
        return err;
    c->state = BACKUP_SNAPSHOT;
    c->incremental = incremental;
    c->truncated = !copy;
    err = choose_logs(c);
    if (err >= 0)
        err = instance_freeze(inst, !circular, &freeze);
    if (err >= 0) {
        c->begin.gen_high = (uint32_t)freeze.gen_current - (circular ? 0 : 1);
        context_status_begin(c, "snapshot");
        context_status_freeze(c, freeze.end, c->begin.gen_high);
    } else {
        context_reset(c);
    }
    g_mutex_unlock(&inst->work);
    context_unlock(c);
    return err;
}

void
context_end_snapshot(struct instance *inst, JET_ERR outcome)
{
    struct context *c = inst->backup;
    g_mutex_lock(&c->lock);
    g_assert(c->state == BACKUP_SNAPSHOT);
    context_finish(c, outcome, 0);
    context_unlock(c);
}

/* The oldest log that is really there: somebody may have deleted some. */
static uint32_t
lowest_on_disk(struct context *c, uint32_t limit)
{
    uint32_t gen = (uint32_t)log_oldest_gen(c->inst->log);
    for (; gen <= limit; gen++) {
        g_autofree char *path = log_gen_path(c->inst->log, (int32_t)gen);
        uint64_t bytes;
        if (os_file_size_at(path, &bytes) != JET_errFileNotFound)
            break;
    }
    return gen;
}

JET_ERR
context_truncate_snapshot(struct instance *inst, bool all_databases)
{
    struct context *c = inst->backup;
    JET_ERR err = JET_errSuccess;
    g_mutex_lock(&c->lock);
    g_assert(c->state == BACKUP_SNAPSHOT);
    c->delete_mic = lowest_on_disk(c, c->delete_mac);
    bool wanted = all_databases && !params_number(inst->params, JET_paramCircularLog);
    if (wanted && c->delete_mic > c->delete_mac) {
        err = JET_errRequiredLogFilesMissing;
    } else if (!wanted || c->delete_mic == c->delete_mac) {
        event_report(inst->events, EVENT_BACKUP_NO_TRUNCATE, NULL);
    } else {
        (void)stamp_record(c, PHASE_TRUNCATE, 0, &c->begin, NULL);
        err = context_truncate_range(c);
    }
    context_unlock(c);
    return err;
}
