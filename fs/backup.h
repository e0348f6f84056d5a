/* SPDX-License-Identifier: MIT */
/*
 * The backup session that a mount shows: the one place of the driver that calls libesent's backup
 * functions. It begins a frozen session, keeps its list of files and what of them was served, reads
 * at any offset from any thread, and ends the session.
 *
 *   backup_open --> backup_begin --> backup_read ... --> backup_end --> backup_free
 *                                        |
 *                                        +-- the owner goes or aborts: dead, every read fails
 *
 * 1. The list of files and everything of a file but `served`, `handle` and `error` is fixed at
 * begin.
 * 2. Once dead, always dead: reads answer the error that killed the session, the end is an abort.
 */
#pragma once

#include "esent.h"
#include "esentx.h"
#include "events.h"
#include "exit.h"
#include "options.h"
#include "served.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum file_kind { FILE_DATABASE = 1, FILE_LOG = 2, FILE_GENERATED = 3 };

struct backup_file {
    char *name; /* in the directory */
    char *path; /* where the owner has it */
    enum file_kind kind;
    uint64_t size;
    int64_t mtime_ns;
    uint64_t inode;
    uint32_t generation; /* of a log */
    uint32_t page_bytes; /* of a database */
    char *signature;     /* of a database, hexadecimal; NULL: not known */
    char *text;          /* content of a file that the driver makes itself; else NULL */
    bool carried;        /* a log that an earlier complete session served in full */
    struct served *served;
    uint32_t pages;     /* of a database */
    uint64_t delivered; /* atomic: bytes sent, repeats included */
    gint64 first_us;    /* atomic: of the first and the last answer, since boot; 0 before */
    gint64 last_us;

    GMutex lock;       /* guards what follows */
    JET_HANDLE handle; /* open from the first read to the session's end */
    bool is_open;
    JET_ERR error; /* the first read error of this file; 0 when none */
    uint64_t error_offset;
    uint32_t error_pgno; /* 0 when the file has no pages */
    GArray *bad_pages;   /* uint32_t, ascending, each once; the first ones found */
    uint32_t *preserved; /* pages overwritten since the freeze, in each of n_cells; NULL = none */
    uint32_t n_cells;
};

struct backup {
    char *source; /* as the user gave it, absolute */
    bool live;    /* there is a process that owns the database */
    struct events *events;
    GPtrArray *files;    /* struct backup_file */
    char *log_signature; /* hexadecimal; NULL: not known */
    uint32_t gen_low;    /* first and last log; 0: there are none */
    uint32_t gen_high;
    uint64_t delivered_bytes; /* atomic: everything sent, repeats included */
    JET_INSTANCE instance;
    bool begun;
    GRWLock delivery; /* read: by every answer until it is counted; written: to wait for those */
    GRWLock in_use;   /* read: by every call with a handle; written: by the end, to wait for them */
    gint ending;      /* atomic: set before the end; reads fail from then on */
    gint dead; /* atomic: the JET_ERR that ended the session from outside; 0 while it lives */
    gint warned[JETX_limitCount]; /* atomic: percent of each limit that was told */
    gint was_read;                /* atomic: something of a required file */
    gint limit_ended;             /* atomic: 1 + the limit that ended the session */
    gint cause;                   /* atomic: why the owner ended it, if not for a limit; else 0 */
    uint64_t limit_value;         /* of it; valid when that is set */
    uint64_t reported;            /* atomic: 1 + the bytes that the owner was told of */
};

/*
 * Connects to the owner of `source` (an instance's directory or socket), or opens a database file
 * or directory that nobody owns. On failure *message says what is wrong and what to do; caller
 * frees. `events` is borrowed.
 */
JET_ERR backup_open(const char *source, struct events *events, struct backup **backup,
                    char **message);

/* Freezes the session within `limits` and lists its files, and the manifest as backup.json.
 * Failures as above; when there is a session already, the message names who holds it. */
JET_ERR backup_begin(struct backup *backup, enum session_mode mode, const JETX_BACKUPLIMITS *limits,
                     char **message);

/* Tells the owner where the files are shown and how much of them was served, when that changed. */
void backup_report(struct backup *backup, const char *mountpoint);

/* How much a complete session serves, and how much of that was served. */
void backup_count(struct backup *backup, uint64_t *required, uint64_t *served);

/* The file called `name`, or NULL. */
struct backup_file *backup_find(struct backup *backup, const char *name);

/*
 * Reads exactly `len` bytes at `off`, which must lie within the file. Any thread. An error is kept
 * with the file, and with page and offset when it is a damaged page.
 */
JET_ERR backup_read(struct backup *backup, struct backup_file *file, uint64_t off, void *buf,
                    uint32_t len);

/* Opens the file at its owner when it is not open yet. */
JET_ERR backup_file_open(struct backup *backup, struct backup_file *file);

/* Asks whether the session still lives; notes its death. `status` may be NULL. */
JET_ERR backup_poll(struct backup *backup, JETX_BACKUPSTATUS *status);

/* True when all bytes of it were served, now or (for a log) by an earlier complete session. */
bool backup_file_is_complete(const struct backup_file *file);

/* True for what a complete session must have served: databases and logs. */
bool backup_file_is_required(const struct backup_file *file);

/*
 * Sends an answer by `send(ctx)`, which returns 0 when the kernel took it, and then counts the
 * range as served. Any thread.
 */
void backup_deliver(struct backup *backup, struct backup_file *file, uint64_t off, uint64_t bytes,
                    int (*send)(void *ctx), void *ctx);

/* The session died, or is about to end: every read fails. */
bool backup_is_over(struct backup *backup);

/* Makes reads fail from now on, and waits for the answers under way to be counted. */
void backup_quiesce(struct backup *backup);

/* What the session would end as if it ended now. */
enum jetfs_exit backup_result(struct backup *backup);

/*
 * Ends the session, as a success or aborted; `truncate` first removes the logs that a success makes
 * superfluous. The engine's code; 0 for a success and for an abort that was asked for.
 */
JET_ERR backup_end(struct backup *backup, bool success, bool truncate);

/* Drops the connection; a session that was not ended is aborted by that. Accepts NULL. */
void backup_free(struct backup *backup);
