/* SPDX-License-Identifier: MIT */
/*
 * descend: from the root to a leaf. The tree's latch is held, so that pages may be given back as
 * soon as the next one is known.
 */
#include "btree/internal.h"

struct bookmark
btree_node_bookmark(const struct btree *t, const struct node *n, uint8_t *tmp)
{
    return btree_bookmark(t, node_key(n, tmp), n->data);
}

static JET_ERR
choose(const struct btree *t, const struct page *page, const struct bookmark *bm, bool rightmost,
       uint16_t *line, uint32_t *child)
{
    uint16_t count = page_lines(page);
    if (count == 0)
        return JET_errDatabaseCorrupted;
    *line = rightmost ? count - 1 : 0;
    if (bm) {
        JET_ERR err = node_find_child(page, t->unique, bm, line);
        if (err < 0)
            return err;
    }
    struct node n;
    JET_ERR err = page_node(page, *line, &n);
    if (err < 0)
        return err;
    *child = node_child(&n);
    return *child ? JET_errSuccess : JET_errDatabaseCorrupted;
}

/* Only leaves are latched as asked. Which page is a leaf is known from its parent, but for the
 * root. */
JET_ERR
btree_descend(struct btree *t, const struct bookmark *bm, bool rightmost, enum cache_latch latch,
              struct path *path, struct buf **leaf)
{
    uint32_t pgno = t->pgno_root;
    enum cache_latch want = LATCH_READ;
    path->depth = 0;
    for (;;) {
        struct buf *buf;
        if (path->depth == BTREE_DEPTH_MAX)
            return JET_errDatabaseCorrupted;
        JET_ERR err = cache_fix(t->db->file, pgno, want, &buf);
        if (err < 0)
            return err;
        uint32_t flags = page_flags(buf->page);
        if (page_objid(buf->page) != t->objid || (flags & PAGE_FLAG_EMPTY)) {
            cache_unfix(buf);
            return JET_errDatabaseCorrupted;
        }
        path->at[path->depth].pgno = pgno;
        path->at[path->depth].line = 0;
        if (flags & PAGE_FLAG_LEAF) {
            if (want == latch) {
                path->depth++;
                *leaf = buf;
                return JET_errSuccess;
            }
            cache_unfix(buf);
            want = latch;
            continue;
        }
        uint32_t child = 0;
        err = want == LATCH_WRITE && pgno == t->pgno_root
                  ? JET_errDatabaseCorrupted
                  : choose(t, buf->page, bm, rightmost, &path->at[path->depth].line, &child);
        want = flags & PAGE_FLAG_PARENT_OF_LEAF ? latch : LATCH_READ;
        cache_unfix(buf);
        if (err < 0)
            return err;
        path->depth++;
        pgno = child;
    }
}
