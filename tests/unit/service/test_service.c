/* SPDX-License-Identifier: MIT */
/*
 * service and client, each in a process of its own: this program runs itself as the server, with a
 * session that only notes what it is told, in memory that both see.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "service/client.h"
#include "service/remote.h"
#include "service/service.h"

#define PAGE      4096u
#define PGNO_LAST 4u
#define NOTES_FD  3 /* in the processes that are started */

/* What the session was told. */
struct notes {
    _Atomic int begun, aborted, ended_normally, truncated, stopped, start_err;
    _Atomic int max_age, holder, reads, served;
    _Atomic bool ready, go_down, died, dead;
};

static struct notes *notes;

/* ---- the session ---- */

static int
make_memfd(uint8_t fill, size_t pages)
{
    int fd = memfd_create("fake", MFD_CLOEXEC);
    for (size_t i = 0; i < pages; i++) {
        uint8_t page[PAGE];
        memset(page, fill + (int)i, sizeof(page));
        g_assert_cmpint(pwrite(fd, page, PAGE, (off_t)(i * PAGE)), ==, PAGE);
    }
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    int read_only = open(path, O_RDONLY | O_CLOEXEC);
    close(fd);
    return read_only;
}

static JET_ERR
fake_begin(void *ctx, JET_GRBIT grbit)
{
    if (grbit != 0)
        return JET_errInvalidGrbit;
    notes->begun++;
    return JET_errSuccess;
}

static JET_ERR
fake_files(void *ctx, JETX_BACKUPFILE **files, uint32_t *n)
{
    JETX_BACKUPFILE *f = g_new0(JETX_BACKUPFILE, 2);
    f[0] = (JETX_BACKUPFILE) {.kind = JETX_fileDatabase,
                              .szName = "app.edb",
                              .szPath = "/x/app.edb",
                              .cbSize = (PGNO_LAST + 3) * PAGE,
                              .pgnoLast = PGNO_LAST,
                              .cbPage = PAGE,
                              .mtime_ns = -5,
                              .inode = 77};
    f[1] = (JETX_BACKUPFILE) {.kind = JETX_fileLog,
                              .szName = "edb00007.log",
                              .szPath = "/x/\xff.log",
                              .cbSize = 2 * PAGE,
                              .genLog = 7};
    *files = f;
    *n = 2;
    return JET_errSuccess;
}

static JET_ERR
fake_open(void *ctx, const char *name, struct frozen_file *file)
{
    struct frozen_file f = FROZEN_FILE_NONE;
    if (strcmp(name, "app.edb") == 0) {
        static uint8_t head[2 * PAGE], tail[PAGE];
        memset(head, 1, sizeof(head));
        memset(tail, 2, sizeof(tail));
        f.kind = JETX_fileDatabase;
        f.page_bytes = PAGE;
        f.pgno_last = PGNO_LAST;
        f.size = (PGNO_LAST + 3) * PAGE;
        f.base_fd = make_memfd(10, PGNO_LAST + 2);
        f.preimage_fd = make_memfd(20, 1);
        f.bitmap_fd = make_memfd(30, 1);
        f.head = g_bytes_new_static(head, sizeof(head));
        f.tail = g_bytes_new_static(tail, sizeof(tail));
    } else if (strcmp(name, "edb00007.log") == 0) {
        f.kind = JETX_fileLog;
        f.size = 2 * PAGE;
        f.base_fd = make_memfd(40, 2);
    } else if (strcmp(name, "unsound") == 0) { /* no log to read */
        f.kind = JETX_fileLog;
    } else {
        return JET_errDatabaseNotFound;
    }
    *file = f;
    return JET_errSuccess;
}

static JET_ERR
fake_manifest(void *ctx, char **json)
{
    *json = g_strdup("{\"files\": []}");
    return JET_errSuccess;
}

static JET_ERR
fake_status(void *ctx, JETX_BACKUPSTATUS *status)
{
    status->pid = (uint32_t)getpid();
    g_strlcpy(status->szState, "frozen", sizeof(status->szState));
    status->lgposFreeze = UINT64_C(0x500000000);
    status->errSession = notes->dead ? JET_errBackupAbortByServer : 0;
    g_strlcpy(status->szHolderMount, "/mnt/x", sizeof(status->szHolderMount));
    status->rgLimit[JETX_limitIdle].warned = 80;
    status->commitDuring.usP99 = 4321;
    status->signLog.ulRandom = 12345;
    status->cbPinnedLog = 99;
    return JET_errSuccess;
}

