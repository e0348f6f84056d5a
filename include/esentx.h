/* SPDX-License-Identifier: MIT */
/*
 * esentx: what libesent adds to the ESE API: frozen backup sessions and their remote control.
 *
 * A frozen session fixes, at one moment, the list of files, their sizes, times and every byte until
 * its end. Any file may be opened many times and read in any order; JetReadFile then reads at the
 * handle's own position, JetxReadFileAt anywhere. JetEndExternalBackupInstance2 ends it.
 *
 * Strings are UTF-8. Structs start with cbStruct, which the caller sets to the size it was compiled
 * with; the library fills no more than that, so structs can grow at their end.
 */
#pragma once

#include <esent.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Our system parameters, set before JetInit unless said otherwise.
 * BackupService (number): 1 offers backup sessions to other processes of the same user through the
 *   Unix socket <LogFilePath>/<BaseName>.backup (mode 0600). Default 0.
 * PreimagePath (string): folder for preimage files; "" (default) = beside each database.
 * EventFile (string): file that events are appended to; "" (default) = the journal, else stderr.
 *
 * Limits of a frozen session, numbers, any time (those of the begin hold). A session that exceeds
 * one ends with JET_errBackupAbortByServer; the database goes on. 0 = no such limit.
 * PreimageBudget: MiB that old page images may take. Default 0.
 * PreimagePercent: the same, in percent of what is free at the begin on their disk, 0 to 100.
 *   Default 50.
 * PinnedLogBudget: MiB of logs that the session may keep from truncation. Default 0.
 * PinnedLogPercent: the same, in percent of what is free at the begin on the logs' disk; logs that
 *   are there already do not count. Default 50.
 * SessionMaxAge: seconds that it may last. Default 86400.
 * SessionIdle: seconds without a read. Default 3600.
 */
#define JET_paramJetxBackupService    10001
#define JET_paramJetxPreimagePath     10002
#define JET_paramJetxPreimageBudget   10003
#define JET_paramJetxEventFile        10004
#define JET_paramJetxPreimagePercent  10005
#define JET_paramJetxPinnedLogBudget  10006
#define JET_paramJetxPinnedLogPercent 10007
#define JET_paramJetxSessionMaxAge    10008
#define JET_paramJetxSessionIdle      10009

/* JETX_BACKUPFILE.kind */
#define JETX_fileDatabase  1
#define JETX_fileLog       2
#define JETX_fileGenerated 3 /* made for the session, e.g. the manifest */

/* One file of a frozen session. */
typedef struct {
    uint32_t cbStruct;
    uint32_t kind;     /* JETX_file... */
    char szName[256];  /* name in a directory, unique in the session */
    char szPath[1024]; /* full original path, "" for a generated file */
    uint64_t cbSize;
    int64_t mtime_ns; /* since 1970; of a log: stable across sessions */
    uint64_t inode;   /* nonzero; of a log: stable across sessions */
    JET_HANDLE unused;
    uint32_t genLog;   /* logs: generation, else 0 */
    uint32_t pgnoLast; /* databases: last page, else 0 */
    uint32_t cbPage;   /* databases: page size, else 0 */
    uint32_t reserved;
} JETX_BACKUPFILE;

/* What a frozen session may use; index of rgLimit, and limitEnded - 1. */
#define JETX_limitAge       0 /* milliseconds since the begin, the machine's sleep included */
#define JETX_limitIdle      1 /* milliseconds since the last read */
#define JETX_limitPreimage  2 /* bytes of old page images */
#define JETX_limitPinnedLog 3 /* bytes of logs kept from truncation */
#define JETX_limitCount     4

typedef struct {
    uint64_t limit; /* 0 = none */
    uint64_t used;
    uint32_t warned; /* percent that a warning was given for: 0, 50, 80, 95 */
    uint32_t reserved;
} JETX_LIMIT;

/* How long durable commits of a stretch of time took, in microseconds, at most a quarter too high.
 */
typedef struct {
    uint64_t c; /* commits */
    uint64_t usP50;
    uint64_t usP99;
} JETX_LATENCY;

