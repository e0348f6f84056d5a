/* SPDX-License-Identifier: MIT */
#include "backup/frozen_reader.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "log/segment.h"
#include "os/file.h"
#include "page/checksum.h"
#include "page/page.h"

#define LOG_CHUNK (16 * SEGMENT_BYTES)

struct frozen_reader {
    struct frozen_file file;
    const uint8_t *map; /* of the bitmap, or NULL */
    size_t map_bytes;
    uint64_t head_bytes, tail_at; /* of a database: where base pages begin and end */
    bool verify_segments;
};

void
frozen_file_clear(struct frozen_file *file)
{
    int *fds[] = {&file->base_fd, &file->preimage_fd, &file->bitmap_fd};
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
        if (*fds[i] >= 0)
            close(*fds[i]);
    g_clear_pointer(&file->head, g_bytes_unref);
    g_clear_pointer(&file->tail, g_bytes_unref);
    *file = FROZEN_FILE_NONE;
}

void
frozen_reader_free(struct frozen_reader *reader)
{
    if (!reader)
        return;
    if (reader->map)
        munmap((void *)reader->map, reader->map_bytes);
    frozen_file_clear(&reader->file);
    g_free(reader);
}

/* All len bytes. */
static JET_ERR
read_fd(int fd, uint64_t at, void *buf, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pread(fd, (uint8_t *)buf + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return os_error(errno);
        if (n == 0)
            return JET_errFileIOBeyondEOF;
        done += (size_t)n;
    }
    return JET_errSuccess;
}

static JET_ERR
map_bitmap(struct frozen_reader *reader)
{
    reader->map_bytes = frozen_bitmap_bytes(reader->file.pgno_last);
    if (lseek(reader->file.bitmap_fd, 0, SEEK_END) < (off_t)reader->map_bytes)
        return JET_errInvalidParameter;
    void *map = mmap(NULL, reader->map_bytes, PROT_READ, MAP_SHARED, reader->file.bitmap_fd, 0);
    if (map == MAP_FAILED)
        return JET_errOutOfMemory;
    reader->map = map;
    return JET_errSuccess;
}

/* What came from another process must fit together before it is used. */
static JET_ERR
check_parts(const struct frozen_file *f)
{
    size_t head = f->head ? g_bytes_get_size(f->head) : 0,
           tail = f->tail ? g_bytes_get_size(f->tail) : 0;
    bool ok = false;
    if (f->kind == JETX_fileGenerated)
        ok = head == f->size;
    else if (f->kind == JETX_fileLog)
        ok = f->base_fd >= 0;
    else if (f->kind == JETX_fileDatabase && page_size_valid(f->page_bytes) && f->base_fd >= 0)
        ok = head ? head == 2 * (size_t)f->page_bytes && tail == f->page_bytes &&
                        f->size == ((uint64_t)f->pgno_last + 3) * f->page_bytes
                  : tail == 0;
    return ok && (f->preimage_fd < 0 || f->bitmap_fd >= 0) ? JET_errSuccess
                                                           : JET_errInvalidParameter;
}

/* Logs of old Windows have 512-byte sectors and another checksum: those are served unseen. */
static bool
has_segments(int fd)
{
    uint8_t header[SEGMENT_BYTES];
    return read_fd(fd, 0, header, sizeof header) < 0 || le16_get(header + 8) == SEGMENT_BYTES;
}

JET_ERR
frozen_reader_new(struct frozen_file *file, struct frozen_reader **out)
{
    struct frozen_reader *reader = g_new0(struct frozen_reader, 1);
    reader->file = *file;
    *file = FROZEN_FILE_NONE;
    JET_ERR err = check_parts(&reader->file);
    if (err >= 0 && reader->file.bitmap_fd >= 0)
        err = map_bitmap(reader);
    if (err < 0) {
        frozen_reader_free(reader);
        return err;
    }
    struct frozen_file *f = &reader->file;
    reader->head_bytes = f->head ? g_bytes_get_size(f->head) : 0;
    reader->tail_at = f->size - (f->tail ? g_bytes_get_size(f->tail) : 0);
    reader->verify_segments = f->kind == JETX_fileLog && has_segments(f->base_fd);
    *out = reader;
    return JET_errSuccess;
}

