/* SPDX-License-Identifier: MIT */
/*
 * How a session ended, in words: for the status file, the log and the person at the terminal.
 */
#pragma once

#include "backup.h"

enum end_cause {
    END_UNMOUNT,  /* somebody unmounted */
    END_SIGNAL,   /* the driver was asked to go */
    END_ABORT,    /* `jetfs umount --abort` */
    END_OWNER,    /* the owner of the database ended the session or died */
    END_NO_MOUNT, /* it never came to a mount */
};

/* The engine's code that belongs to the result: that of the death, the first bad file, or the end.
 */
JET_ERR result_code(struct backup *backup, enum jetfs_exit result, JET_ERR end_err);

/* One sentence that names what was cut short and why. Owned by the caller. */
char *result_text(struct backup *backup, enum jetfs_exit result, enum end_cause cause,
                  JET_ERR code);
