/* SPDX-License-Identifier: MIT */
/*
 * create_fails: a database whose creation failed has left a CreateDB record. The recovery of a
 * later crash must come past it, also where the next database has taken its number.
 */
#include "fixture.h"

#include <errno.h>
#include <sys/wait.h>

#include "os/fault.h"

static char *
path_in(const struct fixture *f, const char *name)
{
    return g_build_filename(f->dir, name, NULL);
}

/* A process of its own that fails to create bad, creates good, and dies. */
static void
fail_create_and_crash(struct fixture *f, const char *bad, const struct os_fault *fault)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        JET_DBID db;
        fixture_start(f);
        os_fault_arm(fault);
        if (JetCreateDatabase(f->ses, bad, NULL, &db, 0) >= 0)
            _exit(2);
        os_fault_arm(NULL);
        if (JetCreateDatabase(f->ses, f->db_path, NULL, &f->db, 0) < 0)
            _exit(3);
        JET_COLUMNID id, name;
        JET_TABLEID t = make_items(f, &id, &name);
        if (JetBeginTransaction(f->ses) < 0)
            _exit(4);
        insert_item(f, t, id, name, 7, "seven");
        if (JetCommitTransaction(f->ses, 0) < 0)
            _exit(5);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void
recover_and_look(struct fixture *f)
{
    JET_TABLEID t;
    fixture_start(f);
    ok(JetAttachDatabase(f->ses, f->db_path, 0));
    ok(JetOpenDatabase(f->ses, f->db_path, NULL, &f->db, 0));
    ok(JetOpenTable(f->ses, f->db, "Items", NULL, 0, 0, &t));
    ok(JetMove(f->ses, t, JET_MoveFirst, 0));
    fixture_stop(f);
}

static int
setup(void **state)
{
    struct fixture *f = g_new0(struct fixture, 1);
    f->dir = g_dir_make_tmp("jet-create-XXXXXX", NULL);
    f->db_path = path_in(f, "good.edb");
    *state = f;
    return 0;
}

static void
test_disk_full_while_creating_then_crash_recovers(void **state)
{
    struct fixture *f = *state;
    g_autofree char *bad = path_in(f, "bad.edb");
    struct os_fault full = {.calls = OS_CALL_WRITE,
                            .nth = 1,
                            .persistent = true,
                            .errnum = ENOSPC,
                            .path_part = "bad.edb"};
    fail_create_and_crash(f, bad, &full);
    recover_and_look(f);
    assert_false(g_file_test(bad, G_FILE_TEST_EXISTS));
}

static void
test_impossible_name_then_crash_recovers(void **state)
{
    struct fixture *f = *state;
    char name[300];
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = 0;
    g_autofree char *bad = path_in(f, name);
    fail_create_and_crash(f, bad, NULL);
    recover_and_look(f);
}

static void
test_directory_that_is_missing_then_crash_recovers(void **state)
{
    struct fixture *f = *state;
    g_autofree char *bad = path_in(f, "none/bad.edb");
    fail_create_and_crash(f, bad, NULL);
    recover_and_look(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_disk_full_while_creating_then_crash_recovers, setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_impossible_name_then_crash_recovers, setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_directory_that_is_missing_then_crash_recovers, setup,
                                        fixture_teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
