/* SPDX-License-Identifier: MIT */
/*
 * The one table of results: what a session ended as, the name of it in the status file, and the
 * exit code with which every verb of jetfs reports it. Scripts may rely on the numbers; new ones
 * are only ever added at the end.
 */
#pragma once

#include "esent.h"

#include <stdbool.h>

enum jetfs_exit {
    EXIT_COMPLETE = 0,          /* done: every required byte was served, or the verb succeeded */
    EXIT_ENVIRONMENT = 1,       /* this machine or that path cannot do it; the message says why */
    EXIT_USAGE = 2,             /* the command line is wrong */
    EXIT_INCOMPLETE = 3,        /* the session ended before every required byte was read */
    EXIT_ABORTED_BY_SERVER = 4, /* the owner of the database ended the session, or died */
    EXIT_CORRUPT = 5,           /* a page or a file failed verification */
    EXIT_DRIVER_DIED = 6,       /* the driver was killed; a later command cleaned up */
    EXIT_RUNNING = 7,           /* `jetfs status`: the session goes on, there is no result yet */
    EXIT_LAST = EXIT_RUNNING,
};

/* The name of a result in the status file ("complete", "incomplete", ...); never NULL. */
const char *exit_name(enum jetfs_exit code);

/* What the code means, in the words of the manual; never NULL. */
const char *exit_text(enum jetfs_exit code);

/* The errno with which the file system answers a failed engine call. Never 0 for err < 0. */
int exit_errno(JET_ERR err);

/* True when `err` says that a page or a log failed its checksum or carries the wrong number. */
bool exit_is_corruption(JET_ERR err);
