/* SPDX-License-Identifier: MIT */
#include "advice.h"
#include "cli.h"
#include "commands.h"

#include "esentx.h"

#include <glib.h>
#include <inttypes.h>
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct wishes {
    gint64 generation;
    char *lgpos;
    char *time;
    char *logs;
    GStrv maps;
    GStrv databases;
    gboolean json;
    GStrv paths; /* sources, then the target */
};

static void
wishes_clear(struct wishes *w)
{
    g_free(w->lgpos);
    g_free(w->time);
    g_free(w->logs);
    g_strfreev(w->maps);
    g_strfreev(w->databases);
    g_strfreev(w->paths);
}

/* ---- the command line ---- */

/* Generation:segment:byte in hexadecimal, as ESE prints positions, or a commit id, 0x... or
 * decimal, as the API and the manifest have it. */
static gboolean
parse_lgpos(const char *text, uint64_t *lgpos)
{
    unsigned gen, isec, ib;
    int used = 0;
    if (strchr(text, ':') != NULL) {
        if (sscanf(text, "%8x:%4x:%4x%n", &gen, &isec, &ib, &used) != 3 || text[used] != '\0')
            return FALSE;
        *lgpos = (uint64_t)gen << 32 | (uint64_t)isec << 16 | ib;
        return gen != 0;
    }
    char *end;
    *lgpos = g_ascii_strtoull(text, &end, 0);
    return *end == '\0' && *lgpos >> 32 != 0;
}

static gboolean
parse_time(const char *text, int64_t *ms)
{
    g_autoptr(GTimeZone) local = g_time_zone_new_local();
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, local);
    if (time == NULL)
        return FALSE;
    *ms = g_date_time_to_unix(time) * 1000 + g_date_time_get_microsecond(time) / 1000;
    return *ms > 0;
}

static enum jetfs_exit
parse_maps(const struct cli *cli, const struct wishes *w, GArray *maps)
{
    for (char **map = w->maps; map != NULL && *map != NULL; map++) {
        char *equals = strchr(*map, '=');
        if (equals == NULL || equals == *map || equals[1] == '\0')
            return cli_mistake(cli, "--map %s: give it as OLD=NEW", *map);
        *equals = '\0';
        const JET_RSTMAP_A entry = {*map, equals + 1};
        g_array_append_val(maps, entry);
    }
    return EXIT_COMPLETE;
}

static enum jetfs_exit
parse_stop(const struct cli *cli, const struct wishes *w, JETX_RESTOREPARAM *param)
{
    if ((w->generation != 0) + (w->lgpos != NULL) + (w->time != NULL) > 1)
        return cli_mistake(cli, "give one of --generation, --lgpos and --time");
    if (w->generation < 0 || w->generation > INT32_MAX)
        return cli_mistake(cli, "--generation: generations begin with 1");
    param->genStop = (uint32_t)w->generation;
    if (w->lgpos != NULL && !parse_lgpos(w->lgpos, &param->lgposStop))
        return cli_mistake(cli,
                           "--lgpos %s: neither GENERATION:SEGMENT:BYTE in hexadecimal nor a "
                           "commit id",
                           w->lgpos);
    if (w->time != NULL && !parse_time(w->time, &param->msStop))
        return cli_mistake(cli,
                           "--time %s: not a time such as 2026-11-23T14:05:00 (local) or "
                           "2026-11-23T13:05:00.250Z",
                           w->time);
    return EXIT_COMPLETE;
}

static enum jetfs_exit
parse(const struct cli *cli, const struct wishes *w, JETX_RESTOREPARAM *param, GArray *maps)
{
    enum jetfs_exit code = parse_stop(cli, w, param);
    if (code == EXIT_COMPLETE)
        code = parse_maps(cli, w, maps);
    param->szLogDir = w->logs;
    param->rgrstmap = (const JET_RSTMAP_A *)(const void *)maps->data;
    param->crstmap = maps->len;
    param->rgszDatabase = (const char *const *)w->databases;
    param->cDatabase = w->databases != NULL ? g_strv_length(w->databases) : 0;
    return code;
}

/* ---- the work ---- */

static void
print(const char *target, const JETX_RESTOREREPORT *r)
{
    printf("%s: %u databases restored and clean: logs %u to %u, %" PRIu64
           " records redone, %" PRIu64 " ms\n",
           target, r->cDatabase, r->genLow, r->genHigh, r->cRecord, r->msElapsed);
}

static void
add_number(JsonBuilder *b, const char *name, uint64_t value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_int_value(b, (gint64)value);
}

