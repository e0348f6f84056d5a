/* SPDX-License-Identifier: MIT */
/*
 * page: the image of one database page: header, tags, nodes (edb format, 2 and 3). Pure; no I/O.
 *
 * Small pages (4, 8 KiB) and large ones (16, 32 KiB) differ in header length, tag masks and the
 * place of node flags; only this module knows. Lines are tags without tag 0: line n is tag n + 1.
 * Tag 0 is the external header: space header of a root, else the prefix of compressed keys.
 *
 *  off  size  header field
 *    0     8  checksum (page/checksum.h)
 *    8     8  dbtime of the last change
 *   16   4+4  pgnoPrev, pgnoNext
 *   24     4  objid of the owning tree
 *   28     2  cbFree: free bytes, holes included
 *   30     2  cbUncommittedFree: part of it that a rollback may need back
 *   32     2  ibMicFree: first never-used byte, counted from the end of the header
 *   34     2  number of tags in the low 12 bits
 *   36     4  flags
 *   40    24  large: checksums of blocks 1, 2, 3
 *   64     4  large: pgno
 *
 * Invariants of a page that page_check() accepts:
 *  1. sum of tag cb + cbFree + 4 * tags = page size - header.
 *  2. each tag lies in [0, ibMicFree), no two overlap; only tag 0 may be empty.
 *  3. each node of a tree page parses: prefix <= tag 0, suffix inside the tag, data not empty.
 *
 * Getters of lines assume a page that was checked (page_verify and page_check on read, or made
 * here).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "esent.h"

#define PAGE_BYTES_MIN 4096u
#define PAGE_BYTES_MAX 32768u

enum page_flag {
    PAGE_FLAG_ROOT = 0x1,
    PAGE_FLAG_LEAF = 0x2,
    PAGE_FLAG_PARENT_OF_LEAF = 0x4,
    PAGE_FLAG_EMPTY = 0x8, /* freed, not yet used again */
    PAGE_FLAG_REPAIRED = 0x10,
    PAGE_FLAG_SPACE_TREE = 0x20,
    PAGE_FLAG_INDEX = 0x40,
    PAGE_FLAG_LONG_VALUE = 0x80,
    PAGE_FLAG_NON_UNIQUE = 0x400,
    PAGE_FLAG_NEW_RECORD = 0x800,    /* always */
    PAGE_FLAG_NEW_CHECKSUM = 0x2000, /* always on pages we write */
    PAGE_FLAG_SCRUBBED = 0x4000,
    PAGE_FLAG_FLUSH_TYPE = 0x18000,
    PAGE_FLAG_PREINIT = 0x20000,
};

enum node_flag { NODE_VERSIONED = 1, NODE_DELETED = 2, NODE_COMPRESSED = 4 };

struct page {
    uint8_t *data;
    uint32_t size;
    uint32_t pgno;
};

/* A node taken apart; spans point into the page. Key = prefix + suffix. */
struct node {
    struct span prefix;
    struct span suffix;
    struct span data;
    uint8_t flags; /* enum node_flag; NODE_COMPRESSED when prefix counts */
};

/* ---- the image ---- */

/* A view of size bytes at data; reads and writes nothing. */
void page_init(struct page *page, void *data, uint32_t size, uint32_t pgno);

bool page_size_valid(uint32_t size); /* 4, 8, 16 or 32 KiB */
bool page_is_large(uint32_t size);
uint32_t page_header_bytes(uint32_t size); /* 40 or 80 */
uint32_t page_data_bytes(uint32_t size);   /* size - header: room for tags and nodes */

/* Makes an empty page: everything zero but objid, flags (| NEW_RECORD | NEW_CHECKSUM), an empty tag
 * 0. */
void page_format(struct page *page, uint32_t objid, uint32_t flags);

bool page_is_zero(const struct page *page);

/*
 * All that can be said of a page by itself (invariants 1-3, flag combinations).
 * JET_errDatabaseCorrupted; *why (may be NULL) = what is wrong, a constant string.
 */
JET_ERR page_check(const struct page *page, const char **why);

/* ---- header ---- */

uint64_t page_dbtime(const struct page *page);
void page_set_dbtime(struct page *page, uint64_t dbtime);
uint32_t page_prev(const struct page *page);
void page_set_prev(struct page *page, uint32_t pgno);
uint32_t page_next(const struct page *page);
void page_set_next(struct page *page, uint32_t pgno);
uint32_t page_objid(const struct page *page);
void page_set_objid(struct page *page, uint32_t objid);
uint32_t page_flags(const struct page *page);
void page_set_flags(struct page *page, uint32_t flags);
uint16_t page_free(const struct page *page); /* cbFree */
uint16_t page_uncommitted_free(const struct page *page);
void page_set_uncommitted_free(struct page *page, uint16_t bytes);

static inline bool
page_is_leaf(const struct page *page)
{
    return (page_flags(page) & PAGE_FLAG_LEAF) != 0;
}

static inline bool
page_is_root(const struct page *page)
{
    return (page_flags(page) & PAGE_FLAG_ROOT) != 0;
}

/* ---- lines ---- */

uint16_t page_lines(const struct page *page);

/* JET_errDatabaseCorrupted: no such line, or it does not parse. */
JET_ERR page_node(const struct page *page, uint16_t line, struct node *node);

/* The flags alone; the line exists. */
uint8_t page_node_flags(const struct page *page, uint16_t line);

/* The raw tag bytes of a line (its key lengths, key, data); the line exists. For moving nodes
 * whole. */
struct span page_raw(const struct page *page, uint16_t line);

/* Bytes that a node takes, its tag included. prefix_cb > 0: stored compressed. */
uint32_t page_node_bytes(size_t prefix_cb, size_t suffix_cb, size_t data_cb);

/* Key of a node into buf (room for prefix + suffix); its length. */
size_t node_key_copy(const struct node *node, uint8_t *buf);
size_t node_key_len(const struct node *node);

/* Order of a node's key and a key, as span_cmp. */
int node_key_cmp(const struct node *node, struct span key);

/*
 * Changes. false: no such line, or it does not fit in cbFree (uncommitted free is the caller's
 * affair); the page is then unchanged. Data is moved together when the free bytes are in pieces.
 * Spans given must not point into the page itself.
 */
bool page_insert(struct page *page, uint16_t line, uint16_t prefix_cb, struct span suffix,
                 struct span data, uint8_t flags);
bool page_insert_raw(struct page *page, uint16_t line, struct span raw, uint8_t flags);
bool page_replace(struct page *page, uint16_t line, struct span data);
bool page_delete(struct page *page, uint16_t line);
bool page_set_node_flags(struct page *page, uint16_t line, uint8_t flags);

/* Overwrites bytes inside a node's data. false: outside of it. */
bool page_poke(struct page *page, uint16_t line, size_t offset, struct span bytes);

/* Tag 0. */
struct span page_external_header(const struct page *page);
bool page_set_external_header(struct page *page, struct span header);

/* ---- checksum on the whole page (page/checksum.h) ---- */

/*
 * Is it page pgno, whole? One flipped bit is put right, *repaired says so (may be NULL).
 * JET_errPageNotInitialized (all zero), JET_errReadVerifyFailure (checksum),
 * JET_errReadPgnoVerifyFailure (a good image of another page; large pages only).
 */
JET_ERR page_verify(void *data, uint32_t size, uint32_t pgno, bool *repaired);

/* Stamps flush type, pgno (large) and checksums: the last thing before a page is written. */
void page_stamp(void *data, uint32_t size, uint32_t pgno);
