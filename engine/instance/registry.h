/* SPDX-License-Identifier: MIT */
/*
 * registry: the instances of this process, and its mode (backup API, 8).
 *
 *   none --JetInit without JetCreateInstance--> one instance     --last instance gone--> none
 *   none --JetCreateInstance, JetExternalRestore--> multi instance --last instance gone--> none
 *
 * An instance found here stays alive until registry_release.
 */
#pragma once

#include "esent.h"

struct instance;
struct params;

enum registry_mode { REGISTRY_NONE, REGISTRY_ONE, REGISTRY_MULTI };

enum registry_mode registry_mode(void);

/* Takes part in a mode, making it the process' when none is set. JET_errRunningInOneInstanceMode,
 * JET_errRunningInMultiInstanceMode. registry_leave_mode undoes it where no instance came of it. */
JET_ERR registry_enter_mode(enum registry_mode mode);
void registry_leave_mode(void);

/* The defaults new instances copy. Guarded by the caller through registry_lock / unlock. */
struct params *registry_defaults(void);
void registry_lock(void);
void registry_unlock(void);

/* Gives the instance a handle; held once for the caller. JET_errTooManyInstances,
 * JET_errInstanceNameInUse. */
JET_ERR registry_add(struct instance *inst);

/* The instance is no longer found; it is freed when the last holder releases it. */
void registry_remove(struct instance *inst);

/* An instance call. In one-instance mode the handle is ignored if it is 0 or ~0.
 * JET_errInvalidParameter: 0, ~0; JET_errInvalidInstance: not a live instance. */
JET_ERR registry_find(JET_INSTANCE handle, struct instance **out);

/* A legacy call. JET_errNotInitialized: no instance at all; JET_errRunningInMultiInstanceMode. */
JET_ERR registry_find_legacy(struct instance **out);

/* The i-th instance, held; NULL past the end. */
struct instance *registry_nth(size_t i);

void registry_hold(struct instance *inst);
void registry_release(struct instance *inst); /* NULL is fine */
