/* SPDX-License-Identifier: MIT */
/*
 * apply: what records do to pages, as in apply.h.
 *
 * Lines of a Split2 count as if the inserted node were already there: clines, ilineSplit and
 * ilineOper include it (seen in Windows' logs). Actual lines are therefore one less behind
 * ilineOper.
 */
#include "btree/apply.h"

#include "btree/node.h"
#include "log/record.h"

/* Redo must not trust lines: what is not there is a wrong log. */
static JET_ERR
fits(bool done)
{
    return done ? JET_errSuccess : JET_errLogFileCorrupt;
}

static JET_ERR
set_flags(struct page *page, uint16_t line, uint8_t set, uint8_t clear)
{
    struct node n;
    if (!page_is_leaf(page) || page_node(page, line, &n) < 0)
        return JET_errLogFileCorrupt;
    return fits(page_set_node_flags(page, line, (uint8_t)((n.flags | set) & ~clear)));
}

static uint8_t
versioned_flag(bool versioned)
{
    return versioned ? NODE_VERSIONED : 0;
}

JET_ERR
apply_insert(struct page *page, uint16_t line, struct span key, uint16_t prefix_cb,
             struct span data, bool versioned)
{
    if (!page_is_leaf(page) || prefix_cb > key.len || data.len == 0)
        return JET_errLogFileCorrupt;
    struct span suffix = span_of(key.data + prefix_cb, key.len - prefix_cb);
    return fits(page_insert(page, line, prefix_cb, suffix, data, versioned_flag(versioned)));
}

JET_ERR
apply_flag_insert(struct page *page, uint16_t line, bool versioned)
{
    return set_flags(page, line, versioned_flag(versioned), NODE_DELETED);
}

JET_ERR
apply_flag_insert_replace(struct page *page, uint16_t line, struct span data, bool versioned)
{
    JET_ERR err = apply_replace(page, line, data, false);
    return err < 0 ? err : set_flags(page, line, versioned_flag(versioned), NODE_DELETED);
}

JET_ERR
apply_flag_delete(struct page *page, uint16_t line, bool versioned)
{
    return set_flags(page, line, NODE_DELETED | versioned_flag(versioned), 0);
}

JET_ERR
apply_replace(struct page *page, uint16_t line, struct span data, bool versioned)
{
    if (!page_is_leaf(page) || data.len == 0)
        return JET_errLogFileCorrupt;
    JET_ERR err = fits(page_replace(page, line, data));
    return err < 0 || !versioned ? err : set_flags(page, line, NODE_VERSIONED, 0);
}

JET_ERR
apply_delete(struct page *page, uint16_t line)
{
    return page_is_leaf(page) ? fits(page_delete(page, line)) : JET_errLogFileCorrupt;
}

JET_ERR
apply_delta(struct page *page, uint16_t line, uint16_t offset, int32_t delta, bool versioned)
{
    struct node n;
    uint8_t value[4];
    JET_ERR err = page_node(page, line, &n);
    if (err < 0 || !page_is_leaf(page) || offset + 4u > n.data.len)
        return JET_errLogFileCorrupt;
    le32_put(value, le32_get(n.data.data + offset) + (uint32_t)delta);
    if (!page_poke(page, line, offset, span_of(value, 4)))
        return JET_errLogFileCorrupt;
    return versioned ? set_flags(page, line, NODE_VERSIONED, 0) : JET_errSuccess;
}

JET_ERR
apply_external_header(struct page *page, struct span header)
{
    return fits(page_set_external_header(page, header));
}

JET_ERR
apply_set_deleted(struct page *page, uint16_t line, bool deleted)
{
    return set_flags(page, line, deleted ? NODE_DELETED : 0, deleted ? 0 : NODE_DELETED);
}

/* ---- split ---- */

/* First actual line of the source that moves. */
static uint16_t
first_moved(const struct lr *lr)
{
    bool insert = lr->split.oper == LR_SPLITOPER_INSERT;
    return lr->split.iline_split - (insert && lr->split.iline_oper < lr->split.iline_split ? 1 : 0);
}

size_t
btree_shared_prefix(const struct page *page, struct span key)
{
    struct span prefix = page_is_root(page) ? span_of(NULL, 0) : page_external_header(page);
    size_t n = 0, most = MIN(prefix.len, key.len);
    while (n < most && prefix.data[n] == key.data[n])
        n++;
    return n > 2 ? n : 0;
}

/* Appends a node, compressed as far as the page's prefix allows. */
static JET_ERR
put_node(struct page *to, struct span key, struct span data, uint8_t flags)
{
    size_t n = btree_shared_prefix(to, key);
    struct span suffix = span_of(key.data + n, key.len - n);
    flags &= (uint8_t)~NODE_COMPRESSED;
    return fits(page_insert(to, page_lines(to), (uint16_t)n, suffix, data, flags));
}

