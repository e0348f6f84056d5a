/* SPDX-License-Identifier: MIT */
/*
 * dbs: the databases of a run: found from attach lists and records, attached, detached.
 *
 *   NONE -> ATTACHED, DEFERRED, IGNORED  (here and in dbs_create.c)
 *   any -> NONE                          (dbs_end.c)
 *
 * A file is touched only after its header has passed the table (check.c). While ATTACHED its header
 * is dirty or just created.
 */
#include "recovery/dbs.h"

#include "log/logtime.h"
#include "os/file.h"
#include "space/space.h"

struct rdb *
dbs_get(struct recovery *r, uint8_t dbid)
{
    return dbid >= 1 && dbid <= RECOVERY_DBID_MAX ? &r->dbs[dbid] : NULL;
}

void
dbs_forget(struct rdb *d)
{
    attach_info_clear(&d->info);
    g_free(d->path);
    *d = (struct rdb) {0};
}

void
dbs_let_go(struct rdb *d)
{
    space_detach(d->db);
    dbfile_close(d->file);
    dbs_forget(d);
}

/* ---- where is the file? ---- */

static const char *
file_name(const char *logged)
{
    const char *slash = strrchr(logged, '/'), *back = strrchr(logged, '\\');
    const char *last = back > slash ? back : slash;
    return last ? last + 1 : logged;
}

/* name: a whole path, or the last part of one. */
static bool
names(const char *name, const char *logged)
{
    if (!strpbrk(name, "/\\"))
        logged = file_name(logged);
    return strchr(logged, '\\') || strchr(name, '\\') ? g_ascii_strcasecmp(name, logged) == 0
                                                      : strcmp(name, logged) == 0;
}

static bool
maps(const struct recovery_map *m, const struct rdb *d)
{
    if (m->sign_db)
        return memcmp(m->sign_db, d->info.sign_db, SIGNATURE_BYTES) == 0;
    return m->log_path && names(m->log_path, d->info.path);
}

/* Is a database that the log creates wanted? */
static bool
is_wanted(const struct recovery *r, const char *logged)
{
    if (!r->p->only)
        return true;
    for (const char *const *name = r->p->only; *name; name++) {
        if (names(*name, logged))
            return true;
    }
    return false;
}

/* Not in the map: created in the range of a hard recovery, it still belongs to the result. */
static char *
path_unmapped(const struct recovery *r, const struct rdb *d)
{
    if (!recovery_is_hard(r)) {
        bool in_place = r->p->n_map == 0 || (r->p->grbit & JET_bitReplayMissingMapEntryDB);
        return in_place ? g_strdup(d->info.path) : NULL;
    }
    if (!r->p->create_dir || !is_wanted(r, d->info.path))
        return NULL;
    g_autofree char *path = g_build_filename(r->p->create_dir, file_name(d->info.path), NULL);
    return d->creating || os_exists(path) ? g_steal_pointer(&path) : NULL;
}

/* Sets path and, for what the map leaves out, IGNORED. */
void
dbs_resolve(struct recovery *r, struct rdb *d)
{
    for (size_t i = 0; i < r->p->n_map; i++) {
        if (maps(&r->p->map[i], d)) {
            d->path = g_strdup(r->p->map[i].file_path);
            if (recovery_is_hard(r) && strcmp(d->path, d->info.path) != 0)
                recovery_event(r, EVENT_RECOVERY_MOVED, d->info.path, d->path, NULL);
            return;
        }
    }
    g_autofree char *path = path_unmapped(r, d);
    if (!path)
        d->state = RDB_IGNORED;
    else if (path[0] == '/')
        d->path = g_steal_pointer(&path);
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
JET_ERR
dbs_read_header(struct recovery *r, const char *path, struct dbheader *h)
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

int32_t
dbs_gen_now(const struct recovery *r)
{
    return r->gen ? r->gen : r->start.gen;
}

JET_ERR
dbs_check_gen_time(const struct dbheader *h, int32_t gen, uint64_t created)
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
        dbheader_set_dirty(h, gen, dbs_gen_now(s->r));
        dbheader_set_u64(h, DBH_TIME_GEN_MAX_CREATE, s->r->gen_created);
    }
    dbheader_set_u32(h, DBH_GEN_RECOVERING, (uint32_t)dbs_gen_now(s->r));
}

void
dbs_note_gen(struct recovery *r, struct rdb *d)
{
    if (r->gen)
        dbfile_note_gen_time(d->file, r->gen, r->gen_created);
}

