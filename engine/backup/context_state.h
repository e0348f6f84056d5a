/* SPDX-License-Identifier: MIT */
/*
 * context_state: the inside of struct context, shared by
 *
 *   context.c  end, stop, status               context_begin.c  begin and freeze
 *   context_files.c  open, read, close
 *   context_logs.c  log info, truncation       stamp.c          records and header slots
 *   context_limits.c  limits, who holds the session, how commits fare
 *   context_outside.c  surrogate, OS snapshot
 */
#pragma once

#include <glib.h>
#include <stdatomic.h>

#include "backup/context.h"
#include "backup/frozen.h"
#include "backup/marks.h"
#include "base/histogram.h"
#include "instance/instance.h"
#include "recovery/bkstamp.h"

enum backup_state {
    BACKUP_NONE,
    BACKUP_DATABASES,
    BACKUP_LOGS,
    BACKUP_INCREMENTAL,
    BACKUP_INC_LOGS,
    BACKUP_FROZEN,
    BACKUP_SURROGATE, /* the next two: others copy, context_outside.c */
    BACKUP_SNAPSHOT,
};

/* The one handle of a plain session. */
struct plain_file {
    bool open;
    bool is_log;
    char *path;
    uint64_t size, at;
    /* database */
    uint8_t dbid;
    struct dbfile *file;
    uint32_t page_bytes, pgno_last;
    uint8_t *head;          /* one page: the header image */
    struct dbheader header; /* as stamped */
    /* log */
    uint32_t gen;
    struct frozen_reader *reader;
};

/* A handle of a frozen session; handle = index in the array. */
struct frozen_handle {
    gint refs;
    struct frozen_reader *reader;
    uint64_t at; /* context lock */
};

struct backup_db {
    bool done;        /* read to the end in this session */
    struct bkinfo bk; /* of its trailer */
};

struct context {
    struct instance *inst;
    GMutex lock; /* guards all but what is atomic, and handles_lock's */

    enum backup_state state;
    atomic_bool stopped;
    _Atomic JET_ERR died;        /* why the frozen session died by itself, or 0 */
    _Atomic uint32_t died_limit; /* then: 1 + enum limit_kind, or 0 */
    bool incremental;            /* logs only */
    bool truncated;              /* JetTruncateLog got past its checks */
    bool logs_ready;             /* the log was rolled, the ranges are fixed */
    struct bkinfo begin;         /* mark, time, gen_low = copy_mic */
    struct lgpos prepare_mark;
    uint64_t prepare_time;
    uint32_t copy_mic, copy_mac;     /* logs to copy: [mic, mac) */
    uint32_t delete_mic, delete_mac; /* logs to delete */
    uint64_t copied;                 /* sum of the generations read to the end */
    struct log_pin *pin;
    struct backup_db dbs[INSTANCE_DBS + 1]; /* by dbid */
    struct plain_file plain;

    GMutex handles_lock; /* guards these, and the status; innermost */
    struct frozen *frozen;
    GPtrArray *handles; /* of struct frozen_handle, NULL = closed */
    JETX_BACKUPSTATUS status;
    struct histogram_counts commits_then, commits_freeze; /* end of the last session; freeze */
};

/* All that is true in each state. */
void context_assert_state(const struct context *c);

/* Does the state belong to a session whose files are copied past the engine? */
static inline bool
context_is_outside(const struct context *c)
{
    return c->state == BACKUP_SURROGATE || c->state == BACKUP_SNAPSHOT;
}

/* ---- begin; context.c ---- */

/* First checks: those of context_begin up to JET_errLogSequenceEnd. No lock. */
JET_ERR context_check_begin(struct instance *inst, JET_GRBIT grbit, JET_GRBIT allowed);

/*
 * No session yet; from now on attach and detach answer `busy`. Locks, the instance's work lock too;
 * undone by context_reset. JET_errBackupInProgress, JET_errSurrogateBackupInProgress: one runs.
 */
JET_ERR context_enter_session(struct instance *inst, JET_ERR busy, struct context **out);

/* state and incremental are set: begin mark, generations, pin, Begin record. */
JET_ERR context_begin_marks(struct context *c);
void context_reset(struct context *c);
void context_status_begin(struct context *c, const char *state);
void context_status_end(struct context *c, JET_ERR outcome);
void context_status_freeze(struct context *c, struct lgpos at, uint32_t gen_high);

/* The instance's context, made when there is none yet. */
struct context *context_get(struct instance *inst);

/* The context of a session in progress that copies by itself, locked; context_unlock.
 * JET_errNoBackup. */
JET_ERR context_lock_running(struct instance *inst, struct context **out);

/* The same, and not stopped: JET_errBackupAbortByServer. */
JET_ERR context_lock_live(struct instance *inst, struct context **out);

/* The same, and frozen: JET_errInvalidBackupSequence; what the session died of. */
JET_ERR context_lock_frozen(struct instance *inst, struct context **out);
void context_unlock(struct context *c);

/* Ends the session with this outcome: stamps, records, event, everything freed. Needs the lock. */
void context_finish(struct context *c, JET_ERR outcome, JET_GRBIT grbit);

/* Drops the plain file. Counts it as done when it was read to its end. Needs the lock. */
void context_close_plain(struct context *c);

/*
 * Sets delete_mic. An incremental backup must begin where the last one of each database ended:
 * JET_errMissingFileToBackup (event 459 names the log). Needs the lock. context_logs.c.
 */
JET_ERR context_check_no_hole(struct context *c);

/* Deletes the logs [delete_mic, delete_mac), events 224, 227. Needs the lock. */
JET_ERR context_truncate_range(struct context *c);

/* ---- stamp.c; need the lock ---- */

/* Logs a Backup2 record. dbid 0 = all. *at may be NULL. */
JET_ERR stamp_record(struct context *c, enum backup_phase phase, uint8_t dbid,
                     const struct bkinfo *bk, struct lgpos *at);

/* A good end: Update records, then header slots (backup API, 4.1). Event 219 on errors. */
void stamp_databases(struct context *c, bool truncated);

/* ---- context_limits.c ---- */

/* As the parameters have them. */
struct frozen_limits context_limits(struct instance *inst);

/* For frozen_params: they note it and tell the administrator. */
void context_note_death(void *ctx, JET_ERR err, enum limit_kind over, const struct limit *limit);
void context_note_warning(void *ctx, enum limit_kind kind, const struct limit *limit);

/* Why a session died by itself, for the event of its end. Caller frees. */
char *context_death_text(struct context *c);

/* The session begins, freezes, ends: what commits took until now is a stretch of its own. */
void context_commits_begin(struct context *c);
void context_commits_end(struct context *c);

/* Limits and latencies into the status. Needs handles_lock. */
void context_refresh_limits(struct context *c, const struct frozen_stats *stats);

bool context_is_full(const struct context *c);

/* szState of the status. */
void context_set_state_name(struct context *c, const char *name);

/* The attached, logged databases. */
struct backup_file_list {
    struct dbfile *files[INSTANCE_DBS];
    uint8_t dbids[INSTANCE_DBS];
    char *paths[INSTANCE_DBS]; /* owned by the instance */
    size_t n;
};
void context_list_databases(struct instance *inst, struct backup_file_list *list);
