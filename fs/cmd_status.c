/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include "cli.h"
#include "control.h"
#include "lease.h"
#include "mounts.h"
#include "report.h"
#include "stale.h"
#include "status.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Waits until the driver that the status names has ended; at once when there is none. */
static void
wait_for_end(const struct status_summary *summary)
{
    int fd = (int)syscall(SYS_pidfd_open, summary->pid, 0);
    struct pollfd driver = {.fd = fd, .events = POLLIN};

    if (fd < 0)
        return;
    /* The process may be another one by now: its start tells. */
    if (status_is_alive(summary)) {
        while (poll(&driver, 1, -1) < 0 && errno == EINTR)
            continue;
    }
    close(fd);
}

/*
 * Of a mount that lives, the file beside it when its lease keeps it fresh: an open file within the
 * mount would make an unmount at this moment fail. Else the live one, which also knows where the
 * other is.
 */
static bool
load(const char *mountpoint, const char *status_path, struct status_summary *summary)
{
    g_autofree char *live = g_build_filename(mountpoint, CONTROL_DIR, CONTROL_STATUS, NULL);
    bool loaded = status_load(status_path, summary);

    if (loaded && strcmp(summary->state, "done") != 0 && status_is_leased(summary))
        return true;
    if (mounts_look(mountpoint) != MOUNTS_JETFS)
        return loaded;
    status_summary_clear(summary);
    return status_load(live, summary);
}

static enum jetfs_exit
print(const struct status_summary *summary, bool as_json)
{
    if (as_json) {
        g_autoptr(JsonGenerator) generator = json_generator_new();
        json_generator_set_pretty(generator, TRUE);
        json_generator_set_root(generator, summary->root);
        g_autofree char *text = json_generator_to_data(generator, NULL);
        printf("%s\n", text);
    } else {
        report_summary(summary);
    }
    return summary->result;
}

static enum jetfs_exit
show(const char *path, bool wait, bool as_json)
{
    g_autofree char *mountpoint = mounts_resolve(path);
    struct status_summary summary = {0};

    if (mountpoint == NULL) {
        fprintf(stderr, "jetfs: %s: no such directory\n", path);
        return EXIT_ENVIRONMENT;
    }
    g_autofree char *status_path = mounts_status_path(mountpoint);
    (void)stale_clean_up(mountpoint, status_path);
    bool loaded = load(mountpoint, status_path, &summary);
    if (loaded && wait && strcmp(summary.state, "done") != 0) {
        g_autofree char *final_path = g_strdup(summary.status_file);
        wait_for_end(&summary);
        status_summary_clear(&summary);
        (void)stale_clean_up(mountpoint, final_path);
        loaded = status_load(final_path, &summary);
    }
    if (!loaded) {
        fprintf(stderr, "jetfs: %s: nothing is known of a mount there: neither a mount nor %s\n",
                mountpoint, status_path);
        status_summary_clear(&summary);
        return EXIT_ENVIRONMENT;
    }
    enum jetfs_exit code = print(&summary, as_json);
    status_summary_clear(&summary);
    return code;
}

enum jetfs_exit
cmd_status(int argc, char **argv)
{
    gboolean wait = FALSE, as_json = FALSE;
    const GOptionEntry options[] = {
        {"wait", 'w', 0, G_OPTION_ARG_NONE, &wait, "Wait for the end of the session", NULL},
        {"json", 'j', 0, G_OPTION_ARG_NONE, &as_json, "Print the whole status as JSON", NULL},
        {NULL},
    };
    const struct cli cli = {
        .verb = "status",
        .arguments = "MOUNTPOINT",
        .least = 1,
        .most = 1,
        .summary = "Print the state or the result of the session mounted at MOUNTPOINT, and exit "
                   "by it (7 while it runs).",
        .options = options,
    };
    g_auto(GStrv) paths = NULL;
    enum jetfs_exit code;

    if (!cli_parse(&cli, argc, argv, &paths, &code))
        return code;
    return show(paths[0], wait, as_json);
}
