/* SPDX-License-Identifier: MIT */
/*
 * check: which transactions does the database hold, were they to be there, and is the rest of the
 * database exactly their sum?
 */
#include "check.h"

#include <stdio.h>

#define DIFFERENCES_SHOWN 20

struct check {
    struct tables *t;
    const struct ledger *ledger;
    uint64_t freeze;
    bool durable_only;
    struct check_result *result;
    int shown;
    GArray *journal[THREADS_MAX]; /* struct effect, index is seq - 1; kind 0: a hole */
    int64_t *balances;
    GHashTable *orders; /* id -> revision + 1, what the journal adds up to */
};

static void G_GNUC_PRINTF(3, 4) differ(struct check *c, int64_t *count, const char *format, ...)
{
    (*count)++;
    if (c->shown++ >= DIFFERENCES_SHOWN)
        return;
    va_list args;
    va_start(args, format);
    fputs("jetload: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

/* A step through a whole table; JET_errNoCurrentRecord is its end. */
static JET_ERR
scan(struct check *c, JET_TABLEID tableid, JET_ERR (*row)(struct check *c))
{
    JET_ERR err = JetMove(c->t->sesid, tableid, JET_MoveFirst, 0);
    while (err >= 0) {
        err = row(c);
        if (err >= 0)
            err = JetMove(c->t->sesid, tableid, JET_MoveNext, 0);
    }
    return err == JET_errNoCurrentRecord ? JET_errSuccess : err;
}

static JET_ERR
journal_row(struct check *c)
{
    int32_t thread;
    int64_t seq;
    struct effect e;
    JET_ERR err = journal_get(c->t, &thread, &seq, &e);
    if (err < 0)
        return err;
    if (thread < 0 || thread >= THREADS_MAX || seq < 1 || seq > G_MAXINT32) {
        differ(c, &c->result->extra, "journal row %d/%lld", thread, (long long)seq);
        return JET_errSuccess;
    }
    if (c->journal[thread] == NULL)
        c->journal[thread] = g_array_new(FALSE, TRUE, sizeof(struct effect));
    GArray *rows = c->journal[thread];
    if ((guint)seq > rows->len)
        g_array_set_size(rows, (guint)seq);
    g_array_index(rows, struct effect, seq - 1) = e;
    c->result->present++;
    return JET_errSuccess;
}

static const struct effect *
journal_at(const struct check *c, int thread, guint index)
{
    const GArray *rows = c->journal[thread];
    if (rows == NULL || index >= rows->len)
        return NULL;
    const struct effect *e = &g_array_index(rows, struct effect, index);
    return e->kind != 0 ? e : NULL;
}

static const struct ledger_entry *
ledger_at(const struct check *c, int thread, guint index)
{
    const GArray *entries = c->ledger->entries[thread];
    if (entries == NULL || index >= entries->len)
        return NULL;
    return &g_array_index(entries, struct ledger_entry, index);
}

/* The newest acknowledged commit that the database holds. */
static uint64_t
last_present(const struct check *c)
{
    uint64_t last = 0;
    for (int thread = 0; thread < c->ledger->threads; thread++) {
        const struct ledger_entry *entry;
        for (guint i = 0; (entry = ledger_at(c, thread, i)) != NULL; i++)
            if (journal_at(c, thread, i) != NULL)
                last = MAX(last, entry->commit_id);
    }
    return last;
}

static bool
effect_equal(const struct effect *a, const struct effect *b)
{
    return a->kind == b->kind && a->a == b->a && a->b == b->b && a->amount == b->amount;
}

/* Where a commit is that a kill kept from being acknowledged: behind the thread's one before. */
static uint64_t
id_at_least(const struct check *c, int thread, guint index)
{
    while (index > 0 && ledger_at(c, thread, index)->commit_id == 0)
        index--;
    return ledger_at(c, thread, index)->commit_id;
}

/* And before the thread's next one; the last of all may be anywhere. */
static uint64_t
id_at_most(const struct check *c, int thread, guint index)
{
    const struct ledger_entry *entry;
    while ((entry = ledger_at(c, thread, index)) != NULL && entry->commit_id == 0)
        index++;
    return entry != NULL ? entry->commit_id : UINT64_MAX;
}

static void
compare_entry(struct check *c, int thread, guint index, uint64_t last)
{
    const struct ledger_entry *entry = ledger_at(c, thread, index);
    const struct effect *present = journal_at(c, thread, index);
    const uint64_t id = entry->commit_id;
    const bool wanted = c->freeze != 0 ? id_at_most(c, thread, index) < c->freeze
                                       : entry->durable || (!c->durable_only && id < last);
    const bool unwanted = c->freeze != 0 && id_at_least(c, thread, index) >= c->freeze;
    if (present == NULL && wanted)
        differ(c, &c->result->lost, "lost: thread %d seq %u, %s, commit %llx", thread, index + 1,
               entry->durable ? "durable" : "lazy", (unsigned long long)id);
    if (present != NULL && unwanted)
        differ(c, &c->result->extra, "extra: thread %d seq %u, commit %llx is not before %llx",
               thread, index + 1, (unsigned long long)id, (unsigned long long)c->freeze);
    if (present != NULL && entry->effect.kind != 0 && !effect_equal(present, &entry->effect))
        differ(c, &c->result->extra, "thread %d seq %u did something else", thread, index + 1);
}

static void
compare_thread(struct check *c, int thread, uint64_t last)
{
    const guint known = c->ledger->entries[thread] != NULL ? c->ledger->entries[thread]->len : 0;
    const guint held = c->journal[thread] != NULL ? c->journal[thread]->len : 0;
    for (guint i = 0; i < known; i++)
        compare_entry(c, thread, i, last);
    for (guint i = known; i < held; i++) {
        if (journal_at(c, thread, i) == NULL)
            differ(c, &c->result->lost, "thread %d: hole at seq %u", thread, i + 1);
        else if (i == known && !c->ledger->ended)
            c->result->in_flight++;
        else
            differ(c, &c->result->extra, "extra: thread %d seq %u is in no ledger", thread, i + 1);
    }
    for (guint i = 0; i + 1 < held && i < known; i++)
        if (journal_at(c, thread, i) == NULL && journal_at(c, thread, i + 1) != NULL)
            differ(c, &c->result->lost, "thread %d: hole at seq %u", thread, i + 1);
}

static void
replay_order(struct check *c, const struct effect *e)
{
    int64_t *key = g_new(int64_t, 1);
    *key = e->a;
    const int32_t revision = GPOINTER_TO_INT(g_hash_table_lookup(c->orders, &e->a)) - 1;
    const int32_t before = e->kind == KIND_INSERT   ? -1
                           : e->kind == KIND_UPDATE ? (int32_t)e->b - 1
                                                    : revision;
    if (revision != before || (e->kind == KIND_DELETE && revision < 0))
        differ(c, &c->result->extra, "order %lld: %c on revision %d", (long long)e->a,
               (char)e->kind, revision);
    if (e->kind == KIND_DELETE) {
        g_hash_table_remove(c->orders, &e->a);
        g_free(key);
    } else {
        const int32_t after = e->kind == KIND_INSERT ? 0 : (int32_t)e->b;
        g_hash_table_replace(c->orders, key, GINT_TO_POINTER(after + 1));
    }
}

/* Add up what the transactions in the journal did. Threads own their orders; sums commute. */
static void
replay(struct check *c)
{
    for (int thread = 0; thread < THREADS_MAX; thread++) {
        for (guint i = 0; c->journal[thread] != NULL && i < c->journal[thread]->len; i++) {
            const struct effect *e = journal_at(c, thread, i);
            if (e == NULL)
                continue;
            if (e->kind != KIND_TRANSFER) {
                replay_order(c, e);
            } else if (e->a >= 0 && e->a < c->ledger->accounts && e->b >= 0 &&
                       e->b < c->ledger->accounts) {
                c->balances[e->a] -= e->amount;
                c->balances[e->b] += e->amount;
            } else {
                differ(c, &c->result->extra, "thread %d seq %u: no such account", thread, i + 1);
            }
        }
    }
}

static JET_ERR
account_row(struct check *c)
{
    int32_t id;
    int64_t balance;
    JET_ERR err = tables_get(c->t, c->t->accounts, c->t->account_id, &id, sizeof id);
    if (err >= 0)
        err = tables_get(c->t, c->t->accounts, c->t->account_balance, &balance, sizeof balance);
    if (err < 0)
        return err;
    if (id < 0 || id >= c->ledger->accounts || c->balances[id] == G_MAXINT64) {
        differ(c, &c->result->extra, "account %d", id);
        return JET_errSuccess;
    }
    if (balance != c->balances[id])
        differ(c, &c->result->extra, "account %d: %lld, its transactions add up to %lld", id,
               (long long)balance, (long long)c->balances[id]);
    c->balances[id] = G_MAXINT64; /* seen */
    return JET_errSuccess;
}

static JET_ERR
order_row(struct check *c)
{
    int64_t id;
    int32_t revision;
    bool good;
    JET_ERR err = order_get(c->t, &id, &revision, &good);
    if (err < 0)
        return err;
    const int32_t expected = GPOINTER_TO_INT(g_hash_table_lookup(c->orders, &id)) - 1;
    if (revision != expected || !good)
        differ(c, &c->result->extra, "order %lld: revision %d, its transactions made %d",
               (long long)id, revision, expected);
    g_hash_table_remove(c->orders, &id);
    return JET_errSuccess;
}

static JET_ERR
compare_rows(struct check *c)
{
    JET_ERR err = jetload_report("accounts", scan(c, c->t->accounts, account_row));
    if (err < 0)
        return err;
    for (int id = 0; id < c->ledger->accounts; id++)
        if (c->balances[id] != G_MAXINT64)
            differ(c, &c->result->lost, "account %d is missing", id);
    err = jetload_report("orders", scan(c, c->t->orders, order_row));
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, c->orders);
    while (err >= 0 && g_hash_table_iter_next(&iter, &key, NULL))
        differ(c, &c->result->lost, "order %lld is missing", (long long)*(int64_t *)key);
    return err;
}

static JET_ERR
compare(struct check *c)
{
    JET_ERR err = jetload_report("JetBeginTransaction2",
                                 JetBeginTransaction2(c->t->sesid, JET_bitTransactionReadOnly));
    if (err < 0)
        return err;
    err = jetload_report("journal", scan(c, c->t->journal, journal_row));
    if (err >= 0) {
        const uint64_t last = last_present(c);
        for (int thread = 0; thread < THREADS_MAX; thread++)
            compare_thread(c, thread, last);
        replay(c);
        err = compare_rows(c);
    }
    JET_ERR err_end = JetCommitTransaction(c->t->sesid, 0);
    return err < 0 ? err : jetload_report("JetCommitTransaction", err_end);
}

JET_ERR
check_run(struct tables *t, const struct ledger *l, uint64_t freeze, bool durable_only,
          struct check_result *result)
{
    *result = (struct check_result) {0};
    struct check c = {
        .t = t,
        .ledger = l,
        .freeze = freeze,
        .durable_only = durable_only,
        .result = result,
        .balances = g_new(int64_t, (gsize)l->accounts + 1),
        .orders = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL),
    };
    for (int id = 0; id < l->accounts; id++)
        c.balances[id] = INITIAL_BALANCE;
    JET_ERR err = compare(&c);
    for (int thread = 0; thread < THREADS_MAX; thread++)
        if (c.journal[thread] != NULL)
            g_array_unref(c.journal[thread]);
    g_hash_table_unref(c.orders);
    g_free(c.balances);
    return err;
}
