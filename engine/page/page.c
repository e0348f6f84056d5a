/* SPDX-License-Identifier: MIT */
#include "page/page.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "page/checksum.h"

enum {
    OFF_DBTIME = 8,
    OFF_PREV = 16,
    OFF_NEXT = 20,
    OFF_OBJID = 24,
    OFF_FREE = 28,
    OFF_UNCOMMITTED_FREE = 30,
    OFF_MIC_FREE = 32,
    OFF_TAGS = 34,
    OFF_FLAGS = 36,
    OFF_PGNO = 64,
    HEADER_SMALL = 40,
    HEADER_LARGE = 80,
    TAG_BYTES = 4,
    TAGS_MASK = 0x0fff,
    KEY_MASK = 0x1fff, /* of the lengths at the start of a node */
};

/* ---- tags ---- */

struct tag {
    uint16_t cb;
    uint16_t ib; /* from the end of the header */
    uint8_t flags;
};

static uint16_t
tag_count(const struct page *page)
{
    return le16_get(page->data + OFF_TAGS) & TAGS_MASK;
}

static void
set_tag_count(struct page *page, uint16_t n)
{
    uint16_t high = le16_get(page->data + OFF_TAGS) & (uint16_t)~TAGS_MASK;
    le16_put(page->data + OFF_TAGS, high | n);
}

static uint8_t *
tag_at(const struct page *page, uint16_t i)
{
    return page->data + page->size - TAG_BYTES * ((uint32_t)i + 1);
}

static uint8_t *
area(const struct page *page)
{
    return page->data + page_header_bytes(page->size);
}

static uint16_t
tag_mask(const struct page *page)
{
    return page_is_large(page->size) ? 0x7fff : 0x1fff;
}

static struct tag
tag_get(const struct page *page, uint16_t i)
{
    const uint8_t *t = tag_at(page, i);
    uint16_t mask = tag_mask(page);
    struct tag tag = {le16_get(t) & mask, le16_get(t + 2) & mask, 0};
    if (!page_is_large(page->size))
        tag.flags = (uint8_t)(le16_get(t + 2) >> 13);
    else if (i > 0 && tag.cb >= 2 && (uint32_t)tag.ib + 2 <= page_data_bytes(page->size))
        tag.flags = (uint8_t)(le16_get(area(page) + tag.ib) >> 13);
    return tag;
}

/* Large pages keep the flags in the node's first u16, which must be in place already. */
static void
tag_put(struct page *page, uint16_t i, struct tag tag)
{
    uint8_t *t = tag_at(page, i);
    le16_put(t, tag.cb);
    if (!page_is_large(page->size)) {
        le16_put(t + 2, (uint16_t)(tag.ib | tag.flags << 13));
        return;
    }
    le16_put(t + 2, tag.ib);
    if (i > 0) {
        uint8_t *first = area(page) + tag.ib;
        le16_put(first, (uint16_t)((le16_get(first) & KEY_MASK) | tag.flags << 13));
    }
}

static uint16_t
mic_free(const struct page *page)
{
    return le16_get(page->data + OFF_MIC_FREE);
}

static void
set_mic_free(struct page *page, uint32_t ib)
{
    le16_put(page->data + OFF_MIC_FREE, (uint16_t)ib);
}

static void
set_free(struct page *page, uint32_t cb)
{
    le16_put(page->data + OFF_FREE, (uint16_t)cb);
}

/* ---- the image ---- */

void
page_init(struct page *page, void *data, uint32_t size, uint32_t pgno)
{
    page->data = data;
    page->size = size;
    page->pgno = pgno;
}

bool
page_size_valid(uint32_t size)
{
    return size >= PAGE_BYTES_MIN && size <= PAGE_BYTES_MAX && (size & (size - 1)) == 0;
}

bool
page_is_large(uint32_t size)
{
    return size > 8192;
}

uint32_t
page_header_bytes(uint32_t size)
{
    return page_is_large(size) ? HEADER_LARGE : HEADER_SMALL;
}

uint32_t
page_data_bytes(uint32_t size)
{
    return size - page_header_bytes(size);
}

