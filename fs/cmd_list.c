/* SPDX-License-Identifier: MIT */
/*
 * What there is to back up on this machine, and what is being backed up. The members of the JSON
 * stand in jetfs-list(1).
 */
#include "commands.h"

#include "cli.h"
#include "events.h"
#include "instances.h"
#include "json_get.h"
#include "json_out.h"
#include "known.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *
state_of(const struct instance_info *info)
{
    if (info->err < 0)
        return info->err == JET_errAccessDenied ? "refused" : "silent";
    return info->status.timeEnd == 0 && info->status.timeBegin != 0 ? "session" : "idle";
}

static void
print_instance(const struct instance_info *info)
{
    g_autofree char *since = events_time(info->since_us);

    printf("%s  pid %d (%s), instance %s, since %s, ", info->directory, info->pid, info->program,
           info->base, since);
    if (info->err < 0)
        printf("does not answer: %s (%d)\n", JetxErrorNameA(info->err), info->err);
    else if (strcmp(state_of(info), "idle") == 0)
        printf("no session\n");
    else
        printf("session held by pid %u (%s)%s%s\n", info->status.pidHolder,
               info->status.szHolderProgram, info->status.szHolderMount[0] ? " at " : "",
               info->status.szHolderMount);
    for (guint i = 0; i < info->databases->len; i++)
        printf("  %s\n", (const char *)info->databases->pdata[i]);
}

static void
print_mount(const struct known_mount *k)
{
    JsonObject *root = k->has_status ? json_node_get_object(k->status.root) : NULL;
    JsonObject *bytes = json_get_object(root, "bytes");
    gint64 required = json_get_int(bytes, "required"), served = json_get_int(bytes, "served");

    printf("%s  %s", k->mountpoint, known_state_name(k->state));
    if (k->pid > 0)
        printf(", driver %d", k->pid);
    if (root != NULL)
        printf(", %s since %s, %d %% read", k->status.state, json_get_string(root, "begin"),
               required > 0 ? (int)(100.0 * (double)served / (double)required) : 100);
    printf("\n  source %s\n", k->source);
}

static void
print_text(const GPtrArray *instances, const GPtrArray *mounts)
{
    const char *none = geteuid() == 0 ? "none" : "none of this user";

    printf("Instances that offer backups: %s\n", instances->len == 0 ? none : "");
    for (guint i = 0; i < instances->len; i++)
        print_instance(instances->pdata[i]);
    printf("Mounts: %s\n", mounts->len == 0 ? "none" : "");
    for (guint i = 0; i < mounts->len; i++)
        print_mount(mounts->pdata[i]);
}

static void
add_session(JsonBuilder *b, const struct instance_info *info)
{
    json_builder_set_member_name(b, "session");
    if (strcmp(state_of(info), "session") != 0) {
        json_builder_add_null_value(b);
        return;
    }
    g_autofree char *begin = events_time((gint64)info->status.timeBegin * G_USEC_PER_SEC);
    json_builder_begin_object(b);
    json_out_int(b, "pid", info->status.pidHolder);
    json_out_string(b, "program", info->status.szHolderProgram);
    json_out_string(b, "mountpoint", info->status.szHolderMount);
    json_out_string(b, "begin", begin);
    json_builder_end_object(b);
}

static void
add_instance(JsonBuilder *b, const struct instance_info *info)
{
    g_autofree char *since = events_time(info->since_us);

    json_builder_begin_object(b);
    json_out_int(b, "pid", info->pid);
    json_out_string(b, "program", info->program);
    json_out_string(b, "instance", info->base);
    json_out_string(b, "directory", info->directory);
    json_out_string(b, "socket", info->socket);
    json_out_string(b, "since", since);
    json_out_string(b, "state", state_of(info));
    json_out_int(b, "code", info->err < 0 ? info->err : 0);
    json_builder_set_member_name(b, "databases");
    json_builder_begin_array(b);
    for (guint i = 0; i < info->databases->len; i++)
        json_builder_add_string_value(b, info->databases->pdata[i]);
    json_builder_end_array(b);
    add_session(b, info);
    json_builder_end_object(b);
}

static void
add_mount(JsonBuilder *b, const struct known_mount *k)
{
    JsonObject *root = k->has_status ? json_node_get_object(k->status.root) : NULL;
    JsonObject *bytes = json_get_object(root, "bytes");

    json_builder_begin_object(b);
    json_out_string(b, "mountpoint", k->mountpoint);
    json_out_string(b, "source", k->source);
    json_out_string(b, "state", known_state_name(k->state));
    json_out_int(b, "pid", k->pid);
    json_out_string(b, "session", root == NULL ? "" : k->status.state);
    json_out_string(b, "begin", json_get_string(root, "begin"));
    json_out_string(b, "status_file", root == NULL ? "" : k->status.status_file);
    json_out_int(b, "required", json_get_int(bytes, "required"));
    json_out_int(b, "served", json_get_int(bytes, "served"));
    json_builder_end_object(b);
}

static void
print_json(const GPtrArray *instances, const GPtrArray *mounts)
{
    g_autoptr(JsonBuilder) b = json_builder_new();

    json_builder_begin_object(b);
    json_out_int(b, "version", 1);
    json_builder_set_member_name(b, "instances");
    json_builder_begin_array(b);
    for (guint i = 0; i < instances->len; i++)
        add_instance(b, instances->pdata[i]);
    json_builder_end_array(b);
    json_builder_set_member_name(b, "mounts");
    json_builder_begin_array(b);
    for (guint i = 0; i < mounts->len; i++)
        add_mount(b, mounts->pdata[i]);
    json_builder_end_array(b);
    json_builder_end_object(b);
    json_out_print(b);
}

enum jetfs_exit
cmd_list(int argc, char **argv)
{
    gboolean as_json = FALSE;
    const GOptionEntry options[] = {
        {"json", 'j', 0, G_OPTION_ARG_NONE, &as_json, "Print it as JSON", NULL},
        {NULL},
    };
    const struct cli cli = {
        .verb = "list",
        .arguments = "",
        .summary = "List the live instances of this user (of all, for root) that offer backups, "
                   "and the mounts of jetfs.",
        .options = options,
    };
    g_auto(GStrv) words = NULL;
    enum jetfs_exit code;

    if (!cli_parse(&cli, argc, argv, &words, &code))
        return code;
    g_autoptr(GPtrArray) instances = instances_find();
    g_autoptr(GPtrArray) mounts = known_mounts();
    if (as_json)
        print_json(instances, mounts);
    else
        print_text(instances, mounts);
    return EXIT_COMPLETE;
}
