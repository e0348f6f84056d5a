/* SPDX-License-Identifier: MIT */
/*
 * Sessions without trees: levels, error codes, what the log sees of them, when versions go.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "log/reader.h"
#include "log/record.h"
#include "log/stream.h"
#include "txn/session.h"
#include "txn/version.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)

struct fixture {
    char *dir;
    struct log *log;
    struct txn *txn;
    struct session *s;
    struct version_map map;
    GString *calls; /* upcalls, by their oper and key */
    JET_ERR undo_err;
};

static JET_ERR
on_undo(void *ctx, struct session *s, struct rce *r)
{
    struct fixture *fx = ctx;
    g_string_append_printf(fx->calls, "u%c", r->bookmark.key.data[0]);
    version_remove(r);
    return fx->undo_err;
}

static JET_ERR
on_cleanup(void *ctx, struct session *s, struct rce *r)
{
    struct fixture *fx = ctx;
    assert_true(session_level(s) > 0);
    g_string_append_printf(fx->calls, "c%c", r->bookmark.key.data[0]);
    version_remove(r);
    return JET_errSuccess;
}

static int
setup(void **state)
{
    struct fixture *fx = g_new0(struct fixture, 1);
    fx->dir = g_dir_make_tmp("txn-XXXXXX", NULL);
    struct log_config cfg = {
        .dir = fx->dir, .base = "edb", .eight_dot_three = true, .file_kib = 64, .page_bytes = 4096};
    OK(log_create(&cfg, &fx->log));
    struct txn_config tc = {
        .log = fx->log, .ops = {on_undo, on_cleanup, fx}, .version_bytes_max = 100000};
    OK(txn_new(&tc, &fx->txn));
    OK(session_new(fx->txn, &fx->s));
    version_map_init(&fx->map, true);
    fx->calls = g_string_new(NULL);
    *state = fx;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *fx = *state;
    session_free(fx->s);
    version_map_clear(fx->txn, &fx->map);
    txn_free(fx->txn);
    (void)log_close(fx->log, false);
    GDir *d = g_dir_open(fx->dir, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(d))) {
        g_autofree char *path = g_build_filename(fx->dir, name, NULL);
        g_unlink(path);
    }
    g_dir_close(d);
    g_rmdir(fx->dir);
    g_string_free(fx->calls, TRUE);
    g_free(fx->dir);
    g_free(fx);
    return 0;
}

static struct rce *
change(struct fixture *fx, struct session *s, enum rce_oper oper, const char *key,
       const char *before)
{
    struct rce *r;
    OK(session_log_begin(s));
    OK(rce_new(s, oper, span_of(key, 1), span_of(NULL, 0),
               span_of(before, before ? strlen(before) : 0), &r));
    version_add(&fx->map, s, r);
    return r;
}

/* The log's records of the session, one letter each. */
static char *
logged(struct fixture *fx)
{
    GString *out = g_string_new(NULL);
    struct log_reader_opts opts = {.expect = {.gen = 1,
                                              .signature = log_signature(fx->log),
                                              .page_bytes = 4096,
                                              .file_bytes = log_file_bytes(fx->log)},
                                   .last = true};
    struct log_reader *reader;
    struct span record;
    struct lgpos at;
    g_autofree char *path = log_gen_path(fx->log, 1);
    OK(log_flush_all(fx->log));
    OK(log_reader_open(path, &opts, &reader));
    log_reader_seek(reader, LGPOS_MIN);
    while (log_reader_next(reader, &record, &at) == 1) {
        struct lr lr;
        OK(lr_decode(record.data, record.len, &lr, NULL));
        switch (lr.type) {
        case LR_BEGIN0:
            g_string_append_printf(out, "B0:%u ", lr.tx.levels);
            break;
        case LR_BEGIN:
            g_string_append_printf(out, "B%u:%u ", lr.tx.level, lr.tx.levels);
            break;
        case LR_COMMIT:
            g_string_append_printf(out, "C%u ", lr.tx.level);
            break;
        case LR_COMMIT0:
            g_string_append(out, "C0 ");
            break;
        case LR_ROLLBACK:
            g_string_append_printf(out, "R%u ", lr.tx.level);
            break;
        }
    }
    log_reader_close(reader);
    return g_string_free(out, FALSE);
}

