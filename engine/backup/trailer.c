/* SPDX-License-Identifier: MIT */
#include "backup/trailer.h"

#include <string.h>

#include "base/bytes.h"
#include "page/checksum.h"

enum { TRAILER_BKINFO = 40, TRAILER_SIGN_DB = 64, TRAILER_SIGN_LOG = 92 };

void
trailer_encode(const struct trailer *trailer, uint8_t *page, uint32_t page_bytes)
{
    memset(page, 0, page_bytes);
    memcpy(page + TRAILER_BKINFO, trailer->bkinfo, sizeof(trailer->bkinfo));
    memcpy(page + TRAILER_SIGN_DB, trailer->sign_db, sizeof(trailer->sign_db));
    memcpy(page + TRAILER_SIGN_LOG, trailer->sign_log, sizeof(trailer->sign_log));
    le32_put(page, checksum_header(page, page_bytes));
}

JET_ERR
trailer_decode(const uint8_t *page, uint32_t page_bytes, struct trailer *trailer)
{
    if (le32_get(page) != checksum_header(page, page_bytes) ||
        checksum_is_zero(page + TRAILER_SIGN_DB, 24))
        return JET_errBadPatchPage;
    memcpy(trailer->bkinfo, page + TRAILER_BKINFO, sizeof(trailer->bkinfo));
    memcpy(trailer->sign_db, page + TRAILER_SIGN_DB, sizeof(trailer->sign_db));
    memcpy(trailer->sign_log, page + TRAILER_SIGN_LOG, sizeof(trailer->sign_log));
    return JET_errSuccess;
}
