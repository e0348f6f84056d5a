/* SPDX-License-Identifier: MIT */
/* dbheader: what Windows wrote decodes and comes back byte for byte; what is no header is told
 * apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "page/checksum.h"
#include "page/dbheader.h"

/* A good header page in `image`, room for PAGE_BYTES_MAX. */
static struct dbheader
make_header(uint8_t *image, uint32_t page_bytes)
{
    struct dbheader h;
    dbheader_init(&h, page_bytes);
    dbheader_encode(&h, image, page_bytes);
    return h;
}

/* Decodes `image` with its checksum put right after a change of fields. */
static JET_ERR
decode_restamped(uint8_t *image, size_t len)
{
    struct dbheader h;
    le32_put(image, checksum_header(image, 4096));
    return dbheader_decode(image, len, &h);
}

static void
test_new_header_comes_back_on_every_page_size(void **state)
{
    for (uint32_t bytes = 4096; bytes <= 32768; bytes *= 2) {
        g_autofree uint8_t *image = g_malloc(bytes);
        struct dbheader h = make_header(image, bytes), back;
        assert_int_equal(dbheader_decode(image, bytes, &back), JET_errSuccess);
        assert_int_equal(dbheader_page_bytes(&back), bytes);
        assert_memory_equal(back.bytes + 4, h.bytes + 4, DBHEADER_BYTES - 4);
        assert_true(checksum_is_zero(image + 752, bytes - 752));
    }
}

static void
test_new_header_has_the_fields_of_a_new_database(void **state)
{
    struct dbheader h;
    dbheader_init(&h, 8192);
    assert_int_equal(dbheader_u32(&h, DBH_VERSION), 0x620);
    assert_int_equal(dbheader_u32(&h, DBH_UPDATE_MAJOR), 20);
    assert_int_equal(dbheader_u32(&h, DBH_ATTRIB), 0);
    assert_int_equal(dbheader_u32(&h, DBH_FILETYPE), 1);
    assert_int_equal(dbheader_u32(&h, DBH_DBSTATE), DBSTATE_JUST_CREATED);
    assert_true(dbheader_u64(&h, DBH_SORT_VERSION) == UINT64_MAX);
}

static void
test_decode_of_zeros_is_a_bad_read(void **state)
{
    uint8_t image[4096] = {0};
    struct dbheader h;
    assert_int_equal(dbheader_decode(image, sizeof(image), &h), JET_errReadVerifyFailure);
}

