/* SPDX-License-Identifier: MIT */
#include "advice.h"

#include "esentx.h"

#include <inttypes.h>
#include <stdio.h>

/* Without a file it is not the copy that is at fault. */
static const char *
advice(JET_ERR err, bool has_file)
{
    switch (err) {
    case JET_errMissingRestoreLogFiles:
        return "choose a stop that the logs reach";
    case JET_errFileNotFound:
    case JET_errMissingFileToBackup:
    case JET_errStartingRestoreLogTooHigh:
        return "copy what is missing from where the backup came from, or take an older backup";
    case JET_errEndingRestoreLogTooLow:
        return has_file ? "copy the logs that are missing from where the backup came from"
                        : "choose a stop behind the end of the backup, or take an older backup";
    case JET_errBadLogSignature:
    case JET_errBadDbSignature:
    case JET_errLogGenerationMismatch:
    case JET_errGivenLogFileIsNotContiguous:
    case JET_errDatabasePatchFileMismatch:
    case JET_errDatabaseSignInUse:
        return "files of different backups were mixed: put only those of one session, and the logs "
               "that follow it, into the directory";
    case JET_errRestoreOfNonBackupDatabase:
        return "it is no copy of a backup session: take the one that is; files that a crash left, "
               "with all their logs, are mounted with -o recovered and copied from there";
    case JET_errFileInvalidType:
        return "a backup has plain files only: copy what the link leads to, remove what is foreign";
    case JET_errFileAccessDenied:
        return "make the files readable for this user, or run it as their owner";
    case JET_errInvalidBackup:
        return "take backup.json from another copy; without it the rest can still be verified";
    case JET_errFileAlreadyExists:
        return "give a target that holds no databases and no logs";
    case JET_errDiskFull:
    case JET_errLogDiskFull:
        return "make room on the disk of the target";
    case JET_errLogFilePathInUse:
        return "wait until the other restore there, or the program that uses it, has ended";
    default:
        return has_file ? "the file is damaged: take it from another copy of this backup, or take "
                          "an older backup"
                        : NULL;
    }
}

enum jetfs_exit
advice_code(const struct advice_finding *f)
{
    const bool corrupt = exit_is_corruption(f->err) ||
                         (f->file[0] != '\0' && f->err != JET_errFileAccessDenied &&
                          f->err != JET_errOutOfMemory && f->err != JET_errOutOfFileHandles);
    return corrupt ? EXIT_CORRUPT : EXIT_ENVIRONMENT;
}

enum jetfs_exit
advice_print(const char *before, const struct advice_finding *f)
{
    const bool has_file = f->file[0] != '\0';
    const char *what_to_do = advice(f->err, has_file);
    fprintf(stderr, "%s: ", before);
    if (has_file)
        fprintf(stderr, "%.255s at offset %" PRIu64 ": ", f->file, f->offset);
    fprintf(stderr, "%.255s (%s, %d)\n", f->reason[0] != '\0' ? f->reason : JetxErrorTextA(f->err),
            JetxErrorNameA(f->err), f->err);
    if (what_to_do != NULL)
        fprintf(stderr, "jetfs: %s\n", what_to_do);
    return advice_code(f);
}
