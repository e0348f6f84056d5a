/* SPDX-License-Identifier: MIT */
#include "backup/frozen.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/frozen_state.h"
#include "backup/watch.h"
#include "cache/cache.h"
#include "log/logtime.h"
#include "log/stream.h"
#include "os/file.h"

#define RESERVE_LOGS 4 /* log files' worth of room that a session never takes */

/* Returns whether this call killed it. */
bool
frozen_kill_locked(struct frozen *f, JET_ERR err)
{
    if (f->dead < 0)
        return false;
    f->dead = err;
    for (size_t i = 0; i < f->n_images; i++)
        image_kill(&f->images[i], err);
    log_unpin(f->log, g_steal_pointer(&f->pin));
    return true;
}

void
frozen_kill(struct frozen *f, JET_ERR err)
{
    g_mutex_lock(&f->lock);
    (void)frozen_kill_locked(f, err);
    g_mutex_unlock(&f->lock);
}

JET_ERR
frozen_release_logs(struct frozen *f, uint32_t gen)
{
    g_mutex_lock(&f->lock);
    JET_ERR err = f->dead;
    struct log_pin *pin = NULL;
    if (err >= 0)
        err = log_pin(f->log, (int32_t)gen, &pin);
    if (err >= 0) {
        log_unpin(f->log, f->pin);
        f->pin = pin;
        f->pin_gen = gen;
    }
    g_mutex_unlock(&f->lock);
    return err;
}

JET_ERR
frozen_error(struct frozen *f)
{
    g_mutex_lock(&f->lock);
    JET_ERR err = f->dead;
    g_mutex_unlock(&f->lock);
    return err;
}

/* Dies by itself, of an error or of a limit, and tells. */
void
frozen_die(struct frozen *f, JET_ERR why, enum limit_kind over)
{
    struct limit limit = {0};
    g_mutex_lock(&f->lock);
    bool first = frozen_kill_locked(f, JET_errBackupAbortByServer);
    if (first && over != LIMIT_NONE) {
        (void)limits_exceed(&f->limits, over);
        limit = f->limits.of[over];
    }
    g_mutex_unlock(&f->lock);
    if (first && f->died)
        f->died(f->ctx, why, over, &limit);
}

/*
 * Would going on take from the live database? It must always find room for the next logs, and on a
 * file system of clones each overwritten page takes new room.
 */
static bool
is_short_of_room(const struct frozen *f, const struct image *image)
{
    struct statvfs st;
    uint64_t reserve = RESERVE_LOGS * log_file_bytes(f->log);
    if (fstatvfs(image->side_fd, &st) == 0 && frozen_free_bytes(&st) < reserve)
        return true;
    return log_check_state(f->log) == JET_errLogDiskFull;
}

/* The disk of a database is full: what the session holds there is given back. */
static bool
make_room(void *ctx, struct dbfile *file)
{
    struct frozen *f = ctx;
    if (frozen_error(f) < 0)
        return false;
    frozen_die(f, JET_errDiskFull, LIMIT_NONE);
    return true;
}

/* The hook: the session may die here, the database must not: always success. */
static JET_ERR
before_overwrite(void *ctx, struct dbfile *file, const uint32_t *pgnos, size_t n)
{
    struct frozen *f = ctx;
    size_t i = 0;
    while (i < f->n_images && f->images[i].file != file)
        i++;
    if (i == f->n_images || frozen_error(f) < 0)
        return JET_errSuccess;

    uint64_t bytes = 0;
    JET_ERR err = is_short_of_room(f, &f->images[i])
                      ? JET_errDiskFull
                      : image_save(&f->images[i], pgnos, n, frozen_preimage_room(f), &bytes);
    if (bytes > 0)
        frozen_count_preimages(f, bytes, f->images[i].page_bytes);
    if (err < 0)
        frozen_die(f, err, err == JET_errBackupAbortByServer ? LIMIT_PREIMAGE : LIMIT_NONE);
    return JET_errSuccess;
}

/* ---- begin and end ---- */

/* Everything that takes long, before anybody has to stand still. */
static JET_ERR
prepare(struct frozen *f, const struct frozen_params *params)
{
    JET_ERR err = log_pin(f->log, (int32_t)f->bk.gen_low, &f->pin);
    f->pin_gen = f->bk.gen_low;
    for (size_t i = 0; err >= 0 && i < params->n_files; i++) {
        f->n_images++;
        err = image_prepare(&f->images[i], params->files[i], params->preimage_dir);
    }
    return err;
}

/* The moment. Nothing is written to the databases between the roll and the hook. */
static JET_ERR
freeze(struct frozen *f)
{
    struct cache_hook hook = {
        .before_overwrite = before_overwrite, .make_room = make_room, .ctx = f};
    int32_t closed = 0;
    uint64_t time_high = 0;
    cache_write_pause(f->cache);
    int64_t start = g_get_monotonic_time();
    JET_ERR err = log_roll(f->log, &closed);
    f->bk.gen_high = (uint32_t)closed;
    f->time_ms = g_get_real_time() / 1000;
    f->mtime_ns = frozen_distinct_mtime_ns(f->time_ms);
    if (err >= 0)
        err = log_gen_time(f->log, closed, &time_high);
    for (size_t i = 0; err >= 0 && i < f->n_images; i++)
        err = image_freeze(&f->images[i], &f->bk, time_high);
    if (err >= 0) {
        cache_set_hook(f->cache, &hook);
        f->hooked = true;
    }
    cache_write_resume(f->cache);
    f->freeze_us = (uint64_t)(g_get_monotonic_time() - start);
    return err;
}

