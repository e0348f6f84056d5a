/* SPDX-License-Identifier: MIT */
/*
 * The cache against a real log and real files. A test page carries its pgno and a version number,
 * so that what lies in the file can be told apart from what should lie there.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "cache/cache.h"
#include "cache/dbfile.h"
#include "log/stream.h"
#include "os/fault.h"
#include "os/file.h"
#include "page/dbheader.h"
#include "page/page.h"

#define PAGE     4096u
#define PAGES    400u
#define FRAMES   64u
#define VALUE_AT 200 /* where a test page keeps its version */

struct fixture {
    char *dir, *path;
    struct log *log;
    struct cache *cache;
    struct dbfile *file;
    _Atomic int failures;
};

static void
on_failed(void *ctx, JET_ERR err)
{
    ((struct fixture *)ctx)->failures++;
}

static void
make_cache(struct fixture *fx)
{
    struct cache_config cfg = {
        .page_bytes = PAGE, .frames_max = FRAMES, .failed = on_failed, .ctx = fx};
    assert_int_equal(cache_new(&cfg, &fx->cache), JET_errSuccess);
}

static struct dbfile_spec
spec_of(struct fixture *fx)
{
    return (struct dbfile_spec) {.cache = fx->cache, .path = fx->path, .dbid = 1, .log = fx->log};
}

static JET_ERR
create_db(struct fixture *fx)
{
    struct dbheader header;
    struct dbfile_spec spec = spec_of(fx);
    dbheader_init(&header, PAGE);
    dbheader_set_dirty(&header, 1, 1);
    return dbfile_create(&spec, &header, PAGES, &fx->file);
}

static int
setup(void **state)
{
    struct fixture *fx = g_new0(struct fixture, 1);
    fx->dir = g_dir_make_tmp("cache-XXXXXX", NULL);
    fx->path = g_build_filename(fx->dir, "t.edb", NULL);
    struct log_config cfg = {.dir = fx->dir,
                             .base = "edb",
                             .eight_dot_three = true,
                             .file_kib = 128,
                             .page_bytes = PAGE};
    assert_int_equal(log_create(&cfg, &fx->log), JET_errSuccess);
    make_cache(fx);
    assert_int_equal(create_db(fx), JET_errSuccess);
    *state = fx;
    return 0;
}

static void
remove_tree(const char *dir)
{
    GDir *d = g_dir_open(dir, 0, NULL);
    const char *name;
    while (d && (name = g_dir_read_name(d))) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        g_unlink(path);
    }
    if (d)
        g_dir_close(d);
    g_rmdir(dir);
}

static int
teardown(void **state)
{
    struct fixture *fx = *state;
    os_fault_arm(NULL);
    dbfile_close(fx->file);
    cache_free(fx->cache);
    (void)log_close(fx->log, false);
    remove_tree(fx->dir);
    g_free(fx->path);
    g_free(fx->dir);
    g_free(fx);
    return 0;
}

static struct lgpos
append_record(struct fixture *fx)
{
    uint8_t nop[200] = {7}; /* any record will do: Rollback-sized bytes are opaque to the stream */
    struct iovec part = {nop, sizeof nop};
    struct lgpos pos;
    assert_int_equal(log_append(fx->log, &part, 1, &pos), JET_errSuccess);
    return pos;
}

static void
put_value(struct page *page, uint32_t value)
{
    page_format(page, 1, PAGE_FLAG_LEAF);
    le32_put(page->data + VALUE_AT, value);
    le32_put(page->data + page->size - 8, value); /* far away: shows torn copies */
    page_set_dbtime(page, value);
}

static uint32_t
value_of(const uint8_t *data)
{
    uint32_t value = le32_get(data + VALUE_AT);
    assert_int_equal(value, le32_get(data + PAGE - 8));
    return value;
}

