/* SPDX-License-Identifier: MIT */
/*
 * verify_set: do the files belong together? The checks are those of restore (restore_check.h), so
 * that both say the same.
 */
#include <string.h>

#include "backup/verify_parts.h"
#include "os/file.h"

/* ---- kinds of files ---- */

/* A backup has plain files only. What else is there was put there by somebody: a link may lead
 * anywhere, a fifo never ends. Directories are passed over. */
JET_ERR
verify_kinds(struct verify *v, const char *dir)
{
    g_auto(GStrv) names = NULL;
    JET_ERR err = os_dir_list(dir, &names);
    for (char **name = names; err >= 0 && *name != NULL; name++) {
        g_autofree char *path = g_build_filename(dir, *name, NULL);
        struct os_file *file;
        if (os_is_dir(path))
            continue;
        if (!os_is_file(path)) {
            verify_fail(v, JET_errFileInvalidType, path, 0, "not a regular file");
            continue;
        }
        JET_ERR opened = os_file_open(path, OS_OPEN_READ, &file);
        if (opened < 0)
            verify_fail(v, opened, path, 0, "cannot be read");
        else
            os_file_close(file);
    }
    return err;
}

/* ---- logs ---- */

static const char *
log_reason(JET_ERR err)
{
    switch (err) {
    case JET_errFileNotFound:
        return "log is missing";
    case JET_errBadLogSignature:
        return "log of another instance";
    case JET_errLogGenerationMismatch:
        return "log of another generation";
    case JET_errLogFileSizeMismatch:
        return "log is not as long as it should be";
    case JET_errGivenLogFileIsNotContiguous:
        return "log does not continue the one before";
    case JET_errDiskIO:
    case JET_errFileAccessDenied:
        return "cannot be read";
    default:
        return "header of the log is damaged";
    }
}

/* First and last log that a restore would take: from what the databases need to the newest. */
static void
find_range(struct verify *v)
{
    const struct log_gens *found = &v->set.logs;
    int32_t low = 0;
    for (guint i = 0; i < v->set.dbs->len; i++) {
        const struct copyset_db *db = copyset_db(&v->set, i);
        if (!copyset_db_is_backup(db))
            continue;
        const int32_t needed = (int32_t)copyset_db_gen_low(db);
        low = low == 0 ? needed : MIN(low, needed);
    }
    if (low == 0 && found->n > 0)
        low = found->gens[0];
    v->logs.gen_low = low;
    v->logs.gen_high = found->n > 0 ? MAX(found->gens[found->n - 1], low) : low;
    v->logs.gen_high = MIN(v->logs.gen_high, v->wanted->gen_high);
}

/* The first log says what the stream is. Is it the one that is foreign, and not what follows? */
static bool
is_first_foreign(const struct verify *v)
{
    for (guint i = 0; i < v->set.dbs->len; i++) {
        const struct copyset_db *db = copyset_db(&v->set, i);
        if (copyset_db_is_backup(db))
            return memcmp(db->header.bytes + DBH_SIGN_LOG, v->logs.signature, SIGNATURE_BYTES) != 0;
    }
    return false;
}

static bool
check_logs(struct verify *v)
{
    find_range(v);
    if (v->logs.gen_low == 0 || v->logs.gen_low > v->logs.gen_high)
        return false; /* none are needed; or a stop before the backup: the restore says so */
    const int32_t first = v->set.logs.n > 0 ? v->set.logs.gens[0] : v->logs.gen_low;
    v->report->genLow = (uint32_t)MAX(v->logs.gen_low, first);
    v->report->genHigh = (uint32_t)v->logs.gen_high;
    JET_ERR err = restore_check_logs(&v->set.logs, NULL, &v->logs);
    if (err >= 0)
        return true;
    if (err == JET_errBadLogSignature && is_first_foreign(v))
        v->logs.gen_bad = v->logs.gen_low;
    const int32_t gen = v->logs.gen_bad;
    const char *base = v->set.base != NULL ? v->set.base : "edb";
    const char *ext = v->set.ext != NULL ? v->set.ext : "log";
    g_autofree char *name = log_name_archive(base, ext, gen, true);
    const char *path = log_gens_path(&v->set.logs, gen);
    if (path != NULL && !os_is_file(path))
        verify_fail(v, JET_errFileInvalidType, path, 0, "not a regular file");
    else
        verify_fail(v, err, path != NULL ? path : name, 0, log_reason(err));
    return false;
}

/* ---- databases ---- */

