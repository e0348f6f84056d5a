/* SPDX-License-Identifier: MIT */
#include "cli.h"
#include "commands.h"

#include "esentx.h"

#include <glib.h>
#include <inttypes.h>
#include <stdio.h>

/* Prints what was verified, and the first thing that was wrong. */
static enum jetfs_exit
report(const char *copy, JET_ERR err, const JETX_VERIFYREPORT *r)
{
    printf("%s: %u databases, %" PRIu64 " pages, %u logs (generations %u to %u), %" PRIu64
           " bytes verified\n",
           copy, r->cDatabase, r->cPage, r->cLog, r->genLow, r->genHigh, r->cbVerified);
    if (err >= 0) {
        printf("%s: good\n", copy);
        return EXIT_COMPLETE;
    }
    fprintf(stderr,
            "jetfs: %s: %.255s at offset %" PRIu64 ": %.255s (%s, %d); %" PRIu64 " bad pages\n",
            copy, r->szFileFirst, r->ibFirst,
            r->szReasonFirst[0] != '\0' ? r->szReasonFirst : JetxErrorTextA(err),
            JetxErrorNameA(err), err, r->cPageBad);
    return EXIT_CORRUPT;
}

enum jetfs_exit
cmd_verify(int argc, char **argv)
{
    const struct cli cli = {
        .verb = "verify",
        .arguments = "COPY",
        .least = 1,
        .most = 1,
        .summary = "Verify a copied backup: its manifest, every page and the chain of its logs.",
    };
    g_auto(GStrv) paths = NULL;
    enum jetfs_exit code;

    if (!cli_parse(&cli, argc, argv, &paths, &code))
        return code;
    if (!g_file_test(paths[0], G_FILE_TEST_IS_DIR)) {
        fprintf(stderr, "jetfs: %s: no such directory\n", paths[0]);
        return EXIT_ENVIRONMENT;
    }
    JETX_VERIFYREPORT r = {.cbStruct = sizeof r};
    return report(paths[0], JetxVerifyBackupA(paths[0], &r), &r);
}
