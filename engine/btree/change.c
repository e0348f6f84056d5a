/* SPDX-License-Identifier: MIT */
/*
 * change: insert, replace, delete, delta of one entry: find it, ask the versions whether the
 * session may, make room, do it.
 */
#include "btree/cursor.h"

/* ---- room ---- */

/* Does the leaf take ch as it is? */
static bool
has_room(struct btree *t, const struct page *page, const struct change *ch)
{
    uint32_t need = ch->size;
    if (ch->type == LR_REPLACE || ch->type == LR_FIARD) {
        if (ch->data.len <= ch->old_len)
            return true;
        need = (uint32_t)ch->data.len - ch->old_len;
        if (page_free(page) >= need + t->versions.shrunk)
            return true;
        /* What this node has reserved for itself is its own. */
        struct node n;
        if (page_node(page, ch->line, &n) >= 0) {
            uint32_t own = btree_node_reserved(t, &n) - node_size(&n);
            return page_free(page) >= need && btree_page_room(t, page) + own >= need;
        }
    } else if (ch->type != LR_INSERT) {
        return true;
    }
    return page_free(page) >= need + t->versions.shrunk || btree_page_room(t, page) >= need;
}

/*
 * Makes ch on the leaf, or splits until it is made. *leaf is given back when a split was needed;
 * then it is NULL and *pgno, *line tell where the entry is.
 */
static JET_ERR
change_with_splits(struct btree *t, struct session *s, struct buf **leaf, struct change *ch,
                   uint32_t *pgno, uint16_t *line)
{
    uint32_t page_new = 0;
    JET_ERR err = JET_errSuccess;
    for (;;) {
        if (!*leaf) {
            struct path path;
            bool exact, used, done;
            err = btree_descend(t, &ch->bm, false, LATCH_WRITE, &path, leaf);
            if (err >= 0)
                err = node_find((*leaf)->page, t->unique, &ch->bm, &ch->line, &exact);
            if (err < 0)
                break;
            if (!has_room(t, (*leaf)->page, ch)) {
                cache_unfix(g_steal_pointer(leaf));
                if (page_new == 0) {
                    err = btree_get_page(t, s, path.at[path.depth - 1].pgno, &page_new);
                    if (err < 0)
                        break;
                    continue; /* a space tree may have changed meanwhile */
                }
                err = btree_split(t, s, &path, ch, page_new, &used, &done, pgno, line);
                if (used)
                    page_new = 0;
                if (err < 0 || done)
                    break;
                continue;
            }
        } else if (!has_room(t, (*leaf)->page, ch)) {
            cache_unfix(g_steal_pointer(leaf));
            continue;
        }
        err = btree_change_leaf(t, s, *leaf, ch);
        if (err >= 0) {
            *pgno = (*leaf)->pgno;
            *line = ch->line;
        }
        break;
    }
    if (page_new) {
        /* The leaf got room while the page was fetched: another session has committed. Space
         * latches the root, which may be this leaf. A page that cannot be given back is lost. */
        cache_unfix(g_steal_pointer(leaf));
        (void)btree_free_page(t, s, page_new);
    }
    return err;
}

/* As change_with_splits(); afterwards nothing is latched and unused versions are freed. */
static JET_ERR
perform(struct btree *t, struct session *s, struct buf *leaf, struct change *ch,
        struct btree_cursor *c)
{
    uint32_t pgno = 0;
    uint16_t line = 0;
    JET_ERR err = change_with_splits(t, s, &leaf, ch, &pgno, &line);
    if (err < 0)
        btree_change_drop(ch);
    else if (c && leaf)
        btree_cursor_hint(c, leaf, line);
    else if (c)
        c->leaf = 0;
    cache_unfix(leaf);
    return err;
}

/* ---- insert ---- */

/* Looks whether the entry is there, dead or alive. */
static JET_ERR
prepare_insert(struct btree *t, struct session *s, const struct page *page, bool exact,
               struct change *ch)
{
    struct span none = span_of(NULL, 0);
    const struct bookmark *bm = &ch->bm;
    JET_ERR err;
    ch->type = LR_INSERT;
    ch->size = page_node_bytes(0, bm->key.len, ch->data.len);
    if (!exact)
        return t->raw ? JET_errSuccess : rce_new(s, RCE_INSERT, bm->key, bm->data, none, &ch->rce);
    struct node n;
    err = page_node(page, ch->line, &n);
    if (err < 0)
        return err;
    err = version_check_write(version_find(&t->versions, bm->key, bm->data), s);
    if (err < 0)
        return err;
    if (!(n.flags & NODE_DELETED) || t->raw)
        return JET_errKeyDuplicate;
    ch->was_deleted = true;
    ch->old_len = (uint32_t)n.data.len;
    err = rce_new(s, RCE_INSERT, bm->key, bm->data, none, &ch->rce);
    if (err < 0)
        return err;
    ch->type = LR_FLAG_INSERT;
    if (span_cmp(n.data, ch->data) == 0)
        return JET_errSuccess;
    ch->type = LR_FIARD;
    err = rce_new(s, RCE_REPLACE, bm->key, bm->data, n.data, &ch->rce_replace);
    if (err < 0)
        rce_free(g_steal_pointer(&ch->rce));
    return err;
}

