/* SPDX-License-Identifier: MIT */
/*
 * dbs_create: CreateDB and CreateDBFinish. The file is made from the record; ExtendDB gives it its
 * size, and what follows its pages. A file of that name that is not this database stays, and its
 * records are skipped.
 */
#include "recovery/dbs.h"

#include "log/logtime.h"
#include "os/file.h"

static void
new_header(struct recovery *r, const struct rdb *d, struct dbheader *h)
{
    dbheader_init(h, r->page_bytes);
    dbheader_set_dirty(h, d->info.attach.gen, dbs_gen_now(r));
    dbheader_set_u32(h, DBH_DBSTATE, DBSTATE_JUST_CREATED);
    dbheader_set_u32(h, DBH_DBID, d->info.dbid);
    dbheader_set_u64(h, DBH_TIME_GEN_MAX_CREATE, r->gen_created);
    dbheader_set_u64(h, DBH_TIME_ATTACH, logtime_now());
    lgpos_put(&h->bytes[DBH_LGPOS_ATTACH], d->info.attach);
    memcpy(&h->bytes[DBH_SIGN_DB], d->info.sign_db, SIGNATURE_BYTES);
    memcpy(&h->bytes[DBH_SIGN_LOG], r->signature, SIGNATURE_BYTES);
}

/* A name in a log is anybody's: in the directory of a hard recovery only what this run made is
 * replaced. */
static bool
may_replace(const struct recovery *r, const char *path)
{
    return !recovery_is_hard(r) || !r->p->create_dir ||
           (r->made && g_hash_table_contains(r->made, path));
}

static void
note_made(struct recovery *r, const char *path)
{
    if (!r->made)
        r->made = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_add(r->made, g_strdup(path));
}

static JET_ERR
create_now(struct recovery *r, struct rdb *d, bool overwrite)
{
    g_autofree char *dir = g_path_get_dirname(d->path);
    if (!os_is_dir(dir))
        return JET_errSuccess; /* stays deferred */
    if (overwrite && !may_replace(r, d->path))
        return JET_errFileAlreadyExists;
    if (overwrite) {
        JET_ERR err = os_remove(d->path);
        if (err < 0)
            return err;
    }
    struct dbheader h;
    new_header(r, d, &h);
    struct dbfile_spec spec = dbs_spec_of(r, d);
    JET_ERR err = dbfile_create(&spec, &h, 0, &d->file);
    if (err == JET_errInvalidPath || err == JET_errFileAccessDenied)
        return JET_errSuccess; /* it cannot have gone better when it was logged */
    if (err < 0)
        return err;
    note_made(r, d->path);
    return dbs_begin_redo(r, d);
}

/* There is a readable file of that name. */
static JET_ERR
consider_existing(struct recovery *r, struct rdb *d, const struct dbheader *h)
{
    uint32_t state = dbheader_u32(h, DBH_DBSTATE);
    if (state != DBSTATE_CLEAN && state != DBSTATE_DIRTY && state != DBSTATE_DIRTY_PATCHED)
        return create_now(r, d, true);
    if (memcmp(&h->bytes[DBH_SIGN_LOG], r->signature, SIGNATURE_BYTES) != 0 ||
        memcmp(&h->bytes[DBH_SIGN_DB], d->info.sign_db, SIGNATURE_BYTES) != 0)
        return JET_errSuccess;
    int c = lgpos_cmp(lgpos_get(&h->bytes[DBH_LGPOS_ATTACH]), r->at);
    struct lgpos consistent = lgpos_get(&h->bytes[DBH_LGPOS_CONSISTENT]);
    if (c == 0 && lgpos_cmp(consistent, r->at) < 0) {
        d->creating = false;
        return dbs_attach_now(r, d, h, false);
    }
    d->future = c >= 0;
    return JET_errSuccess;
}

JET_ERR
dbs_redo_create(struct recovery *r, const struct lr *lr)
{
    if (!(lr->create_db.flags & 4) || lr->create_db.version != 2)
        return JET_errInvalidCreateDbVersion;
    struct rdb *d;
    JET_ERR err =
        dbs_take_slot(r, lr->create_db.dbid, lr->create_db.path, lr->create_db.sign_db, &d);
    if (err < 0)
        return err;
    d->info.cpg_max = lr->create_db.cpg_size_max;
    d->creating = true;
    dbs_resolve(r, d);
    if (d->state == RDB_IGNORED)
        return JET_errSuccess;
    d->state = RDB_DEFERRED;
    if (!d->path)
        return JET_errSuccess;
    struct dbheader h;
    err = dbs_read_header(r, d->path, &h);
    if (err == JET_errFileNotFound)
        return create_now(r, d, os_exists(d->path));
    if (err == JET_errReadVerifyFailure || err == JET_errDatabaseCorrupted)
        return create_now(r, d, true);
    return err < 0 ? err : consider_existing(r, d, &h);
}

struct created {
    struct recovery *r;
    struct rdb *d;
};

static void
stamp_created(struct dbheader *h, void *ctx)
{
    const struct created *s = ctx;
    dbheader_set_dirty(h, s->d->info.attach.gen, dbs_gen_now(s->r));
    dbheader_set_u64(h, DBH_TIME_GEN_MAX_CREATE, s->r->gen_created);
}

JET_ERR
dbs_redo_create_finish(struct recovery *r, const struct lr *lr)
{
    struct rdb *d = dbs_get(r, lr->create_db_finish.dbid);
    if (d && d->state != RDB_ATTACHED)
        d->creating = false; /* there was such a database: now it is missing */
    if (!d || !d->creating)
        return JET_errSuccess;
    struct created stamp = {r, d};
    JET_ERR err = dbfile_header_update(d->file, stamp_created, &stamp);
    if (err >= 0)
        d->creating = false;
    return err;
}
