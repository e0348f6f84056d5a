/* SPDX-License-Identifier: MIT */
/*
 * backup: the documented sequence from JetBeginExternalBackup to JetExternalRestore as a backup
 * program runs it, frozen sessions in process, over the service and over files alone, and the codes
 * of the gate.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "fixture.h"

#define CHUNK (1u << 20)

struct items {
    JET_TABLEID table;
    JET_COLUMNID id, name;
    int32_t next;
};

/* n more rows, one durable commit each hundred. */
static void
add_items(struct fixture *f, struct items *items, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        if (i % 100 == 0)
            ok(JetBeginTransaction(f->ses));
        insert_item(f, items->table, items->id, items->name, items->next++,
                    "some text for an item");
        if (i % 100 == 99 || i == n - 1)
            ok(JetCommitTransaction(f->ses, 0));
    }
}

static struct items
first_items(struct fixture *f, int32_t n)
{
    struct items items = {0};
    items.table = make_items(f, &items.id, &items.name);
    add_items(f, &items, n);
    return items;
}

/* How many rows a database in dir has, opened by an instance of its own. */
static int32_t
count_in(const char *dir, const char *db_path)
{
    struct fixture g = {.dir = (char *)dir, .db_path = (char *)db_path};
    JET_TABLEID table;
    int32_t n = 0;
    ok(JetCreateInstance(&g.inst, "count"));
    ok(JetSetSystemParameter(&g.inst, 0, JET_paramSystemPath, 0, dir));
    ok(JetSetSystemParameter(&g.inst, 0, JET_paramLogFilePath, 0, dir));
    ok(JetSetSystemParameter(&g.inst, 0, JET_paramTempPath, 0, dir));
    ok(JetSetSystemParameter(&g.inst, 0, JET_paramLogFileSize, 256, NULL));
    ok(JetSetSystemParameter(&g.inst, 0, JET_paramNoInformationEvent, 1, NULL));
    ok(JetInit(&g.inst));
    ok(JetBeginSession(g.inst, &g.ses, NULL, NULL));
    ok(JetAttachDatabase(g.ses, g.db_path, 0));
    ok(JetOpenDatabase(g.ses, g.db_path, NULL, &g.db, 0));
    ok(JetOpenTable(g.ses, g.db, "Items", NULL, 0, 0, &table));
    for (JET_ERR err = JetMove(g.ses, table, JET_MoveFirst, 0); err >= 0;
         err = JetMove(g.ses, table, JET_MoveNext, 0))
        n++;
    fixture_stop(&g);
    return n;
}

/* ---- a backup program ---- */

