/* SPDX-License-Identifier: MIT */
/*
 * stream: the log as its writers see it. Records go in at the tip, come out durable in order.
 *
 * Appenders copy records into one of two buffers under a mutex. Whoever needs durability first
 * leads a flush: it swaps the buffers, and writes and syncs the full one without any lock while
 * others append to the empty one; the rest wait, and the next leader takes all that gathered. That
 * is group commit. Appending never flushes, unless the buffer or the file is full.
 *
 * Invariants:
 *  1. A record lies within one file; its position is that of its first byte, or of its
 *     FragmentBegin; ib is 0, never 40, at the start of a segment.
 *  2. Every flush ends on a segment boundary (the rest is one NOP2, or zeros if < 5 bytes are
 * left), so no segment is ever written twice.
 *  3. All segments of one flush carry the same LOGTIME, and the parity of its milliseconds
 *     alternates from flush to flush: a reader can tell a torn flush from damage followed by a
 * later flush.
 *  4. flush tip <= tip. Every record below the flush tip is on stable storage.
 *  5. After the first failed write, sync or rename the log is down for ever: nothing is retried,
 * the flush tip stays and every call gives the same error.
 *  6. A generation at or above any pin, at or above the checkpoint, or current is never removed;
 *     removal goes upward, so what is left is contiguous at every moment.
 *
 * Locks, in order: roll turn (flush leadership; log_hold takes it), log mutex. Neither is held
 * across I/O by appenders; upcalls are made without the mutex. All functions are safe from any
 * thread unless said otherwise.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "esent.h"
#include "log/attach.h"
#include "log/lgpos.h"

struct log;
struct log_pin;

/* All of it is copied by log_create / log_continue. */
struct log_config {
    const char *dir;      /* JET_paramLogFilePath */
    const char *base;     /* JET_paramBaseName, 3 characters */
    const char *ext;      /* "log", or "jtx" without JET_bitESE98FileNames; NULL = "log" */
    bool eight_dot_three; /* archives have 5 digits while the generation fits */
    bool circular;        /* JET_paramCircularLog */
    uint32_t file_kib; /* JET_paramLogFileSize: 64..32768; log_continue takes that of the stream */
    uint32_t buffer_bytes; /* of each of the two buffers; 0 = default; raised to hold 2 large
                            * records, cut to the file's data */
    uint32_t page_bytes;   /* cbPageSize of the header */
    uint8_t dbms_param[DBMS_PARAM_BYTES]; /* for file headers, spec log_format 1.5 */

    /* Attach list (ATTACHINFO, log_format 1.4) for the header of the generation that begins at
     * `at`: fills out, returns its length. NULL = no list. May take the instance's locks, must not
     * append. */
    size_t (*attach_list)(void *ctx, struct lgpos at, uint8_t out[ATTACH_LIST_BYTES]);
    void *ctx;
};

/* Where an existing stream goes on: the result of recovery's look at its newest generation. */
struct log_resume {
    int32_t
        gen; /* newest generation: the current log, or (after a crash inside a roll) an archive */
    bool next_gen; /* start gen + 1 at once; implied if gen is an archive, or full */
};

struct log_stats {
    uint64_t records;       /* appended */
    uint64_t record_bytes;  /* their bytes without fragment headers and padding */
    uint64_t flushes;       /* write + sync of a buffer */
    uint64_t written_bytes; /* segments written, in bytes */
    uint64_t rolls;         /* generations closed */
    uint64_t waits;         /* log_flush calls that had to wait or to lead */
    uint64_t flush_us;      /* time spent in write + sync */
};

/* ---- life ---- */

/*
 * Starts a new stream in cfg->dir: new signature, generation 1, an empty current log on stable
 * storage; two reserve files; the next file being prepared. The caller has made sure that no log of
 * this base name is there.
 * JET_errInvalidParameter, JET_errOutOfMemory, JET_errLogDiskFull; other
 * errors of os/file. On error nothing is left open; files may remain.
 */
JET_ERR log_create(const struct log_config *cfg, struct log **out);

/*
 * Goes on with an existing stream, after its newest valid segment (scanned again here, shadow put
 * in place). What lies beyond is cleared first: a torn flush must not come back to life when its
 * gap is filled. Writing starts on a fresh segment, or in generation gen + 1. Signature, file size,
 * page size and chain come from the newest file, not from cfg. After a crash the first record has
 * to be RecoveryUndo2: only then do readers forgive a record whose last fragments the crash cut
 * off. As log_create, and JET_errMissingLogFile: no file of that generation; JET_errLogFileCorrupt
 * and the other errors of log/filehdr.h and log/reader.h.
 */
JET_ERR log_continue(const struct log_config *cfg, const struct log_resume *at, struct log **out);

