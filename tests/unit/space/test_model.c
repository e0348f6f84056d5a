/* SPDX-License-Identifier: MIT */
/*
 * Random work of several sessions against a model of snapshots, then a crash and redo: what each
 * session sees, every error code, and what is left must be the model's.
 */
#include "replay.h"

#define SESSIONS 5
#define KEYS     400
#define LEVELS   4
#define COUNTERS 6
#define BUCKETS  30

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

struct total {
    uint32_t seq;
    int32_t sum;
};

struct actor {
    struct session *s;
    struct btree_cursor *c;
    struct btree_cursor *index;    /* (bucket of value, key of row): non-unique */
    struct btree_cursor *counters; /* changed by Deltas */
    int32_t added[LEVELS + 1][COUNTERS];
    int level;
    uint32_t snapshot;
    struct pending at[LEVELS + 1][KEYS]; /* by level; innermost counts */
};

struct model {
    struct world w;
    uint32_t fdp, fdp_index, fdp_counters;
    struct btree *t, *index, *counters;
    GArray *totals[COUNTERS]; /* struct total, by seq */
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
    a->at[a->level][k] = (struct pending) {true, exists, value};
}

/* ---- the index, kept along with the rows; the counters ---- */

static struct span
bucket_of(uint32_t value, uint8_t buf[4])
{
    be32_put(buf, value % BUCKETS);
    return span_of(buf, 4);
}

static void
index_insert(struct actor *a, uint32_t k, uint32_t value)
{
    uint8_t bucket[4], key[40];
    OK(btree_insert(a->index, bucket_of(value, bucket), key_of(k, key)));
}

static void
index_delete(struct actor *a, uint32_t k, uint32_t value)
{
    uint8_t bucket[4], key[40];
    OK(btree_seek_bookmark(a->index, bucket_of(value, bucket), key_of(k, key), BTREE_EQ));
    OK(btree_delete(a->index));
}

/* The rows of one bucket, by seek and walk. */
static void
do_bucket(struct model *m, struct actor *a)
{
    uint8_t bucket[4];
    uint32_t b = rnd(m, BUCKETS), expect = 0, got = 0;
    for (uint32_t k = 0; k < KEYS; k++) {
        uint32_t value;
        expect += visible(m, a, k, &value) && value % BUCKETS == b;
    }
    struct span key = bucket_of(b, bucket);
    bool forward = rnd(m, 2) == 0;
    JET_ERR err = btree_seek(a->index, key, forward ? BTREE_EQ : BTREE_LE);
    while (err >= 0 && span_cmp(btree_cursor_key(a->index), key) == 0) {
        got++;
        err = forward ? btree_next(a->index) : btree_prev(a->index);
    }
    assert_int_equal(got, expect);
}

static struct span
counter_key(uint32_t i, uint8_t buf[4])
{
    be32_put(buf, i);
    return span_of(buf, 4);
}

static int32_t
counter_value(struct model *m, struct actor *a, uint32_t i)
{
    int32_t sum = 0;
    for (guint k = 0; k < m->totals[i]->len; k++) {
        struct total t = g_array_index(m->totals[i], struct total, k);
        if (a->level == 0 || t.seq <= a->snapshot)
            sum = t.sum;
    }
    for (int l = 1; l <= a->level; l++)
        sum += a->added[l][i];
    return sum;
}

static void
assert_counter(struct model *m, struct actor *a, uint32_t i)
{
    uint8_t key[4];
    OK(btree_seek(a->counters, counter_key(i, key), BTREE_EQ));
    assert_int_equal((int32_t)le32_get(btree_cursor_data(a->counters).data + 4),
                     counter_value(m, a, i));
}

static void
do_count(struct model *m, struct actor *a)
{
    uint32_t i = rnd(m, COUNTERS);
    assert_counter(m, a, i);
    if (a->level == 0)
        return;
    int32_t amount = (int32_t)rnd(m, 100) - 50;
    OK(btree_delta(a->counters, 4, amount, NULL));
    a->added[a->level][i] += amount;
    assert_counter(m, a, i);
}

