/* SPDX-License-Identifier: MIT */
/*
 * frozen_list: the files of a frozen session, as copy tools shall see them, and its manifest.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/frozen_state.h"
#include "backup/manifest.h"
#include "log/stream.h"
#include "os/file.h"

/*
 * rsync takes a file of the same size and the same second for unchanged. So no two sessions of this
 * process give a database the same second.
 */
int64_t
frozen_distinct_mtime_ns(int64_t now_ms)
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

JET_ERR
frozen_list_all(struct frozen *f)
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
