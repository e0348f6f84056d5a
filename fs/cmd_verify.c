/* SPDX-License-Identifier: MIT */
#include "advice.h"
#include "cli.h"
#include "commands.h"

#include "esentx.h"
#include "json_out.h"

#include <glib.h>
#include <inttypes.h>
#include <stdio.h>

static struct advice_finding
finding(JET_ERR err, const JETX_VERIFYREPORT *r)
{
    return (struct advice_finding) {err, r->szFileFirst, r->ibFirst, r->szReasonFirst};
}

static enum jetfs_exit
report_json(const char *copy, JET_ERR err, const JETX_VERIFYREPORT *r)
{
    const struct advice_finding found = finding(err, r);
    const enum jetfs_exit code = err < 0 ? advice_code(&found) : EXIT_COMPLETE;
    g_autoptr(JsonBuilder) b = json_builder_new();

    json_builder_begin_object(b);
    json_out_string(b, "copy", copy);
    json_out_int(b, "exit", code);
    json_out_int(b, "code", err);
    json_out_string(b, "error", JetxErrorNameA(err));
    json_out_string(b, "file", r->szFileFirst);
    json_out_int(b, "offset", (gint64)r->ibFirst);
    json_out_string(b, "reason", r->szReasonFirst);
    json_out_int(b, "databases", r->cDatabase);
    json_out_int(b, "pages", (gint64)r->cPage);
    json_out_int(b, "bad_pages", (gint64)r->cPageBad);
    json_out_int(b, "logs", r->cLog);
    json_out_int(b, "low", r->genLow);
    json_out_int(b, "high", r->genHigh);
    json_out_int(b, "bytes", (gint64)r->cbVerified);
    json_builder_end_object(b);
    json_out_print(b);
    return code;
}

/* Prints what was verified, and the first thing that was wrong. */
static enum jetfs_exit
report(const char *copy, JET_ERR err, const JETX_VERIFYREPORT *r)
{
    const struct advice_finding found = finding(err, r);
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
    return advice_print(before, &found);
}

enum jetfs_exit
cmd_verify(int argc, char **argv)
{
    gboolean as_json = FALSE;
    const GOptionEntry options[] = {
        {"json", 'j', 0, G_OPTION_ARG_NONE, &as_json, "Print the result as JSON", NULL},
        {NULL},
    };
    const struct cli cli = {
        .verb = "verify",
        .arguments = "COPY [MORE...]",
        .least = 1,
        .most = G_MAXUINT,
        .summary = "Verify a copied backup: its manifest, every page, the logs and whether all "
                   "of it belongs together. MORE are directories with later logs, such as "
                   "incremental backups.",
        .options = options,
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
    return as_json ? report_json(paths[0], err, &r) : report(paths[0], err, &r);
}
