/* SPDX-License-Identifier: MIT */
/*
 * The frozen session's invariants (backup/frozen.h), each attacked while writers run. A test page
 * holds the position of the log record that made it, so that what belongs to the image can be told
 * from what came later.
 */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "backup/frozen.h"
#include "backup/manifest.h"
#include "backup/trailer.h"
#include "cache/cache.h"
#include "cache/dbfile.h"
#include "log/logtime.h"
#include "log/stream.h"
#include "os/fault.h"
#include "os/file.h"
#include "page/page.h"

#define PAGE    4096u
#define PAGES   300u
#define POS_AT  200
#define WRITERS 2
#define READERS 2

struct fixture {
    char *dir, *path, *pre;
    struct log *log;
    struct cache *cache;
    struct dbfile *file;
    struct frozen *frozen;
    _Atomic bool stop;
    _Atomic uint64_t changes;
    _Atomic int died;
    _Atomic enum limit_kind died_of;
    _Atomic uint32_t warned[LIMITS];
    pthread_t writers[WRITERS];
    bool running;
};

static void
change_page(struct fixture *fx, uint32_t pgno, uint32_t value)
{
    struct buf *buf;
    uint8_t body[100] = {7};
    struct iovec part = {body, sizeof body};
    struct lgpos pos;
    g_assert(cache_fix_new(fx->file, pgno, &buf) >= 0);
    g_assert(log_append(fx->log, &part, 1, &pos) >= 0);
    page_format(buf->page, 1, PAGE_FLAG_LEAF);
    page_set_dbtime(buf->page, value);
    lgpos_put(buf->page->data + POS_AT, pos);
    for (uint32_t at = 300; at < PAGE - 8; at += 4)
        le32_put(buf->page->data + at, value * 31 + at);
    buf_dirty(buf, pos, pos);
    cache_unfix(buf);
    fx->changes++;
}

static void *
write_all_the_time(void *arg)
{
    struct fixture *fx = arg;
    uint32_t seed = (uint32_t)(uintptr_t)&seed;
    for (uint32_t i = 0; !fx->stop; i++) {
        seed = seed * 1664525 + 1013904223;
        change_page(fx, 1 + (seed >> 8) % PAGES, i);
        if (i % 200 == 0)
            g_assert(cache_flush(fx->file) >= 0);
    }
    return NULL;
}

static void
start_writers(struct fixture *fx)
{
    fx->running = true;
    for (int i = 0; i < WRITERS; i++)
        pthread_create(&fx->writers[i], NULL, write_all_the_time, fx);
}

static void
stop_writers(struct fixture *fx)
{
    if (!fx->running)
        return;
    fx->stop = true;
    for (int i = 0; i < WRITERS; i++)
        pthread_join(fx->writers[i], NULL);
    fx->running = false;
    fx->stop = false;
}

/* Until so many more changes have been made, and written. */
static void
wait_for_changes(struct fixture *fx, uint64_t n)
{
    uint64_t until = fx->changes + n;
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    while (fx->changes < until && g_get_monotonic_time() < deadline)
        g_usleep(1000);
    assert_true(fx->changes >= until);
    assert_int_equal(cache_flush(fx->file), JET_errSuccess);
}

