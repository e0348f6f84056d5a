/* SPDX-License-Identifier: MIT */
/* ddl: what can be defined, what is refused, who sees it when, and that a rollback leaves nothing.
 */
#include "tables.h"

static JET_ERR
open_by(struct session *s, struct tables *x, const char *name)
{
    struct table *t;
    JET_ERR err = table_open(s, x->tdb, name, 0, &t);
    if (err >= 0)
        table_close(t);
    return err;
}

static void
test_ddl_new_database_has_its_system_tables(void **state)
{
    struct tables *x = *state;
    struct table *t;
    uint32_t n = 0;

    OK(table_open(x->w.s, x->tdb, "msysobjects", JET_bitTableReadOnly, &t));
    for (JET_ERR err = JET_errSuccess; err >= 0; err = table_move(t, JET_MoveNext, 0))
        n++;
    assert_int_equal(n, 72);
    begin(x->w.s);
    assert_int_equal(table_prepare_update(t, JET_prepInsert), JET_errPermissionDenied);
    commit(x->w.s);
    table_close(t);
    OK(open_by(x->w.s, x, "MSysObjectsShadow"));
    OK(open_by(x->w.s, x, "MSysObjids"));
    OK(open_by(x->w.s, x, "MSysLocales"));
    assert_int_equal(open_by(x->w.s, x, "Nothing"), JET_errObjectNotFound);
    assert_int_equal(open_by(x->w.s, x, "a.b"), JET_errInvalidName);
}

static void
test_ddl_create_twice_is_a_duplicate_and_leaves_nothing(void **state)
{
    struct tables *x = *state;
    struct table *t = make_items(x, "Items"), *none;
    struct table_spec spec = {.name = "ITEMS"};

    assert_int_equal(table_create(x->w.s, x->tdb, &spec, &none), JET_errTableDuplicate);
    assert_int_equal(session_level(x->w.s), 0);
    table_close(t);
    OK(open_by(x->w.s, x, "items"));
}

static void
test_ddl_created_table_is_exclusive_until_closed(void **state)
{
    struct tables *x = *state;
    struct table *t = make_items(x, "Items");

    assert_int_equal(open_by(x->s2, x, "Items"), JET_errTableLocked);
    table_close(t);
    OK(open_by(x->s2, x, "Items"));
}

static void
test_ddl_deny_write_keeps_writers_out(void **state)
{
    struct tables *x = *state;
    struct table *a, *b;

    table_close(make_items(x, "Items"));
    OK(table_open(x->w.s, x->tdb, "Items", JET_bitTableDenyWrite, &a));
    assert_int_equal(open_by(x->s2, x, "Items"), JET_errTableLocked);
    OK(table_open(x->s2, x->tdb, "Items", JET_bitTableReadOnly, &b));
    table_close(a);
    assert_int_equal(table_open(x->w.s, x->tdb, "Items", JET_bitTableDenyRead, &a),
                     JET_errTableInUse);
    table_close(b);
}

static void
test_ddl_rollback_takes_the_table_back_and_kills_its_handle(void **state)
{
    struct tables *x = *state;

    for (int i = 0; i < 3; i++) { /* the pages and the name are free again */
        begin(x->w.s);
        struct table *t = make_items(x, "Items");
        insert_item(t, "x", 1);
        OK(session_rollback(x->w.s, 0));
        assert_int_equal(table_move(t, JET_MoveFirst, 0), JET_errInvalidTableId);
        table_close(t);
        assert_int_equal(open_by(x->w.s, x, "Items"), JET_errObjectNotFound);
        OK(txn_cleanup(x->w.txn, 0, NULL));
    }
    table_close(make_items(x, "Items"));
}

static void
test_ddl_uncommitted_table_is_not_seen_by_others(void **state)
{
    struct tables *x = *state;

    begin(x->w.s);
    table_close(make_items(x, "Items"));
    assert_int_equal(open_by(x->s2, x, "Items"), JET_errObjectNotFound);
    begin(x->s2);
    commit(x->w.s);
    assert_int_equal(open_by(x->s2, x, "Items"), JET_errObjectNotFound); /* older snapshot */
    commit(x->s2);
    OK(open_by(x->s2, x, "Items"));
}

