/* SPDX-License-Identifier: MIT */
/* records: values of all types in and out, the states of an update, conflicts, what is refused. */
#include "tables.h"

#include "table/schema.h"

static void
assert_column_null(struct table *t, JET_COLUMNID c)
{
    char buf[8];
    uint32_t cb;
    assert_int_equal(table_retrieve_column(t, c, buf, sizeof(buf), &cb, 0, NULL),
                     JET_wrnColumnNull);
    assert_int_equal(cb, 0);
}

/* One column of each type and storage. */
static void
test_records_all_types_come_back(void **state)
{
    struct tables *x = *state;
    static const struct {
        JET_COLTYP t;
        uint32_t cb;
        const char *v;
    } types[] = {
        {JET_coltypBit, 1, "\377"},
        {JET_coltypUnsignedByte, 1, "\310"},
        {JET_coltypShort, 2, "\1\2"},
        {JET_coltypLong, 4, "\1\2\3\4"},
        {JET_coltypCurrency, 8, "12345678"},
        {JET_coltypIEEESingle, 4, "\0\0\300\277"},
        {JET_coltypIEEEDouble, 8, "abcdefgh"},
        {JET_coltypDateTime, 8, "dateTIME"},
        {JET_coltypBinary, 5, "b\0i\0n"},
        {JET_coltypText, 4, "text"},
        {JET_coltypLongBinary, 7, "longbin"},
        {JET_coltypLongText, 8, "longtext"},
        {JET_coltypUnsignedLong, 4, "ulng"},
        {JET_coltypLongLong, 8, "longlong"},
        {JET_coltypGUID, 16, "0123456789abcdef"},
        {JET_coltypUnsignedShort, 2, "us"},
        {JET_coltypUnsignedLongLong, 8, "ulnglong"},
    };
    struct table_column_spec cols[2 * G_N_ELEMENTS(types)] = {0};
    struct table_spec spec = {.name = "T", .columns = cols, .n_columns = G_N_ELEMENTS(cols)};
    struct table *t;
    char names[G_N_ELEMENTS(cols)][8], buf[300];
    uint32_t cb;

    for (uint32_t i = 0; i < G_N_ELEMENTS(cols); i++) {
        g_snprintf(names[i], sizeof(names[i]), "C%u", i);
        cols[i].name = names[i];
        cols[i].coltyp = types[i / 2].t;
        cols[i].grbit = i % 2 ? JET_bitColumnTagged : 0;
    }
    OK(table_create(x->w.s, x->tdb, &spec, &t));
    begin(x->w.s);
    for (int round = 0; round < 2; round++) {
        OK(table_prepare_update(t, JET_prepInsert));
        for (uint32_t i = 0; round == 0 && i < G_N_ELEMENTS(cols); i++) {
            OK(table_set_column(t, cols[i].columnid, types[i / 2].v, types[i / 2].cb, 0, NULL));
            if (coltyp_is_long(types[i / 2].t) || types[i / 2].t == JET_coltypText ||
                types[i / 2].t == JET_coltypBinary)
                continue;
            assert_int_equal(
                table_set_column(t, cols[i].columnid, buf, types[i / 2].cb + 1, 0, NULL),
                JET_errInvalidBufferSize);
        }
        OK(table_update(t, NULL, 0, NULL, 0));
    }
    OK(table_move(t, JET_MoveFirst, 0));
    for (uint32_t i = 0; i < G_N_ELEMENTS(cols); i++) {
        OK(table_retrieve_column(t, cols[i].columnid, buf, sizeof(buf), &cb, 0, NULL));
        assert_int_equal(cb, types[i / 2].cb);
        assert_memory_equal(buf, types[i / 2].v, cb);
    }
    OK(table_move(t, JET_MoveNext, 0));
    for (uint32_t i = 0; i < G_N_ELEMENTS(cols); i++)
        assert_column_null(t, cols[i].columnid);
    commit(x->w.s);
    table_close(t);
}

