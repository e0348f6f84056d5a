/* SPDX-License-Identifier: MIT */
#include "backup/restore_target.h"

#include <string.h>

#include "backup/restore_check.h"
#include "os/file.h"

#define FIRST_LINE "jetfs restore 1: not finished; these were here before:"

static char *
marker_path(const struct restore_plan *plan)
{
    return g_build_filename(plan->target, RESTORE_MARKER, NULL);
}

static bool
is_log_name(const struct restore_plan *plan, const char *name)
{
    if (!plan->base)
        return false;
    g_autofree char *checkpoint = log_name_checkpoint(plan->base, plan->ext);
    return g_ascii_strcasecmp(name, checkpoint) == 0 ||
           log_name_parse(name, plan->base, plan->ext).kind != LOG_NAME_NONE;
}

static bool
is_database(const char *path)
{
    struct copyset_db db;
    if (os_is_dir(path) || copyset_db_read(path, &db) < 0)
        return false;
    copyset_db_clear(&db);
    return true;
}

/* All paths that the plan makes, by name. */
static GPtrArray *
planned_paths(const struct restore_plan *plan)
{
    GPtrArray *paths = g_ptr_array_new();
    for (guint i = 0; i < plan->dbs->len; i++)
        g_ptr_array_add(paths, restore_plan_db(plan, i)->to);
    for (guint i = 0; i < plan->also->len; i++)
        g_ptr_array_add(paths, g_array_index(plan->also, JET_RSTMAP_A, i).szNewDatabaseName);
    return paths;
}

/* ---- the marker: a line each, escaped; with a slash: planned, without: was here ---- */

static void
add_line(GString *text, const char *line)
{
    g_autofree char *escaped = g_strescape(line, NULL);
    g_string_append_printf(text, "%s\n", escaped);
}

static JET_ERR
write_marker(const struct restore_target *t)
{
    g_autofree char *path = marker_path(t->plan);
    g_autoptr(GPtrArray) planned = planned_paths(t->plan);
    g_autoptr(GString) text = g_string_new(FIRST_LINE "\n");
    for (char **name = t->before; *name; name++)
        add_line(text, *name);
    for (guint i = 0; i < planned->len; i++)
        add_line(text, planned->pdata[i]);
    struct os_file *file;
    JET_ERR err = os_file_create(path, &file);
    if (err < 0)
        return err;
    err = os_file_write(file, 0, text->str, text->len);
    if (err >= 0)
        err = os_file_sync(file);
    os_file_close(file);
    return err < 0 ? err : os_dir_sync(t->plan->target);
}

/* *lines = NULL: a marker that was never finished, so nothing was made yet. */
static void
read_marker(const char *path, GStrv *lines)
{
    g_autofree char *text = NULL;
    *lines = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL) || !g_str_has_suffix(text, "\n") ||
        !g_str_has_prefix(text, FIRST_LINE "\n"))
        return;
    g_auto(GStrv) escaped = g_strsplit(text + strlen(FIRST_LINE "\n"), "\n", -1);
    *lines = g_new0(char *, g_strv_length(escaped) + 1);
    for (guint i = 0; escaped[i]; i++)
        (*lines)[i] = g_strcompress(escaped[i]);
}

/* ---- what is ours ---- */

/* In the target: all that a restore makes and that was not there before. */
static JET_ERR
clear_target(const struct restore_plan *plan, GStrv before)
{
    g_auto(GStrv) names = NULL;
    JET_ERR err = os_dir_list(plan->target, &names);
    for (char **name = names; err >= 0 && *name; name++) {
        g_autofree char *path = g_build_filename(plan->target, *name, NULL);
        if (g_strv_contains((const char *const *)before, *name) ||
            strcmp(*name, RESTORE_MARKER) == 0)
            continue;
        if (is_log_name(plan, *name) || g_str_has_suffix(*name, ".part") || is_database(path))
            err = os_remove(path);
    }
    return err;
}

/* What the plan names: none of it was there when the restore began. lines: only what they name
 * too; NULL = all. */
static JET_ERR
clear_planned(const struct restore_plan *plan, GStrv lines)
{
    g_autoptr(GPtrArray) planned = planned_paths(plan);
    JET_ERR err = JET_errSuccess;
    for (guint i = 0; i < planned->len && err >= 0; i++) {
        const char *path = planned->pdata[i];
        if (os_exists(path) && (!lines || g_strv_contains((const char *const *)lines, path)))
            err = os_remove(path);
    }
    return err;
}

/* ---- begin, end ---- */

static JET_ERR
clear_unfinished(struct restore_target *t)
{
    g_autofree char *path = marker_path(t->plan);
    if (!os_exists(path))
        return JET_errSuccess;
    g_auto(GStrv) lines = NULL;
    read_marker(path, &lines);
    JET_ERR err = lines ? clear_target(t->plan, lines) : JET_errSuccess;
    if (err >= 0 && lines)
        err = clear_planned(t->plan, lines);
    if (err >= 0)
        err = os_dir_sync(t->plan->target);
    return err < 0 ? err : os_remove(path);
}

/* Nothing that would be overwritten, or taken for the stream's. */
static JET_ERR
check_free(const struct restore_target *t, struct events *events)
{
    for (char **name = t->before; *name; name++) {
        g_autofree char *path = g_build_filename(t->plan->target, *name, NULL);
        if (is_log_name(t->plan, *name))
            return restore_bad_file(events, path, JET_errFileAlreadyExists);
    }
    g_autoptr(GPtrArray) planned = planned_paths(t->plan);
    for (guint i = 0; i < planned->len; i++) {
        if (os_exists(planned->pdata[i]))
            return restore_bad_file(events, planned->pdata[i], JET_errFileAlreadyExists);
    }
    return JET_errSuccess;
}

static JET_ERR
take(struct restore_target *t, struct events *events)
{
    JET_ERR err = clear_unfinished(t);
    if (err >= 0)
        err = os_dir_list(t->plan->target, &t->before);
    if (err >= 0)
        err = check_free(t, events);
    return err < 0 ? err : write_marker(t);
}

JET_ERR
restore_target_begin(const struct restore_plan *plan, struct events *events,
                     struct restore_target *target)
{
    struct restore_target t = {.plan = plan};
    JET_ERR err = os_dir_make(plan->target);
    if (err >= 0)
        err = os_dir_lock(plan->target, &t.lock);
    if (err == JET_errFileAccessDenied)
        return JET_errLogFilePathInUse;
    if (err < 0)
        return err;
    err = take(&t, events);
    if (err < 0) {
        g_strfreev(t.before);
        os_file_close(t.lock);
        return err;
    }
    *target = t;
    return JET_errSuccess;
}

static JET_ERR
clear_made(const struct restore_target *t)
{
    JET_ERR err = clear_target(t->plan, t->before);
    return err < 0 ? err : clear_planned(t->plan, NULL);
}

static JET_ERR
remove_marker(const struct restore_plan *plan)
{
    g_autofree char *path = marker_path(plan);
    JET_ERR err = os_dir_sync(plan->target);
    if (err >= 0)
        err = os_remove(path);
    return err < 0 ? err : os_dir_sync(plan->target);
}

JET_ERR
restore_target_end(struct restore_target *t, JET_ERR err)
{
    JET_ERR ended = err < 0 ? clear_made(t) : JET_errSuccess;
    if (ended >= 0)
        ended = remove_marker(t->plan);
    if (err >= 0 && ended < 0)
        (void)clear_made(t); /* a result that a crash may take away is none */
    g_strfreev(t->before);
    os_file_close(t->lock);
    return err < 0 ? err : ended;
}