static void
test_decode_of_any_flipped_bit_fails(void **state)
{
    uint8_t image[4096];
    make_header(image, sizeof(image));
    for (size_t bit = 0; bit < sizeof(image) * 8; bit += 7) {
        struct dbheader h;
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_true(dbheader_decode(image, sizeof(image), &h) < 0);
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void
test_decode_failure_leaves_output_alone(void **state)
{
    uint8_t image[4096];
    struct dbheader h, before;
    make_header(image, sizeof(image));
    image[500] ^= 1;
    memset(&h, 0x5a, sizeof(h));
    before = h;
    assert_int_equal(dbheader_decode(image, sizeof(image), &h), JET_errReadVerifyFailure);
    assert_memory_equal(&h, &before, sizeof(h));
}

static void
test_decode_with_foreign_magic_is_corrupt(void **state)
{
    uint8_t image[4096];
    make_header(image, sizeof(image));
    le32_put(image + DBH_MAGIC, 0x12345678);
    assert_int_equal(decode_restamped(image, sizeof(image)), JET_errDatabaseCorrupted);
}

static void
test_decode_with_impossible_page_size_is_corrupt(void **state)
{
    static const uint32_t sizes[] = {1, 2048, 4097, 12288, 65536, UINT32_MAX};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        uint8_t image[4096];
        make_header(image, sizeof(image));
        le32_put(image + DBH_PAGE_BYTES, sizes[i]);
        assert_int_equal(decode_restamped(image, sizeof(image)), JET_errDatabaseCorrupted);
    }
}

static void
test_decode_of_a_part_of_a_larger_page_is_page_size_mismatch(void **state)
{
    g_autofree uint8_t *image = g_malloc(32768);
    struct dbheader h;
    make_header(image, 32768);
    assert_int_equal(dbheader_decode(image, 4096, &h), JET_errPageSizeMismatch);
    assert_int_equal(dbheader_decode(image, 16384, &h), JET_errPageSizeMismatch);
}

static void
test_decode_of_less_than_a_page_is_corrupt(void **state)
{
    uint8_t image[4096];
    struct dbheader h;
    make_header(image, sizeof(image));
    assert_int_equal(dbheader_decode(image, 748, &h), JET_errDatabaseCorrupted);
    assert_int_equal(dbheader_decode(image, 0, &h), JET_errDatabaseCorrupted);
}

static void
test_decode_of_another_kind_of_file_is_invalid_type(void **state)
{
    uint8_t image[4096];
    make_header(image, sizeof(image));
    le32_put(image + DBH_FILETYPE, 2);
    assert_int_equal(decode_restamped(image, sizeof(image)), JET_errFileInvalidType);
    make_header(image, sizeof(image));
    le32_put(image + DBH_ATTRIB, 1);
    assert_int_equal(decode_restamped(image, sizeof(image)), JET_errFileInvalidType);
}

static void
test_decode_of_unknown_version_is_invalid_version(void **state)
{
    uint8_t image[4096];
    make_header(image, sizeof(image));
    le32_put(image + DBH_VERSION, 0x623);
    assert_int_equal(decode_restamped(image, sizeof(image)), JET_errInvalidDatabaseVersion);
    make_header(image, sizeof(image));
    le32_put(image + DBH_UPDATE_MAJOR, DBHEADER_UPDATE_MAX + 1);
    assert_int_equal(decode_restamped(image, sizeof(image)), JET_errInvalidDatabaseVersion);
}

static void
test_decode_of_page_size_zero_is_4096(void **state)
{
    uint8_t image[4096];
    make_header(image, sizeof(image));
    le32_put(image + DBH_PAGE_BYTES, 0);
    assert_int_equal(decode_restamped(image, sizeof(image)), JET_errSuccess);
}

static void
test_dirty_then_clean_moves_state_and_generations_together(void **state)
{
    struct dbheader h;
    dbheader_init(&h, 4096);
    dbheader_set_dirty(&h, 5, 7);
    assert_int_equal(dbheader_u32(&h, DBH_DBSTATE), DBSTATE_DIRTY);
    assert_int_equal(dbheader_u32(&h, DBH_GEN_MIN_REQUIRED), 5);
    assert_int_equal(dbheader_u32(&h, DBH_GEN_MAX_REQUIRED), 7);
    assert_int_equal(dbheader_u32(&h, DBH_GEN_MAX_COMMITTED), 7);
    assert_int_equal(dbheader_u32(&h, DBH_GEN_MIN_CONSISTENT), 0); /* a later format's field */
    dbheader_set_u64(&h, DBH_TIME_GEN_MAX_CREATE, 99);
    dbheader_set_clean(&h);
    assert_int_equal(dbheader_u32(&h, DBH_DBSTATE), DBSTATE_CLEAN);
    assert_int_equal(dbheader_u32(&h, DBH_GEN_MIN_REQUIRED), 0);
    assert_int_equal(dbheader_u32(&h, DBH_GEN_MAX_REQUIRED), 0);
    assert_int_equal(dbheader_u32(&h, DBH_GEN_MAX_COMMITTED), 0);
    assert_true(dbheader_u64(&h, DBH_TIME_GEN_MAX_CREATE) == 0);
}

static void
test_dirty_of_a_later_format_sets_its_own_fields(void **state)
{
    struct dbheader h;
    dbheader_init(&h, 4096);
    dbheader_set_u32(&h, DBH_UPDATE_MAJOR, DBHEADER_UPDATE_MAX);
    dbheader_set_dirty(&h, 5, 7);
    assert_int_equal(dbheader_u32(&h, DBH_GEN_MIN_CONSISTENT), 5);
    dbheader_set_clean(&h);
    assert_int_equal(dbheader_u32(&h, DBH_GEN_MIN_CONSISTENT), 0);
}

/* Both copies of one file's header decode, and encode to the same bytes. */
static void
check_file(const char *path)
{
    g_autofree char *bytes = NULL;
    size_t len = 0;
    assert_true(g_file_get_contents(path, &bytes, &len, NULL));
    uint32_t page = le32_get(bytes + DBH_PAGE_BYTES) ? le32_get(bytes + DBH_PAGE_BYTES) : 4096;
    for (uint32_t slot = 0; slot < 2; slot++) {
        const uint8_t *image = (const uint8_t *)bytes + (size_t)slot * page;
        struct dbheader h;
        assert_int_equal(dbheader_decode(image, len - (size_t)slot * page, &h), JET_errSuccess);
        g_autofree uint8_t *again = g_malloc(page);
        dbheader_encode(&h, again, page);
        assert_memory_equal(again, image, page);
    }
}

static void
test_headers_of_the_corpus_come_back_byte_for_byte(void **state)
{
    static const char *const files[] = {"artemis/win11/qmgr.db",
                                        "artemis/win10/qmgr.db",
                                        "dissect/Current.mdb",
                                        "dissect/SRUDB.dat",
                                        "dissect/basic.edb",
                                        "dissect/binary.edb",
                                        "dissect/default.edb",
                                        "dissect/index.edb",
                                        "dissect/multi.edb",
                                        "dissect/text.edb",
                                        "ese_parser/decompress_test.edb",
                                        "ese_parser/decompress_test2.edb",
                                        "ese_parser/test.edb",
                                        "plaso/Catalog1.edb",
                                        "plaso/SystemIdentity.mdb",
                                        "plaso/{C519A76A-D9B5-4F85-B667-5FAC08E0E1B4}.mdb",
                                        "secedit/a/secedit.sdb",
                                        "secedit/b/secedit.sdb"};
    if (!g_file_test(CORPUS_DIR, G_FILE_TEST_IS_DIR)) {
        print_message("SKIP: no corpus of Windows files at %s\n", CORPUS_DIR);
        skip();
    }
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(CORPUS_DIR, files[i], NULL);
        check_file(path);
    }
}

