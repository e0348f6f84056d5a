/* SPDX-License-Identifier: MIT */
/*
 * fuzz_row: a record of any bytes is refused or can be read, made into keys and changed; what
 * changes make of it is a record again. Any row of the catalog is refused or becomes part of a
 * schema.
 *
 * Input: u8 (1: large pages; 2: as packed data), then the record.
 */
#include <string.h>

#include "fuzz.h"
#include "table/catrow.h"
#include "table/key.h"
#include "table/record.h"

static volatile uint32_t sink;

static void
touch(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        sink += s.data[i];
}

static void
read_record(struct span rec, bool large)
{
    const struct schema *sc = cat_schema_objects();
    struct rec_value v;
    for (uint32_t i = 0; i < sc->columns->len; i++) {
        for (uint32_t itag = 1; itag < 4; itag++)
            if (record_get(rec, large, sc->columns->pdata[i], itag, &v) >= 0)
                touch(v.data);
    }
    uint32_t columnid, itag;
    for (uint32_t i = 0; record_tagged_at(rec, large, i, &columnid, &itag, &v) == JET_errSuccess;
         i++) {
        FUZZ_HOLDS(i < 0x10000);
        touch(v.data);
    }
    for (uint32_t i = 0; i < sc->indexes->len; i++) {
        static struct key key;
        uint32_t nulls;
        struct index *ix = sc->indexes->pdata[i];
        key = (struct key) {0};
        if (key_of_record(&key, sc, ix, rec, large, &nulls) >= 0)
            FUZZ_HOLDS(key.len <= ix->key_most);
    }
}

static void
change_record(struct span rec, bool large)
{
    const struct schema *sc = cat_schema_objects();
    struct recbuf b;
    FUZZ_HOLDS(recbuf_init(&b, large ? 32768 : 4096, 255) >= 0);
    for (uint32_t i = 0; i < sc->columns->len; i++) {
        const struct column *c = sc->columns->pdata[i];
        if (recbuf_load(&b, rec) < 0)
            break;
        uint32_t n = c->cb_max && c->cb_max < 16 ? c->cb_max : 16;
        (void)recbuf_set(&b, sc, c, 1, span_of("0123456789abcdef", n), false);
        FUZZ_HOLDS(record_check(recbuf_span(&b), large) >= 0);
        (void)recbuf_set(&b, sc, c, 1, span_of(NULL, 0), false);
        FUZZ_HOLDS(record_check(recbuf_span(&b), large) >= 0);
    }
    recbuf_clear(&b);
}

static void
read_catalog_row(struct span rec, bool large)
{
    struct cat_row row;
    if (cat_row_decode(rec, large, &row) < 0)
        return;
    FUZZ_HOLDS(memchr(row.name, 0, sizeof(row.name)) != NULL);
    touch(row.def);
    touch(row.key_fids);
    static struct key key;
    key = (struct key) {0};
    cat_row_key(&row, &key);
    key = (struct key) {0};
    cat_row_name_key(&row, &key);
    struct schema *sc = schema_new();
    if (cat_row_to_schema(&row, sc) >= 0)
        sink += schema_finish(sc) < 0;
    schema_unref(sc);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 1 || len > 32768)
        return 0;
    bool large = data[0] & 1;
    struct span rec = span_of(data + 1, len - 1);
    if (data[0] & 2) {
        uint8_t out[256];
        uint32_t n;
        (void)record_expand(rec, out, sizeof(out), &n);
        return 0;
    }
    read_catalog_row(rec, large);
    read_record(rec, large);
    if (record_check(rec, large) >= 0)
        change_record(rec, large);
    return 0;
}

/* The rows every database is born with, in both layouts, and packed text. */
bool
fuzz_seed(unsigned i, GByteArray *out)
{
    static const uint8_t packed[][12] = {
        {2, 0x0a, 0x61, 0xf1, 0x18},
        {2, 0x10, 0x61, 0xf1, 0x18},
        {2, 0x18, 4, 0, 0xff, 0xff, 0xff, 0x1f, 'a', 'b', 'c', 'd'}};
    if (i < G_N_ELEMENTS(packed)) {
        g_byte_array_append(out, packed[i], sizeof(packed[i]));
        return true;
    }
    i -= G_N_ELEMENTS(packed);
    uint8_t large = i & 1;
    struct cat_row row;
    struct recbuf b;
    if (i >= 60 || !cat_bootstrap_row(i / 2 * 3, &row))
        return false;
    FUZZ_HOLDS(recbuf_init(&b, large ? 32768 : 4096, 255) >= 0);
    FUZZ_HOLDS(cat_row_encode(&row, &b) >= 0);
    g_byte_array_append(out, &large, 1);
    g_byte_array_append(out, recbuf_span(&b).data, (guint)recbuf_span(&b).len);
    recbuf_clear(&b);
    return true;
}
