/* SPDX-License-Identifier: MIT */
/*
 * golden_restore: cases 87 to 97, and what section 6.3 says besides. One instance at work gives a
 * backup set (full, then two incremental ones), an earlier set of the same database, the logs after
 * them, and a set of another stream. Each row damages copies of these and restores.
 */
#include "fixture.h"

#include "instance/event.h"
#include "log/filehdr.h"
#include "log/logtime.h"
#include "log/names.h"
#include "log/segment.h"
#include "page/dbheader.h"

#define PAGE 4096u

struct world {
    struct fixture *f;
    JET_TABLEID table;
    JET_COLUMNID id, name;
    int32_t next;
    char *early, *set, *later, *foreign; /* directories */
    char *crash;             /* all logs, the database as it was when the first of them began */
    int64_t set_ms;          /* when the set was whole */
    int32_t low, full, high; /* needed by the database from, up to; with the incremental ones */
    int32_t rows;            /* in the set */
};

static struct world w;

/* ---- making it ---- */

static void
add(int32_t n)
{
    ok(JetBeginTransaction(w.f->ses));
    for (int32_t i = 0; i < n; i++)
        insert_item(w.f, w.table, w.id, w.name, w.next++, "some text for an item");
    ok(JetCommitTransaction(w.f->ses, 0));
}

static char *
new_dir(const char *name)
{
    char *dir = g_build_filename(w.f->dir, name, NULL);
    g_mkdir(dir, 0700);
    return dir;
}

/* Never committed: it keeps the checkpoint, so that the database needs several logs. */
static void
begin_what_stays_open(void)
{
    JET_SESID ses;
    JET_DBID db;
    JET_TABLEID table;
    struct fixture other = *w.f;
    ok(JetBeginSession(w.f->inst, &ses, NULL, NULL));
    ok(JetOpenDatabase(ses, w.f->db_path, NULL, &db, 0));
    ok(JetOpenTable(ses, db, "Items", NULL, 0, 0, &table));
    ok(JetBeginTransaction(ses));
    other.ses = ses;
    insert_item(&other, table, w.id, w.name, 1000000, "never committed");
}

static void
roll(void)
{
    ok(JetxBeginFrozenBackup(w.f->inst, 0));
    (void)JetEndExternalBackupInstance2(w.f->inst, JET_bitBackupEndAbort);
}

static struct dbheader
header_of(const char *path)
{
    g_autofree char *data = NULL;
    gsize len;
    struct dbheader h;
    assert_true(g_file_get_contents(path, &data, &len, NULL));
    assert_int_equal(dbheader_decode((uint8_t *)data, PAGE, &h), 0);
    return h;
}

static void
copy_into(const char *from, const char *to, bool logs_only)
{
    g_autoptr(GDir) dir = g_dir_open(from, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *source = g_build_filename(from, name, NULL);
        g_autofree char *target = g_build_filename(to, name, NULL);
        g_autofree char *data = NULL;
        gsize len;
        if ((logs_only && (!g_str_has_suffix(name, ".log") || g_str_equal(name, "edbtmp.log"))) ||
            !g_file_test(source, G_FILE_TEST_IS_REGULAR))
            continue;
        assert_true(g_file_get_contents(source, &data, &len, NULL));
        assert_true(g_file_set_contents(target, data, (gssize)len, NULL));
    }
}

static void
make_foreign(void)
{
    void *state;
    w.foreign = g_dir_make_tmp("foreign-XXXXXX", NULL);
    fixture_setup(&state);
    struct fixture *other = state;
    JET_COLUMNID id, name;
    JET_TABLEID table = make_items(other, &id, &name);
    ok(JetCloseTable(other->ses, table));
    ok(JetBackupInstance(other->inst, w.foreign, 0, NULL));
    fixture_teardown(&state);
}

static int32_t
last_log(const char *dir)
{
    struct log_gens gens;
    assert_int_equal(log_gens_find(dir, "edb", "log", &gens), 0);
    int32_t last = gens.gens[gens.n - 1];
    log_gens_clear(&gens);
    return last;
}

