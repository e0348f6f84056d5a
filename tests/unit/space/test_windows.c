/* SPDX-License-Identifier: MIT */
/*
 * Databases made by Windows: every tree is sound, its space adds up, and it can be written: trees
 * of one extent turn into ordinary ones when they grow, compressed pages split.
 */
#include "space/internal.h"
#include "world.h"

static const char *const files[] = {
    "dissect/basic.edb",        "dissect/index.edb",
    "dissect/multi.edb",        "dissect/text.edb",
    "dissect/Current.mdb",      "dissect/SRUDB.dat",
    "ese_parser/test.edb",      "ese_parser/decompress_test.edb",
    "artemis/win10/qmgr.db",    "artemis/win11/qmgr.db",
    "plaso/SystemIdentity.mdb", "secedit/a/secedit.sdb",
};

struct tree {
    uint32_t fdp, parent;
};

static bool
windows_open(struct world *w, const char *name)
{
    g_autofree char *from = g_build_filename(CORPUS_DIR, name, NULL), *data = NULL;
    gsize len;
    if (!g_file_get_contents(from, &data, &len, NULL))
        return false;
    *w = (struct world) {.page_bytes = le32_get(data + 236)};
    w->dir = g_dir_make_tmp("world-XXXXXX", NULL);
    w->path = g_build_filename(w->dir, "t.edb", NULL);
    assert_true(g_file_set_contents(w->path, data, (gssize)len, NULL));
    struct log_config cfg = {.dir = w->dir,
                             .base = "edb",
                             .eight_dot_three = true,
                             .file_kib = 1024,
                             .page_bytes = w->page_bytes};
    OK(log_create(&cfg, &w->log));
    world_make_cache(w, 512);
    world_open_db(w, false, w->log);
    OK(session_new(w->txn, &w->s));
    return true;
}

static bool
holds(struct world *w, const struct fdp *fdp, uint32_t space_root, uint32_t pgno)
{
    struct btree *t;
    uint8_t at[4], key[8];
    size_t key_cb;
    uint32_t count;
    struct extent e;
    OK(btree_raw_open(w->db, space_root, fdp->pgno, fdp->objid, true, NULL, &t));
    JET_ERR err = btree_raw_seek(t, space_key(at, pgno), false, key, &key_cb, &count);
    btree_raw_close(t);
    return err >= 0 && space_extent(span_of(key, key_cb), count, &e) && e.first <= pgno;
}

/* Old roots stay in the file: the parent must own the page, and not have it to give. */
static bool
alive(struct world *w, struct tree t)
{
    struct fdp fdp;
    if (t.fdp == 4)
        return true;
    if (t.parent == 0 || space_read_fdp(space_of(w->db), t.parent, &fdp) < 0)
        return false;
    if (fdp.flags & SPACE_MULTIPLE)
        return holds(w, &fdp, fdp.pgno_oe, t.fdp) && !holds(w, &fdp, fdp.pgno_oe + 1, t.fdp);
    uint32_t i = t.fdp - fdp.pgno - 1;
    return t.fdp > fdp.pgno && i + 1 < fdp.cpg_primary && i < 32 && !(fdp.bitmap >> i & 1);
}

static bool
owns(struct world *w, uint32_t owner, uint32_t pgno)
{
    struct fdp fdp;
    OK(space_read_fdp(space_of(w->db), owner, &fdp));
    if (fdp.flags & SPACE_MULTIPLE)
        return holds(w, &fdp, fdp.pgno_oe, pgno);
    return pgno >= owner && pgno - owner < fdp.cpg_primary;
}

/* Its parent must be alive, and no other child of the parent may have its page now. */
static bool
drop_orphan(struct world *w, GArray *trees)
{
    for (guint i = 0; i < trees->len; i++) {
        struct tree t = g_array_index(trees, struct tree, i);
        bool known = t.parent == 1, taken = false;
        for (guint k = 0; k < trees->len; k++) {
            struct tree o = g_array_index(trees, struct tree, k);
            known |= o.fdp == t.parent;
            taken |= o.parent == t.parent && o.fdp != t.fdp && owns(w, o.fdp, t.fdp);
        }
        if (!known || taken) {
            g_array_remove_index(trees, i);
            return true;
        }
    }
    return false;
}

