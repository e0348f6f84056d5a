/* SPDX-License-Identifier: MIT */
#include "log/whole.h"

#include <glib.h>

#include "os/file.h"

JET_ERR
whole_read(const char *path, uint8_t **data, size_t *len)
{
    struct os_file *f;
    JET_ERR err = os_file_open(path, OS_OPEN_READ, &f);
    if (err < 0)
        return err;
    uint64_t bytes = 0;
    uint8_t *p = NULL;
    err = os_file_size(f, &bytes);
    if (err >= 0 && !(p = g_try_malloc(bytes + 1)))
        err = JET_errOutOfMemory;
    if (err >= 0 && bytes > 0)
        err = os_file_read(f, 0, p, bytes);
    os_file_close(f);
    if (err < 0) {
        g_free(p);
        return err;
    }
    *data = p;
    *len = bytes;
    return JET_errSuccess;
}

JET_ERR
whole_mend(const char *path, uint64_t offset, const void *data, size_t len)
{
    struct os_file *f;
    JET_ERR err = os_file_open(path, OS_OPEN_WRITE, &f);
    if (err < 0)
        return err;
    err = os_file_write(f, offset, data, len);
    if (err >= 0)
        err = os_file_sync(f);
    os_file_close(f);
    return err;
}
