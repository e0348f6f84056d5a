/* SPDX-License-Identifier: MIT */
/*
 * The live instances of this machine that offer backups: processes that listen on a Unix socket
 * called BASE.backup. The kernel tells the sockets and their processes; the directory is one in
 * which the process has files open, and what answers at the socket there must be that process.
 * Those of other users are seen by root only.
 */
#pragma once

#include "esentx.h"

#include <glib.h>

struct instance_info {
    int pid;
    char *program;
    char *directory;
    char *socket;
    char *base;           /* "edb" of edb.backup */
    GPtrArray *databases; /* char *, paths of those that are open */
    gint64 since_us;      /* since 1970: when it began to offer backups */
    JET_ERR err;          /* why it does not answer; 0 when it does */
    JETX_BACKUPSTATUS status;
};

/* struct instance_info, in the order of their directories. Owned by the caller. */
GPtrArray *instances_find(void);
