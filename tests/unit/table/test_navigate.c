/* SPDX-License-Identifier: MIT */
/* navigate: moves, seeks, ranges, bookmarks; and a long random walk against a model under
 * snapshots. */
#include "tables.h"

/* Keys "k0" .. with two columns: Text + Long descending. */
static struct table *
make_keyed(struct tables *x, int n)
{
    struct table_column_spec cols[] = {{.name = "K", .coltyp = JET_coltypText},
                                       {.name = "D", .coltyp = JET_coltypLong}};
    struct table_index_spec ix = {
        .name = "P", .key = "+K\0-D\0", .key_cb = 7, .grbit = JET_bitIndexPrimary};
    struct table_spec spec = {
        .name = "Keyed", .columns = cols, .n_columns = 2, .indexes = &ix, .n_indexes = 1};
    struct table *t;
    char k[16];

    OK(table_create(x->w.s, x->tdb, &spec, &t));
    begin(x->w.s);
    for (int32_t i = 0; i < n; i++) {
        int32_t d = i % 3;
        g_snprintf(k, sizeof(k), "k%02d", i / 3);
        OK(table_prepare_update(t, JET_prepInsert));
        set_text(t, 128, k);
        OK(table_set_column(t, 1, &d, 4, 0, NULL));
        OK(table_update(t, NULL, 0, NULL, 0));
    }
    commit(x->w.s);
    return t;
}

static void
assert_at(struct table *t, const char *k, int32_t d)
{
    int32_t got;
    uint32_t cb;
    assert_text(t, 128, k);
    OK(table_retrieve_column(t, 1, &got, 4, &cb, 0, NULL));
    assert_int_equal(got, d);
}

static void
make_key(struct table *t, const char *k, int32_t d)
{
    OK(table_make_key(t, k, (uint32_t)strlen(k), JET_bitNewKey));
    OK(table_make_key(t, &d, 4, 0));
}

static void
test_navigate_moves_stop_at_both_ends(void **state)
{
    struct tables *x = *state;
    struct table *t = make_keyed(x, 6);

    OK(table_move(t, JET_MoveFirst, 0));
    assert_at(t, "k00", 2);
    assert_int_equal(table_move(t, JET_MovePrevious, 0), JET_errNoCurrentRecord);
    assert_int_equal(table_move(t, 0, 0), JET_errNoCurrentRecord);
    OK(table_move(t, JET_MoveNext, 0));
    assert_at(t, "k00", 2);
    OK(table_move(t, 3, 0));
    assert_at(t, "k01", 2);
    OK(table_move(t, -2, 0));
    assert_at(t, "k00", 1);
    OK(table_move(t, JET_MoveLast, 0));
    assert_at(t, "k01", 0);
    assert_int_equal(table_move(t, 2, 0), JET_errNoCurrentRecord);
    assert_int_equal(table_move(t, JET_MoveNext, 0), JET_errNoCurrentRecord);
    OK(table_move(t, JET_MovePrevious, 0));
    assert_at(t, "k01", 0);
    assert_int_equal(table_move(t, 1, 0x100), JET_errInvalidGrbit);
    table_close(t);
}

static void
test_navigate_seek_finds_as_asked(void **state)
{
    struct tables *x = *state;
    struct table *t = make_keyed(x, 9);

    assert_int_equal(table_seek(t, JET_bitSeekEQ), JET_errKeyNotMade);
    assert_int_equal(table_make_key(t, "a", 1, 0), JET_errKeyNotMade);
    make_key(t, "K01", 1);
    assert_int_equal(table_make_key(t, "x", 1, 0), JET_errKeyIsMade);
    OK(table_seek(t, JET_bitSeekEQ));
    assert_at(t, "k01", 1);
    assert_int_equal(table_seek(t, JET_bitSeekEQ | JET_bitCheckUniqueness), JET_wrnUniqueKey);
    OK(table_seek(t, JET_bitSeekGE));
    OK(table_seek(t, JET_bitSeekGT));
    assert_at(t, "k01", 0);
    OK(table_seek(t, JET_bitSeekLT));
    assert_at(t, "k01", 2);
    OK(table_seek(t, JET_bitSeekLE));
    assert_at(t, "k01", 1);
    make_key(t, "k01", 7); /* descending: before 2 */
    assert_int_equal(table_seek(t, JET_bitSeekEQ), JET_errRecordNotFound);
    assert_int_equal(table_seek(t, JET_bitSeekGE), JET_wrnSeekNotEqual);
    assert_at(t, "k01", 2);
    assert_int_equal(table_seek(t, JET_bitSeekLE), JET_wrnSeekNotEqual);
    assert_at(t, "k00", 0);
    make_key(t, "zzz", 0);
    assert_int_equal(table_seek(t, JET_bitSeekGT), JET_errRecordNotFound);
    assert_int_equal(table_seek(t, JET_bitSeekEQ | JET_bitSeekGT), JET_errInvalidGrbit);
    assert_int_equal(table_seek(t, 0), JET_errInvalidGrbit);
    assert_int_equal(table_seek(t, JET_bitSeekGE | JET_bitSetIndexRange), JET_errInvalidGrbit);
    table_close(t);
}

