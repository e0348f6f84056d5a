/* SPDX-License-Identifier: MIT */
/*
 * internal: the structs that the files of txn/ share.
 */
#pragma once

#include "base/histogram.h"
#include "txn/session.h"
#include "txn/version.h"

struct txn {
    struct log *log;
    struct txn_ops ops;
    uint32_t sessions_max;
    uint64_t version_bytes_max;
    _Atomic uint32_t trx_last;
    _Atomic uint32_t rceid_last;
    _Atomic uint64_t version_bytes;
    struct histogram commits; /* durable ones, how long each waited for the log */

    GMutex cleanup_lock;     /* one cleanup at a time; outer */
    struct session *cleaner; /* cleanup_lock */

    GMutex lock;                         /* guards all below */
    struct session *active, *active_end; /* in a transaction, by begin0 */
    struct trx *done, *done_end;         /* committed, commit order, waiting for cleanup */
    struct rce *purge, *purge_end;       /* RCE_PURGE, by trx_next */
    uint32_t purge_count;
    GHashTable *procids; /* procid -> session */
    uint16_t procid_next;
};

struct session {
    struct txn *txn;
    uint16_t procid;
    uint8_t level;
    uint8_t level_logged;
    bool redo;         /* made by recovery */
    bool internal;     /* the cleanup session: its limits don't count */
    bool read_only;    /* this transaction */
    bool mixed_levels; /* redo: versions are not in order of their levels */
    uint32_t begin0;
    struct trx *trx;        /* NULL until the first change */
    struct lgpos begin0_at; /* of its Begin0 record; txn.lock for writing */
    struct lgpos last_commit;
    struct session *active_prev, *active_next; /* txn.lock */
};

/* Next number, never 0 or TRX_COMMITTING. */
uint32_t txn_draw(struct txn *txn);

JET_ERR txn_session_make(struct txn *txn, uint16_t procid, struct session **out);

/* The transaction object of the session, made when needed. */
JET_ERR session_need_trx(struct session *s);

/* Ends: out of the active list, trx to the cleanup queue (committed) or freed (rolled back). */
void session_leave(struct session *s, bool committed);

/* Drops versions above level_to without undoing them. */
void session_drop_versions(struct session *s, uint8_t level_to);

/* Versions and actions above level_to move down to it. */
void session_lower(struct session *s, uint8_t level_to);

void session_enter(struct session *s, uint32_t begin0, bool draw);

/* Unlinks rce from its transaction's list and frees it. */
void rce_retire(struct rce *rce);

void txn_action_free(struct txn_action *a);
void trx_drop_actions(struct trx *trx, const void *owner);
