/* SPDX-License-Identifier: MIT */
#include "table/longvalue.h"

#include <string.h>

#include "table/open.h"

#define CHUNK_MOST 32768u

struct reader {
    struct btree_cursor *c;
    uint8_t key[12];
    uint32_t lid_cb;
    uint32_t chunk, size;
    uint8_t plain[CHUNK_MOST];
};

static uint32_t
chunk_bytes(const struct table *t)
{
    if (t->schema->lv_chunk)
        return t->schema->lv_chunk;
    switch (t->tdb->page_bytes) {
    case 16384:
        return 4050;
    case 32768:
        return 8150;
    default:
        return t->tdb->page_bytes - 82;
    }
}

static JET_ERR
find(struct reader *r, uint32_t key_cb, struct span *data)
{
    JET_ERR err = btree_seek(r->c, span_of(r->key, key_cb), BTREE_EQ);
    if (err == JET_errRecordNotFound)
        return JET_errLVCorrupted;
    if (err < 0)
        return err;
    *data = btree_cursor_data(r->c);
    return JET_errSuccess;
}

/* The whole chunk at `at`, expanded. */
static JET_ERR
read_chunk(struct reader *r, uint32_t at, struct span *chunk)
{
    uint32_t want = MIN(r->chunk, r->size - at), len;

    be32_put(r->key + r->lid_cb, at);
    JET_ERR err = find(r, r->lid_cb + 4, chunk);
    if (err < 0 || chunk->len == want)
        return err;
    if (chunk->len > want)
        return JET_errLVCorrupted;
    err = record_expand(*chunk, r->plain, sizeof(r->plain), &len);
    if (err >= 0 && len != want)
        err = JET_errLVCorrupted;
    *chunk = span_of(r->plain, len);
    return err;
}

static JET_ERR
copy_range(struct reader *r, uint32_t offset, uint8_t *out, uint32_t n)
{
    struct span chunk;

    while (n > 0) {
        uint32_t at = offset - offset % r->chunk;
        JET_ERR err = read_chunk(r, at, &chunk);
        if (err < 0)
            return err;
        uint32_t part = MIN((uint32_t)chunk.len - (offset - at), n);
        memcpy(out, chunk.data + (offset - at), part);
        out += part;
        offset += part;
        n -= part;
    }
    return JET_errSuccess;
}

static JET_ERR
read_value(struct reader *r, uint32_t offset, void *pv, uint32_t cb, uint32_t *actual)
{
    struct span root;

    JET_ERR err = find(r, r->lid_cb, &root);
    if (err < 0)
        return err;
    if (root.len < 8)
        return JET_errLVCorrupted;
    r->size = le32_get(root.data + 4);
    *actual = offset < r->size ? r->size - offset : 0;
    err = copy_range(r, offset, pv, MIN(*actual, cb));
    if (err < 0)
        return err;
    return *actual > cb ? JET_wrnBufferTruncated : JET_errSuccess;
}

JET_ERR
longvalue_read(struct table *t, struct span lid, uint32_t offset, void *pv, uint32_t cb,
               uint32_t *actual)
{
    struct btree *tree;

    if (!t->schema->lv_pgno || (lid.len != 4 && lid.len != 8))
        return JET_errLVCorrupted;
    g_autofree struct reader *r = g_try_new0(struct reader, 1);
    if (!r)
        return JET_errOutOfMemory;
    r->chunk = chunk_bytes(t);
    r->lid_cb = (uint32_t)lid.len;
    if (r->chunk > CHUNK_MOST)
        return JET_errLVCorrupted;
    for (uint32_t i = 0; i < lid.len; i++)
        r->key[i] = lid.data[lid.len - 1 - i];
    JET_ERR err = btree_open(t->tdb->trees, t->schema->lv_pgno, &tree);
    if (err < 0)
        return err;
    err = btree_cursor_open(t->s, tree, &r->c);
    if (err >= 0) {
        err = read_value(r, offset, pv, cb, actual);
        btree_cursor_close(r->c);
    }
    btree_close(tree);
    return err;
}
