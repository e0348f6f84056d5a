/* SPDX-License-Identifier: MIT */
/* errors: bad arguments, stale handles, wrong states: the documented code, never a crash. */
#include "fixture.h"

static void
test_calls_without_any_instance(void **state)
{
    JET_SESID ses;
    assert_int_equal(JetBeginSession(0, &ses, NULL, NULL), JET_errInvalidParameter);
    assert_int_equal(JetBeginSession(JET_instanceNil, &ses, NULL, NULL), JET_errInvalidParameter);
    assert_int_equal(JetBeginSession(0x12345, &ses, NULL, NULL), JET_errInvalidInstance);
    assert_int_equal(JetTerm(0), JET_errInvalidParameter);
    assert_int_equal(JetStopService(), JET_errNotInitialized);
    assert_int_equal(JetCreateInstance(NULL, "x"), JET_errInvalidParameter);
}

static void
test_instance_that_is_not_initialized(void **state)
{
    JET_INSTANCE inst = 0;
    JET_SESID ses;
    ok(JetCreateInstance(&inst, "a"));
    assert_int_equal(JetBeginSession(inst, &ses, NULL, NULL), JET_errNotInitialized);
    assert_int_equal(JetStopService(), JET_errRunningInMultiInstanceMode);
    JET_INSTANCE twin = 0;
    assert_int_equal(JetCreateInstance(&twin, "a"), JET_errInstanceNameInUse);
    ok(JetTerm(inst));
    assert_int_equal(JetTerm(inst), JET_errInvalidInstance);
}

static void
test_parameters_are_checked(void **state)
{
    JET_INSTANCE inst = 0;
    JET_API_PTR number = 0;
    char text[300];
    ok(JetCreateInstance(&inst, "p"));
    assert_int_equal(JetSetSystemParameter(&inst, 0, 424242, 1, NULL), JET_errInvalidParameter);
    assert_int_equal(JetSetSystemParameter(&inst, 0, JET_paramDatabasePageSize, 5000, NULL),
                     JET_errInvalidParameter);
    assert_int_equal(JetSetSystemParameter(&inst, 0, JET_paramLogFileSize, 10, NULL),
                     JET_errInvalidParameter);
    assert_int_equal(JetSetSystemParameter(&inst, 0, JET_paramBaseName, 0, "long"),
                     JET_errInvalidPath);
    ok(JetSetSystemParameter(&inst, 0, JET_paramBaseName, 0, "abc"));
    ok(JetGetSystemParameter(inst, 0, JET_paramBaseName, NULL, text, sizeof(text)));
    assert_string_equal(text, "abc");
    assert_int_equal(JetGetSystemParameter(inst, 0, JET_paramBaseName, NULL, text, 3),
                     JET_errBufferTooSmall);
    ok(JetSetSystemParameter(&inst, 0, JET_paramDatabasePageSize, 8192, NULL));
    ok(JetGetSystemParameter(inst, 0, JET_paramDatabasePageSize, &number, NULL, 0));
    assert_int_equal(number, 8192);
    number = (JET_API_PTR)JET_errKeyDuplicate;
    ok(JetGetSystemParameter(inst, 0, JET_paramErrorToString, &number, text, sizeof(text)));
    assert_non_null(strstr(text, "JET_errKeyDuplicate"));
    ok(JetTerm(inst));
}

static void
test_missing_directory_is_invalid_path(void **state)
{
    JET_INSTANCE inst = 0;
    ok(JetCreateInstance(&inst, "d"));
    ok(JetSetSystemParameter(&inst, 0, JET_paramLogFilePath, 0, "/nonexistent/dir"));
    assert_int_equal(JetInit(&inst), JET_errInvalidPath);
    ok(JetTerm(inst));
}

static void
test_parameters_are_fixed_once_initialized(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(JetSetSystemParameter(&f->inst, 0, JET_paramLogFileSize, 512, NULL),
                     JET_errAlreadyInitialized);
    ok(JetSetSystemParameter(&f->inst, 0, JET_paramDbExtensionSize, 64, NULL));
    assert_int_equal(JetInit(&f->inst), JET_errAlreadyInitialized);
}

static void
test_second_instance_in_the_same_directory_is_refused(void **state)
{
    struct fixture *f = *state;
    JET_INSTANCE other = 0;
    ok(JetCreateInstance(&other, "other"));
    ok(JetSetSystemParameter(&other, 0, JET_paramLogFilePath, 0, f->dir));
    ok(JetSetSystemParameter(&other, 0, JET_paramSystemPath, 0, f->dir));
    assert_int_equal(JetInit(&other), JET_errLogFilePathInUse);
    ok(JetTerm(other));
}

