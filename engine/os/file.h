/* SPDX-License-Identifier: MIT */
/*
 * file: files and directories; the one place where errno becomes a JET_ERR.
 *
 * Reads and writes are whole: all bytes or an error. Each error is reported once, here, to stderr's
 * debug log (G_LOG_DOMAIN "jet-os"), with path, offset and errno. Every system call that can fail
 * passes os/fault.h first, so that tests can fail any of them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "esent.h"

struct os_file;

enum os_open { OS_OPEN_READ, OS_OPEN_WRITE /* read and write */ };

/*
 * The JET_ERR of an errno: ENOENT JET_errFileNotFound, ENOTDIR/ENAMETOOLONG/ELOOP/EINVAL
 * JET_errInvalidPath, EEXIST JET_errFileAlreadyExists, EACCES/EPERM/EROFS/EBUSY/EWOULDBLOCK
 * JET_errFileAccessDenied, ENOSPC/EDQUOT/EFBIG JET_errDiskFull, ENOMEM JET_errOutOfMemory,
 * EMFILE/ENFILE JET_errOutOfFileHandles, all else JET_errDiskIO.
 */
JET_ERR os_error(int errnum);

/* ---- files ---- */

/* Opens an existing file; never follows into a directory. Errors: os_error. */
JET_ERR os_file_open(const char *path, enum os_open how, struct os_file **out);

/* Makes a new file, mode 0600. JET_errFileAlreadyExists; os_error. */
JET_ERR os_file_create(const char *path, struct os_file **out);

/* A nameless file in a directory, gone with its last descriptor (O_TMPFILE, else create + unlink).
 */
JET_ERR os_file_create_unnamed(const char *dir, struct os_file **out);

/* Wraps a descriptor, which it owns from now on. path is for messages. */
struct os_file *os_file_wrap(int fd, const char *path);

void os_file_close(struct os_file *file); /* NULL is fine */

const char *os_file_path(const struct os_file *file);
int os_file_fd(const struct os_file *file);

/* All len bytes at offset. JET_errFileIOBeyondEOF: the file ends before; os_error. */
JET_ERR os_file_read(struct os_file *file, uint64_t offset, void *buf, size_t len);

/* What there is up to len bytes; *got < len at the end of the file. */
JET_ERR os_file_read_some(struct os_file *file, uint64_t offset, void *buf, size_t len,
                          size_t *got);

/* All bytes. JET_errDiskFull; os_error. A failed write may have written a part. */
JET_ERR os_file_write(struct os_file *file, uint64_t offset, const void *buf, size_t len);
JET_ERR os_file_writev(struct os_file *file, uint64_t offset, const struct iovec *iov, int n);

/* Data, and what is needed to find it, on stable storage (fdatasync). Never retry a failed one. */
JET_ERR os_file_sync(struct os_file *file);

JET_ERR os_file_size(struct os_file *file, uint64_t *size);

/* Cuts, or extends with zeros (sparse). */
JET_ERR os_file_truncate(struct os_file *file, uint64_t size);

/* Takes the file for this descriptor alone, against all other openers that ask (open file
 * description lock). JET_errFileAccessDenied: somebody else has it. Dropped by close. */
JET_ERR os_file_lock(struct os_file *file);

/* The same, but any number may have it this way. A file opened for reading can only be taken so. */
JET_ERR os_file_lock_shared(struct os_file *file);

/* Is the file at path locked by somebody? */
JET_ERR os_file_is_locked(const char *path, bool *locked);

/* ---- names ---- */

JET_ERR os_file_size_at(const char *path, uint64_t *size);
bool os_exists(const char *path);
bool os_is_dir(const char *path);
bool os_is_file(const char *path); /* a regular file itself, no link to one */
JET_ERR os_remove(const char *path);

/* Replaces `to`. The caller syncs the directory. */
JET_ERR os_rename(const char *from, const char *to);

/* The directory's entries are on stable storage. */
JET_ERR os_dir_sync(const char *dir);

/* Makes the directory and those above it; no error when it is there. */
JET_ERR os_dir_make(const char *dir);

/* Names in a directory, sorted, without . and .. ; g_strfreev. */
JET_ERR os_dir_list(const char *dir, char ***names);

/*
 * Absolute path without . .. or double slashes; links in its directory part are resolved, the last
 * part need not exist. g_free. JET_errInvalidPath: empty, or the directory is not there.
 */
JET_ERR os_path_full(const char *path, char **full);

/* Takes a directory for this process' holder alone (flock). JET_errFileAccessDenied: taken. Dropped
 * by os_file_close. */
JET_ERR os_dir_lock(const char *dir, struct os_file **out);

/* The same, shared with others of this kind. */
JET_ERR os_dir_lock_shared(const char *dir, struct os_file **out);
