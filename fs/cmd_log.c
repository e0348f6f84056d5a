/* SPDX-License-Identifier: MIT */
/*
 * Logs, verified and told record by record, in the manner of esentutl /ml: one file, or all of a
 * directory in their order. It stops at the first damage: what lies behind cannot be replayed. The
 * lines of the JSON stand in jetfs-log(1).
 */
#include "commands.h"

#include "cli.h"
#include "field_out.h"
#include "json_out.h"
#include "log_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TYPES      256
#define OPEN_TRIES 5
#define ROUNDS_MAX 100 /* an owner that rolls faster than this reads is not followed further */

struct dump {
    gboolean as_json, records;
    uint32_t first, last; /* generations that are wanted */
    uint32_t files;       /* shown */
    bool directory;
    guint rounds; /* in which the owner rolled */
    bool again;   /* the directory has changed meanwhile */
    char base[4]; /* of the file before, "" = none */
    JETX_LOGINFO before;
};

struct count {
    const char *name;
    uint64_t records, bytes;
};

static JsonBuilder *
begin_line(const char *kind, const char *path)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_object(b);
    json_out_string(b, "kind", kind);
    json_out_string(b, "path", path);
    return b;
}

static void
end_line(JsonBuilder *b)
{
    json_builder_end_object(b);
    json_out_line(b);
    g_object_unref(b);
}

/* ---- the file as a whole ---- */

static void
print_head(const struct dump *d, const char *path, const JETX_LOGINFO *info)
{
    g_autofree char *created = field_time(info->logtimeCreate);
    JETX_HEADER *h = NULL;

    if (!d->as_json) {
        printf("%s: generation %u (0x%X), created %s, %u of %u segments hold data\n", path,
               info->generation, info->generation, created ? created : "-", info->csecValid - 1,
               info->csec - 1);
        return;
    }
    JsonBuilder *b = begin_line("log", path);
    json_out_int(b, "generation", info->generation);
    json_builder_set_member_name(b, "header");
    if (JetxReadHeaderA(path, &h) >= 0)
        field_add_all(b, h->rgField, h->cField);
    else
        json_builder_add_null_value(b);
    JetFreeBuffer((char *)h);
    end_line(b);
}

static void
print_record(const struct dump *d, const JETX_LOGRECORD *r)
{
    if (d->as_json) {
        g_autoptr(JsonBuilder) b = json_builder_new();
        json_builder_begin_object(b);
        json_out_string(b, "kind", "record");
        field_add_lgpos(b, "lgpos", r->lgpos);
        json_out_string(b, "type", r->szType);
        json_out_int(b, "lrtyp", r->lrtyp);
        json_out_int(b, "cb", r->cb);
        json_builder_set_member_name(b, "fields");
        field_add_all(b, r->rgField, r->cField);
        json_builder_end_object(b);
        json_out_line(b);
        return;
    }
    g_autofree char *at = field_lgpos(r->lgpos);
    printf("  %-16s %s [%u]", at, r->szType, r->cb);
    for (uint32_t i = 0; i < r->cField; i++) {
        g_autofree char *value = field_text(&r->rgField[i]);
        printf(" %s %s", r->rgField[i].szName, value);
    }
    printf("\n");
}

static void
end_json(const char *path, const JETX_LOGINFO *info, const struct count *counts)
{
    JsonBuilder *b = begin_line("end", path);
    json_builder_set_member_name(b, "types");
    json_builder_begin_object(b);
    for (int i = 0; i < TYPES; i++) {
        if (counts[i].records == 0)
            continue;
        json_builder_set_member_name(b, counts[i].name);
        json_builder_begin_object(b);
        json_out_int(b, "records", (gint64)counts[i].records);
        json_out_int(b, "bytes", (gint64)counts[i].bytes);
        json_builder_end_object(b);
    }
    json_builder_end_object(b);
    field_add_lgpos(b, "end", info->lgposEnd);
    json_out_int(b, "segments", info->csecValid - 1);
    json_out_int(b, "patched", info->csecPatched);
    json_out_int(b, "repaired", info->csecRepaired);
    json_builder_set_member_name(b, "torn");
    json_builder_add_boolean_value(b, info->fTorn != 0);
    json_builder_set_member_name(b, "closed");
    json_builder_add_boolean_value(b, info->fClosed != 0);
    json_out_int(b, "code", info->errEnd);
    json_out_string(b, "error", JetxErrorNameA(info->errEnd));
    end_line(b);
}

static void
end_text(const JETX_LOGINFO *info, const struct count *counts)
{
    g_autofree char *end = field_lgpos(info->lgposEnd);

    for (int i = 0; i < TYPES; i++)
        if (counts[i].records > 0)
            printf("  %-28s %8" PRIu64 " records %10" PRIu64 " bytes\n", counts[i].name,
                   counts[i].records, counts[i].bytes);
    printf("  ends at %s%s%s", end, info->fClosed ? ", closed in order" : "",
           info->fTorn ? ", a write that was never acknowledged is cut off" : "");
    if (info->csecPatched + info->csecRepaired > 0)
        printf("; %u segments taken from their shadow, %u with one bit corrected",
               info->csecPatched, info->csecRepaired);
    printf("\n");
}

