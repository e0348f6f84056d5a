/* SPDX-License-Identifier: MIT */
/*
 * world: a log, a cache, a database with its root, and transactions over them, in a directory of
 * its own.
 */
#pragma once

#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "btree/btree.h"
#include "btree/redo.h"
#include "cache/cache.h"
#include "cache/dbfile.h"
#include "log/record.h"
#include "log/stream.h"
#include "os/fault.h"
#include "os/file.h"
#include "page/dbheader.h"
#include "page/page.h"
#include "space/redo.h"
#include "space/space.h"
#include "txn/session.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)

struct world {
    char *dir, *path;
    uint32_t page_bytes;
    struct log *log;
    struct cache *cache;
    struct dbfile *file;
    struct txn *txn;
    struct btree_db *db;
    struct session *s;
};

static inline void
world_open_db(struct world *w, bool create, struct log *log)
{
    struct dbfile_spec spec = {.cache = w->cache, .path = w->path, .dbid = 1, .log = log};
    if (create) {
        struct dbheader header;
        dbheader_init(&header, w->page_bytes);
        dbheader_set_dirty(&header, 1, 1);
        OK(dbfile_create(&spec, &header, 2, &w->file));
    } else {
        OK(dbfile_open(&spec, &w->file));
    }
    struct txn_config txn_cfg = {.log = log, .ops = btree_txn_ops()};
    OK(txn_new(&txn_cfg, &w->txn));
    OK(space_attach(w->file, w->txn, 64, &w->db));
}

static inline void
world_make_cache(struct world *w, uint32_t frames)
{
    struct cache_config cfg = {.page_bytes = w->page_bytes, .frames_max = frames};
    OK(cache_new(&cfg, &w->cache));
}

static inline void
world_begin(struct world *w, uint32_t page_bytes, uint32_t frames)
{
    *w = (struct world) {.page_bytes = page_bytes};
    w->dir = g_dir_make_tmp("world-XXXXXX", NULL);
    w->path = g_build_filename(w->dir, "t.edb", NULL);
    struct log_config cfg = {.dir = w->dir,
                             .base = "edb",
                             .eight_dot_three = true,
                             .file_kib = 1024,
                             .page_bytes = page_bytes};
    OK(log_create(&cfg, &w->log));
    world_make_cache(w, frames);
    world_open_db(w, true, w->log);
    OK(session_new(w->txn, &w->s));
    OK(session_begin(w->s, 0));
    OK(space_create_database_root(w->s, w->db, 254));
    OK(session_commit(w->s, JET_bitCommitLazyFlush, NULL));
}

static inline void
world_close_db(struct world *w)
{
    session_free(g_steal_pointer(&w->s));
    space_detach(g_steal_pointer(&w->db));
    txn_free(g_steal_pointer(&w->txn));
    dbfile_close(g_steal_pointer(&w->file));
}

static inline void
world_end(struct world *w)
{
    os_fault_arm(NULL);
    if (w->file)
        world_close_db(w);
    cache_free(w->cache);
    (void)log_close(w->log, false);
    const char *keep = g_getenv("WORLD_KEEP"); /* to look at what a test wrote */
    GDir *d = keep ? NULL : g_dir_open(w->dir, 0, NULL);
    const char *name;
    while (d && (name = g_dir_read_name(d))) {
        g_autofree char *path = g_build_filename(w->dir, name, NULL);
        g_unlink(path);
    }
    if (d)
        g_dir_close(d);
    g_rmdir(w->dir);
    g_free(w->dir);
    g_free(w->path);
}

/* A new tree under parent (1 = the database), in a transaction of its own. */
static inline uint32_t
world_tree(struct world *w, uint32_t parent, uint32_t page_flags)
{
    uint32_t fdp;
    struct space_tree_spec spec = {.pgno_parent = parent,
                                   .objid = dbfile_objid_next(w->file),
                                   .pages = 3,
                                   .page_flags = page_flags};
    OK(session_begin(w->s, 0));
    OK(space_create_tree(w->s, w->db, &spec, &fdp));
    OK(session_commit(w->s, JET_bitCommitLazyFlush, NULL));
    return fdp;
}
