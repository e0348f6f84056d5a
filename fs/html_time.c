/* SPDX-License-Identifier: MIT */
#include "html.h"

#include "json_get.h"
#include "report.h"

#include <string.h>

struct mark {
    double at; /* seconds since 1970 */
    unsigned order;
    const char *tone;
    char *text;
};

static void
mark_free(gpointer data)
{
    struct mark *mark = data;
    g_free(mark->text);
    g_free(mark);
}

/* Takes the text. */
static void
add(GPtrArray *marks, double at, const char *tone, char *text)
{
    struct mark *mark = g_new(struct mark, 1);
    *mark = (struct mark) {at, marks->len, tone, text};
    g_ptr_array_add(marks, mark);
}

static gint
by_time(gconstpointer a, gconstpointer b)
{
    const struct mark *x = *(struct mark *const *)a, *y = *(struct mark *const *)b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static const char *
tone_of(const char *kind)
{
    if (strcmp(kind, "warning") == 0)
        return "warn";
    return strcmp(kind, "first_read") == 0 ? "run" : "bad";
}

static void
add_events(GPtrArray *marks, JsonObject *root)
{
    JsonArray *events = json_get_array(root, "events");
    for (guint i = 0; i < json_get_length(events); i++) {
        JsonObject *event = json_get_element(events, i);
        const char *kind = json_get_string(event, "kind");
        if (kind[0] != '\0')
            add(marks, report_time(json_get_string(event, "time")), tone_of(kind),
                g_strdup(json_get_string(event, "text")));
    }
}

static GPtrArray *
collect(JsonObject *root)
{
    GPtrArray *marks = g_ptr_array_new_with_free_func(mark_free);
    double begin = report_time(json_get_string(root, "begin"));
    double end = report_time(json_get_string(root, "end"));
    JsonObject *result = json_get_object(root, "result");
    JsonObject *freeze = json_get_object(root, "freeze");

    if (begin > 0)
        add(marks, begin, "run", g_strdup("begin"));
    if (freeze != NULL && json_get_int(freeze, "us") > 0) {
        g_autofree char *took = report_latency(json_get_int(freeze, "us"));
        add(marks, begin, "run", g_strdup_printf("frozen; writers stood still for %s", took));
    }
    add_events(marks, root);
    g_ptr_array_sort(marks, by_time);
    if (end > 0)
        add(marks, end, json_get_int(result, "exit") == 0 ? "good" : "bad",
            g_strdup_printf("end: %s", json_get_string(result, "name")));
    return marks;
}

void
html_timeline(GString *page, JsonObject *root)
{
    double begin = report_time(json_get_string(root, "begin"));
    g_autoptr(GPtrArray) marks = collect(root);
    if (begin <= 0 || marks->len == 0)
        return;
    g_string_append(page, "<h2>Timeline</h2>\n<ol class=\"time\">\n");
    for (guint i = 0; i < marks->len; i++) {
        const struct mark *mark = marks->pdata[i];
        double after = mark->at - begin;
        g_autofree char *offset =
            after < 10 ? g_strdup_printf("%.2f s", MAX(after, 0)) : report_duration(after);
        html_add(page, "<li class=\"%s\"><time>+%s</time> %s</li>\n", mark->tone, offset,
                 mark->text);
    }
    g_string_append(page, "</ol>\n");
}
