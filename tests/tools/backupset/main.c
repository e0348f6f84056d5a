/* SPDX-License-Identifier: MIT */
/*
 * backupset OUT: good backups of two databases, made through the API, for tests that damage them.
 *
 *   OUT/first   a frozen full session
 *   OUT/good    a later full session of the same stream, and the logs of two incremental ones
 *   OUT/later   one more full session
 *   OUT/other   a full session of another instance, with files of the same names
 *
 * backupset --digest DB...: one line a database, rows and a digest of all of them.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <esent.h>
#include <esentx.h>

#define ROWS  2400
#define CHUNK (1u << 20)

static const char *const names[] = {"a.edb", "b.edb"};

static void
ok(JET_ERR err, const char *what)
{
    if (err >= 0)
        return;
    fprintf(stderr, "backupset: %s: %s (%d)\n", what, JetxErrorNameA(err), (int)err);
    exit(1);
}

/* ---- an instance and its rows ---- */

struct app {
    const char *dir;
    JET_INSTANCE inst;
    JET_SESID ses;
};

static void
app_start(struct app *a)
{
    g_autofree char *dir = g_strconcat(a->dir, "/", NULL);
    ok(JetCreateInstanceA(&a->inst, "backupset"), "JetCreateInstance");
    ok(JetSetSystemParameterA(&a->inst, 0, JET_paramSystemPath, 0, dir), "system path");
    ok(JetSetSystemParameterA(&a->inst, 0, JET_paramLogFilePath, 0, dir), "log path");
    ok(JetSetSystemParameterA(&a->inst, 0, JET_paramTempPath, 0, dir), "temporary path");
    ok(JetSetSystemParameterA(&a->inst, 0, JET_paramLogFileSize, 128, NULL), "log size");
    ok(JetSetSystemParameterA(&a->inst, 0, JET_paramNoInformationEvent, 1, NULL), "events");
    ok(JetInit(&a->inst), "JetInit");
    ok(JetBeginSessionA(a->inst, &a->ses, NULL, NULL), "JetBeginSession");
}

static void
app_stop(struct app *a)
{
    ok(JetTerm(a->inst), "JetTerm");
    a->inst = 0;
}

static char *
db_path(const struct app *a, const char *name)
{
    return g_build_filename(a->dir, name, NULL);
}

struct table {
    JET_DBID db;
    JET_TABLEID id;
    JET_COLUMNID key;
    JET_COLUMNID text;
};

static JET_COLUMNID
column_of(const struct app *a, const struct table *t, const char *name)
{
    JET_COLUMNDEF def = {.cbStruct = sizeof def};
    ok(JetGetTableColumnInfoA(a->ses, t->id, name, &def, sizeof def, JET_ColInfo), name);
    return def.columnid;
}

static void
table_open(const struct app *a, const char *path, struct table *t)
{
    ok(JetOpenDatabaseA(a->ses, path, NULL, &t->db, 0), path);
    ok(JetOpenTableA(a->ses, t->db, "Items", NULL, 0, 0, &t->id), "JetOpenTable");
    t->key = column_of(a, t, "Id");
    t->text = column_of(a, t, "Name");
}

static void
table_close(const struct app *a, const struct table *t)
{
    ok(JetCloseTable(a->ses, t->id), "JetCloseTable");
    ok(JetCloseDatabase(a->ses, t->db, 0), "JetCloseDatabase");
}

static void
make_table(const struct app *a, const char *path)
{
    JET_COLUMNCREATE_A columns[] = {
        {sizeof columns[0], "Id", JET_coltypLong, 0, JET_bitColumnNotNULL, NULL, 0, 0, 0, 0},
        {sizeof columns[0], "Name", JET_coltypText, 200, 0, NULL, 0, 1252, 0, 0}};
    JET_INDEXCREATE_A index = {.cbStruct = sizeof index,
                               .szIndexName = "PK",
                               .szKey = "+Id\0",
                               .cbKey = 5,
                               .grbit = JET_bitIndexPrimary,
                               .ulDensity = 80};
    JET_TABLECREATE_A create = {.cbStruct = sizeof create,
                                .szTableName = "Items",
                                .rgcolumncreate = columns,
                                .cColumns = 2,
                                .rgindexcreate = &index,
                                .cIndexes = 1};
    JET_DBID db;
    ok(JetCreateDatabaseA(a->ses, path, NULL, &db, 0), path);
    ok(JetCreateTableColumnIndexA(a->ses, db, &create), "Items");
    ok(JetCloseTable(a->ses, create.tableid), "JetCloseTable");
    ok(JetCloseDatabase(a->ses, db, 0), "JetCloseDatabase");
}

