/* SPDX-License-Identifier: MIT */
/*
 * A status as one page of HTML for people: the result on top, then the timeline, limits, files, a
 * map of the pages, events. It needs no script and nothing from elsewhere; light or dark as the
 * reader's screen is.
 *
 *   html.c  page, result, tables     html_time.c  timeline     html_map.c  maps     html_style.c
 * CSS
 */
#pragma once

#include <json-glib/json-glib.h>

/* The page, of any status. Owned by the caller. */
char *html_page(JsonObject *root);

/* ---- parts ---- */

extern const char html_style[];

/* printf into the page; %s arguments are escaped. */
void html_add(GString *page, const char *format, ...) G_GNUC_PRINTF(2, 3);

void html_timeline(GString *page, JsonObject *root);
void html_maps(GString *page, JsonObject *root);
