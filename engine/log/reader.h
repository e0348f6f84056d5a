/* SPDX-License-Identifier: MIT */
/*
 * reader: one generation, record by record.
 *
 * Opening reads the whole file, checks its header and scans the segments for the end (log format,
 * 2.7). Iterating gives each record but NOPs with its LGPOS, fragments put together.
 *
 * The end, for segment i = 1 .. csec-2, "later flush" = a valid segment with another LOGTIME than
 * the first valid one after the gap: valid, lgposSegment as expected             data valid,
 * lgposSegment lower; all zero         empty bad, but the shadow of i-1                  empty bad,
 * and i+1 is its shadow                  torn partial segment: the shadow is taken (patched) one
 * flipped bit                             repaired in memory otherwise bad, or data after an empty
 * one   in the last log, when what follows is at most the rest of that one flush: torn write, the
 * end is here; else corrupt from here on
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "esent.h"
#include "log/filehdr.h"
#include "log/lgpos.h"

struct log_reader;

struct log_reader_opts {
    struct log_filehdr_expect expect; /* file_bytes is filled in */
    bool last;                        /* the newest log of the stream: its tail may be torn */
};

struct log_scan {
    uint16_t end_isec; /* last valid segment + 1: the end is (gen, end_isec, 0) */
    bool torn;         /* a torn, unacknowledged flush was cut off */
    uint16_t patched;  /* segments replaced by their shadow (0 or 1), to be written back */
    uint16_t patched_isec;
    uint16_t repaired; /* segments with a flipped bit repaired in memory */
    JET_ERR corrupt;   /* 0, or JET_errLogFileCorrupt: damage at end_isec, data beyond is lost */
    uint64_t checksum; /* accumulated over all valid segments (2.5) */
    bool closed;       /* last record is Term, Term2, RecoveryQuit... */
    struct lgpos closed_pos;
    uint8_t closed_type;
};

/*
 * Opens the file at path and scans it. Damage found by the scan is not an error here but
 * scan->corrupt: redo goes up to it.
 * JET_errFileNotFound; errors of log_filehdr_decode and log_filehdr_check; JET_errOutOfMemory;
 * other errors of os/file.
 */
JET_ERR log_reader_open(const char *path, const struct log_reader_opts *opts,
                        struct log_reader **out) __attribute__((warn_unused_result));

/* The same over a copy of bytes in memory (tests, fuzzers). */
JET_ERR log_reader_open_bytes(const void *data, size_t len, const struct log_reader_opts *opts,
                              struct log_reader **out) __attribute__((warn_unused_result));
void log_reader_close(struct log_reader *r); /* NULL is fine */

const struct log_filehdr *log_reader_header(const struct log_reader *r);

/* The whole file, header first, as the scan mended it; lives as long as the reader. */
const uint8_t *log_reader_image(const struct log_reader *r, size_t *len);
const struct log_scan *log_reader_scan(const struct log_reader *r);

/* Writes a segment that the scan took from its shadow back to its place, and syncs. No-op if none.
 */
JET_ERR log_reader_patch(struct log_reader *r) __attribute__((warn_unused_result));

/* Goes to the first record at or after pos (isec 0 = the beginning). */
void log_reader_seek(struct log_reader *r, struct lgpos pos);

/*
 * The next record other than NOP and NOP2: its bytes (valid until the next call or close) and where
 * it begins. 1 = a record, 0 = end. JET_errLogFileCorrupt: the records cannot be followed further.
 */
JET_ERR log_reader_next(struct log_reader *r, struct span *record, struct lgpos *pos)
    __attribute__((warn_unused_result));

/* Where the next record begins; after an error, where it could not be followed. */
struct lgpos log_reader_position(const struct log_reader *r);
