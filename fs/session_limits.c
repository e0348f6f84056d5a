/* SPDX-License-Identifier: MIT */
#include "session_limits.h"

#include "backup.h"

#include <string.h>

static const struct {
    const char *option, *name, *parameter;
    bool is_time;
} limits[JETX_limitCount] = {
    [JETX_limitAge] = {"max_age", "maximum age", "JET_paramJetxSessionMaxAge", true},
    [JETX_limitIdle] = {"idle", "idle time", "JET_paramJetxSessionIdle", true},
    [JETX_limitPreimage] = {"preimage", "preimage budget", "JET_paramJetxPreimageBudget/Percent",
                            false},
    [JETX_limitPinnedLog] = {"pinned_log", "pinned log budget",
                             "JET_paramJetxPinnedLogBudget/Percent", false},
};

const char *
session_limits_name(unsigned i)
{
    return i < JETX_limitCount ? limits[i].option : NULL;
}

/* ---- the words of -o ---- */

static bool
parse_number(const char *text, const char *units, const uint64_t *factors, uint64_t *out)
{
    char *end;
    if (!g_ascii_isdigit(text[0]))
        return false;
    uint64_t number = g_ascii_strtoull(text, &end, 10), factor = 1;
    if (end[0] != '\0') {
        const char *unit = strchr(units, end[0]);
        if (unit == NULL || end[1] != '\0')
            return false;
        factor = factors[unit - units];
    }
    return number > 0 && g_uint64_checked_mul(out, number, factor);
}

static bool
parse_time(const char *text, uint64_t *seconds)
{
    static const uint64_t factors[] = {1, 60, 3600, 86400};
    return parse_number(text, "smhd", factors, seconds);
}

static bool
parse_size(const char *text, uint64_t *bytes, uint32_t *percent)
{
    static const uint64_t factors[] = {1u << 10, 1u << 20, 1u << 30, UINT64_C(1) << 40};
    static const uint64_t one[] = {1};
    uint64_t number;
    if (!g_str_has_suffix(text, "%"))
        return parse_number(text, "KMGT", factors, bytes);
    if (!parse_number(text, "%", one, &number) || number > 100)
        return false;
    *percent = (uint32_t)number;
    return true;
}

bool
session_limits_parse(const char *word, JETX_BACKUPLIMITS *out)
{
    const char *value = strchr(word, '=');
    if (value == NULL)
        return false;
    g_autofree char *option = g_strndup(word, (size_t)(value - word));
    value++;
    if (strcmp(option, "max_age") == 0)
        return parse_time(value, &out->secMaxAge);
    if (strcmp(option, "idle") == 0)
        return parse_time(value, &out->secIdle);
    if (strcmp(option, "preimage") == 0)
        return parse_size(value, &out->cbPreimage, &out->pctPreimage);
    if (strcmp(option, "pinned_log") == 0)
        return parse_size(value, &out->cbPinnedLog, &out->pctPinnedLog);
    return false;
}

/* ---- what is said of them ---- */

/* What the engine counts in milliseconds is told in seconds. */
static uint64_t
in_units(unsigned i, uint64_t amount)
{
    return limits[i].is_time ? amount / 1000 : amount;
}

static char *
time_text(uint64_t seconds)
{
    if (seconds % 86400 == 0 && seconds > 0)
        return g_strdup_printf("%" G_GUINT64_FORMAT " d", seconds / 86400);
    if (seconds % 3600 == 0 && seconds > 0)
        return g_strdup_printf("%" G_GUINT64_FORMAT " h", seconds / 3600);
    if (seconds < 120)
        return g_strdup_printf("%" G_GUINT64_FORMAT " s", seconds);
    if (seconds < 3600)
        return g_strdup_printf("%" G_GUINT64_FORMAT " min", seconds / 60);
    return g_strdup_printf("%" G_GUINT64_FORMAT " h %" G_GUINT64_FORMAT " min", seconds / 3600,
                           seconds / 60 % 60);
}

char *
session_limits_amount(unsigned i, uint64_t amount)
{
    return limits[i].is_time ? time_text(amount)
                             : g_format_size_full(amount, G_FORMAT_SIZE_IEC_UNITS);
}

