/* SPDX-License-Identifier: MIT */
/* instance: parameters, instances, JetInit and JetTerm, buffers. */
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "backup/context.h"
#include "backup/snapshot.h"
#include "base/error.h"
#include "esentx.h"
#include "instance/registry.h"
#include "service/server.h"

#define ENGINE_VERSION 0x000a3fab /* what JetGetVersion says: Windows 10's engine, 10.0.16299 */

/* ---- parameters ---- */

/* The set a call is about, under the registry's lock: an instance's own, or the defaults. */
static JET_ERR
find_params(JET_INSTANCE handle, struct params **params, bool *initialized, struct instance **held)
{
    *held = NULL;
    *initialized = false;
    *params = registry_defaults();
    bool nil = handle == 0 || handle == JET_instanceNil;
    if (nil && registry_mode() != REGISTRY_ONE)
        return JET_errSuccess;
    JET_ERR err = registry_find(handle, held);
    if (err < 0)
        return err;
    *params = (*held)->params;
    *initialized = (*held)->state != INSTANCE_CREATED;
    return JET_errSuccess;
}

/**
 * JetSetSystemParameter: of the instance at pinstance; of the process' defaults when it is NULL or
 * holds 0 (in one-instance mode: of the one instance). Strings take szParam, numbers lParam.
 *
 * JET_errInvalidParameter: unknown, read-only or out of range; JET_errAlreadyInitialized: fixed
 * once the instance runs; JET_errInvalidPath; JET_errInvalidInstance.
 */
JET_ERR
JetSetSystemParameterA(JET_INSTANCE *pinstance, JET_SESID sesid, uint32_t paramid,
                       JET_API_PTR lParam, JET_PCSTR szParam)
{
    struct params *params;
    struct instance *held;
    bool initialized;
    registry_lock();
    JET_ERR err = find_params(pinstance ? *pinstance : 0, &params, &initialized, &held);
    if (err >= 0)
        err = params_set(params, paramid, lParam, szParam, initialized);
    if (err >= 0 && held && paramid == JET_paramNoInformationEvent)
        events_set_no_information(held->events, lParam != 0);
    registry_unlock();
    registry_release(held);
    return err;
}

JET_ERR
JetSetSystemParameterW(JET_INSTANCE *pinstance, JET_SESID sesid, uint32_t paramid,
                       JET_API_PTR lParam, JET_PCWSTR szParam)
{
    g_autofree char *text = NULL;
    bool is_text = false;
    JET_ERR err = params_is_text(paramid, &is_text);
    if (err >= 0 && is_text)
        err = api_from_wide(szParam, &text);
    return err < 0 ? err : JetSetSystemParameterA(pinstance, sesid, paramid, lParam, text);
}

/**
 * JetGetSystemParameter. JET_paramErrorToString: *plParam holds an error, szParam gets "NAME,text",
 * or "Unknown Error,Unknown Error". cbMax counts bytes, the NUL included; when it is too small the
 * A form has as much of the text as fits.
 *
 * JET_errInvalidParameter: unknown, or no place for the value; JET_errBufferTooSmall;
 * JET_errInvalidInstance.
 */
static JET_ERR
get_parameter(JET_INSTANCE instance, uint32_t paramid, JET_API_PTR *plParam, char **text)
{
    *text = NULL;
    if (paramid == JET_paramErrorToString) {
        if (!plParam)
            return JET_errInvalidParameter;
        JET_ERR which = (JET_ERR)*plParam;
        *text = error_is_known(which)
                    ? g_strdup_printf("%s,%s", error_name(which), error_text(which))
                    : g_strdup("Unknown Error,Unknown Error");
        return JET_errSuccess;
    }
    bool is_text = false;
    JET_ERR err = params_is_text(paramid, &is_text);
    if (err < 0)
        return err;
    struct params *params;
    struct instance *held;
    bool initialized;
    registry_lock();
    err = find_params(instance, &params, &initialized, &held);
    if (err >= 0 && is_text)
        *text = g_strdup(params_text(params, paramid));
    else if (err >= 0 && !plParam)
        err = JET_errInvalidParameter;
    else if (err >= 0)
        *plParam = params_number(params, paramid);
    registry_unlock();
    registry_release(held);
    return err;
}

