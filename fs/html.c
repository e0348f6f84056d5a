/* SPDX-License-Identifier: MIT */
#include "html.h"

#include "exit.h"
#include "json_get.h"
#include "report.h"

#include <string.h>

void
html_add(GString *page, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_markup_vprintf_escaped(format, args);
    va_end(args);
    g_string_append(page, text);
}

/* ---- result ---- */

static const char *
tone_of(gint64 exit)
{
    return exit == EXIT_COMPLETE ? "good" : exit == EXIT_RUNNING ? "run" : "bad";
}

/* "2026-11-23 03:40:12 UTC" */
static char *
time_text(const char *iso)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(iso, NULL);
    g_autoptr(GDateTime) utc = time == NULL ? NULL : g_date_time_to_utc(time);
    return utc == NULL ? g_strdup("") : g_date_time_format(utc, "%Y-%m-%d %H:%M:%S UTC");
}

static void
add_result(GString *page, JsonObject *root)
{
    JsonObject *result = json_get_object(root, "result");
    g_autofree char *begin = time_text(json_get_string(root, "begin"));
    g_autofree char *end = time_text(json_get_string(root, "end"));

    html_add(page, "<h1>Backup session of %s</h1>\n", json_get_string(root, "source"));
    html_add(page, "<p class=\"soft small\">mounted at %s%s%s%s%s</p>\n",
             json_get_string(root, "mountpoint"), begin[0] ? ", from " : "", begin,
             end[0] ? " to " : "", end);
    html_add(page, "<div class=\"result %s\"><b>%s</b><p>%s</p></div>\n",
             tone_of(json_get_int(result, "exit")), json_get_string(result, "name"),
             json_get_string(result, "text"));
}

/* ---- numbers ---- */

static void
tile(GString *page, const char *name, const char *value, const char *more)
{
    html_add(page, "<div class=\"tile\"><span>%s</span><strong>%s</strong>", name, value);
    if (more != NULL)
        html_add(page, "<small>%s</small>", more);
    g_string_append(page, "</div>\n");
}

static void
add_commit_tile(GString *page, JsonObject *commits)
{
    JsonObject *before = json_get_object(commits, "before");
    JsonObject *during = json_get_object(commits, "during");
    g_autofree char *now = report_latency(json_get_int(during, "p99_us"));
    g_autofree char *then = report_latency(json_get_int(before, "p99_us"));
    g_autofree char *more =
        json_get_int(before, "count") == 0
            ? g_strdup_printf("%" G_GINT64_FORMAT " commits", json_get_int(during, "count"))
            : g_strdup_printf("before %s; %" G_GINT64_FORMAT " commits", then,
                              json_get_int(during, "count"));
    if (json_get_int(during, "count") > 0)
        tile(page, "commits, p99", now, more);
}

static void
add_tiles(GString *page, JsonObject *root)
{
    JsonObject *bytes = json_get_object(root, "bytes");
    gint64 served = json_get_int(bytes, "served"), required = json_get_int(bytes, "required");
    g_autofree char *of = report_size(required), *did = report_size(served);
    g_autofree char *of_text = g_strdup_printf("%s of %s", did, of);
    g_autofree char *percent = g_strdup_printf(
        "%.0f %%", required > 0 ? 100.0 * (double)served / (double)required : 100.0);
    g_autofree char *seconds = report_duration(json_get_double(root, "seconds"));
    g_autofree char *rate = report_size(json_get_int(bytes, "per_second"));
    g_autofree char *rate_text = g_strconcat(rate, "/s", NULL);
    g_autofree char *preimage = report_size(json_get_int(bytes, "preimage"));
    g_autofree char *pinned = report_size(json_get_int(bytes, "pinned_log"));
    g_autofree char *freeze = report_latency(json_get_int(json_get_object(root, "freeze"), "us"));

    g_string_append(page, "<div class=\"tiles\">\n");
    tile(page, "served", percent, of_text);
    tile(page, "duration", seconds, rate_text);
    if (json_get_bool(json_get_object(root, "owner"), "live")) {
        tile(page, "writers stood still", freeze, "once, at the begin");
        tile(page, "old page images", preimage, NULL);
        tile(page, "logs pinned", pinned, NULL);
        add_commit_tile(page, json_get_object(root, "commits"));
    }
    g_string_append(page, "</div>\n");
}

/* ---- tables ---- */

static void
add_bar(GString *page, double part, double whole, const char *tone)
{
    double percent = whole > 0 ? CLAMP(100 * part / whole, 0, 100) : 100;
    g_string_append_printf(page, "<span class=\"bar %s\"><i style=\"width:%d.%d%%\"></i></span>",
                           tone, (int)percent, (int)(percent * 10) % 10);
}

static char *
amount(const char *unit, gint64 number)
{
    return strcmp(unit, "seconds") == 0 ? report_duration((double)number) : report_size(number);
}

static void
add_limits(GString *page, JsonObject *root)
{
    JsonArray *limits = json_get_array(root, "limits");
    if (json_get_length(limits) == 0)
        return;
    g_string_append(page, "<h2>Limits</h2>\n<div class=\"wide\"><table><tr><th>limit</th><th "
                          "class=\"n\">used</th><th class=\"n\">of</th><th>share</th></tr>\n");
    for (guint i = 0; i < json_get_length(limits); i++) {
        JsonObject *limit = json_get_element(limits, i);
        gint64 used = json_get_int(limit, "used"), most = json_get_int(limit, "limit");
        const char *unit = json_get_string(limit, "unit");
        gint64 warned = json_get_int(limit, "warned");
        g_autofree char *is = amount(unit, used), *of = amount(unit, most);
        html_add(page, "<tr><td>%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td><td>",
                 json_get_string(limit, "name"), is, of);
        add_bar(page, (double)used, (double)most, used >= most ? "bad" : warned > 0 ? "warn" : "");
        g_string_append(page, "</td></tr>\n");
    }
    g_string_append(page, "</table></div>\n");
}

