/* SPDX-License-Identifier: MIT */
/*
 * bkstamp: the header slots that name the last backups of a database (backup API, 4.1). A backup's
 * end writes them, after an Update record; redo of that record writes them again.
 */
#pragma once

#include <stdint.h>

#include "page/dbheader.h"

/* Scopes, types and phases as a Backup2 record has them. */
enum backup_scope { SCOPE_FULL = 1, SCOPE_INCREMENTAL = 2, SCOPE_COPY = 5, SCOPE_DIFFERENTIAL = 6 };
enum backup_type {
    BACKUP_TYPE_STREAMING = 0,
    BACKUP_TYPE_OS_SNAPSHOT = 1,
    BACKUP_TYPE_SURROGATE = 3, /* in the log only: a header says OS snapshot */
};
enum backup_phase {
    PHASE_BEGIN = 1,
    PHASE_PREPARE_LOGS = 2,
    PHASE_TRUNCATE = 3,
    PHASE_UPDATE = 4, /* the one that stamps */
    PHASE_ABORT = 5,
    PHASE_STOP = 6,
};

struct backup_stamp {
    uint8_t scope; /* enum backup_scope; others change nothing */
    uint32_t type; /* enum backup_type */
    uint8_t bkinfo[DBHEADER_BKINFO_BYTES];
};

/*
 * Fits dbfile_header_update: ctx is a struct backup_stamp. A slot that names a later backup stays.
 */
void backup_stamp_header(struct dbheader *header, void *ctx);
