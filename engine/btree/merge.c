/* SPDX-License-Identifier: MIT */
/*
 * merge: dead nodes are removed, and a leaf without others leaves the tree (log format 3.7).
 *
 * A leaf's last node is not deleted: the merge takes it away together with the page, so that no
 * leaf is ever empty (but where a new separator would not fit above it).
 *
 * Macro: Merge2 of the pages whose separators change, of the page that loses a pointer, of the
 * pages below it that became empty, of the leaf, whose neighbours link to each other. When nothing
 * at all is left: EmptyTree instead. The pages go back to space afterwards; a crash in between
 * leaks them.
 */
#include "btree/internal.h"

struct merge {
    struct btree *t;
    struct session *s;
    const struct path *path;
    int leaf;        /* level of the leaf that goes */
    int top;         /* level of the page that loses a pointer; -1: all go (EmptyTree) */
    int key_top;     /* levels key_top .. top - 1 change a key; == top: none */
    struct span key; /* the new separator, when top loses its last line */
    uint8_t key_bytes[NODE_KEY_MAX];
    struct buf *bufs[BTREE_DEPTH_MAX];
    struct buf *left, *right;
    int64_t dbtime;
    struct lgpos pos;
};

static JET_ERR
fix_path(struct merge *m)
{
    struct dbfile *f = m->t->db->file;
    JET_ERR err = JET_errSuccess;
    for (int i = 0; i <= m->leaf && err >= 0; i++)
        err = cache_fix(f, m->path->at[i].pgno, LATCH_WRITE, &m->bufs[i]);
    if (err < 0 || m->leaf == 0)
        return err;
    uint32_t prev = page_prev(m->bufs[m->leaf]->page), next = page_next(m->bufs[m->leaf]->page);
    if (prev)
        err = cache_fix(f, prev, LATCH_WRITE, &m->left);
    if (err >= 0 && next)
        err = cache_fix(f, next, LATCH_WRITE, &m->right);
    return err;
}

static void
unfix_path(struct merge *m)
{
    cache_unfix(m->left);
    cache_unfix(m->right);
    for (int i = 0; i <= m->leaf; i++)
        cache_unfix(m->bufs[i]);
}

/* false: the new separator has no room somewhere; the empty leaf stays then. */
static bool
plan_keys(struct merge *m)
{
    m->key_top = m->top;
    const struct page *page = m->bufs[m->top]->page;
    uint16_t line = m->path->at[m->top].line;
    struct node n, last;
    if (line == 0 || line + 1 != page_lines(page))
        return true;
    if (page_node(page, line - 1, &n) < 0 || page_node(page, line, &last) < 0)
        return false;
    uint8_t tmp[NODE_KEY_MAX];
    struct span key = node_key(&n, tmp);
    memcpy(m->key_bytes, key.data, key.len);
    m->key = span_of(m->key_bytes, key.len);
    while (m->key_top > 0 && node_key_len(&last) > 0) {
        page = m->bufs[m->key_top - 1]->page;
        line = m->path->at[m->key_top - 1].line;
        if (page_node(page, line, &last) < 0)
            return false;
        if (node_key_len(&last) == 0)
            break; /* the last pointer of its level: no bound to change */
        if (page_free(page) + last.suffix.len < m->key.len)
            return false;
        m->key_top--;
        if (line + 1 != page_lines(page))
            break;
    }
    return true;
}

static void
record(struct merge *m, int level, struct lr *lr)
{
    struct buf *buf = m->bufs[level];
    *lr = (struct lr) {.type = LR_MERGE2};
    lr->page.procid = session_procid(m->s);
    lr->page.dbid = dbfile_dbid(m->t->db->file);
    lr->page.pgno = buf->pgno;
    lr->page.dbtime = m->dbtime;
    lr->page.dbtime_before = (int64_t)page_dbtime(buf->page);
    lr->page.trx = session_begin0(m->s);
    lr->page.level = session_level(m->s);
    lr->page.iline = level < m->leaf ? m->path->at[level].line : 0;
    lr->page.flags = btree_record_flags(m->t);
    lr->merge.dbtime_right_before = LR_DBTIME_NIL;
    lr->merge.dbtime_left_before = LR_DBTIME_NIL;
    lr->merge.dbtime_parent_before = LR_DBTIME_NIL;
    lr->merge.pgno_fdp = m->t->pgno_fdp;
    lr->merge.objid_fdp = m->t->objid;
    if (level < m->top)
        lr->merge.flags = LR_MERGE_KEY_CHANGE;
    else if (level == m->top)
        lr->merge.flags = LR_MERGE_DELETE_NODE;
    else
        lr->merge.flags = LR_MERGE_PAGE_EMPTY;
    if (level != m->leaf)
        return;
    lr->merge.type = LR_MERGE_EMPTY_PAGE;
    lr->merge.key_parent_sep = m->key;
    lr->merge.pgno_parent = m->bufs[level - 1]->pgno;
    lr->merge.dbtime_parent_before = (int64_t)page_dbtime(m->bufs[level - 1]->page);
    if (m->left) {
        lr->merge.pgno_left = m->left->pgno;
        lr->merge.dbtime_left_before = (int64_t)page_dbtime(m->left->page);
    }
    if (m->right) {
        lr->merge.pgno_right = m->right->pgno;
        lr->merge.dbtime_right_before = (int64_t)page_dbtime(m->right->page);
    }
}

