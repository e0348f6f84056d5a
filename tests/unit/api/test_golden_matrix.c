/* SPDX-License-Identifier: MIT */
/*
 * golden_matrix: every call in every state of a backup (backup API, 2.2): external, surrogate, OS
 * snapshot. In state N of ESE, calls about files work on nothing sensible, and End ends it by
 * mistake; here they see no backup. After each cell
 * the next End says whether the backup was ended by the call (JET_errNoBackup) as the table has it.
 */
#include "golden.h"

enum state { S0, D, DH, L, LH, I, I2, I2H, X, G, NF, NT, N_STATES };

static const char *const state_names[] = {"S0", "D",   "Dh", "L", "Lh",         "I",
                                          "I2", "I2h", "X",  "G", "N (frozen)", "N (thawed)"};

static const struct golden_step into[N_STATES][4] = {
    [D] = {{OP_BEGIN, 0, 0}},
    [DH] = {{OP_BEGIN, 0, 0}, {OP_OPEN, FILE_DB, 0}},
    [L] = {{OP_BEGIN, 0, 0}, {OP_LOG_INFO, 0, 0}},
    [LH] = {{OP_BEGIN, 0, 0}, {OP_LOG_INFO, 0, 0}, {OP_OPEN, FILE_LOG, 0}},
    [I] = {{OP_BEGIN, 1, 0}},
    [I2] = {{OP_BEGIN, 1, 0}, {OP_LOG_INFO, 0, 0}},
    [I2H] = {{OP_BEGIN, 1, 0}, {OP_LOG_INFO, 0, 0}, {OP_OPEN, FILE_LOG, 0}},
    [X] = {{OP_BEGIN, 0, 0}, {OP_STOP, 0, 0}},
    [G] = {{OP_SURROGATE, GENS(1, NEWEST, 0), 0}},
    [NF] = {{OP_PREPARE, 0, 0}, {OP_FREEZE, 0, 0}},
    [NT] = {{OP_PREPARE, JET_bitContinueAfterThaw, 0}, {OP_FREEZE, 0, 0}, {OP_THAW, 0, 0}},
};

/* What ends each state at once: its answer as long as the backup goes on, and when it does not. */
static const struct golden_step enders[N_STATES] = {
    [G] = {OP_END_SURROGATE, JET_bitBackupEndAbort, errBackupAbortByCaller},
    [NF] = {OP_SNAPSHOT_END, JET_bitAbortSnapshot, 0},
    [NT] = {OP_SNAPSHOT_END, JET_bitAbortSnapshot, 0},
};

#define NA      1000 /* no such cell */
#define NONE    JET_errNoBackup
#define BUSY    JET_errBackupInProgress
#define SEQ     JET_errInvalidBackupSequence
#define MEM     JET_errOutOfMemory
#define PAR     JET_errInvalidParameter
#define STOP    JET_errBackupAbortByServer
#define CALLER  errBackupAbortByCaller
#define NODB    JET_errDatabaseNotFound
#define NOFILE  JET_errMissingFileToBackup
#define NOTALL  JET_errLogFileNotCopied
#define SURR    JET_errSurrogateBackupInProgress
#define NOSNAP  JET_errOSSnapshotInvalidSnapId
#define SNAPSEQ JET_errOSSnapshotInvalidSequence

struct row {
    enum golden_op op;
    uintptr_t arg;
    JET_ERR want[N_STATES];
    uint32_t ends; /* bit per state */
};

#define BIT(s) (1u << (s))
#define LIVE   (BIT(D) | BIT(DH) | BIT(L) | BIT(LH) | BIT(I) | BIT(I2) | BIT(I2H) | BIT(X) | BIT(G))

