/* SPDX-License-Identifier: MIT */
#include "backup/restore_time.h"

#include "log/filehdr.h"
#include "log/logtime.h"
#include "log/reader.h"
#include "log/segment.h"
#include "os/file.h"

struct timed {
    int32_t gen;
    char *path;
    int64_t created_ms;
};

static void
timed_clear(gpointer p)
{
    g_free(((struct timed *)p)->path);
}

static gint
by_gen(gconstpointer a, gconstpointer b)
{
    const struct timed *x = a, *y = b;
    return (x->gen > y->gen) - (x->gen < y->gen);
}

static JET_ERR
add_log(GArray *logs, const char *path)
{
    uint8_t image[LOG_HEADER_BYTES];
    struct log_filehdr header;
    struct os_file *file;
    JET_ERR err = os_file_open(path, OS_OPEN_READ, &file);
    if (err < 0)
        return err;
    err = os_file_read(file, 0, image, sizeof image);
    os_file_close(file);
    if (err >= 0)
        err = log_filehdr_decode(image, &header);
    if (err < 0)
        return err;
    struct timed log = {header.gen, g_strdup(path), logtime_to_unix_ms(header.created)};
    g_array_append_val(logs, log);
    return JET_errSuccess;
}

static JET_ERR
add_dir(GArray *logs, const struct restore_plan *plan, const char *dir, bool current)
{
    struct log_gens found;
    JET_ERR err = log_gens_find(dir, plan->base, plan->ext, &found);
    if (err < 0)
        return err;
    for (size_t i = 0; i < found.n && err >= 0; i++)
        err = add_log(logs, found.paths[i]);
    if (err >= 0 && current && found.current)
        err = add_log(logs, found.current);
    log_gens_clear(&found);
    return err;
}

/* The first segment of a log that was flushed after ms; false: none was. */
static JET_ERR
find_segment(const struct timed *log, int64_t ms, bool *found, struct lgpos *stop)
{
    const struct log_reader_opts opts = {.expect = {.gen = log->gen}, .last = true};
    struct log_reader *reader;
    *found = false;
    JET_ERR err = log_reader_open(log->path, &opts, &reader);
    if (err < 0)
        return err;
    size_t len;
    const uint8_t *image = log_reader_image(reader, &len);
    const uint16_t end = log_reader_scan(reader)->end_isec;
    for (uint16_t isec = 1; isec < end && !*found; isec++) {
        *found = logtime_to_unix_ms(segment_time(image + (size_t)isec * SEGMENT_BYTES)) > ms;
        if (*found)
            *stop = (struct lgpos) {0, isec, log->gen};
    }
    log_reader_close(reader);
    return JET_errSuccess;
}

static JET_ERR
find(const GArray *logs, int64_t ms, struct lgpos *stop)
{
    guint next = 0; /* the first log that was begun later */
    while (next < logs->len && g_array_index(logs, struct timed, next).created_ms <= ms)
        next++;
    if (next == 0)
        return JET_errEndingRestoreLogTooLow;
    const struct timed *log = &g_array_index(logs, struct timed, next - 1);
    bool found;
    JET_ERR err = find_segment(log, ms, &found, stop);
    if (err < 0 || found)
        return err;
    if (next == logs->len)
        return JET_errMissingRestoreLogFiles;
    *stop = (struct lgpos) {0, 0, log->gen + 1};
    return JET_errSuccess;
}

JET_ERR
restore_time_find(const struct restore_plan *plan, const JETX_RESTOREPARAM *param,
                  struct lgpos *stop)
{
    if (!plan->base)
        return JET_errRestoreOfNonBackupDatabase;
    g_autoptr(GArray) logs = g_array_new(FALSE, FALSE, sizeof(struct timed));
    g_array_set_clear_func(logs, timed_clear);
    JET_ERR err = JET_errSuccess;
    for (size_t i = 0; i < plan->n_sets && err >= 0; i++)
        err = add_dir(logs, plan, plan->sets[i].dir, false);
    if (err >= 0 && param->szLogDir)
        err = add_dir(logs, plan, param->szLogDir, plan->forward_current);
    if (err < 0)
        return err;
    g_array_sort(logs, by_gen);
    return find(logs, param->msStop, stop);
}
