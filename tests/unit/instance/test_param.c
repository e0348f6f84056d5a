/* SPDX-License-Identifier: MIT */
/* param: what each system parameter may be, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "esentx.h"
#include "instance/param.h"

static int
setup(void **state)
{
    *state = params_new();
    return 0;
}

static int
teardown(void **state)
{
    params_free(*state);
    return 0;
}

static void
test_defaults_are_the_documented_ones(void **state)
{
    struct params *p = *state;
    assert_int_equal(params_number(p, JET_paramDatabasePageSize), 4096);
    assert_int_equal(params_number(p, JET_paramLogFileSize), 5120);
    assert_int_equal(params_number(p, JET_paramMaxInstances), 16);
    assert_int_equal(params_number(p, JET_paramCircularLog), 0);
    assert_string_equal(params_text(p, JET_paramBaseName), "edb");
    assert_string_equal(params_text(p, JET_paramRecovery), "On");
}

static void
test_set_unknown_parameter_is_invalid(void **state)
{
    bool is_text;
    assert_int_equal(params_set(*state, 0x7777777, 1, NULL, false), JET_errInvalidParameter);
    assert_int_equal(params_is_text(0x7777777, &is_text), JET_errInvalidParameter);
}

static void
test_set_read_only_parameter_is_invalid(void **state)
{
    assert_int_equal(params_set(*state, JET_paramKeyMost, 100, NULL, false),
                     JET_errInvalidParameter);
}

static void
test_page_size_must_be_one_of_four(void **state)
{
    static const uintptr_t bad[] = {0, 1, 2048, 5000, 12288, 65536, UINTPTR_MAX};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_int_equal(params_set(*state, JET_paramDatabasePageSize, bad[i], NULL, false),
                         JET_errInvalidParameter);
    for (uintptr_t size = 4096; size <= 32768; size *= 2) {
        assert_int_equal(params_set(*state, JET_paramDatabasePageSize, size, NULL, false),
                         JET_errSuccess);
        assert_int_equal(params_number(*state, JET_paramDatabasePageSize), size);
    }
}

static void
test_failed_set_leaves_the_old_value(void **state)
{
    assert_true(params_set(*state, JET_paramLogFileSize, 1, NULL, false) < 0);
    assert_int_equal(params_number(*state, JET_paramLogFileSize), 5120);
    assert_true(params_set(*state, JET_paramBaseName, 0, "toolong", false) < 0);
    assert_string_equal(params_text(*state, JET_paramBaseName), "edb");
}

static void
test_base_name_has_three_characters_and_no_slash(void **state)
{
    static const char *const bad[] = {"", "ed", "edbx", "e/b", NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_int_equal(params_set(*state, JET_paramBaseName, 0, bad[i], false),
                         JET_errInvalidPath);
    assert_int_equal(params_set(*state, JET_paramBaseName, 0, "abc", false), JET_errSuccess);
}

static void
test_path_of_260_characters_is_invalid_path(void **state)
{
    g_autofree char *longest = g_strnfill(259, 'x'), *longer = g_strnfill(260, 'x');
    assert_int_equal(params_set(*state, JET_paramLogFilePath, 0, longer, false),
                     JET_errInvalidPath);
    assert_int_equal(params_set(*state, JET_paramLogFilePath, 0, longest, false), JET_errSuccess);
}

static void
test_text_that_is_no_utf8_is_invalid(void **state)
{
    assert_int_equal(params_set(*state, JET_paramEventSource, 0, "\xff\xfe", false),
                     JET_errInvalidParameter);
}

static void
test_recovery_is_on_or_off(void **state)
{
    assert_int_equal(params_set(*state, JET_paramRecovery, 0, "maybe", false),
                     JET_errInvalidParameter);
    assert_int_equal(params_set(*state, JET_paramRecovery, 0, "off", false), JET_errSuccess);
}

static void
test_parameter_that_shapes_files_is_fixed_after_init(void **state)
{
    assert_int_equal(params_set(*state, JET_paramLogFileSize, 512, NULL, true),
                     JET_errAlreadyInitialized);
    assert_int_equal(params_set(*state, JET_paramLogFilePath, 0, "/x", true),
                     JET_errAlreadyInitialized);
    assert_int_equal(params_set(*state, JET_paramCheckpointDepthMax, 1 << 20, NULL, true),
                     JET_errSuccess);
}

static void
test_copy_has_a_life_of_its_own(void **state)
{
    struct params *copy = params_copy(*state);
    assert_int_equal(params_set(*state, JET_paramBaseName, 0, "abc", false), JET_errSuccess);
    assert_string_equal(params_text(copy, JET_paramBaseName), "edb");
    params_free(copy);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_defaults_are_the_documented_ones),
        TEST(test_set_unknown_parameter_is_invalid),
        TEST(test_set_read_only_parameter_is_invalid),
        TEST(test_page_size_must_be_one_of_four),
        TEST(test_failed_set_leaves_the_old_value),
        TEST(test_base_name_has_three_characters_and_no_slash),
        TEST(test_path_of_260_characters_is_invalid_path),
        TEST(test_text_that_is_no_utf8_is_invalid),
        TEST(test_recovery_is_on_or_off),
        TEST(test_parameter_that_shapes_files_is_fixed_after_init),
        TEST(test_copy_has_a_life_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
