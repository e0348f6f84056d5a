/* SPDX-License-Identifier: MIT */
/*
 * The session's state machine on a real instance: the cases of the backup API specification,
 * section 9, with the documentation's codes. Events are checked by their ids, in order.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "backup/context.h"
#include "backup/marks.h"
#include "backup/trailer.h"
#include "cache/cache.h"
#include "cache/dbfile.h"
#include "instance/instance.h"
#include "log/stream.h"
#include "os/fault.h"
#include "os/file.h"

#define PAGE 4096u

struct fixture {
    char *dir, *path, *other;
    struct instance *inst;
    uint8_t *buf;
};

static enum event_id seen[64];
static size_t n_seen;

static void
listen_event(void *ctx, enum event_id id, enum event_type type, const char *text)
{
    if (id >= EVENT_MISSING_FULL_BACKUP && id <= EVENT_BACKUP_LOG_NOT_COPIED &&
        id != EVENT_DATABASE_CREATE && id != EVENT_DATABASE_ATTACH && id != EVENT_DATABASE_DETACH &&
        n_seen < G_N_ELEMENTS(seen))
        seen[n_seen++] = id;
}

static void
expect_events(size_t n, const int *ids)
{
    for (size_t i = 0; i < MAX(n, n_seen); i++)
        assert_int_equal(i < n_seen ? (int)seen[i] : 0, i < n ? ids[i] : 0);
    n_seen = 0;
}

#define EVENTS(...)                                                                                \
    do {                                                                                           \
        const int ids[] = {__VA_ARGS__};                                                           \
        expect_events(G_N_ELEMENTS(ids), ids);                                                     \
    } while (0)
#define NO_EVENTS() expect_events(0, NULL)

static struct instance *
start(struct fixture *fx, bool circular)
{
    struct params *params = params_new();
    g_autofree char *events = g_build_filename(fx->dir, "events", NULL);
    g_autofree char *slash = g_strconcat(fx->dir, "/", NULL);
    assert_int_equal(params_set(params, JET_paramSystemPath, 0, slash, false), 0);
    assert_int_equal(params_set(params, JET_paramLogFilePath, 0, slash, false), 0);
    assert_int_equal(params_set(params, JET_paramTempPath, 0, slash, false), 0);
    assert_int_equal(params_set(params, JET_paramDatabasePageSize, PAGE, NULL, false), 0);
    assert_int_equal(params_set(params, JET_paramLogFileSize, 128, NULL, false), 0);
    assert_int_equal(params_set(params, JET_paramCircularLog, circular, NULL, false), 0);
    assert_int_equal(params_set(params, JET_paramJetxEventFile, 0, events, false), 0);
    struct instance *inst = instance_new(params, "test", "test");
    assert_int_equal(instance_init(inst, &(struct instance_init_options) {0}), 0);
    return inst;
}

static void
stop(struct fixture *fx)
{
    if (!fx->inst)
        return;
    context_term(fx->inst, true);
    assert_int_equal(instance_term(fx->inst, JET_bitTermComplete, NULL, NULL), 0);
    instance_free(g_steal_pointer(&fx->inst));
}

static int
setup_with(void **state, bool circular)
{
    struct fixture *fx = g_new0(struct fixture, 1);
    JET_DBID dbid;
    fx->dir = g_dir_make_tmp("context-XXXXXX", NULL);
    fx->path = g_build_filename(fx->dir, "a.edb", NULL);
    fx->other = g_build_filename(fx->dir, "b.edb", NULL);
    fx->buf = g_malloc(4 << 20);
    fx->inst = start(fx, circular);
    assert_int_equal(instance_create_database(fx->inst, fx->path, 0, 0, &dbid), 0);
    assert_int_equal(instance_close_database(fx->inst, dbid), 0);
    event_listen(listen_event, NULL);
    n_seen = 0;
    *state = fx;
    return 0;
}

static int
setup(void **state)
{
    return setup_with(state, false);
}

static int
setup_circular(void **state)
{
    return setup_with(state, true);
}

static int
teardown(void **state)
{
    struct fixture *fx = *state;
    os_fault_arm(NULL);
    event_listen(NULL, NULL);
    stop(fx);
    char **names;
    assert_int_equal(os_dir_list(fx->dir, &names), 0);
    for (size_t i = 0; names[i]; i++) {
        g_autofree char *path = g_build_filename(fx->dir, names[i], NULL);
        g_unlink(path);
    }
    g_strfreev(names);
    g_rmdir(fx->dir);
    g_free(fx->dir);
    g_free(fx->path);
    g_free(fx->other);
    g_free(fx->buf);
    g_free(fx);
    return 0;
}

/* The first database's file; it is attached, not open. */
static struct dbfile *
db_file(struct fixture *fx)
{
    return fx->inst->dbs[0].file;
}

