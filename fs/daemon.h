/* SPDX-License-Identifier: MIT */
/*
 * Going into the background such that the command returns when the mount is ready, or with the exit
 * code of its failure; messages up to then still reach the terminal.
 */
#pragma once

#include "exit.h"

#include <stdbool.h>

/*
 * Forks. In the parent: waits for daemon_ready() or the child's end, and returns false with *code.
 * In the child: returns true, with *ready_fd to hand to daemon_ready(). No thread may run yet.
 */
bool daemon_fork(int *ready_fd, enum jetfs_exit *code);

/* Lets the parent return with success, and leaves the terminal. Once. */
void daemon_ready(int ready_fd);
