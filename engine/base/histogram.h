/* SPDX-License-Identifier: MIT */
/*
 * histogram: how long something takes, counted by many threads without a lock.
 *
 * Buckets are powers of two of a microsecond, each cut in four: a quantile is at most a quarter too
 * high. Counting is one relaxed addition.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS 128u /* the last holds all from 2^32 us on */

struct histogram {
    _Atomic uint64_t count[HISTOGRAM_BUCKETS];
};

/* The counts of one moment; the difference of two is what happened between. */
struct histogram_counts {
    uint64_t count[HISTOGRAM_BUCKETS];
};

/* Any thread. */
void histogram_add(struct histogram *histogram, uint64_t us);

void histogram_read(const struct histogram *histogram, struct histogram_counts *out);

/* from - what, bucket by bucket; `what` was read earlier. */
void histogram_subtract(struct histogram_counts *from, const struct histogram_counts *what);

uint64_t histogram_total(const struct histogram_counts *counts);

/* No more than `permille` of a thousand took longer than this many microseconds; 0: nothing was
 * counted. */
uint64_t histogram_quantile_us(const struct histogram_counts *counts, unsigned permille);
