/* SPDX-License-Identifier: MIT */
/* navigate: moving, search keys, seeking, index ranges, bookmarks. */
#include <string.h>

#include "table/open.h"

#define LIMIT_GRBITS                                                                               \
    (JET_bitStrLimit | JET_bitSubStrLimit | JET_bitFullColumnStartLimit |                          \
     JET_bitFullColumnEndLimit | JET_bitPartialColumnStartLimit | JET_bitPartialColumnEndLimit)
#define PARTIAL_GRBITS                                                                             \
    (JET_bitSubStrLimit | JET_bitPartialColumnStartLimit | JET_bitPartialColumnEndLimit)
#define END_GRBITS                                                                                 \
    (JET_bitStrLimit | JET_bitSubStrLimit | JET_bitFullColumnEndLimit |                            \
     JET_bitPartialColumnEndLimit)
#define SEEK_GRBITS (JET_bitSeekEQ | JET_bitSeekLT | JET_bitSeekLE | JET_bitSeekGE | JET_bitSeekGT)

/* ---- moving ---- */

/* Is the current entry inside the index range? Compares in the direction of its limit. */
static bool
in_range(const struct table *t)
{
    if (!t->range_active)
        return true;
    int c = span_cmp(btree_cursor_key(t->cur), key_span(&t->range));
    if (c == 0)
        return t->range_inclusive;
    return t->range_upper ? c < 0 : c > 0;
}

/* What a step of the tree's cursor means for the table's. */
static JET_ERR
arrive(struct table *t, JET_ERR err)
{
    t->on = false;
    t->beyond = 0;
    if (err == JET_errRecordNotFound)
        return JET_errNoCurrentRecord;
    if (err < 0)
        return err;
    if (!in_range(t)) {
        t->beyond = t->range_upper ? 1 : -1;
        return JET_errNoCurrentRecord;
    }
    t->on = true;
    return JET_errSuccess;
}

static JET_ERR
step(struct table *t, int direction)
{
    if (t->beyond == direction)
        return JET_errNoCurrentRecord;
    return arrive(t, direction > 0 ? btree_next(t->cur) : btree_prev(t->cur));
}

JET_ERR
table_move(struct table *t, int32_t rows, JET_GRBIT grbit)
{
    struct span rec;

    if (grbit & ~(JET_GRBIT)JET_bitMoveKeyNE)
        return JET_errInvalidGrbit;
    JET_ERR err = table_refresh(t);
    if (err < 0)
        return err;
    if (rows == 0)
        return table_current(t, &rec);
    t->prep = PREP_NONE;
    if (rows == JET_MoveFirst || rows == JET_MoveLast) {
        t->range_active = false;
        return arrive(t, rows == JET_MoveFirst ? btree_first(t->cur) : btree_last(t->cur));
    }
    for (; err >= 0 && rows > 0; rows--)
        err = step(t, 1);
    for (; err >= 0 && rows < 0; rows++)
        err = step(t, -1);
    return err;
}

/* ---- search keys ---- */

/* A value as the caller gives it, in record form; buf holds a Bit. */
static JET_ERR
value_for_key(const struct column *c, const void *pv, uint32_t cb, JET_GRBIT grbit, uint8_t *buf,
              struct span *value)
{
    uint32_t size = coltyp_size(c->coltyp);

    if (cb == 0) {
        *value = grbit & JET_bitKeyDataZeroLength ? span_of(buf, 0) : span_of(NULL, 0);
        return size && value->data ? JET_errInvalidBufferSize : JET_errSuccess;
    }
    if (!pv)
        return JET_errInvalidParameter;
    if (size && cb != size)
        return JET_errInvalidBufferSize;
    *value = span_of(pv, cb);
    if (c->coltyp == JET_coltypBit) {
        *buf = *(const uint8_t *)pv ? 0xff : 0;
        *value = span_of(buf, 1);
    }
    return JET_errSuccess;
}

static JET_ERR
make_normalized(struct table *t, const void *pv, uint32_t cb, JET_GRBIT grbit)
{
    if (grbit & ~(JET_GRBIT)(JET_bitNormalizedKey | JET_bitNewKey))
        return JET_errInvalidGrbit;
    if (!pv || cb == 0 || cb > table_key_most(t->schema) + 1)
        return JET_errInvalidParameter;
    memcpy(t->search.data, pv, cb);
    t->search.len = cb;
    t->search.cut = false;
    t->search_segments = 1;
    t->search_complete = true;
    return JET_errSuccess;
}