static int
setup(void **state)
{
    struct fixture *fx = g_new0(struct fixture, 1);
    fx->dir = g_dir_make_tmp("frozen-XXXXXX", NULL);
    fx->path = g_build_filename(fx->dir, "t.edb", NULL);
    fx->pre = g_build_filename(fx->dir, "pre", NULL); /* where preimages go */
    assert_int_equal(g_mkdir(fx->pre, 0700), 0);
    struct log_config log_cfg = {.dir = fx->dir,
                                 .base = "edb",
                                 .eight_dot_three = true,
                                 .file_kib = 256,
                                 .page_bytes = PAGE};
    struct cache_config cfg = {.page_bytes = PAGE, .frames_max = 64};
    struct dbheader header;
    assert_int_equal(log_create(&log_cfg, &fx->log), JET_errSuccess);
    assert_int_equal(cache_new(&cfg, &fx->cache), JET_errSuccess);
    struct dbfile_spec spec = {.cache = fx->cache, .path = fx->path, .dbid = 1, .log = fx->log};
    dbheader_init(&header, PAGE);
    dbheader_set_dirty(&header, 1, 1);
    memset(&header.bytes[DBH_SIGN_DB], 0xd8, 28);
    memcpy(&header.bytes[DBH_SIGN_LOG], log_signature(fx->log), 28);
    assert_int_equal(dbfile_create(&spec, &header, PAGES, &fx->file), JET_errSuccess);
    for (uint32_t pgno = 1; pgno <= PAGES; pgno++)
        change_page(fx, pgno, 1);
    assert_int_equal(cache_flush(fx->file), JET_errSuccess);
    *state = fx;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *fx = *state;
    os_fault_arm(NULL);
    stop_writers(fx);
    frozen_end(fx->frozen, 0);
    dbfile_close(fx->file);
    cache_free(fx->cache);
    (void)log_close(fx->log, false);
    char **names;
    assert_int_equal(os_dir_list(fx->dir, &names), JET_errSuccess);
    for (size_t i = 0; names[i]; i++) {
        g_autofree char *path = g_build_filename(fx->dir, names[i], NULL);
        g_unlink(path);
    }
    g_strfreev(names);
    g_rmdir(fx->pre);
    g_rmdir(fx->dir);
    g_free(fx->pre);
    g_free(fx->path);
    g_free(fx->dir);
    g_free(fx);
    return 0;
}

static void
on_died(void *ctx, JET_ERR err, enum limit_kind over, const struct limit *limit)
{
    struct fixture *fx = ctx;
    fx->died_of = over;
    fx->died++;
}

static void
on_warned(void *ctx, enum limit_kind kind, const struct limit *limit)
{
    ((struct fixture *)ctx)->warned[kind] = limit->warned;
}

static JET_ERR
begin_limited(struct fixture *fx, const struct frozen_limits *limits)
{
    struct frozen_params params = {.cache = fx->cache,
                                   .log = fx->log,
                                   .files = &fx->file,
                                   .n_files = 1,
                                   .preimage_dir = fx->pre,
                                   .limits = *limits,
                                   .instance = "test",
                                   .died = on_died,
                                   .warned = on_warned,
                                   .ctx = fx,
                                   .mark = {.mark = log_tip(fx->log),
                                            .time = logtime_now(),
                                            .gen_low = (uint32_t)log_oldest_gen(fx->log)}};
    return frozen_begin(&params, &fx->frozen);
}

static JET_ERR
begin(struct fixture *fx, uint64_t budget)
{
    return begin_limited(fx, &(struct frozen_limits) {.preimage_bytes = budget});
}

static struct frozen_reader *
open_file(struct fixture *fx, const char *name)
{
    struct frozen_file file;
    struct frozen_reader *reader;
    assert_int_equal(frozen_open(fx->frozen, name, &file), JET_errSuccess);
    assert_int_equal(frozen_reader_new(&file, &reader), JET_errSuccess);
    return reader;
}

static GBytes *
read_whole(struct frozen_reader *reader)
{
    uint64_t size = frozen_reader_size(reader);
    uint8_t *data = g_malloc(size);
    size_t got;
    assert_int_equal(frozen_reader_read(reader, 0, data, size, &got), JET_errSuccess);
    assert_int_equal(got, size);
    return g_bytes_new_take(data, size);
}

static void
assert_same(GBytes *a, GBytes *b)
{
    assert_true(g_bytes_equal(a, b));
}

/* ---- 1: bytes never change; 3: each page is put aside at most once ---- */

struct rereader {
    struct fixture *fx;
    struct frozen_reader *reader;
    GBytes *expected;
    uint32_t seed, rounds;
    bool failed;
};

