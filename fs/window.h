/* SPDX-License-Identifier: MIT */
/*
 * The read-ahead window of one open file: aligned blocks of 1 MiB, read by workers ahead of a
 * reader that goes forward, so that the source's reads and checksums run while the kernel copies
 * out the block before.
 *
 *        gone by      pinned by replies        being read by workers
 *   |.............|  k-1  |  k (reader)  |   k+1   |   k+2   |
 *
 * 1. A reader is sequential while its requests land within 4 MiB of the furthest byte it asked for:
 *    the kernel keeps several requests in flight and they overtake each other. Anything else is
 * read straight from the source, exactly the range asked for.
 * 2. Requests smaller than a block are answered from the block (tar reads 10 KiB at a time).
 * 3. A block is read once, by one thread; others that need it wait for it. It is not reused while
 * an answer points into it.
 * 4. A block that could not be read is not kept: the request is then read straight from the source,
 *    so that bytes before a bad page are still served and the error is that of the range asked for.
 */
#pragma once

#include "esent.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define WINDOW_BLOCK_BYTES (1u << 20)

/* Reads `len` bytes at `off` of the source into `buf`, all of them or an error. Called by any
 * thread. */
struct window_source {
    JET_ERR (*read)(void *ctx, uint64_t off, void *buf, uint32_t len);
    void *ctx;
    uint64_t size; /* of the file, bytes */
};

/* Threads that read ahead, shared by all windows of a mount. */
struct window_workers;
struct window_workers *window_workers_new(int n_threads);

/* Waits for what the workers still read. All windows must be closed before. */
void window_workers_free(struct window_workers *workers);

struct window;

/* A window over `source`. `workers` may be NULL: nothing is then read ahead. Free: window_close().
 */
struct window *window_open(struct window_workers *workers, const struct window_source *source);

/* Ends the window; waits for blocks that are just being read. No answer may be outstanding. */
void window_close(struct window *w);

/* An answer that points into blocks, or into memory of its own. */
struct window_answer {
    struct iovec iov[3];
    int n_iov;
    size_t bytes;
    unsigned pinned[3]; /* slots held until window_release() */
    int n_pinned;
    void *copy;
};

/*
 * Reads `len` bytes at `off`, fewer only at the end of the file. `len` at most WINDOW_BLOCK_BYTES.
 * On success the caller passes the answer to window_release() when its bytes were sent.
 * JET_errOutOfMemory or the source's error leave the answer empty, with nothing to release.
 */
JET_ERR window_read(struct window *w, uint64_t off, size_t len, struct window_answer *answer);
void window_release(struct window *w, struct window_answer *answer);
