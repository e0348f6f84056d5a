/* SPDX-License-Identifier: MIT */
/*
 * restore_copy: JetxRestoreBackup, the whole way from copied directories; declared in
 * backup/restore.h. What it made is removed again when it fails.
 */
#include "backup/restore_logs.h"
#include "backup/restore_target.h"
#include "backup/verify.h"
#include "instance/event.h"
#include "os/file.h"

#define COPY_BYTES (1u << 20)

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

static JET_ERR
copy_databases(const struct restore_plan *plan)
{
    JET_ERR err = JET_errSuccess;
    for (guint i = 0; i < plan->dbs->len && err >= 0; i++) {
        const struct plan_db *p = restore_plan_db(plan, i);
        g_autofree char *dir = g_path_get_dirname(p->to);
        uint64_t bytes;
        err = bytes_to_copy(p->db, &bytes);
        if (err >= 0)
            err = copy_file(p->db->path, bytes, p->to);
        if (err >= 0)
            err = os_dir_sync(dir);
    }
    return err;
}

/* The databases that want their logs, and the first log that any of them wants. */
static int32_t
make_map(const struct restore_plan *plan, GArray *map)
{
    int32_t low = 0;
    for (guint i = 0; i < plan->dbs->len; i++) {
        const struct plan_db *p = restore_plan_db(plan, i);
        if (dbheader_u32(&p->db->header, DBH_DBSTATE) == DBSTATE_CLEAN &&
            !copyset_db_is_backup(p->db))
            continue;
        JET_RSTMAP_A entry = {.szDatabaseName = p->db->path, .szNewDatabaseName = p->to};
        g_array_append_val(map, entry);
        const int32_t needed = (int32_t)copyset_db_gen_low(p->db);
        if (low == 0 || needed < low)
            low = needed;
    }
    return low;
}

static JET_ERR
recover(const struct restore_wanted *wanted, const struct restore_target *target,
        JETX_RESTOREREPORT *report)
{
    const struct restore_plan *plan = target->plan;
    g_autoptr(GArray) map = g_array_new(FALSE, FALSE, sizeof(JET_RSTMAP_A));
    const int32_t low = make_map(plan, map);
    const struct restore_params params = {
        .log_dir = plan->target,
        .backup_dir = plan->main->dir,
        .more_dirs = (const char *const *)plan->dirs->pdata,
        .base = plan->base,
        .ext = plan->ext,
        .map = (const JET_RSTMAP_A *)(const void *)map->data,
        .n_map = (int32_t)map->len,
        .gen_low = low,
        .keep_backup_dir = true,
        .forward_dir = wanted->param ? wanted->param->szLogDir : NULL,
        .forward_current = plan->forward_current,
        .create_dir = plan->target,
        .only = plan->only ? (const char *const *)plan->only->pdata : NULL,
        .also = (const JET_RSTMAP_A *)(const void *)plan->also->data,
        .n_also = plan->also->len,
        .stop = plan->stop,
        .lock = target->lock,
        .pfn = wanted->param ? wanted->param->pfnStatus : NULL,
        .events = wanted->events,
    };
    /* Of the backup nothing is wanted: then of the logs, which may create it. */
    if (map->len > 0 || (plan->dbs->len == 0 && plan->base))
        return restore_external(&params, report);
    return lgpos_is_zero(plan->stop) ? JET_errSuccess : JET_errRestoreOfNonBackupDatabase;
}

/* Names that were asked for, and that neither the backup nor the logs know. */
static JET_ERR
check_all_there(const struct restore_plan *plan)
{
    for (guint i = 0; i < plan->also->len; i++) {
        if (!os_exists(g_array_index(plan->also, JET_RSTMAP_A, i).szNewDatabaseName))
            return JET_errDatabaseNotFound;
    }
    for (guint i = 0; plan->only && plan->only->pdata[i]; i++) {
        g_autofree char *path = restore_plan_place(plan, plan->only->pdata[i]);
        if (!os_exists(path))
            return JET_errDatabaseNotFound;
    }
    return JET_errSuccess;
}

static JET_ERR
fill(const struct restore_wanted *wanted, const struct restore_target *target,
     JETX_RESTOREREPORT *report)
{
    JET_ERR err = copy_databases(target->plan);
    if (err >= 0)
        err = recover(wanted, target, report);
    return err < 0 ? err : check_all_there(target->plan);
}

/* What verify finds is not restored; the report and an event name the place. */
static JET_ERR
verify(const struct restore_wanted *wanted, const struct restore_plan *plan,
       JETX_RESTOREREPORT *report)
{
    JETX_VERIFYREPORT found = {.cbStruct = sizeof found};
    const struct verify_wanted what = {
        .dirs = wanted->sources,
        .n_dirs = wanted->n_sources,
        .param = wanted->param,
        .gen_high = restore_stop_gen(plan->stop),
    };
    JET_ERR err = verify_sources(&what, &found);
    if (err >= 0)
        return JET_errSuccess;
    g_autofree char *number = event_number(err);
    event_report(wanted->events, EVENT_RESTORE_FAIL, number, found.szFileFirst, found.szReasonFirst,
                 NULL);
    report->ibFirst = found.ibFirst;
    g_strlcpy(report->szFileFirst, found.szFileFirst, sizeof report->szFileFirst);
    g_strlcpy(report->szReasonFirst, found.szReasonFirst, sizeof report->szReasonFirst);
    return err;
}

/* A plan could not be made of the sources: what is wrong with them? */
static JET_ERR
explain(const struct restore_wanted *wanted, const struct restore_plan *plan, JET_ERR err,
        JETX_RESTOREREPORT *report)
{
    JET_ERR found = err == JET_errInvalidParameter ? JET_errSuccess : verify(wanted, plan, report);
    return found < 0 ? found : err;
}

JET_ERR
restore_backup(const struct restore_wanted *wanted, JETX_RESTOREREPORT *report)
{
    struct restore_plan plan;
    struct restore_target target;
    JETX_RESTOREREPORT own = {.cbStruct = sizeof own};
    const gint64 start = g_get_monotonic_time();
    JET_ERR err = restore_plan_make(wanted, &plan);
    if (err < 0)
        err = explain(wanted, &plan, err, &own);
    else
        err = restore_target_begin(&plan, wanted->events, &target);
    if (err >= 0) {
        err = verify(wanted, &plan, &own);
        if (err >= 0)
            err = fill(wanted, &target, &own);
        err = restore_target_end(&target, err);
    }
    if (err >= 0) {
        own.cDatabase = MAX(own.cDatabase, plan.dbs->len);
        own.msElapsed = (uint64_t)(g_get_monotonic_time() - start) / 1000;
    }
    if (report != NULL)
        *report = own;
    restore_plan_clear(&plan);
    return err;
}
