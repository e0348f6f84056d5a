/* SPDX-License-Identifier: MIT */
/*
 * target: whom a backup call with a JET_INSTANCE is for: an instance of this process, one in
 * another process (service/remote.h), or files without an owner (backup/offline.h).
 */
#pragma once

#include <stdbool.h>

#include "esent.h"
#include "esentx.h"

struct instance;
struct offline;
struct peer;
struct remote;

struct target {
    struct instance *inst; /* exactly one of these is set */
    struct remote *remote;
    struct offline *offline;
    struct peer *held; /* of the last two */
};

/* Finds it, and for an instance passes the gate. Undo with target_leave. The gate's and registry's
 * errors. */
JET_ERR target_enter(JET_INSTANCE handle, struct target *target)
    __attribute__((warn_unused_result));
void target_leave(struct target *target);

/* From now on (or, with NULL, no longer) the peer's session is this one; the peer owns it. */
void target_set_recovered(struct target *target, struct offline *recovered);

/* Is it a handle of JetxConnectInstance or JetxOpenDatabaseFile? Then as target_enter; else false.
 */
bool target_enter_peer(JET_INSTANCE handle, struct target *target);
