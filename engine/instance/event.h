/* SPDX-License-Identifier: MIT */
/*
 * event: what the engine tells the administrator, under ESE's event ids.
 *
 * An event goes to exactly one place: the file of JET_paramJetxEventFile if set, else the journal
 * when this machine has one, else stderr. Every text begins as ESE's do: "source (pid) instance: ".
 * Informational events are dropped under JET_paramNoInformationEvent; warnings and errors never.
 *
 * JET_paramEventLoggingLevel says how much is written:
 *   0 JET_EventLoggingDisable    nothing
 *   1 JET_EventLoggingLevelMin   errors and warnings
 *  25 JET_EventLoggingLevelLow   also begin and end of instances, recovery, backups, restores
 *  50 JET_EventLoggingLevelMedium also each database and file of these, ranges of logs
 *  75 JET_EventLoggingLevelHigh  also each log that recovery replays
 * The default is 100.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

enum event_type { EVENT_ERROR = 1, EVENT_WARNING = 2, EVENT_INFORMATION = 4 };

/* Ids as in ESE's message table (backup API, 0.4). */
enum event_id {
    EVENT_INIT = 100,                        /* engine started: version */
    EVENT_TERM = 101,                        /* engine stopped */
    EVENT_INSTANCE_START = 102,              /* instance started */
    EVENT_INSTANCE_STOP = 103,               /* instance stopped */
    EVENT_INSTANCE_STOP_ERROR = 104,         /* instance stopped with error */
    EVENT_RESTORE_START = 204,               /* backup-log folder, roll-forward log folder */
    EVENT_RESTORE_STOP = 205,                /* */
    EVENT_MISSING_FULL_BACKUP = 206,         /* database */
    EVENT_FULL_BACKUP_START = 210,           /* */
    EVENT_INCREMENTAL_BACKUP_START = 211,    /* */
    EVENT_BACKUP_STOP = 213,                 /* */
    EVENT_BACKUP_STOP_ERROR = 214,           /* error */
    EVENT_BACKUP_STOP_BY_CALLER = 215,       /* */
    EVENT_DB_LOCATION_CHANGE = 216,          /* old path, new path */
    EVENT_BACKUP_DATABASE_ERROR = 217,       /* error, file */
    EVENT_BACKUP_READ_ERROR = 218,           /* error, file */
    EVENT_BACKUP_INFO_UPDATE_ERROR = 219,    /* error */
    EVENT_BACKUP_FILE_START = 220,           /* file, size */
    EVENT_BACKUP_FILE_STOP_OK = 221,         /* file */
    EVENT_BACKUP_FILE_STOP_BEFORE_END = 222, /* file, bytes read, size */
    EVENT_BACKUP_LOGS_START = 223,           /* first log, last log */
    EVENT_BACKUP_TRUNCATE = 224,             /* first log, last log */
    EVENT_BACKUP_NO_TRUNCATE = 225,          /* */
    EVENT_BACKUP_STOP_BY_SERVER = 226,       /* */
    EVENT_BACKUP_TRUNCATE_MISSING = 227,     /* count */
    EVENT_RECOVERY_START = 300,              /* recovery begins */
    EVENT_RECOVERY_LOG = 301,                /* log being replayed */
    EVENT_RECOVERY_STOP = 302,               /* recovery done */
    EVENT_DATABASE_CREATE = 325,             /* database */
    EVENT_DATABASE_ATTACH = 326,             /* database */
    EVENT_DATABASE_DETACH = 327,             /* database */
    EVENT_PATCH_FILE_MISMATCH = 430,         /* database */
    EVENT_RESTORE_LOG_TOO_HIGH = 431,        /* given log, needed log */
    EVENT_RESTORE_LOG_TOO_LOW = 432,         /* given log, needed log */
    EVENT_RESTORE_LOG_BAD_SIGNATURE = 433,   /* log */
    EVENT_RESTORE_LOG_NOT_CONTIGUOUS = 434,  /* log */
    EVENT_RESTORE_LOG_MISSING = 435,         /* log */
    EVENT_REDO_ABRUPT_END = 446,             /* log */
    EVENT_RESTORE_CURRENT_LOG_MISSING = 450, /* log */
    EVENT_REDO_MISSING_LOW_LOG = 452,        /* database, first log given, log needed */
    EVENT_REDO_MISSING_HIGH_LOG = 453,       /* database, last log given, log needed */
    EVENT_RESTORE_FAIL = 454,                /* error */
    EVENT_EXISTING_LOG_BAD_SIGNATURE = 457,  /* log */
    EVENT_EXISTING_LOG_NOT_CONTIGUOUS = 458, /* log */
    EVENT_BACKUP_LOG_MISSING = 459,          /* log */
    EVENT_LOG_TORN_RESTORE = 460,            /* log */
    EVENT_LOG_CORRUPT_RESTORE = 463,         /* log */
    EVENT_LOG_TORN_TAIL = 461,               /* log */
    EVENT_LOG_CORRUPT_RECOVERY = 464,        /* log */
    EVENT_LOG_CORRUPT = 465,                 /* log */
    EVENT_PAGE_CHECKSUM = 474,               /* database, page, error */
    EVENT_PAGE_NUMBER = 475,                 /* database, page */
    EVENT_PAGE_REPAIRED = 476,               /* database, page */
    EVENT_LOG_WRITE_ERROR = 482,             /* file, error */
    EVENT_TRANSIENT_READ_ERROR = 493,        /* file, offset */
    EVENT_REDO_LOG_MISMATCH = 496,           /* database, log */
    EVENT_BACKUP_LOG_NOT_COPIED = 520,       /* */
    EVENT_COMMITTED_LOG_MISSING = 523,       /* database, last log given, log needed */
    EVENT_ATTACH_BACKUP_DATABASE = 619,      /* database */
    EVENT_SNAPSHOT_FREEZE = 2001,            /* snapshot */
    EVENT_SNAPSHOT_FREEZE_ERROR = 2002,      /* snapshot, error */
    EVENT_SNAPSHOT_THAW = 2003,              /* snapshot */
    EVENT_SNAPSHOT_TIMEOUT = 2004,           /* snapshot, milliseconds */
    EVENT_SNAPSHOT_FULL = 2005,              /* snapshot */
    EVENT_SNAPSHOT_END = 2006,               /* snapshot */
    EVENT_SNAPSHOT_ABORT = 2007,             /* snapshot */
    EVENT_SNAPSHOT_INCREMENTAL = 2008,       /* snapshot */
    EVENT_SNAPSHOT_COPY = 2009,              /* snapshot */
    EVENT_SNAPSHOT_DIFFERENTIAL = 2010,      /* snapshot */
    /* ours */
    EVENT_RESTORE_FILE = 10020,          /* file, what is wrong with it */
    EVENT_SESSION_LIMIT_NEAR = 10001,    /* limit, percent, used, most */
    EVENT_SESSION_LIMIT_REACHED = 10002, /* limit, most, parameters that set it */
};

