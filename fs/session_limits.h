/* SPDX-License-Identifier: MIT */
/*
 * The limits of a session as the user meets them: the words of -o, warnings and the end in the
 * events, members of the status. The owner of the database keeps them; a mount can make them only
 * tighter.
 */
#pragma once

#include "esent.h"
#include "esentx.h"

#include <json-glib/json-glib.h>
#include <stdbool.h>

struct backup;

/*
 * Takes max_age=, idle= (a number with s, m, h or d; seconds without), preimage=, pinned_log= (a
 * number with K, M, G or T, powers of 1024; bytes without; or with %: of what is free). False when
 * the word is none of these, or its value is not one.
 */
bool session_limits_parse(const char *word, JETX_BACKUPLIMITS *limits);

/* Hands them to the owner; what it does not grant becomes an event. The engine's errors. */
JET_ERR session_limits_apply(struct backup *backup, const JETX_BACKUPLIMITS *limits);

/* Tells what the status has to say of limits that was not told yet. Any thread. */
void session_limits_look(struct backup *backup, const JETX_BACKUPSTATUS *status);

/* Adds the member "limits". */
void session_limits_to_json(const JETX_BACKUPSTATUS *status, JsonBuilder *builder);

/* The name of limit `i` (JETX_limit...), as -o and the status have it; NULL: there is no such. */
const char *session_limits_name(unsigned i);

/* "it reached its maximum age of 30 s; ...": what ended the session and how to raise it. Caller
 * frees. */
char *session_limits_end_text(unsigned i, uint64_t limit);

/* A number of seconds or of bytes as people read it. Caller frees. */
char *session_limits_amount(unsigned i, uint64_t amount);
