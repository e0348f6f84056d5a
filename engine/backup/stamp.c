/* SPDX-License-Identifier: MIT */
/*
 * stamp: what a backup leaves in the log and in the databases' headers (backup API, 4).
 *
 *   full, logs truncated        FullPrev; IncPrev, DiffPrev, SnapshotCur zeroed    scope Full
 *   full, not truncated         CopyPrev                                           scope Copy
 *   incremental, truncated      IncPrev; SnapshotCur zeroed                        scope
 * Incremental incremental, not truncated  DiffPrev                                           scope
 * Differential
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

static JET_ERR
append(struct context *c, enum backup_phase phase, enum backup_scope scope, uint8_t dbid,
       const struct bkinfo *bk, struct lgpos *at)
{
    uint8_t bytes[DBHEADER_BKINFO_BYTES];
    bkinfo_put(bytes, bk);
    struct lr lr = {.type = LR_BACKUP2,
                    .backup = {.phase = (uint8_t)phase,
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

struct slot_change {
    struct bkinfo bk;
    enum backup_scope scope;
};

static void
set_slot(struct dbheader *header, enum dbheader_field slot, enum dbheader_field type,
         const struct bkinfo *bk)
{
    struct bkinfo present = bkinfo_get(&header->bytes[slot]);
    if (lgpos_cmp(present.mark, bk->mark) > 0)
        return;
    bkinfo_put(&header->bytes[slot], bk);
    dbheader_set_u32(header, type, 0);
}

static void
clear_slot(struct dbheader *header, enum dbheader_field slot)
{
    memset(&header->bytes[slot], 0, DBHEADER_BKINFO_BYTES);
}

static void
change_header(struct dbheader *header, void *ctx)
{
    const struct slot_change *change = ctx;
    switch (change->scope) {
    case SCOPE_FULL:
        set_slot(header, DBH_BK_FULL_PREV, DBH_BK_FULL_TYPE, &change->bk);
        clear_slot(header, DBH_BK_INC_PREV);
        clear_slot(header, DBH_BK_DIFF_PREV);
        clear_slot(header, DBH_BK_SNAPSHOT_CUR);
        break;
    case SCOPE_COPY:
        set_slot(header, DBH_BK_COPY_PREV, DBH_BK_COPY_TYPE, &change->bk);
        break;
    case SCOPE_INCREMENTAL:
        set_slot(header, DBH_BK_INC_PREV, DBH_BK_INC_TYPE, &change->bk);
        clear_slot(header, DBH_BK_SNAPSHOT_CUR);
        break;
    case SCOPE_DIFFERENTIAL:
        set_slot(header, DBH_BK_DIFF_PREV, DBH_BK_DIFF_TYPE, &change->bk);
        break;
    }
}

/* What this session did for a database, if it is to be stamped at all. */
static bool
bkinfo_of(struct context *c, uint8_t dbid, struct bkinfo *bk)
{
    if (c->state == BACKUP_FROZEN) {
        *bk = frozen_bkinfo(c->frozen);
        return c->dbs[dbid].done;
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
        struct slot_change change = {.scope = scope_of(c, truncated)};
        struct lgpos at;
        if (!bkinfo_of(c, list.dbids[i], &change.bk))
            continue;
        JET_ERR one = append(c, PHASE_UPDATE, change.scope, list.dbids[i], &change.bk, &at);
        if (one >= 0)
            one = log_flush(c->inst->log, at);
        if (one >= 0)
            one = dbfile_header_update(list.files[i], change_header, &change);
        if (err >= 0)
            err = one;
    }
    if (err < 0) {
        g_autofree char *number = event_number(err);
        event_report(c->inst->events, EVENT_BACKUP_INFO_UPDATE_ERROR, number, NULL);
    }
}
