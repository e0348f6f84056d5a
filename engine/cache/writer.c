/* SPDX-License-Identifier: MIT */
/*
 * writer: the one thread that writes pages.
 *
 *   pick dirty frames, oldest first -> sort by file, page -> copy each under its read latch (tried,
 * never waited for) -> log durable -> header's lGenMaxRequired -> hook -> checksums -> write runs
 * -> clean
 *
 * A frame is not dirty while its copy is under way, so a change made meanwhile makes it dirty anew.
 * A failed batch makes all its frames dirty again and the cache fail for ever.
 */
#include <string.h>
#include <time.h>

#include "cache/state.h"
#include "log/stream.h"
#include "os/file.h"

#define LATCH_RETRY_NS 1000000 /* all pages wanted are write-latched: look again after this */

/* Does the frame belong into a batch now, for any reason but "the cache is too dirty"? */
static bool
asked_for(const struct cache *cache, const struct frame *frame)
{
    return frame->seq <= cache->flush_target ||
           (frame->seq <= cache->advance_seq &&
            lgpos_cmp(frame->begin0, cache->advance_target) < 0);
}

static int
compare_pages(const void *a, const void *b)
{
    const struct frame *x = ((const struct batch_page *)a)->frame;
    const struct frame *y = ((const struct batch_page *)b)->frame;
    if (x->pub.file != y->pub.file)
        return x->pub.file < y->pub.file ? -1 : 1;
    return (x->pub.pgno > y->pub.pgno) - (x->pub.pgno < y->pub.pgno);
}

/* Fills cache->batch with pinned dirty frames in file order. Needs the lock. */
static uint32_t
pick_batch(struct cache *cache)
{
    bool any = cache->waiters > 0 || cache->dirty.length > cache->cfg.dirty_max;
    uint32_t n = 0;
    if (cache->paused || cache->err < 0)
        return 0;
    for (GList *at = cache->dirty.head; at && n < cache->batch_max; at = at->next) {
        struct frame *frame = at->data;
        if (!any && !asked_for(cache, frame))
            continue;
        frame->pins++;
        cache->batch[n++] = (struct batch_page) {frame, LGPOS_MIN, frame->seq};
    }
    qsort(cache->batch, n, sizeof *cache->batch, compare_pages);
    return n;
}

/* Copies what can be latched at once; drops the rest from the batch. Returns how many are left. */
static uint32_t
copy_batch(struct cache *cache, uint32_t n)
{
    size_t page_bytes = cache->cfg.page_bytes;
    uint32_t copied = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct frame *frame = cache->batch[i].frame;
        bool latched = pthread_rwlock_tryrdlock(&frame->latch) == 0;
        if (latched)
            memcpy(cache->copies + copied * page_bytes, frame->bytes, page_bytes);
        pthread_mutex_lock(&cache->lock);
        if (latched && frame->dirty) {
            frames_unqueue(cache, frame);
            frame->writing = true;
            frame->copied_begin0 = frame->begin0;
            cache->batch[copied++] = (struct batch_page) {frame, frame->modify, frame->seq};
        } else {
            frame->pins--;
        }
        pthread_mutex_unlock(&cache->lock);
        if (latched)
            pthread_rwlock_unlock(&frame->latch);
    }
    pthread_mutex_lock(&cache->lock);
    memset(cache->batch + copied, 0, (n - copied) * sizeof *cache->batch);
    pthread_mutex_unlock(&cache->lock);
    return copied;
}

/* One file's part of a batch: all that must be on disk before, the hook, then the pages. */
static JET_ERR
write_file_pages(struct cache *cache, struct dbfile *file, const struct batch_page *pages,
                 uint8_t *copies, uint32_t n)
{
    size_t page_bytes = cache->cfg.page_bytes;
    uint32_t pgnos[BATCH_PAGES];
    struct lgpos newest = LGPOS_MIN;
    for (uint32_t i = 0; i < n; i++) {
        pgnos[i] = pages[i].frame->pub.pgno;
        newest = lgpos_max(newest, pages[i].modify);
    }
    struct log *log = dbfile_log(file);
    JET_ERR err = log ? log_flush(log, newest) : JET_errSuccess;
    if (err >= 0 && newest.gen > 0)
        err = dbfile_raise_max_required(file, newest.gen);
    if (err >= 0 && cache->hook.before_overwrite)
        err = cache->hook.before_overwrite(cache->hook.ctx, file, pgnos, n);

    for (uint32_t i = 0; i < n; i++)
        page_stamp(copies + i * page_bytes, (uint32_t)page_bytes, pgnos[i]);
    uint32_t run = 1, writes = 0;
    for (uint32_t i = 0; err >= 0 && i < n; i += run, writes++) {
        for (run = 1; i + run < n && pgnos[i + run] == pgnos[i] + run;)
            run++;
        err = dbfile_write(file, ((uint64_t)pgnos[i] + 1) * page_bytes, copies + i * page_bytes,
                           run * page_bytes);
    }
    pthread_mutex_lock(&cache->lock);
    cache->stats.writes += writes;
    pthread_mutex_unlock(&cache->lock);
    return err;
}

