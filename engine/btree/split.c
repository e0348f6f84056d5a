/* SPDX-License-Identifier: MIT */
/*
 * split: a page that is full becomes two (log format 3.7).
 *
 * One macro splits one page: MacroBegin, Split2 of the parent (which only takes a pointer), Split2 of the
 * page, the leaf operation if it is the leaf and there is room now, MacroCommit; all with one dbtime.
 * If the parent has no room for the pointer, it is split first, in a macro of its own; the caller
 * then descends again. The root splits vertically: all its nodes move to the new page.
 *
 * All pages are latched and all is logged before anything changes.
 */
#include "btree/internal.h"

struct plan {
    uint32_t pgno, pgno_new, pgno_right, pgno_parent;
    uint16_t line_parent;
    uint8_t type;
    uint8_t oper;         /* LR_SPLITOPER_... of ch */
    uint16_t line_split;  /* with the inserted line counted */
    uint16_t lines;       /* likewise */
    uint32_t flags, flags_new;
    struct span separator;
    uint8_t separator_bytes[NODE_KEY_MAX];
};

static uint8_t
split_oper(const struct change *ch)
{
    switch (ch->type) {
    case LR_INSERT:
        return LR_SPLITOPER_INSERT;
    case LR_FIARD:
        return LR_SPLITOPER_FIARD;
    default:
        return LR_SPLITOPER_REPLACE;
    }
}

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
 * The line where both halves are most equal and both fit. 0 = there is none. Keys are counted whole:
 * neither half keeps a prefix.
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
choose_separator(struct btree *t, const struct page *page, const struct change *ch, struct plan *p)
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
plan_vertical(const struct page *page, struct plan *p)
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
plan_right(struct btree *t, const struct page *page, const struct change **ch, struct plan *p)
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

/* ---- doing it ---- */

struct split {
    struct btree *t;
    struct session *s;
    struct plan *p;
    const struct change *ch; /* NULL: no leaf operation in the macro */
    struct buf *source, *fresh, *right, *parent;
    int64_t dbtime;
    struct lgpos pos;
};

static void
unfix_all(struct split *x)
{
    cache_unfix(x->fresh);
    cache_unfix(x->right);
    cache_unfix(x->source);
    cache_unfix(x->parent);
}

/* Root side first, left to right. */
static JET_ERR
fix_all(struct split *x)
{
    struct dbfile *f = x->t->db->file;
    const struct plan *p = x->p;
    JET_ERR err = JET_errSuccess;
    if (p->pgno_parent)
        err = cache_fix(f, p->pgno_parent, LATCH_WRITE, &x->parent);
    if (err >= 0)
        err = cache_fix(f, p->pgno, LATCH_WRITE, &x->source);
    if (err >= 0 && p->pgno_right)
        err = cache_fix(f, p->pgno_right, LATCH_WRITE, &x->right);
    if (err >= 0)
        err = cache_fix_new(f, p->pgno_new, &x->fresh);
    return err;
}

static JET_ERR
log_macro(struct split *x, uint8_t type)
{
    struct lr lr = {.type = type,
                    .macro = {.procid = session_procid(x->s), .dbtime = x->dbtime}};
    return btree_log(x->t, x->s, &lr, &x->pos);
}

static void
fill_record(struct split *x, struct buf *buf, struct lr *lr)
{
    *lr = (struct lr){.type = LR_SPLIT2};
    lr->page.procid = session_procid(x->s);
    lr->page.dbid = dbfile_dbid(x->t->db->file);
    lr->page.pgno = buf->pgno;
    lr->page.dbtime = x->dbtime;
    lr->page.dbtime_before = (int64_t)page_dbtime(buf->page);
    lr->page.trx = session_begin0(x->s);
    lr->page.level = session_level(x->s);
    lr->page.flags = btree_record_flags(x->t);
    lr->split.dbtime_right_before = LR_DBTIME_NIL;
    lr->split.dbtime_parent_before = LR_DBTIME_NIL;
    lr->split.pgno_fdp = x->t->pgno_fdp;
    lr->split.objid_fdp = x->t->objid;
}

static JET_ERR
log_parent(struct split *x)
{
    struct lr lr;
    fill_record(x, x->parent, &lr);
    lr.split.iline_oper = x->p->line_parent;
    return btree_log(x->t, x->s, &lr, &x->pos);
}

static void
source_record(struct split *x, struct lr *lr)
{
    const struct plan *p = x->p;
    fill_record(x, x->source, lr);
    lr->split.pgno_new = p->pgno_new;
    lr->split.pgno_right = p->pgno_right;
    lr->split.pgno_parent = p->pgno_parent;
    if (x->right)
        lr->split.dbtime_right_before = (int64_t)page_dbtime(x->right->page);
    if (x->parent)
        lr->split.dbtime_parent_before = (int64_t)page_dbtime(x->parent->page);
    lr->split.type = p->type;
    lr->split.oper = x->ch ? split_oper(x->ch) : LR_SPLITOPER_NONE;
    lr->split.iline_oper = x->ch ? x->ch->line : 0;
    lr->split.iline_split = p->line_split;
    lr->split.clines = p->lines;
    lr->split.flags_new = p->flags_new;
    lr->split.flags_split = p->flags;
    lr->split.iline_prefix_split = -1;
    lr->split.iline_prefix_new = -1;
    lr->split.key_parent = p->separator;
    if (p->type == LR_SPLIT_RIGHT)
        lr->split.prefix_old = page_external_header(x->source->page);
    if (p->type != LR_SPLIT_APPEND)
        lr->split.image = span_of(x->source->page->data, x->source->page->size);
}