static int
make_world(void **state)
{
    void *made;
    make_foreign();
    fixture_setup(&made);
    w.f = made;
    w.early = new_dir("early");
    w.set = new_dir("set");
    w.later = new_dir("later");
    w.crash = new_dir("crash");
    w.table = make_items(w.f, &w.id, &w.name);
    add(200);
    roll();
    fixture_restart(w.f); /* so that it was attached once before */
    roll();
    copy_into(w.f->dir, w.crash, false);
    ok(JetOpenTable(w.f->ses, w.f->db, "Items", NULL, 0, 0, &w.table));
    begin_what_stays_open();
    ok(JetBackupInstance(w.f->inst, w.early, 0, NULL));
    roll();
    add(200);
    ok(JetBackupInstance(w.f->inst, w.set, 0, NULL));
    for (int i = 0; i < 2; i++) {
        add(200);
        ok(JetBackupInstance(w.f->inst, w.set, JET_bitBackupIncremental, NULL));
    }
    w.rows = w.next;
    w.set_ms = g_get_real_time() / 1000;
    while (g_get_real_time() / 1000 < w.set_ms + 3) /* the log's clock counts milliseconds */
        continue;
    w.high = last_log(w.set);
    w.full = w.high - 2;
    add(200);
    roll();
    add(200);
    roll();
    add(200);
    copy_into(w.f->dir, w.later, true);
    copy_into(w.set, w.crash, true);
    copy_into(w.later, w.crash, true);
    g_autofree char *db = g_build_filename(w.set, "test.edb", NULL);
    struct dbheader h = header_of(db);
    w.low = (int32_t)dbheader_u32(&h, DBH_BK_FULL_CUR + BKINFO_GEN_LOW);
    assert_true(w.low < w.full); /* the rows want more than one log */
    (void)state;                 /* left alone: each test has its row there */
    return 0;
}

static int
drop_world(void **state)
{
    void *made = w.f;
    (void)state;
    fixture_teardown(&made);
    g_free(w.early);
    g_free(w.set);
    g_free(w.later);
    g_free(w.crash);
    remove_tree(w.foreign);
    g_free(w.foreign);
    return 0;
}

/* ---- a trial ---- */

struct trial {
    char *dir;   /* copy of the set */
    char *place; /* the log directory */
    char *db;
    int32_t low, high;
    JET_RSTMAP_A map;
    int32_t n_map;
    const char *log_path, *checkpoint_path, *target_name; /* of JetExternalRestore2 */
};

static bool heard[1024];
static GString *told;

static void
listen(void *ctx, enum event_id id, enum event_type type, const char *text)
{
    (void)ctx, (void)type;
    if ((unsigned)id < G_N_ELEMENTS(heard))
        heard[id] = true;
    g_string_append_printf(told, "%s\n", text);
}

static void
begin_trial(struct trial *t)
{
    *t = (struct trial) {.dir = g_dir_make_tmp("set-XXXXXX", NULL),
                         .place = g_dir_make_tmp("place-XXXXXX", NULL),
                         .low = w.low,
                         .high = w.high};
    copy_into(w.set, t->dir, false);
    t->db = g_build_filename(t->dir, "test.edb", NULL);
    t->map = (JET_RSTMAP_A) {w.f->db_path, t->db};
    t->n_map = 1;
    memset(heard, 0, sizeof heard);
    told = g_string_new(NULL);
    event_listen(listen, NULL);
}

static void
end_trial(struct trial *t)
{
    event_listen(NULL, NULL);
    g_string_free(told, TRUE);
    remove_tree(t->dir);
    remove_tree(t->place);
    g_free(t->dir);
    g_free(t->place);
    g_free(t->db);
}

static JET_ERR
restore(struct trial *t)
{
    JET_LOGINFO_A info = {sizeof info, (uint32_t)t->low, (uint32_t)t->high, "edb"};
    return JetExternalRestore2A(t->place, t->place, t->n_map ? &t->map : NULL, t->n_map, t->dir,
                                &info, (char *)t->target_name, (char *)t->log_path,
                                (char *)t->checkpoint_path, NULL);
}

static char *
log_in(const char *dir, int32_t gen)
{
    g_autofree char *name = log_name_archive("edb", "log", gen, true);
    return g_build_filename(dir, name, NULL);
}

/* ---- damage ---- */

typedef void (*edit_fn)(uint8_t *data, gsize *len);

