/* SPDX-License-Identifier: MIT */
#include "backup/frozen.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "backup/image.h"
#include "backup/manifest.h"
#include "cache/cache.h"
#include "log/logtime.h"
#include "log/stream.h"
#include "os/file.h"

#define RESERVE_LOGS 4 /* log files' worth of room that a session never takes */

struct frozen {
    struct cache *cache;
    struct log *log;
    struct image *images;
    size_t n_images;
    int *log_fds; /* of the generations gen_low .. gen_high */
    size_t n_logs;
    JETX_BACKUPFILE *files; /* databases, logs, manifest; in the order of images, log_fds */
    size_t n_files;
    char *manifest;
    char *instance;
    struct bkinfo bk;
    int64_t time_ms;  /* of the freeze */
    int64_t mtime_ns; /* of the files that are new in each session */
    uint64_t budget;
    uint64_t freeze_us;
    bool hooked;
    void (*died)(void *ctx, JET_ERR err);
    void *ctx;

    GMutex lock; /* guards these */
    JET_ERR dead;
    struct log_pin *pin;
    uint64_t preimage_bytes, preimage_pages, log_bytes;
};

/* Returns whether this call killed it. */
static bool
kill_once(struct frozen *f, JET_ERR err)
{
    g_mutex_lock(&f->lock);
    bool first = f->dead >= 0;
    if (first) {
        f->dead = err;
        for (size_t i = 0; i < f->n_images; i++)
            image_kill(&f->images[i], err);
        log_unpin(f->log, g_steal_pointer(&f->pin));
    }
    g_mutex_unlock(&f->lock);
    return first;
}

void
frozen_kill(struct frozen *f, JET_ERR err)
{
    (void)kill_once(f, err);
}

JET_ERR
frozen_release_logs(struct frozen *f, uint32_t gen)
{
    g_mutex_lock(&f->lock);
    JET_ERR err = f->dead;
    struct log_pin *pin = NULL;
    if (err >= 0)
        err = log_pin(f->log, (int32_t)gen, &pin);
    if (err >= 0) {
        log_unpin(f->log, f->pin);
        f->pin = pin;
    }
    g_mutex_unlock(&f->lock);
    return err;
}

JET_ERR
frozen_error(struct frozen *f)
{
    g_mutex_lock(&f->lock);
    JET_ERR err = f->dead;
    g_mutex_unlock(&f->lock);
    return err;
}

/* Dies by itself, and tells. */
static void
die(struct frozen *f, JET_ERR why)
{
    if (kill_once(f, JET_errBackupAbortByServer) && f->died)
        f->died(f->ctx, why);
}

/*
 * Would going on take from the live database? It must always find room for the next logs, and on a
 * file system of clones each overwritten page takes new room.
 */
static bool
is_short_of_room(const struct frozen *f, const struct image *image)
{
    struct statvfs st;
    uint64_t reserve = RESERVE_LOGS * log_file_bytes(f->log);
    if (fstatvfs(image->side_fd, &st) == 0 && (uint64_t)st.f_bavail * st.f_frsize < reserve)
        return true;
    return log_check_state(f->log) == JET_errLogDiskFull;
}

/* The disk of a database is full: what the session holds there is given back. */
static bool
make_room(void *ctx, struct dbfile *file)
{
    struct frozen *f = ctx;
    if (frozen_error(f) < 0)
        return false;
    die(f, JET_errDiskFull);
    return true;
}

/* The hook: the session may die here, the database must not: always success. */
static JET_ERR
before_overwrite(void *ctx, struct dbfile *file, const uint32_t *pgnos, size_t n)
{
    struct frozen *f = ctx;
    size_t i = 0;
    while (i < f->n_images && f->images[i].file != file)
        i++;
    if (i == f->n_images || frozen_error(f) < 0)
        return JET_errSuccess;

    uint64_t room = f->budget ? f->budget - f->preimage_bytes : UINT64_MAX;
    uint64_t bytes = 0;
    JET_ERR err = is_short_of_room(f, &f->images[i])
                      ? JET_errDiskFull
                      : image_save(&f->images[i], pgnos, n, room, &bytes);
    g_mutex_lock(&f->lock);
    f->preimage_bytes += bytes;
    f->preimage_pages += bytes / f->images[i].page_bytes;
    g_mutex_unlock(&f->lock);
    if (err < 0)
        die(f, err);
    return JET_errSuccess;
}

