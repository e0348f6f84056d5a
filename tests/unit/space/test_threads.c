/* SPDX-License-Identifier: MIT */
/*
 * Many threads on the same trees: money moves between accounts, rows come and go, everybody's
 * snapshot adds up, cleanup runs all the while.
 */
#include "world.h"

#define ACCOUNTS 200
#define START    1000
#define WORKERS  3
#define ROUNDS   1500

struct bank {
    struct world w;
    uint32_t fdp, index;
    _Atomic bool stop;
    _Atomic uint32_t conflicts, transfers;
};

struct teller {
    struct bank *bank;
    struct session *s;
    struct btree *t, *ix;
    struct btree_cursor *c, *ci;
    uint32_t rnd;
};

static uint32_t
rnd(struct teller *t, uint32_t n)
{
    t->rnd = t->rnd * 1103515245u + 12345u;
    return (t->rnd >> 8) % n;
}

static struct teller *
teller_new(struct bank *b, uint32_t seed)
{
    struct teller *t = g_new0(struct teller, 1);
    t->bank = b;
    t->rnd = seed;
    OK(session_new(b->w.txn, &t->s));
    OK(btree_open(b->w.db, b->fdp, &t->t));
    OK(btree_open(b->w.db, b->index, &t->ix));
    OK(btree_cursor_open(t->s, t->t, &t->c));
    OK(btree_cursor_open(t->s, t->ix, &t->ci));
    return t;
}

static void
teller_free(struct teller *t)
{
    btree_cursor_close(t->c);
    btree_cursor_close(t->ci);
    btree_close(t->t);
    btree_close(t->ix);
    session_free(t->s);
    g_free(t);
}

static JET_ERR
add(struct teller *t, uint32_t account, int32_t amount)
{
    uint8_t key[4], data[300];
    be32_put(key, account);
    JET_ERR err = btree_seek(t->c, span_of(key, 4), BTREE_EQ);
    if (err < 0)
        return err;
    struct span old = btree_cursor_data(t->c);
    size_t len = 8 + rnd(t, 200); /* sizes change, so that pages split and rollbacks need room */
    memset(data, 0x5a, sizeof data);
    le32_put(data, le32_get(old.data) + (uint32_t)amount);
    return btree_replace(t->c, span_of(data, len));
}

/* A row in the non-unique index comes or goes; other threads may fight for it. */
static JET_ERR
touch_index(struct teller *t)
{
    uint8_t key[4], data[4];
    be32_put(key, rnd(t, 20));
    be32_put(data, rnd(t, 500));
    JET_ERR err = btree_seek_bookmark(t->ci, span_of(key, 4), span_of(data, 4), BTREE_EQ);
    if (err >= 0)
        return btree_delete(t->ci);
    if (err != JET_errRecordNotFound)
        return err;
    err = btree_insert(t->ci, span_of(key, 4), span_of(data, 4));
    return err == JET_errKeyDuplicate ? JET_errInternalError : err;
}

static gpointer
work(gpointer arg)
{
    struct teller *t = arg;
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t from = rnd(t, ACCOUNTS), to = rnd(t, ACCOUNTS);
        int32_t amount = (int32_t)rnd(t, 50);
        OK(session_begin(t->s, 0));
        JET_ERR err = from == to ? JET_errSuccess : add(t, from, -amount);
        if (err >= 0 && from != to)
            err = add(t, to, amount);
        if (err >= 0)
            err = touch_index(t);
        if (err >= 0 && rnd(t, 8)) {
            OK(session_commit(t->s, JET_bitCommitLazyFlush, NULL));
            t->bank->transfers++;
        } else {
            assert_true(err >= 0 || err == JET_errWriteConflict);
            t->bank->conflicts += err < 0;
            OK(session_rollback(t->s, 0));
        }
    }
    return NULL;
}

static void
count_all(struct teller *t)
{
    uint32_t sum = 0, n = 0;
    JET_ERR err;
    OK(session_begin(t->s, 0));
    for (err = btree_first(t->c); err >= 0; err = btree_next(t->c)) {
        sum += le32_get(btree_cursor_data(t->c).data);
        n++;
    }
    assert_int_equal(err, JET_errNoCurrentRecord);
    assert_int_equal(n, ACCOUNTS);
    assert_int_equal(sum, ACCOUNTS * START);
    uint64_t a, b;
    OK(btree_count(t->s, t->ix, 0, &a));
    OK(btree_count(t->s, t->ix, 0, &b));
    assert_int_equal(a, b);
    OK(session_commit(t->s, 0, NULL));
}

static gpointer
audit(gpointer arg)
{
    struct teller *t = arg;
    while (!t->bank->stop)
        count_all(t);
    return NULL;
}

static gpointer
clean(gpointer arg)
{
    struct bank *b = arg;
    while (!b->stop) {
        OK(txn_cleanup(b->w.txn, 100, NULL));
        (void)txn_oldest_begin0(b->w.txn);
        g_thread_yield();
    }
    return NULL;
}

static void
open_accounts(struct bank *b)
{
    struct teller *t = teller_new(b, 1);
    OK(session_begin(t->s, 0));
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        uint8_t key[4], data[8] = {0};
        be32_put(key, i);
        le32_put(data, START);
        OK(btree_insert(t->c, span_of(key, 4), span_of(data, 8)));
    }
    OK(session_commit(t->s, 0, NULL));
    teller_free(t);
}

/* Nothing to purge: no page changes. */
static void
assert_no_dead_nodes(struct bank *b, uint32_t fdp)
{
    struct btree *t;
    uint64_t dbtime = dbfile_dbtime_last(b->w.file);
    OK(btree_open(b->w.db, fdp, &t));
    OK(session_begin(b->w.s, 0));
    OK(btree_purge(b->w.s, t));
    OK(session_commit(b->w.s, 0, NULL));
    btree_close(t);
    assert_int_equal(dbfile_dbtime_last(b->w.file), dbtime);
}

