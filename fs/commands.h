/* SPDX-License-Identifier: MIT */
/*
 * The verbs. Each takes its own argument vector (argv[0] is the verb) and returns an exit code.
 */
#pragma once

#include "exit.h"

enum jetfs_exit cmd_doctor(int argc, char **argv);
enum jetfs_exit cmd_backup(int argc, char **argv);
enum jetfs_exit cmd_header(int argc, char **argv);
enum jetfs_exit cmd_list(int argc, char **argv);
enum jetfs_exit cmd_log(int argc, char **argv);
enum jetfs_exit cmd_mount(int argc, char **argv);
enum jetfs_exit cmd_umount(int argc, char **argv);
enum jetfs_exit cmd_status(int argc, char **argv);
enum jetfs_exit cmd_verify(int argc, char **argv);
enum jetfs_exit cmd_restore(int argc, char **argv);

/* Called as umount.fuse.jetfs by umount(8), with its options. */
enum jetfs_exit cmd_umount_helper(int argc, char **argv);
