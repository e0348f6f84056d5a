/* SPDX-License-Identifier: MIT */
/*
 * golden_gate: cases 1 to 11, 18, 19 and the modes of 96: the modes of the process and the gate. 12
 * is in golden_end; 13 and 14 are test_end_backup's test_term_in_progress,
 * test_restore_in_progress.
 */
#include "golden.h"

/* One call and what it has to answer. */
static void
want(const char *number, const char *call, JET_ERR err, JET_ERR wanted)
{
    if (err != wanted)
        fail_msg("case %s: %s gave %d, not %d", number, call, (int)err, (int)wanted);
}
#define WANT(number, call, wanted) want(number, #call, call, wanted)

static char *
legacy_start(void)
{
    char *dir = g_dir_make_tmp("jet-gate-XXXXXX", NULL);
    ok(JetSetSystemParameter(NULL, 0, JET_paramSystemPath, 0, dir));
    ok(JetSetSystemParameter(NULL, 0, JET_paramLogFilePath, 0, dir));
    ok(JetSetSystemParameter(NULL, 0, JET_paramTempPath, 0, dir));
    ok(JetInit(NULL));
    return dir;
}

static void
legacy_stop(char *dir)
{
    ok(JetTerm(0));
    remove_tree(dir);
    g_free(dir);
}

/* With no instance at all the documentation has JET_errNotInitialized, the source -1003. */
static void
test_no_instance(void **state)
{
    (void)state;
    WANT("1", JetEndExternalBackup(), JET_errNotInitialized);
    WANT("2", JetStopBackup(), JET_errNotInitialized);
    WANT("2", JetStopService(), JET_errNotInitialized);
}

static void
test_created(void **state)
{
    JET_INSTANCE a;
    (void)state;
    ok(JetCreateInstance(&a, "a"));
    WANT("3", JetEndExternalBackup(), JET_errRunningInMultiInstanceMode);
    WANT("7", JetBeginExternalBackupInstance(a, 0), JET_errNotInitialized);
    WANT("7", JetEndExternalBackupInstance(a), JET_errNotInitialized);
    WANT("7", JetGetAttachInfoInstance(a, NULL, 0, NULL), JET_errNotInitialized);
    WANT("8", JetStopBackupInstance(a), JET_errSuccess);
    ok(JetTerm(a));
}

static void
test_multi_instance(void **state)
{
    (void)state; /* one is running */
    WANT("4", JetBeginExternalBackup(0), JET_errRunningInMultiInstanceMode);
    WANT("4", JetStopBackup(), JET_errRunningInMultiInstanceMode);
    WANT("5", JetEndExternalBackupInstance(0), JET_errInvalidParameter);
    WANT("5", JetEndExternalBackupInstance(JET_instanceNil), JET_errInvalidParameter);
    WANT("6", JetEndExternalBackupInstance((JET_INSTANCE)0x1234567), JET_errInvalidInstance);
    WANT("96", JetRestoreA("/nonexistent", NULL), JET_errRunningInMultiInstanceMode);
}

static void
test_one_instance(void **state)
{
    (void)state;
    char *dir = legacy_start();
    WANT("9", JetEndExternalBackupInstance(0), JET_errNoBackup);
    WANT("9", JetEndExternalBackupInstance(JET_instanceNil), JET_errNoBackup);
    WANT("10", JetExternalRestoreA(dir, dir, NULL, 0, dir, 1, 1, NULL),
         JET_errRunningInOneInstanceMode);
    WANT("96", JetRestoreA(dir, NULL), JET_errAlreadyInitialized);
    ok(JetStopService());
    WANT("11", JetEndExternalBackup(), JET_errClientRequestToStopJetService);
    WANT("11", JetBeginExternalBackup(0), JET_errClientRequestToStopJetService);
    legacy_stop(dir);
}

static void
test_circular_logging(void **state)
{
    (void)state;
    JET_INSTANCE inst;
    char *dir = g_dir_make_tmp("jet-gate-XXXXXX", NULL);
    ok(JetCreateInstance(&inst, "circular"));
    ok(JetSetSystemParameter(&inst, 0, JET_paramSystemPath, 0, dir));
    ok(JetSetSystemParameter(&inst, 0, JET_paramLogFilePath, 0, dir));
    ok(JetSetSystemParameter(&inst, 0, JET_paramTempPath, 0, dir));
    ok(JetSetSystemParameter(&inst, 0, JET_paramCircularLog, 1, NULL));
    ok(JetInit(&inst));
    WANT("18", JetBeginExternalBackupInstance(inst, JET_bitBackupIncremental),
         JET_errInvalidBackup);
    WANT("18", JetBeginExternalBackupInstance(inst, 0), JET_errSuccess);
    ok(JetTerm(inst));
    remove_tree(dir);
    g_free(dir);
}

static void
test_logging_off(void **state)
{
    (void)state;
    JET_INSTANCE inst;
    char *dir = g_dir_make_tmp("jet-gate-XXXXXX", NULL);
    ok(JetCreateInstance(&inst, "unlogged"));
    ok(JetSetSystemParameter(&inst, 0, JET_paramSystemPath, 0, dir));
    ok(JetSetSystemParameter(&inst, 0, JET_paramLogFilePath, 0, dir));
    ok(JetSetSystemParameter(&inst, 0, JET_paramTempPath, 0, dir));
    if (JetSetSystemParameter(&inst, 0, JET_paramRecovery, 0, "off") >= 0 && JetInit(&inst) >= 0)
        WANT("19", JetBeginExternalBackupInstance(inst, 0), JET_errLoggingDisabled);
    else
        print_message("case 19: the engine does not run without a log\n");
    (void)JetTerm(inst);
    remove_tree(dir);
    g_free(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_instance),
        cmocka_unit_test(test_created),
        cmocka_unit_test_setup_teardown(test_multi_instance, golden_setup, golden_teardown),
        cmocka_unit_test(test_one_instance),
        cmocka_unit_test(test_circular_logging),
        cmocka_unit_test(test_logging_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
