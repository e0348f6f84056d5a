/* SPDX-License-Identifier: MIT */
/* record: layouts at the edges; the round trip over real records is in test_reader.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "log/record.h"

static const uint8_t signature[28] = "twenty-eight bytes of sign.";

static size_t
encode(const struct lr *lr, uint8_t *out)
{
    return lr_encode_flat(lr, out, 8192);
}

/* Every length but the whole one is an error, and (ASan) nothing beyond it is read. */
static void
check_truncations(const uint8_t *bytes, size_t size)
{
    for (size_t n = 0; n < size; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        memcpy(exact, bytes, n);
        struct lr lr;
        assert_int_equal(lr_decode(n ? exact : exact + 1, n, &lr, NULL), JET_errLogFileCorrupt);
        free(exact);
    }
}

static void
round_trip(const struct lr *lr, size_t want)
{
    uint8_t a[8192], b[8192];
    struct lr back;
    size_t size;
    assert_int_equal(encode(lr, a), want);
    assert_int_equal(lr_decode(a, sizeof(a), &back, &size), JET_errSuccess);
    assert_int_equal(size, want);
    assert_int_equal(encode(&back, b), want);
    assert_memory_equal(a, b, want);
    check_truncations(a, want);
}

#define PAGE                                                                                       \
    .page = {.procid = 7,                                                                          \
             .dbid = 1,                                                                            \
             .pgno = 35,                                                                           \
             .dbtime = 0x50,                                                                       \
             .dbtime_before = -1,                                                                  \
             .trx = 12,                                                                            \
             .level = 2,                                                                           \
             .iline = 9,                                                                           \
             .flags = 5},                                                                          \
    .node = {.rceid = 99, .pgno_fdp = 35, .objid_fdp = 14}

