/* SPDX-License-Identifier: MIT */
/*
 * What keeps this machine, a mount point or a source from working, and what to do about it. The
 * names of the checks stand in jetfs-doctor(1).
 */
#include "commands.h"

#include "checks.h"
#include "cli.h"
#include "doctor.h"
#include "instances.h"
#include "mounts.h"

#include <sys/stat.h>

static bool
has_database(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        if (g_str_has_suffix(name, ".edb") || g_str_has_suffix(name, ".backup") ||
            g_str_has_suffix(name, ".log"))
            return true;
    }
    return false;
}

/* A file, a socket, or a directory with databases or logs that is no mount of ours. */
static bool
is_source(const char *path)
{
    struct stat st;

    if (mounts_look(path) == MOUNTS_STALE || mounts_look(path) == MOUNTS_JETFS ||
        stat(path, &st) < 0)
        return false;
    return !S_ISDIR(st.st_mode) || has_database(path);
}

static void
look_at_paths(struct doctor *d, char **words)
{
    g_autofree char *source = NULL, *mountpoint = NULL;
    struct trouble t = {0};

    for (char **word = words; *word != NULL; word++) {
        g_autofree char *path = mounts_resolve(*word);
        if (path == NULL)
            path = g_canonicalize_filename(*word, NULL);
        bool as_source = source == NULL && (is_source(path) || (word == words && word[1] != NULL));
        if (as_source)
            source = g_steal_pointer(&path);
        else
            mountpoint = g_steal_pointer(&path);
    }
    if (source != NULL)
        doctor_source(d, source);
    if (mountpoint != NULL)
        doctor_mountpoint(d, mountpoint);
    if (source != NULL && mountpoint != NULL)
        doctor_take(d, FINDING_BAD, "apart", checks_apart(source, mountpoint, &t), &t,
                    "source and mount point lie apart");
}

/* Without paths: all live instances of this user. */
static void
look_at_instances(struct doctor *d)
{
    g_autoptr(GPtrArray) instances = instances_find();

    for (guint i = 0; i < instances->len; i++) {
        const struct instance_info *info = instances->pdata[i];
        doctor_source(d, info->directory);
    }
}

enum jetfs_exit
cmd_doctor(int argc, char **argv)
{
    gboolean as_json = FALSE;
    const GOptionEntry options[] = {
        {"json", 'j', 0, G_OPTION_ARG_NONE, &as_json, "Print it as JSON", NULL},
        {NULL},
    };
    const struct cli cli = {
        .verb = "doctor",
        .arguments = "[SOURCE] [MOUNTPOINT]",
        .most = 2,
        .summary =
            "Check this machine, all mounts of jetfs, and either a source, a mount point, both "
            "or all live instances: of each check the state, the cause and what to do. 0 when "
            "nothing is bad, else 1. Changes nothing.",
        .options = options,
    };
    g_auto(GStrv) words = NULL;
    enum jetfs_exit code;

    if (!cli_parse(&cli, argc, argv, &words, &code))
        return code;
    struct doctor *d = doctor_new();
    doctor_machine(d);
    doctor_mounts(d);
    doctor_leftovers(d);
    if (words[0] != NULL)
        look_at_paths(d, words);
    else
        look_at_instances(d);
    if (as_json)
        doctor_print_json(d);
    else
        doctor_print(d);
    code = doctor_has_bad(d) ? EXIT_ENVIRONMENT : EXIT_COMPLETE;
    doctor_free(d);
    return code;
}
