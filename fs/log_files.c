/* SPDX-License-Identifier: MIT */
#include "log_files.h"

#include <stdlib.h>
#include <string.h>

static void
free_file(void *p)
{
    struct log_file *file = p;
    g_free(file->path);
    g_free(file);
}

bool
log_file_of(const char *path, struct log_file *file)
{
    g_autofree char *name = g_path_get_basename(path);
    g_autoptr(GRegex) shape =
        g_regex_new("^(...)([0-9a-f]{5}|[0-9a-f]{8})?\\.(log|jtx)$", G_REGEX_CASELESS, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;

    *file = (struct log_file) {.path = g_strdup(path)};
    if (!g_utf8_validate(name, -1, NULL) || !g_regex_match(shape, name, 0, &match))
        return false;
    g_autofree char *base = g_match_info_fetch(match, 1), *gen = g_match_info_fetch(match, 2);
    g_strlcpy(file->base, base, sizeof file->base);
    file->gen = gen[0] ? (uint32_t)strtoul(gen, NULL, 16) : 0;
    return true;
}

static int
by_age(const void *left, const void *right)
{
    const struct log_file *a = *(struct log_file *const *)left;
    const struct log_file *b = *(struct log_file *const *)right;
    int by_base = g_ascii_strcasecmp(a->base, b->base);

    /* 0, the current log, is behind all others */
    return by_base ? by_base : (a->gen - 1 > b->gen - 1) - (a->gen - 1 < b->gen - 1);
}

GPtrArray *
log_files_list(const char *directory, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, error);
    if (dir == NULL)
        return NULL;
    GPtrArray *files = g_ptr_array_new_with_free_func(free_file);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        struct log_file file;
        if (log_file_of(path, &file))
            g_ptr_array_add(files, g_memdup2(&file, sizeof file));
        else
            g_free(file.path);
    }
    g_ptr_array_sort(files, by_age);
    return files;
}