JET_ERR
JetGetSystemParameterA(JET_INSTANCE instance, JET_SESID sesid, uint32_t paramid,
                       JET_API_PTR *plParam, JET_PSTR szParam, uint32_t cbMax)
{
    g_autofree char *text = NULL;
    JET_ERR err = get_parameter(instance, paramid, plParam, &text);
    if (err < 0 || !text)
        return err;
    if (!szParam)
        return JET_errInvalidParameter;
    return g_strlcpy(szParam, text, cbMax) < cbMax ? JET_errSuccess : JET_errBufferTooSmall;
}

JET_ERR
JetGetSystemParameterW(JET_INSTANCE instance, JET_SESID sesid, uint32_t paramid,
                       JET_API_PTR *plParam, JET_PWSTR szParam, uint32_t cbMax)
{
    g_autofree char *text = NULL;
    JET_ERR err = get_parameter(instance, paramid, plParam, &text);
    if (err < 0 || !text)
        return err;
    return szParam ? api_to_wide(text, szParam, cbMax) : JET_errInvalidParameter;
}

/* ---- instances ---- */

static JET_ERR
create_instance(enum registry_mode mode, const char *name, const char *display_name,
                JET_INSTANCE *pinstance)
{
    JET_ERR err = registry_enter_mode(mode);
    if (err < 0)
        return err;
    registry_lock();
    struct instance *inst = instance_new(params_copy(registry_defaults()), name, display_name);
    registry_unlock();
    err = registry_add(inst);
    if (err < 0)
        instance_free(inst);
    else
        *pinstance = inst->handle;
    registry_leave_mode(); /* the instance itself keeps the mode from now on */
    return err;
}

/**
 * JetCreateInstance(2): a new, not yet initialized instance with the process' parameters; the
 * process is in multi-instance mode from now on.
 *
 * JET_errInvalidParameter: pinstance NULL; JET_errRunningInOneInstanceMode;
 * JET_errTooManyInstances; JET_errInstanceNameInUse; JET_errInvalidGrbit.
 */
JET_ERR
JetCreateInstance2A(JET_INSTANCE *pinstance, JET_PCSTR szInstanceName, JET_PCSTR szDisplayName,
                    JET_GRBIT grbit)
{
    if (!pinstance)
        return JET_errInvalidParameter;
    if (grbit != 0)
        return JET_errInvalidGrbit;
    return create_instance(REGISTRY_MULTI, szInstanceName, szDisplayName, pinstance);
}

JET_ERR
JetCreateInstanceA(JET_INSTANCE *pinstance, JET_PCSTR szInstanceName)
{
    return JetCreateInstance2A(pinstance, szInstanceName, NULL, 0);
}

JET_ERR
JetCreateInstance2W(JET_INSTANCE *pinstance, JET_PCWSTR szInstanceName, JET_PCWSTR szDisplayName,
                    JET_GRBIT grbit)
{
    g_autofree char *name = NULL, *display_name = NULL;
    JET_ERR err = api_from_wide(szInstanceName, &name);
    if (err >= 0)
        err = api_from_wide(szDisplayName, &display_name);
    return err < 0 ? err : JetCreateInstance2A(pinstance, name, display_name, grbit);
}

JET_ERR
JetCreateInstanceW(JET_INSTANCE *pinstance, JET_PCWSTR szInstanceName)
{
    return JetCreateInstance2W(pinstance, szInstanceName, NULL, 0);
}

/**
 * JetInit(2, 3): recovers the databases of the log, then starts. Without an instance (pinstance
 * NULL or *pinstance 0) one is made, and the process is in one-instance mode.
 *
 * JET_errAlreadyInitialized; JET_errInitInProgress; JET_errRunningInMultiInstanceMode;
 * JET_errInvalidInstance; JET_errInvalidParameter: prstInfo of a wrong size; JET_errInvalidPath,
 * JET_errLogFilePathInUse; what recovery says: JET_errMissingLogFile,
 * JET_errRequiredLogFilesMissing, JET_errLogFileCorrupt, JET_errBadLogVersion,
 * JET_errSoftRecoveryOnBackupDatabase, JET_errAttachedDatabaseMismatch ... (log format 5.7);
 * JET_wrnCommittedLogFilesLost; JET_errFileAccessDenied: the backup service cannot have its socket.
 *
 * prstInfo->lgposStop (the first record that is left out) or logtimeStop ends recovery before the
 * end of the log. With JET_paramDeleteOutOfRangeLogs what lies beyond is removed, and the instance
 * runs: JET_wrnCommittedLogFilesRemoved; else JET_errRecoveredWithoutUndo. A database that may
 * have pages from beyond: JET_errRequiredLogFilesMissing. pfnStatus gets JET_snpRestore.
 */
