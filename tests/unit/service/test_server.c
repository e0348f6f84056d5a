/* SPDX-License-Identifier: MIT */
/* server: a real instance behind the service, its client in the same process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <string.h>

#include "backup/context.h"
#include "instance/instance.h"
#include "service/remote.h"
#include "service/server.h"

struct fix {
    char *dir;
    struct instance *inst;
    struct remote *remote;
};

static void
set(struct params *params, uint32_t id, uintptr_t number, const char *text)
{
    assert_int_equal(params_set(params, id, number, text, false), 0);
}

static int
setup(void **state)
{
    struct fix *f = g_new0(struct fix, 1);
    f->dir = g_dir_make_tmp("serverXXXXXX", NULL);
    struct params *params = params_new();
    set(params, JET_paramSystemPath, 0, f->dir);
    set(params, JET_paramLogFilePath, 0, f->dir);
    set(params, JET_paramTempPath, 0, f->dir);
    set(params, JET_paramLogFileSize, 256, NULL);
    set(params, JET_paramNoInformationEvent, 1, NULL);
    set(params, JET_paramJetxBackupService, 1, NULL);
    f->inst = instance_new(params, "test", "");
    assert_true(instance_init(f->inst, &(struct instance_init_options) {0}) >= 0);

    JET_DBID dbid;
    g_autofree char *path = g_build_filename(f->dir, "app.edb", NULL);
    assert_int_equal(instance_enter(f->inst), 0);
    assert_int_equal(instance_create_database(f->inst, path, 0, 0, &dbid), 0);
    assert_int_equal(instance_close_database(f->inst, dbid), 0);
    instance_leave(f->inst);
    assert_int_equal(server_start(f->inst), 0);
    assert_int_equal(remote_connect(f->dir, &f->remote), 0);
    *state = f;
    return 0;
}

static void
end_all(void *arg)
{
    server_stop(arg);
    context_term(arg, false);
}

static int
teardown(void **state)
{
    struct fix *f = *state;
    remote_disconnect(f->remote);
    if (f->inst) {
        server_stop(f->inst);
        assert_int_equal(instance_term(f->inst, JET_bitTermComplete, end_all, f->inst), 0);
        instance_free(f->inst);
    }
    g_autoptr(GDir) d = g_dir_open(f->dir, 0, NULL);
    for (const char *name; (name = g_dir_read_name(d));) {
        g_autofree char *path = g_build_filename(f->dir, name, NULL);
        g_unlink(path);
    }
    g_rmdir(f->dir);
    g_free(f->dir);
    g_free(f);
    return 0;
}

/* Reads a file to its end; the reader verifies every page and segment. Returns its bytes. */
static GByteArray *
slurp(struct remote *remote, const char *name)
{
    JET_HANDLE handle;
    uint64_t bytes = 0;
    uint32_t got = 0;
    assert_int_equal(remote_open_file(remote, name, &handle, &bytes), 0);
    GByteArray *all = g_byte_array_new();
    uint8_t buf[10000];
    do {
        assert_int_equal(remote_read_file(remote, handle, buf, sizeof(buf), &got), 0);
        g_byte_array_append(all, buf, got);
    } while (got > 0);
    assert_int_equal(all->len, bytes);
    assert_int_equal(remote_close_file(remote, handle), 0);
    return all;
}

