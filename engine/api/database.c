/* SPDX-License-Identifier: MIT */
/* database: JetCreateDatabase ... JetDetachDatabase, JetGetDatabaseInfo, JetGetDatabaseFileInfo. */
#include <string.h>
#include <sys/stat.h>

#include "api/api.h"
#include "log/filehdr.h"
#include "os/file.h"
#include "page/dbheader.h"
#include "page/page.h"
#include "table/table.h"
#include "txn/session.h"

static JET_ERR
enter_at_level0(JET_SESID sesid, struct api_session **session)
{
    JET_ERR err = api_enter(sesid, session);
    if (err >= 0 && session_level((*session)->s) > 0) {
        api_leave(*session);
        err = JET_errInTransaction;
    }
    return err;
}

/**
 * JetCreateDatabase(2): makes, attaches and opens a database.
 *
 * JET_errDatabaseDuplicate: the file is there (JET_bitDbOverwriteExisting replaces it);
 * JET_errDatabaseInvalidPath; JET_errDatabaseSharingViolation: the file to replace is in use;
 * JET_errTooManyAttachedDatabases: 6 at most; JET_errInTransaction; JET_errInvalidGrbit;
 * JET_errInvalidParameter; JET_errFeatureNotAvailable: unlogged or unversioned databases;
 * JET_errDiskFull, JET_errLogDiskFull, JET_errLogWriteFail, JET_errDiskIO, JET_errFileAccessDenied.
 */
JET_ERR
JetCreateDatabase2A(JET_SESID sesid, JET_PCSTR szFilename, uint32_t cpgDatabaseSizeMax,
                    JET_DBID *pdbid, JET_GRBIT grbit)
{
    if (!pdbid)
        return JET_errInvalidParameter;
    if (grbit & (JET_bitDbRecoveryOff | JET_bitDbVersioningOff))
        return JET_errFeatureNotAvailable;
    if (grbit & ~(JET_bitDbOverwriteExisting | JET_bitDbShadowingOff))
        return JET_errInvalidGrbit;
    struct api_session *session;
    JET_ERR err = enter_at_level0(sesid, &session);
    if (err < 0)
        return err;
    JET_DBID dbid = 0;
    err = instance_create_database(session->inst, szFilename, cpgDatabaseSizeMax, grbit, &dbid);
    if (err >= 0) {
        session->opens[dbid]++;
        *pdbid = dbid;
    }
    api_leave(session);
    return err;
}

JET_ERR
JetCreateDatabaseA(JET_SESID sesid, JET_PCSTR szFilename, JET_PCSTR szConnect, JET_DBID *pdbid,
                   JET_GRBIT grbit)
{
    return JetCreateDatabase2A(sesid, szFilename, 0, pdbid, grbit);
}

JET_ERR
JetCreateDatabase2W(JET_SESID sesid, JET_PCWSTR szFilename, uint32_t cpgDatabaseSizeMax,
                    JET_DBID *pdbid, JET_GRBIT grbit)
{
    g_autofree char *path = NULL;
    JET_ERR err = api_from_wide(szFilename, &path);
    return err < 0 ? err : JetCreateDatabase2A(sesid, path, cpgDatabaseSizeMax, pdbid, grbit);
}

JET_ERR
JetCreateDatabaseW(JET_SESID sesid, JET_PCWSTR szFilename, JET_PCWSTR szConnect, JET_DBID *pdbid,
                   JET_GRBIT grbit)
{
    return JetCreateDatabase2W(sesid, szFilename, 0, pdbid, grbit);
}

/**
 * JetAttachDatabase(2). JET_bitDbReadOnly attaches without logging; other bits are accepted and
 * need nothing here.
 *
 * JET_wrnDatabaseAttached; JET_errFileNotFound; JET_errDatabaseInvalidPath;
 * JET_errFileAccessDenied: no right, or another owner; JET_errDatabaseDirtyShutdown: its logs must
 * be recovered first; JET_errSoftRecoveryOnBackupDatabase: a backup copy that was not restored;
 * JET_errDatabaseCorrupted; JET_errInvalidDatabaseVersion; JET_errPageSizeMismatch;
 * JET_errTooManyAttachedDatabases; JET_errBackupInProgress; JET_errInTransaction.
 */
