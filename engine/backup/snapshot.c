/* SPDX-License-Identifier: MIT */
#include "backup/snapshot.h"

#include <glib.h>

#include "backup/context.h"
#include "instance/instance.h"
#include "os/thread.h"

#define KINDS  (JET_bitIncrementalSnapshot | JET_bitCopySnapshot)
#define GRBITS (KINDS | JET_bitContinueAfterThaw | JET_bitExplicitPrepare)

enum snapshot_state { PREPARED, FREEZING, FROZEN, THAWED, TRUNCATED, TIMED_OUT, FAILED };

/* An instance in a session. */
struct part {
    struct instance *inst;
    bool frozen;    /* and inside the gate; the state lock, once there is a thread */
    bool in_backup; /* its backup context is in state SNAPSHOT; calls, or the thread */
};

struct snapshot {
    JET_OSSNAPID id;
    JET_GRBIT grbit;
    enum snapshot_state state; /* changed under calls and state lock, or by the thread */
    GPtrArray *parts;          /* of struct part; calls; not while FROZEN */
    GThread *thread;
    int64_t thaw_us; /* monotonic: when the thread thaws; state lock */
    uint32_t timeout_ms;
};

static GMutex calls; /* guards sessions and last_id */
static GPtrArray *sessions;
static JET_OSSNAPID last_id;

static GMutex state_lock;
static GCond state_changed;

static void
assert_state(const struct snapshot *s)
{
    g_assert((s->state == FROZEN || s->state == FREEZING) || s->thread == NULL);
    for (guint i = 0; i < s->parts->len; i++) {
        const struct part *p = s->parts->pdata[i];
        g_assert(p->frozen == (s->state == FROZEN));
        g_assert(p->in_backup ==
                 (s->state == FROZEN || s->state == THAWED || s->state == TRUNCATED));
    }
}

/* ---- sessions and parts; all need calls ---- */

static void
part_free(void *part)
{
    struct part *p = part;
    g_assert(!p->frozen && !p->in_backup);
    g_free(p);
}

static void
snapshot_free(void *snapshot)
{
    struct snapshot *s = snapshot;
    g_assert(!s->thread);
    g_ptr_array_unref(s->parts);
    g_free(s);
}

static void
set_state(struct snapshot *s, enum snapshot_state state)
{
    g_mutex_lock(&state_lock);
    s->state = state;
    g_cond_broadcast(&state_changed);
    g_mutex_unlock(&state_lock);
}

/* The thread has nothing to do any more, or has done it. */
static void
join_thread(struct snapshot *s)
{
    if (s->thread)
        g_thread_join(g_steal_pointer(&s->thread));
}

/* A session found has no thread unless it is FROZEN, so that its state is what it seems. */
static JET_ERR
find(JET_OSSNAPID id, struct snapshot **out)
{
    for (guint i = 0; sessions && i < sessions->len; i++) {
        struct snapshot *s = sessions->pdata[i];
        if (s->id != id)
            continue;
        g_mutex_lock(&state_lock);
        bool over = s->state == TIMED_OUT;
        g_mutex_unlock(&state_lock);
        if (over)
            join_thread(s);
        *out = s;
        return JET_errSuccess;
    }
    return JET_errOSSnapshotInvalidSnapId;
}

static enum snapshot_state
state_of(struct snapshot *s)
{
    g_mutex_lock(&state_lock);
    enum snapshot_state state = s->state;
    g_mutex_unlock(&state_lock);
    return state;
}

static bool
is_under_way(struct snapshot *s)
{
    enum snapshot_state state = state_of(s);
    return state == PREPARED || state == FROZEN || state == THAWED || state == TRUNCATED;
}

static struct part *
find_part(const struct snapshot *s, const struct instance *inst)
{
    for (guint i = 0; i < s->parts->len; i++) {
        struct part *p = s->parts->pdata[i];
        if (p->inst == inst)
            return p;
    }
    return NULL;
}

static void
add_part(struct snapshot *s, struct instance *inst)
{
    struct part *p = g_new0(struct part, 1);
    p->inst = inst;
    g_ptr_array_add(s->parts, p);
}

/* To each of its instances; without any, to the journal alone. */
static void
report(const struct snapshot *s, enum event_id event, const char *second)
{
    g_autofree char *id = event_number((int64_t)s->id);
    for (guint i = 0; i < s->parts->len; i++) {
        const struct part *p = s->parts->pdata[i];
        event_report(p->inst->events, event, id, second, NULL);
    }
    if (s->parts->len == 0)
        event_report(NULL, event, id, second, NULL);
}

