/* SPDX-License-Identifier: MIT */
/*
 * codes_backup: the codes that functions of the external backup have of their own, a row for each:
 * what comes before, the call, the code. Those that all have in common are in test_codes_gate.c,
 * those of JetEndExternalBackup in test_end_backup.c, of restore in test_codes_restore.c.
 */
#include <errno.h>
#include <stdbool.h>

#include "fixture.h"
#include "instance/handle.h"
#include "instance/instance.h"
#include "log/names.h"
#include "log/stream_state.h"
#include "os/fault.h"
#include "page/dbheader.h"
#include "backup/context.h"

#define PAGE 4096u

static char szz[8192], buf[16 * PAGE];
static uint16_t wide[4096];
static uint32_t size, high;
static JET_HANDLE hf;

/* ---- what comes before ---- */

static void
nothing(struct fixture *f)
{
}

static void
full(struct fixture *f)
{
    ok(JetBeginExternalBackupInstance(f->inst, 0));
}

static void
open_database(struct fixture *f)
{
    full(f);
    ok(JetOpenFileInstanceA(f->inst, f->db_path, &hf, &size, &high));
}

static void
logs(struct fixture *f)
{
    full(f);
    ok(JetGetLogInfoInstanceA(f->inst, szz, sizeof szz, &size));
}

static void
open_log(struct fixture *f)
{
    logs(f);
    ok(JetOpenFileInstanceA(f->inst, szz, &hf, &size, &high));
}

/* All of a list, read to the end. */
static void
copy_all(struct fixture *f, const char *list)
{
    uint32_t got;
    for (const char *path = list; *path != '\0'; path += strlen(path) + 1) {
        ok(JetOpenFileInstanceA(f->inst, path, &hf, &size, &high));
        do
            ok(JetReadFileInstance(f->inst, hf, buf, sizeof buf, &got));
        while (got > 0);
        ok(JetCloseFileInstance(f->inst, hf));
    }
}

static void
all_copied(struct fixture *f)
{
    full(f);
    ok(JetGetAttachInfoInstanceA(f->inst, szz, sizeof szz, &size));
    copy_all(f, szz);
    ok(JetGetLogInfoInstanceA(f->inst, szz, sizeof szz, &size));
    copy_all(f, szz);
}

static void
full_is_done(struct fixture *f)
{
    all_copied(f);
    ok(JetTruncateLogInstance(f->inst));
    ok(JetEndExternalBackupInstance(f->inst));
}

static void
incremental(struct fixture *f)
{
    full_is_done(f);
    ok(JetBeginExternalBackupInstance(f->inst, JET_bitBackupIncremental));
}

static char *
file_of(struct fixture *f, const char *name)
{
    return g_build_filename(f->dir, name, NULL);
}

static void
lose_checkpoint(struct fixture *f)
{
    g_autofree char *path = file_of(f, "edb.chk");
    assert_int_equal(g_unlink(path), 0);
}

/* Changes bytes of both copies in the checkpoint file; their checksums hold again if sealed. */
static void
change_checkpoint(struct fixture *f, size_t at, bool sealed)
{
    g_autofree char *path = file_of(f, "edb.chk");
    uint8_t *data;
    gsize len;
    assert_true(g_file_get_contents(path, (char **)&data, &len, NULL));
    for (gsize copy = 0; copy < len; copy += PAGE) {
        data[copy + at] ^= 1;
        uint32_t sum = 0x89ABCDEF;
        for (gsize i = 4; sealed && i < PAGE; i += 4)
            sum ^= le32_get(data + copy + i);
        if (sealed)
            le32_put(data + copy, sum);
    }
    assert_true(g_file_set_contents(path, (const char *)data, (gssize)len, NULL));
    g_free(data);
}

static void
damage_checkpoint(struct fixture *f)
{
    change_checkpoint(f, 100, false);
}

static struct instance *
held(struct fixture *f)
{
    struct instance *inst = handle_get(HANDLE_INSTANCE, f->inst);
    assert_non_null(inst);
    return inst;
}

/* The newest generation there can be: none follows. */
static void
last_generation(struct fixture *f)
{
    struct instance *inst = held(f);
    g_mutex_lock(&inst->log->lock);
    inst->log->file.gen = LOG_GEN_MAX;
    g_mutex_unlock(&inst->log->lock);
}

