/* SPDX-License-Identifier: MIT */
/*
 * single: trees that own one extent and keep track of it in a bitmap in their root. Windows makes
 * small trees so; we only use them, and turn them into ordinary ones when the extent is used up.
 *
 * Bit i stands for page FDP + 1 + i; pages behind FDP + 32 have no bit, are never used before the
 * conversion, and become available with it.
 */
#include "space/internal.h"

#define BITMAP_PAGES 32u

/* ---- the bitmap ---- */

static JET_ERR
set_bitmap(struct space *sp, struct session *s, const struct fdp *fdp, uint32_t bitmap)
{
    struct btree t = {
        .db = sp->db, .pgno_fdp = fdp->pgno, .objid = fdp->objid, .fdp_unique = space_unique(fdp)};
    uint8_t header[64];
    struct buf *root;
    struct lgpos pos;
    JET_ERR err = cache_fix(sp->db->file, fdp->pgno, LATCH_WRITE, &root);
    if (err < 0)
        return err;
    struct span old = page_external_header(root->page);
    size_t at = old.len > SPACE_HEADER_BYTES && (old.data[0] & 1) ? 1 : 0;
    if (old.len > sizeof header || old.len < at + SPACE_HEADER_BYTES) {
        cache_unfix(root);
        return JET_errDatabaseCorrupted;
    }
    memcpy(header, old.data, old.len);
    le32_put(header + at + 12, bitmap);
    struct lr lr = {.type = LR_SET_EXT_HEADER};
    btree_fill_page(&t, s, root, &lr);
    lr.ext_header.data = span_of(header, old.len);
    err = btree_log(&t, s, &lr, &pos);
    if (err >= 0)
        err = apply_external_header(root->page, lr.ext_header.data);
    if (err >= 0)
        btree_touch(&t, s, root, lr.page.dbtime, pos);
    cache_unfix(root);
    return err;
}

static uint32_t
mask(uint32_t from, uint32_t n)
{
    return (uint32_t)((((uint64_t)1 << n) - 1) << from);
}

JET_ERR
space_single_take(struct space *sp, struct session *s, const struct fdp *fdp, uint32_t min,
                  uint32_t max, struct extent *out)
{
    for (uint32_t i = 0; i + min <= BITMAP_PAGES; i++) {
        uint32_t n = 0;
        while (i + n < BITMAP_PAGES && n < max && (fdp->bitmap >> (i + n) & 1))
            n++;
        if (n < min)
            continue;
        JET_ERR err = set_bitmap(sp, s, fdp, fdp->bitmap & ~mask(i, n));
        if (err >= 0)
            *out = (struct extent) {fdp->pgno + 1 + i, n};
        return err;
    }
    return JET_errRecordNotFound;
}

JET_ERR
space_single_give(struct space *sp, struct session *s, const struct fdp *fdp, struct extent e)
{
    if (e.first <= fdp->pgno || e.first - fdp->pgno - 1 + e.count > BITMAP_PAGES)
        return JET_errDatabaseCorrupted;
    uint32_t bits = mask(e.first - fdp->pgno - 1, e.count);
    if (fdp->bitmap & bits)
        return JET_errDatabaseCorrupted;
    return set_bitmap(sp, s, fdp, fdp->bitmap | bits);
}

/* ---- conversion ---- */

static JET_ERR
add_extent(struct page *page, uint32_t first, uint32_t count)
{
    uint8_t key[4], data[4];
    uint16_t line = 0;
    bool exact;
    struct bookmark bm = {space_key(key, first + count - 1), span_of(NULL, 0)};
    le32_put(data, count);
    JET_ERR err = node_find(page, true, &bm, &line, &exact);
    if (err < 0 || exact || !page_insert(page, line, 0, bm.key, span_of(data, 4), 0))
        return JET_errLogFileCorrupt;
    return JET_errSuccess;
}

/* Runs of free pages in the primary extent; those without a bit are free. */
static JET_ERR
add_available(struct page *ae, uint32_t pgno_fdp, uint32_t cpg, uint32_t bits)
{
    uint32_t i = 0;
    while (i + 1 < cpg) {
        uint32_t n = 0;
        while (i + n + 1 < cpg && (i + n >= BITMAP_PAGES || (bits >> (i + n) & 1)))
            n++;
        if (n) {
            JET_ERR err = add_extent(ae, pgno_fdp + 1 + i, n);
            if (err < 0)
                return err;
        }
        i += n + 1;
    }
    return JET_errSuccess;
}

