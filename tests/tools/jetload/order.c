/* SPDX-License-Identifier: MIT */
/*
 * order: a record whose every byte follows from its id and revision.
 *
 * So the checker needs no copy to compare with, and a record that got a byte of another revision
 * shows. Sizes change with the revision: replaces grow and shrink records and split pages.
 */
#include "store.h"

#include <stdio.h>
#include <string.h>

#define VALUE_MAX 256

struct value {
    uint8_t bytes[VALUE_MAX];
    uint32_t size; /* 0: NULL */
};

/* splitmix64: every bit of the result depends on every bit of x. */
static uint64_t
mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static void
value_put(struct value *v, const void *bytes, uint32_t size)
{
    memcpy(v->bytes, bytes, size);
    v->size = size;
}

/* Text of printable letters, or any bytes. */
static void
value_fill(struct value *v, uint64_t seed, uint32_t size, bool text)
{
    for (uint32_t i = 0; i < size; i++) {
        uint64_t byte = mix(seed + i);
        v->bytes[i] = (uint8_t)(text ? 'a' + byte % 26 : byte);
    }
    v->size = size;
}

static void
order_value(int64_t id, int32_t revision, int which, struct value *v)
{
    const uint64_t seed = mix((uint64_t)id ^ ((uint64_t)revision << 48) ^ ((uint64_t)which << 56));
    const int16_t thread = (int16_t)(id >> 40);
    const double price = (double)(seed % 100000) / 100;
    const double placed = 40000 + (double)(seed % 1000000) / 1000;
    const uint8_t paid = seed & 1 ? 0xff : 0;
    const uint8_t class = (uint8_t)seed;
    const uint32_t amount = (uint32_t)seed;
    v->size = 0;
    switch (which) {
    case ORDER_ID:
        value_put(v, &id, sizeof id);
        break;
    case ORDER_REVISION:
        value_put(v, &revision, sizeof revision);
        break;
    case ORDER_THREAD:
        value_put(v, &thread, sizeof thread);
        break;
    case ORDER_PRICE:
        value_put(v, &price, sizeof price);
        break;
    case ORDER_WHEN:
        value_put(v, &placed, sizeof placed);
        break;
    case ORDER_PAID:
        value_put(v, &paid, sizeof paid);
        break;
    case ORDER_CLASS:
        value_put(v, &class, sizeof class);
        break;
    case ORDER_GUID:
        value_fill(v, seed, 16, false);
        break;
    case ORDER_NAME:
        value_fill(v, seed, 5 + (uint32_t)(seed % 100), true);
        break;
    case ORDER_CITY:
        if (seed % 4 != 0)
            value_fill(v, seed, 1 + (uint32_t)(seed % 70), true);
        break;
    case ORDER_DATA:
        if (seed % 8 != 0)
            value_fill(v, seed, 1 + (uint32_t)(seed % 200), false);
        break;
    case ORDER_NOTE:
        if (seed % 2 != 0)
            value_fill(v, seed, 1 + (uint32_t)(seed % 120), true);
        break;
    case ORDER_SCAN:
        if (seed % 3 != 0)
            value_fill(v, seed, 1 + (uint32_t)(seed % 250), false);
        break;
    case ORDER_AMOUNT:
        if (seed % 5 != 0)
            value_put(v, &amount, sizeof amount);
        break;
    default:
        g_assert_not_reached();
    }
}

JET_ERR
order_set(struct tables *t, int64_t id, int32_t revision)
{
    JET_ERR err = JET_errSuccess;
    for (int i = revision == 0 ? 0 : 1; i < ORDER_COLUMNS && err >= 0; i++) {
        struct value v;
        order_value(id, revision, i, &v);
        err = JetSetColumn(t->sesid, t->orders, t->order_columns[i], v.size == 0 ? NULL : v.bytes,
                           v.size, 0, NULL);
    }
    return err;
}

JET_ERR
order_get(struct tables *t, int64_t *id, int32_t *revision, bool *good)
{
    JET_ERR err = tables_get(t, t->orders, t->order_columns[ORDER_ID], id, sizeof *id);
    if (err >= 0)
        err =
            tables_get(t, t->orders, t->order_columns[ORDER_REVISION], revision, sizeof *revision);
    *good = true;
    for (int i = 0; i < ORDER_COLUMNS && err >= 0; i++) {
        struct value v;
        uint8_t bytes[VALUE_MAX];
        uint32_t size = 0;
        order_value(*id, *revision, i, &v);
        err = JetRetrieveColumn(t->sesid, t->orders, t->order_columns[i], bytes, sizeof bytes,
                                &size, 0, NULL);
        if (err < 0)
            break;
        if (err == JET_wrnColumnNull)
            size = 0;
        if (size != v.size || memcmp(bytes, v.bytes, size) != 0) {
            fprintf(stderr, "jetload: order %lld revision %d: column %d is wrong\n", (long long)*id,
                    *revision, i);
            *good = false;
        }
        err = JET_errSuccess;
    }
    return err;
}
