/* SPDX-License-Identifier: MIT */
#include "backup.h"

#include "attributes.h"
#include "session_limits.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
file_free(gpointer data)
{
    struct backup_file *file = data;

    served_free(file->served);
    g_mutex_clear(&file->lock);
    g_array_unref(file->bad_pages);
    g_free(file->preserved);
    g_free(file->name);
    g_free(file->path);
    g_free(file->text);
    g_free(file->signature);
    g_free(file);
}

/* Is there a file that its owner keeps from us? Then it is not a program that does. */
static bool
has_unreadable(const char *dir)
{
    g_autoptr(GDir) list = g_dir_open(dir, 0, NULL);
    const char *name;
    bool found = false;

    while (list != NULL && !found && (name = g_dir_read_name(list)) != NULL) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        found = access(path, R_OK) < 0 && errno == EACCES;
    }
    return found;
}

static char *
explain_open(const char *source, bool is_file, JET_ERR err)
{
    const char *hint;

    if (err == JET_errFileAccessDenied && !is_file && has_unreadable(source))
        err = JET_errAccessDenied;
    switch (err) {
    case JET_errFileAccessDenied:
        hint = is_file ? "a running program has it open: give the program's instance directory "
                         "instead, with its backup service turned on (JET_paramJetxBackupService)"
                       : "a running program has it open and offers no backup: turn on its backup "
                         "service (JET_paramJetxBackupService)";
        break;
    case JET_errAccessDenied:
        hint = "it belongs to another user: run jetfs as the owner of the database";
        break;
    case JET_errFileNotFound:
        hint = "there is neither a backup service nor a database: give an instance directory, its "
               "socket, or a database file";
        break;
    default:
        hint = JetxErrorTextA(err);
    }
    return g_strdup_printf("%s: %s (%s, %d)", source, hint, JetxErrorNameA(err), err);
}

static JET_ERR
connect_or_open(const char *source, bool is_file, struct backup *b)
{
    if (!is_file) {
        JET_ERR err = JetxConnectInstanceA(source, &b->instance);
        b->live = err >= 0;
        if (err != JET_errFileNotFound)
            return err;
    }
    return JetxOpenDatabaseFileA(source, &b->instance);
}

JET_ERR
backup_open(const char *source, struct events *events, struct backup **backup, char **message)
{
    struct stat st;
    bool is_file = stat(source, &st) == 0 && S_ISREG(st.st_mode);
    struct backup *b = g_new0(struct backup, 1);

    g_rw_lock_init(&b->delivery);
    g_rw_lock_init(&b->in_use);
    b->source = g_strdup(source);
    b->events = events;
    b->instance = JET_instanceNil;
    b->files = g_ptr_array_new_with_free_func(file_free);
    JET_ERR err = connect_or_open(source, is_file, b);
    if (err < 0) {
        *message = explain_open(source, is_file, err);
        b->instance = JET_instanceNil;
        backup_free(b);
        return err;
    }
    *backup = b;
    return JET_errSuccess;
}

static struct backup_file *
file_new(const char *name, enum file_kind kind, uint64_t size)
{
    struct backup_file *file = g_new0(struct backup_file, 1);

    g_mutex_init(&file->lock);
    file->name = g_strdup(name);
    file->kind = kind;
    file->size = size;
    file->served = served_new(size);
    file->bad_pages = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    return file;
}

/* Names come from another process: none may leave the directory or stand there twice. */
static bool
name_is_usable(struct backup *b, const char *name)
{
    return name[0] != '\0' && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0 && strcmp(name, ".jetfs") != 0 &&
           g_utf8_validate(name, -1, NULL) && backup_find(b, name) == NULL;
}

