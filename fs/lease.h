/* SPDX-License-Identifier: MIT */
/*
 * The status file beside the mount point, such that whoever opens it after the unmount reads the
 * final result, with no helper and no change to the reader.
 *
 * umount(8) and fusermount3 return before the driver has ended the session. So the driver holds a
 * write lease (fcntl F_SETLEASE) on the inode that the name stands for: open() of a reader then
 * blocks until the driver lets it pass, and the driver decides by looking whether the mount is
 * gone:
 *
 *   reader opens --> signal --> lease_publish(interim): new inode, leased, renamed over; and then:
 *       mount alive?  yes: the old inode is brought up to date and let go; the reader has that one
 *                     no:  the old inode is kept for lease_finish(), which follows at once
 *
 * 1. The name always stands for a complete file: contents change by rename.
 * 2. From lease_open() to lease_finish() the inode behind the name is leased (where the file system
 *    knows leases): it is leased before it gets the name, and there is a successor before it is let
 *    go. So no open() that begins after the unmount can pass before the result is written.
 * 3. Whether the mount is alive is asked after the rename: who opened the old inode did so before.
 * 4. A reader that already waits has the old inode. Its content is replaced too, before it is let
 *    go; nobody can see that half done, since nobody but us has it open.
 * 5. Death of the driver drops the lease; the name keeps the last interim content, complete.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct lease_file;

/*
 * Publishes `text` as the file `path` and holds it. `signal_number` is sent to this process when a
 * reader waits. On success *file is owned by the caller. On failure returns a negative errno, and
 * what was at `path` is as before.
 */
int lease_open(const char *path, const char *text, int signal_number, struct lease_file **file);

/* True when the file is leased, false where the file system has no leases. */
bool lease_is_held(struct lease_file *file);

/* True when a reader waits for lease_publish() or lease_finish(). */
bool lease_is_wanted(struct lease_file *file);

/*
 * Replaces the content; the new file is held in turn. Readers that wait for the old one pass when
 * `may_pass(ctx)` says so, else they wait for lease_finish(). Negative errno on failure: the name
 * keeps the old content.
 */
int lease_publish(struct lease_file *file, const char *text, bool (*may_pass)(void *ctx),
                  void *ctx);

/*
 * Publishes the last content, on stable storage, lets all readers pass, and frees `file`. Negative
 * errno when it could not be stored; `file` is freed all the same.
 */
int lease_finish(struct lease_file *file, const char *text);

/* Publishes `text` at `path` by rename, on stable storage, without a lease. Negative errno. */
int lease_write_once(const char *path, const char *text);