static void
log_state(struct fixture *f, JET_ERR err)
{
    struct instance *inst = held(f);
    g_mutex_lock(&inst->log->lock);
    inst->log->down = err;
    inst->log->in_trouble = err < 0;
    g_mutex_unlock(&inst->log->lock);
}

static void
refuse_term(struct fixture *f)
{
    full(f);
    assert_int_equal(JetTerm2(f->inst, JET_bitTermComplete), JET_errBackupInProgress);
    (void)JetEndExternalBackupInstance(f->inst);
}

static void
damage_page(struct fixture *f)
{
    fixture_restart(f);
    FILE *file = fopen(f->db_path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 6 * PAGE + 200, SEEK_SET), 0);
    assert_int_equal(fwrite("rubbish", 1, 7, file), 7);
    assert_int_equal(fclose(file), 0);
    open_database(f);
}

static void
damage_log(struct fixture *f)
{
    logs(f);
    FILE *file = fopen(szz, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, PAGE + 200, SEEK_SET), 0);
    assert_int_equal(fwrite("rubbish", 1, 7, file), 7);
    assert_int_equal(fclose(file), 0);
    ok(JetOpenFileInstanceA(f->inst, szz, &hf, &size, &high));
}

static void
lose_log(struct fixture *f)
{
    logs(f);
    assert_int_equal(g_unlink(szz), 0);
}

/* Another kind of file where the log was. */
static void
log_is_a_directory(struct fixture *f)
{
    lose_log(f);
    assert_int_equal(g_mkdir(szz, 0700), 0);
    ok(JetOpenFileInstanceA(f->inst, szz, &hf, &size, &high));
}

static void
log_is_a_loop(struct fixture *f)
{
    lose_log(f);
    assert_int_equal(symlink(szz, szz), 0);
}

/* Closed logs behind the checkpoint, that were copied. */
static void
some_can_go(struct fixture *f)
{
    for (int i = 0; i < 3; i++) {
        logs(f); /* rolls the log */
        ok(JetEndExternalBackupInstance(f->inst));
    }
    fixture_restart(f); /* and the checkpoint goes on */
    all_copied(f);
}

/* They went, but the backup that had them did not end well. */
static void
lose_logs_of_incremental(struct fixture *f)
{
    full_is_done(f);
    some_can_go(f);
    ok(JetTruncateLogInstance(f->inst));
    assert_int_equal(JetEndExternalBackupInstance2(f->inst, JET_bitBackupEndAbort),
                     JET_errBackupAbortByCaller);
    ok(JetBeginExternalBackupInstance(f->inst, JET_bitBackupIncremental));
}

/* ---- directories ---- */

static void
backup_dir(struct fixture *f)
{
    g_autofree char *dir = file_of(f, "backup");
    assert_int_equal(g_mkdir(dir, 0700), 0);
}

static void
backup_dir_with_a_file(struct fixture *f)
{
    backup_dir(f);
    g_autofree char *path = file_of(f, "backup/something");
    assert_true(g_file_set_contents(path, "x", 1, NULL));
}

static void
backup_dir_and_session(struct fixture *f)
{
    backup_dir(f);
    full(f);
}

static void
temp_is_a_file(struct fixture *f)
{
    backup_dir(f);
    g_autofree char *path = file_of(f, "backup/temp");
    assert_true(g_file_set_contents(path, "x", 1, NULL));
}

static void
temp_holds_a_directory(struct fixture *f)
{
    backup_dir(f);
    g_autofree char *path = file_of(f, "backup/temp/sub");
    assert_int_equal(g_mkdir_with_parents(path, 0700), 0);
}

static JET_ERR
backup(struct fixture *f, JET_GRBIT grbit, JET_PFNSTATUS pfn)
{
    g_autofree char *dir = file_of(f, "backup");
    return JetBackupInstanceA(f->inst, dir, grbit, pfn);
}

static JET_ERR
refuse(JET_SESID sesid, JET_SNP snp, JET_SNT snt, void *pv)
{
    return snt == JET_sntBegin ? JET_errOutOfMemory : JET_errSuccess;
}

/* ---- the call, with a fault in it ---- */

