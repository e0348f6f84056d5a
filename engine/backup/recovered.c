/* SPDX-License-Identifier: MIT */
#include "backup/recovered.h"

#include <string.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "backup/copyset.h"
#include "backup/offline.h"
#include "backup/restore.h"
#include "os/file.h"
#include "recovery/recovery.h"

#define COPY_BYTES  (1u << 20)
#define CACHE_BYTES (64u << 20) /* for redo */

/* ---- copying ---- */

static JET_ERR
copy_open_file(const struct recovered_source *s, JET_HANDLE hf, struct os_file *to)
{
    g_autofree uint8_t *buffer = g_malloc(COPY_BYTES);
    uint32_t got = 1;
    JET_ERR err = JET_errSuccess;
    for (uint64_t at = 0; err >= 0 && got > 0; at += got) {
        err = s->read(s->ctx, hf, at, buffer, COPY_BYTES, &got);
        if (err >= 0 && got > 0)
            err = os_file_write(to, at, buffer, got);
    }
    return err;
}

static JET_ERR
copy_file(const struct recovered_source *s, const char *name, const char *dir)
{
    JET_HANDLE hf;
    uint64_t size;
    struct os_file *to;
    g_autofree char *path = g_build_filename(dir, name, NULL);
    JET_ERR err = s->open(s->ctx, name, &hf, &size);
    if (err < 0)
        return err;
    err = os_file_create(path, &to);
    if (err >= 0) {
        err = copy_open_file(s, hf, to);
        os_file_close(to);
    }
    JET_ERR closed = s->close(s->ctx, hf);
    return err < 0 ? err : closed;
}

/* All but the manifest. */
static JET_ERR
copy_files(const struct recovered_source *s, const char *dir)
{
    JET_ERR err = JET_errSuccess;
    for (size_t i = 0; err >= 0 && i < s->n_files; i++) {
        const JETX_BACKUPFILE *file = &s->files[i];
        if (strchr(file->szName, '/') || file->szName[0] == '.')
            err = JET_errInvalidPath;
        else if (file->kind != JETX_fileGenerated || file->szPath[0])
            err = copy_file(s, file->szName, dir);
    }
    return err;
}

/* ---- recovery ---- */

static JET_ERR
recover_streamed(const struct copyset *set)
{
    g_autofree JET_RSTMAP_A *map = g_new0(JET_RSTMAP_A, set->dbs->len);
    for (guint i = 0; i < set->dbs->len; i++)
        map[i] = (JET_RSTMAP_A) {copyset_db(set, i)->path, copyset_db(set, i)->path};
    struct restore_params params = {.checkpoint_dir = set->dir,
                                    .log_dir = set->dir,
                                    .backup_dir = set->dir,
                                    .base = set->base,
                                    .map = map,
                                    .n_map = (int32_t)set->dbs->len,
                                    .keep_backup_dir = true};
    return restore_external(&params, NULL);
}

/* Files that lay dirty; where the log says that they are is of another time or machine. */
static JET_ERR
recover_dirty(const struct copyset *set)
{
    g_autofree struct recovery_map *map = g_new0(struct recovery_map, set->dbs->len);
    g_autofree struct recovery_params *params = g_new0(struct recovery_params, 1);
    struct recovery_result result;
    uint64_t log_bytes;
    JET_ERR err =
        os_file_size_at(set->logs.current ? set->logs.current : set->logs.paths[0], &log_bytes);
    if (err < 0)
        return err;
    for (guint i = 0; i < set->dbs->len; i++) {
        const struct copyset_db *db = copyset_db(set, i);
        map[i].file_path = db->path;
        map[i].sign_db = &db->header.bytes[DBH_SIGN_DB];
    }
    params->log.dir = params->system_path = set->dir;
    params->log.base = set->base;
    params->log.ext = set->ext;
    params->log.eight_dot_three =
        set->logs.n == 0 ||
        strlen(set->logs.paths[0]) == strlen(set->dir) + strlen("/edb00001.log");
    params->log.file_kib = (uint32_t)(log_bytes >> 10);
    params->cache_pages = CACHE_BYTES / copyset_db(set, 0)->page_bytes;
    params->log.page_bytes = copyset_db(set, 0)->page_bytes;
    params->grbit = JET_bitReplayIgnoreMissingDB;
    params->map = map;
    params->n_map = set->dbs->len;
    return recovery_soft(params, &result);
}

static bool
is_clean(const struct copyset_db *db)
{
    return db->err >= 0 && dbheader_u32(&db->header, DBH_DBSTATE) == DBSTATE_CLEAN;
}

static JET_ERR
recover(const char *dir)
{
    struct copyset set = {0};
    bool dirty = false, streamed = false;
    JET_ERR err = copyset_read(dir, &set);
    if (err < 0)
        return err;
    for (guint i = 0; i < set.dbs->len; i++) {
        dirty |= !is_clean(copyset_db(&set, i));
        streamed |= copyset_db_is_backup(copyset_db(&set, i));
    }
    if (dirty)
        err = copyset_find_current(&set);
    if (err >= 0 && dirty && !set.base)
        err = JET_errDatabaseDirtyShutdown;
    if (err >= 0 && dirty)
        err = streamed ? recover_streamed(&set) : recover_dirty(&set);
    copyset_clear(&set);
    return err;
}

/* Recovery may have left alone a database that its logs do not know. */
static JET_ERR
check_clean(const char *dir)
{
    struct copyset set = {0};
    JET_ERR err = copyset_read(dir, &set);
    for (guint i = 0; err >= 0 && i < set.dbs->len; i++)
        if (!is_clean(copyset_db(&set, i)))
            err = JET_errDatabaseDirtyShutdown;
    copyset_clear(&set);
    return err;
}

/* ---- the private directory ---- */

static void
remove_dir(const char *dir)
{
    g_auto(GStrv) names = NULL;
    if (os_dir_list(dir, &names) < 0)
        return;
    for (size_t i = 0; names[i]; i++) {
        g_autofree char *path = g_build_filename(dir, names[i], NULL);
        (void)os_remove(path);
    }
    g_rmdir(dir);
}

JET_ERR
recovered_make(const struct recovered_source *source, const char *where, struct offline **out)
{
    const char *tmp = where ? where : g_getenv("TMPDIR");
    g_autofree char *dir =
        g_build_filename(tmp && tmp[0] ? tmp : "/var/tmp", "jetfs-recovered-XXXXXX", NULL);
    if (!g_mkdtemp(dir))
        return JET_errInvalidPath;
    JET_ERR err = copy_files(source, dir);
    if (err >= 0)
        err = recover(dir);
    if (err >= 0)
        err = check_clean(dir);
    if (err >= 0)
        err = offline_open_recovered(dir, source->files, source->n_files, out);
    remove_dir(dir);
    return err;
}