static void
add_file_row(GString *page, JsonObject *file, bool running)
{
    JsonObject *error = json_get_object(file, "error");
    gint64 served = json_get_int(file, "served"), size = json_get_int(file, "size");
    gint64 per_second = json_get_int(file, "per_second");
    bool carried = json_get_bool(file, "carried"), complete = json_get_bool(file, "complete");
    g_autofree char *is = report_size(served), *of = report_size(size);
    g_autofree char *rate = report_size(per_second);

    html_add(page, "<tr><td class=\"w\">%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td><td>",
             json_get_string(file, "name"), is, of);
    add_bar(page, carried ? 1 : (double)served, carried ? 1 : (double)size,
            error != NULL ? "bad" : "");
    html_add(page, "</td><td class=\"n hide\">%s%s</td><td>", per_second > 0 ? rate : "",
             per_second > 0 ? "/s" : "");
    if (error != NULL)
        html_add(page, "%s at %" G_GINT64_FORMAT, json_get_string(error, "name"),
                 json_get_int(error, "offset"));
    else
        html_add(page, "%s",
                 carried    ? "carried"
                 : complete ? "complete"
                 : running  ? ""
                            : "cut short");
    g_string_append(page, "</td></tr>\n");
}

/* Those of one kind; how many there are, and how many complete. */
static void
add_rows(GString *page, JsonObject *root, const char *kind)
{
    JsonArray *files = json_get_array(root, "files");
    bool running = strcmp(json_get_string(root, "state"), "done") != 0;
    g_string_append(page,
                    "<div class=\"wide\"><table><tr><th>file</th><th class=\"n\">served</th><th "
                    "class=\"n\">of</th><th>share</th><th class=\"n hide\">pace</th><th>"
                    "</th></tr>\n");
    for (guint i = 0; i < json_get_length(files); i++) {
        JsonObject *file = json_get_element(files, i);
        if (strcmp(json_get_string(file, "kind"), kind) == 0)
            add_file_row(page, file, running);
    }
    g_string_append(page, "</table></div>\n");
}

static guint
count(JsonArray *files, const char *kind, bool only_complete)
{
    guint n = 0;
    for (guint i = 0; i < json_get_length(files); i++) {
        JsonObject *file = json_get_element(files, i);
        n += strcmp(json_get_string(file, "kind"), kind) == 0 &&
             (!only_complete || json_get_bool(file, "complete"));
    }
    return n;
}

static void
add_files(GString *page, JsonObject *root)
{
    JsonArray *files = json_get_array(root, "files");
    guint logs = count(files, "log", false), complete = count(files, "log", true);

    if (json_get_length(files) == 0)
        return;
    g_string_append(page, "<h2>Files</h2>\n");
    if (count(files, "database", false) > 0)
        add_rows(page, root, "database");
    if (logs == 0)
        return;
    html_add(page, "<details%s><summary>%u of %u logs complete</summary>\n",
             complete < logs && logs <= 50 ? " open" : "", complete, logs);
    add_rows(page, root, "log");
    g_string_append(page, "</details>\n");
}

static void
add_events(GString *page, JsonObject *root)
{
    JsonArray *events = json_get_array(root, "events");
    if (json_get_length(events) == 0)
        return;
    g_string_append(page, "<h2>Events</h2>\n<div class=\"wide\"><table>\n");
    for (guint i = 0; i < json_get_length(events); i++) {
        JsonObject *event = json_get_element(events, i);
        const char *time = strchr(json_get_string(event, "time"), 'T');
        html_add(page, "<tr><td class=\"n soft\">%.12s</td><td class=\"w\">%s</td></tr>\n",
                 time == NULL ? "" : time + 1, json_get_string(event, "text"));
    }
    g_string_append(page, "</table></div>\n");
}

static void
add_foot(GString *page, JsonObject *root)
{
    JsonObject *owner = json_get_object(root, "owner"), *driver = json_get_object(root, "driver");
    JsonObject *logs = json_get_object(root, "logs");
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *made = g_date_time_format(now, "%Y-%m-%d %H:%M:%S UTC");

    g_string_append(page, "<p class=\"soft small\" style=\"margin-top:2.2rem\">");
    if (json_get_bool(owner, "live"))
        html_add(page, "Owner: %s, pid %" G_GINT64_FORMAT ". ", json_get_string(owner, "instance"),
                 json_get_int(owner, "pid"));
    if (json_get_int(logs, "high") > 0)
        html_add(page, "Logs %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT ". ",
                 json_get_int(logs, "low"), json_get_int(logs, "high"));
    html_add(page, "Driver: jetfs %s, pid %" G_GINT64_FORMAT ". Report of %s.</p>\n",
             json_get_string(driver, "version"), json_get_int(driver, "pid"), made);
}

char *
html_page(JsonObject *root)
{
    GString *page =
        g_string_new("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" "
                     "content=\"width=device-width,initial-scale=1\">\n");
    html_add(page, "<title>jetfs: %s: %s</title>\n", json_get_string(root, "mountpoint"),
             json_get_string(json_get_object(root, "result"), "name"));
    g_string_append_printf(page, "<style>%s</style>\n</head>\n<body>\n", html_style);
    add_result(page, root);
    if (json_get_object(root, "bytes") != NULL)
        add_tiles(page, root);
    html_timeline(page, root);
    html_maps(page, root);
    add_files(page, root);
    add_limits(page, root);
    add_events(page, root);
    add_foot(page, root);
    g_string_append(page, "</body>\n</html>\n");
    return g_string_free(page, FALSE);
}
