/* SPDX-License-Identifier: MIT */
/*
 * param: system parameters (JetSetSystemParameter), one table of what each may be.
 *
 * A set is either the process' defaults or an instance's own copy of them, taken when the instance
 * is created. A parameter that shapes files or pools is fixed once its instance is initialized.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esent.h"

struct params;

/* The documented defaults. Never fails. */
struct params *params_new(void);
struct params *params_copy(const struct params *from);
void params_free(struct params *params); /* NULL is fine */

/*
 * Sets a parameter: number for integers, text (UTF-8, copied; NULL = "") for strings.
 * initialized: the instance runs, so that only changeable ones are accepted.
 * JET_errInvalidParameter: unknown, read-only or out of range. JET_errAlreadyInitialized: fixed
 * now. JET_errInvalidPath: a path longer than 259 characters or a base name not of 3 characters.
 */
JET_ERR params_set(struct params *params, uint32_t id, uintptr_t number, const char *text,
                   bool initialized);

/* Is the parameter a string? JET_errInvalidParameter: unknown. */
JET_ERR params_is_text(uint32_t id, bool *is_text);

/* The value of a known parameter; asserts that id is one of that kind. */
uintptr_t params_number(const struct params *params, uint32_t id);
const char *params_text(const struct params *params, uint32_t id);
