/* SPDX-License-Identifier: MIT */
/*
 * replay: a real log of Windows, replayed from nothing, makes the database; independent readers
 * (the Python checkers) accept it, and hold their own copy of what its rows are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "log/reader.h"
#include "log/record.h"
#include "page/dbheader.h"
#include "recovery/recovery.h"

struct replay {
    char *dir;
    char *db;
    char *log;
    char *logged_path; /* as the log has it */
};

static void
event(void *ctx, int id, const char *const *inserts)
{
    const char *text = inserts[0] ? inserts[0] : "";
    (void)ctx;
    print_message("event %d: %s\n", id, text);
}

static char *
path_in_log(const char *log)
{
    struct log_reader *r;
    struct log_reader_opts opts = {.last = true};
    assert_int_equal(log_reader_open(log, &opts, &r), 0);
    struct span rec;
    struct lgpos pos;
    char *path = NULL;
    while (!path && log_reader_next(r, &rec, &pos) == 1) {
        struct lr lr;
        assert_int_equal(lr_decode(rec.data, rec.len, &lr, NULL), 0);
        if (lr.type == LR_CREATE_DB)
            path = attach_path_decode(lr.create_db.path);
    }
    log_reader_close(r);
    assert_non_null(path);
    return path;
}

static int
setup(void **state)
{
    struct replay *x = g_new0(struct replay, 1);
    g_autofree char *from = g_build_filename(CORPUS_DIR, "logs", "edb.log", NULL);
    g_autofree char *data = NULL;
    gsize len;
    *state = x;
    if (!g_file_get_contents(from, &data, &len, NULL)) {
        print_message("no corpus at %s: skipped\n", from);
        return 0;
    }
    x->dir = g_dir_make_tmp("replayXXXXXX", NULL);
    x->db = g_build_filename(x->dir, "app.edb", NULL);
    x->log = g_build_filename(x->dir, "edb.log", NULL);
    assert_true(g_file_set_contents(x->log, data, (gssize)len, NULL));
    x->logged_path = path_in_log(x->log);
    return 0;
}

static int
teardown(void **state)
{
    struct replay *x = *state;
    if (x->dir) {
        GDir *d = g_dir_open(x->dir, 0, NULL);
        const char *name;
        while (d && (name = g_dir_read_name(d))) {
            g_autofree char *p = g_build_filename(x->dir, name, NULL);
            g_unlink(p);
        }
        if (d)
            g_dir_close(d);
        g_rmdir(x->dir);
    }
    g_free(x->dir);
    g_free(x->db);
    g_free(x->log);
    g_free(x->logged_path);
    g_free(x);
    return 0;
}

static JET_ERR
recover(struct replay *x, uint64_t stop_after, struct recovery_result *result)
{
    struct recovery_map map = {.log_path = x->logged_path, .file_path = x->db};
    struct recovery_params p = {.log = {.dir = x->dir,
                                        .base = "edb",
                                        .eight_dot_three = true,
                                        .page_bytes = 4096,
                                        .file_kib = 1024},
                                .map = &map,
                                .n_map = 1,
                                .event = event,
                                .stop_after = stop_after};
    return recovery_soft(&p, result);
}

static void
check_with(const char *tool, const char *path)
{
    g_autofree char *python = g_find_program_in_path("python3");
    g_autofree char *script = g_build_filename(CORPUS_DIR, "..", "tools", tool, NULL);
    if (!python || !g_file_test(script, G_FILE_TEST_EXISTS)) {
        print_message("no python3 or no %s: this check is skipped\n", tool);
        return;
    }
    const char *argv[] = {python, script, path, NULL};
    g_autofree char *out = NULL, *err_text = NULL;
    int status = -1;
    assert_true(
        g_spawn_sync(NULL, (char **)argv, NULL, 0, NULL, NULL, &out, &err_text, &status, NULL));
    if (status != 0)
        print_message("%s:\n%s%s\n", tool, out, err_text);
    assert_int_equal(status, 0);
}

static void
check_database(const struct replay *x)
{
    g_autofree char *data = NULL;
    gsize len;
    struct dbheader h;
    assert_true(g_file_get_contents(x->db, &data, &len, NULL));
    assert_int_equal(dbheader_decode((uint8_t *)data, len, &h), 0);
    assert_int_equal(dbheader_u32(&h, DBH_DBSTATE), DBSTATE_CLEAN);
    check_with("edb_checksum.py", x->db);
    check_with("edb_structure.py", x->db);
    check_with("edb_rows.py", x->db);
}

static void
test_windows_log_makes_its_database(void **state)
{
    struct replay *x = *state;
    if (!x->dir)
        skip();
    struct recovery_result result;
    assert_int_equal(recover(x, 0, &result), 0);
    assert_true(result.recovered);
    assert_int_equal(result.page_bytes, 4096);
    check_database(x);
    assert_int_equal(recover(x, 0, &result), 0);
    assert_false(result.recovered); /* closed cleanly now */
}

/* Redo breaks off after so many records, then starts again over what had reached the disk. */
static void
test_recovery_may_crash_anywhere(void **state)
{
    struct replay *x = *state;
    if (!x->dir)
        skip();
    struct recovery_result result;
    for (uint64_t stop = 3; stop < 2400; stop += stop / 2 + 17)
        assert_int_equal(recover(x, stop, &result), JET_errRecoveredWithErrors);
    assert_int_equal(recover(x, 0, &result), 0);
    check_database(x);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_windows_log_makes_its_database, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recovery_may_crash_anywhere, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
