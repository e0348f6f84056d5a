/* SPDX-License-Identifier: MIT */
/*
 * btree: B+ trees of one database: open, seek, walk, insert, replace, delete, under snapshots.
 *
 * A tree is known by its root page (FDP). Unique trees are ordered by key, others by key, then
 * data. The bookmark of an entry is its key, and in non-unique trees also its data.
 *
 * Locks, in order: tree latch (GRWLock per tree; writers exclusive), the database's space mutex,
 * page latches root to leaf, left to right. No latch is held between two calls: a cursor keeps a
 * copy of its record, its bookmark, and (leaf, dbtime, line) so that an unchanged leaf needs no
 * descent.
 *
 * Every change of a page: write latch, dbtime, log record, apply (btree/apply.h), buf_dirty. When
 * the log record cannot be appended the page is as before.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "esent.h"
#include "log/lgpos.h"
#include "txn/session.h"
#include "txn/version.h"

struct btree;
struct btree_cursor;
struct btree_db;
struct cache;
struct dbfile;

/* Pages come from, and go back to, the layer above: the space upcall. */
struct btree_space_ops {
    /* n pages for tree t (its write latch is held; no page latch is). near = a page of the tree.
     * All or none. JET_errOutOfDatabaseSpace, JET_errDiskFull, log and cache errors. */
    JET_ERR(*get_pages)
    (void *ctx, struct session *s, struct btree *t, uint32_t near, uint32_t n, uint32_t *pgnos);
    /* A page of t that no tree reaches any more. */
    JET_ERR (*free_page)(void *ctx, struct session *s, struct btree *t, uint32_t pgno);
    void *ctx;
};

/* ---- a database, as trees see it. Made by space_attach(), not directly. ---- */

JET_ERR btree_db_new(struct dbfile *file, struct txn *txn, struct btree_db **out);
/* No tree may be open; versions must be gone (txn_cleanup). NULL is fine. */
void btree_db_free(struct btree_db *db);
void btree_db_set_space(struct btree_db *db, const struct btree_space_ops *ops);
struct dbfile *btree_db_file(const struct btree_db *db);
struct txn *btree_db_txn(const struct btree_db *db);

/* The undo and cleanup upcalls for txn_new(). */
struct txn_ops btree_txn_ops(void);

/* ---- trees ---- */

/*
 * The tree at this root; one object per tree and database, counted. Reads the root.
 * JET_errDatabaseCorrupted: not a root page; cache errors; JET_errOutOfMemory.
 */
JET_ERR btree_open(struct btree_db *db, uint32_t pgno_fdp, struct btree **out);

/* The same without reading the page: what the caller knows (a tree just made, redo). */
JET_ERR btree_open_known(struct btree_db *db, uint32_t pgno_fdp, uint32_t objid, bool unique,
                         struct btree **out);

void btree_close(struct btree *t); /* NULL is fine */

uint32_t btree_pgno_fdp(const struct btree *t);
uint32_t btree_objid(const struct btree *t);
bool btree_is_unique(const struct btree *t);
struct btree_db *btree_of_db(const struct btree *t);

/* ---- cursors ---- */

/* JET_errOutOfMemory. The tree stays open as long as the cursor. One thread at a time. */
JET_ERR btree_cursor_open(struct session *s, struct btree *t, struct btree_cursor **out);
void btree_cursor_close(struct btree_cursor *c); /* NULL is fine */
struct btree *btree_cursor_tree(const struct btree_cursor *c);

enum btree_seek { BTREE_EQ, BTREE_GE, BTREE_GT, BTREE_LE, BTREE_LT };

/*
 * Positions on an entry visible to the session, by key alone: EQ, GE the first such entry, GT the
 * first after all entries of the key, LE the last entry of the key or before, LT the last before
 * the key. JET_errRecordNotFound: none; the cursor is then between entries, where next and prev go
 * on from. Cache errors: the cursor has no position.
 */
JET_ERR btree_seek(struct btree_cursor *c, struct span key, enum btree_seek how);

