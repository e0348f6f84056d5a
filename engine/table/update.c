/* SPDX-License-Identifier: MIT */
/* update: preparing, setting columns, inserting, replacing, deleting records. */
#include <string.h>

#include "table/open.h"
#include "txn/session.h"

#define SET_GRBITS                                                                                 \
    (JET_bitSetAppendLV | JET_bitSetOverwriteLV | JET_bitSetSizeLV | JET_bitSetZeroLength |        \
     JET_bitSetSeparateLV | JET_bitSetUniqueMultiValues | JET_bitSetUniqueNormalizedMultiValues |  \
     JET_bitSetRevertToDefaultValue | JET_bitSetIntrinsicLV | JET_bitSetUncompressed |             \
     JET_bitSetCompressed)
#define SET_LV_GRBITS (JET_bitSetAppendLV | JET_bitSetOverwriteLV | JET_bitSetSizeLV)

/* ---- preparing ---- */

static JET_ERR
set_number(struct table *t, const struct column *c, uint64_t value)
{
    uint8_t bytes[8];

    le64_put(bytes, value);
    return recbuf_set(&t->copy, t->schema, c, 1, span_of(bytes, column_size(c)), false);
}

/* Autoincrement and version columns of a new record. */
static JET_ERR
number_record(struct table *t)
{
    uint64_t value;
    JET_ERR err = JET_errSuccess;

    if (t->schema->autoinc) {
        err = table_next_autoinc(t, &value);
        if (err >= 0)
            err = set_number(t, t->schema->autoinc, value);
    }
    if (err >= 0 && t->schema->version)
        err = set_number(t, t->schema->version, 0);
    return err;
}

/* The copy buffer fits the table as it is now (a primary index may have come since). */
static JET_ERR
ready_copy(struct table *t)
{
    uint32_t max = record_max(t->tdb->page_bytes, table_key_most(t->schema));

    if (t->copy.data && t->copy.max == max) {
        recbuf_reset(&t->copy);
        return JET_errSuccess;
    }
    if (t->copy.data)
        recbuf_clear(&t->copy);
    return recbuf_init(&t->copy, t->tdb->page_bytes, table_key_most(t->schema));
}

/* Takes the current record into the copy buffer. */
static JET_ERR
copy_current(struct table *t)
{
    struct span rec;

    JET_ERR err = table_current(t, &rec);
    if (err < 0)
        return err;
    struct span key = btree_cursor_key(t->cur);
    if (key.len > sizeof(t->copied.data))
        return JET_errDatabaseCorrupted;
    t->copied.len = (uint32_t)key.len;
    memcpy(t->copied.data, key.data, key.len);
    return recbuf_load(&t->copy, rec);
}

static JET_ERR
prepare_replace(struct table *t)
{
    JET_ERR err = copy_current(t);
    if (err >= 0 && t->schema->version) {
        struct rec_value v;
        err = record_get(recbuf_span(&t->copy), t->copy.large, t->schema->version, 1, &v);
        if (err >= 0)
            err = set_number(t, t->schema->version, v.null ? 1 : le32_get(v.data.data) + 1u);
    }
    return err;
}

static JET_ERR
prepare(struct table *t, uint32_t prep, enum prep *out)
{
    JET_ERR err = table_check_writable(t);
    if (err >= 0)
        err = ready_copy(t);
    if (err < 0)
        return err;
    switch (prep) {
    case JET_prepInsert:
        *out = PREP_INSERT;
        return number_record(t);
    case JET_prepReplace:
    case JET_prepReplaceNoLock:
        *out = PREP_REPLACE;
        return prepare_replace(t);
    case JET_prepInsertCopy:
    case JET_prepInsertCopyDeleteOriginal:
        *out = prep == JET_prepInsertCopy ? PREP_COPY : PREP_COPY_DELETE;
        err = copy_current(t);
        if (err >= 0 && *out == PREP_COPY)
            err = number_record(t);
        return err;
    case JET_prepInsertCopyReplaceOriginal:
        return JET_errFeatureNotAvailable;
    default:
        return JET_errInvalidParameter;
    }
}

