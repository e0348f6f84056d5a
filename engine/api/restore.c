/* SPDX-License-Identifier: MIT */
/* restore: JetExternalRestore, and our own verify and restore of a copied directory. */
#include <stddef.h>
#include <string.h>

#include "api/api.h"
#include "backup/restore.h"
#include "backup/verify.h"
#include "base/error.h"
#include "esentx.h"
#include "instance/registry.h"
#include "log/stream.h"

#define REASON_BYTES sizeof(((JETX_RESTOREREPORT *)NULL)->szReasonFirst)

/* The first thing that went wrong says most. */
static void
hear(void *ctx, enum event_id id, enum event_type type, const char *text)
{
    char *reason = ctx;
    (void)id;
    if (type != EVENT_INFORMATION && reason[0] == '\0')
        g_strlcpy(reason, text, REASON_BYTES);
}

/* Events of a restore come from an instance of its own, as ESE names it. */
static struct events *
restore_events(char *reason)
{
    registry_lock();
    const struct params *params = registry_defaults();
    struct events *events = events_new(&(struct event_options) {
        .source = params_text(params, JET_paramEventSource),
        .instance = "Restore0001",
        .file = params_text(params, JET_paramJetxEventFile),
        .no_information = params_number(params, JET_paramNoInformationEvent) != 0,
        .level = (uint32_t)params_number(params, JET_paramEventLoggingLevel),
        .hear = reason != NULL ? hear : NULL,
        .hear_ctx = reason});
    registry_unlock();
    return events;
}

/* Its log is rolled, so that all that is durable now lies in closed logs, up to *gen. With circular
 * logging there is no chain to go on: 0. The gate's errors. */
static JET_ERR
close_log(struct instance *inst, int32_t *gen)
{
    JET_ERR err = instance_enter(inst);
    if (err < 0)
        return err;
    if (params_number(inst->params, JET_paramCircularLog) == 0)
        err = log_roll(inst->log, gen);
    instance_leave(inst);
    return err;
}

struct target {
    const char *name;
    const char *log_path;
    const char *checkpoint_path;
    bool running;  /* found: it runs, so that its logs are its own affair */
    char *log_dir; /* ... but may be read, up to gen; NULL = circular */
    int32_t gen;
};

/*
 * The target instance of JetExternalRestore2. JET_errBadRestoreTargetInstance: no instance of that
 * name, or of another base name; the gate's errors.
 */
static JET_ERR
find_target(struct target *t, const char *base)
{
    g_autofree char *dir = t->log_path != NULL ? g_canonicalize_filename(t->log_path, NULL) : NULL;
    JET_ERR err = t->name != NULL ? JET_errBadRestoreTargetInstance : JET_errSuccess;
    bool *running = &t->running;
    struct instance *inst;
    for (size_t i = 0; !*running && (inst = registry_nth(i)) != NULL; i++) {
        const bool is_it = t->name != NULL ? strcmp(inst->name, t->name) == 0
                                           : dir != NULL && g_strcmp0(inst->log_dir, dir) == 0;
        *running = is_it && inst->state == INSTANCE_RUNNING;
        if (*running)
            err = strcmp(params_text(inst->params, JET_paramBaseName), base) == 0
                      ? close_log(inst, &t->gen)
                      : JET_errBadRestoreTargetInstance;
        if (*running && t->gen != 0)
            t->log_dir = g_strdup(inst->log_dir);
        registry_release(inst);
    }
    return err;
}

static JET_ERR
restore(const struct restore_params *wanted, struct target *target)
{
    struct restore_params params = *wanted;
    const bool has_paths = target->log_path != NULL;
    if (has_paths != (target->checkpoint_path != NULL) || (has_paths && target->name != NULL))
        return JET_errInvalidParameter;
    if (wanted->log_dir == NULL || (wanted->map == NULL && wanted->n_map != 0) ||
        (wanted->map != NULL && wanted->n_map == 0))
        return JET_errInvalidParameter;
    JET_ERR err = registry_enter_mode(REGISTRY_MULTI);
    if (err < 0)
        return err;
    if (target->name != NULL || has_paths)
        err = find_target(target, wanted->base);
    if (has_paths && !target->running) {
        params.log_dir = target->log_path;
        params.checkpoint_dir = target->checkpoint_path;
    }
    params.forward_dir = target->log_dir;
    params.forward_high = target->gen;
    if (err >= 0) {
        params.events = restore_events(NULL);
        err = restore_external(&params, NULL);
        events_free(params.events);
    }
    registry_leave_mode();
    g_free(target->log_dir);
    return err == JET_errSuccess && target->running ? JET_wrnTargetInstanceRunning : err;
}

/**
 * JetExternalRestore(2): recovers copied databases, in place, with the logs genLow..genHigh of
 * szBackupLogPath (0 and 0: all there are) and those in szLogPath that go on from them. rgrstmap
 * says where the databases lie (szNewDatabaseName). A target given by its paths is where the log
 * goes on; of one that runs the log is rolled, what it has closed then is replayed too, and the
 * stream goes on in szLogPath: JET_wrnTargetInstanceRunning. Logs of a target with circular logging
 * are left alone.
 *
 * JET_errInvalidParameter: pLogInfo or its cbSize, map and count at odds, target by halves or
 * twice, no szLogPath; JET_errRunningInOneInstanceMode; JET_errBadRestoreTargetInstance;
 * JET_errLogFilePathInUse; those of restore_external (backup/restore.h).
 */