uint64_t
frozen_reader_size(const struct frozen_reader *reader)
{
    return reader->file.size;
}

JET_ERR
frozen_reader_state(const struct frozen_reader *reader)
{
    if (!reader->map)
        return JET_errSuccess;
    return atomic_load_explicit((const _Atomic int32_t *)reader->map, memory_order_acquire);
}

static bool
was_overwritten(const struct frozen_reader *reader, uint32_t pgno)
{
    const _Atomic uint64_t *words = (const _Atomic uint64_t *)(reader->map + FROZEN_BITS_AT);
    return atomic_load_explicit(&words[pgno / 64], memory_order_acquire) >> pgno % 64 & 1;
}

/* Replaces those of the n pages in dst whose bit is set. */
static JET_ERR
read_preimages(struct frozen_reader *reader, uint32_t first, uint32_t n, uint8_t *dst)
{
    size_t page = reader->file.page_bytes;
    JET_ERR err = JET_errSuccess;
    atomic_thread_fence(memory_order_seq_cst); /* base first, then the bits */
    for (uint32_t i = 0, run; err >= 0 && i < n; i += run) {
        run = 1;
        if (!was_overwritten(reader, first + i))
            continue;
        while (i + run < n && was_overwritten(reader, first + i + run))
            run++;
        err = read_fd(reader->file.preimage_fd, (uint64_t)(first + i) * page, dst + i * page,
                      run * page);
    }
    return err;
}

/* n whole pages of a database, verified. */
static JET_ERR
read_pages(struct frozen_reader *reader, uint32_t first, uint32_t n, uint8_t *dst)
{
    size_t page = reader->file.page_bytes;
    JET_ERR err = read_fd(reader->file.base_fd, ((uint64_t)first + 1) * page, dst, n * page);
    if (err >= 0 && reader->file.preimage_fd >= 0)
        err = read_preimages(reader, first, n, dst);
    JET_ERR ended = frozen_reader_state(reader);
    if (err < 0 || ended < 0)
        return ended < 0 ? ended : err;
    for (uint32_t i = 0; i < n; i++) {
        bool repaired;
        err = page_verify(dst + i * page, (uint32_t)page, first + i, &repaired);
        if (err < 0 && err != JET_errPageNotInitialized)
            return err;
    }
    return JET_errSuccess;
}

/* Bytes of the base, at most to the end of the run that begins at ib: *got. */
static JET_ERR
read_base_run(struct frozen_reader *reader, uint64_t ib, uint8_t *buf, size_t cb, size_t *got)
{
    size_t page = reader->file.page_bytes, within = ib % page;
    uint32_t pgno = (uint32_t)(ib / page - 1);
    if (within == 0 && cb >= page) {
        uint32_t n = (uint32_t)(cb / page);
        *got = n * page;
        return read_pages(reader, pgno, n, buf);
    }
    uint8_t one[PAGE_BYTES_MAX] __attribute__((aligned(8)));
    JET_ERR err = read_pages(reader, pgno, 1, one);
    *got = MIN(cb, page - within);
    memcpy(buf, one + within, *got);
    return err;
}

static size_t
copy_bytes(GBytes *bytes, uint64_t at, void *buf, size_t cb)
{
    size_t size, n;
    const uint8_t *data = g_bytes_get_data(bytes, &size);
    n = (size_t)MIN((uint64_t)cb, size - at);
    memcpy(buf, data + at, n);
    return n;
}

/* One step of a database stream: within the header images, the pages, or the trailer. */
static JET_ERR
read_database(struct frozen_reader *reader, uint64_t ib, uint8_t *buf, size_t cb, size_t *got)
{
    struct frozen_file *f = &reader->file;
    uint64_t pages_at = 2 * (uint64_t)f->page_bytes;
    if (f->head && ib < reader->head_bytes) {
        *got = copy_bytes(f->head, ib, buf, cb);
        return frozen_reader_state(reader);
    }
    if (f->tail && ib >= reader->tail_at) {
        *got = copy_bytes(f->tail, ib - reader->tail_at, buf, cb);
        return frozen_reader_state(reader);
    }
    if (ib < pages_at || ib >= pages_at + (uint64_t)f->pgno_last * f->page_bytes) {
        uint64_t end = ib < pages_at ? pages_at : reader->tail_at;
        *got =
            (size_t)MIN((uint64_t)cb, end - ib); /* an offline file's own header, or its odd end */
        return read_fd(f->base_fd, ib, buf, *got);
    }
    uint64_t end = pages_at + (uint64_t)f->pgno_last * f->page_bytes;
    return read_base_run(reader, ib, buf, (size_t)MIN((uint64_t)cb, end - ib), got);
}

