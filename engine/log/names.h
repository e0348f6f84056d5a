/* SPDX-License-Identifier: MIT */
/*
 * names: what log files are called (log format, 1.1).
 *
 * base = 3 characters ("edb"), ext = "log" or "jtx". current edb.log, next edbtmp.log, archive
 * edb0001F.log (5 upper-case hex digits, the 8.3 form) or edb0000001F.log (8 digits), reserve
 * edbres00001.jrs. On reading, case does not matter: files from Windows keep the case they had.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esent.h"

#define LOG_GEN_MAX_EIGHT_DOT_THREE 0xfffff
#define LOG_GEN_MAX                 0x7ffff800 /* log sequence end; recovery: 0x7ffffa00 */

/* Names without the directory; g_free. */
char *log_name_current(const char *base, const char *ext);
char *log_name_next(const char *base, const char *ext);
char *log_name_archive(const char *base, const char *ext, int32_t gen, bool eight_dot_three);
char *log_name_reserve(const char *base, unsigned n /* 1.. */);

/* Checkpoint: base.chk, or base.jcp with ext jtx. */
char *log_name_checkpoint(const char *base, const char *ext);

enum log_name_kind {
    LOG_NAME_NONE,
    LOG_NAME_CURRENT,
    LOG_NAME_NEXT,
    LOG_NAME_ARCHIVE,
    LOG_NAME_RESERVE
};

struct log_name {
    enum log_name_kind kind;
    int32_t gen;     /* ARCHIVE */
    unsigned digits; /* ARCHIVE: 5 or 8 */
};

/* What is this name? kind NONE if it is no log of this base and ext. */
struct log_name log_name_parse(const char *name, const char *base, const char *ext);

/* What a directory holds of a stream. */
struct log_gens {
    int32_t *gens; /* archives, ascending, each once */
    char **paths;  /* of each, full path as it is on disk */
    size_t n;
    char *current; /* full path, NULL if not there */
    char *next;    /* edbtmp, NULL if not there */
};

/*
 * Lists dir. JET_errOutOfMemory, JET_errInvalidPath; other errors of os/file. The same generation
 * in both forms counts once (the 8.3 form wins).
 */
JET_ERR log_gens_find(const char *dir, const char *base, const char *ext, struct log_gens *found)
    __attribute__((warn_unused_result));
void log_gens_clear(struct log_gens *found);

/* Path of an archive in found, NULL if it is not there. */
const char *log_gens_path(const struct log_gens *found, int32_t gen);
