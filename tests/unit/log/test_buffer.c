/* SPDX-License-Identifier: MIT */
/* buffer: packing of records into segments, read back by a small independent walk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib.h>

#include "log/buffer.h"

#define SEG 4096u

static int
setup(void **state)
{
    struct log_buffer *buf = g_new0(struct log_buffer, 1);
    buf->segments = 32;
    buf->mem = g_malloc(buf->segments * SEG);
    memset(buf->mem, 0xee, buf->segments * SEG); /* what a reused buffer holds */
    log_buffer_reset(buf, 7, 10);
    *state = buf;
    return 0;
}

static int
teardown(void **state)
{
    struct log_buffer *buf = *state;
    g_free(buf->mem);
    g_free(buf);
    return 0;
}

/* A NOP2 of `bytes` in all, filled with `fill`, in two parts. */
static struct lgpos
add(struct log_buffer *buf, uint32_t bytes, uint8_t fill)
{
    g_autofree uint8_t *lr = g_malloc(bytes);
    memset(lr, fill, bytes);
    lr[0] = 71;
    le32_put(lr + 1, bytes - 5);
    struct iovec parts[3] = {{lr, bytes / 3}, {lr, 0}, {lr + bytes / 3, bytes - bytes / 3}};
    return log_buffer_add(buf, parts, 3);
}

static void
assert_pos(struct lgpos p, int isec, int ib)
{
    assert_int_equal(p.gen, 7);
    assert_int_equal(p.isec, isec);
    assert_int_equal(p.ib, ib);
}

/* Walks a finished buffer; calls check for each record but the padding (fill 0). */
static unsigned
count_records(struct log_buffer *buf, uint32_t segments)
{
    unsigned records = 0;
    g_autoptr(GByteArray) frag = g_byte_array_new();
    uint32_t need = 0;
    for (uint32_t s = 0; s < segments; s++) {
        const uint8_t *seg = buf->mem + s * SEG;
        for (uint32_t o = 40; o < SEG;) {
            if (seg[o] == 0) {
                o++;
            } else if (seg[o] == 76) {
                need = le32_get(seg + o + 1);
                g_byte_array_set_size(frag, 0);
                g_byte_array_append(frag, seg + o + 7, le16_get(seg + o + 5));
                o += 7 + le16_get(seg + o + 5);
                assert_int_equal(o, SEG);
            } else if (seg[o] == 77) {
                assert_int_equal(o, 40);
                g_byte_array_append(frag, seg + o + 3, le16_get(seg + o + 1));
                o += 3 + le16_get(seg + o + 1);
                if (frag->len == need) {
                    assert_int_equal(frag->data[0], 71);
                    assert_int_equal(le32_get(frag->data + 1) + 5, need);
                    for (uint32_t i = 6; i < need; i++)
                        assert_int_equal(frag->data[i], frag->data[5]);
                    records++;
                }
            } else {
                assert_int_equal(seg[o], 71);
                uint32_t cb = le32_get(seg + o + 1);
                assert_true(o + 5 + cb <= SEG);
                records += cb > 0 && seg[o + 5] != 0;
                o += 5 + cb;
            }
        }
    }
    return records;
}

static void
test_first_record_has_ib_zero(void **state)
{
    struct log_buffer *buf = *state;
    assert_pos(add(buf, 100, 1), 10, 0);
    assert_pos(add(buf, 100, 2), 10, 140);
    assert_int_equal(log_buffer_finish(buf), 1);
    assert_int_equal(count_records(buf, 1), 2);
}

static void
test_record_that_fills_segment_is_not_padded(void **state)
{
    struct log_buffer *buf = *state;
    assert_pos(add(buf, 4056, 1), 10, 0);
    assert_pos(log_buffer_tip(buf), 11, 0);
    assert_pos(add(buf, 4052, 2), 11, 0); /* 4 left: zeros, no NOP2 */
    assert_int_equal(log_buffer_finish(buf), 2);
    assert_int_equal(count_records(buf, 2), 2);
    assert_int_equal(le32_get(buf->mem + 2 * SEG - 4), 0);
}

static void
test_little_room_starts_next_segment(void **state)
{
    struct log_buffer *buf = *state;
    add(buf, 4056 - 31, 1);
    assert_pos(add(buf, 32, 2), 11, 0);
    assert_int_equal(log_buffer_finish(buf), 2);
    assert_int_equal(count_records(buf, 2), 2);
}

static void
test_room_of_32_takes_a_fragment(void **state)
{
    struct log_buffer *buf = *state;
    add(buf, 4056 - 32, 1);
    assert_pos(add(buf, 33, 2), 10, 4064);
    assert_int_equal(log_buffer_finish(buf), 2);
    assert_int_equal(count_records(buf, 2), 2);
}

static void
test_every_length_at_every_offset_reads_back(void **state)
{
    struct log_buffer *buf = *state;
    for (uint32_t first = 3990; first <= 4060; first++) {
        for (uint32_t len = 6; len < 9000;
             len += len < 80 || (len > 8080 && len < 8160) ? 1 : 257) {
            log_buffer_reset(buf, 7, 10);
            add(buf, first, 1);
            assert_int_equal(log_buffer_fit(buf, len, 41), LOG_FIT_OK);
            add(buf, len, 2);
            uint32_t fill = buf->fill, end = 10 + (fill + SEG - 1) / SEG - 1;
            add(buf, 6, 3);
            assert_int_equal(count_records(buf, log_buffer_finish(buf)), 3);

            /* fit agrees with what add did */
            log_buffer_reset(buf, 7, 10);
            add(buf, first, 1);
            assert_int_equal(log_buffer_fit(buf, len, end), LOG_FIT_OK);
            if (end > 11) /* else it might never fit */
                assert_int_equal(log_buffer_fit(buf, len, end - 1), LOG_FIT_FILE_FULL);
        }
    }
}

static void
test_fit_tells_buffer_file_and_never(void **state)
{
    struct log_buffer *buf = *state;
    assert_int_equal(log_buffer_fit(buf, 32 * 4056, 1000), LOG_FIT_TOO_LARGE);
    assert_int_equal(log_buffer_fit(buf, 32 * 4053 - 4, 1000), LOG_FIT_OK);
    assert_int_equal(log_buffer_fit(buf, 32 * 4053 - 3, 1000), LOG_FIT_TOO_LARGE);
    add(buf, 10, 1);
    assert_int_equal(log_buffer_fit(buf, 32 * 4053 - 4, 1000), LOG_FIT_BUFFER_FULL);
    assert_int_equal(log_buffer_fit(buf, 5000, 10), LOG_FIT_FILE_FULL);
    log_buffer_reset(buf, 7, 15);
    assert_int_equal(log_buffer_fit(buf, 1, 14), LOG_FIT_FILE_FULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_first_record_has_ib_zero, setup, teardown),
        cmocka_unit_test_setup_teardown(test_record_that_fills_segment_is_not_padded, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_little_room_starts_next_segment, setup, teardown),
        cmocka_unit_test_setup_teardown(test_room_of_32_takes_a_fragment, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_length_at_every_offset_reads_back, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_fit_tells_buffer_file_and_never, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
