/* SPDX-License-Identifier: MIT */
/*
 * hostile: a backup whose logs name databases where they should not be: restoring it changes
 * nothing outside of its target, and nothing in the target that was there before.
 */
#include <stdbool.h>

#include "codes.h"
#include "log/filehdr.h"
#include "log/segment.h"
#include "page/checksum.h"

#define PREV_CHECKSUM 653 /* in a log header: 0 = not known */

static struct codes_set set;
static char *created; /* path of the database that the logs create; 200 bytes at least */

/* ---- the set ---- */

static void
write_rows(struct fixture *f, JET_TABLEID table, JET_COLUMNID id, JET_COLUMNID name)
{
    ok(JetBeginTransaction(f->ses));
    for (int32_t i = 0; i < 50; i++)
        insert_item(f, table, id, name, i, "an item");
    ok(JetCommitTransaction(f->ses, 0));
}

/* All that are closed, none was deleted. */
static void
copy_logs(const char *dir)
{
    g_autoptr(GDir) names = g_dir_open(dir, 0, NULL);
    for (const char *name; (name = g_dir_read_name(names)) != NULL;) {
        g_autofree char *from = g_build_filename(dir, name, NULL);
        g_autofree char *to = g_build_filename(set.dir, name, NULL);
        g_autofree char *data = NULL;
        gsize len;
        if (!g_str_has_suffix(name, ".log") || strlen(name) != strlen("edb00001.log"))
            continue;
        assert_true(g_file_get_contents(from, &data, &len, NULL));
        assert_true(g_file_set_contents(to, data, (gssize)len, NULL));
    }
}

/* A database is created behind the full backup: only the logs know it. */
static void
make_set(void)
{
    void *state;
    JET_COLUMNID id, name;
    char szz[4096];
    uint32_t size;
    assert_int_equal(fixture_setup(&state), 0);
    struct fixture *f = state;
    set.dir = g_dir_make_tmp("hostile-set-XXXXXX", NULL);
    JET_TABLEID table = make_items(f, &id, &name);
    write_rows(f, table, id, name);
    ok(JetBeginExternalBackupInstance(f->inst, 0));
    ok(JetGetAttachInfoInstance(f->inst, szz, sizeof szz, &size));
    codes_copy_list(f, szz, set.dir, 0, 0);
    ok(JetGetLogInfoInstance(f->inst, szz, sizeof szz, &size));
    ok(JetEndExternalBackupInstance(f->inst));

    g_autofree char *long_name = g_strnfill(120, 'n');
    created = g_strconcat(f->dir, "/", long_name, ".edb", NULL);
    JET_DBID main_db = f->db;
    ok(JetCreateDatabase(f->ses, created, NULL, &f->db, 0));
    table = make_items(f, &id, &name);
    write_rows(f, table, id, name);
    f->db = main_db;
    ok(JetBeginExternalBackupInstance(f->inst, 0)); /* closes the log */
    ok(JetGetLogInfoInstance(f->inst, szz, sizeof szz, &size));
    copy_logs(f->dir);
    ok(JetEndExternalBackupInstance(f->inst));
    assert_int_equal(fixture_teardown(&state), 0);
}

/* ---- forging ---- */

/* The path that the logs name, as they write it, becomes another of the same length. */
static size_t
replace(uint8_t *data, size_t len, const char *old, const char *new)
{
    size_t found = 0;
    glong units;
    g_autofree gunichar2 *from = g_utf8_to_utf16(old, -1, NULL, &units, NULL);
    g_autofree gunichar2 *to = g_utf8_to_utf16(new, -1, NULL, NULL, NULL);
    const size_t bytes = (size_t)units * 2;
    for (size_t at = 0; at + bytes <= len; at++) {
        if (memcmp(data + at, from, bytes) != 0)
            continue;
        memcpy(data + at, to, bytes);
        found++;
    }
    return found;
}

static size_t
forge_log(const char *path, const char *new)
{
    uint8_t *data;
    gsize len;
    assert_true(g_file_get_contents(path, (char **)&data, &len, NULL));
    size_t found = replace(data, LOG_HEADER_BYTES, created, new);
    const int32_t gen = (int32_t)le32_get(data + 4);
    memset(data + PREV_CHECKSUM, 0, 8);
    le32_put(data, checksum_header(data, LOG_HEADER_BYTES));
    for (gsize at = LOG_HEADER_BYTES; at + SEGMENT_BYTES <= len; at += SEGMENT_BYTES) {
        size_t here = replace(data + at, SEGMENT_BYTES, created, new);
        if (here > 0)
            segment_stamp(data + at, gen, (uint16_t)(at / SEGMENT_BYTES), segment_time(data + at));
        found += here;
    }
    assert_true(g_file_set_contents(path, (const char *)data, (gssize)len, NULL));
    g_free(data);
    return found;
}

/* Of the same length as the real path: any number of slashes is one. */
static char *
padded(const char *path)
{
    g_autofree char *slashes = g_strnfill(strlen(created) - strlen(path), '/');
    return g_strconcat(slashes, path, NULL);
}

