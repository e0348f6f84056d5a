/* SPDX-License-Identifier: MIT */
/* restore: the argument checks of JetExternalRestore, in their order (backup API 6.2, cases 94,
 * 95). */
#include "fixture.h"

static char *dir;

static int
make_dir(void **state)
{
    dir = g_dir_make_tmp("restore-XXXXXX", NULL);
    return dir == NULL;
}

static int
remove_dir(void **state)
{
    g_rmdir(dir);
    g_free(dir);
    return 0;
}

static JET_ERR
restore2(JET_RSTMAP_A *map, int32_t n, JET_LOGINFO_A *info, char *name, char *log, char *checkpoint)
{
    return JetExternalRestore2A(dir, dir, map, n, dir, info, name, log, checkpoint, NULL);
}

static void
test_log_info_of_the_wrong_size_is_refused(void **state)
{
    JET_LOGINFO_A info = {.cbSize = sizeof info - 1, .szBaseName = "edb"};
    assert_int_equal(restore2(NULL, 0, NULL, NULL, NULL, NULL), JET_errInvalidParameter);
    assert_int_equal(restore2(NULL, 0, &info, NULL, NULL, NULL), JET_errInvalidParameter);
}

static void
test_half_a_target_or_two_are_refused(void **state)
{
    JET_LOGINFO_A info = {.cbSize = sizeof info, .szBaseName = "edb"};
    char name[] = "someone";
    assert_int_equal(restore2(NULL, 0, &info, NULL, dir, NULL), JET_errInvalidParameter);
    assert_int_equal(restore2(NULL, 0, &info, NULL, NULL, dir), JET_errInvalidParameter);
    assert_int_equal(restore2(NULL, 0, &info, name, dir, dir), JET_errInvalidParameter);
}

static void
test_target_that_does_not_run_is_refused(void **state)
{
    JET_LOGINFO_A info = {.cbSize = sizeof info, .szBaseName = "edb"};
    char name[] = "nobody";
    assert_int_equal(restore2(NULL, 0, &info, name, NULL, NULL), JET_errBadRestoreTargetInstance);
}

static void
test_map_and_count_have_to_agree(void **state)
{
    JET_LOGINFO_A info = {.cbSize = sizeof info, .szBaseName = "edb"};
    JET_RSTMAP_A map[15] = {{dir, dir}};
    assert_int_equal(restore2(NULL, 1, &info, NULL, NULL, NULL), JET_errInvalidParameter);
    assert_int_equal(restore2(map, 0, &info, NULL, NULL, NULL), JET_errInvalidParameter);
    assert_int_equal(restore2(map, 15, &info, NULL, NULL, NULL), JET_errInvalidParameter);
    assert_int_equal(restore2(map, -1, &info, NULL, NULL, NULL), JET_errInvalidParameter);
}

static void
test_directory_without_logs_is_not_found(void **state)
{
    assert_int_equal(JetExternalRestoreA(dir, dir, NULL, 0, dir, 1, 2, NULL), JET_errFileNotFound);
    assert_int_equal(JetExternalRestoreA(dir, dir, NULL, 0, dir, 0, 0, NULL), JET_errFileNotFound);
}

static void
test_wide_form_checks_the_same(void **state)
{
    uint16_t path[] = {'/', 't', 'm', 'p', 0};
    JET_LOGINFO_W info = {.cbSize = sizeof info, .szBaseName = {'e', 'd', 'b', 0}};
    JET_RSTMAP_W map = {path, path};
    assert_int_equal(JetExternalRestore2W(path, path, NULL, 0, path, NULL, NULL, NULL, NULL, NULL),
                     JET_errInvalidParameter);
    assert_int_equal(
        JetExternalRestore2W(path, path, &map, 15, path, &info, NULL, NULL, NULL, NULL),
        JET_errInvalidParameter);
    assert_int_equal(JetExternalRestore2W(path, path, NULL, 0, path, &info, NULL, path, NULL, NULL),
                     JET_errInvalidParameter);
}

