/* SPDX-License-Identifier: MIT */
/*
 * check: the table of log format 5.3: may redo touch this file at this point of the log?
 *
 * The numbers are the rows of the table. "Defer": the records are skipped; a later AttachDB record
 * looks again.
 */
#include "recovery/internal.h"

static bool
same_sign(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, SIGNATURE_BYTES) == 0;
}

/* Rows 4-6. 1 = goes on. */
static JET_ERR
check_state(uint32_t state, enum verdict *verdict)
{
    switch (state) {
    case DBSTATE_JUST_CREATED:
        *verdict = VERDICT_DEFER;
        return JET_errSuccess;
    case DBSTATE_INC_RESEED:
        return JET_errDatabaseIncompleteIncrementalReseed;
    case DBSTATE_REVERT:
        return JET_errDatabaseIncompleteRevert;
    case DBSTATE_DIRTY:
    case DBSTATE_CLEAN:
    case DBSTATE_DIRTY_PATCHED:
        return 1;
    default:
        return JET_errDatabaseCorrupted;
    }
}

/* Rows 8-10: the header names the stream that was before this attach. */
static JET_ERR
check_not_stamped(const struct dbheader *h, const struct logged_db *l, enum verdict *verdict)
{
    bool same_db = same_sign(&h->bytes[DBH_SIGN_DB], l->sign_db);
    bool consistent = lgpos_cmp(lgpos_get(&h->bytes[DBH_LGPOS_CONSISTENT]), l->consistent) == 0;
    if (!consistent && same_db)
        return JET_errConsistentTimeMismatch;
    *verdict = consistent && same_db ? VERDICT_ATTACH_STAMP : VERDICT_DEFER;
    return JET_errSuccess;
}

/* Rows 12-14. */
static JET_ERR
check_attach_time(const struct dbheader *h, const struct logged_db *l, enum verdict *verdict)
{
    int c = lgpos_cmp(lgpos_get(&h->bytes[DBH_LGPOS_ATTACH]), l->attach);
    if (c < 0 && !l->sign_log)
        return JET_errAttachedDatabaseMismatch;
    *verdict = c == 0 ? VERDICT_ATTACH : c < 0 ? VERDICT_ATTACH_STAMP : VERDICT_DEFER_FUTURE;
    return JET_errSuccess;
}

JET_ERR
check_attach(const struct dbheader *h, const struct logged_db *l, const uint8_t *stream_sign,
             enum verdict *verdict)
{
    JET_ERR err = check_state(dbheader_u32(h, DBH_DBSTATE), verdict);
    if (err != 1)
        return err;
    const uint8_t *sign = &h->bytes[DBH_SIGN_LOG];
    bool of_stream = same_sign(sign, stream_sign);
    bool of_earlier = l->sign_log && same_sign(sign, l->sign_log);
    if (!of_stream && of_earlier)
        return check_not_stamped(h, l, verdict);
    *verdict = VERDICT_DEFER;
    if (!of_stream) /* 7 */
        return JET_errSuccess;
    bool same_db = same_sign(&h->bytes[DBH_SIGN_DB], l->sign_db);
    struct lgpos consistent = lgpos_get(&h->bytes[DBH_LGPOS_CONSISTENT]);
    int c = lgpos_cmp(consistent, l->consistent);
    if (c == 0 || lgpos_is_zero(consistent) || (l->sign_log && !of_earlier)) /* 11 */
        return same_db ? check_attach_time(h, l, verdict) : JET_errSuccess;
    if (c > 0 && (lgpos_is_zero(l->redo) || lgpos_cmp(consistent, l->redo) > 0)) { /* 15 */
        *verdict = VERDICT_DEFER_FUTURE;
        return JET_errSuccess;
    }
    return same_db ? JET_errConsistentTimeMismatch : JET_errSuccess; /* 16 */
}
