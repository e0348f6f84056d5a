/* SPDX-License-Identifier: MIT */
/*
 * Members of the JSON that verbs print.
 */
#pragma once

#include <json-glib/json-glib.h>

void json_out_int(JsonBuilder *builder, const char *name, gint64 value);

/* Bytes that are no UTF-8 (a path may have any) are replaced. NULL is "". */
void json_out_string(JsonBuilder *builder, const char *name, const char *value);

/* The whole on one line, to stdout. */
void json_out_line(JsonBuilder *builder);

/* The whole, indented, to stdout. */
void json_out_print(JsonBuilder *builder);