static bool
one_bit(JET_GRBIT g)
{
    return (g & (g - 1)) == 0;
}

JET_ERR
table_make_key(struct table *t, const void *pv, uint32_t cb, JET_GRBIT grbit)
{
    struct span value;
    uint8_t bit;

    if (grbit & ~(JET_GRBIT)(LIMIT_GRBITS | JET_bitNewKey | JET_bitNormalizedKey |
                             JET_bitKeyDataZeroLength) ||
        !one_bit(grbit & LIMIT_GRBITS))
        return JET_errInvalidGrbit;
    JET_ERR err = table_refresh(t);
    if (err < 0)
        return err;
    if (grbit & JET_bitNormalizedKey)
        return make_normalized(t, pv, cb, grbit);
    const struct index *ix = t->schema->primary;
    if (!ix)
        return JET_errNoCurrentIndex;
    if (grbit & JET_bitNewKey) {
        t->search.len = 0;
        t->search.cut = false;
        t->search_segments = 0;
        t->search_complete = false;
    } else if (t->search_segments == 0) {
        return JET_errKeyNotMade;
    } else if (t->search_complete || t->search_segments >= ix->n_segments) {
        return JET_errKeyIsMade;
    }

    const struct segment *seg = &ix->segments[t->search_segments];
    const struct column *c = schema_column(t->schema, seg->column);
    bool desc = seg->flags & SEGMENT_DESCENDING;
    uint32_t from = t->search.len;
    if (!c)
        return JET_errFeatureNotAvailable; /* a column of a template table */
    if ((grbit & PARTIAL_GRBITS) && !coltyp_is_text(c->coltyp) && !coltyp_is_binary(c->coltyp))
        return JET_errInvalidGrbit;
    err = value_for_key(c, pv, cb, grbit, &bit, &value);
    if (err >= 0)
        err = key_append(&t->search, ix, c, desc, value);
    if (err < 0)
        return err;
    if (grbit & LIMIT_GRBITS) {
        key_limit(&t->search, ix, c, from, desc, value, grbit & PARTIAL_GRBITS, grbit & END_GRBITS);
        t->search_complete = true;
    }
    t->search_segments++;
    return JET_errSuccess;
}

static JET_ERR
give(struct span v, void *pv, uint32_t cb, uint32_t *actual, JET_ERR too_small)
{
    if (actual)
        *actual = (uint32_t)v.len;
    if (pv && cb && v.len)
        memcpy(pv, v.data, v.len < cb ? v.len : cb);
    return v.len > cb ? too_small : JET_errSuccess;
}

JET_ERR
table_retrieve_key(struct table *t, void *pv, uint32_t cb, uint32_t *actual, JET_GRBIT grbit)
{
    struct span rec;

    if (grbit & ~(JET_GRBIT)JET_bitRetrieveCopy)
        return JET_errInvalidGrbit;
    if (grbit & JET_bitRetrieveCopy)
        return t->search_segments
                   ? give(key_span(&t->search), pv, cb, actual, JET_wrnBufferTruncated)
                   : JET_errKeyNotMade;
    JET_ERR err = table_refresh(t);
    if (err >= 0)
        err = table_current(t, &rec);
    if (err < 0)
        return err;
    return give(btree_cursor_key(t->cur), pv, cb, actual, JET_wrnBufferTruncated);
}

/* ---- seek and ranges ---- */

static void
set_range(struct table *t, bool upper, bool inclusive)
{
    t->range_active = true;
    t->range_upper = upper;
    t->range_inclusive = inclusive;
    t->range = t->search;
}

static JET_ERR
seek_found(struct table *t, JET_GRBIT grbit)
{
    bool equal = span_cmp(btree_cursor_key(t->cur), key_span(&t->search)) == 0;

    if (grbit & (JET_bitSeekGE | JET_bitSeekLE))
        return equal ? JET_errSuccess : JET_wrnSeekNotEqual;
    if (!(grbit & JET_bitSeekEQ))
        return JET_errSuccess;
    if (grbit & JET_bitSetIndexRange)
        set_range(t, true, true);
    /* primary keys are unique; a search key of fewer columns equals none */
    return grbit & JET_bitCheckUniqueness ? JET_wrnUniqueKey : JET_errSuccess;
}

