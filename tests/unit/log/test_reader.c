/* SPDX-License-Identifier: MIT */
/* reader: segments, the end of the log, records in order; on a real file and on small made ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "log/reader.h"
#include "log/record.h"
#include "log/segment.h"

#define SEGS 8 /* of the made file: segments 1..6 are data */

/* ---- segments ---- */

static void
check_vector(uint8_t *seg, uint16_t isec, uint32_t xor_word, uint32_t ecc)
{
    le32_put(seg, xor_word);
    le32_put(seg + 4, ecc);
    assert_true(segment_verify(seg, isec));
    assert_false(segment_verify(seg, (uint16_t)(isec + 1)));
}

static void
test_segment_checksum_vectors(void **state)
{
    uint8_t seg[SEGMENT_BYTES] = {0};
    check_vector(seg, 1, 1, 0);
    for (int i = 8; i < SEGMENT_BYTES; i++)
        seg[i] = (uint8_t)(7 * i + 3);
    check_vector(seg, 5, 0x2c3c2c19, 0x7fca0035);
    memset(seg, 0, sizeof(seg));
    seg[40] = 23;
    segment_stamp(seg, 1, 1, 0);
    assert_int_equal(le32_get(seg), 0x00012017);
    assert_int_equal(le32_get(seg + 4), 0x7ee5011a);
    segment_stamp(seg, 2, 1, 0);
    assert_int_equal(le32_get(seg), 0x00012014);
    assert_int_equal(le32_get(seg + 4), 0x7ee4011b);
}

static void
test_segment_repairs_one_bit_not_two(void **state)
{
    uint8_t seg[SEGMENT_BYTES] = {0}, good[SEGMENT_BYTES];
    for (int i = 40; i < SEGMENT_BYTES; i++)
        seg[i] = (uint8_t)(i * 31);
    segment_stamp(seg, 1, 9, 5);
    memcpy(good, seg, sizeof(seg));
    static const int bits[] = {64, 65, 8 * 100 + 3, 8 * 4095 + 7};
    for (size_t i = 0; i < G_N_ELEMENTS(bits); i++) {
        seg[bits[i] / 8] ^= (uint8_t)(1 << bits[i] % 8);
        assert_true(segment_repair(seg, 9));
        assert_memory_equal(seg, good, sizeof(seg));
    }
    seg[100] ^= 3;
    assert_false(segment_repair(seg, 9));
}

/* ---- a made file ---- */

struct made {
    uint8_t image[SEGS * SEGMENT_BYTES];
};

static struct made *
made_new(void)
{
    struct made *m = g_new0(struct made, 1);
    struct log_filehdr h = {.gen = 5,
                            .segments = SEGS,
                            .page_bytes = 4096,
                            .major = 8,
                            .minor = 4000,
                            .update_major = 5,
                            .update_minor = 16};
    log_filehdr_encode(&h, m->image);
    return m;
}

static uint8_t *
seg(struct made *m, int isec)
{
    return m->image + isec * SEGMENT_BYTES;
}

/* A segment of one flush at `time`: a Begin0 record by procid isec, then NOP2 padding. */
static void
fill(struct made *m, int isec, uint64_t time)
{
    uint8_t *p = seg(m, isec);
    memset(p, 0, SEGMENT_BYTES);
    struct lr lr = {.type = LR_BEGIN0, .tx = {(uint16_t)isec, 0, 1, 4}};
    size_t n = lr_encode_flat(&lr, p + 40, 100);
    p[40 + n] = LR_NOP2;
    le32_put(p + 40 + n + 1, (uint32_t)(SEGMENT_BYTES - 40 - n - 5));
    segment_stamp(p, 5, (uint16_t)isec, time);
}

/* The same without padding at its end: the flush goes on in the next segment. */
static void
fill_full(struct made *m, int isec, uint64_t time)
{
    uint8_t *p = seg(m, isec);
    memset(p + 40, LR_SHUTDOWN_MARK, SEGMENT_BYTES - 40);
    segment_stamp(p, 5, (uint16_t)isec, time);
}

