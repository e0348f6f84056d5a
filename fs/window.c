/* SPDX-License-Identifier: MIT */
#include "window.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS          8u
#define AHEAD_BLOCKS   2u
#define DISORDER_BYTES (4u << 20)
#define EAGER_BYTES    (128u << 10) /* a first request this large announces a copy */

enum slot_state { SLOT_EMPTY, SLOT_LOADING, SLOT_READY };

struct slot {
    enum slot_state state;
    uint64_t block; /* index in the file; valid unless empty */
    uint64_t used;  /* when it was last asked for, in requests of this window */
    unsigned pins;
    uint8_t *mem; /* allocated at the first use, kept */
};

struct window {
    struct window_source source;
    struct window_workers *workers;
    GMutex lock; /* guards all below */
    GCond changed;
    struct slot slots[SLOTS];
    uint64_t tick;
    uint64_t furthest; /* one past the last byte asked for by this reader */
    unsigned jobs;     /* slots handed to workers */
};

struct job {
    struct window *w;
    unsigned slot;
};

struct window_workers {
    GMutex lock; /* guards what follows */
    GCond more;
    GQueue jobs; /* struct job */
    bool stop;
    int n_threads;
    GThread *threads[]; /* set before any of them runs */
};

static uint32_t
block_len(const struct window *w, uint64_t block)
{
    uint64_t start = block * WINDOW_BLOCK_BYTES;
    return (uint32_t)MIN((uint64_t)WINDOW_BLOCK_BYTES, w->source.size - start);
}

/* Reads a slot that was claimed; the lock is not held, the slot belongs to this thread. */
static void
load(struct window *w, unsigned i)
{
    struct slot *slot = &w->slots[i];
    JET_ERR err = w->source.read(w->source.ctx, slot->block * WINDOW_BLOCK_BYTES, slot->mem,
                                 block_len(w, slot->block));
    g_mutex_lock(&w->lock);
    slot->state = err < 0 ? SLOT_EMPTY : SLOT_READY;
    g_cond_broadcast(&w->changed);
    g_mutex_unlock(&w->lock);
}

static void
work(struct job *job)
{
    struct window *w = job->w;

    load(w, job->slot);
    g_free(job);
    g_mutex_lock(&w->lock);
    w->jobs--;
    g_cond_broadcast(&w->changed);
    g_mutex_unlock(&w->lock);
}

static gpointer
worker(gpointer data)
{
    struct window_workers *workers = data;

    g_mutex_lock(&workers->lock);
    while (!workers->stop) {
        struct job *job = g_queue_pop_head(&workers->jobs);
        if (job == NULL) {
            g_cond_wait(&workers->more, &workers->lock);
            continue;
        }
        g_mutex_unlock(&workers->lock);
        work(job);
        g_mutex_lock(&workers->lock);
    }
    g_mutex_unlock(&workers->lock);
    return NULL;
}

static void
push(struct window_workers *workers, struct window *w, unsigned slot)
{
    struct job *job = g_new(struct job, 1);

    *job = (struct job) {w, slot};
    g_mutex_lock(&workers->lock);
    g_queue_push_tail(&workers->jobs, job);
    g_cond_signal(&workers->more);
    g_mutex_unlock(&workers->lock);
}

struct window_workers *
window_workers_new(int n_threads)
{
    struct window_workers *workers =
        g_malloc0(sizeof *workers + (size_t)n_threads * sizeof workers->threads[0]);

    g_mutex_init(&workers->lock);
    g_cond_init(&workers->more);
    g_queue_init(&workers->jobs);
    workers->n_threads = n_threads;
    for (int i = 0; i < n_threads; i++)
        workers->threads[i] = g_thread_new("read-ahead", worker, workers);
    return workers;
}

void
window_workers_free(struct window_workers *workers)
{
    if (workers == NULL)
        return;
    g_mutex_lock(&workers->lock);
    g_assert(g_queue_is_empty(&workers->jobs));
    workers->stop = true;
    g_cond_broadcast(&workers->more);
    g_mutex_unlock(&workers->lock);
    for (int i = 0; i < workers->n_threads; i++)
        g_thread_join(workers->threads[i]);
    g_cond_clear(&workers->more);
    g_mutex_clear(&workers->lock);
    g_free(workers);
}

struct window *
window_open(struct window_workers *workers, const struct window_source *source)
{
    struct window *w = g_new0(struct window, 1);
    g_mutex_init(&w->lock);
    g_cond_init(&w->changed);
    w->source = *source;
    w->workers = workers;
    return w;
}

void
window_close(struct window *w)
{
    if (w == NULL)
        return;
    g_mutex_lock(&w->lock);
    while (w->jobs > 0)
        g_cond_wait(&w->changed, &w->lock);
    g_mutex_unlock(&w->lock);
    for (unsigned i = 0; i < SLOTS; i++) {
        g_assert(w->slots[i].pins == 0);
        free(w->slots[i].mem);
    }
    g_cond_clear(&w->changed);
    g_mutex_clear(&w->lock);
    g_free(w);
}

static int
find_locked(const struct window *w, uint64_t block)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        if (w->slots[i].state != SLOT_EMPTY && w->slots[i].block == block)
            return (int)i;
    }
    return -1;
}