/* The same by whole bookmark (key, data); in unique trees data is ignored. */
JET_ERR btree_seek_bookmark(struct btree_cursor *c, struct span key, struct span data,
                            enum btree_seek how);

/* JET_errRecordNotFound: empty. */
JET_ERR btree_first(struct btree_cursor *c);
JET_ERR btree_last(struct btree_cursor *c);

/* JET_errNoCurrentRecord: past the end; the cursor stands before the first / after the last then.
 */
JET_ERR btree_next(struct btree_cursor *c);
JET_ERR btree_prev(struct btree_cursor *c);

/* Is the cursor on an entry? */
bool btree_cursor_on_entry(const struct btree_cursor *c);

/* Before the first / after the last entry, as after btree_prev / btree_next failed. */
void btree_cursor_set_before_first(struct btree_cursor *c);
void btree_cursor_set_after_last(struct btree_cursor *c);

/* Copies of the entry as it was when the cursor got there (valid until the next call on the
 * cursor). */
struct span btree_cursor_key(const struct btree_cursor *c);
struct span btree_cursor_data(const struct btree_cursor *c);

/*
 * Reads the entry again as the session sees it now (own changes by other cursors).
 * JET_errNoCurrentRecord: not on an entry. JET_errRecordDeleted: it is gone; the position stays.
 */
JET_ERR btree_refresh(struct btree_cursor *c);

/* ---- changes: the session is in a transaction, else JET_errNotInTransaction ---- */

/*
 * data must not be empty; key + data must fit a page (btree_entry_max()): JET_errRecordTooBig.
 * JET_errKeyDuplicate, JET_errWriteConflict, JET_errVersionStoreOutOfMemory, space, log and cache
 * errors. The cursor is on the new entry after success, unchanged otherwise.
 */
JET_ERR btree_insert(struct btree_cursor *c, struct span key, struct span data);

/* New data for the current entry (unique trees only: in others data is part of the order).
 * JET_errNoCurrentRecord, JET_errRecordDeleted, JET_errWriteConflict, JET_errRecordTooBig, and as
 * insert. */
JET_ERR btree_replace(struct btree_cursor *c, struct span data);

/* Flags the entry deleted. The cursor keeps the position: next and prev go on from there. */
JET_ERR btree_delete(struct btree_cursor *c);

/* Takes the write intent only: fails now if replace would (JetGetLock, JetPrepareUpdate with lock).
 * It is a Replace by the same data. */
JET_ERR btree_lock(struct btree_cursor *c);

/* Would a change of the current entry conflict now? Takes and logs nothing, so a later change may
 * still fail. JET_errNoCurrentRecord, JET_errWriteConflict. */
JET_ERR btree_check_write(struct btree_cursor *c);

/*
 * Adds delta to the 32-bit counter at offset of the entry's data without conflict with other
 * adders; *old (may be NULL) = value before, with uncommitted changes of others. Escrow columns, LV
 * refcounts. JET_errWriteConflict: another session has replaced or deleted it.
 */
JET_ERR btree_delta(struct btree_cursor *c, uint16_t offset, int32_t delta, int32_t *old);

/* Largest key + data of an entry, bytes. */
uint32_t btree_entry_max(const struct btree_db *db);

/* Entries visible to the session, from the first one; stops counting at max (0 = no limit). */
JET_ERR btree_count(struct session *s, struct btree *t, uint64_t max, uint64_t *count);

/* Physically deletes dead nodes without versions in the whole tree, and frees empty pages: what a
 * crash left behind. The session must be in a transaction. */
JET_ERR btree_purge(struct session *s, struct btree *t);

/* Walks the whole tree: order, bounds, links, depth, objid, flags. JET_errDatabaseCorrupted.
 * *pages, *entries (may be NULL) = what was seen. Calls visit (may be NULL) for each page. */
JET_ERR btree_check(struct btree *t, void (*visit)(void *ctx, uint32_t pgno), void *ctx,
                    uint64_t *pages, uint64_t *entries);
