/* SPDX-License-Identifier: MIT */
#include "served.h"

#include <glib.h>

struct range {
    uint64_t start;
    uint64_t end;
};

struct served {
    GMutex lock;    /* guards the two below */
    GArray *ranges; /* struct range, sorted by start */
    uint64_t bytes;
    uint64_t size;
};

struct served *
served_new(uint64_t size)
{
    struct served *s = g_new0(struct served, 1);
    g_mutex_init(&s->lock);
    s->ranges = g_array_new(FALSE, FALSE, sizeof(struct range));
    s->size = size;
    return s;
}

void
served_free(struct served *s)
{
    if (s == NULL)
        return;
    g_array_unref(s->ranges);
    g_mutex_clear(&s->lock);
    g_free(s);
}

static struct range *
range_at(const struct served *s, guint i)
{
    return &g_array_index(s->ranges, struct range, i);
}

/* Index of the first range that ends at or after `off`: the first one a range at `off` could join.
 */
static guint
first_touching(const struct served *s, uint64_t off)
{
    guint lo = 0, hi = s->ranges->len;

    while (lo < hi) {
        guint mid = lo + (hi - lo) / 2;
        if (range_at(s, mid)->end < off)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void
add_locked(struct served *s, struct range add)
{
    guint first = first_touching(s, add.start);
    guint next = first;

    while (next < s->ranges->len && range_at(s, next)->start <= add.end) {
        const struct range *old = range_at(s, next++);
        s->bytes -= old->end - old->start;
        add.start = MIN(add.start, old->start);
        add.end = MAX(add.end, old->end);
    }
    s->bytes += add.end - add.start;
    if (next == first) {
        g_array_insert_val(s->ranges, first, add);
        return;
    }
    *range_at(s, first) = add;
    if (next > first + 1)
        g_array_remove_range(s->ranges, first + 1, next - first - 1);
}

void
served_add(struct served *s, uint64_t off, uint64_t len)
{
    if (off >= s->size || len == 0)
        return;
    struct range add = {off, off + MIN(len, s->size - off)};
    g_mutex_lock(&s->lock);
    add_locked(s, add);
    g_mutex_unlock(&s->lock);
}

uint64_t
served_bytes(struct served *s)
{
    g_mutex_lock(&s->lock);
    uint64_t bytes = s->bytes;
    g_mutex_unlock(&s->lock);
    return bytes;
}

bool
served_complete(struct served *s)
{
    return served_bytes(s) == s->size;
}

uint64_t
served_first_gap(struct served *s)
{
    g_mutex_lock(&s->lock);
    uint64_t gap = s->ranges->len > 0 && range_at(s, 0)->start == 0 ? range_at(s, 0)->end : 0;
    g_mutex_unlock(&s->lock);
    return gap;
}

/* Delivered bytes of [from, to); `*i` is the first range that may reach it, and moves on. */
static uint64_t
covered_locked(const struct served *s, uint64_t from, uint64_t to, guint *i)
{
    uint64_t bytes = 0;

    while (*i < s->ranges->len && range_at(s, *i)->end <= from)
        ++*i;
    for (guint j = *i; j < s->ranges->len && range_at(s, j)->start < to; j++)
        bytes += MIN(range_at(s, j)->end, to) - MAX(range_at(s, j)->start, from);
    return bytes;
}

void
served_cover(struct served *s, uint64_t from, uint64_t step, uint64_t end, uint32_t n,
             uint8_t *cover)
{
    guint at = 0;

    g_mutex_lock(&s->lock);
    for (uint32_t i = 0; i < n; i++, from += step) {
        uint64_t to = MIN(from + step, end);
        uint64_t bytes = to > from ? covered_locked(s, from, to, &at) : 0;
        cover[i] = bytes == 0 ? COVER_NONE : bytes < to - from ? COVER_PART : COVER_ALL;
    }
    g_mutex_unlock(&s->lock);
}
