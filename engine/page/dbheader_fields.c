/* SPDX-License-Identifier: MIT */
/* dbheader_fields: every field of a database header under ESE's name (edb format 1). */
#include "page/dbheader.h"

#include <glib.h>

#define NUM(name, at, size)                                                                        \
    {                                                                                              \
        name, JETX_fieldNumber, at, size                                                           \
    }
#define INT(name, at)                                                                              \
    {                                                                                              \
        name, JETX_fieldSigned, at, 4                                                              \
    }
#define FLAGS(name, at, size)                                                                      \
    {                                                                                              \
        name, JETX_fieldFlags, at, size                                                            \
    }
#define LGPOS(name, at)                                                                            \
    {                                                                                              \
        name, JETX_fieldLgpos, at, 8                                                               \
    }
#define TIME(name, at)                                                                             \
    {                                                                                              \
        name, JETX_fieldLogtime, at, 8                                                             \
    }
#define SIGN(name, at)                                                                             \
    {                                                                                              \
        name, JETX_fieldSignature, at, 28                                                          \
    }
#define BKINFO(name, at)                                                                           \
    {                                                                                              \
        name, JETX_fieldBkinfo, at, 24                                                             \
    }

/* clang-format off */
static const struct field_def before_state[] = {
    FLAGS("ulChecksum", 0, 4), FLAGS("ulMagic", 4, 4), FLAGS("ulVersion", 8, 4),
    NUM("attrib", 12, 4), NUM("dbtimeDirtied", 16, 8), SIGN("signDb", 24),
};

static const struct field_def after_state[] = {
    LGPOS("lgposConsistent", 56), TIME("logtimeConsistent", 64),
    TIME("logtimeAttach", 72), LGPOS("lgposAttach", 80),
    TIME("logtimeDetach", 88), LGPOS("lgposDetach", 96),
    NUM("dbid", 104, 4), SIGN("signLog", 108),
    BKINFO("bkinfoFullPrev", 136), BKINFO("bkinfoIncPrev", 160), BKINFO("bkinfoFullCur", 184),
    FLAGS("ulDbFlags", 208, 4), NUM("objidLast", 212, 4),
    NUM("dwMajorVersion", 216, 4), NUM("dwMinorVersion", 220, 4), NUM("dwBuildNumber", 224, 4),
    NUM("lSPNumber", 228, 4), NUM("ulDaeUpdateMajor", 232, 4), NUM("cbPageSize", 236, 4),
    NUM("ulRepairCount", 240, 4), TIME("logtimeRepair", 244),
    SIGN("signSLV", 252), NUM("dbtimeLastScrub", 280, 8), TIME("logtimeScrub", 288),
    INT("lGenMinRequired", 296), INT("lGenMaxRequired", 300),
    NUM("cpgUpgrade55Format", 304, 4), NUM("cpgUpgradeFreePages", 308, 4),
    NUM("cpgUpgradeSpaceMapPages", 312, 4), BKINFO("bkinfoSnapshotCur", 316),
    FLAGS("ulCreateVersion", 340, 4), NUM("ulCreateUpdate", 344, 4),
    TIME("logtimeGenMaxCreate", 348), NUM("bkinfoTypeFullPrev", 356, 4),
    NUM("bkinfoTypeIncPrev", 360, 4), NUM("ulRepairCountOld", 364, 4),
    NUM("ulECCFixSuccess", 368, 4), TIME("logtimeECCFixSuccess", 372),
    NUM("ulECCFixSuccessOld", 380, 4), NUM("ulECCFixFail", 384, 4),
    TIME("logtimeECCFixFail", 388), NUM("ulECCFixFailOld", 396, 4),
    NUM("ulBadChecksum", 400, 4), TIME("logtimeBadChecksum", 404),
    NUM("ulBadChecksumOld", 412, 4), INT("lGenMaxCommitted", 416),
    BKINFO("bkinfoCopyPrev", 420), BKINFO("bkinfoDiffPrev", 444),
    NUM("bkinfoTypeCopyPrev", 468, 4), NUM("bkinfoTypeDiffPrev", 472, 4),
    NUM("ulIncrementalReseedCount", 476, 4), TIME("logtimeIncrementalReseed", 480),
    NUM("ulIncrementalReseedCountOld", 488, 4), NUM("ulPagePatchCount", 492, 4),
    TIME("logtimePagePatch", 496), NUM("ulPagePatchCountOld", 504, 4),
    FLAGS("qwSortVersion", 508, 8), TIME("logtimeDbscanPrev", 516),
    TIME("logtimeDbscanStart", 524), NUM("pgnoDbscanHighestContinuous", 532, 4),
    INT("lGenRecovering", 536), NUM("ulExtendCount", 540, 4), TIME("logtimeLastExtend", 544),
    NUM("ulShrinkCount", 552, 4), TIME("logtimeLastShrink", 556),
    TIME("logtimeLastReAttach", 564), LGPOS("lgposLastReAttach", 572),
    NUM("ulTrimCount", 580, 4), SIGN("signDbHdrFlush", 584), SIGN("signFlushMapHdrFlush", 612),
    INT("lGenMinConsistent", 640), NUM("ulDaeUpdateMinor", 644, 4),
    NUM("efvMaxBinAttachDiagnostic", 648, 4), NUM("pgnoDbscanHighest", 652, 4),
    LGPOS("lgposLastResize", 656), NUM("filetype", 667, 4),
    TIME("logtimeGenMaxRequired", 672), INT("lGenPreRedoMinConsistent", 680),
    INT("lGenPreRedoMinRequired", 684), SIGN("signRBSHdrFlush", 688),
    NUM("ulRevertCount", 716, 4), TIME("logtimeRevertFrom", 720), TIME("logtimeRevertTo", 728),
    NUM("ulRevertPageCount", 736, 4), LGPOS("lgposCommitBeforeRevert", 740),
};
/* clang-format on */

static const char *
state_name(uint32_t state)
{
    static const char *const names[] = {NULL,
                                        "JustCreated",
                                        "DirtyShutdown",
                                        "CleanShutdown",
                                        "BeingConverted",
                                        "ForceDetach",
                                        "IncrementalReseedInProgress",
                                        "DirtyAndPatchedShutdown",
                                        "RevertInProgress"};
    return state < G_N_ELEMENTS(names) ? names[state] : NULL;
}

void
dbheader_fields(const struct dbheader *h, struct fields *out)
{
    uint32_t state = dbheader_u32(h, DBH_DBSTATE);
    fields_layout(out, before_state, G_N_ELEMENTS(before_state), h->bytes);
    fields_symbol(out, "dbstate", state, state_name(state));
    fields_layout(out, after_state, G_N_ELEMENTS(after_state), h->bytes);
}
