/* SPDX-License-Identifier: MIT */
/*
 * space: who owns which page.
 *
 * Each tree (FDP) has an OE tree (owned extents) and an AE tree (available extents); keys are the
 * extent's last page, big-endian, data its length (edb format, 4). Trees get extents from their
 * parent, pgno 1 gets them from the file, which grows. owned = used + available + owned by
 * children, disjoint.
 *
 * Changes of OE and AE are ordinary unversioned records with the space flag inside the session's
 * transaction, and are not rolled back: a crash between taking and using a page leaks it, never
 * more. A page is taken from one place before it is entered at the next.
 *
 * A space tree that must split takes its new page from the extent that is being entered, or from
 * another entry of AE: shrinking an entry never needs room. So split buffers stay 16 zero bytes.
 *
 * Lock: one space mutex per database guards all OE and AE trees; taken after a tree's latch, before
 * page latches.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "btree/btree.h"
#include "esent.h"

#define SPACE_FDP_SYSTEM 1u /* the database root */

/* Opens a database for trees: btree_db_new() with the space upcall in place. Writes nothing.
 * extend_pages = JET_paramDbExtensionSize (0 = 256). JET_errOutOfMemory. */
JET_ERR space_attach(struct dbfile *file, struct txn *txn, uint32_t extend_pages,
                     struct btree_db **out);
void space_detach(struct btree_db *db); /* NULL is fine; as btree_db_free */

/* A new database: ExtendDB to pgno_last (>= 34 with our catalog; 254 usual), then the root, its OE
 * (2) and AE (3). In a transaction of the session. Log, cache and file errors. */
JET_ERR space_create_database_root(struct session *s, struct btree_db *db, uint32_t pgno_last);

struct space_tree_spec {
    uint32_t pgno_parent; /* 1 for tables; the table's FDP for its indexes and LV tree */
    uint32_t objid;
    uint32_t pages; /* initial extent incl. root, OE, AE; < 3 counts as 3 */
    uint32_t
        page_flags; /* PAGE_FLAG_INDEX (0x40), _LONG_VALUE (0x80), _NON_UNIQUE (0x400); 0 = table */
};

/*
 * A new, empty tree with its space (CreateMultipleExtentFDP); freed again if the level rolls back.
 * The first fitting extent is taken: on a new database 4, 24 from the root and 7, 10 from 4 come
 * out as ESE's. JET_errNotInTransaction, JET_errOutOfDatabaseSpace, JET_errDiskFull, log and cache
 * errors.
 */
JET_ERR space_create_tree(struct session *s, struct btree_db *db,
                          const struct space_tree_spec *spec, uint32_t *pgno_fdp);

/* Gives the whole tree, all it owns, back to its parent once the transaction has committed and no
 * snapshot is older. No cursor may be opened on it afterwards. */
JET_ERR space_delete_tree(struct session *s, struct btree_db *db, uint32_t pgno_fdp);

/* Last page the database owns: highest key of pgno 1's OE. */
JET_ERR space_pgno_last(struct btree_db *db, uint32_t *pgno_last);

/* Pages owned by, and available in, a tree (JetGetTableInfo space). */
JET_ERR space_info(struct btree_db *db, uint32_t pgno_fdp, uint32_t *owned, uint32_t *available);

/* Checks one tree's space: AE in OE, no overlap, used pages owned and not available.
 * JET_errDatabaseCorrupted. *leaked (may be NULL) = owned pages that are neither used, available
 * nor within `children` (sorted FDPs of the trees below it). */
JET_ERR space_check(struct btree_db *db, uint32_t pgno_fdp, const uint32_t *children,
                    uint32_t n_children, uint64_t *leaked);
