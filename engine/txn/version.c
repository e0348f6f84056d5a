/* SPDX-License-Identifier: MIT */
/*
 * version: chains of RCEs by bookmark, and what a snapshot sees through them.
 */
#include "txn/version.h"

#include "txn/internal.h"

#define PURGE_MAX 100000u

/* ---- the map ---- */

static uint64_t
mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

static uint64_t
hash_span(uint64_t h, struct span s)
{
    size_t i = 0;
    for (; i + 8 <= s.len; i += 8)
        h = mix(h, le64_get(s.data + i));
    uint64_t rest = 0;
    for (; i < s.len; i++)
        rest = rest << 8 | s.data[i];
    return mix(h, rest ^ (uint64_t)s.len << 56);
}

static guint
bookmark_hash(gconstpointer p)
{
    const struct bookmark *b = p;
    uint64_t h = hash_span(hash_span(1, b->key), b->data);
    return (guint)(h ^ h >> 32);
}

static gboolean
bookmark_equal(gconstpointer a, gconstpointer b)
{
    const struct bookmark *x = a, *y = b;
    return span_cmp(x->key, y->key) == 0 && span_cmp(x->data, y->data) == 0;
}

void
version_map_init(struct version_map *map, bool unique)
{
    *map = (struct version_map) {.unique = unique};
}

static void
cut_off(gpointer key, gpointer value, gpointer ctx)
{
    (void)key;
    (void)ctx;
    for (struct rce *r = value, *older; r; r = older) {
        older = r->older;
        r->in_map = false;
        r->map = NULL;
        r->older = NULL;
    }
}

static void
drop_purges(struct txn *txn, const struct version_map *map)
{
    struct rce **at = &txn->purge;
    txn->purge_end = NULL;
    while (*at) {
        struct rce *r = *at;
        if (r->map == map) {
            *at = r->trx_next;
            txn->purge_count--;
            rce_free(r);
        } else {
            txn->purge_end = r;
            at = &r->trx_next;
        }
    }
}

void
version_map_clear(struct txn *txn, struct version_map *map)
{
    g_mutex_lock(&txn->cleanup_lock);
    g_mutex_lock(&txn->lock);
    drop_purges(txn, map);
    g_mutex_unlock(&txn->lock);
    if (map->newest) {
        g_hash_table_foreach(map->newest, cut_off, NULL);
        g_hash_table_destroy(map->newest);
    }
    *map = (struct version_map) {.unique = map->unique};
    g_mutex_unlock(&txn->cleanup_lock);
}

struct rce *
version_find(const struct version_map *map, struct span key, struct span data)
{
    if (map->count == 0)
        return NULL;
    struct bookmark b = {key, map->unique ? span_of(NULL, 0) : data};
    return g_hash_table_lookup(map->newest, &b);
}

struct rce *
version_find_rceid(const struct version_map *map, struct span key, struct span data, uint32_t rceid)
{
    struct rce *r = version_find(map, key, data);
    while (r && r->rceid != rceid)
        r = r->older;
    return r;
}

static void
trx_link(struct trx *trx, struct rce *r)
{
    r->trx = trx;
    r->trx_next = NULL;
    r->trx_prev = trx->last;
    *(trx->last ? &trx->last->trx_next : &trx->first) = r;
    trx->last = r;
}

void
version_add(struct version_map *map, struct session *s, struct rce *r)
{
    g_assert(s->trx && s->level > 0);
    if (!map->newest)
        map->newest = g_hash_table_new(bookmark_hash, bookmark_equal);
    r->map = map;
    r->level = s->level;
    r->older = g_hash_table_lookup(map->newest, &r->bookmark);
    g_hash_table_replace(map->newest, &r->bookmark, r);
    r->in_map = true;
    map->count++;
    map->shrunk += r->shrunk;
    trx_link(s->trx, r);
}

void
version_lower(struct rce *r, struct session *s, uint8_t level)
{
    if (level >= r->level)
        return;
    r->level = level;
    s->mixed_levels = true;
}

void
version_remove(struct rce *r)
{
    if (!r->in_map)
        return;
    struct version_map *map = r->map;
    struct rce *newest = g_hash_table_lookup(map->newest, &r->bookmark);
    if (newest == r) {
        if (r->older)
            g_hash_table_replace(map->newest, &r->older->bookmark, r->older);
        else
            g_hash_table_remove(map->newest, &r->bookmark);
    } else {
        while (newest->older != r)
            newest = newest->older;
        newest->older = r->older;
    }
    r->older = NULL;
    r->in_map = false;
    map->count--;
    map->shrunk -= r->shrunk;
}

/* ---- RCEs ---- */

static uint8_t *
put(uint8_t *at, struct span from, struct span *to)
{
    if (from.len)
        memcpy(at, from.data, from.len);
    *to = span_of(at, from.len);
    return at + from.len;
}

