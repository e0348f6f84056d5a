/* SPDX-License-Identifier: MIT */
/*
 * Random sequences of backup calls, valid and not, against a small model of the state matrix
 * (backup API specification, 2.2): every answer must be the model's.
 *
 * Several instances at once, each with a model and a thread of its own; beside each a prober, a
 * second thread that asks for the status and reads from frozen sessions while they come and go:
 * its answers need only be possible ones. JETFS_CALLS (of all instances together) and JETFS_SEED
 * set length and start.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backup/context.h"
#include "instance/instance.h"
#include "log/stream.h"
#include "os/file.h"

#define PAGE      4096u
#define HANDLES   8
#define INSTANCES 3

enum state { NONE, DATABASES, LOGS, INCREMENTAL, INC_LOGS, FROZEN, SURROGATE, SNAPSHOT, STATES };
enum open_file { NO_FILE, DB_FILE, LOG_FILE };

struct model {
    enum state state;
    enum open_file open;
    bool stopped, has_full, maybe_hole;
    bool db_done, truncated;
    uint64_t at, size, copied;
    uint32_t low, high; /* logs, once known */
    uint32_t gen;       /* of the open log */
    bool frozen_inc;    /* a frozen session of logs only */
    bool frozen_open[HANDLES];
    bool frozen_disk, copy; /* SNAPSHOT: not thawed yet; of the kind that is no base */
};

struct fixture {
    char *dir, *path;
    struct instance *inst;
    uint8_t *buf;
    struct model m;
    uint32_t random;
    const char *call; /* the one being made, for the report */
    unsigned calls, n;
    char *failed; /* the first answer that is not the model's */
    atomic_bool over;
    char *probe_failed;
    unsigned probes;
    unsigned good[STATES], refused[STATES]; /* answers by state */
};

static uint32_t
draw(struct fixture *fx, uint32_t below)
{
    fx->random = fx->random * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(fx->random >> 8) * below >> 24);
}

static void
expect(struct fixture *fx, JET_ERR got, JET_ERR wanted)
{
    (wanted < 0 ? fx->refused : fx->good)[fx->m.state]++;
    if (got != wanted && !fx->failed)
        fx->failed =
            g_strdup_printf("call %u, %s in state %d%s: %d, the model says %d", fx->calls, fx->call,
                            (int)fx->m.state, fx->m.stopped ? " stopped" : "", got, wanted);
}

/* cmocka's own asserts are for its thread only. */
static void
expect_number(struct fixture *fx, uint64_t got, uint64_t wanted)
{
    if (got != wanted && !fx->failed)
        fx->failed = g_strdup_printf("call %u, %s in state %d: gave %" G_GUINT64_FORMAT
                                     ", the model says %" G_GUINT64_FORMAT,
                                     fx->calls, fx->call, (int)fx->m.state, got, wanted);
}

static void
session_over(struct model *m)
{
    bool has_full = m->has_full, maybe_hole = m->maybe_hole;
    memset(m, 0, sizeof *m);
    m->has_full = has_full;
    m->maybe_hole = maybe_hole;
}

/* Others copy: calls about files see no backup. */
static bool
is_outside(const struct model *m)
{
    return m->state == SURROGATE || m->state == SNAPSHOT;
}

/* What begins, attaches and detaches are told. */
static JET_ERR
busy(const struct model *m)
{
    return m->state == NONE        ? 0
           : m->state == SURROGATE ? JET_errSurrogateBackupInProgress
                                   : JET_errBackupInProgress;
}

/* What every call but close, end and stop answers first; 0: go on. */
static JET_ERR
common(const struct model *m)
{
    return m->state == NONE || is_outside(m) ? JET_errNoBackup
           : m->stopped                      ? JET_errBackupAbortByServer
                                             : 0;
}

/* ---- the calls ---- */

static void
call_begin(struct fixture *fx)
{
    struct model *m = &fx->m;
    const JET_GRBIT grbits[] = {0, 0, 0, JET_bitBackupIncremental, JET_bitBackupIncremental, 4};
    JET_GRBIT grbit = grbits[draw(fx, G_N_ELEMENTS(grbits))];
    bool incremental = grbit == JET_bitBackupIncremental;
    fx->call = incremental ? "begin(incremental)" : "begin";
    JET_ERR wanted = grbit == 4                    ? JET_errInvalidGrbit
                     : m->state != NONE            ? busy(m)
                     : incremental && !m->has_full ? JET_errMissingFullBackup
                                                   : 0;
    expect(fx, context_begin(fx->inst, grbit), wanted);
    if (wanted == 0)
        m->state = incremental ? INCREMENTAL : DATABASES;
    if (wanted == 0 || wanted == JET_errMissingFullBackup)
        m->stopped = false;
}

