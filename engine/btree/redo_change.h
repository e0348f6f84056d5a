/* SPDX-License-Identifier: MIT */
/* redo_change: what redo.c and redo_macro.c share. */
#pragma once

#include "btree/internal.h"

struct buf;

/*
 * One node record at a line of its page: rebuilds its versions, then changes the page. page NULL: the
 * page needs no redo; only versions are made.
 */
JET_ERR btree_redo_change(struct btree_db *db, struct session *s, const struct lr *lr,
                          struct page *page, uint16_t line);

/* The page now has the state of dbtime, from the record at `at`. */
void btree_redo_touch(struct buf *buf, struct session *s, int64_t dbtime, struct lgpos at);

/* Whole key of an Insert. JET_errLogFileCorrupt: longer than a key can be. */
JET_ERR btree_redo_insert_key(const struct lr *lr, uint8_t tmp[NODE_KEY_MAX], struct span *key);

/*
 * Merge2 of types 2 and 3: nodes of page from iline_merge on go before the first of right. A dead node
 * that nobody needed was left behind at do-time; the sizes in the record tell.
 */
JET_ERR btree_redo_move_right(struct page *page, struct page *right, const struct lr *lr);

/* What stays on the page of a partial merge. */
JET_ERR btree_redo_moved_away(struct page *page, const struct lr *lr);
