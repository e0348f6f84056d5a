/* SPDX-License-Identifier: MIT */
/* gate: who may be inside an instance, and when; declared in instance/instance.h. */
#include "instance/instance.h"

static JET_ERR
gate_error_locked(const struct instance *inst)
{
    if (inst->service_stopped)
        return JET_errClientRequestToStopJetService;
    if (inst->unavailable == JET_errLogDiskFull)
        return JET_errInstanceUnavailableDueToFatalLogDiskFull;
    if (inst->unavailable < 0)
        return JET_errInstanceUnavailable;
    if (inst->state == INSTANCE_RUNNING)
        return JET_errSuccess;
    if (inst->state == INSTANCE_TERMINATING)
        return JET_errTermInProgress;
    return inst->restoring ? JET_errRestoreInProgress : JET_errNotInitialized;
}

JET_ERR
instance_enter(struct instance *inst)
{
    g_mutex_lock(&inst->state_lock);
    JET_ERR err = gate_error_locked(inst);
    if (err >= 0)
        inst->inside++;
    g_mutex_unlock(&inst->state_lock);
    return err;
}

void
instance_leave(struct instance *inst)
{
    g_mutex_lock(&inst->state_lock);
    g_assert(inst->inside > 0);
    if (--inst->inside == 0)
        g_cond_broadcast(&inst->state_changed);
    g_mutex_unlock(&inst->state_lock);
}

void
instance_stop_service(struct instance *inst)
{
    g_mutex_lock(&inst->state_lock);
    inst->service_stopped = true;
    g_mutex_unlock(&inst->state_lock);
}
