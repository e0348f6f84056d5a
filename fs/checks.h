/* SPDX-License-Identifier: MIT */
/*
 * What must hold before a mount is tried, so that the message names the cause and the cure instead
 * of an errno.
 */
#pragma once

#include <stdbool.h>

/*
 * Checks mount point and source, both absolute, and this machine. A dead jetfs at the mount point
 * must have been cleaned away before. On failure *message says what to do; caller frees.
 */
bool checks_before_mount(const char *source, const char *mountpoint, char **message);
