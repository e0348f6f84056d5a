/* SPDX-License-Identifier: MIT */
#include "golden.h"

#include "instance/instance.h"
#include "instance/handle.h"
#include "log/stream.h"

static const char *const op_names[] = {
    [OP_NONE] = "",
    [OP_BEGIN] = "JetBeginExternalBackup",
    [OP_BEGIN_FROZEN] = "JetxBeginFrozenBackup",
    [OP_ATTACH_INFO] = "JetGetAttachInfo",
    [OP_OPEN] = "JetOpenFile",
    [OP_READ] = "JetReadFile",
    [OP_READ_ODD] = "JetReadFile (odd address)",
    [OP_READ_CLOSED] = "JetReadFile (other handle)",
    [OP_CLOSE] = "JetCloseFile",
    [OP_LOG_INFO] = "JetGetLogInfo",
    [OP_TRUNCATE_INFO] = "JetGetTruncateLogInfo",
    [OP_TRUNCATE] = "JetTruncateLog",
    [OP_END] = "JetEndExternalBackup",
    [OP_END2] = "JetEndExternalBackupInstance2",
    [OP_STOP] = "JetStopBackup",
    [OP_STOP_SERVICE] = "JetStopService",
    [OP_TERM] = "JetTerm",
    [OP_TERM2] = "JetTerm2",
    [OP_ATTACH_OTHER] = "JetAttachDatabase",
    [OP_DETACH_OTHER] = "JetDetachDatabase (other)",
    [OP_DETACH] = "JetDetachDatabase",
    [OP_READ_OPEN] = "read to the end",
    [OP_COPY_DBS] = "copy databases",
    [OP_COPY_LOGS] = "copy logs",
    [OP_DIRTY] = "write",
    [OP_HEARD] = "event",
    [OP_UNHEARD] = "no event",
    [OP_SLOT] = "header slot",
    [OP_FIRST_LOG] = "oldest log",
    [OP_U32] = "header field",
    [OP_SETTLE] = "settle",
    [OP_DELETE_LOGS] = "JetBackup(NULL)",
    [OP_SURROGATE] = "JetBeginSurrogateBackup",
    [OP_END_SURROGATE] = "JetEndSurrogateBackup",
    [OP_PREPARE] = "JetOSSnapshotPrepare",
    [OP_PREPARE_INSTANCE] = "JetOSSnapshotPrepareInstance",
    [OP_FREEZE] = "JetOSSnapshotFreeze",
    [OP_FREEZE_INFO] = "JetOSSnapshotGetFreezeInfo",
    [OP_THAW] = "JetOSSnapshotThaw",
    [OP_ABORT] = "JetOSSnapshotAbort",
    [OP_SNAPSHOT_TRUNCATE] = "JetOSSnapshotTruncateLog",
    [OP_SNAPSHOT_TRUNCATE_INSTANCE] = "JetOSSnapshotTruncateLogInstance",
    [OP_SNAPSHOT_END] = "JetOSSnapshotEnd",
    [OP_TIMEOUT] = "JET_paramOSSnapshotTimeout",
    [OP_WAIT_HEARD] = "event to come",
};

const char *
golden_op_name(enum golden_op op)
{
    return op_names[op];
}

static void
listen(void *ctx, enum event_id id, enum event_type type, const char *text)
{
    struct golden *g = ctx;
    (void)type, (void)text;
    if ((unsigned)id < G_N_ELEMENTS(g->heard))
        g->heard[id] = true;
}

/* ---- steps that are more than a call ---- */

static JET_ERR
open_path(struct golden *g, const char *path)
{
    JET_HANDLE hf = 77;
    uint32_t low = 0, high = 0;
    JET_ERR err = JetOpenFileInstance(g->f.inst, path, &hf, &low, &high);
    g->size = (uint64_t)high << 32 | low;
    if (err >= 0)
        assert_int_equal(hf, 0);
    return err;
}

static JET_ERR
open_kind(struct golden *g, enum golden_file kind)
{
    g_autofree char *lost = g_build_filename(g->f.dir, "edbFFFFF.log", NULL);
    g_autofree char *current = g_build_filename(g->f.dir, "edb.log", NULL);
    g_autofree char *no_such = g_build_filename(g->f.dir, "nosuch.edb", NULL);
    const char *const paths[] = {
        [FILE_DB] = g->f.db_path, [FILE_OTHER] = g->other,  [FILE_LOG] = g->log,
        [FILE_LOST_LOG] = lost,   [FILE_CURRENT] = current, [FILE_NO_SUCH] = no_such,
        [FILE_NULL] = NULL,       [FILE_EMPTY] = ""};
    return open_path(g, paths[kind]);
}

