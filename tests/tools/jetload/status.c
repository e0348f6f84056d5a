/* SPDX-License-Identifier: MIT */
/* status: counts and commit latencies as JSON, replaced as a whole. */
#include "work.h"

#include <stdio.h>

static void
append_latency(GString *out, const char *name, const struct latency *l)
{
    g_string_append_printf(
        out, "\"%s\": {\"n\": %llu, \"p50\": %llu, \"p99\": %llu, \"p999\": %llu, \"max\": %llu}",
        name, (unsigned long long)latency_count(l), (unsigned long long)latency_percentile(l, 0.50),
        (unsigned long long)latency_percentile(l, 0.99),
        (unsigned long long)latency_percentile(l, 0.999), (unsigned long long)l->max_us);
}

void
status_write(struct work *w, const char *state)
{
    if (w->options->status_file == NULL)
        return;
    const double seconds = (double)(g_get_monotonic_time() - w->start_us) / 1e6;
    const long long commits = atomic_load(&w->commits);
    g_autoptr(GString) out = g_string_new(NULL);
    g_string_append_printf(
        out,
        "{\n  \"state\": \"%s\",\n  \"seconds\": %.3f,\n  \"commits\": %lld,\n"
        "  \"commits_per_second\": %.1f,\n  \"conflicts\": %lld,\n  \"rollbacks\": %lld,\n"
        "  \"audits\": %lld,\n  \"backup\": %s,\n  \"commit_us\": {\n    \"without_backup\": {",
        state, seconds, commits, seconds > 0 ? (double)commits / seconds : 0,
        (long long)atomic_load(&w->conflicts), (long long)atomic_load(&w->rollbacks),
        (long long)atomic_load(&w->audits), atomic_load(&w->backup) ? "true" : "false");
    append_latency(out, "durable", &w->latency[0][0]);
    g_string_append(out, ", ");
    append_latency(out, "lazy", &w->latency[0][1]);
    g_string_append(out, "},\n    \"with_backup\": {");
    append_latency(out, "durable", &w->latency[1][0]);
    g_string_append(out, ", ");
    append_latency(out, "lazy", &w->latency[1][1]);
    g_string_append(out, "}\n  }\n}\n");
    /* no fsync: it would stand in the way of the commits that are measured here */
    g_autofree char *fresh = g_strconcat(w->options->status_file, ".new", NULL);
    g_autoptr(GError) error = NULL;
    if (!g_file_set_contents_full(fresh, out->str, (gssize)out->len, G_FILE_SET_CONTENTS_NONE, 0644,
                                  &error))
        fprintf(stderr, "jetload: %s\n", error->message);
    else if (rename(fresh, w->options->status_file) < 0)
        perror(w->options->status_file);
}
