/* SPDX-License-Identifier: MIT */
#include "hold.h"

/* An order of a thread that there never is. */
#define HELD_ORDER ((int64_t)THREADS_MAX << 40)

static bool
is_over(struct work *w)
{
    return atomic_load(&w->stop) || atomic_load(&w->running) == 0;
}

static JET_ERR
insert(struct tables *t)
{
    JET_ERR err = JetPrepareUpdate(t->sesid, t->orders, JET_prepInsert);
    if (err >= 0)
        err = order_set(t, HELD_ORDER, 0);
    if (err >= 0)
        err = JetUpdate(t->sesid, t->orders, NULL, 0, NULL);
    return err;
}

static JET_ERR
hold_once(struct work *w, struct tables *t)
{
    const int64_t end = g_get_monotonic_time() + (int64_t)(w->options->hold * 1e6);
    JET_ERR err = JetBeginTransaction(t->sesid);
    if (err < 0)
        return err;
    err = insert(t);
    while (err >= 0 && !is_over(w) && g_get_monotonic_time() < end)
        g_usleep(20000);
    JET_ERR err_end = JetRollback(t->sesid, 0);
    return err < 0 ? err : err_end;
}

void *
hold_main(void *arg)
{
    struct work *w = arg;
    struct tables t;
    JET_ERR err = tables_open(&t, w->store);
    if (err < 0)
        return GINT_TO_POINTER(err);
    while (err >= 0 && !is_over(w))
        err = hold_once(w, &t);
    tables_close(&t);
    return GINT_TO_POINTER(jetload_report("long transaction", MIN(err, 0)));
}
