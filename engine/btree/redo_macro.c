/* SPDX-License-Identifier: MIT */
/*
 * redo_macro: splits and merges at their MacroCommit.
 *
 * Pages of a macro reach the disk one by one; each decides by its own dbtime (log format 3.7).
 * Nodes that moved come from the source if it still has them, else from the before-image in the
 * record.
 */
#include "base/expand.h"
#include "btree/redo_internal.h"

struct macro {
    struct btree_db *db;
    struct session *s;
    const struct lr *lrs;
    size_t n;
    struct lgpos at;
    uint8_t *expanded; /* an image that was compressed */
};

static void
touch(struct macro *m, struct buf *buf, int64_t dbtime)
{
    btree_touch(NULL, m->s, buf, dbtime, m->at);
}

/* The page whose nodes moved away, as it was. Images without their free space are not read. */
static JET_ERR
image_page(struct macro *m, uint32_t flags, struct span image, uint32_t pgno, struct page *page)
{
    uint32_t page_bytes = dbfile_page_bytes(m->db->file), len;
    if (image.len == 0)
        return JET_errDatabaseBufferDependenciesCorrupted;
    if (flags & LR_IMAGE_DEHYDRATED)
        return JET_errBadLogVersion;
    if (flags & LR_IMAGE_COMPRESSED) {
        g_free(m->expanded);
        m->expanded = g_try_malloc(page_bytes);
        if (!m->expanded)
            return JET_errOutOfMemory;
        if (bytes_expand(image, m->expanded, page_bytes, &len) < 0)
            return JET_errLogFileCorrupt;
        image = span_of(m->expanded, len);
    }
    if (image.len != page_bytes)
        return JET_errLogFileCorrupt;
    page_init(page, (void *)image.data, page_bytes, pgno);
    return page_check(page, NULL) < 0 ? JET_errLogFileCorrupt : JET_errSuccess;
}

/* ---- split ---- */

/* What is inserted at the level of a split: the leaf operation, or the pointer to the child's new
 * page. */
struct level_op {
    const struct lr *leaf_op; /* on the leaf */
    const struct lr *child;   /* above: Split2 of the level below, with a new page */
};

static JET_ERR
op_key(const struct level_op *op, uint8_t *tmp, struct span *key)
{
    *key = span_of(NULL, 0);
    if (op->child)
        *key = op->child->split.key_parent;
    else if (op->leaf_op && op->leaf_op->type == LR_INSERT)
        return btree_redo_insert_key(op->leaf_op, tmp, key);
    return JET_errSuccess;
}

struct split_bufs {
    struct buf *source, *fresh;
};

/* Line v, the inserted one counted, after the split. */
static struct buf *
place(const struct split_bufs *b, const struct lr *lr, uint16_t v, uint16_t *line)
{
    bool moved = v >= lr->split.iline_split;
    *line = moved ? v - lr->split.iline_split : v;
    return moved ? b->fresh : b->source;
}

/* ESE stores the node that a split inserts compressed against the prefix the page has after it,
 * whatever prefix the record names. Our own pages have none then. */
static JET_ERR
apply_op(struct page *page, uint16_t line, const struct lr *op)
{
    uint8_t tmp[NODE_KEY_MAX];
    struct span key;
    if (op->type != LR_INSERT)
        return btree_redo_apply(page, line, op);
    JET_ERR err = btree_redo_insert_key(op, tmp, &key);
    if (err < 0)
        return err;
    struct lr lr = *op;
    size_t n = btree_shared_prefix(page, key);
    lr.insert.prefix = span_of(key.data, n);
    lr.insert.suffix = span_of(key.data + n, key.len - n);
    return btree_redo_apply(page, line, &lr);
}

static JET_ERR
redo_leaf_op(struct macro *m, const struct lr *split, const struct split_bufs *b,
             const struct lr *op)
{
    struct btree *t;
    uint16_t line;
    struct buf *buf = place(b, split, split->split.iline_oper, &line);
    JET_ERR err = btree_redo_enter(m->db, op, &t);
    if (err < 0)
        return err;
    err = btree_redo_versions_always(t, m->s, op);
    if (err >= 0 && buf)
        err = btree_redo_versions_page(t, m->s, op, buf->page, line);
    if (err >= 0 && buf)
        err = apply_op(buf->page, line, op);
    btree_redo_leave(t);
    return err;
}

/* A page above the leaves that itself splits takes the pointer: separator at ilineOper, the node
 * that named the child right behind it. They may lie on different sides. */
