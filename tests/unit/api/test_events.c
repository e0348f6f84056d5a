/* SPDX-License-Identifier: MIT */
/*
 * events: the backup's events of table 0.4, each provoked, with its parameters; and what the
 * parameters about events let pass. The snapshots' are in test_golden_snapshot.c, those of damaged
 * pages in test_golden_bad.c, those of restores in test_codes_restore.c.
 */
#include "golden.h"

#define BY_CALLER errBackupAbortByCaller
#define WHOLE                                                                                      \
    {OP_COPY_DBS, 0, 0},                                                                           \
    {                                                                                              \
        OP_COPY_LOGS, 0, 0                                                                         \
    }
#define FULL                                                                                       \
    {OP_BEGIN, 0, 0}, WHOLE, {OP_TRUNCATE, 0, 0},                                                  \
    {                                                                                              \
        OP_END, 0, 0                                                                               \
    }

/* After the steps: the last event of this id, and what its text ends in. DIR/ is the directory. */
struct row {
    const char *name;
    struct golden_step steps[16];
    unsigned id;
    const char *text; /* a regular expression */
};

static const struct row rows[] = {
    {"206", {{OP_BEGIN, 1, JET_errMissingFullBackup}}, 206, "Database DIR/test.edb needs"},
    {"210", {{OP_BEGIN, 0, 0}}, 210, "A full backup begins"},
    {"211", {FULL, {OP_BEGIN, 1, 0}}, 211, "An incremental backup begins"},
    {"213 full", {FULL}, 213, "ended well"},
    {"213 incremental",
     {FULL, {OP_BEGIN, 1, 0}, {OP_COPY_LOGS, 0, 0}, {OP_END, 0, 0}},
     213,
     "ended well"},
    {"214 sequence",
     {{OP_BEGIN, 0, 0}, {OP_LOG_INFO, 0, 0}, {OP_OPEN, FILE_DB, JET_errInvalidBackupSequence}},
     214,
     "ended with error -521"},
    {"214 missing log",
     {{OP_BEGIN, 0, 0}, {OP_LOG_INFO, 0, 0}, {OP_OPEN, FILE_LOST_LOG, JET_errMissingFileToBackup}},
     214,
     "ended with error -569"},
    {"215 too early", {{OP_BEGIN, 0, 0}, {OP_END, 0, BY_CALLER}}, 215, "aborted by its client"},
    {"217",
     {{OP_BEGIN, 0, 0}, {OP_OPEN, FILE_NO_SUCH, JET_errDatabaseNotFound}},
     217,
     "Error -1203 .*DIR/nosuch.edb"},
    {"220", {{OP_BEGIN, 0, 0}, {OP_OPEN, FILE_DB, 0}}, 220, "DIR/test.edb \\([0-9]+ [MK]b\\)"},
    {"221", {{OP_BEGIN, 0, 0}, {OP_COPY_DBS, 0, 0}}, 221, "DIR/test.edb is complete"},
    {"222 database",
     {{OP_BEGIN, 0, 0}, {OP_OPEN, FILE_DB, 0}, {OP_READ, 3 * PAGE, 0}, {OP_CLOSE, 0, 0}},
     222,
     "DIR/test.edb was stopped after 12288 of [0-9]+ bytes"},
    {"222 log",
     {{OP_BEGIN, 0, 0},
      {OP_LOG_INFO, 0, 0},
      {OP_OPEN, FILE_LOG, 0},
      {OP_READ, 2 * PAGE, 0},
      {OP_CLOSE, 0, 0}},
     222,
     "DIR/edb00001.log was stopped after 8192 of 262144 bytes"},
    {"223",
     {{OP_BEGIN, 0, 0}, {OP_LOG_INFO, 0, 0}},
     223,
     "logs DIR/edb0000[0-9A-F]+.log to DIR/edb0000[0-9A-F]+.log"},
    {"224",
     {{OP_DIRTY, 0, 0}, {OP_SETTLE, 0, 0}, {OP_DIRTY, 0, 0}, FULL},
     224,
     "logs DIR/edb0000[0-9A-F]+.log to DIR/edb0000[0-9A-F]+.log"},
    {"225", {{OP_BEGIN, 0, 0}, {OP_COPY_LOGS, 0, 0}, {OP_TRUNCATE, 0, 0}}, 225, "No log"},
    {"226 term", {{OP_BEGIN, 0, 0}, {OP_TERM, 0, 0}}, 226, "aborted by the server"},
    {"226 stop",
     {{OP_BEGIN, 0, 0}, {OP_STOP, 0, 0}, {OP_END, 0, JET_errBackupAbortByServer}},
     226,
     "aborted by the server"},
    {"227",
     {{OP_DIRTY, 0, 0},
      {OP_SETTLE, 0, 0},
      {OP_DIRTY, 0, 0},
      {OP_BEGIN, 0, 0},
      WHOLE,
      {OP_TRUNCATE, 0, 0},
      {OP_TRUNCATE, 0, 0}},
     227,
     "[1-9][0-9]* logs"},
    {"326", {{OP_ATTACH_OTHER, 0, 0}}, 326, "DIR/other.edb was attached"},
    {"327", {{OP_ATTACH_OTHER, 0, 0}, {OP_DETACH_OTHER, 0, 0}}, 327, "DIR/other.edb was detached"},
    {"459",
     {{OP_BEGIN, 0, 0}, {OP_LOG_INFO, 0, 0}, {OP_OPEN, FILE_LOST_LOG, JET_errMissingFileToBackup}},
     459,
     "Log DIR/edbFFFFF.log"},
    {"520",
     {{OP_DIRTY, 0, 0},
      {OP_BEGIN, 0, 0},
      {OP_COPY_DBS, 0, 0},
      {OP_LOG_INFO, 0, 0},
      {OP_TRUNCATE, 0, JET_errLogFileNotCopied}},
     520,
     "not every log of the backup was copied"},
};

