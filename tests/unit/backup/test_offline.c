/* SPDX-License-Identifier: MIT */
/*
 * Files without an owner: what is listed, that bytes come as they lie, that an owner excludes us
 * and we him; on databases that Windows wrote where there are any.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "backup/manifest.h"
#include "backup/offline.h"
#include "os/file.h"
#include "page/dbheader.h"
#include "page/page.h"

#define PAGE  4096u
#define PAGES 20u

struct fixture {
    char *dir, *path;
    struct offline *offline;
};

/* A database of empty leaf pages: no space tree, so that all of the file counts as owned. */
static void
make_database(const char *path)
{
    g_autofree uint8_t *image = g_malloc0((PAGES + 2) * PAGE);
    struct dbheader header;
    dbheader_init(&header, PAGE);
    memset(&header.bytes[DBH_SIGN_DB], 7, 28);
    dbheader_set_clean(&header);
    dbheader_encode(&header, image, PAGE);
    memcpy(image + PAGE, image, PAGE);
    for (uint32_t pgno = 1; pgno <= PAGES; pgno++) {
        struct page page;
        page_init(&page, image + (pgno + 1) * PAGE, PAGE, pgno);
        page_format(&page, 1, PAGE_FLAG_LEAF);
        page_set_dbtime(&page, pgno);
        page_stamp(page.data, PAGE, pgno);
    }
    assert_true(g_file_set_contents(path, (char *)image, (PAGES + 2) * PAGE, NULL));
}

static int
setup(void **state)
{
    struct fixture *fx = g_new0(struct fixture, 1);
    fx->dir = g_dir_make_tmp("offline-XXXXXX", NULL);
    fx->path = g_build_filename(fx->dir, "a.edb", NULL);
    make_database(fx->path);
    *state = fx;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *fx = *state;
    offline_free(fx->offline);
    char **names;
    assert_int_equal(os_dir_list(fx->dir, &names), 0);
    for (size_t i = 0; names[i]; i++) {
        g_autofree char *path = g_build_filename(fx->dir, names[i], NULL);
        g_unlink(path);
    }
    g_strfreev(names);
    g_rmdir(fx->dir);
    g_free(fx->dir);
    g_free(fx->path);
    g_free(fx);
    return 0;
}

static JET_HANDLE
open_name(struct fixture *fx, const char *name, uint64_t *size)
{
    JET_HANDLE hf;
    assert_int_equal(offline_open_file(fx->offline, name, &hf, size), 0);
    return hf;
}

/* All of a file through the session equals the file. */
static void
assert_served(struct fixture *fx, const char *name, const char *path)
{
    g_autofree char *expected = NULL;
    gsize expected_size;
    uint64_t size;
    uint32_t got = 1;
    assert_true(g_file_get_contents(path, &expected, &expected_size, NULL));
    JET_HANDLE hf = open_name(fx, name, &size);
    assert_int_equal(size, expected_size);
    g_autofree uint8_t *data = g_malloc(size + 1);
    for (uint64_t at = 0; got > 0; at += got)
        assert_int_equal(offline_read_file(fx->offline, hf, data + at, 100003, &got), 0);
    assert_memory_equal(data, expected, size);
    assert_int_equal(offline_close_file(fx->offline, hf), 0);
    assert_int_equal(offline_close_file(fx->offline, hf), JET_errInvalidParameter);
}

static void
test_single_database_is_served_as_it_lies(void **state)
{
    struct fixture *fx = *state;
    JETX_BACKUPFILE *files;
    uint32_t n;
    assert_int_equal(offline_open(fx->path, &fx->offline), 0);
    assert_int_equal(offline_files(fx->offline, &files, &n), JET_errNoBackup);
    assert_int_equal(offline_begin(fx->offline, 1), JET_errInvalidGrbit);
    assert_int_equal(offline_begin(fx->offline, 0), 0);
    assert_int_equal(offline_begin(fx->offline, 0), JET_errBackupInProgress);
    assert_int_equal(offline_files(fx->offline, &files, &n), 0);
    assert_int_equal(n, 2);
    assert_string_equal(files[0].szName, "a.edb");
    assert_int_equal(files[0].pgnoLast, PAGES);
    assert_int_equal(files[0].cbPage, PAGE);
    assert_string_equal(files[1].szName, MANIFEST_NAME);
    g_free(files);
    assert_served(fx, "a.edb", fx->path);
    assert_served(fx, fx->path, fx->path);
    assert_int_equal(offline_end(fx->offline, 3), JET_errInvalidParameter);
    assert_int_equal(offline_end(fx->offline, JET_bitBackupEndNormal), 0);
    assert_int_equal(offline_end(fx->offline, JET_bitBackupEndNormal), JET_errNoBackup);
}

