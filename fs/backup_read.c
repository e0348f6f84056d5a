/* SPDX-License-Identifier: MIT */
/*
 * Reading from the session: from any thread, until it dies or is about to end, and what is noted
 * when a read fails.
 */
#include "backup.h"

#include "moment.h"
#include "session_limits.h"

#include <inttypes.h>
#include <string.h>

#define BAD_PAGES_KEPT 1000u

static bool
ends_session(JET_ERR err)
{
    switch (err) {
    case JET_errBackupAbortByServer:
    case JET_errBackupAbortByCaller:
    case JET_errNoBackup:
    case JET_errInvalidInstance:
    case JET_errNotInitialized:
    case JET_errTermInProgress:
    case JET_errInstanceUnavailable:
    case JET_errClientRequestToStopJetService:
        return true;
    default:
        return false;
    }
}

static void
note_death(struct backup *b, JET_ERR err)
{
    if (g_atomic_int_compare_and_exchange(&b->dead, 0, err))
        events_add(b->events, "the session was ended by the owner of the database: %s (%d)",
                   JetxErrorNameA(err), err);
}

static void
note_if_death(struct backup *b, JET_ERR err)
{
    if (err < 0 && ends_session(err) && !g_atomic_int_get(&b->ending))
        note_death(b, err);
}

static JET_ERR
open_locked(struct backup *b, struct backup_file *file)
{
    JET_ERR err = JET_errSuccess;
    uint32_t low, high;

    g_mutex_lock(&file->lock);
    if (!file->is_open && file->text == NULL) {
        err = JetOpenFileInstanceA(b->instance, file->name, &file->handle, &low, &high);
        file->is_open = err >= 0;
    }
    g_mutex_unlock(&file->lock);
    return err;
}

JET_ERR
backup_file_open(struct backup *b, struct backup_file *file)
{
    JET_ERR err = g_atomic_int_get(&b->dead);
    if (err >= 0) {
        g_rw_lock_reader_lock(&b->in_use);
        err = g_atomic_int_get(&b->ending) ? JET_errNoBackup : open_locked(b, file);
        g_rw_lock_reader_unlock(&b->in_use);
    }
    note_if_death(b, err);
    return err < 0 ? err : JET_errSuccess;
}

static JET_ERR
read_locked(struct backup *b, struct backup_file *file, uint64_t off, void *buf, uint32_t len)
{
    for (uint32_t done = 0; done < len;) {
        uint32_t got = 0;
        JET_ERR err = JetxReadFileAt(b->instance, file->handle, off + done, (uint8_t *)buf + done,
                                     len - done, &got);
        if (err < 0)
            return err;
        if (got == 0)
            return JET_errFileIOBeyondEOF;
        done += got;
    }
    return JET_errSuccess;
}

/* Reads of many threads go on at once; the end of the session waits for them and keeps out more. */
static JET_ERR
read_exactly(struct backup *b, struct backup_file *file, uint64_t off, void *buf, uint32_t len)
{
    if (g_atomic_int_get(&b->ending))
        return JET_errNoBackup;
    g_rw_lock_reader_lock(&b->in_use);
    JET_ERR err =
        g_atomic_int_get(&b->ending) ? JET_errNoBackup : read_locked(b, file, off, buf, len);
    g_rw_lock_reader_unlock(&b->in_use);
    return err;
}

/* Keeps the number of a bad page, in order. Needs the file's lock. */
static void
add_bad_page_locked(struct backup_file *file, uint32_t pgno)
{
    guint i = file->bad_pages->len;
    while (i > 0 && g_array_index(file->bad_pages, uint32_t, i - 1) > pgno)
        i--;
    bool known = i > 0 && g_array_index(file->bad_pages, uint32_t, i - 1) == pgno;
    if (!known && file->bad_pages->len < BAD_PAGES_KEPT)
        g_array_insert_val(file->bad_pages, i, pgno);
}

/* The pages of [off, off + len) that cannot be read are kept. The offset of the first of them;
 * `off` when no single one fails. */
