/* SPDX-License-Identifier: MIT */
/* cut: a log file that ends earlier than it did. */
#pragma once

#include "esent.h"
#include "log/lgpos.h"

/*
 * Writes the generation in `from` to `to`, a path in the same or another directory, without the
 * records from pos on: the rest of that segment is padding, all behind it zeros. pos is where a
 * record begins; a pos of zero, or at or beyond the end, copies all. `to` is replaced as a whole,
 * its directory synced; from == to is fine.
 * JET_errLogGenerationMismatch: another file than pos says; errors of log/reader.h and os/file.
 */
JET_ERR log_cut(const char *from, const char *to, struct lgpos pos)
    __attribute__((warn_unused_result));
