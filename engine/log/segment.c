/* SPDX-License-Identifier: MIT */
/* segment: stamping, verifying and repairing; the byte table is in segment.h. */
#include "log/segment.h"

#include "base/bytes.h"
#include "page/checksum.h"

static uint64_t
compute(const uint8_t seg[SEGMENT_BYTES], uint16_t isec)
{
    return checksum_block(seg, SEGMENT_BYTES, isec, true);
}

void
segment_stamp(uint8_t seg[SEGMENT_BYTES], int32_t gen, uint16_t isec, uint64_t logtime)
{
    lgpos_put(seg + 8, (struct lgpos) {0, isec, gen});
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
    uint8_t saved[SEGMENT_BYTES];
    memcpy(saved, seg, SEGMENT_BYTES);
    if (checksum_repair(seg, SEGMENT_BYTES, segment_checksum(seg), compute(seg, isec)) &&
        segment_verify(seg, isec))
        return true;
    memcpy(seg, saved, SEGMENT_BYTES);
    return false;
}

bool
segment_is_zero(const uint8_t seg[SEGMENT_BYTES])
{
    return checksum_is_zero(seg, SEGMENT_BYTES);
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
