/* SPDX-License-Identifier: MIT */
/*
 * cursor: its life, its position, its copy of the entry. Moving it is in walk.c.
 */
#include "btree/cursor.h"

JET_ERR
btree_cursor_open(struct session *s, struct btree *t, struct btree_cursor **out)
{
    struct btree_cursor *c = g_try_new0(struct btree_cursor, 1);
    if (!c)
        return JET_errOutOfMemory;
    c->s = s;
    c->t = t;
    btree_ref(t);
    *out = c;
    return JET_errSuccess;
}

void
btree_cursor_close(struct btree_cursor *c)
{
    if (!c)
        return;
    btree_close(c->t);
    g_free(c->bytes);
    g_free(c);
}

struct btree *
btree_cursor_tree(const struct btree_cursor *c)
{
    return c->t;
}

bool
btree_cursor_on_entry(const struct btree_cursor *c)
{
    return c->pos == POS_ON;
}

void
btree_cursor_set_before_first(struct btree_cursor *c)
{
    c->pos = POS_BEFORE_FIRST;
}

void
btree_cursor_set_after_last(struct btree_cursor *c)
{
    c->pos = POS_AFTER_LAST;
}

struct span
btree_cursor_key(const struct btree_cursor *c)
{
    return c->pos == POS_ON ? span_of(c->bytes, c->key_cb) : span_of(NULL, 0);
}

struct span
btree_cursor_data(const struct btree_cursor *c)
{
    return c->pos == POS_ON ? span_of(c->bytes + c->key_cb, c->data_cb) : span_of(NULL, 0);
}

struct bookmark
btree_cursor_bookmark(const struct btree_cursor *c)
{
    return btree_bookmark(c->t, span_of(c->bytes, c->key_cb),
                          span_of(c->bytes + c->key_cb, c->data_cb));
}

bool
btree_cursor_inside(const struct btree_cursor *c, struct span s)
{
    return s.len && s.data >= c->bytes && s.data < c->bytes + c->cap;
}

/* key and data may lie in the cursor's own bytes. */
JET_ERR
btree_cursor_copy(struct btree_cursor *c, struct span key, struct span data)
{
    size_t need = key.len + data.len;
    uint8_t *to = c->bytes;
    if (need > c->cap || btree_cursor_inside(c, key) || btree_cursor_inside(c, data)) {
        size_t cap = MAX(need + need / 2, 256);
        to = g_try_malloc(cap);
        if (!to)
            return JET_errOutOfMemory;
        c->cap = cap;
    }
    if (key.len)
        memmove(to, key.data, key.len);
    if (data.len)
        memmove(to + key.len, data.data, data.len);
    if (to != c->bytes) {
        g_free(c->bytes);
        c->bytes = to;
    }
    c->key_cb = key.len;
    c->data_cb = data.len;
    return JET_errSuccess;
}

void
btree_cursor_hint(struct btree_cursor *c, const struct buf *leaf, uint16_t line)
{
    c->leaf = leaf->pgno;
    c->line = line;
    c->leaf_dbtime = page_dbtime(leaf->page);
}