static GArray *
find_trees(struct world *w)
{
    GArray *trees = g_array_new(FALSE, FALSE, sizeof(struct tree));
    uint32_t last;
    OK(space_pgno_last(w->db, &last));
    for (uint32_t pgno = 4; pgno <= last; pgno++) {
        struct buf *buf;
        if (cache_fix(w->file, pgno, LATCH_READ, &buf) < 0)
            continue;
        uint32_t flags = page_flags(buf->page);
        struct span h = page_external_header(buf->page);
        struct tree t = {pgno, h.len >= 16 ? le32_get(h.data + (h.len > 16) + 4) : 0};
        cache_unfix(buf);
        if ((flags & PAGE_FLAG_ROOT) && !(flags & (PAGE_FLAG_SPACE_TREE | PAGE_FLAG_EMPTY)) &&
            alive(w, t))
            g_array_append_val(trees, t);
    }
    while (drop_orphan(w, trees)) {
    }
    return trees;
}

static void
check_tree(struct world *w, GArray *trees, uint32_t fdp, uint64_t allowed)
{
    g_autoptr(GArray) children = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    uint64_t leaked;
    for (guint i = 0; i < trees->len; i++) {
        const struct tree *t = &g_array_index(trees, struct tree, i);
        if (t->parent == fdp)
            g_array_append_val(children, t->fdp);
    }
    JET_ERR err = space_check(w->db, fdp, (uint32_t *)children->data, children->len, &leaked);
    if (err < 0)
        print_message("tree %u\n", fdp);
    OK(err);
    assert_true(leaked <= allowed);
}

static void
write_tree(struct world *w, uint32_t fdp)
{
    struct btree *t;
    struct btree_cursor *c;
    uint8_t key[24], data[180];
    memset(data, 0x77, sizeof data);
    OK(btree_open(w->db, fdp, &t));
    OK(btree_cursor_open(w->s, t, &c));
    OK(session_begin(w->s, 0));
    for (uint32_t i = 0; i < 200; i++) {
        memset(key, (int)(i * 37 & 0xff), sizeof key);
        be32_put(key + 20, i);
        OK(btree_insert(c, span_of(key, sizeof key), span_of(data, sizeof data)));
    }
    OK(session_commit(w->s, JET_bitCommitLazyFlush, NULL));
    OK(btree_check(t, NULL, NULL, NULL, NULL));
    OK(session_begin(w->s, 0));
    for (uint32_t i = 0; i < 200; i++) {
        memset(key, (int)(i * 37 & 0xff), sizeof key);
        be32_put(key + 20, i);
        OK(btree_seek(c, span_of(key, sizeof key), BTREE_EQ));
        OK(btree_delete(c));
    }
    OK(session_commit(w->s, JET_bitCommitLazyFlush, NULL));
    OK(txn_cleanup(w->txn, 0, NULL));
    OK(btree_check(t, NULL, NULL, NULL, NULL));
    btree_cursor_close(c);
    btree_close(t);
}

static void
test_windows_databases_are_sound_and_can_be_written(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        struct world w;
        if (!windows_open(&w, files[i])) {
            print_message("no corpus: %s\n", files[i]);
            skip();
        }
        GArray *trees = find_trees(&w);
        for (guint k = 0; k < trees->len; k++)
            check_tree(&w, trees, g_array_index(trees, struct tree, k).fdp, 0);
        for (guint k = 0; k < trees->len; k++)
            write_tree(&w, g_array_index(trees, struct tree, k).fdp);
        for (guint k = 0; k < trees->len; k++)
            check_tree(&w, trees, g_array_index(trees, struct tree, k).fdp, 0);
        check_tree(&w, trees, 1, 0);
        print_message("%s: %u trees\n", files[i], trees->len);
        g_array_free(trees, TRUE);
        world_end(&w);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows_databases_are_sound_and_can_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
