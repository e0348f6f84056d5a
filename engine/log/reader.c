/* SPDX-License-Identifier: MIT */
#include "log/reader.h"

#include <glib.h>
#include <string.h>

#include "log/record.h"
#include "log/scan.h"
#include "log/segment.h"
#include "log/whole.h"

#define FRAGMENT_BEGIN_BYTES 7
#define FRAGMENT_BYTES       3

struct log_reader {
    char *path; /* NULL: from memory */
    uint8_t *image;
    size_t len;
    struct log_filehdr hdr;
    struct log_scan scan;
    uint16_t isec; /* of the next record */
    size_t off;
    bool midway;       /* came here by seek: a segment may begin with the rest of an older record */
    GByteArray *whole; /* a record put together from fragments */
};

/* Takes image over, also on error. */
static JET_ERR
open_image(uint8_t *image, size_t len, const struct log_reader_opts *opts, struct log_reader **out)
{
    g_autofree uint8_t *owned = image;
    struct log_filehdr hdr;
    if (len < LOG_HEADER_BYTES)
        return JET_errLogFileCorrupt;
    JET_ERR err = log_filehdr_decode(image, &hdr);
    if (err < 0)
        return err;
    struct log_filehdr_expect expect = opts->expect;
    expect.file_bytes = len;
    err = log_filehdr_check(&hdr, &expect);
    if (err < 0)
        return err;
    struct log_reader *r = g_new0(struct log_reader, 1);
    r->image = g_steal_pointer(&owned);
    r->len = len;
    r->hdr = hdr;
    r->whole = g_byte_array_new();
    log_scan_image(r->image, &r->hdr, opts->last, &r->scan);
    log_reader_seek(r, LGPOS_MIN);
    *out = r;
    return JET_errSuccess;
}

JET_ERR
log_reader_open_bytes(const void *data, size_t len, const struct log_reader_opts *opts,
                      struct log_reader **out)
{
    uint8_t *copy = g_try_malloc(len ? len : 1);
    if (!copy)
        return JET_errOutOfMemory;
    if (len > 0)
        memcpy(copy, data, len);
    return open_image(copy, len, opts, out);
}

JET_ERR
log_reader_open(const char *path, const struct log_reader_opts *opts, struct log_reader **out)
{
    uint8_t *image;
    size_t len;
    JET_ERR err = whole_read(path, &image, &len);
    if (err < 0)
        return err;
    err = open_image(image, len, opts, out);
    if (err < 0)
        return err;
    (*out)->path = g_strdup(path);
    return JET_errSuccess;
}

JET_ERR
log_reader_patch(struct log_reader *r)
{
    if (r->scan.patched == 0 || !r->path)
        return JET_errSuccess;
    uint64_t offset = (uint64_t)r->scan.patched_isec * SEGMENT_BYTES;
    JET_ERR err = whole_mend(r->path, offset, r->image + offset, SEGMENT_BYTES);
    if (err < 0)
        return err;
    r->scan.patched = 0;
    return JET_errSuccess;
}

void
log_reader_close(struct log_reader *r)
{
    if (!r)
        return;
    g_byte_array_unref(r->whole);
    g_free(r->image);
    g_free(r->path);
    g_free(r);
}

const struct log_filehdr *
log_reader_header(const struct log_reader *r)
{
    return &r->hdr;
}

const uint8_t *
log_reader_image(const struct log_reader *r, size_t *len)
{
    *len = r->len;
    return r->image;
}

const struct log_scan *
log_reader_scan(const struct log_reader *r)
{
    return &r->scan;
}

void
log_reader_seek(struct log_reader *r, struct lgpos pos)
{
    bool start = pos.gen < r->hdr.gen || pos.isec == 0;
    r->isec = start ? 1 : pos.isec;
    r->off = start || pos.ib < SEGMENT_HEADER_BYTES ? SEGMENT_HEADER_BYTES : pos.ib;
    r->midway = true;
    if (pos.gen > r->hdr.gen)
        r->isec = r->scan.end_isec;
}

static const uint8_t *
segment(const struct log_reader *r)
{
    return r->image + (size_t)r->isec * SEGMENT_BYTES;
}

