/* SPDX-License-Identifier: MIT */
/*
 * header_file: the header of any of ESE's files, for those who want to look at it, whatever state
 * it is in.
 *
 * The kind is told by the bytes, not by the name: a database by its magic, in either copy; a log
 * and a checkpoint by the file type at 667.
 */
#pragma once

#include "base/field.h"
#include "esentx.h"
#include "log/checkpoint.h"
#include "log/filehdr.h"

/*
 * Reads the header of path into *out (g_free). JET_errFileInvalidType: none of these files; *out
 * then says in szProblem what it seems to be. JET_errOutOfMemory; errors of os/file.
 */
JET_ERR header_file_read(const char *path, JETX_HEADER **out) __attribute__((warn_unused_result));

/* Every field as it stands; attach lists as far as they can be followed. */
void log_header_fields(const uint8_t in[LOG_HEADER_BYTES], struct fields *out);
void checkpoint_fields(const uint8_t in[CHECKPOINT_COPY_BYTES], struct fields *out);
