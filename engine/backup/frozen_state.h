/* SPDX-License-Identifier: MIT */
/*
 * frozen_state: the inside of struct frozen, shared by
 *
 *   frozen.c  begin, the hook, end, reading     frozen_limits.c  death by a limit, the watch
 *   frozen_list.c  the files and the manifest
 */
#pragma once

#include <glib.h>
#include <stdatomic.h>
#include <sys/statvfs.h>

#include "backup/frozen.h"
#include "backup/image.h"

struct watch;

struct frozen {
    struct cache *cache;
    struct log *log;
    struct image *images;
    size_t n_images;
    int *log_fds; /* of the generations gen_low .. gen_high */
    size_t n_logs;
    JETX_BACKUPFILE *files; /* databases, logs, manifest; in the order of images, log_fds */
    size_t n_files;
    char *manifest;
    char *instance;
    bool incremental;
    struct bkinfo bk;
    int64_t time_ms;  /* of the freeze */
    int64_t mtime_ns; /* of the files that are new in each session */
    uint64_t freeze_us;
    bool hooked;
    void (*died)(void *ctx, JET_ERR err, enum limit_kind over, const struct limit *limit);
    void (*warned)(void *ctx, enum limit_kind kind, const struct limit *limit);
    void *ctx;
    struct watch *watch; /* atomic: NULL until there is one */
    _Atomic int64_t last_read_us;

    GMutex lock; /* guards these */
    JET_ERR dead;
    struct log_pin *pin;
    uint32_t pin_gen; /* logs from here on stay */
    uint64_t preimage_bytes, preimage_pages;
    struct limits limits;
};

/* Gives readers err and drops what is pinned; whether this call killed it. Needs the lock. */
bool frozen_kill_locked(struct frozen *frozen, JET_ERR err);

/* Dies by itself, of an error or of a limit, and tells. No lock held. */
void frozen_die(struct frozen *frozen, JET_ERR why, enum limit_kind over);

/* ---- frozen_list.c ---- */

/* A second that no other session of this process gave its databases. */
int64_t frozen_distinct_mtime_ns(int64_t now_ms);

/* Fills files, log_fds, manifest. JET_errOutOfMemory, JET_errMissingLogFile, os errors. */
JET_ERR frozen_list_all(struct frozen *frozen) __attribute__((warn_unused_result));

/* ---- frozen_limits.c ---- */

/* From here on the limits hold; the hook has been at work for a moment. os errors. */
JET_ERR frozen_start_watch(struct frozen *frozen, const struct frozen_limits *limits)
    __attribute__((warn_unused_result));

/* How much more the preimages may take, and that they took so much. */
uint64_t frozen_preimage_room(struct frozen *frozen);
void frozen_count_preimages(struct frozen *frozen, uint64_t bytes, uint32_t page_bytes);

/* Logs kept from truncation, in bytes. Needs the lock. */
uint64_t frozen_pinned_bytes_locked(const struct frozen *frozen);

/* What the clock says of a session that lives. Needs the lock. */
void frozen_refresh_limits_locked(const struct frozen *frozen, struct limits *limits);

static inline uint64_t
frozen_free_bytes(const struct statvfs *st)
{
    return (uint64_t)st->f_bavail * st->f_frsize;
}
