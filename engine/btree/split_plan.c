/* SPDX-License-Identifier: MIT */
/*
 * split_plan: where to cut a page, and which separator parts the halves.
 *
 * The root's nodes all move to a new page (vertical). An insert behind the last entry of the tree
 * gets a page of its own (append; nothing moves). Else both halves get about the same (right).
 * Lines count as if the inserted node were there already; sizes are those that a rollback may need
 * back.
 */
#include "btree/split.h"

/* Size of line v of the page as it will be with ch (NULL: as it is). */
static JET_ERR
line_size(struct btree *t, const struct page *page, const struct change *ch, uint16_t v,
          uint32_t *size)
{
    struct node n;
    if (ch && v == ch->line) {
        *size = ch->size;
        if (ch->type == LR_INSERT)
            return JET_errSuccess;
    }
    uint16_t line = ch && ch->type == LR_INSERT && v > ch->line ? v - 1 : v;
    JET_ERR err = page_node(page, line, &n);
    if (err < 0)
        return err;
    uint32_t reserved = btree_node_reserved(t, &n);
    *size = ch && v == ch->line ? MAX(*size, reserved) : reserved;
    return JET_errSuccess;
}

/*
 * The line where both halves are most equal and both fit. 0 = there is none. Keys are counted
 * whole: neither half keeps a prefix.
 */
static JET_ERR
choose_line(struct btree *t, const struct page *page, const struct change *ch, uint16_t lines,
            uint16_t *split)
{
    uint32_t area = page_data_bytes(page->size) - 4, total = 0, left = 0, best = UINT32_MAX, size;
    JET_ERR err;
    *split = 0;
    for (uint16_t v = 0; v < lines; v++) {
        err = line_size(t, page, ch, v, &size);
        if (err < 0)
            return err;
        total += size;
    }
    for (uint16_t v = 1; v < lines; v++) {
        err = line_size(t, page, ch, v - 1, &size);
        if (err < 0)
            return err;
        left += size;
        uint32_t right = total - left, off = left > right ? left - right : right - left;
        if (left <= area && right <= area && off < best) {
            best = off;
            *split = v;
        }
    }
    return JET_errSuccess;
}

/* Bookmark of line v as in line_size(). */
static JET_ERR
line_bookmark(struct btree *t, const struct page *page, const struct change *ch, uint16_t v,
              uint8_t *tmp, struct bookmark *bm)
{
    struct node n;
    if (ch && ch->type == LR_INSERT && v == ch->line) {
        *bm = ch->bm;
        return JET_errSuccess;
    }
    uint16_t line = ch && ch->type == LR_INSERT && v > ch->line ? v - 1 : v;
    JET_ERR err = page_node(page, line, &n);
    if (err < 0)
        return err;
    *bm = btree_node_bookmark(t, &n, tmp);
    return JET_errSuccess;
}

/* Leaves: the shortest; above: the key of the last node on the left, as ESE has it. */
static JET_ERR
choose_separator(struct btree *t, const struct page *page, const struct change *ch,
                 struct split_plan *p)
{
    uint8_t left_tmp[NODE_KEY_MAX], right_tmp[NODE_KEY_MAX];
    struct bookmark left, right;
    JET_ERR err = line_bookmark(t, page, ch, p->line_split - 1, left_tmp, &left);
    if (err < 0)
        return err;
    if (!page_is_leaf(page)) {
        if (left.key.len > NODE_KEY_MAX)
            return JET_errDatabaseCorrupted;
        memcpy(p->separator_bytes, left.key.data, left.key.len);
        p->separator = span_of(p->separator_bytes, left.key.len);
        return JET_errSuccess;
    }
    err = line_bookmark(t, page, ch, p->line_split, right_tmp, &right);
    if (err < 0)
        return err;
    p->separator = node_separator(t->unique, &left, &right, p->separator_bytes);
    return JET_errSuccess;
}

static void
plan_vertical(const struct page *page, struct split_plan *p)
{
    uint32_t kind = page_flags(page) & ~(uint32_t)PAGE_FLAG_FLUSH_TYPE;
    bool leaf = page_is_leaf(page);
    p->type = LR_SPLIT_VERTICAL;
    p->lines = page_lines(page);
    p->flags_new = kind & ~(uint32_t)PAGE_FLAG_ROOT;
    p->flags = kind & ~(uint32_t)(PAGE_FLAG_LEAF | PAGE_FLAG_PARENT_OF_LEAF);
    if (leaf)
        p->flags |= PAGE_FLAG_PARENT_OF_LEAF;
}

/* ch stays in the plan if a half has room for it. */
static JET_ERR
plan_right(struct btree *t, const struct page *page, const struct change **ch, struct split_plan *p)
{
    p->flags = p->flags_new = page_flags(page) & ~(uint32_t)PAGE_FLAG_FLUSH_TYPE;
    p->pgno_right = page_is_leaf(page) ? page_next(page) : 0;
    p->lines = page_lines(page) + (*ch && (*ch)->type == LR_INSERT ? 1 : 0);
    if (*ch && (*ch)->type == LR_INSERT && (*ch)->line + 1u == p->lines && p->lines > 1 &&
        p->pgno_right == 0) {
        p->type = LR_SPLIT_APPEND;
        p->line_split = p->lines - 1;
        return choose_separator(t, page, *ch, p);
    }
    p->type = LR_SPLIT_RIGHT;
    JET_ERR err = choose_line(t, page, *ch, p->lines, &p->line_split);
    if (err >= 0 && p->line_split == 0 && *ch) {
        *ch = NULL;
        p->lines = page_lines(page);
        err = choose_line(t, page, NULL, p->lines, &p->line_split);
    }
    if (err >= 0 && p->line_split == 0)
        err = JET_errRecordTooBig;
    return err < 0 ? err : choose_separator(t, page, *ch, p);
}

JET_ERR
btree_split_plan(struct btree *t, const struct path *path, int level, const struct change **ch,
                 struct split_plan *p, bool *parent_full)
{
    struct dbfile *f = t->db->file;
    struct buf *buf, *parent;
    p->pgno = path->at[level].pgno;
    JET_ERR err = cache_fix(f, p->pgno, LATCH_READ, &buf);
    if (err < 0)
        return err;
    if (level == 0) {
        *ch = NULL;
        plan_vertical(buf->page, p);
    } else {
        err = plan_right(t, buf->page, ch, p);
    }
    cache_unfix(buf);
    if (err < 0 || level == 0)
        return err;
    p->pgno_parent = path->at[level - 1].pgno;
    p->line_parent = path->at[level - 1].line;
    err = cache_fix(f, p->pgno_parent, LATCH_READ, &parent);
    if (err < 0)
        return err;
    *parent_full = page_free(parent->page) < page_node_bytes(0, p->separator.len, 4);
    cache_unfix(parent);
    return JET_errSuccess;
}
