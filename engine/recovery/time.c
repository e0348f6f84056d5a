/* SPDX-License-Identifier: MIT */
/*
 * time: a time of day as a position in the log; declared in recovery/recovery.h.
 *
 * Each flush of the log carries the time at which it began, so the answer is the first segment that
 * was flushed later. Finer than a flush nothing in the log can tell.
 */
#include "recovery/recovery.h"

#include <glib.h>

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
    struct log_filehdr header;
    JET_ERR err = log_filehdr_read(path, &header);
    if (err < 0)
        return err;
    struct timed log = {header.gen, g_strdup(path), logtime_to_unix_ms(header.created)};
    g_array_append_val(logs, log);
    return JET_errSuccess;
}

static JET_ERR
add_dir(GArray *logs, const struct recovery_logs_at *at)
{
    struct log_gens found;
    JET_ERR err = log_gens_find(at->dir, at->base, at->ext ? at->ext : "log", &found);
    if (err < 0)
        return err;
    for (size_t i = 0; i < found.n && err >= 0; i++)
        err = add_log(logs, found.paths[i]);
    if (err >= 0 && at->current && found.current)
        err = add_log(logs, found.current);
    log_gens_clear(&found);
    return err;
}

/*
 * The first segment of a log that was flushed after ms; false: none was. To tell a flush from the
 * one before, a writer may stamp it with the next millisecond.
 */
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
        *found = logtime_to_unix_ms(segment_time(image + (size_t)isec * SEGMENT_BYTES)) > ms + 1;
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
recovery_find_time(const struct recovery_logs_at *dirs, size_t n_dirs, int64_t ms,
                   struct lgpos *stop)
{
    g_autoptr(GArray) logs = g_array_new(FALSE, FALSE, sizeof(struct timed));
    g_array_set_clear_func(logs, timed_clear);
    for (size_t i = 0; i < n_dirs; i++) {
        JET_ERR err = add_dir(logs, &dirs[i]);
        if (err < 0)
            return err;
    }
    g_array_sort(logs, by_gen);
    return find(logs, ms, stop);
}
