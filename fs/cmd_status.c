/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include "cli.h"
#include "drivers.h"
#include "html.h"
#include "known.h"
#include "mounts.h"
#include "progress.h"
#include "prometheus.h"
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

#define LOOK_MS 1000

struct arguments {
    gboolean wait, watch, as_json;
    char *html, *prometheus; /* files to write, or NULL */
    char **paths;
};

/* Looks at the status beside the mount point and shows how far it is. */
static void
look(struct progress *progress, const char *status_file)
{
    struct status_summary now;
    if (status_load(status_file, &now) && strcmp(now.state, "done") != 0)
        progress_show(progress, json_node_get_object(now.root), g_get_monotonic_time());
    status_summary_clear(&now);
}

/*
 * Waits until the driver that the status names has ended; at once when there is none. progress
 * NULL: silently.
 */
static void
wait_for_end(const struct status_summary *summary, struct progress *progress)
{
    int fd = (int)syscall(SYS_pidfd_open, summary->pid, 0);
    struct pollfd driver = {.fd = fd, .events = POLLIN};
    int n = 0;

    if (fd < 0)
        return;
    /* The process may be another one by now: its start tells. */
    bool goes_on = status_is_alive(summary);
    while (goes_on) {
        if (progress != NULL)
            look(progress, summary->status_file);
        n = poll(&driver, 1, progress != NULL ? LOOK_MS : -1);
        goes_on = n == 0 || (n < 0 && errno == EINTR);
    }
    close(fd);
}

static void
watch_or_wait(const struct status_summary *summary, bool watch)
{
    struct progress *progress = watch ? progress_new(stdout, progress_columns(stdout)) : NULL;
    wait_for_end(summary, progress);
    progress_free(progress);
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

/* To a file as a whole, or to stdout for "-". False: a message was printed. */
static bool
write_text(const char *path, const char *text)
{
    g_autoptr(GError) error = NULL;

    if (strcmp(path, "-") == 0)
        return fputs(text, stdout) >= 0;
    if (g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, &error))
        return true;
    fprintf(stderr, "jetfs: %s\n", error->message);
    return false;
}

/* What was asked for; the result, or that it could not be written. */
static enum jetfs_exit
tell(const struct status_summary *summary, const struct arguments *a)
{
    JsonObject *root = json_node_get_object(summary->root);

    if (a->html != NULL) {
        g_autofree char *text = html_page(root);
        if (!write_text(a->html, text))
            return EXIT_ENVIRONMENT;
    }
    if (a->prometheus != NULL) {
        g_autofree char *text = prometheus_text(root);
        if (!write_text(a->prometheus, text))
            return EXIT_ENVIRONMENT;
    }
    if (a->as_json || (a->html == NULL && a->prometheus == NULL))
        return print(summary, a->as_json);
    return summary->result;
}

/* A status file by its name, perhaps a copy from elsewhere: shown as it is. */
static enum jetfs_exit
show_file(const struct arguments *a)
{
    struct status_summary summary = {0};
    enum jetfs_exit code = EXIT_ENVIRONMENT;

    if (status_load(a->paths[0], &summary)) {
        if ((a->wait || a->watch) && strcmp(summary.state, "done") != 0) {
            watch_or_wait(&summary, a->watch);
            status_summary_clear(&summary);
            (void)status_load(a->paths[0], &summary);
        }
        code = summary.root == NULL ? code : tell(&summary, a);
    }
    if (summary.root == NULL)
        fprintf(stderr, "jetfs: %s: no status file, and no directory\n", a->paths[0]);
    status_summary_clear(&summary);
    return code;
}

static enum jetfs_exit
show(const struct arguments *a)
{
    struct status_summary summary = {0};

    if (g_file_test(a->paths[0], G_FILE_TEST_IS_REGULAR))
        return show_file(a);
    g_autofree char *mountpoint = mounts_resolve(a->paths[0]);
    if (mountpoint == NULL) {
        fprintf(stderr, "jetfs: %s: no such directory\n", a->paths[0]);
        return EXIT_ENVIRONMENT;
    }
    g_autofree char *status_path = mounts_status_path(mountpoint);
    if (drivers_tell_stopped(mountpoint))
        return EXIT_ENVIRONMENT;
    (void)stale_clean_up(mountpoint, status_path);
    bool loaded = known_status(mountpoint, status_path, &summary);
    /* The result may be known while the driver still unmounts. */
    if (loaded && (a->wait || a->watch)) {
        g_autofree char *final_path = g_strdup(summary.status_file);
        watch_or_wait(&summary, a->watch);
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
    enum jetfs_exit code = tell(&summary, a);
    status_summary_clear(&summary);
    return code;
}

static enum jetfs_exit
run(int argc, char **argv, struct arguments *a)
{
    const GOptionEntry options[] = {
        {"wait", 'w', 0, G_OPTION_ARG_NONE, &a->wait, "Wait for the end of the session", NULL},
        {"watch", 0, 0, G_OPTION_ARG_NONE, &a->watch, "Show how far it is, until its end", NULL},
        {"json", 'j', 0, G_OPTION_ARG_NONE, &a->as_json, "Print the whole status as JSON", NULL},
        {"html", 0, 0, G_OPTION_ARG_FILENAME, &a->html, "Write a report for a browser", "FILE"},
        {"prometheus", 0, 0, G_OPTION_ARG_FILENAME, &a->prometheus, "Write metrics for Prometheus",
         "FILE"},
        {NULL},
    };
    const struct cli cli = {
        .verb = "status",
        .arguments = "MOUNTPOINT|FILE",
        .least = 1,
        .most = 1,
        .summary = "Print the state or the result of the session mounted at MOUNTPOINT, or that a "
                   "status FILE\ntells of, and exit by it (7 while it runs). To write to, - is the "
                   "standard output.",
        .options = options,
    };
    enum jetfs_exit code;

    return cli_parse(&cli, argc, argv, &a->paths, &code) ? show(a) : code;
}

enum jetfs_exit
cmd_status(int argc, char **argv)
{
    struct arguments a = {0};
    enum jetfs_exit code = run(argc, argv, &a);

    g_strfreev(a.paths);
    g_free(a.html);
    g_free(a.prometheus);
    return code;
}
