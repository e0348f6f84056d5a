/* SPDX-License-Identifier: MIT */
/*
 * version: the version store. One RCE (revision control entry) per versioned change of a node.
 *
 * Each tree has a map from bookmark (key, and data in non-unique trees) to the chain of its RCEs,
 * newest first. What a reader sees is the node on the page, taken back by every RCE it may not see.
 *
 * Invariants:
 *  1. Of all RCEs of a bookmark only those of one transaction are uncommitted, and they are the newest
 *     (first writer wins).
 *  2. The map of a tree, and the links of its chains, are guarded by the tree's latch: changed under
 *     the write latch, read under the read latch.
 *  3. The list of a session (trx_next) belongs to the session until commit, then to the cleanup queue.
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
    RCE_PURGE = 0x100, /* not a version: a node left dead by a rollback, for cleanup to delete */
};

struct version_chain; /* of one bookmark */

/* The versions of one tree; embedded in struct btree. */
struct version_map {
    GHashTable *chains; /* made with the first version */
    bool unique;        /* bookmark = key alone */
    int64_t replaced;   /* bytes that undo of Replaces might need back, over all RCEs: upper bound */
    uint64_t count;     /* RCEs in the map */
};

struct rce {
    struct rce *older;           /* same bookmark */
    struct rce *trx_prev;        /* same session, made before */
    struct rce *trx_next;
    struct version_chain *chain; /* NULL: no longer (RCE_PURGE: never) in the map */
    struct version_map *map;     /* the tree it belongs to: owner is found from it */
    struct trx *trx;
    uint32_t rceid;
    uint32_t pgno_hint;          /* leaf where the change was made */
    uint16_t oper;               /* enum rce_oper */
    uint8_t level;
    int16_t delta_cb;            /* Replace: new size - old size */
    uint16_t max_cb;             /* Replace: largest size of the node in this transaction so far */
    uint16_t delta_offset;       /* Delta */
    int32_t delta;               /* Delta: what was added */
    uint32_t key_cb, data_cb, before_cb;
    uint8_t bytes[];             /* key, bookmark data, before-image (Replace: old data) */
};

static inline struct span
rce_key(const struct rce *r)
{
    return span_of(r->bytes, r->key_cb);
}

static inline struct span
rce_data(const struct rce *r)
{
    return span_of(r->bytes + r->key_cb, r->data_cb);
}

static inline struct span
rce_before(const struct rce *r)
{
    return span_of(r->bytes + r->key_cb + r->data_cb, r->before_cb);
}

void version_map_init(struct version_map *map, bool unique);

/* The map must be empty. */
void version_map_clear(struct version_map *map);

/*
 * An RCE for a change that is about to be made, with a fresh rceid, not yet in any map. data is the bookmark
 * data (empty in unique trees). JET_errOutOfMemory, JET_errVersionStoreOutOfMemory.
 */
JET_ERR rce_new(struct session *s, enum rce_oper oper, struct span key, struct span data,
                struct span before, struct rce **out);

/* As rce_new with the rceid of a log record (redo). */
JET_ERR rce_new_redo(struct session *s, uint32_t rceid, enum rce_oper oper, struct span key,
                     struct span data, struct span before, struct rce **out);

/* For a change that was not made after all. NULL is fine. */
void rce_free(struct rce *rce);

/* The change is made: puts the RCE into the map and at the end of the session's list. Cannot fail:
 * memory was reserved by rce_new. Needs the tree's write latch. */
void version_add(struct version_map *map, struct session *s, struct rce *rce);

/* Takes it out of the map (tree's write latch) ; the RCE itself stays. */
void version_remove(struct rce *rce);

/* Newest RCE of a bookmark, or NULL. Tree latch. */
struct rce *version_find(const struct version_map *map, struct span key, struct span data);

/* The RCE with this rceid under the bookmark, or NULL. Tree latch. */
struct rce *version_find_rceid(const struct version_map *map, struct span key, struct span data,
                               uint32_t rceid);

/* Is the change visible to the session: its own, or committed before its snapshot? May spin briefly. */
bool rce_visible(const struct rce *rce, const struct session *s);

/* Is it committed at all? */
bool rce_committed(const struct rce *rce);

/* What the session sees of a node. */
struct version_view {
    bool exists;
    struct span data;       /* where: in the page, or in an RCE (valid under the latch) */
    int64_t delta;          /* always 0 but for Delta versions: subtract at delta_offset */
    uint16_t delta_offset;
    bool delta_seen;
};

/* newest = version_find(); deleted, data = the node as on the page. */
void version_view(const struct rce *newest, const struct session *s, bool deleted, struct span data,
                  struct version_view *view);

/* May the session change a bookmark whose newest RCE this is? 0 or JET_errWriteConflict. */
JET_ERR version_check_write(const struct rce *newest, const struct session *s);

/* Largest data size that an uncommitted RCE may have to bring back; 0 without one. */
uint32_t version_reserved(const struct rce *newest);

/* A node that a rollback left dead: queue it for cleanup. Best effort without memory. */
void version_queue_purge(struct txn *txn, struct version_map *map, struct span key,
                         struct span data, uint32_t pgno_hint);
