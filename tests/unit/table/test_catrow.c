/* SPDX-License-Identifier: MIT */
/* catrow: the rows of a new database are those of Windows' files, byte for byte but for what we
 * chose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "edb_walk.h"
#include "table/catrow.h"

struct real {
    GPtrArray *keys, *data; /* GBytes */
};

static void
collect(void *ctx, struct span key, struct span data)
{
    struct real *r = ctx;
    g_ptr_array_add(r->keys, g_bytes_new(key.data, key.len));
    g_ptr_array_add(r->data, g_bytes_new(data.data, data.len));
}

/* Null slots: Windows leaves 2A in fixed columns that are null, we leave zero. */
static void
blank_nulls(uint8_t *rec, const struct schema *sc)
{
    for (guint i = 0; i < sc->columns->len; i++) {
        const struct column *c = sc->columns->pdata[i];
        uint32_t map = le16_get(rec + 2) - (rec[0] + 7u) / 8;
        if (!column_is_fixed(c) || c->id > rec[0])
            continue;
        if (rec[map + (c->id - 1) / 8] & 1u << (c->id - 1) % 8)
            memset(rec + c->offset, 0, column_size(c));
    }
}

static void
assert_entry(struct real *r, guint i, const struct key *k, const struct recbuf *b,
             const struct schema *sc)
{
    gsize n;
    const void *p = g_bytes_get_data(r->keys->pdata[i], &n);
    assert_int_equal(span_cmp(span_of(p, n), key_span(k)), 0);

    p = g_bytes_get_data(r->data->pdata[i], &n);
    g_autofree uint8_t *theirs = g_memdup2(p, n);
    blank_nulls(theirs, sc);
    assert_int_equal(n, b->len);
    assert_memory_equal(theirs, b->data, n);
}

static bool
load_basic(struct edb *edb)
{
    if (edb_load(CORPUS_DIR "/dissect/basic.edb", edb))
        return true;
    print_message("SKIP: no corpus at " CORPUS_DIR "\n");
    return false;
}

static struct real
read_tree(struct edb *edb, uint32_t pgno)
{
    struct real r = {g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref),
                     g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref)};
    edb_walk(edb, pgno, collect, &r);
    return r;
}

static void
real_free(struct real *r)
{
    g_ptr_array_unref(r->keys);
    g_ptr_array_unref(r->data);
}

static void
test_catrow_bootstrap_rows_are_those_of_windows(void **state)
{
    struct edb edb;
    struct recbuf b;
    struct cat_row row;
    struct key k;
    uint32_t i;

    if (!load_basic(&edb))
        skip();
    struct real r = read_tree(&edb, PGNO_OBJECTS), shadow = read_tree(&edb, PGNO_SHADOW);
    assert_int_equal(recbuf_init(&b, edb.page_bytes, 255), 0);
    for (i = 0; cat_bootstrap_row(i, &row); i++) {
        if (row.objid_table == OBJID_LOCALES && row.type != CAT_COLUMN)
            row.coltyp_or_pgno = 30; /* we put the tree elsewhere */
        assert_int_equal(cat_row_encode(&row, &b), 0);
        cat_row_key(&row, &k);
        assert_entry(&r, i, &k, &b, cat_schema_objects());
        assert_entry(&shadow, i, &k, &b, cat_schema_objects());
    }
    assert_int_equal(i, 72);
    real_free(&r);
    real_free(&shadow);
    recbuf_clear(&b);
    edb_free(&edb);
}

static void
assert_index(struct edb *edb, uint32_t pgno, bool tables_only,
             void (*make)(const struct cat_row *, struct key *))
{
    struct real r = read_tree(edb, pgno);
    uint32_t found = 0;
    struct key k, id;

    for (guint i = 0; i < edb->rows->len; i++) {
        const struct cat_row *row = edb->rows->pdata[i];
        if (tables_only && row->type != CAT_TABLE)
            continue;
        make(row, &k);
        cat_row_key(row, &id);
        GBytes *want = g_bytes_new(k.data, k.len), *want_id = g_bytes_new(id.data, id.len);
        for (guint n = 0; n < r.keys->len; n++)
            if (g_bytes_equal(r.keys->pdata[n], want) && g_bytes_equal(r.data->pdata[n], want_id))
                found++;
        g_bytes_unref(want);
        g_bytes_unref(want_id);
    }
    assert_int_equal(found, r.keys->len);
    real_free(&r);
}

static void
test_catrow_index_keys_are_those_of_windows(void **state)
{
    struct edb edb;

    if (!load_basic(&edb))
        skip();
    assert_index(&edb, PGNO_NAME, false, cat_row_name_key);
    assert_index(&edb, PGNO_ROOTS, true, cat_row_roots_key);
    edb_free(&edb);
}

