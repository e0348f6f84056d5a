/* SPDX-License-Identifier: MIT */
/*
 * split: what a split is going to do (split_plan.c), before it does it (split.c).
 */
#pragma once

#include "btree/internal.h"

struct split_plan {
    uint32_t pgno, pgno_new, pgno_right, pgno_parent;
    uint16_t line_parent;
    uint8_t type;
    uint8_t oper;        /* LR_SPLITOPER_... of ch */
    uint16_t line_split; /* with the inserted line counted */
    uint16_t lines;      /* likewise */
    uint32_t flags, flags_new;
    struct span separator;
    uint8_t separator_bytes[NODE_KEY_MAX];
};

/*
 * Plans the split of the page at level of the path. *ch stays if a half has room for the change,
 * else it becomes NULL: the page is only split. *parent_full = the parent has no room for the
 * separator, and must be split first. Latches nothing afterwards. JET_errRecordTooBig: a page of
 * one entry.
 */
JET_ERR btree_split_plan(struct btree *t, const struct path *path, int level,
                         const struct change **ch, struct split_plan *p, bool *parent_full);