static void
call_begin_frozen(struct fixture *fx)
{
    struct model *m = &fx->m;
    const JET_GRBIT grbits[] = {0, 0, JET_bitBackupIncremental, 4};
    JET_GRBIT grbit = grbits[draw(fx, G_N_ELEMENTS(grbits))];
    bool incremental = grbit == JET_bitBackupIncremental;
    fx->call = incremental ? "begin frozen(incremental)" : "begin frozen";
    JET_ERR wanted = grbit == 4                    ? JET_errInvalidGrbit
                     : m->state != NONE            ? busy(m)
                     : incremental && !m->has_full ? JET_errMissingFullBackup
                                                   : 0;
    JET_ERR err = context_begin_frozen(fx->inst, grbit);
    bool hole = wanted == 0 && incremental && m->maybe_hole && err == JET_errMissingFileToBackup;
    if (!hole)
        expect(fx, err, wanted);
    if (wanted == 0 || wanted == JET_errMissingFullBackup)
        m->stopped = false;
    if (wanted < 0 || hole)
        return;
    m->state = FROZEN;
    m->frozen_inc = incremental;
    m->db_done = true;
}

static void
call_attach_info(struct fixture *fx)
{
    struct model *m = &fx->m;
    g_auto(GStrv) paths = NULL;
    fx->call = "attach info";
    JET_ERR wanted = common(m);
    if (wanted == 0 && (m->state == INCREMENTAL || m->state == INC_LOGS || m->frozen_inc))
        wanted = JET_errInvalidBackupSequence;
    expect(fx, context_attach_info(fx->inst, &paths), wanted);
}

enum name { NAME_NONE, NAME_DB, NAME_LOG, NAME_MISSING, NAME_CURRENT, NAMES };

static char *
make_name(struct fixture *fx, enum name *name)
{
    int32_t oldest = log_oldest_gen(fx->inst->log);
    switch (*name) {
    case NAME_DB:
        return g_strdup(fx->path);
    case NAME_LOG:
        if (oldest == log_gen(fx->inst->log))
            *name = NAME_CURRENT;
        return log_gen_path(fx->inst->log, oldest);
    case NAME_MISSING:
        return g_build_filename(fx->dir, "edbFFFFF.log", NULL);
    case NAME_CURRENT:
        return g_build_filename(fx->dir, "edb.log", NULL);
    default:
        return NULL;
    }
}

/* And whether it ends the backup. */
static JET_ERR
open_answer(const struct model *m, enum name name, bool *ends)
{
    JET_ERR err = common(m);
    *ends = false;
    if (err < 0)
        return err;
    if (name == NAME_NONE)
        return JET_errInvalidParameter;
    if (m->open != NO_FILE)
        return JET_errOutOfMemory;
    if (m->state == DATABASES)
        return name == NAME_DB ? 0 : JET_errDatabaseNotFound;
    *ends = name != NAME_LOG;
    return name == NAME_DB        ? JET_errInvalidBackupSequence
           : name == NAME_MISSING ? JET_errMissingFileToBackup
           : name == NAME_CURRENT ? JET_errInvalidParameter
                                  : 0;
}

static void
open_frozen(struct fixture *fx, enum name name, const char *path)
{
    struct model *m = &fx->m;
    JET_HANDLE hf = 99, lowest = 0;
    uint64_t size;
    while (lowest < HANDLES && m->frozen_open[lowest])
        lowest++;
    if (lowest == HANDLES)
        return;
    JET_ERR wanted = common(m);
    if (wanted == 0)
        wanted = name == NAME_NONE                   ? JET_errInvalidParameter
                 : name == NAME_DB && !m->frozen_inc ? 0
                                                     : JET_errFileNotFound;
    if (name == NAME_LOG)
        return; /* whether it is one of the session's is not modelled */
    expect(fx, context_open(fx->inst, path, &hf, &size), wanted);
    if (wanted < 0)
        return;
    expect_number(fx, hf, lowest);
    if (fx->failed)
        return;
    m->frozen_open[hf] = true;
}

