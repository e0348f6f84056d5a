/* SPDX-License-Identifier: MIT */
/* info: JetGetInstanceInfo: the running instances and their databases, in one buffer. */
#include <string.h>

#include "api/api.h"
#include "instance/registry.h"

struct listed {
    JET_INSTANCE handle;
    char *name;
    GPtrArray *paths; /* of char */
};

static void
free_listed(void *p)
{
    struct listed *l = p;
    g_free(l->name);
    g_ptr_array_unref(l->paths);
    g_free(l);
}

static void
take_path(struct instance_db *db, void *ctx)
{
    g_ptr_array_add(ctx, g_strdup(db->path));
}

void
api_each_running(void (*fn)(void *ctx, struct instance *inst), void *ctx)
{
    struct instance *inst;
    for (size_t i = 0; (inst = registry_nth(i)); i++) {
        if (instance_enter(inst) >= 0) {
            fn(ctx, inst);
            instance_leave(inst);
        }
        registry_release(inst);
    }
}

static void
list_instance(void *ctx, struct instance *inst)
{
    GPtrArray *all = ctx;
    struct listed *l = g_new0(struct listed, 1);
    l->handle = inst->handle;
    l->name = g_strdup(inst->name);
    l->paths = g_ptr_array_new_with_free_func(g_free);
    instance_each_db(inst, take_path, l->paths);
    g_ptr_array_add(all, l);
}

/* Lays structs, pointers and texts out one after the other; with base NULL it only measures. */
struct layout {
    uint8_t *base;
    size_t used;
    bool wide;
};

static void *
lay(struct layout *l, const void *data, size_t bytes)
{
    l->used = (l->used + 7) & ~(size_t)7;
    void *at = l->base ? l->base + l->used : NULL;
    if (at && data)
        memcpy(at, data, bytes);
    l->used += bytes;
    return at;
}

static void *
lay_text(struct layout *l, const char *text)
{
    if (!l->wide)
        return lay(l, text, strlen(text) + 1);
    glong units = 0;
    g_autofree gunichar2 *wide = g_utf8_to_utf16(text, -1, NULL, &units, NULL);
    static const gunichar2 nothing[1];
    return wide ? lay(l, wide, ((size_t)units + 1) * 2) : lay(l, nothing, 2);
}

/* JET_INSTANCE_INFO_A and _W differ in what their pointers point at only. */
static void
lay_all(struct layout *l, const GPtrArray *all)
{
    JET_INSTANCE_INFO_A *infos = lay(l, NULL, all->len * sizeof(*infos));
    for (guint i = 0; i < all->len; i++) {
        const struct listed *from = all->pdata[i];
        JET_INSTANCE_INFO_A info = {.hInstanceId = from->handle, .cDatabases = from->paths->len};
        info.szInstanceName = lay_text(l, from->name);
        info.szDatabaseFileName = lay(l, NULL, (from->paths->len + 1) * sizeof(char *));
        for (guint k = 0; k < from->paths->len; k++) {
            void *text = lay_text(l, from->paths->pdata[k]);
            if (l->base)
                info.szDatabaseFileName[k] = text;
        }
        if (l->base)
            infos[i] = info;
    }
}

static JET_ERR
lay_out(const GPtrArray *all, uint32_t *count, void **out, bool wide)
{
    struct layout l = {.wide = wide};
    lay_all(&l, all);
    uint8_t *buffer = all->len ? g_try_malloc0(l.used) : NULL;
    if (all->len && !buffer)
        return JET_errOutOfMemory;
    if (buffer) {
        l = (struct layout) {.base = buffer, .wide = wide};
        lay_all(&l, all);
    }
    *count = all->len;
    *out = buffer;
    return JET_errSuccess;
}

JET_ERR
api_describe_instances(void *ctx, struct instance *const *insts, size_t n)
{
    struct api_instance_info *info = ctx;
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(free_listed);
    for (size_t i = 0; i < n; i++)
        list_instance(all, insts[i]);
    return lay_out(all, info->count, info->out, info->wide);
}

static JET_ERR
get_instance_info(uint32_t *count, void **out, bool wide)
{
    if (!count || !out)
        return JET_errInvalidParameter;
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(free_listed);
    api_each_running(list_instance, all);
    return lay_out(all, count, out, wide);
}

G_STATIC_ASSERT(sizeof(JET_INSTANCE_INFO_A) == sizeof(JET_INSTANCE_INFO_W));

/**
 * JetGetInstanceInfo: the running instances and their attached databases. *paInstanceInfo is one
 * buffer for JetFreeBuffer, NULL when there is none. Databases have no display names here.
 *
 * JET_errInvalidParameter: no place for the result; JET_errOutOfMemory.
 */
JET_ERR
JetGetInstanceInfoA(uint32_t *pcInstanceInfo, JET_INSTANCE_INFO_A **paInstanceInfo)
{
    return get_instance_info(pcInstanceInfo, (void **)paInstanceInfo, false);
}

JET_ERR
JetGetInstanceInfoW(uint32_t *pcInstanceInfo, JET_INSTANCE_INFO_W **paInstanceInfo)
{
    return get_instance_info(pcInstanceInfo, (void **)paInstanceInfo, true);
}
