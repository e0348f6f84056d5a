/* SPDX-License-Identifier: MIT */
#include "backup/limits.h"

#include <string.h>

static const uint32_t thresholds[] = {50, 80, 95, 100};
#define THRESHOLDS (sizeof thresholds / sizeof thresholds[0])

void
limits_init(struct limits *limits, const uint64_t max[LIMITS], int64_t now_us)
{
    memset(limits, 0, sizeof *limits);
    limits->over = LIMIT_NONE;
    limits->begin_us = now_us;
    for (unsigned i = 0; i < LIMITS; i++)
        limits->of[i].max = max[i];
}

void
limits_tighten(struct limits *limits, const uint64_t max[LIMITS])
{
    for (unsigned i = 0; i < LIMITS; i++) {
        struct limit *limit = &limits->of[i];
        if (max[i] > 0 && (limit->max == 0 || max[i] < limit->max))
            limit->max = max[i];
    }
}

/* The use at which `percent` of it is reached, rounded up. */
static uint64_t
amount_at(const struct limit *limit, uint32_t percent)
{
    return limit->max / 100 * percent + (limit->max % 100 * percent + 99) / 100;
}

/* The highest threshold reached; 0 = none. */
static uint32_t
reached(const struct limit *limit, uint64_t used)
{
    uint32_t highest = 0;
    for (unsigned i = 0; limit->max > 0 && i < THRESHOLDS; i++)
        if (used >= amount_at(limit, thresholds[i]))
            highest = thresholds[i];
    return highest;
}

/* Time is up when it is reached; room may be used to the last byte. */
static bool
is_over(enum limit_kind kind, const struct limit *limit, uint64_t used)
{
    if (limit->max == 0)
        return false;
    return kind == LIMIT_AGE || kind == LIMIT_IDLE ? used >= limit->max : used > limit->max;
}

static void
check_one(struct limits *limits, enum limit_kind kind, uint64_t used, struct limit_verdict *verdict)
{
    struct limit *limit = &limits->of[kind];
    limit->used = used;
    if (is_over(kind, limit, used)) {
        verdict->ends = limits_exceed(limits, kind) || verdict->ends;
        return;
    }
    uint32_t percent = reached(limit, used);
    if (percent > 95)
        percent = 95;
    if (percent <= limit->warned)
        return;
    limit->warned = percent;
    verdict->warnings[verdict->n_warnings++] = (struct limit_warning) {kind, percent};
}

static uint64_t
since(int64_t then, int64_t now)
{
    return now > then ? (uint64_t)(now - then) : 0;
}

struct limit_verdict
limits_check(struct limits *limits, int64_t now_us, int64_t last_read_us, uint64_t preimage_bytes,
             uint64_t pinned_log_bytes)
{
    struct limit_verdict verdict = {0};
    if (limits->over != LIMIT_NONE)
        return verdict;
    check_one(limits, LIMIT_AGE, since(limits->begin_us, now_us), &verdict);
    check_one(limits, LIMIT_IDLE, since(last_read_us, now_us), &verdict);
    check_one(limits, LIMIT_PREIMAGE, preimage_bytes, &verdict);
    check_one(limits, LIMIT_PINNED_LOG, pinned_log_bytes, &verdict);
    if (verdict.ends)
        verdict.n_warnings = 0; /* the end says it all */
    return verdict;
}

bool
limits_exceed(struct limits *limits, enum limit_kind kind)
{
    if (limits->over != LIMIT_NONE)
        return false;
    limits->over = kind;
    return true;
}

bool
limits_is_due(const struct limits *limits, enum limit_kind kind, uint64_t used)
{
    const struct limit *limit = &limits->of[kind];
    if (limits->over != LIMIT_NONE)
        return false;
    uint32_t percent = reached(limit, used);
    return is_over(kind, limit, used) || (percent < 100 ? percent : 95) > limit->warned;
}

/* The next amount of time at which a check has something to say. */
static int64_t
next_of(const struct limit *limit, int64_t from_us)
{
    if (limit->max == 0)
        return INT64_MAX;
    for (unsigned i = 0; i < THRESHOLDS; i++) {
        uint64_t at = amount_at(limit, thresholds[i]);
        if (thresholds[i] > limit->warned && at < (uint64_t)(INT64_MAX - from_us))
            return from_us + (int64_t)at;
    }
    return INT64_MAX;
}

int64_t
limits_next_us(const struct limits *limits, int64_t last_read_us)
{
    if (limits->over != LIMIT_NONE)
        return INT64_MAX;
    int64_t age = next_of(&limits->of[LIMIT_AGE], limits->begin_us);
    int64_t idle = next_of(&limits->of[LIMIT_IDLE], last_read_us);
    return age < idle ? age : idle;
}