JET_ERR
JetExternalRestore2A(JET_PSTR szCheckpointFilePath, JET_PSTR szLogPath, JET_RSTMAP_A *rgrstmap,
                     int32_t crstfilemap, JET_PSTR szBackupLogPath, JET_LOGINFO_A *pLogInfo,
                     JET_PSTR szTargetInstanceName, JET_PSTR szTargetInstanceLogPath,
                     JET_PSTR szTargetInstanceCheckpointPath, JET_PFNSTATUS pfn)
{
    if (pLogInfo == NULL || pLogInfo->cbSize != sizeof *pLogInfo)
        return JET_errInvalidParameter;
    if (pLogInfo->szBaseName[JET_BASE_NAME_LENGTH] != '\0')
        return JET_errInvalidParameter;
    const struct restore_params params = {
        .checkpoint_dir = szCheckpointFilePath,
        .log_dir = szLogPath,
        .backup_dir = szBackupLogPath,
        .base = pLogInfo->szBaseName,
        .map = rgrstmap,
        .n_map = crstfilemap,
        .gen_low = (int32_t)pLogInfo->ulGenLow,
        .gen_high = (int32_t)pLogInfo->ulGenHigh,
        .pfn = pfn,
    };
    return restore(&params, &(struct target) {.name = szTargetInstanceName,
                                              .log_path = szTargetInstanceLogPath,
                                              .checkpoint_path = szTargetInstanceCheckpointPath});
}

JET_ERR
JetExternalRestoreA(JET_PSTR szCheckpointFilePath, JET_PSTR szLogPath, JET_RSTMAP_A *rgrstmap,
                    int32_t crstfilemap, JET_PSTR szBackupLogPath, int32_t genLow, int32_t genHigh,
                    JET_PFNSTATUS pfn)
{
    JET_LOGINFO_A info = {sizeof info, (uint32_t)genLow, (uint32_t)genHigh, "edb"};
    return JetExternalRestore2A(szCheckpointFilePath, szLogPath, rgrstmap, crstfilemap,
                                szBackupLogPath, &info, NULL, NULL, NULL, pfn);
}

/* ---- W ---- */

struct narrow_map {
    JET_RSTMAP_A *entries;
    int32_t n;
};

static void
narrow_map_clear(struct narrow_map *map)
{
    for (int32_t i = 0; map->entries != NULL && i < map->n; i++) {
        g_free(map->entries[i].szDatabaseName);
        g_free(map->entries[i].szNewDatabaseName);
    }
    g_free(map->entries);
}

/* A count without a map is the A form's error; the W form takes it as no map at all. */
static JET_ERR
narrow_map_make(const JET_RSTMAP_W *wide, int32_t n, struct narrow_map *map)
{
    *map = (struct narrow_map) {0};
    if (n < 0 || n > 14)
        return JET_errInvalidParameter;
    if (wide == NULL || n == 0)
        return JET_errSuccess;
    map->entries = g_new0(JET_RSTMAP_A, (gsize)n);
    map->n = n;
    JET_ERR err = JET_errSuccess;
    for (int32_t i = 0; i < n && err >= 0; i++) {
        err = api_from_wide(wide[i].szDatabaseName, &map->entries[i].szDatabaseName);
        if (err >= 0)
            err = api_from_wide(wide[i].szNewDatabaseName, &map->entries[i].szNewDatabaseName);
    }
    return err;
}

JET_ERR
JetExternalRestore2W(JET_PWSTR szCheckpointFilePath, JET_PWSTR szLogPath, JET_RSTMAP_W *rgrstmap,
                     int32_t crstfilemap, JET_PWSTR szBackupLogPath, JET_LOGINFO_W *pLogInfo,
                     JET_PWSTR szTargetInstanceName, JET_PWSTR szTargetInstanceLogPath,
                     JET_PWSTR szTargetInstanceCheckpointPath, JET_PFNSTATUS pfn)
{
    if (pLogInfo == NULL || pLogInfo->cbSize != sizeof *pLogInfo)
        return JET_errInvalidParameter;
    const uint16_t *wide[] = {szCheckpointFilePath,    szLogPath,
                              szBackupLogPath,         szTargetInstanceName,
                              szTargetInstanceLogPath, szTargetInstanceCheckpointPath};
    char *text[G_N_ELEMENTS(wide)] = {NULL};
    struct narrow_map map;
    JET_LOGINFO_A info = {sizeof info, pLogInfo->ulGenLow, pLogInfo->ulGenHigh, ""};
    for (size_t i = 0; i < JET_BASE_NAME_LENGTH; i++)
        info.szBaseName[i] = (char)pLogInfo->szBaseName[i];
    JET_ERR err = narrow_map_make(rgrstmap, crstfilemap, &map);
    for (size_t i = 0; i < G_N_ELEMENTS(wide) && err >= 0; i++)
        err = api_from_wide(wide[i], &text[i]);
    if (err >= 0)
        err = JetExternalRestore2A(text[0], text[1], map.entries, map.n, text[2], &info, text[3],
                                   text[4], text[5], pfn);
    narrow_map_clear(&map);
    for (size_t i = 0; i < G_N_ELEMENTS(wide); i++)
        g_free(text[i]);
    return err;
}

