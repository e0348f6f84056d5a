/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/histogram.h"

static struct histogram_counts
counts_of(const struct histogram *h)
{
    struct histogram_counts counts;
    histogram_read(h, &counts);
    return counts;
}

static void
test_nothing_counted_is_0(void **state)
{
    static struct histogram h;
    struct histogram_counts counts = counts_of(&h);
    assert_int_equal(histogram_total(&counts), 0);
    assert_int_equal(histogram_quantile_us(&counts, 990), 0);
}

static void
test_each_value_is_at_most_a_quarter_high(void **state)
{
    for (uint64_t us = 0; us < UINT64_C(1) << 32; us = us < 16 ? us + 1 : us + us / 9) {
        struct histogram h = {0};
        histogram_add(&h, us);
        struct histogram_counts counts = counts_of(&h);
        uint64_t q = histogram_quantile_us(&counts, 500);
        assert_true(q >= us && q - us <= us / 4);
    }
}

static void
test_the_longest_time_is_counted(void **state)
{
    static struct histogram h;
    histogram_add(&h, UINT64_MAX);
    struct histogram_counts counts = counts_of(&h);
    assert_int_equal(histogram_total(&counts), 1);
    assert_true(histogram_quantile_us(&counts, 990) > UINT32_MAX);
}

static void
test_p99_leaves_one_in_a_hundred(void **state)
{
    static struct histogram h;
    for (int i = 0; i < 980; i++)
        histogram_add(&h, 100);
    for (int i = 0; i < 20; i++)
        histogram_add(&h, 10000);
    struct histogram_counts counts = counts_of(&h);
    assert_in_range(histogram_quantile_us(&counts, 500), 100, 125);
    assert_in_range(histogram_quantile_us(&counts, 980), 100, 125);
    assert_in_range(histogram_quantile_us(&counts, 990), 10000, 12500);
}

static void
test_difference_is_what_came_between(void **state)
{
    static struct histogram h;
    histogram_add(&h, 5);
    struct histogram_counts before = counts_of(&h);
    histogram_add(&h, 4000);
    struct histogram_counts after = counts_of(&h);
    histogram_subtract(&after, &before);
    assert_int_equal(histogram_total(&after), 1);
    assert_in_range(histogram_quantile_us(&after, 10), 4000, 5000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_counted_is_0),
        cmocka_unit_test(test_each_value_is_at_most_a_quarter_high),
        cmocka_unit_test(test_the_longest_time_is_counted),
        cmocka_unit_test(test_p99_leaves_one_in_a_hundred),
        cmocka_unit_test(test_difference_is_what_came_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