static JET_ERR
read_bytes(struct golden *g, JET_HANDLE hf, uint32_t cb, unsigned skew)
{
    g_autofree uint8_t *buf = g_malloc(cb + 1 + skew);
    uint32_t got = 0xdead;
    JET_ERR err = JetReadFileInstance(g->f.inst, hf, buf + skew, cb, &got);
    assert_true(err < 0 ? got == 0xdead : got <= cb);
    return err;
}

static JET_ERR
read_open(struct golden *g)
{
    g_autofree uint8_t *buf = g_malloc(64 * PAGE);
    uint64_t total = 0;
    uint32_t got = 1;
    while (got > 0) {
        JET_ERR err = JetReadFileInstance(g->f.inst, 0, buf, 64 * PAGE, &got);
        if (err < 0)
            return err;
        total += got;
    }
    assert_int_equal(total, g->size);
    return JET_errSuccess;
}

static JET_ERR
copy_list(struct golden *g, const char *szz)
{
    JET_ERR err = JET_errSuccess;
    for (const char *at = szz; *at && err >= 0; at += strlen(at) + 1) {
        err = open_path(g, at);
        if (err >= 0)
            err = read_open(g);
        if (err >= 0)
            err = JetCloseFileInstance(g->f.inst, 0);
    }
    return err;
}

static JET_ERR
copy_databases(struct golden *g)
{
    char szz[8192];
    JET_ERR err = JetGetAttachInfoInstance(g->f.inst, szz, sizeof szz, NULL);
    return err < 0 ? err : copy_list(g, szz);
}

static JET_ERR
log_info(struct golden *g, bool copy)
{
    char szz[8192];
    JET_ERR err = JetGetLogInfoInstance(g->f.inst, szz, sizeof szz, NULL);
    if (err < 0)
        return err;
    for (const char *at = szz; *at; at += strlen(at) + 1) {
        g_free(g->log);
        g->log = g_strdup(at);
    }
    return copy ? copy_list(g, szz) : err;
}

static JET_ERR
truncate_info(struct golden *g)
{
    char szz[8192];
    JET_ERR err = JetGetTruncateLogInfoInstance(g->f.inst, szz, sizeof szz, NULL);
    if (err < 0)
        return err;
    g_free(g->first_log);
    g->first_log = szz[0] ? g_strdup(szz) : NULL;
    return err;
}

/* More than a generation of log, and again, so that the checkpoint moves past the first ones. */
static JET_ERR
dirty(struct golden *g)
{
    char text[100];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    if (!g->table)
        g->table = make_items(&g->f, &g->id, &g->name);
    for (int i = 0; i < 4000; i++) {
        ok(JetBeginTransaction(g->f.ses));
        insert_item(&g->f, g->table, g->id, g->name, g->next++, text);
        ok(JetCommitTransaction(g->f.ses, i == 3999 ? 0 : JET_bitCommitLazyFlush));
    }
    return JET_errSuccess;
}

static void
read_header(struct golden *g, uint8_t page[DBHEADER_BYTES])
{
    FILE *file = fopen(g->f.db_path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(page, 1, DBHEADER_BYTES, file), DBHEADER_BYTES);
    fclose(file);
}

static JET_ERR
slot(struct golden *g, size_t at)
{
    static const uint8_t zero[DBHEADER_BKINFO_BYTES];
    uint8_t page[DBHEADER_BYTES];
    read_header(g, page);
    return memcmp(page + at, zero, sizeof zero) != 0;
}

static JET_ERR
header_u32(struct golden *g, size_t at)
{
    uint8_t page[DBHEADER_BYTES];
    read_header(g, page);
    return (JET_ERR)le32_get(page + at);
}

/* A frozen session begins with everything written and the checkpoint moved. */
static JET_ERR
settle(struct golden *g)
{
    ok(JetxBeginFrozenBackup(g->f.inst, 0));
    assert_int_equal(JetEndExternalBackupInstance2(g->f.inst, JET_bitBackupEndAbort),
                     errBackupAbortByCaller);
    return JET_errSuccess;
}

static uint32_t
generation(struct golden *g, uint32_t gen)
{
    const struct instance *inst = handle_get(HANDLE_INSTANCE, g->f.inst);
    return gen < NEWEST ? gen : (uint32_t)log_gen(inst->log) + (gen - NEWEST);
}

