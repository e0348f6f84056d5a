/* SPDX-License-Identifier: MIT */
#include "report.h"

#include "json_get.h"

#include <stdio.h>
#include <string.h>

char *
report_size(gint64 bytes)
{
    return g_format_size_full((guint64)MAX(bytes, 0), G_FORMAT_SIZE_IEC_UNITS);
}

char *
report_duration(double seconds)
{
    if (seconds < 10)
        return g_strdup_printf("%.1f s", MAX(seconds, 0));
    if (seconds < 120)
        return g_strdup_printf("%.0f s", seconds);
    guint64 minutes = (guint64)(seconds / 60);
    if (minutes < 60)
        return g_strdup_printf("%" G_GUINT64_FORMAT ":%02u min", minutes, (unsigned)seconds % 60);
    return g_strdup_printf("%" G_GUINT64_FORMAT ":%02u h", minutes / 60, (unsigned)(minutes % 60));
}

char *
report_latency(gint64 us)
{
    return us < 1000 ? g_strdup_printf("%" G_GINT64_FORMAT " µs", us)
                     : g_strdup_printf("%.1f ms", (double)us / 1000);
}

double
report_time(const char *text)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, NULL);
    if (time == NULL)
        return 0;
    return (double)g_date_time_to_unix(time) + g_date_time_get_microsecond(time) / 1e6;
}

static void
print_bytes(JsonObject *root)
{
    JsonObject *bytes = json_get_object(root, "bytes");
    if (bytes == NULL)
        return;
    g_autofree char *served = report_size(json_get_int(bytes, "served"));
    g_autofree char *required = report_size(json_get_int(bytes, "required"));
    g_autofree char *rate = report_size(json_get_int(bytes, "per_second"));
    g_autofree char *seconds = report_duration(json_get_double(root, "seconds"));
    printf("  served   %s of %s in %s (%s/s)\n", served, required, seconds, rate);
}

/* What the session costs the database. */
static void
print_cost(JsonObject *root)
{
    JsonObject *bytes = json_get_object(root, "bytes");
    JsonObject *commits = json_get_object(root, "commits");
    JsonObject *before = json_get_object(commits, "before");
    JsonObject *during = json_get_object(commits, "during");
    if (bytes == NULL || !json_get_bool(json_get_object(root, "owner"), "live"))
        return;
    g_autofree char *freeze = report_latency(json_get_int(json_get_object(root, "freeze"), "us"));
    g_autofree char *preimage = report_size(json_get_int(bytes, "preimage"));
    g_autofree char *pinned = report_size(json_get_int(bytes, "pinned_log"));
    printf("  cost     writers stood still %s; old page images %s, pinned logs %s\n", freeze,
           preimage, pinned);
    if (json_get_int(during, "count") == 0)
        return;
    g_autofree char *now = report_latency(json_get_int(during, "p99_us"));
    g_autofree char *then = report_latency(json_get_int(before, "p99_us"));
    printf("  commits  p99 %s during the session, %s before\n", now,
           json_get_int(before, "count") > 0 ? then : "unknown");
}

static void
print_limits(JsonObject *root)
{
    JsonArray *limits = json_get_array(root, "limits");
    for (guint i = 0; i < json_get_length(limits); i++) {
        JsonObject *limit = json_get_element(limits, i);
        double used = (double)json_get_int(limit, "used"),
               most = (double)json_get_int(limit, "limit");
        printf("%s%s %.0f %%", i == 0 ? "  limits   " : ", ", json_get_string(limit, "name"),
               most > 0 ? 100 * used / most : 0);
    }
    if (json_get_length(limits) > 0)
        printf(" used\n");
}

static void
print_file(JsonObject *file)
{
    g_autofree char *served = report_size(json_get_int(file, "served"));
    g_autofree char *size = report_size(json_get_int(file, "size"));

    printf("  %-8s %s: %s of %s\n", json_get_string(file, "kind"), json_get_string(file, "name"),
           served, size);
}

/* Databases one by one; the logs, of which there may be hundreds, together. */
static void
print_files(JsonObject *root)
{
    JsonArray *files = json_get_array(root, "files");
    guint logs = 0, complete = 0, carried = 0;

    for (guint i = 0; i < json_get_length(files); i++) {
        JsonObject *file = json_get_element(files, i);
        const char *kind = json_get_string(file, "kind");
        if (strcmp(kind, "database") == 0)
            print_file(file);
        if (strcmp(kind, "log") != 0)
            continue;
        logs++;
        complete += json_get_bool(file, "complete");
        carried += json_get_bool(file, "carried");
    }
    if (logs > 0)
        printf("  logs     %u of %u complete, %u of them carried from an earlier session\n",
               complete, logs, carried);
}

void
report_summary(const struct status_summary *summary)
{
    JsonObject *root = json_node_get_object(summary->root);

    printf("%s: %s: %s\n", summary->mountpoint, summary->result_name, summary->text);
    printf("  source   %s\n", json_get_string(root, "source"));
    print_bytes(root);
    print_files(root);
    print_cost(root);
    if (summary->result == EXIT_RUNNING)
        print_limits(root);
}