JET_ERR
JetAttachDatabase2A(JET_SESID sesid, JET_PCSTR szFilename, uint32_t cpgDatabaseSizeMax,
                    JET_GRBIT grbit)
{
    struct api_session *session;
    JET_ERR err = enter_at_level0(sesid, &session);
    if (err < 0)
        return err;
    err = instance_attach_database(session->inst, szFilename, grbit);
    api_leave(session);
    return err;
}

JET_ERR
JetAttachDatabaseA(JET_SESID sesid, JET_PCSTR szFilename, JET_GRBIT grbit)
{
    return JetAttachDatabase2A(sesid, szFilename, 0, grbit);
}

JET_ERR
JetAttachDatabase2W(JET_SESID sesid, JET_PCWSTR szFilename, uint32_t cpgDatabaseSizeMax,
                    JET_GRBIT grbit)
{
    g_autofree char *path = NULL;
    JET_ERR err = api_from_wide(szFilename, &path);
    return err < 0 ? err : JetAttachDatabase2A(sesid, path, cpgDatabaseSizeMax, grbit);
}

JET_ERR
JetAttachDatabaseW(JET_SESID sesid, JET_PCWSTR szFilename, JET_GRBIT grbit)
{
    return JetAttachDatabase2W(sesid, szFilename, 0, grbit);
}

/**
 * JetOpenDatabase: of an attached one. JET_errDatabaseNotFound: not attached;
 * JET_wrnFileOpenReadOnly: it is attached read-only; JET_errInvalidParameter, JET_errInvalidSesid.
 */
JET_ERR
JetOpenDatabaseA(JET_SESID sesid, JET_PCSTR szFilename, JET_PCSTR szConnect, JET_DBID *pdbid,
                 JET_GRBIT grbit)
{
    if (!pdbid)
        return JET_errInvalidParameter;
    struct api_session *session;
    JET_ERR err = api_enter(sesid, &session);
    if (err < 0)
        return err;
    JET_DBID dbid = 0;
    err = instance_open_database(session->inst, szFilename, grbit, &dbid);
    if (err >= 0) {
        session->opens[dbid]++;
        *pdbid = dbid;
    }
    api_leave(session);
    return err;
}

JET_ERR
JetOpenDatabaseW(JET_SESID sesid, JET_PCWSTR szFilename, JET_PCWSTR szConnect, JET_DBID *pdbid,
                 JET_GRBIT grbit)
{
    g_autofree char *path = NULL;
    JET_ERR err = api_from_wide(szFilename, &path);
    return err < 0 ? err : JetOpenDatabaseA(sesid, path, NULL, pdbid, grbit);
}

/** JetCloseDatabase. JET_errInvalidDatabaseId, JET_errInvalidSesid, JET_errInvalidGrbit. */
JET_ERR
JetCloseDatabase(JET_SESID sesid, JET_DBID dbid, JET_GRBIT grbit)
{
    if (grbit != 0)
        return JET_errInvalidGrbit;
    struct api_session *session;
    JET_ERR err = api_enter(sesid, &session);
    if (err < 0)
        return err;
    struct instance_db *db;
    err = api_db(session, dbid, &db);
    if (err >= 0)
        err = instance_close_database(session->inst, dbid);
    if (err >= 0)
        session->opens[dbid]--;
    api_leave(session);
    return err;
}

/**
 * JetDetachDatabase(2): NULL detaches all. The database is clean, and can be moved, when it
 * returns.
 *
 * JET_errDatabaseNotFound: not attached; JET_errDatabaseInUse: somebody has it open;
 * JET_errBackupInProgress; JET_errInTransaction; JET_errInvalidGrbit; errors of log and disk.
 */
