/* SPDX-License-Identifier: MIT */
/*
 * session: begin, commit, rollback, and the deferred begin record.
 */
#include "txn/session.h"

#include "log/record.h"
#include "log/stream.h"
#include "txn/internal.h"

struct txn *
session_txn(const struct session *s)
{
    return s->txn;
}

uint16_t
session_procid(const struct session *s)
{
    return s->procid;
}

uint8_t
session_level(const struct session *s)
{
    return s->level;
}

uint32_t
session_begin0(const struct session *s)
{
    return s->begin0;
}

struct lgpos
session_begin0_lgpos(const struct session *s)
{
    return s->begin0_at;
}

struct trx *
session_trx(const struct session *s)
{
    return s->trx;
}

static JET_ERR
append(struct session *s, const struct lr *lr, struct lgpos *pos)
{
    struct lr_parts parts;
    if (!s->txn->log) {
        *pos = (struct lgpos) {0, 1, 1};
        return JET_errSuccess;
    }
    lr_encode(lr, &parts);
    return log_append(s->txn->log, parts.iov, parts.n, pos);
}

/* Into the active list, which is ordered by begin0 as numbers are drawn under its lock. */
void
session_enter(struct session *s, uint32_t begin0, bool draw)
{
    struct txn *txn = s->txn;
    g_mutex_lock(&txn->lock);
    s->begin0 = draw ? txn_draw(txn) : begin0;
    s->begin0_at = LGPOS_MIN;
    s->active_prev = txn->active_end;
    s->active_next = NULL;
    *(txn->active_end ? &txn->active_end->active_next : &txn->active) = s;
    txn->active_end = s;
    g_mutex_unlock(&txn->lock);
}

static void
active_unlink(struct session *s)
{
    struct txn *txn = s->txn;
    *(s->active_prev ? &s->active_prev->active_next : &txn->active) = s->active_next;
    *(s->active_next ? &s->active_next->active_prev : &txn->active_end) = s->active_prev;
    s->active_prev = s->active_next = NULL;
    s->begin0_at = LGPOS_MIN;
}

/*
 * Keeps the queue in commit order, though two sessions may come here in another: an insert must be
 * cleaned up before a later delete of the same node. What is behind a session that has not come yet
 * cannot be consumed, as its snapshot is still active.
 */
static void
queue_done(struct txn *txn, struct trx *trx)
{
    uint32_t commit0 = atomic_load(&trx->commit0);
    struct trx **at = &txn->done;
    if (txn->done_end && !trx_before(commit0, atomic_load(&txn->done_end->commit0)))
        at = &txn->done_end->next;
    while (*at && trx_before(atomic_load(&(*at)->commit0), commit0))
        at = &(*at)->next;
    trx->next = *at;
    *at = trx;
    if (!trx->next)
        txn->done_end = trx;
}

void
session_leave(struct session *s, bool committed)
{
    struct txn *txn = s->txn;
    struct trx *trx = g_steal_pointer(&s->trx);
    if (trx)
        trx_drop_actions(trx, NULL);
    g_mutex_lock(&txn->lock);
    active_unlink(s);
    if (trx && committed && (trx->first || trx->actions))
        queue_done(txn, g_steal_pointer(&trx));
    g_mutex_unlock(&txn->lock);
    g_assert(!trx || (!trx->first && !trx->actions));
    g_free(trx);
    s->level = s->level_logged = 0;
    s->mixed_levels = false;
}

JET_ERR
session_begin(struct session *s, JET_GRBIT grbit)
{
    if (s->level >= TXN_LEVEL_MAX)
        return JET_errTransTooDeep;
    if (s->level == 0) {
        session_enter(s, 0, true);
        s->read_only = (grbit & JET_bitTransactionReadOnly) != 0;
    }
    s->level++;
    return JET_errSuccess;
}

