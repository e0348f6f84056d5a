/* SPDX-License-Identifier: MIT */
#include "lease.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct lease_file {
    GMutex lock; /* one publication at a time */
    int dir;     /* of the file: all names are relative to it, whatever is done to the path */
    char *name;
    char *temp;
    int fd; /* the inode behind the name; -1 before the first and after the last */
    bool held;
    GArray *waited_for; /* int: leased inodes without a name that readers wait for */
    int signal_number;
};

static int
write_all(int fd, const char *text)
{
    size_t len = strlen(text);

    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite(fd, text + done, len - done, (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        done += (size_t)n;
    }
    return ftruncate(fd, (off_t)len) < 0 ? -errno : 0;
}

/* A file under the temporary name, never an existing one and never through a link. */
static int
create_temp(struct lease_file *f, const char *text, bool sync, int *fd_out)
{
    unlinkat(f->dir, f->temp, 0);
    int fd = openat(f->dir, f->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    int err = write_all(fd, text);
    if (err == 0 && sync && fsync(fd) < 0)
        err = -errno;
    if (err < 0) {
        close(fd);
        unlinkat(f->dir, f->temp, 0);
        return err;
    }
    *fd_out = fd;
    return 0;
}

static bool
take_lease(struct lease_file *f, int fd)
{
    if (fcntl(fd, F_SETSIG, f->signal_number) < 0 || fcntl(fd, F_SETOWN, getpid()) < 0)
        return false;
    return fcntl(fd, F_SETLEASE, F_WRLCK) == 0;
}

static int
rename_over(struct lease_file *f, bool sync)
{
    if (renameat(f->dir, f->temp, f->dir, f->name) < 0) {
        int err = -errno;
        unlinkat(f->dir, f->temp, 0);
        return err;
    }
    return sync && fsync(f->dir) < 0 ? -errno : 0;
}

/* An inode that is nobody's name any more; readers may wait for it, and must read what is true. */
static void
let_go(int fd, bool held, const char *text)
{
    int err = held ? write_all(fd, text) : 0;
    if (err < 0)
        g_warning("cannot bring the old status up to date: %s", g_strerror(-err));
    close(fd);
}

static void
let_all_go(struct lease_file *f, const char *text)
{
    for (guint i = 0; i < f->waited_for->len; i++)
        let_go(g_array_index(f->waited_for, int, i), true, text);
    g_array_set_size(f->waited_for, 0);
}

static bool
wanted_locked(struct lease_file *f)
{
    return f->held && fcntl(f->fd, F_GETLEASE) != F_WRLCK;
}

/* There is no room for a successor: the next best are the old blocks, while readers are kept out.
 */
static int
update_in_place(struct lease_file *f, const char *text)
{
    int err = write_all(f->fd, text);
    if (err == 0 && fsync(f->fd) < 0)
        err = -errno;
    (void)fcntl(f->fd, F_SETLEASE, F_UNLCK);
    f->held = false;
    return err;
}

/* Puts a new leased inode in the place of the old one, which is returned to the caller. */
static int
succeed(struct lease_file *f, const char *text, int *old_fd, bool *old_held)
{
    int fd = -1;
    bool first = f->fd < 0;

    int err = create_temp(f, text, first, &fd);
    if (err < 0)
        return err;
    bool held = take_lease(f, fd);
    err = rename_over(f, first);
    if (err < 0) {
        close(fd);
        return err;
    }
    *old_fd = f->fd;
    *old_held = f->held;
    f->fd = fd;
    f->held = held;
    return 0;
}

static int
publish_locked(struct lease_file *f, const char *text, bool (*may_pass)(void *ctx), void *ctx)
{
    int old_fd = -1;
    bool old_held = false;

    int err = succeed(f, text, &old_fd, &old_held);
    if (err < 0) {
        if (may_pass != NULL && wanted_locked(f) && may_pass(ctx))
            (void)update_in_place(f, text);
        return err;
    }
    if (old_fd >= 0 && old_held && !may_pass(ctx))
        g_array_append_val(f->waited_for, old_fd);
    else if (old_fd >= 0)
        let_go(old_fd, old_held, text);
    return 0;
}

static int
finish_locked(struct lease_file *f, const char *text)
{
    int fd = -1;

    int err = create_temp(f, text, true, &fd);
    if (err == 0) {
        close(fd);
        err = rename_over(f, true);
    }
    if (err < 0 && f->fd >= 0)
        err = update_in_place(f, text);
    if (f->fd >= 0)
        let_go(f->fd, f->held, text);
    f->fd = -1;
    let_all_go(f, text);
    return err;
}

static void
free_file(struct lease_file *f)
{
    g_array_unref(f->waited_for);
    if (f->dir >= 0)
        close(f->dir);
    g_mutex_clear(&f->lock);
    g_free(f->name);
    g_free(f->temp);
    g_free(f);
}

/* NULL and a negative errno when there is no such directory. */
static struct lease_file *
new_file(const char *path, int signal_number, int *err)
{
    g_autofree char *dir = g_path_get_dirname(path);
    struct lease_file *f = g_new0(struct lease_file, 1);

    g_mutex_init(&f->lock);
    f->fd = -1;
    f->waited_for = g_array_new(FALSE, FALSE, sizeof(int));
    f->signal_number = signal_number;
    f->name = g_path_get_basename(path);
    f->temp = g_strdup_printf(".%s.%d", f->name, (int)getpid());
    f->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->dir < 0) {
        *err = -errno;
        free_file(f);
        return NULL;
    }
    return f;
}

int
lease_open(const char *path, const char *text, int signal_number, struct lease_file **file)
{
    int err;
    struct lease_file *f = new_file(path, signal_number, &err);
    if (f == NULL)
        return err;
    err = publish_locked(f, text, NULL, NULL);
    if (err < 0) {
        free_file(f);
        return err;
    }
    *file = f;
    return 0;
}

bool
lease_is_held(struct lease_file *f)
{
    g_mutex_lock(&f->lock);
    bool held = f->held;
    g_mutex_unlock(&f->lock);
    return held;
}

bool
lease_is_wanted(struct lease_file *f)
{
    g_mutex_lock(&f->lock);
    bool wanted = wanted_locked(f);
    g_mutex_unlock(&f->lock);
    return wanted;
}

int
lease_publish(struct lease_file *f, const char *text, bool (*may_pass)(void *ctx), void *ctx)
{
    g_mutex_lock(&f->lock);
    int err = publish_locked(f, text, may_pass, ctx);
    g_mutex_unlock(&f->lock);
    return err;
}

int
lease_finish(struct lease_file *f, const char *text)
{
    g_mutex_lock(&f->lock);
    int err = finish_locked(f, text);
    g_mutex_unlock(&f->lock);
    free_file(f);
    return err;
}

int
lease_write_once(const char *path, const char *text)
{
    int err;
    struct lease_file *f = new_file(path, 0, &err);
    if (f == NULL)
        return err;
    err = finish_locked(f, text);
    free_file(f);
    return err;
}
