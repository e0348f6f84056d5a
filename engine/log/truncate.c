/* SPDX-License-Identifier: MIT */
/*
 * truncate: which generations must stay, and removing the others.
 *
 * What stays is a range up to the newest; its lower end is oldest_gen. A removal first raises
 * oldest_gen under the mutex, so that a pin below it fails, and only then unlinks, upward.
 */
#include "log/stream_state.h"

#include "os/file.h"

struct log_pin {
    int32_t gen;
};

void
log_set_checkpoint(struct log *log, struct lgpos checkpoint)
{
    g_mutex_lock(&log->lock);
    log->checkpoint = lgpos_max(log->checkpoint, checkpoint);
    g_mutex_unlock(&log->lock);
}

JET_ERR
log_pin(struct log *log, int32_t gen, struct log_pin **pin)
{
    struct log_pin *p = g_try_new(struct log_pin, 1);
    if (!p)
        return JET_errOutOfMemory;
    p->gen = gen;

    g_mutex_lock(&log->lock);
    bool gone = gen < log->oldest_gen;
    if (!gone)
        g_queue_push_tail(&log->pins, p);
    g_mutex_unlock(&log->lock);

    if (gone) {
        g_free(p);
        return JET_errMissingLogFile;
    }
    *pin = p;
    return JET_errSuccess;
}

void
log_unpin(struct log *log, struct log_pin *pin)
{
    if (!pin)
        return;
    g_mutex_lock(&log->lock);
    bool known = g_queue_remove(&log->pins, pin);
    g_mutex_unlock(&log->lock);
    g_assert(known);
    g_free(pin);
}

/* The first generation that has to stay. */
static int32_t
first_needed_locked(struct log *log)
{
    int32_t needed = MIN(log->checkpoint.gen, log->tail->gen);
    needed = MIN(needed, log_pos_unpack(log->flush_tip).gen);
    for (GList *l = log->pins.head; l; l = l->next)
        needed = MIN(needed, ((struct log_pin *)l->data)->gen);
    return needed;
}

/* Unlinks [lo, hi) upward; *stopped_at = the generation that could not be removed. */
static JET_ERR
remove_range(struct log *log, int32_t lo, int32_t hi, uint32_t *removed, int32_t *stopped_at)
{
    for (int32_t gen = lo; gen < hi; gen++) {
        g_autofree char *path = log_gen_path(log, gen);
        JET_ERR err = os_remove(path);
        if (err == JET_errFileNotFound)
            continue;
        if (err < 0) {
            *stopped_at = gen;
            return err;
        }
        ++*removed;
    }
    return JET_errSuccess;
}

/* By a busy thread. */
static JET_ERR
truncate_busy(struct log *log, int32_t lo, int32_t hi, uint32_t *removed)
{
    uint32_t count = 0;
    int32_t stopped_at = 0;

    g_mutex_lock(&log->lock);
    lo = MAX(lo, log->oldest_gen);
    hi = MIN(hi, first_needed_locked(log));
    if (lo < hi)
        log->oldest_gen = hi;
    g_mutex_unlock(&log->lock);

    JET_ERR err = JET_errSuccess;
    if (lo < hi)
        err = remove_range(log, lo, hi, &count, &stopped_at);
    if (err < 0) {
        g_mutex_lock(&log->lock);
        log->oldest_gen = MIN(log->oldest_gen, stopped_at);
        g_mutex_unlock(&log->lock);
    }
    if (removed)
        *removed = count;
    if (count > 0) {
        JET_ERR sync_err = os_dir_sync(log->dir);
        if (err >= 0)
            err = sync_err;
    }
    return err;
}

JET_ERR
log_truncate(struct log *log, int32_t lo, int32_t hi, uint32_t *removed)
{
    g_mutex_lock(&log->lock);
    log_busy_begin_locked(log);
    g_mutex_unlock(&log->lock);
    JET_ERR err = truncate_busy(log, lo, hi, removed);
    g_mutex_lock(&log->lock);
    log_busy_end_locked(log);
    g_mutex_unlock(&log->lock);
    return err;
}

JET_ERR
log_truncate_circular(struct log *log)
{
    return log->circular ? truncate_busy(log, 0, G_MAXINT32, NULL) : JET_errSuccess;
}
