/* SPDX-License-Identifier: MIT */
#include "instance/handle.h"

#include <glib.h>
#include <stdatomic.h>
#include <stddef.h>

#define SLOT_BITS  18
#define SLOTS      (1u << SLOT_BITS)
#define USE_COUNTS (1u << 10)

/* Handles fit 32 bits and are never 0 nor all ones. use is even while the slot is free. */
struct slot {
    _Atomic uint32_t use;
    uint32_t kind;
    void *_Atomic object;
    uint32_t next_free;
};

static struct slot slots[SLOTS]; /* touched only as far as used */
static GMutex mutex;             /* guards the free list */
static uint32_t used = 1, first_free;

uintptr_t
handle_new(enum handle_kind kind, void *object)
{
    g_mutex_lock(&mutex);
    uint32_t i = first_free;
    if (i)
        first_free = slots[i].next_free;
    else if (used < SLOTS)
        i = used++;
    g_mutex_unlock(&mutex);
    if (!i)
        return 0;
    struct slot *slot = &slots[i];
    slot->kind = kind;
    atomic_store(&slot->object, object);
    uint32_t use = (atomic_load(&slot->use) + 1) % (2 * USE_COUNTS);
    atomic_store(&slot->use, use);
    return (uintptr_t)(use / 2) << SLOT_BITS | i;
}

void *
handle_get(enum handle_kind kind, uintptr_t handle)
{
    uint32_t i = (uint32_t)(handle & (SLOTS - 1));
    uintptr_t use = handle >> SLOT_BITS;
    if (i == 0 || use >= USE_COUNTS)
        return NULL;
    struct slot *slot = &slots[i];
    if (atomic_load(&slot->use) != use * 2 + 1 || slot->kind != kind)
        return NULL;
    return atomic_load(&slot->object);
}

void
handle_drop(enum handle_kind kind, uintptr_t handle)
{
    g_assert(handle_get(kind, handle) != NULL);
    uint32_t i = (uint32_t)(handle & (SLOTS - 1));
    struct slot *slot = &slots[i];
    atomic_store(&slot->use, (atomic_load(&slot->use) + 1) % (2 * USE_COUNTS));
    atomic_store(&slot->object, NULL);
    g_mutex_lock(&mutex);
    slot->next_free = first_free;
    first_free = i;
    g_mutex_unlock(&mutex);
}