static void
test_threads_when_moving_money_keep_the_sum(void **state)
{
    struct bank *b = g_new0(struct bank, 1);
    struct teller *tellers[WORKERS + 1];
    GThread *threads[WORKERS + 2];
    world_begin(&b->w, 4096, 256);
    b->fdp = world_tree(&b->w, 1, 0);
    b->index = world_tree(&b->w, b->fdp, PAGE_FLAG_INDEX | PAGE_FLAG_NON_UNIQUE);
    open_accounts(b);
    for (uint32_t i = 0; i <= WORKERS; i++)
        tellers[i] = teller_new(b, 77 + i);
    for (int i = 0; i < WORKERS; i++)
        threads[i] = g_thread_new("work", work, tellers[i]);
    threads[WORKERS] = g_thread_new("audit", audit, tellers[WORKERS]);
    threads[WORKERS + 1] = g_thread_new("clean", clean, b);
    for (int i = 0; i < WORKERS; i++)
        g_thread_join(threads[i]);
    b->stop = true;
    g_thread_join(threads[WORKERS]);
    g_thread_join(threads[WORKERS + 1]);
    count_all(tellers[0]);
    for (uint32_t i = 0; i <= WORKERS; i++)
        teller_free(tellers[i]);
    uint64_t left, leaked;
    OK(txn_cleanup(b->w.txn, 0, &left));
    assert_int_equal(left, 0);
    OK(space_check(b->w.db, b->fdp, &b->index, 1, &leaked));
    assert_int_equal(leaked, 0);
    OK(space_check(b->w.db, b->index, NULL, 0, &leaked));
    assert_int_equal(leaked, 0);
    assert_no_dead_nodes(b, b->fdp);
    assert_no_dead_nodes(b, b->index);
    assert_true(b->transfers > 0);
    world_end(&b->w);
    g_free(b);
}

/* ---- trees that come and go ---- */

static void
fill(struct bank *b, struct session *s, uint32_t fdp, uint32_t n)
{
    struct btree *t;
    struct btree_cursor *c;
    uint8_t key[4], data[250] = {1};
    OK(btree_open(b->w.db, fdp, &t));
    OK(btree_cursor_open(s, t, &c));
    for (uint32_t i = 0; i < n; i++) {
        be32_put(key, i);
        OK(btree_insert(c, span_of(key, 4), span_of(data, sizeof data)));
    }
    for (uint32_t i = 0; i < n; i += 2) {
        be32_put(key, i);
        OK(btree_seek(c, span_of(key, 4), BTREE_EQ));
        OK(btree_delete(c));
    }
    btree_cursor_close(c);
    btree_close(t);
}

static JET_ERR
make_tree(struct bank *b, struct session *s, uint32_t parent, uint32_t flags, uint32_t *fdp)
{
    struct space_tree_spec spec = {.pgno_parent = parent,
                                   .objid = dbfile_objid_next(b->w.file),
                                   .pages = 3,
                                   .page_flags = flags};
    return space_create_tree(s, b->w.db, &spec, fdp);
}

static gpointer
build_and_drop(gpointer arg)
{
    struct teller *t = arg;
    struct bank *b = t->bank;
    for (int i = 0; i < 60; i++) {
        uint32_t fdp, index;
        OK(session_begin(t->s, 0));
        OK(make_tree(b, t->s, 1, 0, &fdp));
        OK(make_tree(b, t->s, fdp, PAGE_FLAG_INDEX, &index));
        fill(b, t->s, fdp, rnd(t, 200));
        fill(b, t->s, index, rnd(t, 50));
        if (rnd(t, 3) == 0) {
            OK(session_rollback(t->s, 0));
            continue;
        }
        OK(session_commit(t->s, JET_bitCommitLazyFlush, NULL));
        OK(session_begin(t->s, 0));
        fill(b, t->s, make_tree(b, t->s, fdp, 0, &index) < 0 ? fdp : index, rnd(t, 100));
        OK(space_delete_tree(t->s, b->w.db, fdp));
        OK(session_commit(t->s, JET_bitCommitLazyFlush, NULL));
    }
    return NULL;
}

static void
test_threads_when_making_trees_lose_no_page(void **state)
{
    struct bank *b = g_new0(struct bank, 1);
    struct teller *tellers[WORKERS];
    GThread *threads[WORKERS + 1];
    uint64_t left, leaked;
    world_begin(&b->w, 4096, 256);
    b->fdp = world_tree(&b->w, 1, 0);
    b->index = world_tree(&b->w, b->fdp, PAGE_FLAG_INDEX | PAGE_FLAG_NON_UNIQUE);
    for (uint32_t i = 0; i < WORKERS; i++)
        tellers[i] = teller_new(b, 5 + i);
    for (int i = 0; i < WORKERS; i++)
        threads[i] = g_thread_new("build", build_and_drop, tellers[i]);
    threads[WORKERS] = g_thread_new("clean", clean, b);
    for (int i = 0; i < WORKERS; i++)
        g_thread_join(threads[i]);
    b->stop = true;
    g_thread_join(threads[WORKERS]);
    for (uint32_t i = 0; i < WORKERS; i++)
        teller_free(tellers[i]);
    OK(txn_cleanup(b->w.txn, 0, &left));
    assert_int_equal(left, 0);
    OK(space_check(b->w.db, 1, &b->fdp, 1, &leaked));
    assert_int_equal(leaked, 0);
    world_end(&b->w);
    g_free(b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_when_moving_money_keep_the_sum),
        cmocka_unit_test(test_threads_when_making_trees_lose_no_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
