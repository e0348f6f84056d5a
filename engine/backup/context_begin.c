/* SPDX-License-Identifier: MIT */
/*
 * context_begin: how a session of each kind begins: what is checked, in the order of the backup API
 * (1.6), the marks, and the freeze.
 */
#include <string.h>
#include <unistd.h>

#include "backup/context_state.h"
#include "cache/cache.h"
#include "cache/dbfile.h"
#include "log/checkpoint.h"
#include "log/logtime.h"
#include "log/names.h"
#include "log/stream.h"

JET_ERR
context_check_begin(struct instance *inst, JET_GRBIT grbit, JET_GRBIT allowed)
{
    if (!atomic_load(&inst->backup_allowed))
        return JET_errBackupNotAllowedYet;
    if (g_ascii_strcasecmp(params_text(inst->params, JET_paramRecovery), "off") == 0)
        return JET_errLoggingDisabled;
    JET_ERR log_err = log_check_state(inst->log);
    if (log_err < 0 && log_err != JET_errLogDiskFull && log_err != JET_errLogSequenceEnd)
        return log_err;
    if (grbit & ~allowed)
        return JET_errInvalidGrbit;
    if (grbit & (JET_bitBackupIncremental | JET_bitBackupSurrogate) &&
        params_number(inst->params, JET_paramCircularLog))
        return JET_errInvalidBackup;
    return log_err;
}

/* Each database must have had a full backup of this kind: streamed, or copied by others. */
static JET_ERR
check_incremental(struct context *c)
{
    const uint32_t type = context_is_outside(c) ? BACKUP_TYPE_OS_SNAPSHOT : BACKUP_TYPE_STREAMING;
    struct backup_file_list list;
    context_list_databases(c->inst, &list);
    for (size_t i = 0; i < list.n; i++) {
        struct dbheader header;
        dbfile_header(list.files[i], &header);
        struct bkinfo full = bkinfo_get(&header.bytes[DBH_BK_FULL_PREV]);
        if (full.gen_low == 0 || dbheader_u32(&header, DBH_BK_FULL_TYPE) != type) {
            event_report(c->inst->events, EVENT_MISSING_FULL_BACKUP, list.paths[i], NULL);
            return JET_errMissingFullBackup;
        }
    }
    return JET_errSuccess;
}

/* Oldest generation that the copy will need: that of the checkpoint file, or older if a header says
 * so. */
static JET_ERR
first_generation(struct context *c, uint32_t *gen)
{
    struct instance *inst = c->inst;
    const char *ext = params_number(inst->params, JET_paramLegacyFileNames) & JET_bitESE98FileNames
                          ? "log"
                          : "jtx";
    g_autofree char *name = log_name_checkpoint(params_text(inst->params, JET_paramBaseName), ext);
    g_autofree char *path = g_build_filename(inst->system_dir, name, NULL);
    g_autofree struct checkpoint *cp = g_new0(struct checkpoint, 1);
    JET_ERR err = checkpoint_read(path, log_signature(inst->log), cp);
    if (err < 0)
        return err;
    *gen = (uint32_t)MAX(cp->checkpoint.gen, 1);
    struct backup_file_list list;
    context_list_databases(inst, &list);
    for (size_t i = 0; i < list.n; i++) {
        struct dbheader header;
        dbfile_header(list.files[i], &header);
        uint32_t min = dbheader_u32(&header, DBH_GEN_MIN_REQUIRED);
        if (min > 0)
            *gen = MIN(*gen, min);
    }
    return JET_errSuccess;
}

/* Common to all kinds, with the instance's work lock: nobody attaches, detaches or creates. */
JET_ERR
context_begin_marks(struct context *c)
{
    const bool full = context_is_full(c);
    JET_ERR err = JET_errSuccess;
    c->begin = (struct bkinfo) {.mark = log_tip(c->inst->log), .time = logtime_now()};
    if (full)
        err = first_generation(c, &c->begin.gen_low);
    else
        err = check_incremental(c);
    if (err < 0)
        return err;
    c->copy_mic = c->begin.gen_low;
    int32_t pin = full ? (int32_t)c->copy_mic : log_oldest_gen(c->inst->log);
    err = log_pin(c->inst->log, pin, &c->pin);
    if (err >= 0)
        (void)stamp_record(c, PHASE_BEGIN, 0, &c->begin, NULL);
    return err;
}

JET_ERR
context_enter_session(struct instance *inst, JET_ERR busy, struct context **out)
{
    struct context *c = context_get(inst);
    g_mutex_lock(&c->lock);
    if (c->state != BACKUP_NONE) {
        JET_ERR err = atomic_load(&inst->backup_error);
        g_mutex_unlock(&c->lock);
        return err;
    }
    atomic_store(&c->stopped, false);
    atomic_store(&c->died, JET_errSuccess);
    atomic_store(&c->died_limit, 0);
    g_mutex_lock(&inst->work);
    atomic_store(&inst->backup_error, busy);
    *out = c;
    return JET_errSuccess;
}

