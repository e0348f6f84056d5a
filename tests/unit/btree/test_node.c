/* SPDX-License-Identifier: MIT */
/*
 * Order in a page, separators between pages, and changes of pages by records that do not fit them.
 */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "btree/apply.h"
#include "btree/node.h"
#include "log/record.h"

static uint32_t seed = 1;

static uint32_t
rnd(uint32_t n)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 8) % n;
}

static struct span
random_key(uint8_t buf[12])
{
    size_t n = 1 + rnd(12);
    for (size_t i = 0; i < n; i++)
        buf[i] = (uint8_t)rnd(3);
    return span_of(buf, n);
}

/* Concatenation, as separators are compared. */
static int
cmp_whole(const struct bookmark *bm, struct span sep)
{
    uint8_t whole[64];
    memcpy(whole, bm->key.data, bm->key.len);
    if (bm->data.len)
        memcpy(whole + bm->key.len, bm->data.data, bm->data.len);
    return span_cmp(span_of(whole, bm->key.len + bm->data.len), sep);
}

static void
test_separator_when_unique_parts_the_keys_and_is_shortest(void **state)
{
    for (int i = 0; i < 20000; i++) {
        uint8_t a[12], b[12], out[NODE_KEY_MAX];
        struct bookmark l = {random_key(a), {0}}, r = {random_key(b), {0}};
        if (span_cmp(l.key, r.key) >= 0)
            continue;
        struct span sep = node_separator(true, &l, &r, out);
        assert_true(span_cmp(l.key, sep) < 0);
        assert_true(span_cmp(sep, r.key) <= 0);
        assert_true(span_cmp(l.key, span_of(sep.data, sep.len - 1)) >= 0);
    }
}

static void
test_separator_when_keys_are_equal_goes_into_the_data(void **state)
{
    for (int i = 0; i < 20000; i++) {
        uint8_t a[12], b[12], out[NODE_KEY_MAX];
        static const uint8_t key[] = "samekey";
        struct bookmark l = {span_of(key, 7), random_key(a)}, r = {span_of(key, 7), random_key(b)};
        if (span_cmp(l.data, r.data) >= 0)
            continue;
        struct span sep = node_separator(false, &l, &r, out);
        assert_true(cmp_whole(&l, sep) < 0);
        assert_true(cmp_whole(&r, sep) >= 0);
    }
}

static void
make_page(struct page *page, uint8_t *bytes, uint32_t size, uint32_t flags)
{
    memset(bytes, 0, size);
    page_init(page, bytes, size, 7);
    page_format(page, 9, flags);
}

static void
test_find_when_prefixes_are_stored_agrees_with_order(void **state)
{
    uint8_t bytes[4096], prefix[] = {1, 1, 1, 1, 1, 1};
    struct page page;
    make_page(&page, bytes, sizeof bytes, PAGE_FLAG_LEAF);
    assert_true(page_set_external_header(&page, span_of(prefix, 6)));
    for (uint8_t i = 0; i < 60; i++) {
        uint8_t rest[2] = {(uint8_t)(i * 4), 0};
        bool packed = i % 2;
        uint8_t whole[8] = {1, 1, 1, 1, 1, 1, rest[0], 0};
        assert_true(page_insert(&page, i, packed ? 6 : 0,
                                packed ? span_of(rest, 2) : span_of(whole, 8), span_of("d", 1),
                                packed ? NODE_COMPRESSED : 0));
    }
    for (uint32_t k = 0; k < 256; k++) {
        uint8_t key[8] = {1, 1, 1, 1, 1, 1, (uint8_t)k, 0};
        struct bookmark bm = {span_of(key, 8), span_of(NULL, 0)};
        uint16_t line;
        bool exact;
        assert_int_equal(node_find(&page, true, &bm, &line, &exact), 0);
        assert_int_equal(line, MIN((k + 3) / 4, 60));
        assert_int_equal(exact, k % 4 == 0 && k < 240);
    }
}

static void
test_find_child_when_last_key_is_empty_ends_there(void **state)
{
    uint8_t bytes[4096];
    struct page page;
    make_page(&page, bytes, sizeof bytes, PAGE_FLAG_PARENT_OF_LEAF);
    for (uint8_t i = 0; i < 10; i++) {
        uint8_t key[1] = {(uint8_t)(i * 10 + 10)}, child[4] = {i};
        assert_true(page_insert(&page, i, 0, span_of(key, i < 9 ? 1 : 0), span_of(child, 4), 0));
    }
    for (uint32_t k = 0; k < 256; k++) {
        uint8_t key[1] = {(uint8_t)k};
        struct bookmark bm = {span_of(key, 1), span_of(NULL, 0)};
        uint16_t line;
        assert_int_equal(node_find_child(&page, true, &bm, &line), 0);
        assert_int_equal(line, MIN(k / 10, 9)); /* a key equal to a separator lies right of it */
    }
}

