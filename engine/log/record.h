/* SPDX-License-Identifier: MIT */
/*
 * record: log records (LR) between bytes and struct lr (log format, section 3).
 *
 * One description of each record's layout serves both directions, so encode(decode(x)) == x by
 * construction. struct lr is a flat tagged union: `page` is valid for every record that changes one
 * page, `node` also for those on a node, then the member of the union named after the type. Spans
 * point into the source bytes (decode) or at the caller's data (encode); nothing is allocated.
 *
 * To write one:
 *     struct lr lr = {.type = LR_INSERT, .page = {...}, .node = {...}, .insert = {...}};
 *     struct lr_parts parts;
 *     lr_encode(&lr, &parts);
 *     err = log_append(log, parts.iov, parts.n, &pos);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/bytes.h"
#include "base/field.h"
#include "esent.h"
#include "log/lgpos.h"

enum lr_type {
    LR_NOP = 0,
    LR_INIT_OLD = 1,
    LR_TERM_OLD = 2,
    LR_BEGIN = 5,
    LR_COMMIT = 6,
    LR_ROLLBACK = 7,
    LR_BEGIN0 = 8,
    LR_COMMIT0 = 9,
    LR_REFRESH = 10,
    LR_MACRO_BEGIN = 11,
    LR_MACRO_COMMIT = 12,
    LR_MACRO_ABORT = 13,
    LR_CREATE_DB = 14,
    LR_ATTACH_DB = 15,
    LR_DETACH_DB = 16,
    LR_JET_OP = 21,
    LR_TRACE = 22,
    LR_SHUTDOWN_MARK = 23,
    LR_CREATE_ME = 24, /* CreateMultipleExtentFDP */
    LR_CREATE_SE = 25, /* CreateSingleExtentFDP */
    LR_INSERT = 29,
    LR_FLAG_INSERT = 30,
    LR_FIARD = 31, /* FlagInsertAndReplaceData */
    LR_FLAG_DELETE = 32,
    LR_REPLACE = 33,
    LR_REPLACE_D = 34,
    LR_DELETE = 35,
    LR_UNDO_INFO = 36,
    LR_DELTA = 37,
    LR_SET_EXT_HEADER = 38,
    LR_UNDO = 39,
    LR_EMPTY_TREE = 48,
    LR_INIT2 = 49,
    LR_TERM2 = 50,
    LR_RECOVERY_UNDO2 = 51,
    LR_RECOVERY_QUIT2 = 52,
    LR_FORCE_WRITE_LOG = 57,
    LR_CONVERT_FDP2 = 58,
    LR_BACKUP2 = 60,
    LR_FORCE_LOG_ROLLOVER = 61,
    LR_SPLIT2 = 62,
    LR_MERGE2 = 63,
    LR_SCRUB = 64,
    LR_PAGE_MOVE = 65,
    LR_PAGE_PATCH = 66,
    LR_MACRO_INFO = 67,
    LR_EXTEND_DB = 68,
    LR_COMMIT_CTX = 69,
    LR_SCAN_CHECK = 70,
    LR_NOP2 = 71,
    LR_REATTACH = 72,
    LR_MACRO_INFO2 = 73,
    LR_FREE_FDP = 74,
    LR_IGNORED9 = 75,
    LR_FRAGMENT_BEGIN = 76,
    LR_FRAGMENT = 77,
    LR_SHRINK_DB = 78,
    LR_CREATE_DB_FINISH = 79,
    LR_RECOVERY_QUIT_KEEP = 80,
    LR_TRIM_DB = 81,
    LR_IGNORED10 = 82, /* ... 91 */
    LR_IGNORED19 = 91,
    LR_SET_DB_VERSION = 92,
    LR_DELTA64 = 93,
    LR_SHRINK_DB2 = 94,
    LR_NEW_PAGE = 95,
    LR_ROOT_PAGE_MOVE = 96,
    LR_SIGNAL_ATTACH_DB = 97,
    LR_SCAN_CHECK2 = 98,
    LR_SHRINK_DB3 = 99,
    LR_EXTENT_FREED = 100,
    LR_EXTENT_FREED2 = 101,
};