/*
 * Stops the stream. With flush all records are made durable first (the error of that flush, or the
 * one that took the log down earlier, is returned); without, they are dropped. The object is gone
 * in any case. No other call may run or follow; pins must be gone. NULL is fine.
 */
JET_ERR log_close(struct log *log, bool flush);

/* ---- writing ---- */

/*
 * Appends ONE record made of all parts (copied). *pos = its position (may be NULL). Blocks while
 * the buffers are full, rolls when the file is full. Does not flush. JET_errLogBufferTooSmall:
 * larger than a buffer or file. JET_errLogWriteFail, JET_errLogDiskFull, JET_errLogSequenceEnd: the
 * log is down.
 */
JET_ERR log_append(struct log *log, const struct iovec *parts, int n_parts, struct lgpos *pos);

/*
 * Appends a Commit0 record. draw(ctx) is called inside the buffer lock and gives trxCommit0, so
 * that commit order is log order. It must be short and take no lock that is held around log calls.
 * Not called when the log is down. Errors as log_append.
 */
JET_ERR log_append_commit0(struct log *log, uint16_t procid, uint32_t (*draw)(void *ctx), void *ctx,
                           struct lgpos *pos);

/* Returns when the record at pos is on stable storage; at once if it is. Errors: the log is down.
 */
JET_ERR log_flush(struct log *log, struct lgpos pos);

/* The same for everything appended before the call. */
JET_ERR log_flush_all(struct log *log);

/*
 * Ends the current generation and starts the next: records appended before the call lie in
 * generations <= *closed_gen, all of them durable on return; records appended after the return lie
 * above. The new generation begins with a ForceLogRollover record, so that no generation is empty.
 * Errors: the log is down.
 */
JET_ERR log_roll(struct log *log, int32_t *closed_gen);

/*
 * May new work begin? JET_errLogDiskFull while the log lives on its reserve files (tries to refill
 * them first); the error that took the log down; else 0. Rollback, commit and termination don't
 * ask.
 */
JET_ERR log_check_state(struct log *log);

/* Takes the log down from outside (instance failed): every later call gives err. */
void log_abandon(struct log *log, JET_ERR err);

/*
 * hold returns when nothing of the log is on its way to the disk - no flush, no roll, no file made
 * ready or removed - and nothing is until release. Who needs a record durable waits; appends go on
 * until the buffers are full. *end: exactly the records below it are in the files. One holder at a
 * time; any thread may release. The log may go down meanwhile. Errors: it is down, nothing is held.
 */
JET_ERR log_hold(struct log *log, struct lgpos *end) __attribute__((warn_unused_result));
void log_release(struct log *log);

/* ---- positions ---- */

struct lgpos log_tip(struct log *log);       /* where the next record will begin, at the earliest */
struct lgpos log_flush_tip(struct log *log); /* all records below are durable; lock-free */
int32_t log_gen(struct log *log);            /* newest generation that has a file; the tip may be
                                              * one further while a roll is under way */
int32_t log_oldest_gen(struct log *log);     /* oldest generation still present */

/* tmCreate (LOGTIME) of a generation still present. JET_errMissingLogFile; errors of the header. */
JET_ERR log_gen_time(struct log *log, int32_t gen, uint64_t *created);

/* Full path of a generation as named now (the current one: base.ext). Caller frees (g_free). */
char *log_gen_path(struct log *log, int32_t gen);

/* signLog of the stream; lives as long as log. */
const uint8_t *log_signature(struct log *log);

/* File size of every generation, bytes. */
uint64_t log_file_bytes(struct log *log);

/* The stream is, or was at some time, circular; what a backup must know. */
bool log_is_circular(struct log *log);

/* ---- keeping and removing generations ---- */

/* Tells the checkpoint: bounds truncation, stamped into new headers; with circular logging, older
 * generations are removed at the next roll. Only moves forward. */
void log_set_checkpoint(struct log *log, struct lgpos checkpoint);

/*
 * Until log_unpin, generations >= gen stay. JET_errMissingLogFile: gen is already gone (nothing
 * pinned), JET_errOutOfMemory.
 */
JET_ERR log_pin(struct log *log, int32_t gen, struct log_pin **pin);
void log_unpin(struct log *log, struct log_pin *pin); /* NULL is fine */

/*
 * Removes generations lo <= gen < hi, upward; what a pin, the checkpoint or the current generation
 * holds stays, without an error, and so does all above it. A file already missing is passed over;
 * any other error stops. *removed (may be NULL) counts files. Syncs the directory.
 */
JET_ERR log_truncate(struct log *log, int32_t lo, int32_t hi, uint32_t *removed);

void log_stats(struct log *log, struct log_stats *stats);
