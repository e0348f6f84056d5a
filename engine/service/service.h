/* SPDX-License-Identifier: MIT */
/*
 * service: the backup session of a live instance, offered to other processes of the same user.
 *
 *   socket   <log dir>/<base>.backup, mode 0600; a peer whose uid is neither ours nor root's is
 * sent away control  D-Bus, peer to peer, described in backup.xml; every method answers with a
 * JET_ERR data     none: opening a file hands out read-only descriptors, the client reads them
 * itself lease    the connection that began the session holds it; when it drops, for whatever
 * reason, the session ends with JET_bitBackupEndAbort
 *
 * One thread with its own main context serves all peers, one call at a time. It calls the session
 * through struct service_backend and never while another call of it runs. Peers that stall or send
 * nonsense are dropped; they keep nobody else waiting.
 */
#pragma once

#include <stdint.h>

#include <glib.h>

#include "backup/context.h"
#include "backup/frozen_reader.h"
#include "esent.h"
#include "esentx.h"

struct service;

/* The session behind the service: what the Jet calls of the same name do in process. */
struct service_backend {
    JET_ERR (*begin_frozen)(void *ctx, JET_GRBIT grbit);
    JET_ERR (*files)(void *ctx, JETX_BACKUPFILE **files /* g_free */, uint32_t *n);
    JET_ERR (*open)(void *ctx, const char *name /* szName or szPath */, struct frozen_file *file);
    JET_ERR (*manifest)(void *ctx, char **json /* g_free */);
    JET_ERR (*status)(void *ctx, JETX_BACKUPSTATUS *status);
    JET_ERR (*set_limits)(void *ctx, const JETX_BACKUPLIMITS *limits);
    JET_ERR (*progress)(void *ctx, const struct backup_progress *progress);
    JET_ERR (*truncate)(void *ctx);
    JET_ERR (*end)(void *ctx, JET_GRBIT grbit);
    JET_ERR (*stop)(void *ctx);
};

/*
 * Starts to serve. A socket that a dead process left at that path is replaced. The caller owns the
 * log directory (no second service can live there); backend and ctx outlive the service.
 * JET_errFileAccessDenied: something that is no socket is in the way, or no right to write there;
 * JET_errInvalidPath, JET_errOutOfMemory, JET_errDiskIO.
 */
JET_ERR service_start(const char *log_dir, const char *base, const struct service_backend *backend,
                      void *ctx, struct service **out);

/*
 * Removes the socket, tells the client of a running session that it ended with reason, ends the
 * session (stopped, so as JET_errBackupAbortByServer), drops all peers, joins the thread. Waits for
 * the call in progress, so no lock that a backend call takes may be held. NULL is fine.
 */
void service_stop(struct service *service, JET_ERR reason);

/* Path of the socket of an instance; g_free. */
char *service_socket_path(const char *log_dir, const char *base);
