/* SPDX-License-Identifier: MIT */
/*
 * A status as metrics in Prometheus' text format, for the textfile collector of node_exporter.
 */
#pragma once

#include <json-glib/json-glib.h>

/* The text, of any status. Owned by the caller. */
char *prometheus_text(JsonObject *root);
