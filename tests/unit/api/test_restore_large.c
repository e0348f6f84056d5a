/* SPDX-License-Identifier: MIT */
/*
 * restore_large: JetxRestoreBackup2 over several databases: which, under what names, up to where.
 *
 * test.edb and second.edb are backed up whole; third.edb is created after that, and its logs lie in
 * an incremental backup of their own directory; the rest is in the log directory of the instance,
 * which goes on running.
 */
#include "fixture.h"

#include <errno.h>

#include "os/fault.h"
#include "os/file.h"

struct table {
    JET_DBID db;
    JET_TABLEID id;
    JET_COLUMNID key, name;
    int32_t rows;
};

struct world {
    struct fixture *f;
    char *full, *more, *second, *third;
    struct table tables[3];
    int32_t rows_full[3], rows_more[3], rows_closed[3]; /* at the end of each part */
    int64_t more_ms;                                    /* when the second part was whole */
    uint32_t gen_more;                                  /* its last generation */
};

static struct world w;

static void
add(struct table *t, int32_t n)
{
    ok(JetBeginTransaction(w.f->ses));
    for (int32_t i = 0; i < n; i++)
        insert_item(w.f, t->id, t->key, t->name, t->rows++, "some text for an item");
    ok(JetCommitTransaction(w.f->ses, 0));
}

static void
make_table(struct table *t, JET_DBID db)
{
    JET_DBID first = w.f->db;
    w.f->db = db;
    t->db = db;
    t->id = make_items(w.f, &t->key, &t->name);
    w.f->db = first;
}

static void
note_rows(int32_t rows[3])
{
    for (int i = 0; i < 3; i++)
        rows[i] = w.tables[i].rows;
}

static char *
new_dir(const char *name)
{
    char *dir = g_build_filename(w.f->dir, name, NULL);
    g_mkdir(dir, 0700);
    return dir;
}

static void
close_log(void)
{
    ok(JetxBeginFrozenBackup(w.f->inst, 0));
    (void)JetEndExternalBackupInstance2(w.f->inst, JET_bitBackupEndAbort);
}

/* What an incremental backup takes; ESE's own asks for a full one of third.edb first. */
static void
copy_new_logs(void)
{
    g_autoptr(GDir) dir = g_dir_open(w.f->dir, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *from = g_build_filename(w.f->dir, name, NULL);
        g_autofree char *full = g_build_filename(w.full, name, NULL);
        g_autofree char *to = g_build_filename(w.more, name, NULL);
        g_autofree char *data = NULL;
        gsize len;
        uint32_t gen;
        if (sscanf(name, "edb%5x.log", &gen) != 1 || g_file_test(full, G_FILE_TEST_EXISTS))
            continue;
        assert_true(g_file_get_contents(from, &data, &len, NULL));
        assert_true(g_file_set_contents(to, data, (gssize)len, NULL));
        w.gen_more = MAX(w.gen_more, gen);
    }
}

static void
make_second_part(void)
{
    JET_DBID db;
    ok(JetCreateDatabase(w.f->ses, w.third, NULL, &db, 0));
    make_table(&w.tables[2], db);
    add(&w.tables[0], 70);
    add(&w.tables[1], 50);
    add(&w.tables[2], 30);
    close_log();
    copy_new_logs();
    note_rows(w.rows_more);
    w.more_ms = g_get_real_time() / 1000;
    while (g_get_real_time() / 1000 < w.more_ms + 3) /* the log's clock counts milliseconds */
        continue;
}

static int
make_world(void **state)
{
    void *made;
    JET_DBID db;
    fixture_setup(&made);
    w.f = made;
    w.full = new_dir("full");
    w.more = new_dir("more");
    w.second = g_build_filename(w.f->dir, "second.edb", NULL);
    w.third = g_build_filename(w.f->dir, "third.edb", NULL);
    make_table(&w.tables[0], w.f->db);
    ok(JetCreateDatabase(w.f->ses, w.second, NULL, &db, 0));
    make_table(&w.tables[1], db);
    add(&w.tables[0], 100);
    add(&w.tables[1], 100);
    ok(JetBackupInstance(w.f->inst, w.full, 0, NULL));
    note_rows(w.rows_full);
    make_second_part();
    add(&w.tables[0], 40);
    add(&w.tables[2], 40);
    note_rows(w.rows_closed);
    close_log();
    add(&w.tables[0], 10); /* in the current log, which is the instance's alone */
    (void)state;
    return 0;
}

