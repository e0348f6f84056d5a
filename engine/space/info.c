/* SPDX-License-Identifier: MIT */
/*
 * info: what a tree owns, has left, and whether it adds up.
 */
#include "space/internal.h"

struct sum {
    GArray *extents;
    bool bad;
};

static bool
add(void *ctx, struct span key, struct span data)
{
    struct sum *sum = ctx;
    struct extent e;
    if (key.len == 5) { /* pools: owned or available all the same */
        key.data++;
        key.len--;
    }
    if (data.len == 4 && space_extent(key, le32_get(data.data), &e))
        g_array_append_val(sum->extents, e);
    else
        sum->bad = true;
    return true;
}

static JET_ERR
read_extents(struct space *sp, const struct fdp *fdp, uint32_t root, GArray *extents)
{
    struct sum sum = {extents, false};
    struct btree *t;
    JET_ERR err = btree_raw_open(sp->db, root, fdp->pgno, fdp->objid, space_unique(fdp), NULL, &t);
    if (err < 0)
        return err;
    err = btree_raw_each(t, add, &sum);
    btree_raw_close(t);
    return err >= 0 && sum.bad ? JET_errDatabaseCorrupted : err;
}

static void
single_extents(const struct fdp *fdp, GArray *owned, GArray *available)
{
    struct extent all = {fdp->pgno, fdp->cpg_primary};
    g_array_append_val(owned, all);
    for (uint32_t i = 0; i + 1 < fdp->cpg_primary; i++) {
        struct extent e = {fdp->pgno + 1 + i, 1};
        if (i >= 32 || (fdp->bitmap >> i & 1))
            g_array_append_val(available, e);
    }
}

static JET_ERR
both_locked(struct space *sp, uint32_t pgno_fdp, struct fdp *fdp, GArray *owned, GArray *available)
{
    JET_ERR err = space_read_fdp(sp, pgno_fdp, fdp);
    if (err < 0)
        return err;
    if (!(fdp->flags & SPACE_MULTIPLE)) {
        single_extents(fdp, owned, available);
        return JET_errSuccess;
    }
    err = read_extents(sp, fdp, fdp->pgno_oe, owned);
    return err < 0 ? err : read_extents(sp, fdp, fdp->pgno_oe + 1, available);
}

static uint32_t
total(const GArray *extents)
{
    uint32_t n = 0;
    for (guint i = 0; i < extents->len; i++)
        n += g_array_index(extents, struct extent, i).count;
    return n;
}

JET_ERR
space_pgno_last(struct btree_db *db, uint32_t *pgno_last)
{
    struct space *sp = space_of(db);
    struct btree *t;
    struct fdp fdp;
    uint8_t key[8];
    size_t key_cb;
    uint32_t count;
    g_mutex_lock(&sp->lock);
    JET_ERR err = space_read_fdp(sp, SPACE_FDP_SYSTEM, &fdp);
    if (err >= 0)
        err = btree_raw_open(db, fdp.pgno_oe, fdp.pgno, fdp.objid, true, NULL, &t);
    if (err >= 0) {
        err = btree_raw_last(t, key, &key_cb, &count);
        btree_raw_close(t);
    }
    g_mutex_unlock(&sp->lock);
    if (err < 0)
        return err == JET_errRecordNotFound ? JET_errDatabaseCorrupted : err;
    if (key_cb < 4)
        return JET_errDatabaseCorrupted;
    *pgno_last = be32_get(key + key_cb - 4);
    return JET_errSuccess;
}

JET_ERR
space_info(struct btree_db *db, uint32_t pgno_fdp, uint32_t *owned, uint32_t *available)
{
    struct space *sp = space_of(db);
    struct fdp fdp;
    g_autoptr(GArray) oe = g_array_new(FALSE, FALSE, sizeof(struct extent));
    g_autoptr(GArray) ae = g_array_new(FALSE, FALSE, sizeof(struct extent));
    g_mutex_lock(&sp->lock);
    JET_ERR err = both_locked(sp, pgno_fdp, &fdp, oe, ae);
    g_mutex_unlock(&sp->lock);
    if (err < 0)
        return err;
    *owned = total(oe);
    *available = total(ae);
    return JET_errSuccess;
}

/* ---- check: each owned page gets exactly one use ---- */

