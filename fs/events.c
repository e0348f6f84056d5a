/* SPDX-License-Identifier: MIT */
#include "events.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <syslog.h>

#define KEPT 100

struct event {
    gint64 us;
    const char *kind; /* or NULL */
    char *text;
};

struct events {
    GMutex lock; /* guards the two below */
    GQueue list; /* struct event */
    bool to_syslog;
    char *program;
};

struct events *
events_new(const char *program)
{
    struct events *events = g_new0(struct events, 1);
    g_mutex_init(&events->lock);
    g_queue_init(&events->list);
    events->program = g_strdup(program);
    return events;
}

static void
event_free(gpointer data)
{
    struct event *event = data;
    g_free(event->text);
    g_free(event);
}

void
events_free(struct events *events)
{
    if (events == NULL)
        return;
    g_queue_clear_full(&events->list, event_free);
    g_mutex_clear(&events->lock);
    g_free(events->program);
    g_free(events);
}

void
events_to_syslog(struct events *events)
{
    openlog(events->program, LOG_PID, LOG_DAEMON);
    g_mutex_lock(&events->lock);
    events->to_syslog = true;
    g_mutex_unlock(&events->lock);
}

/* Takes the text. */
static void
record(struct events *events, const char *kind, char *text)
{
    struct event *event = g_new(struct event, 1);
    *event = (struct event) {g_get_real_time(), kind, text};
    g_mutex_lock(&events->lock);
    g_queue_push_tail(&events->list, event);
    if (g_queue_get_length(&events->list) > KEPT)
        event_free(g_queue_pop_head(&events->list));
    if (events->to_syslog)
        syslog(LOG_NOTICE, "%s", text);
    else if (g_strcmp0(kind, "first_read") != 0) /* of use in a timeline only */
        fprintf(stderr, "%s: %s\n", events->program, text);
    g_mutex_unlock(&events->lock);
}

void
events_add(struct events *events, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    record(events, NULL, g_strdup_vprintf(format, args));
    va_end(args);
}

void
events_mark(struct events *events, const char *kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    record(events, kind, g_strdup_vprintf(format, args));
    va_end(args);
}

void
events_to_json(struct events *events, JsonBuilder *builder)
{
    json_builder_set_member_name(builder, "events");
    json_builder_begin_array(builder);
    g_mutex_lock(&events->lock);
    for (GList *link = events->list.head; link != NULL; link = link->next) {
        const struct event *event = link->data;
        g_autofree char *time = events_time(event->us);
        json_builder_begin_object(builder);
        json_builder_set_member_name(builder, "time");
        json_builder_add_string_value(builder, time);
        if (event->kind != NULL) {
            json_builder_set_member_name(builder, "kind");
            json_builder_add_string_value(builder, event->kind);
        }
        json_builder_set_member_name(builder, "text");
        json_builder_add_string_value(builder, event->text);
        json_builder_end_object(builder);
    }
    g_mutex_unlock(&events->lock);
    json_builder_end_array(builder);
}

char *
events_time(gint64 us)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(us / G_USEC_PER_SEC);
    g_autofree char *text = g_date_time_format(utc, "%Y-%m-%dT%H:%M:%S");
    return g_strdup_printf("%s.%03dZ", text, (int)(us % G_USEC_PER_SEC / 1000));
}
