/* SPDX-License-Identifier: MIT */
/*
 * expand: compressed column values, and page images in Windows' logs. First byte: scheme << 3 | low
 * bits (edb format 6).
 *
 *   scheme 1  7-bit ASCII packed LSB first; low bits + 1 = bits used in the last byte
 *   scheme 2  the same, each character becomes a UTF-16 unit
 *   scheme 3  u16 original size, then plain LZ77 (MS-XCA 2.4: 32 flags at a time, MSB first)
 */
#include "base/expand.h"

static JET_ERR
expand_bits(struct span p, uint32_t unit, uint8_t *out, uint32_t cap, uint32_t *len)
{
    uint32_t used = (p.data[0] & 7u) + 1;
    uint64_t bits = p.len > 1 ? (uint64_t)(p.len - 2) * 8 + used : 0;
    uint32_t n = (uint32_t)(bits / 7);

    for (uint32_t i = 0; i < n; i++) {
        uint32_t bit = i * 7, at = 1 + bit / 8;
        uint32_t two = p.data[at] | (at + 1 < p.len ? (uint32_t)p.data[at + 1] << 8 : 0);
        uint8_t ch = two >> bit % 8 & 0x7f;
        for (uint32_t k = 0; k < unit; k++)
            if (i * unit + k < cap)
                out[i * unit + k] = k ? 0 : ch;
    }
    *len = n * unit;
    return JET_errSuccess;
}

/* Length of a match: 3 bits, then a shared half byte, then a byte, a u16, a u32. */
static uint32_t
match_length(struct cursor *c, uint32_t low, const uint8_t **half)
{
    uint32_t n = low;

    if (n < 7)
        return n + 3;
    if (!*half) {
        struct span s = cursor_take(c, 1);
        n = s.data ? s.data[0] & 15u : 0;
        *half = s.data;
    } else {
        n = **half >> 4;
        *half = NULL;
    }
    if (n < 15)
        return n + 7 + 3;
    n = cursor_u8(c);
    if (n < 255)
        return n + 15 + 7 + 3;
    n = cursor_u16(c);
    if (n == 0)
        n = cursor_u32(c);
    if (n < 15 + 7)
        c->bad = true;
    return n + 3;
}

/* Reads its own output, so it needs all of it: size bytes at out. */
static JET_ERR
expand_lz(struct cursor *c, uint8_t *out, uint32_t size)
{
    const uint8_t *half = NULL;
    uint32_t flags = 0, left = 0, at = 0;

    while (at < size) {
        if (left == 0) {
            flags = cursor_u32(c);
            left = 32;
        }
        bool match = flags >> --left & 1;
        if (!match) {
            out[at++] = cursor_u8(c);
        } else {
            uint32_t v = cursor_u16(c), offset = (v >> 3) + 1;
            uint32_t n = match_length(c, v & 7, &half);
            if (c->bad || at == 0 || offset > at || n > size - at)
                return JET_errDecompressionFailed;
            for (uint32_t i = 0; i < n; i++, at++)
                out[at] = out[at - offset];
        }
        if (c->bad)
            return JET_errDecompressionFailed;
    }
    return JET_errSuccess;
}

static JET_ERR
expand_xpress(struct span p, uint8_t *out, uint32_t cap, uint32_t *len)
{
    struct cursor c = cursor_over(p.data + 1, p.len - 1);
    uint32_t size = cursor_u16(&c);

    if (c.bad)
        return JET_errDecompressionFailed;
    *len = size;
    if (cap >= size)
        return expand_lz(&c, out, size);

    uint8_t whole[0x10000];
    JET_ERR err = expand_lz(&c, whole, size);
    if (err >= 0 && cap)
        memcpy(out, whole, cap);
    return err;
}

JET_ERR
bytes_expand(struct span packed, uint8_t *out, uint32_t cap, uint32_t *len)
{
    *len = 0;
    if (packed.len == 0)
        return JET_errDecompressionFailed;
    switch (packed.data[0] >> 3) {
    case 1:
        return expand_bits(packed, 1, out, cap, len);
    case 2:
        return expand_bits(packed, 2, out, cap, len);
    case 3:
        return expand_xpress(packed, out, cap, len);
    default:
        return JET_errDecompressionFailed;
    }
}