/* State of the running or, after its end, of the last session. */
typedef struct {
    uint32_t cbStruct;
    uint32_t pid;         /* process that owns the databases */
    char szInstance[256]; /* instance name */
    char szState[32];     /* "none" "frozen" "databases" "logs" "ended" "aborted" */
    uint64_t lgposBegin;  /* packed as a commit id: gen << 32 | isec << 16 | ib */
    uint64_t lgposFreeze; /* a transaction is in the backup iff its commit id is below */
    uint32_t genLow;      /* first and last log of the session */
    uint32_t genHigh;
    JET_SIGNATURE signLog;
    int32_t errSession;     /* how it ended; 0 while it runs */
    uint64_t timeBegin;     /* seconds since 1970 */
    uint64_t timeEnd;       /* 0 while it runs */
    uint64_t usFreeze;      /* microseconds that writers stood still at the freeze */
    uint64_t cbPreimage;    /* bytes in preimage files */
    uint64_t cPagePreimage; /* pages in preimage files */
    uint64_t cbPinnedLog;   /* bytes of logs that the session keeps from truncation */
    JETX_LIMIT rgLimit[JETX_limitCount];
    uint32_t limitEnded;       /* 1 + index of the limit that ended it, else 0 */
    uint32_t pidHolder;        /* process that holds the session */
    char szHolderProgram[64];  /* its name */
    char szHolderMount[1024];  /* where it shows the files, "" = nowhere; see JETX_BACKUPPROGRESS */
    uint64_t cbRequired;       /* as the holder reports it; 0 = it does not */
    uint64_t cbServed;         /* of these */
    JETX_LATENCY commitBefore; /* from the end of the session before, or JetInit, to the freeze */
    JETX_LATENCY commitDuring; /* from the freeze on */
    int32_t errCause; /* why the owner ended it by itself, if not for a limit: JET_errDiskFull (no
                       * room for old page images), ...; else 0 */
    uint32_t reserved;
} JETX_BACKUPSTATUS;

/* For JetxSetBackupLimits. 0 = leave it. */
typedef struct {
    uint32_t cbStruct;
    uint32_t pctPreimage; /* percent of what is free now, 1 to 100 */
    uint32_t pctPinnedLog;
    uint32_t reserved;
    uint64_t secMaxAge;
    uint64_t secIdle;
    uint64_t cbPreimage;
    uint64_t cbPinnedLog;
} JETX_BACKUPLIMITS;

/* For JetxReportBackupProgress: what the holder of a session is about to do with it. */
typedef struct {
    uint32_t cbStruct;
    uint32_t reserved;
    char szMount[1024]; /* mount point, "" = none */
    uint64_t cbRequired;
    uint64_t cbServed;
} JETX_BACKUPPROGRESS;

/* Result of JetxVerifyBackup. errFirst and the place belong to the first failure found. */
typedef struct {
    uint32_t cbStruct;
    int32_t errFirst; /* 0: everything verified */
    uint32_t cDatabase;
    uint32_t cLog;
    uint32_t genLow; /* of the log chain found */
    uint32_t genHigh;
    uint64_t cPage; /* pages whose checksum and number were verified */
    uint64_t cPageBad;
    uint64_t cbVerified;
    uint64_t ibFirst; /* offset of the first failure in its file */
    char szFileFirst[256];
    char szReasonFirst[256];
} JETX_VERIFYREPORT;

/* Result of JetxRestoreBackup. cbStruct may end before lgposEnd. After an error only the place that
 * the verification found (szFileFirst, if it did) says something. */
typedef struct {
    uint32_t cbStruct;
    uint32_t cDatabase;
    uint32_t genLow; /* logs replayed */
    uint32_t genHigh;
    uint64_t cRecord; /* log records redone */
    uint64_t cbLog;
    uint64_t msElapsed;
    uint64_t lgposEnd; /* of a stop: the first record left out, or the stop itself; else 0 */
    uint64_t ibFirst; /* what the verification found first, as in JETX_VERIFYREPORT; "" = nothing */
    char szFileFirst[256];
    char szReasonFirst[256];
} JETX_RESTOREREPORT;

