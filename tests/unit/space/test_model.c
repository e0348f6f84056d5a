/* SPDX-License-Identifier: MIT */
/*
 * Random work of several sessions against a model of snapshots, then a crash and redo: what each
 * session sees, every error code, and what is left must be the model's.
 */
#include "replay.h"

#define SESSIONS 5
#define KEYS     400
#define LEVELS   4

/* A committed state of a key. */
struct state {
    uint32_t seq; /* of the commit */
    bool exists;
    uint32_t value;
};

struct pending {
    bool touched, exists;
    uint32_t value;
};

struct actor {
    struct session *s;
    struct btree_cursor *c;
    int level;
    uint32_t snapshot;
    struct pending at[LEVELS + 1][KEYS]; /* by level; innermost counts */
};

struct model {
    struct world w;
    uint32_t fdp;
    struct btree *t;
    struct actor actors[SESSIONS];
    GArray *states[KEYS]; /* struct state, by seq */
    uint32_t seq;
    uint32_t rnd;
};

static uint32_t
rnd(struct model *m, uint32_t n)
{
    m->rnd = m->rnd * 1103515245u + 12345u;
    return (m->rnd >> 8) % n;
}

static struct span
key_of(uint32_t k, uint8_t buf[40])
{
    be32_put(buf, k * 2654435761u); /* spread, fixed length: no key is a prefix of another */
    memset(buf + 4, 'k', 16 + k % 13);
    buf[4 + k % 16] = (uint8_t)k;
    return span_of(buf, 20 + k % 13);
}

/* Size and content follow from the value. */
static struct span
data_of(uint32_t value, uint8_t buf[1200])
{
    size_t n = 4 + value * 7919u % (value % 5 ? 120 : 1100);
    memset(buf, (int)(value & 0xff), n);
    le32_put(buf, value);
    return span_of(buf, n);
}

/* ---- the model ---- */

static const struct state *
committed(struct model *m, uint32_t k, uint32_t snapshot)
{
    for (guint i = m->states[k]->len; i-- > 0;) {
        const struct state *st = &g_array_index(m->states[k], struct state, i);
        if (st->seq <= snapshot)
            return st;
    }
    return NULL;
}

static const struct pending *
own(const struct actor *a, uint32_t k)
{
    for (int l = a->level; l >= 1; l--)
        if (a->at[l][k].touched)
            return &a->at[l][k];
    return NULL;
}

static bool
visible(struct model *m, struct actor *a, uint32_t k, uint32_t *value)
{
    const struct pending *p = own(a, k);
    if (p) {
        *value = p->value;
        return p->exists;
    }
    const struct state *st = committed(m, k, a->level ? a->snapshot : m->seq);
    if (!st || !st->exists)
        return false;
    *value = st->value;
    return true;
}

static bool
conflict(struct model *m, struct actor *a, uint32_t k)
{
    for (int i = 0; i < SESSIONS; i++)
        if (&m->actors[i] != a && own(&m->actors[i], k))
            return true;
    GArray *st = m->states[k];
    return !own(a, k) && st->len && g_array_index(st, struct state, st->len - 1).seq > a->snapshot;
}

static void
note(struct actor *a, uint32_t k, bool exists, uint32_t value)
{
    a->at[a->level][k] = (struct pending){true, exists, value};
}

/* ---- actions ---- */

static void
do_begin(struct model *m, struct actor *a)
{
    if (a->level == LEVELS)
        return;
    if (a->level == 0)
        a->snapshot = m->seq;
    OK(session_begin(a->s, 0));
    a->level++;
    memset(a->at[a->level], 0, sizeof a->at[a->level]);
}

static void
do_commit(struct model *m, struct actor *a)
{
    if (a->level == 0)
        return;
    OK(session_commit(a->s, JET_bitCommitLazyFlush, NULL));
    struct pending *p = a->at[a->level];
    a->level--;
    if (a->level == 0)
        m->seq++;
    for (uint32_t k = 0; k < KEYS; k++) {
        if (!p[k].touched)
            continue;
        struct state st = {m->seq, p[k].exists, p[k].value};
        if (a->level)
            a->at[a->level][k] = p[k];
        else
            g_array_append_val(m->states[k], st);
    }
}

