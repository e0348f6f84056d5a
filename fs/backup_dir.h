/* SPDX-License-Identifier: MIT */
/*
 * The directory that `jetfs backup` fills: a full backup, and the logs of the incremental ones
 * after it.
 *
 *   a full one      written to DIR.partial, which becomes DIR by one rename when all of it is on
 * disk an incremental  added to a DIR that has a full one: each log under a temporary name, then
 * renamed, in ascending order, its manifest last; or, like a full one, a directory of its own
 *
 * So DIR restores at any moment to what its last complete backup has, or to a later moment; what an
 * interrupted run left is removed by the next one.
 */
#pragma once

#include "backup.h"

#include <stdbool.h>

struct backup_dir;

/* What DIR is to take; of the session that is under way. */
struct backup_dir_wish {
    bool incremental;
    const char *log_signature; /* hexadecimal */
    uint32_t gen_low, gen_high;
};

/*
 * False with a *message (caller frees) that says what is wrong and what to do: DIR is not empty, or
 * has the logs of another instance, or logs between it and the session are missing; or cannot be
 * made. path: absolute.
 */
bool backup_dir_open(const char *path, const struct backup_dir_wish *wish, struct backup_dir **out,
                     char **message);

/* One file at a time. */
struct backup_dir_file;

/*
 * A new file, or the comparison with the same log of an earlier backup. Negative errno.
 * -EEXIST: a file of that name and of another size is there.
 */
int backup_dir_file_open(struct backup_dir *d, const struct backup_file *file,
                         struct backup_dir_file **out);

/* The next bytes. Negative errno; -EEXIST: the file that is there has others. */
int backup_dir_file_write(struct backup_dir_file *f, const void *data, size_t len);

/* On disk, under its name. Negative errno. */
int backup_dir_file_finish(struct backup_dir_file *f);

/* Gives it up. NULL is fine. */
void backup_dir_file_drop(struct backup_dir_file *f);

/* Everything is there: DIR has the backup from now on. Negative errno. */
int backup_dir_commit(struct backup_dir *d);

/* Frees; without a commit first, what was written is removed again. NULL is fine. */
void backup_dir_close(struct backup_dir *d);