/*
 * What JetxRestoreBackup2 restores, and up to where. 0 or NULL where nothing is wanted; at most one
 * stop. Every stop has to lie behind the end of the backup of the databases, and not behind the
 * last log.
 */
typedef struct {
    uint32_t cbStruct;
    uint32_t genStop;     /* the last generation that is replayed, to its end */
    uint64_t lgposStop;   /* packed as a commit id: transactions whose commit id is below it are in,
                           * no others */
    int64_t msStop;       /* milliseconds since 1970: what the log had flushed by then is in */
    const char *szLogDir; /* roll forward through the logs here that go on from the backup's: also
                           * the current one, when no process owns it. Only read */
    const JET_RSTMAP_A *rgrstmap; /* a file of the backup, or a path of the log -> where it is
                                   * made: a path; without a slash a name in the target */
    uint32_t crstmap;
    uint32_t cDatabase; /* 0: all; else only those of rgszDatabase: names, or paths of the log */
    const char *const *rgszDatabase;
    JET_PFNSTATUS pfnStatus; /* a non-zero return at its beginning cancels */
} JETX_RESTOREPARAM;

/*
 * What stands in the headers of files and in log records, for tools that show or check them
 * (`jetfs header`, `jetfs log`).
 */
#define JETX_fieldNumber    1 /* value.number; szSymbol may say what it means */
#define JETX_fieldSigned    2 /* value.signedNumber */
#define JETX_fieldFlags     3 /* value.number, best shown in hex */
#define JETX_fieldLgpos     4
#define JETX_fieldLogtime   5
#define JETX_fieldSignature 6
#define JETX_fieldBkinfo    7
#define JETX_fieldText      8

typedef struct {
    const char *szName; /* as ESE calls it; a static string */
    uint32_t type;      /* JETX_field... */
    uint32_t reserved;
    const char *szSymbol; /* "DirtyShutdown" for dbstate 2; NULL = none; a static string */
    union {
        uint64_t number;
        int64_t signedNumber;
        JET_LGPOS lgpos;
        JET_LOGTIME logtime;
        JET_SIGNATURE signature;
        JET_BKINFO bkinfo;
        const char *text;
    } value;
} JETX_FIELD;

/* The header of a file, whatever state it is in. */
typedef struct {
    uint32_t cbStruct;
    uint32_t filetype;      /* JET_filetype... */
    JET_ERR errCopy[2];     /* 0 or what is wrong with the header and its second copy; a log has
                               one copy, the other says what the first one does */
    uint32_t iCopy;         /* which copy rgField shows: the first that is good, else the first */
    uint32_t fCopiesDiffer; /* both are good but not the same: a write was interrupted */
    uint64_t cbFile;        /* length of the file */
    char szProblem[256];    /* one sentence, "" = nothing is wrong */
    uint32_t cField;
    uint32_t reserved;
    const JETX_FIELD *rgField; /* in the order of the file */
} JETX_HEADER;

/* One log file that is being read. */
typedef struct JETX_LOG_STATE *JETX_LOG;

/* The log is the newest of its stream: its tail may be torn without being damage. */
#define JETX_bitLogNewest 0x1u

typedef struct {
    uint32_t cbStruct;
    uint32_t generation;
    uint32_t csec;         /* segments of the file, with its header */
    uint32_t csecValid;    /* of these hold data that was verified */
    JET_LGPOS lgposEnd;    /* the end of the data */
    JET_ERR errEnd;        /* 0; JET_errLogFileCorrupt: the data goes on behind damage at lgposEnd,
                              or the records cannot be followed there */
    uint32_t fTorn;        /* a write that was never acknowledged was cut off */
    uint32_t csecPatched;  /* segments that were taken from their shadow */
    uint32_t csecRepaired; /* segments with one flipped bit corrected */
    uint32_t fClosed;      /* the last record ends the run of an instance */
    uint32_t reserved;
    JET_LOGTIME logtimeCreate;
    JET_LOGTIME logtimePreviousGeneration;
    JET_SIGNATURE signLog;
    uint32_t reserved2;
    uint64_t checksum;     /* over all segments: what the next file has to say of this one */
    uint64_t checksumPrev; /* what this one says of the file before it, 0 = nothing */
} JETX_LOGINFO;

