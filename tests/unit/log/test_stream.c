/* SPDX-License-Identifier: MIT */
/* stream: what is appended is there, in order, durable when promised, across rolls and restarts. */
#include "stream_fixture.h"

#include "log/filehdr.h"
#include "log/segment.h"

static void
test_create_begins_generation_one(void **state)
{
    struct fix *f = *state;
    assert_int_equal(log_gen(f->log), 1);
    assert_int_equal(log_oldest_gen(f->log), 1);
    assert_int_equal(lgpos_cmp(log_tip(f->log), (struct lgpos) {0, 1, 1}), 0);
    assert_int_equal(lgpos_cmp(log_flush_tip(f->log), (struct lgpos) {0, 1, 1}), 0);

    g_autofree char *path = log_gen_path(f->log, 1);
    struct log_reader_opts opts = {
        .expect = {.gen = 1, .signature = log_signature(f->log), .page_bytes = 8192}, .last = true};
    struct log_reader *r = NULL;
    assert_int_equal(log_reader_open(path, &opts, &r), 0);
    const struct log_filehdr *hdr = log_reader_header(r);
    assert_int_equal(hdr->segments, 16);
    assert_true(hdr->prev_created == 0 && hdr->prev_checksum == 0);
    assert_int_equal(hdr->attach[0], 1);
    uint64_t created;
    assert_int_equal(log_gen_time(f->log, 1, &created), 0);
    assert_true(created == hdr->created && created != 0);
    assert_int_equal(log_gen_time(f->log, 2, &created), JET_errMissingLogFile);
    log_reader_close(r);
    assert_true(fix_has(f, "edbres00001.jrs") && fix_has(f, "edbres00002.jrs"));
}

static void
test_append_does_not_flush(void **state)
{
    struct fix *f = *state;
    struct lgpos pos;
    assert_int_equal(fix_append(f->log, 0, 0, 100, &pos), 0);
    struct log_stats stats;
    log_stats(f->log, &stats);
    assert_int_equal(stats.flushes, 0);
    assert_true(lgpos_cmp(log_flush_tip(f->log), pos) <= 0);

    assert_int_equal(log_flush(f->log, pos), 0);
    assert_true(lgpos_cmp(log_flush_tip(f->log), pos) > 0);
    assert_int_equal(log_flush(f->log, pos), 0); /* nothing left to do */
    assert_int_equal(log_flush_all(f->log), 0);
    log_stats(f->log, &stats);
    assert_int_equal(stats.flushes, 1);
    assert_int_equal(stats.records, 1);
}

static void
test_record_larger_than_file_is_refused(void **state)
{
    struct fix *f = *state;
    assert_int_equal(fix_append(f->log, 0, 0, 65000, NULL), JET_errLogBufferTooSmall);
    assert_int_equal(fix_append(f->log, 0, 0, 50000, NULL), 0);
    assert_int_equal(fix_append(f->log, 0, 1, 50000, NULL), 0);
    assert_int_equal(log_flush_all(f->log), 0);
    struct found_records found = fix_read_all(f);
    assert_int_equal(found.next[0], 2);
    assert_int_equal(found.last.gen, 2);
    found_clear(&found);
}

static void
test_roll_separates_before_from_after(void **state)
{
    struct fix *f = *state;
    int32_t closed = 0;
    struct lgpos pos;
    assert_int_equal(fix_append(f->log, 0, 0, 100, NULL), 0);
    assert_int_equal(log_roll(f->log, &closed), 0);
    assert_int_equal(closed, 1);
    assert_int_equal(lgpos_cmp(log_flush_tip(f->log), (struct lgpos) {0, 1, 2}), 0);
    assert_int_equal(fix_append(f->log, 0, 1, 100, &pos), 0);
    assert_int_equal(pos.gen, 2);
    assert_int_equal(log_roll(f->log, &closed), 0);
    assert_int_equal(log_roll(f->log, &closed), 0);
    assert_int_equal(closed, 3);
    assert_int_equal(log_flush_all(f->log), 0);
    struct found_records found = fix_read_all(f);
    assert_int_equal(found.next[0], 2);
    assert_int_equal(found.rollovers, 3);
    found_clear(&found);
}

/* ---- many writers ---- */

struct writer {
    struct fix *f;
    uint16_t id;
    uint32_t n;
    GArray *positions;
};

