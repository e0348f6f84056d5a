/* SPDX-License-Identifier: MIT */
/*
 * fuzz_wire: whatever bytes come over the bus as a reply of the right type are refused or become
 * something sound. The bus itself checks the type, and GLib the form.
 *
 * Input: u8 (which reply), then the serialized value.
 */
#include <string.h>

#include "fuzz.h"
#include "service/wire.h"

static const char *const types[] = {"(ia(uayaytxtuuu))", "(ia{sv})", "(iutuuiiiayay)"};

static void
try_files(GVariant *reply)
{
    JETX_BACKUPFILE *files;
    uint32_t n;
    if (wire_files_get(reply, &files, &n) < 0)
        return;
    for (uint32_t i = 0; i < n; i++) {
        FUZZ_HOLDS(memchr(files[i].szName, 0, sizeof files[i].szName) != NULL);
        FUZZ_HOLDS(memchr(files[i].szPath, 0, sizeof files[i].szPath) != NULL);
        FUZZ_HOLDS(files[i].szName[0] != 0 && strchr(files[i].szName, '/') == NULL);
    }
    g_free(files);
}

static void
try_status(GVariant *reply)
{
    JETX_BACKUPSTATUS status;
    if (wire_status_get(reply, &status) < 0)
        return;
    FUZZ_HOLDS(memchr(status.szInstance, 0, sizeof status.szInstance) != NULL);
    FUZZ_HOLDS(memchr(status.szState, 0, sizeof status.szState) != NULL);
}

static void
try_open(GVariant *reply)
{
    struct frozen_file file;
    if (wire_open_get(reply, NULL, &file) < 0)
        return;
    /* without descriptors only what is in memory can be sound */
    FUZZ_HOLDS(file.kind == JETX_fileGenerated && file.base_fd < 0);
    frozen_file_clear(&file);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    unsigned which = data[0] % G_N_ELEMENTS(types);
    g_autoptr(GBytes) bytes = g_bytes_new(data + 1, len - 1); /* aligned, as the bus has it */
    g_autoptr(GVariant) raw =
        g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(types[which]), bytes, FALSE));
    g_autoptr(GVariant) reply = g_variant_get_normal_form(raw);
    if (which == 0)
        try_files(reply);
    else if (which == 1)
        try_status(reply);
    else
        try_open(reply);
    return 0;
}

static GVariant *
good(unsigned i)
{
    static const uint8_t bytes[] = "{\"a\": 1}";
    const JETX_BACKUPFILE files[2] = {{.kind = 1, .szName = "a.edb", .szPath = "/d/a.edb"},
                                      {.kind = 2, .szName = "edb00001.log", .genLog = 1}};
    const JETX_BACKUPSTATUS status = {.pid = 7, .szInstance = "i", .szState = "frozen"};
    struct frozen_file file = FROZEN_FILE_NONE;
    if (i == 0)
        return wire_files_put(0, files, G_N_ELEMENTS(files));
    if (i == 1)
        return wire_status_put(0, &status);
    file.kind = JETX_fileGenerated;
    file.size = sizeof bytes;
    file.head = g_bytes_new_static(bytes, sizeof bytes);
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    GVariant *reply = wire_open_put(0, &file, fds);
    g_bytes_unref(file.head);
    return reply;
}

bool
fuzz_seed(unsigned i, GByteArray *out)
{
    if (i >= G_N_ELEMENTS(types))
        return false;
    g_autoptr(GVariant) reply = g_variant_ref_sink(good(i));
    const uint8_t which = (uint8_t)i;
    g_byte_array_append(out, &which, 1);
    g_byte_array_append(out, g_variant_get_data(reply), (guint)g_variant_get_size(reply));
    return true;
}