static JET_ERR
fake_set_limits(void *ctx, const JETX_BACKUPLIMITS *limits)
{
    notes->max_age = (int)limits->secMaxAge;
    return limits->pctPinnedLog == 7 ? JET_errSuccess : JET_errInvalidParameter;
}

static JET_ERR
fake_progress(void *ctx, const struct backup_progress *progress)
{
    notes->holder = (int)progress->pid;
    notes->reads += progress->read;
    if (progress->mount)
        notes->served = (int)progress->served;
    return JET_errSuccess;
}

static JET_ERR
fake_truncate(void *ctx)
{
    notes->truncated++;
    return JET_errLogFileNotCopied;
}

static JET_ERR
fake_end(void *ctx, JET_GRBIT grbit)
{
    if (grbit != JET_bitBackupEndNormal && grbit != JET_bitBackupEndAbort)
        return JET_errInvalidParameter;
    if (grbit == JET_bitBackupEndNormal)
        notes->ended_normally++;
    else
        notes->aborted++;
    return notes->stopped ? JET_errBackupAbortByServer : JET_errSuccess;
}

static JET_ERR
fake_stop(void *ctx)
{
    notes->stopped++;
    return JET_errSuccess;
}

static const struct service_backend fake = {
    .begin_frozen = fake_begin,
    .files = fake_files,
    .open = fake_open,
    .manifest = fake_manifest,
    .status = fake_status,
    .set_limits = fake_set_limits,
    .progress = fake_progress,
    .truncate = fake_truncate,
    .end = fake_end,
    .stop = fake_stop,
};

/* ---- processes ---- */

static bool
wait_for(_Atomic bool *flag)
{
    gint64 deadline = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    while (!*flag && g_get_monotonic_time() < deadline)
        g_usleep(500);
    return *flag;
}

static bool
wait_for_count(_Atomic int *count, int n)
{
    gint64 deadline = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    while (*count < n && g_get_monotonic_time() < deadline)
        g_usleep(500);
    return *count >= n;
}

static int
server_main(const char *dir)
{
    struct service *service = NULL;
    notes->start_err = service_start(dir, "edb", &fake, NULL, &service);
    notes->ready = true;
    if (notes->start_err < 0)
        return 1;
    (void)wait_for(&notes->go_down);
    service_stop(service, JET_errBackupAbortByServer);
    return 0;
}

/* Begins a session and waits to be killed. */
static int
client_main(const char *dir)
{
    struct service_client *client = NULL;
    if (service_client_connect(dir, &client) < 0 || service_client_begin_frozen(client, 0) < 0)
        return 1;
    notes->died = true; /* about to */
    (void)wait_for(&notes->go_down);
    return 0;
}

struct fix {
    char *dir;
    int notes_fd;
    GPid server;
};

static GPid
start(struct fix *f, const char *what)
{
    char *argv[] = {(char *)"/proc/self/exe", (char *)what, f->dir, NULL};
    int from[] = {f->notes_fd}, to[] = {NOTES_FD};
    GPid pid = 0;
    assert_true(g_spawn_async_with_pipes_and_fds(NULL, (const char *const *)argv, NULL,
                                                 G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, -1, -1, -1,
                                                 from, to, 1, &pid, NULL, NULL, NULL, NULL));
    return pid;
}

static void
start_server(struct fix *f)
{
    memset(notes, 0, sizeof(*notes));
    f->server = start(f, "--server");
    assert_true(wait_for(&notes->ready));
    assert_int_equal(notes->start_err, 0);
}

/* Waits for the end of a process, which is a good one (no leak, no error) or the kill. */
static void
reap(GPid *pid)
{
    int status = 0;
    if (*pid > 0)
        assert_int_equal(waitpid(*pid, &status, 0), *pid);
    *pid = 0;
    assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
}

static void
kill_server(struct fix *f)
{
    kill(f->server, SIGKILL);
    reap(&f->server);
}

