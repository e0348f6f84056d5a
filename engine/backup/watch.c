/* SPDX-License-Identifier: MIT */
#include "backup/watch.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "os/file.h"

struct watch {
    int64_t (*look)(void *ctx, int64_t now_us);
    void *ctx;
    int timer, wake;
    gint stopping; /* atomic */
    GThread *thread;
};

int64_t
watch_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* A time that has passed already fires at once; 0 would disarm. */
static void
arm(struct watch *w, int64_t at_us)
{
    struct itimerspec at = {0};
    if (at_us != INT64_MAX) {
        at.it_value.tv_sec = MAX(at_us, 1) / 1000000;
        at.it_value.tv_nsec = MAX(at_us, 1) % 1000000 * 1000;
    }
    (void)timerfd_settime(w->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static void
drain(int fd)
{
    uint64_t count;
    while (read(fd, &count, sizeof count) < 0 && errno == EINTR)
        continue;
}

static gpointer
run(gpointer arg)
{
    struct watch *w = arg;
    struct pollfd fds[] = {{.fd = w->timer, .events = POLLIN}, {.fd = w->wake, .events = POLLIN}};
    while (!g_atomic_int_get(&w->stopping)) {
        arm(w, w->look(w->ctx, watch_now_us()));
        (void)poll(fds, G_N_ELEMENTS(fds), -1);
        for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
            drain(fds[i].fd);
    }
    return NULL;
}

static void
watch_free(struct watch *w)
{
    if (w->timer >= 0)
        close(w->timer);
    if (w->wake >= 0)
        close(w->wake);
    g_free(w);
}

JET_ERR
watch_start(int64_t (*look)(void *ctx, int64_t now_us), void *ctx, struct watch **out)
{
    struct watch *w = g_new0(struct watch, 1);
    w->look = look;
    w->ctx = ctx;
    w->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->timer < 0 || w->wake < 0) {
        JET_ERR err = os_error(errno);
        watch_free(w);
        return err;
    }
    w->thread = g_thread_new("backup-watch", run, w);
    *out = w;
    return JET_errSuccess;
}

void
watch_wake(struct watch *w)
{
    uint64_t one = 1;
    (void)!write(w->wake, &one, sizeof one); /* full: it wakes anyway */
}

void
watch_stop(struct watch *w)
{
    if (!w)
        return;
    g_atomic_int_set(&w->stopping, 1);
    watch_wake(w);
    g_thread_join(w->thread);
    watch_free(w);
}
