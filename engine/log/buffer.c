/* SPDX-License-Identifier: MIT */
#include "log/buffer.h"

#include <glib.h>
#include <string.h>

#include "log/record.h"
#include "log/segment.h"

#define SEG_DATA   (SEGMENT_BYTES - SEGMENT_HEADER_BYTES)
#define FRAG_BEGIN 7u
#define FRAG       3u
#define NOP2       5u

/* The offset at which data goes on: at a segment's start its header is skipped. */
static uint32_t
data_at(uint32_t fill)
{
    return fill % SEGMENT_BYTES == 0 ? fill + SEGMENT_HEADER_BYTES : fill;
}

static uint32_t
left_in_segment(uint32_t at)
{
    return SEGMENT_BYTES - at % SEGMENT_BYTES;
}

/* Where a record of `bytes` begins if the buffer is filled up to `fill`. */
static uint32_t
record_at(uint32_t fill, size_t bytes)
{
    uint32_t at = data_at(fill);
    uint32_t left = left_in_segment(at);
    return bytes > left && left < SEGMENT_FRAGMENT_MIN ? at + left + SEGMENT_HEADER_BYTES : at;
}

/* The fill after that record. */
static uint64_t
fill_after(uint32_t fill, size_t bytes)
{
    uint64_t at = record_at(fill, bytes);
    uint32_t left = left_in_segment((uint32_t)at);
    if (bytes <= left)
        return at + bytes;

    uint64_t rest = bytes - (left - FRAG_BEGIN);
    uint64_t per_segment = SEG_DATA - FRAG;
    uint64_t full = (rest - 1) / per_segment;
    return at + left + full * SEGMENT_BYTES + SEGMENT_HEADER_BYTES + FRAG +
           (rest - full * per_segment);
}

static struct lgpos
pos_of(const struct log_buffer *buf, uint32_t at)
{
    uint32_t ib = at % SEGMENT_BYTES;
    return (struct lgpos) {(uint16_t)(ib == SEGMENT_HEADER_BYTES ? 0 : ib),
                           (uint16_t)(buf->first_isec + at / SEGMENT_BYTES), buf->gen};
}

void
log_buffer_reset(struct log_buffer *buf, int32_t gen, uint32_t first_isec)
{
    buf->fill = 0;
    buf->gen = gen;
    buf->first_isec = first_isec;
}

enum log_fit
log_buffer_fit(const struct log_buffer *buf, size_t bytes, uint32_t last_isec)
{
    uint64_t capacity = (uint64_t)buf->segments * SEGMENT_BYTES;
    uint64_t in_file = buf->first_isec > last_isec
                           ? 0
                           : (uint64_t)(last_isec - buf->first_isec + 1) * SEGMENT_BYTES;
    if (fill_after(0, bytes) > MIN(capacity, (uint64_t)last_isec * SEGMENT_BYTES))
        return LOG_FIT_TOO_LARGE;

    uint64_t end = fill_after(buf->fill, bytes);
    if (end <= MIN(capacity, in_file))
        return LOG_FIT_OK;
    return end > in_file ? LOG_FIT_FILE_FULL : LOG_FIT_BUFFER_FULL;
}

/* Reads a record that lies in several parts. */
struct source {
    const struct iovec *parts;
    size_t done; /* bytes taken of parts[0] */
};

static void
copy_from(struct source *src, uint8_t *to, size_t len)
{
    while (len > 0) {
        size_t n = MIN(len, src->parts->iov_len - src->done);
        if (n > 0)
            memcpy(to, (const uint8_t *)src->parts->iov_base + src->done, n);
        to += n;
        len -= n;
        src->done += n;
        if (src->done == src->parts->iov_len && len > 0) {
            src->parts++;
            src->done = 0;
        }
    }
}

static void
add_fragments(struct log_buffer *buf, struct source *src, uint32_t at, size_t total)
{
    uint32_t here = left_in_segment(at) - FRAG_BEGIN;
    uint8_t *p = buf->mem + at;
    p[0] = LR_FRAGMENT_BEGIN;
    le32_put(p + 1, (uint32_t)total);
    le16_put(p + 5, (uint16_t)here);
    copy_from(src, p + FRAG_BEGIN, here);
    at += FRAG_BEGIN + here;

    for (size_t rest = total - here; rest > 0; rest -= here) {
        p = buf->mem + at + SEGMENT_HEADER_BYTES;
        here = (uint32_t)MIN(rest, SEG_DATA - FRAG);
        p[0] = LR_FRAGMENT;
        le16_put(p + 1, (uint16_t)here);
        copy_from(src, p + FRAG, here);
        buf->fill = at + SEGMENT_HEADER_BYTES + FRAG + here;
        at += SEGMENT_BYTES;
    }
}

struct lgpos
log_buffer_add(struct log_buffer *buf, const struct iovec *parts, int n_parts)
{
    size_t total = 0;
    for (int i = 0; i < n_parts; i++)
        total += parts[i].iov_len;
    g_assert(fill_after(buf->fill, total) <= (uint64_t)buf->segments * SEGMENT_BYTES);

    uint32_t at = record_at(buf->fill, total);
    uint32_t gap = data_at(buf->fill); /* zeros up to the segment that the record begins in */
    if (at > gap)
        memset(buf->mem + gap, 0, left_in_segment(gap));

    struct source src = {parts, 0};
    if (total <= left_in_segment(at)) {
        copy_from(&src, buf->mem + at, total);
        buf->fill = at + (uint32_t)total;
    } else {
        add_fragments(buf, &src, at, total);
    }
    return pos_of(buf, at);
}

struct lgpos
log_buffer_tip(const struct log_buffer *buf)
{
    return pos_of(buf, data_at(buf->fill));
}

uint32_t
log_buffer_finish(struct log_buffer *buf)
{
    if (buf->fill % SEGMENT_BYTES != 0) {
        uint8_t *p = buf->mem + buf->fill;
        uint32_t left = left_in_segment(buf->fill);
        memset(p, 0, left);
        if (left >= NOP2) {
            p[0] = LR_NOP2;
            le32_put(p + 1, left - NOP2);
        }
        buf->fill += left;
    }
    return buf->fill / SEGMENT_BYTES;
}