JET_ERR
table_prepare_update(struct table *t, uint32_t prep)
{
    enum prep next = PREP_NONE;

    JET_ERR err = table_refresh(t);
    if (err < 0)
        return err;
    if (prep == JET_prepCancel) {
        if (t->prep == PREP_NONE)
            return JET_errUpdateNotPrepared;
        t->prep = PREP_NONE;
        return JET_errSuccess;
    }
    if (t->prep != PREP_NONE)
        return JET_errAlreadyPrepared;
    err = prepare(t, prep, &next);
    if (err < 0)
        return err;
    /* ESE locks here. A look is enough: who loses later loses in JetUpdate, and nothing is lost. */
    if (prep == JET_prepReplace)
        err = btree_check_write(t->cur);
    if (err < 0)
        return err;
    t->prep = next;
    return JET_errSuccess;
}

/* ---- setting ---- */

/* One value to set. */
struct setting {
    const struct column *c;
    const uint8_t *pv;
    uint32_t cb;
    JET_GRBIT grbit;
    uint32_t offset, itag;
};

static bool
is_null(const struct setting *s)
{
    return s->cb == 0 && !(s->grbit & (JET_bitSetZeroLength | SET_LV_GRBITS));
}

static JET_ERR
check_size(const struct setting *s)
{
    uint32_t size = coltyp_size(s->c->coltyp);

    if (is_null(s))
        return s->c->flags & COLUMN_NOT_NULL ? JET_errNullInvalid : JET_errSuccess;
    if (size)
        return s->cb == size ? JET_errSuccess : JET_errInvalidBufferSize;
    if (s->c->coltyp == JET_coltypLongText && s->c->cp == 1200 && s->cb % 2)
        return JET_errSuccess; /* ESE stores it as it is */
    if (s->c->cb_max && s->cb > s->c->cb_max)
        return JET_errColumnTooBig;
    return JET_errSuccess;
}

static JET_ERR
check_setting(const struct table *t, const struct setting *s)
{
    if (s->grbit & ~(JET_GRBIT)SET_GRBITS)
        return JET_errInvalidGrbit;
    if ((s->grbit & SET_LV_GRBITS) && !coltyp_is_long(s->c->coltyp))
        return JET_errInvalidGrbit;
    if (s->grbit & JET_bitSetSeparateLV)
        return JET_errFeatureNotAvailable; /* values are kept in their records */
    if (!s->pv && s->cb && !(s->grbit & JET_bitSetSizeLV))
        return JET_errInvalidParameter;
    if (s->c->flags & (COLUMN_VERSION | COLUMN_AUTOINC))
        return JET_errColumnNotUpdatable;
    if (s->c->flags & (COLUMN_ESCROW | COLUMN_ENCRYPTED))
        return JET_errFeatureNotAvailable;
    return s->grbit & SET_LV_GRBITS ? JET_errSuccess : check_size(s);
}

/* Does another value of the column equal this one? */
static JET_ERR
check_unique(const struct table *t, const struct setting *s, struct span data)
{
    struct rec_value v;
    bool fold = s->grbit & JET_bitSetUniqueNormalizedMultiValues;

    if (!(s->grbit & (JET_bitSetUniqueMultiValues | JET_bitSetUniqueNormalizedMultiValues)) ||
        !data.data)
        return JET_errSuccess;
    for (uint32_t i = 1;; i++) {
        JET_ERR err = record_get(recbuf_span(&t->copy), t->copy.large, s->c, i, &v);
        if (err < 0)
            return err;
        if (v.null)
            return JET_errSuccess;
        if (i == s->itag || v.data.len != data.len)
            continue;
        if (fold && coltyp_is_text(s->c->coltyp)
                ? g_ascii_strncasecmp((const char *)v.data.data, (const char *)data.data,
                                      data.len) == 0
                : span_cmp(v.data, data) == 0)
            return JET_errMultiValuedDuplicate;
    }
}

