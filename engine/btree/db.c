/* SPDX-License-Identifier: MIT */
/*
 * db: the trees of one database. A struct btree, once made, stays until btree_db_free(): versions
 * point at it, and a schema has few trees.
 */
#include "btree/internal.h"

JET_ERR
btree_db_new(struct dbfile *file, struct txn *txn, struct btree_db **out)
{
    struct btree_db *db = g_try_new0(struct btree_db, 1);
    if (!db)
        return JET_errOutOfMemory;
    db->file = file;
    db->txn = txn;
    db->trees = g_hash_table_new(NULL, NULL);
    db->gone = g_ptr_array_new();
    g_mutex_init(&db->lock);
    *out = db;
    return JET_errSuccess;
}

static void
tree_free(struct btree *t)
{
    version_map_clear(t->db->txn, &t->versions);
    g_rw_lock_clear(&t->latch);
    g_free(t);
}

void
btree_db_free(struct btree_db *db)
{
    if (!db)
        return;
    txn_forget(db->txn, db);
    GHashTableIter it;
    gpointer t;
    g_hash_table_iter_init(&it, db->trees);
    while (g_hash_table_iter_next(&it, NULL, &t))
        tree_free(t);
    for (guint i = 0; i < db->gone->len; i++)
        tree_free(g_ptr_array_index(db->gone, i));
    g_hash_table_destroy(db->trees);
    g_ptr_array_free(db->gone, TRUE);
    g_mutex_clear(&db->lock);
    g_free(db);
}

void
btree_db_set_space(struct btree_db *db, const struct btree_space_ops *ops)
{
    db->space = *ops;
}

struct dbfile *
btree_db_file(const struct btree_db *db)
{
    return db->file;
}

struct txn *
btree_db_txn(const struct btree_db *db)
{
    return db->txn;
}

struct txn_ops
btree_txn_ops(void)
{
    return (struct txn_ops) {.undo = btree_undo, .cleanup = btree_cleanup};
}

static struct btree *
lookup_locked(struct btree_db *db, uint32_t pgno_fdp)
{
    struct btree *t = g_hash_table_lookup(db->trees, GUINT_TO_POINTER(pgno_fdp));
    if (t)
        t->refs++;
    return t;
}

static struct btree *
lookup(struct btree_db *db, uint32_t pgno_fdp)
{
    g_mutex_lock(&db->lock);
    struct btree *t = lookup_locked(db, pgno_fdp);
    g_mutex_unlock(&db->lock);
    return t;
}

JET_ERR
btree_open_known(struct btree_db *db, uint32_t pgno_fdp, uint32_t objid, bool unique,
                 struct btree **out)
{
    g_mutex_lock(&db->lock);
    struct btree *t = lookup_locked(db, pgno_fdp);
    if (t && t->objid != objid) { /* redo: another tree was here before */
        t->refs--;
        g_hash_table_remove(db->trees, GUINT_TO_POINTER(pgno_fdp));
        g_ptr_array_add(db->gone, t);
        t = NULL;
    }
    if (!t) {
        t = g_try_new0(struct btree, 1);
        if (!t) {
            g_mutex_unlock(&db->lock);
            return JET_errOutOfMemory;
        }
        t->db = db;
        t->pgno_root = t->pgno_fdp = pgno_fdp;
        t->objid = objid;
        t->unique = t->fdp_unique = unique;
        t->refs = 1;
        g_rw_lock_init(&t->latch);
        version_map_init(&t->versions, unique);
        g_hash_table_insert(db->trees, GUINT_TO_POINTER(pgno_fdp), t);
    }
    g_mutex_unlock(&db->lock);
    *out = t;
    return JET_errSuccess;
}

JET_ERR
btree_open(struct btree_db *db, uint32_t pgno_fdp, struct btree **out)
{
    struct btree *t = lookup(db, pgno_fdp);
    if (t) {
        *out = t;
        return JET_errSuccess;
    }
    struct buf *root;
    JET_ERR err = cache_fix(db->file, pgno_fdp, LATCH_READ, &root);
    if (err < 0)
        return err;
    uint32_t flags = page_flags(root->page), objid = page_objid(root->page);
    cache_unfix(root);
    if (!(flags & PAGE_FLAG_ROOT) || (flags & (PAGE_FLAG_SPACE_TREE | PAGE_FLAG_EMPTY)))
        return JET_errDatabaseCorrupted;
    return btree_open_known(db, pgno_fdp, objid, !(flags & PAGE_FLAG_NON_UNIQUE), out);
}

void
btree_close(struct btree *t)
{
    if (!t)
        return;
    g_mutex_lock(&t->db->lock);
    g_assert(t->refs > 0);
    t->refs--;
    g_mutex_unlock(&t->db->lock);
}

void
btree_ref(struct btree *t)
{
    g_mutex_lock(&t->db->lock);
    t->refs++;
    g_mutex_unlock(&t->db->lock);
}

void
btree_set_gone(struct btree_db *db, uint32_t pgno_fdp)
{
    g_mutex_lock(&db->lock);
    struct btree *t = g_hash_table_lookup(db->trees, GUINT_TO_POINTER(pgno_fdp));
    if (t) {
        g_hash_table_remove(db->trees, GUINT_TO_POINTER(pgno_fdp));
        g_ptr_array_add(db->gone, t);
    }
    g_mutex_unlock(&db->lock);
    if (!t)
        return;
    g_rw_lock_writer_lock(&t->latch);
    t->gone = true;
    g_rw_lock_writer_unlock(&t->latch);
}

uint32_t
btree_pgno_fdp(const struct btree *t)
{
    return t->pgno_fdp;
}

uint32_t
btree_objid(const struct btree *t)
{
    return t->objid;
}

bool
btree_is_unique(const struct btree *t)
{
    return t->unique;
}

struct btree_db *
btree_of_db(const struct btree *t)
{
    return t->db;
}

/* A node must fit an empty page; internal nodes with its key too. */
uint32_t
btree_entry_max(const struct btree_db *db)
{
    return page_data_bytes(dbfile_page_bytes(db->file)) - 4 - page_node_bytes(0, 0, 0);
}
