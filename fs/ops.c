/* SPDX-License-Identifier: MIT */
#include "ops.h"

#include "attributes.h"
#include "control.h"
#include "ops_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FOREVER_S   86400.0
#define BLOCK_BYTES (1u << 20)

static void
set_times(struct stat *st, int64_t ns)
{
    struct timespec at = {ns / 1000000000, ns % 1000000000};

    if (at.tv_nsec < 0) {
        at.tv_sec--;
        at.tv_nsec += 1000000000;
    }
    st->st_atim = st->st_mtim = st->st_ctim = at;
}

static void
fill_file(const struct backup_file *file, struct stat *st)
{
    st->st_ino = file->inode;
    st->st_mode = S_IFREG | 0400;
    st->st_nlink = 1;
    st->st_size = (off_t)file->size;
    st->st_blocks = (blkcnt_t)((file->size + 511) / 512);
    set_times(st, file->mtime_ns);
}

/* False when there is no such inode. */
static bool
fill_stat(const struct ops_context *c, fuse_ino_t ino, struct stat *st)
{
    const struct backup_file *file = ops_file(c, ino);

    *st = (struct stat) {.st_uid = geteuid(), .st_gid = getegid(), .st_blksize = BLOCK_BYTES};
    set_times(st, c->mounted_us * 1000);
    if (file != NULL) {
        fill_file(file, st);
        return true;
    }
    st->st_ino = ino;
    if (ino == INO_ROOT || ino == INO_CONTROL) {
        st->st_mode = S_IFDIR | 0500;
        st->st_nlink = 2;
        return true;
    }
    if (ino != INO_STATUS)
        return false;
    g_autofree char *text = c->status_text(c->ctx);
    st->st_mode = S_IFREG | 0400;
    st->st_nlink = 1;
    st->st_size = (off_t)strlen(text);
    set_times(st, g_get_real_time() * 1000);
    return true;
}

/* "." is asked for by the kernel's NFS server, of files as well. */
static fuse_ino_t
ino_by_name(const struct ops_context *c, fuse_ino_t parent, const char *name)
{
    if (strcmp(name, ".") == 0)
        return parent;
    if (strcmp(name, "..") == 0)
        return INO_ROOT;
    if (parent == INO_CONTROL)
        return strcmp(name, CONTROL_STATUS) == 0 ? INO_STATUS : 0;
    if (parent != INO_ROOT)
        return 0;
    if (strcmp(name, CONTROL_DIR) == 0)
        return INO_CONTROL;
    for (guint i = 0; i < c->backup->files->len; i++) {
        const struct backup_file *file = c->backup->files->pdata[i];
        if (strcmp(file->name, name) == 0)
            return INO_FIRST_FILE + i;
    }
    return 0;
}

static double
timeout_of(fuse_ino_t ino)
{
    return ino == INO_STATUS ? 0 : FOREVER_S;
}

/* A generation of its own for each mount: a handle that an NFS client keeps of an older one is
 * stale. */
static bool
fill_entry(const struct ops_context *c, fuse_ino_t ino, struct fuse_entry_param *entry)
{
    *entry = (struct fuse_entry_param) {
        .ino = ino,
        .generation = (uint64_t)c->mounted_us,
        .entry_timeout = FOREVER_S,
        .attr_timeout = timeout_of(ino),
    };
    return ino != 0 && fill_stat(c, ino, &entry->attr);
}

static void
op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct ops_context *c = ops_of(req);
    struct fuse_entry_param entry;

    if (fill_entry(c, ino_by_name(c, parent, name), &entry))
        fuse_reply_entry(req, &entry);
    else if (strlen(name) > NAME_MAX)
        fuse_reply_err(req, ENAMETOOLONG);
    else
        fuse_reply_err(req, ENOENT);
}

static void
op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct stat st;

    if (fill_stat(ops_of(req), ino, &st))
        fuse_reply_attr(req, &st, timeout_of(ino));
    else
        fuse_reply_err(req, ENOENT);
}

/* Position k of a listing is entry k: ".", "..", then the files. */
static bool
dir_entry(const struct ops_context *c, fuse_ino_t dir, size_t k, const char **name, fuse_ino_t *ino)
{
    if (k < 2) {
        *name = k == 0 ? "." : "..";
        *ino = k == 0 ? dir : INO_ROOT;
        return true;
    }
    k -= 2;
    if (dir == INO_CONTROL) {
        *name = CONTROL_STATUS;
        *ino = INO_STATUS;
        return k == 0;
    }
    if (k >= c->backup->files->len)
        return false;
    *name = ((const struct backup_file *)c->backup->files->pdata[k])->name;
    *ino = INO_FIRST_FILE + k;
    return true;
}

