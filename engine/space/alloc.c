/* SPDX-License-Identifier: MIT */
/*
 * alloc: pages and extents between a tree's AE, its parent, and the file.
 *
 * An extent leaves one place before it enters the next: in AE of the parent it is gone before it is
 * in OE of the child, and in OE before it is in AE. A crash in between leaks it.
 *
 * Splits of space trees: OE takes pages off the front of the extent that is entered, AE too, or
 * from another of its entries. Pages that space trees give up are entered into AE afterwards.
 */
#include "space/internal.h"

#include "log/stream.h"

#define GROW_MIN   4u
#define GROW_SMALL 16u /* up to here trees grow by GROW_MIN */
#define GROW_MOST  256u

/* ---- one operation on OE and AE of a tree ---- */

struct op {
    struct space *sp;
    struct session *s;
    const struct fdp *fdp;
    struct btree *oe, *ae;
    struct extent entering; /* pages not yet entered in AE */
    uint8_t count[4];       /* data of the AE entry being inserted */
    bool in_ae;             /* it is being inserted now */
    GArray *freed;          /* pages the space trees gave up */
};

static JET_ERR take_from_ae(struct op *op, uint32_t near, uint32_t min, uint32_t max,
                            struct extent *out);

static void
shrink_entering(struct op *op)
{
    op->entering.first++;
    op->entering.count--;
    le32_put(op->count, op->entering.count);
}

/* An entry must not shrink to nothing while it is being inserted. */
static JET_ERR
get_raw_page(void *ctx, struct session *s, uint32_t *pgno)
{
    struct op *op = ctx;
    struct extent e;
    (void)s;
    if (op->entering.count > (op->in_ae ? 1 : 0)) {
        *pgno = op->entering.first;
        shrink_entering(op);
        return JET_errSuccess;
    }
    JET_ERR err = take_from_ae(op, 0, 1, 1, &e);
    if (err == JET_errRecordNotFound)
        return JET_errOutOfDatabaseSpace;
    if (err < 0)
        return err;
    *pgno = e.first;
    return JET_errSuccess;
}

static JET_ERR
put_raw_page(void *ctx, struct session *s, uint32_t pgno)
{
    struct op *op = ctx;
    (void)s;
    g_array_append_val(op->freed, pgno);
    return JET_errSuccess;
}

static void
op_end(struct op *op)
{
    btree_raw_close(op->oe);
    btree_raw_close(op->ae);
    if (op->freed)
        g_array_free(op->freed, TRUE);
}

static JET_ERR
op_begin(struct op *op, struct space *sp, struct session *s, const struct fdp *fdp)
{
    *op = (struct op) {.sp = sp, .s = s, .fdp = fdp};
    struct btree_raw_pages pages = {get_raw_page, put_raw_page, op};
    bool unique = space_unique(fdp);
    JET_ERR err =
        btree_raw_open(sp->db, fdp->pgno_oe, fdp->pgno, fdp->objid, unique, &pages, &op->oe);
    if (err >= 0)
        err = btree_raw_open(sp->db, fdp->pgno_oe + 1, fdp->pgno, fdp->objid, unique, &pages,
                             &op->ae);
    op->freed = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    if (err < 0)
        op_end(op);
    return err;
}

/* ---- taking from AE ---- */

/* First entry with at least min pages whose last page is >= from. JET_errRecordNotFound. */
static JET_ERR
find_available(struct btree *ae, uint32_t from, uint32_t min, struct extent *e)
{
    uint8_t from_key[4], key[8];
    size_t key_cb;
    uint32_t count;
    struct span at = space_key(from_key, from);
    bool above = false;
    for (;;) {
        JET_ERR err = btree_raw_seek(ae, at, above, key, &key_cb, &count);
        if (err < 0)
            return err;
        if (space_extent(span_of(key, key_cb), count, e) && e->count >= min)
            return JET_errSuccess;
        if (key_cb != 4)
            return JET_errRecordNotFound; /* pools sort behind all page numbers in use */
        memcpy(from_key, key, 4);
        above = true;
    }
}

/* The entry keeps its key, the last page: pages go off its front. */
static JET_ERR
shorten(struct op *op, struct extent e, uint32_t n)
{
    uint8_t key_bytes[4], count[4];
    struct span key = space_key(key_bytes, e.first + e.count - 1);
    if (n == e.count)
        return btree_raw_delete(op->ae, op->s, key);
    le32_put(count, e.count - n);
    return btree_raw_replace(op->ae, op->s, key, span_of(count, 4));
}

