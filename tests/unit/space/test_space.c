/* SPDX-License-Identifier: MIT */
/*
 * Space: where trees begin, rollback and drop give all back, fragmented OE and AE trees split and
 * join, nothing is given out twice, nothing is lost.
 */
#include "replay.h"

static int
setup(void **state)
{
    struct world *w = g_new0(struct world, 1);
    world_begin(w, 4096, 256);
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    world_end(*state);
    g_free(*state);
    return 0;
}

static JET_ERR
create(struct world *w, uint32_t parent, uint32_t pages, uint32_t flags, uint32_t *fdp)
{
    struct space_tree_spec spec = {.pgno_parent = parent,
                                   .objid = dbfile_objid_next(w->file),
                                   .pages = pages,
                                   .page_flags = flags};
    return space_create_tree(w->s, w->db, &spec, fdp);
}

static void
assert_whole(struct world *w, uint32_t fdp, const uint32_t *children, uint32_t n)
{
    uint64_t leaked;
    OK(space_check(w->db, fdp, children, n, &leaked));
    assert_int_equal(leaked, 0);
}

static void
cleanup(struct world *w)
{
    uint64_t left;
    OK(txn_cleanup(w->txn, 0, &left));
    assert_int_equal(left, 0);
}

static void
fill(struct world *w, uint32_t fdp, uint32_t n)
{
    struct btree *t;
    struct btree_cursor *c;
    uint8_t key[4], data[300] = {1};
    OK(btree_open(w->db, fdp, &t));
    OK(btree_cursor_open(w->s, t, &c));
    for (uint32_t i = 0; i < n; i++) {
        be32_put(key, i);
        OK(btree_insert(c, span_of(key, 4), span_of(data, sizeof data)));
    }
    btree_cursor_close(c);
    btree_close(t);
}

static void
test_create_when_database_is_new_puts_trees_where_ese_does(void **state)
{
    struct world *w = *state;
    static const struct {
        uint32_t parent, pages, flags, expect;
    } trees[] = {{1, 20, 0, 4},
                 {1, 5, 0, 24},
                 {4, 3, PAGE_FLAG_INDEX, 7},
                 {4, 3, PAGE_FLAG_INDEX, 10},
                 {1, 1, 0, 29},
                 {1, 1, 0, 32},
                 {1, 1, 0, 35}};
    OK(session_begin(w->s, 0));
    for (size_t i = 0; i < G_N_ELEMENTS(trees); i++) {
        uint32_t fdp;
        OK(create(w, trees[i].parent, trees[i].pages, trees[i].flags, &fdp));
        assert_int_equal(fdp, trees[i].expect);
    }
    OK(session_commit(w->s, 0, NULL));
    assert_whole(w, 1, (const uint32_t[]) {4, 24, 29, 32, 35}, 5);
    assert_whole(w, 4, (const uint32_t[]) {7, 10}, 2);
    uint32_t last, owned, available;
    OK(space_pgno_last(w->db, &last));
    assert_int_equal(last, 254);
    OK(space_info(w->db, 4, &owned, &available));
    assert_int_equal(owned, 20);
    assert_int_equal(available, 11);
}

static void
test_create_when_rolled_back_gives_all_back(void **state)
{
    struct world *w = *state;
    uint32_t fdp, index, owned, before, after;
    OK(space_info(w->db, 1, &owned, &before));
    OK(session_begin(w->s, 0));
    OK(create(w, 1, 3, 0, &fdp));
    OK(create(w, fdp, 3, PAGE_FLAG_INDEX | PAGE_FLAG_NON_UNIQUE, &index));
    OK(session_begin(w->s, 0));
    fill(w, fdp, 200);
    fill(w, index, 100);
    OK(session_commit(w->s, 0, NULL));
    OK(session_rollback(w->s, 0));
    cleanup(w);
    OK(space_info(w->db, 1, &owned, &after));
    assert_int_equal(owned - 254, after - before);
    assert_whole(w, 1, NULL, 0);
}