/* The cursor's leaf will do if the key lies within it, or beyond it where the tree ends. */
static struct buf *
leaf_by_hint(struct btree_cursor *c, const struct bookmark *bm, uint16_t *line, bool *exact)
{
    struct btree *t = c->t;
    struct buf *leaf;
    if (c->leaf == 0 || cache_fix(t->db->file, c->leaf, LATCH_WRITE, &leaf) < 0)
        return NULL;
    const struct page *page = leaf->page;
    if (page_dbtime(page) == c->leaf_dbtime && page_objid(page) == t->objid && page_is_leaf(page) &&
        node_find(page, t->unique, bm, line, exact) >= 0 &&
        (*exact || ((*line > 0 || page_prev(page) == 0) &&
                    (*line < page_lines(page) || page_next(page) == 0))))
        return leaf;
    cache_unfix(leaf);
    return NULL;
}

JET_ERR
btree_insert_locked(struct btree *t, struct session *s, struct btree_cursor *c, struct span key,
                    struct span data)
{
    struct change ch = {.bm = btree_bookmark(t, key, data), .data = data};
    struct path path;
    bool exact = false;
    JET_ERR err = JET_errSuccess;
    struct buf *leaf = c ? leaf_by_hint(c, &ch.bm, &ch.line, &exact) : NULL;
    if (!leaf) {
        err = btree_descend(t, &ch.bm, false, LATCH_WRITE, &path, &leaf);
        if (err < 0)
            return err;
        err = node_find(leaf->page, t->unique, &ch.bm, &ch.line, &exact);
    }
    if (err >= 0)
        err = prepare_insert(t, s, leaf->page, exact, &ch);
    if (err < 0) {
        cache_unfix(leaf);
        return err;
    }
    return perform(t, s, leaf, &ch, c);
}

static JET_ERR
enter_change(struct btree_cursor *c)
{
    JET_ERR err = session_log_begin(c->s);
    if (err < 0)
        return err;
    g_rw_lock_writer_lock(&c->t->latch);
    if (!c->t->gone)
        return JET_errSuccess;
    g_rw_lock_writer_unlock(&c->t->latch);
    return JET_errObjectNotFound;
}

JET_ERR
btree_insert(struct btree_cursor *c, struct span key, struct span data)
{
    if (data.len == 0 || key.len > NODE_KEY_MAX || (!c->t->unique && data.len > NODE_KEY_MAX))
        return JET_errInvalidParameter;
    if (key.len + data.len > btree_entry_max(c->t->db))
        return JET_errRecordTooBig;
    JET_ERR err = enter_change(c);
    if (err < 0)
        return err;
    err = btree_insert_locked(c->t, c->s, c, key, data);
    g_rw_lock_writer_unlock(&c->t->latch);
    if (err >= 0) {
        err = btree_cursor_copy(c, key, data);
        c->pos = err < 0 ? POS_NONE : POS_ON;
    }
    return err;
}

/* ---- changes of the current entry ---- */

/* The current entry, latched for a change the session may make. */
static JET_ERR
locate_for_change(struct btree_cursor *c, bool delta, struct buf **leaf, uint16_t *line,
                  struct node *n)
{
    bool exact;
    JET_ERR err = btree_cursor_locate(c, LATCH_WRITE, leaf, line, &exact);
    if (err < 0)
        return err;
    err = exact ? page_node((*leaf)->page, *line, n) : JET_errRecordDeleted;
    if (err >= 0) {
        struct bookmark bm = btree_cursor_bookmark(c);
        const struct rce *newest = version_find(&c->t->versions, bm.key, bm.data);
        err = delta ? version_check_delta(newest, c->s) : version_check_write(newest, c->s);
        if (err >= 0 && (n->flags & NODE_DELETED))
            err = JET_errRecordDeleted;
    }
    if (err < 0)
        cache_unfix(*leaf);
    return err;
}

