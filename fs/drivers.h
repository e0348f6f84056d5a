/* SPDX-License-Identifier: MIT */
/*
 * The drivers that run, found by what they hold: /dev/fuse, and a lock on the directory that their
 * mount hides. No file system is asked, so that one that does not answer does no harm. Those of
 * other users are seen by root only.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct driver {
    int pid;
    bool stopped; /* by a signal or a debugger: whoever looks into its mount waits */
    char *mountpoint;
};

/* struct driver. Owned by the caller. */
GPtrArray *drivers_find(void);

/* The driver that is stopped of the mount there; 0 when there is none. */
int drivers_stopped_at(const char *mountpoint);

/* Says so on stderr, and what to do; false when the driver there is not stopped. */
bool drivers_tell_stopped(const char *mountpoint);
