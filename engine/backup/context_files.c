/* SPDX-License-Identifier: MIT */
/*
 * context_files: open, read, close: one plain handle, or any number of frozen ones (backup
 * API, 1.8-1.10, 3).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/context_state.h"
#include "cache/cache.h"
#include "cache/dbfile.h"
#include "log/names.h"
#include "log/stream.h"
#include "os/file.h"
#include "page/page.h"

/* A page that cannot be read, or does not verify, is read again so often, after 1, 2, 3 ... times
 * so many milliseconds. */
static atomic_uint read_retries = 16;
static atomic_uint read_retry_ms = 100;

void
context_set_read_retries(unsigned count, unsigned ms)
{
    atomic_store(&read_retries, count);
    atomic_store(&read_retry_ms, ms);
}

static void
report_two(struct context *c, enum event_id id, int64_t number, const char *path)
{
    g_autofree char *text = event_number(number);
    event_report(c->inst->events, id, text, path, NULL);
}

/* ---- plain: close ---- */

static void
report_close(struct context *c, bool whole)
{
    struct plain_file *f = &c->plain;
    if (whole && !f->is_log) {
        event_report(c->inst->events, EVENT_BACKUP_FILE_STOP_OK, f->path, NULL);
    } else if (!whole) {
        g_autofree char *read = event_number((int64_t)f->at),
                        *total = event_number((int64_t)f->size);
        event_report(c->inst->events, EVENT_BACKUP_FILE_STOP_BEFORE_END, f->path, read, total,
                     NULL);
    }
}

void
context_close_plain(struct context *c)
{
    struct plain_file *f = &c->plain;
    if (!f->open)
        return;
    bool whole = f->at == f->size;
    if (f->is_log && whole && f->gen >= c->copy_mic && f->gen < c->copy_mac)
        c->copied += f->gen;
    if (!f->is_log)
        c->dbs[f->dbid].done = whole;
    report_close(c, whole);
    frozen_reader_free(f->reader);
    g_free(f->path);
    g_free(f->head);
    memset(f, 0, sizeof *f);
}

/* ---- plain: open ---- */

static JET_ERR
open_database(struct context *c, const struct backup_file_list *list, size_t i, const char *path)
{
    struct plain_file *f = &c->plain;
    uint32_t page = dbfile_page_bytes(list->files[i]);
    uint8_t *head = g_try_malloc(page);
    if (!head)
        return JET_errOutOfMemory;
    struct dbheader live;
    dbfile_header(list->files[i], &live);
    marks_header_image(&live, &c->begin, head, page);
    *f = (struct plain_file) {.open = true,
                              .path = g_strdup(path),
                              .dbid = list->dbids[i],
                              .file = list->files[i],
                              .page_bytes = page,
                              .pgno_last = dbfile_pgno_last(list->files[i]),
                              .head = head};
    memcpy(f->header.bytes, head, sizeof f->header.bytes);
    f->size = ((uint64_t)f->pgno_last + 3) * page;
    g_autofree char *size = f->size > 1 << 20
                                ? g_strdup_printf("%" G_GUINT64_FORMAT " Mb", f->size >> 20)
                                : g_strdup_printf("%" G_GUINT64_FORMAT " Kb", f->size >> 10);
    event_report(c->inst->events, EVENT_BACKUP_FILE_START, path, size, NULL);
    return JET_errSuccess;
}

static JET_ERR
open_log_file(struct context *c, const char *path)
{
    struct instance *inst = c->inst;
    g_autofree char *name = g_path_get_basename(path);
    const char *ext = params_number(inst->params, JET_paramLegacyFileNames) & JET_bitESE98FileNames
                          ? "log"
                          : "jtx";
    struct log_name parsed =
        log_name_parse(name, params_text(inst->params, JET_paramBaseName), ext);
    if (parsed.kind != LOG_NAME_ARCHIVE)
        return JET_errInvalidParameter;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) != 0) {
        close(fd);
        fd = -1;
    }
    if (fd < 0 && errno == ENOENT) {
        event_report(inst->events, EVENT_BACKUP_LOG_MISSING, path, NULL);
        return JET_errMissingFileToBackup;
    }
    if (fd < 0)
        return os_error(errno);
    struct frozen_file file = FROZEN_FILE_NONE;
    file.kind = JETX_fileLog;
    file.base_fd = fd;
    file.size = (uint64_t)st.st_size;
    struct frozen_reader *reader;
    JET_ERR err = frozen_reader_new(&file, &reader);
    if (err < 0)
        return err;
    c->plain = (struct plain_file) {.open = true,
                                    .is_log = true,
                                    .path = g_strdup(path),
                                    .size = (uint64_t)st.st_size,
                                    .gen = (uint32_t)parsed.gen,
                                    .reader = reader,
                                    .page_bytes = cache_page_bytes(inst->cache)};
    return JET_errSuccess;
}