static void
test_records_update_states_are_kept(void **state)
{
    struct tables *x = *state;
    struct table *t = make_items(x, "Items");
    int64_t n = 1;

    assert_int_equal(table_prepare_update(t, JET_prepInsert), JET_errNotInTransaction);
    begin(x->w.s);
    assert_int_equal(table_update(t, NULL, 0, NULL, 0), JET_errUpdateNotPrepared);
    assert_int_equal(table_set_column(t, COL_N, &n, 8, 0, NULL), JET_errUpdateNotPrepared);
    assert_int_equal(table_prepare_update(t, JET_prepCancel), JET_errUpdateNotPrepared);
    assert_int_equal(table_prepare_update(t, JET_prepReplace), JET_errNoCurrentRecord);
    assert_int_equal(table_prepare_update(t, 99), JET_errInvalidParameter);
    OK(table_prepare_update(t, JET_prepInsert));
    assert_int_equal(table_prepare_update(t, JET_prepInsert), JET_errAlreadyPrepared);
    OK(table_prepare_update(t, JET_prepCancel));
    OK(table_prepare_update(t, JET_prepInsert));
    (void)table_move(t, JET_MoveFirst, 0); /* moving away cancels */
    assert_int_equal(table_update(t, NULL, 0, NULL, 0), JET_errUpdateNotPrepared);
    commit(x->w.s);
    table_close(t);
}

static void
test_records_bad_sets_are_refused(void **state)
{
    struct tables *x = *state;
    struct table *t = make_items(x, "Items");
    static char big[5000];
    JET_SETINFO second = {sizeof(second), 0, 2};

    begin(x->w.s);
    OK(table_prepare_update(t, JET_prepInsert));
    assert_int_equal(table_set_column(t, COL_ID, big, 4, 0, NULL), JET_errColumnNotUpdatable);
    assert_int_equal(table_set_column(t, 0, big, 4, 0, NULL), JET_errBadColumnId);
    assert_int_equal(table_set_column(t, 99, big, 4, 0, NULL), JET_errColumnNotFound);
    assert_int_equal(table_set_column(t, 0xfff0, big, 4, 0, NULL), JET_errBadColumnId);
    assert_int_equal(table_set_column(t, COL_NAME, big, 101, 0, NULL), JET_errColumnTooBig);
    assert_int_equal(table_set_column(t, COL_NAME, NULL, 5, 0, NULL), JET_errInvalidParameter);
    assert_int_equal(table_set_column(t, COL_NAME, big, 5, 0x80000000, NULL), JET_errInvalidGrbit);
    assert_int_equal(table_set_column(t, COL_NAME, big, 5, 0, &second), JET_errBadItagSequence);
    assert_int_equal(table_set_column(t, COL_NOTE, big, 5000, 0, NULL), JET_errRecordTooBig);
    assert_int_equal(table_set_column(t, COL_N, big, 8, JET_bitSetAppendLV, NULL),
                     JET_errInvalidGrbit);
    OK(table_update(t, NULL, 0, NULL, 0));
    commit(x->w.s);
    table_close(t);
}

static void
test_records_not_null_is_enforced(void **state)
{
    struct tables *x = *state;
    struct table_column_spec cols[] = {
        {.name = "A", .coltyp = JET_coltypLong, .grbit = JET_bitColumnNotNULL},
        {.name = "B",
         .coltyp = JET_coltypLong,
         .grbit = JET_bitColumnNotNULL,
         .def = "\11\0\0\0",
         .def_cb = 4},
        {.name = "C", .coltyp = JET_coltypText, .grbit = JET_bitColumnNotNULL}};
    struct table_spec spec = {.name = "T", .columns = cols, .n_columns = 3};
    struct table *t;
    int32_t v = 1;
    uint32_t cb;

    OK(table_create(x->w.s, x->tdb, &spec, &t));
    begin(x->w.s);
    OK(table_prepare_update(t, JET_prepInsert));
    assert_int_equal(table_set_column(t, 1, NULL, 0, 0, NULL), JET_errNullInvalid);
    assert_int_equal(table_update(t, NULL, 0, NULL, 0), JET_errNullInvalid);
    OK(table_set_column(t, 1, &v, 4, 0, NULL));
    assert_int_equal(table_update(t, NULL, 0, NULL, 0), JET_errNullInvalid);
    OK(table_set_column(t, 128, NULL, 0, JET_bitSetZeroLength, NULL));
    OK(table_update(t, NULL, 0, NULL, 0));
    OK(table_move(t, JET_MoveFirst, 0));
    OK(table_retrieve_column(t, 2, &v, 4, &cb, 0, NULL));
    assert_int_equal(v, 9);
    OK(table_retrieve_column(t, 128, &v, 4, &cb, 0, NULL));
    assert_int_equal(cb, 0);
    commit(x->w.s);
    table_close(t);
}

