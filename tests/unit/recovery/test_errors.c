/* SPDX-License-Identifier: MIT */
/*
 * errors: what JetInit says when files are missing, swapped, damaged or of another time (log
 * format, 5.7). One crashed engine over several generations is the start of all; each test damages
 * a copy.
 */
#include "crash.h"

#include "log/filehdr.h"
#include "log/reader.h"
#include "page/checksum.h"

struct crashed {
    struct engine e;
    char *dir;      /* the crash: database flushed at half time, four generations and more */
    int32_t last;   /* current generation in dir */
    char *early_db; /* directory with the database as it was at first */
};

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
    struct crashed *c = g_new0(struct crashed, 1);
    engine_begin(&c->e, 99);
    finish_database(&c->e);
    c->early_db = frozen_copy(&c->e);
    while (log_gen(c->e.log) < 5) {
        step(&c->e);
        if (log_gen(c->e.log) == 3 && dbfile_max_required(c->e.file) < 3)
            OK(cache_flush(c->e.file));
    }
    OK(log_flush_all(c->e.log));
    c->last = log_gen(c->e.log);
    c->dir = frozen_copy(&c->e);
    *state = c;
    return 0;
}

static int
teardown(void **state)
{
    struct crashed *c = *state;
    remove_dir(c->dir);
    remove_dir(c->early_db);
    engine_end(&c->e);
    g_free(c->dir);
    g_free(c->early_db);
    g_free(c);
    return 0;
}

static char *
file_in(const char *dir, const char *name)
{
    return g_build_filename(dir, name, NULL);
}

static char *
archive(const char *dir, int32_t gen)
{
    g_autofree char *name = log_name_archive("edb", "log", gen, true);
    return file_in(dir, name);
}

static void
edit(const char *path, void (*change)(uint8_t *data, gsize len, int arg), int arg)
{
    g_autofree char *data = NULL;
    gsize len;
    assert_true(g_file_get_contents(path, &data, &len, NULL));
    change((uint8_t *)data, len, arg);
    assert_true(g_file_set_contents(path, data, (gssize)len, NULL));
}

static void
remove_file(const char *dir, const char *name)
{
    g_autofree char *path = file_in(dir, name);
    assert_int_equal(g_unlink(path), 0);
}

/* Recovers a copy that was damaged, removes it. */
static JET_ERR
outcome(struct crashed *c, char *dir, JET_GRBIT grbit, bool out_of_range,
        struct recovery_result *result)
{
    g_autofree char *path = file_in(dir, "app.edb");
    struct recovery_map map = {.log_path = c->e.path, .file_path = path};
    struct recovery_params p = {.log = {.dir = dir,
                                        .base = "edb",
                                        .eight_dot_three = true,
                                        .file_kib = LOG_KIB,
                                        .page_bytes = PAGE_BYTES},
                                .map = &map,
                                .n_map = 1,
                                .grbit = grbit,
                                .delete_out_of_range = out_of_range};
    return recovery_soft(&p, result);
}

static void
expect(struct crashed *c, char *dir, JET_GRBIT grbit, JET_ERR want)
{
    struct recovery_result result;
    JET_ERR err = outcome(c, dir, grbit, false, &result);
    remove_dir(dir);
    g_free(dir);
    assert_int_equal(err, want);
}

static void
test_undamaged_crash_recovers(void **state)
{
    struct crashed *c = *state;
    expect(c, copy_dir(c->dir, NULL), 0, JET_errSuccess);
}

static void
test_no_log_at_all(void **state)
{
    struct crashed *c = *state;
    char *dir = g_dir_make_tmp("empty-XXXXXX", NULL);
    struct recovery_result result;
    assert_int_equal(outcome(c, dir, JET_bitLogStreamMustExist, false, &result),
                     JET_errFileNotFound);
    g_autofree char *chk = file_in(dir, "edb.chk");
    assert_true(g_file_set_contents(chk, "stale", 5, NULL));
    assert_int_equal(outcome(c, dir, 0, false, &result), 0);
    assert_true(result.fresh);
    assert_false(g_file_test(chk, G_FILE_TEST_EXISTS));
    remove_dir(dir);
    g_free(dir);
}

