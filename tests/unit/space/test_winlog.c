/* SPDX-License-Identifier: MIT */
/*
 * A log written by Windows (a database's creation, splits, merges, deletes), redone from nothing: every
 * dbtime in it must match, and sound trees and whole space must come out.
 */
#include "replay.h"

static void
redo_all(struct world *w, struct log_reader *reader)
{
    struct replay r = {w, g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref)};
    struct span record;
    struct lgpos at;
    JET_ERR err;
    while ((err = log_reader_next(reader, &record, &at)) == 1) {
        uint8_t type = record.data[0];
        if ((type >= LR_BEGIN && type <= LR_MACRO_ABORT) || lr_is_page(type) || type == LR_EXTEND_DB)
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

static void
test_redo_when_log_is_of_windows_gives_sound_trees(void **state)
{
    struct world w = {.page_bytes = 4096};
    struct log_reader_opts opts = {.expect = {.gen = 1, .page_bytes = 4096}, .last = true};
    struct log_reader *reader;
    g_autofree char *path = g_build_filename(CORPUS_DIR, "logs", "edb.log", NULL);
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        print_message("no corpus: %s\n", path);
        skip();
    }
    w.dir = g_dir_make_tmp("world-XXXXXX", NULL);
    w.path = g_build_filename(w.dir, "t.edb", NULL);
    world_make_cache(&w, 512);
    world_open_db(&w, true, NULL);
    OK(log_reader_open(path, &opts, &reader));
    redo_all(&w, reader);
    log_reader_close(reader);
    check_all(&w);
    OK(txn_cleanup(w.txn, 0, NULL));
    check_all(&w);
    txn_redo_end(w.txn);
    OK(cache_flush(w.file));
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_redo_when_log_is_of_windows_gives_sound_trees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
