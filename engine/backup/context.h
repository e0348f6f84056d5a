/* SPDX-License-Identifier: MIT */
/*
 * context: the one backup session of an instance, its state machine (backup API, section 2).
 *
 *                    begin(0)                 log_info                      handle open: Dh, Lh,
 * I2h NONE --+-----------------> DATABASES ------------------> LOGS           (one at a time) |
 * begin(incremental)               log_info
 *          +-----------------> INCREMENTAL ----------------> INC_LOGS
 *          |  begin_frozen
 *          +-----------------> FROZEN (any number of handles)
 *          |  begin_surrogate, begin_snapshot
 *          +-----------------> SURROGATE, SNAPSHOT: others copy, all but end and begin see no
 *                              session; a SNAPSHOT is ended by its own end only
 *
 *   end, term; a failing open or read in a log phase: any --> NONE
 *   stop: sets a flag only; all but close, end, status answer JET_errBackupAbortByServer then
 *
 * A plain session reads database pages from the live file, with the page writer paused for the time
 * of one read: a fuzzy image that the logs make whole. A frozen one is backup/frozen.h's.
 *
 * What a call answers when both the source and the documentation of ESE speak is what the
 * documentation says: end returns JET_errBackupAbortByCaller / ByServer for what was no whole
 * backup.
 *
 * Locks, in order: context lock (all calls of a session one after the other; held across I/O),
 * instance work. Reads of a frozen session's files run without it. stop and status take neither.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backup/frozen_reader.h"
#include "esent.h"
#include "esentx.h"

struct instance;

/* All take an instance whose gate the caller has passed, unless said otherwise. */

/*
 * grbit 0 (full) or JET_bitBackupIncremental. In this order: JET_errBackupNotAllowedYet,
 * JET_errLoggingDisabled, JET_errLogWriteFail, JET_errInvalidGrbit, JET_errInvalidBackup
 * (incremental with circular logging), JET_errLogDiskFull, JET_errLogSequenceEnd,
 * JET_errBackupInProgress, JET_errMissingFullBackup (event 206), JET_errCheckpointFileNotFound,
 * JET_errCheckpointCorrupt, JET_errBadCheckpointSignature, JET_errFileInvalidType;
 * JET_errOutOfMemory.
 */
JET_ERR context_begin(struct instance *inst, JET_GRBIT grbit);

/* The same, frozen; an incremental one serves logs only. Also JET_errMissingFileToBackup: a log
 * that the session needs is gone (event 459). And what frozen_begin says. */
JET_ERR context_begin_frozen(struct instance *inst, JET_GRBIT grbit);

/* Full paths of the databases, in order of dbid; g_strfreev. JET_errNoBackup,
 * JET_errBackupAbortByServer, JET_errInvalidBackupSequence (incremental). */
JET_ERR context_attach_info(struct instance *inst, char ***paths);

/*
 * JetOpenFile. In a frozen session name may be szName or szPath. JET_errNoBackup,
 * JET_errBackupAbortByServer, JET_errInvalidParameter (no name; no name of a log: ends the backup),
 * JET_errOutOfMemory (a file is open), JET_errInvalidBackupSequence (database in a log phase:
 * ends), JET_errDatabaseNotFound (event 217), JET_errMissingFileToBackup (event 459, ends); os
 * errors.
 */
JET_ERR context_open(struct instance *inst, const char *name, JET_HANDLE *hf, uint64_t *size);

/*
 * JetReadFile: from the handle's position. JET_errNoBackup, JET_errBackupAbortByServer,
 * JET_errInvalidParameter (handle; cb no multiple of the page size, first read below 3 pages of a
 * database, 2 of a log; a frozen session takes any cb), read and verification errors (of a
 * database: event 217, the handle is closed; of a log: event 218, the backup ends).
 */
JET_ERR context_read(struct instance *inst, JET_HANDLE hf, void *pv, uint32_t cb, uint32_t *actual);

/* JetxReadFileAt. JET_errInvalidBackupSequence: no frozen session. */
JET_ERR context_read_at(struct instance *inst, JET_HANDLE hf, uint64_t ib, void *pv, uint32_t cb,
                        uint32_t *actual);

/* JET_errNoBackup, JET_errInvalidParameter. Works after stop. */
JET_ERR context_close(struct instance *inst, JET_HANDLE hf);

/*
 * The logs to copy / to delete; the first of the two in a session rolls the log. g_strfreev.
 * JET_errNoBackup, JET_errBackupAbortByServer, JET_errInvalidBackupSequence (a file is open),
 * JET_errMissingFileToBackup (incremental, event 459), log errors. gen_low, gen_high may be NULL.
 */
