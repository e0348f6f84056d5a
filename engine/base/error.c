/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

static const struct entry {
    JET_ERR err;
    const char *name;
    const char *text;
} entries[] = {
#define ERROR(name, text) {name, #name, text},
#include "base/error_list.h"
#undef ERROR
};

static const struct entry *
find(JET_ERR err)
{
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
        if (entries[i].err == err)
            return &entries[i];
    return NULL;
}

const char *
error_name(JET_ERR err)
{
    const struct entry *e = find(err);
    return e ? e->name : "JET_errUnknown";
}

const char *
error_text(JET_ERR err)
{
    const struct entry *e = find(err);
    return e ? e->text : "Unknown error";
}

bool
error_is_known(JET_ERR err)
{
    return find(err) != NULL;
}
