/* SPDX-License-Identifier: MIT */
#include "html.h"

#include "json_get.h"
#include "pagemap.h"
#include "report.h"

#include <string.h>

#define KINDS 7u

/* The letters of a map (pagemap.h), in the order of the legend; class k0, k1, ... */
static const struct {
    char letter;
    const char *text;
} kinds[KINDS] = {
    {'.', "not served"},
    {'-', "served in part"},
    {'=', "served"},
    {'o', "not served, preserved"},
    {'p', "served in part, preserved"},
    {'P', "served, preserved"},
    {'!', "bad page"},
};

/* Wider for more cells, so that the map keeps about the same height. */
static unsigned
columns_for(size_t cells)
{
    return cells <= 64 ? 32 : cells <= 1024 ? 64 : 128;
}

/* One path for all cells of a kind. */
static void
add_cells(GString *page, const char *cells, unsigned columns, unsigned kind)
{
    bool any = false;
    for (size_t i = 0; cells[i] != '\0'; i++) {
        if (cells[i] != kinds[kind].letter)
            continue;
        g_string_append_printf(page, "%sM%zu %zuh.86v.86h-.86z", any ? "" : "<path d=\"",
                               i % columns, i / columns);
        any = true;
    }
    if (any)
        html_add(page, "\" class=\"k%u\"><title>%s</title></path>", kind, kinds[kind].text);
}

static void
add_legend(GString *page, const char *cells)
{
    g_string_append(page, "<div class=\"legend\">");
    for (unsigned k = 0; k < KINDS; k++) {
        size_t n = 0;
        for (const char *c = cells; *c != '\0'; c++)
            n += *c == kinds[k].letter;
        if (n > 0)
            html_add(page, "<span><i class=\"k%u\"></i>%s: %zu %s</span>", k, kinds[k].text, n,
                     n == 1 ? "cell" : "cells");
    }
    g_string_append(page, "</div>\n");
}

static void
add_bad_pages(GString *page, JsonArray *bad)
{
    guint n = json_get_length(bad);
    if (n == 0)
        return;
    g_string_append(page, "<p class=\"small\">Bad pages:");
    for (guint i = 0; i < MIN(n, 50); i++)
        g_string_append_printf(page, "%s %" G_GINT64_FORMAT, i > 0 ? "," : "",
                               json_get_number(bad, i));
    html_add(page, "%s</p>\n", n > 50 ? " and more" : "");
}

static void
add_map(GString *page, JsonObject *file, const struct pagemap *map)
{
    size_t cells = strlen(map->cells);
    unsigned columns = columns_for(cells);
    html_add(page,
             "<h3>%s</h3>\n<p class=\"soft small\">%" G_GUINT64_FORMAT
             " pages, %s%" G_GUINT64_FORMAT
             " to a cell, from left to right and top to bottom.</p>\n",
             json_get_string(file, "name"), map->pages, map->cell > 1 ? "up to " : "", map->cell);
    html_add(page,
             "<svg class=\"map\" viewBox=\"0 0 %u %zu\" role=\"img\" aria-label=\"map of the pages "
             "of %s\">",
             columns, (cells + columns - 1) / columns, json_get_string(file, "name"));
    for (unsigned k = 0; k < KINDS; k++)
        add_cells(page, map->cells, columns, k);
    g_string_append(page, "</svg>\n");
    add_legend(page, map->cells);
    if (strpbrk(map->cells, "opP") != NULL)
        g_string_append(page,
                        "<p class=\"soft small\">Preserved: overwritten during the session, its "
                        "old image was kept.</p>\n");
    add_bad_pages(page, json_get_array(file, "bad_pages"));
}

void
html_maps(GString *page, JsonObject *root)
{
    JsonArray *files = json_get_array(root, "files");
    bool any = false;
    for (guint i = 0; i < json_get_length(files); i++) {
        JsonObject *file = json_get_element(files, i);
        struct pagemap map;
        if (!pagemap_parse(json_get_object(file, "map"), &map))
            continue;
        if (!any)
            g_string_append(page, "<h2>Pages</h2>\n");
        any = true;
        add_map(page, file, &map);
        g_free(map.cells);
    }
}
