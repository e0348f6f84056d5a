/* SPDX-License-Identifier: MIT */
/*
 * stop: recovery that ends before the log does. The model knows at which position each transaction
 * committed, so the result of a stop is compared with exactly those below it.
 */
#include "crash.h"

#include "log/cut.h"
#include "log/reader.h"
#include "log/segment.h"

struct history {
    struct engine e;
    char *early; /* directory with the database as it was at first */
    char *dir;   /* the end: all logs, the database in some state */
    int32_t last;
    GArray *records; /* struct seen */
};

struct seen {
    struct lgpos pos;
    uint8_t type;
    int nth; /* of its type in the segment's place: see is_chosen */
};

static char *
archive_or_current(const char *dir, int32_t gen)
{
    g_autofree char *name = log_name_archive("edb", "log", gen, true);
    char *path = g_build_filename(dir, name, NULL);
    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return path;
    g_free(path);
    return g_build_filename(dir, "edb.log", NULL);
}

static void
read_records(struct history *h, int32_t gen)
{
    int seen[256] = {0};
    g_autofree char *path = archive_or_current(h->dir, gen);
    struct log_reader_opts opts = {.expect = {.gen = gen}, .last = true};
    struct log_reader *reader;
    struct span rec;
    struct lgpos pos;
    OK(log_reader_open(path, &opts, &reader));
    while (log_reader_next(reader, &rec, &pos) == 1) {
        struct seen s = {pos, rec.data[0], seen[rec.data[0]]++};
        g_array_append_val(h->records, s);
    }
    log_reader_close(reader);
}

static char *
frozen_copy(struct engine *e)
{
    cache_write_pause(e->cache);
    char *dir = copy_dir(e->dir, NULL);
    cache_write_resume(e->cache);
    return dir;
}

static int
setup(void **state)
{
    struct history *h = g_new0(struct history, 1);
    h->records = g_array_new(FALSE, FALSE, sizeof(struct seen));
    engine_begin(&h->e, 7);
    finish_database(&h->e);
    h->early = frozen_copy(&h->e);
    while (log_gen(h->e.log) < 4) {
        for (int i = 0; i < 40; i++)
            step(&h->e);
        OK(log_flush_all(h->e.log));
    }
    h->last = log_gen(h->e.log);
    h->dir = frozen_copy(&h->e);
    for (int32_t gen = 1; gen <= h->last; gen++)
        read_records(h, gen);
    *state = h;
    return 0;
}

static int
teardown(void **state)
{
    struct history *h = *state;
    remove_dir(h->early);
    remove_dir(h->dir);
    engine_end(&h->e);
    g_array_unref(h->records);
    g_free(h->early);
    g_free(h->dir);
    g_free(h);
    return 0;
}

static struct recovery_params
params_in(const char *dir)
{
    return (struct recovery_params) {.log = {.dir = dir,
                                             .base = "edb",
                                             .eight_dot_three = true,
                                             .file_kib = LOG_KIB,
                                             .page_bytes = PAGE_BYTES},
                                     .cache_pages = 64};
}

/* The early database in dir, hard recovery with the logs of h->dir. */
static JET_ERR
restore_to(struct history *h, const char *dir, struct lgpos stop, uint64_t stop_after,
           struct recovery_result *result)
{
    g_autofree char *path = g_build_filename(dir, "app.edb", NULL);
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        copy_file(h->early, dir, "app.edb");
    struct recovery_map map = {.sign_db = h->e.sign_db, .file_path = path};
    struct recovery_params p = params_in(dir);
    p.map = &map;
    p.n_map = 1;
    p.stop = stop;
    p.stop_after = stop_after;
    struct log_gens logs;
    OK(log_gens_find(h->dir, "edb", "log", &logs));
    struct recovery_set set = {
        .logs = &logs, .current_gen = h->last, .gen_low = 1, .gen_high = h->last - 1};
    JET_ERR err = recovery_hard(&p, &set, result);
    log_gens_clear(&logs);
    return err;
}

