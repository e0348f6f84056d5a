/* SPDX-License-Identifier: MIT */
/*
 * image: one database as it stood at the freeze, while the database goes on (frozen_reader.h reads
 * it).
 *
 * Either the file system cloned the base file at the freeze, or the old image of each page is put
 * aside before the page is overwritten for the first time.
 *
 *   image_prepare (slow, before) -> image_freeze (writer paused) -> image_save* -> image_close
 *                                                        image_kill, at any time, once
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backup/frozen_reader.h"
#include "backup/marks.h"
#include "cache/dbfile.h"
#include "esent.h"

struct os_file;

struct image {
    struct dbfile *file;
    uint32_t page_bytes;
    uint32_t pgno_last;     /* at the freeze */
    struct dbheader header; /* as stamped */
    GBytes *head, *tail;
    struct os_file *side; /* the clone, or the preimages */
    bool cloned;
    int base_fd, side_fd, bitmap_fd; /* read-only, for readers */
    uint8_t *map;                    /* the bitmap, writable */
    size_t map_bytes;
    uint64_t pages_saved;
    uint8_t *copy; /* room for one run of old images */
};

/* dir: where the side file goes, "" = beside the database. os errors, JET_errOutOfMemory. */
JET_ERR image_prepare(struct image *image, struct dbfile *file, const char *dir)
    __attribute__((warn_unused_result));

/*
 * The moment itself: no page write is in flight, the log was rolled and gen_high is its last closed
 * generation. bk: mark of the begin, gen_low, gen_high. time_high: tmCreate of gen_high.
 */
JET_ERR image_freeze(struct image *image, const struct bkinfo *bk, uint64_t time_high)
    __attribute__((warn_unused_result));

/*
 * Pages pgnos[n], ascending, are about to be overwritten: puts those aside that were there at the
 * freeze and are not yet. *bytes (added to) = what it took, on errors too. room = how many bytes it
 * may take: JET_errBackupAbortByServer beyond; os errors. Writer thread only.
 */
JET_ERR image_save(struct image *image, const uint32_t *pgnos, size_t n, uint64_t room,
                   uint64_t *bytes) __attribute__((warn_unused_result));

/* Readers get err from now on; the side file's space is given back. */
void image_kill(struct image *image, JET_ERR err);

/* Descriptors and head for one reader. JET_errOutOfFileHandles. */
JET_ERR image_open(const struct image *image, struct frozen_file *out)
    __attribute__((warn_unused_result));

void image_close(struct image *image);
