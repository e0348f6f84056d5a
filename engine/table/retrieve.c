/* SPDX-License-Identifier: MIT */
/* retrieve: reading columns of the current record or of the copy buffer. */
#include <string.h>

#include "table/longvalue.h"
#include "table/open.h"

#define RETRIEVE_GRBITS                                                                            \
    (JET_bitRetrieveCopy | JET_bitRetrieveFromIndex | JET_bitRetrieveFromPrimaryBookmark |         \
     JET_bitRetrieveTag | JET_bitRetrieveNull | JET_bitRetrieveIgnoreDefault)

/* One value wanted and how it came out. */
struct retrieval {
    JET_COLUMNID columnid;
    void *pv;
    uint32_t cb;
    uint32_t actual;
    JET_GRBIT grbit;
    uint32_t offset; /* ibLongValue */
    uint32_t itag;   /* 0: how many values are there? */
    uint32_t count;  /* then: that many */
    JET_COLUMNID next_tagged;
};

/* The record to read from: the copy if it is asked for and there, else the current one. */
static JET_ERR
source(struct table *t, JET_GRBIT grbit, struct span *rec)
{
    if ((grbit & JET_bitRetrieveCopy) && t->prep != PREP_NONE) {
        *rec = recbuf_span(&t->copy);
        return JET_errSuccess;
    }
    /* A new record has no other place than the copy. */
    return table_current(t, rec);
}

/* Gives out a value that is in memory as a whole. */
static JET_ERR
give(struct retrieval *r, struct span value)
{
    size_t from = r->offset < value.len ? r->offset : value.len;
    size_t left = value.len - from, n = left < r->cb ? left : r->cb;

    r->actual = (uint32_t)left;
    if (n)
        memcpy(r->pv, value.data + from, n);
    return left > r->cb ? JET_wrnBufferTruncated : JET_errSuccess;
}

static JET_ERR
room(struct table *t, uint32_t cap)
{
    if (t->expanded_cap >= cap)
        return JET_errSuccess;
    uint8_t *p = g_try_realloc(t->expanded, cap);
    if (!p)
        return JET_errOutOfMemory;
    t->expanded = p;
    t->expanded_cap = cap;
    return JET_errSuccess;
}

static JET_ERR
give_compressed(struct table *t, struct retrieval *r, struct span packed)
{
    uint32_t len;

    JET_ERR err = room(t, 0x10000);
    if (err >= 0)
        err = record_expand(packed, t->expanded, t->expanded_cap, &len);
    return err < 0 ? err : give(r, span_of(t->expanded, MIN(len, t->expanded_cap)));
}

static JET_ERR
give_stored(struct table *t, struct retrieval *r, const struct rec_value *v)
{
    if (v->separated)
        return longvalue_read(t, v->data, r->offset, r->pv, r->cb, &r->actual);
    if (v->compressed)
        return give_compressed(t, r, v->data);
    return give(r, v->data);
}

/* columnid 0: the itag-th of all tagged values. */
static JET_ERR
retrieve_any_tagged(struct table *t, struct retrieval *r, struct span rec)
{
    struct rec_value v;
    uint32_t itag;

    JET_ERR err =
        record_tagged_at(rec, t->tdb->large, r->itag ? r->itag - 1 : 0, &r->next_tagged, &itag, &v);
    if (err != JET_errSuccess)
        return err;
    return give_stored(t, r, &v);
}

static JET_ERR
retrieve_from(struct table *t, struct retrieval *r, struct span rec)
{
    struct rec_value v;

    r->actual = 0;
    if (r->columnid == 0)
        return retrieve_any_tagged(t, r, rec);
    const struct column *c = schema_column(t->schema, r->columnid);
    if (!c)
        return r->columnid > COLUMN_TAGGED_MOST ? JET_errBadColumnId : JET_errColumnNotFound;
    r->next_tagged = r->columnid;

    JET_ERR err = record_get(rec, t->tdb->large, c, r->itag, &v);
    if (err < 0)
        return err;
    if (r->itag == 0) {
        r->count = v.absent && c->def ? 1 : v.count;
        return JET_errSuccess;
    }
    if (v.absent && c->def && r->itag == 1 && !(r->grbit & JET_bitRetrieveIgnoreDefault))
        return give(r, span_of(c->def, c->def_cb));
    if (v.null)
        return JET_wrnColumnNull;
    return give_stored(t, r, &v);
}

static JET_ERR
check(const struct retrieval *r)
{
    if (r->grbit & ~(JET_GRBIT)RETRIEVE_GRBITS)
        return JET_errInvalidGrbit;
    if (!r->pv && r->cb)
        return JET_errInvalidParameter;
    return JET_errSuccess;
}

JET_ERR
table_retrieve_column(struct table *t, JET_COLUMNID columnid, void *pv, uint32_t cb,
                      uint32_t *actual, JET_GRBIT grbit, JET_RETINFO *info)
{
    struct retrieval r = {
        columnid, pv, cb, 0, grbit, info ? info->ibLongValue : 0, info ? info->itagSequence : 1, 0};
    struct span rec = {NULL, 0};

    if (info && info->cbStruct < sizeof(*info))
        return JET_errInvalidParameter;
    JET_ERR err = check(&r);
    if (err >= 0)
        err = table_refresh(t);
    if (err >= 0)
        err = source(t, grbit, &rec);
    if (err >= 0)
        err = retrieve_from(t, &r, rec);
    if (err < 0)
        return err;
    if (actual)
        *actual = r.actual;
    if (info)
        info->columnidNextTagged = r.next_tagged;
    if (info && info->itagSequence == 0 && columnid)
        info->itagSequence = r.count;
    return err;
}

static JET_ERR
retrieve_one(struct table *t, JET_RETRIEVECOLUMN *c)
{
    struct retrieval r = {.columnid = c->columnid,
                          .pv = c->pvData,
                          .cb = c->cbData,
                          .grbit = c->grbit,
                          .offset = c->ibLongValue,
                          .itag = c->itagSequence};
    struct span rec = {NULL, 0};

    JET_ERR err = check(&r);
    if (err >= 0)
        err = source(t, c->grbit, &rec);
    if (err >= 0)
        err = retrieve_from(t, &r, rec);
    if (err >= 0) {
        c->cbActual = r.actual;
        c->columnidNextTagged = r.next_tagged;
        if (c->itagSequence == 0 && c->columnid)
            c->itagSequence = r.count;
    }
    return err;
}

JET_ERR
table_retrieve_columns(struct table *t, JET_RETRIEVECOLUMN *cols, uint32_t n)
{
    JET_ERR first = JET_errSuccess;

    JET_ERR err = table_refresh(t);
    if (err < 0)
        return err;
    for (uint32_t i = 0; i < n; i++) {
        cols[i].err = retrieve_one(t, &cols[i]);
        if (cols[i].err < 0 && first >= 0)
            first = cols[i].err;
        else if (cols[i].err == JET_wrnBufferTruncated && first == JET_errSuccess)
            first = cols[i].err;
    }
    return first;
}