static void
test_ddl_failed_column_takes_the_whole_table_back(void **state)
{
    struct tables *x = *state;
    struct table_column_spec cols[] = {{.name = "A", .coltyp = JET_coltypLong},
                                       {.name = "a", .coltyp = JET_coltypLong}};
    struct table_spec spec = {.name = "T", .columns = cols, .n_columns = 2};
    struct table *t;

    assert_int_equal(table_create(x->w.s, x->tdb, &spec, &t), JET_errColumnDuplicate);
    assert_int_equal(cols[0].err, 0);
    assert_int_equal(cols[1].err, JET_errColumnDuplicate);
    assert_int_equal(spec.n_created, 0);
    assert_int_equal(open_by(x->w.s, x, "T"), JET_errObjectNotFound);
}

static void
test_ddl_added_column_is_seen_when_it_may(void **state)
{
    struct tables *x = *state;
    struct table *mine = make_items(x, "Items"), *theirs;
    struct table_column_spec c = {
        .name = "Extra", .coltyp = JET_coltypLong, .def = "\7\0\0\0", .def_cb = 4};
    JET_COLUMNDEF def;
    int32_t v;
    uint32_t cb;

    insert_item(mine, "old row", 1);
    table_close(mine);
    OK(table_open(x->w.s, x->tdb, "Items", 0, &mine));
    OK(table_open(x->s2, x->tdb, "Items", 0, &theirs));
    begin(x->s2);
    begin(x->w.s);
    OK(table_add_column(mine, &c));
    assert_int_equal(c.columnid, 3);
    OK(table_column_info(mine, "extra", 0, &def, sizeof(def), JET_ColInfo));
    OK(table_retrieve_column(mine, 3, &v, 4, &cb, 0, NULL));
    assert_int_equal(v, 7); /* the default, in a record that was there before */
    assert_int_equal(table_column_info(theirs, "Extra", 0, &def, sizeof(def), JET_ColInfo),
                     JET_errColumnNotFound);
    commit(x->w.s);
    assert_int_equal(table_column_info(theirs, "Extra", 0, &def, sizeof(def), JET_ColInfo),
                     JET_errColumnNotFound);
    commit(x->s2);
    OK(table_column_info(theirs, "Extra", 0, &def, sizeof(def), JET_ColInfo));
    OK(txn_cleanup(x->w.txn, 0, NULL));
    begin(x->s2);
    OK(table_column_info(theirs, NULL, 3, &def, sizeof(def), JET_ColInfoByColid));
    commit(x->s2);
    table_close(mine);
    table_close(theirs);
}

static void
test_ddl_column_rolled_back_is_gone(void **state)
{
    struct tables *x = *state;
    struct table *t = make_items(x, "Items");
    struct table_column_spec c = {.name = "Extra", .coltyp = JET_coltypLong};
    JET_COLUMNDEF def;

    begin(x->w.s);
    OK(table_add_column(t, &c));
    OK(session_rollback(x->w.s, 0));
    assert_int_equal(table_column_info(t, "Extra", 0, &def, sizeof(def), JET_ColInfo),
                     JET_errColumnNotFound);
    OK(table_add_column(t, &c));
    assert_int_equal(c.columnid, 3);
    table_close(t);
}

static void
expect_column(struct table *t, JET_ERR want, struct table_column_spec spec)
{
    if (!spec.name)
        spec.name = "New";
    assert_int_equal(table_add_column(t, &spec), want);
}