static void
edit(const char *path, edit_fn fn)
{
    g_autofree char *data = NULL;
    gsize len;
    assert_true(g_file_get_contents(path, &data, &len, NULL));
    fn((uint8_t *)data, &len);
    assert_true(g_file_set_contents(path, data, (gssize)len, NULL));
}

static void
edit_log(const char *dir, int32_t gen, edit_fn fn)
{
    g_autofree char *path = log_in(dir, gen);
    edit(path, fn);
}

static void
set_header(uint8_t *data, size_t at, uint32_t value)
{
    struct dbheader h;
    assert_int_equal(dbheader_decode(data, PAGE, &h), 0);
    dbheader_set_u32(&h, at, value);
    dbheader_encode(&h, data, PAGE);
    memcpy(data + PAGE, data, PAGE);
}

static void
set_log_header(uint8_t *data, uint64_t prev_created)
{
    struct log_filehdr h;
    assert_int_equal(log_filehdr_decode(data, &h), 0);
    h.prev_created = prev_created;
    log_filehdr_encode(&h, data);
}

static void
break_chain(uint8_t *data, gsize *len)
{
    (void)len;
    set_log_header(data, 0x0101017b01010101);
}

static void
break_log_header(uint8_t *data, gsize *len)
{
    (void)len;
    data[100] ^= 0x11;
}

static void
break_segment(uint8_t *data, uint32_t isec)
{
    for (uint32_t i = 64; i < 4000; i++)
        data[(size_t)isec * 4096 + i] = (uint8_t)(i * i >> 3 ^ 0x5a);
}

static uint32_t
last_segment(const uint8_t *data, gsize len)
{
    uint32_t isec = 1;
    while ((isec + 1) * 4096u < len && !segment_is_zero(data + (isec + 1) * 4096u))
        isec++;
    return isec;
}

static void
break_first_segment(uint8_t *data, gsize *len)
{
    assert_true(last_segment(data, *len) > 2);
    break_segment(data, 1);
}

static void
break_last_segment(uint8_t *data, gsize *len)
{
    break_segment(data, last_segment(data, *len));
}

/* Written twice, the first time torn. */
static void
tear_last_segment(uint8_t *data, gsize *len)
{
    uint8_t *seg = data + last_segment(data, *len) * 4096u;
    memcpy(seg + 4096, seg, 4096);
    memset(seg + 40, 0, 2048);
}

static void
break_trailer(uint8_t *data, gsize *len)
{
    memset(data + *len - PAGE + 40, 0x5a, 24);
}

static void
break_headers(uint8_t *data, gsize *len)
{
    (void)len;
    memset(data + 16, 0x5a, 64);
    memset(data + PAGE + 16, 0x5a, 64);
}

static void
need_log_99(uint8_t *data, gsize *len)
{
    (void)len;
    set_header(data, DBH_GEN_MAX_REQUIRED, 99);
}

static void
committed_log_99(uint8_t *data, gsize *len)
{
    (void)len;
    set_header(data, DBH_GEN_MAX_COMMITTED, 99);
}

static void
other_last_log(uint8_t *data, gsize *len)
{
    (void)len;
    set_header(data, DBH_GEN_MAX_COMMITTED, (uint32_t)w.high);
    set_header(data, DBH_TIME_GEN_MAX_CREATE, 0x01010101);
}

/* As if detached elsewhere, before what the log knows. */
static void
older_consistent(uint8_t *data, gsize *len)
{
    (void)len;
    set_header(data, DBH_LGPOS_CONSISTENT, 0x00010001);
}

static void
two_pages_less(uint8_t *data, gsize *len)
{
    (void)data;
    *len -= 8192;
}

/* ---- what the rows do ---- */

static void
nothing(struct trial *t)
{
    (void)t;
}

static void
clean_database(struct trial *t)
{
    edit_log(t->dir, w.high, two_pages_less); /* not looked at any more */
    g_unlink(t->db);
    copy_into(GOLDEN_DIR, t->dir, false);
    g_autofree char *clean = g_build_filename(t->dir, "basic.edb", NULL);
    assert_int_equal(g_rename(clean, t->db), 0);
    t->high = w.high - 1;
}

static void
lose_a_log(struct trial *t)
{
    g_autofree char *path = log_in(t->dir, w.high - 1);
    assert_int_equal(g_unlink(path), 0);
}

