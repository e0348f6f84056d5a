/* SPDX-License-Identifier: MIT */
/*
 * txn: the instance's transaction system: numbers, active snapshots, procids, version cleanup.
 *
 * Cleanup queue: transactions in commit order. Its head may be consumed when its commit0 is older
 * than the oldest active snapshot; numbers of both kinds come from one counter.
 */
#include "txn/internal.h"

#include "log/stream.h"

#define SESSIONS_MAX_DEFAULT 65000u
#define CLEANUP_BATCH        256u

uint32_t
txn_draw(struct txn *txn)
{
    uint32_t n;
    do
        n = atomic_fetch_add(&txn->trx_last, 4) + 4;
    while (n == 0);
    return n;
}

JET_ERR
txn_new(const struct txn_config *cfg, struct txn **out)
{
    struct txn *txn = g_try_new0(struct txn, 1);
    if (!txn)
        return JET_errOutOfMemory;
    txn->log = cfg->log;
    txn->ops = cfg->ops;
    txn->sessions_max = cfg->sessions_max ? cfg->sessions_max : SESSIONS_MAX_DEFAULT;
    txn->version_bytes_max = cfg->version_bytes_max;
    txn->procids = g_hash_table_new(NULL, NULL);
    txn->procid_next = 1;
    g_mutex_init(&txn->lock);
    g_mutex_init(&txn->cleanup_lock);
    *out = txn;
    return JET_errSuccess;
}

static void
trx_free(struct trx *trx)
{
    while (trx->first)
        rce_retire(trx->first);
    while (trx->actions) {
        struct txn_action *a = trx->actions;
        trx->actions = a->next;
        txn_action_free(a);
    }
    g_free(trx);
}

void
txn_free(struct txn *txn)
{
    if (!txn)
        return;
    session_free(txn->cleaner);
    while (txn->done) {
        struct trx *trx = txn->done;
        txn->done = trx->next;
        trx_free(trx);
    }
    while (txn->purge) {
        struct rce *r = txn->purge;
        txn->purge = r->trx_next;
        rce_free(r);
    }
    g_assert(g_hash_table_size(txn->procids) == 0);
    g_hash_table_destroy(txn->procids);
    g_mutex_clear(&txn->lock);
    g_mutex_clear(&txn->cleanup_lock);
    g_free(txn);
}

void
txn_set_log(struct txn *txn, struct log *log)
{
    txn->log = log;
}

struct log *
txn_log(struct txn *txn)
{
    return txn->log;
}

void
txn_raise_trx(struct txn *txn, uint32_t trx)
{
    uint32_t last = atomic_load(&txn->trx_last);
    trx &= ~3u;
    while (trx_before(last, trx) && !atomic_compare_exchange_weak(&txn->trx_last, &last, trx)) {
    }
}

/* Nobody active: whoever comes next draws a number above the last. */
static uint32_t
oldest_locked(struct txn *txn)
{
    return txn->active ? txn->active->begin0 : atomic_load(&txn->trx_last) + 4;
}

uint32_t
txn_oldest(struct txn *txn)
{
    g_mutex_lock(&txn->lock);
    uint32_t oldest = oldest_locked(txn);
    g_mutex_unlock(&txn->lock);
    return oldest;
}

struct lgpos
txn_oldest_begin0(struct txn *txn)
{
    struct lgpos at = LGPOS_MAX;
    g_mutex_lock(&txn->lock);
    for (struct session *s = txn->active; s; s = s->active_next)
        if (!lgpos_is_zero(s->begin0_at))
            at = lgpos_min(at, s->begin0_at);
    g_mutex_unlock(&txn->lock);
    return at;
}

uint32_t
txn_session_count(struct txn *txn)
{
    g_mutex_lock(&txn->lock);
    uint32_t n = g_hash_table_size(txn->procids);
    g_mutex_unlock(&txn->lock);
    return n - (txn->cleaner ? 1 : 0);
}

uint64_t
txn_version_bytes(struct txn *txn)
{
    return atomic_load(&txn->version_bytes);
}

void
txn_commit_latency(struct txn *txn, struct histogram_counts *out)
{
    histogram_read(&txn->commits, out);
}

/* ---- sessions' birth ---- */

/* procid 0 = any free one. */
JET_ERR
txn_session_make(struct txn *txn, uint16_t procid, struct session **out)
{
    struct session *s = g_try_new0(struct session, 1);
    if (!s)
        return JET_errOutOfMemory;
    g_mutex_lock(&txn->lock);
    if (procid == 0 && g_hash_table_size(txn->procids) >= MIN(txn->sessions_max + 1, 65534)) {
        g_mutex_unlock(&txn->lock);
        g_free(s);
        return JET_errOutOfSessions;
    }
    while (procid == 0) {
        uint16_t candidate = txn->procid_next++;
        if (candidate != 0 && candidate != 0xffff &&
            !g_hash_table_contains(txn->procids, GUINT_TO_POINTER(candidate)))
            procid = candidate;
    }
    s->txn = txn;
    s->procid = procid;
    g_hash_table_insert(txn->procids, GUINT_TO_POINTER((guint)procid), s);
    g_mutex_unlock(&txn->lock);
    *out = s;
    return JET_errSuccess;
}

JET_ERR
session_new(struct txn *txn, struct session **out)
{
    return txn_session_make(txn, 0, out);
}

void
session_free(struct session *s)
{
    if (!s)
        return;
    g_assert(s->level == 0 && !s->trx);
    g_mutex_lock(&s->txn->lock);
    g_hash_table_remove(s->txn->procids, GUINT_TO_POINTER((guint)s->procid));
    g_mutex_unlock(&s->txn->lock);
    g_free(s);
}