/* ---- prepare ---- */

static enum event_id
prepare_event(JET_GRBIT grbit)
{
    switch (grbit & KINDS) {
    case 0:
        return EVENT_SNAPSHOT_FULL;
    case JET_bitIncrementalSnapshot:
        return EVENT_SNAPSHOT_INCREMENTAL;
    case JET_bitCopySnapshot:
        return EVENT_SNAPSHOT_COPY;
    default:
        return EVENT_SNAPSHOT_DIFFERENTIAL;
    }
}

struct found {
    struct snapshot *s;
    size_t n;
};

static void
take_running(void *ctx, struct instance *inst)
{
    struct found *found = ctx;
    found->n++;
    if (!(found->s->grbit & JET_bitExplicitPrepare))
        add_part(found->s, inst);
}

static JET_ERR
prepare_locked(JET_OSSNAPID *id, JET_GRBIT grbit, snapshot_each_running each)
{
    for (guint i = 0; sessions && i < sessions->len; i++) {
        if (is_under_way(sessions->pdata[i]))
            return JET_errOSSnapshotInvalidSequence;
    }
    struct snapshot *s = g_new0(struct snapshot, 1);
    s->grbit = grbit;
    s->parts = g_ptr_array_new_with_free_func(part_free);
    struct found found = {.s = s};
    each(take_running, &found);
    if (found.n == 0) {
        snapshot_free(s);
        return JET_errNotInitialized;
    }
    s->id = ++last_id;
    if (!sessions)
        sessions = g_ptr_array_new_with_free_func(snapshot_free);
    g_ptr_array_add(sessions, s);
    report(s, prepare_event(grbit), NULL);
    *id = s->id;
    return JET_errSuccess;
}

JET_ERR
snapshot_prepare(JET_OSSNAPID *id, JET_GRBIT grbit, snapshot_each_running each)
{
    if (grbit & ~GRBITS)
        return JET_errInvalidGrbit;
    if (!id)
        return JET_errInvalidParameter;
    g_mutex_lock(&calls);
    JET_ERR err = prepare_locked(id, grbit, each);
    g_mutex_unlock(&calls);
    return err;
}

JET_ERR
snapshot_prepare_instance(JET_OSSNAPID id, struct instance *inst, JET_GRBIT grbit)
{
    struct snapshot *s = NULL;
    if (grbit)
        return JET_errInvalidGrbit;
    g_mutex_lock(&calls);
    JET_ERR err = find(id, &s);
    if (err >= 0 && state_of(s) != PREPARED)
        err = JET_errOSSnapshotInvalidSequence;
    if (err >= 0 && (find_part(s, inst) || atomic_load(&inst->backup_error) < 0 ||
                     !atomic_load(&inst->backup_allowed)))
        err = JET_errOSSnapshotNotAllowed;
    if (err >= 0)
        add_part(s, inst);
    g_mutex_unlock(&calls);
    return err;
}

/* ---- freeze and thaw ---- */

static JET_ERR
freeze_part(const struct snapshot *s, struct part *p)
{
    JET_ERR err = instance_enter(p->inst);
    if (err < 0)
        return JET_errOSSnapshotNotAllowed;
    err = context_begin_snapshot(p->inst, (s->grbit & JET_bitIncrementalSnapshot) != 0,
                                 (s->grbit & JET_bitCopySnapshot) != 0);
    switch (err) {
    case JET_errBackupNotAllowedYet:
    case JET_errLoggingDisabled:
    case JET_errBackupInProgress:
    case JET_errSurrogateBackupInProgress:
        err = JET_errOSSnapshotNotAllowed;
        break;
    default:
        break;
    }
    if (err < 0)
        instance_leave(p->inst);
    else
        p->frozen = p->in_backup = true;
    return err;
}

/* All write again. What follows is not urgent. Needs the state lock, or FREEZING. */
static void
thaw_parts(struct snapshot *s)
{
    for (guint i = 0; i < s->parts->len; i++) {
        struct part *p = s->parts->pdata[i];
        if (p->frozen)
            instance_thaw(p->inst);
    }
}

/* After thaw_parts. With end the backups are over, too: with this outcome. */
static void
leave_parts(struct snapshot *s, bool end, JET_ERR outcome)
{
    for (guint i = 0; i < s->parts->len; i++) {
        struct part *p = s->parts->pdata[i];
        if (p->in_backup && end) {
            context_end_snapshot(p->inst, outcome);
            p->in_backup = false;
        }
        if (p->frozen) {
            p->frozen = false;
            instance_leave(p->inst);
        }
    }
}