/* What a torn write leaves: the rest of the segment is something else. */
static void
damage(uint8_t *p)
{
    for (int i = 512; i < SEGMENT_BYTES; i++)
        p[i] = (uint8_t)(i * i >> 3 ^ 0x55);
}

static struct log_reader *
open_made(struct made *m, bool last)
{
    struct log_reader_opts opts = {.last = last};
    struct log_reader *r = NULL;
    assert_int_equal(log_reader_open_bytes(m->image, sizeof(m->image), &opts, &r), 0);
    return r;
}

static void
check_scan(struct made *m, bool last, int end, bool torn, JET_ERR corrupt)
{
    struct log_reader *r = open_made(m, last);
    const struct log_scan *s = log_reader_scan(r);
    assert_int_equal(s->end_isec, end);
    assert_int_equal(s->torn, torn);
    assert_int_equal(s->corrupt, corrupt);
    log_reader_close(r);
}

static void
test_scan_finds_end_of_zero_filled_file(void **state)
{
    g_autofree struct made *m = made_new();
    check_scan(m, true, 1, false, 0);
    fill(m, 1, 100);
    fill(m, 2, 101);
    check_scan(m, true, 3, false, 0);
    check_scan(m, false, 3, false, 0);
}

static void
test_scan_takes_older_use_as_empty(void **state)
{
    g_autofree struct made *m = made_new();
    fill(m, 1, 100);
    fill(m, 2, 101);
    fill(m, 3, 50);
    segment_stamp(seg(m, 3), 4, 3, 50); /* generation 4 */
    check_scan(m, true, 3, false, 0);
    segment_stamp(seg(m, 3), 6, 3, 50); /* from the future */
    check_scan(m, false, 3, false, JET_errLogFileCorrupt);
}

static void
test_scan_takes_torn_last_segment_as_end(void **state)
{
    g_autofree struct made *m = made_new();
    fill(m, 1, 100);
    fill(m, 2, 101);
    damage(seg(m, 2));
    check_scan(m, true, 2, true, 0);
    check_scan(m, false, 2, false, JET_errLogFileCorrupt);
}

static void
test_scan_takes_hole_in_last_flush_as_torn(void **state)
{
    g_autofree struct made *m = made_new();
    fill(m, 1, 100);
    fill_full(m, 2, 101);
    fill_full(m, 3, 101);
    fill(m, 4, 101);
    memset(seg(m, 3), 0, SEGMENT_BYTES); /* not the first of its flush */
    check_scan(m, true, 3, true, 0);
    memset(seg(m, 2), 0, SEGMENT_BYTES); /* nor this: the flush begins with it */
    check_scan(m, true, 2, true, 0);
}

static void
test_scan_calls_hole_before_later_flush_damage(void **state)
{
    g_autofree struct made *m = made_new();
    fill(m, 1, 100);
    fill_full(m, 2, 101);
    fill(m, 3, 101);
    fill(m, 4, 102);
    memset(seg(m, 3), 0, SEGMENT_BYTES);
    check_scan(m, true, 3, false, JET_errLogFileCorrupt);
    fill(m, 5, 103);
    damage(seg(m, 2));
    check_scan(m, true, 2, false, JET_errLogFileCorrupt);
}

