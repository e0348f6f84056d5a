/* SPDX-License-Identifier: MIT */
/* dump: JetxReadHeader, JetxOpenLog ... : looking into files, without an instance. */
#include <string.h>

#include "api/api.h"
#include "esentx.h"
#include "log/header_file.h"
#include "log/reader.h"
#include "log/record.h"

struct JETX_LOG_STATE {
    struct log_reader *reader;
    struct fields *fields; /* of the last record */
    JET_ERR err;           /* how the records ended */
};

JET_ERR
JetxReadHeaderA(const char *path, JETX_HEADER **ppheader)
{
    return path && ppheader ? header_file_read(path, ppheader) : JET_errInvalidParameter;
}

JET_ERR
JetxOpenLogA(const char *path, JET_GRBIT grbit, JETX_LOG *plog)
{
    if (!path || !plog)
        return JET_errInvalidParameter;
    if (grbit & ~JETX_bitLogNewest)
        return JET_errInvalidGrbit;
    struct log_reader_opts opts = {.last = (grbit & JETX_bitLogNewest) != 0};
    struct log_reader *reader;
    JET_ERR err = log_reader_open(path, &opts, &reader);
    if (err < 0)
        return err;
    JETX_LOG log = g_new0(struct JETX_LOG_STATE, 1);
    log->reader = reader;
    log->fields = fields_new();
    *plog = log;
    return JET_errSuccess;
}

JET_ERR
JetxCloseLog(JETX_LOG log)
{
    if (!log)
        return JET_errInvalidParameter;
    log_reader_close(log->reader);
    fields_free(log->fields);
    g_free(log);
    return JET_errSuccess;
}

static JET_LGPOS
public_lgpos(struct lgpos pos)
{
    return (JET_LGPOS) {.ib = pos.ib, .isec = pos.isec, .lGeneration = pos.gen};
}

JET_ERR
JetxGetLogFileState(JETX_LOG log, JETX_LOGINFO *pinfo)
{
    if (!log || !pinfo || pinfo->cbStruct < sizeof(uint32_t))
        return JET_errInvalidParameter;
    const struct log_filehdr *hdr = log_reader_header(log->reader);
    const struct log_scan *scan = log_reader_scan(log->reader);
    JETX_LOGINFO info = {
        .cbStruct = pinfo->cbStruct,
        .generation = (uint32_t)hdr->gen,
        .csec = hdr->segments,
        .csecValid = scan->end_isec,
        .lgposEnd = public_lgpos((struct lgpos) {0, scan->end_isec, hdr->gen}),
        .errEnd = scan->corrupt,
        .fTorn = scan->torn,
        .csecPatched = scan->patched,
        .csecRepaired = scan->repaired,
        .fClosed = scan->closed,
        .checksum = scan->checksum,
        .checksumPrev = hdr->prev_checksum,
    };
    memcpy(&info.logtimeCreate, &hdr->created, sizeof info.logtimeCreate);
    memcpy(&info.logtimePreviousGeneration, &hdr->prev_created,
           sizeof info.logtimePreviousGeneration);
    memcpy(&info.signLog, hdr->signature, sizeof info.signLog);
    if (log->err < 0) {
        info.errEnd = log->err;
        info.lgposEnd = public_lgpos(log_reader_position(log->reader));
    }
    memcpy(pinfo, &info, MIN(pinfo->cbStruct, sizeof info));
    return JET_errSuccess;
}

JET_ERR
JetxReadLogRecord(JETX_LOG log, JETX_LOGRECORD *precord)
{
    if (!log || !precord || precord->cbStruct < sizeof(*precord))
        return JET_errInvalidParameter;
    if (log->err < 0)
        return log->err;
    struct span record;
    struct lgpos pos;
    struct lr lr;
    JET_ERR err = log_reader_next(log->reader, &record, &pos);
    if (err == 0)
        return JET_errNoCurrentRecord;
    if (err > 0)
        err = lr_decode(record.data, record.len, &lr, NULL);
    if (err < 0) {
        log->err = err;
        return err;
    }
    fields_clear(log->fields);
    lr_fields(&lr, log->fields);
    precord->lrtyp = lr.type;
    precord->szType = lr_type_name(lr.type);
    precord->lgpos = public_lgpos(pos);
    precord->cb = (uint32_t)record.len;
    precord->rgField = fields_all(log->fields, &precord->cField);
    return JET_errSuccess;
}
