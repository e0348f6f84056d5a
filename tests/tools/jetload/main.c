/* SPDX-License-Identifier: MIT */
/*
 * jetload DIR: write transactions into DIR/app.edb until told to stop.
 * jetload --check DIR: recover DIR/app.edb if need be and compare it with the ledger.
 *
 * Exit code: 0 good, 1 the database is not what the ledger says, 2 it could not be done.
 */
#include "check.h"
#include "control.h"
#include "ledger.h"
#include "work.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct work work;

static void
on_signal(int signal)
{
    (void)signal;
    work_stop(&work);
}

static bool
parse_freeze(const char *text, uint64_t *freeze)
{
    char *end;
    if (text == NULL)
        return true;
    /* as a number, or as gen:sector:offset in hexadecimal */
    unsigned gen;
    unsigned sector;
    unsigned offset;
    if (sscanf(text, "%x:%x:%x", &gen, &sector, &offset) == 3) {
        *freeze = (uint64_t)gen << 32 | (uint64_t)sector << 16 | offset;
        return true;
    }
    *freeze = strtoull(text, &end, 0);
    return *end == '\0' && *freeze != 0;
}

static bool
parse_options(struct options *o, int argc, char **argv)
{
    g_autofree char *freeze = NULL;
    gint64 seed = 1;
    gint64 transactions = 0;
    const GOptionEntry entries[] = {
        {"ledger", 0, 0, G_OPTION_ARG_FILENAME, &o->ledger, "acknowledged commits go here", "FILE"},
        {"status-file", 0, 0, G_OPTION_ARG_FILENAME, &o->status_file, "counts, latencies", "FILE"},
        {"accounts", 0, 0, G_OPTION_ARG_INT, &o->accounts, "accounts (1000)", "N"},
        {"threads", 0, 0, G_OPTION_ARG_INT, &o->threads, "writing threads (4)", "N"},
        {"seconds", 0, 0, G_OPTION_ARG_DOUBLE, &o->seconds, "run time", "S"},
        {"transactions", 0, 0, G_OPTION_ARG_INT64, &transactions, "stop after as many", "N"},
        {"rate", 0, 0, G_OPTION_ARG_DOUBLE, &o->rate, "transactions a second", "N"},
        {"lazy", 0, 0, G_OPTION_ARG_INT, &o->lazy_percent, "percent of lazy commits (50)", "P"},
        {"hold", 0, 0, G_OPTION_ARG_DOUBLE, &o->hold, "keep transactions open for so long", "S"},
        {"page-size", 0, 0, G_OPTION_ARG_INT, &o->page_size, "bytes (library's default)", "N"},
        {"cache-pages", 0, 0, G_OPTION_ARG_INT, &o->cache_pages, "JET_paramCacheSizeMax", "N"},
        {"log-kib", 0, 0, G_OPTION_ARG_INT, &o->log_kib, "JET_paramLogFileSize", "N"},
        {"fill-mib", 0, 0, G_OPTION_ARG_INT, &o->fill_mib, "ballast in a new database", "N"},
        {"circular", 0, 0, G_OPTION_ARG_NONE, &o->circular, "circular logging", NULL},
        {"service", 0, 0, G_OPTION_ARG_NONE, &o->service, "offer the backup service", NULL},
        {"preimage-path", 0, 0, G_OPTION_ARG_FILENAME, &o->preimage_path,
         "folder of old page images", "DIR"},
        {"control", 0, 0, G_OPTION_ARG_FILENAME, &o->control, "freeze and thaw by this", "SOCKET"},
        {"snapshot-ms", 0, 0, G_OPTION_ARG_INT, &o->snapshot_ms, "JET_paramOSSnapshotTimeout", "N"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, "of the random numbers (1)", "N"},
        {"check", 0, 0, G_OPTION_ARG_NONE, &o->check, "compare DIR with the ledger", NULL},
        {"freeze", 0, 0, G_OPTION_ARG_STRING, &freeze, "exactly the commits below", "LGPOS"},
        {"durable-only", 0, 0, G_OPTION_ARG_NONE, &o->durable_only, "demand no lazy commit", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("DIR");
    g_autoptr(GError) error = NULL;
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "jetload: %s\n", error->message);
        return false;
    }
    if (argc != 2 || o->ledger == NULL || !parse_freeze(freeze, &o->freeze) || o->threads < 1 ||
        o->threads > THREADS_MAX || o->accounts < 2) {
        fputs("usage: jetload [options] --ledger FILE DIR   (--help)\n", stderr);
        return false;
    }
    o->dir = argv[1];
    o->seed = (uint64_t)seed;
    o->transactions = transactions;
    return true;
}

