/* SPDX-License-Identifier: MIT */
/*
 * Fault loops: a page that cannot be read, a log that cannot be written. An operation that fails
 * has changed nothing; what was acknowledged is there after recovery.
 */
#include <errno.h>

#include "replay.h"

#define BATCH 12

static struct span
key_of(uint32_t n, uint8_t buf[8])
{
    be32_put(buf, n * 2654435761u);
    be32_put(buf + 4, n);
    return span_of(buf, 8);
}

static JET_ERR
insert(struct btree_cursor *c, uint32_t n)
{
    uint8_t key[8], data[700];
    size_t len = 4 + n * 131 % 690;
    memset(data, (int)n & 0xff, sizeof data);
    le32_put(data, n);
    return btree_insert(c, key_of(n, key), span_of(data, len));
}

static uint64_t
count(struct world *w, uint32_t fdp)
{
    struct btree *t;
    uint64_t n;
    OK(btree_open(w->db, fdp, &t));
    OK(btree_check(t, NULL, NULL, NULL, NULL));
    OK(btree_count(w->s, t, 0, &n));
    btree_close(t);
    return n;
}

static void
assert_sound(struct world *w, uint32_t fdp)
{
    uint64_t leaked;
    OK(space_check(w->db, fdp, NULL, 0, &leaked));
    assert_int_equal(leaked, 0);
}

/* Rows come, and old ones go, until a read fails. */
static JET_ERR
batch(struct world *w, struct btree_cursor *c, uint32_t from)
{
    JET_ERR err = JET_errSuccess;
    for (uint32_t i = 0; i < BATCH && err >= 0; i++) {
        uint8_t key[8];
        err = insert(c, from + i);
        if (err >= 0 && i == 0 && from >= 40 * BATCH) {
            err = btree_seek(c, key_of(from - 40 * BATCH, key), BTREE_EQ);
            if (err >= 0)
                err = btree_delete(c);
        }
    }
    return err;
}

static void
test_changes_when_a_read_fails_leave_all_as_it_was(void **state)
{
    struct world w;
    world_begin(&w, 4096, 64);
    uint32_t fdp = world_tree(&w, 1, 0), done = 0, failed = 0;
    struct btree *t;
    struct btree_cursor *c;
    OK(btree_open(w.db, fdp, &t));
    OK(btree_cursor_open(w.s, t, &c));
    for (uint64_t round = 0; round < 400; round++) {
        OK(session_begin(w.s, 0));
        os_fault_arm(&(struct os_fault) {
            .calls = OS_CALL_READ, .nth = 1 + round % 23, .errnum = EIO, .path_part = "t.edb"});
        JET_ERR err = batch(&w, c, done * BATCH);
        os_fault_arm(NULL);
        if (err >= 0) {
            OK(session_commit(w.s, JET_bitCommitLazyFlush, NULL));
            done++;
        } else {
            assert_int_equal(err, JET_errDiskIO);
            OK(session_rollback(w.s, 0));
            failed++;
        }
        if (round % 10 == 0)
            OK(txn_cleanup(w.txn, 0, NULL));
        if (round % 50 == 0)
            OK(btree_check(t, NULL, NULL, NULL, NULL));
    }
    assert_true(done > 50 && failed > 50);
    btree_cursor_close(c);
    btree_close(t);
    OK(txn_cleanup(w.txn, 0, NULL));
    uint32_t deleted = done > 40 ? done - 40 : 0;
    assert_int_equal(count(&w, fdp), done * BATCH - deleted);
    assert_sound(&w, fdp);
    world_end(&w);
}

static void
test_insert_when_the_disk_is_full_fails_and_goes_on_later(void **state)
{
    struct world w;
    world_begin(&w, 4096, 16384); /* so large that no page is written: only growth writes */
    uint32_t fdp = world_tree(&w, 1, 0), n = 0;
    struct btree *t;
    struct btree_cursor *c;
    OK(btree_open(w.db, fdp, &t));
    OK(btree_cursor_open(w.s, t, &c));
    for (int round = 0; round < 3; round++) {
        JET_ERR err = JET_errSuccess;
        os_fault_arm(&(struct os_fault) {.calls = OS_CALL_WRITE,
                                         .nth = 1,
                                         .persistent = true,
                                         .errnum = ENOSPC,
                                         .path_part = "t.edb"});
        OK(session_begin(w.s, 0));
        while (err >= 0 && n < 20000) {
            err = insert(c, n);
            n += err >= 0;
        }
        assert_int_equal(err, JET_errDiskFull);
        OK(session_commit(w.s, JET_bitCommitLazyFlush, NULL));
        os_fault_arm(NULL);
        assert_sound(&w, fdp);
        OK(session_begin(w.s, 0));
        for (int i = 0; i < 300; i++)
            OK(insert(c, n++));
        OK(session_commit(w.s, JET_bitCommitLazyFlush, NULL));
    }
    btree_cursor_close(c);
    btree_close(t);
    assert_int_equal(count(&w, fdp), n);
    assert_sound(&w, fdp);
    uint64_t leaked;
    OK(space_check(w.db, 1, &fdp, 1, &leaked));
    assert_int_equal(leaked, 0);
    world_end(&w);
}

/* false: the fault did not strike any more. */
static bool
log_fault_at(uint64_t nth)
{
    struct world w;
    world_begin(&w, 4096, 64);
    uint32_t fdp = world_tree(&w, 1, 0), acked = 0;
    struct btree *t;
    struct btree_cursor *c;
    OK(btree_open(w.db, fdp, &t));
    OK(btree_cursor_open(w.s, t, &c));
    OK(log_flush_all(w.log));
    os_fault_arm(&(struct os_fault) {.calls = OS_CALL_WRITE | OS_CALL_SYNC,
                                     .nth = nth,
                                     .persistent = true,
                                     .torn = nth % 2 == 0,
                                     .errnum = EIO,
                                     .path_part = ".log"});
    for (uint32_t i = 0; i < 12; i++) {
        OK(session_begin(w.s, 0));
        JET_ERR err = batch(&w, c, i * BATCH);
        if (err >= 0)
            err = session_commit(w.s, 0, NULL);
        if (err < 0) {
            if (session_level(w.s) > 0)
                assert_int_equal(session_rollback(w.s, 0), JET_errRollbackError);
            break;
        }
        acked++;
    }
    bool struck = os_fault_count() >= nth;
    os_fault_arm(NULL);
    btree_cursor_close(c);
    btree_close(t);
    session_free(g_steal_pointer(&w.s));
    world_crash(&w, 64, (uint32_t)nth);
    OK(session_new(w.txn, &w.s));
    OK(txn_cleanup(w.txn, 0, NULL));
    uint64_t n = count(&w, fdp);
    assert_true(n == acked * BATCH || n == (acked + 1) * BATCH);
    world_end(&w);
    return struck;
}

static void
test_log_when_it_fails_loses_nothing_acknowledged(void **state)
{
    for (uint64_t nth = 1; nth < 200; nth++)
        if (!log_fault_at(nth))
            return;
    fail_msg("the fault loop did not end");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes_when_a_read_fails_leave_all_as_it_was),
        cmocka_unit_test(test_insert_when_the_disk_is_full_fails_and_goes_on_later),
        cmocka_unit_test(test_log_when_it_fails_loses_nothing_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
