/* SPDX-License-Identifier: MIT */
/*
 * redo_move: nodes move to the right sibling (Merge2 types 2 and 3). We never log these ourselves;
 * Windows does.
 */
#include "btree/redo_change.h"

/* Dead nodes are left behind when all nodes together are more than the record says has moved. */
static bool
drops_dead(const struct page *page, const struct lr *lr)
{
    uint32_t all = 0;
    for (uint16_t i = lr->merge.iline_merge; i < page_lines(page); i++)
        all += (uint32_t)page_raw(page, i).len;
    return all > lr->merge.size_total;
}

static JET_ERR
put_at(struct page *to, uint16_t line, const struct node *n)
{
    uint8_t tmp[NODE_KEY_MAX];
    struct span key = node_key(n, tmp);
    struct span prefix = page_is_root(to) ? span_of(NULL, 0) : page_external_header(to);
    size_t shared = 0, most = MIN(prefix.len, key.len);
    while (shared < most && prefix.data[shared] == key.data[shared])
        shared++;
    if (shared <= 2)
        shared = 0;
    struct span suffix = span_of(key.data + shared, key.len - shared);
    uint8_t flags = n->flags & (uint8_t)~NODE_COMPRESSED;
    return page_insert(to, line, (uint16_t)shared, suffix, n->data, flags) ? JET_errSuccess
                                                                           : JET_errLogFileCorrupt;
}

JET_ERR
btree_redo_move_right(struct page *page, struct page *right, const struct lr *lr)
{
    bool skip_dead = drops_dead(page, lr);
    uint16_t to = 0;
    for (uint16_t i = lr->merge.iline_merge; i < page_lines(page); i++) {
        struct node n;
        if (page_node(page, i, &n) < 0)
            return JET_errLogFileCorrupt;
        if (skip_dead && (n.flags & NODE_DELETED))
            continue;
        JET_ERR err = put_at(right, to++, &n);
        if (err < 0)
            return err;
    }
    return JET_errSuccess;
}

JET_ERR
btree_redo_moved_away(struct page *page, const struct lr *lr)
{
    while (page_lines(page) > lr->merge.iline_merge) {
        if (!page_delete(page, page_lines(page) - 1))
            return JET_errLogFileCorrupt;
    }
    return JET_errSuccess;
}
