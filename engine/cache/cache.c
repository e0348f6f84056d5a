/* SPDX-License-Identifier: MIT */
/*
 * cache: fix, unfix, dirty: pages as the layers above see them.
 */
#include "cache/cache.h"

#include <string.h>

#include "cache/state.h"
#include "os/file.h"

#define FRAMES_MIN      64u
#define FRAME_WAIT_SECS 30 /* JET_errOutOfBuffers when no frame comes free for so long */

JET_ERR
cache_new(const struct cache_config *cfg, struct cache **out)
{
    if (cfg->page_bytes < 4096 || cfg->page_bytes > 32768 ||
        (cfg->page_bytes & (cfg->page_bytes - 1)))
        return JET_errInvalidParameter;
    struct cache *cache = g_try_malloc0(sizeof *cache);
    if (!cache)
        return JET_errOutOfMemory;
    cache->cfg = *cfg;
    cache->cfg.frames_max = MAX(cfg->frames_max, FRAMES_MIN);
    if (cfg->dirty_max == 0)
        cache->cfg.dirty_max = cache->cfg.frames_max / 4;
    cache->batch_max = MIN(BATCH_PAGES, BATCH_BYTES / cfg->page_bytes);
    cache->batch_max = MIN(cache->batch_max, cache->cfg.frames_max / 2);
    pthread_mutex_init(&cache->lock, NULL);
    pthread_cond_init(&cache->wake, NULL);
    pthread_cond_init(&cache->done, NULL);

    JET_ERR err = frames_init(cache);
    cache->batch = g_try_malloc0_n(cache->batch_max, sizeof *cache->batch);
    if (posix_memalign((void **)&cache->copies, 4096, (size_t)cache->batch_max * cfg->page_bytes) !=
        0)
        cache->copies = NULL;
    if (err >= 0 && (!cache->batch || !cache->copies))
        err = JET_errOutOfMemory;
    if (err >= 0 && pthread_create(&cache->writer, NULL, writer_main, cache) != 0)
        err = JET_errOutOfThreads;
    if (err < 0) {
        cache->stop = true; /* no thread to join */
        cache_free(cache);
        return err;
    }
    *out = cache;
    return JET_errSuccess;
}

void
cache_free(struct cache *cache)
{
    if (!cache)
        return;
    pthread_mutex_lock(&cache->lock);
    bool running = !cache->stop;
    cache->stop = true;
    pthread_cond_broadcast(&cache->wake);
    pthread_mutex_unlock(&cache->lock);
    if (running)
        pthread_join(cache->writer, NULL);
    frames_deinit(cache);
    g_free(cache->batch);
    free(cache->copies);
    pthread_cond_destroy(&cache->done);
    pthread_cond_destroy(&cache->wake);
    pthread_mutex_destroy(&cache->lock);
    g_free(cache);
}

static struct timespec
frame_deadline(void)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += FRAME_WAIT_SECS;
    return deadline;
}

/* Takes a frame, waiting for the writer on a full cache. May give the lock up: *waited then. */
static JET_ERR
take_frame(struct cache *cache, struct frame **out, bool *waited)
{
    struct timespec deadline = frame_deadline();
    *waited = false;
    for (;;) {
        JET_ERR err;
        struct frame *frame = frames_take(cache, &err);
        if (frame) {
            *out = frame;
            return JET_errSuccess;
        }
        if (err < 0)
            return err;
        if (cache->err < 0)
            return cache->err;
        if (!*waited)
            cache->stats.waits++;
        *waited = true;
        cache->waiters++;
        pthread_cond_signal(&cache->wake);
        bool held = cache->held;
        int timed_out = pthread_cond_timedwait(&cache->done, &cache->lock, &deadline);
        cache->waiters--;
        if (held || cache->held)
            deadline = frame_deadline(); /* nothing can be written, so nothing is amiss */
        else if (timed_out)
            return JET_errOutOfBuffers;
    }
}

static void
latch_frame(struct frame *frame, enum cache_latch latch)
{
    /* EDEADLK: this thread holds the page already, which is a bug of its caller. */
    int err = latch == LATCH_READ ? pthread_rwlock_rdlock(&frame->latch)
                                  : pthread_rwlock_wrlock(&frame->latch);
    g_assert(err == 0);
    if (latch == LATCH_WRITE)
        frame->write_latched = true;
}

static void
unlatch_frame(struct frame *frame)
{
    if (frame->write_latched)
        frame->write_latched = false;
    pthread_rwlock_unlock(&frame->latch);
}

