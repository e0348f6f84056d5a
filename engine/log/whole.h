/* SPDX-License-Identifier: MIT */
/* whole: log files are read as a whole, and mended in place. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esent.h"

/* Reads all of path into *data (g_free). JET_errOutOfMemory; errors of os/file. */
JET_ERR whole_read(const char *path, uint8_t **data, size_t *len)
    __attribute__((warn_unused_result));

/* Writes len bytes at offset of an existing file, and syncs it. Errors of os/file. */
JET_ERR whole_mend(const char *path, uint64_t offset, const void *data, size_t len)
    __attribute__((warn_unused_result));
