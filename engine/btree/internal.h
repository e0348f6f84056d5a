/* SPDX-License-Identifier: MIT */
/*
 * internal: what the files of btree/ share, and the space layer's way to its own trees (raw.h).
 */
#pragma once

#include "btree/apply.h"
#include "btree/btree.h"
#include "btree/node.h"
#include "cache/cache.h"
#include "cache/dbfile.h"
#include "log/record.h"

#define BTREE_DEPTH_MAX 12

struct btree_db {
    struct dbfile *file;
    struct txn *txn;
    struct btree_space_ops space;
    GMutex lock;       /* guards trees, gone, and their refs */
    GHashTable *trees; /* FDP -> struct btree; all that were opened */
    GPtrArray *gone;   /* trees whose space was freed, kept until btree_db_free() */
};

struct btree {
    struct btree_db *db;
    uint32_t pgno_root; /* == pgno_fdp but for space trees */
    uint32_t pgno_fdp;
    uint32_t objid;
    bool unique;
    bool raw;        /* space tree: no versions, pages by raw_pages */
    bool fdp_unique; /* what records say: of the FDP, where a space tree itself is always unique */
    bool gone;       /* latch: its space was given back */
    GRWLock latch;
    struct version_map versions; /* latch */
    uint32_t refs;               /* db->lock */

    /* Space trees: where a split gets its page, and where an emptied page goes. */
    JET_ERR (*raw_page)(void *ctx, struct session *s, uint32_t *pgno);
    JET_ERR (*raw_free)(void *ctx, struct session *s, uint32_t pgno);
    void *raw_ctx;
};

/* Root to leaf: page, and the line taken there. */
struct path {
    int depth;
    struct {
        uint32_t pgno;
        uint16_t line;
    } at[BTREE_DEPTH_MAX];
};

/* A change of one entry, as the leaf operations and splits pass it on. */
struct change {
    uint8_t type; /* LR_INSERT, LR_FIARD, LR_REPLACE, ... */
    struct bookmark bm;
    struct span data; /* new data */
    uint16_t line;
    bool was_deleted;
    struct rce *rce;         /* first version, NULL = unversioned */
    struct rce *rce_replace; /* FIARD */
    uint32_t old_len;        /* Replace, FIARD: length of the data before */
    uint32_t size;           /* Insert, Replace, FIARD: size of the node after it */
    uint16_t offset;         /* Delta */
    int32_t delta;
};

/* ---- descend.c ---- */

/* Goes to the leaf for bm (NULL: leftmost; rightmost = true: rightmost). The leaf stays fixed. */
JET_ERR btree_descend(struct btree *t, const struct bookmark *bm, bool rightmost,
                      enum cache_latch latch, struct path *path, struct buf **leaf);

static inline struct bookmark
btree_bookmark(const struct btree *t, struct span key, struct span data)
{
    return (struct bookmark) {key, t->unique ? span_of(NULL, 0) : data};
}

/* Entry of a leaf as a bookmark; tmp[NODE_KEY_MAX]. */
struct bookmark btree_node_bookmark(const struct btree *t, const struct node *n, uint8_t *tmp);

/* ---- write.c: one logged change of one page ---- */

/* LRPAGE flags of the tree's records. */
uint8_t btree_record_flags(const struct btree *t);

/* Fills what all page records have; dbtime is drawn. */
void btree_fill_page(struct btree *t, struct session *s, struct buf *buf, struct lr *lr);
JET_ERR btree_log(struct btree *t, struct session *s, const struct lr *lr, struct lgpos *pos);
void btree_touch(struct btree *t, struct session *s, struct buf *buf, int64_t dbtime,
                 struct lgpos pos);

/* The record of a change, ready for btree_log(). */
void btree_change_record(struct btree *t, struct session *s, struct buf *buf,
                         const struct change *ch, struct lr *lr);

/* Applies it at line (which a split may have moved). */
JET_ERR btree_change_apply(struct page *page, uint16_t line, const struct change *ch);

/* Logs UndoInfo where the change needs one. */
JET_ERR btree_log_undo_info(struct btree *t, struct session *s, uint32_t pgno,
                            const struct change *ch, struct lgpos *pos);

/* The versions enter the map. */
void btree_change_versions(struct btree *t, struct session *s, const struct change *ch);

/* Frees versions that were not used. */
void btree_change_drop(struct change *ch);

/* Log, apply, versions. On error ch's RCEs are still the caller's. */
JET_ERR btree_change_leaf(struct btree *t, struct session *s, struct buf *leaf, struct change *ch);

/* Bytes the page can take more, without what rollbacks may need. */
uint32_t btree_page_room(struct btree *t, const struct page *page);

/* Size to count for a node: the largest it may grow back to. */
uint32_t btree_node_reserved(struct btree *t, const struct node *n);

/* ---- split.c ---- */

/*
 * The leaf at the end of path has no room for ch: splits it, or first a page above it. *done = ch
 * has been made too (its leaf is *pgno, *line), else descend again. Latches none before and after.
 * pgno_new has been got by the caller; *used tells whether it was consumed.
 */
JET_ERR btree_split(struct btree *t, struct session *s, const struct path *path, struct change *ch,
                    uint32_t pgno_new, bool *used, bool *done, uint32_t *pgno, uint16_t *line);

JET_ERR btree_get_page(struct btree *t, struct session *s, uint32_t near, uint32_t *pgno);
JET_ERR btree_free_page(struct btree *t, struct session *s, uint32_t pgno);

/* ---- merge.c ---- */

/*
 * Physically removes the node at line of the write-latched leaf at the end of path, which is given
 * back. With its last node a leaf leaves the tree, and so do pages above that become empty.
 */
JET_ERR btree_remove_node(struct btree *t, struct session *s, const struct path *path,
                          struct buf *leaf, const struct bookmark *bm, uint16_t line);

/* Removes the node of bm if it is deleted and has no versions; merges. Write latch held. */
JET_ERR btree_remove_dead(struct btree *t, struct session *s, const struct bookmark *bm);

/* ---- check.c ---- */
JET_ERR btree_check_locked(struct btree *t, void (*visit)(void *ctx, uint32_t pgno), void *ctx,
                           uint64_t *pages, uint64_t *entries);

/* ---- change.c ---- */

/* Insert under the write latch (space trees: under the space mutex). c may be NULL. */
JET_ERR btree_insert_locked(struct btree *t, struct session *s, struct btree_cursor *c,
                            struct span key, struct span data);

/* ---- undo.c ---- */
JET_ERR btree_undo(void *ctx, struct session *s, struct rce *rce);
JET_ERR btree_cleanup(void *ctx, struct session *s, struct rce *rce);

/* The physical inverse of a change, on its line (redo of Undo too). */
JET_ERR btree_undo_apply(struct page *page, uint16_t line, const struct rce *rce);

/* ---- db.c ---- */
void btree_ref(struct btree *t);
/* Its pages go back to the parent: nothing may be done with it any more. Takes the latch. */
void btree_set_gone(struct btree_db *db, uint32_t pgno_fdp);

static inline struct btree *
btree_of_map(struct version_map *map)
{
    return (struct btree *)((char *)map - offsetof(struct btree, versions));
}