static JET_ERR
with_fault(enum os_call calls, const char *part, int errnum, JET_ERR (*call)(struct fixture *f),
           struct fixture *f)
{
    os_fault_arm(&(struct os_fault) {
        .calls = calls, .nth = 1, .persistent = true, .errnum = errnum, .path_part = part});
    JET_ERR err = call(f);
    os_fault_arm(NULL);
    return err;
}

static JET_ERR
read_it(struct fixture *f)
{
    return JetReadFileInstance(f->inst, hf, buf, sizeof buf, &size);
}

static JET_ERR
log_info(struct fixture *f)
{
    return JetGetLogInfoInstanceA(f->inst, szz, sizeof szz, &size);
}

static JET_ERR
truncate_log(struct fixture *f)
{
    return JetTruncateLogInstance(f->inst);
}

/* ---- the rows ---- */

#define CALL(name, call)                                                                           \
    static JET_ERR name(struct fixture *f)                                                         \
    {                                                                                              \
        (void)f;                                                                                   \
        return call;                                                                               \
    }

static const uint16_t half[] = {'/', 0xD800, 'x', 0}; /* half a character */

CALL(begin_0, JetBeginExternalBackupInstance(f->inst, 0))
CALL(begin_inc, JetBeginExternalBackupInstance(f->inst, JET_bitBackupIncremental))
CALL(begin_wrong, JetBeginExternalBackupInstance(f->inst, 0x8000))
CALL(begin_snapshot, JetBeginExternalBackupInstance(f->inst, JET_bitBackupSnapshot))
CALL(attach, JetGetAttachInfoInstanceA(f->inst, szz, sizeof szz, &size))
CALL(attach_small, JetGetAttachInfoInstanceA(f->inst, szz, 3, &size))
CALL(open_null, JetOpenFileInstanceA(f->inst, NULL, &hf, &size, &high))
CALL(open_no_handle, JetOpenFileInstanceA(f->inst, f->db_path, NULL, &size, &high))
CALL(open_no_size, JetOpenFileInstanceA(f->inst, f->db_path, &hf, NULL, &high))
CALL(open_half, JetOpenFileInstanceW(f->inst, half, &hf, &size, &high))
CALL(open_db, JetOpenFileInstanceA(f->inst, f->db_path, &hf, &size, &high))
CALL(open_nowhere, JetOpenFileInstanceA(f->inst, "/nowhere/x.edb", &hf, &size, &high))
CALL(open_other, JetOpenFileInstanceA(f->inst, "/x.edb", &hf, &size, &high))
CALL(open_log_again, JetOpenFileInstanceA(f->inst, szz, &hf, &size, &high))
CALL(read_other, JetReadFileInstance(f->inst, 7, buf, sizeof buf, &size))
CALL(read_odd, JetReadFileInstance(f->inst, hf, buf, 3 * PAGE + 1, &size))
CALL(read_two_pages, JetReadFileInstance(f->inst, hf, buf, 2 * PAGE, &size))
CALL(read_one_page, JetReadFileInstance(f->inst, hf, buf, PAGE, &size))
CALL(read_all, JetReadFileInstance(f->inst, hf, buf, sizeof buf, &size))
CALL(close_other, JetCloseFileInstance(f->inst, 7))
CALL(logs_small, JetGetLogInfoInstanceA(f->inst, szz, 3, &size))
CALL(logs_size,
     JetGetLogInfoInstance2A(f->inst, szz, sizeof szz, &size, &(JET_LOGINFO_A) {.cbSize = 3}))
CALL(logs_size_w,
     JetGetLogInfoInstance2W(f->inst, wide, sizeof wide, &size, &(JET_LOGINFO_W) {.cbSize = 3}))
CALL(doomed, JetGetTruncateLogInfoInstanceA(f->inst, szz, sizeof szz, &size))
CALL(doomed_small, JetGetTruncateLogInfoInstanceA(f->inst, szz, 0 + 1, &size))
CALL(end_neither, JetEndExternalBackupInstance2(f->inst, 0))
CALL(end_both,
     JetEndExternalBackupInstance2(f->inst, JET_bitBackupEndNormal | JET_bitBackupEndAbort))
