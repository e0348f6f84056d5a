/* SPDX-License-Identifier: MIT */
/*
 * server: an instance's own service: its backup session (backup/context.h) behind service.h.
 *
 * On at JetInit with JET_paramJetxBackupService, off at the begin of JetTerm. Calls of clients pass
 * the instance's gate as any other call does.
 */
#pragma once

#include "esent.h"

struct instance;

/* After a good instance_init. Nothing to do if the parameter is 0. Errors of service_start. */
JET_ERR server_start(struct instance *inst);

/*
 * No more clients: before instance_term if that is to end a running backup, at the latest when the
 * instance is quiet (before context_term). Not from inside the gate. A client's session ends as
 * JET_errBackupAbortByServer, and the client is told so. Nothing to do if there is no service.
 */
void server_stop(struct instance *inst);
