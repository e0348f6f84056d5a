/* SPDX-License-Identifier: MIT */
/*
 * context_limits: the limits of a frozen session as the administrator sets and hears of them, who
 * holds it, and what it does to commits.
 */
#include <string.h>

#include "backup/context_state.h"
#include "txn/session.h"

#define MS_PER_S 1000u
#define US_PER_S UINT64_C(1000000)

/* How each limit is called where it is set. */
static const struct {
    const char *name, *parameters;
} limit_names[LIMITS] = {
    [LIMIT_AGE] = {"maximum age", "JET_paramJetxSessionMaxAge, -o max_age"},
    [LIMIT_IDLE] = {"idle time", "JET_paramJetxSessionIdle, -o idle"},
    [LIMIT_PREIMAGE] = {"preimage budget", "JET_paramJetxPreimageBudget, "
                                           "JET_paramJetxPreimagePercent, -o preimage"},
    [LIMIT_PINNED_LOG] = {"pinned log budget", "JET_paramJetxPinnedLogBudget, "
                                               "JET_paramJetxPinnedLogPercent, -o pinned_log"},
};

static bool
is_time(enum limit_kind kind)
{
    return kind == LIMIT_AGE || kind == LIMIT_IDLE;
}

static char *
amount_text(enum limit_kind kind, uint64_t amount)
{
    if (is_time(kind))
        return g_strdup_printf("%" G_GUINT64_FORMAT " s", amount / US_PER_S);
    return g_format_size_full(amount, G_FORMAT_SIZE_IEC_UNITS);
}

struct frozen_limits
context_limits(struct instance *inst)
{
    const struct params *p = inst->params;
    return (struct frozen_limits) {
        .age_us = params_number(p, JET_paramJetxSessionMaxAge) * US_PER_S,
        .idle_us = params_number(p, JET_paramJetxSessionIdle) * US_PER_S,
        .preimage_bytes = (uint64_t)params_number(p, JET_paramJetxPreimageBudget) << 20,
        .preimage_percent = (uint32_t)params_number(p, JET_paramJetxPreimagePercent),
        .pinned_log_bytes = (uint64_t)params_number(p, JET_paramJetxPinnedLogBudget) << 20,
        .pinned_log_percent = (uint32_t)params_number(p, JET_paramJetxPinnedLogPercent),
    };
}

/* ---- what happens by itself ---- */

void
context_note_death(void *ctx, JET_ERR err, enum limit_kind over, const struct limit *limit)
{
    struct context *c = ctx;
    atomic_store(&c->died_limit, over == LIMIT_NONE ? 0 : 1u + (uint32_t)over);
    atomic_store(&c->died, err);
    if (over == LIMIT_NONE)
        return;
    g_autofree char *max = amount_text(over, limit->max);
    event_report(c->inst->events, EVENT_SESSION_LIMIT_REACHED, limit_names[over].name, max,
                 limit_names[over].parameters, NULL);
}

void
context_note_warning(void *ctx, enum limit_kind kind, const struct limit *limit)
{
    struct context *c = ctx;
    g_autofree char *percent = event_number(limit->warned);
    g_autofree char *used = amount_text(kind, limit->used);
    g_autofree char *max = amount_text(kind, limit->max);
    event_report(c->inst->events, EVENT_SESSION_LIMIT_NEAR, limit_names[kind].name, percent, used,
                 max, NULL);
}

char *
context_death_text(struct context *c)
{
    JET_ERR died = atomic_load(&c->died);
    uint32_t limit = atomic_load(&c->died_limit);
    if (limit > 0)
        return g_strdup_printf("It reached its limit: %s.", limit_names[limit - 1].name);
    return died < 0 ? g_strdup_printf("No room for old page images: error %d.", died)
                    : g_strdup("It was stopped.");
}

/* ---- commits ---- */

