/* SPDX-License-Identifier: MIT */
/*
 * crash: power cuts at any point of a random load. Recovery must bring back every transaction whose
 * commit is in the log, and no part of any other.
 */
#include "crash.h"

#include "log/reader.h"

/* The directory as it is now if the power fails: no page write is in flight, what is not flushed is
 * lost. */
static char *
picture(struct engine *e)
{
    cache_write_pause(e->cache);
    char *dir = copy_dir(e->dir, NULL);
    cache_write_resume(e->cache);
    return dir;
}

static uint64_t
packed(struct lgpos p)
{
    return (uint64_t)(uint32_t)p.gen << 32 | (uint64_t)p.isec << 16 | p.ib;
}

/* Where the log of a picture ends: the cache's writer may have flushed more since. */
static uint64_t
log_end(const char *dir)
{
    g_autofree char *path = g_build_filename(dir, "edb.log", NULL);
    struct log_reader *r;
    struct log_reader_opts opts = {.last = true};
    OK(log_reader_open(path, &opts, &r));
    struct lgpos end = {0, log_reader_scan(r)->end_isec, log_reader_header(r)->gen};
    log_reader_close(r);
    return packed(end);
}

static void
recover_and_check(const struct engine *e, const char *dir, uint64_t end)
{
    struct recovery_result result;
    OK(recover_dir(e, dir, 0, &result));
    assert_true(result.recovered);
    check_dir(e, dir, end);
    OK(recover_dir(e, dir, 0, &result)); /* and the stream is clean */
    assert_false(result.recovered);
}

static void
test_crash_at_any_point_keeps_what_was_flushed(void **state)
{
    for (uint32_t seed = 1; seed <= 6; seed++) {
        struct engine e;
        engine_begin(&e, seed);
        finish_database(&e);
        for (int i = 0; i < 4; i++) {
            int steps = g_rand_int_range(e.rand, 50, 900);
            for (int k = 0; k < steps; k++)
                step(&e);
            switch (g_rand_int_range(e.rand, 0, 4)) {
            case 0:
                OK(cache_flush(e.file));
                break;
            case 1:
                OK(log_flush_all(e.log));
                break;
            case 2:
                OK(cache_flush(e.file));
                engine_checkpoint(&e);
                break;
            default:
                engine_checkpoint(&e);
            }
            g_autofree char *dir = picture(&e);
            recover_and_check(&e, dir, log_end(dir));
            remove_dir(dir);
        }
        engine_end(&e);
    }
}

static bool
is_database(const char *name)
{
    return g_str_has_suffix(name, ".edb");
}

static bool
is_not_database(const char *name)
{
    return !is_database(name);
}

/* Ends the log with segment isec - 1 of generation gen: what a crash before the next flush leaves.
 */
static void
cut_log(const char *dir, int32_t gen, uint16_t isec)
{
    struct log_gens gens;
    OK(log_gens_find(dir, "edb", "log", &gens));
    g_autofree char *last = g_strdup(log_gens_path(&gens, gen));
    if (last) {
        /* later generations never came to be; this one was the current log */
        g_unlink(gens.current);
        for (size_t i = 0; i < gens.n; i++) {
            if (gens.gens[i] > gen)
                g_unlink(gens.paths[i]);
        }
        assert_int_equal(g_rename(last, gens.current), 0);
    }
    g_autofree char *data = NULL;
    gsize len;
    assert_true(g_file_get_contents(gens.current, &data, &len, NULL));
    memset(data + isec * 4096, 0, len - isec * 4096u);
    assert_true(g_file_set_contents(gens.current, data, (gssize)len, NULL));
    log_gens_clear(&gens);
}

/* The database as it was at first, the log cut at every segment. */
static void
test_every_prefix_of_the_log_gives_its_commits(void **state)
{
    struct engine e;
    engine_begin(&e, 77);
    finish_database(&e);
    g_autofree char *base = g_dir_make_tmp("base-XXXXXX", NULL);
    cache_write_pause(e.cache);
    copy_file(e.dir, base, "app.edb");
    cache_write_resume(e.cache);
    struct lgpos from = log_flush_tip(e.log);
    for (int k = 0; log_gen(e.log) < 4; k++) {
        step(&e);
        if (k % 25 == 0)
            OK(log_flush_all(e.log));
    }
    OK(log_flush_all(e.log));
    struct lgpos end = log_flush_tip(e.log);
    int n = 0;
    for (struct lgpos at = from; lgpos_cmp(at, end) <= 0; n++) {
        g_autofree char *dir = copy_dir(e.dir, is_not_database);
        copy_file(base, dir, "app.edb");
        cut_log(dir, at.gen, at.isec);
        recover_and_check(&e, dir, packed((struct lgpos) {0, at.isec, at.gen}));
        remove_dir(dir);
        at.ib = 0;
        if (++at.isec >= LOG_KIB / 4 - 1)
            at = (struct lgpos) {0, 1, at.gen + 1};
    }
    print_message("%d cuts\n", n);
    remove_dir(base);
    engine_end(&e);
}