void
txn_action_free(struct txn_action *a)
{
    if (a->free)
        a->free(a);
}

/* Takes out of the list the actions that owner has, or (NULL) that have nothing left to do. */
void
trx_drop_actions(struct trx *trx, const void *owner)
{
    struct txn_action **at = &trx->actions;
    while (*at) {
        struct txn_action *a = *at;
        if (owner ? a->owner == owner : !a->on_cleanup) {
            *at = a->next;
            txn_action_free(a);
        } else {
            at = &a->next;
        }
    }
}

void
txn_forget(struct txn *txn, const void *owner)
{
    g_mutex_lock(&txn->cleanup_lock);
    g_mutex_lock(&txn->lock);
    for (struct trx *trx = txn->done; trx; trx = trx->next)
        trx_drop_actions(trx, owner);
    g_mutex_unlock(&txn->lock);
    g_mutex_unlock(&txn->cleanup_lock);
}

/* ---- cleanup ---- */

/* Head of the queue if no snapshot is older; it stays in the queue. */
static struct trx *
cleanup_head(struct txn *txn)
{
    g_mutex_lock(&txn->lock);
    struct trx *trx = txn->done;
    if (trx && !trx_before(atomic_load(&trx->commit0), oldest_locked(txn)))
        trx = NULL;
    g_mutex_unlock(&txn->lock);
    return trx;
}

static void
cleanup_pop(struct txn *txn, struct trx *trx)
{
    g_mutex_lock(&txn->lock);
    g_assert(txn->done == trx);
    txn->done = trx->next;
    if (!txn->done)
        txn->done_end = NULL;
    g_mutex_unlock(&txn->lock);
    g_free(trx);
}

static struct rce *
purge_pop(struct txn *txn)
{
    g_mutex_lock(&txn->lock);
    struct rce *r = txn->purge;
    if (r) {
        txn->purge = r->trx_next;
        txn->purge_count--;
        if (!txn->purge)
            txn->purge_end = NULL;
    }
    g_mutex_unlock(&txn->lock);
    return r;
}

/* The cleaner works in transactions of a few hundred changes. */
static JET_ERR
cleaner_step(struct txn *txn, uint32_t done)
{
    struct session *s = txn->cleaner;
    JET_ERR err = JET_errSuccess;
    if (s->level > 0 && done % CLEANUP_BATCH == 0) {
        err = session_commit(s, JET_bitCommitLazyFlush, NULL);
        if (err < 0 && s->level > 0)
            (void)session_rollback(s, JET_bitRollbackAll);
    }
    if (s->level == 0) {
        JET_ERR e = session_begin(s, 0);
        err = err < 0 ? err : e;
    }
    return err;
}

static void
note(JET_ERR *first, JET_ERR err)
{
    if (*first >= 0 && err < 0)
        *first = err;
}

static JET_ERR
cleanup_one_trx(struct txn *txn, struct trx *trx, uint32_t max, uint32_t *done)
{
    JET_ERR first = JET_errSuccess;
    while (trx->first && (max == 0 || *done < max)) {
        struct rce *r = trx->first;
        note(&first, cleaner_step(txn, (*done)++));
        note(&first, txn->ops.cleanup(txn->ops.ctx, txn->cleaner, r));
        rce_retire(r);
    }
    while (!trx->first && trx->actions && (max == 0 || *done < max)) {
        struct txn_action *a = trx->actions;
        note(&first, cleaner_step(txn, (*done)++));
        if (a->on_cleanup)
            note(&first, a->on_cleanup(a, txn->cleaner));
        trx->actions = a->next;
        txn_action_free(a);
    }
    return first;
}

static JET_ERR
cleanup_locked(struct txn *txn, uint32_t max)
{
    JET_ERR first = JET_errSuccess;
    uint32_t done = 0;
    struct trx *trx;
    struct rce *r;
    while ((max == 0 || done < max) && (trx = cleanup_head(txn))) {
        note(&first, cleanup_one_trx(txn, trx, max, &done));
        if (!trx->first && !trx->actions)
            cleanup_pop(txn, trx);
    }
    while ((max == 0 || done < max) && (r = purge_pop(txn))) {
        note(&first, cleaner_step(txn, done++));
        note(&first, txn->ops.cleanup(txn->ops.ctx, txn->cleaner, r));
        rce_free(r);
    }
    if (txn->cleaner->level > 0) {
        JET_ERR err = session_commit(txn->cleaner, JET_bitCommitLazyFlush, NULL);
        note(&first, err);
        if (txn->cleaner->level > 0)
            (void)session_rollback(txn->cleaner, JET_bitRollbackAll);
    }
    return first;
}

JET_ERR
txn_cleanup(struct txn *txn, uint32_t max, uint64_t *left)
{
    JET_ERR err = JET_errSuccess;
    g_mutex_lock(&txn->cleanup_lock);
    if (!txn->cleaner) {
        err = session_new(txn, &txn->cleaner);
        if (err >= 0)
            txn->cleaner->internal = true;
    }
    if (err >= 0)
        err = cleanup_locked(txn, max);
    if (left) {
        *left = 0;
        g_mutex_lock(&txn->lock);
        for (struct trx *t = txn->done; t; t = t->next)
            for (struct rce *r = t->first; r; r = r->trx_next)
                (*left)++;
        for (struct rce *r = txn->purge; r; r = r->trx_next)
            (*left)++;
        g_mutex_unlock(&txn->lock);
    }
    g_mutex_unlock(&txn->cleanup_lock);
    return err;
}