static void
lose_the_database(struct trial *t)
{
    assert_int_equal(g_unlink(t->db), 0);
}

static void
damage_the_trailer(struct trial *t)
{
    edit(t->db, break_trailer);
}

static void
damage_both_headers(struct trial *t)
{
    edit(t->db, break_headers);
}

static void
trailer_of_the_earlier_backup(struct trial *t)
{
    g_autofree char *other = g_build_filename(w.early, "test.edb", NULL);
    g_autofree char *theirs = NULL, *ours = NULL;
    gsize their_len, our_len;
    assert_true(g_file_get_contents(other, &theirs, &their_len, NULL));
    assert_true(g_file_get_contents(t->db, &ours, &our_len, NULL));
    memcpy(ours + our_len - PAGE, theirs + their_len - PAGE, PAGE);
    assert_true(g_file_set_contents(t->db, ours, (gssize)our_len, NULL));
}

static void
end_below_the_backup(struct trial *t)
{
    t->high = w.full - 1;
}

static void
begin_above_the_backup(struct trial *t)
{
    t->low = w.low + 1;
}

static void
log_of_another_stream(struct trial *t)
{
    g_autofree char *ours = log_in(t->dir, w.high);
    g_autofree char *theirs = log_in(w.foreign, last_log(w.foreign));
    g_autofree char *data = NULL;
    gsize len;
    struct log_filehdr h;
    assert_true(g_file_get_contents(theirs, &data, &len, NULL));
    assert_int_equal(log_filehdr_decode((uint8_t *)data, &h), 0);
    h.gen = w.high;
    log_filehdr_encode(&h, (uint8_t *)data);
    assert_true(g_file_set_contents(ours, data, (gssize)len, NULL));
}

static void
chain_broken_by_time(struct trial *t)
{
    edit_log(t->dir, w.high, break_chain);
}

static void
log_of_another_size(struct trial *t)
{
    edit_log(t->dir, w.high, two_pages_less);
}

static void
log_header_damaged(struct trial *t)
{
    edit_log(t->dir, w.high, break_log_header);
}

static void
log_damaged(struct trial *t)
{
    edit_log(t->dir, w.high, break_first_segment);
}

static void
last_log_torn(struct trial *t)
{
    edit_log(t->dir, w.high, break_last_segment);
}

static void
last_log_torn_and_more_follow(struct trial *t)
{
    copy_into(w.later, t->place, true);
    edit_log(t->dir, w.high, break_last_segment);
}

static void
later_log_damaged(struct trial *t)
{
    copy_into(w.later, t->place, true);
    edit_log(t->place, w.high + 1, break_first_segment);
}

static void
later_log_torn(struct trial *t)
{
    copy_into(w.later, t->place, true);
    edit_log(t->place, w.high + 1, tear_last_segment);
}

static void
roll_forward(struct trial *t)
{
    copy_into(w.later, t->place, true);
}

static void
gap_behind_the_set(struct trial *t)
{
    g_autofree char *path = log_in(t->place, w.high + 1);
    copy_into(w.later, t->place, true);
    assert_int_equal(g_unlink(path), 0);
}

static void
log_path_of_another_stream(struct trial *t)
{
    g_autofree char *theirs = log_in(w.foreign, last_log(w.foreign));
    g_autofree char *current = g_build_filename(t->place, "edb.log", NULL);
    g_autofree char *data = NULL;
    gsize len;
    assert_true(g_file_get_contents(theirs, &data, &len, NULL));
    assert_true(g_file_set_contents(current, data, (gssize)len, NULL));
}

static void
log_path_not_chained(struct trial *t)
{
    copy_into(w.later, t->place, true);
    edit_log(t->place, w.high + 1, break_chain);
}

static void
newer_log_needed(struct trial *t)
{
    edit(t->db, need_log_99);
}

static void
newer_log_committed(struct trial *t)
{
    edit(t->db, committed_log_99);
}

static void
last_log_is_another(struct trial *t)
{
    edit(t->db, other_last_log);
}

static void
database_of_another_time(struct trial *t)
{
    edit(t->db, older_consistent);
}

static void
fifteen_entries(struct trial *t)
{
    t->n_map = 15;
}

