/* SPDX-License-Identifier: MIT */
/*
 * recovery: from logs, a checkpoint and database files in any state to clean databases and a log
 * stream that can go on (log format, section 5).
 *
 * Redo from the checkpoint to the end of the log, then undo of what is uncommitted, then a
 * RecoveryQuit2 record. A crash at any point inside is harmless: redo is idempotent by dbtime, undo
 * is logged. Recovery makes its own cache, transactions and database files, and has closed them all
 * when it returns; the caller opens the stream for its run:
 *
 *     err = recovery_soft(&params, &result);
 *     if (result.fresh) log_create(&cfg, &log); else log_continue(&cfg, &result.resume, &log);
 *     log Init2 ...
 *
 * Invariants:
 *  1. Nothing is changed in a file before its header, its log chain and its generations were
 * checked.
 *  2. A record that changes pages is redone, skipped for a reason of 3.4, or ends recovery with an
 *     error: never passed over silently.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esent.h"
#include "log/attach.h"
#include "log/lgpos.h"
#include "log/names.h"
#include "log/stream.h"

/* Where a database of the log really lies (JET_RSTMAP). Matched by signature if given, else by
 * path. */
struct recovery_map {
    const char *log_path;   /* path in the log, or the file name alone; Windows paths match without
                             * regard to case. May be NULL */
    const char *file_path;  /* path to use, absolute */
    const uint8_t *sign_db; /* SIGNATURE_BYTES, or NULL */
};

struct recovery_params {
    struct log_config log;   /* as the instance will use it; its attach_list is not called */
    const char *system_path; /* directory of the checkpoint */
    uint32_t cache_pages;    /* frames for the run; 0 = 1024 */
    uint32_t sessions_max;   /* 0 = as many as the logs have */
    JET_GRBIT grbit; /* of JetInit3: JET_bitReplayIgnoreMissingDB, JET_bitReplayIgnoreLostLogs,
                      * JET_bitRecoveryWithoutUndo, JET_bitTruncateLogsAfterRecovery,
                      * JET_bitReplayMissingMapEntryDB, JET_bitLogStreamMustExist */
    const struct recovery_map *map; /* without any: databases lie where the log says */
    size_t n_map;
    const char *create_dir;   /* hard: databases that the log creates and the map does not name are
                               * made here, under their file names; NULL: ignored */
    const char *const *only;  /* ... but only these, paths in the log or file names, NULL-ended;
                               * NULL: all */
    struct lgpos stop;        /* redo ends before the first record at or above; zero = never */
    bool delete_out_of_range; /* JET_paramDeleteOutOfRangeLogs */
    void (*progress)(void *ctx, uint32_t done,
                     uint32_t total); /* segments redone, of all; may be NULL */
    void (*event)(void *ctx, int id, const char *const *inserts); /* ids of instance/event.h;
                                                                   * NULL-ended; may be NULL */
    void *ctx;
    uint64_t stop_after; /* tests: give up without a word after so many records (0 = never), as a
                            crash */
};

struct recovery_result {
    bool fresh;               /* there is no log: start a new stream */
    bool recovered;           /* redo ran (not a clean start) */
    struct log_resume resume; /* for log_continue */
    uint32_t log_file_kib;    /* size of the stream's files */
    uint32_t page_bytes;      /* of the stream */
    uint8_t signature[SIGNATURE_BYTES];
    struct lgpos checkpoint; /* as in the checkpoint file now */
    uint64_t records;        /* redone or skipped */
    uint32_t databases;      /* brought to a clean state */
    int32_t gen_last;        /* the last one redone, wholly or in part */
    struct lgpos stopped;    /* the first record that was not redone; zero: the log ended first */
};

