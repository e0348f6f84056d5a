/* SPDX-License-Identifier: MIT */
/*
 * store: one database of four tables, each with a primary index.
 *
 *   accounts  id Long                      balance Currency, version Long
 *   orders    id LongLong                  fixed, variable and tagged columns of many types
 *   journal   thread Long, seq LongLong    kind, a, b, amount
 *   state     id Long                      1: accounts, written last: the database is complete
 */
#include "store.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    JET_COLTYP coltyp;
    uint32_t max;
    JET_GRBIT grbit;
} order_columns[ORDER_COLUMNS] = {
    [ORDER_ID] = {"id", JET_coltypLongLong, 0, JET_bitColumnFixed | JET_bitColumnNotNULL},
    [ORDER_REVISION] = {"revision", JET_coltypLong, 0, JET_bitColumnFixed},
    [ORDER_THREAD] = {"thread", JET_coltypShort, 0, JET_bitColumnFixed},
    [ORDER_PRICE] = {"price", JET_coltypIEEEDouble, 0, JET_bitColumnFixed},
    [ORDER_WHEN] = {"placed", JET_coltypDateTime, 0, JET_bitColumnFixed},
    [ORDER_PAID] = {"paid", JET_coltypBit, 0, JET_bitColumnFixed},
    [ORDER_CLASS] = {"class", JET_coltypUnsignedByte, 0, JET_bitColumnFixed},
    [ORDER_GUID] = {"guid", JET_coltypGUID, 0, JET_bitColumnFixed},
    [ORDER_NAME] = {"name", JET_coltypText, 128, 0},
    [ORDER_CITY] = {"city", JET_coltypText, 80, 0},
    [ORDER_DATA] = {"data", JET_coltypBinary, 200, 0},
    [ORDER_NOTE] = {"note", JET_coltypText, 120, JET_bitColumnTagged},
    [ORDER_SCAN] = {"scan", JET_coltypLongBinary, 0, JET_bitColumnTagged},
    [ORDER_AMOUNT] = {"amount", JET_coltypUnsignedLong, 0, JET_bitColumnTagged},
};

static const char *const journal_columns[6] = {"thread", "seq", "kind", "a", "b", "amount"};
static const char *const state_columns[2] = {"id", "accounts"};

JET_ERR
jetload_report(const char *what, JET_ERR err)
{
    if (err < 0)
        fprintf(stderr, "jetload: %s: %s (%d)\n", what, JetxErrorName(err), err);
    return err;
}

static JET_ERR
set_number(struct store *s, uint32_t param, JET_API_PTR value)
{
    return jetload_report("JetSetSystemParameter",
                          JetSetSystemParameter(&s->instance, JET_sesidNil, param, value, NULL));
}

static JET_ERR
set_string(struct store *s, uint32_t param, const char *value)
{
    return jetload_report("JetSetSystemParameter",
                          JetSetSystemParameter(&s->instance, JET_sesidNil, param, 0, value));
}

static JET_ERR
set_parameters(struct store *s, const struct options *o)
{
    g_autofree char *dir = g_strdup_printf("%s/", o->dir);
    const uint32_t paths[] = {JET_paramSystemPath, JET_paramTempPath, JET_paramLogFilePath};
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        JET_ERR err = set_string(s, paths[i], dir);
        if (err < 0)
            return err;
    }
    if (o->preimage_path != NULL) {
        JET_ERR err = set_string(s, JET_paramJetxPreimagePath, o->preimage_path);
        if (err < 0)
            return err;
    }
    const struct {
        uint32_t param;
        JET_API_PTR value;
    } numbers[] = {
        {JET_paramCacheSizeMax, (JET_API_PTR)o->cache_pages},
        {JET_paramLogFileSize, (JET_API_PTR)o->log_kib},
        {JET_paramCircularLog, (JET_API_PTR)o->circular},
        {JET_paramJetxBackupService, (JET_API_PTR)o->service},
        {JET_paramMaxSessions, THREADS_MAX + 8},
        {JET_paramNoInformationEvent, 1},
        {JET_paramOSSnapshotTimeout, (JET_API_PTR)o->snapshot_ms},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (numbers[i].value == 0)
            continue;
        JET_ERR err = set_number(s, numbers[i].param, numbers[i].value);
        if (err < 0)
            return err;
    }
    return JET_errSuccess;
}

