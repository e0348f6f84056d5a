/* SPDX-License-Identifier: MIT */
/*
 * cli: what the command lines of all verbs have in common. A verb says what it takes; --help, the
 * count of arguments and the messages about mistakes are made here, the same for all.
 *
 * A new verb: fs/cmd_NAME.c with cmd_NAME() in commands.h, a row in the table of main.c,
 * doc/jetfs-NAME.1 in doc/meson.build with each option in its OPTIONS. tests/unit/fs/manuals.py
 * compares help, manual and completion, which takes verbs and options from --help.
 *
 *   enum jetfs_exit
 *   cmd_peek(int argc, char **argv)
 *   {
 *       gboolean as_json = FALSE;
 *       const GOptionEntry options[] = {
 *           {"json", 'j', 0, G_OPTION_ARG_NONE, &as_json, "Print JSON", NULL},
 *           {NULL},
 *       };
 *       const struct cli cli = {"peek", "FILE", 1, 1, "Look into FILE.", options};
 *       g_auto(GStrv) words = NULL;
 *       enum jetfs_exit code;
 *
 *       if (!cli_parse(&cli, argc, argv, &words, &code))
 *           return code;
 *       return peek(words[0], as_json);
 *   }
 */
#pragma once

#include "exit.h"

#include <glib.h>
#include <stdbool.h>

struct cli {
    const char *verb;
    const char *arguments; /* as the usage shows them: "COPY TARGET" */
    guint least, most;     /* how many of these */
    const char *summary;   /* sentences, for --help */
    const GOptionEntry *options;
};

/*
 * Parses argv, whose first word is the verb. True: the options are set, *words (owned by the
 * caller, NULL-terminated, never NULL) are the arguments. False: --help was printed, or what is
 * wrong; *code is the exit code. What options were set to is the caller's in either case.
 */
bool cli_parse(const struct cli *cli, int argc, char **argv, char ***words, enum jetfs_exit *code);

/* Prints what is wrong with the command line, and where the help is. EXIT_USAGE. */
enum jetfs_exit cli_mistake(const struct cli *cli, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* How many letters make the one word from the other; for "did you mean". */
guint cli_distance(const char *a, const char *b);
