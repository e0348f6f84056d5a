/* SPDX-License-Identifier: MIT */
#include "mounts.h"

#include "drivers.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

char *
mounts_resolve(const char *path)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    g_autofree char *parent = g_path_get_dirname(absolute);
    g_autofree char *name = g_path_get_basename(absolute);
    struct statx st;

    /* A link to a mount point means the mount point. From the cache: a driver may be slow or dead.
     */
    if (statx(AT_FDCWD, absolute, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC, STATX_TYPE, &st) == 0 &&
        S_ISLNK(st.stx_mode)) {
        char *target = realpath(absolute, NULL);
        if (target != NULL) {
            char *copy = g_strdup(target);
            free(target);
            return copy;
        }
    }
    char *real = realpath(parent, NULL);
    if (real == NULL)
        return NULL;
    char *joined = strcmp(name, "/") == 0 ? g_strdup("/") : g_build_filename(real, name, NULL);
    free(real);
    return joined;
}

/* The type of the topmost file system at the mount point; NULL when there is none. */
static char *
mounted_type(const char *mountpoint)
{
    FILE *table = setmntent("/proc/self/mounts", "r");
    g_autofree char *buf = g_malloc(1 << 16);
    char *type = NULL;
    struct mntent entry;

    if (table == NULL)
        return NULL;
    while (getmntent_r(table, &entry, buf, 1 << 16) != NULL) {
        if (strcmp(entry.mnt_dir, mountpoint) != 0)
            continue;
        g_free(type);
        type = g_strdup(entry.mnt_type);
    }
    endmntent(table);
    return type;
}

/* 36 35 98:0 /root /mnt/point options ...; the point as in mounts: space, tab, newline and
 * backslash in octal. */
dev_t
mounts_device(const char *mountpoint)
{
    g_autofree char *text = NULL;
    dev_t device = 0;

    if (!g_file_get_contents("/proc/self/mountinfo", &text, NULL, NULL))
        return 0;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) fields = g_strsplit(*line, " ", 6);
        unsigned major_number, minor_number;
        if (g_strv_length(fields) < 6 ||
            sscanf(fields[2], "%u:%u", &major_number, &minor_number) != 2)
            continue;
        g_autofree char *point = g_strcompress(fields[4]);
        if (strcmp(point, mountpoint) == 0)
            device = makedev(major_number, minor_number);
    }
    return device;
}

enum mounts_kind
mounts_look(const char *mountpoint)
{
    g_autofree char *type = mounted_type(mountpoint);

    if (type == NULL)
        return MOUNTS_NONE;
    if (strcmp(type, "fuse.jetfs") != 0)
        return MOUNTS_OTHER;
    /* Not from any cache: a dead connection answers at once, a live driver from memory. */
    if (drivers_stopped_at(mountpoint) > 0)
        return MOUNTS_JETFS; /* it would keep us waiting */
    struct statvfs unused;
    if (statvfs(mountpoint, &unused) < 0 && (errno == ENOTCONN || errno == ECONNABORTED))
        return MOUNTS_STALE;
    return MOUNTS_JETFS;
}

static int
fusermount(const char *mountpoint, bool lazy)
{
    const char *argv[] = {"fusermount3", lazy ? "-uzq" : "-uq", "--", mountpoint, NULL};
    int status = 0;

    if (!g_spawn_sync(NULL, (char **)argv, NULL,
                      G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                      NULL, NULL, NULL, NULL, &status, NULL))
        return -ENOENT;
    if (g_spawn_check_wait_status(status, NULL))
        return 0;
    return mounts_look(mountpoint) == MOUNTS_NONE ? -EINVAL : -EBUSY;
}

int
mounts_unmount(const char *mountpoint, bool lazy)
{
    if (umount2(mountpoint, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0)
        return 0;
    return errno == EPERM ? fusermount(mountpoint, lazy) : -errno;
}

char *
mounts_status_path(const char *mountpoint)
{
    return g_strconcat(mountpoint, ".status.json", NULL);
}