/* Takes the empty or the longest unused slot for `block`; -1 when all are in use or memory is out.
 */
static int
claim_locked(struct window *w, uint64_t block)
{
    int best = -1;

    for (unsigned i = 0; i < SLOTS; i++) {
        const struct slot *slot = &w->slots[i];
        if (slot->state == SLOT_LOADING || slot->pins > 0)
            continue;
        if (slot->state == SLOT_EMPTY) {
            best = (int)i;
            break;
        }
        if (best < 0 || slot->used < w->slots[best].used)
            best = (int)i;
    }
    if (best < 0)
        return -1;
    struct slot *slot = &w->slots[best];
    if (slot->mem == NULL)
        slot->mem = aligned_alloc(4096, WINDOW_BLOCK_BYTES);
    if (slot->mem == NULL)
        return -1;
    slot->state = SLOT_LOADING;
    slot->block = block;
    slot->used = w->tick;
    return best;
}

static void
read_ahead_locked(struct window *w, uint64_t last_block)
{
    uint64_t end = (w->source.size + WINDOW_BLOCK_BYTES - 1) / WINDOW_BLOCK_BYTES;

    if (w->workers == NULL)
        return;
    for (uint64_t block = last_block + 1; block <= last_block + AHEAD_BLOCKS && block < end;
         block++) {
        if (find_locked(w, block) >= 0)
            continue;
        int slot = claim_locked(w, block);
        if (slot < 0)
            return;
        w->jobs++;
        push(w->workers, w, (unsigned)slot);
    }
}

/* The slot that holds `block`, pinned; -1 when it cannot be had, then read straight. */
static int
pin_locked(struct window *w, uint64_t block)
{
    int i = find_locked(w, block);

    if (i < 0) {
        i = claim_locked(w, block);
        if (i < 0)
            return -1;
        g_mutex_unlock(&w->lock);
        load(w, (unsigned)i);
        g_mutex_lock(&w->lock);
        i = find_locked(w, block);
    }
    while (i >= 0 && w->slots[i].state == SLOT_LOADING) {
        g_cond_wait(&w->changed, &w->lock);
        i = find_locked(w, block);
    }
    if (i < 0)
        return -1;
    w->slots[i].pins++;
    w->slots[i].used = w->tick;
    return i;
}

static void
unpin_locked(struct window *w, struct window_answer *answer)
{
    for (int i = 0; i < answer->n_pinned; i++)
        w->slots[answer->pinned[i]].pins--;
    *answer = (struct window_answer) {0};
}

/* Collects the blocks of [off, off + len); false when one of them could not be read. */
static bool
from_blocks_locked(struct window *w, uint64_t off, size_t len, struct window_answer *answer)
{
    while (len > 0) {
        uint64_t block = off / WINDOW_BLOCK_BYTES;
        size_t skip = off % WINDOW_BLOCK_BYTES;
        size_t part = MIN(len, WINDOW_BLOCK_BYTES - skip);
        int i = pin_locked(w, block);
        if (i < 0) {
            unpin_locked(w, answer);
            return false;
        }
        answer->pinned[answer->n_pinned++] = (unsigned)i;
        answer->iov[answer->n_iov++] = (struct iovec) {w->slots[i].mem + skip, part};
        answer->bytes += part;
        off += part;
        len -= part;
    }
    return true;
}

static JET_ERR
straight(struct window *w, uint64_t off, size_t len, struct window_answer *answer)
{
    void *copy = g_try_malloc(len);
    if (copy == NULL)
        return JET_errOutOfMemory;
    JET_ERR err = w->source.read(w->source.ctx, off, copy, (uint32_t)len);
    if (err < 0) {
        g_free(copy);
        return err;
    }
    answer->copy = copy;
    answer->iov[0] = (struct iovec) {copy, len};
    answer->n_iov = 1;
    answer->bytes = len;
    return JET_errSuccess;
}

static bool
is_sequential_locked(const struct window *w, uint64_t off)
{
    return off + DISORDER_BYTES >= w->furthest && off <= w->furthest + DISORDER_BYTES;
}

JET_ERR
window_read(struct window *w, uint64_t off, size_t len, struct window_answer *answer)
{
    g_assert(len <= WINDOW_BLOCK_BYTES);
    *answer = (struct window_answer) {0};
    if (off >= w->source.size || len == 0)
        return JET_errSuccess;
    len = MIN(len, w->source.size - off);

    g_mutex_lock(&w->lock);
    bool sequential = is_sequential_locked(w, off);
    bool known = w->furthest > 0 || len >= EAGER_BYTES;
    w->furthest = sequential ? MAX(w->furthest, off + len) : off + len;
    w->tick++;
    bool served = false;
    if (sequential) {
        if (known)
            read_ahead_locked(w, (off + len - 1) / WINDOW_BLOCK_BYTES);
        served = from_blocks_locked(w, off, len, answer);
    }
    g_mutex_unlock(&w->lock);
    return served ? JET_errSuccess : straight(w, off, len, answer);
}

void
window_release(struct window *w, struct window_answer *answer)
{
    g_free(answer->copy);
    g_mutex_lock(&w->lock);
    unpin_locked(w, answer);
    g_mutex_unlock(&w->lock);
}