static JET_ERR
take_from_ae(struct op *op, uint32_t near, uint32_t min, uint32_t max, struct extent *out)
{
    struct extent e;
    JET_ERR err = find_available(op->ae, near, min, &e);
    if (err == JET_errRecordNotFound && near > 0)
        err = find_available(op->ae, 0, min, &e);
    if (err < 0)
        return err;
    uint32_t n = MIN(e.count, max);
    err = shorten(op, e, n);
    if (err >= 0)
        *out = (struct extent) {e.first, n};
    return err;
}

/* ---- entering ---- */

/* A new entry of AE, from op->entering. Pages of it may be used up on the way. */
static JET_ERR
enter_ae(struct op *op)
{
    uint8_t key[4];
    if (op->entering.count == 0)
        return JET_errSuccess;
    space_key(key, op->entering.first + op->entering.count - 1);
    le32_put(op->count, op->entering.count);
    op->in_ae = true;
    JET_ERR err = btree_raw_insert(op->ae, op->s, span_of(key, 4), span_of(op->count, 4));
    op->in_ae = false;
    op->entering.count = 0;
    return err == JET_errKeyDuplicate ? JET_errDatabaseCorrupted : err;
}

/* The extent of OE that holds the page. */
static JET_ERR
owner_extent(struct op *op, uint32_t pgno, struct extent *e)
{
    uint8_t at[4], key[8];
    size_t key_cb;
    uint32_t count;
    JET_ERR err = btree_raw_seek(op->oe, space_key(at, pgno), false, key, &key_cb, &count);
    if (err < 0)
        return err == JET_errRecordNotFound ? JET_errDatabaseCorrupted : err;
    if (!space_extent(span_of(key, key_cb), count, e) || e->first > pgno)
        return JET_errDatabaseCorrupted;
    return JET_errSuccess;
}

/* Entry of AE with exactly this last page. */
static JET_ERR
available_ending(struct op *op, uint32_t last, struct extent *e)
{
    uint8_t at[4], key[8];
    size_t key_cb;
    uint32_t count;
    JET_ERR err = btree_raw_seek(op->ae, space_key(at, last), false, key, &key_cb, &count);
    if (err < 0)
        return err;
    if (!space_extent(span_of(key, key_cb), count, e) || e->first + e->count - 1 != last)
        return JET_errRecordNotFound;
    return JET_errSuccess;
}

/* The available extent that begins right behind e, within the same owned extent. */
static JET_ERR
available_behind(struct op *op, struct extent e, struct extent owner, struct extent *out)
{
    JET_ERR err = find_available(op->ae, e.first + e.count, 1, out);
    if (err < 0)
        return err;
    if (out->first < e.first + e.count)
        return JET_errDatabaseCorrupted; /* part of e is available already */
    bool touches = out->first == e.first + e.count && out->first < owner.first + owner.count;
    return touches ? JET_errSuccess : JET_errRecordNotFound;
}

/* Joins its neighbours, as long as one owned extent holds them all. */
static JET_ERR
give_one(struct op *op, struct extent e)
{
    struct extent owner, before, behind;
    uint8_t key[4], count[4];
    JET_ERR err = owner_extent(op, e.first, &owner);
    if (err < 0)
        return err;
    JET_ERR err_behind = available_behind(op, e, owner, &behind);
    if (err_behind < 0 && err_behind != JET_errRecordNotFound)
        return err_behind;
    if (e.first > owner.first) {
        err = available_ending(op, e.first - 1, &before);
        if (err >= 0) {
            err = shorten(op, before, before.count);
            if (err < 0)
                return err;
            e.count += e.first - before.first;
            e.first = before.first;
        } else if (err != JET_errRecordNotFound) {
            return err;
        }
    }
    if (err_behind >= 0) {
        space_key(key, behind.first + behind.count - 1);
        le32_put(count, e.count + behind.count);
        return btree_raw_replace(op->ae, op->s, span_of(key, 4), span_of(count, 4));
    }
    op->entering = e;
    return enter_ae(op);
}

static JET_ERR
give_freed(struct op *op)
{
    JET_ERR err = JET_errSuccess;
    while (err >= 0 && op->freed->len > 0) {
        uint32_t pgno = g_array_index(op->freed, uint32_t, op->freed->len - 1);
        g_array_set_size(op->freed, op->freed->len - 1);
        err = give_one(op, (struct extent) {pgno, 1});
    }
    return err;
}

/* ---- growing ---- */

