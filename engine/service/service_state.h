/* SPDX-License-Identifier: MIT */
/*
 * service_state: the inside of struct service, shared by service.c (thread, socket, peers) and
 * methods.c (the calls). All of it belongs to the service's thread, but for what start and stop
 * pass.
 */
#pragma once

#include <stdbool.h>

#include <gio/gio.h>

#include "service/service.h"

struct peer {
    struct service *service;
    GSocketConnection *stream;
    GDBusConnection *bus; /* NULL until the peer has said who it is */
    GCancellable *cancel; /* of that */
    GSource *timeout;     /* for that */
    guint object;         /* registration */
    uint32_t pid;         /* 0 = unknown */
    uint64_t delivered;   /* bytes that it said it read */
};

struct service {
    char *socket_path;
    struct service_backend backend;
    void *ctx;
    _Atomic JET_ERR stop_reason; /* set by service_stop before it wakes the thread */

    bool stopping; /* no session may begin */

    int listen_fd;
    GThread *thread;
    GMainContext *context;
    GMainLoop *loop;
    GSource *accept;
    GPtrArray *peers;   /* struct peer */
    struct peer *owner; /* whose session is running; NULL = none */
    GSource *look;      /* once a second while there is one; NULL = none */
};

/* Handler of net.jetfs.Backup1; user_data is the struct peer. */
void service_method_call(GDBusConnection *bus, const gchar *sender, const gchar *path,
                         const gchar *interface, const gchar *method, GVariant *args,
                         GDBusMethodInvocation *invocation, gpointer user_data);

/* Ends the session of the owner, if there is one: as aborted by its caller, or by the server. */
void service_end_session(struct service *service, bool by_server);