static void
test_ddl_bad_columns_are_refused(void **state)
{
    struct tables *x = *state;
    struct table *t = make_items(x, "Items");
    static char big[300];

#define COLUMN(...) ((struct table_column_spec) {__VA_ARGS__})
    expect_column(t, JET_errInvalidName, COLUMN(.name = "", .coltyp = JET_coltypLong));
    expect_column(t, JET_errInvalidName, COLUMN(.name = "a!b", .coltyp = JET_coltypLong));
    expect_column(t, JET_errColumnDuplicate, COLUMN(.name = "NAME", .coltyp = JET_coltypLong));
    expect_column(t, JET_errInvalidColumnType, COLUMN(.coltyp = 0));
    expect_column(t, JET_errInvalidColumnType, COLUMN(.coltyp = 99));
    expect_column(t, JET_errInvalidCodePage, COLUMN(.coltyp = JET_coltypText, .cp = 437));
    expect_column(
        t, JET_errTaggedNotNULL,
        COLUMN(.coltyp = JET_coltypLong, .grbit = JET_bitColumnTagged | JET_bitColumnNotNULL));
    expect_column(t, JET_errMultiValuedColumnMustBeTagged,
                  COLUMN(.coltyp = JET_coltypLong, .grbit = JET_bitColumnMultiValued));
    expect_column(t, JET_errColumnRedundant,
                  COLUMN(.coltyp = JET_coltypLong, .grbit = JET_bitColumnAutoincrement));
    expect_column(
        t, JET_errCannotBeTagged,
        COLUMN(.coltyp = JET_coltypLong, .grbit = JET_bitColumnVersion | JET_bitColumnTagged));
    expect_column(t, JET_errInvalidColumnType,
                  COLUMN(.coltyp = JET_coltypShort, .grbit = JET_bitColumnVersion));
    expect_column(
        t, JET_errInvalidGrbit,
        COLUMN(.coltyp = JET_coltypLong, .grbit = JET_bitColumnFixed | JET_bitColumnTagged));
    expect_column(t, JET_errInvalidGrbit, COLUMN(.coltyp = JET_coltypLong, .grbit = 0x40000000));
    expect_column(t, JET_errFeatureNotAvailable,
                  COLUMN(.coltyp = JET_coltypLong, .grbit = JET_bitColumnEscrowUpdate));
    expect_column(t, JET_errColumnCannotBeCompressed,
                  COLUMN(.coltyp = JET_coltypLong, .grbit = JET_bitColumnCompressed));
    expect_column(t, JET_errDefaultValueTooBig,
                  COLUMN(.coltyp = JET_coltypLongText, .def = big, .def_cb = sizeof(big)));
    expect_column(t, JET_errInvalidBufferSize,
                  COLUMN(.coltyp = JET_coltypLong, .def = big, .def_cb = 3));
#undef COLUMN
    assert_int_equal(session_level(x->w.s), 0);
    table_close(t);
}

static void
expect_index(struct table *t, JET_ERR want, const char *name, const char *key, uint32_t cb,
             JET_GRBIT grbit, uint32_t density)
{
    struct table_index_spec spec = {
        .name = name, .key = key, .key_cb = cb, .grbit = grbit, .density = density};
    assert_int_equal(table_create_index(t, &spec), want);
}

static void
test_ddl_bad_indexes_are_refused(void **state)
{
    struct tables *x = *state;
    struct table_column_spec cols[] = {{.name = "A", .coltyp = JET_coltypLong},
                                       {.name = "M",
                                        .coltyp = JET_coltypLong,
                                        .grbit = JET_bitColumnTagged | JET_bitColumnMultiValued}};
    struct table_spec spec = {.name = "T", .columns = cols, .n_columns = 2};
    struct table *t;

    OK(table_create(x->w.s, x->tdb, &spec, &t));
    expect_index(t, JET_errFeatureNotAvailable, "I", "+A\0", 4, 0, 0);
    expect_index(t, JET_errInvalidName, " I", "+A\0", 4, JET_bitIndexPrimary, 0);
    expect_index(t, JET_errColumnNotFound, "I", "+B\0", 4, JET_bitIndexPrimary, 0);
    expect_index(t, JET_errIndexInvalidDef, "I", "", 1, JET_bitIndexPrimary, 0);
    expect_index(t, JET_errIndexInvalidDef, "I", "+A", 2, JET_bitIndexPrimary, 0);
    expect_index(t, JET_errIndexInvalidDef, "I", "+M\0", 4, JET_bitIndexPrimary, 0);
    expect_index(t, JET_errDensityInvalid, "I", "+A\0", 4, JET_bitIndexPrimary, 10);
    expect_index(t, JET_errInvalidGrbit, "I", "+A\0", 4,
                 JET_bitIndexPrimary | JET_bitIndexIgnoreNull, 0);
    expect_index(t, JET_errSuccess, "I", "-A\0", 4, JET_bitIndexPrimary, 0);
    expect_index(t, JET_errIndexDuplicate, "i", "+A\0", 4, JET_bitIndexPrimary, 0);
    expect_index(t, JET_errIndexHasPrimary, "J", "+A\0", 4, JET_bitIndexPrimary, 0);
    table_close(t);
}

