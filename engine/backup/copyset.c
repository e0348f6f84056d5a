/* SPDX-License-Identifier: MIT */
#include "backup/copyset.h"

#include <string.h>
#include <sys/stat.h>

#include "os/file.h"
#include "page/page.h"

#define MAGIC_OFFSET 4

/* The copy at an offset: is it a database's, and is it good? Errors: of reading only. */
static JET_ERR
try_header(struct os_file *file, uint64_t offset, uint32_t page_bytes, bool *is_db, bool *good,
           struct dbheader *header)
{
    g_autofree uint8_t *image = g_malloc(PAGE_BYTES_MAX);
    size_t got = 0;
    *good = false;
    JET_ERR err = os_file_read_some(file, offset, image, page_bytes, &got);
    if (err < 0)
        return err;
    if (got < PAGE_BYTES_MIN || le32_get(image + MAGIC_OFFSET) != DBHEADER_MAGIC)
        return JET_errSuccess;
    err = dbheader_decode(image, got, header);
    *is_db |= err != JET_errFileInvalidType;
    *good = err >= 0;
    return JET_errSuccess;
}

/* The second copy lies one page on; without the first, any page size may be it. */
static JET_ERR
try_second(struct os_file *file, struct copyset_db *db, bool *is_db)
{
    struct dbheader header;
    JET_ERR err = JET_errSuccess;
    for (uint32_t size = PAGE_BYTES_MIN; size <= PAGE_BYTES_MAX && err >= 0; size *= 2) {
        bool good;
        if ((db->first_good && size != db->page_bytes) || db->second_good)
            continue;
        err = try_header(file, size, size, is_db, &good, &header);
        if (err < 0 || !good || dbheader_page_bytes(&header) != size)
            continue;
        db->second_good = true;
        if (!db->first_good) {
            db->header = header;
            db->page_bytes = size;
        }
    }
    return err;
}

static JET_ERR
read_headers(struct os_file *file, struct copyset_db *db)
{
    struct dbheader header;
    bool is_db = false;
    JET_ERR err = try_header(file, 0, PAGE_BYTES_MAX, &is_db, &db->first_good, &header);
    if (db->first_good) {
        db->header = header;
        db->page_bytes = dbheader_page_bytes(&header);
    }
    if (err >= 0)
        err = try_second(file, db, &is_db);
    if (err < 0)
        return err;
    if (!is_db)
        return JET_errFileInvalidType;
    db->err = db->first_good || db->second_good ? JET_errSuccess : JET_errDatabaseCorrupted;
    return JET_errSuccess;
}

JET_ERR
copyset_db_read(const char *path, struct copyset_db *db)
{
    struct os_file *file;
    struct copyset_db found = {.err = JET_errSuccess};
    JET_ERR err = os_file_open(path, OS_OPEN_READ, &file);
    if (err < 0)
        return err;
    err = os_file_size(file, &found.bytes);
    if (err >= 0)
        err = read_headers(file, &found);
    os_file_close(file);
    if (err < 0)
        return err;
    found.path = g_strdup(path);
    *db = found;
    return JET_errSuccess;
}

void
copyset_db_clear(struct copyset_db *db)
{
    g_clear_pointer(&db->path, g_free);
}

uint32_t
copyset_db_gen_low(const struct copyset_db *db)
{
    return dbheader_u32(&db->header, DBH_BK_FULL_CUR + BKINFO_GEN_LOW);
}

uint32_t
copyset_db_gen_high(const struct copyset_db *db)
{
    return dbheader_u32(&db->header, DBH_BK_FULL_CUR + BKINFO_GEN_HIGH);
}

bool
copyset_db_is_backup(const struct copyset_db *db)
{
    return db->err >= 0 && copyset_db_gen_low(db) != 0;
}