static void
test_catrow_objids_and_locales_are_those_of_windows(void **state)
{
    struct edb edb;
    struct recbuf b;
    struct key k;
    JET_ERR err;
    uint32_t i;
    static const uint32_t fresh[][3] = {{2, 2, 1}, {3, 3, 1}, {4, 2, 3},
                                        {5, 2, 3}, {6, 6, 1}, {7, 7, 1}};

    if (!load_basic(&edb))
        skip();
    assert_int_equal(recbuf_init(&b, edb.page_bytes, 255), 0);
    struct real r = read_tree(&edb, 29);
    for (i = 0; i < G_N_ELEMENTS(fresh); i++) {
        assert_int_equal(cat_objid_encode(fresh[i][0], fresh[i][1], fresh[i][2], &b, &k), 0);
        assert_entry(&r, i, &k, &b, cat_schema_objids());
    }
    real_free(&r);
    r = read_tree(&edb, 30);
    for (i = 0; cat_locale_row(i, &b, &k, &err); i++) {
        assert_int_equal(err, 0);
        bool found = false;
        for (guint n = 0; n < r.keys->len; n++) {
            gsize len;
            const void *p = g_bytes_get_data(r.keys->pdata[n], &len);
            if (span_cmp(span_of(p, len), key_span(&k)) == 0) {
                assert_entry(&r, n, &k, &b, cat_schema_locales());
                found = true;
            }
        }
        assert_true(found);
    }
    assert_int_equal(i, 7);
    real_free(&r);
    recbuf_clear(&b);
    edb_free(&edb);
}

/* Every row of every file, written again: only nulls' filler and columns we do not know differ. */
static void
test_catrow_encode_of_decoded_rows_is_the_row(void **state)
{
    struct edb edb;
    struct recbuf b;
    uint32_t n = 0;

    if (!load_basic(&edb))
        skip();
    struct real r = read_tree(&edb, PGNO_OBJECTS);
    assert_int_equal(recbuf_init(&b, edb.page_bytes, 255), 0);
    for (guint i = 0; i < edb.rows->len; i++, n++) {
        struct key k;
        assert_int_equal(cat_row_encode(edb.rows->pdata[i], &b), 0);
        cat_row_key(edb.rows->pdata[i], &k);
        assert_entry(&r, i, &k, &b, cat_schema_objects());
    }
    assert_true(n > 72);
    real_free(&r);
    recbuf_clear(&b);
    edb_free(&edb);
}

static void
test_catrow_column_and_index_survive_a_round(void **state)
{
    struct column *c = g_new0(struct column, 1);
    struct index ix = {.objid = 8,
                       .pgno_fdp = 35,
                       .flags = INDEX_PRIMARY | INDEX_UNIQUE | INDEX_EXTENDED,
                       .key_most = 100,
                       .density = 80,
                       .n_segments = 2,
                       .segments = {{1, SEGMENT_DESCENDING}, {128, 0}}};
    struct schema *sc = schema_new();
    struct recbuf b;
    struct cat_row row;
    uint8_t fids[64];

    ix.name = (char *)"Primary";
    *c = (struct column) {
        .id = 1, .coltyp = JET_coltypLong, .cb_max = 4, .offset = 4, .flags = COLUMN_AUTOINC};
    c->name = g_strdup("A");
    assert_int_equal(recbuf_init(&b, 4096, 255), 0);
    cat_row_of_column(c, 8, &row);
    assert_int_equal(cat_row_encode(&row, &b), 0);
    assert_int_equal(cat_row_decode(recbuf_span(&b), false, &row), 0);
    assert_int_equal(cat_row_to_schema(&row, sc), 0);
    row.id = 128;
    row.flags = 0;
    row.coltyp_or_pgno = JET_coltypText;
    strcpy(row.name, "B");
    assert_int_equal(cat_row_to_schema(&row, sc), 0);
    cat_row_of_index(&ix, 8, fids, &row);
    assert_int_equal(cat_row_encode(&row, &b), 0);
    assert_int_equal(cat_row_decode(recbuf_span(&b), false, &row), 0);
    assert_int_equal(cat_row_to_schema(&row, sc), 0);
    assert_int_equal(schema_finish(sc), 0);
    assert_ptr_equal(sc->autoinc, schema_column_named(sc, "a"));
    assert_int_equal(sc->primary->key_most, 100);
    assert_int_equal(sc->primary->segments[0].flags, SEGMENT_DESCENDING);
    assert_int_equal(sc->primary->segments[1].column, 128);
    column_free(c);
    recbuf_clear(&b);
    schema_unref(sc);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_catrow_bootstrap_rows_are_those_of_windows),
        cmocka_unit_test(test_catrow_index_keys_are_those_of_windows),
        cmocka_unit_test(test_catrow_objids_and_locales_are_those_of_windows),
        cmocka_unit_test(test_catrow_encode_of_decoded_rows_is_the_row),
        cmocka_unit_test(test_catrow_column_and_index_survive_a_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
