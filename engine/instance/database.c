/* SPDX-License-Identifier: MIT */
/* database: create, attach, detach, open, close (log format, 3.6); declared in instance/instance.h.
 */
#include <string.h>
#include <sys/random.h>

#include "btree/btree.h"
#include "cache/cache.h"
#include "cache/dbfile.h"
#include "instance/instance.h"
#include "log/attach.h"
#include "log/logtime.h"
#include "log/record.h"
#include "log/stream.h"
#include "os/file.h"
#include "page/dbheader.h"
#include "space/space.h"
#include "table/table.h"
#include "txn/session.h"

#define NEW_DATABASE_BASE_PAGES 30 /* of the catalog, as ESE counts */
#define NEW_DATABASE_MAX_EXTRA  224
#define NEW_DATABASE_MIN_PAGES  64 /* ours: system trees have two space pages each */

/* ---- records ---- */

static JET_ERR
append_durable(struct log *log, const struct lr *lr, struct lgpos *at)
{
    struct lr_parts parts;
    lr_encode(lr, &parts);
    JET_ERR err = log_append(log, parts.iov, parts.n, at);
    return err < 0 ? err : log_flush(log, *at);
}

static JET_ERR
log_create_db(struct instance *inst, struct instance_db *db, JET_GRBIT grbit, uint32_t pages_max)
{
    size_t n = 0;
    g_autofree uint8_t *path = attach_path_encode(db->path, &n);
    if (!path)
        return JET_errDatabaseInvalidPath;
    struct lr lr = {.type = LR_CREATE_DB,
                    .create_db = {.dbid = db->dbid,
                                  .grbit = grbit,
                                  .cpg_size_max = pages_max,
                                  .sign_db = span_of(db->sign_db, sizeof(db->sign_db)),
                                  .flags = 4 | 8,
                                  .version = 2,
                                  .path = span_of(path, n)}};
    struct lgpos at;
    JET_ERR err = append_durable(inst->log, &lr, &at);
    if (err >= 0) {
        g_mutex_lock(&inst->dbs_lock);
        db->attach = at;
        g_mutex_unlock(&inst->dbs_lock);
    }
    return err;
}

static JET_ERR
log_attach_db(struct instance *inst, struct instance_db *db, const struct dbheader *header)
{
    size_t n = 0;
    g_autofree uint8_t *path = attach_path_encode(db->path, &n);
    if (!path)
        return JET_errDatabaseInvalidPath;
    struct lr lr = {.type = LR_ATTACH_DB,
                    .attach_db = {.dbid = db->dbid,
                                  .consistent = db->consistent,
                                  .sign_db = span_of(db->sign_db, sizeof(db->sign_db)),
                                  .sign_log = span_of(&header->bytes[DBH_SIGN_LOG], 28),
                                  .flags = 8,
                                  .path = span_of(path, n)}};
    struct lgpos at;
    JET_ERR err = append_durable(inst->log, &lr, &at);
    if (err >= 0) {
        g_mutex_lock(&inst->dbs_lock);
        db->attach = at;
        g_mutex_unlock(&inst->dbs_lock);
    }
    return err;
}

static JET_ERR
log_detach_db(struct instance *inst, const struct instance_db *db, struct lgpos *at)
{
    size_t n = 0;
    g_autofree uint8_t *path = attach_path_encode(db->path, &n);
    struct lr lr = {.type = LR_DETACH_DB,
                    .detach_db = {.dbid = db->dbid, .flags = 0x10, .path = span_of(path, n)}};
    return append_durable(inst->log, &lr, at);
}

/* ---- headers ---- */

struct stamp {
    struct instance *inst;
    struct instance_db *db;
    struct lgpos at;
};

static void
put_signature_new(uint8_t out[28])
{
    memset(out, 0, 28);
    if (getrandom(out, 4, 0) != 4)
        le32_put(out, (uint32_t)g_random_int());
    le64_put(out + 4, logtime_now());
}