static void
test_levels_when_wrong_give_their_errors(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(session_commit(fx->s, 0, NULL), JET_errNotInTransaction);
    assert_int_equal(session_rollback(fx->s, 0), JET_errNotInTransaction);
    assert_int_equal(session_log_begin(fx->s), JET_errNotInTransaction);
    for (int i = 0; i < TXN_LEVEL_MAX; i++)
        OK(session_begin(fx->s, 0));
    assert_int_equal(session_begin(fx->s, 0), JET_errTransTooDeep);
    assert_int_equal(session_commit(fx->s, JET_bitWaitLastLevel0Commit, NULL),
                     JET_errInTransaction);
    OK(session_rollback(fx->s, JET_bitRollbackAll));
    assert_int_equal(session_level(fx->s), 0);
    OK(session_commit(fx->s, JET_bitWaitLastLevel0Commit, NULL));
    OK(session_commit(fx->s, JET_bitWaitAllLevel0Commit, NULL));
}

static void
test_begin_when_nothing_changes_leaves_no_trace(void **state)
{
    struct fixture *fx = *state;
    uint64_t id = 7;
    OK(session_begin(fx->s, 0));
    OK(session_begin(fx->s, 0));
    OK(session_commit(fx->s, 0, NULL));
    OK(session_commit(fx->s, 0, &id));
    assert_int_equal(id, 0);
    g_autofree char *trace = logged(fx);
    assert_string_equal(trace, "");
}

static void
test_change_when_read_only_is_refused(void **state)
{
    struct fixture *fx = *state;
    OK(session_begin(fx->s, JET_bitTransactionReadOnly));
    OK(session_begin(fx->s, 0));
    assert_int_equal(session_log_begin(fx->s), JET_errTransReadOnly);
    OK(session_rollback(fx->s, JET_bitRollbackAll));
    OK(session_begin(fx->s, 0));
    OK(session_log_begin(fx->s));
    OK(session_rollback(fx->s, 0));
}

static void
test_begin_when_deferred_stands_for_its_levels(void **state)
{
    struct fixture *fx = *state;
    uint64_t id = 0, id2 = 0;
    OK(session_begin(fx->s, 0));
    OK(session_begin(fx->s, 0));
    change(fx, fx->s, RCE_INSERT, "a", NULL);
    OK(session_begin(fx->s, 0));
    OK(session_begin(fx->s, 0));
    OK(session_rollback(fx->s, 0));
    change(fx, fx->s, RCE_INSERT, "b", NULL);
    OK(session_commit(fx->s, 0, NULL));
    OK(session_commit(fx->s, 0, NULL));
    OK(session_commit(fx->s, 0, &id));
    g_autofree char *trace = logged(fx);
    assert_string_equal(trace, "B0:2 B2:1 C2 C1 C0 ");
    OK(session_begin(fx->s, 0));
    change(fx, fx->s, RCE_INSERT, "c", NULL);
    OK(session_commit(fx->s, JET_bitCommitLazyFlush, &id2));
    assert_true(id != 0 && id2 > id);
}

static void
test_rollback_when_nested_undoes_newest_first_and_only_its_level(void **state)
{
    struct fixture *fx = *state;
    OK(session_begin(fx->s, 0));
    change(fx, fx->s, RCE_INSERT, "a", NULL);
    OK(session_begin(fx->s, 0));
    change(fx, fx->s, RCE_INSERT, "b", NULL);
    OK(session_begin(fx->s, 0));
    change(fx, fx->s, RCE_INSERT, "c", NULL);
    OK(session_commit(fx->s, 0, NULL));
    change(fx, fx->s, RCE_INSERT, "d", NULL);
    OK(session_rollback(fx->s, 0));
    assert_string_equal(fx->calls->str, "uducub");
    OK(session_rollback(fx->s, 0));
    assert_string_equal(fx->calls->str, "uducubua");
    assert_int_equal(fx->map.count, 0);
    assert_int_equal(txn_version_bytes(fx->txn), 0);
}

