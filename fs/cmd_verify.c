/* SPDX-License-Identifier: MIT */
#include "advice.h"
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
    if (r->cPageBad > 0)
        printf("%s: %" PRIu64 " bad pages\n", copy, r->cPageBad);
    g_autofree char *before = g_strdup_printf("jetfs: %s", copy);
    return advice_print(
        before, &(struct advice_finding) {err, r->szFileFirst, r->ibFirst, r->szReasonFirst});
}

enum jetfs_exit
cmd_verify(int argc, char **argv)
{
    const struct cli cli = {
        .verb = "verify",
        .arguments = "COPY [MORE...]",
        .least = 1,
        .most = G_MAXUINT,
        .summary = "Verify a copied backup: its manifest, every page, the logs and whether all "
                   "of it belongs together. MORE are directories with later logs, such as "
                   "incremental backups.",
    };
    g_auto(GStrv) paths = NULL;
    enum jetfs_exit code;

    if (!cli_parse(&cli, argc, argv, &paths, &code))
        return code;
    for (char **path = paths; *path != NULL; path++) {
        if (!g_file_test(*path, G_FILE_TEST_IS_DIR)) {
            fprintf(stderr, "jetfs: %s: no such directory\n", *path);
            return EXIT_ENVIRONMENT;
        }
    }
    JETX_VERIFYREPORT r = {.cbStruct = sizeof r};
    const JET_ERR err = JetxVerifyBackup2A((const char *const *)paths, g_strv_length(paths), &r);
    return report(paths[0], err, &r);
}
