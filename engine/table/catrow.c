/* SPDX-License-Identifier: MIT */
#include "table/catrow.h"

#include <glib.h>
#include <string.h>

/* Column ids of MSysObjects. */
enum {
    C_OBJID_TABLE = 1,
    C_TYPE,
    C_ID,
    C_COLTYP,
    C_SPACE,
    C_FLAGS,
    C_PAGES,
    C_ROOT,
    C_OFFSET,
    C_LCMAP,
    C_KEY_MOST,
    C_LV_CHUNK,
    C_NAME = 128,
    C_STATS,
    C_TEMPLATE,
    C_DEFAULT,
    C_KEY_FIDS,
    C_VAR_SEG_MAC,
    C_CONDITIONAL,
    C_TUPLE,
    C_VERSION,
    C_SORTID,
    C_CALLBACK_DATA = 256,
    C_CALLBACK_DEPS,
    C_SEPARATE_LV,
    C_HINTS,
    C_LV_HINTS,
    C_LOCALE,
};

struct column_def {
    uint16_t id;
    uint8_t coltyp;
    uint8_t cb_max; /* 255 = text and binary, 0 = long */
    uint8_t flags;
    const char *name;
};

static const struct column_def objects_columns[] = {
    {C_OBJID_TABLE, JET_coltypLong, 4, COLUMN_NOT_NULL, "ObjidTable"},
    {C_TYPE, JET_coltypShort, 2, COLUMN_NOT_NULL, "Type"},
    {C_ID, JET_coltypLong, 4, COLUMN_NOT_NULL, "Id"},
    {C_COLTYP, JET_coltypLong, 4, COLUMN_NOT_NULL, "ColtypOrPgnoFDP"},
    {C_SPACE, JET_coltypLong, 4, COLUMN_NOT_NULL, "SpaceUsage"},
    {C_FLAGS, JET_coltypLong, 4, COLUMN_NOT_NULL, "Flags"},
    {C_PAGES, JET_coltypLong, 4, COLUMN_NOT_NULL, "PagesOrLocale"},
    {C_ROOT, JET_coltypBit, 1, 0, "RootFlag"},
    {C_OFFSET, JET_coltypShort, 2, 0, "RecordOffset"},
    {C_LCMAP, JET_coltypLong, 4, 0, "LCMapFlags"},
    {C_KEY_MOST, JET_coltypUnsignedShort, 2, 0, "KeyMost"},
    {C_LV_CHUNK, JET_coltypLong, 4, 0, "LVChunkMax"},
    {C_NAME, JET_coltypText, 255, COLUMN_NOT_NULL, "Name"},
    {C_STATS, JET_coltypBinary, 255, 0, "Stats"},
    {C_TEMPLATE, JET_coltypText, 255, 0, "TemplateTable"},
    {C_DEFAULT, JET_coltypBinary, 255, 0, "DefaultValue"},
    {C_KEY_FIDS, JET_coltypBinary, 255, 0, "KeyFldIDs"},
    {C_VAR_SEG_MAC, JET_coltypBinary, 255, 0, "VarSegMac"},
    {C_CONDITIONAL, JET_coltypBinary, 255, 0, "ConditionalColumns"},
    {C_TUPLE, JET_coltypBinary, 255, 0, "TupleLimits"},
    {C_VERSION, JET_coltypBinary, 255, 0, "Version"},
    {C_SORTID, JET_coltypBinary, 255, 0, "SortID"},
    {C_CALLBACK_DATA, JET_coltypLongBinary, 0, 0, "CallbackData"},
    {C_CALLBACK_DEPS, JET_coltypLongBinary, 0, 0, "CallbackDependencies"},
    {C_SEPARATE_LV, JET_coltypLongBinary, 0, 0, "SeparateLV"},
    {C_HINTS, JET_coltypLongBinary, 0, 0, "SpaceHints"},
    {C_LV_HINTS, JET_coltypLongBinary, 0, 0, "SpaceDeferredLVHints"},
    {C_LOCALE, JET_coltypLongBinary, 0, 0, "LocaleName"},
};

