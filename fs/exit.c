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