/* Steps 4 to 6 of the specification: what fails in a log phase ends the backup. */
static JET_ERR
open_plain(struct context *c, const char *name)
{
    struct backup_file_list list;
    g_autofree char *full = NULL;
    JET_ERR err = os_path_full(name, &full);
    if (err < 0)
        return err;
    size_t i = 0;
    context_list_databases(c->inst, &list);
    while (i < list.n && strcmp(list.paths[i], full) != 0)
        i++;
    if (i < list.n)
        err = c->state == BACKUP_DATABASES ? open_database(c, &list, i, full)
                                           : JET_errInvalidBackupSequence;
    else
        err = c->state == BACKUP_DATABASES ? JET_errDatabaseNotFound : open_log_file(c, full);
    if (err < 0 && c->state == BACKUP_DATABASES)
        report_two(c, EVENT_BACKUP_DATABASE_ERROR, err, full);
    else if (err < 0)
        context_finish(c, err, 0);
    return err;
}

/* ---- plain: read ---- */

/* n pages of the live file, *good of them verified: no page of it is written while we read, so none
 * is torn. */
static JET_ERR
try_live_pages(struct context *c, uint32_t first, uint32_t n, uint8_t *dst, uint32_t *good)
{
    struct plain_file *f = &c->plain;
    cache_write_pause(c->inst->cache);
    JET_ERR err = os_file_read(dbfile_os_file(f->file), ((uint64_t)first + 1) * f->page_bytes, dst,
                               (size_t)n * f->page_bytes);
    cache_write_resume(c->inst->cache);
    for (*good = 0; err >= 0 && *good < n; (*good)++) {
        bool repaired;
        err = page_verify(dst + (size_t)*good * f->page_bytes, f->page_bytes, first + *good,
                          &repaired);
        if (err == JET_errPageNotInitialized)
            err = JET_errSuccess;
        if (err < 0)
            break;
    }
    return err;
}

static void
report_transient(struct context *c, uint32_t pgno)
{
    g_autofree char *at = event_number(((int64_t)pgno + 1) * c->plain.page_bytes);
    event_report(c->inst->events, EVENT_TRANSIENT_READ_ERROR, c->plain.path, at, NULL);
}

/* A stop ends the waiting for a bad page. */
static JET_ERR
read_live_pages(struct context *c, uint32_t first, uint32_t n, uint8_t *dst)
{
    unsigned tries = 0;
    for (;;) {
        uint32_t good;
        JET_ERR err = try_live_pages(c, first, n, dst, &good);
        if (good > 0 && tries > 0)
            report_transient(c, first);
        if (err >= 0)
            return err;
        tries = good > 0 ? 0 : tries;
        first += good;
        n -= good;
        dst += (size_t)good * c->plain.page_bytes;
        if (tries++ >= atomic_load(&read_retries) || atomic_load(&c->stopped))
            return err;
        g_usleep((gulong)tries * atomic_load(&read_retry_ms) * 1000);
    }
}

/* The last page of the stream; from now on it is known which logs the copy needs. */
static void
make_trailer(struct context *c, uint8_t *dst)
{
    struct plain_file *f = &c->plain;
    struct bkinfo bk = c->begin;
    uint32_t committed = dbheader_u32(&f->header, DBH_GEN_MAX_COMMITTED);
    bk.gen_high = MAX((uint32_t)log_gen(c->inst->log), committed);
    marks_trailer_image(&f->header, &bk, dst, f->page_bytes);
    c->dbs[f->dbid].bk = bk;
}

#define LIVE_RUN_BYTES (1u << 20) /* the writer is paused for a read of at most this */

static JET_ERR
read_database(struct context *c, uint8_t *dst, uint32_t cb, uint32_t *actual)
{
    struct plain_file *f = &c->plain;
    uint32_t page = f->page_bytes, done = 0, n;
    uint64_t last = (uint64_t)f->pgno_last + 2; /* stream page of the trailer */
    for (uint64_t k = f->at / page; done < cb && k <= last; k += n, done += n * page) {
        JET_ERR err = JET_errSuccess;
        n = 1;
        if (k < 2) {
            memcpy(dst + done, f->head, page);
        } else if (k == last) {
            make_trailer(c, dst + done);
        } else {
            n = (uint32_t)MIN((uint64_t)MIN(cb - done, LIVE_RUN_BYTES) / page, last - k);
            err = read_live_pages(c, (uint32_t)(k - 1), n, dst + done);
        }
        if (err < 0)
            return err;
    }
    f->at += done;
    *actual = done;
    return JET_errSuccess;
}

