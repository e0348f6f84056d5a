/* SPDX-License-Identifier: MIT */
/*
 * checkpoint: where redo starts (log format, 1.8). Two identical copies of 4096 bytes, written in
 * order and synced, so that one of them is always whole.
 *
 *   off size                                   off size
 *     0    4 checksum                           631    8 lgposIncBackup
 *     4    8 lgposLastFullBackupCheckpoint      639    8 logtimeIncBackup
 *    12    8 lgposCheckpoint                    647    1 fVersion: bit 0 attach list valid
 *    20   28 signLog                            648    8 lgposDbConsistency
 *    48  567 dbms_param                         667    4 filetype (4)
 *   615    8 lgposFullBackup                    679 2048 rgbAttach
 *   623    8 logtimeFullBackup
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esent.h"
#include "log/attach.h"
#include "log/lgpos.h"

#define CHECKPOINT_COPY_BYTES 4096
#define CHECKPOINT_BYTES      8192

struct checkpoint {
    struct lgpos last_full_backup_checkpoint;
    struct lgpos checkpoint;
    uint8_t signature[SIGNATURE_BYTES];
    uint8_t dbms_param[DBMS_PARAM_BYTES];
    struct lgpos full_backup;
    uint64_t full_backup_time;
    struct lgpos inc_backup;
    uint64_t inc_backup_time;
    bool attach_valid; /* attach is the list for exactly `checkpoint` */
    struct lgpos db_consistency;
    uint8_t attach[ATTACH_LIST_BYTES];
};

/* One copy. JET_errCheckpointCorrupt: checksum. JET_errFileInvalidType: filetype. */
JET_ERR checkpoint_decode(const uint8_t in[CHECKPOINT_COPY_BYTES], struct checkpoint *cp)
    __attribute__((warn_unused_result));
void checkpoint_encode(const struct checkpoint *cp, uint8_t out[CHECKPOINT_COPY_BYTES]);

/*
 * Reads path: copy 0 if good, else copy 1. signature (may be NULL) is that of the stream.
 * JET_errCheckpointFileNotFound; JET_errCheckpointCorrupt: neither copy is good;
 * JET_errFileInvalidType; JET_errBadCheckpointSignature; other errors of os/file.
 */
JET_ERR checkpoint_read(const char *path, const uint8_t *signature, struct checkpoint *cp)
    __attribute__((warn_unused_result));

/* Writes both copies in order, and syncs; creates the file if need be (and syncs its directory).
 * Errors of os/file; then at least one copy of the old or of the new state is whole. */
JET_ERR checkpoint_write(const char *path, const struct checkpoint *cp)
    __attribute__((warn_unused_result));
