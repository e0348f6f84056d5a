/* SPDX-License-Identifier: MIT */
#include "pagemap.h"

#include "json_get.h"

#include <string.h>

#define MAP_CELLS 4096u

static const char letters[2][3] = {{'.', '-', '='}, {'o', 'p', 'P'}};

/* ---- looking ---- */

/* The part of the cells that this database gets, by its size; then as few as its pages fill. */
static uint32_t
cells_of(const struct backup_file *file, uint64_t all_pages)
{
    uint64_t share = MAX(MAP_CELLS * (uint64_t)file->pages / MAX(all_pages, 1), 1);
    uint64_t cell = (file->pages + share - 1) / share;
    return cell == 0 ? 0 : (uint32_t)((file->pages + cell - 1) / cell);
}

/* The stretch of pages of each cell, as JetxGetPreservedPages cuts them. */
static uint64_t
cell_pages(const struct backup_file *file)
{
    return file->n_cells == 0 ? 0 : (file->pages + (uint64_t)file->n_cells - 1) / file->n_cells;
}

static void
look_at(struct backup *b, struct backup_file *file, uint32_t cells)
{
    g_autofree uint32_t *pages = g_new0(uint32_t, MAX(cells, 1));

    g_mutex_lock(&file->lock);
    if (cells > 0 && file->is_open &&
        JetxGetPreservedPages(b->instance, file->handle, cells, pages) >= 0) {
        g_free(file->preserved);
        file->preserved = g_steal_pointer(&pages);
    }
    file->n_cells = cells;
    g_mutex_unlock(&file->lock);
}

void
pagemap_look(struct backup *b)
{
    uint64_t all_pages = 0;

    for (guint i = 0; i < b->files->len; i++)
        all_pages += ((const struct backup_file *)b->files->pdata[i])->pages;
    for (guint i = 0; i < b->files->len; i++) {
        struct backup_file *file = b->files->pdata[i];
        if (file->kind == FILE_DATABASE)
            look_at(b, file, cells_of(file, all_pages));
    }
}

/* ---- writing ---- */

static char *
cell_letters(struct backup_file *file)
{
    uint64_t cell = cell_pages(file), page = file->page_bytes;
    g_autofree uint8_t *cover = g_new0(uint8_t, file->n_cells + 1);
    char *cells = g_new0(char, file->n_cells + 1);

    served_cover(file->served, 2 * page, cell * page, (2 + (uint64_t)file->pages) * page,
                 file->n_cells, cover);
    for (uint32_t i = 0; i < file->n_cells; i++)
        cells[i] = letters[file->preserved != NULL && file->preserved[i] > 0][cover[i]];
    for (guint i = 0; i < file->bad_pages->len; i++) {
        uint64_t at = (g_array_index(file->bad_pages, uint32_t, i) - 1) / cell;
        if (at < file->n_cells)
            cells[at] = '!';
    }
    return cells;
}

static char *
run_lengths(const char *cells)
{
    GString *runs = g_string_new(NULL);
    for (size_t i = 0, n; cells[i] != '\0'; i += n) {
        char letter[] = {cells[i], '\0'};
        n = strspn(cells + i, letter);
        g_string_append_printf(runs, "%zu%c", n, cells[i]);
    }
    return g_string_free(runs, FALSE);
}

static void
add_map(struct backup_file *file, JsonBuilder *b)
{
    g_autofree char *cells = cell_letters(file);
    g_autofree char *runs = run_lengths(cells);

    json_builder_set_member_name(b, "map");
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "pages");
    json_builder_add_int_value(b, file->pages);
    json_builder_set_member_name(b, "cell");
    json_builder_add_int_value(b, (gint64)cell_pages(file));
    json_builder_set_member_name(b, "runs");
    json_builder_add_string_value(b, runs);
    json_builder_end_object(b);
}

void
pagemap_to_json(struct backup_file *file, JsonBuilder *b)
{
    g_mutex_lock(&file->lock);
    if (file->n_cells > 0)
        add_map(file, b);
    if (file->bad_pages->len > 0) {
        json_builder_set_member_name(b, "bad_pages");
        json_builder_begin_array(b);
        for (guint i = 0; i < file->bad_pages->len; i++)
            json_builder_add_int_value(b, g_array_index(file->bad_pages, uint32_t, i));
        json_builder_end_array(b);
    }
    g_mutex_unlock(&file->lock);
}

/* ---- reading ---- */

bool
pagemap_parse(JsonObject *map, struct pagemap *out)
{
    const char *runs = json_get_string(map, "runs");
    GString *cells = g_string_new(NULL);

    while (*runs != '\0') {
        char *end;
        uint64_t n = g_ascii_strtoull(runs, &end, 10);
        if (!g_ascii_isdigit(*runs) || *end == '\0' || strchr(".-=opP!", *end) == NULL || n == 0 ||
            n > MAP_CELLS - cells->len)
            break;
        for (uint64_t i = 0; i < n; i++)
            g_string_append_c(cells, *end);
        runs = end + 1;
    }
    *out = (struct pagemap) {.pages = (uint64_t)MAX(json_get_int(map, "pages"), 0),
                             .cell = (uint64_t)MAX(json_get_int(map, "cell"), 0),
                             .cells = NULL};
    if (*runs != '\0' || cells->len == 0 || out->pages == 0 || out->cell == 0) {
        g_string_free(cells, TRUE);
        return false;
    }
    out->cells = g_string_free(cells, FALSE);
    return true;
}
