/* SPDX-License-Identifier: MIT */
#include "backup/restore_logs.h"

#include <string.h>

#include "instance/event.h"
#include "log/filehdr.h"
#include "os/file.h"

int32_t
restore_stop_gen(struct lgpos stop)
{
    if (lgpos_is_zero(stop))
        return INT32_MAX;
    return lgpos_cmp(stop, (struct lgpos) {0, 1, stop.gen}) <= 0 ? stop.gen - 1 : stop.gen;
}

int32_t
restore_stop_whole(struct lgpos stop)
{
    return lgpos_is_zero(stop) ? INT32_MAX : stop.gen - 1;
}

/* ---- a sorted list that grows ---- */

static void
insert(struct log_gens *logs, int32_t gen, const char *path)
{
    size_t at = logs->n;
    while (at > 0 && logs->gens[at - 1] >= gen)
        at--;
    if (at < logs->n && logs->gens[at] == gen)
        return; /* the first directory that has it counts */
    logs->gens = g_renew(int32_t, logs->gens, logs->n + 1);
    logs->paths = g_renew(char *, logs->paths, logs->n + 1);
    memmove(&logs->gens[at + 1], &logs->gens[at], (logs->n - at) * sizeof *logs->gens);
    memmove(&logs->paths[at + 1], &logs->paths[at], (logs->n - at) * sizeof *logs->paths);
    logs->gens[at] = gen;
    logs->paths[at] = g_strdup(path);
    logs->n++;
}

static void
keep_range(struct log_gens *logs, int32_t low, int32_t high)
{
    size_t kept = 0;
    for (size_t i = 0; i < logs->n; i++) {
        if (logs->gens[i] < low || logs->gens[i] > high) {
            g_free(logs->paths[i]);
            continue;
        }
        logs->gens[kept] = logs->gens[i];
        logs->paths[kept++] = logs->paths[i];
    }
    logs->n = kept;
}

static JET_ERR
add_dir(const struct restore_params *p, const char *dir, struct restore_chain *chain)
{
    struct log_gens found;
    JET_ERR err = log_gens_find(dir, p->base, p->ext, &found);
    if (err < 0)
        return err;
    for (size_t i = 0; i < found.n; i++)
        insert(&chain->logs, found.gens[i], found.paths[i]);
    log_gens_clear(&found);
    return JET_errSuccess;
}

JET_ERR
restore_chain_find(const struct restore_params *p, const char *dir, struct restore_chain *chain)
{
    JET_ERR err = add_dir(p, dir, chain);
    for (const char *const *more = p->more_dirs; more && *more && err >= 0; more++)
        err = add_dir(p, *more, chain);
    if (err >= 0 && chain->logs.n > 0) {
        chain->lowest = chain->logs.gens[0];
        chain->highest = chain->logs.gens[chain->logs.n - 1];
    }
    return err;
}

/* ---- what follows ---- */

static JET_ERR
current_gen(const char *path, int32_t *gen)
{
    struct log_filehdr header = {.gen = 0};
    JET_ERR err = log_filehdr_read(path, &header);
    if (err >= 0)
        *gen = header.gen;
    return err;
}

static JET_ERR
take_current(const struct restore_params *p, const char *path, struct restore_chain *chain)
{
    int32_t gen = 0;
    if (!p->forward_current || !path)
        return JET_errSuccess;
    JET_ERR err = current_gen(path, &gen);
    if (err < 0 || log_gens_path(&chain->logs, gen) || gen > restore_stop_gen(p->stop))
        return err;
    chain->logs.current = g_strdup(path);
    chain->current_gen = gen;
    return JET_errSuccess;
}

static JET_ERR
take_forward(const struct restore_params *p, const struct restore_logs *set,
             struct restore_chain *chain)
{
    struct log_gens found;
    JET_ERR err = log_gens_find(p->forward_dir, p->base, p->ext, &found);
    if (err < 0)
        return err;
    err = restore_check_log_dir(&found, set, p->events);
    int32_t high = p->forward_high ? p->forward_high : INT32_MAX;
    high = MIN(high, restore_stop_gen(p->stop));
    for (size_t i = 0; err >= 0 && i < found.n; i++) {
        if (found.gens[i] > set->gen_high && found.gens[i] <= high)
            insert(&chain->logs, found.gens[i], found.paths[i]);
    }
    if (err >= 0)
        err = take_current(p, found.current, chain);
    log_gens_clear(&found);
    return err;
}

/* Where the chain ends without a gap. */
static int32_t
last_of(const struct restore_chain *chain, int32_t gen)
{
    while (log_gens_path(&chain->logs, gen + 1) || chain->current_gen == gen + 1)
        gen++;
    return gen;
}

JET_ERR
restore_chain_extend(const struct restore_params *p, const struct restore_logs *set,
                     struct restore_chain *chain)
{
    keep_range(&chain->logs, set->gen_low, set->gen_high);
    bool further = p->forward_dir && restore_stop_gen(p->stop) > set->gen_high;
    JET_ERR err = further ? take_forward(p, set, chain) : JET_errSuccess;
    if (err < 0 || lgpos_is_zero(p->stop))
        return err;
    int32_t needed = restore_stop_gen(p->stop);
    int32_t last = last_of(chain, set->gen_high);
    if (last >= needed)
        return JET_errSuccess;
    g_autofree char *number = event_number(last + 1);
    event_report(p->events, EVENT_RESTORE_LOG_MISSING, number, NULL);
    return JET_errMissingRestoreLogFiles;
}

void
restore_chain_clear(struct restore_chain *chain)
{
    log_gens_clear(&chain->logs);
}
