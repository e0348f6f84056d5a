/* SPDX-License-Identifier: MIT */
/*
 * fdp: making and dropping trees.
 */
#include "space/internal.h"

#include "log/stream.h"

/* ---- the pages of a new tree ---- */

static JET_ERR
build_space_tree(struct page *page, const struct fdp *fdp, uint32_t last, uint32_t count)
{
    static const uint8_t split_buffer[SPLIT_BUFFER_BYTES];
    uint8_t key[4], data[4];
    page_format(page, fdp->objid,
                PAGE_FLAG_ROOT | PAGE_FLAG_LEAF | PAGE_FLAG_SPACE_TREE | fdp->page_flags);
    if (!page_set_external_header(page, span_of(split_buffer, sizeof split_buffer)))
        return JET_errLogFileCorrupt;
    if (count == 0)
        return JET_errSuccess;
    le32_put(data, count);
    return page_insert(page, 0, 0, space_key(key, last), span_of(data, 4), 0)
               ? JET_errSuccess
               : JET_errLogFileCorrupt;
}

JET_ERR
space_build(struct page *root, struct page *oe, struct page *ae, const struct fdp *fdp)
{
    uint8_t header[SPACE_HEADER_BYTES];
    uint32_t last = fdp->pgno + fdp->cpg_primary - 1;
    JET_ERR err = JET_errSuccess;
    if (fdp->cpg_primary < 3)
        return JET_errLogFileCorrupt;
    if (root) {
        page_format(root, fdp->objid, PAGE_FLAG_ROOT | PAGE_FLAG_LEAF | fdp->page_flags);
        space_header_put(header, fdp);
        if (!page_set_external_header(root, span_of(header, sizeof header)))
            return JET_errLogFileCorrupt;
    }
    if (oe)
        err = build_space_tree(oe, fdp, last, fdp->cpg_primary);
    if (err >= 0 && ae)
        err = build_space_tree(ae, fdp, last, fdp->cpg_primary - 3);
    return err;
}

static JET_ERR
log_and_build(struct space *sp, struct session *s, const struct fdp *fdp, struct buf *bufs[3])
{
    struct dbfile *file = sp->db->file;
    struct log *log = dbfile_log(file);
    struct lr lr = {.type = LR_CREATE_ME};
    struct lr_parts parts;
    struct lgpos pos = session_begin0_lgpos(s);
    bool unique = !(fdp->page_flags & PAGE_FLAG_NON_UNIQUE);
    lr.page = (struct lr_page) {.procid = session_procid(s),
                                .dbid = dbfile_dbid(file),
                                .pgno = fdp->pgno,
                                .dbtime = (int64_t)dbfile_dbtime_next(file),
                                .dbtime_before = LR_DBTIME_NIL,
                                .trx = session_begin0(s),
                                .level = session_level(s),
                                .flags = unique ? LR_PAGE_UNIQUE : 0};
    lr.fdp.objid = fdp->objid;
    lr.fdp.pgno_oe = fdp->pgno_oe;
    lr.fdp.pgno_ae = fdp->pgno_oe + 1;
    lr.fdp.pgno_parent = fdp->parent;
    lr.fdp.cpg_primary = fdp->cpg_primary;
    lr.fdp.page_flags = fdp->page_flags;
    if (log) {
        lr_encode(&lr, &parts);
        JET_ERR err = log_append(log, parts.iov, parts.n, &pos);
        if (err < 0)
            return err;
    }
    JET_ERR err = space_build(bufs[0]->page, bufs[1]->page, bufs[2]->page, fdp);
    for (int i = 0; i < 3 && err >= 0; i++) {
        page_set_dbtime(bufs[i]->page, (uint64_t)lr.page.dbtime);
        buf_dirty(bufs[i], pos, session_begin0_lgpos(s));
    }
    return err;
}

/* Root, OE and AE are the extent's first pages. */
static JET_ERR
create_fdp(struct space *sp, struct session *s, const struct fdp *fdp)
{
    struct buf *bufs[3] = {NULL};
    JET_ERR err = JET_errSuccess;
    for (uint32_t i = 0; i < 3 && err >= 0; i++)
        err = cache_fix_new(sp->db->file, fdp->pgno + i, &bufs[i]);
    if (err >= 0)
        err = log_and_build(sp, s, fdp, bufs);
    for (int i = 0; i < 3; i++)
        cache_unfix(bufs[i]);
    return err;
}