typedef struct {
    uint32_t cbStruct;
    uint32_t lrtyp;
    const char *szType; /* "Insert"; a static string */
    JET_LGPOS lgpos;
    uint32_t cb; /* bytes of the record */
    uint32_t cField;
    const JETX_FIELD *rgField; /* valid until the next call on the log */
} JETX_LOGRECORD;

#pragma GCC visibility push(default)

/*
 * Connect to the backup service of a running instance.
 * path: the instance's directory or the socket itself. *pinst accepts backup calls only (others:
 * JET_errInvalidInstance) and is freed by JetxDisconnectInstance.
 * Errors: JET_errFileNotFound (no service there), JET_errAccessDenied (other user),
 * JET_errInvalidParameter, JET_errOutOfMemory.
 */
JET_ERR JetxConnectInstanceA(const char *path, JET_INSTANCE *pinst);

/*
 * Drop a handle of JetxConnectInstance or JetxOpenDatabaseFile. A session still open ends as
 * errBackupAbortByCaller. Errors: JET_errInvalidInstance.
 */
JET_ERR JetxDisconnectInstance(JET_INSTANCE inst);

/*
 * Open a database file, or a directory of databases and logs, that no process has open; read-only.
 * The same backup calls work on *pinst. Errors: JET_errFileNotFound, JET_errFileAccessDenied (an
 * owner is alive), JET_errDatabaseCorrupted, JET_errInvalidParameter, JET_errOutOfMemory.
 */
JET_ERR JetxOpenDatabaseFileA(const char *path, JET_INSTANCE *pinst);

/*
 * JetxBeginFrozenBackup: serve clean databases instead of images and logs. Redo and undo run on a
 * private copy in $TMPDIR (else /var/tmp), which needs room for it; the call returns when that is
 * done. Only for handles of JetxConnectInstance and JetxOpenDatabaseFile.
 */
#define JETX_bitFrozenRecovered 0x10000u

/*
 * Begin a frozen backup. grbit: 0, a full one; JET_bitBackupIncremental, the logs since the last
 * full or incremental one and no databases (not for JetxOpenDatabaseFile); JETX_bitFrozenRecovered
 * (then also the errors of JetExternalRestore and JetInit). The log is flushed and rolled; then the
 * image stands. A good end stamps the databases' headers as JetEndExternalBackup does.
 * Errors: JET_errInvalidGrbit, JET_errBackupInProgress, JET_errNotInitialized,
 * JET_errInvalidInstance, JET_errTermInProgress, JET_errLogWriteFail, JET_errDiskFull (no room for
 * preimages); JET_errMissingFileToBackup (a log that the session needs is gone, event 459);
 * incremental: JET_errInvalidBackup (circular logging), JET_errMissingFullBackup. No session is
 * left behind on an error.
 */
JET_ERR JetxBeginFrozenBackup(JET_INSTANCE inst, JET_GRBIT grbit);

/*
 * The files of the frozen session: *pc entries in *prg, to be freed with JetFreeBuffer. The answer
 * is the same for the whole session. Errors: JET_errNoBackup, JET_errInvalidBackupSequence (a
 * plain session), JET_errOutOfMemory, JET_errBackupAbortByServer.
 */
JET_ERR JetxGetFrozenFiles(JET_INSTANCE inst, JETX_BACKUPFILE **prg, uint32_t *pc);

/*
 * Read cb bytes at ib of a file opened with JetOpenFileInstance (by szPath or szName). No
 * alignment demands; any thread. *pcbActual < cb only at the end of the file, 0 behind it. Errors:
 * JET_errInvalidParameter (handle), JET_errNoBackup, JET_errReadVerifyFailure,
 * JET_errReadPgnoVerifyFailure, JET_errPageNotInitialized, JET_errLogReadVerifyFailure,
 * JET_errDiskIO, JET_errBackupAbortByServer (session died; every later read too). Undefined buffer
 * on an error.
 */
JET_ERR JetxReadFileAt(JET_INSTANCE inst, JET_HANDLE hf, uint64_t ib, void *pv, uint32_t cb,
                       uint32_t *pcbActual);

