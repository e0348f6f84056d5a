/* SPDX-License-Identifier: MIT */
/*
 * The file system: one flat, read-only directory of a backup's files, answered from memory but for
 * reads.
 *
 *   inode 1  /               the files, in the backup's order
 *   inode 2  /.jetfs         found by name, not listed: no copy tool takes it
 *   inode 3  /.jetfs/status  the live status, made at each open
 *   16 + i   /NAME           file i of the backup
 */
#pragma once

#include "backup.h"
#include "options.h"
#include "window.h"

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

struct ops_context {
    struct backup *backup;
    enum cache_mode cache;
    struct window_workers *workers;
    gint64 mounted_us;
    GMutex lock;      /* guards what follows */
    GHashTable *open; /* handles the kernel has not released; at the end it forgets to */

    /* The driver's: it knows the session's state. */
    void (*ready)(void *ctx);                   /* the kernel talks to us */
    char *(*status_text)(void *ctx);            /* owned by the caller */
    void (*control)(void *ctx, uint32_t flags); /* CONTROL_... */
    void *ctx;
};

/* Sets up and clears what the operations keep in the context; no session may run. */
void ops_init(struct ops_context *c);
void ops_deinit(struct ops_context *c);

/* The operations; `struct ops_context` is the session's user data. */
extern const struct fuse_lowlevel_ops ops_table;
