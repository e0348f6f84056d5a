/* SPDX-License-Identifier: MIT */
/* The decisions of backup/limits.h; time is a number here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backup/limits.h"

#define START 5000

static struct limits
make(uint64_t age, uint64_t idle, uint64_t preimage, uint64_t pinned)
{
    struct limits limits;
    limits_init(&limits, (const uint64_t[LIMITS]) {age, idle, preimage, pinned}, START);
    return limits;
}

static struct limit_verdict
at(struct limits *limits, int64_t now, int64_t read)
{
    return limits_check(limits, START + now, START + read, 0, 0);
}

static void
assert_warns(const struct limit_verdict *v, enum limit_kind kind, uint32_t percent)
{
    assert_int_equal(v->n_warnings, 1);
    assert_int_equal(v->warnings[0].kind, kind);
    assert_int_equal(v->warnings[0].percent, percent);
    assert_false(v->ends);
}

static void
assert_silent(const struct limit_verdict *v)
{
    assert_int_equal(v->n_warnings, 0);
    assert_false(v->ends);
}

static void
test_age_warns_once_for_each_threshold_then_ends(void **state)
{
    struct limits l = make(1000, 0, 0, 0);
    struct limit_verdict v = at(&l, 499, 0);
    assert_silent(&v);
    v = at(&l, 500, 0);
    assert_warns(&v, LIMIT_AGE, 50);
    v = at(&l, 799, 0);
    assert_silent(&v);
    v = at(&l, 801, 0);
    assert_warns(&v, LIMIT_AGE, 80);
    v = at(&l, 950, 0);
    assert_warns(&v, LIMIT_AGE, 95);
    v = at(&l, 999, 0);
    assert_silent(&v);
    v = at(&l, 1000, 0);
    assert_true(v.ends);
    assert_int_equal(l.over, LIMIT_AGE);
    v = at(&l, 2000, 0);
    assert_silent(&v);
}

static void
test_passing_several_thresholds_warns_of_the_highest(void **state)
{
    struct limits l = make(1000, 0, 0, 0);
    struct limit_verdict v = at(&l, 960, 0);
    assert_warns(&v, LIMIT_AGE, 95);
}

static void
test_a_read_puts_off_idle_and_warns_no_second_time(void **state)
{
    struct limits l = make(0, 100, 0, 0);
    struct limit_verdict v = at(&l, 60, 0);
    assert_warns(&v, LIMIT_IDLE, 50);
    v = at(&l, 120, 59);
    assert_silent(&v);
    v = at(&l, 159, 59);
    assert_true(v.ends);
    assert_int_equal(l.over, LIMIT_IDLE);
}

static void
test_bytes_may_be_used_to_the_last(void **state)
{
    struct limits l = make(0, 0, 100, 200);
    struct limit_verdict v = limits_check(&l, START, START, 100, 0);
    assert_warns(&v, LIMIT_PREIMAGE, 95);
    v = limits_check(&l, START, START, 100, 200);
    assert_warns(&v, LIMIT_PINNED_LOG, 95);
    v = limits_check(&l, START, START, 100, 201);
    assert_true(v.ends);
    assert_int_equal(l.over, LIMIT_PINNED_LOG);
}

static void
test_no_limit_never_speaks(void **state)
{
    struct limits l = make(0, 0, 0, 0);
    struct limit_verdict v = limits_check(&l, INT64_MAX, START, UINT64_MAX, UINT64_MAX);
    assert_silent(&v);
    assert_true(limits_next_us(&l, START) == INT64_MAX);
    assert_false(limits_is_due(&l, LIMIT_PREIMAGE, UINT64_MAX));
}

static void
test_limits_only_get_tighter(void **state)
{
    struct limits l = make(1000, 0, 100, 0);
    limits_tighten(&l, (const uint64_t[LIMITS]) {2000, 50, 0, 7});
    assert_int_equal(l.of[LIMIT_AGE].max, 1000);
    assert_int_equal(l.of[LIMIT_IDLE].max, 50);
    assert_int_equal(l.of[LIMIT_PREIMAGE].max, 100);
    assert_int_equal(l.of[LIMIT_PINNED_LOG].max, 7);
}

static void
test_next_look_is_the_nearest_threshold(void **state)
{
    struct limits l = make(1000, 400, 0, 0);
    assert_int_equal(limits_next_us(&l, START), START + 200);
    (void)at(&l, 200, 0);
    assert_int_equal(limits_next_us(&l, START), START + 320);
    assert_int_equal(limits_next_us(&l, START + 190), START + 500);
    (void)at(&l, 1000, 1000);
    assert_true(limits_next_us(&l, START) == INT64_MAX);
}

static void
test_what_ended_it_stays(void **state)
{
    struct limits l = make(1000, 0, 100, 0);
    assert_true(limits_is_due(&l, LIMIT_PREIMAGE, 50));
    assert_true(limits_exceed(&l, LIMIT_PREIMAGE));
    assert_false(limits_exceed(&l, LIMIT_AGE));
    assert_int_equal(l.over, LIMIT_PREIMAGE);
    assert_false(limits_is_due(&l, LIMIT_PREIMAGE, 50));
}

static void
test_huge_and_tiny_limits_do_not_overflow(void **state)
{
    struct limits l = make(UINT64_MAX, 1, UINT64_MAX, 1);
    struct limit_verdict v = limits_check(&l, START, START, UINT64_MAX / 2 + 10, 1);
    assert_int_equal(v.n_warnings, 2);
    assert_int_equal(v.warnings[0].percent, 50);
    assert_int_equal(v.warnings[1].percent, 95);
    assert_int_equal(limits_next_us(&l, START), START + 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_age_warns_once_for_each_threshold_then_ends),
        cmocka_unit_test(test_passing_several_thresholds_warns_of_the_highest),
        cmocka_unit_test(test_a_read_puts_off_idle_and_warns_no_second_time),
        cmocka_unit_test(test_bytes_may_be_used_to_the_last),
        cmocka_unit_test(test_no_limit_never_speaks),
        cmocka_unit_test(test_limits_only_get_tighter),
        cmocka_unit_test(test_next_look_is_the_nearest_threshold),
        cmocka_unit_test(test_what_ended_it_stays),
        cmocka_unit_test(test_huge_and_tiny_limits_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
