/* SPDX-License-Identifier: MIT */
/* lifecycle: JetInit and JetTerm of one instance; declared in instance/instance.h. */
#include <string.h>

#include "btree/btree.h"
#include "cache/cache.h"
#include "esentx.h"
#include "instance/instance.h"
#include "log/attach.h"
#include "log/logtime.h"
#include "log/record.h"
#include "log/stream.h"
#include "os/file.h"
#include "recovery/recovery.h"
#include "txn/session.h"

struct instance *
instance_new(struct params *params, const char *name, const char *display_name)
{
    struct instance *inst = g_new0(struct instance, 1);
    inst->params = params;
    inst->name = g_strdup(name ? name : "");
    inst->display_name = g_strdup(display_name && *display_name ? display_name : inst->name);
    inst->state = INSTANCE_CREATED;
    g_mutex_init(&inst->work);
    g_mutex_init(&inst->dbs_lock);
    g_mutex_init(&inst->state_lock);
    g_cond_init(&inst->state_changed);
    g_mutex_init(&inst->checkpoint_lock);
    g_cond_init(&inst->timer_wake);
    return inst;
}

void
instance_free(struct instance *inst)
{
    if (!inst)
        return;
    g_assert(inst->state == INSTANCE_CREATED);
    params_free(inst->params);
    g_free(inst->name);
    g_free(inst->display_name);
    g_mutex_clear(&inst->work);
    g_mutex_clear(&inst->dbs_lock);
    g_mutex_clear(&inst->state_lock);
    g_cond_clear(&inst->state_changed);
    g_mutex_clear(&inst->checkpoint_lock);
    g_cond_clear(&inst->timer_wake);
    g_free(inst);
}

static void
set_state(struct instance *inst, enum instance_state state)
{
    g_mutex_lock(&inst->state_lock);
    inst->state = state;
    g_cond_broadcast(&inst->state_changed);
    g_mutex_unlock(&inst->state_lock);
}

void
instance_fail(struct instance *inst, JET_ERR err)
{
    g_mutex_lock(&inst->state_lock);
    bool first = inst->unavailable == 0;
    if (first)
        inst->unavailable = err;
    g_mutex_unlock(&inst->state_lock);
    if (!first)
        return;
    log_abandon(inst->log, err);
    cache_abandon(inst->cache, err);
    g_autofree char *number = event_number(err);
    event_report(inst->events, EVENT_INSTANCE_STOP_ERROR, number, NULL);
}

static void
cache_failed(void *ctx, JET_ERR err)
{
    instance_fail(ctx, err);
}

/* ---- directories ---- */

static JET_ERR
prepare_dir(const struct instance *inst, uint32_t param, char **dir)
{
    const char *path = params_text(inst->params, param);
    g_autofree char *plain = g_canonicalize_filename(*path ? path : ".", NULL);
    if (!os_is_dir(plain)) {
        if (!params_number(inst->params, JET_paramCreatePathIfNotExist))
            return JET_errInvalidPath;
        JET_ERR err = os_dir_make(plain);
        if (err < 0)
            return err;
    }
    return os_path_full(plain, dir);
}

static JET_ERR
prepare_dirs(struct instance *inst)
{
    JET_ERR err = prepare_dir(inst, JET_paramSystemPath, &inst->system_dir);
    if (err >= 0)
        err = prepare_dir(inst, JET_paramLogFilePath, &inst->log_dir);
    if (err < 0)
        return err;
    err = os_dir_lock(inst->log_dir, &inst->lock);
    return err == JET_errFileAccessDenied ? JET_errLogFilePathInUse : err;
}

static void
release_dirs(struct instance *inst)
{
    os_file_close(g_steal_pointer(&inst->lock));
    g_clear_pointer(&inst->system_dir, g_free);
    g_clear_pointer(&inst->log_dir, g_free);
}

/* ---- init ---- */

void
instance_fill_dbms_param(const struct instance *inst, uint8_t out[DBMS_PARAM_BYTES])
{
    const struct params *p = inst->params;
    struct dbms_param param = {
        .flags = params_number(p, JET_paramCircularLog) ? 1 : 0,
        .sessions_max = (uint32_t)params_number(p, JET_paramMaxSessions),
        .open_tables_max = (uint32_t)params_number(p, JET_paramMaxOpenTables),
        .ver_pages_max = (uint32_t)params_number(p, JET_paramMaxVerPages),
        .cursors_max = (uint32_t)params_number(p, JET_paramMaxCursors),
        .log_buffers = (uint32_t)params_number(p, JET_paramLogBuffers),
        .csec_log_file = (uint32_t)params_number(p, JET_paramLogFileSize) / 4,
        .cache_size_max = (uint32_t)params_number(p, JET_paramCacheSizeMax),
    };
    g_strlcpy(param.system_path, inst->system_dir, sizeof(param.system_path));
    g_strlcpy(param.log_path, inst->log_dir, sizeof(param.log_path));
    dbms_param_encode(&param, out);
}

