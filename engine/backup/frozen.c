/* SPDX-License-Identifier: MIT */
#include "backup/frozen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "backup/image.h"
#include "backup/manifest.h"
#include "backup/watch.h"
#include "cache/cache.h"
#include "log/logtime.h"
#include "log/stream.h"
#include "os/file.h"

#define RESERVE_LOGS 4       /* log files' worth of room that a session never takes */
#define LOGS_US      1000000 /* logs are rolled without a word to us: how often to look */

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
    bool incremental;
    struct bkinfo bk;
    int64_t time_ms;  /* of the freeze */
    int64_t mtime_ns; /* of the files that are new in each session */
    uint64_t freeze_us;
    bool hooked;
    void (*died)(void *ctx, JET_ERR err, enum limit_kind over, const struct limit *limit);
    void (*warned)(void *ctx, enum limit_kind kind, const struct limit *limit);
    void *ctx;
    struct watch *watch; /* atomic: NULL until there is one */
    _Atomic int64_t last_read_us;

    GMutex lock; /* guards these */
    JET_ERR dead;
    struct log_pin *pin;
    uint32_t pin_gen; /* logs from here on stay */
    uint64_t preimage_bytes, preimage_pages;
    struct limits limits;
};

/* Returns whether this call killed it. */
static bool
kill_locked(struct frozen *f, JET_ERR err)
{
    if (f->dead < 0)
        return false;
    f->dead = err;
    for (size_t i = 0; i < f->n_images; i++)
        image_kill(&f->images[i], err);
    log_unpin(f->log, g_steal_pointer(&f->pin));
    return true;
}

void
frozen_kill(struct frozen *f, JET_ERR err)
{
    g_mutex_lock(&f->lock);
    (void)kill_locked(f, err);
    g_mutex_unlock(&f->lock);
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
        f->pin_gen = gen;
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

/* Dies by itself, of an error or of a limit, and tells. */
static void
die(struct frozen *f, JET_ERR why, enum limit_kind over)
{
    struct limit limit = {0};
    g_mutex_lock(&f->lock);
    bool first = kill_locked(f, JET_errBackupAbortByServer);
    if (first && over != LIMIT_NONE) {
        (void)limits_exceed(&f->limits, over);
        limit = f->limits.of[over];
    }
    g_mutex_unlock(&f->lock);
    if (first && f->died)
        f->died(f->ctx, why, over, &limit);
}

/* ---- limits ---- */

static uint64_t
pinned_bytes_locked(const struct frozen *f)
{
    return f->dead < 0 ? 0 : ((uint64_t)log_gen(f->log) - f->pin_gen) * log_file_bytes(f->log);
}

void
frozen_note_read(struct frozen *f)
{
    atomic_store_explicit(&f->last_read_us, watch_now_us(), memory_order_relaxed);
}

/* The watch: what is used now, and when to look again. */
static int64_t
look(void *ctx, int64_t now_us)
{
    struct frozen *f = ctx;
    struct limit said[LIMITS];
    g_mutex_lock(&f->lock);
    if (f->dead < 0) {
        g_mutex_unlock(&f->lock);
        return INT64_MAX;
    }
    int64_t read_us = atomic_load_explicit(&f->last_read_us, memory_order_relaxed);
    struct limit_verdict verdict =
        limits_check(&f->limits, now_us, read_us, f->preimage_bytes, pinned_bytes_locked(f));
    int64_t next_us = limits_next_us(&f->limits, read_us);
    memcpy(said, f->limits.of, sizeof said);
    enum limit_kind over = f->limits.over;
    bool first = verdict.ends && kill_locked(f, JET_errBackupAbortByServer);
    g_mutex_unlock(&f->lock);

    for (unsigned i = 0; f->warned && i < verdict.n_warnings; i++)
        f->warned(f->ctx, verdict.warnings[i].kind, &said[verdict.warnings[i].kind]);
    if (first && f->died)
        f->died(f->ctx, JET_errBackupAbortByServer, over, &said[over]);
    return said[LIMIT_PINNED_LOG].max > 0 ? MIN(next_us, now_us + LOGS_US) : next_us;
}

static uint64_t
free_bytes(const struct statvfs *st)
{
    return (uint64_t)st->f_bavail * st->f_frsize;
}

/* Of the fullest of the disks that hold preimages. */
static uint64_t
free_for_preimages(const struct frozen *f)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < f->n_images; i++) {
        struct statvfs st;
        if (fstatvfs(f->images[i].side_fd, &st) == 0)
            least = MIN(least, free_bytes(&st));
    }
    return least;
}

static uint64_t
free_for_logs(const struct frozen *f)
{
    g_autofree char *path = log_gen_path(f->log, (int32_t)f->pin_gen);
    struct statvfs st;
    return statvfs(path, &st) == 0 ? free_bytes(&st) : UINT64_MAX;
}

/* A limit in bytes: the tighter of the two ways to say it. 1 is the tightest: 0 would be none. */
static uint64_t
byte_limit(uint64_t bytes, uint32_t percent, uint64_t room, uint64_t used)
{
    if (percent == 0 || room == UINT64_MAX)
        return bytes;
    uint64_t share = MAX(used + room / 100 * percent, 1);
    return bytes == 0 ? share : MIN(bytes, share);
}

