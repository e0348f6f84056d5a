/* SPDX-License-Identifier: MIT */
/* info: JetGetDatabaseFileInfo, JetGetDatabaseInfo, JetGetLogFileInfo, the error parameters. */
#include "fixture.h"

#include "base/bytes.h"
#include "log/filehdr.h"
#include "page/checksum.h"
#include "page/dbheader.h"

#define PAGE 4096u

static void
rewrite(const char *path, void (*change)(uint8_t *head))
{
    uint8_t head[2 * PAGE];
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fread(head, 1, sizeof head, file), sizeof head);
    change(head);
    rewind(file);
    assert_int_equal(fwrite(head, 1, sizeof head, file), sizeof head);
    assert_int_equal(fclose(file), 0);
}

static void
flip_first(uint8_t *head)
{
    head[100] ^= 1;
}

static void
flip_both(uint8_t *head)
{
    head[100] ^= 1;
    head[PAGE + 100] ^= 1;
}

static void
mark_snapshot(uint8_t *head)
{
    le32_put(head + DBH_BK_FULL_TYPE, 1);
    le32_put(head + DBH_BK_DIFF_TYPE, 1);
    le32_put(head + 532, 6);
    le32_put(head, checksum_header(head, PAGE));
    memcpy(head + PAGE, head, PAGE);
}

static void
detach(struct fixture *f)
{
    ok(JetCloseDatabase(f->ses, f->db, 0));
    ok(JetDetachDatabase(f->ses, f->db_path));
}

static void
test_misc_by_size(void **state)
{
    struct fixture *f = *state;
    static const uint32_t sizes[] = {sizeof(JET_DBINFOMISC),  sizeof(JET_DBINFOMISC2),
                                     sizeof(JET_DBINFOMISC3), sizeof(JET_DBINFOMISC4),
                                     sizeof(JET_DBINFOMISC5), sizeof(JET_DBINFOMISC6),
                                     sizeof(JET_DBINFOMISC7)};
    uint8_t live[512], file[512];
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        memset(live, 0xee, sizeof live);
        memset(file, 0xee, sizeof file);
        ok(JetGetDatabaseInfo(f->ses, f->db, live, sizes[i], JET_DbInfoMisc));
        ok(JetGetDatabaseFileInfo(f->db_path, file, sizes[i], JET_DbInfoMisc));
        assert_int_equal(le32_get(file), 0x620);
        assert_memory_equal(live, file, 40); /* version, update, signature */
        assert_int_equal(file[sizes[i]], 0xee);
        assert_int_equal(JetGetDatabaseFileInfo(f->db_path, file, sizes[i] + 1, JET_DbInfoMisc),
                         JET_errInvalidBufferSize);
        assert_int_equal(JetGetDatabaseInfo(f->ses, f->db, live, sizes[i] + 1, JET_DbInfoMisc),
                         JET_errInvalidBufferSize);
    }
}

static void
test_misc_fields_and_snapshot_bit(void **state)
{
    struct fixture *f = *state;
    JET_DBINFOMISC7 misc;
    detach(f);
    rewrite(f->db_path, mark_snapshot);
    ok(JetGetDatabaseFileInfo(f->db_path, &misc, sizeof misc, JET_DbInfoMisc));
    assert_int_equal(misc.dbstate, DBSTATE_CLEAN);
    assert_int_equal(misc.cbPageSize, PAGE);
    assert_int_equal(misc.genMaxRequired, 0);
    assert_true(misc.lgposAttach.lGeneration > 0);
    assert_int_equal(misc.bkinfoFullPrev.bklogtimeMark.fReserved, 1);
    assert_int_equal(misc.bkinfoIncPrev.bklogtimeMark.fReserved, 0);
    assert_int_equal(misc.bkinfoCopyPrev.bklogtimeMark.fReserved, 0);
    assert_int_equal(misc.bkinfoDiffPrev.bklogtimeMark.fReserved, 1);
    assert_int_equal(misc.cpgDatabaseChecked, 5);
}

static void
test_second_copy_when_the_first_is_bad(void **state)
{
    struct fixture *f = *state;
    JET_DBINFOMISC misc;
    detach(f);
    rewrite(f->db_path, flip_first);
    ok(JetGetDatabaseFileInfo(f->db_path, &misc, sizeof misc, JET_DbInfoMisc));
    rewrite(f->db_path, flip_both); /* the first is good again */
    ok(JetGetDatabaseFileInfo(f->db_path, &misc, sizeof misc, JET_DbInfoMisc));
    rewrite(f->db_path, flip_first);
    assert_int_equal(JetGetDatabaseFileInfo(f->db_path, &misc, sizeof misc, JET_DbInfoMisc),
                     JET_errReadVerifyFailure);
}

