/* SPDX-License-Identifier: MIT */
/*
 * copies: a directory as a copy tool leaves it: a Windows database with the marks of a backup, and
 * logs of one stream. What recovery would make of it is no question here.
 */
#pragma once

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "backup/trailer.h"
#include "log/names.h"
#include "log/stream.h"
#include "os/file.h"

#define COPY_LOGS 3 /* generations 1 .. 3 */
#define COPY_PAGE 4096

struct copies {
    char *dir;
    char *db;
    uint8_t sign_log[DBHEADER_SIGNATURE_BYTES];
    struct dbheader header;
};

static inline void
copies_put(const char *path, const char *data, size_t len)
{
    g_autoptr(GError) error = NULL;
    if (!g_file_set_contents(path, data, (gssize)len, &error))
        g_error("%s", error->message);
}

/* Logs 1 .. 3, rolled; the current one and what the stream keeps ready are removed. */
static inline void
copies_make_logs(const char *dir, uint8_t signature[DBHEADER_SIGNATURE_BYTES])
{
    const struct log_config cfg = {.dir = dir,
                                   .base = "edb",
                                   .ext = "log",
                                   .eight_dot_three = true,
                                   .file_kib = 64,
                                   .page_bytes = COPY_PAGE};
    struct log *log;
    int32_t gen;
    g_assert_cmpint(log_create(&cfg, &log), ==, 0);
    memcpy(signature, log_signature(log), DBHEADER_SIGNATURE_BYTES);
    for (int i = 0; i < COPY_LOGS; i++)
        g_assert_cmpint(log_roll(log, &gen), ==, 0);
    g_assert_cmpint(log_close(log, true), ==, 0);
    g_autoptr(GDir) names = g_dir_open(dir, 0, NULL);
    for (const char *name; (name = g_dir_read_name(names)) != NULL;) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        if (log_name_parse(name, "edb", "log").kind != LOG_NAME_ARCHIVE)
            g_unlink(path);
    }
}

/* The database as JetReadFile gives it: header twice, pages, trailer. */
static inline void
copies_write_db(struct copies *c, uint32_t gen_low, uint32_t gen_high)
{
    g_autofree char *pages = NULL;
    size_t len;
    g_assert_true(g_file_get_contents(GOLDEN_DIR "/basic.edb", &pages, &len, NULL));
    g_assert_cmpint(dbheader_decode((uint8_t *)pages, len, &c->header), ==, 0);
    struct dbheader *h = &c->header;
    dbheader_set_u32(h, DBH_DBSTATE, DBSTATE_DIRTY);
    dbheader_set_u64(h, DBH_BK_FULL_CUR + BKINFO_MARK, 0x100010000u);
    dbheader_set_u32(h, DBH_BK_FULL_CUR + BKINFO_GEN_LOW, gen_low);
    memcpy(h->bytes + DBH_SIGN_LOG, c->sign_log, sizeof c->sign_log);
    dbheader_encode(h, (uint8_t *)pages, COPY_PAGE);
    memcpy(pages + COPY_PAGE, pages, COPY_PAGE);
    struct trailer trailer;
    memcpy(trailer.bkinfo, h->bytes + DBH_BK_FULL_CUR, sizeof trailer.bkinfo);
    le32_put(trailer.bkinfo + BKINFO_GEN_HIGH, gen_high);
    memcpy(trailer.sign_db, h->bytes + DBH_SIGN_DB, sizeof trailer.sign_db);
    memcpy(trailer.sign_log, h->bytes + DBH_SIGN_LOG, sizeof trailer.sign_log);
    pages = g_realloc(pages, len + COPY_PAGE);
    trailer_encode(&trailer, (uint8_t *)pages + len, COPY_PAGE);
    copies_put(c->db, pages, len + COPY_PAGE);
}

static inline void
copies_make(struct copies *c)
{
    c->dir = g_dir_make_tmp("copies-XXXXXX", NULL);
    c->db = g_build_filename(c->dir, "app.edb", NULL);
    copies_make_logs(c->dir, c->sign_log);
    copies_write_db(c, 1, COPY_LOGS);
}

static inline void
copies_remove_dir(const char *dir)
{
    g_autoptr(GDir) names = g_dir_open(dir, 0, NULL);
    for (const char *name; names != NULL && (name = g_dir_read_name(names)) != NULL;) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        g_unlink(path);
    }
    g_rmdir(dir);
}

static inline void
copies_free(struct copies *c)
{
    copies_remove_dir(c->dir);
    g_free(c->dir);
    g_free(c->db);
}

static inline char *
copies_log(const struct copies *c, int32_t gen)
{
    g_autofree char *name = log_name_archive("edb", "log", gen, true);
    return g_build_filename(c->dir, name, NULL);
}

/* One bit of a file flips twice, so that it cannot be repaired. */
static inline void
copies_damage(const char *path, size_t offset)
{
    g_autofree char *data = NULL;
    size_t len;
    g_assert_true(g_file_get_contents(path, &data, &len, NULL));
    g_assert_cmpuint(offset + 8, <, len);
    data[offset] = (char)(data[offset] ^ 0x11);
    data[offset + 7] = (char)(data[offset + 7] ^ 0x11);
    copies_put(path, data, len);
}
