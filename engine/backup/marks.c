/* SPDX-License-Identifier: MIT */
#include "backup/marks.h"

#include <string.h>

#include "backup/trailer.h"

struct bkinfo
bkinfo_get(const void *in)
{
    const uint8_t *b = in;
    return (struct bkinfo) {lgpos_get(b + BKINFO_MARK), le64_get(b + BKINFO_TIME),
                            le32_get(b + BKINFO_GEN_LOW), le32_get(b + BKINFO_GEN_HIGH)};
}

void
bkinfo_put(void *out, const struct bkinfo *bk)
{
    uint8_t *b = out;
    lgpos_put(b + BKINFO_MARK, bk->mark);
    le64_put(b + BKINFO_TIME, bk->time);
    le32_put(b + BKINFO_GEN_LOW, bk->gen_low);
    le32_put(b + BKINFO_GEN_HIGH, bk->gen_high);
}

void
marks_header_image(const struct dbheader *live, const struct bkinfo *bk, uint8_t *image,
                   uint32_t page_bytes)
{
    struct dbheader header = *live;
    struct bkinfo open = *bk;
    open.gen_high = 0;
    bkinfo_put(&header.bytes[DBH_BK_FULL_CUR], &open);
    dbheader_encode(&header, image, page_bytes);
}

void
marks_trailer_image(const struct dbheader *live, const struct bkinfo *bk, uint8_t *image,
                    uint32_t page_bytes)
{
    struct trailer trailer;
    bkinfo_put(trailer.bkinfo, bk);
    memcpy(trailer.sign_db, &live->bytes[DBH_SIGN_DB], sizeof trailer.sign_db);
    memcpy(trailer.sign_log, &live->bytes[DBH_SIGN_LOG], sizeof trailer.sign_log);
    trailer_encode(&trailer, image, page_bytes);
}

bool
marks_is_backup(const struct dbheader *header)
{
    struct bkinfo bk = bkinfo_get(&header->bytes[DBH_BK_FULL_CUR]);
    return bk.gen_low != 0 && dbheader_u32(header, DBH_DBSTATE) != DBSTATE_CLEAN;
}
