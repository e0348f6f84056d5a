/* SPDX-License-Identifier: MIT */
/*
 * fault: lets a test fail the n-th system call of a class, once or from then on.
 *
 * Process-wide and thread-safe. Costs one relaxed load when nothing is armed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum os_call {
    OS_CALL_OPEN = 1 << 0,
    OS_CALL_READ = 1 << 1,
    OS_CALL_WRITE = 1 << 2,
    OS_CALL_SYNC = 1 << 3,
    OS_CALL_RENAME = 1 << 4, /* and remove, mkdir */
    OS_CALL_TRUNCATE = 1 << 5,
    OS_CALL_ANY = 0x3f,
    OS_CALL_THREAD = 1 << 6, /* start of a thread; path is its name */
};

struct os_fault {
    uint32_t calls;  /* enum os_call bits that count */
    uint64_t nth;    /* 1 = the next one */
    bool persistent; /* that one and all after it */
    bool torn;       /* a failing write first writes the front half of its bytes; a read works, but
                        has rubbish in its first bytes */
    int errnum;
    const char *path_part; /* only calls on paths that contain this; NULL = all */
};

/* Arms (copied; path_part must live until disarmed). NULL disarms. */
void os_fault_arm(const struct os_fault *fault);

/* Calls counted since the fault was armed; > nth - 1 means that it struck. */
uint64_t os_fault_count(void);

/* For os/ only: the errno to fail with, or 0. */
int os_fault_hit(enum os_call call, const char *path, bool *torn);
