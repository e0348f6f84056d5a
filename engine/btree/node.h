/* SPDX-License-Identifier: MIT */
/*
 * node: entries of pages as trees compare and size them; a thin face of page/page.h.
 *
 * Lines are 0-based, line n is tag n + 1. A node's key is prefix + suffix; we never write a prefix.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "esent.h"
#include "page/page.h"
#include "txn/version.h"

#define NODE_KEY_MAX 2048u /* normalized keys are at most 2000 bytes */

/* Bytes the node takes in a page when stored without prefix, tag included. */
uint32_t node_size(const struct node *n);

/* Key in one piece: in place when there is no prefix, else copied to tmp[NODE_KEY_MAX]. */
struct span node_key(const struct node *n, uint8_t *tmp);

/* The child a node of an internal page points at. */
uint32_t node_child(const struct node *n);

/*
 * Leaf: first line whose entry is >= bm; *exact = equal. Unique trees compare keys only.
 */
JET_ERR node_find(const struct page *page, bool unique, const struct bookmark *bm, uint16_t *line,
                  bool *exact);

/* Internal page: line of the child that holds bm. */
JET_ERR node_find_child(const struct page *page, bool unique, const struct bookmark *bm,
                        uint16_t *line);

/* Shortest separator above left and not above right, written to out[NODE_KEY_MAX]. */
struct span node_separator(bool unique, const struct bookmark *left, const struct bookmark *right,
                           uint8_t *out);