CALL(read_fails, with_fault(OS_CALL_READ, "test.edb", EIO, read_it, f))
CALL(truncate_fails, with_fault(OS_CALL_RENAME, ".log", EIO, truncate_log, f))
CALL(roll_fails, with_fault(OS_CALL_WRITE, ".log", EIO, log_info, f))
CALL(backup_0, backup(f, 0, NULL))
CALL(backup_wrong, backup(f, 0x8000, NULL))
CALL(backup_atomic, backup(f, JET_bitBackupAtomic, NULL))
CALL(backup_atomic_inc, backup(f, JET_bitBackupAtomic | JET_bitBackupIncremental, NULL))
CALL(backup_inc, backup(f, JET_bitBackupIncremental, NULL))
CALL(backup_refused, backup(f, 0, refuse))
CALL(backup_half, JetBackupInstanceW(f->inst, half, 0, NULL))

static void
no_file_type(struct fixture *f)
{
    change_checkpoint(f, 667, true);
}

static void
other_signature(struct fixture *f)
{
    change_checkpoint(f, 44, true);
}

static void
disk_is_full(struct fixture *f)
{
    log_state(f, JET_errLogDiskFull);
}

static void
sequence_ended(struct fixture *f)
{
    log_state(f, JET_errLogSequenceEnd);
}

static void
log_cannot_be_written(struct fixture *f)
{
    log_state(f, JET_errLogWriteFail);
}

static void
full_at_the_last_generation(struct fixture *f)
{
    full(f);
    last_generation(f);
}