/* What it tells of the one instance: in the A form and the W form by turns. */
static JET_ERR
freeze(struct golden *g, JET_GRBIT grbit, bool info)
{
    JET_INSTANCE_INFO_A *a = NULL;
    JET_INSTANCE_INFO_W *w = NULL;
    uint32_t n = 77;
    JET_ERR err = info ? JetOSSnapshotGetFreezeInfoW(g->snapshot, &n, &w, grbit)
                       : JetOSSnapshotFreezeA(g->snapshot, &n, &a, grbit);
    if (err < 0) {
        assert_true(n == 77 && !a && !w);
        return err;
    }
    g_autofree char *wide =
        w ? g_utf16_to_utf8(w->szDatabaseFileName[0], -1, NULL, NULL, NULL) : NULL;
    assert_int_equal(n, 1);
    assert_int_equal(a ? a->hInstanceId : w->hInstanceId, g->f.inst);
    assert_int_equal(a ? a->cDatabases : w->cDatabases, 1);
    assert_string_equal(a ? a->szDatabaseFileName[0] : wide, g->f.db_path);
    ok(JetFreeBuffer((char *)a));
    ok(JetFreeBuffer((char *)w));
    return err;
}

static JET_ERR
wait_heard(struct golden *g, uintptr_t id)
{
    gint64 until = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    while (!g->heard[id] && g_get_monotonic_time() < until)
        g_usleep(1000);
    return g->heard[id] ? JET_errSuccess : -1;
}

static JET_ERR
heard(struct golden *g, uintptr_t id)
{
    bool was = g->heard[id];
    for (size_t i = 0; i < G_N_ELEMENTS(g->heard); i++)
        g->heard[i] = false;
    return was ? JET_errSuccess : -1;
}

static JET_ERR
term(struct golden *g, JET_ERR err)
{
    if (err >= 0)
        g->f.inst = 0;
    return err;
}

JET_ERR
golden_do(struct golden *g, enum golden_op op, uintptr_t arg)
{
    const JET_INSTANCE inst = g->f.inst;
    switch (op) {
    case OP_BEGIN:
        return JetBeginExternalBackupInstance(inst, (JET_GRBIT)arg);
    case OP_BEGIN_FROZEN:
        return JetxBeginFrozenBackup(inst, (JET_GRBIT)arg);
    case OP_ATTACH_INFO:
        return JetGetAttachInfoInstance(inst, NULL, 0, NULL);
    case OP_OPEN:
        return open_kind(g, (enum golden_file)arg);
    case OP_READ:
        return read_bytes(g, 0, (uint32_t)arg, 0);
    case OP_READ_ODD:
        return read_bytes(g, 0, (uint32_t)arg, 1);
    case OP_READ_CLOSED:
        return read_bytes(g, (JET_HANDLE)arg, 3 * PAGE, 0);
    case OP_CLOSE:
        return JetCloseFileInstance(inst, (JET_HANDLE)arg);
    case OP_LOG_INFO:
        return log_info(g, false);
    case OP_TRUNCATE_INFO:
        return truncate_info(g);
    case OP_TRUNCATE:
        return JetTruncateLogInstance(inst);
    case OP_END:
        return JetEndExternalBackupInstance(inst);
    case OP_END2:
        return JetEndExternalBackupInstance2(inst, (JET_GRBIT)arg);
    case OP_STOP:
        return JetStopBackupInstance(inst);
    case OP_STOP_SERVICE:
        return JetStopServiceInstance(inst);
    case OP_TERM:
        return term(g, JetTerm(inst));
    case OP_TERM2:
        return term(g, JetTerm2(inst, (JET_GRBIT)arg));
    case OP_ATTACH_OTHER:
        return JetAttachDatabase(g->f.ses, g->other, 0);
    case OP_DETACH_OTHER:
        return JetDetachDatabase(g->f.ses, g->other);
    case OP_DETACH:
        return JetDetachDatabase(g->f.ses, g->f.db_path);
    case OP_READ_OPEN:
        return read_open(g);
    case OP_COPY_DBS:
        return copy_databases(g);
    case OP_COPY_LOGS:
        return log_info(g, true);
    case OP_DIRTY:
        return dirty(g);
    case OP_HEARD:
        return heard(g, arg);
    case OP_UNHEARD:
        return g->heard[arg] ? -1 : JET_errSuccess;
    case OP_SLOT:
        return slot(g, arg);
    case OP_FIRST_LOG:
        return g->first_log && g_file_test(g->first_log, G_FILE_TEST_EXISTS);
    case OP_U32:
        return header_u32(g, arg);
    case OP_SETTLE:
        return settle(g);
    case OP_DELETE_LOGS:
        return JetBackupInstance(inst, NULL, 0, NULL);
    case OP_SURROGATE:
        return JetBeginSurrogateBackup(inst, generation(g, arg & 0xffff),
                                       generation(g, arg >> 16 & 0xffff), (JET_GRBIT)(arg >> 32));
    case OP_END_SURROGATE:
        return JetEndSurrogateBackup(inst, (JET_GRBIT)arg);
    case OP_PREPARE:
        return JetOSSnapshotPrepare(&g->snapshot, (JET_GRBIT)arg);
    case OP_PREPARE_INSTANCE:
        return JetOSSnapshotPrepareInstance(g->snapshot, inst, (JET_GRBIT)arg);
    case OP_FREEZE:
        return freeze(g, (JET_GRBIT)arg, false);
    case OP_FREEZE_INFO:
        return freeze(g, (JET_GRBIT)arg, true);
    case OP_THAW:
        return JetOSSnapshotThaw(g->snapshot, (JET_GRBIT)arg);
    case OP_ABORT:
        return JetOSSnapshotAbort(g->snapshot, (JET_GRBIT)arg);
    case OP_SNAPSHOT_TRUNCATE:
        return JetOSSnapshotTruncateLog(g->snapshot, (JET_GRBIT)arg);
    case OP_SNAPSHOT_TRUNCATE_INSTANCE:
        return JetOSSnapshotTruncateLogInstance(g->snapshot, inst, (JET_GRBIT)arg);
    case OP_SNAPSHOT_END:
        return JetOSSnapshotEnd(g->snapshot, (JET_GRBIT)arg);
    case OP_TIMEOUT:
        return JetSetSystemParameter(&g->f.inst, 0, JET_paramOSSnapshotTimeout, arg, NULL);
    case OP_WAIT_HEARD:
        return wait_heard(g, arg);
    case OP_NONE:
        break;
    }
    return JET_errSuccess;
}