static JET_ERR
replace_locked(struct btree_cursor *c, struct span data)
{
    struct btree *t = c->t;
    struct node n;
    struct buf *leaf;
    struct change ch = {.type = LR_REPLACE, .data = data, .bm = btree_cursor_bookmark(c)};
    JET_ERR err = locate_for_change(c, false, &leaf, &ch.line, &n);
    if (err < 0)
        return err;
    g_autofree uint8_t *same = NULL; /* btree_lock(): the data is the page's own */
    if (!data.data) {
        same = g_try_malloc(n.data.len);
        if (!same) {
            cache_unfix(leaf);
            return JET_errOutOfMemory;
        }
        memcpy(same, n.data.data, n.data.len);
        ch.data = span_of(same, n.data.len);
    }
    ch.old_len = (uint32_t)n.data.len;
    ch.size = page_node_bytes(0, ch.bm.key.len, ch.data.len);
    err = rce_new(c->s, RCE_REPLACE, ch.bm.key, ch.bm.data, n.data, &ch.rce);
    if (err < 0) {
        cache_unfix(leaf);
        return err;
    }
    return perform(t, c->s, leaf, &ch, c);
}

JET_ERR
btree_replace(struct btree_cursor *c, struct span data)
{
    if (c->pos != POS_ON)
        return JET_errNoCurrentRecord;
    if (data.len == 0 || !c->t->unique)
        return JET_errInvalidParameter;
    if (c->key_cb + data.len > btree_entry_max(c->t->db))
        return JET_errRecordTooBig;
    JET_ERR err = enter_change(c);
    if (err < 0)
        return err;
    err = replace_locked(c, data);
    g_rw_lock_writer_unlock(&c->t->latch);
    if (err >= 0) {
        err = btree_cursor_copy(c, btree_cursor_key(c), data);
        c->pos = err < 0 ? POS_NONE : POS_ON;
    }
    return err;
}

JET_ERR
btree_lock(struct btree_cursor *c)
{
    if (c->pos != POS_ON)
        return JET_errNoCurrentRecord;
    if (!c->t->unique)
        return JET_errInvalidParameter;
    JET_ERR err = enter_change(c);
    if (err < 0)
        return err;
    err = replace_locked(c, span_of(NULL, 0));
    g_rw_lock_writer_unlock(&c->t->latch);
    return err < 0 ? err : btree_refresh(c);
}

JET_ERR
btree_check_write(struct btree_cursor *c)
{
    if (c->pos != POS_ON)
        return JET_errNoCurrentRecord;
    struct bookmark bm = btree_cursor_bookmark(c);
    g_rw_lock_reader_lock(&c->t->latch);
    JET_ERR err = version_check_write(version_find(&c->t->versions, bm.key, bm.data), c->s);
    g_rw_lock_reader_unlock(&c->t->latch);
    return err;
}

static JET_ERR
delete_locked(struct btree_cursor *c)
{
    struct node n;
    struct buf *leaf;
    struct change ch = {.type = LR_FLAG_DELETE, .bm = btree_cursor_bookmark(c)};
    JET_ERR err = locate_for_change(c, false, &leaf, &ch.line, &n);
    if (err < 0)
        return err;
    err = rce_new(c->s, RCE_FLAG_DELETE, ch.bm.key, ch.bm.data, span_of(NULL, 0), &ch.rce);
    if (err < 0) {
        cache_unfix(leaf);
        return err;
    }
    return perform(c->t, c->s, leaf, &ch, c);
}

JET_ERR
btree_delete(struct btree_cursor *c)
{
    if (c->pos != POS_ON)
        return JET_errNoCurrentRecord;
    JET_ERR err = enter_change(c);
    if (err < 0)
        return err;
    err = delete_locked(c);
    g_rw_lock_writer_unlock(&c->t->latch);
    return err;
}

static JET_ERR
delta_locked(struct btree_cursor *c, uint16_t offset, int32_t delta, int32_t *old)
{
    struct node n;
    struct buf *leaf;
    struct change ch = {
        .type = LR_DELTA, .bm = btree_cursor_bookmark(c), .offset = offset, .delta = delta};
    JET_ERR err = locate_for_change(c, true, &leaf, &ch.line, &n);
    if (err < 0)
        return err;
    int32_t value = 0;
    if (offset + 4u > n.data.len)
        err = JET_errInvalidParameter;
    else
        value = (int32_t)le32_get(n.data.data + offset);
    if (err >= 0)
        err = rce_new(c->s, RCE_DELTA, ch.bm.key, ch.bm.data, span_of(NULL, 0), &ch.rce);
    if (err < 0) {
        cache_unfix(leaf);
        return err;
    }
    ch.rce->delta = delta;
    ch.rce->delta_offset = offset;
    err = perform(c->t, c->s, leaf, &ch, c);
    if (err >= 0 && old)
        *old = value;
    return err;
}

JET_ERR
btree_delta(struct btree_cursor *c, uint16_t offset, int32_t delta, int32_t *old)
{
    if (c->pos != POS_ON)
        return JET_errNoCurrentRecord;
    if (!c->t->unique)
        return JET_errInvalidParameter;
    JET_ERR err = enter_change(c);
    if (err < 0)
        return err;
    err = delta_locked(c, offset, delta, old);
    g_rw_lock_writer_unlock(&c->t->latch);
    return err < 0 ? err : btree_refresh(c);
}
