/* SPDX-License-Identifier: MIT */
/*
 * dbs: the databases of a run: found from attach lists and records, attached, detached.
 *
 *   NONE -> ATTACHED, DEFERRED, IGNORED  (dbs_load_list, dbs_redo_create, dbs_redo_attach)
 *   any -> NONE                          (dbs_redo_detach, dbs_detach_all_clean, dbs_drop_all)
 *
 * A file is touched only after its header has passed the table (check.c). While ATTACHED its header
 * is dirty or just created.
 */
#include "recovery/internal.h"

#include "cache/cache.h"
#include "cache/dbfile.h"
#include "log/logtime.h"
#include "os/file.h"
#include "space/space.h"
#include "txn/session.h"

struct rdb *
dbs_get(struct recovery *r, uint8_t dbid)
{
    return dbid >= 1 && dbid <= RECOVERY_DBID_MAX ? &r->dbs[dbid] : NULL;
}

static void
forget(struct rdb *d)
{
    attach_info_clear(&d->info);
    g_free(d->path);
    *d = (struct rdb){0};
}

static void
let_go(struct rdb *d)
{
    space_detach(d->db);
    dbfile_close(d->file);
    forget(d);
}

/* ---- where is the file? ---- */

static bool
maps(const struct recovery_map *m, const struct rdb *d)
{
    if (m->sign_db)
        return memcmp(m->sign_db, d->info.sign_db, SIGNATURE_BYTES) == 0;
    if (!m->log_path)
        return false;
    bool windows = strchr(m->log_path, '\\') != NULL;
    return windows ? g_ascii_strcasecmp(m->log_path, d->info.path) == 0
                   : strcmp(m->log_path, d->info.path) == 0;
}

/* Sets path and, for what the map leaves out, IGNORED. */
static void
resolve(struct recovery *r, struct rdb *d)
{
    for (size_t i = 0; i < r->p->n_map; i++) {
        if (maps(&r->p->map[i], d)) {
            d->path = g_strdup(r->p->map[i].file_path);
            return;
        }
    }
    bool in_place = !recovery_is_hard(r) &&
                    (r->p->n_map == 0 || (r->p->grbit & JET_bitReplayMissingMapEntryDB));
    if (!in_place)
        d->state = RDB_IGNORED;
    else if (d->info.path[0] == '/')
        d->path = g_strdup(d->info.path);
}

static JET_ERR
read_copy(struct recovery *r, struct os_file *f, uint64_t at, struct dbheader *h)
{
    g_autofree uint8_t *image = g_try_malloc(r->page_bytes);
    if (!image)
        return JET_errOutOfMemory;
    JET_ERR err = os_file_read(f, at, image, r->page_bytes);
    if (err == JET_errFileIOBeyondEOF)
        return JET_errReadVerifyFailure;
    return err < 0 ? err : dbheader_decode(image, r->page_bytes, h);
}

/* The first good copy. JET_errFileNotFound also for all that means "not there". */
static JET_ERR
read_header(struct recovery *r, const char *path, struct dbheader *h)
{
    struct os_file *f;
    JET_ERR err = os_file_open(path, OS_OPEN_READ, &f);
    if (err == JET_errInvalidPath || err == JET_errFileAccessDenied)
        return JET_errFileNotFound;
    if (err < 0)
        return err;
    err = read_copy(r, f, 0, h);
    if (err == JET_errReadVerifyFailure || err == JET_errDatabaseCorrupted)
        err = read_copy(r, f, r->page_bytes, h);
    os_file_close(f);
    return err;
}

/* ---- attach ---- */

static int32_t
gen_now(const struct recovery *r)
{
    return r->gen ? r->gen : r->start.gen;
}

static JET_ERR
check_gen_time(const struct dbheader *h, int32_t gen, uint64_t created)
{
    static const struct {
        size_t gen, time;
    } pairs[] = {{DBH_GEN_MAX_COMMITTED, DBH_TIME_GEN_MAX_CREATE},
                 {DBH_GEN_MAX_REQUIRED, DBH_TIME_GEN_MAX_REQUIRED}};
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        uint64_t time = dbheader_u64(h, pairs[i].time);
        if ((int32_t)dbheader_u32(h, pairs[i].gen) == gen && time != 0 && created != 0 &&
            time != created)
            return JET_errRequiredLogFilesMissing;
    }
    return JET_errSuccess;
}

