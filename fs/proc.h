/* SPDX-License-Identifier: MIT */
/*
 * What /proc tells of processes. Those of other users show nothing to who is not root, and are
 * passed over. Nothing here asks a file system: links are read, not followed.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* The processes there are: int, each. */
GArray *proc_list(void);

/* Its short name; "?" when it is gone. Owned by the caller. */
char *proc_name(int pid);

/* Microseconds since 1970 at which it started, as the clock is set now; 0 when it is gone. */
gint64 proc_start_us(int pid);

/* Whom it belongs to. False when it is gone. */
bool proc_owner(int pid, unsigned *uid);

/* A signal or a debugger keeps it from running. */
bool proc_is_stopped(int pid);

/* Calls `visit` with each descriptor and what it stands for, until that returns false. */
void proc_each_fd(int pid, bool (*visit)(int pid, const char *fd, const char *target, void *ctx),
                  void *ctx);

/* True when the descriptor holds a lock of flock(2), as a driver does on its mount point. */
bool proc_fd_is_locked(int pid, const char *fd);

/* True when `path` is `dir` or lies in it. */
bool proc_is_inside(const char *path, const char *dir);

/*
 * The first thing that process `pid` uses of the file system `device`: an open file, the current or
 * root directory, a mapped file. NULL when there is none. Owned by the caller.
 */
char *proc_use_of(int pid, dev_t device);

/*
 * Who uses the file system: "1234 (rsync) /mnt/app/app.edb, 99 (bash) /mnt/app"; NULL when none is
 * seen, or the device is 0. This process does not count. Owned by the caller.
 */
char *proc_holders(dev_t device);
