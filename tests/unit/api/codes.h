/* SPDX-License-Identifier: MIT */
/* codes: a backup made through the API, in a directory, for tests that damage copies of it. */
#pragma once

#include "fixture.h"

#include <fcntl.h>

struct codes_set {
    char *dir;    /* test.edb and logs low .. last */
    int32_t low;  /* first log that the database needs */
    int32_t high; /* last log of the full backup */
    int32_t last; /* of the incremental one that followed */
};

static inline void
codes_copy_dir(const char *from, const char *to)
{
    g_autoptr(GDir) names = g_dir_open(from, 0, NULL);
    for (const char *name; (name = g_dir_read_name(names)) != NULL;) {
        g_autofree char *old = g_build_filename(from, name, NULL);
        g_autofree char *new = g_build_filename(to, name, NULL);
        g_autofree char *data = NULL;
        gsize len;
        assert_true(g_file_get_contents(old, &data, &len, NULL));
        assert_true(g_file_set_contents(new, data, (gssize)len, NULL));
    }
}

/* Each hundredth one is durable, so that a log is written in many pieces. */
static inline void
codes_update_all(struct fixture *f, JET_TABLEID table, JET_COLUMNID name, const char *text)
{
    int n = 0;
    for (JET_ERR err = JetMove(f->ses, table, JET_MoveFirst, 0); err >= 0;
         err = JetMove(f->ses, table, JET_MoveNext, 0), n++) {
        ok(JetBeginTransaction(f->ses));
        ok(JetPrepareUpdate(f->ses, table, JET_prepReplace));
        ok(JetSetColumn(f->ses, table, name, text, (uint32_t)strlen(text), 0, NULL));
        ok(JetUpdate(f->ses, table, NULL, 0, NULL));
        ok(JetCommitTransaction(f->ses, n % 100 == 0 ? 0 : JET_bitCommitLazyFlush));
    }
}

/* One file, into dir; changes halfway when a table is given. */
static inline void
codes_copy_file(struct fixture *f, const char *path, const char *dir, JET_TABLEID table,
                JET_COLUMNID name)
{
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *to = g_build_filename(dir, base, NULL);
    g_autofree char *buf = g_malloc(1u << 19);
    JET_HANDLE hf;
    uint32_t low, high, got;
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ok(JetOpenFileInstance(f->inst, path, &hf, &low, &high));
    do {
        ok(JetReadFileInstance(f->inst, hf, buf, 1u << 19, &got));
        assert_int_equal(write(fd, buf, got), got);
        if (table != 0 && got > 0)
            codes_update_all(f, table, name, "written while it was copied");
    } while (got > 0);
    ok(JetCloseFileInstance(f->inst, hf));
    close(fd);
}

/* All files of a multi-string. */
static inline void
codes_copy_list(struct fixture *f, const char *szz, const char *dir, JET_TABLEID table,
                JET_COLUMNID name)
{
    for (const char *path = szz; *path != '\0'; path += strlen(path) + 1)
        codes_copy_file(f, path, dir, table, name);
}

static inline void
codes_logs(struct fixture *f, struct codes_set *set, JET_LOGINFO_A *info)
{
    char szz[8192];
    uint32_t size;
    info->cbSize = sizeof *info;
    ok(JetGetLogInfoInstance2A(f->inst, szz, sizeof szz, &size, info));
    codes_copy_list(f, szz, set->dir, 0, 0);
    ok(JetTruncateLogInstance(f->inst));
    ok(JetEndExternalBackupInstance(f->inst));
}

/* Rows change while the database is copied, and after it: its copy needs all that is logged. */
static inline void
codes_fill_set(struct fixture *f, struct codes_set *set)
{
    char szz[1024];
    uint32_t size;
    JET_COLUMNID id, name;
    JET_LOGINFO_A info;
    set->dir = g_dir_make_tmp("codes-set-XXXXXX", NULL);
    JET_TABLEID table = make_items(f, &id, &name);
    ok(JetBeginTransaction(f->ses));
    for (int32_t i = 0; i < 1500; i++)
        insert_item(f, table, id, name, i, "the first text of an item");
    ok(JetCommitTransaction(f->ses, 0));
    codes_update_all(f, table, name, "the second text of an item");
    codes_update_all(f, table, name, "the third text of an item");
    fixture_restart(f); /* so that all of that is in the file */
    ok(JetOpenTable(f->ses, f->db, "Items", NULL, 0, 0, &table));
    ok(JetBeginExternalBackupInstance(f->inst, 0));
    ok(JetGetAttachInfoInstance(f->inst, szz, sizeof szz, &size));
    codes_copy_list(f, szz, set->dir, table, name);
    codes_update_all(f, table, name, "written when it was copied");
    codes_logs(f, set, &info);
    set->low = (int32_t)info.ulGenLow;
    set->high = (int32_t)info.ulGenHigh;
    codes_update_all(f, table, name, "written after the full backup");
    codes_update_all(f, table, name, "written after it, once more");
    ok(JetBeginExternalBackupInstance(f->inst, JET_bitBackupIncremental));
    codes_logs(f, set, &info);
    set->last = (int32_t)info.ulGenHigh;
    assert_true(set->high >= set->low + 2 && set->last > set->high + 1);
}

static inline void
codes_make_set(struct codes_set *set)
{
    void *state;
    assert_int_equal(fixture_setup(&state), 0);
    codes_fill_set(state, set);
    assert_int_equal(fixture_teardown(&state), 0);
}

static inline void
codes_free_set(struct codes_set *set)
{
    remove_tree(set->dir);
    g_free(set->dir);
}
