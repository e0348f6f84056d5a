/* SPDX-License-Identifier: MIT */
/* threads: transfers, scans, inserts and definitions at the same time; the sum never changes. */
#include "tables.h"

#define ACCOUNTS 60
#define BALANCE  1000
#define ROUNDS   2000

struct work {
    struct tables *x;
    struct session *s;
    unsigned seed;
    _Atomic uint32_t *transfers, *conflicts;
    GArray *ids; /* autoincrement values drawn */
};

/* Threads may not use cmocka's asserts: they jump. */
#define MUST(call)                                                                                 \
    do {                                                                                           \
        JET_ERR err_ = (call);                                                                     \
        if (err_ < 0)                                                                              \
            g_error("%s: %d at line %d", #call, err_, __LINE__);                                   \
    } while (0)

static JET_ERR
add_to(struct table *t, int32_t id, int64_t delta)
{
    int64_t n;
    uint32_t cb;

    MUST(table_make_key(t, &id, 4, JET_bitNewKey));
    MUST(table_seek(t, JET_bitSeekEQ));
    JET_ERR err = table_prepare_update(t, JET_prepReplace);
    if (err < 0)
        return err;
    MUST(table_retrieve_column(t, COL_N, &n, 8, &cb, JET_bitRetrieveCopy, NULL));
    n += delta;
    MUST(table_set_column(t, COL_N, &n, 8, 0, NULL));
    err = table_update(t, NULL, 0, NULL, 0);
    if (err < 0)
        MUST(table_prepare_update(t, JET_prepCancel));
    return err;
}

static void *
transfer(void *ctx)
{
    struct work *w = ctx;
    struct table *t;

    MUST(table_open(w->s, w->x->tdb, "Items", 0, &t));
    for (int i = 0; i < ROUNDS; i++) {
        int32_t from = 1 + rand_r(&w->seed) % ACCOUNTS, to = 1 + rand_r(&w->seed) % ACCOUNTS;
        MUST(session_begin(w->s, 0));
        JET_ERR err = add_to(t, from, -7);
        if (err >= 0)
            err = add_to(t, to, 7);
        if (err >= 0 && i % 5) {
            MUST(session_commit(w->s, JET_bitCommitLazyFlush, NULL));
            (*w->transfers)++;
            continue;
        }
        if (err < 0 && err != JET_errWriteConflict)
            g_error("transfer: %d", err);
        (*w->conflicts) += err < 0;
        MUST(session_rollback(w->s, 0));
    }
    table_close(t);
    return NULL;
}

static int64_t
sum_of(struct table *t, uint32_t *accounts)
{
    int64_t n, sum = 0;
    uint32_t cb;

    *accounts = 0;
    for (JET_ERR err = table_move(t, JET_MoveFirst, 0); err >= 0;
         err = table_move(t, JET_MoveNext, 0)) {
        MUST(table_retrieve_column(t, COL_N, &n, 8, &cb, 0, NULL));
        sum += n;
        *accounts += n != 0;
    }
    return sum;
}

static void *
scan(void *ctx)
{
    struct work *w = ctx;
    struct table *t;
    uint32_t n;

    MUST(table_open(w->s, w->x->tdb, "Items", 0, &t));
    for (int i = 0; i < 60; i++) {
        MUST(session_begin(w->s, 0));
        int64_t sum = sum_of(t, &n);
        if (sum != (int64_t)ACCOUNTS * BALANCE)
            g_error("sum %lld", (long long)sum);
        MUST(session_commit(w->s, 0, NULL));
    }
    table_close(t);
    return NULL;
}

/* Rows that do not count in the sum. */
static void *
insert_rows(void *ctx)
{
    struct work *w = ctx;
    struct table *t;
    int64_t zero = 0;
    int32_t id;
    uint32_t cb;

    MUST(table_open(w->s, w->x->tdb, "Items", 0, &t));
    for (int i = 0; i < ROUNDS; i++) {
        MUST(session_begin(w->s, 0));
        MUST(table_prepare_update(t, JET_prepInsert));
        MUST(table_retrieve_column(t, COL_ID, &id, 4, &cb, JET_bitRetrieveCopy, NULL));
        MUST(table_set_column(t, COL_N, &zero, 8, 0, NULL));
        MUST(table_update(t, NULL, 0, NULL, 0));
        if (i % 3)
            MUST(session_commit(w->s, JET_bitCommitLazyFlush, NULL));
        else
            MUST(session_rollback(w->s, 0));
        g_array_append_val(w->ids, id);
    }
    table_close(t);
    return NULL;
}

static void *
define(void *ctx)
{
    struct work *w = ctx;
    struct table *t, *items;
    char name[32];

    MUST(table_open(w->s, w->x->tdb, "Items", 0, &items));
    for (int i = 0; i < 20; i++) {
        struct table_column_spec col = {
            .name = name, .coltyp = JET_coltypLong, .def = "\1\0\0\0", .def_cb = 4};
        struct table_spec spec = {.name = name};
        g_snprintf(name, sizeof(name), "Made%d", i);
        MUST(table_create(w->s, w->x->tdb, &spec, &t));
        table_close(t);
        MUST(session_begin(w->s, 0));
        MUST(table_add_column(items, &col));
        if (i % 2)
            MUST(session_commit(w->s, JET_bitCommitLazyFlush, NULL));
        else
            MUST(session_rollback(w->s, 0));
    }
    table_close(items);
    return NULL;
}

static void *
clean(void *ctx)
{
    struct work *w = ctx;
    for (int i = 0; i < 200; i++)
        MUST(txn_cleanup(w->x->w.txn, 100, NULL));
    return NULL;
}

static int
by_value(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void
test_threads_never_change_the_sum(void **state)
{
    static void *(*const jobs[])(void *) = {transfer,    transfer,    transfer, scan,
                                            insert_rows, insert_rows, define,   clean};
    struct tables *x = *state;
    struct work w[G_N_ELEMENTS(jobs)];
    GThread *threads[G_N_ELEMENTS(jobs)];
    _Atomic uint32_t transfers = 0, conflicts = 0;
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(int32_t));
    struct table *t = make_items(x, "Items");
    uint32_t n;

    for (int i = 0; i < ACCOUNTS; i++)
        insert_item(t, "account", BALANCE);
    table_close(t);
    for (size_t i = 0; i < G_N_ELEMENTS(jobs); i++) {
        w[i] = (struct work) {
            .x = x, .seed = (unsigned)i, .transfers = &transfers, .conflicts = &conflicts};
        w[i].ids = g_array_new(FALSE, FALSE, sizeof(int32_t));
        OK(session_new(x->w.txn, &w[i].s));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(jobs); i++)
        threads[i] = g_thread_new("job", jobs[i], &w[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(jobs); i++) {
        g_thread_join(threads[i]);
        session_free(w[i].s);
        g_array_append_vals(all, w[i].ids->data, w[i].ids->len);
        g_array_unref(w[i].ids);
    }
    print_message("%u transfers, %u conflicts\n", transfers, conflicts);
    assert_true(transfers > 0);
    OK(table_open(x->w.s, x->tdb, "Items", 0, &t));
    assert_int_equal(sum_of(t, &n), (int64_t)ACCOUNTS * BALANCE);
    table_close(t);
    g_array_sort(all, by_value);
    for (guint i = 1; i < all->len; i++)
        assert_true(g_array_index(all, int32_t, i) > g_array_index(all, int32_t, i - 1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_threads_never_change_the_sum, tables_setup,
                                        tables_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
