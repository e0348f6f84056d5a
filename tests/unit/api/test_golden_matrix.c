/* SPDX-License-Identifier: MIT */
/*
 * golden_matrix: every call in every state of an external backup (backup API, 2.2). After each cell
 * the next End says whether the backup was ended by the call (JET_errNoBackup) as the table has it.
 */
#include "golden.h"

enum state { S0, D, DH, L, LH, I, I2, I2H, X, N_STATES };

static const char *const state_names[] = {"S0", "D", "Dh", "L", "Lh", "I", "I2", "I2h", "X"};

static const struct golden_step into[N_STATES][4] = {
    [D] = {{OP_BEGIN, 0, 0}},
    [DH] = {{OP_BEGIN, 0, 0}, {OP_OPEN, FILE_DB, 0}},
    [L] = {{OP_BEGIN, 0, 0}, {OP_LOG_INFO, 0, 0}},
    [LH] = {{OP_BEGIN, 0, 0}, {OP_LOG_INFO, 0, 0}, {OP_OPEN, FILE_LOG, 0}},
    [I] = {{OP_BEGIN, 1, 0}},
    [I2] = {{OP_BEGIN, 1, 0}, {OP_LOG_INFO, 0, 0}},
    [I2H] = {{OP_BEGIN, 1, 0}, {OP_LOG_INFO, 0, 0}, {OP_OPEN, FILE_LOG, 0}},
    [X] = {{OP_BEGIN, 0, 0}, {OP_STOP, 0, 0}},
};

#define NA     1000 /* no such cell */
#define NONE   JET_errNoBackup
#define BUSY   JET_errBackupInProgress
#define SEQ    JET_errInvalidBackupSequence
#define MEM    JET_errOutOfMemory
#define PAR    JET_errInvalidParameter
#define STOP   JET_errBackupAbortByServer
#define CALLER errBackupAbortByCaller
#define NODB   JET_errDatabaseNotFound
#define NOFILE JET_errMissingFileToBackup
#define NOTALL JET_errLogFileNotCopied

struct row {
    enum golden_op op;
    uintptr_t arg;
    JET_ERR want[N_STATES];
    uint32_t ends; /* bit per state */
};

#define BIT(s) (1u << (s))
#define LIVE   (BIT(D) | BIT(DH) | BIT(L) | BIT(LH) | BIT(I) | BIT(I2) | BIT(I2H) | BIT(X))

/* clang-format off */
static const struct row rows[] = {
    /*                                S0    D      Dh      L       Lh   I       I2      I2h  X */
    {OP_BEGIN, 0,                    {0,    BUSY,  BUSY,   BUSY,   BUSY, BUSY,  BUSY,   BUSY, BUSY}, 0},
    {OP_BEGIN, 1,                    {0,    BUSY,  BUSY,   BUSY,   BUSY, BUSY,  BUSY,   BUSY, BUSY}, 0},
    {OP_ATTACH_INFO, 0,              {NONE, 0,     0,      0,      0,    SEQ,   SEQ,    SEQ,  STOP}, 0},
    {OP_OPEN, FILE_DB,               {NONE, 0,     MEM,    SEQ,    MEM,  SEQ,   SEQ,    MEM,  STOP},
                                      BIT(L) | BIT(I) | BIT(I2)},
    {OP_OPEN, FILE_LOG,              {NONE, NODB,  MEM,    0,      MEM,  0,     0,      MEM,  STOP}, 0},
    {OP_OPEN, FILE_LOST_LOG,         {NONE, NODB,  MEM,    NOFILE, MEM,  NOFILE, NOFILE, MEM, STOP},
                                      BIT(L) | BIT(I) | BIT(I2)},
    {OP_OPEN, FILE_CURRENT,          {NONE, NODB,  MEM,    PAR,    MEM,  PAR,   PAR,    MEM,  STOP},
                                      BIT(L) | BIT(I) | BIT(I2)},
    {OP_OPEN, FILE_NULL,             {NONE, PAR,   PAR,    PAR,    PAR,  PAR,   PAR,    PAR,  STOP}, 0},
    {OP_OPEN, FILE_EMPTY,            {NONE, PAR,   PAR,    PAR,    PAR,  PAR,   PAR,    PAR,  STOP}, 0},
    {OP_READ, 3 * PAGE,              {NONE, PAR,   0,      PAR,    0,    PAR,   PAR,    0,    STOP}, 0},
    {OP_READ_CLOSED, 5,              {NONE, PAR,   PAR,    PAR,    PAR,  PAR,   PAR,    PAR,  STOP}, 0},
    {OP_CLOSE, 0,                    {NONE, PAR,   0,      PAR,    0,    PAR,   PAR,    0,    PAR}, 0},
    {OP_CLOSE, 7,                    {NONE, PAR,   PAR,    PAR,    PAR,  PAR,   PAR,    PAR,  PAR}, 0},
    {OP_LOG_INFO, 0,                 {NONE, 0,     SEQ,    0,      SEQ,  0,     0,      SEQ,  STOP}, 0},
    {OP_TRUNCATE_INFO, 0,            {NONE, 0,     SEQ,    0,      SEQ,  0,     0,      SEQ,  STOP}, 0},
    {OP_TRUNCATE, 0,                 {NONE, SEQ,   SEQ,    NOTALL, SEQ,  SEQ,   NOTALL, SEQ,  STOP}, 0},
    {OP_END, 0,                      {NONE, CALLER, CALLER, 0,     0,    0,     0,      0,    STOP}, LIVE},
    {OP_END2, JET_bitBackupEndAbort, {NONE, CALLER, CALLER, CALLER, CALLER, CALLER, CALLER, CALLER,
                                      CALLER}, LIVE},
    {OP_END2, 0,                     {PAR,  PAR,   PAR,    PAR,    PAR,  PAR,   PAR,    PAR,  PAR}, 0},
    {OP_END2, 3,                     {PAR,  PAR,   PAR,    PAR,    PAR,  PAR,   PAR,    PAR,  PAR}, 0},
    {OP_STOP, 0,                     {0,    0,     0,      0,      0,    0,     0,      0,    0}, 0},
    {OP_ATTACH_OTHER, 0,             {0,    BUSY,  BUSY,   BUSY,   BUSY, BUSY,  BUSY,   BUSY, BUSY}, 0},
    {OP_DETACH, 0,                   {NA,   BUSY,  BUSY,   BUSY,   BUSY, BUSY,  BUSY,   BUSY, BUSY}, 0},
};
/* clang-format on */