static void
test_ddl_primary_index_needs_an_empty_table(void **state)
{
    struct tables *x = *state;
    struct table_column_spec col = {.name = "A", .coltyp = JET_coltypLong};
    struct table_spec spec = {.name = "T", .columns = &col, .n_columns = 1};
    struct table *t;
    int32_t v = 5;

    OK(table_create(x->w.s, x->tdb, &spec, &t));
    begin(x->w.s);
    OK(table_prepare_update(t, JET_prepInsert));
    OK(table_set_column(t, 1, &v, 4, 0, NULL));
    OK(table_update(t, NULL, 0, NULL, 0));
    commit(x->w.s);
    expect_index(t, JET_errTableNotEmpty, "I", "+A\0", 4, JET_bitIndexPrimary, 0);
    table_close(t);
}

static void
test_ddl_fixed_ddl_refuses_columns(void **state)
{
    struct tables *x = *state;
    struct table_spec spec = {.name = "T", .grbit = JET_bitTableCreateFixedDDL};
    struct table_column_spec c = {.name = "A", .coltyp = JET_coltypLong};
    struct table *t;

    OK(table_create(x->w.s, x->tdb, &spec, &t));
    table_close(t);
    OK(table_open(x->w.s, x->tdb, "T", 0, &t));
    assert_int_equal(table_add_column(t, &c), JET_errFixedDDL);
    table_close(t);
    OK(table_open(x->w.s, x->tdb, "T", JET_bitTablePermitDDL, &t));
    OK(table_add_column(t, &c));
    table_close(t);
}

static void
test_ddl_deleted_table_is_gone_and_its_name_free(void **state)
{
    struct tables *x = *state;
    struct table *t = make_items(x, "Items");

    insert_item(t, "a", 1);
    assert_int_equal(table_delete(x->w.s, x->tdb, "Items"), JET_errTableInUse);
    table_close(t);
    begin(x->w.s);
    OK(table_delete(x->w.s, x->tdb, "Items"));
    assert_int_equal(open_by(x->w.s, x, "Items"), JET_errObjectNotFound);
    OK(session_rollback(x->w.s, 0));
    OK(open_by(x->w.s, x, "Items"));
    OK(table_delete(x->w.s, x->tdb, "Items"));
    OK(txn_cleanup(x->w.txn, 0, NULL));
    assert_int_equal(open_by(x->w.s, x, "Items"), JET_errObjectNotFound);
    assert_int_equal(table_delete(x->w.s, x->tdb, "MSysObjids"), JET_errCannotDeleteSystemTable);
    table_close(make_items(x, "Items"));
}

