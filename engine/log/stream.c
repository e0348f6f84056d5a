/* SPDX-License-Identifier: MIT */
/*
 * stream: the life of struct log: begin a stream, go on with one, stop.
 */
#include "log/stream_state.h"

#include <string.h>

#include "log/filehdr.h"
#include "log/logtime.h"
#include "log/names.h"
#include "log/reader.h"
#include "log/segment.h"
#include "os/file.h"

#define BUFFER_DEFAULT (1024u * 1024)
#define BUFFER_MIN     (96u * 1024) /* two images of the largest page, with fragment headers */
#define EFV_ENGINE     8920u        /* of the writer of 8.4000.5.16 */
#define CIRCULAR_EVER  (LOG_FLAG_CIRCULAR | LOG_FLAG_CIRCULAR_HISTORY)

/* ---- names ---- */

static char *
path_of(struct log *log, char *name)
{
    char *path = g_build_filename(log->dir, name, NULL);
    g_free(name);
    return path;
}

char *
log_current_path(struct log *log)
{
    return path_of(log, log_name_current(log->base, log->ext));
}

char *
log_tmp_path(struct log *log)
{
    return path_of(log, log_name_next(log->base, log->ext));
}

char *
log_archive_path(struct log *log, int32_t gen)
{
    return path_of(log, log_name_archive(log->base, log->ext, gen, log->eight_dot_three));
}

char *
log_gen_path(struct log *log, int32_t gen)
{
    return gen < log_flush_tip(log).gen ? log_archive_path(log, gen) : log_current_path(log);
}

/* ---- new, free ---- */

static void
log_free(struct log *log)
{
    log_prepare_stop(log);
    os_file_close(log->file.file);
    g_assert(g_queue_is_empty(&log->pins));
    for (int i = 0; i < 2; i++)
        g_free(log->buffers[i].mem);
    g_cond_clear(&log->prepare);
    g_cond_clear(&log->changed);
    g_mutex_clear(&log->lock);
    g_free(log->dir);
    g_free(log->base);
    g_free(log->ext);
    g_free(log);
}

static JET_ERR
make_buffers(struct log *log, uint32_t bytes)
{
    bytes = MAX(bytes ? bytes : BUFFER_DEFAULT, BUFFER_MIN);
    uint32_t segments = MIN((bytes + SEGMENT_BYTES - 1) / SEGMENT_BYTES, log->last_isec);
    for (int i = 0; i < 2; i++) {
        log->buffers[i].segments = segments;
        log->buffers[i].mem = g_try_malloc((size_t)segments * SEGMENT_BYTES);
        if (!log->buffers[i].mem)
            return JET_errOutOfMemory;
    }
    log->tail = &log->buffers[0];
    return JET_errSuccess;
}

/* Everything but the files. The size of a generation is given in segments. */
static JET_ERR
log_new(const struct log_config *cfg, uint32_t segments, struct log **out)
{
    struct log *log = g_new0(struct log, 1);
    log->dir = g_strdup(cfg->dir);
    log->base = g_strdup(cfg->base);
    log->ext = g_strdup(cfg->ext ? cfg->ext : "log");
    log->eight_dot_three = cfg->eight_dot_three;
    log->circular = log->was_circular = cfg->circular;
    log->file_segments = segments;
    log->last_isec = segments - 2;
    log->page_bytes = cfg->page_bytes;
    memcpy(log->dbms_param, cfg->dbms_param, sizeof(log->dbms_param));
    log->update_major = LOG_VERSION_UPDATE_MAJOR;
    log->update_minor = LOG_VERSION_UPDATE_MINOR;
    log->efv_engine = EFV_ENGINE;
    log->attach_list = cfg->attach_list;
    log->ctx = cfg->ctx;
    g_mutex_init(&log->lock);
    g_cond_init(&log->changed);
    g_cond_init(&log->prepare);
    g_queue_init(&log->pins);

    JET_ERR err = make_buffers(log, cfg->buffer_bytes);
    if (err < 0) {
        log_free(log);
        return err;
    }
    *out = log;
    return JET_errSuccess;
}

/* Places the empty buffer; everything below is durable. */
static void
begin_at(struct log *log, int32_t gen, uint32_t isec)
{
    g_mutex_lock(&log->lock);
    log_buffer_reset(log->tail, gen, isec);
    log->flush_tip = log_pos_pack((struct lgpos) {0, (uint16_t)isec, gen});
    g_mutex_unlock(&log->lock);
}