/* ---- one file ---- */

static enum jetfs_exit
complain(const char *path, const char *text, JET_ERR err)
{
    fflush(stdout);
    fprintf(stderr, "jetfs: %s: %s (%s, %d)\n", path, text, JetxErrorNameA(err), err);
    return EXIT_CORRUPT;
}

/* The log cannot even be opened: what its header says is more than the error. */
static enum jetfs_exit
cannot_open(const char *path, JET_ERR err)
{
    JETX_HEADER *h = NULL;
    JET_ERR of_header = JetxReadHeaderA(path, &h);
    bool other = of_header >= 0 && h->filetype != JET_filetypeLog;

    if (other)
        complain(path, "this is no log; `jetfs header` shows what it is", JET_errFileInvalidType);
    else
        complain(path, h && h->szProblem[0] ? h->szProblem : JetxErrorTextA(err),
                 of_header < 0 ? of_header : err);
    JetFreeBuffer((char *)h);
    bool damaged = of_header >= 0 && !other && err != JET_errBadLogVersion &&
                   err != JET_errOutOfMemory && err != JET_errFileAccessDenied;
    return damaged ? EXIT_CORRUPT : EXIT_ENVIRONMENT;
}

/* Does the file go on from the one before? NULL: yes, or there is none before. */
static const char *
broken_chain(const struct dump *d, const struct log_file *file, const JETX_LOGINFO *info)
{
    const JETX_LOGINFO *before = &d->before;

    if (file->gen != 0 && file->gen != info->generation)
        return "the generation in the name is not that of the header";
    if (d->base[0] == '\0' || g_ascii_strcasecmp(d->base, file->base) != 0)
        return NULL;
    if (info->generation != before->generation + 1)
        return "generations before it are missing";
    if (memcmp(&info->signLog, &before->signLog, sizeof info->signLog) != 0)
        return "it belongs to another stream of logs than the one before";
    if (memcmp(&info->logtimePreviousGeneration, &before->logtimeCreate, sizeof(JET_LOGTIME)) != 0)
        return "it does not follow the log before, but another one of that generation";
    if (info->checksumPrev != 0 && info->checksumPrev != before->checksum)
        return "the log before is not whole: the checksum of all its segments is another";
    return NULL;
}

/* Did the owner roll its log since the directory was listed? Then there are new files before it. */
static bool
has_rolled(const struct dump *d, const struct log_file *file, const JETX_LOGINFO *info)
{
    g_autofree char *folder = g_path_get_dirname(file->path);

    if (file->gen != 0 || broken_chain(d, file, info) == NULL)
        return false;
    GPtrArray *files = log_files_list(folder, NULL);
    bool newer = false;
    for (guint i = 0; files != NULL && i < files->len; i++) {
        const struct log_file *f = files->pdata[i];
        newer |= f->gen == d->before.generation + 1 && g_ascii_strcasecmp(f->base, file->base) == 0;
    }
    if (files != NULL)
        g_ptr_array_unref(files);
    return newer;
}

static enum jetfs_exit
read_records(struct dump *d, const char *path, JETX_LOG log)
{
    struct count counts[TYPES] = {0};
    JETX_LOGRECORD r = {.cbStruct = sizeof r};
    JET_ERR err;

    while ((err = JetxReadLogRecord(log, &r)) >= 0) {
        struct count *count = &counts[r.lrtyp % TYPES];
        count->name = r.szType;
        count->records++;
        count->bytes += r.cb;
        if (d->records)
            print_record(d, &r);
    }
    d->before.cbStruct = sizeof d->before;
    JetxGetLogFileState(log, &d->before);
    if (d->as_json)
        end_json(path, &d->before, counts);
    else
        end_text(&d->before, counts);
    if (d->before.errEnd >= 0)
        return EXIT_COMPLETE;
    g_autofree char *at = field_lgpos(d->before.lgposEnd);
    g_autofree char *text = g_strdup_printf(
        "damaged at %s, byte %" PRIu64 " of the file; %s", at,
        (uint64_t)d->before.lgposEnd.isec * 4096 + d->before.lgposEnd.ib,
        err == JET_errNoCurrentRecord ? "the segment there is bad and data goes on behind it"
                                      : "the record there cannot be read");
    return complain(path, text, d->before.errEnd);
}

/* Of an owner that writes just now a segment may be read in the middle of its write: again. */
static JET_ERR
open_log(const struct log_file *file, JETX_LOG *log, JETX_LOGINFO *info)
{
    JET_ERR err = JET_errSuccess;

    for (int try = 0; try < (file->gen == 0 ? OPEN_TRIES : 1); try++) {
        if (try > 0 && err >= 0)
            JetxCloseLog(*log);
        err = JetxOpenLogA(file->path, file->gen == 0 ? JETX_bitLogNewest : 0, log);
        *info = (JETX_LOGINFO) {.cbStruct = sizeof *info};
        if (err >= 0)
            JetxGetLogFileState(*log, info);
        if (err >= 0 && info->errEnd >= 0)
            break;
    }
    return err;
}

