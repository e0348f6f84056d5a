/* SPDX-License-Identifier: MIT */
/*
 * dbheader: the database header, DBFILEHDR (edb format 1), kept as its bytes.
 *
 * A header is its first 748 bytes as they stand in the file, so that fields we do not know survive
 * a rewrite; the rest of its page is zero. Fields are read and set by offset: dbheader_u32(h,
 * DBH_DBSTATE). LGPOS fields are for lgpos_get/lgpos_put(&h->bytes[DBH_...]), LOGTIME fields are
 * u64.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/field.h"
#include "esent.h"

#define DBHEADER_BYTES           748
#define DBHEADER_MAGIC           0x89ABCDEFu
#define DBHEADER_VERSION         0x620u
#define DBHEADER_UPDATE          0x14u /* what we write; we read up to DBHEADER_UPDATE_MAX */
#define DBHEADER_UPDATE_MAX      230u
#define DBHEADER_SIGNATURE_BYTES 28
#define DBHEADER_BKINFO_BYTES    24 /* LGPOS mark, LOGTIME, u32 genLow, u32 genHigh */

/* dbstate */
enum dbstate {
    DBSTATE_JUST_CREATED = 1,
    DBSTATE_DIRTY = 2,
    DBSTATE_CLEAN = 3,
    DBSTATE_BEING_CONVERTED = 4,
    DBSTATE_FORCE_DETACH = 5,
    DBSTATE_INC_RESEED = 6,
    DBSTATE_DIRTY_PATCHED = 7,
    DBSTATE_REVERT = 8,
};

enum dbheader_field {
    DBH_CHECKSUM = 0,                /* u32 */
    DBH_MAGIC = 4,                   /* u32 */
    DBH_VERSION = 8,                 /* u32 */
    DBH_ATTRIB = 12,                 /* u32, 0 = database */
    DBH_DBTIME_DIRTIED = 16,         /* u64 */
    DBH_SIGN_DB = 24,                /* 28 */
    DBH_DBSTATE = 52,                /* u32 */
    DBH_LGPOS_CONSISTENT = 56,       /* LGPOS */
    DBH_TIME_CONSISTENT = 64,        /* LOGTIME */
    DBH_TIME_ATTACH = 72,            /* LOGTIME */
    DBH_LGPOS_ATTACH = 80,           /* LGPOS */
    DBH_TIME_DETACH = 88,            /* LOGTIME */
    DBH_LGPOS_DETACH = 96,           /* LGPOS */
    DBH_DBID = 104,                  /* u32 */
    DBH_SIGN_LOG = 108,              /* 28 */
    DBH_BK_FULL_PREV = 136,          /* BKINFO */
    DBH_BK_INC_PREV = 160,           /* BKINFO */
    DBH_BK_FULL_CUR = 184,           /* BKINFO */
    DBH_FLAGS = 208,                 /* u32 */
    DBH_OBJID_LAST = 212,            /* u32 */
    DBH_OS_MAJOR = 216,              /* 4 * u32: major, minor, build, SP */
    DBH_UPDATE_MAJOR = 232,          /* u32 */
    DBH_PAGE_BYTES = 236,            /* u32, 0 = 4096 */
    DBH_GEN_MIN_REQUIRED = 296,      /* i32 */
    DBH_GEN_MAX_REQUIRED = 300,      /* i32 */
    DBH_BK_SNAPSHOT_CUR = 316,       /* BKINFO */
    DBH_CREATE_VERSION = 340,        /* u32 */
    DBH_CREATE_UPDATE = 344,         /* u32 */
    DBH_TIME_GEN_MAX_CREATE = 348,   /* LOGTIME: tmCreate of gen max committed */
    DBH_BK_FULL_TYPE = 356,          /* u32 */
    DBH_BK_INC_TYPE = 360,           /* u32 */
    DBH_GEN_MAX_COMMITTED = 416,     /* i32 */
    DBH_BK_COPY_PREV = 420,          /* BKINFO */
    DBH_BK_DIFF_PREV = 444,          /* BKINFO */
    DBH_BK_COPY_TYPE = 468,          /* u32 */
    DBH_BK_DIFF_TYPE = 472,          /* u32 */
    DBH_SORT_VERSION = 508,          /* u64, all ones = MSysLocales is kept */
    DBH_GEN_RECOVERING = 536,        /* i32 */
    DBH_TIME_LAST_REATTACH = 564,    /* LOGTIME */
    DBH_LGPOS_LAST_REATTACH = 572,   /* LGPOS */
    DBH_SIGN_HDR_FLUSH = 584,        /* 28 */
    DBH_GEN_MIN_CONSISTENT = 640,    /* i32; later formats, zero in ours */
    DBH_UPDATE_MINOR = 644,          /* u32 */
    DBH_LGPOS_LAST_RESIZE = 656,     /* LGPOS; later formats */
    DBH_FILETYPE = 667,              /* u32 unaligned, 1 = database */
    DBH_TIME_GEN_MAX_REQUIRED = 672, /* LOGTIME; later formats */
};

/* Parts of a BKINFO field: &h->bytes[DBH_BK_... + BKINFO_...]. */
enum { BKINFO_MARK = 0, BKINFO_TIME = 8, BKINFO_GEN_LOW = 16, BKINFO_GEN_HIGH = 20 };

struct dbheader {
    uint8_t bytes[DBHEADER_BYTES];
};

static inline uint32_t
dbheader_u32(const struct dbheader *h, size_t at)
{
    return le32_get(&h->bytes[at]);
}

static inline void
dbheader_set_u32(struct dbheader *h, size_t at, uint32_t v)
{
    le32_put(&h->bytes[at], v);
}

static inline uint64_t
dbheader_u64(const struct dbheader *h, size_t at)
{
    return le64_get(&h->bytes[at]);
}

static inline void
dbheader_set_u64(struct dbheader *h, size_t at, uint64_t v)
{
    le64_put(&h->bytes[at], v);
}

/* Page size the header claims; 0 when it cannot be one. */
uint32_t dbheader_page_bytes(const struct dbheader *h);

/* What a new database begins with: magic, versions, page size, dbid 1, filetype, dbtime 0x40, state
 * just created; signatures, times and positions are the caller's. */
void dbheader_init(struct dbheader *h, uint32_t page_bytes);

/*
 * Decodes one copy from the len bytes at its slot. len must hold the page the header claims.
 * JET_errReadVerifyFailure: checksum (or zeros); JET_errDatabaseCorrupted: magic, page size that
 * cannot be; JET_errFileInvalidType: not a database; JET_errInvalidDatabaseVersion;
 * JET_errPageSizeMismatch: its page is larger than len.
 */
JET_ERR dbheader_decode(const uint8_t *image, size_t len, struct dbheader *out)
    __attribute__((warn_unused_result));

/* The page image of slot 0 or 1, with checksum. */
void dbheader_encode(const struct dbheader *h, uint8_t *image, uint32_t page_bytes);

/* State and generations go together (log format 1.10): clean = all zero; dirty = min, max. */
void dbheader_set_clean(struct dbheader *h);
void dbheader_set_dirty(struct dbheader *h, int32_t gen_min, int32_t gen_max);

/* Appends every field of the header, as it stands, to out. */
void dbheader_fields(const struct dbheader *h, struct fields *out);

/* JET_DBINFOMISC, ... 7, whichever has cb bytes. JET_errInvalidBufferSize: none. */
JET_ERR dbheader_misc(const struct dbheader *h, void *pv, uint32_t cb)
    __attribute__((warn_unused_result));
