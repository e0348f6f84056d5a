/* SPDX-License-Identifier: MIT */
/* work: the threads that write, and the monitor that reports on them. */
#pragma once

#include "latency.h"
#include "store.h"

#include <stdatomic.h>

/* Commit latencies are kept apart: without and with a backup session, durable and lazy. */
struct work {
    const struct options *options;
    const struct store *store;
    int accounts;
    int ledger_fd;
    _Atomic bool stop;
    _Atomic int failed;      /* first JET_ERR that ended a thread, or 1 for the ledger */
    _Atomic int64_t started; /* transactions, for the limit and the rate */
    _Atomic int64_t commits;
    _Atomic int64_t conflicts;
    _Atomic int64_t rollbacks;
    _Atomic int64_t audits;
    _Atomic int running;          /* threads at work */
    _Atomic int backup;           /* index into latency: 1 while a session runs */
    struct latency latency[2][2]; /* [backup][lazy] */
    int64_t start_us;
};

/* Run all threads until time, count, a signal or a failure ends them. */
JET_ERR work_run(struct work *w);

/* Ask work_run to come to its end; safe in a signal handler. */
void work_stop(struct work *w);

/* Write the status file, whole or not at all. state: "running" or "stopped". */
void status_write(struct work *w, const char *state);