static void *
reread(void *arg)
{
    struct rereader *r = arg;
    size_t size;
    const uint8_t *expected = g_bytes_get_data(r->expected, &size);
    uint8_t *buf = g_malloc(64 << 10);
    while (!r->fx->stop && !r->failed) {
        r->seed = r->seed * 1664525 + 1013904223;
        size_t ib = (r->seed >> 4) % size, cb = (r->seed >> 12) % (64 << 10), got = 0;
        JET_ERR err = frozen_reader_read(r->reader, ib, buf, cb, &got);
        r->failed = err < 0 || got != MIN(cb, size - ib) || memcmp(buf, expected + ib, got) != 0;
        r->rounds++;
    }
    g_free(buf);
    return NULL;
}

static void
test_bytes_never_change_while_writers_run(void **state)
{
    struct fixture *fx = *state;
    pthread_t threads[READERS];
    struct rereader readers[READERS];
    struct frozen_stats stats;
    start_writers(fx);
    wait_for_changes(fx, 500);
    assert_int_equal(begin(fx, 0), JET_errSuccess);
    struct frozen_reader *reader = open_file(fx, "t.edb");
    g_autoptr(GBytes) first = read_whole(reader);
    for (uint32_t i = 0; i < READERS; i++) {
        readers[i] =
            (struct rereader) {.fx = fx, .reader = reader, .expected = first, .seed = i + 1};
        pthread_create(&threads[i], NULL, reread, &readers[i]);
    }
    wait_for_changes(fx, 3000);
    stop_writers(fx);
    fx->stop = true;
    for (uint32_t i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
        assert_false(readers[i].failed);
        assert_true(readers[i].rounds > 0);
    }
    g_autoptr(GBytes) second = read_whole(reader);
    assert_same(first, second);
    frozen_get_stats(fx->frozen, &stats);
    if (stats.clones == 0)
        assert_in_range(stats.preimage_pages, 1, PAGES);
    assert_int_equal(stats.preimage_bytes, stats.preimage_pages * PAGE);
    frozen_reader_free(reader);
}

/* ---- 2: nothing from behind the freeze, everything needed before it ---- */

static void
test_image_holds_nothing_later_than_its_logs(void **state)
{
    struct fixture *fx = *state;
    struct frozen_stats stats;
    size_t n_files, size;
    start_writers(fx);
    wait_for_changes(fx, 500);
    assert_int_equal(begin(fx, 0), JET_errSuccess);
    wait_for_changes(fx, 1000);
    frozen_get_stats(fx->frozen, &stats);
    struct frozen_reader *reader = open_file(fx, fx->path);
    g_autoptr(GBytes) image = read_whole(reader);
    const uint8_t *data = g_bytes_get_data(image, &size);
    for (uint32_t pgno = 1; pgno <= PAGES; pgno++) {
        struct lgpos pos = lgpos_get(data + (size_t)(pgno + 1) * PAGE + POS_AT);
        assert_true(lgpos_cmp(pos, stats.freeze) < 0);
    }
    struct dbheader header;
    struct trailer trailer;
    assert_int_equal(dbheader_decode(data + PAGE, PAGE, &header), JET_errSuccess);
    assert_memory_equal(data, data + PAGE, PAGE);
    assert_int_equal(trailer_decode(data + size - PAGE, PAGE, &trailer), JET_errSuccess);
    struct bkinfo head = bkinfo_get(&header.bytes[DBH_BK_FULL_CUR]),
                  tail = bkinfo_get(trailer.bkinfo);
    assert_int_equal(head.gen_low, stats.gen_low);
    assert_int_equal(head.gen_high, 0);
    assert_int_equal(tail.gen_high, stats.gen_high);
    assert_int_equal(lgpos_cmp(head.mark, tail.mark), 0);
    assert_true(marks_is_backup(&header));
    assert_in_range(dbheader_u32(&header, DBH_GEN_MAX_REQUIRED), 1, stats.gen_high);
    assert_in_range(dbheader_u32(&header, DBH_GEN_MAX_COMMITTED), 1, stats.gen_high);
    assert_in_range(dbheader_u32(&header, DBH_GEN_MIN_REQUIRED), stats.gen_low, stats.gen_high);
    frozen_reader_free(reader);

    const JETX_BACKUPFILE *files = frozen_files(fx->frozen, &n_files);
    assert_int_equal(n_files, 2 + stats.gen_high - stats.gen_low + 1);
    uint32_t gen = stats.gen_low;
    for (size_t i = 0; i < n_files; i++) {
        reader = open_file(fx, files[i].szName);
        g_autoptr(GBytes) bytes = read_whole(reader);
        assert_int_equal(g_bytes_get_size(bytes), files[i].cbSize);
        assert_true(files[i].inode > 255);
        if (files[i].kind == JETX_fileLog)
            assert_int_equal(files[i].genLog, gen++);
        frozen_reader_free(reader);
    }
    assert_int_equal(gen, stats.gen_high + 1);
}

