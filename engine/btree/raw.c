/* SPDX-License-Identifier: MIT */
/*
 * raw: operations on space trees, as in raw.h.
 */
#include "btree/raw.h"

#include "btree/internal.h"

JET_ERR
btree_raw_open(struct btree_db *db, uint32_t pgno_root, uint32_t pgno_fdp, uint32_t objid,
               bool fdp_unique, const struct btree_raw_pages *pages, struct btree **out)
{
    struct btree *t = g_try_new0(struct btree, 1);
    if (!t)
        return JET_errOutOfMemory;
    t->db = db;
    t->pgno_root = pgno_root;
    t->pgno_fdp = pgno_fdp;
    t->objid = objid;
    t->unique = true;
    t->fdp_unique = fdp_unique;
    t->raw = true;
    if (pages) {
        t->raw_page = pages->get;
        t->raw_free = pages->put;
        t->raw_ctx = pages->ctx;
    }
    version_map_init(&t->versions, true);
    *out = t;
    return JET_errSuccess;
}

void
btree_raw_close(struct btree *t)
{
    g_free(t);
}

/* Dead nodes (Windows leaves some) are passed over. */
static JET_ERR
copy_entry(const struct page *page, uint16_t line, uint8_t key_out[8], size_t *key_cb,
           uint32_t *data)
{
    struct node n;
    JET_ERR err = page_node(page, line, &n);
    if (err < 0)
        return err;
    if (node_key_len(&n) > 8 || n.data.len != 4)
        return JET_errDatabaseCorrupted;
    *key_cb = node_key_copy(&n, key_out);
    *data = le32_get(n.data.data);
    return JET_errSuccess;
}

static JET_ERR
first_alive(struct btree *t, struct buf *leaf, uint16_t line, uint8_t key_out[8], size_t *key_cb,
            uint32_t *data)
{
    for (;;) {
        while (line < page_lines(leaf->page) && (page_node_flags(leaf->page, line) & NODE_DELETED))
            line++;
        if (line < page_lines(leaf->page)) {
            JET_ERR err = copy_entry(leaf->page, line, key_out, key_cb, data);
            cache_unfix(leaf);
            return err;
        }
        uint32_t next = page_next(leaf->page);
        cache_unfix(leaf);
        if (next == 0)
            return JET_errRecordNotFound;
        JET_ERR err = cache_fix(t->db->file, next, LATCH_READ, &leaf);
        if (err < 0)
            return err;
        line = 0;
    }
}

JET_ERR
btree_raw_seek(struct btree *t, struct span key, bool above, uint8_t key_out[8], size_t *key_cb,
               uint32_t *data)
{
    struct bookmark bm = btree_bookmark(t, key, span_of(NULL, 0));
    struct path path;
    struct buf *leaf;
    uint16_t line;
    bool exact;
    JET_ERR err = btree_descend(t, &bm, false, LATCH_READ, &path, &leaf);
    if (err < 0)
        return err;
    err = node_find(leaf->page, true, &bm, &line, &exact);
    if (err < 0) {
        cache_unfix(leaf);
        return err;
    }
    return first_alive(t, leaf, line + (exact && above ? 1 : 0), key_out, key_cb, data);
}

struct last {
    uint8_t *key;
    size_t *key_cb;
    uint32_t *data;
    bool any, bad;
};

static bool
note_last(void *ctx, struct span key, struct span data)
{
    struct last *l = ctx;
    if (key.len > 8 || data.len != 4) {
        l->bad = true;
        return false;
    }
    memcpy(l->key, key.data, key.len);
    *l->key_cb = key.len;
    *l->data = le32_get(data.data);
    l->any = true;
    return true;
}