/*
 * Make limits of the frozen session tighter; what is looser than what holds changes nothing. Of
 * files that nobody owns there are none: no effect. Errors: JET_errNoBackup,
 * JET_errInvalidBackupSequence, JET_errInvalidParameter (a percent above 100),
 * JET_errBackupAbortByServer.
 */
JET_ERR JetxSetBackupLimits(JET_INSTANCE inst, const JETX_BACKUPLIMITS *plimits);

/*
 * Tell the owner how far the holder of the frozen session is; others that would like to begin one
 * are told. Does not wait for the owner. Errors: JET_errNoBackup, JET_errInvalidParameter,
 * JET_errBackupAbortByServer.
 */
JET_ERR JetxReportBackupProgress(JET_INSTANCE inst, const JETX_BACKUPPROGRESS *pprogress);

/*
 * Which pages of an open database were overwritten since the freeze, their old images kept: its
 * pages 1 to the last one are cut into cCell stretches of equal length ((last + cCell - 1) / cCell
 * pages, the last ones shorter or empty), and rgcPage[i] = pages of stretch i. Errors:
 * JET_errInvalidParameter (handle; no database; cCell 0), JET_errNoBackup.
 */
JET_ERR JetxGetPreservedPages(JET_INSTANCE inst, JET_HANDLE hf, uint32_t cCell, uint32_t *rgcPage);

/*
 * State of the session, also of an ended one. Errors: JET_errInvalidInstance,
 * JET_errInvalidParameter.
 */
JET_ERR JetxGetBackupStatus(JET_INSTANCE inst, JETX_BACKUPSTATUS *pstatus);

/*
 * The manifest (JSON) of the session, to be freed with JetFreeBuffer. Errors: JET_errNoBackup, ...
 */
JET_ERR JetxGetManifestA(JET_INSTANCE inst, char **psz);

/*
 * Verify a copied directory: do the files belong together, checksum and number of every page, every
 * segment of the logs, can the logs be replayed onto these pages, are the files those of the
 * manifest. Returns what preport->errFirst says. preport may be NULL. Errors: JET_errFileNotFound
 * (no directory, no database, a log that is needed), JET_errFileInvalidType (no plain file),
 * JET_errFileAccessDenied; of the logs JET_errLogFileCorrupt, JET_errBadLogVersion,
 * JET_errBadLogSignature, JET_errLogGenerationMismatch, JET_errLogFileSizeMismatch,
 * JET_errGivenLogFileIsNotContiguous, JET_errLogCorruptDuringHardRestore,
 * JET_errLogTornWriteDuringHardRestore, JET_errLogReadVerifyFailure (a flipped bit),
 * JET_errLogSequenceChecksumMismatch; of the databases JET_errDatabaseCorrupted,
 * JET_errReadVerifyFailure, JET_errReadPgnoVerifyFailure, JET_errBadPatchPage,
 * JET_errDatabasePatchFileMismatch, JET_errEndingRestoreLogTooLow, JET_errDatabaseSignInUse,
 * JET_errPageNotInitialized, JET_errDbTimeTooOld, JET_errDbTimeTooNew; of the manifest
 * JET_errInvalidBackup, JET_errMissingFileToBackup, JET_errBadDbSignature, JET_errBadLogSignature,
 * JET_errDatabasePatchFileMismatch, JET_errRestoreOfNonBackupDatabase; JET_errOutOfMemory,
 * JET_errDiskIO.
 */
JET_ERR JetxVerifyBackupA(const char *dir, JETX_VERIFYREPORT *preport);

/*
 * The same of several directories, as JetxRestoreBackup2 takes them: the first that holds databases
 * gives them, all give logs, which have to make one chain. Errors: those of JetxVerifyBackup;
 * JET_errInvalidParameter (no directory).
 */
JET_ERR JetxVerifyBackup2A(const char *const *rgszSource, uint32_t cSource,
                           JETX_VERIFYREPORT *preport);

/*
 * Restore the copied directory copydir into targetdir (created if need be, else empty of databases
 * and logs) and recover to clean databases. copydir is verified first, and not changed. pfn may be
 * NULL; its non-zero return cancels. preport may be NULL. Errors: those of JetxVerifyBackup and
 * JetExternalRestore2.
 */