JET_ERR
space_create_database_root(struct session *s, struct btree_db *db, uint32_t pgno_last)
{
    struct space *sp = space_of(db);
    struct fdp fdp = {.pgno = SPACE_FDP_SYSTEM,
                      .objid = 1,
                      .cpg_primary = pgno_last,
                      .flags = SPACE_MULTIPLE,
                      .pgno_oe = SPACE_FDP_SYSTEM + 1};
    JET_ERR err = session_log_begin(s);
    if (err < 0)
        return err;
    err = dbfile_extend(db->file, pgno_last);
    if (err < 0)
        return err;
    struct log *log = dbfile_log(db->file);
    struct lr lr = {.type = LR_EXTEND_DB,
                    .extend_db = {.dbid = dbfile_dbid(db->file), .pgno_last = pgno_last}};
    struct lr_parts parts;
    if (log) {
        lr_encode(&lr, &parts);
        err = log_append(log, parts.iov, parts.n, NULL);
    }
    g_mutex_lock(&sp->lock);
    if (err >= 0)
        err = create_fdp(sp, s, &fdp);
    g_mutex_unlock(&sp->lock);
    return err;
}

/* ---- giving a whole tree back ---- */

struct tree_action {
    struct txn_action action;
    struct btree_db *db;
    struct btree *t;
};

static bool
collect(void *ctx, struct span key, struct span data)
{
    struct extent e;
    if (data.len == 4 && space_extent(key, le32_get(data.data), &e))
        g_array_append_val((GArray *)ctx, e);
    return true;
}

/* All the tree owns, from its OE. */
static JET_ERR
owned_extents(struct space *sp, const struct fdp *fdp, GArray *extents)
{
    struct btree *oe;
    if (!(fdp->flags & SPACE_MULTIPLE)) {
        struct extent e = {fdp->pgno, fdp->cpg_primary};
        g_array_append_val(extents, e);
        return JET_errSuccess;
    }
    JET_ERR err =
        btree_raw_open(sp->db, fdp->pgno_oe, fdp->pgno, fdp->objid, space_unique(fdp), NULL, &oe);
    if (err < 0)
        return err;
    err = btree_raw_each(oe, collect, extents);
    btree_raw_close(oe);
    return err;
}

static JET_ERR
give_tree(struct space *sp, struct session *s, struct btree *t)
{
    struct fdp fdp = {0}, parent = {0};
    g_autoptr(GArray) extents = g_array_new(FALSE, FALSE, sizeof(struct extent));
    JET_ERR err = session_log_begin(s);
    g_mutex_lock(&sp->lock);
    if (err >= 0)
        err = space_read_fdp(sp, t->pgno_fdp, &fdp);
    if (err >= 0)
        err = space_read_fdp(sp, fdp.parent, &parent);
    if (err >= 0)
        err = owned_extents(sp, &fdp, extents);
    for (guint i = 0; i < extents->len && err >= 0; i++)
        err = space_give(sp, s, &parent, g_array_index(extents, struct extent, i));
    g_hash_table_remove(sp->growth, GUINT_TO_POINTER(t->pgno_fdp));
    g_mutex_unlock(&sp->lock);
    return err;
}

static bool
inside_any(const GArray *extents, uint32_t pgno)
{
    for (guint i = 0; i < extents->len; i++) {
        const struct extent *e = &g_array_index(extents, struct extent, i);
        if (pgno >= e->first && pgno - e->first < e->count)
            return true;
    }
    return false;
}

