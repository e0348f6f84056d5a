/* SPDX-License-Identifier: MIT */
#include "backup_dir.h"

#include "json_get.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST      "backup.json"
#define MANIFEST_MAX  (256u << 20)
#define MARK          ".jetfs-backup.partial" /* this DIR.partial is ours to empty */
#define TEMP_SUFFIX   ".partial"
#define COMPARE_BYTES (1u << 20)

struct backup_dir {
    char *path;      /* DIR */
    char *work_path; /* DIR.partial, or DIR when it is added to */
    int fd;          /* of work_path; locked */
    bool fresh;      /* work_path becomes path */
    bool committed;
    bool incremental;
    uint32_t gen_high;
};

struct backup_dir_file {
    struct backup_dir *dir;
    char *name; /* final */
    char *temp; /* NULL: the file is there, and compared */
    int64_t mtime_ns;
    uint64_t size, at;
    int fd;
};

/* ---- what is there ---- */

/* What the manifests in DIR say together. */
struct present {
    bool any;     /* a file, of whatever kind */
    bool has_set; /* the manifest of its first backup */
    char *signature;
    uint32_t gen_high;
};

static bool
is_manifest(const char *name)
{
    return strcmp(name, MANIFEST) == 0 ||
           (g_str_has_prefix(name, "backup-") && g_str_has_suffix(name, ".json"));
}

static void
look_at_manifest(int dir, const char *name, struct present *p)
{
    struct stat st;
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > MANIFEST_MAX) {
        if (fd >= 0)
            close(fd);
        return;
    }
    g_autofree char *text = g_malloc0((gsize)st.st_size + 1);
    ssize_t n = pread(fd, text, (size_t)st.st_size, 0);
    close(fd);
    g_autoptr(JsonNode) node = n == st.st_size ? json_get_parse(text) : NULL;
    if (node == NULL)
        return;
    JsonObject *root = json_node_get_object(node);
    p->gen_high = MAX(p->gen_high, (uint32_t)json_get_int(root, "genHigh"));
    if (strcmp(name, MANIFEST) != 0)
        return;
    p->has_set = true;
    g_free(p->signature);
    p->signature = g_strdup(json_get_string(root, "logSignature"));
}

/* 0; negative errno. ENOENT is "nothing". */
static int
look(const char *path, struct present *p)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    *p = (struct present) {0};
    if (dir == NULL)
        return errno == ENOENT ? 0 : -errno;
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        p->any = true;
        if (is_manifest(entry->d_name))
            look_at_manifest(fd, entry->d_name, p);
    }
    closedir(dir);
    return 0;
}

/* NULL when the session's logs continue the set. */
static char *
refuse(const char *path, const struct backup_dir_wish *wish, const struct present *p)
{
    if (!p->any)
        return NULL;
    if (!wish->incremental)
        return g_strdup_printf("%s: is not empty: a full backup wants a new directory", path);
    if (!p->has_set)
        return g_strdup_printf("%s: is not empty and has no backup of jetfs: name one that has, or "
                               "a new directory for these logs alone",
                               path);
    if (g_strcmp0(p->signature, wish->log_signature) != 0)
        return g_strdup_printf("%s: is the backup of another instance, or of one that began its "
                               "logs anew: back up in full, into a new directory",
                               path);
    if (wish->gen_low > p->gen_high + 1)
        return g_strdup_printf("%s: logs %u to %u were truncated by another backup and are missing "
                               "here: add that one first, or back up in full",
                               path, p->gen_high + 1, wish->gen_low - 1);
    return NULL;
}

/* ---- open ---- */

static bool
is_left_over(const char *name)
{
    return name[0] == '.' && g_str_has_suffix(name, TEMP_SUFFIX);
}

/* `all`: the directory is ours. Otherwise only what an interrupted run left under temporary names.
 */
static void
remove_files(int dir_fd, bool all)
{
    int fd = dup(dir_fd);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (dir == NULL)
        return;
    rewinddir(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, MARK) != 0 && (all || is_left_over(entry->d_name)))
            (void)unlinkat(dir_fd, entry->d_name, 0);
    }
    closedir(dir);
}

