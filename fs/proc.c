/* SPDX-License-Identifier: MIT */
#include "proc.h"

#include "status.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

GArray *
proc_list(void)
{
    g_autoptr(GDir) proc = g_dir_open("/proc", 0, NULL);
    GArray *pids = g_array_new(FALSE, FALSE, sizeof(int));
    const char *name;

    while (proc != NULL && (name = g_dir_read_name(proc)) != NULL) {
        int pid = (int)g_ascii_strtoll(name, NULL, 10);
        if (pid > 0)
            g_array_append_val(pids, pid);
    }
    return pids;
}

char *
proc_name(int pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/comm", pid);
    char *comm = NULL;

    return g_file_get_contents(path, &comm, NULL, NULL) ? g_strchomp(comm) : g_strdup("?");
}

gint64
proc_start_us(int pid)
{
    struct timespec boot;
    guint64 ticks = status_process_start(pid);

    if (ticks == 0 || clock_gettime(CLOCK_BOOTTIME, &boot) < 0)
        return 0;
    gint64 up_us = (gint64)boot.tv_sec * G_USEC_PER_SEC + boot.tv_nsec / 1000;
    gint64 at_us = (gint64)(ticks * G_USEC_PER_SEC / (guint64)sysconf(_SC_CLK_TCK));
    return g_get_real_time() - up_us + at_us;
}

bool
proc_owner(int pid, unsigned *uid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d", pid);
    struct stat st;

    if (stat(path, &st) < 0)
        return false;
    *uid = st.st_uid;
    return true;
}

/* 123 (name) T ...; the name may have anything in it */
bool
proc_is_stopped(int pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return false;
    const char *end = strrchr(text, ')');
    return end != NULL && end[1] == ' ' && (end[2] == 'T' || end[2] == 't');
}

void
proc_each_fd(int pid, bool (*visit)(int pid, const char *fd, const char *target, void *ctx),
             void *ctx)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", pid);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *fd;

    while (dir != NULL && (fd = g_dir_read_name(dir)) != NULL) {
        g_autofree char *link = g_build_filename(path, fd, NULL);
        g_autofree char *target = g_file_read_link(link, NULL);
        if (target != NULL && !visit(pid, fd, target, ctx))
            return;
    }
}

bool
proc_fd_is_locked(int pid, const char *fd)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fdinfo/%s", pid, fd);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) && strstr(text, "FLOCK") != NULL;
}

bool
proc_is_inside(const char *path, const char *dir)
{
    size_t len = strlen(dir);

    while (len > 0 && dir[len - 1] == '/')
        len--;
    return strncmp(path, dir, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

struct use {
    dev_t device;
    char *found;
};

/* From the cache: the file system may be slow or dead. */
static bool
is_on(const char *link, dev_t device)
{
    struct statx st;

    return statx(AT_FDCWD, link, AT_STATX_DONT_SYNC, STATX_TYPE, &st) == 0 &&
           makedev(st.stx_dev_major, st.stx_dev_minor) == device;
}

static bool
is_use(int pid, const char *fd, const char *target, void *ctx)
{
    struct use *use = ctx;
    g_autofree char *link = g_strdup_printf("/proc/%d/fd/%s", pid, fd);

    if (target[0] == '/' && is_on(link, use->device))
        use->found = g_strdup(target);
    return use->found == NULL;
}

/* 7f..-7f.. r--s 00000000 00:2b 12    /mnt/app/app.edb */
static char *
mapping_on(int pid, dev_t device)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/maps", pid);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        unsigned major_number, minor_number;
        const char *file = strchr(*line, '/');
        if (file != NULL && sscanf(*line, "%*s %*s %*s %x:%x", &major_number, &minor_number) == 2 &&
            makedev(major_number, minor_number) == device)
            return g_strdup(file);
    }
    return NULL;
}

char *
proc_use_of(int pid, dev_t device)
{
    static const char *const links[] = {"cwd", "root"};
    struct use use = {.device = device};

    for (guint i = 0; i < G_N_ELEMENTS(links); i++) {
        g_autofree char *path = g_strdup_printf("/proc/%d/%s", pid, links[i]);
        if (is_on(path, device))
            return g_file_read_link(path, NULL);
    }
    proc_each_fd(pid, is_use, &use);
    return use.found != NULL ? use.found : mapping_on(pid, device);
}

char *
proc_holders(dev_t device)
{
    g_autoptr(GArray) pids = proc_list();
    GString *text = g_string_new(NULL);

    for (guint i = 0; device != 0 && i < pids->len; i++) {
        int pid = g_array_index(pids, int, i);
        g_autofree char *file = pid == getpid() ? NULL : proc_use_of(pid, device);
        if (file == NULL)
            continue;
        g_autofree char *name = proc_name(pid);
        g_string_append_printf(text, "%s%d (%s) %s", text->len > 0 ? ", " : "", pid, name, file);
    }
    return g_string_free(text, text->len == 0);
}
