/* SPDX-License-Identifier: MIT */
/* fault: every class of call can be failed, once or for good, and what a failure leaves is known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>

#include "os/fault.h"
#include "os/file.h"

static char *dir, *path, *path2;
static struct os_file *file;

static int
setup(void **state)
{
    dir = g_dir_make_tmp("jet-fault-XXXXXX", NULL);
    path = g_build_filename(dir, "f", NULL);
    path2 = g_build_filename(dir, "g", NULL);
    return os_file_create(path, &file) == JET_errSuccess ? 0 : -1;
}

static int
teardown(void **state)
{
    os_fault_arm(NULL);
    os_file_close(file);
    g_unlink(path);
    g_unlink(path2);
    g_rmdir(dir);
    g_free(dir);
    g_free(path);
    g_free(path2);
    return 0;
}

static void
arm(uint32_t calls, uint64_t nth, bool persistent, int errnum)
{
    os_fault_arm(&(struct os_fault) {calls, nth, persistent, false, errnum, NULL});
}

static void
test_disarmed_calls_are_not_counted(void **state)
{
    arm(OS_CALL_ANY, 100, false, EIO);
    os_fault_arm(NULL);
    assert_int_equal(os_file_write(file, 0, "x", 1), JET_errSuccess);
    assert_int_equal(os_fault_count(), 0);
}

static void
test_transient_fault_strikes_the_nth_call_only(void **state)
{
    arm(OS_CALL_WRITE, 2, false, ENOSPC);
    assert_int_equal(os_file_write(file, 0, "x", 1), JET_errSuccess);
    assert_int_equal(os_file_write(file, 0, "x", 1), JET_errDiskFull);
    assert_int_equal(os_file_write(file, 0, "x", 1), JET_errSuccess);
    assert_int_equal(os_fault_count(), 3);
}

static void
test_persistent_fault_strikes_from_the_nth_call_on(void **state)
{
    arm(OS_CALL_SYNC, 2, true, EIO);
    assert_int_equal(os_file_sync(file), JET_errSuccess);
    assert_int_equal(os_file_sync(file), JET_errDiskIO);
    assert_int_equal(os_file_sync(file), JET_errDiskIO);
}

static void
test_fault_of_another_path_does_not_strike(void **state)
{
    os_fault_arm(&(struct os_fault) {OS_CALL_WRITE, 1, true, false, EIO, "/g"});
    assert_int_equal(os_file_write(file, 0, "x", 1), JET_errSuccess);
    assert_int_equal(os_fault_count(), 0);
}

static void
test_failed_write_leaves_the_file_as_it_was(void **state)
{
    uint64_t size = 9;
    arm(OS_CALL_WRITE, 1, false, EIO);
    assert_int_equal(os_file_write(file, 0, "abcd", 4), JET_errDiskIO);
    assert_int_equal(os_file_size(file, &size), JET_errSuccess);
    assert_int_equal(size, 0);
}

static void
test_torn_write_leaves_the_front_half(void **state)
{
    char back[4];
    size_t got = 0;
    os_fault_arm(&(struct os_fault) {OS_CALL_WRITE, 1, false, true, EIO, NULL});
    assert_int_equal(os_file_write(file, 0, "abcd", 4), JET_errDiskIO);
    assert_int_equal(os_file_read_some(file, 0, back, 4, &got), JET_errSuccess);
    assert_int_equal(got, 2);
    assert_memory_equal(back, "ab", 2);
}

static void
test_torn_writev_leaves_half_of_its_first_part(void **state)
{
    char a[] = "abcd", b[] = "efgh";
    const struct iovec iov[] = {{a, 4}, {b, 4}};
    uint64_t size = 0;
    os_fault_arm(&(struct os_fault) {OS_CALL_WRITE, 1, false, true, EIO, NULL});
    assert_int_equal(os_file_writev(file, 0, iov, 2), JET_errDiskIO);
    assert_int_equal(os_file_size(file, &size), JET_errSuccess);
    assert_int_equal(size, 2);
}

/* Each call of the class is one that the caller can see fail. */
static JET_ERR
everything(void)
{
    struct os_file *other = NULL;
    char buf[4];
    JET_ERR err = os_file_create(path2, &other);
    if (err >= 0)
        err = os_file_write(other, 0, "abcd", 4);
    if (err >= 0)
        err = os_file_writev(other, 4, &(struct iovec) {buf, 0}, 1);
    if (err >= 0)
        err = os_file_read(other, 0, buf, 4);
    if (err >= 0)
        err = os_file_truncate(other, 8);
    if (err >= 0)
        err = os_file_sync(other);
    os_file_close(other);
    if (err >= 0)
        err = os_rename(path2, path);
    if (err >= 0)
        err = os_rename(path, path2);
    if (err >= 0)
        err = os_dir_sync(dir);
    if (err >= 0)
        err = os_dir_make(dir);
    if (err >= 0)
        err = os_file_open(path2, OS_OPEN_READ, &other);
    if (err >= 0)
        os_file_close(other);
    if (err >= 0)
        err = os_file_create_unnamed(dir, &other);
    if (err >= 0)
        os_file_close(other);
    if (err >= 0)
        err = os_remove(path2);
    return err;
}

static void
run_fault_loop(bool persistent)
{
    for (uint64_t nth = 1;; nth++) {
        arm(OS_CALL_ANY, nth, persistent, EIO);
        JET_ERR err = everything();
        uint64_t count = os_fault_count();
        os_fault_arm(NULL);
        g_unlink(path2);
        if (count < nth) {
            assert_int_equal(err, JET_errSuccess);
            assert_int_equal(nth, 14); /* thirteen calls, each failed once */
            return;
        }
        assert_int_equal(err, JET_errDiskIO);
    }
}

static void
test_fault_in_any_call_is_returned(void **state)
{
    run_fault_loop(false);
}

static void
test_persistent_fault_from_any_call_is_returned(void **state)
{
    run_fault_loop(true);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_disarmed_calls_are_not_counted),
        TEST(test_transient_fault_strikes_the_nth_call_only),
        TEST(test_persistent_fault_strikes_from_the_nth_call_on),
        TEST(test_fault_of_another_path_does_not_strike),
        TEST(test_failed_write_leaves_the_file_as_it_was),
        TEST(test_torn_write_leaves_the_front_half),
        TEST(test_torn_writev_leaves_half_of_its_first_part),
        TEST(test_fault_in_any_call_is_returned),
        TEST(test_persistent_fault_from_any_call_is_returned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
