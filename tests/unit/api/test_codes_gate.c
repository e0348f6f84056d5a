/* SPDX-License-Identifier: MIT */
/*
 * codes_gate: the codes that all functions of the external backup have in common, each of them
 * provoked in every one of its forms: plain and Instance, A and W.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "fixture.h"
#include "instance/handle.h"
#include "instance/instance.h"
#include "os/fault.h"

static char szz[4096];
static uint16_t wide[4096];
static uint32_t size, high;
static JET_HANDLE hf;
static const uint16_t name_w[] = {'/', 'x', '.', 'e', 'd', 'b', 0};
static const uint16_t path_w[] = {'/', 'n', 'o', 'w', 'h', 'e', 'r', 'e', 0};
static JET_LOGINFO_A info_a = {.cbSize = sizeof info_a};
static JET_LOGINFO_W info_w = {.cbSize = sizeof info_w};

#define FORM(name, call)                                                                           \
    static JET_ERR name(JET_INSTANCE inst)                                                         \
    {                                                                                              \
        (void)inst;                                                                                \
        return call;                                                                               \
    }

FORM(begin, JetBeginExternalBackup(0))
FORM(begin_i, JetBeginExternalBackupInstance(inst, 0))
FORM(attach_a, JetGetAttachInfoA(szz, sizeof szz, &size))
FORM(attach_w, JetGetAttachInfoW(wide, sizeof wide, &size))
FORM(attach_ia, JetGetAttachInfoInstanceA(inst, szz, sizeof szz, &size))
FORM(attach_iw, JetGetAttachInfoInstanceW(inst, wide, sizeof wide, &size))
FORM(open_a, JetOpenFileA("/x.edb", &hf, &size, &high))
FORM(open_w, JetOpenFileW(name_w, &hf, &size, &high))
FORM(open_ia, JetOpenFileInstanceA(inst, "/x.edb", &hf, &size, &high))
FORM(open_iw, JetOpenFileInstanceW(inst, name_w, &hf, &size, &high))
FORM(read_p, JetReadFile(0, szz, sizeof szz, &size))
FORM(read_i, JetReadFileInstance(inst, 0, szz, sizeof szz, &size))
FORM(close_p, JetCloseFile(0))
FORM(close_i, JetCloseFileInstance(inst, 0))
FORM(logs_a, JetGetLogInfoA(szz, sizeof szz, &size))
FORM(logs_w, JetGetLogInfoW(wide, sizeof wide, &size))
FORM(logs_ia, JetGetLogInfoInstanceA(inst, szz, sizeof szz, &size))
FORM(logs_iw, JetGetLogInfoInstanceW(inst, wide, sizeof wide, &size))
FORM(logs_i2a, JetGetLogInfoInstance2A(inst, szz, sizeof szz, &size, &info_a))
FORM(logs_i2w, JetGetLogInfoInstance2W(inst, wide, sizeof wide, &size, &info_w))
FORM(doomed_ia, JetGetTruncateLogInfoInstanceA(inst, szz, sizeof szz, &size))
FORM(doomed_iw, JetGetTruncateLogInfoInstanceW(inst, wide, sizeof wide, &size))
FORM(truncate_p, JetTruncateLog())
FORM(truncate_i, JetTruncateLogInstance(inst))
FORM(end_p, JetEndExternalBackup())
FORM(end_i, JetEndExternalBackupInstance(inst))
FORM(end_i2, JetEndExternalBackupInstance2(inst, JET_bitBackupEndNormal))
FORM(stop_p, JetStopBackup())
FORM(stop_i, JetStopBackupInstance(inst))
FORM(backup_a, JetBackupA("/nowhere", 0, NULL))
FORM(backup_w, JetBackupW(path_w, 0, NULL))
FORM(backup_ia, JetBackupInstanceA(inst, "/nowhere", 0, NULL))
FORM(backup_iw, JetBackupInstanceW(inst, path_w, 0, NULL))

enum kind {
    LEGACY = 1,  /* no instance parameter */
    SESSION = 2, /* wants a backup to be in progress */
    ENDS = 4,    /* works on one that was stopped */
    NO_GATE = 8, /* JetStopBackup */
};

