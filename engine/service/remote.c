/* SPDX-License-Identifier: MIT */
#include "service/remote.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "backup/frozen_reader.h"
#include "service/client.h"

/* An open file: one reference of the table, one of each call that uses it. */
struct remote_file {
    gatomicrefcount refs;
    char *name;
    struct frozen_reader *reader;
    GMutex lock; /* guards position */
    uint64_t position;
};

#define TELL_US 1000000 /* how often the owner hears that its files are read */

struct remote {
    struct service_client *client;
    _Atomic uint64_t delivered; /* bytes read */
    _Atomic int64_t told_us;    /* when the owner last heard of it */
    GMutex lock;                /* guards the rest */
    bool in_session;
    GHashTable *files; /* handle -> struct remote_file */
    JET_HANDLE next_handle;
};

/* ---- open files ---- */

static void
file_unref(gpointer arg)
{
    struct remote_file *file = arg;
    if (!g_atomic_ref_count_dec(&file->refs))
        return;
    frozen_reader_free(file->reader);
    g_mutex_clear(&file->lock);
    g_free(file->name);
    g_free(file);
}

/* A reference to an open file. JET_errNoBackup, JET_errInvalidParameter. */
static JET_ERR
file_ref(struct remote *remote, JET_HANDLE handle, struct remote_file **out)
{
    g_mutex_lock(&remote->lock);
    JET_ERR err = remote->in_session ? JET_errInvalidParameter : JET_errNoBackup;
    struct remote_file *file = g_hash_table_lookup(remote->files, (gpointer)handle);
    if (file) {
        g_atomic_ref_count_inc(&file->refs);
        *out = file;
        err = JET_errSuccess;
    }
    g_mutex_unlock(&remote->lock);
    return err;
}

/* Takes a file out of the table; its reference goes to the caller. NULL: no such handle. */
static struct remote_file *
file_take(struct remote *remote, JET_HANDLE handle)
{
    gpointer file = NULL;
    g_mutex_lock(&remote->lock);
    if (!g_hash_table_steal_extended(remote->files, (gpointer)handle, NULL, &file))
        file = NULL;
    g_mutex_unlock(&remote->lock);
    return file;
}

/* ---- session ---- */

JET_ERR
remote_connect(const char *path, struct remote **out)
{
    struct service_client *client = NULL;
    JET_ERR err = service_client_connect(path, &client);
    if (err < 0)
        return err;
    struct remote *remote = g_new0(struct remote, 1);
    remote->client = client;
    remote->files = g_hash_table_new_full(NULL, NULL, NULL, file_unref);
    remote->next_handle = 1;
    g_mutex_init(&remote->lock);
    *out = remote;
    return JET_errSuccess;
}

void
remote_disconnect(struct remote *remote)
{
    if (!remote)
        return;
    service_client_close(remote->client);
    g_hash_table_unref(remote->files);
    g_mutex_clear(&remote->lock);
    g_free(remote);
}

/* The session began, or is over: then its files close, but for calls that are at work on them. */
static void
set_in_session(struct remote *remote, bool in_session)
{
    g_mutex_lock(&remote->lock);
    remote->in_session = in_session;
    if (!in_session)
        g_hash_table_remove_all(remote->files);
    g_mutex_unlock(&remote->lock);
}

JET_ERR
remote_begin_frozen(struct remote *remote, JET_GRBIT grbit)
{
    JET_ERR err = service_client_begin_frozen(remote->client, grbit);
    if (err >= 0)
        set_in_session(remote, true);
    return err;
}

JET_ERR
remote_end(struct remote *remote, JET_GRBIT grbit)
{
    JET_ERR err = service_client_end(remote->client, grbit);
    if (err != JET_errInvalidParameter)
        set_in_session(remote, false);
    return err;
}

JET_ERR
remote_files(struct remote *remote, JETX_BACKUPFILE **files, uint32_t *n)
{
    return service_client_files(remote->client, files, n);
}

JET_ERR
remote_manifest(struct remote *remote, char **json)
{
    return service_client_manifest(remote->client, json);
}

JET_ERR
remote_status(struct remote *remote, JETX_BACKUPSTATUS *status)
{
    return service_client_status(remote->client, status);
}

JET_ERR
remote_set_limits(struct remote *remote, const JETX_BACKUPLIMITS *limits)
{
    return service_client_set_limits(remote->client, limits);
}