struct stamp {
    struct recovery *r;
    struct rdb *d;
    bool fresh; /* the header does not know of this attach */
};

static void
stamp_attached(struct dbheader *h, void *ctx)
{
    const struct stamp *s = ctx;
    int32_t gen = s->d->info.attach.gen;
    if (s->fresh) {
        lgpos_put(&h->bytes[DBH_LGPOS_ATTACH], s->d->info.attach);
        dbheader_set_u64(h, DBH_TIME_ATTACH, logtime_now());
        memcpy(&h->bytes[DBH_SIGN_LOG], s->r->signature, SIGNATURE_BYTES);
        lgpos_put(&h->bytes[DBH_LGPOS_DETACH], LGPOS_MIN);
        dbheader_set_u64(h, DBH_TIME_DETACH, 0);
        memset(&h->bytes[DBH_BK_FULL_CUR], 0, DBHEADER_BKINFO_BYTES);
    }
    if (s->fresh || dbheader_u32(h, DBH_DBSTATE) == DBSTATE_CLEAN) {
        dbheader_set_dirty(h, gen, gen_now(s->r));
        dbheader_set_u64(h, DBH_TIME_GEN_MAX_CREATE, s->r->gen_created);
    }
    dbheader_set_u32(h, DBH_GEN_RECOVERING, (uint32_t)gen_now(s->r));
}

static void
note_gen(struct recovery *r, struct rdb *d)
{
    if (r->gen)
        dbfile_note_gen_time(d->file, r->gen, r->gen_created);
}

/* The file is open in d->file: makes trees of it. On error it is closed. */
static JET_ERR
begin_redo(struct recovery *r, struct rdb *d)
{
    JET_ERR err = space_attach(d->file, r->txn, 0, &d->db);
    if (err < 0) {
        dbfile_close(g_steal_pointer(&d->file));
        return err;
    }
    note_gen(r, d);
    dbfile_dbtime_raise(d->file, d->info.dbtime);
    dbfile_objid_raise(d->file, d->info.objid_last);
    d->skip_to = d->info.attach;
    d->state = RDB_ATTACHED;
    return JET_errSuccess;
}

static struct dbfile_spec
spec_of(struct recovery *r, struct rdb *d)
{
    return (struct dbfile_spec){.cache = r->cache, .path = d->path, .dbid = d->info.dbid};
}

static JET_ERR
attach_now(struct recovery *r, struct rdb *d, const struct dbheader *h, bool fresh)
{
    int32_t min = (int32_t)dbheader_u32(h, DBH_GEN_MIN_REQUIRED);
    if (min != 0 && min < gen_now(r))
        return JET_errRequiredLogFilesMissing;
    JET_ERR err = r->gen ? check_gen_time(h, r->gen, r->gen_created) : JET_errSuccess;
    if (err < 0)
        return err;
    const uint8_t *bk = &h->bytes[DBH_BK_FULL_CUR];
    if (!fresh && !recovery_is_hard(r) && le32_get(bk + BKINFO_GEN_LOW) != 0 &&
        le32_get(bk + BKINFO_GEN_HIGH) == 0)
        return JET_errSoftRecoveryOnBackupDatabase;
    struct dbfile_spec spec = spec_of(r, d);
    err = dbfile_open(&spec, &d->file);
    if (err < 0)
        return err;
    struct stamp stamp = {r, d, fresh};
    err = dbfile_header_update(d->file, stamp_attached, &stamp);
    if (err < 0) {
        dbfile_close(g_steal_pointer(&d->file));
        return err;
    }
    return begin_redo(r, d);
}

/* d->info is set: finds the file and decides. */
static JET_ERR
consider(struct recovery *r, struct rdb *d, const uint8_t *sign_log, struct lgpos redo)
{
    resolve(r, d);
    if (d->state == RDB_IGNORED)
        return JET_errSuccess;
    d->state = RDB_DEFERRED;
    if (!d->path)
        return JET_errSuccess;
    struct dbheader h;
    JET_ERR err = read_header(r, d->path, &h);
    if (err < 0)
        return err == JET_errFileNotFound ? JET_errSuccess : err;
    struct logged_db l = {d->info.sign_db, sign_log, d->info.attach, d->info.consistent, redo};
    enum verdict verdict;
    err = check_attach(&h, &l, r->signature, &verdict);
    if (err < 0)
        return err;
    d->future = verdict == VERDICT_DEFER_FUTURE;
    if (verdict == VERDICT_DEFER || verdict == VERDICT_DEFER_FUTURE)
        return JET_errSuccess;
    return attach_now(r, d, &h, verdict == VERDICT_ATTACH_STAMP);
}