static void
test_delete_when_committed_gives_all_back_after_old_snapshots(void **state)
{
    struct world *w = *state;
    uint32_t fdp = world_tree(w, 1, 0), index = world_tree(w, fdp, PAGE_FLAG_INDEX);
    struct session *reader;
    uint64_t left;
    OK(session_begin(w->s, 0));
    fill(w, fdp, 300);
    fill(w, index, 300);
    OK(session_commit(w->s, 0, NULL));
    cleanup(w);
    OK(session_new(w->txn, &reader));
    OK(session_begin(reader, 0));
    OK(session_begin(w->s, 0));
    OK(space_delete_tree(w->s, w->db, index));
    OK(space_delete_tree(w->s, w->db, fdp));
    OK(session_commit(w->s, 0, NULL));
    OK(txn_cleanup(w->txn, 0, &left));
    assert_whole(w, 1, &fdp, 1);
    OK(session_commit(reader, 0, NULL));
    session_free(reader);
    cleanup(w);
    assert_whole(w, 1, NULL, 0);
}

static void
test_delete_when_rolled_back_keeps_the_tree(void **state)
{
    struct world *w = *state;
    uint32_t fdp = world_tree(w, 1, 0);
    OK(session_begin(w->s, 0));
    OK(space_delete_tree(w->s, w->db, fdp));
    OK(session_rollback(w->s, 0));
    cleanup(w);
    assert_whole(w, 1, &fdp, 1);
    assert_whole(w, fdp, NULL, 0);
}

/* 4 KiB pages hold some 290 extents: many trees fragment the root's AE over several pages. */
static void
fragment(struct world *w, uint32_t n, bool crash)
{
    g_autoptr(GArray) live = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    uint32_t *fdps = g_new0(uint32_t, n);
    for (uint32_t i = 0; i < n; i++) {
        OK(session_begin(w->s, 0));
        OK(create(w, 1, 3 + i % 4, 0, &fdps[i]));
        OK(session_commit(w->s, JET_bitCommitLazyFlush, NULL));
    }
    assert_whole(w, 1, fdps, n);
    for (uint32_t i = 0; i < n; i++) {
        if (i % 2) {
            g_array_append_val(live, fdps[i]);
            continue;
        }
        OK(session_begin(w->s, 0));
        OK(space_delete_tree(w->s, w->db, fdps[i]));
        OK(session_commit(w->s, JET_bitCommitLazyFlush, NULL));
    }
    cleanup(w);
    assert_whole(w, 1, (uint32_t *)live->data, live->len);
    if (crash) {
        session_free(g_steal_pointer(&w->s));
        world_crash(w, 256, n);
        OK(session_new(w->txn, &w->s));
        cleanup(w);
        assert_whole(w, 1, (uint32_t *)live->data, live->len);
    }
    for (guint i = 0; i < live->len; i++) {
        OK(session_begin(w->s, 0));
        OK(space_delete_tree(w->s, w->db, g_array_index(live, uint32_t, i)));
        OK(session_commit(w->s, JET_bitCommitLazyFlush, NULL));
    }
    cleanup(w);
    assert_whole(w, 1, NULL, 0);
    g_free(fdps);
}

static void
test_space_trees_when_fragmented_split_and_join(void **state)
{
    fragment(*state, 1500, false);
}

static void
test_space_trees_when_crashed_are_redone(void **state)
{
    fragment(*state, 1301, true);
}

/* Growth by tiny steps: OE gets many extents and splits. */
static void
test_owned_extents_when_many_split(void **state)
{
    struct world *w = *state;
    uint32_t a = world_tree(w, 1, 0), b = world_tree(w, 1, 0);
    for (uint32_t i = 0; i < 300; i++) {
        OK(session_begin(w->s, 0));
        uint32_t fdp;
        for (int k = 0; k < 2; k++)
            OK(create(w, k ? a : b, 60, PAGE_FLAG_INDEX, &fdp));
        OK(session_commit(w->s, JET_bitCommitLazyFlush, NULL));
    }
    uint32_t owned, available;
    OK(space_info(w->db, a, &owned, &available));
    assert_true(owned >= 300 * 60);
    OK(session_begin(w->s, 0));
    OK(space_delete_tree(w->s, w->db, a));
    OK(space_delete_tree(w->s, w->db, b));
    OK(session_commit(w->s, JET_bitCommitLazyFlush, NULL));
    cleanup(w);
    assert_whole(w, 1, NULL, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_create_when_database_is_new_puts_trees_where_ese_does,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_create_when_rolled_back_gives_all_back, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            test_delete_when_committed_gives_all_back_after_old_snapshots, setup, teardown),
        cmocka_unit_test_setup_teardown(test_delete_when_rolled_back_keeps_the_tree, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_space_trees_when_fragmented_split_and_join, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_space_trees_when_crashed_are_redone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_owned_extents_when_many_split, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
