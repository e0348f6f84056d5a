/* SPDX-License-Identifier: MIT */
/*
 * append: records into the buffer, and the turn that makes them durable.
 *
 * The mutex covers finding room and copying. The turn (turn_taken) covers the file. Its holder
 * works on the buffer that it swapped out, so that appenders need only the mutex.
 */
#include "log/stream_state.h"

#include <string.h>

#include "log/logtime.h"
#include "log/record.h"
#include "log/segment.h"
#include "os/file.h"

/* ---- the turn ---- */

/* Milliseconds for the headers of this flush: now, with the parity that the last flush did not
 * have. */
static int64_t
next_flush_ms(int64_t last_ms)
{
    int64_t now = g_get_real_time() / 1000;
    return ((now ^ last_ms) & 1) ? now : now + 1;
}

/* Writes and syncs the buffer at its place in the file. By the holder of the turn, without the
 * lock. */
static JET_ERR
write_buffer(struct log *log, struct log_buffer *buf, uint32_t segments)
{
    log->flush_ms = next_flush_ms(log->flush_ms);
    uint64_t time = logtime_from_unix_ms(log->flush_ms);

    for (uint32_t i = 0; i < segments; i++) {
        uint8_t *seg = buf->mem + (size_t)i * SEGMENT_BYTES;
        segment_stamp(seg, buf->gen, (uint16_t)(buf->first_isec + i), time);
        log->file.accumulated ^= segment_checksum(seg);
    }
    JET_ERR err = os_file_write(log->file.file, (uint64_t)buf->first_isec * SEGMENT_BYTES, buf->mem,
                                (size_t)segments * SEGMENT_BYTES);
    if (err < 0)
        return err;
    return os_file_sync(log->file.file);
}

static void
publish_flush_tip_locked(struct log *log, struct lgpos tip)
{
    atomic_store_explicit(&log->flush_tip, log_pos_pack(tip), memory_order_release);
    g_cond_broadcast(&log->changed);
}

/* Pads and takes out the buffer that was being filled, and puts the other, empty, in its place. */
static struct log_buffer *
swap_buffers_locked(struct log *log, enum log_lead what, uint32_t *segments)
{
    struct log_buffer *full = log->tail;
    struct log_buffer *next = full == &log->buffers[0] ? &log->buffers[1] : &log->buffers[0];

    *segments = log_buffer_finish(full);
    if (what == LOG_LEAD_FLUSH)
        log_buffer_reset(next, full->gen, full->first_isec + *segments);
    else
        log_buffer_reset(next, full->gen + 1, 1);
    log->tail = next;

    if (what == LOG_LEAD_FORCED) {
        static const uint8_t rollover[5] = {LR_FORCE_LOG_ROLLOVER};
        struct iovec part = {(void *)rollover, sizeof(rollover)};
        (void)log_buffer_add(next, &part, 1);
        log->stats.records++;
        log->stats.record_bytes += sizeof(rollover);
    }
    return full;
}

void
log_go_down_locked(struct log *log, JET_ERR err)
{
    if (log->down == 0)
        log->down = err;
    log->in_trouble = true;
    g_cond_broadcast(&log->changed);
}

void
log_lead_locked(struct log *log, enum log_lead what)
{
    g_assert(!log->turn_taken && log->down == 0);
    uint32_t segments;
    struct log_buffer *full = swap_buffers_locked(log, what, &segments);
    struct lgpos next = {0, (uint16_t)log->tail->first_isec, log->tail->gen};
    log->turn_taken = true;
    g_mutex_unlock(&log->lock);

    gint64 start = g_get_monotonic_time();
    JET_ERR err = segments > 0 ? write_buffer(log, full, segments) : 0;
    uint64_t took = (uint64_t)(g_get_monotonic_time() - start);
    if (err >= 0 && what != LOG_LEAD_FLUSH) {
        /* who waits for this buffer need not wait for the roll */
        g_mutex_lock(&log->lock);
        publish_flush_tip_locked(
            log, (struct lgpos) {0, (uint16_t)(full->first_isec + segments), full->gen});
        g_mutex_unlock(&log->lock);
        err = log_roll_file(log);
    }

    g_mutex_lock(&log->lock);
    log->turn_taken = false;
    if (segments > 0) {
        log->stats.flushes++;
        log->stats.written_bytes += (uint64_t)segments * SEGMENT_BYTES;
        log->stats.flush_us += took;
    }
    if (err < 0)
        log_go_down_locked(log, err == JET_errLogDiskFull || err == JET_errLogSequenceEnd
                                    ? err
                                    : JET_errLogWriteFail);
    else
        publish_flush_tip_locked(log, next);
}

/* ---- appending ---- */

/* Waits, flushes or rolls until a record of `bytes` fits into the buffer being filled. */
static JET_ERR
find_room_locked(struct log *log, size_t bytes)
{
    for (;;) {
        if (log->down < 0)
            return log->down;
        enum log_fit fit = log_buffer_fit(log->tail, bytes, log->last_isec);
        if (fit == LOG_FIT_OK)
            return JET_errSuccess;
        if (fit == LOG_FIT_TOO_LARGE)
            return JET_errLogBufferTooSmall;
        if (log->turn_taken)
            g_cond_wait(&log->changed, &log->lock);
        else
            log_lead_locked(log, fit == LOG_FIT_FILE_FULL ? LOG_LEAD_ROLL : LOG_LEAD_FLUSH);
    }
}

