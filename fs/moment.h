/* SPDX-License-Identifier: MIT */
/*
 * When something was: on the clock on the wall, for people, and on one that nobody can set, for
 * durations. An administrator or NTP may move the first during a session.
 */
#pragma once

#include <glib.h>

struct moment {
    gint64 wall_us; /* since 1970; 0 = not yet */
    gint64 boot_us; /* since the start of the machine, its sleep included */
};

struct moment moment_now(void);

/* Microseconds from one to the other, at least 0; until now when `to` is not yet. */
gint64 moment_between(const struct moment *from, const struct moment *to);

/* What the wall showed at `boot_us`, had it not been set since `known`. */
gint64 moment_wall(const struct moment *known, gint64 boot_us);
