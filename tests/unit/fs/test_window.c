/* SPDX-License-Identifier: MIT */
#include "window.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib.h>
#include <string.h>

#define MIB         (1u << 20)
#define SIZE        (20 * MIB + 777)
#define DEADLINE_US (30 * G_USEC_PER_SEC)

/* A source whose byte at i is a function of i, and which counts what is asked of it. */
struct source {
    gint reads;
    gint bytes_kib;
    uint64_t bad; /* reads that touch this byte fail; UINT64_MAX for none */
};

static uint8_t
byte_at(uint64_t i)
{
    return (uint8_t)(i * 2654435761u >> 13 ^ i >> 20);
}

static JET_ERR
read_source(void *ctx, uint64_t off, void *buf, uint32_t len)
{
    struct source *source = ctx;

    assert_true(off + len <= SIZE);
    g_atomic_int_inc(&source->reads);
    g_atomic_int_add(&source->bytes_kib, (gint)(len >> 10));
    if (source->bad >= off && source->bad < off + len)
        return JET_errReadVerifyFailure;
    for (uint32_t i = 0; i < len; i++)
        ((uint8_t *)buf)[i] = byte_at(off + i);
    return JET_errSuccess;
}

struct fixture {
    struct source source;
    struct window_workers *workers;
    struct window *window;
};

static int
set_up(void **state)
{
    struct fixture *f = g_new0(struct fixture, 1);
    f->source.bad = UINT64_MAX;
    f->workers = window_workers_new(2);
    struct window_source source = {read_source, &f->source, SIZE};
    f->window = window_open(f->workers, &source);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    window_close(f->window);
    window_workers_free(f->workers);
    g_free(f);
    return 0;
}

static JET_ERR
check(struct fixture *f, uint64_t off, size_t len)
{
    struct window_answer answer;
    JET_ERR err = window_read(f->window, off, len, &answer);
    if (err < 0)
        return err;
    assert_int_equal(answer.bytes, off >= SIZE ? 0 : MIN(len, SIZE - off));
    for (int i = 0; i < answer.n_iov; i++) {
        const uint8_t *bytes = answer.iov[i].iov_base;
        for (size_t k = 0; k < answer.iov[i].iov_len; k++, off++) {
            if (bytes[k] != byte_at(off))
                fail_msg("wrong byte at %" G_GUINT64_FORMAT, off);
        }
    }
    window_release(f->window, &answer);
    return err;
}

static void
test_small_reads_in_order_read_the_source_once(void **state)
{
    struct fixture *f = *state;
    for (uint64_t off = 0; off < SIZE; off += 10240)
        assert_int_equal(check(f, off, 10240), 0);
    assert_int_equal(check(f, SIZE, 10240), 0);
    assert_int_equal(f->source.reads, 21);
}

static void
test_requests_overtaking_by_4_mib_read_the_source_once(void **state)
{
    struct fixture *f = *state;
    static const uint64_t order[] = {0,  1,  4,  2,  3,  8,  5,  6,  7,  10, 9,
                                     12, 11, 16, 13, 14, 15, 18, 17, 20, 19};
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
        assert_int_equal(check(f, order[i] * MIB, MIB), 0);
    assert_true(f->source.reads <= 25);
}

static void
test_random_reads_ask_for_just_their_range(void **state)
{
    struct fixture *f = *state;
    for (uint64_t i = 1; i < 50; i++)
        assert_int_equal(check(f, i % 2 ? 15 * MIB + i * 8192 : i * 8192, 8192), 0);
    assert_int_equal(f->source.bytes_kib, 49 * 8);
}

static void
test_odd_sizes_across_blocks_are_right(void **state)
{
    struct fixture *f = *state;
    for (uint64_t off = 0; off < SIZE; off += 999983)
        assert_int_equal(check(f, off, 999983), 0);
    assert_int_equal(check(f, MIB - 1, 2), 0);
    assert_int_equal(check(f, SIZE - 1, MIB), 0);
    assert_int_equal(check(f, SIZE + 1, MIB), 0);
}

static void
test_read_ahead_comes_before_it_is_asked_for(void **state)
{
    struct fixture *f = *state;
    gint64 deadline = g_get_monotonic_time() + DEADLINE_US;
    assert_int_equal(check(f, 0, MIB), 0);
    while (g_atomic_int_get(&f->source.reads) < 3) {
        assert_true(g_get_monotonic_time() < deadline);
        g_thread_yield();
    }
}

static void
test_bad_byte_fails_only_the_requests_that_touch_it(void **state)
{
    struct fixture *f = *state;
    f->source.bad = 5 * MIB + 100000;
    for (uint64_t off = 0; off < SIZE; off += 8192) {
        bool touches = f->source.bad >= off && f->source.bad < off + 8192;
        assert_int_equal(check(f, off, 8192), touches ? JET_errReadVerifyFailure : 0);
    }
}

static gpointer
read_all(gpointer data)
{
    for (uint64_t off = 0; off < SIZE; off += 65536)
        assert_int_equal(check(data, off, 65536), 0);
    return NULL;
}

static void
test_threads_sharing_a_window_are_right(void **state)
{
    GThread *threads[6];
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("reader", read_all, *state);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_small_reads_in_order_read_the_source_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_requests_overtaking_by_4_mib_read_the_source_once,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_random_reads_ask_for_just_their_range, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_odd_sizes_across_blocks_are_right, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_ahead_comes_before_it_is_asked_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_bad_byte_fails_only_the_requests_that_touch_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_threads_sharing_a_window_are_right, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