static void
test_scan_takes_torn_segment_from_its_shadow(void **state)
{
    g_autofree char *dir = g_dir_make_tmp("patchXXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "edb.log", NULL);
    g_autofree struct made *m = made_new();
    fill(m, 1, 100);
    fill(m, 2, 101);
    memcpy(seg(m, 3), seg(m, 2), SEGMENT_BYTES);
    check_scan(m, true, 3, false, 0); /* a shadow is no data */
    damage(seg(m, 2));
    check_scan(m, true, 3, false, 0);
    assert_true(g_file_set_contents(path, (char *)m->image, sizeof(m->image), NULL));
    struct log_reader *r = NULL;
    struct log_reader_opts opts = {.last = true};
    assert_int_equal(log_reader_open(path, &opts, &r), 0);
    assert_int_equal(log_reader_scan(r)->patched, 1);
    assert_int_equal(log_reader_patch(r), 0);
    log_reader_close(r);
    assert_int_equal(log_reader_open(path, &opts, &r), 0);
    assert_int_equal(log_reader_scan(r)->patched, 0);
    assert_int_equal(log_reader_scan(r)->end_isec, 3);
    log_reader_close(r);
    g_unlink(path);
    g_rmdir(dir);
}

static void
test_scan_repairs_flipped_bit(void **state)
{
    g_autofree struct made *m = made_new();
    fill(m, 1, 100);
    fill(m, 2, 101);
    seg(m, 1)[45] ^= 4;
    struct log_reader *r = open_made(m, true);
    assert_int_equal(log_reader_scan(r)->repaired, 1);
    assert_int_equal(log_reader_scan(r)->end_isec, 3);
    log_reader_close(r);
}

static void
test_records_come_with_their_positions(void **state)
{
    g_autofree struct made *m = made_new();
    fill(m, 1, 100);
    fill(m, 2, 101);
    struct log_reader *r = open_made(m, true);
    struct span rec;
    struct lgpos pos;
    for (int isec = 1; isec <= 2; isec++) {
        assert_int_equal(log_reader_next(r, &rec, &pos), 1);
        assert_int_equal(rec.data[0], LR_BEGIN0);
        assert_int_equal(rec.len, 8);
        assert_int_equal(lgpos_cmp(pos, (struct lgpos) {0, (uint16_t)isec, 5}), 0);
    }
    assert_int_equal(log_reader_next(r, &rec, &pos), 0);
    log_reader_close(r);
}

/* A record of 5000 bytes over segments 1 and 2; a RecoveryUndo2 follows in 3. */
static void
fill_fragments(struct made *m)
{
    static uint8_t big[5000];
    static const uint8_t body[sizeof(big) - 5];
    struct lr lr = {.type = LR_IGNORED9, .other = {span_of(body, sizeof(body))}};
    lr_encode_flat(&lr, big, sizeof(big));
    uint8_t *a = seg(m, 1), *b = seg(m, 2), *c = seg(m, 3);
    a[40] = LR_SHUTDOWN_MARK;
    a[41] = LR_FRAGMENT_BEGIN;
    le32_put(a + 42, sizeof(big));
    uint16_t first = SEGMENT_BYTES - 48;
    le16_put(a + 46, first);
    memcpy(a + 48, big, first);
    b[40] = LR_FRAGMENT;
    le16_put(b + 41, (uint16_t)(sizeof(big) - first));
    memcpy(b + 43, big + first, sizeof(big) - first);
    c[40] = LR_RECOVERY_UNDO2;
    segment_stamp(a, 5, 1, 100);
    segment_stamp(b, 5, 2, 100);
    segment_stamp(c, 5, 3, 101);
}

static void
check_next(struct log_reader *r, uint8_t type, size_t len, uint16_t isec, uint16_t ib)
{
    struct span rec;
    struct lgpos pos;
    assert_int_equal(log_reader_next(r, &rec, &pos), 1);
    assert_int_equal(rec.data[0], type);
    assert_int_equal(rec.len, len);
    assert_int_equal(pos.isec, isec);
    assert_int_equal(pos.ib, ib);
}

static void
test_fragments_are_put_together(void **state)
{
    g_autofree struct made *m = made_new();
    fill_fragments(m);
    struct log_reader *r = open_made(m, true);
    check_next(r, LR_SHUTDOWN_MARK, 1, 1, 0);
    check_next(r, LR_IGNORED9, 5000, 1, 41);
    check_next(r, LR_RECOVERY_UNDO2, 9, 3, 0);
    log_reader_seek(r, (struct lgpos) {0, 2, 5}); /* into the middle of it */
    check_next(r, LR_RECOVERY_UNDO2, 9, 3, 0);
    log_reader_close(r);
}

static void
test_record_torn_by_an_earlier_crash_is_dropped(void **state)
{
    g_autofree struct made *m = made_new();
    fill_fragments(m);
    memcpy(seg(m, 2), seg(m, 3), SEGMENT_BYTES); /* the rest never came; recovery went on */
    segment_stamp(seg(m, 2), 5, 2, 101);
    memset(seg(m, 3), 0, SEGMENT_BYTES);
    struct log_reader *r = open_made(m, true);
    check_next(r, LR_SHUTDOWN_MARK, 1, 1, 0);
    check_next(r, LR_RECOVERY_UNDO2, 9, 2, 0);
    log_reader_close(r);

    fill(m, 2, 101); /* anything else there is damage */
    r = open_made(m, true);
    struct span rec;
    struct lgpos pos;
    check_next(r, LR_SHUTDOWN_MARK, 1, 1, 0);
    assert_int_equal(log_reader_next(r, &rec, &pos), JET_errLogFileCorrupt);
    log_reader_close(r);
}

static void
test_term_at_the_end_means_closed(void **state)
{
    g_autofree struct made *m = made_new();
    fill(m, 1, 100);
    uint8_t *p = seg(m, 2);
    struct lr lr = {.type = LR_TERM2, .quit = {{0, 1, 5}, {0}, 0, 9}};
    lr_encode_flat(&lr, p + 40, 100);
    segment_stamp(p, 5, 2, 101);
    struct log_reader *r = open_made(m, true);
    const struct log_scan *s = log_reader_scan(r);
    assert_true(s->closed);
    assert_int_equal(s->closed_type, LR_TERM2);
    assert_int_equal(lgpos_cmp(s->closed_pos, (struct lgpos) {0, 2, 5}), 0);
    log_reader_close(r);
    fill(m, 3, 102);
    r = open_made(m, true);
    assert_false(log_reader_scan(r)->closed);
    log_reader_close(r);
}

/* Random damage inside whole segments never makes the reader read outside them (ASan), nor hang. */
static void
test_reader_survives_garbage_in_valid_segments(void **state)
{
    g_autofree struct made *m = made_new();
    g_autoptr(GRand) rand = g_rand_new_with_seed(42);
    for (int round = 0; round < 2000; round++) {
        fill_fragments(m);
        fill(m, 4, 102);
        for (int k = 0; k < 4; k++)
            seg(m, g_rand_int_range(rand, 1,
                                    5))[g_rand_int_range(rand, 40, k < 2 ? 64 : SEGMENT_BYTES)] =
                (uint8_t)g_rand_int(rand);
        for (int i = 1; i < 5; i++)
            segment_stamp(seg(m, i), 5, (uint16_t)i, 100);
        struct log_reader *r = open_made(m, true);
        struct span rec;
        struct lgpos pos;
        int n = 0;
        while (log_reader_next(r, &rec, &pos) == 1)
            n++;
        assert_true(n <= 4 * SEGMENT_BYTES);
        log_reader_close(r);
    }
}

/* ---- the real file ---- */

struct real {
    char *data;
    gsize len;
};

static int
real_setup(void **state)
{
    struct real *real = g_new0(struct real, 1);
    g_autofree char *path = g_build_filename(CORPUS_DIR, "logs", "edb.log", NULL);
    if (!g_file_get_contents(path, &real->data, &real->len, NULL))
        print_message("no corpus at %s: skipped\n", path);
    *state = real;
    return 0;
}

static int
real_teardown(void **state)
{
    struct real *real = *state;
    g_free(real->data);
    g_free(real);
    return 0;
}

static void
check_record(struct span rec)
{
    struct lr lr;
    size_t size;
    assert_int_equal(lr_decode(rec.data, rec.len, &lr, &size), 0);
    assert_int_equal(size, rec.len);
    g_autofree uint8_t *back = g_malloc(rec.len);
    assert_int_equal(lr_encode_flat(&lr, back, rec.len), rec.len);
    assert_memory_equal(back, rec.data, rec.len);
    for (size_t n = 0; n<rec.len; n += rec.len> 200 ? 1 + rec.len / 50 : 1) {
        g_autofree uint8_t *cut = g_memdup2(rec.data, n);
        assert_int_equal(lr_decode(cut, n, &lr, NULL), JET_errLogFileCorrupt);
    }
}

static void
test_real_log_round_trips_record_by_record(void **state)
{
    struct real *real = *state;
    if (!real->data)
        skip();
    struct log_reader *r = NULL;
    struct log_reader_opts opts = {.last = true};
    assert_int_equal(log_reader_open_bytes(real->data, real->len, &opts, &r), 0);
    const struct log_scan *scan = log_reader_scan(r);
    assert_int_equal(scan->corrupt, 0);
    assert_false(scan->torn);
    assert_int_equal(scan->end_isec, 158); /* 157 segments, and the shadow of the last */
    assert_false(scan->closed);            /* ends with a DetachDB: the process just went away */
    struct span rec;
    struct lgpos pos, before = LGPOS_MIN;
    int n = 0, counts[256] = {0};
    JET_ERR err;
    while ((err = log_reader_next(r, &rec, &pos)) == 1) {
        assert_true(lgpos_cmp(before, pos) < 0);
        before = pos;
        counts[rec.data[0]]++;
        check_record(rec);
        n++;
    }
    assert_int_equal(err, 0);
    assert_int_equal(counts[LR_CREATE_DB], 1);
    assert_true(counts[LR_SPLIT2] > 0 && counts[LR_MERGE2] > 0 && counts[LR_REPLACE_D] > 0);
    print_message("%d records\n", n);
    log_reader_close(r);
}

static void
test_real_log_with_torn_tail_is_taken_from_the_shadow(void **state)
{
    struct real *real = *state;
    if (!real->data)
        skip();
    g_autofree char *copy = g_memdup2(real->data, real->len);
    damage((uint8_t *)copy + 157 * SEGMENT_BYTES);
    struct log_reader *r = NULL;
    struct log_reader_opts opts = {.last = true};
    assert_int_equal(log_reader_open_bytes(copy, real->len, &opts, &r), 0);
    assert_int_equal(log_reader_scan(r)->end_isec, 158);
    assert_int_equal(log_reader_scan(r)->patched, 1);
    log_reader_close(r);
    damage((uint8_t *)copy + 100 * SEGMENT_BYTES);
    assert_int_equal(log_reader_open_bytes(copy, real->len, &opts, &r), 0);
    assert_int_equal(log_reader_scan(r)->end_isec, 100);
    assert_int_equal(log_reader_scan(r)->corrupt, JET_errLogFileCorrupt);
    log_reader_close(r);
}

static void
test_open_of_wrong_file_gives_its_code(void **state)
{
    g_autofree struct made *m = made_new();
    struct log_reader *r = NULL;
    struct log_reader_opts opts = {.expect = {.gen = 6}};
    assert_int_equal(log_reader_open_bytes(m->image, sizeof(m->image), &opts, &r),
                     JET_errLogGenerationMismatch);
    opts.expect.gen = 5;
    assert_int_equal(log_reader_open_bytes(m->image, sizeof(m->image) - 4096, &opts, &r),
                     JET_errLogFileSizeMismatch);
    assert_int_equal(log_reader_open_bytes(m->image, 100, &opts, &r), JET_errLogFileCorrupt);
    assert_int_equal(log_reader_open("/nonexistent/edb.log", &opts, &r), JET_errFileNotFound);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segment_checksum_vectors),
        cmocka_unit_test(test_segment_repairs_one_bit_not_two),
        cmocka_unit_test(test_scan_finds_end_of_zero_filled_file),
        cmocka_unit_test(test_scan_takes_older_use_as_empty),
        cmocka_unit_test(test_scan_takes_torn_last_segment_as_end),
        cmocka_unit_test(test_scan_takes_hole_in_last_flush_as_torn),
        cmocka_unit_test(test_scan_calls_hole_before_later_flush_damage),
        cmocka_unit_test(test_scan_takes_torn_segment_from_its_shadow),
        cmocka_unit_test(test_scan_repairs_flipped_bit),
        cmocka_unit_test(test_records_come_with_their_positions),
        cmocka_unit_test(test_fragments_are_put_together),
        cmocka_unit_test(test_record_torn_by_an_earlier_crash_is_dropped),
        cmocka_unit_test(test_term_at_the_end_means_closed),
        cmocka_unit_test(test_reader_survives_garbage_in_valid_segments),
        cmocka_unit_test(test_open_of_wrong_file_gives_its_code),
        cmocka_unit_test_setup_teardown(test_real_log_round_trips_record_by_record, real_setup,
                                        real_teardown),
        cmocka_unit_test_setup_teardown(test_real_log_with_torn_tail_is_taken_from_the_shadow,
                                        real_setup, real_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