char *
session_limits_end_text(unsigned i, uint64_t limit)
{
    g_autofree char *amount = session_limits_amount(i, limit);
    return g_strdup_printf("it reached its %s of %s; raise -o %s, or %s in the program",
                           limits[i].name, amount, limits[i].option, limits[i].parameter);
}

static void
look_at(struct backup *b, unsigned i, const JETX_LIMIT *limit)
{
    gint told = g_atomic_int_get(&b->warned[i]);
    if ((gint)limit->warned <= told ||
        !g_atomic_int_compare_and_exchange(&b->warned[i], told, (gint)limit->warned))
        return;
    g_autofree char *used = session_limits_amount(i, in_units(i, limit->used));
    g_autofree char *most = session_limits_amount(i, in_units(i, limit->limit));
    events_mark(b->events, "warning",
                "the session has used %u %% of its %s: %s of %s; at the limit it ends",
                limit->warned, limits[i].name, used, most);
}

void
session_limits_look(struct backup *b, const JETX_BACKUPSTATUS *status)
{
    for (unsigned i = 0; i < JETX_limitCount; i++)
        look_at(b, i, &status->rgLimit[i]);
    uint32_t ended = status->limitEnded;
    if (ended == 0 || ended > JETX_limitCount || g_atomic_int_get(&b->limit_ended) != 0)
        return;
    uint64_t limit = in_units(ended - 1, status->rgLimit[ended - 1].limit);
    __atomic_store_n(&b->limit_value, limit, __ATOMIC_RELAXED); /* all write the same */
    if (!g_atomic_int_compare_and_exchange(&b->limit_ended, 0, (gint)ended))
        return;
    g_autofree char *text = session_limits_end_text(ended - 1, limit);
    events_mark(b->events, "limit", "the session is over: %s", text);
}

/* What was asked for, in the unit of the status; 0 = nothing, or a percentage. */
static uint64_t
asked(const JETX_BACKUPLIMITS *l, unsigned i)
{
    const uint64_t amounts[JETX_limitCount] = {
        [JETX_limitAge] = l->secMaxAge,
        [JETX_limitIdle] = l->secIdle,
        [JETX_limitPreimage] = l->cbPreimage,
        [JETX_limitPinnedLog] = l->cbPinnedLog,
    };
    return amounts[i];
}

JET_ERR
session_limits_apply(struct backup *b, const JETX_BACKUPLIMITS *wanted)
{
    JETX_BACKUPLIMITS given = *wanted;
    JETX_BACKUPSTATUS status = {.cbStruct = sizeof status};

    given.cbStruct = sizeof given;
    JET_ERR err = JetxSetBackupLimits(b->instance, &given);
    if (err >= 0)
        err = JetxGetBackupStatus(b->instance, &status);
    for (unsigned i = 0; err >= 0 && i < JETX_limitCount; i++) {
        uint64_t holds = in_units(i, status.rgLimit[i].limit);
        if (holds == 0 || asked(wanted, i) <= holds)
            continue;
        g_autofree char *amount = session_limits_amount(i, holds);
        events_add(b->events, "%s: the program that owns the database allows only %s (%s)",
                   limits[i].option, amount, limits[i].parameter);
    }
    return err;
}

void
session_limits_to_json(const JETX_BACKUPSTATUS *status, JsonBuilder *b)
{
    json_builder_set_member_name(b, "limits");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < JETX_limitCount; i++) {
        const JETX_LIMIT *limit = &status->rgLimit[i];
        if (limit->limit == 0)
            continue;
        json_builder_begin_object(b);
        json_builder_set_member_name(b, "name");
        json_builder_add_string_value(b, limits[i].option);
        json_builder_set_member_name(b, "unit");
        json_builder_add_string_value(b, limits[i].is_time ? "seconds" : "bytes");
        json_builder_set_member_name(b, "limit");
        json_builder_add_int_value(b, (gint64)in_units(i, limit->limit));
        json_builder_set_member_name(b, "used");
        json_builder_add_int_value(b, (gint64)in_units(i, limit->used));
        json_builder_set_member_name(b, "warned");
        json_builder_add_int_value(b, limit->warned);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}