static void
commit_counters(struct model *m, struct actor *a, int level)
{
    for (uint32_t i = 0; i < COUNTERS; i++) {
        struct total t = {m->seq, a->added[level][i]};
        if (level > 1) {
            a->added[level - 1][i] += a->added[level][i];
            continue;
        }
        if (m->totals[i]->len)
            t.sum += g_array_index(m->totals[i], struct total, m->totals[i]->len - 1).sum;
        g_array_append_val(m->totals[i], t);
    }
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
    memset(a->added[a->level], 0, sizeof a->added[a->level]);
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
    commit_counters(m, a, a->level + 1);
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
        index_insert(a, k, value);
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
    uint32_t k = rnd(m, KEYS), value = rnd(m, 100000), old = 0;
    bool replace = rnd(m, 3) > 0;
    if (!do_seek(m, a, k))
        return;
    visible(m, a, k, &old);
    JET_ERR err = replace ? btree_replace(a->c, data_of(value, data)) : btree_delete(a->c);
    if (a->level == 0) {
        assert_int_equal(err, JET_errNotInTransaction);
    } else if (conflict(m, a, k)) {
        assert_int_equal(err, JET_errWriteConflict);
    } else {
        OK(err);
        if (!replace || old % BUCKETS != value % BUCKETS) {
            index_delete(a, k, old);
            if (replace)
                index_insert(a, k, value);
        }
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
    uint32_t children[] = {m->fdp_index, m->fdp_counters};
    OK(space_check(m->w.db, m->fdp, children, 2, &leaked));
    assert_int_equal(leaked, 0);
    OK(space_check(m->w.db, m->fdp_index, NULL, 0, &leaked));
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
    else if (what < 880)
        do_update(m, a);
    else if (what < 920)
        do_count(m, a);
    else if (what < 930)
        do_bucket(m, a);
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
open_cursors(struct model *m, struct actor *a)
{
    OK(btree_open(m->w.db, m->fdp, &m->t));
    OK(btree_open(m->w.db, m->fdp_index, &m->index));
    OK(btree_open(m->w.db, m->fdp_counters, &m->counters));
    OK(btree_cursor_open(a->s, m->t, &a->c));
    OK(btree_cursor_open(a->s, m->index, &a->index));
    OK(btree_cursor_open(a->s, m->counters, &a->counters));
    btree_close(m->t); /* the cursors hold them */
    btree_close(m->index);
    btree_close(m->counters);
}

static void
close_cursors(struct actor *a)
{
    btree_cursor_close(a->c);
    btree_cursor_close(a->index);
    btree_cursor_close(a->counters);
}

static void
make_counters(struct model *m, struct actor *a)
{
    uint8_t key[4], data[12] = {0};
    OK(session_begin(a->s, 0));
    for (uint32_t i = 0; i < COUNTERS; i++) {
        OK(btree_insert(a->counters, counter_key(i, key), span_of(data, 12)));
        m->totals[i] = g_array_new(FALSE, FALSE, sizeof(struct total));
    }
    OK(session_commit(a->s, JET_bitCommitLazyFlush, NULL));
}

static void
begin(struct model *m, uint32_t page_bytes, uint32_t seed)
{
    world_begin(&m->w, page_bytes, 128);
    m->rnd = seed;
    m->fdp = world_tree(&m->w, 1, 0);
    m->fdp_index = world_tree(&m->w, m->fdp, PAGE_FLAG_INDEX | PAGE_FLAG_NON_UNIQUE);
    m->fdp_counters = world_tree(&m->w, m->fdp, 0);
    for (int i = 0; i < SESSIONS; i++)
        OK(session_new(m->w.txn, &m->actors[i].s));
    for (int i = 0; i < SESSIONS; i++)
        open_cursors(m, &m->actors[i]);
    make_counters(m, &m->actors[0]);
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
        close_cursors(a);
        session_free(a->s);
    }
}

static void
assert_final(struct model *m)
{
    struct actor a = {.level = 0};
    uint64_t left, entries, seen = 0;
    OK(session_new(m->w.txn, &a.s));
    open_cursors(m, &a);
    do_scan(m, &a);
    OK(txn_cleanup(m->w.txn, 0, &left));
    assert_int_equal(left, 0);
    do_scan(m, &a);
    for (uint32_t i = 0; i < COUNTERS; i++)
        assert_counter(m, &a, i);
    for (int i = 0; i < BUCKETS; i++)
        do_bucket(m, &a);
    check_tree(m);
    OK(btree_check(m->t, NULL, NULL, NULL, &entries));
    close_cursors(&a);
    for (uint32_t k = 0; k < KEYS; k++) {
        uint32_t value;
        seen += visible(m, &a, k, &value);
    }
    assert_int_equal(entries, seen);
    session_free(a.s);
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
            close_cursors(&m->actors[i]);
            session_abandon(m->actors[i].s);
            session_free(m->actors[i].s);
        }
        session_free(g_steal_pointer(&m->w.s));
        world_crash(&m->w, 128, seed);
        OK(session_new(m->w.txn, &m->w.s));
    } else {
        end_actors(m);
    }
    assert_final(m);
    for (uint32_t k = 0; k < KEYS; k++)
        g_array_free(m->states[k], TRUE);
    for (uint32_t i = 0; i < COUNTERS; i++)
        g_array_free(m->totals[i], TRUE);
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