static void
call_open(struct fixture *fx)
{
    struct model *m = &fx->m;
    enum name name = (enum name)draw(fx, NAMES);
    g_autofree char *path = make_name(fx, &name);
    uint32_t gen = (uint32_t)log_oldest_gen(fx->inst->log);
    JET_HANDLE hf = 99;
    uint64_t size = 0;
    bool ends;
    fx->call = "open";
    if (m->state == FROZEN) {
        open_frozen(fx, name, path);
        return;
    }
    JET_ERR wanted = open_answer(m, name, &ends);
    expect(fx, context_open(fx->inst, path, &hf, &size), wanted);
    if (ends)
        session_over(m);
    if (wanted < 0)
        return;
    expect_number(fx, hf, 0);
    m->open = name == NAME_DB ? DB_FILE : LOG_FILE;
    m->at = 0;
    m->size = size;
    m->gen = gen;
}

static void
call_read(struct fixture *fx)
{
    struct model *m = &fx->m;
    const uint32_t sizes[] = {0, PAGE, 3 * PAGE, 3 * PAGE + 1, 1024 * PAGE};
    uint32_t cb = sizes[draw(fx, G_N_ELEMENTS(sizes))], got = 0;
    fx->call = "read";
    if (m->state == FROZEN && common(m) == 0)
        return;
    JET_ERR wanted = common(m);
    uint32_t first = m->open == LOG_FILE ? 2 : 3;
    if (wanted == 0 && (m->open == NO_FILE || cb % PAGE != 0 || (cb == 0 && m->open == DB_FILE) ||
                        (m->at == 0 && cb < first * PAGE)))
        wanted = JET_errInvalidParameter;
    expect(fx, context_read(fx->inst, 0, fx->buf, cb, &got), wanted);
    if (wanted < 0)
        return;
    expect_number(fx, got, MIN(cb, m->size - m->at));
    m->at += got;
}

static void
call_read_at(struct fixture *fx)
{
    struct model *m = &fx->m;
    JET_HANDLE hf = draw(fx, HANDLES);
    uint32_t got;
    fx->call = "read at";
    JET_ERR wanted = common(m);
    if (wanted == 0)
        wanted = m->state != FROZEN   ? JET_errInvalidBackupSequence
                 : m->frozen_open[hf] ? 0
                                      : JET_errInvalidParameter;
    expect(fx, context_read_at(fx->inst, hf, 777, fx->buf, 5000, &got), wanted);
}

static void
call_close(struct fixture *fx)
{
    struct model *m = &fx->m;
    JET_HANDLE hf = draw(fx, 4) == 0 ? 7 : 0;
    fx->call = "close";
    bool open = m->state == FROZEN ? m->frozen_open[hf] : m->open != NO_FILE && hf == 0;
    expect(fx, context_close(fx->inst, hf),
           m->state == NONE || is_outside(m) ? JET_errNoBackup
           : open                            ? 0
                                             : JET_errInvalidParameter);
    if (!open)
        return;
    if (m->state == FROZEN) {
        m->frozen_open[hf] = false;
        return;
    }
    bool whole = m->at == m->size;
    if (m->open == DB_FILE)
        m->db_done = whole;
    else if (whole && m->gen >= m->low && m->gen <= m->high && m->high > 0)
        m->copied += m->gen;
    m->open = NO_FILE;
}

static void
call_log_info(struct fixture *fx)
{
    struct model *m = &fx->m;
    g_auto(GStrv) paths = NULL;
    uint32_t low = 0, high = 0;
    bool truncate = draw(fx, 3) == 0;
    fx->call = truncate ? "truncate info" : "log info";
    JET_ERR wanted = common(m);
    if (wanted == 0 && m->open != NO_FILE)
        wanted = JET_errInvalidBackupSequence;
    JET_ERR err = truncate ? context_truncate_info(fx->inst, &paths)
                           : context_log_info(fx->inst, &paths, &low, &high);
    if (err == JET_errMissingFileToBackup && m->state == INCREMENTAL && m->maybe_hole)
        return;
    expect(fx, err, wanted);
    if (wanted < 0)
        return;
    m->state = m->state == DATABASES ? LOGS : m->state == INCREMENTAL ? INC_LOGS : m->state;
    if (m->state == FROZEN || m->high > 0)
        return;
    g_auto(GStrv) again = NULL;
    expect(fx, context_log_info(fx->inst, &again, &m->low, &m->high), 0);
}