static void
copy_file(JET_INSTANCE inst, const char *source, const char *dir)
{
    g_autofree char *name = g_path_get_basename(source),
                    *target = g_build_filename(dir, name, NULL);
    g_autofree char *buf = g_malloc(CHUNK);
    JET_HANDLE hf;
    uint32_t low, high, got = 1;
    uint64_t total = 0;
    ok(JetOpenFileInstance(inst, source, &hf, &low, &high));
    int fd = open(target, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    while (got > 0) {
        ok(JetReadFileInstance(inst, hf, buf, CHUNK, &got));
        assert_int_equal(write(fd, buf, got), got);
        total += got;
    }
    close(fd);
    assert_int_equal(total, (uint64_t)high << 32 | low);
    ok(JetCloseFileInstance(inst, hf));
}

/* All of a multi-string. */
static void
copy_list(JET_INSTANCE inst, const char *szz, const char *dir)
{
    for (const char *at = szz; *at; at += strlen(at) + 1)
        copy_file(inst, at, dir);
}

static void
make_copy(struct fixture *f, const char *dir, JET_LOGINFO_A *info)
{
    char szz[4096];
    uint32_t size;
    info->cbSize = sizeof *info;
    g_mkdir(dir, 0700);
    ok(JetBeginExternalBackupInstance(f->inst, 0));
    ok(JetGetAttachInfoInstance(f->inst, szz, sizeof szz, &size));
    copy_list(f->inst, szz, dir);
    ok(JetGetLogInfoInstance2(f->inst, szz, sizeof szz, &size, info));
    copy_list(f->inst, szz, dir);
}

struct writer {
    struct fixture f;
    struct items items;
    atomic_bool stop;
};

static void *
keep_writing(void *arg)
{
    struct writer *w = arg;
    while (!w->stop)
        add_items(&w->f, &w->items, 50);
    return NULL;
}

static void
test_plain_backup_under_load_restores(void **state)
{
    struct fixture *f = *state;
    g_autofree char *dir = g_build_filename(f->dir, "copy", NULL);
    g_autofree char *copy = g_build_filename(dir, "test.edb", NULL);
    JET_LOGINFO_A info;
    pthread_t thread;
    struct writer w = {.items = first_items(f, 3000)};
    ok(JetCloseTable(f->ses, w.items.table));
    w.f = *f;
    ok(JetBeginSession(f->inst, &w.f.ses, NULL, NULL));
    ok(JetOpenDatabase(w.f.ses, f->db_path, NULL, &w.f.db, 0));
    ok(JetOpenTable(w.f.ses, w.f.db, "Items", NULL, 0, 0, &w.items.table));
    pthread_create(&thread, NULL, keep_writing, &w);
    make_copy(f, dir, &info);
    w.stop = true;
    pthread_join(thread, NULL);
    ok(JetTruncateLogInstance(f->inst));
    ok(JetEndExternalBackupInstance(f->inst));
    ok(JetBeginExternalBackupInstance(f->inst, JET_bitBackupIncremental)); /* it was a full one */
    ok(JetGetLogInfoInstance(f->inst, NULL, 0, NULL));
    ok(JetEndExternalBackupInstance(f->inst));
    assert_int_equal(JetAttachDatabase(f->ses, copy, 0), JET_errSoftRecoveryOnBackupDatabase);
    fixture_stop(f);

    JET_RSTMAP_A map = {f->db_path, copy};
    ok(JetExternalRestore2(dir, dir, &map, 1, dir, &info, NULL, NULL, NULL, NULL));
    assert_in_range(count_in(dir, copy), 3000, w.items.next);
    assert_int_equal(JetExternalRestore2(dir, dir, &map, 1, dir, &info, NULL, NULL, NULL, NULL),
                     JET_errRestoreOfNonBackupDatabase);
}

/* ---- frozen: exactly the commits before ---- */

static void
copy_frozen(JET_INSTANCE inst, const char *dir)
{
    JETX_BACKUPFILE *files;
    uint32_t n;
    g_mkdir(dir, 0700);
    ok(JetxGetFrozenFiles(inst, &files, &n));
    for (uint32_t i = 0; i < n; i++)
        copy_file(inst, files[i].szName, dir);
    ok(JetFreeBuffer((char *)files));
}

static void
check_frozen_copy(struct fixture *f, const char *dir, int32_t expected)
{
    g_autofree char *target = g_build_filename(f->dir, "target", NULL);
    g_autofree char *restored = g_build_filename(target, "test.edb", NULL);
    JETX_VERIFYREPORT verify = {.cbStruct = sizeof verify};
    JETX_RESTOREREPORT report = {.cbStruct = sizeof report};
    ok(JetxVerifyBackup(dir, &verify));
    assert_int_equal(verify.cDatabase, 1);
    assert_int_equal(verify.cPageBad, 0);
    ok(JetxRestoreBackup(dir, target, NULL, &report));
    assert_int_equal(report.cDatabase, 1);
    assert_int_equal(count_in(target, restored), expected);
}

static void
frozen_round(struct fixture *f, JET_INSTANCE inst)
{
    g_autofree char *dir = g_build_filename(f->dir, "copy", NULL);
    char *manifest;
    JETX_BACKUPSTATUS status = {.cbStruct = sizeof status};
    struct items items = first_items(f, 2000);
    ok(JetxBeginFrozenBackup(inst, 0));
    add_items(f, &items, 1500);
    copy_frozen(inst, dir);
    ok(JetxGetManifest(inst, &manifest));
    assert_non_null(strstr(manifest, "jetfs-backup"));
    ok(JetFreeBuffer(manifest));
    ok(JetxGetBackupStatus(inst, &status));
    assert_string_equal(status.szState, "frozen");
    ok(JetEndExternalBackupInstance(inst));
    assert_int_equal(JetEndExternalBackupInstance(inst), JET_errNoBackup);
    ok(JetxGetBackupStatus(inst, &status));
    assert_string_equal(status.szState, "ended");
    check_frozen_copy(f, dir, 2000);
}

static void
test_frozen_copy_has_exactly_the_commits_before(void **state)
{
    struct fixture *f = *state;
    frozen_round(f, f->inst);
}

static int
setup_with_service(void **state)
{
    ok(JetSetSystemParameter(NULL, 0, JET_paramJetxBackupService, 1, NULL));
    int result = fixture_setup(state);
    ok(JetSetSystemParameter(NULL, 0, JET_paramJetxBackupService, 0, NULL));
    return result;
}

static void
test_frozen_copy_through_the_service(void **state)
{
    struct fixture *f = *state;
    JET_INSTANCE remote;
    JET_SESID ses;
    ok(JetxConnectInstance(f->dir, &remote));
    assert_true(JetBeginSession(remote, &ses, NULL, NULL) < 0); /* backup calls only */
    frozen_round(f, remote);
    ok(JetxDisconnectInstance(remote));
    assert_int_equal(JetxDisconnectInstance(remote), JET_errInvalidInstance);
    assert_int_equal(JetEndExternalBackupInstance(remote), JET_errInvalidInstance);
}

static void
test_disconnect_ends_the_session(void **state)
{
    struct fixture *f = *state;
    JET_INSTANCE remote;
    ok(JetxConnectInstance(f->dir, &remote));
    ok(JetxBeginFrozenBackup(remote, 0));
    assert_int_equal(JetBeginExternalBackupInstance(f->inst, 0), JET_errBackupInProgress);
    ok(JetxDisconnectInstance(remote));
    gint64 deadline = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    JET_ERR err;
    do
        err = JetBeginExternalBackupInstance(f->inst, 0);
    while (err == JET_errBackupInProgress && g_get_monotonic_time() < deadline);
    assert_int_equal(err, 0);
}

static void
test_files_without_owner(void **state)
{
    struct fixture *f = *state;
    g_autofree char *dir = g_build_filename(f->dir, "copy", NULL);
    g_autofree char *copy = g_build_filename(dir, "test.edb", NULL);
    g_autofree char *a = NULL, *b = NULL;
    gsize size_a, size_b;
    JET_INSTANCE inst;
    (void)first_items(f, 500);
    assert_int_equal(JetxOpenDatabaseFile(f->db_path, &inst), JET_errFileAccessDenied);
    assert_int_equal(JetxOpenDatabaseFile(f->dir, &inst), JET_errFileAccessDenied);
    assert_int_equal(JetxConnectInstance(f->dir, &inst), JET_errFileNotFound); /* no service */
    fixture_stop(f);
    ok(JetxOpenDatabaseFile(f->db_path, &inst));
    ok(JetxBeginFrozenBackup(inst, 0));
    assert_int_equal(JetBeginExternalBackupInstance(inst, 0), JET_errFeatureNotAvailable);
    copy_frozen(inst, dir);
    ok(JetEndExternalBackupInstance(inst));
    ok(JetxDisconnectInstance(inst));
    assert_true(g_file_get_contents(f->db_path, &a, &size_a, NULL));
    assert_true(g_file_get_contents(copy, &b, &size_b, NULL));
    assert_int_equal(size_a, size_b);
    assert_memory_equal(a, b, size_a);
    assert_int_equal(count_in(dir, copy), 500);
}

/* ---- limits, progress, pages preserved ---- */

static void
set_limits(struct fixture *f, uintptr_t max_age)
{
    ok(JetSetSystemParameter(&f->inst, 0, JET_paramJetxSessionMaxAge, max_age, NULL));
    ok(JetSetSystemParameter(&f->inst, 0, JET_paramJetxSessionIdle, 100, NULL));
    ok(JetSetSystemParameter(&f->inst, 0, JET_paramJetxPreimageBudget, 3, NULL));
    ok(JetSetSystemParameter(&f->inst, 0, JET_paramJetxPinnedLogBudget, 5, NULL));
    assert_int_equal(JetSetSystemParameter(&f->inst, 0, JET_paramJetxPreimagePercent, 101, NULL),
                     JET_errInvalidParameter);
}

static JETX_BACKUPSTATUS
status_of(JET_INSTANCE inst)
{
    JETX_BACKUPSTATUS status = {.cbStruct = sizeof status};
    ok(JetxGetBackupStatus(inst, &status));
    return status;
}

static void
check_limits(JET_INSTANCE inst)
{
    JETX_BACKUPLIMITS tighter = {.cbStruct = sizeof tighter, .secIdle = 50, .secMaxAge = 1000000};
    ok(JetxSetBackupLimits(inst, &tighter));
    JETX_BACKUPSTATUS status = status_of(inst);
    assert_int_equal(status.rgLimit[JETX_limitAge].limit, 500000);
    assert_int_equal(status.rgLimit[JETX_limitIdle].limit, 50000);
    assert_int_equal(status.rgLimit[JETX_limitPreimage].limit, 3 << 20);
    assert_int_equal(status.rgLimit[JETX_limitPinnedLog].limit, 5 << 20);
    assert_int_equal(status.pidHolder, getpid());
    assert_int_equal(status.limitEnded, 0);

    tighter.pctPreimage = 101;
    assert_int_equal(JetxSetBackupLimits(inst, &tighter), JET_errInvalidParameter);
    assert_int_equal(JetxSetBackupLimits(inst, NULL), JET_errInvalidParameter);
    tighter = (JETX_BACKUPLIMITS) {.cbStruct = 4};
    assert_int_equal(JetxSetBackupLimits(inst, &tighter), JET_errInvalidParameter);
}

static void
check_progress(JET_INSTANCE inst)
{
    JETX_BACKUPPROGRESS progress = {
        .cbStruct = sizeof progress, .szMount = "/mnt", .cbRequired = 10, .cbServed = 4};
    ok(JetxReportBackupProgress(inst, &progress));
    gint64 deadline = g_get_monotonic_time() + 20 * G_USEC_PER_SEC; /* it does not wait */
    while (status_of(inst).cbServed != 4 && g_get_monotonic_time() < deadline)
        g_usleep(500);
    JETX_BACKUPSTATUS status = status_of(inst);
    assert_string_equal(status.szHolderMount, "/mnt");
    assert_int_equal(status.cbRequired, 10);
    assert_int_equal(status.cbServed, 4);
    memset(progress.szMount, 'x', sizeof progress.szMount);
    assert_int_equal(JetxReportBackupProgress(inst, &progress), JET_errInvalidParameter);
    assert_int_equal(JetxReportBackupProgress(inst, NULL), JET_errInvalidParameter);
}

static void
check_preserved(JET_INSTANCE inst)
{
    JET_HANDLE hf;
    uint32_t low, high, pages[4];
    ok(JetOpenFileInstance(inst, "test.edb", &hf, &low, &high));
    ok(JetxGetPreservedPages(inst, hf, 4, pages));
    assert_int_equal(JetxGetPreservedPages(inst, hf, 0, pages), JET_errInvalidParameter);
    assert_int_equal(JetxGetPreservedPages(inst, hf, 4, NULL), JET_errInvalidParameter);
    assert_int_equal(JetxGetPreservedPages(inst, hf + 77, 4, pages), JET_errInvalidParameter);
    ok(JetCloseFileInstance(inst, hf));
    ok(JetOpenFileInstance(inst, "backup.json", &hf, &low, &high));
    assert_int_equal(JetxGetPreservedPages(inst, hf, 4, pages), JET_errInvalidParameter);
    ok(JetCloseFileInstance(inst, hf));
}

static void
test_limits_here_and_through_the_service(void **state)
{
    struct fixture *f = *state;
    JET_INSTANCE remote;
    JETX_BACKUPLIMITS none = {.cbStruct = sizeof none};
    JETX_BACKUPPROGRESS progress = {.cbStruct = sizeof progress};
    uint32_t pages[1];
    set_limits(f, 500);
    ok(JetxConnectInstance(f->dir, &remote));
    JET_INSTANCE both[] = {f->inst, remote};
    for (size_t i = 0; i < G_N_ELEMENTS(both); i++) {
        assert_int_equal(JetxSetBackupLimits(both[i], &none), JET_errNoBackup);
        assert_int_equal(JetxGetPreservedPages(both[i], 0, 1, pages), JET_errNoBackup);
        ok(JetxBeginFrozenBackup(both[i], 0));
        check_limits(both[i]);
        check_progress(both[i]);
        check_preserved(both[i]);
        ok(JetEndExternalBackupInstance(both[i]));
    }
    assert_int_equal(JetxReportBackupProgress(f->inst, &progress), JET_errNoBackup);
    ok(JetxDisconnectInstance(remote));
    ok(JetBeginExternalBackupInstance(f->inst, 0));
    assert_int_equal(JetxSetBackupLimits(f->inst, &none), JET_errInvalidBackupSequence);
    assert_int_equal(JetxReportBackupProgress(f->inst, &progress), JET_errInvalidBackupSequence);
    (void)JetEndExternalBackupInstance(f->inst);
}

static bool
session_is_over(JET_INSTANCE inst)
{
    gint64 deadline = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    while (status_of(inst).errSession == 0 && g_get_monotonic_time() < deadline)
        g_usleep(1000);
    return status_of(inst).errSession < 0;
}

static void
test_a_session_that_is_too_old_ends(void **state)
{
    struct fixture *f = *state;
    JET_INSTANCE remote;
    JET_SESID ses;
    JETX_BACKUPLIMITS none = {.cbStruct = sizeof none};
    set_limits(f, 1);
    ok(JetxBeginFrozenBackup(f->inst, 0));
    assert_true(session_is_over(f->inst));
    assert_int_equal(JetxSetBackupLimits(f->inst, &none), JET_errBackupAbortByServer);
    assert_int_equal(status_of(f->inst).limitEnded, 1 + JETX_limitAge);
    assert_int_equal(JetEndExternalBackupInstance(f->inst), JET_errBackupAbortByServer);

    ok(JetxConnectInstance(f->dir, &remote));
    ok(JetxBeginFrozenBackup(remote, 0));
    assert_true(session_is_over(remote));
    gint64 deadline = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    ok(JetBeginSession(f->inst, &ses, NULL, NULL));
    ok(JetCloseDatabase(f->ses, f->db, 0));
    while (JetDetachDatabase(ses, NULL) < 0 && g_get_monotonic_time() < deadline)
        g_usleep(1000); /* its holder does nothing, and is not waited for */
    assert_true(g_get_monotonic_time() < deadline);
    ok(JetEndSession(ses, 0));
    JETX_BACKUPSTATUS status = status_of(remote);
    assert_string_equal(status.szState, "aborted");
    assert_int_equal(status.limitEnded, 1 + JETX_limitAge);
    assert_int_equal(JetEndExternalBackupInstance(remote), JET_errBackupAbortByServer);
    ok(JetxDisconnectInstance(remote));
}

static void
test_an_older_status_struct_is_not_overrun(void **state)
{
    struct fixture *f = *state;
    JET_INSTANCE remote;
    JETX_BACKUPSTATUS status;
    ok(JetxConnectInstance(f->dir, &remote));
    JET_INSTANCE both[] = {f->inst, remote};
    for (size_t i = 0; i < G_N_ELEMENTS(both); i++) {
        memset(&status, 0x5a, sizeof status);
        status.cbStruct = offsetof(JETX_BACKUPSTATUS, rgLimit);
        ok(JetxGetBackupStatus(both[i], &status));
        assert_int_equal(status.cbStruct, offsetof(JETX_BACKUPSTATUS, rgLimit));
        assert_int_equal(((uint8_t *)&status)[offsetof(JETX_BACKUPSTATUS, rgLimit)], 0x5a);
    }
    ok(JetxDisconnectInstance(remote));
}

/* ---- recovered: clean databases instead of images and logs ---- */

static void
check_recovered(struct fixture *f, JET_INSTANCE inst, int32_t expected)
{
    g_autofree char *dir = g_build_filename(f->dir, "clean", NULL);
    g_autofree char *copy = g_build_filename(dir, "test.edb", NULL);
    JETX_BACKUPFILE *files;
    JETX_BACKUPSTATUS status = {.cbStruct = sizeof status};
    uint32_t n;
    ok(JetxGetFrozenFiles(inst, &files, &n));
    assert_int_equal(n, 2);
    assert_string_equal(files[0].szName, "test.edb");
    assert_string_equal(files[0].szPath, f->db_path);
    ok(JetFreeBuffer((char *)files));
    ok(JetxGetBackupStatus(inst, &status));
    assert_string_equal(status.szState, "frozen");
    assert_int_equal(status.cbPinnedLog, 0);
    copy_frozen(inst, dir);
    ok(JetEndExternalBackupInstance(inst));
    assert_int_equal(JetEndExternalBackupInstance(inst), JET_errNoBackup);
    assert_int_equal(count_in(dir, copy), expected);
}

static void
test_recovered_view_of_a_live_instance(void **state)
{
    struct fixture *f = *state;
    JET_INSTANCE remote;
    struct items items = first_items(f, 2000);
    assert_int_equal(JetxBeginFrozenBackup(f->inst, JETX_bitFrozenRecovered),
                     JET_errFeatureNotAvailable);
    ok(JetxConnectInstance(f->dir, &remote));
    ok(JetBeginTransaction(f->ses));
    insert_item(f, items.table, items.id, items.name, 1000000, "not committed");
    ok(JetxBeginFrozenBackup(remote, JETX_bitFrozenRecovered));
    ok(JetRollback(f->ses, 0));
    add_items(f, &items, 500);
    ok(JetBeginExternalBackupInstance(f->inst, 0)); /* the owner is free again */
    (void)JetEndExternalBackupInstance(f->inst);
    check_recovered(f, remote, 2000);
    ok(JetxBeginFrozenBackup(remote, 0)); /* and the handle can be used on */
    ok(JetxDisconnectInstance(remote));
}

/* The files of a running instance, as a power cut would leave them. */
static void
copy_as_crashed(struct fixture *f, const char *to)
{
    GDir *dir = g_dir_open(f->dir, 0, NULL);
    const char *name;
    g_mkdir(to, 0700);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *from = g_build_filename(f->dir, name, NULL);
        g_autofree char *target = g_build_filename(to, name, NULL);
        g_autofree char *bytes = NULL;
        gsize size;
        if (g_file_test(from, G_FILE_TEST_IS_REGULAR) &&
            g_file_get_contents(from, &bytes, &size, NULL))
            assert_true(g_file_set_contents(target, bytes, (gssize)size, NULL));
    }
    g_dir_close(dir);
}

