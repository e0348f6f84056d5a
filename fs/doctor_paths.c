/* SPDX-License-Identifier: MIT */
/*
 * Whether one mount point, one source can be used.
 */
#include "doctor.h"

#include "checks.h"
#include "esentx.h"
#include "instances.h"
#include "lease.h"
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define ROOM_BYTES (UINT64_C(64) << 20)

/* The file system of the status file gives leases. */
static bool
has_leases(const char *status_path, struct trouble *t)
{
    g_autofree char *dir = g_path_get_dirname(status_path);
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0)
        return true; /* told by the check whether it can be written */
    bool held = fcntl(fd, F_SETLEASE, F_WRLCK) == 0;
    int err = errno;
    close(fd);
    if (held)
        return true;
    return trouble_is(
        t,
        g_strdup_printf("%s: no leases there (%s): who reads the status file right after "
                        "umount(8) may read an old one",
                        dir, g_strerror(err)),
        g_strdup("end sessions with `jetfs umount`, which waits, or put the status file "
                 "on a local disk with -o status=/ABSOLUTE/PATH"));
}

static void
check_last(struct doctor *d, const char *mountpoint, const struct status_summary *s)
{
    struct trouble t = {0};

    if (s->result == EXIT_COMPLETE) {
        doctor_good(d, "last-session", "%s: complete", mountpoint);
        return;
    }
    (void)trouble_is(&t, g_strdup_printf("%s: %s: %s", mountpoint, s->result_name, s->text),
                     g_strdup("make a new backup; that copy is none"));
    doctor_add(d, FINDING_NOTE, "last-session", &t);
}

/* Nothing is mounted there: what does the status beside it say? */
static void
check_history(struct doctor *d, const char *mountpoint, const char *status_path)
{
    struct known_mount known = {.state = KNOWN_ELSEWHERE, .mountpoint = (char *)mountpoint};

    known.has_status = status_load(status_path, &known.status);
    if (known.has_status) {
        known.pid = known.status.pid;
        if (strcmp(known.status.state, "done") == 0)
            check_last(d, mountpoint, &known.status);
        else if (!status_is_alive(&known.status)) /* else it stands among the mounts */
            doctor_known(d, &known);
    }
    status_summary_clear(&known.status);
}

void
doctor_mountpoint(struct doctor *d, const char *mountpoint)
{
    g_autofree char *status_path = mounts_status_path(mountpoint);
    g_autofree char *good =
        g_strdup_printf("%s: an empty directory, nothing is mounted", mountpoint);
    g_autofree char *writable = g_strdup_printf("%s can be written", status_path);
    struct trouble t = {0};

    if (mounts_look(mountpoint) == MOUNTS_NONE) {
        doctor_take(d, FINDING_BAD, "mountpoint", checks_mountpoint(mountpoint, &t), &t, good);
        check_history(d, mountpoint, status_path);
    } else if (mounts_look(mountpoint) == MOUNTS_OTHER) {
        (void)checks_mountpoint(mountpoint, &t);
        doctor_add(d, FINDING_BAD, "mountpoint", &t);
    }
    bool can_write = checks_status_file(status_path, &t);
    doctor_take(d, FINDING_BAD, "status-file", can_write, &t, writable);
    if (can_write && !has_leases(status_path, &t))
        doctor_add(d, FINDING_NOTE, "leases", &t);
}

static bool
has_room(const char *source, struct trouble *t)
{
    struct statvfs st;

    if (statvfs(source, &st) < 0 || (uint64_t)st.f_bavail * st.f_frsize >= ROOM_BYTES)
        return true;
    g_autofree char *room = g_format_size((guint64)st.f_bavail * st.f_frsize);
    return trouble_is(t,
                      g_strdup_printf("%s: only %s free: old images of pages and logs may not fit, "
                                      "and then the session ends",
                                      source, room),
                      g_strdup("make room, or let the program keep old images elsewhere "
                               "(JET_paramJetxPreimagePath)"));
}

