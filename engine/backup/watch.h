/* SPDX-License-Identifier: MIT */
/*
 * watch: a thread that looks when it is time to, for as long as a frozen session lives. Its clock
 * counts while the machine sleeps (CLOCK_BOOTTIME) and knows nothing of the time of day.
 */
#pragma once

#include <stdint.h>

#include "esent.h"

struct watch;

/*
 * look(ctx, now) is called at once, at the time that it returned the last time (INT64_MAX: never),
 * and after watch_wake. JET_errOutOfFileHandles and other os errors.
 */
JET_ERR watch_start(int64_t (*look)(void *ctx, int64_t now_us), void *ctx, struct watch **out)
    __attribute__((warn_unused_result));

/* Look soon. Any thread, also look() itself; does not wait. */
void watch_wake(struct watch *watch);

/* Waits for a look under way. NULL is fine. */
void watch_stop(struct watch *watch);

/* Microseconds since the machine started. */
int64_t watch_now_us(void);
