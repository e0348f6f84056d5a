/* SPDX-License-Identifier: MIT */
/*
 * snapshot_threads: freezes and thaws while threads commit. In each freeze the files are copied
 * with plain reads, twice: nothing may have changed in between. The copy recovers in place of the
 * original and holds exactly what was committed before the freeze. JETFS_ROUNDS sets the length.
 */
#include <stdlib.h>

#include "fixture.h"

#define THREADS 4

struct writer {
    struct fixture *f;
    GThread *thread;
    int32_t first;       /* keys first, first + THREADS, ... */
    int lazy;            /* every so many commits are lazy */
    gint started, acked; /* atomic: transactions; an acknowledged one was committed */
    gint *stop;
};

static void
write_one(JET_SESID ses, JET_TABLEID table, const JET_COLUMNDEF *id, int32_t key, JET_GRBIT grbit)
{
    ok(JetBeginTransaction(ses));
    ok(JetPrepareUpdate(ses, table, JET_prepInsert));
    char name[90];
    memset(name, 'x', sizeof name);
    ok(JetSetColumn(ses, table, id[0].columnid, &key, sizeof key, 0, NULL));
    ok(JetSetColumn(ses, table, id[1].columnid, name, sizeof name, 0, NULL));
    ok(JetUpdate(ses, table, NULL, 0, NULL));
    ok(JetCommitTransaction(ses, grbit));
}

static void *
writer_main(void *arg)
{
    struct writer *w = arg;
    JET_COLUMNDEF id[2] = {{.cbStruct = sizeof *id}, {.cbStruct = sizeof *id}};
    JET_SESID ses;
    JET_DBID db;
    JET_TABLEID table;
    ok(JetBeginSession(w->f->inst, &ses, NULL, NULL));
    ok(JetOpenDatabase(ses, w->f->db_path, NULL, &db, 0));
    ok(JetOpenTable(ses, db, "Items", NULL, 0, 0, &table));
    ok(JetGetTableColumnInfo(ses, table, "Id", &id[0], sizeof *id, JET_ColInfo));
    ok(JetGetTableColumnInfo(ses, table, "Name", &id[1], sizeof *id, JET_ColInfo));
    for (int32_t i = 0; !g_atomic_int_get(w->stop); i++) {
        g_atomic_int_inc(&w->started);
        write_one(ses, table, id, w->first + i * THREADS,
                  i % 3 == w->lazy ? JET_bitCommitLazyFlush : 0);
        g_atomic_int_inc(&w->acked);
    }
    ok(JetEndSession(ses, 0));
    return NULL;
}

static gint
sum_started(struct writer *writers)
{
    gint n = 0;
    for (int i = 0; i < THREADS; i++)
        n += g_atomic_int_get(&writers[i].started);
    return n;
}

/* Until no thread gets any further: each waits for its commit to be durable. */
static void
wait_until_still(struct writer *writers)
{
    gint64 until = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    gint before = -1, now = sum_started(writers);
    for (int same = 0; same < 20 && g_get_monotonic_time() < until; before = now) {
        g_usleep(1000);
        now = sum_started(writers);
        same = now == before ? same + 1 : 0;
    }
}

/* All files of the directory, as one text per name. */
static GHashTable *
read_all(const char *dir)
{
    GHashTable *all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (void *)g_bytes_unref);
    GDir *d = g_dir_open(dir, 0, NULL);
    for (const char *name; (name = g_dir_read_name(d));) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        char *data;
        gsize len;
        assert_true(g_file_get_contents(path, &data, &len, NULL));
        g_hash_table_insert(all, g_strdup(name), g_bytes_new_take(data, len));
    }
    g_dir_close(d);
    return all;
}

static void
assert_same(GHashTable *a, GHashTable *b)
{
    GHashTableIter at;
    void *name, *bytes;
    assert_int_equal(g_hash_table_size(a), g_hash_table_size(b));
    g_hash_table_iter_init(&at, a);
    while (g_hash_table_iter_next(&at, &name, &bytes)) {
        GBytes *other = g_hash_table_lookup(b, name);
        if (!other || !g_bytes_equal(bytes, other))
            fail_msg("%s was written to during the freeze", (char *)name);
    }
}

static void
write_all(GHashTable *all, const char *dir)
{
    GHashTableIter at;
    void *name, *bytes;
    g_hash_table_iter_init(&at, all);
    while (g_hash_table_iter_next(&at, &name, &bytes)) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        gsize len;
        const char *data = g_bytes_get_data(bytes, &len);
        assert_true(g_file_set_contents(path, data, (gssize)len, NULL));
    }
}

struct seen {
    GHashTable *files;
    gint acked[THREADS];   /* before the freeze: must be there */
    gint started[THREADS]; /* after it: cannot be there beyond these */
};

static void
freeze_once(struct writer *writers, struct seen *seen)
{
    JET_OSSNAPID id;
    JET_INSTANCE_INFO_A *info;
    uint32_t n;
    for (int i = 0; i < THREADS; i++)
        seen->acked[i] = g_atomic_int_get(&writers[i].acked);
    ok(JetOSSnapshotPrepare(&id, 0));
    ok(JetOSSnapshotFreeze(id, &n, &info, 0));
    for (int i = 0; i < THREADS; i++)
        seen->started[i] = g_atomic_int_get(&writers[i].started);
    ok(JetFreeBuffer((char *)info));
    seen->files = read_all(writers[0].f->dir);
    wait_until_still(writers);
    g_autoptr(GHashTable) again = read_all(writers[0].f->dir);
    assert_same(seen->files, again);
    ok(JetOSSnapshotThaw(id, 0));
}

