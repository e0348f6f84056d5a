/* SPDX-License-Identifier: MIT */
/*
 * The mounts of jetfs that this machine knows: those in the table of mounts, and drivers that
 * still run without one, because the mount was taken away from under them (umount -l) or is in
 * another mount namespace.
 */
#pragma once

#include "status.h"

enum known_state {
    KNOWN_MOUNTED,
    KNOWN_STOPPED,   /* mounted, but the driver is stopped: whoever looks waits */
    KNOWN_DEAD,      /* mounted, but the driver is gone: ENOTCONN */
    KNOWN_DETACHED,  /* unmounted lazily; the driver runs as long as somebody has files open */
    KNOWN_ELSEWHERE, /* mounted in another mount namespace only */
};

struct known_mount {
    enum known_state state;
    char *mountpoint;
    char *source; /* "" when it cannot be told */
    int pid;      /* of the driver; 0 when it cannot be told */
    bool has_status;
    struct status_summary status; /* valid when it has one */
};

/* "mounted", "stopped", "dead", "detached", "elsewhere". */
const char *known_state_name(enum known_state state);

/*
 * struct known_mount, those of the table in its order, then the others. With a status of its own
 * only where this user may read it. Owned by the caller.
 */
GPtrArray *known_mounts(void);

/*
 * The status of the session at `mountpoint`. Of a mount that lives, the file beside it when its
 * lease keeps it fresh: an open file within the mount would make an unmount at this moment fail.
 * Else the live one, which also knows where the other is. Clear the summary in either case.
 */
bool known_status(const char *mountpoint, const char *status_path, struct status_summary *summary);
