/* SPDX-License-Identifier: MIT */
/*
 * undo: the upcalls of transactions: take a change back, and clean up behind old ones.
 *
 * Undo logs an Undo record under the page latch, then makes the physical inverse. It never needs
 * room: what a rollback may need was kept free (btree_page_room). The inverse of an insert is a
 * dead node, queued for cleanup.
 */
#include "btree/internal.h"

JET_ERR
btree_undo_apply(struct page *page, uint16_t line, const struct rce *r)
{
    switch (r->oper) {
    case RCE_INSERT:
        return apply_set_deleted(page, line, true);
    case RCE_FLAG_DELETE:
        return apply_set_deleted(page, line, false);
    case RCE_REPLACE:
        return apply_replace(page, line, r->before, false);
    case RCE_DELTA:
        return apply_delta(page, line, r->delta_offset, -r->delta, false);
    default:
        return JET_errInternalError;
    }
}

static JET_ERR
undo_on_leaf(struct btree *t, struct session *s, struct buf *leaf, const struct rce *r)
{
    uint16_t line;
    bool exact;
    struct lgpos pos;
    JET_ERR err = node_find(leaf->page, t->unique, &r->bookmark, &line, &exact);
    if (err < 0 || !exact)
        return err < 0 ? err : JET_errDatabaseCorrupted;
    struct lr lr = {.type = LR_UNDO};
    lr.page.iline = line;
    lr.page.flags = LR_PAGE_VERSIONED;
    btree_fill_page(t, s, leaf, &lr);
    lr.node.rceid = r->rceid;
    lr.undo.key = r->bookmark.key;
    lr.undo.bm_data = r->bookmark.data;
    lr.undo.oper = r->oper;
    lr.undo.level = r->level;
    err = btree_log(t, s, &lr, &pos);
    if (err >= 0)
        err = btree_undo_apply(leaf->page, line, r);
    if (err >= 0)
        btree_touch(t, s, leaf, lr.page.dbtime, pos);
    return err;
}

JET_ERR
btree_undo(void *ctx, struct session *s, struct rce *r)
{
    (void)ctx;
    if (!r->map)
        return JET_errSuccess;
    struct btree *t = btree_of_map(r->map);
    struct path path;
    struct buf *leaf;
    g_rw_lock_writer_lock(&t->latch);
    JET_ERR err =
        t->gone ? JET_errSuccess : btree_descend(t, &r->bookmark, false, LATCH_WRITE, &path, &leaf);
    if (!t->gone && err >= 0) {
        err = undo_on_leaf(t, s, leaf, r);
        cache_unfix(leaf);
    }
    version_remove(r);
    if (!t->gone && err >= 0 && r->oper == RCE_INSERT)
        version_queue_purge(t->db->txn, &t->versions, r->bookmark.key, r->bookmark.data);
    g_rw_lock_writer_unlock(&t->latch);
    return err;
}

JET_ERR
btree_cleanup(void *ctx, struct session *s, struct rce *r)
{
    (void)ctx;
    if (!r->map)
        return JET_errSuccess;
    struct btree *t = btree_of_map(r->map);
    JET_ERR err = JET_errSuccess;
    g_rw_lock_writer_lock(&t->latch);
    version_remove(r);
    if (!t->gone && (r->oper == RCE_FLAG_DELETE || r->oper == RCE_PURGE))
        err = btree_remove_dead(t, s, &r->bookmark);
    g_rw_lock_writer_unlock(&t->latch);
    return err;
}

/* ---- what a crash left ---- */

/* First dead node without versions after *bm; its bookmark is copied to buf. */
static JET_ERR
next_dead(struct btree *t, const struct page *page, uint16_t from, uint16_t *line, uint8_t *buf,
          struct bookmark *bm)
{
    uint8_t tmp[NODE_KEY_MAX];
    for (*line = from; *line < page_lines(page); (*line)++) {
        struct node n;
        JET_ERR err = page_node(page, *line, &n);
        if (err < 0)
            return err;
        if (!(n.flags & NODE_DELETED))
            continue;
        *bm = btree_node_bookmark(t, &n, tmp);
        if (version_find(&t->versions, bm->key, bm->data))
            continue;
        if (bm->key.len)
            memcpy(buf, bm->key.data, bm->key.len);
        if (bm->data.len)
            memcpy(buf + bm->key.len, bm->data.data, bm->data.len);
        bm->key.data = buf;
        bm->data.data = buf + bm->key.len;
        return JET_errSuccess;
    }
    return JET_errRecordNotFound;
}

/* Removes the dead nodes of one leaf; *pgno = the next leaf. */
static JET_ERR
purge_leaf(struct btree *t, struct session *s, uint32_t *pgno)
{
    g_autofree uint8_t *bytes = g_try_malloc(2 * NODE_KEY_MAX);
    struct buf *leaf;
    struct bookmark bm;
    uint16_t line = 0;
    uint32_t here = *pgno;
    if (!bytes)
        return JET_errOutOfMemory;
    for (;;) {
        JET_ERR err = cache_fix(t->db->file, here, LATCH_READ, &leaf);
        if (err < 0)
            return err;
        bool ours = page_objid(leaf->page) == t->objid && page_is_leaf(leaf->page) &&
                    !(page_flags(leaf->page) & PAGE_FLAG_EMPTY);
        if (ours) {
            *pgno = page_next(leaf->page);
            err = next_dead(t, leaf->page, line, &line, bytes, &bm);
        }
        cache_unfix(leaf);
        if (!ours || err == JET_errRecordNotFound)
            return JET_errSuccess;
        if (err >= 0)
            err = btree_remove_dead(t, s, &bm);
        if (err < 0)
            return err;
    }
}

JET_ERR
btree_purge(struct session *s, struct btree *t)
{
    struct path path;
    struct buf *leaf;
    g_rw_lock_writer_lock(&t->latch);
    JET_ERR err = btree_descend(t, NULL, false, LATCH_READ, &path, &leaf);
    uint32_t pgno = 0;
    if (err >= 0) {
        pgno = leaf->pgno;
        cache_unfix(leaf);
    }
    while (err >= 0 && pgno)
        err = purge_leaf(t, s, &pgno);
    g_rw_lock_writer_unlock(&t->latch);
    return err;
}
