/* SPDX-License-Identifier: MIT */
#include "backup/manifest.h"
#include "backup/verify_parts.h"
#include "os/file.h"

static void
check_file(struct verify *v, const struct manifest_file *file)
{
    g_autofree char *path = g_build_filename(v->set.dir, file->name, NULL);
    uint64_t bytes = 0;
    JET_ERR err = os_file_size_at(path, &bytes);
    if (err == JET_errFileNotFound)
        verify_fail(v, JET_errMissingFileToBackup, path, 0, "named by the manifest, not there");
    else if (err < 0)
        verify_fail(v, err, path, 0, "cannot be read");
    else if (bytes != file->size)
        verify_fail(v, JET_errMissingFileToBackup, path, bytes, "not of the size in the manifest");
}

JET_ERR
verify_manifest(struct verify *v)
{
    g_autofree char *path = g_build_filename(v->set.dir, MANIFEST_NAME, NULL);
    JET_ERR err = manifest_load(path, &v->manifest);
    if (err == JET_errFileNotFound)
        return JET_errSuccess;
    if (err == JET_errInvalidBackup) {
        verify_fail(v, err, path, 0, "manifest cannot be read");
        return JET_errSuccess;
    }
    if (err < 0)
        return err;
    for (size_t i = 0; i < v->manifest.n_files; i++)
        if (v->manifest.files[i].kind != JETX_fileGenerated)
            check_file(v, &v->manifest.files[i]);
    return JET_errSuccess;
}