JET_ERR
JetExternalRestoreW(JET_PWSTR szCheckpointFilePath, JET_PWSTR szLogPath, JET_RSTMAP_W *rgrstmap,
                    int32_t crstfilemap, JET_PWSTR szBackupLogPath, int32_t genLow, int32_t genHigh,
                    JET_PFNSTATUS pfn)
{
    JET_LOGINFO_W info = {sizeof info, (uint32_t)genLow, (uint32_t)genHigh, {'e', 'd', 'b', 0}};
    return JetExternalRestore2W(szCheckpointFilePath, szLogPath, rgrstmap, crstfilemap,
                                szBackupLogPath, &info, NULL, NULL, NULL, pfn);
}

/* ---- ours ---- */

/**
 * JetxVerifyBackup. JET_errInvalidParameter: dir NULL, or cbStruct; those of verify_backup
 * (backup/verify.h).
 */
JET_ERR
JetxVerifyBackupA(const char *dir, JETX_VERIFYREPORT *preport)
{
    if (dir == NULL || (preport != NULL && preport->cbStruct < sizeof *preport))
        return JET_errInvalidParameter;
    return verify_backup(dir, preport);
}

/** JetxVerifyBackup2. JET_errInvalidParameter: no directory, one that is NULL, or cbStruct. */
JET_ERR
JetxVerifyBackup2A(const char *const *rgszSource, uint32_t cSource, JETX_VERIFYREPORT *preport)
{
    if (rgszSource == NULL || cSource == 0 ||
        (preport != NULL && preport->cbStruct < sizeof *preport))
        return JET_errInvalidParameter;
    for (uint32_t i = 0; i < cSource; i++)
        if (rgszSource[i] == NULL)
            return JET_errInvalidParameter;
    const struct verify_wanted wanted = {
        .dirs = rgszSource, .n_dirs = cSource, .gen_high = INT32_MAX};
    return verify_sources(&wanted, preport);
}

/* Old callers know less of it; they get as much as they asked for. */
#define REPORT_BYTES_MIN offsetof(JETX_RESTOREREPORT, lgposEnd)

static JET_ERR
restore_backup_with(const struct restore_wanted *wanted, JETX_RESTOREREPORT *preport)
{
    JETX_RESTOREREPORT report = {.cbStruct = sizeof report};
    struct restore_wanted with_events = *wanted;
    if (preport != NULL && preport->cbStruct < REPORT_BYTES_MIN)
        return JET_errInvalidParameter;
    char reason[REASON_BYTES] = "";
    with_events.events = restore_events(reason);
    JET_ERR err = restore_backup(&with_events, &report);
    events_free(with_events.events);
    if (preport == NULL)
        return err;
    if (err < 0 && report.szReasonFirst[0] == '\0')
        memcpy(report.szReasonFirst, reason, sizeof reason);
    report.cbStruct = preport->cbStruct;
    memcpy(preport, &report, MIN(sizeof report, preport->cbStruct));
    return err;
}

/**
 * JetxRestoreBackup. JET_errInvalidParameter: a directory NULL, or cbStruct; those of
 * restore_backup (backup/restore.h).
 */
JET_ERR
JetxRestoreBackupA(const char *copydir, const char *targetdir, JET_PFNSTATUS pfn,
                   JETX_RESTOREREPORT *preport)
{
    const JETX_RESTOREPARAM param = {.cbStruct = sizeof param, .pfnStatus = pfn};
    if (copydir == NULL || targetdir == NULL)
        return JET_errInvalidParameter;
    return restore_backup_with(&(struct restore_wanted) {&copydir, 1, targetdir, &param, NULL},
                               preport);
}

/**
 * JetxRestoreBackup2. JET_errInvalidParameter: no source, a directory NULL, cbStruct, a count
 * without its array, several stops; those of restore_backup (backup/restore.h).
 */
JET_ERR
JetxRestoreBackup2A(const char *const *rgszSource, uint32_t cSource, const char *szTarget,
                    const JETX_RESTOREPARAM *pparam, JETX_RESTOREREPORT *preport)
{
    if (rgszSource == NULL || cSource == 0 || szTarget == NULL || szTarget[0] == '\0')
        return JET_errInvalidParameter;
    if (pparam != NULL && pparam->cbStruct != sizeof *pparam)
        return JET_errInvalidParameter;
    for (uint32_t i = 0; i < cSource; i++)
        if (rgszSource[i] == NULL)
            return JET_errInvalidParameter;
    return restore_backup_with(
        &(struct restore_wanted) {rgszSource, cSource, szTarget, pparam, NULL}, preport);
}
