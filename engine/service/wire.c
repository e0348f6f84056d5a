/* SPDX-License-Identifier: MIT */
#include "service/wire.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* ---- files ---- */

GVariant *
wire_files_put(JET_ERR err, const JETX_BACKUPFILE *files, uint32_t n)
{
    GVariantBuilder b;
    g_variant_builder_init(&b, G_VARIANT_TYPE("a(uayaytxtuuu)"));
    for (uint32_t i = 0; i < n; i++)
        g_variant_builder_add(&b, "(u^ay^aytxtuuu)", files[i].kind, files[i].szName,
                              files[i].szPath, files[i].cbSize, files[i].mtime_ns, files[i].inode,
                              files[i].genLog, files[i].pgnoLast, files[i].cbPage);
    return g_variant_new("(ia(uayaytxtuuu))", err, &b);
}

/* It becomes one in a directory. */
static bool
name_is_sound(const char *name)
{
    return *name != 0 && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

JET_ERR
wire_files_get(GVariant *reply, JETX_BACKUPFILE **files, uint32_t *n)
{
    g_autoptr(GVariant) list = g_variant_get_child_value(reply, 1);
    gsize count = g_variant_n_children(list);
    JETX_BACKUPFILE *out = g_try_new0(JETX_BACKUPFILE, MAX(count, 1));
    if (!out)
        return JET_errOutOfMemory;
    for (gsize i = 0; i < count; i++) {
        JETX_BACKUPFILE *f = &out[i];
        const char *name, *path;
        g_autoptr(GVariant) item = g_variant_get_child_value(list, i);
        f->cbStruct = sizeof(*f);
        g_variant_get(item, "(u^&ay^&aytxtuuu)", &f->kind, &name, &path, &f->cbSize, &f->mtime_ns,
                      &f->inode, &f->genLog, &f->pgnoLast, &f->cbPage);
        if (!name_is_sound(name) ||
            g_strlcpy(f->szName, name, sizeof(f->szName)) >= sizeof(f->szName) ||
            g_strlcpy(f->szPath, path, sizeof(f->szPath)) >= sizeof(f->szPath)) {
            g_free(out);
            return JET_errInternalError;
        }
    }
    *files = out;
    *n = (uint32_t)count;
    return JET_errSuccess;
}

/* ---- status ---- */

static const struct status_field {
    const char *name;
    char type; /* u, t, i as GVariant has them; b = size bytes */
    size_t offset, size;
} status_fields[] = {
#define FIELD(name, type)                                                                          \
    {                                                                                              \
#name, type, offsetof(JETX_BACKUPSTATUS, name), sizeof(((JETX_BACKUPSTATUS *)0)->name)     \
    }
    FIELD(pid, 'u'),
    FIELD(szInstance, 'b'),
    FIELD(szState, 'b'),
    FIELD(lgposBegin, 't'),
    FIELD(lgposFreeze, 't'),
    FIELD(genLow, 'u'),
    FIELD(genHigh, 'u'),
    FIELD(signLog, 'b'),
    FIELD(errSession, 'i'),
    FIELD(timeBegin, 't'),
    FIELD(timeEnd, 't'),
    FIELD(usFreeze, 't'),
    FIELD(cbPreimage, 't'),
    FIELD(cPagePreimage, 't'),
    FIELD(cbPinnedLog, 't'),
    FIELD(rgLimit, 'b'),
    FIELD(limitEnded, 'u'),
    FIELD(pidHolder, 'u'),
    FIELD(szHolderProgram, 'b'),
    FIELD(szHolderMount, 'b'),
    FIELD(cbRequired, 't'),
    FIELD(cbServed, 't'),
    FIELD(commitBefore, 'b'),
    FIELD(commitDuring, 'b'),
    FIELD(errCause, 'i'),
#undef FIELD
};

static GVariant *
field_put(const struct status_field *f, const void *p)
{
    switch (f->type) {
    case 'u':
        return g_variant_new_uint32(*(const uint32_t *)p);
    case 'i':
        return g_variant_new_int32(*(const int32_t *)p);
    case 't':
        return g_variant_new_uint64(*(const uint64_t *)p);
    default:
        return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, p, f->size, 1);
    }
}

/* A value of another type or size than ours is left out. */
static void
field_get(const struct status_field *f, GVariant *v, void *p)
{
    if (f->type == 'b' && g_variant_is_of_type(v, G_VARIANT_TYPE_BYTESTRING)) {
        gsize n;
        const void *data = g_variant_get_fixed_array(v, &n, 1);
        if (n == f->size)
            memcpy(p, data, n);
    } else if (f->type == 'u' && g_variant_is_of_type(v, G_VARIANT_TYPE_UINT32)) {
        *(uint32_t *)p = g_variant_get_uint32(v);
    } else if (f->type == 'i' && g_variant_is_of_type(v, G_VARIANT_TYPE_INT32)) {
        *(int32_t *)p = g_variant_get_int32(v);
    } else if (f->type == 't' && g_variant_is_of_type(v, G_VARIANT_TYPE_UINT64)) {
        *(uint64_t *)p = g_variant_get_uint64(v);
    }
}