/* lr_page.flags */
#define LR_PAGE_VERSIONED   0x01
#define LR_PAGE_WAS_DELETED 0x02
#define LR_PAGE_UNIQUE      0x04
#define LR_PAGE_SPACE       0x08
#define LR_PAGE_CCI         0x10
#define LR_PAGE_SYSTEM      0x20

#define LR_DBTIME_NIL ((int64_t)-1)

/* oper of UndoInfo and Undo */
enum lr_oper {
    LR_OPER_INSERT = 1,
    LR_OPER_REPLACE = 2,
    LR_OPER_FLAG_DELETE = 3,
    LR_OPER_DELTA = 4,
    LR_OPER_DELTA64 = 9,
};

enum lr_split_type { LR_SPLIT_VERTICAL = 0, LR_SPLIT_RIGHT = 1, LR_SPLIT_APPEND = 2 };
enum lr_split_oper {
    LR_SPLITOPER_NONE,
    LR_SPLITOPER_INSERT,
    LR_SPLITOPER_REPLACE,
    LR_SPLITOPER_FIARD
};
enum lr_merge_type {
    LR_MERGE_NONE = 0,
    LR_MERGE_EMPTY_PAGE = 1,
    LR_MERGE_FULL_RIGHT = 2,
    LR_MERGE_PARTIAL_RIGHT = 3,
    LR_MERGE_EMPTY_TREE = 4,
    LR_MERGE_FULL_LEFT = 5,
    LR_MERGE_PARTIAL_LEFT = 6,
    LR_MERGE_PAGE_MOVE = 7,
};
#define LR_MERGE_KEY_CHANGE  0x01
#define LR_MERGE_DELETE_NODE 0x02
#define LR_MERGE_PAGE_EMPTY  0x04

/* Before-images: how they are stored. Anything but 0 is written by Windows only. */
#define LR_IMAGE_DEHYDRATED 0x1
#define LR_IMAGE_COMPRESSED 0x2

/* LRPAGE, 32 bytes: who changed which page. */
struct lr_page {
    uint16_t procid;
    uint8_t dbid;
    uint32_t pgno;
    int64_t dbtime;        /* after the change */
    int64_t dbtime_before; /* before it; LR_DBTIME_NIL in a macro and for a fresh page */
    uint32_t trx;          /* trxBegin0 of the session's transaction */
    uint8_t level;
    uint16_t iline;
    uint8_t flags;
};

/* The rest of LRNODE. */
struct lr_node {
    uint32_t rceid; /* 0 if not versioned */
    uint32_t pgno_fdp;
    uint32_t objid_fdp;
};