/* Logs and makes a change: page pgno gets value. Returns the record's position. */
static struct lgpos
write_value(struct fixture *fx, uint32_t pgno, uint32_t value, bool fresh)
{
    struct buf *buf;
    JET_ERR err =
        fresh ? cache_fix_new(fx->file, pgno, &buf) : cache_fix(fx->file, pgno, LATCH_WRITE, &buf);
    assert_int_equal(err, JET_errSuccess);
    struct lgpos pos = append_record(fx);
    put_value(buf->page, value);
    buf_dirty(buf, pos, pos);
    cache_unfix(buf);
    return pos;
}

static uint32_t
read_value(struct fixture *fx, uint32_t pgno)
{
    struct buf *buf;
    assert_int_equal(cache_fix(fx->file, pgno, LATCH_READ, &buf), JET_errSuccess);
    uint32_t value = value_of(buf->page->data);
    cache_unfix(buf);
    return value;
}

/* What lies in the file. */
static void
read_disk(struct fixture *fx, uint32_t pgno, uint8_t image[PAGE])
{
    assert_int_equal(
        os_file_read(dbfile_os_file(fx->file), ((uint64_t)pgno + 1) * PAGE, image, PAGE),
        JET_errSuccess);
}

static void
fill(struct fixture *fx, uint32_t n)
{
    for (uint32_t pgno = 1; pgno <= n; pgno++)
        write_value(fx, pgno, 1000 + pgno, true);
}

/* Another owner comes: everything in memory is gone. */
static void
reopen(struct fixture *fx)
{
    struct dbfile_spec spec = spec_of(fx);
    dbfile_close(fx->file);
    fx->file = NULL;
    assert_int_equal(dbfile_open(&spec, &fx->file), JET_errSuccess);
}

static void
test_fix_more_pages_than_frames_keeps_memory_bounded(void **state)
{
    struct fixture *fx = *state;
    struct cache_stats stats;
    fill(fx, PAGES);
    for (uint32_t pgno = 1; pgno <= PAGES; pgno++)
        assert_int_equal(read_value(fx, pgno), 1000 + pgno);
    cache_get_stats(fx->cache, &stats);
    assert_in_range(stats.frames, 1, FRAMES);
    assert_true(stats.evictions > 0);
    assert_int_equal(cache_flush(fx->file), JET_errSuccess);
    reopen(fx);
    for (uint32_t pgno = 1; pgno <= PAGES; pgno++)
        assert_int_equal(read_value(fx, pgno), 1000 + pgno);
}

static void
test_fix_bad_pages_names_the_error(void **state)
{
    struct fixture *fx = *state;
    struct buf *buf;
    struct cache_stats stats;
    fill(fx, 10);
    assert_int_equal(cache_flush(fx->file), JET_errSuccess);
    int fd = open(fx->path, O_RDWR);
    uint8_t byte;
    assert_int_equal(pread(fd, &byte, 1, 4 * PAGE + 500), 1); /* page 3: one bit */
    byte ^= 4;
    assert_int_equal(pwrite(fd, &byte, 1, 4 * PAGE + 500), 1);
    assert_int_equal(pwrite(fd, "rubbish", 7, 5 * PAGE + 500), 7); /* page 4 */
    close(fd);
    reopen(fx);
    assert_int_equal(read_value(fx, 3), 1003);
    assert_int_equal(cache_fix(fx->file, 4, LATCH_READ, &buf), JET_errReadVerifyFailure);
    assert_int_equal(cache_fix(fx->file, 4, LATCH_WRITE, &buf), JET_errReadVerifyFailure);
    assert_int_equal(cache_fix(fx->file, 20, LATCH_READ, &buf), JET_errPageNotInitialized);
    assert_int_equal(cache_fix(fx->file, 0, LATCH_READ, &buf), JET_errFileIOBeyondEOF);
    assert_int_equal(cache_fix(fx->file, PAGES + 1, LATCH_READ, &buf), JET_errFileIOBeyondEOF);
    cache_get_stats(fx->cache, &stats);
    assert_int_equal(stats.repaired, 1);
    assert_int_equal(stats.bad_pages, 3);
}