/* As a killed owner leaves its directory. */
static void
test_directory_with_a_socket_and_a_fifo_is_served(void **state)
{
    struct fixture *fx = *state;
    g_autofree char *socket = g_build_filename(fx->dir, "edb.backup", NULL);
    g_autofree char *fifo = g_build_filename(fx->dir, "fifo", NULL);
    assert_int_equal(mknod(socket, S_IFSOCK | 0600, 0), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(offline_open(fx->dir, &fx->offline), 0);
}

static void
test_bad_page_is_found(void **state)
{
    struct fixture *fx = *state;
    struct os_file *file;
    uint64_t size;
    uint32_t got;
    uint8_t buf[2 * PAGE];
    assert_int_equal(os_file_open(fx->path, OS_OPEN_WRITE, &file), 0);
    assert_int_equal(os_file_write(file, 9 * PAGE + 100, "rubbish", 7), 0);
    os_file_close(file);
    assert_int_equal(offline_open(fx->path, &fx->offline), 0);
    assert_int_equal(offline_begin(fx->offline, 0), 0);
    JET_HANDLE hf = open_name(fx, "a.edb", &size);
    assert_int_equal(offline_read_file_at(fx->offline, hf, 9 * PAGE, buf, 1, &got),
                     JET_errReadVerifyFailure);
    assert_int_equal(offline_read_file_at(fx->offline, hf, 10 * PAGE, buf, sizeof buf, &got), 0);
    assert_int_equal(got, sizeof buf);
}

static void
test_owner_and_visitor_exclude_each_other(void **state)
{
    struct fixture *fx = *state;
    struct os_file *owner;
    struct offline *second;
    assert_int_equal(os_file_open(fx->path, OS_OPEN_WRITE, &owner), 0);
    assert_int_equal(os_file_lock(owner), 0);
    assert_int_equal(offline_open(fx->path, &fx->offline), JET_errFileAccessDenied);
    os_file_close(owner);
    assert_int_equal(offline_open(fx->path, &fx->offline), 0);
    assert_int_equal(offline_open(fx->path, &second), 0); /* another visitor is welcome */
    offline_free(second);
    assert_int_equal(os_file_open(fx->path, OS_OPEN_WRITE, &owner), 0);
    assert_int_equal(os_file_lock(owner), JET_errFileAccessDenied);
    os_file_close(owner);

    assert_int_equal(os_dir_lock(fx->dir, &owner), 0); /* an instance lives in the directory */
    assert_int_equal(offline_open(fx->dir, &second), JET_errFileAccessDenied);
    os_file_close(owner);
}

static void
test_nothing_of_ours_is_refused(void **state)
{
    struct fixture *fx = *state;
    g_autofree char *text = g_build_filename(fx->dir, "readme", NULL);
    assert_true(g_file_set_contents(text, "hello", -1, NULL));
    assert_int_equal(offline_open(text, &fx->offline), JET_errDatabaseCorrupted);
    assert_int_equal(offline_open("/nonexistent/x.edb", &fx->offline), JET_errFileNotFound);
    g_unlink(fx->path);
    assert_int_equal(offline_open(fx->dir, &fx->offline), JET_errFileNotFound);
    fx->offline = NULL;
}

static void
test_stop_is_for_good(void **state)
{
    struct fixture *fx = *state;
    uint64_t size;
    uint32_t got;
    char byte;
    assert_int_equal(offline_open(fx->dir, &fx->offline), 0);
    assert_int_equal(offline_begin(fx->offline, 0), 0);
    JET_HANDLE hf = open_name(fx, "a.edb", &size);
    assert_int_equal(offline_stop(fx->offline), 0);
    assert_int_equal(offline_read_file(fx->offline, hf, &byte, 1, &got),
                     JET_errBackupAbortByServer);
    assert_int_equal(offline_end(fx->offline, JET_bitBackupEndNormal), JET_errBackupAbortByServer);
}

static void
serve_all(struct fixture *fx, const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    if (!os_exists(path)) {
        print_message("[  SKIPPED ] %s: no corpus here\n", name);
        return;
    }
    struct offline *offline;
    assert_int_equal(offline_open(path, &offline), 0);
    struct fixture sub = {.offline = offline};
    JETX_BACKUPFILE *files;
    uint32_t n;
    assert_int_equal(offline_begin(offline, 0), 0);
    assert_int_equal(offline_files(offline, &files, &n), 0);
    for (uint32_t i = 0; i < n; i++)
        if (files[i].szPath[0])
            assert_served(&sub, files[i].szName, files[i].szPath);
    g_free(files);
    offline_free(offline);
}

static void
test_windows_databases_are_served(void **state)
{
    const char *names[] = {"dissect/basic.edb",
                           "dissect/SRUDB.dat",
                           "dissect/Current.mdb",
                           "plaso/Catalog1.edb",
                           "artemis/win10/qmgr.db",
                           "artemis/win11/qmgr.db",
                           "logs"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        serve_all(*state, CORPUS_DIR, names[i]);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_single_database_is_served_as_it_lies),
        CASE(test_directory_with_a_socket_and_a_fifo_is_served),
        CASE(test_bad_page_is_found),
        CASE(test_owner_and_visitor_exclude_each_other),
        CASE(test_nothing_of_ours_is_refused),
        CASE(test_stop_is_for_good),
        CASE(test_windows_databases_are_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
