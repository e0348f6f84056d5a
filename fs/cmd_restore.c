/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include "esentx.h"

#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static enum jetfs_exit
restore(const char *copy, const char *target)
{
    JETX_RESTOREREPORT r = {.cbStruct = sizeof r};

    /* Without a journal events come to the terminal: those that only inform are left out there. */
    if (access("/run/systemd/journal/socket", W_OK) != 0)
        (void)JetSetSystemParameterA(NULL, JET_sesidNil, JET_paramNoInformationEvent, 1, NULL);

    JET_ERR err = JetxRestoreBackupA(copy, target, NULL, &r);
    if (err < 0) {
        fprintf(stderr, "jetfs: cannot restore %s to %s: %s (%s, %d)\n", copy, target,
                JetxErrorTextA(err), JetxErrorNameA(err), err);
        return exit_is_corruption(err) ? EXIT_CORRUPT : EXIT_ENVIRONMENT;
    }
    printf("%s: %u databases restored and clean: logs %u to %u, %" PRIu64
           " records redone, %" PRIu64 " ms\n",
           target, r.cDatabase, r.genLow, r.genHigh, r.cRecord, r.msElapsed);
    return EXIT_COMPLETE;
}

enum jetfs_exit
cmd_restore(int argc, char **argv)
{
    g_auto(GStrv) paths = NULL;
    const GOptionEntry entries[] = {
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &paths, NULL, NULL},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("COPY TARGET");
    g_autoptr(GError) error = NULL;

    g_option_context_set_summary(context, "Restore a copied backup into the directory TARGET, and "
                                          "recover it to clean databases. COPY is not changed.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "jetfs: %s\n", error->message);
        return EXIT_USAGE;
    }
    if (paths == NULL || g_strv_length(paths) != 2) {
        fprintf(stderr, "jetfs: give the copy and the target; see `jetfs restore --help`\n");
        return EXIT_USAGE;
    }
    return restore(paths[0], paths[1]);
}