static JET_ERR
redo_pointer_op(const struct lr *split, const struct split_bufs *b, const struct lr *child)
{
    uint8_t data[4];
    uint16_t line;
    struct buf *buf = place(b, split, split->split.iline_oper, &line);
    le32_put(data, child->page.pgno);
    if (buf && !page_insert(buf->page, line, 0, child->split.key_parent, span_of(data, 4), 0))
        return JET_errLogFileCorrupt;
    buf = place(b, split, split->split.iline_oper + 1, &line);
    le32_put(data, child->split.pgno_new);
    if (buf && !page_poke(buf->page, line, 0, span_of(data, 4)))
        return JET_errLogFileCorrupt;
    return JET_errSuccess;
}

static JET_ERR
redo_split_pages(struct macro *m, const struct lr *lr, const struct split_bufs *b,
                 const struct level_op *op)
{
    uint8_t tmp[NODE_KEY_MAX];
    struct page image;
    const struct page *from = b->source ? b->source->page : NULL;
    struct span key;
    JET_ERR err = op_key(op, tmp, &key);
    if (err >= 0 && b->fresh && !from && lr->split.type != LR_SPLIT_APPEND) {
        err = image_page(m, lr->split.image_flags, lr->split.image, lr->page.pgno, &image);
        from = &image;
    }
    if (err >= 0 && b->fresh)
        err = apply_split_new(b->fresh->page, from, lr, key);
    if (err >= 0 && b->source)
        err = apply_split_source(b->source->page, lr);
    if (err >= 0 && lr->split.oper != LR_SPLITOPER_NONE) {
        if (op->child)
            err = redo_pointer_op(lr, b, op->child);
        else if (op->leaf_op)
            err = redo_leaf_op(m, lr, b, op->leaf_op);
        else
            err = JET_errLogFileCorrupt;
    }
    return err;
}

/* One level that splits: source, new page, right neighbour. */
static JET_ERR
redo_split_level(struct macro *m, const struct lr *lr, const struct level_op *op)
{
    struct split_bufs b = {NULL, NULL};
    struct buf *right = NULL;
    int64_t t = lr->page.dbtime;
    JET_ERR err = btree_redo_fix(m->db, lr->page.pgno, t, lr->page.dbtime_before, &b.source);
    if (err >= 0 && lr->split.pgno_right)
        err = btree_redo_fix(m->db, lr->split.pgno_right, t, lr->split.dbtime_right_before, &right);
    if (err >= 0)
        err = btree_redo_fix_new(m->db, lr->split.pgno_new, t, &b.fresh);
    if (err >= 0)
        err = redo_split_pages(m, lr, &b, op);
    if (err >= 0 && right)
        err = apply_split_right(right->page, lr);
    struct buf *all[] = {b.source, b.fresh, right};
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        if (all[i] && err >= 0)
            touch(m, all[i], t);
        cache_unfix(all[i]);
    }
    return err;
}

/* A page that only takes the pointer to the new child. */
static JET_ERR
redo_split_parent(struct macro *m, const struct lr *lr, const struct lr *child)
{
    struct buf *buf;
    JET_ERR err =
        btree_redo_fix(m->db, lr->page.pgno, lr->page.dbtime, lr->page.dbtime_before, &buf);
    if (err < 0 || !buf)
        return err;
    if (child)
        err = apply_split_parent(buf->page, child);
    if (err >= 0)
        touch(m, buf, lr->page.dbtime);
    cache_unfix(buf);
    return err;
}

static JET_ERR
redo_split(struct macro *m)
{
    const struct lr *leaf_op = NULL;
    JET_ERR err = JET_errSuccess;
    for (size_t i = 0; i < m->n; i++)
        if (m->lrs[i].type != LR_SPLIT2)
            leaf_op = &m->lrs[i];
    for (size_t i = 0; i < m->n && err >= 0; i++) {
        const struct lr *lr = &m->lrs[i];
        const struct lr *below = i + 1 < m->n && lr[1].type == LR_SPLIT2 ? lr + 1 : NULL;
        const struct lr *child = below && below->split.pgno_new ? below : NULL;
        if (lr->type != LR_SPLIT2)
            continue;
        struct level_op op = {below ? NULL : leaf_op, child};
        err = lr->split.pgno_new ? redo_split_level(m, lr, &op) : redo_split_parent(m, lr, child);
    }
    return err;
}

/* ---- merge ---- */