/* ---- the list of files ---- */

/*
 * rsync takes a file of the same size and the same second for unchanged. So no two sessions of this
 * process give a database the same second.
 */
static int64_t
distinct_mtime_ns(int64_t now_ms)
{
    static GMutex lock;
    static int64_t last_second;
    g_mutex_lock(&lock);
    int64_t second = now_ms / 1000, ns = now_ms * 1000000;
    if (second <= last_second) {
        second = last_second + 1;
        ns = second * 1000000000;
    }
    last_second = second;
    g_mutex_unlock(&lock);
    return ns;
}

/* A number made of a signature and a generation: the same for the same log at any time and place.
 */
static uint64_t
stable_inode(const uint8_t *signature, uint64_t gen)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < 28; i++)
        h = (h ^ signature[i]) * UINT64_C(1099511628211);
    for (size_t i = 0; i < 8; i++)
        h = (h ^ (gen >> 8 * i & 0xff)) * UINT64_C(1099511628211);
    return (h >> 1) | 1u << 8; /* never zero, never small, fits signed 64 bits */
}

static bool
name_taken(const struct frozen *f, const char *name)
{
    if (strcmp(name, MANIFEST_NAME) == 0)
        return true;
    for (size_t i = 0; i < f->n_files; i++)
        if (strcmp(f->files[i].szName, name) == 0)
            return true;
    return false;
}

/* The base name, or with a number before the extension when another file has it. */
static void
choose_name(const struct frozen *f, const char *path, char out[256])
{
    g_autofree char *base = g_path_get_basename(path);
    char *dot = strrchr(base, '.');
    int stem = dot ? (int)(dot - base) : (int)strlen(base);
    g_snprintf(out, 256, "%s", base);
    for (unsigned n = 2; name_taken(f, out); n++)
        g_snprintf(out, 256, "%.*s-%u%s", MIN(stem, 200), base, n, dot ? dot : "");
}

static JETX_BACKUPFILE *
new_file(struct frozen *f, uint32_t kind, const char *path)
{
    JETX_BACKUPFILE *file = &f->files[f->n_files];
    memset(file, 0, sizeof *file);
    file->cbStruct = sizeof *file;
    file->kind = kind;
    file->mtime_ns = f->mtime_ns;
    g_strlcpy(file->szPath, path, sizeof file->szPath);
    if (path[0])
        choose_name(f, path, file->szName);
    f->n_files++;
    return file;
}

static void
list_database(struct frozen *f, const struct image *image)
{
    JETX_BACKUPFILE *file = new_file(f, JETX_fileDatabase, dbfile_path(image->file));
    file->cbSize = ((uint64_t)image->pgno_last + 3) * image->page_bytes;
    file->pgnoLast = image->pgno_last;
    file->cbPage = image->page_bytes;
    file->inode = stable_inode(&image->header.bytes[DBH_SIGN_DB], 0);
}

static JET_ERR
list_log(struct frozen *f, uint32_t gen)
{
    g_autofree char *path = log_gen_path(f->log, (int32_t)gen);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? JET_errMissingLogFile : os_error(errno);
    struct stat st;
    if (fstat(fd, &st) != 0) {
        close(fd);
        return os_error(errno);
    }
    JETX_BACKUPFILE *file = new_file(f, JETX_fileLog, path);
    file->cbSize = (uint64_t)st.st_size;
    file->genLog = gen;
    file->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    file->inode = stable_inode(log_signature(f->log), gen);
    f->log_fds[f->n_logs++] = fd;
    f->log_bytes += file->cbSize;
    return JET_errSuccess;
}

