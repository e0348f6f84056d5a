/* SPDX-License-Identifier: MIT */
/*
 * Extended attributes: what a copy tool can keep with a file, and a script ask without JSON.
 *
 *   user.jetfs.kind         session (the root), database, log, generated
 *   user.jetfs.signature    of the database or of the log, 56 hexadecimal digits; the root: of the
 *                           logs
 *   user.jetfs.generation   of a log: its number
 *   user.jetfs.generations  of the root and of a database: LOW-HIGH, the logs that belong to it
 *   user.jetfs.checksum     of a database: unread; partly; good, every page was read and is
 *                           whole; bad with the numbers of the first damaged pages
 */
#pragma once

#include "backup.h"

/* Notes what the manifest says of signatures and generations; it may come from anybody. */
void attributes_load(struct backup *backup, const char *manifest);

/* The value of attribute `name` of `file` (NULL: of the root), or NULL: it has none such. Caller
 * frees. Any thread. */
char *attributes_value(const struct backup *backup, struct backup_file *file, const char *name);

/* The names that `file` (NULL: the root) has, each ended by a zero byte. Caller frees. */
GByteArray *attributes_names(const struct backup *backup, struct backup_file *file);
