/* SPDX-License-Identifier: MIT */
/*
 * verify: is a copied directory a backup that can be restored? Reads everything, changes nothing.
 *
 * Both headers and the trailer of each database, checksum and number of every page, each segment of
 * each log, the chain of the logs, the range that the databases need, and the manifest's list of
 * files when there is one.
 */
#pragma once

#include "esent.h"
#include "esentx.h"

/*
 * JetxVerifyBackup: returns report->errFirst, the first failure in the order of names; goes on
 * after it to count what else is bad. report may be NULL; its cbStruct is not looked at.
 * JET_errFileNotFound: no such directory, or no database in it; JET_errMissingFileToBackup: the
 * manifest names a file that is not there, or is of another size; JET_errReadVerifyFailure,
 * JET_errReadPgnoVerifyFailure, JET_errDatabaseCorrupted, JET_errBadPatchPage,
 * JET_errDatabasePatchFileMismatch, JET_errInvalidBackup (manifest); JET_errLogReadVerifyFailure,
 * JET_errLogFileCorrupt, JET_errBadLogSignature, JET_errGivenLogFileIsNotContiguous,
 * JET_errMissingRestoreLogFiles; JET_errOutOfMemory; others of os/file.
 */
JET_ERR verify_backup(const char *dir, JETX_VERIFYREPORT *report)
    __attribute__((warn_unused_result));