static bool
config_is_valid(const struct log_config *cfg)
{
    return cfg->dir && cfg->base && strlen(cfg->base) == 3 && cfg->file_kib >= 64 &&
           cfg->file_kib <= 32768;
}

JET_ERR
log_create(const struct log_config *cfg, struct log **out)
{
    if (!config_is_valid(cfg))
        return JET_errInvalidParameter;
    struct log *log = NULL;
    uint32_t segments = MIN(cfg->file_kib * 1024 / SEGMENT_BYTES, LOG_SEGMENTS_MAX);
    JET_ERR err = log_new(cfg, segments, &log);
    if (err < 0)
        return err;

    le32_put(log->signature, g_random_int());
    le64_put(log->signature + 4, logtime_now());
    log->oldest_gen = 1;
    log->checkpoint = (struct lgpos) {0, 1, 1};
    err = log_prepare_start(log);
    if (err >= 0)
        err = log_start_file(log, 1, 0, 0, false);
    if (err < 0) {
        log_free(log);
        return err == JET_errDiskFull ? JET_errLogDiskFull : err;
    }
    begin_at(log, 1, 1);
    *out = log;
    return JET_errSuccess;
}

/* ---- going on ---- */

/* The newest generation as it is found. */
struct found {
    char *path;
    bool is_current;
    int32_t oldest_gen;
    struct log_reader *reader;
};

static void
found_clear(struct found *found)
{
    log_reader_close(found->reader);
    g_free(found->path);
}

static JET_ERR
find_newest(const struct log_config *cfg, int32_t gen, struct found *found)
{
    struct log_gens gens = {0};
    JET_ERR err = log_gens_find(cfg->dir, cfg->base, cfg->ext ? cfg->ext : "log", &gens);
    if (err < 0)
        return err;
    const char *archive = log_gens_path(&gens, gen);
    found->is_current = gens.current != NULL;
    found->path = g_strdup(gens.current ? gens.current : archive);

    /* oldest of the unbroken run below gen */
    found->oldest_gen = gen;
    while (log_gens_path(&gens, found->oldest_gen - 1))
        found->oldest_gen--;
    log_gens_clear(&gens);
    if (!found->path)
        return JET_errMissingLogFile;

    struct log_reader_opts opts = {.expect = {.gen = gen}, .last = true};
    err = log_reader_open(found->path, &opts, &found->reader);
    if (err < 0)
        return err;
    const struct log_scan *scan = log_reader_scan(found->reader);
    return scan->corrupt < 0 ? scan->corrupt : log_reader_patch(found->reader);
}

/* Zeroes every segment from isec on that is not zero: what a torn flush left, or an older use. */
static JET_ERR
clear_tail(struct os_file *file, uint32_t isec, uint32_t segments)
{
    static const uint8_t zeros[SEGMENT_BYTES];
    bool wrote = false;
    uint8_t seg[SEGMENT_BYTES];
    for (; isec < segments; isec++) {
        JET_ERR err = os_file_read(file, (uint64_t)isec * SEGMENT_BYTES, seg, sizeof(seg));
        if (err < 0)
            return err;
        if (segment_is_zero(seg))
            continue;
        err = os_file_write(file, (uint64_t)isec * SEGMENT_BYTES, zeros, sizeof(zeros));
        if (err < 0)
            return err;
        wrote = true;
    }
    return wrote ? os_file_sync(file) : JET_errSuccess;
}

/* The next flush must not look like the one that wrote the last segment. */
static JET_ERR
read_last_time(struct os_file *file, uint32_t end_isec, int64_t *ms)
{
    uint8_t seg[SEGMENT_BYTES];
    if (end_isec <= 1)
        return JET_errSuccess;
    JET_ERR err = os_file_read(file, (uint64_t)(end_isec - 1) * SEGMENT_BYTES, seg, sizeof(seg));
    if (err >= 0)
        *ms = logtime_to_unix_ms(segment_time(seg));
    return err;
}

/* Takes over what the newest file's header fixes for the stream. */
static void
adopt_header(struct log *log, const struct log_filehdr *hdr)
{
    memcpy(log->signature, hdr->signature, sizeof(log->signature));
    log->page_bytes = hdr->page_bytes;
    log->update_major = MAX(hdr->update_major, LOG_VERSION_UPDATE_MAJOR);
    log->update_minor = hdr->update_major > LOG_VERSION_UPDATE_MAJOR ? hdr->update_minor
                        : hdr->update_major < LOG_VERSION_UPDATE_MAJOR
                            ? LOG_VERSION_UPDATE_MINOR
                            : MAX(hdr->update_minor, LOG_VERSION_UPDATE_MINOR);
    log->was_circular |= (hdr->flags & CIRCULAR_EVER) != 0;
    log->checkpoint = hdr->checkpoint;
}