static struct log_config
log_config_of(struct instance *inst)
{
    const struct params *p = inst->params;
    uintptr_t legacy = params_number(p, JET_paramLegacyFileNames);
    struct log_config cfg = {
        .dir = inst->log_dir,
        .base = params_text(p, JET_paramBaseName),
        .ext = legacy & JET_bitESE98FileNames ? "log" : "jtx",
        .eight_dot_three = (legacy & JET_bitEightDotThreeSoftCompat) != 0,
        .circular = params_number(p, JET_paramCircularLog) != 0,
        .file_kib = (uint32_t)params_number(p, JET_paramLogFileSize),
        .buffer_bytes = (uint32_t)params_number(p, JET_paramLogBuffers) * 512,
        .page_bytes = (uint32_t)params_number(p, JET_paramDatabasePageSize),
        .attach_list = instance_attach_list,
        .ctx = inst,
    };
    instance_fill_dbms_param(inst, cfg.dbms_param);
    return cfg;
}

static void
report_recovery(void *ctx, int id, const char *const *inserts)
{
    struct instance *inst = ctx;
    event_report_list(inst->events, (enum event_id)id, inserts);
}

/* A LOGTIME is UTC or, without its bit, local. */
static int64_t
unix_ms(const JET_LOGTIME *t)
{
    uint64_t bytes;
    memcpy(&bytes, t, sizeof(bytes));
    if (t->fTimeIsUTC || bytes == 0)
        return logtime_to_unix_ms(bytes);
    g_autoptr(GDateTime) local = g_date_time_new_local(t->bYear + 1900, t->bMonth, t->bDay,
                                                       t->bHours, t->bMinutes, t->bSeconds);
    return local ? g_date_time_to_unix(local) * 1000 : 0;
}

/* Where recovery is to stop; zero: nowhere. A time behind all logs stops nothing either. */
static JET_ERR
find_stop(const struct recovery_params *params, const JET_RSTINFO_A *info, struct lgpos *stop)
{
    JET_LOGTIME none = {0};
    if (info->lgposStop.lGeneration != 0)
        *stop =
            (struct lgpos) {info->lgposStop.ib, info->lgposStop.isec, info->lgposStop.lGeneration};
    if (memcmp(&info->logtimeStop, &none, sizeof(none)) == 0)
        return JET_errSuccess;
    int64_t ms = unix_ms(&info->logtimeStop);
    if (ms == 0 || info->lgposStop.lGeneration != 0)
        return JET_errInvalidParameter;
    const struct recovery_logs_at at = {params->log.dir, params->log.base, params->log.ext, true};
    JET_ERR err = recovery_find_time(&at, 1, ms, stop);
    if (err == JET_errEndingRestoreLogTooLow)
        return JET_errRequiredLogFilesMissing;
    return err == JET_errMissingRestoreLogFiles ? JET_errSuccess : err;
}

static void
tell_progress(void *ctx, uint32_t done, uint32_t total)
{
    const struct instance *inst = ctx;
    JET_SNPROG progress = {sizeof(progress), done, total};
    (void)inst->recovery_status(JET_sesidNil, JET_snpRestore, JET_sntProgress, &progress);
}

static void
tell_status(const struct instance *inst, JET_SNT snt)
{
    JET_SNPROG all = {sizeof(all), 100, 100};
    if (inst->recovery_status)
        (void)inst->recovery_status(JET_sesidNil, JET_snpRestore, snt,
                                    snt == JET_sntComplete ? &all : NULL);
}