static void
add_string(JsonBuilder *b, const char *name, const char *value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_string_value(b, value);
}

static void
print_json(const char *target, JET_ERR err, const JETX_RESTOREREPORT *r)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    add_string(b, "target", target);
    json_builder_set_member_name(b, "code");
    json_builder_add_int_value(b, err);
    add_string(b, "error", err < 0 ? JetxErrorNameA(err) : "");
    add_string(b, "text", err < 0 ? JetxErrorTextA(err) : "");
    if (err >= 0) {
        add_number(b, "databases", r->cDatabase);
        add_number(b, "low", r->genLow);
        add_number(b, "high", r->genHigh);
        add_number(b, "records", r->cRecord);
        add_number(b, "milliseconds", r->msElapsed);
        add_number(b, "stopped", r->lgposEnd);
    } else if (r->szFileFirst[0] != '\0') {
        add_string(b, "file", r->szFileFirst);
        add_number(b, "offset", r->ibFirst);
        add_string(b, "reason", r->szReasonFirst);
    }
    json_builder_end_object(b);
    g_autoptr(JsonNode) root = json_builder_get_root(b);
    g_autofree char *text = json_to_string(root, TRUE);
    printf("%s\n", text);
}

static enum jetfs_exit
restore(const struct wishes *w, const JETX_RESTOREPARAM *param)
{
    JETX_RESTOREREPORT r = {.cbStruct = sizeof r};
    const uint32_t n = g_strv_length(w->paths) - 1;
    const char *target = w->paths[n];

    /* Without a journal events come to the terminal: those that only inform are left out there. */
    if (access("/run/systemd/journal/socket", W_OK) != 0)
        (void)JetSetSystemParameterA(NULL, JET_sesidNil, JET_paramNoInformationEvent, 1, NULL);

    JET_ERR err = JetxRestoreBackup2A((const char *const *)w->paths, n, target, param, &r);
    if (w->json)
        print_json(target, err, &r);
    else if (err >= 0)
        print(target, &r);
    if (err >= 0)
        return EXIT_COMPLETE;
    g_autofree char *before =
        g_strdup_printf("jetfs: cannot restore %s to %s", w->paths[0], target);
    return advice_print(before,
                        &(struct advice_finding) {err, r.szFileFirst, r.ibFirst, r.szReasonFirst});
}

enum jetfs_exit
cmd_restore(int argc, char **argv)
{
    struct wishes w = {0};
    JETX_RESTOREPARAM param = {.cbStruct = sizeof param};
    const GOptionEntry options[] = {
        {"generation", 'g', 0, G_OPTION_ARG_INT64, &w.generation,
         "Stop at the end of log generation N", "N"},
        {"lgpos", 'p', 0, G_OPTION_ARG_STRING, &w.lgpos,
         "Stop before this position: GENERATION:SEGMENT:BYTE in hexadecimal, or a commit id",
         "POS"},
        {"time", 't', 0, G_OPTION_ARG_STRING, &w.time,
         "Stop at this time: ISO 8601, local unless it says otherwise", "TIME"},
        {"logs", 'l', 0, G_OPTION_ARG_FILENAME, &w.logs,
         "Roll forward through the logs in DIR that go on from the backup's", "DIR"},
        {"map", 'm', 0, G_OPTION_ARG_FILENAME_ARRAY, &w.maps,
         "Make database OLD (a name, or its path in the log) as NEW (a name in TARGET, or a path)",
         "OLD=NEW"},
        {"database", 'd', 0, G_OPTION_ARG_FILENAME_ARRAY, &w.databases,
         "Restore only this database; may be given several times", "NAME"},
        {"json", 'j', 0, G_OPTION_ARG_NONE, &w.json, "Print the result as JSON", NULL},
        {NULL},
    };
    const struct cli cli = {
        .verb = "restore",
        .arguments = "COPY [MORE...] TARGET",
        .least = 2,
        .most = G_MAXUINT,
        .summary = "Restore a copied backup into the directory TARGET, and recover it to clean "
                   "databases. MORE are directories with later logs, such as incremental backups. "
                   "They and COPY are not changed.",
        .options = options,
    };
    g_autoptr(GArray) maps = g_array_new(FALSE, FALSE, sizeof(JET_RSTMAP_A));
    enum jetfs_exit code;

    if (cli_parse(&cli, argc, argv, &w.paths, &code)) {
        code = parse(&cli, &w, &param, maps);
        if (code == EXIT_COMPLETE)
            code = restore(&w, &param);
    }
    wishes_clear(&w);
    return code;
}