/* After an attach: dirty, and whatever belonged to another attach or another log stream is gone. */
static void
stamp_attached(struct dbheader *h, void *ctx)
{
    const struct stamp *s = ctx;
    const uint8_t *sign_log = log_signature(s->inst->log);
    if (memcmp(&h->bytes[DBH_SIGN_LOG], sign_log, 28) != 0) {
        memset(&h->bytes[DBH_BK_FULL_PREV], 0, DBHEADER_BKINFO_BYTES);
        memset(&h->bytes[DBH_BK_INC_PREV], 0, DBHEADER_BKINFO_BYTES);
        memset(&h->bytes[DBH_BK_COPY_PREV], 0, DBHEADER_BKINFO_BYTES);
        memset(&h->bytes[DBH_BK_DIFF_PREV], 0, DBHEADER_BKINFO_BYTES);
    }
    memcpy(&h->bytes[DBH_SIGN_LOG], sign_log, 28);
    memset(&h->bytes[DBH_BK_FULL_CUR], 0, DBHEADER_BKINFO_BYTES);
    memset(&h->bytes[DBH_BK_SNAPSHOT_CUR], 0, DBHEADER_BKINFO_BYTES);
    lgpos_put(&h->bytes[DBH_LGPOS_ATTACH], s->at);
    dbheader_set_u64(h, DBH_TIME_ATTACH, logtime_now());
    lgpos_put(&h->bytes[DBH_LGPOS_DETACH], LGPOS_MIN);
    dbheader_set_u64(h, DBH_TIME_DETACH, 0);
    dbheader_set_u32(h, DBH_DBID, s->db->dbid);
    dbheader_set_dirty(h, s->at.gen, MAX(s->at.gen, log_gen(s->inst->log)));
}

/* A finished creation: the attach position stays that of the CreateDB record. */
static void
stamp_created(struct dbheader *h, void *ctx)
{
    const struct stamp *s = ctx;
    dbheader_set_dirty(h, s->at.gen, MAX(s->at.gen, log_gen(s->inst->log)));
}

static void
stamp_clean(struct dbheader *h, void *ctx)
{
    const struct stamp *s = ctx;
    uint64_t now = logtime_now();
    lgpos_put(&h->bytes[DBH_LGPOS_CONSISTENT], s->at);
    dbheader_set_u64(h, DBH_TIME_CONSISTENT, now);
    lgpos_put(&h->bytes[DBH_LGPOS_DETACH], s->at);
    dbheader_set_u64(h, DBH_TIME_DETACH, now);
    dbheader_set_clean(h);
}

/* ---- the array ---- */

/* A free entry, marked taken for this path. The work lock is held. */
static struct instance_db *
take_entry(struct instance *inst, const char *path)
{
    struct instance_db *found = NULL;
    g_mutex_lock(&inst->dbs_lock);
    for (size_t i = 0; i < INSTANCE_DBS && !found; i++) {
        if (inst->dbs[i].dbid == 0) {
            found = &inst->dbs[i];
            *found = (struct instance_db) {.dbid = (uint8_t)(i + 1), .path = g_strdup(path)};
        }
    }
    g_mutex_unlock(&inst->dbs_lock);
    return found;
}

static void
release_entry(struct instance *inst, struct instance_db *db)
{
    table_db_close(db->catalog);
    space_detach(db->trees);
    g_mutex_lock(&inst->dbs_lock); /* the checkpoint and attach lists may look at it */
    struct dbfile *file = g_steal_pointer(&db->file);
    g_free(db->path);
    *db = (struct instance_db) {0};
    g_mutex_unlock(&inst->dbs_lock);
    dbfile_close(file);
}

static struct instance_db *
find_entry(struct instance *inst, const char *path)
{
    struct instance_db *found = NULL;
    g_mutex_lock(&inst->dbs_lock);
    for (size_t i = 0; i < INSTANCE_DBS && !found; i++) {
        if (inst->dbs[i].dbid && strcmp(inst->dbs[i].path, path) == 0)
            found = &inst->dbs[i];
    }
    g_mutex_unlock(&inst->dbs_lock);
    return found;
}

