/* SPDX-License-Identifier: MIT */
/*
 * esent: the ESE API as documented for 64-bit Windows.
 *
 * Names, values and struct layouts are Microsoft's; tests/unit/base/test_esent_h.c asserts the
 * sizes. Where Windows has unsigned long this has uint32_t, for WCHAR (UTF-16) uint16_t. Strings of
 * the A forms are UTF-8 here, of which ASCII is a part. A name without suffix is the A form, with
 * JET_UNICODE defined the W form.
 *
 * Every function returns a JET_ERR: below zero an error, zero success, above zero a warning.
 * Functions that stand here are exported by libesent; what is not here does not exist in it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Scalars and handles. */
typedef int32_t JET_ERR;
typedef uintptr_t JET_API_PTR;
typedef uintptr_t JET_HANDLE;
typedef uintptr_t JET_INSTANCE;
typedef uintptr_t JET_SESID;
typedef uintptr_t JET_TABLEID;
typedef uintptr_t JET_LS;
typedef uintptr_t JET_OSSNAPID;
typedef uint32_t JET_DBID;
typedef uint32_t JET_COLUMNID;
typedef uint32_t JET_COLTYP;
typedef uint32_t JET_GRBIT;
typedef uint32_t JET_OBJTYP;
typedef uint32_t JET_SNP;
typedef uint32_t JET_SNT;
typedef uint32_t JET_CBTYP;
typedef double JET_DATESERIAL;
typedef char *JET_PSTR;
typedef const char *JET_PCSTR;
typedef uint16_t JET_WCHAR;
typedef JET_WCHAR *JET_PWSTR;
typedef const JET_WCHAR *JET_PCWSTR;

typedef JET_ERR (*JET_PFNSTATUS)(JET_SESID sesid, JET_SNP snp, JET_SNT snt, void *pv);
typedef JET_ERR (*JET_CALLBACK)(JET_SESID sesid, JET_DBID dbid, JET_TABLEID tableid,
                                JET_CBTYP cbtyp, void *pvArg1, void *pvArg2, void *pvContext,
                                JET_API_PTR ulUnused);

#define JET_instanceNil (~(JET_INSTANCE)0)
#define JET_sesidNil    (~(JET_SESID)0)
#define JET_tableidNil  (~(JET_TABLEID)0)
#define JET_dbidNil     ((JET_DBID)0xffffffff)
#define JET_LSNil       (~(JET_LS)0)
#define JET_HANDLENil   (~(JET_HANDLE)0)
#define JET_bitNil      0u

#define JET_VERSION                 0x0602
#define JET_BASE_NAME_LENGTH        3
#define JET_MAX_COMPUTERNAME_LENGTH 15
#define JET_cbNameMost              64
#define JET_cbFullNameMost          255
#define JET_cbBookmarkMost          256
#define JET_cbKeyMost               255
#define JET_cbKeyMost4KBytePage     1000
#define JET_cbKeyMost8KBytePage     2000
#define JET_cbKeyMostHigh           2000
#define JET_cbLimitKeyMost          256
#define JET_cbPrimaryKeyMost        255
#define JET_cbSecondaryKeyMost      255
#define JET_cbColumnMost            255
#define JET_cbLVDefaultValueMost    255
#define JET_ccolKeyMost             16
#define JET_ccolMost                0x0000fee0
#define JET_ccolFixedMost           0x0000007f
#define JET_ccolVarMost             0x00000080
#define JET_ccolTaggedMost          (JET_ccolMost - 0x000000ff)

/* Positions and times. */
typedef struct {
    uint16_t ib;
    uint16_t isec;
    int32_t lGeneration;
} JET_LGPOS;

typedef struct {
    uint8_t bSeconds;
    uint8_t bMinutes;
    uint8_t bHours;
    uint8_t bDay;
    uint8_t bMonth; /* 1..12 */
    uint8_t bYear;  /* since 1900 */
    uint8_t fTimeIsUTC : 1;
    uint8_t bMillisecondsLow : 7;
    uint8_t fReserved : 1; /* fOSSnapshot where the time stands in a JET_BKINFO */
    uint8_t bMillisecondsHigh : 3;
    uint8_t fUnused : 4;
} JET_LOGTIME;

typedef JET_LOGTIME JET_BKLOGTIME;

typedef struct {
    uint32_t ulRandom;
    JET_LOGTIME logtimeCreate;
    char szComputerName[JET_MAX_COMPUTERNAME_LENGTH + 1];
} JET_SIGNATURE;

typedef struct {
    JET_LGPOS lgposMark;
    JET_BKLOGTIME bklogtimeMark;
    uint32_t genLow;
    uint32_t genHigh;
} JET_BKINFO;

typedef struct {
    JET_SIGNATURE signLog;
    int32_t reserved;
    int64_t commitId;
} JET_COMMIT_ID;

/* JetGetDatabaseInfo and JetGetDatabaseFileInfo at level JET_DbInfoMisc, by buffer size. */
#define JET_DBINFOMISC_FIELDS                                                                      \
    uint32_t ulVersion;                                                                            \
    uint32_t ulUpdate;                                                                             \
    JET_SIGNATURE signDb;                                                                          \
    uint32_t dbstate;                                                                              \
    JET_LGPOS lgposConsistent;                                                                     \
    JET_LOGTIME logtimeConsistent;                                                                 \
    JET_LOGTIME logtimeAttach;                                                                     \
    JET_LGPOS lgposAttach;                                                                         \
    JET_LOGTIME logtimeDetach;                                                                     \
    JET_LGPOS lgposDetach;                                                                         \
    JET_SIGNATURE signLog;                                                                         \
    JET_BKINFO bkinfoFullPrev;                                                                     \
    JET_BKINFO bkinfoIncPrev;                                                                      \
    JET_BKINFO bkinfoFullCur;                                                                      \
    uint32_t fShadowingDisabled;                                                                   \
    uint32_t fUpgradeDb;                                                                           \
    uint32_t dwMajorVersion;                                                                       \
    uint32_t dwMinorVersion;                                                                       \
    uint32_t dwBuildNumber;                                                                        \
    int32_t lSPNumber;                                                                             \
    uint32_t cbPageSize;

#define JET_DBINFOMISC2_FIELDS                                                                     \
    JET_DBINFOMISC_FIELDS                                                                          \
    uint32_t genMinRequired;                                                                       \
    uint32_t genMaxRequired;                                                                       \
    JET_LOGTIME logtimeGenMaxCreate;                                                               \
    uint32_t ulRepairCount;                                                                        \
    JET_LOGTIME logtimeRepair;                                                                     \
    uint32_t ulRepairCountOld;                                                                     \
    uint32_t ulECCFixSuccess;                                                                      \
    JET_LOGTIME logtimeECCFixSuccess;                                                              \
    uint32_t ulECCFixSuccessOld;                                                                   \
    uint32_t ulECCFixFail;                                                                         \
    JET_LOGTIME logtimeECCFixFail;                                                                 \
    uint32_t ulECCFixFailOld;                                                                      \
    uint32_t ulBadChecksum;                                                                        \
    JET_LOGTIME logtimeBadChecksum;                                                                \
    uint32_t ulBadChecksumOld;

typedef struct {
    JET_DBINFOMISC_FIELDS
} JET_DBINFOMISC;

typedef struct {
    JET_DBINFOMISC2_FIELDS
} JET_DBINFOMISC2;

typedef struct {
    JET_DBINFOMISC2_FIELDS
    uint32_t genCommitted;
} JET_DBINFOMISC3;

typedef struct {
    JET_DBINFOMISC2_FIELDS
    uint32_t genCommitted;
    JET_BKINFO bkinfoCopyPrev;
    JET_BKINFO bkinfoDiffPrev;
} JET_DBINFOMISC4;

#define JET_DBINFOMISC5_FIELDS                                                                     \
    JET_DBINFOMISC2_FIELDS                                                                         \
    uint32_t genCommitted;                                                                         \
    JET_BKINFO bkinfoCopyPrev;                                                                     \
    JET_BKINFO bkinfoDiffPrev;                                                                     \
    uint32_t ulIncrementalReseedCount;                                                             \
    JET_LOGTIME logtimeIncrementalReseed;                                                          \
    uint32_t ulIncrementalReseedCountOld;                                                          \
    uint32_t ulPagePatchCount;                                                                     \
    JET_LOGTIME logtimePagePatch;                                                                  \
    uint32_t ulPagePatchCountOld;

#define JET_DBINFOMISC6_FIELDS                                                                     \
    JET_DBINFOMISC5_FIELDS                                                                         \
    JET_LOGTIME logtimeChecksumPrev;                                                               \
    JET_LOGTIME logtimeChecksumStart;                                                              \
    uint32_t cpgDatabaseChecked;

typedef struct {
    JET_DBINFOMISC5_FIELDS
} JET_DBINFOMISC5;

typedef struct {
    JET_DBINFOMISC6_FIELDS
} JET_DBINFOMISC6;

typedef struct {
    JET_DBINFOMISC6_FIELDS
    JET_LOGTIME logtimeLastReAttach;
    JET_LGPOS lgposLastReAttach;
} JET_DBINFOMISC7;

/* JetGetDatabaseFileInfo, level JET_DbInfoUpgrade. */
typedef struct {
    uint32_t cbStruct;
    uint32_t cbFilesizeLow;
    uint32_t cbFilesizeHigh;
    uint32_t cbFreeSpaceRequiredLow;
    uint32_t cbFreeSpaceRequiredHigh;
    uint32_t csecToUpgrade;
    union {
        uint32_t ulFlags;
        struct {
            uint32_t fUpgradable : 1;
            uint32_t fAlreadyUpgraded : 1;
        };
    };
} JET_DBINFOUPGRADE;

/* JetGetLogFileInfo, by level. cbHeader and cbFile count sectors, as in ESE. */
typedef struct {
    uint32_t ulGeneration;
    JET_SIGNATURE signLog;
    JET_LOGTIME logtimeCreate;
    JET_LOGTIME logtimePreviousGeneration;
    uint32_t ulFlags;
    uint32_t ulVersionMajor;
    uint32_t ulVersionMinor;
    uint32_t ulVersionUpdate;
    uint32_t cbSectorSize;
    uint32_t cbHeader;
    uint32_t cbFile;
    uint32_t cbDatabasePageSize;
} JET_LOGINFOMISC;

typedef struct {
    uint32_t ulGeneration;
    JET_SIGNATURE signLog;
    JET_LOGTIME logtimeCreate;
    JET_LOGTIME logtimePreviousGeneration;
    uint32_t ulFlags;
    uint32_t ulVersionMajor;
    uint32_t ulVersionMinor;
    uint32_t ulVersionUpdate;
    uint32_t cbSectorSize;
    uint32_t cbHeader;
    uint32_t cbFile;
    uint32_t cbDatabasePageSize;
    JET_LGPOS lgposCheckpoint;
} JET_LOGINFOMISC2;

typedef struct {
    uint32_t ulGeneration;
    JET_SIGNATURE signLog;
    JET_LOGTIME logtimeCreate;
    JET_LOGTIME logtimePreviousGeneration;
    uint32_t ulFlags;
    uint32_t ulVersionMajor;
    uint32_t ulVersionUpdateMajor;
    uint32_t ulVersionUpdateMinor;
    uint32_t cbSectorSize;
    uint32_t cbHeader;
    uint32_t cbFile;
    uint32_t cbDatabasePageSize;
    JET_LGPOS lgposCheckpoint;
    uint32_t ulVersionMinorDeprecated;
    uint64_t checksumPrevLogAllSegments;
} JET_LOGINFOMISC3;

/* Progress, restore, instances, logs. */
typedef struct {
    uint32_t cbStruct;
    uint32_t cunitDone;
    uint32_t cunitTotal;
} JET_SNPROG;

typedef struct {
    JET_PSTR szDatabaseName;
    JET_PSTR szNewDatabaseName;
} JET_RSTMAP_A;

typedef struct {
    JET_PWSTR szDatabaseName;
    JET_PWSTR szNewDatabaseName;
} JET_RSTMAP_W;

typedef struct {
    uint32_t cbStruct;
    JET_RSTMAP_A *rgrstmap;
    int32_t crstmap;
    JET_LGPOS lgposStop;
    JET_LOGTIME logtimeStop;
    JET_PFNSTATUS pfnStatus;
} JET_RSTINFO_A;

typedef struct {
    uint32_t cbStruct;
    JET_RSTMAP_W *rgrstmap;
    int32_t crstmap;
    JET_LGPOS lgposStop;
    JET_LOGTIME logtimeStop;
    JET_PFNSTATUS pfnStatus;
} JET_RSTINFO_W;

