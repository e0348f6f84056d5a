/* SPDX-License-Identifier: MIT */
/* recbuf: records under construction. Every change writes a new record beside the old one. */
#include <glib.h>

#include "table/recview.h"

/* Bytes written to a limited place; over = it was too small. */
struct out {
    uint8_t *data;
    uint32_t len, cap;
    bool over;
};

static void
put(struct out *o, const void *data, size_t n)
{
    if (o->over || n > o->cap - o->len) {
        o->over = true;
        return;
    }
    if (n)
        memcpy(o->data + o->len, data, n);
    o->len += (uint32_t)n;
}

static void
put_span(struct out *o, struct span s)
{
    put(o, s.data, s.len);
}

JET_ERR
recbuf_init(struct recbuf *b, uint32_t page_bytes, uint32_t key_most)
{
    b->max = record_max(page_bytes, key_most);
    b->large = page_bytes > 8192;
    b->data = g_try_malloc(b->max);
    b->scratch = g_try_malloc(b->max);
    b->temp = g_try_malloc(b->max);
    if (!b->data || !b->scratch || !b->temp) {
        recbuf_clear(b);
        return JET_errOutOfMemory;
    }
    recbuf_reset(b);
    return JET_errSuccess;
}

void
recbuf_clear(struct recbuf *b)
{
    g_free(b->data);
    g_free(b->scratch);
    g_free(b->temp);
    *b = (struct recbuf) {0};
}

void
recbuf_reset(struct recbuf *b)
{
    static const uint8_t empty[4] = {0, 127, 4, 0};
    memcpy(b->data, empty, sizeof(empty));
    b->len = sizeof(empty);
}

JET_ERR
recbuf_load(struct recbuf *b, struct span rec)
{
    JET_ERR err = record_check(rec, b->large);
    if (err < 0)
        return err;
    if (rec.len > b->max)
        return JET_errRecordTooBig;
    memcpy(b->data, rec.data, rec.len);
    b->len = (uint32_t)rec.len;
    return JET_errSuccess;
}

struct span
recbuf_span(const struct recbuf *b)
{
    return span_of(b->data, b->len);
}

/* Puts the parts together and makes them the record. */
static JET_ERR
commit_view(struct recbuf *b, const struct recview *v)
{
    struct out o = {b->scratch, 0, b->max, false};
    uint8_t head[4] = {v->last_fixed, v->last_var};

    le16_put(head + 2, (uint16_t)(4 + v->fixed.len + v->nullmap.len));
    put(&o, head, sizeof(head));
    put_span(&o, v->fixed);
    put_span(&o, v->nullmap);
    put_span(&o, v->ends);
    put_span(&o, v->var);
    put_span(&o, v->tagged);
    if (o.over)
        return JET_errRecordTooBig;
    b->scratch = b->data;
    b->data = o.data;
    b->len = o.len;
    return JET_errSuccess;
}

/* Column j comes into the record because one behind it does: its default, or null. */
static void
fill_fixed(const struct schema *sc, uint32_t j, uint8_t *fixed, uint8_t *nullmap)
{
    const struct column *c = sc->nontagged[j];

    if (!c || !c->def || c->def_cb != column_size(c))
        return;
    memcpy(fixed + c->offset - 4, c->def, c->def_cb);
    nullmap[(j - 1) / 8] &= (uint8_t) ~(1u << (j - 1) % 8);
}

/* What stands where a fixed text ends short: spaces. */
static void
pad_fixed(const struct column *c, uint8_t *slot, uint32_t size, bool value)
{
    memset(slot, 0, size);
    if (!value || !coltyp_is_text(c->coltyp))
        return;
    for (uint32_t i = 0; i < size; i += c->cp == 1200 ? 2 : 1)
        slot[i] = ' ';
}