/* ---- steps ---- */

static JET_ERR
open_it(struct fixture *fx, const char *path)
{
    JET_HANDLE hf = 99;
    uint64_t size;
    JET_ERR err = context_open(fx->inst, path, &hf, &size);
    if (err >= 0)
        assert_int_equal(hf, 0);
    return err;
}

static uint64_t
read_to_end(struct fixture *fx)
{
    uint64_t total = 0;
    uint32_t got = 1;
    while (got > 0) {
        assert_int_equal(context_read(fx->inst, 0, fx->buf, 16 * PAGE, &got), 0);
        total += got;
    }
    return total;
}

static void
copy_database(struct fixture *fx)
{
    assert_int_equal(open_it(fx, fx->path), 0);
    read_to_end(fx);
    assert_int_equal(context_close(fx->inst, 0), 0);
}

static void
copy_logs(struct fixture *fx)
{
    g_auto(GStrv) paths = NULL;
    uint32_t low, high;
    assert_int_equal(context_log_info(fx->inst, &paths, &low, &high), 0);
    assert_int_equal(g_strv_length(paths), high - low + 1);
    for (size_t i = 0; paths[i]; i++) {
        assert_int_equal(open_it(fx, paths[i]), 0);
        assert_int_equal(read_to_end(fx), 128 << 10);
        assert_int_equal(context_close(fx->inst, 0), 0);
    }
}

static JET_ERR
log_info(struct fixture *fx)
{
    g_auto(GStrv) paths = NULL;
    return context_log_info(fx->inst, &paths, NULL, NULL);
}

static JET_ERR
attach_info(struct fixture *fx)
{
    g_auto(GStrv) paths = NULL;
    return context_attach_info(fx->inst, &paths);
}

static JET_ERR
end(struct fixture *fx)
{
    return context_end(fx->inst, JET_bitBackupEndNormal);
}

static struct bkinfo
slot(struct fixture *fx, size_t at)
{
    struct dbheader header;
    dbfile_header(db_file(fx), &header);
    return bkinfo_get(&header.bytes[at]);
}

static void
full_backup(struct fixture *fx, bool truncate)
{
    assert_int_equal(context_begin(fx->inst, 0), 0);
    copy_database(fx);
    copy_logs(fx);
    if (truncate)
        assert_int_equal(context_truncate(fx->inst), 0);
    assert_int_equal(end(fx), 0);
}

/* ---- begin ---- */

static void
test_begin_twice_leaves_the_first_alone(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(context_begin(fx->inst, 0), 0);
    EVENTS(210);
    assert_int_equal(context_begin(fx->inst, 0), JET_errBackupInProgress);
    assert_int_equal(context_begin_frozen(fx->inst, 0), JET_errBackupInProgress);
    assert_int_equal(context_begin(fx->inst, 4), JET_errInvalidGrbit); /* the grbit comes first */
    assert_int_equal(end(fx), JET_errBackupAbortByCaller);
    EVENTS(215);
    assert_int_equal(end(fx), JET_errNoBackup);
}

static void
test_begin_refuses_other_bits(void **state)
{
    struct fixture *fx = *state;
    const JET_GRBIT bad[] = {2, 4, 8, 0x10, 0x80000000};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_int_equal(context_begin(fx->inst, bad[i]), JET_errInvalidGrbit);
    assert_int_equal(context_begin(fx->inst, 0), 0);
}

static void
test_begin_incremental_with_circular_log(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(context_begin(fx->inst, 1), JET_errInvalidBackup);
    assert_int_equal(context_begin_frozen(fx->inst, 1), JET_errInvalidBackup);
    assert_int_equal(context_begin(fx->inst, 0), 0);
}

