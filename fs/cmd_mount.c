/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include "checks.h"
#include "cli.h"
#include "daemon.h"
#include "drivers.h"
#include "mount.h"
#include "mounts.h"
#include "stale.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_WAIT_US 2000000

struct arguments {
    gboolean foreground;
    char **option_lists;
    char **paths;
    struct mount_options options;
};

struct start {
    struct events *events;
    bool foreground;
    int ready_fd;
};

static void
on_ready(void *ctx)
{
    struct start *start = ctx;

    if (start->foreground)
        return;
    events_to_syslog(start->events);
    daemon_ready(start->ready_fd);
}

static bool
parse(int argc, char **argv, struct arguments *a, enum jetfs_exit *code)
{
    const GOptionEntry options[] = {
        {"foreground", 'f', 0, G_OPTION_ARG_NONE, &a->foreground, "Stay in the foreground", NULL},
        {"options", 'o', 0, G_OPTION_ARG_STRING_ARRAY, &a->option_lists,
         "recovered, incremental, cache=window|direct|page, status=/FILE, max_age=, idle=, "
         "preimage=, "
         "pinned_log=, allow_other, allow_root",
         "LIST"},
        {NULL},
    };
    const struct cli cli = {
        .verb = "mount",
        .arguments = "SOURCE MOUNTPOINT",
        .least = 2,
        .most = 2,
        .summary = "Mount a backup session of an ESE database as a read-only directory.\n"
                   "SOURCE is an instance's directory or backup socket, or a database file that\n"
                   "no program has open. Copy what is in MOUNTPOINT, then `jetfs umount` it; the\n"
                   "result is in MOUNTPOINT.status.json.",
        .options = options,
    };
    g_autofree char *message = NULL;

    if (!cli_parse(&cli, argc, argv, &a->paths, code))
        return false;
    for (char **list = a->option_lists; list != NULL && *list != NULL; list++) {
        if (!options_parse(*list, &a->options, &message)) {
            *code = cli_mistake(&cli, "%s", message);
            return false;
        }
    }
    return true;
}

/* Held while the driver lives, so that two cannot start at one place. The mount hides the
 * directory. */
static int
lock_mountpoint(const char *mountpoint)
{
    const gint64 deadline = g_get_monotonic_time() + LOCK_WAIT_US;
    int fd = open(mountpoint, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    /* The driver before us may have told its result already and be about to exit. */
    while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK || g_get_monotonic_time() > deadline) {
            int saved = errno;
            close(fd);
            errno = saved;
            return -1;
        }
        g_usleep(5000);
    }
    return fd;
}

static void
explain_lock(const struct mount_request *request, int err)
{
    struct status_summary earlier;
    bool lives = status_load(request->status_path, &earlier) &&
                 strcmp(earlier.state, "done") != 0 && status_is_alive(&earlier);

    if (err == EWOULDBLOCK && lives)
        fprintf(stderr,
                "jetfs: %s: the driver of a mount that was unmounted lazily (pid %d) still serves "
                "files of it: end it with `jetfs umount --abort %s`\n",
                request->mountpoint, earlier.pid, request->mountpoint);
    else
        fprintf(stderr, "jetfs: %s: %s\n", request->mountpoint,
                err == EWOULDBLOCK ? "another jetfs starts or ends there: try again in a moment"
                                   : g_strerror(err));
    status_summary_clear(&earlier);
}

static enum jetfs_exit
run(const struct mount_request *request, struct start *start)
{
    int fd = lock_mountpoint(request->mountpoint);
    if (fd < 0) {
        explain_lock(request, errno);
        return EXIT_ENVIRONMENT;
    }
    if (mounts_look(request->mountpoint) != MOUNTS_NONE) {
        fprintf(stderr, "jetfs: %s: another jetfs was just mounted there\n", request->mountpoint);
        close(fd);
        return EXIT_ENVIRONMENT;
    }
    start->events = events_new("jetfs");
    enum jetfs_exit code = mount_run(request, start->events);
    events_free(start->events);
    close(fd);
    return code;
}

static enum jetfs_exit
start_mount(const struct arguments *a)
{
    g_autofree char *source = g_canonicalize_filename(a->paths[0], NULL);
    g_autofree char *mountpoint = mounts_resolve(a->paths[1]);
    struct trouble trouble = {0};
    struct start start = {.foreground = a->foreground};
    enum jetfs_exit code;

    if (mountpoint == NULL) {
        fprintf(stderr, "jetfs: %s: no such directory: create it with `mkdir -p %s`\n", a->paths[1],
                a->paths[1]);
        return EXIT_ENVIRONMENT;
    }
    g_autofree char *status_path = a->options.status_path != NULL ? g_strdup(a->options.status_path)
                                                                  : mounts_status_path(mountpoint);
    if (drivers_tell_stopped(mountpoint))
        return EXIT_ENVIRONMENT;
    (void)stale_clean_up(mountpoint, status_path);
    if (!checks_before_mount(source, mountpoint, status_path, &a->options, &trouble)) {
        g_autofree char *text = trouble_text(&trouble);
        fprintf(stderr, "jetfs: %s\n", text);
        trouble_clear(&trouble);
        return EXIT_ENVIRONMENT;
    }
    struct mount_request request = {source, mountpoint, status_path, &a->options, on_ready, &start};
    if (!a->foreground && !daemon_fork(&start.ready_fd, &code))
        return code;
    return run(&request, &start);
}

enum jetfs_exit
cmd_mount(int argc, char **argv)
{
    struct arguments a = {0};
    enum jetfs_exit code;

    if (parse(argc, argv, &a, &code))
        code = start_mount(&a);
    g_strfreev(a.option_lists);
    g_strfreev(a.paths);
    options_clear(&a.options);
    return code;
}
