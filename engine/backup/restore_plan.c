/* SPDX-License-Identifier: MIT */
#include "backup/restore_plan.h"

#include <string.h>

#include "backup/restore_check.h"
#include "os/file.h"
#include "recovery/recovery.h"

static const JETX_RESTOREPARAM no_param;

static const JETX_RESTOREPARAM *
param_of(const struct restore_wanted *wanted)
{
    return wanted->param ? wanted->param : &no_param;
}

/* ---- sources ---- */

/* Directories with logs of several streams are told apart by the signatures, later. */
static JET_ERR
take_base(struct restore_plan *plan, const struct copyset *set)
{
    if (!set->base)
        return JET_errSuccess;
    if (!plan->base) {
        plan->base = set->base;
        plan->ext = set->ext;
        return JET_errSuccess;
    }
    bool same = strcmp(plan->base, set->base) == 0 && strcmp(plan->ext, set->ext) == 0;
    return same ? JET_errSuccess : JET_errBadLogSignature;
}

static JET_ERR
read_sources(const struct restore_wanted *wanted, struct restore_plan *plan)
{
    plan->sets = g_new0(struct copyset, wanted->n_sources);
    for (size_t i = 0; i < wanted->n_sources; i++) {
        struct copyset *set = &plan->sets[i];
        JET_ERR err = copyset_read(wanted->sources[i], set);
        if (err < 0)
            return err;
        plan->n_sets++;
        err = take_base(plan, set);
        if (err < 0)
            return err;
        if (!plan->main && set->dbs->len > 0)
            plan->main = set;
    }
    for (size_t i = 0; i < plan->n_sets; i++) {
        if (&plan->sets[i] != plan->main)
            g_ptr_array_add(plan->dirs, plan->sets[i].dir);
    }
    g_ptr_array_add(plan->dirs, NULL);
    return plan->main ? JET_errSuccess : JET_errFileNotFound;
}

/* ---- which, and where ---- */

/* A name alone stands for every path that ends in it. */
static bool
names(const char *name, const char *path)
{
    const char *slash = strrchr(path, '/');
    return strcmp(name, path) == 0 || (slash && strcmp(name, slash + 1) == 0);
}

bool
restore_plan_wants(const JETX_RESTOREPARAM *param, const char *path)
{
    if (!param)
        return true;
    for (uint32_t i = 0; i < param->cDatabase; i++) {
        if (names(param->rgszDatabase[i], path))
            return true;
    }
    return param->cDatabase == 0;
}

/* A name without a slash lies in the target. */
static char *
place(const struct restore_plan *plan, const char *name)
{
    if (!strchr(name, '/'))
        return g_build_filename(plan->target, name, NULL);
    return g_canonicalize_filename(name, NULL);
}

char *
restore_plan_place(const struct restore_plan *plan, const char *path)
{
    for (guint i = 0; i < plan->also->len; i++) {
        const JET_RSTMAP_A *entry = &g_array_index(plan->also, JET_RSTMAP_A, i);
        if (names(entry->szDatabaseName, path) || names(path, entry->szDatabaseName))
            return g_strdup(entry->szNewDatabaseName);
    }
    g_autofree char *name = g_path_get_basename(path);
    return g_build_filename(plan->target, name, NULL);
}

static JET_ERR
choose_databases(const struct restore_wanted *wanted, struct restore_plan *plan)
{
    const JETX_RESTOREPARAM *param = param_of(wanted);
    for (guint i = 0; i < plan->main->dbs->len; i++) {
        const struct copyset_db *db = copyset_db(plan->main, i);
        if (!restore_plan_wants(param, db->path))
            continue;
        if (db->err < 0)
            return restore_bad_file(wanted->events, db->path, db->err);
        struct plan_db chosen = {db, restore_plan_place(plan, db->path)};
        g_array_append_val(plan->dbs, chosen);
        for (guint k = 0; k + 1 < plan->dbs->len; k++) {
            if (strcmp(restore_plan_db(plan, k)->to, chosen.to) == 0)
                return JET_errInvalidParameter; /* two to one place */
        }
    }
    return JET_errSuccess;
}

/* The log knows the databases by other paths than the backup's names: both are looked at. */
static void
choose_names(const JETX_RESTOREPARAM *param, struct restore_plan *plan)
{
    for (uint32_t i = 0; i < param->crstmap; i++) {
        JET_RSTMAP_A entry = {g_strdup(param->rgrstmap[i].szDatabaseName),
                              place(plan, param->rgrstmap[i].szNewDatabaseName)};
        g_array_append_val(plan->also, entry);
    }
    if (param->cDatabase == 0)
        return;
    plan->only = g_ptr_array_new();
    for (uint32_t i = 0; i < param->cDatabase; i++)
        g_ptr_array_add(plan->only, (gpointer)param->rgszDatabase[i]);
    g_ptr_array_add(plan->only, NULL);
}

