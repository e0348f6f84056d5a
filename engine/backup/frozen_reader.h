/* SPDX-License-Identifier: MIT */
/*
 * frozen_reader: bytes of a file of a frozen session, from descriptors alone.
 *
 * It needs no engine state, so that it can run in another process, and takes no lock that the
 * writer knows. A database page is read from the base file first; then its bit is looked at: set
 * means that the base may have been overwritten meanwhile, and that the old image stands in the
 * preimage file. The writer does it the other way round: preimage, bit (release), base.
 *
 * Shared bitmap (a memfd, mapped by both):
 *   off size
 *     0    4 state: 0 = the session is good, else the JET_ERR it ended with (written before the
 *            base changes in a way that no preimage covers, read after all data)
 *  4096      one bit per page: page n is bit n % 64 of the u64 at 4096 + n / 64 * 8 (host order)
 *
 * Preimage file: the old image of page n at n * page size; sparse.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include "esent.h"
#include "esentx.h"

#define FROZEN_BITS_AT 4096u

/* Bytes of the bitmap for pages up to pgno_last. */
static inline size_t
frozen_bitmap_bytes(uint32_t pgno_last)
{
    return FROZEN_BITS_AT + ((size_t)pgno_last / 64 + 1) * 8;
}

/*
 * Where the bytes of a file are. Whoever holds one owns what is in it: frozen_file_clear.
 *
 *   database   base, bitmap, preimage (none if base is a clone); head = both header images, tail =
 * the trailer page; a database without head is served as it lies in base log        base generated
 * head is the whole content
 */
struct frozen_file {
    uint32_t kind; /* JETX_file... */
    uint32_t page_bytes;
    uint32_t pgno_last;
    uint64_t size;                       /* of the stream */
    int base_fd, preimage_fd, bitmap_fd; /* -1 = none */
    GBytes *head, *tail;                 /* NULL = none */
};

#define FROZEN_FILE_NONE ((struct frozen_file) {.base_fd = -1, .preimage_fd = -1, .bitmap_fd = -1})

void frozen_file_clear(struct frozen_file *file);

struct frozen_reader;

/* Takes over what is in *file (also on errors), which is then none. JET_errOutOfMemory,
 * JET_errInvalidParameter (parts that do not fit together), os errors. */
JET_ERR frozen_reader_new(struct frozen_file *file, struct frozen_reader **out)
    __attribute__((warn_unused_result));
void frozen_reader_free(struct frozen_reader *reader); /* NULL is fine */

uint64_t frozen_reader_size(const struct frozen_reader *reader);

/*
 * cb bytes at offset ib, fewer only at the end (*actual; 0 behind it). Every page and log segment
 * of which a byte is given was verified; a flipped bit in a page is put right. Any thread.
 * JET_errReadVerifyFailure, JET_errReadPgnoVerifyFailure, JET_errLogReadVerifyFailure; the
 * session's end: JET_errBackupAbortByServer or what the owner said; JET_errDiskIO,
 * JET_errOutOfMemory. The content of buf is undefined then.
 */
JET_ERR frozen_reader_read(struct frozen_reader *reader, uint64_t ib, void *buf, size_t cb,
                           size_t *actual) __attribute__((warn_unused_result));

/* 0, or what the session ended with. */
JET_ERR frozen_reader_state(const struct frozen_reader *reader);

/* Pages of each of `cells` equal stretches of a database that were overwritten since the freeze
 * (esentx.h, JetxGetPreservedPages). JET_errInvalidParameter: no database, no cells. */
JET_ERR frozen_reader_preserved(const struct frozen_reader *reader, uint32_t cells, uint32_t *pages)
    __attribute__((warn_unused_result));
