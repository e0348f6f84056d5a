/* SPDX-License-Identifier: MIT */
#include "exit.h"
#include "options.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <glib.h>

static void
test_words_of_mount_are_accepted(void **state)
{
    struct mount_options options = {0};
    char *message = NULL;
    assert_true(options_parse("rw,nosuid,_netdev,x-systemd.automount,,nofail", &options, &message));
    assert_int_equal(options.cache, CACHE_WINDOW);
}

static void
test_our_words_are_understood(void **state)
{
    struct mount_options options = {0};
    char *message = NULL;
    assert_true(
        options_parse("cache=page,recovered,allow_other,status=/a,status=/b", &options, &message));
    assert_int_equal(options.cache, CACHE_PAGE);
    assert_true(options.allow_other);
    assert_int_equal(options.mode, MODE_RECOVERED);
    assert_string_equal(options.status_path, "/b");
    assert_string_equal(options_cache_name(options.cache), "page");
    options_clear(&options);
    assert_null(options.status_path);
}

static void
test_limits_have_units(void **state)
{
    struct mount_options options = {0};
    char *message = NULL;
    assert_true(
        options_parse("max_age=90,idle=30m,preimage=10G,pinned_log=20%", &options, &message));
    assert_true(options.limits.secMaxAge == 90 && options.limits.secIdle == 1800);
    assert_true(options.limits.cbPreimage == UINT64_C(10) << 30);
    assert_int_equal(options.limits.pctPinnedLog, 20);
    assert_int_equal(options.limits.pctPreimage, 0);
    assert_true(
        options_parse("max_age=2d,idle=1h,pinned_log=512K,preimage=3T", &options, &message));
    assert_true(options.limits.secMaxAge == 172800 && options.limits.secIdle == 3600);
    assert_true(options.limits.cbPinnedLog == 512 * 1024 && options.limits.cbPreimage == UINT64_C(3)
                                                                                             << 40);
}

static void
test_wrong_words_are_named(void **state)
{
    static const char *const wrong[] = {
        "cache=fast",    "cache",        "status=relative", "ro=1",         "windows",
        "max_age=",      "max_age=1w",   "idle=0",          "idle=m",       "idle=1mm",
        "preimage=101%", "preimage=1%%", "preimage=5B",     "pinned_log=-1"};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        struct mount_options options = {0};
        g_autofree char *message = NULL;
        assert_false(options_parse(wrong[i], &options, &message));
        assert_non_null(g_strrstr(message, wrong[i]));
    }
}

static void
test_every_exit_code_has_its_own_name(void **state)
{
    for (int a = EXIT_COMPLETE; a <= EXIT_RUNNING; a++) {
        for (int b = a + 1; b <= EXIT_RUNNING; b++)
            assert_string_not_equal(exit_name((enum jetfs_exit)a), exit_name((enum jetfs_exit)b));
    }
}

static void
test_every_error_has_an_errno(void **state)
{
    for (JET_ERR err = -3000; err < 0; err++)
        assert_true(exit_errno(err) > 0);
    assert_int_equal(exit_errno(JET_errReadVerifyFailure), EIO);
    assert_true(exit_is_corruption(JET_errReadVerifyFailure));
    assert_false(exit_is_corruption(JET_errBackupAbortByServer));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_of_mount_are_accepted),
        cmocka_unit_test(test_our_words_are_understood),
        cmocka_unit_test(test_limits_have_units),
        cmocka_unit_test(test_wrong_words_are_named),
        cmocka_unit_test(test_every_exit_code_has_its_own_name),
        cmocka_unit_test(test_every_error_has_an_errno),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
