/* SPDX-License-Identifier: MIT */
/*
 * stop: redo ends before the log does: at a position the caller gave, or since a set has no more.
 *
 * A record belongs to the result iff it begins below the stop. Pages are never taken back, so a
 * database whose file may have been written by a later generation, as its header says, is refused.
 * The stream goes on behind the last record redone: what lies beyond is cut off, so that no later
 * recovery can take it for a part of the new history.
 */
#include "recovery/internal.h"

#include "log/cut.h"
#include "os/file.h"

bool
stop_reached(struct recovery *r, struct lgpos pos)
{
    if (lgpos_is_zero(r->p->stop) || lgpos_cmp(pos, r->p->stop) < 0)
        return false;
    r->stopped = pos;
    return true;
}

bool
stop_before_generation(struct recovery *r, int32_t gen)
{
    if (gen > logset_highest(r))
        return false;
    return stop_reached(r, (struct lgpos) {0, 1, gen});
}

JET_ERR
stop_check(struct recovery *r)
{
    if (lgpos_is_zero(r->stopped))
        return JET_errSuccess;
    for (uint8_t dbid = 1; dbid <= RECOVERY_DBID_MAX; dbid++) {
        const struct rdb *d = &r->dbs[dbid];
        if (d->state != RDB_ATTACHED || d->required < r->stopped.gen)
            continue;
        recovery_event_db(r, EVENT_RECOVERY_MISSING_HIGH, d->path, r->stopped.gen - 1, d->required);
        return JET_errRequiredLogFilesMissing;
    }
    return JET_errSuccess;
}

/* Inside a generation: where it ends from now on. Zero: all of it was redone. */
static struct lgpos
cut_in(const struct recovery *r, int32_t gen)
{
    return r->stopped.gen == gen ? r->stopped : LGPOS_MIN;
}

/* Hard: the next generation refers to the last one redone, so that has to be there. */
static JET_ERR
bring_last_log(struct recovery *r)
{
    if (logset_is_own(r, r->gen))
        return JET_errSuccess;
    g_autofree char *from = logset_path(r, r->gen);
    g_autofree char *name = log_name_archive(r->p->log.base, r->p->log.ext ? r->p->log.ext : "log",
                                             r->gen, r->p->log.eight_dot_three);
    g_autofree char *to = g_build_filename(r->p->log.dir, name, NULL);
    if (log_gens_path(&r->gens, r->gen) && lgpos_is_zero(r->stopped))
        return JET_errSuccess;
    return from ? log_cut(from, to, cut_in(r, r->gen)) : JET_errFileNotFound;
}

/* Does the log directory itself hold what lies beyond? */
static bool
own_beyond(const struct recovery *r)
{
    if (lgpos_is_zero(r->stopped) || (recovery_is_hard(r) && !r->set->continue_with_log_dir))
        return false;
    int32_t archive = r->gens.n > 0 ? r->gens.gens[r->gens.n - 1] : 0;
    return MAX(archive, r->current_gen) > r->gen ||
           (logset_is_own(r, r->gen) && !lgpos_is_zero(cut_in(r, r->gen)));
}

static JET_ERR
remove_beyond(struct recovery *r)
{
    if (!r->p->delete_out_of_range)
        return JET_errRecoveredWithoutUndo;
    g_autofree char *path = logset_path(r, r->gen);
    struct lgpos cut = cut_in(r, r->gen);
    JET_ERR err = logset_remove_from(r, r->gen + 1);
    if (err >= 0 && logset_is_own(r, r->gen) && !lgpos_is_zero(cut))
        err = log_cut(path, path, cut);
    r->warning = JET_wrnCommittedLogFilesRemoved;
    return err;
}

JET_ERR
stop_settle_log(struct recovery *r)
{
    JET_ERR err = own_beyond(r) ? remove_beyond(r) : JET_errSuccess;
    return err < 0 || !recovery_is_hard(r) ? err : bring_last_log(r);
}
