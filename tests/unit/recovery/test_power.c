/* SPDX-License-Identifier: MIT */
/*
 * power: writes that were not synced may be on the disk, or not, or half. Any mixture must recover:
 * pages of the database written since its last sync, and segments of the log's last flush.
 */
#include "crash.h"

#include "log/reader.h"
#include "log/segment.h"

#define ROUNDS 40

static char *
read_all(const char *dir, const char *name, gsize *len)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    char *data = NULL;
    assert_true(g_file_get_contents(path, &data, len, NULL));
    return data;
}

static void
write_all(const char *dir, const char *name, const char *data, gsize len)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    assert_true(g_file_set_contents(path, data, (gssize)len, NULL));
}

/* Has the writer write all that is dirty, without a sync. */
static void
write_without_sync(struct engine *e)
{
    gint64 deadline = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    struct cache_stats stats;
    do {
        cache_advance(e->cache, LGPOS_MAX);
        g_thread_yield();
        cache_get_stats(e->cache, &stats);
        assert_true(g_get_monotonic_time() < deadline);
    } while (stats.dirty > 0);
}

/* Each page of the database is as at the last sync or as now; both header copies are as now. */
static void
mix_pages(struct engine *e, const char *dir, const char *old, gsize old_len)
{
    gsize len;
    g_autofree char *now = read_all(dir, "app.edb", &len);
    for (gsize at = 2 * PAGE_BYTES; at + PAGE_BYTES <= len; at += PAGE_BYTES) {
        if (g_rand_int_range(e->rand, 0, 2) == 0)
            continue;
        if (at + PAGE_BYTES <= old_len)
            memcpy(now + at, old + at, PAGE_BYTES);
        else
            memset(now + at, 0, PAGE_BYTES);
    }
    write_all(dir, "app.edb", now, len);
}

static void
test_any_subset_of_unsynced_pages_recovers(void **state)
{
    for (uint32_t seed = 1; seed <= ROUNDS; seed++) {
        struct engine e;
        struct recovery_result result;
        engine_begin(&e, 1000 + seed);
        finish_database(&e);
        for (int k = g_rand_int_range(e.rand, 0, 600); k > 0; k--)
            step(&e);
        OK(cache_flush(e.file));
        engine_checkpoint(&e);
        gsize old_len;
        g_autofree char *old = read_all(e.dir, "app.edb", &old_len);
        for (int k = g_rand_int_range(e.rand, 1, 900); k > 0; k--)
            step(&e);
        OK(log_flush_all(e.log));
        write_without_sync(&e);
        for (int copy = 0; copy < 3; copy++) {
            g_autofree char *dir = copy_dir(e.dir, NULL);
            mix_pages(&e, dir, old, old_len);
            JET_ERR err = recover_dir(&e, dir, 0, &result);
            if (err < 0)
                print_message("seed %u copy %d in %s\n", seed, copy, dir);
            OK(err);
            check_dir(&e, dir, UINT64_MAX);
            remove_dir(dir);
        }
        engine_end(&e);
    }
}

/* First segment of the flush that the last valid segment belongs to. */
static uint16_t
last_flush(const char *log, uint16_t end)
{
    uint16_t first = (uint16_t)(end - 1);
    uint64_t time = segment_time((const uint8_t *)log + first * SEGMENT_BYTES);
    while (first > 1 && segment_time((const uint8_t *)log + (first - 1) * SEGMENT_BYTES) == time)
        first--;
    return first;
}

static void
lose(struct engine *e, uint8_t *segment)
{
    switch (g_rand_int_range(e->rand, 0, 3)) {
    case 0:
        memset(segment, 0, SEGMENT_BYTES);
        break;
    case 1: /* only its front half came through */
        memset(segment + SEGMENT_BYTES / 2, 0, SEGMENT_BYTES / 2);
        break;
    default:
        for (int i = 512; i < SEGMENT_BYTES; i++)
            segment[i] = (uint8_t)(i * i >> 3 ^ 0xa5);
    }
}

static void
test_any_subset_of_the_last_flush_recovers(void **state)
{
    int damaged = 0;
    for (uint32_t seed = 1; seed <= ROUNDS; seed++) {
        struct engine e;
        struct recovery_result result;
        engine_begin(&e, 2000 + seed);
        finish_database(&e);
        OK(log_flush_all(e.log));
        cache_write_pause(e.cache);
        for (int k = g_rand_int_range(e.rand, 20, 400); k > 0; k--)
            step(&e);
        OK(log_flush_all(e.log));
        g_autofree char *dir = copy_dir(e.dir, NULL);
        cache_write_resume(e.cache);
        gsize len;
        g_autofree char *log = read_all(dir, "edb.log", &len);
        struct log_reader *r;
        struct log_reader_opts opts = {.last = true};
        OK(log_reader_open_bytes(log, len, &opts, &r));
        uint16_t end = log_reader_scan(r)->end_isec;
        int32_t gen = log_reader_header(r)->gen;
        log_reader_close(r);
        uint64_t keep = UINT64_MAX;
        for (uint16_t isec = last_flush(log, end); isec < end && end > 1; isec++) {
            if (g_rand_int_range(e.rand, 0, 2) == 0)
                continue;
            lose(&e, (uint8_t *)log + isec * SEGMENT_BYTES);
            if (keep == UINT64_MAX)
                keep = (uint64_t)(uint32_t)gen << 32 | (uint64_t)isec << 16;
            damaged++;
        }
        write_all(dir, "edb.log", log, len);
        OK(recover_dir(&e, dir, 0, &result));
        check_dir(&e, dir, keep);
        OK(recover_dir(&e, dir, 0, &result));
        assert_false(result.recovered);
        remove_dir(dir);
        engine_end(&e);
    }
    print_message("%d segments lost\n", damaged);
    assert_true(damaged > 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_subset_of_the_last_flush_recovers),
        cmocka_unit_test(test_any_subset_of_unsynced_pages_recovers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
