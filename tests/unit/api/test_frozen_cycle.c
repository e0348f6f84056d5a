/* SPDX-License-Identifier: MIT */
/*
 * frozen_cycle: a frozen session lives and ends as the external backup of ESE does: what it refuses
 * while it lasts, who can end it and with which code, which header slots and events it leaves.
 * Beside each row the golden case of the plain session that it mirrors.
 */
#include "golden.h"

#define INCREMENTAL JET_bitBackupIncremental
#define IN_PROGRESS JET_errBackupInProgress
#define BY_CALLER   errBackupAbortByCaller
#define BY_SERVER   JET_errBackupAbortByServer
#define STOPPED     JET_errClientRequestToStopJetService
#define FULL                                                                                       \
    {OP_BEGIN_FROZEN, 0, 0}, {OP_TRUNCATE, 0, 0},                                                  \
    {                                                                                              \
        OP_END, 0, 0                                                                               \
    }
#define SLOTS(full, inc, copy, diff)                                                               \
    {OP_SLOT, DBH_BK_FULL_PREV, full}, {OP_SLOT, DBH_BK_INC_PREV, inc},                            \
        {OP_SLOT, DBH_BK_COPY_PREV, copy},                                                         \
    {                                                                                              \
        OP_SLOT, DBH_BK_DIFF_PREV, diff                                                            \
    }

