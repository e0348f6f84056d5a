/* SPDX-License-Identifier: MIT */
/* check: compares a recovered or restored database with the ledger. */
#pragma once

#include "ledger.h"
#include "store.h"

struct check_result {
    int64_t present;   /* transactions that the database holds */
    int64_t in_flight; /* of these, committed but never acknowledged, at most one a thread */
    int64_t lost;      /* had to be there and is not */
    int64_t extra;     /* is there and is not explained by the ledger */
};

/*
 * Compare the whole database. Without a freeze position every durable commit has to be there, and
 * every lazy one that comes before a commit that is there (commits reach the log in order). With
 * one, exactly the commits below it. Every difference is printed. Errors: of reading the database.
 */
JET_ERR check_run(struct tables *t, const struct ledger *l, uint64_t freeze, bool durable_only,
                  struct check_result *result);
