/* SPDX-License-Identifier: MIT */
/*
 * redo: records on nodes, outside and inside of macros (log format, 3.4 and 3.5).
 *
 * The page rule decides whether the page still needs the change. Versions are made whether it does or not,
 * where the record has all that takes: Insert, FlagInsert, Delta, UndoInfo. A Replace or FlagDelete on a
 * page that is already ahead has no before-image in the record: the UndoInfo that must follow brings it.
 *
 * Redo is one thread and nobody reads: tree latches are not taken.
 */
#include "btree/redo.h"

#include "btree/redo_change.h"
#include "cache/cache.h"
#include "cache/dbfile.h"
#include "log/record.h"

/* ---- the page rule ---- */

static JET_ERR
rule(const struct page *page, int64_t dbtime, int64_t dbtime_before, bool *need)
{
    int64_t at = (int64_t)page_dbtime(page);
    *need = dbtime > at;
    if (!*need || dbtime_before == LR_DBTIME_NIL || at == dbtime_before)
        return JET_errSuccess;
    return at < dbtime_before ? JET_errDbTimeTooOld : JET_errDbTimeTooNew;
}

JET_ERR
btree_redo_fix(struct btree_db *db, uint32_t pgno, int64_t dbtime, int64_t dbtime_before,
               struct buf **buf)
{
    struct buf *b;
    bool need;
    JET_ERR err = cache_fix(db->file, pgno, LATCH_WRITE, &b);
    if (err < 0)
        return err;
    err = rule(b->page, dbtime, dbtime_before, &need);
    if (err < 0 || !need)
        cache_unfix(g_steal_pointer(&b));
    if (err >= 0)
        *buf = b;
    return err;
}

JET_ERR
btree_redo_fix_new(struct btree_db *db, uint32_t pgno, int64_t dbtime, struct buf **buf)
{
    if (pgno > dbfile_pgno_last(db->file)) {
        JET_ERR err = dbfile_extend(db->file, pgno);
        if (err < 0)
            return err;
    }
    struct buf *b;
    JET_ERR err = cache_fix(db->file, pgno, LATCH_READ, &b);
    if (err >= 0) {
        bool newer = (int64_t)page_dbtime(b->page) >= dbtime;
        cache_unfix(b);
        if (newer) {
            *buf = NULL;
            return JET_errSuccess;
        }
    } else if (err != JET_errPageNotInitialized && err != JET_errReadVerifyFailure &&
               err != JET_errReadPgnoVerifyFailure && err != JET_errDatabaseCorrupted) {
        return err; /* a page that cannot be read is made anew: nobody needs what it held */
    }
    return cache_fix_new(db->file, pgno, buf);
}

void
btree_redo_touch(struct buf *buf, struct session *s, int64_t dbtime, struct lgpos at)
{
    struct lgpos begin0 = session_level(s) > 0 ? session_begin0_lgpos(s) : at;
    page_set_dbtime(buf->page, (uint64_t)dbtime);
    buf_dirty(buf, at, lgpos_is_zero(begin0) ? at : begin0);
}

/* ---- versions ---- */

static JET_ERR
tree_of(struct btree_db *db, const struct lr *lr, struct btree **t)
{
    return btree_open_known(db, lr->node.pgno_fdp, lr->node.objid_fdp,
                            (lr->page.flags & LR_PAGE_UNIQUE) != 0, t);
}

JET_ERR
btree_redo_insert_key(const struct lr *lr, uint8_t tmp[NODE_KEY_MAX], struct span *key)
{
    size_t n = lr->insert.prefix.len;
    if (n + lr->insert.suffix.len > NODE_KEY_MAX)
        return JET_errLogFileCorrupt;
    if (n > 0)
        memcpy(tmp, lr->insert.prefix.data, n);
    if (lr->insert.suffix.len > 0)
        memcpy(tmp + n, lr->insert.suffix.data, lr->insert.suffix.len);
    *key = span_of(tmp, n + lr->insert.suffix.len);
    return JET_errSuccess;
}

/* The record's own bookmark, for types that carry one. */
static JET_ERR
record_bookmark(const struct btree *t, const struct lr *lr, uint8_t *tmp, struct bookmark *bm)
{
    struct span key;
    JET_ERR err;
    switch (lr->type) {
    case LR_INSERT:
        err = btree_redo_insert_key(lr, tmp, &key);
        *bm = btree_bookmark(t, key, lr->insert.data);
        return err;
    case LR_FLAG_INSERT:
    case LR_FIARD:
        *bm = btree_bookmark(t, lr->flag_insert.key, lr->flag_insert.data);
        return JET_errSuccess;
    case LR_DELTA:
        *bm = btree_bookmark(t, lr->delta.key, lr->delta.bm_data);
        return JET_errSuccess;
    case LR_UNDO_INFO:
        *bm = btree_bookmark(t, lr->undo_info.key, lr->undo_info.bm_data);
        return JET_errSuccess;
    case LR_UNDO:
        *bm = btree_bookmark(t, lr->undo.key, lr->undo.bm_data);
        return JET_errSuccess;
    default:
        return JET_errInternalError;
    }
}

