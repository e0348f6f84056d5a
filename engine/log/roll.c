/* SPDX-License-Identifier: MIT */
/*
 * roll: from one generation to the next (log_format 4.7). By the holder of the turn, without the
 * lock.
 *
 *   1 next file ready, header of gen + 1 written, synced      <base>tmp, old still current
 *   2 current -> archive, directory synced                    <base>tmp is proof that a roll was
 * under way 3 <base>tmp -> current, directory synced                  new generation
 *
 * Each step is on stable storage before the next, so every crash leaves one of the three.
 */
#include "log/stream_state.h"

#include <unistd.h>

#include "log/filehdr.h"
#include "log/logtime.h"
#include "log/names.h"
#include "os/file.h"

/* tmCreate is the identity of a generation: never that of the one before. */
static uint64_t
created_now(uint64_t prev_created)
{
    int64_t ms = g_get_real_time() / 1000;
    uint64_t created = logtime_from_unix_ms(ms);
    return created != prev_created ? created : logtime_from_unix_ms(ms + 1);
}

static JET_ERR
write_header(struct log *log, struct os_file *file, struct log_filehdr *hdr)
{
    g_mutex_lock(&log->lock);
    hdr->checkpoint = log->checkpoint;
    g_mutex_unlock(&log->lock);
    if (log->attach_list)
        (void)log->attach_list(log->ctx, (struct lgpos) {0, 1, hdr->gen}, hdr->attach);

    uint8_t bytes[LOG_HEADER_BYTES];
    log_filehdr_encode(hdr, bytes);
    JET_ERR err = os_file_write(file, 0, bytes, sizeof(bytes));
    if (err < 0)
        return err;
    return os_file_sync(file);
}

static JET_ERR
rename_synced(struct log *log, const char *from, const char *to)
{
    JET_ERR err = os_rename(from, to);
    if (err < 0)
        return err;
    return os_dir_sync(log->dir);
}

/* Steps 2 and 3. */
static JET_ERR
put_in_place(struct log *log, int32_t gen, bool archive_current)
{
    g_autofree char *current = log_current_path(log);
    g_autofree char *tmp = log_tmp_path(log);
    if (archive_current) {
        g_autofree char *archive = log_archive_path(log, gen - 1);
        JET_ERR err = rename_synced(log, current, archive);
        if (err < 0)
            return err;
    }
    return rename_synced(log, tmp, current);
}

JET_ERR
log_start_file(struct log *log, int32_t gen, uint64_t prev_created, uint64_t prev_checksum,
               bool archive_current)
{
    struct os_file *file = NULL;
    bool from_reserve = false;
    JET_ERR err = log_prepare_take(log, &file, &from_reserve);
    if (err < 0)
        return err;

    g_autofree struct log_filehdr *hdr = g_new0(struct log_filehdr, 1);
    hdr->gen = gen;
    hdr->segments = (uint16_t)log->file_segments;
    hdr->page_bytes = (uint16_t)log->page_bytes;
    hdr->created = created_now(prev_created);
    hdr->prev_created = prev_created;
    hdr->prev_checksum = prev_checksum;
    hdr->major = LOG_VERSION_MAJOR;
    hdr->minor = LOG_VERSION_MINOR;
    hdr->update_major = log->update_major;
    hdr->update_minor = log->update_minor;
    hdr->efv_engine = log->efv_engine;
    memcpy(hdr->signature, log->signature, sizeof(hdr->signature));
    memcpy(hdr->dbms_param, log->dbms_param, sizeof(hdr->dbms_param));
    hdr->flags = (from_reserve ? LOG_FLAG_RESERVE : 0) | (log->circular ? LOG_FLAG_CIRCULAR : 0) |
                 (log->was_circular ? LOG_FLAG_CIRCULAR_HISTORY : 0);

    err = write_header(log, file, hdr);
    if (err >= 0)
        err = put_in_place(log, gen, archive_current);
    if (err < 0) {
        os_file_close(file);
        return err;
    }

    g_mutex_lock(&log->lock);
    struct os_file *old = log->file.file;
    log->file = (struct log_file) {.file = file, .gen = gen, .created = hdr->created};
    log_prepare_ask_locked(log);
    g_mutex_unlock(&log->lock);
    os_file_close(old);
    return JET_errSuccess;
}

JET_ERR
log_roll_file(struct log *log)
{
    if (log->file.gen >= LOG_GEN_MAX)
        return JET_errLogSequenceEnd;
    JET_ERR err =
        log_start_file(log, log->file.gen + 1, log->file.created, log->file.accumulated, true);
    if (err < 0)
        return err;
    g_mutex_lock(&log->lock);
    log->stats.rolls++;
    g_mutex_unlock(&log->lock);
    return JET_errSuccess;
}
