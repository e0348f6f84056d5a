/* SPDX-License-Identifier: MIT */
/* spare: a page was fetched for a split that another session's commit made needless. */
#include "world.h"

#include <string.h>

#include "btree/internal.h"

static struct btree_space_ops real_ops;
static struct session *holder; /* commits while the page is fetched */

static JET_ERR
get_pages_while_holder_commits(void *ctx, struct session *s, struct btree *t, uint32_t near,
                               uint32_t n, uint32_t *pgnos)
{
    if (holder) {
        struct session *h = holder;
        holder = NULL;
        OK(session_commit(h, JET_bitCommitLazyFlush, NULL));
    }
    return real_ops.get_pages(ctx, s, t, near, n, pgnos);
}

static void
insert(struct session *s, struct btree *t, const char *key, size_t bytes)
{
    uint8_t data[4096];
    struct btree_cursor *c;
    memset(data, key[0], sizeof(data));
    OK(session_begin(s, 0));
    OK(btree_cursor_open(s, t, &c));
    OK(btree_insert(c, span_of(key, strlen(key)), span_of(data, bytes)));
    btree_cursor_close(c);
    OK(session_commit(s, JET_bitCommitLazyFlush, NULL));
}

static void
test_spare_page_goes_back_without_the_leaf_latched(void **state)
{
    struct world w;
    struct session *other;
    struct btree *t;
    struct btree_cursor *c;
    uint32_t fdp, owned, available, owned_after, available_after;
    world_begin(&w, 4096, 256);
    struct space_tree_spec spec = {.pgno_parent = SPACE_FDP_SYSTEM, .objid = 50, .pages = 8};
    OK(session_begin(w.s, 0));
    OK(space_create_tree(w.s, w.db, &spec, &fdp));
    OK(session_commit(w.s, 0, NULL));
    OK(btree_open(w.db, fdp, &t));
    insert(w.s, t, "a", 2000);
    insert(w.s, t, "c", 1400);
    OK(space_info(w.db, fdp, &owned, &available));

    /* 1900 bytes stay reserved until the other session has committed. */
    OK(session_new(w.txn, &other));
    OK(session_begin(other, 0));
    OK(btree_cursor_open(other, t, &c));
    OK(btree_seek(c, span_of("a", 1), BTREE_EQ));
    OK(btree_replace(c, span_of("small", 5)));
    btree_cursor_close(c);

    real_ops = w.db->space;
    struct btree_space_ops ops = real_ops;
    ops.get_pages = get_pages_while_holder_commits;
    btree_db_set_space(w.db, &ops);
    holder = other;
    insert(w.s, t, "b", 1500);
    assert_null(holder); /* the page was asked for */
    btree_db_set_space(w.db, &real_ops);

    insert(w.s, t, "d", 10); /* the root can be latched again */
    uint64_t pages = 0, entries = 0;
    OK(btree_check(t, NULL, NULL, &pages, &entries));
    assert_int_equal(pages, 1);
    assert_int_equal(entries, 4);
    OK(space_info(w.db, fdp, &owned_after, &available_after));
    assert_int_equal(owned_after, owned);
    assert_int_equal(available_after, available);
    btree_close(t);
    session_free(other);
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spare_page_goes_back_without_the_leaf_latched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
