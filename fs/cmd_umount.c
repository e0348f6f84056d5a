/* SPDX-License-Identifier: MIT */
/*
 * Unmounting, and waiting for what comes of it. The kernel lets umount(2) return before the driver
 * has ended the session; the driver's process is watched through a pidfd until it has.
 */
#include "commands.h"

#include "cli.h"
#include "control.h"
#include "drivers.h"
#include "mounts.h"
#include "proc.h"
#include "report.h"
#include "stale.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATIENCE_US  (G_USEC_PER_SEC / 2)
#define ELSEWHERE_MS 2000

struct job {
    char *mountpoint;
    char *status_path;
    uint32_t flags; /* CONTROL_... */
    bool lazy;
    bool quiet;
    bool gone;     /* the session ended by itself while it was being asked to */
    int status_fd; /* MOUNTPOINT/.jetfs/status; closed before the unmount */
    int driver;    /* pidfd; -1 when it cannot be watched */
};

/* A request failed: has the driver unmounted itself meanwhile, or died? Then its result is there.
 */
static bool
has_gone(struct job *job)
{
    job->gone = mounts_look(job->mountpoint) != MOUNTS_JETFS;
    return job->gone;
}

/* Finds the driver of the mount, by asking it, and its status file. */
static bool
find_driver(struct job *job)
{
    g_autofree char *path = g_build_filename(job->mountpoint, CONTROL_DIR, CONTROL_STATUS, NULL);
    struct status_summary summary;

    job->status_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (job->status_fd < 0) {
        int err = errno;
        if (!has_gone(job))
            fprintf(stderr, "jetfs: %s: cannot talk to the driver: %s%s\n", job->mountpoint,
                    g_strerror(err),
                    err == EACCES ? "; only the user who mounted it, or root, can end it" : "");
        return false;
    }
    if (status_read(job->status_fd, &summary)) {
        job->driver = (int)syscall(SYS_pidfd_open, summary.pid, 0);
        g_free(job->status_path);
        job->status_path = g_strdup(summary.status_file);
    }
    status_summary_clear(&summary);
    return true;
}

static bool
tell_driver(struct job *job, uint32_t flags)
{
    if (ioctl(job->status_fd, CONTROL_END, &flags) == 0)
        return true;
    int err = errno;
    if (!has_gone(job))
        fprintf(stderr, "jetfs: %s: the driver refuses: %s\n", job->mountpoint, g_strerror(err));
    return false;
}

/* Somebody may just be looking at the mount: df, a shell that completes a name. */
static int
unmount_patiently(const struct job *job)
{
    gint64 deadline = g_get_monotonic_time() + PATIENCE_US;
    int err = mounts_unmount(job->mountpoint, job->lazy);

    while (err == -EBUSY && g_get_monotonic_time() < deadline) {
        g_usleep(20000);
        err = mounts_unmount(job->mountpoint, job->lazy);
    }
    return err;
}

static bool
unmount(struct job *job)
{
    int err = unmount_patiently(job);

    if (err == 0)
        return true;
    /* The owner of the database ended meanwhile, and the driver has unmounted itself. */
    if (err == -EINVAL && mounts_look(job->mountpoint) == MOUNTS_NONE)
        return true;
    if (err == -EBUSY) {
        g_autofree char *holders = proc_holders(mounts_device(job->mountpoint));
        fprintf(stderr,
                "jetfs: %s: busy: still used by %s; the session goes on. End that, or give the "
                "backup up with `jetfs umount --abort %s`\n",
                job->mountpoint, holders == NULL ? "a process of another user" : holders,
                job->mountpoint);
    } else {
        fprintf(stderr, "jetfs: %s: cannot unmount: %s\n", job->mountpoint, g_strerror(-err));
    }
    return false;
}

static bool
driver_ends(const struct job *job, int timeout_ms)
{
    struct pollfd fd = {.fd = job->driver, .events = POLLIN};
    int n;

    do
        n = poll(&fd, 1, timeout_ms);
    while (n < 0 && errno == EINTR);
    return n > 0;
}

/*
 * A mount that was copied into another mount namespace (a container, a service with private mounts)
 * lives on there, unmounted here or not. Who asked for the end wants the end: the driver is told.
 */
static void
wait_for_driver(const struct job *job)
{
    if (job->driver < 0)
        return; /* the lease on the status file waits in its place */
    if (driver_ends(job, ELSEWHERE_MS))
        return;
    if (mounts_look(job->mountpoint) == MOUNTS_NONE)
        (void)syscall(SYS_pidfd_send_signal, job->driver, SIGTERM, NULL, 0);
    (void)driver_ends(job, -1);
}

/* Ends a mount that has a driver; false when it goes on. */
static bool
end_mount(struct job *job)
{
    if (!find_driver(job))
        return false;
    bool ended = tell_driver(job, job->flags);
    if ((job->flags & CONTROL_ABORT) == 0 && ended) {
        int fd = job->status_fd;
        job->status_fd = -1;
        close(fd);
        ended = unmount(job);
    }
    if (job->status_fd >= 0)
        close(job->status_fd);
    if (ended)
        wait_for_driver(job);
    if (job->driver >= 0)
        close(job->driver);
    return ended;
}

static enum jetfs_exit
report_end(const struct job *job)
{
    struct status_summary summary;

    (void)stale_clean_up(job->mountpoint, job->status_path); /* a driver that died just now */
    if (!status_load(job->status_path, &summary)) {
        fprintf(stderr, "jetfs: %s: unmounted, but its status file %s cannot be read\n",
                job->mountpoint, job->status_path);
        status_summary_clear(&summary);
        return EXIT_ENVIRONMENT;
    }
    if (!job->quiet)
        report_summary(&summary);
    enum jetfs_exit result = summary.result;
    status_summary_clear(&summary);
    return result;
}

