/* SPDX-License-Identifier: MIT */
#include "instance/event.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <systemd/sd-journal.h>

#include "esent.h"

#define INSERTS_MAX 9

struct events {
    char *source;
    char *instance;
    char *file;
    atomic_bool no_information;
    uint32_t level;
    void (*hear)(void *ctx, enum event_id id, enum event_type type, const char *text);
    void *hear_ctx;
};

struct event_def {
    enum event_id id;
    enum event_type type;
    const char *name;
    const char *text; /* %1, %2, %3 stand for the inserts */
};

static const struct event_def defs[] = {
    {EVENT_INIT, EVENT_INFORMATION, "INIT", "The database engine %1 started."},
    {EVENT_TERM, EVENT_INFORMATION, "TERM", "The database engine stopped."},
    {EVENT_INSTANCE_START, EVENT_INFORMATION, "START_INSTANCE", "An instance was started."},
    {EVENT_INSTANCE_STOP, EVENT_INFORMATION, "STOP_INSTANCE", "The instance was stopped."},
    {EVENT_INSTANCE_STOP_ERROR, EVENT_ERROR, "STOP_INSTANCE_ERROR",
     "The instance was stopped with error %1."},
    {EVENT_RESTORE_START, EVENT_INFORMATION, "START_RESTORE",
     "Restore started: backup logs in %1, later logs in %2."},
    {EVENT_RESTORE_STOP, EVENT_INFORMATION, "STOP_RESTORE", "Restore ended."},
    {EVENT_MISSING_FULL_BACKUP, EVENT_ERROR, "DATABASE_MISS_FULL_BACKUP_ERROR",
     "Database %1 needs a full backup before an incremental one."},
    {EVENT_FULL_BACKUP_START, EVENT_INFORMATION, "START_FULL_BACKUP_INSTANCE",
     "A full backup begins."},
    {EVENT_INCREMENTAL_BACKUP_START, EVENT_INFORMATION, "START_INCREMENTAL_BACKUP_INSTANCE",
     "An incremental backup begins."},
    {EVENT_BACKUP_STOP, EVENT_INFORMATION, "STOP_BACKUP_INSTANCE", "The backup ended well."},
    {EVENT_BACKUP_STOP_ERROR, EVENT_ERROR, "STOP_BACKUP_ERROR_INSTANCE",
     "The backup ended with error %1."},
    {EVENT_BACKUP_STOP_BY_CALLER, EVENT_ERROR, "STOP_BACKUP_ERROR_ABORT_BY_CALLER_INSTANCE",
     "The backup was aborted by its client."},
    {EVENT_DB_LOCATION_CHANGE, EVENT_INFORMATION, "DB_LOCATION_CHANGE_DETECTED",
     "Database %1 is restored as %2."},
    {EVENT_BACKUP_DATABASE_ERROR, EVENT_ERROR, "BACKUP_ERROR_FOR_ONE_DATABASE",
     "Error %1 while backing up database %2; it is not in this backup."},
    {EVENT_BACKUP_READ_ERROR, EVENT_ERROR, "BACKUP_ERROR_READ_FILE",
     "Error %1 while backing up %2."},
    {EVENT_BACKUP_INFO_UPDATE_ERROR, EVENT_WARNING, "BACKUP_ERROR_INFO_UPDATE",
     "Error %1 while stamping the database headers with this backup."},
    {EVENT_BACKUP_FILE_START, EVENT_INFORMATION, "BACKUP_FILE_START",
     "Backup of file %1 (%2) begins."},
    {EVENT_BACKUP_FILE_STOP_OK, EVENT_INFORMATION, "BACKUP_FILE_STOP_OK",
     "Backup of file %1 is complete."},
    {EVENT_BACKUP_FILE_STOP_BEFORE_END, EVENT_INFORMATION, "BACKUP_FILE_STOP_BEFORE_END",
     "Backup of file %1 was stopped after %2 of %3 bytes."},
    {EVENT_BACKUP_LOGS_START, EVENT_INFORMATION, "BACKUP_LOG_FILES_START",
     "Backup of the logs %1 to %2 begins."},
    {EVENT_BACKUP_TRUNCATE, EVENT_INFORMATION, "BACKUP_TRUNCATE_LOG_FILES",
     "Deleting the logs %1 to %2."},
    {EVENT_BACKUP_NO_TRUNCATE, EVENT_INFORMATION, "BACKUP_NO_TRUNCATE_LOG_FILES",
     "No log can be deleted."},
    {EVENT_BACKUP_STOP_BY_SERVER, EVENT_ERROR, "STOP_BACKUP_ERROR_ABORT_BY_SERVER_INSTANCE",
     "The backup was aborted by the server. %1"},
    {EVENT_BACKUP_TRUNCATE_MISSING, EVENT_WARNING, "BACKUP_TRUNCATE_FOUND_MISSING_LOG_FILES",
     "%1 logs of the range to delete were gone already."},
    {EVENT_RECOVERY_START, EVENT_INFORMATION, "START_RECOVERY", "Recovery begins at log %1."},
    {EVENT_RECOVERY_LOG, EVENT_INFORMATION, "STATUS_REDO", "Recovery replays log %1."},
    {EVENT_RECOVERY_STOP, EVENT_INFORMATION, "STOP_RECOVERY", "Recovery ended."},
    {EVENT_DATABASE_CREATE, EVENT_INFORMATION, "CREATE_DATABASE_DONE", "Database %1 was created."},
    {EVENT_DATABASE_ATTACH, EVENT_INFORMATION, "ATTACH_DATABASE_DONE", "Database %1 was attached."},
    {EVENT_DATABASE_DETACH, EVENT_INFORMATION, "DETACH_DATABASE_DONE", "Database %1 was detached."},
    {EVENT_PATCH_FILE_MISMATCH, EVENT_ERROR, "DATABASE_PATCH_FILE_MISMATCH_ERROR",
     "The trailer page of database %1 does not belong to it: this is not one backup."},
    {EVENT_RESTORE_LOG_TOO_HIGH, EVENT_ERROR, "STARTING_RESTORE_LOG_TOO_HIGH_ERROR",
     "The logs given begin with %1, the database needs them from %2 on."},
    {EVENT_RESTORE_LOG_TOO_LOW, EVENT_ERROR, "ENDING_RESTORE_LOG_TOO_LOW_ERROR",
     "The logs given end with %1, the database needs them up to %2."},
    {EVENT_RESTORE_LOG_BAD_SIGNATURE, EVENT_ERROR, "RESTORE_LOG_FILE_HAS_BAD_SIGNATURE_ERROR",
     "Log %1 belongs to another log stream."},
    {EVENT_RESTORE_LOG_NOT_CONTIGUOUS, EVENT_ERROR, "RESTORE_LOG_FILE_NOT_CONTIGUOUS_ERROR",
     "Log %1 does not continue the one before it."},
    {EVENT_RESTORE_LOG_MISSING, EVENT_ERROR, "RESTORE_LOG_FILE_MISSING_ERROR",
     "Log %1 is missing."},
    {EVENT_REDO_ABRUPT_END, EVENT_ERROR, "REDO_END_ABRUPTLY_ERROR",
     "Log %1 ends in the middle though later logs follow."},
    {EVENT_RESTORE_CURRENT_LOG_MISSING, EVENT_ERROR, "CURRENT_LOG_FILE_MISSING_ERROR",
     "Log %1, the next after the backup, is missing."},
    {EVENT_REDO_MISSING_LOW_LOG, EVENT_ERROR, "REDO_MISSING_LOW_LOG_ERROR",
     "Database %1: the logs begin with %2, it needs them from %3 on."},
    {EVENT_REDO_MISSING_HIGH_LOG, EVENT_ERROR, "REDO_MISSING_HIGH_LOG_ERROR",
     "Database %1: the logs end with %2, it needs them up to %3."},
    {EVENT_RESTORE_FAIL, EVENT_ERROR, "RESTORE_DATABASE_FAIL", "Recovery or restore failed: %1."},
    {EVENT_EXISTING_LOG_BAD_SIGNATURE, EVENT_WARNING, "EXISTING_LOG_FILE_HAS_BAD_SIGNATURE_ERROR",
     "Log %1 in the log directory belongs to another log stream."},
    {EVENT_EXISTING_LOG_NOT_CONTIGUOUS, EVENT_WARNING, "EXISTING_LOG_FILE_NOT_CONTIGUOUS_ERROR",
     "Log %1 in the log directory does not continue those of the backup."},
    {EVENT_BACKUP_LOG_MISSING, EVENT_ERROR, "BACKUP_LOG_FILE_MISSING_ERROR",
     "Log %1, needed for the backup, is missing."},
    {EVENT_LOG_TORN_RESTORE, EVENT_ERROR, "LOG_TORN_WRITE_DURING_HARD_RESTORE",
     "Log %1 of the backup ends in a torn write."},
    {EVENT_LOG_CORRUPT_RESTORE, EVENT_ERROR, "LOG_CORRUPTION_DURING_HARD_RESTORE",
     "Log %1 of the backup is damaged."},
    {EVENT_LOG_TORN_TAIL, EVENT_WARNING, "LOG_TORN_WRITE",
     "Log %1, later than the backup, ends in a torn write though later logs follow."},
    {EVENT_LOG_CORRUPT_RECOVERY, EVENT_ERROR, "LOG_CORRUPTION_DURING_HARD_RECOVERY",
     "Log %1, later than the backup, is damaged."},
    {EVENT_LOG_CORRUPT, EVENT_ERROR, "LOG_FILE_CORRUPTED", "Log %1 is damaged."},
    {EVENT_PAGE_CHECKSUM, EVENT_ERROR, "DATABASE_PAGE_CHECK_FAILED",
     "Database %1, page %2: the checksum is wrong (error %3). Restore from a backup."},
    {EVENT_PAGE_NUMBER, EVENT_ERROR, "DATABASE_PAGE_NUMBER_MISMATCH",
     "Database %1, page %2: the page says it is another one."},
    {EVENT_PAGE_REPAIRED, EVENT_WARNING, "DATABASE_PAGE_ECC_REPAIRED",
     "Database %1, page %2: one flipped bit was corrected."},
    {EVENT_LOG_WRITE_ERROR, EVENT_ERROR, "LOG_WRITE_ERROR",
     "Writing log %1 failed with error %2. The instance must be restarted."},
    {EVENT_TRANSIENT_READ_ERROR, EVENT_ERROR, "TRANSIENT_READ_ERROR_DETECTED",
     "%1, offset %2: a read succeeded only when repeated."},
    {EVENT_REDO_LOG_MISMATCH, EVENT_ERROR, "REDO_HIGH_LOG_MISMATCH_ERROR",
     "Database %1: log %2 is not the one it was changed with."},
    {EVENT_BACKUP_LOG_NOT_COPIED, EVENT_WARNING, "BACKUP_LOG_FILE_NOT_COPIED",
     "No log is deleted: not every log of the backup was copied."},
    {EVENT_COMMITTED_LOG_MISSING, EVENT_ERROR, "REDO_COMMITTED_LOGS_MISSING",
     "Database %1: the logs end with %2, transactions up to %3 were committed."},
    {EVENT_ATTACH_BACKUP_DATABASE, EVENT_ERROR, "ATTACH_TO_BACKUP_SET_DATABASE_ERROR",
     "Database %1 is a backup copy that was never restored; restore it first."},
    {EVENT_RESTORE_FILE, EVENT_ERROR, "RESTORE_FILE", "The restore stopped at %1: %2"},
    {EVENT_SNAPSHOT_FREEZE, EVENT_INFORMATION, "OS_SNAPSHOT_FREEZE_START",
     "Snapshot %1: the engine stops writing."},
    {EVENT_SNAPSHOT_FREEZE_ERROR, EVENT_ERROR, "OS_SNAPSHOT_FREEZE_START_ERROR",
     "Snapshot %1: the engine could not stop writing (error %2); it goes on as before."},
    {EVENT_SNAPSHOT_THAW, EVENT_INFORMATION, "OS_SNAPSHOT_FREEZE_STOP",
     "Snapshot %1: the engine writes again."},
    {EVENT_SNAPSHOT_TIMEOUT, EVENT_ERROR, "OS_SNAPSHOT_TIME_OUT",
     "Snapshot %1: nobody thawed it within %2 ms, so the engine writes again by itself. What was "
     "copied of the disk is worth nothing."},
    {EVENT_SNAPSHOT_FULL, EVENT_INFORMATION, "OS_SNAPSHOT_PREPARE_FULL",
     "Snapshot %1 is prepared: full."},
    {EVENT_SNAPSHOT_INCREMENTAL, EVENT_INFORMATION, "OS_SNAPSHOT_PREPARE_INCREMENTAL",
     "Snapshot %1 is prepared: incremental."},
    {EVENT_SNAPSHOT_COPY, EVENT_INFORMATION, "OS_SNAPSHOT_PREPARE_COPY",
     "Snapshot %1 is prepared: copy."},
    {EVENT_SNAPSHOT_DIFFERENTIAL, EVENT_INFORMATION, "OS_SNAPSHOT_PREPARE_DIFFERENTIAL",
     "Snapshot %1 is prepared: differential."},
    {EVENT_SNAPSHOT_END, EVENT_INFORMATION, "OS_SNAPSHOT_END", "Snapshot %1 ended well."},
    {EVENT_SNAPSHOT_ABORT, EVENT_ERROR, "OS_SNAPSHOT_ABORT", "Snapshot %1 was aborted."},
    {EVENT_SESSION_LIMIT_NEAR, EVENT_WARNING, "BACKUP_SESSION_LIMIT_NEAR",
     "The backup session has used %2 % of its %1: %3 of %4."},
    {EVENT_SESSION_LIMIT_REACHED, EVENT_ERROR, "BACKUP_SESSION_LIMIT_REACHED",
     "The backup session is over: it reached its %1 of %2 (%3). The database goes on."},
};

