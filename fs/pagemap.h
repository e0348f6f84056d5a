/* SPDX-License-Identifier: MIT */
/*
 * The map of a database's pages as the status keeps it: at most 4096 cells for all databases of a
 * session together, each a stretch of pages, run-length coded.
 *
 *   "map": {"pages": 81920, "cell": 20, "runs": "3812=37P9-238."}    37 cells are "P"
 *
 *   none  part  all of it served
 *    .     -     =
 *    o     p     P     some page was overwritten meanwhile, its old image was kept
 *    !                 a page is bad
 */
#pragma once

#include "backup.h"

#include <json-glib/json-glib.h>

/* Asks which pages were overwritten; while the session lives, and last before its end. */
void pagemap_look(struct backup *backup);

/* Adds the member "map" for a database, and "bad_pages" when there are any. */
void pagemap_to_json(struct backup_file *file, JsonBuilder *builder);

struct pagemap {
    uint64_t pages;
    uint64_t cell; /* pages to a cell */
    char *cells;   /* one letter each */
};

/* Reads the member "map" of a file of a status, whatever stands there; false when it is none. */
bool pagemap_parse(JsonObject *map, struct pagemap *out);
