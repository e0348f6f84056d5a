/* SPDX-License-Identifier: MIT */
#include "ops_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* An open file. A reader may close it as soon as it has the last answer, before we are done with
 * it. */
struct handle {
    gint uses; /* atomic: one of the kernel, one of each read under way */
    struct ops_context *c;
    struct backup_file *file; /* NULL: the status */
    struct window *window;    /* NULL: straight reads */
    char *text;               /* of the status, as it was when it was opened */
};

struct ops_context *
ops_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

struct backup_file *
ops_file(const struct ops_context *c, fuse_ino_t ino)
{
    if (ino < INO_FIRST_FILE || ino - INO_FIRST_FILE >= c->backup->files->len)
        return NULL;
    return c->backup->files->pdata[ino - INO_FIRST_FILE];
}

uint64_t
ops_open_size(const struct fuse_file_info *fi)
{
    const struct handle *handle = (const struct handle *)(uintptr_t)fi->fh;
    return handle->text != NULL ? strlen(handle->text) : handle->file->size;
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

void
ops_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct ops_context *c = ops_of(req);
    struct backup_file *file = ops_file(c, ino);

    if ((fi->flags & O_ACCMODE) != O_RDONLY)
        fuse_reply_err(req, EROFS);
    else if (ino == INO_STATUS)
        open_status(req, c, fi);
    else if (file == NULL)
        fuse_reply_err(req, EISDIR);
    else
        open_file(req, c, file, fi);
}

void
ops_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
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

void
ops_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
    struct handle *handle = (struct handle *)(uintptr_t)fi->fh;

    g_atomic_int_inc(&handle->uses);
    if (handle->text != NULL)
        read_status(req, handle->text, size, off);
    else if (backup_is_over(handle->c->backup)) /* also what a window still has */
        fuse_reply_err(req, EIO);
    else if (handle->window != NULL)
        read_window(req, handle, size, off);
    else
        read_straight(req, handle, size, off);
    handle_drop(handle);
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
