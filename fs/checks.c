/* SPDX-License-Identifier: MIT */
#include "checks.h"

#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
machine_has_fuse(char **message)
{
    if (access("/dev/fuse", F_OK) < 0) {
        *message = g_strdup("/dev/fuse is missing: load the module with `modprobe fuse`, or start "
                            "the container with --device /dev/fuse --cap-add SYS_ADMIN");
        return false;
    }
    if (access("/dev/fuse", R_OK | W_OK) < 0) {
        *message = g_strdup_printf(
            "/dev/fuse: %s: this user may not open it; its mode is to be 0666", g_strerror(errno));
        return false;
    }
    g_autofree char *helper = g_find_program_in_path("fusermount3");
    if (geteuid() != 0 && helper == NULL) {
        *message =
            g_strdup("fusermount3 is missing, without which only root can mount: install the "
                     "package fuse3");
        return false;
    }
    return true;
}

static bool
is_empty(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    return dir == NULL || g_dir_read_name(dir) == NULL;
}

static bool
mountpoint_is_free(const char *mountpoint, char **message)
{
    struct stat st;

    switch (mounts_look(mountpoint)) {
    case MOUNTS_NONE:
        break;
    case MOUNTS_OTHER:
        *message = g_strdup_printf("%s: another file system is mounted there: take another "
                                   "directory",
                                   mountpoint);
        return false;
    default:
        *message = g_strdup_printf("%s: a jetfs is mounted there already: end it with "
                                   "`jetfs umount %s`",
                                   mountpoint, mountpoint);
        return false;
    }
    if (stat(mountpoint, &st) < 0) {
        *message = errno == ENOENT
                       ? g_strdup_printf("%s: no such directory: create it with `mkdir -p %s`",
                                         mountpoint, mountpoint)
                       : g_strdup_printf("%s: %s", mountpoint, g_strerror(errno));
        return false;
    }
    if (!S_ISDIR(st.st_mode)) {
        *message = g_strdup_printf("%s: not a directory: a mount point must be one", mountpoint);
        return false;
    }
    if (!is_empty(mountpoint)) {
        *message =
            g_strdup_printf("%s: not empty: the mount would hide what is in it; take an empty "
                            "directory",
                            mountpoint);
        return false;
    }
    return true;
}

static bool
is_inside(const char *path, const char *dir)
{
    size_t len = strlen(dir);
    return strncmp(path, dir, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* A copy tool told to copy the one would then run into the other, without end. A single file is
 * apart. */
static bool
are_apart(const char *source, const char *mountpoint, char **message)
{
    struct stat st;
    char real[PATH_MAX];

    if (realpath(source, real) == NULL || stat(real, &st) < 0 || S_ISREG(st.st_mode))
        return true; /* if it cannot be opened, opening it will say why */
    bool is_dir = S_ISDIR(st.st_mode);
    g_autofree char *data = is_dir ? g_strdup(real) : g_path_get_dirname(real);
    if (is_inside(mountpoint, data) || is_inside(data, mountpoint)) {
        *message = g_strdup_printf("%s: mount point and data directory %s lie within each other: "
                                   "take a mount point outside",
                                   mountpoint, data);
        return false;
    }
    return true;
}

static bool
source_exists(const char *source, char **message)
{
    if (access(source, F_OK) == 0)
        return true;
    *message = g_strdup_printf("%s: %s: the source is an instance directory, its backup socket, or "
                               "a database file",
                               source, g_strerror(errno));
    return false;
}

bool
checks_before_mount(const char *source, const char *mountpoint, char **message)
{
    return machine_has_fuse(message) && source_exists(source, message) &&
           mountpoint_is_free(mountpoint, message) && are_apart(source, mountpoint, message);
}
