/* SPDX-License-Identifier: MIT */
/* transaction: JetBeginTransaction, JetCommitTransaction, JetRollback. */
#include <string.h>

#include "api/api.h"
#include "log/stream.h"
#include "txn/session.h"

/**
 * JetBeginTransaction(2). JET_errTransTooDeep: 7 levels are open; JET_errInvalidSesid,
 * JET_errSessionSharingViolation, JET_errInvalidGrbit, JET_errLogDiskFull, JET_errLogWriteFail.
 */
JET_ERR
JetBeginTransaction2(JET_SESID sesid, JET_GRBIT grbit)
{
    if (grbit & ~JET_bitTransactionReadOnly)
        return JET_errInvalidGrbit;
    struct api_session *session;
    JET_ERR err = api_enter(sesid, &session);
    if (err < 0)
        return err;
    err = session_begin(session->s, grbit);
    api_leave(session);
    return err;
}

JET_ERR
JetBeginTransaction(JET_SESID sesid)
{
    return JetBeginTransaction2(sesid, 0);
}

/**
 * JetCommitTransaction(2): ends the innermost level. The outermost is durable on return, unless
 * grbit has JET_bitCommitLazyFlush. *pCommitId names the commit: commitId grows with commit order,
 * and is 0 for a transaction that changed nothing.
 *
 * JET_errNotInTransaction; JET_errInvalidGrbit; JET_errInvalidSesid; JET_errLogWriteFail,
 * JET_errLogDiskFull: not known to be durable, the instance must be restarted.
 */
JET_ERR
JetCommitTransaction2(JET_SESID sesid, JET_GRBIT grbit, uint32_t cmsecDurableCommit,
                      JET_COMMIT_ID *pCommitId)
{
    const JET_GRBIT known =
        JET_bitCommitLazyFlush | JET_bitWaitLastLevel0Commit | JET_bitWaitAllLevel0Commit;
    if (grbit & ~known)
        return JET_errInvalidGrbit;
    struct api_session *session;
    JET_ERR err = api_enter(sesid, &session);
    if (err < 0)
        return err;
    grbit |= (JET_GRBIT)params_number(session->inst->params, JET_paramCommitDefault) & known;
    uint64_t id = 0;
    err = session_commit(session->s, grbit, &id);
    if (pCommitId && err >= 0) {
        memset(pCommitId, 0, sizeof(*pCommitId));
        memcpy(&pCommitId->signLog, log_signature(session->inst->log), sizeof(JET_SIGNATURE));
        pCommitId->commitId = (int64_t)id;
    }
    api_leave(session);
    return err;
}

JET_ERR
JetCommitTransaction(JET_SESID sesid, JET_GRBIT grbit)
{
    return JetCommitTransaction2(sesid, grbit, 0, NULL);
}

/**
 * JetRollback: takes back the innermost level, or all with JET_bitRollbackAll.
 *
 * JET_errNotInTransaction; JET_errInvalidGrbit; JET_errInvalidSesid; JET_errRollbackError: the
 * instance is unavailable from now on, the next JetInit takes the transaction back.
 */
JET_ERR
JetRollback(JET_SESID sesid, JET_GRBIT grbit)
{
    if (grbit & ~JET_bitRollbackAll)
        return JET_errInvalidGrbit;
    struct api_session *session;
    JET_ERR err = api_enter(sesid, &session);
    if (err < 0)
        return err;
    err = session_rollback(session->s, grbit);
    if (err == JET_errRollbackError)
        instance_fail(session->inst, err);
    api_leave(session);
    return err;
}