static JET_ERR
recover(struct instance *inst, const struct instance_init_options *options,
        struct recovery_result *result)
{
    const JET_RSTINFO_A *restore = options ? options->restore : NULL;
    size_t n = restore && restore->rgrstmap ? (size_t)restore->crstmap : 0;
    g_autofree struct recovery_map *map = g_new0(struct recovery_map, n + 1);
    for (size_t i = 0; i < n; i++)
        map[i] = (struct recovery_map) {.log_path = restore->rgrstmap[i].szDatabaseName,
                                        .file_path = restore->rgrstmap[i].szNewDatabaseName};
    struct recovery_params params = {
        .log = log_config_of(inst),
        .system_path = inst->system_dir,
        .cache_pages = (uint32_t)params_number(inst->params, JET_paramCacheSizeMax),
        .grbit = options ? options->grbit : 0,
        .map = n ? map : NULL,
        .n_map = n,
        .delete_out_of_range = params_number(inst->params, JET_paramDeleteOutOfRangeLogs) != 0,
        .progress = restore && restore->pfnStatus ? tell_progress : NULL,
        .event = report_recovery,
        .ctx = inst,
    };
    JET_ERR err = restore ? find_stop(&params, restore, &params.stop) : JET_errSuccess;
    if (err < 0)
        return err;
    inst->recovery_status = restore ? restore->pfnStatus : NULL;
    tell_status(inst, JET_sntBegin);
    err = recovery_soft(&params, result);
    if (err >= 0)
        tell_status(inst, JET_sntComplete);
    inst->recovery_status = NULL;
    return err;
}

static JET_ERR
start_pools(struct instance *inst)
{
    struct cache_config cache = {
        .page_bytes = (uint32_t)params_number(inst->params, JET_paramDatabasePageSize),
        .frames_max = (uint32_t)params_number(inst->params, JET_paramCacheSizeMax),
        .failed = cache_failed,
        .ctx = inst,
    };
    JET_ERR err = cache_new(&cache, &inst->cache);
    if (err < 0)
        return err;
    struct txn_config txn = {
        .log = inst->log,
        .ops = btree_txn_ops(),
        /* The application's, and those of ours: cleanup, create database. */
        .sessions_max = (uint32_t)params_number(inst->params, JET_paramMaxSessions) + 8,
    };
    return txn_new(&txn, &inst->txn);
}

static JET_ERR
log_init2(struct instance *inst)
{
    uint8_t dbms_param[DBMS_PARAM_BYTES];
    instance_fill_dbms_param(inst, dbms_param);
    struct lr lr = {.type = LR_INIT2,
                    .init = {span_of(dbms_param, sizeof(dbms_param)), logtime_now()}};
    struct lr_parts parts;
    lr_encode(&lr, &parts);
    JET_ERR err = log_append(inst->log, parts.iov, parts.n, &inst->init_lgpos);
    return err < 0 ? err : log_flush(inst->log, inst->init_lgpos);
}

static JET_ERR
start_logging(struct instance *inst, const struct recovery_result *result)
{
    struct log_config cfg = log_config_of(inst);
    JET_ERR err = result->fresh ? log_create(&cfg, &inst->log)
                                : log_continue(&cfg, &result->resume, &inst->log);
    if (err >= 0)
        err = start_pools(inst);
    if (err >= 0)
        err = log_init2(inst);
    if (err < 0)
        return err;
    inst->checkpoint = result->fresh ? (struct lgpos) {0, 1, 1} : result->checkpoint;
    log_set_checkpoint(inst->log, inst->checkpoint);
    return result->fresh ? instance_write_checkpoint(inst, inst->checkpoint, false) : err;
}

static void
drop_pools(struct instance *inst, bool flush)
{
    txn_free(g_steal_pointer(&inst->txn));
    cache_free(g_steal_pointer(&inst->cache));
    if (inst->log)
        (void)log_close(g_steal_pointer(&inst->log),
                        flush); /* its error was seen by flush before */
    release_dirs(inst);
    events_free(g_steal_pointer(&inst->events));
}

static struct events *
make_events(const struct instance *inst)
{
    return events_new(&(struct event_options) {
        .source = params_text(inst->params, JET_paramEventSource),
        .instance = inst->display_name,
        .file = params_text(inst->params, JET_paramJetxEventFile),
        .no_information = params_number(inst->params, JET_paramNoInformationEvent) != 0,
        .level = (uint32_t)params_number(inst->params, JET_paramEventLoggingLevel)});
}

