/* SPDX-License-Identifier: MIT */
/*
 * client: calls over the bus, and knowing when there is nobody left to call.
 *
 * Two words tell how it stands: `ended`, why the owner ended the session (from its SessionEnded
 * signal; forgotten when the next one begins), and `lost`, that the connection is of no use any
 * more.
 */
#include "service/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "service/socket.h"
#include "service/wire.h"

#define CONNECT_MS   10000
#define CALL_MS      30000
#define BEGIN_MS     300000 /* waits for the freeze */
#define LAST_WORD_MS 500

struct service_client {
    GDBusConnection *bus;
    int fd; /* the socket, our own descriptor of it: to see and to make it close */
    guint filter;
    _Atomic JET_ERR
        *ended; /* in an rc box: GDBus' thread may be in the filter when the client goes */
    _Atomic bool lost;

    GMutex lock; /* guards last */
    JETX_BACKUPSTATUS last;
};

/* ---- how it stands ---- */

static GDBusMessage *
watch_messages(GDBusConnection *bus, GDBusMessage *message, gboolean incoming, gpointer arg)
{
    _Atomic JET_ERR *ended = arg;
    if (incoming && g_dbus_message_get_message_type(message) == G_DBUS_MESSAGE_TYPE_SIGNAL &&
        g_strcmp0(g_dbus_message_get_member(message), "SessionEnded") == 0) {
        GVariant *body = g_dbus_message_get_body(message);
        int32_t err = 0;
        if (body && g_variant_is_of_type(body, G_VARIANT_TYPE("(i)")))
            g_variant_get(body, "(i)", &err);
        *ended = err < 0 ? err : JET_errBackupAbortByServer;
    }
    return message;
}

static bool
socket_is_alive(struct service_client *client)
{
    struct pollfd p = {.fd = client->fd, .events = POLLRDHUP};
    return poll(&p, 1, 0) == 0 || (p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) == 0;
}

/* Why a lost connection was lost. The last message may still be on its way through GDBus' thread.
 */
static JET_ERR
last_word(struct service_client *client)
{
    gint64 deadline = g_get_monotonic_time() + LAST_WORD_MS * 1000;
    client->lost = true;
    while (*client->ended == 0 && !g_dbus_connection_is_closed(client->bus) &&
           g_get_monotonic_time() < deadline)
        g_usleep(1000);
    return *client->ended < 0 ? *client->ended : JET_errInstanceUnavailable;
}

JET_ERR
service_client_check(struct service_client *client)
{
    if (*client->ended < 0)
        return *client->ended;
    if (client->lost || !socket_is_alive(client))
        return last_word(client);
    return JET_errSuccess;
}

/* ---- connect, close ---- */

struct connecting {
    GAsyncResult *result;
    GCancellable *cancel;
    int fd;
};

static void
connected(GObject *source, GAsyncResult *result, gpointer arg)
{
    ((struct connecting *)arg)->result = g_object_ref(result);
}

static gboolean
connect_timed_out(gpointer arg)
{
    struct connecting *c = arg;
    g_cancellable_cancel(c->cancel);
    (void)shutdown(c->fd, SHUT_RDWR);
    return G_SOURCE_REMOVE;
}

/* D-Bus over the connected socket, within CONNECT_MS. Takes fd. */
static JET_ERR
make_bus(int fd, GDBusConnection **bus)
{
    g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, NULL);
    if (!socket) {
        close(fd);
        return JET_errOutOfFileHandles;
    }
    g_autoptr(GSocketConnection) stream = g_socket_connection_factory_create_connection(socket);
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GSource) timeout = g_timeout_source_new(CONNECT_MS);
    g_autoptr(GCancellable) cancel = g_cancellable_new();
    struct connecting c = {.cancel = cancel, .fd = fd};
    g_source_set_callback(timeout, connect_timed_out, &c, NULL);
    g_source_attach(timeout, context);

    g_main_context_push_thread_default(context);
    g_dbus_connection_new(G_IO_STREAM(stream), NULL, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT,
                          NULL, cancel, connected, &c);
    while (!c.result)
        g_main_context_iteration(context, TRUE);
    g_main_context_pop_thread_default(context);
    g_source_destroy(timeout);

    g_autoptr(GError) error = NULL;
    *bus = g_dbus_connection_new_finish(c.result, &error);
    g_object_unref(c.result);
    if (*bus)
        return JET_errSuccess;
    g_debug("no bus: %s", error->message);
    /* sent away at once: not our instance; no answer: stuck */
    return g_cancellable_is_cancelled(cancel) ? JET_errInstanceUnavailable : JET_errAccessDenied;
}

