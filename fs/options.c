/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "session_limits.h"

#include <glib.h>
#include <string.h>

static const char *const cache_names[] = {
    [CACHE_WINDOW] = "window",
    [CACHE_DIRECT] = "direct",
    [CACHE_PAGE] = "page",
};

static const char *const mode_names[] = {
    [MODE_FROZEN] = "frozen",
    [MODE_INCREMENTAL] = "incremental",
    [MODE_RECOVERED] = "recovered",
};

/* What mount(8), fstab and systemd add; without a meaning for us. */
static const char *const ignored[] = {
    "ro",         "rw",          "suid",     "nosuid",   "dev",        "nodev",
    "exec",       "noexec",      "auto",     "noauto",   "user",       "users",
    "nouser",     "group",       "owner",    "defaults", "_netdev",    "nofail",
    "async",      "sync",        "atime",    "noatime",  "nodiratime", "relatime",
    "norelatime", "strictatime", "lazytime", "silent",   NULL,
};

const char *
options_mode_name(enum session_mode mode)
{
    return mode_names[mode];
}

const char *
options_cache_name(enum cache_mode cache)
{
    return cache_names[cache];
}

void
options_clear(struct mount_options *options)
{
    g_clear_pointer(&options->status_path, g_free);
}

static bool
parse_cache(const char *value, struct mount_options *options)
{
    for (guint i = 0; i < G_N_ELEMENTS(cache_names); i++) {
        if (strcmp(value, cache_names[i]) == 0) {
            options->cache = (enum cache_mode)i;
            return true;
        }
    }
    return false;
}

static bool
parse_word(const char *word, struct mount_options *options)
{
    if (g_str_has_prefix(word, "cache="))
        return parse_cache(word + strlen("cache="), options);
    if (g_str_has_prefix(word, "status=") && g_path_is_absolute(word + strlen("status="))) {
        g_free(options->status_path);
        options->status_path = g_strdup(word + strlen("status="));
        return true;
    }
    if (session_limits_parse(word, &options->limits))
        return true;
    if (strcmp(word, "recovered") == 0 || strcmp(word, "incremental") == 0) {
        options->mode = word[0] == 'r' ? MODE_RECOVERED : MODE_INCREMENTAL;
        return true;
    }
    if (strcmp(word, "allow_other") == 0) {
        options->allow_other = true;
        return true;
    }
    if (strcmp(word, "allow_root") == 0) {
        options->allow_root = true;
        return true;
    }
    return word[0] == '\0' || g_str_has_prefix(word, "x-") || g_strv_contains(ignored, word);
}

bool
options_parse(const char *list, struct mount_options *options, char **message)
{
    g_auto(GStrv) words = g_strsplit(list, ",", -1);

    for (char **word = words; *word != NULL; word++) {
        if (parse_word(*word, options))
            continue;
        *message = g_strdup_printf(
            "-o %s: not an option of jetfs; known are cache=window|direct|"
            "page, recovered, incremental, status=/ABSOLUTE/PATH, max_age=TIME, idle=TIME, "
            "preimage=SIZE, pinned_log=SIZE, allow_other, allow_root; TIME: 90s, "
            "30m, 2h, 1d; SIZE: 500M, 10G, 20%%",
            *word);
        return false;
    }
    return true;
}
