/* SPDX-License-Identifier: MIT */
/*
 * codes_restore: JetExternalRestore of a backup that is damaged in one place: the code that its
 * documentation has for it, and no database that looks restored. A table: what is done, what comes.
 *
 * The set is a plain external backup whose databases need several logs, and the logs of an
 * incremental one. What JetxRestoreBackup and jetfs verify say of the same and of more is tested in
 * tests/integration/test_mutilations.py.
 */
#include <stdbool.h>

#include "codes.h"
#include "instance/event.h"
#include "log/filehdr.h"
#include "log/names.h"
#include "log/segment.h"
#include "page/checksum.h"
#include "page/dbheader.h"
#include "page/page.h"

#define PAGE 4096u
#define DB   "test.edb"

static struct codes_set set; /* made once */
static uint32_t hot;         /* a page of it that redo changes */

/* ---- bytes of files ---- */

struct bytes {
    char *path;
    uint8_t *data;
    gsize len;
};

static struct bytes
take(const char *dir, const char *name)
{
    struct bytes b = {.path = g_build_filename(dir, name, NULL)};
    assert_true(g_file_get_contents(b.path, (char **)&b.data, &b.len, NULL));
    return b;
}

static void
put(struct bytes *b)
{
    assert_true(g_file_set_contents(b->path, (const char *)b->data, (gssize)b->len, NULL));
    g_free(b->path);
    g_free(b->data);
}

static char *
log_of(int32_t gen)
{
    return log_name_archive("edb", "log", gen, true);
}

static struct bytes
take_log(const char *dir, int32_t gen)
{
    g_autofree char *name = log_of(gen);
    return take(dir, name);
}

static void
drop(const char *dir, int32_t gen)
{
    g_autofree char *name = log_of(gen);
    g_autofree char *path = g_build_filename(dir, name, NULL);
    assert_int_equal(g_unlink(path), 0);
}

static void
move_log(const char *from, const char *to, int32_t gen)
{
    g_autofree char *name = log_of(gen);
    g_autofree char *old = g_build_filename(from, name, NULL);
    g_autofree char *new = g_build_filename(to, name, NULL);
    assert_int_equal(g_rename(old, new), 0);
}

/* ---- what is done: to the set in dir; logs: the directory where the stream goes on ---- */

typedef void (*mutilation)(const char *dir, const char *logs);

static void
nothing(const char *dir, const char *logs)
{
}

static void
lose_database(const char *dir, const char *logs)
{
    g_autofree char *path = g_build_filename(dir, DB, NULL);
    g_unlink(path);
}

static void
damage_headers(const char *dir, const char *logs)
{
    struct bytes b = take(dir, DB);
    b.data[100] ^= 1;
    b.data[PAGE + 100] ^= 1;
    put(&b);
}

static void
no_database(const char *dir, const char *logs)
{
    struct bytes b = take(dir, DB);
    memset(b.data, 'x', 2 * PAGE);
    put(&b);
}

static void
clear_marks(const char *dir, const char *logs)
{
    struct bytes b = take(dir, DB);
    for (unsigned slot = 0; slot < 2; slot++) {
        uint8_t *h = b.data + (gsize)slot * PAGE;
        memset(h + DBH_BK_FULL_CUR, 0, DBHEADER_BKINFO_BYTES);
        le32_put(h, checksum_header(h, PAGE));
    }
    put(&b);
}

static void
damage_trailer(const char *dir, const char *logs)
{
    struct bytes b = take(dir, DB);
    b.data[b.len - PAGE + 64] ^= 1;
    put(&b);
}

static void
lose_tail(const char *dir, const char *logs)
{
    struct bytes b = take(dir, DB);
    b.len -= 100;
    put(&b);
}

/* A field of the trailer is another's; its checksum holds. */
static void
forge_trailer(const char *dir, gsize at)
{
    struct bytes b = take(dir, DB);
    uint8_t *t = b.data + b.len - PAGE;
    t[at] ^= 1;
    le32_put(t, checksum_header(t, PAGE));
    put(&b);
}

static void
mark_of_another_run(const char *dir, const char *logs)
{
    forge_trailer(dir, 40);
}

static void
trailer_of_another_database(const char *dir, const char *logs)
{
    forge_trailer(dir, 64);
}

