/* SPDX-License-Identifier: MIT */
/* restore: JetExternalRestore; declared in backup/restore.h. */
#include "backup/restore.h"

#include <string.h>

#include "backup/restore_logs.h"
#include "instance/event.h"
#include "log/filehdr.h"
#include "log/stream.h"
#include "os/file.h"
#include "page/checksum.h"
#include "recovery/recovery.h"

#define MAP_MAX     14
#define CACHE_BYTES (64u << 20)

struct restore {
    struct restore_params own; /* with what was left out filled in */
    const struct restore_params *p;
    char *backup_dir; /* absolute */
    char *log_dir;
    char *checkpoint_dir;
    struct os_file *lock;  /* on log_dir */
    struct log_gens found; /* in backup_dir */
    struct restore_chain chain;
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
    if (err >= 0 && !p->lock)
        err = os_dir_lock(r->log_dir, &r->lock);
    if (err == JET_errFileAccessDenied)
        return JET_errLogFilePathInUse;
    if (err >= 0)
        err = log_gens_find(r->backup_dir, p->base, p->ext, &r->found);
    return err < 0 ? err : restore_chain_find(p, r->backup_dir, &r->chain);
}

static JET_ERR
check_logs(struct restore *r)
{
    const struct restore_params *p = r->p;
    r->logs.gen_low = p->gen_low != 0 ? p->gen_low : r->chain.lowest;
    r->logs.gen_high = p->gen_high != 0 ? p->gen_high : r->chain.highest;
    r->logs.gen_high = MIN(r->logs.gen_high, restore_stop_gen(p->stop));
    if (r->logs.gen_low > 0 && r->logs.gen_low > restore_stop_whole(p->stop))
        return restore_wrong_range(p->events, EVENT_RESTORE_LOG_TOO_LOW,
                                   restore_stop_whole(p->stop), r->logs.gen_low,
                                   JET_errEndingRestoreLogTooLow);
    JET_ERR err = restore_check_logs(&r->chain.logs, p->events, &r->logs);
    if (err >= 0)
        err = restore_chain_extend(p, &r->logs, &r->chain);
    if (err < 0 || strcmp(r->backup_dir, r->log_dir) == 0)
        return err;
    struct log_gens existing;
    err = log_gens_find(r->log_dir, p->base, p->ext, &existing);
    if (err >= 0) {
        err = restore_check_log_dir(&existing, &r->logs, p->events);
        log_gens_clear(&existing);
    }
    return err;
}

/* The last generation that the databases have to see wholly. */
static int32_t
whole_gen(const struct restore *r)
{
    return MIN(r->logs.gen_high, restore_stop_whole(r->p->stop));
}

static JET_ERR
check_dbs(struct restore *r)
{
    struct restore_logs logs = r->logs;
    logs.gen_high = whole_gen(r);
    for (int32_t i = 0; i < r->p->n_map; i++) {
        const JET_RSTMAP_A *entry = &r->p->map[i];
        struct copyset_db db;
        const char *path =
            entry->szNewDatabaseName != NULL ? entry->szNewDatabaseName : entry->szDatabaseName;
        if (path == NULL)
            return JET_errInvalidParameter;
        JET_ERR err = copyset_db_read(path, &db);
        if (err == JET_errFileInvalidType)
            err = JET_errDatabaseCorrupted;
        if (err < 0)
            return restore_bad_file(r->p->events, path, err);
        g_array_append_val(r->dbs, db);
        err = restore_check_db(&db, &logs, r->p->events);
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
report_recovery(void *ctx, int id, const char *const *inserts)
{
    const struct restore *r = ctx;
    event_report_list(r->p->events, (enum event_id)id, inserts);
}

static void
report_progress(void *ctx, uint32_t done, uint32_t total)
{
    const struct restore *r = ctx;
    JET_SNPROG progress = {.cbStruct = sizeof progress, .cunitDone = done, .cunitTotal = total};
    (void)r->p->pfn(JET_sesidNil, JET_snpRestore, JET_sntProgress, &progress);
}

/* Five digits of the generation, not eight: the stream goes on as it was. */
static bool
has_short_names(const struct log_gens *logs)
{
    g_autofree char *name = logs->n > 0 ? g_path_get_basename(logs->paths[0]) : NULL;
    return !name || strlen(name) <= strlen("edb00001.log");
}

static JET_ERR
recover(struct restore *r, struct recovery_result *result)
{
    const guint n_dbs = r->dbs->len;
    g_autofree struct recovery_map *map = g_new0(struct recovery_map, n_dbs + r->p->n_also + 1);
    for (guint i = 0; i < n_dbs; i++) {
        const struct copyset_db *db = &g_array_index(r->dbs, struct copyset_db, i);
        map[i].file_path = db->path;
        map[i].sign_db = db->header.bytes + DBH_SIGN_DB;
    }
    for (size_t i = 0; i < r->p->n_also; i++) {
        map[n_dbs + i].log_path = r->p->also[i].szDatabaseName;
        map[n_dbs + i].file_path = r->p->also[i].szNewDatabaseName;
    }
    const struct recovery_params params = {
        .log = {.dir = r->log_dir,
                .base = r->p->base,
                .ext = r->p->ext,
                .eight_dot_three = has_short_names(&r->chain.logs),
                .file_kib = (uint32_t)r->logs.segments * LOG_SEGMENT_BYTES / 1024,
                .page_bytes = r->logs.page_bytes},
        .system_path = r->checkpoint_dir,
        .cache_pages = CACHE_BYTES / r->logs.page_bytes,
        .map = map,
        .n_map = n_dbs + r->p->n_also,
        .create_dir = r->p->create_dir,
        .only = r->p->only,
        .stop = r->p->stop,
        .progress = r->p->pfn != NULL ? report_progress : NULL,
        .event = report_recovery,
        .ctx = r,
    };
    const struct recovery_set set = {
        .logs = &r->chain.logs,
        .current_gen = r->chain.current_gen,
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
        err = stamp_db(&g_array_index(r->dbs, struct copyset_db, i), whole_gen(r));
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
    report->genHigh = (uint32_t)result->gen_last;
    /* at the end of a generation nothing behind it was looked at */
    report->lgposEnd = lgpos_pack(lgpos_is_zero(result->stopped) ? r->p->stop : result->stopped);
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
    restore_chain_clear(&r->chain);
    os_file_close(r->lock);
    g_free(r->backup_dir);
    g_free(r->log_dir);
    g_free(r->checkpoint_dir);
}

JET_ERR
restore_external(const struct restore_params *params, JETX_RESTOREREPORT *report)
{
    struct restore r = {.own = *params};
    struct recovery_result result = {.records = 0};
    const gint64 start = g_get_monotonic_time();
    if (params->n_map < 0 || params->n_map > MAP_MAX)
        return JET_errInvalidParameter;
    r.own.base = params->base != NULL ? params->base : "edb";
    r.own.ext = params->ext != NULL ? params->ext : "log";
    r.p = &r.own;
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
