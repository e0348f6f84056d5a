/* SPDX-License-Identifier: MIT */
/* advice: what to do about a backup that is refused. */
#pragma once

#include "exit.h"

#include <stdint.h>

/* What was found wrong with a copy. */
struct advice_finding {
    JET_ERR err;
    const char *file; /* "" = the directory as a whole */
    uint64_t offset;
    const char *reason; /* "" = the error's own text */
};

/* The exit code of verify and restore: EXIT_CORRUPT, or EXIT_ENVIRONMENT when the copy may be good
 * and it is something else that is in the way. */
enum jetfs_exit advice_code(const struct advice_finding *finding);

/*
 * Prints two lines to stderr: what is wrong, where, and then what to do about it. before: how the
 * first begins. Returns advice_code().
 */
enum jetfs_exit advice_print(const char *before, const struct advice_finding *finding);
