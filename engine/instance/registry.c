/* SPDX-License-Identifier: MIT */
#include "instance/registry.h"

#include <glib.h>
#include <string.h>

#include "instance/handle.h"
#include "instance/instance.h"
#include "instance/param.h"

static GRecMutex mutex; /* guards all below, and every instance's holds */
static enum registry_mode mode;
static uint32_t mode_users; /* instances, and calls that entered the mode */
static struct params *defaults;
static GPtrArray *instances; /* of struct entry */

struct entry {
    struct instance *inst;
    uint32_t holds;
    bool listed;
};

void
registry_lock(void)
{
    g_rec_mutex_lock(&mutex);
    if (!defaults) {
        defaults = params_new();
        instances = g_ptr_array_new_with_free_func(g_free);
    }
}

void
registry_unlock(void)
{
    g_rec_mutex_unlock(&mutex);
}

struct params *
registry_defaults(void)
{
    return defaults;
}

enum registry_mode
registry_mode(void)
{
    registry_lock();
    enum registry_mode now = mode;
    registry_unlock();
    return now;
}

JET_ERR
registry_enter_mode(enum registry_mode wanted)
{
    registry_lock();
    JET_ERR err = mode == REGISTRY_NONE || mode == wanted ? JET_errSuccess
                  : mode == REGISTRY_ONE                  ? JET_errRunningInOneInstanceMode
                                                          : JET_errRunningInMultiInstanceMode;
    if (err >= 0) {
        mode = wanted;
        mode_users++;
    }
    registry_unlock();
    return err;
}

void
registry_leave_mode(void)
{
    registry_lock();
    g_assert(mode_users > 0);
    if (--mode_users == 0)
        mode = REGISTRY_NONE;
    registry_unlock();
}

static struct entry *
find_entry(const struct instance *inst)
{
    for (guint i = 0; i < instances->len; i++) {
        struct entry *e = instances->pdata[i];
        if (e->inst == inst)
            return e;
    }
    return NULL;
}

JET_ERR
registry_add(struct instance *inst)
{
    registry_lock();
    JET_ERR err = JET_errSuccess;
    guint live = 0;
    for (guint i = 0; i < instances->len; i++) {
        struct entry *e = instances->pdata[i];
        live += e->listed;
        if (e->listed && *inst->name && strcmp(e->inst->name, inst->name) == 0)
            err = JET_errInstanceNameInUse;
    }
    if (err >= 0 && live >= params_number(defaults, JET_paramMaxInstances))
        err = JET_errTooManyInstances;
    if (err >= 0) {
        inst->handle = handle_new(HANDLE_INSTANCE, inst);
        err = inst->handle ? JET_errSuccess : JET_errTooManyInstances;
    }
    if (err >= 0) {
        struct entry *e = g_new(struct entry, 1);
        *e = (struct entry) {inst, 1, true};
        g_ptr_array_add(instances, e);
        mode_users++;
    }
    registry_unlock();
    return err;
}

void
registry_remove(struct instance *inst)
{
    registry_lock();
    struct entry *e = find_entry(inst);
    if (e && e->listed) {
        e->listed = false;
        handle_drop(HANDLE_INSTANCE, inst->handle);
        registry_leave_mode();
    }
    registry_unlock();
}

void
registry_hold(struct instance *inst)
{
    registry_lock();
    find_entry(inst)->holds++;
    registry_unlock();
}

void
registry_release(struct instance *inst)
{
    if (!inst)
        return;
    registry_lock();
    struct entry *e = find_entry(inst);
    g_assert(e && e->holds > 0);
    bool last = --e->holds == 0 && !e->listed;
    if (last)
        g_ptr_array_remove_fast(instances, e);
    registry_unlock();
    if (last)
        instance_free(inst);
}

static struct instance *
first_listed_locked(void)
{
    for (guint i = 0; i < instances->len; i++) {
        struct entry *e = instances->pdata[i];
        if (e->listed)
            return e->inst;
    }
    return NULL;
}

JET_ERR
registry_find(JET_INSTANCE handle, struct instance **out)
{
    registry_lock();
    bool nil = handle == 0 || handle == JET_instanceNil;
    struct instance *inst = NULL;
    JET_ERR err = JET_errSuccess;
    if (!nil) {
        inst = handle_get(HANDLE_INSTANCE, handle);
        if (!inst)
            err = JET_errInvalidInstance;
    } else if (mode == REGISTRY_ONE) {
        inst = first_listed_locked();
    }
    if (err >= 0 && !inst)
        err = JET_errInvalidParameter;
    if (err >= 0) {
        registry_hold(inst);
        *out = inst;
    }
    registry_unlock();
    return err;
}

JET_ERR
registry_find_legacy(struct instance **out)
{
    registry_lock();
    JET_ERR err = JET_errNotInitialized;
    struct instance *inst = first_listed_locked();
    if (mode == REGISTRY_MULTI)
        err = JET_errRunningInMultiInstanceMode;
    else if (inst) {
        registry_hold(inst);
        *out = inst;
        err = JET_errSuccess;
    }
    registry_unlock();
    return err;
}

struct instance *
registry_nth(size_t n)
{
    struct instance *found = NULL;
    registry_lock();
    for (guint i = 0; i < instances->len && !found; i++) {
        struct entry *e = instances->pdata[i];
        if (e->listed && n-- == 0)
            found = e->inst;
    }
    if (found)
        registry_hold(found);
    registry_unlock();
    return found;
}