JET_ERR
remote_progress(struct remote *remote, const JETX_BACKUPPROGRESS *progress)
{
    return service_client_progress(remote->client, atomic_load(&remote->delivered), progress);
}

JET_ERR
remote_truncate_log(struct remote *remote)
{
    return service_client_truncate(remote->client);
}

JET_ERR
remote_stop(struct remote *remote)
{
    return service_client_stop(remote->client);
}

/* ---- files ---- */

JET_ERR
remote_open_file(struct remote *remote, const char *name, JET_HANDLE *handle, uint64_t *bytes)
{
    struct frozen_file parts = FROZEN_FILE_NONE;
    struct frozen_reader *reader = NULL;
    JET_ERR err = service_client_open(remote->client, name, &parts);
    if (err < 0)
        return err;
    err = frozen_reader_new(&parts, &reader);
    if (err < 0)
        return err == JET_errInvalidParameter ? JET_errInternalError : err;

    struct remote_file *file = g_new0(struct remote_file, 1);
    g_atomic_ref_count_init(&file->refs);
    file->name = g_strdup(name);
    file->reader = reader;
    g_mutex_init(&file->lock);

    g_mutex_lock(&remote->lock);
    bool in_session = remote->in_session; /* it may have ended meanwhile */
    JET_HANDLE opened = remote->next_handle;
    if (in_session) {
        remote->next_handle++;
        g_hash_table_insert(remote->files, (gpointer)opened, file);
    }
    g_mutex_unlock(&remote->lock);
    if (!in_session) {
        file_unref(file);
        return JET_errNoBackup;
    }
    *handle = opened;
    *bytes = frozen_reader_size(reader);
    return JET_errSuccess;
}

JET_ERR
remote_close_file(struct remote *remote, JET_HANDLE handle)
{
    struct remote_file *file = file_take(remote, handle);
    if (!file)
        return JET_errInvalidParameter;
    file_unref(file);
    return JET_errSuccess;
}

/* The owner does not see the reads. */
static void
count_read(struct remote *remote, size_t bytes)
{
    int64_t now = g_get_monotonic_time(), told = atomic_load(&remote->told_us);
    uint64_t delivered = atomic_fetch_add(&remote->delivered, bytes) + bytes;
    if (now - told >= TELL_US && atomic_compare_exchange_strong(&remote->told_us, &told, now))
        (void)service_client_progress(remote->client, delivered, NULL);
}

/* Reads, and only then asks whether what was read is still true. */
static JET_ERR
read_at(struct remote *remote, const struct remote_file *file, uint64_t ib, void *buf, uint32_t cb,
        uint32_t *actual)
{
    size_t got = 0;
    JET_ERR err = frozen_reader_read(file->reader, ib, buf, cb, &got);
    JET_ERR alive = service_client_check(remote->client);
    if (alive < 0)
        return alive;
    if (err < 0)
        return err;
    *actual = (uint32_t)got;
    count_read(remote, got);
    return JET_errSuccess;
}

JET_ERR
remote_read_file_at(struct remote *remote, JET_HANDLE handle, uint64_t ib, void *buf, uint32_t cb,
                    uint32_t *actual)
{
    struct remote_file *file = NULL;
    JET_ERR err = file_ref(remote, handle, &file);
    if (err < 0)
        return err;
    err = read_at(remote, file, ib, buf, cb, actual);
    file_unref(file);
    return err;
}

JET_ERR
remote_read_file(struct remote *remote, JET_HANDLE handle, void *buf, uint32_t cb, uint32_t *actual)
{
    struct remote_file *file = NULL;
    JET_ERR err = file_ref(remote, handle, &file);
    if (err < 0)
        return err;
    g_mutex_lock(&file->lock);
    uint64_t ib = file->position;
    g_mutex_unlock(&file->lock);

    err = read_at(remote, file, ib, buf, cb, actual);
    if (err >= 0) {
        g_mutex_lock(&file->lock);
        file->position = ib + *actual;
        g_mutex_unlock(&file->lock);
    }
    file_unref(file);
    return err;
}

JET_ERR
remote_preserved(struct remote *remote, JET_HANDLE handle, uint32_t cells, uint32_t *pages)
{
    struct remote_file *file = NULL;
    JET_ERR err = file_ref(remote, handle, &file);
    if (err < 0)
        return err;
    err = frozen_reader_preserved(file->reader, cells, pages);
    file_unref(file);
    return err;
}
