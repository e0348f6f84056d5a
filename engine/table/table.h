/* SPDX-License-Identifier: MIT */
/*
 * table: tables as users see them: definitions, cursors, records. What api/ maps handles to.
 *
 * A struct table is an open table of one session (a JET_TABLEID): cursor, search key, index range,
 * copy buffer. Used by that session's thread only. A struct table_db is an attached database's
 * catalog, used by all threads.
 *
 * Invariants:
 *  1. Definitions come from the catalog as the session's snapshot sees them; DDL is ordinary
 *     transactional change of catalog rows, so it rolls back, and is seen by others after commit.
 *  2. Only the copy buffer is changed before table_update; an error of set leaves the buffer as it
 * was.
 *  3. Every function that changes data needs a transaction of the session: JET_errNotInTransaction.
 *     At level 0 table_prepare_update starts none by itself: api/ does what ESE documents.
 *  4. The primary index is the only one that we build. Tables that have secondary indexes (made by
 *     Windows) are read-only here: changes give JET_errFeatureNotAvailable.
 *
 * Errors of the trees below (cache, log, space: JET_errReadVerifyFailure, JET_errDiskIO,
 * JET_errLogWriteFail, JET_errOutOfMemory, JET_errDiskFull ...) pass through everywhere and are not
 * listed again. Names are compared without regard to ASCII case.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "esent.h"

struct btree_db;
struct session;
struct table;
struct table_db;

/* ---- databases ---- */

/*
 * Writes the catalog of a new database: MSysObjects, its shadow, MSysObjids, MSysLocales and their
 * rows. The session is in a transaction in which space_create_database_root() has succeeded, with
 * objid_last 0 or 1 so far (it becomes 7). On error roll back and throw the file away.
 */
JET_ERR table_db_create(struct session *s, struct btree_db *db);

/* The catalog of an attached database. JET_errCatalogCorrupted, JET_errOutOfMemory. */
JET_ERR table_db_open(struct btree_db *db, struct table_db **out);

/* No table may be open. NULL is fine. */
void table_db_close(struct table_db *tdb);

struct btree_db *table_db_trees(const struct table_db *tdb);

/* How many tables are open (JetCloseDatabase, detach). */
uint32_t table_db_open_count(struct table_db *tdb);

/*
 * JetGetDatabaseInfo for the levels that ESE has: Filename (UTF-8, NUL-terminated), Connect ("")
 * Country, LCID, Cp, Collate, Options, Transactions, Version, Filesize (pages), SpaceOwned,
 * SpaceAvailable (pages), Misc (JET_DBINFOMISC .. 4 by cb), PageSize, FileType, FilesizeOnDisk
 * (uint64_t bytes). JET_errInvalidParameter: level; JET_errInvalidBufferSize: cb is not the level's
 * size; JET_errBufferTooSmall: name.
 */
JET_ERR table_database_info(struct table_db *tdb, void *pv, uint32_t cb, uint32_t level);

/* ---- definitions ---- */

struct table_column_spec {
    const char *name;
    JET_COLTYP coltyp;
    uint32_t cb_max; /* 0 = the type's own */
    uint16_t cp;     /* text: 1200 or 1252; 0 = 1252 */
    JET_GRBIT grbit; /* JET_bitColumn... */
    const void *def; /* default value, NULL = none */
    uint32_t def_cb;
    JET_COLUMNID columnid; /* out */
    JET_ERR err;           /* out */
};

struct table_index_spec {
    const char *name;
    const char *key;      /* "+Col\0-Col2\0\0", optionally langid and cb after it as ESE allows */
    uint32_t key_cb;      /* with all NULs */
    JET_GRBIT grbit;      /* JET_bitIndex... */
    uint32_t density;     /* %, 0 = 80 */
    uint32_t key_most;    /* with JET_bitIndexKeyMost; 0 = 255 */
    uint32_t var_seg_mac; /* 0 = none */
    JET_ERR err;          /* out */
};

struct table_spec {
    const char *name;
    uint32_t pages;   /* initial size, 0 = 1 */
    uint32_t density; /* %, 0 = 80 */
    JET_GRBIT grbit;  /* JET_bitTableCreate...: FixedDDL */
    struct table_column_spec *columns;
    uint32_t n_columns;
    struct table_index_spec *indexes;
    uint32_t n_indexes;
    uint32_t n_created; /* out: table, columns, indexes made */
};

/*
 * Creates a table and opens it (exclusively, updatable). Runs in its own nested transaction: on
 * error nothing stays. At level 0 it is committed when this returns, as ESE does.
 * JET_errTableDuplicate, JET_errInvalidName, JET_errDensityInvalid, JET_errInvalidGrbit,
 * JET_errFeatureNotAvailable (template tables, secondary indexes), errors of table_add_column and
 * table_create_index; JET_errTooManyColumns.
 */