static void
test_incremental_needs_a_real_full(void **state)
{
    struct fixture *fx = *state;
    JET_DBID dbid;
    assert_int_equal(context_begin(fx->inst, 1), JET_errMissingFullBackup);
    EVENTS(206);
    full_backup(fx, false); /* a copy: does not count */
    assert_int_equal(context_begin(fx->inst, 1), JET_errMissingFullBackup);
    full_backup(fx, true);
    n_seen = 0;
    assert_int_equal(context_begin(fx->inst, 1), 0);
    EVENTS(211);
    assert_int_equal(context_end(fx->inst, JET_bitBackupEndAbort), JET_errBackupAbortByCaller);
    assert_int_equal(instance_create_database(fx->inst, fx->other, 0, 0, &dbid), 0);
    assert_int_equal(context_begin(fx->inst, 1), JET_errMissingFullBackup);
}

static void
test_attach_and_detach_wait_for_the_end(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(context_begin(fx->inst, 0), 0);
    assert_int_equal(instance_attach_database(fx->inst, fx->path, 0), JET_errBackupInProgress);
    assert_int_equal(instance_detach_database(fx->inst, fx->path), JET_errBackupInProgress);
    assert_int_equal(instance_term(fx->inst, JET_bitTermComplete, NULL, NULL),
                     JET_errBackupInProgress);
    (void)end(fx);
    assert_int_equal(instance_detach_database(fx->inst, fx->path), 0);
    assert_int_equal(instance_attach_database(fx->inst, fx->path, 0), 0);
}

/* ---- sequence ---- */

static void
test_calls_without_backup(void **state)
{
    struct fixture *fx = *state;
    uint32_t got;
    g_auto(GStrv) paths = NULL;
    assert_int_equal(attach_info(fx), JET_errNoBackup);
    assert_int_equal(open_it(fx, fx->path), JET_errNoBackup);
    assert_int_equal(context_read(fx->inst, 0, fx->buf, PAGE, &got), JET_errNoBackup);
    assert_int_equal(context_read_at(fx->inst, 0, 0, fx->buf, PAGE, &got), JET_errNoBackup);
    assert_int_equal(context_close(fx->inst, 0), JET_errNoBackup);
    assert_int_equal(log_info(fx), JET_errNoBackup);
    assert_int_equal(context_truncate_info(fx->inst, &paths), JET_errNoBackup);
    assert_int_equal(context_truncate(fx->inst), JET_errNoBackup);
    assert_int_equal(end(fx), JET_errNoBackup);
    assert_int_equal(context_end(fx->inst, 0), JET_errInvalidParameter);
    assert_int_equal(context_end(fx->inst, 3), JET_errInvalidParameter);
    assert_int_equal(context_end(fx->inst, 2), JET_errNoBackup);
}

static void
test_bad_end_keeps_the_backup(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(context_begin(fx->inst, 0), 0);
    assert_int_equal(context_end(fx->inst, 0), JET_errInvalidParameter);
    assert_int_equal(attach_info(fx), 0);
}

static void
test_open_rules_of_the_database_phase(void **state)
{
    struct fixture *fx = *state;
    g_autofree char *log = g_build_filename(fx->dir, "edb00001.log", NULL);
    assert_int_equal(context_begin(fx->inst, 0), 0);
    n_seen = 0;
    assert_int_equal(open_it(fx, NULL), JET_errInvalidParameter);
    assert_int_equal(open_it(fx, ""), JET_errInvalidParameter);
    NO_EVENTS();
    assert_int_equal(open_it(fx, log), JET_errDatabaseNotFound);
    assert_int_equal(open_it(fx, fx->other), JET_errDatabaseNotFound);
    EVENTS(217, 217);
    assert_int_equal(open_it(fx, fx->path), 0);
    EVENTS(220);
    assert_int_equal(open_it(fx, fx->path), JET_errOutOfMemory);
    assert_int_equal(log_info(fx), JET_errInvalidBackupSequence);
    assert_int_equal(context_truncate(fx->inst), JET_errInvalidBackupSequence);
    assert_int_equal(context_close(fx->inst, 0), 0);
    EVENTS(222);
    assert_int_equal(context_close(fx->inst, 0), JET_errInvalidParameter);
    assert_int_equal(context_close(fx->inst, 7), JET_errInvalidParameter);
    assert_int_equal(context_truncate(fx->inst), JET_errInvalidBackupSequence);
    copy_database(fx); /* the same again */
    EVENTS(220, 221);
}

