/* SPDX-License-Identifier: MIT */
/*
 * trailer: the page behind the last page of a backed up database (PATCHHDR; backup API, 0.3).
 *
 *   off size                               off size
 *     0    4 checksum, as of a header       92   28 signLog
 *     4   36 zero                          120    4 lgenMinReq          (zero in our format)
 *    40   24 bkinfo                        124    4 lgenMaxReq          (zero)
 *    64   28 signDb                        128    4 lgenMaxCommitted    (zero)
 *                                          132   16 their times         (zero)
 *
 * bkinfo = mark and time of the beginning, genLow = first log needed, genHigh = generation that was
 * current when the last page was read: the copy is whole with the logs genLow .. genHigh.
 */
#pragma once

#include <stdint.h>

#include "esent.h"
#include "page/dbheader.h"

struct trailer {
    uint8_t bkinfo[DBHEADER_BKINFO_BYTES];
    uint8_t sign_db[DBHEADER_SIGNATURE_BYTES];
    uint8_t sign_log[DBHEADER_SIGNATURE_BYTES];
};

/* The page image with its checksum. */
void trailer_encode(const struct trailer *trailer, uint8_t *page, uint32_t page_bytes);

/* JET_errBadPatchPage: the checksum does not hold. */
JET_ERR trailer_decode(const uint8_t *page, uint32_t page_bytes, struct trailer *trailer)
    __attribute__((warn_unused_result));
