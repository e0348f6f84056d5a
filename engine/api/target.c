/* SPDX-License-Identifier: MIT */
/*
 * target: handles of JetxConnectInstance and JetxOpenDatabaseFile, and who is behind a handle.
 *
 * A peer lives until the last call on it has left; disconnecting takes its handle away at once.
 */
#include "api/target.h"

#include <string.h>

#include <glib.h>

#include "api/api.h"
#include "backup/offline.h"
#include "esentx.h"
#include "instance/handle.h"
#include "service/remote.h"

struct peer {
    guint refs; /* peers_lock: the handle's, and one per call inside */
    struct remote *remote;
    struct offline *offline;
    struct offline *recovered; /* peers_lock: stands for either during a recovered session */
    GPtrArray *old;            /* peers_lock: ended ones; calls may still be inside */
};

static GMutex peers_lock;

static void
peer_unref(struct peer *peer)
{
    g_mutex_lock(&peers_lock);
    bool last = --peer->refs == 0;
    g_mutex_unlock(&peers_lock);
    if (!last)
        return;
    remote_disconnect(peer->remote);
    offline_free(peer->offline);
    offline_free(peer->recovered);
    for (guint i = 0; i < peer->old->len; i++)
        offline_free(peer->old->pdata[i]);
    g_ptr_array_free(peer->old, TRUE);
    g_free(peer);
}

bool
target_enter_peer(JET_INSTANCE handle, struct target *target)
{
    memset(target, 0, sizeof *target);
    g_mutex_lock(&peers_lock);
    struct peer *peer = handle_get(HANDLE_PEER, handle);
    if (peer) {
        peer->refs++;
        target->held = peer;
        target->remote = peer->recovered ? NULL : peer->remote;
        target->offline = peer->recovered ? peer->recovered : peer->offline;
    }
    g_mutex_unlock(&peers_lock);
    return peer != NULL;
}

JET_ERR
target_enter(JET_INSTANCE handle, struct target *target)
{
    return target_enter_peer(handle, target) ? JET_errSuccess
                                             : api_enter_instance(handle, &target->inst);
}

void
target_leave(struct target *target)
{
    if (target->held)
        peer_unref(target->held);
    else
        api_leave_instance(target->inst);
}

void
target_set_recovered(struct target *target, struct offline *recovered)
{
    struct peer *peer = target->held;
    g_mutex_lock(&peers_lock);
    if (peer->recovered)
        g_ptr_array_add(peer->old, peer->recovered);
    peer->recovered = recovered;
    g_mutex_unlock(&peers_lock);
}

static JET_ERR
add_peer(struct remote *remote, struct offline *offline, JET_INSTANCE *pinst)
{
    struct peer *peer = g_new0(struct peer, 1);
    *peer =
        (struct peer) {.refs = 1, .remote = remote, .offline = offline, .old = g_ptr_array_new()};
    uintptr_t handle = handle_new(HANDLE_PEER, peer);
    if (handle == 0) {
        peer_unref(peer);
        return JET_errOutOfMemory;
    }
    *pinst = handle;
    return JET_errSuccess;
}

JET_ERR
JetxConnectInstanceA(const char *path, JET_INSTANCE *pinst)
{
    struct remote *remote;
    if (!path || !path[0] || !pinst)
        return JET_errInvalidParameter;
    JET_ERR err = remote_connect(path, &remote);
    return err < 0 ? err : add_peer(remote, NULL, pinst);
}

JET_ERR
JetxOpenDatabaseFileA(const char *path, JET_INSTANCE *pinst)
{
    struct offline *offline;
    if (!path || !path[0] || !pinst)
        return JET_errInvalidParameter;
    JET_ERR err = offline_open(path, &offline);
    return err < 0 ? err : add_peer(NULL, offline, pinst);
}

JET_ERR
JetxDisconnectInstance(JET_INSTANCE inst)
{
    g_mutex_lock(&peers_lock);
    struct peer *peer = handle_get(HANDLE_PEER, inst);
    if (peer)
        handle_drop(HANDLE_PEER, inst);
    g_mutex_unlock(&peers_lock);
    if (!peer)
        return JET_errInvalidInstance;
    peer_unref(peer);
    return JET_errSuccess;
}