static int
setup(void **state)
{
    struct fix *f = g_new0(struct fix, 1);
    /* longer than a socket address may be */
    g_autofree char *top = g_dir_make_tmp("serviceXXXXXX", NULL);
    g_autofree char *name = g_strnfill(120, 'd');
    f->dir = g_build_filename(top, name, NULL);
    assert_int_equal(g_mkdir(f->dir, 0700), 0);
    f->notes_fd = memfd_create("notes", MFD_CLOEXEC);
    assert_int_equal(ftruncate(f->notes_fd, sizeof(*notes)), 0);
    notes = mmap(NULL, sizeof(*notes), PROT_READ | PROT_WRITE, MAP_SHARED, f->notes_fd, 0);
    start_server(f);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fix *f = *state;
    notes->go_down = true;
    reap(&f->server);
    g_autoptr(GDir) d = g_dir_open(f->dir, 0, NULL);
    for (const char *name; (name = g_dir_read_name(d));) {
        g_autofree char *path = g_build_filename(f->dir, name, NULL);
        g_unlink(path);
    }
    g_rmdir(f->dir);
    g_autofree char *top = g_path_get_dirname(f->dir);
    g_rmdir(top);
    munmap(notes, sizeof(*notes));
    close(f->notes_fd);
    g_free(f->dir);
    g_free(f);
    return 0;
}

static struct service_client *
connected(struct fix *f)
{
    struct service_client *client = NULL;
    assert_int_equal(service_client_connect(f->dir, &client), 0);
    return client;
}

static struct service_client *
begun(struct fix *f)
{
    struct service_client *client = connected(f);
    assert_int_equal(service_client_begin_frozen(client, 0), 0);
    return client;
}

static void
assert_page(int fd, uint64_t page, uint8_t fill)
{
    uint8_t got[PAGE];
    assert_int_equal(pread(fd, got, PAGE, (off_t)(page * PAGE)), PAGE);
    for (unsigned i = 0; i < PAGE; i++)
        assert_int_equal(got[i], fill);
    assert_int_equal(pwrite(fd, got, PAGE, 0), -1);
}

/* ---- tests ---- */

static void
test_session_passes_everything_through(void **state)
{
    struct fix *f = *state;
    struct service_client *client = connected(f);
    assert_int_equal(service_client_begin_frozen(client, 1), JET_errInvalidGrbit);
    assert_int_equal(service_client_begin_frozen(client, 0), 0);
    assert_int_equal(service_client_check(client), 0);

    g_autofree JETX_BACKUPFILE *files = NULL;
    uint32_t n = 0;
    assert_int_equal(service_client_files(client, &files, &n), 0);
    assert_int_equal(n, 2);
    assert_string_equal(files[0].szName, "app.edb");
    assert_string_equal(files[1].szPath, "/x/\xff.log");
    assert_true(files[0].mtime_ns == -5 && files[0].inode == 77 && files[1].genLog == 7 &&
                files[0].cbSize == 7 * PAGE && files[0].cbPage == PAGE && files[0].pgnoLast == 4);

    struct frozen_file file = FROZEN_FILE_NONE;
    assert_int_equal(service_client_open(client, "app.edb", &file), 0);
    assert_page(file.base_fd, 3, 13);
    assert_page(file.preimage_fd, 0, 20);
    assert_page(file.bitmap_fd, 0, 30);
    assert_int_equal(g_bytes_get_size(file.head), 2 * PAGE);
    assert_int_equal(((const uint8_t *)g_bytes_get_data(file.tail, NULL))[5], 2);
    frozen_file_clear(&file);
    assert_int_equal(service_client_open(client, "edb00007.log", &file), 0);
    assert_page(file.base_fd, 1, 41);
    assert_true(file.bitmap_fd == -1 && file.head == NULL && file.size == 2 * PAGE);
    frozen_file_clear(&file);
    assert_int_equal(service_client_open(client, "nowhere", &file), JET_errDatabaseNotFound);
    assert_int_equal(service_client_open(client, "unsound", &file), JET_errInternalError);
    assert_int_equal(file.base_fd, -1);

    g_autofree char *json = NULL;
    assert_int_equal(service_client_manifest(client, &json), 0);
    assert_string_equal(json, "{\"files\": []}");
    JETX_BACKUPSTATUS status;
    assert_int_equal(service_client_status(client, &status), 0);
    assert_int_equal(status.pid, f->server);
    assert_string_equal(status.szState, "frozen");
    assert_true(status.lgposFreeze == UINT64_C(0x500000000) && status.errSession == 0 &&
                status.signLog.ulRandom == 12345 && status.cbPinnedLog == 99);
    assert_string_equal(status.szHolderMount, "/mnt/x");
    assert_true(status.rgLimit[JETX_limitIdle].warned == 80 && status.commitDuring.usP99 == 4321);
    assert_int_equal(service_client_truncate(client), JET_errLogFileNotCopied);

    assert_int_equal(service_client_end(client, 3), JET_errInvalidParameter); /* still there */
    assert_int_equal(service_client_end(client, JET_bitBackupEndNormal), 0);
    assert_int_equal(service_client_end(client, JET_bitBackupEndNormal), JET_errNoBackup);
    service_client_close(client);
    assert_int_equal(notes->ended_normally, 1);
    assert_int_equal(notes->aborted, 0);
}

