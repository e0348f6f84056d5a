/* SPDX-License-Identifier: MIT */
#include "log/scan.h"

#include <string.h>

#include "log/record.h"
#include "log/segment.h"

enum finding { VALID, EMPTY, BAD };

struct scanner {
    uint8_t *image;
    const struct log_filehdr *hdr;
    struct log_scan *out;
};

static uint8_t *
at(const struct scanner *s, uint16_t isec)
{
    return s->image + (size_t)isec * SEGMENT_BYTES;
}

/* A whole segment: is it the one that belongs here? */
static enum finding
by_position(const struct scanner *s, uint16_t isec)
{
    int c = lgpos_cmp(segment_lgpos(at(s, isec)), (struct lgpos) {0, isec, s->hdr->gen});
    return c == 0 ? VALID : c < 0 ? EMPTY : BAD;
}

static enum finding
look(const struct scanner *s, uint16_t isec)
{
    uint8_t *seg = at(s, isec);
    if (segment_verify(seg, isec))
        return by_position(s, isec);
    if (segment_is_zero(seg) || segment_verify(seg, (uint16_t)(isec - 1)))
        return EMPTY;
    if (segment_repair(seg, isec)) {
        s->out->repaired++;
        return by_position(s, isec);
    }
    return BAD;
}

/* The bad segment isec may have its shadow in isec + 1. */
static bool
take_shadow(const struct scanner *s, uint16_t isec)
{
    const uint8_t *shadow = at(s, (uint16_t)(isec + 1));
    if (!segment_verify(shadow, isec) ||
        lgpos_cmp(segment_lgpos(shadow), (struct lgpos) {0, isec, s->hdr->gen}) != 0)
        return false;
    memcpy(at(s, isec), shadow, SEGMENT_BYTES);
    s->out->patched++;
    s->out->patched_isec = isec;
    return true;
}

/* Walks the records of one segment; *last = the last one that is not padding (type NOP: none).
 * Returns where the walk ended: SEGMENT_BYTES, or less when only zeros follow. */
static size_t
walk(const uint8_t *seg, size_t *last)
{
    size_t off = SEGMENT_HEADER_BYTES;
    *last = 0;
    while (off < SEGMENT_BYTES) {
        const uint8_t *p = seg + off;
        size_t size = 0;
        if (*p == LR_FRAGMENT_BEGIN || *p == LR_FRAGMENT) {
            size_t head = *p == LR_FRAGMENT_BEGIN ? 7 : 3;
            if (SEGMENT_BYTES - off < head)
                return off;
            size = head + le16_get(p + head - 2);
            *last = off;
        } else {
            struct lr lr;
            if (lr_decode(p, SEGMENT_BYTES - off, &lr, &size) < 0)
                return off;
            if (*p != LR_NOP && *p != LR_NOP2)
                *last = off;
        }
        off += size;
    }
    return off;
}

/* Does the flush that wrote this segment end with it? True if it ends in padding. */
static bool
ends_flush(const uint8_t *seg)
{
    size_t last;
    size_t end = walk(seg, &last);
    if (end != SEGMENT_BYTES || last == 0)
        return false;
    struct lr lr;
    size_t size;
    if (seg[last] == LR_FRAGMENT_BEGIN)
        return false;
    if (seg[last] == LR_FRAGMENT)
        return 3 + (size_t)le16_get(seg + last + 1) < SEGMENT_BYTES - last;
    return lr_decode(seg + last, SEGMENT_BYTES - last, &lr, &size) >= 0 &&
           last + size < SEGMENT_BYTES;
}

/*
 * At gap the chain of valid segments breaks although something follows. Torn write or damage? What
 * was written after the gap must be at most the rest of the one flush the gap belongs to.
 */
static bool
is_torn_flush(const struct scanner *s, uint16_t gap, const uint8_t *findings, uint16_t end)
{
    uint64_t time = 0;
    bool any = false;
    for (uint16_t i = (uint16_t)(gap + 1); i < end; i++) {
        if (findings[i] != VALID)
            continue;
        if (any && segment_time(at(s, i)) != time)
            return false;
        time = segment_time(at(s, i));
        any = true;
    }
    if (!any || gap == 1)
        return true;
    return segment_time(at(s, (uint16_t)(gap - 1))) == time ||
           ends_flush(at(s, (uint16_t)(gap - 1)));
}

static void
find_closed(const struct scanner *s)
{
    struct log_scan *out = s->out;
    if (out->end_isec <= 1 || out->corrupt < 0)
        return;
    uint16_t isec = (uint16_t)(out->end_isec - 1);
    size_t last;
    walk(at(s, isec), &last);
    uint8_t type = last ? at(s, isec)[last] : (uint8_t)LR_NOP;
    if (type != LR_TERM_OLD && type != LR_TERM2 && type != LR_RECOVERY_QUIT2 &&
        type != LR_RECOVERY_QUIT_KEEP && type != 18)
        return;
    out->closed = true;
    out->closed_type = type;
    out->closed_pos =
        (struct lgpos) {last == SEGMENT_HEADER_BYTES ? 0 : (uint16_t)last, isec, s->hdr->gen};
}

void
log_scan_image(uint8_t *image, const struct log_filehdr *hdr, bool last, struct log_scan *scan)
{
    *scan = (struct log_scan) {.end_isec = 1};
    struct scanner s = {image, hdr, scan};
    uint8_t findings[LOG_SEGMENTS_MAX];
    uint16_t end = (uint16_t)(hdr->segments - 1); /* the last segment is never data */
    bool intact = true, follows = false;
    for (uint16_t i = 1; i < end; i++) {
        findings[i] = look(&s, i);
        if (findings[i] == BAD && intact && take_shadow(&s, i))
            findings[i] = VALID;
        if (findings[i] != VALID) {
            intact = false;
            follows = follows || findings[i] == BAD;
        } else if (intact) {
            scan->end_isec = (uint16_t)(i + 1);
            scan->checksum ^= segment_checksum(at(&s, i));
        } else {
            follows = true;
        }
    }
    if (follows) {
        scan->torn = last && is_torn_flush(&s, scan->end_isec, findings, end);
        if (!scan->torn)
            scan->corrupt = JET_errLogFileCorrupt;
    }
    find_closed(&s);
}