static const struct form {
    const char *name;
    JET_ERR (*call)(JET_INSTANCE inst);
    unsigned kind;
} forms[] = {
    {"JetBeginExternalBackup", begin, LEGACY},
    {"JetBeginExternalBackupInstance", begin_i, 0},
    {"JetGetAttachInfoA", attach_a, LEGACY | SESSION},
    {"JetGetAttachInfoW", attach_w, LEGACY | SESSION},
    {"JetGetAttachInfoInstanceA", attach_ia, SESSION},
    {"JetGetAttachInfoInstanceW", attach_iw, SESSION},
    {"JetOpenFileA", open_a, LEGACY | SESSION},
    {"JetOpenFileW", open_w, LEGACY | SESSION},
    {"JetOpenFileInstanceA", open_ia, SESSION},
    {"JetOpenFileInstanceW", open_iw, SESSION},
    {"JetReadFile", read_p, LEGACY | SESSION},
    {"JetReadFileInstance", read_i, SESSION},
    {"JetCloseFile", close_p, LEGACY | SESSION | ENDS},
    {"JetCloseFileInstance", close_i, SESSION | ENDS},
    {"JetGetLogInfoA", logs_a, LEGACY | SESSION},
    {"JetGetLogInfoW", logs_w, LEGACY | SESSION},
    {"JetGetLogInfoInstanceA", logs_ia, SESSION},
    {"JetGetLogInfoInstanceW", logs_iw, SESSION},
    {"JetGetLogInfoInstance2A", logs_i2a, SESSION},
    {"JetGetLogInfoInstance2W", logs_i2w, SESSION},
    {"JetGetTruncateLogInfoInstanceA", doomed_ia, SESSION},
    {"JetGetTruncateLogInfoInstanceW", doomed_iw, SESSION},
    {"JetTruncateLog", truncate_p, LEGACY | SESSION},
    {"JetTruncateLogInstance", truncate_i, SESSION},
    {"JetEndExternalBackup", end_p, LEGACY | SESSION | ENDS},
    {"JetEndExternalBackupInstance", end_i, SESSION | ENDS},
    {"JetEndExternalBackupInstance2", end_i2, SESSION | ENDS},
    {"JetStopBackup", stop_p, LEGACY | NO_GATE},
    {"JetStopBackupInstance", stop_i, NO_GATE},
    {"JetBackupA", backup_a, LEGACY},
    {"JetBackupW", backup_w, LEGACY},
    {"JetBackupInstanceA", backup_ia, 0},
    {"JetBackupInstanceW", backup_iw, 0},
};

/* Every form of which all of set and none of clear holds answers wanted. */
static void
all_say(JET_INSTANCE inst, unsigned set, unsigned clear, JET_ERR wanted)
{
    int n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        if ((forms[i].kind & set) != set || (forms[i].kind & clear) != 0)
            continue;
        JET_ERR err = forms[i].call(inst);
        if (err != wanted)
            fail_msg("%s: %d (%s), expected %d", forms[i].name, err, JetxErrorNameA(err), wanted);
        n++;
    }
    assert_true(n > 0);
}

static struct instance *
held(JET_INSTANCE handle)
{
    struct instance *inst = handle_get(HANDLE_INSTANCE, handle);
    assert_non_null(inst);
    return inst;
}

static void
test_no_instance_at_all(void **state)
{
    all_say(0, LEGACY, 0, JET_errNotInitialized);
}

static void
test_created_but_not_initialized(void **state)
{
    JET_INSTANCE inst;
    ok(JetCreateInstance(&inst, "created"));
    all_say(inst, 0, LEGACY | NO_GATE, JET_errNotInitialized);
    ok(JetTerm(inst));
}

