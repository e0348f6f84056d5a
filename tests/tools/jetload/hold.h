/* SPDX-License-Identifier: MIT */
/*
 * hold: one long transaction after another, each rolled back at its end. It keeps the checkpoint
 * and so the logs back, as an application does that leaves a transaction open, and every backup of
 * that time has something to undo.
 */
#pragma once

#include "work.h"

/* Runs (a thread's function) until work is stopped or its workers are done; its JET_ERR. */
void *hold_main(void *work);
