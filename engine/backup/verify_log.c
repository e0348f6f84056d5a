/* SPDX-License-Identifier: MIT */
/*
 * verify_log: is each log whole, from its first segment to its end? That the headers make a chain
 * was seen in verify_set.c; that a log's end is not missing is seen from the sum of its segments in
 * the header of the next one.
 */
#include <string.h>

#include "backup/verify_parts.h"
#include "log/filehdr.h"
#include "log/scan.h"
#include "log/segment.h"
#include "log/whole.h"

struct previous {
    const char *path; /* NULL: there was none */
    struct log_scan scan;
};

/* Good, empty, or the shadow of the one before. */
static bool
segment_good(const uint8_t *segment, uint16_t isec)
{
    return segment_is_zero(segment) || segment_verify(segment, isec) ||
           segment_verify(segment, (uint16_t)(isec - 1));
}

/* The codes are those of a restore that meets it; it repairs a single bit by itself. */
static void
check_scan(struct verify *v, const char *path, const struct log_scan *scan)
{
    const uint64_t end = (uint64_t)scan->end_isec * SEGMENT_BYTES;
    if (scan->patched > 0)
        verify_fail(v, JET_errLogTornWriteDuringHardRestore, path,
                    (uint64_t)scan->patched_isec * SEGMENT_BYTES, "torn segment");
    if (scan->corrupt < 0)
        verify_fail(v, JET_errLogCorruptDuringHardRestore, path, end,
                    "segment is damaged or missing, others follow");
}

static void
check_segments(struct verify *v, const char *path, const uint8_t *data, size_t len)
{
    for (size_t at = LOG_HEADER_BYTES; at + SEGMENT_BYTES <= len; at += SEGMENT_BYTES)
        if (!segment_good(data + at, (uint16_t)(at / SEGMENT_BYTES)))
            verify_fail(v, JET_errLogReadVerifyFailure, path, at, "segment checksum does not hold");
}

static JET_ERR
check_log(struct verify *v, const char *path, struct previous *previous)
{
    g_autofree uint8_t *data = NULL;
    struct log_filehdr header;
    struct log_scan scan;
    size_t len;
    JET_ERR err = whole_read(path, &data, &len);
    if (err < 0)
        return err;
    v->report->cLog++;
    v->report->cbVerified += len;
    err = len < LOG_HEADER_BYTES ? JET_errLogFileCorrupt : log_filehdr_decode(data, &header);
    if (err >= 0 && (uint64_t)header.segments * SEGMENT_BYTES != len)
        err = JET_errLogFileSizeMismatch;
    if (err < 0) {
        verify_fail(v, err, path, 0, "header of the log is damaged");
        previous->path = NULL;
        return JET_errSuccess;
    }
    g_autofree uint8_t *image = g_memdup2(data, len);
    log_scan_image(image, &header, false, &scan);
    if (previous->path != NULL && header.prev_checksum != 0 &&
        header.prev_checksum != previous->scan.checksum)
        verify_fail(v, JET_errLogSequenceChecksumMismatch, previous->path,
                    (uint64_t)previous->scan.end_isec * SEGMENT_BYTES,
                    "not all that the next log follows");
    check_scan(v, path, &scan);
    check_segments(v, path, data, len);
    *previous = (struct previous) {path, scan};
    return JET_errSuccess;
}

JET_ERR
verify_logs(struct verify *v)
{
    const struct log_gens *found = &v->set.logs;
    struct previous previous = {NULL};
    JET_ERR err = JET_errSuccess;
    for (size_t i = 0; i < found->n && err >= 0; i++) {
        if (found->gens[i] < v->logs.gen_low || found->gens[i] > v->wanted->gen_high)
            continue; /* nobody needs it */
        if (i > 0 && found->gens[i] != found->gens[i - 1] + 1)
            previous.path = NULL;
        err = check_log(v, found->paths[i], &previous);
    }
    return err;
}
