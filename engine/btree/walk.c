/* SPDX-License-Identifier: MIT */
/*
 * walk: seek, step and read again, under the session's snapshot.
 *
 * A call takes the tree's read latch, finds the leaf (by the hint if the page has not changed
 * since, else from the root), goes to the entry, copies it, and gives everything back.
 */
#include "btree/cursor.h"

/* ---- finding ---- */

/* The leaf of the hint if it has not changed. A page that cannot even be read is no news: descend.
 */
static struct buf *
fix_hint(struct btree_cursor *c, enum cache_latch latch)
{
    struct buf *buf;
    if (c->leaf == 0 || c->pos != POS_ON)
        return NULL;
    if (cache_fix(c->t->db->file, c->leaf, latch, &buf) < 0)
        return NULL;
    if (page_dbtime(buf->page) == c->leaf_dbtime && page_objid(buf->page) == c->t->objid &&
        page_is_leaf(buf->page) && c->line < page_lines(buf->page))
        return buf;
    cache_unfix(buf);
    return NULL;
}

static JET_ERR
descend_to(struct btree *t, const struct bookmark *bm, enum cache_latch latch, struct buf **leaf,
           uint16_t *line, bool *exact)
{
    struct path path;
    JET_ERR err = btree_descend(t, bm, false, latch, &path, leaf);
    if (err < 0)
        return err;
    err = node_find((*leaf)->page, t->unique, bm, line, exact);
    if (err < 0)
        cache_unfix(*leaf);
    return err;
}

JET_ERR
btree_cursor_locate(struct btree_cursor *c, enum cache_latch latch, struct buf **leaf,
                    uint16_t *line, bool *exact)
{
    *leaf = fix_hint(c, latch);
    if (*leaf) {
        *line = c->line;
        *exact = true;
        return JET_errSuccess;
    }
    struct bookmark bm = btree_cursor_bookmark(c);
    return descend_to(c->t, &bm, latch, leaf, line, exact);
}

JET_ERR
btree_view_node(struct btree *t, const struct session *s, const struct node *n,
                struct version_view *view)
{
    const struct rce *newest = NULL;
    if (t->versions.count && (n->flags & NODE_VERSIONED)) {
        uint8_t tmp[NODE_KEY_MAX];
        struct bookmark bm = btree_node_bookmark(t, n, tmp);
        newest = version_find(&t->versions, bm.key, bm.data);
    }
    version_view(newest, s, (n->flags & NODE_DELETED) != 0, n->data, view);
    return JET_errSuccess;
}

static JET_ERR
take(struct btree_cursor *c, const struct buf *leaf, uint16_t line, const struct node *n,
     const struct version_view *view)
{
    uint8_t tmp[NODE_KEY_MAX];
    JET_ERR err = btree_cursor_copy(c, node_key(n, tmp), view->data);
    if (err < 0)
        return err;
    version_undo_deltas(view, c->s, c->bytes + c->key_cb);
    btree_cursor_hint(c, leaf, line);
    c->pos = POS_ON;
    return JET_errSuccess;
}

/* The neighbour of a leaf; gives the old one back. *leaf = NULL at the end. */
static JET_ERR
step_page(struct btree *t, bool forward, struct buf **leaf)
{
    uint32_t pgno = forward ? page_next((*leaf)->page) : page_prev((*leaf)->page);
    struct buf *buf = NULL;
    JET_ERR err = JET_errSuccess;
    cache_unfix(*leaf);
    *leaf = NULL;
    if (pgno)
        err = cache_fix(t->db->file, pgno, LATCH_READ, &buf);
    if (err >= 0 && buf && (!page_is_leaf(buf->page) || page_objid(buf->page) != t->objid)) {
        cache_unfix(buf);
        return JET_errDatabaseCorrupted;
    }
    *leaf = buf;
    return err;
}

/* A dead node without versions: a crash came before cleanup. */
static void
note_dead(struct btree_cursor *c, const struct node *n)
{
    uint8_t tmp[NODE_KEY_MAX];
    struct btree *t = c->t;
    struct bookmark bm = btree_node_bookmark(t, n, tmp);
    if (dbfile_is_readonly(t->db->file) || version_find(&t->versions, bm.key, bm.data))
        return;
    version_queue_purge(t->db->txn, &t->versions, bm.key, bm.data);
}

/*
 * From line (which may lie one past either end of the leaf) on to the first visible entry. Gives
 * the leaf back. JET_errNoCurrentRecord: none.
 */
