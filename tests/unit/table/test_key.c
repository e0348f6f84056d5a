/* SPDX-License-Identifier: MIT */
/* key: the vectors of the format notes, limits, truncation, null rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "table/key.h"
#include "table/record.h"

static struct index plain = {.key_most = 255};

static void
assert_key(const struct key *k, const char *hex)
{
    char got[2 * sizeof(k->data) + 1];

    for (uint32_t i = 0; i < k->len; i++)
        g_snprintf(got + 2 * i, 3, "%02x", k->data[i]);
    got[2 * k->len] = 0;
    assert_string_equal(got, hex);
}

static void
append(struct key *k, const struct index *ix, JET_COLTYP t, uint32_t id, uint16_t cp, bool desc,
       const void *data, size_t len)
{
    struct column c = {.id = id, .coltyp = t, .cp = cp, .cb_max = (uint32_t)len};
    assert_int_equal(key_append(k, ix, &c, desc, span_of(data, len)), 0);
}

static void
expect(JET_COLTYP t, const void *data, size_t len, const char *hex)
{
    struct key k = {0};
    append(&k, &plain, t, coltyp_size(t) ? 1 : 128, 1252, false, data, len);
    assert_key(&k, hex);
}

#define EXPECT(t, type, value, hex)                                                                \
    do {                                                                                           \
        type v_ = (value);                                                                         \
        expect(t, &v_, sizeof(v_), hex);                                                           \
    } while (0)

static void
test_key_of_numbers_is_the_vector(void **state)
{
    EXPECT(JET_coltypBit, uint8_t, 0, "7f00");
    EXPECT(JET_coltypBit, uint8_t, 0xff, "7fff");
    EXPECT(JET_coltypUnsignedByte, uint8_t, 200, "7fc8");
    EXPECT(JET_coltypShort, int16_t, -1, "7f7fff");
    EXPECT(JET_coltypShort, int16_t, 258, "7f8102");
    EXPECT(JET_coltypUnsignedShort, uint16_t, 258, "7f0102");
    EXPECT(JET_coltypLong, int32_t, -2, "7f7ffffffe");
    EXPECT(JET_coltypLong, int32_t, 1000, "7f800003e8");
    EXPECT(JET_coltypUnsignedLong, uint32_t, 1000, "7f000003e8");
    EXPECT(JET_coltypLongLong, int64_t, -1, "7f7fffffffffffffff");
    EXPECT(JET_coltypCurrency, int64_t, (int64_t)1 << 40, "7f8000010000000000");
    EXPECT(JET_coltypIEEESingle, float, -1.5f, "7f403fffff");
    EXPECT(JET_coltypIEEESingle, float, 1.5f, "7fbfc00000");
    EXPECT(JET_coltypIEEEDouble, double, -1.5, "7f4007ffffffffffff");
    EXPECT(JET_coltypDateTime, double, 45000.25, "7fc0e5f90800000000");
}

static void
test_key_of_guid_is_the_vector(void **state)
{
    static const uint8_t guid[16] = {0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66,
                                     0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    struct index net = {.key_most = 255, .flags = INDEX_DOTNET_GUID};
    struct key k = {0};

    expect(JET_coltypGUID, guid, 16, "7faabbccddeeff88997766554433221100");
    append(&k, &net, JET_coltypGUID, 1, 0, false, guid, 16);
    assert_key(&k, "7f00112233445566778899aabbccddeeff");
}

static void
test_key_of_text_and_binary_is_the_vector(void **state)
{
    expect(JET_coltypText, "Hello", 5, "7f48454c4c4f00");
    expect(JET_coltypText, "a\0b", 3, "7f4100");
    expect(JET_coltypText, "", 0, "40");
    expect(JET_coltypText, NULL, 0, "00");
    expect(JET_coltypBinary, "abc", 3, "7f616263000000000003");
    expect(JET_coltypBinary, "12345678", 8, "7f313233343536373808");
    expect(JET_coltypBinary, "123456789", 9, "7f313233343536373809390000000000000001");
    expect(JET_coltypBinary, "", 0, "40");
    expect(JET_coltypLongBinary, "test binary data", 16, "7f746573742062696e09617279206461746108");
}

static void
test_key_of_unicode_is_our_rule(void **state)
{
    struct key k = {0};
    struct column c = {.id = 256, .coltyp = JET_coltypLongText, .cp = 1200};
    struct index foreign = {.key_most = 255, .foreign_unicode = true};

    append(&k, &plain, JET_coltypLongText, 256, 1200, false, "a\0Z\0\xe4\0", 6);
    assert_key(&k, "7f0041005a00e40000");
    assert_int_equal(key_append(&k, &foreign, &c, false, span_of("a", 2)),
                     JET_errLanguageNotSupported);
}

static void
test_key_descending_is_complemented_with_its_prefix(void **state)
{
    struct key k = {0};
    int32_t v = 1000;

    append(&k, &plain, JET_coltypLong, 1, 0, true, &v, 4);
    append(&k, &plain, JET_coltypLong, 2, 0, true, NULL, 0);
    assert_key(&k, "807ffffc17ff");
}

static void
test_key_when_too_long_is_cut_and_stays_so(void **state)
{
    struct index small = {.key_most = 6};
    struct key k = {0};
    int32_t v = 1;

    append(&k, &small, JET_coltypText, 128, 1252, false, "abcdefgh", 8);
    assert_key(&k, "7f4142434445"); /* last one is 'e' - 32: the quirk */
    assert_true(k.cut);
    append(&k, &small, JET_coltypLong, 1, 0, false, &v, 4);
    assert_int_equal(k.len, 6);
}

