/* SPDX-License-Identifier: MIT */
#include "backup/image.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/file.h"

#define RUN_BYTES (1u << 20) /* old images are read and written in runs of at most this */

/* The same open file, read-only: what readers, perhaps in another process, may get. */
static JET_ERR
reopen_readonly(int fd, int *out)
{
    char path[64];
    g_snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int ro = open(path, O_RDONLY | O_CLOEXEC);
    if (ro < 0)
        return os_error(errno);
    *out = ro;
    return JET_errSuccess;
}

JET_ERR
image_prepare(struct image *image, struct dbfile *file, const char *dir)
{
    memset(image, 0, sizeof *image);
    image->base_fd = image->side_fd = image->bitmap_fd = -1;
    image->file = file;
    image->page_bytes = dbfile_page_bytes(file);
    image->copy = g_try_malloc(RUN_BYTES);
    if (!image->copy)
        return JET_errOutOfMemory;
    g_autofree char *beside = g_path_get_dirname(dbfile_path(file));
    JET_ERR err = os_file_create_unnamed(dir[0] ? dir : beside, &image->side);
    if (err >= 0)
        err = reopen_readonly(os_file_fd(image->side), &image->side_fd);
    if (err >= 0)
        err = reopen_readonly(os_file_fd(dbfile_os_file(file)), &image->base_fd);
    return err;
}

static JET_ERR
make_bitmap(struct image *image)
{
    image->map_bytes = frozen_bitmap_bytes(image->pgno_last);
    int fd = memfd_create("jetfs-frozen", MFD_CLOEXEC);
    if (fd < 0)
        return os_error(errno);
    JET_ERR err = ftruncate(fd, (off_t)image->map_bytes) == 0 ? JET_errSuccess : os_error(errno);
    if (err >= 0)
        err = reopen_readonly(fd, &image->bitmap_fd);
    void *map = err >= 0 ? mmap(NULL, image->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                         : MAP_FAILED;
    close(fd);
    if (err >= 0 && map == MAP_FAILED)
        err = JET_errOutOfMemory;
    if (err >= 0)
        image->map = map;
    return err;
}

/* The copy must not ask for a log that it does not come with. */
static void
limit_generations(struct dbheader *header, uint32_t gen_high, uint64_t time_high)
{
    if (dbheader_u32(header, DBH_GEN_MAX_REQUIRED) > gen_high)
        dbheader_set_u32(header, DBH_GEN_MAX_REQUIRED, gen_high);
    if (dbheader_u32(header, DBH_GEN_MAX_COMMITTED) > gen_high) {
        dbheader_set_u32(header, DBH_GEN_MAX_COMMITTED, gen_high);
        dbheader_set_u64(header, DBH_TIME_GEN_MAX_CREATE, time_high);
    }
}

JET_ERR
image_freeze(struct image *image, const struct bkinfo *bk, uint64_t time_high)
{
    image->pgno_last = dbfile_pgno_last(image->file);
    dbfile_header(image->file, &image->header);
    limit_generations(&image->header, bk->gen_high, time_high);
    JET_ERR err = make_bitmap(image);
    if (err < 0)
        return err;
    size_t page = image->page_bytes;
    uint8_t *head = g_try_malloc(3 * page);
    if (!head)
        return JET_errOutOfMemory;
    marks_header_image(&image->header, bk, head, (uint32_t)page);
    memcpy(head + page, head, page);
    memcpy(image->header.bytes, head, sizeof image->header.bytes);
    marks_trailer_image(&image->header, bk, head + 2 * page, (uint32_t)page);
    image->head = g_bytes_new(head, 2 * page);
    image->tail = g_bytes_new(head + 2 * page, page);
    g_free(head);
    image->cloned =
        ioctl(os_file_fd(image->side), FICLONE, os_file_fd(dbfile_os_file(image->file))) == 0;
    return JET_errSuccess;
}

static _Atomic uint64_t *
word_of(const struct image *image, uint32_t pgno)
{
    return (_Atomic uint64_t *)(image->map + FROZEN_BITS_AT) + pgno / 64;
}

/* Does this page still need to be put aside? Only the writer sets bits, so it may look without
 * order. */
static bool
needs_saving(const struct image *image, uint32_t pgno)
{
    uint64_t word = atomic_load_explicit(word_of(image, pgno), memory_order_relaxed);
    return pgno <= image->pgno_last && !(word >> pgno % 64 & 1);
}

static JET_ERR
save_run(struct image *image, uint32_t first, uint32_t n)
{
    size_t len = (size_t)n * image->page_bytes;
    JET_ERR err = os_file_read(dbfile_os_file(image->file),
                               ((uint64_t)first + 1) * image->page_bytes, image->copy, len);
    if (err >= 0)
        err = os_file_write(image->side, (uint64_t)first * image->page_bytes, image->copy, len);
    for (uint32_t i = 0; err >= 0 && i < n; i++)
        atomic_fetch_or_explicit(word_of(image, first + i), UINT64_C(1) << (first + i) % 64,
                                 memory_order_release);
    if (err >= 0)
        image->pages_saved += n;
    return err;
}

JET_ERR
image_save(struct image *image, const uint32_t *pgnos, size_t n, uint64_t room, uint64_t *bytes)
{
    if (image->cloned)
        return JET_errSuccess;
    uint32_t run_max = RUN_BYTES / image->page_bytes;
    uint64_t used = 0;
    for (size_t i = 0, run; i < n && pgnos[i] <= image->pgno_last; i += run) {
        run = 1;
        if (!needs_saving(image, pgnos[i]))
            continue;
        while (i + run < n && run < run_max && pgnos[i + run] == pgnos[i] + run &&
               needs_saving(image, pgnos[i + run]))
            run++;
        used += run * image->page_bytes;
        JET_ERR err =
            used > room ? JET_errBackupAbortByServer : save_run(image, pgnos[i], (uint32_t)run);
        if (err < 0)
            return err;
        *bytes += run * image->page_bytes;
    }
    return JET_errSuccess;
}

void
image_kill(struct image *image, JET_ERR err)
{
    int32_t alive = 0;
    if (!image->map)
        return;
    atomic_compare_exchange_strong((_Atomic int32_t *)image->map, &alive, err);
    (void)os_file_truncate(image->side, 0);
}

static JET_ERR
dup_fd(int fd, int *out)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        return os_error(errno);
    *out = copy;
    return JET_errSuccess;
}

