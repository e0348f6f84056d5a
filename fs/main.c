/* SPDX-License-Identifier: MIT */
/*
 * jetfs: mounts backup sessions of live ESE databases. The first word is a verb; a plain
 * `jetfs SOURCE MOUNTPOINT`, as fstab and mount(8) call it, is a mount.
 *
 * How to add a verb stands in cli.h.
 */
#include "cli.h"
#include "commands.h"

#include <glib.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIKE 2 /* letters that a mistyped verb may differ by */

/* In the order in which they are needed; one line for `jetfs --help`. */
static const struct verb {
    const char *name;
    enum jetfs_exit (*run)(int argc, char **argv);
    const char *line;
} verbs[] = {
    {"mount", cmd_mount, "Mount a backup session; `jetfs SOURCE MOUNTPOINT` is the same"},
    {"umount", cmd_umount, "End a session, print its result and exit by it"},
    {"status", cmd_status, "Print the state or the result of a session"},
    {"list", cmd_list, "List live instances that offer backups, and mounts"},
    {"doctor", cmd_doctor, "Say what keeps mounts from working, and what to do"},
    {"backup", cmd_backup, "Copy a backup to a directory, without a mount"},
    {"verify", cmd_verify, "Verify a copied backup"},
    {"restore", cmd_restore, "Restore a copied backup to clean databases"},
    {"header", cmd_header, "Print the headers of databases, logs and checkpoints"},
    {"log", cmd_log, "Verify logs and print what is in them"},
};

static const struct verb *
find_verb(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
        if (strcmp(name, verbs[i].name) == 0)
            return &verbs[i];
    }
    return NULL;
}

static enum jetfs_exit
print_help(void)
{
    printf("Usage:\n  jetfs VERB [OPTION...] ARGUMENTS\n  jetfs SOURCE MOUNTPOINT [-o LIST]\n\n"
           "Mount backup sessions of live ESE databases; copy, verify and restore them.\n\n"
           "Verbs:\n");
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        printf("  %-10s %s\n", verbs[i].name, verbs[i].line);
    printf("  %-10s %s\n\nOptions:\n  %-10s %s\n  %-10s %s\n\nExit codes:\n", "help",
           "Print this help, or that of a verb: jetfs help VERB", "--version", "Print the version",
           "-h, --help", "Print this help; after a verb: its help");
    for (int code = EXIT_COMPLETE; code <= EXIT_LAST; code++)
        printf("  %d  %s\n", code, exit_text((enum jetfs_exit)code));
    printf("\nManual: jetfs(1).\n");
    return EXIT_COMPLETE;
}

/* The verb that the word is nearly; NULL when none is. */
static const struct verb *
find_like(const char *word)
{
    const struct verb *like = NULL;
    guint least = LIKE + 1;

    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
        guint distance = cli_distance(word, verbs[i].name);
        if (distance < least)
            like = &verbs[i];
        least = MIN(least, distance);
    }
    return like;
}

static enum jetfs_exit
unknown_verb(const char *word)
{
    const struct verb *like = find_like(word);

    fprintf(stderr, "jetfs: '%s' is no verb", word);
    if (like != NULL)
        fprintf(stderr, "; did you mean `jetfs %s`?", like->name);
    fprintf(stderr, "\nusage: jetfs VERB [OPTION...] ARGUMENTS; see `jetfs --help`\n");
    return EXIT_USAGE;
}

/* A word that can be no source, and that stands alone or is nearly a verb. */
static bool
is_mistyped_verb(int argc, const char *word)
{
    if (word[0] == '-' || strchr(word, '/') != NULL || access(word, F_OK) == 0)
        return false;
    return argc == 2 || find_like(word) != NULL;
}

static enum jetfs_exit
help(int argc, char **argv)
{
    if (argc < 2)
        return print_help();
    const struct verb *verb = find_verb(argv[1]);
    if (verb == NULL)
        return unknown_verb(argv[1]);
    char *call[] = {argv[1], "--help", NULL};
    return verb->run(2, call);
}

static enum jetfs_exit
dispatch(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "jetfs: a verb is missing\n"
                        "usage: jetfs VERB [OPTION...] ARGUMENTS; see `jetfs --help`\n");
        return EXIT_USAGE;
    }
    const struct verb *verb = find_verb(argv[1]);
    if (verb != NULL)
        return verb->run(argc - 1, argv + 1);
    if (strcmp(argv[1], "help") == 0)
        return help(argc - 1, argv + 1);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return print_help();
    if (strcmp(argv[1], "--version") == 0) {
        printf("jetfs %s\n", JETFS_VERSION);
        return EXIT_COMPLETE;
    }
    return is_mistyped_verb(argc, argv[1]) ? unknown_verb(argv[1]) : cmd_mount(argc, argv);
}

int
main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_autofree char *name = g_path_get_basename(argv[0]);
    g_set_prgname("jetfs");
    if (strcmp(name, "umount.fuse.jetfs") == 0)
        return (int)cmd_umount_helper(argc, argv);
    return (int)dispatch(argc, argv);
}
