/* SPDX-License-Identifier: MIT */
/*
 * recovered: the files of a frozen session as clean databases, in the hands of who reads the
 * backup.
 *
 * The session's files are copied, verified on the way, to a private directory; redo and undo run
 * there: hard recovery for streamed copies, soft recovery for files that lay dirty. Then the
 * databases are opened and everything in the directory is removed: the space is free when the last
 * descriptor is. The session itself is not touched, and is needed no more. A clean database is only
 * copied.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esent.h"
#include "esentx.h"

struct offline;

/* A frozen session, as remote.h and offline.h have it. */
struct recovered_source {
    const JETX_BACKUPFILE *files;
    size_t n_files;
    JET_ERR (*open)(void *ctx, const char *name, JET_HANDLE *hf, uint64_t *size);
    JET_ERR (*read)(void *ctx, JET_HANDLE hf, uint64_t ib, void *pv, uint32_t cb, uint32_t *actual);
    JET_ERR (*close)(void *ctx, JET_HANDLE hf);
    void *ctx;
};

/*
 * where: directory with room for the databases and logs; NULL = $TMPDIR, else /var/tmp.
 * JET_errDatabaseDirtyShutdown: a database is dirty and there is no log; read errors of the
 * session; those of restore_external and recovery_soft; JET_errDiskFull and other os errors. On
 * error nothing is left behind.
 */
JET_ERR recovered_make(const struct recovered_source *source, const char *where,
                       struct offline **out) __attribute__((warn_unused_result));
