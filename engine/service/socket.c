/* SPDX-License-Identifier: MIT */
#include "service/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/file.h"

#define BACKLOG 16

/* Address of path through an open descriptor of its directory, which must outlive its use. */
static JET_ERR
make_address(const char *path, struct sockaddr_un *address, int *dir_fd)
{
    g_autofree char *dir = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    *address = (struct sockaddr_un) {.sun_family = AF_UNIX};
    int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return os_error(errno);
    int n = snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/%s", fd, name);
    if (n < 0 || (size_t)n >= sizeof(address->sun_path)) {
        close(fd);
        return JET_errInvalidPath;
    }
    *dir_fd = fd;
    return JET_errSuccess;
}

/* Does somebody listen there? */
static JET_ERR
try_connect(const struct sockaddr_un *address, int *fd)
{
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0)
        return os_error(errno);
    if (connect(s, (const struct sockaddr *)address, sizeof(*address)) == 0) {
        *fd = s;
        return JET_errSuccess;
    }
    int errnum = errno;
    close(s);
    switch (errnum) {
    case ECONNREFUSED:
    case ENOENT:
    case ENOTSOCK:
    case EPROTOTYPE:
        return JET_errFileNotFound;
    case EACCES:
    case EPERM:
        return JET_errAccessDenied;
    case EAGAIN: /* its queue is full */
        return JET_errInstanceUnavailable;
    default:
        return os_error(errnum);
    }
}

JET_ERR
service_socket_connect(const char *path, int *fd)
{
    struct sockaddr_un address;
    int dir_fd = -1;
    JET_ERR err = make_address(path, &address, &dir_fd);
    if (err < 0)
        return err == JET_errFileAccessDenied ? JET_errAccessDenied : err;
    err = try_connect(&address, fd);
    close(dir_fd);
    return err;
}

/* Removes a socket that a dead process left. */
static JET_ERR
remove_stale(const char *path, const struct sockaddr_un *address)
{
    struct stat st;
    int fd = -1;
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? JET_errSuccess : os_error(errno);
    if (!S_ISSOCK(st.st_mode))
        return JET_errFileAccessDenied;
    JET_ERR err = try_connect(address, &fd);
    if (err != JET_errFileNotFound) {
        if (err >= 0)
            close(fd);
        return JET_errFileAccessDenied;
    }
    return os_remove(path);
}

static JET_ERR
listen_at(const struct sockaddr_un *address, int *fd)
{
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0)
        return os_error(errno);
    /* the mode of the descriptor becomes that of the file: no moment in which others may connect */
    if (fchmod(s, 0600) < 0 || bind(s, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
        listen(s, BACKLOG) < 0) {
        int errnum = errno;
        close(s);
        return os_error(errnum);
    }
    *fd = s;
    return JET_errSuccess;
}

JET_ERR
service_socket_listen(const char *path, int *fd)
{
    struct sockaddr_un address;
    int dir_fd = -1;
    JET_ERR err = make_address(path, &address, &dir_fd);
    if (err < 0)
        return err;
    err = remove_stale(path, &address);
    if (err >= 0)
        err = listen_at(&address, fd);
    close(dir_fd);
    return err;
}

static bool
peer_credentials(int fd, struct ucred *cred)
{
    socklen_t len = sizeof(*cred);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, cred, &len) == 0 && len == sizeof(*cred);
}

bool
service_socket_peer_is_ours(int fd)
{
    struct ucred cred;
    return peer_credentials(fd, &cred) && (cred.uid == geteuid() || cred.uid == 0);
}

uint32_t
service_socket_peer_pid(int fd)
{
    struct ucred cred;
    return peer_credentials(fd, &cred) && cred.pid > 0 ? (uint32_t)cred.pid : 0;
}
