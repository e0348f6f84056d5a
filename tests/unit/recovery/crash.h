/* SPDX-License-Identifier: MIT */
/*
 * crash: a small engine over a directory, with a model beside it that knows what each transaction
 * did and where in the log it committed; pictures of the directory as a power cut would leave it;
 * and the comparison of what recovery makes of them with the model.
 */
#pragma once

#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "btree/btree.h"
#include "cache/cache.h"
#include "cache/dbfile.h"
#include "log/attach.h"
#include "log/checkpoint.h"
#include "log/logtime.h"
#include "log/names.h"
#include "log/record.h"
#include "log/stream.h"
#include "page/dbheader.h"
#include "page/page.h"
#include "recovery/recovery.h"
#include "space/space.h"
#include "txn/session.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)

#define PAGE_BYTES 4096
#define LOG_KIB    64
#define SESSIONS   3
#define KEYS       300

/* One committed change: the value (NULL: deleted) a key has from a commit on. */
struct fact {
    uint64_t commit_id;
    uint16_t key;
    char *value;
};

struct worker {
    struct session *s;
    struct btree_cursor *c;
    GArray *changes; /* struct fact, of the open transaction */
    guint savepoint; /* changes->len where level 2 began */
};

struct engine {
    char *dir, *path;
    struct log *log;
    struct cache *cache;
    struct dbfile *file;
    struct txn *txn;
    struct btree_db *db;
    struct btree *tree;
    uint32_t fdp;
    struct lgpos attach;
    uint8_t sign_db[SIGNATURE_BYTES];
    struct worker workers[SESSIONS];
    GArray *history; /* struct fact, commit order */
    GRand *rand;
};

/* ---- files ---- */

static inline void
remove_dir(const char *dir)
{
    GDir *d = g_dir_open(dir, 0, NULL);
    const char *name;
    while (d && (name = g_dir_read_name(d))) {
        g_autofree char *p = g_build_filename(dir, name, NULL);
        g_unlink(p);
    }
    if (d)
        g_dir_close(d);
    g_rmdir(dir);
}