JET_ERR
frozen_begin(const struct frozen_params *params, struct frozen **out)
{
    struct frozen *f = g_new0(struct frozen, 1);
    g_mutex_init(&f->lock);
    f->cache = params->cache;
    f->log = params->log;
    f->bk = params->mark;
    f->incremental = params->incremental;
    f->instance = g_strdup(params->instance);
    limits_init(&f->limits, (const uint64_t[LIMITS]) {0}, watch_now_us());
    f->died = params->died;
    f->warned = params->warned;
    f->ctx = params->ctx;
    f->images = g_new0(struct image, params->n_files + 1);
    JET_ERR err = prepare(f, params);
    if (err >= 0)
        err = freeze(f);
    if (err >= 0)
        err = frozen_list_all(f);
    if (err >= 0)
        err = frozen_start_watch(f, &params->limits);
    if (err < 0) {
        frozen_end(f, err);
        return err;
    }
    *out = f;
    return JET_errSuccess;
}

void
frozen_end(struct frozen *f, JET_ERR why)
{
    if (!f)
        return;
    /* First dead, then unhooked: a read still under way must not take an overwritten page for good.
     */
    frozen_kill(f, why < 0 ? why : JET_errNoBackup);
    if (f->hooked) {
        cache_write_pause(f->cache);
        cache_set_hook(f->cache, NULL);
        cache_write_resume(f->cache);
    }
    watch_stop(f->watch);
    for (size_t i = 0; i < f->n_images; i++)
        image_close(&f->images[i]);
    for (size_t i = 0; i < f->n_logs; i++)
        close(f->log_fds[i]);
    g_free(f->log_fds);
    g_free(f->images);
    g_free(f->files);
    g_free(f->manifest);
    g_free(f->instance);
    g_mutex_clear(&f->lock);
    g_free(f);
}

/* ---- reading ---- */

const JETX_BACKUPFILE *
frozen_files(const struct frozen *f, size_t *n)
{
    *n = f->n_files;
    return f->files;
}

const char *
frozen_manifest(const struct frozen *f)
{
    return f->manifest;
}

static JET_ERR
open_log(struct frozen *f, size_t i, const JETX_BACKUPFILE *file, struct frozen_file *out)
{
    int fd = fcntl(f->log_fds[i], F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return os_error(errno);
    *out = FROZEN_FILE_NONE;
    out->kind = JETX_fileLog;
    out->size = file->cbSize;
    out->base_fd = fd;
    return JET_errSuccess;
}

static JET_ERR
open_manifest(struct frozen *f, struct frozen_file *out)
{
    *out = FROZEN_FILE_NONE;
    out->kind = JETX_fileGenerated;
    out->size = strlen(f->manifest);
    out->head = g_bytes_new(f->manifest, strlen(f->manifest));
    return JET_errSuccess;
}

JET_ERR
frozen_open(struct frozen *f, const char *name, struct frozen_file *out)
{
    JET_ERR err = frozen_error(f);
    if (err < 0)
        return err;
    for (size_t i = 0; i < f->n_files; i++) {
        const JETX_BACKUPFILE *file = &f->files[i];
        if (strcmp(name, file->szName) != 0 &&
            (!file->szPath[0] || strcmp(name, file->szPath) != 0))
            continue;
        if (i < f->n_images)
            return image_open(&f->images[i], out);
        return i < f->n_images + f->n_logs ? open_log(f, i - f->n_images, file, out)
                                           : open_manifest(f, out);
    }
    return JET_errFileNotFound;
}

void
frozen_get_stats(struct frozen *f, struct frozen_stats *stats)
{
    size_t clones = 0;
    for (size_t i = 0; i < f->n_images; i++)
        clones += f->images[i].cloned;
    g_mutex_lock(&f->lock);
    *stats = (struct frozen_stats) {
        .begin = f->bk.mark,
        .freeze = {.gen = (int32_t)f->bk.gen_high + 1},
        .gen_low = f->bk.gen_low,
        .gen_high = f->bk.gen_high,
        .freeze_us = f->freeze_us,
        .clones = clones,
        .preimage_bytes = f->dead < 0 ? 0 : f->preimage_bytes,
        .preimage_pages = f->preimage_pages,
        .pinned_log_bytes = frozen_pinned_bytes_locked(f),
        .limits = f->limits,
    };
    frozen_refresh_limits_locked(f, &stats->limits);
    g_mutex_unlock(&f->lock);
}

struct bkinfo
frozen_bkinfo(const struct frozen *f)
{
    return f->bk;
}
