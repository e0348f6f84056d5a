/* SPDX-License-Identifier: MIT */
/*
 * jetx: frozen sessions (esentx.h), of an instance here, in another process, or of files alone.
 */
#include <string.h>

#include "api/api.h"
#include "api/target.h"
#include "backup/context.h"
#include "backup/offline.h"
#include "backup/recovered.h"
#include "base/error.h"
#include "esentx.h"
#include "instance/registry.h"
#include "service/remote.h"

/* ---- the session of a peer, as recovered.h wants it ---- */

static JET_ERR
source_open(void *ctx, const char *name, JET_HANDLE *hf, uint64_t *size)
{
    struct target *t = ctx;
    return t->remote ? remote_open_file(t->remote, name, hf, size)
                     : offline_open_file(t->offline, name, hf, size);
}

static JET_ERR
source_read(void *ctx, JET_HANDLE hf, uint64_t ib, void *pv, uint32_t cb, uint32_t *actual)
{
    struct target *t = ctx;
    return t->remote ? remote_read_file_at(t->remote, hf, ib, pv, cb, actual)
                     : offline_read_file_at(t->offline, hf, ib, pv, cb, actual);
}

static JET_ERR
source_close(void *ctx, JET_HANDLE hf)
{
    struct target *t = ctx;
    return t->remote ? remote_close_file(t->remote, hf) : offline_close_file(t->offline, hf);
}

static JET_ERR
make_recovered(struct target *t, JETX_BACKUPSTATUS *status, struct offline **clean)
{
    JETX_BACKUPFILE *files = NULL;
    uint32_t n = 0;
    JET_ERR err =
        t->remote ? remote_files(t->remote, &files, &n) : offline_files(t->offline, &files, &n);
    if (err >= 0)
        err = t->remote ? remote_status(t->remote, status) : offline_status(t->offline, status);
    struct recovered_source source = {files, n, source_open, source_read, source_close, t};
    if (err >= 0)
        err = recovered_make(&source, NULL, clean);
    g_free(files);
    return err;
}

/* The session itself ends as soon as the private copy is recovered: nothing stays pinned. */
static JET_ERR
begin_recovered(struct target *t)
{
    JETX_BACKUPSTATUS status = {.cbStruct = sizeof status};
    struct offline *clean = NULL;
    if (t->inst)
        return JET_errFeatureNotAvailable;
    JET_ERR err = t->remote ? remote_begin_frozen(t->remote, 0) : offline_begin(t->offline, 0);
    if (err < 0)
        return err;
    err = make_recovered(t, &status, &clean);
    JET_GRBIT how = err < 0 ? JET_bitBackupEndAbort : JET_bitBackupEndNormal;
    JET_ERR ended = t->remote ? remote_end(t->remote, how) : offline_end(t->offline, how);
    if (err >= 0)
        err = ended;
    if (err >= 0)
        err = offline_begin(clean, 0);
    if (err < 0) {
        offline_free(clean);
        return err;
    }
    offline_adopt_status(clean, &status);
    target_set_recovered(t, clean);
    return JET_errSuccess;
}

JET_ERR
JetxBeginFrozenBackup(JET_INSTANCE inst, JET_GRBIT grbit)
{
    struct target t;
    JET_ERR err = target_enter(inst, &t);
    if (err < 0)
        return err;
    if (grbit == JETX_bitFrozenRecovered)
        err = begin_recovered(&t);
    else
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
        JETX_BACKUPSTATUS now = {.cbStruct = sizeof now};
        uint32_t cb = pstatus->cbStruct;
        JET_ERR err = t.remote ? remote_status(t.remote, &now) : offline_status(t.offline, &now);
        target_leave(&t);
        if (err >= 0) { /* the caller's struct may be older, and shorter */
            now.cbStruct = cb;
            memcpy(pstatus, &now, MIN(cb, sizeof now));
        }
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
JetxSetBackupLimits(JET_INSTANCE inst, const JETX_BACKUPLIMITS *plimits)
{
    struct target t;
    if (!plimits || plimits->cbStruct < sizeof *plimits || plimits->pctPreimage > 100 ||
        plimits->pctPinnedLog > 100)
        return JET_errInvalidParameter;
    JET_ERR err = target_enter(inst, &t);
    if (err < 0)
        return err;
    err = t.inst     ? context_set_limits(t.inst, plimits)
          : t.remote ? remote_set_limits(t.remote, plimits)
                     : JET_errSuccess;
    target_leave(&t);
    return err;
}

JET_ERR
JetxReportBackupProgress(JET_INSTANCE inst, const JETX_BACKUPPROGRESS *pprogress)
{
    struct target t;
    if (!pprogress || pprogress->cbStruct < sizeof *pprogress ||
        !memchr(pprogress->szMount, 0, sizeof pprogress->szMount))
        return JET_errInvalidParameter;
    JET_ERR err = target_enter(inst, &t);
    if (err < 0)
        return err;
    struct backup_progress what = {.mount = pprogress->szMount,
                                   .required = pprogress->cbRequired,
                                   .served = pprogress->cbServed};
    err = t.inst     ? context_progress(t.inst, &what)
          : t.remote ? remote_progress(t.remote, pprogress)
                     : JET_errSuccess;
    target_leave(&t);
    return err;
}

JET_ERR
JetxGetPreservedPages(JET_INSTANCE inst, JET_HANDLE hf, uint32_t cCell, uint32_t *rgcPage)
{
    struct target t;
    if (!rgcPage || cCell == 0)
        return JET_errInvalidParameter;
    JET_ERR err = target_enter(inst, &t);
    if (err < 0)
        return err;
    err = t.inst     ? context_preserved(t.inst, hf, cCell, rgcPage)
          : t.remote ? remote_preserved(t.remote, hf, cCell, rgcPage)
                     : offline_preserved(t.offline, hf, cCell, rgcPage);
    target_leave(&t);
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