JET_ERR
JetDetachDatabase2A(JET_SESID sesid, JET_PCSTR szFilename, JET_GRBIT grbit)
{
    if (grbit != 0)
        return JET_errInvalidGrbit;
    struct api_session *session;
    JET_ERR err = enter_at_level0(sesid, &session);
    if (err < 0)
        return err;
    err = instance_detach_database(session->inst, szFilename);
    api_leave(session);
    return err;
}

JET_ERR
JetDetachDatabaseA(JET_SESID sesid, JET_PCSTR szFilename)
{
    return JetDetachDatabase2A(sesid, szFilename, 0);
}

JET_ERR
JetDetachDatabase2W(JET_SESID sesid, JET_PCWSTR szFilename, JET_GRBIT grbit)
{
    g_autofree char *path = NULL;
    JET_ERR err = api_from_wide(szFilename, &path);
    return err < 0 ? err : JetDetachDatabase2A(sesid, path, grbit);
}

JET_ERR
JetDetachDatabaseW(JET_SESID sesid, JET_PCWSTR szFilename)
{
    return JetDetachDatabase2W(sesid, szFilename, 0);
}

/**
 * JetGetDatabaseInfo of an open database. JET_errInvalidDatabaseId; JET_errInvalidParameter: level;
 * JET_errInvalidBufferSize; JET_errBufferTooSmall (Filename).
 */
JET_ERR
JetGetDatabaseInfoA(JET_SESID sesid, JET_DBID dbid, void *pvResult, uint32_t cbMax,
                    uint32_t InfoLevel)
{
    if (!pvResult)
        return JET_errInvalidParameter;
    struct api_session *session;
    JET_ERR err = api_enter(sesid, &session);
    if (err < 0)
        return err;
    struct instance_db *db;
    err = api_db(session, dbid, &db);
    if (err >= 0)
        err = table_database_info(db->catalog, pvResult, cbMax, InfoLevel);
    api_leave(session);
    return err;
}

JET_ERR
JetGetDatabaseInfoW(JET_SESID sesid, JET_DBID dbid, void *pvResult, uint32_t cbMax,
                    uint32_t InfoLevel)
{
    bool text = InfoLevel == JET_DbInfoFilename || InfoLevel == JET_DbInfoConnect;
    if (!text)
        return JetGetDatabaseInfoA(sesid, dbid, pvResult, cbMax, InfoLevel);
    char path[4096];
    JET_ERR err = JetGetDatabaseInfoA(sesid, dbid, path, sizeof(path), InfoLevel);
    if (err < 0)
        return err;
    return pvResult ? api_to_wide(path, pvResult, cbMax) : JET_errInvalidParameter;
}

static JET_ERR
put_number(void *pv, uint32_t cb, uint32_t want, uint64_t value)
{
    if (cb != want)
        return JET_errInvalidBufferSize;
    if (want == sizeof(uint64_t))
        memcpy(pv, &value, sizeof(value));
    else
        le32_put(pv, (uint32_t)value);
    return JET_errSuccess;
}

/* The first copy of the header; the second one when that is damaged. */
static JET_ERR
read_header(const char *path, struct dbheader *header)
{
    size_t room = 2 * (size_t)PAGE_BYTES_MAX, got = 0;
    g_autofree uint8_t *image = g_try_malloc(room);
    if (!image)
        return JET_errOutOfMemory;
    struct os_file *file;
    JET_ERR err = os_file_open(path, OS_OPEN_READ, &file);
    if (err < 0)
        return err;
    err = os_file_read_some(file, 0, image, room, &got);
    os_file_close(file);
    if (err < 0)
        return err;
    err = dbheader_decode(image, got, header);
    for (size_t page = 4096; err < 0 && page <= PAGE_BYTES_MAX && page < got; page *= 2) {
        bool good = dbheader_decode(image + page, got - page, header) >= 0;
        if (good && dbheader_page_bytes(header) == page)
            return JET_errSuccess;
    }
    return err;
}