/* Written so by somebody: the checksum holds, but a tag points out of the page. */
static void
test_page_of_bad_tags_is_database_corrupted(void **state)
{
    struct fixture *fx = *state;
    uint8_t image[PAGE];
    struct buf *buf;
    fill(fx, 5);
    assert_int_equal(cache_flush(fx->file), JET_errSuccess);
    read_disk(fx, 4, image);
    le16_put(image + 34, 400);        /* tags */
    le16_put(image + PAGE - 2, 5000); /* where tag 0 is */
    page_stamp(image, PAGE, 4);
    assert_int_equal(os_file_write(dbfile_os_file(fx->file), 5 * (uint64_t)PAGE, image, PAGE),
                     JET_errSuccess);
    reopen(fx);
    assert_int_equal(cache_fix(fx->file, 4, LATCH_READ, &buf), JET_errDatabaseCorrupted);
    assert_int_equal(cache_fix(fx->file, 4, LATCH_WRITE, &buf), JET_errDatabaseCorrupted);
    assert_int_equal(read_value(fx, 5), 1005);
}

static void
test_fix_new_without_dirty_is_forgotten(void **state)
{
    struct fixture *fx = *state;
    struct buf *buf;
    fill(fx, 5);
    assert_int_equal(cache_flush(fx->file), JET_errSuccess);
    assert_int_equal(cache_fix_new(fx->file, 5, &buf), JET_errSuccess);
    cache_unfix(buf);
    assert_int_equal(read_value(fx, 5), 1005);
}

struct hook_state {
    struct fixture *fx;
    struct lgpos *newest; /* per page: record of its newest change */
    uint32_t calls, pages;
    bool late, unlogged;
    uint32_t expect_old; /* 0 = don't look */
    uint32_t rooms;
    bool has_room;
};

static JET_ERR
check_hook(void *ctx, struct dbfile *file, const uint32_t *pgnos, size_t n)
{
    struct hook_state *hs = ctx;
    uint8_t image[PAGE];
    hs->calls++;
    hs->pages += (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && pgnos[i] <= pgnos[i - 1])
            hs->late = true;
        if (hs->newest && lgpos_cmp(hs->newest[pgnos[i]], log_flush_tip(hs->fx->log)) >= 0)
            hs->unlogged = true;
        if (os_file_read(dbfile_os_file(file), ((uint64_t)pgnos[i] + 1) * PAGE, image, PAGE) < 0 ||
            (hs->expect_old && le32_get(image + VALUE_AT) != hs->expect_old + pgnos[i]))
            hs->late = true;
    }
    return JET_errSuccess;
}

static bool
count_room(void *ctx, struct dbfile *file)
{
    struct hook_state *hs = ctx;
    hs->rooms++;
    return hs->has_room;
}

static void
set_hook(struct fixture *fx, struct hook_state *hs)
{
    struct cache_hook hook = {.before_overwrite = check_hook, .make_room = count_room, .ctx = hs};
    cache_write_pause(fx->cache);
    cache_set_hook(fx->cache, hs ? &hook : NULL);
    cache_write_resume(fx->cache);
}

static void
test_write_happens_after_log_and_hook(void **state)
{
    struct fixture *fx = *state;
    struct lgpos newest[PAGES + 1] = {{0}};
    struct hook_state hs = {.fx = fx, .newest = newest, .expect_old = 1000};
    uint8_t image[PAGE];
    fill(fx, 40);
    assert_int_equal(cache_flush(fx->file), JET_errSuccess);
    set_hook(fx, &hs);
    for (uint32_t pgno = 1; pgno <= 40; pgno++)
        newest[pgno] = write_value(fx, pgno, 2000 + pgno, false);
    assert_int_equal(cache_flush(fx->file), JET_errSuccess);
    assert_int_equal(hs.pages, 40);
    assert_false(hs.late);
    assert_false(hs.unlogged);
    for (uint32_t pgno = 1; pgno <= 40; pgno++) {
        read_disk(fx, pgno, image);
        assert_int_equal(value_of(image), 2000 + pgno);
    }
    set_hook(fx, NULL);
    write_value(fx, 1, 1, false);
    assert_int_equal(cache_flush(fx->file), JET_errSuccess);
    assert_int_equal(hs.pages, 40);
}