struct lr {
    uint8_t type;
    struct lr_page page; /* types for which lr_is_page() */
    struct lr_node node; /* types for which lr_is_node() */
    union {
        struct {
            uint16_t procid;
            uint8_t level;  /* Begin: level before; Commit, Commit0: level after; Rollback: levels
                               popped */
            uint8_t levels; /* Begin: number of levels opened */
            uint32_t trx;   /* Begin0: trxBegin0; Commit0: trxCommit0 */
        } tx;               /* BEGIN BEGIN0 COMMIT COMMIT0 ROLLBACK REFRESH */
        struct {
            uint16_t procid;
            int64_t dbtime;
        } macro; /* MACRO_BEGIN MACRO_COMMIT MACRO_ABORT */
        struct {
            uint16_t procid;
            uint8_t dbid;
            uint32_t grbit;
            uint32_t cpg_size_max;
            struct span sign_db; /* 28 */
            uint8_t flags;       /* 4 version follows, 8 UTF-16, 0x10 sparse */
            uint16_t version;    /* 2, if flags & 4 */
            uint16_t update;     /* 0 */
            struct span path;    /* with its NUL */
        } create_db;
        struct {
            uint16_t procid;
            uint8_t dbid;
            uint32_t cpg_size_max;
            struct lgpos consistent;
            struct span sign_db;  /* 28 */
            struct span sign_log; /* 28 */
            uint8_t flags;        /* 8 UTF-16, 0x10 sparse */
            struct span path;
        } attach_db;
        struct {
            uint16_t procid;
            uint8_t dbid;
            uint8_t flags; /* 0x10 UTF-16 */
            struct span path;
        } detach_db;
        struct {
            uint32_t objid;
            uint32_t pgno_oe;              /* CREATE_ME, CONVERT_FDP2 */
            uint32_t pgno_ae;              /* CREATE_ME, CONVERT_FDP2 */
            uint32_t pgno_parent;          /* FDP of the parent, whose space it takes */
            uint32_t pgno_secondary_first; /* CONVERT_FDP2 */
            uint32_t cpg_primary;
            uint32_t cpg_secondary; /* CONVERT_FDP2 */
            uint32_t avail_bits;    /* CONVERT_FDP2 */
            uint32_t page_flags;
        } fdp; /* CREATE_ME CREATE_SE CONVERT_FDP2; the FDP itself is page.pgno */
        struct {
            struct span prefix; /* first bytes of the key, shared with the page's prefix */
            struct span suffix;
            struct span data;
        } insert;
        struct {
            struct span key;
            struct span data;
            uint32_t rceid_replace; /* FIARD */
        } flag_insert;              /* FLAG_INSERT FIARD */
        struct {
            uint16_t old_len;
            uint16_t new_len;
            bool wide;        /* REPLACE_D: the large-page form of the diff (bit 15 of cb) */
            struct span data; /* new data; REPLACE_D: the diff */
        } replace;            /* REPLACE REPLACE_D */
        struct {
            struct span key;
            struct span bm_data; /* data part of the bookmark (non-unique trees) */
            uint16_t oper;       /* enum lr_oper */
            int16_t max_size;
            int16_t delta;
            struct span data; /* before-image */
        } undo_info;
        struct {
            struct span key;
            struct span bm_data;
            int64_t delta; /* DELTA: fits 32 bits */
            uint16_t offset;
        } delta; /* DELTA DELTA64 */
        struct {
            struct span data;
        } ext_header;
        struct {
            struct span key;
            struct span bm_data;
            uint16_t oper; /* enum lr_oper */
            uint8_t level;
        } undo;
        struct {
            struct span pages; /* entries of LR_EMPTY_PAGE_BYTES, see lr_empty_page */
        } empty_tree;
        struct {
            struct span dbms_param; /* 567 */
            uint64_t logtime;
        } init;
        struct {
            struct lgpos start; /* TERM2: of this run's Init2; RECOVERY_QUIT2: of RecoveryUndo2 */
            struct lgpos redo_from; /* where redo started; 0 for TERM2 */
            uint8_t hard;
            uint64_t logtime;
        } quit; /* TERM2 RECOVERY_QUIT2 RECOVERY_QUIT_KEEP */
        struct {
            uint64_t logtime;
        } recovery_undo;
        struct {
            uint8_t
                phase; /* 1 begin, 2 prepare logs, 3 truncate, 4 update header, 5 abort, 6 stop */
            uint32_t type;
            uint8_t scope; /* 1 full, 2 incremental, 5 copy, 6 differential */
            uint8_t dbid;
            struct span bkinfo; /* 24 */
            uint8_t reserved;
            struct span path;
        } backup;
        struct {
            uint16_t procid;
            struct span text;
        } trace; /* TRACE FORCE_LOG_ROLLOVER FORCE_WRITE_LOG (no text) */
        struct {
            uint32_t pgno_new; /* 0: this level does not split */
            uint32_t pgno_right;
            int64_t dbtime_right_before;
            uint32_t pgno_parent;
            int64_t dbtime_parent_before;
            uint32_t pgno_fdp;
            uint32_t objid_fdp;
            uint8_t type; /* enum lr_split_type */
            uint8_t oper; /* enum lr_split_oper */
            uint16_t iline_oper;
            uint16_t iline_split;
            uint16_t clines;
            uint32_t flags_new;
            uint32_t flags_split;
            int16_t unc_free_src;
            int16_t unc_free_dest;
            int32_t iline_prefix_split;
            int32_t iline_prefix_new;
            uint32_t image_flags;
            struct span key_parent;
            struct span prefix_old;
            struct span prefix_new;
            struct span image; /* of the source page, before; empty for an append */
        } split;
        struct {
            uint32_t pgno_right;
            int64_t dbtime_right_before;
            uint32_t pgno_left;
            int64_t dbtime_left_before;
            uint32_t pgno_parent;
            int64_t dbtime_parent_before;
            uint32_t pgno_fdp;
            uint32_t objid_fdp;
            uint16_t size_total;
            uint16_t size_max_total;
            uint16_t unc_free_dest;
            uint16_t iline_merge;
            uint8_t flags; /* LR_MERGE_... */
            uint8_t type;  /* enum lr_merge_type */
            uint32_t image_flags;
            struct span key_parent_sep;
            struct span image;
        } merge;
        struct {
            uint8_t dbid;
            uint32_t pgno_last;
        } extend_db;
        struct {
            uint16_t procid;
            uint8_t dbid;
        } create_db_finish;
        struct {
            uint8_t dbid;
            struct lgpos attach;
            struct lgpos consistent;
            struct span sign_db; /* 28 */
        } reattach;
        struct {
            uint8_t dbid;
            uint32_t version[3];
        } set_db_version;
        struct {
            uint16_t procid;
            uint8_t dbid;
            uint32_t pgno;
            uint32_t objid;
            int64_t dbtime;
        } new_page;
        struct {
            struct span body; /* everything after the type (and cb, for the Ignored shape) */
        } other;              /* NOP2, hints, and the types we only measure */
    };
};

