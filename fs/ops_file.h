/* SPDX-License-Identifier: MIT */
/*
 * Open files: what the kernel's handle stands for, and the reads.
 */
#pragma once

#include "ops.h"

enum { INO_ROOT = 1, INO_CONTROL = 2, INO_STATUS = 3, INO_FIRST_FILE = 16 };

/* The context of the session that a request belongs to. */
struct ops_context *ops_of(fuse_req_t req);

/* The file of the backup with this inode, or NULL. */
struct backup_file *ops_file(const struct ops_context *c, fuse_ino_t ino);

/* How many bytes an open file has. */
uint64_t ops_open_size(const struct fuse_file_info *fi);

void ops_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void ops_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void ops_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