static void
test_missing_logs(void **state)
{
    struct crashed *c = *state;
    /* the current one, and no sign of a roll under way */
    char *dir = copy_dir(c->dir, NULL);
    remove_file(dir, "edb.log");
    g_autofree char *tmp = file_in(dir, "edbtmp.log");
    g_unlink(tmp);
    expect(c, dir, 0, JET_errMissingLogFile);
    /* a hole */
    dir = copy_dir(c->dir, NULL);
    g_autofree char *two = archive(dir, 2);
    assert_int_equal(g_unlink(two), 0);
    expect(c, dir, 0, JET_errMissingLogFile);
    /* the first needed one: redo finds no checkpoint, begins at generation 2 with a database that
     * needs 1 */
    dir = copy_dir(c->dir, NULL);
    g_autofree char *one = archive(dir, 1);
    assert_int_equal(g_unlink(one), 0);
    expect(c, dir, 0, JET_errRequiredLogFilesMissing);
}

static void
test_crash_inside_a_roll_goes_on(void **state)
{
    struct crashed *c = *state;
    char *dir = copy_dir(c->dir, NULL);
    g_autofree char *current = file_in(dir, "edb.log");
    g_autofree char *last = archive(dir, c->last);
    g_autofree char *tmp = file_in(dir, "edbtmp.log");
    assert_int_equal(g_rename(current, last), 0);
    assert_true(g_file_set_contents(tmp, "half made", 9, NULL));
    struct recovery_result result;
    assert_int_equal(outcome(c, dir, 0, false, &result), 0);
    assert_int_equal(result.resume.gen, c->last + 1);
    check_dir(&c->e, dir, UINT64_MAX);
    remove_dir(dir);
    g_free(dir);
}

static void
end_after_generation(struct crashed *c, const char *dir, int32_t gen)
{
    remove_file(dir, "edb.log");
    for (int32_t g = gen + 1; g < c->last; g++) {
        g_autofree char *path = archive(dir, g);
        assert_int_equal(g_unlink(path), 0);
    }
    g_autofree char *tmp = file_in(dir, "edbtmp.log");
    assert_true(g_file_set_contents(tmp, "", 0, NULL));
}

static void
test_chain_ends_too_early(void **state)
{
    struct crashed *c = *state;
    char *dir = copy_dir(c->dir, NULL);
    end_after_generation(c, dir, 2);
    expect(c, dir, 0, JET_errRequiredLogFilesMissing);
    dir = copy_dir(c->dir, NULL);
    end_after_generation(c, dir, 2);
    expect(c, dir, JET_bitReplayIgnoreLostLogs, JET_errRequiredLogFilesMissing);
}

static void
set_committed(uint8_t *data, gsize len, int gen)
{
    (void)len;
    for (int copy = 0; copy < 2; copy++) {
        uint8_t *h = data + copy * PAGE_BYTES;
        le32_put(h + DBH_GEN_MAX_COMMITTED, (uint32_t)gen);
        le32_put(h + DBH_GEN_MAX_REQUIRED, 1);
        le32_put(h, checksum_header(h, PAGE_BYTES));
    }
}

static void
use_early_database(struct crashed *c, const char *dir, int committed)
{
    copy_file(c->early_db, dir, "app.edb");
    g_autofree char *db = file_in(dir, "app.edb");
    edit(db, set_committed, committed);
}

static void
test_only_committed_work_is_lost(void **state)
{
    struct crashed *c = *state;
    char *dir = copy_dir(c->dir, NULL);
    use_early_database(c, dir, 4);
    end_after_generation(c, dir, 3);
    expect(c, dir, 0, JET_errCommittedLogFilesMissing);
    dir = copy_dir(c->dir, NULL);
    use_early_database(c, dir, 4);
    end_after_generation(c, dir, 3);
    expect(c, dir, JET_bitReplayIgnoreLostLogs, JET_wrnCommittedLogFilesLost);
}

