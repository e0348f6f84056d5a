/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum jetfs_exit
cli_mistake(const struct cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);

    fprintf(stderr, "jetfs %s: %s\nusage: jetfs %s [OPTION...]%s%s; see `jetfs %s --help`\n",
            cli->verb, text, cli->verb, cli->arguments[0] != '\0' ? " " : "", cli->arguments,
            cli->verb);
    return EXIT_USAGE;
}

static void
print_help(const struct cli *cli, GOptionContext *context)
{
    g_autofree char *name = g_strdup_printf("jetfs %s", cli->verb);
    g_autofree char *more =
        g_strdup_printf("Manual: jetfs-%s(1); exit codes: jetfs(1).", cli->verb);

    g_option_context_set_summary(context, cli->summary);
    g_option_context_set_description(context, more);
    g_set_prgname(name); /* the usage line begins with it */
    g_autofree char *text = g_option_context_get_help(context, TRUE, NULL);
    g_set_prgname("jetfs");
    printf("%s", text);
}

static bool
count_is_right(const struct cli *cli, char **words)
{
    guint n = g_strv_length(words);

    if (n < cli->least)
        (void)cli_mistake(cli, "an argument is missing: give %s", cli->arguments);
    else if (n > cli->most)
        (void)cli_mistake(cli, "'%s' is one argument too many", words[cli->most]);
    return n >= cli->least && n <= cli->most;
}

bool
cli_parse(const struct cli *cli, int argc, char **argv, char ***words, enum jetfs_exit *code)
{
    g_autoptr(GOptionContext) context = g_option_context_new(cli->arguments);
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) rest = NULL;
    gboolean help = FALSE;
    const GOptionEntry common[] = {
        {"help", 'h', 0, G_OPTION_ARG_NONE, &help, "Print this help", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &rest, NULL, NULL},
        {NULL},
    };

    *code = EXIT_USAGE;
    g_option_context_set_help_enabled(context, FALSE);
    if (cli->options != NULL)
        g_option_context_add_main_entries(context, cli->options, NULL);
    g_option_context_add_main_entries(context, common, NULL);
    bool parsed = g_option_context_parse(context, &argc, &argv, &error);
    if (help) {
        print_help(cli, context);
        *code = EXIT_COMPLETE;
        return false;
    }
    if (!parsed) {
        (void)cli_mistake(cli, "%s", error->message);
        return false;
    }
    if (rest == NULL)
        rest = g_new0(char *, 1);
    if (!count_is_right(cli, rest))
        return false;
    *words = g_steal_pointer(&rest);
    return true;
}

guint
cli_distance(const char *a, const char *b)
{
    const size_t len = strlen(b);
    g_autofree guint *row = g_new(guint, len + 1);

    for (size_t j = 0; j <= len; j++)
        row[j] = (guint)j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        guint diagonal = row[0];
        row[0] = (guint)i + 1;
        for (size_t j = 1; j <= len; j++) {
            guint changed = diagonal + (a[i] != b[j - 1]);
            diagonal = row[j];
            row[j] = MIN(changed, MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[len];
}
