/* SPDX-License-Identifier: MIT */
/*
 * logtime: LOGTIME, ESE's 8-byte calendar time, kept as its bytes in a uint64_t (little-endian).
 *
 * sec, min, hour, day, month (1-12), year - 1900, then bit 0 "UTC" + low 7 bits of the
 * milliseconds, then their high 3 bits in bits 1-3. Compared for identity only; 0 = none.
 */
#pragma once

#include <stdint.h>

/* From Unix time in milliseconds, UTC. */
uint64_t logtime_from_unix_ms(int64_t ms);

/* Back to Unix time in milliseconds; 0 for a LOGTIME of 0 or one that is no date. */
int64_t logtime_to_unix_ms(uint64_t logtime);

/* Now. */
uint64_t logtime_now(void);
