/* SPDX-License-Identifier: MIT */
/*
 * Trees that grow over many pages and shrink to none, on all page sizes; the space adds up
 * throughout.
 */
#include "world.h"

struct grow {
    struct world w;
    uint32_t fdp;
    struct btree *t;
    struct btree_cursor *c;
};

static void
begin(struct grow *g, uint32_t page_bytes)
{
    world_begin(&g->w, page_bytes, 512);
    g->fdp = world_tree(&g->w, 1, 0);
    OK(btree_open(g->w.db, g->fdp, &g->t));
    OK(btree_cursor_open(g->w.s, g->t, &g->c));
}

static void
end(struct grow *g)
{
    btree_cursor_close(g->c);
    btree_close(g->t);
    world_end(&g->w);
}

static struct span
key_of(uint32_t n, uint8_t buf[8])
{
    be32_put(buf, n);
    be32_put(buf + 4, n * 7);
    return span_of(buf, 8);
}

static void
insert_range(struct grow *g, uint32_t from, uint32_t n, uint32_t stride, size_t data_cb)
{
    uint8_t key[8], data[2000];
    memset(data, 0xab, sizeof data);
    OK(session_begin(g->w.s, 0));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = (uint32_t)(((uint64_t)i * stride) % n) + from;
        le32_put(data, k);
        OK(btree_insert(g->c, key_of(k, key), span_of(data, data_cb)));
    }
    OK(session_commit(g->w.s, JET_bitCommitLazyFlush, NULL));
}

static void
check(struct grow *g, uint64_t expect)
{
    uint64_t entries, pages, leaked;
    OK(btree_check(g->t, NULL, NULL, &pages, &entries));
    assert_int_equal(entries, expect);
    OK(space_check(g->w.db, g->fdp, NULL, 0, &leaked));
    assert_int_equal(leaked, 0);
    OK(space_check(g->w.db, 1, &g->fdp, 1, &leaked));
    assert_int_equal(leaked, 0);
}

static void
walk(struct grow *g, uint32_t from, uint32_t n)
{
    uint8_t key[8];
    JET_ERR err = btree_first(g->c);
    for (uint32_t i = from; i < from + n; i++) {
        OK(err);
        assert_memory_equal(btree_cursor_key(g->c).data, key_of(i, key).data, 8);
        assert_int_equal(le32_get(btree_cursor_data(g->c).data), i);
        err = btree_next(g->c);
    }
    assert_int_equal(err, JET_errNoCurrentRecord);
    for (uint32_t i = from + n; i-- > from;) {
        OK(btree_prev(g->c));
        assert_memory_equal(btree_cursor_key(g->c).data, key_of(i, key).data, 8);
    }
    assert_int_equal(btree_prev(g->c), JET_errNoCurrentRecord);
}

static void
delete_all(struct grow *g)
{
    uint64_t left;
    OK(session_begin(g->w.s, 0));
    JET_ERR err;
    for (err = btree_first(g->c); err >= 0; err = btree_next(g->c))
        OK(btree_delete(g->c));
    assert_int_equal(err, JET_errNoCurrentRecord);
    OK(session_commit(g->w.s, JET_bitCommitLazyFlush, NULL));
    OK(txn_cleanup(g->w.txn, 0, &left));
    assert_int_equal(left, 0);
}

static void
grow_and_shrink(uint32_t page_bytes, uint32_t n, uint32_t stride, size_t data_cb)
{
    struct grow g;
    begin(&g, page_bytes);
    insert_range(&g, 1000, n, stride, data_cb);
    check(&g, n);
    walk(&g, 1000, n);
    delete_all(&g);
    check(&g, 0);
    insert_range(&g, 0, n / 2, stride, data_cb);
    check(&g, n / 2);
    walk(&g, 0, n / 2);
    OK(cache_flush(g.w.file));
    end(&g);
}

static void
test_tree_when_appended_grows_and_shrinks(void **state)
{
    grow_and_shrink(4096, 20000, 1, 40);
    grow_and_shrink(8192, 20000, 1, 40);
    grow_and_shrink(16384, 5000, 1, 100);
    grow_and_shrink(32768, 5000, 1, 100);
}

static void
test_tree_when_inserted_at_random_grows_and_shrinks(void **state)
{
    grow_and_shrink(4096, 20000, 7919, 40);
    grow_and_shrink(8192, 10000, 7919, 100);
    grow_and_shrink(32768, 5000, 7919, 200);
}

static void
test_tree_when_backwards_and_big_grows_to_three_levels(void **state)
{
    grow_and_shrink(4096, 4001, 3999, 1900);
    grow_and_shrink(8192, 4001, 3999, 1900);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree_when_appended_grows_and_shrinks),
        cmocka_unit_test(test_tree_when_inserted_at_random_grows_and_shrinks),
        cmocka_unit_test(test_tree_when_backwards_and_big_grows_to_three_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