static void
test_other_levels(void **state)
{
    struct fixture *f = *state;
    uint64_t size = 0, on_disk = 0;
    uint32_t number = 0;
    JET_DBINFOUPGRADE upgrade;
    g_autofree char *none = g_build_filename(f->dir, "none.edb", NULL);
    ok(JetGetDatabaseFileInfo(f->db_path, &size, sizeof size, JET_DbInfoFilesize));
    ok(JetGetDatabaseFileInfo(f->db_path, &on_disk, sizeof on_disk, JET_DbInfoFilesizeOnDisk));
    ok(JetGetDatabaseFileInfo(f->db_path, &number, sizeof number, JET_DbInfoPageSize));
    assert_int_equal(number, PAGE);
    ok(JetGetDatabaseFileInfo(f->db_path, &number, sizeof number, JET_DbInfoFileType));
    assert_int_equal(number, JET_filetypeDatabase);
    ok(JetGetDatabaseFileInfo(f->db_path, &number, sizeof number, JET_DbInfoDBInUse));
    assert_int_equal(number, 1);
    ok(JetGetDatabaseFileInfo(f->db_path, &upgrade, sizeof upgrade, JET_DbInfoUpgrade));
    assert_int_equal(upgrade.cbStruct, sizeof upgrade);
    assert_int_equal(upgrade.cbFilesizeLow, size);
    assert_int_equal(upgrade.fAlreadyUpgraded, 1);
    static const uint32_t levels[] = {
        JET_DbInfoFilesize, JET_DbInfoUpgrade,  JET_DbInfoMisc,          JET_DbInfoDBInUse,
        JET_DbInfoPageSize, JET_DbInfoFileType, JET_DbInfoFilesizeOnDisk};
    uint8_t buffer[512];
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
        assert_int_equal(JetGetDatabaseFileInfo(f->db_path, buffer, 3, levels[i]),
                         JET_errInvalidBufferSize);
        assert_int_equal(JetGetDatabaseFileInfo(none, buffer, 8, levels[i]), JET_errFileNotFound);
    }
    assert_int_equal(JetGetDatabaseFileInfo(f->db_path, buffer, 4, 99), JET_errInvalidParameter);
    assert_int_equal(JetGetDatabaseFileInfo(NULL, buffer, 4, 14), JET_errInvalidParameter);
}

static void
test_log_file_info(void **state)
{
    struct fixture *f = *state;
    g_autofree char *log = g_build_filename(f->dir, "edb.log", NULL);
    g_autofree char *none = g_build_filename(f->dir, "none.log", NULL);
    g_autofree gunichar2 *wide = g_utf8_to_utf16(log, -1, NULL, NULL, NULL);
    JET_LOGINFOMISC misc;
    JET_LOGINFOMISC2 misc2, misc2w;
    JET_LOGINFOMISC3 misc3;
    ok(JetGetLogFileInfo(log, &misc, sizeof misc, JET_LogInfoMisc));
    ok(JetGetLogFileInfo(log, &misc2, sizeof misc2, JET_LogInfoMisc2));
    ok(JetGetLogFileInfoW(wide, &misc2w, sizeof misc2w, JET_LogInfoMisc2));
    ok(JetGetLogFileInfo(log, &misc3, sizeof misc3, JET_LogInfoMisc3));
    assert_memory_equal(&misc, &misc2, sizeof misc);
    assert_memory_equal(&misc2, &misc2w, sizeof misc2);
    assert_int_equal(misc.ulGeneration, 1);
    assert_int_equal(misc.ulVersionMajor, 8);
    assert_int_equal(misc.ulVersionMinor, 4000);
    assert_int_equal(misc.ulVersionUpdate, 5);
    assert_int_equal(misc.cbSectorSize, 4096);
    assert_int_equal(misc.cbHeader, 1);
    assert_int_equal(misc.cbFile, 64);
    assert_int_equal(misc.cbDatabasePageSize, PAGE);
    assert_int_equal(misc.logtimeCreate.fTimeIsUTC, 1);
    assert_true(misc.signLog.ulRandom != 0);
    assert_int_equal(misc3.ulVersionUpdateMajor, 5);
    assert_int_equal(misc3.ulVersionUpdateMinor, 16);
    assert_int_equal(misc3.ulVersionMinorDeprecated, 4000);
    assert_memory_equal(&misc3.lgposCheckpoint, &misc2.lgposCheckpoint, sizeof(JET_LGPOS));
    assert_int_equal(JetGetLogFileInfo(log, &misc, sizeof misc + 1, 0), JET_errInvalidBufferSize);
    assert_int_equal(JetGetLogFileInfo(log, &misc, sizeof misc, 1), JET_errInvalidBufferSize);
    assert_int_equal(JetGetLogFileInfo(log, &misc, sizeof misc, 3), JET_errInvalidParameter);
    assert_int_equal(JetGetLogFileInfo(NULL, &misc, sizeof misc, 0), JET_errInvalidParameter);
    assert_int_equal(JetGetLogFileInfo(log, NULL, sizeof misc, 0), JET_errInvalidParameter);
    assert_int_equal(JetGetLogFileInfo(none, &misc, sizeof misc, 0), JET_errFileNotFound);
    assert_int_equal(JetGetLogFileInfo(f->db_path, &misc, sizeof misc, 0), JET_errBadLogVersion);
    fixture_stop(f);
    rewrite(log, flip_first);
    assert_int_equal(JetGetLogFileInfo(log, &misc, sizeof misc, 0), JET_errLogFileCorrupt);
    assert_int_equal(truncate(log, 100), 0);
    assert_int_equal(JetGetLogFileInfo(log, &misc, sizeof misc, 0), JET_errLogFileCorrupt);
}

