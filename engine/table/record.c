/* SPDX-License-Identifier: MIT */
#include "table/record.h"

#include "table/recview.h"

uint32_t
record_max(uint32_t page_bytes, uint32_t key_most)
{
    if (page_bytes > 8192)
        return page_bytes - 80 - 8 - 4 - key_most;
    return page_bytes - 40 - 8 - 2 - (key_most + 2 > 255 ? key_most + 2 : 255);
}

JET_ERR
recview_init(struct span rec, struct recview *v)
{
    struct cursor c = cursor_over(rec.data, rec.len);
    uint32_t map, end, last = 0;

    v->last_fixed = cursor_u8(&c);
    v->last_var = cursor_u8(&c);
    end = cursor_u16(&c);
    map = (v->last_fixed + 7u) / 8;
    if (v->last_fixed > COLUMN_FIXED_MOST || v->last_var < COLUMN_VAR_LEAST - 1 || end < 4 + map)
        return JET_errDatabaseCorrupted;
    v->fixed = cursor_take(&c, end - 4 - map);
    v->nullmap = cursor_take(&c, map);
    v->ends = cursor_take(&c, 2 * (size_t)recview_vars(v));
    if (c.bad)
        return JET_errDatabaseCorrupted;
    for (uint32_t i = 0; i < recview_vars(v); i++) {
        if (recview_var_end(v, i) < last)
            return JET_errDatabaseCorrupted;
        last = recview_var_end(v, i);
    }
    v->var = cursor_take(&c, last);
    v->tagged = cursor_take(&c, c.left);
    return c.bad ? JET_errDatabaseCorrupted : JET_errSuccess;
}

static uint32_t
tagged_offset(struct span t, bool large, uint32_t i)
{
    return le16_get(t.data + TAGFLD_BYTES * i + 2) & (large ? 0x7fffu : 0x1fffu);
}

JET_ERR
tagged_count(struct span t, bool large, uint32_t *n)
{
    *n = 0;
    if (t.len == 0)
        return JET_errSuccess;
    if (t.len < TAGFLD_BYTES)
        return JET_errDatabaseCorrupted;
    uint32_t first = tagged_offset(t, large, 0);
    if (first < TAGFLD_BYTES || first % TAGFLD_BYTES || first > t.len)
        return JET_errDatabaseCorrupted;
    *n = first / TAGFLD_BYTES;
    return JET_errSuccess;
}

JET_ERR
tagged_at(struct span t, bool large, uint32_t i, uint32_t n, struct tagfld *f)
{
    uint16_t ib = le16_get(t.data + TAGFLD_BYTES * i + 2);
    uint32_t from = tagged_offset(t, large, i);
    uint32_t to = i + 1 < n ? tagged_offset(t, large, i + 1) : (uint32_t)t.len;

    if (from > to || to > t.len || from < TAGFLD_BYTES * n)
        return JET_errDatabaseCorrupted;
    f->id = le16_get(t.data + TAGFLD_BYTES * i);
    f->derived = ib & TAGFLD_DERIVED;
    f->raw = f->body = span_of(t.data + from, to - from);
    f->header = 0;
    f->null = !large && (ib & TAGFLD_NULL);
    if (large || (ib & TAGFLD_HEADER)) {
        if (f->raw.len == 0)
            return JET_errDatabaseCorrupted;
        f->header = f->raw.data[0];
        f->body = span_of(f->raw.data + 1, f->raw.len - 1);
        if (f->header & TAG_NULL)
            f->null = true;
    }
    return JET_errSuccess;
}

JET_ERR
tagged_value_count(const struct tagfld *f, uint32_t *n)
{
    *n = f->null ? 0 : 1;
    if (f->null || !(f->header & TAG_MULTI))
        return JET_errSuccess;
    if (f->header & TAG_TWO) {
        *n = 2;
        return f->body.len >= 1 && f->body.data[0] < f->body.len ? JET_errSuccess
                                                                 : JET_errDatabaseCorrupted;
    }
    if (f->body.len < 2)
        return JET_errDatabaseCorrupted;
    uint32_t first = le16_get(f->body.data) & 0x7fffu;
    if (first < 2 || first % 2 || first > f->body.len)
        return JET_errDatabaseCorrupted;
    *n = first / 2;
    return JET_errSuccess;
}

JET_ERR
tagged_value_at(const struct tagfld *f, uint32_t i, uint32_t n, struct rec_value *v)
{
    *v = (struct rec_value) {.count = n};
    if (!(f->header & TAG_MULTI)) {
        v->data = f->body;
        v->separated = f->header & TAG_SEPARATED;
    } else if (f->header & TAG_TWO) {
        uint32_t first = f->body.data[0];
        v->data = i == 0 ? span_of(f->body.data + 1, first)
                         : span_of(f->body.data + 1 + first, f->body.len - 1 - first);
    } else {
        uint16_t ib = le16_get(f->body.data + 2 * i);
        uint32_t from = ib & 0x7fffu;
        uint32_t to =
            i + 1 < n ? le16_get(f->body.data + 2 * i + 2) & 0x7fffu : (uint32_t)f->body.len;
        if (from > to || to > f->body.len || from < 2 * n)
            return JET_errDatabaseCorrupted;
        v->data = span_of(f->body.data + from, to - from);
        v->separated = ib & 0x8000u;
    }
    v->compressed = i == 0 && (f->header & TAG_COMPRESSED);
    if (v->separated && v->data.len != 4 && v->data.len != 8)
        return JET_errDatabaseCorrupted;
    return JET_errSuccess;
}