static inline void
copy_file(const char *from_dir, const char *to_dir, const char *name)
{
    g_autofree char *from = g_build_filename(from_dir, name, NULL);
    g_autofree char *to = g_build_filename(to_dir, name, NULL);
    g_autofree char *data = NULL;
    gsize len;
    assert_true(g_file_get_contents(from, &data, &len, NULL));
    assert_true(
        g_file_set_contents_full(to, data, (gssize)len, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

/* All files of dir into a new directory; only those that `take` likes (NULL: all). */
static inline char *
copy_dir(const char *dir, bool (*take)(const char *name))
{
    char *to = g_dir_make_tmp("crash-XXXXXX", NULL);
    GDir *d = g_dir_open(dir, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(d))) {
        if (!take || take(name))
            copy_file(dir, to, name);
    }
    g_dir_close(d);
    return to;
}

/* ---- the engine ---- */

static inline struct lgpos
append(struct engine *e, const struct lr *lr)
{
    struct lr_parts parts;
    struct lgpos pos;
    lr_encode(lr, &parts);
    OK(log_append(e->log, parts.iov, parts.n, &pos));
    OK(log_flush(e->log, pos));
    return pos;
}

static inline size_t
attach_list(void *ctx, struct lgpos at, uint8_t out[ATTACH_LIST_BYTES])
{
    struct engine *e = ctx;
    size_t used = 0;
    memset(out, 0, ATTACH_LIST_BYTES);
    if (lgpos_is_zero(e->attach) || lgpos_cmp(e->attach, at) >= 0)
        return 0;
    struct attach_info info = {.dbid = 1,
                               .dbtime = dbfile_dbtime_last(e->file),
                               .objid_last = dbfile_objid_last(e->file),
                               .attach = e->attach,
                               .path = e->path};
    memcpy(info.sign_db, e->sign_db, SIGNATURE_BYTES);
    OK(attach_put(out, &used, &info));
    return used;
}

static inline void
create_database(struct engine *e)
{
    size_t n;
    g_autofree uint8_t *path = attach_path_encode(e->path, &n);
    memset(e->sign_db, 7, sizeof(e->sign_db));
    struct lr lr = {.type = LR_CREATE_DB,
                    .create_db = {.dbid = 1,
                                  .sign_db = span_of(e->sign_db, SIGNATURE_BYTES),
                                  .flags = 12,
                                  .version = 2,
                                  .path = span_of(path, n)}};
    struct lgpos attach = append(e, &lr);
    struct dbheader h;
    dbheader_init(&h, PAGE_BYTES);
    memcpy(&h.bytes[DBH_SIGN_DB], e->sign_db, SIGNATURE_BYTES);
    memcpy(&h.bytes[DBH_SIGN_LOG], log_signature(e->log), SIGNATURE_BYTES);
    lgpos_put(&h.bytes[DBH_LGPOS_ATTACH], attach);
    dbheader_set_dirty(&h, attach.gen, attach.gen);
    dbheader_set_u32(&h, DBH_DBSTATE, DBSTATE_JUST_CREATED);
    struct dbfile_spec spec = {.cache = e->cache, .path = e->path, .dbid = 1, .log = e->log};
    OK(dbfile_create(&spec, &h, 64, &e->file));
    e->attach = attach;
    OK(space_attach(e->file, e->txn, 64, &e->db));
}

static inline void
stamp_dirty(struct dbheader *h, void *ctx)
{
    struct engine *e = ctx;
    dbheader_set_dirty(h, e->attach.gen, log_gen(e->log));
}

static inline void
fill_database(struct engine *e)
{
    struct session *s = e->workers[0].s;
    struct space_tree_spec spec = {.pgno_parent = 1, .pages = 3};
    OK(session_begin(s, 0));
    OK(space_create_database_root(s, e->db, 64));
    spec.objid = dbfile_objid_next(e->file);
    OK(space_create_tree(s, e->db, &spec, &e->fdp));
    OK(session_commit(s, 0, NULL));
}

static inline void
finish_database(struct engine *e)
{
    struct lr lr = {.type = LR_CREATE_DB_FINISH, .create_db_finish = {.dbid = 1}};
    append(e, &lr);
    OK(dbfile_header_update(e->file, stamp_dirty, e));
    OK(cache_flush(e->file));
    OK(btree_open(e->db, e->fdp, &e->tree));
    for (int i = 0; i < SESSIONS; i++)
        OK(btree_cursor_open(e->workers[i].s, e->tree, &e->workers[i].c));
}

static inline void
engine_begin(struct engine *e, uint32_t seed)
{
    *e = (struct engine) {.rand = g_rand_new_with_seed(seed)};
    e->dir = g_dir_make_tmp("engine-XXXXXX", NULL);
    e->path = g_build_filename(e->dir, "app.edb", NULL);
    e->history = g_array_new(false, false, sizeof(struct fact));
    struct log_config log = {.dir = e->dir,
                             .base = "edb",
                             .eight_dot_three = true,
                             .file_kib = LOG_KIB,
                             .page_bytes = PAGE_BYTES,
                             .attach_list = attach_list,
                             .ctx = e};
    OK(log_create(&log, &e->log));
    struct cache_config cache = {.page_bytes = PAGE_BYTES, .frames_max = 256};
    OK(cache_new(&cache, &e->cache));
    struct txn_config txn = {.log = e->log, .ops = btree_txn_ops()};
    OK(txn_new(&txn, &e->txn));
    for (int i = 0; i < SESSIONS; i++) {
        OK(session_new(e->txn, &e->workers[i].s));
        e->workers[i].changes = g_array_new(false, false, sizeof(struct fact));
    }
    create_database(e);
    fill_database(e);
}

static inline void
facts_free(GArray *facts)
{
    for (guint i = 0; i < facts->len; i++)
        g_free(g_array_index(facts, struct fact, i).value);
    g_array_unref(facts);
}

/* Everything goes without a word, as if the process had been shot. */
static inline void
engine_end(struct engine *e)
{
    cache_abandon(e->cache, JET_errInstanceUnavailable);
    log_abandon(e->log, JET_errLogWriteFail);
    for (int i = 0; i < SESSIONS; i++) {
        struct worker *w = &e->workers[i];
        btree_cursor_close(w->c);
        if (session_level(w->s) > 0)
            (void)session_rollback(w->s, JET_bitRollbackAll);
        session_free(w->s);
        facts_free(w->changes);
    }
    txn_redo_forget(e->txn, 0);
    btree_close(e->tree);
    space_detach(e->db);
    txn_free(e->txn);
    dbfile_close(e->file);
    cache_free(e->cache);
    (void)log_close(e->log, false);
    remove_dir(e->dir);
    facts_free(e->history);
    g_rand_free(e->rand);
    g_free(e->dir);
    g_free(e->path);
}

/* As the instance does it: headers first, then the checkpoint file. */
static inline void
engine_checkpoint(struct engine *e)
{
    OK(dbfile_sync(e->file));
    struct lgpos at = lgpos_min(log_tip(e->log), txn_oldest_begin0(e->txn));
    OK(log_flush_all(e->log)); /* transactions that have ended are durable below */
    at = lgpos_min(at, cache_oldest_begin0(e->file));
    OK(dbfile_raise_gens(e->file, at.gen, log_gen(e->log)));
    g_autofree char *path = g_build_filename(e->dir, "edb.chk", NULL);
    struct checkpoint cp = {.checkpoint = at, .attach_valid = true};
    memcpy(cp.signature, log_signature(e->log), SIGNATURE_BYTES);
    attach_list(e, at, cp.attach);
    OK(checkpoint_write(path, &cp));
    log_set_checkpoint(e->log, at);
}

/* ---- the load ---- */

static inline struct span
key_bytes(uint16_t key, uint8_t out[2])
{
    be16_put(out, key);
    return span_of(out, 2);
}

static inline void
note(struct worker *w, uint16_t key, const char *value)
{
    struct fact f = {0, key, g_strdup(value)};
    g_array_append_val(w->changes, f);
}

static inline void
drop_changes(struct worker *w, guint from)
{
    for (guint i = from; i < w->changes->len; i++)
        g_free(g_array_index(w->changes, struct fact, i).value);
    g_array_set_size(w->changes, from);
}

static inline char *
random_value(struct engine *e, uint16_t key)
{
    int n = g_rand_int_range(e->rand, 0, 8) == 0 ? g_rand_int_range(e->rand, 200, 900)
                                                 : g_rand_int_range(e->rand, 1, 60);
    GString *v = g_string_new(NULL);
    g_string_printf(v, "%u:%u:", key, g_rand_int(e->rand));
    while ((int)v->len < n)
        g_string_append_c(v, (char)('a' + v->len % 26));
    return g_string_free(v, false);
}

static inline void
roll_back(struct worker *w)
{
    OK(session_rollback(w->s, JET_bitRollbackAll));
    drop_changes(w, 0);
}

/* One change by one worker; a conflict rolls its transaction back. */
static inline void
change_one(struct engine *e, struct worker *w)
{
    uint8_t kb[2];
    uint16_t key = (uint16_t)g_rand_int_range(e->rand, 0, KEYS);
    struct span k = key_bytes(key, kb);
    g_autofree char *value = random_value(e, key);
    JET_ERR err = btree_seek(w->c, k, BTREE_EQ);
    bool there = err >= 0;
    assert_true(there || err == JET_errRecordNotFound);
    bool delete = there && g_rand_int_range(e->rand, 0, 3) == 0;
    if (delete)
        err = btree_delete(w->c);
    else if (there)
        err = btree_replace(w->c, span_of(value, strlen(value)));
    else
        err = btree_insert(w->c, k, span_of(value, strlen(value)));
    if (err == JET_errWriteConflict || err == JET_errKeyDuplicate)
        roll_back(w);
    else
        assert_int_equal(err, 0);
    if (err >= 0)
        note(w, key, delete ? NULL : value);
}

static inline void
commit(struct engine *e, struct worker *w)
{
    while (session_level(w->s) > 1)
        OK(session_commit(w->s, 0, NULL));
    uint64_t id;
    OK(session_commit(w->s, JET_bitCommitLazyFlush, &id));
    for (guint i = 0; i < w->changes->len; i++) {
        struct fact f = g_array_index(w->changes, struct fact, i);
        f.commit_id = id;
        f.value = g_strdup(f.value);
        g_array_append_val(e->history, f);
    }
    drop_changes(w, 0);
}

static inline void
step(struct engine *e)
{
    struct worker *w = &e->workers[g_rand_int_range(e->rand, 0, SESSIONS)];
    int dice = g_rand_int_range(e->rand, 0, 20);
    if (session_level(w->s) == 0) {
        OK(session_begin(w->s, 0));
    } else if (dice == 0) {
        roll_back(w);
    } else if (dice <= 3) {
        commit(e, w);
    } else if (dice == 4 && session_level(w->s) == 1) {
        w->savepoint = w->changes->len;
        OK(session_begin(w->s, 0));
    } else if (dice == 5 && session_level(w->s) == 2) {
        OK(session_rollback(w->s, 0));
        drop_changes(w, w->savepoint);
    } else if (dice == 6 && session_level(w->s) == 2) {
        OK(session_commit(w->s, 0, NULL));
    } else {
        change_one(e, w);
    }
    if (g_rand_int_range(e->rand, 0, 200) == 0)
        OK(txn_cleanup(e->txn, 0, NULL));
}

/* ---- recovery, and what it must have made ---- */

static inline JET_ERR
recover_dir(const struct engine *e, const char *dir, uint64_t stop_after,
            struct recovery_result *result)
{
    g_autofree char *path = g_build_filename(dir, "app.edb", NULL);
    struct recovery_map map = {.log_path = e->path, .file_path = path};
    struct recovery_params p = {.log = {.dir = dir,
                                        .base = "edb",
                                        .eight_dot_three = true,
                                        .file_kib = LOG_KIB,
                                        .page_bytes = PAGE_BYTES},
                                .map = &map,
                                .n_map = 1,
                                .cache_pages = 64,
                                .stop_after = stop_after};
    return recovery_soft(&p, result);
}

/* State of all keys after the commits below end. */
static inline void
expected_state(const struct engine *e, uint64_t end, const char *state[KEYS])
{
    memset(state, 0, KEYS * sizeof(state[0]));
    for (guint i = 0; i < e->history->len; i++) {
        const struct fact *f = &g_array_index(e->history, struct fact, i);
        if (f->commit_id != 0 && f->commit_id < end)
            state[f->key] = f->value;
    }
}

static inline void
compare(struct btree_cursor *c, const char *const state[KEYS])
{
    uint64_t n = 0;
    JET_ERR err = btree_first(c);
    while (err >= 0) {
        struct span k = btree_cursor_key(c), v = btree_cursor_data(c);
        assert_int_equal(k.len, 2);
        uint16_t key = be16_get(k.data);
        if (!state[key])
            fail_msg("key %u should not be there", key);
        assert_int_equal(v.len, strlen(state[key]));
        assert_memory_equal(v.data, state[key], v.len);
        n++;
        err = btree_next(c);
    }
    for (int i = 0; i < KEYS; i++)
        n -= state[i] != NULL;
    assert_int_equal(n, 0);
}

/* The database in dir is clean, whole, and holds exactly the commits below end. */
static inline void
check_dir(const struct engine *e, const char *dir, uint64_t end)
{
    struct engine x = {0};
    const char *state[KEYS];
    expected_state(e, end, state);
    g_autofree char *path = g_build_filename(dir, "app.edb", NULL);
    struct cache_config cache = {.page_bytes = PAGE_BYTES, .frames_max = 64};
    OK(cache_new(&cache, &x.cache));
    struct dbfile_spec spec = {.cache = x.cache, .path = path, .dbid = 1, .readonly = true};
    OK(dbfile_open(&spec, &x.file));
    struct dbheader h;
    dbfile_header(x.file, &h);
    assert_int_equal(dbheader_u32(&h, DBH_DBSTATE), DBSTATE_CLEAN);
    struct txn_config txn = {.ops = btree_txn_ops()};
    OK(txn_new(&txn, &x.txn));
    OK(space_attach(x.file, x.txn, 64, &x.db));
    OK(btree_open(x.db, e->fdp, &x.tree));
    OK(btree_check(x.tree, NULL, NULL, NULL, NULL));
    OK(space_check(x.db, e->fdp, NULL, 0, NULL));
    OK(space_check(x.db, 1, &e->fdp, 1, NULL));
    struct session *s;
    struct btree_cursor *c;
    OK(session_new(x.txn, &s));
    OK(btree_cursor_open(s, x.tree, &c));
    compare(c, state);
    btree_cursor_close(c);
    session_free(s);
    btree_close(x.tree);
    space_detach(x.db);
    txn_free(x.txn);
    dbfile_close(x.file);
    cache_free(x.cache);
}
