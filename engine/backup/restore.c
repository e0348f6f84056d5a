/* SPDX-License-Identifier: MIT */
/* restore: JetExternalRestore; declared in backup/restore.h. */
#include "backup/restore.h"

#include <string.h>

#include "backup/restore_check.h"
#include "instance/event.h"
#include "log/filehdr.h"
#include "log/stream.h"
#include "os/file.h"
#include "page/checksum.h"
#include "recovery/recovery.h"

#define MAP_MAX     14
#define CACHE_BYTES (64u << 20)

struct restore {
    const struct restore_params *p;
    const char *base;
    char *backup_dir; /* absolute */
    char *log_dir;
    char *checkpoint_dir;
    struct os_file *lock;  /* on log_dir */
    struct log_gens found; /* in backup_dir */
    struct restore_logs logs;
    GArray *dbs; /* struct copyset_db, as p->map */
};

/* ---- before anything is changed ---- */

static JET_ERR
make_dir(const char *path, char **full)
{
    JET_ERR err = os_is_dir(path) ? JET_errSuccess : os_dir_make(path);
    return err < 0 ? err : os_path_full(path, full);
}

static JET_ERR
open_dirs(struct restore *r)
{
    const struct restore_params *p = r->p;
    JET_ERR err = os_path_full(p->backup_dir != NULL ? p->backup_dir : ".", &r->backup_dir);
    if (err >= 0)
        err = make_dir(p->log_dir, &r->log_dir);
    if (err >= 0)
        err = make_dir(p->checkpoint_dir != NULL ? p->checkpoint_dir : p->log_dir,
                       &r->checkpoint_dir);
    if (err >= 0)
        err = os_dir_lock(r->log_dir, &r->lock);
    if (err == JET_errFileAccessDenied)
        return JET_errLogFilePathInUse;
    return err < 0 ? err : log_gens_find(r->backup_dir, r->base, "log", &r->found);
}

static JET_ERR
check_logs(struct restore *r)
{
    const size_t n = r->found.n;
    r->logs.gen_low = r->p->gen_low != 0 || n == 0 ? r->p->gen_low : r->found.gens[0];
    r->logs.gen_high = r->p->gen_high != 0 || n == 0 ? r->p->gen_high : r->found.gens[n - 1];
    JET_ERR err = restore_check_logs(&r->found, r->p->events, &r->logs);
    if (err < 0 || strcmp(r->backup_dir, r->log_dir) == 0)
        return err;
    struct log_gens existing;
    err = log_gens_find(r->log_dir, r->base, "log", &existing);
    if (err >= 0) {
        err = restore_check_log_dir(&existing, &r->logs, r->p->events);
        log_gens_clear(&existing);
    }
    return err;
}

static JET_ERR
check_dbs(struct restore *r)
{
    for (int32_t i = 0; i < r->p->n_map; i++) {
        const JET_RSTMAP_A *entry = &r->p->map[i];
        struct copyset_db db;
        const char *path =
            entry->szNewDatabaseName != NULL ? entry->szNewDatabaseName : entry->szDatabaseName;
        if (path == NULL)
            return JET_errInvalidParameter;
        JET_ERR err = copyset_db_read(path, &db);
        if (err < 0)
            return err == JET_errFileInvalidType ? JET_errDatabaseCorrupted : err;
        g_array_append_val(r->dbs, db);
        err = restore_check_db(&db, &r->logs, r->p->events);
        if (err < 0)
            return err;
    }
    return JET_errSuccess;
}

/* ---- changes ---- */

static void
raise_gen(uint8_t *image, size_t at, int32_t gen)
{
    if ((int32_t)le32_get(image + at) < gen)
        le32_put(image + at, (uint32_t)gen);
}

/* genHigh and the generations that recovery has to see; fields we do not know stay. */
static void
stamp_image(uint8_t *image, uint32_t page_bytes, int32_t gen_high)
{
    le32_put(image + DBH_BK_FULL_CUR + BKINFO_GEN_HIGH, (uint32_t)gen_high);
    if ((int32_t)le32_get(image + DBH_GEN_MAX_COMMITTED) < gen_high)
        le64_put(image + DBH_TIME_GEN_MAX_CREATE, 0);
    raise_gen(image, DBH_GEN_MAX_REQUIRED, gen_high);
    raise_gen(image, DBH_GEN_MAX_COMMITTED, gen_high);
    le32_put(image + DBH_CHECKSUM, checksum_header(image, page_bytes));
}

/* First one copy, then the other, so that one is good at every moment; then the trailer goes. */
static JET_ERR
stamp_file(struct os_file *file, const struct copyset_db *db, int32_t gen_high, bool has_trailer)
{
    g_autofree uint8_t *image = g_malloc(db->page_bytes);
    JET_ERR err = os_file_read(file, db->first_good ? 0 : db->page_bytes, image, db->page_bytes);
    if (err < 0)
        return err;
    stamp_image(image, db->page_bytes, gen_high);
    for (unsigned slot = 0; slot < 2 && err >= 0; slot++) {
        err = os_file_write(file, (uint64_t)slot * db->page_bytes, image, db->page_bytes);
        if (err >= 0)
            err = os_file_sync(file);
    }
    if (err >= 0 && has_trailer)
        err = os_file_truncate(file, db->bytes - db->page_bytes);
    return err < 0 ? err : os_file_sync(file);
}

static JET_ERR
stamp_db(const struct copyset_db *db, int32_t gen_high)
{
    struct os_file *file;
    struct trailer trailer;
    JET_ERR err = copyset_db_trailer(db, &trailer);
    const bool has_trailer = err >= 0;
    if (err < 0 && err != JET_errBadPatchPage)
        return err;
    err = os_file_open(db->path, OS_OPEN_WRITE, &file);
    if (err < 0)
        return err;
    err = os_file_lock(file);
    if (err >= 0)
        err = stamp_file(file, db, gen_high, has_trailer);
    os_file_close(file);
    return err;
}

