/* SPDX-License-Identifier: MIT */
#include "trouble.h"

bool
trouble_is(struct trouble *trouble, char *cause, char *fix)
{
    trouble_clear(trouble);
    trouble->cause = cause;
    trouble->fix = fix;
    return false;
}

char *
trouble_text(const struct trouble *trouble)
{
    return g_strdup_printf("%s: %s", trouble->cause, trouble->fix);
}

void
trouble_clear(struct trouble *trouble)
{
    g_clear_pointer(&trouble->cause, g_free);
    g_clear_pointer(&trouble->fix, g_free);
}