/* Needs the lock. */
static void
drop_pin(struct cache *cache, struct frame *frame)
{
    g_assert(frame->pins > 0);
    if (--frame->pins > 0)
        return;
    if (frame->state == FRAME_GONE)
        frames_put(cache, frame);
    if (cache->waiters > 0 || cache->paused)
        pthread_cond_broadcast(&cache->done);
}

/* Takes a frame out of the hash for good; who still has it pinned will find it GONE. Needs the
 * lock. */
static void
retire_frame(struct cache *cache, struct frame *frame, JET_ERR err)
{
    frames_remove(cache, frame);
    frame->state = FRAME_GONE;
    frame->err = err;
}

/* Finds the frame of the page, or makes one in state LOADING, write-latched by us. Pinned. */
static JET_ERR
pin_frame(struct dbfile *file, uint32_t pgno, struct frame **out, bool *made)
{
    struct cache *cache = file->cache;
    JET_ERR err = JET_errSuccess;
    pthread_mutex_lock(&cache->lock);
    cache->stats.fixes++;
    struct frame *frame = frames_find(cache, file, pgno);
    *made = false;
    if (!frame) {
        bool waited;
        err = take_frame(cache, &frame, &waited);
        struct frame *other = err >= 0 && waited ? frames_find(cache, file, pgno) : NULL;
        if (other) {
            frames_put(cache, frame);
            frame = other;
        } else if (err >= 0) {
            *made = true;
        }
    }
    if (*made) {
        frame->pub.file = file;
        frame->pub.pgno = pgno;
        frame->pins = 0;
        frame->fresh = frame->dirty = frame->writing = false;
        frame->state = FRAME_LOADING;
        frame->err = JET_errSuccess;
        int busy = pthread_rwlock_trywrlock(&frame->latch);
        g_assert(busy == 0);
        frame->write_latched = true;
        frames_insert(cache, frame);
    }
    if (err >= 0) {
        frame->pins++;
        frame->referenced = true;
        *out = frame;
    }
    pthread_mutex_unlock(&cache->lock);
    return err;
}

/* Reads the page into its frame. Its checksum says that it is what was written; page_check that it
 * can be walked, whoever wrote it: all above trusts tags and nodes. */
static JET_ERR
load_frame(struct frame *frame)
{
    struct dbfile *file = frame->pub.file;
    struct cache *cache = file->cache;
    uint32_t page_bytes = cache->cfg.page_bytes;
    bool repaired = false;
    JET_ERR err = os_file_read(file->os, ((uint64_t)frame->pub.pgno + 1) * page_bytes, frame->bytes,
                               page_bytes);
    bool read = err >= 0;
    if (read)
        err = page_verify(frame->bytes, page_bytes, frame->pub.pgno, &repaired);
    if (err >= 0)
        err = page_check(&frame->view, NULL);
    pthread_mutex_lock(&cache->lock);
    cache->stats.reads++;
    cache->stats.repaired += repaired;
    cache->stats.bad_pages += read && err < 0;
    if (err < 0)
        retire_frame(cache, frame, err);
    else
        frame->state = FRAME_VALID;
    pthread_mutex_unlock(&cache->lock);
    return err;
}

static void
release(struct frame *frame)
{
    struct cache *cache = frame->pub.file->cache;
    unlatch_frame(frame);
    pthread_mutex_lock(&cache->lock);
    drop_pin(cache, frame);
    pthread_mutex_unlock(&cache->lock);
}

/* GONE is set under the write latch and, once pinned, never taken back: no lock needed beyond ours.
 */
static bool
is_gone(struct frame *frame, JET_ERR *err)
{
    struct cache *cache = frame->pub.file->cache;
    pthread_mutex_lock(&cache->lock);
    bool gone = frame->state == FRAME_GONE;
    *err = gone ? frame->err : JET_errSuccess;
    pthread_mutex_unlock(&cache->lock);
    return gone;
}

JET_ERR
cache_fix(struct dbfile *file, uint32_t pgno, enum cache_latch latch, struct buf **out)
{
    if (pgno == 0 || pgno > dbfile_pgno_last(file))
        return JET_errFileIOBeyondEOF;
    for (;;) {
        struct frame *frame;
        bool made;
        JET_ERR err = pin_frame(file, pgno, &frame, &made);
        if (err < 0)
            return err;
        if (made) {
            page_init(&frame->view, frame->bytes, file->cache->cfg.page_bytes, pgno);
            err = load_frame(frame);
            if (err < 0) {
                release(frame);
                return err;
            }
            if (latch == LATCH_READ) {
                unlatch_frame(frame);
                latch_frame(frame, latch);
            }
        } else {
            latch_frame(frame, latch);
        }
        if (!is_gone(frame, &err)) {
            *out = &frame->pub;
            return JET_errSuccess;
        }
        release(frame);
        if (err < 0)
            return err;
    }
}