static const struct column_def objids_columns[] = {
    {256, JET_coltypLong, 4, 0, "objid"},
    {257, JET_coltypLong, 4, 0, "objidTable"},
    {258, JET_coltypShort, 2, 0, "type"},
};

static const struct column_def locales_columns[] = {
    {1, JET_coltypUnsignedByte, 1, COLUMN_NOT_NULL, "Type"},
    {2, JET_coltypLong, 4, COLUMN_DEFAULT | COLUMN_ESCROW, "iValue"},
    {128, JET_coltypBinary, 255, 0, "Key"},
};

struct table_def {
    uint32_t objid, pgno, density, flags, pages;
    const char *name;
    const struct column_def *columns;
    uint32_t n_columns;
    uint16_t cp; /* of all columns, text or not */
};

static const struct table_def tables[] = {
    {OBJID_OBJECTS, PGNO_OBJECTS, 80, TABLE_SYSTEM | TABLE_FIXED_DDL, 20, "MSysObjects",
     objects_columns, G_N_ELEMENTS(objects_columns), 1252},
    {OBJID_SHADOW, PGNO_SHADOW, 80, TABLE_SYSTEM | TABLE_FIXED_DDL, 5, "MSysObjectsShadow",
     objects_columns, G_N_ELEMENTS(objects_columns), 1252},
    {OBJID_OBJIDS, PGNO_OBJIDS, 100, TABLE_SYSTEM | TABLE_FIXED_DDL | TABLE_SYSTEM_DYNAMIC, 0,
     "MSysObjids", objids_columns, G_N_ELEMENTS(objids_columns), 0},
    {OBJID_LOCALES, PGNO_LOCALES, 92, TABLE_SYSTEM | TABLE_SYSTEM_DYNAMIC, 0, "MSysLocales",
     locales_columns, G_N_ELEMENTS(locales_columns), 0},
};

struct index_def {
    uint32_t objid_table, objid, pgno, density, flags;
    const char *name;
    uint16_t columns[4]; /* 0 ends */
};

static const struct index_def indexes[] = {
    {OBJID_OBJECTS, OBJID_OBJECTS, PGNO_OBJECTS, 80, 0x10031, "Id", {C_OBJID_TABLE, C_TYPE, C_ID}},
    {OBJID_OBJECTS, OBJID_NAME, PGNO_NAME, 80, 0x10011, "Name", {C_OBJID_TABLE, C_TYPE, C_NAME}},
    {OBJID_OBJECTS, OBJID_ROOTS, PGNO_ROOTS, 80, 0x10009, "RootObjects", {C_ROOT, C_NAME}},
    {OBJID_SHADOW, OBJID_SHADOW, PGNO_SHADOW, 80, 0x10031, "Id", {C_OBJID_TABLE, C_TYPE, C_ID}},
    {OBJID_OBJIDS, OBJID_OBJIDS, PGNO_OBJIDS, 100, 0x1002f, "primary", {256}},
    {OBJID_LOCALES, OBJID_LOCALES, PGNO_LOCALES, 92, 0x1402f, "KeyPrimary", {128}},
};

static const uint8_t zero4[4];

/* UTF-16 "en-US", what index rows have for a locale. */
static const uint8_t locale_en_us[] = {'e', 0, 'n', 0, '-', 0, 'U', 0, 'S', 0};

/* ---- the catalog's own schemas ---- */

static void
add_columns(struct schema *sc, const struct table_def *t)
{
    uint16_t offset = 4;

    for (uint32_t i = 0; i < t->n_columns; i++) {
        struct column *c = g_new0(struct column, 1);
        c->id = t->columns[i].id;
        c->coltyp = t->columns[i].coltyp;
        c->cb_max = t->columns[i].cb_max;
        c->flags = t->columns[i].flags;
        c->cp = coltyp_is_text(c->coltyp) ? 1252 : 0;
        c->name = g_strdup(t->columns[i].name);
        if (column_is_fixed(c)) {
            c->offset = offset;
            offset += (uint16_t)column_size(c);
        }
        if (c->flags & COLUMN_DEFAULT) {
            c->def = g_memdup2(zero4, sizeof(zero4));
            c->def_cb = sizeof(zero4);
        }
        schema_add_column(sc, c);
    }
}

