/* SPDX-License-Identifier: MIT */
/*
 * socket: the Unix socket in the log directory, both ends.
 *
 * A path may be longer than sun_path; so the directory is opened and the socket named through
 * /proc/self/fd, which has no such limit.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esent.h"

/*
 * Listens at path, mode 0600 from its first moment; replaces a socket that nobody listens at.
 * JET_errFileAccessDenied: something else is there, or somebody listens, or no right; os_error.
 */
JET_ERR service_socket_listen(const char *path, int *fd);

/* JET_errFileNotFound: no socket, or nobody listens; JET_errAccessDenied: no right to it; os_error.
 */
JET_ERR service_socket_connect(const char *path, int *fd);

/* Is the peer of a connected socket root or of our own uid? */
bool service_socket_peer_is_ours(int fd);

/* Its process, 0 = unknown (in another pid namespace). */
uint32_t service_socket_peer_pid(int fd);