static void
list_manifest(struct frozen *f)
{
    g_autofree uint8_t(*sign_dbs)[28] = g_malloc0_n(f->n_files + 1, 28);
    for (size_t i = 0; i < f->n_images; i++)
        memcpy(sign_dbs[i], &f->images[i].header.bytes[DBH_SIGN_DB], 28);
    struct manifest m = {.instance = f->instance,
                         .pid = (uint32_t)getpid(),
                         .bk = f->bk,
                         .freeze_lgpos = ((uint64_t)f->bk.gen_high + 1) << 32,
                         .time_ms = f->time_ms,
                         .mode = "frozen",
                         .sign_log = log_signature(f->log),
                         .files = f->files,
                         .sign_dbs = (const uint8_t(*)[28])sign_dbs,
                         .n_files = f->n_files};
    f->manifest = manifest_write(&m);
    JETX_BACKUPFILE *file = new_file(f, JETX_fileGenerated, "");
    g_strlcpy(file->szName, MANIFEST_NAME, sizeof file->szName);
    file->cbSize = strlen(f->manifest);
    file->inode = stable_inode(log_signature(f->log), UINT64_MAX);
}

static JET_ERR
list_all(struct frozen *f)
{
    size_t n_logs = f->bk.gen_high - f->bk.gen_low + 1;
    f->files = g_try_malloc0_n(f->n_images + n_logs + 1, sizeof *f->files);
    f->log_fds = g_try_malloc0_n(n_logs, sizeof *f->log_fds);
    if (!f->files || !f->log_fds)
        return JET_errOutOfMemory;
    for (size_t i = 0; i < f->n_images; i++)
        list_database(f, &f->images[i]);
    for (uint32_t gen = f->bk.gen_low; gen <= f->bk.gen_high; gen++) {
        JET_ERR err = list_log(f, gen);
        if (err < 0)
            return err;
    }
    list_manifest(f);
    return JET_errSuccess;
}

/* ---- begin and end ---- */

/* Everything that takes long, before anybody has to stand still. */
static JET_ERR
prepare(struct frozen *f, const struct frozen_params *params)
{
    JET_ERR err = log_pin(f->log, (int32_t)f->bk.gen_low, &f->pin);
    for (size_t i = 0; err >= 0 && i < params->n_files; i++) {
        f->n_images++;
        err = image_prepare(&f->images[i], params->files[i], params->preimage_dir);
    }
    return err;
}

/* The moment. Nothing is written to the databases between the roll and the hook. */
static JET_ERR
freeze(struct frozen *f)
{
    struct cache_hook hook = {
        .before_overwrite = before_overwrite, .make_room = make_room, .ctx = f};
    int32_t closed = 0;
    uint64_t time_high = 0;
    cache_write_pause(f->cache);
    int64_t start = g_get_monotonic_time();
    JET_ERR err = log_roll(f->log, &closed);
    f->bk.gen_high = (uint32_t)closed;
    f->time_ms = g_get_real_time() / 1000;
    f->mtime_ns = distinct_mtime_ns(f->time_ms);
    if (err >= 0)
        err = log_gen_time(f->log, closed, &time_high);
    for (size_t i = 0; err >= 0 && i < f->n_images; i++)
        err = image_freeze(&f->images[i], &f->bk, time_high);
    if (err >= 0) {
        cache_set_hook(f->cache, &hook);
        f->hooked = true;
    }
    cache_write_resume(f->cache);
    f->freeze_us = (uint64_t)(g_get_monotonic_time() - start);
    return err;
}

