/* SPDX-License-Identifier: MIT */
/* database: JetCreateDatabase ... JetDetachDatabase, JetGetDatabaseInfo, JetGetDatabaseFileInfo. */
#include <string.h>
#include <sys/stat.h>

#include "api/api.h"
#include "os/file.h"
#include "page/dbheader.h"
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

static JET_ERR
read_header(const char *path, struct dbheader *header)
{
    uint8_t image[32768];
    struct os_file *file;
    JET_ERR err = os_file_open(path, OS_OPEN_READ, &file);
    if (err < 0)
        return err;
    size_t got = 0;
    err = os_file_read_some(file, 0, image, sizeof(image), &got);
    if (err >= 0)
        err = dbheader_decode(image, got, header);
    os_file_close(file);
    return err;
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
 * PageSize, FileType, DBInUse (is it owned by an engine).
 *
 * JET_errFileNotFound; JET_errInvalidBufferSize: cbMax is not the level's size;
 * JET_errInvalidParameter: level; JET_errReadVerifyFailure, JET_errDatabaseCorrupted: no header.
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
