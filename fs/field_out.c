/* SPDX-License-Identifier: MIT */
#include "field_out.h"

#include "json_out.h"

#include <inttypes.h>
#include <string.h>

char *
field_lgpos(JET_LGPOS pos)
{
    return g_strdup_printf("(0x%X,%X,%X)", (unsigned)pos.lGeneration, pos.isec, pos.ib);
}

char *
field_time(JET_LOGTIME t)
{
    static const JET_LOGTIME none;

    if (memcmp(&t, &none, 6) == 0)
        return NULL;
    return g_strdup_printf("%04d-%02d-%02dT%02d:%02d:%02d.%03d%s", 1900 + t.bYear, t.bMonth, t.bDay,
                           t.bHours, t.bMinutes, t.bSeconds,
                           t.bMillisecondsHigh << 7 | t.bMillisecondsLow, t.fTimeIsUTC ? "Z" : "");
}

/* The computer's name, 16 bytes with or without NUL. */
static char *
computer(const JET_SIGNATURE *s)
{
    g_autofree char *name = g_strndup(s->szComputerName, sizeof s->szComputerName);
    return g_utf8_make_valid(name, -1);
}

static char *
signature_text(const JET_SIGNATURE *s)
{
    g_autofree char *created = field_time(s->logtimeCreate), *name = computer(s);

    if (s->ulRandom == 0 && created == NULL)
        return g_strdup("none");
    return g_strdup_printf("random %u, created %s%s%s", s->ulRandom, created ? created : "-",
                           name[0] ? ", computer " : "", name);
}

static char *
bkinfo_text(const JET_BKINFO *bk)
{
    g_autofree char *mark = field_lgpos(bk->lgposMark), *time = field_time(bk->bklogtimeMark);

    if (bk->genLow == 0 && bk->genHigh == 0 && time == NULL)
        return g_strdup("none");
    return g_strdup_printf("generations 0x%X-0x%X, mark %s, %s", bk->genLow, bk->genHigh, mark,
                           time ? time : "-");
}

char *
field_text(const JETX_FIELD *f)
{
    char *text;

    switch (f->type) {
    case JETX_fieldSigned:
        return g_strdup_printf("%" PRId64, f->value.signedNumber);
    case JETX_fieldFlags:
        return g_strdup_printf("0x%" PRIx64, f->value.number);
    case JETX_fieldLgpos:
        return field_lgpos(f->value.lgpos);
    case JETX_fieldLogtime:
        text = field_time(f->value.logtime);
        return text ? text : g_strdup("none");
    case JETX_fieldSignature:
        return signature_text(&f->value.signature);
    case JETX_fieldBkinfo:
        return bkinfo_text(&f->value.bkinfo);
    case JETX_fieldText:
        return g_strdup_printf("\"%s\"", f->value.text);
    default:
        return f->szSymbol ? g_strdup_printf("%" PRIu64 " (%s)", f->value.number, f->szSymbol)
                           : g_strdup_printf("%" PRIu64, f->value.number);
    }
}

void
field_add_lgpos(JsonBuilder *b, const char *name, JET_LGPOS pos)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_object(b);
    json_out_int(b, "gen", pos.lGeneration);
    json_out_int(b, "isec", pos.isec);
    json_out_int(b, "ib", pos.ib);
    json_builder_end_object(b);
}

void
field_add_time(JsonBuilder *b, const char *name, JET_LOGTIME time)
{
    g_autofree char *text = field_time(time);

    json_builder_set_member_name(b, name);
    if (text == NULL)
        json_builder_add_null_value(b);
    else
        json_builder_add_string_value(b, text);
}

static void
add_signature(JsonBuilder *b, const char *name, const JET_SIGNATURE *s)
{
    g_autofree char *of = computer(s);

    json_builder_set_member_name(b, name);
    json_builder_begin_object(b);
    json_out_int(b, "random", s->ulRandom);
    field_add_time(b, "created", s->logtimeCreate);
    json_out_string(b, "computer", of);
    json_builder_end_object(b);
}

static void
add_bkinfo(JsonBuilder *b, const char *name, const JET_BKINFO *bk)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_object(b);
    field_add_lgpos(b, "mark", bk->lgposMark);
    field_add_time(b, "time", bk->bklogtimeMark);
    json_builder_set_member_name(b, "snapshot");
    json_builder_add_boolean_value(b, bk->bklogtimeMark.fReserved);
    json_out_int(b, "genLow", bk->genLow);
    json_out_int(b, "genHigh", bk->genHigh);
    json_builder_end_object(b);
}

static void
add(JsonBuilder *b, const JETX_FIELD *f)
{
    g_autofree char *text = NULL;

    switch (f->type) {
    case JETX_fieldFlags:
        text = field_text(f);
        json_out_string(b, f->szName, text);
        break;
    case JETX_fieldSigned:
        json_out_int(b, f->szName, f->value.signedNumber);
        break;
    case JETX_fieldLgpos:
        field_add_lgpos(b, f->szName, f->value.lgpos);
        break;
    case JETX_fieldLogtime:
        field_add_time(b, f->szName, f->value.logtime);
        break;
    case JETX_fieldSignature:
        add_signature(b, f->szName, &f->value.signature);
        break;
    case JETX_fieldBkinfo:
        add_bkinfo(b, f->szName, &f->value.bkinfo);
        break;
    case JETX_fieldText:
        json_out_string(b, f->szName, f->value.text);
        break;
    default:
        json_out_int(b, f->szName, (gint64)f->value.number);
        break;
    }
    if (f->szSymbol != NULL) {
        g_autofree char *name = g_strconcat(f->szName, "_name", NULL);
        json_out_string(b, name, f->szSymbol);
    }
}

void
field_add_all(JsonBuilder *b, const JETX_FIELD *fields, uint32_t n)
{
    json_builder_begin_object(b);
    for (uint32_t i = 0; i < n; i++)
        add(b, &fields[i]);
    json_builder_end_object(b);
}