typedef struct {
    JET_INSTANCE hInstanceId;
    JET_PSTR szInstanceName;
    JET_API_PTR cDatabases;
    JET_PSTR *szDatabaseFileName;
    JET_PSTR *szDatabaseDisplayName;
    JET_PSTR *szDatabaseSLVFileName_Obsolete;
} JET_INSTANCE_INFO_A;

typedef struct {
    JET_INSTANCE hInstanceId;
    JET_PWSTR szInstanceName;
    JET_API_PTR cDatabases;
    JET_PWSTR *szDatabaseFileName;
    JET_PWSTR *szDatabaseDisplayName;
    JET_PWSTR *szDatabaseSLVFileName_Obsolete;
} JET_INSTANCE_INFO_W;

typedef struct {
    uint32_t cbSize;
    uint32_t ulGenLow;
    uint32_t ulGenHigh;
    char szBaseName[JET_BASE_NAME_LENGTH + 1];
} JET_LOGINFO_A;

typedef struct {
    uint32_t cbSize;
    uint32_t ulGenLow;
    uint32_t ulGenHigh;
    JET_WCHAR szBaseName[JET_BASE_NAME_LENGTH + 1];
} JET_LOGINFO_W;

/* Columns. */
typedef struct {
    uint32_t cbStruct;
    JET_COLUMNID columnid;
    JET_COLTYP coltyp;
    uint16_t wCountry;
    uint16_t langid;
    uint16_t cp;
    uint16_t wCollate;
    uint32_t cbMax;
    JET_GRBIT grbit;
} JET_COLUMNDEF;

typedef struct {
    uint32_t cbStruct;
    JET_COLUMNID columnid;
    JET_COLTYP coltyp;
    uint16_t wCountry;
    uint16_t langid;
    uint16_t cp;
    uint16_t wFiller;
    uint32_t cbMax;
    JET_GRBIT grbit;
    char szBaseTableName[256];
    char szBaseColumnName[256];
} JET_COLUMNBASE_A;

typedef struct {
    uint32_t cbStruct;
    JET_COLUMNID columnid;
    JET_COLTYP coltyp;
    uint16_t wCountry;
    uint16_t langid;
    uint16_t cp;
    uint16_t wFiller;
    uint32_t cbMax;
    JET_GRBIT grbit;
    JET_WCHAR szBaseTableName[256];
    JET_WCHAR szBaseColumnName[256];
} JET_COLUMNBASE_W;

typedef struct {
    uint32_t cbStruct;
    JET_TABLEID tableid;
    uint32_t cRecord;
    JET_COLUMNID columnidPresentationOrder;
    JET_COLUMNID columnidcolumnname;
    JET_COLUMNID columnidcolumnid;
    JET_COLUMNID columnidcoltyp;
    JET_COLUMNID columnidCountry;
    JET_COLUMNID columnidLangid;
    JET_COLUMNID columnidCp;
    JET_COLUMNID columnidCollate;
    JET_COLUMNID columnidcbMax;
    JET_COLUMNID columnidgrbit;
    JET_COLUMNID columnidDefault;
    JET_COLUMNID columnidBaseTableName;
    JET_COLUMNID columnidBaseColumnName;
    JET_COLUMNID columnidDefinitionName;
} JET_COLUMNLIST;

typedef struct {
    uint32_t cbStruct;
    JET_PSTR szColumnName;
    JET_COLTYP coltyp;
    uint32_t cbMax;
    JET_GRBIT grbit;
    void *pvDefault;
    uint32_t cbDefault;
    uint32_t cp;
    JET_COLUMNID columnid;
    JET_ERR err;
} JET_COLUMNCREATE_A;

typedef struct {
    uint32_t cbStruct;
    JET_PWSTR szColumnName;
    JET_COLTYP coltyp;
    uint32_t cbMax;
    JET_GRBIT grbit;
    void *pvDefault;
    uint32_t cbDefault;
    uint32_t cp;
    JET_COLUMNID columnid;
    JET_ERR err;
} JET_COLUMNCREATE_W;

/* Indexes. */
typedef struct {
    uint32_t lcid;
    uint32_t dwMapFlags;
} JET_UNICODEINDEX;

typedef struct {
    JET_PWSTR szLocaleName;
    uint32_t dwMapFlags;
} JET_UNICODEINDEX2;

typedef struct {
    uint32_t chLengthMin;
    uint32_t chLengthMax;
    uint32_t chToIndexMax;
    uint32_t cchIncrement;
    uint32_t ichStart;
} JET_TUPLELIMITS;

typedef struct {
    uint32_t cbStruct;
    JET_PSTR szColumnName;
    JET_GRBIT grbit;
} JET_CONDITIONALCOLUMN_A;

typedef struct {
    uint32_t cbStruct;
    JET_PWSTR szColumnName;
    JET_GRBIT grbit;
} JET_CONDITIONALCOLUMN_W;

typedef struct {
    uint32_t cbStruct;
    uint32_t ulInitialDensity;
    uint32_t cbInitial;
    JET_GRBIT grbit;
    uint32_t ulMaintDensity;
    uint32_t ulGrowth;
    uint32_t cbMinExtent;
    uint32_t cbMaxExtent;
} JET_SPACEHINTS;

typedef struct {
    uint32_t cbStruct;
    JET_PSTR szIndexName;
    JET_PSTR szKey;
    uint32_t cbKey;
    JET_GRBIT grbit;
    uint32_t ulDensity;
    union {
        uint32_t lcid;
        JET_UNICODEINDEX *pidxunicode;
    };
    union {
        uint32_t cbVarSegMac;
        JET_TUPLELIMITS *ptuplelimits;
    };
    JET_CONDITIONALCOLUMN_A *rgconditionalcolumn;
    uint32_t cConditionalColumn;
    JET_ERR err;
    uint32_t cbKeyMost;
} JET_INDEXCREATE_A;

typedef struct {
    uint32_t cbStruct;
    JET_PWSTR szIndexName;
    JET_PWSTR szKey;
    uint32_t cbKey;
    JET_GRBIT grbit;
    uint32_t ulDensity;
    union {
        uint32_t lcid;
        JET_UNICODEINDEX *pidxunicode;
    };
    union {
        uint32_t cbVarSegMac;
        JET_TUPLELIMITS *ptuplelimits;
    };
    JET_CONDITIONALCOLUMN_W *rgconditionalcolumn;
    uint32_t cConditionalColumn;
    JET_ERR err;
    uint32_t cbKeyMost;
} JET_INDEXCREATE_W;

typedef struct {
    uint32_t cbStruct;
    JET_PSTR szIndexName;
    JET_PSTR szKey;
    uint32_t cbKey;
    JET_GRBIT grbit;
    uint32_t ulDensity;
    union {
        uint32_t lcid;
        JET_UNICODEINDEX *pidxunicode;
    };
    union {
        uint32_t cbVarSegMac;
        JET_TUPLELIMITS *ptuplelimits;
    };
    JET_CONDITIONALCOLUMN_A *rgconditionalcolumn;
    uint32_t cConditionalColumn;
    JET_ERR err;
    uint32_t cbKeyMost;
    JET_SPACEHINTS *pSpacehints;
} JET_INDEXCREATE2_A;

typedef struct {
    uint32_t cbStruct;
    JET_PWSTR szIndexName;
    JET_PWSTR szKey;
    uint32_t cbKey;
    JET_GRBIT grbit;
    uint32_t ulDensity;
    union {
        uint32_t lcid;
        JET_UNICODEINDEX *pidxunicode;
    };
    union {
        uint32_t cbVarSegMac;
        JET_TUPLELIMITS *ptuplelimits;
    };
    JET_CONDITIONALCOLUMN_W *rgconditionalcolumn;
    uint32_t cConditionalColumn;
    JET_ERR err;
    uint32_t cbKeyMost;
    JET_SPACEHINTS *pSpacehints;
} JET_INDEXCREATE2_W;

typedef struct {
    uint32_t cbStruct;
    JET_PSTR szIndexName;
    JET_PSTR szKey;
    uint32_t cbKey;
    JET_GRBIT grbit;
    uint32_t ulDensity;
    JET_UNICODEINDEX2 *pidxunicode;
    union {
        uint32_t cbVarSegMac;
        JET_TUPLELIMITS *ptuplelimits;
    };
    JET_CONDITIONALCOLUMN_A *rgconditionalcolumn;
    uint32_t cConditionalColumn;
    JET_ERR err;
    uint32_t cbKeyMost;
    JET_SPACEHINTS *pSpacehints;
} JET_INDEXCREATE3_A;

typedef struct {
    uint32_t cbStruct;
    JET_PWSTR szIndexName;
    JET_PWSTR szKey;
    uint32_t cbKey;
    JET_GRBIT grbit;
    uint32_t ulDensity;
    JET_UNICODEINDEX2 *pidxunicode;
    union {
        uint32_t cbVarSegMac;
        JET_TUPLELIMITS *ptuplelimits;
    };
    JET_CONDITIONALCOLUMN_W *rgconditionalcolumn;
    uint32_t cConditionalColumn;
    JET_ERR err;
    uint32_t cbKeyMost;
    JET_SPACEHINTS *pSpacehints;
} JET_INDEXCREATE3_W;

/* Tables. */
typedef struct {
    uint32_t cbStruct;
    JET_PSTR szTableName;
    JET_PSTR szTemplateTableName;
    uint32_t ulPages;
    uint32_t ulDensity;
    JET_COLUMNCREATE_A *rgcolumncreate;
    uint32_t cColumns;
    JET_INDEXCREATE_A *rgindexcreate;
    uint32_t cIndexes;
    JET_GRBIT grbit;
    JET_TABLEID tableid;
    uint32_t cCreated;
} JET_TABLECREATE_A;

typedef struct {
    uint32_t cbStruct;
    JET_PWSTR szTableName;
    JET_PWSTR szTemplateTableName;
    uint32_t ulPages;
    uint32_t ulDensity;
    JET_COLUMNCREATE_W *rgcolumncreate;
    uint32_t cColumns;
    JET_INDEXCREATE_W *rgindexcreate;
    uint32_t cIndexes;
    JET_GRBIT grbit;
    JET_TABLEID tableid;
    uint32_t cCreated;
} JET_TABLECREATE_W;

typedef struct {
    uint32_t cbStruct;
    JET_PSTR szTableName;
    JET_PSTR szTemplateTableName;
    uint32_t ulPages;
    uint32_t ulDensity;
    JET_COLUMNCREATE_A *rgcolumncreate;
    uint32_t cColumns;
    JET_INDEXCREATE_A *rgindexcreate;
    uint32_t cIndexes;
    JET_PSTR szCallback;
    JET_CBTYP cbtyp;
    JET_GRBIT grbit;
    JET_TABLEID tableid;
    uint32_t cCreated;
} JET_TABLECREATE2_A;

typedef struct {
    uint32_t cbStruct;
    JET_PWSTR szTableName;
    JET_PWSTR szTemplateTableName;
    uint32_t ulPages;
    uint32_t ulDensity;
    JET_COLUMNCREATE_W *rgcolumncreate;
    uint32_t cColumns;
    JET_INDEXCREATE_W *rgindexcreate;
    uint32_t cIndexes;
    JET_PWSTR szCallback;
    JET_CBTYP cbtyp;
    JET_GRBIT grbit;
    JET_TABLEID tableid;
    uint32_t cCreated;
} JET_TABLECREATE2_W;

/* Values. */
typedef struct {
    JET_COLUMNID columnid;
    const void *pvData;
    uint32_t cbData;
    JET_GRBIT grbit;
    uint32_t ibLongValue;
    uint32_t itagSequence;
    JET_ERR err;
} JET_SETCOLUMN;

typedef struct {
    uint32_t cbStruct;
    uint32_t ibLongValue;
    uint32_t itagSequence;
} JET_SETINFO;

typedef struct {
    uint32_t cbStruct;
    uint32_t ibLongValue;
    uint32_t itagSequence;
    JET_COLUMNID columnidNextTagged;
} JET_RETINFO;

typedef struct {
    JET_COLUMNID columnid;
    void *pvData;
    uint32_t cbData;
    uint32_t cbActual;
    JET_GRBIT grbit;
    uint32_t ibLongValue;
    uint32_t itagSequence;
    JET_COLUMNID columnidNextTagged;
    JET_ERR err;
} JET_RETRIEVECOLUMN;

typedef struct {
    uint32_t cbStruct;
    uint32_t centriesLT;
    uint32_t centriesInRange;
    uint32_t centriesTotal;
} JET_RECPOS;