JET_ERR
context_begin(struct instance *inst, JET_GRBIT grbit)
{
    struct context *c;
    bool full = !(grbit & JET_bitBackupIncremental);
    JET_ERR err = context_check_begin(inst, grbit, JET_bitBackupIncremental);
    if (err >= 0)
        err = context_enter_session(inst, JET_errBackupInProgress, &c);
    if (err < 0)
        return err;
    c->incremental = !full;
    c->state = full ? BACKUP_DATABASES : BACKUP_INCREMENTAL;
    err = context_begin_marks(c);
    if (err < 0)
        context_reset(c);
    g_mutex_unlock(&inst->work);
    if (err >= 0) {
        context_status_begin(c, full ? "databases" : "logs");
        event_report(inst->events, full ? EVENT_FULL_BACKUP_START : EVENT_INCREMENTAL_BACKUP_START,
                     NULL);
    }
    context_unlock(c);
    return err;
}

/* What is written and synced now need be neither put aside nor copied as log: fewer logs to serve.
 */
static JET_ERR
settle(struct instance *inst)
{
    struct backup_file_list list;
    JET_ERR err = JET_errSuccess;
    context_list_databases(inst, &list);
    for (size_t i = 0; err >= 0 && i < list.n; i++)
        err = cache_flush(list.files[i]);
    return err < 0 ? err : instance_checkpoint(inst, true);
}

/* Somebody may have deleted a log that nobody but us had a use for. */
static JET_ERR
check_logs_are_there(struct context *c, uint32_t gen_low)
{
    for (int32_t gen = (int32_t)gen_low; gen < log_gen(c->inst->log); gen++) {
        g_autofree char *path = log_gen_path(c->inst->log, gen);
        if (access(path, F_OK) == 0)
            continue;
        event_report(c->inst->events, EVENT_BACKUP_LOG_MISSING, path, NULL);
        return JET_errMissingFileToBackup;
    }
    return JET_errSuccess;
}

/* An incremental session serves every log that is there; the mark is that of its PrepareLogs. */
static JET_ERR
choose_logs(struct context *c, struct bkinfo *mark)
{
    JET_ERR err = JET_errSuccess;
    *mark = c->begin;
    if (!context_is_full(c)) {
        err = context_check_no_hole(c);
        mark->gen_low = c->copy_mic = c->delete_mic;
    }
    if (err >= 0)
        err = check_logs_are_there(c, mark->gen_low);
    if (err >= 0 && !context_is_full(c)) {
        err = stamp_record(c, PHASE_PREPARE_LOGS, 0, &c->begin, &mark->mark);
        mark->time = logtime_now();
    }
    return err;
}

static JET_ERR
freeze(struct context *c)
{
    struct instance *inst = c->inst;
    struct backup_file_list list;
    struct frozen *frozen = NULL;
    struct bkinfo mark;
    JET_ERR err = choose_logs(c, &mark);
    if (err < 0)
        return err;
    context_list_databases(inst, &list);
    struct frozen_params params = {
        .cache = inst->cache,
        .log = inst->log,
        .files = list.files,
        .n_files = context_is_full(c) ? list.n : 0,
        .mark = mark,
        .incremental = c->incremental,
        .preimage_dir = params_text(inst->params, JET_paramJetxPreimagePath),
        .limits = context_limits(inst),
        .instance = inst->name,
        .died = context_note_death,
        .warned = context_note_warning,
        .ctx = c,
    };
    context_commits_begin(c);
    err = frozen_begin(&params, &frozen);
    if (err < 0)
        return err;
    for (size_t i = 0; i < list.n; i++)
        c->dbs[list.dbids[i]].done = true; /* who ends it well has read all that it needs */
    g_mutex_lock(&c->handles_lock);
    c->frozen = frozen;
    g_mutex_unlock(&c->handles_lock);
    struct bkinfo bk = frozen_bkinfo(frozen);
    c->copy_mac = bk.gen_high + 1;
    return JET_errSuccess;
}

JET_ERR
context_begin_frozen(struct instance *inst, JET_GRBIT grbit)
{
    struct context *c;
    bool full = !(grbit & JET_bitBackupIncremental);
    JET_ERR err = context_check_begin(inst, grbit, JET_bitBackupIncremental);
    if (err >= 0)
        err = context_enter_session(inst, JET_errBackupInProgress, &c);
    if (err < 0)
        return err;
    c->incremental = !full;
    err = settle(inst);
    if (err >= 0)
        err = context_begin_marks(c);
    if (err >= 0)
        context_status_begin(c, "frozen");
    if (err >= 0)
        err = freeze(c);
    if (err >= 0) {
        c->state = BACKUP_FROZEN;
        log_unpin(inst->log, g_steal_pointer(&c->pin)); /* the frozen session has its own */
        event_report(inst->events, full ? EVENT_FULL_BACKUP_START : EVENT_INCREMENTAL_BACKUP_START,
                     NULL);
    } else {
        context_reset(c);
        context_status_end(c, err);
    }
    g_mutex_unlock(&inst->work);
    context_unlock(c);
    return err;
}
