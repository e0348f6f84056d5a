/* SPDX-License-Identifier: MIT */
#include "os/file.h"

#include <errno.h>

JET_ERR
os_error(int errnum)
{
    switch (errnum) {
    case 0:
        return JET_errSuccess;
    case ENOENT:
        return JET_errFileNotFound;
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case EINVAL:
        return JET_errInvalidPath;
    case EEXIST:
        return JET_errFileAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
    case EBUSY:
    case EWOULDBLOCK:
    case ETXTBSY:
        return JET_errFileAccessDenied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return JET_errDiskFull;
    case ENOMEM:
        return JET_errOutOfMemory;
    case EMFILE:
    case ENFILE:
        return JET_errOutOfFileHandles;
    default:
        return JET_errDiskIO;
    }
}
