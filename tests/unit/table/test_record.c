/* SPDX-License-Identifier: MIT */
/* record: random changes against a model, on every page size; bad bytes; compressed values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "table/record.h"

#define VALUES_MAX 6

/* What a column should hold. */
struct model {
    uint32_t n;
    bool set; /* something is stored */
    GBytes *values[VALUES_MAX];
};

static struct column *
add(struct schema *sc, uint32_t id, JET_COLTYP t, uint32_t cb, uint16_t offset, const char *def)
{
    struct column *c = g_new0(struct column, 1);
    c->id = id;
    c->coltyp = t;
    c->cb_max = cb;
    c->offset = offset;
    c->cp = coltyp_is_text(t) ? 1252 : 0;
    c->name = g_strdup_printf("c%u", id);
    if (def) {
        c->def = g_memdup2(def, strlen(def) + 1);
        c->def_cb = coltyp_size(t) ? coltyp_size(t) : (uint32_t)strlen(def);
    }
    schema_add_column(sc, c);
    return c;
}

static struct schema *
make_schema(void)
{
    struct schema *sc = schema_new();

    add(sc, 1, JET_coltypLong, 4, 4, NULL);
    add(sc, 2, JET_coltypUnsignedByte, 1, 8, "x");
    add(sc, 3, JET_coltypLongLong, 8, 9, NULL);
    add(sc, 5, JET_coltypText, 10, 20, NULL); /* column 4 was deleted */
    for (uint16_t i = 6; i < 20; i++)
        add(sc, i, JET_coltypShort, 2, (uint16_t)(18 + 2 * i), NULL);
    add(sc, 128, JET_coltypText, 255, 0, NULL);
    add(sc, 129, JET_coltypBinary, 255, 0, "default");
    add(sc, 131, JET_coltypText, 255, 0, NULL);
    add(sc, 256, JET_coltypLongText, 0, 0, NULL);
    add(sc, 257, JET_coltypLong, 4, 0, NULL);
    add(sc, 300, JET_coltypText, 255, 0, "tagdef");
    add(sc, 400, JET_coltypLongBinary, 0, 0, NULL);
    assert_int_equal(schema_finish(sc), 0);
    return sc;
}

static GBytes *
random_value(const struct column *c)
{
    uint8_t bytes[600];
    size_t n = column_is_fixed(c) ? column_size(c) : coltyp_size(c->coltyp);

    if (n == 0)
        n = (size_t)rand() % (coltyp_is_long(c->coltyp) ? sizeof(bytes) : 100);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)rand();
    return g_bytes_new(bytes, n);
}

static void
model_clear(struct model *m)
{
    for (uint32_t i = 0; i < m->n; i++)
        g_bytes_unref(m->values[i]);
    *m = (struct model) {0};
}

/* The same change to the model. */
static void
model_set(struct model *m, const struct column *c, uint32_t itag, GBytes *value)
{
    if (!column_is_tagged(c)) {
        model_clear(m);
        m->set = true;
        if (value)
            m->values[m->n++] = g_bytes_ref(value);
    } else if (itag == 0 || itag > m->n) {
        if (value) {
            m->values[m->n++] = g_bytes_ref(value);
            m->set = true;
        }
    } else {
        g_bytes_unref(m->values[itag - 1]);
        if (value) {
            m->values[itag - 1] = g_bytes_ref(value);
        } else {
            m->n--;
            memmove(&m->values[itag - 1], &m->values[itag], (m->n - itag + 1) * sizeof(GBytes *));
            m->set = m->n > 0;
        }
    }
}

static struct span
span_of_bytes(GBytes *b)
{
    gsize n;
    const void *p = g_bytes_get_data(b, &n);
    return span_of(p ? p : "", n);
}

static void
assert_column(const struct recbuf *b, const struct column *c, const struct model *m)
{
    struct rec_value v;

    for (uint32_t i = 0; i < (m->n ? m->n : 1); i++) {
        assert_int_equal(record_get(recbuf_span(b), b->large, c, i + 1, &v), 0);
        if (i < m->n) {
            assert_false(v.null);
            assert_int_equal(v.count, m->n);
            assert_int_equal(span_cmp(v.data, span_of_bytes(m->values[i])), 0);
        } else if (m->set) {
            assert_true(v.null);
        } else if (!v.null) {
            /* not set by us: it came in as the default when a later column was set */
            assert_int_equal(span_cmp(v.data, span_of(c->def, c->def_cb)), 0);
        }
    }
}

