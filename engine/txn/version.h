/* SPDX-License-Identifier: MIT */
/*
 * version: the version store. One RCE (revision control entry) per versioned change of a node.
 *
 * Each tree has a map from bookmark (key, and data in non-unique trees) to the chain of its RCEs,
 * newest first. What a reader sees is the node on the page, taken back by every RCE it may not see.
 *
 * Invariants:
 *  1. Of all RCEs of a bookmark only those of one transaction are uncommitted, and they are the
 * newest (first writer wins).
 *  2. The map of a tree, and the links of its chains, are guarded by the tree's latch: changed
 * under the write latch, read under the read latch.
 *  3. The list of a session (trx_next) belongs to the session until commit, then to the cleanup
 * queue.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "esent.h"
#include "log/lgpos.h"

struct session;
struct trx;
struct txn;

enum rce_oper { /* values as in UndoInfo and Undo records */
                RCE_INSERT = 1,
                RCE_REPLACE = 2,
                RCE_FLAG_DELETE = 3,
                RCE_DELTA = 4,
                RCE_PURGE = 0x100, /* not a version: a node left dead by a rollback, for cleanup to
                                      delete */
};

struct bookmark {
    struct span key;
    struct span data; /* empty in unique trees */
};

/* The versions of one tree; embedded in struct btree. */
struct version_map {
    GHashTable
        *newest;    /* bookmark -> newest RCE (its own bookmark is the key); made with the first */
    bool unique;    /* bookmark = key alone */
    int64_t shrunk; /* sum over its RCEs: most that undo might need back on all pages */
    uint64_t count; /* RCEs in the map */
};

struct rce {
    struct bookmark bookmark; /* in bytes[]; first member */
    struct rce *older;        /* same bookmark */
    struct rce *trx_prev;     /* same transaction, made before */
    struct rce *trx_next;
    struct version_map *map; /* the tree it belongs to: owner is found from it; NULL: gone */
    struct trx *trx;
    bool in_map;
    uint32_t rceid;
    uint16_t oper; /* enum rce_oper */
    uint8_t level;
    uint16_t delta_offset; /* Delta */
    int32_t delta;         /* Delta: what was added */
    struct span before;    /* Replace: old data */
    uint32_t shrunk;       /* Replace: bytes by which the node became shorter; before adding */
    struct txn *txn;
    size_t size;     /* of this allocation */
    uint8_t bytes[]; /* key, bookmark data, before-image */
};

void version_map_init(struct version_map *map, bool unique);

/* The tree goes: versions that are left are cut off, queued purges of it are dropped. */
void version_map_clear(struct txn *txn, struct version_map *map);

/*
 * An RCE for a change that is about to be made, with a fresh rceid, not yet in any map. data is the
 * bookmark data (empty in unique trees). JET_errOutOfMemory, JET_errVersionStoreOutOfMemory.
 */
JET_ERR rce_new(struct session *s, enum rce_oper oper, struct span key, struct span data,
                struct span before, struct rce **out);

/* As rce_new with the rceid of a log record (redo). */
JET_ERR rce_new_redo(struct session *s, uint32_t rceid, enum rce_oper oper, struct span key,
                     struct span data, struct span before, struct rce **out);

/* For a change that was not made after all. NULL is fine. */
void rce_free(struct rce *rce);

/* The change is made: puts the RCE into the map and at the end of the session's list. Cannot fail:
 * Needs the tree's write latch. */
void version_add(struct version_map *map, struct session *s, struct rce *rce);

/* Redo: a version just added belongs to a lower level than the session's (its UndoInfo came late).
 */
void version_lower(struct rce *rce, struct session *s, uint8_t level);

/* Takes it out of the map (tree's write latch); the RCE itself stays. No harm if not in. */
void version_remove(struct rce *rce);

/* Takes it out of map and transaction, and frees it: its Undo has been redone. */
void version_discard(struct rce *rce);

/* Newest RCE of a bookmark, or NULL. Tree latch. */
struct rce *version_find(const struct version_map *map, struct span key, struct span data);

/* The RCE with this rceid under the bookmark, or NULL. Tree latch. */
struct rce *version_find_rceid(const struct version_map *map, struct span key, struct span data,
                               uint32_t rceid);

/* Is the change visible to the session: its own, or committed before its snapshot? May spin
 * briefly. */
bool rce_visible(const struct rce *rce, const struct session *s);

/* Is it committed at all? */
bool rce_committed(const struct rce *rce);

/* What the session sees of a node. */
struct version_view {
    bool exists;
    struct span data;         /* in the page, or in an RCE (valid under the latch) */
    const struct rce *deltas; /* not NULL: version_undo_deltas() must run over a copy of data */
};

/* newest = version_find(); deleted, data = the node as on the page. */
void version_view(const struct rce *newest, const struct session *s, bool deleted, struct span data,
                  struct version_view *view);

/* Takes Deltas the session may not see out of a copy of view->data. */
void version_undo_deltas(const struct version_view *view, const struct session *s, uint8_t *copy);

/* May the session change a bookmark whose newest RCE this is? 0 or JET_errWriteConflict. */
JET_ERR version_check_write(const struct rce *newest, const struct session *s);

/* The same for one more Delta: those of others are no conflict. */
JET_ERR version_check_delta(const struct rce *newest, const struct session *s);

/* Largest data size that an uncommitted RCE may have to bring back; 0 without one. */
uint32_t version_reserved(const struct rce *newest);

/*
 * A dead node without versions: left by a rollback, or by a crash before cleanup. Queues it for
 * cleanup. If the queue is long, or without memory, it is left for the next who passes by.
 */
void version_queue_purge(struct txn *txn, struct version_map *map, struct span key,
                         struct span data);