static JET_ERR
attach_or_create(struct store *s)
{
    JET_SESID sesid;
    JET_ERR err =
        jetload_report("JetBeginSession", JetBeginSession(s->instance, &sesid, NULL, NULL));
    if (err < 0)
        return err;
    if (g_file_test(s->path, G_FILE_TEST_EXISTS)) {
        err = jetload_report("JetAttachDatabase", JetAttachDatabase(sesid, s->path, 0));
    } else {
        JET_DBID dbid;
        err =
            jetload_report("JetCreateDatabase", JetCreateDatabase(sesid, s->path, NULL, &dbid, 0));
        if (err >= 0)
            err = jetload_report("JetCloseDatabase", JetCloseDatabase(sesid, dbid, 0));
        s->created = true;
    }
    JET_ERR err_end = jetload_report("JetEndSession", JetEndSession(sesid, 0));
    return err < 0 ? err : err_end;
}

JET_ERR
store_open(struct store *s, const struct options *o)
{
    *s = (struct store) {.instance = JET_instanceNil};
    JET_ERR err = JET_errSuccess;
    if (o->page_size != 0)
        err = JetSetSystemParameter(NULL, JET_sesidNil, JET_paramDatabasePageSize,
                                    (JET_API_PTR)o->page_size, NULL);
    if (err < 0)
        return jetload_report("page size", err);
    err = jetload_report("JetCreateInstance", JetCreateInstance(&s->instance, "jetload"));
    if (err < 0)
        return err;
    s->path = g_build_filename(o->dir, "app.edb", NULL);
    err = set_parameters(s, o);
    if (err >= 0)
        err = jetload_report("JetInit", JetInit(&s->instance));
    if (err >= 0)
        err = attach_or_create(s);
    if (err >= 0)
        return err;
    JetTerm2(s->instance, JET_bitTermAbrupt);
    g_clear_pointer(&s->path, g_free);
    return err;
}

JET_ERR
store_close(struct store *s)
{
    g_clear_pointer(&s->path, g_free);
    return jetload_report("JetTerm2",
                          JetTerm2(s->instance, JET_bitTermComplete | JET_bitTermStopBackup));
}

static JET_ERR
column_id(struct tables *t, JET_TABLEID tableid, const char *name, JET_COLUMNID *columnid)
{
    JET_COLUMNDEF def = {.cbStruct = sizeof def};
    JET_ERR err = JetGetTableColumnInfo(t->sesid, tableid, name, &def, sizeof def, JET_ColInfo);
    if (err < 0)
        return jetload_report(name, err);
    *columnid = def.columnid;
    return err;
}

static JET_ERR
find_columns(struct tables *t)
{
    JET_ERR err = column_id(t, t->accounts, "id", &t->account_id);
    if (err >= 0)
        err = column_id(t, t->accounts, "balance", &t->account_balance);
    if (err >= 0)
        err = column_id(t, t->accounts, "version", &t->account_version);
    for (int i = 0; i < ORDER_COLUMNS && err >= 0; i++)
        err = column_id(t, t->orders, order_columns[i].name, &t->order_columns[i]);
    for (int i = 0; i < 6 && err >= 0; i++)
        err = column_id(t, t->journal, journal_columns[i], &t->journal_columns[i]);
    for (int i = 0; i < 2 && err >= 0; i++)
        err = column_id(t, t->state, state_columns[i], &t->state_columns[i]);
    return err;
}

static JET_ERR
open_table(struct tables *t, const char *name, JET_TABLEID *tableid)
{
    return jetload_report(name, JetOpenTable(t->sesid, t->dbid, name, NULL, 0, 0, tableid));
}

JET_ERR
tables_open(struct tables *t, const struct store *s)
{
    *t = (struct tables) {.sesid = JET_sesidNil};
    JET_ERR err =
        jetload_report("JetBeginSession", JetBeginSession(s->instance, &t->sesid, NULL, NULL));
    if (err < 0)
        return err;
    err = jetload_report("JetOpenDatabase", JetOpenDatabase(t->sesid, s->path, NULL, &t->dbid, 0));
    if (err >= 0)
        err = open_table(t, "accounts", &t->accounts);
    if (err >= 0)
        err = open_table(t, "orders", &t->orders);
    if (err >= 0)
        err = open_table(t, "journal", &t->journal);
    if (err >= 0)
        err = open_table(t, "state", &t->state);
    if (err >= 0)
        err = find_columns(t);
    if (err < 0)
        JetEndSession(t->sesid, JET_bitForceSessionClosed);
    return err;
}

