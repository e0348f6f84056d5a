/* SPDX-License-Identifier: MIT */
/* verify: see backup/verify.h. The logs are in verify_log.c, the manifest in verify_manifest.c. */
#include "backup/verify.h"

#include <string.h>

#include "backup/verify_parts.h"
#include "log/filehdr.h"
#include "os/file.h"
#include "page/page.h"

#define READ_BYTES (1u << 20)

void
verify_fail(struct verify *v, JET_ERR err, const char *path, uint64_t offset, const char *reason)
{
    JETX_VERIFYREPORT *r = v->report;
    if (r->errFirst < 0)
        return;
    g_autofree char *name = g_path_get_basename(path);
    r->errFirst = err;
    r->ibFirst = offset;
    g_strlcpy(r->szFileFirst, name, sizeof r->szFileFirst);
    g_strlcpy(r->szReasonFirst, reason, sizeof r->szReasonFirst);
}

static const char *
page_reason(JET_ERR err)
{
    if (err == JET_errReadPgnoVerifyFailure)
        return "page of another number";
    return err == JET_errPageNotInitialized ? "page is zero" : "page checksum does not hold";
}

/*
 * Last page of a database that was copied as it lay: what it does not own may be anything. The
 * manifest knows; without one every page counts.
 */
static uint32_t
last_page(const struct verify *v, const struct copyset_db *db)
{
    g_autofree char *name = g_path_get_basename(db->path);
    for (size_t i = 0; i < v->manifest.n_files; i++) {
        const struct manifest_file *file = &v->manifest.files[i];
        if (g_strcmp0(file->name, name) == 0 && file->pgno_last != 0)
            return file->pgno_last;
    }
    return UINT32_MAX;
}

/* Pages of one read; an all-zero page was allocated and never used: good. */
static void
check_pages(struct verify *v, const struct copyset_db *db, uint64_t offset, uint8_t *data,
            size_t len, uint32_t last)
{
    for (size_t at = 0; at < len; at += db->page_bytes) {
        const uint64_t pgno = (offset + at) / db->page_bytes - 1;
        if (pgno > last)
            return;
        JET_ERR err = page_verify(data + at, db->page_bytes, (uint32_t)pgno, NULL);
        v->report->cPage++;
        if (err >= 0 || err == JET_errPageNotInitialized)
            continue;
        v->report->cPageBad++;
        verify_fail(v, err, db->path, offset + at, page_reason(err));
    }
}

static JET_ERR
read_pages(struct verify *v, const struct copyset_db *db, uint64_t end)
{
    struct os_file *file;
    const uint32_t last = last_page(v, db);
    g_autofree uint8_t *buffer = g_malloc(READ_BYTES);
    JET_ERR err = os_file_open(db->path, OS_OPEN_READ, &file);
    if (err < 0)
        return err;
    for (uint64_t at = 2 * (uint64_t)db->page_bytes; at < end && err >= 0; at += READ_BYTES) {
        const size_t n = (size_t)MIN(end - at, READ_BYTES);
        err = os_file_read(file, at, buffer, n);
        if (err >= 0)
            check_pages(v, db, at, buffer, n, last);
    }
    os_file_close(file);
    return err;
}

/* The generations that this database has to have beside it. */
static void
need_logs(struct verify *v, const struct copyset_db *db, uint32_t high)
{
    const uint32_t low = copyset_db_gen_low(db);
    if (v->need_low == 0 || (int32_t)low < v->need_low)
        v->need_low = (int32_t)low;
    v->need_high = MAX(v->need_high, (int32_t)high);
    memcpy(v->signature, db->header.bytes + DBH_SIGN_LOG, sizeof v->signature);
}

/* Looks at the trailer; *end = where the pages end. */
static JET_ERR
check_trailer(struct verify *v, const struct copyset_db *db, uint64_t *end)
{
    const uint8_t *header = db->header.bytes;
    struct trailer trailer;
    JET_ERR err = copyset_db_trailer(db, &trailer);
    *end = db->bytes;
    if (err == JET_errBadPatchPage) {
        if (!copyset_db_is_backup(db) || copyset_db_gen_high(db) != 0)
            return JET_errSuccess; /* has no need of one */
        verify_fail(v, err, db->path, db->bytes - db->page_bytes, "no trailer at the end");
        return JET_errSuccess;
    }
    if (err < 0)
        return err;
    *end -= db->page_bytes;
    if (!copyset_db_is_backup(db))
        return JET_errSuccess;
    if (memcmp(header + DBH_SIGN_DB, trailer.sign_db, sizeof trailer.sign_db) != 0 ||
        memcmp(header + DBH_SIGN_LOG, trailer.sign_log, sizeof trailer.sign_log) != 0 ||
        memcmp(header + DBH_BK_FULL_CUR + BKINFO_MARK, trailer.bkinfo + BKINFO_MARK, 8) != 0)
        verify_fail(v, JET_errDatabasePatchFileMismatch, db->path, *end,
                    "trailer and header are of different backups");
    need_logs(v, db, le32_get(trailer.bkinfo + BKINFO_GEN_HIGH));
    return JET_errSuccess;
}

static JET_ERR
check_db(struct verify *v, const struct copyset_db *db)
{
    uint64_t end;
    v->report->cDatabase++;
    v->report->cbVerified += db->bytes;
    if (db->err < 0) {
        verify_fail(v, db->err, db->path, 0, "neither copy of the header is good");
        return JET_errSuccess;
    }
    if (!db->first_good || !db->second_good)
        verify_fail(v, JET_errReadVerifyFailure, db->path, db->first_good ? db->page_bytes : 0,
                    "one copy of the header is damaged");
    if (db->bytes % db->page_bytes != 0) {
        verify_fail(v, JET_errDatabaseCorrupted, db->path, db->bytes,
                    "not a whole number of pages");
        return JET_errSuccess;
    }
    JET_ERR err = check_trailer(v, db, &end);
    return err < 0 ? err : read_pages(v, db, end);
}

static JET_ERR
check_set(struct verify *v)
{
    if (v->set.dbs->len == 0) {
        verify_fail(v, JET_errFileNotFound, v->set.dir, 0, "no database in it");
        return JET_errSuccess;
    }
    JET_ERR err = verify_manifest(v);
    for (guint i = 0; i < v->set.dbs->len && err >= 0; i++)
        err = check_db(v, copyset_db(&v->set, i));
    return err < 0 ? err : verify_logs(v);
}

JET_ERR
verify_backup(const char *dir, JETX_VERIFYREPORT *report)
{
    JETX_VERIFYREPORT own = {.cbStruct = sizeof own};
    struct verify v = {.report = report != NULL ? report : &own};
    const uint32_t size = v.report->cbStruct;
    *v.report = (JETX_VERIFYREPORT) {.cbStruct = size};
    JET_ERR err = copyset_read(dir, &v.set);
    if (err >= 0) {
        err = check_set(&v);
        copyset_clear(&v.set);
        manifest_read_clear(&v.manifest);
    }
    if (err < 0)
        verify_fail(&v, err, dir, 0, "cannot be read");
    return v.report->errFirst;
}