/* As ESE does: what lies beside the set and is not of it would only confuse the next restore. */
static JET_ERR
remove_other_logs(struct restore *r)
{
    if (r->p->keep_backup_dir || strcmp(r->backup_dir, r->log_dir) == 0)
        return JET_errSuccess;
    JET_ERR err = r->found.current != NULL ? os_remove(r->found.current) : JET_errSuccess;
    for (size_t i = 0; i < r->found.n && err >= 0; i++)
        if (r->found.gens[i] < r->logs.gen_low || r->found.gens[i] > r->logs.gen_high)
            err = os_remove(r->found.paths[i]);
    return err;
}

/* ---- recovery ---- */

static void
report_recovery(void *ctx, int id, const char *text)
{
    const struct restore *r = ctx;
    event_report(r->p->events, (enum event_id)id, text, NULL);
}

static void
report_progress(void *ctx, uint32_t done, uint32_t total)
{
    const struct restore *r = ctx;
    JET_SNPROG progress = {.cbStruct = sizeof progress, .cunitDone = done, .cunitTotal = total};
    (void)r->p->pfn(JET_sesidNil, JET_snpRestore, JET_sntProgress, &progress);
}

static JET_ERR
recover(struct restore *r, struct recovery_result *result)
{
    g_autofree struct recovery_map *map = g_new0(struct recovery_map, r->dbs->len + 1);
    for (guint i = 0; i < r->dbs->len; i++) {
        const struct copyset_db *db = &g_array_index(r->dbs, struct copyset_db, i);
        map[i].file_path = db->path;
        map[i].sign_db = db->header.bytes + DBH_SIGN_DB;
    }
    const struct recovery_params params = {
        .log = {.dir = r->log_dir,
                .base = r->base,
                .ext = "log",
                .eight_dot_three = true,
                .file_kib = (uint32_t)r->logs.segments * LOG_SEGMENT_BYTES / 1024,
                .page_bytes = r->logs.page_bytes},
        .system_path = r->checkpoint_dir,
        .cache_pages = CACHE_BYTES / r->logs.page_bytes,
        .map = map,
        .n_map = r->dbs->len,
        .progress = r->p->pfn != NULL ? report_progress : NULL,
        .event = report_recovery,
        .ctx = r,
    };
    const struct recovery_set set = {
        .dir = r->backup_dir,
        .gen_low = r->logs.gen_low,
        .gen_high = r->logs.gen_high,
        .continue_with_log_dir = true,
    };
    return recovery_hard(&params, &set, result);
}

static JET_ERR
tell(const struct restore *r, JET_SNT snt)
{
    JET_SNPROG progress = {.cbStruct = sizeof progress, .cunitDone = 100, .cunitTotal = 100};
    if (r->p->pfn == NULL)
        return JET_errSuccess;
    return r->p->pfn(JET_sesidNil, JET_snpRestore, snt, snt == JET_sntComplete ? &progress : NULL);
}

/* All databases are checked: from here on events tell how it ends. */
static JET_ERR
change(struct restore *r, struct recovery_result *result)
{
    struct events *events = r->p->events;
    event_report(events, EVENT_RESTORE_START, r->backup_dir, r->log_dir, NULL);
    JET_ERR err = tell(r, JET_sntBegin);
    if (err >= 0)
        err = remove_other_logs(r);
    for (guint i = 0; i < r->dbs->len && err >= 0; i++)
        err = stamp_db(&g_array_index(r->dbs, struct copyset_db, i), r->logs.gen_high);
    if (err >= 0)
        err = recover(r, result);
    if (err < 0) {
        g_autofree char *number = event_number(err);
        event_report(events, EVENT_RESTORE_FAIL, number, NULL);
    } else {
        (void)tell(r, JET_sntComplete);
    }
    event_report(events, EVENT_RESTORE_STOP, NULL);
    return err;
}

static void
fill_report(const struct restore *r, const struct recovery_result *result,
            JETX_RESTOREREPORT *report)
{
    report->cDatabase = result->databases;
    report->genLow = (uint32_t)r->logs.gen_low;
    report->genHigh = (uint32_t)r->logs.gen_high;
    report->cRecord = result->records;
    report->cbLog = r->logs.bytes;
}

static void
clear(struct restore *r)
{
    for (guint i = 0; i < r->dbs->len; i++)
        copyset_db_clear(&g_array_index(r->dbs, struct copyset_db, i));
    g_array_unref(r->dbs);
    log_gens_clear(&r->found);
    os_file_close(r->lock);
    g_free(r->backup_dir);
    g_free(r->log_dir);
    g_free(r->checkpoint_dir);
}

JET_ERR
restore_external(const struct restore_params *params, JETX_RESTOREREPORT *report)
{
    struct restore r = {.p = params, .base = params->base != NULL ? params->base : "edb"};
    struct recovery_result result = {.records = 0};
    const gint64 start = g_get_monotonic_time();
    if (params->n_map < 0 || params->n_map > MAP_MAX)
        return JET_errInvalidParameter;
    r.dbs = g_array_new(FALSE, FALSE, sizeof(struct copyset_db));
    JET_ERR err = open_dirs(&r);
    if (err >= 0)
        err = check_logs(&r);
    if (err >= 0)
        err = check_dbs(&r);
    if (err >= 0)
        err = change(&r, &result);
    if (err >= 0 && report != NULL) {
        fill_report(&r, &result, report);
        report->msElapsed = (uint64_t)(g_get_monotonic_time() - start) / 1000;
    }
    clear(&r);
    return err;
}