/* clang-format off */
static const struct row rows[] = {
    /*                                        S0      D       Dh      L       Lh      I       I2      I2h     X       G       N fr.   N th.    */
    {OP_BEGIN, 0,                           {0,      BUSY,   BUSY,   BUSY,   BUSY,   BUSY,   BUSY,   BUSY,   BUSY,   SURR,   BUSY,   BUSY}, 0},
    {OP_BEGIN, 1,                           {0,      BUSY,   BUSY,   BUSY,   BUSY,   BUSY,   BUSY,   BUSY,   BUSY,   SURR,   BUSY,   BUSY}, 0},
    {OP_ATTACH_INFO, 0,                     {NONE,   0,      0,      0,      0,      SEQ,    SEQ,    SEQ,    STOP,   NONE,   NONE,   NONE}, 0},
    {OP_OPEN, FILE_DB,                      {NONE,   0,      MEM,    SEQ,    MEM,    SEQ,    SEQ,    MEM,    STOP,   NONE,   NONE,   NONE}, BIT(L) | BIT(I) | BIT(I2)},
    {OP_OPEN, FILE_LOG,                     {NONE,   NODB,   MEM,    0,      MEM,    0,      0,      MEM,    STOP,   NONE,   NONE,   NONE}, 0},
    {OP_OPEN, FILE_LOST_LOG,                {NONE,   NODB,   MEM,    NOFILE, MEM,    NOFILE, NOFILE, MEM,    STOP,   NONE,   NONE,   NONE}, BIT(L) | BIT(I) | BIT(I2)},
    {OP_OPEN, FILE_CURRENT,                 {NONE,   NODB,   MEM,    PAR,    MEM,    PAR,    PAR,    MEM,    STOP,   NONE,   NONE,   NONE}, BIT(L) | BIT(I) | BIT(I2)},
    {OP_OPEN, FILE_NULL,                    {NONE,   PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    STOP,   NONE,   NONE,   NONE}, 0},
    {OP_OPEN, FILE_EMPTY,                   {NONE,   PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    STOP,   NONE,   NONE,   NONE}, 0},
    {OP_READ, 3 * PAGE,                     {NONE,   PAR,    0,      PAR,    0,      PAR,    PAR,    0,      STOP,   NONE,   NONE,   NONE}, 0},
    {OP_READ_CLOSED, 5,                     {NONE,   PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    STOP,   NONE,   NONE,   NONE}, 0},
    {OP_CLOSE, 0,                           {NONE,   PAR,    0,      PAR,    0,      PAR,    PAR,    0,      PAR,    NONE,   NONE,   NONE}, 0},
    {OP_CLOSE, 7,                           {NONE,   PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    NONE,   NONE,   NONE}, 0},
    {OP_LOG_INFO, 0,                        {NONE,   0,      SEQ,    0,      SEQ,    0,      0,      SEQ,    STOP,   NONE,   NONE,   NONE}, 0},
    {OP_TRUNCATE_INFO, 0,                   {NONE,   0,      SEQ,    0,      SEQ,    0,      0,      SEQ,    STOP,   NONE,   NONE,   NONE}, 0},
    {OP_TRUNCATE, 0,                        {NONE,   SEQ,    SEQ,    NOTALL, SEQ,    SEQ,    NOTALL, SEQ,    STOP,   NONE,   NONE,   NONE}, 0},
    {OP_END, 0,                             {NONE,   CALLER, CALLER, 0,      0,      0,      0,      0,      STOP,   SURR,   NONE,   NONE}, LIVE},
    {OP_END2, JET_bitBackupEndAbort,        {NONE,   CALLER, CALLER, CALLER, CALLER, CALLER, CALLER, CALLER, CALLER, SURR,   NONE,   NONE}, LIVE},
    {OP_END2, 0,                            {PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR}, 0},
    {OP_END2, 3,                            {PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR}, 0},
    {OP_STOP, 0,                            {0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0,      0}, 0},
    {OP_ATTACH_OTHER, 0,                    {0,      BUSY,   BUSY,   BUSY,   BUSY,   BUSY,   BUSY,   BUSY,   BUSY,   SURR,   BUSY,   BUSY}, 0},
    {OP_DETACH, 0,                          {NA,     BUSY,   BUSY,   BUSY,   BUSY,   BUSY,   BUSY,   BUSY,   BUSY,   SURR,   BUSY,   BUSY}, 0},
    {OP_END_SURROGATE, JET_bitBackupEndNormal,
                                            {NONE,   0,      0,      0,      0,      0,      0,      0,      0,      0,      NONE,   NONE}, LIVE},
    {OP_END_SURROGATE, JET_bitBackupEndAbort,
                                            {NONE,   0,      0,      0,      0,      0,      0,      0,      0,      CALLER, NONE,   NONE}, LIVE},
    {OP_END_SURROGATE, 0,                   {PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR}, 0},
    {OP_END_SURROGATE, 3,                   {PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR,    PAR}, 0},
    {OP_SURROGATE, GENS(1, 1, 0),           {0,      BUSY,   BUSY,   BUSY,   BUSY,   BUSY,   BUSY,   BUSY,   BUSY,   SURR,   BUSY,   BUSY}, 0},
    {OP_PREPARE_INSTANCE, 0,                {NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, SNAPSEQ,SNAPSEQ}, 0},
    {OP_FREEZE, 0,                          {NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, SNAPSEQ,SNAPSEQ}, 0},
    {OP_THAW, 0,                            {NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, 0,      SNAPSEQ}, BIT(NF)},
    {OP_FREEZE_INFO, 0,                     {NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, 0,      0}, 0},
    {OP_SNAPSHOT_TRUNCATE, 0,               {NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, SNAPSEQ,0}, 0},
    {OP_SNAPSHOT_TRUNCATE_INSTANCE, 0,      {NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, SNAPSEQ,0}, 0},
    {OP_SNAPSHOT_END, 0,                    {NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, SNAPSEQ,0}, BIT(NT)},
    {OP_ABORT, 0,                           {NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, NOSNAP, 0,      0}, BIT(NF) | BIT(NT)},
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
    bool begun = s == S0 && (row->op == OP_BEGIN || row->op == OP_SURROGATE);
    bool runs = s == S0 ? begun : !(row->ends & BIT(s));
    const struct golden_step *end = s == S0 && row->op == OP_SURROGATE ? &enders[G] : &enders[s];
    err = end->op ? golden_do(g, end->op, end->arg) : golden_do(g, OP_END2, JET_bitBackupEndAbort);
    JET_ERR going_on = end->op ? end->want : errBackupAbortByCaller;
    JET_ERR over = end->op == OP_SNAPSHOT_END ? NOSNAP : JET_errNoBackup;
    if (err != (runs ? going_on : over))
        fail_msg("2.2, %s(%#zx) in state %s: the backup %s", golden_op_name(row->op),
                 (size_t)row->arg, state_names[s], runs ? "was ended" : "goes on");
    if (row->op == OP_THAW || row->op == OP_SNAPSHOT_END)
        golden_run(g, "after a snapshot", full); /* else no incremental backup could begin */
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
    {"2.2 JetTerm in G",
     {{OP_SURROGATE, GENS(1, 1, 0), 0},
      {OP_TERM2, 0, SURR},
      {OP_TERM2, JET_bitTermComplete, SURR},
      {OP_TERM, 0, 0},
      {OP_HEARD, 214, 0}}},
    /* frozen, JetTerm waits for the thaw; here the timeout's */
    {"7 JetTerm in N (frozen)",
     {{OP_TIMEOUT, 300, 0},
      {OP_PREPARE, 0, 0},
      {OP_FREEZE, 0, 0},
      {OP_TERM2, 0, BUSY},
      {OP_TERM, 0, 0},
      {OP_HEARD, 2004, 0},
      {OP_THAW, 0, JET_errOSSnapshotTimeOut}}},
    {"7 JetTerm in N (thawed)",
     {{OP_PREPARE, JET_bitContinueAfterThaw, 0},
      {OP_FREEZE, 0, 0},
      {OP_THAW, 0, 0},
      {OP_TERM2, 0, BUSY},
      {OP_TERM, 0, 0},
      {OP_HEARD, 2007, 0},
      {OP_SNAPSHOT_END, 0, 0}}},
};

int
main(void)
{
    const struct CMUnitTest extra[] = {cmocka_unit_test_setup_teardown(
        test_each_call_in_each_state, golden_setup, golden_teardown)};
    return golden_run_cases("golden matrix", term_cases, G_N_ELEMENTS(term_cases), extra,
                            G_N_ELEMENTS(extra));
}
