/* SPDX-License-Identifier: MIT */
/*
 * marks: what a backup writes into the header of a copy.
 *
 * The stream of a database is [header image][the same][pages 1..pgnoLast][trailer] (trailer.h), as
 * JetReadFile gives it (backup API, section 3). A copy that was not yet restored has
 * bkinfoFullCur.genLow != 0 and genHigh == 0.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esent.h"
#include "log/lgpos.h"
#include "page/dbheader.h"

struct bkinfo {
    struct lgpos mark;
    uint64_t time; /* LOGTIME */
    uint32_t gen_low;
    uint32_t gen_high;
};

struct bkinfo bkinfo_get(const void *in);
void bkinfo_put(void *out, const struct bkinfo *bk);

/* The trailer page of a copy of the database with this header. page_bytes at image. */
void marks_trailer_image(const struct dbheader *live, const struct bkinfo *bk, uint8_t *image,
                         uint32_t page_bytes);

/* The header as a copy carries it: live with bkinfoFullCur = bk, genHigh 0. page_bytes at image. */
void marks_header_image(const struct dbheader *live, const struct bkinfo *bk, uint8_t *image,
                        uint32_t page_bytes);

/* Is it a streamed copy that has not been restored? */
bool marks_is_backup(const struct dbheader *header);