JET_ERR
dbs_load_list(struct recovery *r, const uint8_t list[ATTACH_LIST_BYTES])
{
    struct cursor c = cursor_over(list, ATTACH_LIST_BYTES);
    for (;;) {
        struct attach_info info;
        JET_ERR err = attach_next(&c, &info);
        if (err <= 0)
            return err;
        struct rdb *d = dbs_get(r, info.dbid);
        if (!d || d->state != RDB_NONE) {
            attach_info_clear(&info);
            return JET_errLogFileCorrupt;
        }
        d->info = info;
        err = consider(r, d, NULL, LGPOS_MIN);
        if (err < 0)
            return err;
    }
}

/* A record names a database: its slot, with info filled. */
static JET_ERR
take_slot(struct recovery *r, uint8_t dbid, struct span path, struct span sign, struct rdb **out)
{
    struct rdb *d = dbs_get(r, dbid);
    g_autofree char *name = attach_path_decode(path);
    if (!d || d->state == RDB_ATTACHED || !name)
        return JET_errLogFileCorrupt;
    forget(d);
    d->info.dbid = dbid;
    d->info.attach = r->at;
    memcpy(d->info.sign_db, sign.data, SIGNATURE_BYTES);
    d->info.path = g_steal_pointer(&name);
    *out = d;
    return JET_errSuccess;
}

JET_ERR
dbs_redo_attach(struct recovery *r, const struct lr *lr)
{
    struct rdb *d;
    JET_ERR err = take_slot(r, lr->attach_db.dbid, lr->attach_db.path, lr->attach_db.sign_db, &d);
    if (err < 0)
        return err;
    d->info.consistent = lr->attach_db.consistent;
    d->info.cpg_max = lr->attach_db.cpg_size_max;
    return consider(r, d, lr->attach_db.sign_log.data, r->at);
}

/* ---- create ---- */

static void
new_header(struct recovery *r, const struct rdb *d, struct dbheader *h)
{
    dbheader_init(h, r->page_bytes);
    dbheader_set_dirty(h, d->info.attach.gen, gen_now(r));
    dbheader_set_u32(h, DBH_DBSTATE, DBSTATE_JUST_CREATED);
    dbheader_set_u32(h, DBH_DBID, d->info.dbid);
    dbheader_set_u64(h, DBH_TIME_GEN_MAX_CREATE, r->gen_created);
    dbheader_set_u64(h, DBH_TIME_ATTACH, logtime_now());
    lgpos_put(&h->bytes[DBH_LGPOS_ATTACH], d->info.attach);
    memcpy(&h->bytes[DBH_SIGN_DB], d->info.sign_db, SIGNATURE_BYTES);
    memcpy(&h->bytes[DBH_SIGN_LOG], r->signature, SIGNATURE_BYTES);
}

static JET_ERR
create_now(struct recovery *r, struct rdb *d, bool overwrite)
{
    g_autofree char *dir = g_path_get_dirname(d->path);
    if (!os_is_dir(dir))
        return JET_errSuccess; /* stays deferred */
    if (overwrite) {
        JET_ERR err = os_remove(d->path);
        if (err < 0)
            return err;
    }
    struct dbheader h;
    new_header(r, d, &h);
    struct dbfile_spec spec = spec_of(r, d);
    JET_ERR err = dbfile_create(&spec, &h, 0, &d->file);
    if (err < 0)
        return err;
    d->creating = true;
    return begin_redo(r, d);
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
    if (c == 0 && lgpos_cmp(consistent, r->at) < 0)
        return attach_now(r, d, h, false);
    d->future = c >= 0;
    return JET_errSuccess;
}

JET_ERR
dbs_redo_create(struct recovery *r, const struct lr *lr)
{
    if (!(lr->create_db.flags & 4) || lr->create_db.version != 2)
        return JET_errInvalidCreateDbVersion;
    struct rdb *d;
    JET_ERR err = take_slot(r, lr->create_db.dbid, lr->create_db.path, lr->create_db.sign_db, &d);
    if (err < 0)
        return err;
    d->info.cpg_max = lr->create_db.cpg_size_max;
    resolve(r, d);
    if (d->state == RDB_IGNORED)
        return JET_errSuccess;
    d->state = RDB_DEFERRED;
    if (!d->path)
        return JET_errSuccess;
    struct dbheader h;
    err = read_header(r, d->path, &h);
    if (err == JET_errFileNotFound)
        return create_now(r, d, os_exists(d->path));
    if (err == JET_errReadVerifyFailure || err == JET_errDatabaseCorrupted)
        return create_now(r, d, true);
    return err < 0 ? err : consider_existing(r, d, &h);
}

