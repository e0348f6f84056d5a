/* SPDX-License-Identifier: MIT */
/*
 * internal: what the files of recovery/ share: one run, its log files, its databases.
 *
 *   soft.c, hard.c  the two beginnings          logset.c   which file holds a generation
 *   dbs*.c          attach, create, detach      check.c    may redo touch this file? (5.3)
 *   redo.c          the loop over generations   dispatch.c one record
 *   macro.c         splits and merges collected undo.c     the end: undo, clean headers, quit
 */
#pragma once

#include <glib.h>

#include "log/filehdr.h"
#include "log/names.h"
#include "log/reader.h"
#include "log/record.h"
#include "page/dbheader.h"
#include "recovery/recovery.h"

#define RECOVERY_DBID_MAX 6

struct btree_db;
struct cache;
struct dbfile;
struct session;
struct txn;

/* Event ids of ESE (the table is instance/event.h, a layer above). */
enum {
    EVENT_RECOVERY_MOVED = 216,
    EVENT_RECOVERY_BEGIN = 300,
    EVENT_RECOVERY_GENERATION = 301,
    EVENT_RECOVERY_END = 302,
    EVENT_RECOVERY_ABRUPT_END = 446,
    EVENT_RECOVERY_MISSING_LOW = 452,
    EVENT_RECOVERY_MISSING_HIGH = 453,
    EVENT_RECOVERY_FAIL = 454,
    EVENT_RECOVERY_TORN_RESTORE = 460,
    EVENT_RECOVERY_TORN = 461,
    EVENT_RECOVERY_CORRUPT_RESTORE = 463,
    EVENT_RECOVERY_CORRUPT_FORWARD = 464,
    EVENT_RECOVERY_CORRUPT = 465,
    EVENT_RECOVERY_OTHER_LOG = 496,
    EVENT_RECOVERY_COMMITTED_MISSING = 523,
    EVENT_RECOVERY_BACKUP_DATABASE = 619,
};

enum rdb_state {
    RDB_NONE,     /* not attached at this point of the log */
    RDB_ATTACHED, /* redo works on it */
    RDB_DEFERRED, /* attached says the log, but the file is missing, older, newer or another */
    RDB_IGNORED,  /* not in the restore map */
};

/* One dbid, as the log has it at the position of redo. */
struct rdb {
    enum rdb_state state;
    struct attach_info info; /* path is the log's */
    char *path;              /* of the file; NULL: nowhere on this machine */
    int32_t required;        /* lGenMaxRequired as the file had it when redo began */
    bool creating;           /* CreateDB without its CreateDBFinish */
    bool future;             /* deferred because the file is newer: cleanly detached later */
    struct lgpos skip_to;    /* records at or below are not for this file */
    struct dbfile *file;     /* ATTACHED */
    struct btree_db *db;
};

struct macro; /* macro.c */

struct recovery {
    const struct recovery_params *p;
    const struct recovery_set *set; /* NULL: soft */

    /* log files */
    struct log_gens gens;    /* of the log directory */
    int32_t current_gen;     /* generation of edb.log, 0: none */
    struct log_scan current; /* its scan */
    uint8_t signature[SIGNATURE_BYTES];
    uint32_t page_bytes;
    uint16_t segments; /* per file */

    /* position */
    struct lgpos start;
    struct lgpos at; /* record being redone */
    int32_t gen;     /* last generation opened; 0 before */
    int32_t gen_first;
    uint64_t gen_created;  /* its tmCreate */
    uint64_t gen_checksum; /* its accumulated checksum */
    uint8_t last_type;     /* of the last record */
    struct lgpos shutdown_mark;
    struct lgpos stopped; /* first record at or above p->stop: not redone */
    uint64_t records;
    JET_ERR warning;

    /* engine */
    struct cache *cache;
    struct txn *txn;
    struct log *log;                       /* undo phase */
    struct rdb dbs[RECOVERY_DBID_MAX + 1]; /* by dbid; 0 unused */
    GHashTable *sessions;                  /* procid -> session whose Begin0 was seen */
    GHashTable *macros;                    /* procid -> struct macro */
    GHashTable *made;                      /* paths of databases created by this run; may be NULL */
    GHashTable *clean;                     /* paths of databases made clean; may be NULL */
};

static inline bool
recovery_is_hard(const struct recovery *r)
{
    return r->set != NULL;
}

/* Inserts, ended by NULL; the other forms: a generation, the path of a log, a database and the last
 * generation given and needed. */
void recovery_event(struct recovery *r, int id, ...) G_GNUC_NULL_TERMINATED;
void recovery_event_gen(struct recovery *r, int id, int32_t gen);
void recovery_event_log(struct recovery *r, int id, int32_t gen);
void recovery_event_db(struct recovery *r, int id, const char *path, int32_t given, int32_t needed);

struct gen_text {
    char chars[16];
};
const char *recovery_gen_text(int32_t gen, struct gen_text *text);

/* ---- logset.c ---- */

/* Lists the directories; reads edb.log's header. Sets signature, page size, segments, current_gen.
 */
JET_ERR logset_open(struct recovery *r);

/* Path of a generation, NULL if no directory has it. Newly allocated. */
char *logset_path(const struct recovery *r, int32_t gen);
int32_t logset_lowest(const struct recovery *r); /* 0: no log at all */
int32_t logset_highest(const struct recovery *r);
bool logset_in_backup(const struct recovery *r, int32_t gen);
bool logset_is_own(const struct recovery *r, int32_t gen); /* in the log directory, ours to mend */