void
instance_each_db(struct instance *inst, void (*fn)(struct instance_db *db, void *ctx), void *ctx)
{
    g_mutex_lock(&inst->dbs_lock);
    for (size_t i = 0; i < INSTANCE_DBS; i++) {
        if (inst->dbs[i].dbid && inst->dbs[i].catalog)
            fn(&inst->dbs[i], ctx);
    }
    g_mutex_unlock(&inst->dbs_lock);
}

struct instance_db *
instance_db_get(struct instance *inst, JET_DBID dbid)
{
    if (dbid < 1 || dbid > INSTANCE_DBS)
        return NULL;
    struct instance_db *db = &inst->dbs[dbid - 1];
    g_mutex_lock(&inst->dbs_lock);
    bool open = db->dbid && db->opens > 0;
    g_mutex_unlock(&inst->dbs_lock);
    return open ? db : NULL;
}

/* The list of attached databases must fit log headers and the checkpoint. */
static bool
attach_list_fits(struct instance *inst, const char *path)
{
    size_t total = ATTACH_FIXED_BYTES + 2 * (strlen(path) + 1);
    g_mutex_lock(&inst->dbs_lock);
    for (size_t i = 0; i < INSTANCE_DBS; i++) {
        if (inst->dbs[i].dbid)
            total += ATTACH_FIXED_BYTES + 2 * (strlen(inst->dbs[i].path) + 1);
    }
    g_mutex_unlock(&inst->dbs_lock);
    return total < ATTACH_LIST_BYTES;
}

static JET_ERR
full_path(const char *path, char **full)
{
    if (!path || !*path)
        return JET_errDatabaseInvalidPath;
    JET_ERR err = os_path_full(path, full);
    return err < 0 ? JET_errDatabaseInvalidPath : err;
}

/* ---- create ---- */

static JET_ERR
fill_new_database(struct instance *inst, struct instance_db *db, uint32_t pages)
{
    struct session *s = NULL;
    JET_ERR err = session_new(inst->txn, &s);
    if (err < 0)
        return err;
    err = session_begin(s, 0);
    if (err >= 0) {
        err = space_create_database_root(s, db->trees, pages);
        if (err >= 0)
            err = table_db_create(s, db->trees);
        if (err >= 0)
            err = session_commit(s, 0, NULL);
        if (err < 0 && session_level(s) > 0)
            (void)session_rollback(s, JET_bitRollbackAll); /* the file is thrown away */
    }
    session_free(s);
    return err;
}

static JET_ERR
make_database_file(struct instance *inst, struct instance_db *db, uint32_t pages)
{
    struct dbheader header;
    dbheader_init(&header, cache_page_bytes(inst->cache));
    memcpy(&header.bytes[DBH_SIGN_DB], db->sign_db, 28);
    memcpy(&header.bytes[DBH_SIGN_LOG], log_signature(inst->log), 28);
    lgpos_put(&header.bytes[DBH_LGPOS_ATTACH], db->attach);
    dbheader_set_u64(&header, DBH_TIME_ATTACH, logtime_now());
    dbheader_set_u32(&header, DBH_DBID, db->dbid);
    dbheader_set_u32(&header, DBH_GEN_MIN_REQUIRED, (uint32_t)db->attach.gen);
    dbheader_set_u32(&header, DBH_GEN_MAX_REQUIRED, (uint32_t)db->attach.gen);
    dbheader_set_u32(&header, DBH_GEN_MAX_COMMITTED, (uint32_t)db->attach.gen);
    struct dbfile_spec spec = {
        .cache = inst->cache, .path = db->path, .dbid = db->dbid, .log = inst->log};
    struct dbfile *file = NULL;
    JET_ERR err = dbfile_create(&spec, &header, pages, &file);
    g_mutex_lock(&inst->dbs_lock);
    db->file = file;
    g_mutex_unlock(&inst->dbs_lock);
    return err;
}

static JET_ERR
finish_database(struct instance *inst, struct instance_db *db)
{
    struct lr lr = {.type = LR_CREATE_DB_FINISH, .create_db_finish = {.dbid = db->dbid}};
    struct lgpos at;
    JET_ERR err = append_durable(inst->log, &lr, &at);
    struct stamp stamp = {inst, db, db->attach};
    if (err >= 0)
        err = dbfile_header_update(db->file, stamp_created, &stamp);
    if (err >= 0)
        err = cache_flush(db->file);
    if (err >= 0)
        err = table_db_open(db->trees, &db->catalog);
    return err;
}

