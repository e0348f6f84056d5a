/* SPDX-License-Identifier: MIT */
#include "json_get.h"

#define DEPTH_MAX 64

/* The parser recurses as deep as its input does. */
static bool
is_too_deep(const char *text)
{
    int depth = 0;
    bool in_string = false;

    for (; *text != '\0' && depth <= DEPTH_MAX; text++) {
        if (in_string && *text == '\\' && text[1] != '\0')
            text++;
        else if (*text == '"')
            in_string = !in_string;
        else if (!in_string && (*text == '[' || *text == '{'))
            depth++;
        else if (!in_string && (*text == ']' || *text == '}'))
            depth--;
    }
    return depth > DEPTH_MAX;
}

JsonNode *
json_get_parse(const char *text)
{
    g_autoptr(JsonParser) parser = json_parser_new();

    if (is_too_deep(text) || !json_parser_load_from_data(parser, text, -1, NULL))
        return NULL;
    JsonNode *root = json_parser_steal_root(parser);
    if (root == NULL || JSON_NODE_HOLDS_OBJECT(root))
        return root;
    json_node_unref(root);
    return NULL;
}

static JsonNode *
value_of(JsonObject *object, const char *name)
{
    JsonNode *node = object == NULL ? NULL : json_object_get_member(object, name);
    return node != NULL && JSON_NODE_HOLDS_VALUE(node) ? node : NULL;
}

gint64
json_get_int(JsonObject *object, const char *name)
{
    JsonNode *node = value_of(object, name);
    return node == NULL ? 0 : json_node_get_int(node);
}

double
json_get_double(JsonObject *object, const char *name)
{
    JsonNode *node = value_of(object, name);
    return node == NULL ? 0 : json_node_get_double(node);
}

bool
json_get_bool(JsonObject *object, const char *name)
{
    JsonNode *node = value_of(object, name);
    return node != NULL && json_node_get_boolean(node);
}

const char *
json_get_string(JsonObject *object, const char *name)
{
    JsonNode *node = value_of(object, name);
    const char *value = node == NULL ? NULL : json_node_get_string(node);
    return value == NULL ? "" : value;
}

JsonObject *
json_get_object(JsonObject *object, const char *name)
{
    JsonNode *node = object == NULL ? NULL : json_object_get_member(object, name);
    return node != NULL && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

JsonArray *
json_get_array(JsonObject *object, const char *name)
{
    JsonNode *node = object == NULL ? NULL : json_object_get_member(object, name);
    return node != NULL && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

guint
json_get_length(JsonArray *array)
{
    return array == NULL ? 0 : json_array_get_length(array);
}

JsonObject *
json_get_element(JsonArray *array, guint i)
{
    JsonNode *node = json_array_get_element(array, i);
    return JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

gint64
json_get_number(JsonArray *array, guint i)
{
    JsonNode *node = json_array_get_element(array, i);
    return JSON_NODE_HOLDS_VALUE(node) ? json_node_get_int(node) : 0;
}