/* Append, overwrite, resize: the long value as it will be, in t->expanded. */
static JET_ERR
edit_long(struct table *t, const struct setting *s, struct span *data)
{
    struct rec_value v;

    JET_ERR err = record_get(recbuf_span(&t->copy), t->copy.large, s->c, s->itag, &v);
    if (err < 0)
        return err;
    if (v.separated || v.compressed)
        return JET_errFeatureNotAvailable;
    uint64_t old = v.data.len, at = s->grbit & JET_bitSetAppendLV ? old : s->offset, size;
    size = s->grbit & JET_bitSetSizeLV ? s->cb : at + s->cb;
    if ((s->grbit & JET_bitSetOverwriteLV) && !(s->grbit & JET_bitSetSizeLV) && size < old)
        size = old;
    if (at > old && !(s->grbit & JET_bitSetSizeLV))
        return JET_errColumnNoChunk;
    if (s->c->cb_max && size > s->c->cb_max)
        return JET_errColumnTooBig;
    if (size > t->copy.max)
        return JET_errRecordTooBig;
    if (t->expanded_cap < size + 1) {
        uint8_t *p = g_try_realloc(t->expanded, size + 1);
        if (!p)
            return JET_errOutOfMemory;
        t->expanded = p;
        t->expanded_cap = (uint32_t)size + 1;
    }
    memset(t->expanded, 0, size + 1);
    if (old)
        memcpy(t->expanded, v.data.data, MIN(old, size));
    if (s->pv && at < size)
        memcpy(t->expanded + at, s->pv, MIN(s->cb, size - at));
    *data = span_of(t->expanded, size);
    return JET_errSuccess;
}

static JET_ERR
set_one(struct table *t, const struct setting *s)
{
    static const uint8_t nothing[1];
    struct span data = span_of(s->cb ? s->pv : nothing, s->cb);
    uint8_t bit;

    JET_ERR err = check_setting(t, s);
    if (err < 0)
        return err;
    if (s->grbit & JET_bitSetRevertToDefaultValue)
        return column_is_tagged(s->c) ? recbuf_unset_tagged(&t->copy, s->c) : JET_errInvalidGrbit;
    if (s->grbit & SET_LV_GRBITS) {
        err = edit_long(t, s, &data);
    } else if (is_null(s)) {
        data = span_of(NULL, 0);
    } else if (s->c->coltyp == JET_coltypBit) {
        bit = s->pv[0] ? 0xff : 0;
        data = span_of(&bit, 1);
    }
    if (err >= 0)
        err = check_unique(t, s, data);
    if (err < 0)
        return err;
    return recbuf_set(&t->copy, t->schema, s->c, s->itag, data, s->c->def != NULL);
}

static JET_ERR
start_setting(struct table *t)
{
    JET_ERR err = table_refresh(t);
    if (err < 0)
        return err;
    return t->prep == PREP_NONE ? JET_errUpdateNotPrepared : JET_errSuccess;
}

static JET_ERR
set_by_id(struct table *t, JET_COLUMNID columnid, struct setting *s)
{
    s->c = schema_column(t->schema, columnid);
    if (!s->c)
        return columnid == 0 || columnid > COLUMN_TAGGED_MOST ? JET_errBadColumnId
                                                              : JET_errColumnNotFound;
    if (s->itag == 0 && !(s->c->flags & COLUMN_MULTIVALUED))
        s->itag = 1;
    if (s->itag > 1 && !(s->c->flags & COLUMN_MULTIVALUED))
        return JET_errBadItagSequence;
    return set_one(t, s);
}

JET_ERR
table_set_column(struct table *t, JET_COLUMNID columnid, const void *pv, uint32_t cb,
                 JET_GRBIT grbit, const JET_SETINFO *info)
{
    struct setting s = {
        NULL, pv, cb, grbit, info ? info->ibLongValue : 0, info ? info->itagSequence : 1};

    if (info && info->cbStruct < sizeof(*info))
        return JET_errInvalidParameter;
    JET_ERR err = start_setting(t);
    return err < 0 ? err : set_by_id(t, columnid, &s);
}

JET_ERR
table_set_columns(struct table *t, JET_SETCOLUMN *cols, uint32_t n)
{
    JET_ERR err = start_setting(t);
    if (err < 0)
        return err;
    for (uint32_t i = 0; i < n; i++) {
        struct setting s = {NULL,          cols[i].pvData,      cols[i].cbData,
                            cols[i].grbit, cols[i].ibLongValue, cols[i].itagSequence};
        cols[i].err = set_by_id(t, cols[i].columnid, &s);
        if (cols[i].err < 0)
            return cols[i].err;
    }
    return JET_errSuccess;
}

/* ---- writing ---- */

