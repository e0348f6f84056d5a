/* SPDX-License-Identifier: MIT */
#include "status.h"

#include "pagemap.h"
#include "session_limits.h"

#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PACE_MIN_US 10000

static void
add_string(JsonBuilder *b, const char *name, const char *value)
{
    json_builder_set_member_name(b, name);
    if (value == NULL)
        json_builder_add_null_value(b);
    else
        json_builder_add_string_value(b, value);
}

static void
add_int(JsonBuilder *b, const char *name, gint64 value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_int_value(b, value);
}

static void
add_bool(JsonBuilder *b, const char *name, bool value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_boolean_value(b, value);
}

static void
add_time(JsonBuilder *b, const char *name, gint64 us)
{
    g_autofree char *text = us == 0 ? NULL : events_time(us);
    add_string(b, name, text);
}

static void
begin_object(JsonBuilder *b, const char *name)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_object(b);
}

char *
status_signature(const JET_SIGNATURE *signature)
{
    const uint8_t *bytes = (const uint8_t *)signature;
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < sizeof *signature; i++)
        g_string_append_printf(text, "%02x", bytes[i]);
    return g_string_free(text, FALSE);
}

static void
add_result(JsonBuilder *b, enum jetfs_exit result, JET_ERR code, const char *text,
           const char *limit)
{
    begin_object(b, "result");
    add_string(b, "name", exit_name(result));
    add_int(b, "exit", result);
    add_int(b, "code", code);
    add_string(b, "error", JetxErrorNameA(code));
    add_string(b, "text", text);
    if (limit != NULL)
        add_string(b, "limit", limit);
    json_builder_end_object(b);
}

static void
add_error(JsonBuilder *b, struct backup_file *file)
{
    g_mutex_lock(&file->lock);
    if (file->error < 0) {
        begin_object(b, "error");
        add_int(b, "code", file->error);
        add_string(b, "name", JetxErrorNameA(file->error));
        add_int(b, "offset", (gint64)file->error_offset);
        if (file->error_pgno > 0)
            add_int(b, "page", file->error_pgno);
        json_builder_end_object(b);
    }
    g_mutex_unlock(&file->lock);
}

/* From the first answer to the last one; of a single answer there is no pace. */
static void
add_pace(JsonBuilder *b, const struct moment *begin, struct backup_file *file)
{
    gint64 first = __atomic_load_n(&file->first_us, __ATOMIC_RELAXED);
    gint64 last = __atomic_load_n(&file->last_us, __ATOMIC_RELAXED);
    double bytes = (double)__atomic_load_n(&file->delivered, __ATOMIC_RELAXED);
    if (first == 0)
        return;
    add_time(b, "first_read", moment_wall(begin, first));
    add_time(b, "last_read", moment_wall(begin, last));
    if (last - first >= PACE_MIN_US)
        add_int(b, "per_second", (gint64)(bytes * G_USEC_PER_SEC / (double)(last - first)));
}

static void
add_file(JsonBuilder *b, const struct moment *begin, struct backup_file *file)
{
    static const char *const kinds[] = {"", "database", "log", "generated"};
    gint64 served = (gint64)served_bytes(file->served);

    json_builder_begin_object(b);
    add_string(b, "name", file->name);
    add_string(b, "path", file->path);
    add_string(b, "kind", kinds[file->kind]);
    add_int(b, "size", (gint64)file->size);
    add_int(b, "served", served);
    add_pace(b, begin, file);
    if (file->kind == FILE_DATABASE)
        add_int(b, "verified", served);
    if (file->kind == FILE_LOG) {
        add_int(b, "generation", file->generation);
        add_bool(b, "carried", file->carried);
    }
    add_bool(b, "required", backup_file_is_required(file));
    add_bool(b, "complete", backup_file_is_complete(file));
    add_error(b, file);
    if (file->kind == FILE_DATABASE)
        pagemap_to_json(file, b);
    json_builder_end_object(b);
}

/* What the session holds, or held when it died: nothing is left of it then. */
static gint64
took(uint64_t now, const struct status *status, unsigned limit)
{
    return (gint64)MAX(now, status->engine.rgLimit[limit].used);
}

static void
add_bytes(JsonBuilder *b, const struct status *status)
{
    uint64_t required, served;
    gint64 delivered = (gint64)__atomic_load_n(&status->backup->delivered_bytes, __ATOMIC_RELAXED);
    gint64 us = MAX(moment_between(&status->begin, &status->end), 1);

    backup_count(status->backup, &required, &served);
    begin_object(b, "bytes");
    add_int(b, "required", (gint64)required);
    add_int(b, "served", (gint64)served);
    add_int(b, "delivered", delivered);
    add_int(b, "per_second", (gint64)((double)delivered * G_USEC_PER_SEC / (double)us));
    add_int(b, "preimage", took(status->engine.cbPreimage, status, JETX_limitPreimage));
    add_int(b, "pinned_log", took(status->engine.cbPinnedLog, status, JETX_limitPinnedLog));
    json_builder_end_object(b);
}

static void
add_latency(JsonBuilder *b, const char *name, const JETX_LATENCY *latency)
{
    begin_object(b, name);
    add_int(b, "count", (gint64)latency->c);
    add_int(b, "p50_us", (gint64)latency->usP50);
    add_int(b, "p99_us", (gint64)latency->usP99);
    json_builder_end_object(b);
}

/* As the owner sees its durable commits. */
static void
add_commits(JsonBuilder *b, const JETX_BACKUPSTATUS *engine)
{
    begin_object(b, "commits");
    add_latency(b, "before", &engine->commitBefore);
    add_latency(b, "during", &engine->commitDuring);
    json_builder_end_object(b);
}