static void
garble(uint8_t *data, gsize len, int isec)
{
    (void)len;
    for (int i = 512; i < 4096; i++)
        data[isec * 4096 + i] = (uint8_t)(i * i >> 3 ^ 0x55);
}

static void
test_damaged_segment(void **state)
{
    struct crashed *c = *state;
    /* needed by the database */
    char *dir = copy_dir(c->dir, NULL);
    g_autofree char *two = archive(dir, 2);
    edit(two, garble, 4);
    expect(c, dir, 0, JET_errLogFileCorrupt);
    /* not needed */
    dir = copy_dir(c->dir, NULL);
    use_early_database(c, dir, 4);
    g_autofree char *three = archive(dir, 3);
    edit(three, garble, 4);
    expect(c, dir, 0, JET_errCommittedLogFileCorrupt);
}

static void
test_damaged_log_is_given_up_when_asked(void **state)
{
    struct crashed *c = *state;
    char *dir = copy_dir(c->dir, NULL);
    use_early_database(c, dir, 2);
    g_autofree char *three = archive(dir, 3);
    edit(three, garble, 4);
    struct recovery_result result;
    assert_int_equal(outcome(c, dir, JET_bitReplayIgnoreLostLogs, true, &result),
                     JET_wrnCommittedLogFilesRemoved);
    assert_int_equal(result.resume.gen, 3);
    check_dir(&c->e, dir, (uint64_t)3 << 32);
    assert_int_equal(outcome(c, dir, 0, false, &result), 0);
    remove_dir(dir);
    g_free(dir);
}

static void
set_header(uint8_t *data, gsize len, int at)
{
    (void)len;
    data[at] ^= 0x41;
    if (at != 1)
        le32_put(data, checksum_header(data, 4096));
}

static void
expect_header(struct crashed *c, int at, JET_ERR want)
{
    char *dir = copy_dir(c->dir, NULL);
    g_autofree char *three = archive(dir, 3);
    edit(three, set_header, at);
    expect(c, dir, 0, want);
}

static void
test_headers_that_do_not_fit(void **state)
{
    struct crashed *c = *state;
    expect_header(c, 1, JET_errLogFileCorrupt);
    expect_header(c, 667, JET_errFileInvalidType);
    expect_header(c, 44, JET_errBadLogSignature);
    expect_header(c, 4, JET_errLogGenerationMismatch);
    expect_header(c, 24, JET_errInvalidLogSequence);
    expect_header(c, 653, JET_errLogSequenceChecksumMismatch);
    expect_header(c, 40, JET_errBadLogVersion);
}

static void
test_other_page_size(void **state)
{
    struct crashed *c = *state;
    char *dir = copy_dir(c->dir, NULL);
    struct recovery_result result;
    struct recovery_params p = {.log = {.dir = dir,
                                        .base = "edb",
                                        .eight_dot_three = true,
                                        .file_kib = LOG_KIB,
                                        .page_bytes = 8192}};
    assert_int_equal(recovery_soft(&p, &result), JET_errPageSizeMismatch);
    remove_dir(dir);
    g_free(dir);
}

static void
test_foreign_or_bad_checkpoint_is_ignored(void **state)
{
    struct crashed *c = *state;
    struct checkpoint cp = {.checkpoint = {0, 3, 4}, .attach_valid = true, .signature = {1}};
    char *dir = copy_dir(c->dir, NULL);
    g_autofree char *chk = file_in(dir, "edb.chk");
    OK(checkpoint_write(chk, &cp));
    expect(c, dir, 0, JET_errSuccess);
    dir = copy_dir(c->dir, NULL);
    g_autofree char *bad = file_in(dir, "edb.chk");
    assert_true(g_file_set_contents(bad, "x", 1, NULL));
    expect(c, dir, 0, JET_errSuccess);
}

