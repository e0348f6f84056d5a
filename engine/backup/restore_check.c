/* SPDX-License-Identifier: MIT */
#include "backup/restore_check.h"

#include <string.h>

#include "base/error.h"
#include "instance/event.h"
#include "log/filehdr.h"
#include "os/file.h"

/* Events NULL: nobody wants to know. The inserts may be NULL. */
static void
tell(struct events *events, enum event_id id, const char *first, const char *second)
{
    if (events != NULL)
        event_report(events, id, first, second, NULL);
}

static JET_ERR
read_header(const char *path, const struct log_filehdr_expect *wanted, struct log_filehdr *header)
{
    uint8_t image[LOG_HEADER_BYTES];
    struct log_filehdr_expect expect = *wanted;
    struct os_file *file;
    JET_ERR err = os_file_open(path, OS_OPEN_READ, &file);
    if (err < 0)
        return err;
    err = os_file_size(file, &expect.file_bytes);
    if (err >= 0)
        err = os_file_read(file, 0, image, sizeof image);
    os_file_close(file);
    if (err == JET_errFileIOBeyondEOF)
        err = JET_errLogFileCorrupt;
    if (err >= 0)
        err = log_filehdr_decode(image, header);
    return err < 0 ? err : log_filehdr_check(header, &expect);
}

JET_ERR
restore_bad_file(struct events *events, const char *path, JET_ERR err)
{
    if (err == JET_errBadLogSignature)
        event_report(events, EVENT_RESTORE_LOG_BAD_SIGNATURE, path, NULL);
    else if (err == JET_errLogFileCorrupt)
        event_report(events, EVENT_LOG_CORRUPT_RESTORE, path, NULL);
    else
        event_report(events, EVENT_RESTORE_FILE, path, error_text(err), NULL);
    return err;
}

/* The first log says what the stream is, every other has to be its continuation. */
static JET_ERR
check_log(const char *path, int32_t gen, struct events *events, struct restore_logs *logs)
{
    const bool first = gen == logs->gen_low;
    const struct log_filehdr_expect expect = {
        .gen = gen,
        .signature = first ? NULL : logs->signature,
        .page_bytes = first ? 0 : logs->page_bytes,
    };
    struct log_filehdr header;
    JET_ERR err = read_header(path, &expect, &header);
    if (err >= 0 && !first && header.segments != logs->segments)
        err = JET_errLogFileSizeMismatch;
    if (err < 0)
        return restore_bad_file(events, path, err);
    if (first) {
        memcpy(logs->signature, header.signature, sizeof logs->signature);
        logs->page_bytes = header.page_bytes;
        logs->segments = header.segments;
    } else if (header.prev_created != logs->last_created) {
        tell(events, EVENT_RESTORE_LOG_NOT_CONTIGUOUS, path, NULL);
        return JET_errGivenLogFileIsNotContiguous;
    }
    logs->last_created = header.created;
    logs->bytes += (uint64_t)header.segments * LOG_SEGMENT_BYTES;
    return JET_errSuccess;
}

JET_ERR
restore_check_logs(const struct log_gens *found, struct events *events, struct restore_logs *logs)
{
    if (logs->gen_low <= 0 || logs->gen_high < logs->gen_low)
        return JET_errFileNotFound;
    for (int32_t gen = logs->gen_low; gen <= logs->gen_high; gen++) {
        const char *path = log_gens_path(found, gen);
        logs->gen_bad = gen;
        if (path == NULL) {
            g_autofree char *number = event_number(gen);
            tell(events, EVENT_RESTORE_LOG_MISSING, number, NULL);
            return JET_errFileNotFound;
        }
        JET_ERR err = check_log(path, gen, events, logs);
        if (err < 0)
            return err;
    }
    return JET_errSuccess;
}

JET_ERR
restore_check_log_dir(const struct log_gens *found, const struct restore_logs *logs,
                      struct events *events)
{
    const int32_t next = logs->gen_high + 1;
    const char *path = log_gens_path(found, next);
    struct log_filehdr header;
    if (path == NULL && found->n > 0 && found->gens[found->n - 1] > next) {
        tell(events, EVENT_RESTORE_CURRENT_LOG_MISSING, found->paths[found->n - 1], NULL);
        return JET_errMissingCurrentLogFiles;
    }
    if (path == NULL)
        path = found->current;
    if (path == NULL)
        return JET_errSuccess;
    JET_ERR err = read_header(path, &(struct log_filehdr_expect) {.gen = 0}, &header);
    if (err < 0)
        return restore_bad_file(events, path, err);
    if (memcmp(header.signature, logs->signature, sizeof logs->signature) != 0) {
        tell(events, EVENT_EXISTING_LOG_BAD_SIGNATURE, path, NULL);
        return JET_errExistingLogFileHasBadSignature;
    }
    if (header.gen > next) {
        tell(events, EVENT_RESTORE_CURRENT_LOG_MISSING, path, NULL);
        return JET_errMissingCurrentLogFiles;
    }
    if (header.gen == next && header.prev_created != logs->last_created) {
        tell(events, EVENT_EXISTING_LOG_NOT_CONTIGUOUS, path, NULL);
        return JET_errExistingLogFileIsNotContiguous;
    }
    return JET_errSuccess;
}

/* Header, trailer and logs are of one backup of one database. */
static bool
belongs(const struct copyset_db *db, const struct trailer *trailer, const struct restore_logs *logs)
{
    const uint8_t *header = db->header.bytes;
    return memcmp(header + DBH_SIGN_DB, trailer->sign_db, sizeof trailer->sign_db) == 0 &&
           memcmp(header + DBH_SIGN_LOG, trailer->sign_log, sizeof trailer->sign_log) == 0 &&
           memcmp(logs->signature, trailer->sign_log, sizeof trailer->sign_log) == 0 &&
           memcmp(header + DBH_BK_FULL_CUR + BKINFO_MARK, trailer->bkinfo + BKINFO_MARK, 8) == 0;
}

JET_ERR
restore_wrong_range(struct events *events, enum event_id id, int32_t given, int32_t needed,
                    JET_ERR err)
{
    g_autofree char *has = event_number(given);
    g_autofree char *needs = event_number(needed);
    tell(events, id, has, needs);
    return err;
}

JET_ERR
restore_check_db(const struct copyset_db *db, const struct restore_logs *logs,
                 struct events *events)
{
    if (db->err < 0)
        return restore_bad_file(events, db->path, db->err);
    const uint32_t low = copyset_db_gen_low(db);
    uint32_t high = copyset_db_gen_high(db);
    if (low == 0)
        return restore_bad_file(events, db->path, JET_errRestoreOfNonBackupDatabase);
    if (high == 0) {
        struct trailer trailer;
        JET_ERR err = copyset_db_trailer(db, &trailer);
        if (err < 0)
            return restore_bad_file(events, db->path, err);
        if (!belongs(db, &trailer, logs)) {
            tell(events, EVENT_PATCH_FILE_MISMATCH, db->path, NULL);
            return JET_errDatabasePatchFileMismatch;
        }
        high = le32_get(trailer.bkinfo + BKINFO_GEN_HIGH);
    }
    if (low < (uint32_t)logs->gen_low)
        return restore_wrong_range(events, EVENT_RESTORE_LOG_TOO_HIGH, logs->gen_low, (int32_t)low,
                                   JET_errStartingRestoreLogTooHigh);
    if (high > (uint32_t)logs->gen_high)
        return restore_wrong_range(events, EVENT_RESTORE_LOG_TOO_LOW, logs->gen_high, (int32_t)high,
                                   JET_errEndingRestoreLogTooLow);
    return JET_errSuccess;
}
