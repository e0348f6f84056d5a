/* SPDX-License-Identifier: MIT */
/*
 * files: what Windows wrote is read through the whole engine; what we write is read by outsiders.
 */
#include "tables.h"

#include <sys/wait.h>

#include "edb_walk.h"
#include "table/catalog.h"
#include "table/record.h"
#include "table/schema.h"

/* ---- Windows' files ---- */

struct world_of_theirs {
    struct cache *cache;
    struct dbfile *file;
    struct txn *txn;
    struct btree_db *db;
    struct table_db *tdb;
    struct session *s;
};

static void
open_theirs(struct world_of_theirs *w, const char *path, uint32_t page_bytes)
{
    struct cache_config cfg = {.page_bytes = page_bytes, .frames_max = 300};
    struct txn_config txn_cfg = {.ops = btree_txn_ops()};

    OK(cache_new(&cfg, &w->cache));
    struct dbfile_spec spec = {.cache = w->cache, .path = path, .dbid = 1, .readonly = true};
    OK(dbfile_open(&spec, &w->file));
    OK(txn_new(&txn_cfg, &w->txn));
    OK(space_attach(w->file, w->txn, 64, &w->db));
    OK(table_db_open(w->db, &w->tdb));
    OK(session_new(w->txn, &w->s));
}

static void
close_theirs(struct world_of_theirs *w)
{
    session_free(w->s);
    table_db_close(w->tdb);
    space_detach(w->db);
    txn_free(w->txn);
    dbfile_close(w->file);
    cache_free(w->cache);
}

struct totals {
    uint64_t tables, records, values, long_values;
};

/* Every value of the current record, first value of each column. */
static void
read_record(struct table *t, const struct schema *sc, struct totals *n)
{
    static uint8_t buf[4 << 20];
    uint32_t cb;

    for (guint i = 0; i < sc->columns->len; i++) {
        const struct column *c = sc->columns->pdata[i];
        JET_ERR err = table_retrieve_column(t, c->id, buf, sizeof(buf), &cb, 0, NULL);
        if (err == JET_wrnColumnNull)
            continue;
        if (err == JET_errDecompressionFailed) /* XPRESS9 and younger: not ours */
            continue;
        assert_int_equal(err, JET_errSuccess);
        n->values++;
        n->long_values += cb > 1023;
    }
}

static void
read_table(struct world_of_theirs *w, const struct schema *sc, struct totals *n)
{
    struct table *t;

    OK(table_open(w->s, w->tdb, sc->name, JET_bitTableReadOnly, &t));
    n->tables++;
    for (JET_ERR err = table_move(t, JET_MoveFirst, 0); err >= 0;
         err = table_move(t, JET_MoveNext, 0)) {
        read_record(t, sc, n);
        n->records++;
        if (n->records % 97 == 0 && sc->primary && !sc->primary->foreign_unicode) {
            uint8_t key[KEY_MOST_MAX];
            uint32_t cb;
            OK(table_retrieve_key(t, key, sizeof(key), &cb, 0));
            OK(table_make_key(t, key, cb, JET_bitNormalizedKey | JET_bitNewKey));
            OK(table_seek(t, JET_bitSeekEQ));
        }
    }
    table_close(t);
}

static void
test_files_of_windows_are_read_through_the_engine(void **state)
{
    char **paths = edb_corpus();
    struct totals n = {0};

    if (!paths[0]) {
        print_message("SKIP: no corpus at " CORPUS_DIR "\n");
        g_strfreev(paths);
        skip();
    }
    for (char **p = paths; *p; p++) {
        struct world_of_theirs w;
        struct edb edb;
        GHashTableIter it;
        gpointer sc;

        if (g_str_has_suffix(*p, ".gz"))
            continue;
        print_message("%s\n", *p);
        assert_true(edb_load(*p, &edb));
        open_theirs(&w, *p, edb.page_bytes);
        g_hash_table_iter_init(&it, edb.schemas);
        while (g_hash_table_iter_next(&it, NULL, &sc))
            read_table(&w, sc, &n);
        close_theirs(&w);
        edb_free(&edb);
    }
    print_message("%llu tables, %llu records, %llu values, %llu of them long\n",
                  (unsigned long long)n.tables, (unsigned long long)n.records,
                  (unsigned long long)n.values, (unsigned long long)n.long_values);
    assert_true(n.long_values > 0);
    g_strfreev(paths);
}

