/* SPDX-License-Identifier: MIT */
/*
 * limits: when a session has taken enough of the live database, and when to say that it soon will.
 *
 * Decisions only: no clock, no thread, no file. The caller says what time it is and what is used;
 * times are microseconds of a clock that never goes back.
 *
 * 1. A limit of 0 is none.
 * 2. Limits are only ever made tighter.
 * 3. A warning (50, 80, 95 % used) is given once; when several are passed at a time, the highest.
 * 4. Once over, always over: the first limit found is the one that ended the session.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum limit_kind {
    LIMIT_AGE,        /* since the begin, us */
    LIMIT_IDLE,       /* since the last read, us */
    LIMIT_PREIMAGE,   /* bytes of old page images */
    LIMIT_PINNED_LOG, /* bytes of logs kept from truncation */
    LIMITS,
    LIMIT_NONE = LIMITS,
};

struct limit {
    uint64_t max;    /* 0 = none */
    uint64_t used;   /* at the last check */
    uint32_t warned; /* 0, 50, 80, 95 */
};

struct limits {
    struct limit of[LIMITS];
    enum limit_kind over;
    int64_t begin_us;
};

struct limit_warning {
    enum limit_kind kind;
    uint32_t percent;
};

struct limit_verdict {
    bool ends; /* over a limit for the first time: limits->over */
    unsigned n_warnings;
    struct limit_warning warnings[LIMITS];
};

void limits_init(struct limits *limits, const uint64_t max[LIMITS], int64_t now_us);

/* 0 leaves a limit as it is, and so does what is not tighter. */
void limits_tighten(struct limits *limits, const uint64_t max[LIMITS]);

/* What is used now, from which come warnings and the end. */
struct limit_verdict limits_check(struct limits *limits, int64_t now_us, int64_t last_read_us,
                                  uint64_t preimage_bytes, uint64_t pinned_log_bytes);

/* This use ended the session: it would have been beyond the limit. False if something did before.
 */
bool limits_exceed(struct limits *limits, enum limit_kind kind);

/* Would a check with this use have something to say? */
bool limits_is_due(const struct limits *limits, enum limit_kind kind, uint64_t used);

/* When the next check of the clock is due; INT64_MAX: never. */
int64_t limits_next_us(const struct limits *limits, int64_t last_read_us);
