/* SPDX-License-Identifier: MIT */
/*
 * record: each record's layout, once, for both directions.
 *
 * A layout function walks the fields in file order through struct io. Reading, a field is taken
 * from the bounded cursor; writing, it goes into the fixed part. The length of a variable part is a
 * fixed field (`len16` ...) that is read into, or taken from, the span's len; `bytes` then reads or
 * writes what the span points at.
 */
#include "log/record.h"

#include <assert.h>

struct io {
    bool put;
    struct cursor in;
    struct lr_parts *out;
    size_t at; /* put: bytes in out->fixed */
};

static void *
room(struct io *io, size_t n)
{
    assert(io->at + n <= LR_FIXED_MAX);
    void *p = io->out->fixed + io->at;
    io->at += n;
    return p;
}

static void
u8(struct io *io, uint8_t *v)
{
    if (io->put)
        *(uint8_t *)room(io, 1) = *v;
    else
        *v = cursor_u8(&io->in);
}

static void
u16(struct io *io, uint16_t *v)
{
    if (io->put)
        le16_put(room(io, 2), *v);
    else
        *v = cursor_u16(&io->in);
}

static void
i16(struct io *io, int16_t *v)
{
    uint16_t u = (uint16_t)*v;
    u16(io, &u);
    *v = (int16_t)u;
}

static void
u32(struct io *io, uint32_t *v)
{
    if (io->put)
        le32_put(room(io, 4), *v);
    else
        *v = cursor_u32(&io->in);
}

static void
i32(struct io *io, int32_t *v)
{
    uint32_t u = (uint32_t)*v;
    u32(io, &u);
    *v = (int32_t)u;
}

static void
u64(struct io *io, uint64_t *v)
{
    if (io->put)
        le64_put(room(io, 8), *v);
    else
        *v = cursor_u64(&io->in);
}

static void
i64(struct io *io, int64_t *v)
{
    uint64_t u = (uint64_t)*v;
    u64(io, &u);
    *v = (int64_t)u;
}

static void
pos(struct io *io, struct lgpos *v)
{
    u16(io, &v->ib);
    u16(io, &v->isec);
    i32(io, &v->gen);
}

/* A constant field, e.g. the cb of a fixed record of Ignored shape. */
static void
fixed32(struct io *io, uint32_t v)
{
    uint32_t got = v;
    u32(io, &got);
    if (got != v)
        io->in.bad = true;
}

/* Variable part inside the fixed part: signatures and the like. */
static void
inl(struct io *io, struct span *s, size_t n)
{
    if (io->put) {
        assert(s->len == n);
        memcpy(room(io, n), s->data, n);
    } else {
        *s = cursor_take(&io->in, n);
    }
}

static void
len16(struct io *io, struct span *s)
{
    assert(!io->put || s->len <= UINT16_MAX);
    uint16_t n = (uint16_t)s->len;
    u16(io, &n);
    s->len = n;
}

static void
len32(struct io *io, struct span *s)
{
    uint32_t n = (uint32_t)s->len;
    u32(io, &n);
    s->len = n;
}

static void
bytes(struct io *io, struct span *s)
{
    if (!io->put) {
        *s = cursor_take(&io->in, s->len);
    } else if (s->len > 0) {
        assert(io->out->n < LR_PARTS_MAX);
        io->out->iov[io->out->n++] = (struct iovec) {(void *)s->data, s->len};
    }
}

/* Body of n bytes, kept with the fixed part when writing a short one is all there is. */
static void
body(struct io *io, struct lr *lr, size_t n)
{
    if (!io->put)
        lr->other.body.len = n;
    assert(lr->other.body.len == n || !io->put);
    bytes(io, &lr->other.body);
}

static void
page(struct io *io, struct lr *lr)
{
    u16(io, &lr->page.procid);
    u8(io, &lr->page.dbid);
    u32(io, &lr->page.pgno);
    i64(io, &lr->page.dbtime);
    i64(io, &lr->page.dbtime_before);
    u32(io, &lr->page.trx);
    u8(io, &lr->page.level);
    u16(io, &lr->page.iline);
    u8(io, &lr->page.flags);
}

static void
node(struct io *io, struct lr *lr)
{
    page(io, lr);
    u32(io, &lr->node.rceid);
    u32(io, &lr->node.pgno_fdp);
    u32(io, &lr->node.objid_fdp);
}