void
page_format(struct page *page, uint32_t objid, uint32_t flags)
{
    memset(page->data, 0, page->size);
    page_set_objid(page, objid);
    page_set_flags(page, flags | PAGE_FLAG_NEW_RECORD | PAGE_FLAG_NEW_CHECKSUM);
    if (page_is_large(page->size))
        le32_put(page->data + OFF_PGNO, page->pgno);
    set_tag_count(page, 1);
    set_free(page, page_data_bytes(page->size) - TAG_BYTES);
}

bool
page_is_zero(const struct page *page)
{
    return checksum_is_zero(page->data, page->size);
}

/* ---- header ---- */

uint64_t
page_dbtime(const struct page *page)
{
    return le64_get(page->data + OFF_DBTIME);
}

void
page_set_dbtime(struct page *page, uint64_t dbtime)
{
    le64_put(page->data + OFF_DBTIME, dbtime);
}

uint32_t
page_prev(const struct page *page)
{
    return le32_get(page->data + OFF_PREV);
}

void
page_set_prev(struct page *page, uint32_t pgno)
{
    le32_put(page->data + OFF_PREV, pgno);
}

uint32_t
page_next(const struct page *page)
{
    return le32_get(page->data + OFF_NEXT);
}

void
page_set_next(struct page *page, uint32_t pgno)
{
    le32_put(page->data + OFF_NEXT, pgno);
}

uint32_t
page_objid(const struct page *page)
{
    return le32_get(page->data + OFF_OBJID);
}

void
page_set_objid(struct page *page, uint32_t objid)
{
    le32_put(page->data + OFF_OBJID, objid);
}

uint32_t
page_flags(const struct page *page)
{
    return le32_get(page->data + OFF_FLAGS);
}

void
page_set_flags(struct page *page, uint32_t flags)
{
    le32_put(page->data + OFF_FLAGS, flags);
}

uint16_t
page_free(const struct page *page)
{
    return le16_get(page->data + OFF_FREE);
}

uint16_t
page_uncommitted_free(const struct page *page)
{
    return le16_get(page->data + OFF_UNCOMMITTED_FREE);
}

void
page_set_uncommitted_free(struct page *page, uint16_t bytes)
{
    le16_put(page->data + OFF_UNCOMMITTED_FREE, bytes);
}

/* ---- reading lines ---- */

uint16_t
page_lines(const struct page *page)
{
    uint16_t n = tag_count(page);
    return n > 0 ? n - 1 : 0;
}

static bool
tag_in_bounds(const struct page *page, struct tag tag)
{
    uint32_t room = page_data_bytes(page->size) - TAG_BYTES * (uint32_t)tag_count(page);
    return (uint32_t)tag.ib + tag.cb <= room;
}

static bool
parse_node(const struct page *page, struct tag tag, struct node *node)
{
    struct cursor c = cursor_over(area(page) + tag.ib, tag.cb);
    *node = (struct node) {.flags = tag.flags};
    if (tag.flags & NODE_COMPRESSED) {
        struct span header = page_external_header(page);
        size_t prefix_cb = cursor_u16(&c) & KEY_MASK;
        if (prefix_cb > header.len)
            return false;
        node->prefix = span_of(header.data, prefix_cb);
    }
    size_t suffix_cb = cursor_u16(&c) & KEY_MASK;
    node->suffix = cursor_take(&c, suffix_cb);
    node->data = span_of(c.at, c.left);
    return !c.bad;
}

JET_ERR
page_node(const struct page *page, uint16_t line, struct node *node)
{
    if (line >= page_lines(page))
        return JET_errDatabaseCorrupted;
    struct tag tag = tag_get(page, line + 1);
    if (!tag_in_bounds(page, tag) || !parse_node(page, tag, node))
        return JET_errDatabaseCorrupted;
    return JET_errSuccess;
}

uint8_t
page_node_flags(const struct page *page, uint16_t line)
{
    return tag_get(page, line + 1).flags;
}

