/* SPDX-License-Identifier: MIT */
/* fixture: an instance in a directory of its own, as an application makes it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>

#include "esent.h"
#include "esentx.h"

struct fixture {
    char *dir;
    char *db_path;
    JET_INSTANCE inst;
    JET_SESID ses;
    JET_DBID db;
};

#define ok(call)                                                                                   \
    do {                                                                                           \
        JET_ERR ok_err = (call);                                                                   \
        if (ok_err < 0)                                                                            \
            fail_msg("%s gave %d", #call, (int)ok_err);                                            \
    } while (0)

static inline void
remove_tree(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    if (dir) {
        for (const char *name; (name = g_dir_read_name(dir));) {
            char *child = g_build_filename(path, name, NULL);
            remove_tree(child);
            g_free(child);
        }
        g_dir_close(dir);
    }
    g_remove(path);
}

/* JetCreateInstance ... JetBeginSession in f->dir. */
static inline void
fixture_start(struct fixture *f)
{
    ok(JetCreateInstance(&f->inst, "test"));
    ok(JetSetSystemParameter(&f->inst, 0, JET_paramSystemPath, 0, f->dir));
    ok(JetSetSystemParameter(&f->inst, 0, JET_paramLogFilePath, 0, f->dir));
    ok(JetSetSystemParameter(&f->inst, 0, JET_paramTempPath, 0, f->dir));
    ok(JetSetSystemParameter(&f->inst, 0, JET_paramLogFileSize, 256, NULL));
    ok(JetSetSystemParameter(&f->inst, 0, JET_paramNoInformationEvent, 1, NULL));
    ok(JetInit(&f->inst));
    ok(JetBeginSession(f->inst, &f->ses, NULL, NULL));
}

static inline void
fixture_stop(struct fixture *f)
{
    if (f->inst)
        ok(JetTerm(f->inst));
    f->inst = 0;
}

static inline int
fixture_setup(void **state)
{
    struct fixture *f = g_new0(struct fixture, 1);
    f->dir = g_dir_make_tmp("jet-api-XXXXXX", NULL);
    f->db_path = g_build_filename(f->dir, "test.edb", NULL);
    fixture_start(f);
    ok(JetCreateDatabase(f->ses, f->db_path, NULL, &f->db, 0));
    *state = f;
    return 0;
}

static inline int
fixture_teardown(void **state)
{
    struct fixture *f = *state;
    fixture_stop(f);
    remove_tree(f->dir);
    g_free(f->dir);
    g_free(f->db_path);
    g_free(f);
    return 0;
}

/* JetTerm and JetInit again; the database attached and open. */
static inline void
fixture_restart(struct fixture *f)
{
    fixture_stop(f);
    fixture_start(f);
    ok(JetAttachDatabase(f->ses, f->db_path, 0));
    ok(JetOpenDatabase(f->ses, f->db_path, NULL, &f->db, 0));
}

/* Table Items: Id (Long, primary key), Name (Text). */
static inline JET_TABLEID
make_items(struct fixture *f, JET_COLUMNID *id, JET_COLUMNID *name)
{
    JET_COLUMNCREATE_A columns[] = {
        {sizeof(columns[0]), "Id", JET_coltypLong, 0, JET_bitColumnNotNULL, NULL, 0, 0, 0, 0},
        {sizeof(columns[0]), "Name", JET_coltypText, 100, 0, NULL, 0, 1252, 0, 0}};
    JET_INDEXCREATE_A index = {.cbStruct = sizeof(index),
                               .szIndexName = "PK",
                               .szKey = "+Id\0",
                               .cbKey = 5,
                               .grbit = JET_bitIndexPrimary,
                               .ulDensity = 80};
    JET_TABLECREATE_A create = {.cbStruct = sizeof(create),
                                .szTableName = "Items",
                                .rgcolumncreate = columns,
                                .cColumns = 2,
                                .rgindexcreate = &index,
                                .cIndexes = 1};
    ok(JetCreateTableColumnIndex(f->ses, f->db, &create));
    *id = columns[0].columnid;
    *name = columns[1].columnid;
    return create.tableid;
}

static inline void
insert_item(struct fixture *f, JET_TABLEID table, JET_COLUMNID id, JET_COLUMNID name, int32_t key,
            const char *text)
{
    ok(JetPrepareUpdate(f->ses, table, JET_prepInsert));
    ok(JetSetColumn(f->ses, table, id, &key, sizeof(key), 0, NULL));
    ok(JetSetColumn(f->ses, table, name, text, (uint32_t)strlen(text), 0, NULL));
    ok(JetUpdate(f->ses, table, NULL, 0, NULL));
}
