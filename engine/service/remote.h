/* SPDX-License-Identifier: MIT */
/*
 * remote: a frozen session in another process, with file handles, as the Jet calls want it.
 *
 * Control goes through the client (client.h); data is read here, from the descriptors, by the same
 * reader as in process (backup/frozen_reader.h). After each read the owner is checked to be alive:
 * bytes read after its death might be those of a successor's recovery.
 *
 * Any function from any thread; a file may be read by many at once, and closed meanwhile.
 *
 * Besides the errors of the calls they stand for:
 *   JET_errNoBackup              no session, or it was ended
 *   JET_errBackupAbortByServer   the owner ended it
 *   JET_errInstanceUnavailable   the owner is gone, or does not answer
 */
#pragma once

#include "esent.h"
#include "esentx.h"

struct remote;

/* Errors of service_client_connect. */
JET_ERR remote_connect(const char *path, struct remote **out);

/* Drops the lease: a session still open ends aborted. No other call may run or follow. NULL is
 * fine. */
void remote_disconnect(struct remote *remote);

JET_ERR remote_begin_frozen(struct remote *remote, JET_GRBIT grbit);

/* *files: g_free. The same for the whole session. */
JET_ERR remote_files(struct remote *remote, JETX_BACKUPFILE **files, uint32_t *n);

/* By szName or szPath. */
JET_ERR remote_open_file(struct remote *remote, const char *name, JET_HANDLE *handle,
                         uint64_t *bytes);

/* At the handle's position, which moves on. JET_errInvalidParameter: no such handle. */
JET_ERR remote_read_file(struct remote *remote, JET_HANDLE handle, void *buf, uint32_t cb,
                         uint32_t *actual);
JET_ERR remote_read_file_at(struct remote *remote, JET_HANDLE handle, uint64_t ib, void *buf,
                            uint32_t cb, uint32_t *actual);

/* Works also when the session is dead. JET_errInvalidParameter: no such handle. */
JET_ERR remote_close_file(struct remote *remote, JET_HANDLE handle);

/* Pages overwritten since the freeze: JetxGetPreservedPages. JET_errInvalidParameter. */
JET_ERR remote_preserved(struct remote *remote, JET_HANDLE handle, uint32_t cells, uint32_t *pages);

JET_ERR remote_set_limits(struct remote *remote, const JETX_BACKUPLIMITS *limits);

/* Does not wait for the owner. That something was read is told by itself, once a second. */
JET_ERR remote_progress(struct remote *remote, const JETX_BACKUPPROGRESS *progress);

JET_ERR remote_manifest(struct remote *remote, char **json /* g_free */);
JET_ERR remote_status(struct remote *remote, JETX_BACKUPSTATUS *status);
JET_ERR remote_truncate_log(struct remote *remote);
JET_ERR remote_stop(struct remote *remote);

/* Closes what is still open. The session is over after it, unless JET_errInvalidParameter (grbit).
 */
JET_ERR remote_end(struct remote *remote, JET_GRBIT grbit);
