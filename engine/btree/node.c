/* SPDX-License-Identifier: MIT */
/*
 * node: order of entries, search in a page, separators.
 *
 * Unique trees order by key. Others order by key, then data; separators there are prefixes of key
 * and data put together, so a bookmark is compared with a separator as the concatenation of its
 * parts.
 */
#include "btree/node.h"

uint32_t
node_size(const struct node *n)
{
    return page_node_bytes(0, node_key_len(n), n->data.len);
}

struct span
node_key(const struct node *n, uint8_t *tmp)
{
    if (n->prefix.len == 0)
        return n->suffix;
    if (node_key_len(n) > NODE_KEY_MAX)
        return n->prefix; /* longer than any key: a damaged page; as good as any other answer */
    return span_of(tmp, node_key_copy(n, tmp));
}

/* a1 a2 against b1 b2, as two strings. */
static int
cmp_pairs(struct span a1, struct span a2, struct span b1, struct span b2)
{
    for (;;) {
        if (a1.len == 0) {
            a1 = a2;
            a2.len = 0;
        }
        if (b1.len == 0) {
            b1 = b2;
            b2.len = 0;
        }
        size_t n = MIN(a1.len, b1.len);
        if (n == 0)
            return (a1.len > 0) - (b1.len > 0);
        int c = memcmp(a1.data, b1.data, n);
        if (c)
            return c;
        a1.data += n;
        a1.len -= n;
        b1.data += n;
        b1.len -= n;
    }
}

uint32_t
node_child(const struct node *n)
{
    return n->data.len >= 4 ? le32_get(n->data.data) : 0;
}

JET_ERR
node_find(const struct page *page, bool unique, const struct bookmark *bm, uint16_t *line,
          bool *exact)
{
    uint16_t lo = 0, hi = page_lines(page);
    *exact = false;
    while (lo < hi) {
        uint16_t mid = (uint16_t)((lo + hi) / 2);
        struct node n;
        JET_ERR err = page_node(page, mid, &n);
        if (err < 0)
            return err;
        int c = node_key_cmp(&n, bm->key);
        if (c == 0 && !unique)
            c = span_cmp(n.data, bm->data);
        if (c == 0) {
            *line = mid;
            *exact = true;
            return JET_errSuccess;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *line = lo;
    return JET_errSuccess;
}

/* First line whose separator is above bm; the last one has no upper bound, whatever its key. */
JET_ERR
node_find_child(const struct page *page, bool unique, const struct bookmark *bm, uint16_t *line)
{
    uint16_t count = page_lines(page);
    if (count == 0)
        return JET_errDatabaseCorrupted;
    uint16_t lo = 0, hi = count - 1;
    struct span data = unique ? span_of(NULL, 0) : bm->data;
    while (lo < hi) {
        uint16_t mid = (uint16_t)((lo + hi) / 2);
        struct node n;
        JET_ERR err = page_node(page, mid, &n);
        if (err < 0)
            return err;
        if (cmp_pairs(n.prefix, n.suffix, bm->key, data) > 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    *line = lo;
    return JET_errSuccess;
}

static size_t
common(struct span a, struct span b)
{
    size_t n = MIN(a.len, b.len), i = 0;
    while (i < n && a.data[i] == b.data[i])
        i++;
    return i;
}

struct span
node_separator(bool unique, const struct bookmark *left, const struct bookmark *right, uint8_t *out)
{
    size_t n = common(left->key, right->key);
    struct span key = right->key;
    if (unique || n < key.len) { /* keys differ within right's key */
        key.len = MIN(MIN(n + 1, key.len), NODE_KEY_MAX);
        if (key.len)
            memcpy(out, key.data, key.len);
        return span_of(out, key.len);
    }
    size_t d = common(left->data, right->data);
    size_t data_len = MIN(MIN(d + 1, right->data.len), NODE_KEY_MAX - MIN(key.len, NODE_KEY_MAX));
    key.len = MIN(key.len, NODE_KEY_MAX);
    memcpy(out, key.data, key.len);
    memcpy(out + key.len, right->data.data, data_len);
    return span_of(out, key.len + data_len);
}
