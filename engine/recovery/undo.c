/* SPDX-License-Identifier: MIT */
/*
 * undo: redo has reached the end of the log; what is uncommitted goes, and the databases shut down.
 *
 *   RecoveryUndo2, MacroAbort..., Undo... Rollback..., Delete... (cleanup), ShutDownMark,
 *   headers clean as of the ShutDownMark, RecoveryQuit2, checkpoint = RecoveryQuit2
 *
 * When the log ends with a ShutDownMark all but the last two have been done already.
 */
#include "recovery/internal.h"

#include "cache/cache.h"
#include "cache/dbfile.h"
#include "log/checkpoint.h"
#include "log/logtime.h"
#include "txn/session.h"

JET_ERR
undo_append(struct recovery *r, const struct lr *lr, bool flush, struct lgpos *pos)
{
    struct lr_parts parts;
    lr_encode(lr, &parts);
    JET_ERR err = log_append(r->log, parts.iov, parts.n, pos);
    if (err < 0 || !flush)
        return err;
    return log_flush(r->log, *pos);
}

static size_t
attach_list(void *ctx, struct lgpos at, uint8_t out[ATTACH_LIST_BYTES])
{
    return dbs_attach_list(ctx, at, out);
}

static JET_ERR
open_log(struct recovery *r)
{
    struct log_config cfg = r->p->log;
    cfg.attach_list = attach_list;
    cfg.ctx = r;
    struct log_resume resume = {.gen = r->gen, .next_gen = r->gen != r->current_gen};
    JET_ERR err = log_continue(&cfg, &resume, &r->log);
    if (err < 0)
        return err;
    log_set_checkpoint(r->log, r->start);
    txn_set_log(r->txn, r->log);
    for (uint8_t dbid = 1; dbid <= RECOVERY_DBID_MAX; dbid++) {
        if (r->dbs[dbid].state == RDB_ATTACHED)
            dbfile_set_log(r->dbs[dbid].file, r->log);
    }
    return JET_errSuccess;
}

struct rollback {
    JET_ERR err;
};

static void
rollback(struct session *s, void *ctx)
{
    struct rollback *rb = ctx;
    JET_ERR err = session_rollback(s, JET_bitRollbackAll);
    if (rb->err >= 0 && err < 0)
        rb->err = err;
}

static JET_ERR
undo_sessions(struct recovery *r)
{
    struct rollback rb = {JET_errSuccess};
    JET_ERR err = macro_abort_all(r);
    if (err < 0)
        return err;
    g_hash_table_remove_all(r->sessions);
    txn_redo_each_open(r->txn, rollback, &rb);
    if (rb.err < 0)
        return rb.err;
    txn_redo_end(r->txn);
    return txn_cleanup(r->txn, 0, NULL);
}

static JET_ERR
shut_down(struct recovery *r, struct lgpos *mark)
{
    JET_ERR err = dbs_flush_all(r);
    if (err < 0)
        return err;
    struct lr lr = {.type = LR_SHUTDOWN_MARK};
    return undo_append(r, &lr, true, mark);
}

static JET_ERR
undo_and_shut_down(struct recovery *r, struct lgpos *undo_pos, struct lgpos *mark)
{
    if (r->last_type == LR_SHUTDOWN_MARK) {
        redo_end_sessions(r);
        *mark = *undo_pos = r->shutdown_mark;
        return JET_errSuccess;
    }
    struct lr lr = {.type = LR_RECOVERY_UNDO2, .recovery_undo = {logtime_now()}};
    JET_ERR err = undo_append(r, &lr, false, undo_pos);
    if (err < 0)
        return err;
    err = undo_sessions(r);
    return err < 0 ? err : shut_down(r, mark);
}

static JET_ERR
write_checkpoint(struct recovery *r, struct lgpos pos)
{
    g_autofree char *path = recovery_checkpoint_path(r->p);
    struct checkpoint cp = {.checkpoint = pos, .db_consistency = pos};
    memcpy(cp.signature, r->signature, SIGNATURE_BYTES);
    memcpy(cp.dbms_param, r->p->log.dbms_param, DBMS_PARAM_BYTES);
    return checkpoint_write(path, &cp);
}

static JET_ERR
quit(struct recovery *r, struct lgpos undo_pos, struct recovery_result *result)
{
    struct lr lr = {.type = LR_RECOVERY_QUIT2,
                    .quit = {undo_pos, r->start, recovery_is_hard(r), logtime_now()}};
    struct lgpos pos;
    JET_ERR err = undo_append(r, &lr, true, &pos);
    if (err < 0)
        return err;
    err = write_checkpoint(r, pos);
    if (err < 0)
        return err;
    result->checkpoint = pos;
    result->resume.gen = pos.gen;
    return JET_errSuccess;
}

JET_ERR
undo_run(struct recovery *r, struct recovery_result *result)
{
    struct lgpos undo_pos = LGPOS_MIN, mark = LGPOS_MIN;
    JET_ERR err = open_log(r);
    if (err < 0)
        return err;
    err = undo_and_shut_down(r, &undo_pos, &mark);
    if (err >= 0)
        err = dbs_detach_all_clean(r, mark);
    return err < 0 ? err : quit(r, undo_pos, result);
}
