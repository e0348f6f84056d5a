/* SPDX-License-Identifier: MIT */
/*
 * redo_macro: a split or merge at its MacroCommit (log format, 3.7).
 *
 * All pages of the macro are fixed, and each decides by its own dbtime whether it needs redo: they may
 * have reached the disk independently. Where nodes move from a page that is ahead to one that is behind,
 * the record's before-image puts the source back first.
 */
#include "btree/redo.h"

#include "btree/redo_change.h"
#include "cache/cache.h"
#include "log/record.h"

struct slot {
    uint32_t pgno;
    struct buf *buf; /* NULL: needs nothing */
};

struct redo {
    struct btree_db *db;
    struct session *s;
    const struct lr *lrs;
    size_t n;
    int64_t dbtime;
    struct lgpos at;
    GArray *slots;
};

static struct slot *
find(struct redo *x, uint32_t pgno)
{
    for (guint i = 0; i < x->slots->len; i++) {
        struct slot *slot = &g_array_index(x->slots, struct slot, i);
        if (slot->pgno == pgno)
            return slot;
    }
    return NULL;
}

static struct page *
need(struct redo *x, uint32_t pgno)
{
    struct slot *slot = pgno ? find(x, pgno) : NULL;
    return slot && slot->buf ? slot->buf->page : NULL;
}

static JET_ERR
add(struct redo *x, uint32_t pgno, bool fresh, int64_t before)
{
    if (pgno == 0 || find(x, pgno))
        return JET_errSuccess;
    struct slot slot = {pgno, NULL};
    JET_ERR err = fresh ? btree_redo_fix_new(x->db, pgno, x->dbtime, &slot.buf)
                        : btree_redo_fix(x->db, pgno, x->dbtime, before, &slot.buf);
    if (err >= 0)
        g_array_append_val(x->slots, slot);
    return err;
}

static JET_ERR
add_pages(struct redo *x, const struct lr *lr)
{
    JET_ERR err = JET_errSuccess;
    if (lr->type == LR_SPLIT2) {
        if (lr->split.pgno_new) {
            err = add(x, lr->split.pgno_parent, false, lr->split.dbtime_parent_before);
            if (err >= 0)
                err = add(x, lr->page.pgno, false, lr->page.dbtime_before);
            if (err >= 0)
                err = add(x, lr->split.pgno_new, true, 0);
            if (err >= 0)
                err = add(x, lr->split.pgno_right, false, lr->split.dbtime_right_before);
        } else {
            err = add(x, lr->page.pgno, false, lr->page.dbtime_before);
        }
    } else if (lr->type == LR_MERGE2) {
        err = add(x, lr->page.pgno, false, lr->page.dbtime_before);
        if (err >= 0)
            err = add(x, lr->merge.pgno_left, false, lr->merge.dbtime_left_before);
        if (err >= 0)
            err = add(x, lr->merge.pgno_right, false, lr->merge.dbtime_right_before);
    }
    return err;
}

/* The page is ahead, but what moved away from it is not where it went to: as it was before. */
static JET_ERR
put_back(struct redo *x, uint32_t pgno, struct span image, uint32_t image_flags)
{
    struct slot *slot = find(x, pgno);
    if (image.len == 0)
        return JET_errDatabaseBufferDependenciesCorrupted;
    if (image_flags != 0)
        return JET_errBadLogVersion; /* compressed by Windows */
    JET_ERR err = cache_fix(x->db->file, pgno, LATCH_WRITE, &slot->buf);
    if (err < 0)
        return err;
    if (image.len != slot->buf->page->size)
        return JET_errLogFileCorrupt;
    memcpy(slot->buf->page->data, image.data, image.len);
    return JET_errSuccess;
}

/* ---- split ---- */

/* Key of the node that enters the page this record splits: of the leaf operation, or of a pointer. */
static JET_ERR
oper_key(struct redo *x, size_t i, uint8_t tmp[NODE_KEY_MAX], struct span *key)
{
    *key = span_of(NULL, 0);
    if (i + 1 >= x->n || x->lrs[i].split.oper != LR_SPLITOPER_INSERT)
        return JET_errSuccess;
    const struct lr *next = &x->lrs[i + 1];
    if (next->type == LR_INSERT)
        return btree_redo_insert_key(next, tmp, key);
    if (next->type == LR_SPLIT2)
        *key = next->split.key_parent;
    return JET_errSuccess;
}

static bool
points_at(const struct page *page, uint32_t child)
{
    for (uint16_t i = 0; i < page_lines(page); i++) {
        struct node n;
        if (page_node(page, i, &n) >= 0 && node_child(&n) == child)
            return true;
    }
    return false;
}

/* The parent may have been split in the same macro: the pointer is in one of its halves. */
static JET_ERR
redo_parent(struct redo *x, size_t i)
{
    const struct lr *lr = &x->lrs[i];
    uint32_t half = 0;
    for (size_t k = 0; k < i; k++) {
        if (x->lrs[k].type == LR_SPLIT2 && x->lrs[k].page.pgno == lr->split.pgno_parent)
            half = x->lrs[k].split.pgno_new;
    }
    struct page *parent = need(x, lr->split.pgno_parent);
    struct page *other = need(x, half);
    if (other && points_at(other, lr->page.pgno))
        parent = other;
    else if (half && parent && !points_at(parent, lr->page.pgno))
        return JET_errSuccess; /* in the half that is already ahead */
    return parent ? apply_split_parent(parent, lr) : JET_errSuccess;
}