/* All entries of one first column: the documented way to walk a prefix. */
static void
test_navigate_limit_keys_bound_a_range(void **state)
{
    struct tables *x = *state;
    struct table *t = make_keyed(x, 9);
    int n = 0;

    OK(table_make_key(t, "k01", 3, JET_bitNewKey | JET_bitFullColumnStartLimit));
    assert_int_equal(table_make_key(t, "x", 1, 0), JET_errKeyIsMade);
    assert_int_equal(table_seek(t, JET_bitSeekGE), JET_wrnSeekNotEqual);
    OK(table_make_key(t, "k01", 3, JET_bitNewKey | JET_bitFullColumnEndLimit));
    OK(table_set_index_range(t, JET_bitRangeInclusive | JET_bitRangeUpperLimit));
    for (JET_ERR err = JET_errSuccess; err >= 0; err = table_move(t, JET_MoveNext, 0), n++)
        assert_at(t, "k01", 2 - n);
    assert_int_equal(n, 3);
    assert_int_equal(table_move(t, JET_MoveNext, 0), JET_errNoCurrentRecord);
    OK(table_move(t, JET_MovePrevious, 0));
    assert_at(t, "k01", 0);
    OK(table_set_index_range(t, JET_bitRangeRemove));
    OK(table_move(t, JET_MoveNext, 0));
    assert_at(t, "k02", 2);
    assert_int_equal(table_set_index_range(t, JET_bitRangeRemove), JET_errInvalidOperation);
    assert_int_equal(table_set_index_range(t, JET_bitRangeUpperLimit | JET_bitRangeInclusive),
                     JET_errNoCurrentRecord); /* behind the limit */
    table_close(t);
}

static void
test_navigate_prefix_limits_match_substrings(void **state)
{
    struct tables *x = *state;
    struct table *t = make_keyed(x, 45); /* k00 .. k14 */
    int n = 0;

    OK(table_make_key(t, "k1", 2, JET_bitNewKey | JET_bitPartialColumnStartLimit));
    assert_int_equal(table_seek(t, JET_bitSeekGE), JET_wrnSeekNotEqual);
    assert_at(t, "k10", 2);
    OK(table_make_key(t, "k1", 2, JET_bitNewKey | JET_bitPartialColumnEndLimit));
    OK(table_set_index_range(t, JET_bitRangeUpperLimit));
    for (JET_ERR err = JET_errSuccess; err >= 0; err = table_move(t, JET_MoveNext, 0))
        n++;
    assert_int_equal(n, 15);
    OK(table_make_key(t, "k1", 2, JET_bitNewKey | JET_bitSubStrLimit));
    assert_int_equal(table_seek(t, JET_bitSeekLE), JET_wrnSeekNotEqual);
    assert_at(t, "k14", 0);
    int32_t d = 0;
    OK(table_make_key(t, "k1", 2, JET_bitNewKey));
    assert_int_equal(table_make_key(t, &d, 4, JET_bitSubStrLimit), JET_errInvalidGrbit);
    table_close(t);
}

