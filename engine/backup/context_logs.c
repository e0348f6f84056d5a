/* SPDX-License-Identifier: MIT */
/*
 * context_logs: which logs to copy, which may go, and letting them go (backup API, 1.11-1.13).
 */
#include <string.h>

#include "backup/context_state.h"
#include "cache/dbfile.h"
#include "log/logtime.h"
#include "log/stream.h"

JET_ERR
context_check_no_hole(struct context *c)
{
    struct backup_file_list list;
    context_list_databases(c->inst, &list);
    c->delete_mic = (uint32_t)log_oldest_gen(c->inst->log);
    for (size_t i = 0; i < list.n; i++) {
        struct dbheader header;
        dbfile_header(list.files[i], &header);
        uint32_t full = bkinfo_get(&header.bytes[DBH_BK_FULL_PREV]).gen_high;
        uint32_t inc = bkinfo_get(&header.bytes[DBH_BK_INC_PREV]).gen_high;
        uint32_t needed = MAX(full, inc) + 1;
        if (c->delete_mic <= needed)
            continue;
        g_autofree char *path = log_gen_path(c->inst->log, (int32_t)needed);
        event_report(c->inst->events, EVENT_BACKUP_LOG_MISSING, path, NULL);
        return JET_errMissingFileToBackup;
    }
    return JET_errSuccess;
}

/* Logs below the checkpoint can go, but not those that a database not in this backup relies on. */
static void
choose_deletable(struct context *c, const struct backup_file_list *list, uint32_t copy_mac)
{
    uint32_t mac = (uint32_t)MAX(instance_checkpoint_lgpos(c->inst).gen, 0);
    mac = MIN(mac, copy_mac);
    for (size_t i = 0; context_is_full(c) && i < list->n; i++) {
        struct dbheader header;
        if (c->dbs[list->dbids[i]].done)
            continue;
        dbfile_header(list->files[i], &header);
        mac = MIN(mac, bkinfo_get(&header.bytes[DBH_BK_FULL_PREV]).gen_high);
    }
    c->delete_mac = mac;
}

static void
report_range(struct context *c, enum event_id id, uint32_t mic, uint32_t mac)
{
    g_autofree char *first = log_gen_path(c->inst->log, (int32_t)mic);
    g_autofree char *last = log_gen_path(c->inst->log, (int32_t)mac - 1);
    event_report(c->inst->events, id, first, last, NULL);
}

/* Rolls the log and fixes the ranges; once per session. */
static JET_ERR
prepare_logs(struct context *c)
{
    struct backup_file_list list;
    int32_t closed = 0;
    if (c->logs_ready)
        return JET_errSuccess;
    JET_ERR err = stamp_record(c, PHASE_PREPARE_LOGS, 0, &c->begin, &c->prepare_mark);
    if (err >= 0)
        err = log_roll(c->inst->log, &closed);
    if (err < 0)
        return err;
    c->prepare_time = logtime_now();
    c->delete_mic = (uint32_t)log_oldest_gen(c->inst->log);
    if (!context_is_full(c))
        err = context_check_no_hole(c);
    if (err < 0)
        return err;
    context_list_databases(c->inst, &list);
    c->copy_mac = (uint32_t)closed + 1;
    choose_deletable(c, &list, c->copy_mac);
    if (!context_is_full(c))
        c->copy_mic = c->delete_mic;
    c->logs_ready = true;
    c->state = context_is_full(c) ? BACKUP_LOGS : BACKUP_INC_LOGS;
    context_set_state_name(c, "logs");
    report_range(c, EVENT_BACKUP_LOGS_START, c->copy_mic, c->copy_mac);
    return JET_errSuccess;
}

static char **
list_range(struct context *c, uint32_t mic, uint32_t mac)
{
    GPtrArray *paths = g_ptr_array_new();
    for (uint32_t gen = mic; gen < mac; gen++)
        g_ptr_array_add(paths, log_gen_path(c->inst->log, (int32_t)gen));
    g_ptr_array_add(paths, NULL);
    return (char **)g_ptr_array_free(paths, FALSE);
}

