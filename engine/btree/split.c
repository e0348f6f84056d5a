/* SPDX-License-Identifier: MIT */
/*
 * split: a page that is full becomes two (log format 3.7).
 *
 * One macro splits one page: MacroBegin, Split2 of the parent (which only takes a pointer), Split2
 * of the page, the leaf operation if it is the leaf and there is room now, MacroCommit; all with
 * one dbtime. If the parent has no room for the pointer, it is split first, in a macro of its own;
 * the caller then descends again. The root splits vertically: all its nodes move to the new page.
 *
 * All pages are latched and all is logged before anything changes.
 */
#include "btree/split.h"

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

struct split {
    struct btree *t;
    struct session *s;
    struct split_plan *p;
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
    const struct split_plan *p = x->p;
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
    struct lr lr = {.type = type, .macro = {.procid = session_procid(x->s), .dbtime = x->dbtime}};
    return btree_log(x->t, x->s, &lr, &x->pos);
}

static void
fill_record(struct split *x, struct buf *buf, struct lr *lr)
{
    *lr = (struct lr) {.type = LR_SPLIT2};
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
    const struct split_plan *p = x->p;
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

JET_ERR
btree_split(struct btree *t, struct session *s, const struct path *path, struct change *ch,
            uint32_t pgno_new, bool *used, bool *done, uint32_t *pgno, uint16_t *line)
{
    const struct change *in_macro = ch;
    int level = path->depth - 1;
    struct split_plan p;
    *used = *done = false;
    for (;; level--) {
        bool parent_full = false;
        memset(&p, 0, offsetof(struct split_plan, separator_bytes));
        p.pgno_new = pgno_new;
        JET_ERR err = btree_split_plan(t, path, level, &in_macro, &p, &parent_full);
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
        btree_change_versions(t, s, ch);
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
