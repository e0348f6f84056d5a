/* SPDX-License-Identifier: MIT */
/*
 * redo: new trees, conversions, growth of the file.
 */
#include "space/redo.h"

#include "space/internal.h"

/* The page it belongs to: root, OE, AE; each decides by its own dbtime. */
static JET_ERR
fix_three(struct btree_db *db, const struct lr *lr, bool root_is_new, struct buf *bufs[3])
{
    int64_t dbtime = lr->page.dbtime;
    JET_ERR err = root_is_new
                      ? btree_redo_fix_new(db, lr->page.pgno, dbtime, &bufs[0])
                      : btree_redo_fix(db, lr->page.pgno, dbtime, lr->page.dbtime_before, &bufs[0]);
    if (err >= 0 && lr->fdp.pgno_oe)
        err = btree_redo_fix_new(db, lr->fdp.pgno_oe, dbtime, &bufs[1]);
    if (err >= 0 && lr->fdp.pgno_ae)
        err = btree_redo_fix_new(db, lr->fdp.pgno_ae, dbtime, &bufs[2]);
    return err;
}

static uint32_t
kind(const struct lr *lr)
{
    return lr->fdp.page_flags & (PAGE_FLAG_INDEX | PAGE_FLAG_LONG_VALUE | PAGE_FLAG_NON_UNIQUE);
}

static JET_ERR
build_single(struct page *root, const struct lr *lr)
{
    uint8_t header[SPACE_HEADER_BYTES];
    uint32_t free_pages = lr->fdp.cpg_primary - 1;
    if (!root)
        return JET_errSuccess;
    struct fdp fdp = {.cpg_primary = lr->fdp.cpg_primary,
                      .parent = lr->fdp.pgno_parent,
                      .flags = kind(lr) & PAGE_FLAG_NON_UNIQUE ? SPACE_NON_UNIQUE : 0,
                      .bitmap = free_pages >= 32 ? UINT32_MAX : (1u << free_pages) - 1};
    page_format(root, lr->fdp.objid, PAGE_FLAG_ROOT | PAGE_FLAG_LEAF | kind(lr));
    space_header_put(header, &fdp);
    return apply_external_header(root, span_of(header, sizeof header));
}

static JET_ERR
build(const struct lr *lr, struct buf *bufs[3])
{
    struct page *pages[3];
    for (int i = 0; i < 3; i++)
        pages[i] = bufs[i] ? bufs[i]->page : NULL;
    if (lr->type == LR_CREATE_SE)
        return build_single(pages[0], lr);
    if (lr->type == LR_CONVERT_FDP2)
        return space_convert_apply(pages[0], pages[1], pages[2], lr);
    struct fdp fdp = {.pgno = lr->page.pgno,
                      .objid = lr->fdp.objid,
                      .cpg_primary = lr->fdp.cpg_primary,
                      .parent = lr->fdp.pgno_parent,
                      .flags =
                          SPACE_MULTIPLE | (kind(lr) & PAGE_FLAG_NON_UNIQUE ? SPACE_NON_UNIQUE : 0),
                      .pgno_oe = lr->fdp.pgno_oe,
                      .page_flags = kind(lr)};
    return space_build(pages[0], pages[1], pages[2], &fdp);
}

JET_ERR
space_redo_fdp(struct btree_db *db, struct session *s, const struct lr *lr, struct lgpos at)
{
    struct buf *bufs[3] = {NULL};
    if (lr->fdp.cpg_primary == 0)
        return JET_errLogFileCorrupt;
    JET_ERR err = fix_three(db, lr, lr->type != LR_CONVERT_FDP2, bufs);
    if (err >= 0)
        err = build(lr, bufs);
    for (int i = 0; i < 3; i++) {
        if (bufs[i] && err >= 0) {
            page_set_dbtime(bufs[i]->page, (uint64_t)lr->page.dbtime);
            buf_dirty(bufs[i], at, session_begin0_lgpos(s));
        }
        cache_unfix(bufs[i]);
    }
    dbfile_objid_raise(db->file, lr->fdp.objid);
    return err;
}

JET_ERR
space_redo_extend(struct btree_db *db, const struct lr *lr)
{
    return dbfile_extend(db->file, lr->extend_db.pgno_last);
}