static bool
add_file(struct backup *b, const JETX_BACKUPFILE *entry)
{
    g_autofree char *name = g_strndup(entry->szName, sizeof entry->szName);

    if (!name_is_usable(b, name) || entry->kind < FILE_DATABASE || entry->kind > FILE_GENERATED)
        return false;
    struct backup_file *file = file_new(name, (enum file_kind)entry->kind, entry->cbSize);
    file->path = g_strndup(entry->szPath, sizeof entry->szPath);
    file->mtime_ns = entry->mtime_ns;
    file->inode = entry->inode;
    file->generation = entry->genLog;
    file->page_bytes = entry->cbPage;
    file->pages = entry->pgnoLast;
    g_ptr_array_add(b->files, file);
    return true;
}

static void
add_manifest(struct backup *b, const char *text)
{
    if (backup_find(b, "backup.json") != NULL)
        return;
    struct backup_file *file = file_new("backup.json", FILE_GENERATED, strlen(text));
    file->path = g_strdup("");
    file->text = g_strdup(text);
    file->mtime_ns = g_get_real_time() * 1000;
    g_ptr_array_add(b->files, file);
}

static JET_ERR
read_manifest(struct backup *b)
{
    char *text = NULL;

    JET_ERR err = JetxGetManifestA(b->instance, &text);
    if (err < 0)
        return err;
    add_manifest(b, text);
    attributes_load(b, text);
    JetFreeBuffer(text);
    return JET_errSuccess;
}

/* Inodes are unique: one that is missing or taken gets the next free number above a round one. */
static void
settle_inodes(struct backup *b)
{
    g_autoptr(GHashTable) taken = g_hash_table_new(g_int64_hash, g_int64_equal);
    uint64_t next = UINT64_C(1) << 48;

    for (guint i = 0; i < b->files->len; i++) {
        struct backup_file *file = b->files->pdata[i];
        if (file->inode < 16 || g_hash_table_contains(taken, &file->inode))
            file->inode = next++;
        g_hash_table_add(taken, &file->inode);
    }
}

static JET_ERR
list_files(struct backup *b)
{
    JETX_BACKUPFILE *entries = NULL;
    uint32_t n = 0;

    JET_ERR err = JetxGetFrozenFiles(b->instance, &entries, &n);
    if (err < 0)
        return err;
    for (uint32_t i = 0; i < n && err >= 0; i++) {
        if (!add_file(b, &entries[i]))
            err = JET_errInvalidPath;
    }
    JetFreeBuffer((char *)entries);
    if (err >= 0)
        err = read_manifest(b);
    if (err >= 0)
        settle_inodes(b);
    return err;
}

/* "3 min ago" */
static char *
age_text(const JETX_BACKUPSTATUS *s)
{
    /* as the owner counts it: not by the clock on the wall, which can be set */
    g_autofree char *age =
        session_limits_amount(JETX_limitAge, s->rgLimit[JETX_limitAge].used / 1000);
    return g_strdup_printf("%s ago", age);
}

/* Who has the session that is in the way, since when, how far, and what to do. */
static char *
explain_busy(struct backup *b)
{
    JETX_BACKUPSTATUS s = {.cbStruct = sizeof s};

    if (JetxGetBackupStatus(b->instance, &s) < 0 || s.pidHolder == 0)
        return g_strdup("another backup session of it is running: wait for its end, or end it with "
                        "`jetfs umount --abort`");
    g_autoptr(GDateTime) begin = g_date_time_new_from_unix_utc((gint64)s.timeBegin);
    g_autofree char *since = g_date_time_format(begin, "%Y-%m-%dT%H:%M:%SZ");
    g_autofree char *age = age_text(&s);
    GString *text = g_string_new(NULL);
    g_string_printf(text, "a backup session of it is running: %s (pid %u) has held it since %s, %s",
                    s.szHolderProgram[0] ? s.szHolderProgram : "a program", s.pidHolder, since,
                    age);
    if (s.cbRequired > 0)
        g_string_append_printf(text, ", %d %% read",
                               (int)(100.0 * (double)s.cbServed / (double)s.cbRequired));
    if (s.szHolderMount[0])
        g_string_append_printf(text,
                               ", mounted at %s: wait for it with `jetfs status --wait %s`, or end "
                               "it with `jetfs umount --abort %s`",
                               s.szHolderMount, s.szHolderMount, s.szHolderMount);
    else
        g_string_append(text, s.pidHolder == s.pid
                                  ? ": the program itself makes a backup, wait for its end"
                                  : ": wait for its end, or end that program");
    return g_string_free(text, FALSE);
}

