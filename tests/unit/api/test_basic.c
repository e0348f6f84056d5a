/* SPDX-License-Identifier: MIT */
/* basic: what the first program with libesent does: create, insert, commit, stop, start, read. */
#include "fixture.h"

static void
count_items(struct fixture *f, JET_TABLEID table, JET_COLUMNID id, int32_t expected)
{
    int32_t n = 0, last = -1;
    JET_ERR err = JetMove(f->ses, table, JET_MoveFirst, 0);
    while (err >= 0) {
        int32_t key = 0;
        ok(JetRetrieveColumn(f->ses, table, id, &key, sizeof(key), NULL, 0, NULL));
        assert_true(key > last);
        last = key;
        n++;
        err = JetMove(f->ses, table, JET_MoveNext, 0);
    }
    assert_int_equal(err, JET_errNoCurrentRecord);
    assert_int_equal(n, expected);
}

static void
test_committed_rows_are_there_after_a_restart(void **state)
{
    struct fixture *f = *state;
    JET_COLUMNID id, name;
    JET_TABLEID table = make_items(f, &id, &name);
    ok(JetBeginTransaction(f->ses));
    for (int32_t i = 0; i < 3000; i++) {
        char text[40];
        g_snprintf(text, sizeof(text), "item number %d", i * 7 % 3000);
        insert_item(f, table, id, name, i * 7 % 3000, text);
    }
    ok(JetCommitTransaction(f->ses, 0));
    count_items(f, table, id, 3000);
    fixture_restart(f);

    ok(JetOpenTable(f->ses, f->db, "Items", NULL, 0, 0, &table));
    count_items(f, table, id, 3000);
    int32_t key = 1234;
    char text[40] = "";
    uint32_t actual = 0;
    ok(JetMakeKey(f->ses, table, &key, sizeof(key), JET_bitNewKey));
    ok(JetSeek(f->ses, table, JET_bitSeekEQ));
    ok(JetRetrieveColumn(f->ses, table, name, text, sizeof(text), &actual, 0, NULL));
    assert_int_equal(actual, strlen("item number 1234"));
    assert_string_equal(text, "item number 1234");
}

static void
test_rolled_back_rows_are_not_there(void **state)
{
    struct fixture *f = *state;
    JET_COLUMNID id, name;
    JET_TABLEID table = make_items(f, &id, &name);
    ok(JetBeginTransaction(f->ses));
    insert_item(f, table, id, name, 1, "one");
    ok(JetBeginTransaction(f->ses));
    insert_item(f, table, id, name, 2, "two");
    ok(JetRollback(f->ses, 0));
    ok(JetCommitTransaction(f->ses, 0));
    count_items(f, table, id, 1);
    ok(JetBeginTransaction(f->ses));
    insert_item(f, table, id, name, 3, "three");
    ok(JetRollback(f->ses, JET_bitRollbackAll));
    count_items(f, table, id, 1);
    fixture_restart(f);
    ok(JetOpenTable(f->ses, f->db, "Items", NULL, 0, 0, &table));
    count_items(f, table, id, 1);
}

static void
test_second_writer_gets_write_conflict(void **state)
{
    struct fixture *f = *state;
    JET_COLUMNID id, name;
    JET_TABLEID table = make_items(f, &id, &name), other;
    JET_SESID ses;
    JET_DBID db;
    ok(JetBeginTransaction(f->ses));
    insert_item(f, table, id, name, 1, "one");
    ok(JetCommitTransaction(f->ses, 0));
    ok(JetCloseTable(f->ses, table));
    ok(JetOpenTable(f->ses, f->db, "Items", NULL, 0, 0, &table));

    ok(JetBeginSession(f->inst, &ses, NULL, NULL));
    ok(JetOpenDatabase(ses, f->db_path, NULL, &db, 0));
    ok(JetOpenTable(ses, db, "Items", NULL, 0, 0, &other));
    ok(JetBeginTransaction(f->ses));
    ok(JetBeginTransaction(ses));
    ok(JetMove(f->ses, table, JET_MoveFirst, 0));
    ok(JetMove(ses, other, JET_MoveFirst, 0));
    ok(JetPrepareUpdate(f->ses, table, JET_prepReplace));
    ok(JetSetColumn(f->ses, table, name, "uno", 3, 0, NULL));
    ok(JetUpdate(f->ses, table, NULL, 0, NULL));
    assert_int_equal(JetPrepareUpdate(ses, other, JET_prepReplace), JET_errWriteConflict);
    char text[10] = "";
    ok(JetRetrieveColumn(ses, other, name, text, sizeof(text), NULL, 0, NULL));
    assert_string_equal(text, "one"); /* its snapshot */
    ok(JetCommitTransaction(f->ses, 0));
    memset(text, 0, sizeof(text));
    ok(JetRetrieveColumn(ses, other, name, text, sizeof(text), NULL, 0, NULL));
    assert_string_equal(text, "one");
    ok(JetRollback(ses, 0));
    memset(text, 0, sizeof(text));
    ok(JetMove(ses, other, JET_MoveFirst, 0));
    ok(JetRetrieveColumn(ses, other, name, text, sizeof(text), NULL, 0, NULL));
    assert_string_equal(text, "uno");
    ok(JetEndSession(ses, 0));
}