JET_ERR
cache_fix_new(struct dbfile *file, uint32_t pgno, struct buf **out)
{
    if (pgno == 0 || pgno > dbfile_pgno_last(file))
        return JET_errFileIOBeyondEOF;
    struct cache *cache = file->cache;
    for (;;) {
        struct frame *frame;
        bool made;
        JET_ERR err = pin_frame(file, pgno, &frame, &made);
        if (err < 0)
            return err;
        if (!made)
            latch_frame(frame, LATCH_WRITE);
        pthread_mutex_lock(&cache->lock);
        bool gone = frame->state == FRAME_GONE;
        if (!gone) {
            frame->state = FRAME_VALID;
            frame->fresh = !frame->dirty && !frame->writing;
        }
        pthread_mutex_unlock(&cache->lock);
        if (!gone) {
            memset(frame->bytes, 0, cache->cfg.page_bytes);
            page_init(&frame->view, frame->bytes, cache->cfg.page_bytes, pgno);
            *out = &frame->pub;
            return JET_errSuccess;
        }
        release(frame);
    }
}

void
cache_unfix(struct buf *buf)
{
    if (!buf)
        return;
    struct frame *frame = (struct frame *)buf;
    struct cache *cache = buf->file->cache;
    pthread_mutex_lock(&cache->lock);
    if (frame->write_latched && frame->fresh) {
        frame->fresh = false;
        retire_frame(cache, frame, JET_errSuccess);
    }
    pthread_mutex_unlock(&cache->lock);
    release(frame);
}

void
buf_dirty(struct buf *buf, struct lgpos modify, struct lgpos begin0)
{
    struct frame *frame = (struct frame *)buf;
    struct cache *cache = buf->file->cache;
    g_assert(frame->write_latched && !buf->file->readonly);
    pthread_mutex_lock(&cache->lock);
    frame->fresh = false;
    if (!frame->dirty) {
        frame->modify = LGPOS_MIN;
        frame->begin0 = LGPOS_MAX;
        frames_queue(cache, frame);
    }
    frame->modify = lgpos_max(frame->modify, modify);
    frame->begin0 = lgpos_min(frame->begin0, begin0);
    if (cache->dirty.length > cache->cfg.dirty_max && !cache->batch_running)
        pthread_cond_signal(&cache->wake);
    pthread_mutex_unlock(&cache->lock);
}

bool
cache_holds(struct dbfile *file, uint32_t pgno)
{
    struct cache *cache = file->cache;
    pthread_mutex_lock(&cache->lock);
    struct frame *frame = frames_find(cache, file, pgno);
    bool holds = frame && frame->state == FRAME_VALID;
    pthread_mutex_unlock(&cache->lock);
    return holds;
}

struct lgpos
cache_oldest_begin0(struct dbfile *file)
{
    struct cache *cache = file->cache;
    pthread_mutex_lock(&cache->lock);
    struct lgpos oldest = lgpos_min(file->unsynced_begin0, file->syncing_begin0);
    for (GList *at = cache->dirty.head; at; at = at->next) {
        struct frame *frame = at->data;
        if (frame->pub.file == file)
            oldest = lgpos_min(oldest, frame->begin0);
    }
    for (uint32_t i = 0; cache->batch_running && i < cache->batch_max; i++) {
        struct frame *frame = cache->batch[i].frame;
        if (frame && frame->writing && frame->pub.file == file)
            oldest = lgpos_min(oldest, frame->copied_begin0);
    }
    pthread_mutex_unlock(&cache->lock);
    return oldest;
}

JET_ERR
cache_error(struct cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    JET_ERR err = cache->err;
    pthread_mutex_unlock(&cache->lock);
    return err;
}

uint32_t
cache_page_bytes(const struct cache *cache)
{
    return cache->cfg.page_bytes;
}

void
cache_get_stats(struct cache *cache, struct cache_stats *stats)
{
    pthread_mutex_lock(&cache->lock);
    *stats = cache->stats;
    stats->dirty = cache->dirty.length;
    for (uint32_t i = 0; cache->batch_running && i < cache->batch_max; i++)
        stats->dirty += cache->batch[i].frame && cache->batch[i].frame->writing &&
                        !cache->batch[i].frame->dirty;
    pthread_mutex_unlock(&cache->lock);
}