static void
trailer_of_another_stream(const char *dir, const char *logs)
{
    forge_trailer(dir, 92);
}

static void
lose_middle_log(const char *dir, const char *logs)
{
    drop(dir, set.low + 1);
}

static void
damage_log_header(const char *dir, const char *logs)
{
    struct bytes b = take_log(dir, set.low + 1);
    b.data[700] ^= 1;
    put(&b);
}

static void
forge_log(const char *dir, int32_t gen, gsize at)
{
    struct bytes b = take_log(dir, gen);
    b.data[at] ^= 1;
    le32_put(b.data, checksum_header(b.data, LOG_HEADER_BYTES));
    put(&b);
}

static void
log_of_another_instance(const char *dir, const char *logs)
{
    forge_log(dir, set.low + 1, 44);
}

static void
log_of_another_run(const char *dir, const char *logs)
{
    forge_log(dir, set.low + 1, 24);
}

static void
log_of_a_newer_version(const char *dir, const char *logs)
{
    struct bytes b = take_log(dir, set.low + 1);
    le32_put(b.data + 40, 999);
    le32_put(b.data, checksum_header(b.data, LOG_HEADER_BYTES));
    put(&b);
}

static void
swap_logs(const char *dir, const char *logs)
{
    struct bytes a = take_log(dir, set.low), b = take_log(dir, set.low + 1);
    char *path = a.path;
    a.path = b.path;
    b.path = path;
    put(&a);
    put(&b);
}

static void
cut_log(const char *dir, const char *logs)
{
    struct bytes b = take_log(dir, set.low + 1);
    b.len -= SEGMENT_BYTES;
    put(&b);
}

static void
empty_log(const char *dir, const char *logs)
{
    struct bytes b = take_log(dir, set.low + 1);
    b.len = 0;
    put(&b);
}

static void
damage_segment(const char *dir, int32_t gen)
{
    struct bytes b = take_log(dir, gen);
    b.data[2 * SEGMENT_BYTES + 100] ^= 0x11;
    put(&b);
}

static void
corrupt_log(const char *dir, const char *logs)
{
    damage_segment(dir, set.low + 1);
}

static uint16_t
last_segment(const struct bytes *b)
{
    uint16_t isec = (uint16_t)(b->len / SEGMENT_BYTES - 1);
    while (isec > 1 && segment_is_zero(b->data + (gsize)isec * SEGMENT_BYTES))
        isec--;
    return isec;
}

/* Written twice, the first time torn. */
static void
tear_log(const char *dir, const char *logs)
{
    struct bytes b = take_log(dir, set.high);
    uint8_t *seg = b.data + (gsize)last_segment(&b) * SEGMENT_BYTES;
    assert_true((gsize)(seg - b.data) + (gsize)3 * SEGMENT_BYTES <= b.len);
    memcpy(seg + SEGMENT_BYTES, seg, SEGMENT_BYTES);
    memset(seg + SEGMENT_HEADER_BYTES, 0, SEGMENT_BYTES / 2);
    put(&b);
}

static void
lose_end_of_log(const char *dir, const char *logs)
{
    struct bytes b = take_log(dir, set.high);
    memset(b.data + (gsize)last_segment(&b) * SEGMENT_BYTES, 0, SEGMENT_BYTES);
    put(&b);
}

/* The last segment of a log is half written: a crash of the writer. */
static void
tear_end(const char *dir, int32_t gen)
{
    struct bytes b = take_log(dir, gen);
    b.data[(gsize)last_segment(&b) * SEGMENT_BYTES + 60] ^= 0x11;
    put(&b);
}

static void
tear_last_log(const char *dir, const char *logs)
{
    tear_end(dir, set.high);
}

/* ---- pages that redo changes ---- */

static uint8_t *
page_at(const struct bytes *b, uint32_t pgno)
{
    return b->data + ((gsize)pgno + 1) * PAGE;
}

static void
set_time(const char *dir, int64_t change)
{
    struct bytes b = take(dir, DB);
    struct page page;
    page_init(&page, page_at(&b, hot), PAGE, hot);
    page_set_dbtime(&page, (uint64_t)((int64_t)page_dbtime(&page) + change));
    page_stamp(page_at(&b, hot), PAGE, hot);
    put(&b);
}