/* Row key has the text of round, inserted in round 0, changed in later ones. */
static void
put_row(const struct app *a, const struct table *t, int32_t key, int round)
{
    char text[160];
    ok(JetBeginTransaction(a->ses), "JetBeginTransaction");
    if (round != 0) {
        ok(JetMakeKey(a->ses, t->id, &key, sizeof key, JET_bitNewKey), "JetMakeKey");
        ok(JetSeek(a->ses, t->id, JET_bitSeekEQ), "JetSeek");
    }
    ok(JetPrepareUpdate(a->ses, t->id, round == 0 ? JET_prepInsert : JET_prepReplace), "prepare");
    if (round == 0)
        ok(JetSetColumn(a->ses, t->id, t->key, &key, sizeof key, 0, NULL), "Id");
    memset(text, 'a' + (key + round) % 26, sizeof text);
    g_snprintf(text, sizeof text, "row %d round %d ", key, round);
    ok(JetSetColumn(a->ses, t->id, t->text, text, sizeof text - 10, 0, NULL), "Name");
    ok(JetUpdate(a->ses, t->id, NULL, 0, NULL), "JetUpdate");
    ok(JetCommitTransaction(a->ses, JET_bitCommitLazyFlush), "JetCommitTransaction");
}

static void
write_rows(const struct app *a, int32_t from, int32_t to, int32_t step, int round)
{
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = db_path(a, names[i]);
        struct table t;
        table_open(a, path, &t);
        for (int32_t key = from; key < to; key += step)
            put_row(a, &t, key, round);
        table_close(a, &t);
    }
}

static void
app_create(struct app *a)
{
    ok(g_mkdir_with_parents(a->dir, 0700), a->dir);
    app_start(a);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = db_path(a, names[i]);
        make_table(a, path);
    }
    write_rows(a, 0, ROWS, 1, 0);
}

/* Everything written, so that redo begins behind what was done so far. */
static void
app_restart(struct app *a)
{
    app_stop(a);
    app_start(a);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = db_path(a, names[i]);
        ok(JetAttachDatabaseA(a->ses, path, 0), path);
    }
}

/* A change that is never committed: its log is needed as long as it lasts. */
static void
hold(const struct app *a, struct app *held)
{
    struct table t;
    *held = *a;
    ok(JetBeginSessionA(a->inst, &held->ses, NULL, NULL), "JetBeginSession");
    g_autofree char *path = db_path(a, names[0]);
    table_open(held, path, &t);
    ok(JetBeginTransaction(held->ses), "JetBeginTransaction");
    put_row(held, &t, ROWS, 0);
}

static void
let_go(const struct app *held)
{
    ok(JetRollback(held->ses, JET_bitRollbackAll), "JetRollback");
    ok(JetEndSession(held->ses, 0), "JetEndSession");
}

/* ---- backups ---- */

static void
copy(const struct app *a, const char *name, const char *to)
{
    JET_HANDLE hf;
    uint32_t low;
    uint32_t high;
    uint32_t got;
    g_autofree uint8_t *buffer = g_malloc(CHUNK);
    FILE *out = fopen(to, "wb");
    ok(out == NULL ? -1 : 0, to);
    ok(JetOpenFileInstanceA(a->inst, name, &hf, &low, &high), name);
    do {
        ok(JetReadFileInstance(a->inst, hf, buffer, CHUNK, &got), name);
        ok(fwrite(buffer, 1, got, out) == got ? 0 : -1, to);
    } while (got > 0);
    ok(JetCloseFileInstance(a->inst, hf), name);
    ok(fclose(out), to);
}

static void
end_backup(const struct app *a)
{
    ok(JetTruncateLogInstance(a->inst), "JetTruncateLog");
    ok(JetEndExternalBackupInstance(a->inst), "JetEndExternalBackup");
}

