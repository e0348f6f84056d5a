/* SPDX-License-Identifier: MIT */
/*
 * checksum: XOR and ECC of blocks (pages, page quarters, log segments), and the plain XOR of
 * headers.
 *
 * A block of n bytes, bits numbered 0 .. 8n-1, id = page number or segment number:
 *   X = XOR of its dwords, XOR id;  L = XOR of the numbers of its 1-bits;
 *   H = L if there is an even number of them, else L XOR (8n-1);  value = H << 48 | L << 32 | X.
 * The first 8 bytes count as zero where the value itself is stored there. When exactly one bit b
 * has flipped, stored and computed L differ by b, and H by its complement: so it can be put right.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* len is a multiple of 64, at most 8192 .. skip: the first 8 bytes count as zero. */
uint64_t checksum_block(const void *block, size_t len, uint32_t id, bool skip);

/*
 * Given stored and computed checksum of a block: if one flipped bit explains the difference, flips
 * it back and returns true. A flipped bit in the stored value itself is not looked for.
 */
bool checksum_repair(void *block, size_t len, uint64_t stored, uint64_t computed);

/* Headers of databases, logs, checkpoints: 0x89ABCDEF XOR all dwords but the first. */
uint32_t checksum_header(const void *header, size_t len);

/* Is every byte zero? len is a multiple of 8. */
bool checksum_is_zero(const void *data, size_t len);