static void
older_page(const char *dir, const char *logs)
{
    set_time(dir, -1);
}

static void
younger_page(const char *dir, const char *logs)
{
    set_time(dir, 1);
}

static void
empty_page(const char *dir, const char *logs)
{
    struct bytes b = take(dir, DB);
    memset(page_at(&b, hot), 0, PAGE);
    put(&b);
}

static void
damage_page(const char *dir, const char *logs)
{
    struct bytes b = take(dir, DB);
    page_at(&b, hot)[200] ^= 0x11;
    put(&b);
}

/* ---- logs where the stream goes on ---- */

static void
logs_that_go_on(const char *dir, const char *logs)
{
    for (int32_t gen = set.high + 1; gen <= set.last; gen++)
        move_log(dir, logs, gen);
}

static void
gap_before_those_that_go_on(const char *dir, const char *logs)
{
    logs_that_go_on(dir, logs);
    drop(logs, set.high + 1);
}

static void
others_that_go_on(const char *dir, const char *logs)
{
    logs_that_go_on(dir, logs);
    forge_log(logs, set.high + 1, 44);
}

static void
those_that_go_on_of_another_run(const char *dir, const char *logs)
{
    logs_that_go_on(dir, logs);
    forge_log(logs, set.high + 1, 24);
}

static void
corrupt_log_that_goes_on(const char *dir, const char *logs)
{
    logs_that_go_on(dir, logs);
    damage_segment(logs, set.high + 1);
}

static void
tear_last_log_and_go_on(const char *dir, const char *logs)
{
    logs_that_go_on(dir, logs);
    tear_end(dir, set.high);
}

static void
tear_log_that_goes_on(const char *dir, const char *logs)
{
    logs_that_go_on(dir, logs);
    tear_end(logs, set.high + 1);
}

static void
tear_newest_log(const char *dir, const char *logs)
{
    logs_that_go_on(dir, logs);
    tear_end(logs, set.last);
}

/* ---- the table ---- */

enum range { ALL, FULL, LOW_TOO_HIGH, HIGH_TOO_LOW, LOW_MISSING, HIGH_MISSING };