struct events;

struct event_options {
    const char *source;   /* JET_paramEventSource; NULL or "" = the program's name */
    const char *instance; /* instance display name; NULL = "" */
    const char *file;     /* JET_paramJetxEventFile; NULL or "" = journal, else stderr */
    bool no_information;  /* JET_paramNoInformationEvent */
    uint32_t level;       /* JET_paramEventLoggingLevel; 0 = nothing is written */

    /* Also told, before it is written; the text is without source and instance. May be NULL. */
    void (*hear)(void *ctx, enum event_id id, enum event_type type, const char *text);
    void *hear_ctx;
};

/* Never fails; copies its options. */
struct events *events_new(const struct event_options *options);
void events_free(struct events *events); /* NULL is fine */

/*
 * Reports an event with its inserts, strings, ended by NULL: event_report(ev,
 * EVENT_BACKUP_FILE_START, path, size, NULL). Inserts beyond those of the text are appended. Safe
 * from any thread; never fails, never blocks on the engine's locks. events NULL: reported without
 * an instance name.
 */
void event_report(struct events *events, enum event_id id, ...) G_GNUC_NULL_TERMINATED;

/* JET_paramNoInformationEvent can be set at any time. NULL is fine. */
void events_set_no_information(struct events *events, bool off);

/* The lowest JET_paramEventLoggingLevel at which an event is written; see above. */
uint32_t event_level(enum event_id id);

/* The same, of an array that ends in NULL. */
void event_report_list(struct events *events, enum event_id id, const char *const *inserts);

/* Number as text for an insert; the string lives until the caller frees it (g_autofree). */
char *event_number(int64_t value);

/* The symbol of an id as documented names go ("BACKUP_FILE_START"), or NULL. */
const char *event_name(enum event_id id);

/* Tests and embedding programs see every event (dropped ones too) before it is written. */
typedef void (*event_listener)(void *ctx, enum event_id id, enum event_type type, const char *text);
void event_listen(event_listener listener, void *ctx);