static int
drop_world(void **state)
{
    void *made = w.f;
    (void)state;
    fixture_teardown(&made);
    g_free(w.full);
    g_free(w.more);
    g_free(w.second);
    g_free(w.third);
    return 0;
}

/* ---- a restore ---- */

static char *
new_target(void)
{
    return g_dir_make_tmp("target-XXXXXX", NULL);
}

static void
drop_target(char *target)
{
    remove_tree(target);
    g_free(target);
}

static JET_ERR
restore(const char *target, JETX_RESTOREPARAM *param, JETX_RESTOREREPORT *report)
{
    const char *const sources[] = {w.full, w.more};
    if (param)
        param->cbStruct = sizeof *param;
    return JetxRestoreBackup2A(sources, 2, target, param, report);
}

static int32_t
rows_of(const char *target, const char *path)
{
    struct fixture g = {.dir = (char *)target};
    JET_TABLEID table;
    int32_t n = 0;
    ok(JetCreateInstance(&g.inst, "count"));
    ok(JetSetSystemParameter(&g.inst, 0, JET_paramSystemPath, 0, target));
    ok(JetSetSystemParameter(&g.inst, 0, JET_paramLogFilePath, 0, target));
    ok(JetSetSystemParameter(&g.inst, 0, JET_paramLogFileSize, 256, NULL));
    ok(JetSetSystemParameter(&g.inst, 0, JET_paramNoInformationEvent, 1, NULL));
    ok(JetInit(&g.inst));
    ok(JetBeginSession(g.inst, &g.ses, NULL, NULL));
    ok(JetAttachDatabase(g.ses, path, 0));
    ok(JetOpenDatabase(g.ses, path, NULL, &g.db, 0));
    ok(JetOpenTable(g.ses, g.db, "Items", NULL, 0, 0, &table));
    for (JET_ERR err = JetMove(g.ses, table, JET_MoveFirst, 0); err >= 0;
         err = JetMove(g.ses, table, JET_MoveNext, 0))
        n++;
    fixture_stop(&g);
    return n;
}

/* rows < 0: no such file. */
static void
check(const char *target, const char *name, int32_t rows)
{
    g_autofree char *path = g_build_filename(target, name, NULL);
    assert_int_equal(g_file_test(path, G_FILE_TEST_EXISTS), rows >= 0);
    if (rows >= 0)
        assert_int_equal(rows_of(target, path), rows);
}

static void
check_all(const char *target, const int32_t rows[3])
{
    check(target, "test.edb", rows[0]);
    check(target, "second.edb", rows[1]);
    check(target, "third.edb", rows[2]);
}

static void
assert_empty(const char *target)
{
    g_auto(GStrv) names = NULL;
    assert_int_equal(os_dir_list(target, &names), 0);
    assert_int_equal(g_strv_length(names), 0);
}

/* ---- which ---- */

static void
test_all_databases_and_one_created_later(void **state)
{
    char *target = new_target();
    JETX_RESTOREREPORT report = {.cbStruct = sizeof report};
    (void)state;
    ok(restore(target, NULL, &report));
    assert_int_equal(report.genHigh, w.gen_more);
    assert_int_equal(report.lgposEnd, 0);
    check_all(target, w.rows_more);
    drop_target(target);
}

static void
test_subset(void **state)
{
    static const char *const names[] = {"test.edb", "second.edb", "third.edb"};
    (void)state;
    for (int i = 0; i < 3; i++) {
        char *target = new_target();
        JETX_RESTOREPARAM param = {.rgszDatabase = names + i, .cDatabase = 1};
        ok(restore(target, &param, NULL));
        for (int k = 0; k < 3; k++)
            check(target, names[k], k == i ? w.rows_more[k] : -1);
        drop_target(target);
    }
}

static void
test_names_that_nobody_knows(void **state)
{
    static const char *const names[] = {"test.edb", "fourth.edb"};
    JET_RSTMAP_A map = {"fourth.edb", "fifth.edb"};
    JETX_RESTOREPARAM subset = {.rgszDatabase = names, .cDatabase = 2};
    JETX_RESTOREPARAM mapped = {.rgrstmap = &map, .crstmap = 1};
    char *target = new_target();
    (void)state;
    assert_int_equal(restore(target, &subset, NULL), JET_errDatabaseNotFound);
    assert_empty(target);
    assert_int_equal(restore(target, &mapped, NULL), JET_errDatabaseNotFound);
    assert_empty(target);
    drop_target(target);
}