static void
stamp_created(struct dbheader *h, void *ctx)
{
    const struct stamp *s = ctx;
    dbheader_set_dirty(h, s->d->info.attach.gen, gen_now(s->r));
    dbheader_set_u64(h, DBH_TIME_GEN_MAX_CREATE, s->r->gen_created);
}

JET_ERR
dbs_redo_create_finish(struct recovery *r, const struct lr *lr)
{
    struct rdb *d = dbs_get(r, lr->create_db_finish.dbid);
    if (!d || d->state != RDB_ATTACHED || !d->creating)
        return JET_errSuccess;
    struct stamp stamp = {r, d, false};
    JET_ERR err = dbfile_header_update(d->file, stamp_created, &stamp);
    if (err >= 0)
        d->creating = false;
    return err;
}

/* ---- detach ---- */

struct clean {
    struct recovery *r;
    struct lgpos pos;
};

static void
stamp_clean(struct dbheader *h, void *ctx)
{
    const struct clean *c = ctx;
    uint64_t now = logtime_now();
    lgpos_put(&h->bytes[DBH_LGPOS_CONSISTENT], c->pos);
    lgpos_put(&h->bytes[DBH_LGPOS_DETACH], c->pos);
    dbheader_set_u64(h, DBH_TIME_CONSISTENT, now);
    dbheader_set_u64(h, DBH_TIME_DETACH, now);
    dbheader_set_u32(h, DBH_GEN_RECOVERING, 0);
    dbheader_set_clean(h);
    if (!recovery_is_hard(c->r))
        return;
    /* The next backup of a restored database must be a full one. */
    static const size_t marks[] = {DBH_BK_FULL_PREV, DBH_BK_INC_PREV,      DBH_BK_FULL_CUR,
                                   DBH_BK_COPY_PREV, DBH_BK_SNAPSHOT_CUR, DBH_BK_DIFF_PREV};
    for (size_t i = 0; i < G_N_ELEMENTS(marks); i++)
        memset(&h->bytes[marks[i]], 0, DBHEADER_BKINFO_BYTES);
}

JET_ERR
dbs_detach_clean(struct recovery *r, struct rdb *d, struct lgpos pos)
{
    if (d->creating) {
        g_autofree char *path = g_strdup(d->path);
        let_go(d);
        return os_remove(path);
    }
    JET_ERR err = cache_flush(d->file);
    if (err < 0)
        return err;
    struct clean clean = {r, pos};
    err = dbfile_header_update(d->file, stamp_clean, &clean);
    if (err < 0)
        return err;
    r->clean++;
    let_go(d);
    return JET_errSuccess;
}

JET_ERR
dbs_redo_detach(struct recovery *r, const struct lr *lr)
{
    struct rdb *d = dbs_get(r, lr->detach_db.dbid);
    if (!d)
        return JET_errLogFileCorrupt;
    if (d->state != RDB_ATTACHED) {
        forget(d);
        return JET_errSuccess;
    }
    txn_redo_forget(r->txn, 0);
    return dbs_detach_clean(r, d, r->at);
}

JET_ERR
dbs_detach_all_clean(struct recovery *r, struct lgpos pos)
{
    if (lgpos_is_zero(pos))
        pos = r->at;
    for (uint8_t dbid = 1; dbid <= RECOVERY_DBID_MAX; dbid++) {
        struct rdb *d = &r->dbs[dbid];
        JET_ERR err = JET_errSuccess;
        if (d->state == RDB_ATTACHED)
            err = dbs_detach_clean(r, d, pos);
        else
            forget(d);
        if (err < 0)
            return err;
    }
    return JET_errSuccess;
}

void
dbs_drop_all(struct recovery *r)
{
    for (uint8_t dbid = 1; dbid <= RECOVERY_DBID_MAX; dbid++)
        let_go(&r->dbs[dbid]);
}

