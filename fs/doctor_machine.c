/* SPDX-License-Identifier: MIT */
/*
 * What has to be true of the machine, whatever is to be mounted.
 */
#include "doctor.h"

#include "checks.h"

#include <unistd.h>

#define LEASES   "/proc/sys/fs/leases-enable"
#define EARLIEST G_GINT64_CONSTANT(1704067200) /* 2024-01-01: before jetfs */

static bool
leases_are_on(struct trouble *trouble)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents(LEASES, &text, NULL, NULL) || g_ascii_strtoll(text, NULL, 10) != 0)
        return true;
    return trouble_is(
        trouble,
        g_strdup("leases are off (fs.leases-enable = 0): who reads a status file right "
                 "after umount(8) may read an old one"),
        g_strdup("`sysctl fs.leases-enable=1` as root, or end sessions with "
                 "`jetfs umount`, which waits"));
}

/* mount(8) gives its helpers no PATH; the shell then looks here. */
static bool
mount_finds_us(void)
{
    static const char *const places[] = {"/usr/local/sbin/jetfs", "/usr/local/bin/jetfs",
                                         "/usr/sbin/jetfs",       "/usr/bin/jetfs",
                                         "/sbin/jetfs",           "/bin/jetfs"};
    bool found = false;

    for (guint i = 0; i < G_N_ELEMENTS(places); i++)
        found |= access(places[i], X_OK) == 0;
    return found;
}

static bool
mount_helper_is_there(struct trouble *trouble)
{

    if (access("/sbin/mount.fuse3", X_OK) < 0 && access("/sbin/mount.fuse", X_OK) < 0)
        return trouble_is(
            trouble, g_strdup("/sbin/mount.fuse3 is missing"),
            g_strdup("install the package fuse3, if mount(8) or fstab are to be used"));
    if (!mount_finds_us())
        return trouble_is(
            trouble, g_strdup("jetfs is in none of the directories where mount(8) looks for it"),
            g_strdup("if mount(8) or fstab are to be used: install it, or put a link to "
                     "it into /usr/local/bin"));
    return true;
}

static bool
clock_is_sane(struct trouble *trouble)
{
    if (g_get_real_time() / G_USEC_PER_SEC >= EARLIEST)
        return true;
    return trouble_is(
        trouble,
        g_strdup("the clock is wrong, it shows a time before 2024: results would carry "
                 "that time"),
        g_strdup("set it, `timedatectl set-ntp true`; limits and durations do not "
                 "depend on it"));
}

void
doctor_machine(struct doctor *d)
{
    const enum finding_level for_users = geteuid() == 0 ? FINDING_NOTE : FINDING_BAD;
    struct trouble t = {0};

    doctor_take(d, FINDING_BAD, "kernel-fuse", checks_kernel(&t), &t, "the kernel knows FUSE");
    doctor_take(d, FINDING_BAD, "dev-fuse", checks_device(&t), &t, "/dev/fuse can be opened");
    doctor_take(d, for_users, "fusermount3", checks_helper(&t), &t,
                "fusermount3 is there and setuid root");
    doctor_take(d, FINDING_NOTE, "allow-other", checks_allow_other(&t), &t,
                "allow_other can be given");
    doctor_take(d, FINDING_NOTE, "leases", leases_are_on(&t), &t, "the kernel gives leases");
    doctor_take(d, FINDING_NOTE, "mount-helper", mount_helper_is_there(&t), &t,
                "mount -t fuse.jetfs finds jetfs");
    doctor_take(d, FINDING_BAD, "clock", clock_is_sane(&t), &t, "the clock shows a possible time");
}