void
golden_run(struct golden *g, const char *number, const struct golden_step *steps)
{
    for (size_t i = 0; steps[i].op != OP_NONE; i++) {
        JET_ERR err = golden_do(g, steps[i].op, steps[i].arg);
        if (err != steps[i].want)
            fail_msg("case %s, step %zu: %s(%#zx) gave %d, not %d", number, i + 1,
                     golden_op_name(steps[i].op), (size_t)steps[i].arg, (int)err,
                     (int)steps[i].want);
    }
}

/* ---- as tests ---- */

int
golden_setup(void **state)
{
    const struct golden_case *row = *state;
    JET_DBID db;
    void *f;
    fixture_setup(&f);
    struct golden *g = g_new0(struct golden, 1);
    g->f = *(struct fixture *)f;
    g_free(f);
    g->row = row;
    g->other = g_build_filename(g->f.dir, "other.edb", NULL);
    g->log = g_build_filename(g->f.dir, "edb00001.log", NULL);
    ok(JetCreateDatabase(g->f.ses, g->other, NULL, &db, 0));
    ok(JetCloseDatabase(g->f.ses, db, 0));
    ok(JetDetachDatabase(g->f.ses, g->other));
    event_listen(listen, g);
    *state = g;
    return 0;
}

int
golden_teardown(void **state)
{
    struct golden *g = *state;
    (void)JetOSSnapshotAbort(g->snapshot, 0); /* what a case left */
    fixture_stop(&g->f);
    event_listen(NULL, NULL);
    remove_tree(g->f.dir);
    g_free(g->f.dir);
    g_free(g->f.db_path);
    g_free(g->other);
    g_free(g->log);
    g_free(g->first_log);
    g_free(g);
    return 0;
}

static void
test_case(void **state)
{
    struct golden *g = *state;
    golden_run(g, g->row->number, g->row->steps);
}

int
golden_run_cases(const char *group, const struct golden_case *cases, size_t n,
                 const struct CMUnitTest *extra, size_t n_extra)
{
    g_autofree struct CMUnitTest *tests = g_new0(struct CMUnitTest, n + n_extra);
    for (size_t i = 0; i < n; i++)
        tests[i] = (struct CMUnitTest) {cases[i].number, test_case, golden_setup, golden_teardown,
                                        (void *)&cases[i]};
    for (size_t i = 0; i < n_extra; i++)
        tests[n + i] = extra[i];
    return _cmocka_run_group_tests(group, tests, n + n_extra, NULL, NULL);
}
