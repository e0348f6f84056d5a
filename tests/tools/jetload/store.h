/* SPDX-License-Identifier: MIT */
/* store: the instance, the database file and its tables. */
#pragma once

#include "jetload.h"

/* Columns of an order, in the order of tables.order_columns. */
enum order_column {
    ORDER_ID,
    ORDER_REVISION,
    ORDER_THREAD,
    ORDER_PRICE,
    ORDER_WHEN,
    ORDER_PAID,
    ORDER_CLASS,
    ORDER_GUID,
    ORDER_NAME,
    ORDER_CITY,
    ORDER_DATA,
    ORDER_NOTE,
    ORDER_SCAN,
    ORDER_AMOUNT,
    ORDER_COLUMNS
};

/* Start the instance (recovery included) and create or attach DIR/app.edb. Any error of JetInit. */
JET_ERR store_open(struct store *s, const struct options *o);
/* End it cleanly. */
JET_ERR store_close(struct store *s);

/* A session with the tables open. After a failure nothing is left. */
JET_ERR tables_open(struct tables *t, const struct store *s);
void tables_close(struct tables *t);

/* Create the tables and `accounts` accounts; durable when it returns. */
JET_ERR tables_create(const struct store *s, int accounts, int fill_mib);

/* Number of accounts in the database, 0 while it is not complete (killed while being filled). */
JET_ERR tables_accounts(struct tables *t, int *n);

/* Position on the record with a key of one or two columns; JET_errRecordNotFound. */
JET_ERR tables_seek(struct tables *t, JET_TABLEID tableid, const void *a, uint32_t cb_a,
                    const void *b, uint32_t cb_b);
/* Read a fixed column; a NULL value leaves *pv zeroed. */
JET_ERR tables_get(struct tables *t, JET_TABLEID tableid, JET_COLUMNID columnid, void *pv,
                   uint32_t cb);

/* Write the order's columns into the prepared update; values follow from id and revision alone. */
JET_ERR order_set(struct tables *t, int64_t id, int32_t revision);
/* Read the current order. *good: every column is what order_set wrote. */
JET_ERR order_get(struct tables *t, int64_t *id, int32_t *revision, bool *good);

JET_ERR journal_insert(struct tables *t, int32_t thread, int64_t seq, const struct effect *e);
JET_ERR journal_get(struct tables *t, int32_t *thread, int64_t *seq, struct effect *e);
