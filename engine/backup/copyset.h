/* SPDX-License-Identifier: MIT */
/*
 * copyset: what lies in a directory of copied files: databases, and the logs of one base name.
 *
 * A database is told by its header, not by its name; everything else is passed over.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "backup/trailer.h"
#include "esent.h"
#include "log/names.h"
#include "page/dbheader.h"

struct copyset_db {
    char *path;
    JET_ERR err; /* JET_errDatabaseCorrupted: neither header copy is good; then only path holds */
    struct dbheader header; /* the first good copy */
    uint32_t page_bytes;
    uint64_t bytes;  /* of the file */
    bool first_good; /* header copies 0 and 1 */
    bool second_good;
};

/*
 * Reads the headers of one file. JET_errFileInvalidType: no database at all. A database whose
 * headers are both damaged is no error but db->err. Others: os/file.
 */
JET_ERR copyset_db_read(const char *path, struct copyset_db *db)
    __attribute__((warn_unused_result));
void copyset_db_clear(struct copyset_db *db);

/* The database is a copy that wants a hard recovery: bkinfoFullCur says so. */
bool copyset_db_is_backup(const struct copyset_db *db);

/* genLow, genHigh of bkinfoFullCur. */
uint32_t copyset_db_gen_low(const struct copyset_db *db);
uint32_t copyset_db_gen_high(const struct copyset_db *db);

/* Reads the trailer. JET_errBadPatchPage; JET_errFileIOBeyondEOF; others of os/file. */
JET_ERR copyset_db_trailer(const struct copyset_db *db, struct trailer *trailer)
    __attribute__((warn_unused_result));

struct copyset {
    char *dir;
    GArray *dbs; /* struct copyset_db, in order of names */
    char *base;  /* of the logs; NULL: there are none */
    char *ext;
    struct log_gens logs; /* archives; n = 0: none */
};

/* JET_errFileNotFound: no such directory; JET_errOutOfMemory; others of os/file. */
JET_ERR copyset_read(const char *dir, struct copyset *set) __attribute__((warn_unused_result));
void copyset_clear(struct copyset *set);

/* A directory without archives may still have a current log: finds base, ext and logs by that.
 * Errors of os/file; none is no error. */
JET_ERR copyset_find_current(struct copyset *set) __attribute__((warn_unused_result));

static inline struct copyset_db *
copyset_db(const struct copyset *set, guint i)
{
    return &g_array_index(set->dbs, struct copyset_db, i);
}
