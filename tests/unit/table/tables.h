/* SPDX-License-Identifier: MIT */
/* tables: a database with a catalog in a world (tests/unit/space), and short words for tests. */
#pragma once

#include <string.h>

#include "../space/world.h"
#include "table/table.h"

struct tables {
    struct world w;
    struct table_db *tdb;
    struct session *s2; /* somebody else */
};

static inline void
tables_begin(struct tables *x, uint32_t page_bytes)
{
    world_begin(&x->w, page_bytes, 200);
    OK(session_begin(x->w.s, 0));
    OK(table_db_create(x->w.s, x->w.db));
    OK(session_commit(x->w.s, JET_bitCommitLazyFlush, NULL));
    OK(table_db_open(x->w.db, &x->tdb));
    OK(session_new(x->w.txn, &x->s2));
}

static inline void
tables_end(struct tables *x)
{
    /* a failed test may leave transactions: roll back, so that its own message is the last word */
    if (session_level(x->w.s))
        (void)session_rollback(x->w.s, JET_bitRollbackAll);
    if (session_level(x->s2))
        (void)session_rollback(x->s2, JET_bitRollbackAll);
    session_free(x->s2);
    OK(txn_cleanup(x->w.txn, 0, NULL));
    assert_int_equal(table_db_open_count(x->tdb), 0);
    table_db_close(x->tdb);
    world_end(&x->w);
}

static inline int
tables_setup(void **state)
{
    struct tables *x = g_new0(struct tables, 1);
    tables_begin(x, 4096);
    *state = x;
    return 0;
}

static inline int
tables_teardown(void **state)
{
    tables_end(*state);
    g_free(*state);
    return 0;
}

/* Id Long autoincrement primary key, Name Text 100, N LongLong, Note LongText 1200, Tags
 * multi-valued. */
enum { COL_ID = 1, COL_N = 2, COL_NAME = 128, COL_NOTE = 256, COL_TAGS = 257 };

static inline struct table *
make_items(struct tables *x, const char *name)
{
    struct table_column_spec cols[] = {
        {.name = "Id", .coltyp = JET_coltypLong, .grbit = JET_bitColumnAutoincrement},
        {.name = "N", .coltyp = JET_coltypLongLong},
        {.name = "Name", .coltyp = JET_coltypText, .cb_max = 100, .cp = 1252},
        {.name = "Note", .coltyp = JET_coltypLongText, .cp = 1200},
        {.name = "Tags",
         .coltyp = JET_coltypText,
         .cp = 1252,
         .grbit = JET_bitColumnTagged | JET_bitColumnMultiValued},
    };
    struct table_index_spec ix = {
        .name = "Primary", .key = "+Id\0", .key_cb = 5, .grbit = JET_bitIndexPrimary};
    struct table_spec spec = {
        .name = name, .columns = cols, .n_columns = 5, .indexes = &ix, .n_indexes = 1};
    struct table *t;

    OK(table_create(x->w.s, x->tdb, &spec, &t));
    assert_int_equal(spec.n_created, 7);
    assert_int_equal(cols[2].columnid, COL_NAME);
    assert_int_equal(cols[4].columnid, COL_TAGS);
    return t;
}

static inline void
begin(struct session *s)
{
    OK(session_begin(s, 0));
}

static inline void
commit(struct session *s)
{
    OK(session_commit(s, JET_bitCommitLazyFlush, NULL));
}

static inline void
set_text(struct table *t, JET_COLUMNID c, const char *text)
{
    OK(table_set_column(t, c, text, (uint32_t)strlen(text), 0, NULL));
}

/* In its own transaction; returns the autoincrement value. */
static inline int32_t
insert_item(struct table *t, const char *name, int64_t n)
{
    int32_t id;
    uint32_t cb;

    begin(table_session(t));
    OK(table_prepare_update(t, JET_prepInsert));
    set_text(t, COL_NAME, name);
    OK(table_set_column(t, COL_N, &n, 8, 0, NULL));
    OK(table_retrieve_column(t, COL_ID, &id, 4, &cb, JET_bitRetrieveCopy, NULL));
    OK(table_update(t, NULL, 0, NULL, 0));
    commit(table_session(t));
    return id;
}

static inline JET_ERR
seek_id(struct table *t, int32_t id, JET_GRBIT grbit)
{
    OK(table_make_key(t, &id, 4, JET_bitNewKey));
    return table_seek(t, grbit);
}

static inline void
assert_text(struct table *t, JET_COLUMNID c, const char *want)
{
    char buf[512];
    uint32_t cb;
    OK(table_retrieve_column(t, c, buf, sizeof(buf) - 1, &cb, 0, NULL));
    buf[cb] = 0;
    assert_string_equal(buf, want);
}

static inline int32_t
id_of(struct table *t)
{
    int32_t id;
    uint32_t cb;
    OK(table_retrieve_column(t, COL_ID, &id, 4, &cb, 0, NULL));
    return id;
}
