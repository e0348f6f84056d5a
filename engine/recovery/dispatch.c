/* SPDX-License-Identifier: MIT */
/*
 * dispatch: one record of the log.
 *
 * A record that changes pages is skipped for two reasons only (log format, 3.4): its database is
 * not attached here (or not yet, or no longer), or its transaction began before the checkpoint,
 * hence is finished and on disk. Skipped or not, the database's counters follow it.
 */
#include "recovery/internal.h"

#include <string.h>

#include "btree/redo.h"
#include "cache/dbfile.h"
#include "recovery/bkstamp.h"
#include "space/redo.h"
#include "txn/session.h"

struct session *
redo_session(struct recovery *r, uint16_t procid)
{
    return g_hash_table_lookup(r->sessions, GUINT_TO_POINTER((guint)procid));
}

static JET_ERR
begin(struct recovery *r, const struct lr *lr)
{
    struct session *s = redo_session(r, lr->tx.procid);
    if (!s && lr->type == LR_BEGIN)
        return JET_errSuccess; /* began before the checkpoint */
    if (!s) {
        JET_ERR err = txn_redo_session(r->txn, lr->tx.procid, &s);
        if (err < 0)
            return err;
        g_hash_table_insert(r->sessions, GUINT_TO_POINTER((guint)lr->tx.procid), s);
    }
    uint32_t begin0 = lr->type == LR_BEGIN0 ? lr->tx.trx : 0;
    return session_redo_begin(s, lr->tx.level, lr->tx.levels, begin0, r->at);
}

static JET_ERR
end_level(struct recovery *r, const struct lr *lr)
{
    struct session *s = redo_session(r, lr->tx.procid);
    if (lr->type == LR_COMMIT0)
        txn_raise_trx(r->txn, lr->tx.trx);
    if (!s || session_level(s) == 0)
        return JET_errSuccess;
    switch (lr->type) {
    case LR_COMMIT0:
        return session_redo_commit0(s, lr->tx.trx);
    case LR_COMMIT:
        return session_redo_commit(s, lr->tx.level);
    default:
        return session_redo_rollback(s, lr->tx.level);
    }
}

static JET_ERR
macro(struct recovery *r, const struct lr *lr)
{
    if (!redo_session(r, lr->macro.procid))
        return JET_errSuccess;
    switch (lr->type) {
    case LR_MACRO_BEGIN:
        return macro_begin(r, lr->macro.procid, lr->macro.dbtime);
    case LR_MACRO_COMMIT:
        return macro_commit(r, lr->macro.procid, lr->macro.dbtime);
    default:
        macro_abort(r, lr->macro.procid);
        return JET_errSuccess;
    }
}

static bool
is_fdp(uint8_t type)
{
    return type == LR_CREATE_ME || type == LR_CREATE_SE || type == LR_CONVERT_FDP2;
}

static void
raise_counters(struct rdb *d, uint64_t dbtime, uint32_t objid)
{
    if (d->state == RDB_ATTACHED) {
        dbfile_dbtime_raise(d->file, dbtime);
        dbfile_objid_raise(d->file, objid);
    }
    d->info.dbtime = MAX(d->info.dbtime, dbtime);
    d->info.objid_last = MAX(d->info.objid_last, objid);
}

static void
follow_counters(struct rdb *d, const struct lr *lr)
{
    uint64_t dbtime = lr->page.dbtime == LR_DBTIME_NIL ? 0 : (uint64_t)lr->page.dbtime;
    raise_counters(d, dbtime, is_fdp(lr->type) ? lr->fdp.objid : 0);
}

/* Windows 11 names a page before the record that makes it (split, new tree). That one makes it from
 * nothing whatever is there, so only the counters are of use. */
static JET_ERR
new_page(struct recovery *r, const struct lr *lr)
{
    struct rdb *d = dbs_get(r, lr->new_page.dbid);
    if (d && d->state != RDB_NONE)
        raise_counters(d, (uint64_t)lr->new_page.dbtime, lr->new_page.objid);
    return JET_errSuccess;
}

static JET_ERR
page_change(struct recovery *r, struct rdb *d, struct session *s, const struct lr *lr)
{
    switch (lr->type) {
    case LR_CREATE_ME:
    case LR_CREATE_SE:
    case LR_CONVERT_FDP2:
        return space_redo_fdp(d->db, s, lr, r->at);
    case LR_EMPTY_TREE:
        return btree_redo_empty_tree(d->db, s, lr, r->at);
    case LR_SPLIT2:
    case LR_MERGE2:
        return JET_errLogFileCorrupt; /* outside a macro */
    case LR_SCRUB:
    case LR_PAGE_MOVE:
    case LR_DELTA64:
        return JET_errInvalidLoggedOperation;
    case LR_UNDO_INFO:
        return session_level(s) == 0 ? JET_errSuccess : btree_redo_node(d->db, s, lr, r->at);
    default:
        return btree_redo_node(d->db, s, lr, r->at);
    }
}