struct span
page_raw(const struct page *page, uint16_t line)
{
    struct tag tag = tag_get(page, line + 1);
    return span_of(area(page) + tag.ib, tag.cb);
}

struct span
page_external_header(const struct page *page)
{
    if (tag_count(page) == 0)
        return span_of(NULL, 0);
    struct tag tag = tag_get(page, 0);
    if (!tag_in_bounds(page, tag))
        return span_of(NULL, 0);
    return span_of(area(page) + tag.ib, tag.cb);
}

uint32_t
page_node_bytes(size_t prefix_cb, size_t suffix_cb, size_t data_cb)
{
    return (uint32_t)(TAG_BYTES + (prefix_cb ? 2 : 0) + 2 + suffix_cb + data_cb);
}

size_t
node_key_len(const struct node *node)
{
    return node->prefix.len + node->suffix.len;
}

size_t
node_key_copy(const struct node *node, uint8_t *buf)
{
    if (node->prefix.len)
        memcpy(buf, node->prefix.data, node->prefix.len);
    if (node->suffix.len)
        memcpy(buf + node->prefix.len, node->suffix.data, node->suffix.len);
    return node_key_len(node);
}

int
node_key_cmp(const struct node *node, struct span key)
{
    if (key.len < node->prefix.len) {
        int c = key.len ? memcmp(node->prefix.data, key.data, key.len) : 0;
        return c ? c : 1;
    }
    int c = node->prefix.len ? memcmp(node->prefix.data, key.data, node->prefix.len) : 0;
    if (c != 0)
        return c;
    return span_cmp(node->suffix, span_of(key.data + node->prefix.len, key.len - node->prefix.len));
}

/* ---- changing lines ---- */

/* Moves all data together, in tag order. */
static void
reorganize(struct page *page)
{
    uint8_t copy[PAGE_BYTES_MAX];
    uint32_t room = page_data_bytes(page->size);
    memcpy(copy, area(page), room);
    uint16_t at = 0;
    for (uint16_t i = 0; i < tag_count(page); i++) {
        uint8_t *t = tag_at(page, i);
        uint16_t mask = tag_mask(page);
        uint16_t cb = le16_get(t) & mask, word = le16_get(t + 2);
        memcpy(area(page) + at, copy + (word & mask), cb);
        le16_put(t, cb);
        le16_put(t + 2, (uint16_t)((word & ~mask) | at));
        at += cb;
    }
    set_mic_free(page, at);
}

/* Contiguous bytes at ibMicFree, for cb bytes of data and extra_tags more tags; NULL: too little.
 */
static uint8_t *
make_room(struct page *page, uint32_t cb, uint32_t extra_tags)
{
    uint32_t need = cb + TAG_BYTES * extra_tags;
    if (need > page_free(page))
        return NULL;
    uint32_t limit = page_data_bytes(page->size) - TAG_BYTES * tag_count(page);
    if (mic_free(page) + need > limit)
        reorganize(page);
    return area(page) + mic_free(page);
}

static void
write_node(uint8_t *at, uint16_t prefix_cb, struct span suffix, struct span data)
{
    if (prefix_cb) {
        le16_put(at, prefix_cb);
        at += 2;
    }
    le16_put(at, (uint16_t)suffix.len);
    at += 2;
    if (suffix.len)
        memcpy(at, suffix.data, suffix.len);
    if (data.len)
        memcpy(at + suffix.len, data.data, data.len);
}

/* Opens tag i for cb bytes at ibMicFree, whose bytes are in place. */
static void
insert_tag(struct page *page, uint16_t i, uint16_t cb, uint8_t flags)
{
    uint16_t n = tag_count(page);
    uint8_t *last = tag_at(page, n);
    memmove(last, last + TAG_BYTES, TAG_BYTES * (size_t)(n - i));
    set_tag_count(page, n + 1);
    tag_put(page, i, (struct tag) {cb, mic_free(page), flags});
    set_mic_free(page, (uint32_t)mic_free(page) + cb);
    set_free(page, (uint32_t)page_free(page) - cb - TAG_BYTES);
}

