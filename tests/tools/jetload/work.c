/* SPDX-License-Identifier: MIT */
/*
 * work: transactions at random until told to stop.
 *
 * Each one: begin, change something, a journal row, commit, then the ledger line. A write conflict
 * rolls back and is tried again as something else. Now and then a transaction is rolled back on
 * purpose, and one reads all accounts in its snapshot and adds them up.
 */
#include "work.h"

#include "hold.h"
#include "ledger.h"

#include <stdio.h>
#include <string.h>

#define ORDERS_MAX 20000 /* of a thread: a run of days must not grow in memory */

struct order_ref {
    int64_t id;
    int32_t revision;
};

struct worker {
    struct work *work;
    struct tables tables;
    int thread;
    int64_t seq; /* last committed */
    int64_t order_next;
    GArray *orders; /* struct order_ref: those of this thread, committed */
    GRand *rand;
};

void
work_stop(struct work *w)
{
    atomic_store(&w->stop, true);
}

static void
fail(struct work *w, JET_ERR err)
{
    int none = 0;
    atomic_compare_exchange_strong(&w->failed, &none, err);
    work_stop(w);
}

static JET_ERR
add_balance(struct worker *k, int32_t account, int64_t amount)
{
    struct tables *t = &k->tables;
    int64_t balance;
    int32_t version;
    JET_ERR err = tables_seek(t, t->accounts, &account, sizeof account, NULL, 0);
    if (err >= 0)
        err = JetPrepareUpdate(t->sesid, t->accounts, JET_prepReplace);
    if (err >= 0)
        err = tables_get(t, t->accounts, t->account_balance, &balance, sizeof balance);
    if (err >= 0)
        err = tables_get(t, t->accounts, t->account_version, &version, sizeof version);
    if (err < 0)
        return err;
    balance += amount;
    version++;
    err =
        JetSetColumn(t->sesid, t->accounts, t->account_balance, &balance, sizeof balance, 0, NULL);
    if (err >= 0)
        err = JetSetColumn(t->sesid, t->accounts, t->account_version, &version, sizeof version, 0,
                           NULL);
    if (err >= 0)
        err = JetUpdate(t->sesid, t->accounts, NULL, 0, NULL);
    return err;
}

static JET_ERR
do_transfer(struct worker *k, struct effect *e)
{
    const int n = k->work->accounts;
    e->kind = KIND_TRANSFER;
    e->a = g_rand_int_range(k->rand, 0, n);
    e->b = (e->a + g_rand_int_range(k->rand, 1, n)) % n;
    e->amount = g_rand_int_range(k->rand, 1, 100);
    JET_ERR err = add_balance(k, (int32_t)e->a, -e->amount);
    if (err >= 0)
        err = add_balance(k, (int32_t)e->b, e->amount);
    return err;
}

static JET_ERR
do_insert(struct worker *k, struct effect *e)
{
    struct tables *t = &k->tables;
    *e = (struct effect) {.kind = KIND_INSERT, .a = (int64_t)k->thread << 40 | k->order_next++};
    JET_ERR err = JetPrepareUpdate(t->sesid, t->orders, JET_prepInsert);
    if (err >= 0)
        err = order_set(t, e->a, 0);
    if (err >= 0)
        err = JetUpdate(t->sesid, t->orders, NULL, 0, NULL);
    return err;
}

static JET_ERR
do_update(struct worker *k, struct effect *e, const struct order_ref *order)
{
    struct tables *t = &k->tables;
    *e = (struct effect) {.kind = KIND_UPDATE, .a = order->id, .b = order->revision + 1};
    JET_ERR err = tables_seek(t, t->orders, &order->id, sizeof order->id, NULL, 0);
    if (err >= 0)
        err = JetPrepareUpdate(t->sesid, t->orders, JET_prepReplace);
    if (err >= 0)
        err = order_set(t, e->a, (int32_t)e->b);
    if (err >= 0)
        err = JetUpdate(t->sesid, t->orders, NULL, 0, NULL);
    return err;
}