static void
test_key_limit_full_pads_to_the_end(void **state)
{
    struct index small = {.key_most = 8};
    struct column c = {.id = 1, .coltyp = JET_coltypLong};
    struct key k = {0};
    int32_t v = 1;

    append(&k, &small, JET_coltypLong, 1, 0, false, &v, 4);
    key_limit(&k, &small, &c, 0, false, span_of(&v, 4), false, true);
    assert_key(&k, "7f80000001ffffffff");
}

static void
test_key_limit_partial_is_a_prefix_of_longer_values(void **state)
{
    struct column text = {.id = 128, .coltyp = JET_coltypText, .cp = 1252};
    struct column binary = {.id = 129, .coltyp = JET_coltypBinary};
    struct key k = {0}, full = {0};

    append(&k, &plain, JET_coltypText, 128, 1252, false, "ab", 2);
    key_limit(&k, &plain, &text, 0, false, span_of("ab", 2), true, false);
    assert_key(&k, "7f4142");

    k.len = 0;
    append(&k, &plain, JET_coltypBinary, 129, 0, false, "0123456789", 10);
    key_limit(&k, &plain, &binary, 0, false, span_of("0123456789", 10), true, false);
    append(&full, &plain, JET_coltypBinary, 129, 0, false, "0123456789ab", 12);
    assert_memory_equal(k.data, full.data, k.len);
    assert_int_equal(k.len, 12);
}

static void
test_key_of_number_has_no_prefix(void **state)
{
    struct key k;
    key_of_number(&k, 1);
    assert_key(&k, "00000001");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_of_numbers_is_the_vector),
        cmocka_unit_test(test_key_of_guid_is_the_vector),
        cmocka_unit_test(test_key_of_text_and_binary_is_the_vector),
        cmocka_unit_test(test_key_of_unicode_is_our_rule),
        cmocka_unit_test(test_key_descending_is_complemented_with_its_prefix),
        cmocka_unit_test(test_key_when_too_long_is_cut_and_stays_so),
        cmocka_unit_test(test_key_limit_full_pads_to_the_end),
        cmocka_unit_test(test_key_limit_partial_is_a_prefix_of_longer_values),
        cmocka_unit_test(test_key_of_number_has_no_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
