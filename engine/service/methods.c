/* SPDX-License-Identifier: MIT */
/*
 * methods: net.jetfs.Backup1, one function per method. They answer with what the session's call
 * returned; the only rule made here is that a session belongs to the connection that began it.
 */
#include "service/service_state.h"
#include "service/wire.h"

void
service_end_session(struct service *service, bool by_server)
{
    if (!service->owner)
        return;
    service->owner = NULL;
    if (by_server)
        (void)service->backend.stop(service->ctx);
    (void)service->backend.end(service->ctx,
                               by_server ? JET_bitBackupEndNormal : JET_bitBackupEndAbort);
}

static void
answer(GDBusMethodInvocation *invocation, JET_ERR err)
{
    g_dbus_method_invocation_return_value(invocation, g_variant_new("(i)", err));
}

/* 0 if the session is this peer's. */
static JET_ERR
check_owner(const struct peer *peer)
{
    return peer->service->owner == peer ? JET_errSuccess : JET_errNoBackup;
}

/* A name argument: a byte string, at argument i. Points into args. */
static const char *
name_arg(GVariant *args, gsize i)
{
    g_autoptr(GVariant) v = g_variant_get_child_value(args, i);
    return g_variant_get_bytestring(v);
}

/* A session that died by itself is over, whether or not its client notices: attach, detach and the
 * next session must not wait for one that hangs. */
static void
end_dead_session(struct service *service)
{
    JETX_BACKUPSTATUS status = {.cbStruct = sizeof(status)};
    if (!service->owner || service->backend.status(service->ctx, &status) < 0 ||
        status.errSession >= 0)
        return;
    (void)g_dbus_connection_emit_signal(service->owner->bus, NULL, WIRE_PATH, WIRE_INTERFACE,
                                        "SessionEnded", g_variant_new("(i)", status.errSession),
                                        NULL);
    service_end_session(service, true);
}

static gboolean
look_at_session(gpointer arg)
{
    struct service *service = arg;
    end_dead_session(service);
    if (service->owner)
        return G_SOURCE_CONTINUE;
    g_clear_pointer(&service->look, g_source_unref);
    return G_SOURCE_REMOVE;
}

static void
watch_session(struct service *service)
{
    if (service->look)
        return;
    service->look = g_timeout_source_new_seconds(1);
    g_source_set_callback(service->look, look_at_session, service, NULL);
    g_source_attach(service->look, service->context);
}

static void
begin_frozen(struct peer *peer, GVariant *args, GDBusMethodInvocation *invocation)
{
    struct service *service = peer->service;
    uint32_t grbit;
    g_variant_get(args, "(u)", &grbit);
    end_dead_session(service);
    JET_ERR err = service->stopping ? JET_errTermInProgress
                  : service->owner  ? JET_errBackupInProgress
                                    : service->backend.begin_frozen(service->ctx, grbit);
    if (err >= 0) {
        struct backup_progress holder = {.pid = peer->pid};
        service->owner = peer;
        peer->delivered = 0;
        watch_session(service);
        (void)service->backend.progress(service->ctx, &holder); /* it may be dead already */
    }
    answer(invocation, err);
}

static void
get_files(struct peer *peer, GVariant *args, GDBusMethodInvocation *invocation)
{
    g_autofree JETX_BACKUPFILE *files = NULL;
    uint32_t n = 0;
    JET_ERR err = check_owner(peer);
    if (err >= 0)
        err = peer->service->backend.files(peer->service->ctx, &files, &n);
    g_dbus_method_invocation_return_value(invocation, wire_files_put(err, files, err < 0 ? 0 : n));
}

static void
open_file(struct peer *peer, GVariant *args, GDBusMethodInvocation *invocation)
{
    struct frozen_file file = FROZEN_FILE_NONE;
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    JET_ERR err = check_owner(peer);
    if (err >= 0)
        err = peer->service->backend.open(peer->service->ctx, name_arg(args, 0), &file);
    GVariant *reply = wire_open_put(err, &file, fds);
    frozen_file_clear(&file);
    g_dbus_method_invocation_return_value_with_unix_fd_list(invocation, reply, fds);
}

