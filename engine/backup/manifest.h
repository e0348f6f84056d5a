/* SPDX-License-Identifier: MIT */
/*
 * manifest: backup.json, what a copy consists of and what restores it.
 *
 * Numbers that may pass 2^53 (inode, packed positions) are strings of decimal digits. Unknown
 * members are ignored by readers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include "backup/marks.h"
#include "esent.h"
#include "esentx.h"
#include "page/dbheader.h"

#define MANIFEST_NAME   "backup.json"
#define MANIFEST_FORMAT 1

struct manifest {
    const char *instance;
    uint32_t pid;
    struct bkinfo bk;        /* mark, gen_low, gen_high */
    uint64_t freeze_lgpos;   /* packed; a transaction is in the copy iff its commit id is below */
    int64_t time_ms;         /* of the freeze, since 1970 */
    const char *mode;        /* "frozen" (restore needed), "offline" (as it lay) */
    bool incremental;        /* logs only, to go with a full backup */
    const uint8_t *sign_log; /* 28, or NULL */
    const JETX_BACKUPFILE *files;
    const uint8_t (*sign_dbs)[28]; /* per file; of databases */
    size_t n_files;
};

/* The text; g_free. */
char *manifest_write(const struct manifest *manifest);

/* What verify and restore need of one. */
struct manifest_file {
    uint32_t kind;
    char *name, *path;
    uint64_t size;
    uint32_t gen, page_bytes, pgno_last;
    bool has_signature; /* of databases */
    uint8_t signature[DBHEADER_SIGNATURE_BYTES];
};

struct manifest_read {
    char *mode, *instance;
    bool incremental;
    uint32_t gen_low, gen_high;
    uint64_t freeze_lgpos;
    uint64_t mark; /* packed; 0: not told */
    bool has_sign_log;
    uint8_t sign_log[DBHEADER_SIGNATURE_BYTES];
    struct manifest_file *files;
    size_t n_files;
};

/* Any bytes, from anybody. JET_errInvalidBackup: no manifest of ours. */
JET_ERR manifest_parse(const char *text, size_t len, struct manifest_read *out)
    __attribute__((warn_unused_result));
/* JET_errFileNotFound, JET_errInvalidBackup, JET_errOutOfMemory, os errors. */
JET_ERR manifest_load(const char *path, struct manifest_read *out)
    __attribute__((warn_unused_result));
void manifest_read_clear(struct manifest_read *manifest);

/* The 28 bytes of a signature as hex digits; g_free. */
char *signature_text(const uint8_t signature[28]);