static gpointer
writer_main(gpointer arg)
{
    struct writer *w = arg;
    GRand *rand = g_rand_new_with_seed(w->id);
    for (uint32_t i = 0; i < w->n; i++) {
        struct lgpos pos;
        int len = g_rand_int_range(rand, 0, 20);
        uint16_t bytes = (uint16_t)(len == 0 ? g_rand_int_range(rand, 4000, 12000) : len * 7);
        g_assert_cmpint(fix_append(w->f->log, w->id, i, bytes, &pos), ==, 0);
        g_array_append_val(w->positions, pos);
        if (w->id % 2 == 0) { /* durable */
            g_assert_cmpint(log_flush(w->f->log, pos), ==, 0);
            g_assert_cmpint(lgpos_cmp(log_flush_tip(w->f->log), pos), >, 0);
        }
    }
    g_rand_free(rand);
    return NULL;
}

static int
pos_order(const void *a, const void *b)
{
    return lgpos_cmp(*(const struct lgpos *)a, *(const struct lgpos *)b);
}

static void
run_writers(struct fix *f, uint32_t n)
{
    struct writer writers[4];
    GThread *threads[4];
    for (uint16_t i = 0; i < 4; i++) {
        writers[i] = (struct writer) {f, i, n, g_array_new(FALSE, FALSE, sizeof(struct lgpos))};
        threads[i] = g_thread_new("writer", writer_main, &writers[i]);
    }
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct lgpos));
    for (int i = 0; i < 4; i++) {
        g_thread_join(threads[i]);
        g_array_append_vals(all, writers[i].positions->data, writers[i].positions->len);
        g_array_unref(writers[i].positions);
    }
    assert_int_equal(log_flush_all(f->log), 0);

    struct found_records found = fix_read_all(f);
    for (int i = 0; i < 4; i++)
        assert_int_equal(found.next[i], n);
    g_array_sort(all, pos_order);
    assert_int_equal(all->len, found.positions->len);
    assert_memory_equal(all->data, found.positions->data, all->len * sizeof(struct lgpos));
    assert_true(found.last.gen > 2);
    found_clear(&found);
}

static void
test_many_writers_lose_nothing(void **state)
{
    run_writers(*state, 150);
}

/* An outsider's opinion: the Python checkers, which share no code with this. */
static void
test_python_checkers_agree(void **state)
{
    struct fix *f = *state;
    g_autofree char *script = g_build_filename(CORPUS_DIR, "..", "tools", "log_structure.py", NULL);
    g_autofree char *python = g_find_program_in_path("python3");
    if (!python || !g_file_test(script, G_FILE_TEST_EXISTS)) {
        print_message("no python3 or no %s\n", script);
        skip();
    }
    run_writers(f, 60);
    struct log_gens gens = {0};
    assert_int_equal(log_gens_find(f->dir, "edb", "log", &gens), 0);
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_ptr_array_add(argv, python);
    g_ptr_array_add(argv, script);
    for (size_t i = 0; i < gens.n; i++)
        g_ptr_array_add(argv, gens.paths[i]);
    g_ptr_array_add(argv, gens.current);
    g_ptr_array_add(argv, NULL);

    g_autofree char *out = NULL;
    int status = -1;
    assert_true(g_spawn_sync(NULL, (char **)argv->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out,
                             NULL, &status, NULL));
    assert_int_equal(status, 0);
    assert_null(strstr(out, "FAIL"));
    assert_null(strstr(out, "HDR BAD"));
    assert_null(strstr(out, "dangling"));
    assert_null(strstr(out, "tmPrev match False"));
    unsigned files = 0, links = 0, traces = 0;
    g_auto(GStrv) lines = g_strsplit(out, "\n", -1);
    for (char **l = lines; *l; l++) {
        files += strstr(*l, "segs ok") && strstr(*l, "shadow 0 stale 0 bad 0") &&
                 strstr(*l, "rsvd0 True");
        const char *trace = strstr(*l, "'Trace': ");
        traces += trace ? (unsigned)atoi(trace + 9) : 0;
        const char *hdr = strstr(*l, "ck hdr="), *calc = strstr(*l, " calc=");
        links += hdr && calc && strlen(calc + 6) == (size_t)(calc - hdr - 7) &&
                 strncmp(hdr + 7, calc + 6, strlen(calc + 6)) == 0;
    }
    assert_int_equal(files, gens.n + 1);
    assert_int_equal(links, gens.n);
    assert_int_equal(traces, 240);
    log_gens_clear(&gens);
}

