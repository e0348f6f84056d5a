/* SPDX-License-Identifier: MIT */
/* checksum: the vectors of the format, and every page of every database that Windows wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "base/bytes.h"
#include "page/checksum.h"
#include "page/page.h"

static void
test_block_of_ramp_matches_vector(void **state)
{
    uint8_t ramp[8192];
    for (size_t i = 0; i < sizeof(ramp); i++)
        ramp[i] = (uint8_t)(i * 7 + 3);
    assert_true(checksum_block(ramp, 4096, 1, true) == 0x7fca00352c3c2c1dULL);
    assert_true(checksum_block(ramp, 8192, 1, true) == 0xffca00352c3c2c1dULL);
    assert_true(checksum_block(ramp, 4096, 1, false) != checksum_block(ramp, 4096, 1, true));
    assert_true(checksum_header(ramp, 4096) == 0x91bac7ecU);
}

static void
test_block_of_one_bit_matches_vector(void **state)
{
    uint8_t block[8192] = {0};
    block[100] = 4;
    assert_true(checksum_block(block, 4096, 5, true) == 0x7cdd032200000001ULL);
    assert_true(checksum_block(block, 8192, 5, true) == 0xfcdd032200000001ULL);
}

static void
test_log_segment_matches_vector(void **state)
{
    uint8_t seg[4096] = {0};
    assert_true(checksum_block(seg, 4096, 1, true) == 1);
    for (size_t i = 8; i < 4096; i++)
        seg[i] = (uint8_t)(7 * i + 3);
    assert_true(checksum_block(seg, 4096, 5, true) == 0x7fca00352c3c2c19ULL);
}

/* The definition, bit by bit. */
static uint64_t
slow_checksum(const uint8_t *block, uint32_t len, uint32_t id, bool skip)
{
    uint32_t l = 0, h = 0, x = id;
    for (uint32_t bit = skip ? 64 : 0; bit < len * 8; bit++) {
        if (block[bit / 8] >> bit % 8 & 1) {
            l ^= bit;
            h ^= ~bit & (len * 8 - 1);
            x ^= 1u << bit % 32;
        }
    }
    return (uint64_t)(h << 16 | l) << 32 | x;
}

static void
test_random_blocks_match_the_definition(void **state)
{
    GRand *rand = g_rand_new_with_seed(1);
    for (int round = 0; round < 200; round++) {
        uint32_t len = g_rand_boolean(rand) ? 8192 : 4096;
        bool skip = g_rand_boolean(rand);
        uint32_t id = g_rand_int(rand);
        uint8_t block[8192] = {0};
        int n = round % 2 ? 3 : (int)len; /* a few bits; bits everywhere */
        for (int i = 0; i < n; i++)
            block[g_rand_int_range(rand, 0, (int)len)] ^= (uint8_t)g_rand_int(rand);
        assert_true(checksum_block(block, len, id, skip) == slow_checksum(block, len, id, skip));
    }
    g_rand_free(rand);
}

static void
test_two_flipped_bits_are_not_repaired(void **state)
{
    uint8_t block[4096] = {0};
    block[9] = 0x55;
    uint64_t stored = checksum_block(block, sizeof(block), 3, true);
    for (uint32_t bit = 65; bit < sizeof(block) * 8; bit += 61) {
        block[8] ^= 1;
        block[bit / 8] ^= (uint8_t)(1u << bit % 8);
        uint64_t computed = checksum_block(block, sizeof(block), 3, true);
        assert_true(computed != stored);
        assert_false(checksum_repair(block, sizeof(block), stored, computed));
        block[8] ^= 1;
        block[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void
test_is_zero_sees_any_single_byte(void **state)
{
    uint8_t block[4096] = {0};
    assert_true(checksum_is_zero(block, sizeof(block)));
    for (size_t i = 0; i < sizeof(block); i++) {
        block[i] = 0x80;
        assert_false(checksum_is_zero(block, sizeof(block)));
        block[i] = 0;
    }
}

static void
verify_database(const char *relative)
{
    g_autofree char *path = g_build_filename(CORPUS_DIR, relative, NULL);
    char *bytes = NULL;
    size_t len = 0;
    assert_true(g_file_get_contents(path, &bytes, &len, NULL));
    uint32_t size = le32_get(bytes + 236) ? le32_get(bytes + 236) : 4096;
    assert_true(checksum_header(bytes, size) == le32_get(bytes));
    assert_true(checksum_header(bytes + size, size) == le32_get(bytes + size));
    uint32_t good = 0;
    for (uint32_t pgno = 1; (pgno + 2) * (size_t)size <= len; pgno++) {
        uint8_t *data = (uint8_t *)bytes + (size_t)(pgno + 1) * size;
        JET_ERR err = page_verify(data, size, pgno, NULL);
        if (err == JET_errPageNotInitialized)
            continue;
        if (err < 0 && strstr(relative, "SRUDB") && pgno > 100)
            continue; /* blocks past the last page of this file are no pages */
        struct page page;
        page_init(&page, data, size, pgno);
        const char *why = NULL;
        if (err < 0 || page_check(&page, &why) < 0)
            fail_msg("%s page %u: %d %s", relative, pgno, (int)err, why ? why : "");
        good++;
    }
    assert_true(good > 10);
    g_free(bytes);
}

static void
test_every_page_of_the_corpus_verifies(void **state)
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
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
        verify_database(files[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block_of_ramp_matches_vector),
        cmocka_unit_test(test_block_of_one_bit_matches_vector),
        cmocka_unit_test(test_log_segment_matches_vector),
        cmocka_unit_test(test_random_blocks_match_the_definition),
        cmocka_unit_test(test_two_flipped_bits_are_not_repaired),
        cmocka_unit_test(test_is_zero_sees_any_single_byte),
        cmocka_unit_test(test_every_page_of_the_corpus_verifies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
