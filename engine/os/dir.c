/* SPDX-License-Identifier: MIT */
/* dir: names and directories; declared in os/file.h. */
#define G_LOG_DOMAIN "jet-os"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fault.h"
#include "os/file.h"

static JET_ERR
fail(const char *what, const char *path, int errnum)
{
    g_debug("%s %s: %s", what, path, g_strerror(errnum));
    return os_error(errnum);
}

JET_ERR
os_file_size_at(const char *path, uint64_t *size)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return fail("stat", path, errno);
    *size = (uint64_t)st.st_size;
    return JET_errSuccess;
}

bool
os_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

bool
os_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool
os_is_file(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

JET_ERR
os_remove(const char *path)
{
    int errnum = os_fault_hit(OS_CALL_RENAME, path, NULL);
    if (errnum == 0 && unlink(path) < 0)
        errnum = errno;
    return errnum == 0 ? JET_errSuccess : fail("remove", path, errnum);
}

JET_ERR
os_rename(const char *from, const char *to)
{
    int errnum = os_fault_hit(OS_CALL_RENAME, from, NULL);
    if (errnum == 0 && rename(from, to) < 0)
        errnum = errno;
    return errnum == 0 ? JET_errSuccess : fail("rename", from, errnum);
}

JET_ERR
os_dir_sync(const char *dir)
{
    int errnum = os_fault_hit(OS_CALL_SYNC, dir, NULL);
    if (errnum != 0)
        return fail("sync", dir, errnum);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail("open", dir, errno);
    /* Some file systems have nothing to sync here and say EINVAL. */
    if (fsync(fd) < 0 && errno != EINVAL)
        errnum = errno;
    close(fd);
    return errnum == 0 ? JET_errSuccess : fail("sync", dir, errnum);
}

JET_ERR
os_dir_make(const char *dir)
{
    int errnum = os_fault_hit(OS_CALL_RENAME, dir, NULL);
    if (errnum == 0 && g_mkdir_with_parents(dir, 0700) < 0)
        errnum = errno;
    return errnum == 0 ? JET_errSuccess : fail("mkdir", dir, errnum);
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

JET_ERR
os_dir_list(const char *dir, char ***names)
{
    DIR *d = opendir(dir);
    if (!d)
        return fail("list", dir, errno);
    GPtrArray *found = g_ptr_array_new();
    for (struct dirent *e; (e = readdir(d));) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            g_ptr_array_add(found, g_strdup(e->d_name));
    }
    closedir(d);
    if (found->len > 0)
        qsort(found->pdata, found->len, sizeof(char *), compare_names);
    g_ptr_array_add(found, NULL);
    *names = (char **)g_ptr_array_free(found, FALSE);
    return JET_errSuccess;
}

JET_ERR
os_path_full(const char *path, char **full)
{
    if (!path || !*path)
        return JET_errInvalidPath;
    g_autofree char *plain = g_canonicalize_filename(path, NULL);
    g_autofree char *dir = g_path_get_dirname(plain);
    g_autofree char *base = g_path_get_basename(plain);
    char *real = realpath(dir, NULL);
    if (!real) {
        fail("resolve", dir, errno);
        return JET_errInvalidPath;
    }
    *full = strcmp(base, "/") == 0 ? g_strdup("/") : g_build_filename(real, base, NULL);
    free(real);
    return JET_errSuccess;
}

static JET_ERR
lock_dir(const char *dir, int how, struct os_file **out)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail("open", dir, errno);
    if (flock(fd, how | LOCK_NB) < 0) {
        int errnum = errno;
        close(fd);
        return fail("lock", dir, errnum);
    }
    *out = os_file_wrap(fd, dir);
    return JET_errSuccess;
}

JET_ERR
os_dir_lock(const char *dir, struct os_file **out)
{
    return lock_dir(dir, LOCK_EX, out);
}

JET_ERR
os_dir_lock_shared(const char *dir, struct os_file **out)
{
    return lock_dir(dir, LOCK_SH, out);
}
