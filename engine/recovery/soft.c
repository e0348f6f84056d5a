/* SPDX-License-Identifier: MIT */
/*
 * soft: what JetInit does with the logs it finds (log format, 5.2).
 */
#include "recovery/internal.h"

#include <stdarg.h>

#include "btree/btree.h"
#include "cache/cache.h"
#include "log/checkpoint.h"
#include "os/file.h"
#include "txn/session.h"

#define CACHE_PAGES_DEFAULT 1024

void
recovery_event(struct recovery *r, int id, ...)
{
    const char *inserts[6] = {NULL};
    if (!r->p->event)
        return;
    va_list ap;
    va_start(ap, id);
    for (size_t i = 0; i + 1 < G_N_ELEMENTS(inserts); i++) {
        inserts[i] = va_arg(ap, const char *);
        if (!inserts[i])
            break;
    }
    va_end(ap);
    r->p->event(r->p->ctx, id, inserts);
}

const char *
recovery_gen_text(int32_t gen, struct gen_text *text)
{
    g_snprintf(text->chars, sizeof(text->chars), "0x%x", (unsigned)gen);
    return text->chars;
}

void
recovery_event_gen(struct recovery *r, int id, int32_t gen)
{
    struct gen_text text;
    recovery_event(r, id, recovery_gen_text(gen, &text), NULL);
}

void
recovery_event_log(struct recovery *r, int id, int32_t gen)
{
    g_autofree char *path = logset_path(r, gen);
    struct gen_text text;
    recovery_event(r, id, path ? path : recovery_gen_text(gen, &text), NULL);
}

void
recovery_event_db(struct recovery *r, int id, const char *path, int32_t given, int32_t needed)
{
    struct gen_text a, b;
    recovery_event(r, id, path, recovery_gen_text(given, &a), recovery_gen_text(needed, &b), NULL);
}

char *
recovery_checkpoint_path(const struct recovery_params *p)
{
    g_autofree char *name = log_name_checkpoint(p->log.base, p->log.ext ? p->log.ext : "log");
    return g_build_filename(p->system_path ? p->system_path : p->log.dir, name, NULL);
}

/* ---- the engine of a run ---- */

JET_ERR
recovery_engine_start(struct recovery *r)
{
    struct cache_config cache = {.page_bytes = r->page_bytes,
                                 .frames_max =
                                     r->p->cache_pages ? r->p->cache_pages : CACHE_PAGES_DEFAULT};
    JET_ERR err = cache_new(&cache, &r->cache);
    if (err < 0)
        return err;
    struct txn_config txn = {.ops = btree_txn_ops(), .sessions_max = r->p->sessions_max};
    err = txn_new(&txn, &r->txn);
    if (err < 0)
        return err;
    r->sessions = g_hash_table_new(NULL, NULL);
    r->macros = g_hash_table_new_full(NULL, NULL, NULL, macro_free);
    return JET_errSuccess;
}

/* Whatever state the run is in: nothing is written any more. */
void
recovery_engine_stop(struct recovery *r)
{
    if (r->sessions)
        redo_end_sessions(r);
    dbs_drop_all(r);
    txn_free(r->txn);
    cache_free(r->cache);
    (void)log_close(r->log, false); /* all that counts was flushed */
    g_clear_pointer(&r->sessions, g_hash_table_unref);
    g_clear_pointer(&r->macros, g_hash_table_unref);
    g_clear_pointer(&r->made, g_hash_table_unref);
    g_clear_pointer(&r->clean, g_hash_table_unref);
    log_gens_clear(&r->gens);
}

static JET_ERR
without_undo(struct recovery *r)
{
    bool open = txn_session_count(r->txn) > 0;
    JET_ERR err = dbs_flush_all(r);
    if (err < 0)
        return err;
    return open || r->last_type != LR_SHUTDOWN_MARK
               ? JET_errRecoveredWithoutUndo
               : JET_errRecoveredWithoutUndoDatabasesConsistent;
}

static JET_ERR
remove_archives(struct recovery *r)
{
    struct log_gens gens;
    JET_ERR err =
        log_gens_find(r->p->log.dir, r->p->log.base, r->p->log.ext ? r->p->log.ext : "log", &gens);
    if (err < 0)
        return err;
    for (size_t i = 0; i < gens.n && err >= 0; i++)
        err = os_remove(gens.paths[i]);
    log_gens_clear(&gens);
    return err < 0 ? err : os_dir_sync(r->p->log.dir);
}

JET_ERR
recovery_go(struct recovery *r, struct recovery_result *result)
{
    recovery_event_gen(r, EVENT_RECOVERY_BEGIN, r->start.gen);
    JET_ERR err = redo_run(r);
    if (err < 0)
        return err;
    err = stop_check(r);
    if (err >= 0)
        err = dbs_check_complete(r, r->gen);
    if (err < 0)
        return err;
    if (r->p->grbit & JET_bitRecoveryWithoutUndo)
        return without_undo(r);
    err = dbs_check_missing(r);
    if (err >= 0)
        err = stop_settle_log(r);
    if (err == JET_errRecoveredWithoutUndo)
        return without_undo(r);
    if (err >= 0)
        err = undo_run(r, result);
    if (err < 0)
        return err;
    recovery_fill_result(r, result);
    result->recovered = true;
    g_autofree char *clean = g_strdup_printf("Databases made clean: %u.", result->databases);
    recovery_event(r, EVENT_RECOVERY_END, clean, NULL);
    if (r->p->grbit & JET_bitTruncateLogsAfterRecovery)
        err = remove_archives(r);
    return err < 0 ? err : r->warning;
}

