/* SPDX-License-Identifier: MIT */
/*
 * checkpoint: where the next recovery would start (log format, 4.4); declared in
 * instance/instance.h.
 *
 * candidate = min(log tip, first record of each open transaction, oldest Begin0 behind a dirty
 * page). The order of looking matters: the tip first, so that whatever begins while we look lies
 * above it; then transactions; then a flush, so that those which ended before are durable, lazy
 * commits too: recovery from the candidate would not see that such a one must be undone. Pages
 * last, since a transaction that ends in between has left its pages dirty.
 */
#include <string.h>

#include "cache/cache.h"
#include "cache/dbfile.h"
#include "instance/instance.h"
#include "log/attach.h"
#include "log/checkpoint.h"
#include "log/names.h"
#include "log/stream.h"
#include "txn/session.h"

/* The checkpoint file is written again once the checkpoint moved this far inside a generation. */
#define STEP_SEGMENTS 64

struct open_files {
    struct dbfile *file[INSTANCE_DBS];
    size_t n;
};

static void
collect_file(struct instance_db *db, void *ctx)
{
    struct open_files *files = ctx;
    if (!db->readonly && db->file)
        files->file[files->n++] = db->file;
}

size_t
instance_attach_list(void *ctx, struct lgpos at, uint8_t out[ATTACH_LIST_BYTES])
{
    struct instance *inst = ctx;
    size_t used = 0;
    memset(out, 0, ATTACH_LIST_BYTES);
    g_mutex_lock(&inst->dbs_lock);
    for (size_t i = 0; i < INSTANCE_DBS; i++) {
        const struct instance_db *db = &inst->dbs[i];
        if (!db->dbid || db->readonly || !db->file || lgpos_is_zero(db->attach) ||
            lgpos_cmp(db->attach, at) >= 0)
            continue;
        struct attach_info info = {.dbid = db->dbid,
                                   .dbtime = dbfile_dbtime_last(db->file),
                                   .objid_last = dbfile_objid_last(db->file),
                                   .attach = db->attach,
                                   .consistent = db->consistent,
                                   .path = db->path};
        memcpy(info.sign_db, db->sign_db, sizeof(info.sign_db));
        /* Paths were measured when the database was attached. */
        JET_ERR err = attach_put(out, &used, &info);
        g_assert(err >= 0);
    }
    g_mutex_unlock(&inst->dbs_lock);
    return used;
}

/* clean: no database is attached any more; the list is empty and not marked valid. */
JET_ERR
instance_write_checkpoint(struct instance *inst, struct lgpos at, bool clean)
{
    struct checkpoint *cp = g_new0(struct checkpoint, 1);
    cp->checkpoint = at;
    memcpy(cp->signature, log_signature(inst->log), sizeof(cp->signature));
    instance_fill_dbms_param(inst, cp->dbms_param);
    cp->attach_valid = !clean;
    if (!clean)
        instance_attach_list(inst, at, cp->attach);
    bool short_ext =
        (params_number(inst->params, JET_paramLegacyFileNames) & JET_bitESE98FileNames) != 0;
    g_autofree char *name = log_name_checkpoint(params_text(inst->params, JET_paramBaseName),
                                                short_ext ? "log" : "jtx");
    g_autofree char *path = g_build_filename(inst->system_dir, name, NULL);
    JET_ERR err = checkpoint_write(path, cp);
    g_free(cp);
    return err;
}

static JET_ERR
find_candidate(struct instance *inst, const struct open_files *files, struct lgpos *out)
{
    struct lgpos candidate = log_tip(inst->log);
    candidate = lgpos_min(candidate, txn_oldest_begin0(inst->txn));
    JET_ERR err = log_flush_all(inst->log);
    if (err < 0)
        return err;
    for (size_t i = 0; i < files->n; i++)
        candidate = lgpos_min(candidate, cache_oldest_begin0(files->file[i]));
    if (candidate.isec == 0)
        candidate.isec = 1;
    *out = candidate;
    return JET_errSuccess;
}

static bool
worth_writing(struct lgpos from, struct lgpos to)
{
    if (from.gen != to.gen)
        return lgpos_cmp(to, from) > 0;
    return to.isec > from.isec + STEP_SEGMENTS;
}

/* Needs the work lock or a caller that keeps databases attached: the timer takes it with trylock.
 */
JET_ERR
instance_checkpoint(struct instance *inst, bool sync)
{
    struct open_files files = {.n = 0};
    instance_each_db(inst, collect_file, &files);
    JET_ERR err = JET_errSuccess;
    for (size_t i = 0; sync && err >= 0 && i < files.n; i++)
        err = dbfile_sync(files.file[i]);

    g_mutex_lock(&inst->checkpoint_lock);
    struct lgpos candidate = LGPOS_MIN;
    bool frozen = atomic_load(&inst->frozen);
    if (err >= 0 && !frozen)
        err = find_candidate(inst, &files, &candidate);
    if (err >= 0 && !frozen && worth_writing(inst->checkpoint, candidate)) {
        for (size_t i = 0; err >= 0 && i < files.n; i++)
            err = dbfile_raise_gens(files.file[i], candidate.gen, log_gen(inst->log));
        if (err >= 0)
            err = instance_write_checkpoint(inst, candidate, false);
        if (err >= 0) {
            inst->checkpoint = candidate;
            log_set_checkpoint(inst->log, candidate);
        }
    }
    g_mutex_unlock(&inst->checkpoint_lock);
    return err;
}

struct lgpos
instance_checkpoint_lgpos(struct instance *inst)
{
    g_mutex_lock(&inst->checkpoint_lock);
    struct lgpos at = inst->checkpoint;
    g_mutex_unlock(&inst->checkpoint_lock);
    return at;
}
