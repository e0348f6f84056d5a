/* SPDX-License-Identifier: MIT */
#include "log/header_file.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "os/file.h"
#include "page/checksum.h"
#include "page/dbheader.h"

#define FILETYPE_AT 667
#define HEAD_MAX    (2 * 32768) /* both copies of the largest page */

struct head {
    uint8_t bytes[HEAD_MAX];
    size_t len;
    JETX_HEADER h; /* all but the fields */
    struct fields *fields;
};

static void
problem(struct head *f, const char *text)
{
    if (f->h.szProblem[0] == '\0')
        g_strlcpy(f->h.szProblem, text, sizeof f->h.szProblem);
}

/* ---- what else it may be ---- */

/* What is encrypted or compressed has nearly all values of a byte in its first 4096; our headers
 * have far fewer. */
static bool
looks_random(const uint8_t *data, size_t len)
{
    bool seen[256] = {false};
    unsigned values = 0;
    for (size_t i = 0; i < len; i++) {
        values += !seen[data[i]];
        seen[data[i]] = true;
    }
    return values > 240;
}

static bool
begins(const struct head *f, const char *magic, size_t n)
{
    return f->len >= n && memcmp(f->bytes, magic, n) == 0;
}

static JET_ERR
is_nothing_of_ours(struct head *f)
{
    uint32_t type = f->len >= FILETYPE_AT + 4 ? le32_get(f->bytes + FILETYPE_AT) : 0;
    size_t head = MIN(f->len, (size_t)4096);
    f->h.filetype = JET_filetypeUnknown;
    if (f->len == 0)
        problem(f, "the file is empty");
    else if (begins(f, "SQLite format 3", 15))
        problem(f, "this is an SQLite database");
    else if (begins(f, "\x1f\x8b", 2) || begins(f, "\x28\xb5\x2f\xfd", 4) || begins(f, "PK", 2))
        problem(f, "the file is compressed: unpack it first");
    else if (f->len < 4096)
        problem(f, "the file is too short for a header");
    else if (checksum_is_zero(f->bytes, 4096))
        problem(f, "the header is all zeros: it was never written, or wiped");
    else if (type == JET_filetypeFlushMap)
        problem(f, "this is a flush map (.jfm), which carries no data");
    else if (looks_random(f->bytes, head))
        problem(f, "neither database, log nor checkpoint; it looks encrypted or compressed");
    else
        problem(f, "neither database, log nor checkpoint");
    return JET_errFileInvalidType;
}

/* ---- databases ---- */

static bool
is_db_header(const struct head *f, size_t at)
{
    return at + 4096 <= f->len && le32_get(f->bytes + at + 4) == DBHEADER_MAGIC;
}

static uint32_t
sane_page(uint32_t bytes)
{
    return bytes == 2048 || bytes == 4096 || bytes == 8192 || bytes == 16384 || bytes == 32768
               ? bytes
               : 0;
}

/* The page size, of the first header or, when that is gone, of the second. 0: no database. */
static uint32_t
find_page_bytes(const struct head *f)
{
    if (is_db_header(f, 0)) {
        uint32_t bytes = le32_get(f->bytes + DBH_PAGE_BYTES);
        if (bytes == 0 || sane_page(bytes))
            return bytes ? bytes : 4096;
    }
    for (uint32_t bytes = 2048; bytes <= 32768; bytes *= 2) {
        uint32_t said = is_db_header(f, bytes) ? le32_get(f->bytes + bytes + DBH_PAGE_BYTES) : 1;
        if (said == bytes || (said == 0 && bytes == 4096))
            return bytes;
    }
    return is_db_header(f, 0) ? 4096 : 0;
}

static JET_ERR
check_db_copy(const struct head *f, size_t at, uint32_t page)
{
    if (at + page > f->len)
        return JET_errFileIOBeyondEOF;
    if (le32_get(f->bytes + at) != checksum_header(f->bytes + at, page))
        return JET_errReadVerifyFailure;
    return is_db_header(f, at) ? JET_errSuccess : JET_errDatabaseCorrupted;
}

static void
judge_copies(struct head *f, size_t page)
{
    JET_ERR *err = f->h.errCopy;
    f->h.iCopy = err[0] < 0 && err[1] >= 0;
    f->h.fCopiesDiffer = err[0] >= 0 && err[1] >= 0 && memcmp(f->bytes, f->bytes + page, page) != 0;
    if (err[0] < 0 && err[1] < 0)
        problem(f, "both copies of the header are damaged: fields may be wrong");
    else if (err[0] < 0)
        problem(f, "the first copy of the header is damaged or torn; the second one is shown");
    else if (err[1] < 0)
        problem(f, "the second copy of the header is damaged, torn or missing");
    else if (f->h.fCopiesDiffer)
        problem(f, "the two copies of the header differ: a write was interrupted between them");
}

static void
judge_version(struct head *f, const struct dbheader *h)
{
    uint32_t version = dbheader_u32(h, DBH_VERSION), update = dbheader_u32(h, DBH_UPDATE_MAJOR);
    char text[128];
    if (version == DBHEADER_VERSION && update <= DBHEADER_UPDATE_MAX)
        return;
    snprintf(text, sizeof text, "format 0x%x,%u is %s than what this engine reads (0x620,%u)",
             version, update, version < DBHEADER_VERSION ? "older" : "newer", DBHEADER_UPDATE_MAX);
    problem(f, text);
}