static JET_ERR
walk(struct btree_cursor *c, struct buf *leaf, int line, bool forward)
{
    for (;;) {
        int lines = page_lines(leaf->page);
        if (line < 0 || line >= lines) {
            JET_ERR err = step_page(c->t, forward, &leaf);
            if (err < 0)
                return err;
            if (!leaf)
                return JET_errNoCurrentRecord;
            line = forward ? 0 : page_lines(leaf->page) - 1;
            continue;
        }
        struct node n;
        struct version_view view = {.exists = false};
        JET_ERR err = page_node(leaf->page, (uint16_t)line, &n);
        if (err >= 0)
            err = btree_view_node(c->t, c->s, &n, &view);
        if (err >= 0 && view.exists)
            err = take(c, leaf, (uint16_t)line, &n, &view);
        if (err < 0 || view.exists) {
            cache_unfix(leaf);
            return err;
        }
        if (n.flags & NODE_DELETED)
            note_dead(c, &n);
        line += forward ? 1 : -1;
    }
}

static JET_ERR
usable(const struct btree_cursor *c)
{
    return c->t->gone ? JET_errObjectNotFound : JET_errSuccess;
}

/* ---- seek ---- */

static bool
same_key(const struct btree_cursor *c, struct span key)
{
    return span_cmp(span_of(c->bytes, c->key_cb), key) == 0;
}

/* In non-unique trees a seek by key alone aims before, or after, all data of the key. */
static JET_ERR
seek_locked(struct btree_cursor *c, const struct bookmark *bm, bool whole, enum btree_seek how)
{
    static const uint8_t highest[NODE_KEY_MAX + 1] = {[0 ... NODE_KEY_MAX] = 0xff};
    struct btree *t = c->t;
    bool forward = how == BTREE_EQ || how == BTREE_GE || how == BTREE_GT;
    bool above = how == BTREE_GT || how == BTREE_LE; /* aim behind the entries equal to bm */
    struct bookmark aim = *bm;
    struct buf *leaf;
    uint16_t found;
    bool exact;
    if (!whole && !t->unique && above)
        aim.data = span_of(highest, sizeof highest);
    JET_ERR err = descend_to(t, &aim, LATCH_READ, &leaf, &found, &exact);
    if (err < 0)
        return err;
    int line = found;
    if (forward)
        line += exact && above ? 1 : 0;
    else
        line -= exact && above ? 0 : 1;
    return walk(c, leaf, line, forward);
}

/* What is sought may be the cursor's own entry, which the search overwrites. */
static struct span
keep(const struct btree_cursor *c, struct span s, uint8_t *tmp)
{
    if (s.len == 0 || !btree_cursor_inside(c, s))
        return s;
    memcpy(tmp, s.data, s.len);
    return span_of(tmp, s.len);
}

static JET_ERR
seek(struct btree_cursor *c, struct bookmark bm, bool whole, enum btree_seek how)
{
    uint8_t key_tmp[NODE_KEY_MAX], data_tmp[NODE_KEY_MAX];
    if (bm.key.len > NODE_KEY_MAX || bm.data.len > NODE_KEY_MAX)
        return JET_errInvalidParameter;
    bm.key = keep(c, bm.key, key_tmp);
    bm.data = keep(c, bm.data, data_tmp);
    g_rw_lock_reader_lock(&c->t->latch);
    JET_ERR err = usable(c);
    if (err >= 0)
        err = seek_locked(c, &bm, whole, how);
    g_rw_lock_reader_unlock(&c->t->latch);
    bool wrong = err >= 0 && how == BTREE_EQ &&
                 (!same_key(c, bm.key) ||
                  (whole && !c->t->unique && span_cmp(btree_cursor_data(c), bm.data) != 0));
    if (err == JET_errNoCurrentRecord || wrong) {
        err = btree_cursor_copy(c, bm.key, bm.data);
        c->pos = POS_GAP;
        if (how == BTREE_GE || how == BTREE_GT)
            c->pos = POS_AFTER_LAST;
        else if (how == BTREE_LE || how == BTREE_LT)
            c->pos = POS_BEFORE_FIRST;
        return err < 0 ? err : JET_errRecordNotFound;
    }
    if (err < 0)
        c->pos = POS_NONE;
    return err;
}

JET_ERR
btree_seek(struct btree_cursor *c, struct span key, enum btree_seek how)
{
    return seek(c, btree_bookmark(c->t, key, span_of(NULL, 0)), false, how);
}

JET_ERR
btree_seek_bookmark(struct btree_cursor *c, struct span key, struct span data, enum btree_seek how)
{
    return seek(c, btree_bookmark(c->t, key, data), true, how);
}

