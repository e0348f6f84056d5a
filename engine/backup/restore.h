/* SPDX-License-Identifier: MIT */
/*
 * restore: from copied files of a backup to clean databases (backup API, 6; log format, 5.10).
 *
 *   check the logs' chain -> check each database against its trailer and the logs -> stamp its
 * header (genHigh, generations required), cut the trailer -> hard recovery
 *
 * Invariants:
 *  1. Nothing is changed before all logs and all databases were checked.
 *  2. Once stamped (genHigh != 0) a database needs its trailer no more, so that an interrupted
 * restore can be started again.
 */
#pragma once

#include <stdbool.h>

#include "esent.h"
#include "esentx.h"
#include "log/lgpos.h"

struct events;
struct os_file;

struct restore_params {
    const char *checkpoint_dir; /* made if need be; NULL = log_dir */
    const char *log_dir;        /* where the stream goes on; made if need be */
    const char *backup_dir;     /* the logs of the set; NULL = "." */
    const char *base;           /* NULL = "edb" */
    const char *ext;            /* NULL = "log" */
    const JET_RSTMAP_A *map;    /* where the copied databases lie; they are changed in place */
    int32_t n_map;              /* 0..14 */
    int32_t gen_low;            /* 0 = lowest and highest in backup_dir */
    int32_t gen_high;
    bool keep_backup_dir;         /* do not delete logs outside the range there, as ESE does */
    const char *const *more_dirs; /* further logs of the set; NULL-ended, NULL = none */
    const char
        *forward_dir;       /* logs that go on from the set, only read; NULL = none but log_dir's */
    bool forward_current;   /* the current log too: nobody writes there */
    int32_t forward_high;   /* none above this one; 0 = all */
    const char *create_dir; /* databases that the logs create are made here; NULL = not at all */
    const char *const *only;  /* ... but only these (paths or names; NULL-ended); NULL = all */
    const JET_RSTMAP_A *also; /* where databases lie that the set has not, or has clean: by path or
                               * name in the log; they need not be there */
    size_t n_also;
    struct lgpos stop;     /* redo ends before the first record at or above; zero = at the end */
    struct os_file *lock;  /* log_dir is taken already, by this; NULL = restore_external takes it */
    JET_PFNSTATUS pfn;     /* NULL = none; an error returned at the beginning ends it */
    struct events *events; /* NULL is fine */
};

/*
 * JetExternalRestore. *report may be NULL; its cbStruct is not looked at.
 * JET_errInvalidParameter (n_map); JET_errLogFilePathInUse (an instance has log_dir);
 * JET_errFileNotFound (a log of the set, a database); JET_errBadLogSignature,
 * JET_errBadLogVersion, JET_errLogGenerationMismatch, JET_errLogFileSizeMismatch,
 * JET_errGivenLogFileIsNotContiguous (event 434), JET_errLogFileCorrupt: the set is none;
 * JET_errMissingCurrentLogFiles (event 450), JET_errExistingLogFileHasBadSignature (457),
 * JET_errExistingLogFileIsNotContiguous (458): log_dir holds other logs; JET_errDatabaseCorrupted,
 * JET_errRestoreOfNonBackupDatabase, JET_errBadPatchPage, JET_errDatabasePatchFileMismatch (430),
 * JET_errStartingRestoreLogTooHigh (431), JET_errEndingRestoreLogTooLow (432): a database does not
 * belong to it; those of recovery_hard. Each is provoked by a row of
 * tests/unit/api/test_codes_restore.c.
 */
JET_ERR restore_external(const struct restore_params *params, JETX_RESTOREREPORT *report)
    __attribute__((warn_unused_result));

/* What JetxRestoreBackup2 is asked for. */
struct restore_wanted {
    const char *const *sources; /* copied directories; the first with databases gives them */
    size_t n_sources;
    const char *target_dir;
    const JETX_RESTOREPARAM *param; /* NULL = all, to the end */
    struct events *events;
};

/*
 * JetxRestoreBackup2: copies the databases of the sources to the target, then restore_external with
 * the logs of all sources, which are not changed. A database that is clean and needs no log is just
 * copied. *report may be NULL; its cbStruct is not looked at.
 * What is to be restored is verified before, as verify_backup does it, with its codes; on such an
 * error the report tells the place and nothing else. JET_errFileNotFound: no database there;
 * JET_errFileAlreadyExists: target_dir holds databases or logs; JET_errDiskFull and others of
 * os/file; JET_errMissingRestoreLogFiles: the stop lies beyond the last log;
 * JET_errEndingRestoreLogTooLow: it lies before the end of the backup itself; those of
 * restore_external.
 */
JET_ERR restore_backup(const struct restore_wanted *wanted, JETX_RESTOREREPORT *report)
    __attribute__((warn_unused_result));