static void
set_backup_mark(uint8_t *data, gsize len, int gen_low)
{
    (void)len;
    for (int copy = 0; copy < 2; copy++) {
        uint8_t *h = data + copy * PAGE_BYTES;
        le32_put(h + DBH_BK_FULL_CUR + BKINFO_GEN_LOW, (uint32_t)gen_low);
        le32_put(h, checksum_header(h, PAGE_BYTES));
    }
}

static void
test_backup_copy_needs_restore(void **state)
{
    struct crashed *c = *state;
    char *dir = copy_dir(c->dir, NULL);
    g_autofree char *db = file_in(dir, "app.edb");
    edit(db, set_backup_mark, 1);
    expect(c, dir, 0, JET_errSoftRecoveryOnBackupDatabase);
}

static void
test_database_of_another_stream_is_a_mismatch(void **state)
{
    struct crashed *c = *state;
    struct engine other;
    engine_begin(&other, 3);
    finish_database(&other);
    char *dir = copy_dir(c->dir, NULL);
    cache_write_pause(other.cache);
    copy_file(other.dir, dir, "app.edb");
    cache_write_resume(other.cache);
    engine_end(&other);
    expect(c, dir, 0, JET_errAttachedDatabaseMismatch);
}

static void
test_redo_alone_says_so(void **state)
{
    struct crashed *c = *state;
    expect(c, copy_dir(c->dir, NULL), JET_bitRecoveryWithoutUndo, JET_errRecoveredWithoutUndo);
}

static void
test_archives_go_when_asked(void **state)
{
    struct crashed *c = *state;
    char *dir = copy_dir(c->dir, NULL);
    struct recovery_result result;
    assert_int_equal(outcome(c, dir, JET_bitTruncateLogsAfterRecovery, false, &result), 0);
    g_autofree char *two = archive(dir, 2);
    assert_false(g_file_test(two, G_FILE_TEST_EXISTS));
    assert_int_equal(outcome(c, dir, 0, false, &result), 0);
    assert_false(result.recovered);
    remove_dir(dir);
    g_free(dir);
}

/* ---- hard recovery ---- */

static void
set_genhigh(uint8_t *data, gsize len, int gen)
{
    (void)len;
    for (int copy = 0; copy < 2; copy++) {
        uint8_t *h = data + copy * PAGE_BYTES;
        le32_put(h + DBH_BK_FULL_CUR + BKINFO_GEN_LOW, 1);
        le32_put(h + DBH_BK_FULL_CUR + BKINFO_GEN_HIGH, (uint32_t)gen);
        le32_put(h + DBH_GEN_MAX_REQUIRED, (uint32_t)gen);
        le32_put(h + DBH_GEN_MAX_COMMITTED, (uint32_t)gen);
        le64_put(h + DBH_TIME_GEN_MAX_CREATE, 0);
        le32_put(h, checksum_header(h, PAGE_BYTES));
    }
}

/* Backup set = early database + generations 1 .. high; log directory as given. */
static JET_ERR
restore(struct crashed *c, const char *set_dir, const char *log_dir, int32_t high, bool go_on,
        struct recovery_result *result)
{
    g_autofree char *db = file_in(log_dir, "app.edb");
    copy_file(c->early_db, log_dir, "app.edb");
    edit(db, set_genhigh, high);
    struct recovery_map map = {.sign_db = c->e.sign_db, .file_path = db};
    struct recovery_params p = {.log = {.dir = log_dir,
                                        .base = "edb",
                                        .eight_dot_three = true,
                                        .file_kib = LOG_KIB,
                                        .page_bytes = PAGE_BYTES},
                                .map = &map,
                                .n_map = 1};
    struct log_gens logs;
    OK(log_gens_find(set_dir, "edb", "log", &logs));
    struct recovery_set set = {
        .logs = &logs, .gen_low = 1, .gen_high = high, .continue_with_log_dir = go_on};
    JET_ERR err = recovery_hard(&p, &set, result);
    log_gens_clear(&logs);
    return err;
}