static void
test_recovered_view_of_crashed_files(void **state)
{
    struct fixture *f = *state;
    g_autofree char *crashed = g_build_filename(f->dir, "crashed", NULL);
    g_autofree char *alone = g_build_filename(crashed, "test.edb", NULL);
    JET_INSTANCE inst;
    (void)first_items(f, 1500);
    copy_as_crashed(f, crashed);
    g_free(f->db_path);
    f->db_path = g_strdup(alone);
    ok(JetxOpenDatabaseFile(crashed, &inst));
    ok(JetxBeginFrozenBackup(inst, JETX_bitFrozenRecovered));
    check_recovered(f, inst, 1500);
    ok(JetxDisconnectInstance(inst));
    ok(JetxOpenDatabaseFile(alone, &inst)); /* without its logs there is no way */
    assert_int_equal(JetxBeginFrozenBackup(inst, JETX_bitFrozenRecovered),
                     JET_errDatabaseDirtyShutdown);
    ok(JetxBeginFrozenBackup(inst, 0));
    ok(JetxDisconnectInstance(inst));
}

/* ---- JetBackup ---- */

static int progress_calls, last_percent;

static JET_ERR
watch(JET_SESID sesid, JET_SNP snp, JET_SNT snt, void *pv)
{
    JET_SNPROG *p = pv;
    assert_true(sesid == JET_sesidNil && snp == JET_snpBackup && p->cunitTotal == 100);
    assert_true((int)p->cunitDone >= last_percent);
    last_percent = snt == JET_sntBegin ? 0 : (int)p->cunitDone;
    progress_calls++;
    return 0;
}