JET_ERR context_log_info(struct instance *inst, char ***paths, uint32_t *gen_low,
                         uint32_t *gen_high);
JET_ERR context_truncate_info(struct instance *inst, char ***paths);

/* JET_errNoBackup, JET_errBackupAbortByServer, JET_errInvalidBackupSequence,
 * JET_errLogFileNotCopied (event 520); os errors. A frozen session trusts its caller that all was
 * copied. */
JET_ERR context_truncate(struct instance *inst);

/*
 * JetEndExternalBackupInstance2. 0: a whole backup, headers stamped. JET_errInvalidParameter: not
 * exactly one of Normal and Abort; JET_errNoBackup; JET_errBackupAbortByCaller (Abort, or before
 * log info); JET_errBackupAbortByServer (stopped, or no room). In the last two the backup is over
 * all the same.
 */
JET_ERR context_end(struct instance *inst, JET_GRBIT grbit);

/* ---- sessions whose files are copied past the engine ---- */

/*
 * JetBeginSurrogateBackup: somebody copies what holds the logs gen_first to gen_last.
 * JET_errBackupNotAllowedYet; JET_errInvalidParameter: gen_first > gen_last, or no such generation
 * yet; then as context_begin, and JET_errInvalidBackup with circular logging.
 */
JET_ERR context_begin_surrogate(struct instance *inst, uint32_t gen_first, uint32_t gen_last,
                                JET_GRBIT grbit);

/*
 * JetEndSurrogateBackup, as context_end: JET_errInvalidParameter, JET_errNoBackup,
 * JET_errBackupAbortByCaller, JET_errBackupAbortByServer. Ending the one kind by the call for the
 * other kills the session, event 214: context_end then returns JET_errSurrogateBackupInProgress,
 * this one 0, as ESE's does.
 */
JET_ERR context_end_surrogate(struct instance *inst, JET_GRBIT grbit);

/*
 * A part of an OS snapshot (backup/snapshot.h, the only caller of these three): the session begins
 * and the instance is frozen; instance_thaw thaws it. The caller is inside the gate until then.
 * JET_errBackupNotAllowedYet, JET_errLoggingDisabled, JET_errBackupInProgress,
 * JET_errSurrogateBackupInProgress; incremental: JET_errInvalidBackup (circular logging),
 * JET_errMissingFullBackup (event 206), JET_errMissingFileToBackup (event 459); checkpoint and log
 * errors. Nothing is frozen then.
 */
JET_ERR context_begin_snapshot(struct instance *inst, bool incremental, bool copy);

/* Thawed. outcome 0: headers are stamped. */
void context_end_snapshot(struct instance *inst, JET_ERR outcome);

/* Deletes the logs below the checkpoint of the freeze. JET_errRequiredLogFilesMissing: some above
 * are gone; os errors. Otherwise, and with circular logging: nothing to delete, event 225. */
JET_ERR context_truncate_snapshot(struct instance *inst, bool all_databases);

/* JetStopBackup: no gate needed; does not wait. */
void context_stop(struct instance *inst);

/* The instance goes down; nobody is inside. Ends a session (event 226 unless silent), frees the
 * context. */
void context_term(struct instance *inst, bool silent);

/* No gate needed. cbStruct of *status is respected and kept. */
JET_ERR context_status(struct instance *inst, JETX_BACKUPSTATUS *status);

/* ---- frozen sessions: JET_errNoBackup, JET_errInvalidBackupSequence (plain), what killed it ----
 */

JET_ERR context_files(struct instance *inst, JETX_BACKUPFILE **files /* g_free */, uint32_t *n);
JET_ERR context_manifest(struct instance *inst, char **json /* g_free */);

/* JetxSetBackupLimits; also JET_errInvalidParameter. */
JET_ERR context_set_limits(struct instance *inst, const JETX_BACKUPLIMITS *limits);

/* What is known of who holds the session. */
struct backup_progress {
    uint32_t pid;      /* 0 = as it was */
    const char *mount; /* NULL = as it was, and the next two too */
    uint64_t required, served;
    bool read; /* something was read of the files */
};
JET_ERR context_progress(struct instance *inst, const struct backup_progress *progress);

/* JetxGetPreservedPages. JET_errInvalidParameter. */
JET_ERR context_preserved(struct instance *inst, JET_HANDLE hf, uint32_t cells, uint32_t *pages);

/* For the service: the parts of a file, to be read by another process. */
JET_ERR context_open_parts(struct instance *inst, const char *name, struct frozen_file *file);

/* How often JetReadFile reads a bad page again, and the milliseconds it waits before the first of
 * these, twice as many before the second, and so on. As in ESE 16 and 100; for tests. */
void context_set_read_retries(unsigned count, unsigned ms);