static JET_ERR
read_log_file(struct context *c, uint8_t *dst, uint32_t cb, uint32_t *actual)
{
    size_t got = 0;
    JET_ERR err = frozen_reader_read(c->plain.reader, c->plain.at, dst, cb, &got);
    if (err < 0)
        return err;
    c->plain.at += got;
    *actual = (uint32_t)got;
    return JET_errSuccess;
}

static JET_ERR
read_plain(struct context *c, JET_HANDLE hf, void *pv, uint32_t cb, uint32_t *actual)
{
    struct plain_file *f = &c->plain;
    uint32_t first = f->is_log ? 2 : 3; /* pages of the first read */
    if (hf != 0 || !f->open || !pv)
        return JET_errInvalidParameter;
    if (cb % f->page_bytes != 0 || (!f->is_log && cb == 0) ||
        (f->at == 0 && cb < first * f->page_bytes))
        return JET_errInvalidParameter;
    JET_ERR err = f->is_log ? read_log_file(c, pv, cb, actual) : read_database(c, pv, cb, actual);
    if (err >= 0)
        return err;
    report_two(c, f->is_log ? EVENT_BACKUP_READ_ERROR : EVENT_BACKUP_DATABASE_ERROR, err, f->path);
    bool was_log = f->is_log;
    context_close_plain(c);
    if (was_log)
        context_finish(c, err, 0);
    return err;
}

/* ---- frozen ---- */

static JET_ERR
open_frozen(struct context *c, const char *name, JET_HANDLE *hf, uint64_t *size)
{
    struct frozen_file file;
    struct frozen_reader *reader;
    JET_ERR err = frozen_open(c->frozen, name, &file);
    if (err >= 0)
        err = frozen_reader_new(&file, &reader);
    if (err < 0)
        return err;
    struct frozen_handle *handle = g_new0(struct frozen_handle, 1);
    handle->refs = 1;
    handle->reader = reader;
    *size = frozen_reader_size(reader);
    g_mutex_lock(&c->handles_lock);
    guint i = 0;
    while (i < c->handles->len && c->handles->pdata[i])
        i++;
    if (i == c->handles->len)
        g_ptr_array_add(c->handles, NULL);
    c->handles->pdata[i] = handle;
    g_mutex_unlock(&c->handles_lock);
    *hf = i;
    return JET_errSuccess;
}

static void
drop_handle(struct frozen_handle *handle)
{
    if (!g_atomic_int_dec_and_test(&handle->refs))
        return;
    frozen_reader_free(handle->reader);
    g_free(handle);
}

/* The handle, held; its session is alive. */
static JET_ERR
hold_handle(struct context *c, JET_HANDLE hf, struct frozen_handle **out)
{
    g_mutex_lock(&c->handles_lock);
    JET_ERR err = c->frozen ? frozen_error(c->frozen) : JET_errNoBackup;
    if (err >= 0 && (hf >= c->handles->len || !c->handles->pdata[hf]))
        err = JET_errInvalidParameter;
    if (err >= 0) {
        *out = c->handles->pdata[hf];
        g_atomic_int_inc(&(*out)->refs);
        frozen_note_read(c->frozen);
    }
    g_mutex_unlock(&c->handles_lock);
    return err;
}

static JET_ERR
read_frozen(struct context *c, JET_HANDLE hf, void *pv, uint32_t cb, uint32_t *actual)
{
    struct frozen_handle *handle;
    size_t got = 0;
    JET_ERR err = hold_handle(c, hf, &handle);
    if (err < 0)
        return err;
    err = frozen_reader_read(handle->reader, handle->at, pv, cb, &got);
    if (err >= 0) {
        handle->at += got;
        *actual = (uint32_t)got;
    }
    drop_handle(handle);
    return err;
}

static JET_ERR
close_frozen(struct context *c, JET_HANDLE hf)
{
    g_mutex_lock(&c->handles_lock);
    struct frozen_handle *handle = hf < c->handles->len ? c->handles->pdata[hf] : NULL;
    if (handle)
        c->handles->pdata[hf] = NULL;
    g_mutex_unlock(&c->handles_lock);
    if (!handle)
        return JET_errInvalidParameter;
    drop_handle(handle);
    return JET_errSuccess;
}

/* ---- entry ---- */

