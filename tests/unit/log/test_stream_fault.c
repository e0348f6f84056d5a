/* SPDX-License-Identifier: MIT */
/*
 * stream under faults: whichever call fails, the log goes down cleanly, everything acknowledged is
 * readable, and the stream can go on. And the disk that is really full.
 */
#include "stream_fixture.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>

#include "os/fault.h"

#define N_RECORDS 40

/* Appends and flushes until an error; *acked = records known to be durable. */
static JET_ERR
append_until_error(struct fix *f, uint32_t from, uint32_t n, uint32_t *acked)
{
    struct lgpos pos;
    for (uint32_t i = from; i < from + n; i++) {
        JET_ERR err = fix_append(f->log, 0, i, (uint16_t)(i % 7 == 0 ? 9000 : 3000), &pos);
        if (err >= 0)
            err = log_flush(f->log, pos);
        if (err < 0)
            return err;
        *acked = i + 1;
    }
    return JET_errSuccess;
}

static void
assert_is_down(struct fix *f, JET_ERR err, uint32_t number)
{
    struct lgpos pos, before = log_flush_tip(f->log);
    int32_t gen;
    assert_true(err == JET_errLogWriteFail || err == JET_errLogDiskFull);
    assert_int_equal(fix_append(f->log, 0, number, 10, &pos), err);
    assert_int_equal(log_roll(f->log, &gen), err);
    assert_int_equal(log_check_state(f->log), err);
    assert_int_equal(lgpos_cmp(before, log_flush_tip(f->log)), 0);
}

/* What recovery does: finds the newest generation, current or archive; begins with RecoveryUndo2,
 * which tells readers that a record cut off just before is no damage. */
static void
go_on(struct fix *f)
{
    struct log_gens gens = {0};
    assert_int_equal(log_gens_find(f->dir, "edb", "log", &gens), 0);
    struct log_resume at = {gens.n ? gens.gens[gens.n - 1] : 0, false};
    if (gens.current)
        at.gen++;
    assert_true(gens.current || gens.next || gens.n == 0);
    log_gens_clear(&gens);
    assert_int_equal(log_continue(&f->cfg, &at, &f->log), 0);

    uint8_t undo[9] = {LR_RECOVERY_UNDO2};
    struct iovec part = {undo, sizeof(undo)};
    assert_int_equal(log_append(f->log, &part, 1, NULL), 0);
}

static bool
one_fault(unsigned nth, bool persistent, int errnum)
{
    struct fix *f = fix_new();
    uint32_t acked = 0;
    assert_int_equal(log_create(&f->cfg, &f->log), 0);

    struct os_fault fault = {.calls = OS_CALL_ANY,
                             .nth = nth,
                             .persistent = persistent,
                             .torn = nth % 2 == 0,
                             .errnum = errnum};
    os_fault_arm(&fault);
    JET_ERR err = append_until_error(f, 0, N_RECORDS, &acked);
    bool struck = os_fault_count() >= nth;
    if (err < 0)
        assert_is_down(f, err, acked);
    else
        assert_int_equal(acked, N_RECORDS);
    os_fault_arm(NULL);
    (void)log_close(f->log, false);
    f->log = NULL;

    struct found_records found = fix_read_all(f);
    assert_true(found.next[0] >= acked);
    uint32_t next = found.next[0];
    found_clear(&found);

    go_on(f);
    assert_int_equal(append_until_error(f, next, 20, &acked), 0);
    found = fix_read_all(f);
    assert_int_equal(found.next[0], next + 20);
    found_clear(&found);
    fix_free(f);
    return struck;
}

static void
test_every_call_that_fails_once(void **state)
{
    for (unsigned n = 1; one_fault(n, false, EIO); n++)
        ;
}

static void
test_every_call_from_which_all_fail(void **state)
{
    for (unsigned n = 1; one_fault(n, true, EIO); n++)
        ;
}

static void
test_every_call_from_which_disk_is_full(void **state)
{
    for (unsigned n = 1; one_fault(n, true, ENOSPC); n++)
        ;
}

static void
test_create_that_fails_leaves_nothing_open(void **state)
{
    for (unsigned n = 1;; n++) {
        struct fix *f = fix_new();
        struct os_fault fault = {.calls = OS_CALL_ANY, .nth = n, .persistent = true, .errnum = EIO};
        os_fault_arm(&fault);
        JET_ERR err = log_create(&f->cfg, &f->log);
        bool struck = os_fault_count() >= n;
        os_fault_arm(NULL);
        assert_true(err >= 0 || (struck && f->log == NULL));
        fix_free(f);
        if (err >= 0)
            break; /* from here on it is the worker that meets it */
    }
}

/* ---- writers that wait while the log goes down ---- */

static gpointer
waiter_main(gpointer arg)
{
    struct fix *f = arg;
    for (;;) {
        struct lgpos pos;
        JET_ERR err = fix_append(f->log, 1, 0, 500, &pos);
        if (err >= 0)
            err = log_flush(f->log, pos);
        if (err < 0)
            return GINT_TO_POINTER(err);
    }
}

