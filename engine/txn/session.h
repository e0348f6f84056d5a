/* SPDX-License-Identifier: MIT */
/*
 * session: who does things, and what a transaction is.
 *
 * A session runs nested transactions (levels 1..7). Nothing is logged until its first change; then
 * one Begin0 (or Begin) stands for all levels opened since (log format 3.8). Everything the session
 * changed hangs in its version list (txn/version.h), newest last; a level that ends hands its part
 * to the level below, level 0 hands it to version cleanup.
 *
 * Invariants:
 *  1. level_logged <= level; a level above level_logged has left no trace in the log.
 *  2. begin0 is drawn when level 0 -> 1 begins; that is the session's snapshot. At level 0 a
 * session sees all that is committed.
 *  3. trx->commit0: 0 = active, TRX_COMMITTING = number is being drawn (readers spin), else
 * committed.
 *  4. commit order = order of Commit0 records in the log = order of commit0 numbers.
 *  5. A session is used by one thread at a time. The txn functions are safe from any thread.
 *
 * Locks: txn.lock (active list, cleanup queue) is innermost but for the log's mutex.
 */
#pragma once

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"
#include "esent.h"
#include "log/lgpos.h"

#define TXN_LEVEL_MAX  7
#define TRX_COMMITTING 1u

struct log;
struct rce;
struct txn;
struct session;

/* A transaction that changed something, as its versions see it. Owned by its session, after commit
 * by the cleanup queue; freed with its last version. */
struct trx {
    uint32_t begin0;
    _Atomic uint32_t commit0;
    struct trx *next;           /* cleanup queue: commit order */
    struct rce *first, *last;   /* its versions, oldest first */
    struct txn_action *actions; /* newest first */
};

/* trx numbers wrap around; they are compared by distance. */
static inline bool
trx_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

/* What the layer above (btree) does for transactions: the undo and cleanup upcalls. */
struct txn_ops {
    /* Takes the change of rce back: logs Undo, changes the page, removes the version. */
    JET_ERR (*undo)(void *ctx, struct session *s, struct rce *rce);
    /* No snapshot needs rce any more: removes the version, and the node if it is dead. Must consume
     * the version even on error (what stays is a deleted node, which is only waste). */
    JET_ERR (*cleanup)(void *ctx, struct session *cleaner, struct rce *rce);
    void *ctx;
};

struct txn_config {
    struct log *log;            /* NULL: nothing is logged */
    struct txn_ops ops;         /* set by btree_txn_ops() */
    uint32_t sessions_max;      /* JET_paramMaxSessions; 0 = 65000 */
    uint64_t version_bytes_max; /* version store limit; 0 = none */
};

/* An action bound to a session's transaction; run once, then freed by its own function. */
struct txn_action {
    struct txn_action *next;
    const void *owner; /* for txn_forget() */
    uint8_t level;
    /* rollback of the level it belongs to; NULL = nothing. Runs in reverse order, on the session.
     */
    JET_ERR (*on_rollback)(struct txn_action *a, struct session *s);
    /* after commit of level 0, when no snapshot is older; runs on the cleanup session; NULL = none.
     */
    JET_ERR (*on_cleanup)(struct txn_action *a, struct session *cleaner);
    void (*free)(struct txn_action *a);
};

/* ---- the instance's transaction system ---- */

/* JET_errOutOfMemory, JET_errOutOfSessions. Also makes the internal cleanup session. */
JET_ERR txn_new(const struct txn_config *cfg, struct txn **out);

/* No session may be left. Versions still queued for cleanup are dropped. NULL is fine. */
void txn_free(struct txn *txn);

/* Recovery ends, the log stream appears: from now on changes are logged there. */
void txn_set_log(struct txn *txn, struct log *log);
struct log *txn_log(struct txn *txn);

/* Continue trx numbers above trx (redo has seen it). */
void txn_raise_trx(struct txn *txn, uint32_t trx);

/* Snapshots below this number are gone: a version with commit0 < it is seen by everybody. */
uint32_t txn_oldest(struct txn *txn);

/* lgposStart of the oldest transaction with a logged begin, LGPOS_MAX without one (checkpoint 4.4).
 */
struct lgpos txn_oldest_begin0(struct txn *txn);

/*
 * Version cleanup: consumes committed versions nobody can need, deletes dead nodes, frees empty
 * pages. Called by the instance's timer; from any thread, one runs at a time, a second waits. max =
 * most versions to process (0 = all there are). *left (may be NULL) = versions that must wait for a
 * snapshot. The first error of an upcall; the rest still ran.
 */
