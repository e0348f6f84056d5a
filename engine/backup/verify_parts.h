/* SPDX-License-Identifier: MIT */
/* verify_parts: what the files of verify share. */
#pragma once

#include "backup/copyset.h"
#include "backup/manifest.h"
#include "backup/verify.h"

struct verify {
    struct copyset set;
    struct manifest_read manifest; /* empty without one */
    JETX_VERIFYREPORT *report;
    int32_t need_low; /* generations that the databases need; 0 = none */
    int32_t need_high;
    uint8_t signature[DBHEADER_SIGNATURE_BYTES]; /* signLog of a database that needs them */
};

/* Notes a failure; the first one stays. */
void verify_fail(struct verify *v, JET_ERR err, const char *path, uint64_t offset,
                 const char *reason);

/* Each log, their chain, and whether they are enough. Errors: of reading. */
JET_ERR verify_logs(struct verify *v) __attribute__((warn_unused_result));

/* Reads backup.json, if any, and looks for the files that it names. Errors: of reading. */
JET_ERR verify_manifest(struct verify *v) __attribute__((warn_unused_result));
