/* SPDX-License-Identifier: MIT */
/*
 * handle: what an application holds instead of pointers: sessions, tables, instances.
 *
 * A handle is a slot number and the slot's use count, so that a stale or invented handle is found
 * out instead of followed. Looking one up takes no lock.
 */
#pragma once

#include <stdint.h>

/* PEER: an instance elsewhere, for backup calls only (api/target.h). */
enum handle_kind { HANDLE_INSTANCE = 1, HANDLE_SESSION, HANDLE_TABLE, HANDLE_PEER };

/* A new handle of object; 0 when all slots are taken. */
uintptr_t handle_new(enum handle_kind kind, void *object);

/* The object, or NULL: no such handle, dropped, or of another kind. */
void *handle_get(enum handle_kind kind, uintptr_t handle);

/* The handle is no longer valid. Asserts that it was. */
void handle_drop(enum handle_kind kind, uintptr_t handle);