JET_ERR
verify_pages_end(const struct copyset_db *db, uint64_t *end)
{
    struct trailer trailer;
    JET_ERR err = JET_errSuccess;
    bool has_trailer = copyset_db_gen_high(db) == 0;
    *end = db->bytes;
    if (!copyset_db_is_backup(db)) {
        err = copyset_db_trailer(db, &trailer);
        has_trailer = err >= 0;
    }
    if (has_trailer && db->bytes >= db->page_bytes)
        *end -= db->page_bytes;
    return err == JET_errBadPatchPage ? JET_errSuccess : err;
}

static const char *
db_reason(const struct copyset_db *db, JET_ERR err)
{
    switch (err) {
    case JET_errBadPatchPage:
        return db->bytes % db->page_bytes != 0 ? "not a whole number of pages: its end is lost"
                                               : "no good trailer at the end";
    case JET_errDatabasePatchFileMismatch:
        return "header, trailer and logs are of different backups";
    case JET_errStartingRestoreLogTooHigh:
        return "needs older logs than there are";
    case JET_errEndingRestoreLogTooLow:
        return "needs newer logs than there are";
    default:
        return "cannot be read";
    }
}

/* A session delivers the same header twice. */
static JET_ERR
headers_differ(const struct copyset_db *db, bool *differ)
{
    g_autofree uint8_t *both = g_malloc(2 * (size_t)db->page_bytes);
    struct os_file *file;
    JET_ERR err = os_file_open(db->path, OS_OPEN_READ, &file);
    if (err < 0)
        return err;
    err = os_file_read(file, 0, both, 2 * (size_t)db->page_bytes);
    os_file_close(file);
    *differ = err >= 0 && memcmp(both, both + db->page_bytes, db->page_bytes) != 0;
    return err;
}

static void
check_backup(struct verify *v, const struct copyset_db *db)
{
    bool differ = false;
    JET_ERR err = headers_differ(db, &differ);
    if (err < 0)
        verify_fail(v, err, db->path, 0, "cannot be read");
    else if (differ && copyset_db_gen_high(db) == 0)
        verify_fail(v, JET_errDatabasePatchFileMismatch, db->path, db->page_bytes,
                    "the two headers are of different backups");
    /* whether a stop goes far enough is the restore's affair */
    struct restore_logs logs = v->logs;
    logs.gen_high = v->set.logs.n > 0 ? v->set.logs.gens[v->set.logs.n - 1] : 0;
    err = restore_check_db(db, &logs, NULL);
    if (err < 0)
        verify_fail(v, err, db->path, db->bytes - MIN(db->bytes, db->page_bytes),
                    db_reason(db, err));
}

static void
check_db(struct verify *v, const struct copyset_db *db, bool logs_good)
{
    if (db->err < 0) {
        verify_fail(v, db->err, db->path, 0, "neither copy of the header is good");
        return;
    }
    if (!db->first_good || !db->second_good)
        verify_fail(v, JET_errReadVerifyFailure, db->path, db->first_good ? db->page_bytes : 0,
                    "one copy of the header is damaged");
    if (copyset_db_is_backup(db) && logs_good)
        check_backup(v, db);
    else if (!copyset_db_is_backup(db) && db->bytes % db->page_bytes != 0)
        verify_fail(v, JET_errDatabaseCorrupted, db->path, db->bytes,
                    "not a whole number of pages");
}

/* Two files of one database: the remains of a copy that was broken off, perhaps. */
static void
check_twins(struct verify *v, guint i)
{
    const struct copyset_db *db = copyset_db(&v->set, i);
    for (guint j = 0; j < i && db->err >= 0; j++) {
        const struct copyset_db *other = copyset_db(&v->set, j);
        if (other->err < 0 || memcmp(other->header.bytes + DBH_SIGN_DB,
                                     db->header.bytes + DBH_SIGN_DB, SIGNATURE_BYTES) != 0)
            continue;
        g_autofree char *name = g_path_get_basename(other->path);
        g_autofree char *reason = g_strdup_printf("the same database as %s", name);
        verify_fail(v, JET_errDatabaseSignInUse, db->path, 0, reason);
    }
}

void
verify_set(struct verify *v)
{
    /* an incremental backup by itself is logs; what is asked for may be in the logs alone */
    const bool subset = v->wanted->param != NULL && v->wanted->param->cDatabase > 0;
    if (v->set.dbs->len == 0 && !subset && !(v->manifest.incremental && v->wanted->n_dirs == 1)) {
        verify_fail(v, JET_errFileNotFound, v->dir, 0, "no database in it");
        return;
    }
    const bool logs_good = check_logs(v);
    for (guint i = 0; i < v->set.dbs->len; i++)
        check_twins(v, i);
    for (guint i = 0; i < v->set.dbs->len; i++)
        check_db(v, copyset_db(&v->set, i), logs_good);
}