/* The thread: thaws when time is up. It takes no lock that a frozen writer or a call may hold. */
static void *
run(void *snapshot)
{
    struct snapshot *s = snapshot;
    g_mutex_lock(&state_lock);
    while (s->state == FREEZING)
        g_cond_wait(&state_changed, &state_lock);
    while (s->state == FROZEN && g_cond_wait_until(&state_changed, &state_lock, s->thaw_us))
        continue;
    bool mine = s->state == FROZEN;
    if (mine) {
        s->state = TIMED_OUT;
        thaw_parts(s);
    }
    g_mutex_unlock(&state_lock);
    if (mine) {
        g_autofree char *ms = event_number(s->timeout_ms);
        report(s, EVENT_SNAPSHOT_TIMEOUT, ms);
        leave_parts(s, true, JET_errOSSnapshotTimeOut);
    }
    return NULL;
}

static uint32_t
timeout_of(const struct snapshot *s)
{
    uint32_t ms = UINT32_MAX;
    for (guint i = 0; i < s->parts->len; i++) {
        const struct part *p = s->parts->pdata[i];
        ms = MIN(ms, (uint32_t)params_number(p->inst->params, JET_paramOSSnapshotTimeout));
    }
    return ms;
}

static JET_ERR
describe_parts(const struct snapshot *s, snapshot_describe describe, void *ctx)
{
    g_autofree struct instance **insts = g_new0(struct instance *, s->parts->len + 1);
    for (guint i = 0; i < s->parts->len; i++)
        insts[i] = ((struct part *)s->parts->pdata[i])->inst;
    return describe(ctx, insts, s->parts->len);
}

static JET_ERR
freeze_parts(struct snapshot *s, snapshot_describe describe, void *ctx)
{
    JET_ERR err = os_thread_start("snapshot-thaw", run, s, &s->thread);
    for (guint i = 0; err >= 0 && i < s->parts->len; i++)
        err = freeze_part(s, s->parts->pdata[i]);
    if (err >= 0)
        err = describe_parts(s, describe, ctx);
    return err;
}

static JET_ERR
freeze_locked(struct snapshot *s, snapshot_describe describe, void *ctx)
{
    if (s->state != PREPARED)
        return JET_errOSSnapshotInvalidSequence;
    assert_state(s);
    set_state(s, FREEZING);
    report(s, EVENT_SNAPSHOT_FREEZE, NULL);
    JET_ERR err = freeze_parts(s, describe, ctx);
    if (err < 0) {
        thaw_parts(s);
        leave_parts(s, true, err);
        set_state(s, FAILED);
        join_thread(s);
        g_autofree char *number = event_number(err);
        report(s, EVENT_SNAPSHOT_FREEZE_ERROR, number);
        return err;
    }
    s->timeout_ms = timeout_of(s);
    s->thaw_us = g_get_monotonic_time() + (int64_t)s->timeout_ms * 1000;
    set_state(s, FROZEN);
    return JET_errSuccess;
}

JET_ERR
snapshot_freeze(JET_OSSNAPID id, JET_GRBIT grbit, snapshot_describe describe, void *ctx)
{
    struct snapshot *s = NULL;
    if (grbit)
        return JET_errInvalidGrbit;
    g_mutex_lock(&calls);
    JET_ERR err = find(id, &s);
    if (err >= 0)
        err = freeze_locked(s, describe, ctx);
    g_mutex_unlock(&calls);
    return err;
}

/* FROZEN -> THAWED. JET_errOSSnapshotTimeOut: the thread was faster. */
static JET_ERR
thaw_now(struct snapshot *s)
{
    g_mutex_lock(&state_lock);
    bool in_time = s->state == FROZEN;
    if (in_time) {
        s->state = THAWED;
        thaw_parts(s);
        g_cond_broadcast(&state_changed);
    }
    g_mutex_unlock(&state_lock);
    join_thread(s);
    if (!in_time)
        return JET_errOSSnapshotTimeOut;
    report(s, EVENT_SNAPSHOT_THAW, NULL);
    leave_parts(s, false, 0);
    assert_state(s);
    return JET_errSuccess;
}

/* ---- end ---- */

/* It is gone after this. outcome 0: well. */
static void
finish(struct snapshot *s, JET_ERR outcome)
{
    if (state_of(s) == FROZEN)
        (void)thaw_now(s); /* in time or not, it is over */
    join_thread(s);
    leave_parts(s, true, outcome);
    report(s, outcome < 0 ? EVENT_SNAPSHOT_ABORT : EVENT_SNAPSHOT_END, NULL);
    g_ptr_array_remove_fast(sessions, s);
}