static void
test_write_names_generation_in_header_first(void **state)
{
    struct fixture *fx = *state;
    int32_t closed;
    struct dbheader header;
    uint8_t image[PAGE];
    write_value(fx, 1, 1, true);
    for (int i = 0; i < 3; i++)
        assert_int_equal(log_roll(fx->log, &closed), JET_errSuccess);
    struct lgpos pos = write_value(fx, 2, 2, true);
    assert_true(pos.gen > closed);
    assert_int_equal(cache_flush(fx->file), JET_errSuccess);
    assert_int_equal(dbfile_max_required(fx->file), pos.gen);
    assert_int_equal(os_file_read(dbfile_os_file(fx->file), 0, image, PAGE), JET_errSuccess);
    assert_int_equal(dbheader_decode(image, PAGE, &header), JET_errSuccess);
    assert_int_equal(dbheader_u32(&header, DBH_GEN_MAX_REQUIRED), pos.gen);
    assert_int_equal(dbheader_u32(&header, DBH_GEN_MAX_COMMITTED), log_gen(fx->log));
    assert_true(dbheader_u64(&header, DBH_TIME_GEN_MAX_CREATE) != 0);
}

static void
test_oldest_begin0_covers_pages_until_synced(void **state)
{
    struct fixture *fx = *state;
    struct lgpos begin0 = append_record(fx);
    struct buf *buf;
    assert_int_equal(lgpos_cmp(cache_oldest_begin0(fx->file), LGPOS_MAX), 0);
    assert_int_equal(cache_fix_new(fx->file, 1, &buf), JET_errSuccess);
    struct lgpos modify = append_record(fx);
    put_value(buf->page, 1);
    buf_dirty(buf, modify, begin0);
    cache_unfix(buf);
    assert_int_equal(lgpos_cmp(cache_oldest_begin0(fx->file), begin0), 0);
    cache_advance(fx->cache, modify);
    struct cache_stats stats;
    gint64 deadline = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    do {
        cache_get_stats(fx->cache, &stats);
    } while (stats.dirty > 0 && g_get_monotonic_time() < deadline);
    assert_int_equal(stats.dirty, 0);
    assert_int_equal(lgpos_cmp(cache_oldest_begin0(fx->file), begin0), 0);
    assert_int_equal(dbfile_sync(fx->file), JET_errSuccess);
    assert_int_equal(lgpos_cmp(cache_oldest_begin0(fx->file), LGPOS_MAX), 0);
}

static void
test_pause_holds_all_writes(void **state)
{
    struct fixture *fx = *state;
    struct cache_stats before, after;
    cache_write_pause(fx->cache);
    fill(fx, 30); /* more than dirty_max */
    cache_get_stats(fx->cache, &before);
    g_usleep(20000); /* a chance to go wrong, not a wait for anything */
    cache_get_stats(fx->cache, &after);
    assert_int_equal(before.writes, after.writes);
    assert_int_equal(after.dirty, 30);
    cache_write_resume(fx->cache);
    assert_int_equal(cache_flush(fx->file), JET_errSuccess);
}

/* ---- many threads against a model ---- */

#define THREADS 4
#define ROUNDS  3000

struct worker {
    struct fixture *fx;
    uint32_t *model;
    uint32_t seed;
};