static struct lgpos
add_locked(struct log *log, const struct iovec *parts, int n_parts, size_t bytes)
{
    log->stats.records++;
    log->stats.record_bytes += bytes;
    return log_buffer_add(log->tail, parts, n_parts);
}

JET_ERR
log_append(struct log *log, const struct iovec *parts, int n_parts, struct lgpos *pos)
{
    size_t bytes = 0;
    for (int i = 0; i < n_parts; i++)
        bytes += parts[i].iov_len;
    g_assert(bytes > 0);

    g_mutex_lock(&log->lock);
    JET_ERR err = find_room_locked(log, bytes);
    if (err >= 0) {
        struct lgpos at = add_locked(log, parts, n_parts, bytes);
        if (pos)
            *pos = at;
    }
    g_mutex_unlock(&log->lock);
    return err;
}

JET_ERR
log_append_commit0(struct log *log, uint16_t procid, uint32_t (*draw)(void *ctx), void *ctx,
                   struct lgpos *pos)
{
    uint8_t lr[8] = {LR_COMMIT0};
    struct iovec part = {lr, sizeof(lr)};
    le16_put(lr + 1, procid);

    g_mutex_lock(&log->lock);
    JET_ERR err = find_room_locked(log, sizeof(lr));
    if (err >= 0) {
        le32_put(lr + 4, draw(ctx));
        struct lgpos at = add_locked(log, &part, 1, sizeof(lr));
        if (pos)
            *pos = at;
    }
    g_mutex_unlock(&log->lock);
    return err;
}

/* ---- durability ---- */

static struct lgpos
flush_tip(struct log *log)
{
    return log_pos_unpack(atomic_load_explicit(&log->flush_tip, memory_order_acquire));
}

/* Until everything below end is durable. */
static JET_ERR
flush_to_locked(struct log *log, struct lgpos end)
{
    if (lgpos_cmp(flush_tip(log), end) < 0)
        log->stats.waits++;
    while (lgpos_cmp(flush_tip(log), end) < 0) {
        if (log->down < 0)
            return log->down;
        if (log->turn_taken)
            g_cond_wait(&log->changed, &log->lock);
        else
            log_lead_locked(log, LOG_LEAD_FLUSH);
    }
    return JET_errSuccess;
}

JET_ERR
log_flush(struct log *log, struct lgpos pos)
{
    if (lgpos_cmp(pos, flush_tip(log)) < 0)
        return JET_errSuccess;
    /* The tip may lie in a much later buffer than pos; one byte past pos is all that is asked. */
    struct lgpos past = {(uint16_t)(pos.ib + 1), pos.isec, pos.gen};

    g_mutex_lock(&log->lock);
    JET_ERR err = flush_to_locked(log, lgpos_min(past, log_buffer_tip(log->tail)));
    g_mutex_unlock(&log->lock);
    return err;
}

JET_ERR
log_flush_all(struct log *log)
{
    g_mutex_lock(&log->lock);
    JET_ERR err = flush_to_locked(log, log_buffer_tip(log->tail));
    g_mutex_unlock(&log->lock);
    return err;
}

JET_ERR
log_roll(struct log *log, int32_t *closed_gen)
{
    g_mutex_lock(&log->lock);
    while (log->turn_taken && log->down == 0)
        g_cond_wait(&log->changed, &log->lock);
    JET_ERR err = log->down;
    if (err >= 0) {
        int32_t closed = log->tail->gen;
        log_lead_locked(log, LOG_LEAD_FORCED);
        err = log->down;
        if (err >= 0)
            *closed_gen = closed;
    }
    g_mutex_unlock(&log->lock);
    return err;
}

struct lgpos
log_tip(struct log *log)
{
    g_mutex_lock(&log->lock);
    struct lgpos tip = log_buffer_tip(log->tail);
    g_mutex_unlock(&log->lock);
    return tip;
}

struct lgpos
log_flush_tip(struct log *log)
{
    return flush_tip(log);
}

int32_t
log_gen(struct log *log)
{
    g_mutex_lock(&log->lock);
    int32_t gen = log->file.gen;
    g_mutex_unlock(&log->lock);
    return gen;
}

void
log_abandon(struct log *log, JET_ERR err)
{
    g_assert(err < 0);
    g_mutex_lock(&log->lock);
    log_go_down_locked(log, err);
    g_mutex_unlock(&log->lock);
}

/* ---- hold ---- */

void
log_busy_begin_locked(struct log *log)
{
    while (log->held)
        g_cond_wait(&log->prepare, &log->lock);
    log->busy++;
}

void
log_busy_end_locked(struct log *log)
{
    g_assert(log->busy > 0);
    log->busy--;
    g_cond_broadcast(&log->prepare);
}

/* The turn comes first: its holder may wait for a file that only a busy thread can make. */
JET_ERR
log_hold(struct log *log, struct lgpos *end)
{
    g_mutex_lock(&log->lock);
    while (log->turn_taken && log->down == 0)
        g_cond_wait(&log->changed, &log->lock);
    JET_ERR err = log->down;
    if (err >= 0) {
        log->turn_taken = log->held = true;
        while (log->busy > 0)
            g_cond_wait(&log->prepare, &log->lock);
        *end = flush_tip(log);
    }
    g_mutex_unlock(&log->lock);
    return err;
}

void
log_release(struct log *log)
{
    g_mutex_lock(&log->lock);
    g_assert(log->held && log->turn_taken);
    log->turn_taken = log->held = false;
    g_cond_broadcast(&log->changed);
    g_cond_broadcast(&log->prepare);
    g_mutex_unlock(&log->lock);
}
