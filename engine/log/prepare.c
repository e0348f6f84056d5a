/* SPDX-License-Identifier: MIT */
/*
 * prepare: the next log file, made ready before it is needed, and two spare ones for a full disk.
 *
 *   worker   waits until asked; removes what circular logging allows; makes <base>tmp.<ext>,
 *            zero-filled to its full size and synced
 *   reserve  <base>res00001.jrs, <base>res00002.jrs, same size: renamed to <base>tmp.<ext> when the
 *            worker could not make one for lack of space. From then on log_check_state refuses new
 *            work until the reserve is whole again.
 *
 * The file's bytes are really written: its size and extents don't change while it is in use, and
 * the end of the log is found by its zeros.
 */
#include "log/stream_state.h"

#include "log/names.h"
#include "os/file.h"

#define FILL_CHUNK (256u * 1024)
#define N_RESERVES 2u

/* A new file of zeros, as large as every log; removed again on an error. */
static JET_ERR
make_zero_file(struct log *log, const char *path, struct os_file **out)
{
    g_autofree uint8_t *zeros = g_try_malloc0(FILL_CHUNK);
    if (!zeros)
        return JET_errOutOfMemory;
    struct os_file *file = NULL;
    JET_ERR err = os_remove(path); /* a leftover of unknown content */
    if (err < 0 && err != JET_errFileNotFound)
        return err;
    err = os_file_create(path, &file);
    if (err < 0)
        return err;

    uint64_t size = log_file_bytes(log);
    for (uint64_t at = 0; err >= 0 && at < size; at += FILL_CHUNK)
        err = os_file_write(file, at, zeros, (size_t)MIN(FILL_CHUNK, size - at));
    if (err >= 0)
        err = os_file_sync(file);
    if (err < 0) {
        os_file_close(file);
        (void)os_remove(path);
        return err;
    }
    *out = file;
    return JET_errSuccess;
}

/* ---- reserve ---- */

static char *
reserve_path(struct log *log, uint32_t i)
{
    g_autofree char *name = log_name_reserve(log->base, i + 1);
    return g_build_filename(log->dir, name, NULL);
}

/* Makes the reserve files that are missing. By one thread at a time. */
static JET_ERR
fill_reserve(struct log *log)
{
    JET_ERR err = JET_errSuccess;
    uint32_t n = 0;
    for (; err >= 0 && n < N_RESERVES; n++) {
        g_autofree char *path = reserve_path(log, n);
        uint64_t size = 0;
        if (os_file_size_at(path, &size) >= 0 && size == log_file_bytes(log))
            continue;
        struct os_file *file = NULL;
        err = make_zero_file(log, path, &file);
        if (err < 0)
            break;
        os_file_close(file);
    }
    g_mutex_lock(&log->lock);
    log->reserves = n;
    g_mutex_unlock(&log->lock);
    return err >= 0 ? os_dir_sync(log->dir) : err;
}

/* Turns the last reserve file into the next log. JET_errLogDiskFull when none is left. */
static JET_ERR
take_reserve(struct log *log, const char *tmp_path, struct os_file **out)
{
    g_mutex_lock(&log->lock);
    while (log->refilling)
        g_cond_wait(&log->prepare, &log->lock);
    log->in_trouble = true;
    uint32_t i = log->reserves;
    if (i > 0)
        log->reserves--;
    g_mutex_unlock(&log->lock);
    if (i == 0)
        return JET_errLogDiskFull;

    g_autofree char *path = reserve_path(log, i - 1);
    JET_ERR err = os_rename(path, tmp_path);
    if (err < 0)
        return err;
    return os_file_open(tmp_path, OS_OPEN_WRITE, out);
}

JET_ERR
log_check_state(struct log *log)
{
    if (!atomic_load_explicit(&log->in_trouble, memory_order_relaxed))
        return JET_errSuccess;
    g_mutex_lock(&log->lock);
    JET_ERR err = log->down < 0 ? log->down : JET_errLogDiskFull;
    bool try_refill = log->down == 0 && !log->refilling && !log->held;
    if (try_refill) {
        log->refilling = true;
        log_busy_begin_locked(log);
    }
    g_mutex_unlock(&log->lock);
    if (!try_refill)
        return err;

    JET_ERR fill_err = fill_reserve(log);
    g_mutex_lock(&log->lock);
    log->refilling = false;
    log_busy_end_locked(log);
    if (fill_err >= 0) {
        log->in_trouble = log->down < 0;
        err = log->down;
    }
    g_mutex_unlock(&log->lock);
    return err;
}

/* ---- the next file ---- */

static gpointer
worker_main(gpointer arg)
{
    struct log *log = arg;
    g_autofree char *path = log_tmp_path(log);

    g_mutex_lock(&log->lock);
    for (;;) {
        while (!log->stopping && (log->prepared != LOG_PREPARED_WANTED || log->held))
            g_cond_wait(&log->prepare, &log->lock);
        if (log->stopping)
            break;
        log_busy_begin_locked(log);
        g_mutex_unlock(&log->lock);

        /* What can't be removed now stays in the way of nothing; the next round tries again. */
        (void)log_truncate_circular(log);
        struct os_file *file = NULL;
        JET_ERR err = make_zero_file(log, path, &file);

        g_mutex_lock(&log->lock);
        log->prepared = err < 0 ? LOG_PREPARED_FAILED : LOG_PREPARED_READY;
        log->prepare_err = err;
        log->prepared_file = file;
        log_busy_end_locked(log);
    }
    g_mutex_unlock(&log->lock);
    return NULL;
}

void
log_prepare_ask_locked(struct log *log)
{
    log->prepared = LOG_PREPARED_WANTED;
    g_cond_broadcast(&log->prepare);
}

JET_ERR
log_prepare_take(struct log *log, struct os_file **file, bool *from_reserve)
{
    g_mutex_lock(&log->lock);
    while (log->prepared == LOG_PREPARED_WANTED)
        g_cond_wait(&log->prepare, &log->lock);
    g_assert(log->prepared != LOG_PREPARED_NONE);
    JET_ERR err = log->prepared == LOG_PREPARED_FAILED ? log->prepare_err : JET_errSuccess;
    struct os_file *taken = log->prepared_file;
    log->prepared_file = NULL;
    log->prepared = LOG_PREPARED_NONE;
    g_mutex_unlock(&log->lock);

    *from_reserve = false;
    if (err == JET_errDiskFull) {
        g_autofree char *path = log_tmp_path(log);
        err = make_zero_file(log, path, &taken); /* there may be room by now */
        if (err == JET_errDiskFull) {
            err = take_reserve(log, path, &taken);
            *from_reserve = true;
        }
    }
    if (err >= 0)
        *file = taken;
    return err;
}

JET_ERR
log_prepare_start(struct log *log)
{
    JET_ERR err = fill_reserve(log);
    if (err < 0)
        return err == JET_errDiskFull ? JET_errLogDiskFull : err;
    log->prepared = LOG_PREPARED_WANTED;
    log->worker = g_thread_new("log-prepare", worker_main, log);
    return JET_errSuccess;
}

void
log_prepare_stop(struct log *log)
{
    if (!log->worker)
        return;
    g_mutex_lock(&log->lock);
    log->stopping = true;
    g_cond_broadcast(&log->prepare);
    g_mutex_unlock(&log->lock);
    g_thread_join(g_steal_pointer(&log->worker));

    if (log->prepared_file) {
        g_autofree char *path = log_tmp_path(log);
        os_file_close(g_steal_pointer(&log->prepared_file));
        (void)os_remove(path);
    }
}
