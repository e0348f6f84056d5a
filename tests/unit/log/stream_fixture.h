/* SPDX-License-Identifier: MIT */
/*
 * stream_fixture: a log in a fresh directory, numbered records to put into it, and reading all
 * back.
 *
 * A record is a Trace whose procid names its writer and whose text begins with its number; writers
 * number from 0, so that a missing, doubled or displaced record shows.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "log/names.h"
#include "log/reader.h"
#include "log/record.h"
#include "log/stream.h"

#define WRITERS_MAX 8

struct fix {
    char *dir;
    struct log_config cfg;
    struct log *log;
};

static inline size_t
fix_attach(void *ctx, struct lgpos at, uint8_t out[ATTACH_LIST_BYTES])
{
    struct attach_info info = {.dbid = 1, .attach = at, .path = (char *)"/a/b.edb"};
    size_t used = 0;
    assert_int_equal(attach_put(out, &used, &info), 0);
    return used;
}

static inline struct fix *
fix_new(void)
{
    struct fix *f = g_new0(struct fix, 1);
    f->dir = g_dir_make_tmp("logXXXXXX", NULL);
    assert_non_null(f->dir);
    f->cfg = (struct log_config) {.dir = f->dir,
                                  .base = "edb",
                                  .eight_dot_three = true,
                                  .file_kib = 64,
                                  .page_bytes = 8192,
                                  .attach_list = fix_attach};
    return f;
}

static inline void
fix_clear_dir(struct fix *f)
{
    g_autoptr(GDir) d = g_dir_open(f->dir, 0, NULL);
    for (const char *name; (name = g_dir_read_name(d));) {
        g_autofree char *path = g_build_filename(f->dir, name, NULL);
        g_unlink(path);
    }
}

static inline void
fix_free(struct fix *f)
{
    (void)log_close(f->log, false);
    fix_clear_dir(f);
    g_rmdir(f->dir);
    g_free(f->dir);
    g_free(f);
}

static inline int
fix_setup(void **state)
{
    struct fix *f = fix_new();
    *state = f;
    return log_create(&f->cfg, &f->log) < 0;
}

static inline int
fix_teardown(void **state)
{
    fix_free(*state);
    return 0;
}

static inline bool
fix_has(struct fix *f, const char *name)
{
    g_autofree char *path = g_build_filename(f->dir, name, NULL);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static inline JET_ERR
fix_append(struct log *log, uint16_t writer, uint32_t number, uint16_t bytes, struct lgpos *pos)
{
    uint8_t head[9] = {LR_TRACE};
    g_autofree uint8_t *fill = g_malloc(bytes);
    memset(fill, (int)(number % 251 + 1), bytes);
    le16_put(head + 1, writer);
    le16_put(head + 3, (uint16_t)(4 + bytes));
    le32_put(head + 5, number);
    struct iovec parts[2] = {{head, sizeof(head)}, {fill, bytes}};
    return log_append(log, parts, 2, pos);
}

/* What a reader finds in the whole directory. */
struct found_records {
    uint32_t next[WRITERS_MAX]; /* records of each writer, all in order from 0 */
    uint32_t commits;
    uint32_t last_trx;
    uint32_t rollovers;
    struct lgpos last;
    GArray *positions; /* of Trace records */
};

static inline void
fix_take_record(struct found_records *found, struct span r, struct lgpos pos)
{
    assert_true(lgpos_cmp(found->last, pos) < 0);
    found->last = pos;
    if (r.data[0] == LR_COMMIT0) {
        assert_true(le32_get(r.data + 4) > found->last_trx);
        found->last_trx = le32_get(r.data + 4);
        found->commits++;
    } else if (r.data[0] == LR_FORCE_LOG_ROLLOVER) {
        assert_int_equal(pos.isec, 1);
        assert_int_equal(pos.ib, 0);
        found->rollovers++;
    } else if (r.data[0] == LR_RECOVERY_UNDO2) {
        assert_int_equal(pos.ib, 0); /* begins what follows a crash */
    } else {
        assert_int_equal(r.data[0], LR_TRACE);
        uint16_t writer = le16_get(r.data + 1);
        uint32_t number = le32_get(r.data + 5);
        assert_true(writer < WRITERS_MAX);
        assert_int_equal(r.len, 5 + le16_get(r.data + 3));
        assert_int_equal(found->next[writer]++, number);
        for (size_t i = 9; i < r.len; i++)
            assert_int_equal(r.data[i], number % 251 + 1);
        g_array_append_val(found->positions, pos);
    }
}

/* One generation; checks its link to the one before (*created 0: none). */
static inline void
fix_read_gen(const char *path, int32_t gen, bool last, struct found_records *found,
             uint64_t *created, uint64_t *checksum)
{
    struct log_reader_opts opts = {.expect = {.gen = gen}, .last = last};
    struct log_reader *r = NULL;
    assert_int_equal(log_reader_open(path, &opts, &r), 0);
    const struct log_filehdr *hdr = log_reader_header(r);
    assert_int_equal(log_reader_scan(r)->corrupt, 0);
    if (*created) {
        assert_true(hdr->prev_created == *created);
        assert_true(hdr->prev_checksum == *checksum);
    }
    assert_true(hdr->created != hdr->prev_created);
    *created = hdr->created;
    *checksum = log_reader_scan(r)->checksum;

    struct span record;
    struct lgpos pos;
    JET_ERR more;
    while ((more = log_reader_next(r, &record, &pos)) > 0)
        fix_take_record(found, record, pos);
    assert_int_equal(more, 0);
    log_reader_close(r);
}

/* Reads all; current_gen = that of the current log, if there is one. */
static inline struct found_records
fix_read_all(struct fix *f)
{
    struct found_records found = {.positions = g_array_new(FALSE, FALSE, sizeof(struct lgpos))};
    struct log_gens gens = {0};
    uint64_t created = 0, checksum = 0;
    assert_int_equal(log_gens_find(f->dir, "edb", "log", &gens), 0);
    for (size_t i = 0; i < gens.n; i++) {
        if (i > 0)
            assert_int_equal(gens.gens[i], gens.gens[i - 1] + 1);
        fix_read_gen(gens.paths[i], gens.gens[i], !gens.current && i + 1 == gens.n, &found,
                     &created, &checksum);
    }
    if (gens.current)
        fix_read_gen(gens.current, gens.n ? gens.gens[gens.n - 1] + 1 : 0, true, &found, &created,
                     &checksum);
    log_gens_clear(&gens);
    return found;
}

static inline void
found_clear(struct found_records *found)
{
    g_array_unref(found->positions);
}
