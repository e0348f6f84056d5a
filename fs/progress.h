/* SPDX-License-Identifier: MIT */
/*
 * How far a session is, shown again and again: on a terminal bars that are drawn over, for each
 * database, the logs and the total; elsewhere a line now and then.
 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdio.h>

struct progress;

/* columns: width of the terminal, 0 = it is none. */
struct progress *progress_new(FILE *out, int columns);
void progress_free(struct progress *progress);

/* A status as of now_us (monotonic). */
void progress_show(struct progress *progress, JsonObject *root, gint64 now_us);

/* The width of the terminal that `out` is, 0 when it is none. */
int progress_columns(FILE *out);

/* "[=====>    ]", `width` characters in all. Owned by the caller. */
char *progress_bar(double fraction, int width);