static JET_ERR
thaw_locked(struct snapshot *s)
{
    enum snapshot_state state = state_of(s);
    if (state != FROZEN && state != TIMED_OUT)
        return JET_errOSSnapshotInvalidSequence;
    JET_ERR err = state == FROZEN ? thaw_now(s) : JET_errOSSnapshotTimeOut;
    if (!(s->grbit & JET_bitContinueAfterThaw))
        finish(s, err);
    return err;
}

JET_ERR
snapshot_thaw(JET_OSSNAPID id, JET_GRBIT grbit)
{
    struct snapshot *s = NULL;
    if (grbit)
        return JET_errInvalidGrbit;
    g_mutex_lock(&calls);
    JET_ERR err = find(id, &s);
    if (err >= 0)
        err = thaw_locked(s);
    g_mutex_unlock(&calls);
    return err;
}

static JET_ERR
end_locked(struct snapshot *s, bool abort)
{
    enum snapshot_state state = state_of(s);
    if (!abort && (state == FROZEN || state == FAILED))
        return JET_errOSSnapshotInvalidSequence;
    bool late = !abort && state == TIMED_OUT;
    finish(s, abort ? errBackupAbortByCaller : late ? JET_errOSSnapshotTimeOut : JET_errSuccess);
    return late ? JET_errOSSnapshotTimeOut : JET_errSuccess;
}

JET_ERR
snapshot_end(JET_OSSNAPID id, JET_GRBIT grbit)
{
    struct snapshot *s = NULL;
    if (grbit & ~JET_bitAbortSnapshot)
        return JET_errInvalidGrbit;
    g_mutex_lock(&calls);
    JET_ERR err = find(id, &s);
    if (err >= 0)
        err = end_locked(s, grbit & JET_bitAbortSnapshot);
    g_mutex_unlock(&calls);
    return err;
}

void
snapshot_leave(struct instance *inst)
{
    g_mutex_lock(&calls);
    for (guint i = 0; sessions && i < sessions->len; i++) {
        struct snapshot *s = sessions->pdata[i];
        struct part *p = find_part(s, inst);
        if (!p)
            continue;
        if (state_of(s) == TIMED_OUT)
            join_thread(s);
        g_assert(!p->frozen);
        if (p->in_backup) {
            g_autofree char *id = event_number((int64_t)s->id);
            context_end_snapshot(inst, JET_errBackupAbortByServer);
            event_report(inst->events, EVENT_SNAPSHOT_ABORT, id, NULL);
        }
        p->in_backup = false;
        g_ptr_array_remove_fast(s->parts, p);
    }
    g_mutex_unlock(&calls);
}

/* ---- truncate, info ---- */

static JET_ERR
truncate_locked(struct snapshot *s, struct instance *inst, bool all_databases)
{
    enum snapshot_state state = state_of(s);
    if ((state != THAWED && state != TRUNCATED) || s->grbit & JET_bitCopySnapshot)
        return JET_errOSSnapshotInvalidSequence;
    if (inst && !find_part(s, inst))
        return JET_wrnNyi;
    JET_ERR err = JET_errSuccess;
    for (guint i = 0; err >= 0 && i < s->parts->len; i++) {
        struct part *p = s->parts->pdata[i];
        if (!inst || p->inst == inst)
            err = context_truncate_snapshot(p->inst, all_databases);
    }
    set_state(s, TRUNCATED);
    return err;
}

JET_ERR
snapshot_truncate(JET_OSSNAPID id, struct instance *inst, JET_GRBIT grbit)
{
    struct snapshot *s = NULL;
    if (grbit & ~JET_bitAllDatabasesSnapshot)
        return JET_errInvalidGrbit;
    g_mutex_lock(&calls);
    JET_ERR err = find(id, &s);
    if (err >= 0)
        err = truncate_locked(s, inst, grbit & JET_bitAllDatabasesSnapshot);
    g_mutex_unlock(&calls);
    return err;
}

JET_ERR
snapshot_info(JET_OSSNAPID id, JET_GRBIT grbit, snapshot_describe describe, void *ctx)
{
    struct snapshot *s = NULL;
    if (grbit)
        return JET_errInvalidGrbit;
    g_mutex_lock(&calls);
    JET_ERR err = find(id, &s);
    if (err >= 0)
        err = describe_parts(s, describe, ctx);
    g_mutex_unlock(&calls);
    return err;
}