static void
call_truncate(struct fixture *fx)
{
    struct model *m = &fx->m;
    uint64_t sum = 0;
    fx->call = "truncate";
    for (uint32_t gen = m->low; m->high > 0 && gen <= m->high; gen++)
        sum += gen;
    JET_ERR wanted = common(m);
    bool ready = m->state == FROZEN || m->state == LOGS || m->state == INC_LOGS;
    if (wanted == 0 && (m->open != NO_FILE || !ready))
        wanted = JET_errInvalidBackupSequence;
    if (wanted == 0 && m->state != FROZEN && m->copied < sum)
        wanted = JET_errLogFileNotCopied;
    expect(fx, context_truncate(fx->inst), wanted);
    if (wanted == 0)
        m->truncated = m->maybe_hole = true;
}

static void
call_end(struct fixture *fx)
{
    struct model *m = &fx->m;
    const JET_GRBIT grbits[] = {1, 1, 1, 2, 0, 3, 0x101};
    JET_GRBIT grbit = grbits[draw(fx, G_N_ELEMENTS(grbits))];
    fx->call = "end";
    bool valid = (grbit & 3) == 1 || (grbit & 3) == 2;
    JET_ERR wanted = !valid                  ? JET_errInvalidParameter
                     : m->state == NONE      ? JET_errNoBackup
                     : m->state == SNAPSHOT  ? JET_errNoBackup
                     : m->state == SURROGATE ? JET_errSurrogateBackupInProgress
                     : grbit & 2             ? JET_errBackupAbortByCaller
                     : m->stopped            ? JET_errBackupAbortByServer
                     : m->state == DATABASES ? JET_errBackupAbortByCaller
                                             : 0;
    expect(fx, context_end(fx->inst, grbit), wanted);
    if (!valid || m->state == SNAPSHOT)
        return;
    bool full = m->state == LOGS || (m->state == FROZEN && !m->frozen_inc);
    if (m->open == DB_FILE)
        m->db_done = m->at == m->size;
    if (wanted == 0 && full && m->db_done && (m->truncated || grbit & JET_bitBackupTruncateDone)) {
        m->has_full = true;
        m->maybe_hole = false;
    }
    session_over(m);
}

static void
call_begin_surrogate(struct fixture *fx)
{
    struct model *m = &fx->m;
    bool wrong = draw(fx, 4) == 0;
    if (m->state == NONE && draw(fx, 4) > 0)
        return;
    fx->call = "begin surrogate";
    JET_ERR wanted = wrong ? JET_errInvalidParameter : busy(m);
    expect(fx, context_begin_surrogate(fx->inst, wrong ? 2 : 1, 1, 0), wanted);
    if (wanted == 0)
        m->state = SURROGATE;
}

static void
call_end_surrogate(struct fixture *fx)
{
    struct model *m = &fx->m;
    const JET_GRBIT grbits[] = {1, 2, 0, 0x101};
    JET_GRBIT grbit = grbits[draw(fx, G_N_ELEMENTS(grbits))];
    fx->call = "end surrogate";
    JET_ERR wanted = grbit == 0                                 ? JET_errInvalidParameter
                     : m->state == NONE || m->state == SNAPSHOT ? JET_errNoBackup
                     : m->state != SURROGATE                    ? 0 /* killed, in silence */
                     : grbit == 2                               ? JET_errBackupAbortByCaller
                     : m->stopped                               ? JET_errBackupAbortByServer
                                                                : 0;
    expect(fx, context_end_surrogate(fx->inst, grbit), wanted);
    if (wanted == JET_errInvalidParameter || m->state == SNAPSHOT)
        return;
    if (wanted == 0 && m->state == SURROGATE && grbit == 0x101)
        m->has_full = false; /* the last full one is not streamed any more */
    session_over(m);
}