static uint32_t
draw_next(void *ctx)
{
    return *(uint32_t *)ctx += 4; /* no atomic: the buffer lock is enough */
}

struct committer {
    struct fix *f;
    uint32_t *trx;
};

static gpointer
committer_main(gpointer arg)
{
    struct committer *c = arg;
    for (int i = 0; i < 500; i++) {
        struct lgpos pos;
        g_assert_cmpint(log_append_commit0(c->f->log, 3, draw_next, c->trx, &pos), ==, 0);
        if (i % 50 == 0)
            g_assert_cmpint(log_flush(c->f->log, pos), ==, 0);
    }
    return NULL;
}

static void
test_commit_order_is_log_order(void **state)
{
    uint32_t trx = 4;
    struct committer c = {*state, &trx};
    GThread *threads[4];
    for (int i = 0; i < 4; i++)
        threads[i] = g_thread_new("committer", committer_main, &c);
    for (int i = 0; i < 4; i++)
        g_thread_join(threads[i]);
    assert_int_equal(log_flush_all(c.f->log), 0);
    struct found_records found = fix_read_all(c.f);
    assert_int_equal(found.commits, 2000);
    assert_int_equal(found.last_trx, trx);
    found_clear(&found);
}

/* ---- going on ---- */

static void
reopen(struct fix *f, int32_t gen, bool next_gen)
{
    struct log_resume at = {gen, next_gen};
    (void)log_close(f->log, true);
    f->log = NULL;
    assert_int_equal(log_continue(&f->cfg, &at, &f->log), 0);
}

static void
test_continue_uses_fresh_segment(void **state)
{
    struct fix *f = *state;
    uint8_t signature[SIGNATURE_BYTES];
    memcpy(signature, log_signature(f->log), sizeof(signature));
    struct lgpos pos;
    assert_int_equal(fix_append(f->log, 0, 0, 5000, NULL), 0);
    reopen(f, 1, false);
    assert_memory_equal(signature, log_signature(f->log), sizeof(signature));
    assert_int_equal(fix_append(f->log, 0, 1, 10, &pos), 0);
    assert_int_equal(lgpos_cmp(pos, (struct lgpos) {0, 3, 1}), 0);
    reopen(f, 1, true);
    assert_int_equal(fix_append(f->log, 0, 2, 10, &pos), 0);
    assert_int_equal(lgpos_cmp(pos, (struct lgpos) {0, 1, 2}), 0);
    assert_int_equal(log_flush_all(f->log), 0);
    struct found_records found = fix_read_all(f);
    assert_int_equal(found.next[0], 3);
    found_clear(&found);
}

static void
test_continue_after_full_file_rolls(void **state)
{
    struct fix *f = *state;
    for (uint32_t i = 0; i < 14; i++) {
        assert_int_equal(fix_append(f->log, 0, i, 10, NULL), 0);
        assert_int_equal(log_flush_all(f->log), 0);
    }
    assert_int_equal(log_gen(f->log), 1);
    reopen(f, 1, false);
    struct lgpos pos;
    assert_int_equal(fix_append(f->log, 0, 14, 10, &pos), 0);
    assert_int_equal(lgpos_cmp(pos, (struct lgpos) {0, 1, 2}), 0);
    assert_int_equal(log_flush_all(f->log), 0);
    struct found_records found = fix_read_all(f);
    assert_int_equal(found.next[0], 15);
    found_clear(&found);
}

/* A flush of three segments of which only the last two reached the disk must stay dead, also when
 * its first segment is written anew. */
