/* SPDX-License-Identifier: MIT */
#include "mount.h"

#include "backup.h"
#include "control.h"
#include "lease.h"
#include "mounts.h"
#include "ops.h"
#include "pagemap.h"
#include "result.h"
#include "sandbox.h"
#include "status.h"
#include "unmounter.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define LEASE_SIGNAL   (SIGRTMIN + 1)
#define TICK_MS        500
#define PUBLISH_TICKS  10
#define GRACE_MS       3000
#define SERVER_THREADS 8
#define AHEAD_THREADS  2

struct mount {
    const struct mount_request *request;
    struct events *events;
    struct backup *backup;
    struct fuse_session *session;
    struct ops_context ops;
    struct unmounter *unmounter; /* NULL for root */
    pthread_t server;            /* runs the loop; SIGUSR1 wakes it */
    GThread *control;            /* signals, leases, the owner's state */
    int signals;                 /* signalfd */
    int wake;                    /* eventfd: stop or a wish */
    gint truncate;               /* atomic: a complete end truncates the logs */
    gint abort_wanted;           /* atomic */
    gint stopping;               /* atomic: the loop has ended */

    GMutex lock; /* guards what follows */
    struct status status;
    struct lease_file *lease; /* NULL once the final status is written */
};

static void
wake_up(int signal_number)
{
}

