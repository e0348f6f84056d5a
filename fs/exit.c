/* SPDX-License-Identifier: MIT */
#include "exit.h"

#include <errno.h>

const char *
exit_name(enum jetfs_exit code)
{
    switch (code) {
    case EXIT_COMPLETE:
        return "complete";
    case EXIT_ENVIRONMENT:
        return "failed";
    case EXIT_USAGE:
        return "usage";
    case EXIT_INCOMPLETE:
        return "incomplete";
    case EXIT_ABORTED_BY_SERVER:
        return "aborted-by-server";
    case EXIT_CORRUPT:
        return "corrupt";
    case EXIT_DRIVER_DIED:
        return "driver-died";
    case EXIT_RUNNING:
        return "running";
    }
    return "failed";
}

const char *
exit_text(enum jetfs_exit code)
{
    switch (code) {
    case EXIT_COMPLETE:
        return "complete: every required byte was served, or the verb succeeded";
    case EXIT_ENVIRONMENT:
        return "this machine or that path cannot do it; the message says why";
    case EXIT_USAGE:
        return "the command line is wrong";
    case EXIT_INCOMPLETE:
        return "incomplete: the session ended before every required byte was read";
    case EXIT_ABORTED_BY_SERVER:
        return "the owner of the database ended the session, or died";
    case EXIT_CORRUPT:
        return "a page or a file failed verification";
    case EXIT_DRIVER_DIED:
        return "the driver was killed; a later command cleaned up";
    case EXIT_RUNNING:
        return "`jetfs status`: the session goes on";
    }
    return "unknown";
}

int
exit_errno(JET_ERR err)
{
    switch (err) {
    case JET_errOutOfMemory:
        return ENOMEM;
    case JET_errFileAccessDenied:
        return EACCES;
    case JET_errFileNotFound:
    case JET_errMissingFileToBackup:
        return ENOENT;
    default:
        return EIO;
    }
}

bool
exit_is_corruption(JET_ERR err)
{
    switch (err) {
    case JET_errReadVerifyFailure:
    case JET_errReadPgnoVerifyFailure:
    case JET_errPageNotInitialized:
    case JET_errLogReadVerifyFailure:
    case JET_errLogFileCorrupt:
    case JET_errDatabaseCorrupted:
        return true;
    default:
        return false;
    }
}
