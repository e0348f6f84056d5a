/* SPDX-License-Identifier: MIT */
/*
 * cut: what redo does not want must not come back to life, neither as records nor in the checksum
 * that the next generation's header has of this one.
 */
#include "log/cut.h"

#include <glib.h>
#include <string.h>

#include "log/reader.h"
#include "log/record.h"
#include "log/segment.h"
#include "log/whole.h"
#include "os/file.h"

#define NOP2_BYTES 5 /* type, length of what follows */

/* Records before ib stay; the segment keeps the time of its flush. */
static void
cut_segment(uint8_t *seg, struct lgpos pos)
{
    const size_t left = SEGMENT_BYTES - pos.ib;
    memset(seg + pos.ib, 0, left);
    if (left >= NOP2_BYTES) {
        seg[pos.ib] = LR_NOP2;
        le32_put(seg + pos.ib + 1, (uint32_t)(left - NOP2_BYTES));
    }
    segment_stamp(seg, pos.gen, pos.isec, segment_time(seg));
}

/* Of the mended image: what the scan took from a shadow is in its place. */
static JET_ERR
cut_image(const char *path, struct lgpos pos, uint8_t **image, size_t *len)
{
    const struct log_reader_opts opts = {.expect = {.gen = pos.gen}, .last = true};
    struct log_reader *reader;
    JET_ERR err = log_reader_open(path, &opts, &reader);
    if (err < 0)
        return err;
    const uint8_t *whole = log_reader_image(reader, len);
    *image = g_try_malloc(*len);
    if (*image)
        memcpy(*image, whole, *len);
    log_reader_close(reader);
    if (!*image)
        return JET_errOutOfMemory;
    size_t zero = (size_t)MAX(pos.isec, 1) * SEGMENT_BYTES;
    if (zero < *len && pos.ib > SEGMENT_HEADER_BYTES) {
        cut_segment(*image + zero, pos);
        zero += SEGMENT_BYTES;
    }
    if (zero < *len)
        memset(*image + zero, 0, *len - zero);
    return JET_errSuccess;
}

static JET_ERR
write_whole(const char *path, const uint8_t *data, size_t len)
{
    struct os_file *file;
    JET_ERR err = os_exists(path) ? os_remove(path) : JET_errSuccess;
    if (err >= 0)
        err = os_file_create(path, &file);
    if (err < 0)
        return err;
    err = os_file_write(file, 0, data, len);
    if (err >= 0)
        err = os_file_sync(file);
    os_file_close(file);
    return err;
}

JET_ERR
log_cut(const char *from, const char *to, struct lgpos pos)
{
    g_autofree uint8_t *image = NULL;
    g_autofree char *part = g_strconcat(to, ".part", NULL);
    g_autofree char *dir = g_path_get_dirname(to);
    size_t len;
    JET_ERR err =
        lgpos_is_zero(pos) ? whole_read(from, &image, &len) : cut_image(from, pos, &image, &len);
    if (err < 0)
        return err;
    err = write_whole(part, image, len);
    if (err >= 0)
        err = os_rename(part, to);
    if (err < 0) {
        (void)os_remove(part); /* the first error counts */
        return err;
    }
    return os_dir_sync(dir);
}
