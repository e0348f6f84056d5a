/* SPDX-License-Identifier: MIT */
/*
 * dbs_end: how a database leaves a run: detached clean as of a position, dropped, or missed; and
 * whether the log went as far as its header asks (log format, 5.2 G, J, L).
 */
#include "recovery/dbs.h"

#include "cache/cache.h"
#include "log/logtime.h"
#include "os/file.h"
#include "txn/session.h"

struct clean {
    struct recovery *r;
    struct lgpos pos;
};

static void
stamp_clean(struct dbheader *h, void *ctx)
{
    const struct clean *c = ctx;
    uint64_t now = logtime_now();
    lgpos_put(&h->bytes[DBH_LGPOS_CONSISTENT], c->pos);
    lgpos_put(&h->bytes[DBH_LGPOS_DETACH], c->pos);
    dbheader_set_u64(h, DBH_TIME_CONSISTENT, now);
    dbheader_set_u64(h, DBH_TIME_DETACH, now);
    dbheader_set_u32(h, DBH_GEN_RECOVERING, 0);
    dbheader_set_clean(h);
    if (!recovery_is_hard(c->r))
        return;
    /* The next backup of a restored database must be a full one. */
    static const size_t marks[] = {DBH_BK_FULL_PREV, DBH_BK_INC_PREV,     DBH_BK_FULL_CUR,
                                   DBH_BK_COPY_PREV, DBH_BK_SNAPSHOT_CUR, DBH_BK_DIFF_PREV};
    for (size_t i = 0; i < G_N_ELEMENTS(marks); i++)
        memset(&h->bytes[marks[i]], 0, DBHEADER_BKINFO_BYTES);
}

JET_ERR
dbs_detach_clean(struct recovery *r, struct rdb *d, struct lgpos pos)
{
    if (d->creating) {
        g_autofree char *path = g_strdup(d->path);
        dbs_let_go(d);
        return os_remove(path);
    }
    JET_ERR err = cache_flush(d->file);
    if (err < 0)
        return err;
    struct clean clean = {r, pos};
    err = dbfile_header_update(d->file, stamp_clean, &clean);
    if (err < 0)
        return err;
    if (r->clean == NULL)
        r->clean = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_add(r->clean, g_strdup(d->path)); /* the logs may attach it again, and detach it */
    dbs_let_go(d);
    return JET_errSuccess;
}

JET_ERR
dbs_redo_detach(struct recovery *r, const struct lr *lr)
{
    struct rdb *d = dbs_get(r, lr->detach_db.dbid);
    if (!d)
        return JET_errLogFileCorrupt;
    if (d->state != RDB_ATTACHED) {
        dbs_forget(d);
        return JET_errSuccess;
    }
    txn_redo_forget(r->txn, 0);
    return dbs_detach_clean(r, d, r->at);
}

JET_ERR
dbs_detach_all_clean(struct recovery *r, struct lgpos pos)
{
    if (lgpos_is_zero(pos))
        pos = r->at;
    for (uint8_t dbid = 1; dbid <= RECOVERY_DBID_MAX; dbid++) {
        struct rdb *d = &r->dbs[dbid];
        JET_ERR err = JET_errSuccess;
        if (d->state == RDB_ATTACHED)
            err = dbs_detach_clean(r, d, pos);
        else
            dbs_forget(d);
        if (err < 0)
            return err;
    }
    return JET_errSuccess;
}

void
dbs_drop_all(struct recovery *r)
{
    for (uint8_t dbid = 1; dbid <= RECOVERY_DBID_MAX; dbid++)
        dbs_let_go(&r->dbs[dbid]);
}

JET_ERR
dbs_flush_all(struct recovery *r)
{
    for (uint8_t dbid = 1; dbid <= RECOVERY_DBID_MAX; dbid++) {
        struct rdb *d = &r->dbs[dbid];
        JET_ERR err = d->state == RDB_ATTACHED ? cache_flush(d->file) : JET_errSuccess;
        if (err < 0)
            return err;
    }
    return JET_errSuccess;
}