static JET_ERR
copy_nodes(struct page *to, const struct page *from, uint16_t first, uint16_t end)
{
    uint8_t tmp[NODE_KEY_MAX];
    for (uint16_t i = first; i < end; i++) {
        struct node n;
        JET_ERR err = page_node(from, i, &n);
        if (err < 0)
            return JET_errLogFileCorrupt;
        err = put_node(to, node_key(&n, tmp), n.data, n.flags);
        if (err < 0)
            return err;
    }
    return JET_errSuccess;
}

/* The new page's prefix is the key of one of its lines, the inserted one counted. */
static JET_ERR
set_new_prefix(struct page *fresh, const struct page *source, const struct lr *lr,
               struct span op_key)
{
    uint8_t tmp[NODE_KEY_MAX];
    if (lr->split.iline_prefix_new < 0)
        return JET_errSuccess;
    bool append = lr->split.type == LR_SPLIT_APPEND;
    int32_t line = lr->split.iline_prefix_new + (append ? 0 : lr->split.iline_split);
    int32_t oper = append ? 0 : lr->split.iline_oper;
    if (append || lr->split.oper == LR_SPLITOPER_INSERT) {
        if (line == oper)
            return fits(page_set_external_header(fresh, op_key));
        line -= line > oper;
    }
    struct node n;
    if (page_node(source, (uint16_t)line, &n) < 0)
        return JET_errLogFileCorrupt;
    return fits(page_set_external_header(fresh, node_key(&n, tmp)));
}

JET_ERR
apply_split_new(struct page *fresh, const struct page *source, const struct lr *lr,
                struct span op_key)
{
    bool leaf = (lr->split.flags_new & PAGE_FLAG_LEAF) != 0;
    if ((source && page_is_leaf(source) != leaf) || (!source && lr->split.type != LR_SPLIT_APPEND))
        return JET_errLogFileCorrupt;
    page_format(fresh, lr->split.objid_fdp, lr->split.flags_new & ~(uint32_t)PAGE_FLAG_FLUSH_TYPE);
    if (lr->split.type != LR_SPLIT_VERTICAL && (lr->split.flags_new & PAGE_FLAG_LEAF)) {
        page_set_prev(fresh, lr->page.pgno);
        page_set_next(fresh, lr->split.pgno_right);
    }
    JET_ERR err = set_new_prefix(fresh, source, lr, op_key);
    if (err < 0 || lr->split.type == LR_SPLIT_APPEND)
        return err;
    uint16_t first = lr->split.type == LR_SPLIT_VERTICAL ? 0 : first_moved(lr);
    return copy_nodes(fresh, source, first, page_lines(source));
}

/* Keeps lines below end under another prefix. */
static JET_ERR
change_prefix(struct page *page, uint16_t end, struct span prefix)
{
    g_autofree uint8_t *copy = g_try_malloc(page->size);
    struct page old;
    if (!copy)
        return JET_errOutOfMemory;
    memcpy(copy, page->data, page->size);
    page_init(&old, copy, page->size, page->pgno);
    page_format(page, page_objid(&old), page_flags(&old));
    page_set_dbtime(page, page_dbtime(&old));
    page_set_prev(page, page_prev(&old));
    page_set_next(page, page_next(&old));
    if (!page_set_external_header(page, prefix))
        return JET_errLogFileCorrupt;
    return copy_nodes(page, &old, 0, end);
}

static JET_ERR
drop_nodes(struct page *page, uint16_t first)
{
    while (page_lines(page) > first) {
        if (!page_delete(page, page_lines(page) - 1))
            return JET_errLogFileCorrupt;
    }
    return JET_errSuccess;
}

static JET_ERR
insert_pointer(struct page *page, uint16_t line, struct span key, uint32_t pgno)
{
    uint8_t data[4];
    le32_put(data, pgno);
    return fits(page_insert(page, line, 0, key, span_of(data, 4), 0));
}

static JET_ERR
shrink_source(struct page *source, const struct lr *lr)
{
    struct span prefix = lr->split.prefix_new;
    if (lr->split.type == LR_SPLIT_APPEND)
        return JET_errSuccess;
    if (lr->split.type == LR_SPLIT_RIGHT) {
        if (span_cmp(page_external_header(source), prefix) == 0)
            return drop_nodes(source, first_moved(lr));
        return change_prefix(source, first_moved(lr), prefix);
    }
    JET_ERR err = drop_nodes(source, 0);
    return err < 0 ? err : insert_pointer(source, 0, span_of(NULL, 0), lr->split.pgno_new);
}

