/* SPDX-License-Identifier: MIT */
/*
 * control: a socket by which a test brackets a snapshot of the disk, one command a line:
 *
 *   freeze    ->  frozen 0xPOSITION     what --check --freeze takes
 *   thaw      ->  thawed
 *   anything that fails  ->  error CODE NAME
 */
#pragma once

#include "work.h"

struct control;

/* Listens at path, serves in a thread. NULL: it could not, which is printed. */
struct control *control_start(const char *path, struct store *store);
void control_stop(struct control *c); /* NULL is fine */
