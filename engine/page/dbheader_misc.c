/* SPDX-License-Identifier: MIT */
/*
 * dbheader_misc: the header as JET_DBINFOMISC ... 7, of which each is the beginning of the next.
 */
#include <string.h>

#include "page/dbheader.h"

#define TYPE_SNAPSHOT 1 /* of a BKINFO */

/* A field of the header into a field of the same bytes. */
#define COPY(to, h, at) memcpy(&(to), &(h)->bytes[at], sizeof(to))

static void
fill_misc(const struct dbheader *h, JET_DBINFOMISC7 *m)
{
    memset(m, 0, sizeof(*m));
    COPY(m->ulVersion, h, DBH_VERSION);
    COPY(m->ulUpdate, h, DBH_UPDATE_MAJOR);
    COPY(m->signDb, h, DBH_SIGN_DB);
    COPY(m->dbstate, h, DBH_DBSTATE);
    COPY(m->lgposConsistent, h, DBH_LGPOS_CONSISTENT);
    COPY(m->logtimeConsistent, h, DBH_TIME_CONSISTENT);
    COPY(m->logtimeAttach, h, DBH_TIME_ATTACH);
    COPY(m->lgposAttach, h, DBH_LGPOS_ATTACH);
    COPY(m->logtimeDetach, h, DBH_TIME_DETACH);
    COPY(m->lgposDetach, h, DBH_LGPOS_DETACH);
    COPY(m->signLog, h, DBH_SIGN_LOG);
    COPY(m->bkinfoFullPrev, h, DBH_BK_FULL_PREV);
    COPY(m->bkinfoIncPrev, h, DBH_BK_INC_PREV);
    COPY(m->bkinfoFullCur, h, DBH_BK_FULL_CUR);
    m->fShadowingDisabled = dbheader_u32(h, DBH_FLAGS) & 1;
    m->fUpgradeDb = dbheader_u32(h, DBH_FLAGS) >> 1 & 1;
    COPY(m->dwMajorVersion, h, DBH_OS_MAJOR);
    COPY(m->dwMinorVersion, h, DBH_OS_MAJOR + 4);
    COPY(m->dwBuildNumber, h, DBH_OS_MAJOR + 8);
    COPY(m->lSPNumber, h, DBH_OS_MAJOR + 12);
    m->cbPageSize = dbheader_page_bytes(h);
    COPY(m->genMinRequired, h, DBH_GEN_MIN_REQUIRED);
    COPY(m->genMaxRequired, h, DBH_GEN_MAX_REQUIRED);
    COPY(m->logtimeGenMaxCreate, h, DBH_TIME_GEN_MAX_CREATE);
    COPY(m->ulRepairCount, h, 240);
    COPY(m->logtimeRepair, h, 244);
    COPY(m->ulRepairCountOld, h, 364);
    COPY(m->ulECCFixSuccess, h, 368);
    COPY(m->logtimeECCFixSuccess, h, 372);
    COPY(m->ulECCFixSuccessOld, h, 380);
    COPY(m->ulECCFixFail, h, 384);
    COPY(m->logtimeECCFixFail, h, 388);
    COPY(m->ulECCFixFailOld, h, 396);
    COPY(m->ulBadChecksum, h, 400);
    COPY(m->logtimeBadChecksum, h, 404);
    COPY(m->ulBadChecksumOld, h, 412);
    COPY(m->genCommitted, h, DBH_GEN_MAX_COMMITTED);
    COPY(m->bkinfoCopyPrev, h, DBH_BK_COPY_PREV);
    COPY(m->bkinfoDiffPrev, h, DBH_BK_DIFF_PREV);
    COPY(m->ulIncrementalReseedCount, h, 476);
    COPY(m->logtimeIncrementalReseed, h, 480);
    COPY(m->ulIncrementalReseedCountOld, h, 488);
    COPY(m->ulPagePatchCount, h, 492);
    COPY(m->logtimePagePatch, h, 496);
    COPY(m->ulPagePatchCountOld, h, 504);
    COPY(m->logtimeChecksumPrev, h, 516);
    COPY(m->logtimeChecksumStart, h, 524);
    uint32_t next = dbheader_u32(h, 532);
    m->cpgDatabaseChecked = next > 0 ? next - 1 : 0;
    COPY(m->logtimeLastReAttach, h, DBH_TIME_LAST_REATTACH);
    COPY(m->lgposLastReAttach, h, DBH_LGPOS_LAST_REATTACH);
}

/* The time's reserved bit says that the backup was a snapshot. */
static void
mark_snapshots(const struct dbheader *h, JET_DBINFOMISC7 *m)
{
    m->bkinfoFullPrev.bklogtimeMark.fReserved = dbheader_u32(h, DBH_BK_FULL_TYPE) == TYPE_SNAPSHOT;
    m->bkinfoIncPrev.bklogtimeMark.fReserved = dbheader_u32(h, DBH_BK_INC_TYPE) == TYPE_SNAPSHOT;
    m->bkinfoCopyPrev.bklogtimeMark.fReserved = dbheader_u32(h, DBH_BK_COPY_TYPE) == TYPE_SNAPSHOT;
    m->bkinfoDiffPrev.bklogtimeMark.fReserved = dbheader_u32(h, DBH_BK_DIFF_TYPE) == TYPE_SNAPSHOT;
}

JET_ERR
dbheader_misc(const struct dbheader *h, void *pv, uint32_t cb)
{
    JET_DBINFOMISC7 misc;
    if (cb != sizeof(JET_DBINFOMISC) && cb != sizeof(JET_DBINFOMISC2) &&
        cb != sizeof(JET_DBINFOMISC3) && cb != sizeof(JET_DBINFOMISC4) &&
        cb != sizeof(JET_DBINFOMISC5) && cb != sizeof(JET_DBINFOMISC6) &&
        cb != sizeof(JET_DBINFOMISC7))
        return JET_errInvalidBufferSize;
    fill_misc(h, &misc);
    mark_snapshots(h, &misc);
    memcpy(pv, &misc, cb);
    return JET_errSuccess;
}