JET_ERR
dbs_flush_all(struct recovery *r)
{
    for (uint8_t dbid = 1; dbid <= RECOVERY_DBID_MAX; dbid++) {
        struct rdb *d = &r->dbs[dbid];
        JET_ERR err = d->state == RDB_ATTACHED ? cache_flush(d->file) : JET_errSuccess;
        if (err < 0)
            return err;
    }
    return JET_errSuccess;
}

/* ---- generations ---- */

JET_ERR
dbs_enter_generation(struct recovery *r, int32_t gen, uint64_t created)
{
    for (uint8_t dbid = 1; dbid <= RECOVERY_DBID_MAX; dbid++) {
        struct rdb *d = &r->dbs[dbid];
        if (d->state != RDB_ATTACHED)
            continue;
        struct dbheader h;
        dbfile_header(d->file, &h);
        JET_ERR err = check_gen_time(&h, gen, created);
        if (err < 0)
            return err;
        note_gen(r, d);
    }
    return JET_errSuccess;
}

static int32_t
header_gen(struct rdb *d, size_t field)
{
    struct dbheader h;
    dbfile_header(d->file, &h);
    return (int32_t)dbheader_u32(&h, field);
}

struct committed {
    int32_t gen;
    uint64_t created;
};

static void
lower_committed(struct dbheader *h, void *ctx)
{
    const struct committed *c = ctx;
    dbheader_set_u32(h, DBH_GEN_MAX_COMMITTED, (uint32_t)c->gen);
    dbheader_set_u64(h, DBH_TIME_GEN_MAX_CREATE, c->created);
}

JET_ERR
dbs_check_complete(struct recovery *r, int32_t gen)
{
    for (uint8_t dbid = 1; dbid <= RECOVERY_DBID_MAX; dbid++) {
        struct rdb *d = &r->dbs[dbid];
        if (d->state != RDB_ATTACHED)
            continue;
        if (header_gen(d, DBH_GEN_MAX_REQUIRED) > gen)
            return JET_errRequiredLogFilesMissing;
        if (header_gen(d, DBH_GEN_MAX_COMMITTED) <= gen)
            continue;
        if (!(r->p->grbit & JET_bitReplayIgnoreLostLogs))
            return JET_errCommittedLogFilesMissing;
        struct committed c = {gen, r->gen_created};
        JET_ERR err = dbfile_header_update(d->file, lower_committed, &c);
        if (err < 0)
            return err;
        r->warning = MAX(r->warning, JET_wrnCommittedLogFilesLost);
    }
    return JET_errSuccess;
}

bool
dbs_beyond_required(struct recovery *r, int32_t gen)
{
    bool any = false;
    for (uint8_t dbid = 1; dbid <= RECOVERY_DBID_MAX; dbid++) {
        struct rdb *d = &r->dbs[dbid];
        if (d->state == RDB_ATTACHED && header_gen(d, DBH_GEN_MAX_REQUIRED) >= gen)
            return false;
        any = any || d->state == RDB_ATTACHED;
    }
    return any;
}

JET_ERR
dbs_check_missing(struct recovery *r)
{
    if (r->p->grbit & JET_bitReplayIgnoreMissingDB)
        return JET_errSuccess;
    bool shut_down = r->last_type == LR_SHUTDOWN_MARK;
    for (uint8_t dbid = 1; dbid <= RECOVERY_DBID_MAX; dbid++) {
        const struct rdb *d = &r->dbs[dbid];
        if (d->state == RDB_DEFERRED && !(shut_down && d->future)) {
            recovery_event(r, EVENT_RECOVERY_FAIL, "database %s is missing or another", d->info.path);
            return JET_errAttachedDatabaseMismatch;
        }
    }
    return JET_errSuccess;
}

size_t
dbs_attach_list(struct recovery *r, struct lgpos at, uint8_t out[ATTACH_LIST_BYTES])
{
    size_t used = 0;
    memset(out, 0, ATTACH_LIST_BYTES);
    for (uint8_t dbid = 1; dbid <= RECOVERY_DBID_MAX; dbid++) {
        struct rdb *d = &r->dbs[dbid];
        if (d->state != RDB_ATTACHED || lgpos_cmp(d->info.attach, at) >= 0)
            continue;
        struct attach_info info = d->info;
        info.dbtime = dbfile_dbtime_last(d->file);
        info.objid_last = dbfile_objid_last(d->file);
        if (attach_put(out, &used, &info) < 0)
            break;
    }
    return used;
}
