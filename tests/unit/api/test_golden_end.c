/* SPDX-License-Identifier: MIT */
/* golden_end: cases 12 and 59 to 78: truncation, the end, stop, term. */
#include "golden.h"

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
#define BY_CALLER errBackupAbortByCaller
#define BY_SERVER JET_errBackupAbortByServer
#define SEQUENCE  JET_errInvalidBackupSequence
#define STOPPED   JET_errClientRequestToStopJetService

static const struct golden_case cases[] = {
    {"12",
     {{OP_BEGIN, 0, 0},
      {OP_OPEN, FILE_DB, 0},
      {OP_STOP_SERVICE, 0, 0},
      {OP_READ, 3 * PAGE, STOPPED},
      {OP_CLOSE, 0, STOPPED},
      {OP_END, 0, STOPPED},
      {OP_TERM, 0, 0},
      {OP_HEARD, 226, 0}}},
    {"59",
     {{OP_DIRTY, 0, 0},
      {OP_BEGIN, 0, 0},
      {OP_COPY_DBS, 0, 0},
      {OP_LOG_INFO, 0, 0},
      {OP_TRUNCATE, 0, JET_errLogFileNotCopied},
      {OP_HEARD, 520, 0},
      {OP_COPY_LOGS, 0, 0},
      {OP_TRUNCATE, 0, 0},
      {OP_END, 0, 0}}},
    {"60",
     {{OP_DIRTY, 0, 0},
      FULL,
      {OP_DIRTY, 0, 0},
      {OP_BEGIN, 0, 0},
      WHOLE,
      {OP_TRUNCATE, 0, 0},
      {OP_TRUNCATE, 0, 0},
      {OP_END, 0, 0}}},
    {"61",
     {{OP_BEGIN, 0, 0}, {OP_END, 0, BY_CALLER}, {OP_HEARD, 215, 0}, {OP_END, 0, JET_errNoBackup}}},
    {"62",
     {{OP_BEGIN, 0, 0},
      {OP_COPY_DBS, 0, 0},
      {OP_END, 0, BY_CALLER},
      {OP_HEARD, 215, 0},
      {OP_SLOT, DBH_BK_FULL_PREV, 0},
      {OP_SLOT, DBH_BK_COPY_PREV, 0}}},
    {"63",
     {{OP_BEGIN, 0, 0},
      {OP_LOG_INFO, 0, 0},
      {OP_END, 0, 0},
      {OP_HEARD, 213, 0},
      {OP_SLOT, DBH_BK_FULL_PREV, 0},
      {OP_SLOT, DBH_BK_COPY_PREV, 0}}},
    {"64",
     {{OP_BEGIN, 0, 0},
      WHOLE,
      {OP_END, 0, 0},
      {OP_SLOT, DBH_BK_COPY_PREV, 1},
      {OP_SLOT, DBH_BK_FULL_PREV, 0}}},
    {"65",
     {FULL,
      {OP_BEGIN, 1, 0},
      {OP_COPY_LOGS, 0, 0},
      {OP_END, 0, 0},
      {OP_SLOT, DBH_BK_DIFF_PREV, 1},
      {OP_BEGIN, 0, 0},
      WHOLE,
      {OP_HEARD, 223, 0},
      {OP_END2, 0x101, 0},
      {OP_SLOT, DBH_BK_FULL_PREV, 1},
      {OP_SLOT, DBH_BK_INC_PREV, 0},
      {OP_SLOT, DBH_BK_DIFF_PREV, 0},
      {OP_UNHEARD, 224, 0}}},
    {"66", {FULL, {OP_SLOT, DBH_BK_FULL_PREV, 1}, {OP_SLOT, DBH_BK_COPY_PREV, 0}}},
    {"67",
     {FULL,
      {OP_BEGIN, 1, 0},
      {OP_COPY_LOGS, 0, 0},
      {OP_END, 0, 0},
      {OP_SLOT, DBH_BK_DIFF_PREV, 1},
      {OP_SLOT, DBH_BK_INC_PREV, 0},
      {OP_BEGIN, 1, 0},
      {OP_COPY_LOGS, 0, 0},
      {OP_TRUNCATE, 0, 0},
      {OP_END, 0, 0},
      {OP_SLOT, DBH_BK_INC_PREV, 1}}},
    {"68",
     {{OP_DIRTY, 0, 0},
      {OP_BEGIN, 0, 0},
      WHOLE,
      {OP_TRUNCATE, 0, 0},
      {OP_END2, JET_bitBackupEndAbort, BY_CALLER},
      {OP_HEARD, 215, 0},
      {OP_SLOT, DBH_BK_FULL_PREV, 0},
      {OP_SLOT, DBH_BK_COPY_PREV, 0}}},
    {"69",
     {{OP_BEGIN, 0, 0},
      {OP_LOG_INFO, 0, 0},
      {OP_OPEN, FILE_LOG, 0},
      {OP_END, 0, 0},
      {OP_HEARD, 213, 0},
      {OP_CLOSE, 0, JET_errNoBackup},
      {OP_BEGIN, 0, 0},
      {OP_CLOSE, 0, JET_errInvalidParameter}}},
    {"70",
     {{OP_BEGIN, 0, 0},
      WHOLE,
      {OP_END2, 0x201, 0},
      {OP_HEARD, 213, 0},
      {OP_SLOT, DBH_BK_FULL_PREV, 0},
      {OP_SLOT, DBH_BK_COPY_PREV, 0}}},
    {"71", {{OP_STOP, 0, 0}, {OP_BEGIN, 0, 0}, {OP_ATTACH_INFO, 0, 0}}},
    {"72",
     {{OP_BEGIN, 0, 0},
      {OP_STOP, 0, 0},
      {OP_ATTACH_INFO, 0, BY_SERVER},
      {OP_OPEN, FILE_DB, BY_SERVER},
      {OP_LOG_INFO, 0, BY_SERVER},
      {OP_TRUNCATE, 0, BY_SERVER},
      {OP_OPEN, FILE_NULL, BY_SERVER},
      {OP_BEGIN, 0, JET_errBackupInProgress}}},
    {"73",
     {{OP_BEGIN, 0, 0},
      {OP_OPEN, FILE_DB, 0},
      {OP_STOP, 0, 0},
      {OP_READ, 3 * PAGE, BY_SERVER},
      {OP_CLOSE, 0, 0},
      {OP_END, 0, BY_SERVER},
      {OP_HEARD, 226, 0},
      {OP_END, 0, JET_errNoBackup}}},
    {"74",
     {{OP_BEGIN, 0, 0},
      {OP_STOP, 0, 0},
      {OP_END2, JET_bitBackupEndAbort, BY_CALLER},
      {OP_UNHEARD, 226, 0},
      {OP_HEARD, 215, 0}}},
    {"76", {{OP_BEGIN, 0, 0}, {OP_TERM, 0, 0}, {OP_HEARD, 226, 0}}},
    {"77",
     {{OP_BEGIN, 0, 0},
      {OP_TERM2, 0, JET_errBackupInProgress},
      {OP_ATTACH_INFO, 0, 0},
      {OP_TERM2, JET_bitTermStopBackup, 0},
      {OP_HEARD, 226, 0}}},
};

