/* SPDX-License-Identifier: MIT */
#include "table/open.h"

#include "cache/dbfile.h"
#include "txn/session.h"

#define OPEN_GRBITS                                                                                \
    (JET_bitTableDenyWrite | JET_bitTableDenyRead | JET_bitTableReadOnly | JET_bitTableUpdatable | \
     JET_bitTablePermitDDL | JET_bitTableNoCache | JET_bitTablePreread |                           \
     JET_bitTableOpportuneRead | JET_bitTableSequential | JET_bitTableClassMask)

uint32_t
table_key_most(const struct schema *sc)
{
    return sc->primary ? sc->primary->key_most : 4;
}

void
table_drop_cursors(struct table *t)
{
    btree_cursor_close(t->cur);
    btree_cursor_close(t->work);
    t->cur = t->work = NULL;
    t->on = false;
    t->prep = PREP_NONE;
}

void
table_cancel(struct table *t)
{
    t->prep = PREP_NONE;
    t->range_active = false;
}

/* ---- open ---- */

/* Locks of JET_bitTableDeny...; sh->lock is held. */
static JET_ERR
lock_table(struct table *t)
{
    struct table_shared *sh = t->sh;
    bool deny = t->grbit & (JET_bitTableDenyRead | JET_bitTableDenyWrite);

    if (sh->dead)
        return JET_errObjectNotFound;
    if (sh->deny_read && sh->deny_read->s != t->s)
        return JET_errTableLocked;
    if (sh->deny_write && sh->deny_write->s != t->s && !(t->grbit & JET_bitTableReadOnly))
        return JET_errTableLocked;
    for (guint i = 0; deny && i < sh->open->len; i++)
        if (((struct table *)sh->open->pdata[i])->s != t->s)
            return JET_errTableInUse;
    return JET_errSuccess;
}

static JET_ERR
open_tree(struct table *t)
{
    struct table_shared *sh = t->sh;
    JET_ERR err = JET_errSuccess;

    if (!sh->tree)
        err = btree_open(t->tdb->trees, t->schema->pgno_fdp, &sh->tree);
    if (err >= 0)
        err = btree_cursor_open(t->s, sh->tree, &t->cur);
    return err;
}

static JET_ERR
enter(struct table *t)
{
    struct table_shared *sh = t->sh;

    g_mutex_lock(&sh->lock);
    JET_ERR err = lock_table(t);
    if (err >= 0)
        err = open_tree(t);
    if (err >= 0) {
        g_ptr_array_add(sh->open, t);
        if (t->grbit & JET_bitTableDenyRead)
            sh->deny_read = t;
        if (t->grbit & JET_bitTableDenyWrite)
            sh->deny_write = t;
        atomic_fetch_add(&t->tdb->open_count, 1);
    }
    g_mutex_unlock(&sh->lock);
    return err;
}

/* What the session's transaction sees, as a number; 0 outside, where each look may see something
 * new. */
static uint32_t
snapshot_of(const struct session *s)
{
    return session_level(s) ? session_begin0(s) : 0;
}

static JET_ERR
load(struct table *t)
{
    struct schema *sc;
    uint32_t version = atomic_load(&t->sh->version);
    bool settled = atomic_load(&t->sh->unsettled) == 0;

    JET_ERR err = catalog_load(t->s, t->tdb, t->sh->objid, &sc);
    if (err < 0)
        return err;
    schema_unref(t->schema);
    t->schema = sc;
    t->schema_version = version;
    t->schema_snapshot = snapshot_of(t->s);
    t->schema_settled = settled;
    return JET_errSuccess;
}

JET_ERR
table_open_objid(struct session *s, struct table_db *tdb, uint32_t objid, JET_GRBIT grbit,
                 struct table **out)
{
    struct table *t = g_new0(struct table, 1);