static void
get_manifest(struct peer *peer, GVariant *args, GDBusMethodInvocation *invocation)
{
    g_autofree char *json = NULL;
    JET_ERR err = check_owner(peer);
    if (err >= 0)
        err = peer->service->backend.manifest(peer->service->ctx, &json);
    g_dbus_method_invocation_return_value(
        invocation, g_variant_new("(i^ay)", err, err >= 0 && json ? json : ""));
}

static void
get_status(struct peer *peer, GVariant *args, GDBusMethodInvocation *invocation)
{
    JETX_BACKUPSTATUS status = {.cbStruct = sizeof(status)};
    JET_ERR err = peer->service->backend.status(peer->service->ctx, &status);
    g_dbus_method_invocation_return_value(invocation, wire_status_put(err, &status));
}

static void
set_limits(struct peer *peer, GVariant *args, GDBusMethodInvocation *invocation)
{
    JETX_BACKUPLIMITS limits = {.cbStruct = sizeof(limits)};
    JET_ERR err = check_owner(peer);
    g_variant_get(args, "(ttttuu)", &limits.secMaxAge, &limits.secIdle, &limits.cbPreimage,
                  &limits.cbPinnedLog, &limits.pctPreimage, &limits.pctPinnedLog);
    if (err >= 0)
        err = peer->service->backend.set_limits(peer->service->ctx, &limits);
    answer(invocation, err);
}

static void
progress(struct peer *peer, GVariant *args, GDBusMethodInvocation *invocation)
{
    struct backup_progress what = {.pid = peer->pid};
    uint64_t delivered;
    const char *mount = name_arg(args, 1);
    JET_ERR err = check_owner(peer);
    g_variant_get(args, "(t@aytt)", &delivered, NULL, &what.required, &what.served);
    what.mount = what.required > 0 ? mount : NULL;
    what.read = delivered > peer->delivered;
    if (err >= 0)
        err = peer->service->backend.progress(peer->service->ctx, &what);
    if (err >= 0)
        peer->delivered = delivered;
    answer(invocation, err);
}

static void
truncate_logs(struct peer *peer, GVariant *args, GDBusMethodInvocation *invocation)
{
    JET_ERR err = check_owner(peer);
    if (err >= 0)
        err = peer->service->backend.truncate(peer->service->ctx);
    answer(invocation, err);
}

static void
end(struct peer *peer, GVariant *args, GDBusMethodInvocation *invocation)
{
    uint32_t grbit;
    JET_ERR err = check_owner(peer);
    g_variant_get(args, "(u)", &grbit);
    if (err >= 0) {
        err = peer->service->backend.end(peer->service->ctx, grbit);
        if (err != JET_errInvalidParameter) /* a wrong grbit ends nothing */
            peer->service->owner = NULL;
    }
    answer(invocation, err);
}

static void
stop(struct peer *peer, GVariant *args, GDBusMethodInvocation *invocation)
{
    answer(invocation, peer->service->backend.stop(peer->service->ctx));
}

static const struct {
    const char *name;
    void (*call)(struct peer *peer, GVariant *args, GDBusMethodInvocation *invocation);
} methods[] = {
    {"BeginFrozen", begin_frozen},
    {"GetFiles", get_files},
    {"OpenFile", open_file},
    {"GetManifest", get_manifest},
    {"GetStatus", get_status},
    {"SetLimits", set_limits},
    {"Progress", progress},
    {"Truncate", truncate_logs},
    {"End", end},
    {"Stop", stop},
};

void
service_method_call(GDBusConnection *bus, const gchar *sender, const gchar *path,
                    const gchar *interface, const gchar *method, GVariant *args,
                    GDBusMethodInvocation *invocation, gpointer user_data)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(methods); i++) {
        if (g_str_equal(methods[i].name, method)) {
            methods[i].call(user_data, args, invocation);
            return;
        }
    }
    g_assert_not_reached(); /* GDBus asks for what backup.xml has */
}
