/* SPDX-License-Identifier: MIT */
/*
 * verify_times: could redo go from these pages through these logs? (log format 3.4, 3.7)
 *
 * Each record that changes a page names the page's dbtime before and after. So does a page that
 * lost a write, or came from another copy, give itself away without anything being redone: only the
 * times of pages that the logs name are followed, read from the files when they are first met.
 * What the logs do not name is not seen here.
 */
#include <string.h>

#include "backup/verify_parts.h"
#include "log/reader.h"
#include "log/record.h"
#include "os/file.h"
#include "page/page.h"

#define DBID_MAX    6
#define NO_PAGE     INT64_MIN /* cannot be read, or zero */
#define HEADER_READ 16

/* One change of one page. */
struct change {
    uint32_t pgno;
    int64_t dbtime;
    int64_t before; /* LR_DBTIME_NIL: made anew, whatever it was */
};

/* The changes of a split or merge count together, when it is committed. */
struct macro {
    uint8_t dbid;
    int64_t dbtime;
    GArray *changes;
};

/* A database of the set. What was seen of it stays when it is detached and attached again. */
struct followed {
    const struct copyset_db *db;
    struct os_file *file; /* NULL before it is attached first */
    uint64_t end;         /* of its pages */
    GHashTable *times;    /* pgno -> gint64: dbtime now */
};

struct times {
    struct verify *v;
    struct followed *all;               /* one for each database of the set */
    struct followed *dbs[DBID_MAX + 1]; /* NULL: not attached at this point, or not in the set */
    GHashTable *sessions; /* procids whose Begin0 was seen: others are skipped by redo too */
    GHashTable *macros;   /* procid -> struct macro */
    const char *log;      /* being read */
    struct lgpos at;
};

static void
macro_free(gpointer data)
{
    struct macro *m = data;
    g_array_unref(m->changes);
    g_free(m);
}

/* ---- databases ---- */

static void
forget(struct followed *f)
{
    os_file_close(f->file);
    g_clear_pointer(&f->times, g_hash_table_unref);
}

static JET_ERR
open_followed(struct followed *f, const struct copyset_db *db)
{
    if (f->file != NULL)
        return JET_errSuccess;
    JET_ERR err = verify_pages_end(db, &f->end);
    if (err < 0)
        return err;
    f->db = db;
    f->times = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
    return os_file_open(db->path, OS_OPEN_READ, &f->file);
}

static JET_ERR
follow(struct times *t, uint8_t dbid, const uint8_t *sign_db)
{
    if (dbid == 0 || dbid > DBID_MAX)
        return JET_errSuccess;
    t->dbs[dbid] = NULL;
    for (guint i = 0; i < t->v->set.dbs->len; i++) {
        const struct copyset_db *db = copyset_db(&t->v->set, i);
        if (!copyset_db_is_backup(db) ||
            memcmp(db->header.bytes + DBH_SIGN_DB, sign_db, SIGNATURE_BYTES) != 0)
            continue;
        t->dbs[dbid] = &t->all[i];
        return open_followed(&t->all[i], db);
    }
    return JET_errSuccess;
}

static JET_ERR
follow_list(struct times *t, const uint8_t list[ATTACH_LIST_BYTES])
{
    struct cursor c = cursor_over(list, ATTACH_LIST_BYTES);
    struct attach_info info;
    JET_ERR err;
    while ((err = attach_next(&c, &info)) == 1) {
        err = follow(t, info.dbid, info.sign_db);
        attach_info_clear(&info);
        if (err < 0)
            return err;
    }
    return err;
}

static int64_t *
time_of(const struct followed *f, uint32_t pgno)
{
    int64_t *now = g_hash_table_lookup(f->times, GUINT_TO_POINTER(pgno));
    if (now != NULL)
        return now;
    uint8_t head[HEADER_READ];
    const uint64_t offset = ((uint64_t)pgno + 1) * f->db->page_bytes;
    const bool there = offset + f->db->page_bytes <= f->end;
    now = g_new(int64_t, 1);
    *now = NO_PAGE;
    if (there && os_file_read(f->file, offset, head, sizeof head) >= 0 &&
        (le64_get(head) != 0 || le64_get(head + 8) != 0))
        *now = (int64_t)le64_get(head + 8);
    g_hash_table_insert(f->times, GUINT_TO_POINTER(pgno), now);
    return now;
}

