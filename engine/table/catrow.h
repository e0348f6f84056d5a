/* SPDX-License-Identifier: MIT */
/*
 * catrow: rows of MSysObjects and its kin as values: encode, decode, keys, the rows every database
 * is born with, and how rows become a schema. Pure; the trees are catalog.c's.
 *
 * One row per table, column, index, long value tree (edb format 5). A table's rows lie together in
 * key order: the table, its columns by id, its indexes by objid, its LV tree. Both catalog tables
 * and all their indexes are described here as schemas, so that the ordinary record and key codecs
 * serve them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "esent.h"
#include "table/key.h"
#include "table/record.h"
#include "table/schema.h"

#define OBJID_ROOT    1u
#define OBJID_OBJECTS 2u
#define OBJID_SHADOW  3u
#define OBJID_NAME    4u
#define OBJID_ROOTS   5u
#define OBJID_OBJIDS  6u
#define OBJID_LOCALES 7u
#define OBJID_USER    8u /* first of users */

/* Fixed places. OBJIDS and LOCALES are ours: trees of several extents, where ESE has single pages
 * 29, 30. */
#define PGNO_OBJECTS        4u
#define PGNO_NAME           7u
#define PGNO_ROOTS          10u
#define PGNO_SHADOW         24u
#define PGNO_OBJIDS         29u
#define PGNO_LOCALES        32u
#define PGNO_BOOTSTRAP_LAST 34u

enum cat_type { CAT_TABLE = 1, CAT_COLUMN = 2, CAT_INDEX = 3, CAT_LV = 4, CAT_CALLBACK = 5 };

#define LCMAP_DEFAULT 0x30401u

/* An optional number. */
struct opt {
    bool set;
    uint32_t value;
};

struct cat_row {
    uint32_t objid_table;
    enum cat_type type;
    uint32_t id;
    uint32_t coltyp_or_pgno;
    uint32_t space_usage;
    uint32_t flags;
    uint32_t pages_or_locale;
    bool root_flag;
    struct opt record_offset, lcmap, key_most, lv_chunk;
    char name[256];
    /* into the record, or the caller's; data NULL = null */
    struct span template_name, def, key_fids, var_seg_mac, version, sortid, locale;
};

/* MSysObjects, shadow, MSysObjids, MSysLocales; static, with primary index. */
const struct schema *cat_schema_objects(void);
const struct schema *cat_schema_objids(void);
const struct schema *cat_schema_locales(void);
/* Secondary indexes of MSysObjects: Name, RootObjects. */
const struct index *cat_index_name(void);
const struct index *cat_index_roots(void);

/* JET_errCatalogCorrupted. Spans point into rec. */
JET_ERR cat_row_decode(struct span rec, bool large, struct cat_row *row);

/* b is reset first. JET_errRecordTooBig. */
JET_ERR cat_row_encode(const struct cat_row *row, struct recbuf *b);

/* Keys of a row: Id (primary), Name, RootObjects (tables only). */
void cat_row_key(const struct cat_row *row, struct key *k);
void cat_row_name_key(const struct cat_row *row, struct key *k);
void cat_row_roots_key(const struct cat_row *row, struct key *k);

/* Prefix of the Id key: all rows of a table, all of one type. type 0 = any. */
void cat_prefix_key(uint32_t objid_table, uint32_t type, struct key *k);

/* The i-th row of a new database in key order; false past the last. */
bool cat_bootstrap_row(uint32_t i, struct cat_row *row);

/* One row of MSysObjids: JET_errRecordTooBig cannot happen. */
JET_ERR cat_objid_encode(uint32_t objid, uint32_t objid_table, enum cat_type type, struct recbuf *b,
                         struct key *k);

/* The i-th row of MSysLocales in a new database, in key order; false past the last. */
bool cat_locale_row(uint32_t i, struct recbuf *b, struct key *k, JET_ERR *err);

/* Puts what a row of the table says into its schema. JET_errCatalogCorrupted, JET_errOutOfMemory.
 */
JET_ERR cat_row_to_schema(const struct cat_row *row, struct schema *sc);

/* The row of a column / index of table objid; spans point into c, ix, or key_fids[64]. */
void cat_row_of_column(const struct column *c, uint32_t objid_table, struct cat_row *row);
void cat_row_of_index(const struct index *ix, uint32_t objid_table, uint8_t key_fids[64],
                      struct cat_row *row);
