/* SPDX-License-Identifier: MIT */
/*
 * What people read: a status as a few lines of text.
 */
#pragma once

#include "status.h"

/* Prints the result, the bytes, and the files that were cut short, to stdout. */
void report_summary(const struct status_summary *summary);
