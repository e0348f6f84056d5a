/* SPDX-License-Identifier: MIT */
/* stream: which generations stay. Pins, checkpoint, truncation, circular logging. */
#include "stream_fixture.h"

static void
roll_to(struct fix *f, int32_t gen)
{
    int32_t closed;
    while (log_gen(f->log) < gen)
        assert_int_equal(log_roll(f->log, &closed), 0);
}

static void
assert_gens(struct fix *f, int32_t lo, int32_t hi)
{
    struct log_gens gens = {0};
    assert_int_equal(log_gens_find(f->dir, "edb", "log", &gens), 0);
    assert_int_equal(gens.n, hi - lo + 1);
    for (size_t i = 0; i < gens.n; i++)
        assert_int_equal(gens.gens[i], lo + (int32_t)i);
    log_gens_clear(&gens);
}

static void
checkpoint_at(struct fix *f, int32_t gen)
{
    log_set_checkpoint(f->log, (struct lgpos) {0, 1, gen});
}

static void
test_truncate_stops_at_checkpoint_and_current(void **state)
{
    struct fix *f = *state;
    uint32_t removed = 0;
    roll_to(f, 6);
    assert_int_equal(log_truncate(f->log, 0, 100, &removed), 0);
    assert_int_equal(removed, 0); /* nobody told a checkpoint */
    checkpoint_at(f, 4);
    checkpoint_at(f, 2); /* never goes back */
    assert_int_equal(log_truncate(f->log, 0, 3, &removed), 0);
    assert_int_equal(removed, 2);
    assert_gens(f, 3, 5);
    assert_int_equal(log_oldest_gen(f->log), 3);
    assert_int_equal(log_truncate(f->log, 0, 100, &removed), 0);
    assert_int_equal(removed, 1);
    checkpoint_at(f, 1000);
    assert_int_equal(log_truncate(f->log, 0, 100, &removed), 0);
    assert_int_equal(removed, 2);
    assert_int_equal(log_oldest_gen(f->log), 6);
    assert_true(fix_has(f, "edb.log"));
}

static void
test_pin_holds_its_generation_and_above(void **state)
{
    struct fix *f = *state;
    struct log_pin *low = NULL, *high = NULL, *gone = NULL;
    uint32_t removed = 0;
    roll_to(f, 6);
    checkpoint_at(f, 6);
    assert_int_equal(log_pin(f->log, 2, &low), 0);
    assert_int_equal(log_pin(f->log, 4, &high), 0);
    assert_int_equal(log_truncate(f->log, 0, 6, &removed), 0);
    assert_int_equal(removed, 1);
    assert_gens(f, 2, 5);
    log_unpin(f->log, low);
    assert_int_equal(log_truncate(f->log, 0, 6, &removed), 0);
    assert_int_equal(removed, 2);
    assert_gens(f, 4, 5);
    assert_int_equal(log_pin(f->log, 3, &gone), JET_errMissingLogFile);
    assert_null(gone);
    log_unpin(f->log, high);
    log_unpin(f->log, NULL);
}

static void
test_truncate_passes_over_missing_file(void **state)
{
    struct fix *f = *state;
    uint32_t removed = 0;
    roll_to(f, 5);
    checkpoint_at(f, 5);
    g_autofree char *path = log_gen_path(f->log, 2);
    assert_int_equal(g_unlink(path), 0);
    assert_int_equal(log_truncate(f->log, 1, 5, &removed), 0);
    assert_int_equal(removed, 3);
    assert_int_equal(log_oldest_gen(f->log), 5);
}

static void
test_gen_time_reads_archives(void **state)
{
    struct fix *f = *state;
    uint64_t first, second, third;
    roll_to(f, 3);
    assert_int_equal(log_gen_time(f->log, 1, &first), 0);
    assert_int_equal(log_gen_time(f->log, 2, &second), 0);
    assert_int_equal(log_gen_time(f->log, 3, &third), 0);
    assert_true(first && first != second && second != third);
    checkpoint_at(f, 3);
    assert_int_equal(log_truncate(f->log, 1, 2, NULL), 0);
    assert_int_equal(log_gen_time(f->log, 1, &first), JET_errMissingLogFile);
}

static int
setup_circular(void **state)
{
    struct fix *f = fix_new();
    f->cfg.circular = true;
    *state = f;
    return log_create(&f->cfg, &f->log) < 0;
}

/* The worker removes while it prepares the next file, so the next roll has seen it done. */
static void
test_circular_removes_below_checkpoint_and_pins(void **state)
{
    struct fix *f = *state;
    struct log_pin *pin = NULL;
    assert_true(log_is_circular(f->log));
    roll_to(f, 6);
    assert_gens(f, 1, 5);
    assert_int_equal(log_pin(f->log, 3, &pin), 0);
    checkpoint_at(f, 5);
    roll_to(f, 8);
    assert_gens(f, 3, 7);
    log_unpin(f->log, pin);
    roll_to(f, 10);
    assert_gens(f, 5, 9);
}

static void
test_stream_remembers_that_it_was_circular(void **state)
{
    struct fix *f = *state;
    struct log_resume at = {1, false};
    assert_int_equal(log_close(f->log, true), 0);
    f->log = NULL;
    f->cfg.circular = false;
    assert_int_equal(log_continue(&f->cfg, &at, &f->log), 0);
    assert_true(log_is_circular(f->log));
}

static int
setup_long_names(void **state)
{
    struct fix *f = fix_new();
    f->cfg.eight_dot_three = false;
    *state = f;
    return log_create(&f->cfg, &f->log) < 0;
}

static void
test_long_names_when_asked(void **state)
{
    struct fix *f = *state;
    roll_to(f, 2);
    assert_true(fix_has(f, "edb00000001.log"));
}

#define TEST(t)           cmocka_unit_test_setup_teardown(t, fix_setup, fix_teardown)
#define TEST_WITH(t, how) cmocka_unit_test_setup_teardown(t, how, fix_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_truncate_stops_at_checkpoint_and_current),
        TEST(test_pin_holds_its_generation_and_above),
        TEST(test_truncate_passes_over_missing_file),
        TEST(test_gen_time_reads_archives),
        TEST_WITH(test_circular_removes_below_checkpoint_and_pins, setup_circular),
        TEST_WITH(test_stream_remembers_that_it_was_circular, setup_circular),
        TEST_WITH(test_long_names_when_asked, setup_long_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