JET_ERR
context_attach_info(struct instance *inst, char ***paths)
{
    struct context *c;
    struct backup_file_list list;
    JET_ERR err = context_lock_live(inst, &c);
    if (err < 0)
        return err;
    if (context_is_full(c)) {
        context_list_databases(inst, &list);
        *paths = g_new0(char *, list.n + 1);
        for (size_t i = 0; i < list.n; i++)
            (*paths)[i] = g_strdup(list.paths[i]);
    } else {
        err = JET_errInvalidBackupSequence;
    }
    context_unlock(c);
    return err;
}

JET_ERR
context_open(struct instance *inst, const char *name, JET_HANDLE *hf, uint64_t *size)
{
    struct context *c;
    JET_ERR err = context_lock_live(inst, &c);
    if (err < 0)
        return err;
    if (!name || !name[0]) {
        err = JET_errInvalidParameter;
    } else if (c->state == BACKUP_FROZEN) {
        err = open_frozen(c, name, hf, size);
    } else if (c->plain.open) {
        err = JET_errOutOfMemory;
    } else {
        err = open_plain(c, name);
        if (err >= 0) {
            *hf = 0;
            *size = c->plain.size;
        }
    }
    context_unlock(c);
    return err;
}

JET_ERR
context_read(struct instance *inst, JET_HANDLE hf, void *pv, uint32_t cb, uint32_t *actual)
{
    struct context *c;
    JET_ERR err = context_lock_live(inst, &c);
    if (err < 0)
        return err;
    err = c->state == BACKUP_FROZEN ? read_frozen(c, hf, pv, cb, actual)
                                    : read_plain(c, hf, pv, cb, actual);
    context_unlock(c);
    return err;
}

JET_ERR
context_read_at(struct instance *inst, JET_HANDLE hf, uint64_t ib, void *pv, uint32_t cb,
                uint32_t *actual)
{
    struct context *c = inst->backup;
    struct frozen_handle *handle;
    size_t got = 0;
    JET_ERR err = c ? hold_handle(c, hf, &handle) : JET_errNoBackup;
    if (c && err == JET_errNoBackup) {
        err = context_lock_live(inst, &c); /* a plain session? */
        if (err < 0)
            return err;
        context_unlock(c);
        return JET_errInvalidBackupSequence;
    }
    if (err < 0)
        return err;
    err = frozen_reader_read(handle->reader, ib, pv, cb, &got);
    if (err >= 0 && atomic_load(&c->stopped))
        err = JET_errBackupAbortByServer; /* logs have no shared state word */
    if (err >= 0)
        *actual = (uint32_t)got;
    drop_handle(handle);
    return err;
}

JET_ERR
context_preserved(struct instance *inst, JET_HANDLE hf, uint32_t cells, uint32_t *pages)
{
    struct context *c = inst->backup;
    struct frozen_handle *handle;
    JET_ERR err = c ? hold_handle(c, hf, &handle) : JET_errNoBackup;
    if (err < 0)
        return err;
    err = frozen_reader_preserved(handle->reader, cells, pages);
    drop_handle(handle);
    return err;
}

JET_ERR
context_close(struct instance *inst, JET_HANDLE hf)
{
    struct context *c;
    JET_ERR err = context_lock_running(inst, &c);
    if (err < 0)
        return err;
    if (c->state == BACKUP_FROZEN)
        err = close_frozen(c, hf);
    else if (hf != 0 || !c->plain.open)
        err = JET_errInvalidParameter;
    else
        context_close_plain(c);
    context_unlock(c);
    return err;
}

JET_ERR
context_files(struct instance *inst, JETX_BACKUPFILE **files, uint32_t *n)
{
    struct context *c;
    JET_ERR err = context_lock_frozen(inst, &c);
    if (err < 0)
        return err;
    size_t count;
    const JETX_BACKUPFILE *list = frozen_files(c->frozen, &count);
    *files = g_memdup2(list, count * sizeof *list);
    *n = (uint32_t)count;
    context_unlock(c);
    return JET_errSuccess;
}

JET_ERR
context_manifest(struct instance *inst, char **json)
{
    struct context *c;
    JET_ERR err = context_lock_frozen(inst, &c);
    if (err < 0)
        return err;
    *json = g_strdup(frozen_manifest(c->frozen));
    context_unlock(c);
    return JET_errSuccess;
}

JET_ERR
context_open_parts(struct instance *inst, const char *name, struct frozen_file *file)
{
    struct context *c;
    JET_ERR err = context_lock_frozen(inst, &c);
    if (err < 0)
        return err;
    err = frozen_open(c->frozen, name, file);
    context_unlock(c);
    return err;
}
