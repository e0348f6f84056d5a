/* SPDX-License-Identifier: MIT */
#include "table/catalog.h"

#include <string.h>

#include "btree/btree.h"
#include "cache/dbfile.h"
#include "page/dbheader.h"
#include "page/page.h"
#include "space/space.h"
#include "table/open.h"
#include "table/table.h"
#include "txn/session.h"

#define DBFLAG_NO_SHADOW 1u

/* ---- database ---- */

static void
close_trees(struct table_db *tdb)
{
    btree_close(tdb->objects);
    btree_close(tdb->shadow);
    btree_close(tdb->name);
    btree_close(tdb->roots);
    btree_close(tdb->objids);
}

static void
shared_unref(struct table_shared *sh)
{
    if (atomic_fetch_sub(&sh->refs, 1) > 1)
        return;
    g_assert(sh->open->len == 0);
    btree_close(sh->tree);
    g_ptr_array_unref(sh->open);
    g_mutex_clear(&sh->lock);
    g_free(sh);
}

static struct table_db *
tdb_new(struct btree_db *db)
{
    struct table_db *tdb = g_new0(struct table_db, 1);

    tdb->trees = db;
    tdb->page_bytes = dbfile_page_bytes(btree_db_file(db));
    tdb->large = page_is_large(tdb->page_bytes);
    g_mutex_init(&tdb->lock);
    tdb->tables = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)shared_unref);
    return tdb;
}

void
table_db_close(struct table_db *tdb)
{
    if (!tdb)
        return;
    g_hash_table_unref(tdb->tables);
    close_trees(tdb);
    g_mutex_clear(&tdb->lock);
    g_free(tdb);
}

static JET_ERR
open_fixed_trees(struct table_db *tdb)
{
    struct dbheader header;

    dbfile_header(btree_db_file(tdb->trees), &header);
    JET_ERR err = btree_open(tdb->trees, PGNO_OBJECTS, &tdb->objects);
    if (err >= 0)
        err = btree_open(tdb->trees, PGNO_NAME, &tdb->name);
    if (err >= 0)
        err = btree_open(tdb->trees, PGNO_ROOTS, &tdb->roots);
    if (err >= 0 && !(dbheader_u32(&header, DBH_FLAGS) & DBFLAG_NO_SHADOW))
        err = btree_open(tdb->trees, PGNO_SHADOW, &tdb->shadow);
    return err == JET_errDatabaseCorrupted ? JET_errCatalogCorrupted : err;
}

/* MSysObjids: found by name, as it stands elsewhere in our files than in Windows'. */
static JET_ERR
open_objids(struct table_db *tdb)
{
    struct session *s;
    struct schema *sc = NULL;
    uint32_t objid;

    JET_ERR err = session_new(btree_db_txn(tdb->trees), &s);
    if (err < 0)
        return err;
    err = catalog_find(s, tdb, "MSysObjids", &objid);
    if (err >= 0)
        err = catalog_load(s, tdb, objid, &sc);
    if (err >= 0)
        err = btree_open(tdb->trees, sc->pgno_fdp, &tdb->objids);
    schema_unref(sc);
    session_free(s);
    return err == JET_errObjectNotFound ? JET_errSuccess : err;
}

JET_ERR
table_db_open(struct btree_db *db, struct table_db **out)
{
    struct table_db *tdb = tdb_new(db);

    JET_ERR err = open_fixed_trees(tdb);
    if (err >= 0)
        err = open_objids(tdb);
    if (err < 0) {
        table_db_close(tdb);
        return err;
    }
    *out = tdb;
    return JET_errSuccess;
}

struct btree_db *
table_db_trees(const struct table_db *tdb)
{
    return tdb->trees;
}

uint32_t
table_db_open_count(struct table_db *tdb)
{
    return atomic_load(&tdb->open_count);
}

/* ---- rows ---- */

static JET_ERR
tree_insert(struct session *s, struct btree *tree, const struct key *k, struct span data)
{
    struct btree_cursor *c;

    if (!tree)
        return JET_errSuccess;
    JET_ERR err = btree_cursor_open(s, tree, &c);
    if (err < 0)
        return err;
    err = btree_insert(c, key_span(k), data);
    btree_cursor_close(c);
    return err;
}

