/* SPDX-License-Identifier: MIT */
/*
 * jetfs: mounts backup sessions of live ESE databases. The first word is a verb; a plain
 * `jetfs SOURCE MOUNTPOINT`, as fstab and mount(8) call it, is a mount.
 */
#include "commands.h"

#include <glib.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

static const struct verb {
    const char *name;
    enum jetfs_exit (*run)(int argc, char **argv);
    const char *usage;
} verbs[] = {
    {"mount", cmd_mount, "mount SOURCE MOUNTPOINT [-f] [-o LIST]   (the verb may be left out)"},
    {"umount", cmd_umount, "umount MOUNTPOINT [--abort | --truncate]"},
    {"status", cmd_status, "status MOUNTPOINT [--wait] [--json]"},
    {"verify", cmd_verify, "verify COPY"},
    {"restore", cmd_restore, "restore COPY TARGET"},
};

static void
usage(FILE *out)
{
    fprintf(out, "usage:\n");
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        fprintf(out, "  jetfs %s\n", verbs[i].usage);
    fprintf(out, "  jetfs --version\n\n"
                 "exit codes: 0 complete, 1 cannot be done here, 2 usage, 3 incomplete,\n"
                 "4 aborted by the owner of the database, 5 corrupt, 6 driver died, 7 running\n");
}

static enum jetfs_exit
dispatch(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        usage(stdout);
        return EXIT_COMPLETE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("jetfs %s\n", JETFS_VERSION);
        return EXIT_COMPLETE;
    }
    return cmd_mount(argc, argv);
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
