/* SPDX-License-Identifier: MIT */
/*
 * redo: the entry points of recovery for records on nodes, splits, merges and empty trees.
 *
 * The driver has decided that the record is to be redone (database attached, transaction known),
 * has moved the session's levels, and raises dbtime_last. Here the page rule is applied (log
 * format 3.4), the change is made by the same functions as at do-time (btree/apply.h), and versions
 * are rebuilt.
 *
 * All: JET_errDbTimeTooOld, JET_errDbTimeTooNew (page rule), JET_errLogFileCorrupt (record does not
 * fit the page), cache errors, JET_errOutOfMemory.
 */
#pragma once

#include "btree/btree.h"
#include "esent.h"
#include "log/lgpos.h"

struct lr;

/*
 * Insert, FlagInsert, FIARD, FlagDelete, Replace, ReplaceD, Delete, Delta, SetExternalHeader,
 * UndoInfo, Undo: one record outside a macro. s = the redo session of its procid.
 */
JET_ERR btree_redo_node(struct btree_db *db, struct session *s, const struct lr *lr,
                        struct lgpos at);

/*
 * A whole macro at its MacroCommit: its Split2 or Merge2 records, root side first, and the leaf
 * operation, decoded from copies that stay valid. at = position of the MacroCommit.
 * JET_errDatabaseBufferDependenciesCorrupted: a before-image is needed and not there.
 */
JET_ERR btree_redo_macro(struct btree_db *db, struct session *s, const struct lr *lrs, size_t n,
                         struct lgpos at);

/* EmptyTree. */
JET_ERR btree_redo_empty_tree(struct btree_db *db, struct session *s, const struct lr *lr,
                              struct lgpos at);

/*
 * The page rule for one page: latches it for writing if the record's change is still to be made,
 * else *buf = NULL. dbtime_before LR_DBTIME_NIL: not compared. For other redo code (space,
 * recovery).
 */
struct buf;
JET_ERR btree_redo_fix(struct btree_db *db, uint32_t pgno, int64_t dbtime, int64_t dbtime_before,
                       struct buf **buf);
/* A page the record makes from nothing: zeroed and write-latched, or *buf = NULL when the file
 * already has it as new or newer. */
JET_ERR btree_redo_fix_new(struct btree_db *db, uint32_t pgno, int64_t dbtime, struct buf **buf);
