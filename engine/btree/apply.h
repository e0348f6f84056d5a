/* SPDX-License-Identifier: MIT */
/*
 * apply: the changes a log record makes to pages, as pure functions of pages.
 *
 * Do-time and redo call the same functions, after the log record exists. They check all they read
 * (redo gets pages and records from disk) and give JET_errLogFileCorrupt when the record does not
 * fit the page; at do-time that cannot happen. None logs, latches or sets the dbtime.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "esent.h"

struct lr;
struct page;

/* Insert: node at line (0-based). prefix_cb > 0: key is stored without its first prefix_cb bytes,
 * which are those of the page's prefix. */
JET_ERR apply_insert(struct page *page, uint16_t line, struct span key, uint16_t prefix_cb,
                     struct span data, bool versioned);
/* Bytes of a key that a node can leave to the page's prefix; 0 below 3 bytes, where it does not
 * pay. */
size_t btree_shared_prefix(const struct page *page, struct span key);

/* FlagInsert: the node lives again. */
JET_ERR apply_flag_insert(struct page *page, uint16_t line, bool versioned);
/* FIARD: lives again with new data. */
JET_ERR apply_flag_insert_replace(struct page *page, uint16_t line, struct span data,
                                  bool versioned);
JET_ERR apply_flag_delete(struct page *page, uint16_t line, bool versioned);
JET_ERR apply_replace(struct page *page, uint16_t line, struct span data, bool versioned);
JET_ERR apply_delete(struct page *page, uint16_t line);
JET_ERR apply_delta(struct page *page, uint16_t line, uint16_t offset, int32_t delta,
                    bool versioned);
JET_ERR apply_external_header(struct page *page, struct span header);
/* Undo of an insert = flag deleted; of a flag delete = flag cleared. */
JET_ERR apply_set_deleted(struct page *page, uint16_t line, bool deleted);

/*
 * Split2, page by page; redo decides for each page by its dbtime. The source keeps lines below
 * iline_split (none in a vertical split, where it becomes the parent of the new page).
 */

/* Nodes from iline_split on go from the source (or its before-image) to the new page, whose header
 * (objid, flags, links, prefix) is made here. Append moves nothing, and source may be NULL. op_key
 * = key of the inserted node, in case it becomes the prefix. */
JET_ERR apply_split_new(struct page *fresh, const struct page *source, const struct lr *lr,
                        struct span op_key);

/* The source loses them, and links to the new page; vertical: becomes the parent of the new page.
 */
JET_ERR apply_split_source(struct page *source, const struct lr *lr);

/* Old right sibling of a split leaf: links back to the new page. */
JET_ERR apply_split_right(struct page *right, const struct lr *lr);

/* The parent: (separator -> source) enters before the node that named the source, which names the
 * new page from now on. The line is found by the pointer, not taken from the record. */
JET_ERR apply_split_parent(struct page *parent, const struct lr *lr);

/*
 * Merge2 of an empty page (type 1) or of a level above it (type 0).
 */
/* The record's own page: is emptied, loses the line of the removed child, or has the key of its
 * line changed to key (which the record of the leaf carries). */
JET_ERR apply_merge_page(struct page *page, const struct lr *lr, struct span key);
/* The leaf's neighbours link to each other. */
JET_ERR apply_merge_left(struct page *left, const struct lr *lr);
JET_ERR apply_merge_right(struct page *right, const struct lr *lr);

/* EmptyTree: the root becomes an empty leaf; each listed page gets the empty flag. */
JET_ERR apply_empty_root(struct page *root);
JET_ERR apply_empty_page(struct page *page);