static void
test_error_to_string(void **state)
{
    struct fixture *f = *state;
    JET_API_PTR err = (JET_API_PTR)JET_errSuccess;
    char text[200];
    uint16_t wide[200];
    ok(JetGetSystemParameter(f->inst, 0, JET_paramErrorToString, &err, text, sizeof text));
    assert_string_equal(text, "JET_errSuccess,Success");
    err = (JET_API_PTR)JET_errNoBackup;
    ok(JetGetSystemParameter(0, 0, JET_paramErrorToString, &err, text, sizeof text));
    assert_true(g_str_has_prefix(text, "JET_errNoBackup,"));
    assert_int_equal((JET_ERR)err, JET_errNoBackup);
    uint32_t need = (uint32_t)strlen(text) + 1;
    ok(JetGetSystemParameter(0, 0, JET_paramErrorToString, &err, text, need));
    assert_int_equal(JetGetSystemParameter(0, 0, JET_paramErrorToString, &err, text, need - 1),
                     JET_errBufferTooSmall);
    ok(JetGetSystemParameterW(0, 0, JET_paramErrorToString, &err, wide, 2 * need));
    assert_int_equal(wide[need - 1], 0);
    assert_int_equal(wide[0], 'J');
    assert_int_equal(JetGetSystemParameterW(0, 0, JET_paramErrorToString, &err, wide, 2 * need - 1),
                     JET_errBufferTooSmall);
    err = (JET_API_PTR)-31999;
    ok(JetGetSystemParameter(0, 0, JET_paramErrorToString, &err, text, sizeof text));
    assert_string_equal(text, "Unknown Error,Unknown Error");
    assert_int_equal(JetGetSystemParameter(0, 0, JET_paramErrorToString, &err, NULL, 0),
                     JET_errInvalidParameter);
    assert_int_equal(JetGetSystemParameter(0, 0, JET_paramErrorToString, NULL, text, 100),
                     JET_errInvalidParameter);
    assert_int_equal(JetSetSystemParameter(&f->inst, 0, JET_paramErrorToString, 1, NULL),
                     JET_errInvalidParameter);
}

static void
test_exception_action(void **state)
{
    struct fixture *f = *state;
    static const JET_API_PTR good[] = {JET_ExceptionNone, JET_ExceptionFailFast,
                                       JET_ExceptionMsgBox};
    static const JET_API_PTR bad[] = {0, 3, 5, 8, UINT32_MAX};
    JET_API_PTR value = 0;
    ok(JetGetSystemParameter(f->inst, 0, JET_paramExceptionAction, &value, NULL, 0));
    assert_int_equal(value, JET_ExceptionMsgBox);
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        ok(JetSetSystemParameter(&f->inst, 0, JET_paramExceptionAction, good[i], NULL));
        ok(JetGetSystemParameter(f->inst, 0, JET_paramExceptionAction, &value, NULL, 0));
        assert_int_equal(value, good[i]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_int_equal(JetSetSystemParameter(&f->inst, 0, JET_paramExceptionAction, bad[i], NULL),
                         JET_errInvalidParameter);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_misc_by_size),
        TEST(test_misc_fields_and_snapshot_bit),
        TEST(test_second_copy_when_the_first_is_bad),
        TEST(test_other_levels),
        TEST(test_log_file_info),
        TEST(test_error_to_string),
        TEST(test_exception_action),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
