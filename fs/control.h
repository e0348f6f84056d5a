/* SPDX-License-Identifier: MIT */
/*
 * How a verb talks to the driver of a mount: an ioctl on MOUNTPOINT/.jetfs/status, which only the
 * owner of the mount can open. The argument is a word of flags.
 */
#pragma once

#include <stdint.h>
#include <sys/ioctl.h>

#define CONTROL_END _IOW('J', 1, uint32_t)

#define CONTROL_TRUNCATE                                                                           \
    0x1u                   /* a complete end also truncates the logs; without it: it does not      \
                            */
#define CONTROL_ABORT 0x2u /* end now, whatever was served, and unmount */

#define CONTROL_DIR    ".jetfs"
#define CONTROL_STATUS "status"