JET_ERR
table_seek(struct table *t, JET_GRBIT grbit)
{
    static const enum btree_seek how[] = {BTREE_EQ, BTREE_LT, BTREE_LE, BTREE_GE, BTREE_GT};
    JET_GRBIT rel = grbit & SEEK_GRBITS;
    uint32_t i = 0;

    if (!rel || !one_bit(rel) ||
        grbit & ~(JET_GRBIT)(SEEK_GRBITS | JET_bitSetIndexRange | JET_bitCheckUniqueness))
        return JET_errInvalidGrbit;
    if ((grbit & JET_bitSetIndexRange) && rel != JET_bitSeekEQ)
        return JET_errInvalidGrbit;
    JET_ERR err = table_refresh(t);
    if (err < 0)
        return err;
    if (!t->search_segments)
        return t->schema->primary ? JET_errKeyNotMade : JET_errNoCurrentIndex;
    table_cancel(t);
    while (!(rel & 1u << i))
        i++;
    err = arrive(t, btree_seek(t->cur, key_span(&t->search), how[i]));
    if (err == JET_errNoCurrentRecord)
        return JET_errRecordNotFound;
    return err < 0 ? err : seek_found(t, grbit);
}

JET_ERR
table_set_index_range(struct table *t, JET_GRBIT grbit)
{
    struct span rec;

    if (grbit & ~(JET_GRBIT)(JET_bitRangeInclusive | JET_bitRangeUpperLimit |
                             JET_bitRangeInstantDuration | JET_bitRangeRemove))
        return JET_errInvalidGrbit;
    JET_ERR err = table_refresh(t);
    if (err < 0)
        return err;
    if (grbit & JET_bitRangeRemove) {
        if (grbit != JET_bitRangeRemove)
            return JET_errInvalidGrbit;
        if (!t->range_active)
            return JET_errInvalidOperation;
        t->range_active = false;
        return JET_errSuccess;
    }
    if (!t->search_segments)
        return JET_errKeyNotMade;
    err = table_current(t, &rec);
    if (err < 0 && err != JET_errRecordDeleted)
        return err;
    set_range(t, grbit & JET_bitRangeUpperLimit, grbit & JET_bitRangeInclusive);
    if (!in_range(t)) {
        t->range_active = false;
        t->on = false;
        return JET_errNoCurrentRecord;
    }
    if (grbit & JET_bitRangeInstantDuration)
        t->range_active = false;
    return JET_errSuccess;
}

JET_ERR
table_set_current_index(struct table *t, const char *name, JET_GRBIT grbit)
{
    if (grbit & ~(JET_GRBIT)JET_bitNoMove)
        return JET_errInvalidGrbit;
    JET_ERR err = table_refresh(t);
    if (err < 0)
        return err;
    if (name && *name) {
        const struct index *ix = schema_index_named(t->schema, name);
        if (!ix)
            return JET_errIndexNotFound;
        if (ix != t->schema->primary)
            return JET_errFeatureNotAvailable;
    }
    if (grbit & JET_bitNoMove)
        return JET_errSuccess;
    err = table_move(t, JET_MoveFirst, 0);
    return err == JET_errNoCurrentRecord ? JET_errSuccess : err;
}

const char *
table_current_index(const struct table *t)
{
    return t->schema->primary ? t->schema->primary->name : "";
}

/* ---- bookmarks ---- */

JET_ERR
table_get_bookmark(struct table *t, void *pv, uint32_t cb, uint32_t *actual)
{
    JET_ERR err = table_refresh(t);
    if (err < 0)
        return err;
    if (!t->on)
        return JET_errNoCurrentRecord;
    return give(btree_cursor_key(t->cur), pv, cb, actual, JET_errBufferTooSmall);
}

JET_ERR
table_goto_bookmark(struct table *t, const void *pv, uint32_t cb)
{
    JET_ERR err = table_refresh(t);
    if (err < 0)
        return err;
    if (!pv || cb == 0 || cb > table_key_most(t->schema))
        return JET_errInvalidBookmark;
    table_cancel(t);
    err = arrive(t, btree_seek(t->cur, span_of(pv, cb), BTREE_EQ));
    return err == JET_errNoCurrentRecord ? JET_errRecordDeleted : err;
}