/* By turns: the freeze, the thaw, perhaps a truncation, the end. */
static void
call_snapshot(struct fixture *fx)
{
    struct model *m = &fx->m;
    fx->call = "snapshot";
    if (m->state != SNAPSHOT) {
        bool copy = draw(fx, 8) > 0;
        JET_ERR wanted = busy(m);
        if (wanted == 0 && draw(fx, 8) > 0)
            return;
        expect(fx, context_begin_snapshot(fx->inst, false, copy), wanted);
        if (wanted < 0)
            return;
        m->state = SNAPSHOT;
        m->frozen_disk = true;
        m->copy = copy;
    } else if (m->frozen_disk) {
        instance_thaw(fx->inst);
        m->frozen_disk = false;
    } else if (draw(fx, 3) == 0) {
        expect(fx, context_truncate_snapshot(fx->inst, true), 0);
        m->maybe_hole = true;
    } else {
        bool well = draw(fx, 3) > 0;
        context_end_snapshot(fx->inst, well ? 0 : JET_errBackupAbortByCaller);
        if (well && !m->copy)
            m->has_full = false;
        session_over(m);
    }
}

static void
call_stop(struct fixture *fx)
{
    context_stop(fx->inst);
    if (fx->m.state != NONE)
        fx->m.stopped = true;
}

static void
call_attach(struct fixture *fx)
{
    fx->call = "attach";
    JET_ERR err = instance_attach_database(fx->inst, fx->path, 0);
    expect(fx, err < 0 ? err : 0, busy(&fx->m));
}

static void
call_detach(struct fixture *fx)
{
    fx->call = "detach";
    if (fx->m.state != NONE)
        expect(fx, instance_detach_database(fx->inst, fx->path), busy(&fx->m));
}

static void
call_status(struct fixture *fx)
{
    JETX_BACKUPSTATUS status = {.cbStruct = sizeof status};
    fx->call = "status";
    expect(fx, context_status(fx->inst, &status), 0);
    bool running = strcmp(status.szState, "none") != 0 && strcmp(status.szState, "ended") != 0 &&
                   strcmp(status.szState, "aborted") != 0;
    if (running != (fx->m.state != NONE) && !fx->failed)
        fx->failed = g_strdup_printf("call %u: status says %s in state %d", fx->calls,
                                     status.szState, (int)fx->m.state);
}

/* ---- the run ---- */

typedef void (*call)(struct fixture *fx);

/* Often what leads on, seldom what ends. */
static const call calls[] = {call_begin,
                             call_begin,
                             call_begin_frozen,
                             call_attach_info,
                             call_open,
                             call_open,
                             call_open,
                             call_open,
                             call_open,
                             call_read,
                             call_read,
                             call_read,
                             call_read,
                             call_read,
                             call_read_at,
                             call_read_at,
                             call_close,
                             call_close,
                             call_close,
                             call_log_info,
                             call_log_info,
                             call_truncate,
                             call_truncate,
                             call_end,
                             call_stop,
                             call_attach,
                             call_detach,
                             call_status,
                             call_begin_surrogate,
                             call_end_surrogate,
                             call_snapshot,
                             call_snapshot,
                             call_snapshot,
                             call_snapshot};

static struct instance *
start(struct fixture *fx)
{
    struct params *params = params_new();
    g_autofree char *events = g_build_filename(fx->dir, "events", NULL);
    g_autofree char *slash = g_strconcat(fx->dir, "/", NULL);
    assert_int_equal(params_set(params, JET_paramSystemPath, 0, slash, false), 0);
    assert_int_equal(params_set(params, JET_paramLogFilePath, 0, slash, false), 0);
    assert_int_equal(params_set(params, JET_paramTempPath, 0, slash, false), 0);
    assert_int_equal(params_set(params, JET_paramDatabasePageSize, PAGE, NULL, false), 0);
    assert_int_equal(params_set(params, JET_paramLogFileSize, 128, NULL, false), 0);
    assert_int_equal(params_set(params, JET_paramJetxEventFile, 0, events, false), 0);
    struct instance *inst = instance_new(params, "model", "model");
    assert_int_equal(instance_init(inst, &(struct instance_init_options) {0}), 0);
    return inst;
}

static unsigned
from_env(const char *name, unsigned otherwise)
{
    const char *value = g_getenv(name);
    return value ? (unsigned)strtoul(value, NULL, 10) : otherwise;
}

/* ---- the threads ---- */

static gpointer
model_thread(gpointer arg)
{
    struct fixture *fx = arg;
    for (fx->calls = 1; fx->calls <= fx->n && !fx->failed; fx->calls++)
        calls[draw(fx, G_N_ELEMENTS(calls))](fx);
    atomic_store(&fx->over, true);
    return NULL;
}

