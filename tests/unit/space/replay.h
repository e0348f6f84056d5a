/* SPDX-License-Identifier: MIT */
/*
 * replay: a crash, and the smallest recovery: redo of all logs from the first record, undo of what
 * is open. Enough to hold redo of trees and space against what do-time left.
 */
#pragma once

#include "log/reader.h"
#include "world.h"

struct replay {
    struct world *w;
    GHashTable *macros; /* procid -> GPtrArray of record bytes */
};

static inline void
replay_macro_add(struct replay *r, uint16_t procid, struct span record)
{
    GPtrArray *list = g_hash_table_lookup(r->macros, GUINT_TO_POINTER((guint)procid));
    assert_non_null(list);
    g_ptr_array_add(list, g_bytes_new(record.data, record.len));
}

static inline void
replay_macro_commit(struct replay *r, struct session *s, uint16_t procid, struct lgpos at)
{
    GPtrArray *list = g_hash_table_lookup(r->macros, GUINT_TO_POINTER((guint)procid));
    assert_non_null(list);
    struct lr *lrs = g_new0(struct lr, list->len);
    for (guint i = 0; i < list->len; i++) {
        gsize len;
        const void *data = g_bytes_get_data(g_ptr_array_index(list, i), &len);
        OK(lr_decode(data, len, &lrs[i], NULL));
    }
    OK(btree_redo_macro(r->w->db, s, lrs, list->len, at));
    g_free(lrs);
    g_hash_table_remove(r->macros, GUINT_TO_POINTER((guint)procid));
}

static inline uint16_t
replay_procid(const struct lr *lr)
{
    if (lr_is_page(lr->type))
        return lr->page.procid;
    if (lr->type == LR_MACRO_BEGIN || lr->type == LR_MACRO_COMMIT || lr->type == LR_MACRO_ABORT)
        return lr->macro.procid;
    return lr->tx.procid;
}

static inline void
replay_record(struct replay *r, struct span record, struct lgpos at)
{
    struct lr lr;
    struct session *s;
    OK(lr_decode(record.data, record.len, &lr, NULL));
    if (lr.type == LR_FORCE_LOG_ROLLOVER)
        return;
    if (lr.type == LR_EXTEND_DB) {
        OK(space_redo_extend(r->w->db, &lr));
        return;
    }
    uint16_t procid = replay_procid(&lr);
    OK(txn_redo_session(r->w->txn, procid, &s));
    if (lr_is_page(lr.type) && lr.page.dbtime != LR_DBTIME_NIL)
        dbfile_dbtime_raise(r->w->file, (uint64_t)lr.page.dbtime);
    bool in_macro = g_hash_table_contains(r->macros, GUINT_TO_POINTER((guint)procid));
    switch (lr.type) {
    case LR_BEGIN0:
    case LR_BEGIN:
        OK(session_redo_begin(s, lr.tx.level, lr.tx.levels, lr.type == LR_BEGIN0 ? lr.tx.trx : 0,
                              at));
        break;
    case LR_COMMIT:
        OK(session_redo_commit(s, lr.tx.level));
        break;
    case LR_COMMIT0:
        OK(session_redo_commit0(s, lr.tx.trx));
        break;
    case LR_ROLLBACK:
        OK(session_redo_rollback(s, lr.tx.level));
        break;
    case LR_MACRO_BEGIN:
        g_hash_table_insert(r->macros, GUINT_TO_POINTER((guint)procid),
                            g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref));
        break;
    case LR_MACRO_COMMIT:
        replay_macro_commit(r, s, procid, at);
        break;
    case LR_CREATE_ME:
    case LR_CREATE_SE:
    case LR_CONVERT_FDP2:
        OK(space_redo_fdp(r->w->db, s, &lr, at));
        break;
    case LR_EMPTY_TREE:
        OK(btree_redo_empty_tree(r->w->db, s, &lr, at));
        break;
    default:
        if (in_macro)
            replay_macro_add(r, procid, record);
        else
            OK(btree_redo_node(r->w->db, s, &lr, at));
    }
}

static inline void
replay_undo(struct session *s, void *ctx)
{
    OK(session_rollback(s, JET_bitRollbackAll));
}

/* Any page may have reached the disk before the crash, or not: some go back to what `before` has.
 */
static inline void
replay_mix_pages(struct world *w, const char *before, gsize before_len, uint32_t seed)
{
    g_autofree char *after = NULL;
    gsize len;
    assert_true(g_file_get_contents(w->path, &after, &len, NULL));
    for (gsize at = 2 * w->page_bytes; at < len; at += w->page_bytes) {
        seed = seed * 1103515245u + 12345u;
        if ((seed >> 16 & 3) == 0 && at < before_len)
            memcpy(after + at, before + at, w->page_bytes);
    }
    FILE *f = fopen(w->path, "r+b");
    assert_non_null(f);
    assert_int_equal(fwrite(after, 1, len, f), len);
    fclose(f);
}

/*
 * Crash and recovery: of the pages changed since the last write some are lost; the log is whole.
 * The world has no log then.
 */
static inline void
world_crash(struct world *w, uint32_t frames, uint32_t seed)
{
    g_autofree char *before = NULL;
    gsize before_len;
    bool log_up = log_flush_all(w->log) >= 0;
    assert_true(g_file_get_contents(w->path, &before, &before_len, NULL));
    if (log_up && seed % 3)
        OK(cache_flush(w->file));
    int32_t last = log_gen(w->log);
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    for (int32_t gen = 1; gen <= last; gen++)
        g_ptr_array_add(paths, log_gen_path(w->log, gen));
    g_autofree uint8_t *sign = g_malloc(SIGNATURE_BYTES);
    memcpy(sign, log_signature(w->log), SIGNATURE_BYTES);
    uint64_t file_bytes = log_file_bytes(w->log);
    cache_abandon(w->cache, JET_errInstanceUnavailable);
    space_detach(g_steal_pointer(&w->db));
    dbfile_close(g_steal_pointer(&w->file));
    cache_free(w->cache);
    txn_free(g_steal_pointer(&w->txn));
    (void)log_close(g_steal_pointer(&w->log), false);
    replay_mix_pages(w, before, before_len, seed);
    world_make_cache(w, frames);
    world_open_db(w, false, NULL);
    struct replay r = {w,
                       g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref)};
    for (guint i = 0; i < paths->len; i++) {
        struct log_reader_opts opts = {.expect = {.gen = (int32_t)i + 1,
                                                  .signature = sign,
                                                  .page_bytes = w->page_bytes,
                                                  .file_bytes = file_bytes},
                                       .last = i + 1 == paths->len};
        struct log_reader *reader;
        struct span record;
        struct lgpos at;
        JET_ERR err;
        OK(log_reader_open(g_ptr_array_index(paths, i), &opts, &reader));
        log_reader_seek(reader, LGPOS_MIN);
        while ((err = log_reader_next(reader, &record, &at)) == 1)
            replay_record(&r, record, at);
        OK(err);
        log_reader_close(reader);
    }
    g_hash_table_destroy(r.macros);
    txn_redo_each_open(w->txn, replay_undo, NULL);
    txn_redo_end(w->txn);
}
