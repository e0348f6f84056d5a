/* SPDX-License-Identifier: MIT */
/*
 * A log written by Windows (a database's creation, splits, merges, deletes), redone from nothing:
 * every dbtime in it must match, and sound trees and whole space must come out.
 */
#include "replay.h"

static void
redo_all(struct world *w, struct log_reader *reader)
{
    struct replay r = {w,
                       g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref)};
    struct span record;
    struct lgpos at;
    JET_ERR err;
    while ((err = log_reader_next(reader, &record, &at)) == 1) {
        uint8_t type = record.data[0];
        if ((type >= LR_BEGIN && type <= LR_MACRO_ABORT) || lr_is_page(type) ||
            type == LR_EXTEND_DB)
            replay_record(&r, record, at);
    }
    OK(err);
    g_hash_table_destroy(r.macros);
}

static void
check_all(struct world *w)
{
    static const uint32_t trees[] = {4, 7, 10, 24, 29, 30};
    static const uint32_t of_catalog[] = {7, 10};
    uint64_t leaked;
    for (size_t i = 0; i < G_N_ELEMENTS(trees); i++) {
        bool catalog = trees[i] == 4;
        OK(space_check(w->db, trees[i], of_catalog, catalog ? 2 : 0, &leaked));
        assert_int_equal(leaked, 0);
    }
}

static bool
open_winlog(struct world *w, struct log_reader **reader, char *path)
{
    struct log_reader_opts opts = {.expect = {.gen = 1, .page_bytes = 4096}, .last = true};
    g_autofree char *log = g_build_filename(CORPUS_DIR, "logs", "edb.log", NULL);
    if (!g_file_test(log, G_FILE_TEST_EXISTS)) {
        print_message("no corpus: %s\n", log);
        return false;
    }
    *w = (struct world) {.page_bytes = 4096};
    w->dir = g_dir_make_tmp("world-XXXXXX", NULL);
    w->path = g_build_filename(w->dir, "t.edb", NULL);
    world_make_cache(w, 512);
    if (path)
        assert_int_equal(g_rename(path, w->path), 0);
    world_open_db(w, !path, NULL);
    OK(log_reader_open(log, &opts, reader));
    return true;
}

static void
test_redo_when_log_is_of_windows_gives_sound_trees(void **state)
{
    struct world w;
    struct log_reader *reader;
    if (!open_winlog(&w, &reader, NULL))
        skip();
    redo_all(&w, reader);
    log_reader_close(reader);
    check_all(&w);
    OK(txn_cleanup(w.txn, 0, NULL));
    check_all(&w);
    txn_redo_end(w.txn);
    OK(cache_flush(w.file));
    world_end(&w);
}

/* All of the log once; the file. */
static bool
redone_file(char **data, gsize *len)
{
    struct world w;
    struct log_reader *reader;
    if (!open_winlog(&w, &reader, NULL))
        return false;
    redo_all(&w, reader);
    log_reader_close(reader);
    OK(cache_flush(w.file));
    assert_true(g_file_get_contents(w.path, data, len, NULL));
    txn_redo_end(w.txn);
    world_end(&w);
    return true;
}

/* Same nodes, links and flags; where they lie in the page may differ. */
static void
assert_same_page(const char *a, const char *b, uint32_t pgno)
{
    struct page x, y;
    page_init(&x, (void *)(a + (pgno + 1) * 4096u), 4096, pgno);
    page_init(&y, (void *)(b + (pgno + 1) * 4096u), 4096, pgno);
    if (page_is_zero(&x) && page_is_zero(&y))
        return;
    assert_int_equal(page_dbtime(&x), page_dbtime(&y));
    assert_int_equal(page_lines(&x), page_lines(&y));
    assert_int_equal(page_next(&x), page_next(&y));
    assert_int_equal(page_prev(&x), page_prev(&y));
    uint32_t flags = ~(uint32_t)PAGE_FLAG_FLUSH_TYPE;
    assert_int_equal(page_flags(&x) & flags, page_flags(&y) & flags);
    for (uint16_t i = 0; i < page_lines(&x); i++) {
        assert_int_equal(span_cmp(page_raw(&x, i), page_raw(&y, i)), 0);
        assert_int_equal(page_node_flags(&x, i), page_node_flags(&y, i));
    }
}

/* Pages reach the disk one by one: whichever were there already, redo gives the same. The images in
 * the records are Windows' compressed ones. */
static void
test_redo_when_some_pages_were_written_gives_the_same(void **state)
{
    g_autofree char *whole = NULL;
    gsize len;
    if (!redone_file(&whole, &len))
        skip();
    for (uint32_t seed = 1; seed <= 12; seed++) {
        struct world w;
        struct log_reader *reader;
        g_autofree char *part = g_memdup2(whole, len), *again = NULL;
        uint32_t x = seed * 7919;
        for (gsize at = 2 * 4096; at < len; at += 4096) {
            x = x * 1103515245u + 12345u;
            if (x >> 16 & 1)
                memset(part + at, 0, 4096);
        }
        g_autofree char *path =
            g_strdup_printf("%s/winlog-%u.edb", g_get_tmp_dir(), g_random_int());
        assert_true(g_file_set_contents(path, part, (gssize)len, NULL));
        assert_true(open_winlog(&w, &reader, path));
        redo_all(&w, reader);
        log_reader_close(reader);
        OK(cache_flush(w.file));
        assert_true(g_file_get_contents(w.path, &again, &len, NULL));
        for (uint32_t pgno = 1; (pgno + 2) * 4096u <= len; pgno++)
            assert_same_page(whole, again, pgno);
        txn_redo_end(w.txn);
        world_end(&w);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_redo_when_log_is_of_windows_gives_sound_trees),
        cmocka_unit_test(test_redo_when_some_pages_were_written_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
