/* SPDX-License-Identifier: MIT */
/*
 * cache: a bounded number of database pages in memory, and the one thread that writes them back.
 *
 * A page is fixed (found or read, verified, latched), changed, declared dirty, unfixed. Nobody but
 * the cache's writer thread writes pages to a database file: it takes copies of dirty pages, oldest
 * first and in file order, makes their log durable, raises the header's lGenMaxRequired if need be,
 * lets the before-overwrite hook save the old images, and writes. No latch and no lock is held
 * meanwhile.
 *
 * Invariants:
 *  1. No page reaches its file before the log record of its newest change is durable, nor before
 * the header on disk names that record's generation as required (log format 4.3, waypoint).
 *  2. Between before_overwrite(pgno) and the write of pgno nothing else happens to pgno in the
 * file.
 *  3. A page is dirty from buf_dirty() until a write that holds all its changes has succeeded; it
 *     counts in cache_oldest_begin0() until a later dbfile_sync() has succeeded too.
 *  4. Never more than frames_max page frames; a fix on a full cache waits for the writer.
 *  5. After the first failed page write, header write or sync the cache has failed for ever: dirty
 * pages stay dirty and in memory, nothing more is written, and who must wait for a write gets the
 * error.
 *
 * Locks, in order: buffer latches; the cache's mutex (never held across I/O, latch waits, upcalls).
 * Latches are taken by callers in the order of their own layer; the writer only ever tries them. A
 * latch must be given back by the thread that took it. All functions are safe from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esent.h"
#include "log/lgpos.h"

struct cache;
struct dbfile;
struct page;

enum cache_latch { LATCH_READ, LATCH_WRITE };

/* A fixed page. The public part of a frame; valid until cache_unfix(). */
struct buf {
    struct page *page; /* view of the page image; writable under LATCH_WRITE only */
    struct dbfile *file;
    uint32_t pgno;
};

/* The fourth upcall of the design: "about to overwrite these pages". */
struct cache_hook {
    /*
     * pgnos[n], ascending, of one file, are about to be overwritten on disk, which still has their
     * old images. Called by the writer thread without locks. A negative result fails the cache as a
     * failed write does: a backup that cannot go on must die itself and return 0.
     */
    JET_ERR (*before_overwrite)(void *ctx, struct dbfile *file, const uint32_t *pgnos, size_t n);

    /*
     * A write to a database file found the disk full. Gives room back if it can, and says so: the
     * write is then tried once more. By any thread, without locks of the cache. May be NULL.
     */
    bool (*make_room)(void *ctx, struct dbfile *file);
    void *ctx;
};

struct cache_config {
    uint32_t page_bytes; /* of all databases: 4096, 8192, 16384, 32768 */
    uint32_t frames_max; /* JET_paramCacheSizeMax, pages; raised to 64 */
    uint32_t
        dirty_max; /* writer starts by itself above this many dirty pages; 0 = frames_max / 4 */

    /* The cache has failed (once, by the writer thread or a caller, without locks). May be NULL. */
    void (*failed)(void *ctx, JET_ERR err);
    void *ctx;
};

struct cache_stats {
    uint32_t frames;       /* allocated */
    uint32_t dirty;        /* pages dirty or being written */
    uint64_t fixes, reads; /* cache_fix calls; pages read from files */
    uint64_t repaired;     /* single-bit errors put right on read */
    uint64_t bad_pages;    /* reads that failed verification */
    uint64_t evictions;
    uint64_t pages_written, writes; /* pages; pwritev calls */
    uint64_t batches;
    uint64_t waits; /* fixes that had to wait for a frame */
};

/* ---- life ---- */

/* Starts the writer thread. JET_errInvalidParameter, JET_errOutOfMemory, JET_errOutOfThreads. */
JET_ERR cache_new(const struct cache_config *cfg, struct cache **out);

/* All dbfiles are closed. Stops the writer thread. NULL is fine. */
void cache_free(struct cache *cache);

/* ---- pages ---- */

/*
 * Fixes a page, reading and verifying it if it is not there. Single-bit errors are repaired in
 * memory. JET_errReadVerifyFailure (checksum), JET_errReadPgnoVerifyFailure (another page's image),
 * JET_errPageNotInitialized (all zero), JET_errDatabaseCorrupted (the checksum holds, but
 * page_check does not accept it: header, tags or nodes), JET_errFileIOBeyondEOF (pgno 0 or past
 * pgno_last), JET_errDiskIO; JET_errOutOfBuffers: every frame stays fixed; JET_errOutOfMemory;
 * after the cache has failed, the failure's error when a frame would have to be freed.
 */
JET_ERR cache_fix(struct dbfile *file, uint32_t pgno, enum cache_latch latch, struct buf **out)
    __attribute__((warn_unused_result));

/*
 * Fixes a page without reading it: all zero, write-latched. Unfixed without buf_dirty() it is
 * forgotten. Errors of cache_fix but those of reading.
 */
JET_ERR cache_fix_new(struct dbfile *file, uint32_t pgno, struct buf **out)
    __attribute__((warn_unused_result));

/* Gives latch and page back. NULL is fine. */
void cache_unfix(struct buf *buf);

/*
 * The page (write-latched) has been changed by the log record at modify, in a transaction whose
 * Begin0 lies at begin0. Raises lgposModify, lowers lgposOldestBegin0. For an unlogged file, or
 * where there is no transaction, begin0 is modify. Does not block.
 */
void buf_dirty(struct buf *buf, struct lgpos modify, struct lgpos begin0);

/* Is the page in memory? For read-ahead and tests. */
bool cache_holds(struct dbfile *file, uint32_t pgno);

/* ---- writing back ---- */

/*
 * Writes all pages of the file that are dirty now, and syncs the file. Waits for write-latched
 * pages. The cache's failure, log errors.
 */
JET_ERR cache_flush(struct dbfile *file);

/* Asks the writer to write every page whose lgposOldestBegin0 is below target; does not wait. */
void cache_advance(struct cache *cache, struct lgpos target);

/*
 * Smallest lgposOldestBegin0 over pages of the file that are dirty, being written, or written but
 * not yet synced (dbfile_sync); LGPOS_MAX without any. A checkpoint at or below it loses nothing.
 */
struct lgpos cache_oldest_begin0(struct dbfile *file);

/*
 * pause returns when no page write is in flight, and none starts until resume. Fixes that need
 * the writer wait meanwhile, so be short: at most milliseconds. Pauses nest between threads by
 * waiting.
 */
void cache_write_pause(struct cache *cache);
void cache_write_resume(struct cache *cache);

/*
 * hold is a pause, and more: no write of any kind to a database file is in flight - page, header,
 * extension, new file - and none starts until release. Who has to write waits. Any thread may
 * release.
 */
void cache_hold(struct cache *cache);
void cache_release(struct cache *cache);

/* Sets (copied) or, with NULL, removes the hook. Only while paused, by the thread that paused. */
void cache_set_hook(struct cache *cache, const struct cache_hook *hook);

/* ---- state ---- */

/* 0, or what made the cache fail. */
JET_ERR cache_error(struct cache *cache);

/* Makes the cache fail from outside (the instance goes down without a clean shutdown). */
void cache_abandon(struct cache *cache, JET_ERR err);

uint32_t cache_page_bytes(const struct cache *cache);
void cache_get_stats(struct cache *cache, struct cache_stats *stats);