static const struct row {
    const char *name;
    mutilation change;
    enum range range;
    JET_ERR want;
    int event; /* 0 = none in particular */
} rows[] = {
    {"nothing", nothing, ALL, JET_errSuccess, 204},
    {"nothing, only the logs of the full backup", nothing, FULL, JET_errSuccess, 205},
    {"logs that go on", logs_that_go_on, FULL, JET_errSuccess, 0},
    {"genLow above what is needed", nothing, LOW_TOO_HIGH, JET_errStartingRestoreLogTooHigh, 431},
    {"genHigh below what is needed", nothing, HIGH_TOO_LOW, JET_errEndingRestoreLogTooLow, 432},
    {"genLow is not there", nothing, LOW_MISSING, JET_errFileNotFound, 435},
    {"genHigh is not there", nothing, HIGH_MISSING, JET_errFileNotFound, 435},
    {"a log in the middle is not there", lose_middle_log, ALL, JET_errFileNotFound, 435},
    {"database is not there", lose_database, ALL, JET_errFileNotFound, 0},
    {"both headers damaged", damage_headers, ALL, JET_errDatabaseCorrupted, 0},
    {"no database at all", no_database, ALL, JET_errDatabaseCorrupted, 0},
    {"no marks of a backup", clear_marks, ALL, JET_errRestoreOfNonBackupDatabase, 0},
    {"trailer damaged", damage_trailer, ALL, JET_errBadPatchPage, 0},
    {"database cut", lose_tail, ALL, JET_errBadPatchPage, 0},
    {"trailer of another run", mark_of_another_run, ALL, JET_errDatabasePatchFileMismatch, 430},
    {"trailer of another database", trailer_of_another_database, ALL,
     JET_errDatabasePatchFileMismatch, 430},
    {"trailer of another stream", trailer_of_another_stream, ALL, JET_errDatabasePatchFileMismatch,
     430},
    {"log header damaged", damage_log_header, ALL, JET_errLogFileCorrupt, 0},
    {"log without a byte", empty_log, ALL, JET_errLogFileCorrupt, 0},
    {"log of another instance", log_of_another_instance, ALL, JET_errBadLogSignature, 0},
    {"log of another run", log_of_another_run, ALL, JET_errGivenLogFileIsNotContiguous, 434},
    {"log of a newer version", log_of_a_newer_version, ALL, JET_errBadLogVersion, 0},
    {"two logs swapped", swap_logs, ALL, JET_errLogGenerationMismatch, 0},
    {"log cut", cut_log, ALL, JET_errLogFileSizeMismatch, 0},
    {"segment damaged", corrupt_log, ALL, JET_errLogCorruptDuringHardRestore, 454},
    {"segment torn", tear_log, ALL, JET_errLogTornWriteDuringHardRestore, 454},
    {"end of the last log torn", tear_last_log, FULL, JET_errLogTornWriteDuringHardRestore, 454},
    {"end of the last log torn, others go on", tear_last_log_and_go_on, FULL,
     JET_errRedoAbruptEnded, 446},
    {"end of a log that goes on torn", tear_log_that_goes_on, FULL,
     JET_errLogTornWriteDuringHardRecovery, 454},
    {"end of the newest log torn", tear_newest_log, FULL, JET_errSuccess, 0},
    {"end of a log lost", lose_end_of_log, ALL, JET_errLogSequenceChecksumMismatch, 454},
    {"older page", older_page, ALL, JET_errDbTimeTooOld, 454},
    {"younger page", younger_page, ALL, JET_errDbTimeTooNew, 454},
    {"empty page", empty_page, ALL, JET_errPageNotInitialized, 454},
    {"page damaged", damage_page, ALL, JET_errReadVerifyFailure, 454},
    {"gap before the logs that go on", gap_before_those_that_go_on, FULL,
     JET_errMissingCurrentLogFiles, 450},
    {"logs of another instance go on", others_that_go_on, FULL,
     JET_errExistingLogFileHasBadSignature, 457},
    {"logs of another run go on", those_that_go_on_of_another_run, FULL,
     JET_errExistingLogFileIsNotContiguous, 458},
    {"a log that goes on is damaged", corrupt_log_that_goes_on, FULL,
     JET_errLogCorruptDuringHardRecovery, 454},
};

static bool heard[1024];

static void
hear(void *ctx, enum event_id id, enum event_type type, const char *text)
{
    if ((size_t)id < G_N_ELEMENTS(heard))
        heard[id] = true;
}

static JET_ERR
restore(const struct row *row, const char *dir, const char *logs)
{
    g_autofree char *db = g_build_filename(dir, DB, NULL);
    JET_RSTMAP_A map = {db, db};
    int32_t low = set.low + (row->range == LOW_TOO_HIGH) - (row->range == LOW_MISSING);
    assert_true(low > 0); /* 0 would be the lowest that is there */
    int32_t high = row->range == ALL            ? set.last
                   : row->range == HIGH_TOO_LOW ? set.low
                   : row->range == HIGH_MISSING ? set.last + 1
                                                : set.high;
    return JetExternalRestoreA((char *)logs, (char *)logs, &map, 1, (char *)dir, low, high, NULL);
}

/* A state that JetAttachDatabase would take for good. */
static bool
is_clean(const char *dir)
{
    struct bytes b = {.path = g_build_filename(dir, DB, NULL)};
    bool clean = false;
    if (g_file_get_contents(b.path, (char **)&b.data, &b.len, NULL))
        clean = le32_get(b.data + DBH_DBSTATE) == DBSTATE_CLEAN ||
                le32_get(b.data + PAGE + DBH_DBSTATE) == DBSTATE_CLEAN;
    g_free(b.path);
    g_free(b.data);
    return clean;
}

static void
run_row(void **state)
{
    const struct row *row = *state;
    g_autofree char *dir = g_dir_make_tmp("codes-XXXXXX", NULL);
    g_autofree char *logs = g_dir_make_tmp("codes-logs-XXXXXX", NULL);
    codes_copy_dir(set.dir, dir);
    row->change(dir, logs);
    memset(heard, 0, sizeof heard);
    event_listen(hear, NULL);
    JET_ERR err = restore(row, dir, logs);
    event_listen(NULL, NULL);
    bool clean = is_clean(dir);
    remove_tree(dir);
    remove_tree(logs);
    if (err != row->want)
        fail_msg("%s: %d (%s), expected %d", row->name, err, JetxErrorNameA(err), row->want);
    if (clean != (err >= 0))
        fail_msg("%s: the database is %sclean", row->name, clean ? "" : "not ");
    if (row->event != 0 && !heard[row->event])
        fail_msg("%s: no event %d", row->name, row->event);
}