/* ---- where ---- */

static void
test_new_names(void **state)
{
    char *target = new_target(), *elsewhere = new_target();
    g_autofree char *path = g_build_filename(elsewhere, "far.edb", NULL);
    const JET_RSTMAP_A map[] = {
        {"test.edb", "renamed.edb"}, {"second.edb", path}, {w.third, "3.edb"}};
    JETX_RESTOREPARAM param = {.rgrstmap = map, .crstmap = 3};
    (void)state;
    ok(restore(target, &param, NULL));
    check(target, "renamed.edb", w.rows_more[0]);
    check(target, "test.edb", -1);
    check(target, "3.edb", w.rows_more[2]);
    check(target, "third.edb", -1);
    assert_int_equal(rows_of(target, path), w.rows_more[1]);
    drop_target(target);
    /* what is there stays */
    target = new_target();
    assert_int_equal(restore(target, &param, NULL), JET_errFileAlreadyExists);
    assert_empty(target);
    assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    drop_target(target);
    drop_target(elsewhere);
}

static void
put(const char *dir, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* A killed restore left its marker: what was there before stays, what the plan names elsewhere goes
 * only if the killed one had planned it too. */
static void
test_unfinished_restore_is_cleared(void **state)
{
    char *target = new_target(), *elsewhere = new_target();
    g_autofree char *path = g_build_filename(elsewhere, "far.edb", NULL);
    g_autofree char *marker = g_strdup_printf(
        "jetfs restore 1: not finished; these were here before:\nnotes.txt\n%s\n", path);
    const JET_RSTMAP_A map = {"second.edb", path};
    JETX_RESTOREPARAM param = {.rgrstmap = &map, .crstmap = 1};
    (void)state;
    put(target, "notes.txt", "mine");
    put(target, "edb.log", "half");
    put(elsewhere, "far.edb", "half");
    assert_int_equal(restore(target, &param, NULL), JET_errFileAlreadyExists);
    put(target, "restore.unfinished", marker);
    ok(restore(target, &param, NULL));
    check(target, "test.edb", w.rows_more[0]);
    assert_int_equal(rows_of(target, path), w.rows_more[1]);
    check(target, "restore.unfinished", -1);
    g_autofree char *notes = g_build_filename(target, "notes.txt", NULL);
    assert_true(g_file_test(notes, G_FILE_TEST_EXISTS));
    drop_target(target);
    drop_target(elsewhere);
}

static void
test_target_at_work_is_left_alone(void **state)
{
    char *target = new_target();
    struct os_file *lock;
    (void)state;
    ok(os_dir_lock(target, &lock));
    assert_int_equal(restore(target, NULL, NULL), JET_errLogFilePathInUse);
    os_file_close(lock);
    assert_empty(target);
    drop_target(target);
}

/* ---- up to where ---- */

static void
test_roll_forward_through_the_logs_of_a_running_instance(void **state)
{
    char *target = new_target();
    JETX_RESTOREPARAM param = {.szLogDir = w.f->dir};
    (void)state;
    ok(restore(target, &param, NULL));
    check_all(target, w.rows_closed);
    drop_target(target);
}

static void
test_stops(void **state)
{
    JETX_RESTOREPARAM at_time = {.msStop = w.more_ms, .szLogDir = w.f->dir};
    JETX_RESTOREPARAM at_gen = {.genStop = w.gen_more, .szLogDir = w.f->dir};
    JETX_RESTOREPARAM at_pos = {.lgposStop = (uint64_t)(w.gen_more + 1) << 32};
    JETX_RESTOREPARAM *const params[] = {&at_time, &at_gen, &at_pos};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(params); i++) {
        char *target = new_target();
        JETX_RESTOREREPORT report = {.cbStruct = sizeof report};
        ok(restore(target, params[i], &report));
        check_all(target, w.rows_more);
        /* by the clock the next log may have begun already */
        assert_in_range(report.genHigh, w.gen_more, w.gen_more + (params[i] == &at_time));
        assert_int_equal(report.lgposEnd >> 32, w.gen_more + 1);
        drop_target(target);
    }
}