static void
forge(const char *dir, const char *path)
{
    g_autoptr(GDir) names = g_dir_open(dir, 0, NULL);
    g_autofree char *new = padded(path);
    size_t found = 0;
    for (const char *name; (name = g_dir_read_name(names)) != NULL;) {
        g_autofree char *log = g_build_filename(dir, name, NULL);
        if (g_str_has_suffix(name, ".log"))
            found += forge_log(log, new);
    }
    assert_true(found > 0);
}

/* ---- where it is restored ---- */

struct place {
    char *root;   /* holds all of it */
    char *copy;   /* the forged set */
    char *target; /* root/deep/er/target */
    char *victim; /* a file outside the target */
    char *mine;   /* a file inside it, before */
};

static char *
below(const char *root, const char *path)
{
    return g_build_filename(root, path, NULL);
}

static struct place
make_place(void)
{
    struct place p = {.root = g_dir_make_tmp("hostile-XXXXXX", NULL)};
    p.copy = below(p.root, "copy");
    p.target = below(p.root, "deep/er/target");
    p.victim = below(p.root, "deep/victim.edb");
    p.mine = below(p.target, "mine.txt");
    g_mkdir_with_parents(p.copy, 0700);
    g_mkdir_with_parents(p.target, 0700);
    codes_copy_dir(set.dir, p.copy);
    assert_true(g_file_set_contents(p.victim, "victim", -1, NULL));
    assert_true(g_file_set_contents(p.mine, "mine", -1, NULL));
    return p;
}

static void
assert_content(const char *path, const char *wanted)
{
    g_autofree char *is = NULL;
    assert_true(g_file_get_contents(path, &is, NULL, NULL));
    assert_string_equal(is, wanted);
}

static void
assert_only(const char *dir, const char *a, const char *b)
{
    g_autoptr(GDir) names = g_dir_open(dir, 0, NULL);
    for (const char *name; (name = g_dir_read_name(names)) != NULL;)
        if (strcmp(name, a) != 0 && strcmp(name, b) != 0)
            fail_msg("%s came into %s", name, dir);
}

static void
end_place(struct place *p)
{
    g_autofree char *deep = below(p->root, "deep");
    g_autofree char *deeper = below(p->root, "deep/er");
    assert_content(p->victim, "victim");
    assert_content(p->mine, "mine");
    assert_only(p->root, "copy", "deep");
    assert_only(deep, "er", "victim.edb");
    assert_only(deeper, "target", "target");
    remove_tree(p->root);
    g_free(p->root);
    g_free(p->copy);
    g_free(p->target);
    g_free(p->victim);
    g_free(p->mine);
}

/* ---- the paths ---- */

static const struct row {
    const char *name;
    const char *path; /* after slashes; %s = where it is restored, in the middle of it */
    bool good;        /* the rest is restored all the same */
} rows[] = {
    {"a file beside", "%s/deep/victim.edb", true},
    {"a new file elsewhere", "%s/new.edb", true},
    {"upwards", "%s/deep/er/target/../../new.edb", true},
    {"upwards, as Windows writes it", "C:\\x\\..\\..\\new.edb", true},
    {"the directory above", "%s/deep/er/target/..", false},
    {"the target itself", "%s/deep/er/target/.", false},
    {"a directory", "%s/deep/er/target/", false},
    {"only a slash backwards", "..\\", false},
    {"a file that was there", "%s/mine.txt", false},
    {"the restore's own marker", "%s/restore.unfinished", false},
    {"the log that recovery writes", "%s/edb.log", false},
};

static void
run_row(void **state)
{
    const struct row *row = *state;
    struct place p = make_place();
    g_autofree char *path =
        strstr(row->path, "%s") ? g_strconcat(p.root, row->path + 2, NULL) : g_strdup(row->path);
    forge(p.copy, path);
    JETX_RESTOREREPORT r = {.cbStruct = sizeof r};
    JET_ERR err = JetxRestoreBackupA(p.copy, p.target, NULL, &r);
    if (err < 0)
        assert_only(p.target, "mine.txt", "mine.txt");
    end_place(&p);
    if ((err >= 0) != row->good)
        fail_msg("%s: %d (%s), %s: %s", row->name, err, JetxErrorNameA(err), r.szFileFirst,
                 r.szReasonFirst);
}

static void
test_external_restore_creates_nothing_that_the_map_does_not_name(void **state)
{
    struct place p = make_place();
    g_autofree char *db = below(p.copy, "test.edb");
    JET_RSTMAP_A map = {db, db};
    forge(p.copy, p.victim);
    ok(JetExternalRestoreA(p.target, p.target, &map, 1, p.copy, 0, 0, NULL));
    end_place(&p);
}

int
main(void)
{
    struct CMUnitTest tests[G_N_ELEMENTS(rows) + 1];
    make_set();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        tests[i] = (struct CMUnitTest) {
            .name = rows[i].name, .test_func = run_row, .initial_state = (void *)&rows[i]};
    tests[G_N_ELEMENTS(rows)] = (struct CMUnitTest)cmocka_unit_test(
        test_external_restore_creates_nothing_that_the_map_does_not_name);
    int failed = _cmocka_run_group_tests("hostile", tests, G_N_ELEMENTS(tests), NULL, NULL);
    codes_free_set(&set);
    g_free(created);
    return failed;
}