static void
test_log_keeps_inode_and_time_across_sessions(void **state)
{
    struct fixture *fx = *state;
    size_t n;
    assert_int_equal(begin(fx, 0), JET_errSuccess);
    const JETX_BACKUPFILE *files = frozen_files(fx->frozen, &n);
    JETX_BACKUPFILE before = files[1], database = files[0];
    frozen_end(g_steal_pointer(&fx->frozen), 0);
    assert_int_equal(begin(fx, 0), JET_errSuccess);
    files = frozen_files(fx->frozen, &n);
    assert_memory_equal(&before, &files[1], sizeof before);
    assert_int_equal(files[0].inode, database.inode);
    assert_true(files[0].mtime_ns / G_GINT64_CONSTANT(1000000000) >
                database.mtime_ns / G_GINT64_CONSTANT(1000000000)); /* rsync looks at seconds */
}

/* ---- 4: no room: the session dies, the database does not ---- */

/* Preimages cannot run out of room where there are none. */
static bool
is_clone(struct fixture *fx)
{
    struct frozen_stats stats;
    frozen_get_stats(fx->frozen, &stats);
    if (stats.clones > 0)
        print_message("[  SKIPPED ] this file system clones\n");
    return stats.clones > 0;
}

static void
assert_dead(struct fixture *fx, struct frozen_reader *reader)
{
    uint8_t buf[100];
    size_t got;
    struct frozen_file file;
    for (int i = 0; i < 3; i++)
        assert_int_equal(frozen_reader_read(reader, 3 * PAGE, buf, sizeof buf, &got),
                         JET_errBackupAbortByServer);
    assert_int_equal(frozen_reader_read(reader, 0, buf, sizeof buf, &got),
                     JET_errBackupAbortByServer);
    assert_int_equal(frozen_error(fx->frozen), JET_errBackupAbortByServer);
    assert_int_equal(frozen_open(fx->frozen, "t.edb", &file), JET_errBackupAbortByServer);
    assert_int_equal(fx->died, 1);
    assert_int_equal(cache_error(fx->cache), JET_errSuccess);
    uint32_t removed;
    int32_t closed;
    assert_int_equal(log_roll(fx->log, &closed), JET_errSuccess);
    log_set_checkpoint(fx->log, log_tip(fx->log));
    assert_int_equal(log_truncate(fx->log, 1, closed + 1, &removed), JET_errSuccess);
    assert_true(removed > 0); /* nothing is pinned any more */
}

static void
test_budget_runs_out_kills_session_only(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(begin(fx, 20 * PAGE), JET_errSuccess);
    if (is_clone(fx))
        return;
    struct frozen_reader *reader = open_file(fx, "t.edb");
    start_writers(fx);
    wait_for_changes(fx, 2000);
    stop_writers(fx);
    assert_dead(fx, reader);
    assert_int_equal(fx->died_of, LIMIT_PREIMAGE);
    frozen_reader_free(reader);
}

static bool
wait_for_death(struct fixture *fx)
{
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    while (fx->died == 0 && g_get_monotonic_time() < deadline)
        g_usleep(500);
    return fx->died > 0;
}

