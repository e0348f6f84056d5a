/* SPDX-License-Identifier: MIT */
#include "base/field.h"

#include <glib.h>
#include <string.h>

#include "base/bytes.h"

struct fields {
    GArray *list; /* of JETX_FIELD */
    GStringChunk *texts;
};

struct fields *
fields_new(void)
{
    struct fields *f = g_new0(struct fields, 1);
    f->list = g_array_new(FALSE, FALSE, sizeof(JETX_FIELD));
    f->texts = g_string_chunk_new(512);
    return f;
}

void
fields_free(struct fields *f)
{
    if (!f)
        return;
    g_array_unref(f->list);
    g_string_chunk_free(f->texts);
    g_free(f);
}

void
fields_clear(struct fields *f)
{
    g_array_set_size(f->list, 0);
    g_string_chunk_clear(f->texts);
}

const JETX_FIELD *
fields_all(const struct fields *f, uint32_t *n)
{
    *n = f->list->len;
    return (const JETX_FIELD *)f->list->data;
}

static JETX_FIELD *
add(struct fields *f, const char *name, uint32_t type)
{
    JETX_FIELD field = {.szName = g_intern_string(name), .type = type};
    g_array_append_val(f->list, field);
    return &g_array_index(f->list, JETX_FIELD, f->list->len - 1);
}

void
fields_number(struct fields *f, const char *name, uint64_t value)
{
    add(f, name, JETX_fieldNumber)->value.number = value;
}

void
fields_signed(struct fields *f, const char *name, int64_t value)
{
    add(f, name, JETX_fieldSigned)->value.signedNumber = value;
}

void
fields_flags(struct fields *f, const char *name, uint64_t value)
{
    add(f, name, JETX_fieldFlags)->value.number = value;
}

void
fields_symbol(struct fields *f, const char *name, uint64_t value, const char *symbol)
{
    JETX_FIELD *field = add(f, name, JETX_fieldNumber);
    field->value.number = value;
    field->szSymbol = symbol;
}

void
fields_text(struct fields *f, const char *name, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    add(f, name, JETX_fieldText)->value.text = g_string_chunk_insert(f->texts, valid);
}

void
fields_lgpos(struct fields *f, const char *name, const uint8_t *bytes)
{
    memcpy(&add(f, name, JETX_fieldLgpos)->value.lgpos, bytes, sizeof(JET_LGPOS));
}

void
fields_logtime(struct fields *f, const char *name, const uint8_t *bytes)
{
    memcpy(&add(f, name, JETX_fieldLogtime)->value.logtime, bytes, sizeof(JET_LOGTIME));
}

void
fields_signature(struct fields *f, const char *name, const uint8_t *bytes)
{
    memcpy(&add(f, name, JETX_fieldSignature)->value.signature, bytes, sizeof(JET_SIGNATURE));
}

void
fields_bkinfo(struct fields *f, const char *name, const uint8_t *bytes)
{
    memcpy(&add(f, name, JETX_fieldBkinfo)->value.bkinfo, bytes, sizeof(JET_BKINFO));
}

static uint64_t
number_at(const uint8_t *p, uint16_t size)
{
    return size == 1 ? *p : size == 2 ? le16_get(p) : size == 4 ? le32_get(p) : le64_get(p);
}

static void
add_at(struct fields *f, const struct field_def *d, const uint8_t *p)
{
    switch (d->type) {
    case JETX_fieldNumber:
        return fields_number(f, d->name, number_at(p, d->size));
    case JETX_fieldFlags:
        return fields_flags(f, d->name, number_at(p, d->size));
    case JETX_fieldSigned:
        return fields_signed(f, d->name, (int32_t)le32_get(p));
    case JETX_fieldLgpos:
        return fields_lgpos(f, d->name, p);
    case JETX_fieldLogtime:
        return fields_logtime(f, d->name, p);
    case JETX_fieldSignature:
        return fields_signature(f, d->name, p);
    case JETX_fieldBkinfo:
        return fields_bkinfo(f, d->name, p);
    default:
        break;
    }
    g_autofree char *text = g_strndup((const char *)p, d->size);
    fields_text(f, d->name, text);
}

void
fields_layout(struct fields *f, const struct field_def *defs, size_t n, const uint8_t *bytes)
{
    for (size_t i = 0; i < n; i++)
        add_at(f, &defs[i], bytes + defs[i].at);
}

void *
fields_pack(const struct fields *f, size_t before, const JETX_FIELD **list, uint32_t *n)
{
    uint32_t count;
    const JETX_FIELD *from = fields_all(f, &count);
    size_t at = (before + 7) & ~(size_t)7, size = at + count * sizeof(*from);
    for (uint32_t i = 0; i < count; i++)
        if (from[i].type == JETX_fieldText)
            size += strlen(from[i].value.text) + 1;
    char *whole = g_try_malloc0(size);
    if (!whole)
        return NULL;
    JETX_FIELD *to = (JETX_FIELD *)(whole + at);
    char *text = (char *)(to + count);
    for (uint32_t i = 0; i < count; i++) {
        to[i] = from[i];
        if (from[i].type != JETX_fieldText)
            continue;
        to[i].value.text = text;
        text = stpcpy(text, from[i].value.text) + 1;
    }
    *list = to;
    *n = count;
    return whole;
}