/* Removes the generations from gen on, edb.log among them (lossy recovery). */
JET_ERR logset_remove_from(struct recovery *r, int32_t gen);

/* ---- stop.c: redo ended before the log did ---- */

/* Is pos what redo must not go to? Then r->stopped is set. */
bool stop_reached(struct recovery *r, struct lgpos pos);

/* Does generation gen lie wholly beyond? Then r->stopped is set. */
bool stop_before_generation(struct recovery *r, int32_t gen);

/* JET_errRequiredLogFilesMissing: a database is newer than the stop. */
JET_ERR stop_check(struct recovery *r);

/* Before undo: the log directory has the last generation redone, and nothing beyond. */
JET_ERR stop_settle_log(struct recovery *r);

/* ---- check.c: the table of 5.3 ---- */

/* What the log says of a database. */
struct logged_db {
    const uint8_t *sign_db;
    const uint8_t *sign_log; /* of the AttachDB record; NULL in a list */
    struct lgpos attach;
    struct lgpos consistent;
    struct lgpos redo; /* position of redo; zero before redo began */
};

enum verdict {
    VERDICT_ATTACH,       /* the header knows of this attach */
    VERDICT_ATTACH_STAMP, /* the header was not written after this attach: do it now */
    VERDICT_DEFER,
    VERDICT_DEFER_FUTURE, /* the file is newer than this point of the log */
};

JET_ERR check_attach(const struct dbheader *h, const struct logged_db *l,
                     const uint8_t *stream_sign, enum verdict *verdict);

/* ---- dbs.c, dbs_create.c, dbs_end.c ---- */

/* The databases of an attach list, before redo. */
JET_ERR dbs_load_list(struct recovery *r, const uint8_t list[ATTACH_LIST_BYTES]);
JET_ERR dbs_redo_create(struct recovery *r, const struct lr *lr);
JET_ERR dbs_redo_create_finish(struct recovery *r, const struct lr *lr);
JET_ERR dbs_redo_attach(struct recovery *r, const struct lr *lr);
JET_ERR dbs_redo_detach(struct recovery *r, const struct lr *lr);

/* Flushes the database, makes its header clean as of pos, and lets go of it. A half-created one is
 * deleted. */
JET_ERR dbs_detach_clean(struct recovery *r, struct rdb *d, struct lgpos pos);
JET_ERR dbs_detach_all_clean(struct recovery *r, struct lgpos pos);

/* A new generation begins: is it the one the headers know under this number? */
JET_ERR dbs_enter_generation(struct recovery *r, int32_t gen, uint64_t created);

/* Redo ended in generation gen: do the headers need more? (5.2 J) */
JET_ERR dbs_check_complete(struct recovery *r, int32_t gen);

/* Is gen beyond what every database needs? */
bool dbs_beyond_required(struct recovery *r, int32_t gen);

/* JET_errAttachedDatabaseMismatch: a database that should be attached is not there. */
JET_ERR dbs_check_missing(struct recovery *r);

struct rdb *dbs_get(struct recovery *r, uint8_t dbid); /* NULL: no such dbid */
size_t dbs_attach_list(struct recovery *r, struct lgpos at, uint8_t out[ATTACH_LIST_BYTES]);
void dbs_drop_all(struct recovery *r); /* closes without flushing */

/* Pages to disk, file closed, header as it is. */
JET_ERR dbs_flush_all(struct recovery *r);

/* ---- redo.c, dispatch.c, macro.c ---- */

/* From r->start to the end of the log. */
JET_ERR redo_run(struct recovery *r);
JET_ERR redo_record(struct recovery *r, struct span rec);

/* All sessions and their macros die: their versions are dropped, nothing is undone. */
void redo_end_sessions(struct recovery *r);

struct session *redo_session(struct recovery *r, uint16_t procid); /* NULL: Begin0 not seen */

JET_ERR macro_begin(struct recovery *r, uint16_t procid, int64_t dbtime);
/* true: the record belongs to an open macro and was kept. */
bool macro_collect(struct recovery *r, const struct lr *lr, struct span rec);
JET_ERR macro_commit(struct recovery *r, uint16_t procid, int64_t dbtime);
void macro_abort(struct recovery *r, uint16_t procid);
void macro_free(gpointer macro);
/* Logs MacroAbort for each open one (undo phase). */
JET_ERR macro_abort_all(struct recovery *r);

/* ---- undo.c ---- */

/* Opens the log, undoes, shuts the databases down, writes RecoveryQuit2 and the checkpoint. */
JET_ERR undo_run(struct recovery *r, struct recovery_result *result);
JET_ERR undo_append(struct recovery *r, const struct lr *lr, bool flush, struct lgpos *pos);

/* ---- soft.c ---- */

JET_ERR recovery_engine_start(struct recovery *r);
void recovery_engine_stop(struct recovery *r);
/* Redo, checks, undo: what both beginnings lead to. */
JET_ERR recovery_go(struct recovery *r, struct recovery_result *result);
void recovery_fill_result(struct recovery *r, struct recovery_result *result);
char *recovery_checkpoint_path(const struct recovery_params *p);
