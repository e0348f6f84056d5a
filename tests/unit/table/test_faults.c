/* SPDX-License-Identifier: MIT */
/* faults: whichever read or write fails, an error comes up and nothing else breaks. */
#include "tables.h"

#include <errno.h>

#define RECORDS 900

static void
fill(struct tables *x)
{
    struct table *t = make_items(x, "Items");
    char name[64];

    for (int i = 0; i < RECORDS; i++) {
        g_snprintf(name, sizeof(name), "a rather long name for item %d", i);
        insert_item(t, name, 1);
    }
    table_close(t);
    OK(txn_cleanup(x->w.txn, 0, NULL));
}

/* Pages out of memory: the file is closed and opened again. */
static void
reopen(struct tables *x)
{
    OK(cache_flush(x->w.file));
    session_free(x->s2);
    table_db_close(x->tdb);
    world_close_db(&x->w);
    world_open_db(&x->w, false, x->w.log);
    OK(session_new(x->w.txn, &x->w.s));
    OK(session_new(x->w.txn, &x->s2));
}

/* Open, change a definition, read all, insert one; the first error ends it. */
static JET_ERR
use_table(struct tables *x, uint32_t *seen)
{
    struct table_column_spec col = {.name = "Extra", .coltyp = JET_coltypLong};
    struct session *s = x->w.s;
    struct table *t;

    *seen = 0;
    JET_ERR err = table_open(s, x->tdb, "Items", 0, &t);
    if (err < 0)
        return err;
    err = session_begin(s, 0);
    if (err >= 0)
        err = table_add_column(t, &col);
    if (err >= 0)
        err = table_move(t, JET_MoveFirst, 0);
    for (; err >= 0; (*seen)++)
        err = table_move(t, JET_MoveNext, 0);
    if (err == JET_errNoCurrentRecord)
        err = table_prepare_update(t, JET_prepInsert);
    if (err >= 0)
        err = table_update(t, NULL, 0, NULL, 0);
    if (session_level(s)) {
        JET_ERR undo = session_rollback(s, JET_bitRollbackAll);
        err = err < 0 ? err : undo;
    }
    table_close(t);
    return err;
}

static void
test_faults_of_reads_come_up_and_pass(void **state)
{
    struct tables *x = *state;
    uint32_t seen;
    bool struck = true;
    uint32_t faults = 0;

    fill(x);
    for (uint64_t nth = 1; struck; nth += nth < 20 ? 1 : 7) {
        reopen(x);
        os_fault_arm(&(struct os_fault) {
            .calls = OS_CALL_READ, .nth = nth, .errnum = EIO, .path_part = "t.edb"});
        JET_ERR err = table_db_open(x->w.db, &x->tdb);
        if (err >= 0)
            err = use_table(x, &seen);
        else
            x->tdb = NULL;
        struck = os_fault_count() >= nth;
        os_fault_arm(NULL);
        if (struck)
            assert_true(err < 0);
        else
            OK(err);
        if (!x->tdb)
            OK(table_db_open(x->w.db, &x->tdb));
        OK(use_table(x, &seen)); /* a read that failed once leaves nothing behind */
        assert_int_equal(seen, RECORDS);
        OK(txn_cleanup(x->w.txn, 0, NULL));
        faults += struck;
    }
    print_message("%u reads failed\n", faults);
    assert_true(faults > 5);
}

static void
test_faults_of_log_writes_come_up(void **state)
{
    bool struck = true;
    uint32_t faults = 0;

    for (uint64_t nth = 1; struck && nth < 60; nth++) {
        struct tables x = {0};
        struct table_column_spec col = {.name = "A", .coltyp = JET_coltypLong};
        struct table_spec spec = {.name = "T", .columns = &col, .n_columns = 1};
        struct table *t = NULL;

        tables_begin(&x, 4096);
        os_fault_arm(&(struct os_fault) {.calls = OS_CALL_WRITE | OS_CALL_SYNC,
                                         .nth = nth,
                                         .errnum = EIO,
                                         .persistent = true,
                                         .path_part = ".log"});
        JET_ERR err = table_create(x.w.s, x.tdb, &spec, &t); /* commits: durable or an error */
        for (int i = 0; err >= 0 && i < 20; i++) {
            err = session_begin(x.w.s, 0);
            if (err >= 0)
                err = table_prepare_update(t, JET_prepInsert);
            if (err >= 0)
                err = table_update(t, NULL, 0, NULL, 0);
            if (err >= 0)
                err = session_commit(x.w.s, 0, NULL);
        }
        struck = os_fault_count() >= nth;
        assert_int_equal(struck, err < 0);
        table_close(t);
        if (session_level(x.w.s))
            (void)session_rollback(x.w.s, JET_bitRollbackAll);
        os_fault_arm(NULL);
        session_free(x.s2);
        (void)txn_cleanup(x.w.txn, 0, NULL);
        table_db_close(x.tdb);
        world_end(&x.w);
        faults += struck;
    }
    print_message("%u writes failed\n", faults);
    assert_true(faults > 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_faults_of_reads_come_up_and_pass, tables_setup,
                                        tables_teardown),
        cmocka_unit_test(test_faults_of_log_writes_come_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
