/* SPDX-License-Identifier: MIT */
/*
 * redo: records on one node, as in redo.h. Macros are in redo_macro.c.
 *
 * Versions (log format 3.5): inserts and deltas have all they need in the record and are always
 * rebuilt; replaces and deletes only when the page still has the old state, else their UndoInfo,
 * which follows, does it.
 */
#include "btree/redo_internal.h"

/* ---- the page rule ---- */

JET_ERR
btree_redo_fix(struct btree_db *db, uint32_t pgno, int64_t dbtime, int64_t dbtime_before,
               struct buf **out)
{
    struct buf *buf;
    *out = NULL;
    JET_ERR err = cache_fix(db->file, pgno, LATCH_WRITE, &buf);
    if (err < 0)
        return err;
    int64_t now = (int64_t)page_dbtime(buf->page);
    if (now >= dbtime) {
        cache_unfix(buf);
        return JET_errSuccess;
    }
    if (dbtime_before != LR_DBTIME_NIL && now != dbtime_before) {
        cache_unfix(buf);
        return now < dbtime_before ? JET_errDbTimeTooOld : JET_errDbTimeTooNew;
    }
    *out = buf;
    return JET_errSuccess;
}

/* What is there may be of a later time than the record, or nothing that can be read. */
JET_ERR
btree_redo_fix_new(struct btree_db *db, uint32_t pgno, int64_t dbtime, struct buf **out)
{
    JET_ERR err = btree_redo_fix(db, pgno, dbtime, LR_DBTIME_NIL, out);
    if (err == JET_errPageNotInitialized || err == JET_errReadVerifyFailure ||
        err == JET_errReadPgnoVerifyFailure || err == JET_errDatabaseCorrupted)
        err = cache_fix_new(db->file, pgno, out);
    return err;
}

/* ---- versions ---- */

struct rce *
btree_redo_version(struct btree *t, struct session *s, const struct lr *lr, uint32_t rceid,
                   enum rce_oper oper, struct bookmark bm, struct span before, JET_ERR *err)
{
    struct rce *r = NULL;
    *err = JET_errSuccess;
    if (rceid == 0 || session_level(s) == 0)
        return NULL;
    if (t->unique)
        bm.data = span_of(NULL, 0);
    r = version_find_rceid(&t->versions, bm.key, bm.data, rceid);
    if (r)
        return r;
    *err = rce_new_redo(s, rceid, oper, bm.key, bm.data, before, &r);
    if (*err < 0)
        return NULL;
    version_add(&t->versions, s, r);
    version_lower(r, s, lr->page.level);
    return r;
}

JET_ERR
btree_redo_enter(struct btree_db *db, const struct lr *lr, struct btree **t)
{
    bool unique = (lr->page.flags & LR_PAGE_UNIQUE) != 0;
    if (lr->page.flags & LR_PAGE_SPACE)
        return btree_raw_open(db, lr->page.pgno, lr->node.pgno_fdp, lr->node.objid_fdp, unique,
                              NULL, t);
    JET_ERR err = btree_open_known(db, lr->node.pgno_fdp, lr->node.objid_fdp, unique, t);
    if (err >= 0)
        g_rw_lock_writer_lock(&(*t)->latch);
    return err;
}

void
btree_redo_leave(struct btree *t)
{
    if (t->raw) {
        btree_raw_close(t);
        return;
    }
    g_rw_lock_writer_unlock(&t->latch);
    btree_close(t);
}

static bool
versioned(const struct lr *lr)
{
    return (lr->page.flags & LR_PAGE_VERSIONED) && lr->node.rceid;
}

/* Insert's key comes in two parts. */
JET_ERR
btree_redo_insert_key(const struct lr *lr, uint8_t *tmp, struct span *key)
{
    struct span a = lr->insert.prefix, b = lr->insert.suffix;
    if (a.len + b.len > NODE_KEY_MAX)
        return JET_errLogFileCorrupt;
    if (a.len == 0) {
        *key = b;
        return JET_errSuccess;
    }
    memcpy(tmp, a.data, a.len);
    if (b.len)
        memcpy(tmp + a.len, b.data, b.len);
    *key = span_of(tmp, a.len + b.len);
    return JET_errSuccess;
}