static void
test_database_in_log_phase_ends_the_backup(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(context_begin(fx->inst, 0), 0);
    assert_int_equal(log_info(fx), 0);
    n_seen = 0;
    assert_int_equal(open_it(fx, fx->path), JET_errInvalidBackupSequence);
    EVENTS(214);
    assert_int_equal(log_info(fx), JET_errNoBackup);
    assert_int_equal(end(fx), JET_errNoBackup);
}

static void
test_bad_log_names_end_the_backup(void **state)
{
    struct fixture *fx = *state;
    g_autofree char *current = g_build_filename(fx->dir, "edb.log", NULL);
    g_autofree char *missing = g_build_filename(fx->dir, "edbFFFFF.log", NULL);
    assert_int_equal(context_begin(fx->inst, 0), 0);
    assert_int_equal(log_info(fx), 0);
    n_seen = 0;
    assert_int_equal(open_it(fx, current), JET_errInvalidParameter);
    EVENTS(214);
    assert_int_equal(context_begin(fx->inst, 0), 0);
    assert_int_equal(log_info(fx), 0);
    n_seen = 0;
    assert_int_equal(open_it(fx, missing), JET_errMissingFileToBackup);
    EVENTS(459, 214);
}

static void
test_log_info_rolls_once(void **state)
{
    struct fixture *fx = *state;
    uint32_t low[2], high[2];
    int32_t before = log_gen(fx->inst->log);
    assert_int_equal(context_begin(fx->inst, 0), 0);
    for (int i = 0; i < 2; i++) {
        g_auto(GStrv) paths = NULL;
        assert_int_equal(context_log_info(fx->inst, &paths, &low[i], &high[i]), 0);
        assert_int_equal(log_gen(fx->inst->log), before + 1);
    }
    assert_int_equal(low[0], low[1]);
    assert_int_equal(high[0], high[1]);
    assert_int_equal(high[0], before);
}

/* ---- reading ---- */

static void
test_read_sizes(void **state)
{
    struct fixture *fx = *state;
    uint32_t got;
    assert_int_equal(context_begin(fx->inst, 0), 0);
    assert_int_equal(open_it(fx, fx->path), 0);
    assert_int_equal(context_read(fx->inst, 0, fx->buf, 2 * PAGE, &got), JET_errInvalidParameter);
    assert_int_equal(context_read(fx->inst, 0, fx->buf, 3 * PAGE + 1, &got),
                     JET_errInvalidParameter);
    assert_int_equal(context_read(fx->inst, 0, fx->buf, 0, &got), JET_errInvalidParameter);
    assert_int_equal(context_read(fx->inst, 5, fx->buf, 3 * PAGE, &got), JET_errInvalidParameter);
    assert_int_equal(context_read(fx->inst, 0, fx->buf, 3 * PAGE, &got), 0);
    assert_int_equal(got, 3 * PAGE);
    assert_memory_equal(fx->buf, fx->buf + PAGE, PAGE);
    assert_int_equal(context_read(fx->inst, 0, fx->buf, PAGE, &got), 0);
    assert_int_equal(got, PAGE);
}

static void
test_stream_has_headers_pages_trailer(void **state)
{
    struct fixture *fx = *state;
    struct dbheader header;
    struct trailer trailer;
    JET_HANDLE hf;
    uint64_t size, total = 0;
    uint32_t got, last = 0;
    assert_int_equal(context_begin(fx->inst, 0), 0);
    assert_int_equal(context_open(fx->inst, fx->path, &hf, &size), 0);
    uint32_t pgno_last = dbfile_pgno_last(db_file(fx));
    assert_int_equal(size, (pgno_last + 3) * PAGE);
    assert_int_equal(context_read(fx->inst, 0, fx->buf, 3 * PAGE, &got), 0);
    assert_int_equal(dbheader_decode(fx->buf, PAGE, &header), 0);
    for (total = got; got > 0; total += got) {
        assert_int_equal(context_read(fx->inst, 0, fx->buf, 7 * PAGE, &got), 0);
        last = got ? got : last;
    }
    assert_int_equal(total, size);
    assert_int_equal(trailer_decode(fx->buf + last - PAGE, PAGE, &trailer), 0);
    struct bkinfo head = bkinfo_get(&header.bytes[DBH_BK_FULL_CUR]),
                  tail = bkinfo_get(trailer.bkinfo);
    assert_int_equal(head.gen_high, 0);
    assert_int_equal(head.gen_low, tail.gen_low);
    assert_int_equal(tail.gen_high, log_gen(fx->inst->log));
    assert_memory_equal(trailer.sign_db, &header.bytes[DBH_SIGN_DB], 28);
    assert_int_equal(slot(fx, DBH_BK_FULL_CUR).gen_low, 0); /* the live header is not stamped */
}

