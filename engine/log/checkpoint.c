/* SPDX-License-Identifier: MIT */
/* checkpoint: the checkpoint file; the byte table is in checkpoint.h. */
#include "log/checkpoint.h"

#include <glib.h>
#include <string.h>

#include "log/whole.h"
#include "os/file.h"
#include "page/checksum.h"

#define FILETYPE_CHECKPOINT 4

JET_ERR
checkpoint_decode(const uint8_t in[CHECKPOINT_COPY_BYTES], struct checkpoint *cp)
{
    if (le32_get(in) != checksum_header(in, CHECKPOINT_COPY_BYTES))
        return JET_errCheckpointCorrupt;
    if (le32_get(in + 667) != FILETYPE_CHECKPOINT)
        return JET_errFileInvalidType;
    *cp = (struct checkpoint) {
        .last_full_backup_checkpoint = lgpos_get(in + 4),
        .checkpoint = lgpos_get(in + 12),
        .full_backup = lgpos_get(in + 615),
        .full_backup_time = le64_get(in + 623),
        .inc_backup = lgpos_get(in + 631),
        .inc_backup_time = le64_get(in + 639),
        .attach_valid = in[647] & 1,
        .db_consistency = lgpos_get(in + 648),
    };
    memcpy(cp->signature, in + 20, SIGNATURE_BYTES);
    memcpy(cp->dbms_param, in + 48, DBMS_PARAM_BYTES);
    memcpy(cp->attach, in + 679, ATTACH_LIST_BYTES);
    return JET_errSuccess;
}

void
checkpoint_encode(const struct checkpoint *cp, uint8_t out[CHECKPOINT_COPY_BYTES])
{
    memset(out, 0, CHECKPOINT_COPY_BYTES);
    lgpos_put(out + 4, cp->last_full_backup_checkpoint);
    lgpos_put(out + 12, cp->checkpoint);
    memcpy(out + 20, cp->signature, SIGNATURE_BYTES);
    memcpy(out + 48, cp->dbms_param, DBMS_PARAM_BYTES);
    lgpos_put(out + 615, cp->full_backup);
    le64_put(out + 623, cp->full_backup_time);
    lgpos_put(out + 631, cp->inc_backup);
    le64_put(out + 639, cp->inc_backup_time);
    out[647] = cp->attach_valid;
    lgpos_put(out + 648, cp->db_consistency);
    le32_put(out + 667, FILETYPE_CHECKPOINT);
    memcpy(out + 679, cp->attach, ATTACH_LIST_BYTES);
    le32_put(out, checksum_header(out, CHECKPOINT_COPY_BYTES));
}

JET_ERR
checkpoint_read(const char *path, const uint8_t *signature, struct checkpoint *cp)
{
    g_autofree uint8_t *data = NULL;
    size_t len = 0;
    JET_ERR err = whole_read(path, &data, &len);
    if (err == JET_errFileNotFound || err == JET_errInvalidPath)
        return JET_errCheckpointFileNotFound;
    if (err < 0)
        return err;
    struct checkpoint found;
    err = len >= CHECKPOINT_COPY_BYTES ? checkpoint_decode(data, &found) : JET_errCheckpointCorrupt;
    if (err == JET_errCheckpointCorrupt && len >= CHECKPOINT_BYTES)
        err = checkpoint_decode(data + CHECKPOINT_COPY_BYTES, &found);
    if (err < 0)
        return err;
    if (signature && memcmp(signature, found.signature, SIGNATURE_BYTES) != 0)
        return JET_errBadCheckpointSignature;
    *cp = found;
    return JET_errSuccess;
}

static JET_ERR
write_copies(struct os_file *f, const uint8_t copy[CHECKPOINT_COPY_BYTES])
{
    for (uint64_t at = 0; at < CHECKPOINT_BYTES; at += CHECKPOINT_COPY_BYTES) {
        JET_ERR err = os_file_write(f, at, copy, CHECKPOINT_COPY_BYTES);
        if (err < 0)
            return err;
        err = os_file_sync(f);
        if (err < 0)
            return err;
    }
    return JET_errSuccess;
}

JET_ERR
checkpoint_write(const char *path, const struct checkpoint *cp)
{
    uint8_t copy[CHECKPOINT_COPY_BYTES];
    checkpoint_encode(cp, copy);
    struct os_file *f;
    JET_ERR err = os_file_open(path, OS_OPEN_WRITE, &f);
    bool fresh = err == JET_errFileNotFound;
    if (fresh)
        err = os_file_create(path, &f);
    if (err < 0)
        return err;
    err = write_copies(f, copy);
    os_file_close(f);
    if (err < 0 || !fresh)
        return err;
    g_autofree char *dir = g_path_get_dirname(path);
    return os_dir_sync(dir);
}