static void
test_navigate_lower_range_bounds_the_way_back(void **state)
{
    struct tables *x = *state;
    struct table *t = make_keyed(x, 9);
    int n = 0;

    OK(table_move(t, JET_MoveLast, 0));
    make_key(t, "k01", 1);
    OK(table_set_index_range(t, 0));
    for (JET_ERR err = JET_errSuccess; err >= 0; err = table_move(t, JET_MovePrevious, 0))
        n++;
    assert_int_equal(n, 4);              /* k02/0, /1, /2, k01/0; the limit itself is out */
    OK(table_move(t, JET_MoveFirst, 0)); /* drops the range */
    assert_at(t, "k00", 2);
    make_key(t, "k01", 1);
    OK(table_seek(t, JET_bitSeekEQ | JET_bitSetIndexRange));
    assert_int_equal(table_move(t, JET_MoveNext, 0), JET_errNoCurrentRecord);
    table_close(t);
}

static void
test_navigate_bookmarks_and_keys_lead_back(void **state)
{
    struct tables *x = *state;
    struct table *t = make_keyed(x, 9);
    uint8_t mark[255], key[255];
    uint32_t cb, key_cb;

    make_key(t, "k02", 1);
    OK(table_seek(t, JET_bitSeekEQ));
    assert_int_equal(table_get_bookmark(t, mark, 3, &cb), JET_errBufferTooSmall);
    OK(table_get_bookmark(t, mark, sizeof(mark), &cb));
    OK(table_retrieve_key(t, key, sizeof(key), &key_cb, 0));
    assert_int_equal(cb, key_cb);
    OK(table_move(t, JET_MoveFirst, 0));
    OK(table_goto_bookmark(t, mark, cb));
    assert_at(t, "k02", 1);
    OK(table_move(t, JET_MoveFirst, 0));
    OK(table_make_key(t, key, key_cb, JET_bitNormalizedKey | JET_bitNewKey));
    OK(table_retrieve_key(t, mark, sizeof(mark), &cb, JET_bitRetrieveCopy));
    assert_memory_equal(mark, key, key_cb);
    OK(table_seek(t, JET_bitSeekEQ));
    assert_at(t, "k02", 1);
    begin(x->w.s);
    OK(table_delete_record(t));
    commit(x->w.s);
    assert_int_equal(table_goto_bookmark(t, mark, cb), JET_errRecordDeleted);
    assert_int_equal(table_goto_bookmark(t, mark, 0), JET_errInvalidBookmark);
    assert_int_equal(table_goto_bookmark(t, mark, 5000), JET_errInvalidBookmark);
    table_close(t);
}

static void
test_navigate_indexes_by_name(void **state)
{
    struct tables *x = *state;
    struct table *t = make_keyed(x, 3);

    assert_string_equal(table_current_index(t), "P");
    OK(table_set_current_index(t, "p", 0));
    OK(table_set_current_index(t, NULL, JET_bitNoMove));
    assert_int_equal(table_set_current_index(t, "none", 0), JET_errIndexNotFound);
    table_close(t);
}

/* ---- a random walk ---- */

#define KEYS 400

/* What a session sees: per id a number, 0 = no such record. */
struct seen {
    int64_t n[KEYS];
    int64_t changed_at[KEYS]; /* clock of the commit that touched it last */
    int64_t clock;
};

static struct table *
make_numbered(struct tables *x)
{
    struct table_column_spec cols[] = {{.name = "K", .coltyp = JET_coltypLong},
                                       {.name = "N", .coltyp = JET_coltypLongLong},
                                       {.name = "Pad", .coltyp = JET_coltypLongBinary}};
    struct table_index_spec ix = {
        .name = "P", .key = "+K\0", .key_cb = 4, .grbit = JET_bitIndexPrimary};
    struct table_spec spec = {
        .name = "R", .columns = cols, .n_columns = 3, .indexes = &ix, .n_indexes = 1};
    struct table *t;
    OK(table_create(x->w.s, x->tdb, &spec, &t));
    return t;
}

static void
assert_sees(struct table *t, const struct seen *seen)
{
    int32_t k, at = 0;
    int64_t n;
    uint32_t cb;

    for (JET_ERR err = table_move(t, JET_MoveFirst, 0); err >= 0;
         err = table_move(t, JET_MoveNext, 0)) {
        OK(table_retrieve_column(t, 1, &k, 4, &cb, 0, NULL));
        OK(table_retrieve_column(t, 2, &n, 8, &cb, 0, NULL));
        for (; at < k; at++)
            assert_int_equal(seen->n[at], 0);
        assert_int_equal(seen->n[at++], n);
    }
    for (; at < KEYS; at++)
        assert_int_equal(seen->n[at], 0);
}