/* A directory of that name that we did not make is left alone, whatever is in it. */
static int
claim_work(struct backup_dir *d)
{
    struct present p;
    if (faccessat(d->fd, MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    int err = look(d->work_path, &p);
    g_free(p.signature);
    if (err < 0 || p.any)
        return err < 0 ? err : -ENOTEMPTY;
    int fd = openat(d->fd, MARK, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}

static int
open_work(struct backup_dir *d)
{
    if (d->fresh && mkdir(d->work_path, 0700) < 0 && errno != EEXIST)
        return -errno;
    d->fd = open(d->work_path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (d->fd < 0)
        return -errno;
    if (flock(d->fd, LOCK_EX | LOCK_NB) < 0)
        return -errno;
    int err = d->fresh ? claim_work(d) : 0;
    if (err == 0)
        remove_files(d->fd, d->fresh);
    return err;
}

bool
backup_dir_open(const char *path, const struct backup_dir_wish *wish, struct backup_dir **out,
                char **message)
{
    struct present p;
    int err = look(path, &p);

    *message = err < 0 ? NULL : refuse(path, wish, &p);
    g_free(p.signature);
    if (*message != NULL)
        return false;
    struct backup_dir *d = g_new0(struct backup_dir, 1);
    d->path = g_strdup(path);
    d->fresh = !p.any;
    d->work_path = d->fresh ? g_strconcat(path, TEMP_SUFFIX, NULL) : g_strdup(path);
    d->incremental = wish->incremental;
    d->gen_high = wish->gen_high;
    d->fd = -1;
    if (err == 0)
        err = open_work(d);
    if (err == 0) {
        *out = d;
        return true;
    }
    *message = err == -EWOULDBLOCK
                   ? g_strdup_printf("%s: another jetfs is writing to it", d->work_path)
               : err == -ENOTEMPTY
                   ? g_strdup_printf("%s: is not empty and not of a backup that was interrupted: "
                                     "move it away, or back up under another name",
                                     d->work_path)
                   : g_strdup_printf("%s: %s", d->work_path, g_strerror(-err));
    d->committed = true; /* nothing of ours to remove */
    backup_dir_close(d);
    return false;
}

/* ---- files ---- */

static char *
name_in_dir(const struct backup_dir *d, const struct backup_file *file)
{
    if (!d->fresh && d->incremental && strcmp(file->name, MANIFEST) == 0)
        return g_strdup_printf("backup-%08X.json", d->gen_high);
    return g_strdup(file->name);
}

int
backup_dir_file_open(struct backup_dir *d, const struct backup_file *file,
                     struct backup_dir_file **out)
{
    struct backup_dir_file *f = g_new0(struct backup_dir_file, 1);
    struct stat st;
    int err = 0;

    f->dir = d;
    f->name = name_in_dir(d, file);
    f->size = file->size;
    f->mtime_ns = file->mtime_ns;
    f->fd = openat(d->fd, f->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (f->fd >= 0) {
        err = fstat(f->fd, &st) < 0 ? -errno : 0;
        if (err == 0 && (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != file->size))
            err = -EEXIST;
    } else if (errno == ENOENT) {
        f->temp = g_strdup_printf(".%s" TEMP_SUFFIX, f->name);
        f->fd = openat(d->fd, f->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        err = f->fd < 0 ? -errno : 0;
    } else {
        err = errno == ELOOP ? -EEXIST : -errno;
    }
    if (err < 0) {
        backup_dir_file_drop(f);
        return err;
    }
    *out = f;
    return 0;
}

static int
compare(struct backup_dir_file *f, const uint8_t *data, size_t len)
{
    g_autofree uint8_t *there = g_malloc(COMPARE_BYTES);

    for (size_t done = 0; done < len;) {
        ssize_t n = pread(f->fd, there, MIN(len - done, COMPARE_BYTES), (off_t)(f->at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0 || memcmp(there, data + done, (size_t)n) != 0)
            return -EEXIST;
        done += (size_t)n;
    }
    return 0;
}

static int
append(struct backup_dir_file *f, const uint8_t *data, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite(f->fd, data + done, len - done, (off_t)(f->at + done));
        if (n < 0 && errno != EINTR)
            return -errno;
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int
backup_dir_file_write(struct backup_dir_file *f, const void *data, size_t len)
{
    int err = f->temp != NULL ? append(f, data, len) : compare(f, data, len);
    if (err == 0)
        f->at += len;
    return err;
}

int
backup_dir_file_finish(struct backup_dir_file *f)
{
    struct timespec times[2] = {
        {.tv_nsec = UTIME_NOW},
        {.tv_sec = f->mtime_ns / 1000000000, .tv_nsec = f->mtime_ns % 1000000000}};
    int err = f->at == f->size ? 0 : -EIO;

    if (err == 0 && f->temp != NULL) {
        if (futimens(f->fd, times) < 0 || fsync(f->fd) < 0 ||
            renameat(f->dir->fd, f->temp, f->dir->fd, f->name) < 0)
            err = -errno;
        else
            g_clear_pointer(&f->temp, g_free);
    }
    backup_dir_file_drop(f);
    return err;
}

void
backup_dir_file_drop(struct backup_dir_file *f)
{
    if (f == NULL)
        return;
    if (f->temp != NULL)
        (void)unlinkat(f->dir->fd, f->temp, 0);
    if (f->fd >= 0)
        close(f->fd);
    g_free(f->temp);
    g_free(f->name);
    g_free(f);
}

/* ---- commit ---- */

static int
sync_parent(const char *path)
{
    g_autofree char *parent = g_path_get_dirname(path);
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int err = fd < 0 || fsync(fd) < 0 ? -errno : 0;

    if (fd >= 0)
        close(fd);
    return err;
}

int
backup_dir_commit(struct backup_dir *d)
{
    if (fsync(d->fd) < 0)
        return -errno;
    if (d->fresh && rename(d->work_path, d->path) < 0) /* an empty directory there is replaced */
        return -errno;
    d->committed = true;
    (void)unlinkat(d->fd, MARK, 0);
    return d->fresh ? sync_parent(d->path) : 0;
}

void
backup_dir_close(struct backup_dir *d)
{
    if (d == NULL)
        return;
    if (!d->committed && d->fresh) {
        remove_files(d->fd, true);
        (void)unlinkat(d->fd, MARK, 0);
        (void)rmdir(d->work_path);
    }
    if (d->fd >= 0)
        close(d->fd);
    g_free(d->path);
    g_free(d->work_path);
    g_free(d);
}