void
tables_close(struct tables *t)
{
    const JET_TABLEID all[] = {t->accounts, t->orders, t->journal, t->state};
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        jetload_report("JetCloseTable", JetCloseTable(t->sesid, all[i]));
    jetload_report("JetCloseDatabase", JetCloseDatabase(t->sesid, t->dbid, 0));
    jetload_report("JetEndSession", JetEndSession(t->sesid, 0));
}

/* A table with a primary index; key as JetCreateIndex wants it, ended by two zero bytes. */
static JET_ERR
create_table(JET_SESID sesid, JET_DBID dbid, const char *name, JET_COLUMNCREATE *columns,
             uint32_t n_columns, const char *key, uint32_t cb_key)
{
    JET_INDEXCREATE index = {
        .cbStruct = sizeof index,
        .szIndexName = (char *)"primary",
        .szKey = (char *)key,
        .cbKey = cb_key,
        .grbit = JET_bitIndexPrimary | JET_bitIndexUnique | JET_bitIndexDisallowNull,
        .ulDensity = 80,
    };
    JET_TABLECREATE table = {
        .cbStruct = sizeof table,
        .szTableName = (char *)name,
        .ulPages = 8,
        .ulDensity = 80,
        .rgcolumncreate = columns,
        .cColumns = n_columns,
        .rgindexcreate = &index,
        .cIndexes = 1,
    };
    JET_ERR err = jetload_report(name, JetCreateTableColumnIndex(sesid, dbid, &table));
    if (err >= 0)
        err = jetload_report("JetCloseTable", JetCloseTable(sesid, table.tableid));
    return err;
}

static JET_COLUMNCREATE
column(const char *name, JET_COLTYP coltyp, uint32_t max, JET_GRBIT grbit)
{
    return (JET_COLUMNCREATE) {
        .cbStruct = sizeof(JET_COLUMNCREATE),
        .szColumnName = (char *)name,
        .coltyp = coltyp,
        .cbMax = max,
        .grbit = grbit,
        .cp = coltyp == JET_coltypText ? 1252 : 0,
    };
}

static JET_ERR
create_tables(JET_SESID sesid, JET_DBID dbid)
{
    const JET_GRBIT key = JET_bitColumnFixed | JET_bitColumnNotNULL;
    JET_COLUMNCREATE accounts[] = {
        column("id", JET_coltypLong, 0, key),
        column("balance", JET_coltypCurrency, 0, JET_bitColumnFixed),
        column("version", JET_coltypLong, 0, JET_bitColumnFixed),
    };
    JET_ERR err = create_table(sesid, dbid, "accounts", accounts, 3, "+id\0", 5);
    JET_COLUMNCREATE orders[ORDER_COLUMNS];
    for (int i = 0; i < ORDER_COLUMNS; i++)
        orders[i] = column(order_columns[i].name, order_columns[i].coltyp, order_columns[i].max,
                           order_columns[i].grbit);
    if (err >= 0)
        err = create_table(sesid, dbid, "orders", orders, ORDER_COLUMNS, "+id\0", 5);
    JET_COLUMNCREATE journal[] = {
        column("thread", JET_coltypLong, 0, key),
        column("seq", JET_coltypLongLong, 0, key),
        column("kind", JET_coltypUnsignedByte, 0, JET_bitColumnFixed),
        column("a", JET_coltypLongLong, 0, JET_bitColumnFixed),
        column("b", JET_coltypLongLong, 0, JET_bitColumnFixed),
        column("amount", JET_coltypCurrency, 0, JET_bitColumnFixed),
    };
    if (err >= 0)
        err = create_table(sesid, dbid, "journal", journal, 6, "+thread\0+seq\0", 14);
    JET_COLUMNCREATE filler[] = {
        column("id", JET_coltypLong, 0, key),
        column("x", JET_coltypBinary, 255, 0),
        column("y", JET_coltypBinary, 255, 0),
        column("z", JET_coltypBinary, 255, 0),
    };
    if (err >= 0)
        err = create_table(sesid, dbid, "filler", filler, 4, "+id\0", 5);
    JET_COLUMNCREATE state[] = {
        column("id", JET_coltypLong, 0, key),
        column("accounts", JET_coltypLong, 0, JET_bitColumnFixed),
    };
    if (err >= 0)
        err = create_table(sesid, dbid, "state", state, 2, "+id\0", 5);
    return err;
}