static void
test_records_autoincrement_goes_on_after_reopening(void **state)
{
    struct tables *x = *state;
    struct table *t = make_items(x, "Items");

    assert_int_equal(insert_item(t, "a", 1), 1);
    assert_int_equal(insert_item(t, "b", 2), 2);
    table_close(t);
    OK(txn_cleanup(x->w.txn, 0, NULL));
    table_db_close(x->tdb);
    OK(table_db_open(x->w.db, &x->tdb));
    OK(table_open(x->w.s, x->tdb, "Items", 0, &t));
    assert_int_equal(insert_item(t, "c", 3), 3);
    table_close(t);
}

static void
test_records_version_column_counts_replaces(void **state)
{
    struct tables *x = *state;
    struct table_column_spec cols[] = {
        {.name = "V", .coltyp = JET_coltypLong, .grbit = JET_bitColumnVersion},
        {.name = "A", .coltyp = JET_coltypLong}};
    struct table_spec spec = {.name = "T", .columns = cols, .n_columns = 2};
    struct table *t;
    int32_t v = 1;
    uint32_t cb;

    OK(table_create(x->w.s, x->tdb, &spec, &t));
    begin(x->w.s);
    OK(table_prepare_update(t, JET_prepInsert));
    OK(table_update(t, NULL, 0, NULL, 0));
    OK(table_move(t, JET_MoveFirst, 0));
    for (int i = 0; i < 3; i++) {
        OK(table_retrieve_column(t, 1, &v, 4, &cb, 0, NULL));
        assert_int_equal(v, i);
        OK(table_prepare_update(t, JET_prepReplace));
        OK(table_set_column(t, 2, &v, 4, 0, NULL));
        assert_int_equal(table_set_column(t, 1, &v, 4, 0, NULL), JET_errColumnNotUpdatable);
        OK(table_update(t, NULL, 0, NULL, 0));
    }
    commit(x->w.s);
    table_close(t);
}

static void
test_records_replace_keeps_its_key(void **state)
{
    struct tables *x = *state;
    struct table_column_spec cols[] = {{.name = "K", .coltyp = JET_coltypText},
                                       {.name = "A", .coltyp = JET_coltypText}};
    struct table_index_spec ix = {.name = "P",
                                  .key = "+K\0",
                                  .key_cb = 4,
                                  .grbit = JET_bitIndexPrimary | JET_bitIndexDisallowNull};
    struct table_spec spec = {
        .name = "T", .columns = cols, .n_columns = 2, .indexes = &ix, .n_indexes = 1};
    struct table *t;

    OK(table_create(x->w.s, x->tdb, &spec, &t));
    begin(x->w.s);
    OK(table_prepare_update(t, JET_prepInsert));
    assert_int_equal(table_update(t, NULL, 0, NULL, 0), JET_errNullKeyDisallowed);
    set_text(t, 128, "one");
    OK(table_update(t, NULL, 0, NULL, 0));
    OK(table_prepare_update(t, JET_prepInsert));
    set_text(t, 128, "ONE");
    assert_int_equal(table_update(t, NULL, 0, NULL, 0), JET_errKeyDuplicate);
    set_text(t, 128, "two");
    OK(table_update(t, NULL, 0, NULL, 0));
    OK(table_move(t, JET_MoveFirst, 0));
    OK(table_prepare_update(t, JET_prepReplace));
    set_text(t, 128, "three");
    assert_int_equal(table_update(t, NULL, 0, NULL, 0), JET_errRecordPrimaryChanged);
    set_text(t, 128, "One"); /* the same key */
    set_text(t, 129, "value");
    OK(table_update(t, NULL, 0, NULL, 0));
    assert_text(t, 128, "One");
    assert_text(t, 129, "value");
    commit(x->w.s);
    table_close(t);
}

