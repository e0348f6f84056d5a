/* SPDX-License-Identifier: MIT */
/* The status file alone: who may pass when, and that nobody ever reads half of it. */
#include "lease.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEASE_SIGNAL (SIGRTMIN + 1)
#define DEADLINE_US  (30 * G_USEC_PER_SEC)

struct fixture {
    char *dir;
    char *path;
    struct lease_file *file;
};

static int
set_up(void **state)
{
    struct fixture *f = g_new0(struct fixture, 1);
    f->dir = g_dir_make_tmp("jetfs-lease-XXXXXX", NULL);
    f->path = g_build_filename(f->dir, "mnt.status.json", NULL);
    *state = f;
    return lease_open(f->path, "first", LEASE_SIGNAL, &f->file);
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->file != NULL)
        (void)lease_finish(f->file, "end");
    g_chmod(f->dir, 0700);
    g_unlink(f->path);
    assert_int_equal(g_rmdir(f->dir), 0); /* nothing else was left in it */
    g_free(f->path);
    g_free(f->dir);
    g_free(f);
    return 0;
}

static bool
yes(void *ctx)
{
    return true;
}

static bool
no(void *ctx)
{
    return false;
}

static gpointer
read_file(gpointer path)
{
    char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

/* A reader in a thread, which has begun to wait when this returns. */
static GThread *
start_reader(struct fixture *f)
{
    GThread *thread = g_thread_new("reader", read_file, f->path);
    gint64 deadline = g_get_monotonic_time() + DEADLINE_US;
    while (!lease_is_wanted(f->file)) {
        assert_true(g_get_monotonic_time() < deadline);
        g_thread_yield();
    }
    return thread;
}

static void
assert_reads(GThread *reader, const char *want)
{
    g_autofree char *text = g_thread_join(reader);
    assert_string_equal(text, want);
}

static bool
has_leases(struct fixture *f)
{
    if (!lease_is_held(f->file))
        print_message("no leases on this file system: %s\n", f->dir);
    return lease_is_held(f->file);
}

static void
test_reader_passes_with_what_is_published(void **state)
{
    struct fixture *f = *state;
    if (!has_leases(f))
        skip();
    GThread *reader = start_reader(f);
    assert_int_equal(lease_publish(f->file, "second", yes, NULL), 0);
    assert_reads(reader, "second");
    assert_true(lease_is_held(f->file));
}

static void
test_reader_waits_for_the_end_when_it_may_not_pass(void **state)
{
    struct fixture *f = *state;
    if (!has_leases(f))
        skip();
    GThread *early = start_reader(f);
    assert_int_equal(lease_publish(f->file, "interim", no, NULL), 0);
    GThread *late = start_reader(f);
    assert_int_equal(lease_finish(g_steal_pointer(&f->file), "final"), 0);
    assert_reads(early, "final");
    assert_reads(late, "final");
}

static void
test_shorter_content_leaves_no_rest(void **state)
{
    struct fixture *f = *state;
    if (!has_leases(f))
        skip();
    assert_int_equal(lease_publish(f->file, "a long long content", yes, NULL), 0);
    GThread *reader = start_reader(f);
    assert_int_equal(lease_finish(g_steal_pointer(&f->file), "short"), 0);
    assert_reads(reader, "short");
}

static void
test_link_is_replaced_and_not_followed(void **state)
{
    struct fixture *f = *state;
    g_autofree char *victim = g_build_filename(f->dir, "victim", NULL);
    assert_int_equal(lease_finish(g_steal_pointer(&f->file), "x"), 0);
    assert_true(g_file_set_contents(victim, "precious", -1, NULL));
    g_unlink(f->path);
    assert_int_equal(symlink(victim, f->path), 0);
    assert_int_equal(lease_write_once(f->path, "new"), 0);
    g_autofree char *kept = read_file(victim);
    assert_string_equal(kept, "precious");
    g_unlink(victim);
}

static void
test_directory_that_is_gone_is_told(void **state)
{
    struct lease_file *file;
    assert_int_equal(lease_write_once("/nonexistent/x.json", "x"), -ENOENT);
    assert_int_equal(lease_open("/nonexistent/x.json", "x", LEASE_SIGNAL, &file), -ENOENT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reader_passes_with_what_is_published, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_reader_waits_for_the_end_when_it_may_not_pass, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_shorter_content_leaves_no_rest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_link_is_replaced_and_not_followed, set_up, tear_down),
        cmocka_unit_test(test_directory_that_is_gone_is_told),
    };
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, LEASE_SIGNAL);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
