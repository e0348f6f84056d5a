/* SPDX-License-Identifier: MIT */
/*
 * cursor: the inside of a cursor, shared by moving (walk.c) and changing (change.c).
 *
 * States:
 *   NONE          no position (new, or an error)
 *   ON            on the entry of its bookmark, which may have gone since
 *   GAP           between entries: where its bookmark would be; next = first entry at or after it
 *   BEFORE_FIRST, AFTER_LAST
 */
#pragma once

#include "btree/internal.h"

enum cursor_pos { POS_NONE, POS_ON, POS_GAP, POS_BEFORE_FIRST, POS_AFTER_LAST };

struct btree_cursor {
    struct session *s;
    struct btree *t;
    enum cursor_pos pos;

    /* Where the bookmark was found: true as long as the page's dbtime is this. */
    uint32_t leaf;
    uint16_t line;
    uint64_t leaf_dbtime;

    /* Copy of the entry: key, then data. */
    uint8_t *bytes;
    size_t key_cb, data_cb, cap;
};

/* The bookmark, pointing into the cursor. */
struct bookmark btree_cursor_bookmark(const struct btree_cursor *c);

/* Does it lie in the cursor's own copy, which the next move overwrites? */
bool btree_cursor_inside(const struct btree_cursor *c, struct span s);

/* Takes a copy of an entry. JET_errOutOfMemory. */
JET_ERR btree_cursor_copy(struct btree_cursor *c, struct span key, struct span data);

/* The leaf and line are known. */
void btree_cursor_hint(struct btree_cursor *c, const struct buf *leaf, uint16_t line);

/* Finds the bookmark: *exact = there, at *line; else where it would be. The leaf is latched. */
JET_ERR btree_cursor_locate(struct btree_cursor *c, enum cache_latch latch, struct buf **leaf,
                            uint16_t *line, bool *exact);

/* What the session sees of a node of the tree. */
JET_ERR btree_view_node(struct btree *t, const struct session *s, const struct node *n,
                        struct version_view *view);
