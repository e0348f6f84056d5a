/* SPDX-License-Identifier: MIT */
#include "backup/manifest.h"

#include <string.h>

#include <json-glib/json-glib.h>

#include "log/logtime.h"
#include "os/file.h"

#define BYTES_MAX (256u << 20)
#define DEPTH_MAX 64

static const char *const kind_names[] = {"", "database", "log", "generated"};

char *
signature_text(const uint8_t signature[28])
{
    GString *s = g_string_sized_new(56);
    for (int i = 0; i < 28; i++)
        g_string_append_printf(s, "%02x", signature[i]);
    return g_string_free(s, FALSE);
}

static void
add_string(JsonBuilder *b, const char *name, const char *value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_string_value(b, value);
}

static void
add_number(JsonBuilder *b, const char *name, uint64_t value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_int_value(b, (gint64)value);
}

static void
add_big(JsonBuilder *b, const char *name, uint64_t value)
{
    char text[24];
    g_snprintf(text, sizeof text, "%" G_GUINT64_FORMAT, value);
    add_string(b, name, text);
}

static void
add_time(JsonBuilder *b, const char *name, int64_t ms)
{
    g_autoptr(GDateTime) seconds = g_date_time_new_from_unix_utc(ms / 1000);
    g_autofree char *text = seconds ? g_date_time_format_iso8601(seconds) : g_strdup("");
    add_string(b, name, text);
}

static void
add_signature(JsonBuilder *b, const char *name, const uint8_t *signature)
{
    if (!signature)
        return;
    g_autofree char *text = signature_text(signature);
    add_string(b, name, text);
}

static void
add_file(JsonBuilder *b, const JETX_BACKUPFILE *file, const uint8_t *sign_db)
{
    json_builder_begin_object(b);
    add_string(b, "name", file->szName);
    add_string(b, "kind", kind_names[file->kind]);
    add_string(b, "path", file->szPath);
    add_number(b, "size", file->cbSize);
    if (file->kind == JETX_fileLog)
        add_number(b, "generation", file->genLog);
    if (file->kind == JETX_fileDatabase) {
        add_number(b, "pageSize", file->cbPage);
        add_number(b, "pageLast", file->pgnoLast);
        add_signature(b, "signature", sign_db);
    }
    json_builder_end_object(b);
}

static uint64_t
packed(struct lgpos pos)
{
    return (uint64_t)(uint32_t)pos.gen << 32 | (uint64_t)pos.isec << 16 | pos.ib;
}

static void
add_session(JsonBuilder *b, const struct manifest *m)
{
    add_string(b, "format", "jetfs-backup");
    add_number(b, "version", MANIFEST_FORMAT);
    add_string(b, "mode", m->mode);
    add_string(b, "kind", m->incremental ? "incremental" : "full");
    add_string(b, "instance", m->instance ? m->instance : "");
    add_number(b, "pid", m->pid);
    add_time(b, "time", m->time_ms);
    add_time(b, "begin", logtime_to_unix_ms(m->bk.time));
    add_big(b, "markLgpos", packed(m->bk.mark));
    add_big(b, "freezeLgpos", m->freeze_lgpos);
    add_number(b, "genLow", m->bk.gen_low);
    add_number(b, "genHigh", m->bk.gen_high);
    add_signature(b, "logSignature", m->sign_log);
    add_string(
        b, "restore",
        strcmp(m->mode, "frozen") != 0 ? "the files as they are"
        : m->incremental
            ? "jetfs restore FULL THIS... TARGET: after the full backup and in the order of time"
            : "jetfs restore COPY TARGET, or JetExternalRestore2 with this genLow and genHigh");
}

char *
manifest_write(const struct manifest *m)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    add_session(b, m);
    json_builder_set_member_name(b, "files");
    json_builder_begin_array(b);
    for (size_t i = 0; i < m->n_files; i++)
        add_file(b, &m->files[i], m->sign_dbs ? m->sign_dbs[i] : NULL);
    json_builder_end_array(b);
    json_builder_end_object(b);

    g_autoptr(JsonNode) root = json_builder_get_root(b);
    g_autofree char *text = json_to_string(root, TRUE);
    return g_strconcat(text, "\n", NULL);
}

/* ---- reading: it may have been edited, or be something else ---- */

static const char *
string_member(JsonObject *o, const char *name)
{
    JsonNode *node = json_object_get_member(o, name);
    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : "";
}

static uint64_t
number_member(JsonObject *o, const char *name)
{
    JsonNode *node = json_object_get_member(o, name);
    if (!node || !JSON_NODE_HOLDS_VALUE(node))
        return 0;
    if (json_node_get_value_type(node) == G_TYPE_STRING)
        return g_ascii_strtoull(json_node_get_string(node), NULL, 10);
    gint64 v = json_node_get_value_type(node) == G_TYPE_INT64 ? json_node_get_int(node) : 0;
    return v > 0 ? (uint64_t)v : 0;
}

static uint32_t
small_member(JsonObject *o, const char *name)
{
    uint64_t v = number_member(o, name);
    return v <= UINT32_MAX ? (uint32_t)v : 0;
}