/*
 * What JetInit does before logging starts. A stale checkpoint of a stream without logs is removed.
 *
 * With a stop, and log beyond it: the rest of that generation and all above are removed if
 * delete_out_of_range says so (JET_wrnCommittedLogFilesRemoved); else nothing is undone, since the
 * stream could not go on (JET_errRecoveredWithoutUndo; a later call may go further). A database
 * that may have pages from beyond the stop cannot go back: JET_errRequiredLogFilesMissing.
 *
 * 0; JET_wrnCommittedLogFilesLost, JET_wrnCommittedLogFilesRemoved (lossy, asked for). Errors by
 * cause, log format 5.7: JET_errMissingLogFile, JET_errMissingPreviousLogFile,
 * JET_errInvalidLogSequence, JET_errRequiredLogFilesMissing, JET_errCommittedLogFilesMissing,
 * JET_errLogFileCorrupt, JET_errCommittedLogFileCorrupt, JET_errLogSequenceChecksumMismatch,
 * JET_errBadLogSignature, JET_errBadLogVersion, JET_errLogFileSizeMismatch,
 * JET_errPageSizeMismatch,
 * JET_errAttachedDatabaseMismatch, JET_errConsistentTimeMismatch,
 * JET_errSoftRecoveryOnBackupDatabase, JET_errDbTimeTooOld, JET_errDbTimeTooNew,
 * JET_errDatabaseBufferDependenciesCorrupted, JET_errReadVerifyFailure,
 * JET_errRecoveredWithoutUndo, JET_errFileNotFound (stream must exist), JET_errLogDiskFull; errors
 * of os/file. On error databases stay as far as redo came; a later try starts again.
 */
JET_ERR recovery_soft(const struct recovery_params *params, struct recovery_result *result)
    __attribute__((warn_unused_result));

struct recovery_logs_at {
    const char *dir, *base, *ext; /* ext NULL = "log" */
    bool current;                 /* the current log there counts */
};

/*
 * The time ms (since 1970) as a stop: every durable commit that was acknowledged by then is below
 * it, every one that began later is above; a lazy one is where its flush is. To a millisecond, by
 * the writer's clock: where it was set back, the first later flush counts.
 * JET_errMissingRestoreLogFiles: no log goes that far, so that the state at that time cannot be
 * known; JET_errEndingRestoreLogTooLow: all logs are later; errors of log/reader.h.
 */
JET_ERR recovery_find_time(const struct recovery_logs_at *dirs, size_t n_dirs, int64_t ms,
                           struct lgpos *stop) __attribute__((warn_unused_result));

/* The backup set of a hard recovery. */
struct recovery_set {
    /* Paths of gen_low .. gen_high, and of what goes on from them: archives, in any directories,
     * and maybe a current log that nobody writes any more. None of them is changed. */
    const struct log_gens *logs;
    int32_t current_gen; /* generation of logs->current; 0 = not to be used */
    int32_t gen_low;
    int32_t gen_high;
    bool continue_with_log_dir; /* roll forward through params->log.dir when it goes on from
                                   there */
};

/*
 * What JetExternalRestore does after the headers were stamped (backup API, 6.3, phase 3 on): the
 * files of params->map are in place and carry bkinfoFullCur with genHigh. Databases of the log that
 * the map does not name are ignored. Any checkpoint file in system_path is replaced.
 * JET_errFileNotFound (a log of the set), JET_errBadLogSignature, JET_errLogFileSizeMismatch,
 * JET_errGivenLogFileIsNotContiguous, JET_errMissingCurrentLogFiles,
 * JET_errRedoAbruptEnded, JET_errLogCorruptDuringHardRestore, JET_errLogTornWriteDuringHardRestore,
 * JET_errLogCorruptDuringHardRecovery, JET_errLogTornWriteDuringHardRecovery, and those of
 * recovery_soft.
 * The stream goes on in params->log.dir, from the generation after the last one redone, of which
 * the directory gets a copy that ends where redo ended.
 */
JET_ERR recovery_hard(const struct recovery_params *params, const struct recovery_set *set,
                      struct recovery_result *result) __attribute__((warn_unused_result));