static void
do_rollback(struct model *m, struct actor *a)
{
    if (a->level == 0)
        return;
    bool all = rnd(m, 2) == 0;
    OK(session_rollback(a->s, all ? JET_bitRollbackAll : 0));
    a->level = all ? 0 : a->level - 1;
}

static void
do_insert(struct model *m, struct actor *a)
{
    uint8_t key[40], data[1200];
    uint32_t k = rnd(m, KEYS), value = rnd(m, 100000), old;
    JET_ERR err = btree_insert(a->c, key_of(k, key), data_of(value, data));
    if (a->level == 0) {
        assert_int_equal(err, JET_errNotInTransaction);
    } else if (conflict(m, a, k)) {
        assert_int_equal(err, JET_errWriteConflict);
    } else if (visible(m, a, k, &old)) {
        assert_int_equal(err, JET_errKeyDuplicate);
    } else {
        OK(err);
        note(a, k, true, value);
    }
}

static void
assert_entry(struct actor *a, uint32_t k, uint32_t value)
{
    uint8_t key[40], data[1200];
    struct span expect_key = key_of(k, key), expect = data_of(value, data);
    assert_int_equal(span_cmp(btree_cursor_key(a->c), expect_key), 0);
    assert_int_equal(span_cmp(btree_cursor_data(a->c), expect), 0);
}

static bool
do_seek(struct model *m, struct actor *a, uint32_t k)
{
    uint8_t key[40];
    uint32_t value;
    JET_ERR err = btree_seek(a->c, key_of(k, key), BTREE_EQ);
    if (!visible(m, a, k, &value)) {
        assert_int_equal(err, JET_errRecordNotFound);
        return false;
    }
    OK(err);
    assert_entry(a, k, value);
    return true;
}

static void
do_update(struct model *m, struct actor *a)
{
    uint8_t data[1200];
    uint32_t k = rnd(m, KEYS), value = rnd(m, 100000);
    bool replace = rnd(m, 3) > 0;
    if (!do_seek(m, a, k))
        return;
    JET_ERR err = replace ? btree_replace(a->c, data_of(value, data)) : btree_delete(a->c);
    if (a->level == 0) {
        assert_int_equal(err, JET_errNotInTransaction);
    } else if (conflict(m, a, k)) {
        assert_int_equal(err, JET_errWriteConflict);
    } else {
        OK(err);
        note(a, k, replace, value);
        if (replace)
            assert_entry(a, k, value);
        else
            assert_int_equal(btree_refresh(a->c), JET_errRecordDeleted);
    }
}

static int
by_key(gconstpointer a, gconstpointer b, gpointer ctx)
{
    uint8_t x[40], y[40];
    return span_cmp(key_of(*(const uint32_t *)a, x), key_of(*(const uint32_t *)b, y));
}

static GArray *
keys_in_order(void)
{
    GArray *keys = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (uint32_t k = 0; k < KEYS; k++)
        g_array_append_val(keys, k);
    g_array_sort_with_data(keys, by_key, NULL);
    return keys;
}

static void
do_scan(struct model *m, struct actor *a)
{
    g_autoptr(GArray) keys = keys_in_order();
    bool forward = rnd(m, 2) == 0;
    JET_ERR err = forward ? btree_first(a->c) : btree_last(a->c);
    for (uint32_t i = 0; i < KEYS; i++) {
        uint32_t k = g_array_index(keys, uint32_t, forward ? i : KEYS - 1 - i), value;
        if (!visible(m, a, k, &value))
            continue;
        OK(err);
        assert_entry(a, k, value);
        err = forward ? btree_next(a->c) : btree_prev(a->c);
    }
    assert_true(err == JET_errNoCurrentRecord || err == JET_errRecordNotFound);
}

static void
check_tree(struct model *m)
{
    uint64_t leaked;
    OK(btree_check(m->t, NULL, NULL, NULL, NULL));
    OK(space_check(m->w.db, m->fdp, NULL, 0, &leaked));
    assert_int_equal(leaked, 0);
}