static JET_ERR
set_fixed(struct recbuf *b, const struct schema *sc, const struct column *c, struct span data)
{
    struct recview v;
    uint8_t nullmap[(COLUMN_FIXED_MOST + 7) / 8];
    uint32_t size = column_size(c), end = c->offset - 4 + size, i = c->id - 1;

    JET_ERR err = recview_init(recbuf_span(b), &v);
    if (err < 0)
        return err;
    memset(nullmap, 0xff, sizeof(nullmap));
    if (v.nullmap.len)
        memcpy(nullmap, v.nullmap.data, v.nullmap.len);
    if (v.fixed.len > b->max || end > b->max)
        return JET_errRecordTooBig;
    if (v.fixed.len)
        memcpy(b->temp, v.fixed.data, v.fixed.len);
    if (c->id > v.last_fixed) {
        if (end < v.fixed.len)
            return JET_errDatabaseCorrupted;
        memset(b->temp + v.fixed.len, 0, end - v.fixed.len);
        for (uint32_t j = v.last_fixed + 1u; j < c->id; j++)
            fill_fixed(sc, j, b->temp, nullmap);
        v.last_fixed = (uint8_t)c->id;
        v.fixed.len = end;
    } else if (end > v.fixed.len) {
        return JET_errDatabaseCorrupted;
    }

    uint8_t *slot = b->temp + c->offset - 4;
    pad_fixed(c, slot, size, data.data != NULL);
    nullmap[i / 8] |= (uint8_t)(1u << i % 8);
    if (data.data) {
        memcpy(slot, data.data, data.len < size ? data.len : size);
        nullmap[i / 8] &= (uint8_t) ~(1u << i % 8);
    }
    v.fixed = span_of(b->temp, v.fixed.len);
    v.nullmap = span_of(nullmap, (v.last_fixed + 7u) / 8);
    return commit_view(b, &v);
}

/* Variable column k (0-based) of the new record, as end and null flag. */
static struct span
var_value(const struct recview *v, const struct schema *sc, uint32_t k, bool *null)
{
    const struct column *c = sc->nontagged[k + COLUMN_VAR_LEAST];
    uint32_t from = k && k < recview_vars(v) ? recview_var_end(v, k - 1) : 0;

    *null = false;
    if (k < recview_vars(v)) {
        *null = le16_get(v->ends.data + 2 * k) & 0x8000u;
        return span_of(v->var.data + from, recview_var_end(v, k) - from);
    }
    if (c && c->def)
        return span_of(c->def, c->def_cb);
    *null = true;
    return span_of(NULL, 0);
}

static JET_ERR
set_var(struct recbuf *b, const struct schema *sc, const struct column *c, struct span data)
{
    struct recview v;
    uint8_t ends[2 * (COLUMN_VAR_MOST - COLUMN_VAR_LEAST + 1)];
    struct out o = {b->temp, 0, b->max, false};
    bool null;

    JET_ERR err = recview_init(recbuf_span(b), &v);
    if (err < 0)
        return err;
    uint32_t n = MAX(recview_vars(&v), c->id - COLUMN_VAR_LEAST + 1);
    for (uint32_t k = 0; k < n; k++) {
        struct span value = data;
        if (k + COLUMN_VAR_LEAST == c->id)
            null = !data.data;
        else
            value = var_value(&v, sc, k, &null);
        if (!null)
            put_span(&o, value);
        le16_put(ends + 2 * k, (uint16_t)(o.len | (null ? 0x8000u : 0)));
    }
    if (o.over || o.len > 0x7fff)
        return JET_errRecordTooBig;
    v.last_var = (uint8_t)(COLUMN_VAR_LEAST + n - 1);
    v.ends = span_of(ends, 2 * n);
    v.var = span_of(o.data, o.len);
    return commit_view(b, &v);
}

/* ---- tagged values ---- */

/* What shall stand for the column: values of old, one exchanged, added or taken out. */
struct change {
    const struct tagfld *old; /* NULL: the column was not there */
    uint32_t n_old, n;        /* values before and after */
    uint32_t at;              /* place of the change */
    struct span data;         /* data.data NULL: removed */
    bool is_long;
};

static JET_ERR
changed_value(const struct change *ch, uint32_t i, struct rec_value *v)
{
    if (ch->data.data && i == ch->at) {
        *v = (struct rec_value) {.data = ch->data, .count = ch->n};
        return JET_errSuccess;
    }
    return tagged_value_at(ch->old, !ch->data.data && i >= ch->at ? i + 1 : i, ch->n_old, v);
}