static JET_ERR
prepare(const struct options *o, const struct store *store)
{
    JET_ERR err = JET_errSuccess;
    if (store->created)
        err = tables_create(store, o->accounts, o->fill_mib);
    if (err < 0)
        return err;
    struct tables t;
    err = tables_open(&t, store);
    if (err < 0)
        return err;
    err = tables_accounts(&t, &work.accounts);
    tables_close(&t);
    if (err >= 0 && work.accounts == 0) {
        fputs("jetload: the database was never completed: remove it\n", stderr);
        return JET_errObjectNotFound;
    }
    if (err >= 0 && store->created && ledger_append_accounts(work.ledger_fd, work.accounts) < 0)
        return JET_errDiskIO;
    return err;
}

static JET_ERR
load(const struct options *o, const struct store *store)
{
    work.options = o;
    work.store = store;
    work.start_us = g_get_monotonic_time();
    work.ledger_fd = open(o->ledger, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (work.ledger_fd < 0) {
        fprintf(stderr, "jetload: %s: %s\n", o->ledger, g_strerror(errno));
        return JET_errDiskIO;
    }
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    JET_ERR err = prepare(o, store);
    if (err >= 0)
        err = work_run(&work);
    if (err >= 0 && ledger_append_end(work.ledger_fd) < 0)
        err = JET_errDiskIO;
    close(work.ledger_fd);
    return err;
}

static int
run_load(const struct options *o)
{
    struct store store;
    if (mkdir(o->dir, 0755) < 0 && errno != EEXIST) {
        fprintf(stderr, "jetload: %s: %s\n", o->dir, g_strerror(errno));
        return 2;
    }
    JET_ERR err = store_open(&store, o);
    if (err < 0)
        return 2;
    struct control *control = NULL;
    if (o->control != NULL)
        control = control_start(o->control, &store);
    err = o->control != NULL && control == NULL ? JET_errDiskIO : load(o, &store);
    control_stop(control);
    JET_ERR err_close = store_close(&store);
    status_write(&work, err < 0 || err_close < 0 ? "failed" : "stopped");
    if (err < 0 || err_close < 0)
        return err == JET_errDatabaseCorrupted ? 1 : 2;
    printf("%lld commits, %lld conflicts, %lld rollbacks\n", (long long)work.commits,
           (long long)work.conflicts, (long long)work.rollbacks);
    return 0;
}

static JET_ERR
check_store(const struct options *o, const struct store *store, const struct ledger *l,
            struct check_result *r)
{
    struct tables t;
    int accounts;
    JET_ERR err = tables_open(&t, store);
    if (err < 0)
        return err;
    err = tables_accounts(&t, &accounts);
    if (err >= 0)
        err = check_run(&t, l, o->freeze, o->durable_only, r);
    tables_close(&t);
    if (err >= 0 && accounts != l->accounts) {
        fprintf(stderr, "jetload: %d accounts of %d\n", accounts, l->accounts);
        r->lost++;
    }
    return err;
}

static int
run_check(const struct options *o)
{
    struct ledger l;
    struct store store;
    struct check_result r = {0};
    if (!ledger_read(&l, o->ledger))
        return 2;
    JET_ERR err = JET_errSuccess;
    /* a database that was never complete has no promise to keep but that it opens */
    err = store_open(&store, o);
    if (err >= 0) {
        if (l.accounts != 0)
            err = check_store(o, &store, &l, &r);
        JET_ERR err_close = store_close(&store);
        err = err < 0 ? err : err_close;
    }
    const bool complete = l.accounts != 0;
    ledger_free(&l);
    if (err < 0)
        return 2;
    printf("%lld transactions present, %lld of them in flight at the end%s\n", (long long)r.present,
           (long long)r.in_flight, complete ? "" : " (the database was never complete)");
    printf("lost %lld extra %lld\n", (long long)r.lost, (long long)r.extra);
    return r.lost == 0 && r.extra == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
    struct options o = {.accounts = 1000, .threads = 4, .lazy_percent = 50};
    int code = 2;
    if (parse_options(&o, argc, argv))
        code = o.check ? run_check(&o) : run_load(&o);
    g_free(o.ledger);
    g_free(o.status_file);
    g_free(o.control);
    return code;
}