static void
add_session(JsonBuilder *b, const struct status *status)
{
    g_autofree char *instance =
        g_strndup(status->engine.szInstance, sizeof status->engine.szInstance);
    g_autofree char *signature = status_signature(&status->engine.signLog);

    begin_object(b, "owner");
    add_bool(b, "live", status->backup->live);
    add_int(b, "pid", status->engine.pid);
    add_string(b, "instance", instance);
    json_builder_end_object(b);
    add_time(b, "begin", status->begin.wall_us);
    add_time(b, "end", status->end.wall_us);
    json_builder_set_member_name(b, "seconds");
    json_builder_add_double_value(b, (double)(moment_between(&status->begin, &status->end) / 1000) /
                                         1000);
    begin_object(b, "logs");
    add_string(b, "signature", signature);
    add_int(b, "low", status->engine.genLow);
    add_int(b, "high", status->engine.genHigh);
    json_builder_end_object(b);
    begin_object(b, "freeze");
    add_int(b, "lgpos", (gint64)status->engine.lgposFreeze);
    add_int(b, "us", (gint64)status->engine.usFreeze);
    json_builder_end_object(b);
    add_bytes(b, status);
    session_limits_to_json(&status->engine, b);
    add_commits(b, &status->engine);
}

static void
add_files(JsonBuilder *b, const struct status *status)
{
    json_builder_set_member_name(b, "files");
    json_builder_begin_array(b);
    for (guint i = 0; i < status->backup->files->len; i++)
        add_file(b, &status->begin, status->backup->files->pdata[i]);
    json_builder_end_array(b);
}

static void
add_this_as_last_complete(JsonBuilder *b, const struct status *status)
{
    g_autofree char *signature = status_signature(&status->engine.signLog);

    json_builder_begin_object(b);
    add_time(b, "end", status->end.wall_us);
    add_string(b, "signature", signature);
    json_builder_set_member_name(b, "logs");
    json_builder_begin_array(b);
    for (guint i = 0; i < status->backup->files->len; i++) {
        const struct backup_file *file = status->backup->files->pdata[i];
        if (file->kind != FILE_LOG)
            continue;
        json_builder_begin_object(b);
        add_int(b, "generation", file->generation);
        add_int(b, "size", (gint64)file->size);
        add_int(b, "mtime_ns", file->mtime_ns);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
}

static void
add_last_complete(JsonBuilder *b, const struct status *status)
{
    bool complete = strcmp(status->state, "done") == 0 && status->result == EXIT_COMPLETE;

    if (!complete && status->last_complete == NULL)
        return;
    json_builder_set_member_name(b, "last_complete");
    if (complete)
        add_this_as_last_complete(b, status);
    else
        json_builder_add_value(b, json_node_copy(status->last_complete));
}

static char *
to_text(JsonNode *root)
{
    g_autoptr(JsonGenerator) generator = json_generator_new();
    json_generator_set_pretty(generator, TRUE);
    json_generator_set_root(generator, root);
    g_autofree char *text = json_generator_to_data(generator, NULL);
    return g_strconcat(text, "\n", NULL);
}

/* The limit that ended the session, or NULL. */
static const char *
ended_by(const struct status *status)
{
    int ended = status->backup == NULL ? 0 : g_atomic_int_get(&status->backup->limit_ended);
    return ended == 0 ? NULL : session_limits_name((unsigned)ended - 1);
}

char *
status_to_text(const struct status *status)
{
    g_autoptr(JsonBuilder) b = json_builder_new();

    json_builder_begin_object(b);
    add_int(b, "version", 1);
    add_string(b, "state", status->state);
    add_result(b, status->result, status->code, status->text, ended_by(status));
    add_string(b, "source", status->source);
    add_string(b, "mountpoint", status->mountpoint);
    add_string(b, "status_file", status->status_file);
    add_string(b, "mode", status->mode);
    add_string(b, "cache", status->cache);
    g_autofree char *device =
        g_strdup_printf("%u:%u", major(status->device), minor(status->device));
    add_string(b, "device", status->device == 0 ? NULL : device);
    add_bool(b, "lease", status->lease);
    add_bool(b, "sandbox", status->sandbox);
    begin_object(b, "driver");
    add_int(b, "pid", getpid());
    add_int(b, "start_ticks", (gint64)status_process_start(getpid()));
    add_string(b, "version", JETFS_VERSION);
    json_builder_end_object(b);
    if (status->backup != NULL) {
        add_session(b, status);
        add_files(b, status);
    }
    events_to_json(status->events, b);
    add_last_complete(b, status);
    json_builder_end_object(b);

    g_autoptr(JsonNode) root = json_builder_get_root(b);
    return to_text(root);
}

char *
status_with_result(const struct status_summary *summary, enum jetfs_exit result, const char *text)
{
    g_autoptr(JsonNode) root = json_node_copy(summary->root);
    JsonObject *object = json_node_get_object(root);
    g_autofree char *end = events_time(g_get_real_time());
    JsonObject *changed = json_object_new();

    json_object_set_string_member(changed, "name", exit_name(result));
    json_object_set_int_member(changed, "exit", result);
    json_object_set_int_member(changed, "code", 0);
    json_object_set_string_member(changed, "error", JetxErrorNameA(0));
    json_object_set_string_member(changed, "text", text);
    json_object_set_string_member(object, "state", "done");
    json_object_set_string_member(object, "end", end);
    json_object_set_object_member(object, "result", changed);
    return to_text(root);
}