bool
page_insert(struct page *page, uint16_t line, uint16_t prefix_cb, struct span suffix,
            struct span data, uint8_t flags)
{
    if (line > page_lines(page) || suffix.len > KEY_MASK || tag_count(page) >= TAGS_MASK)
        return false;
    size_t cb = page_node_bytes(prefix_cb, suffix.len, data.len) - TAG_BYTES;
    if (cb > tag_mask(page))
        return false;
    uint8_t *at = make_room(page, (uint32_t)cb, 1);
    if (!at)
        return false;
    write_node(at, prefix_cb, suffix, data);
    flags = prefix_cb ? flags | NODE_COMPRESSED : flags & ~NODE_COMPRESSED;
    insert_tag(page, line + 1, (uint16_t)cb, flags);
    return true;
}

bool
page_insert_raw(struct page *page, uint16_t line, struct span raw, uint8_t flags)
{
    if (line > page_lines(page) || raw.len > tag_mask(page) || raw.len < 3 ||
        tag_count(page) >= TAGS_MASK)
        return false;
    uint8_t *at = make_room(page, (uint32_t)raw.len, 1);
    if (!at)
        return false;
    memcpy(at, raw.data, raw.len);
    insert_tag(page, line + 1, (uint16_t)raw.len, flags);
    return true;
}

/* Gives tag i new bytes: head kept from the old tag's start, then data. */
static bool
rewrite_tag(struct page *page, uint16_t i, uint16_t head, struct span data)
{
    struct tag tag = tag_get(page, i);
    uint32_t cb = head + (uint32_t)data.len;
    if (cb > tag_mask(page) || (cb > tag.cb && cb - tag.cb > page_free(page)))
        return false;
    uint8_t kept[PAGE_BYTES_MAX];
    if (cb > tag.cb) { /* give the old bytes up first: then a reorganize can use them */
        memcpy(kept, area(page) + tag.ib, head);
        uint16_t free_before = page_free(page);
        uint8_t *t = tag_at(page, i);
        le16_put(t, 0);
        le16_put(t + 2, (uint16_t)(le16_get(t + 2) & ~tag_mask(page)));
        set_free(page, (uint32_t)free_before + tag.cb);
        uint8_t *at = make_room(page, cb, 0);
        g_assert(at);
        memcpy(at, kept, head);
        tag.ib = mic_free(page);
        set_mic_free(page, (uint32_t)tag.ib + cb);
        set_free(page, (uint32_t)page_free(page) - cb);
    } else {
        set_free(page, (uint32_t)page_free(page) + tag.cb - cb);
    }
    if (data.len)
        memcpy(area(page) + tag.ib + head, data.data, data.len);
    tag.cb = (uint16_t)cb;
    tag_put(page, i, tag);
    return true;
}

bool
page_replace(struct page *page, uint16_t line, struct span data)
{
    struct node node;
    if (page_node(page, line, &node) < 0 || data.len == 0)
        return false;
    struct tag tag = tag_get(page, line + 1);
    return rewrite_tag(page, line + 1, (uint16_t)(tag.cb - node.data.len), data);
}

bool
page_delete(struct page *page, uint16_t line)
{
    if (line >= page_lines(page))
        return false;
    uint16_t n = tag_count(page), i = line + 1;
    struct tag tag = tag_get(page, i);
    uint8_t *last = tag_at(page, n - 1);
    memmove(last + TAG_BYTES, last, TAG_BYTES * (size_t)(n - 1 - i));
    memset(last, 0, TAG_BYTES);
    set_tag_count(page, n - 1);
    set_free(page, (uint32_t)page_free(page) + tag.cb + TAG_BYTES);
    if ((uint32_t)tag.ib + tag.cb == mic_free(page))
        set_mic_free(page, tag.ib);
    return true;
}

bool
page_set_node_flags(struct page *page, uint16_t line, uint8_t flags)
{
    if (line >= page_lines(page))
        return false;
    struct tag tag = tag_get(page, line + 1);
    tag.flags = (uint8_t)((flags & ~NODE_COMPRESSED) | (tag.flags & NODE_COMPRESSED));
    tag_put(page, line + 1, tag);
    return true;
}