static void
minus_one_entry(struct trial *t)
{
    t->n_map = -1;
}

static void
unknown_target(struct trial *t)
{
    t->target_name = "nobody";
}

static void
one_target_path(struct trial *t)
{
    t->log_path = t->place;
}

static void
target_twice(struct trial *t)
{
    t->target_name = "test";
    t->log_path = t->checkpoint_path = t->place;
}

static void
target_that_runs(struct trial *t)
{
    t->target_name = "test";
}

static void
target_that_runs_by_its_paths(struct trial *t)
{
    t->log_path = t->checkpoint_path = w.f->dir;
}

static void
target_that_does_not_run(struct trial *t)
{
    t->log_path = t->checkpoint_path = t->place;
}

struct row {
    const char *number; /* of the golden case; else the section */
    const char *what;
    void (*damage)(struct trial *t);
    JET_ERR want;
    int event;         /* heard; 0: none is asked for */
    const char *names; /* stands in what was told; NULL: not asked */
    int32_t rows;      /* want >= 0: in the result; 0: those of the set, -1: more */
};

static const struct row rows[] = {
    {"87", "a full set", nothing, 0, 205, NULL, 0},
    {"6.2", "a database that moves", nothing, 0, 216, "test.edb", 0},
    {"89", "a clean database", clean_database, JET_errRestoreOfNonBackupDatabase, 0, "test.edb", 0},
    {"90", "a log is missing", lose_a_log, JET_errFileNotFound, 435, NULL, 0},
    {"91", "the trailer is damaged", damage_the_trailer, JET_errBadPatchPage, 0, "test.edb", 0},
    {"91", "the trailer of another backup", trailer_of_the_earlier_backup,
     JET_errDatabasePatchFileMismatch, 430, "test.edb", 0},
    {"92", "genHigh below the backup's", end_below_the_backup, JET_errEndingRestoreLogTooLow, 432,
     NULL, 0},
    {"92", "genLow above the backup's", begin_above_the_backup, JET_errStartingRestoreLogTooHigh,
     431, NULL, 0},
    {"93", "a log of another stream", log_of_another_stream, JET_errBadLogSignature, 433, ".log",
     0},
    {"93", "a chain broken by time", chain_broken_by_time, JET_errGivenLogFileIsNotContiguous, 434,
     ".log", 0},
    {"94", "one target path", one_target_path, JET_errInvalidParameter, 0, NULL, 0},
    {"94", "target by name and paths", target_twice, JET_errInvalidParameter, 0, NULL, 0},
    {"94", "an unknown target", unknown_target, JET_errBadRestoreTargetInstance, 0, NULL, 0},
    {"95", "15 entries", fifteen_entries, JET_errInvalidParameter, 0, NULL, 0},
    {"95", "-1 entries", minus_one_entry, JET_errInvalidParameter, 0, NULL, 0},
    {"95", "the database is missing", lose_the_database, JET_errFileNotFound, 0, "test.edb", 0},
    {"97", "a target that runs, by name", target_that_runs, JET_wrnTargetInstanceRunning, 205, NULL,
     -1},
    {"97", "a target that runs, by its paths", target_that_runs_by_its_paths,
     JET_wrnTargetInstanceRunning, 205, NULL, -1},
    {"6.2", "the map names another path", nothing, 0, 216, "test.edb", 0},
    {"6.2.6", "target paths nobody has", target_that_does_not_run, 0, 205, NULL, 0},
    {"6.3.1", "logs of two sizes", log_of_another_size, JET_errLogFileSizeMismatch, 0, ".log", 0},
    {"6.3.1", "a log's header is damaged", log_header_damaged, JET_errLogFileCorrupt, 463, ".log",
     0},
    {"6.3.1", "a gap behind the set", gap_behind_the_set, JET_errMissingCurrentLogFiles, 450,
     ".log", 0},
    {"6.3.1", "szLogPath has another stream", log_path_of_another_stream,
     JET_errExistingLogFileHasBadSignature, 457, "edb.log", 0},
    {"6.3.1", "szLogPath does not go on", log_path_not_chained,
     JET_errExistingLogFileIsNotContiguous, 458, ".log", 0},
    {"6.3.2", "both headers are damaged", damage_both_headers, JET_errDatabaseCorrupted, 0,
     "test.edb", 0},
    {"6.3.4", "roll forward", roll_forward, 0, 205, NULL, -1},
    {"6.3.4", "damage in the backup's logs", log_damaged, JET_errLogCorruptDuringHardRestore, 463,
     ".log", 0},
    {"6.3.4", "damage in later logs", later_log_damaged, JET_errLogCorruptDuringHardRecovery, 464,
     ".log", 0},
    {"6.3.4", "the last log ends torn", last_log_torn, JET_errLogTornWriteDuringHardRestore, 460,
     ".log", 0},
    {"6.3.4", "... and later ones follow", last_log_torn_and_more_follow, JET_errRedoAbruptEnded,
     446, ".log", 0},
    {"6.3.4", "a later log has a torn segment", later_log_torn,
     JET_errLogTornWriteDuringHardRecovery, 461, ".log", 0},
    {"6.3.4", "a newer log is needed", newer_log_needed, JET_errRequiredLogFilesMissing, 453,
     "test.edb", 0},
    {"6.3.4", "a newer log has commits", newer_log_committed, JET_errCommittedLogFilesMissing, 523,
     "test.edb", 0},
    {"6.3.4", "the last log is another", last_log_is_another, JET_errRequiredLogFilesMissing, 496,
     "test.edb", 0},
    {"6.3.4", "a database of another time", database_of_another_time, JET_errConsistentTimeMismatch,
     454, "test.edb", 0},
};