static void
random_changes(uint32_t page_bytes)
{
    struct schema *sc = make_schema();
    struct model *models = g_new0(struct model, sc->columns->len);
    struct recbuf b;

    assert_int_equal(recbuf_init(&b, page_bytes, 255), 0);
    for (int step = 0; step < 3000; step++) {
        uint32_t i = (uint32_t)rand() % sc->columns->len;
        const struct column *c = sc->columns->pdata[i];
        uint32_t itag = (uint32_t)rand() % (models[i].n + 2);
        if (models[i].n == VALUES_MAX && itag != 1)
            itag = 1;
        GBytes *value = rand() % 4 ? random_value(c) : NULL;
        uint32_t before = b.len;

        JET_ERR err =
            recbuf_set(&b, sc, c, itag, value ? span_of_bytes(value) : span_of(NULL, 0), false);
        if (err < 0) {
            assert_int_equal(err, JET_errRecordTooBig);
            assert_int_equal(b.len, before);
        } else {
            model_set(&models[i], c, itag, value);
        }
        if (value)
            g_bytes_unref(value);
        assert_int_equal(record_check(recbuf_span(&b), b.large), 0);
        for (uint32_t k = 0; k < sc->columns->len; k++)
            assert_column(&b, sc->columns->pdata[k], &models[k]);
        if (step % 500 == 499) {
            recbuf_reset(&b);
            for (uint32_t k = 0; k < sc->columns->len; k++)
                model_clear(&models[k]);
        }
    }
    for (uint32_t k = 0; k < sc->columns->len; k++)
        model_clear(&models[k]);
    g_free(models);
    recbuf_clear(&b);
    schema_unref(sc);
}

static void
test_record_random_changes_match_the_model(void **state)
{
    srand(7);
    random_changes(4096);
    random_changes(8192);
    random_changes(16384);
    random_changes(32768);
}

static void
test_record_when_too_big_is_unchanged(void **state)
{
    struct schema *sc = make_schema();
    const struct column *c = schema_column(sc, 400);
    struct recbuf b;
    static uint8_t big[4096];

    assert_int_equal(recbuf_init(&b, 4096, 255), 0);
    assert_int_equal(record_max(4096, 255), 3789);
    assert_int_equal(record_max(8192, 255), 7885);
    assert_int_equal(record_max(16384, 255), 16037);
    assert_int_equal(record_max(32768, 255), 32421);
    assert_int_equal(recbuf_set(&b, sc, c, 1, span_of(big, 3789 - 4 - 4 - 1), false), 0);
    assert_int_equal(b.len, 3789);
    assert_int_equal(recbuf_set(&b, sc, c, 1, span_of(big, 3789 - 4 - 4), false),
                     JET_errRecordTooBig);
    assert_int_equal(b.len, 3789);
    recbuf_clear(&b);
    schema_unref(sc);
}

static void
test_record_explicit_null_hides_the_default(void **state)
{
    struct schema *sc = make_schema();
    const struct column *c = schema_column(sc, 300);
    struct rec_value v;

    for (uint32_t page = 4096; page <= 32768; page *= 2) {
        struct recbuf b;
        assert_int_equal(recbuf_init(&b, page, 255), 0);
        assert_int_equal(recbuf_set(&b, sc, c, 1, span_of(NULL, 0), true), 0);
        assert_int_equal(record_get(recbuf_span(&b), b.large, c, 1, &v), 0);
        assert_true(v.null);
        assert_false(v.absent);
        assert_int_equal(recbuf_unset_tagged(&b, c), 0);
        assert_int_equal(record_get(recbuf_span(&b), b.large, c, 1, &v), 0);
        assert_true(v.absent);
        assert_int_equal(b.len, 4);
        recbuf_clear(&b);
    }
    schema_unref(sc);
}

