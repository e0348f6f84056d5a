/* SPDX-License-Identifier: MIT */
/*
 * restore_directory: JetRestore, JetRestore2, JetRestoreInstance: back from where JetBackup went.
 */
#include <glib.h>

#include "api/api.h"
#include "backup/restore_directory.h"
#include "esentx.h"
#include "instance/registry.h"

/* Paths and names as the parameters have them at this moment. */
static JET_ERR
restore_with(const struct params *set, struct events *events, const char *source, const char *dest,
             JET_PFNSTATUS pfn)
{
    g_autofree char *log_dir =
        g_canonicalize_filename(params_text(set, JET_paramLogFilePath), NULL);
    g_autofree char *system_dir =
        g_canonicalize_filename(params_text(set, JET_paramSystemPath), NULL);
    g_autofree char *base = g_strdup(params_text(set, JET_paramBaseName));
    struct restore_directory_params params = {.source = source,
                                              .dest = dest,
                                              .log_dir = log_dir,
                                              .checkpoint_dir = system_dir,
                                              .base = base,
                                              .pfn = pfn,
                                              .events = events};
    return restore_directory(&params);
}

/* An instance that was created, not initialized. Others see JET_errRestoreInProgress meanwhile. */
static JET_ERR
restore_instance(struct instance *inst, const char *source, const char *dest, JET_PFNSTATUS pfn)
{
    g_mutex_lock(&inst->state_lock);
    JET_ERR err = inst->state != INSTANCE_CREATED ? JET_errAlreadyInitialized
                  : inst->restoring               ? JET_errRestoreInProgress
                                                  : JET_errSuccess;
    if (err >= 0)
        inst->restoring = true;
    g_mutex_unlock(&inst->state_lock);
    if (err < 0)
        return err;
    struct events *events = events_new(&(struct event_options) {
        .source = params_text(inst->params, JET_paramEventSource),
        .instance = inst->display_name,
        .file = params_text(inst->params, JET_paramJetxEventFile),
        .no_information = params_number(inst->params, JET_paramNoInformationEvent) != 0,
        .level = (uint32_t)params_number(inst->params, JET_paramEventLoggingLevel)});
    err = restore_with(inst->params, events, source, dest, pfn);
    events_free(events);
    g_mutex_lock(&inst->state_lock);
    inst->restoring = false;
    g_mutex_unlock(&inst->state_lock);
    return err;
}

/* With the process' parameters, by an instance that is there only for the restore. */
static JET_ERR
restore_private(enum registry_mode mode, const char *source, const char *dest, JET_PFNSTATUS pfn)
{
    JET_ERR err = registry_enter_mode(mode);
    if (err < 0)
        return err;
    registry_lock();
    struct instance *inst = instance_new(params_copy(registry_defaults()), "Restore", "Restore");
    registry_unlock();
    err = registry_add(inst);
    if (err < 0) {
        instance_free(inst);
    } else {
        err = restore_instance(inst, source, dest, pfn);
        registry_remove(inst);
        registry_release(inst);
    }
    registry_leave_mode();
    return err;
}

/**
 * JetRestoreInstance: restores a directory of JetBackup to szDest (NULL: where the databases lay),
 * and rolls forward through the logs of the instance, which was created but not initialized; 0 or
 * JET_instanceNil: one for this call, with the process' parameters. pfn gets JET_snpRestore.
 *
 * JET_errInvalidParameter: no szSource; JET_errAlreadyInitialized; JET_errInvalidInstance;
 * JET_errRunningInOneInstanceMode; those of restore_directory (backup/restore_directory.h).
 */
JET_ERR
JetRestoreInstanceA(JET_INSTANCE instance, JET_PCSTR szSource, JET_PCSTR szDest, JET_PFNSTATUS pfn)
{
    if (!szSource || !szSource[0])
        return JET_errInvalidParameter;
    if (instance == 0 || instance == JET_instanceNil)
        return restore_private(REGISTRY_MULTI, szSource, szDest, pfn);
    struct instance *inst;
    JET_ERR err = registry_find(instance, &inst);
    if (err < 0)
        return err;
    err = restore_instance(inst, szSource, szDest, pfn);
    registry_release(inst);
    return err;
}

JET_ERR
JetRestoreInstanceW(JET_INSTANCE instance, JET_PCWSTR szSource, JET_PCWSTR szDest,
                    JET_PFNSTATUS pfn)
{
    g_autofree char *source = NULL, *dest = NULL;
    JET_ERR err = api_from_wide(szSource, &source);
    if (err >= 0)
        err = api_from_wide(szDest, &dest);
    return err < 0 ? err : JetRestoreInstanceA(instance, source, dest, pfn);
}

/**
 * JetRestore, JetRestore2: the same in one-instance mode. JET_errAlreadyInitialized: the instance
 * runs; JET_errRunningInMultiInstanceMode.
 */
JET_ERR
JetRestore2A(JET_PCSTR szSource, JET_PCSTR szDest, JET_PFNSTATUS pfn)
{
    if (!szSource || !szSource[0])
        return JET_errInvalidParameter;
    struct instance *inst;
    if (registry_mode() == REGISTRY_ONE && registry_find_legacy(&inst) >= 0) {
        JET_ERR err = restore_instance(inst, szSource, szDest, pfn);
        registry_release(inst);
        return err;
    }
    return restore_private(REGISTRY_ONE, szSource, szDest, pfn);
}

JET_ERR
JetRestore2W(JET_PCWSTR szSource, JET_PCWSTR szDest, JET_PFNSTATUS pfn)
{
    g_autofree char *source = NULL, *dest = NULL;
    JET_ERR err = api_from_wide(szSource, &source);
    if (err >= 0)
        err = api_from_wide(szDest, &dest);
    return err < 0 ? err : JetRestore2A(source, dest, pfn);
}

JET_ERR
JetRestoreA(JET_PCSTR szSource, JET_PFNSTATUS pfn)
{
    return JetRestore2A(szSource, NULL, pfn);
}

JET_ERR
JetRestoreW(JET_PCWSTR szSource, JET_PFNSTATUS pfn)
{
    return JetRestore2W(szSource, NULL, pfn);
}