/* Trees whose root lies in the tree's space go with it. */
static JET_ERR
mark_gone(struct space *sp, struct btree *t)
{
    struct fdp fdp;
    g_autoptr(GArray) extents = g_array_new(FALSE, FALSE, sizeof(struct extent));
    g_autoptr(GArray) roots = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    GHashTableIter it;
    gpointer key;
    g_mutex_lock(&sp->lock);
    JET_ERR err = space_read_fdp(sp, t->pgno_fdp, &fdp);
    if (err >= 0)
        err = owned_extents(sp, &fdp, extents);
    g_mutex_unlock(&sp->lock);
    if (err < 0)
        return err;
    g_mutex_lock(&sp->db->lock);
    g_hash_table_iter_init(&it, sp->db->trees);
    while (g_hash_table_iter_next(&it, &key, NULL)) {
        uint32_t pgno = GPOINTER_TO_UINT(key);
        if (inside_any(extents, pgno))
            g_array_append_val(roots, pgno);
    }
    g_mutex_unlock(&sp->db->lock);
    for (guint i = 0; i < roots->len; i++)
        btree_set_gone(sp->db, g_array_index(roots, uint32_t, i));
    return JET_errSuccess;
}

/* Once: a tree whose parent was dropped before it has gone with it. */
static JET_ERR
drop_tree(struct txn_action *a, struct session *s)
{
    struct tree_action *ta = (struct tree_action *)a;
    struct space *sp = space_of(ta->db);
    g_rw_lock_reader_lock(&ta->t->latch);
    bool gone = ta->t->gone;
    g_rw_lock_reader_unlock(&ta->t->latch);
    if (gone)
        return JET_errSuccess;
    JET_ERR err = mark_gone(sp, ta->t);
    return err < 0 ? err : give_tree(sp, s, ta->t);
}

static void
tree_action_free(struct txn_action *a)
{
    struct tree_action *ta = (struct tree_action *)a;
    btree_close(ta->t);
    g_free(ta);
}

static JET_ERR
tree_action_new(struct btree_db *db, struct btree *t, struct tree_action **out)
{
    struct tree_action *ta = g_try_new0(struct tree_action, 1);
    if (!ta)
        return JET_errOutOfMemory;
    ta->db = db;
    ta->t = t;
    ta->action.owner = db;
    ta->action.free = tree_action_free;
    *out = ta;
    return JET_errSuccess;
}

/* ---- create, delete ---- */

JET_ERR
space_create_tree(struct session *s, struct btree_db *db, const struct space_tree_spec *spec,
                  uint32_t *pgno_fdp)
{
    struct space *sp = space_of(db);
    uint32_t pages = MAX(spec->pages, 3);
    struct fdp parent;
    struct extent e = {0};
    JET_ERR err = session_log_begin(s);
    if (err < 0)
        return err;
    g_mutex_lock(&sp->lock);
    err = space_read_fdp(sp, spec->pgno_parent, &parent);
    if (err >= 0)
        err = space_take(sp, s, &parent, 0, pages, pages, &e);
    if (err >= 0) {
        bool unique = !(spec->page_flags & PAGE_FLAG_NON_UNIQUE);
        struct fdp fdp = {.pgno = e.first,
                          .objid = spec->objid,
                          .cpg_primary = e.count,
                          .parent = spec->pgno_parent,
                          .flags = SPACE_MULTIPLE | (unique ? 0 : SPACE_NON_UNIQUE),
                          .pgno_oe = e.first + 1,
                          .page_flags = spec->page_flags};
        err = create_fdp(sp, s, &fdp);
        if (err < 0)
            (void)space_give(sp, s, &parent, e);
    }
    g_mutex_unlock(&sp->lock);
    if (err < 0)
        return err;
    struct btree *t;
    struct tree_action *ta;
    err =
        btree_open_known(db, e.first, spec->objid, !(spec->page_flags & PAGE_FLAG_NON_UNIQUE), &t);
    if (err < 0)
        return err;
    err = tree_action_new(db, t, &ta);
    if (err < 0) {
        btree_close(t);
        return err;
    }
    ta->action.on_rollback = drop_tree;
    session_add_action(s, &ta->action);
    *pgno_fdp = e.first;
    return JET_errSuccess;
}

JET_ERR
space_delete_tree(struct session *s, struct btree_db *db, uint32_t pgno_fdp)
{
    struct btree *t;
    struct tree_action *ta;
    JET_ERR err = session_log_begin(s);
    if (err >= 0)
        err = btree_open(db, pgno_fdp, &t);
    if (err < 0)
        return err;
    err = tree_action_new(db, t, &ta);
    if (err < 0) {
        btree_close(t);
        return err;
    }
    ta->action.on_cleanup = drop_tree;
    session_add_action(s, &ta->action);
    return JET_errSuccess;
}
