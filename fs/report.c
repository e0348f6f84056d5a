/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <stdio.h>
#include <string.h>

static gint64
get_int(JsonObject *object, const char *name)
{
    JsonNode *node = object == NULL ? NULL : json_object_get_member(object, name);
    return node != NULL && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_int(node) : 0;
}

static bool
get_bool(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    return node != NULL && JSON_NODE_HOLDS_VALUE(node) && json_node_get_boolean(node);
}

static const char *
get_string(JsonObject *object, const char *name)
{
    JsonNode *node = object == NULL ? NULL : json_object_get_member(object, name);
    const char *value =
        node != NULL && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
    return value == NULL ? "" : value;
}

static void
print_bytes(JsonObject *root)
{
    JsonNode *node = json_object_get_member(root, "bytes");
    JsonObject *bytes =
        node != NULL && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;

    if (bytes == NULL)
        return;
    g_autofree char *served =
        g_format_size_full((guint64)get_int(bytes, "served"), G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *required =
        g_format_size_full((guint64)get_int(bytes, "required"), G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *rate =
        g_format_size_full((guint64)get_int(bytes, "per_second"), G_FORMAT_SIZE_IEC_UNITS);
    node = json_object_get_member(root, "seconds");
    printf("  served   %s of %s in %.1f s (%s/s)\n", served, required,
           node == NULL ? 0.0 : json_node_get_double(node), rate);
}

static void
print_file(JsonObject *file)
{
    g_autofree char *served =
        g_format_size_full((guint64)get_int(file, "served"), G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *size =
        g_format_size_full((guint64)get_int(file, "size"), G_FORMAT_SIZE_IEC_UNITS);

    printf("  %-8s %s: %s of %s\n", get_string(file, "kind"), get_string(file, "name"), served,
           size);
}

/* Databases one by one; the logs, of which there may be hundreds, together. */
static void
print_files(JsonObject *root)
{
    JsonNode *node = json_object_get_member(root, "files");
    JsonArray *files =
        node != NULL && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    guint logs = 0, complete = 0, carried = 0;

    for (guint i = 0; files != NULL && i < json_array_get_length(files); i++) {
        JsonNode *element = json_array_get_element(files, i);
        if (!JSON_NODE_HOLDS_OBJECT(element))
            continue;
        JsonObject *file = json_node_get_object(element);
        if (strcmp(get_string(file, "kind"), "database") == 0)
            print_file(file);
        if (strcmp(get_string(file, "kind"), "log") != 0)
            continue;
        logs++;
        complete += get_bool(file, "complete");
        carried += get_bool(file, "carried");
    }
    if (logs > 0)
        printf("  logs     %u of %u complete, %u of them carried from an earlier session\n",
               complete, logs, carried);
}

void
report_summary(const struct status_summary *summary)
{
    JsonObject *root = json_node_get_object(summary->root);

    printf("%s: %s: %s\n", summary->mountpoint, summary->result_name, summary->text);
    printf("  source   %s\n", get_string(root, "source"));
    print_bytes(root);
    print_files(root);
}
