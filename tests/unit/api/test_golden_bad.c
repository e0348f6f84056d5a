/* SPDX-License-Identifier: MIT */
/*
 * golden_bad: cases 55, 56 and 75: damaged pages and segments, a backup that another thread stops.
 * Damage is made in the file, or in what a read gives (os/fault.h); nobody waits.
 */
#include "golden.h"

#include <errno.h>

#include "backup/context.h"
#include "os/fault.h"

#define RETRIES  16u
#define BAD_PGNO 3u

static void
damage(const char *path, long at)
{
    uint8_t rubbish[PAGE];
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    memset(rubbish, 0x5a, sizeof rubbish);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fwrite(rubbish, 1, sizeof rubbish, file), sizeof rubbish);
    assert_int_equal(fclose(file), 0);
}

static const struct golden_step after_bad_page[] = {
    {OP_HEARD, 217, 0},       {OP_CLOSE, 0, JET_errInvalidParameter},
    {OP_OPEN, FILE_OTHER, 0}, {OP_READ_OPEN, 0, 0},
    {OP_CLOSE, 0, 0},         {OP_LOG_INFO, 0, 0},
    {OP_END, 0, 0},           {OP_NONE}};

static void
test_55_bad_page_after_all_retries(void **state)
{
    struct golden *g = *state;
    const struct os_fault count = {
        .calls = OS_CALL_READ, .nth = UINT64_MAX, .path_part = "test.edb"};
    context_set_read_retries(RETRIES, 0);
    ok(golden_do(g, OP_ATTACH_OTHER, 0));
    ok(golden_do(g, OP_BEGIN, 0));
    ok(golden_do(g, OP_OPEN, FILE_DB));
    damage(g->f.db_path, (BAD_PGNO + 1) * PAGE);
    os_fault_arm(&count);
    assert_int_equal(golden_do(g, OP_READ, 16 * PAGE), JET_errReadVerifyFailure);
    uint64_t reads = os_fault_count();
    os_fault_arm(NULL);
    assert_int_equal(reads, 1 + RETRIES);
    assert_true(g->heard[222]);
    assert_false(g->heard[493]);
    golden_run(g, "55", after_bad_page);
}

static void
test_55_transient_error_is_retried_and_told(void **state)
{
    struct golden *g = *state;
    const struct os_fault once = {
        .calls = OS_CALL_READ, .nth = 1, .torn = true, .errnum = EIO, .path_part = "test.edb"};
    context_set_read_retries(RETRIES, 0);
    ok(golden_do(g, OP_BEGIN, 0));
    ok(golden_do(g, OP_OPEN, FILE_DB));
    os_fault_arm(&once);
    JET_ERR err = golden_do(g, OP_READ_OPEN, 0);
    os_fault_arm(NULL);
    assert_int_equal(err, JET_errSuccess);
    assert_true(g->heard[493]);
    assert_false(g->heard[217]);
    ok(golden_do(g, OP_CLOSE, 0));
    assert_true(g->heard[221]);
}

/* What is read anew is what there is: all pages of the copy are those of an undisturbed one. */
static void
test_55_every_page_read_again_is_right(void **state)
{
    struct golden *g = *state;
    uint32_t cb, got, again;
    context_set_read_retries(RETRIES, 0);
    ok(golden_do(g, OP_BEGIN, 0));
    ok(golden_do(g, OP_OPEN, FILE_DB));
    cb = (uint32_t)g->size;
    g_autofree uint8_t *good = g_malloc(cb), *bad = g_malloc(cb);
    ok(JetReadFileInstance(g->f.inst, 0, good, cb, &got));
    ok(golden_do(g, OP_CLOSE, 0));
    for (uint64_t nth = 1; nth <= 2; nth++) {
        ok(golden_do(g, OP_OPEN, FILE_DB));
        os_fault_arm(&(struct os_fault) {.calls = OS_CALL_READ,
                                         .nth = nth,
                                         .torn = true,
                                         .errnum = EIO,
                                         .path_part = "test.edb"});
        JET_ERR err = JetReadFileInstance(g->f.inst, 0, bad, cb, &again);
        os_fault_arm(NULL);
        assert_int_equal(err, JET_errSuccess);
        assert_int_equal(again, got);
        assert_memory_equal(good + 2 * PAGE, bad + 2 * PAGE, got - 3 * PAGE);
        ok(golden_do(g, OP_CLOSE, 0));
    }
}

static void
test_56_bad_segment_ends_the_backup(void **state)
{
    static const struct golden_step before[] = {
        {OP_DIRTY, 0, 0}, {OP_BEGIN, 0, 0}, {OP_LOG_INFO, 0, 0}, {OP_OPEN, FILE_LOG, 0}, {OP_NONE}};
    struct golden *g = *state;
    golden_run(g, "56", before);
    damage(g->log, 2 * PAGE);
    assert_int_equal(golden_do(g, OP_READ, 16 * PAGE), JET_errLogReadVerifyFailure);
    assert_true(g->heard[218]);
    assert_true(g->heard[214]);
    assert_int_equal(golden_do(g, OP_END, 0), JET_errNoBackup);
}

static void *
stop(void *inst)
{
    return GINT_TO_POINTER(JetStopBackupInstance((JET_INSTANCE)inst));
}

/* Thread A is inside JetBackup, at the begin of its first file: now thread B stops it. */
static void
stop_at_first_file(void *ctx, enum event_id id, enum event_type type, const char *text)
{
    struct golden *g = ctx;
    (void)type, (void)text;
    if ((unsigned)id < G_N_ELEMENTS(g->heard))
        g->heard[id] = true;
    if (id != EVENT_BACKUP_FILE_START)
        return;
    GThread *b = g_thread_new("b", stop, (void *)g->f.inst);
    assert_int_equal(GPOINTER_TO_INT(g_thread_join(b)), JET_errSuccess);
}

static void
test_75_backup_stopped_by_another_thread(void **state)
{
    struct golden *g = *state;
    g_autofree char *to = g_build_filename(g->f.dir, "copy", NULL);
    assert_int_equal(g_mkdir(to, 0700), 0);
    event_listen(stop_at_first_file, g);
    assert_int_equal(JetBackupInstance(g->f.inst, to, 0, NULL), JET_errBackupAbortByServer);
    assert_true(g->heard[215]);
    assert_false(g->heard[226]);
    assert_false(g->heard[213]);
    event_listen(NULL, NULL);
    assert_int_equal(golden_do(g, OP_END, 0), JET_errNoBackup);
    ok(golden_do(g, OP_BEGIN, 0));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, golden_setup, golden_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_55_bad_page_after_all_retries),
        CASE(test_55_transient_error_is_retried_and_told),
        CASE(test_55_every_page_read_again_is_right),
        CASE(test_56_bad_segment_ends_the_backup),
        CASE(test_75_backup_stopped_by_another_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
