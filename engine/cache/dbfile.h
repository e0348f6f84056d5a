/* SPDX-License-Identifier: MIT */
/*
 * dbfile: one open database file: its header, its size, its counters. Pages go through cache.h.
 *
 * File layout: slot 0 header, slot 1 shadow, slot n+1 page n (edb format 1). The header is always
 * written slot 0, sync, slot 1, sync: one copy is good at every moment.
 *
 * Invariants:
 *  1. The header on disk never promises more than the file holds: before lGenMinRequired rises, or
 *     the state becomes clean, every page write that allows it is synced.
 *  2. The header on disk never asks for less than the file needs: lGenMaxRequired is on disk before
 * any page with a change of that generation is (the waypoint).
 *  3. dbtime_last and objid_last only grow; the header on disk has them as of its last write.
 *  4. pgno_last only grows; pages above the old end read as zero.
 *
 * Locks: header mutex (held across header I/O; outermost, nothing of cache.h is called under it);
 * counters are atomics.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esent.h"
#include "log/lgpos.h"

struct cache;
struct dbfile;
struct dbheader; /* page/dbheader.h: the decoded header */
struct log;
struct os_file;

struct dbfile_spec {
    struct cache *cache; /* whose page size is that of the file */
    const char *path;    /* copied; made absolute by the caller */
    uint8_t dbid;        /* 1..6 */
    bool readonly;       /* never written: no header update, no dirty pages */
    struct log *log;     /* NULL: unlogged, or the log is not yet writable (redo) */
};

/* ---- life ---- */

/*
 * Makes a new file of pgno_last zero pages (pgno_last + 2 slots) with this header (its counters are
 * taken over), both copies on stable storage, directory synced. JET_errDatabaseDuplicate: the file
 * exists; JET_errDiskFull, JET_errInvalidPath, JET_errFileAccessDenied, JET_errDiskIO,
 * JET_errOutOfMemory. On error no file stays.
 */
JET_ERR dbfile_create(const struct dbfile_spec *spec, const struct dbheader *header,
                      uint32_t pgno_last, struct dbfile **out);

/*
 * Opens an existing file and locks it (one owner). Reads the header: the first good copy counts; a
 * torn or bad one is written again from the other (unless readonly). JET_errFileNotFound,
 * JET_errFileAccessDenied (also: another owner), JET_errDatabaseCorrupted (no good header copy),
 * JET_errInvalidDatabaseVersion, JET_errPageSizeMismatch, JET_errDiskIO, JET_errOutOfMemory.
 * Whether the state allows use is the caller's affair (dbfile_header).
 */
JET_ERR dbfile_open(const struct dbfile_spec *spec, struct dbfile **out);

/*
 * Drops the file's pages from the cache, dirty ones too (call cache_flush() first to keep them),
 * and closes it. No page may be fixed. NULL is fine.
 */
void dbfile_close(struct dbfile *file);

/* Recovery is over and the log takes appends (or NULL: it no longer does). */
void dbfile_set_log(struct dbfile *file, struct log *log);

/* ---- facts ---- */

const char *dbfile_path(const struct dbfile *file);
uint8_t dbfile_dbid(const struct dbfile *file);
uint32_t dbfile_page_bytes(const struct dbfile *file);
bool dbfile_is_readonly(const struct dbfile *file);
struct log *dbfile_log(const struct dbfile *file);
struct cache *dbfile_cache(const struct dbfile *file);
struct os_file *
dbfile_os_file(const struct dbfile *file); /* for reads of old images; never write */

/* ---- size ---- */

/* Last page the file has room for; (pgno_last + 2) * page_bytes = file size. */
uint32_t dbfile_pgno_last(const struct dbfile *file);

/*
 * Makes pgno_last at least this, pages above the old end zero. No-op when it already is.
 * JET_errDiskFull, JET_errDiskIO; the file is then as before or larger.
 */
JET_ERR dbfile_extend(struct dbfile *file, uint32_t pgno_last);

/* ---- counters ---- */

/* Draws the next dbtime: ++dbtime_last. */
uint64_t dbfile_dbtime_next(struct dbfile *file);
uint64_t dbfile_dbtime_last(const struct dbfile *file);
void dbfile_dbtime_raise(struct dbfile *file, uint64_t dbtime); /* redo: has seen it */

/* Draws the next objid: ++objid_last. */
uint32_t dbfile_objid_next(struct dbfile *file);
uint32_t dbfile_objid_last(const struct dbfile *file);
void dbfile_objid_raise(struct dbfile *file, uint32_t objid);

/* ---- header ---- */

/* Copy of the header as it is in memory, with the counters of this moment. */
void dbfile_header(struct dbfile *file, struct dbheader *out);

/*
 * change(header, ctx) edits the header, which is then written (both copies) and synced. Page writes
 * that happened before are synced first. change must not block, nor call back.
 * JET_errDiskIO, JET_errDiskFull: the cache has failed; the memory copy is as changed.
 */
JET_ERR dbfile_header_update(struct dbfile *file,
                             void (*change)(struct dbheader *header, void *ctx), void *ctx);

/* Syncs page writes done so far; cheap when there were none since the last sync. */
JET_ERR dbfile_sync(struct dbfile *file);

/*
 * The checkpoint has moved to generation min; committed = current generation of the log. Raises
 * lGenMinRequired, lGenMinConsistent (syncing first) and lGenMaxCommitted with its time. Writes
 * only when min rises or max_required does; lower values are ignored. 0 = leave that one.
 */
JET_ERR dbfile_raise_gens(struct dbfile *file, int32_t min, int32_t committed);

/*
 * The waypoint: lGenMaxRequired is on disk with at least gen when this returns. Called by the
 * cache's writer; others need it before they write past the cache.
 */
JET_ERR dbfile_raise_max_required(struct dbfile *file, int32_t gen);
int32_t dbfile_max_required(const struct dbfile *file);

/* tmCreate (LOGTIME) of a generation, for header stamps while no log is bound (redo). */
void dbfile_note_gen_time(struct dbfile *file, int32_t gen, uint64_t created);
