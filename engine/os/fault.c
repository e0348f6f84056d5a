/* SPDX-License-Identifier: MIT */
#include "os/fault.h"

#include <glib.h>
#include <stdatomic.h>
#include <string.h>

static atomic_bool armed;
static GMutex mutex; /* guards fault, count */
static struct os_fault fault;
static uint64_t count;

void
os_fault_arm(const struct os_fault *f)
{
    g_mutex_lock(&mutex);
    count = 0;
    if (f)
        fault = *f;
    atomic_store(&armed, f != NULL);
    g_mutex_unlock(&mutex);
}

uint64_t
os_fault_count(void)
{
    g_mutex_lock(&mutex);
    uint64_t n = count;
    g_mutex_unlock(&mutex);
    return n;
}

int
os_fault_hit(enum os_call call, const char *path, bool *torn)
{
    if (!atomic_load_explicit(&armed, memory_order_relaxed))
        return 0;
    int errnum = 0;
    g_mutex_lock(&mutex);
    bool counts = atomic_load(&armed) && (fault.calls & (uint32_t)call) != 0 &&
                  (!fault.path_part || (path && strstr(path, fault.path_part)));
    if (counts) {
        count++;
        if (count == fault.nth || (fault.persistent && count > fault.nth)) {
            errnum = fault.errnum;
            if (torn)
                *torn = fault.torn;
        }
    }
    g_mutex_unlock(&mutex);
    return errnum;
}
