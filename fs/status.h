/* SPDX-License-Identifier: MIT */
/*
 * The status as JSON: written by the driver, read by the verbs and by the next driver. Members may
 * be added; readers ignore what they do not know.
 *
 *   {"version": 1, "state": "running" | "ending" | "done",
 *    "result": {"name", "exit", "code", "error", "text", "limit"},
 *    "source", "mountpoint", "status_file", "mode": "frozen", "cache", "device", "lease",
 * "sandbox", "driver": {"pid", "start_ticks", "version"}, "owner": {"pid", "instance"}, "begin",
 * "end", "seconds", "logs": {"signature", "low", "high"}, "freeze": {"lgpos", "us"}, "bytes":
 * {"required", "served", "delivered", "per_second", "preimage", "pinned_log"}, "limits": [{"name",
 * "unit", "limit", "used", "warned"}], "commits": {"before", "during": {"count", "p50_us",
 * "p99_us"}}, "files": [{"name", "path", "kind", "size", "served", "verified", "required",
 * "carried", "complete", "generation", "error": {"code", "name", "offset", "page"}, "first_read",
 * "last_read", "per_second", "map": {"pages", "cell", "runs"}, "bad_pages": [...]}],    see
 * pagemap.h "events": [{"time", "kind", "text"}], "last_complete": {"end", "signature", "logs":
 * [{"generation", "size", "mtime_ns"}]}}
 *
 * The result is "running" until done; "limit" is there when one ended the session.
 *
 * "last_complete" names the logs that the last complete session served in full, or that it took
 * over from the one before: a copy tool skips those, and so they count as served.
 */
#pragma once

#include "backup.h"
#include "moment.h"

#include <json-glib/json-glib.h>
#include <sys/types.h>

struct status {
    const char *state;
    enum jetfs_exit result;
    JET_ERR code;     /* the engine's, 0 when it has nothing to say */
    const char *text; /* one sentence for people */
    const char *source;
    const char *mountpoint;
    const char *status_file;
    const char *mode; /* options_mode_name() */
    const char *cache;
    dev_t device; /* of the mounted file system; 0 before */
    bool lease;
    bool sandbox; /* the driver can do no more than serve */
    struct moment begin;
    struct moment end;     /* zero while it runs */
    struct backup *backup; /* NULL: the session did not begin */
    struct events *events;
    JETX_BACKUPSTATUS engine;
    JsonNode *last_complete; /* of earlier sessions; NULL when there was none */
};

/* The JSON text, with a newline at its end. Owned by the caller. */
char *status_to_text(const struct status *status);

/* A log signature as the status names it. Owned by the caller. */
char *status_signature(const JET_SIGNATURE *signature);

/* Marks the logs of `status->backup` that "last_complete" names as carried. */
void status_carry(struct status *status);

/* What a verb wants to know of a status file. */
struct status_summary {
    char *state;
    enum jetfs_exit result;
    char *result_name;
    char *text;
    char *mountpoint;
    char *status_file;
    int pid;
    guint64 start_ticks;
    JsonNode *root;
};

/* Reads a status; false when it is none. Clear with status_summary_clear() in either case. */
bool status_parse(const char *text, struct status_summary *summary);
bool status_read(int fd, struct status_summary *summary);
bool status_load(const char *path, struct status_summary *summary);
void status_summary_clear(struct status_summary *summary);

/* The member "last_complete" of the status file at `path`, or NULL. Owned by the caller. */
JsonNode *status_load_last_complete(const char *path);

/* The same status with its result replaced: for a driver that could not write it itself. */
char *status_with_result(const struct status_summary *summary, enum jetfs_exit result,
                         const char *text);

/* Ticks since boot at which process `pid` started; 0 when there is none. Tells pids apart. */
guint64 status_process_start(int pid);

/* True when the driver that wrote this still runs. */
bool status_is_alive(const struct status_summary *summary);

/* The file system that the driver serves; 0 when that is not known. */
dev_t status_device(const struct status_summary *summary);

/* True when the file it was read from is leased, and so as fresh as the live one. */
bool status_is_leased(const struct status_summary *summary);