static void
test_limits_and_progress_arrive(void **state)
{
    struct fix *f = *state;
    struct service_client *client = begun(f), *other = connected(f);
    JETX_BACKUPLIMITS limits = {.secMaxAge = 60, .pctPinnedLog = 7};
    assert_int_equal(notes->holder, getpid());
    assert_int_equal(service_client_set_limits(client, &limits), 0);
    assert_int_equal(notes->max_age, 60);
    assert_int_equal(service_client_set_limits(other, &limits), JET_errNoBackup);
    limits.pctPinnedLog = 8;
    assert_int_equal(service_client_set_limits(client, &limits), JET_errInvalidParameter);

    JETX_BACKUPPROGRESS progress = {.szMount = "/mnt/x", .cbRequired = 10, .cbServed = 4};
    assert_int_equal(service_client_progress(client, 100, &progress), 0);
    assert_int_equal(service_client_progress(client, 100, NULL), 0); /* nothing more was read */
    assert_int_equal(service_client_progress(client, 200, NULL), 0);
    assert_true(wait_for_count(&notes->reads, 2));
    assert_int_equal(notes->served, 4);
    service_client_close(other);
    service_client_close(client);
}

static void
test_dead_session_ends_without_its_client(void **state)
{
    struct fix *f = *state;
    struct service_client *client = begun(f);
    notes->dead = true;
    assert_true(wait_for_count(&notes->ended_normally, 1)); /* as stopped */
    assert_int_equal(notes->stopped, 1);
    notes->dead = false;
    assert_int_equal(service_client_end(client, JET_bitBackupEndNormal),
                     JET_errBackupAbortByServer);
    JETX_BACKUPSTATUS status;
    assert_int_equal(service_client_status(client, &status), 0); /* the owner's, not the last one */
    assert_int_equal(status.errSession, 0);
    assert_int_equal(service_client_begin_frozen(client, 0), 0); /* and once more */
    assert_int_equal(service_client_check(client), 0);
    assert_int_equal(service_client_end(client, JET_bitBackupEndAbort), JET_errBackupAbortByServer);
    service_client_close(client);
}

static void
test_dead_session_makes_room(void **state)
{
    struct fix *f = *state;
    struct service_client *first = begun(f), *second = connected(f);
    notes->dead = true;
    assert_int_equal(service_client_begin_frozen(second, 0), 0);
    assert_true(wait_for_count(&notes->stopped, 1));
    gint64 deadline = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    while (service_client_check(first) >= 0 && g_get_monotonic_time() < deadline)
        g_usleep(500);
    assert_int_equal(service_client_check(first), JET_errBackupAbortByServer);
    service_client_close(first); /* takes nothing from the new one */
    notes->dead = false;
    assert_int_equal(service_client_end(second, JET_bitBackupEndNormal),
                     JET_errBackupAbortByServer);
    service_client_close(second);
}