static void
test_records_copies_are_new_records(void **state)
{
    struct tables *x = *state;
    struct table *t = make_items(x, "Items");
    uint8_t bookmark[255];
    uint32_t cb;

    insert_item(t, "first", 1);
    begin(x->w.s);
    OK(table_move(t, JET_MoveFirst, 0));
    OK(table_prepare_update(t, JET_prepInsertCopy));
    set_text(t, COL_NAME, "copy");
    OK(table_update(t, bookmark, sizeof(bookmark), &cb, 0));
    assert_text(t, COL_NAME, "first"); /* the cursor stays */
    OK(table_goto_bookmark(t, bookmark, cb));
    assert_text(t, COL_NAME, "copy");
    assert_int_equal(id_of(t), 2);
    OK(table_prepare_update(t, JET_prepInsertCopyDeleteOriginal));
    assert_int_equal(table_prepare_update(t, JET_prepInsertCopyReplaceOriginal),
                     JET_errAlreadyPrepared);
    commit(x->w.s);
    table_close(t);
}

static void
test_records_copy_delete_original_moves_the_record(void **state)
{
    struct tables *x = *state;
    struct table_column_spec cols[] = {{.name = "K", .coltyp = JET_coltypLong},
                                       {.name = "A", .coltyp = JET_coltypText}};
    struct table_index_spec ix = {
        .name = "P", .key = "+K\0", .key_cb = 4, .grbit = JET_bitIndexPrimary};
    struct table_spec spec = {
        .name = "T", .columns = cols, .n_columns = 2, .indexes = &ix, .n_indexes = 1};
    struct table *t;
    uint32_t cb;

    OK(table_create(x->w.s, x->tdb, &spec, &t));
    begin(x->w.s);
    for (int32_t k = 1; k <= 2; k++) {
        OK(table_prepare_update(t, JET_prepInsert));
        OK(table_set_column(t, 1, &k, 4, 0, NULL));
        set_text(t, 128, k == 1 ? "one" : "two");
        OK(table_update(t, NULL, 0, NULL, 0));
    }
    int32_t k = 2;
    OK(table_move(t, JET_MoveFirst, 0));
    OK(table_prepare_update(t, JET_prepInsertCopyDeleteOriginal));
    OK(table_set_column(t, 1, &k, 4, 0, NULL));
    assert_int_equal(table_update(t, NULL, 0, NULL, 0), JET_errKeyDuplicate);
    k = 9;
    OK(table_set_column(t, 1, &k, 4, 0, NULL));
    OK(table_update(t, NULL, 0, NULL, 0));
    OK(table_move(t, JET_MoveFirst, 0));
    assert_text(t, 128, "two");
    OK(table_move(t, JET_MoveNext, 0));
    assert_text(t, 128, "one");
    OK(table_retrieve_column(t, 1, &k, 4, &cb, 0, NULL));
    assert_int_equal(k, 9);
    assert_int_equal(table_move(t, JET_MoveNext, 0), JET_errNoCurrentRecord);
    commit(x->w.s);
    table_close(t);
}

static void
test_records_table_without_index_is_numbered(void **state)
{
    struct tables *x = *state;
    struct table_column_spec col = {.name = "A", .coltyp = JET_coltypText};
    struct table_spec spec = {.name = "T", .columns = &col, .n_columns = 1};
    struct table *t;
    uint8_t bookmark[8];
    uint32_t cb;

    OK(table_create(x->w.s, x->tdb, &spec, &t));
    begin(x->w.s);
    for (uint32_t i = 1; i <= 3; i++) {
        OK(table_prepare_update(t, JET_prepInsert));
        set_text(t, 128, "x");
        OK(table_update(t, bookmark, sizeof(bookmark), &cb, 0));
        assert_int_equal(cb, 4);
        assert_int_equal(be32_get(bookmark), i);
    }
    assert_int_equal(table_make_key(t, "x", 1, JET_bitNewKey), JET_errNoCurrentIndex);
    assert_string_equal(table_current_index(t), "");
    OK(table_goto_bookmark(t, bookmark, 4));
    commit(x->w.s);
    table_close(t);
}