static enum jetfs_exit
show(struct dump *d, const struct log_file *file)
{
    JETX_LOGINFO info;
    JETX_LOG log;

    if (file->gen != 0 && (file->gen < d->first || file->gen > d->last))
        return EXIT_COMPLETE;
    JET_ERR err = open_log(file, &log, &info);
    if (err == JET_errFileNotFound && d->directory) {
        d->again = true; /* a roll renames the current log, then the next one to its name */
        return EXIT_COMPLETE;
    }
    if (err < 0)
        return cannot_open(file->path, err);
    bool wanted = info.generation >= d->first && info.generation <= d->last;
    if (wanted && has_rolled(d, file, &info)) {
        JetxCloseLog(log);
        d->again = true;
        return EXIT_COMPLETE;
    }
    enum jetfs_exit code = EXIT_COMPLETE;
    if (wanted) {
        const char *broken = broken_chain(d, file, &info);
        d->files++;
        print_head(d, file->path, &info);
        code = broken ? complain(file->path, broken, JET_errInvalidLogSequence)
                      : read_records(d, file->path, log);
        g_strlcpy(d->base, file->base, sizeof d->base);
    }
    JetxCloseLog(log);
    return code;
}

/* ---- the command ---- */

/* In an earlier round. */
static bool
is_shown(const struct dump *d, const struct log_file *file)
{
    int by_base = g_ascii_strcasecmp(file->base, d->base);

    return d->base[0] != '\0' && d->files > 0 &&
           (by_base < 0 || (by_base == 0 && file->gen != 0 && file->gen <= d->before.generation));
}

static enum jetfs_exit
show_directory(struct dump *d, const char *path)
{
    g_autoptr(GError) error = NULL;
    enum jetfs_exit code = EXIT_COMPLETE;

    d->directory = true;
    do {
        d->again = false;
        GPtrArray *files = log_files_list(path, &error);
        if (files == NULL) {
            fprintf(stderr, "jetfs: %s: %s\n", path, error->message);
            return EXIT_ENVIRONMENT;
        }
        for (guint i = 0; i < files->len && code == EXIT_COMPLETE && !d->again; i++)
            if (!is_shown(d, files->pdata[i]))
                code = show(d, files->pdata[i]);
        g_ptr_array_unref(files);
        d->rounds += d->again;
    } while (d->again && d->rounds < ROUNDS_MAX);
    if (code == EXIT_COMPLETE && d->files == 0) {
        fprintf(stderr, "jetfs: %s: no such logs here\n", path);
        return EXIT_ENVIRONMENT;
    }
    return code;
}

/* "7", "7-9", "7-", "0x1A-0x1F". */
static bool
parse_range(const char *text, struct dump *d)
{
    g_auto(GStrv) ends = g_strsplit(text, "-", 2);
    guint64 value;
    char *rest;

    for (int i = 0; i < 2; i++) {
        const char *end = ends[i] ? ends[i] : ends[0];
        if (i == 1 && end[0] == '\0')
            break;
        value = g_ascii_strtoull(end, &rest, 0);
        if (!g_ascii_isdigit(end[0]) || *rest != '\0' || value == 0 || value > INT32_MAX)
            return false;
        *(i ? &d->last : &d->first) = (uint32_t)value;
    }
    return d->first <= d->last;
}

enum jetfs_exit
cmd_log(int argc, char **argv)
{
    struct dump d = {.last = UINT32_MAX};
    g_autofree char *range = NULL;
    const GOptionEntry options[] = {
        {"records", 'r', 0, G_OPTION_ARG_NONE, &d.records, "Print every record", NULL},
        {"generation", 'g', 0, G_OPTION_ARG_STRING, &range, "Only these generations", "A-B"},
        {"json", 'j', 0, G_OPTION_ARG_NONE, &d.as_json, "Print JSON, an object a line", NULL},
        {NULL},
    };
    const struct cli cli = {
        .verb = "log",
        .arguments = "PATH",
        .least = 1,
        .most = 1,
        .summary = "Verify a log, or the chain of logs in a directory, and print what is in it: "
                   "the records by type, or one by one.",
        .options = options,
    };
    g_auto(GStrv) paths = NULL;
    enum jetfs_exit code;
    struct log_file file;

    if (!cli_parse(&cli, argc, argv, &paths, &code))
        return code;
    if (range != NULL && !parse_range(range, &d))
        return cli_mistake(&cli, "--generation %s: give A, A- or A-B, with A at most B", range);
    if (g_file_test(paths[0], G_FILE_TEST_IS_DIR))
        return show_directory(&d, paths[0]);
    log_file_of(paths[0], &file);
    code = show(&d, &file);
    g_free(file.path);
    return code;
}
