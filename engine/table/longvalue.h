/* SPDX-License-Identifier: MIT */
/*
 * longvalue: reading values that live outside their record (edb format 9).
 *
 * One LV tree per table. Key LID (u32 big-endian, or u64 with the top bit set): data = u32
 * references, u32 size. Key LID + offset (u32 big-endian): a chunk; shorter than the bytes it
 * stands for = compressed. We read such values and never make them.
 */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "esent.h"

struct table;

/*
 * cb bytes from offset of the value with this LID (4 or 8 bytes, as in the record); *actual = bytes
 * from offset to its end. JET_wrnBufferTruncated; JET_errLVCorrupted: no such value, or a hole in
 * it; JET_errDecompressionFailed.
 */
JET_ERR longvalue_read(struct table *t, struct span lid, uint32_t offset, void *pv, uint32_t cb,
                       uint32_t *actual);
