/* SPDX-License-Identifier: MIT */
/*
 * segment: the 4096-byte unit of a log file (log format, 2.1).
 *
 *   off size
 *     0    8 checksum: XOR dword, ECC dword ("page number" = isec)
 *     8    8 lgposSegment: ib 0, own isec, generation of the file
 *    16    8 LOGTIME
 *    24   12 zero
 *    36    4 flags: 0x2000
 *    40      records
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "log/lgpos.h"

#define SEGMENT_BYTES        4096
#define SEGMENT_HEADER_BYTES 40
#define SEGMENT_FLAGS        0x2000
#define SEGMENT_FRAGMENT_MIN 32 /* less room than this is zero-filled rather than begun in */

/* Fills the header of a segment whose records are in place, with its checksum. */
void segment_stamp(uint8_t seg[SEGMENT_BYTES], int32_t gen, uint16_t isec, uint64_t logtime);

/* The stored checksum, as accumulated into checksumPrevLogAllSegments (2.5). */
uint64_t segment_checksum(const uint8_t seg[SEGMENT_BYTES]);

/* Does the checksum hold for this isec? Content of the header is not looked at. */
bool segment_verify(const uint8_t seg[SEGMENT_BYTES], uint16_t isec);

/* Repairs a single flipped bit; false (and seg as before) if that is not what is wrong. */
bool segment_repair(uint8_t seg[SEGMENT_BYTES], uint16_t isec);

bool segment_is_zero(const uint8_t seg[SEGMENT_BYTES]);
struct lgpos segment_lgpos(const uint8_t seg[SEGMENT_BYTES]);
uint64_t segment_time(const uint8_t seg[SEGMENT_BYTES]);