static JET_ERR
last_owned(struct op *op, uint32_t *last)
{
    uint8_t key[8];
    size_t key_cb;
    uint32_t count;
    JET_ERR err = btree_raw_last(op->oe, key, &key_cb, &count);
    if (err >= 0)
        *last = key_cb >= 4 ? be32_get(key + key_cb - 4) : 0;
    return err == JET_errRecordNotFound ? JET_errDatabaseCorrupted : err;
}

/* The file first: a log record about space that is not there helps nobody. */
static JET_ERR
extend_file(struct op *op, uint32_t n, struct extent *out)
{
    struct dbfile *file = op->sp->db->file;
    uint32_t last;
    struct lgpos pos;
    JET_ERR err = last_owned(op, &last);
    if (err < 0)
        return err;
    if (last > 0x7fffffffu - n)
        return JET_errOutOfDatabaseSpace;
    err = dbfile_extend(file, last + n);
    if (err < 0)
        return err;
    struct lr lr = {.type = LR_EXTEND_DB,
                    .extend_db = {.dbid = dbfile_dbid(file), .pgno_last = last + n}};
    err = btree_log(op->ae, op->s, &lr, &pos);
    if (err >= 0)
        *out = (struct extent) {last + 1, n};
    return err;
}

/* Trees double what they ask for, so that a big one has few extents. */
static uint32_t
wanted(struct space *sp, const struct fdp *fdp, uint32_t min)
{
    uint32_t last = GPOINTER_TO_UINT(g_hash_table_lookup(sp->growth, GUINT_TO_POINTER(fdp->pgno)));
    if (last == 0)
        last = fdp->cpg_primary > GROW_SMALL ? GROW_SMALL / 2 : GROW_MIN / 2;
    return MAX(MAX(min + 3, GROW_MIN), MIN(last * 2, GROW_MOST));
}

static JET_ERR
new_extent(struct op *op, uint32_t min, struct extent *e)
{
    struct space *sp = op->sp;
    struct fdp parent;
    if (op->fdp->parent == 0)
        return extend_file(op, MAX(min + 3, sp->extend_pages), e);
    uint32_t want = wanted(sp, op->fdp, min);
    JET_ERR err = space_read_fdp(sp, op->fdp->parent, &parent);
    if (err >= 0)
        err = space_take(sp, op->s, &parent, 0, min + 3, want, e);
    if (err >= 0)
        g_hash_table_insert(sp->growth, GUINT_TO_POINTER(op->fdp->pgno), GUINT_TO_POINTER(want));
    return err;
}

/* The new extent has 3 pages more than asked for: OE and AE may need them to split. */
static JET_ERR
grow(struct op *op, uint32_t min)
{
    uint8_t key[4], count[4];
    struct extent e;
    JET_ERR err = new_extent(op, min, &e);
    if (err < 0)
        return err;
    space_key(key, e.first + e.count - 1);
    le32_put(count, e.count);
    op->entering = e;
    err = btree_raw_insert(op->oe, op->s, span_of(key, 4), span_of(count, 4));
    if (err < 0) {
        op->entering.count = 0;
        return err == JET_errKeyDuplicate ? JET_errDatabaseCorrupted : err;
    }
    return enter_ae(op);
}

JET_ERR
space_take(struct space *sp, struct session *s, const struct fdp *fdp, uint32_t near, uint32_t min,
           uint32_t max, struct extent *out)
{
    struct op op;
    struct fdp multiple = *fdp;
    JET_ERR err;
    if (!(fdp->flags & SPACE_MULTIPLE)) {
        err = space_single_take(sp, s, fdp, min, max, out);
        if (err != JET_errRecordNotFound)
            return err;
        err = space_convert(sp, s, &multiple);
        if (err < 0)
            return err;
    }
    err = op_begin(&op, sp, s, &multiple);
    if (err < 0)
        return err;
    err = take_from_ae(&op, near, min, max, out);
    for (int tries = 0; err == JET_errRecordNotFound && tries < 4; tries++) {
        err = grow(&op, min);
        if (err >= 0)
            err = take_from_ae(&op, near, min, max, out);
    }
    if (err == JET_errRecordNotFound)
        err = JET_errOutOfDatabaseSpace;
    if (err >= 0)
        err = give_freed(&op);
    op_end(&op);
    return err;
}

JET_ERR
space_give(struct space *sp, struct session *s, const struct fdp *fdp, struct extent e)
{
    struct op op;
    if (!(fdp->flags & SPACE_MULTIPLE))
        return space_single_give(sp, s, fdp, e);
    JET_ERR err = op_begin(&op, sp, s, fdp);
    if (err < 0)
        return err;
    err = give_one(&op, e);
    if (err >= 0)
        err = give_freed(&op);
    op_end(&op);
    return err;
}