JET_ERR table_create(struct session *s, struct table_db *tdb, struct table_spec *spec,
                     struct table **out);

/*
 * Opens a table, system tables too (those read-only). grbit: JET_bitTable...
 * JET_errObjectNotFound, JET_errTableLocked (another has it with DenyRead or DenyWrite),
 * JET_errTableInUse (a lock is asked for and others have it open), JET_errInvalidGrbit,
 * JET_errInvalidName, JET_errCatalogCorrupted.
 */
JET_ERR table_open(struct session *s, struct table_db *tdb, const char *name, JET_GRBIT grbit,
                   struct table **out);

/* A second cursor on the same table with the same rights; it has no position. */
JET_ERR table_dup(struct table *t, struct table **out);

/* Drops an update in preparation. NULL is fine. */
void table_close(struct table *t);

/* Deletes a table: rows now, pages when no snapshot needs them. JET_errObjectNotFound,
 * JET_errTableInUse, JET_errCannotDeleteSystemTable, JET_errNotInTransaction. */
JET_ERR table_delete(struct session *s, struct table_db *tdb, const char *name);

/*
 * JET_errColumnDuplicate, JET_errInvalidName, JET_errInvalidColumnType, JET_errInvalidCodePage,
 * JET_errTooManyColumns, JET_errTaggedNotNULL, JET_errCannotBeTagged, JET_errColumnRedundant
 * (second autoincrement or version column), JET_errMultiValuedColumnMustBeTagged,
 * JET_errInvalidGrbit, JET_errDefaultValueTooBig, JET_errFixedDDL, JET_errPermissionDenied
 * (read-only table), JET_errFeatureNotAvailable (escrow, finalize, user-defined default).
 */
JET_ERR table_add_column(struct table *t, struct table_column_spec *spec);

/*
 * Primary indexes of empty tables only; others: JET_errFeatureNotAvailable.
 * JET_errIndexDuplicate, JET_errIndexHasPrimary, JET_errIndexInvalidDef, JET_errColumnNotFound,
 * JET_errTableNotEmpty, JET_errInvalidName, JET_errInvalidGrbit, JET_errTooManyKeys,
 * JET_errDensityInvalid, JET_errFixedDDL, JET_errTableInUse. A multi-valued column:
 * IndexInvalidDef.
 */
JET_ERR table_create_index(struct table *t, struct table_index_spec *spec);

/*
 * JetGetTableColumnInfo, A form. level may carry the JET_ColInfoGrbit bits. Base levels fill a
 * JET_COLUMNBASE_A, others a JET_COLUMNDEF; ByColid levels take the id from columnid, others the
 * name. JET_errColumnNotFound, JET_errBadColumnId, JET_errInvalidParameter (level),
 * JET_errInvalidBufferSize, JET_errFeatureNotAvailable (list levels: they need temporary tables).
 */
JET_ERR table_column_info(struct table *t, const char *name, JET_COLUMNID columnid, void *pv,
                          uint32_t cb, uint32_t level);

/* The columns in order of their ids: i-th name and definition. JET_errColumnNotFound past the end.
 */
JET_ERR table_column_at(struct table *t, uint32_t i, const char **name, JET_COLUMNDEF *def);

const char *table_name(const struct table *t);
struct session *table_session(const struct table *t);
struct table_db *table_of_db(const struct table *t);

/* ---- moving: JET_errNoCurrentRecord etc. as ESE documents ---- */

/* rows: JET_MoveFirst, JET_MoveLast, or a distance (0 = is the record still there?). grbit:
 * JET_bitMoveKeyNE. JET_errNoCurrentRecord, JET_errRecordDeleted (rows 0). */
JET_ERR table_move(struct table *t, int32_t rows, JET_GRBIT grbit);

/* Appends a column to the search key. JET_errInvalidGrbit, JET_errKeyIsMade, JET_errKeyNotMade,
 * JET_errNoCurrentIndex (no primary index), JET_errInvalidParameter, JET_errInvalidBufferSize,
 * JET_errLanguageNotSupported (a unicode key made by Windows). */
JET_ERR table_make_key(struct table *t, const void *pv, uint32_t cb, JET_GRBIT grbit);

/* The key of the current record, with JET_bitRetrieveCopy the search key. JET_errKeyNotMade,
 * JET_errNoCurrentRecord; JET_wrnBufferTruncated. */
JET_ERR table_retrieve_key(struct table *t, void *pv, uint32_t cb, uint32_t *actual,
                           JET_GRBIT grbit);

