/* SPDX-License-Identifier: MIT */
/*
 * Mounts and drivers that are not as they should be, and what they left behind.
 */
#include "doctor.h"

#include "json_get.h"
#include "proc.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLOCK_SLACK_US (60 * G_USEC_PER_SEC)

static bool
driver_is_well(const struct known_mount *k, struct trouble *t)
{
    switch (k->state) {
    case KNOWN_STOPPED:
        return trouble_is(
            t,
            g_strdup_printf("%s: its driver (pid %d) is stopped: whoever looks there waits",
                            k->mountpoint, k->pid),
            g_strdup_printf("let it go on with `kill -CONT %d`, or give the backup up with "
                            "`kill -KILL %d`",
                            k->pid, k->pid));
    case KNOWN_DEAD:
        return trouble_is(t,
                          g_strdup_printf("%s: its driver was killed: everybody gets ENOTCONN, and "
                                          "the copy is no backup",
                                          k->mountpoint),
                          g_strdup_printf("remove it with `jetfs umount %s`", k->mountpoint));
    case KNOWN_DETACHED: {
        g_autofree char *holders = proc_holders(k->has_status ? status_device(&k->status) : 0);
        return trouble_is(
            t,
            g_strdup_printf("%s: unmounted lazily, but driver %d and the session go on "
                            "for %s",
                            k->mountpoint, k->pid,
                            holders == NULL ? "a process that uses it" : holders),
            g_strdup_printf("end that, or `jetfs umount --abort %s`", k->mountpoint));
    }
    case KNOWN_ELSEWHERE:
    case KNOWN_MOUNTED:
        break;
    }
    if (!k->has_status || strcmp(k->status.state, "done") == 0 || status_is_alive(&k->status))
        return true;
    return trouble_is(
        t,
        g_strdup_printf("%s: its status says \"%s\", but driver %d is dead: the copy is "
                        "no backup",
                        k->mountpoint, k->status.state, k->pid),
        g_strdup_printf("clean up with `jetfs status %s`", k->mountpoint));
}

static bool
owner_lives(const struct known_mount *k, struct trouble *t)
{
    JsonObject *owner = json_get_object(json_node_get_object(k->status.root), "owner");
    int pid = (int)json_get_int(owner, "pid");

    if (strcmp(k->status.state, "done") == 0 || !json_get_bool(owner, "live") || pid <= 0 ||
        status_process_start(pid) != 0)
        return true;
    return trouble_is(
        t,
        g_strdup_printf("%s: the program that owns the database (pid %d) is dead: reads "
                        "fail with EIO, and the copy is no backup",
                        k->mountpoint, pid),
        g_strdup_printf("end the session with `jetfs umount --abort %s`, start the "
                        "program, mount again",
                        k->mountpoint));
}

static bool
begin_has_been(const struct known_mount *k, struct trouble *t)
{
    const char *text = json_get_string(json_node_get_object(k->status.root), "begin");
    g_autoptr(GDateTime) begin = g_date_time_new_from_iso8601(text, NULL);

    if (begin == NULL || strcmp(k->status.state, "done") == 0 ||
        g_date_time_to_unix(begin) * G_USEC_PER_SEC <= g_get_real_time() + CLOCK_SLACK_US)
        return true;
    return trouble_is(
        t,
        g_strdup_printf("%s: the session began at %s, which is yet to come: the clock "
                        "was set back",
                        k->mountpoint, text),
        g_strdup("set it, `timedatectl set-ntp true`; the session is not affected, its "
                 "limits count by another clock"));
}

void
doctor_known(struct doctor *d, const struct known_mount *k)
{
    const char *check = k->state == KNOWN_STOPPED    ? "stopped-driver"
                        : k->state == KNOWN_DEAD     ? "stale-mount"
                        : k->state == KNOWN_DETACHED ? "lazy-unmount"
                                                     : "driver";
    g_autofree char *good = g_strdup_printf("%s: driver %d serves", k->mountpoint, k->pid);
    struct trouble t = {0};

    if (k->has_status && strcmp(k->status.state, "done") == 0 && k->state == KNOWN_ELSEWHERE)
        return;
    doctor_take(d, FINDING_BAD, check, driver_is_well(k, &t), &t, good);
    if (!k->has_status)
        return;
    if (!owner_lives(k, &t))
        doctor_add(d, FINDING_BAD, "owner", &t);
    if (!begin_has_been(k, &t))
        doctor_add(d, FINDING_NOTE, "clock", &t);
}

void
doctor_mounts(struct doctor *d)
{
    g_autoptr(GPtrArray) mounts = known_mounts();

    if (mounts->len == 0)
        doctor_good(d, "mounts", "no jetfs is mounted");
    for (guint i = 0; i < mounts->len; i++)
        doctor_known(d, mounts->pdata[i]);
}

struct search {
    const char *dir;
    bool found;
};

static bool
is_within(int pid, const char *fd, const char *target, void *ctx)
{
    struct search *search = ctx;
    search->found |= proc_is_inside(target, search->dir);
    return !search->found;
}

static bool
is_in_use(const char *dir)
{
    g_autoptr(GArray) pids = proc_list();
    struct search search = {dir, false};

    for (guint i = 0; i < pids->len && !search.found; i++)
        proc_each_fd(g_array_index(pids, int, i), is_within, &search);
    return search.found;
}

/* Private copies of recovered views. Old images of pages have no name, and so cannot be left. */
static guint
look_for_copies(struct doctor *d, const char *where)
{
    g_autoptr(GDir) dir = g_dir_open(where, 0, NULL);
    struct trouble t = {0};
    const char *name;
    struct stat st;
    guint n = 0;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(where, name, NULL);
        if (!g_str_has_prefix(name, "jetfs-recovered-") || lstat(path, &st) < 0 ||
            !S_ISDIR(st.st_mode) || (geteuid() != 0 && st.st_uid != geteuid()) || is_in_use(path))
            continue;
        (void)trouble_is(
            &t,
            g_strdup_printf("%s: the private copy of a recovered view whose driver was "
                            "killed",
                            path),
            g_strdup_printf("remove it: `rm -r %s`", path));
        doctor_add(d, FINDING_NOTE, "leftovers", &t);
        n++;
    }
    return n;
}

void
doctor_leftovers(struct doctor *d)
{
    const char *tmp = g_getenv("TMPDIR");
    guint n = look_for_copies(d, "/var/tmp");

    if (tmp != NULL && tmp[0] != '\0' && strcmp(tmp, "/var/tmp") != 0)
        n += look_for_copies(d, tmp);
    if (n == 0)
        doctor_good(d, "leftovers", "no private copy was left behind");
}