static struct lgpos
here(const struct log_reader *r)
{
    uint16_t ib = r->off == SEGMENT_HEADER_BYTES ? 0 : (uint16_t)r->off;
    return (struct lgpos) {ib, r->isec, r->hdr.gen};
}

/* Bytes of the fragment at the position that lie in this segment, after its header of head bytes.
 */
static JET_ERR
take_fragment(struct log_reader *r, size_t head)
{
    size_t left = SEGMENT_BYTES - r->off;
    const uint8_t *p = segment(r) + r->off;
    if (left < head || (size_t)le16_get(p + head - 2) > left - head)
        return JET_errLogFileCorrupt;
    size_t n = le16_get(p + head - 2);
    g_byte_array_append(r->whole, p + head, (guint)n);
    r->off += head + n;
    return JET_errSuccess;
}

/* A begun record whose rest never came: an earlier crash, and its recovery went on in a new
 * segment. */
static bool
may_follow_torn_record(uint8_t type)
{
    return type == LR_RECOVERY_UNDO2 || type == LR_UNDO_INFO || type == LR_RECOVERY_QUIT2 ||
           type == LR_SHUTDOWN_MARK || type == LR_INIT2 || type == LR_FORCE_LOG_ROLLOVER;
}

/* Puts a record together. 1 = whole, 0 = dropped (go on at the position). */
static JET_ERR
assemble(struct log_reader *r)
{
    if (SEGMENT_BYTES - r->off < FRAGMENT_BEGIN_BYTES)
        return JET_errLogFileCorrupt;
    size_t total = le32_get(segment(r) + r->off + 1);
    g_byte_array_set_size(r->whole, 0);
    JET_ERR err = take_fragment(r, FRAGMENT_BEGIN_BYTES);
    while (err >= 0 && r->whole->len < total) {
        if (r->off != SEGMENT_BYTES)
            return JET_errLogFileCorrupt;
        r->isec++;
        r->off = SEGMENT_HEADER_BYTES;
        if (r->isec >= r->scan.end_isec)
            return 0;
        uint8_t type = segment(r)[r->off];
        if (type != LR_FRAGMENT)
            return may_follow_torn_record(type) ? 0 : JET_errLogFileCorrupt;
        err = take_fragment(r, FRAGMENT_BYTES);
    }
    if (err < 0)
        return err;
    return r->whole->len == total ? 1 : JET_errLogFileCorrupt;
}

/* Looks at the bytes at the position: 1 = a record, 0 = padding passed over. */
static JET_ERR
step(struct log_reader *r, struct span *record)
{
    const uint8_t *p = segment(r) + r->off;
    struct lr lr;
    size_t size;
    if (*p == LR_FRAGMENT) {
        if (!r->midway || r->off != SEGMENT_HEADER_BYTES)
            return JET_errLogFileCorrupt;
        g_byte_array_set_size(r->whole, 0);
        JET_ERR err = take_fragment(r, FRAGMENT_BYTES);
        return err < 0 ? err : 0;
    }
    r->midway = false;
    if (*p == LR_FRAGMENT_BEGIN) {
        JET_ERR err = assemble(r);
        if (err <= 0)
            return err;
        *record = span_of(r->whole->data, r->whole->len);
        if (lr_decode(record->data, record->len, &lr, &size) < 0 || size != record->len)
            return JET_errLogFileCorrupt;
        return 1;
    }
    JET_ERR err = lr_decode(p, SEGMENT_BYTES - r->off, &lr, &size);
    if (err < 0)
        return err;
    r->off += size;
    *record = span_of(p, size);
    return lr.type != LR_NOP && lr.type != LR_NOP2;
}

JET_ERR
log_reader_next(struct log_reader *r, struct span *record, struct lgpos *pos)
{
    for (;;) {
        if (r->off >= SEGMENT_BYTES) {
            r->isec++;
            r->off = SEGMENT_HEADER_BYTES;
        }
        if (r->isec >= r->scan.end_isec)
            return 0;
        struct lgpos start = here(r);
        JET_ERR err = step(r, record);
        if (err < 0)
            return err;
        if (err == 1) {
            *pos = start;
            return 1;
        }
    }
}

struct lgpos
log_reader_position(const struct log_reader *r)
{
    return here(r);
}