typedef struct {
    uint32_t cbStruct;
    JET_OBJTYP objtyp;
    JET_DATESERIAL dtCreate;
    JET_DATESERIAL dtUpdate;
    JET_GRBIT grbit;
    uint32_t flags;
    uint32_t cRecord;
    uint32_t cPage;
} JET_OBJECTINFO;

#ifdef JET_UNICODE
#define JET_RSTMAP            JET_RSTMAP_W
#define JET_RSTINFO           JET_RSTINFO_W
#define JET_INSTANCE_INFO     JET_INSTANCE_INFO_W
#define JET_LOGINFO           JET_LOGINFO_W
#define JET_COLUMNBASE        JET_COLUMNBASE_W
#define JET_COLUMNCREATE      JET_COLUMNCREATE_W
#define JET_CONDITIONALCOLUMN JET_CONDITIONALCOLUMN_W
#define JET_INDEXCREATE       JET_INDEXCREATE_W
#define JET_INDEXCREATE2      JET_INDEXCREATE2_W
#define JET_INDEXCREATE3      JET_INDEXCREATE3_W
#define JET_TABLECREATE       JET_TABLECREATE_W
#define JET_TABLECREATE2      JET_TABLECREATE2_W
#else
#define JET_RSTMAP            JET_RSTMAP_A
#define JET_RSTINFO           JET_RSTINFO_A
#define JET_INSTANCE_INFO     JET_INSTANCE_INFO_A
#define JET_LOGINFO           JET_LOGINFO_A
#define JET_COLUMNBASE        JET_COLUMNBASE_A
#define JET_COLUMNCREATE      JET_COLUMNCREATE_A
#define JET_CONDITIONALCOLUMN JET_CONDITIONALCOLUMN_A
#define JET_INDEXCREATE       JET_INDEXCREATE_A
#define JET_INDEXCREATE2      JET_INDEXCREATE2_A
#define JET_INDEXCREATE3      JET_INDEXCREATE3_A
#define JET_TABLECREATE       JET_TABLECREATE_A
#define JET_TABLECREATE2      JET_TABLECREATE2_A
#endif

/* Column types. */
#define JET_coltypNil              0
#define JET_coltypBit              1
#define JET_coltypUnsignedByte     2
#define JET_coltypShort            3
#define JET_coltypLong             4
#define JET_coltypCurrency         5
#define JET_coltypIEEESingle       6
#define JET_coltypIEEEDouble       7
#define JET_coltypDateTime         8
#define JET_coltypBinary           9
#define JET_coltypText             10
#define JET_coltypLongBinary       11
#define JET_coltypLongText         12
#define JET_coltypSLV              13
#define JET_coltypUnsignedLong     14
#define JET_coltypLongLong         15
#define JET_coltypGUID             16
#define JET_coltypUnsignedShort    17
#define JET_coltypUnsignedLongLong 18
#define JET_coltypMax              19

/* Object types. */
#define JET_objtypNil   0
#define JET_objtypTable 1

/* System parameters. */
#define JET_paramSystemPath                                      0
#define JET_paramTempPath                                        1
#define JET_paramLogFilePath                                     2
#define JET_paramBaseName                                        3
#define JET_paramEventSource                                     4
#define JET_paramMaxSessions                                     5
#define JET_paramMaxOpenTables                                   6
#define JET_paramPreferredMaxOpenTables                          7
#define JET_paramMaxCursors                                      8
#define JET_paramMaxVerPages                                     9
#define JET_paramMaxTemporaryTables                              10
#define JET_paramLogFileSize                                     11
#define JET_paramLogBuffers                                      12
#define JET_paramWaitLogFlush                                    13
#define JET_paramLogCheckpointPeriod                             14
#define JET_paramLogWaitingUserMax                               15
#define JET_paramCommitDefault                                   16
#define JET_paramCircularLog                                     17
#define JET_paramDbExtensionSize                                 18
#define JET_paramPageTempDBMin                                   19
#define JET_paramPageFragment                                    20
#define JET_paramBatchIOBufferMax                                22
#define JET_paramCacheSizeMax                                    23
#define JET_paramCheckpointDepthMax                              24
#define JET_paramLRUKCorrInterval                                25
#define JET_paramLRUKHistoryMax                                  26
#define JET_paramLRUKPolicy                                      27
#define JET_paramLRUKTimeout                                     28
#define JET_paramLRUKTrxCorrInterval                             29
#define JET_paramOutstandingIOMax                                30
#define JET_paramStartFlushThreshold                             31
#define JET_paramStopFlushThreshold                              32
#define JET_paramRecovery                                        34
#define JET_paramEnableOnlineDefrag                              35
#define JET_paramCacheSize                                       41
#define JET_paramCheckFormatWhenOpenFail                         44
#define JET_paramEnableIndexChecking                             45
#define JET_paramEnableTempTableVersioning                       46
#define JET_paramIgnoreLogVersion                                47
#define JET_paramDeleteOldLogs                                   48
#define JET_paramEventSourceKey                                  49
#define JET_paramNoInformationEvent                              50
#define JET_paramEventLoggingLevel                               51
#define JET_paramDeleteOutOfRangeLogs                            52
#define JET_paramAccessDeniedRetryPeriod                         53
#define JET_paramEnableIndexCleanup                              54
#define JET_paramCacheSizeMin                                    60
#define JET_paramPreferredVerPages                               63
#define JET_paramDatabasePageSize                                64
#define JET_paramDisableCallbacks                                65
#define JET_paramBackupChunkSize                                 66
#define JET_paramBackupOutstandingReads                          67
#define JET_paramLogFileCreateAsynch                             69
#define JET_paramErrorToString                                   70
#define JET_paramZeroDatabaseDuringBackup                        71
#define JET_paramUnicodeIndexDefault                             72
#define JET_paramRuntimeCallback                                 73
#define JET_paramCleanupMismatchedLogFiles                       77
#define JET_paramRecordUpgradeDirtyLevel                         78
#define JET_paramGlobalMinVerPages                               81
#define JET_paramOSSnapshotTimeout                               82
#define JET_paramExceptionAction                                 98
#define JET_paramEventLogCache                                   99
#define JET_paramCreatePathIfNotExist                            100
#define JET_paramPageHintCacheSize                               101
#define JET_paramOneDatabasePerSession                           102
#define JET_paramMaxInstances                                    104
#define JET_paramVersionStoreTaskQueueMax                        105
#define JET_paramDisablePerfmon                                  107
#define JET_paramIndexTuplesLengthMin                            110
#define JET_paramIndexTuplesLengthMax                            111
#define JET_paramIndexTuplesToIndexMax                           112
#define JET_paramAlternateDatabaseRecoveryPath                   113
#define JET_paramCachedClosedTables                              125
#define JET_paramEnableFileCache                                 126
#define JET_paramEnableViewCache                                 127
#define JET_paramVerPageSize                                     128
#define JET_paramConfiguration                                   129
#define JET_paramEnableAdvanced                                  130
#define JET_paramMaxColtyp                                       131
#define JET_paramIndexTupleIncrement                             132
#define JET_paramIndexTupleStart                                 133
#define JET_paramKeyMost                                         134
#define JET_paramCheckpointIOMax                                 135
#define JET_paramLegacyFileNames                                 136
#define JET_paramIOPriority                                      152
#define JET_paramWaypointLatency                                 153
#define JET_paramEnablePersistedCallbacks                        156
#define JET_paramAggressiveLogRollover                           157
#define JET_paramDefragmentSequentialBTrees                      160
#define JET_paramDefragmentSequentialBTreesDensityCheckFrequency 161
#define JET_paramIOThrottlingTimeQuanta                          162
#define JET_paramLVChunkSizeMost                                 163
#define JET_paramMaxCoalesceReadSize                             164
#define JET_paramMaxCoalesceWriteSize                            165
#define JET_paramMaxCoalesceReadGapSize                          166
#define JET_paramMaxCoalesceWriteGapSize                         167
#define JET_paramEnableDBScanInRecovery                          169
#define JET_paramDbScanThrottle                                  170
#define JET_paramDbScanIntervalMinSec                            171
#define JET_paramDbScanIntervalMaxSec                            172
#define JET_paramCachePriority                                   177
#define JET_paramMaxTransactionSize                              178
#define JET_paramPrereadIOMax                                    179
#define JET_paramEnableDBScanSerialization                       180
#define JET_paramHungIOThreshold                                 181
#define JET_paramHungIOActions                                   182
#define JET_paramMinDataForXpress                                183
#define JET_paramEnableShrinkDatabase                            184
#define JET_paramProcessFriendlyName                             186
#define JET_paramDurableCommitCallback                           187

/* Flags of JET_paramLegacyFileNames. */
#define JET_bitESE98FileNames          0x1u
#define JET_bitEightDotThreeSoftCompat 0x2u

/* JetCreateInstance2, JetInit2, JetInit3. */
#define JET_bitReplayIgnoreMissingDB         0x4u
#define JET_bitRecoveryWithoutUndo           0x8u
#define JET_bitTruncateLogsAfterRecovery     0x10u
#define JET_bitReplayMissingMapEntryDB       0x20u
#define JET_bitLogStreamMustExist            0x40u
#define JET_bitReplayIgnoreLostLogs          0x80u
#define JET_bitKeepDbAttachedAtEndOfRecovery 0x1000u

/* JetTerm2. */
#define JET_bitTermComplete   0x1u
#define JET_bitTermAbrupt     0x2u
#define JET_bitTermStopBackup 0x4u
#define JET_bitTermDirty      0x8u

/* JetEndSession. */
#define JET_bitForceSessionClosed 0x1u

/* JetAttachDatabase, JetOpenDatabase. */
#define JET_bitDbReadOnly                    0x1u
#define JET_bitDbExclusive                   0x2u
#define JET_bitDbDeleteCorruptIndexes        0x10u
#define JET_bitDbUpgrade                     0x200u
#define JET_bitDbDeleteUnicodeIndexes        0x400u
#define JET_bitDbEnableBackgroundMaintenance 0x800u
#define JET_bitDbPurgeCacheOnAttach          0x1000u

/* JetDetachDatabase2. */
#define JET_bitForceDetach         0x1u
#define JET_bitForceCloseAndDetach 0x3u

/* JetCreateDatabase. */
#define JET_bitDbRecoveryOff       0x8u
#define JET_bitDbVersioningOff     0x40u
#define JET_bitDbShadowingOff      0x80u
#define JET_bitDbOverwriteExisting 0x200u

/* JetBackup, JetBeginExternalBackup. */
#define JET_bitBackupIncremental 0x1u
#define JET_bitBackupAtomic      0x4u
#define JET_bitBackupSnapshot    0x10u
#define JET_bitBackupSurrogate   0x20u /* what JetBeginSurrogateBackup begins; not for others */

/* JetEndExternalBackupInstance2. */
#define JET_bitBackupEndNormal        0x1u
#define JET_bitBackupEndAbort         0x2u
#define JET_bitBackupTruncateDone     0x100u
#define JET_bitBackupNoDbHeaderUpdate 0x200u /* the headers do not tell of this backup */

/* JetOSSnapshotPrepare. */
#define JET_bitIncrementalSnapshot 0x1u /* logs only */
#define JET_bitCopySnapshot        0x2u /* no log is deleted */
#define JET_bitContinueAfterThaw   0x4u /* the session goes on until JetOSSnapshotEnd */
#define JET_bitExplicitPrepare     0x8u /* only the instances of JetOSSnapshotPrepareInstance */

/* JetOSSnapshotTruncateLog, JetOSSnapshotEnd. */
#define JET_bitAllDatabasesSnapshot 0x1u
#define JET_bitAbortSnapshot        0x1u

/* JetStopServiceInstance2. */
#define JET_bitStopServiceAll                 0x0u
#define JET_bitStopServiceBackgroundUserTasks 0x2u
#define JET_bitStopServiceQuiesceCaches       0x4u
#define JET_bitStopServiceResume              0x80000000u

/* JetCreateTableColumnIndex. */
#define JET_bitTableCreateFixedDDL                         0x1u
#define JET_bitTableCreateTemplateTable                    0x2u
#define JET_bitTableCreateNoFixedVarColumnsInDerivedTables 0x4u
#define JET_bitTableCreateImmutableStructure               0x8u

/* JetAddColumn, JetGetColumnInfo. */
#define JET_bitColumnFixed              0x1u
#define JET_bitColumnTagged             0x2u
#define JET_bitColumnNotNULL            0x4u
#define JET_bitColumnVersion            0x8u
#define JET_bitColumnAutoincrement      0x10u
#define JET_bitColumnUpdatable          0x20u
#define JET_bitColumnTTKey              0x40u
#define JET_bitColumnTTDescending       0x80u
#define JET_bitColumnMultiValued        0x400u
#define JET_bitColumnEscrowUpdate       0x800u
#define JET_bitColumnUnversioned        0x1000u
#define JET_bitColumnMaybeNull          0x2000u
#define JET_bitColumnFinalize           0x4000u
#define JET_bitColumnUserDefinedDefault 0x8000u
#define JET_bitColumnDeleteOnZero       0x20000u
#define JET_bitColumnCompressed         0x80000u

