/* SPDX-License-Identifier: MIT */
#include "latency.h"
#include "ledger.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static char *path;
static int fd;

static int
setup(void **state)
{
    path = g_strdup_printf("%s/ledger-%d", g_get_tmp_dir(), getpid());
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    return fd < 0;
}

static int
teardown(void **state)
{
    close(fd);
    g_unlink(path);
    g_free(path);
    return 0;
}

static void
commit(uint64_t id, int thread, int64_t seq, bool durable)
{
    const struct effect e = {.kind = KIND_TRANSFER, .a = 3, .b = 4, .amount = -5};
    assert_int_equal(ledger_append_commit(fd, id, thread, seq, durable, &e), 0);
}

static const struct ledger_entry *
entry(const struct ledger *l, int thread, guint seq)
{
    return &g_array_index(l->entries[thread], struct ledger_entry, seq - 1);
}

static void
test_read_whole_returns_what_was_written(void **state)
{
    struct ledger l;
    ledger_append_accounts(fd, 1000);
    ledger_append_run(fd, 0, 0);
    commit(0x100020003u, 0, 1, true);
    commit(0x100020009u, 0, 2, false);
    ledger_append_end(fd);
    assert_true(ledger_read(&l, path));
    assert_int_equal(l.accounts, 1000);
    assert_true(l.ended);
    assert_int_equal(l.entries[0]->len, 2);
    assert_int_equal(entry(&l, 0, 1)->commit_id, 0x100020003u);
    assert_true(entry(&l, 0, 1)->durable);
    assert_false(entry(&l, 0, 2)->durable);
    assert_int_equal(entry(&l, 0, 2)->effect.amount, -5);
    ledger_free(&l);
}

static void
test_read_unfinished_line_is_ignored(void **state)
{
    struct ledger l;
    ledger_append_accounts(fd, 2);
    commit(7, 0, 1, true);
    assert_int_equal(write(fd, "000000000000000", 15), 15);
    assert_true(ledger_read(&l, path));
    assert_int_equal(l.entries[0]->len, 1);
    assert_false(l.ended);
    ledger_free(&l);
}

static void
test_read_gap_in_sequence_fails(void **state)
{
    struct ledger l;
    ledger_append_accounts(fd, 2);
    commit(7, 0, 1, true);
    commit(9, 0, 3, true);
    assert_false(ledger_read(&l, path));
}

static void
test_read_second_run_forgets_what_was_lost(void **state)
{
    struct ledger l;
    ledger_append_accounts(fd, 2);
    commit(7, 0, 1, false);
    commit(9, 0, 2, false);
    ledger_append_run(fd, 0, 1);
    commit(11, 0, 2, true);
    assert_true(ledger_read(&l, path));
    assert_int_equal(l.entries[0]->len, 2);
    assert_true(entry(&l, 0, 1)->durable);
    assert_int_equal(entry(&l, 0, 2)->commit_id, 11);
    ledger_free(&l);
}

static void
test_read_second_run_knows_one_more(void **state)
{
    struct ledger l;
    ledger_append_accounts(fd, 2);
    commit(7, 0, 1, true);
    ledger_append_run(fd, 0, 2);
    assert_true(ledger_read(&l, path));
    assert_int_equal(l.entries[0]->len, 2);
    assert_int_equal(entry(&l, 0, 2)->commit_id, 0);
    assert_int_equal(entry(&l, 0, 2)->effect.kind, 0);
    ledger_free(&l);
}

static void
test_percentile_is_within_a_bucket(void **state)
{
    static struct latency l;
    for (uint64_t us = 1; us <= 10000; us++)
        latency_add(&l, us);
    assert_int_equal(latency_count(&l), 10000);
    assert_in_range(latency_percentile(&l, 0.50), 5000, 5400);
    assert_in_range(latency_percentile(&l, 0.99), 9900, 10000);
    assert_int_equal(latency_percentile(&l, 1.0), 10000);
}

static void
test_percentile_of_nothing_is_zero(void **state)
{
    static struct latency l;
    assert_int_equal(latency_percentile(&l, 0.99), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_read_whole_returns_what_was_written, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_unfinished_line_is_ignored, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_gap_in_sequence_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_second_run_forgets_what_was_lost, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_read_second_run_knows_one_more, setup, teardown),
        cmocka_unit_test(test_percentile_is_within_a_bucket),
        cmocka_unit_test(test_percentile_of_nothing_is_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