static void
restore_directory(struct fixture *f, char *dir, int32_t expected)
{
    g_autofree char *copy = g_build_filename(dir, "test.edb", NULL);
    JET_RSTMAP_A map = {f->db_path, copy};
    ok(JetExternalRestore(dir, dir, &map, 1, dir, 0, 0, NULL));
    assert_int_equal(count_in(dir, copy), expected);
}

static void
test_directory_backup_full_and_incremental(void **state)
{
    struct fixture *f = *state;
    g_autofree char *dir = g_build_filename(f->dir, "full", NULL);
    struct items items = first_items(f, 1000);
    g_mkdir(dir, 0700);
    assert_int_equal(JetBackupInstance(f->inst, dir, 8, NULL), JET_errInvalidGrbit);
    assert_int_equal(JetBackupInstance(f->inst, "/nonexistent/x/y", 0, NULL), JET_errInvalidPath);
    assert_int_equal(JetBackupInstance(f->inst, f->dir, 0, NULL), JET_errBackupDirectoryNotEmpty);
    last_percent = progress_calls = 0;
    ok(JetBackupInstance(f->inst, dir, 0, watch));
    assert_int_equal(last_percent, 100);
    assert_true(progress_calls > 3);
    add_items(f, &items, 300);
    ok(JetBackupInstance(f->inst, dir, JET_bitBackupIncremental, NULL));
    add_items(f, &items, 200);
    ok(JetBackupInstance(f->inst, dir, JET_bitBackupIncremental, NULL));
    add_items(f, &items, 100); /* not backed up */
    ok(JetBackupInstance(f->inst, NULL, 0, NULL));
    restore_directory(f, dir, 1500);
}