static JET_ERR
add_version(struct btree *t, struct session *s, uint32_t rceid, enum rce_oper oper,
            const struct bookmark *bm, struct span before, const struct lr *lr)
{
    struct rce *r;
    if (rceid == 0 || version_find_rceid(&t->versions, bm->key, bm->data, rceid))
        return JET_errSuccess;
    JET_ERR err = rce_new_redo(s, rceid, oper, bm->key, bm->data, before, &r);
    if (err < 0)
        return err;
    if (oper == RCE_DELTA) {
        r->delta = (int32_t)lr->delta.delta;
        r->delta_offset = lr->delta.offset;
    }
    r->pgno_hint = lr->page.pgno;
    version_add(&t->versions, s, r);
    return JET_errSuccess;
}

/* Versions whose before-image is on the page, which still has it. */
static JET_ERR
versions_from_page(struct btree *t, struct session *s, const struct lr *lr, const struct page *page,
                   uint16_t line)
{
    uint8_t tmp[NODE_KEY_MAX];
    struct node n;
    if (page_node(page, line, &n) < 0)
        return JET_errLogFileCorrupt;
    struct bookmark bm = btree_node_bookmark(t, &n, tmp);
    switch (lr->type) {
    case LR_FIARD:
        return add_version(t, s, lr->flag_insert.rceid_replace, RCE_REPLACE, &bm, n.data, lr);
    case LR_FLAG_DELETE:
        return add_version(t, s, lr->node.rceid, RCE_FLAG_DELETE, &bm, span_of(NULL, 0), lr);
    default:
        return add_version(t, s, lr->node.rceid, RCE_REPLACE, &bm, n.data, lr);
    }
}

static JET_ERR
make_versions(struct btree *t, struct session *s, const struct lr *lr, const struct page *page,
              uint16_t line)
{
    uint8_t tmp[NODE_KEY_MAX];
    struct bookmark bm;
    JET_ERR err = JET_errSuccess;
    if (lr->type == LR_INSERT || lr->type == LR_FLAG_INSERT || lr->type == LR_FIARD ||
        lr->type == LR_DELTA) {
        err = record_bookmark(t, lr, tmp, &bm);
        if (err >= 0)
            err = add_version(t, s, lr->node.rceid, lr->type == LR_DELTA ? RCE_DELTA : RCE_INSERT,
                              &bm, span_of(NULL, 0), lr);
    }
    if (err < 0 || !page || lr->type == LR_INSERT || lr->type == LR_FLAG_INSERT ||
        lr->type == LR_DELTA)
        return err;
    return versions_from_page(t, s, lr, page, line);
}

static bool
makes_versions(const struct lr *lr)
{
    switch (lr->type) {
    case LR_INSERT:
    case LR_FLAG_INSERT:
    case LR_FIARD:
    case LR_FLAG_DELETE:
    case LR_REPLACE:
    case LR_REPLACE_D:
    case LR_DELTA:
        return (lr->page.flags & LR_PAGE_VERSIONED) && lr->node.rceid != 0;
    default:
        return false;
    }
}

/* ---- the page ---- */

static JET_ERR
apply_diff(struct page *page, uint16_t line, const struct lr *lr, bool versioned)
{
    struct node n;
    if (page_node(page, line, &n) < 0)
        return JET_errLogFileCorrupt;
    g_autofree uint8_t *data = g_try_malloc(page->size);
    if (!data)
        return JET_errOutOfMemory;
    size_t len;
    JET_ERR err = lr_apply_diff(lr, n.data, data, page->size, &len);
    return err < 0 ? err : apply_replace(page, line, span_of(data, len), versioned);
}

static JET_ERR
apply(struct page *page, uint16_t line, const struct lr *lr)
{
    uint8_t tmp[NODE_KEY_MAX];
    struct span key;
    bool versioned = (lr->page.flags & LR_PAGE_VERSIONED) != 0;
    JET_ERR err;
    switch (lr->type) {
    case LR_INSERT:
        err = btree_redo_insert_key(lr, tmp, &key);
        return err < 0 ? err
                       : apply_insert(page, line, key, (uint16_t)lr->insert.prefix.len,
                                      lr->insert.data, versioned);
    case LR_FLAG_INSERT:
        return apply_flag_insert(page, line, versioned);
    case LR_FIARD:
        return apply_flag_insert_replace(page, line, lr->flag_insert.data, versioned);
    case LR_FLAG_DELETE:
        return apply_flag_delete(page, line, versioned);
    case LR_REPLACE:
        return apply_replace(page, line, lr->replace.data, versioned);
    case LR_REPLACE_D:
        return apply_diff(page, line, lr, versioned);
    case LR_DELETE:
        return apply_delete(page, line);
    case LR_DELTA:
        return apply_delta(page, line, lr->delta.offset, (int32_t)lr->delta.delta, versioned);
    case LR_SET_EXT_HEADER:
        return apply_external_header(page, lr->ext_header.data);
    default:
        return JET_errInvalidLoggedOperation;
    }
}