static void
test_age_and_idle_kill_by_themselves(void **state)
{
    struct fixture *fx = *state;
    const struct frozen_limits limits[] = {{.age_us = 20000}, {.idle_us = 20000}};
    const enum limit_kind kinds[] = {LIMIT_AGE, LIMIT_IDLE};
    for (int i = 0; i < 2; i++) {
        fx->died = 0;
        assert_int_equal(begin_limited(fx, &limits[i]), JET_errSuccess);
        struct frozen_reader *reader = open_file(fx, "t.edb");
        assert_true(wait_for_death(fx));
        assert_dead(fx, reader);
        assert_int_equal(fx->died_of, kinds[i]);
        frozen_reader_free(reader);
        frozen_end(g_steal_pointer(&fx->frozen), 0);
    }
}

static void
test_pinned_logs_kill_when_tightened(void **state)
{
    struct fixture *fx = *state;
    int32_t closed;
    assert_int_equal(begin(fx, 0), JET_errSuccess);
    assert_int_equal(log_roll(fx->log, &closed), JET_errSuccess);
    frozen_tighten(fx->frozen, &(struct frozen_limits) {.pinned_log_bytes = 1});
    assert_true(wait_for_death(fx));
    assert_int_equal(fx->died_of, LIMIT_PINNED_LOG);
    struct frozen_stats stats;
    frozen_get_stats(fx->frozen, &stats);
    assert_int_equal(stats.limits.over, LIMIT_PINNED_LOG);
    assert_true(stats.limits.of[LIMIT_PINNED_LOG].used > 1);
    assert_true(stats.pinned_log_bytes == 0);
}

static void
test_percent_is_of_what_is_free(void **state)
{
    struct fixture *fx = *state;
    struct frozen_stats stats;
    struct statvfs st;
    assert_int_equal(statvfs(fx->pre, &st), 0);
    uint64_t room = (uint64_t)st.f_bavail * st.f_frsize;
    const struct frozen_limits limits = {.preimage_percent = 50, .pinned_log_percent = 10};
    assert_int_equal(begin_limited(fx, &limits), JET_errSuccess);
    frozen_get_stats(fx->frozen, &stats);
    uint64_t preimage = stats.limits.of[LIMIT_PREIMAGE].max;
    assert_true(preimage > room / 4 && preimage < room / 4 * 3); /* others use the disk, too */
    assert_true(stats.limits.of[LIMIT_PINNED_LOG].max > stats.pinned_log_bytes);
    frozen_tighten(fx->frozen,
                   &(struct frozen_limits) {.preimage_bytes = 5000, .preimage_percent = 1});
    frozen_get_stats(fx->frozen, &stats);
    assert_true(stats.limits.of[LIMIT_PREIMAGE].max == 5000); /* the tighter of the two */
}

static void
test_preserved_pages_are_those_overwritten(void **state)
{
    struct fixture *fx = *state;
    uint32_t cells[10], last = 0, sum = 0;
    assert_int_equal(begin(fx, 0), JET_errSuccess);
    if (is_clone(fx))
        return;
    struct frozen_reader *reader = open_file(fx, "t.edb");
    change_page(fx, 1, 5);
    change_page(fx, PAGES, 5);
    assert_int_equal(cache_flush(fx->file), JET_errSuccess);
    assert_int_equal(frozen_reader_preserved(reader, 10, cells), JET_errSuccess);
    for (unsigned i = 0; i < 10; i++) {
        sum += cells[i];
        last = cells[i] > 0 ? i : last;
    }
    assert_int_equal(cells[0], 1);
    assert_true(last > 0);
    assert_int_equal(sum, 2);
    assert_int_equal(frozen_reader_preserved(reader, 0, cells), JET_errInvalidParameter);
    frozen_reader_free(reader);
}

