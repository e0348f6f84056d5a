/* SPDX-License-Identifier: MIT */
/*
 * Members of JSON that anybody may have written: what is not there, or of another type, is 0, "",
 * NULL or false. The object may be NULL.
 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

/* The object that the text is; NULL when it is none, or nested deeper than anything of ours. */
JsonNode *json_get_parse(const char *text);

gint64 json_get_int(JsonObject *object, const char *name);
double json_get_double(JsonObject *object, const char *name);
bool json_get_bool(JsonObject *object, const char *name);

/* Never NULL; the object's own. */
const char *json_get_string(JsonObject *object, const char *name);

/* NULL when there is none; the object's own. */
JsonObject *json_get_object(JsonObject *object, const char *name);
JsonArray *json_get_array(JsonObject *object, const char *name);

/* Elements of an array, which may be NULL; an element that is no object: NULL. */
guint json_get_length(JsonArray *array);
JsonObject *json_get_element(JsonArray *array, guint i);

/* A number in an array; 0 for what is none. */
gint64 json_get_number(JsonArray *array, guint i);