JET_ERR
frozen_begin(const struct frozen_params *params, struct frozen **out)
{
    struct frozen *f = g_new0(struct frozen, 1);
    g_mutex_init(&f->lock);
    f->cache = params->cache;
    f->log = params->log;
    f->bk = params->mark;
    f->budget = params->budget_bytes;
    f->instance = g_strdup(params->instance);
    f->died = params->died;
    f->ctx = params->ctx;
    f->images = g_new0(struct image, params->n_files + 1);
    JET_ERR err = prepare(f, params);
    if (err >= 0)
        err = freeze(f);
    if (err >= 0)
        err = list_all(f);
    if (err < 0) {
        frozen_end(f, err);
        return err;
    }
    *out = f;
    return JET_errSuccess;
}

void
frozen_end(struct frozen *f, JET_ERR why)
{
    if (!f)
        return;
    /* First dead, then unhooked: a read still under way must not take an overwritten page for good.
     */
    (void)kill_once(f, why < 0 ? why : JET_errNoBackup);
    if (f->hooked) {
        cache_write_pause(f->cache);
        cache_set_hook(f->cache, NULL);
        cache_write_resume(f->cache);
    }
    for (size_t i = 0; i < f->n_images; i++)
        image_close(&f->images[i]);
    for (size_t i = 0; i < f->n_logs; i++)
        close(f->log_fds[i]);
    g_free(f->log_fds);
    g_free(f->images);
    g_free(f->files);
    g_free(f->manifest);
    g_free(f->instance);
    g_mutex_clear(&f->lock);
    g_free(f);
}

/* ---- reading ---- */

const JETX_BACKUPFILE *
frozen_files(const struct frozen *f, size_t *n)
{
    *n = f->n_files;
    return f->files;
}

const char *
frozen_manifest(const struct frozen *f)
{
    return f->manifest;
}

static JET_ERR
open_log(struct frozen *f, size_t i, const JETX_BACKUPFILE *file, struct frozen_file *out)
{
    int fd = fcntl(f->log_fds[i], F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return os_error(errno);
    *out = FROZEN_FILE_NONE;
    out->kind = JETX_fileLog;
    out->size = file->cbSize;
    out->base_fd = fd;
    return JET_errSuccess;
}

static JET_ERR
open_manifest(struct frozen *f, struct frozen_file *out)
{
    *out = FROZEN_FILE_NONE;
    out->kind = JETX_fileGenerated;
    out->size = strlen(f->manifest);
    out->head = g_bytes_new(f->manifest, strlen(f->manifest));
    return JET_errSuccess;
}

JET_ERR
frozen_open(struct frozen *f, const char *name, struct frozen_file *out)
{
    JET_ERR err = frozen_error(f);
    if (err < 0)
        return err;
    for (size_t i = 0; i < f->n_files; i++) {
        const JETX_BACKUPFILE *file = &f->files[i];
        if (strcmp(name, file->szName) != 0 &&
            (!file->szPath[0] || strcmp(name, file->szPath) != 0))
            continue;
        if (i < f->n_images)
            return image_open(&f->images[i], out);
        return i < f->n_images + f->n_logs ? open_log(f, i - f->n_images, file, out)
                                           : open_manifest(f, out);
    }
    return JET_errFileNotFound;
}

void
frozen_get_stats(struct frozen *f, struct frozen_stats *stats)
{
    size_t clones = 0;
    for (size_t i = 0; i < f->n_images; i++)
        clones += f->images[i].cloned;
    g_mutex_lock(&f->lock);
    *stats = (struct frozen_stats) {
        .begin = f->bk.mark,
        .freeze = {.gen = (int32_t)f->bk.gen_high + 1},
        .gen_low = f->bk.gen_low,
        .gen_high = f->bk.gen_high,
        .freeze_us = f->freeze_us,
        .clones = clones,
        .preimage_bytes = f->dead < 0 ? 0 : f->preimage_bytes,
        .preimage_pages = f->preimage_pages,
        .pinned_log_bytes = f->dead < 0 ? 0 : f->log_bytes,
    };
    g_mutex_unlock(&f->lock);
}

struct bkinfo
frozen_bkinfo(const struct frozen *f)
{
    return f->bk;
}