static struct schema *
make_schema(const struct table_def *t)
{
    struct schema *sc = schema_new();

    sc->name = g_strdup(t->name);
    sc->objid = t->objid;
    sc->pgno_fdp = t->pgno;
    sc->flags = t->flags;
    sc->density = t->density;
    add_columns(sc, t);
    for (size_t i = 0; i < G_N_ELEMENTS(indexes); i++) {
        if (indexes[i].objid_table != t->objid)
            continue;
        struct index *ix = g_new0(struct index, 1);
        ix->name = g_strdup(indexes[i].name);
        ix->objid = indexes[i].objid;
        ix->pgno_fdp = indexes[i].pgno;
        ix->flags = indexes[i].flags;
        ix->density = indexes[i].density;
        ix->key_most = KEY_MOST_DEFAULT;
        for (; indexes[i].columns[ix->n_segments]; ix->n_segments++)
            ix->segments[ix->n_segments].column = indexes[i].columns[ix->n_segments];
        schema_add_index(sc, ix);
    }
    JET_ERR err = schema_finish(sc);
    g_assert(err >= 0);
    return sc;
}

static const struct schema *
schema_once(gsize *once, const struct table_def *t)
{
    if (g_once_init_enter(once))
        g_once_init_leave(once, (gsize)make_schema(t));
    return (const struct schema *)*once;
}

const struct schema *
cat_schema_objects(void)
{
    static gsize once;
    return schema_once(&once, &tables[0]);
}

const struct schema *
cat_schema_objids(void)
{
    static gsize once;
    return schema_once(&once, &tables[2]);
}

const struct schema *
cat_schema_locales(void)
{
    static gsize once;
    return schema_once(&once, &tables[3]);
}

const struct index *
cat_index_name(void)
{
    return schema_index_named(cat_schema_objects(), "Name");
}

const struct index *
cat_index_roots(void)
{
    return schema_index_named(cat_schema_objects(), "RootObjects");
}

/* ---- decode ---- */

static JET_ERR
get(struct span rec, bool large, uint32_t id, struct span *value)
{
    struct rec_value v;

    JET_ERR err = record_get(rec, large, schema_column(cat_schema_objects(), id), 1, &v);
    *value = v.null || v.separated || v.compressed ? span_of(NULL, 0) : v.data;
    return err;
}

static uint32_t
number(struct span v)
{
    switch (v.len) {
    case 1:
        return v.data[0];
    case 2:
        return le16_get(v.data);
    case 4:
        return le32_get(v.data);
    default:
        return 0;
    }
}

static JET_ERR
get_numbers(struct span rec, bool large, struct cat_row *row)
{
    uint32_t *must[] = {
        &row->objid_table,    NULL, &row->id, &row->coltyp_or_pgno, &row->space_usage, &row->flags,
        &row->pages_or_locale};
    struct opt *may[] = {&row->record_offset, &row->lcmap, &row->key_most, &row->lv_chunk};
    struct span v;

    for (uint32_t i = 0; i < G_N_ELEMENTS(must); i++) {
        if (get(rec, large, C_OBJID_TABLE + i, &v) < 0 || !v.data)
            return JET_errCatalogCorrupted;
        if (must[i])
            *must[i] = number(v);
        else
            row->type = (enum cat_type)number(v);
    }
    for (uint32_t i = 0; i < G_N_ELEMENTS(may); i++) {
        if (get(rec, large, C_OFFSET + i, &v) < 0)
            return JET_errCatalogCorrupted;
        *may[i] = (struct opt) {v.data != NULL, number(v)};
    }
    if (get(rec, large, C_ROOT, &v) < 0)
        return JET_errCatalogCorrupted;
    row->root_flag = v.data && v.data[0];
    return JET_errSuccess;
}

