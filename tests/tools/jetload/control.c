/* SPDX-License-Identifier: MIT */
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct control {
    int fd;
    _Atomic int client; /* -1: none */
    _Atomic bool stop;
    GThread *thread;
    const struct store *store;
    JET_OSSNAPID snapshot;
};

static JET_ERR
freeze(struct control *c, uint64_t *position)
{
    JETX_BACKUPSTATUS status = {.cbStruct = sizeof status};
    JET_INSTANCE_INFO *info = NULL;
    uint32_t n;
    JET_ERR err = JetOSSnapshotPrepare(&c->snapshot, 0);
    if (err >= 0)
        err = JetOSSnapshotFreeze(c->snapshot, &n, &info, 0);
    if (err < 0)
        return err;
    JetFreeBuffer((char *)info);
    err = JetxGetBackupStatus(c->store->instance, &status);
    *position = status.lgposFreeze;
    return err;
}

static void
obey(struct control *c, const char *command, char *answer, size_t size)
{
    uint64_t position = 0;
    JET_ERR err = JET_errInvalidParameter;
    if (strcmp(command, "freeze\n") == 0) {
        err = freeze(c, &position);
        g_snprintf(answer, size, "frozen %#llx\n", (unsigned long long)position);
    } else if (strcmp(command, "thaw\n") == 0) {
        err = JetOSSnapshotThaw(c->snapshot, 0);
        g_snprintf(answer, size, "thawed\n");
    }
    if (err < 0)
        g_snprintf(answer, size, "error %d %s\n", err, JetxErrorName(err));
}

static void
serve_client(struct control *c, int client)
{
    FILE *in = fdopen(client, "r");
    char command[64];
    char answer[128];
    while (in != NULL && !atomic_load(&c->stop) && fgets(command, sizeof command, in) != NULL) {
        obey(c, command, answer, sizeof answer);
        if (send(client, answer, strlen(answer), MSG_NOSIGNAL) < 0)
            break;
    }
    atomic_store(&c->client, -1);
    if (in != NULL)
        fclose(in);
}

static void *
serve(void *arg)
{
    struct control *c = arg;
    int client;
    while ((client = accept(c->fd, NULL, NULL)) >= 0) {
        atomic_store(&c->client, client);
        serve_client(c, client);
    }
    return NULL;
}

struct control *
control_start(const char *path, struct store *store)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct control *c = g_new0(struct control, 1);
    c->store = store;
    c->client = -1;
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    unlink(path);
    if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(c->fd, 1) < 0) {
        fprintf(stderr, "jetload: %s: %s\n", path, g_strerror(errno));
        if (c->fd >= 0)
            close(c->fd);
        g_free(c);
        return NULL;
    }
    c->thread = g_thread_new("control", serve, c);
    return c;
}

void
control_stop(struct control *c)
{
    if (c == NULL)
        return;
    atomic_store(&c->stop, true);
    shutdown(c->fd, SHUT_RDWR); /* accept returns */
    const int client = atomic_load(&c->client);
    if (client >= 0)
        shutdown(client, SHUT_RDWR); /* and fgets */
    g_thread_join(c->thread);
    close(c->fd);
    g_free(c);
}
