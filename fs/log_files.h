/* SPDX-License-Identifier: MIT */
/* The log files of a directory, by their names: edb00001.log ..., then edb.log. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct log_file {
    char *path;
    char base[4];
    uint32_t gen; /* from the name; 0 for the current log */
};

/* What the name says of the file at path; false: it is not the name of a log (edbtmp.log and
 * reserves are none). Then *file is as for a current log. file->path is g_freed by the caller. */
bool log_file_of(const char *path, struct log_file *file);

/* Of struct log_file, each base by itself, oldest first. NULL: cannot be read, *error says why. */
GPtrArray *log_files_list(const char *directory, GError **error);