static bool
has_limits(const JETX_BACKUPLIMITS *l)
{
    return l->secMaxAge > 0 || l->secIdle > 0 || l->cbPreimage > 0 || l->cbPinnedLog > 0 ||
           l->pctPreimage > 0 || l->pctPinnedLog > 0;
}

static JET_ERR
begin(struct backup *b, enum session_mode mode, const JETX_BACKUPLIMITS *limits)
{
    static const JET_GRBIT bits[] = {[MODE_FROZEN] = 0,
                                     [MODE_INCREMENTAL] = JET_bitBackupIncremental,
                                     [MODE_RECOVERED] = JETX_bitFrozenRecovered};
    JET_ERR err = JetxBeginFrozenBackup(b->instance, bits[mode]);
    if (err < 0)
        return err;
    b->begun = true;
    if (has_limits(limits) && (!b->live || mode == MODE_RECOVERED))
        events_add(b->events, "limits have no meaning here: no live session stays open");
    else if (has_limits(limits))
        err = session_limits_apply(b, limits);
    return err < 0 ? err : list_files(b);
}

/* Perhaps a limit so tight that the session died at once. */
static char *
explain_death(struct backup *b, JET_ERR err)
{
    (void)backup_poll(b, NULL);
    unsigned ended = (unsigned)g_atomic_int_get(&b->limit_ended);
    return ended > 0 ? session_limits_end_text(ended - 1, b->limit_value)
                     : g_strdup(JetxErrorTextA(err));
}

static char *
explain_begin(struct backup *b, JET_ERR err)
{
    switch (err) {
    case JET_errBackupInProgress:
        return explain_busy(b);
    case JET_errBackupAbortByServer:
        return explain_death(b, err);
    case JET_errMissingFullBackup:
        return g_strdup("an incremental backup needs a full one before it, and logs that were "
                        "truncated after that: back up in full first, and end that with "
                        "`jetfs umount --truncate`");
    case JET_errMissingFileToBackup:
        return g_strdup("a log since the last backup is gone, the event log of the program names "
                        "it: back up in full");
    case JET_errInvalidBackup:
        return g_strdup("the program uses circular logging, which keeps no logs for an "
                        "incremental backup: back up in full");
    case JET_errInvalidGrbit:
        return g_strdup("an incremental backup needs a program that has the databases open");
    case JET_errDatabaseDirtyShutdown:
        return g_strdup("the database was not shut down cleanly, and the logs that its recovery "
                        "needs are not with it: mount the directory that holds both, or leave out "
                        "-o recovered to copy it as it lies");
    case JET_errMissingLogFile:
        if (b->live)
            return g_strdup(JetxErrorTextA(err));
        return g_strdup("a log that the recovery needs is missing: put all of them into the "
                        "directory, up to the newest, as the program left them, or leave out "
                        "-o recovered to copy what is there");
    default:
        return g_strdup(JetxErrorTextA(err));
    }
}

JET_ERR
backup_begin(struct backup *b, enum session_mode mode, const JETX_BACKUPLIMITS *limits,
             char **message)
{
    JET_ERR err = begin(b, mode, limits);

    if (err < 0) {
        g_autofree char *hint = explain_begin(b, err);
        *message = g_strdup_printf("%s: cannot begin the backup: %s (%s, %d)", b->source, hint,
                                   JetxErrorNameA(err), err);
        if (b->begun)
            (void)backup_end(b, false, false);
        return err;
    }
    return JET_errSuccess;
}

