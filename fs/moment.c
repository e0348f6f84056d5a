/* SPDX-License-Identifier: MIT */
#include "moment.h"

#include <time.h>

struct moment
moment_now(void)
{
    struct timespec boot;

    if (clock_gettime(CLOCK_BOOTTIME, &boot) < 0)
        return (struct moment) {g_get_real_time(), g_get_monotonic_time()};
    return (struct moment) {g_get_real_time(),
                            (gint64)boot.tv_sec * G_USEC_PER_SEC + boot.tv_nsec / 1000};
}

gint64
moment_between(const struct moment *from, const struct moment *to)
{
    gint64 end_us = to->wall_us != 0 ? to->boot_us : moment_now().boot_us;
    return MAX(end_us - from->boot_us, 0);
}

gint64
moment_wall(const struct moment *known, gint64 boot_us)
{
    return known->wall_us + (boot_us - known->boot_us);
}
