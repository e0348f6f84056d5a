/* SPDX-License-Identifier: MIT */
/*
 * backup: the documented external backup calls, in their plain, Instance, A and W forms.
 *
 * Common errors of all but JetStopBackup: JET_errInvalidParameter, JET_errInvalidInstance (handle);
 * JET_errRunningInMultiInstanceMode, JET_errNotInitialized (plain forms); and the gate's:
 * JET_errClientRequestToStopJetService, JET_errInstanceUnavailable, JET_errTermInProgress,
 * JET_errRestoreInProgress, JET_errNotInitialized; JET_errUnicodeTranslationFail (W forms: a name
 * that is no text). The session's own: backup/context.h. Each code is provoked by a test:
 * tests/unit/api/test_codes_gate.c, test_codes_backup.c, test_end_backup.c, test_codes_restore.c.
 */
#include <string.h>

#include "api/api.h"
#include "api/target.h"
#include "backup/context.h"
#include "backup/directory.h"
#include "backup/offline.h"
#include "instance/registry.h"
#include "service/remote.h"

/* ---- lists of paths in the caller's buffer ---- */

/*
 * A form: all strings or JET_errBufferTooSmall; only the last NUL may be missing. *pcbActual = the
 * whole size.
 */
static JET_ERR
put_list_a(char **paths, char *out, uint32_t cb_max, uint32_t *actual)
{
    uint32_t needed = 1;
    for (size_t i = 0; paths[i]; i++)
        needed += (uint32_t)strlen(paths[i]) + 1;
    if (out && cb_max > 0) {
        if (cb_max < needed - 1)
            return JET_errBufferTooSmall;
        for (size_t i = 0; paths[i]; i++, out++)
            out = g_stpcpy(out, paths[i]);
        if (cb_max >= needed)
            *out = '\0';
    }
    if (actual)
        *actual = needed;
    return JET_errSuccess;
}

/* W form: as much as fits. *pcbActual = the whole size, or (cut) what was copied. */
static JET_ERR
put_list_w(char **paths, uint16_t *out, uint32_t cb_max, uint32_t *actual, bool cut)
{
    g_autoptr(GByteArray) all = g_byte_array_new();
    for (size_t i = 0; paths[i]; i++) {
        g_autofree uint16_t *wide = g_utf8_to_utf16(paths[i], -1, NULL, NULL, NULL);
        if (!wide)
            return JET_errUnicodeTranslationFail;
        g_byte_array_append(all, (const uint8_t *)wide, (guint)(api_wide_len(wide) + 1) * 2);
    }
    g_byte_array_append(all, (const uint8_t[2]) {0, 0}, 2);
    uint32_t copied = out ? MIN(cb_max, all->len) : 0;
    if (copied)
        memcpy(out, all->data, copied);
    if (actual)
        *actual = out && cut ? copied : all->len;
    return JET_errSuccess;
}

/* ---- who is meant ---- */

static JET_ERR
enter_legacy(struct target *target)
{
    memset(target, 0, sizeof *target);
    return api_enter_legacy(&target->inst);
}

static JET_ERR
peer_files(struct target *t, JETX_BACKUPFILE **files, uint32_t *n)
{
    return t->remote ? remote_files(t->remote, files, n) : offline_files(t->offline, files, n);
}

/* Paths of one kind of the files of a frozen session elsewhere. */
static JET_ERR
peer_paths(struct target *t, uint32_t kind, char ***paths, uint32_t *low, uint32_t *high)
{
    JETX_BACKUPFILE *files = NULL;
    uint32_t n = 0;
    JET_ERR err = peer_files(t, &files, &n);
    if (err < 0)
        return err;
    GPtrArray *list = g_ptr_array_new();
    for (uint32_t i = 0; i < n; i++) {
        if (files[i].kind != kind)
            continue;
        if (low && (list->len == 0 || files[i].genLog < *low))
            *low = files[i].genLog;
        if (high && (list->len == 0 || files[i].genLog > *high))
            *high = files[i].genLog;
        g_ptr_array_add(list, g_strdup(files[i].szPath));
    }
    g_ptr_array_add(list, NULL);
    *paths = (char **)g_ptr_array_free(list, FALSE);
    g_free(files);
    return JET_errSuccess;
}

/* ---- begin ---- */

static JET_ERR
begin(struct target *t, JET_GRBIT grbit)
{
    JET_ERR err = t->inst ? context_begin(t->inst, grbit) : JET_errFeatureNotAvailable;
    target_leave(t);
    return err;
}

