/* SPDX-License-Identifier: MIT */
/*
 * wire: what goes over the bus, as GVariants, both ways. What comes in is checked here, and only
 * here.
 */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#include "service/service.h"

#define WIRE_PATH      "/backup"
#define WIRE_INTERFACE "net.jetfs.Backup1"

/* (i a(...)) */
GVariant *wire_files_put(JET_ERR err, const JETX_BACKUPFILE *files, uint32_t n);
/* JET_errInternalError: not what put makes; JET_errOutOfMemory. *files: g_free. */
JET_ERR wire_files_get(GVariant *reply, JETX_BACKUPFILE **files, uint32_t *n);

/* (i a{sv}) */
GVariant *wire_status_put(JET_ERR err, const JETX_BACKUPSTATUS *status);
/* Fills what the reply has and leaves the rest zero. */
JET_ERR wire_status_get(GVariant *reply, JETX_BACKUPSTATUS *status);

/* The reply to OpenFile; appends duplicates of the descriptors to fds. file NULL on an error. */
GVariant *wire_open_put(JET_ERR err, const struct frozen_file *file, GUnixFDList *fds);
/* Takes the descriptors out of fds (NULL = none came). JET_errInternalError: impossible sizes or a
 * descriptor missing; then *file is untouched. */
JET_ERR wire_open_get(GVariant *reply, GUnixFDList *fds, struct frozen_file *file);