/* An instance on the restored database. */
static void
open_restored(const struct trial *t, struct fixture *g)
{
    *g = (struct fixture) {.dir = t->place, .db_path = t->db};
    ok(JetCreateInstance(&g->inst, "restored"));
    ok(JetSetSystemParameter(&g->inst, 0, JET_paramSystemPath, 0, g->dir));
    ok(JetSetSystemParameter(&g->inst, 0, JET_paramLogFilePath, 0, g->dir));
    ok(JetSetSystemParameter(&g->inst, 0, JET_paramLogFileSize, 256, NULL));
    ok(JetSetSystemParameter(&g->inst, 0, JET_paramNoInformationEvent, 1, NULL));
    ok(JetInit(&g->inst));
    ok(JetBeginSession(g->inst, &g->ses, NULL, NULL));
    ok(JetAttachDatabase(g->ses, g->db_path, 0));
    ok(JetOpenDatabase(g->ses, g->db_path, NULL, &g->db, 0));
}

static int32_t
count(struct fixture *g)
{
    JET_TABLEID table;
    int32_t n = 0;
    ok(JetOpenTable(g->ses, g->db, "Items", NULL, 0, 0, &table));
    for (JET_ERR err = JetMove(g->ses, table, JET_MoveFirst, 0); err >= 0;
         err = JetMove(g->ses, table, JET_MoveNext, 0))
        n++;
    return n;
}

/* Clean, whole, ready to go on, and due a full backup. */
static void
check_restored(const struct row *row, const struct trial *t)
{
    struct fixture g;
    struct dbheader h = header_of(t->db);
    assert_int_equal(dbheader_u32(&h, DBH_DBSTATE), DBSTATE_CLEAN);
    assert_int_equal(dbheader_u32(&h, DBH_BK_FULL_CUR + BKINFO_GEN_LOW), 0);
    open_restored(t, &g);
    int32_t n = count(&g);
    if (row->rows < 0 ? n <= w.rows : n != w.rows)
        fail_msg("case %s, %s: %d rows", row->number, row->what, n);
    assert_int_equal(JetBeginExternalBackupInstance(g.inst, JET_bitBackupIncremental),
                     JET_errMissingFullBackup);
    fixture_stop(&g);
}

static void
test_row(void **state)
{
    const struct row *row = *state;
    struct trial t;
    begin_trial(&t);
    row->damage(&t);
    JET_ERR err = restore(&t);
    if (err != row->want)
        fail_msg("case %s, %s: %d, not %d\n%s", row->number, row->what, err, row->want, told->str);
    if (row->event != 0 && !heard[row->event])
        fail_msg("case %s, %s: no event %d\n%s", row->number, row->what, row->event, told->str);
    if (row->names && !strstr(told->str, row->names))
        fail_msg("case %s, %s: no event names %s\n%s", row->number, row->what, row->names,
                 told->str);
    if (err >= 0)
        check_restored(row, &t);
    end_trial(&t);
}

