/* SPDX-License-Identifier: MIT */
/*
 * edb_walk: reads trees of a database file with nothing but the page codec. For tests that ask what
 * real files hold without our own engine in between.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "table/schema.h"

struct edb {
    uint8_t *data;
    size_t len;
    uint32_t page_bytes;
    bool large;
    GHashTable *schemas; /* objid -> struct schema */
    GPtrArray *rows;     /* struct cat_row copies in key order; spans into data */
};

/* Whole file into memory (.gz too), catalog read. False: no such file. Fails the test on bad data.
 */
bool edb_load(const char *path, struct edb *edb);
void edb_free(struct edb *edb);

/* Calls fn for every entry that is not flagged deleted. */
void edb_walk(struct edb *edb, uint32_t pgno_root,
              void (*fn)(void *ctx, struct span key, struct span data), void *ctx);

/* All database files of the corpus, as paths; NULL-terminated; free with g_strfreev. */
char **edb_corpus(void);