static void
test_rollback_when_undo_fails_says_so_and_ends(void **state)
{
    struct fixture *fx = *state;
    OK(session_begin(fx->s, 0));
    change(fx, fx->s, RCE_INSERT, "a", NULL);
    fx->undo_err = JET_errDiskIO;
    assert_int_equal(session_rollback(fx->s, 0), JET_errRollbackError);
    assert_int_equal(session_level(fx->s), 0);
}

static void
test_cleanup_when_a_snapshot_is_older_waits(void **state)
{
    struct fixture *fx = *state;
    struct session *reader;
    uint64_t left;
    OK(session_new(fx->txn, &reader));
    OK(session_begin(reader, 0));
    OK(session_begin(fx->s, 0));
    struct rce *r = change(fx, fx->s, RCE_FLAG_DELETE, "a", NULL);
    assert_false(rce_visible(r, reader));
    assert_true(rce_visible(r, fx->s));
    OK(session_commit(fx->s, JET_bitCommitLazyFlush, NULL));
    assert_false(rce_visible(r, reader));
    OK(txn_cleanup(fx->txn, 0, &left));
    assert_int_equal(left, 1);
    OK(session_commit(reader, 0, NULL));
    assert_true(rce_visible(r, reader));
    OK(txn_cleanup(fx->txn, 0, &left));
    assert_int_equal(left, 0);
    assert_string_equal(fx->calls->str, "ca");
    session_free(reader);
}

static void
test_write_when_another_was_first_conflicts(void **state)
{
    struct fixture *fx = *state;
    struct session *other;
    OK(session_new(fx->txn, &other));
    OK(session_begin(other, 0));
    OK(session_begin(fx->s, 0));
    struct rce *r = change(fx, fx->s, RCE_REPLACE, "a", "old");
    assert_int_equal(version_check_write(r, other), JET_errWriteConflict);
    OK(version_check_write(r, fx->s));
    OK(session_commit(fx->s, JET_bitCommitLazyFlush, NULL));
    assert_int_equal(version_check_write(r, other), JET_errWriteConflict);
    OK(session_rollback(other, 0));
    OK(session_begin(other, 0));
    OK(version_check_write(r, other));
    OK(session_rollback(other, 0));
    session_free(other);
}

static void
test_view_when_replaced_and_counted_is_the_snapshots(void **state)
{
    struct fixture *fx = *state;
    struct session *reader, *adder;
    struct version_view view;
    uint8_t page[4], copy[4];
    OK(session_new(fx->txn, &reader));
    OK(session_new(fx->txn, &adder));
    OK(session_begin(reader, 0));
    OK(session_begin(fx->s, 0));
    OK(session_begin(adder, 0));
    struct rce *a = change(fx, fx->s, RCE_DELTA, "n", NULL);
    a->delta = 5;
    struct rce *b = change(fx, adder, RCE_DELTA, "n", NULL);
    b->delta = 100;
    le32_put(page, 1105); /* 1000 and both */
    const struct rce *newest = version_find(&fx->map, span_of("n", 1), span_of(NULL, 0));
    assert_ptr_equal(newest, b);
    static const struct {
        int who;
        uint32_t sees;
    } views[] = {{0, 1000}, {1, 1005}, {2, 1100}};
    struct session *who[] = {reader, fx->s, adder};
    for (size_t i = 0; i < G_N_ELEMENTS(views); i++) {
        version_view(newest, who[views[i].who], false, span_of(page, 4), &view);
        memcpy(copy, view.data.data, 4);
        version_undo_deltas(&view, who[views[i].who], copy);
        assert_int_equal(le32_get(copy), views[i].sees);
    }
    OK(version_check_delta(newest, reader));
    assert_int_equal(version_check_write(newest, fx->s), JET_errWriteConflict);
    OK(session_rollback(adder, 0));
    OK(session_rollback(fx->s, 0));
    OK(session_commit(reader, 0, NULL));
    session_free(reader);
    session_free(adder);
}