static void
begin(struct io *io, struct lr *lr)
{
    u16(io, &lr->tx.procid);
    uint8_t b = (uint8_t)((lr->tx.level & 15) | lr->tx.levels << 4);
    u8(io, &b);
    lr->tx.level = b & 15;
    lr->tx.levels = b >> 4;
    if (lr->type == LR_BEGIN0)
        u32(io, &lr->tx.trx);
}

static void
commit(struct io *io, struct lr *lr)
{
    u16(io, &lr->tx.procid);
    u8(io, &lr->tx.level);
    if (lr->type == LR_COMMIT0)
        u32(io, &lr->tx.trx);
}

static void
create_db(struct io *io, struct lr *lr)
{
    u16(io, &lr->create_db.procid);
    u8(io, &lr->create_db.dbid);
    u32(io, &lr->create_db.grbit);
    u32(io, &lr->create_db.cpg_size_max);
    inl(io, &lr->create_db.sign_db, 28);
    len16(io, &lr->create_db.path);
    u8(io, &lr->create_db.flags);
    if (lr->create_db.flags & 4) {
        u16(io, &lr->create_db.version);
        u16(io, &lr->create_db.update);
    }
    bytes(io, &lr->create_db.path);
}

static void
attach_db(struct io *io, struct lr *lr)
{
    u16(io, &lr->attach_db.procid);
    u8(io, &lr->attach_db.dbid);
    u32(io, &lr->attach_db.cpg_size_max);
    pos(io, &lr->attach_db.consistent);
    inl(io, &lr->attach_db.sign_db, 28);
    inl(io, &lr->attach_db.sign_log, 28);
    len16(io, &lr->attach_db.path);
    u8(io, &lr->attach_db.flags);
    bytes(io, &lr->attach_db.path);
}

static void
detach_db(struct io *io, struct lr *lr)
{
    u16(io, &lr->detach_db.procid);
    u8(io, &lr->detach_db.dbid);
    len16(io, &lr->detach_db.path);
    u8(io, &lr->detach_db.flags);
    bytes(io, &lr->detach_db.path);
}

static void
fdp(struct io *io, struct lr *lr)
{
    page(io, lr);
    u32(io, &lr->fdp.objid);
    if (lr->type != LR_CREATE_SE) {
        u32(io, &lr->fdp.pgno_oe);
        u32(io, &lr->fdp.pgno_ae);
    }
    u32(io, &lr->fdp.pgno_parent);
    if (lr->type == LR_CONVERT_FDP2)
        u32(io, &lr->fdp.pgno_secondary_first);
    u32(io, &lr->fdp.cpg_primary);
    if (lr->type == LR_CONVERT_FDP2) {
        u32(io, &lr->fdp.cpg_secondary);
        u32(io, &lr->fdp.avail_bits);
    }
    u32(io, &lr->fdp.page_flags);
}

static void
insert(struct io *io, struct lr *lr)
{
    node(io, lr);
    len16(io, &lr->insert.suffix);
    len16(io, &lr->insert.prefix);
    len16(io, &lr->insert.data);
    bytes(io, &lr->insert.prefix);
    bytes(io, &lr->insert.suffix);
    bytes(io, &lr->insert.data);
}

static void
flag_insert(struct io *io, struct lr *lr)
{
    node(io, lr);
    len16(io, &lr->flag_insert.key);
    len16(io, &lr->flag_insert.data);
    if (lr->type == LR_FIARD)
        u32(io, &lr->flag_insert.rceid_replace);
    bytes(io, &lr->flag_insert.key);
    bytes(io, &lr->flag_insert.data);
}

static void
replace(struct io *io, struct lr *lr)
{
    node(io, lr);
    assert(!io->put || lr->replace.data.len <= 0x7fff);
    uint16_t cb = (uint16_t)(lr->replace.data.len | (lr->replace.wide ? 0x8000 : 0));
    u16(io, &cb);
    lr->replace.wide = cb >> 15;
    lr->replace.data.len = cb & 0x7fff;
    u16(io, &lr->replace.old_len);
    u16(io, &lr->replace.new_len);
    bytes(io, &lr->replace.data);
}

static void
undo_info(struct io *io, struct lr *lr)
{
    node(io, lr);
    len16(io, &lr->undo_info.key);
    len16(io, &lr->undo_info.bm_data);
    u16(io, &lr->undo_info.oper);
    i16(io, &lr->undo_info.max_size);
    i16(io, &lr->undo_info.delta);
    len16(io, &lr->undo_info.data);
    bytes(io, &lr->undo_info.key);
    bytes(io, &lr->undo_info.bm_data);
    bytes(io, &lr->undo_info.data);
}

