/* SPDX-License-Identifier: MIT */
/*
 * frames: the pool behind the cache: allocated in chunks up to the limit, found by hash, freed by
 * clock.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cache/state.h"

JET_ERR
frames_init(struct cache *cache)
{
    uint32_t slots = 64;
    while (slots < cache->cfg.frames_max && slots < 1u << 30)
        slots *= 2;
    cache->hash_mask = slots - 1;
    cache->hash = g_try_malloc0_n(slots, sizeof *cache->hash);
    cache->frames = g_try_malloc0_n(cache->cfg.frames_max, sizeof *cache->frames);
    cache->free = g_ptr_array_new();
    g_queue_init(&cache->dirty);
    return cache->hash && cache->frames ? JET_errSuccess : JET_errOutOfMemory;
}

void
frames_deinit(struct cache *cache)
{
    struct chunk *next;
    for (struct chunk *c = cache->chunks; c; c = next) {
        next = c->next;
        for (uint32_t i = 0; i < CHUNK_FRAMES; i++)
            pthread_rwlock_destroy(&c->frames[i].latch);
        munmap(c->bytes, (size_t)CHUNK_FRAMES * cache->cfg.page_bytes);
        g_free(c);
    }
    g_free(cache->hash);
    g_free(cache->frames);
    g_ptr_array_free(cache->free, TRUE);
}

static struct frame **
bucket(struct cache *cache, const struct dbfile *file, uint32_t pgno)
{
    uint64_t h = ((uint64_t)(uintptr_t)file >> 4) ^ ((uint64_t)pgno * 0x9e3779b97f4a7c15u);
    return &cache->hash[(h ^ h >> 32) & cache->hash_mask];
}

struct frame *
frames_find(struct cache *cache, const struct dbfile *file, uint32_t pgno)
{
    for (struct frame *f = *bucket(cache, file, pgno); f; f = f->hash_next)
        if (f->pub.pgno == pgno && f->pub.file == file)
            return f;
    return NULL;
}

void
frames_insert(struct cache *cache, struct frame *frame)
{
    struct frame **b = bucket(cache, frame->pub.file, frame->pub.pgno);
    frame->hash_next = *b;
    *b = frame;
}

void
frames_remove(struct cache *cache, struct frame *frame)
{
    struct frame **at = bucket(cache, frame->pub.file, frame->pub.pgno);
    while (*at != frame)
        at = &(*at)->hash_next;
    *at = frame->hash_next;
    frame->hash_next = NULL;
}

static JET_ERR
add_chunk(struct cache *cache)
{
    size_t bytes = (size_t)CHUNK_FRAMES * cache->cfg.page_bytes;
    struct chunk *chunk = g_try_malloc0(sizeof *chunk);
    if (!chunk)
        return JET_errOutOfMemory;
    chunk->bytes = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (chunk->bytes == MAP_FAILED) {
        g_free(chunk);
        return JET_errOutOfMemory;
    }
    chunk->next = cache->chunks;
    cache->chunks = chunk;
    for (uint32_t i = 0; i < CHUNK_FRAMES; i++) {
        struct frame *f = &chunk->frames[i];
        pthread_rwlock_init(&f->latch, NULL);
        f->bytes = chunk->bytes + (size_t)i * cache->cfg.page_bytes;
        f->pub.page = &f->view;
        f->dirty_link.data = f;
        if (cache->n_frames < cache->cfg.frames_max) {
            cache->frames[cache->n_frames++] = f;
            g_ptr_array_add(cache->free, f);
        }
    }
    cache->stats.frames = cache->n_frames;
    return JET_errSuccess;
}

/* Two turns of the hand: the first only takes the referenced mark away. */
static struct frame *
evict_one(struct cache *cache)
{
    for (uint32_t i = 0; i < 2 * cache->n_frames; i++) {
        struct frame *f = cache->frames[cache->hand];
        cache->hand = (cache->hand + 1) % cache->n_frames;
        if (f->state != FRAME_VALID || f->pins || f->dirty || f->writing)
            continue;
        if (f->referenced) {
            f->referenced = false;
            continue;
        }
        frames_remove(cache, f);
        f->state = FRAME_FREE;
        cache->stats.evictions++;
        return f;
    }
    return NULL;
}

struct frame *
frames_take(struct cache *cache, JET_ERR *err)
{
    *err = JET_errSuccess;
    if (cache->free->len == 0 && cache->n_frames < cache->cfg.frames_max) {
        *err = add_chunk(cache);
        if (*err < 0 && cache->n_frames > 0)
            *err = JET_errSuccess; /* go on with what there is */
    }
    if (cache->free->len > 0)
        return g_ptr_array_steal_index_fast(cache->free, cache->free->len - 1);
    return *err < 0 ? NULL : evict_one(cache);
}

void
frames_put(struct cache *cache, struct frame *frame)
{
    frame->state = FRAME_FREE;
    frame->fresh = false;
    g_ptr_array_add(cache->free, frame);
}

void
frames_queue(struct cache *cache, struct frame *frame)
{
    frame->dirty = true;
    frame->seq = ++cache->dirty_seq;
    g_queue_push_tail_link(&cache->dirty, &frame->dirty_link);
}

void
frames_unqueue(struct cache *cache, struct frame *frame)
{
    frame->dirty = false;
    g_queue_unlink(&cache->dirty, &frame->dirty_link);
}