JET_ERR JetxRestoreBackupA(const char *copydir, const char *targetdir, JET_PFNSTATUS pfn,
                           JETX_RESTOREREPORT *preport);

/*
 * The same from several directories: the first that holds databases gives them, all give logs,
 * which have to make one chain (a full backup, then incremental ones). A target in which an earlier
 * call was killed is cleared of what that one made; nothing else that lies there is touched.
 * What is to be restored is verified before. Errors: those of JetxVerifyBackup and
 * JetExternalRestore2; JET_errFileAlreadyExists (the target holds databases or
 * logs), JET_errEndingRestoreLogTooLow (the stop lies within the backup itself),
 * JET_errMissingRestoreLogFiles (or behind the last log), JET_errDatabaseNotFound (rgszDatabase),
 * JET_errRestoreOfNonBackupDatabase (a stop, but clean databases), JET_errInvalidParameter (none or
 * several where one is wanted), JET_errLogFilePathInUse (another restore is at work there).
 */
JET_ERR JetxRestoreBackup2A(const char *const *rgszSource, uint32_t cSource, const char *szTarget,
                            const JETX_RESTOREPARAM *pparam, JETX_RESTOREREPORT *preport);
/*
 * The header of a database, a log or a checkpoint in *ppheader, one buffer for JetFreeBuffer. A
 * damaged header is no error but told in it: its fields are then shown as they stand.
 * Errors: JET_errFileNotFound, JET_errFileAccessDenied, JET_errFileInvalidType (none of these
 * files; then too *ppheader is given, with szProblem and no fields), JET_errInvalidParameter,
 * JET_errOutOfMemory, JET_errDiskIO.
 */
JET_ERR JetxReadHeaderA(const char *path, JETX_HEADER **ppheader);

/*
 * Open a log file to read its records; every segment is verified now. grbit: 0 or
 * JETX_bitLogNewest. The file is not changed. JetxCloseLog frees it. Damage behind the header is
 * no error but in JETX_LOGINFO.
 * Errors: JET_errFileNotFound, JET_errFileAccessDenied, JET_errLogFileCorrupt (header),
 * JET_errFileInvalidType, JET_errBadLogVersion, JET_errLogSectorSizeMismatch,
 * JET_errLogFileSizeMismatch, JET_errInvalidGrbit, JET_errInvalidParameter, JET_errOutOfMemory.
 */
JET_ERR JetxOpenLogA(const char *path, JET_GRBIT grbit, JETX_LOG *plog);
JET_ERR JetxCloseLog(JETX_LOG log);

/* What is known of the file. After the last record it is exact, errEnd too. Errors:
 * JET_errInvalidParameter. */
JET_ERR JetxGetLogFileState(JETX_LOG log, JETX_LOGINFO *pinfo);

/*
 * The next record, without paddings. Errors: JET_errNoCurrentRecord (the end),
 * JET_errLogFileCorrupt (cannot be followed: an unknown record, or damage),
 * JET_errInvalidParameter.
 */
JET_ERR JetxReadLogRecord(JETX_LOG log, JETX_LOGRECORD *precord);

/* "JET_errWriteConflict", and one sentence. Static strings, never NULL. */
const char *JetxErrorNameA(JET_ERR err);
const char *JetxErrorTextA(JET_ERR err);

#pragma GCC visibility pop

#define JetxConnectInstance  JetxConnectInstanceA
#define JetxOpenDatabaseFile JetxOpenDatabaseFileA
#define JetxGetManifest      JetxGetManifestA
#define JetxVerifyBackup     JetxVerifyBackupA
#define JetxRestoreBackup    JetxRestoreBackupA
#define JetxVerifyBackup2    JetxVerifyBackup2A
#define JetxRestoreBackup2   JetxRestoreBackup2A
#define JetxReadHeader       JetxReadHeaderA
#define JetxOpenLog          JetxOpenLogA
#define JetxErrorName        JetxErrorNameA
#define JetxErrorText        JetxErrorTextA

#ifdef __cplusplus
}
#endif