static void
delta(struct io *io, struct lr *lr)
{
    node(io, lr);
    len16(io, &lr->delta.key);
    len16(io, &lr->delta.bm_data);
    if (lr->type == LR_DELTA64) {
        i64(io, &lr->delta.delta);
    } else {
        int32_t d = (int32_t)lr->delta.delta;
        i32(io, &d);
        lr->delta.delta = d;
    }
    u16(io, &lr->delta.offset);
    bytes(io, &lr->delta.key);
    bytes(io, &lr->delta.bm_data);
}

static void
ext_header(struct io *io, struct lr *lr)
{
    node(io, lr);
    len16(io, &lr->ext_header.data);
    bytes(io, &lr->ext_header.data);
}

static void
undo(struct io *io, struct lr *lr)
{
    node(io, lr);
    len16(io, &lr->undo.key);
    len16(io, &lr->undo.bm_data);
    u16(io, &lr->undo.oper);
    u8(io, &lr->undo.level);
    bytes(io, &lr->undo.key);
    bytes(io, &lr->undo.bm_data);
}

static void
empty_tree(struct io *io, struct lr *lr)
{
    node(io, lr);
    len16(io, &lr->empty_tree.pages);
    bytes(io, &lr->empty_tree.pages);
}

static void
quit(struct io *io, struct lr *lr)
{
    pos(io, &lr->quit.start);
    pos(io, &lr->quit.redo_from);
    u8(io, &lr->quit.hard);
    u64(io, &lr->quit.logtime);
}

static void
backup(struct io *io, struct lr *lr)
{
    u8(io, &lr->backup.phase);
    u32(io, &lr->backup.type);
    u8(io, &lr->backup.scope);
    u8(io, &lr->backup.dbid);
    inl(io, &lr->backup.bkinfo, 24);
    u8(io, &lr->backup.reserved);
    len16(io, &lr->backup.path);
    bytes(io, &lr->backup.path);
}

static void
trace(struct io *io, struct lr *lr)
{
    u16(io, &lr->trace.procid);
    if (lr->type == LR_FORCE_WRITE_LOG)
        return;
    len16(io, &lr->trace.text);
    bytes(io, &lr->trace.text);
}

static void
split(struct io *io, struct lr *lr)
{
    page(io, lr);
    u32(io, &lr->split.pgno_new);
    u32(io, &lr->split.pgno_right);
    i64(io, &lr->split.dbtime_right_before);
    u32(io, &lr->split.pgno_parent);
    i64(io, &lr->split.dbtime_parent_before);
    u32(io, &lr->split.pgno_fdp);
    u32(io, &lr->split.objid_fdp);
    u8(io, &lr->split.type);
    u8(io, &lr->split.oper);
    u16(io, &lr->split.iline_oper);
    u16(io, &lr->split.iline_split);
    u16(io, &lr->split.clines);
    u32(io, &lr->split.flags_new);
    u32(io, &lr->split.flags_split);
    i16(io, &lr->split.unc_free_src);
    i16(io, &lr->split.unc_free_dest);
    i32(io, &lr->split.iline_prefix_split);
    i32(io, &lr->split.iline_prefix_new);
    len16(io, &lr->split.prefix_old);
    len16(io, &lr->split.prefix_new);
    len16(io, &lr->split.key_parent);
    u32(io, &lr->split.image_flags);
    len32(io, &lr->split.image);
    bytes(io, &lr->split.key_parent);
    bytes(io, &lr->split.prefix_old);
    bytes(io, &lr->split.prefix_new);
    bytes(io, &lr->split.image);
}

static void
merge(struct io *io, struct lr *lr)
{
    page(io, lr);
    u32(io, &lr->merge.pgno_right);
    i64(io, &lr->merge.dbtime_right_before);
    u32(io, &lr->merge.pgno_left);
    i64(io, &lr->merge.dbtime_left_before);
    u32(io, &lr->merge.pgno_parent);
    i64(io, &lr->merge.dbtime_parent_before);
    u32(io, &lr->merge.pgno_fdp);
    u32(io, &lr->merge.objid_fdp);
    u16(io, &lr->merge.size_total);
    u16(io, &lr->merge.size_max_total);
    u16(io, &lr->merge.unc_free_dest);
    u16(io, &lr->merge.iline_merge);
    u8(io, &lr->merge.flags);
    u8(io, &lr->merge.type);
    len16(io, &lr->merge.key_parent_sep);
    u32(io, &lr->merge.image_flags);
    len32(io, &lr->merge.image);
    bytes(io, &lr->merge.key_parent_sep);
    bytes(io, &lr->merge.image);
}

