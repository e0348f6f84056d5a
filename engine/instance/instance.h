/* SPDX-License-Identifier: MIT */
/*
 * instance: one log stream and its databases, from JetInit to JetTerm.
 *
 *   CREATED --instance_init--> STARTING --> RUNNING --instance_term--> TERMINATING --> CREATED
 *                                  \--error--> CREATED        \--refused--> RUNNING
 *
 * Invariants:
 *  1. log, cache and txn exist exactly in RUNNING and TERMINATING.
 *  2. Each attached database has an AttachDB or CreateDB record that is durable before its header
 *     says so; each clean header is written after all its pages and its DetachDB or ShutDownMark.
 *  3. The checkpoint only moves forward, and never past the first record of an open transaction, of
 * a dirty page, or of what is not yet durable; headers are written before it.
 *
 * Locks, in order: work (attach, detach, create, term: one at a time; held across I/O), then dbs
 * (the array of databases; never across I/O, never across log calls), then state (gate).
 */
#pragma once

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "esent.h"
#include "instance/event.h"
#include "instance/param.h"
#include "log/lgpos.h"

#define INSTANCE_DBS 6 /* dbid 1..6 */

struct btree_db;
struct cache;
struct dbfile;
struct log;
struct os_file;
struct table_db;
struct txn;

enum instance_state { INSTANCE_CREATED, INSTANCE_STARTING, INSTANCE_RUNNING, INSTANCE_TERMINATING };

/* An attached database. */
struct instance_db {
    uint8_t dbid;   /* 0 = free entry */
    bool readonly;  /* not logged, not backed up */
    uint32_t opens; /* JetOpenDatabase less JetCloseDatabase; guarded by dbs lock */
    char *path;     /* absolute */
    uint8_t sign_db[28];
    struct lgpos attach;     /* position of its AttachDB or CreateDB record; guarded by dbs lock */
    struct lgpos consistent; /* lgposConsistent before this attach */
    struct dbfile *file;
    struct btree_db *trees;
    struct table_db *catalog;
};

struct instance {
    uintptr_t handle;
    char *name;
    char *display_name;
    struct params *params;
    struct events *events;

    GMutex work;

    GMutex dbs_lock;
    struct instance_db dbs[INSTANCE_DBS]; /* changed under work and dbs_lock */

    GMutex state_lock;
    GCond state_changed;
    enum instance_state state; /* all of these: state_lock */
    uint32_t inside;           /* threads inside gated calls */
    bool restoring;
    bool service_stopped; /* JetStopService */
    JET_ERR unavailable;  /* fatal error that took the instance down, or 0 */

    _Atomic JET_ERR
        backup_error; /* what attach, detach and clean term answer during a backup, else 0 */
    _Atomic bool backup_allowed; /* between a successful init and the begin of term */
    void *backup;  /* backup/context.h: made by that layer, freed by it before term ends */
    void *service; /* service/server.h: the same */

    char *system_dir, *log_dir; /* absolute, no final slash; set by instance_init */
    struct os_file *lock;       /* on log_dir: one process, one instance */
    struct log *log;
    struct cache *cache;
    struct txn *txn;
    struct lgpos init_lgpos; /* this run's Init2 */

    GMutex checkpoint_lock;
    struct lgpos checkpoint; /* in the checkpoint file; checkpoint_lock */
    _Atomic bool frozen;     /* instance_freeze; set under checkpoint_lock: it stays where it is */

    JET_PFNSTATUS recovery_status; /* told of recovery, during JetInit3 */

    GThread *timer;
    GCond timer_wake;
    bool timer_stop; /* state_lock */
};

/* ---- life ---- */

/* Takes params. name and display_name are copied (NULL = ""). */
struct instance *instance_new(struct params *params, const char *name, const char *display_name);
void instance_free(struct instance *inst); /* must be CREATED; NULL is fine */

struct instance_init_options {
    JET_GRBIT grbit;              /* of JetInit3 */
    const JET_RSTINFO_A *restore; /* map and stop position, or NULL */
};

/*
 * Recovers, then starts logging. JET_errAlreadyInitialized, JET_errInvalidPath (a directory is
 * missing), JET_errLogFilePathInUse, JET_errOutOfMemory; those of recovery_soft
 * (recovery/recovery.h) and log_create. Warnings of recovery are returned; the instance then runs.
 */
JET_ERR instance_init(struct instance *inst, const struct instance_init_options *options);

/*
 * Shuts down. The caller has ended backup and service; sessions are ended by on_quiet, which is
 * called once no thread is inside the instance and none can enter. grbit: JET_bitTermComplete,
 * JET_bitTermAbrupt (do the same here), JET_bitTermDirty: no clean shutdown, JET_errDirtyShutdown.
 * JET_errNotInitialized; JET_errTermInProgress; JET_errBackupInProgress: still one running, the
 * instance runs on; on I/O errors the instance is down, its databases dirty, and the error is
 * returned.
 */
