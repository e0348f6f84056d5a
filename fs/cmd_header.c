/* SPDX-License-Identifier: MIT */
/*
 * What stands in the header of a database, a log or a checkpoint, in the manner of esentutl /mh,
 * /ml and /mk. The members of the JSON stand in jetfs-header(1).
 */
#include "commands.h"

#include "cli.h"
#include "field_out.h"
#include "json_out.h"

#include <inttypes.h>
#include <stdio.h>

static const char *
type_name(uint32_t filetype)
{
    switch (filetype) {
    case JET_filetypeDatabase:
        return "database";
    case JET_filetypeLog:
        return "log";
    case JET_filetypeCheckpoint:
        return "checkpoint";
    default:
        return "unknown";
    }
}

static bool
has_two_copies(const JETX_HEADER *h)
{
    return h->filetype == JET_filetypeDatabase || h->filetype == JET_filetypeCheckpoint;
}

/* The first thing that is wrong with the header; 0 = nothing. */
static JET_ERR
first_error(const JETX_HEADER *h)
{
    return h->errCopy[0] < 0 ? h->errCopy[0] : h->errCopy[1];
}

static const char *
copy_state(JET_ERR err)
{
    return err < 0 ? JetxErrorNameA(err) : "good";
}

static void
print_text(const char *path, const JETX_HEADER *h)
{
    printf("%s: %s, %" PRIu64 " bytes\n", path, type_name(h->filetype), h->cbFile);
    if (has_two_copies(h))
        printf("  %-28s first %s, second %s; shown: %s\n", "copies", copy_state(h->errCopy[0]),
               copy_state(h->errCopy[1]), h->iCopy ? "second" : "first");
    for (uint32_t i = 0; i < h->cField; i++) {
        g_autofree char *value = field_text(&h->rgField[i]);
        printf("  %-28s %s\n", h->rgField[i].szName, value);
    }
}

static void
add_copies(JsonBuilder *b, const JETX_HEADER *h)
{
    json_builder_set_member_name(b, "copies");
    json_builder_begin_array(b);
    for (int i = 0; i < (has_two_copies(h) ? 2 : h->filetype == JET_filetypeLog); i++) {
        json_builder_begin_object(b);
        json_out_int(b, "code", h->errCopy[i]);
        json_out_string(b, "error", copy_state(h->errCopy[i]));
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    json_out_int(b, "shown", h->iCopy);
    json_builder_set_member_name(b, "differ");
    json_builder_add_boolean_value(b, h->fCopiesDiffer != 0);
}

static void
add_file(JsonBuilder *b, const char *path, JET_ERR err, const JETX_HEADER *h)
{
    json_builder_begin_object(b);
    json_out_string(b, "path", path);
    json_out_string(b, "type", h ? type_name(h->filetype) : "unknown");
    json_out_int(b, "code", err < 0 || !h ? err : first_error(h));
    json_out_string(b, "problem",
                    h && (h->szProblem[0] || err >= 0) ? h->szProblem : JetxErrorTextA(err));
    if (h != NULL) {
        json_out_int(b, "size", (gint64)h->cbFile);
        add_copies(b, h);
        json_builder_set_member_name(b, "fields");
        field_add_all(b, h->rgField, h->cField);
    }
    json_builder_end_object(b);
}

/* Of one file: what it is shown as, and its exit code. b NULL: as text. */
static enum jetfs_exit
show(const char *path, JsonBuilder *b)
{
    JETX_HEADER *h = NULL;
    JET_ERR err = JetxReadHeaderA(path, &h);
    enum jetfs_exit code = EXIT_COMPLETE;

    if (b != NULL)
        add_file(b, path, err, h);
    else if (err >= 0)
        print_text(path, h);
    if (err < 0) {
        fprintf(stderr, "jetfs: %s: %s (%s, %d)\n", path,
                h && h->szProblem[0] ? h->szProblem : JetxErrorTextA(err), JetxErrorNameA(err),
                err);
        code = EXIT_ENVIRONMENT;
    } else if (h->szProblem[0] != '\0') {
        err = first_error(h);
        fprintf(stderr, "jetfs: %s: %s%s%s%s\n", path, h->szProblem, err < 0 ? " (" : "",
                err < 0 ? JetxErrorNameA(err) : "", err < 0 ? ")" : "");
        code = EXIT_CORRUPT;
    }
    JetFreeBuffer((char *)h);
    return code;
}

enum jetfs_exit
cmd_header(int argc, char **argv)
{
    gboolean as_json = FALSE;
    const GOptionEntry options[] = {
        {"json", 'j', 0, G_OPTION_ARG_NONE, &as_json, "Print JSON", NULL},
        {NULL},
    };
    const struct cli cli = {
        .verb = "header",
        .arguments = "FILE...",
        .least = 1,
        .most = G_MAXUINT,
        .summary = "Print the headers of databases, logs and checkpoints, field by field, and "
                   "whether they are whole.",
        .options = options,
    };
    g_auto(GStrv) paths = NULL;
    enum jetfs_exit code;

    if (!cli_parse(&cli, argc, argv, &paths, &code))
        return code;
    code = EXIT_COMPLETE;
    g_autoptr(JsonBuilder) b = as_json ? json_builder_new() : NULL;
    if (b != NULL) {
        json_builder_begin_object(b);
        json_out_int(b, "version", 1);
        json_builder_set_member_name(b, "files");
        json_builder_begin_array(b);
    }
    for (char **path = paths; *path; path++) {
        enum jetfs_exit one = show(*path, b);
        if (one != EXIT_COMPLETE && code != EXIT_CORRUPT)
            code = one;
    }
    if (b != NULL) {
        json_builder_end_array(b);
        json_builder_end_object(b);
        json_out_print(b);
    }
    return code;
}
