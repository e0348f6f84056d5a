/* SPDX-License-Identifier: MIT */
/*
 * golden_snapshot: cases 24 and 79 to 86, and what 1.18, 1.19 and 5.5 say beyond them: each
 * documented code of JetOSSnapshot* and of the surrogate calls, the stamps, what redo makes of
 * them.
 */
#include "golden.h"

#include <errno.h>

#include "os/fault.h"

#define CONTINUE    JET_bitContinueAfterThaw
#define INCREMENTAL JET_bitIncrementalSnapshot
#define COPY        JET_bitCopySnapshot
#define EXPLICIT    JET_bitExplicitPrepare
#define SEQUENCE    JET_errOSSnapshotInvalidSequence
#define NOT_ALLOWED JET_errOSSnapshotNotAllowed
#define NO_ID       JET_errOSSnapshotInvalidSnapId
#define TIME_OUT    JET_errOSSnapshotTimeOut
#define SURROGATE   JET_errSurrogateBackupInProgress
#define BUSY        JET_errBackupInProgress
#define GRBIT       JET_errInvalidGrbit

#define TAKE(grbit)                                                                                \
    {OP_PREPARE, grbit, 0}, {OP_FREEZE, 0, 0},                                                     \
    {                                                                                              \
        OP_THAW, 0, 0                                                                              \
    }

