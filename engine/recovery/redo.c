/* SPDX-License-Identifier: MIT */
/*
 * redo: generation after generation, record after record.
 *
 * A generation follows its predecessor if signature, creation time and accumulated checksum say so.
 * Damage inside one: redo goes up to it, then ends with the error that tells whether the databases
 * need what lies beyond (log format 5.6).
 */
#include "os/file.h"
#include "recovery/internal.h"

#include "txn/session.h"

#define DEAD_MAX                                                                                   \
    20000 /* committed transactions with dead nodes that are remembered for the purge */

static void
drop_session(struct session *s, void *ctx)
{
    (void)ctx;
    (void)session_redo_rollback(s, session_level(s));
}

void
redo_end_sessions(struct recovery *r)
{
    g_hash_table_remove_all(r->macros);
    g_hash_table_remove_all(r->sessions);
    txn_redo_each_open(r->txn, drop_session, NULL);
    txn_redo_end(r->txn);
    txn_redo_forget(r->txn, 0);
}

/*
 * Generation gen cannot be used, or not to its end. What is lost is either needed by a database, or
 * only committed work; the latter may be given up when asked for: then gen and all above it are
 * removed and the result is 0.
 */
static JET_ERR
lossy(struct recovery *r, int32_t gen, JET_ERR err)
{
    if (recovery_is_hard(r))
        return err;
    if (err == JET_errLogFileCorrupt)
        recovery_event_log(r, EVENT_RECOVERY_CORRUPT, gen);
    if (r->gen == 0 || !dbs_beyond_required(r, gen))
        return err;
    if (!(r->p->grbit & JET_bitReplayIgnoreLostLogs) || !r->p->delete_out_of_range)
        return JET_errCommittedLogFileCorrupt;
    JET_ERR removed = logset_remove_from(r, gen);
    if (removed < 0)
        return removed;
    r->warning = JET_wrnCommittedLogFilesRemoved;
    return JET_errSuccess;
}

static JET_ERR
check_chain(struct recovery *r, const struct log_filehdr *h)
{
    if (r->gen == 0)
        return JET_errSuccess;
    if (h->prev_created != r->gen_created)
        return recovery_is_hard(r) && logset_in_backup(r, h->gen)
                   ? JET_errGivenLogFileIsNotContiguous
                   : JET_errInvalidLogSequence;
    if (h->prev_checksum != 0 && h->prev_checksum != r->gen_checksum)
        return JET_errLogSequenceChecksumMismatch;
    return JET_errSuccess;
}

/* A process that was killed between write and sync leaves a tail that only the page cache has. No
 * page may reach a database from it before the disk has it too. */
static JET_ERR
make_durable(const char *path)
{
    struct os_file *file;
    JET_ERR err = os_file_open(path, OS_OPEN_READ, &file);
    if (err < 0)
        return err;
    err = os_file_sync(file);
    os_file_close(file);
    return err;
}

static JET_ERR
hard_says(struct recovery *r, int32_t gen, int event, JET_ERR err)
{
    recovery_event_log(r, event, gen);
    return err;
}

/*
 * What a hard recovery says of a log that cannot be read to its end. A torn flush is a crash of the
 * writer: no damage at the end of everything, but nothing can follow it, and a backup ends whole.
 */
static JET_ERR
hard_damage(struct recovery *r, int32_t gen, const struct log_scan *scan)
{
    bool set = logset_in_backup(r, gen), newest = gen == logset_highest(r);
    if (scan->corrupt < 0)
        return set ? hard_says(r, gen, EVENT_RECOVERY_CORRUPT_RESTORE,
                               JET_errLogCorruptDuringHardRestore)
                   : hard_says(r, gen, EVENT_RECOVERY_CORRUPT_FORWARD,
                               JET_errLogCorruptDuringHardRecovery);
    if (!scan->torn || (newest && !set))
        return JET_errSuccess;
    if (!set)
        return hard_says(r, gen, EVENT_RECOVERY_TORN, JET_errLogTornWriteDuringHardRecovery);
    return newest ? hard_says(r, gen, EVENT_RECOVERY_TORN_RESTORE,
                              JET_errLogTornWriteDuringHardRestore)
                  : hard_says(r, gen, EVENT_RECOVERY_ABRUPT_END, JET_errRedoAbruptEnded);
}

/* A segment of which only its shadow is whole: a crash left it so, and recovery would have mended
 * it before the log went on. */
static JET_ERR
hard_patched(struct recovery *r, int32_t gen)
{
    return logset_in_backup(r, gen)
               ? hard_says(r, gen, EVENT_RECOVERY_TORN_RESTORE,
                           JET_errLogTornWriteDuringHardRestore)
               : hard_says(r, gen, EVENT_RECOVERY_TORN, JET_errLogTornWriteDuringHardRecovery);
}