/* ---- generations ---- */

JET_ERR
dbs_enter_generation(struct recovery *r, int32_t gen, uint64_t created)
{
    for (uint8_t dbid = 1; dbid <= RECOVERY_DBID_MAX; dbid++) {
        struct rdb *d = &r->dbs[dbid];
        if (d->state != RDB_ATTACHED)
            continue;
        struct dbheader h;
        dbfile_header(d->file, &h);
        JET_ERR err = dbs_check_gen_time(&h, gen, created);
        if (err < 0) {
            g_autofree char *log = logset_path(r, gen);
            recovery_event(r, EVENT_RECOVERY_OTHER_LOG, d->path, log, NULL);
            return err;
        }
        dbs_note_gen(r, d);
    }
    return JET_errSuccess;
}

static int32_t
header_gen(struct rdb *d, size_t field)
{
    struct dbheader h;
    dbfile_header(d->file, &h);
    return (int32_t)dbheader_u32(&h, field);
}

struct committed {
    int32_t gen;
    uint64_t created;
};

static void
lower_committed(struct dbheader *h, void *ctx)
{
    const struct committed *c = ctx;
    dbheader_set_u32(h, DBH_GEN_MAX_COMMITTED, (uint32_t)c->gen);
    dbheader_set_u64(h, DBH_TIME_GEN_MAX_CREATE, c->created);
}

JET_ERR
dbs_check_complete(struct recovery *r, int32_t gen)
{
    for (uint8_t dbid = 1; dbid <= RECOVERY_DBID_MAX; dbid++) {
        struct rdb *d = &r->dbs[dbid];
        if (d->state != RDB_ATTACHED)
            continue;
        int32_t required = header_gen(d, DBH_GEN_MAX_REQUIRED);
        int32_t max = header_gen(d, DBH_GEN_MAX_COMMITTED);
        bool may_lose = !lgpos_is_zero(r->stopped) || (r->p->grbit & JET_bitReplayIgnoreLostLogs);
        if (required > gen) {
            recovery_event_db(r, EVENT_RECOVERY_MISSING_HIGH, d->path, gen, required);
            return JET_errRequiredLogFilesMissing;
        }
        if (max <= gen)
            continue;
        if (!may_lose) {
            recovery_event_db(r, EVENT_RECOVERY_COMMITTED_MISSING, d->path, gen, max);
            return JET_errCommittedLogFilesMissing;
        }
        struct committed c = {gen, r->gen_created};
        JET_ERR err = dbfile_header_update(d->file, lower_committed, &c);
        if (err < 0)
            return err;
        if (lgpos_is_zero(r->stopped))
            r->warning = MAX(r->warning, JET_wrnCommittedLogFilesLost);
    }
    return JET_errSuccess;
}

bool
dbs_beyond_required(struct recovery *r, int32_t gen)
{
    bool any = false;
    for (uint8_t dbid = 1; dbid <= RECOVERY_DBID_MAX; dbid++) {
        struct rdb *d = &r->dbs[dbid];
        if (d->state == RDB_ATTACHED && header_gen(d, DBH_GEN_MAX_REQUIRED) >= gen)
            return false;
        any = any || d->state == RDB_ATTACHED;
    }
    return any;
}

JET_ERR
dbs_check_missing(struct recovery *r)
{
    if (r->p->grbit & JET_bitReplayIgnoreMissingDB)
        return JET_errSuccess;
    bool shut_down = r->last_type == LR_SHUTDOWN_MARK;
    for (uint8_t dbid = 1; dbid <= RECOVERY_DBID_MAX; dbid++) {
        const struct rdb *d = &r->dbs[dbid];
        if (d->state == RDB_DEFERRED && !d->creating && !(shut_down && d->future)) {
            g_autofree char *text =
                g_strdup_printf("database %s is missing or another", d->info.path);
            recovery_event(r, EVENT_RECOVERY_FAIL, text, NULL);
            return JET_errAttachedDatabaseMismatch;
        }
    }
    return JET_errSuccess;
}
