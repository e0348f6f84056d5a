/* SPDX-License-Identifier: MIT */
#include "backup/offline.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/copyset.h"
#include "backup/frozen_reader.h"
#include "backup/manifest.h"
#include "backup/marks.h"
#include "log/filehdr.h"
#include "os/file.h"
#include "page/page.h"

#define CHECKPOINT_MAX (16u << 10) /* a checkpoint file is 8 KiB */

struct entry {
    JETX_BACKUPFILE file;
    struct os_file *os;    /* NULL: content */
    GBytes *content;       /* of generated ones */
    uint8_t signature[28]; /* of databases */
};

struct handle {
    gint refs;
    struct frozen_reader *reader;
    uint64_t at; /* offline->lock */
};

struct offline {
    const char *mode;    /* of the manifest */
    struct os_file *dir; /* locked, or NULL */
    GPtrArray *entries;  /* fixed once opened */
    uint8_t sign_log[28];
    bool have_log;

    GMutex lock; /* guards the rest */
    bool in_session, stopped;
    GPtrArray *handles;
    JETX_BACKUPSTATUS status;
};

/* ---- what is there ---- */

static void
entry_free(gpointer arg)
{
    struct entry *entry = arg;
    os_file_close(entry->os);
    if (entry->content)
        g_bytes_unref(entry->content);
    g_free(entry);
}

static struct entry *
add_entry(struct offline *o, uint32_t kind, const char *path)
{
    struct entry *entry = g_new0(struct entry, 1);
    g_autofree char *name = g_path_get_basename(path);
    entry->file.cbStruct = sizeof entry->file;
    entry->file.kind = kind;
    g_strlcpy(entry->file.szName, name, sizeof entry->file.szName);
    g_strlcpy(entry->file.szPath, path, sizeof entry->file.szPath);
    g_ptr_array_add(o->entries, entry);
    return entry;
}

/* Opens the entry's file and takes its facts over. */
static JET_ERR
open_entry(struct entry *entry)
{
    struct stat st;
    JET_ERR err = os_file_open(entry->file.szPath, OS_OPEN_READ, &entry->os);
    if (err < 0)
        return err;
    if (fstat(os_file_fd(entry->os), &st) != 0)
        return os_error(errno);
    entry->file.cbSize = (uint64_t)st.st_size;
    entry->file.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    entry->file.inode = (uint64_t)st.st_ino;
    return JET_errSuccess;
}

/* The child that a walk to the right end of the space tree goes to; 0 at a leaf, whose last key is
 * *last. */
static JET_ERR
right_end(struct os_file *os, uint32_t page_bytes, uint32_t pgno, uint32_t *child, uint32_t *last)
{
    uint8_t image[PAGE_BYTES_MAX] __attribute__((aligned(8)));
    uint8_t key[PAGE_BYTES_MAX];
    bool repaired;
    struct page page;
    struct node node;
    JET_ERR err = os_file_read(os, ((uint64_t)pgno + 1) * page_bytes, image, page_bytes);
    if (err >= 0)
        err = page_verify(image, page_bytes, pgno, &repaired);
    page_init(&page, image, page_bytes, pgno);
    if (err >= 0)
        err = page_check(&page, NULL);
    if (err >= 0 && (!(page_flags(&page) & PAGE_FLAG_SPACE_TREE) || page_lines(&page) == 0))
        err = JET_errDatabaseCorrupted;
    if (err >= 0)
        err = page_node(&page, page_lines(&page) - 1, &node);
    if (err < 0)
        return err;
    bool leaf = page_is_leaf(&page);
    size_t len = leaf ? node_key_copy(&node, key) : 0;
    if (leaf ? len < 4 : node.data.len != 4)
        return JET_errDatabaseCorrupted;
    *child = leaf ? 0 : le32_get(node.data.data);
    *last = leaf ? be32_get(key + len - 4) : 0;
    return JET_errSuccess;
}

/*
 * Last page that the database owns (highest key of the owned-extent tree at page 2): what lies
 * behind it in the file are no pages. When the tree cannot be read: all there is.
 */
static uint32_t
owned_pages(struct os_file *os, uint32_t page_bytes, uint32_t in_file)
{
    uint32_t child = 2, last = 0;
    for (int depth = 0; child != 0 && depth < 16; depth++) {
        if (child > in_file || right_end(os, page_bytes, child, &child, &last) < 0)
            return in_file;
    }
    return last > 0 && last < in_file ? last : in_file;
}

