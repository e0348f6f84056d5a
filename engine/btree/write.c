/* SPDX-License-Identifier: MIT */
/*
 * write: one logged change of one entry: record, UndoInfo, page, dirty, versions, in this order,
 * under the page's write latch.
 *
 * UndoInfo is logged at once (log format 7.3, 4), so a page never waits for undo information. When
 * an append fails nothing on the page has changed, its dbtime included.
 */
#include "btree/internal.h"

#include "log/stream.h"

uint8_t
btree_record_flags(const struct btree *t)
{
    return (t->fdp_unique ? LR_PAGE_UNIQUE : 0) | (t->raw ? LR_PAGE_SPACE : 0);
}

void
btree_fill_page(struct btree *t, struct session *s, struct buf *buf, struct lr *lr)
{
    lr->page.procid = session_procid(s);
    lr->page.dbid = dbfile_dbid(t->db->file);
    lr->page.pgno = buf->pgno;
    lr->page.dbtime = (int64_t)dbfile_dbtime_next(t->db->file);
    lr->page.dbtime_before = (int64_t)page_dbtime(buf->page);
    lr->page.trx = session_begin0(s);
    lr->page.level = session_level(s);
    lr->page.flags |= btree_record_flags(t);
    lr->node.pgno_fdp = t->pgno_fdp;
    lr->node.objid_fdp = t->objid;
}

/* Unlogged files: the transaction's begin stands for all positions. */
JET_ERR
btree_log(struct btree *t, struct session *s, const struct lr *lr, struct lgpos *pos)
{
    struct log *log = dbfile_log(t->db->file);
    if (!log) {
        *pos = session_begin0_lgpos(s);
        return JET_errSuccess;
    }
    struct lr_parts parts;
    lr_encode(lr, &parts);
    return log_append(log, parts.iov, parts.n, pos);
}

void
btree_touch(struct btree *t, struct session *s, struct buf *buf, int64_t dbtime, struct lgpos pos)
{
    (void)t;
    page_set_dbtime(buf->page, (uint64_t)dbtime);
    buf_dirty(buf, pos, session_begin0_lgpos(s));
}

void
btree_change_record(struct btree *t, struct session *s, struct buf *buf, const struct change *ch,
                    struct lr *lr)
{
    *lr = (struct lr) {.type = ch->type};
    lr->page.iline = ch->line;
    lr->page.flags =
        (ch->rce ? LR_PAGE_VERSIONED : 0) | (ch->was_deleted ? LR_PAGE_WAS_DELETED : 0);
    btree_fill_page(t, s, buf, lr);
    lr->node.rceid = ch->rce ? ch->rce->rceid : 0;
    switch (ch->type) {
    case LR_INSERT:
        lr->insert.suffix = ch->bm.key;
        lr->insert.data = ch->data;
        break;
    case LR_FIARD:
        lr->flag_insert.rceid_replace = ch->rce_replace ? ch->rce_replace->rceid : 0;
        /* fall through */
    case LR_FLAG_INSERT:
        lr->flag_insert.key = ch->bm.key;
        lr->flag_insert.data = ch->data;
        break;
    case LR_REPLACE:
        lr->replace.old_len = (uint16_t)ch->old_len;
        lr->replace.new_len = (uint16_t)ch->data.len;
        lr->replace.data = ch->data;
        break;
    case LR_DELTA:
        lr->delta.key = ch->bm.key;
        lr->delta.bm_data = ch->bm.data;
        lr->delta.delta = ch->delta;
        lr->delta.offset = ch->offset;
        break;
    default:
        g_assert(ch->type == LR_FLAG_DELETE || ch->type == LR_DELETE);
    }
}

JET_ERR
btree_change_apply(struct page *page, uint16_t line, const struct change *ch)
{
    bool versioned = ch->rce != NULL;
    switch (ch->type) {
    case LR_INSERT:
        return apply_insert(page, line, ch->bm.key, 0, ch->data, versioned);
    case LR_FLAG_INSERT:
        return apply_flag_insert(page, line, versioned);
    case LR_FIARD:
        return apply_flag_insert_replace(page, line, ch->data, versioned);
    case LR_REPLACE:
        return apply_replace(page, line, ch->data, versioned);
    case LR_FLAG_DELETE:
        return apply_flag_delete(page, line, versioned);
    case LR_DELETE:
        return apply_delete(page, line);
    case LR_DELTA:
        return apply_delta(page, line, ch->offset, ch->delta, versioned);
    default:
        return JET_errInternalError;
    }
}

