/* SPDX-License-Identifier: MIT */
/*
 * key: column values made comparable by memcmp (edb format 7).
 *
 * A key is a row of segments, cut to the index's key_most; nothing follows a cut segment.
 *
 *   segment   prefix byte 0x7F, 0x00 null (0xC0 with nulls-high), 0x40 zero-length text or binary;
 *             then the body. Descending: every byte of the segment complemented.
 *   Bit 00/FF; integers big-endian, signed ones with the top bit flipped; floats and DateTime
 *   big-endian, negative ones complemented, others with the top bit flipped; GUID bytes 10-15, 8,
 * 9, 6, 7, 4, 5, 0-3 (.NET order: 3,2,1,0,5,4,7,6,8..15). Binary: groups of 8 bytes + 09, the last
 * zero-padded + its count; fixed binary as is. Text 1252: a-z made A-Z, to the first NUL, then 00.
 *   Text 1200, OUR RULE (Windows' sort keys need its weight tables, so this one is fixed and ours):
 *     UTF-16 units up to the first NUL unit, big-endian, a-z made A-Z, then 0000. So order is by
 * code unit, ASCII letters without case. Index rows say so by Version and SortID below, which no
 * Windows has: it will call the index out of date. An index over 1200 text with any other sort id
 * is foreign: it can be walked, but not sought or updated.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "esent.h"
#include "table/schema.h"

/* Catalog columns Version and SortID of an index with our keys over 1200 text. */
extern const uint8_t key_unicode_version[8];
extern const uint8_t key_unicode_sortid[16];

struct key {
    uint32_t len;
    bool cut;                       /* truncated: a byte was left out */
    uint8_t data[KEY_MOST_MAX + 1]; /* a limit key is one byte longer than any key */
};

static inline struct span
key_span(const struct key *k)
{
    return span_of(k->data, k->len);
}

/*
 * Appends the segment of column c. value.data NULL = null. descending as the index says. The value
 * has its column's form (record form). JET_errLanguageNotSupported: foreign unicode index.
 */
JET_ERR key_append(struct key *k, const struct index *ix, const struct column *c, bool descending,
                   struct span value);

/*
 * JetMakeKey's limit: the last segment, which begins at from, loses what marks its end (partial),
 * and with end the rest is filled with FF up to one byte more than key_most.
 */
void key_limit(struct key *k, const struct index *ix, const struct column *c, uint32_t from,
               bool descending, struct span value, bool partial, bool end);

/*
 * The key of a record. JET_errNullKeyDisallowed (index forbids nulls), JET_errKeyTruncated (index
 * forbids truncation), JET_errFeatureNotAvailable: a separated long value in the key;
 * JET_errDatabaseCorrupted, JET_errLanguageNotSupported. *nulls (may be NULL) = null segments.
 */
JET_ERR key_of_record(struct key *k, const struct schema *sc, const struct index *ix,
                      struct span rec, bool large, uint32_t *nulls);

/* The 4-byte key of a table without primary index. */
void key_of_number(struct key *k, uint32_t number);
