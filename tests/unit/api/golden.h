/* SPDX-License-Identifier: MIT */
/*
 * golden: the golden cases of the backup API (section 9) as tables. A case is a number and steps; a
 * step is a call and what it has to answer. Each case is a test of its own, named by its number, on
 * a fresh instance with database test.edb attached and other.edb lying detached beside it.
 *
 * Where the documentation and the source of ESE differ, the documentation's code is the wanted one.
 */
#pragma once

#include <stdatomic.h>

#include "fixture.h"
#include "instance/event.h"
#include "page/dbheader.h"

#define PAGE 4096u /* what the fixture's databases have */

enum golden_op {
    OP_NONE,         /* end of the steps */
    OP_BEGIN,        /* grbit */
    OP_BEGIN_FROZEN, /* grbit */
    OP_ATTACH_INFO,
    OP_OPEN,        /* enum golden_file */
    OP_READ,        /* bytes, from handle 0 */
    OP_READ_ODD,    /* bytes, from handle 0, to an address that is aligned to nothing */
    OP_READ_CLOSED, /* handle: 3 pages from it */
    OP_CLOSE,       /* handle */
    OP_LOG_INFO,
    OP_TRUNCATE_INFO,
    OP_TRUNCATE,
    OP_END,
    OP_END2, /* grbit */
    OP_STOP,
    OP_STOP_SERVICE,
    OP_TERM,
    OP_TERM2, /* grbit */
    OP_ATTACH_OTHER,
    OP_DETACH_OTHER,
    OP_DETACH,      /* the main one */
    OP_READ_OPEN,   /* handle 0 to its end; its size is what open said */
    OP_COPY_DBS,    /* every database: open, read, close */
    OP_COPY_LOGS,   /* log info; every log: open, read, close */
    OP_DIRTY,       /* a durable transaction, a log roll, everything written, a checkpoint */
    OP_HEARD,       /* event id: heard since the case began or this was asked; forgets the events */
    OP_UNHEARD,     /* event id: not heard since; forgets nothing */
    OP_SLOT,        /* enum dbheader_field of a BKINFO: 1 = set in test.edb, 0 = zero */
    OP_FIRST_LOG,   /* 1 = the oldest log that truncate info named is there, 0 = is not */
    OP_U32,         /* offset: that number in the header of test.edb */
    OP_SETTLE,      /* everything written, log rolled, checkpoint moved */
    OP_DELETE_LOGS, /* JetBackup without a path: those below the checkpoint */
    OP_SURROGATE,   /* GENS(first, last, grbit) */
    OP_END_SURROGATE,     /* grbit */
    OP_PREPARE,           /* grbit; the following are about the snapshot of the last prepare */
    OP_PREPARE_INSTANCE,  /* grbit */
    OP_FREEZE,            /* grbit */
    OP_FREEZE_INFO,       /* grbit */
    OP_THAW,              /* grbit */
    OP_ABORT,             /* grbit */
    OP_SNAPSHOT_TRUNCATE, /* grbit */
    OP_SNAPSHOT_TRUNCATE_INSTANCE, /* grbit */
    OP_SNAPSHOT_END,               /* grbit */
    OP_TIMEOUT,                    /* JET_paramOSSnapshotTimeout, ms */
    OP_WAIT_HEARD,                 /* event id: until it is heard; forgets nothing */
};

/* Of OP_SURROGATE; NEWEST stands for the current generation, NEWEST + 1 for the next. */
#define NEWEST 0x7000u
#define GENS(first, last, grbit)                                                                   \
    ((uintptr_t)(first) | (uintptr_t)(last) << 16 | (uintptr_t)(grbit) << 32)

enum golden_file {
    FILE_DB,
    FILE_OTHER,
    FILE_LOG,      /* the last one that log info gave */
    FILE_LOST_LOG, /* good name, no file */
    FILE_CURRENT,  /* edb.log */
    FILE_NO_SUCH,
    FILE_NULL,
    FILE_EMPTY,
};

struct golden_step {
    enum golden_op op;
    uintptr_t arg;
    JET_ERR want;
};

struct golden_case {
    const char *number;
    struct golden_step steps[20];
};

struct golden {
    struct fixture f;
    const struct golden_case *row;
    char *other;
    char *log;       /* FILE_LOG */
    char *first_log; /* OP_FIRST_LOG */
    uint64_t size;   /* of the last open */
    JET_TABLEID table;
    JET_COLUMNID id, name;
    int32_t next;
    JET_OSSNAPID snapshot;
    atomic_bool heard[2048];
};

/* What a step answers. */
JET_ERR golden_do(struct golden *g, enum golden_op op, uintptr_t arg);

/* Runs steps up to OP_NONE; fails the test naming case and step. */
void golden_run(struct golden *g, const char *number, const struct golden_step *steps);

const char *golden_op_name(enum golden_op op);

/* cmocka setup and teardown; *state may hold a golden_case, becomes a struct golden. */
int golden_setup(void **state);
int golden_teardown(void **state);

/* The cases, and extra tests of the same file. Returns the number of failed ones. */
int golden_run_cases(const char *group, const struct golden_case *cases, size_t n,
                     const struct CMUnitTest *extra, size_t n_extra);