JET_ERR
cat_row_decode(struct span rec, bool large, struct cat_row *row)
{
    static const uint16_t ids[] = {C_TEMPLATE, C_DEFAULT, C_KEY_FIDS, C_VAR_SEG_MAC,
                                   C_VERSION,  C_SORTID,  C_LOCALE};
    struct span *spans[] = {&row->template_name, &row->def,    &row->key_fids, &row->var_seg_mac,
                            &row->version,       &row->sortid, &row->locale};
    struct span v;

    *row = (struct cat_row) {0};
    if (record_check(rec, large) < 0 || get_numbers(rec, large, row) < 0)
        return JET_errCatalogCorrupted;
    if (get(rec, large, C_NAME, &v) < 0 || !v.data || v.len > 255)
        return JET_errCatalogCorrupted;
    memcpy(row->name, v.data, v.len);
    for (uint32_t i = 0; i < G_N_ELEMENTS(ids); i++)
        if (get(rec, large, ids[i], spans[i]) < 0)
            return JET_errCatalogCorrupted;
    return JET_errSuccess;
}

/* ---- encode ---- */

/* Sets columns until the first error. */
struct setter {
    struct recbuf *b;
    const struct schema *sc;
    JET_ERR err;
};

static void
set_bytes(struct setter *s, uint32_t id, struct span v)
{
    if (s->err >= 0 && v.data)
        s->err = recbuf_set(s->b, s->sc, schema_column(s->sc, id), 1, v, false);
}

static void
set_number(struct setter *s, uint32_t id, uint32_t value)
{
    uint8_t bytes[4];

    le32_put(bytes, value);
    set_bytes(s, id, span_of(bytes, coltyp_size(schema_column(s->sc, id)->coltyp)));
}

static void
set_opt(struct setter *s, uint32_t id, struct opt value)
{
    if (value.set)
        set_number(s, id, value.value);
}

JET_ERR
cat_row_encode(const struct cat_row *row, struct recbuf *b)
{
    struct setter s = {b, cat_schema_objects(), JET_errSuccess};

    recbuf_reset(b);
    set_number(&s, C_OBJID_TABLE, row->objid_table);
    set_number(&s, C_TYPE, row->type);
    set_number(&s, C_ID, row->id);
    set_number(&s, C_COLTYP, row->coltyp_or_pgno);
    set_number(&s, C_SPACE, row->space_usage);
    set_number(&s, C_FLAGS, row->flags);
    set_number(&s, C_PAGES, row->pages_or_locale);
    if (row->root_flag)
        set_number(&s, C_ROOT, 0xff);
    set_opt(&s, C_OFFSET, row->record_offset);
    set_opt(&s, C_LCMAP, row->lcmap);
    set_opt(&s, C_KEY_MOST, row->key_most);
    set_opt(&s, C_LV_CHUNK, row->lv_chunk);
    set_bytes(&s, C_NAME, span_of(row->name, strlen(row->name)));
    set_bytes(&s, C_TEMPLATE, row->template_name);
    set_bytes(&s, C_DEFAULT, row->def);
    set_bytes(&s, C_KEY_FIDS, row->key_fids);
    set_bytes(&s, C_VAR_SEG_MAC, row->var_seg_mac);
    set_bytes(&s, C_VERSION, row->version);
    set_bytes(&s, C_SORTID, row->sortid);
    set_bytes(&s, C_LOCALE, row->locale);
    return s.err;
}

/* ---- keys ---- */

static void
append_number(struct key *k, uint32_t id, uint32_t value)
{
    const struct schema *sc = cat_schema_objects();
    const struct column *c = schema_column(sc, id);
    uint8_t bytes[4];

    le32_put(bytes, value);
    (void)key_append(k, sc->primary, c, false, span_of(bytes, column_size(c)));
}

static void
append_name(struct key *k, const char *name)
{
    const struct schema *sc = cat_schema_objects();

    (void)key_append(k, sc->primary, schema_column(sc, C_NAME), false, span_of(name, strlen(name)));
}

void
cat_prefix_key(uint32_t objid_table, uint32_t type, struct key *k)
{
    k->len = 0;
    k->cut = false;
    append_number(k, C_OBJID_TABLE, objid_table);
    if (type)
        append_number(k, C_TYPE, type);
}