static void
test_session_belongs_to_its_connection(void **state)
{
    struct fix *f = *state;
    struct service_client *first = begun(f), *second = connected(f);
    struct frozen_file file = FROZEN_FILE_NONE;
    JETX_BACKUPSTATUS status;
    JETX_BACKUPFILE *files;
    char *json;
    uint32_t n;
    assert_int_equal(service_client_begin_frozen(second, 0), JET_errBackupInProgress);
    assert_int_equal(service_client_files(second, &files, &n), JET_errNoBackup);
    assert_int_equal(service_client_open(second, "app.edb", &file), JET_errNoBackup);
    assert_int_equal(service_client_manifest(second, &json), JET_errNoBackup);
    assert_int_equal(service_client_truncate(second), JET_errNoBackup);
    assert_int_equal(service_client_end(second, JET_bitBackupEndAbort), JET_errNoBackup);
    assert_int_equal(service_client_status(second, &status), 0);
    assert_int_equal(service_client_stop(second), 0);
    service_client_close(second);

    assert_int_equal(service_client_end(first, JET_bitBackupEndNormal), JET_errBackupAbortByServer);
    assert_int_equal(service_client_begin_frozen(first, 0),
                     0); /* one connection, several sessions */
    assert_int_equal(notes->begun, 2);
    service_client_close(first);
}

static void
test_closed_connection_aborts_session(void **state)
{
    struct fix *f = *state;
    service_client_close(begun(f));
    assert_true(wait_for_count(&notes->aborted, 1));
    service_client_close(begun(f)); /* the next one can begin */
    assert_true(wait_for_count(&notes->aborted, 2));
}

static void
test_killed_client_aborts_session(void **state)
{
    struct fix *f = *state;
    GPid client = start(f, "--client");
    assert_true(wait_for(&notes->died));
    assert_int_equal(notes->begun, 1);
    kill(client, SIGKILL);
    reap(&client);
    assert_true(wait_for_count(&notes->aborted, 1));
}

static void
test_killed_server_is_noticed_and_replaced(void **state)
{
    struct fix *f = *state;
    JETX_BACKUPSTATUS status;
    struct service_client *client = begun(f);
    assert_int_equal(service_client_status(client, &status), 0);
    kill_server(f);
    gint64 start_time = g_get_monotonic_time();
    assert_int_equal(service_client_check(client), JET_errInstanceUnavailable);
    assert_int_equal(service_client_truncate(client), JET_errInstanceUnavailable);
    assert_int_equal(service_client_status(client, &status), 0);
    assert_int_equal(status.errSession, JET_errInstanceUnavailable);
    assert_string_equal(status.szState, "aborted");
    assert_true(status.cbPinnedLog == 99);
    assert_int_equal(service_client_end(client, JET_bitBackupEndNormal),
                     JET_errInstanceUnavailable);
    service_client_close(client);
    assert_true(g_get_monotonic_time() - start_time < 5 * G_USEC_PER_SEC);

    assert_int_equal(service_client_connect(f->dir, &client), JET_errFileNotFound);
    start_server(f); /* over the socket that is still there */
    service_client_close(begun(f));
}

