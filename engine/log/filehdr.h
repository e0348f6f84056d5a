/* SPDX-License-Identifier: MIT */
/*
 * filehdr: LGFILEHDR, the first 4096 bytes of a log file (log format, 1.3, 1.6, 1.7).
 *
 *   off size                                  off size
 *     0    4 checksum                           72  567 dbms_param
 *     4    4 lGeneration                       639    1 fLGFlags
 *     8    2 cbSec (4096)                      640    8 lgposCheckpoint
 *    10    2 csecHeader (1)                    648    4 updateMinor
 *    12    2 csecLGFile                        652    1 bDiskSecSizeMismatch
 *    14    2 cbPageSize (0 = 4096)             653    8 checksumPrevLogAllSegments
 *    16    8 tmCreate                          661    4 efvEngine
 *    24    8 tmPrevGen                         665    2 reserved
 *    32    4 major   36 minor   40 updateMajor 667    4 filetype (3)
 *    44   28 signLog                           671 2048 rgbAttach
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esent.h"
#include "log/attach.h"
#include "log/lgpos.h"

#define LOG_SEGMENT_BYTES 4096
#define LOG_HEADER_BYTES  4096
#define LOG_SEGMENTS_MAX  65535

#define LOG_VERSION_MAJOR        8
#define LOG_VERSION_MINOR        4000
#define LOG_VERSION_UPDATE_MAJOR 5 /* what we write: 8.4000.5.16 */
#define LOG_VERSION_UPDATE_MINOR 16
#define LOG_VERSION_READ_UPDATE  60 /* newest updateMajor we read */

#define LOG_FLAG_RESERVE          1 /* made from a reserve file */
#define LOG_FLAG_CIRCULAR         2 /* circular logging is on */
#define LOG_FLAG_CIRCULAR_HISTORY 4 /* ... was on at some time in this stream */

struct log_filehdr {
    int32_t gen;
    uint16_t segments;   /* of the file with its header: csecLGFile */
    uint16_t page_bytes; /* 0 read as 4096 */
    uint64_t created;    /* LOGTIME tmCreate */
    uint64_t prev_created;
    uint32_t major, minor, update_major, update_minor;
    uint8_t signature[SIGNATURE_BYTES];
    uint8_t dbms_param[DBMS_PARAM_BYTES];
    uint8_t flags; /* LOG_FLAG_... */
    struct lgpos checkpoint;
    uint8_t disk_sec_mismatch;
    uint64_t prev_checksum; /* accumulated segment checksum of generation - 1; 0 = not known */
    uint32_t efv_engine;
    uint8_t attach[ATTACH_LIST_BYTES];
};

/*
 * Decodes and checks a header by itself.
 * JET_errLogFileCorrupt: checksum, or sizes that cannot be. JET_errFileInvalidType: filetype.
 * JET_errBadLogVersion: major, minor, or a newer updateMajor. JET_errLogSectorSizeMismatch: cbSec.
 */
JET_ERR log_filehdr_decode(const uint8_t in[LOG_HEADER_BYTES], struct log_filehdr *hdr)
    __attribute__((warn_unused_result));

/* The header of the file at path, decoded. JET_errLogFileCorrupt too when the file is shorter;
 * errors of os/file. */
JET_ERR log_filehdr_read(const char *path, struct log_filehdr *hdr)
    __attribute__((warn_unused_result));

/* Encodes with its checksum; cbSec 4096, csecHeader 1, filetype 3. */
void log_filehdr_encode(const struct log_filehdr *hdr, uint8_t out[LOG_HEADER_BYTES]);

/* What a reader knows before it opens a file; 0 / NULL = don't care. */
struct log_filehdr_expect {
    int32_t gen;              /* from the name */
    const uint8_t *signature; /* of the stream */
    uint32_t page_bytes;      /* of the instance */
    uint64_t file_bytes;      /* the file's length */
};

/*
 * JET_errLogGenerationMismatch, JET_errBadLogSignature, JET_errPageSizeMismatch,
 * JET_errLogFileSizeMismatch: the header is not that of the file that is wanted.
 */
JET_ERR log_filehdr_check(const struct log_filehdr *hdr, const struct log_filehdr_expect *expect)
    __attribute__((warn_unused_result));