static const struct golden_case cases[] = {
    {"24", {TAKE(0), {OP_BEGIN, 1, JET_errMissingFullBackup}, {OP_HEARD, 206, 0}}},
    {"79",
     {{OP_SURROGATE, GENS(5, 4, 0), JET_errInvalidParameter},
      {OP_SURROGATE, GENS(1, NEWEST + 1, 0), JET_errInvalidParameter},
      {OP_SURROGATE, GENS(1, NEWEST, 0), 0},
      {OP_HEARD, 210, 0},
      {OP_END_SURROGATE, 1, 0}}},
    {"80",
     {{OP_SURROGATE, GENS(1, 1, 0), 0},
      {OP_BEGIN, 0, SURROGATE},
      {OP_ATTACH_INFO, 0, JET_errNoBackup},
      {OP_ATTACH_OTHER, 0, SURROGATE},
      {OP_SURROGATE, GENS(1, 1, 0), SURROGATE},
      {OP_PREPARE, 0, 0},
      {OP_FREEZE, 0, NOT_ALLOWED}}},
    {"81", {{OP_PREPARE, 0x10, GRBIT}}},
    {"82",
     {{OP_BEGIN, 0, 0},
      {OP_PREPARE, 0, 0},
      {OP_FREEZE, 0, NOT_ALLOWED},
      {OP_HEARD, 2002, 0},
      {OP_ATTACH_INFO, 0, 0},
      {OP_FREEZE, 0, SEQUENCE},
      {OP_THAW, 0, SEQUENCE},
      {OP_SNAPSHOT_END, 0, SEQUENCE},
      {OP_SNAPSHOT_END, JET_bitAbortSnapshot, 0},
      {OP_HEARD, 2007, 0}}},
    {"83",
     {{OP_PREPARE, 0, 0},
      {OP_THAW, 0, SEQUENCE},
      {OP_FREEZE, 0, 0},
      {OP_FREEZE, 0, SEQUENCE},
      {OP_BEGIN, 0, BUSY},
      {OP_END, 0, JET_errNoBackup},
      {OP_THAW, 0, 0},
      {OP_THAW, 0, NO_ID},
      {OP_BEGIN, 0, 0}}},
    {"84",
     {TAKE(CONTINUE),
      {OP_SNAPSHOT_TRUNCATE, 2, GRBIT},
      {OP_SNAPSHOT_TRUNCATE, 0, 0},
      {OP_HEARD, 225, 0},
      {OP_SNAPSHOT_END, 0, 0},
      {OP_SNAPSHOT_END, 0, NO_ID}}},
    {"85",
     {TAKE(COPY | CONTINUE),
      {OP_SNAPSHOT_TRUNCATE, 1, SEQUENCE},
      {OP_SNAPSHOT_TRUNCATE_INSTANCE, 1, SEQUENCE}}},
    {"86",
     {{OP_TIMEOUT, 50, 0},
      {OP_PREPARE, 0, 0},
      {OP_FREEZE, 0, 0},
      {OP_WAIT_HEARD, 2004, 0},
      {OP_THAW, 0, TIME_OUT},
      {OP_THAW, 0, NO_ID},
      {OP_BEGIN, 0, 0}}},

    /* 1.18 */
    {"1.18 grbit of the end",
     {{OP_SURROGATE, GENS(1, 1, 0), 0},
      {OP_END_SURROGATE, 0, JET_errInvalidParameter},
      {OP_END_SURROGATE, 3, JET_errInvalidParameter},
      {OP_END_SURROGATE, 2, errBackupAbortByCaller},
      {OP_HEARD, 215, 0},
      {OP_END_SURROGATE, 1, JET_errNoBackup},
      {OP_SURROGATE, GENS(1, 1, 0x10), GRBIT}}},
    {"1.18 stopped",
     {{OP_SURROGATE, GENS(1, 1, 0), 0},
      {OP_STOP, 0, 0},
      {OP_END_SURROGATE, 1, JET_errBackupAbortByServer},
      {OP_HEARD, 226, 0}}},
    {"1.18 stamps a copy",
     {{OP_SURROGATE, GENS(1, 1, 0), 0},
      {OP_END_SURROGATE, 1, 0},
      {OP_HEARD, 213, 0},
      {OP_SLOT, DBH_BK_FULL_PREV, 0},
      {OP_SLOT, DBH_BK_COPY_PREV, 1},
      {OP_U32, DBH_BK_COPY_TYPE, 1},
      {OP_U32, DBH_BK_COPY_PREV + BKINFO_GEN_LOW, 1},
      {OP_U32, DBH_BK_COPY_PREV + BKINFO_GEN_HIGH, 1}}},
    {"1.18 stamps a full and an incremental",
     {{OP_SURROGATE, GENS(1, 1, JET_bitBackupIncremental), JET_errMissingFullBackup},
      {OP_SURROGATE, GENS(1, 1, 0), 0},
      {OP_END_SURROGATE, 0x101, 0},
      {OP_SLOT, DBH_BK_FULL_PREV, 1},
      {OP_U32, DBH_BK_FULL_TYPE, 1},
      {OP_BEGIN, 1, JET_errMissingFullBackup},
      {OP_SURROGATE, GENS(1, 1, JET_bitBackupIncremental), 0},
      {OP_HEARD, 211, 0},
      {OP_END_SURROGATE, 0x101, 0},
      {OP_SLOT, DBH_BK_INC_PREV, 1},
      {OP_U32, DBH_BK_INC_TYPE, 1}}},
    {"1.18 the wrong end",
     {{OP_SURROGATE, GENS(1, 1, 0), 0},
      {OP_END, 0, SURROGATE},
      {OP_HEARD, 214, 0},
      {OP_BEGIN, 0, 0},
      {OP_END_SURROGATE, 1, 0},
      {OP_HEARD, 214, 0},
      {OP_END, 0, JET_errNoBackup}}},

    /* 1.19 */
    {"1.19 JetOSSnapshotPrepare events",
     {{OP_PREPARE, 0, 0},
      {OP_HEARD, 2005, 0},
      {OP_SNAPSHOT_END, 0, 0},
      {OP_PREPARE, INCREMENTAL, 0},
      {OP_HEARD, 2008, 0},
      {OP_ABORT, 0, 0},
      {OP_PREPARE, COPY, 0},
      {OP_HEARD, 2009, 0},
      {OP_ABORT, 0, 0},
      {OP_PREPARE, COPY | INCREMENTAL, 0},
      {OP_HEARD, 2010, 0}}},
    {"1.19 events of a whole session",
     {{OP_PREPARE, CONTINUE, 0},
      {OP_FREEZE, 0, 0},
      {OP_HEARD, 2001, 0},
      {OP_THAW, 0, 0},
      {OP_HEARD, 2003, 0},
      {OP_SNAPSHOT_END, 0, 0},
      {OP_HEARD, 2006, 0}}},
    {"1.19 one session at a time",
     {{OP_PREPARE, 0, 0}, {OP_PREPARE, 0, SEQUENCE}, {OP_ABORT, 0, 0}, {OP_PREPARE, 0, 0}}},
    {"1.19 grbits",
     {{OP_PREPARE, CONTINUE | EXPLICIT, 0},
      {OP_PREPARE_INSTANCE, 1, GRBIT},
      {OP_PREPARE_INSTANCE, 0, 0},
      {OP_PREPARE_INSTANCE, 0, NOT_ALLOWED},
      {OP_FREEZE, 1, GRBIT},
      {OP_FREEZE, 0, 0},
      {OP_PREPARE_INSTANCE, 0, SEQUENCE},
      {OP_FREEZE_INFO, 1, GRBIT},
      {OP_FREEZE_INFO, 0, 0},
      {OP_SNAPSHOT_TRUNCATE, 0, SEQUENCE},
      {OP_SNAPSHOT_END, 0, SEQUENCE},
      {OP_THAW, 1, GRBIT},
      {OP_THAW, 0, 0},
      {OP_SNAPSHOT_TRUNCATE_INSTANCE, 2, GRBIT},
      {OP_ABORT, 1, GRBIT},
      {OP_SNAPSHOT_END, 2, GRBIT},
      {OP_SNAPSHOT_END, 0, 0}}},
    {"1.19 no such session",
     {{OP_PREPARE_INSTANCE, 0, NO_ID},
      {OP_FREEZE, 0, NO_ID},
      {OP_FREEZE_INFO, 0, NO_ID},
      {OP_THAW, 0, NO_ID},
      {OP_ABORT, 0, NO_ID},
      {OP_SNAPSHOT_TRUNCATE, 0, NO_ID},
      {OP_SNAPSHOT_TRUNCATE_INSTANCE, 0, NO_ID},
      {OP_SNAPSHOT_END, 0, NO_ID}}},
    {"1.19 an instance that must not",
     {{OP_PREPARE, EXPLICIT, 0},
      {OP_BEGIN, 0, 0},
      {OP_PREPARE_INSTANCE, 0, NOT_ALLOWED},
      {OP_END, 0, errBackupAbortByCaller},
      {OP_PREPARE_INSTANCE, 0, 0},
      {OP_ABORT, 0, 0},
      {OP_BEGIN, 0, 0},
      {OP_TERM2, 0, BUSY}, /* no backup is allowed any more */
      {OP_END, 0, errBackupAbortByCaller},
      {OP_PREPARE, EXPLICIT, 0},
      {OP_PREPARE_INSTANCE, 0, NOT_ALLOWED}}},
    {"1.19 an instance of another session",
     {{OP_PREPARE, EXPLICIT | CONTINUE, 0},
      {OP_FREEZE_INFO, 1, GRBIT},
      {OP_SNAPSHOT_END, 0, 0},
      {OP_PREPARE, 0, 0},
      {OP_FREEZE_INFO, 0, 0}}},
    {"1.19 abort while frozen",
     {{OP_PREPARE, CONTINUE, 0},
      {OP_FREEZE, 0, 0},
      {OP_ABORT, 0, 0},
      {OP_HEARD, 2007, 0},
      {OP_SLOT, DBH_BK_FULL_PREV, 0},
      {OP_BEGIN, 0, 0}}},
    {"1.19 after a time-out",
     {{OP_TIMEOUT, 0, 0},
      {OP_PREPARE, CONTINUE, 0},
      {OP_FREEZE, 0, 0},
      {OP_WAIT_HEARD, 2004, 0},
      {OP_THAW, 0, TIME_OUT},
      {OP_THAW, 0, TIME_OUT},
      {OP_SNAPSHOT_TRUNCATE, 0, SEQUENCE},
      {OP_BEGIN, 0, 0},
      {OP_END, 0, errBackupAbortByCaller},
      {OP_SNAPSHOT_END, 0, TIME_OUT},
      {OP_SNAPSHOT_END, 0, NO_ID},
      {OP_SLOT, DBH_BK_FULL_PREV, 0}}},
    {"1.19 an incremental one needs a full one of its kind",
     {{OP_BEGIN, 0, 0},
      {OP_COPY_DBS, 0, 0},
      {OP_COPY_LOGS, 0, 0},
      {OP_TRUNCATE, 0, 0},
      {OP_END, 0, 0},
      {OP_PREPARE, INCREMENTAL, 0},
      {OP_FREEZE, 0, JET_errMissingFullBackup},
      {OP_HEARD, 2002, 0},
      {OP_ABORT, 0, 0},
      TAKE(0),
      TAKE(INCREMENTAL)}},
    {"1.19 a hole in the logs",
     {TAKE(0),
      {OP_DIRTY, 0, 0},
      {OP_SETTLE, 0, 0},
      {OP_DIRTY, 0, 0},
      {OP_SETTLE, 0, 0},
      {OP_DELETE_LOGS, 0, 0},
      {OP_PREPARE, INCREMENTAL, 0},
      {OP_FREEZE, 0, JET_errMissingFileToBackup},
      {OP_HEARD, 459, 0}}},
    {"1.19 truncation",
     {{OP_DIRTY, 0, 0},
      {OP_SETTLE, 0, 0},
      {OP_DIRTY, 0, 0},
      TAKE(CONTINUE),
      {OP_SNAPSHOT_TRUNCATE_INSTANCE, 1, 0},
      {OP_HEARD, 224, 0},
      {OP_SNAPSHOT_TRUNCATE, 1, 0},
      {OP_HEARD, 225, 0},
      {OP_SNAPSHOT_END, 0, 0},
      {OP_SLOT, DBH_BK_FULL_PREV, 1},
      TAKE(INCREMENTAL),
      {OP_SLOT, DBH_BK_INC_PREV, 1}}},

    /* 5.5 */
    {"5.5 full",
     {TAKE(0),
      {OP_SLOT, DBH_BK_FULL_PREV, 1},
      {OP_U32, DBH_BK_FULL_TYPE, 1},
      {OP_SLOT, DBH_BK_COPY_PREV, 0},
      {OP_U32, DBH_BK_FULL_PREV + BKINFO_GEN_LOW, 1},
      {OP_U32, DBH_BK_FULL_PREV + BKINFO_GEN_HIGH, 1}}},
    {"5.5 copy",
     {TAKE(COPY),
      {OP_SLOT, DBH_BK_FULL_PREV, 0},
      {OP_SLOT, DBH_BK_COPY_PREV, 1},
      {OP_U32, DBH_BK_COPY_TYPE, 1}}},
    {"5.5 incremental, differential, full",
     {TAKE(0),
      TAKE(INCREMENTAL),
      {OP_SLOT, DBH_BK_INC_PREV, 1},
      {OP_U32, DBH_BK_INC_TYPE, 1},
      TAKE(INCREMENTAL | COPY),
      {OP_SLOT, DBH_BK_DIFF_PREV, 1},
      {OP_U32, DBH_BK_DIFF_TYPE, 1},
      TAKE(0),
      {OP_SLOT, DBH_BK_INC_PREV, 0},
      {OP_SLOT, DBH_BK_DIFF_PREV, 0}}},
};