/** JetBeginExternalBackup(Instance): grbit 0 or JET_bitBackupIncremental. context_begin. */
JET_ERR
JetBeginExternalBackupInstance(JET_INSTANCE instance, JET_GRBIT grbit)
{
    struct target t;
    JET_ERR err = target_enter(instance, &t);
    return err < 0 ? err : begin(&t, grbit);
}

JET_ERR
JetBeginExternalBackup(JET_GRBIT grbit)
{
    struct target t;
    JET_ERR err = enter_legacy(&t);
    return err < 0 ? err : begin(&t, grbit);
}

/* ---- JetGetAttachInfo: full paths of the databases, each with NUL, then one NUL ---- */

static JET_ERR
attach_info(struct target *t, char ***paths)
{
    JET_ERR err = t->inst ? context_attach_info(t->inst, paths)
                          : peer_paths(t, JETX_fileDatabase, paths, NULL, NULL);
    target_leave(t);
    return err;
}

static JET_ERR
attach_info_a(struct target *t, char *out, uint32_t cb_max, uint32_t *actual)
{
    g_auto(GStrv) paths = NULL;
    JET_ERR err = attach_info(t, &paths);
    return err < 0 ? err : put_list_a(paths, out, cb_max, actual);
}

static JET_ERR
attach_info_w(struct target *t, uint16_t *out, uint32_t cb_max, uint32_t *actual)
{
    g_auto(GStrv) paths = NULL;
    JET_ERR err = attach_info(t, &paths);
    return err < 0 ? err : put_list_w(paths, out, cb_max, actual, false);
}

JET_ERR
JetGetAttachInfoInstanceA(JET_INSTANCE instance, JET_PSTR szz, uint32_t cbMax, uint32_t *pcbActual)
{
    struct target t;
    JET_ERR err = target_enter(instance, &t);
    return err < 0 ? err : attach_info_a(&t, szz, cbMax, pcbActual);
}

JET_ERR
JetGetAttachInfoInstanceW(JET_INSTANCE instance, JET_PWSTR szz, uint32_t cbMax, uint32_t *pcbActual)
{
    struct target t;
    JET_ERR err = target_enter(instance, &t);
    return err < 0 ? err : attach_info_w(&t, szz, cbMax, pcbActual);
}

JET_ERR
JetGetAttachInfoA(JET_PSTR szz, uint32_t cbMax, uint32_t *pcbActual)
{
    struct target t;
    JET_ERR err = enter_legacy(&t);
    return err < 0 ? err : attach_info_a(&t, szz, cbMax, pcbActual);
}

JET_ERR
JetGetAttachInfoW(JET_PWSTR szz, uint32_t cbMax, uint32_t *pcbActual)
{
    struct target t;
    JET_ERR err = enter_legacy(&t);
    return err < 0 ? err : attach_info_w(&t, szz, cbMax, pcbActual);
}

/* ---- JetOpenFile, JetReadFile, JetCloseFile ---- */

static JET_ERR
open_file(struct target *t, const char *name, JET_HANDLE *hf, uint32_t *low, uint32_t *high)
{
    uint64_t size = 0;
    JET_ERR err;
    if (!hf || !low || !high)
        err = JET_errInvalidParameter;
    else if (t->inst)
        err = context_open(t->inst, name, hf, &size);
    else if (!name || !name[0])
        err = JET_errInvalidParameter;
    else
        err = t->remote ? remote_open_file(t->remote, name, hf, &size)
                        : offline_open_file(t->offline, name, hf, &size);
    if (err >= 0) {
        *low = (uint32_t)size;
        *high = (uint32_t)(size >> 32);
    }
    target_leave(t);
    return err;
}

/** JetOpenFile(Instance): *pulFileSizeLow and High = bytes that JetReadFile will give.
 * context_open. */
JET_ERR
JetOpenFileInstanceA(JET_INSTANCE instance, JET_PCSTR szFileName, JET_HANDLE *phfFile,
                     uint32_t *pulFileSizeLow, uint32_t *pulFileSizeHigh)
{
    struct target t;
    JET_ERR err = target_enter(instance, &t);
    return err < 0 ? err : open_file(&t, szFileName, phfFile, pulFileSizeLow, pulFileSizeHigh);
}

JET_ERR
JetOpenFileInstanceW(JET_INSTANCE instance, JET_PCWSTR szFileName, JET_HANDLE *phfFile,
                     uint32_t *pulFileSizeLow, uint32_t *pulFileSizeHigh)
{
    g_autofree char *name = NULL;
    JET_ERR err = api_from_wide(szFileName, &name);
    return err < 0 ? err
                   : JetOpenFileInstanceA(instance, name, phfFile, pulFileSizeLow, pulFileSizeHigh);
}