JET_ERR
image_open(const struct image *image, struct frozen_file *out)
{
    struct frozen_file f = FROZEN_FILE_NONE;
    JET_ERR err = dup_fd(image->cloned ? image->side_fd : image->base_fd, &f.base_fd);
    if (err >= 0)
        err = dup_fd(image->bitmap_fd, &f.bitmap_fd);
    if (err >= 0 && !image->cloned)
        err = dup_fd(image->side_fd, &f.preimage_fd);
    if (err < 0) {
        frozen_file_clear(&f);
        return err;
    }
    f.kind = JETX_fileDatabase;
    f.page_bytes = image->page_bytes;
    f.pgno_last = image->pgno_last;
    f.size = ((uint64_t)image->pgno_last + 3) * image->page_bytes;
    f.head = g_bytes_ref(image->head);
    f.tail = g_bytes_ref(image->tail);
    *out = f;
    return JET_errSuccess;
}

void
image_close(struct image *image)
{
    int fds[] = {image->base_fd, image->side_fd, image->bitmap_fd};
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    if (image->map)
        munmap(image->map, image->map_bytes);
    os_file_close(image->side);
    g_clear_pointer(&image->head, g_bytes_unref);
    g_clear_pointer(&image->tail, g_bytes_unref);
    g_free(image->copy);
    memset(image, 0, sizeof *image);
    image->base_fd = image->side_fd = image->bitmap_fd = -1;
}
