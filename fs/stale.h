/* SPDX-License-Identifier: MIT */
/*
 * What a driver leaves behind that was killed: a mount that answers ENOTCONN, and a status that
 * says "running". Every verb cleans up first what it meets.
 */
#pragma once

#include <stdbool.h>

/*
 * Unmounts a dead mount at `mountpoint`, and turns the status file at `status_path` from "running"
 * to "driver-died" when its driver is gone. True when there was anything to clean up.
 */
bool stale_clean_up(const char *mountpoint, const char *status_path);
