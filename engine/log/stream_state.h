/* SPDX-License-Identifier: MIT */
/*
 * stream_state: the inside of struct log, shared by the files that make up the writer:
 *
 *   stream.c    create, continue, close, positions       append.c   append, flush, the turn
 *   roll.c      close a generation, start the next       prepare.c  next file, reserve files
 *   truncate.c  pins, checkpoint, removal
 *
 *                    turn free ----lead()----> turn taken: swap buffers, write, sync [, roll]
 *                        ^                                  |
 *                        +------- release, wake all --------+----> any error: down, for ever
 *
 * log_hold takes the turn too, and keeps it until log_release; then nobody is busy with files
 * either.
 */
#pragma once

#include <glib.h>
#include <stdatomic.h>

#include "log/buffer.h"
#include "log/stream.h"

struct os_file;

enum log_prepared {
    LOG_PREPARED_NONE,   /* nothing asked for, or taken */
    LOG_PREPARED_WANTED, /* asked for; the worker makes it */
    LOG_PREPARED_READY,  /* base + "tmp" is there, zero-filled and synced */
    LOG_PREPARED_FAILED, /* could not be made: prepare_err */
};

/* Of the current generation. Used by the holder of the turn; replaced under the lock by it. */
struct log_file {
    struct os_file *file;
    int32_t gen;
    uint64_t accumulated; /* XOR of the checksums of all segments written */
    uint64_t created;     /* tmCreate */
};

struct log {
    /* fixed for life */
    char *dir, *base, *ext;
    bool eight_dot_three, circular;
    uint32_t file_segments; /* csecLGFile */
    uint32_t last_isec;     /* last data segment: file_segments - 2 */
    uint32_t page_bytes;
    uint8_t dbms_param[DBMS_PARAM_BYTES];
    uint8_t signature[SIGNATURE_BYTES];
    uint32_t update_major, update_minor, efv_engine;
    size_t (*attach_list)(void *ctx, struct lgpos at, uint8_t out[ATTACH_LIST_BYTES]);
    void *ctx;

    /* the holder of the turn */
    struct log_file file; /* gen and created change under lock, for readers */
    int64_t flush_ms;     /* LOGTIME of the last flush, in milliseconds since 1970 */

    GMutex lock;   /* guards all that follows */
    GCond changed; /* turn released, log down */
    bool turn_taken;
    bool held;     /* log_hold has the turn, and nobody is at the files */
    uint32_t busy; /* threads that make, fill or remove files without the turn */
    JET_ERR down;  /* sticky */
    struct log_buffer buffers[2];
    struct log_buffer *tail; /* the one being filled */
    struct log_stats stats;
    bool was_circular;
    int32_t oldest_gen;
    struct lgpos checkpoint;
    GQueue pins;                /* struct log_pin, in no order */
    _Atomic uint64_t flush_tip; /* log_pos_pack; written under lock, read anywhere */

    GCond prepare; /* work for the worker, or its result; held, busy */
    enum log_prepared prepared;
    JET_ERR prepare_err;
    struct os_file *prepared_file;
    bool stopping;
    uint32_t reserves;       /* reserve files that exist */
    _Atomic bool in_trouble; /* down, or a reserve was used: new work is refused */
    bool refilling;
    GThread *worker;
};

static inline uint64_t
log_pos_pack(struct lgpos p)
{
    return (uint64_t)(uint32_t)p.gen << 32 | (uint32_t)p.isec << 16 | p.ib;
}

static inline struct lgpos
log_pos_unpack(uint64_t v)
{
    return (struct lgpos) {(uint16_t)v, (uint16_t)(v >> 16), (int32_t)(v >> 32)};
}

/* append.c */

/* The first error stays. lock held. */
void log_go_down_locked(struct log *log, JET_ERR err);

enum log_lead {
    LOG_LEAD_FLUSH, /* make what is in the buffer durable */
    LOG_LEAD_ROLL,  /* and close the generation */
    LOG_LEAD_FORCED /* and begin the next with a ForceLogRollover record */
};

/* Takes the turn, does the work without the lock, gives the turn back. lock held, turn free. */
void log_lead_locked(struct log *log, enum log_lead what);

/* stream.c */

char *log_current_path(struct log *log);
char *log_archive_path(struct log *log, int32_t gen);
char *log_tmp_path(struct log *log);

/* roll.c; both by the holder of the turn, without the lock */

/* Closes log->file as generation gen and puts a new file for gen + 1 in its place. */
JET_ERR log_roll_file(struct log *log);

/* Turns the prepared file into the current log of generation gen. prev_created: 0 for the
 * first. Fills log->file. An existing current log must have been renamed before. */
JET_ERR log_start_file(struct log *log, int32_t gen, uint64_t prev_created,
                       uint64_t prev_accumulated, bool archive_current);

/* prepare.c */

/* Starts the worker and asks it for the first file; creates the reserve files. */
JET_ERR log_prepare_start(struct log *log);
/* Stops the worker and removes what it had prepared. Fine if never started. */
void log_prepare_stop(struct log *log);
/* Asks for the next file. lock held. */
void log_prepare_ask_locked(struct log *log);
/* Waits for the file and hands it out; it stands at log_tmp_path. On an error nothing is handed
 * out. */
JET_ERR log_prepare_take(struct log *log, struct os_file **file, bool *from_reserve);

/* truncate.c */

/* Removes what circular logging allows. No lock held; the caller is busy (log_busy_begin_locked).
 */
JET_ERR log_truncate_circular(struct log *log);

/* append.c: around work on files by who has not the turn; waits while the log is held. lock held.
 */
void log_busy_begin_locked(struct log *log);
void log_busy_end_locked(struct log *log);