void
cat_row_key(const struct cat_row *row, struct key *k)
{
    cat_prefix_key(row->objid_table, row->type, k);
    append_number(k, C_ID, row->id);
}

void
cat_row_name_key(const struct cat_row *row, struct key *k)
{
    cat_prefix_key(row->objid_table, row->type, k);
    append_name(k, row->name);
}

void
cat_row_roots_key(const struct cat_row *row, struct key *k)
{
    k->len = 0;
    k->cut = false;
    append_number(k, C_ROOT, 0xff);
    append_name(k, row->name);
}

/* ---- rows of a new database ---- */

static void
table_row(const struct table_def *t, struct cat_row *row)
{
    *row = (struct cat_row) {.objid_table = t->objid,
                             .type = CAT_TABLE,
                             .id = t->objid,
                             .coltyp_or_pgno = t->pgno,
                             .space_usage = t->density,
                             .flags = t->flags,
                             .pages_or_locale = t->pages,
                             .root_flag = true};
    g_strlcpy(row->name, t->name, sizeof(row->name));
}

static void
column_row(const struct table_def *t, uint32_t i, struct cat_row *row)
{
    const struct column_def *d = &t->columns[i];
    bool catalog = t->cp != 0;

    *row = (struct cat_row) {.objid_table = t->objid,
                             .type = CAT_COLUMN,
                             .id = d->id,
                             .coltyp_or_pgno = d->coltyp,
                             .space_usage = d->cb_max,
                             .flags = d->flags,
                             .pages_or_locale = t->cp};
    if (d->id <= COLUMN_FIXED_MOST) /* ESE does not keep the offsets of its own catalog up */
        row->record_offset = (struct opt) {true, catalog ? 4 : 3u + d->id};
    if (d->flags & COLUMN_DEFAULT)
        row->def = span_of(zero4, sizeof(zero4));
    g_strlcpy(row->name, d->name, sizeof(row->name));
}

static void
index_row(const struct index_def *d, struct cat_row *row)
{
    static const uint8_t fids[G_N_ELEMENTS(indexes)][12] = {
        {0, 0, C_OBJID_TABLE, 0, 0, 0, C_TYPE, 0, 0, 0, C_ID, 0},
        {0, 0, C_OBJID_TABLE, 0, 0, 0, C_TYPE, 0, 0, 0, C_NAME, 0},
        {0, 0, C_ROOT, 0, 0, 0, C_NAME, 0},
        {0, 0, C_OBJID_TABLE, 0, 0, 0, C_TYPE, 0, 0, 0, C_ID, 0},
        {0, 0, 0, 1},
        {0, 0, 128, 0},
    };
    uint32_t n = 0;

    while (d->columns[n])
        n++;
    *row = (struct cat_row) {.objid_table = d->objid_table,
                             .type = CAT_INDEX,
                             .id = d->objid,
                             .coltyp_or_pgno = d->pgno,
                             .space_usage = d->density,
                             .flags = d->flags,
                             .lcmap = {true, LCMAP_DEFAULT},
                             .key_fids = span_of(fids[d - indexes], 4 * n),
                             .locale = span_of(locale_en_us, sizeof(locale_en_us))};
    g_strlcpy(row->name, d->name, sizeof(row->name));
}

bool
cat_bootstrap_row(uint32_t i, struct cat_row *row)
{
    for (size_t t = 0; t < G_N_ELEMENTS(tables); t++) {
        if (i == 0) {
            table_row(&tables[t], row);
            return true;
        }
        i--;
        if (i < tables[t].n_columns) {
            column_row(&tables[t], i, row);
            return true;
        }
        i -= tables[t].n_columns;
        for (size_t x = 0; x < G_N_ELEMENTS(indexes); x++) {
            if (indexes[x].objid_table != tables[t].objid)
                continue;
            if (i-- == 0) {
                index_row(&indexes[x], row);
                return true;
            }
        }
    }
    return false;
}

JET_ERR
cat_objid_encode(uint32_t objid, uint32_t objid_table, enum cat_type type, struct recbuf *b,
                 struct key *k)
{
    struct setter s = {b, cat_schema_objids(), JET_errSuccess};