static JET_ERR
set(struct tables *t, JET_TABLEID tableid, JET_COLUMNID columnid, const void *pv, uint32_t cb)
{
    return JetSetColumn(t->sesid, tableid, columnid, pv, cb, 0, NULL);
}

static JET_ERR
insert_account(struct tables *t, int32_t id)
{
    const int64_t balance = INITIAL_BALANCE;
    const int32_t version = 0;
    JET_ERR err = JetPrepareUpdate(t->sesid, t->accounts, JET_prepInsert);
    if (err >= 0)
        err = set(t, t->accounts, t->account_id, &id, sizeof id);
    if (err >= 0)
        err = set(t, t->accounts, t->account_balance, &balance, sizeof balance);
    if (err >= 0)
        err = set(t, t->accounts, t->account_version, &version, sizeof version);
    if (err >= 0)
        err = JetUpdate(t->sesid, t->accounts, NULL, 0, NULL);
    return err;
}

/* One row of ballast, about 800 bytes. */
static JET_ERR
insert_filler(struct tables *t, JET_TABLEID filler, const JET_COLUMNID columns[4], int32_t id)
{
    uint8_t bytes[255];
    JET_ERR err = JetPrepareUpdate(t->sesid, filler, JET_prepInsert);
    if (err >= 0)
        err = set(t, filler, columns[0], &id, sizeof id);
    for (int i = 1; i < 4 && err >= 0; i++) {
        memset(bytes, id * 7 + i, sizeof bytes);
        err = set(t, filler, columns[i], bytes, sizeof bytes);
    }
    if (err >= 0)
        err = JetUpdate(t->sesid, filler, NULL, 0, NULL);
    return err;
}

static JET_ERR
fill_ballast(struct tables *t, int mib)
{
    static const char *const names[4] = {"id", "x", "y", "z"};
    JET_TABLEID filler;
    JET_COLUMNID columns[4];
    JET_ERR err = open_table(t, "filler", &filler);
    for (int i = 0; i < 4 && err >= 0; i++)
        err = column_id(t, filler, names[i], &columns[i]);
    const int32_t rows = mib * 1280;
    for (int32_t id = 0; id < rows && err >= 0;) {
        err = JetBeginTransaction(t->sesid);
        for (int n = 0; n < 100 && id < rows && err >= 0; n++)
            err = insert_filler(t, filler, columns, id++);
        if (err >= 0)
            err = JetCommitTransaction(t->sesid, JET_bitCommitLazyFlush);
    }
    return jetload_report("ballast", err);
}

static JET_ERR
fill_accounts(struct tables *t, int accounts)
{
    JET_ERR err = JET_errSuccess;
    for (int32_t id = 0; id < accounts && err >= 0;) {
        err = JetBeginTransaction(t->sesid);
        for (int n = 0; n < 200 && id < accounts && err >= 0; n++)
            err = insert_account(t, id++);
        if (err >= 0)
            err = JetCommitTransaction(t->sesid, JET_bitCommitLazyFlush);
    }
    return jetload_report("accounts", err);
}

/* The row that says the database is complete; its durable commit makes all before durable. */
static JET_ERR
write_state(struct tables *t, int32_t accounts)
{
    const int32_t id = 1;
    JET_ERR err = JetBeginTransaction(t->sesid);
    if (err >= 0)
        err = JetPrepareUpdate(t->sesid, t->state, JET_prepInsert);
    if (err >= 0)
        err = set(t, t->state, t->state_columns[0], &id, sizeof id);
    if (err >= 0)
        err = set(t, t->state, t->state_columns[1], &accounts, sizeof accounts);
    if (err >= 0)
        err = JetUpdate(t->sesid, t->state, NULL, 0, NULL);
    if (err >= 0)
        err = JetCommitTransaction(t->sesid, 0);
    return jetload_report("state", err);
}

