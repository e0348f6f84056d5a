/* SPDX-License-Identifier: MIT */
/* file: whole reads and writes, errors by name, locks between openers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fault.h"
#include "os/file.h"

static char *dir;
static char *path; /* of a file that is not there yet */

static int
setup(void **state)
{
    dir = g_dir_make_tmp("jet-os-XXXXXX", NULL);
    path = g_build_filename(dir, "f", NULL);
    return dir ? 0 : -1;
}

static int
teardown(void **state)
{
    os_fault_arm(NULL);
    g_unlink(path);
    g_rmdir(dir);
    g_free(path);
    g_free(dir);
    return 0;
}

static struct os_file *
create(void)
{
    struct os_file *file = NULL;
    assert_int_equal(os_file_create(path, &file), JET_errSuccess);
    return file;
}

static void
test_error_of_errno_is_the_documented_one(void **state)
{
    static const struct {
        int errnum;
        JET_ERR err;
    } want[] = {
        {0, JET_errSuccess},
        {ENOENT, JET_errFileNotFound},
        {ENOTDIR, JET_errInvalidPath},
        {ENAMETOOLONG, JET_errInvalidPath},
        {ELOOP, JET_errInvalidPath},
        {EINVAL, JET_errInvalidPath},
        {EEXIST, JET_errFileAlreadyExists},
        {EACCES, JET_errFileAccessDenied},
        {EPERM, JET_errFileAccessDenied},
        {EROFS, JET_errFileAccessDenied},
        {EBUSY, JET_errFileAccessDenied},
        {EWOULDBLOCK, JET_errFileAccessDenied},
        {ENOSPC, JET_errDiskFull},
        {EDQUOT, JET_errDiskFull},
        {EFBIG, JET_errDiskFull},
        {ENOMEM, JET_errOutOfMemory},
        {EMFILE, JET_errOutOfFileHandles},
        {ENFILE, JET_errOutOfFileHandles},
        {EIO, JET_errDiskIO},
        {ENXIO, JET_errDiskIO},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(want); i++)
        assert_int_equal(os_error(want[i].errnum), want[i].err);
}

static void
test_create_when_there_fails_and_keeps_the_content(void **state)
{
    assert_true(g_file_set_contents(path, "old", 3, NULL));
    struct os_file *file = NULL;
    assert_int_equal(os_file_create(path, &file), JET_errFileAlreadyExists);
    assert_null(file);
    uint64_t size = 0;
    assert_int_equal(os_file_size_at(path, &size), JET_errSuccess);
    assert_int_equal(size, 3);
}

