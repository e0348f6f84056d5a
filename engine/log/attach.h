/* SPDX-License-Identifier: MIT */
/*
 * attach: the ATTACHINFO list of log headers and checkpoints (log format, 1.4), and DBMS_PARAM
 * (1.5).
 *
 *   off size
 *     0    1 dbid (1..6)
 *     1    1 flags: 0x20 UTF-16 names (always), 0x40 sparse
 *     2    2 cbNames
 *     4    8 dbtime
 *    12    4 objidLast
 *    16    4 cpgDatabaseSizeMax
 *    20    8 lgposAttach
 *    28    8 lgposConsistent
 *    36   28 signDb
 *    64      path, UTF-16LE with its NUL; the list ends with a dbid of 0
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "esent.h"
#include "log/lgpos.h"

#define ATTACH_LIST_BYTES  2048
#define ATTACH_FIXED_BYTES 64
#define SIGNATURE_BYTES    28
#define DBMS_PARAM_BYTES   567
#define DBMS_PATH_BYTES    261

struct attach_info {
    uint8_t dbid;
    uint8_t flags; /* 0x20 is added on encode */
    uint64_t dbtime;
    uint32_t objid_last;
    uint32_t cpg_max;
    struct lgpos attach;
    struct lgpos consistent;
    uint8_t sign_db[SIGNATURE_BYTES];
    char *path; /* UTF-8, as the log has it (may be a Windows path); owned */
};

/* Releases what the entry owns, not the entry. */
void attach_info_clear(struct attach_info *info);

/*
 * Decodes the entry at cursor c. 1 = an entry, 0 = end of the list.
 * JET_errLogFileCorrupt: runs past the list or the path is no UTF-16; JET_errOutOfMemory.
 */
JET_ERR attach_next(struct cursor *c, struct attach_info *info) __attribute__((warn_unused_result));

/*
 * Appends an entry at out + *used, keeping room for the final 0. Zeroes nothing: start from a
 * zeroed list. JET_errBufferTooSmall: the list is full (nothing written); JET_errInvalidParameter:
 * path is no UTF-8.
 */
JET_ERR attach_put(uint8_t out[ATTACH_LIST_BYTES], size_t *used, const struct attach_info *info)
    __attribute__((warn_unused_result));

/* UTF-16LE with NUL <-> UTF-8, for the paths of log records too. NULL if invalid. g_free. */
char *attach_path_decode(struct span utf16);
uint8_t *attach_path_encode(const char *path, size_t *bytes);

/* DBMS_PARAM */
struct dbms_param {
    char system_path[DBMS_PATH_BYTES];
    char log_path[DBMS_PATH_BYTES];
    uint8_t flags; /* bit 0 circular logging */
    uint32_t sessions_max;
    uint32_t open_tables_max;
    uint32_t ver_pages_max;
    uint32_t cursors_max;
    uint32_t log_buffers;
    uint32_t csec_log_file;
    uint32_t cache_size_max;
};

void dbms_param_decode(const uint8_t in[DBMS_PARAM_BYTES], struct dbms_param *param);
void dbms_param_encode(const struct dbms_param *param, uint8_t out[DBMS_PARAM_BYTES]);