JET_ERR
btree_raw_last(struct btree *t, uint8_t key_out[8], size_t *key_cb, uint32_t *data)
{
    struct last l = {key_out, key_cb, data, false, false};
    struct path path;
    struct buf *leaf;
    JET_ERR err = btree_descend(t, NULL, true, LATCH_READ, &path, &leaf);
    if (err < 0)
        return err;
    int line = page_lines(leaf->page) - 1;
    while (line >= 0 && (page_node_flags(leaf->page, (uint16_t)line) & NODE_DELETED))
        line--;
    if (line >= 0)
        err = copy_entry(leaf->page, (uint16_t)line, key_out, key_cb, data);
    cache_unfix(leaf);
    if (line >= 0)
        return err;
    err = btree_raw_each(t, note_last, &l); /* the last leaf is all dead: rare, take the long way */
    if (err >= 0 && l.bad)
        err = JET_errDatabaseCorrupted;
    return err < 0 ? err : l.any ? JET_errSuccess : JET_errRecordNotFound;
}

JET_ERR
btree_raw_each(struct btree *t, bool (*fn)(void *ctx, struct span key, struct span data), void *ctx)
{
    uint8_t tmp[NODE_KEY_MAX];
    struct path path;
    struct buf *leaf;
    JET_ERR err = btree_descend(t, NULL, false, LATCH_READ, &path, &leaf);
    while (err >= 0) {
        bool more = true;
        for (uint16_t i = 0; i < page_lines(leaf->page) && err >= 0 && more; i++) {
            struct node n;
            err = page_node(leaf->page, i, &n);
            if (err >= 0 && !(n.flags & NODE_DELETED))
                more = fn(ctx, node_key(&n, tmp), n.data);
        }
        uint32_t next = page_next(leaf->page);
        cache_unfix(leaf);
        if (err < 0 || !more || next == 0)
            return err;
        err = cache_fix(t->db->file, next, LATCH_READ, &leaf);
    }
    return err;
}

/* A dead node in the way is removed first. */
JET_ERR
btree_raw_insert(struct btree *t, struct session *s, struct span key, struct span data)
{
    struct bookmark bm = btree_bookmark(t, key, span_of(NULL, 0));
    JET_ERR err = btree_remove_dead(t, s, &bm);
    return err < 0 ? err : btree_insert_locked(t, s, NULL, key, data);
}

static JET_ERR
find_alive(struct btree *t, const struct bookmark *bm, struct path *path, struct buf **leaf,
           uint16_t *line)
{
    bool exact;
    JET_ERR err = btree_descend(t, bm, false, LATCH_WRITE, path, leaf);
    if (err < 0)
        return err;
    err = node_find((*leaf)->page, true, bm, line, &exact);
    if (err >= 0 && (!exact || (page_node_flags((*leaf)->page, *line) & NODE_DELETED)))
        err = JET_errRecordNotFound;
    if (err < 0)
        cache_unfix(*leaf);
    return err;
}

/* Same length: always fits. */
JET_ERR
btree_raw_replace(struct btree *t, struct session *s, struct span key, struct span data)
{
    struct change ch = {.type = LR_REPLACE, .data = data, .old_len = (uint32_t)data.len};
    struct path path;
    struct buf *leaf;
    ch.bm = btree_bookmark(t, key, span_of(NULL, 0));
    JET_ERR err = find_alive(t, &ch.bm, &path, &leaf, &ch.line);
    if (err < 0)
        return err;
    err = btree_change_leaf(t, s, leaf, &ch);
    cache_unfix(leaf);
    return err;
}

JET_ERR
btree_raw_delete(struct btree *t, struct session *s, struct span key)
{
    struct bookmark bm = btree_bookmark(t, key, span_of(NULL, 0));
    struct path path;
    struct buf *leaf;
    uint16_t line;
    JET_ERR err = find_alive(t, &bm, &path, &leaf, &line);
    return err < 0 ? err : btree_remove_node(t, s, &path, leaf, &bm, line);
}

JET_ERR
btree_raw_check(struct btree *t, void (*visit)(void *ctx, uint32_t pgno), void *ctx)
{
    return btree_check_locked(t, visit, ctx, NULL, NULL);
}