static void
read_database(struct head *f, uint32_t page)
{
    struct dbheader h;
    f->h.filetype = JET_filetypeDatabase;
    f->h.errCopy[0] = check_db_copy(f, 0, page);
    f->h.errCopy[1] = check_db_copy(f, page, page);
    judge_copies(f, page);
    memcpy(h.bytes, f->bytes + (f->h.iCopy ? page : 0), sizeof h.bytes);
    judge_version(f, &h);
    if (f->h.cbFile % page != 0)
        problem(f, "the file is not a whole number of pages: its end was cut off");
    dbheader_fields(&h, f->fields);
}

/* ---- logs, checkpoints ---- */

static bool
is_old_log(const struct head *f)
{
    uint16_t sector = f->len >= 4096 ? le16_get(f->bytes + 8) : 0;
    uint32_t major = f->len >= 4096 ? le32_get(f->bytes + 32) : 0;
    return major >= 5 && major < LOG_VERSION_MAJOR && sector >= 512 && sector <= 4096 &&
           (sector & (sector - 1)) == 0;
}

static void
read_log(struct head *f)
{
    struct log_filehdr hdr;
    char text[128];
    f->h.filetype = JET_filetypeLog;
    f->h.errCopy[0] = f->h.errCopy[1] = log_filehdr_decode(f->bytes, &hdr);
    uint64_t want = (uint64_t)le16_get(f->bytes + 12) * le16_get(f->bytes + 8);
    if (f->h.errCopy[0] == JET_errBadLogVersion) {
        bool older = le32_get(f->bytes + 32) < LOG_VERSION_MAJOR;
        snprintf(text, sizeof text, "log format %u.%u.%u is %s than what this engine reads",
                 le32_get(f->bytes + 32), le32_get(f->bytes + 36), le32_get(f->bytes + 40),
                 older ? "older" : "newer");
        problem(f, text);
    } else if (f->h.errCopy[0] < 0) {
        problem(f, "the header is damaged: fields may be wrong");
    }
    if (want != f->h.cbFile) {
        snprintf(text, sizeof text,
                 "the file has %" G_GUINT64_FORMAT " bytes, its header says %" G_GUINT64_FORMAT,
                 f->h.cbFile, want);
        problem(f, text);
        if (f->h.errCopy[0] >= 0)
            f->h.errCopy[0] = f->h.errCopy[1] = JET_errLogFileSizeMismatch;
    }
    log_header_fields(f->bytes, f->fields);
}

static void
read_checkpoint(struct head *f)
{
    struct checkpoint cp;
    f->h.filetype = JET_filetypeCheckpoint;
    f->h.errCopy[0] = checkpoint_decode(f->bytes, &cp);
    f->h.errCopy[1] = f->len < CHECKPOINT_BYTES
                          ? JET_errFileIOBeyondEOF
                          : checkpoint_decode(f->bytes + CHECKPOINT_COPY_BYTES, &cp);
    judge_copies(f, CHECKPOINT_COPY_BYTES);
    checkpoint_fields(f->bytes + (f->h.iCopy ? CHECKPOINT_COPY_BYTES : 0), f->fields);
}

/* ---- the file ---- */

static JET_ERR
read_head(const char *path, struct head *f)
{
    struct os_file *file;
    JET_ERR err = os_file_open(path, OS_OPEN_READ, &file);
    if (err < 0)
        return err;
    err = os_file_size(file, &f->h.cbFile);
    if (err >= 0)
        err = os_file_read_some(file, 0, f->bytes, sizeof f->bytes, &f->len);
    os_file_close(file);
    return err;
}

static JET_ERR
judge(struct head *f)
{
    uint32_t page = find_page_bytes(f);
    if (page > 0) {
        read_database(f, page);
        return JET_errSuccess;
    }
    if (f->len < 4096 || checksum_is_zero(f->bytes, 4096))
        return is_nothing_of_ours(f);
    uint32_t type = le32_get(f->bytes + FILETYPE_AT);
    bool second = f->len >= CHECKPOINT_BYTES && le32_get(f->bytes + CHECKPOINT_COPY_BYTES +
                                                         FILETYPE_AT) == JET_filetypeCheckpoint;
    if (type == JET_filetypeLog || is_old_log(f))
        read_log(f);
    else if (type == JET_filetypeCheckpoint || (second && f->h.cbFile == CHECKPOINT_BYTES))
        read_checkpoint(f);
    else
        return is_nothing_of_ours(f);
    return JET_errSuccess;
}

JET_ERR
header_file_read(const char *path, JETX_HEADER **out)
{
    g_autofree struct head *f = g_try_new0(struct head, 1);
    if (!f)
        return JET_errOutOfMemory;
    JET_ERR err = read_head(path, f);
    if (err < 0)
        return err;
    f->fields = fields_new();
    f->h.cbStruct = sizeof f->h;
    err = judge(f);
    const JETX_FIELD *list;
    uint32_t n;
    JETX_HEADER *header = fields_pack(f->fields, sizeof f->h, &list, &n);
    fields_free(f->fields);
    if (!header)
        return JET_errOutOfMemory;
    *header = f->h;
    header->rgField = list;
    header->cField = n;
    *out = header;
    return err;
}