static GMutex listener_mutex;
static event_listener listener_fn;
static void *listener_ctx;

static const struct event_def *
find_def(enum event_id id)
{
    for (size_t i = 0; i < G_N_ELEMENTS(defs); i++) {
        if (defs[i].id == id)
            return &defs[i];
    }
    return NULL;
}

struct events *
events_new(const struct event_options *options)
{
    struct events *ev = g_new0(struct events, 1);
    const char *program = g_get_prgname();
    ev->source = g_strdup(options->source && *options->source ? options->source
                          : program                           ? program
                                                              : "libesent");
    ev->instance = g_strdup(options->instance ? options->instance : "");
    ev->file = options->file && *options->file ? g_strdup(options->file) : NULL;
    atomic_init(&ev->no_information, options->no_information);
    ev->level = options->level;
    ev->hear = options->hear;
    ev->hear_ctx = options->hear_ctx;
    return ev;
}

void
events_free(struct events *ev)
{
    if (!ev)
        return;
    g_free(ev->source);
    g_free(ev->instance);
    g_free(ev->file);
    g_free(ev);
}

void
events_set_no_information(struct events *ev, bool off)
{
    if (ev)
        atomic_store(&ev->no_information, off);
}

uint32_t
event_level(enum event_id id)
{
    const struct event_def *def = find_def(id);
    if (!def || def->type != EVENT_INFORMATION)
        return JET_EventLoggingLevelMin;
    switch (id) {
    case EVENT_RECOVERY_LOG:
        return JET_EventLoggingLevelHigh;
    case EVENT_DB_LOCATION_CHANGE:
    case EVENT_BACKUP_FILE_START:
    case EVENT_BACKUP_FILE_STOP_OK:
    case EVENT_BACKUP_FILE_STOP_BEFORE_END:
    case EVENT_BACKUP_LOGS_START:
    case EVENT_BACKUP_TRUNCATE:
    case EVENT_BACKUP_NO_TRUNCATE:
    case EVENT_DATABASE_CREATE:
    case EVENT_DATABASE_ATTACH:
    case EVENT_DATABASE_DETACH:
        return JET_EventLoggingLevelMedium;
    default:
        return JET_EventLoggingLevelLow;
    }
}