static void
test_ddl_column_info_tells_all(void **state)
{
    struct tables *x = *state;
    struct table *t = make_items(x, "Items");
    JET_COLUMNDEF def;
    JET_COLUMNBASE_A base;
    const char *name;

    OK(table_column_info(t, "tags", 0, &def, sizeof(def), JET_ColInfo));
    assert_int_equal(def.columnid, COL_TAGS);
    assert_int_equal(def.coltyp, JET_coltypText);
    assert_int_equal(def.cp, 1252);
    assert_int_equal(def.cbMax, 255);
    assert_int_equal(def.grbit,
                     JET_bitColumnTagged | JET_bitColumnMultiValued | JET_bitColumnUpdatable);
    OK(table_column_info(t, NULL, COL_ID, &base, sizeof(base), JET_ColInfoBaseByColid));
    assert_string_equal(base.szBaseTableName, "Items");
    assert_string_equal(base.szBaseColumnName, "Id");
    assert_int_equal(base.grbit, JET_bitColumnFixed | JET_bitColumnAutoincrement);
    assert_int_equal(table_column_info(t, "No", 0, &def, sizeof(def), JET_ColInfo),
                     JET_errColumnNotFound);
    assert_int_equal(table_column_info(t, NULL, 0, &def, sizeof(def), JET_ColInfoByColid),
                     JET_errBadColumnId);
    assert_int_equal(table_column_info(t, "Id", 0, &def, 3, JET_ColInfo), JET_errInvalidBufferSize);
    assert_int_equal(table_column_info(t, "Id", 0, &def, sizeof(def), 77), JET_errInvalidParameter);
    assert_int_equal(table_column_info(t, "Id", 0, &def, sizeof(def), JET_ColInfoList),
                     JET_errFeatureNotAvailable);
    OK(table_column_at(t, 4, &name, &def));
    assert_string_equal(name, "Tags");
    assert_int_equal(table_column_at(t, 5, &name, &def), JET_errColumnNotFound);
    table_close(t);
}

static void
test_ddl_database_info_tells_all(void **state)
{
    struct tables *x = *state;
    JET_DBINFOMISC4 misc;
    char path[300];
    uint32_t n, owned;

    OK(table_database_info(x->tdb, path, sizeof(path), JET_DbInfoFilename));
    assert_string_equal(path, x->w.path);
    assert_int_equal(table_database_info(x->tdb, path, 2, JET_DbInfoFilename),
                     JET_errBufferTooSmall);
    OK(table_database_info(x->tdb, &n, 4, JET_DbInfoPageSize));
    assert_int_equal(n, 4096);
    OK(table_database_info(x->tdb, &owned, 4, JET_DbInfoSpaceOwned));
    assert_int_equal(owned, 254);
    OK(table_database_info(x->tdb, &n, 4, JET_DbInfoFilesize));
    assert_int_equal(n, 256);
    OK(table_database_info(x->tdb, &misc, sizeof(misc), JET_DbInfoMisc));
    assert_int_equal(misc.ulVersion, 0x620);
    assert_int_equal(misc.cbPageSize, 4096);
    assert_int_equal(table_database_info(x->tdb, &misc, 5, JET_DbInfoMisc),
                     JET_errInvalidBufferSize);
    assert_int_equal(table_database_info(x->tdb, &n, 2, JET_DbInfoCp), JET_errInvalidBufferSize);
    assert_int_equal(table_database_info(x->tdb, &n, 4, 99), JET_errInvalidParameter);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tables_setup, tables_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ddl_new_database_has_its_system_tables),
        TEST(test_ddl_create_twice_is_a_duplicate_and_leaves_nothing),
        TEST(test_ddl_created_table_is_exclusive_until_closed),
        TEST(test_ddl_deny_write_keeps_writers_out),
        TEST(test_ddl_rollback_takes_the_table_back_and_kills_its_handle),
        TEST(test_ddl_uncommitted_table_is_not_seen_by_others),
        TEST(test_ddl_failed_column_takes_the_whole_table_back),
        TEST(test_ddl_added_column_is_seen_when_it_may),
        TEST(test_ddl_column_rolled_back_is_gone),
        TEST(test_ddl_bad_columns_are_refused),
        TEST(test_ddl_bad_indexes_are_refused),
        TEST(test_ddl_primary_index_needs_an_empty_table),
        TEST(test_ddl_fixed_ddl_refuses_columns),
        TEST(test_ddl_deleted_table_is_gone_and_its_name_free),
        TEST(test_ddl_column_info_tells_all),
        TEST(test_ddl_database_info_tells_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