static const struct golden_case cases[] = {
    {"15 one session at a time",
     {{OP_BEGIN_FROZEN, 0, 0},
      {OP_HEARD, 210, 0},
      {OP_BEGIN_FROZEN, 0, IN_PROGRESS},
      {OP_BEGIN_FROZEN, INCREMENTAL, IN_PROGRESS},
      {OP_BEGIN, 0, IN_PROGRESS},
      {OP_END, 0, 0},
      {OP_HEARD, 213, 0},
      {OP_END, 0, JET_errNoBackup}}},
    {"15 nor beside a plain one",
     {{OP_BEGIN, 0, 0}, {OP_BEGIN_FROZEN, 0, IN_PROGRESS}, {OP_END, 0, BY_CALLER}}},
    {"16 other bits",
     {{OP_BEGIN_FROZEN, 4, JET_errInvalidGrbit},
      {OP_BEGIN_FROZEN, INCREMENTAL | 2, JET_errInvalidGrbit},
      {OP_BEGIN_FROZEN, 0, 0},
      {OP_BEGIN_FROZEN, 4, JET_errInvalidGrbit},
      {OP_END, 0, 0}}},
    {"20 an incremental needs a full",
     {{OP_BEGIN_FROZEN, INCREMENTAL, JET_errMissingFullBackup},
      {OP_HEARD, 206, 0},
      {OP_BEGIN_FROZEN, 0, 0},
      {OP_END, 0, 0}}},
    {"21 a copy is none",
     {{OP_BEGIN_FROZEN, 0, 0},
      {OP_END, 0, 0},
      {OP_BEGIN_FROZEN, INCREMENTAL, JET_errMissingFullBackup}}},
    {"22 after a full",
     {FULL, {OP_BEGIN_FROZEN, INCREMENTAL, 0}, {OP_HEARD, 211, 0}, {OP_END, 0, 0}}},
    {"22 plain after frozen",
     {FULL, {OP_BEGIN, INCREMENTAL, 0}, {OP_LOG_INFO, 0, 0}, {OP_END, 0, 0}}},
    {"23 a further database without a full",
     {FULL, {OP_ATTACH_OTHER, 0, 0}, {OP_BEGIN_FROZEN, INCREMENTAL, JET_errMissingFullBackup}}},
    {"26 JetTerm2 complete is refused",
     {{OP_BEGIN_FROZEN, 0, 0},
      {OP_TERM2, JET_bitTermComplete, IN_PROGRESS},
      {OP_END, 0, 0},
      {OP_BEGIN_FROZEN, 0, JET_errBackupNotAllowedYet}}},
    {"27 attach and detach wait",
     {{OP_BEGIN_FROZEN, 0, 0},
      {OP_ATTACH_OTHER, 0, IN_PROGRESS},
      {OP_DETACH, 0, IN_PROGRESS},
      {OP_END, 0, 0},
      {OP_ATTACH_OTHER, 0, 0},
      {OP_DETACH_OTHER, 0, 0}}},
    {"27 in an incremental too",
     {FULL,
      {OP_BEGIN_FROZEN, INCREMENTAL, 0},
      {OP_ATTACH_OTHER, 0, IN_PROGRESS},
      {OP_DETACH, 0, IN_PROGRESS},
      {OP_END, 0, 0},
      {OP_ATTACH_OTHER, 0, 0}}},
    {"40 an incremental has no databases",
     {FULL,
      {OP_BEGIN_FROZEN, INCREMENTAL, 0},
      {OP_ATTACH_INFO, 0, JET_errInvalidBackupSequence},
      {OP_OPEN, FILE_DB, JET_errFileNotFound},
      {OP_END, 0, 0}}},
    {"11 JetStopService",
     {{OP_BEGIN_FROZEN, 0, 0},
      {OP_STOP_SERVICE, 0, 0},
      {OP_OPEN, FILE_DB, STOPPED},
      {OP_END, 0, STOPPED},
      {OP_TERM, 0, 0},
      {OP_HEARD, 226, 0}}},
    {"61 abort",
     {{OP_BEGIN_FROZEN, 0, 0},
      {OP_END2, JET_bitBackupEndAbort, BY_CALLER},
      {OP_HEARD, 215, 0},
      SLOTS(0, 0, 0, 0),
      {OP_END, 0, JET_errNoBackup}}},
    {"64 full, not truncated: a copy",
     {{OP_BEGIN_FROZEN, 0, 0}, {OP_END, 0, 0}, SLOTS(0, 0, 1, 0)}},
    {"65 full, truncated elsewhere",
     {{OP_BEGIN_FROZEN, 0, 0},
      {OP_END2, JET_bitBackupEndNormal | JET_bitBackupTruncateDone, 0},
      SLOTS(1, 0, 0, 0)}},
    {"66 full", {{OP_DIRTY, 0, 0}, FULL, SLOTS(1, 0, 0, 0)}},
    {"67 incremental",
     {FULL,
      {OP_DIRTY, 0, 0},
      {OP_BEGIN_FROZEN, INCREMENTAL, 0},
      {OP_TRUNCATE, 0, 0},
      {OP_END, 0, 0},
      SLOTS(1, 1, 0, 0)}},
    {"67 incremental, not truncated: a differential",
     {FULL,
      {OP_DIRTY, 0, 0},
      {OP_BEGIN_FROZEN, INCREMENTAL, 0},
      {OP_END, 0, 0},
      SLOTS(1, 0, 0, 1)}},
    {"67 the next full forgets both",
     {FULL,
      {OP_BEGIN_FROZEN, INCREMENTAL, 0},
      {OP_TRUNCATE, 0, 0},
      {OP_END, 0, 0},
      {OP_BEGIN_FROZEN, INCREMENTAL, 0},
      {OP_END, 0, 0},
      SLOTS(1, 1, 0, 1),
      FULL,
      SLOTS(1, 0, 0, 0)}},
    {"68 truncated, then aborted",
     {{OP_DIRTY, 0, 0},
      {OP_BEGIN_FROZEN, 0, 0},
      {OP_TRUNCATE, 0, 0},
      {OP_END2, JET_bitBackupEndAbort, BY_CALLER},
      SLOTS(0, 0, 0, 0)}},
    {"72 stop",
     {{OP_BEGIN_FROZEN, 0, 0},
      {OP_STOP, 0, 0},
      {OP_OPEN, FILE_DB, BY_SERVER},
      {OP_LOG_INFO, 0, BY_SERVER},
      {OP_TRUNCATE, 0, BY_SERVER},
      {OP_BEGIN, 0, IN_PROGRESS},
      {OP_DETACH, 0, IN_PROGRESS},
      {OP_END, 0, BY_SERVER},
      {OP_HEARD, 226, 0},
      {OP_END, 0, JET_errNoBackup},
      SLOTS(0, 0, 0, 0)}},
    {"72 stop of an incremental",
     {FULL,
      {OP_BEGIN_FROZEN, INCREMENTAL, 0},
      {OP_STOP, 0, 0},
      {OP_END, 0, BY_SERVER},
      SLOTS(1, 0, 0, 0)}},
    {"74 abort beats stop",
     {{OP_BEGIN_FROZEN, 0, 0},
      {OP_STOP, 0, 0},
      {OP_END2, JET_bitBackupEndAbort, BY_CALLER},
      {OP_HEARD, 215, 0}}},
    {"76 term", {{OP_BEGIN_FROZEN, 0, 0}, {OP_TERM, 0, 0}, {OP_HEARD, 226, 0}}},
    {"77 term2",
     {{OP_BEGIN_FROZEN, 0, 0},
      {OP_TERM2, 0, IN_PROGRESS},
      {OP_TERM2, JET_bitTermStopBackup, 0},
      {OP_HEARD, 226, 0}}},
};