static void
test_client_copies_a_whole_backup(void **state)
{
    struct fix *f = *state;
    g_autofree JETX_BACKUPFILE *files = NULL;
    uint32_t n = 0, databases = 0, logs = 0;
    assert_int_equal(remote_begin_frozen(f->remote, 0), 0);
    assert_int_equal(remote_files(f->remote, &files, &n), 0);
    for (uint32_t i = 0; i < n; i++) {
        g_autoptr(GByteArray) first = slurp(f->remote, files[i].szName);
        g_autoptr(GByteArray) again =
            slurp(f->remote, files[i].szPath[0] ? files[i].szPath : files[i].szName);
        assert_int_equal(first->len, files[i].cbSize);
        assert_int_equal(again->len, first->len);
        assert_memory_equal(first->data, again->data, first->len);
        databases += files[i].kind == JETX_fileDatabase;
        logs += files[i].kind == JETX_fileLog;
    }
    assert_int_equal(databases, 1);
    assert_true(logs >= 1);

    g_autofree char *json = NULL;
    assert_int_equal(remote_manifest(f->remote, &json), 0);
    assert_non_null(strstr(json, "app.edb"));
    JETX_BACKUPSTATUS status;
    assert_int_equal(remote_status(f->remote, &status), 0);
    assert_string_equal(status.szState, "frozen");
    assert_int_equal(status.errSession, 0);
    assert_int_equal(remote_end(f->remote, JET_bitBackupEndNormal), 0);
    assert_int_equal(remote_end(f->remote, JET_bitBackupEndNormal), JET_errNoBackup);
    assert_int_equal(remote_status(f->remote, &status), 0);
    assert_string_equal(status.szState, "ended");
}

static void
test_dropped_lease_frees_the_session(void **state)
{
    struct fix *f = *state;
    assert_int_equal(remote_begin_frozen(f->remote, 0), 0);
    assert_int_equal(atomic_load(&f->inst->backup_error), JET_errBackupInProgress);
    remote_disconnect(g_steal_pointer(&f->remote));

    JETX_BACKUPSTATUS status = {.cbStruct = sizeof(status)};
    gint64 deadline = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    while (atomic_load(&f->inst->backup_error) < 0 && g_get_monotonic_time() < deadline)
        g_usleep(500);
    assert_int_equal(atomic_load(&f->inst->backup_error), 0);
    assert_int_equal(context_status(f->inst, &status), 0);
    assert_int_equal(status.errSession, JET_errBackupAbortByCaller);
}

static void
test_stopped_backup_fails_reads_and_end(void **state)
{
    struct fix *f = *state;
    JET_HANDLE handle;
    uint64_t bytes;
    uint32_t got;
    uint8_t buf[4096];
    assert_int_equal(remote_begin_frozen(f->remote, 0), 0);
    assert_int_equal(remote_open_file(f->remote, "app.edb", &handle, &bytes), 0);
    assert_int_equal(remote_read_file(f->remote, handle, buf, sizeof(buf), &got), 0);
    context_stop(f->inst);
    assert_int_equal(remote_read_file(f->remote, handle, buf, sizeof(buf), &got),
                     JET_errBackupAbortByServer);
    assert_int_equal(remote_close_file(f->remote, handle), 0);
    assert_int_equal(remote_end(f->remote, JET_bitBackupEndNormal), JET_errBackupAbortByServer);
    assert_int_equal(remote_begin_frozen(f->remote, 0), 0); /* a new one may begin */
    assert_int_equal(remote_end(f->remote, JET_bitBackupEndAbort), JET_errBackupAbortByCaller);
}

static void
test_term_ends_the_session_of_a_client(void **state)
{
    struct fix *f = *state;
    JET_HANDLE handle;
    uint64_t bytes;
    uint32_t got;
    uint8_t buf[4096];
    assert_int_equal(remote_begin_frozen(f->remote, 0), 0);
    assert_int_equal(remote_open_file(f->remote, "app.edb", &handle, &bytes), 0);
    assert_int_equal(instance_term(f->inst, JET_bitTermComplete, end_all, f->inst),
                     JET_errBackupInProgress);
    assert_int_equal(remote_read_file(f->remote, handle, buf, sizeof(buf), &got), 0);

    server_stop(f->inst);
    assert_int_equal(instance_term(f->inst, JET_bitTermComplete, end_all, f->inst), 0);
    assert_int_equal(remote_read_file(f->remote, handle, buf, sizeof(buf), &got),
                     JET_errBackupAbortByServer);
    assert_int_equal(remote_end(f->remote, JET_bitBackupEndNormal), JET_errBackupAbortByServer);
    instance_free(g_steal_pointer(&f->inst));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_client_copies_a_whole_backup),
        TEST(test_dropped_lease_frees_the_session),
        TEST(test_stopped_backup_fails_reads_and_end),
        TEST(test_term_ends_the_session_of_a_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