/* ---- records that do not fit ---- */

static void
random_page(struct page *page, uint8_t *bytes)
{
    static const uint32_t kinds[] = {PAGE_FLAG_LEAF, PAGE_FLAG_PARENT_OF_LEAF,
                                     PAGE_FLAG_ROOT | PAGE_FLAG_LEAF, 0};
    make_page(page, bytes, 4096, kinds[rnd(4)]);
    uint32_t n = rnd(40);
    for (uint16_t i = 0; i < n; i++) {
        uint8_t key[12], data[200] = {0};
        bool leaf = page_is_leaf(page);
        if (leaf)
            page_insert(page, i, 0, random_key(key), span_of(data, 1 + rnd(199)), (uint8_t)rnd(4));
        else
            page_insert(page, i, 0, random_key(key), span_of(data, 4), 0);
    }
}

static void
random_record(struct lr *lr, uint8_t *bytes)
{
    static const uint8_t types[] = {LR_SPLIT2, LR_MERGE2};
    *lr = (struct lr) {.type = types[rnd(2)]};
    lr->page.iline = (uint16_t)rnd(60);
    if (lr->type == LR_MERGE2) {
        lr->merge.flags = (uint8_t)rnd(8);
        return;
    }
    lr->split.pgno_new = rnd(5);
    lr->split.type = (uint8_t)rnd(3);
    lr->split.oper = (uint8_t)rnd(4);
    lr->split.iline_oper = (uint16_t)rnd(60);
    lr->split.iline_split = (uint16_t)rnd(60);
    lr->split.iline_prefix_new = (int32_t)rnd(62) - 1;
    lr->split.flags_new = rnd(2) ? PAGE_FLAG_LEAF : 0;
    lr->split.flags_split = rnd(2) ? PAGE_FLAG_LEAF : PAGE_FLAG_PARENT_OF_LEAF;
    lr->split.key_parent = random_key(bytes);
    lr->split.prefix_new = rnd(2) ? random_key(bytes + 12) : span_of(NULL, 0);
}

static void
assert_code(JET_ERR err)
{
    assert_true(err == JET_errSuccess || err == JET_errLogFileCorrupt);
}

static void
test_apply_when_the_record_is_wrong_says_so_and_stays_in_the_page(void **state)
{
    g_autofree uint8_t *a = g_malloc(4096), *b = g_malloc(4096);
    for (int i = 0; i < 30000; i++) {
        struct page page, fresh;
        struct lr lr;
        uint8_t key[12], spans[24], data[300] = {1};
        random_page(&page, a);
        make_page(&fresh, b, 4096, 0);
        random_record(&lr, spans);
        uint16_t line = (uint16_t)rnd(60);
        struct span d = span_of(data, 1 + rnd(299));
        switch (rnd(10)) {
        case 0:
            assert_code(apply_insert(&page, line, random_key(key), 0, d, true));
            break;
        case 1:
            assert_code(apply_flag_insert_replace(&page, line, d, true));
            break;
        case 2:
            assert_code(apply_replace(&page, line, d, false));
            break;
        case 3:
            assert_code(apply_delete(&page, line));
            break;
        case 4:
            assert_code(apply_delta(&page, line, (uint16_t)rnd(300), 5, true));
            break;
        case 5:
            assert_code(apply_set_deleted(&page, line, rnd(2)));
            break;
        case 6:
            if (lr.type == LR_SPLIT2)
                assert_code(apply_split_new(&fresh, &page, &lr, random_key(key)));
            break;
        case 7:
            if (lr.type == LR_SPLIT2)
                assert_code(apply_split_source(&page, &lr));
            break;
        case 8:
            if (lr.type == LR_SPLIT2)
                assert_code(apply_split_parent(&page, &lr));
            break;
        default:
            if (lr.type == LR_MERGE2)
                assert_code(apply_merge_page(&page, &lr, random_key(key)));
        }
        const char *why = NULL;
        if (page_lines(&page) > 0 && page_check(&page, &why) < 0)
            fail_msg("page damaged: %s", why);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_separator_when_unique_parts_the_keys_and_is_shortest),
        cmocka_unit_test(test_separator_when_keys_are_equal_goes_into_the_data),
        cmocka_unit_test(test_find_when_prefixes_are_stored_agrees_with_order),
        cmocka_unit_test(test_find_child_when_last_key_is_empty_ends_there),
        cmocka_unit_test(test_apply_when_the_record_is_wrong_says_so_and_stays_in_the_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