/* One JET_bitSeek.., and JET_bitSetIndexRange, JET_bitCheckUniqueness. JET_errKeyNotMade,
 * JET_errRecordNotFound, JET_errNoCurrentIndex, JET_errInvalidGrbit; JET_wrnSeekNotEqual,
 * JET_wrnUniqueKey. */
JET_ERR table_seek(struct table *t, JET_GRBIT grbit);

/* JET_errKeyNotMade, JET_errNoCurrentRecord (empty range; the range is dropped),
 * JET_errInvalidGrbit, JET_errInvalidOperation (Remove without a range). */
JET_ERR table_set_index_range(struct table *t, JET_GRBIT grbit);

/* NULL or "" = the clustered index. JET_errIndexNotFound; JET_errFeatureNotAvailable (secondary).
 */
JET_ERR table_set_current_index(struct table *t, const char *name, JET_GRBIT grbit);
const char *table_current_index(const struct table *t); /* "" without primary index */

/* JET_errNoCurrentRecord; JET_errBufferTooSmall (*actual is set). */
JET_ERR table_get_bookmark(struct table *t, void *pv, uint32_t cb, uint32_t *actual);
/* JET_errInvalidBookmark, JET_errRecordDeleted. */
JET_ERR table_goto_bookmark(struct table *t, const void *pv, uint32_t cb);

/* ---- records ---- */

/* prep: JET_prep.... JET_errAlreadyPrepared, JET_errUpdateNotPrepared (Cancel),
 * JET_errNoCurrentRecord, JET_errRecordDeleted, JET_errWriteConflict, JET_errPermissionDenied,
 * JET_errNotInTransaction, JET_errInvalidParameter, JET_errFeatureNotAvailable. */
JET_ERR table_prepare_update(struct table *t, uint32_t prep);

/* info may be NULL. JET_errUpdateNotPrepared, JET_errBadColumnId, JET_errColumnNotFound,
 * JET_errColumnNotUpdatable, JET_errColumnTooBig, JET_errInvalidBufferSize, JET_errNullInvalid,
 * JET_errBadItagSequence, JET_errMultiValuedDuplicate, JET_errInvalidGrbit, JET_errRecordTooBig,
 * JET_errInvalidParameter; JET_wrnColumnMaxTruncated. */
JET_ERR table_set_column(struct table *t, JET_COLUMNID columnid, const void *pv, uint32_t cb,
                         JET_GRBIT grbit, const JET_SETINFO *info);
/* Stops at the first error; each entry's err is set. */
JET_ERR table_set_columns(struct table *t, JET_SETCOLUMN *cols, uint32_t n);

/* The bookmark of the record (pv may be NULL). After an insert the cursor stays where it was, as
 * ESE's. JET_errUpdateNotPrepared, JET_errKeyDuplicate, JET_errNullInvalid,
 * JET_errNullKeyDisallowed, JET_errKeyTruncated, JET_errRecordPrimaryChanged, JET_errWriteConflict,
 * JET_errRecordTooBig, JET_errNotInTransaction; after an error the update stays prepared. */
JET_ERR table_update(struct table *t, void *pv, uint32_t cb, uint32_t *actual, JET_GRBIT grbit);

/* JET_errNoCurrentRecord, JET_errRecordDeleted, JET_errWriteConflict, JET_errPermissionDenied,
 * JET_errNotInTransaction, JET_errFeatureNotAvailable. */
JET_ERR table_delete_record(struct table *t);

/*
 * info may be NULL (itag 1). itagSequence 0 gives no data but the number of values, in
 * itagSequence. columnid 0: the itagSequence-th of all tagged values; columnidNextTagged = whose it
 * is. JET_bitRetrieveCopy without an update in preparation reads the record: ESE's rule.
 * JET_errNoCurrentRecord, JET_errRecordDeleted, JET_errBadColumnId, JET_errColumnNotFound,
 * JET_errInvalidGrbit, JET_errDecompressionFailed, JET_errLVCorrupted; JET_wrnColumnNull,
 * JET_wrnBufferTruncated.
 */
JET_ERR table_retrieve_column(struct table *t, JET_COLUMNID columnid, void *pv, uint32_t cb,
                              uint32_t *actual, JET_GRBIT grbit, JET_RETINFO *info);
/* Every entry's err is set; the result is the first error, else the first warning. */
JET_ERR table_retrieve_columns(struct table *t, JET_RETRIEVECOLUMN *cols, uint32_t n);

/* JET_bitReadLock and / or JET_bitWriteLock. JET_errNotInTransaction, JET_errWriteConflict,
 * JET_errNoCurrentRecord, JET_errInvalidGrbit. */
JET_ERR table_get_lock(struct table *t, JET_GRBIT grbit);