static char *
set_of(struct crashed *c, int32_t high)
{
    char *dir = g_dir_make_tmp("set-XXXXXX", NULL);
    for (int32_t gen = 1; gen <= high; gen++) {
        g_autofree char *name = log_name_archive("edb", "log", gen, true);
        copy_file(c->dir, dir, name);
    }
    return dir;
}

static void
test_hard_recovery_from_the_set_alone(void **state)
{
    struct crashed *c = *state;
    char *set = set_of(c, 3), *dir = g_dir_make_tmp("target-XXXXXX", NULL);
    struct recovery_result result;
    assert_int_equal(restore(c, set, dir, 3, false, &result), 0);
    check_dir(&c->e, dir, (uint64_t)4 << 32);
    assert_int_equal(result.resume.gen, 4);
    assert_int_equal(outcome(c, dir, 0, false, &result), 0); /* the stream goes on */
    assert_false(result.recovered);
    /* again with a target that has been used: it continues no set */
    remove_dir(dir);
    remove_dir(set);
    g_free(dir);
    g_free(set);
}

static bool
is_log(const char *name)
{
    return g_str_has_suffix(name, ".log");
}

static void
test_hard_recovery_rolls_forward_through_the_log_directory(void **state)
{
    struct crashed *c = *state;
    char *set = set_of(c, 2), *dir = copy_dir(c->dir, is_log);
    struct recovery_result result;
    assert_int_equal(restore(c, set, dir, 2, true, &result), 0);
    check_dir(&c->e, dir, UINT64_MAX);
    remove_dir(dir);
    g_free(dir);
    /* a gap behind the set */
    dir = copy_dir(c->dir, is_log);
    g_autofree char *three = archive(dir, 3);
    g_unlink(three);
    assert_int_equal(restore(c, set, dir, 2, true, &result), JET_errMissingCurrentLogFiles);
    remove_dir(dir);
    g_free(dir);
    remove_dir(set);
    g_free(set);
}

static void
test_hard_recovery_with_damage(void **state)
{
    struct crashed *c = *state;
    struct recovery_result result;
    char *set = set_of(c, 3), *dir = g_dir_make_tmp("target-XXXXXX", NULL);
    g_autofree char *two = archive(set, 2);
    edit(two, garble, 4);
    assert_int_equal(restore(c, set, dir, 3, false, &result), JET_errLogCorruptDuringHardRestore);
    assert_int_equal(g_unlink(two), 0);
    assert_int_equal(restore(c, set, dir, 3, false, &result), JET_errFileNotFound);
    remove_dir(dir);
    remove_dir(set);
    g_free(dir);
    g_free(set);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_undamaged_crash_recovers),
        cmocka_unit_test(test_no_log_at_all),
        cmocka_unit_test(test_missing_logs),
        cmocka_unit_test(test_crash_inside_a_roll_goes_on),
        cmocka_unit_test(test_chain_ends_too_early),
        cmocka_unit_test(test_only_committed_work_is_lost),
        cmocka_unit_test(test_damaged_segment),
        cmocka_unit_test(test_damaged_log_is_given_up_when_asked),
        cmocka_unit_test(test_headers_that_do_not_fit),
        cmocka_unit_test(test_other_page_size),
        cmocka_unit_test(test_foreign_or_bad_checkpoint_is_ignored),
        cmocka_unit_test(test_backup_copy_needs_restore),
        cmocka_unit_test(test_database_of_another_stream_is_a_mismatch),
        cmocka_unit_test(test_redo_alone_says_so),
        cmocka_unit_test(test_archives_go_when_asked),
        cmocka_unit_test(test_hard_recovery_from_the_set_alone),
        cmocka_unit_test(test_hard_recovery_rolls_forward_through_the_log_directory),
        cmocka_unit_test(test_hard_recovery_with_damage),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
