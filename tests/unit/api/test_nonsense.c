/* SPDX-License-Identifier: MIT */
/*
 * nonsense: random calls with arguments good and bad: any order, any handle, any flag, any length.
 * Each gives a code that ESE knows, none crashes, and afterwards the instance works, ends and
 * starts.
 */
#include "fixture.h"

#include "base/error.h"

#define ROWS  40
#define CALLS 12000

struct pool {
    GRand *rand;
    struct fixture *f;
    JET_SESID sessions[6];
    JET_TABLEID tables[8];
    JET_COLUMNID columns[10];
    uint8_t buf[400]; /* what pointers point at */
};

static uint32_t
below(struct pool *p, uint32_t n)
{
    return (uint32_t)g_rand_int_range(p->rand, 0, (int32_t)n);
}

/* Mostly the good one: nonsense all over would not get far. */
static JET_SESID
session(struct pool *p)
{
    return below(p, 20) ? p->f->ses : p->sessions[below(p, G_N_ELEMENTS(p->sessions))];
}

static JET_TABLEID
table(struct pool *p)
{
    return p->tables[below(p, 20) ? below(p, 2) : below(p, G_N_ELEMENTS(p->tables))];
}

static JET_COLUMNID
column(struct pool *p)
{
    return p->columns[below(p, 3) ? below(p, 2) : below(p, G_N_ELEMENTS(p->columns))];
}

static JET_GRBIT
grbit(struct pool *p)
{
    switch (below(p, 8)) {
    case 0:
        return 1u << below(p, 32);
    case 1:
        return below(p, 6) ? 1u << below(p, 8) : g_rand_int(p->rand);
    default:
        return 0;
    }
}

static void *
pointer(struct pool *p)
{
    return below(p, 10) ? p->buf : NULL;
}

static uint32_t
length(struct pool *p)
{
    static const uint32_t some[] = {0, 1, 2, 3, 4, 4, 4, 8, 16, 64, 100, 101, 255, 256};
    return below(p, 10) ? some[below(p, G_N_ELEMENTS(some))] : below(p, sizeof(p->buf) + 1);
}

static uint32_t *
out_length(struct pool *p)
{
    static uint32_t actual;
    return below(p, 2) ? &actual : NULL;
}

/* Each with room behind it: some levels take the same pointer for that of a columnid. */
static const char *
name(struct pool *p)
{
    static const char some[][100] = {
        "Items",
        "Id",
        "Name",
        "PK",
        "",
        "No Such",
        "bad!name",
        "\xff\xfe",
        "MSysObjects",
        " x",
        "a.b",
        "a_name_that_is_longer_than_the_sixty_four_characters_that_a_name_may_have_at_most"};
    uint32_t i = below(p, G_N_ELEMENTS(some) + 1);
    return i < G_N_ELEMENTS(some) ? some[i] : NULL;
}

static JET_ERR
set_columns(struct pool *p)
{
    JET_SETCOLUMN some[3] = {0};
    for (int i = 0; i < 3; i++) {
        some[i].columnid = column(p);
        some[i].pvData = pointer(p);
        some[i].cbData = length(p);
        some[i].grbit = grbit(p);
        some[i].itagSequence = below(p, 3);
    }
    return JetSetColumns(session(p), table(p), below(p, 8) ? some : NULL, below(p, 4));
}

static JET_ERR
retrieve_columns(struct pool *p)
{
    JET_RETRIEVECOLUMN some[3] = {0};
    uint8_t buf[3][400];
    for (int i = 0; i < 3; i++) {
        some[i].columnid = column(p);
        some[i].pvData = below(p, 8) ? buf[i] : NULL;
        some[i].cbData = length(p);
        some[i].grbit = grbit(p);
        some[i].itagSequence = below(p, 3);
    }
    return JetRetrieveColumns(session(p), table(p), below(p, 8) ? some : NULL, below(p, 4));
}

static JET_ERR
set_column(struct pool *p)
{
    JET_SETINFO info = {below(p, 6) ? sizeof(info) : below(p, 99), below(p, 20), below(p, 4)};
    return JetSetColumn(session(p), table(p), column(p), pointer(p), length(p), grbit(p),
                        below(p, 3) ? NULL : &info);
}

static JET_ERR
retrieve_column(struct pool *p)
{
    JET_RETINFO info = {below(p, 6) ? sizeof(info) : below(p, 99), below(p, 20), below(p, 4), 0};
    return JetRetrieveColumn(session(p), table(p), column(p), pointer(p), length(p), out_length(p),
                             grbit(p), below(p, 3) ? NULL : &info);
}