/* Opens gen; *reader = NULL: there is none. */
static JET_ERR
open_generation(struct recovery *r, int32_t gen, struct log_reader **reader)
{
    *reader = NULL;
    g_autofree char *path = logset_path(r, gen);
    if (!path)
        return JET_errSuccess;
    bool set = logset_in_backup(r, gen);
    bool newest = gen == logset_highest(r) && !set;
    struct log_reader_opts opts = {.expect = {.gen = gen, .signature = r->signature},
                                   .last =
                                       newest || (recovery_is_hard(r) && gen >= r->set->gen_high)};
    JET_ERR err = newest && logset_is_own(r, gen) ? make_durable(path) : JET_errSuccess;
    if (err >= 0)
        err = log_reader_open(path, &opts, reader);
    if (err < 0)
        return err;
    err = check_chain(r, log_reader_header(*reader));
    if (err >= 0 && log_reader_scan(*reader)->patched && recovery_is_hard(r) && !newest)
        err = hard_patched(r, gen);
    else if (err >= 0 && logset_is_own(r, gen))
        err = log_reader_patch(*reader);
    if (err < 0)
        log_reader_close(g_steal_pointer(reader));
    return err;
}

static JET_ERR
enter(struct recovery *r, struct log_reader *reader)
{
    const struct log_filehdr *h = log_reader_header(reader);
    if (r->gen == 0)
        r->gen_first = h->gen;
    r->gen = h->gen;
    r->gen_created = h->created;
    r->gen_checksum = log_reader_scan(reader)->checksum;
    txn_redo_forget(r->txn, DEAD_MAX);
    recovery_event_gen(r, EVENT_RECOVERY_GENERATION, h->gen);
    return dbs_enter_generation(r, h->gen, h->created);
}

static JET_ERR
redo_records(struct recovery *r, struct log_reader *reader)
{
    struct span rec;
    struct lgpos pos;
    JET_ERR err;
    while ((err = log_reader_next(reader, &rec, &pos)) == 1) {
        if (stop_reached(r, pos))
            return JET_errSuccess;
        r->at = pos;
        err = redo_record(r, rec);
        if (err < 0) {
            g_autofree char *text =
                g_strdup_printf("redo of %s at %x:%x:%x failed: %d", lr_type_name(rec.data[0]),
                                (unsigned)pos.gen, pos.isec, pos.ib, err);
            recovery_event(r, EVENT_RECOVERY_FAIL, text, NULL);
            return err;
        }
        if (r->p->stop_after != 0 && r->records >= r->p->stop_after)
            return JET_errRecoveredWithErrors;
    }
    return err;
}

static void
progress(struct recovery *r)
{
    if (!r->p->progress)
        return;
    uint32_t total = (uint32_t)(logset_highest(r) - r->start.gen + 1);
    r->p->progress(r->p->ctx, (uint32_t)(r->gen - r->start.gen + 1), total);
}

/* No file for gen: the end of the log, or a hole? */
static JET_ERR
missing(struct recovery *r, int32_t gen)
{
    if (gen <= logset_highest(r))
        return r->gen == 0 && recovery_is_hard(r) ? JET_errFileNotFound : JET_errMissingLogFile;
    return JET_errSuccess;
}

static JET_ERR
redo_generation(struct recovery *r, int32_t gen, bool *end)
{
    *end = true;
    if (stop_before_generation(r, gen))
        return JET_errSuccess;
    struct log_reader *reader;
    JET_ERR err = open_generation(r, gen, &reader);
    if (err < 0)
        return lossy(r, gen, err);
    if (!reader)
        return missing(r, gen);
    const struct log_scan scan = *log_reader_scan(reader);
    JET_ERR loss = scan.corrupt;
    if (loss < 0)
        loss = lossy(r, gen, loss);
    if (scan.corrupt < 0 && loss >= 0) {
        log_reader_close(reader); /* given up and removed */
        return JET_errSuccess;
    }
    err = enter(r, reader);
    if (err >= 0) {
        log_reader_seek(reader, r->start);
        err = redo_records(r, reader);
    }
    log_reader_close(reader);
    if (err < 0)
        return err;
    *end = !lgpos_is_zero(r->stopped);
    if (*end)
        return JET_errSuccess; /* damage beyond the stop is of no interest */
    if (recovery_is_hard(r))
        loss = hard_damage(r, gen, &scan);
    if (loss < 0)
        return loss;
    progress(r);
    return JET_errSuccess;
}

JET_ERR
redo_run(struct recovery *r)
{
    bool end = false;
    for (int32_t gen = r->start.gen; !end; gen++) {
        JET_ERR err = redo_generation(r, gen, &end);
        if (err < 0)
            return err;
    }
    return JET_errSuccess;
}