JET_ERR
instance_init(struct instance *inst, const struct instance_init_options *options)
{
    g_mutex_lock(&inst->state_lock);
    bool created = inst->state == INSTANCE_CREATED;
    JET_ERR err = created                               ? JET_errSuccess
                  : inst->state == INSTANCE_STARTING    ? JET_errInitInProgress
                  : inst->state == INSTANCE_TERMINATING ? JET_errTermInProgress
                                                        : JET_errAlreadyInitialized;
    if (created)
        inst->state = INSTANCE_STARTING;
    g_mutex_unlock(&inst->state_lock);
    if (err < 0)
        return err;

    inst->unavailable = 0;
    inst->events = make_events(inst);
    struct recovery_result result = {.fresh = false};
    JET_ERR warning = JET_errSuccess;
    err = prepare_dirs(inst);
    if (err >= 0)
        warning = err = recover(inst, options, &result);
    if (err >= 0)
        err = start_logging(inst, &result);
    if (err < 0) {
        drop_pools(inst, false);
        set_state(inst, INSTANCE_CREATED);
        return err;
    }
    instance_timer_start(inst);
    event_report(inst->events, EVENT_INSTANCE_START, NULL);
    atomic_store(&inst->backup_allowed, true);
    set_state(inst, INSTANCE_RUNNING);
    return warning;
}

/* ---- term ---- */

static JET_ERR
append_shutdown_mark(struct instance *inst, struct lgpos *at)
{
    struct lr lr = {.type = LR_SHUTDOWN_MARK};
    struct lr_parts parts;
    lr_encode(&lr, &parts);
    JET_ERR err = log_append(inst->log, parts.iov, parts.n, at);
    return err < 0 ? err : log_flush(inst->log, *at);
}

static JET_ERR
append_term2(struct instance *inst, struct lgpos *at)
{
    struct lr lr = {.type = LR_TERM2,
                    .quit = {.start = inst->init_lgpos, .logtime = logtime_now()}};
    struct lr_parts parts;
    lr_encode(&lr, &parts);
    JET_ERR err = log_append(inst->log, parts.iov, parts.n, at);
    return err < 0 ? err : log_flush(inst->log, *at);
}

static JET_ERR
shut_down_clean(struct instance *inst)
{
    struct lgpos mark = LGPOS_MIN, end = LGPOS_MIN;
    JET_ERR err = txn_cleanup(inst->txn, 0, NULL);
    if (err >= 0)
        err = append_shutdown_mark(inst, &mark);
    if (err >= 0)
        err = instance_close_databases_clean(inst, mark);
    if (err >= 0)
        err = append_term2(inst, &end);
    if (err >= 0)
        err = instance_write_checkpoint(inst, end, true);
    return err;
}

/* Waits until nobody is inside; nobody can enter any more. */
static JET_ERR
close_gate(struct instance *inst, JET_GRBIT grbit)
{
    g_mutex_lock(&inst->state_lock);
    JET_ERR err = inst->state == INSTANCE_RUNNING       ? JET_errSuccess
                  : inst->state == INSTANCE_TERMINATING ? JET_errTermInProgress
                                                        : JET_errNotInitialized;
    JET_ERR busy = atomic_load(&inst->backup_error);
    const JET_GRBIT anyway = JET_bitTermDirty | JET_bitTermAbrupt | JET_bitTermStopBackup;
    if (err >= 0 && busy < 0 && !(grbit & anyway)) { /* else on_quiet ends the backup */
        err = busy;
        atomic_store(&inst->backup_allowed,
                     false); /* this one may end, none may follow, as in ESE */
    }
    if (err >= 0) {
        inst->state = INSTANCE_TERMINATING;
        while (inst->inside > 0)
            g_cond_wait(&inst->state_changed, &inst->state_lock);
    }
    g_mutex_unlock(&inst->state_lock);
    return err;
}

JET_ERR
instance_term(struct instance *inst, JET_GRBIT grbit, void (*on_quiet)(void *ctx), void *ctx)
{
    JET_ERR err = close_gate(inst, grbit);
    if (err < 0)
        return err;
    atomic_store(&inst->backup_allowed, false);
    instance_timer_stop(inst);
    if (on_quiet)
        on_quiet(ctx);

    g_mutex_lock(&inst->work);
    bool failed = inst->unavailable < 0;
    bool dirty = failed || (grbit & JET_bitTermDirty) != 0;
    err = dirty ? JET_errDirtyShutdown : shut_down_clean(inst);
    if (err < 0 && !failed)
        cache_abandon(inst->cache, err); /* nothing is written any more */
    instance_drop_databases(inst);
    g_autofree char *number = err < 0 ? event_number(err) : NULL;
    event_report(inst->events, err < 0 ? EVENT_INSTANCE_STOP_ERROR : EVENT_INSTANCE_STOP, number,
                 NULL);
    drop_pools(inst, err >= 0);
    g_mutex_unlock(&inst->work);

    g_mutex_lock(&inst->state_lock);
    inst->service_stopped = false;
    inst->state = INSTANCE_CREATED;
    g_mutex_unlock(&inst->state_lock);
    return err;
}
