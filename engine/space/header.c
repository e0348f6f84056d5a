/* SPDX-License-Identifier: MIT */
/*
 * header: opening a database for trees, the space header of a root, extents as entries.
 */
#include "space/internal.h"

static JET_ERR
get_pages(void *ctx, struct session *s, struct btree *t, uint32_t near, uint32_t n, uint32_t *pgnos)
{
    struct space *sp = ctx;
    struct fdp fdp;
    struct extent e;
    JET_ERR err = session_log_begin(s);
    g_mutex_lock(&sp->lock);
    if (err >= 0)
        err = space_read_fdp(sp, t->pgno_fdp, &fdp);
    uint32_t got = 0;
    while (err >= 0 && got < n) {
        err = space_take(sp, s, &fdp, near, 1, 1, &e);
        if (err >= 0)
            pgnos[got++] = e.first;
        if (err >= 0)
            err = space_read_fdp(sp, t->pgno_fdp, &fdp); /* may have turned multiple */
    }
    while (err < 0 && got > 0)
        (void)space_give(sp, s, &fdp, (struct extent) {pgnos[--got], 1});
    g_mutex_unlock(&sp->lock);
    return err;
}

static JET_ERR
free_page(void *ctx, struct session *s, struct btree *t, uint32_t pgno)
{
    struct space *sp = ctx;
    struct fdp fdp;
    JET_ERR err = session_log_begin(s);
    g_mutex_lock(&sp->lock);
    if (err >= 0)
        err = space_read_fdp(sp, t->pgno_fdp, &fdp);
    if (err >= 0)
        err = space_give(sp, s, &fdp, (struct extent) {pgno, 1});
    g_mutex_unlock(&sp->lock);
    return err;
}

JET_ERR
space_attach(struct dbfile *file, struct txn *txn, uint32_t extend_pages, struct btree_db **out)
{
    struct btree_db *db;
    JET_ERR err = btree_db_new(file, txn, &db);
    if (err < 0)
        return err;
    struct space *sp = g_try_new0(struct space, 1);
    if (!sp) {
        btree_db_free(db);
        return JET_errOutOfMemory;
    }
    sp->db = db;
    sp->extend_pages = extend_pages ? extend_pages : 256;
    sp->growth = g_hash_table_new(NULL, NULL);
    g_mutex_init(&sp->lock);
    struct btree_space_ops ops = {get_pages, free_page, sp};
    btree_db_set_space(db, &ops);
    *out = db;
    return JET_errSuccess;
}

void
space_detach(struct btree_db *db)
{
    if (!db)
        return;
    struct space *sp = space_of(db);
    btree_db_free(db);
    g_hash_table_destroy(sp->growth);
    g_mutex_clear(&sp->lock);
    g_free(sp);
}

struct space *
space_of(const struct btree_db *db)
{
    return db->space.ctx;
}

/* Later formats put a byte of presence bits before the header, and more fields behind it. */
JET_ERR
space_read_fdp(struct space *sp, uint32_t pgno, struct fdp *fdp)
{
    struct buf *root;
    JET_ERR err = cache_fix(sp->db->file, pgno, LATCH_READ, &root);
    if (err < 0)
        return err;
    struct span h = page_external_header(root->page);
    uint32_t page_flags_now = page_flags(root->page);
    if (h.len > SPACE_HEADER_BYTES && (h.data[0] & 1)) {
        h.data++;
        h.len--;
    }
    if (!(page_flags_now & PAGE_FLAG_ROOT) || h.len < SPACE_HEADER_BYTES) {
        cache_unfix(root);
        return JET_errDatabaseCorrupted;
    }
    *fdp = (struct fdp) {.pgno = pgno,
                         .objid = page_objid(root->page),
                         .cpg_primary = le32_get(h.data),
                         .parent = le32_get(h.data + 4),
                         .flags = le32_get(h.data + 8),
                         .page_flags = page_flags_now & (PAGE_FLAG_INDEX | PAGE_FLAG_LONG_VALUE |
                                                         PAGE_FLAG_NON_UNIQUE)};
    *(fdp->flags & SPACE_MULTIPLE ? &fdp->pgno_oe : &fdp->bitmap) = le32_get(h.data + 12);
    cache_unfix(root);
    return JET_errSuccess;
}

void
space_header_put(uint8_t out[SPACE_HEADER_BYTES], const struct fdp *fdp)
{
    le32_put(out, fdp->cpg_primary);
    le32_put(out + 4, fdp->parent);
    le32_put(out + 8, fdp->flags);
    le32_put(out + 12, fdp->flags & SPACE_MULTIPLE ? fdp->pgno_oe : fdp->bitmap);
}

struct span
space_key(uint8_t out[4], uint32_t pgno_last)
{
    be32_put(out, pgno_last);
    return span_of(out, 4);
}

/* Pools (5-byte keys) are of newer formats; what lies in them is not ours to give out. */
bool
space_extent(struct span key, uint32_t count, struct extent *e)
{
    if (key.len != 4 || count == 0)
        return false;
    uint32_t last = be32_get(key.data);
    if (count > last)
        return false;
    *e = (struct extent) {last - count + 1, count};
    return true;
}
