/* SPDX-License-Identifier: MIT */
#include "ops.h"

#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { INO_ROOT = 1, INO_CONTROL = 2, INO_STATUS = 3, INO_FIRST_FILE = 16 };

#define FOREVER_S   86400.0
#define BLOCK_BYTES (1u << 20)

/* An open file. A reader may close it as soon as it has the last answer, before we are done with
 * it. */
struct handle {
    gint uses; /* atomic: one of the kernel, one of each read under way */
    struct ops_context *c;
    struct backup_file *file; /* NULL: the status */
    struct window *window;    /* NULL: straight reads */
    char *text;               /* of the status, as it was when it was opened */
};

static struct ops_context *
context(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

static struct backup_file *
file_of(const struct ops_context *c, fuse_ino_t ino)
{
    if (ino < INO_FIRST_FILE || ino - INO_FIRST_FILE >= c->backup->files->len)
        return NULL;
    return c->backup->files->pdata[ino - INO_FIRST_FILE];
}

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
    const struct backup_file *file = file_of(c, ino);

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

static fuse_ino_t
ino_by_name(const struct ops_context *c, fuse_ino_t parent, const char *name)
{
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

static void
op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct ops_context *c = context(req);
    struct fuse_entry_param entry = {.entry_timeout = FOREVER_S};

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        entry.ino = INO_ROOT;
    else
        entry.ino = ino_by_name(c, parent, name);
    if (entry.ino == 0) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    entry.attr_timeout = timeout_of(entry.ino);
    (void)fill_stat(c, entry.ino, &entry.attr);
    fuse_reply_entry(req, &entry);
}

static void
op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct stat st;

    if (fill_stat(context(req), ino, &st))
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
    const struct ops_context *c = context(req);
    g_autofree char *buf = g_try_malloc(size);
    size_t used = 0;
    const char *name;
    fuse_ino_t ino;

    if (buf == NULL) {
        fuse_reply_err(req, ENOMEM);
        return;
    }
    for (size_t k = (size_t)off; dir_entry(c, dir, k, &name, &ino); k++) {
        struct fuse_entry_param entry = {.ino = ino, .entry_timeout = FOREVER_S};
        (void)fill_stat(c, ino, &entry.attr);
        entry.attr_timeout = timeout_of(ino);
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

static JET_ERR
read_block(void *ctx, uint64_t off, void *buf, uint32_t len)
{
    struct handle *handle = ctx;
    return backup_read(handle->c->backup, handle->file, off, buf, len);
}

static void
handle_drop(struct handle *handle)
{
    if (!g_atomic_int_dec_and_test(&handle->uses))
        return;
    window_close(handle->window);
    g_free(handle->text);
    g_free(handle);
}

static void
kernel_holds(struct handle *handle, bool holds)
{
    struct ops_context *c = handle->c;

    g_mutex_lock(&c->lock);
    if (holds)
        g_hash_table_add(c->open, handle);
    else
        g_hash_table_remove(c->open, handle);
    g_mutex_unlock(&c->lock);
}

static void
handle_release(struct handle *handle)
{
    kernel_holds(handle, false);
    handle_drop(handle);
}

static void
reply_open(fuse_req_t req, struct handle *handle, struct fuse_file_info *fi)
{
    g_atomic_int_set(&handle->uses, 1); /* from here on the threads that read see what is in it */
    kernel_holds(handle, true);
    fi->fh = (uintptr_t)handle;
    if (fuse_reply_open(req, fi) < 0)
        handle_release(handle);
}

static void
open_status(fuse_req_t req, struct ops_context *c, struct fuse_file_info *fi)
{
    struct handle *handle = g_new0(struct handle, 1);

    handle->c = c;
    handle->text = c->status_text(c->ctx);
    fi->direct_io = 1;
    reply_open(req, handle, fi);
}

static void
open_file(fuse_req_t req, struct ops_context *c, struct backup_file *file,
          struct fuse_file_info *fi)
{
    JET_ERR err = backup_file_open(c->backup, file);
    if (err < 0) {
        fuse_reply_err(req, exit_errno(err));
        return;
    }
    struct handle *handle = g_new0(struct handle, 1);
    handle->c = c;
    handle->file = file;
    if (c->cache != CACHE_DIRECT && file->text == NULL) {
        struct window_source source = {read_block, handle, file->size};
        handle->window = window_open(c->workers, &source);
    }
    fi->direct_io = c->cache != CACHE_PAGE;
    fi->keep_cache = c->cache == CACHE_PAGE;
    reply_open(req, handle, fi);
}

static void
op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct ops_context *c = context(req);
    struct backup_file *file = file_of(c, ino);

    if ((fi->flags & O_ACCMODE) != O_RDONLY)
        fuse_reply_err(req, EROFS);
    else if (ino == INO_STATUS)
        open_status(req, c, fi);
    else if (file == NULL)
        fuse_reply_err(req, EISDIR);
    else
        open_file(req, c, file, fi);
}

static void
op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    handle_release((struct handle *)(uintptr_t)fi->fh);
    fuse_reply_err(req, 0);
}

static void
read_status(fuse_req_t req, const char *text, size_t size, off_t off)
{
    size_t len = strlen(text);

    if ((size_t)off >= len)
        fuse_reply_buf(req, NULL, 0);
    else
        fuse_reply_buf(req, text + off, MIN(size, len - (size_t)off));
}

struct reply {
    fuse_req_t req;
    const struct iovec *iov;
    int n_iov;
};