/* The versions a record makes whether or not its page needs it. */
JET_ERR
btree_redo_versions_always(struct btree *t, struct session *s, const struct lr *lr)
{
    uint8_t tmp[NODE_KEY_MAX];
    struct span none = span_of(NULL, 0), key;
    JET_ERR err = JET_errSuccess;
    struct rce *r;
    if (!versioned(lr))
        return JET_errSuccess;
    switch (lr->type) {
    case LR_INSERT:
        err = btree_redo_insert_key(lr, tmp, &key);
        if (err >= 0)
            btree_redo_version(t, s, lr, lr->node.rceid, RCE_INSERT,
                               (struct bookmark) {key, lr->insert.data}, none, &err);
        return err;
    case LR_FLAG_INSERT:
    case LR_FIARD:
        btree_redo_version(t, s, lr, lr->node.rceid, RCE_INSERT,
                           (struct bookmark) {lr->flag_insert.key, lr->flag_insert.data}, none,
                           &err);
        return err;
    case LR_DELTA:
        r = btree_redo_version(t, s, lr, lr->node.rceid, RCE_DELTA,
                               (struct bookmark) {lr->delta.key, lr->delta.bm_data}, none, &err);
        if (r) {
            r->delta = (int32_t)lr->delta.delta;
            r->delta_offset = lr->delta.offset;
        }
        return err;
    default:
        return JET_errSuccess;
    }
}

/* Those that need the page's old state; line is where the node is now. */
JET_ERR
btree_redo_versions_page(struct btree *t, struct session *s, const struct lr *lr,
                         const struct page *page, uint16_t line)
{
    uint8_t tmp[NODE_KEY_MAX];
    struct node n;
    JET_ERR err;
    if (!versioned(lr) || (lr->type != LR_REPLACE && lr->type != LR_REPLACE_D &&
                           lr->type != LR_FLAG_DELETE && lr->type != LR_FIARD))
        return JET_errSuccess;
    if (page_node(page, line, &n) < 0)
        return JET_errLogFileCorrupt;
    struct bookmark bm = btree_node_bookmark(t, &n, tmp);
    bool replace = lr->type != LR_FLAG_DELETE;
    uint32_t rceid = lr->type == LR_FIARD ? lr->flag_insert.rceid_replace : lr->node.rceid;
    btree_redo_version(t, s, lr, rceid, replace ? RCE_REPLACE : RCE_FLAG_DELETE, bm,
                       replace ? n.data : span_of(NULL, 0), &err);
    return err;
}

/* ---- the page ---- */

static JET_ERR
apply_diff(struct page *page, uint16_t line, const struct lr *lr, bool is_versioned)
{
    g_autofree uint8_t *new = g_try_malloc(page->size);
    struct node n;
    size_t len;
    if (!new)
        return JET_errOutOfMemory;
    if (page_node(page, line, &n) < 0)
        return JET_errLogFileCorrupt;
    JET_ERR err = lr_apply_diff(lr, n.data, new, page->size, &len);
    return err < 0 ? err : apply_replace(page, line, span_of(new, len), is_versioned);
}

JET_ERR
btree_redo_apply(struct page *page, uint16_t line, const struct lr *lr)
{
    uint8_t tmp[NODE_KEY_MAX];
    struct span key;
    bool v = versioned(lr);
    JET_ERR err;
    switch (lr->type) {
    case LR_INSERT:
        err = btree_redo_insert_key(lr, tmp, &key);
        if (err < 0)
            return err;
        return apply_insert(page, line, key, (uint16_t)lr->insert.prefix.len, lr->insert.data, v);
    case LR_FLAG_INSERT:
        return apply_flag_insert(page, line, v);
    case LR_FIARD:
        return apply_flag_insert_replace(page, line, lr->flag_insert.data, v);
    case LR_FLAG_DELETE:
        return apply_flag_delete(page, line, v);
    case LR_REPLACE:
        return apply_replace(page, line, lr->replace.data, v);
    case LR_REPLACE_D:
        return apply_diff(page, line, lr, v);
    case LR_DELETE:
        return apply_delete(page, line);
    case LR_DELTA:
        return apply_delta(page, line, lr->delta.offset, (int32_t)lr->delta.delta, v);
    case LR_SET_EXT_HEADER:
        return apply_external_header(page, lr->ext_header.data);
    default:
        return JET_errLogFileCorrupt;
    }
}