static JET_ERR
write_batch(struct cache *cache, uint32_t n)
{
    uint32_t files = 1;
    for (uint32_t i = 0; i < n; i += files) {
        struct dbfile *file = cache->batch[i].frame->pub.file;
        for (files = 1; i + files < n && cache->batch[i + files].frame->pub.file == file;)
            files++;
        JET_ERR err = write_file_pages(cache, file, &cache->batch[i],
                                       cache->copies + (size_t)i * cache->cfg.page_bytes, files);
        if (err < 0)
            return err;
    }
    return JET_errSuccess;
}

/* The copies are in the file, or not: err. Needs the lock. */
static void
finish_batch(struct cache *cache, uint32_t n, JET_ERR err)
{
    for (uint32_t i = 0; i < n; i++) {
        struct frame *frame = cache->batch[i].frame;
        struct dbfile *file = frame->pub.file;
        frame->writing = false;
        frame->pins--;
        if (err >= 0) {
            file->unsynced = true;
            file->unsynced_begin0 = lgpos_min(file->unsynced_begin0, frame->copied_begin0);
            continue;
        }
        if (!frame->dirty) {
            frame->modify = LGPOS_MIN;
            frame->begin0 = LGPOS_MAX;
            frames_queue(cache, frame);
        }
        frame->modify = lgpos_max(frame->modify, cache->batch[i].modify);
        frame->begin0 = lgpos_min(frame->begin0, frame->copied_begin0);
    }
    memset(cache->batch, 0, n * sizeof *cache->batch);
    if (err >= 0) {
        cache->stats.pages_written += n;
        cache->stats.batches++;
    }
}

/* One batch, start to end. Called and returns with the lock. False: every wanted page was latched.
 */
static bool
run_batch(struct cache *cache, uint32_t n)
{
    cache->batch_running = true;
    pthread_mutex_unlock(&cache->lock);
    uint32_t copied = copy_batch(cache, n);
    JET_ERR err = write_batch(cache, copied);
    pthread_mutex_lock(&cache->lock);
    finish_batch(cache, copied, err);
    cache->batch_running = false;
    /* Before anybody wakes: what could not be written is queued anew, and must not look written. */
    bool first = err < 0 && cache->err >= 0;
    if (first)
        cache->err = err;
    pthread_cond_broadcast(&cache->done);
    if (first && cache->cfg.failed) {
        pthread_mutex_unlock(&cache->lock);
        cache->cfg.failed(cache->cfg.ctx, err);
        pthread_mutex_lock(&cache->lock);
    }
    return copied > 0;
}

void *
writer_main(void *arg)
{
    struct cache *cache = arg;
    pthread_mutex_lock(&cache->lock);
    while (!cache->stop) {
        uint32_t n = pick_batch(cache);
        if (n == 0) {
            pthread_cond_wait(&cache->wake, &cache->lock);
        } else if (!run_batch(cache, n) && cache->err >= 0) {
            struct timespec until;
            clock_gettime(CLOCK_REALTIME, &until);
            until.tv_nsec += LATCH_RETRY_NS;
            until.tv_sec += until.tv_nsec / 1000000000;
            until.tv_nsec %= 1000000000;
            pthread_cond_timedwait(&cache->wake, &cache->lock, &until);
        }
    }
    pthread_mutex_unlock(&cache->lock);
    return NULL;
}

void
cache_fail(struct cache *cache, JET_ERR err)
{
    pthread_mutex_lock(&cache->lock);
    bool first = cache->err >= 0;
    if (first)
        cache->err = err;
    pthread_cond_broadcast(&cache->done);
    pthread_mutex_unlock(&cache->lock);
    if (first && cache->cfg.failed)
        cache->cfg.failed(cache->cfg.ctx, err);
}

void
cache_abandon(struct cache *cache, JET_ERR err)
{
    cache_fail(cache, err);
}

