/* SPDX-License-Identifier: MIT */
/*
 * restore_target: the directory that a restore fills, and what of it is the restore's to remove.
 *
 * While it is at work the target is locked and holds a marker, a text file that lists what was in
 * the directory before. A restore that finds the marker of another one that was killed clears what
 * that one made: databases and logs that the marker does not list, and what its own plan is about
 * to make. So it starts from the same point, and comes to the same end.
 */
#pragma once

#include "backup/restore_plan.h"

#define RESTORE_MARKER "restore.unfinished"

struct restore_target {
    const struct restore_plan *plan;
    struct os_file *lock;
    GStrv before; /* names that are not ours */
};

/*
 * Makes the directory if need be, locks it, clears it of an unfinished restore, checks that nothing
 * is in the way, writes the marker. JET_errLogFilePathInUse: somebody has it;
 * JET_errFileAlreadyExists: a database of the plan or logs are there; errors of os/file.
 */
JET_ERR restore_target_begin(const struct restore_plan *plan, struct events *events,
                             struct restore_target *target) __attribute__((warn_unused_result));

/* How it went: after an error what was made goes. Then the marker goes, and the lock. err, or the
 * first error of this. */
JET_ERR restore_target_end(struct restore_target *target, JET_ERR err)
    __attribute__((warn_unused_result));
