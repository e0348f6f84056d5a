/* SPDX-License-Identifier: MIT */
/*
 * snapshot: the engine's side of a snapshot of disks or file systems (backup API, 1.19; VSS calls
 * it a shadow copy, here it is LVM, btrfs, XFS, a storage box).
 *
 *   prepare       freeze          thaw (ContinueAfterThaw)      truncate
 * ---------> PREPARED ------> FROZEN ------------------> THAWED ----------> TRUNCATED
 *               |               |  |                        |                  |
 *        freeze |       timeout |  | thaw                   |                  |
 *        failed |               v  |                        |                  |
 *               v          TIMED_OUT --- thaw: -2402 ---+   |                  |
 *            FAILED             |  |                    |   |                  |
 *               |               |  |                    v   v                  v
 *               +---------------+--+-- end, abort -----> (gone: the id is not valid any more)
 *
 * Thaw without ContinueAfterThaw ends the session itself: well after FROZEN, aborted after
 * TIMED_OUT. End with 0 is for PREPARED, THAWED and TRUNCATED; abort for all.
 *
 * Invariants:
 *  1. An instance of a FROZEN session writes nothing (instance_freeze); the gate counts one more
 *     inside, so that JetTerm waits for the thaw.
 *  2. A backup is in progress on it, for all who ask, from FREEZE until the session is gone, timed
 *     out or the instance is.
 *  3. One session at a time is PREPARED, FROZEN, THAWED or TRUNCATED. FAILED and TIMED_OUT ones
 *     hold nothing.
 *  4. A FROZEN session has a thread that thaws it when JET_paramOSSnapshotTimeout, the smallest of
 *     its instances, has passed; no call and no lock of the application can keep it from that.
 *  5. An instance in a session is alive: its JetTerm goes through snapshot_leave first.
 *
 * Locks, in order: calls (one call of the family at a time, across I/O), then those of the context
 * and the instance; state (short; between a call and the thread), then log, cache, checkpoint.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "esent.h"

struct instance;

/* Gets the instances of a session, alive for the call. Its error is passed on. */
typedef JET_ERR (*snapshot_describe)(void *ctx, struct instance *const *insts, size_t n);

/* Calls visit for each instance that runs, inside its gate. */
typedef void (*snapshot_each_running)(void (*visit)(void *ctx, struct instance *inst), void *ctx);

/* JET_errInvalidGrbit, JET_errInvalidParameter (id NULL), JET_errNotInitialized: no instance runs;
 * JET_errOSSnapshotInvalidSequence: another session is under way. */
JET_ERR snapshot_prepare(JET_OSSNAPID *id, JET_GRBIT grbit, snapshot_each_running each);

/*
 * The caller is inside the gate of inst. JET_errInvalidGrbit, JET_errOSSnapshotInvalidSnapId,
 * JET_errOSSnapshotInvalidSequence: not PREPARED; JET_errOSSnapshotNotAllowed: in the session
 * already, a backup runs, or none may.
 */
JET_ERR snapshot_prepare_instance(JET_OSSNAPID id, struct instance *inst, JET_GRBIT grbit);

/*
 * JET_errInvalidGrbit, JET_errOSSnapshotInvalidSnapId, JET_errOSSnapshotInvalidSequence,
 * JET_errOutOfThreads; JET_errOSSnapshotNotAllowed: an instance is busy with a backup or not
 * running; incremental: JET_errMissingFullBackup, JET_errInvalidBackup, JET_errMissingFileToBackup;
 * log errors, those of describe. All but the first three leave the session FAILED (event 2002), and
 * nothing frozen.
 */
JET_ERR snapshot_freeze(JET_OSSNAPID id, JET_GRBIT grbit, snapshot_describe describe, void *ctx);

/* JET_errInvalidGrbit, JET_errOSSnapshotInvalidSnapId, JET_errOSSnapshotInvalidSequence,
 * JET_errOSSnapshotTimeOut. */
JET_ERR snapshot_thaw(JET_OSSNAPID id, JET_GRBIT grbit);

/*
 * inst NULL: all. JET_errInvalidGrbit, JET_errOSSnapshotInvalidSnapId,
 * JET_errOSSnapshotInvalidSequence (also: a copy), JET_wrnNyi's negative (-1): the instance is not
 * in the session; JET_errRequiredLogFilesMissing; os errors.
 */
JET_ERR snapshot_truncate(JET_OSSNAPID id, struct instance *inst, JET_GRBIT grbit);

/* JET_errInvalidGrbit, JET_errOSSnapshotInvalidSnapId; those of describe. */
JET_ERR snapshot_info(JET_OSSNAPID id, JET_GRBIT grbit, snapshot_describe describe, void *ctx);

/*
 * grbit 0 or JET_bitAbortSnapshot. JET_errInvalidGrbit, JET_errOSSnapshotInvalidSnapId,
 * JET_errOSSnapshotInvalidSequence; JET_errOSSnapshotTimeOut: it timed out; it is over now.
 */
JET_ERR snapshot_end(JET_OSSNAPID id, JET_GRBIT grbit);

/* The instance goes down; nobody is inside. It leaves its session, which is aborted for it. */
void snapshot_leave(struct instance *inst);