static void
test_records_multi_values_are_numbered(void **state)
{
    struct tables *x = *state;
    struct table *t = make_items(x, "Items");
    JET_SETINFO si = {sizeof(si), 0, 0};
    JET_RETINFO ri = {sizeof(ri), 0, 1, 0};
    char buf[10];
    uint32_t cb;

    begin(x->w.s);
    OK(table_prepare_update(t, JET_prepInsert));
    OK(table_set_column(t, COL_TAGS, "one", 3, 0, &si));
    OK(table_set_column(t, COL_TAGS, "two", 3, 0, &si));
    OK(table_set_column(t, COL_TAGS, "three", 5, 0, &si));
    si.itagSequence = 2;
    OK(table_set_column(t, COL_TAGS, "TWO!", 4, 0, &si));
    si.itagSequence = 0;
    assert_int_equal(table_set_column(t, COL_TAGS, "one", 3, JET_bitSetUniqueMultiValues, &si),
                     JET_errMultiValuedDuplicate);
    OK(table_update(t, NULL, 0, NULL, 0));
    OK(table_move(t, JET_MoveFirst, 0));
    static const char *want[] = {"one", "TWO!", "three"};
    for (ri.itagSequence = 1; ri.itagSequence <= 3; ri.itagSequence++) {
        OK(table_retrieve_column(t, COL_TAGS, buf, sizeof(buf), &cb, 0, &ri));
        assert_int_equal(cb, strlen(want[ri.itagSequence - 1]));
        assert_memory_equal(buf, want[ri.itagSequence - 1], cb);
        assert_int_equal(ri.columnidNextTagged, COL_TAGS);
    }
    assert_int_equal(table_retrieve_column(t, COL_TAGS, buf, sizeof(buf), &cb, 0, &ri),
                     JET_wrnColumnNull);
    ri.itagSequence = 0;
    OK(table_retrieve_column(t, COL_TAGS, NULL, 0, &cb, 0, &ri));
    assert_int_equal(ri.itagSequence, 3);
    ri.itagSequence = 3;
    OK(table_retrieve_column(t, 0, buf, sizeof(buf), &cb, 0, &ri));
    assert_int_equal(ri.columnidNextTagged, COL_TAGS);
    OK(table_prepare_update(t, JET_prepReplace));
    si.itagSequence = 1;
    OK(table_set_column(t, COL_TAGS, NULL, 0, 0, &si));
    OK(table_update(t, NULL, 0, NULL, 0));
    assert_text(t, COL_TAGS, "TWO!");
    commit(x->w.s);
    table_close(t);
}