static void
scratch_page(struct fixture *fx, uint32_t pgno)
{
    uint8_t page[PAGE];
    struct os_file *file;
    assert_int_equal(os_file_open(fx->path, OS_OPEN_WRITE, &file), 0);
    assert_int_equal(os_file_read(file, (pgno + 1) * PAGE, page, PAGE), 0);
    page[100] ^= 0x55;
    page[3000] ^= 0x55;
    page[20] ^= 0x11;
    assert_int_equal(os_file_write(file, (pgno + 1) * PAGE, page, PAGE), 0);
    os_file_close(file);
}

static void
test_bad_page_closes_the_file_only(void **state)
{
    struct fixture *fx = *state;
    uint32_t got;
    assert_int_equal(cache_flush(db_file(fx)), 0);
    scratch_page(fx, 5);
    assert_int_equal(context_begin(fx->inst, 0), 0);
    assert_int_equal(open_it(fx, fx->path), 0);
    n_seen = 0;
    context_set_read_retries(2, 0);
    assert_int_equal(context_read(fx->inst, 0, fx->buf, 64 * PAGE, &got), JET_errReadVerifyFailure);
    EVENTS(217, 222);
    assert_int_equal(context_close(fx->inst, 0), JET_errInvalidParameter);
    assert_int_equal(open_it(fx, fx->path), 0);
    scratch_page(fx, 5); /* put it right again */
}

static void
test_bad_log_ends_the_backup(void **state)
{
    struct fixture *fx = *state;
    g_auto(GStrv) paths = NULL;
    uint32_t got;
    assert_int_equal(context_begin(fx->inst, 0), 0);
    assert_int_equal(context_log_info(fx->inst, &paths, NULL, NULL), 0);
    struct os_file *file;
    assert_int_equal(os_file_open(paths[0], OS_OPEN_WRITE, &file), 0);
    assert_int_equal(os_file_write(file, 2 * PAGE + 700, "rubbish", 7), 0);
    os_file_close(file);
    assert_int_equal(open_it(fx, paths[0]), 0);
    n_seen = 0;
    assert_int_equal(context_read(fx->inst, 0, fx->buf, PAGE, &got), JET_errInvalidParameter);
    assert_int_equal(context_read(fx->inst, 0, fx->buf, 16 * PAGE, &got),
                     JET_errLogReadVerifyFailure);
    assert_int_equal(seen[0], 218);
    assert_int_equal(seen[n_seen - 1], 214);
    assert_int_equal(end(fx), JET_errNoBackup);
}

/* ---- truncate and end ---- */

static void
test_truncate_wants_all_logs_read(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(context_begin(fx->inst, 0), 0);
    assert_int_equal(log_info(fx), 0);
    n_seen = 0;
    assert_int_equal(context_truncate(fx->inst), JET_errLogFileNotCopied);
    EVENTS(520);
    copy_logs(fx);
    n_seen = 0;
    assert_int_equal(context_truncate(fx->inst), 0);
    EVENTS(225); /* no database was copied: nothing may go */
}

static void
test_truncate_removes_what_was_copied(void **state)
{
    struct fixture *fx = *state;
    int32_t closed;
    for (int i = 0; i < 3; i++)
        assert_int_equal(log_roll(fx->inst->log, &closed), 0);
    assert_int_equal(context_begin(fx->inst, 0), 0);
    copy_database(fx);
    copy_logs(fx);
    assert_int_equal(cache_flush(db_file(fx)), 0);
    assert_int_equal(instance_checkpoint(fx->inst, true), 0);
    assert_int_equal(end(fx), 0);

    assert_int_equal(context_begin(fx->inst, 0), 0);
    copy_database(fx);
    copy_logs(fx);
    int32_t oldest = log_oldest_gen(fx->inst->log);
    n_seen = 0;
    assert_int_equal(context_truncate(fx->inst), 0);
    EVENTS(224);
    assert_true(log_oldest_gen(fx->inst->log) > oldest);
    assert_int_equal(context_truncate(fx->inst), 0);
    EVENTS(224, 227);
    assert_int_equal(end(fx), 0);
    assert_true(slot(fx, DBH_BK_FULL_PREV).gen_low > 0);
}

