/* SPDX-License-Identifier: MIT */
/*
 * unmounter: what lets a driver without root let go of its mount once it can start no programs any
 * more. A child is forked before the driver restricts itself; it waits, holding nothing but a pipe,
 * and becomes `fusermount3 -u` when it is told to. When the driver dies the child ends and leaves
 * the mount as it is: who still reads gets ENOTCONN, never an empty directory that looks like a
 * backup.
 */
#pragma once

struct unmounter;

/* Before any thread exists. NULL when there cannot be one, and for root, who needs none. */
struct unmounter *unmounter_start(const char *mountpoint);

/* Unmounts, even while it is in use; once. Negative errno: -ECHILD when the child is gone,
 * -EBUSY when fusermount3 refused. */
int unmounter_run(struct unmounter *u);

/* Ends the child. NULL is fine. */
void unmounter_free(struct unmounter *u);
