/* SPDX-License-Identifier: MIT */
/*
 * buffer: a run of log segments being filled with records (log_format 2.2). Pure memory, no locks.
 *
 *   segment   header 40 bytes (stamped when sealed), then records back to back
 *   record    whole if it fits; else, with 32 bytes or more left,
 *             FragmentBegin {u8 76, u32 total, u16 here} + part, then at the start of each further
 *             segment Fragment {u8 77, u16 here} + part; with less left, zeros and the next segment
 *   the rest  NOP2 {u8 71, u32 length} + zeros; zeros alone if < 5 bytes are left
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "log/lgpos.h"

struct log_buffer {
    uint8_t *mem;        /* segments * 4096 bytes, owned by whoever made the buffer */
    uint32_t segments;   /* capacity */
    uint32_t fill;       /* bytes used, segment headers included; 0 = empty */
    int32_t gen;         /* generation that it belongs to */
    uint32_t first_isec; /* segment number of mem */
};

enum log_fit {
    LOG_FIT_OK,
    LOG_FIT_BUFFER_FULL, /* would fit into an empty buffer */
    LOG_FIT_FILE_FULL,   /* would run past last_isec, but fits into an empty file and buffer */
    LOG_FIT_TOO_LARGE,   /* never fits */
};

/* Empties the buffer and places it. */
void log_buffer_reset(struct log_buffer *buf, int32_t gen, uint32_t first_isec);

/* Would a record of `bytes` fit, in a file whose last data segment is last_isec? */
enum log_fit log_buffer_fit(const struct log_buffer *buf, size_t bytes, uint32_t last_isec);

/* Adds one record made of all parts; it must fit. Returns its position. */
struct lgpos log_buffer_add(struct log_buffer *buf, const struct iovec *parts, int n_parts);

/* Where the next record begins, unless it needs the next segment. */
struct lgpos log_buffer_tip(const struct log_buffer *buf);

/* Pads the last segment. Returns the number of segments used; nothing can be added after. */
uint32_t log_buffer_finish(struct log_buffer *buf);
