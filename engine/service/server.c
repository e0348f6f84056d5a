/* SPDX-License-Identifier: MIT */
#include "service/server.h"

#include "backup/context.h"
#include "instance/instance.h"
#include "service/service.h"

static JET_ERR
begin_frozen(void *ctx, JET_GRBIT grbit)
{
    struct instance *inst = ctx;
    JET_ERR err = instance_enter(inst);
    if (err < 0)
        return err;
    err = context_begin_frozen(inst, grbit);
    instance_leave(inst);
    return err;
}

static JET_ERR
files(void *ctx, JETX_BACKUPFILE **list, uint32_t *n)
{
    struct instance *inst = ctx;
    JET_ERR err = instance_enter(inst);
    if (err < 0)
        return err;
    err = context_files(inst, list, n);
    instance_leave(inst);
    return err;
}

static JET_ERR
open_file(void *ctx, const char *name, struct frozen_file *file)
{
    struct instance *inst = ctx;
    JET_ERR err = instance_enter(inst);
    if (err < 0)
        return err;
    err = context_open_parts(inst, name, file);
    instance_leave(inst);
    return err;
}

static JET_ERR
manifest(void *ctx, char **json)
{
    struct instance *inst = ctx;
    JET_ERR err = instance_enter(inst);
    if (err < 0)
        return err;
    err = context_manifest(inst, json);
    instance_leave(inst);
    return err;
}

static JET_ERR
status(void *ctx, JETX_BACKUPSTATUS *out)
{
    return context_status(ctx, out);
}

static JET_ERR
set_limits(void *ctx, const JETX_BACKUPLIMITS *limits)
{
    struct instance *inst = ctx;
    JET_ERR err = instance_enter(inst);
    if (err < 0)
        return err;
    err = context_set_limits(inst, limits);
    instance_leave(inst);
    return err;
}

static JET_ERR
progress(void *ctx, const struct backup_progress *what)
{
    struct instance *inst = ctx;
    JET_ERR err = instance_enter(inst);
    if (err < 0)
        return err;
    err = context_progress(inst, what);
    instance_leave(inst);
    return err;
}

static JET_ERR
truncate_logs(void *ctx)
{
    struct instance *inst = ctx;
    JET_ERR err = instance_enter(inst);
    if (err < 0)
        return err;
    err = context_truncate(inst);
    instance_leave(inst);
    return err;
}

/* A client that is gone has to be cleaned up after, whatever the gate says (JetStopService closes
 * it for good); the instance stays until the service's thread is joined. */
static JET_ERR
end(void *ctx, JET_GRBIT grbit)
{
    struct instance *inst = ctx;
    JET_ERR gate = instance_enter(inst);
    if (gate < 0 && grbit != JET_bitBackupEndAbort)
        return gate;
    JET_ERR err = context_end(inst, grbit);
    if (gate >= 0)
        instance_leave(inst);
    return err;
}

static JET_ERR
stop(void *ctx)
{
    context_stop(ctx);
    return JET_errSuccess;
}

static const struct service_backend backend = {
    .begin_frozen = begin_frozen,
    .files = files,
    .open = open_file,
    .manifest = manifest,
    .status = status,
    .set_limits = set_limits,
    .progress = progress,
    .truncate = truncate_logs,
    .end = end,
    .stop = stop,
};

JET_ERR
server_start(struct instance *inst)
{
    if (params_number(inst->params, JET_paramJetxBackupService) == 0)
        return JET_errSuccess;
    struct service *service = NULL;
    JET_ERR err = service_start(inst->log_dir, params_text(inst->params, JET_paramBaseName),
                                &backend, inst, &service);
    if (err >= 0)
        inst->service = service;
    return err;
}

void
server_stop(struct instance *inst)
{
    service_stop(g_atomic_pointer_exchange(&inst->service, NULL), JET_errBackupAbortByServer);
}
