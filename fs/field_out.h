/* SPDX-License-Identifier: MIT */
/*
 * How the fields of headers and log records are shown: for people, and as JSON.
 *
 * JSON: numbers are numbers; flags, magics and checksums strings ("0x620"); a position is {gen,
 * isec, ib}; a time "2026-01-31T23:59:59.000Z", without the Z when the file does not say that it is
 * UTC, null when there is none; a signature {random, created, computer}; a backup mark {mark, time,
 * snapshot, genLow, genHigh}. A number with a name has a second member, NAME_name.
 */
#pragma once

#include "esentx.h"

#include <json-glib/json-glib.h>

/* "(0x1,9E,0)", as ESE's own tools. g_free. */
char *field_lgpos(JET_LGPOS pos);

/* "2026-01-31T23:59:59.000Z"; NULL: no time. g_free. */
char *field_time(JET_LOGTIME time);

/* The value alone. g_free. */
char *field_text(const JETX_FIELD *field);

/* An object of all. */
void field_add_all(JsonBuilder *b, const JETX_FIELD *fields, uint32_t n);

void field_add_lgpos(JsonBuilder *b, const char *name, JET_LGPOS pos);
void field_add_time(JsonBuilder *b, const char *name, JET_LOGTIME time);
