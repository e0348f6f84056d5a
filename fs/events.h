/* SPDX-License-Identifier: MIT */
/*
 * What happened during a session, told once to the log and kept for the status: the last 100 lines.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

struct events;

/* `program` names us in the log. Lines go to stderr until events_to_syslog(). */
struct events *events_new(const char *program);
void events_free(struct events *events);
void events_to_syslog(struct events *events);

/* Records one line, without a newline. Any thread. */
void events_add(struct events *events, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The same with a kind, which tells programs and the report what it is: "first_read", "warning",
 * "limit". A static string. */
void events_mark(struct events *events, const char *kind, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Adds the member "events", an array of {"time", "kind" or none, "text"}. Any thread. */
void events_to_json(struct events *events, JsonBuilder *builder);

/* The time as the status file writes it, UTC, ISO 8601. Owned by the caller. */
char *events_time(gint64 us);
