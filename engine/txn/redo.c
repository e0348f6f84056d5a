/* SPDX-License-Identifier: MIT */
/*
 * redo: sessions moved by the log instead of by their users.
 */
#include "txn/internal.h"

JET_ERR
txn_redo_session(struct txn *txn, uint16_t procid, struct session **out)
{
    g_mutex_lock(&txn->lock);
    struct session *s = g_hash_table_lookup(txn->procids, GUINT_TO_POINTER((guint)procid));
    g_mutex_unlock(&txn->lock);
    if (!s) {
        JET_ERR err = txn_session_make(txn, procid, &s);
        if (err < 0)
            return err;
        s->redo = true;
    }
    *out = s;
    return JET_errSuccess;
}

JET_ERR
session_redo_begin(struct session *s, uint8_t level_from, uint8_t levels, uint32_t begin0,
                   struct lgpos at)
{
    if (level_from != s->level || levels == 0 || level_from + levels > TXN_LEVEL_MAX ||
        (begin0 != 0) != (level_from == 0))
        return JET_errLogFileCorrupt;
    if (level_from == 0) {
        session_enter(s, begin0, false);
        JET_ERR err = session_need_trx(s);
        if (err < 0) {
            session_leave(s, false);
            return err;
        }
        g_mutex_lock(&s->txn->lock);
        s->begin0_at = at;
        g_mutex_unlock(&s->txn->lock);
        txn_raise_trx(s->txn, begin0);
    }
    s->level = level_from + levels;
    s->level_logged = s->level;
    return JET_errSuccess;
}

JET_ERR
session_redo_commit(struct session *s, uint8_t level_to)
{
    if (level_to >= s->level)
        return JET_errLogFileCorrupt;
    s->level = s->level_logged = level_to;
    session_lower(s, level_to);
    return JET_errSuccess;
}

/* Nobody reads during redo: of a committed transaction only its dead nodes matter, for the purge at
 * the end. */
static void
keep_dead(struct trx *trx)
{
    for (struct rce *r = trx->first, *next; r; r = next) {
        next = r->trx_next;
        if (r->oper != RCE_FLAG_DELETE)
            rce_retire(r);
    }
}

JET_ERR
session_redo_commit0(struct session *s, uint32_t commit0)
{
    if (s->level == 0)
        return JET_errLogFileCorrupt;
    txn_raise_trx(s->txn, commit0);
    atomic_store(&s->trx->commit0, commit0);
    session_lower(s, 0);
    keep_dead(s->trx);
    session_leave(s, true);
    return JET_errSuccess;
}

void
session_drop_versions(struct session *s, uint8_t level_to)
{
    while (s->trx && s->trx->last && s->trx->last->level > level_to)
        rce_retire(s->trx->last);
    while (s->trx && s->trx->actions && s->trx->actions->level > level_to) {
        struct txn_action *a = s->trx->actions;
        s->trx->actions = a->next;
        txn_action_free(a);
    }
}

JET_ERR
session_redo_rollback(struct session *s, uint8_t levels)
{
    if (levels > s->level)
        return JET_errLogFileCorrupt;
    uint8_t level_to = s->level - levels;
    session_drop_versions(s, level_to);
    s->level = s->level_logged = level_to;
    if (level_to == 0)
        session_leave(s, false);
    return JET_errSuccess;
}

static GPtrArray *
redo_sessions(struct txn *txn)
{
    GPtrArray *all = g_ptr_array_new();
    GHashTableIter it;
    gpointer value;
    g_mutex_lock(&txn->lock);
    g_hash_table_iter_init(&it, txn->procids);
    while (g_hash_table_iter_next(&it, NULL, &value))
        if (((struct session *)value)->redo)
            g_ptr_array_add(all, value);
    g_mutex_unlock(&txn->lock);
    return all;
}

void
txn_redo_each_open(struct txn *txn, void (*fn)(struct session *s, void *ctx), void *ctx)
{
    g_autoptr(GPtrArray) all = redo_sessions(txn);
    for (guint i = 0; i < all->len; i++) {
        struct session *s = g_ptr_array_index(all, i);
        if (s->level > 0)
            fn(s, ctx);
    }
}

static void
forget_oldest_trx(struct txn *txn)
{
    struct trx *trx = txn->done;
    txn->done = trx->next;
    if (!txn->done)
        txn->done_end = NULL;
    while (trx->first)
        rce_retire(trx->first);
    while (trx->actions) {
        struct txn_action *a = trx->actions;
        trx->actions = a->next;
        txn_action_free(a);
    }
    g_free(trx);
}

static void
forget_oldest_purge(struct txn *txn)
{
    struct rce *r = txn->purge;
    txn->purge = r->trx_next;
    if (!txn->purge)
        txn->purge_end = NULL;
    rce_free(r);
}

void
txn_redo_forget(struct txn *txn, uint32_t keep)
{
    uint32_t n_done = 0, n_purge = 0;
    g_mutex_lock(&txn->cleanup_lock);
    for (struct trx *t = txn->done; t; t = t->next)
        n_done++;
    for (struct rce *r = txn->purge; r; r = r->trx_next)
        n_purge++;
    for (; n_done > keep; n_done--)
        forget_oldest_trx(txn);
    for (; n_purge > keep; n_purge--)
        forget_oldest_purge(txn);
    g_mutex_unlock(&txn->cleanup_lock);
}

void
txn_redo_end(struct txn *txn)
{
    g_autoptr(GPtrArray) all = redo_sessions(txn);
    for (guint i = 0; i < all->len; i++)
        session_free(g_ptr_array_index(all, i));
}
