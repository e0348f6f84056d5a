/* SPDX-License-Identifier: MIT */
/*
 * JetEndExternalBackup, one test for each code that its documentation lists.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "fixture.h"
#include "instance/instance.h"
#include "instance/registry.h"
#include "os/fault.h"

static void
begin(struct fixture *f)
{
    ok(JetBeginExternalBackupInstance(f->inst, 0));
}

static void
expect_end(struct fixture *f, JET_ERR wanted)
{
    assert_int_equal(JetEndExternalBackupInstance(f->inst), wanted);
}

static struct instance *
held(struct fixture *f)
{
    struct instance *inst;
    ok(registry_find(f->inst, &inst));
    return inst;
}

/* Everything that belongs to the backup, read to its end. */
static void
retrieve_all(struct fixture *f)
{
    char szz[4096], buf[65536];
    JET_HANDLE hf;
    uint32_t low, high, got;
    for (int logs = 0; logs < 2; logs++) {
        ok(logs ? JetGetLogInfoInstance(f->inst, szz, sizeof szz, &got)
                : JetGetAttachInfoInstance(f->inst, szz, sizeof szz, &got));
        for (char *name = szz; *name; name += strlen(name) + 1) {
            ok(JetOpenFileInstance(f->inst, name, &hf, &low, &high));
            do
                ok(JetReadFileInstance(f->inst, hf, buf, sizeof buf, &got));
            while (got > 0);
            ok(JetCloseFileInstance(f->inst, hf));
        }
    }
}

static void
test_success_when_every_file_was_retrieved(void **state)
{
    begin(*state);
    retrieve_all(*state);
    expect_end(*state, JET_errSuccess);
}

static void
test_not_initialized(void **state)
{
    struct fixture *f = *state;
    JET_INSTANCE created;
    ok(JetCreateInstance(&created, "created"));
    assert_int_equal(JetEndExternalBackupInstance(created), JET_errNotInitialized);
    ok(JetTerm(created));
    fixture_stop(f);
    assert_int_equal(JetEndExternalBackup(), JET_errNotInitialized); /* no instance at all */
}

static void
test_client_request_to_stop_service(void **state)
{
    struct fixture *f = *state;
    begin(f);
    ok(JetStopServiceInstance(f->inst));
    expect_end(f, JET_errClientRequestToStopJetService);
}

static void
test_instance_unavailable_after_fatal_error(void **state)
{
    struct fixture *f = *state;
    struct instance *inst = held(f);
    JET_COLUMNID id, name;
    begin(f);
    JET_TABLEID table = make_items(f, &id, &name);
    os_fault_arm(&(struct os_fault) {
        .calls = OS_CALL_WRITE, .nth = 1, .persistent = true, .errnum = EIO, .path_part = ".log"});
    ok(JetBeginTransaction(f->ses));
    insert_item(f, table, id, name, 1, "one");
    assert_true(JetCommitTransaction(f->ses, 0) < 0);
    os_fault_arm(NULL);
    gint64 deadline = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    JET_ERR err;
    do
        err = JetStopBackupInstance(f->inst) < 0 ? -1 : instance_enter(inst);
    while (err >= 0 && (instance_leave(inst), g_get_monotonic_time() < deadline));
    expect_end(f, JET_errInstanceUnavailable);
    registry_release(inst);
    (void)JetTerm(f->inst); /* dirty */
    f->inst = 0;
}

static void *
terminate(void *arg)
{
    struct fixture *f = arg;
    ok(JetTerm(f->inst));
    return NULL;
}

static void
test_term_in_progress(void **state)
{
    struct fixture *f = *state;
    struct instance *inst = held(f);
    pthread_t thread;
    ok(instance_enter(inst)); /* somebody is inside, so that JetTerm has to wait */
    pthread_create(&thread, NULL, terminate, f);
    gint64 deadline = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    JET_ERR err;
    do
        err = JetEndExternalBackupInstance(f->inst);
    while (err == JET_errNoBackup && g_get_monotonic_time() < deadline);
    assert_int_equal(err, JET_errTermInProgress);
    instance_leave(inst);
    pthread_join(thread, NULL);
    registry_release(inst);
    f->inst = 0;
}

static void
test_restore_in_progress(void **state)
{
    JET_INSTANCE created;
    struct instance *inst;
    ok(JetCreateInstance(&created, "restoring"));
    ok(registry_find(created, &inst));
    g_mutex_lock(&inst->state_lock);
    inst->restoring = true;
    g_mutex_unlock(&inst->state_lock);
    assert_int_equal(JetEndExternalBackupInstance(created), JET_errRestoreInProgress);
    inst->restoring = false;
    registry_release(inst);
    ok(JetTerm(created));
}

static void
test_no_backup(void **state)
{
    expect_end(*state, JET_errNoBackup);
    begin(*state);
    expect_end(*state, JET_errBackupAbortByCaller);
    expect_end(*state, JET_errNoBackup);
}

static void
test_abort_by_server(void **state)
{
    struct fixture *f = *state;
    begin(f);
    retrieve_all(f);
    ok(JetStopBackupInstance(f->inst));
    expect_end(f, JET_errBackupAbortByServer);
    expect_end(f, JET_errNoBackup);
}

static void
test_abort_by_caller(void **state)
{
    struct fixture *f = *state;
    begin(f);
    expect_end(f, errBackupAbortByCaller);
    begin(f);
    retrieve_all(f);
    assert_int_equal(JetEndExternalBackupInstance2(f->inst, JET_bitBackupEndAbort),
                     errBackupAbortByCaller);
}

static void
test_running_in_multi_instance_mode(void **state)
{
    assert_int_equal(JetEndExternalBackup(), JET_errRunningInMultiInstanceMode);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_success_when_every_file_was_retrieved),
        CASE(test_not_initialized),
        CASE(test_client_request_to_stop_service),
        CASE(test_instance_unavailable_after_fatal_error),
        CASE(test_term_in_progress),
        CASE(test_restore_in_progress),
        CASE(test_no_backup),
        CASE(test_abort_by_server),
        CASE(test_abort_by_caller),
        CASE(test_running_in_multi_instance_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