static void
test_records_long_values_are_edited_in_place(void **state)
{
    struct tables *x = *state;
    struct table *t = make_items(x, "Items");
    JET_SETINFO at = {sizeof(at), 2, 1};
    JET_RETINFO from = {sizeof(from), 4, 1, 0};
    char buf[16];
    uint32_t cb;

    begin(x->w.s);
    OK(table_prepare_update(t, JET_prepInsert));
    OK(table_set_column(t, COL_NOTE, "abc", 3, JET_bitSetAppendLV, NULL));
    OK(table_set_column(t, COL_NOTE, "def", 3, JET_bitSetAppendLV, NULL));
    OK(table_set_column(t, COL_NOTE, "XY", 2, JET_bitSetOverwriteLV, &at));
    OK(table_update(t, NULL, 0, NULL, 0));
    OK(table_move(t, JET_MoveFirst, 0));
    assert_text(t, COL_NOTE, "abXYef");
    OK(table_retrieve_column(t, COL_NOTE, buf, sizeof(buf), &cb, 0, &from));
    assert_int_equal(cb, 2);
    assert_memory_equal(buf, "ef", 2);
    assert_int_equal(table_retrieve_column(t, COL_NOTE, buf, 3, &cb, 0, NULL),
                     JET_wrnBufferTruncated);
    assert_int_equal(cb, 6);
    OK(table_prepare_update(t, JET_prepReplace));
    OK(table_set_column(t, COL_NOTE, NULL, 4, JET_bitSetSizeLV, NULL));
    at.ibLongValue = 9;
    assert_int_equal(table_set_column(t, COL_NOTE, "Z", 1, JET_bitSetOverwriteLV, &at),
                     JET_errColumnNoChunk);
    OK(table_update(t, NULL, 0, NULL, 0));
    assert_text(t, COL_NOTE, "abXY");
    commit(x->w.s);
    table_close(t);
}

static void
test_records_defaults_can_be_hidden_and_restored(void **state)
{
    struct tables *x = *state;
    struct table_column_spec cols[] = {
        {.name = "T", .coltyp = JET_coltypLongText, .def = "tagged", .def_cb = 6},
        {.name = "V", .coltyp = JET_coltypText, .def = "var", .def_cb = 3}};
    struct table_spec spec = {.name = "T", .columns = cols, .n_columns = 2};
    struct table *t;
    char buf[10];
    uint32_t cb;

    OK(table_create(x->w.s, x->tdb, &spec, &t));
    begin(x->w.s);
    OK(table_prepare_update(t, JET_prepInsert));
    OK(table_update(t, NULL, 0, NULL, 0));
    OK(table_move(t, JET_MoveFirst, 0));
    assert_text(t, 256, "tagged");
    assert_text(t, 128, "var");
    assert_int_equal(
        table_retrieve_column(t, 256, buf, 10, &cb, JET_bitRetrieveIgnoreDefault, NULL),
        JET_wrnColumnNull);
    OK(table_prepare_update(t, JET_prepReplace));
    OK(table_set_column(t, 256, NULL, 0, 0, NULL));
    OK(table_set_column(t, 128, NULL, 0, 0, NULL));
    OK(table_update(t, NULL, 0, NULL, 0));
    assert_column_null(t, 256);
    assert_column_null(t, 128);
    OK(table_prepare_update(t, JET_prepReplace));
    OK(table_set_column(t, 256, NULL, 0, JET_bitSetRevertToDefaultValue, NULL));
    OK(table_update(t, NULL, 0, NULL, 0));
    assert_text(t, 256, "tagged");
    commit(x->w.s);
    table_close(t);
}

static void
test_records_first_writer_wins(void **state)
{
    struct tables *x = *state;
    struct table *a = make_items(x, "Items"), *b;

    insert_item(a, "start", 1);
    table_close(a);
    OK(table_open(x->w.s, x->tdb, "Items", 0, &a));
    OK(table_open(x->s2, x->tdb, "Items", 0, &b));
    begin(x->w.s);
    begin(x->s2);
    OK(table_prepare_update(b, JET_prepReplaceNoLock));
    OK(table_prepare_update(a, JET_prepReplace));
    set_text(a, COL_NAME, "by a");
    OK(table_update(a, NULL, 0, NULL, 0));
    set_text(b, COL_NAME, "by b");
    assert_int_equal(table_update(b, NULL, 0, NULL, 0), JET_errWriteConflict);
    OK(table_prepare_update(b, JET_prepCancel));
    assert_int_equal(table_prepare_update(b, JET_prepReplace), JET_errWriteConflict);
    assert_int_equal(table_delete_record(b), JET_errWriteConflict);
    assert_int_equal(table_get_lock(b, JET_bitWriteLock), JET_errWriteConflict);
    assert_text(b, COL_NAME, "start");
    commit(x->w.s);
    assert_text(b, COL_NAME, "start");
    assert_int_equal(table_prepare_update(b, JET_prepReplace), JET_errWriteConflict);
    OK(session_rollback(x->s2, 0));
    assert_text(b, COL_NAME, "by a");
    table_close(a);
    table_close(b);
}