#define WANT(number, call, want)                                                                   \
    do {                                                                                           \
        JET_ERR got = (call);                                                                      \
        if (got != (want))                                                                         \
            fail_msg("case %s: %s gave %d, not %d", number, #call, (int)got, (int)(want));         \
    } while (0)

static void
test_prepare_without_instance(void **state)
{
    JET_OSSNAPID id = 0;
    JET_INSTANCE a;
    (void)state;
    WANT("81", JetOSSnapshotPrepare(NULL, 0), JET_errInvalidParameter);
    WANT("81", JetOSSnapshotPrepare(NULL, 0x10), JET_errInvalidGrbit);
    WANT("81", JetOSSnapshotPrepare(&id, 0), JET_errNotInitialized);
    ok(JetCreateInstance(&a, "created"));
    WANT("81", JetOSSnapshotPrepare(&id, JET_bitExplicitPrepare), JET_errNotInitialized);
    WANT("1.3", JetOSSnapshotPrepareInstance(1, a, 0), JET_errNotInitialized);
    WANT("1.3", JetOSSnapshotTruncateLogInstance(1, a, 0), JET_errNotInitialized);
    WANT("1.3", JetBeginSurrogateBackup(a, 1, 1, 0), JET_errNotInitialized);
    WANT("1.3", JetEndSurrogateBackup(a, 1), JET_errNotInitialized);
    ok(JetTerm(a));
}

static void
test_gate(void **state)
{
    const JET_INSTANCE garbage = (JET_INSTANCE)0x1234567;
    (void)state;
    WANT("1.2", JetOSSnapshotPrepareInstance(1, 0, 0), JET_errInvalidParameter);
    WANT("1.2", JetOSSnapshotPrepareInstance(1, garbage, 0), JET_errInvalidInstance);
    WANT("1.2", JetOSSnapshotTruncateLogInstance(1, garbage, 0), JET_errInvalidInstance);
    WANT("1.2", JetBeginSurrogateBackup(garbage, 1, 1, 0), JET_errInvalidInstance);
    WANT("1.2", JetEndSurrogateBackup(JET_instanceNil, 1), JET_errInvalidParameter);
}

static void
test_no_place_for_the_result(void **state)
{
    struct golden *g = *state;
    JET_INSTANCE_INFO_A *a = NULL;
    JET_INSTANCE_INFO_W *w = NULL;
    uint32_t n;
    ok(JetOSSnapshotPrepare(&g->snapshot, 0));
    WANT("1.19", JetOSSnapshotFreezeA(g->snapshot, NULL, &a, 0), JET_errInvalidParameter);
    WANT("1.19", JetOSSnapshotFreezeW(g->snapshot, &n, NULL, 0), JET_errInvalidParameter);
    WANT("1.19", JetOSSnapshotGetFreezeInfoA(g->snapshot, &n, NULL, 0), JET_errInvalidParameter);
    WANT("1.19", JetOSSnapshotGetFreezeInfoW(g->snapshot, NULL, &w, 0), JET_errInvalidParameter);
    ok(JetOSSnapshotFreezeW(g->snapshot, &n, &w, 0));
    assert_int_equal(n, 1);
    ok(JetFreeBuffer((char *)w));
    ok(JetOSSnapshotGetFreezeInfoA(g->snapshot, &n, &a, 0));
    assert_string_equal(a->szInstanceName, "test");
    ok(JetFreeBuffer((char *)a));
}

static void
test_no_thread_for_the_freeze(void **state)
{
    struct golden *g = *state;
    JET_INSTANCE_INFO_A *info = NULL;
    uint32_t n;
    ok(JetOSSnapshotPrepare(&g->snapshot, 0));
    os_fault_arm(&(struct os_fault) {.calls = OS_CALL_THREAD, .nth = 1, .errnum = EAGAIN});
    JET_ERR err = JetOSSnapshotFreezeA(g->snapshot, &n, &info, 0);
    os_fault_arm(NULL);
    assert_int_equal(err, JET_errOutOfThreads);
    assert_null(info);
    golden_run(g, "1.19",
               (const struct golden_step[]) {{OP_HEARD, 2002, 0}, {OP_BEGIN, 0, 0}, {0}});
}

/* The log cannot be written any more: nothing stays frozen, the instance has failed. */
static void
test_freeze_on_a_full_disk(void **state)
{
    struct golden *g = *state;
    JET_INSTANCE_INFO_A *info = NULL;
    uint32_t n;
    ok(JetOSSnapshotPrepare(&g->snapshot, 0));
    os_fault_arm(&(struct os_fault) {
        .calls = OS_CALL_WRITE, .nth = 1, .persistent = true, .errnum = EIO, .path_part = "edb"});
    JET_ERR err = JetOSSnapshotFreezeA(g->snapshot, &n, &info, 0);
    os_fault_arm(NULL);
    assert_int_equal(err, JET_errLogWriteFail);
    WANT("1.19", JetOSSnapshotThaw(g->snapshot, 0), SEQUENCE);
    WANT("1.19", JetOSSnapshotAbort(g->snapshot, 0), 0);
    assert_true(JetTerm(g->f.inst) < 0);
    g->f.inst = 0;
}

/* More than one instance: in a session or not. */
static void
test_two_instances(void **state)
{
    struct golden *g = *state;
    struct fixture b = {0};
    JET_INSTANCE_INFO_A *info = NULL;
    uint32_t n;
    b.dir = g_dir_make_tmp("jet-snapshot-XXXXXX", NULL);
    ok(JetCreateInstance(&b.inst, "second"));
    ok(JetSetSystemParameter(&b.inst, 0, JET_paramSystemPath, 0, b.dir));
    ok(JetSetSystemParameter(&b.inst, 0, JET_paramLogFilePath, 0, b.dir));
    ok(JetSetSystemParameter(&b.inst, 0, JET_paramTempPath, 0, b.dir));
    ok(JetSetSystemParameter(&b.inst, 0, JET_paramNoInformationEvent, 1, NULL));
    ok(JetInit(&b.inst));

    ok(JetOSSnapshotPrepare(&g->snapshot, CONTINUE));
    ok(JetOSSnapshotFreezeA(g->snapshot, &n, &info, 0));
    assert_int_equal(n, 2);
    ok(JetFreeBuffer((char *)info));
    WANT("1.19", JetBeginExternalBackupInstance(b.inst, 0), BUSY);
    ok(JetOSSnapshotThaw(g->snapshot, 0));
    ok(JetOSSnapshotEnd(g->snapshot, 0));

    ok(JetOSSnapshotPrepare(&g->snapshot, CONTINUE | EXPLICIT));
    ok(JetOSSnapshotPrepareInstance(g->snapshot, g->f.inst, 0));
    ok(JetOSSnapshotFreezeA(g->snapshot, &n, &info, 0));
    assert_int_equal(n, 1);
    ok(JetFreeBuffer((char *)info));
    WANT("1.19", JetBeginExternalBackupInstance(b.inst, 0), 0);
    ok(JetOSSnapshotThaw(g->snapshot, 0));
    WANT("1.19", JetOSSnapshotTruncateLogInstance(g->snapshot, b.inst, 0), -1);
    ok(JetOSSnapshotEnd(g->snapshot, 0));

    /* one that cannot be frozen: the other writes again */
    ok(JetOSSnapshotPrepare(&g->snapshot, 0));
    WANT("1.19", JetOSSnapshotFreezeA(g->snapshot, &n, &info, 0), NOT_ALLOWED);
    ok(golden_do(g, OP_DIRTY, 0));
    ok(JetOSSnapshotAbort(g->snapshot, 0));
    ok(JetTerm(b.inst));
    remove_tree(b.dir);
    g_free(b.dir);
}

/* An instance that goes while a session is prepared is no part of it any more. */
static void
test_instance_gone_before_the_freeze(void **state)
{
    struct golden *g = *state;
    JET_INSTANCE_INFO_A *info = (void *)1;
    uint32_t n = 77;
    ok(JetOSSnapshotPrepare(&g->snapshot, 0));
    ok(JetTerm(g->f.inst));
    g->f.inst = 0;
    ok(JetOSSnapshotFreezeA(g->snapshot, &n, &info, 0));
    assert_int_equal(n, 0);
    assert_null(info);
    ok(JetOSSnapshotThaw(g->snapshot, 0));
}

static void
delete_archives(const char *dir)
{
    GDir *d = g_dir_open(dir, 0, NULL);
    for (const char *name; (name = g_dir_read_name(d));) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        if (g_str_has_prefix(name, "edb0"))
            assert_int_equal(g_unlink(path), 0);
    }
    g_dir_close(d);
}

