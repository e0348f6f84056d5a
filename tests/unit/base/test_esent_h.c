/* SPDX-License-Identifier: MIT */
/* esent_h: struct layouts are those of 64-bit Windows, and every code has a name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "esentx.h"

#define SIZE(type, n) _Static_assert(sizeof(type) == (n), #type)

SIZE(JET_LGPOS, 8);
SIZE(JET_LOGTIME, 8);
SIZE(JET_SIGNATURE, 28);
SIZE(JET_BKINFO, 24);
SIZE(JET_COMMIT_ID, 40);
SIZE(JET_DBINFOMISC, 216);
SIZE(JET_DBINFOMISC2, 296);
SIZE(JET_DBINFOMISC3, 300);
SIZE(JET_DBINFOMISC4, 348);
SIZE(JET_DBINFOMISC5, 380);
SIZE(JET_DBINFOMISC6, 400);
SIZE(JET_DBINFOMISC7, 416);
SIZE(JET_DBINFOUPGRADE, 28);
SIZE(JET_LOGINFOMISC, 80);
SIZE(JET_LOGINFOMISC2, 88);
SIZE(JET_LOGINFOMISC3, 104);
SIZE(JET_SNPROG, 12);
SIZE(JET_RSTMAP_A, 16);
SIZE(JET_RSTINFO_A, 48);
SIZE(JET_INSTANCE_INFO_A, 48);
SIZE(JET_LOGINFO_A, 16);
SIZE(JET_LOGINFO_W, 20);
SIZE(JET_COLUMNDEF, 28);
SIZE(JET_COLUMNBASE_A, 540);
SIZE(JET_COLUMNBASE_W, 1052);
SIZE(JET_COLUMNLIST, 80);
SIZE(JET_COLUMNCREATE_A, 56);
SIZE(JET_UNICODEINDEX, 8);
SIZE(JET_UNICODEINDEX2, 16);
SIZE(JET_TUPLELIMITS, 20);
SIZE(JET_CONDITIONALCOLUMN_A, 24);
SIZE(JET_SPACEHINTS, 32);
SIZE(JET_INDEXCREATE_A, 80);
SIZE(JET_INDEXCREATE2_A, 88);
SIZE(JET_INDEXCREATE3_W, 88);
SIZE(JET_TABLECREATE_A, 80);
SIZE(JET_TABLECREATE2_A, 96);
SIZE(JET_SETCOLUMN, 40);
SIZE(JET_SETINFO, 12);
SIZE(JET_RETINFO, 16);
SIZE(JET_RETRIEVECOLUMN, 48);
SIZE(JET_RECPOS, 16);
SIZE(JET_OBJECTINFO, 40);
_Static_assert(offsetof(JET_RSTINFO_A, lgposStop) == 20, "lgposStop");
_Static_assert(offsetof(JET_RSTINFO_A, pfnStatus) == 40, "pfnStatus");
_Static_assert(offsetof(JET_DBINFOMISC, signLog) == 88, "signLog");
_Static_assert(offsetof(JET_DBINFOMISC, cbPageSize) == 212, "cbPageSize");
_Static_assert(offsetof(JET_RETRIEVECOLUMN, err) == 40, "err");

static void
test_error_name_when_known_is_the_macro(void **state)
{
    assert_string_equal(error_name(JET_errSuccess), "JET_errSuccess");
    assert_string_equal(error_name(-1102), "JET_errWriteConflict");
    assert_string_equal(error_name(-801), "JET_errBackupAbortByServer");
    assert_string_equal(error_name(1006), "JET_wrnBufferTruncated");
    assert_string_equal(error_text(-1811), "The file was not found");
}

static void
test_error_name_when_unknown_is_fixed(void **state)
{
    assert_string_equal(error_name(-99999), "JET_errUnknown");
    assert_string_equal(error_text(12345), "Unknown error");
}

/* The header's codes and the list are typed once each: read the header to see that none is missing.
 */
static void
test_error_list_has_every_code_of_the_header(void **state)
{
    char path[] = GOLDEN_DIR "/../../include/esent.h", line[256], name[128];
    int value, n = 0;

    /* tests/golden need not exist: cut it off instead of walking through it */
    strcpy(strstr(path, "tests/golden"), "include/esent.h");
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "#define %127s (%d)", name, &value) != 2 &&
            sscanf(line, "#define %127s %d", name, &value) != 2)
            continue;
        if (strncmp(name, "JET_err", 7) != 0 && strncmp(name, "JET_wrn", 7) != 0)
            continue;
        assert_string_equal(error_name(value), name);
        n++;
    }
    fclose(f);
    assert_true(n > 400);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_name_when_known_is_the_macro),
        cmocka_unit_test(test_error_name_when_unknown_is_fixed),
        cmocka_unit_test(test_error_list_has_every_code_of_the_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