JET_ERR
apply_split_source(struct page *source, const struct lr *lr)
{
    uint32_t keep = page_flags(source) & PAGE_FLAG_FLUSH_TYPE;
    bool leaf = lr->split.type != LR_SPLIT_VERTICAL && page_is_leaf(source);
    if (leaf != ((lr->split.flags_split & PAGE_FLAG_LEAF) != 0))
        return JET_errLogFileCorrupt;
    JET_ERR err = shrink_source(source, lr);
    if (err < 0)
        return err;
    page_set_flags(source, (lr->split.flags_split & ~(uint32_t)PAGE_FLAG_FLUSH_TYPE) | keep |
                               PAGE_FLAG_NEW_CHECKSUM);
    if (lr->split.type != LR_SPLIT_VERTICAL && (lr->split.flags_split & PAGE_FLAG_LEAF))
        page_set_next(source, lr->split.pgno_new);
    return JET_errSuccess;
}

JET_ERR
apply_split_right(struct page *right, const struct lr *lr)
{
    page_set_prev(right, lr->split.pgno_new);
    return JET_errSuccess;
}

static JET_ERR
find_pointer(const struct page *page, uint32_t pgno, uint16_t *line, struct node *n)
{
    for (*line = 0; *line < page_lines(page); (*line)++) {
        JET_ERR err = page_node(page, *line, n);
        if (err < 0)
            return JET_errLogFileCorrupt;
        if (node_child(n) == pgno)
            return JET_errSuccess;
    }
    return JET_errLogFileCorrupt;
}

JET_ERR
apply_split_parent(struct page *parent, const struct lr *lr)
{
    uint16_t line;
    struct node n;
    uint8_t data[4];
    if (page_is_leaf(parent))
        return JET_errLogFileCorrupt;
    JET_ERR err = find_pointer(parent, lr->page.pgno, &line, &n);
    if (err < 0)
        return err;
    le32_put(data, lr->split.pgno_new);
    if (!page_poke(parent, line, 0, span_of(data, 4)))
        return JET_errLogFileCorrupt;
    return insert_pointer(parent, line, lr->split.key_parent, lr->page.pgno);
}

/* ---- merge ---- */

/* The rightmost internal page of a level ends with an empty key, before and after. */
static JET_ERR
delete_pointer(struct page *page, uint16_t line)
{
    struct node n;
    JET_ERR err = page_node(page, line, &n);
    if (err < 0)
        return JET_errLogFileCorrupt;
    bool unbounded = n.prefix.len + n.suffix.len == 0;
    err = fits(page_delete(page, line));
    if (err < 0 || !unbounded || line == 0 || line != page_lines(page))
        return err;
    err = page_node(page, line - 1, &n);
    if (err < 0)
        return JET_errLogFileCorrupt;
    uint32_t child = node_child(&n);
    err = fits(page_delete(page, line - 1));
    return err < 0 ? err : insert_pointer(page, line - 1, span_of(NULL, 0), child);
}

static JET_ERR
change_key(struct page *page, uint16_t line, struct span key)
{
    struct node n;
    JET_ERR err = page_node(page, line, &n);
    if (err < 0)
        return JET_errLogFileCorrupt;
    uint32_t child = node_child(&n);
    err = fits(page_delete(page, line));
    return err < 0 ? err : insert_pointer(page, line, key, child);
}

JET_ERR
apply_merge_page(struct page *page, const struct lr *lr, struct span key)
{
    uint8_t flags = lr->merge.flags;
    if (flags & LR_MERGE_PAGE_EMPTY)
        return apply_empty_page(page);
    if (flags && page_is_leaf(page))
        return JET_errLogFileCorrupt;
    if (flags & LR_MERGE_KEY_CHANGE)
        return change_key(page, lr->page.iline, key);
    if (flags & LR_MERGE_DELETE_NODE)
        return delete_pointer(page, lr->page.iline);
    return JET_errSuccess;
}

JET_ERR
apply_merge_left(struct page *left, const struct lr *lr)
{
    page_set_next(left, lr->merge.pgno_right);
    return JET_errSuccess;
}

JET_ERR
apply_merge_right(struct page *right, const struct lr *lr)
{
    page_set_prev(right, lr->merge.pgno_left);
    return JET_errSuccess;
}

JET_ERR
apply_empty_root(struct page *root)
{
    JET_ERR err = drop_nodes(root, 0);
    if (err < 0)
        return err;
    uint32_t flags = page_flags(root) & ~PAGE_FLAG_PARENT_OF_LEAF;
    page_set_flags(root, flags | PAGE_FLAG_LEAF);
    return JET_errSuccess;
}

/* Keeps links and objid; one tag of no bytes is left. */
JET_ERR
apply_empty_page(struct page *page)
{
    JET_ERR err = drop_nodes(page, 0);
    if (err >= 0)
        err = fits(page_set_external_header(page, span_of(NULL, 0)));
    if (err < 0)
        return err;
    page_set_flags(page, page_flags(page) | PAGE_FLAG_EMPTY);
    return JET_errSuccess;
}
