/* SPDX-License-Identifier: MIT */
/*
 * verify_manifest: manifests against the files that lie beside them: backup.json of the directory
 * that has the databases, and those of the incremental backups, backup-GENERATION.json beside it or
 * backup.json in directories of their own.
 */
#include <string.h>

#include "backup/manifest.h"
#include "backup/restore_plan.h"
#include "backup/verify_parts.h"
#include "os/file.h"

static const struct copyset_db *
find_db(const struct verify *v, const char *path)
{
    for (guint i = 0; i < v->set.dbs->len; i++)
        if (strcmp(copyset_db(&v->set, i)->path, path) == 0)
            return copyset_db(&v->set, i);
    return NULL;
}

/* A session's mark is in the header of each of its databases. */
static void
check_database(struct verify *v, const struct manifest_file *file, const char *path)
{
    const struct copyset_db *db = find_db(v, path);
    const bool frozen = g_strcmp0(v->manifest.mode, "frozen") == 0;
    if (db == NULL) {
        verify_fail(v, JET_errDatabaseCorrupted, path, 0, "is no database");
        return;
    }
    if (db->err < 0)
        return;
    if (file->has_signature &&
        memcmp(file->signature, db->header.bytes + DBH_SIGN_DB, sizeof file->signature) != 0)
        verify_fail(v, JET_errBadDbSignature, path, 0, "another database than the manifest names");
    else if (frozen && !copyset_db_is_backup(db))
        verify_fail(v, JET_errRestoreOfNonBackupDatabase, path, 0,
                    "not as a backup session delivers it");
    else if (frozen && v->manifest.mark != 0 &&
             dbheader_u64(&db->header, DBH_BK_FULL_CUR + BKINFO_MARK) != v->manifest.mark)
        verify_fail(v, JET_errDatabasePatchFileMismatch, path, 0,
                    "of another session than the manifest");
}

/* What the restore leaves out, or takes from another directory, need not be there. */
static bool
is_wanted(const struct verify *v, const char *dir, const struct manifest_file *file,
          const char *path)
{
    if (file->kind == JETX_fileLog)
        return (int64_t)file->gen <= v->wanted->gen_high;
    return strcmp(dir, v->dir) == 0 && restore_plan_wants(v->wanted->param, path);
}

static void
check_file(struct verify *v, const char *dir, const struct manifest_file *file)
{
    g_autofree char *path = g_build_filename(dir, file->name, NULL);
    uint64_t bytes = 0;
    if (!is_wanted(v, dir, file, path))
        return;
    if (!os_exists(path)) {
        verify_fail(v, JET_errMissingFileToBackup, path, 0, "named by the manifest, not there");
        return;
    }
    if (!os_is_file(path)) {
        verify_fail(v, JET_errFileInvalidType, path, 0, "not a regular file");
        return;
    }
    if (file->kind == JETX_fileDatabase)
        check_database(v, file, path);
    JET_ERR err = os_file_size_at(path, &bytes);
    if (err < 0)
        verify_fail(v, err, path, 0, "cannot be read");
    else if (bytes != file->size)
        verify_fail(v, JET_errMissingFileToBackup, path, MIN(bytes, file->size),
                    "not of the size in the manifest");
}

JET_ERR
verify_manifest_load(struct verify *v)
{
    g_autofree char *path = g_build_filename(v->dir, MANIFEST_NAME, NULL);
    JET_ERR err = manifest_load(path, &v->manifest);
    v->manifest_bad = err == JET_errInvalidBackup;
    return err == JET_errFileNotFound || v->manifest_bad ? JET_errSuccess : err;
}

static void
check_manifest(struct verify *v, const char *dir, const char *path, const struct manifest_read *m)
{
    for (size_t i = 0; i < m->n_files; i++)
        if (m->files[i].kind != JETX_fileGenerated)
            check_file(v, dir, &m->files[i]);
    const bool logs_read = v->logs.gen_low != 0 && v->logs.gen_low <= v->logs.gen_high;
    if (m->has_sign_log && logs_read &&
        memcmp(m->sign_log, v->logs.signature, sizeof m->sign_log) != 0)
        verify_fail(v, JET_errBadLogSignature, path, 0, "manifest of another instance");
}

static void
check_incremental(struct verify *v, const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    struct manifest_read m;
    if (manifest_load(path, &m) < 0) {
        verify_fail(v, JET_errInvalidBackup, path, 0, "manifest cannot be read");
        return;
    }
    check_manifest(v, dir, path, &m);
    manifest_read_clear(&m);
}

/* A directory that only gives logs has its own backup.json. */
static JET_ERR
check_incrementals(struct verify *v, const char *dir)
{
    g_auto(GStrv) names = NULL;
    JET_ERR err = os_dir_list(dir, &names);
    for (char **name = names; err >= 0 && *name != NULL; name++) {
        const bool own = strcmp(*name, MANIFEST_NAME) == 0 && strcmp(dir, v->dir) != 0;
        if (own || (g_str_has_prefix(*name, "backup-") && g_str_has_suffix(*name, ".json")))
            check_incremental(v, dir, *name);
    }
    return err;
}

JET_ERR
verify_manifests(struct verify *v)
{
    g_autofree char *path = g_build_filename(v->dir, MANIFEST_NAME, NULL);
    JET_ERR err = JET_errSuccess;
    if (v->manifest_bad)
        verify_fail(v, JET_errInvalidBackup, path, 0, "manifest cannot be read");
    else
        check_manifest(v, v->dir, path, &v->manifest);
    for (size_t i = 0; i < v->wanted->n_dirs && err >= 0; i++)
        err = check_incrementals(v, v->wanted->dirs[i]);
    return err;
}
