/* SPDX-License-Identifier: MIT */
/*
 * dbfile_header: the header of a database file: read from the better copy, written slot 0, sync,
 * slot 1, sync, and the rules which generations it must name (log format 4.5, 4.6).
 */
#include <string.h>

#include "cache/state.h"
#include "log/stream.h"
#include "os/file.h"

static int32_t
header_gen(const struct dbfile *file, enum dbheader_field at)
{
    return (int32_t)dbheader_u32(&file->header, at);
}

/* Counters as the header has them; of a file nobody else knows. */
void
dbfile_take_header(struct dbfile *file, const struct dbheader *header)
{
    file->header = *header;
    atomic_store(&file->dbtime_last, dbheader_u64(header, DBH_DBTIME_DIRTIED));
    atomic_store(&file->objid_last, dbheader_u32(header, DBH_OBJID_LAST));
    atomic_store(&file->max_required, header_gen(file, DBH_GEN_MAX_REQUIRED));
}

/* Needs the header lock. */
static void
stamp_counters(struct dbfile *file)
{
    dbheader_set_u64(&file->header, DBH_DBTIME_DIRTIED, dbfile_dbtime_last(file));
    dbheader_set_u32(&file->header, DBH_OBJID_LAST, dbfile_objid_last(file));
}

/* Needs the header lock, or a file nobody else knows. */
JET_ERR
dbfile_write_header(struct dbfile *file)
{
    uint32_t page_bytes = file->cache->cfg.page_bytes;
    g_autofree uint8_t *image = g_try_malloc0(page_bytes);
    if (!image)
        return JET_errOutOfMemory;
    stamp_counters(file);
    dbheader_encode(&file->header, image, page_bytes);
    JET_ERR err = JET_errSuccess;
    for (uint32_t slot = 0; err >= 0 && slot < 2; slot++) {
        err = dbfile_write(file, (uint64_t)slot * page_bytes, image, page_bytes);
        if (err >= 0)
            err = os_file_sync(file->os);
    }
    if (err >= 0)
        atomic_store(&file->max_required, header_gen(file, DBH_GEN_MAX_REQUIRED));
    return err;
}

/* One copy, which must be that of a database of our page size. */
static JET_ERR
load_slot(struct dbfile *file, uint32_t slot, uint8_t *image, struct dbheader *header)
{
    uint32_t page_bytes = file->cache->cfg.page_bytes;
    JET_ERR err = os_file_read(file->os, (uint64_t)slot * page_bytes, image, page_bytes);
    if (err >= 0)
        err = dbheader_decode(image, page_bytes, header);
    if (err >= 0 && dbheader_page_bytes(header) != page_bytes)
        err = JET_errPageSizeMismatch;
    return err == JET_errReadVerifyFailure || err == JET_errFileIOBeyondEOF
               ? JET_errDatabaseCorrupted
               : err;
}

JET_ERR
dbfile_load_header(struct dbfile *file)
{
    struct dbheader headers[2];
    JET_ERR errs[2];
    g_autofree uint8_t *image = g_try_malloc(file->cache->cfg.page_bytes);
    if (!image)
        return JET_errOutOfMemory;
    for (uint32_t slot = 0; slot < 2; slot++)
        errs[slot] = load_slot(file, slot, image, &headers[slot]);
    if (errs[0] < 0 && errs[1] < 0)
        return errs[0];
    dbfile_take_header(file, &headers[errs[0] >= 0 ? 0 : 1]);
    bool equal = errs[0] >= 0 && errs[1] >= 0 &&
                 memcmp(headers[0].bytes, headers[1].bytes, DBHEADER_BYTES) == 0;
    return equal || file->readonly ? JET_errSuccess : dbfile_write_header(file);
}

void
dbfile_header(struct dbfile *file, struct dbheader *out)
{
    pthread_mutex_lock(&file->header_lock);
    stamp_counters(file);
    *out = file->header;
    pthread_mutex_unlock(&file->header_lock);
}

void
dbfile_mark_unsynced(struct dbfile *file)
{
    pthread_mutex_lock(&file->cache->lock);
    file->unsynced = true;
    pthread_mutex_unlock(&file->cache->lock);
}