/* The socket meant by path: itself, or the only one in that directory. */
static JET_ERR
find_socket(const char *path, char **found)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return errno == EACCES ? JET_errAccessDenied : os_error(errno);
    if (S_ISSOCK(st.st_mode)) {
        *found = g_strdup(path);
        return JET_errSuccess;
    }
    if (!S_ISDIR(st.st_mode))
        return JET_errFileNotFound;

    g_auto(GStrv) names = NULL;
    g_autofree char *only = NULL;
    JET_ERR err = os_dir_list(path, &names);
    if (err < 0)
        return err == JET_errFileAccessDenied ? JET_errAccessDenied : err;
    for (char **name = names; *name; name++) {
        g_autofree char *full = g_build_filename(path, *name, NULL);
        if (!g_str_has_suffix(*name, ".backup") || stat(full, &st) < 0 || !S_ISSOCK(st.st_mode))
            continue;
        if (only)
            return JET_errInvalidParameter;
        only = g_steal_pointer(&full);
    }
    if (!only)
        return JET_errFileNotFound;
    *found = g_steal_pointer(&only);
    return JET_errSuccess;
}

JET_ERR
service_client_connect(const char *path, struct service_client **out)
{
    g_autofree char *socket_path = NULL;
    int fd = -1;
    JET_ERR err = find_socket(path, &socket_path);
    if (err >= 0)
        err = service_socket_connect(socket_path, &fd);
    if (err < 0)
        return err;
    int own_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own_fd < 0) {
        close(fd);
        return os_error(errno);
    }
    GDBusConnection *bus = NULL;
    err = make_bus(fd, &bus);
    if (err < 0) {
        close(own_fd);
        return err;
    }
    struct service_client *client = g_new0(struct service_client, 1);
    client->bus = bus;
    client->fd = own_fd;
    client->last.cbStruct = sizeof(client->last);
    client->ended = g_atomic_rc_box_new0(_Atomic JET_ERR);
    client->filter = g_dbus_connection_add_filter(bus, watch_messages,
                                                  g_atomic_rc_box_acquire((void *)client->ended),
                                                  (GDestroyNotify)g_atomic_rc_box_release);
    *out = client;
    return JET_errSuccess;
}

void
service_client_close(struct service_client *client)
{
    if (!client)
        return;
    client->lost = true;
    g_dbus_connection_remove_filter(client->bus, client->filter);
    (void)shutdown(client->fd, SHUT_RDWR); /* first: an owner that does not read must not keep us */
    (void)g_dbus_connection_close_sync(client->bus, NULL, NULL);
    g_object_unref(client->bus);
    close(client->fd);
    g_atomic_rc_box_release((void *)client->ended);
    g_mutex_clear(&client->lock);
    g_free(client);
}

/* ---- calls ---- */

/* One call, if there is somebody to call. The reply's first value is a JET_ERR, and is what comes
 * back; *reply is there if that is not negative, and the caller's. No answer: the connection goes,
 * and the session with it. */
static JET_ERR
call_owner(struct service_client *client, const char *method, GVariant *args,
           const char *reply_type, int timeout_ms, GVariant **reply, GUnixFDList **fds)
{
    g_autoptr(GVariant) owned_args = args ? g_variant_ref_sink(args) : NULL;
    JET_ERR err;
    if (client->lost || !socket_is_alive(client))
        return last_word(client);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer = g_dbus_connection_call_with_unix_fd_list_sync(
        client->bus, NULL, WIRE_PATH, WIRE_INTERFACE, method, owned_args,
        G_VARIANT_TYPE(reply_type), G_DBUS_CALL_FLAGS_NONE, timeout_ms, NULL, fds, NULL, &error);
    if (!answer) {
        g_debug("%s: %s", method, error->message);
        (void)shutdown(client->fd, SHUT_RDWR);
        return last_word(client);
    }
    g_variant_get_child(answer, 0, "i", &err);
    if (err >= 0 && reply)
        *reply = g_steal_pointer(&answer);
    return err;
}

/* The same for what needs the session. */
static JET_ERR
call(struct service_client *client, const char *method, GVariant *args, const char *reply_type,
     int timeout_ms, GVariant **reply, GUnixFDList **fds)
{
    g_autoptr(GVariant) owned_args = args ? g_variant_ref_sink(args) : NULL;
    JET_ERR err = service_client_check(client);
    if (err >= 0)
        err = call_owner(client, method, owned_args, reply_type, timeout_ms, reply, fds);
    if (err == JET_errNoBackup && *client->ended < 0)
        err = *client->ended; /* said before the answer, and after the check */
    return err;
}