JET_ERR txn_cleanup(struct txn *txn, uint32_t max, uint64_t *left);

/* Drops what waits for cleanup and belongs to owner, undone: the database is closed. */
void txn_forget(struct txn *txn, const void *owner);

/* How long durable commits took since the start: from the call to stable storage. Lock-free. */
void txn_commit_latency(struct txn *txn, struct histogram_counts *out);

/* Open sessions, and bytes in the version store, for counters. */
uint32_t txn_session_count(struct txn *txn);
uint64_t txn_version_bytes(struct txn *txn);

/* ---- sessions ---- */

/* JET_errOutOfSessions, JET_errOutOfMemory. */
JET_ERR session_new(struct txn *txn, struct session **out);

/* The session must be at level 0 (roll back first). NULL is fine. */
void session_free(struct session *s);

struct txn *session_txn(const struct session *s);
uint16_t session_procid(const struct session *s);
uint8_t session_level(const struct session *s);

/* grbit: JET_bitTransactionReadOnly counts at level 0. JET_errTransTooDeep beyond level 7. */
JET_ERR session_begin(struct session *s, JET_GRBIT grbit);

/*
 * Ends the innermost level. From level 1: draws commit0, logs Commit0 if anything was logged, and
 * waits until it is durable, unless grbit has JET_bitCommitLazyFlush. JET_bitWaitLastLevel0Commit
 * and JET_bitWaitAllLevel0Commit (level 0 only) wait for earlier commits. *commit_id (may be NULL)
 * = gen << 32 | isec << 16 | ib of Commit0, 0 when nothing was logged. JET_errNotInTransaction; log
 * errors. When Commit0 could not be appended the transaction is still open. When it could not be
 * made durable it is closed, and the log is down.
 */
JET_ERR session_commit(struct session *s, JET_GRBIT grbit, uint64_t *commit_id);

/* Undoes the innermost level, or all with JET_bitRollbackAll. JET_errNotInTransaction;
 * JET_errRollbackError: could not undo; the instance must go down (levels are popped all the same).
 */
JET_ERR session_rollback(struct session *s, JET_GRBIT grbit);

/*
 * The session is about to change something: logs the deferred Begin records.
 * JET_errNotInTransaction at level 0; JET_errTransReadOnly; log_check_state's and other log errors;
 * JET_errOutOfMemory. On error nothing has changed.
 */
JET_ERR session_log_begin(struct session *s);

/* What goes into LRPAGE, and into buf_dirty(). Valid after session_log_begin(). */
uint32_t session_begin0(const struct session *s);
struct lgpos session_begin0_lgpos(const struct session *s);
struct trx *session_trx(const struct session *s);

/* The instance is going down without a log: forgets the session's transaction, undoes nothing. No
 * tree may be in use by anybody. */
void session_abandon(struct session *s);

/* Binds an action to the current level (>= 1). The session owns it from now on. */
void session_add_action(struct session *s, struct txn_action *action);

/* ---- redo: the recovery driver moves sessions as the log says ---- */

/* The session with this procid, made when needed. JET_errOutOfMemory, JET_errOutOfSessions. */
JET_ERR txn_redo_session(struct txn *txn, uint16_t procid, struct session **out);

/* Begin0 (begin0 != 0) or Begin: levels more levels, starting at level_from. JET_errLogFileCorrupt.
 */
JET_ERR session_redo_begin(struct session *s, uint8_t level_from, uint8_t levels, uint32_t begin0,
                           struct lgpos at);
JET_ERR session_redo_commit(struct session *s, uint8_t level_to);
JET_ERR session_redo_commit0(struct session *s, uint32_t commit0);

/* Levels end; their Undo records have been redone, leftovers are dropped. */
JET_ERR session_redo_rollback(struct session *s, uint8_t levels);

/* Calls fn for every redo session still in a transaction (the undo phase). */
void txn_redo_each_open(struct txn *txn, void (*fn)(struct session *s, void *ctx), void *ctx);

/*
 * Drops, without touching pages, what redo keeps of committed transactions for the purge at its
 * end: their dead nodes, and those of rollbacks; but for the newest `keep` of each kind. 0: a
 * database is detached, or the run that made them is over. Otherwise it bounds memory: what is old
 * was purged in the log long ago; if not, a dead node stays, which is only waste.
 */
void txn_redo_forget(struct txn *txn, uint32_t keep);

/* Redo is over: all sessions made by it must be at level 0, and are freed. */
void txn_redo_end(struct txn *txn);
