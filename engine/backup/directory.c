/* SPDX-License-Identifier: MIT */
#include "backup/directory.h"

#include <string.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "backup/context.h"
#include "instance/instance.h"
#include "log/stream.h"
#include "os/file.h"

#define BUFFER_PAGES 256u
#define PAGE_MAX     32768u
#define DB_PERCENT   90u /* of the progress; the rest are logs */

struct job {
    struct instance *inst;
    char *target; /* directory that the files go to */
    JET_PFNSTATUS pfn;
    uint32_t percent;
    uint8_t *buffer;
    uint32_t buffer_bytes;
};

static JET_ERR
tell(struct job *job, JET_SNT snt, uint32_t percent)
{
    JET_SNPROG progress = {sizeof progress, percent, 100};
    if (!job->pfn || (snt == JET_sntProgress && percent == job->percent))
        return JET_errSuccess;
    job->percent = percent;
    JET_ERR err = job->pfn(JET_sesidNil, JET_snpBackup, snt, &progress);
    return err < 0 ? err : JET_errSuccess;
}

/* ---- copying ---- */

/* Part `part` of `parts` of a stretch of the progress that begins at from and is span percent. */
struct stretch {
    uint32_t from, span, part, parts;
};

static JET_ERR
copy_open_file(struct job *job, JET_HANDLE hf, uint64_t size, struct os_file *to,
               const struct stretch *s)
{
    JET_ERR err = JET_errSuccess;
    uint32_t got = 1;
    for (uint64_t at = 0; err >= 0 && got > 0; at += got) {
        err = context_read(job->inst, hf, job->buffer, job->buffer_bytes, &got);
        if (err >= 0 && got > 0)
            err = os_file_write(to, at, job->buffer, got);
        uint64_t done = s->part * size + MIN(at + got, size);
        if (err >= 0)
            err = tell(job, JET_sntProgress,
                       s->from + (uint32_t)(s->span * done / (MAX(size, 1) * s->parts)));
    }
    return err < 0 ? err : os_file_sync(to);
}

static JET_ERR
copy_file(struct job *job, const char *path, const struct stretch *s)
{
    JET_HANDLE hf;
    uint64_t size;
    struct os_file *to;
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *target = g_build_filename(job->target, name, NULL);
    JET_ERR err = context_open(job->inst, path, &hf, &size);
    if (err < 0)
        return err;
    (void)os_remove(target); /* a log that an earlier incremental copied */
    err = os_file_create(target, &to);
    if (err >= 0) {
        err = copy_open_file(job, hf, size, to, s);
        os_file_close(to);
    }
    JET_ERR closed = context_close(job->inst, hf);
    return err < 0 ? err : closed;
}

static JET_ERR
copy_list(struct job *job, char **paths, uint32_t from, uint32_t span)
{
    uint32_t n = g_strv_length(paths);
    JET_ERR err = JET_errSuccess;
    for (uint32_t i = 0; err >= 0 && i < n; i++)
        err = copy_file(job, paths[i], &(struct stretch) {from, span, i, n});
    return err;
}

/* The marker that JetRestore looks for beside each database. */
static JET_ERR
make_markers(struct job *job, char **databases)
{
    JET_ERR err = JET_errSuccess;
    for (size_t i = 0; err >= 0 && databases[i]; i++) {
        g_autofree char *name = g_path_get_basename(databases[i]);
        char *dot = strrchr(name, '.');
        g_autofree char *pat =
            g_strdup_printf("%s/%.*s.pat", job->target, dot ? (int)(dot - name) : 999, name);
        struct os_file *file;
        err = os_file_create(pat, &file);
        if (err >= 0)
            os_file_close(file);
    }
    return err;
}

static JET_ERR
copy_all(struct job *job, bool incremental)
{
    g_auto(GStrv) databases = NULL, logs = NULL;
    JET_ERR err = JET_errSuccess;
    if (!incremental)
        err = context_attach_info(job->inst, &databases);
    if (err >= 0 && databases)
        err = copy_list(job, databases, 0, DB_PERCENT);
    if (err >= 0 && databases)
        err = make_markers(job, databases);
    if (err >= 0)
        err = context_log_info(job->inst, &logs, NULL, NULL);
    if (err >= 0)
        err = copy_list(job, logs, incremental ? 0 : DB_PERCENT,
                        incremental ? 100 : 100 - DB_PERCENT);
    return err < 0 ? err : os_dir_sync(job->target);
}

/* ---- directories ---- */

static JET_ERR
remove_dir(const char *dir)
{
    g_auto(GStrv) names = NULL;
    if (!os_is_dir(dir))
        return JET_errSuccess;
    JET_ERR err = os_dir_list(dir, &names);
    for (size_t i = 0; err >= 0 && names[i]; i++) {
        g_autofree char *path = g_build_filename(dir, names[i], NULL);
        err = os_remove(path);
    }
    return err < 0 || g_rmdir(dir) != 0 ? JET_errDeleteBackupFileFail : JET_errSuccess;
}