static void
test_commit_ids_grow(void **state)
{
    struct fixture *f = *state;
    JET_COLUMNID id, name;
    JET_TABLEID table = make_items(f, &id, &name);
    int64_t last = 0;
    for (int32_t i = 0; i < 20; i++) {
        JET_COMMIT_ID commit;
        ok(JetBeginTransaction(f->ses));
        insert_item(f, table, id, name, i, "x");
        ok(JetCommitTransaction2(f->ses, i % 2 ? JET_bitCommitLazyFlush : 0, 0, &commit));
        assert_true(commit.commitId > last);
        last = commit.commitId;
    }
}

static void
test_detached_database_is_clean_and_can_be_attached_again(void **state)
{
    struct fixture *f = *state;
    JET_COLUMNID id, name;
    JET_TABLEID table = make_items(f, &id, &name);
    ok(JetBeginTransaction(f->ses));
    insert_item(f, table, id, name, 5, "five");
    ok(JetCommitTransaction(f->ses, 0));
    assert_int_equal(JetDetachDatabase(f->ses, f->db_path), JET_errDatabaseInUse);
    ok(JetCloseTable(f->ses, table));
    ok(JetCloseDatabase(f->ses, f->db, 0));
    ok(JetDetachDatabase(f->ses, f->db_path));
    assert_int_equal(JetOpenDatabase(f->ses, f->db_path, NULL, &f->db, 0), JET_errDatabaseNotFound);
    ok(JetAttachDatabase(f->ses, f->db_path, 0));
    assert_int_equal(JetAttachDatabase(f->ses, f->db_path, 0), JET_wrnDatabaseAttached);
    ok(JetOpenDatabase(f->ses, f->db_path, NULL, &f->db, 0));
    ok(JetOpenTable(f->ses, f->db, "Items", NULL, 0, 0, &table));
    count_items(f, table, id, 1);
}

static void
test_instance_info_names_instance_and_database(void **state)
{
    struct fixture *f = *state;
    JET_INSTANCE_INFO_A *infos = NULL;
    JET_INSTANCE_INFO_W *wide = NULL;
    uint32_t n = 0;
    ok(JetGetInstanceInfoA(&n, &infos));
    assert_int_equal(n, 1);
    assert_true(infos[0].hInstanceId == f->inst);
    assert_string_equal(infos[0].szInstanceName, "test");
    assert_int_equal(infos[0].cDatabases, 1);
    assert_string_equal(infos[0].szDatabaseFileName[0], f->db_path);
    ok(JetFreeBuffer((char *)infos));
    ok(JetGetInstanceInfoW(&n, &wide));
    assert_int_equal(wide[0].szInstanceName[3], 't');
    assert_int_equal(wide[0].szInstanceName[4], 0);
    ok(JetFreeBuffer((char *)wide));
    assert_int_equal(JetGetInstanceInfoA(NULL, &infos), JET_errInvalidParameter);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_committed_rows_are_there_after_a_restart),
        T(test_rolled_back_rows_are_not_there),
        T(test_second_writer_gets_write_conflict),
        T(test_commit_ids_grow),
        T(test_instance_info_names_instance_and_database),
        T(test_detached_database_is_clean_and_can_be_attached_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
