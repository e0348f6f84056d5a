/* SPDX-License-Identifier: MIT */
/*
 * hard: recovery from a backup set (log format 5.10; backup API 6.3, from phase 3).
 *
 * Redo begins at the first log of the set and trusts no checkpoint; it ends with the set, or goes
 * on through the log directory when that continues the chain. The stream then lives in the log
 * directory: the last generation redone is copied there if need be, so that the next one can refer
 * to it.
 */
#include "recovery/internal.h"

#include "os/file.h"

/* All logs of the set are there. */
static JET_ERR
check_set(struct recovery *r)
{
    for (int32_t gen = r->set->gen_low; gen <= r->set->gen_high; gen++) {
        g_autofree char *path = logset_path(r, gen);
        if (!path)
            return JET_errFileNotFound;
    }
    return JET_errSuccess;
}

/* The log directory may hold nothing, or what continues the set without a gap. */
static JET_ERR
check_log_dir(struct recovery *r)
{
    int32_t next = r->set->gen_high + 1;
    if (!r->set->continue_with_log_dir || logset_highest(r) < next)
        return JET_errSuccess;
    g_autofree char *path = logset_path(r, next);
    return path ? JET_errSuccess : JET_errMissingCurrentLogFiles;
}

static JET_ERR
start(struct recovery *r)
{
    r->start = (struct lgpos) {0, 1, r->set->gen_low};
    g_autofree char *path = logset_path(r, r->start.gen);
    struct log_reader *reader;
    struct log_reader_opts opts = {.expect = {.gen = r->start.gen}, .last = true};
    JET_ERR err = log_reader_open(path, &opts, &reader);
    if (err < 0)
        return err;
    uint8_t list[ATTACH_LIST_BYTES];
    memcpy(list, log_reader_header(reader)->attach, sizeof(list));
    log_reader_close(reader);
    return dbs_load_list(r, list);
}

static JET_ERR
remove_checkpoint(struct recovery *r)
{
    g_autofree char *path = recovery_checkpoint_path(r->p);
    return os_exists(path) ? os_remove(path) : JET_errSuccess;
}

static JET_ERR
hard(struct recovery *r, struct recovery_result *result)
{
    JET_ERR err = logset_open(r);
    if (err >= 0)
        err = check_set(r);
    if (err >= 0)
        err = check_log_dir(r);
    if (err >= 0)
        err = remove_checkpoint(r);
    if (err >= 0)
        err = recovery_engine_start(r);
    if (err >= 0)
        err = start(r);
    return err < 0 ? err : recovery_go(r, result);
}

JET_ERR
recovery_hard(const struct recovery_params *params, const struct recovery_set *set,
              struct recovery_result *result)
{
    struct recovery r = {.p = params, .set = set};
    struct recovery_result out = {0};
    JET_ERR err = hard(&r, &out);
    recovery_engine_stop(&r);
    if (err >= 0)
        *result = out;
    return err;
}
