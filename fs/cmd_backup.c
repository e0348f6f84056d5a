/* SPDX-License-Identifier: MIT */
/* jetfs backup: a session copied to a directory, through the API and without a mount. */
#include "cli.h"
#include "commands.h"

#include "backup.h"
#include "backup_dir.h"
#include "json_out.h"
#include "progress.h"
#include "result.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CHUNK_BYTES (1u << 20)
#define SHOW_US     200000

struct job {
    gboolean full, incremental, truncate, json;
    char *source, *path; /* absolute */
    struct events *events;
    struct backup *backup;
    struct backup_dir *dir;
    uint8_t *buf;
    gint64 begin_us, shown_us;
    int columns; /* of the terminal; 0 = no progress */
};

static enum jetfs_exit
say(enum jetfs_exit code, const char *path, const char *text)
{
    fprintf(stderr, "jetfs: %s: %s\n", path, text);
    return code;
}

/* ---- copying ---- */

static void
show_progress(struct job *job, const char *name)
{
    uint64_t required, served;
    gint64 now = g_get_monotonic_time();

    if (job->columns == 0 || now - job->shown_us < SHOW_US)
        return;
    job->shown_us = now;
    backup_count(job->backup, &required, &served);
    double fraction = required > 0 ? (double)served / (double)required : 1;
    g_autofree char *bar = progress_bar(fraction, CLAMP(job->columns - 40, 10, 40));
    fprintf(stderr, "\r\033[2K%s %3d %%  %.24s", bar, (int)(100 * fraction), name);
}

static void
end_progress(struct job *job)
{
    if (job->shown_us != 0)
        fprintf(stderr, "\r\033[2K");
    job->shown_us = 0;
}

struct chunk {
    struct backup_dir_file *to;
    const uint8_t *data;
    size_t len;
    int err;
};

static int
write_chunk(void *ctx)
{
    struct chunk *chunk = ctx;
    chunk->err = backup_dir_file_write(chunk->to, chunk->data, chunk->len);
    return chunk->err;
}

static enum jetfs_exit
say_write_error(struct job *job, const char *name, int err)
{
    g_autofree char *path = g_build_filename(job->path, name, NULL);

    end_progress(job);
    return say(EXIT_ENVIRONMENT, path,
               err == -EEXIST ? "there is another file of this name that is not of this backup; "
                                "move it away, or back up into a new directory"
                              : g_strerror(-err));
}

/* What the session has to say is in its result. */
static enum jetfs_exit
copy_chunks(struct job *job, struct backup_file *file, struct backup_dir_file *to)
{
    for (uint64_t at = 0; at < file->size; at += CHUNK_BYTES) {
        uint32_t len = (uint32_t)MIN(file->size - at, CHUNK_BYTES);
        struct chunk chunk = {to, job->buf, len, 0};
        if (backup_read(job->backup, file, at, job->buf, len) < 0)
            return backup_result(job->backup);
        backup_deliver(job->backup, file, at, len, write_chunk, &chunk);
        if (chunk.err < 0)
            return say_write_error(job, file->name, chunk.err);
        show_progress(job, file->name);
    }
    return EXIT_COMPLETE;
}

static enum jetfs_exit
copy_file(struct job *job, struct backup_file *file)
{
    struct backup_dir_file *to;
    int err = backup_dir_file_open(job->dir, file, &to);
    if (err < 0)
        return say_write_error(job, file->name, err);
    enum jetfs_exit code = copy_chunks(job, file, to);
    if (code != EXIT_COMPLETE) {
        backup_dir_file_drop(to);
        return code;
    }
    err = backup_dir_file_finish(to);
    return err < 0 ? say_write_error(job, file->name, err) : EXIT_COMPLETE;
}

static enum jetfs_exit
copy_all(struct job *job)
{
    GPtrArray *files = job->backup->files;
    enum jetfs_exit code = EXIT_COMPLETE;

    for (guint i = 0; i < files->len && code == EXIT_COMPLETE; i++)
        code = copy_file(job, files->pdata[i]);
    end_progress(job);
    if (code != EXIT_COMPLETE)
        return code;
    int err = backup_dir_commit(job->dir);
    return err < 0 ? say(EXIT_ENVIRONMENT, job->path, g_strerror(-err)) : EXIT_COMPLETE;
}

/* ---- the result ---- */

struct totals {
    guint databases, logs;
    uint64_t bytes;
    double seconds;
};

static struct totals
count(struct job *job)
{
    struct totals t = {.seconds =
                           (double)(g_get_monotonic_time() - job->begin_us) / G_USEC_PER_SEC};

    for (guint i = 0; i < job->backup->files->len; i++) {
        const struct backup_file *file = job->backup->files->pdata[i];
        t.databases += file->kind == FILE_DATABASE;
        t.logs += file->kind == FILE_LOG;
    }
    t.bytes = job->backup->delivered_bytes;
    return t;
}

