/* SPDX-License-Identifier: MIT */
#include "drivers.h"

#include "proc.h"

#include <stdio.h>
#include <string.h>

struct held {
    bool device;
    char *directory;
};

static void
driver_free(gpointer data)
{
    struct driver *driver = data;
    g_free(driver->mountpoint);
    g_free(driver);
}

static bool
take_fd(int pid, const char *fd, const char *target, void *ctx)
{
    struct held *held = ctx;

    if (strcmp(target, "/dev/fuse") == 0) {
        held->device = true;
    } else if (held->directory == NULL && target[0] == '/' && proc_fd_is_locked(pid, fd)) {
        g_autofree char *link = g_strdup_printf("/proc/%d/fd/%s", pid, fd);
        if (g_file_test(link, G_FILE_TEST_IS_DIR))
            held->directory = g_strdup(target);
    }
    return true;
}

static void
add_driver(GPtrArray *found, int pid)
{
    g_autofree char *name = proc_name(pid);
    struct held held = {0};

    if (!g_str_has_prefix(name, "jetfs"))
        return;
    proc_each_fd(pid, take_fd, &held);
    if (held.device && held.directory != NULL) {
        struct driver *driver = g_new(struct driver, 1);
        *driver = (struct driver) {pid, proc_is_stopped(pid), g_steal_pointer(&held.directory)};
        g_ptr_array_add(found, driver);
    }
    g_free(held.directory);
}

GPtrArray *
drivers_find(void)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(driver_free);
    g_autoptr(GArray) pids = proc_list();

    for (guint i = 0; i < pids->len; i++)
        add_driver(found, g_array_index(pids, int, i));
    return found;
}

int
drivers_stopped_at(const char *mountpoint)
{
    g_autoptr(GPtrArray) drivers = drivers_find();

    for (guint i = 0; i < drivers->len; i++) {
        const struct driver *driver = drivers->pdata[i];
        if (driver->stopped && strcmp(driver->mountpoint, mountpoint) == 0)
            return driver->pid;
    }
    return 0;
}

bool
drivers_tell_stopped(const char *mountpoint)
{
    int pid = drivers_stopped_at(mountpoint);

    if (pid > 0)
        fprintf(stderr,
                "jetfs: %s: its driver (pid %d) is stopped and cannot answer: let it go on with "
                "`kill -CONT %d`, or give the backup up with `kill -KILL %d`\n",
                mountpoint, pid, pid, pid);
    return pid > 0;
}