/* lrtyp + cb u32 + cb bytes: NOP2 and everything an older reader may skip. */
static void
ignored(struct io *io, struct lr *lr)
{
    len32(io, &lr->other.body);
    bytes(io, &lr->other.body);
}

/* Page records we only measure: LRPAGE, a fixed tail, lengths at fixed places. */
static void
measured(struct io *io, struct lr *lr)
{
    assert(!io->put);
    page(io, lr);
    size_t n;
    if (io->in.bad)
        return;
    const uint8_t *b = io->in.at - 32; /* the record's first byte */
    switch (lr->type) {
    case LR_SCRUB:
        n = io->in.left < 54 - 32 ? SIZE_MAX : 22u + le16_get(b + 52);
        break;
    case LR_PAGE_MOVE:
        n = io->in.left < 96 - 32 ? SIZE_MAX : (size_t)64 + le32_get(b + 88) + le32_get(b + 92);
        break;
    default: /* PAGE_PATCH: the body below is not LRPAGE, but 46 bytes whatever it is */
        n = 46 - 32;
        break;
    }
    body(io, lr, n);
}

/* Bodies of records of fixed size that nobody looks into. */
static size_t
opaque_size(uint8_t type)
{
    switch (type) {
    case LR_JET_OP:
        return 3;
    case LR_SHRINK_DB:
    case LR_SHRINK_DB2:
    case LR_TRIM_DB:
        return 9;
    case LR_SHRINK_DB3:
        return 17;
    case LR_ROOT_PAGE_MOVE:
        return 15;
    case LR_SIGNAL_ATTACH_DB:
        return 1;
    case LR_SCAN_CHECK2:
        return 26;
    case LR_EXTENT_FREED:
        return 10;
    case LR_EXTENT_FREED2:
        return 18;
    default:
        return SIZE_MAX;
    }
}

static void
small(struct io *io, struct lr *lr)
{
    switch (lr->type) {
    case LR_MACRO_BEGIN:
    case LR_MACRO_COMMIT:
    case LR_MACRO_ABORT:
        u16(io, &lr->macro.procid);
        i64(io, &lr->macro.dbtime);
        break;
    case LR_INIT2:
        inl(io, &lr->init.dbms_param, 567);
        u64(io, &lr->init.logtime);
        break;
    case LR_EXTEND_DB:
        fixed32(io, 5);
        u8(io, &lr->extend_db.dbid);
        u32(io, &lr->extend_db.pgno_last);
        break;
    case LR_CREATE_DB_FINISH:
        u16(io, &lr->create_db_finish.procid);
        u8(io, &lr->create_db_finish.dbid);
        break;
    case LR_REATTACH:
        fixed32(io, 45);
        u8(io, &lr->reattach.dbid);
        pos(io, &lr->reattach.attach);
        pos(io, &lr->reattach.consistent);
        inl(io, &lr->reattach.sign_db, 28);
        break;
    case LR_SET_DB_VERSION:
        u8(io, &lr->set_db_version.dbid);
        for (int i = 0; i < 3; i++)
            u32(io, &lr->set_db_version.version[i]);
        break;
    case LR_NEW_PAGE:
        u16(io, &lr->new_page.procid);
        u8(io, &lr->new_page.dbid);
        u32(io, &lr->new_page.pgno);
        u32(io, &lr->new_page.objid);
        i64(io, &lr->new_page.dbtime);
        break;
    default:
        assert(!io->put);
        body(io, lr, opaque_size(lr->type)); /* an unknown type wants SIZE_MAX bytes: bad */
        break;
    }
}

