/* SPDX-License-Identifier: MIT */
#include "stale.h"

#include "lease.h"
#include "mounts.h"
#include "status.h"

#include <stdio.h>
#include <string.h>

static bool
close_status(const char *status_path)
{
    struct status_summary summary;
    bool dead =
        status_load(status_path, &summary) && strcmp(summary.state, "done") != 0 &&
        (summary.start_ticks == 0 || status_process_start(summary.pid) != summary.start_ticks);

    if (dead) {
        g_autofree char *text =
            status_with_result(&summary, EXIT_DRIVER_DIED,
                               "the driver was killed before the session ended; the copy is no "
                               "backup");
        int err = lease_write_once(status_path, text);
        if (err < 0)
            fprintf(stderr, "jetfs: %s: cannot write the status file: %s\n", status_path,
                    g_strerror(-err));
    }
    status_summary_clear(&summary);
    return dead;
}

bool
stale_clean_up(const char *mountpoint, const char *status_path)
{
    bool stale = mounts_look(mountpoint) == MOUNTS_STALE;

    if (stale) {
        int err = mounts_unmount(mountpoint, true);
        if (err < 0)
            fprintf(stderr, "jetfs: %s: cannot remove the dead mount: %s\n", mountpoint,
                    g_strerror(-err));
        else
            fprintf(stderr, "jetfs: %s: removed a mount whose driver was killed\n", mountpoint);
    }
    return close_status(status_path) || stale;
}
