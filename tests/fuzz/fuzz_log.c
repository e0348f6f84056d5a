/* SPDX-License-Identifier: MIT */
/*
 * fuzz_log: the parsers of the log layer over arbitrary bytes. They may refuse, never read outside,
 * and what decodes encodes to the same bytes.
 *
 * The first byte chooses: 0 one record, 1 a ReplaceD diff, 2 an attach list, 3 a checkpoint, 4 a
 * log header, else a log file whose segments are stamped, so that the fuzzer gets past the
 * checksums.
 */
#include <string.h>

#include "fuzz.h"
#include "log/attach.h"
#include "log/checkpoint.h"
#include "log/filehdr.h"
#include "log/reader.h"
#include "log/record.h"
#include "log/segment.h"
#include "page/checksum.h"

static void
one_record(const uint8_t *data, size_t len)
{
    struct lr lr;
    size_t size;
    if (lr_decode(data, len, &lr, &size) < 0)
        return;
    FUZZ_HOLDS(size <= len);
    if (lr.type == LR_SCRUB || lr.type == LR_PAGE_MOVE || lr.type == LR_PAGE_PATCH ||
        strcmp(lr_type_name(lr.type), "?") == 0 || size > 70000)
        return;
    static const uint8_t only_measured[] = {
        LR_JET_OP,         LR_SHRINK_DB,        LR_SHRINK_DB2,  LR_TRIM_DB,      LR_SHRINK_DB3,
        LR_ROOT_PAGE_MOVE, LR_SIGNAL_ATTACH_DB, LR_SCAN_CHECK2, LR_EXTENT_FREED, LR_EXTENT_FREED2};
    if (memchr(only_measured, lr.type, sizeof(only_measured)))
        return;
    g_autofree uint8_t *back = g_malloc(size);
    FUZZ_HOLDS(lr_encode_flat(&lr, back, size) == size);
    FUZZ_HOLDS(memcmp(back, data, size) == 0);
}

static void
one_diff(const uint8_t *data, size_t len)
{
    uint8_t old[300], out[512];
    size_t n;
    memset(old, 'x', sizeof(old));
    if (len < 3)
        return;
    struct lr lr = {.type = LR_REPLACE_D,
                    .replace = {.old_len = sizeof(old),
                                .new_len = le16_get(data),
                                .wide = data[2] & 1,
                                .data = span_of(data + 3, len - 3)}};
    if (lr_apply_diff(&lr, span_of(old, sizeof(old)), out, sizeof(out), &n) >= 0)
        FUZZ_HOLDS(n <= sizeof(out) && n == lr.replace.new_len);
}

static void
one_list(const uint8_t *data, size_t len)
{
    struct cursor c = cursor_over(data, len);
    struct attach_info info;
    while (attach_next(&c, &info) == 1)
        attach_info_clear(&info);
}

static void
one_block(const uint8_t *data, size_t len, bool header)
{
    uint8_t block[4096] = {0};
    memcpy(block, data, len < sizeof(block) ? len : sizeof(block));
    le32_put(block, checksum_header(block, sizeof(block)));
    if (header) {
        struct log_filehdr h;
        if (log_filehdr_decode(block, &h) >= 0)
            one_list(h.attach, sizeof(h.attach));
    } else {
        struct checkpoint cp;
        if (checkpoint_decode(block, &cp) >= 0)
            one_list(cp.attach, sizeof(cp.attach));
    }
}

static void
one_file(const uint8_t *data, size_t len)
{
    uint16_t segments = (uint16_t)(3 + len / (SEGMENT_BYTES - SEGMENT_HEADER_BYTES));
    if (segments > 40)
        return;
    g_autofree uint8_t *file = g_malloc0((size_t)segments * SEGMENT_BYTES);
    struct log_filehdr h = {.gen = 1,
                            .segments = segments,
                            .page_bytes = 4096,
                            .major = 8,
                            .minor = 4000,
                            .update_major = 5,
                            .update_minor = 16};
    log_filehdr_encode(&h, file);
    for (uint16_t i = 1; len > 0; i++) {
        size_t n = MIN(len, (size_t)SEGMENT_BYTES - SEGMENT_HEADER_BYTES);
        memcpy(file + i * SEGMENT_BYTES + SEGMENT_HEADER_BYTES, data, n);
        segment_stamp(file + i * SEGMENT_BYTES, 1, i, 7);
        data += n;
        len -= n;
    }
    struct log_reader *r;
    struct log_reader_opts opts = {.last = true};
    if (log_reader_open_bytes(file, (size_t)segments * SEGMENT_BYTES, &opts, &r) < 0)
        return;
    struct span rec;
    struct lgpos pos, before = LGPOS_MIN;
    while (log_reader_next(r, &rec, &pos) == 1) {
        FUZZ_HOLDS(lgpos_cmp(before, pos) < 0);
        before = pos;
        one_record(rec.data, rec.len);
    }
    log_reader_close(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 1)
        return 0;
    uint8_t what = data[0];
    data++;
    len--;
    switch (what) {
    case 0:
        one_record(data, len);
        break;
    case 1:
        one_diff(data, len);
        break;
    case 2:
        one_list(data, len);
        break;
    case 3:
    case 4:
        one_block(data, len, what == 4);
        break;
    default:
        one_file(data, len);
    }
    return 0;
}

static uint8_t *
corpus_log(gsize *len)
{
    static char *data;
    static gsize n;
    if (!data && !g_file_get_contents(CORPUS_DIR "/logs/edb.log", &data, &n, NULL))
        return NULL;
    *len = n;
    return (uint8_t *)data;
}

/* The real log's header; then, of every seventh place, a file of three segments, a record, a diff.
 */
bool
fuzz_seed(unsigned i, GByteArray *out)
{
    static const uint8_t tiny[] = {5, 8, 1, 0, 16, 4, 0, 0, 0, 9, 1, 0, 0, 8, 0, 0, 0, 23};
    gsize len = 0;
    const uint8_t *log = corpus_log(&len);
    if (i == 0) {
        g_byte_array_append(out, tiny, sizeof(tiny));
        return true;
    }
    if (!log || i > 45)
        return false;
    uint8_t kind = i == 1 ? 4 : (uint8_t)((uint8_t[]) {5, 0, 1}[i % 3]);
    g_byte_array_append(out, &kind, 1);
    gsize at = i == 1 ? 0 : (1 + i / 3 * 7) * (gsize)SEGMENT_BYTES;
    if (kind != 5) {
        gsize from = i == 1 ? 0 : SEGMENT_HEADER_BYTES;
        g_byte_array_append(out, log + at + from, i == 1 ? 4096 : 400);
    }
    for (int k = 0; kind == 5 && k < 3; k++)
        g_byte_array_append(out, log + at + k * SEGMENT_BYTES + SEGMENT_HEADER_BYTES,
                            SEGMENT_BYTES - SEGMENT_HEADER_BYTES);
    return true;
}