static void
test_full_disk_kills_session_only(void **state)
{
    struct fixture *fx = *state;
    for (uint64_t nth = 1; nth < 4; nth++) {
        assert_int_equal(begin(fx, 0), JET_errSuccess);
        if (is_clone(fx))
            return;
        struct frozen_reader *reader = open_file(fx, "t.edb");
        os_fault_arm(&(struct os_fault) {.calls = OS_CALL_WRITE,
                                         .nth = nth,
                                         .torn = true,
                                         .persistent = true,
                                         .errnum = ENOSPC,
                                         .path_part = "/pre"});
        for (uint32_t pgno = 1; pgno <= 250; pgno += 3)
            change_page(fx, pgno, 77);
        assert_int_equal(cache_flush(fx->file), JET_errSuccess);
        bool struck = os_fault_count() >= nth;
        os_fault_arm(NULL);
        assert_true(struck);
        assert_dead(fx, reader);
        frozen_reader_free(reader);
        frozen_end(g_steal_pointer(&fx->frozen), 0);
        fx->died = 0;
    }
}

static void
test_full_disk_of_the_database_kills_session_only(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(begin(fx, 0), JET_errSuccess);
    struct frozen_reader *reader = open_file(fx, "t.edb");
    os_fault_arm(&(struct os_fault) {
        .calls = OS_CALL_WRITE, .nth = 1, .errnum = ENOSPC, .path_part = "t.edb"});
    change_page(fx, 9, 77);
    assert_int_equal(cache_flush(fx->file), JET_errSuccess); /* written, now that there is room */
    os_fault_arm(NULL);
    assert_dead(fx, reader);
    frozen_reader_free(reader);
}

/* ---- 5: the end frees everything, even under readers ---- */

static unsigned
count_fds(void)
{
    unsigned n = 0;
    GDir *d = g_dir_open("/proc/self/fd", 0, NULL);
    while (g_dir_read_name(d))
        n++;
    g_dir_close(d);
    return n;
}

static void
test_end_frees_all(void **state)
{
    struct fixture *fx = *state;
    uint8_t buf[PAGE];
    size_t got;
    unsigned before = count_fds();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(begin(fx, 0), JET_errSuccess);
        struct frozen_reader *reader = open_file(fx, "t.edb");
        change_page(fx, 5, 5);
        assert_int_equal(cache_flush(fx->file), JET_errSuccess);
        frozen_end(g_steal_pointer(&fx->frozen), 0);
        assert_int_equal(frozen_reader_read(reader, 0, buf, PAGE, &got), JET_errNoBackup);
        frozen_reader_free(reader);
        change_page(fx, 5, 6); /* no hook any more */
        assert_int_equal(cache_flush(fx->file), JET_errSuccess);
    }
    assert_in_range(count_fds(), before - 1, before); /* the log's next file may come or go */
}

static void
test_failed_begin_leaves_nothing(void **state)
{
    struct fixture *fx = *state;
    unsigned fds = count_fds();
    for (uint64_t nth = 1; nth < 60; nth++) {
        os_fault_arm(&(struct os_fault) {
            .calls = OS_CALL_OPEN, .nth = nth, .errnum = EMFILE, .path_part = "/pre"});
        JET_ERR err = begin(fx, 0);
        bool struck = os_fault_count() >= nth;
        os_fault_arm(NULL);
        if (!struck) {
            assert_int_equal(err, JET_errSuccess);
            assert_true(nth > 1);
            return;
        }
        assert_int_equal(err, JET_errOutOfFileHandles);
        assert_in_range(count_fds(), fds - 1, fds + 1);
    }
    fail_msg("the fault loop did not end");
}

/* ---- 6: every page is verified, a bad one fails alone ---- */

