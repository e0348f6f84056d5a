/* SPDX-License-Identifier: MIT */
/*
 * recview: a record cut into its parts; what record.c (reading) and recbuf.c (building) share.
 */
#pragma once

#include "table/record.h"

#define TAGFLD_BYTES   4
#define TAGFLD_DERIVED 0x8000u
/* small pages only */
#define TAGFLD_HEADER 0x4000u
#define TAGFLD_NULL   0x2000u

/* The header byte of tagged data. */
#define TAG_LONG       0x01
#define TAG_COMPRESSED 0x02
#define TAG_SEPARATED  0x04
#define TAG_MULTI      0x08
#define TAG_TWO        0x10
#define TAG_NULL       0x20

struct recview {
    uint8_t last_fixed, last_var;
    struct span fixed, nullmap, ends, var, tagged;
};

/* One tagged column. raw = as stored, header byte included. */
struct tagfld {
    uint16_t id;
    bool derived, null;
    uint8_t header;
    struct span body, raw;
};

/* All: JET_errDatabaseCorrupted when the bytes do not add up. */
JET_ERR recview_init(struct span rec, struct recview *v);

static inline uint32_t
recview_vars(const struct recview *v)
{
    return v->last_var >= COLUMN_VAR_LEAST ? v->last_var - COLUMN_VAR_LEAST + 1u : 0;
}

/* End of variable column i (0-based) relative to the variable data. */
static inline uint32_t
recview_var_end(const struct recview *v, uint32_t i)
{
    return le16_get(v->ends.data + 2 * i) & 0x7fffu;
}

JET_ERR tagged_count(struct span t, bool large, uint32_t *n);

/* Entry i < n = tagged_count. */
JET_ERR tagged_at(struct span t, bool large, uint32_t i, uint32_t n, struct tagfld *f);

/* The entry of a column; *at = its place, or where it would be. JET_wrnColumnNull: not there. */
JET_ERR tagged_find(struct span t, bool large, uint32_t id, uint32_t *at, struct tagfld *f);

JET_ERR tagged_value_count(const struct tagfld *f, uint32_t *n);

/* Value i (0-based) < n = tagged_value_count. */
JET_ERR tagged_value_at(const struct tagfld *f, uint32_t i, uint32_t n, struct rec_value *v);