/* JetDeleteColumn2. */
#define JET_bitDeleteColumnIgnoreTemplateColumns 0x1u

/* JetSetCurrentIndex2. */
#define JET_bitMoveFirst 0x0u
#define JET_bitNoMove    0x2u

/* JetMakeKey. */
#define JET_bitNewKey                  0x1u
#define JET_bitStrLimit                0x2u
#define JET_bitSubStrLimit             0x4u
#define JET_bitNormalizedKey           0x8u
#define JET_bitKeyDataZeroLength       0x10u
#define JET_bitFullColumnStartLimit    0x100u
#define JET_bitFullColumnEndLimit      0x200u
#define JET_bitPartialColumnStartLimit 0x400u
#define JET_bitPartialColumnEndLimit   0x800u

/* JetSetIndexRange. */
#define JET_bitRangeInclusive       0x1u
#define JET_bitRangeUpperLimit      0x2u
#define JET_bitRangeInstantDuration 0x4u
#define JET_bitRangeRemove          0x8u

/* JetGetLock. */
#define JET_bitReadLock  0x1u
#define JET_bitWriteLock 0x2u

/* JetMove. */
#define JET_MoveFirst    (-2147483647 - 1)
#define JET_MovePrevious (-1)
#define JET_MoveNext     1
#define JET_MoveLast     0x7fffffff
#define JET_bitMoveKeyNE 0x1u

/* JetSeek. */
#define JET_bitSeekEQ          0x1u
#define JET_bitSeekLT          0x2u
#define JET_bitSeekLE          0x4u
#define JET_bitSeekGE          0x8u
#define JET_bitSeekGT          0x10u
#define JET_bitSetIndexRange   0x20u
#define JET_bitCheckUniqueness 0x40u

/* Index definitions. */
#define JET_bitIndexColumnMustBeNull    0x1u
#define JET_bitIndexColumnMustBeNonNull 0x2u
#define JET_bitIndexUnique              0x1u
#define JET_bitIndexPrimary             0x2u
#define JET_bitIndexDisallowNull        0x4u
#define JET_bitIndexIgnoreNull          0x8u
#define JET_bitIndexIgnoreAnyNull       0x20u
#define JET_bitIndexIgnoreFirstNull     0x40u
#define JET_bitIndexLazyFlush           0x80u
#define JET_bitIndexEmpty               0x100u
#define JET_bitIndexUnversioned         0x200u
#define JET_bitIndexSortNullsHigh       0x400u
#define JET_bitIndexUnicode             0x800u
#define JET_bitIndexTuples              0x1000u
#define JET_bitIndexTupleLimits         0x2000u
#define JET_bitIndexCrossProduct        0x4000u
#define JET_bitIndexKeyMost             0x8000u
#define JET_bitIndexDisallowTruncation  0x10000u
#define JET_bitIndexNestedTable         0x20000u
#define JET_bitIndexDotNetGuid          0x40000u
#define JET_bitIndexImmutableStructure  0x80000u
#define JET_bitKeyAscending             0x0u
#define JET_bitKeyDescending            0x1u

/* JetOpenTable. */
#define JET_bitTableDenyWrite     0x1u
#define JET_bitTableDenyRead      0x2u
#define JET_bitTableReadOnly      0x4u
#define JET_bitTableUpdatable     0x8u
#define JET_bitTablePermitDDL     0x10u
#define JET_bitTableNoCache       0x20u
#define JET_bitTablePreread       0x40u
#define JET_bitTableOpportuneRead 0x80u
#define JET_bitTableSequential    0x8000u
#define JET_bitTableClassMask     0xf0000u
#define JET_bitTableClassNone     0x0u

/* JetSetColumn. */
#define JET_bitSetAppendLV                    0x1u
#define JET_bitSetOverwriteLV                 0x4u
#define JET_bitSetSizeLV                      0x8u
#define JET_bitSetZeroLength                  0x20u
#define JET_bitSetSeparateLV                  0x40u
#define JET_bitSetUniqueMultiValues           0x80u
#define JET_bitSetUniqueNormalizedMultiValues 0x100u
#define JET_bitSetRevertToDefaultValue        0x200u
#define JET_bitSetIntrinsicLV                 0x400u
#define JET_bitSetUncompressed                0x10000u
#define JET_bitSetCompressed                  0x20000u

/* JetPrepareUpdate. */
#define JET_prepInsert                    0
#define JET_prepReplace                   2
#define JET_prepCancel                    3
#define JET_prepReplaceNoLock             4
#define JET_prepInsertCopy                5
#define JET_prepInsertCopyDeleteOriginal  7
#define JET_prepInsertCopyReplaceOriginal 9

/* JetUpdate2. */
#define JET_bitUpdateCheckESE97Compatibility 0x1u

/* JetRetrieveColumn. */
#define JET_bitRetrieveCopy                0x1u
#define JET_bitRetrieveFromIndex           0x2u
#define JET_bitRetrieveFromPrimaryBookmark 0x4u
#define JET_bitRetrieveTag                 0x8u
#define JET_bitRetrieveNull                0x10u
#define JET_bitRetrieveIgnoreDefault       0x20u
#define JET_bitRetrieveLongId              0x40u
#define JET_bitRetrieveLongValueRefCount   0x80u
#define JET_bitRetrieveTuple               0x800u

/* JetBeginTransaction2. */
#define JET_bitTransactionReadOnly 0x1u

/* JetCommitTransaction. */
#define JET_bitCommitLazyFlush      0x1u
#define JET_bitWaitLastLevel0Commit 0x2u
#define JET_bitWaitAllLevel0Commit  0x8u
#define JET_bitForceNewLog          0x10u

/* JetRollback. */
#define JET_bitRollbackAll 0x1u

/* JetGetColumnInfo, JetGetTableColumnInfo levels. */
#define JET_ColInfo                           0u
#define JET_ColInfoList                       1u
#define JET_ColInfoSysTabCursor               3u
#define JET_ColInfoBase                       4u
#define JET_ColInfoListCompact                5u
#define JET_ColInfoByColid                    6u
#define JET_ColInfoListSortColumnid           7u
#define JET_ColInfoBaseByColid                8u
#define JET_ColInfoGrbitNonDerivedColumnsOnly 0x80000000u
#define JET_ColInfoGrbitMinimalInfo           0x40000000u
#define JET_ColInfoGrbitSortByColumnid        0x20000000u

/* JetGetLogFileInfo levels. */
#define JET_LogInfoMisc  0u
#define JET_LogInfoMisc2 1u
#define JET_LogInfoMisc3 2u

/* JetGetDatabaseInfo, JetGetDatabaseFileInfo levels. */
#define JET_DbInfoFilename       0u
#define JET_DbInfoConnect        1u
#define JET_DbInfoCountry        2u
#define JET_DbInfoLCID           3u
#define JET_DbInfoCp             4u
#define JET_DbInfoCollate        5u
#define JET_DbInfoOptions        6u
#define JET_DbInfoTransactions   7u
#define JET_DbInfoVersion        8u
#define JET_DbInfoIsam           9u
#define JET_DbInfoFilesize       10u
#define JET_DbInfoSpaceOwned     11u
#define JET_DbInfoSpaceAvailable 12u
#define JET_DbInfoUpgrade        13u
#define JET_DbInfoMisc           14u
#define JET_DbInfoDBInUse        15u
#define JET_DbInfoPageSize       17u
#define JET_DbInfoFileType       19u
#define JET_DbInfoFilesizeOnDisk 21u

/* Database states, file types. */
#define JET_dbstateJustCreated                 1
#define JET_dbstateDirtyShutdown               2
#define JET_dbstateInconsistent                2
#define JET_dbstateCleanShutdown               3
#define JET_dbstateConsistent                  3
#define JET_dbstateBeingConverted              4
#define JET_dbstateForceDetach                 5
#define JET_dbstateIncrementalReseedInProgress 6
#define JET_dbstateDirtyAndPatchedShutdown     7
#define JET_filetypeUnknown                    0
#define JET_filetypeDatabase                   1
#define JET_filetypeLog                        3
#define JET_filetypeCheckpoint                 4
#define JET_filetypeTempDatabase               5
#define JET_filetypeFlushMap                   7

/* Status callbacks. */
#define JET_snpRepair              2
#define JET_snpCompact             4
#define JET_snpRestore             8
#define JET_snpBackup              9
#define JET_snpUpgrade             10
#define JET_snpScrub               11
#define JET_snpUpgradeRecordFormat 12
#define JET_sntProgress            0
#define JET_sntFail                3
#define JET_sntBegin               5
#define JET_sntComplete            6
#define JET_sntRequirements        7

/* Values of parameters. */
/* JET_paramExceptionAction: kept, without effect on Linux. */
#define JET_ExceptionMsgBox         0x1
#define JET_ExceptionNone           0x2
#define JET_ExceptionFailFast       0x4
#define JET_EventLoggingDisable     0
#define JET_EventLoggingLevelMin    1
#define JET_EventLoggingLevelLow    25
#define JET_EventLoggingLevelMedium 50
#define JET_EventLoggingLevelHigh   75
#define JET_EventLoggingLevelMax    100

/*
 * Errors and warnings. engine/base/error_list.h has the same list with a sentence for each.
 */
#define JET_errSuccess 0
#define JET_wrnNyi     (-1)

/* System */
#define JET_errRfsFailure                          (-100)
#define JET_errRfsNotArmed                         (-101)
#define JET_errFileClose                           (-102)
#define JET_errOutOfThreads                        (-103)
#define JET_errTooManyIO                           (-105)
#define JET_errTaskDropped                         (-106)
#define JET_errInternalError                       (-107)
#define JET_errDisabledFunctionality               (-112)
#define JET_errUnloadableOSFunctionality           (-113)
#define JET_errDatabaseBufferDependenciesCorrupted (-255)

/* Directory manager */
#define JET_wrnRemainingVersions          321
#define JET_errPreviousVersion            (-322)
#define JET_errPageBoundary               (-323)
#define JET_errKeyBoundary                (-324)
#define JET_errBadPageLink                (-327)
#define JET_errBadBookmark                (-328)
#define JET_errNTSystemCallFailed         (-334)
#define JET_errBadParentPageLink          (-338)
#define JET_errSPAvailExtCacheOutOfSync   (-340)
#define JET_errSPAvailExtCorrupted        (-341)
#define JET_errSPAvailExtCacheOutOfMemory (-342)
#define JET_errSPOwnExtCorrupted          (-343)
#define JET_errDbTimeCorrupted            (-344)
#define JET_wrnUniqueKey                  345
#define JET_errKeyTruncated               (-346)
#define JET_errDatabaseLeakInSpace        (-348)
#define JET_errBadEmptyPage               (-351)

/* Record manager */
#define JET_wrnSeparateLongValue         406
#define JET_errKeyTooBig                 (-408)
#define JET_errCannotSeparateIntrinsicLV (-416)
#define JET_errSeparatedLongValue        (-421)
#define JET_errMustBeSeparateLongValue   (-423)
#define JET_errInvalidPreread            (-424)

