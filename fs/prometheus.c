/* SPDX-License-Identifier: MIT */
#include "prometheus.h"

#include "json_get.h"
#include "report.h"

#include <string.h>

/* A label's value; \ " and newline are escaped. */
static void
append_label(GString *out, const char *name, const char *value)
{
    g_string_append_printf(out, ",%s=\"", name);
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\n')
            g_string_append(out, "\\n");
        else if (*c == '\\' || *c == '"')
            g_string_append_printf(out, "\\%c", *c);
        else
            g_string_append_c(out, *c);
    }
    g_string_append_c(out, '"');
}

struct writer {
    GString *out;
    char *mountpoint; /* the label of every metric */
};

static void
describe(struct writer *w, const char *name, const char *help)
{
    g_string_append_printf(w->out, "# HELP jetfs_%s %s\n# TYPE jetfs_%s gauge\n", name, help, name);
}

/* label NULL = none */
static void
sample(struct writer *w, const char *name, const char *label, const char *value, const char *label2,
       const char *value2, double number)
{
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append_printf(w->out, "jetfs_%s{%s", name, w->mountpoint);
    if (label != NULL)
        append_label(w->out, label, value);
    if (label2 != NULL)
        append_label(w->out, label2, value2);
    g_string_append_printf(w->out, "} %s\n",
                           g_ascii_formatd(digits, sizeof digits, "%.15g", number));
}

static void
gauge(struct writer *w, const char *name, const char *help, double number)
{
    describe(w, name, help);
    sample(w, name, NULL, NULL, NULL, NULL, number);
}

static void
write_session(struct writer *w, JsonObject *root)
{
    JsonObject *result = json_get_object(root, "result");
    double begin = report_time(json_get_string(root, "begin"));
    double end = report_time(json_get_string(root, "end"));
    double last = report_time(json_get_string(json_get_object(root, "last_complete"), "end"));

    describe(w, "session_info", "Always 1; what is mounted, and how.");
    sample(w, "session_info", "source", json_get_string(root, "source"), "mode",
           json_get_string(root, "mode"), 1);
    gauge(w, "session_running", "1 while the session goes on.",
          strcmp(json_get_string(root, "state"), "done") != 0);
    gauge(w, "session_result", "Exit code of the session, 0 = complete, 7 while it runs.",
          (double)json_get_int(result, "exit"));
    if (begin > 0)
        gauge(w, "session_begin_timestamp_seconds", "When the session began.", begin);
    if (end > 0)
        gauge(w, "session_end_timestamp_seconds", "When the session ended.", end);
    if (last > 0)
        gauge(w, "last_complete_timestamp_seconds", "When the last complete session ended.", last);
    gauge(w, "session_duration_seconds", "How long the session took, or takes so far.",
          json_get_double(root, "seconds"));
}

static void
write_amounts(struct writer *w, JsonObject *root)
{
    static const struct {
        const char *member, *name, *help;
    } amounts[] = {
        {"required", "required_bytes", "Bytes that a complete session serves."},
        {"served", "served_bytes", "Different bytes of these that were served."},
        {"delivered", "delivered_bytes", "All bytes sent to readers, repeats included."},
        {"preimage", "preimage_bytes", "Old images of pages kept for the session."},
        {"pinned_log", "pinned_log_bytes", "Logs that the session keeps from truncation."},
    };
    JsonObject *bytes = json_get_object(root, "bytes");

    for (size_t i = 0; i < G_N_ELEMENTS(amounts); i++)
        gauge(w, amounts[i].name, amounts[i].help, (double)json_get_int(bytes, amounts[i].member));
    gauge(w, "freeze_seconds", "How long writers stood still at the begin.",
          (double)json_get_int(json_get_object(root, "freeze"), "us") / 1e6);
}

static void
write_limits(struct writer *w, JsonObject *root)
{
    static const char *const members[] = {"limit", "used"};
    static const char *const names[] = {"limit", "limit_used"};
    static const char *const helps[] = {"Limits of the session, in seconds or bytes.",
                                        "What is used of each limit."};
    JsonArray *limits = json_get_array(root, "limits");

    for (unsigned m = 0; m < 2 && json_get_length(limits) > 0; m++) {
        describe(w, names[m], helps[m]);
        for (guint i = 0; i < json_get_length(limits); i++) {
            JsonObject *limit = json_get_element(limits, i);
            sample(w, names[m], "limit", json_get_string(limit, "name"), "unit",
                   json_get_string(limit, "unit"), (double)json_get_int(limit, members[m]));
        }
    }
}

static void
write_commits(struct writer *w, JsonObject *root)
{
    static const char *const phases[] = {"before", "during"};
    JsonObject *commits = json_get_object(root, "commits");

    describe(w, "commits", "Durable commits of the owner before and during the session.");
    for (unsigned i = 0; i < 2; i++)
        sample(w, "commits", "phase", phases[i], NULL, NULL,
               (double)json_get_int(json_get_object(commits, phases[i]), "count"));
    describe(w, "commit_seconds", "How long they took.");
    for (unsigned i = 0; i < 2; i++) {
        JsonObject *phase = json_get_object(commits, phases[i]);
        sample(w, "commit_seconds", "phase", phases[i], "quantile", "0.5",
               (double)json_get_int(phase, "p50_us") / 1e6);
        sample(w, "commit_seconds", "phase", phases[i], "quantile", "0.99",
               (double)json_get_int(phase, "p99_us") / 1e6);
    }
}

/* Of each database: the logs, ever new ones, would be ever new series. */
static void
write_databases(struct writer *w, JsonArray *files, const char *name, const char *help,
                const char *member)
{
    describe(w, name, help);
    for (guint i = 0; i < json_get_length(files); i++) {
        JsonObject *file = json_get_element(files, i);
        JsonArray *array = json_get_array(file, member);
        double number = array != NULL ? json_get_length(array) : (double)json_get_int(file, member);
        if (strcmp(json_get_string(file, "kind"), "database") == 0)
            sample(w, name, "file", json_get_string(file, "name"), NULL, NULL, number);
    }
}

static void
write_files(struct writer *w, JsonObject *root)
{
    JsonArray *files = json_get_array(root, "files");
    guint logs = 0, complete = 0;

    for (guint i = 0; i < json_get_length(files); i++) {
        JsonObject *file = json_get_element(files, i);
        bool is_log = strcmp(json_get_string(file, "kind"), "log") == 0;
        logs += is_log;
        complete += is_log && json_get_bool(file, "complete");
    }
    write_databases(w, files, "file_bytes", "Size of each database of the session.", "size");
    write_databases(w, files, "file_served_bytes", "What was served of it.", "served");
    write_databases(w, files, "file_bad_pages", "Its pages found bad, at most 1000.", "bad_pages");
    gauge(w, "logs", "Logs of the session.", logs);
    gauge(w, "logs_complete", "Logs that were served in full.", complete);
}

char *
prometheus_text(JsonObject *root)
{
    struct writer w = {.out = g_string_new(NULL)};
    GString *label = g_string_new(NULL);

    append_label(label, "mountpoint", json_get_string(root, "mountpoint"));
    g_string_erase(label, 0, 1);
    w.mountpoint = g_string_free(label, FALSE);
    write_session(&w, root);
    if (json_get_object(root, "bytes") != NULL) {
        write_amounts(&w, root);
        write_limits(&w, root);
        write_commits(&w, root);
        write_files(&w, root);
    }
    g_free(w.mountpoint);
    return g_string_free(w.out, FALSE);
}
