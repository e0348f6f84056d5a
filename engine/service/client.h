/* SPDX-License-Identifier: MIT */
/*
 * client: the other end of service.h, in the process that reads the backup.
 *
 * Every call may be made from any thread. A call that gets no answer in time drops the connection,
 * and with it the session: better a backup that ends than a driver that hangs.
 *
 *   JET_errBackupAbortByServer   the owner ended the session (JetStopBackup, JetTerm, no room left)
 *   JET_errInstanceUnavailable   the owner is gone, or does not answer; from then on every call
 *
 * Not over a fork: connect in the process that goes on (GDBus has a thread of its own).
 */
#pragma once

#include "service/service.h"

struct service_client;

/*
 * path: the instance's (log) directory, or the socket.
 * JET_errFileNotFound: no such path, no socket there, or nobody listens; JET_errAccessDenied: the
 * instance belongs to another user; JET_errInvalidParameter: several instances in that directory;
 * JET_errInvalidPath, JET_errOutOfMemory, JET_errInstanceUnavailable (no answer).
 */
JET_ERR service_client_connect(const char *path, struct service_client **out);

/* Drops the lease: a session still open ends aborted. Calls in progress fail. NULL is fine. */
void service_client_close(struct service_client *client);

/*
 * Is the session still good? 0, or why not. Cheap (no message): call it after each read from the
 * descriptors; data is only good if the owner was alive after it was read.
 */
JET_ERR service_client_check(struct service_client *client);

/* As the Jet calls of the same names; errors as there. */
JET_ERR service_client_begin_frozen(struct service_client *client, JET_GRBIT grbit);
JET_ERR service_client_files(struct service_client *client, JETX_BACKUPFILE **files /* g_free */,
                             uint32_t *n);
JET_ERR service_client_open(struct service_client *client, const char *name,
                            struct frozen_file *file);
JET_ERR service_client_manifest(struct service_client *client, char **json /* g_free */);
JET_ERR service_client_truncate(struct service_client *client);
JET_ERR service_client_stop(struct service_client *client);

JET_ERR service_client_set_limits(struct service_client *client, const JETX_BACKUPLIMITS *limits);

/* delivered: bytes read so far; progress NULL: only that. Sends, and does not wait. */
JET_ERR service_client_progress(struct service_client *client, uint64_t delivered,
                                const JETX_BACKUPPROGRESS *progress);

/* Also after the end. When the owner is gone: the last known state with errSession set. */
JET_ERR service_client_status(struct service_client *client, JETX_BACKUPSTATUS *status);

/* The session is over after it, whatever it returns. */
JET_ERR service_client_end(struct service_client *client, JET_GRBIT grbit);