/* Logging and recovery */
#define JET_errInvalidLoggedOperation                               (-500)
#define JET_errLogFileCorrupt                                       (-501)
#define JET_errNoBackupDirectory                                    (-503)
#define JET_errBackupDirectoryNotEmpty                              (-504)
#define JET_errBackupInProgress                                     (-505)
#define JET_errRestoreInProgress                                    (-506)
#define JET_errMissingPreviousLogFile                               (-509)
#define JET_errLogWriteFail                                         (-510)
#define JET_errLogDisabledDueToRecoveryFailure                      (-511)
#define JET_errCannotLogDuringRecoveryRedo                          (-512)
#define JET_errLogGenerationMismatch                                (-513)
#define JET_errBadLogVersion                                        (-514)
#define JET_errInvalidLogSequence                                   (-515)
#define JET_errLoggingDisabled                                      (-516)
#define JET_errLogBufferTooSmall                                    (-517)
#define JET_errLogSequenceEnd                                       (-519)
#define JET_errNoBackup                                             (-520)
#define JET_errInvalidBackupSequence                                (-521)
#define JET_errBackupNotAllowedYet                                  (-523)
#define JET_errDeleteBackupFileFail                                 (-524)
#define JET_errMakeBackupDirectoryFail                              (-525)
#define JET_errInvalidBackup                                        (-526)
#define JET_errRecoveredWithErrors                                  (-527)
#define JET_errMissingLogFile                                       (-528)
#define JET_errLogDiskFull                                          (-529)
#define JET_errBadLogSignature                                      (-530)
#define JET_errBadDbSignature                                       (-531)
#define JET_errBadCheckpointSignature                               (-532)
#define JET_errCheckpointCorrupt                                    (-533)
#define JET_errMissingPatchPage                                     (-534)
#define JET_errBadPatchPage                                         (-535)
#define JET_errRedoAbruptEnded                                      (-536)
#define JET_errPatchFileMissing                                     (-538)
#define JET_errDatabaseLogSetMismatch                               (-539)
#define JET_errDatabaseStreamingFileMismatch                        (-540)
#define JET_errLogFileSizeMismatch                                  (-541)
#define JET_errCheckpointFileNotFound                               (-542)
#define JET_errRequiredLogFilesMissing                              (-543)
#define JET_errSoftRecoveryOnBackupDatabase                         (-544)
#define JET_errLogFileSizeMismatchDatabasesConsistent               (-545)
#define JET_errLogSectorSizeMismatch                                (-546)
#define JET_errLogSectorSizeMismatchDatabasesConsistent             (-547)
#define JET_errLogSequenceEndDatabasesConsistent                    (-548)
#define JET_errStreamingDataNotLogged                               (-549)
#define JET_errDatabaseDirtyShutdown                                (-550)
#define JET_errConsistentTimeMismatch                               (-551)
#define JET_errDatabasePatchFileMismatch                            (-552)
#define JET_errEndingRestoreLogTooLow                               (-553)
#define JET_errStartingRestoreLogTooHigh                            (-554)
#define JET_errGivenLogFileHasBadSignature                          (-555)
#define JET_errGivenLogFileIsNotContiguous                          (-556)
#define JET_errMissingRestoreLogFiles                               (-557)
#define JET_wrnExistingLogFileHasBadSignature                       558
#define JET_wrnExistingLogFileIsNotContiguous                       559
#define JET_errMissingFullBackup                                    (-560)
#define JET_errBadBackupDatabaseSize                                (-561)
#define JET_errDatabaseAlreadyUpgraded                              (-562)
#define JET_errDatabaseIncompleteUpgrade                            (-563)
#define JET_wrnSkipThisRecord                                       564
#define JET_errMissingCurrentLogFiles                               (-565)
#define JET_errDbTimeTooOld                                         (-566)
#define JET_errDbTimeTooNew                                         (-567)
#define JET_errMissingFileToBackup                                  (-569)
#define JET_errLogTornWriteDuringHardRestore                        (-570)
#define JET_errLogTornWriteDuringHardRecovery                       (-571)
#define JET_errLogCorruptDuringHardRestore                          (-573)
#define JET_errLogCorruptDuringHardRecovery                         (-574)
#define JET_errMustDisableLoggingForDbUpgrade                       (-575)
#define JET_errBadRestoreTargetInstance                             (-577)
#define JET_wrnTargetInstanceRunning                                578
#define JET_errRecoveredWithoutUndo                                 (-579)
#define JET_errDatabasesNotFromSameSnapshot                         (-580)
#define JET_errSoftRecoveryOnSnapshot                               (-581)
#define JET_errCommittedLogFilesMissing                             (-582)
#define JET_errSectorSizeNotSupported                               (-583)
#define JET_errRecoveredWithoutUndoDatabasesConsistent              (-584)
#define JET_wrnCommittedLogFilesLost                                585
#define JET_errCommittedLogFileCorrupt                              (-586)
#define JET_wrnCommittedLogFilesRemoved                             587
#define JET_wrnFinishWithUndo                                       588
#define JET_wrnDatabaseRepaired                                     595
#define JET_errLogSequenceChecksumMismatch                          (-590)
#define JET_errUnicodeTranslationBufferTooSmall                     (-601)
#define JET_errUnicodeTranslationFail                               (-602)
#define JET_errUnicodeNormalizationNotSupported                     (-603)
#define JET_errUnicodeLanguageValidationFailure                     (-604)
#define JET_errExistingLogFileHasBadSignature                       (-610)
#define JET_errExistingLogFileIsNotContiguous                       (-611)
#define JET_errLogReadVerifyFailure                                 (-612)
#define JET_errCheckpointDepthTooDeep                               (-614)
#define JET_errRestoreOfNonBackupDatabase                           (-615)
#define JET_errLogFileNotCopied                                     (-616)
#define JET_errSurrogateBackupInProgress                            (-617)
#define JET_errTransactionTooLong                                   (-618)
#define JET_errEngineFormatVersionNoLongerSupportedTooLow           (-619)
#define JET_errEngineFormatVersionNotYetImplementedTooHigh          (-620)
#define JET_errEngineFormatVersionParamTooLowForRequestedFeature    (-621)
#define JET_errEngineFormatVersionSpecifiedTooLowForLogVersion      (-622)
#define JET_errEngineFormatVersionSpecifiedTooLowForDatabaseVersion (-623)
#define JET_errBackupAbortByCaller                                  (-800)
#define JET_errBackupAbortByServer                                  (-801)

/* Interface */
#define JET_errInvalidGrbit                              (-900)
#define JET_errTermInProgress                            (-1000)
#define JET_errFeatureNotAvailable                       (-1001)
#define JET_errInvalidName                               (-1002)
#define JET_errInvalidParameter                          (-1003)
#define JET_wrnColumnNull                                1004
#define JET_wrnBufferTruncated                           1006
#define JET_wrnDatabaseAttached                          1007
#define JET_errDatabaseFileReadOnly                      (-1008)
#define JET_wrnSortOverflow                              1009
#define JET_errInvalidDatabaseId                         (-1010)
#define JET_errOutOfMemory                               (-1011)
#define JET_errOutOfDatabaseSpace                        (-1012)
#define JET_errOutOfCursors                              (-1013)
#define JET_errOutOfBuffers                              (-1014)
#define JET_errTooManyIndexes                            (-1015)
#define JET_errTooManyKeys                               (-1016)
#define JET_errRecordDeleted                             (-1017)
#define JET_errReadVerifyFailure                         (-1018)
#define JET_errPageNotInitialized                        (-1019)
#define JET_errOutOfFileHandles                          (-1020)
#define JET_errDiskReadVerificationFailure               (-1021)
#define JET_errDiskIO                                    (-1022)
#define JET_errInvalidPath                               (-1023)
#define JET_errInvalidSystemPath                         (-1024)
#define JET_errInvalidLogDirectory                       (-1025)
#define JET_errRecordTooBig                              (-1026)
#define JET_errTooManyOpenDatabases                      (-1027)
#define JET_errInvalidDatabase                           (-1028)
#define JET_errNotInitialized                            (-1029)
#define JET_errAlreadyInitialized                        (-1030)
#define JET_errInitInProgress                            (-1031)
#define JET_errFileAccessDenied                          (-1032)
#define JET_errBufferTooSmall                            (-1038)
#define JET_wrnSeekNotEqual                              1039
#define JET_errTooManyColumns                            (-1040)
#define JET_errContainerNotEmpty                         (-1043)
#define JET_errInvalidFilename                           (-1044)
#define JET_errInvalidBookmark                           (-1045)
#define JET_errColumnInUse                               (-1046)
#define JET_errInvalidBufferSize                         (-1047)
#define JET_errColumnNotUpdatable                        (-1048)
#define JET_errIndexInUse                                (-1051)
#define JET_errLinkNotSupported                          (-1052)
#define JET_errNullKeyDisallowed                         (-1053)
#define JET_errNotInTransaction                          (-1054)
#define JET_wrnNoErrorInfo                               1055
#define JET_errMustRollback                              (-1057)
#define JET_wrnNoIdleActivity                            1058
#define JET_errTooManyActiveUsers                        (-1059)
#define JET_errInvalidCountry                            (-1061)
#define JET_errInvalidLanguageId                         (-1062)
#define JET_errInvalidCodePage                           (-1063)
#define JET_errInvalidLCMapStringFlags                   (-1064)
#define JET_errVersionStoreEntryTooBig                   (-1065)
#define JET_errVersionStoreOutOfMemoryAndCleanupTimedOut (-1066)
#define JET_wrnNoWriteLock                               1067
#define JET_wrnColumnSetNull                             1068
#define JET_errVersionStoreOutOfMemory                   (-1069)
#define JET_errCannotIndex                               (-1071)
#define JET_errRecordNotDeleted                          (-1072)
#define JET_errTooManyMempoolEntries                     (-1073)
#define JET_errOutOfObjectIDs                            (-1074)
#define JET_errOutOfLongValueIDs                         (-1075)
#define JET_errOutOfAutoincrementValues                  (-1076)
#define JET_errOutOfDbtimeValues                         (-1077)
#define JET_errOutOfSequentialIndexValues                (-1078)
#define JET_errRunningInOneInstanceMode                  (-1080)
#define JET_errRunningInMultiInstanceMode                (-1081)
#define JET_errSystemParamsAlreadySet                    (-1082)
#define JET_errSystemPathInUse                           (-1083)
#define JET_errLogFilePathInUse                          (-1084)
#define JET_errTempPathInUse                             (-1085)
#define JET_errInstanceNameInUse                         (-1086)
#define JET_errSystemParameterConflict                   (-1087)
#define JET_errInstanceUnavailable                       (-1090)
#define JET_errDatabaseUnavailable                       (-1091)
#define JET_errInstanceUnavailableDueToFatalLogDiskFull  (-1092)
#define JET_errInvalidSesparamId                         (-1093)
#define JET_errTooManyRecords                            (-1094)
#define JET_errInvalidDbparamId                          (-1095)
#define JET_errOutOfSessions                             (-1101)
#define JET_errWriteConflict                             (-1102)
#define JET_errTransTooDeep                              (-1103)
#define JET_errInvalidSesid                              (-1104)
#define JET_errWriteConflictPrimaryIndex                 (-1105)
#define JET_errInTransaction                             (-1108)
#define JET_errRollbackRequired                          (-1109)
#define JET_errTransReadOnly                             (-1110)
#define JET_errSessionWriteConflict                      (-1111)
#define JET_errRecordTooBigForBackwardCompatibility      (-1112)
#define JET_errCannotMaterializeForwardOnlySort          (-1113)
#define JET_errSesidTableIdMismatch                      (-1114)
#define JET_errInvalidInstance                           (-1115)
#define JET_errDirtyShutdown                             (-1116)
#define JET_errReadPgnoVerifyFailure                     (-1118)
#define JET_errReadLostFlushVerifyFailure                (-1119)
#define JET_errFileSystemCorruption                      (-1121)
#define JET_wrnShrinkNotPossible                         1122
#define JET_errRecoveryVerifyFailure                     (-1123)
#define JET_errFilteredMoveNotSupported                  (-1124)
#define JET_errDatabaseDuplicate                         (-1201)
#define JET_errDatabaseInUse                             (-1202)
#define JET_errDatabaseNotFound                          (-1203)
#define JET_errDatabaseInvalidName                       (-1204)
#define JET_errDatabaseInvalidPages                      (-1205)
#define JET_errDatabaseCorrupted                         (-1206)
#define JET_errDatabaseLocked                            (-1207)
#define JET_errCannotDisableVersioning                   (-1208)
#define JET_errInvalidDatabaseVersion                    (-1209)
#define JET_errDatabase200Format                         (-1210)
#define JET_errDatabase400Format                         (-1211)
#define JET_errDatabase500Format                         (-1212)
#define JET_errPageSizeMismatch                          (-1213)
#define JET_errTooManyInstances                          (-1214)
#define JET_errDatabaseSharingViolation                  (-1215)
#define JET_errAttachedDatabaseMismatch                  (-1216)
#define JET_errDatabaseInvalidPath                       (-1217)
#define JET_errDatabaseIdInUse                           (-1218)
#define JET_errForceDetachNotAllowed                     (-1219)
#define JET_errCatalogCorrupted                          (-1220)
#define JET_errPartiallyAttachedDB                       (-1221)
#define JET_errDatabaseSignInUse                         (-1222)
#define JET_errDatabaseCorruptedNoRepair                 (-1224)
#define JET_errInvalidCreateDbVersion                    (-1225)
#define JET_errDatabaseIncompleteIncrementalReseed       (-1226)
#define JET_errDatabaseNotReady                          (-1230)
#define JET_errDatabaseAttachedForRecovery               (-1231)
#define JET_errTransactionsNotReadyDuringRecovery        (-1232)
#define JET_wrnTableEmpty                                1301
#define JET_errTableLocked                               (-1302)
#define JET_errTableDuplicate                            (-1303)
#define JET_errTableInUse                                (-1304)
#define JET_errObjectNotFound                            (-1305)
#define JET_errDensityInvalid                            (-1307)
#define JET_errTableNotEmpty                             (-1308)
#define JET_errInvalidTableId                            (-1310)
#define JET_errTooManyOpenTables                         (-1311)
#define JET_errIllegalOperation                          (-1312)
#define JET_errTooManyOpenTablesAndCleanupTimedOut       (-1313)
#define JET_errObjectDuplicate                           (-1314)
#define JET_errInvalidObject                             (-1316)
#define JET_errCannotDeleteTempTable                     (-1317)
#define JET_errCannotDeleteSystemTable                   (-1318)
#define JET_errCannotDeleteTemplateTable                 (-1319)
#define JET_errExclusiveTableLockRequired                (-1322)
#define JET_errFixedDDL                                  (-1323)
#define JET_errFixedInheritedDDL                         (-1324)
#define JET_errCannotNestDDL                             (-1325)
#define JET_errDDLNotInheritable                         (-1326)
#define JET_wrnTableInUseBySystem                        1327
#define JET_errInvalidSettings                           (-1328)
#define JET_errClientRequestToStopJetService             (-1329)
#define JET_errCannotAddFixedVarColumnToDerivedTable     (-1330)
#define JET_errIndexCantBuild                            (-1401)
#define JET_errIndexHasPrimary                           (-1402)
#define JET_errIndexDuplicate                            (-1403)
#define JET_errIndexNotFound                             (-1404)
#define JET_errIndexMustStay                             (-1405)
#define JET_errIndexInvalidDef                           (-1406)
#define JET_errInvalidCreateIndex                        (-1409)
#define JET_errTooManyOpenIndexes                        (-1410)
#define JET_errMultiValuedIndexViolation                 (-1411)
#define JET_errIndexBuildCorrupted                       (-1412)
#define JET_errPrimaryIndexCorrupted                     (-1413)
#define JET_errSecondaryIndexCorrupted                   (-1414)
#define JET_wrnCorruptIndexDeleted                       1415
#define JET_errInvalidIndexId                            (-1416)
#define JET_wrnPrimaryIndexOutOfDate                     1417
#define JET_wrnSecondaryIndexOutOfDate                   1418
#define JET_errIndexTuplesSecondaryIndexOnly             (-1430)
#define JET_errIndexTuplesTooManyColumns                 (-1431)
#define JET_errIndexTuplesNonUniqueOnly                  (-1432)
#define JET_errIndexTuplesTextBinaryColumnsOnly          (-1433)
#define JET_errIndexTuplesVarSegMacNotAllowed            (-1434)
#define JET_errIndexTuplesInvalidLimits                  (-1435)
#define JET_errIndexTuplesCannotRetrieveFromIndex        (-1436)
#define JET_errIndexTuplesKeyTooSmall                    (-1437)
#define JET_errInvalidLVChunkSize                        (-1438)
#define JET_errColumnCannotBeEncrypted                   (-1439)
#define JET_errCannotIndexOnEncryptedColumn              (-1440)
#define JET_errColumnLong                                (-1501)
#define JET_errColumnNoChunk                             (-1502)
#define JET_errColumnDoesNotFit                          (-1503)
#define JET_errNullInvalid                               (-1504)
#define JET_errColumnIndexed                             (-1505)
#define JET_errColumnTooBig                              (-1506)
#define JET_errColumnNotFound                            (-1507)
#define JET_errColumnDuplicate                           (-1508)
#define JET_errMultiValuedColumnMustBeTagged             (-1509)
#define JET_errColumnRedundant                           (-1510)
#define JET_errInvalidColumnType                         (-1511)
#define JET_wrnColumnMaxTruncated                        1512
#define JET_errTaggedNotNULL                             (-1514)
#define JET_errNoCurrentIndex                            (-1515)
#define JET_errKeyIsMade                                 (-1516)
#define JET_errBadColumnId                               (-1517)
#define JET_errBadItagSequence                           (-1518)
#define JET_errColumnInRelationship                      (-1519)
#define JET_wrnCopyLongValue                             1520
#define JET_errCannotBeTagged                            (-1521)
#define JET_errDefaultValueTooBig                        (-1524)
#define JET_errMultiValuedDuplicate                      (-1525)
#define JET_errLVCorrupted                               (-1526)
#define JET_errMultiValuedDuplicateAfterTruncation       (-1528)
#define JET_errDerivedColumnCorruption                   (-1529)
#define JET_errInvalidPlaceholderColumn                  (-1530)
#define JET_wrnColumnSkipped                             1531
#define JET_wrnColumnNotLocal                            1532
#define JET_wrnColumnMoreTags                            1533
#define JET_wrnColumnTruncated                           1534
#define JET_wrnColumnPresent                             1535
#define JET_wrnColumnSingleValue                         1536
#define JET_wrnColumnDefault                             1537
#define JET_errColumnCannotBeCompressed                  (-1538)
#define JET_wrnColumnNotInRecord                         1539
#define JET_errColumnNoEncryptionKey                     (-1540)
#define JET_errRecordNotFound                            (-1601)
#define JET_errRecordNoCopy                              (-1602)
#define JET_errNoCurrentRecord                           (-1603)
#define JET_errRecordPrimaryChanged                      (-1604)
#define JET_errKeyDuplicate                              (-1605)
#define JET_errAlreadyPrepared                           (-1607)
#define JET_errKeyNotMade                                (-1608)
#define JET_errUpdateNotPrepared                         (-1609)
#define JET_wrnDataHasChanged                            1610
#define JET_errDataHasChanged                            (-1611)
#define JET_wrnKeyChanged                                1618
#define JET_errLanguageNotSupported                      (-1619)
#define JET_errDecompressionFailed                       (-1620)
#define JET_errUpdateMustVersion                         (-1621)
#define JET_errDecryptionFailed                          (-1622)

