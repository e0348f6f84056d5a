/* SPDX-License-Identifier: MIT */
/*
 * redo: recovery of the records of space: new trees and growth of the file.
 * Changes of OE and AE are ordinary node records (btree/redo.h).
 */
#pragma once

#include "btree/btree.h"
#include "esent.h"
#include "log/lgpos.h"

struct lr;

/* CreateMultipleExtentFDP, CreateSingleExtentFDP, ConvertFDP2. Errors as in btree/redo.h. */
JET_ERR space_redo_fdp(struct btree_db *db, struct session *s, const struct lr *lr,
                       struct lgpos at);

/* ExtendDB: the file has at least pgno_last pages. File errors. */
JET_ERR space_redo_extend(struct btree_db *db, const struct lr *lr);
