/* SPDX-License-Identifier: MIT */
#include "unmounter.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

struct unmounter {
    pid_t pid;
    int order; /* write end of the pipe: a byte is the order, its end is ours */
};

#define CHILD_PIPE 3

/* Leaves no descriptor that somebody might wait for: pipes of the caller, locks, the owner's files.
 */
static bool
drop_descriptors(int pipe)
{
    int null = open("/dev/null", O_RDWR);

    if (null < 0)
        return false;
    for (int fd = 0; fd <= 2; fd++) {
        if (dup2(null, fd) < 0)
            return false;
    }
    if (pipe != CHILD_PIPE && dup2(pipe, CHILD_PIPE) < 0)
        return false;
    return fcntl(CHILD_PIPE, F_SETFD, FD_CLOEXEC) == 0 && close_range(CHILD_PIPE + 1, ~0U, 0) == 0;
}

static void
run_child(int pipe, const char *mountpoint)
{
    char byte;
    ssize_t n;

    /* a signal to the group is the driver's to take: it will want us afterwards */
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    if (!drop_descriptors(pipe))
        _exit(127);
    do
        n = read(CHILD_PIPE, &byte, 1);
    while (n < 0 && errno == EINTR);
    if (n == 1)
        execlp("fusermount3", "fusermount3", "-uzq", "--", mountpoint, (char *)NULL);
    _exit(n == 1 ? 127 : 0);
}

struct unmounter *
unmounter_start(const char *mountpoint)
{
    int fds[2];

    if (geteuid() == 0 || pipe2(fds, O_CLOEXEC) < 0)
        return NULL;
    pid_t pid = fork();
    if (pid == 0)
        run_child(fds[0], mountpoint);
    close(fds[0]);
    if (pid < 0) {
        close(fds[1]);
        return NULL;
    }
    struct unmounter *u = g_new0(struct unmounter, 1);
    u->pid = pid;
    u->order = fds[1];
    return u;
}

static int
reap(struct unmounter *u)
{
    int status;
    pid_t pid;

    close(u->order);
    u->order = -1;
    do
        pid = waitpid(u->pid, &status, 0);
    while (pid < 0 && errno == EINTR);
    if (pid < 0)
        return -ECHILD;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EBUSY;
}

int
unmounter_run(struct unmounter *u)
{
    if (u->order < 0)
        return -ECHILD;
    ssize_t n = write(u->order, "u", 1);
    int err = reap(u);
    return n == 1 ? err : -ECHILD;
}

void
unmounter_free(struct unmounter *u)
{
    if (u == NULL)
        return;
    if (u->order >= 0)
        (void)reap(u);
    g_free(u);
}
