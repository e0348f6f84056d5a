/* SPDX-License-Identifier: MIT */
/*
 * lgpos: a position in the log, ESE's LGPOS. Ordered by generation, segment, byte.
 *
 * A record that starts a segment has ib 0, not 40 (log format, 2.2).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct lgpos {
    uint16_t ib;   /* byte in the segment */
    uint16_t isec; /* segment in the file; 0 is the file header */
    int32_t gen;   /* generation */
};

#define LGPOS_BYTES 8
#define LGPOS_MIN   ((struct lgpos) {0, 0, 0})
#define LGPOS_MAX   ((struct lgpos) {0xffff, 0xffff, 0x7fffffff})

static inline int
lgpos_cmp(struct lgpos a, struct lgpos b)
{
    if (a.gen != b.gen)
        return a.gen < b.gen ? -1 : 1;
    if (a.isec != b.isec)
        return a.isec < b.isec ? -1 : 1;
    return (a.ib > b.ib) - (a.ib < b.ib);
}

static inline struct lgpos
lgpos_min(struct lgpos a, struct lgpos b)
{
    return lgpos_cmp(a, b) <= 0 ? a : b;
}

static inline struct lgpos
lgpos_max(struct lgpos a, struct lgpos b)
{
    return lgpos_cmp(a, b) >= 0 ? a : b;
}

static inline bool
lgpos_is_zero(struct lgpos p)
{
    return p.gen == 0 && p.isec == 0 && p.ib == 0;
}

static inline struct lgpos
lgpos_get(const void *p)
{
    const uint8_t *b = p;
    return (struct lgpos) {le16_get(b), le16_get(b + 2), (int32_t)le32_get(b + 4)};
}

static inline void
lgpos_put(void *p, struct lgpos v)
{
    uint8_t *b = p;
    le16_put(b, v.ib);
    le16_put(b + 2, v.isec);
    le32_put(b + 4, (uint32_t)v.gen);
}

/* As one number, the form of a commit id: gen << 32 | isec << 16 | ib. */
static inline uint64_t
lgpos_pack(struct lgpos p)
{
    return (uint64_t)(uint32_t)p.gen << 32 | (uint32_t)p.isec << 16 | p.ib;
}

static inline struct lgpos
lgpos_unpack(uint64_t packed)
{
    return (struct lgpos) {(uint16_t)packed, (uint16_t)(packed >> 16), (int32_t)(packed >> 32)};
}
