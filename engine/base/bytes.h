/* SPDX-License-Identifier: MIT */
/*
 * bytes: the only way disk and wire bytes become numbers.
 *
 * Unchecked accessors (le16_get ...) are for offsets that the caller has already bounded, e.g. a
 * fixed struct inside a 4096-byte segment. struct cursor is for everything whose length comes from
 * the data itself: it never reads outside its range, and remembers that somebody tried.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t
le16_get(const void *p)
{
    const uint8_t *b = p;
    return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t
le32_get(const void *p)
{
    const uint8_t *b = p;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t
le64_get(const void *p)
{
    const uint8_t *b = p;
    return (uint64_t)le32_get(b) | (uint64_t)le32_get(b + 4) << 32;
}

static inline void
le16_put(void *p, uint16_t v)
{
    uint8_t *b = p;
    b[0] = (uint8_t)v;
    b[1] = (uint8_t)(v >> 8);
}

static inline void
le32_put(void *p, uint32_t v)
{
    uint8_t *b = p;
    le16_put(b, (uint16_t)v);
    le16_put(b + 2, (uint16_t)(v >> 16));
}

static inline void
le64_put(void *p, uint64_t v)
{
    uint8_t *b = p;
    le32_put(b, (uint32_t)v);
    le32_put(b + 4, (uint32_t)(v >> 32));
}

static inline uint16_t
be16_get(const void *p)
{
    const uint8_t *b = p;
    return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t
be32_get(const void *p)
{
    const uint8_t *b = p;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | (uint32_t)b[3];
}

static inline uint64_t
be64_get(const void *p)
{
    const uint8_t *b = p;
    return (uint64_t)be32_get(b) << 32 | be32_get(b + 4);
}

static inline void
be16_put(void *p, uint16_t v)
{
    uint8_t *b = p;
    b[0] = (uint8_t)(v >> 8);
    b[1] = (uint8_t)v;
}

static inline void
be32_put(void *p, uint32_t v)
{
    uint8_t *b = p;
    be16_put(b, (uint16_t)(v >> 16));
    be16_put(b + 2, (uint16_t)v);
}

static inline void
be64_put(void *p, uint64_t v)
{
    uint8_t *b = p;
    be32_put(b, (uint32_t)(v >> 32));
    be32_put(b + 4, (uint32_t)v);
}

/* A run of bytes that belongs to somebody else. */
struct span {
    const uint8_t *data;
    size_t len;
};

static inline struct span
span_of(const void *data, size_t len)
{
    return (struct span) {data, len};
}

/* memcmp order, the shorter first on a tie: the order of ESE keys. */
static inline int
span_cmp(struct span a, struct span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.data, b.data, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

/* Bounded reading: every get past the end returns zero (or an empty span) and sets bad. */
struct cursor {
    const uint8_t *at;
    size_t left;
    bool bad;
};

static inline struct cursor
cursor_over(const void *data, size_t len)
{
    return (struct cursor) {data, len, false};
}

static inline struct span
cursor_take(struct cursor *c, size_t len)
{
    if (c->bad || len > c->left) {
        c->bad = true;
        return (struct span) {NULL, 0};
    }
    struct span s = {c->at, len};
    c->at += len;
    c->left -= len;
    return s;
}

static inline uint8_t
cursor_u8(struct cursor *c)
{
    struct span s = cursor_take(c, 1);
    return s.data ? s.data[0] : 0;
}

static inline uint16_t
cursor_u16(struct cursor *c)
{
    struct span s = cursor_take(c, 2);
    return s.data ? le16_get(s.data) : 0;
}

static inline uint32_t
cursor_u32(struct cursor *c)
{
    struct span s = cursor_take(c, 4);
    return s.data ? le32_get(s.data) : 0;
}

static inline uint64_t
cursor_u64(struct cursor *c)
{
    struct span s = cursor_take(c, 8);
    return s.data ? le64_get(s.data) : 0;
}