/* Bytes of one encoded record: the fixed part, then what the spans point at. */
#define LR_FIXED_MAX 576
#define LR_PARTS_MAX 5
struct lr_parts {
    struct iovec iov[LR_PARTS_MAX];
    int n;
    size_t size; /* of the whole record */
    uint8_t fixed[LR_FIXED_MAX];
};

/* Name of a type as the specification has it ("Insert"), "?" for an unknown one. */
const char *lr_type_name(uint8_t type);

bool lr_is_page(uint8_t type); /* begins with LRPAGE */
bool lr_is_node(uint8_t type); /* begins with LRNODE */

/*
 * Decodes the record at data; never reads beyond len. *size (may be NULL) = its length.
 * JET_errLogFileCorrupt: unknown type, or the record is longer than len.
 */
JET_ERR lr_decode(const void *data, size_t len, struct lr *lr, size_t *size)
    __attribute__((warn_unused_result));

/*
 * Encodes lr. parts->iov points into parts itself and at lr's spans: both must stay as long as it
 * is used, and parts must not be copied. Asserts the type and the lengths (a span must fit its
 * field).
 */
void lr_encode(const struct lr *lr, struct lr_parts *parts);

/* The same, flat, for tests and for records kept in memory; returns the size. out holds cap bytes.
 */
size_t lr_encode_flat(const struct lr *lr, void *out, size_t cap);

/* Appends what a decoded record says to out: all but the bytes of keys and data. */
void lr_fields(const struct lr *lr, struct fields *out);

/* EmptyTree's array. */
#define LR_EMPTY_PAGE_BYTES 16
struct lr_empty_page {
    int64_t dbtime_before;
    uint32_t pgno;
    uint32_t page_flags;
};
struct lr_empty_page lr_empty_page_get(struct span pages, size_t i);
void lr_empty_page_put(uint8_t out[LR_EMPTY_PAGE_BYTES], const struct lr_empty_page *p);

/*
 * ReplaceD: applies the diff to the old data. out holds cap bytes (at least lr->replace.new_len);
 * *out_len = the new length. JET_errLogFileCorrupt: the diff does not fit the old data, cap, or
 * new_len.
 */
JET_ERR lr_apply_diff(const struct lr *lr, struct span old, uint8_t *out, size_t cap,
                      size_t *out_len) __attribute__((warn_unused_result));
