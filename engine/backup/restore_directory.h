/* SPDX-License-Identifier: MIT */
/*
 * restore_directory: JetRestore, from a directory that JetBackup made (backup API, 6.4).
 *
 * The logs lie in the directory, else in its "new", else in its "old". Each database there has its
 * .pat marker, is copied to dest or to where the log says that it lay, over what is there, and then
 * recovered together with the logs that go on in log_dir.
 */
#pragma once

#include "esent.h"

struct events;

struct restore_directory_params {
    const char *source;
    const char *dest;           /* directory for the databases; NULL or "" = their logged paths */
    const char *log_dir;        /* JET_paramLogFilePath */
    const char *checkpoint_dir; /* JET_paramSystemPath */
    const char *base;           /* JET_paramBaseName */
    JET_PFNSTATUS pfn;          /* NULL = none */
    struct events *events;      /* NULL is fine */
};

/*
 * JET_errFileNotFound: no logs (a set without databases is one: its logs are replayed);
 * JET_errPatchFileMissing: a database without its marker; JET_errInvalidPath: no dest, and the logs
 * don't know where a database lay, or not on this machine; os errors of the copy; those of
 * restore_external.
 */
JET_ERR restore_directory(const struct restore_directory_params *params)
    __attribute__((warn_unused_result));