/* The last log of the old history that dir has ends below the stop. */
static void
check_cut(const char *dir, struct lgpos stop, int32_t gen)
{
    g_autofree char *name = log_name_archive("edb", "log", gen, true);
    g_autofree char *path = g_build_filename(dir, name, NULL);
    struct log_reader_opts opts = {.expect = {.gen = gen}};
    struct log_reader *reader;
    struct span rec;
    struct lgpos pos = LGPOS_MIN;
    OK(log_reader_open(path, &opts, &reader));
    assert_int_equal(log_reader_scan(reader)->corrupt, 0);
    while (log_reader_next(reader, &rec, &pos) == 1)
        assert_true(lgpos_cmp(pos, stop) < 0);
    log_reader_close(reader);
}

static void
check_stop(struct history *h, struct lgpos stop)
{
    char *dir = g_dir_make_tmp("stop-XXXXXX", NULL);
    struct recovery_result result;
    JET_ERR err = restore_to(h, dir, stop, 0, &result);
    if (err != 0)
        fail_msg("stop at %x:%x:%x gave %d", (unsigned)stop.gen, stop.isec, stop.ib, err);
    check_dir(&h->e, dir, lgpos_pack(stop));
    check_cut(dir, stop, result.gen_last);
    struct recovery_params p = params_in(dir);
    OK(recovery_soft(&p, &result)); /* the stream goes on as after a clean end */
    assert_false(result.recovered);
    remove_dir(dir);
    g_free(dir);
}

/* Of each type some; the first record of each segment; and their neighbours in bytes. */
static bool
is_chosen(const struct seen *s)
{
    return s->pos.gen >= 2 && (s->nth < 2 || (s->pos.ib == 0 && s->pos.isec % 3 == 0));
}

static void
test_stop_at_every_kind_of_record(void **state)
{
    struct history *h = *state;
    int done = 0;
    for (guint i = 0; i < h->records->len; i++) {
        const struct seen *s = &g_array_index(h->records, struct seen, i);
        if (!is_chosen(s))
            continue;
        check_stop(h, s->pos);
        struct lgpos behind = s->pos; /* inside the record: it belongs to the result */
        behind.ib++;
        check_stop(h, behind);
        done++;
    }
    print_message("%d records\n", done);
    assert_true(done > 20);
}

static void
test_stop_between_generations(void **state)
{
    struct history *h = *state;
    for (int32_t gen = 2; gen <= h->last; gen++) {
        check_stop(h, (struct lgpos) {0, 0, gen});
        check_stop(h, (struct lgpos) {0, 1, gen});
        check_stop(h, (struct lgpos) {0xffff, 0xffff, gen - 1});
    }
}

static void
test_interrupted_stop_ends_the_same(void **state)
{
    struct history *h = *state;
    const struct seen *s = &g_array_index(h->records, struct seen, h->records->len * 2 / 3);
    struct recovery_result result;
    for (uint64_t after = 100; after < h->records->len / 2; after += h->records->len / 9) {
        char *dir = g_dir_make_tmp("stop-XXXXXX", NULL);
        assert_int_equal(restore_to(h, dir, s->pos, after, &result), JET_errRecoveredWithErrors);
        OK(restore_to(h, dir, s->pos, 0, &result));
        check_dir(&h->e, dir, lgpos_pack(s->pos));
        remove_dir(dir);
        g_free(dir);
    }
}

/* ---- soft ---- */

/* All logs, but the database as it was at first: no page from beyond any stop. */
static char *
crashed_early(struct history *h)
{
    char *dir = copy_dir(h->dir, NULL);
    copy_file(h->early, dir, "app.edb");
    return dir;
}

static JET_ERR
soft_to(struct history *h, const char *dir, struct lgpos stop, bool remove,
        struct recovery_result *result)
{
    g_autofree char *path = g_build_filename(dir, "app.edb", NULL);
    struct recovery_map map = {.log_path = h->e.path, .file_path = path};
    struct recovery_params p = params_in(dir);
    p.map = &map;
    p.n_map = 1;
    p.stop = stop;
    p.delete_out_of_range = remove;
    return recovery_soft(&p, result);
}

static struct lgpos
middle(struct history *h)
{
    for (guint i = h->records->len / 2;; i++) {
        const struct seen *s = &g_array_index(h->records, struct seen, i);
        if (s->type == LR_COMMIT0 && s->pos.gen < h->last)
            return s->pos;
    }
}

