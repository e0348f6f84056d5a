/* SPDX-License-Identifier: MIT */
/*
 * record: the bytes of one row (edb format 6).
 *
 *   off 0  u8   last fixed column present (0 none)
 *       1  u8   last variable column present (127 none)
 *       2  u16  end of fixed data and null map = start of the variable array
 *       4       fixed columns 1..last, packed at their RecordOffset
 *               null map, bit id-1 set = null, spare bits 1
 *               u16 per variable column: end, relative to the end of this array; bit 15 = null
 *               variable data
 *               tagged columns: array of {u16 id, u16 offset and flags}, then their data
 *
 * Columns that are not there hold their default. Decoding trusts nothing: all of it is bounded and
 * a record that does not add up is JET_errDatabaseCorrupted. Both tagged layouts: "large" = pages
 * above 8 KiB.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/expand.h"
#include "esent.h"
#include "table/schema.h"

struct rec_value {
    struct span data; /* in the record; of a separated value: the LID, 4 or 8 bytes */
    bool null;
    bool absent; /* nothing stored (data empty, null true): the default applies */
    bool separated;
    bool compressed;
    uint32_t count; /* values of the column in the record */
};

/* Largest record: page size, key_most of the primary index (4 without). */
uint32_t record_max(uint32_t page_bytes, uint32_t key_most);

/* Checks the whole structure. JET_errDatabaseCorrupted. */
JET_ERR record_check(struct span rec, bool large);

/*
 * Value number itag (from 1) of a column. A value that is not there is absent (itag 1) or null
 * (itag > count). JET_errDatabaseCorrupted.
 */
JET_ERR record_get(struct span rec, bool large, const struct column *c, uint32_t itag,
                   struct rec_value *out);

/*
 * The i-th of all tagged values in the record, in order of column and number.
 * JET_errDatabaseCorrupted; JET_wrnColumnNull past the end.
 */
JET_ERR record_tagged_at(struct span rec, bool large, uint32_t i, uint32_t *columnid,
                         uint32_t *itag, struct rec_value *out);

/* A compressed value: bytes_expand(). */
static inline JET_ERR
record_expand(struct span packed, uint8_t *out, uint32_t cap, uint32_t *len)
{
    return bytes_expand(packed, out, cap, len);
}

/* A record under construction. */
struct recbuf {
    uint8_t *data; /* the record */
    uint32_t len;
    uint32_t max; /* limit of len */
    bool large;
    uint8_t *scratch; /* the next version, swapped in when it is complete */
    uint8_t *temp;
};

/* JET_errOutOfMemory. Starts with the empty record. */
JET_ERR recbuf_init(struct recbuf *b, uint32_t page_bytes, uint32_t key_most);
void recbuf_clear(struct recbuf *b);
void recbuf_reset(struct recbuf *b);

/* Takes a copy. JET_errDatabaseCorrupted, JET_errRecordTooBig. */
JET_ERR recbuf_load(struct recbuf *b, struct span rec);
struct span recbuf_span(const struct recbuf *b);

/*
 * Sets one value; data.data NULL = null. Tagged columns: itag 0 or above count adds a value; null
 * removes the value, and the last one's removal leaves the default (no default: null) unless
 * explicit_null. The size of data was checked by the caller. JET_errRecordTooBig,
 * JET_errDatabaseCorrupted; the record is unchanged then.
 */
JET_ERR recbuf_set(struct recbuf *b, const struct schema *sc, const struct column *c, uint32_t itag,
                   struct span data, bool explicit_null);

/* Takes a tagged column out: its default applies again. Others: JET_errInvalidParameter. */
JET_ERR recbuf_unset_tagged(struct recbuf *b, const struct column *c);