static void *
work(void *arg)
{
    struct worker *w = arg;
    for (int i = 0; i < ROUNDS; i++) {
        w->seed = w->seed * 1664525 + 1013904223;
        uint32_t pgno = 1 + (w->seed >> 8) % PAGES;
        struct buf *buf;
        bool write = (w->seed >> 4) % 3 == 0;
        JET_ERR err = cache_fix(w->fx->file, pgno, write ? LATCH_WRITE : LATCH_READ, &buf);
        g_assert(err >= 0);
        uint32_t value = le32_get(buf->page->data + VALUE_AT);
        g_assert(value == le32_get(buf->page->data + PAGE - 8));
        g_assert(value == w->model[pgno]); /* the latch guards the model, too */
        if (write) {
            struct lgpos pos = append_record(w->fx);
            put_value(buf->page, value + 1);
            w->model[pgno] = value + 1;
            buf_dirty(buf, pos, pos);
        }
        cache_unfix(buf);
        if (i % 500 == 0)
            g_assert(cache_flush(w->fx->file) >= 0);
    }
    return NULL;
}

static void
test_threads_agree_with_model(void **state)
{
    struct fixture *fx = *state;
    uint32_t model[PAGES + 1];
    pthread_t threads[THREADS];
    struct worker workers[THREADS];
    for (uint32_t pgno = 1; pgno <= PAGES; pgno++) {
        write_value(fx, pgno, 1, true);
        model[pgno] = 1;
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker) {.fx = fx, .model = model, .seed = i * 7919 + 1};
        pthread_create(&threads[i], NULL, work, &workers[i]);
    }
    for (int i = 0; i < 50; i++) {
        cache_write_pause(fx->cache);
        cache_write_resume(fx->cache);
        (void)cache_oldest_begin0(fx->file);
    }
    for (uint32_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(cache_flush(fx->file), JET_errSuccess);
    reopen(fx);
    for (uint32_t pgno = 1; pgno <= PAGES; pgno++)
        assert_int_equal(read_value(fx, pgno), model[pgno]);
}

/* ---- faults ---- */

/* The cache tells of its failure after those who wait for a write have their error. */
static void
assert_failures(struct fixture *fx, int expected)
{
    gint64 deadline = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    while (fx->failures < expected && g_get_monotonic_time() < deadline)
        g_thread_yield();
    assert_int_equal(fx->failures, expected);
}

static void
test_failed_write_keeps_pages_and_fails_cache(void **state)
{
    struct fixture *fx = *state;
    for (uint64_t nth = 1; nth < 40; nth++) {
        fill(fx, 20);
        assert_int_equal(cache_flush(fx->file), JET_errSuccess);
        for (uint32_t pgno = 1; pgno <= 20; pgno++)
            write_value(fx, pgno, 3000 + pgno, false);
        os_fault_arm(&(struct os_fault) {.calls = OS_CALL_WRITE | OS_CALL_SYNC,
                                         .nth = nth,
                                         .torn = true,
                                         .errnum = EIO,
                                         .path_part = "t.edb"});
        JET_ERR err = cache_flush(fx->file);
        bool struck = os_fault_count() >= nth;
        os_fault_arm(NULL);
        assert_int_equal(err, struck ? JET_errDiskIO : JET_errSuccess);
        assert_int_equal(cache_error(fx->cache), err);
        for (uint32_t pgno = 1; pgno <= 20; pgno++)
            assert_int_equal(read_value(fx, pgno), 3000 + pgno); /* still there */
        if (!struck) {
            assert_int_equal(lgpos_cmp(cache_oldest_begin0(fx->file), LGPOS_MAX), 0);
            assert_failures(fx, (int)nth - 1);
            return;
        }
        assert_int_equal(cache_flush(fx->file), JET_errDiskIO);
        assert_true(lgpos_cmp(cache_oldest_begin0(fx->file), LGPOS_MAX) < 0);
        dbfile_close(fx->file);
        cache_free(fx->cache);
        make_cache(fx);
        struct dbfile_spec spec = spec_of(fx);
        assert_int_equal(dbfile_open(&spec, &fx->file), JET_errSuccess);
    }
    fail_msg("the fault loop did not end");
}

