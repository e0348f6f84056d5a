/* SPDX-License-Identifier: MIT */
/*
 * snapshot: backups that others take: JetOSSnapshot*, JetBeginSurrogateBackup. What each answers
 * stands in backup/snapshot.h and backup/context.h; calls with an instance add the gate's errors:
 * JET_errInvalidParameter, JET_errInvalidInstance, JET_errClientRequestToStopJetService,
 * JET_errInstanceUnavailable, JET_errTermInProgress, JET_errRestoreInProgress,
 * JET_errNotInitialized.
 */
#include "api/api.h"
#include "backup/context.h"
#include "backup/snapshot.h"

/** JetOSSnapshotPrepare: a session of all instances that run, or (JET_bitExplicitPrepare) of none
 * yet. snapshot_prepare. */
JET_ERR
JetOSSnapshotPrepare(JET_OSSNAPID *psnapId, JET_GRBIT grbit)
{
    return snapshot_prepare(psnapId, grbit, api_each_running);
}

/** JetOSSnapshotPrepareInstance: one more instance. snapshot_prepare_instance. */
JET_ERR
JetOSSnapshotPrepareInstance(JET_OSSNAPID snapId, JET_INSTANCE instance, JET_GRBIT grbit)
{
    struct instance *inst;
    JET_ERR err = api_enter_instance(instance, &inst);
    if (err < 0)
        return err;
    err = snapshot_prepare_instance(snapId, inst, grbit);
    api_leave_instance(inst);
    return err;
}

typedef JET_ERR (*described_call)(JET_OSSNAPID id, JET_GRBIT grbit, snapshot_describe describe,
                                  void *ctx);

static JET_ERR
call_described(described_call call, JET_OSSNAPID id, JET_GRBIT grbit,
               struct api_instance_info *info)
{
    if (grbit)
        return JET_errInvalidGrbit;
    if (!info->count || !info->out)
        return JET_errInvalidParameter;
    return call(id, grbit, api_describe_instances, info);
}

/**
 * JetOSSnapshotFreeze: returns when nothing is written any more, and tells of whom. Everything that
 * was committed before is in the files. Who commits now waits for JetOSSnapshotThaw, or for
 * JET_paramOSSnapshotTimeout. snapshot_freeze; JET_errInvalidParameter: no place for the result.
 */
JET_ERR
JetOSSnapshotFreezeA(JET_OSSNAPID snapId, uint32_t *pcInstanceInfo,
                     JET_INSTANCE_INFO_A **paInstanceInfo, JET_GRBIT grbit)
{
    struct api_instance_info info = {pcInstanceInfo, (void **)paInstanceInfo, false};
    return call_described(snapshot_freeze, snapId, grbit, &info);
}

JET_ERR
JetOSSnapshotFreezeW(JET_OSSNAPID snapId, uint32_t *pcInstanceInfo,
                     JET_INSTANCE_INFO_W **paInstanceInfo, JET_GRBIT grbit)
{
    struct api_instance_info info = {pcInstanceInfo, (void **)paInstanceInfo, true};
    return call_described(snapshot_freeze, snapId, grbit, &info);
}

/** JetOSSnapshotThaw: the snapshot was taken. JET_errOSSnapshotTimeOut: too late, it is worth
 * nothing. snapshot_thaw. */
JET_ERR
JetOSSnapshotThaw(JET_OSSNAPID snapId, JET_GRBIT grbit)
{
    return snapshot_thaw(snapId, grbit);
}

/** JetOSSnapshotAbort: JetOSSnapshotEnd with JET_bitAbortSnapshot. JET_errInvalidGrbit: not 0. */
JET_ERR
JetOSSnapshotAbort(JET_OSSNAPID snapId, JET_GRBIT grbit)
{
    return grbit ? JET_errInvalidGrbit : snapshot_end(snapId, JET_bitAbortSnapshot);
}

/** JetOSSnapshotTruncateLog: deletes logs that the snapshot holds and no recovery needs.
 * snapshot_truncate. */
JET_ERR
JetOSSnapshotTruncateLog(JET_OSSNAPID snapId, JET_GRBIT grbit)
{
    return snapshot_truncate(snapId, NULL, grbit);
}

/** The same of one instance. */
JET_ERR
JetOSSnapshotTruncateLogInstance(JET_OSSNAPID snapId, JET_INSTANCE instance, JET_GRBIT grbit)
{
    struct instance *inst;
    JET_ERR err = api_enter_instance(instance, &inst);
    if (err < 0)
        return err;
    err = snapshot_truncate(snapId, inst, grbit);
    api_leave_instance(inst);
    return err;
}

/** JetOSSnapshotGetFreezeInfo: what JetOSSnapshotFreeze told, or would tell. snapshot_info;
 * JET_errInvalidParameter: no place for the result. */
JET_ERR
JetOSSnapshotGetFreezeInfoA(JET_OSSNAPID snapId, uint32_t *pcInstanceInfo,
                            JET_INSTANCE_INFO_A **paInstanceInfo, JET_GRBIT grbit)
{
    struct api_instance_info info = {pcInstanceInfo, (void **)paInstanceInfo, false};
    return call_described(snapshot_info, snapId, grbit, &info);
}

JET_ERR
JetOSSnapshotGetFreezeInfoW(JET_OSSNAPID snapId, uint32_t *pcInstanceInfo,
                            JET_INSTANCE_INFO_W **paInstanceInfo, JET_GRBIT grbit)
{
    struct api_instance_info info = {pcInstanceInfo, (void **)paInstanceInfo, true};
    return call_described(snapshot_info, snapId, grbit, &info);
}

/** JetOSSnapshotEnd: the session is over; with 0 the databases' headers name it as their last
 * backup. snapshot_end. */
JET_ERR
JetOSSnapshotEnd(JET_OSSNAPID snapId, JET_GRBIT grbit)
{
    return snapshot_end(snapId, grbit);
}

/** JetBeginSurrogateBackup: somebody copies what holds the logs lgenFirst to lgenLast. grbit 0 or
 * JET_bitBackupIncremental. context_begin_surrogate. */
JET_ERR
JetBeginSurrogateBackup(JET_INSTANCE instance, uint32_t lgenFirst, uint32_t lgenLast,
                        JET_GRBIT grbit)
{
    struct instance *inst;
    JET_ERR err = api_enter_instance(instance, &inst);
    if (err < 0)
        return err;
    err = context_begin_surrogate(inst, lgenFirst, lgenLast, grbit);
    api_leave_instance(inst);
    return err;
}

/** JetEndSurrogateBackup: grbit as of JetEndExternalBackupInstance2. context_end_surrogate. */
JET_ERR
JetEndSurrogateBackup(JET_INSTANCE instance, JET_GRBIT grbit)
{
    struct instance *inst;
    JET_ERR err = api_enter_instance(instance, &inst);
    if (err < 0)
        return err;
    err = context_end_surrogate(inst, grbit);
    api_leave_instance(inst);
    return err;
}
