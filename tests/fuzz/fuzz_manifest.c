/* SPDX-License-Identifier: MIT */
/*
 * fuzz_manifest: any text is refused or gives files whose names stay in their directory.
 */
#include <string.h>

#include "backup/manifest.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct manifest_read m;
    if (manifest_parse((const char *)data, len, &m) < 0) {
        FUZZ_HOLDS(m.n_files == 0 && m.files == NULL);
        return 0;
    }
    for (size_t i = 0; i < m.n_files; i++) {
        FUZZ_HOLDS(m.files[i].kind != 0 && m.files[i].path != NULL);
        FUZZ_HOLDS(m.files[i].name[0] != 0 && strchr(m.files[i].name, '/') == NULL);
        FUZZ_HOLDS(strcmp(m.files[i].name, "..") != 0 && strcmp(m.files[i].name, ".") != 0);
    }
    manifest_read_clear(&m);
    return 0;
}

static char *
good(void)
{
    static const uint8_t sign_log[28] = {1, 2, 3}, sign_dbs[2][28] = {{4}, {0}};
    const JETX_BACKUPFILE files[] = {
        {.kind = JETX_fileDatabase, .szName = "a.edb", .szPath = "/d/a.edb", .cbSize = 1 << 20},
        {.kind = JETX_fileLog, .szName = "edb00001.log", .szPath = "/l/edb00001.log", .genLog = 1},
    };
    const struct manifest m = {.instance = "i",
                               .mode = "frozen",
                               .sign_log = sign_log,
                               .files = files,
                               .sign_dbs = sign_dbs,
                               .n_files = G_N_ELEMENTS(files)};
    return manifest_write(&m);
}

bool
fuzz_seed(unsigned i, GByteArray *out)
{
    static const char *const others[] = {"{}", "[[[[]]]]", "{\"format\": \"jetfs-backup\"}"};
    if (i > G_N_ELEMENTS(others))
        return false;
    g_autofree char *text = i == 0 ? good() : g_strdup(others[i - 1]);
    g_byte_array_append(out, (const uint8_t *)text, (guint)strlen(text));
    return true;
}