/* The files of an incremental session: logs and the manifest, from the oldest log on. */
static void
test_incremental_serves_every_log_and_no_database(void **state)
{
    struct golden *g = *state;
    JETX_BACKUPFILE *files;
    JETX_BACKUPSTATUS status = {.cbStruct = sizeof status};
    uint32_t n;
    const struct golden_step steps[] = {
        FULL, {OP_DIRTY, 0, 0}, {OP_BEGIN_FROZEN, INCREMENTAL, 0}, {0}};
    golden_run(g, "incremental", steps);
    ok(JetxGetBackupStatus(g->f.inst, &status));
    ok(JetxGetFrozenFiles(g->f.inst, &files, &n));
    assert_int_equal(n, status.genHigh - status.genLow + 2);
    for (uint32_t i = 0; i + 1 < n; i++) {
        assert_int_equal(files[i].kind, JETX_fileLog);
        assert_int_equal(files[i].genLog, status.genLow + i);
    }
    assert_int_equal(files[n - 1].kind, JETX_fileGenerated);
    g_autofree char *before =
        g_strdup_printf("%s/edb%05X.log", g->f.dir, (unsigned)status.genLow - 1);
    assert_false(g_file_test(before, G_FILE_TEST_EXISTS));
    assert_int_equal(status.cbPreimage, 0);
    JetFreeBuffer((char *)files);
    assert_int_equal(JetEndExternalBackupInstance(g->f.inst), 0);
}

/* Somebody deleted a log that the last backup does not have. */
static void
test_incremental_when_a_log_is_gone_is_refused(void **state)
{
    struct golden *g = *state;
    const struct golden_step steps[] = {{OP_DIRTY, 0, 0}, FULL, {OP_DIRTY, 0, 0}, {0}};
    golden_run(g, "hole", steps);
    JETX_BACKUPSTATUS status = {.cbStruct = sizeof status};
    ok(JetxGetBackupStatus(g->f.inst, &status));
    for (uint32_t gen = 1; gen <= status.genHigh + 1; gen++) {
        g_autofree char *path = g_strdup_printf("%s/edb%05X.log", g->f.dir, (unsigned)gen);
        g_remove(path);
    }
    const struct golden_step refused[] = {
        {OP_BEGIN_FROZEN, INCREMENTAL, JET_errMissingFileToBackup},
        {OP_HEARD, 459, 0},
        {OP_END, 0, JET_errNoBackup},
        {0}};
    golden_run(g, "hole", refused);
}

int
main(void)
{
    const struct CMUnitTest extra[] = {
        cmocka_unit_test_setup_teardown(test_incremental_serves_every_log_and_no_database,
                                        golden_setup, golden_teardown),
        cmocka_unit_test_setup_teardown(test_incremental_when_a_log_is_gone_is_refused,
                                        golden_setup, golden_teardown),
    };
    return golden_run_cases("frozen_cycle", cases, G_N_ELEMENTS(cases), extra, G_N_ELEMENTS(extra));
}