/* Puts n under k, or deletes it (n = 0), if it is possible. */
static JET_ERR
put(struct table *t, int32_t k, int64_t n)
{
    static uint8_t pad[900];

    OK(table_make_key(t, &k, 4, JET_bitNewKey));
    JET_ERR err = table_seek(t, JET_bitSeekEQ);
    if (err == JET_errRecordNotFound && n == 0)
        return err;
    if (n == 0)
        return table_delete_record(t);
    bool replace = err >= 0;
    err = table_prepare_update(t, replace ? JET_prepReplace : JET_prepInsert);
    if (err < 0)
        return err;
    if (!replace)
        OK(table_set_column(t, 1, &k, 4, 0, NULL));
    OK(table_set_column(t, 2, &n, 8, 0, NULL));
    OK(table_set_column(t, 256, pad, (uint32_t)rand() % sizeof(pad), 0, NULL));
    err = table_update(t, NULL, 0, NULL, 0);
    if (err < 0)
        OK(table_prepare_update(t, JET_prepCancel));
    return err;
}

struct actor {
    struct session *s;
    struct table *t;
    struct seen snapshot, mine; /* at begin; with own changes */
    bool changed[KEYS];
    bool active;
};

/* first writer wins: a key that somebody committed or holds since my snapshot is a conflict */
static void
act(struct actor *a, struct actor *other, struct seen *committed, int64_t n)
{
    int32_t k = rand() % KEYS;
    bool conflict =
        (other->active && other->changed[k]) || committed->changed_at[k] > a->snapshot.clock;
    int64_t value = rand() % 4 ? n : 0;

    if (a->changed[k])
        conflict = false;
    JET_ERR err = put(a->t, k, value);
    if (err >= 0) {
        assert_false(conflict);
        a->mine.n[k] = value;
        a->changed[k] = true;
    } else if (err == JET_errRecordNotFound) {
        assert_int_equal(a->mine.n[k], 0);
    } else {
        assert_true(conflict);
        assert_true(err == JET_errWriteConflict || err == JET_errKeyDuplicate);
    }
}

static void
start(struct actor *a, const struct seen *committed)
{
    begin(a->s);
    a->snapshot = a->mine = *committed;
    memset(a->changed, 0, sizeof(a->changed));
    a->active = true;
}

static void
finish(struct actor *a, struct seen *committed)
{
    assert_sees(a->t, &a->mine);
    a->active = false;
    if (rand() % 3) {
        commit(a->s);
        committed->clock++;
        for (int k = 0; k < KEYS; k++) {
            if (!a->changed[k])
                continue;
            committed->n[k] = a->mine.n[k];
            committed->changed_at[k] = committed->clock;
        }
    } else {
        OK(session_rollback(a->s, 0));
    }
    assert_sees(a->t, committed);
}

static void
test_navigate_random_walk_of_two_sessions_matches_the_model(void **state)
{
    struct tables *x = *state;
    struct actor a[2] = {{.s = x->w.s}, {.s = x->s2}};
    struct seen committed = {{0}};

    srand(5);
    table_close(make_numbered(x));
    OK(table_open(x->w.s, x->tdb, "R", 0, &a[0].t));
    OK(table_open(x->s2, x->tdb, "R", 0, &a[1].t));
    for (int64_t n = 1; n < 12000; n++) {
        struct actor *me = &a[rand() % 2], *other = me == a ? a + 1 : a;
        int dice = rand() % 60;
        if (!me->active)
            start(me, &committed);
        else if (dice == 0)
            finish(me, &committed);
        else if (dice == 1)
            assert_sees(me->t, &me->mine);
        else
            act(me, other, &committed, n);
        if (n % 500 == 0)
            OK(txn_cleanup(x->w.txn, 0, NULL));
    }
    for (int i = 0; i < 2; i++) {
        if (a[i].active)
            finish(&a[i], &committed);
        table_close(a[i].t);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tables_setup, tables_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_navigate_moves_stop_at_both_ends),
        TEST(test_navigate_seek_finds_as_asked),
        TEST(test_navigate_limit_keys_bound_a_range),
        TEST(test_navigate_prefix_limits_match_substrings),
        TEST(test_navigate_lower_range_bounds_the_way_back),
        TEST(test_navigate_bookmarks_and_keys_lead_back),
        TEST(test_navigate_indexes_by_name),
        TEST(test_navigate_random_walk_of_two_sessions_matches_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