/* Is anything that was dirty at seq still not written? Needs the lock. */
static bool
dirty_until(struct cache *cache, uint64_t seq)
{
    struct frame *oldest = g_queue_peek_head(&cache->dirty);
    if (oldest && oldest->seq <= seq)
        return true;
    for (uint32_t i = 0; cache->batch_running && i < cache->batch_max; i++)
        if (cache->batch[i].frame && cache->batch[i].frame->writing && cache->batch[i].seq <= seq)
            return true;
    return false;
}

JET_ERR
cache_flush(struct dbfile *file)
{
    struct cache *cache = file->cache;
    pthread_mutex_lock(&cache->lock);
    uint64_t seq = cache->dirty_seq;
    cache->flush_target = MAX(cache->flush_target, seq);
    pthread_cond_signal(&cache->wake);
    while (cache->err >= 0 && dirty_until(cache, seq))
        pthread_cond_wait(&cache->done, &cache->lock);
    JET_ERR err = cache->err;
    pthread_mutex_unlock(&cache->lock);
    return err < 0 ? err : dbfile_sync(file);
}

void
cache_advance(struct cache *cache, struct lgpos target)
{
    pthread_mutex_lock(&cache->lock);
    cache->advance_target = lgpos_max(cache->advance_target, target);
    cache->advance_seq = cache->dirty_seq;
    pthread_cond_signal(&cache->wake);
    pthread_mutex_unlock(&cache->lock);
}

void
cache_write_pause(struct cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    while (cache->paused)
        pthread_cond_wait(&cache->done, &cache->lock);
    cache->paused = true;
    while (cache->batch_running)
        pthread_cond_wait(&cache->done, &cache->lock);
    pthread_mutex_unlock(&cache->lock);
}

void
cache_write_resume(struct cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    g_assert(cache->paused);
    cache->paused = false;
    pthread_cond_broadcast(&cache->done);
    pthread_cond_signal(&cache->wake);
    pthread_mutex_unlock(&cache->lock);
}

void
cache_hold(struct cache *cache)
{
    cache_write_pause(cache);
    pthread_mutex_lock(&cache->lock);
    cache->held = true;
    while (cache->file_writers > 0)
        pthread_cond_wait(&cache->done, &cache->lock);
    pthread_mutex_unlock(&cache->lock);
}

void
cache_release(struct cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    g_assert(cache->held);
    cache->held = false;
    pthread_mutex_unlock(&cache->lock);
    cache_write_resume(cache); /* wakes those who wait to write, too */
}

void
cache_file_write_begin(struct cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    while (cache->held)
        pthread_cond_wait(&cache->done, &cache->lock);
    cache->file_writers++;
    pthread_mutex_unlock(&cache->lock);
}

void
cache_file_write_end(struct cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    cache->file_writers--;
    if (cache->held)
        pthread_cond_broadcast(&cache->done);
    pthread_mutex_unlock(&cache->lock);
}

void
cache_set_hook(struct cache *cache, const struct cache_hook *hook)
{
    pthread_mutex_lock(&cache->lock);
    g_assert(cache->paused && !cache->batch_running);
    while (cache->hook_users > 0)
        pthread_cond_wait(&cache->done, &cache->lock);
    cache->hook = hook ? *hook : (struct cache_hook) {0};
    pthread_mutex_unlock(&cache->lock);
}

bool
cache_make_room(struct dbfile *file)
{
    struct cache *cache = file->cache;
    pthread_mutex_lock(&cache->lock);
    struct cache_hook hook = cache->hook;
    cache->hook_users++;
    pthread_mutex_unlock(&cache->lock);
    bool made = hook.make_room && hook.make_room(hook.ctx, file);
    pthread_mutex_lock(&cache->lock);
    cache->hook_users--;
    pthread_cond_broadcast(&cache->done);
    pthread_mutex_unlock(&cache->lock);
    return made;
}

void
cache_drop_file(struct dbfile *file)
{
    struct cache *cache = file->cache;
    pthread_mutex_lock(&cache->lock);
    while (cache->batch_running)
        pthread_cond_wait(&cache->done, &cache->lock);
    for (uint32_t i = 0; i < cache->n_frames; i++) {
        struct frame *frame = cache->frames[i];
        if (frame->state != FRAME_VALID || frame->pub.file != file)
            continue;
        g_assert(frame->pins == 0);
        if (frame->dirty)
            frames_unqueue(cache, frame);
        frames_remove(cache, frame);
        frames_put(cache, frame);
    }
    pthread_cond_broadcast(&cache->done);
    pthread_mutex_unlock(&cache->lock);
}
