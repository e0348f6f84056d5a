/* SPDX-License-Identifier: MIT */
/*
 * dbfile: create, open, close, size and counters of a database file.
 */
#include "cache/dbfile.h"

#include <string.h>

#include "cache/state.h"
#include "os/file.h"

#define EXTEND_BYTES (256u << 10) /* zeros are written in pieces of this size */

static struct dbfile *
dbfile_new(const struct dbfile_spec *spec)
{
    struct dbfile *file = g_try_malloc0(sizeof *file);
    if (!file)
        return NULL;
    file->cache = spec->cache;
    file->path = g_strdup(spec->path);
    file->dbid = spec->dbid;
    file->readonly = spec->readonly;
    atomic_init(&file->log, spec->log);
    file->unsynced_begin0 = file->syncing_begin0 = LGPOS_MAX;
    pthread_mutex_init(&file->extend_lock, NULL);
    pthread_mutex_init(&file->header_lock, NULL);
    return file;
}

static void
dbfile_free(struct dbfile *file)
{
    os_file_close(file->os);
    pthread_mutex_destroy(&file->extend_lock);
    pthread_mutex_destroy(&file->header_lock);
    g_free(file->path);
    g_free(file);
}

JET_ERR
dbfile_write(struct dbfile *file, uint64_t at, const void *data, size_t len)
{
    cache_file_write_begin(file->cache);
    JET_ERR err = os_file_write(file->os, at, data, len);
    if (err == JET_errDiskFull && cache_make_room(file))
        err = os_file_write(file->os, at, data, len);
    cache_file_write_end(file->cache);
    return err;
}

static JET_ERR
write_zeros(struct dbfile *file, uint64_t from, uint64_t to)
{
    g_autofree uint8_t *zeros = g_try_malloc0(EXTEND_BYTES);
    if (!zeros)
        return JET_errOutOfMemory;
    JET_ERR err = JET_errSuccess;
    for (uint64_t at = from; err >= 0 && at < to; at += EXTEND_BYTES)
        err = dbfile_write(file, at, zeros, (size_t)MIN((uint64_t)EXTEND_BYTES, to - at));
    return err;
}

static uint64_t
bytes_for(const struct dbfile *file, uint32_t pgno_last)
{
    return ((uint64_t)pgno_last + 2) * file->cache->cfg.page_bytes;
}

static JET_ERR
sync_dir_of(const char *path)
{
    g_autofree char *dir = g_path_get_dirname(path);
    return os_dir_sync(dir);
}

JET_ERR
dbfile_create(const struct dbfile_spec *spec, const struct dbheader *header, uint32_t pgno_last,
              struct dbfile **out)
{
    struct dbfile *file = dbfile_new(spec);
    if (!file)
        return JET_errOutOfMemory;
    cache_file_write_begin(spec->cache);
    JET_ERR err = os_file_create(spec->path, &file->os);
    cache_file_write_end(spec->cache);
    if (err < 0) {
        dbfile_free(file);
        return err == JET_errFileAlreadyExists ? JET_errDatabaseDuplicate : err;
    }
    dbfile_take_header(file, header);
    atomic_store(&file->pgno_last, pgno_last);
    err = os_file_lock(file->os);
    if (err >= 0)
        err = write_zeros(file, 0, bytes_for(file, pgno_last));
    if (err >= 0)
        err = dbfile_write_header(file);
    if (err >= 0)
        err = sync_dir_of(spec->path);
    if (err < 0) {
        dbfile_free(file);
        (void)os_remove(spec->path);
        return err;
    }
    *out = file;
    return JET_errSuccess;
}

JET_ERR
dbfile_open(const struct dbfile_spec *spec, struct dbfile **out)
{
    struct dbfile *file = dbfile_new(spec);
    if (!file)
        return JET_errOutOfMemory;
    JET_ERR err =
        os_file_open(spec->path, spec->readonly ? OS_OPEN_READ : OS_OPEN_WRITE, &file->os);
    if (err >= 0 && !spec->readonly)
        err = os_file_lock(file->os);
    if (err >= 0)
        err = dbfile_load_header(file);
    uint64_t bytes = 0;
    if (err >= 0)
        err = os_file_size(file->os, &bytes);
    if (err < 0) {
        dbfile_free(file);
        return err;
    }
    uint64_t slots = bytes / file->cache->cfg.page_bytes;
    atomic_store(&file->pgno_last, slots > 2 ? (uint32_t)MIN(slots - 2, UINT32_MAX - 2) : 0);
    *out = file;
    return JET_errSuccess;
}

void
dbfile_close(struct dbfile *file)
{
    if (!file)
        return;
    cache_drop_file(file);
    dbfile_free(file);
}

void
dbfile_set_log(struct dbfile *file, struct log *log)
{
    atomic_store(&file->log, log);
}

const char *
dbfile_path(const struct dbfile *file)
{
    return file->path;
}

uint8_t
dbfile_dbid(const struct dbfile *file)
{
    return file->dbid;
}

uint32_t
dbfile_page_bytes(const struct dbfile *file)
{
    return file->cache->cfg.page_bytes;
}

bool
dbfile_is_readonly(const struct dbfile *file)
{
    return file->readonly;
}

struct log *
dbfile_log(const struct dbfile *file)
{
    return atomic_load(&file->log);
}

struct cache *
dbfile_cache(const struct dbfile *file)
{
    return file->cache;
}

struct os_file *
dbfile_os_file(const struct dbfile *file)
{
    return file->os;
}

uint32_t
dbfile_pgno_last(const struct dbfile *file)
{
    return atomic_load(&file->pgno_last);
}

JET_ERR
dbfile_extend(struct dbfile *file, uint32_t pgno_last)
{
    if (pgno_last <= dbfile_pgno_last(file))
        return JET_errSuccess;
    pthread_mutex_lock(&file->extend_lock);
    uint32_t old = dbfile_pgno_last(file);
    JET_ERR err = JET_errSuccess;
    if (pgno_last > old)
        err = write_zeros(file, bytes_for(file, old), bytes_for(file, pgno_last));
    if (pgno_last > old && err >= 0) {
        dbfile_mark_unsynced(file);
        atomic_store(&file->pgno_last, pgno_last);
    }
    pthread_mutex_unlock(&file->extend_lock);
    return err;
}

uint64_t
dbfile_dbtime_next(struct dbfile *file)
{
    return atomic_fetch_add(&file->dbtime_last, 1) + 1;
}

uint64_t
dbfile_dbtime_last(const struct dbfile *file)
{
    return atomic_load(&file->dbtime_last);
}

void
dbfile_dbtime_raise(struct dbfile *file, uint64_t dbtime)
{
    uint64_t last = atomic_load(&file->dbtime_last);
    while (last < dbtime && !atomic_compare_exchange_weak(&file->dbtime_last, &last, dbtime))
        continue;
}

uint32_t
dbfile_objid_next(struct dbfile *file)
{
    return atomic_fetch_add(&file->objid_last, 1) + 1;
}

uint32_t
dbfile_objid_last(const struct dbfile *file)
{
    return atomic_load(&file->objid_last);
}

void
dbfile_objid_raise(struct dbfile *file, uint32_t objid)
{
    uint32_t last = atomic_load(&file->objid_last);
    while (last < objid && !atomic_compare_exchange_weak(&file->objid_last, &last, objid))
        continue;
}