static JET_ERR
tree_delete(struct session *s, struct btree *tree, const struct key *k)
{
    struct btree_cursor *c;

    if (!tree)
        return JET_errSuccess;
    JET_ERR err = btree_cursor_open(s, tree, &c);
    if (err < 0)
        return err;
    err = btree_seek(c, key_span(k), BTREE_EQ);
    if (err >= 0)
        err = btree_delete(c);
    btree_cursor_close(c);
    return err == JET_errRecordNotFound ? JET_errCatalogCorrupted : err;
}

static JET_ERR
insert_objid(struct session *s, struct table_db *tdb, const struct cat_row *row, struct recbuf *b)
{
    struct key k;

    JET_ERR err = cat_objid_encode(row->id, row->objid_table, row->type, b, &k);
    return err < 0 ? err : tree_insert(s, tdb->objids, &k, recbuf_span(b));
}

/* A primary index and a table share their objid: that row stands for both. */
static bool
has_objid(const struct cat_row *row)
{
    return row->type == CAT_TABLE || row->type == CAT_LV ||
           (row->type == CAT_INDEX && row->id != row->objid_table);
}

static JET_ERR
insert_encoded(struct session *s, struct table_db *tdb, const struct cat_row *row, struct recbuf *b)
{
    struct key id, k;

    JET_ERR err = cat_row_encode(row, b);
    if (err < 0)
        return err;
    cat_row_key(row, &id);
    cat_row_name_key(row, &k);
    err = tree_insert(s, tdb->name, &k, key_span(&id));
    if (err >= 0)
        err = tree_insert(s, tdb->objects, &id, recbuf_span(b));
    if (err >= 0)
        err = tree_insert(s, tdb->shadow, &id, recbuf_span(b));
    if (err >= 0 && row->type == CAT_TABLE) {
        cat_row_roots_key(row, &k);
        err = tree_insert(s, tdb->roots, &k, key_span(&id));
    }
    if (err >= 0 && has_objid(row))
        err = insert_objid(s, tdb, row, b);
    return err;
}

JET_ERR
catalog_insert(struct session *s, struct table_db *tdb, const struct cat_row *row)
{
    struct recbuf b;

    JET_ERR err = recbuf_init(&b, tdb->page_bytes, KEY_MOST_DEFAULT);
    if (err < 0)
        return err;
    err = insert_encoded(s, tdb, row, &b);
    recbuf_clear(&b);
    if (err != JET_errKeyDuplicate)
        return err;
    switch (row->type) {
    case CAT_TABLE:
        return JET_errTableDuplicate;
    case CAT_COLUMN:
        return JET_errColumnDuplicate;
    case CAT_INDEX:
        return JET_errIndexDuplicate;
    default:
        return JET_errCatalogCorrupted;
    }
}

static uint32_t
objid_of_key(struct span key)
{
    return key.len >= 5 ? be32_get(key.data + 1) ^ 0x80000000u : 0;
}

JET_ERR
catalog_find(struct session *s, struct table_db *tdb, const char *name, uint32_t *objid)
{
    struct cat_row row = {.type = CAT_TABLE};
    struct btree_cursor *c;
    struct key k;

    if (strlen(name) >= sizeof(row.name))
        return JET_errObjectNotFound;
    g_strlcpy(row.name, name, sizeof(row.name));
    cat_row_roots_key(&row, &k);
    JET_ERR err = btree_cursor_open(s, tdb->roots, &c);
    if (err < 0)
        return err;
    err = btree_seek(c, key_span(&k), BTREE_EQ);
    if (err >= 0)
        *objid = objid_of_key(btree_cursor_data(c));
    btree_cursor_close(c);
    if (err == JET_errRecordNotFound)
        return JET_errObjectNotFound;
    return err < 0 ? err : JET_errSuccess;
}

/* Calls fn for each row of the table until it fails. */
static JET_ERR
each_row(struct session *s, struct table_db *tdb, uint32_t objid,
         JET_ERR (*fn)(void *ctx, const struct cat_row *row), void *ctx)
{
    struct btree_cursor *c;
    struct cat_row row;
    struct key k;

    cat_prefix_key(objid, 0, &k);
    JET_ERR err = btree_cursor_open(s, tdb->objects, &c);
    if (err < 0)
        return err;
    for (err = btree_seek(c, key_span(&k), BTREE_GE); err >= 0; err = btree_next(c)) {
        if (objid_of_key(btree_cursor_key(c)) != objid)
            break;
        err = cat_row_decode(btree_cursor_data(c), tdb->large, &row);
        if (err >= 0)
            err = fn(ctx, &row);
        if (err < 0)
            break;
    }
    btree_cursor_close(c);
    return err == JET_errRecordNotFound || err == JET_errNoCurrentRecord ? JET_errSuccess : err;
}

