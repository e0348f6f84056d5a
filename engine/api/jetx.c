/* SPDX-License-Identifier: MIT */
/*
 * jetx: frozen sessions (esentx.h), of an instance here, in another process, or of files alone.
 */
#include <string.h>

#include "api/api.h"
#include "api/target.h"
#include "backup/context.h"
#include "backup/offline.h"
#include "base/error.h"
#include "esentx.h"
#include "instance/registry.h"
#include "service/remote.h"

JET_ERR
JetxBeginFrozenBackup(JET_INSTANCE inst, JET_GRBIT grbit)
{
    struct target t;
    JET_ERR err = target_enter(inst, &t);
    if (err < 0)
        return err;
    err = t.inst     ? context_begin_frozen(t.inst, grbit)
          : t.remote ? remote_begin_frozen(t.remote, grbit)
                     : offline_begin(t.offline, grbit);
    target_leave(&t);
    return err;
}

JET_ERR
JetxGetFrozenFiles(JET_INSTANCE inst, JETX_BACKUPFILE **prg, uint32_t *pc)
{
    struct target t;
    if (!prg || !pc)
        return JET_errInvalidParameter;
    JET_ERR err = target_enter(inst, &t);
    if (err < 0)
        return err;
    err = t.inst     ? context_files(t.inst, prg, pc)
          : t.remote ? remote_files(t.remote, prg, pc)
                     : offline_files(t.offline, prg, pc);
    target_leave(&t);
    return err;
}

JET_ERR
JetxReadFileAt(JET_INSTANCE inst, JET_HANDLE hf, uint64_t ib, void *pv, uint32_t cb,
               uint32_t *pcbActual)
{
    struct target t;
    uint32_t got = 0;
    if (!pv && cb > 0)
        return JET_errInvalidParameter;
    JET_ERR err = target_enter(inst, &t);
    if (err < 0)
        return err;
    err = t.inst     ? context_read_at(t.inst, hf, ib, pv, cb, &got)
          : t.remote ? remote_read_file_at(t.remote, hf, ib, pv, cb, &got)
                     : offline_read_file_at(t.offline, hf, ib, pv, cb, &got);
    target_leave(&t);
    if (err >= 0 && pcbActual)
        *pcbActual = got;
    return err;
}

JET_ERR
JetxGetBackupStatus(JET_INSTANCE inst, JETX_BACKUPSTATUS *pstatus)
{
    struct target t;
    struct instance *local = NULL;
    if (!pstatus || pstatus->cbStruct < sizeof pstatus->cbStruct)
        return JET_errInvalidParameter;
    if (target_enter_peer(inst, &t)) {
        JET_ERR err =
            t.remote ? remote_status(t.remote, pstatus) : offline_status(t.offline, pstatus);
        target_leave(&t);
        return err;
    }
    JET_ERR err = registry_find(inst, &local); /* no gate: also while the instance goes down */
    if (err < 0)
        return err;
    err = context_status(local, pstatus);
    registry_release(local);
    return err;
}

JET_ERR
JetxGetManifestA(JET_INSTANCE inst, char **psz)
{
    struct target t;
    if (!psz)
        return JET_errInvalidParameter;
    JET_ERR err = target_enter(inst, &t);
    if (err < 0)
        return err;
    err = t.inst     ? context_manifest(t.inst, psz)
          : t.remote ? remote_manifest(t.remote, psz)
                     : offline_manifest(t.offline, psz);
    target_leave(&t);
    return err;
}

const char *
JetxErrorNameA(JET_ERR err)
{
    return error_name(err);
}

const char *
JetxErrorTextA(JET_ERR err)
{
    return error_text(err);
}