static JET_ERR
add_database(struct offline *o, const struct copyset_db *db)
{
    if (db->err < 0)
        return JET_errDatabaseCorrupted;
    g_autofree char *full = NULL;
    JET_ERR err = os_path_full(db->path, &full);
    if (err < 0)
        return err;
    struct entry *entry = add_entry(o, JETX_fileDatabase, full);
    err = open_entry(entry);
    if (err >= 0)
        err = os_file_lock_shared(entry->os);
    if (err < 0)
        return err;
    uint64_t slots = entry->file.cbSize / db->page_bytes;
    uint32_t in_file = slots > 2 ? (uint32_t)MIN(slots - 2, UINT32_MAX - 3) : 0;
    entry->file.cbPage = db->page_bytes;
    entry->file.pgnoLast = owned_pages(entry->os, db->page_bytes, in_file);
    memcpy(entry->signature, &db->header.bytes[DBH_SIGN_DB], sizeof entry->signature);
    return JET_errSuccess;
}

static JET_ERR
add_log(struct offline *o, const char *path)
{
    uint8_t header[LOG_HEADER_BYTES];
    g_autofree struct log_filehdr *hdr = g_new0(struct log_filehdr, 1);
    struct entry *entry = add_entry(o, JETX_fileLog, path);
    JET_ERR err = open_entry(entry);
    if (err < 0)
        return err;
    if (os_file_read(entry->os, 0, header, sizeof header) < 0 ||
        log_filehdr_decode(header, hdr) < 0)
        return JET_errSuccess; /* served all the same: it is evidence */
    entry->file.genLog = (uint32_t)hdr->gen;
    memcpy(o->sign_log, hdr->signature, sizeof o->sign_log);
    o->have_log = true;
    return JET_errSuccess;
}

static JET_ERR
add_content(struct offline *o, const char *path)
{
    struct entry *entry = add_entry(o, JETX_fileGenerated, path);
    JET_ERR err = open_entry(entry);
    uint64_t size = entry->file.cbSize;
    uint8_t data[CHECKPOINT_MAX];
    if (err >= 0 && size > CHECKPOINT_MAX)
        err = JET_errCheckpointCorrupt;
    if (err >= 0)
        err = os_file_read(entry->os, 0, data, size);
    if (err < 0)
        return err;
    entry->content = g_bytes_new(data, size);
    os_file_close(g_steal_pointer(&entry->os));
    return JET_errSuccess;
}

static JET_ERR
add_logs(struct offline *o, const struct copyset *set)
{
    JET_ERR err = JET_errSuccess;
    for (size_t i = 0; err >= 0 && i < set->logs.n; i++)
        err = add_log(o, set->logs.paths[i]);
    if (err >= 0 && set->logs.current)
        err = add_log(o, set->logs.current);
    if (err < 0 || !set->base)
        return err;
    g_autofree char *name = log_name_checkpoint(set->base, set->ext);
    g_autofree char *path = g_build_filename(set->dir, name, NULL);
    return os_exists(path) ? add_content(o, path) : err;
}

static JET_ERR
open_directory(struct offline *o, const char *path)
{
    struct copyset set = {0};
    JET_ERR err = os_dir_lock_shared(path, &o->dir);
    if (err < 0)
        return err;
    err = copyset_read(path, &set);
    if (err < 0)
        return err;
    err = copyset_find_current(&set);
    for (guint i = 0; err >= 0 && i < set.dbs->len; i++)
        err = add_database(o, copyset_db(&set, i));
    if (err >= 0)
        err = add_logs(o, &set);
    copyset_clear(&set);
    return err >= 0 && o->entries->len == 0 ? JET_errFileNotFound : err;
}

static JET_ERR
open_single(struct offline *o, const char *path)
{
    struct copyset_db db = {0};
    JET_ERR err = copyset_db_read(path, &db);
    if (err < 0)
        return err == JET_errFileInvalidType ? JET_errDatabaseCorrupted : err;
    err = add_database(o, &db);
    copyset_db_clear(&db);
    return err;
}

/* genLow, genHigh of the logs there are. */
static struct bkinfo
range_of(const struct offline *o)
{
    struct bkinfo bk = {.gen_low = 0};
    for (guint i = 0; i < o->entries->len; i++) {
        uint32_t gen = ((struct entry *)o->entries->pdata[i])->file.genLog;
        if (gen == 0)
            continue;
        bk.gen_low = bk.gen_low ? MIN(bk.gen_low, gen) : gen;
        bk.gen_high = MAX(bk.gen_high, gen);
    }
    return bk;
}

