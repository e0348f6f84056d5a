/* SPDX-License-Identifier: MIT */
#include "served.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib.h>
#include <string.h>

static void
test_empty_file_is_complete_at_once(void **state)
{
    struct served *s = served_new(0);
    assert_true(served_complete(s));
    served_add(s, 0, 10);
    assert_int_equal(served_bytes(s), 0);
    served_free(s);
}

static void
test_repeats_and_overlaps_count_once(void **state)
{
    struct served *s = served_new(100);
    served_add(s, 10, 20);
    served_add(s, 10, 20);
    served_add(s, 20, 20);
    served_add(s, 0, 5);
    assert_int_equal(served_bytes(s), 35);
    assert_int_equal(served_first_gap(s), 5);
    served_add(s, 5, 5);
    assert_int_equal(served_first_gap(s), 40);
    served_free(s);
}

static void
test_one_missing_byte_is_incomplete(void **state)
{
    struct served *s = served_new(100);
    served_add(s, 0, 50);
    served_add(s, 51, 49);
    assert_false(served_complete(s));
    served_add(s, 50, 1);
    assert_true(served_complete(s));
    served_free(s);
}

static void
test_what_lies_beyond_the_end_is_ignored(void **state)
{
    struct served *s = served_new(100);
    served_add(s, 90, UINT64_MAX - 90);
    served_add(s, 100, 1);
    served_add(s, UINT64_MAX, 1);
    assert_int_equal(served_bytes(s), 10);
    served_free(s);
}

static void
test_random_ranges_equal_a_map_of_bytes(void **state)
{
    uint8_t map[500] = {0};
    struct served *s = served_new(sizeof map);
    GRand *rand = g_rand_new_with_seed(1);

    while (!served_complete(s)) {
        uint32_t off = g_rand_int_range(rand, 0, sizeof map);
        uint32_t len = g_rand_int_range(rand, 0, 20);
        served_add(s, off, len);
        memset(map + off, 1, MIN(len, sizeof map - off));
        uint64_t bytes = 0;
        for (size_t i = 0; i < sizeof map; i++)
            bytes += map[i];
        assert_int_equal(served_bytes(s), bytes);
    }
    g_rand_free(rand);
    served_free(s);
}

static void
test_cover_tells_none_part_all(void **state)
{
    struct served *s = served_new(100);
    uint8_t cover[4];
    served_add(s, 5, 10);  /* part of the first */
    served_add(s, 20, 10); /* the second, in two pieces */
    served_add(s, 30, 10);
    served_add(s, 62, 1);
    served_add(s, 60, 1);
    served_cover(s, 0, 20, 70, 4, cover);
    assert_int_equal(cover[0], COVER_PART);
    assert_int_equal(cover[1], COVER_ALL);
    assert_int_equal(cover[2], COVER_NONE);
    assert_int_equal(cover[3], COVER_PART);
    served_add(s, 61, 9);
    served_cover(s, 0, 20, 70, 4, cover);
    assert_int_equal(cover[3], COVER_ALL); /* cut at 70 */
    served_free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_file_is_complete_at_once),
        cmocka_unit_test(test_repeats_and_overlaps_count_once),
        cmocka_unit_test(test_one_missing_byte_is_incomplete),
        cmocka_unit_test(test_what_lies_beyond_the_end_is_ignored),
        cmocka_unit_test(test_cover_tells_none_part_all),
        cmocka_unit_test(test_random_ranges_equal_a_map_of_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