GVariant *
wire_status_put(JET_ERR err, const JETX_BACKUPSTATUS *status)
{
    GVariantBuilder b;
    g_variant_builder_init(&b, G_VARIANT_TYPE_VARDICT);
    for (unsigned i = 0; err >= 0 && i < G_N_ELEMENTS(status_fields); i++) {
        const struct status_field *f = &status_fields[i];
        g_variant_builder_add(&b, "{sv}", f->name, field_put(f, (const char *)status + f->offset));
    }
    return g_variant_new("(ia{sv})", err, &b);
}

JET_ERR
wire_status_get(GVariant *reply, JETX_BACKUPSTATUS *status)
{
    g_autoptr(GVariant) dict = g_variant_get_child_value(reply, 1);
    *status = (JETX_BACKUPSTATUS) {.cbStruct = sizeof(*status)};
    for (unsigned i = 0; i < G_N_ELEMENTS(status_fields); i++) {
        const struct status_field *f = &status_fields[i];
        g_autoptr(GVariant) v = g_variant_lookup_value(dict, f->name, NULL);
        if (v)
            field_get(f, v, (char *)status + f->offset);
    }
    status->szInstance[sizeof(status->szInstance) - 1] = 0;
    status->szState[sizeof(status->szState) - 1] = 0;
    status->szHolderProgram[sizeof(status->szHolderProgram) - 1] = 0;
    status->szHolderMount[sizeof(status->szHolderMount) - 1] = 0;
    return JET_errSuccess;
}

/* ---- an opened file ---- */

static GVariant *
bytes_put(GBytes *bytes)
{
    return bytes ? g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, bytes, TRUE)
                 : g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, NULL, 0, 1);
}

/* Index of a duplicate of fd in the list; -1 for none, -2 when it could not be made. */
static int
fd_put(GUnixFDList *fds, int fd)
{
    if (fd < 0)
        return -1;
    int index = g_unix_fd_list_append(fds, fd, NULL);
    return index >= 0 ? index : -2;
}

static GVariant *
open_reply(JET_ERR err, const struct frozen_file *file, const int index[3])
{
    return g_variant_new("(iutuuiii@ay@ay)", err, file->kind, file->size, file->page_bytes,
                         file->pgno_last, index[0], index[1], index[2], bytes_put(file->head),
                         bytes_put(file->tail));
}

GVariant *
wire_open_put(JET_ERR err, const struct frozen_file *file, GUnixFDList *fds)
{
    const struct frozen_file none = FROZEN_FILE_NONE;
    const int no_fds[3] = {-1, -1, -1};
    if (err < 0)
        return open_reply(err, &none, no_fds);

    int index[3] = {fd_put(fds, file->base_fd), fd_put(fds, file->preimage_fd),
                    fd_put(fds, file->bitmap_fd)};
    if (index[0] == -2 || index[1] == -2 || index[2] == -2)
        return open_reply(JET_errOutOfFileHandles, &none, no_fds);
    return open_reply(err, file, index);
}

/* Takes descriptor number index out of the message's; false if there is none. */
static bool
fd_get(GUnixFDList *fds, int index, int *fd)
{
    if (index < 0)
        return true;
    if (!fds || index >= g_unix_fd_list_get_length(fds))
        return false;
    *fd = g_unix_fd_list_get(fds, index, NULL); /* a duplicate, close-on-exec */
    return *fd >= 0;
}

static GBytes *
bytes_get(GVariant *reply, gsize child)
{
    g_autoptr(GVariant) v = g_variant_get_child_value(reply, child);
    GBytes *bytes = g_variant_get_data_as_bytes(v);
    if (g_bytes_get_size(bytes) == 0)
        g_clear_pointer(&bytes, g_bytes_unref);
    return bytes;
}

static size_t
bytes_size(GBytes *bytes)
{
    return bytes ? g_bytes_get_size(bytes) : 0;
}

/* Do the parts fit together? A reader may rely on it. */
static bool
file_is_sound(const struct frozen_file *f)
{
    switch (f->kind) {
    case JETX_fileDatabase:
        return f->page_bytes >= 4096 && f->page_bytes <= 32768 &&
               (f->page_bytes & (f->page_bytes - 1)) == 0 && f->base_fd >= 0 && f->bitmap_fd >= 0 &&
               f->size == ((uint64_t)f->pgno_last + 3) * f->page_bytes &&
               bytes_size(f->head) == 2 * (size_t)f->page_bytes &&
               bytes_size(f->tail) == f->page_bytes;
    case JETX_fileLog:
        return f->base_fd >= 0;
    case JETX_fileGenerated:
        return bytes_size(f->head) == f->size;
    default:
        return false;
    }
}

JET_ERR
wire_open_get(GVariant *reply, GUnixFDList *fds, struct frozen_file *file)
{
    struct frozen_file f = FROZEN_FILE_NONE;
    int index[3];
    g_variant_get(reply, "(iutuuiii@ay@ay)", NULL, &f.kind, &f.size, &f.page_bytes, &f.pgno_last,
                  &index[0], &index[1], &index[2], NULL, NULL);
    f.head = bytes_get(reply, 8);
    f.tail = bytes_get(reply, 9);
    if (!fd_get(fds, index[0], &f.base_fd) || !fd_get(fds, index[1], &f.preimage_fd) ||
        !fd_get(fds, index[2], &f.bitmap_fd) || !file_is_sound(&f)) {
        frozen_file_clear(&f);
        return JET_errInternalError;
    }
    *file = f;
    return JET_errSuccess;
}