    t->s = s;
    t->tdb = tdb;
    t->sh = catalog_shared(tdb, objid);
    t->grbit = grbit;
    JET_ERR err = load(t);
    if (err >= 0)
        err = enter(t);
    if (err < 0) {
        btree_cursor_close(t->cur);
        schema_unref(t->schema);
        g_free(t);
        return err;
    }
    err = table_move(t, JET_MoveFirst, 0); /* a table opens on its first record, if it has one */
    if (err < 0 && err != JET_errNoCurrentRecord) {
        table_close(t);
        return err;
    }
    *out = t;
    return JET_errSuccess;
}

JET_ERR
table_open(struct session *s, struct table_db *tdb, const char *name, JET_GRBIT grbit,
           struct table **out)
{
    uint32_t objid;

    if (grbit & ~(JET_GRBIT)OPEN_GRBITS)
        return JET_errInvalidGrbit;
    if ((grbit & JET_bitTableReadOnly) && (grbit & JET_bitTableUpdatable))
        return JET_errInvalidGrbit;
    JET_ERR err = name_check(name);
    if (err < 0)
        return err;
    err = catalog_find(s, tdb, name, &objid);
    if (err < 0)
        return err;
    return table_open_objid(s, tdb, objid, grbit, out);
}

JET_ERR
table_dup(struct table *t, struct table **out)
{
    JET_GRBIT grbit = t->grbit & ~(JET_bitTableDenyRead | JET_bitTableDenyWrite);
    return table_open_objid(t->s, t->tdb, t->sh->objid, grbit, out);
}

void
table_close(struct table *t)
{
    if (!t)
        return;
    struct table_shared *sh = t->sh;

    g_mutex_lock(&sh->lock);
    g_ptr_array_remove_fast(sh->open, t);
    if (sh->deny_read == t)
        sh->deny_read = NULL;
    if (sh->deny_write == t)
        sh->deny_write = NULL;
    table_drop_cursors(t);
    if (sh->open->len == 0) {
        btree_close(sh->tree);
        sh->tree = NULL;
    }
    g_mutex_unlock(&sh->lock);
    atomic_fetch_sub(&t->tdb->open_count, 1);
    if (t->copy.data)
        recbuf_clear(&t->copy);
    schema_unref(t->schema);
    g_free(t->expanded);
    g_free(t);
}

/* ---- what all operations begin with ---- */

JET_ERR
table_refresh(struct table *t)
{
    uint32_t snapshot = snapshot_of(t->s);

    if (!t->cur)
        return JET_errInvalidTableId;
    if (atomic_load(&t->sh->version) == t->schema_version) {
        bool unsettled = !t->schema_settled || atomic_load(&t->sh->unsettled) > 0;
        if (!unsettled || (snapshot && snapshot == t->schema_snapshot))
            return JET_errSuccess;
    }
    JET_ERR err = load(t);
    return err == JET_errObjectNotFound ? JET_errInvalidTableId : err;
}

JET_ERR
table_check_writable(struct table *t)
{
    if ((t->grbit & JET_bitTableReadOnly) || (t->schema->flags & TABLE_SYSTEM) ||
        dbfile_is_readonly(btree_db_file(t->tdb->trees)))
        return JET_errPermissionDenied;
    if (session_level(t->s) == 0)
        return JET_errNotInTransaction;
    if (t->schema->secondaries || (t->schema->flags & (TABLE_DERIVED | TABLE_TEMPLATE)))
        return JET_errFeatureNotAvailable;
    if (t->schema->primary && t->schema->primary->foreign_unicode)
        return JET_errPrimaryIndexCorrupted;
    return JET_errSuccess;
}

JET_ERR
table_current(struct table *t, struct span *rec)
{
    if (!t->on)
        return JET_errNoCurrentRecord;
    JET_ERR err = btree_refresh(t->cur);
    if (err < 0)
        return err;
    *rec = btree_cursor_data(t->cur);
    return JET_errSuccess;
}

const char *
table_name(const struct table *t)
{
    return t->schema->name;
}

struct session *
table_session(const struct table *t)
{
    return t->s;
}

struct table_db *
table_of_db(const struct table *t)
{
    return t->tdb;
}

