/* SPDX-License-Identifier: MIT */
/*
 * diff: applying the diff of a ReplaceD record (log format, 3.3).
 *
 * A sequence of {header, lengths, data}, offsets into the old data, ascending.
 *   small: u16 = offset (13 bits) | 0x2000 same length | 0x4000 insert | 0x8000 two-byte lengths
 *   wide:  u16 offset, u8 flags 0x20, 0x40, 0x80 with the same meanings
 * then the new length; the old length if neither "insert" nor "same length"; the new data.
 */
#include "log/record.h"

struct step {
    size_t offset;
    size_t old_len;
    struct span data;
};

static size_t
length(struct cursor *c, bool two_bytes)
{
    return two_bytes ? cursor_u16(c) : cursor_u8(c);
}

static struct step
next_step(struct cursor *c, bool wide)
{
    uint16_t head = cursor_u16(c);
    uint8_t flags = wide ? cursor_u8(c) : (uint8_t)(head >> 8 & 0xe0);
    struct step s = {.offset = wide ? head : head & 0x1fff};
    size_t new_len = length(c, flags & 0x80);
    if (flags & 0x20)
        s.old_len = new_len;
    else if (!(flags & 0x40))
        s.old_len = length(c, flags & 0x80);
    s.data = cursor_take(c, new_len);
    return s;
}

JET_ERR
lr_apply_diff(const struct lr *lr, struct span old, uint8_t *out, size_t cap, size_t *out_len)
{
    struct cursor c = cursor_over(lr->replace.data.data, lr->replace.data.len);
    size_t from = 0, to = 0;
    while (c.left > 0) {
        struct step s = next_step(&c, lr->replace.wide);
        if (c.bad || s.offset < from || s.offset > old.len || s.old_len > old.len - s.offset)
            return JET_errLogFileCorrupt;
        size_t keep = s.offset - from;
        if (keep > cap - to || s.data.len > cap - to - keep)
            return JET_errLogFileCorrupt;
        if (keep > 0)
            memcpy(out + to, old.data + from, keep);
        if (s.data.len > 0)
            memcpy(out + to + keep, s.data.data, s.data.len);
        to += keep + s.data.len;
        from = s.offset + s.old_len;
    }
    size_t rest = old.len - from;
    if (rest > cap - to || to + rest != lr->replace.new_len)
        return JET_errLogFileCorrupt;
    if (rest > 0)
        memcpy(out + to, old.data + from, rest);
    *out_len = to + rest;
    return JET_errSuccess;
}