/*
 * The mount was taken away while files were open in it (umount -l): the driver serves these on, and
 * the session lasts until they are closed. Nothing but a signal reaches it.
 */
static enum jetfs_exit
end_detached(struct job *job, const struct status_summary *summary)
{
    if ((job->flags & CONTROL_ABORT) != 0) {
        job->driver = (int)syscall(SYS_pidfd_open, summary->pid, 0);
        if (job->driver >= 0 && status_is_alive(summary) &&
            syscall(SYS_pidfd_send_signal, job->driver, SIGTERM, NULL, 0) == 0)
            (void)driver_ends(job, -1);
        if (job->driver >= 0)
            close(job->driver);
        return report_end(job);
    }
    g_autofree char *holders = proc_holders(status_device(summary));
    fprintf(
        stderr,
        "jetfs: %s: unmounted lazily, but its driver (pid %d) and the session go on for %s. End "
        "that, or give the backup up with `jetfs umount --abort %s`\n",
        job->mountpoint, summary->pid, holders == NULL ? "a process that uses it" : holders,
        job->mountpoint);
    return EXIT_ENVIRONMENT;
}

/* Nothing is mounted: perhaps because the session has ended by itself, which must not look well. */
static enum jetfs_exit
report_ended(struct job *job)
{
    struct status_summary summary;
    bool died = stale_clean_up(job->mountpoint, job->status_path);
    bool loaded = status_load(job->status_path, &summary);
    bool known = loaded && strcmp(summary.state, "done") == 0;
    bool failed = known && summary.result != EXIT_COMPLETE;

    if (loaded && !known && status_is_alive(&summary)) {
        enum jetfs_exit code = end_detached(job, &summary);
        status_summary_clear(&summary);
        return code;
    }
    status_summary_clear(&summary);
    if (died || failed)
        return report_end(job);
    fprintf(stderr, "jetfs: %s: not mounted%s\n", job->mountpoint,
            known ? "; the last session was complete and has ended" : "");
    return EXIT_ENVIRONMENT;
}

static enum jetfs_exit
umount_path(struct job *job, const char *path)
{
    job->mountpoint = mounts_resolve(path);
    if (job->mountpoint == NULL) {
        fprintf(stderr, "jetfs: %s: no such directory\n", path);
        return EXIT_ENVIRONMENT;
    }
    job->status_path = mounts_status_path(job->mountpoint);
    if (drivers_tell_stopped(job->mountpoint))
        return EXIT_ENVIRONMENT;
    switch (mounts_look(job->mountpoint)) {
    case MOUNTS_NONE:
        return report_ended(job);
    case MOUNTS_OTHER:
        fprintf(stderr, "jetfs: %s: not a mount of jetfs\n", job->mountpoint);
        return EXIT_ENVIRONMENT;
    case MOUNTS_STALE:
        (void)stale_clean_up(job->mountpoint, job->status_path);
        return report_end(job);
    case MOUNTS_JETFS:
        break;
    }
    return end_mount(job) || job->gone ? report_end(job) : EXIT_ENVIRONMENT;
}

static enum jetfs_exit
run(struct job *job, const char *path)
{
    enum jetfs_exit code = umount_path(job, path);

    g_free(job->mountpoint);
    g_free(job->status_path);
    return code;
}

enum jetfs_exit
cmd_umount(int argc, char **argv)
{
    gboolean abort_session = FALSE, truncate = FALSE, quiet = FALSE;
    const GOptionEntry options[] = {
        {"abort", 'a', 0, G_OPTION_ARG_NONE, &abort_session,
         "End the session now, whatever was served, even while files are open", NULL},
        {"truncate", 't', 0, G_OPTION_ARG_NONE, &truncate,
         "When the backup is complete, delete the logs that it makes superfluous", NULL},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "Print errors only", NULL},
        {NULL},
    };
    const struct cli cli = {
        .verb = "umount",
        .arguments = "MOUNTPOINT",
        .least = 1,
        .most = 1,
        .summary = "Unmount, wait for the end of the session, print its result and exit by it.",
        .options = options,
    };
    g_auto(GStrv) paths = NULL;
    enum jetfs_exit code;

    if (!cli_parse(&cli, argc, argv, &paths, &code))
        return code;
    if (abort_session && truncate)
        return cli_mistake(&cli, "--abort and --truncate exclude each other");
    struct job job = {
        .flags = (abort_session ? CONTROL_ABORT : 0) | (truncate ? CONTROL_TRUNCATE : 0),
        .quiet = quiet,
        .status_fd = -1,
        .driver = -1,
    };
    return run(&job, paths[0]);
}

/* umount(8) calls: umount.fuse.jetfs MOUNTPOINT [-fnlrv] [-N NAMESPACE] [-t TYPE]. */
enum jetfs_exit
cmd_umount_helper(int argc, char **argv)
{
    struct job job = {.quiet = true, .status_fd = -1, .driver = -1};
    int c;

    while ((c = getopt(argc, argv, "fnlrvN:t:")) != -1) {
        if (c == '?')
            return EXIT_USAGE;
        job.lazy |= c == 'l';
        job.quiet &= c != 'v';
    }
    if (optind + 1 != argc) {
        fprintf(stderr, "usage: umount.fuse.jetfs MOUNTPOINT [-fnlrv] [-N NAMESPACE] [-t TYPE]\n");
        return EXIT_USAGE;
    }
    return run(&job, argv[optind]);
}
