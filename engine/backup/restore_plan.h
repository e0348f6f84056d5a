/* SPDX-License-Identifier: MIT */
/*
 * restore_plan: what a restore will do: which databases of which source go where, from the sources
 * and the wishes of the caller. Reads headers, changes nothing.
 */
#pragma once

#include "backup/copyset.h"
#include "backup/restore.h"

struct plan_db {
    const struct copyset_db *db;
    char *to; /* absolute */
};

struct restore_plan {
    char *target;         /* absolute; need not be there */
    struct copyset *sets; /* of each source */
    size_t n_sets;
    const struct copyset *main; /* the one that gives the databases */
    const char *base;           /* of the logs; NULL: there are none */
    const char *ext;
    GArray *dbs;     /* struct plan_db: those that are copied */
    GPtrArray *dirs; /* of further logs; NULL-ended */
    GArray *also;    /* JET_RSTMAP_A: names that the log may bring up */
    GPtrArray *only; /* names, NULL-ended; NULL = all */
    struct lgpos stop;
    struct os_file *forward_lock; /* nobody writes to the directory to roll forward through */
    bool forward_current;         /* so its current log counts too */
};

/* Codes: restore_backup. plan is to be cleared in any case. */
JET_ERR restore_plan_make(const struct restore_wanted *wanted, struct restore_plan *plan)
    __attribute__((warn_unused_result));
/* Is a database of that path to be restored? param may be NULL. */
bool restore_plan_wants(const JETX_RESTOREPARAM *param, const char *path);
/* Where a database of that path or name is made. g_free. */
char *restore_plan_place(const struct restore_plan *plan, const char *path);
void restore_plan_clear(struct restore_plan *plan);

static inline const struct plan_db *
restore_plan_db(const struct restore_plan *plan, guint i)
{
    return &g_array_index(plan->dbs, struct plan_db, i);
}