static void
test_stale_handles_are_refused(void **state)
{
    struct fixture *f = *state;
    JET_COLUMNID id, name;
    JET_TABLEID table = make_items(f, &id, &name);
    JET_SESID other;
    ok(JetBeginSession(f->inst, &other, NULL, NULL));
    assert_int_equal(JetMove(other, table, JET_MoveFirst, 0), JET_errInvalidTableId);
    ok(JetCloseTable(f->ses, table));
    assert_int_equal(JetMove(f->ses, table, JET_MoveFirst, 0), JET_errInvalidTableId);
    assert_int_equal(JetCloseTable(f->ses, table), JET_errInvalidTableId);
    ok(JetEndSession(other, 0));
    assert_int_equal(JetBeginTransaction(other), JET_errInvalidSesid);
    assert_int_equal(JetBeginTransaction(0), JET_errInvalidSesid);
    assert_int_equal(JetBeginTransaction(~(JET_SESID)0), JET_errInvalidSesid);
    assert_int_equal(JetCloseDatabase(f->ses, 99, 0), JET_errInvalidDatabaseId);
}

static void
test_transaction_levels(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(JetCommitTransaction(f->ses, 0), JET_errNotInTransaction);
    assert_int_equal(JetRollback(f->ses, 0), JET_errNotInTransaction);
    for (int i = 0; i < 7; i++)
        ok(JetBeginTransaction(f->ses));
    assert_int_equal(JetBeginTransaction(f->ses), JET_errTransTooDeep);
    assert_int_equal(JetCommitTransaction(f->ses, 0x4000), JET_errInvalidGrbit);
    assert_int_equal(JetDetachDatabase(f->ses, NULL), JET_errInTransaction);
    ok(JetRollback(f->ses, JET_bitRollbackAll));
    assert_int_equal(JetRollback(f->ses, 0), JET_errNotInTransaction);
}

static void
test_databases_that_cannot_be(void **state)
{
    struct fixture *f = *state;
    JET_DBID db;
    g_autofree char *text = g_build_filename(f->dir, "text.edb", NULL);
    g_autofree char *none = g_build_filename(f->dir, "none.edb", NULL);
    assert_true(g_file_set_contents(text, "this is no database", -1, NULL));
    assert_int_equal(JetCreateDatabase(f->ses, f->db_path, NULL, &db, 0), JET_errDatabaseDuplicate);
    assert_int_equal(JetCreateDatabase(f->ses, text, NULL, &db, 0), JET_errDatabaseDuplicate);
    assert_int_equal(JetCreateDatabase(f->ses, "/nonexistent/x.edb", NULL, &db, 0),
                     JET_errDatabaseInvalidPath);
    assert_int_equal(JetCreateDatabase(f->ses, "", NULL, &db, 0), JET_errDatabaseInvalidPath);
    assert_int_equal(JetAttachDatabase(f->ses, none, 0), JET_errFileNotFound);
    assert_true(JetAttachDatabase(f->ses, text, 0) < 0);
    assert_int_equal(JetOpenDatabase(f->ses, none, NULL, &db, 0), JET_errDatabaseNotFound);
    assert_int_equal(JetDetachDatabase(f->ses, none), JET_errDatabaseNotFound);
}

static void
test_stopped_service_refuses_all_but_term(void **state)
{
    struct fixture *f = *state;
    ok(JetStopServiceInstance(f->inst));
    assert_int_equal(JetBeginTransaction(f->ses), JET_errClientRequestToStopJetService);
    assert_int_equal(JetStopServiceInstance2(f->inst, JET_bitStopServiceResume),
                     JET_errClientRequestToStopJetService);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_without_any_instance),
        cmocka_unit_test(test_instance_that_is_not_initialized),
        cmocka_unit_test(test_parameters_are_checked),
        cmocka_unit_test(test_missing_directory_is_invalid_path),
        T(test_parameters_are_fixed_once_initialized),
        T(test_second_instance_in_the_same_directory_is_refused),
        T(test_stale_handles_are_refused),
        T(test_transaction_levels),
        T(test_databases_that_cannot_be),
        T(test_stopped_service_refuses_all_but_term),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