static void
test_events_of_a_whole_full_backup(void **state)
{
    struct fixture *fx = *state;
    full_backup(fx, true);
    assert_int_equal(seen[0], 210);
    assert_int_equal(seen[1], 220);
    assert_int_equal(seen[2], 221);
    assert_int_equal(seen[3], 223);
    assert_in_range(seen[4], 224, 225);
    assert_int_equal(seen[n_seen - 1], 213);
    assert_true(n_seen <= 7);
}

static void
test_end_after_databases_only_is_abort_by_caller(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(context_begin(fx->inst, 0), 0);
    copy_database(fx);
    assert_int_equal(end(fx), JET_errBackupAbortByCaller);
    assert_int_equal(slot(fx, DBH_BK_FULL_PREV).gen_low, 0);
    assert_int_equal(slot(fx, DBH_BK_COPY_PREV).gen_low, 0);
}

static void
test_end_without_databases_stamps_nothing(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(context_begin(fx->inst, 0), 0);
    assert_int_equal(log_info(fx), 0);
    n_seen = 0;
    assert_int_equal(end(fx), 0);
    EVENTS(213);
    assert_int_equal(slot(fx, DBH_BK_COPY_PREV).gen_low, 0);
}

static void
test_slots_by_kind_and_truncation(void **state)
{
    struct fixture *fx = *state;
    full_backup(fx, false);
    assert_true(slot(fx, DBH_BK_COPY_PREV).gen_low > 0);
    assert_int_equal(slot(fx, DBH_BK_FULL_PREV).gen_low, 0);

    assert_int_equal(context_begin(fx->inst, 0), 0); /* truncation said, not done */
    copy_database(fx);
    copy_logs(fx);
    int32_t oldest = log_oldest_gen(fx->inst->log);
    assert_int_equal(context_end(fx->inst, JET_bitBackupEndNormal | JET_bitBackupTruncateDone), 0);
    assert_int_equal(log_oldest_gen(fx->inst->log), oldest);
    struct bkinfo full = slot(fx, DBH_BK_FULL_PREV);
    assert_true(full.gen_low > 0);
    assert_int_equal(full.gen_high, log_gen(fx->inst->log) - 1);

    assert_int_equal(context_begin(fx->inst, JET_bitBackupIncremental), 0);
    assert_int_equal(attach_info(fx), JET_errInvalidBackupSequence);
    copy_logs(fx);
    assert_int_equal(end(fx), 0);
    assert_true(slot(fx, DBH_BK_DIFF_PREV).gen_high > full.gen_high);
    assert_int_equal(slot(fx, DBH_BK_INC_PREV).gen_high, 0);

    assert_int_equal(context_begin(fx->inst, JET_bitBackupIncremental), 0);
    copy_logs(fx);
    assert_int_equal(context_truncate(fx->inst), 0);
    assert_int_equal(end(fx), 0);
    assert_true(slot(fx, DBH_BK_INC_PREV).gen_high > full.gen_high);

    full_backup(fx, true);
    assert_int_equal(slot(fx, DBH_BK_INC_PREV).gen_high, 0);
    assert_int_equal(slot(fx, DBH_BK_DIFF_PREV).gen_high, 0);
}

static void
test_incremental_with_a_hole_is_refused(void **state)
{
    struct fixture *fx = *state;
    int32_t closed;
    uint32_t removed;
    full_backup(fx, true);
    for (int i = 0; i < 3; i++)
        assert_int_equal(log_roll(fx->inst->log, &closed), 0);
    assert_int_equal(cache_flush(db_file(fx)), 0);
    assert_int_equal(instance_checkpoint(fx->inst, true), 0);
    assert_int_equal(log_truncate(fx->inst->log, 1, closed, &removed), 0);
    assert_true(removed > 0);
    assert_int_equal(context_begin(fx->inst, JET_bitBackupIncremental), 0);
    n_seen = 0;
    assert_int_equal(log_info(fx), JET_errMissingFileToBackup);
    EVENTS(459);
    assert_int_equal(log_info(fx), JET_errMissingFileToBackup); /* and not a wrong list */
}