static void
print(struct job *job)
{
    struct totals t = count(job);
    g_autofree char *size = g_format_size_full(t.bytes, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *rate = g_format_size_full((guint64)((double)t.bytes / MAX(t.seconds, 0.001)),
                                               G_FORMAT_SIZE_IEC_UNITS);

    printf("%s: %s backup complete: %u databases, %u logs (generations %u to %u), %s in %.1f s "
           "(%s/s)\n",
           job->path, job->full ? "full" : "incremental", t.databases, t.logs, job->backup->gen_low,
           job->backup->gen_high, size, t.seconds, rate);
}

static void
print_json(struct job *job, enum jetfs_exit code, JET_ERR err, const char *text)
{
    struct totals t = count(job);
    g_autoptr(JsonBuilder) b = json_builder_new();

    json_builder_begin_object(b);
    json_out_string(b, "source", job->source);
    json_out_string(b, "directory", job->path);
    json_out_string(b, "kind", job->full ? "full" : "incremental");
    json_out_string(b, "result", exit_name(code));
    json_out_int(b, "exit", code);
    json_out_int(b, "code", err);
    json_out_string(b, "error", JetxErrorNameA(err));
    json_out_string(b, "text", text);
    json_out_int(b, "databases", t.databases);
    json_out_int(b, "logs", t.logs);
    json_out_int(b, "low", job->backup->gen_low);
    json_out_int(b, "high", job->backup->gen_high);
    json_out_int(b, "bytes", (gint64)t.bytes);
    json_out_int(b, "milliseconds", (gint64)(t.seconds * 1000));
    json_builder_end_object(b);
    json_out_print(b);
}

/* The session ends; the directory has the backup already, or never will. */
static enum jetfs_exit
finish(struct job *job, enum jetfs_exit copied)
{
    const bool good = copied == EXIT_COMPLETE;
    JET_ERR err = backup_end(job->backup, good, good && job->truncate);
    enum jetfs_exit code = copied;

    if (good && err < 0)
        code = EXIT_ABORTED_BY_SERVER;
    JET_ERR why = result_code(job->backup, code, err);
    g_autofree char *text =
        good && err < 0
            ? g_strdup_printf("the copy is whole, but the owner of the database did not take note "
                              "of it: %s (%d)",
                              JetxErrorNameA(err), err)
        : code == EXIT_COMPLETE    ? g_strdup("every required byte was copied")
        : code == EXIT_ENVIRONMENT ? g_strdup("the copy could not be written")
                                   : result_text(job->backup, code, END_OWNER, why);
    if (job->json)
        print_json(job, code, why, text);
    else if (code == EXIT_COMPLETE)
        print(job);
    else
        (void)say(code, job->path, text);
    return code;
}

/* ---- the session ---- */

static enum jetfs_exit
run_session(struct job *job)
{
    struct backup *b = job->backup;
    const struct backup_dir_wish wish = {.incremental = job->incremental,
                                         .log_signature = b->log_signature,
                                         .gen_low = b->gen_low,
                                         .gen_high = b->gen_high};
    g_autofree char *message = NULL;

    if (!backup_dir_open(job->path, &wish, &job->dir, &message)) {
        fprintf(stderr, "jetfs: %s\n", message);
        (void)backup_end(b, false, false);
        return EXIT_ENVIRONMENT;
    }
    job->buf = g_malloc(CHUNK_BYTES);
    enum jetfs_exit code = finish(job, copy_all(job));
    g_free(job->buf);
    backup_dir_close(job->dir);
    return code;
}

static enum jetfs_exit
run(struct job *job)
{
    const JETX_BACKUPLIMITS no_limits = {.cbStruct = sizeof no_limits};
    g_autofree char *message = NULL;

    job->begin_us = g_get_monotonic_time();
    JET_ERR err = backup_open(job->source, job->events, &job->backup, &message);
    if (err >= 0)
        err = backup_begin(job->backup, job->incremental ? MODE_INCREMENTAL : MODE_FROZEN,
                           &no_limits, &message);
    if (err < 0) {
        fprintf(stderr, "jetfs: %s\n", message);
        return EXIT_ENVIRONMENT;
    }
    return run_session(job);
}

enum jetfs_exit
cmd_backup(int argc, char **argv)
{
    struct job job = {.full = FALSE};
    const GOptionEntry options[] = {
        {"full", 0, 0, G_OPTION_ARG_NONE, &job.full, "Databases and logs, into a new directory",
         NULL},
        {"incremental", 0, 0, G_OPTION_ARG_NONE, &job.incremental,
         "The logs since the last backup; DIR has that one, or is new", NULL},
        {"truncate", 0, 0, G_OPTION_ARG_NONE, &job.truncate,
         "Delete the logs that a complete backup made superfluous", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &job.json, "Print the result as JSON", NULL},
        {NULL},
    };
    const struct cli cli = {
        .verb = "backup",
        .arguments = "SOURCE DIR",
        .least = 2,
        .most = 2,
        .summary = "Copy a backup of an instance to a directory, without a mount. SOURCE is an\n"
                   "instance's directory or backup socket.",
        .options = options,
    };
    g_auto(GStrv) paths = NULL;
    enum jetfs_exit code;

    if (!cli_parse(&cli, argc, argv, &paths, &code))
        return code;
    if (job.full == job.incremental)
        return cli_mistake(&cli, "give one of --full and --incremental");
    job.source = g_canonicalize_filename(paths[0], NULL);
    job.path = g_canonicalize_filename(paths[1], NULL);
    job.events = events_new("jetfs");
    job.columns = job.json ? 0 : progress_columns(stderr);
    code = run(&job);
    backup_free(job.backup);
    events_free(job.events);
    g_free(job.source);
    g_free(job.path);
    return code;
}
