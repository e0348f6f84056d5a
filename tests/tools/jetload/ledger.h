/* SPDX-License-Identifier: MIT */
/*
 * ledger: what was acknowledged, kept outside the database.
 *
 * Text, one line a fact, appended by single writes, so that a killed process leaves whole lines:
 *
 *   accounts N                                    the database is complete (durable), once
 *   run THREAD SEQ                                a run starts; the database holds THREAD up to SEQ
 *   COMMITID THREAD SEQ D|L KIND A B AMOUNT       an acknowledged commit, durable or lazy
 *   end                                           the run ended in order: nothing is in flight
 */
#pragma once

#include "jetload.h"

struct ledger_entry {
    uint64_t commit_id; /* gen << 32 | isec << 16 | ib; 0: never acknowledged */
    bool durable;
    struct effect effect;
};

struct ledger {
    int accounts;                 /* 0: the database was never complete */
    bool ended;                   /* last line was "end" */
    int threads;                  /* highest thread + 1 */
    GArray *entries[THREADS_MAX]; /* struct ledger_entry, index is seq - 1 */
};

/* Writing: each call is one write(2); 0 or -errno. */
int ledger_append_accounts(int fd, int accounts);
int ledger_append_run(int fd, int thread, int64_t seq);
int ledger_append_commit(int fd, uint64_t commit_id, int thread, int64_t seq, bool durable,
                         const struct effect *e);
int ledger_append_end(int fd);

/* Read a whole ledger; an unfinished last line is ignored. False with a message on any other. */
bool ledger_read(struct ledger *l, const char *path);
void ledger_free(struct ledger *l);
