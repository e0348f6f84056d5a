/* SPDX-License-Identifier: MIT */
#include "page/checksum.h"

#include <string.h>

#include "base/bytes.h"

#define HEADER_SEED 0x89abcdefu

#define GROUP_WORDS 8

/*
 * L is built from the parities of 64-bit words: word w covers the bits 64w .. 64w+63. For the low 6
 * bits of bit numbers only the column matters: the XOR of all words has in column c the parity of
 * all bits whose number ends in c. For the higher bits only the word matters: XOR of w over the
 * words of odd parity. Of w itself, the low 3 bits come from eight sums, one for each place in a
 * group of eight words, the others from the parity of each group: one parity for eight words, no
 * branch.
 *
 * Skipping word 0 touches the column only, since its number adds nothing to L.
 */
uint64_t
checksum_block(const void *block, size_t len, uint32_t id, bool skip)
{
    const uint8_t *p = block;
    uint64_t place[GROUP_WORDS] = {0};
    uint32_t row = 0;
    for (uint32_t w = 0; w < len / 8; w += GROUP_WORDS) {
        uint64_t v[GROUP_WORDS];
        memcpy(v, p + (size_t)w * 8, sizeof v);
        uint64_t group = 0;
        for (int i = 0; i < GROUP_WORDS; i++) {
            v[i] = le64_get(&v[i]);
            place[i] ^= v[i];
            group ^= v[i];
        }
        row ^= w & (0u - (uint32_t)__builtin_parityll(group));
    }
    uint64_t column = skip ? le64_get(p) : 0;
    for (uint32_t i = 0; i < GROUP_WORDS; i++) {
        column ^= place[i];
        row ^= i & (0u - (uint32_t)__builtin_parityll(place[i]));
    }
    uint32_t low = 0;
    for (uint64_t c = column; c; c &= c - 1)
        low ^= (uint32_t)__builtin_ctzll(c);
    uint32_t l = row << 6 | low;
    uint32_t mask = (uint32_t)(len * 8 - 1);
    uint32_t h = __builtin_parityll(column) ? l ^ mask : l;
    uint32_t x = (uint32_t)column ^ (uint32_t)(column >> 32) ^ id;
    return (uint64_t)(h << 16 | l) << 32 | x;
}

bool
checksum_repair(void *block, size_t len, uint64_t stored, uint64_t computed)
{
    uint32_t mask = (uint32_t)(len * 8 - 1);
    uint32_t e = (uint32_t)(stored >> 32) ^ (uint32_t)(computed >> 32);
    uint32_t x = (uint32_t)stored ^ (uint32_t)computed;
    if ((((e >> 16) ^ e) & mask) != mask || __builtin_popcount(x) != 1)
        return false;
    uint32_t bit = e & 0xffff;
    if (bit > mask || (1u << (bit % 32)) != x)
        return false;
    ((uint8_t *)block)[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    return true;
}

uint32_t
checksum_header(const void *header, size_t len)
{
    const uint8_t *p = header;
    uint32_t sum = HEADER_SEED;
    for (size_t i = 4; i < len; i += 4)
        sum ^= le32_get(p + i);
    return sum;
}

bool
checksum_is_zero(const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t any = 0;
    for (size_t i = 0; i < len; i += 8) {
        uint64_t v;
        memcpy(&v, p + i, 8);
        any |= v;
        if (i % 512 == 504 && any)
            return false;
    }
    return any == 0;
}