static void
test_waiters_wake_with_the_error(void **state)
{
    struct fix *f = fix_new();
    GThread *threads[4];
    assert_int_equal(log_create(&f->cfg, &f->log), 0);
    struct os_fault fault = {.calls = OS_CALL_SYNC, .nth = 60, .persistent = true, .errnum = EIO};
    os_fault_arm(&fault);
    for (int i = 0; i < 4; i++)
        threads[i] = g_thread_new("waiter", waiter_main, f);
    for (int i = 0; i < 4; i++)
        assert_int_equal(GPOINTER_TO_INT(g_thread_join(threads[i])), JET_errLogWriteFail);
    os_fault_arm(NULL);
    fix_free(f);
}

/* Headers of databases promise up to log_gen: that must be a file, also in the middle of a roll. */
static void
test_gen_is_not_the_next_before_it_has_a_file(void **state)
{
    struct fix *f = fix_new();
    int32_t gen;
    assert_int_equal(log_create(&f->cfg, &f->log), 0);
    struct os_fault fault = {.calls = OS_CALL_RENAME, .nth = 1, .persistent = true, .errnum = EIO};
    os_fault_arm(&fault);
    assert_true(log_roll(f->log, &gen) < 0);
    assert_int_equal(log_gen(f->log), 1);
    os_fault_arm(NULL);
    fix_free(f);
}

/* ---- a disk that is full: a tmpfs of 5 logs in a mount namespace of our own ---- */

static bool own_mounts;

static struct fix *
small_disk(void)
{
    struct fix *f = fix_new();
    if (!own_mounts || mount("none", f->dir, "tmpfs", 0, "size=320k") < 0) {
        fix_free(f);
        return NULL;
    }
    return f;
}

static void
small_disk_free(struct fix *f)
{
    (void)log_close(f->log, false);
    f->log = NULL;
    umount2(f->dir, MNT_DETACH);
    fix_free(f);
}

static void
test_reserve_carries_on_when_disk_is_full(void **state)
{
    struct fix *f = small_disk();
    if (!f) {
        print_message("no mount namespace\n");
        skip();
    }
    int32_t closed = 0;
    assert_int_equal(log_create(&f->cfg, &f->log), 0);
    assert_int_equal(log_roll(f->log, &closed), 0);
    assert_int_equal(log_roll(f->log, &closed), 0);
    assert_int_equal(log_check_state(f->log), 0);
    assert_int_equal(log_roll(f->log, &closed), 0); /* on the first reserve file */
    assert_int_equal(log_check_state(f->log), JET_errLogDiskFull);
    assert_int_equal(fix_append(f->log, 0, 0, 100, NULL), 0);
    assert_int_equal(log_flush_all(f->log), 0);

    /* room again: the reserve fills up, work goes on */
    log_set_checkpoint(f->log, (struct lgpos) {0, 1, 4});
    assert_int_equal(log_truncate(f->log, 0, 4, NULL), 0);
    assert_int_equal(log_check_state(f->log), 0);
    assert_true(fix_has(f, "edbres00002.jrs"));
    assert_int_equal(log_roll(f->log, &closed), 0);
    struct found_records found = fix_read_all(f);
    assert_int_equal(found.next[0], 1);
    found_clear(&found);
    small_disk_free(f);
}

static void
test_log_is_down_when_reserve_is_used_up(void **state)
{
    struct fix *f = small_disk();
    if (!f) {
        print_message("no mount namespace\n");
        skip();
    }
    int32_t closed = 0;
    assert_int_equal(log_create(&f->cfg, &f->log), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(log_roll(f->log, &closed), 0);
    assert_int_equal(fix_append(f->log, 0, 0, 100, NULL), 0);
    assert_int_equal(log_flush_all(f->log), 0);
    assert_int_equal(log_roll(f->log, &closed), JET_errLogDiskFull);
    assert_is_down(f, JET_errLogDiskFull, 1);
    struct found_records found = fix_read_all(f);
    assert_int_equal(found.next[0], 1);
    found_clear(&found);
    small_disk_free(f);
}

int
main(void)
{
    if (access("/dev/shm", W_OK) == 0) /* thousands of syncs: where they cost nothing */
        g_setenv("TMPDIR", "/dev/shm", TRUE);
    own_mounts = unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;
    if (own_mounts)
        own_mounts = mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_call_that_fails_once),
        cmocka_unit_test(test_every_call_from_which_all_fail),
        cmocka_unit_test(test_every_call_from_which_disk_is_full),
        cmocka_unit_test(test_create_that_fails_leaves_nothing_open),
        cmocka_unit_test(test_waiters_wake_with_the_error),
        cmocka_unit_test(test_gen_is_not_the_next_before_it_has_a_file),
        cmocka_unit_test(test_reserve_carries_on_when_disk_is_full),
        cmocka_unit_test(test_log_is_down_when_reserve_is_used_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