char *
event_number(int64_t value)
{
    return g_strdup_printf("%" G_GINT64_FORMAT, value);
}

const char *
event_name(enum event_id id)
{
    const struct event_def *def = find_def(id);
    return def ? def->name : NULL;
}

void
event_listen(event_listener listener, void *ctx)
{
    g_mutex_lock(&listener_mutex);
    listener_fn = listener;
    listener_ctx = ctx;
    g_mutex_unlock(&listener_mutex);
}

static void
format_text(GString *out, const char *text, const char *const *inserts, size_t count)
{
    size_t used = 0;
    for (const char *p = text; *p; p++) {
        if (*p != '%' || p[1] < '1' || p[1] > '9') {
            g_string_append_c(out, *p);
            continue;
        }
        size_t i = (size_t)(*++p - '1');
        used = MAX(used, i + 1);
        if (i < count)
            g_string_append(out, inserts[i]);
    }
    for (size_t i = used; i < count; i++)
        g_string_append_printf(out, " %s", inserts[i]);
}

static bool
have_journal(void)
{
    return access("/run/systemd/journal/socket", W_OK) == 0;
}

static void
write_line(int fd, const char *line)
{
    size_t left = strlen(line);
    while (left > 0) {
        ssize_t n = write(fd, line, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        line += n;
        left -= (size_t)n;
    }
}

static void
deliver(const struct events *ev, const struct event_def *def, const char *text)
{
    static const int priority[] = {
        [EVENT_ERROR] = LOG_ERR, [EVENT_WARNING] = LOG_WARNING, [EVENT_INFORMATION] = LOG_INFO};
    const char *file = ev ? ev->file : NULL;
    if (!file && have_journal()) {
        sd_journal_send("MESSAGE=%s", text, "PRIORITY=%d", priority[def->type],
                        "SYSLOG_IDENTIFIER=%s", ev ? ev->source : "libesent", "ESE_EVENT_ID=%d",
                        (int)def->id, "ESE_EVENT=%s", def->name, "ESE_INSTANCE=%s",
                        ev ? ev->instance : "", NULL);
        return;
    }
    static const char *const word[] = {
        [EVENT_ERROR] = "error", [EVENT_WARNING] = "warning", [EVENT_INFORMATION] = "info"};
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *stamp = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
    g_autofree char *line =
        g_strdup_printf("%s %s %d %s: %s\n", stamp, word[def->type], (int)def->id, def->name, text);
    if (!file) {
        write_line(STDERR_FILENO, line);
        return;
    }
    int fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        write_line(STDERR_FILENO, line);
        return;
    }
    write_line(fd, line);
    close(fd);
}

