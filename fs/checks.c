/* SPDX-License-Identifier: MIT */
#include "checks.h"

#include "mounts.h"
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FUSE_CONF   "/etc/fuse.conf"
#define STATUS_ROOM (256u << 10)

bool
checks_kernel(struct trouble *trouble)
{
    g_autofree char *text = NULL;

    /* Where /proc does not tell, the device will. */
    if (!g_file_get_contents("/proc/filesystems", &text, NULL, NULL) ||
        strstr(text, "\tfuse\n") != NULL)
        return true;
    return trouble_is(trouble, g_strdup("the kernel knows no FUSE file systems"),
                      g_strdup("load the module with `modprobe fuse`, on the host when this is a "
                               "container"));
}

bool
checks_device(struct trouble *trouble)
{
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    int err = errno;

    if (fd >= 0) {
        close(fd);
        return true;
    }
    if (err == ENOENT)
        return trouble_is(trouble, g_strdup("/dev/fuse is missing"),
                          g_strdup("load the module with `modprobe fuse`, or start the container "
                                   "with --device /dev/fuse --cap-add SYS_ADMIN"));
    if (err == EACCES)
        return trouble_is(trouble, g_strdup("/dev/fuse: this user may not open it"),
                          g_strdup("its mode is to be 0666: `chmod 666 /dev/fuse` as root"));
    return trouble_is(trouble, g_strdup_printf("/dev/fuse: %s", g_strerror(err)),
                      g_strdup("load the module with `modprobe fuse`; a container needs "
                               "--device /dev/fuse --cap-add SYS_ADMIN"));
}

bool
checks_helper(struct trouble *trouble)
{
    g_autofree char *helper = g_find_program_in_path("fusermount3");
    struct stat st;

    if (helper == NULL)
        return trouble_is(trouble,
                          g_strdup("fusermount3 is missing, without which only root can mount"),
                          g_strdup("install the package fuse3, or put its directory into PATH"));
    if (stat(helper, &st) < 0 || st.st_uid != 0 || (st.st_mode & S_ISUID) == 0)
        return trouble_is(
            trouble,
            g_strdup_printf("%s is not setuid root, without which only root can mount", helper),
            g_strdup_printf("`chown root %s && chmod u+s %s` as root", helper, helper));
    return true;
}

bool
checks_allow_other(struct trouble *trouble)
{
    g_autofree char *text = NULL;

    if (geteuid() == 0)
        return true;
    if (g_file_get_contents(FUSE_CONF, &text, NULL, NULL)) {
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; *line != NULL; line++) {
            if (strcmp(g_strstrip(*line), "user_allow_other") == 0)
                return true;
        }
    }
    return trouble_is(
        trouble,
        g_strdup("allow_other and allow_root are not for this user: " FUSE_CONF
                 " does not say user_allow_other"),
        g_strdup("add the line `user_allow_other` to " FUSE_CONF " as root, or mount as root"));
}

static bool
is_empty(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    return dir == NULL || g_dir_read_name(dir) == NULL;
}

static bool
nothing_is_mounted(const char *mountpoint, struct trouble *trouble)
{
    switch (mounts_look(mountpoint)) {
    case MOUNTS_NONE:
        return true;
    case MOUNTS_OTHER:
        return trouble_is(trouble,
                          g_strdup_printf("%s: another file system is mounted there", mountpoint),
                          g_strdup("take another directory"));
    case MOUNTS_STALE:
        return trouble_is(
            trouble, g_strdup_printf("%s: the dead mount of a killed driver is there", mountpoint),
            g_strdup_printf("remove it with `jetfs umount %s`", mountpoint));
    case MOUNTS_JETFS:
        break;
    }
    return trouble_is(trouble, g_strdup_printf("%s: a jetfs is mounted there already", mountpoint),
                      g_strdup_printf("end it with `jetfs umount %s`", mountpoint));
}

bool
checks_mountpoint(const char *mountpoint, struct trouble *trouble)
{
    struct stat st;

    if (!nothing_is_mounted(mountpoint, trouble))
        return false;
    if (stat(mountpoint, &st) < 0) {
        int err = errno;
        if (err == ENOENT)
            return trouble_is(trouble, g_strdup_printf("%s: no such directory", mountpoint),
                              g_strdup_printf("create it with `mkdir -p %s`", mountpoint));
        return trouble_is(trouble, g_strdup_printf("%s: %s", mountpoint, g_strerror(err)),
                          g_strdup("take a directory of this user"));
    }
    if (!S_ISDIR(st.st_mode))
        return trouble_is(trouble, g_strdup_printf("%s: not a directory", mountpoint),
                          g_strdup("a mount point must be one"));
    if (geteuid() != 0 && access(mountpoint, W_OK) < 0)
        return trouble_is(
            trouble, g_strdup_printf("%s: this user may not write there", mountpoint),
            g_strdup("only root may mount over what is not theirs: take a directory of "
                     "this user"));
    if (!is_empty(mountpoint))
        return trouble_is(trouble, g_strdup_printf("%s: not empty", mountpoint),
                          g_strdup("the mount would hide what is in it; take an empty directory"));
    return true;
}

