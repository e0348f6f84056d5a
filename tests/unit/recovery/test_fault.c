/* SPDX-License-Identifier: MIT */
/*
 * fault: every system call of a recovery fails once, or from there on, or tears what it writes. The
 * next recovery, without faults, finds all that was committed.
 */
#include "crash.h"

#include <errno.h>

#include "os/fault.h"

struct crashed {
    struct engine e;
    char *dir;
};

static int
setup(void **state)
{
    struct crashed *c = g_new0(struct crashed, 1);
    engine_begin(&c->e, 31);
    finish_database(&c->e);
    for (int k = 0; k < 350; k++) {
        step(&c->e);
        if (k == 200)
            OK(cache_flush(c->e.file));
    }
    OK(log_flush_all(c->e.log));
    cache_write_pause(c->e.cache);
    c->dir = copy_dir(c->e.dir, NULL);
    cache_write_resume(c->e.cache);
    *state = c;
    return 0;
}

static int
teardown(void **state)
{
    struct crashed *c = *state;
    remove_dir(c->dir);
    engine_end(&c->e);
    g_free(c->dir);
    g_free(c);
    return 0;
}

/* Fails call n of a recovery, then recovers. false: the recovery made fewer calls. */
static bool
fail_at(struct crashed *c, uint64_t n, bool persistent, bool torn)
{
    g_autofree char *dir = copy_dir(c->dir, NULL);
    struct os_fault fault = {.calls = OS_CALL_ANY,
                             .nth = n,
                             .persistent = persistent,
                             .torn = torn,
                             .errnum = EIO,
                             .path_part = dir};
    struct recovery_result result;
    os_fault_arm(&fault);
    JET_ERR err = recover_dir(&c->e, dir, 0, &result);
    bool struck = os_fault_count() >= n;
    os_fault_arm(NULL);
    if (!struck)
        OK(err);
    err = recover_dir(&c->e, dir, 0, &result);
    if (err != 0)
        print_message("call %u, %s%s\n", (unsigned)n, persistent ? "and all after" : "once",
                      torn ? ", torn" : "");
    OK(err);
    check_dir(&c->e, dir, UINT64_MAX);
    remove_dir(dir);
    return struck;
}

static void
loop(struct crashed *c, bool persistent, bool torn)
{
    uint64_t n = 1;
    while (fail_at(c, n, persistent, torn))
        n++;
    print_message("%u calls\n", (unsigned)n - 1);
    assert_true(n > 20);
}

static void
test_one_failed_call_loses_nothing(void **state)
{
    loop(*state, false, false);
}

static void
test_a_disk_that_dies_loses_nothing(void **state)
{
    loop(*state, true, false);
}

static void
test_a_torn_write_loses_nothing(void **state)
{
    loop(*state, true, true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_failed_call_loses_nothing),
        cmocka_unit_test(test_a_disk_that_dies_loses_nothing),
        cmocka_unit_test(test_a_torn_write_loses_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