static bool
is_possible_read(JET_ERR err)
{
    return err == 0 || err == JET_errNoBackup || err == JET_errInvalidParameter ||
           err == JET_errInvalidBackupSequence || err == JET_errBackupAbortByServer ||
           err == JET_errBackupAbortByCaller;
}

static gpointer
probe_thread(gpointer arg)
{
    struct fixture *fx = arg;
    g_autofree uint8_t *buf = g_malloc(3 * PAGE);
    do {
        JETX_BACKUPSTATUS status = {.cbStruct = sizeof status};
        uint32_t got = 0;
        JET_ERR err = context_status(fx->inst, &status);
        if (err != 0)
            fx->probe_failed = g_strdup_printf("status: %d", err);
        err = context_read_at(fx->inst, fx->probes % HANDLES, PAGE * (uint64_t)(fx->probes % 99),
                              buf, 3 * PAGE - 1, &got);
        if (!is_possible_read(err) && !fx->probe_failed)
            fx->probe_failed = g_strdup_printf("read: %d", err);
        fx->probes++;
        g_thread_yield();
    } while (!atomic_load(&fx->over) && !fx->probe_failed);
    return NULL;
}

/* ---- a fixture ---- */

static void
make(struct fixture *fx, uint32_t seed, unsigned n)
{
    JET_DBID dbid;
    *fx = (struct fixture) {.random = seed, .n = n};
    fx->dir = g_dir_make_tmp("model-XXXXXX", NULL);
    fx->path = g_build_filename(fx->dir, "a.edb", NULL);
    fx->buf = g_malloc(1024 * PAGE + 4096);
    fx->inst = start(fx);
    assert_int_equal(instance_create_database(fx->inst, fx->path, 0, 0, &dbid), 0);
    assert_int_equal(instance_close_database(fx->inst, dbid), 0);
}

static void
end(struct fixture *fx)
{
    if (fx->m.frozen_disk)
        instance_thaw(fx->inst);
    context_term(fx->inst, true);
    assert_int_equal(instance_term(fx->inst, JET_bitTermComplete, NULL, NULL), 0);
    instance_free(fx->inst);
    g_auto(GStrv) names = NULL;
    assert_int_equal(os_dir_list(fx->dir, &names), 0);
    for (size_t i = 0; names[i]; i++) {
        g_autofree char *path = g_build_filename(fx->dir, names[i], NULL);
        g_unlink(path);
    }
    g_rmdir(fx->dir);
    g_free(fx->dir);
    g_free(fx->path);
    g_free(fx->buf);
}

static void
report(const struct fixture *all)
{
    for (size_t state = 0; state < STATES; state++) {
        unsigned good = 0, refused = 0;
        for (size_t i = 0; i < INSTANCES; i++) {
            good += all[i].good[state];
            refused += all[i].refused[state];
        }
        print_message("[  STATE   ] %zu: %u calls good, %u refused\n", state, good, refused);
    }
}

static void
test_random_calls_answer_as_the_model(void **state)
{
    static struct fixture all[INSTANCES];
    GThread *threads[2 * INSTANCES];
    uint32_t seed = from_env("JETFS_SEED", g_random_int());
    unsigned n = from_env("JETFS_CALLS", 10000);
    print_message("[   SEED   ] JETFS_SEED=%u JETFS_CALLS=%u\n", seed, n);
    for (unsigned i = 0; i < INSTANCES; i++)
        make(&all[i], seed + i * 7919, (n + INSTANCES - 1) / INSTANCES);
    for (size_t i = 0; i < INSTANCES; i++) {
        threads[2 * i] = g_thread_new("model", model_thread, &all[i]);
        threads[2 * i + 1] = g_thread_new("prober", probe_thread, &all[i]);
    }
    for (size_t i = 0; i < 2 * INSTANCES; i++)
        g_thread_join(threads[i]);
    report(all);
    for (size_t i = 0; i < INSTANCES; i++) {
        if (all[i].failed || all[i].probe_failed)
            fail_msg("instance %zu: %s %s", i, all[i].failed ? all[i].failed : "",
                     all[i].probe_failed ? all[i].probe_failed : "");
        assert_true(all[i].probes > 0);
        end(&all[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_calls_answer_as_the_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