static void
test_verify_and_restore_want_directories_and_sizes(void **state)
{
    JETX_VERIFYREPORT verify = {.cbStruct = 4};
    JETX_RESTOREREPORT restored = {.cbStruct = 4};
    assert_int_equal(JetxVerifyBackupA(NULL, NULL), JET_errInvalidParameter);
    assert_int_equal(JetxVerifyBackupA(dir, &verify), JET_errInvalidParameter);
    const char *sources[] = {dir, NULL};
    assert_int_equal(JetxVerifyBackup2A(NULL, 1, NULL), JET_errInvalidParameter);
    assert_int_equal(JetxVerifyBackup2A(sources, 0, NULL), JET_errInvalidParameter);
    assert_int_equal(JetxVerifyBackup2A(sources, 2, NULL), JET_errInvalidParameter);
    assert_int_equal(JetxVerifyBackup2A(sources, 1, &verify), JET_errInvalidParameter);
    assert_int_equal(JetxRestoreBackupA(NULL, dir, NULL, NULL), JET_errInvalidParameter);
    assert_int_equal(JetxRestoreBackupA(dir, NULL, NULL, NULL), JET_errInvalidParameter);
    assert_int_equal(JetxRestoreBackupA(dir, dir, NULL, &restored), JET_errInvalidParameter);
}

/* Defaults of the process, for instances that are made by the call. */
static void
set_paths(const char *path)
{
    ok(JetSetSystemParameter(NULL, 0, JET_paramSystemPath, 0, path));
    ok(JetSetSystemParameter(NULL, 0, JET_paramLogFilePath, 0, path));
    ok(JetSetSystemParameter(NULL, 0, JET_paramLogFileSize, 256, NULL));
    ok(JetSetSystemParameter(NULL, 0, JET_paramNoInformationEvent, 1, NULL));
}

/* Case 96. */
static void
test_legacy_restore_knows_its_modes(void **state)
{
    g_autofree char *work = g_dir_make_tmp("legacy-XXXXXX", NULL);
    JET_INSTANCE one = 0;
    set_paths(work);
    assert_int_equal(JetRestoreA(dir, NULL), JET_errFileNotFound);
    ok(JetInit(&one));
    assert_int_equal(JetRestoreA(dir, NULL), JET_errAlreadyInitialized);
    assert_int_equal(JetRestore2A(dir, work, NULL), JET_errAlreadyInitialized);
    ok(JetTerm(one));
    assert_int_equal(JetRestoreA(dir, NULL), JET_errFileNotFound);
    remove_tree(work);
}

/* A backup of an instance that had no database: its logs are all there is to restore. */
static void
test_legacy_restore_of_a_set_without_databases(void **state)
{
    g_autofree char *work = g_dir_make_tmp("legacy-XXXXXX", NULL);
    g_autofree char *place = g_dir_make_tmp("legacy-XXXXXX", NULL);
    g_autofree char *set = g_build_filename(work, "set", NULL);
    JET_INSTANCE one = 0;
    set_paths(work);
    ok(JetInit(&one));
    g_mkdir(set, 0700);
    ok(JetBackupA(set, 0, NULL));
    ok(JetTerm(one));
    set_paths(place);
    ok(JetRestoreA(set, NULL));
    one = 0;
    ok(JetInit(&one)); /* the stream goes on */
    ok(JetTerm(one));
    remove_tree(work);
    remove_tree(place);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_info_of_the_wrong_size_is_refused),
        cmocka_unit_test(test_half_a_target_or_two_are_refused),
        cmocka_unit_test(test_target_that_does_not_run_is_refused),
        cmocka_unit_test(test_map_and_count_have_to_agree),
        cmocka_unit_test(test_directory_without_logs_is_not_found),
        cmocka_unit_test(test_wide_form_checks_the_same),
        cmocka_unit_test(test_verify_and_restore_want_directories_and_sizes),
        cmocka_unit_test(test_legacy_restore_knows_its_modes),
        cmocka_unit_test(test_legacy_restore_of_a_set_without_databases),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
