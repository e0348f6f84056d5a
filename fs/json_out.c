/* SPDX-License-Identifier: MIT */
#include "json_out.h"

#include <stdio.h>

void
json_out_int(JsonBuilder *builder, const char *name, gint64 value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, value);
}

void
json_out_string(JsonBuilder *builder, const char *name, const char *value)
{
    g_autofree char *valid = g_utf8_make_valid(value == NULL ? "" : value, -1);

    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, valid);
}

static void
print(JsonBuilder *builder, gboolean pretty)
{
    g_autoptr(JsonGenerator) generator = json_generator_new();
    g_autoptr(JsonNode) root = json_builder_get_root(builder);

    json_generator_set_pretty(generator, pretty);
    json_generator_set_root(generator, root);
    g_autofree char *text = json_generator_to_data(generator, NULL);
    printf("%s\n", text);
}

void
json_out_line(JsonBuilder *builder)
{
    print(builder, FALSE);
}

void
json_out_print(JsonBuilder *builder)
{
    print(builder, TRUE);
}
