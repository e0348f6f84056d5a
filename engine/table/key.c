/* SPDX-License-Identifier: MIT */
#include "table/key.h"

#include "table/record.h"

#define PREFIX_DATA      0x7f
#define PREFIX_EMPTY     0x40
#define PREFIX_NULL      0x00
#define PREFIX_NULL_HIGH 0xc0
#define GROUP            8u /* bytes of variable binary between two markers */
#define GROUP_MORE       9u

const uint8_t key_unicode_version[8] = {'J', 'E', 'T', 'F', 1, 0, 0, 0};
const uint8_t key_unicode_sortid[16] = {'j',  'e', 't', 'f', 's', 0,   0x40, 0,
                                        0x80, 'u', 't', 'f', '1', '6', 'b',  'e'};

/* Where a segment is made; put() drops and remembers what has no room. */
struct seg {
    struct key *key;
    uint32_t most;
};

static void
put(struct seg *s, uint8_t byte)
{
    if (s->key->len < s->most)
        s->key->data[s->key->len++] = byte;
    else
        s->key->cut = true;
}

static void
put_number(struct seg *s, struct span v, uint8_t flip_top)
{
    for (size_t i = v.len; i-- > 0; flip_top = 0)
        put(s, v.data[i] ^ flip_top);
}

static void
put_float(struct seg *s, struct span v)
{
    bool negative = v.data[v.len - 1] & 0x80;

    for (size_t i = v.len; i-- > 0;)
        put(s, negative ? (uint8_t)~v.data[i] : v.data[i] ^ (i == v.len - 1 ? 0x80 : 0));
}

