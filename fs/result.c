/* SPDX-License-Identifier: MIT */
#include "result.h"

#include "session_limits.h"

#include <inttypes.h>

#define NAMED_FILES 8u

JET_ERR
result_code(struct backup *backup, enum jetfs_exit result, JET_ERR end_err)
{
    if (result == EXIT_ABORTED_BY_SERVER && g_atomic_int_get(&backup->dead) < 0)
        return g_atomic_int_get(&backup->dead);
    if (result == EXIT_INCOMPLETE)
        return JET_errBackupAbortByCaller;
    if (result != EXIT_CORRUPT)
        return end_err;
    for (guint i = 0; i < backup->files->len; i++) {
        const struct backup_file *file = backup->files->pdata[i];
        if (exit_is_corruption(file->error))
            return file->error;
    }
    return end_err;
}

static void
name_file(GString *text, struct backup_file *file)
{
    g_string_append_printf(text, "%s (%" PRIu64 " of %" PRIu64 " bytes", file->name,
                           served_bytes(file->served), file->size);
    if (file->error < 0) {
        g_string_append_printf(text, "; %s at offset %" PRIu64, JetxErrorNameA(file->error),
                               file->error_offset);
        if (file->error_pgno > 0)
            g_string_append_printf(text, ", page %u", file->error_pgno);
    }
    g_string_append(text, ")");
}

/* "app.edb (1 of 2 bytes), edb00001.log (...) and 4 more" */
static void
name_cut_short(GString *text, struct backup *backup)
{
    guint n = 0;

    for (guint i = 0; i < backup->files->len; i++) {
        struct backup_file *file = backup->files->pdata[i];
        if (!backup_file_is_required(file) || backup_file_is_complete(file))
            continue;
        if (n < NAMED_FILES) {
            g_string_append(text, n > 0 ? ", " : "; cut short: ");
            name_file(text, file);
        }
        n++;
    }
    if (n > NAMED_FILES)
        g_string_append_printf(text, " and %u more", n - NAMED_FILES);
}

/* Why the owner ended it, and what to do about that. */
static void
name_reason(GString *text, struct backup *backup, JET_ERR code)
{
    int ended = g_atomic_int_get(&backup->limit_ended);
    JET_ERR cause = g_atomic_int_get(&backup->cause);

    if (ended > 0) {
        g_autofree char *why = session_limits_end_text((unsigned)ended - 1, backup->limit_value);
        g_string_append_printf(text, ": %s", why);
    } else if (cause == JET_errDiskFull || cause == JET_errLogDiskFull) {
        g_string_append(text, ": the disk is full, no room for old images of pages; make room, or "
                              "let the program keep them elsewhere (JET_paramJetxPreimagePath)");
    } else if (cause < 0) {
        g_string_append_printf(text, ": it cannot keep old images of pages: %s (%d)",
                               JetxErrorNameA(cause), cause);
    } else if (code == JET_errInstanceUnavailable) {
        g_string_append(text, ": it died, or does not answer; look into its log, start it again, "
                              "and make a new backup");
    }
}

static const char *
cause_text(enum end_cause cause)
{
    switch (cause) {
    case END_SIGNAL:
        return "ended by a signal";
    case END_ABORT:
        return "aborted on request";
    case END_OWNER:
        return "the owner of the database ended the session";
    case END_NO_MOUNT:
        return "the mount failed, see the log of the driver";
    case END_UNMOUNT:
        break;
    }
    return "unmounted";
}

char *
result_text(struct backup *backup, enum jetfs_exit result, enum end_cause cause, JET_ERR code)
{
    GString *text = g_string_new(cause_text(cause));

    if (result == EXIT_ENVIRONMENT)
        return g_string_free(text, FALSE);
    switch (result) {
    case EXIT_COMPLETE:
        g_string_append(text, ", every required byte was served");
        break;
    case EXIT_ABORTED_BY_SERVER:
        name_reason(text, backup, code);
        g_string_append_printf(text, ", %s (%d)", JetxErrorNameA(code), code);
        break;
    case EXIT_CORRUPT:
        g_string_append(text, ", the database is damaged");
        break;
    default:
        g_string_append(text, ", the backup is incomplete");
    }
    name_cut_short(text, backup);
    return g_string_free(text, FALSE);
}