static void
test_directory_restore_rolls_forward(void **state)
{
    struct fixture *f = *state;
    g_autofree char *dir = g_build_filename(f->dir, "full", NULL);
    g_autofree char *pat = g_build_filename(dir, "test.pat", NULL);
    struct items items = first_items(f, 1000);
    g_mkdir(dir, 0700);
    ok(JetBackupInstance(f->inst, dir, 0, NULL));
    add_items(f, &items, 500); /* only in the live logs */
    assert_int_equal(JetRestoreInstance(f->inst, dir, NULL, NULL), JET_errAlreadyInitialized);
    assert_int_equal(JetRestore(dir, NULL), JET_errRunningInMultiInstanceMode);
    fixture_stop(f);
    g_unlink(f->db_path); /* the disaster */

    ok(JetCreateInstance(&f->inst, "test"));
    ok(JetSetSystemParameter(&f->inst, 0, JET_paramSystemPath, 0, f->dir));
    ok(JetSetSystemParameter(&f->inst, 0, JET_paramLogFilePath, 0, f->dir));
    ok(JetSetSystemParameter(&f->inst, 0, JET_paramNoInformationEvent, 1, NULL));
    assert_int_equal(JetRestoreInstance(f->inst, "", NULL, NULL), JET_errInvalidParameter);
    assert_int_equal(JetRestoreInstance(f->inst, "/nonexistent", NULL, NULL), JET_errFileNotFound);
    g_rename(pat, f->db_path);
    assert_int_equal(JetRestoreInstance(f->inst, dir, NULL, NULL), JET_errPatchFileMissing);
    g_rename(f->db_path, pat);
    ok(JetRestoreInstance(f->inst, dir, NULL, NULL));
    ok(JetTerm(f->inst));
    f->inst = 0;
    assert_int_equal(count_in(f->dir, f->db_path), 1500);
}