static void
test_sizes_are_those_of_the_table(void **state)
{
    struct span s3 = span_of("abc", 3), s2 = span_of("xy", 2), none = {0};
    struct span sign = span_of(signature, 28);
    struct {
        struct lr lr;
        size_t size;
    } const cases[] = {
        {{.type = LR_BEGIN, .tx = {3, 1, 2, 0}}, 4},
        {{.type = LR_BEGIN0, .tx = {3, 0, 1, 8}}, 8},
        {{.type = LR_COMMIT, .tx = {3, 1}}, 4},
        {{.type = LR_COMMIT0, .tx = {3, 0, 0, 12}}, 8},
        {{.type = LR_ROLLBACK, .tx = {3, 1}}, 4},
        {{.type = LR_MACRO_BEGIN, .macro = {3, 0x10d}}, 11},
        {{.type = LR_MACRO_ABORT, .macro = {3, 0x10d}}, 11},
        {{.type = LR_CREATE_DB,
          .create_db = {.sign_db = sign, .flags = 12, .version = 2, .path = s2}},
         49},
        {{.type = LR_ATTACH_DB, .attach_db = {.sign_db = sign, .sign_log = sign, .path = s2}}, 77},
        {{.type = LR_DETACH_DB, .detach_db = {.path = s2}}, 9},
        {{.type = LR_SHUTDOWN_MARK}, 1},
        {{.type = LR_CREATE_ME, PAGE, .fdp = {.objid = 5}}, 56},
        {{.type = LR_CREATE_SE, PAGE, .fdp = {.objid = 5}}, 48},
        {{.type = LR_CONVERT_FDP2, PAGE, .fdp = {.objid = 5}}, 68},
        {{.type = LR_INSERT, PAGE, .insert = {s2, s3, s3}}, 58},
        {{.type = LR_INSERT, PAGE, .insert = {none, none, none}}, 50},
        {{.type = LR_FLAG_INSERT, PAGE, .flag_insert = {s3, s2}}, 53},
        {{.type = LR_FIARD, PAGE, .flag_insert = {s3, s2, 8}}, 57},
        {{.type = LR_FLAG_DELETE, PAGE}, 44},
        {{.type = LR_DELETE, PAGE}, 44},
        {{.type = LR_REPLACE, PAGE, .replace = {.old_len = 1, .new_len = 3, .data = s3}}, 53},
        {{.type = LR_UNDO_INFO, PAGE, .undo_info = {s3, s2, LR_OPER_REPLACE, 5, -3, s3}}, 64},
        {{.type = LR_DELTA, PAGE, .delta = {s3, s2, -4, 8}}, 59},
        {{.type = LR_DELTA64, PAGE, .delta = {s3, s2, -4, 8}}, 63},
        {{.type = LR_SET_EXT_HEADER, PAGE, .ext_header = {s3}}, 49},
        {{.type = LR_UNDO, PAGE, .undo = {s3, s2, LR_OPER_INSERT, 1}}, 56},
        {{.type = LR_TERM2, .quit = {{0, 1, 1}, {0}, 0, 9}}, 26},
        {{.type = LR_RECOVERY_UNDO2, .recovery_undo = {9}}, 9},
        {{.type = LR_BACKUP2, .backup = {.bkinfo = span_of(signature, 24), .path = s2}}, 37},
        {{.type = LR_FORCE_LOG_ROLLOVER, .trace = {1, s3}}, 8},
        {{.type = LR_SPLIT2, PAGE, .split = {.key_parent = s3, .image = s2}}, 115},
        {{.type = LR_MERGE2, PAGE, .merge = {.key_parent_sep = s3}}, 99},
        {{.type = LR_EXTEND_DB, .extend_db = {1, 254}}, 10},
        {{.type = LR_REATTACH, .reattach = {.sign_db = sign}}, 50},
        {{.type = LR_CREATE_DB_FINISH, .create_db_finish = {1, 1}}, 4},
        {{.type = LR_SET_DB_VERSION, .set_db_version = {1, {0x620, 20, 0}}}, 14},
        {{.type = LR_NEW_PAGE, .new_page = {1, 1, 2, 3, 4}}, 20},
        {{.type = LR_NOP2, .other = {s3}}, 8},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        round_trip(&cases[i].lr, cases[i].size);
}

static void
test_decode_of_unknown_type_is_corrupt(void **state)
{
    uint8_t b[64] = {0};
    static const uint8_t types[] = {3, 4, 26, 40, 42, 55, 102, 200, 255};
    for (size_t i = 0; i < sizeof(types); i++) {
        struct lr lr;
        b[0] = types[i];
        assert_int_equal(lr_decode(b, sizeof(b), &lr, NULL), JET_errLogFileCorrupt);
    }
}

static void
check_diff(bool wide, struct span diff, const char *old, const char *want)
{
    struct lr lr = {.type = LR_REPLACE_D,
                    .replace = {(uint16_t)strlen(old), (uint16_t)strlen(want), wide, diff}};
    uint8_t out[64];
    size_t n = 0;
    assert_int_equal(lr_apply_diff(&lr, span_of(old, strlen(old)), out, sizeof(out), &n), 0);
    assert_int_equal(n, strlen(want));
    assert_memory_equal(out, want, n);
}

static void
test_diff_replaces_inserts_deletes(void **state)
{
    /* offset 2, same length 2 "XY"; offset 6, insert "++"; offset 8, delete 1 */
    check_diff(false, span_of("\x02\x20\x02XY\x06\x40\x02++\x08\x00\x00\x01", 14), "abcdefghij",
               "abXYef++ghj");
    check_diff(true, span_of("\x02\x00\x20\x02XY", 6), "abcd", "abXY");
    check_diff(false, span_of("\x00\x80\x01\x00\x02\x00Z", 7), "abcd", "Zcd");
}

static void
test_diff_outside_old_data_is_corrupt(void **state)
{
    static const struct span bad[] = {
        {(const uint8_t *)"\x05\x20\x01X", 4},              /* offset past the end */
        {(const uint8_t *)"\x03\x20\x02XY", 5},             /* replaces past the end */
        {(const uint8_t *)"\x00\x20\x04X", 4},              /* data past the end of the diff */
        {(const uint8_t *)"\x02\x20\x01X\x01\x20\x01Y", 8}, /* not ascending */
        {(const uint8_t *)"\x02", 1},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct lr lr = {.type = LR_REPLACE_D, .replace = {4, 4, false, bad[i]}};
        uint8_t out[64];
        size_t n;
        assert_int_equal(lr_apply_diff(&lr, span_of("abcd", 4), out, sizeof(out), &n),
                         JET_errLogFileCorrupt);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_are_those_of_the_table),
        cmocka_unit_test(test_decode_of_unknown_type_is_corrupt),
        cmocka_unit_test(test_diff_replaces_inserts_deletes),
        cmocka_unit_test(test_diff_outside_old_data_is_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
