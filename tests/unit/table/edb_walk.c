/* SPDX-License-Identifier: MIT */
#include "edb_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "page/dbheader.h"
#include "page/page.h"
#include "table/catrow.h"

static bool
slurp(const char *path, uint8_t **data, size_t *len)
{
    if (!g_str_has_suffix(path, ".gz"))
        return g_file_get_contents(path, (char **)data, len, NULL);

    g_autofree char *quoted = g_shell_quote(path);
    g_autofree char *cmd = g_strdup_printf("gzip -dc %s", quoted);
    FILE *p = popen(cmd, "r");
    GByteArray *all = g_byte_array_new();
    uint8_t buf[65536];
    size_t n;
    while ((n = fread(buf, 1, sizeof(buf), p)) > 0)
        g_byte_array_append(all, buf, (guint)n);
    bool ok = pclose(p) == 0;
    *len = all->len;
    *data = g_byte_array_free(all, FALSE);
    return ok;
}

static void
walk_page(struct edb *edb, uint32_t pgno, int depth,
          void (*fn)(void *ctx, struct span key, struct span data), void *ctx)
{
    struct page page;
    struct node node;
    uint8_t key[4096];

    assert_true(depth < 9);
    assert_true(((uint64_t)pgno + 2) * edb->page_bytes <= edb->len);
    uint8_t *image = edb->data + ((size_t)pgno + 1) * edb->page_bytes;
    assert_true(page_verify(image, edb->page_bytes, pgno, NULL) >= 0);
    page_init(&page, image, edb->page_bytes, pgno);
    for (uint16_t i = 0; i < page_lines(&page); i++) {
        assert_true(page_node(&page, i, &node) >= 0);
        if (!page_is_leaf(&page)) {
            assert_int_equal(node.data.len, 4);
            walk_page(edb, le32_get(node.data.data), depth + 1, fn, ctx);
        } else if (!(node.flags & NODE_DELETED)) {
            fn(ctx, span_of(key, node_key_copy(&node, key)), node.data);
        }
    }
}

void
edb_walk(struct edb *edb, uint32_t pgno_root,
         void (*fn)(void *ctx, struct span key, struct span data), void *ctx)
{
    walk_page(edb, pgno_root, 0, fn, ctx);
}

static void
catalog_row(void *ctx, struct span key, struct span data)
{
    struct edb *edb = ctx;
    struct cat_row *row = g_new(struct cat_row, 1);
    struct key own;

    assert_true(cat_row_decode(data, edb->large, row) >= 0);
    cat_row_key(row, &own);
    assert_int_equal(span_cmp(key, key_span(&own)), 0);
    g_ptr_array_add(edb->rows, row);

    gpointer id = GUINT_TO_POINTER(row->objid_table);
    struct schema *sc = g_hash_table_lookup(edb->schemas, id);
    if (!sc) {
        sc = schema_new();
        sc->objid = row->objid_table;
        g_hash_table_insert(edb->schemas, id, sc);
    }
    assert_true(cat_row_to_schema(row, sc) >= 0);
}

bool
edb_load(const char *path, struct edb *edb)
{
    struct dbheader header;
    GHashTableIter it;
    gpointer sc;

    *edb = (struct edb) {0};
    if (!slurp(path, &edb->data, &edb->len))
        return false;
    assert_true(dbheader_decode(edb->data, edb->len, &header) >= 0);
    edb->page_bytes = dbheader_page_bytes(&header);
    edb->large = edb->page_bytes > 8192;
    edb->schemas = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)schema_unref);
    edb->rows = g_ptr_array_new_with_free_func(g_free);
    edb_walk(edb, PGNO_OBJECTS, catalog_row, edb);
    g_hash_table_iter_init(&it, edb->schemas);
    while (g_hash_table_iter_next(&it, NULL, &sc))
        assert_true(schema_finish(sc) >= 0);
    return true;
}

void
edb_free(struct edb *edb)
{
    g_free(edb->data);
    if (edb->schemas)
        g_hash_table_unref(edb->schemas);
    if (edb->rows)
        g_ptr_array_unref(edb->rows);
    *edb = (struct edb) {0};
}

static void
collect(const char *dir, GPtrArray *out)
{
    GDir *d = g_dir_open(dir, 0, NULL);
    const char *name;

    while (d && (name = g_dir_read_name(d))) {
        char *path = g_build_filename(dir, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
            collect(path, out);
            g_free(path);
        } else if (strstr(path, "/logs/") || g_str_has_suffix(path, ".md") ||
                   g_str_has_suffix(path, ".jfm") || g_str_has_suffix(path, ".log") ||
                   g_str_has_suffix(path, ".chk")) {
            g_free(path);
        } else {
            g_ptr_array_add(out, path);
        }
    }
    if (d)
        g_dir_close(d);
}

char **
edb_corpus(void)
{
    GPtrArray *out = g_ptr_array_new();
    collect(CORPUS_DIR, out);
    g_ptr_array_add(out, NULL);
    return (char **)g_ptr_array_free(out, FALSE);
}