/* Sort */
#define JET_errTooManySorts  (-1701)
#define JET_errInvalidOnSort (-1702)

/* Files and sessions */
#define JET_errTempFileOpenError                 (-1803)
#define JET_errTooManyAttachedDatabases          (-1805)
#define JET_errDiskFull                          (-1808)
#define JET_errPermissionDenied                  (-1809)
#define JET_errFileNotFound                      (-1811)
#define JET_errFileInvalidType                   (-1812)
#define JET_wrnFileOpenReadOnly                  1813
#define JET_errFileAlreadyExists                 (-1814)
#define JET_errAfterInitialization               (-1850)
#define JET_errLogCorrupted                      (-1852)
#define JET_errInvalidOperation                  (-1906)
#define JET_errAccessDenied                      (-1907)
#define JET_wrnIdleFull                          1908
#define JET_errTooManySplits                     (-1909)
#define JET_errSessionSharingViolation           (-1910)
#define JET_errEntryPointNotFound                (-1911)
#define JET_errSessionContextAlreadySet          (-1912)
#define JET_errSessionContextNotSetByThisThread  (-1913)
#define JET_errSessionInUse                      (-1914)
#define JET_errRecordFormatConversionFailed      (-1915)
#define JET_errOneDatabasePerSession             (-1916)
#define JET_errRollbackError                     (-1917)
#define JET_errDatabaseIncompleteRevert          (-1935)
#define JET_errFlushMapVersionUnsupported        (-1918)
#define JET_errFlushMapDatabaseMismatch          (-1919)
#define JET_errFlushMapUnrecoverable             (-1920)
#define JET_wrnDefragAlreadyRunning              2000
#define JET_wrnDefragNotRunning                  2001
#define JET_errDatabaseAlreadyRunningMaintenance (-2004)
#define JET_wrnCallbackNotRegistered             2100
#define JET_errCallbackFailed                    (-2101)
#define JET_errCallbackNotResolved               (-2102)
#define JET_errSpaceHintsInvalid                 (-2103)
#define JET_errOSSnapshotInvalidSequence         (-2401)
#define JET_errOSSnapshotTimeOut                 (-2402)
#define JET_errOSSnapshotNotAllowed              (-2403)
#define JET_errOSSnapshotInvalidSnapId           (-2404)
#define JET_errLSCallbackNotSpecified            (-3000)
#define JET_errLSAlreadySet                      (-3001)
#define JET_errLSNotSet                          (-3002)
#define JET_errFileIOSparse                      (-4000)
#define JET_errFileIOBeyondEOF                   (-4001)
#define JET_errFileIOAbort                       (-4002)
#define JET_errFileIORetry                       (-4003)
#define JET_errFileIOFail                        (-4004)
#define JET_errFileCompressed                    (-4005)

/* Other names for the same codes. */
#define JET_errDatabaseInconsistent       JET_errDatabaseDirtyShutdown
#define JET_errColumnIllegalNull          JET_errNullInvalid
#define JET_errIndexTuplesOneColumnOnly   JET_errIndexTuplesTooManyColumns
#define JET_errIndexTuplesTextColumnsOnly JET_errIndexTuplesTextBinaryColumnsOnly
#define JET_wrnRecordFoundGreater         JET_wrnSeekNotEqual
#define JET_wrnRecordFoundLess            JET_wrnSeekNotEqual
#define errBackupAbortByCaller            JET_errBackupAbortByCaller

#pragma GCC visibility push(default)

/* System. */
JET_ERR JetSetSystemParameterA(JET_INSTANCE *pinstance, JET_SESID sesid, uint32_t paramid,
                               JET_API_PTR lParam, JET_PCSTR szParam);
JET_ERR JetSetSystemParameterW(JET_INSTANCE *pinstance, JET_SESID sesid, uint32_t paramid,
                               JET_API_PTR lParam, JET_PCWSTR szParam);
JET_ERR JetGetSystemParameterA(JET_INSTANCE instance, JET_SESID sesid, uint32_t paramid,
                               JET_API_PTR *plParam, JET_PSTR szParam, uint32_t cbMax);
JET_ERR JetGetSystemParameterW(JET_INSTANCE instance, JET_SESID sesid, uint32_t paramid,
                               JET_API_PTR *plParam, JET_PWSTR szParam, uint32_t cbMax);
JET_ERR JetCreateInstanceA(JET_INSTANCE *pinstance, JET_PCSTR szInstanceName);
JET_ERR JetCreateInstanceW(JET_INSTANCE *pinstance, JET_PCWSTR szInstanceName);
JET_ERR JetCreateInstance2A(JET_INSTANCE *pinstance, JET_PCSTR szInstanceName,
                            JET_PCSTR szDisplayName, JET_GRBIT grbit);
JET_ERR JetCreateInstance2W(JET_INSTANCE *pinstance, JET_PCWSTR szInstanceName,
                            JET_PCWSTR szDisplayName, JET_GRBIT grbit);
JET_ERR JetGetInstanceInfoA(uint32_t *pcInstanceInfo, JET_INSTANCE_INFO_A **paInstanceInfo);
JET_ERR JetGetInstanceInfoW(uint32_t *pcInstanceInfo, JET_INSTANCE_INFO_W **paInstanceInfo);
JET_ERR JetInit(JET_INSTANCE *pinstance);
JET_ERR JetInit2(JET_INSTANCE *pinstance, JET_GRBIT grbit);
JET_ERR JetInit3A(JET_INSTANCE *pinstance, JET_RSTINFO_A *prstInfo, JET_GRBIT grbit);
JET_ERR JetInit3W(JET_INSTANCE *pinstance, JET_RSTINFO_W *prstInfo, JET_GRBIT grbit);
JET_ERR JetTerm(JET_INSTANCE instance);
JET_ERR JetTerm2(JET_INSTANCE instance, JET_GRBIT grbit);
JET_ERR JetStopService(void);
JET_ERR JetStopServiceInstance(JET_INSTANCE instance);
JET_ERR JetStopServiceInstance2(JET_INSTANCE instance, JET_GRBIT grbit);
JET_ERR JetGetVersion(JET_SESID sesid, uint32_t *pwVersion);
JET_ERR JetFreeBuffer(char *pbBuf);

/* Sessions and transactions. */
JET_ERR JetBeginSessionA(JET_INSTANCE instance, JET_SESID *psesid, JET_PCSTR szUserName,
                         JET_PCSTR szPassword);
JET_ERR JetBeginSessionW(JET_INSTANCE instance, JET_SESID *psesid, JET_PCWSTR szUserName,
                         JET_PCWSTR szPassword);