/* ---- what is no JetExternalRestore ---- */

/* 88: the copy as it came, before any restore. */
static void
test_88_copy_is_not_attached(void **state)
{
    struct trial t;
    JET_INSTANCE inst;
    JET_SESID ses;
    (void)state;
    begin_trial(&t);
    ok(JetCreateInstance(&inst, "88"));
    ok(JetSetSystemParameter(&inst, 0, JET_paramSystemPath, 0, t.place));
    ok(JetSetSystemParameter(&inst, 0, JET_paramLogFilePath, 0, t.place));
    ok(JetSetSystemParameter(&inst, 0, JET_paramNoInformationEvent, 1, NULL));
    ok(JetInit(&inst));
    ok(JetBeginSession(inst, &ses, NULL, NULL));
    assert_int_equal(JetAttachDatabase(ses, t.db, 0), JET_errSoftRecoveryOnBackupDatabase);
    assert_true(heard[619]);
    ok(JetTerm(inst));
    end_trial(&t);
}

static JET_ERR
init_over(struct trial *t, JET_INSTANCE *inst)
{
    JET_RSTINFO_A info = {.cbStruct = sizeof info, .rgrstmap = &t->map, .crstmap = 1};
    ok(JetCreateInstance(inst, "over"));
    ok(JetSetSystemParameter(inst, 0, JET_paramSystemPath, 0, t->dir));
    ok(JetSetSystemParameter(inst, 0, JET_paramLogFilePath, 0, t->dir));
    ok(JetSetSystemParameter(inst, 0, JET_paramLogFileSize, 256, NULL));
    ok(JetSetSystemParameter(inst, 0, JET_paramNoInformationEvent, 1, NULL));
    return JetInit3A(inst, &info, 0);
}

static void
test_88_soft_recovery_refuses_the_copy(void **state)
{
    struct trial t;
    JET_INSTANCE inst;
    (void)state;
    begin_trial(&t);
    copy_into(w.later, t.dir, true);
    assert_int_equal(init_over(&t, &inst), JET_errSoftRecoveryOnBackupDatabase);
    assert_true(heard[619]);
    ok(JetTerm(inst));
    end_trial(&t);
}

static void
test_94_log_info(void **state)
{
    JET_LOGINFO_A info = {sizeof info - 1, 1, 1, "edb"};
    (void)state;
    assert_int_equal(JetExternalRestore2A("x", "x", NULL, 0, "x", NULL, NULL, NULL, NULL, NULL),
                     JET_errInvalidParameter);
    assert_int_equal(JetExternalRestore2A("x", "x", NULL, 0, "x", &info, NULL, NULL, NULL, NULL),
                     JET_errInvalidParameter);
}

static void
test_96_restore_in_multi_instance_mode(void **state)
{
    (void)state;
    assert_int_equal(JetRestoreInstanceA(w.f->inst, w.set, NULL, NULL), JET_errAlreadyInitialized);
    assert_int_equal(JetRestoreA(w.set, NULL), JET_errRunningInMultiInstanceMode);
    assert_int_equal(JetRestore2A(w.set, w.later, NULL), JET_errRunningInMultiInstanceMode);
}

/* The files as before: what was refused before redo has changed nothing. */
static void
test_refused_restore_leaves_all_as_it_was(void **state)
{
    static void (*const damages[])(struct trial *) = {
        end_below_the_backup, begin_above_the_backup, lose_a_log,          damage_the_trailer,
        chain_broken_by_time, gap_behind_the_set,     log_path_not_chained};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(damages); i++) {
        struct trial t;
        g_autofree char *before = NULL, *after = NULL;
        gsize len, len_after;
        begin_trial(&t);
        damages[i](&t);
        assert_true(g_file_get_contents(t.db, &before, &len, NULL));
        assert_true(restore(&t) < 0);
        assert_true(g_file_get_contents(t.db, &after, &len_after, NULL));
        assert_int_equal(len, len_after);
        assert_memory_equal(before, after, len);
        end_trial(&t);
    }
}

/* ---- JetInit3 with a stop ---- */