static void
add_manifest(struct offline *o)
{
    guint n = o->entries->len;
    g_autofree JETX_BACKUPFILE *files = g_new0(JETX_BACKUPFILE, n + 1);
    g_autofree uint8_t(*signatures)[28] = g_malloc0_n(n + 1, 28);
    for (guint i = 0; i < n; i++) {
        struct entry *entry = o->entries->pdata[i];
        files[i] = entry->file;
        memcpy(signatures[i], entry->signature, 28);
    }
    struct manifest m = {.pid = (uint32_t)getpid(),
                         .bk = range_of(o),
                         .mode = o->mode,
                         .time_ms = g_get_real_time() / 1000,
                         .sign_log = o->have_log ? o->sign_log : NULL,
                         .files = files,
                         .sign_dbs = (const uint8_t(*)[28])signatures,
                         .n_files = n};
    char *text = manifest_write(&m);
    struct entry *entry = add_entry(o, JETX_fileGenerated, MANIFEST_NAME);
    entry->file.szPath[0] = '\0';
    entry->file.cbSize = strlen(text);
    entry->file.mtime_ns = m.time_ms * 1000000;
    entry->content = g_bytes_new_take(text, strlen(text));
}

static struct offline *
offline_new(const char *mode)
{
    struct offline *o = g_new0(struct offline, 1);
    g_mutex_init(&o->lock);
    o->mode = mode;
    o->entries = g_ptr_array_new_with_free_func(entry_free);
    o->handles = g_ptr_array_new();
    g_strlcpy(o->status.szState, "none", sizeof o->status.szState);
    return o;
}

JET_ERR
offline_open(const char *path, struct offline **out)
{
    if (!os_exists(path))
        return JET_errFileNotFound;
    struct offline *o = offline_new("offline");
    JET_ERR err = os_is_dir(path) ? open_directory(o, path) : open_single(o, path);
    if (err < 0) {
        offline_free(o);
        return err;
    }
    add_manifest(o);
    *out = o;
    return JET_errSuccess;
}

/* What the original was called, and when it was as it is here. */
static void
take_origin(struct entry *entry, const JETX_BACKUPFILE *origins, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(origins[i].szName, entry->file.szName) != 0)
            continue;
        memcpy(entry->file.szPath, origins[i].szPath, sizeof entry->file.szPath);
        entry->file.mtime_ns = origins[i].mtime_ns;
        entry->file.inode = origins[i].inode;
    }
}

JET_ERR
offline_open_recovered(const char *dir, const JETX_BACKUPFILE *origins, size_t n,
                       struct offline **out)
{
    struct copyset set = {0};
    struct offline *o = offline_new("recovered");
    JET_ERR err = copyset_read(dir, &set);
    for (guint i = 0; err >= 0 && i < set.dbs->len; i++)
        err = add_database(o, copyset_db(&set, i));
    copyset_clear(&set);
    if (err >= 0 && o->entries->len == 0)
        err = JET_errFileNotFound;
    if (err < 0) {
        offline_free(o);
        return err;
    }
    for (guint i = 0; i < o->entries->len; i++)
        take_origin(o->entries->pdata[i], origins, n);
    add_manifest(o);
    *out = o;
    return JET_errSuccess;
}

void
offline_adopt_status(struct offline *o, const JETX_BACKUPSTATUS *status)
{
    g_mutex_lock(&o->lock);
    o->status = *status;
    o->status.errSession = 0;
    o->status.timeEnd = 0;
    o->status.cbPinnedLog = o->status.cbPreimage = o->status.cPagePreimage = 0;
    memset(o->status.rgLimit, 0, sizeof o->status.rgLimit);
    g_strlcpy(o->status.szState, "frozen", sizeof o->status.szState);
    g_mutex_unlock(&o->lock);
}

/* ---- handles ---- */

static void
handle_unref(struct handle *handle)
{
    if (!handle || !g_atomic_int_dec_and_test(&handle->refs))
        return;
    frozen_reader_free(handle->reader);
    g_free(handle);
}

/* Needs the lock. */
static void
drop_handles(struct offline *o)
{
    for (guint i = 0; i < o->handles->len; i++)
        handle_unref(o->handles->pdata[i]);
    g_ptr_array_set_size(o->handles, 0);
}

void
offline_free(struct offline *o)
{
    if (!o)
        return;
    drop_handles(o);
    g_ptr_array_free(o->handles, TRUE);
    g_ptr_array_free(o->entries, TRUE);
    os_file_close(o->dir);
    g_mutex_clear(&o->lock);
    g_free(o);
}

