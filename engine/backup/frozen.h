/* SPDX-License-Identifier: MIT */
/*
 * frozen: a backup session whose files, sizes, times and every byte are fixed at one moment.
 *
 * At the freeze the page writer is paused, the log is rolled (G = its last closed generation),
 * headers and sizes are taken, the before-overwrite hook is set, the writer resumes. From then on
 * the hook puts old page images aside (image.h). The logs from the checkpoint to G are pinned and
 * held open.
 *
 * Invariants:
 *  1. Bytes served for (file, offset) never change within a session.
 *  2. Database image + served logs recover to exactly the transactions durable at the freeze.
 *  3. A commit never waits for a reader; the writer's extra work is at most one read and one write
 * per page per session.
 *  4. When a limit (limits.h) or the disk runs out the session dies (JET_errBackupAbortByServer,
 *     reads fail for ever after); the database never does. The owner sees to it by itself, whether
 *     or not the one who holds the session does anything.
 *  5. The end of the session, by whatever cause, frees preimages and pinned logs.
 *  6. Every page served was verified; a bad page fails that file alone.
 *  7. Bytes delivered are counted by who delivers them: the driver, or the context's handles.
 *
 *   ALIVE --frozen_kill, a limit, hook out of room--> DEAD (hook does nothing, nothing pinned)
 *     |                                                  |
 *     +--------------------frozen_end--------------------+--> gone
 *
 * Locks: the session's mutex guards death, counters and limits; taken by the writer thread in the
 * hook, so nothing waits under it for the writer. frozen_end pauses the writer without holding it.
 * The watch (watch.h) takes no other lock of the backup.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "backup/frozen_reader.h"
#include "backup/limits.h"
#include "backup/marks.h"
#include "esent.h"
#include "esentx.h"

struct cache;
struct dbfile;
struct frozen;
struct log;

/* What a session may use; 0 = no such limit, or (to tighten) as it is. */
struct frozen_limits {
    uint64_t age_us, idle_us;
    uint64_t preimage_bytes, pinned_log_bytes;
    uint32_t preimage_percent, pinned_log_percent; /* of what is free now, beyond what is used */
};

struct frozen_params {
    struct cache *cache;
    struct log *log;
    struct dbfile **files; /* the attached, logged databases; stay attached until frozen_end */
    size_t n_files;        /* 0: logs only */
    struct bkinfo mark; /* position and time of the begin; gen_low = the first log to serve: that of
                           the checkpoint, for an incremental one the oldest */
    bool incremental;   /* for the manifest */
    const char *preimage_dir; /* "" = beside each database */
    struct frozen_limits limits;
    const char *instance; /* name, for the manifest */
    /* By itself, of this error or (JET_errBackupAbortByServer) of this limit; writer or watch, no
     * lock held; must not take the context's lock. Both may be NULL. */
    void (*died)(void *ctx, JET_ERR err, enum limit_kind over, const struct limit *limit);
    void (*warned)(void *ctx, enum limit_kind kind, const struct limit *limit);
    void *ctx;
};

/*
 * Freezes. Nobody attaches or detaches databases meanwhile.
 * JET_errMissingLogFile (gen_low is gone), JET_errDiskFull, JET_errLogWriteFail and other log
 * errors, JET_errOutOfMemory, os errors. On error nothing is left behind (the log may have been
 * rolled).
 */
JET_ERR frozen_begin(const struct frozen_params *params, struct frozen **out)
    __attribute__((warn_unused_result));

/* Ends the session: hook gone, preimages and pins freed. Descriptors that readers hold stay
 * readable but say `why` (0: JET_errNoBackup). NULL is fine. */
void frozen_end(struct frozen *frozen, JET_ERR why);

/* The session is dead from now on, with err. Any thread. */
void frozen_kill(struct frozen *frozen, JET_ERR err);

/* All was copied: logs below gen need no longer be kept (descriptors stay). Pin errors. */
JET_ERR frozen_release_logs(struct frozen *frozen, uint32_t gen)
    __attribute__((warn_unused_result));

/* Tighter limits (limits.h); bytes and percent: the tighter of the two. */
void frozen_tighten(struct frozen *frozen, const struct frozen_limits *limits);

/* Somebody read of it just now. Any thread, no lock. */
void frozen_note_read(struct frozen *frozen);

/* 0, or what killed it. */
JET_ERR frozen_error(struct frozen *frozen);

/* Its files: databases, logs, the manifest. Valid until frozen_end. */
const JETX_BACKUPFILE *frozen_files(const struct frozen *frozen, size_t *n);

/* Opens a file by szName or szPath. JET_errFileNotFound, JET_errOutOfFileHandles, frozen_error's.
 */
JET_ERR frozen_open(struct frozen *frozen, const char *name, struct frozen_file *out)
    __attribute__((warn_unused_result));

/* The manifest's text. */
const char *frozen_manifest(const struct frozen *frozen);

struct frozen_stats {
    struct lgpos begin, freeze; /* freeze = start of the generation after gen_high */
    uint32_t gen_low, gen_high;
    uint64_t freeze_us;
    size_t clones; /* databases that the file system cloned: no preimages */
    uint64_t preimage_bytes, preimage_pages;
    uint64_t pinned_log_bytes;
    struct limits limits; /* used: as of now; of a dead session, when it died */
};

void frozen_get_stats(struct frozen *frozen, struct frozen_stats *stats);

/* bkinfo of file's copy, genHigh included: what its header is stamped with when the session ends
 * well. */
struct bkinfo frozen_bkinfo(const struct frozen *frozen);