static JET_ERR
call_plain(struct service_client *client, const char *method, GVariant *args, int timeout_ms)
{
    return call(client, method, args, "(i)", timeout_ms, NULL, NULL);
}

/* What ended an earlier session of this connection is forgotten. */
JET_ERR
service_client_begin_frozen(struct service_client *client, JET_GRBIT grbit)
{
    JET_ERR err =
        call_owner(client, "BeginFrozen", g_variant_new("(u)", grbit), "(i)", BEGIN_MS, NULL, NULL);
    if (err >= 0)
        *client->ended = JET_errSuccess;
    return err;
}

JET_ERR
service_client_files(struct service_client *client, JETX_BACKUPFILE **files, uint32_t *n)
{
    g_autoptr(GVariant) reply = NULL;
    JET_ERR err = call(client, "GetFiles", NULL, "(ia(uayaytxtuuu))", CALL_MS, &reply, NULL);
    return err < 0 ? err : wire_files_get(reply, files, n);
}

JET_ERR
service_client_open(struct service_client *client, const char *name, struct frozen_file *file)
{
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(GUnixFDList) fds = NULL;
    JET_ERR err = call(client, "OpenFile", g_variant_new("(^ay)", name), "(iutuuiiiayay)", CALL_MS,
                       &reply, &fds);
    return err < 0 ? err : wire_open_get(reply, fds, file);
}

JET_ERR
service_client_manifest(struct service_client *client, char **json)
{
    g_autoptr(GVariant) reply = NULL;
    JET_ERR err = call(client, "GetManifest", NULL, "(iay)", CALL_MS, &reply, NULL);
    if (err < 0)
        return err;
    const char *text;
    g_variant_get(reply, "(i^&ay)", NULL, &text);
    *json = g_strdup(text);
    return JET_errSuccess;
}

JET_ERR
service_client_truncate(struct service_client *client)
{
    return call_plain(client, "Truncate", NULL, BEGIN_MS);
}

JET_ERR
service_client_stop(struct service_client *client)
{
    return call_plain(client, "Stop", NULL, CALL_MS);
}

JET_ERR
service_client_set_limits(struct service_client *client, const JETX_BACKUPLIMITS *limits)
{
    return call_plain(client, "SetLimits",
                      g_variant_new("(ttttuu)", limits->secMaxAge, limits->secIdle,
                                    limits->cbPreimage, limits->cbPinnedLog, limits->pctPreimage,
                                    limits->pctPinnedLog),
                      CALL_MS);
}

JET_ERR
service_client_progress(struct service_client *client, uint64_t delivered,
                        const JETX_BACKUPPROGRESS *progress)
{
    const JETX_BACKUPPROGRESS none = {.cbStruct = sizeof(none)};
    const JETX_BACKUPPROGRESS *p = progress ? progress : &none;
    JET_ERR err = service_client_check(client);
    if (err < 0)
        return err;
    g_dbus_connection_call(
        client->bus, NULL, WIRE_PATH, WIRE_INTERFACE, "Progress",
        g_variant_new("(t^aytt)", delivered, p->szMount, p->cbRequired, p->cbServed), NULL,
        G_DBUS_CALL_FLAGS_NONE, CALL_MS, NULL, NULL, NULL);
    return JET_errSuccess;
}

JET_ERR
service_client_end(struct service_client *client, JET_GRBIT grbit)
{
    return call_plain(client, "End", g_variant_new("(u)", grbit), BEGIN_MS);
}

/* Does it tell of the session that was ours? There may be another by now. */
static bool
is_of_our_session(struct service_client *client, const JETX_BACKUPSTATUS *status)
{
    return *client->ended == 0 || client->last.lgposBegin == 0 ||
           client->last.lgposBegin == status->lgposBegin;
}

/* Of an ended session the owner still knows how it ended. */
JET_ERR
service_client_status(struct service_client *client, JETX_BACKUPSTATUS *status)
{
    g_autoptr(GVariant) reply = NULL;
    JET_ERR err = call_owner(client, "GetStatus", NULL, "(ia{sv})", CALL_MS, &reply, NULL);
    JET_ERR why = err < 0 ? service_client_check(client) : JET_errSuccess;
    if (err >= 0)
        err = wire_status_get(reply, status);

    g_mutex_lock(&client->lock);
    if (err >= 0 && !is_of_our_session(client, status))
        why = *client->ended;
    else if (err >= 0)
        client->last = *status;
    if (why < 0) {
        *status = client->last;
        status->errSession = why;
        g_strlcpy(status->szState, "aborted", sizeof(status->szState));
    }
    g_mutex_unlock(&client->lock);
    return why < 0 ? JET_errSuccess : err;
}