static JET_ERR
do_delete(struct worker *k, struct effect *e, const struct order_ref *order)
{
    struct tables *t = &k->tables;
    *e = (struct effect) {.kind = KIND_DELETE, .a = order->id};
    JET_ERR err = tables_seek(t, t->orders, &order->id, sizeof order->id, NULL, 0);
    if (err >= 0)
        err = JetDelete(t->sesid, t->orders);
    return err;
}

/* One change inside the open transaction. *index: the order it is about. */
static JET_ERR
do_something(struct worker *k, struct effect *e, guint *index)
{
    const int dice = g_rand_int_range(k->rand, 0, 100);
    *index = 0;
    if (dice < 50)
        return do_transfer(k, e);
    if (k->orders->len == 0 || (dice < 72 && k->orders->len < ORDERS_MAX))
        return do_insert(k, e);
    *index = (guint)g_rand_int_range(k->rand, 0, (gint32)k->orders->len);
    const struct order_ref *order = &g_array_index(k->orders, struct order_ref, *index);
    return dice < 86 ? do_update(k, e, order) : do_delete(k, e, order);
}

/* Follow a committed change in the list of this thread's orders. */
static void
remember(struct worker *k, const struct effect *e, guint index)
{
    struct order_ref fresh = {.id = e->a};
    if (e->kind == KIND_INSERT)
        g_array_append_val(k->orders, fresh);
    if (e->kind == KIND_UPDATE)
        g_array_index(k->orders, struct order_ref, index).revision = (int32_t)e->b;
    if (e->kind == KIND_DELETE)
        g_array_remove_index_fast(k->orders, index);
}

static JET_ERR
commit(struct worker *k, const struct effect *e)
{
    struct work *w = k->work;
    const bool lazy = g_rand_int_range(k->rand, 0, 100) < w->options->lazy_percent;
    JET_COMMIT_ID id = {0};
    const int backup_before = atomic_load(&w->backup);
    const int64_t start = g_get_monotonic_time();
    JET_ERR err = JetCommitTransaction2(k->tables.sesid, lazy ? JET_bitCommitLazyFlush : 0, 0, &id);
    if (err < 0)
        return jetload_report("JetCommitTransaction2", err);
    const uint64_t us = (uint64_t)(g_get_monotonic_time() - start);
    const int backup = backup_before | atomic_load(&w->backup);
    latency_add(&w->latency[backup][lazy], us);
    k->seq++;
    atomic_fetch_add(&w->commits, 1);
    int result =
        ledger_append_commit(w->ledger_fd, (uint64_t)id.commitId, k->thread, k->seq, !lazy, e);
    if (result < 0) {
        fprintf(stderr, "jetload: ledger: %s\n", g_strerror(-result));
        return JET_errDiskIO;
    }
    return err;
}

static JET_ERR
transact(struct worker *k)
{
    struct effect e = {0};
    guint index;
    JET_ERR err = JetBeginTransaction(k->tables.sesid);
    if (err < 0)
        return jetload_report("JetBeginTransaction", err);
    err = do_something(k, &e, &index);
    if (err >= 0)
        err = journal_insert(&k->tables, k->thread, k->seq + 1, &e);
    const bool change_of_mind = err >= 0 && g_rand_int_range(k->rand, 0, 100) < 3;
    if (err >= 0 && !change_of_mind) {
        err = commit(k, &e);
        if (err >= 0)
            remember(k, &e, index);
        return err;
    }
    if (err < 0 && err != JET_errWriteConflict)
        fprintf(stderr, "jetload: thread %d: %c %lld %lld: %s (%d)\n", k->thread,
                e.kind != 0 ? (char)e.kind : '?', (long long)e.a, (long long)e.b,
                JetxErrorName(err), err);
    JET_ERR err_rollback = jetload_report("JetRollback", JetRollback(k->tables.sesid, 0));
    if (err_rollback < 0)
        return err_rollback;
    atomic_fetch_add(err < 0 ? &k->work->conflicts : &k->work->rollbacks, 1);
    return err == JET_errWriteConflict ? JET_errSuccess : err;
}

