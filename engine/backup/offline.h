/* SPDX-License-Identifier: MIT */
/*
 * offline: a frozen session over files that nobody has open: a database, or a directory of
 * databases, logs and checkpoint, e.g. from another machine.
 *
 * The files are opened read-only and locked against an owner (shared, so that several may look),
 * for as long as the object lives. They are served byte for byte as they lie; pages that the
 * database owns and log segments are verified on the way. Nothing is ever written.
 */
#pragma once

#include <stdint.h>

#include "esent.h"
#include "esentx.h"

struct offline;

/*
 * JET_errFileNotFound (nothing there, or nothing of ours in the directory), JET_errFileAccessDenied
 * (an owner is alive: use its backup service; or no right to read), JET_errDatabaseCorrupted (no
 * database, or no good header), JET_errInvalidPath, JET_errOutOfMemory, JET_errDiskIO.
 */
JET_ERR offline_open(const char *path, struct offline **out) __attribute__((warn_unused_result));
void offline_free(struct offline *offline); /* NULL is fine; no call may run */

/*
 * The databases in a directory of our own, which may be removed once this returns
 * (backup/recovered.h). Names, times and inodes are those of the originals. As offline_open.
 */
JET_ERR offline_open_recovered(const char *dir, const JETX_BACKUPFILE *origins, size_t n,
                               struct offline **out) __attribute__((warn_unused_result));

/* The session is the continuation of the one with this status. */
void offline_adopt_status(struct offline *offline, const JETX_BACKUPSTATUS *status);

/* The calls of a session, any thread. JET_errBackupInProgress, JET_errInvalidGrbit. */
JET_ERR offline_begin(struct offline *offline, JET_GRBIT grbit);

/* JET_errNoBackup, JET_errBackupAbortByServer (stopped), as in backup/context.h. */
JET_ERR offline_files(struct offline *offline, JETX_BACKUPFILE **files /* g_free */, uint32_t *n);
JET_ERR offline_manifest(struct offline *offline, char **json /* g_free */);

/* By szName or szPath. JET_errFileNotFound. */
JET_ERR offline_open_file(struct offline *offline, const char *name, JET_HANDLE *hf,
                          uint64_t *size);
JET_ERR offline_read_file(struct offline *offline, JET_HANDLE hf, void *pv, uint32_t cb,
                          uint32_t *actual);
JET_ERR offline_read_file_at(struct offline *offline, JET_HANDLE hf, uint64_t ib, void *pv,
                             uint32_t cb, uint32_t *actual);
JET_ERR offline_close_file(struct offline *offline, JET_HANDLE hf);

/* Nobody overwrites pages: all 0. JET_errInvalidParameter. */
JET_ERR offline_preserved(struct offline *offline, JET_HANDLE hf, uint32_t cells, uint32_t *pages);

JET_ERR offline_status(struct offline *offline, JETX_BACKUPSTATUS *status);
JET_ERR offline_stop(struct offline *offline);

/* As context_end. */
JET_ERR offline_end(struct offline *offline, JET_GRBIT grbit);
