/* SPDX-License-Identifier: MIT */
/*
 * error: names and sentences for JET_ERR values, from one list (error_list.h).
 */
#pragma once

#include <stdbool.h>

#include "esent.h"

#define WARN_UNUSED __attribute__((warn_unused_result))

/* "JET_errWriteConflict"; "JET_errUnknown" for a value that ESE does not define. Static string. */
const char *error_name(JET_ERR err);

/* Is it one that ESE defines? */
bool error_is_known(JET_ERR err);

/* One English sentence without full stop; "Unknown error" for an unknown value. Static string. */
const char *error_text(JET_ERR err);
