/* SPDX-License-Identifier: MIT */
/* golden_sequence: cases 15 to 49, what may follow what. */
#include "golden.h"

#define FULL(begin)                                                                                \
    {OP_BEGIN, begin, 0}, {OP_COPY_DBS, 0, 0}, {OP_COPY_LOGS, 0, 0}, {OP_TRUNCATE, 0, 0},          \
    {                                                                                              \
        OP_END, 0, 0                                                                               \
    }

static const struct golden_case cases[] = {
    {"15",
     {{OP_BEGIN, 0, 0},
      {OP_HEARD, 210, 0},
      {OP_BEGIN, 0, JET_errBackupInProgress},
      {OP_ATTACH_INFO, 0, 0},
      {OP_LOG_INFO, 0, 0},
      {OP_END, 0, 0}}},
    {"16",
     {{OP_BEGIN, 4, JET_errInvalidGrbit},
      {OP_BEGIN, 0x10, JET_errInvalidGrbit},
      {OP_BEGIN, 8, JET_errInvalidGrbit},
      {OP_BEGIN, 2, JET_errInvalidGrbit},
      {OP_BEGIN, 0, 0}}},
    {"17", {{OP_BEGIN, 0, 0}, {OP_BEGIN, 4, JET_errInvalidGrbit}, {OP_ATTACH_INFO, 0, 0}}},
    {"20", {{OP_BEGIN, 1, JET_errMissingFullBackup}, {OP_HEARD, 206, 0}, {OP_BEGIN, 0, 0}}},
    {"21",
     {{OP_BEGIN, 0, 0},
      {OP_COPY_DBS, 0, 0},
      {OP_COPY_LOGS, 0, 0},
      {OP_END, 0, 0},
      {OP_BEGIN, 1, JET_errMissingFullBackup}}},
    {"22", {FULL(0), {OP_BEGIN, 1, 0}, {OP_HEARD, 211, 0}}},
    {"23", {FULL(0), {OP_ATTACH_OTHER, 0, 0}, {OP_BEGIN, 1, JET_errMissingFullBackup}}},
    {"26",
     {{OP_BEGIN, 0, 0},
      {OP_LOG_INFO, 0, 0},
      {OP_TERM2, JET_bitTermComplete, JET_errBackupInProgress},
      {OP_END, 0, 0},
      {OP_BEGIN, 0, JET_errBackupNotAllowedYet}}},
    {"27",
     {{OP_BEGIN, 0, 0},
      {OP_ATTACH_OTHER, 0, JET_errBackupInProgress},
      {OP_DETACH, 0, JET_errBackupInProgress},
      {OP_LOG_INFO, 0, 0},
      {OP_END, 0, 0},
      {OP_ATTACH_OTHER, 0, 0},
      {OP_DETACH_OTHER, 0, 0}}},
    {"28",
     {{OP_ATTACH_INFO, 0, JET_errNoBackup},
      {OP_OPEN, FILE_DB, JET_errNoBackup},
      {OP_READ, 3 * PAGE, JET_errNoBackup},
      {OP_CLOSE, 0, JET_errNoBackup},
      {OP_LOG_INFO, 0, JET_errNoBackup},
      {OP_TRUNCATE_INFO, 0, JET_errNoBackup},
      {OP_TRUNCATE, 0, JET_errNoBackup},
      {OP_END, 0, JET_errNoBackup}}},
    {"29",
     {{OP_END2, 0, JET_errInvalidParameter},
      {OP_END2, 3, JET_errInvalidParameter},
      {OP_END2, 2, JET_errNoBackup}}},
    {"30", {{OP_BEGIN, 0, 0}, {OP_END2, 0, JET_errInvalidParameter}, {OP_ATTACH_INFO, 0, 0}}},
    {"31",
     {FULL(0),
      {OP_BEGIN, 1, 0},
      {OP_ATTACH_INFO, 0, JET_errInvalidBackupSequence},
      {OP_LOG_INFO, 0, 0}}},
    {"32", {{OP_BEGIN, 0, 0}, {OP_OPEN, FILE_DB, 0}, {OP_HEARD, 220, 0}, {OP_READ_OPEN, 0, 0}}},
    {"33",
     {{OP_BEGIN, 0, 0},
      {OP_OPEN, FILE_DB, 0},
      {OP_OPEN, FILE_DB, JET_errOutOfMemory},
      {OP_READ, 3 * PAGE, 0}}},
    {"34",
     {{OP_BEGIN, 0, 0},
      {OP_OPEN, FILE_LOG, JET_errDatabaseNotFound},
      {OP_HEARD, 217, 0},
      {OP_ATTACH_INFO, 0, 0}}},
    {"35",
     {{OP_BEGIN, 0, 0},
      {OP_OPEN, FILE_NO_SUCH, JET_errDatabaseNotFound},
      {OP_HEARD, 217, 0},
      {OP_OPEN, FILE_DB, 0}}},
    {"36",
     {{OP_BEGIN, 0, 0},
      {OP_HEARD, 210, 0},
      {OP_OPEN, FILE_NULL, JET_errInvalidParameter},
      {OP_OPEN, FILE_EMPTY, JET_errInvalidParameter},
      {OP_UNHEARD, 217, 0},
      {OP_ATTACH_INFO, 0, 0}}},
    {"37",
     {{OP_BEGIN, 0, 0},
      {OP_OPEN, FILE_DB, 0},
      {OP_LOG_INFO, 0, JET_errInvalidBackupSequence},
      {OP_CLOSE, 0, 0},
      {OP_LOG_INFO, 0, 0}}},
    {"38",
     {{OP_BEGIN, 0, 0}, {OP_TRUNCATE, 0, JET_errInvalidBackupSequence}, {OP_OPEN, FILE_DB, 0}}},
    {"39",
     {{OP_BEGIN, 0, 0},
      {OP_LOG_INFO, 0, 0},
      {OP_OPEN, FILE_DB, JET_errInvalidBackupSequence},
      {OP_HEARD, 214, 0},
      {OP_LOG_INFO, 0, JET_errNoBackup},
      {OP_END, 0, JET_errNoBackup}}},
    {"40",
     {FULL(0),
      {OP_BEGIN, 1, 0},
      {OP_OPEN, FILE_DB, JET_errInvalidBackupSequence},
      {OP_HEARD, 214, 0},
      {OP_END, 0, JET_errNoBackup}}},
    {"41",
     {{OP_BEGIN, 0, 0},
      {OP_LOG_INFO, 0, 0},
      {OP_OPEN, FILE_CURRENT, JET_errInvalidParameter},
      {OP_HEARD, 214, 0},
      {OP_END, 0, JET_errNoBackup}}},
    {"42",
     {{OP_BEGIN, 0, 0},
      {OP_LOG_INFO, 0, 0},
      {OP_OPEN, FILE_LOST_LOG, JET_errMissingFileToBackup},
      {OP_UNHEARD, 213, 0},
      {OP_HEARD, 459, 0},
      {OP_END, 0, JET_errNoBackup}}},
    {"43",
     {{OP_BEGIN, 0, 0},
      {OP_OPEN, FILE_DB, 0},
      {OP_CLOSE, 0, 0},
      {OP_CLOSE, 0, JET_errInvalidParameter},
      {OP_CLOSE, 7, JET_errInvalidParameter},
      {OP_CLOSE, ~(uintptr_t)0, JET_errInvalidParameter}}},
    {"44",
     {{OP_BEGIN, 0, 0},
      {OP_COPY_DBS, 0, 0},
      {OP_COPY_DBS, 0, 0},
      {OP_OPEN, FILE_DB, 0},
      {OP_READ, 2 * PAGE, JET_errInvalidParameter},
      {OP_READ_OPEN, 0, 0}}},
    {"46",
     {{OP_BEGIN, 0, 0},
      {OP_TRUNCATE_INFO, 0, 0},
      {OP_HEARD, 223, 0},
      {OP_OPEN, FILE_DB, JET_errInvalidBackupSequence},
      {OP_END, 0, JET_errNoBackup}}},
};