JET_ERR
tagged_find(struct span t, bool large, uint32_t id, uint32_t *at, struct tagfld *f)
{
    uint32_t n;
    JET_ERR err = tagged_count(t, large, &n);
    if (err < 0)
        return err;
    for (*at = 0; *at < n; (*at)++) {
        err = tagged_at(t, large, *at, n, f);
        if (err < 0)
            return err;
        if (f->derived)
            continue;
        if (f->id >= id)
            return f->id == id ? JET_errSuccess : JET_wrnColumnNull;
    }
    return JET_wrnColumnNull;
}

JET_ERR
record_check(struct span rec, bool large)
{
    struct recview v;
    struct rec_value value;
    struct tagfld f;
    uint32_t n, values, order = 0;

    JET_ERR err = recview_init(rec, &v);
    if (err < 0)
        return err;
    err = tagged_count(v.tagged, large, &n);
    for (uint32_t i = 0; err >= 0 && i < n; i++) {
        err = tagged_at(v.tagged, large, i, n, &f);
        if (err < 0)
            return err;
        /* derived columns first, each kind by id */
        uint32_t place = (f.derived ? 0 : 0x10000u) + f.id;
        if (place <= order)
            return JET_errDatabaseCorrupted;
        order = place;
        err = tagged_value_count(&f, &values);
        for (uint32_t k = 0; err >= 0 && k < values; k++)
            err = tagged_value_at(&f, k, values, &value);
    }
    return err;
}

static JET_ERR
get_fixed(const struct recview *v, const struct column *c, struct rec_value *out)
{
    uint32_t size = column_size(c);

    if (c->id > v->last_fixed)
        return JET_errSuccess;
    out->absent = false;
    if (v->nullmap.data[(c->id - 1) / 8] & 1u << (c->id - 1) % 8)
        return JET_errSuccess;
    if (c->offset < 4 || c->offset - 4 + size > v->fixed.len)
        return JET_errDatabaseCorrupted;
    out->null = false;
    out->count = 1;
    out->data = span_of(v->fixed.data + c->offset - 4, size);
    return JET_errSuccess;
}

static JET_ERR
get_var(const struct recview *v, const struct column *c, struct rec_value *out)
{
    uint32_t i = c->id - COLUMN_VAR_LEAST;

    if (i >= recview_vars(v))
        return JET_errSuccess;
    out->absent = false;
    if (le16_get(v->ends.data + 2 * i) & 0x8000u)
        return JET_errSuccess;
    uint32_t from = i ? recview_var_end(v, i - 1) : 0;
    out->null = false;
    out->count = 1;
    out->data = span_of(v->var.data + from, recview_var_end(v, i) - from);
    return JET_errSuccess;
}

static JET_ERR
get_tagged(const struct recview *v, bool large, const struct column *c, uint32_t itag,
           struct rec_value *out)
{
    struct tagfld f;
    uint32_t at, n;

    JET_ERR err = tagged_find(v->tagged, large, c->id, &at, &f);
    if (err != JET_errSuccess)
        return err < 0 ? err : JET_errSuccess;
    out->absent = false;
    err = tagged_value_count(&f, &n);
    if (err < 0)
        return err;
    out->count = n;
    return itag >= 1 && itag <= n ? tagged_value_at(&f, itag - 1, n, out) : JET_errSuccess;
}

JET_ERR
record_get(struct span rec, bool large, const struct column *c, uint32_t itag,
           struct rec_value *out)
{
    struct recview v;

    *out = (struct rec_value) {.null = true, .absent = true};
    JET_ERR err = recview_init(rec, &v);
    if (err < 0)
        return err;
    if (column_is_tagged(c))
        return get_tagged(&v, large, c, itag, out);
    if (itag > 1) {
        out->absent = false;
        return JET_errSuccess;
    }
    return column_is_fixed(c) ? get_fixed(&v, c, out) : get_var(&v, c, out);
}

JET_ERR
record_tagged_at(struct span rec, bool large, uint32_t i, uint32_t *columnid, uint32_t *itag,
                 struct rec_value *out)
{
    struct recview v;
    struct tagfld f;
    uint32_t n, values;

    JET_ERR err = recview_init(rec, &v);
    if (err >= 0)
        err = tagged_count(v.tagged, large, &n);
    for (uint32_t k = 0; err >= 0 && k < n; k++) {
        err = tagged_at(v.tagged, large, k, n, &f);
        if (err >= 0)
            err = tagged_value_count(&f, &values);
        if (err < 0)
            break;
        if (i < values) {
            *columnid = f.id;
            *itag = i + 1;
            return tagged_value_at(&f, i, values, out);
        }
        i -= values;
    }
    return err < 0 ? err : JET_wrnColumnNull;
}
