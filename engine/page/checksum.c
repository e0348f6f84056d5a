/* SPDX-License-Identifier: MIT */
#include "page/checksum.h"

#include <string.h>

#include "base/bytes.h"

#define HEADER_SEED 0x89abcdefu

/*
 * L is built from the parities of 64-bit words: word w covers the bits 64w .. 64w+63. For the low 6
 * bits of bit numbers only the column matters: the XOR of all words has in column c the parity of all
 * bits whose number ends in c. For the higher bits only the word matters: XOR of w over the words of
 * odd parity, which is gathered eight words at a time without branches.
 */
uint64_t
checksum_block(const void *block, size_t len, uint32_t id, bool skip)
{
    const uint8_t *p = block;
    uint64_t column = 0;
    uint32_t row = 0;
    uint32_t words = (uint32_t)(len / 8);
    for (uint32_t w = skip ? 1 : 0; w < words; w++) {
        uint64_t v;
        memcpy(&v, p + (size_t)w * 8, 8);
        v = le64_get(&v);
        column ^= v;
        row ^= w & (0u - (uint32_t)__builtin_parityll(v));
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