/* No byte of a damaged record makes a reader leave it. ASan is the judge. */
static void
test_record_when_damaged_is_an_error_or_read(void **state)
{
    struct schema *sc = make_schema();
    struct recbuf b;
    struct rec_value v;
    uint32_t id, itag;

    srand(11);
    assert_int_equal(recbuf_init(&b, 4096, 255), 0);
    for (guint i = 0; i < sc->columns->len; i++) {
        GBytes *value = random_value(sc->columns->pdata[i]);
        assert_int_equal(recbuf_set(&b, sc, sc->columns->pdata[i], 0, span_of_bytes(value), false),
                         0);
        recbuf_set(&b, sc, sc->columns->pdata[i], 0, span_of_bytes(value), false);
        g_bytes_unref(value);
    }
    for (int round = 0; round < 20000; round++) {
        uint32_t len = round % 3 ? b.len : (uint32_t)rand() % (b.len + 1);
        uint8_t *copy = g_memdup2(b.data, len ? len : 1);
        for (int flips = rand() % 4; flips >= 0 && len; flips--)
            copy[(uint32_t)rand() % (round % 2 ? len : MIN(len, 160))] = (uint8_t)rand();
        struct span rec = span_of(copy, len);
        for (int large = 0; large < 2; large++) {
            (void)record_check(rec, large);
            for (guint i = 0; i < sc->columns->len; i++)
                if (record_get(rec, large, sc->columns->pdata[i], 1 + round % 3, &v) >= 0 &&
                    v.data.len)
                    assert_in_range(v.data.data - copy, 0, len - v.data.len);
            for (uint32_t i = 0; i < 5; i++)
                (void)record_tagged_at(rec, large, i, &id, &itag, &v);
        }
        g_free(copy);
    }
    recbuf_clear(&b);
    schema_unref(sc);
}

static void
test_record_tagged_at_lists_all_values(void **state)
{
    struct schema *sc = make_schema();
    struct recbuf b;
    struct rec_value v;
    uint32_t id, itag;
    int32_t n = 5;

    assert_int_equal(recbuf_init(&b, 8192, 255), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(recbuf_set(&b, sc, schema_column(sc, 257), 0, span_of(&n, 4), false), 0);
    assert_int_equal(recbuf_set(&b, sc, schema_column(sc, 400), 0, span_of("x", 1), false), 0);
    assert_int_equal(record_tagged_at(recbuf_span(&b), false, 2, &id, &itag, &v), 0);
    assert_int_equal(id, 257);
    assert_int_equal(itag, 3);
    assert_int_equal(record_tagged_at(recbuf_span(&b), false, 3, &id, &itag, &v), 0);
    assert_int_equal(id, 400);
    assert_int_equal(record_tagged_at(recbuf_span(&b), false, 4, &id, &itag, &v),
                     JET_wrnColumnNull);
    recbuf_clear(&b);
    schema_unref(sc);
}

static void
test_record_expand_7bit(void **state)
{
    /* "abc" in 21 bits, LSB first: scheme 1, 5 bits used in the last byte */
    uint32_t bits = 'a' | 'b' << 7 | 'c' << 14, len;
    uint8_t packed[4] = {1 << 3 | 4, (uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16)};
    uint8_t out[16];

    assert_int_equal(record_expand(span_of(packed, 4), out, sizeof(out), &len), 0);
    assert_int_equal(len, 3);
    assert_memory_equal(out, "abc", 3);
    packed[0] = 2 << 3 | 4;
    assert_int_equal(record_expand(span_of(packed, 4), out, 5, &len), 0);
    assert_int_equal(len, 6);
    assert_memory_equal(out, "a\0b\0c", 5);
    packed[0] = 5 << 3;
    assert_int_equal(record_expand(span_of(packed, 4), out, 5, &len), JET_errDecompressionFailed);
    assert_int_equal(record_expand(span_of(packed, 0), out, 5, &len), JET_errDecompressionFailed);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_random_changes_match_the_model),
        cmocka_unit_test(test_record_when_too_big_is_unchanged),
        cmocka_unit_test(test_record_explicit_null_hides_the_default),
        cmocka_unit_test(test_record_when_damaged_is_an_error_or_read),
        cmocka_unit_test(test_record_tagged_at_lists_all_values),
        cmocka_unit_test(test_record_expand_7bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