static JET_ERR
to_schema(void *ctx, const struct cat_row *row)
{
    return cat_row_to_schema(row, ctx);
}

JET_ERR
catalog_load(struct session *s, struct table_db *tdb, uint32_t objid, struct schema **out)
{
    struct schema *sc = schema_new();

    sc->objid = objid;
    JET_ERR err = each_row(s, tdb, objid, to_schema, sc);
    if (err >= 0 && !sc->name)
        err = JET_errObjectNotFound;
    if (err >= 0)
        err = schema_finish(sc);
    if (err < 0) {
        schema_unref(sc);
        return err;
    }
    *out = sc;
    return JET_errSuccess;
}

struct delete_ctx {
    struct session *s;
    struct table_db *tdb;
};

static JET_ERR
delete_row(void *ctx, const struct cat_row *row)
{
    struct delete_ctx *d = ctx;
    struct key id, k;
    uint8_t bytes[4];

    cat_row_key(row, &id);
    cat_row_name_key(row, &k);
    JET_ERR err = tree_delete(d->s, d->tdb->objects, &id);
    if (err >= 0)
        err = tree_delete(d->s, d->tdb->shadow, &id);
    if (err >= 0)
        err = tree_delete(d->s, d->tdb->name, &k);
    if (err >= 0 && row->type == CAT_TABLE) {
        cat_row_roots_key(row, &k);
        err = tree_delete(d->s, d->tdb->roots, &k);
    }
    if (err >= 0 && has_objid(row)) {
        const struct schema *sc = cat_schema_objids();
        le32_put(bytes, row->id);
        k.len = 0;
        k.cut = false;
        (void)key_append(&k, sc->primary, schema_column(sc, 256), false, span_of(bytes, 4));
        err = tree_delete(d->s, d->tdb->objids, &k);
    }
    return err;
}

JET_ERR
catalog_delete_table(struct session *s, struct table_db *tdb, uint32_t objid)
{
    struct delete_ctx d = {s, tdb};
    return each_row(s, tdb, objid, delete_row, &d);
}

/* ---- a new database ---- */

static JET_ERR
create_system_trees(struct session *s, struct btree_db *db)
{
    static const struct {
        uint32_t parent, objid, pages, flags, pgno;
    } trees[] = {
        {1, OBJID_OBJECTS, 20, 0, PGNO_OBJECTS},
        {PGNO_OBJECTS, OBJID_NAME, 3, PAGE_FLAG_INDEX, PGNO_NAME},
        {PGNO_OBJECTS, OBJID_ROOTS, 3, PAGE_FLAG_INDEX, PGNO_ROOTS},
        {1, OBJID_SHADOW, 5, 0, PGNO_SHADOW},
        {1, OBJID_OBJIDS, 3, 0, PGNO_OBJIDS},
        {1, OBJID_LOCALES, 3, 0, PGNO_LOCALES},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(trees); i++) {
        struct space_tree_spec spec = {.pgno_parent = trees[i].parent,
                                       .objid = trees[i].objid,
                                       .pages = trees[i].pages,
                                       .page_flags = trees[i].flags};
        uint32_t pgno;
        JET_ERR err = space_create_tree(s, db, &spec, &pgno);
        if (err < 0)
            return err;
        if (pgno != trees[i].pgno)
            return JET_errInternalError; /* these places are part of the format */
    }
    return JET_errSuccess;
}

static JET_ERR
fill_locales(struct session *s, struct table_db *tdb, struct recbuf *b)
{
    struct btree *locales;
    struct key k;

    JET_ERR err = btree_open(tdb->trees, PGNO_LOCALES, &locales);
    if (err < 0)
        return err;
    for (uint32_t i = 0; err >= 0 && cat_locale_row(i, b, &k, &err); i++)
        if (err >= 0)
            err = tree_insert(s, locales, &k, recbuf_span(b));
    btree_close(locales);
    return err;
}