static void
test_versions_when_too_many_are_refused(void **state)
{
    struct fixture *fx = *state;
    struct rce *r;
    g_autofree uint8_t *big = g_malloc0(60000);
    OK(session_begin(fx->s, 0));
    OK(session_log_begin(fx->s));
    OK(rce_new(fx->s, RCE_REPLACE, span_of("k", 1), span_of(NULL, 0), span_of(big, 60000), &r));
    struct rce *second;
    assert_int_equal(rce_new(fx->s, RCE_REPLACE, span_of("k", 1), span_of(NULL, 0),
                             span_of(big, 60000), &second),
                     JET_errVersionStoreOutOfMemory);
    rce_free(r);
    OK(session_rollback(fx->s, 0));
}

static void
test_oldest_begin0_when_open_is_the_first_begin_record(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(lgpos_cmp(txn_oldest_begin0(fx->txn), LGPOS_MAX), 0);
    OK(session_begin(fx->s, 0));
    assert_int_equal(lgpos_cmp(txn_oldest_begin0(fx->txn), LGPOS_MAX), 0);
    change(fx, fx->s, RCE_INSERT, "a", NULL);
    struct lgpos at = txn_oldest_begin0(fx->txn);
    assert_int_equal(lgpos_cmp(at, session_begin0_lgpos(fx->s)), 0);
    assert_int_equal(at.gen, 1);
    OK(session_commit(fx->s, JET_bitCommitLazyFlush, NULL));
    assert_int_equal(lgpos_cmp(txn_oldest_begin0(fx->txn), LGPOS_MAX), 0);
}

static void
test_numbers_when_they_wrap_keep_their_order(void **state)
{
    assert_true(trx_before(0xfffffffcu, 4));
    assert_false(trx_before(4, 0xfffffffcu));
    struct fixture *fx = *state;
    txn_raise_trx(fx->txn, 0x7ffffff0u);
    txn_raise_trx(fx->txn, 0xfffffff0u);
    for (int i = 0; i < 10; i++) {
        OK(session_begin(fx->s, 0));
        change(fx, fx->s, RCE_INSERT, "a", NULL);
        assert_int_not_equal(session_begin0(fx->s), 0);
        OK(session_commit(fx->s, JET_bitCommitLazyFlush, NULL));
    }
    uint64_t left;
    OK(txn_cleanup(fx->txn, 0, &left));
    assert_int_equal(left, 0);
}

/* A log that a restore replays may name every procid there is. */
static void
test_redo_sessions_are_not_limited(void **state)
{
    (void)state;
    struct txn *txn;
    struct session *s;
    struct txn_config tc = {.sessions_max = 2};
    OK(txn_new(&tc, &txn));
    for (uint32_t procid = 1; procid < 0xffff; procid++)
        OK(txn_redo_session(txn, (uint16_t)procid, &s));
    txn_redo_end(txn);
    txn_free(txn);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_redo_sessions_are_not_limited),
        T(test_levels_when_wrong_give_their_errors),
        T(test_begin_when_nothing_changes_leaves_no_trace),
        T(test_change_when_read_only_is_refused),
        T(test_begin_when_deferred_stands_for_its_levels),
        T(test_rollback_when_nested_undoes_newest_first_and_only_its_level),
        T(test_rollback_when_undo_fails_says_so_and_ends),
        T(test_cleanup_when_a_snapshot_is_older_waits),
        T(test_write_when_another_was_first_conflicts),
        T(test_view_when_replaced_and_counted_is_the_snapshots),
        T(test_versions_when_too_many_are_refused),
        T(test_oldest_begin0_when_open_is_the_first_begin_record),
        T(test_numbers_when_they_wrap_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