static void
test_full_disk_asks_hook_for_room(void **state)
{
    struct fixture *fx = *state;
    struct hook_state hs = {.fx = fx, .has_room = true};
    fill(fx, 10);
    assert_int_equal(cache_flush(fx->file), JET_errSuccess);
    set_hook(fx, &hs);
    struct os_fault full = {
        .calls = OS_CALL_WRITE, .nth = 1, .errnum = ENOSPC, .path_part = "t.edb"};
    write_value(fx, 5, 50, false);
    os_fault_arm(&full);
    assert_int_equal(cache_flush(fx->file), JET_errSuccess);
    os_fault_arm(NULL);
    assert_int_equal(hs.rooms, 1);
    hs.has_room = false;
    write_value(fx, 5, 51, false);
    os_fault_arm(&full);
    assert_int_equal(cache_flush(fx->file), JET_errDiskFull);
    os_fault_arm(NULL);
    assert_int_equal(hs.rooms, 2);
    assert_int_equal(read_value(fx, 5), 51);
}

static void
test_full_cache_after_failure_gives_error(void **state)
{
    struct fixture *fx = *state;
    struct buf *buf;
    JET_ERR err = JET_errSuccess;
    os_fault_arm(&(struct os_fault) {
        .calls = OS_CALL_WRITE, .nth = 1, .persistent = true, .errnum = EIO, .path_part = "t.edb"});
    for (uint32_t pgno = 1; pgno <= PAGES && err >= 0; pgno++) {
        err = cache_fix_new(fx->file, pgno, &buf);
        if (err < 0)
            break;
        struct lgpos pos = append_record(fx);
        put_value(buf->page, pgno);
        buf_dirty(buf, pos, pos);
        cache_unfix(buf);
    }
    os_fault_arm(NULL);
    assert_int_equal(err, JET_errDiskIO);
    assert_failures(fx, 1);
}

static void
scratch(const char *path, off_t at)
{
    int fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, "rubbish", 7, at), 7);
    close(fd);
}

static void
test_header_copies_heal_each_other(void **state)
{
    struct fixture *fx = *state;
    struct dbfile_spec spec = spec_of(fx);
    uint8_t a[PAGE], b[PAGE];
    for (uint32_t slot = 0; slot < 2; slot++) {
        scratch(fx->path, (off_t)slot * PAGE + 60);
        reopen(fx);
        assert_int_equal(os_file_read(dbfile_os_file(fx->file), 0, a, PAGE), JET_errSuccess);
        assert_int_equal(os_file_read(dbfile_os_file(fx->file), PAGE, b, PAGE), JET_errSuccess);
        assert_memory_equal(a, b, PAGE);
    }
    dbfile_close(fx->file);
    fx->file = NULL;
    scratch(fx->path, 60);
    scratch(fx->path, PAGE + 60);
    assert_int_equal(dbfile_open(&spec, &fx->file), JET_errDatabaseCorrupted);
}

static void
raise_repair_count(struct dbheader *header, void *ctx)
{
    dbheader_set_u32(header, 240, *(uint32_t *)ctx);
}

static void
test_torn_header_write_leaves_one_good_copy(void **state)
{
    struct fixture *fx = *state;
    struct dbheader header;
    for (uint32_t nth = 1; nth < 20; nth++) {
        os_fault_arm(&(struct os_fault) {.calls = OS_CALL_WRITE | OS_CALL_SYNC,
                                         .nth = nth,
                                         .torn = true,
                                         .persistent = true,
                                         .errnum = EIO,
                                         .path_part = "t.edb"});
        JET_ERR err = dbfile_header_update(fx->file, raise_repair_count, &nth);
        bool struck = os_fault_count() >= nth;
        os_fault_arm(NULL);
        dbfile_close(fx->file);
        cache_free(fx->cache);
        make_cache(fx);
        struct dbfile_spec spec = spec_of(fx);
        assert_int_equal(dbfile_open(&spec, &fx->file), JET_errSuccess);
        dbfile_header(fx->file, &header);
        uint32_t value = dbheader_u32(&header, 240);
        assert_in_range(value, 0, nth);
        assert_int_equal(err, struck ? JET_errDiskIO : JET_errSuccess);
        if (!struck) {
            assert_int_equal(value, nth);
            return;
        }
    }
    fail_msg("the fault loop did not end");
}