JET_ERR JetEndSession(JET_SESID sesid, JET_GRBIT grbit);
JET_ERR JetBeginTransaction(JET_SESID sesid);
JET_ERR JetBeginTransaction2(JET_SESID sesid, JET_GRBIT grbit);
JET_ERR JetCommitTransaction(JET_SESID sesid, JET_GRBIT grbit);
JET_ERR JetCommitTransaction2(JET_SESID sesid, JET_GRBIT grbit, uint32_t cmsecDurableCommit,
                              JET_COMMIT_ID *pCommitId);
JET_ERR JetRollback(JET_SESID sesid, JET_GRBIT grbit);

/* Databases. */
JET_ERR JetCreateDatabaseA(JET_SESID sesid, JET_PCSTR szFilename, JET_PCSTR szConnect,
                           JET_DBID *pdbid, JET_GRBIT grbit);
JET_ERR JetCreateDatabaseW(JET_SESID sesid, JET_PCWSTR szFilename, JET_PCWSTR szConnect,
                           JET_DBID *pdbid, JET_GRBIT grbit);
JET_ERR JetCreateDatabase2A(JET_SESID sesid, JET_PCSTR szFilename, uint32_t cpgDatabaseSizeMax,
                            JET_DBID *pdbid, JET_GRBIT grbit);
JET_ERR JetCreateDatabase2W(JET_SESID sesid, JET_PCWSTR szFilename, uint32_t cpgDatabaseSizeMax,
                            JET_DBID *pdbid, JET_GRBIT grbit);
JET_ERR JetAttachDatabaseA(JET_SESID sesid, JET_PCSTR szFilename, JET_GRBIT grbit);
JET_ERR JetAttachDatabaseW(JET_SESID sesid, JET_PCWSTR szFilename, JET_GRBIT grbit);
JET_ERR JetAttachDatabase2A(JET_SESID sesid, JET_PCSTR szFilename, uint32_t cpgDatabaseSizeMax,
                            JET_GRBIT grbit);
JET_ERR JetAttachDatabase2W(JET_SESID sesid, JET_PCWSTR szFilename, uint32_t cpgDatabaseSizeMax,
                            JET_GRBIT grbit);
JET_ERR JetOpenDatabaseA(JET_SESID sesid, JET_PCSTR szFilename, JET_PCSTR szConnect,
                         JET_DBID *pdbid, JET_GRBIT grbit);
JET_ERR JetOpenDatabaseW(JET_SESID sesid, JET_PCWSTR szFilename, JET_PCWSTR szConnect,
                         JET_DBID *pdbid, JET_GRBIT grbit);
JET_ERR JetCloseDatabase(JET_SESID sesid, JET_DBID dbid, JET_GRBIT grbit);
JET_ERR JetDetachDatabaseA(JET_SESID sesid, JET_PCSTR szFilename);
JET_ERR JetDetachDatabaseW(JET_SESID sesid, JET_PCWSTR szFilename);
JET_ERR JetDetachDatabase2A(JET_SESID sesid, JET_PCSTR szFilename, JET_GRBIT grbit);
JET_ERR JetDetachDatabase2W(JET_SESID sesid, JET_PCWSTR szFilename, JET_GRBIT grbit);
JET_ERR JetGetDatabaseInfoA(JET_SESID sesid, JET_DBID dbid, void *pvResult, uint32_t cbMax,
                            uint32_t InfoLevel);
JET_ERR JetGetDatabaseInfoW(JET_SESID sesid, JET_DBID dbid, void *pvResult, uint32_t cbMax,
                            uint32_t InfoLevel);
JET_ERR JetGetDatabaseFileInfoA(JET_PCSTR szDatabaseName, void *pvResult, uint32_t cbMax,
                                uint32_t InfoLevel);
JET_ERR JetGetDatabaseFileInfoW(JET_PCWSTR szDatabaseName, void *pvResult, uint32_t cbMax,
                                uint32_t InfoLevel);
JET_ERR JetGetLogFileInfoA(JET_PCSTR szLog, void *pvResult, uint32_t cbMax, uint32_t InfoLevel);
JET_ERR JetGetLogFileInfoW(JET_PCWSTR szLog, void *pvResult, uint32_t cbMax, uint32_t InfoLevel);

/* Tables, columns, indexes. */
JET_ERR JetCreateTableA(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName, uint32_t lPages,
                        uint32_t lDensity, JET_TABLEID *ptableid);
JET_ERR JetCreateTableW(JET_SESID sesid, JET_DBID dbid, JET_PCWSTR szTableName, uint32_t lPages,
                        uint32_t lDensity, JET_TABLEID *ptableid);
JET_ERR JetCreateTableColumnIndexA(JET_SESID sesid, JET_DBID dbid, JET_TABLECREATE_A *ptablecreate);
JET_ERR JetCreateTableColumnIndexW(JET_SESID sesid, JET_DBID dbid, JET_TABLECREATE_W *ptablecreate);
JET_ERR JetCreateTableColumnIndex2A(JET_SESID sesid, JET_DBID dbid,
                                    JET_TABLECREATE2_A *ptablecreate);
JET_ERR JetCreateTableColumnIndex2W(JET_SESID sesid, JET_DBID dbid,
                                    JET_TABLECREATE2_W *ptablecreate);
JET_ERR JetOpenTableA(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName,
                      const void *pvParameters, uint32_t cbParameters, JET_GRBIT grbit,
                      JET_TABLEID *ptableid);
JET_ERR JetOpenTableW(JET_SESID sesid, JET_DBID dbid, JET_PCWSTR szTableName,
                      const void *pvParameters, uint32_t cbParameters, JET_GRBIT grbit,
                      JET_TABLEID *ptableid);
JET_ERR JetCloseTable(JET_SESID sesid, JET_TABLEID tableid);
JET_ERR JetAddColumnA(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szColumnName,
                      const JET_COLUMNDEF *pcolumndef, const void *pvDefault, uint32_t cbDefault,
                      JET_COLUMNID *pcolumnid);
JET_ERR JetAddColumnW(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szColumnName,
                      const JET_COLUMNDEF *pcolumndef, const void *pvDefault, uint32_t cbDefault,
                      JET_COLUMNID *pcolumnid);
JET_ERR JetCreateIndexA(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName,
                        JET_GRBIT grbit, JET_PCSTR szKey, uint32_t cbKey, uint32_t lDensity);
JET_ERR JetCreateIndexW(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szIndexName,
                        JET_GRBIT grbit, JET_PCWSTR szKey, uint32_t cbKey, uint32_t lDensity);
JET_ERR JetGetTableColumnInfoA(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szColumnName,
                               void *pvResult, uint32_t cbMax, uint32_t InfoLevel);
JET_ERR JetGetTableColumnInfoW(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szColumnName,
                               void *pvResult, uint32_t cbMax, uint32_t InfoLevel);
JET_ERR JetGetColumnInfoA(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName,
                          JET_PCSTR pColumnNameOrId, void *pvResult, uint32_t cbMax,
                          uint32_t InfoLevel);
JET_ERR JetGetColumnInfoW(JET_SESID sesid, JET_DBID dbid, JET_PCWSTR szTableName,
                          JET_PCWSTR pColumnNameOrId, void *pvResult, uint32_t cbMax,
                          uint32_t InfoLevel);

/* Records. */
JET_ERR JetPrepareUpdate(JET_SESID sesid, JET_TABLEID tableid, uint32_t prep);
JET_ERR JetSetColumn(JET_SESID sesid, JET_TABLEID tableid, JET_COLUMNID columnid,
                     const void *pvData, uint32_t cbData, JET_GRBIT grbit, JET_SETINFO *psetinfo);
JET_ERR JetSetColumns(JET_SESID sesid, JET_TABLEID tableid, JET_SETCOLUMN *psetcolumn,
                      uint32_t csetcolumn);
JET_ERR JetUpdate(JET_SESID sesid, JET_TABLEID tableid, void *pvBookmark, uint32_t cbBookmark,
                  uint32_t *pcbActual);
JET_ERR JetUpdate2(JET_SESID sesid, JET_TABLEID tableid, void *pvBookmark, uint32_t cbBookmark,
                   uint32_t *pcbActual, JET_GRBIT grbit);
JET_ERR JetDelete(JET_SESID sesid, JET_TABLEID tableid);
JET_ERR JetRetrieveColumn(JET_SESID sesid, JET_TABLEID tableid, JET_COLUMNID columnid, void *pvData,
                          uint32_t cbData, uint32_t *pcbActual, JET_GRBIT grbit,
                          JET_RETINFO *pretinfo);
JET_ERR JetRetrieveColumns(JET_SESID sesid, JET_TABLEID tableid,
                           JET_RETRIEVECOLUMN *pretrievecolumn, uint32_t cretrievecolumn);
JET_ERR JetGetLock(JET_SESID sesid, JET_TABLEID tableid, JET_GRBIT grbit);

/* Navigation. */
JET_ERR JetMakeKey(JET_SESID sesid, JET_TABLEID tableid, const void *pvData, uint32_t cbData,
                   JET_GRBIT grbit);
JET_ERR JetRetrieveKey(JET_SESID sesid, JET_TABLEID tableid, void *pvKey, uint32_t cbMax,
                       uint32_t *pcbActual, JET_GRBIT grbit);
JET_ERR JetSeek(JET_SESID sesid, JET_TABLEID tableid, JET_GRBIT grbit);
JET_ERR JetMove(JET_SESID sesid, JET_TABLEID tableid, int32_t cRow, JET_GRBIT grbit);
JET_ERR JetSetIndexRange(JET_SESID sesid, JET_TABLEID tableid, JET_GRBIT grbit);
JET_ERR JetSetCurrentIndexA(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName);
JET_ERR JetSetCurrentIndexW(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szIndexName);
JET_ERR JetGetCurrentIndexA(JET_SESID sesid, JET_TABLEID tableid, JET_PSTR szIndexName,
                            uint32_t cbIndexName);
JET_ERR JetGetCurrentIndexW(JET_SESID sesid, JET_TABLEID tableid, JET_PWSTR szIndexName,
                            uint32_t cbIndexName);
JET_ERR JetGetBookmark(JET_SESID sesid, JET_TABLEID tableid, void *pvBookmark, uint32_t cbMax,
                       uint32_t *pcbActual);
JET_ERR JetGotoBookmark(JET_SESID sesid, JET_TABLEID tableid, const void *pvBookmark,
                        uint32_t cbBookmark);

/* External backup. */
JET_ERR JetBeginExternalBackup(JET_GRBIT grbit);
JET_ERR JetBeginExternalBackupInstance(JET_INSTANCE instance, JET_GRBIT grbit);
JET_ERR JetGetAttachInfoA(JET_PSTR szzDatabases, uint32_t cbMax, uint32_t *pcbActual);
JET_ERR JetGetAttachInfoW(JET_PWSTR szzDatabases, uint32_t cbMax, uint32_t *pcbActual);
JET_ERR JetGetAttachInfoInstanceA(JET_INSTANCE instance, JET_PSTR szzDatabases, uint32_t cbMax,
                                  uint32_t *pcbActual);
JET_ERR JetGetAttachInfoInstanceW(JET_INSTANCE instance, JET_PWSTR szzDatabases, uint32_t cbMax,
                                  uint32_t *pcbActual);
JET_ERR JetOpenFileA(JET_PCSTR szFileName, JET_HANDLE *phfFile, uint32_t *pulFileSizeLow,
                     uint32_t *pulFileSizeHigh);
JET_ERR JetOpenFileW(JET_PCWSTR szFileName, JET_HANDLE *phfFile, uint32_t *pulFileSizeLow,
                     uint32_t *pulFileSizeHigh);
JET_ERR JetOpenFileInstanceA(JET_INSTANCE instance, JET_PCSTR szFileName, JET_HANDLE *phfFile,
                             uint32_t *pulFileSizeLow, uint32_t *pulFileSizeHigh);
JET_ERR JetOpenFileInstanceW(JET_INSTANCE instance, JET_PCWSTR szFileName, JET_HANDLE *phfFile,
                             uint32_t *pulFileSizeLow, uint32_t *pulFileSizeHigh);
JET_ERR JetReadFile(JET_HANDLE hfFile, void *pv, uint32_t cb, uint32_t *pcbActual);
JET_ERR JetReadFileInstance(JET_INSTANCE instance, JET_HANDLE hfFile, void *pv, uint32_t cb,
                            uint32_t *pcbActual);
JET_ERR JetCloseFile(JET_HANDLE hfFile);
JET_ERR JetCloseFileInstance(JET_INSTANCE instance, JET_HANDLE hfFile);
JET_ERR JetGetLogInfoA(JET_PSTR szzLogs, uint32_t cbMax, uint32_t *pcbActual);
JET_ERR JetGetLogInfoW(JET_PWSTR szzLogs, uint32_t cbMax, uint32_t *pcbActual);
JET_ERR JetGetLogInfoInstanceA(JET_INSTANCE instance, JET_PSTR szzLogs, uint32_t cbMax,
                               uint32_t *pcbActual);