JET_ERR
btree_redo_change(struct btree_db *db, struct session *s, const struct lr *lr, struct page *page,
                  uint16_t line)
{
    JET_ERR err = JET_errSuccess;
    if (makes_versions(lr) && session_level(s) > 0) {
        struct btree *t;
        err = tree_of(db, lr, &t);
        if (err < 0)
            return err;
        err = make_versions(t, s, lr, page, line);
        btree_close(t);
    }
    if (err < 0 || !page)
        return err;
    return apply(page, line, lr);
}

/* ---- undo records ---- */

static JET_ERR
redo_undo_info(struct btree_db *db, struct session *s, const struct lr *lr)
{
    if (session_level(s) == 0)
        return JET_errSuccess;
    struct btree *t;
    struct bookmark bm;
    JET_ERR err = tree_of(db, lr, &t);
    if (err < 0)
        return err;
    record_bookmark(t, lr, NULL, &bm);
    if (lr->undo_info.oper != RCE_REPLACE && lr->undo_info.oper != RCE_FLAG_DELETE)
        err = JET_errLogFileCorrupt;
    else
        err = add_version(t, s, lr->node.rceid, (enum rce_oper)lr->undo_info.oper, &bm,
                          lr->undo_info.data, lr);
    btree_close(t);
    return err;
}

/* Undo when its version is not known: only what needs no before-image. */
static JET_ERR
undo_blind(struct page *page, uint16_t line, const struct lr *lr)
{
    if (lr->undo.oper == RCE_INSERT || lr->undo.oper == RCE_FLAG_DELETE)
        return apply_set_deleted(page, line, lr->undo.oper == RCE_INSERT);
    return JET_errLogFileCorrupt;
}

/* The inverse on the page if it needs it; the version goes in any case. */
static JET_ERR
redo_undo(struct btree_db *db, const struct lr *lr, struct page *page)
{
    struct btree *t;
    struct bookmark bm;
    JET_ERR err = tree_of(db, lr, &t);
    if (err < 0)
        return err;
    record_bookmark(t, lr, NULL, &bm);
    struct rce *r = version_find_rceid(&t->versions, bm.key, bm.data, lr->node.rceid);
    if (page)
        err = r ? btree_undo_apply(page, lr->page.iline, r) : undo_blind(page, lr->page.iline, lr);
    if (r) {
        version_remove(r);
        r->map = NULL; /* rollback finds nothing left to undo */
    }
    if (err >= 0 && lr->undo.oper == RCE_INSERT)
        version_queue_purge(db->txn, &t->versions, bm.key, bm.data, lr->page.pgno);
    btree_close(t);
    return err;
}

JET_ERR
btree_redo_node(struct btree_db *db, struct session *s, const struct lr *lr, struct lgpos at)
{
    if (lr->type == LR_UNDO_INFO)
        return redo_undo_info(db, s, lr);
    struct buf *buf;
    JET_ERR err = btree_redo_fix(db, lr->page.pgno, lr->page.dbtime, lr->page.dbtime_before, &buf);
    if (err < 0)
        return err;
    struct page *page = buf ? buf->page : NULL;
    if (lr->type == LR_UNDO)
        err = redo_undo(db, lr, page);
    else
        err = btree_redo_change(db, s, lr, page, lr->page.iline);
    if (buf)
        btree_redo_touch(buf, s, lr->page.dbtime, at);
    cache_unfix(buf);
    return err;
}

/* ---- EmptyTree ---- */

static JET_ERR
empty_one(struct btree_db *db, struct session *s, const struct lr *lr, uint32_t pgno, int64_t before,
          JET_ERR (*make_empty)(struct page *), struct lgpos at)
{
    struct buf *buf;
    JET_ERR err = btree_redo_fix(db, pgno, lr->page.dbtime, before, &buf);
    if (err < 0 || !buf)
        return err;
    err = make_empty(buf->page);
    btree_redo_touch(buf, s, lr->page.dbtime, at);
    cache_unfix(buf);
    return err;
}

JET_ERR
btree_redo_empty_tree(struct btree_db *db, struct session *s, const struct lr *lr, struct lgpos at)
{
    struct span pages = lr->empty_tree.pages;
    if (pages.len % LR_EMPTY_PAGE_BYTES != 0)
        return JET_errLogFileCorrupt;
    JET_ERR err = empty_one(db, s, lr, lr->page.pgno, lr->page.dbtime_before, apply_empty_root, at);
    for (size_t i = 0; i < pages.len / LR_EMPTY_PAGE_BYTES && err >= 0; i++) {
        struct lr_empty_page p = lr_empty_page_get(pages, i);
        err = empty_one(db, s, lr, p.pgno, p.dbtime_before, apply_empty_page, at);
    }
    return err;
}
