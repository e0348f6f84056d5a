/* SPDX-License-Identifier: MIT */
/*
 * internal: what the files of space/ share.
 *
 * SPACE_HEADER, tag 0 of a root (edb format, 3), little-endian:
 *   off  size  field
 *     0     4  pages of the primary extent (v2: of the last allocation)
 *     4     4  parent FDP, 0 for pgno 1
 *     8     4  flags: 1 multiple extents, 2 non-unique, 4 v2
 *    12     4  single extent: bit i = page FDP + 1 + i is free; multiple: pgno of OE (AE = OE + 1)
 */
#pragma once

#include "btree/internal.h"
#include "btree/raw.h"
#include "btree/redo.h"
#include "space/space.h"

#define SPACE_HEADER_BYTES 16u
#define SPLIT_BUFFER_BYTES 16u
#define SPACE_MULTIPLE     1u
#define SPACE_NON_UNIQUE   2u

struct space {
    struct btree_db *db;
    uint32_t extend_pages;
    GMutex lock;        /* the space mutex: OE and AE of all trees, and below */
    GHashTable *growth; /* FDP -> pages it was last given */
};

/* One tree's space, as its root says. */
struct fdp {
    uint32_t pgno;
    uint32_t objid;
    uint32_t cpg_primary;
    uint32_t parent;
    uint32_t flags;
    uint32_t pgno_oe; /* multiple */
    uint32_t bitmap;  /* single */
    uint32_t page_flags;
};

struct extent {
    uint32_t first;
    uint32_t count;
};

/* ---- header.c ---- */
struct space *space_of(const struct btree_db *db);
JET_ERR space_read_fdp(struct space *sp, uint32_t pgno, struct fdp *fdp);
void space_header_put(uint8_t out[SPACE_HEADER_BYTES], const struct fdp *fdp);
struct span space_key(uint8_t out[4], uint32_t pgno_last);
/* Entry (key, count) of OE or AE. false: damaged, or in a pool we leave alone. */
bool space_extent(struct span key, uint32_t count, struct extent *e);

static inline bool
space_unique(const struct fdp *fdp)
{
    return !(fdp->flags & SPACE_NON_UNIQUE);
}

/* ---- alloc.c; the space mutex is held, the session's begin is logged ---- */

/* At least min, at most max pages in a row, of the tree's own. From its AE, else it grows. */
JET_ERR space_take(struct space *sp, struct session *s, const struct fdp *fdp, uint32_t near,
                   uint32_t min, uint32_t max, struct extent *out);
/* Pages of the tree become available to it. */
JET_ERR space_give(struct space *sp, struct session *s, const struct fdp *fdp, struct extent e);

/* ---- single.c: trees of one extent, as Windows makes them ---- */

/* Pages in a row from the bitmap. JET_errRecordNotFound: none such. */
JET_ERR space_single_take(struct space *sp, struct session *s, const struct fdp *fdp, uint32_t min,
                          uint32_t max, struct extent *out);
JET_ERR space_single_give(struct space *sp, struct session *s, const struct fdp *fdp,
                          struct extent e);
/* The tree gets OE and AE; *fdp is as it is then. */
JET_ERR space_convert(struct space *sp, struct session *s, struct fdp *fdp);
/* The pages of ConvertFDP2, each NULL if not wanted (redo). */
JET_ERR space_convert_apply(struct page *root, struct page *oe, struct page *ae,
                            const struct lr *lr);

/* ---- fdp.c ---- */
/* The three pages of a new tree, each NULL if not wanted (redo). JET_errLogFileCorrupt. */
JET_ERR space_build(struct page *root, struct page *oe, struct page *ae, const struct fdp *fdp);