/* The file is open in d->file: makes trees of it. On error it is closed. */
JET_ERR
dbs_begin_redo(struct recovery *r, struct rdb *d)
{
    JET_ERR err = space_attach(d->file, r->txn, 0, &d->db);
    if (err < 0) {
        dbfile_close(g_steal_pointer(&d->file));
        return err;
    }
    dbs_note_gen(r, d);
    dbfile_dbtime_raise(d->file, d->info.dbtime);
    dbfile_objid_raise(d->file, d->info.objid_last);
    d->skip_to = d->info.attach;
    d->state = RDB_ATTACHED;
    return JET_errSuccess;
}

struct dbfile_spec
dbs_spec_of(struct recovery *r, struct rdb *d)
{
    return (struct dbfile_spec) {.cache = r->cache, .path = d->path, .dbid = d->info.dbid};
}

JET_ERR
dbs_attach_now(struct recovery *r, struct rdb *d, const struct dbheader *h, bool fresh)
{
    int32_t min = (int32_t)dbheader_u32(h, DBH_GEN_MIN_REQUIRED);
    if (min != 0 && min < dbs_gen_now(r)) {
        recovery_event_db(r, EVENT_RECOVERY_MISSING_LOW, d->path, dbs_gen_now(r), min);
        return JET_errRequiredLogFilesMissing;
    }
    JET_ERR err = r->gen ? dbs_check_gen_time(h, r->gen, r->gen_created) : JET_errSuccess;
    if (err < 0)
        return err;
    const uint8_t *bk = &h->bytes[DBH_BK_FULL_CUR];
    if (!fresh && !recovery_is_hard(r) && le32_get(bk + BKINFO_GEN_LOW) != 0 &&
        le32_get(bk + BKINFO_GEN_HIGH) == 0) {
        recovery_event(r, EVENT_RECOVERY_BACKUP_DATABASE, d->path, NULL);
        return JET_errSoftRecoveryOnBackupDatabase;
    }
    d->required = (int32_t)dbheader_u32(h, DBH_GEN_MAX_REQUIRED);
    struct dbfile_spec spec = dbs_spec_of(r, d);
    err = dbfile_open(&spec, &d->file);
    if (err < 0)
        return err;
    struct stamp stamp = {r, d, fresh};
    err = dbfile_header_update(d->file, stamp_attached, &stamp);
    if (err < 0) {
        dbfile_close(g_steal_pointer(&d->file));
        return err;
    }
    return dbs_begin_redo(r, d);
}

/* d->info is set: finds the file and decides. */
static JET_ERR
consider(struct recovery *r, struct rdb *d, const uint8_t *sign_log, struct lgpos redo)
{
    dbs_resolve(r, d);
    if (d->state == RDB_IGNORED)
        return JET_errSuccess;
    d->state = RDB_DEFERRED;
    if (!d->path)
        return JET_errSuccess;
    struct dbheader h;
    JET_ERR err = dbs_read_header(r, d->path, &h);
    if (err < 0)
        return err == JET_errFileNotFound ? JET_errSuccess : err;
    struct logged_db l = {d->info.sign_db, sign_log, d->info.attach, d->info.consistent, redo};
    enum verdict verdict;
    err = check_attach(&h, &l, r->signature, &verdict);
    if (err < 0) {
        g_autofree char *text = g_strdup_printf("database %s: error %d", d->path, err);
        recovery_event(r, EVENT_RECOVERY_FAIL, text, NULL);
        return err;
    }
    d->future = verdict == VERDICT_DEFER_FUTURE;
    if (verdict == VERDICT_DEFER || verdict == VERDICT_DEFER_FUTURE)
        return JET_errSuccess;
    return dbs_attach_now(r, d, &h, verdict == VERDICT_ATTACH_STAMP);
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
JET_ERR
dbs_take_slot(struct recovery *r, uint8_t dbid, struct span path, struct span sign,
              struct rdb **out)
{
    struct rdb *d = dbs_get(r, dbid);
    g_autofree char *name = attach_path_decode(path);
    if (!d || d->state == RDB_ATTACHED || !name)
        return JET_errLogFileCorrupt;
    dbs_forget(d);
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
    JET_ERR err =
        dbs_take_slot(r, lr->attach_db.dbid, lr->attach_db.path, lr->attach_db.sign_db, &d);
    if (err < 0)
        return err;
    d->info.consistent = lr->attach_db.consistent;
    d->info.cpg_max = lr->attach_db.cpg_size_max;
    return consider(r, d, lr->attach_db.sign_log.data, r->at);
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