/* ---- stop ---- */

static void
test_stop_before_begin_has_no_effect(void **state)
{
    struct fixture *fx = *state;
    context_stop(fx->inst);
    assert_int_equal(context_begin(fx->inst, 0), 0);
    assert_int_equal(attach_info(fx), 0);
}

static void
test_stop_then_all_but_close_and_end(void **state)
{
    struct fixture *fx = *state;
    uint32_t got;
    assert_int_equal(context_begin(fx->inst, 0), 0);
    assert_int_equal(open_it(fx, fx->path), 0);
    context_stop(fx->inst);
    assert_int_equal(context_read(fx->inst, 0, fx->buf, 3 * PAGE, &got),
                     JET_errBackupAbortByServer);
    assert_int_equal(open_it(fx, NULL), JET_errBackupAbortByServer);
    assert_int_equal(attach_info(fx), JET_errBackupAbortByServer);
    assert_int_equal(log_info(fx), JET_errBackupAbortByServer);
    assert_int_equal(context_truncate(fx->inst), JET_errBackupAbortByServer);
    assert_int_equal(context_begin(fx->inst, 0), JET_errBackupInProgress);
    assert_int_equal(context_close(fx->inst, 0), 0);
    n_seen = 0;
    assert_int_equal(end(fx), JET_errBackupAbortByServer);
    EVENTS(226);
    assert_int_equal(end(fx), JET_errNoBackup);
}

static void
test_abort_beats_stop(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(context_begin(fx->inst, 0), 0);
    context_stop(fx->inst);
    n_seen = 0;
    assert_int_equal(context_end(fx->inst, JET_bitBackupEndAbort), JET_errBackupAbortByCaller);
    EVENTS(215);
}

static void
test_term_ends_the_backup(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(context_begin(fx->inst, 0), 0);
    assert_int_equal(open_it(fx, fx->path), 0);
    n_seen = 0;
    context_term(fx->inst, false);
    assert_int_equal(seen[n_seen - 1], 226);
    assert_int_equal(instance_term(fx->inst, JET_bitTermComplete, NULL, NULL), 0);
    instance_free(g_steal_pointer(&fx->inst));
}

/* ---- frozen sessions through the context ---- */

static void
test_frozen_session_from_begin_to_stamp(void **state)
{
    struct fixture *fx = *state;
    JETX_BACKUPFILE *files;
    uint32_t n, got;
    JET_HANDLE first, second;
    uint64_t size;
    JETX_BACKUPSTATUS status = {.cbStruct = sizeof status};
    assert_int_equal(context_begin_frozen(fx->inst, 2), JET_errInvalidGrbit);
    assert_int_equal(context_begin_frozen(fx->inst, 0), 0);
    assert_int_equal(context_files(fx->inst, &files, &n), 0);
    assert_int_equal(files[0].kind, JETX_fileDatabase);
    assert_string_equal(files[0].szName, "a.edb");
    assert_int_equal(context_open(fx->inst, "a.edb", &first, &size), 0);
    assert_int_equal(size, files[0].cbSize);
    assert_int_equal(context_open(fx->inst, fx->path, &second, &size), 0);
    assert_int_not_equal(first, second);
    assert_int_equal(context_read(fx->inst, first, fx->buf, 100, &got), 0);
    assert_int_equal(context_read_at(fx->inst, second, 0, fx->buf + 1000, 100, &got), 0);
    assert_memory_equal(fx->buf, fx->buf + 1000, 100);
    assert_int_equal(context_read_at(fx->inst, 77, 0, fx->buf, 1, &got), JET_errInvalidParameter);
    assert_int_equal(context_status(fx->inst, &status), 0);
    assert_string_equal(status.szState, "frozen");
    assert_int_equal(status.lgposFreeze, (uint64_t)(status.genHigh + 1) << 32);
    assert_true(status.cbPinnedLog > 0);
    assert_int_equal(context_close(fx->inst, first), 0);
    assert_int_equal(context_close(fx->inst, first), JET_errInvalidParameter);
    assert_int_equal(end(fx), 0);
    assert_int_equal(slot(fx, DBH_BK_COPY_PREV).gen_high, status.genHigh);
    assert_int_equal(context_read_at(fx->inst, second, 0, fx->buf, 1, &got), JET_errNoBackup);
    assert_int_equal(context_status(fx->inst, &status), 0);
    assert_string_equal(status.szState, "ended");
    assert_int_equal(status.cbPinnedLog, 0);
    g_free(files);
}

