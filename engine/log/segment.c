/* SPDX-License-Identifier: MIT */
/* segment: stamping, verifying and repairing; the byte table is in segment.h. */
#include "log/segment.h"

#include "base/bytes.h"

#define ROWS (SEGMENT_BYTES / 4)

/* XOR (low dword) and ECC (high dword) of a segment that is to be number isec. */
static uint64_t
compute(const uint8_t seg[SEGMENT_BYTES], uint16_t isec)
{
    uint32_t col = 0, p = 0, q = 0, r = 0, s = 0;
    for (uint32_t i = 2; i < ROWS; i++) {
        uint32_t row = le32_get(seg + 4 * i);
        col ^= row;
        if (__builtin_parity(row)) {
            p ^= i;
            q ^= ~i;
        }
    }
    for (uint32_t j = 0; j < 32; j++) {
        if (col >> j & 1) {
            r ^= j;
            s ^= ~j;
        }
    }
    uint32_t m = ROWS - 1;
    uint32_t ecc = (q & m) << 21 | (s & 31) << 16 | (p & m) << 5 | (r & 31);
    return (uint64_t)ecc << 32 | (col ^ isec);
}

void
segment_stamp(uint8_t seg[SEGMENT_BYTES], int32_t gen, uint16_t isec, uint64_t logtime)
{
    lgpos_put(seg + 8, (struct lgpos){0, isec, gen});
    le64_put(seg + 16, logtime);
    memset(seg + 24, 0, 12);
    le32_put(seg + 36, SEGMENT_FLAGS);
    le64_put(seg, compute(seg, isec));
}

uint64_t
segment_checksum(const uint8_t seg[SEGMENT_BYTES])
{
    return le64_get(seg);
}

bool
segment_verify(const uint8_t seg[SEGMENT_BYTES], uint16_t isec)
{
    return segment_checksum(seg) == compute(seg, isec);
}

bool
segment_repair(uint8_t seg[SEGMENT_BYTES], uint16_t isec)
{
    uint64_t diff = segment_checksum(seg) ^ compute(seg, isec);
    uint32_t d = (uint32_t)(diff >> 32), x = (uint32_t)diff;
    uint32_t bit = d & 0xffff;
    if (((d >> 16) ^ bit) != 0x7fff || __builtin_popcount(x) != 1 || bit >= SEGMENT_BYTES * 8)
        return false;
    seg[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (segment_verify(seg, isec))
        return true;
    seg[bit / 8] ^= (uint8_t)(1u << bit % 8);
    return false;
}

bool
segment_is_zero(const uint8_t seg[SEGMENT_BYTES])
{
    return seg[0] == 0 && memcmp(seg, seg + 1, SEGMENT_BYTES - 1) == 0;
}

struct lgpos
segment_lgpos(const uint8_t seg[SEGMENT_BYTES])
{
    return lgpos_get(seg + 8);
}

uint64_t
segment_time(const uint8_t seg[SEGMENT_BYTES])
{
    return le64_get(seg + 16);
}