static void
test_records_deleted_record_is_deleted_for_me_now(void **state)
{
    struct tables *x = *state;
    struct table *a = make_items(x, "Items"), *b;
    char buf[10];
    uint32_t cb;

    insert_item(a, "one", 1);
    insert_item(a, "two", 2);
    table_close(a);
    OK(table_open(x->w.s, x->tdb, "Items", 0, &a));
    OK(table_open(x->s2, x->tdb, "Items", 0, &b));
    begin(x->w.s);
    begin(x->s2);
    OK(table_delete_record(a));
    assert_int_equal(table_retrieve_column(a, COL_NAME, buf, 10, &cb, 0, NULL),
                     JET_errRecordDeleted);
    assert_int_equal(table_delete_record(a), JET_errRecordDeleted);
    assert_int_equal(table_move(a, 0, 0), JET_errRecordDeleted);
    assert_text(b, COL_NAME, "one");
    OK(table_move(a, JET_MoveNext, 0));
    assert_text(a, COL_NAME, "two");
    assert_int_equal(table_move(a, JET_MovePrevious, 0), JET_errNoCurrentRecord);
    OK(session_rollback(x->w.s, 0));
    OK(table_move(a, JET_MoveFirst, 0));
    assert_text(a, COL_NAME, "one");
    commit(x->s2);
    table_close(a);
    table_close(b);
}

static void
test_records_lists_of_columns_stop_and_go_on(void **state)
{
    struct tables *x = *state;
    struct table *t = make_items(x, "Items");
    int64_t n = 42, got = 0;
    char name[3];
    JET_SETCOLUMN set[] = {{COL_N, &n, 8, 0, 0, 1, 0},
                           {COL_NAME, "long name", 9, 0, 0, 1, 0},
                           {77, "x", 1, 0, 0, 1, 0},
                           {COL_NOTE, "xx", 2, 0, 0, 1, 0}};
    JET_RETRIEVECOLUMN get[] = {
        {.columnid = COL_N, .pvData = &got, .cbData = 8, .itagSequence = 1},
        {.columnid = COL_NOTE, .pvData = name, .cbData = 3, .itagSequence = 1},
        {.columnid = COL_NAME, .pvData = name, .cbData = 3, .itagSequence = 1}};

    begin(x->w.s);
    OK(table_prepare_update(t, JET_prepInsert));
    assert_int_equal(table_set_columns(t, set, 4), JET_errColumnNotFound);
    assert_int_equal(set[2].err, JET_errColumnNotFound);
    OK(table_update(t, NULL, 0, NULL, 0));
    OK(table_move(t, JET_MoveFirst, 0));
    assert_int_equal(table_retrieve_columns(t, get, 3), JET_wrnBufferTruncated);
    assert_int_equal(got, 42);
    assert_int_equal(get[1].err, JET_wrnColumnNull);
    assert_int_equal(get[2].cbActual, 9);
    assert_memory_equal(name, "lon", 3);
    commit(x->w.s);
    table_close(t);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tables_setup, tables_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_records_all_types_come_back),
        TEST(test_records_update_states_are_kept),
        TEST(test_records_bad_sets_are_refused),
        TEST(test_records_not_null_is_enforced),
        TEST(test_records_autoincrement_goes_on_after_reopening),
        TEST(test_records_version_column_counts_replaces),
        TEST(test_records_replace_keeps_its_key),
        TEST(test_records_copies_are_new_records),
        TEST(test_records_copy_delete_original_moves_the_record),
        TEST(test_records_table_without_index_is_numbered),
        TEST(test_records_multi_values_are_numbered),
        TEST(test_records_long_values_are_edited_in_place),
        TEST(test_records_defaults_can_be_hidden_and_restored),
        TEST(test_records_first_writer_wins),
        TEST(test_records_deleted_record_is_deleted_for_me_now),
        TEST(test_records_lists_of_columns_stop_and_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