static void
full(const struct app *a, const char *out, const char *name)
{
    JETX_BACKUPFILE *files;
    uint32_t n;
    g_autofree char *dir = g_build_filename(out, name, NULL);
    ok(g_mkdir_with_parents(dir, 0700), dir);
    ok(JetxBeginFrozenBackup(a->inst, 0), "JetxBeginFrozenBackup");
    ok(JetxGetFrozenFiles(a->inst, &files, &n), "JetxGetFrozenFiles");
    for (uint32_t i = 0; i < n; i++) {
        g_autofree char *to = g_build_filename(dir, files[i].szName, NULL);
        copy(a, files[i].szName, to);
    }
    JetFreeBuffer((char *)files);
    end_backup(a);
}

static void
incremental(const struct app *a, const char *out, const char *name)
{
    char logs[1 << 16];
    ok(JetBeginExternalBackupInstance(a->inst, JET_bitBackupIncremental), "incremental");
    ok(JetGetLogInfoInstanceA(a->inst, logs, sizeof logs, NULL), "JetGetLogInfo");
    for (const char *path = logs; *path != '\0'; path += strlen(path) + 1) {
        g_autofree char *base = g_path_get_basename(path);
        g_autofree char *to = g_build_filename(out, name, base, NULL);
        copy(a, path, to);
    }
    end_backup(a);
}

static void
make_sets(const char *out)
{
    g_autofree char *live = g_build_filename(out, "live", NULL);
    g_autofree char *stranger = g_build_filename(out, "live-other", NULL);
    struct app a = {.dir = live};
    app_create(&a);
    full(&a, out, "first");
    write_rows(&a, 0, ROWS, 3, 1); /* nearly every page becomes another than in first */
    app_restart(&a);
    struct app held;
    hold(&a, &held);
    write_rows(&a, 0, 300, 1, 2); /* and these are what the logs of good change */
    write_rows(&a, 0, 300, 1, 3);
    full(&a, out, "good");
    let_go(&held);
    write_rows(&a, 0, 400, 1, 4);
    incremental(&a, out, "good");
    write_rows(&a, 100, 400, 1, 5);
    incremental(&a, out, "good");
    full(&a, out, "later");
    app_stop(&a);

    struct app b = {.dir = stranger};
    app_create(&b);
    full(&b, out, "other");
    app_stop(&b);
}

/* ---- digest ---- */

static void
digest(const struct app *a, const char *path)
{
    struct table t;
    uint8_t data[256];
    uint32_t cb;
    int rows = 0;
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    table_open(a, path, &t);
    JET_ERR err = JetMove(a->ses, t.id, JET_MoveFirst, 0);
    for (; err >= 0; err = JetMove(a->ses, t.id, JET_MoveNext, 0), rows++) {
        const JET_COLUMNID columns[] = {t.key, t.text};
        for (size_t i = 0; i < G_N_ELEMENTS(columns); i++) {
            ok(JetRetrieveColumn(a->ses, t.id, columns[i], data, sizeof data, &cb, 0, NULL),
               "JetRetrieveColumn");
            g_checksum_update(sum, data, cb);
        }
    }
    ok(err == JET_errNoCurrentRecord ? 0 : err, "JetMove");
    table_close(a, &t);
    printf("%d %s\n", rows, g_checksum_get_string(sum));
}

static void
digest_all(char **paths)
{
    g_autofree char *dir = g_dir_make_tmp("digest-XXXXXX", NULL);
    struct app a = {.dir = dir};
    app_start(&a);
    for (char **path = paths; *path != NULL; path++) {
        ok(JetAttachDatabaseA(a.ses, *path, 0), *path);
        digest(&a, *path);
    }
    app_stop(&a);
    g_autoptr(GDir) left = g_dir_open(dir, 0, NULL);
    for (const char *name; left != NULL && (name = g_dir_read_name(left)) != NULL;) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        g_unlink(path);
    }
    g_rmdir(dir);
}

int
main(int argc, char **argv)
{
    if (argc >= 3 && strcmp(argv[1], "--digest") == 0) {
        digest_all(argv + 2);
    } else if (argc == 2) {
        make_sets(argv[1]);
    } else {
        fputs("usage: backupset OUT | backupset --digest DB...\n", stderr);
        return 2;
    }
    return 0;
}