static void
test_stopped_service_tells_why(void **state)
{
    struct fix *f = *state;
    struct service_client *client = begun(f), *idle = connected(f);
    notes->go_down = true;
    reap(&f->server);
    assert_int_equal(notes->stopped, 1); /* the session learns that it was not its client */
    assert_int_equal(notes->ended_normally, 1);
    assert_int_equal(service_client_check(client), JET_errBackupAbortByServer);
    assert_int_equal(service_client_end(client, JET_bitBackupEndNormal),
                     JET_errBackupAbortByServer);
    assert_int_equal(service_client_check(idle), JET_errInstanceUnavailable);
    service_client_close(client);
    service_client_close(idle);
    g_autofree char *path = service_socket_path(f->dir, "edb");
    assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void
test_server_that_hangs_is_given_up_on_close(void **state)
{
    struct fix *f = *state;
    struct service_client *client = begun(f);
    kill(f->server, SIGSTOP);
    service_client_close(client); /* comes back */
    kill(f->server, SIGCONT);
    assert_true(wait_for_count(&notes->aborted, 1));
}

static int
raw_connect(struct fix *f)
{
    g_autofree char *path = service_socket_path(f->dir, "edb");
    g_autofree char *dir = g_path_get_dirname(path);
    int dir_fd = open(dir, O_PATH | O_CLOEXEC);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/edb.backup", dir_fd);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(dir_fd);
    return fd;
}

static void
test_garbage_and_silence_disturb_nobody(void **state)
{
    static const char half_auth[] = "\0AUTH EXTERNAL 30\r\nBEGIN\r\n";
    struct fix *f = *state;
    struct service_client *client = begun(f);
    int silent[3];
    for (int i = 0; i < 3; i++)
        silent[i] = raw_connect(f);
    GRand *rand = g_rand_new_with_seed(7);
    for (int round = 0; round < 40; round++) {
        uint8_t junk[700];
        int fd = raw_connect(f);
        for (unsigned i = 0; i < sizeof(junk); i++)
            junk[i] = (uint8_t)g_rand_int(rand);
        if (round % 2)
            (void)send(fd, half_auth, sizeof(half_auth) - 1, MSG_NOSIGNAL);
        (void)send(fd, junk, (size_t)g_rand_int_range(rand, 1, sizeof(junk)), MSG_NOSIGNAL);
        close(fd);
        assert_int_equal(service_client_check(client), 0);
    }
    g_rand_free(rand);
    g_autofree char *json = NULL;
    assert_int_equal(service_client_manifest(client, &json), 0);
    assert_int_equal(service_client_end(client, JET_bitBackupEndNormal), 0);
    service_client_close(client);

    /* and the service goes down although they sit there */
    gint64 start_time = g_get_monotonic_time();
    notes->go_down = true;
    reap(&f->server);
    assert_true(g_get_monotonic_time() - start_time < 4 * G_USEC_PER_SEC);
    for (int i = 0; i < 3; i++)
        close(silent[i]);
}

static void
test_other_user_is_sent_away(void **state)
{
    struct fix *f = *state;
    if (geteuid() != 0) {
        print_message("not root: cannot become another user\n");
        skip();
    }
    g_autofree char *path = service_socket_path(f->dir, "edb");
    g_autofree char *top = g_path_get_dirname(f->dir);
    for (int open_to_all = 0; open_to_all < 2; open_to_all++) {
        if (open_to_all) { /* also when the file's mode does not stop them */
            assert_int_equal(chmod(top, 0777) | chmod(f->dir, 0777) | chmod(path, 0666), 0);
        }
        pid_t pid = fork();
        if (pid == 0) {
            struct service_client *client = NULL;
            _exit(setresuid(65534, 65534, 65534) == 0 &&
                          service_client_connect(f->dir, &client) == JET_errAccessDenied
                      ? 0
                      : 1);
        }
        int status = -1;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    service_client_close(begun(f)); /* we still may */
}

static void
test_socket_is_private_from_the_start(void **state)
{
    struct fix *f = *state;
    g_autofree char *path = service_socket_path(f->dir, "edb");
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void
test_start_spares_what_is_not_its_own(void **state)
{
    struct fix *f = *state;
    struct service *service = NULL;
    assert_int_equal(service_start(f->dir, "edb", &fake, NULL, &service), JET_errFileAccessDenied);
    service_client_close(begun(f)); /* the other one is as before */

    g_autofree char *path = service_socket_path(f->dir, "abc");
    assert_true(g_file_set_contents(path, "mine", 4, NULL));
    assert_int_equal(service_start(f->dir, "abc", &fake, NULL, &service), JET_errFileAccessDenied);
    assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
    assert_int_equal(service_start("/nowhere/at/all", "abc", &fake, NULL, &service),
                     JET_errFileNotFound);
}

static void
test_connect_finds_the_one_socket(void **state)
{
    struct fix *f = *state;
    struct service_client *client = NULL;
    g_autofree char *path = service_socket_path(f->dir, "edb");
    g_autofree char *other = service_socket_path(f->dir, "abc");
    assert_int_equal(service_client_connect(path, &client), 0);
    service_client_close(client);
    assert_int_equal(service_client_connect("/nowhere", &client), JET_errFileNotFound);
    assert_int_equal(service_client_connect("/proc", &client), JET_errFileNotFound);
    assert_int_equal(service_client_connect("/proc/self/exe", &client), JET_errFileNotFound);
    assert_int_equal(rename(path, other) | symlink(other, path), 0);
    assert_int_equal(service_client_connect(f->dir, &client), JET_errInvalidParameter);
}

/* ---- with handles ---- */

static void
test_remote_reads_anywhere(void **state)
{
    struct fix *f = *state;
    struct remote *remote = NULL;
    JET_HANDLE log, again;
    uint64_t bytes = 0;
    uint32_t got = 0;
    uint8_t buf[3 * PAGE];
    assert_int_equal(remote_connect(f->dir, &remote), 0);
    assert_int_equal(remote_read_file(remote, 1, buf, 1, &got), JET_errNoBackup);
    assert_int_equal(remote_begin_frozen(remote, 0), 0);
    assert_int_equal(remote_open_file(remote, "edb00007.log", &log, &bytes), 0);
    assert_int_equal(remote_open_file(remote, "edb00007.log", &again, &bytes), 0);
    assert_true(bytes == 2 * PAGE && log != again);
    assert_int_equal(remote_open_file(remote, "nowhere", &again, &bytes), JET_errDatabaseNotFound);
    assert_int_equal(remote_open_file(remote, "app.edb", &again, &bytes), JET_errInternalError);

    assert_int_equal(remote_read_file_at(remote, log, PAGE - 1, buf, 2, &got), 0);
    assert_int_equal(got, 2);
    assert_true(buf[0] == 40 && buf[1] == 41);
    assert_int_equal(remote_read_file(remote, log, buf, PAGE + 1, &got), 0);
    assert_int_equal(remote_read_file(remote, log, buf, 3 * PAGE, &got), 0);
    assert_int_equal(got, PAGE - 1);
    assert_int_equal(buf[0], 41);
    assert_int_equal(remote_read_file(remote, log, buf, 1, &got), 0);
    assert_int_equal(got, 0);

    assert_int_equal(remote_close_file(remote, log), 0);
    assert_int_equal(remote_close_file(remote, log), JET_errInvalidParameter);
    assert_int_equal(remote_read_file(remote, log, buf, 1, &got), JET_errInvalidParameter);
    assert_int_equal(remote_end(remote, JET_bitBackupEndNormal), 0);
    assert_int_equal(remote_read_file(remote, again, buf, 1, &got), JET_errNoBackup);
    remote_disconnect(remote);
}

static void
test_remote_read_after_death_of_owner_fails(void **state)
{
    struct fix *f = *state;
    struct remote *remote = NULL;
    JET_HANDLE log;
    uint64_t bytes = 0;
    uint32_t got = 0;
    uint8_t buf[PAGE];
    assert_int_equal(remote_connect(f->dir, &remote), 0);
    assert_int_equal(remote_begin_frozen(remote, 0), 0);
    assert_int_equal(remote_open_file(remote, "edb00007.log", &log, &bytes), 0);
    assert_int_equal(remote_read_file_at(remote, log, 0, buf, PAGE, &got), 0);
    kill_server(f);
    for (int i = 0; i < 3; i++)
        assert_int_equal(remote_read_file_at(remote, log, 0, buf, PAGE, &got),
                         JET_errInstanceUnavailable);
    assert_int_equal(remote_close_file(remote, log), 0);
    assert_int_equal(remote_end(remote, JET_bitBackupEndNormal), JET_errInstanceUnavailable);
    remote_disconnect(remote);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(int argc, char **argv)
{
    if (argc == 3) {
        notes = mmap(NULL, sizeof(*notes), PROT_READ | PROT_WRITE, MAP_SHARED, NOTES_FD, 0);
        return strcmp(argv[1], "--server") == 0 ? server_main(argv[2]) : client_main(argv[2]);
    }
    const struct CMUnitTest tests[] = {
        TEST(test_other_user_is_sent_away), /* forks: before any connection has made its thread */
        TEST(test_session_passes_everything_through),
        TEST(test_session_belongs_to_its_connection),
        TEST(test_limits_and_progress_arrive),
        TEST(test_dead_session_ends_without_its_client),
        TEST(test_dead_session_makes_room),
        TEST(test_closed_connection_aborts_session),
        TEST(test_killed_client_aborts_session),
        TEST(test_killed_server_is_noticed_and_replaced),
        TEST(test_stopped_service_tells_why),
        TEST(test_server_that_hangs_is_given_up_on_close),
        TEST(test_garbage_and_silence_disturb_nobody),
        TEST(test_socket_is_private_from_the_start),
        TEST(test_start_spares_what_is_not_its_own),
        TEST(test_connect_finds_the_one_socket),
        TEST(test_remote_reads_anywhere),
        TEST(test_remote_read_after_death_of_owner_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