static void
test_directory_restore_to_another_place(void **state)
{
    struct fixture *f = *state;
    g_autofree char *dir = g_build_filename(f->dir, "full", NULL);
    g_autofree char *place = g_build_filename(f->dir, "place", NULL);
    g_autofree char *restored = g_build_filename(place, "test.edb", NULL);
    struct items items = first_items(f, 400);
    g_mkdir(dir, 0700);
    g_mkdir(place, 0700);
    ok(JetBackupInstance(f->inst, dir, JET_bitBackupAtomic, NULL));
    add_items(f, &items, 100);
    ok(JetSetSystemParameter(NULL, 0, JET_paramSystemPath, 0, place));
    ok(JetSetSystemParameter(NULL, 0, JET_paramLogFilePath, 0, place));
    ok(JetRestoreInstance(JET_instanceNil, dir, place, NULL));
    assert_int_equal(count_in(place, restored), 400);
}

static JET_ERR
give_up(JET_SESID sesid, JET_SNP snp, JET_SNT snt, void *pv)
{
    return snt == JET_sntProgress ? JET_errOutOfMemory : 0;
}

static void
test_atomic_directory_backup_keeps_the_last_whole_one(void **state)
{
    struct fixture *f = *state;
    g_autofree char *dir = g_build_filename(f->dir, "atomic", NULL);
    g_autofree char *new = g_build_filename(dir, "new", NULL);
    g_autofree char *temp = g_build_filename(dir, "temp", NULL);
    g_autofree char *old = g_build_filename(dir, "old", NULL);
    struct items items = first_items(f, 700);
    g_mkdir(dir, 0700);
    ok(JetBackupInstance(f->inst, dir, JET_bitBackupAtomic, NULL));
    add_items(f, &items, 100);
    ok(JetBackupInstance(f->inst, dir, JET_bitBackupAtomic, NULL));
    add_items(f, &items, 100);
    assert_int_equal(JetBackupInstance(f->inst, dir, JET_bitBackupAtomic, give_up),
                     JET_errOutOfMemory);
    assert_false(g_file_test(temp, G_FILE_TEST_EXISTS));
    assert_false(g_file_test(old, G_FILE_TEST_EXISTS));
    restore_directory(f, new, 800);
}