/* ---- ours, read by others ---- */

/* Runs a program and gives what it printed; false when it is not there. */
static bool
run(char **out, int *status, ...)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    va_list args;
    char *arg;

    va_start(args, status);
    while ((arg = va_arg(args, char *)))
        g_ptr_array_add(argv, arg);
    va_end(args);
    g_ptr_array_add(argv, NULL);
    if (!g_spawn_sync(NULL, (char **)argv->pdata, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, out, NULL,
                      status, &error)) {
        print_message("SKIP: %s\n", error->message);
        return false;
    }
    return true;
}

static void
mark_clean(struct dbheader *header, void *ctx)
{
    dbheader_set_clean(header);
}

static void
write_file(struct tables *x, int records)
{
    struct table *t = make_items(x, "Items");
    struct table_column_spec col = {.name = "Text", .coltyp = JET_coltypLongText, .cp = 1252};
    struct table_spec spec = {.name = "Notes", .columns = &col, .n_columns = 1};
    struct table *notes;
    char name[32];

    OK(table_create(x->w.s, x->tdb, &spec, &notes));
    for (int i = 0; i < records; i++) {
        JET_SETINFO si = {sizeof(si), 0, 0};
        g_snprintf(name, sizeof(name), "name %d", i);
        insert_item(t, name, i);
        begin(x->w.s);
        OK(table_prepare_update(notes, JET_prepInsert));
        set_text(notes, 256, name);
        OK(table_update(notes, NULL, 0, NULL, 0));
        OK(table_move(t, JET_MoveLast, 0));
        OK(table_prepare_update(t, JET_prepReplace));
        for (int k = 0; k < i % 4; k++)
            OK(table_set_column(t, COL_TAGS, name, (uint32_t)strlen(name), 0, &si));
        OK(table_update(t, NULL, 0, NULL, 0));
        if (i % 5 == 0)
            OK(table_delete_record(t));
        commit(x->w.s);
    }
    table_close(notes);
    table_close(t);
    OK(txn_cleanup(x->w.txn, 0, NULL));
    OK(cache_flush(x->w.file));
    OK(dbfile_header_update(x->w.file, mark_clean, NULL));
}

static void
ask_python(const char *script, const char *path)
{
    g_autofree char *tool = g_build_filename(CORPUS_DIR, "..", "tools", script, NULL);
    g_autofree char *out = NULL;
    int status;

    if (!g_file_test(tool, G_FILE_TEST_EXISTS)) {
        print_message("SKIP: no %s\n", tool);
        return;
    }
    if (!run(&out, &status, "python3", tool, path, NULL))
        return;
    static const char *const complaints[] = {"FAIL",     "BAD",         "Traceback", "leak",
                                             "notowned", "usedInAvail", "child",     "mismatch"};
    bool bad = status != 0;
    for (size_t i = 0; i < G_N_ELEMENTS(complaints); i++)
        bad |= strstr(out, complaints[i]) != NULL;
    if (bad)
        fail_msg("%s: %s", script, out);
}

static void
ask_libesedb(const char *path, uint32_t page_bytes, int records)
{
    g_autofree char *out = NULL, *target = g_strdup_printf("%s.out", path), *dir = NULL,
                    *rows = NULL;
    int status, lines = 0;

    if (!run(&out, &status, "esedbexport", "-t", target, path, NULL))
        return;
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    dir = g_strdup_printf("%s.export", target);
    g_autofree char *items = g_build_filename(dir, "Items.4", NULL);
    assert_true(g_file_get_contents(items, &rows, NULL, NULL));
    for (const char *p = rows; *p; p++)
        lines += *p == '\n';
    assert_int_equal(lines - 1, records - (records + 4) / 5);
    assert_non_null(strstr(rows, "name 7"));
    g_autofree char *quoted = g_shell_quote(dir), *rm = g_strdup_printf("rm -rf %s", quoted);
    assert_int_equal(system(rm), 0);
}

/* ---- theirs, written by us ---- */

