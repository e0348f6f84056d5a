/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backup/verify.h"
#include "copies.h"

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

/* The copy is not good, and the report names the file. */
static void
assert_bad(const struct copies *c, JET_ERR err, const char *file)
{
    JETX_VERIFYREPORT r = {.cbStruct = sizeof r};
    assert_int_equal(verify_backup(c->dir, &r), err);
    assert_int_equal(r.errFirst, err);
    assert_string_equal(r.szFileFirst, file);
    assert_true(r.szReasonFirst[0] != '\0');
}

static void
test_verify_whole_copy_is_good(void **state)
{
    const struct copies *c = *state;
    JETX_VERIFYREPORT r = {.cbStruct = sizeof r};
    assert_int_equal(verify_backup(c->dir, &r), JET_errSuccess);
    assert_int_equal(r.cDatabase, 1);
    assert_int_equal(r.cLog, COPY_LOGS);
    assert_int_equal(r.genLow, 1);
    assert_int_equal(r.genHigh, COPY_LOGS);
    assert_int_equal(r.cPage, 254);
    assert_int_equal(r.cPageBad, 0);
    assert_int_equal(verify_backup(c->dir, NULL), JET_errSuccess);
}

static void
test_verify_no_directory_says_so(void **state)
{
    assert_int_equal(verify_backup("/nonexistent/copy", NULL), JET_errFileNotFound);
}

static void
test_verify_directory_without_database_says_so(void **state)
{
    const struct copies *c = *state;
    g_unlink(c->db);
    JETX_VERIFYREPORT r = {.cbStruct = sizeof r};
    assert_int_equal(verify_backup(c->dir, &r), JET_errFileNotFound);
}

static void
test_verify_damaged_page_names_its_offset(void **state)
{
    const struct copies *c = *state;
    JETX_VERIFYREPORT r = {.cbStruct = sizeof r};
    copies_damage(c->db, 5 * COPY_PAGE + 200);
    copies_damage(c->db, 6 * COPY_PAGE + 200);
    assert_int_equal(verify_backup(c->dir, &r), JET_errReadVerifyFailure);
    assert_int_equal(r.cPageBad, 2);
    assert_int_equal(r.ibFirst, 5 * COPY_PAGE);
    assert_string_equal(r.szFileFirst, "app.edb");
}

static void
test_verify_one_damaged_header_is_found(void **state)
{
    const struct copies *c = *state;
    copies_damage(c->db, 100);
    assert_bad(c, JET_errReadVerifyFailure, "app.edb");
}

static void
test_verify_two_damaged_headers_are_corrupt(void **state)
{
    const struct copies *c = *state;
    copies_damage(c->db, 100);
    copies_damage(c->db, COPY_PAGE + 100);
    assert_bad(c, JET_errDatabaseCorrupted, "app.edb");
}

static void
test_verify_damaged_trailer_is_found(void **state)
{
    const struct copies *c = *state;
    uint64_t bytes;
    assert_int_equal(os_file_size_at(c->db, &bytes), 0);
    copies_damage(c->db, bytes - COPY_PAGE + 64);
    assert_bad(c, JET_errBadPatchPage, "app.edb");
}

static void
test_verify_trailer_of_another_database_is_found(void **state)
{
    const struct copies *c = *state;
    struct trailer trailer = {.bkinfo = {1}, .sign_db = {1, 2, 3}};
    g_autofree char *data = NULL;
    size_t len;
    assert_true(g_file_get_contents(c->db, &data, &len, NULL));
    trailer_encode(&trailer, (uint8_t *)data + len - COPY_PAGE, COPY_PAGE);
    copies_put(c->db, data, len);
    assert_bad(c, JET_errDatabasePatchFileMismatch, "app.edb");
}

static void
test_verify_cut_database_is_found(void **state)
{
    const struct copies *c = *state;
    g_autofree char *data = NULL;
    size_t len;
    assert_true(g_file_get_contents(c->db, &data, &len, NULL));
    copies_put(c->db, data, len - 100);
    assert_bad(c, JET_errBadPatchPage, "app.edb");
}

static void
test_verify_damaged_segment_is_found(void **state)
{
    const struct copies *c = *state;
    g_autofree char *log = copies_log(c, 2);
    copies_damage(log, 4096 + 60);
    assert_bad(c, JET_errLogCorruptDuringHardRestore, "edb00002.log");
}

static void
test_verify_missing_log_is_found(void **state)
{
    const struct copies *c = *state;
    g_autofree char *log = copies_log(c, 2);
    g_unlink(log);
    assert_bad(c, JET_errFileNotFound, "edb00002.log");
}

static void
test_verify_log_of_another_stream_is_found(void **state)
{
    const struct copies *c = *state;
    struct copies other;
    copies_make(&other);
    g_autofree char *from = copies_log(&other, 3);
    g_autofree char *to = copies_log(c, 3);
    g_autofree char *data = NULL;
    size_t len;
    assert_true(g_file_get_contents(from, &data, &len, NULL));
    copies_put(to, data, len);
    copies_free(&other);
    assert_bad(c, JET_errBadLogSignature, "edb00003.log");
}

static void
test_verify_manifest_misses_a_file(void **state)
{
    const struct copies *c = *state;
    g_autofree char *path = g_build_filename(c->dir, "backup.json", NULL);
    const char *text = "{\"format\": \"jetfs-backup\", \"version\": 1, \"files\": ["
                       "{\"kind\": \"database\", \"name\": \"app.edb\", \"path\": \"\","
                       " \"size\": 1052672},"
                       "{\"kind\": \"database\", \"name\": \"gone.edb\", \"path\": \"\","
                       " \"size\": 1}]}";
    copies_put(path, text, strlen(text));
    assert_bad(c, JET_errMissingFileToBackup, "gone.edb");
}

static void
test_verify_unreadable_manifest_is_invalid(void **state)
{
    const struct copies *c = *state;
    g_autofree char *path = g_build_filename(c->dir, "backup.json", NULL);
    copies_put(path, "{", 1);
    assert_bad(c, JET_errInvalidBackup, "backup.json");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_verify_whole_copy_is_good, setup, teardown),
        cmocka_unit_test(test_verify_no_directory_says_so),
        cmocka_unit_test_setup_teardown(test_verify_directory_without_database_says_so, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_verify_damaged_page_names_its_offset, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify_one_damaged_header_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify_two_damaged_headers_are_corrupt, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_verify_damaged_trailer_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify_trailer_of_another_database_is_found, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_verify_cut_database_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify_damaged_segment_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify_missing_log_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify_log_of_another_stream_is_found, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_verify_manifest_misses_a_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify_unreadable_manifest_is_invalid, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
