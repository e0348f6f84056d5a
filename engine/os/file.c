/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "jet-os"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fault.h"

struct os_file {
    int fd;
    char *path;
};

/* The one place where an I/O error is made. */
static JET_ERR
fail(const char *what, const char *path, uint64_t offset, int errnum)
{
    g_debug("%s %s at %" G_GUINT64_FORMAT ": %s", what, path, offset, g_strerror(errnum));
    return os_error(errnum);
}

struct os_file *
os_file_wrap(int fd, const char *path)
{
    struct os_file *file = g_new(struct os_file, 1);
    file->fd = fd;
    file->path = g_strdup(path);
    return file;
}

static JET_ERR
open_flags(const char *path, int flags, struct os_file **out)
{
    int errnum = os_fault_hit(OS_CALL_OPEN, path, NULL);
    int fd = -1;
    if (errnum == 0) {
        fd = open(path, flags | O_CLOEXEC | O_NOCTTY, 0600);
        errnum = fd < 0 ? errno : 0;
    }
    if (errnum != 0)
        return fail("open", path, 0, errnum);
    *out = os_file_wrap(fd, path);
    return JET_errSuccess;
}

JET_ERR
os_file_open(const char *path, enum os_open how, struct os_file **out)
{
    /* Looked at before, since open(2) of a fifo waits for its other end. Not O_NONBLOCK instead:
     * that fails where somebody holds a lease on the file. */
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return fail("open", path, 0, EISDIR);
    return open_flags(path, how == OS_OPEN_WRITE ? O_RDWR : O_RDONLY, out);
}

JET_ERR
os_file_create(const char *path, struct os_file **out)
{
    return open_flags(path, O_RDWR | O_CREAT | O_EXCL, out);
}

JET_ERR
os_file_create_unnamed(const char *dir, struct os_file **out)
{
    int errnum = os_fault_hit(OS_CALL_OPEN, dir, NULL);
    if (errnum != 0)
        return fail("open unnamed in", dir, 0, errnum);
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        g_autofree char *name = g_strdup_printf("%s/.jet-XXXXXX", dir);
        fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
        if (fd >= 0)
            unlink(name);
    }
    if (fd < 0)
        return fail("open unnamed in", dir, 0, errno);
    *out = os_file_wrap(fd, dir);
    return JET_errSuccess;
}

void
os_file_close(struct os_file *file)
{
    if (!file)
        return;
    close(file->fd);
    g_free(file->path);
    g_free(file);
}

const char *
os_file_path(const struct os_file *file)
{
    return file->path;
}

int
os_file_fd(const struct os_file *file)
{
    return file->fd;
}

JET_ERR
os_file_read_some(struct os_file *file, uint64_t offset, void *buf, size_t len, size_t *got)
{
    bool rubbish = false;
    int errnum = os_fault_hit(OS_CALL_READ, file->path, &rubbish);
    size_t done = 0;
    errnum = rubbish ? 0 : errnum;
    while (errnum == 0 && done < len) {
        ssize_t n = pread(file->fd, (char *)buf + done, len - done, (off_t)(offset + done));
        if (n == 0)
            break;
        if (n > 0)
            done += (size_t)n;
        else if (errno != EINTR)
            errnum = errno;
    }
    if (errnum != 0)
        return fail("read", file->path, offset + done, errnum);
    if (rubbish)
        memset(buf, 0x5a, MIN(done, (size_t)64));
    *got = done;
    return JET_errSuccess;
}

JET_ERR
os_file_read(struct os_file *file, uint64_t offset, void *buf, size_t len)
{
    size_t got = 0;
    JET_ERR err = os_file_read_some(file, offset, buf, len, &got);
    if (err < 0)
        return err;
    if (got < len) {
        g_debug("read %s at %" G_GUINT64_FORMAT ": end of file", file->path, offset + got);
        return JET_errFileIOBeyondEOF;
    }
    return JET_errSuccess;
}

