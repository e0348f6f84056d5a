/* SPDX-License-Identifier: MIT */
/*
 * frozen_limits: what a frozen session takes from the live database, held against its limits, by
 * the hook at each page and by the watch when it is time.
 */
#include <string.h>

#include "backup/frozen_state.h"
#include "backup/watch.h"
#include "log/stream.h"

#define LOGS_US 1000000 /* logs are rolled without a word to us: how often to look */

uint64_t
frozen_pinned_bytes_locked(const struct frozen *f)
{
    return f->dead < 0 ? 0 : ((uint64_t)log_gen(f->log) - f->pin_gen) * log_file_bytes(f->log);
}

void
frozen_note_read(struct frozen *f)
{
    atomic_store_explicit(&f->last_read_us, watch_now_us(), memory_order_relaxed);
}

/* The watch: what is used now, and when to look again. */
static int64_t
look(void *ctx, int64_t now_us)
{
    struct frozen *f = ctx;
    struct limit said[LIMITS];
    g_mutex_lock(&f->lock);
    if (f->dead < 0) {
        g_mutex_unlock(&f->lock);
        return INT64_MAX;
    }
    int64_t read_us = atomic_load_explicit(&f->last_read_us, memory_order_relaxed);
    struct limit_verdict verdict =
        limits_check(&f->limits, now_us, read_us, f->preimage_bytes, frozen_pinned_bytes_locked(f));
    int64_t next_us = limits_next_us(&f->limits, read_us);
    memcpy(said, f->limits.of, sizeof said);
    enum limit_kind over = f->limits.over;
    bool first = verdict.ends && frozen_kill_locked(f, JET_errBackupAbortByServer);
    g_mutex_unlock(&f->lock);

    for (unsigned i = 0; f->warned && i < verdict.n_warnings; i++)
        f->warned(f->ctx, verdict.warnings[i].kind, &said[verdict.warnings[i].kind]);
    if (first && f->died)
        f->died(f->ctx, JET_errBackupAbortByServer, over, &said[over]);
    return said[LIMIT_PINNED_LOG].max > 0 ? MIN(next_us, now_us + LOGS_US) : next_us;
}

/* Of the fullest of the disks that hold preimages. */
static uint64_t
free_for_preimages(const struct frozen *f)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < f->n_images; i++) {
        struct statvfs st;
        if (fstatvfs(f->images[i].side_fd, &st) == 0)
            least = MIN(least, frozen_free_bytes(&st));
    }
    return least;
}

static uint64_t
free_for_logs(const struct frozen *f)
{
    g_autofree char *path = log_gen_path(f->log, (int32_t)f->pin_gen);
    struct statvfs st;
    return statvfs(path, &st) == 0 ? frozen_free_bytes(&st) : UINT64_MAX;
}

/* A limit in bytes: the tighter of the two ways to say it. 1 is the tightest: 0 would be none. */
static uint64_t
byte_limit(uint64_t bytes, uint32_t percent, uint64_t room, uint64_t used)
{
    if (percent == 0 || room == UINT64_MAX)
        return bytes;
    uint64_t share = MAX(used + room / 100 * percent, 1);
    return bytes == 0 ? share : MIN(bytes, share);
}

static void
resolve_locked(const struct frozen *f, const struct frozen_limits *l, uint64_t max[LIMITS])
{
    max[LIMIT_AGE] = l->age_us;
    max[LIMIT_IDLE] = l->idle_us;
    max[LIMIT_PREIMAGE] = byte_limit(l->preimage_bytes, l->preimage_percent, free_for_preimages(f),
                                     f->preimage_bytes);
    max[LIMIT_PINNED_LOG] = byte_limit(l->pinned_log_bytes, l->pinned_log_percent, free_for_logs(f),
                                       frozen_pinned_bytes_locked(f));
}

void
frozen_tighten(struct frozen *f, const struct frozen_limits *tighter)
{
    uint64_t max[LIMITS];
    g_mutex_lock(&f->lock);
    resolve_locked(f, tighter, max);
    limits_tighten(&f->limits, max);
    g_mutex_unlock(&f->lock);
    watch_wake(f->watch);
}

/* How much more the preimages may take. */
uint64_t
frozen_preimage_room(struct frozen *f)
{
    g_mutex_lock(&f->lock);
    uint64_t max = f->limits.of[LIMIT_PREIMAGE].max, used = f->preimage_bytes;
    g_mutex_unlock(&f->lock);
    return max == 0 ? UINT64_MAX : max > used ? max - used : 0;
}

void
frozen_count_preimages(struct frozen *f, uint64_t bytes, uint32_t page_bytes)
{
    g_mutex_lock(&f->lock);
    f->preimage_bytes += bytes;
    f->preimage_pages += bytes / page_bytes;
    f->limits.of[LIMIT_PREIMAGE].used = f->preimage_bytes;
    bool due = limits_is_due(&f->limits, LIMIT_PREIMAGE, f->preimage_bytes);
    g_mutex_unlock(&f->lock);
    struct watch *watch = g_atomic_pointer_get(&f->watch);
    if (due && watch)
        watch_wake(watch);
}

/* From here on the limits hold; the hook has been at work for a moment. */
JET_ERR
frozen_start_watch(struct frozen *f, const struct frozen_limits *limits)
{
    struct watch *watch = NULL;
    uint64_t max[LIMITS];
    g_mutex_lock(&f->lock);
    resolve_locked(f, limits, max);
    limits_init(&f->limits, max, watch_now_us());
    g_mutex_unlock(&f->lock);
    frozen_note_read(f);
    JET_ERR err = watch_start(look, f, &watch);
    if (err >= 0)
        g_atomic_pointer_set(&f->watch, watch);
    return err;
}

/* What the clock says of a session that lives. */
void
frozen_refresh_limits_locked(const struct frozen *f, struct limits *limits)
{
    int64_t now = watch_now_us();
    if (f->dead < 0)
        return;
    limits->of[LIMIT_AGE].used = (uint64_t)(now - limits->begin_us);
    limits->of[LIMIT_IDLE].used = (uint64_t)MAX(now - f->last_read_us, 0);
    limits->of[LIMIT_PREIMAGE].used = f->preimage_bytes;
    limits->of[LIMIT_PINNED_LOG].used = frozen_pinned_bytes_locked(f);
}
