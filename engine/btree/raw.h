/* SPDX-License-Identifier: MIT */
/*
 * raw: the space layer's way to its own trees, OE and AE: no versions, no latch (the space mutex
 * guards them), pages for splits from, and emptied pages to, callbacks of the space layer.
 */
#pragma once

#include "btree/btree.h"

struct btree_raw_pages {
    /* A page for a split. Called while nothing of the tree is latched; may change the same tree. */
    JET_ERR (*get)(void *ctx, struct session *s, uint32_t *pgno);
    /* A page that the tree no longer uses, or did not need. The same holds. */
    JET_ERR (*put)(void *ctx, struct session *s, uint32_t pgno);
    void *ctx;
};

/* A tree object for one operation or more; free with btree_raw_close(). JET_errOutOfMemory. */
JET_ERR btree_raw_open(struct btree_db *db, uint32_t pgno_root, uint32_t pgno_fdp, uint32_t objid,
                       bool fdp_unique, const struct btree_raw_pages *pages, struct btree **out);
void btree_raw_close(struct btree *t);

/* Finds the first entry >= key (or > key). Copies it; data as 4 bytes. JET_errRecordNotFound. */
JET_ERR btree_raw_seek(struct btree *t, struct span key, bool above, uint8_t key_out[8],
                       size_t *key_cb, uint32_t *data);
/* The last entry. */
JET_ERR btree_raw_last(struct btree *t, uint8_t key_out[8], size_t *key_cb, uint32_t *data);

/* Calls fn for each entry in order, until it gives false. */
JET_ERR btree_raw_each(struct btree *t, bool (*fn)(void *ctx, struct span key, struct span data),
                       void *ctx);

/* The session is in a transaction with its begin logged. Errors as in btree.h. */
JET_ERR btree_raw_insert(struct btree *t, struct session *s, struct span key, struct span data);
JET_ERR btree_raw_replace(struct btree *t, struct session *s, struct span key, struct span data);
JET_ERR btree_raw_delete(struct btree *t, struct session *s, struct span key);

JET_ERR btree_raw_check(struct btree *t, void (*visit)(void *ctx, uint32_t pgno), void *ctx);
