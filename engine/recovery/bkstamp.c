/* SPDX-License-Identifier: MIT */
/*
 * bkstamp:
 *
 *   full           FullPrev; IncPrev, DiffPrev, SnapshotCur zeroed
 *   copy           CopyPrev
 *   incremental    IncPrev; SnapshotCur zeroed
 *   differential   DiffPrev
 */
#include "recovery/bkstamp.h"

#include <string.h>

#include "log/lgpos.h"

static void
set_slot(struct dbheader *header, enum dbheader_field slot, enum dbheader_field type,
         const struct backup_stamp *stamp)
{
    struct lgpos present = lgpos_get(&header->bytes[slot + BKINFO_MARK]);
    if (lgpos_cmp(present, lgpos_get(&stamp->bkinfo[BKINFO_MARK])) > 0)
        return;
    memcpy(&header->bytes[slot], stamp->bkinfo, sizeof stamp->bkinfo);
    dbheader_set_u32(header, type,
                     stamp->type == BACKUP_TYPE_STREAMING ? BACKUP_TYPE_STREAMING
                                                          : BACKUP_TYPE_OS_SNAPSHOT);
}

static void
clear_slot(struct dbheader *header, enum dbheader_field slot)
{
    memset(&header->bytes[slot], 0, DBHEADER_BKINFO_BYTES);
}

void
backup_stamp_header(struct dbheader *header, void *ctx)
{
    const struct backup_stamp *stamp = ctx;
    switch (stamp->scope) {
    case SCOPE_FULL:
        set_slot(header, DBH_BK_FULL_PREV, DBH_BK_FULL_TYPE, stamp);
        clear_slot(header, DBH_BK_INC_PREV);
        clear_slot(header, DBH_BK_DIFF_PREV);
        clear_slot(header, DBH_BK_SNAPSHOT_CUR);
        break;
    case SCOPE_COPY:
        set_slot(header, DBH_BK_COPY_PREV, DBH_BK_COPY_TYPE, stamp);
        break;
    case SCOPE_INCREMENTAL:
        set_slot(header, DBH_BK_INC_PREV, DBH_BK_INC_TYPE, stamp);
        clear_slot(header, DBH_BK_SNAPSHOT_CUR);
        break;
    case SCOPE_DIFFERENTIAL:
        set_slot(header, DBH_BK_DIFF_PREV, DBH_BK_DIFF_TYPE, stamp);
        break;
    default:
        break;
    }
}
