/* SPDX-License-Identifier: MIT */
#include "stale.h"

#include "lease.h"
#include "mounts.h"
#include "status.h"

#include <stdio.h>
#include <string.h>

static void
write_death(const struct status_summary *summary, const char *status_path)
{
    g_autofree char *text =
        status_with_result(summary, EXIT_DRIVER_DIED,
                           "the driver was killed before the session ended; the copy is no backup");
    int err = lease_write_once(status_path, text);
    if (err < 0)
        fprintf(stderr, "jetfs: %s: cannot write the status file: %s\n", status_path,
                g_strerror(-err));
}

static void
remove_mount(const char *mountpoint)
{
    int err = mounts_unmount(mountpoint, true);
    if (err < 0)
        fprintf(stderr, "jetfs: %s: cannot remove the dead mount: %s\n", mountpoint,
                g_strerror(-err));
    else
        fprintf(stderr, "jetfs: %s: removed a mount whose driver was killed\n", mountpoint);
}

bool
stale_clean_up(const char *mountpoint, const char *status_path)
{
    struct status_summary summary;
    bool running = status_load(status_path, &summary) && strcmp(summary.state, "done") != 0;
    bool alive = running && status_is_alive(&summary);

    /* A mount with a driver is not looked at: to look is to use it, and an unmount would fail. */
    bool stale = !alive && mounts_look(mountpoint) == MOUNTS_STALE;
    if (stale)
        remove_mount(mountpoint);
    if (running && !alive)
        write_death(&summary, status_path);
    status_summary_clear(&summary);
    return stale || (running && !alive);
}