    recbuf_reset(b);
    set_number(&s, 256, objid);
    set_number(&s, 257, objid_table);
    set_number(&s, 258, type);
    if (s.err < 0)
        return s.err;
    return key_of_record(k, s.sc, s.sc->primary, recbuf_span(b), b->large, NULL);
}

bool
cat_locale_row(uint32_t i, struct recbuf *b, struct key *k, JET_ERR *err)
{
    static const struct {
        uint8_t type;
        uint8_t value;
        const char *key;
    } rows[] = {
        {1, 1, ".Schema\\External\\Major"},  {1, 0, ".Schema\\External\\Minor"},
        {1, 0, ".Schema\\External\\Update"}, {1, 1, ".Schema\\Internal\\Major"},
        {1, 0, ".Schema\\Internal\\Minor"},  {1, 0, ".Schema\\Internal\\Update"},
        {2, 1, "MSysLocalesConsistent"},
    };
    struct setter s = {b, cat_schema_locales(), JET_errSuccess};
    uint8_t text[64] = {0};

    if (i >= G_N_ELEMENTS(rows))
        return false;
    size_t n = strlen(rows[i].key) + 1; /* with its NUL */
    for (size_t c = 0; c < n; c++)
        text[2 * c] = (uint8_t)rows[i].key[c];
    recbuf_reset(b);
    set_number(&s, 1, rows[i].type);
    set_number(&s, 2, rows[i].value);
    set_bytes(&s, 128, span_of(text, 2 * n));
    *err = s.err;
    if (s.err >= 0)
        *err = key_of_record(k, s.sc, s.sc->primary, recbuf_span(b), b->large, NULL);
    return true;
}

/* ---- rows and schemas ---- */

static JET_ERR
column_from_row(const struct cat_row *row, struct schema *sc)
{
    const struct schema *own = cat_schema_objects();
    const struct column *known = sc->objid <= OBJID_SHADOW ? schema_column(own, row->id) : NULL;
    struct column *c = g_new0(struct column, 1);

    c->id = row->id;
    c->coltyp = row->coltyp_or_pgno;
    c->flags = row->flags;
    c->cb_max = row->space_usage;
    c->cp = coltyp_is_text(c->coltyp) ? (uint16_t)row->pages_or_locale : 0;
    c->offset = known ? known->offset : (uint16_t)row->record_offset.value;
    if (sc->objid <= OBJID_SHADOW && row->id == 13)
        c->offset = 43; /* newer formats; offsets of the catalog itself are not kept up */
    c->name = g_strdup(row->name);
    if (row->def.data && (c->flags & COLUMN_DEFAULT)) {
        c->def = g_malloc0(row->def.len + 1); /* not NULL for an empty default */
        c->def_cb = (uint32_t)row->def.len;
        memcpy(c->def, row->def.data, row->def.len);
    }
    schema_add_column(sc, c);
    return JET_errSuccess;
}

static bool
is_foreign(const struct cat_row *row)
{
    struct span version = span_of(key_unicode_version, sizeof(key_unicode_version));
    struct span sortid = span_of(key_unicode_sortid, sizeof(key_unicode_sortid));

    return (row->flags & INDEX_LOCALIZED) &&
           (span_cmp(row->version, version) != 0 || span_cmp(row->sortid, sortid) != 0);
}

/* KeyFldIDs: 4 bytes {flags, 0, u16 id}, in old files a signed u16 (negative = descending). */
static JET_ERR
segments_from_row(const struct cat_row *row, struct index *ix)
{
    struct cursor c = cursor_over(row->key_fids.data, row->key_fids.len);

    while (c.left && ix->n_segments < INDEX_SEGMENTS_MAX) {
        struct segment *seg = &ix->segments[ix->n_segments++];
        if (row->flags & INDEX_EXTENDED) {
            seg->flags = cursor_u8(&c);
            cursor_u8(&c);
            seg->column = cursor_u16(&c);
        } else {
            int16_t id = (int16_t)cursor_u16(&c);
            seg->flags = id < 0 ? SEGMENT_DESCENDING : 0;
            seg->column = (uint16_t)(id < 0 ? -id : id);
        }
    }
    return c.bad || c.left || !ix->n_segments ? JET_errCatalogCorrupted : JET_errSuccess;
}