JET_ERR
JetOpenFileA(JET_PCSTR szFileName, JET_HANDLE *phfFile, uint32_t *pulFileSizeLow,
             uint32_t *pulFileSizeHigh)
{
    struct target t;
    JET_ERR err = enter_legacy(&t);
    return err < 0 ? err : open_file(&t, szFileName, phfFile, pulFileSizeLow, pulFileSizeHigh);
}

JET_ERR
JetOpenFileW(JET_PCWSTR szFileName, JET_HANDLE *phfFile, uint32_t *pulFileSizeLow,
             uint32_t *pulFileSizeHigh)
{
    g_autofree char *name = NULL;
    JET_ERR err = api_from_wide(szFileName, &name);
    return err < 0 ? err : JetOpenFileA(name, phfFile, pulFileSizeLow, pulFileSizeHigh);
}

static JET_ERR
read_file(struct target *t, JET_HANDLE hf, void *pv, uint32_t cb, uint32_t *actual)
{
    uint32_t got = 0;
    JET_ERR err = t->inst     ? context_read(t->inst, hf, pv, cb, &got)
                  : t->remote ? remote_read_file(t->remote, hf, pv, cb, &got)
                              : offline_read_file(t->offline, hf, pv, cb, &got);
    if (err >= 0 && actual)
        *actual = got;
    target_leave(t);
    return err;
}

/** JetReadFile(Instance): *pcbActual 0 = end. context_read. The buffer needs no alignment here. */
JET_ERR
JetReadFileInstance(JET_INSTANCE instance, JET_HANDLE hfFile, void *pv, uint32_t cb,
                    uint32_t *pcbActual)
{
    struct target t;
    JET_ERR err = target_enter(instance, &t);
    return err < 0 ? err : read_file(&t, hfFile, pv, cb, pcbActual);
}

JET_ERR
JetReadFile(JET_HANDLE hfFile, void *pv, uint32_t cb, uint32_t *pcbActual)
{
    struct target t;
    JET_ERR err = enter_legacy(&t);
    return err < 0 ? err : read_file(&t, hfFile, pv, cb, pcbActual);
}

static JET_ERR
close_file(struct target *t, JET_HANDLE hf)
{
    JET_ERR err = t->inst     ? context_close(t->inst, hf)
                  : t->remote ? remote_close_file(t->remote, hf)
                              : offline_close_file(t->offline, hf);
    target_leave(t);
    return err;
}

JET_ERR
JetCloseFileInstance(JET_INSTANCE instance, JET_HANDLE hfFile)
{
    struct target t;
    JET_ERR err = target_enter(instance, &t);
    return err < 0 ? err : close_file(&t, hfFile);
}

JET_ERR
JetCloseFile(JET_HANDLE hfFile)
{
    struct target t;
    JET_ERR err = enter_legacy(&t);
    return err < 0 ? err : close_file(&t, hfFile);
}

/* ---- JetGetLogInfo, JetGetTruncateLogInfo ---- */

struct log_range {
    uint32_t low, high;
    char base[4];
};

static JET_ERR
log_info(struct target *t, char ***paths, struct log_range *range)
{
    memset(range, 0, sizeof *range);
    g_strlcpy(range->base, "edb", sizeof range->base);
    if (t->inst)
        g_strlcpy(range->base, params_text(t->inst->params, JET_paramBaseName), sizeof range->base);
    JET_ERR err = t->inst ? context_log_info(t->inst, paths, &range->low, &range->high)
                          : peer_paths(t, JETX_fileLog, paths, &range->low, &range->high);
    target_leave(t);
    return err;
}

static JET_ERR
log_info_a(struct target *t, char *out, uint32_t cb_max, uint32_t *actual, JET_LOGINFO_A *info)
{
    g_auto(GStrv) paths = NULL;
    struct log_range range;
    JET_ERR err = log_info(t, &paths, &range);
    if (err >= 0)
        err = put_list_a(paths, out, cb_max, actual);
    if (err >= 0 && info) {
        info->ulGenLow = range.low;
        info->ulGenHigh = range.high;
        memcpy(info->szBaseName, range.base, sizeof info->szBaseName);
    }
    return err;
}

static JET_ERR
log_info_w(struct target *t, uint16_t *out, uint32_t cb_max, uint32_t *actual, JET_LOGINFO_W *info)
{
    g_auto(GStrv) paths = NULL;
    struct log_range range;
    JET_ERR err = log_info(t, &paths, &range);
    if (err >= 0)
        err = put_list_w(paths, out, cb_max, actual, true);
    if (err >= 0 && info) {
        info->ulGenLow = range.low;
        info->ulGenHigh = range.high;
        for (size_t i = 0; i < sizeof range.base; i++)
            info->szBaseName[i] = (uint8_t)range.base[i];
    }
    return err;
}

