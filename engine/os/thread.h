/* SPDX-License-Identifier: MIT */
/* thread: a thread that may fail to start. */
#pragma once

#include <glib.h>

#include "esent.h"

/* name: at most 15 characters are seen. JET_errOutOfThreads. Join with g_thread_join. */
JET_ERR os_thread_start(const char *name, GThreadFunc run, void *arg, GThread **out)
    __attribute__((warn_unused_result));
