/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "backup/verify_parts.h"
#include "log/filehdr.h"
#include "log/segment.h"
#include "log/whole.h"

/* What one log must continue. */
struct chain {
    const uint8_t *signature; /* of the first one */
    uint8_t own[SIGNATURE_BYTES];
    uint64_t created; /* of the one before; 0: none before */
};

/* Good, empty, or the shadow of the one before. */
static bool
segment_good(uint8_t *segment, uint16_t isec)
{
    return segment_is_zero(segment) || segment_verify(segment, isec) ||
           segment_verify(segment, (uint16_t)(isec - 1)) || segment_repair(segment, isec);
}

static void
check_segments(struct verify *v, const char *path, uint8_t *data, size_t len)
{
    for (size_t at = LOG_HEADER_BYTES; at + SEGMENT_BYTES <= len; at += SEGMENT_BYTES)
        if (!segment_good(data + at, (uint16_t)(at / SEGMENT_BYTES)))
            verify_fail(v, JET_errLogReadVerifyFailure, path, at, "segment checksum does not hold");
}

static JET_ERR
check_header(const uint8_t *data, size_t len, int32_t gen, struct chain *chain, const char **reason)
{
    struct log_filehdr header;
    *reason = "header is damaged";
    if (len < LOG_HEADER_BYTES)
        return JET_errLogFileCorrupt;
    JET_ERR err = log_filehdr_decode(data, &header);
    if (err < 0)
        return err;
    const struct log_filehdr_expect expect = {
        .gen = gen, .signature = chain->signature, .file_bytes = len};
    *reason = "header is not that of this log";
    err = log_filehdr_check(&header, &expect);
    if (err < 0)
        return err;
    *reason = "log does not continue the one before";
    if (chain->created != 0 && header.prev_created != chain->created)
        return JET_errGivenLogFileIsNotContiguous;
    memcpy(chain->own, header.signature, sizeof chain->own);
    chain->signature = chain->own;
    chain->created = header.created;
    return JET_errSuccess;
}

static JET_ERR
check_log(struct verify *v, const char *path, int32_t gen, struct chain *chain)
{
    g_autofree uint8_t *data = NULL;
    const char *reason;
    size_t len;
    JET_ERR err = whole_read(path, &data, &len);
    if (err < 0)
        return err;
    v->report->cLog++;
    v->report->cbVerified += len;
    err = check_header(data, len, gen, chain, &reason);
    if (err < 0)
        verify_fail(v, err, path, 0, reason);
    else
        check_segments(v, path, data, len);
    return JET_errSuccess;
}

/* Generations that a database needs and that are not there. */
static void
check_range(struct verify *v)
{
    const struct log_gens *logs = &v->set.logs;
    for (int32_t gen = v->need_low; v->need_low != 0 && gen <= v->need_high; gen++) {
        if (log_gens_path(logs, gen) != NULL)
            continue;
        g_autofree char *name =
            log_name_archive(v->set.base != NULL ? v->set.base : "edb",
                             v->set.ext != NULL ? v->set.ext : "log", gen, true);
        verify_fail(v, JET_errMissingRestoreLogFiles, name, 0, "log is missing");
        return;
    }
}

JET_ERR
verify_logs(struct verify *v)
{
    const struct log_gens *logs = &v->set.logs;
    struct chain chain = {.signature = v->need_low != 0 ? v->signature : NULL};
    JET_ERR err = JET_errSuccess;
    for (size_t i = 0; i < logs->n && err >= 0; i++) {
        if (i > 0 && logs->gens[i] != logs->gens[i - 1] + 1)
            chain.created = 0; /* a gap: check_range says whether it matters */
        err = check_log(v, logs->paths[i], logs->gens[i], &chain);
    }
    if (logs->n > 0) {
        v->report->genLow = (uint32_t)logs->gens[0];
        v->report->genHigh = (uint32_t)logs->gens[logs->n - 1];
    }
    check_range(v);
    return err;
}