void
event_report(struct events *ev, enum event_id id, ...)
{
    const char *inserts[INSERTS_MAX + 1] = {NULL};
    va_list ap;
    va_start(ap, id);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is started one line above */
    for (size_t n = 0; n < INSERTS_MAX && (inserts[n] = va_arg(ap, const char *)); n++)
        continue;
    va_end(ap);
    event_report_list(ev, id, inserts);
}

void
event_report_list(struct events *ev, enum event_id id, const char *const *inserts)
{
    const struct event_def *def = find_def(id);
    g_return_if_fail(def != NULL);
    size_t count = 0;
    while (inserts[count])
        count++;

    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%s (%d) %s: ", ev ? ev->source : "libesent", (int)getpid(),
                           ev ? ev->instance : "");
    const size_t prefix = text->len;
    format_text(text, def->text, inserts, count);

    g_mutex_lock(&listener_mutex);
    event_listener fn = listener_fn;
    void *ctx = listener_ctx;
    g_mutex_unlock(&listener_mutex);
    if (fn)
        fn(ctx, id, def->type, text->str);
    if (ev && ev->hear)
        ev->hear(ev->hear_ctx, id, def->type, text->str + prefix);
    if (ev && (ev->level < event_level(def->id) ||
               (def->type == EVENT_INFORMATION && atomic_load(&ev->no_information))))
        return;
    deliver(ev, def, text->str);
}
