/* SPDX-License-Identifier: MIT */
/*
 * One mount, from the freeze to the result.
 *
 *            backup_begin, status "running", fuse_session_mount
 *   start ------------------------------------------------------> MOUNTED
 *   MOUNTED --- umount(8), fusermount3: the kernel hangs up -----> ENDED   (result by what was
 * served) MOUNTED --- SIGTERM, SIGINT, SIGHUP -------------------------> ENDED   (the same),
 * unmounts MOUNTED --- CONTROL_ABORT -----------------------------------> ENDED   (incomplete),
 * unmounts MOUNTED --- the owner aborts or dies ------------------------> ENDED   (aborted by
 * server), unmounts ENDED: the final status is written; reads fail with EIO; the driver goes when
 * nobody holds the mount any more, or after a grace of some seconds.
 */
#pragma once

#include "events.h"
#include "exit.h"
#include "options.h"

struct mount_request {
    const char *source;      /* absolute */
    const char *mountpoint;  /* absolute, checked */
    const char *status_path; /* absolute */
    const struct mount_options *options;
    void (*ready)(void *ctx); /* the mount answers */
    void *ctx;
};

/*
 * Begins the session, mounts, serves until the end, and writes the final status. Signals must not
 * be handled elsewhere; no thread may run yet. The session's result; a failure to start is told
 * through `events` and is EXIT_ENVIRONMENT.
 */
enum jetfs_exit mount_run(const struct mount_request *request, struct events *events);