JET_ERR
copyset_db_trailer(const struct copyset_db *db, struct trailer *trailer)
{
    struct os_file *file;
    if (db->bytes % db->page_bytes != 0 || db->bytes < 3 * (uint64_t)db->page_bytes)
        return JET_errBadPatchPage;
    JET_ERR err = os_file_open(db->path, OS_OPEN_READ, &file);
    if (err < 0)
        return err;
    g_autofree uint8_t *page = g_malloc(db->page_bytes);
    err = os_file_read(file, db->bytes - db->page_bytes, page, db->page_bytes);
    os_file_close(file);
    return err < 0 ? err : trailer_decode(page, db->page_bytes, trailer);
}

/* A name that can only be an archive: three characters, 5 or 8 hex digits, .log or .jtx. */
static bool
find_base(const char *name, struct copyset *set)
{
    const size_t length = strlen(name);
    if (set->base != NULL || (length != 12 && length != 15))
        return false;
    g_autofree char *base = g_strndup(name, 3);
    g_autofree char *ext = g_ascii_strdown(name + length - 3, 3);
    if (log_name_parse(name, base, ext).kind != LOG_NAME_ARCHIVE)
        return false;
    set->base = g_steal_pointer(&base);
    set->ext = g_steal_pointer(&ext);
    return true;
}

/* A directory, or the socket that an owner left who was killed: no database. */
static bool
is_no_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static JET_ERR
look_at(struct copyset *set, const char *name)
{
    const bool looks_like_log = g_str_has_suffix(name, ".log") || g_str_has_suffix(name, ".jtx") ||
                                g_str_has_suffix(name, ".LOG") || g_str_has_suffix(name, ".JTX");
    g_autofree char *path = g_build_filename(set->dir, name, NULL);
    if (is_no_file(path))
        return JET_errSuccess;
    if (looks_like_log) {
        (void)find_base(name, set);
        return JET_errSuccess;
    }
    struct copyset_db db;
    JET_ERR err = copyset_db_read(path, &db);
    if (err == JET_errFileInvalidType)
        return JET_errSuccess;
    if (err >= 0)
        g_array_append_val(set->dbs, db);
    return err;
}

JET_ERR
copyset_read(const char *dir, struct copyset *set)
{
    g_auto(GStrv) names = NULL;
    *set = (struct copyset) {.dir = NULL};
    JET_ERR err = os_dir_list(dir, &names);
    if (err < 0)
        return err;
    set->dir = g_strdup(dir);
    set->dbs = g_array_new(FALSE, FALSE, sizeof(struct copyset_db));
    for (char **name = names; *name != NULL && err >= 0; name++)
        err = look_at(set, *name);
    if (err >= 0 && set->base != NULL)
        err = log_gens_find(dir, set->base, set->ext, &set->logs);
    if (err < 0)
        copyset_clear(set);
    return err;
}

JET_ERR
copyset_find_current(struct copyset *set)
{
    g_auto(GStrv) names = NULL;
    JET_ERR err = set->base ? JET_errSuccess : os_dir_list(set->dir, &names);
    for (size_t i = 0; err >= 0 && !set->base && names[i]; i++) {
        if (strlen(names[i]) != 7)
            continue;
        g_autofree char *base = g_strndup(names[i], 3);
        g_autofree char *ext = g_ascii_strdown(names[i] + 4, -1);
        bool log = strcmp(ext, "log") == 0 || strcmp(ext, "jtx") == 0;
        if (!log || log_name_parse(names[i], base, ext).kind != LOG_NAME_CURRENT)
            continue;
        set->base = g_steal_pointer(&base);
        set->ext = g_steal_pointer(&ext);
        err = log_gens_find(set->dir, set->base, set->ext, &set->logs);
    }
    return err;
}

void
copyset_clear(struct copyset *set)
{
    for (guint i = 0; set->dbs != NULL && i < set->dbs->len; i++)
        copyset_db_clear(copyset_db(set, i));
    g_clear_pointer(&set->dbs, g_array_unref);
    log_gens_clear(&set->logs);
    g_clear_pointer(&set->dir, g_free);
    g_clear_pointer(&set->base, g_free);
    g_clear_pointer(&set->ext, g_free);
}