/* ---- the caller's buffers ---- */

static void
test_lists_in_small_buffers(void **state)
{
    struct fixture *f = *state;
    char a[4096];
    uint16_t w[2048];
    uint32_t need = 0, got = 77, n = (uint32_t)strlen(f->db_path);
    ok(JetBeginExternalBackupInstance(f->inst, 0));
    ok(JetGetAttachInfoInstanceA(f->inst, NULL, 0, &need));
    assert_int_equal(need, n + 2);
    assert_int_equal(JetGetAttachInfoInstanceA(f->inst, a, n, &got), JET_errBufferTooSmall);
    assert_int_equal(got, 77);
    ok(JetGetAttachInfoInstanceA(f->inst, a, n + 1, &got)); /* only the last NUL is missing */
    assert_int_equal(got, need);
    assert_string_equal(a, f->db_path);
    ok(JetGetAttachInfoInstanceW(f->inst, w, 4, &got));
    assert_int_equal(got, 2 * need);
    assert_int_equal(w[0], f->db_path[0]);
    ok(JetGetLogInfoInstanceW(f->inst, NULL, 0, &need));
    ok(JetGetLogInfoInstanceW(f->inst, w, 4, &got));
    assert_int_equal(got, 4);
    JET_LOGINFO_A info = {.cbSize = 15};
    assert_int_equal(JetGetLogInfoInstance2A(f->inst, a, sizeof a, &got, &info),
                     JET_errInvalidParameter);
    info.cbSize = 16;
    ok(JetGetLogInfoInstance2A(f->inst, a, sizeof a, &got, &info));
    assert_string_equal(info.szBaseName, "edb");
    assert_true(info.ulGenHigh >= info.ulGenLow && info.ulGenLow > 0);
    ok(JetGetTruncateLogInfoInstanceA(f->inst, a, sizeof a, &got));
    assert_int_equal(got, 1); /* no database was copied: nothing may go */
}

/* ---- the gate ---- */

static void
test_no_backup_no_instance(void **state)
{
    struct fixture *f = *state;
    JET_INSTANCE created;
    assert_int_equal(JetEndExternalBackupInstance(f->inst), JET_errNoBackup);
    assert_int_equal(JetEndExternalBackupInstance2(f->inst, 0), JET_errInvalidParameter);
    assert_int_equal(JetEndExternalBackup(), JET_errRunningInMultiInstanceMode);
    assert_int_equal(JetBeginExternalBackup(0), JET_errRunningInMultiInstanceMode);
    assert_int_equal(JetStopBackup(), JET_errRunningInMultiInstanceMode);
    assert_int_equal(JetEndExternalBackupInstance(0), JET_errInvalidParameter);
    assert_int_equal(JetEndExternalBackupInstance(JET_instanceNil), JET_errInvalidParameter);
    assert_int_equal(JetEndExternalBackupInstance(12345), JET_errInvalidInstance);
    ok(JetCreateInstance(&created, "not initialized"));
    assert_int_equal(JetBeginExternalBackupInstance(created, 0), JET_errNotInitialized);
    assert_int_equal(JetEndExternalBackupInstance(created), JET_errNotInitialized);
    ok(JetStopBackupInstance(created));
    ok(JetTerm(created));
}

