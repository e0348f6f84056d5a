/* SPDX-License-Identifier: MIT */
#include "backup/restore_directory.h"

#include <string.h>

#include <glib.h>

#include "backup/copyset.h"
#include "backup/restore.h"
#include "log/attach.h"
#include "log/reader.h"
#include "log/record.h"
#include "os/file.h"

#define COPY_BYTES (1u << 20)

/* The first of the directory, its "new" and its "old" that has logs. */
static JET_ERR
find_set(const struct restore_directory_params *p, struct copyset *set)
{
    const char *const subs[] = {".", "new", "old"};
    for (size_t i = 0; i < G_N_ELEMENTS(subs); i++) {
        g_autofree char *dir = i ? g_build_filename(p->source, subs[i], NULL) : g_strdup(p->source);
        JET_ERR err = os_is_dir(dir) ? copyset_read(dir, set) : JET_errFileNotFound;
        if (err >= 0 && set->base && g_ascii_strcasecmp(set->base, p->base) == 0)
            return JET_errSuccess;
        if (err >= 0)
            copyset_clear(set);
    }
    return JET_errFileNotFound;
}

static JET_ERR
check_markers(const struct copyset *set)
{
    for (guint i = 0; i < set->dbs->len; i++) {
        const char *path = copyset_db(set, i)->path;
        const char *dot = strrchr(path, '.');
        g_autofree char *pat =
            g_strdup_printf("%.*s.pat", dot ? (int)(dot - path) : (int)strlen(path), path);
        if (!os_exists(pat))
            return JET_errPatchFileMissing;
    }
    return JET_errSuccess;
}

/* ---- where a database lay ---- */

static char *
path_in_attach_list(const uint8_t *list, const uint8_t *sign_db)
{
    struct cursor c = cursor_over(list, ATTACH_LIST_BYTES);
    struct attach_info info;
    while (attach_next(&c, &info) > 0) {
        bool same = memcmp(info.sign_db, sign_db, SIGNATURE_BYTES) == 0;
        char *path = same ? g_strdup(info.path) : NULL;
        attach_info_clear(&info);
        if (path)
            return path;
    }
    return NULL;
}

static char *
path_in_record(struct span record, const uint8_t *sign_db)
{
    struct lr lr;
    if (lr_decode(record.data, record.len, &lr, NULL) < 0)
        return NULL;
    struct span sign = {NULL, 0}, path = {NULL, 0};
    if (lr.type == LR_CREATE_DB) {
        sign = lr.create_db.sign_db;
        path = lr.create_db.path;
    } else if (lr.type == LR_ATTACH_DB) {
        sign = lr.attach_db.sign_db;
        path = lr.attach_db.path;
    }
    bool same = sign.len == SIGNATURE_BYTES && memcmp(sign.data, sign_db, SIGNATURE_BYTES) == 0;
    return same ? attach_path_decode(path) : NULL;
}

static char *
path_in_log(const char *log, const uint8_t *sign_db)
{
    struct log_reader_opts opts = {.last = true};
    struct log_reader *reader;
    struct span record;
    struct lgpos at;
    if (log_reader_open(log, &opts, &reader) < 0)
        return NULL; /* what is wrong with it, the restore will say */
    char *path = path_in_attach_list(log_reader_header(reader)->attach, sign_db);
    while (!path && log_reader_next(reader, &record, &at) > 0)
        path = path_in_record(record, sign_db);
    log_reader_close(reader);
    return path;
}

static JET_ERR
target_of(const struct restore_directory_params *p, const struct copyset *set,
          const struct copyset_db *db, char **target)
{
    if (p->dest && p->dest[0]) {
        g_autofree char *name = g_path_get_basename(db->path);
        *target = g_build_filename(p->dest, name, NULL);
        return JET_errSuccess;
    }
    *target = NULL;
    for (size_t i = set->logs.n; !*target && i > 0; i--)
        *target = path_in_log(set->logs.paths[i - 1], &db->header.bytes[DBH_SIGN_DB]);
    return *target && g_path_is_absolute(*target) ? JET_errSuccess : JET_errInvalidPath;
}

/* ---- copy and recover ---- */

static JET_ERR
copy_database(const struct copyset_db *db, const char *target)
{
    struct os_file *from, *to;
    g_autofree uint8_t *buffer = g_malloc(COPY_BYTES);
    JET_ERR err = os_file_open(db->path, OS_OPEN_READ, &from);
    if (err < 0)
        return err;
    if (os_exists(target))
        err = os_remove(target);
    if (err >= 0)
        err = os_file_create(target, &to);
    if (err < 0) {
        os_file_close(from);
        return err;
    }
    for (uint64_t at = 0; err >= 0 && at < db->bytes; at += COPY_BYTES) {
        size_t n = (size_t)MIN((uint64_t)COPY_BYTES, db->bytes - at);
        err = os_file_read(from, at, buffer, n);
        if (err >= 0)
            err = os_file_write(to, at, buffer, n);
    }
    if (err >= 0)
        err = os_file_sync(to);
    os_file_close(from);
    os_file_close(to);
    return err;
}

static JET_ERR
recover(const struct restore_directory_params *p, const struct copyset *set, JET_RSTMAP_A *map)
{
    struct restore_params params = {.checkpoint_dir = p->checkpoint_dir,
                                    .log_dir = p->log_dir,
                                    .backup_dir = set->dir,
                                    .base = p->base,
                                    .map = map,
                                    .n_map = (int32_t)set->dbs->len,
                                    .keep_backup_dir = true,
                                    .pfn = p->pfn,
                                    .events = p->events};
    return restore_external(&params, NULL);
}

JET_ERR
restore_directory(const struct restore_directory_params *p)
{
    struct copyset set = {0};
    JET_ERR err = find_set(p, &set);
    if (err < 0)
        return err;
    JET_RSTMAP_A *map = g_new0(JET_RSTMAP_A, set.dbs->len);
    err = check_markers(&set);
    for (guint i = 0; err >= 0 && i < set.dbs->len; i++) {
        err = target_of(p, &set, copyset_db(&set, i), &map[i].szNewDatabaseName);
        map[i].szDatabaseName = map[i].szNewDatabaseName;
    }
    for (guint i = 0; err >= 0 && i < set.dbs->len; i++)
        err = copy_database(copyset_db(&set, i), map[i].szNewDatabaseName);
    if (err >= 0)
        err = recover(p, &set, map);
    for (guint i = 0; i < set.dbs->len; i++)
        g_free(map[i].szNewDatabaseName);
    g_free(map);
    copyset_clear(&set);
    return err;
}