static JET_ERR
create_at(struct instance *inst, struct instance_db *db, uint32_t pages_max, JET_GRBIT grbit)
{
    uint32_t extra = (uint32_t)params_number(inst->params, JET_paramDbExtensionSize);
    uint32_t pages = NEW_DATABASE_BASE_PAGES + MIN(extra, NEW_DATABASE_MAX_EXTRA);
    pages = MAX(pages, NEW_DATABASE_MIN_PAGES);
    put_signature_new(db->sign_db);
    JET_ERR err = log_create_db(inst, db, grbit, pages_max);
    if (err >= 0)
        err = make_database_file(inst, db, pages);
    if (err >= 0)
        err = space_attach(db->file, inst->txn, extra, &db->trees);
    if (err >= 0)
        err = fill_new_database(inst, db, pages);
    if (err >= 0)
        err = finish_database(inst, db);
    return err;
}

static JET_ERR
make_way(const char *path, JET_GRBIT grbit)
{
    if (!os_exists(path))
        return JET_errSuccess;
    if (!(grbit & JET_bitDbOverwriteExisting))
        return JET_errDatabaseDuplicate;
    bool locked = false;
    JET_ERR err = os_file_is_locked(path, &locked);
    if (err >= 0 && locked)
        err = JET_errDatabaseSharingViolation;
    return err < 0 ? err : os_remove(path);
}

static JET_ERR
create_locked(struct instance *inst, const char *path, uint32_t pages_max, JET_GRBIT grbit,
              JET_DBID *dbid)
{
    if (find_entry(inst, path))
        return JET_errDatabaseDuplicate;
    if (!attach_list_fits(inst, path))
        return JET_errTooManyAttachedDatabases;
    JET_ERR err = log_check_state(inst->log);
    if (err >= 0)
        err = make_way(path, grbit);
    if (err < 0)
        return err;
    struct instance_db *db = take_entry(inst, path);
    if (!db)
        return JET_errTooManyAttachedDatabases;
    err = create_at(inst, db, pages_max, grbit);
    if (err < 0) {
        bool made = db->file != NULL;
        struct lgpos at;
        (void)txn_cleanup(inst->txn, 0, NULL);
        if (!lgpos_is_zero(db->attach)) /* redo must let go of it: its number will be used again */
            (void)log_detach_db(inst, db, &at);
        release_entry(inst, db);
        if (made)
            (void)os_remove(path); /* half a database is worth nothing */
        return err;
    }
    g_mutex_lock(&inst->dbs_lock);
    db->opens = 1;
    g_mutex_unlock(&inst->dbs_lock);
    *dbid = db->dbid;
    event_report(inst->events, EVENT_DATABASE_CREATE, path, NULL);
    return instance_checkpoint(inst, false);
}

JET_ERR
instance_create_database(struct instance *inst, const char *path, uint32_t pages_max,
                         JET_GRBIT grbit, JET_DBID *dbid)
{
    g_autofree char *full = NULL;
    JET_ERR err = full_path(path, &full);
    if (err < 0)
        return err;
    g_mutex_lock(&inst->work);
    err = create_locked(inst, full, pages_max, grbit, dbid);
    g_mutex_unlock(&inst->work);
    return err;
}

/* ---- attach ---- */