JET_ERR
session_need_trx(struct session *s)
{
    if (s->trx)
        return JET_errSuccess;
    struct trx *trx = g_try_new0(struct trx, 1);
    if (!trx)
        return JET_errOutOfMemory;
    trx->begin0 = s->begin0;
    s->trx = trx;
    return JET_errSuccess;
}

JET_ERR
session_log_begin(struct session *s)
{
    if (s->level == 0)
        return JET_errNotInTransaction;
    if (s->level_logged == s->level)
        return JET_errSuccess;
    if (s->read_only)
        return JET_errTransReadOnly;
    JET_ERR err = session_need_trx(s);
    if (err < 0)
        return err;
    bool first = s->level_logged == 0;
    if (first && s->txn->log) {
        err = log_check_state(s->txn->log);
        if (err < 0)
            return err;
    }
    struct lr lr = {.type = first ? LR_BEGIN0 : LR_BEGIN,
                    .tx = {.procid = s->procid,
                           .level = s->level_logged,
                           .levels = s->level - s->level_logged,
                           .trx = s->begin0}};
    struct lgpos pos;
    if (first) {
        /* The checkpoint must not pass the record before it knows of it. */
        struct lgpos tip = s->txn->log ? log_tip(s->txn->log) : LGPOS_MIN;
        g_mutex_lock(&s->txn->lock);
        s->begin0_at = tip;
        g_mutex_unlock(&s->txn->lock);
    }
    err = append(s, &lr, &pos);
    if (first) {
        g_mutex_lock(&s->txn->lock);
        s->begin0_at = err < 0 ? LGPOS_MIN : pos;
        g_mutex_unlock(&s->txn->lock);
    }
    if (err < 0)
        return err;
    s->level_logged = s->level;
    return JET_errSuccess;
}

void
session_add_action(struct session *s, struct txn_action *action)
{
    g_assert(s->trx && s->level > 0);
    action->level = s->level;
    action->next = s->trx->actions;
    s->trx->actions = action;
}

void
session_lower(struct session *s, uint8_t level_to)
{
    if (!s->trx)
        return;
    /* Levels rise along the list, but in redo, where a late UndoInfo may name a lower one. */
    for (struct rce *r = s->trx->last; r && (s->mixed_levels || r->level > level_to);
         r = r->trx_prev)
        r->level = MIN(r->level, level_to);
    for (struct txn_action *a = s->trx->actions; a && a->level > level_to; a = a->next)
        a->level = level_to;
}

/* ---- commit ---- */

struct draw {
    struct txn *txn;
    struct trx *trx;
};

static uint32_t
draw_commit0(void *ctx)
{
    struct draw *d = ctx;
    uint32_t commit0 = txn_draw(d->txn);
    atomic_store(&d->trx->commit0, commit0);
    return commit0;
}

/* Commit order is the order of the numbers even without a log: readers need no more. */
static JET_ERR
commit0(struct session *s, struct lgpos *pos)
{
    struct draw d = {s->txn, s->trx};
    atomic_store(&s->trx->commit0, TRX_COMMITTING);
    if (!s->txn->log) {
        draw_commit0(&d);
        *pos = (struct lgpos) {0, 1, 1};
        return JET_errSuccess;
    }
    JET_ERR err = log_append_commit0(s->txn->log, s->procid, draw_commit0, &d, pos);
    if (err < 0)
        atomic_store(&s->trx->commit0, 0);
    return err;
}

static JET_ERR
commit_inner(struct session *s)
{
    if (s->level_logged == s->level) {
        struct lr lr = {.type = LR_COMMIT, .tx = {.procid = s->procid, .level = s->level - 1}};
        struct lgpos pos;
        JET_ERR err = append(s, &lr, &pos);
        if (err < 0)
            return err;
        s->level_logged--;
    }
    s->level--;
    session_lower(s, s->level);
    return JET_errSuccess;
}

