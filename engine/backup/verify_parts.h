/* SPDX-License-Identifier: MIT */
/* verify_parts: what the files of verify share. */
#pragma once

#include "backup/copyset.h"
#include "backup/manifest.h"
#include "backup/restore_check.h"
#include "backup/verify.h"

struct verify {
    const struct verify_wanted *wanted;
    const char *dir;               /* that gives the databases */
    struct copyset set;            /* its databases that are wanted; logs: of all directories */
    struct manifest_read manifest; /* empty without one */
    bool manifest_bad;             /* there is one, of which nothing can be made */
    JETX_VERIFYREPORT *report;
    struct restore_logs logs; /* the range that a restore would replay; gen_low 0: none */
};

/* Notes a failure; the first one stays. */
void verify_fail(struct verify *v, JET_ERR err, const char *path, uint64_t offset,
                 const char *reason);

/* ---- verify_set.c ---- */

/* Is everything in dir a file that can be opened? Before the set is read. Errors: of reading dir.
 */
JET_ERR verify_kinds(struct verify *v, const char *dir) __attribute__((warn_unused_result));

/* What JetExternalRestore checks before it changes anything: headers, trailers, the logs' chain. */
void verify_set(struct verify *v);

/* Where the pages of a database end. Errors: of reading. */
JET_ERR verify_pages_end(const struct copyset_db *db, uint64_t *end)
    __attribute__((warn_unused_result));

/* ---- the contents ---- */

/* Each segment of each log, and that each log is the whole of what the next one follows. Errors:
 * of reading. */
JET_ERR verify_logs(struct verify *v) __attribute__((warn_unused_result));

/* Can redo go from the pages as they are through the logs? Errors: of reading. */
JET_ERR verify_times(struct verify *v) __attribute__((warn_unused_result));

/* ---- verify_manifest.c ---- */

/* Reads backup.json, if any. Errors: of reading. */
JET_ERR verify_manifest_load(struct verify *v) __attribute__((warn_unused_result));

/* Are the files those that it, and the manifests of incremental backups, name? Errors: of reading a
 * directory. */
JET_ERR verify_manifests(struct verify *v) __attribute__((warn_unused_result));