/* The dispatch table of layouts; long because there are that many types. */
static void
layout(struct io *io, struct lr *lr)
{
    u8(io, &lr->type);
    switch (lr->type) {
    case LR_NOP:
    case LR_SHUTDOWN_MARK:
        return;
    case LR_BEGIN:
    case LR_BEGIN0:
        return begin(io, lr);
    case LR_COMMIT:
    case LR_COMMIT0:
    case LR_ROLLBACK:
        return commit(io, lr);
    case LR_REFRESH:
        u16(io, &lr->tx.procid);
        return u32(io, &lr->tx.trx);
    case LR_CREATE_DB:
        return create_db(io, lr);
    case LR_ATTACH_DB:
        return attach_db(io, lr);
    case LR_DETACH_DB:
        return detach_db(io, lr);
    case LR_CREATE_ME:
    case LR_CREATE_SE:
    case LR_CONVERT_FDP2:
        return fdp(io, lr);
    case LR_INSERT:
        return insert(io, lr);
    case LR_FLAG_INSERT:
    case LR_FIARD:
        return flag_insert(io, lr);
    case LR_FLAG_DELETE:
    case LR_DELETE:
        return node(io, lr);
    case LR_REPLACE:
    case LR_REPLACE_D:
        return replace(io, lr);
    case LR_UNDO_INFO:
        return undo_info(io, lr);
    case LR_DELTA:
    case LR_DELTA64:
        return delta(io, lr);
    case LR_SET_EXT_HEADER:
        return ext_header(io, lr);
    case LR_UNDO:
        return undo(io, lr);
    case LR_EMPTY_TREE:
        return empty_tree(io, lr);
    case LR_TERM2:
    case LR_RECOVERY_QUIT2:
    case LR_RECOVERY_QUIT_KEEP:
        return quit(io, lr);
    case LR_RECOVERY_UNDO2:
        return u64(io, &lr->recovery_undo.logtime);
    case LR_BACKUP2:
        return backup(io, lr);
    case LR_TRACE:
    case LR_FORCE_LOG_ROLLOVER:
    case LR_FORCE_WRITE_LOG:
        return trace(io, lr);
    case LR_SPLIT2:
        return split(io, lr);
    case LR_MERGE2:
        return merge(io, lr);
    case LR_SCRUB:
    case LR_PAGE_MOVE:
    case LR_PAGE_PATCH:
        return measured(io, lr);
    case LR_MACRO_INFO:
    case LR_COMMIT_CTX:
    case LR_SCAN_CHECK:
    case LR_NOP2:
    case LR_MACRO_INFO2:
    case LR_FREE_FDP:
    case LR_IGNORED9:
        return ignored(io, lr);
    default:
        if (lr->type >= LR_IGNORED10 && lr->type <= LR_IGNORED19)
            return ignored(io, lr);
        return small(io, lr);
    }
}

JET_ERR
lr_decode(const void *data, size_t len, struct lr *lr, size_t *size)
{
    struct io io = {.in = cursor_over(data, len)};
    *lr = (struct lr) {0};
    layout(&io, lr);
    if (io.in.bad)
        return JET_errLogFileCorrupt;
    if (size)
        *size = len - io.in.left;
    return JET_errSuccess;
}

void
lr_encode(const struct lr *lr, struct lr_parts *parts)
{
    /* put never changes a field's value, but shares its signature with get */
    struct lr copy = *lr;
    parts->n = 1;
    struct io io = {.put = true, .out = parts};
    layout(&io, &copy);
    parts->iov[0] = (struct iovec) {parts->fixed, io.at};
    parts->size = 0;
    for (int i = 0; i < parts->n; i++)
        parts->size += parts->iov[i].iov_len;
}

size_t
lr_encode_flat(const struct lr *lr, void *out, size_t cap)
{
    struct lr_parts parts;
    lr_encode(lr, &parts);
    assert(parts.size <= cap);
    uint8_t *p = out;
    for (int i = 0; i < parts.n; i++) {
        memcpy(p, parts.iov[i].iov_base, parts.iov[i].iov_len);
        p += parts.iov[i].iov_len;
    }
    return parts.size;
}

struct lr_empty_page
lr_empty_page_get(struct span pages, size_t i)
{
    assert((i + 1) * LR_EMPTY_PAGE_BYTES <= pages.len);
    const uint8_t *p = pages.data + i * LR_EMPTY_PAGE_BYTES;
    return (struct lr_empty_page) {(int64_t)le64_get(p), le32_get(p + 8), le32_get(p + 12)};
}

void
lr_empty_page_put(uint8_t out[LR_EMPTY_PAGE_BYTES], const struct lr_empty_page *p)
{
    le64_put(out, (uint64_t)p->dbtime_before);
    le32_put(out + 8, p->pgno);
    le32_put(out + 12, p->page_flags);
}
