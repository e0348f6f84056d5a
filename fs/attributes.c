/* SPDX-License-Identifier: MIT */
#include "attributes.h"

#include "json_get.h"

#include <string.h>

#define SIGNATURE_DIGITS 56u
#define BAD_PAGES_NAMED  16u

/* NULL unless it is what a signature looks like. */
static char *
signature_of(JsonObject *object, const char *name)
{
    const char *text = json_get_string(object, name);

    if (strlen(text) != SIGNATURE_DIGITS || strspn(text, "0123456789abcdef") != SIGNATURE_DIGITS)
        return NULL;
    return g_strdup(text);
}

static void
load_file(struct backup *b, JsonObject *entry)
{
    struct backup_file *file = backup_find(b, json_get_string(entry, "name"));

    if (file == NULL || file->signature != NULL || file->kind != FILE_DATABASE)
        return;
    file->signature = signature_of(entry, "signature");
}

void
attributes_load(struct backup *b, const char *manifest)
{
    g_autoptr(JsonParser) parser = json_parser_new();

    if (!json_parser_load_from_data(parser, manifest, -1, NULL))
        return;
    JsonNode *root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root))
        return;
    JsonObject *object = json_node_get_object(root);
    b->log_signature = signature_of(object, "logSignature");
    b->gen_low = (uint32_t)CLAMP(json_get_int(object, "genLow"), 0, UINT32_MAX);
    b->gen_high = (uint32_t)CLAMP(json_get_int(object, "genHigh"), 0, UINT32_MAX);
    JsonArray *files = json_get_array(object, "files");
    for (guint i = 0; i < json_get_length(files); i++)
        load_file(b, json_get_element(files, i));
}

static char *
kind(const struct backup *b, struct backup_file *file)
{
    static const char *const kinds[] = {"", "database", "log", "generated"};
    return g_strdup(file == NULL ? "session" : kinds[file->kind]);
}

static char *
signature(const struct backup *b, struct backup_file *file)
{
    if (file != NULL && file->kind == FILE_DATABASE)
        return g_strdup(file->signature);
    return file == NULL || file->kind == FILE_LOG ? g_strdup(b->log_signature) : NULL;
}

static char *
generation(const struct backup *b, struct backup_file *file)
{
    if (file == NULL || file->kind != FILE_LOG)
        return NULL;
    return g_strdup_printf("%u", file->generation);
}

static char *
generations(const struct backup *b, struct backup_file *file)
{
    if ((file != NULL && file->kind != FILE_DATABASE) || b->gen_low == 0 || b->gen_high == 0)
        return NULL;
    return g_strdup_printf("%u-%u", b->gen_low, b->gen_high);
}

static char *
bad_pages_locked(const struct backup_file *file)
{
    GString *text = g_string_new("bad");

    for (guint i = 0; i < MIN(file->bad_pages->len, BAD_PAGES_NAMED); i++)
        g_string_append_printf(text, " %u", g_array_index(file->bad_pages, uint32_t, i));
    return g_string_free(text, FALSE);
}

static char *
checksum(const struct backup *b, struct backup_file *file)
{
    if (file == NULL || file->kind != FILE_DATABASE)
        return NULL;
    g_mutex_lock(&file->lock);
    char *bad = exit_is_corruption(file->error) ? bad_pages_locked(file) : NULL;
    g_mutex_unlock(&file->lock);
    if (bad != NULL)
        return bad;
    if (served_complete(file->served))
        return g_strdup("good");
    return g_strdup(served_bytes(file->served) == 0 ? "unread" : "partly");
}

static const struct {
    const char *name;
    char *(*value)(const struct backup *b, struct backup_file *file);
} attributes[] = {
    {"user.jetfs.kind", kind},
    {"user.jetfs.signature", signature},
    {"user.jetfs.generation", generation},
    {"user.jetfs.generations", generations},
    {"user.jetfs.checksum", checksum},
};

char *
attributes_value(const struct backup *b, struct backup_file *file, const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(attributes); i++) {
        if (strcmp(attributes[i].name, name) == 0)
            return attributes[i].value(b, file);
    }
    return NULL;
}

GByteArray *
attributes_names(const struct backup *b, struct backup_file *file)
{
    GByteArray *names = g_byte_array_new();

    for (gsize i = 0; i < G_N_ELEMENTS(attributes); i++) {
        g_autofree char *value = attributes[i].value(b, file);
        if (value != NULL)
            g_byte_array_append(names, (const guint8 *)attributes[i].name,
                                (guint)strlen(attributes[i].name) + 1);
    }
    return names;
}
