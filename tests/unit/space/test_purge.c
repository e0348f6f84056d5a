/* SPDX-License-Identifier: MIT */
/*
 * Dead nodes that nobody's versions know: what a crash between commit and cleanup leaves behind a
 * checkpoint. Made here by forgetting the versions.
 */
#include "world.h"

static void
make_orphans(struct world *w, uint32_t fdp, uint32_t n)
{
    struct btree *t;
    struct btree_cursor *c;
    uint8_t key[4], data[200] = {1};
    OK(btree_open(w->db, fdp, &t));
    OK(btree_cursor_open(w->s, t, &c));
    OK(session_begin(w->s, 0));
    for (uint32_t i = 0; i < n; i++) {
        be32_put(key, i);
        OK(btree_insert(c, span_of(key, 4), span_of(data, sizeof data)));
    }
    OK(session_commit(w->s, JET_bitCommitLazyFlush, NULL));
    OK(txn_cleanup(w->txn, 0, NULL));
    OK(session_begin(w->s, 0));
    for (uint32_t i = 1; i < n; i++) {
        be32_put(key, i);
        OK(btree_seek(c, span_of(key, 4), BTREE_EQ));
        OK(btree_delete(c));
    }
    OK(session_commit(w->s, JET_bitCommitLazyFlush, NULL));
    btree_cursor_close(c);
    btree_close(t);
    OK(cache_flush(w->file));
    world_close_db(w);
    world_open_db(w, false, w->log);
    OK(session_new(w->txn, &w->s));
}

static void
assert_one_page(struct world *w, uint32_t fdp)
{
    struct btree *t;
    uint64_t pages, entries, leaked;
    OK(btree_open(w->db, fdp, &t));
    OK(btree_check(t, NULL, NULL, &pages, &entries));
    assert_int_equal(entries, 1);
    assert_true(pages <= 2);
    btree_close(t);
    OK(space_check(w->db, fdp, NULL, 0, &leaked));
    assert_int_equal(leaked, 0);
}

static void
test_dead_nodes_when_passed_by_are_cleaned(void **state)
{
    struct world w;
    struct btree *t;
    uint64_t n, left;
    world_begin(&w, 4096, 128);
    uint32_t fdp = world_tree(&w, 1, 0);
    make_orphans(&w, fdp, 500);
    OK(btree_open(w.db, fdp, &t));
    OK(btree_count(w.s, t, 0, &n));
    assert_int_equal(n, 1);
    btree_close(t);
    OK(txn_cleanup(w.txn, 0, &left));
    assert_int_equal(left, 0);
    assert_one_page(&w, fdp);
    world_end(&w);
}

static void
test_dead_nodes_when_purged_are_gone(void **state)
{
    struct world w;
    struct btree *t;
    world_begin(&w, 4096, 128);
    uint32_t fdp = world_tree(&w, 1, 0);
    make_orphans(&w, fdp, 500);
    OK(btree_open(w.db, fdp, &t));
    OK(session_begin(w.s, 0));
    OK(btree_purge(w.s, t));
    OK(session_commit(w.s, JET_bitCommitLazyFlush, NULL));
    btree_close(t);
    assert_one_page(&w, fdp);
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dead_nodes_when_passed_by_are_cleaned),
        cmocka_unit_test(test_dead_nodes_when_purged_are_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