/* ---- the rule ---- */

static void
apply(struct times *t, uint8_t dbid, const struct change *c)
{
    const struct followed *f = t->dbs[dbid];
    if (f == NULL || c->pgno == 0)
        return;
    int64_t *now = time_of(f, c->pgno);
    if (*now >= c->dbtime)
        return;
    if (c->before != LR_DBTIME_NIL && *now != c->before) {
        const JET_ERR err = *now == NO_PAGE    ? JET_errPageNotInitialized
                            : *now < c->before ? JET_errDbTimeTooOld
                                               : JET_errDbTimeTooNew;
        g_autofree char *reason =
            *now == NO_PAGE
                ? g_strdup("page is empty, but the logs change what was there: a lost write")
                : g_strdup_printf("page of time 0x%" G_GINT64_MODIFIER "x, but the logs change one "
                                  "of 0x%" G_GINT64_MODIFIER "x: a lost write",
                                  *now, c->before);
        verify_fail(t->v, err, f->db->path, ((uint64_t)c->pgno + 1) * f->db->page_bytes, reason);
    }
    *now = c->dbtime;
}

/* ---- records ---- */

static void
add(GArray *out, uint32_t pgno, int64_t dbtime, int64_t before)
{
    const struct change c = {pgno, dbtime, before};
    if (pgno != 0)
        g_array_append_val(out, c);
}

/* The pages that a record changes by itself. */
static void
changes_of(const struct lr *lr, GArray *out)
{
    const int64_t time = lr->page.dbtime;
    switch (lr->type) {
    case LR_UNDO_INFO:
        return;
    case LR_CREATE_ME:
    case LR_CREATE_SE:
    case LR_CONVERT_FDP2:
        add(out, lr->page.pgno, time,
            lr->type == LR_CONVERT_FDP2 ? lr->page.dbtime_before : LR_DBTIME_NIL);
        if (lr->type != LR_CREATE_SE) {
            add(out, lr->fdp.pgno_oe, time, LR_DBTIME_NIL);
            add(out, lr->fdp.pgno_ae, time, LR_DBTIME_NIL);
        }
        return;
    case LR_EMPTY_TREE:
        add(out, lr->page.pgno, time, lr->page.dbtime_before);
        for (size_t i = 0; i < lr->empty_tree.pages.len / LR_EMPTY_PAGE_BYTES; i++) {
            const struct lr_empty_page e = lr_empty_page_get(lr->empty_tree.pages, i);
            add(out, e.pgno, time, e.dbtime_before);
        }
        return;
    default:
        add(out, lr->page.pgno, time, lr->page.dbtime_before);
    }
}

/* A leaf's own change in a macro is part of what the split does to its pages. */
static void
changes_of_macro(const struct lr *lr, GArray *out)
{
    const int64_t time = lr->page.dbtime;
    if (lr->type != LR_SPLIT2 && lr->type != LR_MERGE2)
        return;
    add(out, lr->page.pgno, time, lr->page.dbtime_before);
    if (lr->type == LR_SPLIT2 && lr->split.pgno_new != 0) {
        add(out, lr->split.pgno_right, time, lr->split.dbtime_right_before);
        add(out, lr->split.pgno_new, time, LR_DBTIME_NIL);
    } else if (lr->type == LR_MERGE2) {
        add(out, lr->merge.pgno_left, time, lr->merge.dbtime_left_before);
        add(out, lr->merge.pgno_right, time, lr->merge.dbtime_right_before);
    }
}

static void
page_record(struct times *t, const struct lr *lr)
{
    gpointer procid = GUINT_TO_POINTER((guint)lr->page.procid);
    if (lr->page.dbid == 0 || lr->page.dbid > DBID_MAX ||
        !g_hash_table_contains(t->sessions, procid))
        return;
    struct macro *m = g_hash_table_lookup(t->macros, procid);
    if (m != NULL && m->dbtime == lr->page.dbtime) {
        m->dbid = lr->page.dbid;
        changes_of_macro(lr, m->changes);
        return;
    }
    g_autoptr(GArray) changes = g_array_new(FALSE, FALSE, sizeof(struct change));
    changes_of(lr, changes);
    for (guint i = 0; i < changes->len; i++)
        apply(t, lr->page.dbid, &g_array_index(changes, struct change, i));
}

