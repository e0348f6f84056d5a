/* SPDX-License-Identifier: MIT */
/* page: random changes against a simple model, on every page size; checks catch damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "page/page.h"

struct model_node {
    uint8_t *key, *data;
    size_t key_cb, data_cb;
    uint8_t flags;
};

static void
free_model_node(void *p)
{
    struct model_node *n = p;
    g_free(n->key);
    g_free(n->data);
    g_free(n);
}

static uint8_t *
random_bytes(GRand *rand, size_t n)
{
    uint8_t *b = g_malloc(n ? n : 1);
    for (size_t i = 0; i < n; i++)
        b[i] = (uint8_t)g_rand_int(rand);
    return b;
}

static void
assert_same(const struct page *page, GPtrArray *model)
{
    const char *why = NULL;
    if (page_check(page, &why) < 0)
        fail_msg("page_check: %s", why);
    assert_int_equal(page_lines(page), model->len);
    uint32_t used = 4 + (uint32_t)page_external_header(page).len;
    for (uint16_t i = 0; i < model->len; i++) {
        struct model_node *m = model->pdata[i];
        struct node node;
        assert_int_equal(page_node(page, i, &node), 0);
        assert_int_equal(node.suffix.len, m->key_cb);
        assert_memory_equal(node.suffix.data, m->key, m->key_cb);
        assert_int_equal(node.data.len, m->data_cb);
        assert_memory_equal(node.data.data, m->data, m->data_cb);
        assert_int_equal(node.flags, m->flags);
        used += page_node_bytes(0, m->key_cb, m->data_cb);
    }
    assert_int_equal(used + page_free(page), page_data_bytes(page->size));
}

static void
random_insert(struct page *page, GPtrArray *model, GRand *rand)
{
    struct model_node *m = g_new0(struct model_node, 1);
    m->key_cb = (size_t)g_rand_int_range(rand, 1, 30);
    m->data_cb = (size_t)g_rand_int_range(rand, 1, 300);
    m->key = random_bytes(rand, m->key_cb);
    m->data = random_bytes(rand, m->data_cb);
    m->flags = (uint8_t)g_rand_int_range(rand, 0, 4);
    uint16_t line = (uint16_t)g_rand_int_range(rand, 0, (int)model->len + 1);
    bool fits = page_node_bytes(0, m->key_cb, m->data_cb) <= page_free(page);
    assert_int_equal(page_insert(page, line, 0, span_of(m->key, m->key_cb),
                                 span_of(m->data, m->data_cb), m->flags),
                     fits);
    if (fits)
        g_ptr_array_insert(model, line, m);
    else
        free_model_node(m);
}

static void
random_replace(struct page *page, GPtrArray *model, GRand *rand)
{
    uint16_t line = (uint16_t)g_rand_int_range(rand, 0, (int)model->len);
    struct model_node *m = model->pdata[line];
    size_t n = (size_t)g_rand_int_range(rand, 1, 400);
    uint8_t *data = random_bytes(rand, n);
    bool fits = n <= m->data_cb || n - m->data_cb <= page_free(page);
    assert_int_equal(page_replace(page, line, span_of(data, n)), fits);
    if (fits) {
        g_free(m->data);
        m->data = data;
        m->data_cb = n;
    } else {
        g_free(data);
    }
}

static void
random_change(struct page *page, GPtrArray *model, GRand *rand)
{
    int what = g_rand_int_range(rand, 0, 10);
    if (what < 5 || model->len == 0) {
        random_insert(page, model, rand);
    } else if (what < 7) {
        random_replace(page, model, rand);
    } else if (what < 8) {
        uint16_t line = (uint16_t)g_rand_int_range(rand, 0, (int)model->len);
        struct model_node *m = model->pdata[line];
        m->flags ^= NODE_DELETED;
        assert_true(page_set_node_flags(page, line, m->flags));
    } else if (what < 9) {
        uint8_t header[40];
        size_t n = (size_t)g_rand_int_range(rand, 0, 40);
        memset(header, 7, n);
        (void)page_set_external_header(page, span_of(header, n));
    } else {
        uint16_t line = (uint16_t)g_rand_int_range(rand, 0, (int)model->len);
        assert_true(page_delete(page, line));
        g_ptr_array_remove_index(model, line);
    }
}

static void
run_random(uint32_t size, uint32_t seed)
{
    g_autofree uint8_t *image = g_malloc0(size);
    struct page page;
    page_init(&page, image, size, 9);
    page_format(&page, 3, PAGE_FLAG_LEAF);
    GPtrArray *model = g_ptr_array_new_with_free_func(free_model_node);
    GRand *rand = g_rand_new_with_seed(seed);
    for (int i = 0; i < 1500; i++) {
        random_change(&page, model, rand);
        assert_same(&page, model);
    }
    g_rand_free(rand);
    g_ptr_array_unref(model);
}

static void
test_random_changes_match_model(void **state)
{
    for (uint32_t size = PAGE_BYTES_MIN; size <= PAGE_BYTES_MAX; size *= 2)
        run_random(size, size + 1);
}

static void
test_verify_after_stamp_succeeds_and_repairs_any_single_bit(void **state)
{
    for (uint32_t size = PAGE_BYTES_MIN; size <= PAGE_BYTES_MAX; size *= 2) {
        g_autofree uint8_t *image = g_malloc0(size);
        struct page page;
        page_init(&page, image, size, 77);
        page_format(&page, 3, PAGE_FLAG_LEAF);
        assert_true(page_insert(&page, 0, 0, span_of("key", 3), span_of("data", 4), 0));
        page_stamp(image, size, 77);
        assert_int_equal(page_verify(image, size, 77, NULL), JET_errSuccess);
        for (uint32_t bit = (page_is_large(size) ? 64 : 8) * 8; bit < size * 8; bit += 997) {
            bool repaired = false;
            image[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(page_verify(image, size, 77, &repaired), JET_errSuccess);
            assert_true(repaired);
        }
        image[300] ^= 3;
        assert_int_equal(page_verify(image, size, 77, NULL), JET_errReadVerifyFailure);
    }
}

static void
test_verify_of_another_page_fails(void **state)
{
    for (uint32_t size = PAGE_BYTES_MIN; size <= PAGE_BYTES_MAX; size *= 2) {
        g_autofree uint8_t *image = g_malloc0(size);
        struct page page;
        page_init(&page, image, size, 8);
        page_format(&page, 3, PAGE_FLAG_LEAF);
        page_stamp(image, size, 8);
        assert_int_equal(page_verify(image, size, 10, NULL), page_is_large(size)
                                                                 ? JET_errReadPgnoVerifyFailure
                                                                 : JET_errReadVerifyFailure);
    }
}

static void
test_verify_of_zero_page_is_not_initialized(void **state)
{
    uint8_t image[PAGE_BYTES_MIN] = {0};
    assert_int_equal(page_verify(image, sizeof(image), 1, NULL), JET_errPageNotInitialized);
}

/* Any damage to header and tags is an error or a page that still checks: never a read outside. */
static void
test_damaged_page_is_never_read_out_of_bounds(void **state)
{
    GRand *rand = g_rand_new_with_seed(5);
    for (int round = 0; round < 3000; round++) {
        uint32_t size = PAGE_BYTES_MIN << g_rand_int_range(rand, 0, 4);
        g_autofree uint8_t *image = g_malloc0(size);
        struct page page;
        page_init(&page, image, size, 8);
        page_format(&page, 3, PAGE_FLAG_LEAF);
        for (uint16_t i = 0; i < 20; i++)
            assert_true(page_insert(&page, i, 0, span_of("0123456789", 5), span_of("abc", 3), 0));
        for (int i = 0; i < 3; i++) {
            uint32_t at = g_rand_boolean(rand) ? (uint32_t)g_rand_int_range(rand, 28, 40)
                                               : size - (uint32_t)g_rand_int_range(rand, 1, 90);
            image[at] = (uint8_t)g_rand_int(rand);
        }
        if (page_check(&page, NULL) < 0 || (page_flags(&page) & PAGE_FLAG_EMPTY))
            continue;
        for (uint16_t i = 0; i < page_lines(&page); i++) {
            struct node node;
            assert_int_equal(page_node(&page, i, &node), 0);
        }
    }
    g_rand_free(rand);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_changes_match_model),
        cmocka_unit_test(test_verify_after_stamp_succeeds_and_repairs_any_single_bit),
        cmocka_unit_test(test_verify_of_another_page_fails),
        cmocka_unit_test(test_verify_of_zero_page_is_not_initialized),
        cmocka_unit_test(test_damaged_page_is_never_read_out_of_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