/* ---- numbers given out ---- */

/* Negative values do not count. */
static uint64_t
number_of(const struct column *c, struct span v)
{
    if (v.len == 8)
        return (int64_t)le64_get(v.data) > 0 ? le64_get(v.data) : 0;
    if (v.len != 4 || (c->coltyp == JET_coltypLong && (int32_t)le32_get(v.data) < 0))
        return 0;
    return le32_get(v.data);
}

/* Does the primary key begin with the column, rising? Then the last record has the largest. */
static bool
leads_primary(const struct schema *sc, const struct column *c)
{
    return sc->primary && sc->primary->segments[0].column == c->id &&
           !(sc->primary->segments[0].flags & SEGMENT_DESCENDING);
}

static JET_ERR
largest_autoinc(struct table *t, struct btree_cursor *c, uint64_t *largest)
{
    const struct column *col = t->schema->autoinc;
    bool last_only = leads_primary(t->schema, col);
    struct rec_value v;

    *largest = 0;
    JET_ERR err = last_only ? btree_last(c) : btree_first(c);
    while (err >= 0) {
        err = record_get(btree_cursor_data(c), t->tdb->large, col, 1, &v);
        if (err < 0)
            return err;
        if (!v.null && number_of(col, v.data) > *largest)
            *largest = number_of(col, v.data);
        err = last_only ? JET_errNoCurrentRecord : btree_next(c);
    }
    return err == JET_errNoCurrentRecord || err == JET_errRecordNotFound ? JET_errSuccess : err;
}

static JET_ERR
largest_number(struct table *t, struct btree_cursor *c, uint64_t *largest)
{
    *largest = 0;
    JET_ERR err = btree_last(c);
    if (err == JET_errRecordNotFound || err == JET_errNoCurrentRecord)
        return JET_errSuccess;
    if (err >= 0 && btree_cursor_key(c).len == 4)
        *largest = be32_get(btree_cursor_key(c).data);
    return err;
}

/*
 * The first one who asks since the database was opened looks: all records then come from committed
 * transactions that every snapshot sees, as nobody has inserted yet.
 */
static JET_ERR
look(struct table *t, JET_ERR (*find)(struct table *, struct btree_cursor *, uint64_t *),
     uint64_t *largest)
{
    struct btree_cursor *c;

    JET_ERR err = btree_cursor_open(t->s, t->sh->tree, &c);
    if (err < 0)
        return err;
    err = find(t, c, largest);
    btree_cursor_close(c);
    return err;
}

JET_ERR
table_next_autoinc(struct table *t, uint64_t *value)
{
    struct table_shared *sh = t->sh;
    const struct column *c = t->schema->autoinc;
    uint64_t most = coltyp_size(c->coltyp) == 8   ? INT64_MAX
                    : c->coltyp == JET_coltypLong ? INT32_MAX
                                                  : UINT32_MAX;
    JET_ERR err = JET_errSuccess;

    g_mutex_lock(&sh->lock);
    if (!sh->autoinc_known) {
        err = look(t, largest_autoinc, &sh->autoinc);
        sh->autoinc_known = err >= 0;
    }
    if (err >= 0 && sh->autoinc >= most)
        err = JET_errOutOfAutoincrementValues;
    if (err >= 0)
        *value = ++sh->autoinc;
    g_mutex_unlock(&sh->lock);
    return err;
}

JET_ERR
table_next_number(struct table *t, uint32_t *number)
{
    struct table_shared *sh = t->sh;
    JET_ERR err = JET_errSuccess;
    uint64_t largest;

    g_mutex_lock(&sh->lock);
    if (!sh->number_known) {
        err = look(t, largest_number, &largest);
        sh->number_known = err >= 0;
        sh->number = err >= 0 ? (uint32_t)largest : 0;
    }
    if (err >= 0 && sh->number == UINT32_MAX)
        err = JET_errOutOfSequentialIndexValues;
    if (err >= 0)
        *number = ++sh->number;
    g_mutex_unlock(&sh->lock);
    return err;
}