/** JetGetLogInfo(Instance, Instance2): the logs to copy; the first call rolls the log.
 * context_log_info. JET_errInvalidParameter: pLogInfo->cbSize. */
JET_ERR
JetGetLogInfoInstance2A(JET_INSTANCE instance, JET_PSTR szzLogs, uint32_t cbMax,
                        uint32_t *pcbActual, JET_LOGINFO_A *pLogInfo)
{
    struct target t;
    if (pLogInfo && pLogInfo->cbSize != sizeof *pLogInfo)
        return JET_errInvalidParameter;
    JET_ERR err = target_enter(instance, &t);
    return err < 0 ? err : log_info_a(&t, szzLogs, cbMax, pcbActual, pLogInfo);
}

JET_ERR
JetGetLogInfoInstance2W(JET_INSTANCE instance, JET_PWSTR szzLogs, uint32_t cbMax,
                        uint32_t *pcbActual, JET_LOGINFO_W *pLogInfo)
{
    struct target t;
    if (pLogInfo && pLogInfo->cbSize != sizeof *pLogInfo)
        return JET_errInvalidParameter;
    JET_ERR err = target_enter(instance, &t);
    return err < 0 ? err : log_info_w(&t, szzLogs, cbMax, pcbActual, pLogInfo);
}

JET_ERR
JetGetLogInfoInstanceA(JET_INSTANCE instance, JET_PSTR szzLogs, uint32_t cbMax, uint32_t *pcbActual)
{
    return JetGetLogInfoInstance2A(instance, szzLogs, cbMax, pcbActual, NULL);
}

JET_ERR
JetGetLogInfoInstanceW(JET_INSTANCE instance, JET_PWSTR szzLogs, uint32_t cbMax,
                       uint32_t *pcbActual)
{
    return JetGetLogInfoInstance2W(instance, szzLogs, cbMax, pcbActual, NULL);
}

JET_ERR
JetGetLogInfoA(JET_PSTR szzLogs, uint32_t cbMax, uint32_t *pcbActual)
{
    struct target t;
    JET_ERR err = enter_legacy(&t);
    return err < 0 ? err : log_info_a(&t, szzLogs, cbMax, pcbActual, NULL);
}

JET_ERR
JetGetLogInfoW(JET_PWSTR szzLogs, uint32_t cbMax, uint32_t *pcbActual)
{
    struct target t;
    JET_ERR err = enter_legacy(&t);
    return err < 0 ? err : log_info_w(&t, szzLogs, cbMax, pcbActual, NULL);
}

/* Of a session elsewhere it is not known from here: nothing. */
static JET_ERR
truncate_info(struct target *t, char ***paths)
{
    JET_ERR err = JET_errSuccess;
    if (t->inst)
        err = context_truncate_info(t->inst, paths);
    else
        *paths = g_strsplit("", "\n", 0);
    target_leave(t);
    return err;
}

/** JetGetTruncateLogInfoInstance: the logs JetTruncateLog would delete. context_truncate_info. */
JET_ERR
JetGetTruncateLogInfoInstanceA(JET_INSTANCE instance, JET_PSTR szzLogs, uint32_t cbMax,
                               uint32_t *pcbActual)
{
    struct target t;
    g_auto(GStrv) paths = NULL;
    JET_ERR err = target_enter(instance, &t);
    if (err >= 0)
        err = truncate_info(&t, &paths);
    return err < 0 ? err : put_list_a(paths, szzLogs, cbMax, pcbActual);
}

JET_ERR
JetGetTruncateLogInfoInstanceW(JET_INSTANCE instance, JET_PWSTR szzLogs, uint32_t cbMax,
                               uint32_t *pcbActual)
{
    struct target t;
    g_auto(GStrv) paths = NULL;
    JET_ERR err = target_enter(instance, &t);
    if (err >= 0)
        err = truncate_info(&t, &paths);
    return err < 0 ? err : put_list_w(paths, szzLogs, cbMax, pcbActual, true);
}

/* ---- truncate, end, stop ---- */

static JET_ERR
truncate_log(struct target *t)
{
    JET_ERR err = t->inst     ? context_truncate(t->inst)
                  : t->remote ? remote_truncate_log(t->remote)
                              : JET_errFeatureNotAvailable; /* evidence is not touched */
    target_leave(t);
    return err;
}