static JET_ERR
index_from_row(const struct cat_row *row, struct schema *sc)
{
    struct index *ix = g_new0(struct index, 1);

    ix->name = g_strdup(row->name);
    ix->objid = row->id;
    ix->pgno_fdp = row->coltyp_or_pgno;
    ix->flags = row->flags;
    ix->density = row->space_usage;
    ix->key_most = row->key_most.set ? row->key_most.value : KEY_MOST_DEFAULT;
    if (row->var_seg_mac.len == 2)
        ix->var_seg_mac = le16_get(row->var_seg_mac.data);
    ix->foreign_unicode = is_foreign(row);
    if (segments_from_row(row, ix) < 0 || ix->key_most == 0 || ix->key_most > KEY_MOST_MAX) {
        index_free(ix);
        return JET_errCatalogCorrupted;
    }
    schema_add_index(sc, ix);
    return JET_errSuccess;
}

JET_ERR
cat_row_to_schema(const struct cat_row *row, struct schema *sc)
{
    switch (row->type) {
    case CAT_TABLE:
        if (sc->name)
            return JET_errCatalogCorrupted;
        sc->name = g_strdup(row->name);
        sc->objid = row->id;
        sc->pgno_fdp = row->coltyp_or_pgno;
        sc->flags = row->flags;
        sc->density = row->space_usage;
        sc->pages = row->pages_or_locale;
        sc->lv_chunk = row->lv_chunk.set ? row->lv_chunk.value : 0;
        return JET_errSuccess;
    case CAT_COLUMN:
        return column_from_row(row, sc);
    case CAT_INDEX:
        return index_from_row(row, sc);
    case CAT_LV:
        sc->lv_pgno = row->coltyp_or_pgno;
        return JET_errSuccess;
    default:
        return JET_errSuccess;
    }
}

void
cat_row_of_column(const struct column *c, uint32_t objid_table, struct cat_row *row)
{
    *row = (struct cat_row) {.objid_table = objid_table,
                             .type = CAT_COLUMN,
                             .id = c->id,
                             .coltyp_or_pgno = c->coltyp,
                             .space_usage = c->cb_max,
                             .flags = c->flags,
                             .pages_or_locale = c->cp};
    if (column_is_fixed(c))
        row->record_offset = (struct opt) {true, c->offset};
    if (c->def)
        row->def = span_of(c->def, c->def_cb);
    g_strlcpy(row->name, c->name, sizeof(row->name));
}

void
cat_row_of_index(const struct index *ix, uint32_t objid_table, uint8_t key_fids[64],
                 struct cat_row *row)
{
    *row = (struct cat_row) {.objid_table = objid_table,
                             .type = CAT_INDEX,
                             .id = ix->objid,
                             .coltyp_or_pgno = ix->pgno_fdp,
                             .space_usage = ix->density,
                             .flags = ix->flags,
                             .lcmap = {true, LCMAP_DEFAULT},
                             .key_fids = span_of(key_fids, 4 * (size_t)ix->n_segments),
                             .locale = span_of(locale_en_us, sizeof(locale_en_us))};
    for (uint32_t i = 0; i < ix->n_segments; i++) {
        key_fids[4 * i] = ix->segments[i].flags;
        key_fids[4 * i + 1] = 0;
        le16_put(key_fids + 4 * i + 2, ix->segments[i].column);
    }
    if (ix->key_most != KEY_MOST_DEFAULT)
        row->key_most = (struct opt) {true, ix->key_most};
    if (ix->flags & INDEX_LOCALIZED) {
        row->version = span_of(key_unicode_version, sizeof(key_unicode_version));
        row->sortid = span_of(key_unicode_sortid, sizeof(key_unicode_sortid));
    }
    g_strlcpy(row->name, ix->name, sizeof(row->name));
}
