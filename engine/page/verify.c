/* SPDX-License-Identifier: MIT */
/* verify: checksums of a whole page, old and new form; declared in page/page.h. */
#include "page/page.h"

#include "page/checksum.h"

#define LARGE_BLOCKS     4
#define BLOCK_SUMS       40 /* of blocks 1.. in the header of a large page */
#define OFF_FLAGS        36
#define OFF_PGNO         64
#define FLUSH_TYPE_FIRST 0x8000

/* Checks one block against the sum stored at `stored`, repairing it if one bit explains it all. */
static bool
verify_block(uint8_t *block, size_t len, uint32_t pgno, const uint8_t *stored, bool first,
             bool *repaired)
{
    uint64_t want = le64_get(stored);
    uint64_t have = checksum_block(block, len, pgno, first);
    if (want == have)
        return true;
    if (!checksum_repair(block, len, want, have))
        return false;
    *repaired = true;
    return checksum_block(block, len, pgno, first) == le64_get(stored);
}

static bool
verify_new(uint8_t *data, uint32_t size, uint32_t pgno, bool *repaired)
{
    if (!page_is_large(size))
        return verify_block(data, size, pgno, data, true, repaired);
    size_t len = size / LARGE_BLOCKS;
    /* Block 0 first: it holds the sums of the others. */
    if (!verify_block(data, len, pgno, data, true, repaired))
        return false;
    for (uint32_t i = 1; i < LARGE_BLOCKS; i++) {
        if (!verify_block(data + i * len, len, pgno, data + BLOCK_SUMS + 8 * (i - 1), false,
                          repaired))
            return false;
    }
    return true;
}

static bool
verify_old(const uint8_t *data, uint32_t size, uint32_t pgno)
{
    return le32_get(data + 4) == pgno && checksum_header(data, size) == le32_get(data);
}

JET_ERR
page_verify(void *data, uint32_t size, uint32_t pgno, bool *repaired)
{
    bool fixed = false;
    if (repaired)
        *repaired = false;
    if (checksum_is_zero(data, size))
        return JET_errPageNotInitialized;
    uint8_t *bytes = data;
    bool new_form = (le32_get(bytes + OFF_FLAGS) & PAGE_FLAG_NEW_CHECKSUM) != 0;
    bool good = new_form ? verify_new(bytes, size, pgno, &fixed) : verify_old(bytes, size, pgno);
    if (!good && page_is_large(size) && le32_get(bytes + OFF_PGNO) != pgno) {
        uint32_t other = le32_get(bytes + OFF_PGNO);
        uint64_t have = checksum_block(bytes, size / LARGE_BLOCKS, other, true);
        if (have == le64_get(bytes))
            return JET_errReadPgnoVerifyFailure;
    }
    if (!good)
        return JET_errReadVerifyFailure;
    if (page_is_large(size) && le32_get(bytes + OFF_PGNO) != pgno)
        return JET_errReadPgnoVerifyFailure;
    if (repaired)
        *repaired = fixed;
    return JET_errSuccess;
}

void
page_stamp(void *data, uint32_t size, uint32_t pgno)
{
    uint8_t *bytes = data;
    uint32_t flags = le32_get(bytes + OFF_FLAGS);
    uint32_t type = (flags & PAGE_FLAG_FLUSH_TYPE) / FLUSH_TYPE_FIRST % 3 + 1;
    flags = (flags & ~(uint32_t)PAGE_FLAG_FLUSH_TYPE) | type * FLUSH_TYPE_FIRST;
    le32_put(bytes + OFF_FLAGS, flags | PAGE_FLAG_NEW_CHECKSUM);
    size_t len = size;
    if (page_is_large(size)) {
        le32_put(bytes + OFF_PGNO, pgno);
        len = size / LARGE_BLOCKS;
        for (uint32_t i = 1; i < LARGE_BLOCKS; i++)
            le64_put(bytes + BLOCK_SUMS + 8 * (i - 1),
                     checksum_block(bytes + i * len, len, pgno, false));
    }
    le64_put(bytes, checksum_block(bytes, len, pgno, true));
}