static JET_ERR
page_record(struct recovery *r, const struct lr *lr, struct span rec)
{
    struct rdb *d = dbs_get(r, lr->page.dbid);
    if (!d || d->state == RDB_NONE)
        return JET_errSuccess;
    follow_counters(d, lr);
    struct session *s = redo_session(r, lr->page.procid);
    if (!s || d->state != RDB_ATTACHED || lgpos_cmp(r->at, d->skip_to) <= 0)
        return JET_errSuccess;
    if (macro_collect(r, lr, rec))
        return JET_errSuccess;
    return page_change(r, d, s, lr);
}

static JET_ERR
extend(struct recovery *r, const struct lr *lr)
{
    struct rdb *d = dbs_get(r, lr->extend_db.dbid);
    if (!d || d->state != RDB_ATTACHED || lgpos_cmp(r->at, d->skip_to) <= 0)
        return JET_errSuccess;
    return space_redo_extend(d->db, lr);
}

/* A backup ended well. Its header write may not have happened. */
static JET_ERR
backup_update(struct recovery *r, const struct lr *lr)
{
    struct rdb *d = dbs_get(r, lr->backup.dbid);
    if (lr->backup.phase != PHASE_UPDATE || !d || d->state != RDB_ATTACHED ||
        lgpos_cmp(r->at, d->skip_to) <= 0)
        return JET_errSuccess;
    struct backup_stamp stamp = {.scope = lr->backup.scope, .type = lr->backup.type};
    memcpy(stamp.bkinfo, lr->backup.bkinfo.data, sizeof stamp.bkinfo);
    return dbfile_header_update(d->file, backup_stamp_header, &stamp);
}

/* Types that change pages or files in ways we do not know: only with an attached database. */
static JET_ERR
refuse(struct recovery *r)
{
    for (uint8_t dbid = 1; dbid <= RECOVERY_DBID_MAX; dbid++) {
        if (r->dbs[dbid].state == RDB_ATTACHED)
            return JET_errInvalidLoggedOperation;
    }
    return JET_errSuccess;
}

/* A run ended: its sessions died; after a clean end its databases are detached as of the
 * ShutDownMark. */
static JET_ERR
run_ended(struct recovery *r, uint8_t type)
{
    redo_end_sessions(r);
    if (type != LR_TERM2 && type != LR_RECOVERY_QUIT2)
        return JET_errSuccess;
    return dbs_detach_all_clean(r, r->shutdown_mark);
}

static JET_ERR
dispatch(struct recovery *r, const struct lr *lr, struct span rec)
{
    if (lr_is_page(lr->type))
        return page_record(r, lr, rec);
    switch (lr->type) {
    case LR_BEGIN:
    case LR_BEGIN0:
        return begin(r, lr);
    case LR_COMMIT:
    case LR_COMMIT0:
    case LR_ROLLBACK:
        return end_level(r, lr);
    case LR_MACRO_BEGIN:
    case LR_MACRO_COMMIT:
    case LR_MACRO_ABORT:
        return macro(r, lr);
    case LR_CREATE_DB:
        return dbs_redo_create(r, lr);
    case LR_CREATE_DB_FINISH:
        return dbs_redo_create_finish(r, lr);
    case LR_ATTACH_DB:
        return dbs_redo_attach(r, lr);
    case LR_DETACH_DB:
        return dbs_redo_detach(r, lr);
    case LR_EXTEND_DB:
        return extend(r, lr);
    case LR_NEW_PAGE:
        return new_page(r, lr);
    case LR_BACKUP2:
        return backup_update(r, lr);
    case LR_SHUTDOWN_MARK:
        r->shutdown_mark = r->at;
        return JET_errSuccess;
    case LR_INIT2:
    case LR_TERM2:
    case LR_RECOVERY_QUIT2:
    case LR_RECOVERY_QUIT_KEEP:
        return run_ended(r, lr->type);
    case LR_SHRINK_DB:
    case LR_SHRINK_DB2:
    case LR_SHRINK_DB3:
    case LR_ROOT_PAGE_MOVE:
    case LR_TRIM_DB:
        return refuse(r);
    default: /* hints, notes, padding */
        return JET_errSuccess;
    }
}

JET_ERR
redo_record(struct recovery *r, struct span rec)
{
    struct lr lr;
    JET_ERR err = lr_decode(rec.data, rec.len, &lr, NULL);
    if (err < 0)
        return err;
    err = dispatch(r, &lr, rec);
    r->last_type = lr.type;
    r->records++;
    return err;
}
