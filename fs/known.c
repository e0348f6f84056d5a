/* SPDX-License-Identifier: MIT */
#include "known.h"

#include "control.h"
#include "drivers.h"
#include "json_get.h"
#include "mounts.h"
#include "proc.h"

#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LINE_MAX_BYTES (1 << 16)

static void
known_free(gpointer data)
{
    struct known_mount *k = data;

    g_free(k->mountpoint);
    g_free(k->source);
    status_summary_clear(&k->status);
    g_free(k);
}

const char *
known_state_name(enum known_state state)
{
    static const char *const names[] = {
        [KNOWN_MOUNTED] = "mounted",   [KNOWN_STOPPED] = "stopped",     [KNOWN_DEAD] = "dead",
        [KNOWN_DETACHED] = "detached", [KNOWN_ELSEWHERE] = "elsewhere",
    };
    return names[state];
}

/* The live status says that it is over: the result is written by then, and has more to say. */
static bool
load_final(struct status_summary *summary)
{
    g_autofree char *path = g_strdup(summary->status_file);

    status_summary_clear(summary);
    return path != NULL && status_load(path, summary);
}

bool
known_status(const char *mountpoint, const char *status_path, struct status_summary *summary)
{
    g_autofree char *live = g_build_filename(mountpoint, CONTROL_DIR, CONTROL_STATUS, NULL);
    bool loaded = status_load(status_path, summary);

    if (loaded && strcmp(summary->state, "done") != 0 && status_is_leased(summary))
        return true;
    if (mounts_look(mountpoint) != MOUNTS_JETFS)
        return loaded;
    status_summary_clear(summary);
    if (status_load(live, summary))
        return strcmp(summary->state, "done") != 0 || load_final(summary);
    /* It ended just now: the result is written before the mount goes. */
    status_summary_clear(summary);
    return mounts_look(mountpoint) == MOUNTS_NONE && status_load(status_path, summary);
}

static struct known_mount *
known_new(enum known_state state, const char *mountpoint, const char *source)
{
    struct known_mount *k = g_new0(struct known_mount, 1);
    g_autofree char *status_path = mounts_status_path(mountpoint);

    k->state = state;
    k->mountpoint = g_strdup(mountpoint);
    k->source = g_strdup(source);
    if (state == KNOWN_STOPPED)
        k->pid = drivers_stopped_at(mountpoint); /* its status file would keep us waiting too */
    else if (state == KNOWN_MOUNTED)
        k->has_status = known_status(mountpoint, status_path, &k->status);
    else
        k->has_status = status_load(status_path, &k->status);
    if (!k->has_status)
        return k;
    k->pid = k->status.pid;
    if (source[0] == '\0') {
        g_free(k->source);
        k->source = g_strdup(json_get_string(json_node_get_object(k->status.root), "source"));
    }
    return k;
}

static enum known_state
state_of(const char *mountpoint)
{
    if (drivers_stopped_at(mountpoint) > 0)
        return KNOWN_STOPPED;
    return mounts_look(mountpoint) == MOUNTS_STALE ? KNOWN_DEAD : KNOWN_MOUNTED;
}

static void
add_mounted(GPtrArray *found)
{
    FILE *table = setmntent("/proc/self/mounts", "r");
    g_autofree char *buf = g_malloc(LINE_MAX_BYTES);
    struct mntent entry;

    if (table == NULL)
        return;
    while (getmntent_r(table, &entry, buf, LINE_MAX_BYTES) != NULL) {
        if (strcmp(entry.mnt_type, "fuse.jetfs") != 0)
            continue;
        g_ptr_array_add(found, known_new(state_of(entry.mnt_dir), entry.mnt_dir, entry.mnt_fsname));
    }
    endmntent(table);
}

static bool
sees_mount(int pid, const char *mountpoint)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/mounts", pid);
    FILE *table = setmntent(path, "r");
    g_autofree char *buf = g_malloc(LINE_MAX_BYTES);
    struct mntent entry;
    bool seen = false;

    while (table != NULL && !seen && getmntent_r(table, &entry, buf, LINE_MAX_BYTES) != NULL)
        seen = strcmp(entry.mnt_dir, mountpoint) == 0 && strcmp(entry.mnt_type, "fuse.jetfs") == 0;
    if (table != NULL)
        endmntent(table);
    return seen;
}

static bool
is_known(const GPtrArray *found, int pid, const char *mountpoint)
{
    for (guint i = 0; i < found->len; i++) {
        const struct known_mount *k = found->pdata[i];
        if (k->pid == pid || (k->pid == 0 && strcmp(k->mountpoint, mountpoint) == 0))
            return true;
    }
    return false;
}

static void
add_driver(GPtrArray *found, const struct driver *driver)
{
    if (is_known(found, driver->pid, driver->mountpoint))
        return;
    bool seen = sees_mount(driver->pid, driver->mountpoint);
    struct known_mount *k =
        known_new(seen ? KNOWN_ELSEWHERE : KNOWN_DETACHED, driver->mountpoint, "");
    k->pid = driver->pid;
    g_ptr_array_add(found, k);
}

GPtrArray *
known_mounts(void)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(known_free);
    g_autoptr(GPtrArray) drivers = drivers_find();

    add_mounted(found);
    for (guint i = 0; i < drivers->len; i++)
        add_driver(found, drivers->pdata[i]);
    return found;
}