/* A copy tool told to copy the one would then run into the other, without end. A single file is
 * apart. */
bool
checks_apart(const char *source, const char *mountpoint, struct trouble *trouble)
{
    struct stat st;
    char real[PATH_MAX];

    if (realpath(source, real) == NULL || stat(real, &st) < 0 || S_ISREG(st.st_mode))
        return true; /* if it cannot be opened, opening it will say why */
    g_autofree char *data = S_ISDIR(st.st_mode) ? g_strdup(real) : g_path_get_dirname(real);
    if (!proc_is_inside(mountpoint, data) && !proc_is_inside(data, mountpoint))
        return true;
    return trouble_is(trouble,
                      g_strdup_printf("%s: mount point and data directory %s lie within each other",
                                      mountpoint, data),
                      g_strdup("take a mount point outside"));
}

static char *
user_name(uid_t uid)
{
    const struct passwd *user = getpwuid(uid);
    return user != NULL ? g_strdup(user->pw_name) : g_strdup_printf("%u", uid);
}

bool
checks_source(const char *source, struct trouble *trouble)
{
    struct stat st;

    if (stat(source, &st) < 0) {
        int err = errno;
        return trouble_is(trouble, g_strdup_printf("%s: %s", source, g_strerror(err)),
                          g_strdup(err == EACCES ? "run jetfs as the user who owns the database"
                                                 : "the source is an instance directory, its "
                                                   "backup socket, or a database file"));
    }
    if (access(source, S_ISDIR(st.st_mode) ? R_OK | X_OK : R_OK) == 0)
        return true;
    g_autofree char *user = user_name(st.st_uid);
    return trouble_is(
        trouble, g_strdup_printf("%s: this user may not read it, it belongs to %s", source, user),
        g_strdup_printf("run jetfs as that user: `sudo -u %s jetfs ...`", user));
}

bool
checks_status_file(const char *status_path, struct trouble *trouble)
{
    g_autofree char *dir = g_path_get_dirname(status_path);
    g_autofree char *name = g_build_filename(dir, ".jetfs-check-XXXXXX", NULL);
    int fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        fd = g_mkstemp_full(name, O_WRONLY | O_CLOEXEC, 0600);
        if (fd >= 0)
            unlink(name);
    }
    int err = fd < 0 ? errno : posix_fallocate(fd, 0, STATUS_ROOM);
    if (fd >= 0)
        close(fd);
    if (err == 0 || err == EOPNOTSUPP || err == EINVAL)
        return true;
    return trouble_is(
        trouble,
        g_strdup_printf("%s: cannot write the status file: %s", status_path, g_strerror(err)),
        g_strdup_printf(err == ENOSPC || err == EDQUOT
                            ? "make room in %s or name another with -o status=/ABSOLUTE/PATH"
                            : "make %s writable or name another with -o status=/ABSOLUTE/PATH",
                        dir));
}

static bool
machine_can(const struct mount_options *options, struct trouble *trouble)
{
    if (!checks_device(trouble))
        return false;
    if (geteuid() != 0 && !checks_helper(trouble))
        return false;
    return !(options->allow_other || options->allow_root) || checks_allow_other(trouble);
}

/* Data below the mount point makes it not empty; that it lies there is the better thing to say. */
static bool
place_is_good(const char *source, const char *mountpoint, struct trouble *trouble)
{
    if (checks_mountpoint(mountpoint, trouble))
        return checks_apart(source, mountpoint, trouble);
    if (g_file_test(mountpoint, G_FILE_TEST_IS_DIR))
        (void)checks_apart(source, mountpoint, trouble);
    return false;
}

bool
checks_before_mount(const char *source, const char *mountpoint, const char *status_path,
                    const struct mount_options *options, struct trouble *trouble)
{
    return machine_can(options, trouble) && checks_source(source, trouble) &&
           place_is_good(source, mountpoint, trouble) && checks_status_file(status_path, trouble);
}
