/* SPDX-License-Identifier: MIT */
/*
 * check: walks a whole tree and says whether it is one: order, bounds, links, depth, objid, flags.
 */
#include "btree/internal.h"

struct walk {
    struct btree *t;
    void (*visit)(void *ctx, uint32_t pgno);
    void *ctx;
    uint64_t pages, entries;
    int depth; /* of leaves; -1 before the first */
    uint32_t last_leaf, expect_next;
    uint8_t *last; /* bookmark of the last entry: key, data */
    size_t last_key, last_data;
    bool any;
    JET_ERR err;
};

static JET_ERR
bad(struct walk *w, uint32_t pgno, const char *what)
{
    g_warning("tree %u, page %u: %s", w->t->pgno_fdp, pgno, what);
    return JET_errDatabaseCorrupted;
}

/* Compares an entry with a bound as separators are compared. */
static int
cmp_bound(const struct btree *t, const struct bookmark *bm, struct span bound)
{
    g_autoptr(GByteArray) whole = g_byte_array_new();
    g_byte_array_append(whole, bm->key.data, (guint)bm->key.len);
    if (!t->unique)
        g_byte_array_append(whole, bm->data.data, (guint)bm->data.len);
    return span_cmp(span_of(whole->data, whole->len), bound);
}

static JET_ERR
check_entry(struct walk *w, uint32_t pgno, const struct node *n, struct span lo, struct span hi)
{
    uint8_t tmp[NODE_KEY_MAX];
    struct bookmark bm = btree_node_bookmark(w->t, n, tmp);
    struct bookmark last = {span_of(w->last, w->last_key),
                            span_of(w->last + w->last_key, w->last_data)};
    int c = span_cmp(last.key, bm.key);
    if (c == 0)
        c = span_cmp(last.data, bm.data);
    if (w->any && c >= 0)
        return bad(w, pgno, "entries out of order");
    if (lo.len && cmp_bound(w->t, &bm, lo) < 0)
        return bad(w, pgno, "entry below its separator");
    if (hi.len && cmp_bound(w->t, &bm, hi) >= 0)
        return bad(w, pgno, "entry not below its separator");
    w->last = g_realloc(w->last, bm.key.len + bm.data.len + 1);
    if (bm.key.len)
        memcpy(w->last, bm.key.data, bm.key.len);
    if (bm.data.len)
        memcpy(w->last + bm.key.len, bm.data.data, bm.data.len);
    w->last_key = bm.key.len;
    w->last_data = bm.data.len;
    w->any = true;
    w->entries += !(n->flags & NODE_DELETED);
    return JET_errSuccess;
}

static JET_ERR
check_leaf(struct walk *w, const struct page *page, uint32_t pgno, int depth, struct span lo,
           struct span hi)
{
    if (w->depth >= 0 && w->depth != depth)
        return bad(w, pgno, "leaves at different depths");
    w->depth = depth;
    if (page_prev(page) != w->last_leaf || (w->last_leaf && w->expect_next != pgno))
        return bad(w, pgno, "leaf chain broken");
    w->last_leaf = pgno;
    w->expect_next = page_next(page);
    for (uint16_t i = 0; i < page_lines(page); i++) {
        struct node n;
        JET_ERR err = page_node(page, i, &n);
        if (err >= 0)
            err = check_entry(w, pgno, &n, lo, hi);
        if (err < 0)
            return err;
    }
    return JET_errSuccess;
}

static JET_ERR check_page(struct walk *w, uint32_t pgno, int depth, struct span lo, struct span hi);

static JET_ERR
check_children(struct walk *w, const struct page *page, uint32_t pgno, int depth, struct span lo,
               struct span hi)
{
    uint16_t lines = page_lines(page);
    if (lines == 0 || page_prev(page) || page_next(page))
        return bad(w, pgno, "internal page without children, or linked");
    g_autoptr(GBytes) low = g_bytes_new(lo.data, lo.len);
    for (uint16_t i = 0; i < lines; i++) {
        struct node n;
        uint8_t tmp[NODE_KEY_MAX];
        if (page_node(page, i, &n) < 0 || n.data.len != 4)
            return bad(w, pgno, "pointer damaged");
        struct span key = node_key(&n, tmp);
        if (key.len == 0 && i + 1 != lines)
            return bad(w, pgno, "pointer without separator");
        g_autoptr(GBytes) high =
            g_bytes_new(key.len ? key.data : hi.data, key.len ? key.len : hi.len);
        gsize low_len, high_len;
        const void *l = g_bytes_get_data(low, &low_len), *h = g_bytes_get_data(high, &high_len);
        JET_ERR err =
            check_page(w, node_child(&n), depth + 1, span_of(l, low_len), span_of(h, high_len));
        if (err < 0)
            return err;
        g_bytes_unref(low);
        low = g_bytes_ref(high);
    }
    return JET_errSuccess;
}

static JET_ERR
check_page(struct walk *w, uint32_t pgno, int depth, struct span lo, struct span hi)
{
    struct buf *buf;
    const char *why = NULL;
    if (depth >= BTREE_DEPTH_MAX)
        return bad(w, pgno, "too deep");
    JET_ERR err = cache_fix(w->t->db->file, pgno, LATCH_READ, &buf);
    if (err < 0)
        return err;
    uint32_t flags = page_flags(buf->page);
    w->pages++;
    if (w->visit)
        w->visit(w->ctx, pgno);
    err = page_check(buf->page, &why);
    if (err < 0)
        err = bad(w, pgno, why);
    else if (page_objid(buf->page) != w->t->objid || (flags & PAGE_FLAG_EMPTY))
        err = bad(w, pgno, "not a page of this tree");
    else if (!(flags & PAGE_FLAG_ROOT) != (pgno != w->t->pgno_root))
        err = bad(w, pgno, "root flag");
    else if (!(flags & PAGE_FLAG_NON_UNIQUE) != w->t->unique && !w->t->raw)
        err = bad(w, pgno, "unique flag");
    else if (page_dbtime(buf->page) > dbfile_dbtime_last(w->t->db->file))
        err = bad(w, pgno, "dbtime of the future");
    else if (flags & PAGE_FLAG_LEAF)
        err = check_leaf(w, buf->page, pgno, depth, lo, hi);
    else
        err = check_children(w, buf->page, pgno, depth, lo, hi);
    cache_unfix(buf);
    return err;
}

JET_ERR
btree_check_locked(struct btree *t, void (*visit)(void *ctx, uint32_t pgno), void *ctx,
                   uint64_t *pages, uint64_t *entries)
{
    struct walk w = {.t = t, .visit = visit, .ctx = ctx, .depth = -1};
    JET_ERR err = check_page(&w, t->pgno_root, 0, span_of(NULL, 0), span_of(NULL, 0));
    if (err >= 0 && w.expect_next)
        err = bad(&w, w.last_leaf, "leaf chain goes on");
    g_free(w.last);
    if (pages)
        *pages = w.pages;
    if (entries)
        *entries = w.entries;
    return err;
}

JET_ERR
btree_check(struct btree *t, void (*visit)(void *ctx, uint32_t pgno), void *ctx, uint64_t *pages,
            uint64_t *entries)
{
    g_rw_lock_reader_lock(&t->latch);
    JET_ERR err = btree_check_locked(t, visit, ctx, pages, entries);
    g_rw_lock_reader_unlock(&t->latch);
    return err;
}