static void
test_headers_of_the_golden_files_come_back_byte_for_byte(void **state)
{
    static const char *const files[] = {"SystemIdentity.mdb", "basic.edb", "qmgr.db"};
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(GOLDEN_DIR, files[i], NULL);
        check_file(path);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_header_comes_back_on_every_page_size),
        cmocka_unit_test(test_new_header_has_the_fields_of_a_new_database),
        cmocka_unit_test(test_decode_of_zeros_is_a_bad_read),
        cmocka_unit_test(test_decode_of_any_flipped_bit_fails),
        cmocka_unit_test(test_decode_failure_leaves_output_alone),
        cmocka_unit_test(test_decode_with_foreign_magic_is_corrupt),
        cmocka_unit_test(test_decode_with_impossible_page_size_is_corrupt),
        cmocka_unit_test(test_decode_of_a_part_of_a_larger_page_is_page_size_mismatch),
        cmocka_unit_test(test_decode_of_less_than_a_page_is_corrupt),
        cmocka_unit_test(test_decode_of_another_kind_of_file_is_invalid_type),
        cmocka_unit_test(test_decode_of_unknown_version_is_invalid_version),
        cmocka_unit_test(test_decode_of_page_size_zero_is_4096),
        cmocka_unit_test(test_dirty_then_clean_moves_state_and_generations_together),
        cmocka_unit_test(test_dirty_of_a_later_format_sets_its_own_fields),
        cmocka_unit_test(test_headers_of_the_corpus_come_back_byte_for_byte),
        cmocka_unit_test(test_headers_of_the_golden_files_come_back_byte_for_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
