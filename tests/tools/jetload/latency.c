/* SPDX-License-Identifier: MIT */
#include "latency.h"

/* Values below 16 have their own bucket, then 16 buckets for each power of two. */
static unsigned
bucket_of(uint64_t us)
{
    if (us < 16)
        return (unsigned)us;
    unsigned power = 63 - (unsigned)__builtin_clzll(us);
    unsigned bucket = (power - 3) * 16 + (unsigned)((us >> (power - 4)) & 15);
    return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

static uint64_t
bucket_top(unsigned bucket)
{
    if (bucket < 16)
        return bucket;
    unsigned power = bucket / 16 + 3;
    return ((uint64_t)(16 + bucket % 16 + 1) << (power - 4)) - 1;
}

void
latency_add(struct latency *l, uint64_t us)
{
    atomic_fetch_add_explicit(&l->count[bucket_of(us)], 1, memory_order_relaxed);
    uint64_t max = atomic_load_explicit(&l->max_us, memory_order_relaxed);
    while (us > max && !atomic_compare_exchange_weak(&l->max_us, &max, us)) {
    }
}

uint64_t
latency_count(const struct latency *l)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
        count += atomic_load_explicit(&l->count[i], memory_order_relaxed);
    return count;
}

uint64_t
latency_percentile(const struct latency *l, double fraction)
{
    const double wanted = fraction * (double)latency_count(l);
    const uint64_t max = atomic_load_explicit(&l->max_us, memory_order_relaxed);
    uint64_t seen = 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        seen += atomic_load_explicit(&l->count[i], memory_order_relaxed);
        if (seen > 0 && (double)seen >= wanted) {
            uint64_t top = bucket_top(i);
            return top < max ? top : max;
        }
    }
    return 0;
}
