/* SPDX-License-Identifier: MIT */
/*
 * directory: JetBackup, a whole backup of an instance into a directory (backup API, 1.17).
 *
 *   plain    PATH/<databases>, <logs>, <database>.pat (empty: what JetRestore looks for)
 *   atomic   the same in PATH/temp, which becomes PATH/new when it is whole; what was new before is
 *            PATH/old meanwhile, then gone
 *
 * It is an external backup of its own, with the same events and header stamps; the logs are
 * truncated. A failure removes nothing that an earlier backup left.
 */
#pragma once

#include "esent.h"

struct instance;

/*
 * path: absolute; NULL or "" = no copy, only truncates the logs below the checkpoint. grbit:
 * JET_bitBackupIncremental (adds logs to a directory that may hold earlier backups),
 * JET_bitBackupAtomic. pfn (may be NULL) is called with JET_snpBackup: begin, progress in percent,
 * complete; a negative answer aborts with that error.
 * JET_errInvalidGrbit, JET_errBackupDirectoryNotEmpty (full, not atomic), JET_errInvalidPath,
 * JET_errMakeBackupDirectoryFail, JET_errDeleteBackupFileFail, those of the external backup calls;
 * JET_errBackupAbortByServer (JetStopBackup); os errors.
 */
JET_ERR directory_backup(struct instance *inst, const char *path, JET_GRBIT grbit,
                         JET_PFNSTATUS pfn);