static uint32_t
kind_of(const char *name)
{
    for (uint32_t kind = JETX_fileDatabase; kind < G_N_ELEMENTS(kind_names); kind++)
        if (strcmp(name, kind_names[kind]) == 0)
            return kind;
    return 0;
}

/* The 28 bytes that signature_text wrote. */
static bool
signature_member(JsonObject *o, const char *name, uint8_t out[DBHEADER_SIGNATURE_BYTES])
{
    const char *text = string_member(o, name);
    if (strlen(text) != 2 * DBHEADER_SIGNATURE_BYTES)
        return false;
    for (size_t i = 0; i < DBHEADER_SIGNATURE_BYTES; i++) {
        const int high = g_ascii_xdigit_value(text[2 * i]);
        const int low = g_ascii_xdigit_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool
load_file(JsonNode *node, struct manifest_file *file)
{
    if (!JSON_NODE_HOLDS_OBJECT(node))
        return false;
    JsonObject *o = json_node_get_object(node);
    file->kind = kind_of(string_member(o, "kind"));
    file->name = g_strdup(string_member(o, "name"));
    file->path = g_strdup(string_member(o, "path"));
    file->size = number_member(o, "size");
    file->gen = small_member(o, "generation");
    file->page_bytes = small_member(o, "pageSize");
    file->pgno_last = small_member(o, "pageLast");
    file->has_signature = signature_member(o, "signature", file->signature);
    return file->kind != 0 && file->name[0] && !strchr(file->name, '/') &&
           strcmp(file->name, "..") != 0 && strcmp(file->name, ".") != 0;
}

static bool
load_files(JsonObject *root, struct manifest_read *out)
{
    JsonNode *node = json_object_get_member(root, "files");
    if (!node || !JSON_NODE_HOLDS_ARRAY(node))
        return false;
    JsonArray *array = json_node_get_array(node);
    guint n = json_array_get_length(array);
    out->files = g_new0(struct manifest_file, n + 1);
    for (guint i = 0; i < n; i++) {
        out->n_files++;
        if (!load_file(json_array_get_element(array, i), &out->files[i]))
            return false;
    }
    return true;
}

/* The parser recurses as deep as its input does. */
static bool
is_too_deep(const char *text, size_t len)
{
    bool in_string = false;
    int depth = 0;
    for (size_t i = 0; i < len && depth <= DEPTH_MAX; i++) {
        if (in_string && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            in_string = !in_string;
        else if (!in_string && (text[i] == '[' || text[i] == '{'))
            depth++;
        else if (!in_string && (text[i] == ']' || text[i] == '}'))
            depth--;
    }
    return depth > DEPTH_MAX;
}

JET_ERR
manifest_parse(const char *text, size_t len, struct manifest_read *out)
{
    memset(out, 0, sizeof *out);
    g_autoptr(JsonParser) parser = json_parser_new();
    if (is_too_deep(text, len) || !json_parser_load_from_data(parser, text, (gssize)len, NULL))
        return JET_errInvalidBackup;
    JsonNode *node = json_parser_get_root(parser);
    if (!node || !JSON_NODE_HOLDS_OBJECT(node))
        return JET_errInvalidBackup;
    JsonObject *root = json_node_get_object(node);
    out->mode = g_strdup(string_member(root, "mode"));
    out->incremental = strcmp(string_member(root, "kind"), "incremental") == 0;
    out->instance = g_strdup(string_member(root, "instance"));
    out->gen_low = small_member(root, "genLow");
    out->gen_high = small_member(root, "genHigh");
    out->freeze_lgpos = number_member(root, "freezeLgpos");
    out->mark = number_member(root, "markLgpos");
    out->has_sign_log = signature_member(root, "logSignature", out->sign_log);
    bool ok = strcmp(string_member(root, "format"), "jetfs-backup") == 0 &&
              number_member(root, "version") == MANIFEST_FORMAT && load_files(root, out);
    if (!ok) {
        manifest_read_clear(out);
        return JET_errInvalidBackup;
    }
    return JET_errSuccess;
}

JET_ERR
manifest_load(const char *path, struct manifest_read *out)
{
    struct os_file *file;
    uint64_t size;
    JET_ERR err = os_file_open(path, OS_OPEN_READ, &file);
    if (err < 0)
        return err;
    g_autofree char *text = NULL;
    err = os_file_size(file, &size);
    if (err >= 0 && size > BYTES_MAX)
        err = JET_errInvalidBackup;
    if (err >= 0 && (text = g_try_malloc(size + 1)) == NULL)
        err = JET_errOutOfMemory;
    if (err >= 0)
        err = os_file_read(file, 0, text, size);
    os_file_close(file);
    return err < 0 ? err : manifest_parse(text, size, out);
}

void
manifest_read_clear(struct manifest_read *manifest)
{
    for (size_t i = 0; i < manifest->n_files; i++) {
        g_free(manifest->files[i].name);
        g_free(manifest->files[i].path);
    }
    g_free(manifest->files);
    g_free(manifest->mode);
    g_free(manifest->instance);
    memset(manifest, 0, sizeof *manifest);
}