/* The keys in the table: per writer 0 .. k-1 without a gap, k between the two bounds. */
static void
check(struct fixture *f, const struct seen *seen)
{
    JET_COLUMNDEF id = {.cbStruct = sizeof id};
    JET_TABLEID table;
    gint count[THREADS] = {0};
    ok(JetOpenTable(f->ses, f->db, "Items", NULL, 0, 0, &table));
    ok(JetGetTableColumnInfo(f->ses, table, "Id", &id, sizeof id, JET_ColInfo));
    for (JET_ERR err = JetMove(f->ses, table, JET_MoveFirst, 0); err >= 0;
         err = JetMove(f->ses, table, JET_MoveNext, 0)) {
        int32_t key;
        ok(JetRetrieveColumn(f->ses, table, id.columnid, &key, sizeof key, NULL, 0, NULL));
        assert_int_equal(key / THREADS, count[key % THREADS]);
        count[key % THREADS]++;
    }
    for (int i = 0; i < THREADS; i++) {
        if (count[i] < seen->acked[i] || count[i] > seen->started[i])
            fail_msg("writer %d: %d rows; %d were committed before the freeze, %d begun in it", i,
                     count[i], seen->acked[i], seen->started[i]);
    }
    ok(JetCloseTable(f->ses, table));
}

static void
test_each_freeze_recovers_to_its_moment(void **state)
{
    struct fixture *f = *state;
    const char *text = g_getenv("JETFS_ROUNDS");
    int rounds = text ? atoi(text) : 8;
    struct writer writers[THREADS];
    gint stop = 0;
    JET_COLUMNID id, name;
    ok(JetCloseTable(f->ses, make_items(f, &id, &name)));
    g_autofree struct seen *seen = g_new0(struct seen, (gsize)rounds);
    for (int i = 0; i < THREADS; i++) {
        writers[i] = (struct writer) {.f = f, .first = i, .lazy = i % 3, .stop = &stop};
        writers[i].thread = g_thread_new("writer", writer_main, &writers[i]);
    }
    for (int i = 0; i < rounds; i++) {
        gint from = sum_started(writers);
        gint64 until = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
        while (sum_started(writers) < from + 200 && g_get_monotonic_time() < until)
            g_usleep(1000);
        freeze_once(writers, &seen[i]);
    }
    g_atomic_int_set(&stop, 1);
    for (int i = 0; i < THREADS; i++)
        g_thread_join(writers[i].thread);
    fixture_stop(f);

    for (int i = 0; i < rounds; i++) {
        remove_tree(f->dir);
        assert_int_equal(g_mkdir(f->dir, 0700), 0);
        write_all(seen[i].files, f->dir);
        fixture_start(f); /* recovers */
        ok(JetAttachDatabase(f->ses, f->db_path, 0));
        ok(JetOpenDatabase(f->ses, f->db_path, NULL, &f->db, 0));
        check(f, &seen[i]);
        fixture_stop(f);
        g_hash_table_unref(seen[i].files);
    }
}

struct termer {
    JET_INSTANCE inst;
    gint done;
};

static void *
term_main(void *arg)
{
    struct termer *t = arg;
    ok(JetTerm(t->inst));
    g_atomic_int_set(&t->done, 1);
    return NULL;
}

/* JetTerm waits for the thaw; nobody is let in meanwhile. */
static void
test_term_waits_for_the_thaw(void **state)
{
    struct fixture *f = *state;
    struct termer t = {.inst = f->inst};
    JET_OSSNAPID id;
    JET_INSTANCE_INFO_A *info;
    uint32_t n;
    ok(JetOSSnapshotPrepare(&id, 0));
    ok(JetOSSnapshotFreeze(id, &n, &info, 0));
    ok(JetFreeBuffer((char *)info));
    GThread *thread = g_thread_new("term", term_main, &t);
    gint64 until = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    while (JetBeginExternalBackupInstance(f->inst, 0) != JET_errTermInProgress &&
           g_get_monotonic_time() < until)
        g_usleep(1000);
    assert_int_equal(g_atomic_int_get(&t.done), 0);
    ok(JetOSSnapshotThaw(id, 0));
    g_thread_join(thread);
    assert_int_equal(t.done, 1);
    f->inst = 0;
}

/* Writers that wait in a freeze go on by themselves when nobody thaws it. */
static void
test_timeout_lets_writers_go_on(void **state)
{
    struct fixture *f = *state;
    JET_OSSNAPID id;
    JET_INSTANCE_INFO_A *info;
    JET_COLUMNID column, name;
    uint32_t n;
    JET_TABLEID table = make_items(f, &column, &name);
    ok(JetSetSystemParameter(&f->inst, 0, JET_paramOSSnapshotTimeout, 100, NULL));
    ok(JetOSSnapshotPrepare(&id, 0));
    ok(JetOSSnapshotFreeze(id, &n, &info, 0));
    ok(JetFreeBuffer((char *)info));
    ok(JetBeginTransaction(f->ses));
    insert_item(f, table, column, name, 1, "x");
    ok(JetCommitTransaction(f->ses, 0)); /* waits until the time-out */
    assert_int_equal(JetOSSnapshotThaw(id, 0), JET_errOSSnapshotTimeOut);
}

/* A cache so small that pages are written all the time. */
static int
setup(void **state)
{
    ok(JetSetSystemParameter(NULL, 0, JET_paramCacheSizeMax, 64, NULL));
    return fixture_setup(state);
}

#define IN_FIXTURE(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FIXTURE(test_each_freeze_recovers_to_its_moment),
        IN_FIXTURE(test_term_waits_for_the_thaw),
        IN_FIXTURE(test_timeout_lets_writers_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