JET_ERR
JetInit3A(JET_INSTANCE *pinstance, JET_RSTINFO_A *prstInfo, JET_GRBIT grbit)
{
    if (prstInfo && prstInfo->cbStruct != sizeof(*prstInfo))
        return JET_errInvalidParameter;
    bool nil = !pinstance || *pinstance == 0 || *pinstance == JET_instanceNil;
    JET_INSTANCE handle = nil ? 0 : *pinstance;
    bool made = false;
    JET_ERR err = JET_errSuccess;
    if (nil && registry_mode() == REGISTRY_ONE)
        return JET_errAlreadyInitialized;
    if (nil) {
        err = create_instance(REGISTRY_ONE, NULL, NULL, &handle);
        made = err >= 0;
    }
    struct instance *inst = NULL;
    if (err >= 0)
        err = registry_find(handle, &inst);
    if (err < 0)
        return err;
    err = instance_init(inst, &(struct instance_init_options) {grbit, prstInfo});
    if (err >= 0) {
        JET_ERR service_err = server_start(inst);
        if (service_err < 0) {
            (void)instance_term(inst, JET_bitTermComplete, NULL, NULL);
            err = service_err;
        }
    }
    if (err < 0 && made)
        registry_remove(inst);
    else if (err >= 0 && pinstance)
        *pinstance = handle;
    registry_release(inst);
    return err;
}

JET_ERR
JetInit2(JET_INSTANCE *pinstance, JET_GRBIT grbit)
{
    return JetInit3A(pinstance, NULL, grbit | JET_bitReplayMissingMapEntryDB);
}

JET_ERR
JetInit(JET_INSTANCE *pinstance)
{
    return JetInit2(pinstance, 0);
}

JET_ERR
JetInit3W(JET_INSTANCE *pinstance, JET_RSTINFO_W *prstInfo, JET_GRBIT grbit)
{
    if (!prstInfo)
        return JetInit3A(pinstance, NULL, grbit);
    if (prstInfo->cbStruct != sizeof(*prstInfo) || prstInfo->crstmap < 0 ||
        (prstInfo->crstmap > 0 && !prstInfo->rgrstmap))
        return JET_errInvalidParameter;
    uint32_t n = (uint32_t)prstInfo->crstmap;
    JET_RSTMAP_A *map = g_try_new0(JET_RSTMAP_A, n + 1);
    JET_ERR err = map ? JET_errSuccess : JET_errOutOfMemory;
    for (uint32_t i = 0; err >= 0 && i < n; i++) {
        err = api_from_wide(prstInfo->rgrstmap[i].szDatabaseName, &map[i].szDatabaseName);
        if (err >= 0)
            err = api_from_wide(prstInfo->rgrstmap[i].szNewDatabaseName, &map[i].szNewDatabaseName);
    }
    if (err >= 0) {
        JET_RSTINFO_A info = {sizeof(info),          map,
                              prstInfo->crstmap,     prstInfo->lgposStop,
                              prstInfo->logtimeStop, prstInfo->pfnStatus};
        err = JetInit3A(pinstance, &info, grbit);
    }
    for (uint32_t i = 0; map && i < n; i++) {
        g_free(map[i].szDatabaseName);
        g_free(map[i].szNewDatabaseName);
    }
    g_free(map);
    return err;
}

/* Nobody is inside, nobody can enter. */
static void
end_all(void *inst)
{
    snapshot_leave(inst);
    api_end_sessions(inst);
    server_stop(inst);
    context_term(inst, false);
}