bool
page_poke(struct page *page, uint16_t line, size_t offset, struct span bytes)
{
    struct node node;
    if (page_node(page, line, &node) < 0 || offset > node.data.len ||
        bytes.len > node.data.len - offset)
        return false;
    memcpy(page->data + (node.data.data - page->data) + offset, bytes.data, bytes.len);
    return true;
}

bool
page_set_external_header(struct page *page, struct span header)
{
    if (tag_count(page) == 0 || !tag_in_bounds(page, tag_get(page, 0)))
        return false;
    return rewrite_tag(page, 0, 0, header);
}

/* ---- checking ---- */

static const char *
check_flags(const struct page *page)
{
    uint32_t flags = page_flags(page);
    if ((flags & PAGE_FLAG_LEAF) && (flags & PAGE_FLAG_PARENT_OF_LEAF))
        return "both leaf and parent of leaves";
    if ((flags & PAGE_FLAG_INDEX) && (flags & PAGE_FLAG_LONG_VALUE))
        return "both index and long value";
    if (flags & PAGE_FLAG_REPAIRED)
        return "repaired page";
    return NULL;
}

static int
compare_tags(const void *a, const void *b)
{
    const struct tag *x = a, *y = b;
    return (x->ib > y->ib) - (x->ib < y->ib);
}

static const char *
check_tags(const struct page *page, struct tag *tags, uint16_t n)
{
    uint32_t total = 0, used = 0;
    for (uint16_t i = 0; i < n; i++) {
        struct tag tag = tag_get(page, i);
        if (tag.cb > 0 && (uint32_t)tag.ib + tag.cb > mic_free(page))
            return "tag outside of the used area";
        if (tag.cb == 0 && i > 0 && !(page_flags(page) & PAGE_FLAG_EMPTY))
            return "empty node";
        total += tag.cb;
        if (tag.cb > 0)
            tags[used++] = tag;
    }
    if (total + page_free(page) + TAG_BYTES * (uint32_t)n != page_data_bytes(page->size))
        return "free bytes do not add up";
    qsort(tags, used, sizeof(*tags), compare_tags);
    for (uint32_t i = 1; i < used; i++) {
        if ((uint32_t)tags[i - 1].ib + tags[i - 1].cb > tags[i].ib)
            return "tags overlap";
    }
    return NULL;
}

static const char *
check_nodes(const struct page *page)
{
    if (page_flags(page) & PAGE_FLAG_EMPTY)
        return NULL;
    uint16_t lines = page_lines(page);
    for (uint16_t line = 0; line < lines; line++) {
        struct node node;
        if (page_node(page, line, &node) < 0)
            return "node does not parse";
        if (node.data.len == 0)
            return "node without data";
        if (node_key_len(&node) == 0 && (page_is_leaf(page) || line + 1 < lines))
            return "node without key";
        if (!page_is_leaf(page) && node.data.len != 4)
            return "branch node without a child";
    }
    return NULL;
}

static const char *
find_fault(const struct page *page)
{
    uint16_t n = tag_count(page);
    if (page_flags(page) & PAGE_FLAG_PREINIT)
        return "pre-initialized, without content";
    if (n == 0)
        return "no tags";
    if (TAG_BYTES * (uint32_t)n > page_data_bytes(page->size) ||
        mic_free(page) > page_data_bytes(page->size) - TAG_BYTES * (uint32_t)n)
        return "used area and tags overlap";
    if (page_uncommitted_free(page) > page_free(page))
        return "uncommitted free bytes exceed the free ones";
    const char *why = check_flags(page);
    if (why)
        return why;
    struct tag *tags = g_try_new(struct tag, n);
    if (!tags)
        return "no memory to check the page";
    why = check_tags(page, tags, n);
    g_free(tags);
    return why ? why : check_nodes(page);
}

JET_ERR
page_check(const struct page *page, const char **why)
{
    const char *fault = find_fault(page);
    if (why)
        *why = fault;
    return fault ? JET_errDatabaseCorrupted : JET_errSuccess;
}
