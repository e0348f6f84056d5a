/* SPDX-License-Identifier: MIT */
#include "json_get.h"
#include "pagemap.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define PAGE 4096u

/* A database of so many pages, of which nothing was served. */
static struct backup_file *
make_file(uint32_t pages)
{
    struct backup_file *file = g_new0(struct backup_file, 1);
    g_mutex_init(&file->lock);
    file->kind = FILE_DATABASE;
    file->pages = pages;
    file->page_bytes = PAGE;
    file->size = ((uint64_t)pages + 3) * PAGE;
    file->served = served_new(file->size);
    file->bad_pages = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    return file;
}

static void
free_file(struct backup_file *file)
{
    served_free(file->served);
    g_array_unref(file->bad_pages);
    g_free(file->preserved);
    g_mutex_clear(&file->lock);
    g_free(file);
}

static void
look(struct backup_file *file)
{
    struct backup b = {.files = g_ptr_array_new()};
    g_ptr_array_add(b.files, file);
    pagemap_look(&b);
    g_ptr_array_unref(b.files);
}

/* What is written and read back. */
static struct pagemap
round_trip(struct backup_file *file)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    struct pagemap map;
    json_builder_begin_object(b);
    pagemap_to_json(file, b);
    json_builder_end_object(b);
    g_autoptr(JsonNode) root = json_builder_get_root(b);
    assert_true(pagemap_parse(json_get_object(json_node_get_object(root), "map"), &map));
    return map;
}

static void
test_cells_tell_served_preserved_bad(void **state)
{
    struct backup_file *file = make_file(10);
    uint32_t bad = 9;
    look(file);
    assert_int_equal(file->n_cells, 10);
    served_add(file->served, 0, 4 * PAGE + 10);
    file->preserved = g_new0(uint32_t, 10);
    file->preserved[1] = file->preserved[2] = file->preserved[5] = 1;
    g_array_append_val(file->bad_pages, bad);
    struct pagemap map = round_trip(file);
    assert_string_equal(map.cells, "=Pp..o..!.");
    assert_int_equal(map.pages, 10);
    g_free(map.cells);
    free_file(file);
}

static void
test_large_database_gets_no_more_than_4096_cells(void **state)
{
    static const uint32_t sizes[] = {4095, 4096, 4097, 8191, 100000, 0xfffffff0};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        struct backup_file *file = make_file(sizes[i]);
        look(file);
        struct pagemap map = round_trip(file);
        assert_in_range(strlen(map.cells), 2048, 4096);
        assert_true(map.cell * strlen(map.cells) >= sizes[i]);
        assert_true(map.cell * (strlen(map.cells) - 1) < sizes[i]);
        g_free(map.cells);
        free_file(file);
    }
}

static void
test_databases_share_the_cells(void **state)
{
    struct backup_file *files[] = {make_file(1000000), make_file(10), make_file(500000)};
    struct backup b = {.files = g_ptr_array_new()};
    size_t cells = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
        g_ptr_array_add(b.files, files[i]);
    pagemap_look(&b);
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        struct pagemap map = round_trip(files[i]);
        cells += strlen(map.cells);
        g_free(map.cells);
        free_file(files[i]);
    }
    assert_in_range(cells, 2048, 4096 + G_N_ELEMENTS(files));
    g_ptr_array_unref(b.files);
}

static void
test_nonsense_is_no_map(void **state)
{
    static const char *const runs[] = {
        "", "=", "5", "5=x", "-3=", "0=", "5?", "9999=", "4096=1=", "99999999999999999999="};
    for (size_t i = 0; i < G_N_ELEMENTS(runs); i++) {
        JsonObject *object = json_object_new();
        struct pagemap map;
        json_object_set_int_member(object, "pages", 10);
        json_object_set_int_member(object, "cell", 1);
        json_object_set_string_member(object, "runs", runs[i]);
        assert_false(pagemap_parse(object, &map));
        json_object_unref(object);
    }
    struct pagemap map;
    assert_false(pagemap_parse(NULL, &map));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells_tell_served_preserved_bad),
        cmocka_unit_test(test_large_database_gets_no_more_than_4096_cells),
        cmocka_unit_test(test_databases_share_the_cells),
        cmocka_unit_test(test_nonsense_is_no_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