static void
test_no_handle(void **state)
{
    all_say(0, 0, LEGACY, JET_errInvalidParameter);
    all_say(JET_instanceNil, 0, LEGACY, JET_errInvalidParameter);
}

static void
test_no_such_instance(void **state)
{
    all_say((JET_INSTANCE)0x1234567, 0, LEGACY, JET_errInvalidInstance);
}

static void
test_plain_form_with_several_instances(void **state)
{
    all_say(0, LEGACY, 0, JET_errRunningInMultiInstanceMode);
}

static void
test_no_backup(void **state)
{
    struct fixture *f = *state;
    all_say(f->inst, SESSION, LEGACY, JET_errNoBackup);
}

static void
test_stopped_by_the_server(void **state)
{
    struct fixture *f = *state;
    ok(JetBeginExternalBackupInstance(f->inst, 0));
    ok(JetStopBackupInstance(f->inst));
    all_say(f->inst, SESSION, LEGACY | ENDS, JET_errBackupAbortByServer);
    assert_int_equal(JetEndExternalBackupInstance(f->inst), JET_errBackupAbortByServer);
}

static void
test_service_stopped(void **state)
{
    struct fixture *f = *state;
    ok(JetStopServiceInstance(f->inst));
    all_say(f->inst, 0, LEGACY | NO_GATE, JET_errClientRequestToStopJetService);
}

static void
test_restore_in_progress(void **state)
{
    JET_INSTANCE created;
    ok(JetCreateInstance(&created, "restoring"));
    struct instance *inst = held(created);
    g_mutex_lock(&inst->state_lock);
    inst->restoring = true;
    g_mutex_unlock(&inst->state_lock);
    all_say(created, 0, LEGACY | NO_GATE, JET_errRestoreInProgress);
    inst->restoring = false;
    ok(JetTerm(created));
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
    struct instance *inst = held(f->inst);
    pthread_t thread;
    ok(instance_enter(inst)); /* somebody is inside: JetTerm has to wait */
    pthread_create(&thread, NULL, terminate, f);
    gint64 deadline = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    while (JetEndExternalBackupInstance(f->inst) == JET_errNoBackup &&
           g_get_monotonic_time() < deadline)
        g_thread_yield();
    all_say(f->inst, 0, LEGACY | NO_GATE, JET_errTermInProgress);
    instance_leave(inst);
    pthread_join(thread, NULL);
    f->inst = 0;
}

static void
test_instance_unavailable_after_a_fatal_error(void **state)
{
    struct fixture *f = *state;
    struct instance *inst = held(f->inst);
    JET_COLUMNID id, name;
    JET_TABLEID table = make_items(f, &id, &name);
    os_fault_arm(&(struct os_fault) {
        .calls = OS_CALL_WRITE, .nth = 1, .persistent = true, .errnum = EIO, .path_part = ".log"});
    ok(JetBeginTransaction(f->ses));
    insert_item(f, table, id, name, 1, "one");
    assert_true(JetCommitTransaction(f->ses, 0) < 0);
    os_fault_arm(NULL);
    gint64 deadline = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    while (instance_enter(inst) >= 0) {
        instance_leave(inst);
        assert_true(g_get_monotonic_time() < deadline);
    }
    all_say(f->inst, 0, LEGACY | NO_GATE, JET_errInstanceUnavailable);
    (void)JetTerm(f->inst); /* dirty */
    f->inst = 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_instance_at_all),
        cmocka_unit_test(test_created_but_not_initialized),
        CASE(test_no_handle),
        CASE(test_no_such_instance),
        CASE(test_plain_form_with_several_instances),
        CASE(test_no_backup),
        CASE(test_stopped_by_the_server),
        CASE(test_service_stopped),
        cmocka_unit_test(test_restore_in_progress),
        CASE(test_term_in_progress),
        CASE(test_instance_unavailable_after_a_fatal_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