static uint64_t
find_bad_pages(struct backup *b, struct backup_file *file, uint64_t off, uint32_t len)
{
    uint64_t page = file->page_bytes, first = UINT64_MAX;
    g_autofree uint8_t *buf = g_malloc(page);

    for (uint64_t at = off / page * page; at < off + len; at += page) {
        uint32_t part = (uint32_t)MIN(page, file->size - at);
        if (!exit_is_corruption(read_exactly(b, file, at, buf, part)))
            continue;
        first = MIN(first, at);
        g_mutex_lock(&file->lock);
        if (at >= 2 * page) /* two header pages come before page 1 */
            add_bad_page_locked(file, (uint32_t)(at / page - 1));
        g_mutex_unlock(&file->lock);
    }
    return first == UINT64_MAX ? off : first;
}

static void
note_error(struct backup *b, struct backup_file *file, uint64_t off, uint32_t len, JET_ERR err)
{
    uint32_t pgno = 0;

    if (exit_is_corruption(err) && file->page_bytes > 0) {
        off = find_bad_pages(b, file, off, len);
        uint64_t index = off / file->page_bytes;
        pgno = index >= 2 ? (uint32_t)(index - 1) : 0;
    }
    g_mutex_lock(&file->lock);
    bool first = file->error == 0;
    if (first) {
        file->error = err;
        file->error_offset = off;
        file->error_pgno = pgno;
    }
    g_mutex_unlock(&file->lock);
    if (first)
        events_mark(b->events, "error", "%s: cannot read at offset %" PRIu64 ", page %u: %s (%d)",
                    file->name, off, pgno, JetxErrorNameA(err), err);
}

JET_ERR
backup_read(struct backup *b, struct backup_file *file, uint64_t off, void *buf, uint32_t len)
{
    g_assert(off <= file->size && len <= file->size - off);
    if (file->text != NULL) {
        memcpy(buf, file->text + off, len);
        return JET_errSuccess;
    }
    JET_ERR err = backup_file_open(b, file);
    if (err < 0)
        return err;
    err = read_exactly(b, file, off, buf, len);
    if (err < 0 && !ends_session(err))
        note_error(b, file, off, len, err);
    note_if_death(b, err);
    return err;
}

static void
note_cause(struct backup *b, const JETX_BACKUPSTATUS *status)
{
    session_limits_look(b, status);
    if (status->errCause < 0)
        g_atomic_int_set(&b->cause, status->errCause);
}

JET_ERR
backup_poll(struct backup *b, JETX_BACKUPSTATUS *status)
{
    JETX_BACKUPSTATUS own = {.cbStruct = sizeof own};
    JET_ERR err = JetxGetBackupStatus(b->instance, &own);

    if (err >= 0)
        note_cause(b, &own);
    if (err >= 0 && own.errSession < 0)
        err = own.errSession;
    if (err < 0 && b->begun && !g_atomic_int_get(&b->ending))
        note_death(b, err);
    if (status != NULL)
        *status = own;
    return err < 0 ? err : JET_errSuccess;
}

/* When the first and the last answers of the file were. */
static void
note_delivery(struct backup *b, struct backup_file *file, uint64_t bytes)
{
    gint64 now = moment_now().boot_us, never = 0;
    if (__atomic_fetch_add(&file->delivered, bytes, __ATOMIC_RELAXED) == 0 &&
        __atomic_compare_exchange_n(&file->first_us, &never, now, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED) &&
        backup_file_is_required(file) && g_atomic_int_compare_and_exchange(&b->was_read, 0, 1))
        events_mark(b->events, "first_read", "first read: %s", file->name);
    __atomic_store_n(&file->last_us, now, __ATOMIC_RELAXED);
}

void
backup_deliver(struct backup *b, struct backup_file *file, uint64_t off, uint64_t bytes,
               int (*send)(void *ctx), void *ctx)
{
    g_rw_lock_reader_lock(&b->delivery);
    if (send(ctx) == 0) {
        served_add(file->served, off, bytes);
        __atomic_fetch_add(&b->delivered_bytes, bytes, __ATOMIC_RELAXED);
        note_delivery(b, file, bytes);
    }
    g_rw_lock_reader_unlock(&b->delivery);
}

bool
backup_is_over(struct backup *b)
{
    return g_atomic_int_get(&b->dead) < 0 || g_atomic_int_get(&b->ending);
}

void
backup_quiesce(struct backup *b)
{
    g_atomic_int_set(&b->ending, 1);
    g_rw_lock_writer_lock(&b->delivery);
    g_rw_lock_writer_unlock(&b->delivery);
}
