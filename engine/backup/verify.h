/* SPDX-License-Identifier: MIT */
/*
 * verify: is a copied directory a backup that can be restored? Reads everything, changes nothing.
 *
 *  1. plain files that can be read, nothing else
 *  2. the logs' headers make a chain, from what the databases need to the newest; both headers and
 *     the trailer of each database belong to one backup and to these logs
 *  3. checksum and number of every page; each segment of each log, and that its end is not missing
 *  4. each page that the logs change is at the point where they go on
 *  5. the manifest's list of files, when there is one
 *
 * Not seen: an older state of a page that the logs do not name, the lost end of the newest log of
 * an incremental backup, that newer logs were there once.
 */
#pragma once

#include "esent.h"
#include "esentx.h"

/* What a restore is going to need. */
struct verify_wanted {
    const char *const *dirs; /* copied directories; the first with databases gives them */
    size_t n_dirs;
    const JETX_RESTOREPARAM *param; /* its list of databases; NULL = all */
    int32_t gen_high;               /* logs above are not needed */
};

/*
 * Returns report->errFirst, the first failure in the order above; goes on after it to count what
 * else is bad. report may be NULL; its cbStruct is not looked at. Codes: JetxVerifyBackup in
 * esentx.h; where JetExternalRestore meets the same fault it has the same code.
 */
JET_ERR verify_sources(const struct verify_wanted *wanted, JETX_VERIFYREPORT *report)
    __attribute__((warn_unused_result));

/* JetxVerifyBackup: all of one directory. */
JET_ERR verify_backup(const char *dir, JETX_VERIFYREPORT *report)
    __attribute__((warn_unused_result));