/* Needs the lock. */
static JET_ERR
state_error(const struct offline *o)
{
    return !o->in_session ? JET_errNoBackup
           : o->stopped   ? JET_errBackupAbortByServer
                          : JET_errSuccess;
}

static JET_ERR
open_reader(const struct entry *entry, struct frozen_reader **reader)
{
    struct frozen_file file = FROZEN_FILE_NONE;
    file.kind = entry->file.kind;
    file.page_bytes = entry->file.cbPage;
    file.pgno_last = entry->file.pgnoLast;
    file.size = entry->file.cbSize;
    if (entry->content) {
        file.head = g_bytes_ref(entry->content);
    } else {
        file.base_fd = fcntl(os_file_fd(entry->os), F_DUPFD_CLOEXEC, 3);
        if (file.base_fd < 0)
            return os_error(errno);
    }
    return frozen_reader_new(&file, reader);
}

static JET_ERR
open_locked(struct offline *o, const char *name, JET_HANDLE *hf, uint64_t *size)
{
    const struct entry *found = NULL;
    for (guint i = 0; !found && i < o->entries->len; i++) {
        const struct entry *entry = o->entries->pdata[i];
        if (strcmp(name, entry->file.szName) == 0 || strcmp(name, entry->file.szPath) == 0)
            found = entry;
    }
    struct frozen_reader *reader = NULL;
    JET_ERR err = found ? open_reader(found, &reader) : JET_errFileNotFound;
    if (err < 0)
        return err;
    struct handle *handle = g_new0(struct handle, 1);
    handle->refs = 1;
    handle->reader = reader;
    guint i = 0;
    while (i < o->handles->len && o->handles->pdata[i])
        i++;
    if (i == o->handles->len)
        g_ptr_array_add(o->handles, NULL);
    o->handles->pdata[i] = handle;
    *hf = i;
    *size = found->file.cbSize;
    return JET_errSuccess;
}

JET_ERR
offline_open_file(struct offline *o, const char *name, JET_HANDLE *hf, uint64_t *size)
{
    g_mutex_lock(&o->lock);
    JET_ERR err = state_error(o);
    if (err >= 0)
        err = open_locked(o, name, hf, size);
    g_mutex_unlock(&o->lock);
    return err;
}

static JET_ERR
hold_handle(struct offline *o, JET_HANDLE hf, struct handle **out, uint64_t *at)
{
    g_mutex_lock(&o->lock);
    JET_ERR err = state_error(o);
    if (err >= 0 && (hf >= o->handles->len || !o->handles->pdata[hf]))
        err = JET_errInvalidParameter;
    if (err >= 0) {
        *out = o->handles->pdata[hf];
        *at = (*out)->at;
        g_atomic_int_inc(&(*out)->refs);
    }
    g_mutex_unlock(&o->lock);
    return err;
}

JET_ERR
offline_read_file_at(struct offline *o, JET_HANDLE hf, uint64_t ib, void *pv, uint32_t cb,
                     uint32_t *actual)
{
    struct handle *handle = NULL;
    uint64_t at = 0;
    size_t got = 0;
    JET_ERR err = hold_handle(o, hf, &handle, &at);
    if (err < 0)
        return err;
    err = frozen_reader_read(handle->reader, ib, pv, cb, &got);
    if (err >= 0)
        *actual = (uint32_t)got;
    handle_unref(handle);
    return err;
}

JET_ERR
offline_preserved(struct offline *o, JET_HANDLE hf, uint32_t cells, uint32_t *pages)
{
    struct handle *handle = NULL;
    uint64_t at = 0;
    JET_ERR err = hold_handle(o, hf, &handle, &at);
    if (err < 0)
        return err;
    err = frozen_reader_preserved(handle->reader, cells, pages);
    handle_unref(handle);
    return err;
}

JET_ERR
offline_read_file(struct offline *o, JET_HANDLE hf, void *pv, uint32_t cb, uint32_t *actual)
{
    struct handle *handle = NULL;
    uint64_t at = 0;
    size_t got = 0;
    JET_ERR err = hold_handle(o, hf, &handle, &at);
    if (err < 0)
        return err;
    err = frozen_reader_read(handle->reader, at, pv, cb, &got);
    if (err >= 0) {
        g_mutex_lock(&o->lock);
        handle->at = at + got;
        g_mutex_unlock(&o->lock);
        *actual = (uint32_t)got;
    }
    handle_unref(handle);
    return err;
}