static void
test_create_makes_a_private_file(void **state)
{
    os_file_close(create());
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void
test_open_of_nothing_is_file_not_found(void **state)
{
    struct os_file *file = NULL;
    assert_int_equal(os_file_open(path, OS_OPEN_READ, &file), JET_errFileNotFound);
    assert_null(file);
}

static void
test_open_of_a_directory_is_invalid_path(void **state)
{
    struct os_file *file = NULL;
    assert_int_equal(os_file_open(dir, OS_OPEN_READ, &file), JET_errInvalidPath);
    assert_int_equal(os_file_open(dir, OS_OPEN_WRITE, &file), JET_errInvalidPath);
    assert_null(file);
}

/* A fifo would block in open(2) for ever. */
static void
test_open_of_a_fifo_is_invalid_path(void **state)
{
    assert_int_equal(mkfifo(path, 0600), 0);
    struct os_file *file = NULL;
    assert_int_equal(os_file_open(path, OS_OPEN_READ, &file), JET_errInvalidPath);
    assert_null(file);
}

static void
test_write_to_a_file_opened_for_reading_fails(void **state)
{
    os_file_close(create());
    struct os_file *file = NULL;
    assert_int_equal(os_file_open(path, OS_OPEN_READ, &file), JET_errSuccess);
    assert_true(os_file_write(file, 0, "x", 1) < 0);
    os_file_close(file);
}

static void
test_write_then_read_at_an_offset_comes_back(void **state)
{
    struct os_file *file = create();
    char back[5] = "";
    assert_int_equal(os_file_write(file, 1000, "hello", 5), JET_errSuccess);
    assert_int_equal(os_file_read(file, 1000, back, 5), JET_errSuccess);
    assert_memory_equal(back, "hello", 5);
    assert_int_equal(os_file_read(file, 0, back, 5), JET_errSuccess);
    assert_memory_equal(back, "\0\0\0\0\0", 5);
    os_file_close(file);
}

static void
test_read_past_the_end_is_beyond_eof(void **state)
{
    struct os_file *file = create();
    char buf[8];
    size_t got = 99;
    assert_int_equal(os_file_write(file, 0, "abcd", 4), JET_errSuccess);
    assert_int_equal(os_file_read(file, 0, buf, 5), JET_errFileIOBeyondEOF);
    assert_int_equal(os_file_read(file, 4, buf, 1), JET_errFileIOBeyondEOF);
    assert_int_equal(os_file_read(file, 4, buf, 0), JET_errSuccess);
    assert_int_equal(os_file_read_some(file, 2, buf, 8, &got), JET_errSuccess);
    assert_int_equal(got, 2);
    assert_int_equal(os_file_read_some(file, 1 << 30, buf, 8, &got), JET_errSuccess);
    assert_int_equal(got, 0);
    os_file_close(file);
}

/* More parts than one pwritev takes, of odd lengths, some empty. */
static void
test_writev_of_many_parts_writes_all(void **state)
{
    enum { PARTS = IOV_MAX * 2 + 7 };
    g_autofree struct iovec *iov = g_new(struct iovec, PARTS);
    static char bytes[17];
    memset(bytes, 'p', sizeof(bytes));
    size_t total = 0;
    for (int i = 0; i < PARTS; i++) {
        iov[i] = (struct iovec) {bytes, (size_t)(i % (int)sizeof(bytes))};
        total += iov[i].iov_len;
    }
    struct os_file *file = create();
    assert_int_equal(os_file_writev(file, 3, iov, PARTS), JET_errSuccess);
    uint64_t size = 0;
    assert_int_equal(os_file_size(file, &size), JET_errSuccess);
    assert_int_equal(size, total + 3);
    g_autofree char *back = g_malloc(total);
    assert_int_equal(os_file_read(file, 3, back, total), JET_errSuccess);
    for (size_t i = 0; i < total; i++)
        assert_int_equal(back[i], 'p');
    os_file_close(file);
}

static void
test_truncate_cuts_and_extends_with_zeros(void **state)
{
    struct os_file *file = create();
    char buf[4] = "";
    uint64_t size = 0;
    assert_int_equal(os_file_write(file, 0, "abcd", 4), JET_errSuccess);
    assert_int_equal(os_file_truncate(file, 2), JET_errSuccess);
    assert_int_equal(os_file_truncate(file, 4096), JET_errSuccess);
    assert_int_equal(os_file_size(file, &size), JET_errSuccess);
    assert_int_equal(size, 4096);
    assert_int_equal(os_file_read(file, 0, buf, 4), JET_errSuccess);
    assert_memory_equal(buf, "ab\0\0", 4);
    os_file_close(file);
}

static void
test_unnamed_file_leaves_no_name(void **state)
{
    struct os_file *file = NULL;
    g_auto(GStrv) names = NULL;
    assert_int_equal(os_file_create_unnamed(dir, &file), JET_errSuccess);
    assert_int_equal(os_file_write(file, 0, "x", 1), JET_errSuccess);
    assert_int_equal(os_dir_list(dir, &names), JET_errSuccess);
    assert_null(names[0]);
    os_file_close(file);
}

static void
test_unnamed_file_in_no_directory_is_file_not_found(void **state)
{
    struct os_file *file = NULL;
    assert_int_equal(os_file_create_unnamed(path, &file), JET_errFileNotFound);
    assert_null(file);
}

static void
test_second_lock_is_access_denied_until_the_first_closes(void **state)
{
    struct os_file *first = create(), *second = NULL;
    assert_int_equal(os_file_open(path, OS_OPEN_WRITE, &second), JET_errSuccess);
    assert_int_equal(os_file_lock(first), JET_errSuccess);
    assert_int_equal(os_file_lock(second), JET_errFileAccessDenied);
    bool locked = false;
    assert_int_equal(os_file_is_locked(path, &locked), JET_errSuccess);
    assert_true(locked);
    os_file_close(first);
    assert_int_equal(os_file_is_locked(path, &locked), JET_errSuccess);
    assert_false(locked);
    assert_int_equal(os_file_lock(second), JET_errSuccess);
    os_file_close(second);
}

/* Unlike a POSIX record lock, which any close in the process drops. */
static void
test_lock_outlives_the_close_of_another_descriptor(void **state)
{
    struct os_file *holder = create(), *other = NULL;
    assert_int_equal(os_file_lock(holder), JET_errSuccess);
    assert_int_equal(os_file_open(path, OS_OPEN_READ, &other), JET_errSuccess);
    os_file_close(other);
    bool locked = false;
    assert_int_equal(os_file_is_locked(path, &locked), JET_errSuccess);
    assert_true(locked);
    os_file_close(holder);
}

static void
test_close_of_null_is_fine(void **state)
{
    os_file_close(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_error_of_errno_is_the_documented_one),
        TEST(test_create_when_there_fails_and_keeps_the_content),
        TEST(test_create_makes_a_private_file),
        TEST(test_open_of_nothing_is_file_not_found),
        TEST(test_open_of_a_directory_is_invalid_path),
        TEST(test_open_of_a_fifo_is_invalid_path),
        TEST(test_write_to_a_file_opened_for_reading_fails),
        TEST(test_write_then_read_at_an_offset_comes_back),
        TEST(test_read_past_the_end_is_beyond_eof),
        TEST(test_writev_of_many_parts_writes_all),
        TEST(test_truncate_cuts_and_extends_with_zeros),
        TEST(test_unnamed_file_leaves_no_name),
        TEST(test_unnamed_file_in_no_directory_is_file_not_found),
        TEST(test_second_lock_is_access_denied_until_the_first_closes),
        TEST(test_lock_outlives_the_close_of_another_descriptor),
        TEST(test_close_of_null_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