/* Where the leaf operation lands. */
static void
locate_oper(const struct split *x, struct buf **buf, uint16_t *line)
{
    bool moved = x->ch->line >= x->p->line_split;
    *buf = moved ? x->fresh : x->source;
    *line = moved ? x->ch->line - x->p->line_split : x->ch->line;
}

static JET_ERR
log_oper(struct split *x)
{
    struct lr lr;
    btree_change_record(x->t, x->s, x->source, x->ch, &lr);
    lr.page.dbtime = x->dbtime;
    lr.page.dbtime_before = LR_DBTIME_NIL;
    return btree_log(x->t, x->s, &lr, &x->pos);
}

static JET_ERR
log_all(struct split *x, struct lr *lr)
{
    x->dbtime = (int64_t)dbfile_dbtime_next(x->t->db->file);
    JET_ERR err = log_macro(x, LR_MACRO_BEGIN);
    if (err >= 0 && x->parent)
        err = log_parent(x);
    source_record(x, lr);
    if (err >= 0)
        err = btree_log(x->t, x->s, lr, &x->pos);
    if (err >= 0 && x->ch)
        err = log_oper(x);
    if (err >= 0)
        err = log_macro(x, LR_MACRO_COMMIT);
    if (err >= 0 && x->ch)
        err = btree_log_undo_info(x->t, x->s, x->source->pgno, x->ch, &x->pos);
    return err;
}

/* All pages are there and the plan fits them: nothing can fail but by a bug. */
static JET_ERR
apply_all(struct split *x, const struct lr *lr)
{
    JET_ERR err = apply_split_new(x->fresh->page, x->source->page, lr, span_of(NULL, 0));
    if (err >= 0)
        err = apply_split_source(x->source->page, lr);
    if (err >= 0 && x->right)
        err = apply_split_right(x->right->page, lr);
    if (err >= 0 && x->parent)
        err = apply_split_parent(x->parent->page, lr);
    if (err >= 0 && x->ch) {
        struct buf *buf;
        uint16_t line;
        locate_oper(x, &buf, &line);
        err = btree_change_apply(buf->page, line, x->ch);
    }
    struct buf *touched[] = {x->source, x->fresh, x->right, x->parent};
    for (size_t i = 0; i < G_N_ELEMENTS(touched); i++)
        if (touched[i])
            btree_touch(x->t, x->s, touched[i], x->dbtime, x->pos);
    return err;
}

static JET_ERR
execute(struct split *x, bool *used, uint32_t *pgno, uint16_t *line)
{
    struct lr lr;
    JET_ERR err = fix_all(x);
    if (err >= 0)
        err = log_all(x, &lr);
    if (err >= 0) {
        *used = true;
        err = apply_all(x, &lr);
    }
    if (err >= 0 && x->ch) {
        struct buf *buf;
        locate_oper(x, &buf, line);
        *pgno = buf->pgno;
    }
    unfix_all(x);
    return err;
}

static JET_ERR
make_plan(struct btree *t, const struct path *path, int level, const struct change **ch,
          struct plan *p, bool *parent_full)
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

JET_ERR
btree_split(struct btree *t, struct session *s, const struct path *path, struct change *ch,
            uint32_t pgno_new, bool *used, bool *done, uint32_t *pgno, uint16_t *line)
{
    const struct change *in_macro = ch;
    int level = path->depth - 1;
    struct plan p;
    *used = *done = false;
    for (;; level--) {
        bool parent_full = false;
        memset(&p, 0, offsetof(struct plan, separator_bytes));
        p.pgno_new = pgno_new;
        JET_ERR err = make_plan(t, path, level, &in_macro, &p, &parent_full);
        if (err < 0)
            return err;
        if (!parent_full)
            break;
        in_macro = NULL;
    }
    struct split x = {.t = t, .s = s, .p = &p, .ch = in_macro};
    JET_ERR err = execute(&x, used, pgno, line);
    *done = err >= 0 && in_macro;
    if (*done)
        btree_change_versions(t, s, *pgno, ch);
    return err;
}

/* ---- pages ---- */

JET_ERR
btree_get_page(struct btree *t, struct session *s, uint32_t near, uint32_t *pgno)
{
    if (t->raw)
        return t->raw_page(t->raw_ctx, s, pgno);
    return t->db->space.get_pages(t->db->space.ctx, s, t, near, 1, pgno);
}

JET_ERR
btree_free_page(struct btree *t, struct session *s, uint32_t pgno)
{
    if (t->raw)
        return t->raw_free(t->raw_ctx, s, pgno);
    return t->db->space.free_page(t->db->space.ctx, s, t, pgno);
}