JET_ERR
offline_close_file(struct offline *o, JET_HANDLE hf)
{
    g_mutex_lock(&o->lock);
    JET_ERR err = o->in_session ? JET_errSuccess : JET_errNoBackup;
    struct handle *handle = err >= 0 && hf < o->handles->len ? o->handles->pdata[hf] : NULL;
    if (handle)
        o->handles->pdata[hf] = NULL;
    else if (err >= 0)
        err = JET_errInvalidParameter;
    g_mutex_unlock(&o->lock);
    handle_unref(handle);
    return err;
}

/* ---- the session ---- */

JET_ERR
offline_begin(struct offline *o, JET_GRBIT grbit)
{
    if (grbit != 0)
        return JET_errInvalidGrbit;
    struct bkinfo bk = range_of(o);
    g_mutex_lock(&o->lock);
    JET_ERR err = o->in_session ? JET_errBackupInProgress : JET_errSuccess;
    if (err >= 0) {
        o->in_session = true;
        o->stopped = false;
        o->status =
            (JETX_BACKUPSTATUS) {.cbStruct = sizeof o->status,
                                 .genLow = bk.gen_low,
                                 .genHigh = bk.gen_high,
                                 .timeBegin = (uint64_t)(g_get_real_time() / G_USEC_PER_SEC)};
        memcpy(&o->status.signLog, o->sign_log, sizeof o->status.signLog);
        g_strlcpy(o->status.szState, "frozen", sizeof o->status.szState);
    }
    g_mutex_unlock(&o->lock);
    return err;
}

JET_ERR
offline_files(struct offline *o, JETX_BACKUPFILE **files, uint32_t *n)
{
    g_mutex_lock(&o->lock);
    JET_ERR err = state_error(o);
    g_mutex_unlock(&o->lock);
    if (err < 0)
        return err;
    JETX_BACKUPFILE *list = g_new0(JETX_BACKUPFILE, o->entries->len);
    for (guint i = 0; i < o->entries->len; i++)
        list[i] = ((struct entry *)o->entries->pdata[i])->file;
    *files = list;
    *n = o->entries->len;
    return JET_errSuccess;
}

JET_ERR
offline_manifest(struct offline *o, char **json)
{
    g_mutex_lock(&o->lock);
    JET_ERR err = state_error(o);
    g_mutex_unlock(&o->lock);
    if (err < 0)
        return err;
    const struct entry *entry = o->entries->pdata[o->entries->len - 1];
    size_t size;
    const char *text = g_bytes_get_data(entry->content, &size);
    *json = g_strndup(text, size);
    return JET_errSuccess;
}

JET_ERR
offline_status(struct offline *o, JETX_BACKUPSTATUS *status)
{
    uint32_t cb = status->cbStruct;
    if (cb < sizeof(uint32_t))
        return JET_errInvalidParameter;
    g_mutex_lock(&o->lock);
    JETX_BACKUPSTATUS now = o->status;
    g_mutex_unlock(&o->lock);
    now.cbStruct = cb;
    memcpy(status, &now, MIN(cb, sizeof now));
    return JET_errSuccess;
}

JET_ERR
offline_stop(struct offline *o)
{
    g_mutex_lock(&o->lock);
    if (o->in_session) {
        o->stopped = true;
        o->status.errSession = JET_errBackupAbortByServer;
    }
    g_mutex_unlock(&o->lock);
    return JET_errSuccess;
}

JET_ERR
offline_end(struct offline *o, JET_GRBIT grbit)
{
    JET_GRBIT how = grbit & (JET_bitBackupEndNormal | JET_bitBackupEndAbort);
    if (how != JET_bitBackupEndNormal && how != JET_bitBackupEndAbort)
        return JET_errInvalidParameter;
    g_mutex_lock(&o->lock);
    JET_ERR err = !o->in_session                 ? JET_errNoBackup
                  : how == JET_bitBackupEndAbort ? JET_errBackupAbortByCaller
                  : o->stopped                   ? JET_errBackupAbortByServer
                                                 : JET_errSuccess;
    if (o->in_session) {
        drop_handles(o);
        o->in_session = o->stopped = false;
        o->status.errSession = err;
        o->status.timeEnd = (uint64_t)(g_get_real_time() / G_USEC_PER_SEC);
        g_strlcpy(o->status.szState, err < 0 ? "aborted" : "ended", sizeof o->status.szState);
    }
    g_mutex_unlock(&o->lock);
    return err;
}