static void
test_soft_stop_keeps_the_logs_and_undoes_nothing(void **state)
{
    struct history *h = *state;
    char *dir = crashed_early(h);
    struct recovery_result result;
    struct lgpos stop = {0, 0, middle(h).gen};
    assert_int_equal(soft_to(h, dir, stop, false, &result), JET_errRecoveredWithoutUndo);
    assert_int_equal(soft_to(h, dir, stop, false, &result), JET_errRecoveredWithoutUndo);
    OK(soft_to(h, dir, LGPOS_MIN, false, &result)); /* further, to the end */
    check_dir(&h->e, dir, UINT64_MAX);
    remove_dir(dir);
    g_free(dir);
}

static void
test_soft_stop_removes_what_lies_beyond_when_asked(void **state)
{
    struct history *h = *state;
    struct lgpos commit = middle(h);
    const struct lgpos stops[] = {commit, {0, 0, commit.gen}, {0, 1, h->last}};
    for (size_t i = 0; i < G_N_ELEMENTS(stops); i++) {
        char *dir = crashed_early(h);
        struct recovery_result result;
        assert_int_equal(soft_to(h, dir, stops[i], true, &result), JET_wrnCommittedLogFilesRemoved);
        check_dir(&h->e, dir, lgpos_pack(stops[i]));
        OK(soft_to(h, dir, LGPOS_MIN, false, &result));
        assert_false(result.recovered);
        remove_dir(dir);
        g_free(dir);
    }
}

static void
test_soft_stop_behind_the_end_is_none(void **state)
{
    struct history *h = *state;
    char *dir = crashed_early(h);
    struct recovery_result result;
    OK(soft_to(h, dir, (struct lgpos) {0, 1, h->last + 1}, true, &result));
    check_dir(&h->e, dir, UINT64_MAX);
    remove_dir(dir);
    g_free(dir);
}

static void
test_database_from_beyond_the_stop_is_refused(void **state)
{
    struct history *h = *state;
    struct recovery_result result;
    OK(cache_flush(h->e.file)); /* pages of the newest generation reach the file */
    char *dir = frozen_copy(&h->e);
    assert_int_equal(soft_to(h, dir, middle(h), true, &result), JET_errRequiredLogFilesMissing);
    OK(soft_to(h, dir, LGPOS_MIN, false, &result));
    assert_int_equal(soft_to(h, dir, middle(h), true, &result), JET_errRequiredLogFilesMissing);
    remove_dir(dir);
    g_free(dir);
}

/* ---- times ---- */

/* The first segment of a log, and when it was flushed. */
static void
test_time_is_the_first_later_flush(void **state)
{
    struct history *h = *state;
    g_autofree char *path = archive_or_current(h->dir, 2);
    g_autofree char *bytes = NULL;
    gsize len;
    assert_true(g_file_get_contents(path, &bytes, &len, NULL));
    const struct recovery_logs_at at = {h->dir, "edb", NULL, true};
    struct lgpos stop, before = LGPOS_MIN;
    int64_t last_ms = 0;
    for (uint16_t isec = 2; isec * 4096u < len && !segment_is_zero((uint8_t *)bytes + isec * 4096u);
         isec++) {
        int64_t ms = logtime_to_unix_ms(segment_time((uint8_t *)bytes + isec * 4096u));
        if (ms <= last_ms)
            continue; /* neighbours may lie a millisecond back, to be told apart */
        last_ms = ms;
        OK(recovery_find_time(&at, 1, ms - 2, &stop));
        assert_true(lgpos_cmp(stop, (struct lgpos) {0, isec, 2}) <= 0);
        assert_true(lgpos_cmp(stop, before) >= 0);
        before = stop;
    }
    if (before.gen >= 2)
        check_stop(h, before);
    assert_int_equal(recovery_find_time(&at, 1, 1000, &stop), JET_errEndingRestoreLogTooLow);
    assert_int_equal(recovery_find_time(&at, 1, INT64_MAX / 2, &stop),
                     JET_errMissingRestoreLogFiles);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stop_at_every_kind_of_record),
        cmocka_unit_test(test_stop_between_generations),
        cmocka_unit_test(test_interrupted_stop_ends_the_same),
        cmocka_unit_test(test_soft_stop_keeps_the_logs_and_undoes_nothing),
        cmocka_unit_test(test_soft_stop_removes_what_lies_beyond_when_asked),
        cmocka_unit_test(test_soft_stop_behind_the_end_is_none),
        cmocka_unit_test(test_time_is_the_first_later_flush),
        cmocka_unit_test(test_database_from_beyond_the_stop_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
