/* SPDX-License-Identifier: MIT */
/* dir: names, paths, and who owns a directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "os/fault.h"
#include "os/file.h"

static char *dir;

static char *
at(const char *name)
{
    return g_build_filename(dir, name, NULL);
}

static void
put(const char *name, const char *text)
{
    g_autofree char *path = at(name);
    assert_true(g_file_set_contents(path, text, -1, NULL));
}

static int
setup(void **state)
{
    g_autofree char *made = g_dir_make_tmp("jet-dir-XXXXXX", NULL);
    return made && os_path_full(made, &dir) == JET_errSuccess ? 0 : -1;
}

static int
teardown(void **state)
{
    os_fault_arm(NULL);
    g_auto(GStrv) names = NULL;
    if (os_dir_list(dir, &names) < 0)
        return -1;
    for (char **name = names; *name; name++) {
        g_autofree char *path = at(*name);
        if (g_remove(path) < 0)
            return -1;
    }
    g_rmdir(dir);
    g_clear_pointer(&dir, g_free);
    return 0;
}

static void
test_list_is_sorted_and_without_dots(void **state)
{
    put("b", "");
    put("a", "");
    put(".c", "");
    g_auto(GStrv) names = NULL;
    assert_int_equal(os_dir_list(dir, &names), JET_errSuccess);
    assert_int_equal(g_strv_length(names), 3);
    assert_string_equal(names[0], ".c");
    assert_string_equal(names[1], "a");
    assert_string_equal(names[2], "b");
}

static void
test_list_of_what_is_no_directory_fails(void **state)
{
    put("f", "");
    g_autofree char *file = at("f"), *nothing = at("nothing");
    char **names = NULL;
    assert_int_equal(os_dir_list(file, &names), JET_errInvalidPath);
    assert_int_equal(os_dir_list(nothing, &names), JET_errFileNotFound);
    assert_null(names);
}

static void
test_rename_replaces_the_target(void **state)
{
    put("from", "new");
    put("to", "older");
    g_autofree char *from = at("from"), *to = at("to");
    uint64_t size = 0;
    assert_int_equal(os_rename(from, to), JET_errSuccess);
    assert_false(os_exists(from));
    assert_int_equal(os_file_size_at(to, &size), JET_errSuccess);
    assert_int_equal(size, 3);
}

static void
test_rename_and_remove_of_nothing_are_file_not_found(void **state)
{
    g_autofree char *from = at("from"), *to = at("to");
    uint64_t size = 7;
    assert_int_equal(os_rename(from, to), JET_errFileNotFound);
    assert_int_equal(os_remove(from), JET_errFileNotFound);
    assert_int_equal(os_file_size_at(from, &size), JET_errFileNotFound);
    assert_int_equal(size, 7);
}

static void
test_make_of_a_directory_that_is_there_is_fine(void **state)
{
    g_autofree char *sub = at("sub"), *deep = at("sub/deep");
    assert_int_equal(os_dir_make(deep), JET_errSuccess);
    assert_int_equal(os_dir_make(deep), JET_errSuccess);
    assert_true(os_is_dir(deep));
    assert_int_equal(os_dir_sync(sub), JET_errSuccess);
    g_rmdir(deep);
}

static void
test_make_below_a_file_is_invalid_path(void **state)
{
    put("f", "");
    g_autofree char *below = at("f/sub");
    assert_int_equal(os_dir_make(below), JET_errInvalidPath);
}

static void
test_sync_of_nothing_is_file_not_found(void **state)
{
    g_autofree char *nothing = at("nothing");
    assert_int_equal(os_dir_sync(nothing), JET_errFileNotFound);
}

static void
assert_full(const char *path, const char *want)
{
    g_autofree char *full = NULL;
    assert_int_equal(os_path_full(path, &full), JET_errSuccess);
    assert_string_equal(full, want);
}

static void
test_full_path_is_plain_and_absolute(void **state)
{
    g_autofree char *want = at("x.edb");
    g_autofree char *odd = g_strdup_printf("%s//./../%s/x.edb", dir, strrchr(dir, '/') + 1);
    assert_full(odd, want);
    assert_full(want, want);
    assert_full("/", "/");
    assert_full("/x", "/x");
}

static void
test_full_path_resolves_links_of_its_directory(void **state)
{
    g_autofree char *link = at("link"), *via = at("link/x.edb"), *want = at("x.edb");
    assert_int_equal(symlink(dir, link), 0);
    assert_full(via, want);
}

static void
test_full_path_without_directory_is_invalid_path(void **state)
{
    g_autofree char *bad = at("nothing/x.edb");
    char *full = NULL;
    assert_int_equal(os_path_full(bad, &full), JET_errInvalidPath);
    assert_int_equal(os_path_full("", &full), JET_errInvalidPath);
    assert_int_equal(os_path_full(NULL, &full), JET_errInvalidPath);
    assert_null(full);
}

static void
test_second_lock_of_a_directory_is_access_denied(void **state)
{
    struct os_file *first = NULL, *second = NULL;
    assert_int_equal(os_dir_lock(dir, &first), JET_errSuccess);
    assert_int_equal(os_dir_lock(dir, &second), JET_errFileAccessDenied);
    assert_null(second);
    os_file_close(first);
    assert_int_equal(os_dir_lock(dir, &second), JET_errSuccess);
    os_file_close(second);
}

static void
test_exists_sees_a_dangling_link(void **state)
{
    g_autofree char *link = at("link");
    assert_int_equal(symlink("/nonexistent/x", link), 0);
    assert_true(os_exists(link));
    assert_false(os_is_dir(link));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_list_is_sorted_and_without_dots),
        TEST(test_list_of_what_is_no_directory_fails),
        TEST(test_rename_replaces_the_target),
        TEST(test_rename_and_remove_of_nothing_are_file_not_found),
        TEST(test_make_of_a_directory_that_is_there_is_fine),
        TEST(test_make_below_a_file_is_invalid_path),
        TEST(test_sync_of_nothing_is_file_not_found),
        TEST(test_full_path_is_plain_and_absolute),
        TEST(test_full_path_resolves_links_of_its_directory),
        TEST(test_full_path_without_directory_is_invalid_path),
        TEST(test_second_lock_of_a_directory_is_access_denied),
        TEST(test_exists_sees_a_dangling_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