static void
test_failed_create_leaves_no_file(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(create_db(fx), JET_errDatabaseDuplicate);
    for (uint64_t nth = 1; nth < 40; nth++) {
        dbfile_close(fx->file);
        fx->file = NULL;
        g_unlink(fx->path);
        os_fault_arm(&(struct os_fault) {
            .calls = OS_CALL_WRITE | OS_CALL_SYNC | OS_CALL_OPEN,
            .nth = nth,
            .errnum = ENOSPC,
            .path_part = "t.edb"}); /* not the log's, which is made ready meanwhile */
        JET_ERR err = create_db(fx);
        bool struck = os_fault_count() >= nth;
        os_fault_arm(NULL);
        assert_int_equal(err, struck ? JET_errDiskFull : JET_errSuccess);
        assert_int_equal(g_file_test(fx->path, G_FILE_TEST_EXISTS), !struck);
        if (!struck)
            return;
    }
    fail_msg("the fault loop did not end");
}

static void
test_second_owner_is_refused(void **state)
{
    struct fixture *fx = *state;
    struct dbfile_spec spec = spec_of(fx);
    struct dbfile *other;
    assert_int_equal(dbfile_open(&spec, &other), JET_errFileAccessDenied);
}

static void
test_extend_and_counters(void **state)
{
    struct fixture *fx = *state;
    struct dbheader header;
    assert_int_equal(dbfile_extend(fx->file, 10), JET_errSuccess);
    assert_int_equal(dbfile_pgno_last(fx->file), PAGES);
    assert_int_equal(dbfile_extend(fx->file, PAGES + 33), JET_errSuccess);
    write_value(fx, PAGES + 33, 9, true);
    assert_int_equal(dbfile_dbtime_next(fx->file), 0x41);
    dbfile_dbtime_raise(fx->file, 500);
    dbfile_dbtime_raise(fx->file, 400);
    assert_int_equal(dbfile_objid_next(fx->file), 1);
    assert_int_equal(cache_flush(fx->file), JET_errSuccess);
    assert_int_equal(dbfile_raise_gens(fx->file, 2, 2), JET_errSuccess);
    reopen(fx);
    assert_int_equal(dbfile_pgno_last(fx->file), PAGES + 33);
    assert_int_equal(read_value(fx, PAGES + 33), 9);
    assert_int_equal(dbfile_dbtime_last(fx->file), 500);
    dbfile_header(fx->file, &header);
    assert_int_equal(dbheader_u32(&header, DBH_GEN_MIN_REQUIRED), 2);
    assert_int_equal(dbheader_u32(&header, DBH_GEN_MAX_COMMITTED), 2);
    assert_int_equal(dbheader_u32(&header, DBH_OBJID_LAST), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_fix_more_pages_than_frames_keeps_memory_bounded),
        CASE(test_fix_bad_pages_names_the_error),
        CASE(test_page_of_bad_tags_is_database_corrupted),
        CASE(test_fix_new_without_dirty_is_forgotten),
        CASE(test_write_happens_after_log_and_hook),
        CASE(test_write_names_generation_in_header_first),
        CASE(test_oldest_begin0_covers_pages_until_synced),
        CASE(test_pause_holds_all_writes),
        CASE(test_threads_agree_with_model),
        CASE(test_failed_write_keeps_pages_and_fails_cache),
        CASE(test_full_disk_asks_hook_for_room),
        CASE(test_full_cache_after_failure_gives_error),
        CASE(test_header_copies_heal_each_other),
        CASE(test_torn_header_write_leaves_one_good_copy),
        CASE(test_failed_create_leaves_no_file),
        CASE(test_second_owner_is_refused),
        CASE(test_extend_and_counters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