static JET_ERR
put_two(const struct change *ch, struct out *o)
{
    struct rec_value a, b;
    uint8_t len;

    JET_ERR err = changed_value(ch, 0, &a);
    if (err >= 0)
        err = changed_value(ch, 1, &b);
    if (err < 0)
        return err;
    len = (uint8_t)a.data.len;
    put(o, &len, 1);
    put_span(o, a.data);
    put_span(o, b.data);
    return JET_errSuccess;
}

static JET_ERR
put_many(const struct change *ch, struct out *o)
{
    struct rec_value v;
    uint32_t offset = 2 * ch->n;
    uint8_t ib[2];

    for (uint32_t i = 0; i < ch->n; i++) {
        JET_ERR err = changed_value(ch, i, &v);
        if (err < 0)
            return err;
        le16_put(ib, (uint16_t)(offset | (v.separated ? 0x8000u : 0)));
        put(o, ib, 2);
        offset += (uint32_t)v.data.len;
        if (offset > 0x7fff)
            o->over = true;
    }
    for (uint32_t i = 0; i < ch->n; i++) {
        JET_ERR err = changed_value(ch, i, &v);
        if (err < 0)
            return err;
        put_span(o, v.data);
    }
    return JET_errSuccess;
}

static JET_ERR
change_header(const struct change *ch, uint8_t *header)
{
    struct rec_value v;
    bool two = ch->n == 2 && !ch->is_long;

    *header = ch->is_long ? TAG_LONG : 0;
    for (uint32_t i = 0; i < ch->n; i++) {
        JET_ERR err = changed_value(ch, i, &v);
        if (err < 0)
            return err;
        if (v.data.len > 255 || v.separated || v.compressed)
            two = false;
        if (v.compressed && i == 0)
            *header |= TAG_COMPRESSED;
        if (v.separated && ch->n == 1)
            *header |= TAG_SEPARATED;
    }
    if (ch->n >= 2)
        *header |= two ? TAG_MULTI | TAG_TWO : TAG_MULTI;
    return JET_errSuccess;
}

/* The column's data as it is stored, header byte first if there is one; *flags = for its offset. */
static JET_ERR
put_change(const struct change *ch, bool large, struct out *o, uint16_t *flags)
{
    struct rec_value v;
    uint8_t header;

    JET_ERR err = change_header(ch, &header);
    if (err < 0)
        return err;
    *flags = 0;
    if (large || header) {
        put(o, &header, 1);
        *flags = large ? 0 : TAGFLD_HEADER;
    }
    if (header & TAG_TWO)
        return put_two(ch, o);
    if (header & TAG_MULTI)
        return put_many(ch, o);
    err = changed_value(ch, 0, &v);
    if (err >= 0)
        put_span(o, v.data);
    return err;
}

static void
put_null(bool is_long, bool large, struct out *o, uint16_t *flags)
{
    uint8_t header = TAG_NULL | (is_long ? TAG_LONG : 0);

    *flags = large ? 0 : TAGFLD_NULL;
    if (large)
        put(o, &header, 1);
}

/* How the entry of one column changes. */
enum tagged_edit { TAGGED_VALUES, TAGGED_NULL, TAGGED_REMOVE };

/*
 * Writes the tagged part anew: entry `at` is new (insert), else exchanged or, with TAGGED_REMOVE,
 * left out.
 */
static JET_ERR
rewrite_tagged(struct recbuf *b, struct recview *v, uint32_t id, uint32_t at, bool insert,
               enum tagged_edit edit, const struct change *ch)
{
    struct out o = {b->temp, 0, b->max, false};
    struct tagfld f;
    uint32_t n_old, k = 0;
    uint16_t flags = 0;

