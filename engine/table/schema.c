/* SPDX-License-Identifier: MIT */
#include "table/schema.h"

#include <string.h>

uint32_t
coltyp_size(JET_COLTYP t)
{
    switch (t) {
    case JET_coltypBit:
    case JET_coltypUnsignedByte:
        return 1;
    case JET_coltypShort:
    case JET_coltypUnsignedShort:
        return 2;
    case JET_coltypLong:
    case JET_coltypUnsignedLong:
    case JET_coltypIEEESingle:
        return 4;
    case JET_coltypCurrency:
    case JET_coltypIEEEDouble:
    case JET_coltypDateTime:
    case JET_coltypLongLong:
    case JET_coltypUnsignedLongLong:
        return 8;
    case JET_coltypGUID:
        return 16;
    default:
        return 0;
    }
}

uint32_t
column_size(const struct column *c)
{
    uint32_t n = coltyp_size(c->coltyp);
    return n ? n : c->cb_max;
}

void
column_free(struct column *c)
{
    if (!c)
        return;
    g_free(c->name);
    g_free(c->def);
    g_free(c);
}

void
index_free(struct index *ix)
{
    if (!ix)
        return;
    g_free(ix->name);
    g_free(ix);
}

struct schema *
schema_new(void)
{
    struct schema *sc = g_new0(struct schema, 1);
    sc->refs = 1;
    sc->last_var = COLUMN_VAR_LEAST - 1;
    sc->last_tagged = COLUMN_TAGGED_LEAST - 1;
    sc->fixed_end = 4;
    sc->columns = g_ptr_array_new_with_free_func((GDestroyNotify)column_free);
    sc->indexes = g_ptr_array_new_with_free_func((GDestroyNotify)index_free);
    return sc;
}

struct schema *
schema_ref(const struct schema *sc)
{
    struct schema *mutable = (struct schema *)sc; /* the count is not part of the value */
    g_atomic_int_inc(&mutable->refs);
    return mutable;
}

void
schema_unref(struct schema *sc)
{
    if (!sc || !g_atomic_int_dec_and_test(&sc->refs))
        return;
    g_ptr_array_unref(sc->columns);
    g_ptr_array_unref(sc->indexes);
    g_free(sc->name);
    g_free(sc);
}

void
schema_add_column(struct schema *sc, struct column *c)
{
    uint32_t *last = column_is_fixed(c) ? &sc->last_fixed
                     : column_is_var(c) ? &sc->last_var
                                        : &sc->last_tagged;

    *last = MAX(*last, c->id);
    if (column_is_fixed(c))
        sc->fixed_end = MAX(sc->fixed_end, c->offset + column_size(c));
    if (c->coltyp == JET_coltypNil)
        column_free(c);
    else
        g_ptr_array_add(sc->columns, c);
}

void
schema_add_index(struct schema *sc, struct index *ix)
{
    g_ptr_array_add(sc->indexes, ix);
}

static int
by_id(const void *a, const void *b)
{
    const struct column *x = *(struct column *const *)a, *y = *(struct column *const *)b;
    return (x->id > y->id) - (x->id < y->id);
}

static JET_ERR
finish_columns(struct schema *sc)
{
    uint32_t last_id = 0, end = 4;

    g_ptr_array_sort(sc->columns, by_id);
    memset(sc->nontagged, 0, sizeof(sc->nontagged));
    for (guint i = 0; i < sc->columns->len; i++) {
        struct column *c = sc->columns->pdata[i];
        if (c->id <= last_id || c->id > COLUMN_TAGGED_MOST)
            return JET_errCatalogCorrupted;
        last_id = c->id;
        if (c->id <= COLUMN_VAR_MOST)
            sc->nontagged[c->id] = c;
        if (column_is_fixed(c)) {
            if (c->offset < end || column_size(c) == 0)
                return JET_errCatalogCorrupted;
            end = c->offset + column_size(c);
        }
        if (c->flags & COLUMN_AUTOINC)
            sc->autoinc = c;
        if (c->flags & COLUMN_VERSION)
            sc->version = c;
    }
    return JET_errSuccess;
}

static JET_ERR
finish_indexes(struct schema *sc)
{
    for (guint i = 0; i < sc->indexes->len; i++) {
        struct index *ix = sc->indexes->pdata[i];
        for (uint32_t k = 0; k < ix->n_segments; k++)
            if (!schema_column(sc, ix->segments[k].column) &&
                !(ix->segments[k].flags & SEGMENT_TEMPLATE))
                return JET_errCatalogCorrupted;
        if (!(ix->flags & INDEX_PRIMARY))
            sc->secondaries++;
        else if (sc->primary)
            return JET_errCatalogCorrupted;
        else
            sc->primary = ix;
    }
    return JET_errSuccess;
}

JET_ERR
schema_finish(struct schema *sc)
{
    sc->autoinc = sc->version = NULL;
    sc->primary = NULL;
    sc->secondaries = 0;

    JET_ERR err = finish_columns(sc);
    if (err < 0)
        return err;
    return finish_indexes(sc);
}

const struct column *
schema_column(const struct schema *sc, uint32_t id)
{
    guint lo = 0, hi = sc->columns->len;

    if (id <= COLUMN_VAR_MOST)
        return sc->nontagged[id];
    while (lo < hi) {
        guint mid = (lo + hi) / 2;
        const struct column *c = sc->columns->pdata[mid];
        if (c->id == id)
            return c;
        if (c->id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

bool
name_equal(const char *a, const char *b)
{
    return g_ascii_strcasecmp(a, b) == 0;
}

const struct column *
schema_column_named(const struct schema *sc, const char *name)
{
    for (guint i = 0; i < sc->columns->len; i++) {
        const struct column *c = sc->columns->pdata[i];
        if (name_equal(c->name, name))
            return c;
    }
    return NULL;
}

const struct index *
schema_index_named(const struct schema *sc, const char *name)
{
    for (guint i = 0; i < sc->indexes->len; i++) {
        const struct index *ix = sc->indexes->pdata[i];
        if (name_equal(ix->name, name))
            return ix;
    }
    return NULL;
}

JET_ERR
name_check(const char *name)
{
    size_t n = 0;

    if (!name || !name[0] || name[0] == ' ')
        return JET_errInvalidName;
    for (const char *p = name; *p; p++, n++)
        if ((unsigned char)*p < 0x20 || strchr("!.[]", *p))
            return JET_errInvalidName;
    return n <= JET_cbNameMost ? JET_errSuccess : JET_errInvalidName;
}
