/* SPDX-License-Identifier: MIT */
/* restore: what it leaves behind. That the restored data is right is shown through the API. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backup/restore.h"
#include "copies.h"
#include "os/fault.h"

struct fix {
    struct copies c;
    char *target;
};

static int
setup(void **state)
{
    static struct fix f;
    copies_make(&f.c);
    f.target = g_dir_make_tmp("target-XXXXXX", NULL);
    *state = &f;
    return 0;
}

static int
teardown(void **state)
{
    struct fix *f = *state;
    copies_remove_dir(f->target);
    g_free(f->target);
    copies_free(&f->c);
    return 0;
}

static JET_ERR
restore_one(const char *source, const char *target, JETX_RESTOREREPORT *report)
{
    return restore_backup(&(struct restore_wanted) {&source, 1, target, NULL, NULL}, report);
}

/* The database as it was closed cleanly: no marks, no trailer, no logs. */
static void
make_clean(struct fix *f)
{
    g_autofree char *data = NULL;
    size_t len;
    assert_true(g_file_get_contents(GOLDEN_DIR "/basic.edb", &data, &len, NULL));
    copies_put(f->c.db, data, len);
}

static void
assert_nothing_in(const char *dir)
{
    g_auto(GStrv) names = NULL;
    assert_int_equal(os_dir_list(dir, &names), JET_errSuccess);
    for (char **name = names; *name != NULL; name++)
        assert_false(g_str_has_suffix(*name, ".edb") || g_str_has_suffix(*name, ".log"));
}

static void
test_clean_database_is_just_copied(void **state)
{
    struct fix *f = *state;
    JETX_RESTOREREPORT r = {.cbStruct = sizeof r};
    make_clean(f);
    assert_int_equal(restore_one(f->c.dir, f->target, &r), JET_errSuccess);
    assert_int_equal(r.cDatabase, 1);
    g_autofree char *path = g_build_filename(f->target, "app.edb", NULL);
    g_autofree char *was = NULL;
    g_autofree char *is = NULL;
    size_t was_len;
    size_t is_len;
    assert_true(g_file_get_contents(f->c.db, &was, &was_len, NULL));
    assert_true(g_file_get_contents(path, &is, &is_len, NULL));
    assert_int_equal(was_len, is_len);
    assert_memory_equal(was, is, is_len);
}

static void
test_target_that_holds_the_database_is_refused(void **state)
{
    struct fix *f = *state;
    g_autofree char *path = g_build_filename(f->target, "app.edb", NULL);
    make_clean(f);
    copies_put(path, "mine", 4);
    assert_int_equal(restore_one(f->c.dir, f->target, NULL), JET_errFileAlreadyExists);
    uint64_t bytes;
    assert_int_equal(os_file_size_at(path, &bytes), JET_errSuccess);
    assert_int_equal(bytes, 4);
}

static void
test_target_that_holds_logs_is_refused(void **state)
{
    struct fix *f = *state;
    g_autofree char *path = g_build_filename(f->target, "edb.log", NULL);
    copies_put(path, "mine", 4);
    assert_int_equal(restore_one(f->c.dir, f->target, NULL), JET_errFileAlreadyExists);
    assert_true(os_exists(path));
}

static void
test_no_database_is_not_found(void **state)
{
    struct fix *f = *state;
    g_unlink(f->c.db);
    assert_int_equal(restore_one(f->c.dir, f->target, NULL), JET_errFileNotFound);
    assert_int_equal(restore_one("/nonexistent", f->target, NULL), JET_errFileNotFound);
}

static void
test_missing_log_leaves_nothing_in_the_target(void **state)
{
    struct fix *f = *state;
    g_autofree char *log = copies_log(&f->c, 2);
    g_unlink(log);
    assert_int_equal(restore_one(f->c.dir, f->target, NULL), JET_errFileNotFound);
    assert_nothing_in(f->target);
    assert_true(os_exists(f->c.db));
}

static void
test_damaged_trailer_leaves_nothing_in_the_target(void **state)
{
    struct fix *f = *state;
    uint64_t bytes;
    assert_int_equal(os_file_size_at(f->c.db, &bytes), JET_errSuccess);
    copies_damage(f->c.db, bytes - COPY_PAGE + 64);
    assert_int_equal(restore_one(f->c.dir, f->target, NULL), JET_errBadPatchPage);
    assert_nothing_in(f->target);
}

static JET_ERR
refuse(JET_SESID sesid, JET_SNP snp, JET_SNT snt, void *pv)
{
    return snt == JET_sntBegin ? JET_errOutOfMemory : JET_errSuccess;
}

static void
test_callback_that_refuses_ends_it_before_a_change(void **state)
{
    struct fix *f = *state;
    g_autofree char *was = NULL;
    g_autofree char *is = NULL;
    size_t len;
    JET_RSTMAP_A map = {f->c.db, f->c.db};
    const struct restore_params params = {
        .log_dir = f->c.dir, .backup_dir = f->c.dir, .map = &map, .n_map = 1, .pfn = refuse};
    assert_true(g_file_get_contents(f->c.db, &was, &len, NULL));
    assert_int_equal(restore_external(&params, NULL), JET_errOutOfMemory);
    assert_true(g_file_get_contents(f->c.db, &is, &len, NULL));
    assert_memory_equal(was, is, len);
}

static void
test_more_than_14_databases_are_refused(void **state)
{
    struct fix *f = *state;
    const struct restore_params params = {.log_dir = f->target, .n_map = 15};
    assert_int_equal(restore_external(&params, NULL), JET_errInvalidParameter);
}

/* Whichever call fails: an error, nothing half made, and the next try works. */
static void
test_each_failing_call_leaves_nothing(void **state)
{
    struct fix *f = *state;
    bool struck = true;
    make_clean(f);
    for (uint64_t n = 1; struck; n++) {
        const struct os_fault fault = {
            .calls = OS_CALL_ANY, .nth = n, .errnum = EIO, .path_part = NULL};
        os_fault_arm(&fault);
        JET_ERR err = restore_one(f->c.dir, f->target, NULL);
        struck = os_fault_count() >= n;
        os_fault_arm(NULL);
        if ((err < 0) != struck)
            fail_msg("call %d failed, restore gave %d", (int)n, err);
        if (struck)
            assert_nothing_in(f->target);
        assert_true(n < 10000);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_clean_database_is_just_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(test_target_that_holds_the_database_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_target_that_holds_logs_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_database_is_not_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_log_leaves_nothing_in_the_target, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_damaged_trailer_leaves_nothing_in_the_target, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_callback_that_refuses_ends_it_before_a_change, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_more_than_14_databases_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_each_failing_call_leaves_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
