/* SPDX-License-Identifier: MIT */
/*
 * golden_reading: cases 50 to 54, 57, 58: what JetReadFile gives and what it refuses.
 *
 * Case 52: the source refuses a buffer that is not aligned, the documentation knows of no such
 * rule. Cases 55 and 56, damaged pages and segments, are in test_golden_bad.c.
 */
#include "golden.h"

#define PAR JET_errInvalidParameter

static const struct golden_case cases[] = {
    {"50",
     {{OP_BEGIN, 0, 0}, {OP_OPEN, FILE_DB, 0}, {OP_READ, 2 * PAGE, PAR}, {OP_READ, 3 * PAGE, 0}}},
    {"51",
     {{OP_BEGIN, 0, 0},
      {OP_OPEN, FILE_DB, 0},
      {OP_READ, 3 * PAGE + 1, PAR},
      {OP_READ, 0, PAR},
      {OP_READ_OPEN, 0, 0}}},
    {"52", {{OP_BEGIN, 0, 0}, {OP_OPEN, FILE_DB, 0}, {OP_READ_ODD, 3 * PAGE, 0}}},
    {"53",
     {{OP_BEGIN, 0, 0},
      {OP_OPEN, FILE_DB, 0},
      {OP_READ_OPEN, 0, 0},
      {OP_READ, 3 * PAGE, 0},
      {OP_UNHEARD, 221, 0},
      {OP_CLOSE, 0, 0},
      {OP_HEARD, 221, 0}}},
    {"57",
     {{OP_BEGIN, 0, 0},
      {OP_LOG_INFO, 0, 0},
      {OP_OPEN, FILE_LOG, 0},
      {OP_READ, PAGE, PAR},
      {OP_READ, 2 * PAGE, 0}}},
    {"57",
     {{OP_BEGIN, 0, 0},
      {OP_LOG_INFO, 0, 0},
      {OP_OPEN, FILE_LOG, 0},
      {OP_READ_OPEN, 0, 0},
      {OP_READ, 2 * PAGE, 0}}},
    {"58",
     {{OP_DIRTY, 0, 0},
      {OP_BEGIN, 0, 0},
      {OP_OPEN, FILE_DB, 0},
      {OP_READ, 3 * PAGE, 0},
      {OP_CLOSE, 0, 0},
      {OP_HEARD, 222, 0},
      {OP_COPY_LOGS, 0, 0},
      {OP_TRUNCATE, 0, 0},
      {OP_HEARD, 225, 0},
      {OP_END, 0, 0},
      {OP_SLOT, DBH_BK_FULL_PREV, 0}}},
};

static void
test_50_the_header_twice_with_its_mark(void **state)
{
    struct golden *g = *state;
    g_autofree uint8_t *buf = g_malloc(3 * PAGE);
    JET_LOGINFO_A info = {.cbSize = sizeof info};
    uint32_t got;
    ok(golden_do(g, OP_BEGIN, 0));
    ok(golden_do(g, OP_OPEN, FILE_DB));
    ok(JetReadFileInstance(g->f.inst, 0, buf, 3 * PAGE, &got));
    assert_int_equal(got, 3 * PAGE);
    assert_memory_equal(buf, buf + PAGE, PAGE);
    ok(golden_do(g, OP_CLOSE, 0));
    ok(JetGetLogInfoInstance2A(g->f.inst, NULL, 0, NULL, &info));
    assert_int_equal(le32_get(buf + DBH_BK_FULL_CUR + BKINFO_GEN_LOW), info.ulGenLow);
    assert_int_equal(le32_get(buf + DBH_BK_FULL_CUR + BKINFO_GEN_HIGH), 0);
}

/* Case 53's last page, which case 54 has come alone. */
static void
test_53_54_the_trailer(void **state)
{
    struct golden *g = *state;
    JET_LOGINFO_A info = {.cbSize = sizeof info};
    ok(golden_do(g, OP_BEGIN, 0));
    ok(golden_do(g, OP_OPEN, FILE_DB));
    uint32_t cb = (uint32_t)g->size - PAGE, got;
    g_autofree uint8_t *buf = g_malloc(cb);
    g_autofree uint8_t *trailer = g_malloc(2 * PAGE);
    ok(JetReadFileInstance(g->f.inst, 0, buf, cb, &got));
    assert_int_equal(got, cb);
    ok(JetReadFileInstance(g->f.inst, 0, trailer, 2 * PAGE, &got));
    assert_int_equal(got, PAGE);
    ok(golden_do(g, OP_CLOSE, 0));
    ok(JetGetLogInfoInstance2A(g->f.inst, NULL, 0, NULL, &info));
    assert_int_equal(le32_get(trailer + 40 + BKINFO_GEN_LOW), info.ulGenLow);
    assert_int_equal(le32_get(trailer + 40 + BKINFO_GEN_HIGH), info.ulGenHigh);
    assert_memory_equal(trailer + 64, buf + DBH_SIGN_DB, DBHEADER_SIGNATURE_BYTES);
    assert_memory_equal(trailer + 92, buf + DBH_SIGN_LOG, DBHEADER_SIGNATURE_BYTES);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, golden_setup, golden_teardown)

int
main(void)
{
    const struct CMUnitTest extra[] = {CASE(test_50_the_header_twice_with_its_mark),
                                       CASE(test_53_54_the_trailer)};
    return golden_run_cases("golden reading", cases, G_N_ELEMENTS(cases), extra,
                            G_N_ELEMENTS(extra));
}
