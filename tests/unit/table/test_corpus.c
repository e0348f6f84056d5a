/* SPDX-License-Identifier: MIT */
/* corpus: every catalog row and every record that Windows wrote decodes, and gives its own key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "edb_walk.h"
#include "table/catrow.h"
#include "table/key.h"
#include "table/record.h"

struct count {
    struct edb *edb;
    const struct schema *sc;
    struct recbuf buf;
    uint64_t records, values, keys, expanded, foreign, copies;
};

/* Does the primary key hold a segment that we cannot make? */
static bool
key_is_ours(const struct schema *sc)
{
    return sc->primary && !sc->primary->foreign_unicode;
}

/* A record of 65,000 columns takes as long as all records of the other tables: one is enough. */
static bool
wide(const struct schema *sc)
{
    return sc->columns->len > 1000;
}

static void
one_record(void *ctx, struct span key, struct span data)
{
    struct count *n = ctx;
    struct rec_value v;
    struct key own;
    uint8_t out[70000];
    uint32_t len;

    n->records++;
    assert_true(record_check(data, n->edb->large) >= 0);
    guint columns = wide(n->sc) && n->copies++ > 0 ? 0 : n->sc->columns->len;
    for (guint i = 0; i < columns; i++) {
        const struct column *c = n->sc->columns->pdata[i];
        assert_true(record_get(data, n->edb->large, c, 1, &v) >= 0);
        if (v.null)
            continue;
        n->values++;
        if (v.compressed && !v.separated) {
            assert_true(record_expand(v.data, out, sizeof(out), &len) >= 0);
            n->expanded++;
        }
        if (coltyp_size(c->coltyp) && !v.compressed)
            assert_int_equal(v.data.len, coltyp_size(c->coltyp));
    }
    if (!n->sc->primary) {
        assert_int_equal(key.len, 4);
    } else if (!key_is_ours(n->sc)) {
        n->foreign++;
    } else {
        assert_true(key_of_record(&own, n->sc, n->sc->primary, data, n->edb->large, NULL) >= 0);
        assert_int_equal(span_cmp(key, key_span(&own)), 0);
        n->keys++;
    }
}

/* Takes a record apart and sets every value again: nothing a reader sees may change. */
static void
rebuild_record(void *ctx, struct span key, struct span data)
{
    struct count *n = ctx;
    struct rec_value v, w;

    if (n->copies++ >= (wide(n->sc) ? 1 : 500))
        return;
    assert_true(recbuf_load(&n->buf, data) >= 0);
    for (guint i = 0; i < n->sc->columns->len; i++) {
        const struct column *c = n->sc->columns->pdata[i];
        assert_true(record_get(data, n->edb->large, c, 1, &v) >= 0);
        if (v.null || v.separated || v.compressed)
            continue;
        assert_true(recbuf_set(&n->buf, n->sc, c, 1, v.data, false) >= 0);
        assert_true(record_check(recbuf_span(&n->buf), n->edb->large) >= 0);
    }
    for (guint i = 0; i < n->sc->columns->len; i++) {
        const struct column *c = n->sc->columns->pdata[i];
        for (uint32_t tag = 1; tag < 4; tag++) {
            assert_true(record_get(data, n->edb->large, c, tag, &v) >= 0);
            assert_true(record_get(recbuf_span(&n->buf), n->edb->large, c, tag, &w) >= 0);
            assert_int_equal(v.null, w.null);
            assert_int_equal(v.count, w.count);
            assert_int_equal(v.separated, w.separated);
            assert_int_equal(v.compressed, w.compressed);
            assert_int_equal(span_cmp(v.data, w.data), 0);
        }
    }
}

static void
for_each_table(void (*fn)(void *, struct span, struct span), struct count *total)
{
    char **paths = edb_corpus();
    struct edb edb;
    GHashTableIter it;
    gpointer sc;

    if (!paths[0]) {
        print_message("SKIP: no corpus at " CORPUS_DIR "\n");
        g_strfreev(paths);
        skip();
    }
    for (char **p = paths; *p; p++) {
        print_message("%s\n", *p);
        assert_true(edb_load(*p, &edb));
        total->edb = &edb;
        g_hash_table_iter_init(&it, edb.schemas);
        while (g_hash_table_iter_next(&it, NULL, &sc)) {
            total->sc = sc;
            total->copies = 0;
            if (total->sc->flags & TABLE_DERIVED)
                continue;
            assert_true(recbuf_init(&total->buf, edb.page_bytes, 4) >= 0);
            edb_walk(&edb, total->sc->pgno_fdp, fn, total);
            recbuf_clear(&total->buf);
        }
        edb_free(&edb);
    }
    g_strfreev(paths);
}

static void
test_corpus_records_decode_and_give_their_keys(void **state)
{
    struct count n = {0};

    for_each_table(one_record, &n);
    print_message("%llu records, %llu values, %llu keys equal, %llu expanded, %llu foreign keys\n",
                  (unsigned long long)n.records, (unsigned long long)n.values,
                  (unsigned long long)n.keys, (unsigned long long)n.expanded,
                  (unsigned long long)n.foreign);
    assert_true(n.records > 100000);
    assert_true(n.keys > 100000);
    assert_true(n.expanded > 0);
}

static void
test_corpus_records_set_again_read_the_same(void **state)
{
    struct count n = {0};
    for_each_table(rebuild_record, &n);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corpus_records_decode_and_give_their_keys),
        cmocka_unit_test(test_corpus_records_set_again_read_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
