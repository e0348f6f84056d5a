/* SPDX-License-Identifier: MIT */
/*
 * field: what is in a header or a record, as a list of named, typed values (JETX_FIELD), for those
 * who want to look at it.
 *
 * Texts live as long as the list, or until fields_clear. Names are interned: they live for ever.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esentx.h"

struct fields;

struct fields *fields_new(void);
void fields_free(struct fields *f); /* NULL is fine */
void fields_clear(struct fields *f);

const JETX_FIELD *fields_all(const struct fields *f, uint32_t *n);

void fields_number(struct fields *f, const char *name, uint64_t value);
void fields_signed(struct fields *f, const char *name, int64_t value);
void fields_flags(struct fields *f, const char *name, uint64_t value);
void fields_symbol(struct fields *f, const char *name, uint64_t value, const char *symbol);
void fields_text(struct fields *f, const char *name, const char *text);

/* On-disk forms: 8 bytes, 8 bytes, 28 bytes, 24 bytes. */
void fields_lgpos(struct fields *f, const char *name, const uint8_t *bytes);
void fields_logtime(struct fields *f, const char *name, const uint8_t *bytes);
void fields_signature(struct fields *f, const char *name, const uint8_t *bytes);
void fields_bkinfo(struct fields *f, const char *name, const uint8_t *bytes);

/* A layout: type is JETX_field..., size that of a number or of a text's room. */
struct field_def {
    const char *name;
    uint32_t type;
    uint16_t at, size;
};

void fields_layout(struct fields *f, const struct field_def *defs, size_t n, const uint8_t *bytes);

/* The same list in one piece of memory for g_free, `before` zero bytes ahead of it: *list points
 * into it. NULL: out of memory. */
void *fields_pack(const struct fields *f, size_t before, const JETX_FIELD **list, uint32_t *n);