/* ---- moves ---- */

static JET_ERR
move_to_end(struct btree_cursor *c, bool forward)
{
    struct path path;
    struct buf *leaf;
    g_rw_lock_reader_lock(&c->t->latch);
    JET_ERR err = usable(c);
    if (err >= 0)
        err = btree_descend(c->t, NULL, !forward, LATCH_READ, &path, &leaf);
    if (err >= 0)
        err = walk(c, leaf, forward ? 0 : page_lines(leaf->page) - 1, forward);
    g_rw_lock_reader_unlock(&c->t->latch);
    return err;
}

JET_ERR
btree_first(struct btree_cursor *c)
{
    JET_ERR err = move_to_end(c, true);
    if (err < 0)
        c->pos = err == JET_errNoCurrentRecord ? POS_AFTER_LAST : POS_NONE;
    return err == JET_errNoCurrentRecord ? JET_errRecordNotFound : err;
}

JET_ERR
btree_last(struct btree_cursor *c)
{
    JET_ERR err = move_to_end(c, false);
    if (err < 0)
        c->pos = err == JET_errNoCurrentRecord ? POS_BEFORE_FIRST : POS_NONE;
    return err == JET_errNoCurrentRecord ? JET_errRecordNotFound : err;
}

static JET_ERR
step_from_bookmark(struct btree_cursor *c, bool forward)
{
    struct buf *leaf;
    uint16_t found = 0;
    bool exact = false;
    g_rw_lock_reader_lock(&c->t->latch);
    JET_ERR err = usable(c);
    if (err >= 0)
        err = btree_cursor_locate(c, LATCH_READ, &leaf, &found, &exact);
    if (err >= 0) {
        int line = forward ? found + (exact && c->pos == POS_ON ? 1 : 0) : found - 1;
        err = walk(c, leaf, line, forward);
    }
    g_rw_lock_reader_unlock(&c->t->latch);
    return err;
}

static JET_ERR
step(struct btree_cursor *c, bool forward)
{
    JET_ERR err;
    switch (c->pos) {
    case POS_ON:
    case POS_GAP:
        err = step_from_bookmark(c, forward);
        break;
    case POS_BEFORE_FIRST:
        err = forward ? move_to_end(c, true) : JET_errNoCurrentRecord;
        break;
    case POS_AFTER_LAST:
        err = forward ? JET_errNoCurrentRecord : move_to_end(c, false);
        break;
    default:
        return JET_errNoCurrentRecord;
    }
    if (err == JET_errNoCurrentRecord)
        c->pos = forward ? POS_AFTER_LAST : POS_BEFORE_FIRST;
    return err;
}

JET_ERR
btree_next(struct btree_cursor *c)
{
    return step(c, true);
}

JET_ERR
btree_prev(struct btree_cursor *c)
{
    return step(c, false);
}

static JET_ERR
refresh_locked(struct btree_cursor *c)
{
    struct buf *leaf;
    uint16_t line;
    bool exact;
    struct node n;
    struct version_view view = {.exists = false};
    JET_ERR err = btree_cursor_locate(c, LATCH_READ, &leaf, &line, &exact);
    if (err < 0)
        return err;
    if (exact)
        err = page_node(leaf->page, line, &n);
    if (exact && err >= 0)
        err = btree_view_node(c->t, c->s, &n, &view);
    if (err >= 0)
        err = view.exists ? take(c, leaf, line, &n, &view) : JET_errRecordDeleted;
    cache_unfix(leaf);
    return err;
}

JET_ERR
btree_refresh(struct btree_cursor *c)
{
    if (c->pos != POS_ON)
        return JET_errNoCurrentRecord;
    g_rw_lock_reader_lock(&c->t->latch);
    JET_ERR err = usable(c);
    if (err >= 0)
        err = refresh_locked(c);
    g_rw_lock_reader_unlock(&c->t->latch);
    return err;
}

JET_ERR
btree_count(struct session *s, struct btree *t, uint64_t max, uint64_t *count)
{
    struct btree_cursor *c;
    JET_ERR err = btree_cursor_open(s, t, &c);
    if (err < 0)
        return err;
    uint64_t n = 0;
    for (err = btree_first(c); err >= 0; err = btree_next(c))
        if (++n == max)
            break;
    btree_cursor_close(c);
    if (err < 0 && err != JET_errNoCurrentRecord && err != JET_errRecordNotFound)
        return err;
    *count = n;
    return JET_errSuccess;
}
