/* SPDX-License-Identifier: MIT */
/*
 * A status in a few lines, and how numbers are written for people.
 */
#pragma once

#include "status.h"

/* Prints state or result, and what it is about, to stdout. */
void report_summary(const struct status_summary *summary);

/* "1.5 GiB", "3:07 min", "2.4 ms". Owned by the caller. */
char *report_size(gint64 bytes);
char *report_duration(double seconds);
char *report_latency(gint64 us);

/* Seconds since 1970 of a time as the status has it; 0 when it is none. */
double report_time(const char *text);