static void
test_bad_page_fails_alone(void **state)
{
    struct fixture *fx = *state;
    uint8_t buf[4 * PAGE];
    size_t got;
    int fd = open(fx->path, O_RDWR);
    assert_int_equal(pwrite(fd, "rubbish", 7, 11 * PAGE + 1000), 7); /* page 10 */
    close(fd);
    assert_int_equal(begin(fx, 0), JET_errSuccess);
    struct frozen_reader *reader = open_file(fx, "t.edb");
    assert_int_equal(frozen_reader_read(reader, 11 * PAGE, buf, 10, &got),
                     JET_errReadVerifyFailure);
    assert_int_equal(frozen_reader_read(reader, 9 * PAGE, buf, sizeof buf, &got),
                     JET_errReadVerifyFailure);
    assert_int_equal(frozen_reader_read(reader, 12 * PAGE, buf, sizeof buf, &got), JET_errSuccess);
    assert_int_equal(frozen_error(fx->frozen), JET_errSuccess);
    frozen_reader_free(reader);
}

static void
test_read_at_ends_gives_what_is_there(void **state)
{
    struct fixture *fx = *state;
    uint8_t buf[3 * PAGE];
    size_t got;
    assert_int_equal(begin(fx, 0), JET_errSuccess);
    struct frozen_reader *reader = open_file(fx, "t.edb");
    uint64_t size = frozen_reader_size(reader);
    assert_int_equal(size, (PAGES + 3) * PAGE);
    assert_int_equal(frozen_reader_read(reader, size - 5, buf, sizeof buf, &got), JET_errSuccess);
    assert_int_equal(got, 5);
    assert_int_equal(frozen_reader_read(reader, size, buf, sizeof buf, &got), JET_errSuccess);
    assert_int_equal(got, 0);
    assert_int_equal(frozen_reader_read(reader, size + 100, buf, sizeof buf, &got), JET_errSuccess);
    assert_int_equal(got, 0);
    assert_int_equal(frozen_reader_read(reader, 2 * PAGE - 1, buf, PAGE + 2, &got), JET_errSuccess);
    assert_int_equal(got, PAGE + 2);
    frozen_reader_free(reader);
    struct frozen_file file;
    assert_int_equal(frozen_open(fx->frozen, "nosuch", &file), JET_errFileNotFound);
}

static void
test_manifest_reads_back(void **state)
{
    struct fixture *fx = *state;
    struct frozen_stats stats;
    struct manifest_read m;
    assert_int_equal(begin(fx, 0), JET_errSuccess);
    frozen_get_stats(fx->frozen, &stats);
    g_autofree char *path = g_build_filename(fx->dir, "m.json", NULL);
    assert_true(g_file_set_contents(path, frozen_manifest(fx->frozen), -1, NULL));
    assert_int_equal(manifest_load(path, &m), JET_errSuccess);
    assert_int_equal(m.gen_low, stats.gen_low);
    assert_int_equal(m.gen_high, stats.gen_high);
    assert_int_equal(m.freeze_lgpos, (uint64_t)stats.freeze.gen << 32);
    assert_string_equal(m.files[0].name, "t.edb");
    assert_string_equal(m.files[0].path, fx->path);
    assert_int_equal(m.files[0].size, (PAGES + 3) * PAGE);
    manifest_read_clear(&m);
    assert_true(g_file_set_contents(path, "{\"format\":\"other\"}", -1, NULL));
    assert_int_equal(manifest_load(path, &m), JET_errInvalidBackup);
    assert_true(g_file_set_contents(path, "rubbish", -1, NULL));
    assert_int_equal(manifest_load(path, &m), JET_errInvalidBackup);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_bytes_never_change_while_writers_run),
        CASE(test_image_holds_nothing_later_than_its_logs),
        CASE(test_log_keeps_inode_and_time_across_sessions),
        CASE(test_budget_runs_out_kills_session_only),
        CASE(test_age_and_idle_kill_by_themselves),
        CASE(test_pinned_logs_kill_when_tightened),
        CASE(test_percent_is_of_what_is_free),
        CASE(test_preserved_pages_are_those_overwritten),
        CASE(test_full_disk_kills_session_only),
        CASE(test_full_disk_of_the_database_kills_session_only),
        CASE(test_end_frees_all),
        CASE(test_failed_begin_leaves_nothing),
        CASE(test_bad_page_fails_alone),
        CASE(test_read_at_ends_gives_what_is_there),
        CASE(test_manifest_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