static void
test_stops_that_cannot_be(void **state)
{
    char *target = new_target();
    JETX_RESTOREPARAM early_gen = {.genStop = 1}, late_gen = {.genStop = 9999};
    JETX_RESTOREPARAM early_time = {.msStop = 1000};
    JETX_RESTOREPARAM late_time = {.msStop = w.more_ms + 1000000000};
    JETX_RESTOREPARAM two = {.genStop = 5, .msStop = w.more_ms};
    (void)state;
    if (w.gen_more > 3)
        assert_int_equal(restore(target, &early_gen, NULL), JET_errEndingRestoreLogTooLow);
    assert_int_equal(restore(target, &early_time, NULL), JET_errEndingRestoreLogTooLow);
    assert_int_equal(restore(target, &late_gen, NULL), JET_errMissingRestoreLogFiles);
    assert_int_equal(restore(target, &late_time, NULL), JET_errMissingRestoreLogFiles);
    assert_int_equal(restore(target, &two, NULL), JET_errInvalidParameter);
    assert_empty(target);
    drop_target(target);
}

/* What is made ready ahead, by a thread of its own, may fail: then all is there all the same. */
static void
start_anew(const char *target)
{
    check(target, "test.edb", w.rows_more[0]);
    remove_tree(target);
    assert_int_equal(g_mkdir(target, 0700), 0);
}

/* Whichever call on the target fails: an error, and nothing is left of it. */
static void
test_each_failing_call_leaves_nothing(void **state)
{
    char *target = new_target();
    g_autofree char *name = g_path_get_basename(target);
    JETX_RESTOREPARAM param = {.lgposStop = (uint64_t)(w.gen_more + 1) << 32};
    bool struck = true;
    uint64_t n;
    (void)state;
    for (n = 1; struck; n += n < 40 ? 1 : 7) {
        const struct os_fault fault = {
            .calls = OS_CALL_ANY, .nth = n, .errnum = EIO, .path_part = name};
        os_fault_arm(&fault);
        JET_ERR err = restore(target, &param, NULL);
        struck = os_fault_count() >= n;
        os_fault_arm(NULL);
        if (err < 0 && !struck)
            fail_msg("no call failed, restore gave %d", err);
        if (err < 0)
            check(target, "test.edb", -1);
        else if (struck)
            start_anew(target);
        if (struck && !g_file_test(target, G_FILE_TEST_IS_DIR))
            fail_msg("call %d: the target itself is gone", (int)n);
    }
    print_message("%d calls\n", (int)n);
    check_all(target, w.rows_more);
    drop_target(target);
}

static void
test_parameters(void **state)
{
    const char *const sources[] = {w.full, NULL};
    JETX_RESTOREPARAM param = {.cbStruct = 4};
    JETX_RESTOREPARAM no_map = {.cbStruct = sizeof no_map, .crstmap = 1};
    JETX_RESTOREPARAM no_names = {.cbStruct = sizeof no_names, .cDatabase = 1};
    (void)state;
    assert_int_equal(JetxRestoreBackup2A(NULL, 1, "x", NULL, NULL), JET_errInvalidParameter);
    assert_int_equal(JetxRestoreBackup2A(sources, 0, "x", NULL, NULL), JET_errInvalidParameter);
    assert_int_equal(JetxRestoreBackup2A(sources, 2, "x", NULL, NULL), JET_errInvalidParameter);
    assert_int_equal(JetxRestoreBackup2A(sources, 1, NULL, NULL, NULL), JET_errInvalidParameter);
    assert_int_equal(JetxRestoreBackup2A(sources, 1, "", NULL, NULL), JET_errInvalidParameter);
    assert_int_equal(JetxRestoreBackup2A(sources, 1, "x", &param, NULL), JET_errInvalidParameter);
    assert_int_equal(JetxRestoreBackup2A(sources, 1, "x", &no_map, NULL), JET_errInvalidParameter);
    assert_int_equal(JetxRestoreBackup2A(sources, 1, "x", &no_names, NULL),
                     JET_errInvalidParameter);
    assert_false(g_file_test("x", G_FILE_TEST_EXISTS));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_databases_and_one_created_later),
        cmocka_unit_test(test_subset),
        cmocka_unit_test(test_names_that_nobody_knows),
        cmocka_unit_test(test_new_names),
        cmocka_unit_test(test_unfinished_restore_is_cleared),
        cmocka_unit_test(test_target_at_work_is_left_alone),
        cmocka_unit_test(test_roll_forward_through_the_logs_of_a_running_instance),
        cmocka_unit_test(test_stops),
        cmocka_unit_test(test_stops_that_cannot_be),
        cmocka_unit_test(test_each_failing_call_leaves_nothing),
        cmocka_unit_test(test_parameters),
    };
    return cmocka_run_group_tests_name("restore_large", tests, make_world, drop_world);
}
