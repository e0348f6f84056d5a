/* SPDX-License-Identifier: MIT */
/*
 * freeze: an instance that writes nothing for a while, so that whoever copies its disk meanwhile
 * has one moment of it, which recovers as after a crash. Declared in instance/instance.h.
 *
 *   work lock (held by the caller)   no attach, detach, create, no checkpoint of the timer
 *   checkpoint                       stays where it is
 *   cache                            the batch under way is written, its log with it; then no write
 *   log                              everything appended is flushed; then no flush, no roll
 *
 * The log comes last, as the cache's last batch needs it.
 */
#include "cache/cache.h"
#include "instance/instance.h"
#include "log/stream.h"

static void
set_frozen(struct instance *inst, bool frozen)
{
    g_mutex_lock(&inst->checkpoint_lock);
    atomic_store(&inst->frozen, frozen);
    g_mutex_unlock(&inst->checkpoint_lock);
}

JET_ERR
instance_freeze(struct instance *inst, bool roll, struct instance_freeze *out)
{
    int32_t closed;
    set_frozen(inst, true);
    cache_hold(inst->cache);
    JET_ERR err = roll ? log_roll(inst->log, &closed) : log_flush_all(inst->log);
    if (err >= 0)
        err = log_hold(inst->log, &out->end);
    if (err < 0) {
        cache_release(inst->cache);
        set_frozen(inst, false);
        return err;
    }
    out->gen_current = log_gen(inst->log);
    return JET_errSuccess;
}

void
instance_thaw(struct instance *inst)
{
    log_release(inst->log);
    cache_release(inst->cache);
    set_frozen(inst, false);
}
