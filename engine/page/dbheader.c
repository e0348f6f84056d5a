/* SPDX-License-Identifier: MIT */
#include "page/dbheader.h"

#include <string.h>

#include "page/checksum.h"

#define FILETYPE_DATABASE 1u
#define DBTIME_START      0x40u

uint32_t
dbheader_page_bytes(const struct dbheader *h)
{
    uint32_t bytes = dbheader_u32(h, DBH_PAGE_BYTES);
    if (bytes == 0)
        return 4096;
    return bytes == 4096 || bytes == 8192 || bytes == 16384 || bytes == 32768 ? bytes : 0;
}

void
dbheader_init(struct dbheader *h, uint32_t page_bytes)
{
    memset(h, 0, sizeof *h);
    dbheader_set_u32(h, DBH_MAGIC, DBHEADER_MAGIC);
    dbheader_set_u32(h, DBH_VERSION, DBHEADER_VERSION);
    dbheader_set_u32(h, DBH_UPDATE_MAJOR, DBHEADER_UPDATE);
    dbheader_set_u32(h, DBH_CREATE_VERSION, DBHEADER_VERSION);
    dbheader_set_u32(h, DBH_CREATE_UPDATE, DBHEADER_UPDATE);
    dbheader_set_u32(h, DBH_PAGE_BYTES, page_bytes);
    dbheader_set_u32(h, DBH_DBID, 1);
    dbheader_set_u32(h, DBH_FILETYPE, FILETYPE_DATABASE);
    dbheader_set_u32(h, DBH_DBSTATE, DBSTATE_JUST_CREATED);
    dbheader_set_u64(h, DBH_DBTIME_DIRTIED, DBTIME_START);
    dbheader_set_u64(h, DBH_SORT_VERSION, UINT64_MAX);
    dbheader_set_u32(h, DBH_OS_MAJOR, 6);
    dbheader_set_u32(h, DBH_OS_MAJOR + 4, 2);
    dbheader_set_u32(h, DBH_OS_MAJOR + 8, 9200);
}

JET_ERR
dbheader_decode(const uint8_t *image, size_t len, struct dbheader *out)
{
    struct dbheader h;
    if (len < 4096)
        return JET_errDatabaseCorrupted;
    memcpy(h.bytes, image, sizeof h.bytes);
    uint32_t page_bytes = dbheader_page_bytes(&h);
    if (dbheader_u32(&h, DBH_MAGIC) != DBHEADER_MAGIC || page_bytes == 0)
        return checksum_is_zero(image, 4096) ? JET_errReadVerifyFailure : JET_errDatabaseCorrupted;
    if (page_bytes > len)
        return JET_errPageSizeMismatch;
    if (dbheader_u32(&h, DBH_CHECKSUM) != checksum_header(image, page_bytes))
        return JET_errReadVerifyFailure;
    uint32_t filetype = dbheader_u32(&h, DBH_FILETYPE);
    if (dbheader_u32(&h, DBH_ATTRIB) != 0 || (filetype != FILETYPE_DATABASE && filetype != 0))
        return JET_errFileInvalidType;
    if (dbheader_u32(&h, DBH_VERSION) != DBHEADER_VERSION ||
        dbheader_u32(&h, DBH_UPDATE_MAJOR) > DBHEADER_UPDATE_MAX)
        return JET_errInvalidDatabaseVersion;
    *out = h;
    return JET_errSuccess;
}

void
dbheader_encode(const struct dbheader *h, uint8_t *image, uint32_t page_bytes)
{
    memcpy(image, h->bytes, sizeof h->bytes);
    memset(image + sizeof h->bytes, 0, page_bytes - sizeof h->bytes);
    le32_put(image + DBH_CHECKSUM, checksum_header(image, page_bytes));
}

void
dbheader_set_clean(struct dbheader *h)
{
    dbheader_set_u32(h, DBH_DBSTATE, DBSTATE_CLEAN);
    dbheader_set_u32(h, DBH_GEN_MIN_REQUIRED, 0);
    dbheader_set_u32(h, DBH_GEN_MAX_REQUIRED, 0);
    dbheader_set_u32(h, DBH_GEN_MAX_COMMITTED, 0);
    dbheader_set_u64(h, DBH_TIME_GEN_MAX_CREATE, 0);
    if (dbheader_u32(h, DBH_UPDATE_MAJOR) > DBHEADER_UPDATE) {
        dbheader_set_u32(h, DBH_GEN_MIN_CONSISTENT, 0);
        dbheader_set_u64(h, DBH_TIME_GEN_MAX_REQUIRED, 0);
    }
}

void
dbheader_set_dirty(struct dbheader *h, int32_t gen_min, int32_t gen_max)
{
    dbheader_set_u32(h, DBH_DBSTATE, DBSTATE_DIRTY);
    dbheader_set_u32(h, DBH_GEN_MIN_REQUIRED, (uint32_t)gen_min);
    dbheader_set_u32(h, DBH_GEN_MAX_REQUIRED, (uint32_t)gen_max);
    dbheader_set_u32(h, DBH_GEN_MAX_COMMITTED, (uint32_t)gen_max);
    if (dbheader_u32(h, DBH_UPDATE_MAJOR) > DBHEADER_UPDATE)
        dbheader_set_u32(h, DBH_GEN_MIN_CONSISTENT, (uint32_t)gen_min);
}
