/* SPDX-License-Identifier: MIT */
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
    g_auto(GStrv) paths = NULL;
    const GOptionEntry entries[] = {
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &paths, NULL, NULL},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("COPY");
    g_autoptr(GError) error = NULL;

    g_option_context_set_summary(context,
                                 "Verify a copied backup: its manifest, every page and the "
                                 "chain of its logs.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "jetfs: %s\n", error->message);
        return EXIT_USAGE;
    }
    if (paths == NULL || g_strv_length(paths) != 1) {
        fprintf(stderr, "jetfs: give one directory; see `jetfs verify --help`\n");
        return EXIT_USAGE;
    }
    if (!g_file_test(paths[0], G_FILE_TEST_IS_DIR)) {
        fprintf(stderr, "jetfs: %s: no such directory\n", paths[0]);
        return EXIT_ENVIRONMENT;
    }
    JETX_VERIFYREPORT r = {.cbStruct = sizeof r};
    return report(paths[0], JetxVerifyBackupA(paths[0], &r), &r);
}
