/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "copies.h"
#include "backup/restore_check.h"

static int
setup(void **state)
{
    static struct copies c;
    copies_make(&c);
    *state = &c;
    return 0;
}

static int
teardown(void **state)
{
    copies_free(*state);
    return 0;
}

static JET_ERR
check_logs(const struct copies *c, int32_t low, int32_t high, struct restore_logs *logs)
{
    struct log_gens found;
    *logs = (struct restore_logs) {.gen_low = low, .gen_high = high};
    JET_ERR err = log_gens_find(c->dir, "edb", "log", &found);
    if (err < 0)
        return err;
    err = restore_check_logs(&found, NULL, logs);
    log_gens_clear(&found);
    return err;
}

static JET_ERR
check_db(const struct copies *c, int32_t low, int32_t high)
{
    struct restore_logs logs;
    struct copyset_db db;
    JET_ERR err = check_logs(c, 1, COPY_LOGS, &logs);
    assert_int_equal(err, JET_errSuccess);
    logs.gen_low = low;
    logs.gen_high = high;
    assert_int_equal(copyset_db_read(c->db, &db), JET_errSuccess);
    err = restore_check_db(&db, &logs, NULL);
    copyset_db_clear(&db);
    return err;
}

static void
test_logs_whole_chain_is_good(void **state)
{
    const struct copies *c = *state;
    struct restore_logs logs;
    assert_int_equal(check_logs(c, 1, COPY_LOGS, &logs), JET_errSuccess);
    assert_memory_equal(logs.signature, c->sign_log, sizeof c->sign_log);
    assert_int_equal(logs.page_bytes, COPY_PAGE);
    assert_int_equal(logs.bytes, COPY_LOGS * 64 * 1024);
}

static void
test_logs_missing_one_is_not_found(void **state)
{
    const struct copies *c = *state;
    struct restore_logs logs;
    g_autofree char *log = copies_log(c, 2);
    g_unlink(log);
    assert_int_equal(check_logs(c, 1, 3, &logs), JET_errFileNotFound);
    assert_int_equal(check_logs(c, 3, 3, &logs), JET_errSuccess);
    assert_int_equal(check_logs(c, 3, 4, &logs), JET_errFileNotFound);
    assert_int_equal(check_logs(c, 0, 0, &logs), JET_errFileNotFound);
}

static void
test_logs_of_another_stream_are_refused(void **state)
{
    const struct copies *c = *state;
    struct copies other;
    struct restore_logs logs;
    copies_make(&other);
    g_autofree char *from = copies_log(&other, 3);
    g_autofree char *to = copies_log(c, 3);
    assert_int_equal(g_rename(from, to), 0);
    copies_free(&other);
    assert_int_equal(check_logs(c, 1, 3, &logs), JET_errBadLogSignature);
}

static void
test_log_dir_that_does_not_go_on_is_refused(void **state)
{
    const struct copies *c = *state;
    struct log_gens found;
    struct restore_logs logs;
    assert_int_equal(log_gens_find(c->dir, "edb", "log", &found), 0);
    assert_int_equal(check_logs(c, 1, 2, &logs), JET_errSuccess);
    assert_int_equal(restore_check_log_dir(&found, &logs, NULL), JET_errSuccess);
    logs.last_created++;
    assert_int_equal(restore_check_log_dir(&found, &logs, NULL),
                     JET_errExistingLogFileIsNotContiguous);
    logs.signature[0] ^= 1;
    assert_int_equal(restore_check_log_dir(&found, &logs, NULL),
                     JET_errExistingLogFileHasBadSignature);
    log_gens_clear(&found);
}

static void
test_db_with_its_logs_is_good(void **state)
{
    assert_int_equal(check_db(*state, 1, COPY_LOGS), JET_errSuccess);
}

static void
test_db_without_backup_mark_is_refused(void **state)
{
    struct copies *c = *state;
    copies_write_db(c, 0, 3);
    assert_int_equal(check_db(c, 1, 3), JET_errRestoreOfNonBackupDatabase);
}

static void
test_db_needs_an_older_log(void **state)
{
    assert_int_equal(check_db(*state, 2, 3), JET_errStartingRestoreLogTooHigh);
}

static void
test_db_needs_a_newer_log(void **state)
{
    assert_int_equal(check_db(*state, 1, 2), JET_errEndingRestoreLogTooLow);
}

static void
test_db_damaged_trailer_is_refused(void **state)
{
    const struct copies *c = *state;
    uint64_t bytes;
    assert_int_equal(os_file_size_at(c->db, &bytes), 0);
    copies_damage(c->db, bytes - COPY_PAGE + 64);
    assert_int_equal(check_db(c, 1, 3), JET_errBadPatchPage);
}

static void
test_db_of_another_stream_is_refused(void **state)
{
    struct copies *c = *state;
    c->sign_log[0] ^= 1;
    copies_write_db(c, 1, 3);
    assert_int_equal(check_db(c, 1, 3), JET_errDatabasePatchFileMismatch);
}

static void
test_trailer_survives_its_codec(void **state)
{
    uint8_t page[COPY_PAGE];
    struct trailer in = {.bkinfo = {1, 2, 3}, .sign_db = {4}, .sign_log = {5}}, out;
    trailer_encode(&in, page, sizeof page);
    assert_int_equal(trailer_decode(page, sizeof page, &out), JET_errSuccess);
    assert_memory_equal(&in, &out, sizeof in);
    page[4000] ^= 1;
    assert_int_equal(trailer_decode(page, sizeof page, &out), JET_errBadPatchPage);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trailer_survives_its_codec),
        cmocka_unit_test_setup_teardown(test_logs_whole_chain_is_good, setup, teardown),
        cmocka_unit_test_setup_teardown(test_logs_missing_one_is_not_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_logs_of_another_stream_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_log_dir_that_does_not_go_on_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_db_with_its_logs_is_good, setup, teardown),
        cmocka_unit_test_setup_teardown(test_db_without_backup_mark_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_db_needs_an_older_log, setup, teardown),
        cmocka_unit_test_setup_teardown(test_db_needs_a_newer_log, setup, teardown),
        cmocka_unit_test_setup_teardown(test_db_damaged_trailer_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_db_of_another_stream_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