    JET_ERR err = tagged_count(v->tagged, b->large, &n_old);
    if (err < 0)
        return err;
    uint32_t n = n_old + (insert ? 1 : 0) - (edit == TAGGED_REMOVE ? 1 : 0);
    if (n * TAGFLD_BYTES > o.cap)
        return JET_errRecordTooBig;
    o.len = n * TAGFLD_BYTES;
    for (uint32_t i = 0; i <= n_old && k < n; i++) {
        uint32_t from = o.len;
        if (i == at && edit != TAGGED_REMOVE) {
            err = JET_errSuccess;
            if (edit == TAGGED_NULL)
                put_null(ch->is_long, b->large, &o, &flags);
            else
                err = put_change(ch, b->large, &o, &flags);
            le16_put(b->temp + TAGFLD_BYTES * k, (uint16_t)id);
            le16_put(b->temp + TAGFLD_BYTES * k++ + 2, (uint16_t)(from | flags));
            from = o.len;
        }
        if (err < 0 || i == n_old || (i == at && !insert))
            continue;
        err = tagged_at(v->tagged, b->large, i, n_old, &f);
        if (err < 0)
            return err;
        flags = le16_get(v->tagged.data + TAGFLD_BYTES * i + 2) & (b->large ? 0x8000u : 0xe000u);
        le16_put(b->temp + TAGFLD_BYTES * k, le16_get(v->tagged.data + TAGFLD_BYTES * i));
        le16_put(b->temp + TAGFLD_BYTES * k++ + 2, (uint16_t)(from | flags));
        put_span(&o, f.raw);
    }
    if (err < 0)
        return err;
    if (o.over || o.len > (b->large ? 0x7fffu : 0x1fffu))
        return JET_errRecordTooBig;
    v->tagged = span_of(o.data, o.len);
    return commit_view(b, v);
}

static JET_ERR
set_tagged(struct recbuf *b, const struct column *c, uint32_t itag, struct span data,
           bool explicit_null)
{
    struct recview v;
    struct tagfld f;
    struct change ch = {.data = data, .is_long = coltyp_is_long(c->coltyp)};
    uint32_t at = 0;

    JET_ERR err = recview_init(recbuf_span(b), &v);
    if (err < 0)
        return err;
    err = tagged_find(v.tagged, b->large, c->id, &at, &f);
    if (err < 0)
        return err;
    bool there = err == JET_errSuccess;
    if (there) {
        ch.old = &f;
        err = tagged_value_count(&f, &ch.n_old);
        if (err < 0)
            return err;
    }
    bool append = itag == 0 || itag > ch.n_old;
    ch.at = append ? ch.n_old : itag - 1;
    if (data.data) {
        ch.n = ch.n_old + (append ? 1 : 0);
        return rewrite_tagged(b, &v, c->id, at, !there, TAGGED_VALUES, &ch);
    }
    if (append && ch.n_old > 0)
        return JET_errSuccess; /* one null more changes nothing */
    ch.n = ch.n_old ? ch.n_old - 1 : 0;
    if (ch.n > 0)
        return rewrite_tagged(b, &v, c->id, at, false, TAGGED_VALUES, &ch);
    if (explicit_null)
        return rewrite_tagged(b, &v, c->id, at, !there, TAGGED_NULL, &ch);
    return there ? rewrite_tagged(b, &v, c->id, at, false, TAGGED_REMOVE, &ch) : JET_errSuccess;
}

JET_ERR
recbuf_unset_tagged(struct recbuf *b, const struct column *c)
{
    struct recview v;
    struct tagfld f;
    struct change ch = {0};
    uint32_t at = 0;

    if (!column_is_tagged(c))
        return JET_errInvalidParameter;
    JET_ERR err = recview_init(recbuf_span(b), &v);
    if (err >= 0)
        err = tagged_find(v.tagged, b->large, c->id, &at, &f);
    if (err != JET_errSuccess)
        return err < 0 ? err : JET_errSuccess;
    return rewrite_tagged(b, &v, c->id, at, false, TAGGED_REMOVE, &ch);
}

JET_ERR
recbuf_set(struct recbuf *b, const struct schema *sc, const struct column *c, uint32_t itag,
           struct span data, bool explicit_null)
{
    if (column_is_fixed(c))
        return set_fixed(b, sc, c, data);
    if (column_is_var(c))
        return set_var(b, sc, c, data);
    return set_tagged(b, c, itag, data, explicit_null);
}