static JET_ERR
prepare(const struct instance *inst, const char *path, JET_GRBIT grbit, char **target)
{
    g_auto(GStrv) names = NULL;
    bool incremental = (grbit & JET_bitBackupIncremental) != 0;
    if (!os_is_dir(path) && params_number(inst->params, JET_paramCreatePathIfNotExist))
        (void)os_dir_make(path);
    JET_ERR err = os_is_dir(path) ? os_dir_list(path, &names) : JET_errInvalidPath;
    if (err < 0)
        return err;
    bool atomic = (grbit & JET_bitBackupAtomic) != 0;
    if (!atomic && !incremental && names[0])
        return JET_errBackupDirectoryNotEmpty;
    *target = !atomic ? g_strdup(path) : g_build_filename(path, incremental ? "new" : "temp", NULL);
    if (!atomic || incremental)
        return os_is_dir(*target) ? JET_errSuccess : JET_errInvalidPath;
    err = remove_dir(*target);
    if (err >= 0 && g_mkdir(*target, 0700) != 0)
        err = JET_errMakeBackupDirectoryFail;
    return err;
}

/* The whole new backup takes the place of the one before. */
static JET_ERR
publish(const char *path, const char *temp)
{
    g_autofree char *new = g_build_filename(path, "new", NULL);
    g_autofree char *old = g_build_filename(path, "old", NULL);
    JET_ERR err = remove_dir(old);
    if (err >= 0 && os_is_dir(new))
        err = os_rename(new, old);
    if (err >= 0)
        err = os_rename(temp, new);
    if (err >= 0)
        err = os_dir_sync(path);
    return err < 0 ? err : remove_dir(old);
}

/* ---- the call ---- */

static JET_ERR
truncate_only(struct instance *inst)
{
    if (params_number(inst->params, JET_paramCircularLog))
        return JET_errSuccess;
    if (atomic_load(&inst->backup_error) < 0)
        return JET_errBackupInProgress;
    int32_t low = log_oldest_gen(inst->log), high = instance_checkpoint_lgpos(inst).gen;
    g_autofree char *first = log_gen_path(inst->log, low);
    g_autofree char *last = log_gen_path(inst->log, MAX(high - 1, 1));
    if (low >= high) {
        event_report(inst->events, EVENT_BACKUP_NO_TRUNCATE, NULL);
        return JET_errSuccess;
    }
    event_report(inst->events, EVENT_BACKUP_TRUNCATE, first, last, NULL);
    return log_truncate(inst->log, low, high, NULL);
}

/* Begin to end. The first error counts. */
static JET_ERR
run(struct job *job, const char *path, JET_GRBIT grbit)
{
    JET_ERR err = context_begin(job->inst, grbit & JET_bitBackupIncremental);
    if (err < 0)
        return err;
    err = tell(job, JET_sntBegin, 0);
    if (err >= 0)
        err = copy_all(job, (grbit & JET_bitBackupIncremental) != 0);
    if (err >= 0 && (grbit & JET_bitBackupAtomic) && !(grbit & JET_bitBackupIncremental))
        err = publish(path, job->target);
    if (err >= 0)
        err = context_truncate(job->inst);
    JET_ERR ended =
        context_end(job->inst, err < 0 ? JET_bitBackupEndAbort : JET_bitBackupEndNormal);
    if (err >= 0)
        err = ended;
    return err < 0 ? err : tell(job, JET_sntComplete, 100);
}

JET_ERR
directory_backup(struct instance *inst, const char *path, JET_GRBIT grbit, JET_PFNSTATUS pfn)
{
    g_autofree char *full = NULL, *target = NULL;
    if (grbit & ~(JET_bitBackupIncremental | JET_bitBackupAtomic))
        return JET_errInvalidGrbit;
    if (!path || !path[0])
        return truncate_only(inst);
    JET_ERR err = os_path_full(path, &full);
    if (err >= 0)
        err = prepare(inst, full, grbit, &target);
    if (err < 0)
        return err;
    struct job job = {
        .inst = inst, .target = target, .pfn = pfn, .buffer_bytes = BUFFER_PAGES * PAGE_MAX};
    job.buffer = g_try_malloc(job.buffer_bytes);
    if (!job.buffer)
        return JET_errOutOfMemory;
    err = run(&job, full, grbit);
    g_free(job.buffer);
    if (err < 0 && (grbit & JET_bitBackupAtomic) && !(grbit & JET_bitBackupIncremental))
        (void)remove_dir(target);
    return err;
}