static void
test_truncate_when_needed_logs_are_gone(void **state)
{
    struct golden *g = *state;
    const struct golden_step take[] = {{OP_DIRTY, 0, 0}, TAKE(CONTINUE), {0}};
    golden_run(g, "1.19", take);
    delete_archives(g->f.dir);
    WANT("1.19", JetOSSnapshotTruncateLog(g->snapshot, 1), JET_errRequiredLogFilesMissing);
    ok(JetOSSnapshotEnd(g->snapshot, 0));
}

static void
test_circular_logging(void **state)
{
    JET_OSSNAPID id;
    JET_INSTANCE inst;
    JET_INSTANCE_INFO_A *info = NULL;
    uint32_t n;
    (void)state;
    char *dir = g_dir_make_tmp("jet-snapshot-XXXXXX", NULL);
    ok(JetCreateInstance(&inst, "circular"));
    ok(JetSetSystemParameter(&inst, 0, JET_paramSystemPath, 0, dir));
    ok(JetSetSystemParameter(&inst, 0, JET_paramLogFilePath, 0, dir));
    ok(JetSetSystemParameter(&inst, 0, JET_paramTempPath, 0, dir));
    ok(JetSetSystemParameter(&inst, 0, JET_paramCircularLog, 1, NULL));
    ok(JetSetSystemParameter(&inst, 0, JET_paramNoInformationEvent, 1, NULL));
    ok(JetInit(&inst));
    WANT("5.3", JetBeginSurrogateBackup(inst, 1, 1, 0), JET_errInvalidBackup);
    ok(JetOSSnapshotPrepare(&id, INCREMENTAL));
    WANT("5.3", JetOSSnapshotFreezeA(id, &n, &info, 0), JET_errInvalidBackup);
    ok(JetOSSnapshotAbort(id, 0));
    ok(JetOSSnapshotPrepare(&id, CONTINUE));
    ok(JetOSSnapshotFreezeA(id, &n, &info, 0));
    ok(JetFreeBuffer((char *)info));
    ok(JetOSSnapshotThaw(id, 0));
    WANT("5.3", JetOSSnapshotTruncateLog(id, 1), 0);
    ok(JetOSSnapshotEnd(id, 0));
    g_autofree char *archive = g_build_filename(dir, "edb00001.log", NULL);
    assert_false(g_file_test(archive, G_FILE_TEST_EXISTS)); /* no roll */
    ok(JetTerm(inst));
    remove_tree(dir);
    g_free(dir);
}