static JET_ERR
check_state(struct instance *inst, const struct instance_db *db, const struct dbheader *h)
{
    switch (dbheader_u32(h, DBH_DBSTATE)) {
    case DBSTATE_CLEAN:
        break;
    case DBSTATE_DIRTY:
    case DBSTATE_DIRTY_PATCHED:
        if (dbheader_u32(h, DBH_BK_FULL_CUR + BKINFO_GEN_LOW) == 0)
            return JET_errDatabaseDirtyShutdown;
        event_report(inst->events, EVENT_ATTACH_BACKUP_DATABASE, db->path, NULL);
        return JET_errSoftRecoveryOnBackupDatabase;
    case DBSTATE_BEING_CONVERTED:
        return JET_errDatabaseIncompleteUpgrade;
    case DBSTATE_INC_RESEED:
        return JET_errDatabaseIncompleteIncrementalReseed;
    case DBSTATE_REVERT:
        return JET_errDatabaseIncompleteRevert;
    default:
        return JET_errDatabaseCorrupted;
    }
    /* We do not know how to change what later formats added. */
    bool newer = dbheader_u32(h, DBH_UPDATE_MAJOR) > DBHEADER_UPDATE;
    return newer && !db->readonly ? JET_errInvalidDatabaseVersion : JET_errSuccess;
}

static JET_ERR
attach_at(struct instance *inst, struct instance_db *db)
{
    struct dbfile_spec spec = {.cache = inst->cache,
                               .path = db->path,
                               .dbid = db->dbid,
                               .readonly = db->readonly,
                               .log = db->readonly ? NULL : inst->log};
    struct dbfile *file = NULL;
    JET_ERR err = dbfile_open(&spec, &file);
    if (err < 0)
        return err;
    g_mutex_lock(&inst->dbs_lock);
    db->file = file;
    g_mutex_unlock(&inst->dbs_lock);
    struct dbheader header;
    dbfile_header(file, &header);
    err = check_state(inst, db, &header);
    if (err >= 0 && !db->readonly) {
        memcpy(db->sign_db, &header.bytes[DBH_SIGN_DB], 28);
        db->consistent = lgpos_get(&header.bytes[DBH_LGPOS_CONSISTENT]);
        err = log_attach_db(inst, db, &header);
        struct stamp stamp = {inst, db, db->attach};
        if (err >= 0)
            err = dbfile_header_update(file, stamp_attached, &stamp);
    }
    uint32_t extend = (uint32_t)params_number(inst->params, JET_paramDbExtensionSize);
    if (err >= 0)
        err = space_attach(file, inst->txn, extend, &db->trees);
    if (err >= 0)
        err = table_db_open(db->trees, &db->catalog);
    return err;
}

/* An attach that got as far as the header leaves it as a detach would. */
static void
undo_attach(struct instance *inst, struct instance_db *db)
{
    if (lgpos_is_zero(db->attach))
        return;
    struct stamp stamp = {.inst = inst, .db = db};
    if (log_detach_db(inst, db, &stamp.at) >= 0)
        (void)dbfile_header_update(db->file, stamp_clean, &stamp); /* the first error is reported */
}

static JET_ERR
attach_locked(struct instance *inst, const char *path, JET_GRBIT grbit)
{
    if (find_entry(inst, path))
        return JET_wrnDatabaseAttached;
    if (!attach_list_fits(inst, path))
        return JET_errTooManyAttachedDatabases;
    JET_ERR err = grbit & JET_bitDbReadOnly ? JET_errSuccess : log_check_state(inst->log);
    if (err < 0)
        return err;
    struct instance_db *db = take_entry(inst, path);
    if (!db)
        return JET_errTooManyAttachedDatabases;
    db->readonly = (grbit & JET_bitDbReadOnly) != 0;
    err = attach_at(inst, db);
    if (err < 0) {
        undo_attach(inst, db);
        release_entry(inst, db);
        return err;
    }
    event_report(inst->events, EVENT_DATABASE_ATTACH, path, NULL);
    return JET_errSuccess;
}

JET_ERR
instance_attach_database(struct instance *inst, const char *path, JET_GRBIT grbit)
{
    g_autofree char *full = NULL;
    JET_ERR err = full_path(path, &full);
    if (err < 0)
        return err;
    g_mutex_lock(&inst->work);
    err = atomic_load(&inst->backup_error);
    if (err >= 0)
        err = attach_locked(inst, full, grbit);
    g_mutex_unlock(&inst->work);
    return err;
}

/* ---- detach ---- */

static JET_ERR
clean_header(struct instance *inst, struct instance_db *db, struct lgpos at)
{
    struct stamp stamp = {inst, db, at};
    return dbfile_header_update(db->file, stamp_clean, &stamp);
}