static JET_ERR
check_not_null(struct table *t)
{
    struct rec_value v;

    for (guint i = 0; i < t->schema->columns->len; i++) {
        const struct column *c = t->schema->columns->pdata[i];
        if (!(c->flags & COLUMN_NOT_NULL))
            continue;
        JET_ERR err = record_get(recbuf_span(&t->copy), t->copy.large, c, 1, &v);
        if (err < 0)
            return err;
        if (v.null && !(v.absent && c->def))
            return JET_errNullInvalid;
        /* fixed columns that are never null are always in the record */
        if (v.absent && column_is_fixed(c))
            err = recbuf_set(&t->copy, t->schema, c, 1, span_of(c->def, c->def_cb), false);
        if (err < 0)
            return err;
    }
    return JET_errSuccess;
}

static JET_ERR
make_bookmark(struct table *t, struct key *k)
{
    uint32_t number;

    if (t->schema->primary)
        return key_of_record(k, t->schema, t->schema->primary, recbuf_span(&t->copy), t->copy.large,
                             NULL);
    JET_ERR err = table_next_number(t, &number);
    if (err >= 0)
        key_of_number(k, number);
    return err;
}

static JET_ERR
insert(struct table *t, const struct key *k)
{
    if (!t->work) {
        JET_ERR err = btree_cursor_open(t->s, t->sh->tree, &t->work);
        if (err < 0)
            return err;
    }
    return btree_insert(t->work, key_span(k), recbuf_span(&t->copy));
}

/* Both or nothing: a transaction of its own around them. */
static JET_ERR
insert_delete(struct table *t, const struct key *k)
{
    JET_ERR err = session_begin(t->s, 0);
    if (err < 0)
        return err;
    err = btree_delete(t->cur);
    if (err >= 0)
        err = insert(t, k);
    if (err >= 0)
        return session_commit(t->s, 0, NULL);
    JET_ERR undo = session_rollback(t->s, 0);
    return undo < 0 ? undo : err;
}

static JET_ERR
replace(struct table *t, struct key *k)
{
    if (!t->schema->primary) {
        *k = t->copied;
    } else {
        JET_ERR err = key_of_record(k, t->schema, t->schema->primary, recbuf_span(&t->copy),
                                    t->copy.large, NULL);
        if (err < 0)
            return err;
        if (span_cmp(key_span(k), key_span(&t->copied)) != 0)
            return JET_errRecordPrimaryChanged;
    }
    return btree_replace(t->cur, recbuf_span(&t->copy));
}

static JET_ERR
write_record(struct table *t, struct key *k)
{
    JET_ERR err = table_check_writable(t);
    if (err >= 0)
        err = check_not_null(t);
    if (err < 0)
        return err;
    if (t->prep == PREP_REPLACE)
        return replace(t, k);
    err = make_bookmark(t, k);
    if (err < 0)
        return err;
    return t->prep == PREP_COPY_DELETE ? insert_delete(t, k) : insert(t, k);
}

JET_ERR
table_update(struct table *t, void *pv, uint32_t cb, uint32_t *actual, JET_GRBIT grbit)
{
    struct key k;

    if (grbit & ~(JET_GRBIT)JET_bitUpdateCheckESE97Compatibility)
        return JET_errInvalidGrbit;
    JET_ERR err = start_setting(t);
    if (err >= 0)
        err = write_record(t, &k);
    if (err < 0)
        return err;
    t->prep = PREP_NONE;
    if (actual)
        *actual = k.len;
    if (pv && cb)
        memcpy(pv, k.data, MIN(k.len, cb));
    return JET_errSuccess;
}

JET_ERR
table_delete_record(struct table *t)
{
    struct span rec;

    JET_ERR err = table_refresh(t);
    if (err >= 0)
        err = table_check_writable(t);
    if (err >= 0)
        err = table_current(t, &rec);
    if (err < 0)
        return err;
    t->prep = PREP_NONE;
    return btree_delete(t->cur);
}

JET_ERR
table_get_lock(struct table *t, JET_GRBIT grbit)
{
    struct span rec;

    if (!grbit || grbit & ~(JET_GRBIT)(JET_bitReadLock | JET_bitWriteLock))
        return JET_errInvalidGrbit;
    JET_ERR err = table_refresh(t);
    if (err < 0)
        return err;
    if (session_level(t->s) == 0)
        return JET_errNotInTransaction;
    if (grbit & JET_bitWriteLock) {
        err = table_check_writable(t);
        if (err < 0)
            return err;
    }
    err = table_current(t, &rec);
    /* a read lock keeps others from changing the record: the same intent does */
    return err < 0 ? err : btree_lock(t->cur);
}
