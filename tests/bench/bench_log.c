/* SPDX-License-Identifier: MIT */
/*
 * bench_log: durable commits per second by 1, 2, 4, 8 threads, and lazy appends, against what the
 * disk can do in the same run: pwrite + fdatasync of 4 KiB into a pre-allocated file.
 *
 *     bench_log [DIR [SECONDS]]
 */
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/record.h"
#include "log/stream.h"

static double seconds = 2;

struct worker {
    struct log *log;
    uint16_t id;
    bool durable;
    gint64 until;
    uint64_t commits;
    GArray *latencies; /* of commits, us */
};

static uint32_t
draw(void *ctx)
{
    return ++*(uint32_t *)ctx;
}

/* A small transaction: Begin0, one record of 120 bytes, Commit0. */
static gpointer
worker_main(gpointer arg)
{
    static uint32_t trx;
    struct worker *w = arg;
    uint8_t body[120] = {LR_TRACE};
    le16_put(body + 1, w->id);
    le16_put(body + 3, sizeof(body) - 5);
    struct iovec part = {body, sizeof(body)};
    while (g_get_monotonic_time() < w->until) {
        struct lgpos pos;
        gint64 start = g_get_monotonic_time();
        JET_ERR err = log_append(w->log, &part, 1, &pos);
        if (err >= 0)
            err = log_append_commit0(w->log, w->id, draw, &trx, &pos);
        if (err >= 0 && w->durable)
            err = log_flush(w->log, pos);
        if (err < 0)
            g_error("log: %d", err);
        guint32 took = (guint32)(g_get_monotonic_time() - start);
        if (w->durable)
            g_array_append_val(w->latencies, took);
        w->commits++;
    }
    return NULL;
}

static int
by_value(const void *a, const void *b)
{
    guint32 x = *(const guint32 *)a, y = *(const guint32 *)b;
    return (x > y) - (x < y);
}

static void
run(struct log *log, unsigned n_threads, bool durable)
{
    struct worker workers[8];
    GThread *threads[8];
    struct log_stats before, after;
    log_stats(log, &before);
    gint64 start = g_get_monotonic_time();
    for (unsigned i = 0; i < n_threads; i++) {
        workers[i] = (struct worker) {log,     (uint16_t)i,
                                      durable, start + (gint64)(seconds * 1e6),
                                      0,       g_array_new(FALSE, FALSE, sizeof(guint32))};
        threads[i] = g_thread_new("worker", worker_main, &workers[i]);
    }
    uint64_t commits = 0;
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(guint32));
    for (unsigned i = 0; i < n_threads; i++) {
        g_thread_join(threads[i]);
        commits += workers[i].commits;
        g_array_append_vals(all, workers[i].latencies->data, workers[i].latencies->len);
        g_array_unref(workers[i].latencies);
    }
    double took = (double)(g_get_monotonic_time() - start) / 1e6;
    log_stats(log, &after);
    uint64_t flushes = after.flushes - before.flushes;
    printf("%-8s %u threads  %9.0f commits/s  %6.1f commits/flush  %8.1f MiB/s  rolls %3" PRIu64,
           durable ? "durable" : "lazy", n_threads, (double)commits / took,
           flushes ? (double)commits / (double)flushes : 0,
           (double)(after.written_bytes - before.written_bytes) / took / 1048576,
           after.rolls - before.rolls);
    if (all->len > 0) {
        g_array_sort(all, by_value);
        printf("  p50 %u p99 %u us", g_array_index(all, guint32, all->len / 2),
               g_array_index(all, guint32, all->len - 1 - all->len / 100));
    }
    printf("\n");
}

/* The yardstick. */
static void
run_plain(const char *dir)
{
    g_autofree char *path = g_build_filename(dir, "plain", NULL);
    static char block[4096];
    const unsigned blocks = 1280;
    int fd = g_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    for (unsigned i = 0; i < blocks; i++)
        if (pwrite(fd, block, sizeof(block), (off_t)i * (off_t)sizeof(block)) < 0)
            g_error("write");
    if (fsync(fd) < 0)
        g_error("fsync");

    uint64_t n = 0;
    gint64 start = g_get_monotonic_time();
    memset(block, 1, sizeof(block));
    for (; g_get_monotonic_time() < start + (gint64)(seconds * 1e6); n++) {
        if (pwrite(fd, block, sizeof(block), (off_t)(n % blocks) * (off_t)sizeof(block)) < 0 ||
            fdatasync(fd) < 0)
            g_error("write");
    }
    printf("plain pwrite+fdatasync of 4 KiB: %.0f/s\n",
           (double)n / ((double)(g_get_monotonic_time() - start) / 1e6));
    close(fd);
    g_unlink(path);
}

static void
remove_dir(const char *dir)
{
    g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
    for (const char *name; d && (name = g_dir_read_name(d));) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        g_unlink(path);
    }
    g_rmdir(dir);
}

int
main(int argc, char **argv)
{
    g_autofree char *dir =
        g_build_filename(argc > 1 ? argv[1] : g_get_tmp_dir(), "bench-XXXXXX", NULL);
    if (argc > 2)
        seconds = atof(argv[2]);
    if (!g_mkdtemp(dir))
        return 1;
    struct log_config cfg = {.dir = dir,
                             .base = "edb",
                             .eight_dot_three = true,
                             .circular = true,
                             .file_kib = 5120,
                             .page_bytes = 8192};
    struct log *log = NULL;
    JET_ERR err = log_create(&cfg, &log);
    if (err < 0)
        return 1;
    log_set_checkpoint(log, LGPOS_MAX); /* keep no more than the current generation */
    run_plain(dir);
    for (unsigned n = 1; n <= 8; n *= 2)
        run(log, n, true);
    run(log, 1, false);
    run(log, 4, false);
    err = log_close(log, true);
    remove_dir(dir);
    return err < 0;
}
