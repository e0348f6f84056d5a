/* SPDX-License-Identifier: MIT */
#include "os/thread.h"

#include "os/fault.h"

JET_ERR
os_thread_start(const char *name, GThreadFunc run, void *arg, GThread **out)
{
    if (os_fault_hit(OS_CALL_THREAD, name, NULL) != 0)
        return JET_errOutOfThreads;
    GThread *thread = g_thread_try_new(name, run, arg, NULL);
    if (!thread)
        return JET_errOutOfThreads;
    *out = thread;
    return JET_errSuccess;
}