JET_ERR
rce_new_redo(struct session *s, uint32_t rceid, enum rce_oper oper, struct span key,
             struct span data, struct span before, struct rce **out)
{
    struct txn *txn = s->txn;
    size_t size = sizeof(struct rce) + key.len + data.len + before.len;
    if (txn->version_bytes_max && !s->internal && !s->redo &&
        atomic_load(&txn->version_bytes) + size > txn->version_bytes_max)
        return JET_errVersionStoreOutOfMemory;
    JET_ERR err = session_need_trx(s);
    if (err < 0)
        return err;
    struct rce *r = g_try_malloc(size);
    if (!r)
        return JET_errOutOfMemory;
    *r = (struct rce) {
        .oper = (uint16_t)oper, .rceid = rceid, .trx = s->trx, .size = size, .txn = txn};
    uint8_t *at = put(r->bytes, key, &r->bookmark.key);
    at = put(at, data, &r->bookmark.data);
    put(at, before, &r->before);
    r->shrunk = oper == RCE_REPLACE ? (uint32_t)before.len : 0; /* until its maker knows better */
    atomic_fetch_add(&txn->version_bytes, size);
    *out = r;
    return JET_errSuccess;
}

JET_ERR
rce_new(struct session *s, enum rce_oper oper, struct span key, struct span data,
        struct span before, struct rce **out)
{
    uint32_t rceid;
    do
        rceid = atomic_fetch_add(&s->txn->rceid_last, 1) + 1;
    while (rceid == 0);
    return rce_new_redo(s, rceid, oper, key, data, before, out);
}

void
rce_free(struct rce *r)
{
    if (!r)
        return;
    atomic_fetch_sub(&r->txn->version_bytes, r->size);
    g_free(r);
}

void
rce_retire(struct rce *r)
{
    struct trx *trx = r->trx;
    version_remove(r);
    *(r->trx_prev ? &r->trx_prev->trx_next : &trx->first) = r->trx_next;
    *(r->trx_next ? &r->trx_next->trx_prev : &trx->last) = r->trx_prev;
    rce_free(r);
}

void
version_discard(struct rce *r)
{
    rce_retire(r);
}

void
version_queue_purge(struct txn *txn, struct version_map *map, struct span key, struct span data)
{
    size_t size = sizeof(struct rce) + key.len + data.len;
    struct rce *r = g_try_malloc(size);
    if (!r)
        return;
    *r = (struct rce) {.oper = RCE_PURGE, .map = map, .size = size, .txn = txn};
    put(put(r->bytes, key, &r->bookmark.key), data, &r->bookmark.data);
    atomic_fetch_add(&txn->version_bytes, size);
    g_mutex_lock(&txn->lock);
    bool full = txn->purge_count >= PURGE_MAX;
    if (!full) {
        *(txn->purge_end ? &txn->purge_end->trx_next : &txn->purge) = r;
        txn->purge_end = r;
        txn->purge_count++;
    }
    g_mutex_unlock(&txn->lock);
    if (full)
        rce_free(r);
}

/* ---- who sees what ---- */

/* commit0, waiting out the moment in which it is drawn. */
static uint32_t
settled_commit0(const struct rce *r)
{
    uint32_t commit0;
    while ((commit0 = atomic_load(&r->trx->commit0)) == TRX_COMMITTING)
        g_thread_yield();
    return commit0;
}

bool
rce_committed(const struct rce *r)
{
    return settled_commit0(r) != 0;
}

bool
rce_visible(const struct rce *r, const struct session *s)
{
    if (r->trx == s->trx)
        return true;
    uint32_t commit0 = settled_commit0(r);
    if (commit0 == 0)
        return false;
    return s->level == 0 || trx_before(commit0, s->begin0);
}

void
version_view(const struct rce *r, const struct session *s, bool deleted, struct span data,
             struct version_view *view)
{
    *view = (struct version_view) {.exists = !deleted, .data = data};
    for (; r; r = r->older) {
        bool visible = rce_visible(r, s);
        if (r->oper == RCE_DELTA) { /* those of others may lie below one's own */
            if (!visible && !view->deltas)
                view->deltas = r;
            continue;
        }
        if (visible)
            return;
        if (r->oper == RCE_INSERT) {
            view->exists = false;
        } else if (r->oper == RCE_FLAG_DELETE) {
            view->exists = true;
        } else if (r->oper == RCE_REPLACE) {
            view->data = r->before;
            view->deltas = NULL;
        }
    }
}

void
version_undo_deltas(const struct version_view *view, const struct session *s, uint8_t *copy)
{
    for (const struct rce *r = view->deltas; r; r = r->older) {
        bool visible = rce_visible(r, s);
        if (r->oper != RCE_DELTA && visible)
            return;
        if (r->oper == RCE_DELTA && !visible && r->delta_offset + 4u <= view->data.len)
            le32_put(copy + r->delta_offset, le32_get(copy + r->delta_offset) - (uint32_t)r->delta);
    }
}

JET_ERR
version_check_write(const struct rce *newest, const struct session *s)
{
    for (const struct rce *r = newest; r; r = r->older) {
        if (!rce_visible(r, s))
            return JET_errWriteConflict;
        if (r->oper != RCE_DELTA)
            break;
    }
    return JET_errSuccess;
}

JET_ERR
version_check_delta(const struct rce *newest, const struct session *s)
{
    const struct rce *r = newest;
    while (r && r->oper == RCE_DELTA)
        r = r->older;
    return r && !rce_visible(r, s) ? JET_errWriteConflict : JET_errSuccess;
}

uint32_t
version_reserved(const struct rce *r)
{
    uint32_t most = 0;
    for (; r; r = r->older)
        if (r->oper == RCE_REPLACE && !rce_committed(r) && r->before.len > most)
            most = (uint32_t)r->before.len;
    return most;
}