/* The leaf that the logs change most late: its dbtime differs after a restore. */
static uint32_t
find_hot(void)
{
    g_autofree char *dir = g_dir_make_tmp("codes-XXXXXX", NULL);
    uint32_t found = 0;
    codes_copy_dir(set.dir, dir);
    assert_int_equal(restore(&rows[0], dir, dir), JET_errSuccess);
    struct bytes was = take(set.dir, DB), is = take(dir, DB);
    for (uint32_t pgno = 1; (gsize)(pgno + 2) * PAGE <= MIN(was.len, is.len); pgno++) {
        struct page a, b;
        page_init(&a, page_at(&was, pgno), PAGE, pgno);
        page_init(&b, page_at(&is, pgno), PAGE, pgno);
        if (!page_is_zero(&a) && page_is_leaf(&a) && !page_is_root(&a) &&
            page_dbtime(&b) > page_dbtime(&a) + 100)
            found = pgno;
    }
    g_free(was.path);
    g_free(was.data);
    g_free(is.path);
    g_free(is.data);
    remove_tree(dir);
    assert_true(found != 0);
    return found;
}

/* ---- what needs an instance ---- */

static void
test_log_path_of_a_running_instance(void **state)
{
    struct fixture *f = *state;
    g_autofree char *dir = g_dir_make_tmp("codes-XXXXXX", NULL);
    codes_copy_dir(set.dir, dir);
    JET_ERR err = restore(&rows[0], dir, f->dir);
    remove_tree(dir);
    assert_int_equal(err, JET_errLogFilePathInUse);
}

static void
test_target_instance_that_runs_is_a_warning(void **state)
{
    struct codes_set own;
    codes_fill_set(*state, &own);
    g_autofree char *logs = g_dir_make_tmp("codes-logs-XXXXXX", NULL);
    g_autofree char *db = g_build_filename(own.dir, DB, NULL);
    JET_RSTMAP_A map = {db, db};
    JET_LOGINFO_A info = {sizeof info, (uint32_t)own.low, (uint32_t)own.last, "edb"};
    char name[] = "test";
    JET_ERR err = JetExternalRestore2A(logs, logs, &map, 1, own.dir, &info, name, NULL, NULL, NULL);
    remove_tree(logs);
    codes_free_set(&own);
    assert_int_equal(err, JET_wrnTargetInstanceRunning);
}

static JET_ERR
refuse(JET_SESID sesid, JET_SNP snp, JET_SNT snt, void *pv)
{
    return snt == JET_sntBegin ? JET_errOutOfMemory : JET_errSuccess;
}

static void
test_callback_that_refuses_gives_its_own_code(void **state)
{
    g_autofree char *dir = g_dir_make_tmp("codes-XXXXXX", NULL);
    g_autofree char *db = g_build_filename(dir, DB, NULL);
    JET_RSTMAP_A map = {db, db};
    codes_copy_dir(set.dir, dir);
    JET_ERR err = JetExternalRestoreA(dir, dir, &map, 1, dir, 0, 0, refuse);
    remove_tree(dir);
    assert_int_equal(err, JET_errOutOfMemory);
}

int
main(void)
{
    struct CMUnitTest tests[G_N_ELEMENTS(rows) + 3];
    size_t n = 0;
    codes_make_set(&set);
    hot = find_hot();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        tests[n++] = (struct CMUnitTest) {
            .name = rows[i].name, .test_func = run_row, .initial_state = (void *)&rows[i]};
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(
        test_log_path_of_a_running_instance, fixture_setup, fixture_teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test_setup_teardown(
        test_target_instance_that_runs_is_a_warning, fixture_setup, fixture_teardown);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_callback_that_refuses_gives_its_own_code);
    int failed = _cmocka_run_group_tests("codes_restore", tests, n, NULL, NULL);
    codes_free_set(&set);
    return failed;
}