static JET_ERR
log_macro(struct merge *m, uint8_t type)
{
    struct lr lr = {.type = type, .macro = {.procid = session_procid(m->s), .dbtime = m->dbtime}};
    return btree_log(m->t, m->s, &lr, &m->pos);
}

static JET_ERR
log_merge(struct merge *m)
{
    struct lr lr;
    m->dbtime = (int64_t)dbfile_dbtime_next(m->t->db->file);
    JET_ERR err = log_macro(m, LR_MACRO_BEGIN);
    for (int i = m->key_top; i <= m->leaf && err >= 0; i++) {
        record(m, i, &lr);
        err = btree_log(m->t, m->s, &lr, &m->pos);
    }
    return err < 0 ? err : log_macro(m, LR_MACRO_COMMIT);
}

static JET_ERR
apply_merge(struct merge *m)
{
    struct lr lr;
    JET_ERR err = JET_errSuccess;
    record(m, m->leaf, &lr);
    if (m->left)
        err = apply_merge_left(m->left->page, &lr);
    if (err >= 0 && m->right)
        err = apply_merge_right(m->right->page, &lr);
    for (int i = m->key_top; i <= m->leaf && err >= 0; i++) {
        record(m, i, &lr);
        err = apply_merge_page(m->bufs[i]->page, &lr, m->key);
    }
    for (int i = m->key_top; i <= m->leaf; i++)
        btree_touch(m->t, m->s, m->bufs[i], m->dbtime, m->pos);
    if (m->left)
        btree_touch(m->t, m->s, m->left, m->dbtime, m->pos);
    if (m->right)
        btree_touch(m->t, m->s, m->right, m->dbtime, m->pos);
    return err;
}

static JET_ERR
empty_tree(struct merge *m)
{
    uint8_t pages[BTREE_DEPTH_MAX * LR_EMPTY_PAGE_BYTES];
    for (int i = 1; i <= m->leaf; i++) {
        const struct page *page = m->bufs[i]->page;
        struct lr_empty_page e = {(int64_t)page_dbtime(page), m->bufs[i]->pgno, page_flags(page)};
        lr_empty_page_put(pages + (i - 1) * LR_EMPTY_PAGE_BYTES, &e);
    }
    struct lr lr = {.type = LR_EMPTY_TREE};
    btree_fill_page(m->t, m->s, m->bufs[0], &lr);
    lr.empty_tree.pages = span_of(pages, (size_t)m->leaf * LR_EMPTY_PAGE_BYTES);
    JET_ERR err = btree_log(m->t, m->s, &lr, &m->pos);
    if (err >= 0)
        err = apply_empty_root(m->bufs[0]->page);
    for (int i = 1; i <= m->leaf && err >= 0; i++)
        err = apply_empty_page(m->bufs[i]->page);
    for (int i = 0; i <= m->leaf && err >= 0; i++)
        btree_touch(m->t, m->s, m->bufs[i], lr.page.dbtime, m->pos);
    return err;
}

/* false: the leaf must stay. */
static JET_ERR
merge_leaf(struct btree *t, struct session *s, const struct path *path, bool *merged)
{
    struct merge m = {.t = t, .s = s, .path = path, .leaf = path->depth - 1};
    JET_ERR err = fix_path(&m);
    bool gone = false;
    if (err >= 0) {
        for (m.top = m.leaf - 1; m.top >= 0 && page_lines(m.bufs[m.top]->page) == 1;)
            m.top--;
        if (m.top < 0) {
            err = empty_tree(&m);
            gone = err >= 0;
            m.top = 0;
        } else if (plan_keys(&m)) {
            err = log_merge(&m);
            if (err >= 0) {
                gone = true;
                err = apply_merge(&m);
            }
        }
    }
    unfix_path(&m);
    *merged = gone;
    for (int i = m.top + 1; gone && i <= m.leaf; i++) {
        JET_ERR err_free = btree_free_page(t, s, path->at[i].pgno);
        if (err >= 0)
            err = err_free;
    }
    return err;
}

JET_ERR
btree_remove_node(struct btree *t, struct session *s, const struct path *path, struct buf *leaf,
                  const struct bookmark *bm, uint16_t line)
{
    struct change ch = {.type = LR_DELETE, .bm = *bm, .was_deleted = !t->raw, .line = line};
    bool merged = false;
    JET_ERR err = JET_errSuccess;
    if (path->depth > 1 && page_lines(leaf->page) == 1) {
        cache_unfix(leaf);
        err = merge_leaf(t, s, path, &merged);
        if (err < 0 || merged)
            return err;
        err = cache_fix(t->db->file, path->at[path->depth - 1].pgno, LATCH_WRITE, &leaf);
        if (err < 0)
            return err;
    }
    err = btree_change_leaf(t, s, leaf, &ch);
    cache_unfix(leaf);
    return err;
}

JET_ERR
btree_remove_dead(struct btree *t, struct session *s, const struct bookmark *bm)
{
    struct path path;
    struct buf *leaf;
    uint16_t line;
    bool exact;
    JET_ERR err = btree_descend(t, bm, false, LATCH_WRITE, &path, &leaf);
    if (err < 0)
        return err;
    err = node_find(leaf->page, t->unique, bm, &line, &exact);
    bool dead = err >= 0 && exact && (page_node_flags(leaf->page, line) & NODE_DELETED) &&
                !version_find(&t->versions, bm->key, bm->data);
    if (dead)
        err = session_log_begin(s);
    if (dead && err >= 0)
        return btree_remove_node(t, s, &path, leaf, bm, line);
    cache_unfix(leaf);
    return err;
}