JET_ERR JetGetLogInfoInstanceW(JET_INSTANCE instance, JET_PWSTR szzLogs, uint32_t cbMax,
                               uint32_t *pcbActual);
JET_ERR JetGetLogInfoInstance2A(JET_INSTANCE instance, JET_PSTR szzLogs, uint32_t cbMax,
                                uint32_t *pcbActual, JET_LOGINFO_A *pLogInfo);
JET_ERR JetGetLogInfoInstance2W(JET_INSTANCE instance, JET_PWSTR szzLogs, uint32_t cbMax,
                                uint32_t *pcbActual, JET_LOGINFO_W *pLogInfo);
JET_ERR JetGetTruncateLogInfoInstanceA(JET_INSTANCE instance, JET_PSTR szzLogs, uint32_t cbMax,
                                       uint32_t *pcbActual);
JET_ERR JetGetTruncateLogInfoInstanceW(JET_INSTANCE instance, JET_PWSTR szzLogs, uint32_t cbMax,
                                       uint32_t *pcbActual);
JET_ERR JetTruncateLog(void);
JET_ERR JetTruncateLogInstance(JET_INSTANCE instance);
JET_ERR JetEndExternalBackup(void);
JET_ERR JetEndExternalBackupInstance(JET_INSTANCE instance);
JET_ERR JetEndExternalBackupInstance2(JET_INSTANCE instance, JET_GRBIT grbit);
JET_ERR JetStopBackup(void);
JET_ERR JetStopBackupInstance(JET_INSTANCE instance);

/* A backup that others take. */
JET_ERR JetBeginSurrogateBackup(JET_INSTANCE instance, uint32_t lgenFirst, uint32_t lgenLast,
                                JET_GRBIT grbit);
JET_ERR JetEndSurrogateBackup(JET_INSTANCE instance, JET_GRBIT grbit);
JET_ERR JetOSSnapshotPrepare(JET_OSSNAPID *psnapId, JET_GRBIT grbit);
JET_ERR JetOSSnapshotPrepareInstance(JET_OSSNAPID snapId, JET_INSTANCE instance, JET_GRBIT grbit);
JET_ERR JetOSSnapshotFreezeA(JET_OSSNAPID snapId, uint32_t *pcInstanceInfo,
                             JET_INSTANCE_INFO_A **paInstanceInfo, JET_GRBIT grbit);
JET_ERR JetOSSnapshotFreezeW(JET_OSSNAPID snapId, uint32_t *pcInstanceInfo,
                             JET_INSTANCE_INFO_W **paInstanceInfo, JET_GRBIT grbit);
JET_ERR JetOSSnapshotThaw(JET_OSSNAPID snapId, JET_GRBIT grbit);
JET_ERR JetOSSnapshotAbort(JET_OSSNAPID snapId, JET_GRBIT grbit);
JET_ERR JetOSSnapshotTruncateLog(JET_OSSNAPID snapId, JET_GRBIT grbit);
JET_ERR JetOSSnapshotTruncateLogInstance(JET_OSSNAPID snapId, JET_INSTANCE instance,
                                         JET_GRBIT grbit);
JET_ERR JetOSSnapshotGetFreezeInfoA(JET_OSSNAPID snapId, uint32_t *pcInstanceInfo,
                                    JET_INSTANCE_INFO_A **paInstanceInfo, JET_GRBIT grbit);
JET_ERR JetOSSnapshotGetFreezeInfoW(JET_OSSNAPID snapId, uint32_t *pcInstanceInfo,
                                    JET_INSTANCE_INFO_W **paInstanceInfo, JET_GRBIT grbit);
JET_ERR JetOSSnapshotEnd(JET_OSSNAPID snapId, JET_GRBIT grbit);

/* Backup into a directory. */
JET_ERR JetBackupA(JET_PCSTR szBackupPath, JET_GRBIT grbit, JET_PFNSTATUS pfnStatus);
JET_ERR JetBackupW(JET_PCWSTR szBackupPath, JET_GRBIT grbit, JET_PFNSTATUS pfnStatus);
JET_ERR JetBackupInstanceA(JET_INSTANCE instance, JET_PCSTR szBackupPath, JET_GRBIT grbit,
                           JET_PFNSTATUS pfnStatus);
JET_ERR JetBackupInstanceW(JET_INSTANCE instance, JET_PCWSTR szBackupPath, JET_GRBIT grbit,
                           JET_PFNSTATUS pfnStatus);

/* Restore. */
JET_ERR JetRestoreA(JET_PCSTR szSource, JET_PFNSTATUS pfn);
JET_ERR JetRestoreW(JET_PCWSTR szSource, JET_PFNSTATUS pfn);
JET_ERR JetRestore2A(JET_PCSTR szSource, JET_PCSTR szDest, JET_PFNSTATUS pfn);
JET_ERR JetRestore2W(JET_PCWSTR szSource, JET_PCWSTR szDest, JET_PFNSTATUS pfn);
JET_ERR JetRestoreInstanceA(JET_INSTANCE instance, JET_PCSTR szSource, JET_PCSTR szDest,
                            JET_PFNSTATUS pfn);
JET_ERR JetRestoreInstanceW(JET_INSTANCE instance, JET_PCWSTR szSource, JET_PCWSTR szDest,
                            JET_PFNSTATUS pfn);
JET_ERR JetExternalRestoreA(JET_PSTR szCheckpointFilePath, JET_PSTR szLogPath,
                            JET_RSTMAP_A *rgrstmap, int32_t crstfilemap, JET_PSTR szBackupLogPath,
                            int32_t genLow, int32_t genHigh, JET_PFNSTATUS pfn);
JET_ERR JetExternalRestoreW(JET_PWSTR szCheckpointFilePath, JET_PWSTR szLogPath,
                            JET_RSTMAP_W *rgrstmap, int32_t crstfilemap, JET_PWSTR szBackupLogPath,
                            int32_t genLow, int32_t genHigh, JET_PFNSTATUS pfn);
JET_ERR JetExternalRestore2A(JET_PSTR szCheckpointFilePath, JET_PSTR szLogPath,
                             JET_RSTMAP_A *rgrstmap, int32_t crstfilemap, JET_PSTR szBackupLogPath,
                             JET_LOGINFO_A *pLogInfo, JET_PSTR szTargetInstanceName,
                             JET_PSTR szTargetInstanceLogPath,
                             JET_PSTR szTargetInstanceCheckpointPath, JET_PFNSTATUS pfn);
JET_ERR JetExternalRestore2W(JET_PWSTR szCheckpointFilePath, JET_PWSTR szLogPath,
                             JET_RSTMAP_W *rgrstmap, int32_t crstfilemap, JET_PWSTR szBackupLogPath,
                             JET_LOGINFO_W *pLogInfo, JET_PWSTR szTargetInstanceName,
                             JET_PWSTR szTargetInstanceLogPath,
                             JET_PWSTR szTargetInstanceCheckpointPath, JET_PFNSTATUS pfn);

#pragma GCC visibility pop

#ifdef JET_UNICODE
#define JetSetSystemParameter         JetSetSystemParameterW
#define JetGetSystemParameter         JetGetSystemParameterW
#define JetCreateInstance             JetCreateInstanceW
#define JetCreateInstance2            JetCreateInstance2W
#define JetGetInstanceInfo            JetGetInstanceInfoW
#define JetInit3                      JetInit3W
#define JetBeginSession               JetBeginSessionW
#define JetCreateDatabase             JetCreateDatabaseW
#define JetCreateDatabase2            JetCreateDatabase2W
#define JetAttachDatabase             JetAttachDatabaseW
#define JetAttachDatabase2            JetAttachDatabase2W
#define JetOpenDatabase               JetOpenDatabaseW
#define JetDetachDatabase             JetDetachDatabaseW
#define JetDetachDatabase2            JetDetachDatabase2W
#define JetGetDatabaseInfo            JetGetDatabaseInfoW
#define JetGetDatabaseFileInfo        JetGetDatabaseFileInfoW
#define JetGetLogFileInfo             JetGetLogFileInfoW
#define JetCreateTable                JetCreateTableW
#define JetCreateTableColumnIndex     JetCreateTableColumnIndexW
#define JetCreateTableColumnIndex2    JetCreateTableColumnIndex2W
#define JetOpenTable                  JetOpenTableW
#define JetAddColumn                  JetAddColumnW
#define JetCreateIndex                JetCreateIndexW
#define JetGetTableColumnInfo         JetGetTableColumnInfoW
#define JetGetColumnInfo              JetGetColumnInfoW
#define JetSetCurrentIndex            JetSetCurrentIndexW
#define JetGetCurrentIndex            JetGetCurrentIndexW
#define JetBackup                     JetBackupW
#define JetBackupInstance             JetBackupInstanceW
#define JetOSSnapshotFreeze           JetOSSnapshotFreezeW
#define JetOSSnapshotGetFreezeInfo    JetOSSnapshotGetFreezeInfoW
#define JetRestore                    JetRestoreW
#define JetRestore2                   JetRestore2W
#define JetRestoreInstance            JetRestoreInstanceW
#define JetGetAttachInfo              JetGetAttachInfoW
#define JetGetAttachInfoInstance      JetGetAttachInfoInstanceW
#define JetOpenFile                   JetOpenFileW
#define JetOpenFileInstance           JetOpenFileInstanceW
#define JetGetLogInfo                 JetGetLogInfoW
#define JetGetLogInfoInstance         JetGetLogInfoInstanceW
#define JetGetLogInfoInstance2        JetGetLogInfoInstance2W
#define JetGetTruncateLogInfoInstance JetGetTruncateLogInfoInstanceW
#define JetExternalRestore            JetExternalRestoreW
#define JetExternalRestore2           JetExternalRestore2W
#else
#define JetSetSystemParameter         JetSetSystemParameterA
#define JetGetSystemParameter         JetGetSystemParameterA
#define JetCreateInstance             JetCreateInstanceA
#define JetCreateInstance2            JetCreateInstance2A
#define JetGetInstanceInfo            JetGetInstanceInfoA
#define JetInit3                      JetInit3A
#define JetBeginSession               JetBeginSessionA
#define JetCreateDatabase             JetCreateDatabaseA
#define JetCreateDatabase2            JetCreateDatabase2A
#define JetAttachDatabase             JetAttachDatabaseA
#define JetAttachDatabase2            JetAttachDatabase2A
#define JetOpenDatabase               JetOpenDatabaseA
#define JetDetachDatabase             JetDetachDatabaseA
#define JetDetachDatabase2            JetDetachDatabase2A
#define JetGetDatabaseInfo            JetGetDatabaseInfoA
#define JetGetDatabaseFileInfo        JetGetDatabaseFileInfoA
#define JetGetLogFileInfo             JetGetLogFileInfoA
#define JetCreateTable                JetCreateTableA
#define JetCreateTableColumnIndex     JetCreateTableColumnIndexA
#define JetCreateTableColumnIndex2    JetCreateTableColumnIndex2A
#define JetOpenTable                  JetOpenTableA
#define JetAddColumn                  JetAddColumnA
#define JetCreateIndex                JetCreateIndexA
#define JetGetTableColumnInfo         JetGetTableColumnInfoA
#define JetGetColumnInfo              JetGetColumnInfoA
#define JetSetCurrentIndex            JetSetCurrentIndexA
#define JetGetCurrentIndex            JetGetCurrentIndexA
#define JetBackup                     JetBackupA
#define JetBackupInstance             JetBackupInstanceA
#define JetOSSnapshotFreeze           JetOSSnapshotFreezeA
#define JetOSSnapshotGetFreezeInfo    JetOSSnapshotGetFreezeInfoA
#define JetRestore                    JetRestoreA
#define JetRestore2                   JetRestore2A
#define JetRestoreInstance            JetRestoreInstanceA
#define JetGetAttachInfo              JetGetAttachInfoA
#define JetGetAttachInfoInstance      JetGetAttachInfoInstanceA
#define JetOpenFile                   JetOpenFileA
#define JetOpenFileInstance           JetOpenFileInstanceA
#define JetGetLogInfo                 JetGetLogInfoA
#define JetGetLogInfoInstance         JetGetLogInfoInstanceA
#define JetGetLogInfoInstance2        JetGetLogInfoInstance2A
#define JetGetTruncateLogInfoInstance JetGetTruncateLogInfoInstanceA
#define JetExternalRestore            JetExternalRestoreA
#define JetExternalRestore2           JetExternalRestore2A
#endif

#ifdef __cplusplus
}
#endif