static JET_ERR
give_upgrade(void *pv, uint32_t cb, uint64_t bytes, JET_ERR of_header)
{
    JET_DBINFOUPGRADE upgrade = {.cbStruct = sizeof upgrade,
                                 .cbFilesizeLow = (uint32_t)bytes,
                                 .cbFilesizeHigh = (uint32_t)(bytes >> 32),
                                 .fAlreadyUpgraded = 1};
    if (cb != sizeof upgrade)
        return JET_errInvalidBufferSize;
    if (of_header < 0)
        return of_header;
    memcpy(pv, &upgrade, sizeof upgrade);
    return JET_errSuccess;
}

static JET_ERR
file_size_on_disk(const char *path, uint64_t *bytes)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return JET_errFileNotFound;
    *bytes = (uint64_t)st.st_blocks * 512;
    return JET_errSuccess;
}

/**
 * JetGetDatabaseFileInfo of a file, attached or not: Filesize and FilesizeOnDisk (uint64_t bytes),
 * PageSize, FileType, DBInUse (is it owned by an engine), Misc (JET_DBINFOMISC ... 7, by cbMax; of
 * a backup copy bkinfoFullCur.genLow is not 0; a snapshot sets fReserved in the time of its mark),
 * Upgrade (nothing that is read needs one).
 *
 * JET_errFileNotFound; JET_errInvalidBufferSize: cbMax is not the level's size;
 * JET_errInvalidParameter: level; JET_errReadVerifyFailure, JET_errDatabaseCorrupted: no header;
 * JET_errInvalidDatabaseVersion; JET_errOutOfMemory.
 */
JET_ERR
JetGetDatabaseFileInfoA(JET_PCSTR szDatabaseName, void *pvResult, uint32_t cbMax,
                        uint32_t InfoLevel)
{
    if (!szDatabaseName || !pvResult)
        return JET_errInvalidParameter;
    uint64_t bytes = 0;
    bool in_use = false;
    struct dbheader header;
    JET_ERR err = os_file_size_at(szDatabaseName, &bytes);
    if (err < 0)
        return err;
    switch (InfoLevel) {
    case JET_DbInfoFilesize:
        return put_number(pvResult, cbMax, sizeof(uint64_t), bytes);
    case JET_DbInfoFilesizeOnDisk:
        err = file_size_on_disk(szDatabaseName, &bytes);
        return err < 0 ? err : put_number(pvResult, cbMax, sizeof(uint64_t), bytes);
    case JET_DbInfoDBInUse:
        err = os_file_is_locked(szDatabaseName, &in_use);
        return err < 0 ? err : put_number(pvResult, cbMax, sizeof(uint32_t), in_use);
    case JET_DbInfoPageSize:
        err = read_header(szDatabaseName, &header);
        return err < 0
                   ? err
                   : put_number(pvResult, cbMax, sizeof(uint32_t), dbheader_page_bytes(&header));
    case JET_DbInfoFileType:
        err = read_header(szDatabaseName, &header);
        return err < 0 ? err
                       : put_number(pvResult, cbMax, sizeof(uint32_t),
                                    dbheader_u32(&header, DBH_FILETYPE));
    case JET_DbInfoMisc:
        err = read_header(szDatabaseName, &header);
        return err < 0 ? err : dbheader_misc(&header, pvResult, cbMax);
    case JET_DbInfoUpgrade:
        err = read_header(szDatabaseName, &header);
        return give_upgrade(pvResult, cbMax, bytes, err);
    default:
        return JET_errInvalidParameter;
    }
}