static int
write_all(int fd, uint64_t offset, const char *buf, size_t len)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, buf, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        buf += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return 0;
}

JET_ERR
os_file_write(struct os_file *file, uint64_t offset, const void *buf, size_t len)
{
    bool torn = false;
    int errnum = os_fault_hit(OS_CALL_WRITE, file->path, &torn);
    if (errnum != 0 && torn)
        (void)write_all(file->fd, offset, buf, len / 2);
    if (errnum == 0)
        errnum = write_all(file->fd, offset, buf, len);
    return errnum == 0 ? JET_errSuccess : fail("write", file->path, offset, errnum);
}

JET_ERR
os_file_writev(struct os_file *file, uint64_t offset, const struct iovec *iov, int n)
{
    bool torn = false;
    int errnum = os_fault_hit(OS_CALL_WRITE, file->path, &torn);
    if (errnum != 0) {
        if (torn && n > 0)
            (void)write_all(file->fd, offset, iov[0].iov_base, iov[0].iov_len / 2);
        return fail("write", file->path, offset, errnum);
    }
    while (n > 0) {
        if (iov->iov_len == 0) { /* alone it would look like a write of nothing: an error */
            iov++;
            n--;
            continue;
        }
        ssize_t done = pwritev(file->fd, iov, n < IOV_MAX ? n : IOV_MAX, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return fail("write", file->path, offset, done < 0 ? errno : EIO);
        offset += (uint64_t)done;
        for (; n > 0 && (size_t)done >= iov->iov_len; iov++, n--)
            done -= (ssize_t)iov->iov_len;
        if (done > 0) { /* the rest of a part that was written in part */
            errnum = write_all(file->fd, offset, (char *)iov->iov_base + done,
                               iov->iov_len - (size_t)done);
            if (errnum != 0)
                return fail("write", file->path, offset, errnum);
            offset += iov->iov_len - (size_t)done;
            iov++;
            n--;
        }
    }
    return JET_errSuccess;
}

JET_ERR
os_file_sync(struct os_file *file)
{
    int errnum = os_fault_hit(OS_CALL_SYNC, file->path, NULL);
    if (errnum == 0 && fdatasync(file->fd) < 0)
        errnum = errno;
    return errnum == 0 ? JET_errSuccess : fail("sync", file->path, 0, errnum);
}

JET_ERR
os_file_size(struct os_file *file, uint64_t *size)
{
    struct stat st;
    if (fstat(file->fd, &st) < 0)
        return fail("stat", file->path, 0, errno);
    *size = (uint64_t)st.st_size;
    return JET_errSuccess;
}

JET_ERR
os_file_truncate(struct os_file *file, uint64_t size)
{
    int errnum = os_fault_hit(OS_CALL_TRUNCATE, file->path, NULL);
    if (errnum == 0 && ftruncate(file->fd, (off_t)size) < 0)
        errnum = errno;
    return errnum == 0 ? JET_errSuccess : fail("truncate", file->path, size, errnum);
}

static JET_ERR
take_lock(struct os_file *file, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
    if (fcntl(file->fd, F_OFD_SETLK, &lock) == 0)
        return JET_errSuccess;
    return fail("lock", file->path, 0, errno == EAGAIN ? EACCES : errno);
}

JET_ERR
os_file_lock(struct os_file *file)
{
    return take_lock(file, F_WRLCK);
}

JET_ERR
os_file_lock_shared(struct os_file *file)
{
    return take_lock(file, F_RDLCK);
}

JET_ERR
os_file_is_locked(const char *path, bool *locked)
{
    struct os_file *file = NULL;
    JET_ERR err = os_file_open(path, OS_OPEN_READ, &file);
    if (file == NULL)
        return err;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(file->fd, F_OFD_GETLK, &lock) < 0)
        err = fail("lock", path, 0, errno);
    else
        *locked = lock.l_type != F_UNLCK;
    os_file_close(file);
    return err;
}