static void
test_25_no_database(void **state)
{
    struct golden *g = *state;
    uint32_t size;
    ok(JetCloseDatabase(g->f.ses, g->f.db, 0));
    ok(JetDetachDatabase(g->f.ses, g->f.db_path));
    ok(JetBeginExternalBackupInstance(g->f.inst, 0));
    ok(JetGetAttachInfoInstanceW(g->f.inst, NULL, 0, &size));
    assert_int_equal(size, 2);
    ok(JetGetAttachInfoInstanceA(g->f.inst, NULL, 0, &size));
    assert_int_equal(size, 1);
}

static void
test_45_second_log_info(void **state)
{
    struct golden *g = *state;
    char first[4096] = "", again[4096] = "";
    JET_LOGINFO_A a = {.cbSize = sizeof a}, b = {.cbSize = sizeof b};
    ok(JetBeginExternalBackupInstance(g->f.inst, 0));
    ok(JetGetLogInfoInstance2A(g->f.inst, first, sizeof first, NULL, &a));
    ok(JetGetLogInfoInstance2A(g->f.inst, again, sizeof again, NULL, &b));
    assert_memory_equal(first, again, sizeof first);
    assert_int_equal(a.ulGenHigh, b.ulGenHigh);
    ok(JetEndExternalBackupInstance(g->f.inst));
    ok(JetBeginExternalBackupInstance(g->f.inst, 0));
    ok(JetGetLogInfoInstance2A(g->f.inst, again, sizeof again, NULL, &b));
    assert_int_equal(b.ulGenHigh, a.ulGenHigh + 1); /* one roll per session */
}