JET_ERR
JetGetDatabaseFileInfoW(JET_PCWSTR szDatabaseName, void *pvResult, uint32_t cbMax,
                        uint32_t InfoLevel)
{
    g_autofree char *path = NULL;
    JET_ERR err = api_from_wide(szDatabaseName, &path);
    return err < 0 ? err : JetGetDatabaseFileInfoA(path, pvResult, cbMax, InfoLevel);
}

#define COPY(to, from)                                                                             \
    do {                                                                                           \
        G_STATIC_ASSERT(sizeof(to) == sizeof(from));                                               \
        memcpy(&(to), &(from), sizeof(to));                                                        \
    } while (0)

static void
fill_log_info(const struct log_filehdr *h, JET_LOGINFOMISC2 *info, JET_LOGINFOMISC3 *info3)
{
    *info = (JET_LOGINFOMISC2) {
        .ulGeneration = (uint32_t)h->gen,
        .ulFlags = h->flags,
        .ulVersionMajor = h->major,
        .ulVersionMinor = h->minor,
        .ulVersionUpdate = h->update_major,
        .cbSectorSize = LOG_SEGMENT_BYTES,
        .cbHeader = 1,
        .cbFile = h->segments,
        .cbDatabasePageSize = h->page_bytes,
        .lgposCheckpoint = {h->checkpoint.ib, h->checkpoint.isec, h->checkpoint.gen},
    };
    COPY(info->signLog, h->signature);
    COPY(info->logtimeCreate, h->created);
    COPY(info->logtimePreviousGeneration, h->prev_created);
    memset(info3, 0, sizeof *info3);
    memcpy(info3, info, sizeof *info); /* the same up to lgposCheckpoint, but for the versions */
    info3->ulVersionUpdateMajor = h->update_major;
    info3->ulVersionUpdateMinor = h->update_minor;
    info3->ulVersionMinorDeprecated = h->minor;
    info3->checksumPrevLogAllSegments = h->prev_checksum;
}

G_STATIC_ASSERT(offsetof(JET_LOGINFOMISC3, lgposCheckpoint) ==
                offsetof(JET_LOGINFOMISC2, lgposCheckpoint));

/**
 * JetGetLogFileInfo: the header of a log file: JET_LOGINFOMISC, 2 or 3 by level.
 *
 * JET_errInvalidParameter: level, or nothing given; JET_errInvalidBufferSize: cbMax is not the
 * struct's size; JET_errFileNotFound; JET_errLogFileCorrupt: the header's checksum, or too short;
 * JET_errFileInvalidType; JET_errBadLogVersion; JET_errLogSectorSizeMismatch.
 */
JET_ERR
JetGetLogFileInfoA(JET_PCSTR szLog, void *pvResult, uint32_t cbMax, uint32_t InfoLevel)
{
    static const uint32_t sizes[] = {sizeof(JET_LOGINFOMISC), sizeof(JET_LOGINFOMISC2),
                                     sizeof(JET_LOGINFOMISC3)};
    struct log_filehdr header;
    JET_LOGINFOMISC2 info;
    JET_LOGINFOMISC3 info3;
    if (!szLog || !pvResult || InfoLevel >= G_N_ELEMENTS(sizes))
        return JET_errInvalidParameter;
    if (cbMax != sizes[InfoLevel])
        return JET_errInvalidBufferSize;
    JET_ERR err = log_filehdr_read(szLog, &header);
    if (err < 0)
        return err;
    fill_log_info(&header, &info, &info3);
    memcpy(pvResult, InfoLevel == JET_LogInfoMisc3 ? (void *)&info3 : (void *)&info, cbMax);
    return JET_errSuccess;
}

JET_ERR
JetGetLogFileInfoW(JET_PCWSTR szLog, void *pvResult, uint32_t cbMax, uint32_t InfoLevel)
{
    g_autofree char *path = NULL;
    JET_ERR err = api_from_wide(szLog, &path);
    return err < 0 ? err : JetGetLogFileInfoA(path, pvResult, cbMax, InfoLevel);
}
