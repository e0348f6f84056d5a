/* SPDX-License-Identifier: MIT */
#include "cli.h"
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
    const struct cli cli = {
        .verb = "restore",
        .arguments = "COPY TARGET",
        .least = 2,
        .most = 2,
        .summary = "Restore a copied backup into the directory TARGET, and recover it to clean "
                   "databases. COPY is not changed.",
    };
    g_auto(GStrv) paths = NULL;
    enum jetfs_exit code;

    if (!cli_parse(&cli, argc, argv, &paths, &code))
        return code;
    return restore(paths[0], paths[1]);
}