static JETX_LATENCY
latency_between(const struct histogram_counts *from, const struct histogram_counts *to)
{
    struct histogram_counts counts = *to;
    histogram_subtract(&counts, from);
    return (JETX_LATENCY) {.c = histogram_total(&counts),
                           .usP50 = histogram_quantile_us(&counts, 500),
                           .usP99 = histogram_quantile_us(&counts, 990)};
}

void
context_commits_begin(struct context *c)
{
    g_mutex_lock(&c->handles_lock);
    txn_commit_latency(c->inst->txn, &c->commits_freeze);
    c->status.commitBefore = latency_between(&c->commits_then, &c->commits_freeze);
    g_mutex_unlock(&c->handles_lock);
}

void
context_commits_end(struct context *c)
{
    txn_commit_latency(c->inst->txn, &c->commits_then);
}

void
context_refresh_limits(struct context *c, const struct frozen_stats *stats)
{
    struct histogram_counts now;
    for (unsigned i = 0; i < LIMITS; i++) {
        const struct limit *limit = &stats->limits.of[i];
        uint64_t unit = is_time(i) ? US_PER_S / MS_PER_S : 1;
        c->status.rgLimit[i] = (JETX_LIMIT) {
            .limit = limit->max / unit, .used = limit->used / unit, .warned = limit->warned};
    }
    c->status.limitEnded = stats->limits.over == LIMIT_NONE ? 0 : 1u + (uint32_t)stats->limits.over;
    JET_ERR died = atomic_load(&c->died);
    c->status.errCause = died == JET_errBackupAbortByServer ? JET_errSuccess : died;
    txn_commit_latency(c->inst->txn, &now);
    c->status.commitDuring = latency_between(&c->commits_freeze, &now);
}

/* ---- what the holder says ---- */

JET_ERR
context_set_limits(struct instance *inst, const JETX_BACKUPLIMITS *limits)
{
    struct context *c;
    if (limits->pctPreimage > 100 || limits->pctPinnedLog > 100)
        return JET_errInvalidParameter;
    JET_ERR err = context_lock_frozen(inst, &c);
    if (err < 0)
        return err;
    struct frozen_limits tighter = {
        .age_us = MIN(limits->secMaxAge, INT64_MAX / US_PER_S) * US_PER_S,
        .idle_us = MIN(limits->secIdle, INT64_MAX / US_PER_S) * US_PER_S,
        .preimage_bytes = limits->cbPreimage,
        .preimage_percent = limits->pctPreimage,
        .pinned_log_bytes = limits->cbPinnedLog,
        .pinned_log_percent = limits->pctPinnedLog,
    };
    frozen_tighten(c->frozen, &tighter);
    context_unlock(c);
    return JET_errSuccess;
}

/* The name of another process: what ps shows. */
static void
program_of(uint32_t pid, char *out, size_t cb)
{
    g_autofree char *path = g_strdup_printf("/proc/%u/comm", pid);
    g_autofree char *name = NULL;
    if (g_file_get_contents(path, &name, NULL, NULL))
        g_strlcpy(out, g_strchomp(name), cb);
}

JET_ERR
context_progress(struct instance *inst, const struct backup_progress *progress)
{
    struct context *c;
    JET_ERR err = context_lock_frozen(inst, &c);
    if (err < 0)
        return err;
    if (progress->read)
        frozen_note_read(c->frozen);
    g_mutex_lock(&c->handles_lock);
    JETX_BACKUPSTATUS *status = &c->status;
    if (progress->pid > 0 && progress->pid != status->pidHolder) {
        status->pidHolder = progress->pid;
        status->szHolderProgram[0] = 0;
        program_of(progress->pid, status->szHolderProgram, sizeof status->szHolderProgram);
    }
    if (progress->mount) {
        g_strlcpy(status->szHolderMount, progress->mount, sizeof status->szHolderMount);
        status->cbRequired = progress->required;
        status->cbServed = progress->served;
    }
    g_mutex_unlock(&c->handles_lock);
    context_unlock(c);
    return JET_errSuccess;
}
