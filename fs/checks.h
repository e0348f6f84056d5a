/* SPDX-License-Identifier: MIT */
/*
 * What must hold before a mount is tried, so that the message names the cause and the cure instead
 * of an errno. `jetfs doctor` makes the same checks one by one. Each returns true when all is well,
 * else says in *trouble what is not; paths are absolute.
 */
#pragma once

#include "options.h"
#include "trouble.h"

/* The kernel knows FUSE file systems. */
bool checks_kernel(struct trouble *trouble);

/* /dev/fuse is there, and this user may open it. */
bool checks_device(struct trouble *trouble);

/* fusermount3, without which only root can mount, is there and is setuid root. */
bool checks_helper(struct trouble *trouble);

/* This user may give allow_other and allow_root. */
bool checks_allow_other(struct trouble *trouble);

/* An empty directory where nothing is mounted. */
bool checks_mountpoint(const char *mountpoint, struct trouble *trouble);

/* It is there, and this user may look at it. */
bool checks_source(const char *source, struct trouble *trouble);

/* Neither lies within the other. */
bool checks_apart(const char *source, const char *mountpoint, struct trouble *trouble);

/* The status file can be written: its directory is there, not read-only, and has room. */
bool checks_status_file(const char *status_path, struct trouble *trouble);

/*
 * All that a mount with these options needs. A dead jetfs at the mount point must have been cleaned
 * away before.
 */
bool checks_before_mount(const char *source, const char *mountpoint, const char *status_path,
                         const struct mount_options *options, struct trouble *trouble);
