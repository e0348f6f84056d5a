/* SPDX-License-Identifier: MIT */
#include "base/histogram.h"

/* 0..3 us one each; from there on four to a power of two. */
static unsigned
bucket_of(uint64_t us)
{
    if (us < 4)
        return (unsigned)us;
    unsigned power = 63u - (unsigned)__builtin_clzll(us);
    unsigned bucket = 4 * (power - 1) + (unsigned)(us >> (power - 2) & 3);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The highest number of microseconds that falls into it. */
static uint64_t
bucket_high_us(unsigned bucket)
{
    if (bucket < 4)
        return bucket;
    unsigned power = bucket / 4 + 1;
    return ((uint64_t)(4 + bucket % 4 + 1) << (power - 2)) - 1;
}

void
histogram_add(struct histogram *h, uint64_t us)
{
    atomic_fetch_add_explicit(&h->count[bucket_of(us)], 1, memory_order_relaxed);
}

void
histogram_read(const struct histogram *h, struct histogram_counts *out)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        out->count[i] = atomic_load_explicit(&h->count[i], memory_order_relaxed);
}

void
histogram_subtract(struct histogram_counts *from, const struct histogram_counts *what)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        from->count[i] -= what->count[i];
}

uint64_t
histogram_total(const struct histogram_counts *counts)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        total += counts->count[i];
    return total;
}

uint64_t
histogram_quantile_us(const struct histogram_counts *counts, unsigned permille)
{
    uint64_t total = histogram_total(counts), below = 0;
    uint64_t wanted = (total * permille + 999) / 1000;
    for (unsigned i = 0; total > 0 && i < HISTOGRAM_BUCKETS; i++) {
        below += counts->count[i];
        if (below >= wanted)
            return bucket_high_us(i);
    }
    return 0;
}