static void
step(struct model *m)
{
    struct actor *a = &m->actors[rnd(m, SESSIONS)];
    uint32_t what = rnd(m, 1000);
    if (what < 60)
        do_begin(m, a);
    else if (what < 100)
        do_commit(m, a);
    else if (what < 120)
        do_rollback(m, a);
    else if (what < 550)
        do_insert(m, a);
    else if (what < 930)
        do_update(m, a);
    else if (what < 980)
        do_seek(m, a, rnd(m, KEYS));
    else if (what < 990)
        do_scan(m, a);
    else if (what < 995)
        OK(txn_cleanup(m->w.txn, rnd(m, 20), NULL));
    else if (what < 998)
        check_tree(m);
    else if (what == 998)
        OK(cache_flush(m->w.file));
    else
        OK(txn_cleanup(m->w.txn, 0, NULL));
}

/* ---- frame ---- */

static void
begin(struct model *m, uint32_t page_bytes, uint32_t seed)
{
    world_begin(&m->w, page_bytes, 128);
    m->rnd = seed;
    m->fdp = world_tree(&m->w, 1, 0);
    OK(btree_open(m->w.db, m->fdp, &m->t));
    for (int i = 0; i < SESSIONS; i++) {
        OK(session_new(m->w.txn, &m->actors[i].s));
        OK(btree_cursor_open(m->actors[i].s, m->t, &m->actors[i].c));
    }
    for (uint32_t k = 0; k < KEYS; k++)
        m->states[k] = g_array_new(FALSE, FALSE, sizeof(struct state));
}

static void
end_actors(struct model *m)
{
    for (int i = 0; i < SESSIONS; i++) {
        struct actor *a = &m->actors[i];
        if (a->level)
            OK(session_rollback(a->s, JET_bitRollbackAll));
        a->level = 0;
        btree_cursor_close(a->c);
        session_free(a->s);
    }
}

static void
assert_final(struct model *m)
{
    struct actor a = {.level = 0};
    uint64_t left, entries, seen = 0;
    OK(session_new(m->w.txn, &a.s));
    OK(btree_open(m->w.db, m->fdp, &m->t));
    OK(btree_cursor_open(a.s, m->t, &a.c));
    do_scan(m, &a);
    OK(txn_cleanup(m->w.txn, 0, &left));
    assert_int_equal(left, 0);
    do_scan(m, &a);
    btree_cursor_close(a.c);
    OK(btree_check(m->t, NULL, NULL, NULL, &entries));
    for (uint32_t k = 0; k < KEYS; k++) {
        uint32_t value;
        seen += visible(m, &a, k, &value);
    }
    assert_int_equal(entries, seen);
    session_free(a.s);
    btree_close(m->t);
}

static void
run(uint32_t page_bytes, uint32_t seed, uint32_t steps, bool crash)
{
    struct model *m = g_new0(struct model, 1);
    begin(m, page_bytes, seed);
    for (uint32_t i = 0; i < steps; i++)
        step(m);
    if (crash) {
        for (int i = 0; i < SESSIONS; i++) {
            btree_cursor_close(m->actors[i].c);
            session_abandon(m->actors[i].s);
            session_free(m->actors[i].s);
        }
        btree_close(m->t);
        session_free(g_steal_pointer(&m->w.s));
        world_crash(&m->w, 128, seed);
        OK(session_new(m->w.txn, &m->w.s));
    } else {
        end_actors(m);
        btree_close(m->t);
    }
    assert_final(m);
    for (uint32_t k = 0; k < KEYS; k++)
        g_array_free(m->states[k], TRUE);
    world_end(&m->w);
    g_free(m);
}

static void
test_sessions_when_random_see_their_snapshots(void **state)
{
    for (uint32_t seed = 1; seed <= 4; seed++)
        run(4096, seed, 12000, false);
    run(8192, 11, 12000, false);
    run(32768, 12, 12000, false);
}

static void
test_redo_when_crashed_at_random_gives_the_committed(void **state)
{
    for (uint32_t seed = 21; seed <= 40; seed++)
        run(4096, seed, 200 + (seed - 20) * 300, true);
    run(8192, 41, 8000, true);
    run(16384, 43, 8000, true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sessions_when_random_see_their_snapshots),
        cmocka_unit_test(test_redo_when_crashed_at_random_gives_the_committed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