/* Ends a running backup, a client's or our own, as aborted by the server. */
static void
end_backup(struct instance *inst)
{
    server_stop(inst);
    if (instance_enter(inst) < 0)
        return;
    context_stop(inst);
    (void)context_end(inst, JET_bitBackupEndNormal);
    instance_leave(inst);
}

/**
 * JetTerm(2): ends the instance's sessions, brings its databases to a clean state, and frees it.
 * Plain JetTerm is JetTerm2 with JET_bitTermAbrupt: it also ends a running backup.
 *
 * JET_errInvalidParameter: no instance; JET_errInvalidInstance; JET_errInvalidGrbit;
 * JET_errTermInProgress: another thread is at it; JET_errBackupInProgress: a backup runs, and grbit
 * has neither JET_bitTermAbrupt nor JET_bitTermStopBackup: the instance runs on;
 * JET_errDirtyShutdown: as asked by JET_bitTermDirty, or after a fatal error: the next JetInit
 * recovers; errors of the disk.
 */
JET_ERR
JetTerm2(JET_INSTANCE instance, JET_GRBIT grbit)
{
    const JET_GRBIT known =
        JET_bitTermComplete | JET_bitTermAbrupt | JET_bitTermStopBackup | JET_bitTermDirty;
    if (grbit & ~known)
        return JET_errInvalidGrbit;
    struct instance *inst = NULL;
    JET_ERR err = registry_find(instance, &inst);
    if (err < 0)
        return err;
    if (grbit & (JET_bitTermAbrupt | JET_bitTermStopBackup))
        end_backup(inst);
    err = instance_term(inst, grbit, end_all, inst);
    bool refused = err == JET_errTermInProgress || err == JET_errBackupInProgress ||
                   err == JET_errSurrogateBackupInProgress;
    if (!refused)
        registry_remove(inst);
    registry_release(inst);
    return err == JET_errNotInitialized ? JET_errSuccess : err; /* created only: nothing to end */
}

JET_ERR
JetTerm(JET_INSTANCE instance)
{
    return JetTerm2(instance, JET_bitTermAbrupt);
}

/**
 * JetStopService: from now on every call but JetTerm gives JET_errClientRequestToStopJetService.
 *
 * JET_errInvalidParameter, JET_errInvalidInstance, JET_errRunningInMultiInstanceMode (legacy form),
 * JET_errNotInitialized (legacy form, no instance), JET_errInvalidGrbit.
 */
JET_ERR
JetStopServiceInstance2(JET_INSTANCE instance, JET_GRBIT grbit)
{
    const JET_GRBIT partial =
        JET_bitStopServiceBackgroundUserTasks | JET_bitStopServiceQuiesceCaches;
    if (grbit & ~(partial | JET_bitStopServiceResume))
        return JET_errInvalidGrbit;
    struct instance *inst = NULL;
    JET_ERR err = registry_find(instance, &inst);
    if (err < 0)
        return err;
    if (grbit == 0)
        instance_stop_service(inst);
    else if (grbit & JET_bitStopServiceResume && inst->service_stopped)
        err = JET_errClientRequestToStopJetService; /* a full stop is for good */
    registry_release(inst);
    return err;
}

JET_ERR
JetStopServiceInstance(JET_INSTANCE instance)
{
    return JetStopServiceInstance2(instance, JET_bitStopServiceAll);
}

JET_ERR
JetStopService(void)
{
    struct instance *inst = NULL;
    JET_ERR err = registry_find_legacy(&inst);
    if (err < 0)
        return err;
    instance_stop_service(inst);
    registry_release(inst);
    return JET_errSuccess;
}

/** JetGetVersion. JET_errInvalidSesid, JET_errInvalidParameter. */
JET_ERR
JetGetVersion(JET_SESID sesid, uint32_t *pwVersion)
{
    if (!pwVersion)
        return JET_errInvalidParameter;
    struct api_session *session;
    JET_ERR err = api_enter(sesid, &session);
    if (err < 0)
        return err;
    *pwVersion = ENGINE_VERSION;
    api_leave(session);
    return JET_errSuccess;
}

/** JetFreeBuffer: gives back what a Jet call allocated. NULL is fine. */
JET_ERR
JetFreeBuffer(char *pbBuf)
{
    g_free(pbBuf);
    return JET_errSuccess;
}
