/* SPDX-License-Identifier: MIT */
/*
 * verify: see backup/verify.h. In order, each in a file of its own: what the files are and whether
 * they belong together (verify_set.c), the pages (here), the logs (verify_log.c), the pages against
 * the logs (verify_times.c), the manifest (verify_manifest.c).
 */
#include "backup/verify.h"

#include <string.h>

#include "backup/restore_logs.h"
#include "backup/restore_plan.h"
#include "backup/verify_parts.h"
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
    if (strcmp(path, v->dir) != 0)
        g_strlcpy(r->szFileFirst, name, sizeof r->szFileFirst);
    g_strlcpy(r->szReasonFirst, reason, sizeof r->szReasonFirst);
}

static const char *
page_reason(JET_ERR err)
{
    return err == JET_errReadPgnoVerifyFailure ? "page of another number"
                                               : "page checksum does not hold";
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

/* Pages of one read. An all-zero page was allocated and never used: good, as far as can be seen
 * here. A single flipped bit could be put right, but it did not come from the database. */
static void
check_pages(struct verify *v, const struct copyset_db *db, uint64_t offset, uint8_t *data,
            size_t len, uint32_t last)
{
    for (size_t at = 0; at + db->page_bytes <= len; at += db->page_bytes) {
        const uint64_t pgno = (offset + at) / db->page_bytes - 1;
        bool repaired = false;
        if (pgno > last)
            return;
        JET_ERR err = page_verify(data + at, db->page_bytes, (uint32_t)pgno, &repaired);
        v->report->cPage++;
        if (err == JET_errPageNotInitialized || (err >= 0 && !repaired))
            continue;
        v->report->cPageBad++;
        if (repaired)
            verify_fail(v, JET_errReadVerifyFailure, db->path, offset + at,
                        "one bit of the page has flipped");
        else
            verify_fail(v, err, db->path, offset + at, page_reason(err));
    }
}

static JET_ERR
read_pages(struct verify *v, const struct copyset_db *db)
{
    struct os_file *file;
    const uint32_t last = last_page(v, db);
    uint64_t end;
    g_autofree uint8_t *buffer = g_malloc(READ_BYTES);
    JET_ERR err = verify_pages_end(db, &end);
    if (err >= 0)
        err = os_file_open(db->path, OS_OPEN_READ, &file);
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

static JET_ERR
check_contents(struct verify *v)
{
    JET_ERR err = JET_errSuccess;
    for (guint i = 0; i < v->set.dbs->len && err >= 0; i++) {
        const struct copyset_db *db = copyset_db(&v->set, i);
        v->report->cDatabase++;
        v->report->cbVerified += db->bytes;
        if (db->err >= 0)
            err = read_pages(v, db);
    }
    if (err >= 0)
        err = verify_logs(v);
    /* what is damaged as it is need not be replayed in thought */
    return err < 0 || v->report->errFirst < 0 ? err : verify_times(v);
}

/* ---- the set ---- */

static void
drop_unwanted(const struct verify_wanted *wanted, struct copyset *set)
{
    for (guint i = set->dbs->len; i-- > 0;) {
        if (restore_plan_wants(wanted->param, copyset_db(set, i)->path))
            continue;
        copyset_db_clear(copyset_db(set, i));
        g_array_remove_index(set->dbs, i);
    }
}

/* The first directory with databases gives them; v->set.base is that of the first with logs. */
static JET_ERR
read_set(struct verify *v, const char *dir, bool first)
{
    struct copyset set;
    JET_ERR err = copyset_read(dir, &set);
    if (err < 0)
        return err;
    if (!first && (v->set.dbs->len > 0 || set.dbs->len == 0)) {
        if (v->set.base == NULL) {
            v->set.base = g_steal_pointer(&set.base);
            v->set.ext = g_steal_pointer(&set.ext);
        }
        copyset_clear(&set);
        return JET_errSuccess;
    }
    if (set.base == NULL && v->set.base != NULL) {
        set.base = g_steal_pointer(&v->set.base);
        set.ext = g_steal_pointer(&v->set.ext);
    }
    copyset_clear(&v->set);
    v->set = set;
    v->dir = dir;
    return JET_errSuccess;
}

/* One chain of logs, wherever they lie. */
static JET_ERR
join_logs(struct verify *v)
{
    g_autoptr(GPtrArray) more = g_ptr_array_new();
    struct restore_chain chain = {.current_gen = 0};
    for (size_t i = 0; i < v->wanted->n_dirs; i++)
        if (v->wanted->dirs[i] != v->dir)
            g_ptr_array_add(more, (gpointer)v->wanted->dirs[i]);
    g_ptr_array_add(more, NULL);
    const struct restore_params p = {
        .base = v->set.base, .ext = v->set.ext, .more_dirs = (const char *const *)more->pdata};
    if (v->set.base == NULL)
        return JET_errSuccess;
    JET_ERR err = restore_chain_find(&p, v->dir, &chain);
    log_gens_clear(&v->set.logs);
    v->set.logs = chain.logs;
    return err;
}

static JET_ERR
read_sets(struct verify *v)
{
    JET_ERR err = JET_errSuccess;
    for (size_t i = 0; i < v->wanted->n_dirs && err >= 0; i++) {
        v->dir = i == 0 ? v->wanted->dirs[0] : v->dir;
        err = verify_kinds(v, v->wanted->dirs[i]);
        if (err >= 0)
            err = read_set(v, v->wanted->dirs[i], i == 0);
    }
    if (err >= 0)
        err = join_logs(v);
    if (err >= 0)
        drop_unwanted(v->wanted, &v->set);
    return err;
}

static JET_ERR
check(struct verify *v)
{
    JET_ERR err = read_sets(v);
    if (err >= 0)
        err = verify_manifest_load(v);
    if (err >= 0) {
        verify_set(v);
        err = check_contents(v);
    }
    if (err >= 0)
        err = verify_manifests(v);
    copyset_clear(&v->set);
    manifest_read_clear(&v->manifest);
    return err;
}

JET_ERR
verify_sources(const struct verify_wanted *wanted, JETX_VERIFYREPORT *report)
{
    JETX_VERIFYREPORT own = {.cbStruct = sizeof own};
    struct verify v = {.wanted = wanted, .report = report != NULL ? report : &own};
    const uint32_t size = v.report->cbStruct;
    if (wanted->n_dirs == 0)
        return JET_errInvalidParameter;
    *v.report = (JETX_VERIFYREPORT) {.cbStruct = size};
    JET_ERR err = check(&v);
    if (err < 0)
        verify_fail(&v, err, v.dir, 0, "cannot be read");
    return v.report->errFirst;
}

JET_ERR
verify_backup(const char *dir, JETX_VERIFYREPORT *report)
{
    return verify_sources(
        &(struct verify_wanted) {.dirs = &dir, .n_dirs = 1, .gen_high = INT32_MAX}, report);
}