/* All accounts of one snapshot always add up. */
static JET_ERR
audit(struct worker *k)
{
    struct tables *t = &k->tables;
    int64_t sum = 0;
    int n = 0;
    JET_ERR err = JetBeginTransaction2(t->sesid, JET_bitTransactionReadOnly);
    if (err < 0)
        return jetload_report("JetBeginTransaction2", err);
    for (err = JetMove(t->sesid, t->accounts, JET_MoveFirst, 0); err >= 0;
         err = JetMove(t->sesid, t->accounts, JET_MoveNext, 0)) {
        int64_t balance;
        err = tables_get(t, t->accounts, t->account_balance, &balance, sizeof balance);
        if (err < 0)
            break;
        sum += balance;
        n++;
    }
    if (err == JET_errNoCurrentRecord)
        err = JET_errSuccess;
    JET_ERR err_end = JetCommitTransaction(t->sesid, 0);
    atomic_fetch_add(&k->work->audits, 1);
    if (err >= 0 && (n != k->work->accounts || sum != (int64_t)n * INITIAL_BALANCE)) {
        fprintf(stderr, "jetload: snapshot of %d accounts adds up to %lld\n", n, (long long)sum);
        return JET_errDatabaseCorrupted;
    }
    return jetload_report("audit", err < 0 ? err : err_end);
}

/* Hold the pace of --rate; one transaction is due at its number divided by the rate. */
static void
pace(struct work *w, int64_t number)
{
    if (w->options->rate <= 0)
        return;
    const int64_t due = w->start_us + (int64_t)((double)number / w->options->rate * 1e6);
    const int64_t wait = due - g_get_monotonic_time();
    if (wait > 0)
        g_usleep((gulong)MIN(wait, 100000));
}

static bool
finished(struct work *w, int64_t number)
{
    const struct options *o = w->options;
    if (atomic_load(&w->stop) || (o->transactions > 0 && number >= o->transactions))
        return true;
    return o->seconds > 0 && (double)(g_get_monotonic_time() - w->start_us) >= o->seconds * 1e6;
}

/* The last transaction of a thread that the journal holds, 0 when there is none. */
static JET_ERR
recall_seq(struct tables *t, int32_t thread, int64_t *seq)
{
    int32_t found = -1;
    struct effect e;
    *seq = 0;
    JET_ERR err = JetMakeKey(t->sesid, t->journal, &thread, sizeof thread,
                             JET_bitNewKey | JET_bitFullColumnEndLimit);
    if (err >= 0)
        err = JetSeek(t->sesid, t->journal, JET_bitSeekLE);
    if (err >= 0)
        err = journal_get(t, &found, seq, &e);
    if (err >= 0 && found != thread)
        *seq = 0;
    return err == JET_errRecordNotFound ? JET_errSuccess : err;
}

/* The orders of a thread that are there, and the first number that is free. */
static JET_ERR
recall_orders(struct worker *k)
{
    struct tables *t = &k->tables;
    const int64_t from = (int64_t)k->thread << 40;
    JET_ERR err = JetMakeKey(t->sesid, t->orders, &from, sizeof from, JET_bitNewKey);
    if (err >= 0)
        err = JetSeek(t->sesid, t->orders, JET_bitSeekGE);
    while (err >= 0) {
        struct order_ref order;
        bool good;
        err = order_get(t, &order.id, &order.revision, &good);
        if (err < 0 || order.id >> 40 != k->thread)
            break;
        g_array_append_val(k->orders, order);
        k->order_next = (order.id & 0xffffffffff) + 1;
        err = JetMove(t->sesid, t->orders, JET_MoveNext, 0);
    }
    return err == JET_errNoCurrentRecord || err == JET_errRecordNotFound ? JET_errSuccess : err;
}

/*
 * What earlier runs left, told to the ledger for every thread that there may ever have been: lazy
 * commits that a crash took away are forgotten by it from here on.
 */
