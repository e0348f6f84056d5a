/* SPDX-License-Identifier: MIT */
/*
 * restore_copy: JetxRestoreBackup, the whole way from a copied directory; declared in
 * backup/restore.h. What it made is removed again when it fails.
 */
#include <string.h>

#include "backup/copyset.h"
#include "backup/restore.h"
#include "os/file.h"

#define COPY_BYTES (1u << 20)

/* Nothing that would be overwritten, or taken for the stream's. */
static JET_ERR
check_target(const struct copyset *set, const char *target)
{
    g_auto(GStrv) names = NULL;
    const char *base = set->base != NULL ? set->base : "edb";
    const char *ext = set->ext != NULL ? set->ext : "log";
    JET_ERR err = os_dir_list(target, &names);
    for (char **name = names; err >= 0 && *name != NULL; name++)
        if (log_name_parse(*name, base, ext).kind != LOG_NAME_NONE)
            err = JET_errFileAlreadyExists;
    for (guint i = 0; err >= 0 && i < set->dbs->len; i++) {
        g_autofree char *name = g_path_get_basename(copyset_db(set, i)->path);
        if (g_strv_contains((const char *const *)names, name))
            err = JET_errFileAlreadyExists;
    }
    return err;
}

static JET_ERR
copy_bytes(struct os_file *from, struct os_file *to, uint64_t bytes)
{
    g_autofree uint8_t *buffer = g_malloc(COPY_BYTES);
    JET_ERR err = JET_errSuccess;
    for (uint64_t at = 0; at < bytes && err >= 0; at += COPY_BYTES) {
        const size_t n = (size_t)MIN(bytes - at, COPY_BYTES);
        err = os_file_read(from, at, buffer, n);
        if (err >= 0)
            err = os_file_write(to, at, buffer, n);
    }
    return err < 0 ? err : os_file_sync(to);
}

static JET_ERR
copy_file(const char *path, uint64_t bytes, const char *target)
{
    struct os_file *from;
    struct os_file *to;
    JET_ERR err = os_file_open(path, OS_OPEN_READ, &from);
    if (err < 0)
        return err;
    err = os_file_create(target, &to);
    if (err >= 0) {
        err = copy_bytes(from, to, bytes);
        os_file_close(to);
        if (err < 0)
            (void)os_remove(target); /* the first error counts */
    }
    os_file_close(from);
    return err;
}

/* A clean database needs no recovery; a trailer, if it came with one, is no part of it. */
static JET_ERR
bytes_to_copy(const struct copyset_db *db, uint64_t *bytes)
{
    struct trailer trailer;
    *bytes = db->bytes;
    if (copyset_db_is_backup(db))
        return JET_errSuccess;
    JET_ERR err = copyset_db_trailer(db, &trailer);
    if (err >= 0)
        *bytes -= db->page_bytes;
    return err == JET_errBadPatchPage ? JET_errSuccess : err;
}

static char *
target_path(const struct copyset_db *db, const char *target)
{
    g_autofree char *name = g_path_get_basename(db->path);
    return g_build_filename(target, name, NULL);
}

static JET_ERR
copy_databases(const struct copyset *set, const char *target, guint *copied)
{
    JET_ERR err = JET_errSuccess;
    for (*copied = 0; *copied < set->dbs->len && err >= 0; *copied += err >= 0) {
        const struct copyset_db *db = copyset_db(set, *copied);
        if (db->err < 0)
            return db->err;
        g_autofree char *path = target_path(db, target);
        uint64_t bytes;
        err = bytes_to_copy(db, &bytes);
        if (err >= 0)
            err = copy_file(db->path, bytes, path);
    }
    return err < 0 ? err : os_dir_sync(target);
}

/* The databases that want their logs, and the first log that any of them wants. */
static int32_t
make_map(const struct copyset *set, const char *target, GArray *map)
{
    int32_t low = 0;
    for (guint i = 0; i < set->dbs->len; i++) {
        const struct copyset_db *db = copyset_db(set, i);
        if (dbheader_u32(&db->header, DBH_DBSTATE) == DBSTATE_CLEAN && !copyset_db_is_backup(db))
            continue;
        JET_RSTMAP_A entry = {.szDatabaseName = db->path,
                              .szNewDatabaseName = target_path(db, target)};
        g_array_append_val(map, entry);
        const int32_t needed = (int32_t)copyset_db_gen_low(db);
        if (low == 0 || needed < low)
            low = needed;
    }
    return low;
}

static JET_ERR
recover(const struct copyset *set, const char *target, JET_PFNSTATUS pfn, struct events *events,
        JETX_RESTOREREPORT *report)
{
    g_autoptr(GArray) map = g_array_new(FALSE, FALSE, sizeof(JET_RSTMAP_A));
    const int32_t low = make_map(set, target, map);
    const struct restore_params params = {
        .log_dir = target,
        .backup_dir = set->dir,
        .base = set->base,
        .map = (const JET_RSTMAP_A *)(const void *)map->data,
        .n_map = (int32_t)map->len,
        .gen_low = low,
        .gen_high = set->logs.n > 0 ? set->logs.gens[set->logs.n - 1] : 0,
        .keep_backup_dir = true,
        .pfn = pfn,
        .events = events,
    };
    JET_ERR err = map->len == 0 ? JET_errSuccess : restore_external(&params, report);
    for (guint i = 0; i < map->len; i++)
        g_free(g_array_index(map, JET_RSTMAP_A, i).szNewDatabaseName);
    return err;
}

static void
remove_made(const struct copyset *set, const char *target, guint copied)
{
    g_auto(GStrv) names = NULL;
    for (guint i = 0; i < copied; i++) {
        g_autofree char *path = target_path(copyset_db(set, i), target);
        (void)os_remove(path);
    }
    if (set->base == NULL || os_dir_list(target, &names) < 0)
        return;
    for (char **name = names; *name != NULL; name++) {
        g_autofree char *path = g_build_filename(target, *name, NULL);
        if (log_name_parse(*name, set->base, set->ext).kind != LOG_NAME_NONE)
            (void)os_remove(path);
    }
}

JET_ERR
restore_backup(const char *copy_dir, const char *target_dir, JET_PFNSTATUS pfn,
               struct events *events, JETX_RESTOREREPORT *report)
{
    struct copyset set;
    JETX_RESTOREREPORT own = {.cbStruct = sizeof own};
    JETX_RESTOREREPORT *r = report != NULL ? report : &own;
    const gint64 start = g_get_monotonic_time();
    guint copied = 0;
    JET_ERR err = copyset_read(copy_dir, &set);
    if (err < 0)
        return err;
    err = set.dbs->len == 0 ? JET_errFileNotFound : os_dir_make(target_dir);
    if (err >= 0)
        err = check_target(&set, target_dir);
    if (err >= 0) {
        err = copy_databases(&set, target_dir, &copied);
        if (err >= 0)
            err = recover(&set, target_dir, pfn, events, r);
        if (err < 0)
            remove_made(&set, target_dir, copied);
    }
    if (err >= 0) {
        r->cDatabase = set.dbs->len;
        r->msElapsed = (uint64_t)(g_get_monotonic_time() - start) / 1000;
    }
    copyset_clear(&set);
    return err;
}