static void
copy_file(const char *from, const char *to)
{
    g_autofree char *data = NULL;
    gsize len;
    assert_true(g_file_get_contents(from, &data, &len, NULL));
    assert_true(g_file_set_contents(to, data, (gssize)len, NULL));
}

/* A crash after the Update record, before the header: redo stamps it. */
static void
test_redo_stamps_the_header(void **state)
{
    struct golden *g = *state;
    g_autofree char *saved = g_strconcat(g->f.db_path, ".saved", NULL);
    g_autofree char *chk = g_build_filename(g->f.dir, "edb.chk", NULL);
    g_autofree char *saved_chk = g_strconcat(chk, ".saved", NULL);
    ok(JetOSSnapshotPrepare(&g->snapshot, CONTINUE));
    ok(golden_do(g, OP_FREEZE, 0));
    copy_file(g->f.db_path, saved);
    copy_file(chk, saved_chk);
    ok(JetOSSnapshotThaw(g->snapshot, 0));
    ok(JetOSSnapshotEnd(g->snapshot, 0));
    assert_int_equal(golden_do(g, OP_SLOT, DBH_BK_FULL_PREV), 1);
    assert_int_equal(JetTerm2(g->f.inst, JET_bitTermDirty), JET_errDirtyShutdown);
    copy_file(saved, g->f.db_path);
    copy_file(saved_chk, chk);
    assert_int_equal(golden_do(g, OP_SLOT, DBH_BK_FULL_PREV), 0);
    fixture_start(&g->f);
    golden_run(g, "5.5",
               (const struct golden_step[]) {
                   {OP_SLOT, DBH_BK_FULL_PREV, 1}, {OP_U32, DBH_BK_FULL_TYPE, 1}, {0}});
}

#define WITH_GOLDEN(test) cmocka_unit_test_setup_teardown(test, golden_setup, golden_teardown)

int
main(void)
{
    const struct CMUnitTest extra[] = {
        cmocka_unit_test(test_prepare_without_instance),
        WITH_GOLDEN(test_gate),
        WITH_GOLDEN(test_no_place_for_the_result),
        WITH_GOLDEN(test_no_thread_for_the_freeze),
        WITH_GOLDEN(test_freeze_on_a_full_disk),
        WITH_GOLDEN(test_two_instances),
        WITH_GOLDEN(test_instance_gone_before_the_freeze),
        WITH_GOLDEN(test_truncate_when_needed_logs_are_gone),
        cmocka_unit_test(test_circular_logging),
        WITH_GOLDEN(test_redo_stamps_the_header),
    };
    return golden_run_cases("golden snapshot", cases, G_N_ELEMENTS(cases), extra,
                            G_N_ELEMENTS(extra));
}
