/* SPDX-License-Identifier: MIT */
/* sandbox: what a driver still can, and what it cannot any more; each in a child of its own. */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Runs in the sandbox; 0 when all is as it should be, else a step's number. */
typedef int (*step)(void);

static int
sandboxed(step run)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        int err = sandbox_enter();
        _exit(err == -ENOSYS ? 200 : err < 0 ? 201 : run());
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 200) {
        print_message("skipped: built with a sanitizer, or no seccomp here\n");
        skip();
    }
    return WEXITSTATUS(status);
}

static bool
refused(long result)
{
    return result < 0 && errno == EPERM;
}

static int
start_programs(void)
{
    char *argv[] = {"/bin/true", NULL};

    if (!refused(execv(argv[0], argv)))
        return 1;
    if (!refused(fork()) || !refused(syscall(SYS_vfork)))
        return 2;
    return 0;
}

static int
reach_out(void)
{
    if (!refused(socket(AF_INET, SOCK_STREAM, 0)) || !refused(socket(AF_NETLINK, SOCK_RAW, 0)))
        return 1;
    if (!refused(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL)))
        return 2;
    if (!refused(kill(getppid(), 0)))
        return 3;
    return 0;
}

static int
change_the_machine(void)
{
    if (!refused(mount("none", "/", "tmpfs", 0, NULL)) || !refused(setuid(0)))
        return 1;
    if (!refused(unshare(CLONE_NEWUSER)) || !refused(chroot("/")) || !refused(sethostname("x", 1)))
        return 2;
    return chmod("/", 0777) == 0 ? 3 : 0;
}

static void *
thread(void *arg)
{
    *(int *)arg = 1;
    return NULL;
}

static int
serve(void)
{
    pthread_t id;
    int ran = 0;
    char path[] = "/tmp/jetfs-sandbox-XXXXXX";

    if (pthread_create(&id, NULL, thread, &ran) != 0 || pthread_join(id, NULL) != 0 || ran != 1)
        return 1;
    int fd = mkstemp(path);
    if (fd < 0 || pwrite(fd, "x", 1, 0) != 1 || fsync(fd) < 0 || unlink(path) < 0)
        return 2;
    int s = socket(AF_UNIX, SOCK_DGRAM, 0);
    return s < 0 || prctl(PR_SET_NAME, "served") < 0 ? 3 : 0;
}

static void
test_programs_when_sandboxed_cannot_be_started(void **state)
{
    assert_int_equal(sandboxed(start_programs), 0);
}

static void
test_others_when_sandboxed_are_out_of_reach(void **state)
{
    assert_int_equal(sandboxed(reach_out), 0);
}

static void
test_machine_when_sandboxed_stays_as_it_is(void **state)
{
    assert_int_equal(sandboxed(change_the_machine), 0);
}

static void
test_serving_when_sandboxed_goes_on(void **state)
{
    assert_int_equal(sandboxed(serve), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_programs_when_sandboxed_cannot_be_started),
        cmocka_unit_test(test_others_when_sandboxed_are_out_of_reach),
        cmocka_unit_test(test_machine_when_sandboxed_stays_as_it_is),
        cmocka_unit_test(test_serving_when_sandboxed_goes_on),
    };
    return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
