/* SPDX-License-Identifier: MIT */
/*
 * schema: one table's definition in memory: columns, indexes, places. Immutable once built,
 * counted, shared by cursors.
 *
 * Column ids say how a column is stored: 1..127 fixed, 128..255 variable, 256.. tagged (edb format
 * 6).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "esent.h"

#define COLUMN_FIXED_MOST   127u
#define COLUMN_VAR_LEAST    128u
#define COLUMN_VAR_MOST     255u
#define COLUMN_TAGGED_LEAST 256u
#define COLUMN_TAGGED_MOST  65248u

#define INDEX_SEGMENTS_MAX 16u
#define KEY_MOST_DEFAULT   255u
#define KEY_MOST_MAX       2000u

/* Flags of a column in its catalog row. */
#define COLUMN_NOT_NULL     0x1u
#define COLUMN_VERSION      0x2u
#define COLUMN_AUTOINC      0x4u
#define COLUMN_MULTIVALUED  0x8u
#define COLUMN_DEFAULT      0x10u
#define COLUMN_ESCROW       0x20u
#define COLUMN_FINALIZE     0x40u
#define COLUMN_USER_DEFAULT 0x80u
#define COLUMN_TEMPLATE     0x100u
#define COLUMN_COMPRESSED   0x1000u
#define COLUMN_ENCRYPTED    0x2000u

/* Flags of an index in its catalog row. */
#define INDEX_UNIQUE           0x1u
#define INDEX_ALLOW_ALL_NULL   0x2u
#define INDEX_ALLOW_FIRST_NULL 0x4u
#define INDEX_ALLOW_SOME_NULL  0x8u
#define INDEX_NO_NULL          0x10u
#define INDEX_PRIMARY          0x20u
#define INDEX_LOCALE_SET       0x40u
#define INDEX_MULTIVALUED      0x80u
#define INDEX_LOCALIZED        0x400u
#define INDEX_NULLS_HIGH       0x800u
#define INDEX_NO_TRUNCATION    0x4000u
#define INDEX_EXTENDED         0x10000u /* 4-byte KeyFldIDs */
#define INDEX_DOTNET_GUID      0x20000u

/* Flags of a segment in KeyFldIDs. */
#define SEGMENT_TEMPLATE   0x80u
#define SEGMENT_DESCENDING 0x40u

/* Flags of a table in its catalog row. */
#define TABLE_SYSTEM         0x80000000u
#define TABLE_FIXED_DDL      0x40000000u
#define TABLE_TEMPLATE       0x20000000u
#define TABLE_DERIVED        0x10000000u
#define TABLE_SYSTEM_DYNAMIC 0x08000000u

struct column {
    uint32_t id;
    JET_COLTYP coltyp;
    uint32_t flags;  /* COLUMN_... */
    uint32_t cb_max; /* 0 = no limit (long types) */
    uint16_t cp;     /* text: 1252, 1200; else 0 */
    uint16_t offset; /* fixed: in the record, first is 4 */
    char *name;
    uint8_t *def; /* default in record form, or NULL */
    uint32_t def_cb;
};

struct segment {
    uint16_t column; /* id */
    uint8_t flags;   /* SEGMENT_... */
};

struct index {
    char *name;
    uint32_t objid;
    uint32_t pgno_fdp;
    uint32_t flags;       /* INDEX_... */
    uint32_t key_most;    /* bytes */
    uint32_t var_seg_mac; /* bytes of a variable segment; 0 = key_most */
    uint32_t density;
    uint32_t n_segments;
    struct segment segments[INDEX_SEGMENTS_MAX];
    bool foreign_unicode; /* has sort keys we cannot make: built by Windows */
};

struct schema {
    int refs;
    char *name;
    uint32_t objid;
    uint32_t pgno_fdp;
    uint32_t flags; /* TABLE_... */
    uint32_t density;
    uint32_t pages;
    uint32_t lv_pgno;      /* FDP of the long value tree, 0 without */
    uint32_t lv_chunk;     /* LVChunkMax, 0 = default of the page size */
    GPtrArray *columns;    /* struct column, by id */
    GPtrArray *indexes;    /* struct index */
    struct index *primary; /* one of them, or NULL: records are numbered */
    uint32_t secondaries;
    const struct column *autoinc, *version; /* or NULL */
    /* the next column's place: deleted columns (rows of type Nil) keep theirs */
    uint32_t last_fixed, last_var, last_tagged, fixed_end;
    struct column *nontagged[256]; /* by id */
};

struct schema *schema_new(void);
struct schema *schema_ref(const struct schema *sc);
void schema_unref(struct schema *sc); /* NULL is fine */

/* The schema owns them afterwards. Columns may come in any order; schema_finish sorts. A column of
 * type Nil was deleted: its place counts, then it is freed. */
void schema_add_column(struct schema *sc, struct column *c);
void schema_add_index(struct schema *sc, struct index *ix);

/*
 * Sorts, finds special columns, checks ids and offsets. JET_errCatalogCorrupted: same id twice,
 * fixed columns that overlap, an index over a column that is not there.
 */
JET_ERR schema_finish(struct schema *sc);

void column_free(struct column *c);
void index_free(struct index *ix);

/* NULL when there is none. */
const struct column *schema_column(const struct schema *sc, uint32_t id);
const struct column *schema_column_named(const struct schema *sc, const char *name);
const struct index *schema_index_named(const struct schema *sc, const char *name);

static inline bool
column_is_fixed(const struct column *c)
{
    return c->id <= COLUMN_FIXED_MOST;
}

static inline bool
column_is_var(const struct column *c)
{
    return c->id >= COLUMN_VAR_LEAST && c->id <= COLUMN_VAR_MOST;
}

static inline bool
column_is_tagged(const struct column *c)
{
    return c->id >= COLUMN_TAGGED_LEAST;
}

static inline bool
coltyp_is_text(JET_COLTYP t)
{
    return t == JET_coltypText || t == JET_coltypLongText;
}

static inline bool
coltyp_is_binary(JET_COLTYP t)
{
    return t == JET_coltypBinary || t == JET_coltypLongBinary;
}

static inline bool
coltyp_is_long(JET_COLTYP t)
{
    return t == JET_coltypLongBinary || t == JET_coltypLongText;
}

/* Bytes of a value of a type with one size, 0 for text and binary. */
uint32_t coltyp_size(JET_COLTYP t);

/* Bytes a fixed column takes in the record. */
uint32_t column_size(const struct column *c);

/* Case-insensitive for ASCII: how names and ASCII keys compare. */
bool name_equal(const char *a, const char *b);

/*
 * Names: 1..64 bytes, no control characters, none of "!.[]", no leading space. JET_errInvalidName.
 */
JET_ERR name_check(const char *name);