static void
macro_record(struct times *t, const struct lr *lr)
{
    gpointer procid = GUINT_TO_POINTER((guint)lr->macro.procid);
    struct macro *m = g_hash_table_lookup(t->macros, procid);
    if (!g_hash_table_contains(t->sessions, procid))
        return;
    if (lr->type == LR_MACRO_BEGIN) {
        m = g_new0(struct macro, 1);
        m->dbtime = lr->macro.dbtime;
        m->changes = g_array_new(FALSE, FALSE, sizeof(struct change));
        g_hash_table_insert(t->macros, procid, m);
        return;
    }
    for (guint i = 0; m != NULL && lr->type == LR_MACRO_COMMIT && i < m->changes->len; i++)
        apply(t, m->dbid, &g_array_index(m->changes, struct change, i));
    g_hash_table_remove(t->macros, procid);
}

static JET_ERR
record(struct times *t, const struct lr *lr)
{
    if (lr_is_page(lr->type)) {
        page_record(t, lr);
        return JET_errSuccess;
    }
    switch (lr->type) {
    case LR_BEGIN0:
        g_hash_table_add(t->sessions, GUINT_TO_POINTER((guint)lr->tx.procid));
        return JET_errSuccess;
    case LR_MACRO_BEGIN:
    case LR_MACRO_COMMIT:
    case LR_MACRO_ABORT:
        macro_record(t, lr);
        return JET_errSuccess;
    case LR_ATTACH_DB:
        return follow(t, lr->attach_db.dbid, lr->attach_db.sign_db.data);
    case LR_DETACH_DB:
        if (lr->detach_db.dbid <= DBID_MAX)
            t->dbs[lr->detach_db.dbid] = NULL;
        return JET_errSuccess;
    case LR_INIT2:
    case LR_TERM2:
    case LR_RECOVERY_QUIT2:
    case LR_RECOVERY_QUIT_KEEP:
        g_hash_table_remove_all(t->sessions);
        g_hash_table_remove_all(t->macros);
        return JET_errSuccess;
    default:
        return JET_errSuccess;
    }
}

static JET_ERR
read_log(struct times *t, const char *path, bool first)
{
    struct log_reader_opts opts = {.last = false};
    struct log_reader *reader;
    struct span bytes;
    struct lr lr;
    JET_ERR err = log_reader_open(path, &opts, &reader);
    if (err < 0)
        return err;
    if (first)
        err = follow_list(t, log_reader_header(reader)->attach);
    t->log = path;
    while (err >= 0 && (err = log_reader_next(reader, &bytes, &t->at)) == 1) {
        err = lr_decode(bytes.data, bytes.len, &lr, NULL);
        if (err >= 0)
            err = record(t, &lr);
    }
    log_reader_close(reader);
    if (err == JET_errLogFileCorrupt) {
        verify_fail(t->v, JET_errLogCorruptDuringHardRestore, path,
                    (uint64_t)t->at.isec * LOG_SEGMENT_BYTES, "records cannot be followed");
        return JET_errSuccess;
    }
    return err;
}

JET_ERR
verify_times(struct verify *v)
{
    struct times t = {.v = v};
    JET_ERR err = JET_errSuccess;
    t.all = g_new0(struct followed, v->set.dbs->len + 1);
    t.sessions = g_hash_table_new(g_direct_hash, g_direct_equal);
    t.macros = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, macro_free);
    for (int32_t gen = v->logs.gen_low; gen != 0 && gen <= v->logs.gen_high && err >= 0; gen++) {
        const char *path = log_gens_path(&v->set.logs, gen);
        if (path != NULL)
            err = read_log(&t, path, gen == v->logs.gen_low);
    }
    for (guint i = 0; i < v->set.dbs->len; i++)
        forget(&t.all[i]);
    g_free(t.all);
    g_hash_table_unref(t.sessions);
    g_hash_table_unref(t.macros);
    return err;
}