static const struct row {
    const char *name;
    void (*before)(struct fixture *f);
    JET_ERR (*call)(struct fixture *f);
    JET_ERR want;
} rows[] = {
    {"Begin: grbit", nothing, begin_wrong, JET_errInvalidGrbit},
    {"Begin: snapshot", nothing, begin_snapshot, JET_errInvalidGrbit},
    {"Begin: twice", full, begin_0, JET_errBackupInProgress},
    {"Begin: no full one before", nothing, begin_inc, JET_errMissingFullBackup},
    {"Begin: after a refused JetTerm2", refuse_term, begin_0, JET_errBackupNotAllowedYet},
    {"Begin: no checkpoint", lose_checkpoint, begin_0, JET_errCheckpointFileNotFound},
    {"Begin: checkpoint damaged", damage_checkpoint, begin_0, JET_errCheckpointCorrupt},
    {"Begin: checkpoint of another stream", other_signature, begin_0,
     JET_errBadCheckpointSignature},
    {"Begin: no checkpoint file", no_file_type, begin_0, JET_errFileInvalidType},
    {"Begin: log disk full", disk_is_full, begin_0, JET_errLogDiskFull},
    {"Begin: no generation left", sequence_ended, begin_0, JET_errLogSequenceEnd},
    {"Begin: log cannot be written", log_cannot_be_written, begin_0, JET_errLogWriteFail},
    {"GetAttachInfo: buffer", full, attach_small, JET_errBufferTooSmall},
    {"GetAttachInfo: incremental", incremental, attach, JET_errInvalidBackupSequence},
    {"OpenFile: no name", full, open_null, JET_errInvalidParameter},
    {"OpenFile: no handle", full, open_no_handle, JET_errInvalidParameter},
    {"OpenFile: no size", full, open_no_size, JET_errInvalidParameter},
    {"OpenFile: no text", full, open_half, JET_errUnicodeTranslationFail},
    {"OpenFile: a second one", open_database, open_db, JET_errOutOfMemory},
    {"OpenFile: no such database", full, open_other, JET_errDatabaseNotFound},
    {"OpenFile: no such directory", full, open_nowhere, JET_errInvalidPath},
    {"OpenFile: database after the logs", logs, open_db, JET_errInvalidBackupSequence},
    {"OpenFile: no name of a log", logs, open_other, JET_errInvalidParameter},
    {"OpenFile: log is gone", lose_log, open_log_again, JET_errMissingFileToBackup},
    {"OpenFile: log cannot be opened", log_is_a_loop, open_log_again, JET_errInvalidPath},
    {"ReadFile: no such handle", open_database, read_other, JET_errInvalidParameter},
    {"ReadFile: not whole pages", open_database, read_odd, JET_errInvalidParameter},
    {"ReadFile: too little of a database", open_database, read_two_pages, JET_errInvalidParameter},
    {"ReadFile: too little of a log", open_log, read_one_page, JET_errInvalidParameter},
    {"ReadFile: page damaged", damage_page, read_all, JET_errReadVerifyFailure},
    {"ReadFile: segment damaged", damage_log, read_all, JET_errLogReadVerifyFailure},
    {"ReadFile: database cannot be read", open_database, read_fails, JET_errDiskIO},
    {"ReadFile: log cannot be read", log_is_a_directory, read_all, JET_errInvalidPath},
    {"CloseFile: no such handle", open_database, close_other, JET_errInvalidParameter},
    {"GetLogInfo: size of the struct", full, logs_size, JET_errInvalidParameter},
    {"GetLogInfo: size of the struct, W", full, logs_size_w, JET_errInvalidParameter},
    {"GetLogInfo: buffer", full, logs_small, JET_errBufferTooSmall},
    {"GetLogInfo: a file is open", open_database, log_info, JET_errInvalidBackupSequence},
    {"GetLogInfo: a log is missing", lose_logs_of_incremental, log_info,
     JET_errMissingFileToBackup},
    {"GetLogInfo: no generation left", full_at_the_last_generation, log_info,
     JET_errLogSequenceEnd},
    {"GetLogInfo: log cannot be written", full, roll_fails, JET_errLogWriteFail},
    {"GetTruncateLogInfo: a file is open", open_database, doomed, JET_errInvalidBackupSequence},
    {"GetTruncateLogInfo: a log is missing", lose_logs_of_incremental, doomed,
     JET_errMissingFileToBackup},
    {"GetTruncateLogInfo: buffer", incremental, doomed_small, JET_errSuccess},
    {"TruncateLog: before the logs", full, truncate_log, JET_errInvalidBackupSequence},
    {"TruncateLog: a file is open", open_log, truncate_log, JET_errInvalidBackupSequence},
    {"TruncateLog: not copied", logs, truncate_log, JET_errLogFileNotCopied},
    {"TruncateLog: cannot be removed", some_can_go, truncate_fails, JET_errDiskIO},
    {"End: neither", full, end_neither, JET_errInvalidParameter},
    {"End: both", full, end_both, JET_errInvalidParameter},
    {"Backup: grbit", backup_dir, backup_wrong, JET_errInvalidGrbit},
    {"Backup: no directory", nothing, backup_0, JET_errInvalidPath},
    {"Backup: directory not empty", backup_dir_with_a_file, backup_0,
     JET_errBackupDirectoryNotEmpty},
    {"Backup: none to add to", backup_dir, backup_atomic_inc, JET_errInvalidPath},
    {"Backup: no full one before", backup_dir, backup_inc, JET_errMissingFullBackup},
    {"Backup: directory cannot be made", temp_is_a_file, backup_atomic,
     JET_errMakeBackupDirectoryFail},
    {"Backup: directory cannot be removed", temp_holds_a_directory, backup_atomic,
     JET_errDeleteBackupFileFail},
    {"Backup: callback", backup_dir, backup_refused, JET_errOutOfMemory},
    {"Backup: no text", nothing, backup_half, JET_errUnicodeTranslationFail},
    {"Backup: another is running", backup_dir_and_session, backup_0, JET_errBackupInProgress},
};

static void
run_row(void **state)
{
    const struct row *row = *state;
    void *made;
    assert_int_equal(fixture_setup(&made), 0);
    struct fixture *f = made;
    row->before(f);
    JET_ERR err = row->call(f);
    log_state(f, JET_errSuccess);
    (void)JetTerm2(f->inst, JET_bitTermAbrupt | JET_bitTermStopBackup);
    f->inst = 0;
    assert_int_equal(fixture_teardown(&made), 0);
    if (err != row->want)
        fail_msg("%s: %d (%s), expected %d", row->name, err, JetxErrorNameA(err), row->want);
}

int
main(void)
{
    context_set_read_retries(2, 0);
    struct CMUnitTest tests[G_N_ELEMENTS(rows)];
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        tests[i] = (struct CMUnitTest) {
            .name = rows[i].name, .test_func = run_row, .initial_state = (void *)&rows[i]};
    return _cmocka_run_group_tests("codes_backup", tests, G_N_ELEMENTS(tests), NULL, NULL);
}