static void
list(fuse_req_t req, fuse_ino_t dir, size_t size, off_t off, bool plus)
{
    const struct ops_context *c = ops_of(req);
    g_autofree char *buf = g_try_malloc(size);
    size_t used = 0;
    const char *name;
    fuse_ino_t ino;

    if (buf == NULL) {
        fuse_reply_err(req, ENOMEM);
        return;
    }
    for (size_t k = (size_t)off; dir_entry(c, dir, k, &name, &ino); k++) {
        struct fuse_entry_param entry;
        (void)fill_entry(c, ino, &entry);
        size_t n =
            plus ? fuse_add_direntry_plus(req, buf + used, size - used, name, &entry, (off_t)k + 1)
                 : fuse_add_direntry(req, buf + used, size - used, name, &entry.attr, (off_t)k + 1);
        if (n > size - used)
            break;
        used += n;
    }
    fuse_reply_buf(req, buf, used);
}

static void
op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    if (ino != INO_ROOT && ino != INO_CONTROL) {
        fuse_reply_err(req, ENOTDIR);
        return;
    }
    fi->cache_readdir = 1;
    fi->keep_cache = 1;
    fuse_reply_open(req, fi);
}

static void
op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
    list(req, ino, size, off, false);
}

static void
op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
    list(req, ino, size, off, true);
}

static void
op_statfs(fuse_req_t req, fuse_ino_t ino)
{
    const struct ops_context *c = ops_of(req);
    uint64_t bytes = 0;

    for (guint i = 0; i < c->backup->files->len; i++)
        bytes += ((const struct backup_file *)c->backup->files->pdata[i])->size;
    struct statvfs st = {
        .f_bsize = BLOCK_BYTES,
        .f_frsize = 4096,
        .f_blocks = (bytes + 4095) / 4096,
        .f_files = c->backup->files->len,
        .f_namemax = NAME_MAX,
    };
    fuse_reply_statfs(req, &st);
}

/* There are no holes: every byte of a database is a page's, and a copy must have read them all. */
static void
op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi)
{
    uint64_t size = ops_open_size(fi);

    if (whence != SEEK_DATA && whence != SEEK_HOLE)
        fuse_reply_err(req, EINVAL);
    else if (off < 0 || (uint64_t)off >= size)
        fuse_reply_err(req, ENXIO);
    else
        fuse_reply_lseek(req, whence == SEEK_DATA ? off : (off_t)size);
}

static void
reply_value(fuse_req_t req, const char *value, size_t len, size_t size)
{
    if (size == 0)
        fuse_reply_xattr(req, len);
    else if (size < len)
        fuse_reply_err(req, ERANGE);
    else
        fuse_reply_buf(req, value, len);
}

/* The root and the files have attributes, what is under .jetfs has none. */
static bool
has_attributes(const struct ops_context *c, fuse_ino_t ino, struct backup_file **file)
{
    *file = ops_file(c, ino);
    return *file != NULL || ino == INO_ROOT;
}

static void
op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
    const struct ops_context *c = ops_of(req);
    struct backup_file *file;
    g_autofree char *value =
        has_attributes(c, ino, &file) ? attributes_value(c->backup, file, name) : NULL;

    if (value == NULL)
        fuse_reply_err(req, ENODATA);
    else
        reply_value(req, value, strlen(value), size);
}

static void
op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
    const struct ops_context *c = ops_of(req);
    struct backup_file *file;

    if (!has_attributes(c, ino, &file)) {
        reply_value(req, NULL, 0, size);
        return;
    }
    g_autoptr(GByteArray) names = attributes_names(c->backup, file);
    reply_value(req, (const char *)names->data, names->len, size);
}

static void
op_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg, struct fuse_file_info *fi,
         unsigned flags, const void *in_buf, size_t in_bytes, size_t out_bytes)
{
    struct ops_context *c = ops_of(req);
    uint32_t word;

    if (ino != INO_STATUS || cmd != CONTROL_END || in_bytes < sizeof word) {
        fuse_reply_err(req, ENOTTY);
        return;
    }
    uid_t uid = fuse_req_ctx(req)->uid;
    if (uid != 0 && uid != geteuid()) {
        fuse_reply_err(req, EPERM);
        return;
    }
    memcpy(&word, in_buf, sizeof word);
    c->control(c->ctx, word);
    fuse_reply_ioctl(req, 0, NULL, 0);
}

static void
op_init(void *userdata, struct fuse_conn_info *conn)
{
    struct ops_context *c = userdata;

    conn->max_read = WINDOW_BLOCK_BYTES;
    conn->max_readahead = MIN(conn->max_readahead, WINDOW_BLOCK_BYTES);
    conn->want &= ~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
    conn->want |= conn->capable & FUSE_CAP_EXPORT_SUPPORT;
    c->ready(c->ctx);
}

const struct fuse_lowlevel_ops ops_table = {
    .init = op_init,
    .lookup = op_lookup,
    .getattr = op_getattr,
    .opendir = op_opendir,
    .readdir = op_readdir,
    .readdirplus = op_readdirplus,
    .open = ops_open,
    .read = ops_read,
    .release = ops_release,
    .statfs = op_statfs,
    .lseek = op_lseek,
    .getxattr = op_getxattr,
    .listxattr = op_listxattr,
    .ioctl = op_ioctl,
};