static bool
segment_is_good(const uint8_t *segment, uint64_t index)
{
    if (index == 0)
        return le32_get(segment) == checksum_header(segment, SEGMENT_BYTES);
    return segment_is_zero(segment) || segment_verify(segment, (uint16_t)index) ||
           segment_verify(segment, (uint16_t)(index - 1));
}

/* One chunk of a log: whole segments are read and verified, the wanted part of them is given. */
static JET_ERR
read_log(struct frozen_reader *reader, uint64_t ib, uint8_t *buf, size_t cb, size_t *got)
{
    uint64_t from = ib - ib % SEGMENT_BYTES;
    uint8_t chunk[LOG_CHUNK] __attribute__((aligned(8)));
    size_t len = (size_t)MIN(reader->file.size - from, (uint64_t)LOG_CHUNK);
    len = MIN(len, (ib - from + cb + SEGMENT_BYTES - 1) / SEGMENT_BYTES * SEGMENT_BYTES);
    JET_ERR err = read_fd(reader->file.base_fd, from, chunk, len);
    if (err < 0)
        return err;
    for (size_t at = 0; reader->verify_segments && at + SEGMENT_BYTES <= len; at += SEGMENT_BYTES)
        if (!segment_is_good(chunk + at, (from + at) / SEGMENT_BYTES))
            return JET_errLogReadVerifyFailure;
    *got = MIN(cb, len - (size_t)(ib - from));
    memcpy(buf, chunk + (ib - from), *got);
    return JET_errSuccess;
}

static JET_ERR
read_step(struct frozen_reader *reader, uint64_t ib, uint8_t *buf, size_t cb, size_t *got)
{
    switch (reader->file.kind) {
    case JETX_fileDatabase:
        return read_database(reader, ib, buf, cb, got);
    case JETX_fileLog:
        return read_log(reader, ib, buf, cb, got);
    default:
        *got = copy_bytes(reader->file.head, ib, buf, cb);
        return JET_errSuccess;
    }
}

JET_ERR
frozen_reader_read(struct frozen_reader *reader, uint64_t ib, void *buf, size_t cb, size_t *actual)
{
    uint64_t size = reader->file.size;
    size_t want = ib >= size ? 0 : (size_t)MIN((uint64_t)cb, size - ib);
    size_t done = 0;
    while (done < want) {
        size_t got = 0;
        JET_ERR err = read_step(reader, ib + done, (uint8_t *)buf + done, want - done, &got);
        if (err < 0)
            return err;
        done += got;
    }
    *actual = want;
    return frozen_reader_state(reader);
}

JET_ERR
frozen_reader_preserved(const struct frozen_reader *reader, uint32_t cells, uint32_t *pages)
{
    uint32_t last = reader->file.pgno_last;
    if (reader->file.kind != JETX_fileDatabase || cells == 0)
        return JET_errInvalidParameter;
    memset(pages, 0, cells * sizeof *pages);
    if (!reader->map)
        return JET_errSuccess;
    uint32_t stretch = (uint32_t)(((uint64_t)last + cells - 1) / cells);
    const _Atomic uint64_t *words = (const _Atomic uint64_t *)(reader->map + FROZEN_BITS_AT);
    for (uint32_t i = 0; i <= last / 64; i++) /* most words are 0; bits 0 and beyond last always */
        for (uint64_t word = atomic_load_explicit(&words[i], memory_order_relaxed); word != 0;
             word &= word - 1)
            pages[(i * 64 + (uint32_t)__builtin_ctzll(word) - 1) / stretch]++;
    return JET_errSuccess;
}