static const struct row *current;
static char *last[1024];
static unsigned results; /* 213, 214, 215, 226: how backups ended */
static unsigned begins;

static void
capture(void *ctx, enum event_id id, enum event_type type, const char *text)
{
    (void)ctx, (void)type;
    if ((unsigned)id >= G_N_ELEMENTS(last))
        return;
    g_free(last[id]);
    last[id] = g_strdup(text);
    results += id == EVENT_BACKUP_STOP || id == EVENT_BACKUP_STOP_ERROR ||
               id == EVENT_BACKUP_STOP_BY_CALLER || id == EVENT_BACKUP_STOP_BY_SERVER;
    begins += id == EVENT_FULL_BACKUP_START || id == EVENT_INCREMENTAL_BACKUP_START;
}

static int
setup(void **state)
{
    current = *state;
    int failed = golden_setup(state);
    results = begins = 0;
    event_listen(capture, NULL);
    return failed;
}

static int
teardown(void **state)
{
    struct golden *g = *state;
    fixture_stop(&g->f);
    /* every backup that began has told its end */
    if (results != begins)
        print_error("%s: %u backups, %u ends\n", current->name, begins, results);
    unsigned missing = begins - results;
    for (size_t i = 0; i < G_N_ELEMENTS(last); i++)
        g_clear_pointer(&last[i], g_free);
    return golden_teardown(state) || missing;
}

static void
test_row(void **state)
{
    struct golden *g = *state;
    golden_run(g, current->name, current->steps);
    if (!last[current->id])
        fail_msg("event %u was not heard", current->id);
    g_auto(GStrv) parts = g_strsplit(current->text, "DIR", -1);
    g_autofree char *pattern = g_strjoinv(g->f.dir, parts);
    if (!g_regex_match_simple(pattern, last[current->id], 0, 0))
        fail_msg("event %u: \"%s\", not \"%s\"", current->id, last[current->id], pattern);
    if (!strstr(last[current->id], ") test: "))
        fail_msg("event %u: \"%s\" is without its instance", current->id, last[current->id]);
}

/* ---- what is written ---- */

static char *
written(const char *file)
{
    char *text = NULL;
    return g_file_get_contents(file, &text, NULL, NULL) ? text : g_strdup("");
}