void
backup_count(struct backup *b, uint64_t *required, uint64_t *served)
{
    *required = *served = 0;
    for (guint i = 0; i < b->files->len; i++) {
        const struct backup_file *file = b->files->pdata[i];
        if (!backup_file_is_required(file))
            continue;
        *required += file->size;
        *served += file->carried ? file->size : served_bytes(file->served);
    }
}

void
backup_report(struct backup *b, const char *mountpoint)
{
    JETX_BACKUPPROGRESS progress = {.cbStruct = sizeof progress};

    backup_count(b, &progress.cbRequired, &progress.cbServed);
    if (__atomic_exchange_n(&b->reported, progress.cbServed + 1, __ATOMIC_RELAXED) ==
        progress.cbServed + 1) /* 0: nothing yet */
        return;
    g_strlcpy(progress.szMount, mountpoint, sizeof progress.szMount);
    (void)JetxReportBackupProgress(b->instance, &progress); /* its death is noticed elsewhere */
}

struct backup_file *
backup_find(struct backup *b, const char *name)
{
    for (guint i = 0; i < b->files->len; i++) {
        struct backup_file *file = b->files->pdata[i];
        if (strcmp(file->name, name) == 0)
            return file;
    }
    return NULL;
}

bool
backup_file_is_complete(const struct backup_file *file)
{
    return file->carried || served_complete(file->served);
}

bool
backup_file_is_required(const struct backup_file *file)
{
    return file->kind != FILE_GENERATED;
}

enum jetfs_exit
backup_result(struct backup *b)
{
    enum jetfs_exit result = EXIT_COMPLETE;

    if (g_atomic_int_get(&b->dead) < 0)
        return EXIT_ABORTED_BY_SERVER;
    for (guint i = 0; i < b->files->len; i++) {
        struct backup_file *file = b->files->pdata[i];
        if (backup_file_is_complete(file) || !backup_file_is_required(file))
            continue;
        g_mutex_lock(&file->lock);
        bool corrupt = exit_is_corruption(file->error);
        g_mutex_unlock(&file->lock);
        if (corrupt)
            return EXIT_CORRUPT;
        result = EXIT_INCOMPLETE;
    }
    return result;
}

static void
close_files(struct backup *b)
{
    for (guint i = 0; i < b->files->len; i++) {
        struct backup_file *file = b->files->pdata[i];
        g_mutex_lock(&file->lock);
        if (file->is_open)
            (void)JetCloseFileInstance(b->instance, file->handle);
        file->is_open = false;
        g_mutex_unlock(&file->lock);
    }
}

JET_ERR
backup_end(struct backup *b, bool success, bool truncate)
{
    JET_ERR err = JET_errSuccess;

    if (!b->begun)
        return JET_errNoBackup;
    backup_quiesce(b);
    g_rw_lock_writer_lock(&b->in_use);
    g_rw_lock_writer_unlock(&b->in_use);
    close_files(b);
    if (success && truncate) {
        err = JetTruncateLogInstance(b->instance);
        if (err < 0)
            events_add(b->events, "the logs were not truncated: %s (%d)", JetxErrorNameA(err), err);
    }
    err = JetEndExternalBackupInstance2(b->instance,
                                        success ? JET_bitBackupEndNormal : JET_bitBackupEndAbort);
    b->begun = false;
    if (!success && err == JET_errBackupAbortByCaller)
        return JET_errSuccess;
    return err < 0 ? err : JET_errSuccess;
}

void
backup_free(struct backup *b)
{
    if (b == NULL)
        return;
    if (b->instance != JET_instanceNil)
        (void)JetxDisconnectInstance(b->instance);
    g_ptr_array_unref(b->files);
    g_rw_lock_clear(&b->in_use);
    g_rw_lock_clear(&b->delivery);
    g_free(b->log_signature);
    g_free(b->source);
    g_free(b);
}