static JET_ERR
format_space_root(struct page *page, const struct lr *lr, uint32_t kind)
{
    static const uint8_t split_buffer[SPLIT_BUFFER_BYTES];
    page_format(page, lr->fdp.objid, PAGE_FLAG_ROOT | PAGE_FLAG_LEAF | PAGE_FLAG_SPACE_TREE | kind);
    return page_set_external_header(page, span_of(split_buffer, sizeof split_buffer))
               ? JET_errSuccess
               : JET_errLogFileCorrupt;
}

JET_ERR
space_convert_apply(struct page *root, struct page *oe, struct page *ae, const struct lr *lr)
{
    uint32_t kind =
        lr->fdp.page_flags & (PAGE_FLAG_INDEX | PAGE_FLAG_LONG_VALUE | PAGE_FLAG_NON_UNIQUE);
    uint32_t first = lr->fdp.pgno_secondary_first, count = lr->fdp.cpg_secondary;
    JET_ERR err = JET_errSuccess;
    if (root) {
        uint8_t header[SPACE_HEADER_BYTES];
        struct fdp fdp = {.cpg_primary = lr->fdp.cpg_primary,
                          .parent = lr->fdp.pgno_parent,
                          .pgno_oe = lr->fdp.pgno_oe,
                          .flags = SPACE_MULTIPLE |
                                   (kind & PAGE_FLAG_NON_UNIQUE ? SPACE_NON_UNIQUE : 0)};
        space_header_put(header, &fdp);
        err = apply_external_header(root, span_of(header, sizeof header));
    }
    if (err >= 0 && oe) {
        err = format_space_root(oe, lr, kind);
        if (err >= 0)
            err = add_extent(oe, lr->page.pgno, lr->fdp.cpg_primary);
        if (err >= 0)
            err = add_extent(oe, first, count);
    }
    if (err >= 0 && ae) {
        err = format_space_root(ae, lr, kind);
        if (err >= 0)
            err = add_available(ae, lr->page.pgno, lr->fdp.cpg_primary, lr->fdp.avail_bits);
        if (err >= 0 && count > 2)
            err = add_extent(ae, first + 2, count - 2);
    }
    return err;
}

static JET_ERR
convert_pages(struct space *sp, struct session *s, const struct fdp *fdp, struct extent e,
              struct buf *bufs[3])
{
    struct btree t = {
        .db = sp->db, .pgno_fdp = fdp->pgno, .objid = fdp->objid, .fdp_unique = space_unique(fdp)};
    struct lr lr = {.type = LR_CONVERT_FDP2};
    struct lgpos pos;
    btree_fill_page(&t, s, bufs[0], &lr);
    lr.fdp.objid = fdp->objid;
    lr.fdp.pgno_oe = e.first;
    lr.fdp.pgno_ae = e.first + 1;
    lr.fdp.pgno_parent = fdp->parent;
    lr.fdp.pgno_secondary_first = e.first;
    lr.fdp.cpg_primary = fdp->cpg_primary;
    lr.fdp.cpg_secondary = e.count;
    lr.fdp.avail_bits = fdp->bitmap;
    lr.fdp.page_flags = fdp->page_flags | PAGE_FLAG_NEW_RECORD;
    JET_ERR err = btree_log(&t, s, &lr, &pos);
    if (err >= 0)
        err = space_convert_apply(bufs[0]->page, bufs[1]->page, bufs[2]->page, &lr);
    for (int i = 0; i < 3 && err >= 0; i++)
        btree_touch(&t, s, bufs[i], lr.page.dbtime, pos);
    return err;
}

/* OE and AE are the first pages of the secondary extent. */
JET_ERR
space_convert(struct space *sp, struct session *s, struct fdp *fdp)
{
    struct fdp parent;
    struct extent e;
    struct buf *bufs[3] = {NULL};
    JET_ERR err = space_read_fdp(sp, fdp->parent, &parent);
    if (err >= 0)
        err = space_take(sp, s, &parent, 0, 6, 8, &e);
    if (err < 0)
        return err;
    err = cache_fix(sp->db->file, fdp->pgno, LATCH_WRITE, &bufs[0]);
    for (uint32_t i = 0; i < 2 && err >= 0; i++)
        err = cache_fix_new(sp->db->file, e.first + i, &bufs[1 + i]);
    if (err >= 0)
        err = convert_pages(sp, s, fdp, e, bufs);
    for (int i = 0; i < 3; i++)
        cache_unfix(bufs[i]);
    return err < 0 ? err : space_read_fdp(sp, fdp->pgno, fdp);
}
