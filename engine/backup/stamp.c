/* SPDX-License-Identifier: MIT */
/*
 * stamp: what a backup leaves in the log, and by way of recovery/bkstamp.h in the databases'
 * headers (backup API, 4).
 *
 *   full, logs truncated            FullPrev   scope Full
 *   full, not truncated             CopyPrev   scope Copy
 *   incremental, truncated          IncPrev    scope Incremental
 *   incremental, not truncated      DiffPrev   scope Differential
 *
 * An OS snapshot says itself whether it is a copy; what was deleted does not count.
 */
#include <string.h>

#include "backup/context_state.h"
#include "cache/dbfile.h"
#include "log/record.h"
#include "log/stream.h"

static enum backup_scope
scope_of(const struct context *c, bool truncated)
{
    if (context_is_full(c))
        return truncated ? SCOPE_FULL : SCOPE_COPY;
    return truncated ? SCOPE_INCREMENTAL : SCOPE_DIFFERENTIAL;
}

static enum backup_type
type_of(const struct context *c)
{
    switch (c->state) {
    case BACKUP_SURROGATE:
        return BACKUP_TYPE_SURROGATE;
    case BACKUP_SNAPSHOT:
        return BACKUP_TYPE_OS_SNAPSHOT;
    default:
        return BACKUP_TYPE_STREAMING;
    }
}

static JET_ERR
append(struct context *c, enum backup_phase phase, enum backup_scope scope, uint8_t dbid,
       const struct bkinfo *bk, struct lgpos *at)
{
    uint8_t bytes[DBHEADER_BKINFO_BYTES];
    bkinfo_put(bytes, bk);
    struct lr lr = {.type = LR_BACKUP2,
                    .backup = {.phase = (uint8_t)phase,
                               .type = type_of(c),
                               .scope = (uint8_t)scope,
                               .dbid = dbid,
                               .bkinfo = span_of(bytes, sizeof bytes)}};
    struct lr_parts parts;
    lr_encode(&lr, &parts);
    return log_append(c->inst->log, parts.iov, parts.n, at);
}

JET_ERR
stamp_record(struct context *c, enum backup_phase phase, uint8_t dbid, const struct bkinfo *bk,
             struct lgpos *at)
{
    return append(c, phase, context_is_full(c) ? SCOPE_FULL : SCOPE_INCREMENTAL, dbid, bk, at);
}

/* What this session did for a database, if it is to be stamped at all. */
static bool
bkinfo_of(struct context *c, uint8_t dbid, struct bkinfo *bk)
{
    if (c->state == BACKUP_FROZEN) {
        *bk = frozen_bkinfo(c->frozen);
        return c->dbs[dbid].done;
    }
    if (c->state == BACKUP_SURROGATE || c->state == BACKUP_SNAPSHOT) {
        *bk = c->begin;
        return true;
    }
    if (context_is_full(c)) {
        *bk = c->dbs[dbid].bk;
        bk->gen_high = c->copy_mac - 1;
        return c->dbs[dbid].done;
    }
    *bk = (struct bkinfo) {c->prepare_mark, c->prepare_time, c->copy_mic, c->copy_mac - 1};
    return c->logs_ready;
}

void
stamp_databases(struct context *c, bool truncated)
{
    struct backup_file_list list;
    JET_ERR err = JET_errSuccess;
    context_list_databases(c->inst, &list);
    for (size_t i = 0; i < list.n; i++) {
        enum backup_scope scope = scope_of(c, truncated);
        struct bkinfo bk;
        struct lgpos at;
        if (!bkinfo_of(c, list.dbids[i], &bk))
            continue;
        struct backup_stamp stamp = {.scope = (uint8_t)scope, .type = type_of(c)};
        bkinfo_put(stamp.bkinfo, &bk);
        JET_ERR one = append(c, PHASE_UPDATE, scope, list.dbids[i], &bk, &at);
        if (one >= 0)
            one = log_flush(c->inst->log, at);
        if (one >= 0)
            one = dbfile_header_update(list.files[i], backup_stamp_header, &stamp);
        if (err >= 0)
            err = one;
    }
    if (err < 0) {
        g_autofree char *number = event_number(err);
        event_report(c->inst->events, EVENT_BACKUP_INFO_UPDATE_ERROR, number, NULL);
    }
}