/* Opens and closes again: handles would run out otherwise. */
static JET_ERR
open_table(struct pool *p)
{
    JET_TABLEID opened = 0;
    JET_SESID ses = session(p);
    JET_ERR err = JetOpenTable(ses, below(p, 6) ? p->f->db : g_rand_int(p->rand), name(p), NULL, 0,
                               grbit(p), below(p, 12) ? &opened : NULL);
    if (err >= 0 && below(p, 4)) {
        ok(JetCloseTable(ses, opened));
        p->tables[7] = opened; /* stale from now on */
    } else if (err >= 0) {
        p->tables[1] = opened;
    }
    return err;
}

static JET_ERR
definitions(struct pool *p)
{
    JET_COLUMNDEF def = {.cbStruct = below(p, 8) ? sizeof(def) : below(p, 64),
                         .coltyp = below(p, 20),
                         .cp = below(p, 2) ? 1252 : below(p, 2000),
                         .cbMax = length(p),
                         .grbit = grbit(p)};
    JET_COLUMNID id;
    switch (below(p, 40) ? below(p, 4) : 4) {
    case 0:
        return JetGetTableColumnInfo(session(p), table(p), name(p), pointer(p), length(p),
                                     below(p, 12));
    case 1:
        return JetGetColumnInfo(session(p), below(p, 6) ? p->f->db : g_rand_int(p->rand), name(p),
                                name(p), pointer(p), length(p), below(p, 12));
    case 2:
        return JetGetDatabaseInfo(session(p), below(p, 6) ? p->f->db : 77, pointer(p), length(p),
                                  below(p, 40));
    case 3:
        return JetGetCurrentIndex(session(p), table(p), (char *)pointer(p), length(p));
    default:
        return JetAddColumn(session(p), table(p), name(p), below(p, 8) ? &def : NULL, pointer(p),
                            below(p, 3) ? 0 : length(p), below(p, 2) ? &id : NULL);
    }
}

static JET_ERR
transaction(struct pool *p)
{
    switch (below(p, 4)) {
    case 0:
        return JetBeginTransaction2(session(p), grbit(p));
    case 1:
        return JetCommitTransaction(session(p), below(p, 2) ? JET_bitCommitLazyFlush : grbit(p));
    case 2:
        return JetRollback(session(p), grbit(p));
    default:
        return JetBeginTransaction(session(p));
    }
}

static JET_ERR
navigate(struct pool *p)
{
    static const int32_t moves[] = {JET_MoveFirst, JET_MoveLast, 1, -1, 0, 5, -7, INT32_MAX - 1};
    switch (below(p, 8)) {
    case 0:
        return JetMakeKey(session(p), table(p), pointer(p), length(p),
                          below(p, 2) ? JET_bitNewKey : grbit(p));
    case 1:
        return JetSeek(session(p), table(p), below(p, 2) ? 1u << below(p, 5) : grbit(p));
    case 2:
        return JetSetIndexRange(session(p), table(p), grbit(p));
    case 3:
        return JetRetrieveKey(session(p), table(p), pointer(p), length(p), out_length(p), grbit(p));
    case 4:
        return JetGetBookmark(session(p), table(p), pointer(p), length(p), out_length(p));
    case 5:
        return JetGotoBookmark(session(p), table(p), pointer(p), length(p));
    case 6:
        return JetSetCurrentIndex(session(p), table(p), name(p));
    default:
        return JetMove(session(p), table(p), moves[below(p, G_N_ELEMENTS(moves))], grbit(p));
    }
}

/* A change as it should be, so that there is something to do for the others. */
static JET_ERR
good_update(struct pool *p)
{
    JET_TABLEID t = p->tables[0];
    int32_t key = (int32_t)below(p, 3000);
    JET_ERR err = JetPrepareUpdate(p->f->ses, t, below(p, 2) ? JET_prepInsert : JET_prepReplace);
    if (err >= 0 && below(p, 8))
        err = JetSetColumn(p->f->ses, t, p->columns[0], &key, sizeof(key), 0, NULL);
    if (err >= 0)
        err = JetSetColumn(p->f->ses, t, p->columns[1], p->buf, below(p, 101), 0, NULL);
    if (err >= 0 && below(p, 8))
        err = JetUpdate(p->f->ses, t, NULL, 0, NULL);
    return err;
}