static JET_ERR
fill_catalog(struct session *s, struct table_db *tdb)
{
    struct cat_row row;
    struct recbuf b;

    JET_ERR err = open_fixed_trees(tdb);
    if (err >= 0)
        err = btree_open(tdb->trees, PGNO_OBJIDS, &tdb->objids);
    for (uint32_t i = 0; err >= 0 && cat_bootstrap_row(i, &row); i++)
        err = catalog_insert(s, tdb, &row);
    if (err < 0)
        return err;
    err = recbuf_init(&b, tdb->page_bytes, KEY_MOST_DEFAULT);
    if (err < 0)
        return err;
    err = fill_locales(s, tdb, &b);
    recbuf_clear(&b);
    return err;
}

JET_ERR
table_db_create(struct session *s, struct btree_db *db)
{
    dbfile_objid_raise(btree_db_file(db), OBJID_USER - 1);
    JET_ERR err = create_system_trees(s, db);
    if (err < 0)
        return err;

    struct table_db *tdb = tdb_new(db);
    err = fill_catalog(s, tdb);
    table_db_close(tdb);
    return err;
}

/* ---- shared objects ---- */

struct table_shared *
catalog_shared(struct table_db *tdb, uint32_t objid)
{
    g_mutex_lock(&tdb->lock);
    struct table_shared *sh = g_hash_table_lookup(tdb->tables, GUINT_TO_POINTER(objid));
    if (!sh) {
        sh = g_new0(struct table_shared, 1);
        sh->refs = 1;
        sh->objid = objid;
        sh->open = g_ptr_array_new();
        g_mutex_init(&sh->lock);
        g_hash_table_insert(tdb->tables, GUINT_TO_POINTER(objid), sh);
    }
    g_mutex_unlock(&tdb->lock);
    return sh;
}

struct ddl_action {
    struct txn_action action;
    struct table_shared *sh;
    bool created, deleted;
};

/* Cursors of a table that is no more lose their trees. The tree's creator is the only one who has
 * it. */
static void
kill_shared(struct table_shared *sh)
{
    g_mutex_lock(&sh->lock);
    sh->dead = true;
    for (guint i = 0; i < sh->open->len; i++)
        table_drop_cursors(sh->open->pdata[i]);
    btree_close(sh->tree);
    sh->tree = NULL;
    g_mutex_unlock(&sh->lock);
}

static void
settle(struct table_shared *sh)
{
    atomic_fetch_add(&sh->version, 1);
    atomic_fetch_sub(&sh->unsettled, 1);
}

static void
set_dead(struct table_shared *sh, bool dead)
{
    g_mutex_lock(&sh->lock);
    sh->dead = dead;
    g_mutex_unlock(&sh->lock);
}

static JET_ERR
ddl_rollback(struct txn_action *a, struct session *s)
{
    struct ddl_action *d = (struct ddl_action *)a;

    if (d->created)
        kill_shared(d->sh);
    if (d->deleted)
        set_dead(d->sh, false);
    settle(d->sh);
    return JET_errSuccess;
}

static JET_ERR
ddl_settled(struct txn_action *a, struct session *cleaner)
{
    settle(((struct ddl_action *)a)->sh);
    return JET_errSuccess;
}

static void
ddl_free(struct txn_action *a)
{
    shared_unref(((struct ddl_action *)a)->sh);
    g_free(a);
}

static void
add_action(struct session *s, struct table_shared *sh, bool created, bool deleted)
{
    struct ddl_action *d = g_new0(struct ddl_action, 1);

    d->action.on_rollback = ddl_rollback;
    d->action.on_cleanup = ddl_settled;
    d->action.free = ddl_free;
    d->sh = sh;
    d->created = created;
    d->deleted = deleted;
    atomic_fetch_add(&sh->refs, 1);
    atomic_fetch_add(&sh->unsettled, 1);
    atomic_fetch_add(&sh->version, 1);
    session_add_action(s, &d->action);
}

void
catalog_changed(struct session *s, struct table_shared *sh)
{
    add_action(s, sh, false, false);
}

void
catalog_created(struct session *s, struct table_shared *sh)
{
    add_action(s, sh, true, false);
}

void
catalog_deleted(struct session *s, struct table_shared *sh)
{
    set_dead(sh, true);
    add_action(s, sh, false, true);
}