static const struct golden_step full[] = {{OP_BEGIN, 0, 0},     {OP_COPY_DBS, 0, 0},
                                          {OP_COPY_LOGS, 0, 0}, {OP_TRUNCATE, 0, 0},
                                          {OP_END, 0, 0},       {OP_NONE, 0, 0}};

static void
check_cell(struct golden *g, const struct row *row, enum state s)
{
    golden_run(g, state_names[s], into[s]);
    JET_ERR err = golden_do(g, row->op, row->arg);
    if (err != row->want[s])
        fail_msg("2.2, %s(%#zx) in state %s gave %d, not %d", golden_op_name(row->op),
                 (size_t)row->arg, state_names[s], (int)err, (int)row->want[s]);
    bool runs = s == S0 ? row->op == OP_BEGIN : !(row->ends & BIT(s));
    err = golden_do(g, OP_END2, JET_bitBackupEndAbort);
    if (err != (runs ? errBackupAbortByCaller : JET_errNoBackup))
        fail_msg("2.2, %s(%#zx) in state %s: the backup %s", golden_op_name(row->op),
                 (size_t)row->arg, state_names[s], runs ? "was ended" : "goes on");
    if (row->op == OP_ATTACH_OTHER && s == S0)
        ok(golden_do(g, OP_DETACH_OTHER, 0));
}

static void
test_each_call_in_each_state(void **state)
{
    struct golden *g = *state;
    golden_run(g, "before", full);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        for (enum state s = S0; s < N_STATES; s++)
            if (rows[i].want[s] != NA)
                check_cell(g, &rows[i], s);
}

#define TERM                                                                                       \
    {OP_TERM2, 0, BUSY}, {OP_TERM2, JET_bitTermComplete, BUSY}, {OP_TERM, 0, 0},                   \
    {                                                                                              \
        OP_HEARD, 226, 0                                                                           \
    }
#define FULL                                                                                       \
    {OP_BEGIN, 0, 0}, {OP_COPY_DBS, 0, 0}, {OP_COPY_LOGS, 0, 0}, {OP_TRUNCATE, 0, 0},              \
    {                                                                                              \
        OP_END, 0, 0                                                                               \
    }

/* A refused JetTerm2 lets no other backup begin, so that these need an instance each. */
static const struct golden_case term_cases[] = {
    {"2.2 JetTerm in S0", {{OP_TERM2, 0, 0}}},
    {"2.2 JetTerm in D", {{OP_BEGIN, 0, 0}, TERM}},
    {"2.2 JetTerm in Dh", {{OP_BEGIN, 0, 0}, {OP_OPEN, FILE_DB, 0}, TERM}},
    {"2.2 JetTerm in L", {{OP_BEGIN, 0, 0}, {OP_LOG_INFO, 0, 0}, TERM}},
    {"2.2 JetTerm in Lh", {{OP_BEGIN, 0, 0}, {OP_LOG_INFO, 0, 0}, {OP_OPEN, FILE_LOG, 0}, TERM}},
    {"2.2 JetTerm in I", {FULL, {OP_BEGIN, 1, 0}, TERM}},
    {"2.2 JetTerm in I2", {FULL, {OP_BEGIN, 1, 0}, {OP_LOG_INFO, 0, 0}, TERM}},
    {"2.2 JetTerm in I2h",
     {FULL, {OP_BEGIN, 1, 0}, {OP_LOG_INFO, 0, 0}, {OP_OPEN, FILE_LOG, 0}, TERM}},
    {"2.2 JetTerm in X", {{OP_BEGIN, 0, 0}, {OP_STOP, 0, 0}, TERM}},
};

int
main(void)
{
    const struct CMUnitTest extra[] = {cmocka_unit_test_setup_teardown(
        test_each_call_in_each_state, golden_setup, golden_teardown)};
    return golden_run_cases("golden matrix", term_cases, G_N_ELEMENTS(term_cases), extra,
                            G_N_ELEMENTS(extra));
}
