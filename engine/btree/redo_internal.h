/* SPDX-License-Identifier: MIT */
/*
 * redo_internal: what redo of single records and of macros share.
 */
#pragma once

#include "btree/internal.h"
#include "btree/raw.h"
#include "btree/redo.h"

/* The tree of a node record, write-latched, and its end. Space trees have no versions and no latch.
 */
JET_ERR btree_redo_enter(struct btree_db *db, const struct lr *lr, struct btree **t);
void btree_redo_leave(struct btree *t);

/* The version with this rceid, made if it is not there. NULL: not versioned, or *err. */
struct rce *btree_redo_version(struct btree *t, struct session *s, const struct lr *lr,
                               uint32_t rceid, enum rce_oper oper, struct bookmark bm,
                               struct span before, JET_ERR *err);
JET_ERR btree_redo_versions_always(struct btree *t, struct session *s, const struct lr *lr);
JET_ERR btree_redo_versions_page(struct btree *t, struct session *s, const struct lr *lr,
                                 const struct page *page, uint16_t line);
JET_ERR btree_redo_insert_key(const struct lr *lr, uint8_t *tmp, struct span *key);

/* The change of a node record on its line. */
JET_ERR btree_redo_apply(struct page *page, uint16_t line, const struct lr *lr);