JET_ERR
btree_log_undo_info(struct btree *t, struct session *s, uint32_t pgno, const struct change *ch,
                    struct lgpos *pos)
{
    const struct rce *r = ch->type == LR_FIARD ? ch->rce_replace : ch->rce;
    if (!r || (r->oper != RCE_REPLACE && r->oper != RCE_FLAG_DELETE))
        return JET_errSuccess;
    size_t old = r->before.len, new = ch->data.len;
    struct lr lr = {.type = LR_UNDO_INFO};
    lr.page = (struct lr_page) {.procid = session_procid(s),
                                .dbid = dbfile_dbid(t->db->file),
                                .pgno = pgno,
                                .dbtime = LR_DBTIME_NIL,
                                .dbtime_before = LR_DBTIME_NIL,
                                .trx = session_begin0(s),
                                .level = session_level(s),
                                .iline = ch->line,
                                .flags = LR_PAGE_VERSIONED | btree_record_flags(t)};
    lr.node = (struct lr_node) {r->rceid, t->pgno_fdp, t->objid};
    lr.undo_info.key = r->bookmark.key;
    lr.undo_info.bm_data = r->bookmark.data;
    lr.undo_info.oper = r->oper;
    if (r->oper == RCE_REPLACE) {
        lr.undo_info.max_size = (int16_t)MAX(old, new);
        lr.undo_info.data = r->before;
    }
    return btree_log(t, s, &lr, pos);
}

void
btree_change_versions(struct btree *t, struct session *s, const struct change *ch)
{
    struct rce *all[] = {ch->rce, ch->rce_replace};
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        struct rce *r = all[i];
        if (!r)
            continue;
        if (r->oper == RCE_REPLACE)
            r->shrunk = r->before.len > ch->data.len ? (uint32_t)(r->before.len - ch->data.len) : 0;
        version_add(&t->versions, s, r);
    }
}

void
btree_change_drop(struct change *ch)
{
    rce_free(g_steal_pointer(&ch->rce));
    rce_free(g_steal_pointer(&ch->rce_replace));
}

JET_ERR
btree_change_leaf(struct btree *t, struct session *s, struct buf *leaf, struct change *ch)
{
    struct lr lr;
    struct lgpos pos;
    btree_change_record(t, s, leaf, ch, &lr);
    JET_ERR err = btree_log(t, s, &lr, &pos);
    if (err >= 0)
        err = btree_log_undo_info(t, s, leaf->pgno, ch, &pos);
    if (err >= 0)
        err = btree_change_apply(leaf->page, ch->line, ch);
    if (err < 0)
        return err;
    btree_touch(t, s, leaf, lr.page.dbtime, pos);
    btree_change_versions(t, s, ch);
    return JET_errSuccess;
}

/* ---- room that rollbacks may need ---- */

uint32_t
btree_node_reserved(struct btree *t, const struct node *n)
{
    uint32_t size = node_size(n);
    if (t->versions.shrunk == 0 || !(n->flags & NODE_VERSIONED))
        return size;
    uint8_t tmp[NODE_KEY_MAX];
    struct bookmark bm = btree_node_bookmark(t, n, tmp);
    uint32_t most = version_reserved(version_find(&t->versions, bm.key, bm.data));
    return most > n->data.len ? size + most - (uint32_t)n->data.len : size;
}

static uint32_t
reserved_total(struct btree *t, const struct page *page)
{
    uint32_t total = 0;
    for (uint16_t i = 0; i < page_lines(page); i++) {
        struct node n;
        if (page_node(page, i, &n) >= 0)
            total += btree_node_reserved(t, &n) - node_size(&n);
    }
    return total;
}

uint32_t
btree_page_room(struct btree *t, const struct page *page)
{
    uint32_t room = page_free(page);
    if (t->versions.shrunk == 0)
        return room;
    uint32_t reserved = reserved_total(t, page);
    return room > reserved ? room - reserved : 0;
}
