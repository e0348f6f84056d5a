/* SPDX-License-Identifier: MIT */
/*
 * What this machine knows of a mount point, and how to let go of one. Nothing here touches the file
 * system that is mounted there, which may be dead.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * The absolute path of a mount point that may be dead: its parent resolved, its own name kept.
 * NULL when the parent does not exist. Owned by the caller.
 */
char *mounts_resolve(const char *path);

enum mounts_kind {
    MOUNTS_NONE,  /* nothing is mounted there */
    MOUNTS_OTHER, /* another file system */
    MOUNTS_JETFS, /* a jetfs with a driver, or one that still answers */
    MOUNTS_STALE, /* a jetfs whose driver is gone */
};
enum mounts_kind mounts_look(const char *mountpoint);

/* Unmounts, as root or with fusermount3. `lazy`: even while it is in use. Negative errno. */
int mounts_unmount(const char *mountpoint, bool lazy);

/* The device number of the topmost file system at the mount point; 0 when there is none. */
dev_t mounts_device(const char *mountpoint);

/* The default status file of a mount point. Owned by the caller. */
char *mounts_status_path(const char *mountpoint);
