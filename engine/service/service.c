/* SPDX-License-Identifier: MIT */
/*
 * service: the thread, the socket, and the peers' coming and going.
 *
 *   accepted --uid is ours--> authenticating --in time--> bus peer --closed--> gone
 *       |                          |                         |
 *       +---- closed               +---- dropped             +---- its session ends
 */
#include "service/service_state.h"

#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/file.h"
#include "service/backup_info.h"
#include "service/socket.h"
#include "service/wire.h"

#define PEERS_MAX    16
#define AUTH_SECONDS 5
#define FAREWELL_MS  1000

char *
service_socket_path(const char *log_dir, const char *base)
{
    g_autofree char *name = g_strconcat(base, ".backup", NULL);
    return g_build_filename(log_dir, name, NULL);
}

/* ---- peers ---- */

static void peer_closed(GDBusConnection *bus, gboolean vanished, GError *error, gpointer arg);

static void
cut(struct peer *peer)
{
    (void)shutdown(g_socket_get_fd(g_socket_connection_get_socket(peer->stream)), SHUT_RDWR);
}

static void
peer_free(gpointer arg)
{
    struct peer *peer = arg;
    if (peer->timeout) {
        g_source_destroy(peer->timeout);
        g_source_unref(peer->timeout);
    }
    if (peer->bus) {
        g_signal_handlers_disconnect_by_func(peer->bus, (gpointer)peer_closed, peer);
        if (peer->object)
            g_dbus_connection_unregister_object(peer->bus, peer->object);
    }
    cut(peer);
    g_clear_object(&peer->bus);
    g_clear_object(&peer->stream);
    g_clear_object(&peer->cancel);
    g_free(peer);
}

static void
drop_peer(struct peer *peer)
{
    struct service *service = peer->service;
    if (service->owner == peer)
        service_end_session(service, false);
    g_ptr_array_remove_fast(service->peers, peer);
}

static void
peer_closed(GDBusConnection *bus, gboolean vanished, GError *error, gpointer arg)
{
    drop_peer(arg);
}

static gboolean
auth_timed_out(gpointer arg)
{
    struct peer *peer = arg;
    g_cancellable_cancel(peer->cancel);
    cut(peer); /* also wakes what the cancellable does not reach */
    return G_SOURCE_REMOVE;
}

/* The peer has authenticated, or not. */
static void
peer_ready(GObject *source, GAsyncResult *result, gpointer arg)
{
    static const GDBusInterfaceVTable vtable = {.method_call = service_method_call};
    g_autoptr(GError) error = NULL;
    g_autoptr(GDBusConnection) bus = g_dbus_connection_new_finish(result, &error);
    struct peer *peer = arg;
    if (!bus) {
        g_debug("a peer did not authenticate: %s", error->message);
        drop_peer(peer);
        return;
    }
    g_source_destroy(peer->timeout);
    g_clear_pointer(&peer->timeout, g_source_unref);
    peer->bus = g_steal_pointer(&bus);
    g_signal_connect(peer->bus, "closed", G_CALLBACK(peer_closed), peer);
    peer->object = g_dbus_connection_register_object(
        peer->bus, WIRE_PATH, (GDBusInterfaceInfo *)&net_jetfs_backup1_interface, &vtable, peer,
        NULL, NULL);
    g_dbus_connection_start_message_processing(peer->bus);
}

static void
add_peer(struct service *service, int fd)
{
    g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, NULL);
    if (!socket) {
        close(fd);
        return;
    }
    struct peer *peer = g_new0(struct peer, 1);
    peer->service = service;
    peer->pid = service_socket_peer_pid(fd);
    peer->stream = g_socket_connection_factory_create_connection(socket);
    peer->cancel = g_cancellable_new();
    peer->timeout = g_timeout_source_new_seconds(AUTH_SECONDS);
    g_source_set_callback(peer->timeout, auth_timed_out, peer, NULL);
    g_source_attach(peer->timeout, service->context);
    g_ptr_array_add(service->peers, peer);

    g_autofree char *guid = g_dbus_generate_guid();
    g_dbus_connection_new(G_IO_STREAM(peer->stream), guid,
                          G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER |
                              G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
                          NULL, peer->cancel, peer_ready, peer);
}

static gboolean
accept_peer(gint listen_fd, GIOCondition condition, gpointer arg)
{
    struct service *service = arg;
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return G_SOURCE_CONTINUE;
    if (!service_socket_peer_is_ours(fd) || service->peers->len >= PEERS_MAX)
        close(fd);
    else
        add_peer(service, fd);
    return G_SOURCE_CONTINUE;
}