/* A file .backup that nobody listens at. */
static bool
find_dead_socket(const char *source, char **path)
{
    g_autoptr(GDir) dir = g_dir_open(source, 0, NULL);
    const char *name;
    struct stat st;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        *path = g_build_filename(source, name, NULL);
        if (g_str_has_suffix(name, ".backup") && lstat(*path, &st) == 0 && S_ISSOCK(st.st_mode))
            return true;
        g_clear_pointer(path, g_free);
    }
    return false;
}

static bool
explain_no_service(const char *source, struct trouble *t)
{
    g_autofree char *socket = NULL;
    JET_INSTANCE instance;

    JET_ERR err = JetxOpenDatabaseFileA(source, &instance);
    if (err >= 0)
        (void)JetxDisconnectInstance(instance);
    if (err == JET_errFileAccessDenied)
        return trouble_is(
            t, g_strdup_printf("%s: a running program has it open and offers no backup", source),
            g_strdup("turn on its backup service (JET_paramJetxBackupService)"));
    if (err < 0)
        return trouble_is(
            t, g_strdup_printf("%s: %s (%s)", source, JetxErrorTextA(err), JetxErrorNameA(err)),
            g_strdup("give an instance directory, its backup socket, or a database "
                     "file"));
    if (find_dead_socket(source, &socket))
        return trouble_is(t, g_strdup_printf("%s: the program that listened there is dead", socket),
                          g_strdup("start it; until then the files can be mounted as they are, or "
                                   "clean with -o recovered"));
    return true;
}

static void
check_service(struct doctor *d, const char *source)
{
    JETX_BACKUPSTATUS s = {.cbStruct = sizeof s};
    struct trouble t = {0};
    JET_INSTANCE instance;

    JET_ERR err = JetxConnectInstanceA(source, &instance);
    if (err == JET_errFileNotFound) {
        bool readable = explain_no_service(source, &t);
        g_autofree char *good = g_strdup_printf("%s: files that no program has open", source);
        enum finding_level level =
            t.fix != NULL && g_str_has_prefix(t.fix, "start it") ? FINDING_NOTE : FINDING_BAD;
        doctor_take(d, level, "service", readable, &t, good);
        return;
    }
    if (err < 0) {
        (void)trouble_is(&t,
                         g_strdup_printf("%s: the backup service does not answer: %s (%s)", source,
                                         JetxErrorTextA(err), JetxErrorNameA(err)),
                         g_strdup(err == JET_errAccessDenied
                                      ? "run jetfs as the user of the program"
                                      : "look whether the program hangs; restart it"));
        doctor_add(d, FINDING_BAD, "service", &t);
        return;
    }
    if (JetxGetBackupStatus(instance, &s) >= 0 && s.timeBegin != 0 && s.timeEnd == 0) {
        (void)trouble_is(
            &t,
            g_strdup_printf("%s: a session is held by pid %u (%s)%s%s", source, s.pidHolder,
                            s.szHolderProgram, s.szHolderMount[0] ? " at " : "", s.szHolderMount),
            g_strdup("wait for it, or end it with `jetfs umount --abort`; there is one "
                     "at a time"));
        doctor_add(d, FINDING_NOTE, "session", &t);
    }
    doctor_good(d, "service", "%s: the backup service answers", source);
    (void)JetxDisconnectInstance(instance);
}

void
doctor_source(struct doctor *d, const char *source)
{
    g_autofree char *good = g_strdup_printf("%s: this user may read it", source);
    struct trouble t = {0};

    bool readable = checks_source(source, &t);
    doctor_take(d, FINDING_BAD, "source", readable, &t, good);
    if (!readable)
        return;
    check_service(d, source);
    doctor_take(d, FINDING_NOTE, "room", has_room(source, &t), &t, "there is room for old images");
}
