/* SPDX-License-Identifier: MIT */
/*
 * timer: what an instance does by itself: lazy commits reach the disk, versions are cleaned up, the
 * checkpoint advances. Declared in instance/instance.h.
 */
#include "cache/cache.h"
#include "instance/instance.h"
#include "log/stream.h"
#include "txn/session.h"

#define TICK_US          30000 /* how long a lazy commit may wait for the disk */
#define CLEANUP_TICKS    4
#define CHECKPOINT_TICKS 33
#define CLEANUP_BATCH    20000
#define SEGMENT          4096

/* Pages dirtied before the preferred checkpoint depth are written ahead of need. */
static void
advance_cache(struct instance *inst)
{
    uint64_t depth = params_number(inst->params, JET_paramCheckpointDepthMax);
    uint64_t per_gen = log_file_bytes(inst->log) / SEGMENT;
    struct lgpos tip = log_tip(inst->log);
    uint64_t at = (uint64_t)tip.gen * per_gen + tip.isec;
    uint64_t back = depth / SEGMENT;
    if (at <= back)
        return;
    uint64_t target = at - back;
    cache_advance(inst->cache, (struct lgpos) {.gen = (int32_t)(target / per_gen),
                                               .isec = (uint16_t)(target % per_gen)});
}

static void
tick(struct instance *inst, uint64_t n)
{
    if (atomic_load(&inst->frozen))
        return;
    if (lgpos_cmp(log_flush_tip(inst->log), log_tip(inst->log)) < 0)
        (void)log_flush_all(inst->log); /* a failure is the log's state from now on */
    if (n % CLEANUP_TICKS == 0)
        (void)txn_cleanup(inst->txn, CLEANUP_BATCH, NULL); /* what stays is only waste */
    if (n % CHECKPOINT_TICKS != 0)
        return;
    advance_cache(inst);
    /* Attach and detach move the checkpoint themselves when they are done. */
    if (g_mutex_trylock(&inst->work)) {
        JET_ERR err = instance_checkpoint(inst, true);
        g_mutex_unlock(&inst->work);
        if (err < 0)
            instance_fail(inst, err);
    }
}

static void *
run(void *arg)
{
    struct instance *inst = arg;
    uint64_t n = 0;
    g_mutex_lock(&inst->state_lock);
    while (!inst->timer_stop) {
        gint64 until = g_get_monotonic_time() + TICK_US;
        while (!inst->timer_stop && g_cond_wait_until(&inst->timer_wake, &inst->state_lock, until))
            ;
        bool idle = inst->timer_stop || inst->unavailable < 0;
        g_mutex_unlock(&inst->state_lock);
        if (!idle)
            tick(inst, ++n);
        g_mutex_lock(&inst->state_lock);
    }
    g_mutex_unlock(&inst->state_lock);
    return NULL;
}

void
instance_timer_start(struct instance *inst)
{
    inst->timer_stop = false;
    inst->timer = g_thread_new("jet-timer", run, inst);
}

void
instance_timer_stop(struct instance *inst)
{
    if (!inst->timer)
        return;
    g_mutex_lock(&inst->state_lock);
    inst->timer_stop = true;
    g_cond_broadcast(&inst->timer_wake);
    g_mutex_unlock(&inst->state_lock);
    g_thread_join(g_steal_pointer(&inst->timer));
}