static JET_ERR
count_calls(JET_SESID sesid, JET_SNP snp, JET_SNT snt, void *pv)
{
    (void)sesid, (void)pv;
    assert_int_equal(snp, JET_snpRestore);
    g_string_append_c(told, snt == JET_sntBegin ? 'B' : snt == JET_sntProgress ? 'P' : 'C');
    return 0;
}

/* JetInit3 over a crash; what came out of it, rows with no error. */
static JET_ERR
init_to(struct trial *t, JET_RSTINFO_A *info, bool remove, int32_t *rows_there)
{
    struct fixture g = {.dir = t->dir, .db_path = t->db};
    copy_into(w.crash, t->dir, false);
    info->cbStruct = sizeof *info;
    info->rgrstmap = &t->map;
    info->crstmap = 1;
    info->pfnStatus = count_calls;
    g_string_truncate(told, 0);
    ok(JetCreateInstance(&g.inst, "stop"));
    ok(JetSetSystemParameter(&g.inst, 0, JET_paramSystemPath, 0, t->dir));
    ok(JetSetSystemParameter(&g.inst, 0, JET_paramLogFilePath, 0, t->dir));
    ok(JetSetSystemParameter(&g.inst, 0, JET_paramLogFileSize, 256, NULL));
    ok(JetSetSystemParameter(&g.inst, 0, JET_paramNoInformationEvent, 1, NULL));
    ok(JetSetSystemParameter(&g.inst, 0, JET_paramDeleteOutOfRangeLogs, remove, NULL));
    event_listen(NULL, NULL);
    JET_ERR err = JetInit3A(&g.inst, info, 0);
    if (err >= 0) {
        assert_int_equal(told->str[0], 'B');
        assert_int_equal(told->str[told->len - 1], 'C');
        ok(JetBeginSession(g.inst, &g.ses, NULL, NULL));
        ok(JetAttachDatabase(g.ses, g.db_path, 0));
        ok(JetOpenDatabase(g.ses, g.db_path, NULL, &g.db, 0));
        *rows_there = count(&g);
    }
    ok(JetTerm(g.inst));
    return err;
}

static void
test_init_stops(void **state)
{
    JET_RSTINFO_A at_position = {.lgposStop = {0, 0, w.high + 1}};
    JET_RSTINFO_A at_time = {0}, both = {.lgposStop = {0, 0, w.high + 1}}, to_the_end = {0};
    JET_RSTINFO_A too_early = {.lgposStop = {0, 1, 1}};
    uint64_t when = logtime_from_unix_ms(w.set_ms);
    struct trial t;
    int32_t n = 0;
    (void)state;
    memcpy(&at_time.logtimeStop, &when, sizeof when);
    memcpy(&both.logtimeStop, &when, sizeof when);
    begin_trial(&t);
    assert_int_equal(init_to(&t, &both, true, &n), JET_errInvalidParameter);
    assert_int_equal(init_to(&t, &too_early, true, &n), JET_errRequiredLogFilesMissing);
    assert_int_equal(init_to(&t, &at_position, false, &n), JET_errRecoveredWithoutUndo);
    assert_int_equal(init_to(&t, &to_the_end, false, &n), 0);
    assert_int_equal(n, w.next);
    assert_int_equal(init_to(&t, &at_position, true, &n), JET_wrnCommittedLogFilesRemoved);
    assert_int_equal(n, w.rows);
    n = 0;
    assert_int_equal(init_to(&t, &at_time, true, &n), JET_wrnCommittedLogFilesRemoved);
    assert_int_equal(n, w.rows);
    end_trial(&t);
}

int
main(void)
{
    struct CMUnitTest tests[G_N_ELEMENTS(rows) + 6] = {
        cmocka_unit_test(test_88_copy_is_not_attached),
        cmocka_unit_test(test_88_soft_recovery_refuses_the_copy),
        cmocka_unit_test(test_94_log_info),
        cmocka_unit_test(test_96_restore_in_multi_instance_mode),
        cmocka_unit_test(test_refused_restore_leaves_all_as_it_was),
        cmocka_unit_test(test_init_stops),
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        tests[6 + i] = (struct CMUnitTest) {
            .name = rows[i].what, .test_func = test_row, .initial_state = (void *)&rows[i]};
    return cmocka_run_group_tests_name("golden_restore", tests, make_world, drop_world);
}
