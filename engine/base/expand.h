/* SPDX-License-Identifier: MIT */
/*
 * expand: what Windows compressed. We never compress.
 */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "esent.h"

/*
 * Expands a compressed value (7-bit, 7-bit of UTF-16, XPRESS) into out; *len = expanded size, which
 * may exceed cap (then only cap bytes are written). JET_errDecompressionFailed: bad data or unknown
 * scheme.
 */
JET_ERR bytes_expand(struct span packed, uint8_t *out, uint32_t cap, uint32_t *len);
