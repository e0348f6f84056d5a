/* SPDX-License-Identifier: MIT */
/* handle: only what was given out and not dropped is found, and only as what it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>

#include "instance/handle.h"

static void
test_handle_is_found_until_dropped(void **state)
{
    int object;
    uintptr_t h = handle_new(HANDLE_SESSION, &object);
    assert_int_not_equal(h, 0);
    assert_ptr_equal(handle_get(HANDLE_SESSION, h), &object);
    handle_drop(HANDLE_SESSION, h);
    assert_null(handle_get(HANDLE_SESSION, h));
}

static void
test_handle_of_another_kind_is_not_found(void **state)
{
    int object;
    uintptr_t h = handle_new(HANDLE_SESSION, &object);
    assert_null(handle_get(HANDLE_INSTANCE, h));
    handle_drop(HANDLE_SESSION, h);
}

static void
test_stale_handle_does_not_find_the_next_object_of_its_slot(void **state)
{
    int first, second;
    uintptr_t old = handle_new(HANDLE_SESSION, &first);
    handle_drop(HANDLE_SESSION, old);
    uintptr_t h = handle_new(HANDLE_SESSION, &second);
    assert_int_not_equal(h, old);
    assert_null(handle_get(HANDLE_SESSION, old));
    assert_ptr_equal(handle_get(HANDLE_SESSION, h), &second);
    handle_drop(HANDLE_SESSION, h);
}

static void
test_numbers_that_never_were_handles_are_not_found(void **state)
{
    GRand *rand = g_rand_new_with_seed(3);
    static const uintptr_t edges[] = {
        0, 1, UINT32_MAX, UINTPTR_MAX, UINTPTR_MAX - 1, (uintptr_t)1 << 32, (uintptr_t)1 << 63};
    for (size_t i = 0; i < G_N_ELEMENTS(edges); i++)
        assert_null(handle_get(HANDLE_SESSION, edges[i]));
    for (int i = 0; i < 100000; i++)
        assert_null(
            handle_get(HANDLE_SESSION, (uintptr_t)g_rand_int(rand) << 32 | g_rand_int(rand)));
    g_rand_free(rand);
}

static void
test_handles_fit_32_bits_and_are_no_nil(void **state)
{
    int object;
    for (int i = 0; i < 5000; i++) { /* more than a slot has use counts */
        uintptr_t h = handle_new(HANDLE_SESSION, &object);
        assert_true(h > 0 && h < UINT32_MAX);
        handle_drop(HANDLE_SESSION, h);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_that_never_were_handles_are_not_found),
        cmocka_unit_test(test_handle_is_found_until_dropped),
        cmocka_unit_test(test_handle_of_another_kind_is_not_found),
        cmocka_unit_test(test_stale_handle_does_not_find_the_next_object_of_its_slot),
        cmocka_unit_test(test_handles_fit_32_bits_and_are_no_nil),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