/* Needs the header lock, so that one sync runs at a time. */
static JET_ERR
sync_locked(struct dbfile *file)
{
    struct cache *cache = file->cache;
    pthread_mutex_lock(&cache->lock);
    bool needed = file->unsynced;
    JET_ERR err = cache->err;
    if (needed && err >= 0) {
        file->unsynced = false;
        file->syncing_begin0 = file->unsynced_begin0;
        file->unsynced_begin0 = LGPOS_MAX;
    }
    pthread_mutex_unlock(&cache->lock);
    if (!needed || err < 0)
        return err;

    err = os_file_sync(file->os);
    pthread_mutex_lock(&cache->lock);
    if (err < 0) {
        file->unsynced = true;
        file->unsynced_begin0 = lgpos_min(file->unsynced_begin0, file->syncing_begin0);
    }
    file->syncing_begin0 = LGPOS_MAX;
    pthread_mutex_unlock(&cache->lock);
    if (err < 0)
        cache_fail(cache, err);
    return err;
}

JET_ERR
dbfile_sync(struct dbfile *file)
{
    pthread_mutex_lock(&file->header_lock);
    JET_ERR err = sync_locked(file);
    pthread_mutex_unlock(&file->header_lock);
    return err;
}

/* Sync of pages, then header. Needs the header lock. */
static JET_ERR
write_locked(struct dbfile *file)
{
    g_assert(!file->readonly);
    JET_ERR err = sync_locked(file);
    if (err < 0)
        return err;
    err = dbfile_write_header(file);
    if (err < 0)
        cache_fail(file->cache, err);
    return err;
}

JET_ERR
dbfile_header_update(struct dbfile *file, void (*change)(struct dbheader *header, void *ctx),
                     void *ctx)
{
    pthread_mutex_lock(&file->header_lock);
    stamp_counters(file);
    change(&file->header, ctx);
    JET_ERR err = write_locked(file);
    pthread_mutex_unlock(&file->header_lock);
    return err;
}

/* tmCreate of gen, 0 if nobody knows it. Needs the header lock. */
static uint64_t
gen_time(struct dbfile *file, int32_t gen)
{
    struct log *log = dbfile_log(file);
    uint64_t created;
    if (log && log_gen_time(log, gen, &created) >= 0)
        return created;
    return file->noted_gen == gen ? file->noted_time : 0;
}

/* Needs the header lock. */
static void
raise_committed(struct dbfile *file, int32_t gen)
{
    if (gen <= header_gen(file, DBH_GEN_MAX_COMMITTED))
        return;
    dbheader_set_u32(&file->header, DBH_GEN_MAX_COMMITTED, (uint32_t)gen);
    dbheader_set_u64(&file->header, DBH_TIME_GEN_MAX_CREATE, gen_time(file, gen));
}

JET_ERR
dbfile_raise_gens(struct dbfile *file, int32_t min, int32_t committed)
{
    JET_ERR err = JET_errSuccess;
    pthread_mutex_lock(&file->header_lock);
    raise_committed(file, committed);
    if (min > header_gen(file, DBH_GEN_MIN_REQUIRED)) {
        dbheader_set_u32(&file->header, DBH_GEN_MIN_REQUIRED, (uint32_t)min);
        if (dbheader_u32(&file->header, DBH_UPDATE_MAJOR) > DBHEADER_UPDATE)
            dbheader_set_u32(&file->header, DBH_GEN_MIN_CONSISTENT, (uint32_t)min);
        err = write_locked(file);
    }
    pthread_mutex_unlock(&file->header_lock);
    return err;
}

JET_ERR
dbfile_raise_max_required(struct dbfile *file, int32_t gen)
{
    if (gen <= dbfile_max_required(file))
        return JET_errSuccess;
    JET_ERR err = JET_errSuccess;
    pthread_mutex_lock(&file->header_lock);
    if (gen > header_gen(file, DBH_GEN_MAX_REQUIRED)) {
        struct log *log = dbfile_log(file);
        dbheader_set_u32(&file->header, DBH_GEN_MAX_REQUIRED, (uint32_t)gen);
        raise_committed(file, log ? MAX(gen, log_gen(log)) : gen);
        err = write_locked(file);
    }
    pthread_mutex_unlock(&file->header_lock);
    return err;
}

int32_t
dbfile_max_required(const struct dbfile *file)
{
    return atomic_load(&file->max_required);
}

void
dbfile_note_gen_time(struct dbfile *file, int32_t gen, uint64_t created)
{
    pthread_mutex_lock(&file->header_lock);
    file->noted_gen = gen;
    file->noted_time = created;
    pthread_mutex_unlock(&file->header_lock);
}