/* Redo stops after n records, again and again, each time further; nothing is lost or doubled. */
static void
test_crash_inside_recovery_is_harmless(void **state)
{
    struct engine e;
    engine_begin(&e, 5);
    finish_database(&e);
    for (int k = 0; k < 1500; k++) {
        step(&e);
        if (k == 700)
            OK(cache_flush(e.file));
    }
    OK(log_flush_all(e.log));
    g_autofree char *dir = picture(&e);
    struct recovery_result result;
    JET_ERR err = JET_errRecoveredWithErrors;
    for (uint64_t stop = 1; err == JET_errRecoveredWithErrors; stop += 1 + stop / 3)
        err = recover_dir(&e, dir, stop, &result);
    assert_int_equal(err, 0);
    check_dir(&e, dir, packed(log_flush_tip(e.log)));
    remove_dir(dir);
    engine_end(&e);
}

/* The recovered directory crashes again right after its RecoveryUndo2 and some of the undo. */
static void
test_crash_inside_undo_is_harmless(void **state)
{
    struct engine e;
    engine_begin(&e, 6);
    finish_database(&e);
    for (int k = 0; k < 900; k++)
        step(&e);
    OK(log_flush_all(e.log));
    uint64_t end = packed(log_flush_tip(e.log));
    struct lgpos tip = log_flush_tip(e.log);
    g_autofree char *dir = picture(&e);
    g_autofree char *after = copy_dir(dir, NULL);
    struct recovery_result result;
    OK(recover_dir(&e, after, 0, &result));
    /* the log of the finished recovery, cut anywhere, with the database from before it */
    for (uint16_t isec = tip.isec; isec < LOG_KIB / 4 - 1; isec++) {
        g_autofree char *again = copy_dir(after, is_not_database);
        copy_file(dir, again, "app.edb");
        g_autofree char *chk = g_build_filename(again, "edb.chk", NULL);
        g_unlink(chk);
        cut_log(again, tip.gen, isec);
        OK(recover_dir(&e, again, 0, &result));
        check_dir(&e, again, end);
        remove_dir(again);
    }
    remove_dir(after);
    remove_dir(dir);
    engine_end(&e);
}

/* A database without its CreateDBFinish is no database. */
static void
test_half_created_database_is_removed(void **state)
{
    struct engine e;
    engine_begin(&e, 8);
    OK(log_flush_all(e.log));
    g_autofree char *dir = picture(&e);
    g_autofree char *path = g_build_filename(dir, "app.edb", NULL);
    struct recovery_result result;
    OK(recover_dir(&e, dir, 0, &result));
    assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    remove_dir(dir);
    engine_end(&e);
}

/* The log says it is attached, and nobody detached it. */
static void
test_missing_database_is_a_mismatch_unless_ignored(void **state)
{
    struct engine e;
    engine_begin(&e, 9);
    finish_database(&e);
    OK(cache_flush(e.file));
    engine_checkpoint(&e);
    g_autofree char *dir = picture(&e);
    g_autofree char *path = g_build_filename(dir, "app.edb", NULL);
    g_unlink(path);
    struct recovery_result result;
    struct recovery_map map = {.log_path = e.path, .file_path = path};
    struct recovery_params p = {.log = {.dir = dir,
                                        .base = "edb",
                                        .eight_dot_three = true,
                                        .file_kib = LOG_KIB,
                                        .page_bytes = PAGE_BYTES},
                                .map = &map,
                                .n_map = 1};
    assert_int_equal(recovery_soft(&p, &result), JET_errAttachedDatabaseMismatch);
    p.grbit = JET_bitReplayIgnoreMissingDB;
    OK(recovery_soft(&p, &result));
    remove_dir(dir);
    engine_end(&e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_created_database_is_removed),
        cmocka_unit_test(test_missing_database_is_a_mismatch_unless_ignored),
        cmocka_unit_test(test_every_prefix_of_the_log_gives_its_commits),
        cmocka_unit_test(test_crash_at_any_point_keeps_what_was_flushed),
        cmocka_unit_test(test_crash_inside_recovery_is_harmless),
        cmocka_unit_test(test_crash_inside_undo_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