JET_ERR
tables_create(const struct store *s, int accounts, int fill_mib)
{
    JET_SESID sesid;
    JET_DBID dbid;
    JET_ERR err =
        jetload_report("JetBeginSession", JetBeginSession(s->instance, &sesid, NULL, NULL));
    if (err < 0)
        return err;
    err = jetload_report("JetOpenDatabase", JetOpenDatabase(sesid, s->path, NULL, &dbid, 0));
    if (err >= 0)
        err = create_tables(sesid, dbid);
    if (err >= 0)
        err = jetload_report("JetCloseDatabase", JetCloseDatabase(sesid, dbid, 0));
    JET_ERR err_end = JetEndSession(sesid, err < 0 ? JET_bitForceSessionClosed : 0);
    if (err < 0 || err_end < 0)
        return err < 0 ? err : jetload_report("JetEndSession", err_end);

    struct tables t;
    err = tables_open(&t, s);
    if (err < 0)
        return err;
    err = fill_accounts(&t, accounts);
    if (err >= 0 && fill_mib != 0)
        err = fill_ballast(&t, fill_mib);
    if (err >= 0)
        err = write_state(&t, accounts);
    tables_close(&t);
    return err;
}

JET_ERR
tables_accounts(struct tables *t, int *n)
{
    const int32_t id = 1;
    int32_t accounts = 0;
    JET_ERR err = tables_seek(t, t->state, &id, sizeof id, NULL, 0);
    if (err >= 0)
        err = tables_get(t, t->state, t->state_columns[1], &accounts, sizeof accounts);
    *n = accounts;
    return err == JET_errRecordNotFound ? JET_errSuccess : jetload_report("state", err);
}

JET_ERR
tables_seek(struct tables *t, JET_TABLEID tableid, const void *a, uint32_t cb_a, const void *b,
            uint32_t cb_b)
{
    JET_ERR err = JetMakeKey(t->sesid, tableid, a, cb_a, JET_bitNewKey);
    if (err >= 0 && b != NULL)
        err = JetMakeKey(t->sesid, tableid, b, cb_b, 0);
    if (err >= 0)
        err = JetSeek(t->sesid, tableid, JET_bitSeekEQ);
    return err;
}

JET_ERR
tables_get(struct tables *t, JET_TABLEID tableid, JET_COLUMNID columnid, void *pv, uint32_t cb)
{
    uint32_t cb_actual = 0;
    memset(pv, 0, cb);
    JET_ERR err = JetRetrieveColumn(t->sesid, tableid, columnid, pv, cb, &cb_actual, 0, NULL);
    return err < 0 ? err : JET_errSuccess;
}

JET_ERR
journal_insert(struct tables *t, int32_t thread, int64_t seq, const struct effect *e)
{
    const uint8_t kind = (uint8_t)e->kind;
    const JET_COLUMNID *c = t->journal_columns;
    JET_SETCOLUMN values[6] = {
        {.columnid = c[0], .pvData = &thread, .cbData = sizeof thread},
        {.columnid = c[1], .pvData = &seq, .cbData = sizeof seq},
        {.columnid = c[2], .pvData = &kind, .cbData = sizeof kind},
        {.columnid = c[3], .pvData = &e->a, .cbData = sizeof e->a},
        {.columnid = c[4], .pvData = &e->b, .cbData = sizeof e->b},
        {.columnid = c[5], .pvData = &e->amount, .cbData = sizeof e->amount},
    };
    JET_ERR err = JetPrepareUpdate(t->sesid, t->journal, JET_prepInsert);
    if (err >= 0)
        err = JetSetColumns(t->sesid, t->journal, values, 6);
    if (err >= 0)
        err = JetUpdate(t->sesid, t->journal, NULL, 0, NULL);
    return err;
}

JET_ERR
journal_get(struct tables *t, int32_t *thread, int64_t *seq, struct effect *e)
{
    uint8_t kind = 0;
    const JET_COLUMNID *c = t->journal_columns;
    JET_ERR err = tables_get(t, t->journal, c[0], thread, sizeof *thread);
    if (err >= 0)
        err = tables_get(t, t->journal, c[1], seq, sizeof *seq);
    if (err >= 0)
        err = tables_get(t, t->journal, c[2], &kind, sizeof kind);
    if (err >= 0)
        err = tables_get(t, t->journal, c[3], &e->a, sizeof e->a);
    if (err >= 0)
        err = tables_get(t, t->journal, c[4], &e->b, sizeof e->b);
    if (err >= 0)
        err = tables_get(t, t->journal, c[5], &e->amount, sizeof e->amount);
    e->kind = (enum kind)kind;
    return err;
}