/* A table of ours in a copy of their file, and rows in theirs where that is possible. */
static uint32_t
write_into(struct tables *x)
{
    struct table_column_spec text = {.name = "OurText", .coltyp = JET_coltypLongText, .cp = 1252};
    struct table *t = make_items(x, "OurItems");
    uint32_t theirs = 0;
    JET_COLUMNDEF def;
    const char *name;

    for (int i = 0; i < 300; i++)
        insert_item(t, "row of ours in a file of theirs", i);
    table_close(t);
    for (uint32_t objid = 8; objid < 40; objid++) {
        struct schema *sc;
        if (catalog_load(x->w.s, x->tdb, objid, &sc) < 0)
            continue;
        OK(table_open(x->w.s, x->tdb, sc->name, 0, &t));
        bool possible = !sc->secondaries && !sc->primary && !(sc->flags & TABLE_SYSTEM);
        schema_unref(sc);
        if (!possible) {
            table_close(t);
            continue;
        }
        OK(table_add_column(t, &text));
        begin(x->w.s);
        for (int i = 0; i < 300; i++) {
            OK(table_prepare_update(t, JET_prepInsert));
            set_text(t, text.columnid, "their table, our row");
            OK(table_update(t, NULL, 0, NULL, 0));
        }
        commit(x->w.s);
        OK(table_move(t, JET_MoveLast, 0));
        assert_text(t, text.columnid, "their table, our row");
        OK(table_column_at(t, 0, &name, &def));
        table_close(t);
        theirs++;
    }
    OK(txn_cleanup(x->w.txn, 0, NULL));
    OK(cache_flush(x->w.file));
    OK(dbfile_header_update(x->w.file, mark_clean, NULL));
    return theirs;
}

static void
test_files_of_windows_are_written_and_stay_whole(void **state)
{
    static const char *const names[] = {"dissect/basic.edb", "ese_parser/test.edb",
                                        "dissect/default.edb", "dissect/multi.edb",
                                        "ese_parser/decompress_test.edb"};
    uint32_t theirs = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        struct tables x = {0};
        g_autofree char *path = g_build_filename(CORPUS_DIR, names[i], NULL);
        g_autofree char *bytes = NULL;
        gsize len;
        if (!g_file_get_contents(path, &bytes, &len, NULL)) {
            print_message("SKIP: no %s\n", path);
            continue;
        }
        world_begin(&x.w, le32_get(bytes + 236) ? le32_get(bytes + 236) : 4096, 200);
        world_close_db(&x.w); /* its own database makes room for the copy */
        assert_true(g_file_set_contents(x.w.path, bytes, (gssize)len, NULL));
        world_open_db(&x.w, false, x.w.log);
        OK(session_new(x.w.txn, &x.w.s));
        OK(session_new(x.w.txn, &x.s2));
        OK(table_db_open(x.w.db, &x.tdb));
        theirs += write_into(&x);
        ask_python("edb_checksum.py", x.w.path);
        ask_python("edb_structure.py", x.w.path);
        ask_python("edb_rows.py", x.w.path);
        tables_end(&x);
    }
    print_message("%u tables of theirs got rows\n", theirs);
}

static void
ours_is_read(uint32_t page_bytes)
{
    struct tables x;
    enum { RECORDS = 600 };

    tables_begin(&x, page_bytes);
    write_file(&x, RECORDS);
    g_autofree char *path = g_strdup_printf("%s.copy", x.w.path);
    g_autofree char *bytes = NULL;
    gsize len;
    assert_true(g_file_get_contents(x.w.path, &bytes, &len, NULL));
    assert_true(g_file_set_contents(path, bytes, (gssize)len, NULL));
    ask_python("edb_checksum.py", path);
    ask_python("edb_structure.py", path);
    ask_python("edb_rows.py", path);
    ask_libesedb(path, page_bytes, RECORDS);
    tables_end(&x);
}

static void
test_files_of_ours_are_read_by_others_4k(void **state)
{
    ours_is_read(4096);
}

static void
test_files_of_ours_are_read_by_others_8k(void **state)
{
    ours_is_read(8192);
}

static void
test_files_of_ours_are_read_by_others_16k(void **state)
{
    ours_is_read(16384);
}

static void
test_files_of_ours_are_read_by_others_32k(void **state)
{
    ours_is_read(32768);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_of_windows_are_read_through_the_engine),
        cmocka_unit_test(test_files_of_windows_are_written_and_stay_whole),
        cmocka_unit_test(test_files_of_ours_are_read_by_others_4k),
        cmocka_unit_test(test_files_of_ours_are_read_by_others_8k),
        cmocka_unit_test(test_files_of_ours_are_read_by_others_16k),
        cmocka_unit_test(test_files_of_ours_are_read_by_others_32k),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