struct audit {
    GHashTable *use; /* owned page -> 0 so far none, 1 once, 2 more */
    bool stray;      /* a page used that is not owned */
};

static void
use_page(void *ctx, uint32_t pgno)
{
    struct audit *a = ctx;
    gpointer n;
    if (!g_hash_table_lookup_extended(a->use, GUINT_TO_POINTER(pgno), NULL, &n))
        a->stray = true;
    else
        g_hash_table_insert(a->use, GUINT_TO_POINTER(pgno),
                            GUINT_TO_POINTER(GPOINTER_TO_UINT(n) + 1));
}

static void
use_extents(struct audit *a, const GArray *extents)
{
    for (guint i = 0; i < extents->len; i++) {
        const struct extent *e = &g_array_index(extents, struct extent, i);
        for (uint32_t p = 0; p < e->count; p++)
            use_page(a, e->first + p);
    }
}

static JET_ERR
use_space_trees(struct space *sp, const struct fdp *fdp, struct audit *a)
{
    JET_ERR err = JET_errSuccess;
    for (uint32_t i = 0; i < 2 && err >= 0 && (fdp->flags & SPACE_MULTIPLE); i++) {
        struct btree *t;
        err = btree_raw_open(sp->db, fdp->pgno_oe + i, fdp->pgno, fdp->objid, space_unique(fdp),
                             NULL, &t);
        if (err < 0)
            return err;
        err = btree_raw_check(t, use_page, a);
        btree_raw_close(t);
    }
    return err;
}

static JET_ERR
use_children(struct space *sp, const uint32_t *children, uint32_t n, struct audit *a)
{
    JET_ERR err = JET_errSuccess;
    for (uint32_t i = 0; i < n && err >= 0; i++) {
        struct fdp fdp;
        g_autoptr(GArray) oe = g_array_new(FALSE, FALSE, sizeof(struct extent));
        g_autoptr(GArray) ae = g_array_new(FALSE, FALSE, sizeof(struct extent));
        err = both_locked(sp, children[i], &fdp, oe, ae);
        use_extents(a, oe);
    }
    return err;
}

static JET_ERR
verdict(const struct audit *a, uint64_t *leaked)
{
    GHashTableIter it;
    gpointer n;
    uint64_t none = 0;
    bool twice = false;
    g_hash_table_iter_init(&it, a->use);
    while (g_hash_table_iter_next(&it, NULL, &n)) {
        none += GPOINTER_TO_UINT(n) == 0;
        twice |= GPOINTER_TO_UINT(n) > 1;
    }
    if (leaked)
        *leaked = none;
    return a->stray || twice ? JET_errDatabaseCorrupted : JET_errSuccess;
}

JET_ERR
space_check(struct btree_db *db, uint32_t pgno_fdp, const uint32_t *children, uint32_t n_children,
            uint64_t *leaked)
{
    struct space *sp = space_of(db);
    struct fdp fdp;
    struct btree *t;
    g_autoptr(GArray) oe = g_array_new(FALSE, FALSE, sizeof(struct extent));
    g_autoptr(GArray) ae = g_array_new(FALSE, FALSE, sizeof(struct extent));
    g_autoptr(GHashTable) use = g_hash_table_new(NULL, NULL);
    struct audit a = {use, false};
    JET_ERR err = btree_open(db, pgno_fdp, &t);
    if (err < 0)
        return err;
    g_mutex_lock(&sp->lock);
    err = both_locked(sp, pgno_fdp, &fdp, oe, ae);
    for (guint i = 0; i < oe->len; i++) {
        const struct extent *e = &g_array_index(oe, struct extent, i);
        for (uint32_t p = 0; p < e->count; p++)
            if (!g_hash_table_insert(use, GUINT_TO_POINTER(e->first + p), NULL))
                a.stray = true;
    }
    use_extents(&a, ae);
    if (err >= 0)
        err = use_space_trees(sp, &fdp, &a);
    if (err >= 0)
        err = use_children(sp, children, n_children, &a);
    g_mutex_unlock(&sp->lock);
    if (err >= 0)
        err = btree_check(t, use_page, &a, NULL, NULL);
    btree_close(t);
    return err < 0 ? err : verdict(&a, leaked);
}