/** JetTruncateLog(Instance). context_truncate. */
JET_ERR
JetTruncateLogInstance(JET_INSTANCE instance)
{
    struct target t;
    JET_ERR err = target_enter(instance, &t);
    return err < 0 ? err : truncate_log(&t);
}

JET_ERR
JetTruncateLog(void)
{
    struct target t;
    JET_ERR err = enter_legacy(&t);
    return err < 0 ? err : truncate_log(&t);
}

static JET_ERR
end(struct target *t, JET_GRBIT grbit)
{
    JET_ERR err = t->inst     ? context_end(t->inst, grbit)
                  : t->remote ? remote_end(t->remote, grbit)
                              : offline_end(t->offline, grbit);
    if (t->offline && err != JET_errInvalidParameter && err != JET_errNoBackup)
        target_set_recovered(t, NULL); /* if it was one */
    target_leave(t);
    return err;
}

/** JetEndExternalBackup(Instance, Instance2): returns the documented codes. context_end. */
JET_ERR
JetEndExternalBackupInstance2(JET_INSTANCE instance, JET_GRBIT grbit)
{
    struct target t;
    JET_ERR err = target_enter(instance, &t);
    return err < 0 ? err : end(&t, grbit);
}

JET_ERR
JetEndExternalBackupInstance(JET_INSTANCE instance)
{
    return JetEndExternalBackupInstance2(instance, JET_bitBackupEndNormal);
}

JET_ERR
JetEndExternalBackup(void)
{
    struct target t;
    JET_ERR err = enter_legacy(&t);
    return err < 0 ? err : end(&t, JET_bitBackupEndNormal);
}

/**
 * JetStopBackup(Instance): asks a running backup to end; its next call gives
 * JET_errBackupAbortByServer. Passes no gate, always 0 but for a bad instance.
 */
JET_ERR
JetStopBackupInstance(JET_INSTANCE instance)
{
    struct target t;
    struct instance *inst = NULL;
    if (target_enter_peer(instance, &t)) {
        JET_ERR err = t.remote ? remote_stop(t.remote) : offline_stop(t.offline);
        target_leave(&t);
        return err;
    }
    JET_ERR err = registry_find(instance, &inst);
    if (err < 0)
        return err;
    context_stop(inst);
    registry_release(inst);
    return JET_errSuccess;
}

JET_ERR
JetStopBackup(void)
{
    struct instance *inst = NULL;
    JET_ERR err = registry_find_legacy(&inst);
    if (err < 0)
        return err;
    context_stop(inst);
    registry_release(inst);
    return JET_errSuccess;
}

/* ---- JetBackup ---- */

/**
 * JetBackup(Instance): a whole backup into a directory; NULL or "" only truncates the logs.
 * JET_bitBackupIncremental, JET_bitBackupAtomic. directory_backup; JET_errFeatureNotAvailable for a
 * handle of JetxConnectInstance or JetxOpenDatabaseFile.
 */
JET_ERR
JetBackupInstanceA(JET_INSTANCE instance, JET_PCSTR szBackupPath, JET_GRBIT grbit,
                   JET_PFNSTATUS pfnStatus)
{
    struct target t;
    JET_ERR err = target_enter(instance, &t);
    if (err < 0)
        return err;
    err = t.inst ? directory_backup(t.inst, szBackupPath, grbit, pfnStatus)
                 : JET_errFeatureNotAvailable;
    target_leave(&t);
    return err;
}

JET_ERR
JetBackupInstanceW(JET_INSTANCE instance, JET_PCWSTR szBackupPath, JET_GRBIT grbit,
                   JET_PFNSTATUS pfnStatus)
{
    g_autofree char *path = NULL;
    JET_ERR err = api_from_wide(szBackupPath, &path);
    return err < 0 ? err : JetBackupInstanceA(instance, path, grbit, pfnStatus);
}

JET_ERR
JetBackupA(JET_PCSTR szBackupPath, JET_GRBIT grbit, JET_PFNSTATUS pfnStatus)
{
    struct target t;
    JET_ERR err = enter_legacy(&t);
    if (err < 0)
        return err;
    err = directory_backup(t.inst, szBackupPath, grbit, pfnStatus);
    target_leave(&t);
    return err;
}

JET_ERR
JetBackupW(JET_PCWSTR szBackupPath, JET_GRBIT grbit, JET_PFNSTATUS pfnStatus)
{
    g_autofree char *path = NULL;
    JET_ERR err = api_from_wide(szBackupPath, &path);
    return err < 0 ? err : JetBackupA(path, grbit, pfnStatus);
}
