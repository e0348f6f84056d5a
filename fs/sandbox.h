/* SPDX-License-Identifier: MIT */
/*
 * Least privilege for a driver that serves: from here on the process can gain no rights
 * (no_new_privs) and asks the kernel only for what serving, ending and telling the result take
 * (seccomp). It cannot start programs, make sockets but for the system log, trace, mount or change
 * what it runs as.
 *
 * What is not allowed fails with EPERM: a library that tries something else carries on without it.
 * Paths are not restricted, rights on files remain those of the user.
 */
#pragma once

/*
 * For all threads, for good. 0; negative errno when this kernel cannot: nothing is restricted then.
 */
int sandbox_enter(void);
