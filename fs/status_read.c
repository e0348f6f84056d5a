/* SPDX-License-Identifier: MIT */
/*
 * The status as others read it. What stands in the file may be anybody's: every member is looked at
 * before it is taken.
 */
#include "status.h"

#include "json_get.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define TEXT_MAX (64u << 20)

static gint64
int_member(JsonObject *object, const char *name)
{
    JsonNode *node = object == NULL ? NULL : json_object_get_member(object, name);
    return node != NULL && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_int(node) : 0;
}

static const char *
string_member(JsonObject *object, const char *name)
{
    JsonNode *node = object == NULL ? NULL : json_object_get_member(object, name);
    return node != NULL && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
}

static JsonObject *
object_member(JsonObject *object, const char *name)
{
    JsonNode *node = object == NULL ? NULL : json_object_get_member(object, name);
    return node != NULL && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static bool
log_is_listed(JsonArray *logs, const struct backup_file *file)
{
    for (guint i = 0; i < json_array_get_length(logs); i++) {
        JsonNode *node = json_array_get_element(logs, i);
        JsonObject *log = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
        if (int_member(log, "generation") == file->generation &&
            int_member(log, "size") == (gint64)file->size &&
            int_member(log, "mtime_ns") == file->mtime_ns)
            return true;
    }
    return false;
}

void
status_carry(struct status *status)
{
    JsonNode *last = status->last_complete;
    JsonObject *object =
        last != NULL && JSON_NODE_HOLDS_OBJECT(last) ? json_node_get_object(last) : NULL;
    JsonNode *logs = object == NULL ? NULL : json_object_get_member(object, "logs");
    g_autofree char *signature = status_signature(&status->engine.signLog);

    if (logs == NULL || !JSON_NODE_HOLDS_ARRAY(logs) ||
        g_strcmp0(string_member(object, "signature"), signature) != 0)
        return;
    for (guint i = 0; i < status->backup->files->len; i++) {
        struct backup_file *file = status->backup->files->pdata[i];
        if (file->kind == FILE_LOG)
            file->carried = log_is_listed(json_node_get_array(logs), file);
    }
}

bool
status_parse(const char *text, struct status_summary *summary)
{
    g_autoptr(JsonNode) root = json_get_parse(text);

    *summary = (struct status_summary) {0};
    if (root == NULL)
        return false;
    JsonObject *object = json_node_get_object(root);
    JsonObject *result = object_member(object, "result");
    JsonObject *driver = object_member(object, "driver");
    if (result == NULL || driver == NULL || string_member(object, "state") == NULL)
        return false;
    summary->state = g_strdup(string_member(object, "state"));
    summary->result = (enum jetfs_exit)int_member(result, "exit");
    summary->result_name = g_strdup(string_member(result, "name"));
    summary->text = g_strdup(string_member(result, "text"));
    summary->mountpoint = g_strdup(string_member(object, "mountpoint"));
    summary->status_file = g_strdup(string_member(object, "status_file"));
    summary->pid = (int)int_member(driver, "pid");
    summary->start_ticks = (guint64)int_member(driver, "start_ticks");
    summary->root = g_steal_pointer(&root);
    return true;
}

/* Up to the end of the file, whatever size it seems to have: the live status changes between looks.
 */
bool
status_read(int fd, struct status_summary *summary)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    uint8_t buf[16384];
    ssize_t n;

    *summary = (struct status_summary) {0};
    while (((n = read(fd, buf, sizeof buf)) > 0 || (n < 0 && errno == EINTR)) &&
           bytes->len <= TEXT_MAX)
        g_byte_array_append(bytes, buf, n > 0 ? (guint)n : 0);
    g_byte_array_append(bytes, (const uint8_t *)"", 1);
    return n == 0 && status_parse((const char *)bytes->data, summary);
}

/* Waits for a lease, but for nothing else: a FIFO or a device is not even opened. */
static int
open_regular(const char *path, uid_t *owner)
{
    struct stat st;
    char again[64];
    int fd = open(path, O_PATH | O_CLOEXEC);

    if (fd < 0)
        return -1;
    int file = -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        snprintf(again, sizeof again, "/proc/self/fd/%d", fd);
        file = open(again, O_RDONLY | O_CLOEXEC);
        *owner = st.st_uid;
    }
    close(fd);
    return file;
}

static bool
load(const char *path, struct status_summary *summary, uid_t *owner)
{
    int fd = open_regular(path, owner);

    *summary = (struct status_summary) {0};
    if (fd < 0)
        return false;
    bool loaded = status_read(fd, summary);
    close(fd);
    return loaded;
}

bool
status_load(const char *path, struct status_summary *summary)
{
    uid_t owner;
    return load(path, summary, &owner);
}

void
status_summary_clear(struct status_summary *summary)
{
    g_free(summary->state);
    g_free(summary->result_name);
    g_free(summary->text);
    g_free(summary->mountpoint);
    g_free(summary->status_file);
    g_clear_pointer(&summary->root, json_node_unref);
    *summary = (struct status_summary) {0};
}

JsonNode *
status_load_last_complete(const char *path)
{
    struct status_summary summary;
    JsonNode *last = NULL;
    uid_t owner;

    /* it makes logs count as served: nobody else's word will do */
    if (load(path, &summary, &owner) && (owner == geteuid() || owner == 0)) {
        JsonNode *node =
            json_object_get_member(json_node_get_object(summary.root), "last_complete");
        last = node == NULL ? NULL : json_node_copy(node);
    }
    status_summary_clear(&summary);
    return last;
}

guint64
status_process_start(int pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid);
    g_autofree char *text = NULL;

    if (pid <= 0 || !g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    const char *after_name = strrchr(text, ')');
    if (after_name == NULL)
        return 0;
    g_auto(GStrv) fields = g_strsplit(after_name + 1, " ", -1);
    if (g_strv_length(fields) < 21)
        return 0;
    /* A zombie has ended: what it held is released. Fields 3 (state) and 22 (start) of proc(5). */
    return fields[1][0] == 'Z' ? 0 : g_ascii_strtoull(fields[20], NULL, 10);
}

bool
status_is_alive(const struct status_summary *summary)
{
    return summary->start_ticks != 0 && status_process_start(summary->pid) == summary->start_ticks;
}

dev_t
status_device(const struct status_summary *summary)
{
    unsigned major_number, minor_number;
    const char *text = string_member(json_node_get_object(summary->root), "device");

    return text != NULL && sscanf(text, "%u:%u", &major_number, &minor_number) == 2
               ? makedev(major_number, minor_number)
               : 0;
}

bool
status_is_leased(const struct status_summary *summary)
{
    JsonNode *node = json_object_get_member(json_node_get_object(summary->root), "lease");
    return node != NULL && JSON_NODE_HOLDS_VALUE(node) && json_node_get_boolean(node);
}