JET_ERR instance_term(struct instance *inst, JET_GRBIT grbit, void (*on_quiet)(void *ctx),
                      void *ctx);

/* A fatal error: log and cache stop, every further call gives JET_errInstanceUnavailable. */
void instance_fail(struct instance *inst, JET_ERR err);

/* ---- the gate (backup API, 1.3) ---- */

/*
 * Every call of a running instance goes through. JET_errClientRequestToStopJetService,
 * JET_errInstanceUnavailable, JET_errTermInProgress, JET_errRestoreInProgress,
 * JET_errNotInitialized.
 */
JET_ERR instance_enter(struct instance *inst) __attribute__((warn_unused_result));
void instance_leave(struct instance *inst);

/* JetStopService: for good. */
void instance_stop_service(struct instance *inst);

/* ---- databases; the caller is inside the gate ---- */

/*
 * All take a UTF-8 path. create: JET_bitDbOverwriteExisting.
 * JET_errDatabaseDuplicate, JET_errDatabaseInvalidPath, JET_errTooManyAttachedDatabases,
 * JET_errBackupInProgress (attach, detach), JET_errInvalidGrbit; log, cache, file errors.
 */
JET_ERR instance_create_database(struct instance *inst, const char *path, uint32_t pages_max,
                                 JET_GRBIT grbit, JET_DBID *dbid);

/*
 * JET_bitDbReadOnly. JET_wrnDatabaseAttached: it already was. JET_errDatabaseNotFound... as
 * JET_errFileNotFound; JET_errFileAccessDenied; JET_errDatabaseSharingViolation (another owner);
 * JET_errDatabaseDirtyShutdown, JET_errSoftRecoveryOnBackupDatabase (event 619),
 * JET_errDatabaseCorrupted, JET_errInvalidDatabaseVersion, JET_errPageSizeMismatch.
 */
JET_ERR instance_attach_database(struct instance *inst, const char *path, JET_GRBIT grbit);

/* path NULL = all. JET_errDatabaseNotFound, JET_errDatabaseInUse (open, or versions in use). */
JET_ERR instance_detach_database(struct instance *inst, const char *path);

/* JET_errDatabaseNotFound: not attached. JET_wrnFileOpenReadOnly: attached read-only, asked to
 * write. */
JET_ERR instance_open_database(struct instance *inst, const char *path, JET_GRBIT grbit,
                               JET_DBID *dbid);
/* JET_errInvalidDatabaseId. */
JET_ERR instance_close_database(struct instance *inst, JET_DBID dbid);

/* The open database, or NULL. Valid as long as it is open. */
struct instance_db *instance_db_get(struct instance *inst, JET_DBID dbid);

/* Calls fn for each attached database, in order of dbid, under the dbs lock: be short. */
void instance_each_db(struct instance *inst, void (*fn)(struct instance_db *db, void *ctx),
                      void *ctx);

/* ---- checkpoint ---- */

/* Moves the checkpoint as far as it can go now. With sync: pages written so far count. */
JET_ERR instance_checkpoint(struct instance *inst, bool sync);
struct lgpos instance_checkpoint_lgpos(struct instance *inst);

/* ---- freeze ---- */

struct instance_freeze {
    struct lgpos end;    /* exactly the records below are in the files of the log */
    int32_t gen_current; /* newest generation */
};

/*
 * Until instance_thaw nothing is written: no page, no header, no growth of a file, no log, no
 * checkpoint. What was committed before the call, lazily too, is in the files. Calls that have to
 * write wait inside the instance; those that only read go on as long as the cache has room. With
 * roll a new generation is begun just before. The caller holds the work lock, and is inside the
 * gate until it has thawed, from whatever thread. Errors: the log is down; then nothing is frozen.
 */
JET_ERR instance_freeze(struct instance *inst, bool roll, struct instance_freeze *out)
    __attribute__((warn_unused_result));
void instance_thaw(struct instance *inst);

/* ---- inside instance/ ---- */

void instance_timer_start(struct instance *inst);
void instance_timer_stop(struct instance *inst);
size_t instance_attach_list(void *ctx, struct lgpos at, uint8_t out[2048]);
JET_ERR instance_write_checkpoint(struct instance *inst, struct lgpos at, bool clean);
void instance_fill_dbms_param(const struct instance *inst, uint8_t out[567]);
JET_ERR instance_close_databases_clean(struct instance *inst, struct lgpos shutdown_mark);
void instance_drop_databases(struct instance *inst);
