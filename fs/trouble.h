/* SPDX-License-Identifier: MIT */
/*
 * What is wrong, as a person needs it: the cause, and what to do about it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct trouble {
    char *cause;
    char *fix;
};

/* Takes both strings; returns false, for `return trouble_is(...)` in a check. */
bool trouble_is(struct trouble *trouble, char *cause, char *fix);

/* "cause: fix". Owned by the caller. */
char *trouble_text(const struct trouble *trouble);

void trouble_clear(struct trouble *trouble);