/* ---- the thread ---- */

static gpointer
thread_main(gpointer arg)
{
    struct service *service = arg;
    g_main_context_push_thread_default(service->context);
    g_main_loop_run(service->loop);
    g_main_context_pop_thread_default(service->context);
    return NULL;
}

JET_ERR
service_start(const char *log_dir, const char *base, const struct service_backend *backend,
              void *ctx, struct service **out)
{
    g_autofree char *path = service_socket_path(log_dir, base);
    int fd = -1;
    JET_ERR err = service_socket_listen(path, &fd);
    if (err < 0)
        return err;

    struct service *service = g_new0(struct service, 1);
    service->socket_path = g_steal_pointer(&path);
    service->backend = *backend;
    service->ctx = ctx;
    service->peers = g_ptr_array_new_with_free_func(peer_free);
    service->context = g_main_context_new();
    service->loop = g_main_loop_new(service->context, FALSE);
    service->accept = g_unix_fd_source_new(fd, G_IO_IN);
    g_source_set_callback(service->accept, (GSourceFunc)(void (*)(void))accept_peer, service, NULL);
    g_source_attach(service->accept, service->context);
    service->listen_fd = fd;
    service->thread = g_thread_new("backup-service", thread_main, service);
    *out = service;
    return JET_errSuccess;
}

/* ---- stop ---- */

static void
farewell_flushed(GObject *source, GAsyncResult *result, gpointer arg)
{
    (void)g_dbus_connection_flush_finish(G_DBUS_CONNECTION(source), result, NULL);
    *(bool *)arg = true;
}

/* The client does not read: the flush fails as its socket is cut. */
static gboolean
farewell_timed_out(gpointer arg)
{
    (void)shutdown(GPOINTER_TO_INT(arg), SHUT_RDWR);
    return G_SOURCE_REMOVE;
}

/* Tells the client whose session it was that it is over, and waits a moment for the message to
 * leave. */
static void
say_farewell(struct service *service, struct peer *client)
{
    bool done = false;
    g_autoptr(GSocketConnection) stream = g_object_ref(client->stream);
    g_autoptr(GDBusConnection) bus = g_object_ref(client->bus);
    g_autoptr(GSource) timeout = g_timeout_source_new(FAREWELL_MS);
    int fd = g_socket_get_fd(g_socket_connection_get_socket(stream));
    g_source_set_callback(timeout, farewell_timed_out, GINT_TO_POINTER(fd), NULL);
    g_source_attach(timeout, service->context);

    (void)g_dbus_connection_emit_signal(bus, NULL, WIRE_PATH, WIRE_INTERFACE, "SessionEnded",
                                        g_variant_new("(i)", service->stop_reason), NULL);
    g_dbus_connection_flush(bus, NULL, farewell_flushed, &done);
    while (!done)
        g_main_context_iteration(service->context, TRUE);
    g_source_destroy(timeout);
}

/* Gives up on peers that have not said who they are; the worker that reads them has to notice. */
static void
drop_strangers(struct service *service)
{
    for (unsigned i = 0; i < service->peers->len;) {
        struct peer *peer = service->peers->pdata[i];
        if (peer->bus) {
            i++;
            continue;
        }
        (void)auth_timed_out(peer);
        while (i < service->peers->len && service->peers->pdata[i] == peer)
            g_main_context_iteration(service->context, TRUE);
    }
}

/* In the thread: all down, then out of the loop. */
static gboolean
shut_down(gpointer arg)
{
    struct service *service = arg;
    struct peer *client = service->owner;
    service->stopping = true;
    g_source_destroy(service->accept);
    service_end_session(service, true);
    if (client)
        say_farewell(service, client);
    drop_strangers(service);
    g_ptr_array_set_size(service->peers, 0);
    g_main_loop_quit(service->loop);
    return G_SOURCE_REMOVE;
}

void
service_stop(struct service *service, JET_ERR reason)
{
    if (!service)
        return;
    (void)os_remove(service->socket_path);
    service->stop_reason = reason;
    g_autoptr(GSource) wake = g_idle_source_new();
    g_source_set_priority(wake, G_PRIORITY_DEFAULT);
    g_source_set_callback(wake, shut_down, service, NULL);
    g_source_attach(wake, service->context);
    g_thread_join(service->thread);

    close(service->listen_fd);
    g_source_unref(service->accept);
    if (service->look)
        g_source_unref(service->look);
    g_ptr_array_unref(service->peers);
    g_main_loop_unref(service->loop);
    g_main_context_unref(service->context);
    g_free(service->socket_path);
    g_free(service);
}