static JET_ERR
redo_undo_info(struct btree *t, struct session *s, const struct lr *lr)
{
    JET_ERR err = JET_errSuccess;
    struct bookmark bm = {lr->undo_info.key, lr->undo_info.bm_data};
    if (lr->undo_info.oper == LR_OPER_REPLACE)
        btree_redo_version(t, s, lr, lr->node.rceid, RCE_REPLACE, bm, lr->undo_info.data, &err);
    else if (lr->undo_info.oper == LR_OPER_FLAG_DELETE)
        btree_redo_version(t, s, lr, lr->node.rceid, RCE_FLAG_DELETE, bm, span_of(NULL, 0), &err);
    return err;
}

/* The version goes in any case; the page changes if it has not yet. */
static JET_ERR
redo_undo(struct btree *t, struct session *s, const struct lr *lr, struct lgpos at)
{
    struct span data = t->unique ? span_of(NULL, 0) : lr->undo.bm_data;
    struct rce *r = version_find_rceid(&t->versions, lr->undo.key, data, lr->node.rceid);
    struct buf *buf;
    JET_ERR err =
        btree_redo_fix(t->db, lr->page.pgno, lr->page.dbtime, lr->page.dbtime_before, &buf);
    if (err < 0)
        return err;
    if (buf) {
        err = r ? btree_undo_apply(buf->page, lr->page.iline, r) : JET_errLogFileCorrupt;
        if (err >= 0)
            btree_touch(t, s, buf, lr->page.dbtime, at);
        cache_unfix(buf);
    }
    if (err >= 0 && lr->undo.oper == LR_OPER_INSERT)
        version_queue_purge(t->db->txn, &t->versions, lr->undo.key, data);
    if (r)
        version_discard(r);
    return err;
}

static JET_ERR
redo_page(struct btree *t, struct session *s, const struct lr *lr, struct lgpos at)
{
    struct buf *buf;
    JET_ERR err = btree_redo_versions_always(t, s, lr);
    if (err < 0)
        return err;
    err = btree_redo_fix(t->db, lr->page.pgno, lr->page.dbtime, lr->page.dbtime_before, &buf);
    if (err < 0 || !buf)
        return err;
    err = btree_redo_versions_page(t, s, lr, buf->page, lr->page.iline);
    if (err >= 0)
        err = btree_redo_apply(buf->page, lr->page.iline, lr);
    if (err >= 0)
        btree_touch(t, s, buf, lr->page.dbtime, at);
    cache_unfix(buf);
    return err;
}

JET_ERR
btree_redo_node(struct btree_db *db, struct session *s, const struct lr *lr, struct lgpos at)
{
    struct btree *t;
    JET_ERR err = btree_redo_enter(db, lr, &t);
    if (err < 0)
        return err;
    if (lr->type == LR_UNDO_INFO)
        err = redo_undo_info(t, s, lr);
    else if (lr->type == LR_UNDO)
        err = redo_undo(t, s, lr, at);
    else
        err = redo_page(t, s, lr, at);
    btree_redo_leave(t);
    return err;
}

JET_ERR
btree_redo_empty_tree(struct btree_db *db, struct session *s, const struct lr *lr, struct lgpos at)
{
    struct buf *buf;
    size_t n = lr->empty_tree.pages.len / LR_EMPTY_PAGE_BYTES;
    JET_ERR err = btree_redo_fix(db, lr->page.pgno, lr->page.dbtime, lr->page.dbtime_before, &buf);
    if (err >= 0 && buf) {
        err = apply_empty_root(buf->page);
        if (err >= 0)
            btree_touch(NULL, s, buf, lr->page.dbtime, at);
        cache_unfix(buf);
    }
    for (size_t i = 0; i < n && err >= 0; i++) {
        struct lr_empty_page e = lr_empty_page_get(lr->empty_tree.pages, i);
        err = btree_redo_fix(db, e.pgno, lr->page.dbtime, e.dbtime_before, &buf);
        if (err < 0 || !buf)
            continue;
        err = apply_empty_page(buf->page);
        if (err >= 0)
            btree_touch(NULL, s, buf, lr->page.dbtime, at);
        cache_unfix(buf);
    }
    return err;
}
