/* SPDX-License-Identifier: MIT */
/*
 * macro: the records of a split or merge wait for their MacroCommit (log format, 3.7).
 *
 * A macro belongs to a session and a dbtime; the records that carry both are kept as copies and
 * redone together. One that is aborted, or whose commit never comes, leaves no trace.
 */
#include "recovery/internal.h"

#include "btree/redo.h"

struct macro {
    uint16_t procid;
    int64_t dbtime;
    GPtrArray *records; /* GBytes */
};

void
macro_free(gpointer macro)
{
    struct macro *m = macro;
    g_ptr_array_unref(m->records);
    g_free(m);
}

static struct macro *
find(struct recovery *r, uint16_t procid)
{
    return g_hash_table_lookup(r->macros, GUINT_TO_POINTER((guint)procid));
}

JET_ERR
macro_begin(struct recovery *r, uint16_t procid, int64_t dbtime)
{
    if (find(r, procid))
        return JET_errLogFileCorrupt;
    struct macro *m = g_new0(struct macro, 1);
    m->procid = procid;
    m->dbtime = dbtime;
    m->records = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    g_hash_table_insert(r->macros, GUINT_TO_POINTER((guint)procid), m);
    return JET_errSuccess;
}

bool
macro_collect(struct recovery *r, const struct lr *lr, struct span rec)
{
    struct macro *m = find(r, lr->page.procid);
    if (!m || m->dbtime != lr->page.dbtime)
        return false;
    g_ptr_array_add(m->records, g_bytes_new(rec.data, rec.len));
    return true;
}

static JET_ERR
redo(struct recovery *r, const struct macro *m)
{
    guint n = m->records->len;
    if (n == 0)
        return JET_errSuccess;
    g_autofree struct lr *lrs = g_try_new(struct lr, n);
    if (!lrs)
        return JET_errOutOfMemory;
    for (guint i = 0; i < n; i++) {
        gsize len;
        const void *data = g_bytes_get_data(g_ptr_array_index(m->records, i), &len);
        JET_ERR err = lr_decode(data, len, &lrs[i], NULL);
        if (err < 0)
            return err;
        if (lrs[i].page.dbid != lrs[0].page.dbid)
            return JET_errLogFileCorrupt;
    }
    struct rdb *d = dbs_get(r, lrs[0].page.dbid);
    if (!d || d->state != RDB_ATTACHED)
        return JET_errSuccess; /* detached meanwhile: cannot be, but harms nothing */
    return btree_redo_macro(d->db, redo_session(r, m->procid), lrs, n, r->at);
}

JET_ERR
macro_commit(struct recovery *r, uint16_t procid, int64_t dbtime)
{
    struct macro *m = find(r, procid);
    if (!m || m->dbtime != dbtime)
        return JET_errLogFileCorrupt;
    JET_ERR err = redo(r, m);
    g_hash_table_remove(r->macros, GUINT_TO_POINTER((guint)procid));
    return err;
}

void
macro_abort(struct recovery *r, uint16_t procid)
{
    g_hash_table_remove(r->macros, GUINT_TO_POINTER((guint)procid));
}

JET_ERR
macro_abort_all(struct recovery *r)
{
    GHashTableIter it;
    gpointer value;
    g_hash_table_iter_init(&it, r->macros);
    while (g_hash_table_iter_next(&it, NULL, &value)) {
        const struct macro *m = value;
        struct lr lr = {.type = LR_MACRO_ABORT, .macro = {m->procid, m->dbtime}};
        struct lgpos pos;
        JET_ERR err = undo_append(r, &lr, false, &pos);
        if (err < 0)
            return err;
        g_hash_table_iter_remove(&it);
    }
    return JET_errSuccess;
}