/* At level 0 the wait bits are all a commit is about. */
static JET_ERR
commit_wait(struct session *s, JET_GRBIT grbit)
{
    if (s->level > 0)
        return JET_errInTransaction;
    if (!s->txn->log)
        return JET_errSuccess;
    if (grbit & JET_bitWaitAllLevel0Commit)
        return log_flush_all(s->txn->log);
    return lgpos_is_zero(s->last_commit) ? JET_errSuccess : log_flush(s->txn->log, s->last_commit);
}

/* Waits for the log; start_us = when the commit was called. */
static JET_ERR
make_durable(struct session *s, struct lgpos pos, int64_t start_us)
{
    JET_ERR err = log_flush(s->txn->log, pos);
    if (err >= 0)
        histogram_add(&s->txn->commits, (uint64_t)(g_get_monotonic_time() - start_us));
    return err;
}

JET_ERR
session_commit(struct session *s, JET_GRBIT grbit, uint64_t *commit_id)
{
    if (commit_id)
        *commit_id = 0;
    if (grbit & (JET_bitWaitLastLevel0Commit | JET_bitWaitAllLevel0Commit))
        return commit_wait(s, grbit);
    if (s->level == 0)
        return JET_errNotInTransaction;
    if (s->level > 1)
        return commit_inner(s);
    if (s->level_logged == 0) {
        session_leave(s, false);
        return JET_errSuccess;
    }
    struct lgpos pos;
    int64_t start_us = g_get_monotonic_time();
    JET_ERR err = commit0(s, &pos);
    if (err < 0)
        return err;
    session_lower(s, 0);
    session_leave(s, true);
    if (!s->txn->log)
        return JET_errSuccess;
    s->last_commit = pos;
    if (commit_id)
        *commit_id = (uint64_t)(uint32_t)pos.gen << 32 | (uint64_t)pos.isec << 16 | pos.ib;
    return grbit & JET_bitCommitLazyFlush ? JET_errSuccess : make_durable(s, pos, start_us);
}

/* ---- rollback ---- */

static JET_ERR
undo_versions(struct session *s)
{
    JET_ERR first = JET_errSuccess;
    while (s->trx && s->trx->last && s->trx->last->level >= s->level) {
        struct rce *r = s->trx->last;
        JET_ERR err = s->txn->ops.undo(s->txn->ops.ctx, s, r);
        if (err < 0 && first >= 0)
            first = err;
        rce_retire(r);
    }
    return first;
}

static JET_ERR
undo_actions(struct session *s)
{
    JET_ERR first = JET_errSuccess;
    while (s->trx && s->trx->actions && s->trx->actions->level == s->level) {
        struct txn_action *a = s->trx->actions;
        JET_ERR err = a->on_rollback ? a->on_rollback(a, s) : JET_errSuccess;
        if (err < 0 && first >= 0)
            first = err;
        s->trx->actions = a->next;
        txn_action_free(a);
    }
    return first;
}

static JET_ERR
rollback_level(struct session *s)
{
    JET_ERR err = undo_versions(s);
    JET_ERR err_actions = undo_actions(s);
    if (err >= 0)
        err = err_actions;
    if (s->level_logged == s->level) {
        struct lr lr = {.type = LR_ROLLBACK, .tx = {.procid = s->procid, .level = 1}};
        struct lgpos pos;
        JET_ERR err_log = append(s, &lr, &pos);
        if (err >= 0)
            err = err_log;
        s->level_logged--;
    }
    if (--s->level == 0)
        session_leave(s, false);
    return err;
}

JET_ERR
session_rollback(struct session *s, JET_GRBIT grbit)
{
    if (s->level == 0)
        return JET_errNotInTransaction;
    JET_ERR first = JET_errSuccess;
    do {
        JET_ERR err = rollback_level(s);
        if (err < 0 && first >= 0)
            first = err;
    } while ((grbit & JET_bitRollbackAll) && s->level > 0);
    return first < 0 ? JET_errRollbackError : JET_errSuccess;
}

void
session_abandon(struct session *s)
{
    if (s->level == 0)
        return;
    session_drop_versions(s, 0);
    session_leave(s, false);
}
