/* SPDX-License-Identifier: MIT */
/*
 * open: an open table: what its functions share.
 *
 * Where the cursor is:
 *
 *   on a record       on = true; the record may be gone by now (RecordDeleted)
 *   off               on = false, beyond = 0: before first, after last, or between records
 *   outside the range on = false, beyond = -1 / +1: just past its end; moving on stays there
 *
 * Update: PREP_NONE -> table_prepare_update -> one of the others -> table_update, Cancel, or any
 * move
 * -> PREP_NONE. The copy buffer holds the record as it will be.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "btree/btree.h"
#include "esent.h"
#include "table/catalog.h"
#include "table/key.h"
#include "table/record.h"
#include "table/table.h"

enum prep { PREP_NONE, PREP_INSERT, PREP_REPLACE, PREP_COPY, PREP_COPY_DELETE };

struct table {
    struct session *s;
    struct table_db *tdb;
    struct table_shared *sh;
    struct schema *schema;
    uint32_t schema_version; /* sh->version when it was read */
    uint32_t schema_snapshot;
    bool schema_settled;
    JET_GRBIT grbit; /* of table_open */

    struct btree_cursor *cur;  /* the position; NULL after the tree has gone */
    struct btree_cursor *work; /* inserts; made when needed */
    bool on;
    int beyond;

    struct key search;
    uint32_t search_segments; /* 0 = no key made */
    bool search_complete;     /* a limit was made, or a normalized key: nothing can follow */

    bool range_active, range_upper, range_inclusive;
    struct key range;

    enum prep prep;
    struct recbuf copy; /* data NULL until first used */
    struct key copied;  /* bookmark of the record that is replaced */
    uint8_t *expanded;  /* room for a value out of its record */
    uint32_t expanded_cap;
};

/* Reads the definition again if it may have changed. JET_errInvalidTableId: the table is no more.
 */
JET_ERR table_refresh(struct table *t);

/* The table's tree goes: cursors are closed, the position is lost. */
void table_drop_cursors(struct table *t);

/* Cancels an update in preparation, and the index range. */
void table_cancel(struct table *t);

/* JET_errPermissionDenied, JET_errNotInTransaction, JET_errFeatureNotAvailable,
 * JET_errPrimaryIndexCorrupted (keys of the primary index cannot be made here). */
JET_ERR table_check_writable(struct table *t);

/* JET_errNoCurrentRecord, JET_errRecordDeleted, else *rec is the record as seen now. */
JET_ERR table_current(struct table *t, struct span *rec);

/* Key limit of the primary index; 4 without. */
uint32_t table_key_most(const struct schema *sc);

/* Gives out the next autoincrement value / record number; the first time looks for the last one. */
JET_ERR table_next_autoinc(struct table *t, uint64_t *value);
JET_ERR table_next_number(struct table *t, uint32_t *number);

/* Opens by objid what the session can see; the session's DDL uses it for tables just made. */
JET_ERR table_open_objid(struct session *s, struct table_db *tdb, uint32_t objid, JET_GRBIT grbit,
                         struct table **out);