static void
test_47_48_small_buffers(void **state)
{
    struct golden *g = *state;
    uint16_t wide[2048];
    char narrow[4];
    uint32_t need = 0, got = 0;
    ok(JetBeginExternalBackupInstance(g->f.inst, 0));
    ok(JetGetAttachInfoInstanceW(g->f.inst, NULL, 0, &need));
    ok(JetGetAttachInfoInstanceW(g->f.inst, wide, 4, &got));
    assert_int_equal(got, need);
    assert_int_equal(JetGetAttachInfoInstanceA(g->f.inst, narrow, 4, &got), JET_errBufferTooSmall);
    ok(JetGetLogInfoInstanceW(g->f.inst, NULL, 0, &need));
    assert_true(need > 4);
    ok(JetGetLogInfoInstanceW(g->f.inst, wide, 4, &got));
    assert_int_equal(got, 4);
    assert_int_equal(JetGetLogInfoInstanceA(g->f.inst, narrow, 4, &got), JET_errBufferTooSmall);
    ok(JetEndExternalBackupInstance(g->f.inst)); /* was alive */
}

static void
test_49_log_info_struct(void **state)
{
    struct golden *g = *state;
    char szz[4096];
    JET_LOGINFO_A info = {.cbSize = sizeof info - 1};
    ok(JetBeginExternalBackupInstance(g->f.inst, 0));
    assert_int_equal(JetGetLogInfoInstance2A(g->f.inst, szz, sizeof szz, NULL, &info),
                     JET_errInvalidParameter);
    assert_int_equal(golden_do(g, OP_OPEN, FILE_DB),
                     0); /* not rolled: still the databases' phase */
    assert_int_equal(golden_do(g, OP_CLOSE, 0), 0);
    info.cbSize = 16;
    ok(JetGetLogInfoInstance2A(g->f.inst, szz, sizeof szz, NULL, &info));
    const char *last = szz;
    for (const char *at = szz; *at; at += strlen(at) + 1)
        last = at;
    g_autofree char *name = g_strdup_printf("edb%05X.log", info.ulGenHigh);
    assert_true(g_str_has_suffix(last, name));
    assert_string_equal(info.szBaseName, "edb");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, golden_setup, golden_teardown)

int
main(void)
{
    const struct CMUnitTest extra[] = {CASE(test_25_no_database), CASE(test_45_second_log_info),
                                       CASE(test_47_48_small_buffers),
                                       CASE(test_49_log_info_struct)};
    return golden_run_cases("golden sequence", cases, G_N_ELEMENTS(cases), extra,
                            G_N_ELEMENTS(extra));
}