/* ---- up to where ---- */

static JET_ERR
find_time(const JETX_RESTOREPARAM *param, const struct restore_plan *plan, struct lgpos *stop)
{
    if (!plan->base)
        return JET_errRestoreOfNonBackupDatabase;
    g_autofree struct recovery_logs_at *dirs = g_new0(struct recovery_logs_at, plan->n_sets + 1);
    size_t n = 0;
    for (size_t i = 0; i < plan->n_sets; i++)
        dirs[n++] = (struct recovery_logs_at) {plan->sets[i].dir, plan->base, plan->ext, false};
    if (param->szLogDir)
        dirs[n++] = (struct recovery_logs_at) {param->szLogDir, plan->base, plan->ext,
                                               plan->forward_current};
    return recovery_find_time(dirs, n, param->msStop, stop);
}

/* Held for the whole restore: no owner begins to write meanwhile. Where one does already, what it
 * has closed is still good. */
static JET_ERR
choose_forward(const JETX_RESTOREPARAM *param, struct restore_plan *plan)
{
    if (!param->szLogDir)
        return JET_errSuccess;
    JET_ERR err = os_dir_lock_shared(param->szLogDir, &plan->forward_lock);
    plan->forward_current = err >= 0;
    return err == JET_errFileAccessDenied ? JET_errSuccess : err;
}

static JET_ERR
choose_stop(const JETX_RESTOREPARAM *param, struct restore_plan *plan)
{
    int wanted = (param->genStop != 0) + (param->lgposStop != 0) + (param->msStop != 0);
    if (wanted > 1 || param->genStop >= INT32_MAX || param->lgposStop >> 32 >= INT32_MAX)
        return JET_errInvalidParameter;
    if (param->genStop != 0)
        plan->stop.gen = (int32_t)param->genStop + 1;
    if (param->lgposStop != 0)
        plan->stop = lgpos_unpack(param->lgposStop);
    return param->msStop != 0 ? find_time(param, plan, &plan->stop) : JET_errSuccess;
}

static JET_ERR
check_param(const struct restore_wanted *wanted)
{
    const JETX_RESTOREPARAM *p = param_of(wanted);
    if (wanted->n_sources == 0 || (p->crstmap > 0 && !p->rgrstmap) ||
        (p->cDatabase > 0 && !p->rgszDatabase))
        return JET_errInvalidParameter;
    for (uint32_t i = 0; i < p->crstmap; i++) {
        if (!p->rgrstmap[i].szDatabaseName || !p->rgrstmap[i].szNewDatabaseName ||
            !p->rgrstmap[i].szNewDatabaseName[0])
            return JET_errInvalidParameter;
    }
    return JET_errSuccess;
}

static void
clear_also(gpointer p)
{
    JET_RSTMAP_A *entry = p;
    g_free(entry->szDatabaseName);
    g_free(entry->szNewDatabaseName);
}

static void
clear_db(gpointer p)
{
    g_free(((struct plan_db *)p)->to);
}

JET_ERR
restore_plan_make(const struct restore_wanted *wanted, struct restore_plan *plan)
{
    const JETX_RESTOREPARAM *param = param_of(wanted);
    *plan = (struct restore_plan) {.dbs = g_array_new(FALSE, FALSE, sizeof(struct plan_db)),
                                   .also = g_array_new(FALSE, FALSE, sizeof(JET_RSTMAP_A)),
                                   .dirs = g_ptr_array_new()};
    g_array_set_clear_func(plan->dbs, clear_db);
    g_array_set_clear_func(plan->also, clear_also);
    plan->target = g_canonicalize_filename(wanted->target_dir, NULL);
    JET_ERR err = check_param(wanted);
    if (err >= 0)
        err = read_sources(wanted, plan);
    if (err < 0)
        return err;
    choose_names(param, plan);
    err = choose_databases(wanted, plan);
    if (err >= 0)
        err = choose_forward(param, plan);
    return err < 0 ? err : choose_stop(param, plan);
}

void
restore_plan_clear(struct restore_plan *plan)
{
    for (size_t i = 0; i < plan->n_sets; i++)
        copyset_clear(&plan->sets[i]);
    g_free(plan->sets);
    g_array_unref(plan->dbs);
    g_array_unref(plan->also);
    g_ptr_array_unref(plan->dirs);
    if (plan->only)
        g_ptr_array_unref(plan->only);
    os_file_close(plan->forward_lock);
    g_free(plan->target);
}
