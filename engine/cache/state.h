/* SPDX-License-Identifier: MIT */
/*
 * state: the inside of struct cache and struct dbfile, shared by the files that make up the layer:
 *
 *   frames.c  frames, hash, clock hand          writer.c  the writer thread, flush, pause
 *   cache.c   fix, unfix, dirty                 dbfile.c, dbfile_header.c  the file
 *
 *   FREE --take--> LOADING --read ok--> VALID --evict, drop--> FREE
 *                     |                   |
 *                     +--read failed--> GONE (out of the hash, until the last pin) --> FREE
 *
 * A VALID frame is clean, dirty (in the dirty queue), writing (a copy is under way), or both:
 * changed again after it was copied. Only pins == 0, clean and not writing can be evicted.
 *
 * pthread locks rather than GLib's, so that ThreadSanitizer sees them.
 */
#pragma once

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>

#include "cache/cache.h"
#include "cache/dbfile.h"
#include "page/dbheader.h"
#include "page/page.h"

#define BATCH_BYTES  (1u << 20) /* most bytes of page copies in one batch */
#define BATCH_PAGES  256u
#define CHUNK_FRAMES 64u /* frames are allocated so many at a time */

enum frame_state { FRAME_FREE, FRAME_LOADING, FRAME_VALID, FRAME_GONE };

struct frame {
    struct buf pub; /* first: a struct buf * is a struct frame * */
    struct page view;
    uint8_t *bytes;
    pthread_rwlock_t latch;
    bool write_latched; /* under the latch: its holder has it exclusively */

    /* guarded by cache->lock */
    enum frame_state state;
    JET_ERR err; /* GONE: why, 0 = look again */
    uint32_t pins;
    bool referenced; /* the clock hand passes once more */
    bool fresh;      /* made by cache_fix_new, not dirty yet */
    bool dirty, writing;
    uint64_t seq;                /* when it became dirty; the queue is in this order */
    struct lgpos modify, begin0; /* of the changes since the last copy */
    struct lgpos copied_begin0;  /* of those in the copy being written */
    struct frame *hash_next;
    GList dirty_link;
};

struct chunk {
    struct chunk *next;
    uint8_t *bytes;
    struct frame frames[CHUNK_FRAMES];
};

struct batch_page {
    struct frame *frame;
    struct lgpos modify; /* newest change in the copy */
    uint64_t seq;        /* since when the frame was dirty */
};

struct cache {
    struct cache_config cfg;
    pthread_t writer;

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;  /* the writer has something to do */
    pthread_cond_t done;  /* the writer did something; a pin was dropped; pause, resume */

    struct frame **hash;
    uint32_t hash_mask;
    struct chunk *chunks;
    struct frame **frames; /* all of them, for the clock */
    uint32_t n_frames, hand;
    GPtrArray *free;

    GQueue dirty; /* frames by seq */
    uint64_t dirty_seq;
    uint64_t flush_target; /* write all with seq <= this */
    struct lgpos
        advance_target; /* write those with begin0 below, if dirty since advance_seq or before */
    uint64_t advance_seq;
    uint32_t waiters; /* fixes without a frame */
    bool batch_running, stop;
    bool paused;
    bool held;             /* no write to any file */
    uint32_t file_writers; /* threads inside dbfile_write */
    JET_ERR err;
    struct cache_stats stats;
    struct cache_hook hook;
    uint32_t hook_users; /* threads inside make_room */

    /* the writer's own */
    uint32_t batch_max;
    struct batch_page *batch;
    uint8_t *copies;
};

struct dbfile {
    struct cache *cache;
    struct os_file *os;
    char *path;
    uint8_t dbid;
    bool readonly;
    struct log *_Atomic log;
    _Atomic uint64_t dbtime_last;
    _Atomic uint32_t objid_last;
    _Atomic uint32_t pgno_last;
    _Atomic int32_t max_required; /* as on disk */

    pthread_mutex_t extend_lock;
    pthread_mutex_t header_lock; /* guards the next four, held across header I/O */
    struct dbheader header;
    int32_t noted_gen;
    uint64_t noted_time;

    /* guarded by cache->lock: page writes not yet known to be on stable storage */
    bool unsynced;
    struct lgpos unsynced_begin0;
    struct lgpos syncing_begin0;
};

/* ---- frames.c; all need cache->lock ---- */

JET_ERR frames_init(struct cache *cache);
void frames_deinit(struct cache *cache);
struct frame *frames_find(struct cache *cache, const struct dbfile *file, uint32_t pgno);
void frames_insert(struct cache *cache, struct frame *frame);
void frames_remove(struct cache *cache, struct frame *frame);

/* A frame nobody uses: free, new or evicted. NULL: none at this moment. */
struct frame *frames_take(struct cache *cache, JET_ERR *err);

/* Back to the free list. */
void frames_put(struct cache *cache, struct frame *frame);

/* The frame becomes dirty / clean again. */
void frames_queue(struct cache *cache, struct frame *frame);
void frames_unqueue(struct cache *cache, struct frame *frame);

/* ---- writer.c ---- */

void *writer_main(void *cache);

/* The first error counts; tells the instance. No lock held. */
void cache_fail(struct cache *cache, JET_ERR err);

/* The disk is full: asks the hook. True: try once more. No lock but the header's may be held. */
bool cache_make_room(struct dbfile *file);

/* Around each write to a file: begin waits while the cache is held. */
void cache_file_write_begin(struct cache *cache);
void cache_file_write_end(struct cache *cache);

/* Drops all pages of the file; waits for a running batch. */
void cache_drop_file(struct dbfile *file);

/* ---- dbfile_header.c; needs the header lock, or a file nobody else knows ---- */

JET_ERR dbfile_load_header(struct dbfile *file);
JET_ERR dbfile_write_header(struct dbfile *file);
void dbfile_take_header(struct dbfile *file, const struct dbheader *header);

/* Something was written to the file past the cache. */
void dbfile_mark_unsynced(struct dbfile *file);

/* ---- dbfile.c ---- */

/* Every write to a database file goes through here: a full disk is not the end if the hook can give
 * room back. */
JET_ERR dbfile_write(struct dbfile *file, uint64_t at, const void *data, size_t len);