static JET_ERR
redo_split(struct redo *x, size_t i)
{
    const struct lr *lr = &x->lrs[i];
    if (lr->split.pgno_new == 0)
        return JET_errSuccess; /* only takes a pointer, from the record of its child */
    JET_ERR err = JET_errSuccess;
    struct page *fresh = need(x, lr->split.pgno_new);
    if (fresh && !need(x, lr->page.pgno) && lr->split.type != LR_SPLIT_APPEND)
        err = put_back(x, lr->page.pgno, lr->split.image, lr->split.image_flags);
    if (err < 0)
        return err;
    struct page *source = need(x, lr->page.pgno);
    uint8_t tmp[NODE_KEY_MAX];
    struct span key;
    err = oper_key(x, i, tmp, &key);
    if (err >= 0 && fresh)
        err = apply_split_new(fresh, source, lr, key);
    if (err >= 0 && source)
        err = apply_split_source(source, lr);
    struct page *right = need(x, lr->split.pgno_right);
    if (err >= 0 && right)
        err = apply_split_right(right, lr);
    return err < 0 ? err : redo_parent(x, i);
}

/* ---- merge ---- */

static const struct lr *
leaf_merge(const struct redo *x)
{
    for (size_t i = x->n; i-- > 0;) {
        if (x->lrs[i].type == LR_MERGE2)
            return &x->lrs[i];
    }
    return NULL;
}

static JET_ERR
move_nodes(struct redo *x, const struct lr *lr)
{
    struct page *right = need(x, lr->merge.pgno_right);
    if (right && !need(x, lr->page.pgno)) {
        JET_ERR err = put_back(x, lr->page.pgno, lr->merge.image, lr->merge.image_flags);
        if (err < 0)
            return err;
    }
    struct page *page = need(x, lr->page.pgno);
    JET_ERR err = right ? btree_redo_move_right(page, right, lr) : JET_errSuccess;
    if (err < 0 || !page || lr->merge.type != LR_MERGE_PARTIAL_RIGHT)
        return err;
    return btree_redo_moved_away(page, lr);
}

static JET_ERR
redo_merge(struct redo *x, size_t i)
{
    const struct lr *lr = &x->lrs[i];
    JET_ERR err = JET_errSuccess;
    bool partial = lr->merge.type == LR_MERGE_PARTIAL_RIGHT;
    if (lr->merge.type == LR_MERGE_FULL_RIGHT || partial)
        err = move_nodes(x, lr);
    else if (lr->merge.type > LR_MERGE_EMPTY_PAGE && lr->merge.type != LR_MERGE_EMPTY_TREE)
        return JET_errInvalidLoggedOperation; /* merges to the left, page moves */
    if (err < 0)
        return err;
    struct page *page = need(x, lr->page.pgno);
    struct page *left = need(x, lr->merge.pgno_left), *right = need(x, lr->merge.pgno_right);
    if (page && !partial)
        err = apply_merge_page(page, lr, leaf_merge(x)->merge.key_parent_sep);
    if (err >= 0 && left && !partial)
        err = apply_merge_left(left, lr);
    if (err >= 0 && right && !partial)
        err = apply_merge_right(right, lr);
    return err;
}

/* ---- the leaf operation ---- */

static JET_ERR
redo_oper(struct redo *x, const struct lr *lr)
{
    uint32_t pgno = lr->page.pgno;
    uint16_t line = lr->page.iline;
    for (size_t i = 0; i < x->n; i++) {
        const struct lr *split = &x->lrs[i];
        if (split->type != LR_SPLIT2 || split->page.pgno != lr->page.pgno ||
            split->split.pgno_new == 0 || line < split->split.iline_split)
            continue;
        pgno = split->split.pgno_new;
        line -= split->split.iline_split;
        break;
    }
    JET_ERR err = add(x, pgno, false, LR_DBTIME_NIL);
    return err < 0 ? err : btree_redo_change(x->db, x->s, lr, need(x, pgno), line);
}

static JET_ERR
redo_all(struct redo *x)
{
    JET_ERR err = JET_errSuccess;
    for (size_t i = 0; i < x->n && err >= 0; i++)
        err = add_pages(x, &x->lrs[i]);
    for (size_t i = 0; i < x->n && err >= 0; i++) {
        switch (x->lrs[i].type) {
        case LR_SPLIT2:
            err = redo_split(x, i);
            break;
        case LR_MERGE2:
            err = redo_merge(x, i);
            break;
        case LR_UNDO_INFO:
            err = btree_redo_node(x->db, x->s, &x->lrs[i], x->at);
            break;
        default:
            err = redo_oper(x, &x->lrs[i]);
        }
    }
    return err;
}

JET_ERR
btree_redo_macro(struct btree_db *db, struct session *s, const struct lr *lrs, size_t n,
                 struct lgpos at)
{
    struct redo x = {db, s, lrs, n, lrs[0].page.dbtime, at,
                     g_array_new(false, false, sizeof(struct slot))};
    JET_ERR err = redo_all(&x);
    for (guint i = 0; i < x.slots->len; i++) {
        struct slot *slot = &g_array_index(x.slots, struct slot, i);
        if (slot->buf && err >= 0)
            btree_redo_touch(slot->buf, s, x.dbtime, at);
        cache_unfix(slot->buf);
    }
    g_array_unref(x.slots);
    return err;
}