static void
resolve_locked(const struct frozen *f, const struct frozen_limits *l, uint64_t max[LIMITS])
{
    max[LIMIT_AGE] = l->age_us;
    max[LIMIT_IDLE] = l->idle_us;
    max[LIMIT_PREIMAGE] = byte_limit(l->preimage_bytes, l->preimage_percent, free_for_preimages(f),
                                     f->preimage_bytes);
    max[LIMIT_PINNED_LOG] = byte_limit(l->pinned_log_bytes, l->pinned_log_percent, free_for_logs(f),
                                       pinned_bytes_locked(f));
}

void
frozen_tighten(struct frozen *f, const struct frozen_limits *tighter)
{
    uint64_t max[LIMITS];
    g_mutex_lock(&f->lock);
    resolve_locked(f, tighter, max);
    limits_tighten(&f->limits, max);
    g_mutex_unlock(&f->lock);
    watch_wake(f->watch);
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
    if (fstatvfs(image->side_fd, &st) == 0 && free_bytes(&st) < reserve)
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
    die(f, JET_errDiskFull, LIMIT_NONE);
    return true;
}

/* How much more the preimages may take. */
static uint64_t
preimage_room(struct frozen *f)
{
    g_mutex_lock(&f->lock);
    uint64_t max = f->limits.of[LIMIT_PREIMAGE].max, used = f->preimage_bytes;
    g_mutex_unlock(&f->lock);
    return max == 0 ? UINT64_MAX : max > used ? max - used : 0;
}

static void
count_preimages(struct frozen *f, uint64_t bytes, uint32_t page_bytes)
{
    g_mutex_lock(&f->lock);
    f->preimage_bytes += bytes;
    f->preimage_pages += bytes / page_bytes;
    f->limits.of[LIMIT_PREIMAGE].used = f->preimage_bytes;
    bool due = limits_is_due(&f->limits, LIMIT_PREIMAGE, f->preimage_bytes);
    g_mutex_unlock(&f->lock);
    struct watch *watch = g_atomic_pointer_get(&f->watch);
    if (due && watch)
        watch_wake(watch);
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

    uint64_t bytes = 0;
    JET_ERR err = is_short_of_room(f, &f->images[i])
                      ? JET_errDiskFull
                      : image_save(&f->images[i], pgnos, n, preimage_room(f), &bytes);
    if (bytes > 0)
        count_preimages(f, bytes, f->images[i].page_bytes);
    if (err < 0)
        die(f, err, err == JET_errBackupAbortByServer ? LIMIT_PREIMAGE : LIMIT_NONE);
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
        return errno == ENOENT ? JET_errMissingFileToBackup : os_error(errno);
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
                         .incremental = f->incremental,
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
    f->pin_gen = f->bk.gen_low;
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

/* From here on the limits hold; the hook has been at work for a moment. */
static JET_ERR
start_watch(struct frozen *f, const struct frozen_limits *limits)
{
    struct watch *watch = NULL;
    uint64_t max[LIMITS];
    g_mutex_lock(&f->lock);
    resolve_locked(f, limits, max);
    limits_init(&f->limits, max, watch_now_us());
    g_mutex_unlock(&f->lock);
    frozen_note_read(f);
    JET_ERR err = watch_start(look, f, &watch);
    if (err >= 0)
        g_atomic_pointer_set(&f->watch, watch);
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
    f->incremental = params->incremental;
    f->instance = g_strdup(params->instance);
    limits_init(&f->limits, (const uint64_t[LIMITS]) {0}, watch_now_us());
    f->died = params->died;
    f->warned = params->warned;
    f->ctx = params->ctx;
    f->images = g_new0(struct image, params->n_files + 1);
    JET_ERR err = prepare(f, params);
    if (err >= 0)
        err = freeze(f);
    if (err >= 0)
        err = list_all(f);
    if (err >= 0)
        err = start_watch(f, &params->limits);
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
    frozen_kill(f, why < 0 ? why : JET_errNoBackup);
    if (f->hooked) {
        cache_write_pause(f->cache);
        cache_set_hook(f->cache, NULL);
        cache_write_resume(f->cache);
    }
    watch_stop(f->watch);
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

/* What the clock says of a session that lives. */
static void
refresh_limits(const struct frozen *f, struct limits *limits)
{
    int64_t now = watch_now_us();
    if (f->dead < 0)
        return;
    limits->of[LIMIT_AGE].used = (uint64_t)(now - limits->begin_us);
    limits->of[LIMIT_IDLE].used = (uint64_t)MAX(now - f->last_read_us, 0);
    limits->of[LIMIT_PREIMAGE].used = f->preimage_bytes;
    limits->of[LIMIT_PINNED_LOG].used = pinned_bytes_locked(f);
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
        .pinned_log_bytes = pinned_bytes_locked(f),
        .limits = f->limits,
    };
    refresh_limits(f, &stats->limits);
    g_mutex_unlock(&f->lock);
}

struct bkinfo
frozen_bkinfo(const struct frozen *f)
{
    return f->bk;
}