static void
test_66_full_prev_says_the_range(void **state)
{
    struct golden *g = *state;
    JET_LOGINFO_A info = {.cbSize = sizeof info};
    uint8_t full[DBHEADER_BKINFO_BYTES];
    ok(golden_do(g, OP_BEGIN, 0));
    ok(golden_do(g, OP_COPY_DBS, 0));
    ok(JetGetLogInfoInstance2A(g->f.inst, NULL, 0, NULL, &info));
    ok(golden_do(g, OP_COPY_LOGS, 0));
    ok(golden_do(g, OP_TRUNCATE, 0));
    ok(golden_do(g, OP_END, 0));
    FILE *file = fopen(g->f.db_path, "rb");
    assert_non_null(file);
    fseek(file, DBH_BK_FULL_PREV, SEEK_SET);
    assert_int_equal(fread(full, 1, sizeof full, file), sizeof full);
    fclose(file);
    assert_int_equal(le32_get(full + BKINFO_GEN_LOW), info.ulGenLow);
    assert_int_equal(le32_get(full + BKINFO_GEN_HIGH), info.ulGenHigh);
    assert_true(le64_get(full + BKINFO_MARK) != 0 && le64_get(full + BKINFO_TIME) != 0);
}

static void
test_78_after_term_the_handle_is_dead(void **state)
{
    struct golden *g = *state;
    JET_INSTANCE gone = g->f.inst;
    JET_INSTANCE other;
    ok(JetCreateInstance(&other, "other")); /* keeps the process in multi-instance mode */
    fixture_stop(&g->f);
    assert_int_equal(JetEndExternalBackupInstance(gone), JET_errInvalidInstance);
    ok(JetTerm(other));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, golden_setup, golden_teardown)

int
main(void)
{
    const struct CMUnitTest extra[] = {CASE(test_66_full_prev_says_the_range),
                                       CASE(test_78_after_term_the_handle_is_dead)};
    return golden_run_cases("golden end", cases, G_N_ELEMENTS(cases), extra, G_N_ELEMENTS(extra));
}