/* Before any thread starts, so that all inherit it: only the control thread takes signals. */
static int
take_signals(void)
{
    struct sigaction wake = {.sa_handler = wake_up}, ignore = {.sa_handler = SIG_IGN};
    sigset_t set;

    sigaction(SIGUSR1, &wake, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, LEASE_SIGNAL);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static char *
status_text_locked(struct mount *m)
{
    if (m->status.end.wall_us == 0) {
        (void)backup_poll(m->backup, &m->status.engine);
        pagemap_look(m->backup);
    }
    return status_to_text(&m->status);
}

static char *
status_text(void *ctx)
{
    struct mount *m = ctx;

    g_mutex_lock(&m->lock);
    char *text = status_text_locked(m);
    g_mutex_unlock(&m->lock);
    return text;
}

/* The kernel has hung up: nobody can reach the mount any more. */
static bool
is_gone(struct mount *m, int timeout_ms)
{
    struct pollfd fd = {.fd = fuse_session_fd(m->session)};
    return poll(&fd, 1, timeout_ms) > 0 && (fd.revents & (POLLERR | POLLHUP)) != 0;
}

/* When the mount is gone, readers of the status wait on: the loop is about to end. */
static bool
is_alive(void *ctx)
{
    return !is_gone(ctx, 0);
}

static void
publish(struct mount *m)
{
    g_mutex_lock(&m->lock);
    if (m->lease != NULL) {
        m->status.lease = lease_is_held(m->lease);
        g_autofree char *text = status_text_locked(m);
        int err = lease_publish(m->lease, text, is_alive, m);
        if (err < 0)
            events_add(m->events, "%s: cannot write the status: %s", m->request->status_path,
                       g_strerror(-err));
    }
    g_mutex_unlock(&m->lock);
}

/* Ends the session once, by whatever cause comes first, and writes the final status. */
static void
end(struct mount *m, enum end_cause cause)
{
    g_mutex_lock(&m->lock);
    if (m->lease == NULL) {
        g_mutex_unlock(&m->lock);
        return;
    }
    (void)backup_poll(m->backup, &m->status.engine);
    backup_quiesce(m->backup);
    pagemap_look(m->backup);
    enum jetfs_exit result = backup_result(m->backup);
    if (cause == END_ABORT && result == EXIT_COMPLETE)
        result = EXIT_INCOMPLETE;
    if (cause == END_NO_MOUNT)
        result = EXIT_ENVIRONMENT;
    m->status.state = "ending";
    JET_ERR err =
        backup_end(m->backup, result == EXIT_COMPLETE, g_atomic_int_get(&m->truncate) != 0);
    if (err < 0 && result == EXIT_COMPLETE)
        result = EXIT_ABORTED_BY_SERVER;
    m->status.state = "done";
    m->status.end = moment_now();
    m->status.result = result;
    m->status.code = result_code(m->backup, result, err);
    g_autofree char *text = result_text(m->backup, result, cause, m->status.code);
    m->status.text = text;
    events_add(m->events, "%s: %s: %s", m->request->mountpoint, exit_name(result), text);
    (void)sd_notifyf(0, "STOPPING=1\nSTATUS=%s: %s: %s", m->request->mountpoint, exit_name(result),
                     text);

    g_autofree char *json = status_to_text(&m->status);
    int failed = lease_finish(g_steal_pointer(&m->lease), json);
    m->status.text = "see the final status";
    g_mutex_unlock(&m->lock);
    if (failed < 0)
        events_add(m->events, "%s: cannot write the final status: %s", m->request->status_path,
                   g_strerror(-failed));
}

static void
leave_loop(struct mount *m)
{
    fuse_session_exit(m->session);
    while (!g_atomic_int_get(&m->stopping)) {
        pthread_kill(m->server, SIGUSR1);
        g_usleep(10000); /* the signal may come just before the wait that it is to end */
    }
}

static int
unmount(struct mount *m)
{
    if (m->unmounter != NULL)
        return unmounter_run(m->unmounter);
    return mounts_unmount(m->request->mountpoint, true);
}

/* Ends from this side: the result first, then the mount. Who reads on gets EIO, for a while. */
static void
end_and_unmount(struct mount *m, enum end_cause cause)
{
    end(m, cause);
    int err = is_alive(m) ? unmount(m) : 0;
    if (err < 0 && err != -EINVAL)
        events_add(m->events, "%s: cannot unmount: %s", m->request->mountpoint, g_strerror(-err));
    gint64 deadline = g_get_monotonic_time() + GRACE_MS * 1000;
    while (!g_atomic_int_get(&m->stopping) && g_get_monotonic_time() < deadline) {
        if (is_gone(m, 50))
            return; /* the loop sees it as well */
    }
    leave_loop(m);
}

/* True when a signal asks for the end. A lease signal needs no more than the look that follows. */
static bool
take_signal(struct mount *m)
{
    struct signalfd_siginfo info;
    bool asked = false;

    while (read(m->signals, &info, sizeof info) == sizeof info) {
        if ((int)info.ssi_signo == LEASE_SIGNAL)
            continue;
        events_add(m->events, "%s: ending on signal %s", m->request->mountpoint,
                   strsignal((int)info.ssi_signo));
        asked = true;
    }
    return asked;
}

static void
attend_reader(struct mount *m)
{
    g_mutex_lock(&m->lock);
    bool wanted = m->lease != NULL && lease_is_wanted(m->lease);
    g_mutex_unlock(&m->lock);
    if (wanted && is_alive(m))
        publish(m);
}

/* For `systemctl status`; nothing happens unless systemd started us. */
static void
tell_progress(struct mount *m)
{
    uint64_t bytes = __atomic_load_n(&m->backup->delivered_bytes, __ATOMIC_RELAXED);
    g_autofree char *size = g_format_size_full(bytes, G_FORMAT_SIZE_IEC_UNITS);

    (void)sd_notifyf(0, "STATUS=%s: %s delivered", m->request->mountpoint, size);
}

/* What is due twice a second, however busy signals keep us: the owner's state, and a fresh status.
 */
static void
tick(struct mount *m, unsigned count)
{
    (void)backup_poll(m->backup, NULL);
    backup_report(m->backup, m->request->mountpoint);
    if (count % PUBLISH_TICKS == 0 && is_alive(m)) {
        publish(m);
        tell_progress(m);
    }
}

static bool
must_end(struct mount *m, enum end_cause *cause)
{
    if (take_signal(m))
        *cause = END_SIGNAL;
    else if (g_atomic_int_get(&m->abort_wanted))
        *cause = END_ABORT;
    else if (g_atomic_int_get(&m->backup->dead) < 0)
        *cause = END_OWNER;
    else
        return false;
    return true;
}

static gpointer
control(gpointer data)
{
    struct mount *m = data;
    struct pollfd fds[] = {{.fd = m->signals, .events = POLLIN}, {.fd = m->wake, .events = POLLIN}};
    gint64 due = g_get_monotonic_time() + TICK_MS * 1000;
    enum end_cause cause;
    unsigned count = 0;

    if (is_alive(m))
        publish(m); /* now that there is a device */
    while (!g_atomic_int_get(&m->stopping)) {
        gint64 wait_ms = (due - g_get_monotonic_time()) / 1000 + 1;
        (void)poll(fds, G_N_ELEMENTS(fds), (int)CLAMP(wait_ms, 0, TICK_MS));
        if (g_get_monotonic_time() >= due) {
            tick(m, ++count);
            due = g_get_monotonic_time() + TICK_MS * 1000;
        }
        if (must_end(m, &cause)) {
            end_and_unmount(m, cause);
            break;
        }
        attend_reader(m);
    }
    return NULL;
}

static void
wake_control(struct mount *m)
{
    uint64_t one = 1;
    if (write(m->wake, &one, sizeof one) < 0)
        g_warning("cannot wake the control thread: %s", g_strerror(errno));
}

static void
on_control(void *ctx, uint32_t flags)
{
    struct mount *m = ctx;

    g_atomic_int_set(&m->truncate, (flags & CONTROL_TRUNCATE) != 0);
    if ((flags & CONTROL_ABORT) != 0) {
        g_atomic_int_set(&m->abort_wanted, 1);
        wake_control(m);
    }
}

static void
on_ready(void *ctx)
{
    struct mount *m = ctx;

    int err = sandbox_enter();
    if (err < 0 && err != -ENOSYS)
        events_add(m->events, "%s: the driver could not restrict itself: %s",
                   m->request->mountpoint, g_strerror(-err));
    g_mutex_lock(&m->lock);
    m->status.sandbox = err == 0;
    g_mutex_unlock(&m->lock);
    events_add(m->events, "%s: mounted, %u files", m->request->mountpoint, m->backup->files->len);
    (void)sd_notifyf(0, "READY=1\nSTATUS=%s: mounted", m->request->mountpoint);
    backup_report(m->backup, m->request->mountpoint);
    m->request->ready(m->request->ctx);
}

static char *
fuse_words(const struct mount_request *request)
{
    g_auto(GStrv) commas = NULL;
    g_auto(GStrv) slashes = g_strsplit(request->source, "\\", -1);
    g_autofree char *doubled = g_strjoinv("\\\\", slashes);

    commas = g_strsplit(doubled, ",", -1);
    g_autofree char *name = g_strjoinv("\\,", commas);
    return g_strdup_printf(
        "ro,nosuid,nodev,noexec,default_permissions,max_read=%u,subtype=jetfs%s%s,"
        "fsname=%s",
        WINDOW_BLOCK_BYTES, request->options->allow_other ? ",allow_other" : "",
        request->options->allow_root ? ",allow_root" : "", name);
}

static bool
open_session(struct mount *m)
{
    g_autofree char *words = fuse_words(m->request);
    char *argv[] = {"jetfs", "-o", words, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(3, argv);

    m->ops = (struct ops_context) {
        .backup = m->backup,
        .cache = m->request->options->cache,
        .workers = window_workers_new(AHEAD_THREADS),
        .mounted_us = g_get_real_time(),
        .ready = on_ready,
        .status_text = status_text,
        .control = on_control,
        .ctx = m,
    };
    ops_init(&m->ops);
    m->session = fuse_session_new(&args, &ops_table, sizeof ops_table, &m->ops);
    fuse_opt_free_args(&args);
    if (m->session == NULL || fuse_session_mount(m->session, m->request->mountpoint) < 0)
        return false;
    m->status.device = mounts_device(m->request->mountpoint);
    return true;
}

static void
serve(struct mount *m)
{
    struct fuse_loop_config *config = fuse_loop_cfg_create();

    fuse_loop_cfg_set_max_threads(config, SERVER_THREADS);
    fuse_loop_cfg_set_idle_threads(config, SERVER_THREADS);
    fuse_loop_cfg_set_clone_fd(config, 0);
    m->server = pthread_self();
    m->control = g_thread_new("control", control, m);
    (void)fuse_session_loop_mt(m->session, config);
    fuse_loop_cfg_destroy(config);
    end(m, END_UNMOUNT);
    g_atomic_int_set(&m->stopping, 1);
    wake_control(m);
    g_thread_join(m->control);
}

/* A session that never began: whoever looks at the status only must not take yesterday's for it. */
static void
tell_failure(struct mount *m, JET_ERR err, const char *message)
{
    events_add(m->events, "%s", message);
    m->status.state = "done";
    m->status.result = EXIT_ENVIRONMENT;
    m->status.code = err;
    m->status.text = message;
    m->status.end = moment_now();
    g_autofree char *text = status_to_text(&m->status);
    int failed = lease_write_once(m->request->status_path, text);
    if (failed < 0)
        events_add(m->events, "%s: cannot write the status file: %s", m->request->status_path,
                   g_strerror(-failed));
}

static void
init_status(struct mount *m)
{
    const struct mount_request *request = m->request;

    m->status = (struct status) {
        .state = "running",
        .result = EXIT_RUNNING,
        .text = "the session is running",
        .source = request->source,
        .mountpoint = request->mountpoint,
        .status_file = request->status_path,
        .mode = options_mode_name(request->options->mode),
        .cache = options_cache_name(request->options->cache),
        .lease = true,
        .begin = moment_now(),
        .events = m->events,
        .engine = {.cbStruct = sizeof(JETX_BACKUPSTATUS)},
        .last_complete = status_load_last_complete(request->status_path),
    };
}

static bool
begin(struct mount *m)
{
    const struct mount_request *request = m->request;
    g_autofree char *message = NULL;

    init_status(m);
    JET_ERR failed = backup_open(request->source, m->events, &m->backup, &message);
    if (failed >= 0)
        failed =
            backup_begin(m->backup, request->options->mode, &request->options->limits, &message);
    if (failed < 0) {
        tell_failure(m, failed, message);
        return false;
    }
    m->status.backup = m->backup;
    (void)backup_poll(m->backup, &m->status.engine);
    status_carry(&m->status);
    g_autofree char *text = status_to_text(&m->status);
    int err = lease_open(request->status_path, text, LEASE_SIGNAL, &m->lease);
    if (err < 0)
        events_add(m->events,
                   "%s: cannot write the status file: %s; make its directory writable or name "
                   "another with -o status=/ABSOLUTE/PATH",
                   request->status_path, g_strerror(-err));
    return err == 0;
}

static void
release(struct mount *m)
{
    if (m->session != NULL) {
        fuse_session_unmount(m->session);
        fuse_session_destroy(m->session);
    }
    ops_deinit(&m->ops);
    window_workers_free(m->ops.workers);
    backup_free(m->backup);
    unmounter_free(m->unmounter);
    g_clear_pointer(&m->status.last_complete, json_node_unref);
    g_mutex_clear(&m->lock);
    close(m->signals);
    close(m->wake);
}

enum jetfs_exit
mount_run(const struct mount_request *request, struct events *events)
{
    struct mount m = {.request = request, .events = events};

    g_mutex_init(&m.lock);
    m.unmounter = unmounter_start(request->mountpoint);
    m.signals = take_signals();
    m.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (begin(&m)) {
        if (open_session(&m)) {
            serve(&m);
        } else {
            events_add(events, "%s: cannot mount; the reason stands above", request->mountpoint);
            end(&m, END_NO_MOUNT);
        }
    }
    enum jetfs_exit result = m.status.end.wall_us != 0 ? m.status.result : EXIT_ENVIRONMENT;
    release(&m);
    return result;
}
