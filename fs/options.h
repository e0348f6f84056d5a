/* SPDX-License-Identifier: MIT */
/*
 * The words of `-o`: ours, and those that mount(8) hands to every file system, which are accepted
 * because a mount of jetfs is read-only, nosuid, nodev and noexec whatever they say.
 */
#pragma once

#include "esent.h"
#include "esentx.h"

#include <stdbool.h>

enum cache_mode {
    CACHE_WINDOW, /* direct_io, read-ahead window in the driver: the fastest for copies */
    CACHE_DIRECT, /* direct_io, every request straight from the source */
    CACHE_PAGE,   /* the kernel's page cache: for many small reads and shared mmap */
};

/* What the session serves. */
enum session_mode {
    MODE_FROZEN,      /* images of the databases, and the logs that make them whole */
    MODE_INCREMENTAL, /* the logs since the last full or incremental backup */
    MODE_RECOVERED,   /* clean databases */
};

struct mount_options {
    enum session_mode mode;
    enum cache_mode cache;
    char *status_path;        /* instead of MOUNTPOINT.status.json; NULL for that */
    JETX_BACKUPLIMITS limits; /* tighter ones than the owner's */
    bool allow_other;
    bool allow_root;
};

/* Adds a comma-separated list to `options`. On failure *message names the word; caller frees. */
bool options_parse(const char *list, struct mount_options *options, char **message);

const char *options_mode_name(enum session_mode mode);
const char *options_cache_name(enum cache_mode cache);
void options_clear(struct mount_options *options);
