/* SPDX-License-Identifier: MIT */
/*
 * restore_logs: the logs of a restore, from whatever directories they lie in, as one chain.
 *
 * The set: gen_low .. gen_high, each from the first directory that has it. Then what goes on from
 * there without a gap in the directory to roll forward through, its current log at the end.
 */
#pragma once

#include "backup/restore_check.h"

struct restore_chain {
    struct log_gens logs; /* archives in use; current: see current_gen */
    int32_t current_gen;  /* generation of logs.current; 0 = it is not used */
    int32_t lowest;       /* of all the archives found for the set; 0 = none */
    int32_t highest;
};

/* The archives of dir that no earlier one had; NULL-ended more. Errors of os/file. */
JET_ERR restore_chain_find(const struct restore_params *p, const char *dir,
                           struct restore_chain *chain) __attribute__((warn_unused_result));

/*
 * Leaves only low .. high, and takes what follows from p->forward_dir; the stop limits both: logs
 * that it does not need are left out. Codes of restore_check_log_dir; JET_errMissingRestoreLogFiles
 * (event 435): the stop lies beyond the last log.
 */
JET_ERR restore_chain_extend(const struct restore_params *p, const struct restore_logs *set,
                             struct restore_chain *chain) __attribute__((warn_unused_result));

void restore_chain_clear(struct restore_chain *chain);

/* The last generation that a stop needs, 0x7fffffff without one; and the last needed wholly. */
int32_t restore_stop_gen(struct lgpos stop);
int32_t restore_stop_whole(struct lgpos stop);
