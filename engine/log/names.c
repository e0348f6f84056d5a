/* SPDX-License-Identifier: MIT */
/* names: building and parsing names of log files, and listing a directory's generations. */
#include "log/names.h"

#include <glib.h>
#include <string.h>

char *
log_name_current(const char *base, const char *ext)
{
    return g_strdup_printf("%s.%s", base, ext);
}

char *
log_name_next(const char *base, const char *ext)
{
    return g_strdup_printf("%stmp.%s", base, ext);
}

char *
log_name_archive(const char *base, const char *ext, int32_t gen, bool eight_dot_three)
{
    if (eight_dot_three && gen <= LOG_GEN_MAX_EIGHT_DOT_THREE)
        return g_strdup_printf("%s%05X.%s", base, (unsigned)gen, ext);
    return g_strdup_printf("%s%08X.%s", base, (unsigned)gen, ext);
}

char *
log_name_reserve(const char *base, unsigned n)
{
    return g_strdup_printf("%sres%05X.jrs", base, n);
}

char *
log_name_checkpoint(const char *base, const char *ext)
{
    return g_strdup_printf("%s.%s", base, g_ascii_strcasecmp(ext, "jtx") == 0 ? "jcp" : "chk");
}

/* Hex digits only; 0 if anything else is among them. */
static int32_t
parse_gen(const char *digits, size_t n)
{
    uint64_t gen = 0;
    for (size_t i = 0; i < n; i++) {
        int d = g_ascii_xdigit_value(digits[i]);
        if (d < 0)
            return 0;
        gen = gen << 4 | (unsigned)d;
    }
    return gen <= INT32_MAX ? (int32_t)gen : 0;
}

struct log_name
log_name_parse(const char *name, const char *base, const char *ext)
{
    struct log_name none = {LOG_NAME_NONE, 0, 0};
    const char *dot = strrchr(name, '.');
    size_t nbase = strlen(base);
    if (!dot || (size_t)(dot - name) < nbase || g_ascii_strncasecmp(name, base, nbase) != 0)
        return none;
    const char *mid = name + nbase;
    size_t n = (size_t)(dot - mid);
    if (g_ascii_strcasecmp(dot + 1, "jrs") == 0 && n == 8 &&
        g_ascii_strncasecmp(mid, "res", 3) == 0)
        return (struct log_name) {LOG_NAME_RESERVE, parse_gen(mid + 3, 5), 5};
    if (g_ascii_strcasecmp(dot + 1, ext) != 0)
        return none;
    if (n == 0)
        return (struct log_name) {LOG_NAME_CURRENT, 0, 0};
    if (n == 3 && g_ascii_strncasecmp(mid, "tmp", 3) == 0)
        return (struct log_name) {LOG_NAME_NEXT, 0, 0};
    if (n != 5 && n != 8)
        return none;
    int32_t gen = parse_gen(mid, n);
    return gen > 0 ? (struct log_name) {LOG_NAME_ARCHIVE, gen, (unsigned)n} : none;
}

struct found {
    int32_t gen;
    unsigned digits;
    char *path;
};

static int
found_cmp(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->gen != y->gen)
        return x->gen < y->gen ? -1 : 1;
    return (x->digits > y->digits) - (x->digits < y->digits);
}

/* Moves the sorted array into out, the first of each generation. */
static void
take_sorted(GArray *all, struct log_gens *out)
{
    g_array_sort(all, found_cmp);
    out->gens = g_new0(int32_t, all->len + 1);
    out->paths = g_new0(char *, all->len + 1);
    for (guint i = 0; i < all->len; i++) {
        struct found *f = &g_array_index(all, struct found, i);
        if (out->n > 0 && out->gens[out->n - 1] == f->gen) {
            g_free(f->path);
            continue;
        }
        out->gens[out->n] = f->gen;
        out->paths[out->n++] = f->path;
    }
}

static void
add_name(struct log_gens *out, GArray *all, const char *dir, const char *name,
         struct log_name parsed)
{
    char *path = g_build_filename(dir, name, NULL);
    if (parsed.kind == LOG_NAME_CURRENT && !out->current) {
        out->current = path;
    } else if (parsed.kind == LOG_NAME_NEXT && !out->next) {
        out->next = path;
    } else if (parsed.kind == LOG_NAME_ARCHIVE) {
        struct found f = {parsed.gen, parsed.digits, path};
        g_array_append_val(all, f);
    } else {
        g_free(path);
    }
}

JET_ERR
log_gens_find(const char *dir, const char *base, const char *ext, struct log_gens *found)
{
    GError *error = NULL;
    GDir *d = g_dir_open(dir, 0, &error);
    if (!d) {
        bool missing = g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT) ||
                       g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOTDIR);
        g_error_free(error);
        return missing ? JET_errInvalidPath : JET_errFileAccessDenied;
    }
    struct log_gens out = {0};
    g_autoptr(GArray) all = g_array_new(false, false, sizeof(struct found));
    const char *name;
    while ((name = g_dir_read_name(d)) != NULL)
        add_name(&out, all, dir, name, log_name_parse(name, base, ext));
    g_dir_close(d);
    take_sorted(all, &out);
    *found = out;
    return JET_errSuccess;
}

void
log_gens_clear(struct log_gens *found)
{
    for (size_t i = 0; i < found->n; i++)
        g_free(found->paths[i]);
    g_free(found->paths);
    g_free(found->gens);
    g_free(found->current);
    g_free(found->next);
    *found = (struct log_gens) {0};
}

const char *
log_gens_path(const struct log_gens *found, int32_t gen)
{
    for (size_t i = 0; i < found->n; i++) {
        if (found->gens[i] == gen)
            return found->paths[i];
    }
    return NULL;
}
