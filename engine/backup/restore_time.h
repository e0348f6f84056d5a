/* SPDX-License-Identifier: MIT */
/*
 * restore_time: a time of day as a position in the log.
 *
 * Each flush of the log carries the time at which it began. A stop at time t is the first segment
 * that was flushed later: every durable commit that was acknowledged by t is below it, every one
 * that began after t is above; a lazy commit is where its flush is. Finer than a flush nothing in
 * the log can tell. The times are those of the machine's clock: where that was set back, the first
 * later flush counts.
 */
#pragma once

#include "backup/restore_plan.h"

/*
 * param->msStop as a position. JET_errMissingRestoreLogFiles: no log goes that far, so that the
 * state at that time cannot be known; JET_errEndingRestoreLogTooLow: all logs are later; errors of
 * log/reader.h.
 */
JET_ERR restore_time_find(const struct restore_plan *plan, const JETX_RESTOREPARAM *param,
                          struct lgpos *stop) __attribute__((warn_unused_result));