/* Nodes of a leaf go in front of those of its right neighbour. Dead ones stay behind. */
static JET_ERR
prepend_nodes(struct page *right, const struct page *from, uint16_t first)
{
    uint8_t tmp[NODE_KEY_MAX];
    for (uint16_t i = page_lines(from); i-- > first;) {
        struct node n;
        if (page_node(from, i, &n) < 0)
            return JET_errLogFileCorrupt;
        if (n.flags & NODE_DELETED)
            continue;
        struct span key = node_key(&n, tmp);
        size_t c = btree_shared_prefix(right, key);
        if (!page_insert(right, 0, (uint16_t)c, span_of(key.data + c, key.len - c), n.data,
                         n.flags & (uint8_t)~NODE_COMPRESSED))
            return JET_errLogFileCorrupt;
    }
    return JET_errSuccess;
}

static bool
moves_right(const struct lr *lr)
{
    return lr->merge.type == LR_MERGE_FULL_RIGHT || lr->merge.type == LR_MERGE_PARTIAL_RIGHT;
}

static JET_ERR
redo_move_right(struct macro *m, const struct lr *lr, const struct buf *page, struct buf *right)
{
    struct page image = {0};
    const struct page *from = page ? page->page : &image;
    if (!page) {
        JET_ERR err = image_page(m, lr->merge.image_flags, lr->merge.image, lr->page.pgno, &image);
        if (err < 0)
            return err;
    }
    bool partial = lr->merge.type == LR_MERGE_PARTIAL_RIGHT;
    return prepend_nodes(right->page, from, partial ? lr->merge.iline_merge : 0);
}

static JET_ERR
drop_moved(struct page *page, uint16_t first)
{
    while (page_lines(page) > first)
        if (!page_delete(page, page_lines(page) - 1))
            return JET_errLogFileCorrupt;
    return JET_errSuccess;
}

static JET_ERR
redo_merge_level(struct macro *m, const struct lr *lr, struct span key)
{
    struct buf *page = NULL, *left = NULL, *right = NULL;
    int64_t t = lr->page.dbtime;
    bool unlink = (lr->merge.flags & LR_MERGE_PAGE_EMPTY) != 0;
    if (lr->merge.type > LR_MERGE_PARTIAL_RIGHT)
        return JET_errBadLogVersion;
    JET_ERR err = JET_errSuccess;
    if (lr->merge.pgno_left)
        err = btree_redo_fix(m->db, lr->merge.pgno_left, t, lr->merge.dbtime_left_before, &left);
    if (err >= 0)
        err = btree_redo_fix(m->db, lr->page.pgno, t, lr->page.dbtime_before, &page);
    if (err >= 0 && lr->merge.pgno_right)
        err = btree_redo_fix(m->db, lr->merge.pgno_right, t, lr->merge.dbtime_right_before, &right);
    if (err >= 0 && right && moves_right(lr))
        err = redo_move_right(m, lr, page, right);
    if (err >= 0 && page && lr->merge.type == LR_MERGE_PARTIAL_RIGHT)
        err = drop_moved(page->page, lr->merge.iline_merge);
    if (err >= 0 && page)
        err = apply_merge_page(page->page, lr, key);
    if (err >= 0 && left && unlink)
        err = apply_merge_left(left->page, lr);
    if (err >= 0 && right && unlink)
        err = apply_merge_right(right->page, lr);
    struct buf *all[] = {left, page, right};
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        if (all[i] && err >= 0)
            touch(m, all[i], t);
        cache_unfix(all[i]);
    }
    return err;
}

/* The separator that a page above takes over stands in the leaf's record, the last one. */
static JET_ERR
redo_merge(struct macro *m)
{
    struct span key = span_of(NULL, 0);
    JET_ERR err = JET_errSuccess;
    for (size_t i = 0; i < m->n; i++)
        if (m->lrs[i].type == LR_MERGE2)
            key = m->lrs[i].merge.key_parent_sep;
    for (size_t i = 0; i < m->n && err >= 0; i++)
        if (m->lrs[i].type == LR_MERGE2)
            err = redo_merge_level(m, &m->lrs[i], key);
    return err;
}

JET_ERR
btree_redo_macro(struct btree_db *db, struct session *s, const struct lr *lrs, size_t n,
                 struct lgpos at)
{
    struct macro m = {db, s, lrs, n, at, NULL};
    if (n == 0)
        return JET_errSuccess;
    JET_ERR err = lrs[0].type == LR_MERGE2 ? redo_merge(&m) : redo_split(&m);
    g_free(m.expanded);
    return err;
}