static int
send_reply(void *ctx)
{
    const struct reply *reply = ctx;
    return fuse_reply_iov(reply->req, reply->iov, reply->n_iov);
}

static void
read_window(fuse_req_t req, struct handle *handle, size_t size, off_t off)
{
    struct window_answer answer;

    JET_ERR err =
        window_read(handle->window, (uint64_t)off, MIN(size, WINDOW_BLOCK_BYTES), &answer);
    if (err < 0) {
        fuse_reply_err(req, exit_errno(err));
        return;
    }
    struct reply reply = {req, answer.iov, answer.n_iov};
    backup_deliver(handle->c->backup, handle->file, (uint64_t)off, answer.bytes, send_reply,
                   &reply);
    window_release(handle->window, &answer);
}

static void
read_straight(fuse_req_t req, struct handle *handle, size_t size, off_t off)
{
    uint64_t left = handle->file->size > (uint64_t)off ? handle->file->size - (uint64_t)off : 0;
    size_t len = MIN(MIN(size, WINDOW_BLOCK_BYTES), left);
    g_autofree void *buf = len == 0 ? NULL : g_try_malloc(len);

    if (len > 0 && buf == NULL) {
        fuse_reply_err(req, ENOMEM);
        return;
    }
    JET_ERR err = len == 0 ? JET_errSuccess : read_block(handle, (uint64_t)off, buf, (uint32_t)len);
    if (err < 0) {
        fuse_reply_err(req, exit_errno(err));
        return;
    }
    struct iovec iov = {buf, len};
    struct reply reply = {req, &iov, 1};
    backup_deliver(handle->c->backup, handle->file, (uint64_t)off, len, send_reply, &reply);
}

static void
op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
    struct handle *handle = (struct handle *)(uintptr_t)fi->fh;

    g_atomic_int_inc(&handle->uses);
    if (handle->text != NULL)
        read_status(req, handle->text, size, off);
    else if (handle->window != NULL)
        read_window(req, handle, size, off);
    else
        read_straight(req, handle, size, off);
    handle_drop(handle);
}

static void
op_statfs(fuse_req_t req, fuse_ino_t ino)
{
    const struct ops_context *c = context(req);
    uint64_t bytes = 0;

    for (guint i = 0; i < c->backup->files->len; i++)
        bytes += ((const struct backup_file *)c->backup->files->pdata[i])->size;
    struct statvfs st = {
        .f_bsize = BLOCK_BYTES,
        .f_frsize = 4096,
        .f_blocks = (bytes + 4095) / 4096,
        .f_files = c->backup->files->len,
        .f_namemax = 255,
    };
    fuse_reply_statfs(req, &st);
}

/* There are no holes: every byte of a database is a page's, and a copy must have read them all. */
static void
op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi)
{
    const struct backup_file *file = file_of(context(req), ino);

    if (file == NULL || (whence != SEEK_DATA && whence != SEEK_HOLE))
        fuse_reply_err(req, EINVAL);
    else if (off < 0 || (uint64_t)off >= file->size)
        fuse_reply_err(req, ENXIO);
    else
        fuse_reply_lseek(req, whence == SEEK_DATA ? off : (off_t)file->size);
}

/* One attribute: which generation a log is, or which kind a file has. */
static char *
attribute(const struct backup_file *file, const char *name)
{
    static const char *const kinds[] = {"", "database", "log", "generated"};

    if (file == NULL)
        return NULL;
    if (strcmp(name, "user.jetfs.kind") == 0)
        return g_strdup(kinds[file->kind]);
    if (strcmp(name, "user.jetfs.generation") == 0 && file->kind == FILE_LOG)
        return g_strdup_printf("%u", file->generation);
    return NULL;
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

static void
op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
    g_autofree char *value = attribute(file_of(context(req), ino), name);

    if (value == NULL)
        fuse_reply_err(req, ENODATA);
    else
        reply_value(req, value, strlen(value), size);
}

static void
op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
    static const char names[] = "user.jetfs.kind\0user.jetfs.generation";
    const struct backup_file *file = file_of(context(req), ino);
    size_t len = file == NULL             ? 0
                 : file->kind == FILE_LOG ? sizeof names
                                          : sizeof "user.jetfs.kind";

    reply_value(req, names, len, size);
}

static void
op_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg, struct fuse_file_info *fi,
         unsigned flags, const void *in_buf, size_t in_bytes, size_t out_bytes)
{
    struct ops_context *c = context(req);
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
    c->ready(c->ctx);
}

void
ops_init(struct ops_context *c)
{
    g_mutex_init(&c->lock);
    c->open = g_hash_table_new(NULL, NULL);
}

void
ops_deinit(struct ops_context *c)
{
    GHashTableIter iter;
    gpointer handle;

    if (c->open == NULL)
        return;
    g_hash_table_iter_init(&iter, c->open);
    while (g_hash_table_iter_next(&iter, &handle, NULL))
        handle_drop(handle);
    g_clear_pointer(&c->open, g_hash_table_unref);
    g_mutex_clear(&c->lock);
}

const struct fuse_lowlevel_ops ops_table = {
    .init = op_init,
    .lookup = op_lookup,
    .getattr = op_getattr,
    .opendir = op_opendir,
    .readdir = op_readdir,
    .readdirplus = op_readdirplus,
    .open = op_open,
    .read = op_read,
    .release = op_release,
    .statfs = op_statfs,
    .lseek = op_lseek,
    .getxattr = op_getxattr,
    .listxattr = op_listxattr,
    .ioctl = op_ioctl,
};