/* In a frozen session the ranges are those of the freeze. */
static JET_ERR
lock_with_logs(struct instance *inst, struct context **out)
{
    JET_ERR err = context_lock_live(inst, out);
    if (err < 0)
        return err;
    struct context *c = *out;
    if (c->plain.open) {
        err = JET_errInvalidBackupSequence;
    } else if (c->state == BACKUP_FROZEN) {
        struct backup_file_list list;
        context_list_databases(inst, &list);
        c->delete_mic = (uint32_t)log_oldest_gen(inst->log);
        choose_deletable(c, &list, c->copy_mac);
    } else {
        err = prepare_logs(c);
    }
    if (err < 0)
        context_unlock(c);
    return err;
}

JET_ERR
context_log_info(struct instance *inst, char ***paths, uint32_t *gen_low, uint32_t *gen_high)
{
    struct context *c;
    JET_ERR err = lock_with_logs(inst, &c);
    if (err < 0)
        return err;
    *paths = list_range(c, c->copy_mic, c->copy_mac);
    if (gen_low)
        *gen_low = c->copy_mic;
    if (gen_high)
        *gen_high = c->copy_mac - 1;
    context_unlock(c);
    return JET_errSuccess;
}

JET_ERR
context_truncate_info(struct instance *inst, char ***paths)
{
    struct context *c;
    JET_ERR err = lock_with_logs(inst, &c);
    if (err < 0)
        return err;
    *paths = list_range(c, c->delete_mic, c->delete_mac);
    context_unlock(c);
    return JET_errSuccess;
}

/* ---- truncation ---- */

/* As ESE checks it: by the sum of the generations read. */
static bool
all_copied(const struct context *c)
{
    uint64_t sum = 0;
    for (uint32_t gen = c->copy_mic; gen < c->copy_mac; gen++)
        sum += gen;
    return c->copied >= sum;
}

/* What was copied is no longer held: the session's pin moves up to what stays. */
static JET_ERR
move_pin(struct context *c)
{
    if (c->state == BACKUP_FROZEN)
        return frozen_release_logs(c->frozen, c->delete_mac);
    struct log_pin *pin;
    JET_ERR err = log_pin(c->inst->log, (int32_t)c->delete_mac, &pin);
    if (err < 0)
        return err;
    log_unpin(c->inst->log, c->pin);
    c->pin = pin;
    return JET_errSuccess;
}

JET_ERR
context_truncate_range(struct context *c)
{
    uint32_t removed = 0, wanted = c->delete_mac - c->delete_mic;
    JET_ERR err = move_pin(c);
    if (err < 0)
        return err;
    report_range(c, EVENT_BACKUP_TRUNCATE, c->delete_mic, c->delete_mac);
    err = log_truncate(c->inst->log, (int32_t)c->delete_mic, (int32_t)c->delete_mac, &removed);
    if (err >= 0 && removed < wanted) {
        g_autofree char *missing = event_number(wanted - removed);
        event_report(c->inst->events, EVENT_BACKUP_TRUNCATE_MISSING, missing, NULL);
    }
    return err;
}

static JET_ERR
truncate_locked(struct context *c)
{
    bool frozen = c->state == BACKUP_FROZEN;
    if (c->plain.open || (!frozen && !c->logs_ready))
        return JET_errInvalidBackupSequence;
    if (!frozen && !all_copied(c)) {
        event_report(c->inst->events, EVENT_BACKUP_LOG_NOT_COPIED, NULL);
        return JET_errLogFileNotCopied;
    }
    if (frozen) {
        struct backup_file_list list;
        context_list_databases(c->inst, &list);
        c->delete_mic = (uint32_t)log_oldest_gen(c->inst->log);
        choose_deletable(c, &list, c->copy_mac);
    }
    c->truncated = true;
    (void)stamp_record(c, PHASE_TRUNCATE, 0, &c->begin, NULL);
    if (c->delete_mic >= c->delete_mac) {
        event_report(c->inst->events, EVENT_BACKUP_NO_TRUNCATE, NULL);
        return JET_errSuccess;
    }
    return context_truncate_range(c);
}

JET_ERR
context_truncate(struct instance *inst)
{
    struct context *c;
    JET_ERR err = context_lock_live(inst, &c);
    if (err < 0)
        return err;
    err = truncate_locked(c);
    context_unlock(c);
    return err;
}