static void
test_end_codes(void **state)
{
    struct fixture *f = *state;
    ok(JetBeginExternalBackupInstance(f->inst, 0));
    assert_int_equal(JetEndExternalBackupInstance(f->inst), JET_errBackupAbortByCaller);
    ok(JetBeginExternalBackupInstance(f->inst, 0));
    ok(JetGetLogInfoInstance(f->inst, NULL, 0, NULL));
    ok(JetStopBackupInstance(f->inst));
    assert_int_equal(JetEndExternalBackupInstance(f->inst), JET_errBackupAbortByServer);
    ok(JetBeginExternalBackupInstance(f->inst, 0));
    ok(JetGetLogInfoInstance(f->inst, NULL, 0, NULL));
    ok(JetEndExternalBackupInstance(f->inst));
    ok(JetBeginExternalBackupInstance(f->inst, 0));
    ok(JetStopServiceInstance(f->inst));
    assert_int_equal(JetEndExternalBackupInstance(f->inst), JET_errClientRequestToStopJetService);
    ok(JetTerm(f->inst)); /* the only way out */
    f->inst = 0;
}

static void
test_term_and_backup(void **state)
{
    struct fixture *f = *state;
    ok(JetBeginExternalBackupInstance(f->inst, 0));
    assert_int_equal(JetTerm2(f->inst, JET_bitTermComplete), JET_errBackupInProgress);
    assert_int_equal(JetTerm2(f->inst, 0), JET_errBackupInProgress);
    (void)first_items(f, 10); /* it runs on */
    ok(JetTerm2(f->inst, JET_bitTermStopBackup));
    f->inst = 0;
}

static void
test_legacy_forms(void **state)
{
    g_autofree char *dir = g_dir_make_tmp("jet-legacy-XXXXXX", NULL);
    JET_HANDLE hf;
    uint32_t low, high, got;
    char szz[4096];
    assert_int_equal(JetEndExternalBackup(), JET_errNotInitialized);
    ok(JetSetSystemParameter(NULL, 0, JET_paramSystemPath, 0, dir));
    ok(JetSetSystemParameter(NULL, 0, JET_paramLogFilePath, 0, dir));
    ok(JetSetSystemParameter(NULL, 0, JET_paramTempPath, 0, dir));
    ok(JetInit(NULL));
    assert_int_equal(JetEndExternalBackup(), JET_errNoBackup);
    ok(JetBeginExternalBackup(0));
    ok(JetGetAttachInfo(szz, sizeof szz, &got));
    assert_int_equal(got, 1);
    assert_int_equal(JetOpenFile("nosuch.edb", &hf, &low, &high), JET_errDatabaseNotFound);
    ok(JetGetLogInfo(szz, sizeof szz, &got));
    ok(JetOpenFile(szz, &hf, &low, &high));
    assert_int_equal(hf, 0);
    ok(JetReadFile(hf, szz, 0, &got) < 0 ? 0 : -1); /* the first read of a log wants two pages */
    ok(JetCloseFile(hf));
    assert_int_equal(JetTruncateLog(), JET_errLogFileNotCopied);
    ok(JetStopBackup());
    assert_int_equal(JetEndExternalBackup(), JET_errBackupAbortByServer);
    ok(JetTerm(0));
    remove_tree(dir);
}

#define CASE(name)   cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
#define SERVED(name) cmocka_unit_test_setup_teardown(name, setup_with_service, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_plain_backup_under_load_restores),
        CASE(test_frozen_copy_has_exactly_the_commits_before),
        SERVED(test_frozen_copy_through_the_service),
        SERVED(test_disconnect_ends_the_session),
        CASE(test_files_without_owner),
        SERVED(test_limits_here_and_through_the_service),
        SERVED(test_a_session_that_is_too_old_ends),
        SERVED(test_an_older_status_struct_is_not_overrun),
        SERVED(test_recovered_view_of_a_live_instance),
        CASE(test_recovered_view_of_crashed_files),
        CASE(test_directory_backup_full_and_incremental),
        CASE(test_atomic_directory_backup_keeps_the_last_whole_one),
        CASE(test_directory_restore_rolls_forward),
        CASE(test_directory_restore_to_another_place),
        CASE(test_lists_in_small_buffers),
        CASE(test_no_backup_no_instance),
        CASE(test_end_codes),
        CASE(test_term_and_backup),
        cmocka_unit_test(test_legacy_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
