/* SPDX-License-Identifier: MIT */
/*
 * latency: a histogram of microseconds that many threads add to without a lock.
 * Buckets grow by 1/16, so a percentile is at most 6 % too high.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#define LATENCY_BUCKETS 512

struct latency {
    _Atomic uint64_t count[LATENCY_BUCKETS];
    _Atomic uint64_t max_us;
};

void latency_add(struct latency *l, uint64_t us);
uint64_t latency_count(const struct latency *l);
/* Upper bound in microseconds of the bucket that holds the fraction, 0 when empty. */
uint64_t latency_percentile(const struct latency *l, double fraction);