static JET_ERR
detach_entry(struct instance *inst, struct instance_db *db)
{
    g_mutex_lock(&inst->dbs_lock);
    bool in_use = db->opens > 0;
    g_mutex_unlock(&inst->dbs_lock);
    if (in_use || table_db_open_count(db->catalog) > 0)
        return JET_errDatabaseInUse;
    JET_ERR err = JET_errSuccess;
    if (!db->readonly) {
        uint64_t left = 0;
        struct lgpos at = LGPOS_MIN;
        err = txn_cleanup(inst->txn, 0, &left);
        if (err >= 0 && left > 0)
            return JET_errDatabaseInUse; /* a transaction may still read, or undo, in it */
        if (err >= 0)
            err = cache_flush(db->file);
        if (err >= 0)
            err = log_detach_db(inst, db, &at);
        if (err >= 0)
            err = clean_header(inst, db, at);
        if (err < 0)
            return err;
    }
    event_report(inst->events, EVENT_DATABASE_DETACH, db->path, NULL);
    release_entry(inst, db);
    return JET_errSuccess;
}

static JET_ERR
detach_locked(struct instance *inst, const char *path)
{
    if (path) {
        struct instance_db *db = find_entry(inst, path);
        return db ? detach_entry(inst, db) : JET_errDatabaseNotFound;
    }
    JET_ERR err = JET_errSuccess;
    for (size_t i = 0; err >= 0 && i < INSTANCE_DBS; i++) {
        if (inst->dbs[i].dbid)
            err = detach_entry(inst, &inst->dbs[i]);
    }
    return err;
}

JET_ERR
instance_detach_database(struct instance *inst, const char *path)
{
    g_autofree char *full = NULL;
    JET_ERR err = path ? full_path(path, &full) : JET_errSuccess;
    if (err < 0)
        return err;
    g_mutex_lock(&inst->work);
    err = atomic_load(&inst->backup_error);
    if (err >= 0)
        err = detach_locked(inst, full);
    g_mutex_unlock(&inst->work);
    return err;
}

/* ---- open and close ---- */

JET_ERR
instance_open_database(struct instance *inst, const char *path, JET_GRBIT grbit, JET_DBID *dbid)
{
    g_autofree char *full = NULL;
    JET_ERR err = full_path(path, &full);
    if (err < 0)
        return err;
    g_mutex_lock(&inst->work);
    struct instance_db *db = find_entry(inst, full);
    if (db) {
        g_mutex_lock(&inst->dbs_lock);
        db->opens++;
        g_mutex_unlock(&inst->dbs_lock);
        *dbid = db->dbid;
        err =
            db->readonly && !(grbit & JET_bitDbReadOnly) ? JET_wrnFileOpenReadOnly : JET_errSuccess;
    } else {
        err = JET_errDatabaseNotFound;
    }
    g_mutex_unlock(&inst->work);
    return err;
}

JET_ERR
instance_close_database(struct instance *inst, JET_DBID dbid)
{
    struct instance_db *db = instance_db_get(inst, dbid);
    if (!db)
        return JET_errInvalidDatabaseId;
    g_mutex_lock(&inst->dbs_lock);
    db->opens--;
    g_mutex_unlock(&inst->dbs_lock);
    return JET_errSuccess;
}

/* ---- shutdown ---- */

JET_ERR
instance_close_databases_clean(struct instance *inst, struct lgpos shutdown_mark)
{
    JET_ERR err = JET_errSuccess;
    for (size_t i = 0; err >= 0 && i < INSTANCE_DBS; i++) {
        struct instance_db *db = &inst->dbs[i];
        if (!db->dbid || db->readonly)
            continue;
        err = cache_flush(db->file);
        if (err >= 0)
            err = clean_header(inst, db, shutdown_mark);
    }
    return err;
}

void
instance_drop_databases(struct instance *inst)
{
    for (size_t i = 0; i < INSTANCE_DBS; i++) {
        if (inst->dbs[i].dbid)
            release_entry(inst, &inst->dbs[i]);
    }
}
