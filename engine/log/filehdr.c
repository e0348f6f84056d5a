/* SPDX-License-Identifier: MIT */
/* filehdr: reading, decoding, encoding and checking of log file headers; the byte table is in
 * filehdr.h. */
#include "log/filehdr.h"

#include <string.h>

#include "os/file.h"
#include "page/checksum.h"

#define FILETYPE_LOG 3

static JET_ERR
check_version(const struct log_filehdr *hdr)
{
    if (hdr->major != LOG_VERSION_MAJOR || hdr->minor != LOG_VERSION_MINOR ||
        hdr->update_major > LOG_VERSION_READ_UPDATE)
        return JET_errBadLogVersion;
    return JET_errSuccess;
}

JET_ERR
log_filehdr_decode(const uint8_t in[LOG_HEADER_BYTES], struct log_filehdr *hdr)
{
    if (le32_get(in) != checksum_header(in, LOG_HEADER_BYTES))
        return JET_errLogFileCorrupt;
    struct log_filehdr h = {
        .gen = (int32_t)le32_get(in + 4),
        .segments = le16_get(in + 12),
        .page_bytes = le16_get(in + 14),
        .created = le64_get(in + 16),
        .prev_created = le64_get(in + 24),
        .major = le32_get(in + 32),
        .minor = le32_get(in + 36),
        .update_major = le32_get(in + 40),
        .flags = in[639],
        .checkpoint = lgpos_get(in + 640),
        .update_minor = le32_get(in + 648),
        .disk_sec_mismatch = in[652],
        .prev_checksum = le64_get(in + 653),
        .efv_engine = le32_get(in + 661),
    };
    memcpy(h.signature, in + 44, SIGNATURE_BYTES);
    memcpy(h.dbms_param, in + 72, DBMS_PARAM_BYTES);
    memcpy(h.attach, in + 671, ATTACH_LIST_BYTES);
    JET_ERR err = check_version(&h);
    if (err < 0)
        return err;
    if (le32_get(in + 667) != FILETYPE_LOG)
        return JET_errFileInvalidType;
    if (le16_get(in + 8) != LOG_SEGMENT_BYTES)
        return JET_errLogSectorSizeMismatch;
    if (le16_get(in + 10) != 1 || h.segments < 3 || h.gen < 1)
        return JET_errLogFileCorrupt;
    if (h.page_bytes == 0)
        h.page_bytes = 4096;
    *hdr = h;
    return JET_errSuccess;
}

void
log_filehdr_encode(const struct log_filehdr *hdr, uint8_t out[LOG_HEADER_BYTES])
{
    memset(out, 0, LOG_HEADER_BYTES);
    le32_put(out + 4, (uint32_t)hdr->gen);
    le16_put(out + 8, LOG_SEGMENT_BYTES);
    le16_put(out + 10, 1);
    le16_put(out + 12, hdr->segments);
    le16_put(out + 14, hdr->page_bytes);
    le64_put(out + 16, hdr->created);
    le64_put(out + 24, hdr->prev_created);
    le32_put(out + 32, hdr->major);
    le32_put(out + 36, hdr->minor);
    le32_put(out + 40, hdr->update_major);
    memcpy(out + 44, hdr->signature, SIGNATURE_BYTES);
    memcpy(out + 72, hdr->dbms_param, DBMS_PARAM_BYTES);
    out[639] = hdr->flags;
    lgpos_put(out + 640, hdr->checkpoint);
    le32_put(out + 648, hdr->update_minor);
    out[652] = hdr->disk_sec_mismatch;
    le64_put(out + 653, hdr->prev_checksum);
    le32_put(out + 661, hdr->efv_engine);
    le32_put(out + 667, FILETYPE_LOG);
    memcpy(out + 671, hdr->attach, ATTACH_LIST_BYTES);
    le32_put(out, checksum_header(out, LOG_HEADER_BYTES));
}

JET_ERR
log_filehdr_check(const struct log_filehdr *hdr, const struct log_filehdr_expect *expect)
{
    if (expect->gen != 0 && hdr->gen != expect->gen)
        return JET_errLogGenerationMismatch;
    if (expect->signature && memcmp(hdr->signature, expect->signature, SIGNATURE_BYTES) != 0)
        return JET_errBadLogSignature;
    if (expect->page_bytes != 0 && hdr->page_bytes != (uint16_t)expect->page_bytes)
        return JET_errPageSizeMismatch;
    if (expect->file_bytes != 0 &&
        expect->file_bytes != (uint64_t)hdr->segments * LOG_SEGMENT_BYTES)
        return JET_errLogFileSizeMismatch;
    return JET_errSuccess;
}

JET_ERR
log_filehdr_read(const char *path, struct log_filehdr *hdr)
{
    uint8_t image[LOG_HEADER_BYTES];
    struct os_file *file;
    JET_ERR err = os_file_open(path, OS_OPEN_READ, &file);
    if (err < 0)
        return err;
    err = os_file_read(file, 0, image, sizeof image);
    os_file_close(file);
    if (err == JET_errFileIOBeyondEOF)
        return JET_errLogFileCorrupt;
    return err < 0 ? err : log_filehdr_decode(image, hdr);
}
