/* SPDX-License-Identifier: MIT */
/* files: headers, attach lists, checkpoints and names of log files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "log/attach.h"
#include "log/checkpoint.h"
#include "log/filehdr.h"
#include "log/logtime.h"
#include "log/names.h"
#include "page/checksum.h"

static void
corpus(const char *name, char **data, gsize *len)
{
    g_autofree char *path = g_build_filename(CORPUS_DIR, "logs", name, NULL);
    if (!g_file_get_contents(path, data, len, NULL)) {
        print_message("no corpus at %s: skipped\n", path);
        skip();
    }
}

static void
restamp(uint8_t *hdr)
{
    le32_put(hdr, checksum_header(hdr, LOG_HEADER_BYTES));
}

static void
test_header_checksum_vector(void **state)
{
    uint8_t b[4096] = {0};
    b[4] = 1;
    assert_int_equal(checksum_header(b, sizeof(b)), 0x89abcdee);
}

static void
test_real_header_round_trips(void **state)
{
    g_autofree char *log = NULL;
    gsize len;
    corpus("edb.log", &log, &len);
    struct log_filehdr h;
    assert_int_equal(log_filehdr_decode((uint8_t *)log, &h), 0);
    assert_int_equal(h.segments, len / 4096);
    assert_int_equal(h.update_major, 5);
    assert_int_equal(h.update_minor, 16);
    uint8_t back[LOG_HEADER_BYTES];
    log_filehdr_encode(&h, back);
    assert_memory_equal(back, log, LOG_HEADER_BYTES);
    assert_int_equal(
        log_filehdr_check(&h, &(struct log_filehdr_expect) {h.gen, h.signature, h.page_bytes, len}),
        0);
    uint8_t other[SIGNATURE_BYTES] = {1};
    assert_int_equal(log_filehdr_check(&h, &(struct log_filehdr_expect) {.gen = h.gen + 1}),
                     JET_errLogGenerationMismatch);
    assert_int_equal(log_filehdr_check(&h, &(struct log_filehdr_expect) {.signature = other}),
                     JET_errBadLogSignature);
    assert_int_equal(log_filehdr_check(&h, &(struct log_filehdr_expect) {.page_bytes = 16384}),
                     JET_errPageSizeMismatch);
    assert_int_equal(log_filehdr_check(&h, &(struct log_filehdr_expect) {.file_bytes = len - 1}),
                     JET_errLogFileSizeMismatch);
}

static void
mutated_header_gives(size_t offset, uint8_t value, bool stamp, JET_ERR want)
{
    struct log_filehdr h = {.gen = 1,
                            .segments = 16,
                            .page_bytes = 4096,
                            .major = 8,
                            .minor = 4000,
                            .update_major = 5,
                            .update_minor = 16};
    uint8_t b[LOG_HEADER_BYTES];
    log_filehdr_encode(&h, b);
    assert_int_equal(log_filehdr_decode(b, &h), 0);
    b[offset] = value;
    if (stamp)
        restamp(b);
    assert_int_equal(log_filehdr_decode(b, &h), want);
}

static void
test_header_damage_gives_its_code(void **state)
{
    mutated_header_gives(100, 1, false, JET_errLogFileCorrupt);
    mutated_header_gives(667, 1, true, JET_errFileInvalidType);
    mutated_header_gives(9, 2, true, JET_errLogSectorSizeMismatch);
    mutated_header_gives(32, 7, true, JET_errBadLogVersion);
    mutated_header_gives(36, 0, true, JET_errBadLogVersion);
    mutated_header_gives(40, 70, true, JET_errBadLogVersion);
    mutated_header_gives(12, 0, true, JET_errLogFileCorrupt);
}

static void
test_attach_list_round_trips_and_is_bounded(void **state)
{
    uint8_t list[ATTACH_LIST_BYTES] = {0};
    size_t used = 0, n = 0;
    struct attach_info in = {.dbid = 1,
                             .dbtime = 77,
                             .objid_last = 5,
                             .attach = {0, 2, 1},
                             .consistent = {1, 2, 3},
                             .path = (char *)"/d\xc3\xb6/app.edb"};
    while (attach_put(list, &used, &in) == 0)
        n++;
    assert_int_equal(used + 64 + 24 + 1 > ATTACH_LIST_BYTES, 1);
    struct cursor c = cursor_over(list, sizeof(list));
    struct attach_info out;
    while (attach_next(&c, &out) == 1) {
        assert_string_equal(out.path, in.path);
        assert_int_equal(out.dbtime, 77);
        assert_int_equal(lgpos_cmp(out.consistent, in.consistent), 0);
        attach_info_clear(&out);
        n--;
    }
    assert_int_equal(n, 0);
    for (size_t cut = 1; cut < 64 + 24; cut++) {
        c = cursor_over(list, cut);
        assert_int_equal(attach_next(&c, &out), JET_errLogFileCorrupt);
    }
}

static void
test_real_checkpoint_round_trips(void **state)
{
    g_autofree char *chk = NULL;
    gsize len;
    corpus("edb.chk", &chk, &len);
    struct checkpoint cp;
    uint8_t back[CHECKPOINT_COPY_BYTES];
    assert_int_equal(checkpoint_decode((uint8_t *)chk, &cp), 0);
    checkpoint_encode(&cp, back);
    assert_memory_equal(back, chk, sizeof(back));
    assert_true(cp.checkpoint.gen >= 1);
}

static void
test_checkpoint_survives_one_bad_copy(void **state)
{
    g_autofree char *dir = g_dir_make_tmp("chkXXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "edb.chk", NULL);
    struct checkpoint cp = {.checkpoint = {0, 7, 3}, .signature = {1, 2, 3}, .attach_valid = true},
                      got;
    assert_int_equal(checkpoint_read(path, NULL, &got), JET_errCheckpointFileNotFound);
    assert_int_equal(checkpoint_write(path, &cp), 0);
    uint8_t other[SIGNATURE_BYTES] = {9};
    assert_int_equal(checkpoint_read(path, other, &got), JET_errBadCheckpointSignature);
    for (int copy = 0; copy <= 2; copy++) {
        g_autofree char *data = NULL;
        gsize len;
        assert_int_equal(checkpoint_write(path, &cp), 0);
        assert_true(g_file_get_contents(path, &data, &len, NULL));
        assert_int_equal(len, CHECKPOINT_BYTES);
        if (copy != 1)
            data[20] ^= 1;
        if (copy != 0)
            data[CHECKPOINT_COPY_BYTES + 20] ^= 1;
        assert_true(g_file_set_contents(path, data, (gssize)len, NULL));
        JET_ERR err = checkpoint_read(path, cp.signature, &got);
        assert_int_equal(err, copy == 2 ? JET_errCheckpointCorrupt : 0);
        if (copy < 2)
            assert_int_equal(lgpos_cmp(got.checkpoint, cp.checkpoint), 0);
    }
    g_unlink(path);
    g_rmdir(dir);
}

static void
test_names_parse_as_built(void **state)
{
    static const struct {
        const char *name;
        enum log_name_kind kind;
        int32_t gen;
    } cases[] = {
        {"edb.log", LOG_NAME_CURRENT, 0},
        {"EDB.LOG", LOG_NAME_CURRENT, 0},
        {"edbtmp.log", LOG_NAME_NEXT, 0},
        {"edb0001F.log", LOG_NAME_ARCHIVE, 0x1f},
        {"edb0000001F.log", LOG_NAME_ARCHIVE, 0x1f},
        {"edb0001f.log", LOG_NAME_ARCHIVE, 0x1f},
        {"edbres00001.jrs", LOG_NAME_RESERVE, 1},
        {"edb.chk", LOG_NAME_NONE, 0},
        {"edb00000.log", LOG_NAME_NONE, 0},
        {"edb0001G.log", LOG_NAME_NONE, 0},
        {"edb001F.log", LOG_NAME_NONE, 0},
        {"xyz0001F.log", LOG_NAME_NONE, 0},
        {"edb8000001F.log", LOG_NAME_ARCHIVE, 0},
        {"ed", LOG_NAME_NONE, 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases) - 2; i++) {
        struct log_name n = log_name_parse(cases[i].name, "edb", "log");
        assert_int_equal(n.kind, cases[i].kind);
        if (n.kind == LOG_NAME_ARCHIVE)
            assert_int_equal(n.gen, cases[i].gen);
    }
    assert_int_equal(log_name_parse("edbFFFFFFFF.log", "edb", "log").kind, LOG_NAME_NONE);
    g_autofree char *small = log_name_archive("edb", "log", 0x1f, true);
    g_autofree char *large = log_name_archive("edb", "log", 0x100000, true);
    g_autofree char *jtx = log_name_archive("edb", "jtx", 0x1f, false);
    assert_string_equal(small, "edb0001F.log");
    assert_string_equal(large, "edb00100000.log");
    assert_string_equal(jtx, "edb0000001F.jtx");
}

static void
test_generations_of_a_directory_come_sorted(void **state)
{
    g_autofree char *dir = g_dir_make_tmp("genXXXXXX", NULL);
    static const char *const names[] = {"edb00003.log",    "edb00000010.log", "edb00001.log",
                                        "edb00000001.log", "edb.log",         "app.edb"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *p = g_build_filename(dir, names[i], NULL);
        assert_true(g_file_set_contents(p, "", 0, NULL));
    }
    struct log_gens gens;
    assert_int_equal(log_gens_find(dir, "edb", "log", &gens), 0);
    assert_int_equal(gens.n, 3);
    assert_int_equal(gens.gens[0], 1);
    assert_int_equal(gens.gens[1], 3);
    assert_int_equal(gens.gens[2], 0x10);
    assert_true(g_str_has_suffix(log_gens_path(&gens, 1), "edb00001.log"));
    assert_null(log_gens_path(&gens, 2));
    assert_non_null(gens.current);
    assert_null(gens.next);
    log_gens_clear(&gens);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *p = g_build_filename(dir, names[i], NULL);
        g_unlink(p);
    }
    g_rmdir(dir);
    assert_int_equal(log_gens_find(dir, "edb", "log", &gens), JET_errInvalidPath);
}

static void
test_logtime_keeps_milliseconds(void **state)
{
    static const int64_t times[] = {1, 999, 951782400123, 1700000000456, 4102444799999};
    for (size_t i = 0; i < G_N_ELEMENTS(times); i++)
        assert_int_equal(logtime_to_unix_ms(logtime_from_unix_ms(times[i])), times[i]);
    assert_int_equal(logtime_to_unix_ms(0), 0);
}

static void
test_dbms_param_round_trips(void **state)
{
    struct dbms_param in = {.system_path = "/a/",
                            .log_path = "/b/",
                            .flags = 1,
                            .sessions_max = 16,
                            .csec_log_file = 1280},
                      out;
    uint8_t bytes[DBMS_PARAM_BYTES];
    dbms_param_encode(&in, bytes);
    dbms_param_decode(bytes, &out);
    assert_memory_equal(&in, &out, sizeof(in));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header_checksum_vector),
        cmocka_unit_test(test_real_header_round_trips),
        cmocka_unit_test(test_header_damage_gives_its_code),
        cmocka_unit_test(test_attach_list_round_trips_and_is_bounded),
        cmocka_unit_test(test_real_checkpoint_round_trips),
        cmocka_unit_test(test_checkpoint_survives_one_bad_copy),
        cmocka_unit_test(test_names_parse_as_built),
        cmocka_unit_test(test_generations_of_a_directory_come_sorted),
        cmocka_unit_test(test_logtime_keeps_milliseconds),
        cmocka_unit_test(test_dbms_param_round_trips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