static JET_ERR
go_on(struct log *log, const struct found *found, bool next_gen)
{
    const struct log_filehdr *hdr = log_reader_header(found->reader);
    const struct log_scan *scan = log_reader_scan(found->reader);
    adopt_header(log, hdr);
    log->oldest_gen = found->oldest_gen;

    struct os_file *file = NULL;
    JET_ERR err = os_file_open(found->path, OS_OPEN_WRITE, &file);
    if (err < 0)
        return err;
    log->file = (struct log_file) {file, hdr->gen, scan->checksum, hdr->created};
    err = read_last_time(file, scan->end_isec, &log->flush_ms);
    if (err < 0)
        return err;
    err = clear_tail(file, scan->end_isec, log->file_segments);
    if (err < 0)
        return err;
    err = log_prepare_start(log);
    if (err < 0)
        return err;

    if (found->is_current && !next_gen) {
        begin_at(log, hdr->gen, scan->end_isec);
        return JET_errSuccess;
    }
    if (hdr->gen >= LOG_GEN_MAX)
        return JET_errLogSequenceEnd;
    err = log_start_file(log, hdr->gen + 1, hdr->created, scan->checksum, found->is_current);
    if (err >= 0)
        begin_at(log, hdr->gen + 1, 1);
    return err;
}

JET_ERR
log_continue(const struct log_config *cfg, const struct log_resume *at, struct log **out)
{
    if (!config_is_valid(cfg) || at->gen < 1)
        return JET_errInvalidParameter;
    struct found found = {0};
    struct log *log = NULL;
    JET_ERR err = find_newest(cfg, at->gen, &found);
    if (err >= 0)
        err = log_new(cfg, log_reader_header(found.reader)->segments, &log);
    if (err >= 0)
        err = go_on(log, &found, at->next_gen);
    found_clear(&found);
    if (err < 0) {
        if (log)
            log_free(log);
        return err == JET_errDiskFull ? JET_errLogDiskFull : err;
    }
    *out = log;
    return JET_errSuccess;
}

JET_ERR
log_close(struct log *log, bool flush)
{
    if (!log)
        return JET_errSuccess;
    JET_ERR err = flush ? log_flush_all(log) : JET_errSuccess;
    log_free(log);
    return err;
}

/* ---- what is known ---- */

int32_t
log_oldest_gen(struct log *log)
{
    g_mutex_lock(&log->lock);
    int32_t gen = log->oldest_gen;
    g_mutex_unlock(&log->lock);
    return gen;
}

JET_ERR
log_gen_time(struct log *log, int32_t gen, uint64_t *created)
{
    g_mutex_lock(&log->lock);
    bool is_current = gen == log->file.gen;
    bool is_gone = gen < log->oldest_gen || gen > log->file.gen;
    if (is_current)
        *created = log->file.created;
    g_mutex_unlock(&log->lock);
    if (is_gone)
        return JET_errMissingLogFile;
    if (is_current)
        return JET_errSuccess;

    g_autofree char *path = log_archive_path(log, gen);
    uint8_t bytes[LOG_HEADER_BYTES];
    struct os_file *file = NULL;
    JET_ERR err = os_file_open(path, OS_OPEN_READ, &file);
    if (err < 0)
        return err == JET_errFileNotFound ? JET_errMissingLogFile : err;
    err = os_file_read(file, 0, bytes, sizeof(bytes));
    os_file_close(file);
    if (err < 0)
        return err;
    g_autofree struct log_filehdr *hdr = g_new(struct log_filehdr, 1);
    err = log_filehdr_decode(bytes, hdr);
    if (err < 0)
        return err;
    *created = hdr->created;
    return JET_errSuccess;
}

const uint8_t *
log_signature(struct log *log)
{
    return log->signature;
}

uint64_t
log_file_bytes(struct log *log)
{
    return (uint64_t)log->file_segments * SEGMENT_BYTES;
}

bool
log_is_circular(struct log *log)
{
    return log->was_circular;
}

void
log_stats(struct log *log, struct log_stats *stats)
{
    g_mutex_lock(&log->lock);
    *stats = log->stats;
    g_mutex_unlock(&log->lock);
}
