/* SPDX-License-Identifier: MIT */
/* restore_check: do the logs make a chain, and do the databases belong to it? Changes nothing. */
#pragma once

#include "backup/copyset.h"
#include "backup/restore.h"
#include "instance/event.h"
#include "log/attach.h"

/* The logs of a set, as their headers tell. */
struct restore_logs {
    int32_t gen_low;
    int32_t gen_high;
    uint8_t signature[SIGNATURE_BYTES];
    uint32_t page_bytes;
    uint16_t segments;     /* of each file */
    uint64_t last_created; /* tmCreate of gen_high */
    uint64_t bytes;        /* of all */
    int32_t gen_bad;       /* the one that was looked at when restore_check_logs failed */
};

/* events NULL: no event is made. gen_low, gen_high are given in *logs; the rest is filled in.
 * Codes: restore_external. */
JET_ERR restore_check_logs(const struct log_gens *found, struct events *events,
                           struct restore_logs *logs) __attribute__((warn_unused_result));

/* Logs that are in log_dir already have to go on from the set. */
JET_ERR restore_check_log_dir(const struct log_gens *found, const struct restore_logs *logs,
                              struct events *events) __attribute__((warn_unused_result));

/* Codes: restore_external. */
JET_ERR restore_check_db(const struct copyset_db *db, const struct restore_logs *logs,
                         struct events *events) __attribute__((warn_unused_result));

/* Reports the file that an error is about; returns err. */
JET_ERR restore_bad_file(struct events *events, const char *path, JET_ERR err);

/* Reports that a range of logs is not the one needed; returns err. */
JET_ERR restore_wrong_range(struct events *events, enum event_id id, int32_t given, int32_t needed,
                            JET_ERR err);