void
recovery_fill_result(struct recovery *r, struct recovery_result *result)
{
    result->page_bytes = r->page_bytes;
    result->log_file_kib = (uint32_t)r->segments * LOG_SEGMENT_BYTES / 1024;
    result->records = r->records;
    result->databases = r->clean != NULL ? g_hash_table_size(r->clean) : 0;
    result->gen_last = r->gen;
    result->stopped = r->stopped;
    memcpy(result->signature, r->signature, SIGNATURE_BYTES);
}

/* ---- where to begin ---- */

/* No log: a checkpoint that was left lying about would only mislead. */
static JET_ERR
no_stream(struct recovery *r, struct recovery_result *result)
{
    if (r->p->grbit & JET_bitLogStreamMustExist)
        return JET_errFileNotFound;
    g_autofree char *path = recovery_checkpoint_path(r->p);
    if (os_exists(path)) {
        JET_ERR err = os_remove(path);
        if (err < 0)
            return err;
    }
    result->fresh = true;
    return JET_errSuccess;
}

/* The attach list in the header of a generation. */
static JET_ERR
list_of_header(struct recovery *r, int32_t gen, uint8_t list[ATTACH_LIST_BYTES])
{
    g_autofree char *path = logset_path(r, gen);
    if (!path)
        return JET_errMissingLogFile;
    struct log_reader *reader;
    struct log_reader_opts opts = {.expect = {.gen = gen, .signature = r->signature}, .last = true};
    JET_ERR err = log_reader_open(path, &opts, &reader);
    if (err < 0)
        return err;
    memcpy(list, log_reader_header(reader)->attach, ATTACH_LIST_BYTES);
    log_reader_close(reader);
    return JET_errSuccess;
}

static JET_ERR
choose_start(struct recovery *r, const struct checkpoint *cp)
{
    uint8_t list[ATTACH_LIST_BYTES];
    JET_ERR err;
    if (cp) {
        r->start = cp->checkpoint;
        g_autofree char *path = logset_path(r, r->start.gen);
        if (!path)
            return JET_errMissingLogFile;
        if (cp->attach_valid)
            return dbs_load_list(r, cp->attach);
        r->start = (struct lgpos) {0, 1, cp->checkpoint.gen};
        err = list_of_header(r, r->start.gen, list);
    } else {
        r->start = (struct lgpos) {0, 1, logset_lowest(r)};
        err = list_of_header(r, r->start.gen, list);
        if (err == JET_errMissingLogFile)
            err = JET_errMissingPreviousLogFile;
    }
    return err < 0 ? err : dbs_load_list(r, list);
}

/* Does the stream end as a clean shutdown left it? */
static bool
is_clean(const struct recovery *r, const struct checkpoint *cp)
{
    return cp && r->gens.current && r->current.corrupt >= 0 && !r->current.torn &&
           r->current.closed && lgpos_cmp(cp->checkpoint, r->current.closed_pos) == 0;
}

/* What is on disk may be from beyond the stop. */
static bool
is_stopped_before(const struct recovery *r, struct lgpos pos)
{
    return !lgpos_is_zero(r->p->stop) && lgpos_cmp(r->p->stop, pos) < 0;
}

static JET_ERR
soft(struct recovery *r, struct recovery_result *result)
{
    JET_ERR err = logset_open(r);
    if (err < 0)
        return err;
    if (logset_highest(r) == 0)
        return no_stream(r, result);
    if (!r->gens.current && !r->gens.next)
        return JET_errMissingLogFile;
    g_autofree char *path = recovery_checkpoint_path(r->p);
    struct checkpoint checkpoint, *cp = &checkpoint;
    if (checkpoint_read(path, r->signature, &checkpoint) < 0)
        cp = NULL;
    if (is_clean(r, cp) && !is_stopped_before(r, cp->checkpoint)) {
        recovery_fill_result(r, result);
        result->resume.gen = r->current_gen;
        result->checkpoint = cp->checkpoint;
        return JET_errSuccess;
    }
    err = recovery_engine_start(r);
    if (err < 0)
        return err;
    err = choose_start(r, cp);
    if (err >= 0 && is_stopped_before(r, r->start))
        err = JET_errRequiredLogFilesMissing;
    return err < 0 ? err : recovery_go(r, result);
}

JET_ERR
recovery_soft(const struct recovery_params *params, struct recovery_result *result)
{
    struct recovery r = {.p = params};
    struct recovery_result out = {0};
    JET_ERR err = soft(&r, &out);
    recovery_engine_stop(&r);
    if (err >= 0)
        *result = out;
    return err;
}
