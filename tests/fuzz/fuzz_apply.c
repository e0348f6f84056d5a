/* SPDX-License-Identifier: MIT */
/*
 * fuzz_apply: a page from disk, and a log record applied to it. What page_check accepts is read
 * everywhere, before the record and after; the record may be refused.
 *
 * Input: 4096 bytes of page, then a record, its page fields as they are.
 */
#include <string.h>

#include "btree/apply.h"
#include "btree/node.h"
#include "fuzz.h"
#include "log/record.h"
#include "page/page.h"

#define SIZE 4096

/* Sums over all a reader would touch, so that nothing is optimized away. */
static volatile unsigned sink;

static void
read_everything(const struct page *page)
{
    static uint8_t key[65536];
    unsigned sum = 0;
    for (uint16_t i = 0; i < page_lines(page); i++) {
        struct node n;
        if (page_node(page, i, &n) < 0)
            continue;
        if (node_key_len(&n) < sizeof(key))
            sum += (unsigned)node_key_copy(&n, key);
        for (size_t k = 0; k < n.data.len; k++)
            sum += n.data.data[k];
        sum += node_child(&n);
    }
    sink = sum + (unsigned)page_external_header(page).len;
}

static JET_ERR
apply_split(struct page *page, const struct lr *lr)
{
    static uint8_t fresh_bytes[SIZE];
    struct page fresh;
    page_init(&fresh, fresh_bytes, SIZE, lr->split.pgno_new);
    struct span op_key = span_of("new key", 7);
    JET_ERR err = apply_split_new(&fresh, page, lr, op_key);
    if (err < 0)
        return err;
    read_everything(&fresh);
    err = apply_split_source(page, lr);
    if (err >= 0)
        err = apply_split_right(page, lr);
    return err;
}

static JET_ERR
apply(struct page *page, const struct lr *lr)
{
    uint16_t line = lr->page.iline;
    static uint8_t out[SIZE], key[2 * 65536];
    struct node n;
    size_t size;
    switch (lr->type) {
    case LR_INSERT:
        if (lr->insert.prefix.len > 0)
            memcpy(key, lr->insert.prefix.data, lr->insert.prefix.len);
        if (lr->insert.suffix.len > 0)
            memcpy(key + lr->insert.prefix.len, lr->insert.suffix.data, lr->insert.suffix.len);
        return apply_insert(page, line, span_of(key, lr->insert.prefix.len + lr->insert.suffix.len),
                            (uint16_t)lr->insert.prefix.len, lr->insert.data, true);
    case LR_FLAG_INSERT:
        return apply_flag_insert(page, line, true);
    case LR_FIARD:
        return apply_flag_insert_replace(page, line, lr->flag_insert.data, true);
    case LR_FLAG_DELETE:
        return apply_flag_delete(page, line, true);
    case LR_REPLACE:
        return apply_replace(page, line, lr->replace.data, true);
    case LR_REPLACE_D:
        if (page_node(page, line, &n) < 0 || lr_apply_diff(lr, n.data, out, SIZE, &size) < 0)
            return JET_errLogFileCorrupt;
        return apply_replace(page, line, span_of(out, size), true);
    case LR_DELETE:
        return apply_delete(page, line);
    case LR_DELTA:
        return apply_delta(page, line, lr->delta.offset, (int32_t)lr->delta.delta, true);
    case LR_SET_EXT_HEADER:
        return apply_external_header(page, lr->ext_header.data);
    case LR_SPLIT2:
        return lr->page.level & 1 ? apply_split_parent(page, lr) : apply_split(page, lr);
    case LR_MERGE2:
        return apply_merge_page(page, lr, lr->merge.key_parent_sep);
    case LR_EMPTY_TREE:
        return lr->page.level & 1 ? apply_empty_page(page) : apply_empty_root(page);
    default:
        return JET_errLogFileCorrupt;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct page page;
    struct lr lr;
    if (len < SIZE)
        return 0;
    g_autofree uint8_t *bytes = g_memdup2(data, SIZE);
    page_init(&page, bytes, SIZE, 7);
    if (page_check(&page, NULL) < 0)
        return 0;
    read_everything(&page);
    if (lr_decode(data + SIZE, len - SIZE, &lr, NULL) < 0 || apply(&page, &lr) < 0)
        return 0;
    read_everything(&page);
    return 0;
}

/* A page with a few nodes, and one record of each type that fits it. */
static void
seed_page(struct page *page)
{
    page_format(page, 9, PAGE_FLAG_LEAF);
    page_set_dbtime(page, 50);
    for (uint16_t i = 0; i < 12; i++) {
        uint8_t key[3] = {'k', (uint8_t)(i >> 8), (uint8_t)i}, data[100];
        memset(data, i, sizeof(data));
        FUZZ_HOLDS(page_insert(page, i, 0, span_of(key, 3), span_of(data, 4 + i * 7), 0));
    }
}

bool
fuzz_seed(unsigned i, GByteArray *out)
{
    static const uint8_t types[] = {LR_INSERT,     LR_FLAG_INSERT,    LR_FIARD,  LR_FLAG_DELETE,
                                    LR_REPLACE,    LR_REPLACE_D,      LR_DELETE, LR_DELTA,
                                    LR_EMPTY_TREE, LR_SET_EXT_HEADER, LR_SPLIT2, LR_MERGE2};
    uint8_t bytes[SIZE] = {0}, record[1024];
    struct page page;
    if (i >= 3 * G_N_ELEMENTS(types))
        return false;
    page_init(&page, bytes, SIZE, 7);
    seed_page(&page);
    struct span some = span_of("0123456789", 10);
    struct lr lr = {.type = types[i / 3],
                    .page = {.procid = 1,
                             .dbid = 1,
                             .pgno = 7,
                             .dbtime = 60,
                             .dbtime_before = 50,
                             .level = (uint8_t)i,
                             .iline = (uint16_t)(i * 3 % 12),
                             .flags = 1},
                    .node = {5, 4, 9}};
    switch (lr.type) {
    case LR_INSERT:
        lr.insert.suffix = lr.insert.data = some;
        break;
    case LR_FLAG_INSERT:
    case LR_FIARD:
        lr.flag_insert.key = lr.flag_insert.data = some;
        break;
    case LR_REPLACE:
    case LR_REPLACE_D:
        lr.replace.data = lr.type == LR_REPLACE ? some : span_of("\0\40\2XY", 5);
        lr.replace.new_len = (uint16_t)(lr.type == LR_REPLACE ? 10 : 4 + lr.page.iline * 7);
        break;
    case LR_SET_EXT_HEADER:
        lr.ext_header.data = some;
        break;
    case LR_SPLIT2:
        lr.split.pgno_new = 8;
        lr.split.pgno_right = 6;
        lr.split.type = i % 3;
        lr.split.iline_split = lr.split.type == LR_SPLIT_RIGHT ? 6 : 0;
        lr.split.clines = 12;
        lr.split.flags_new = lr.split.flags_split = PAGE_FLAG_LEAF;
        lr.split.iline_prefix_new = lr.split.iline_prefix_split = -1;
        lr.split.key_parent = some;
        break;
    case LR_MERGE2:
        lr.merge.flags = (uint8_t)(1 << i % 3);
        lr.merge.key_parent_sep = some;
        break;
    default:
        break;
    }
    g_byte_array_append(out, bytes, SIZE);
    g_byte_array_append(out, record, (guint)lr_encode_flat(&lr, record, sizeof(record)));
    return true;
}
