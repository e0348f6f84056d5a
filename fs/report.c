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
print_files(JsonObject *root)
{
    JsonNode *node = json_object_get_member(root, "files");
    JsonArray *files =
        node != NULL && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

    for (guint i = 0; files != NULL && i < json_array_get_length(files); i++) {
        JsonNode *element = json_array_get_element(files, i);
        if (!JSON_NODE_HOLDS_OBJECT(element))
            continue;
        JsonObject *file = json_node_get_object(element);
        printf("  %-9s%s: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " bytes%s\n",
               get_string(file, "kind"), get_string(file, "name"), get_int(file, "served"),
               get_int(file, "size"),
               get_int(file, "carried") ? ", carried from an earlier session" : "");
    }
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