/* An instance that backs up at this level: what is in its event file. */
static char *
at_level(struct golden *g, uintptr_t level)
{
    g_autofree char *file = g_build_filename(g->f.dir, "events", NULL);
    fixture_stop(&g->f);
    (void)unlink(file);
    ok(JetCreateInstance(&g->f.inst, "test"));
    ok(JetSetSystemParameter(&g->f.inst, 0, JET_paramSystemPath, 0, g->f.dir));
    ok(JetSetSystemParameter(&g->f.inst, 0, JET_paramLogFilePath, 0, g->f.dir));
    ok(JetSetSystemParameter(&g->f.inst, 0, JET_paramTempPath, 0, g->f.dir));
    ok(JetSetSystemParameter(&g->f.inst, 0, JET_paramLogFileSize, 256, NULL));
    ok(JetSetSystemParameter(&g->f.inst, 0, JET_paramEventSource, 0, "the app"));
    ok(JetSetSystemParameter(&g->f.inst, 0, JET_paramEventLoggingLevel, level, NULL));
    ok(JetSetSystemParameter(&g->f.inst, 0, JET_paramJetxEventFile, 0, file));
    ok(JetInit(&g->f.inst));
    ok(JetBeginSession(g->f.inst, &g->f.ses, NULL, NULL));
    ok(JetAttachDatabase(g->f.ses, g->f.db_path, 0));
    ok(golden_do(g, OP_BEGIN, 0));
    ok(golden_do(g, OP_COPY_DBS, 0));
    assert_int_equal(golden_do(g, OP_END, 0), BY_CALLER);
    return written(file);
}

static void
test_levels(void **state)
{
    struct golden *g = *state;
    static const struct {
        uintptr_t level;
        const char *in, *out;
    } levels[] = {{JET_EventLoggingDisable, "", " 215 "},
                  {JET_EventLoggingLevelMin, " error 215 ", " 210 "},
                  {JET_EventLoggingLevelLow, " info 210 ", " 220 "},
                  {JET_EventLoggingLevelMedium, " info 220 ", "no such"},
                  {JET_EventLoggingLevelMax, " info 221 ", "no such"}};
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
        g_autofree char *text = at_level(g, levels[i].level);
        if (!strstr(text, levels[i].in) || strstr(text, levels[i].out))
            fail_msg("level %zu: %s", (size_t)levels[i].level, text);
        if (levels[i].level > 0)
            assert_non_null(strstr(text, ": the app ("));
    }
    assert_int_equal(JetSetSystemParameter(&g->f.inst, 0, JET_paramEventLoggingLevel, 1, NULL),
                     JET_errAlreadyInitialized);
    assert_int_equal(JetSetSystemParameter(&g->f.inst, 0, JET_paramEventSource, 0, "x"),
                     JET_errAlreadyInitialized);
}

static void
test_information_off_and_on_while_it_runs(void **state)
{
    struct golden *g = *state;
    g_autofree char *first = at_level(g, JET_EventLoggingLevelMax);
    g_autofree char *file = g_build_filename(g->f.dir, "events", NULL);
    assert_non_null(strstr(first, " 210 "));
    (void)unlink(file);
    ok(JetSetSystemParameter(&g->f.inst, 0, JET_paramNoInformationEvent, 1, NULL));
    ok(golden_do(g, OP_BEGIN, 0));
    assert_int_equal(golden_do(g, OP_END, 0), BY_CALLER);
    g_autofree char *off = written(file);
    assert_null(strstr(off, " 210 "));
    assert_non_null(strstr(off, " 215 "));
    ok(JetSetSystemParameter(&g->f.inst, 0, JET_paramNoInformationEvent, 0, NULL));
    ok(golden_do(g, OP_BEGIN, 0));
    assert_int_equal(golden_do(g, OP_END, 0), BY_CALLER);
    g_autofree char *on = written(file);
    assert_non_null(strstr(on, " 210 "));
}

#define PLAIN(f)                                                                                   \
    {                                                                                              \
#f, f, golden_setup, golden_teardown, NULL                                                 \
    }

int
main(void)
{
    struct CMUnitTest tests[G_N_ELEMENTS(rows) + 2] = {
        [G_N_ELEMENTS(rows)] = PLAIN(test_levels),
        [G_N_ELEMENTS(rows) + 1] = PLAIN(test_information_off_and_on_while_it_runs)};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        tests[i] = (struct CMUnitTest) {rows[i].name, test_row, setup, teardown, (void *)&rows[i]};
    return _cmocka_run_group_tests("events", tests, G_N_ELEMENTS(tests), NULL, NULL);
}