static void
put_guid(struct seg *s, struct span v, bool dotnet)
{
    static const uint8_t windows[16] = {10, 11, 12, 13, 14, 15, 8, 9, 6, 7, 4, 5, 0, 1, 2, 3};
    static const uint8_t net[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

    for (int i = 0; i < 16; i++)
        put(s, v.data[dotnet ? net[i] : windows[i]]);
}

static void
put_binary(struct seg *s, struct span v)
{
    for (size_t i = 0; i < v.len; i += GROUP) {
        size_t n = v.len - i < GROUP ? v.len - i : GROUP;
        for (size_t k = 0; k < GROUP; k++)
            put(s, k < n ? v.data[i + k] : 0);
        put(s, v.len - i > GROUP ? GROUP_MORE : (uint8_t)n);
    }
}

static uint8_t
upper(uint8_t ch)
{
    return ch >= 'a' && ch <= 'z' ? (uint8_t)(ch - 32) : ch;
}

/*
 * 1252. Text that does not fit with its end mark loses the mark, and the last character that fits
 * is lowered by 32 whatever it is: a quirk of ESE's that keys on disk have.
 */
static void
put_text(struct seg *s, struct span v)
{
    const uint8_t *nul = v.len ? memchr(v.data, 0, v.len) : NULL;
    size_t n = nul ? (size_t)(nul - v.data) : v.len;
    size_t room = s->most - s->key->len;

    if (n + 1 <= room) {
        for (size_t i = 0; i < n; i++)
            put(s, upper(v.data[i]));
        put(s, 0);
        return;
    }
    for (size_t i = 0; i < room; i++)
        put(s, i + 1 < room ? upper(v.data[i]) : (uint8_t)(v.data[i] - 32));
    s->key->cut = true;
}

static void
put_unicode(struct seg *s, struct span v)
{
    for (size_t i = 0; i + 1 < v.len; i += 2) {
        uint16_t unit = le16_get(v.data + i);
        if (unit == 0)
            break;
        if (unit < 0x80)
            unit = upper((uint8_t)unit);
        put(s, (uint8_t)(unit >> 8));
        put(s, (uint8_t)unit);
    }
    put(s, 0);
    put(s, 0);
}

static void
put_body(struct seg *s, const struct index *ix, const struct column *c, struct span v)
{
    switch (c->coltyp) {
    case JET_coltypBit:
        put(s, v.data[0] ? 0xff : 0);
        break;
    case JET_coltypShort:
    case JET_coltypLong:
    case JET_coltypCurrency:
    case JET_coltypLongLong:
        put_number(s, v, 0x80);
        break;
    case JET_coltypIEEESingle:
    case JET_coltypIEEEDouble:
    case JET_coltypDateTime:
        put_float(s, v);
        break;
    case JET_coltypGUID:
        put_guid(s, v, ix->flags & INDEX_DOTNET_GUID);
        break;
    case JET_coltypBinary:
    case JET_coltypLongBinary:
        if (column_is_fixed(c))
            for (size_t i = 0; i < v.len; i++)
                put(s, v.data[i]);
        else
            put_binary(s, v);
        break;
    case JET_coltypText:
    case JET_coltypLongText:
        if (c->cp == 1200)
            put_unicode(s, v);
        else
            put_text(s, v);
        break;
    default:
        put_number(s, v, 0);
        break;
    }
}

static bool
is_variable(const struct column *c)
{
    return (coltyp_is_text(c->coltyp) || coltyp_is_binary(c->coltyp)) && !column_is_fixed(c);
}

static void
complement(struct key *k, uint32_t from)
{
    for (uint32_t i = from; i < k->len; i++)
        k->data[i] = (uint8_t)~k->data[i];
}

JET_ERR
key_append(struct key *k, const struct index *ix, const struct column *c, bool descending,
           struct span value)
{
    struct seg s = {k, ix->key_most};
    uint32_t from = k->len, size = coltyp_size(c->coltyp);

    if (coltyp_is_text(c->coltyp) && c->cp == 1200 && ix->foreign_unicode)
        return JET_errLanguageNotSupported;
    if (value.data && size && value.len != size)
        return JET_errDatabaseCorrupted;
    if (k->cut)
        return JET_errSuccess;
    if (ix->var_seg_mac && is_variable(c) && from + ix->var_seg_mac < s.most)
        s.most = from + ix->var_seg_mac;
    if (!value.data) {
        put(&s, ix->flags & INDEX_NULLS_HIGH ? PREFIX_NULL_HIGH : PREFIX_NULL);
    } else if (value.len == 0) {
        put(&s, PREFIX_EMPTY);
    } else {
        put(&s, PREFIX_DATA);
        put_body(&s, ix, c, value);
    }
    if (s.most < ix->key_most)
        k->cut = false; /* the segment was cut, the key goes on */
    if (descending)
        complement(k, from);
    return JET_errSuccess;
}

void
key_limit(struct key *k, const struct index *ix, const struct column *c, uint32_t from,
          bool descending, struct span value, bool partial, bool end)
{
    if (partial && is_variable(c) && value.data && value.len && !k->cut) {
        uint32_t keep = k->len - (c->cp == 1200 ? 2 : 1);
        if (coltyp_is_binary(c->coltyp))
            keep = from + 1 + (uint32_t)(value.len + (value.len - 1) / GROUP);
        if (keep < k->len)
            k->len = keep;
    }
    (void)descending; /* the marks were complemented in place: they go all the same */
    if (!end)
        return;
    while (k->len < ix->key_most + 1)
        k->data[k->len++] = 0xff;
}

/* The first value of a column, expanded into room if it is compressed. */
static JET_ERR
segment_value(const struct column *c, struct span rec, bool large, uint8_t *room, uint32_t cap,
              struct span *value)
{
    struct rec_value v;
    uint32_t len;

    JET_ERR err = record_get(rec, large, c, 1, &v);
    if (err < 0)
        return err;
    *value = v.data;
    if (v.absent && c->def)
        *value = span_of(c->def, c->def_cb);
    else if (v.null)
        *value = span_of(NULL, 0);
    else if (v.separated)
        return JET_errFeatureNotAvailable;
    else if (v.data.len == 0)
        *value = span_of(room, 0);
    if (v.compressed && !v.null) {
        err = record_expand(v.data, room, cap, &len);
        *value = span_of(room, len < cap ? len : cap);
    }
    return err;
}

JET_ERR
key_of_record(struct key *k, const struct schema *sc, const struct index *ix, struct span rec,
              bool large, uint32_t *nulls)
{
    uint8_t room[KEY_MOST_MAX + 2];
    uint32_t n_null = 0;

    k->len = 0;
    k->cut = false;
    for (uint32_t i = 0; i < ix->n_segments; i++) {
        const struct column *c = schema_column(sc, ix->segments[i].column);
        struct span value;
        if (!c)
            return JET_errCatalogCorrupted;
        JET_ERR err = segment_value(c, rec, large, room, sizeof(room), &value);
        if (err < 0)
            return err;
        if (!value.data)
            n_null++;
        if (!value.data && (ix->flags & INDEX_NO_NULL))
            return JET_errNullKeyDisallowed;
        err = key_append(k, ix, c, ix->segments[i].flags & SEGMENT_DESCENDING, value);
        if (err < 0)
            return err;
    }
    if (nulls)
        *nulls = n_null;
    return k->cut && (ix->flags & INDEX_NO_TRUNCATION) ? JET_errKeyTruncated : JET_errSuccess;
}

void
key_of_number(struct key *k, uint32_t number)
{
    k->len = 4;
    k->cut = false;
    be32_put(k->data, number);
}