static void
test_continue_clears_torn_flush(void **state)
{
    struct fix *f = *state;
    assert_int_equal(fix_append(f->log, 0, 0, 10, NULL), 0);
    assert_int_equal(log_flush_all(f->log), 0);
    assert_int_equal(fix_append(f->log, 0, 1, 4000, NULL), 0);
    assert_int_equal(fix_append(f->log, 0, 2, 4000, NULL), 0);
    assert_int_equal(fix_append(f->log, 0, 3, 4000, NULL), 0);
    assert_int_equal(log_close(f->log, true), 0);
    f->log = NULL;

    g_autofree char *path = g_build_filename(f->dir, "edb.log", NULL);
    g_autofree char *bytes = NULL;
    gsize len;
    assert_true(g_file_get_contents(path, &bytes, &len, NULL));
    /* segment 2 torn: an odd number of dwords, as an even number of equal ones cancels in an XOR */
    memset(bytes + 2 * SEGMENT_BYTES + 512, 0, 501 * 4);
    assert_true(g_file_set_contents(path, bytes, (gssize)len, NULL));

    struct log_resume at = {1, false};
    assert_int_equal(log_continue(&f->cfg, &at, &f->log), 0);
    struct lgpos pos;
    assert_int_equal(fix_append(f->log, 0, 1, 10, &pos), 0);
    assert_int_equal(lgpos_cmp(pos, (struct lgpos) {0, 2, 1}), 0);
    assert_int_equal(log_flush_all(f->log), 0);
    struct found_records found = fix_read_all(f);
    assert_int_equal(found.next[0], 2);
    found_clear(&found);
}

static void
test_continue_after_crash_inside_roll(void **state)
{
    struct fix *f = *state;
    assert_int_equal(fix_append(f->log, 0, 0, 5000, NULL), 0);
    assert_int_equal(log_close(f->log, true), 0);
    f->log = NULL;
    g_autofree char *current = g_build_filename(f->dir, "edb.log", NULL);
    g_autofree char *archive = g_build_filename(f->dir, "edb00001.log", NULL);
    g_autofree char *tmp = g_build_filename(f->dir, "edbtmp.log", NULL);
    assert_int_equal(g_rename(current, archive), 0);
    assert_true(g_file_set_contents(tmp, "whatever", 8, NULL));

    struct log_resume at = {1, true};
    assert_int_equal(log_continue(&f->cfg, &at, &f->log), 0);
    struct lgpos pos;
    assert_int_equal(fix_append(f->log, 0, 1, 10, &pos), 0);
    assert_int_equal(lgpos_cmp(pos, (struct lgpos) {0, 1, 2}), 0);
    assert_int_equal(log_flush_all(f->log), 0);
    struct found_records found = fix_read_all(f);
    assert_int_equal(found.next[0], 2);
    found_clear(&found);
}

static void
test_continue_without_log_is_refused(void **state)
{
    struct fix *f = *state;
    (void)log_close(f->log, true);
    f->log = NULL;
    fix_clear_dir(f);
    struct log_resume at = {5, false};
    assert_int_equal(log_continue(&f->cfg, &at, &f->log), JET_errMissingLogFile);
    at.gen = 0;
    assert_int_equal(log_continue(&f->cfg, &at, &f->log), JET_errInvalidParameter);
    f->cfg.file_kib = 63;
    assert_int_equal(log_create(&f->cfg, &f->log), JET_errInvalidParameter);
}

static void
test_abandoned_log_gives_that_error(void **state)
{
    struct fix *f = *state;
    struct lgpos pos;
    int32_t gen;
    assert_int_equal(fix_append(f->log, 0, 0, 10, &pos), 0);
    log_abandon(f->log, JET_errInstanceUnavailable);
    assert_int_equal(fix_append(f->log, 0, 1, 10, NULL), JET_errInstanceUnavailable);
    assert_int_equal(log_flush(f->log, pos), JET_errInstanceUnavailable);
    assert_int_equal(log_roll(f->log, &gen), JET_errInstanceUnavailable);
    assert_int_equal(log_check_state(f->log), JET_errInstanceUnavailable);
    assert_int_equal(log_close(f->log, true), JET_errInstanceUnavailable);
    f->log = NULL;
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, fix_setup, fix_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_create_begins_generation_one),       TEST(test_append_does_not_flush),
        TEST(test_record_larger_than_file_is_refused), TEST(test_roll_separates_before_from_after),
        TEST(test_many_writers_lose_nothing),          TEST(test_python_checkers_agree),
        TEST(test_commit_order_is_log_order),          TEST(test_continue_uses_fresh_segment),
        TEST(test_continue_after_full_file_rolls),     TEST(test_continue_clears_torn_flush),
        TEST(test_continue_after_crash_inside_roll),   TEST(test_continue_without_log_is_refused),
        TEST(test_abandoned_log_gives_that_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
