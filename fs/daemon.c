/* SPDX-License-Identifier: MIT */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static enum jetfs_exit
wait_for_child(pid_t pid, int fd)
{
    char byte;
    ssize_t n;
    int status;

    do
        n = read(fd, &byte, 1);
    while (n < 0 && errno == EINTR);
    if (n == 1)
        return EXIT_COMPLETE;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
        return (enum jetfs_exit)WEXITSTATUS(status);
    fprintf(stderr, "jetfs: the driver ended before the mount was ready\n");
    return EXIT_ENVIRONMENT;
}

bool
daemon_fork(int *ready_fd, enum jetfs_exit *code)
{
    int fds[2];

    *code = EXIT_ENVIRONMENT;
    pid_t pid = pipe2(fds, O_CLOEXEC) < 0 ? -1 : fork();
    if (pid < 0) {
        fprintf(stderr, "jetfs: cannot start the driver: %s\n", strerror(errno));
        return false;
    }
    if (pid > 0) {
        close(fds[1]);
        *code = wait_for_child(pid, fds[0]);
        close(fds[0]);
        return false;
    }
    close(fds[0]);
    setsid();
    if (chdir("/") < 0)
        fprintf(stderr, "jetfs: cannot leave the directory: %s\n", strerror(errno));
    *ready_fd = fds[1];
    return true;
}

void
daemon_ready(int ready_fd)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = 0; null >= 0 && fd <= 2; fd++)
        dup2(null, fd);
    if (null > 2)
        close(null);
    ssize_t n;
    do
        n = write(ready_fd, "r", 1);
    while (n < 0 && errno == EINTR);
    close(ready_fd);
}
