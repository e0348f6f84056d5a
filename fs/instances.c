/* SPDX-License-Identifier: MIT */
#include "instances.h"

#include "proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX         ".backup"
#define LISTENS        0x10000u /* __SO_ACCEPTCON */
#define DATABASE_MAGIC "\xef\xcd\xab\x89"

/* What one process has open. */
struct opened {
    GHashTable *sockets;  /* inode, as text -> its file name; of the whole machine */
    GHashTable *services; /* file names of those that the process listens on */
    guint n_services;     /* two instances may use one name in two directories */
    GHashTable *directories;
    GPtrArray *databases;
};

static void
instance_free(gpointer data)
{
    struct instance_info *info = data;

    g_free(info->program);
    g_free(info->directory);
    g_free(info->socket);
    g_free(info->base);
    g_ptr_array_unref(info->databases);
    g_free(info);
}

/* Num RefCount Protocol Flags Type St Inode Path */
static GHashTable *
find_sockets(void)
{
    GHashTable *sockets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autofree char *text = NULL;

    if (!g_file_get_contents("/proc/net/unix", &text, NULL, NULL))
        return sockets;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        unsigned flags, inode;
        int at = 0;
        if (sscanf(*line, "%*s %*x %*x %x %*x %*x %u %n", &flags, &inode, &at) == 2 && at > 0 &&
            (flags & LISTENS) != 0 && g_str_has_suffix(*line + at, SUFFIX))
            g_hash_table_insert(sockets, g_strdup_printf("%u", inode),
                                g_path_get_basename(*line + at));
    }
    return sockets;
}

/* u32 checksum, u32 magic, u32 version, u32 type: 0 for a database */
static bool
is_database(const char *path)
{
    uint8_t head[16];
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return false;
    ssize_t n = pread(fd, head, sizeof head, 0);
    close(fd);
    return n == (ssize_t)sizeof head && memcmp(head + 4, DATABASE_MAGIC, 4) == 0 &&
           memcmp(head + 12, "\0\0\0\0", 4) == 0;
}

static void
take_file(struct opened *opened, const char *path)
{
    struct stat st;

    if (g_str_has_suffix(path, " (deleted)") || lstat(path, &st) < 0)
        return;
    if (S_ISREG(st.st_mode)) {
        g_hash_table_add(opened->directories, g_path_get_dirname(path));
        if (!g_ptr_array_find_with_equal_func(opened->databases, path, g_str_equal, NULL) &&
            is_database(path))
            g_ptr_array_add(opened->databases, g_strdup(path));
    }
}

static bool
take_service(int pid, const char *fd, const char *target, void *ctx)
{
    struct opened *opened = ctx;
    const char *name = NULL;

    if (g_str_has_prefix(target, "socket:[")) {
        g_autofree char *inode =
            g_strndup(target + strlen("socket:["), strcspn(target + strlen("socket:["), "]"));
        name = g_hash_table_lookup(opened->sockets, inode);
    }
    if (name != NULL) {
        g_hash_table_add(opened->services, (gpointer)name);
        opened->n_services++;
    }
    return true;
}

static bool
take_opened(int pid, const char *fd, const char *target, void *ctx)
{
    if (target[0] == '/' && !g_str_has_prefix(target, "/dev/"))
        take_file(ctx, target);
    return true;
}

/* Is it process `pid` that answers there? */
static bool
ask(const char *socket, int pid, struct instance_info *info)
{
    JET_INSTANCE instance;
    struct stat st;

    if (lstat(socket, &st) < 0 || !S_ISSOCK(st.st_mode))
        return false;
    info->since_us = (gint64)st.st_mtim.tv_sec * G_USEC_PER_SEC + (gint64)st.st_mtim.tv_nsec / 1000;
    info->status.cbStruct = sizeof info->status;
    info->err = JetxConnectInstanceA(socket, &instance);
    if (info->err == JET_errFileNotFound)
        return false; /* nobody listens: left by another that died */
    if (info->err < 0)
        return true;
    info->err = JetxGetBackupStatus(instance, &info->status);
    (void)JetxDisconnectInstance(instance);
    return info->err < 0 || info->status.pid == 0 || (int)info->status.pid == pid;
}

/* Of several instances in one process each has the databases in its own directory. */
static GPtrArray *
databases_of(const struct opened *opened, const char *directory)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < opened->databases->len; i++) {
        const char *path = opened->databases->pdata[i];
        if (opened->n_services == 1 || proc_is_inside(path, directory))
            g_ptr_array_add(paths, g_strdup(path));
    }
    return paths;
}

static void
add_instance(GPtrArray *found, int pid, const struct opened *opened, const char *directory,
             const char *name)
{
    struct instance_info info = {.pid = pid};
    g_autofree char *socket = g_build_filename(directory, name, NULL);

    if (!ask(socket, pid, &info))
        return;
    info.program = proc_name(pid);
    info.directory = g_strdup(directory);
    info.socket = g_steal_pointer(&socket);
    info.base = g_strndup(name, strlen(name) - strlen(SUFFIX));
    info.databases = databases_of(opened, directory);
    g_ptr_array_add(found, g_memdup2(&info, sizeof info));
}

static void
ask_everywhere(GPtrArray *found, int pid, const struct opened *opened)
{
    GHashTableIter directories, services;
    gpointer directory, name;

    g_hash_table_iter_init(&directories, opened->directories);
    while (g_hash_table_iter_next(&directories, &directory, NULL)) {
        g_hash_table_iter_init(&services, opened->services);
        while (g_hash_table_iter_next(&services, &name, NULL))
            add_instance(found, pid, opened, directory, name);
    }
}

static void
look_at(int pid, GHashTable *sockets, GPtrArray *found)
{
    g_autoptr(GHashTable) services = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) directories =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) databases = g_ptr_array_new_with_free_func(g_free);
    struct opened opened = {sockets, services, 0, directories, databases};

    proc_each_fd(pid, take_service, &opened);
    if (opened.n_services == 0)
        return;
    proc_each_fd(pid, take_opened, &opened);
    ask_everywhere(found, pid, &opened);
}

static gint
by_directory(gconstpointer a, gconstpointer b)
{
    const struct instance_info *const *x = a, *const *y = b;
    return strcmp((*x)->socket, (*y)->socket);
}

GPtrArray *
instances_find(void)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(instance_free);
    g_autoptr(GHashTable) sockets = find_sockets();
    g_autoptr(GArray) pids = proc_list();

    for (guint i = 0; g_hash_table_size(sockets) > 0 && i < pids->len; i++)
        look_at(g_array_index(pids, int, i), sockets, found);
    g_ptr_array_sort(found, by_directory);
    return found;
}