static JET_ERR
recall(struct worker *workers, int threads, int ledger_fd)
{
    struct tables *t = &workers[0].tables;
    JET_ERR err = JetBeginTransaction(t->sesid);
    if (err < 0)
        return jetload_report("JetBeginTransaction", err);
    for (int thread = 0; thread < THREADS_MAX && err >= 0; thread++) {
        int64_t seq;
        err = recall_seq(t, thread, &seq);
        if (err >= 0 && ledger_append_run(ledger_fd, thread, seq) < 0)
            err = JET_errDiskIO;
        if (thread < threads)
            workers[thread].seq = seq;
    }
    for (int i = 0; i < threads && err >= 0; i++)
        err = recall_orders(&workers[i]);
    JET_ERR err_end = JetCommitTransaction(t->sesid, 0);
    return jetload_report("recall", err < 0 ? err : err_end);
}

static void *
worker_main(void *arg)
{
    struct worker *k = arg;
    struct work *w = k->work;
    JET_ERR err = JET_errSuccess;
    while (err >= 0) {
        const int64_t number = atomic_fetch_add(&w->started, 1);
        if (finished(w, number))
            break;
        pace(w, number);
        err = g_rand_int_range(k->rand, 0, 1000) == 0 ? audit(k) : transact(k);
    }
    if (err < 0)
        fail(w, err);
    atomic_fetch_sub(&w->running, 1);
    return NULL;
}

static JET_ERR
worker_open(struct worker *k, struct work *w, int thread)
{
    *k = (struct worker) {.work = w, .thread = thread};
    JET_ERR err = tables_open(&k->tables, w->store);
    if (err < 0)
        return err;
    k->orders = g_array_new(FALSE, TRUE, sizeof(struct order_ref));
    k->rand = g_rand_new_with_seed((guint32)w->options->seed + (guint32)thread * 7919u);
    return err;
}

static void
worker_close(struct worker *k)
{
    if (k->orders == NULL)
        return;
    tables_close(&k->tables);
    g_array_unref(k->orders);
    g_rand_free(k->rand);
}

/* Until all threads are done: is a backup session on, and the status file twice a second. */
static void
monitor(struct work *w)
{
    for (int tick = 0; atomic_load(&w->running) > 0; tick++) {
        JETX_BACKUPSTATUS status = {.cbStruct = sizeof status};
        JET_ERR err = JetxGetBackupStatus(w->store->instance, &status);
        bool idle = err < 0 || strcmp(status.szState, "none") == 0 ||
                    strcmp(status.szState, "ended") == 0 || strcmp(status.szState, "aborted") == 0;
        atomic_store(&w->backup, idle ? 0 : 1);
        if (tick % 25 == 0)
            status_write(w, "running");
        g_usleep(20000);
    }
}

JET_ERR
work_run(struct work *w)
{
    const int threads = w->options->threads;
    g_autofree struct worker *workers = g_new0(struct worker, (gsize)threads);
    g_autofree GThread **handles = g_new0(GThread *, (gsize)threads);
    JET_ERR err = JET_errSuccess;
    for (int i = 0; i < threads && err >= 0; i++)
        err = worker_open(&workers[i], w, i);
    if (err >= 0)
        err = recall(workers, threads, w->ledger_fd);
    w->start_us = g_get_monotonic_time();
    if (err >= 0) {
        atomic_store(&w->running, threads);
        for (int i = 0; i < threads; i++)
            handles[i] = g_thread_new("worker", worker_main, &workers[i]);
        GThread *hold = w->options->hold > 0 ? g_thread_new("hold", hold_main, w) : NULL;
        monitor(w);
        for (int i = 0; i < threads; i++)
            g_thread_join(handles[i]);
        JET_ERR err_hold = hold == NULL ? JET_errSuccess : GPOINTER_TO_INT(g_thread_join(hold));
        err = atomic_load(&w->failed);
        err = err < 0 ? err : err_hold;
    }
    for (int i = 0; i < threads; i++)
        worker_close(&workers[i]);
    return err;
}
