/* SPDX-License-Identifier: MIT */
/*
 * catalog: the trees of the catalog, and what all cursors of one table share.
 *
 * Rows are ordinary records, so DDL is transactional. Each row goes to MSysObjects, its shadow
 * (unless the header says shadowing is off) and the Name index; table rows to RootObjects; tables
 * to MSysObjids.
 *
 * struct table_shared stands for one table of one database; it lives until the database closes (and
 * no change waits for its end). Its schema version rises with each change of definition, with its
 * rollback, and again when every snapshot can see it (cleanup); while a change is unsettled,
 * cursors read the catalog anew per snapshot.
 *
 * Locks: tdb.lock guards the map of tables; shared.lock its own fields. Both are innermost here:
 * nothing below is called under tdb.lock; under shared.lock only the first scan for counters is.
 */
#pragma once

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "esent.h"
#include "table/catrow.h"
#include "table/schema.h"

struct btree;
struct btree_db;
struct session;
struct table;

struct table_db {
    struct btree_db *trees;
    struct btree *objects, *shadow, *name, *roots, *objids; /* shadow, objids: NULL when not kept */
    bool large;
    uint32_t page_bytes;
    GMutex lock;
    GHashTable *tables; /* objid -> struct table_shared */
    _Atomic uint32_t open_count;
};

struct table_shared {
    _Atomic uint32_t refs; /* the map's, and one per unsettled change */
    uint32_t objid;
    _Atomic uint32_t version, unsettled;
    GMutex lock;
    /* under lock */
    struct btree *tree; /* open while a struct table is */
    bool dead;          /* its creation was rolled back, or it is being deleted */
    GPtrArray *open;    /* struct table */
    struct table *deny_read, *deny_write;
    bool autoinc_known, number_known;
    uint64_t autoinc; /* last given out */
    uint32_t number;  /* last record number given out (no primary index) */
};

/* The rows of a table become its schema, as the session sees them. JET_errObjectNotFound. */
JET_ERR catalog_load(struct session *s, struct table_db *tdb, uint32_t objid, struct schema **out);

/* JET_errObjectNotFound. */
JET_ERR catalog_find(struct session *s, struct table_db *tdb, const char *name, uint32_t *objid);

/* Inserts a row everywhere. JET_errTableDuplicate, JET_errColumnDuplicate, JET_errIndexDuplicate.
 */
JET_ERR catalog_insert(struct session *s, struct table_db *tdb, const struct cat_row *row);

/* Deletes all rows of a table everywhere. */
JET_ERR catalog_delete_table(struct session *s, struct table_db *tdb, uint32_t objid);

/* The object of this table, made when needed; not counted. */
struct table_shared *catalog_shared(struct table_db *tdb, uint32_t objid);

/* A definition has changed in the session's current level: cursors look again. */
void catalog_changed(struct session *s, struct table_shared *sh);

/* The table was made in the current level: rollback makes the object dead. Deleted: it is dead now,
 * rollback brings it back. */
void catalog_created(struct session *s, struct table_shared *sh);
void catalog_deleted(struct session *s, struct table_shared *sh);