static void
test_frozen_truncate_makes_it_a_full(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(context_begin_frozen(fx->inst, 0), 0);
    assert_int_equal(context_truncate(fx->inst), 0);
    assert_int_equal(end(fx), 0);
    assert_true(slot(fx, DBH_BK_FULL_PREV).gen_high > 0);
    assert_int_equal(context_begin(fx->inst, JET_bitBackupIncremental), 0);
}

static void
test_frozen_stop_is_for_good(void **state)
{
    struct fixture *fx = *state;
    JETX_BACKUPSTATUS status = {.cbStruct = sizeof status};
    JET_HANDLE db, log;
    uint64_t size;
    uint32_t got, n;
    JETX_BACKUPFILE *files;
    assert_int_equal(context_begin_frozen(fx->inst, 0), 0);
    assert_int_equal(context_files(fx->inst, &files, &n), 0);
    assert_int_equal(context_open(fx->inst, "a.edb", &db, &size), 0);
    assert_int_equal(context_open(fx->inst, files[1].szName, &log, &size), 0);
    context_stop(fx->inst);
    assert_int_equal(context_read_at(fx->inst, db, 0, fx->buf, 1, &got),
                     JET_errBackupAbortByServer);
    assert_int_equal(context_read_at(fx->inst, log, 0, fx->buf, 1, &got),
                     JET_errBackupAbortByServer);
    assert_int_equal(context_status(fx->inst, &status), 0);
    assert_int_equal(status.errSession, JET_errBackupAbortByServer);
    assert_int_equal(end(fx), JET_errBackupAbortByServer);
    assert_int_equal(slot(fx, DBH_BK_COPY_PREV).gen_low, 0);
    assert_int_equal(context_begin_frozen(fx->inst, 0), 0);
    assert_int_equal(context_end(fx->inst, JET_bitBackupEndAbort), JET_errBackupAbortByCaller);
    g_free(files);
}

static void
test_frozen_calls_in_a_plain_session(void **state)
{
    struct fixture *fx = *state;
    JETX_BACKUPFILE *files;
    uint32_t n, got;
    assert_int_equal(context_begin(fx->inst, 0), 0);
    assert_int_equal(context_files(fx->inst, &files, &n), JET_errInvalidBackupSequence);
    assert_int_equal(context_read_at(fx->inst, 0, 0, fx->buf, 1, &got),
                     JET_errInvalidBackupSequence);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_begin_twice_leaves_the_first_alone),
        CASE(test_begin_refuses_other_bits),
        cmocka_unit_test_setup_teardown(test_begin_incremental_with_circular_log, setup_circular,
                                        teardown),
        CASE(test_incremental_needs_a_real_full),
        CASE(test_attach_and_detach_wait_for_the_end),
        CASE(test_calls_without_backup),
        CASE(test_bad_end_keeps_the_backup),
        CASE(test_open_rules_of_the_database_phase),
        CASE(test_database_in_log_phase_ends_the_backup),
        CASE(test_bad_log_names_end_the_backup),
        CASE(test_log_info_rolls_once),
        CASE(test_read_sizes),
        CASE(test_stream_has_headers_pages_trailer),
        CASE(test_bad_page_closes_the_file_only),
        CASE(test_bad_log_ends_the_backup),
        CASE(test_truncate_wants_all_logs_read),
        CASE(test_truncate_removes_what_was_copied),
        CASE(test_events_of_a_whole_full_backup),
        CASE(test_end_after_databases_only_is_abort_by_caller),
        CASE(test_end_without_databases_stamps_nothing),
        CASE(test_slots_by_kind_and_truncation),
        CASE(test_incremental_with_a_hole_is_refused),
        CASE(test_stop_before_begin_has_no_effect),
        CASE(test_stop_then_all_but_close_and_end),
        CASE(test_abort_beats_stop),
        CASE(test_term_ends_the_backup),
        CASE(test_frozen_session_from_begin_to_stamp),
        CASE(test_frozen_truncate_makes_it_a_full),
        CASE(test_frozen_stop_is_for_good),
        CASE(test_frozen_calls_in_a_plain_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