static JET_ERR
update(struct pool *p)
{
    switch (below(p, 12)) {
    case 0:
    case 1:
        return JetPrepareUpdate(session(p), table(p), below(p, 10));
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
        return good_update(p);
    case 2:
        return JetUpdate(session(p), table(p), pointer(p), length(p), out_length(p));
    case 3:
        return JetUpdate2(session(p), table(p), pointer(p), length(p), out_length(p), grbit(p));
    case 4:
        return JetDelete(session(p), table(p));
    default:
        return JetGetLock(session(p), table(p), grbit(p));
    }
}

static JET_ERR
any_call(struct pool *p)
{
    static JET_ERR (*const calls[])(struct pool *) = {
        set_column,  retrieve_column, set_columns, retrieve_columns, open_table,
        definitions, transaction,     navigate,    navigate,         navigate,
        update,      update,          update,      set_column};
    for (size_t i = 0; i < 8; i++) /* new bytes now and then */
        p->buf[below(p, sizeof(p->buf))] = (uint8_t)below(p, 256);
    return calls[below(p, G_N_ELEMENTS(calls))](p);
}

static void
fill(struct pool *p, JET_TABLEID items)
{
    ok(JetBeginTransaction(p->f->ses));
    for (int32_t i = 0; i < ROWS; i++)
        insert_item(p->f, items, p->columns[0], p->columns[1], i * 3,
                    "a row that was there before");
    ok(JetCommitTransaction(p->f->ses, 0));
}

static void
run_nonsense(struct fixture *f, uint32_t seed)
{
    struct pool p = {.rand = g_rand_new_with_seed(seed), .f = f};
    p.tables[0] = make_items(f, &p.columns[0], &p.columns[1]);
    ok(JetOpenTable(f->ses, f->db, "Items", NULL, 0, 0, &p.tables[1]));
    const JET_COLUMNID columns[] = {0, 3, 127, 128, 255, 256, 300, UINT32_MAX};
    memcpy(p.columns + 2, columns, sizeof(columns));
    fill(&p, p.tables[0]);
    JET_SESID stale;
    ok(JetBeginSession(f->inst, &stale, NULL, NULL));
    ok(JetEndSession(stale, 0));
    const JET_SESID sessions[] = {0, JET_sesidNil, stale, p.tables[0], f->inst, 0x123456};
    const JET_TABLEID tables[] = {0, JET_tableidNil, f->ses, f->inst, 0x654321, 0};
    memcpy(p.sessions, sessions, sizeof(sessions));
    memcpy(p.tables + 2, tables, sizeof(tables));
    for (int i = 0; i < CALLS; i++) {
        JET_ERR err = any_call(&p);
        if (strcmp(error_name(err), "JET_errUnknown") == 0)
            fail_msg("call %d of seed %u gave %d, which is no code of ESE", i, seed, (int)err);
        assert_int_not_equal(err, JET_errInternalError);
        assert_int_not_equal(err, JET_errDatabaseCorrupted);
    }
    g_rand_free(p.rand);
}

/* Whatever rows are left: in order, as many as the table says from both ends. */
static void
check_items(struct fixture *f)
{
    JET_TABLEID items;
    ok(JetOpenTable(f->ses, f->db, "Items", NULL, 0, 0, &items));
    uint32_t forward = 0, backward = 0;
    for (JET_ERR err = JetMove(f->ses, items, JET_MoveFirst, 0); err >= 0;
         err = JetMove(f->ses, items, JET_MoveNext, 0))
        forward++;
    for (JET_ERR err = JetMove(f->ses, items, JET_MoveLast, 0); err >= 0;
         err = JetMove(f->ses, items, JET_MovePrevious, 0))
        backward++;
    assert_int_equal(forward, backward);
    ok(JetCloseTable(f->ses, items));
}

static void
test_random_calls_give_known_codes_and_break_nothing(void **state)
{
    struct fixture *f = *state;
    static uint32_t seed = 11;
    run_nonsense(f, seed++);
    while (JetRollback(f->ses, 0) >= 0)
        continue;
    check_items(f);
    fixture_restart(f);
    check_items(f);
}

#define AGAIN                                                                                      \
    cmocka_unit_test_setup_teardown(test_random_calls_give_known_codes_and_break_nothing,          \
                                    fixture_setup, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {AGAIN, AGAIN, AGAIN, AGAIN};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
