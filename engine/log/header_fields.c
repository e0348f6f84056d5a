/* SPDX-License-Identifier: MIT */
/* header_fields: every field of a log header and of a checkpoint under ESE's name. */
#include "log/header_file.h"

#include <glib.h>

#include "log/attach.h"

/* clang-format off */
static const struct field_def log_first[] = {
    {"ulChecksum", JETX_fieldFlags, 0, 4}, {"lGeneration", JETX_fieldSigned, 4, 4},
    {"cbSec", JETX_fieldNumber, 8, 2}, {"csecHeader", JETX_fieldNumber, 10, 2},
    {"csecLGFile", JETX_fieldNumber, 12, 2}, {"cbPageSize", JETX_fieldNumber, 14, 2},
    {"tmCreate", JETX_fieldLogtime, 16, 8}, {"tmPrevGen", JETX_fieldLogtime, 24, 8},
    {"ulMajor", JETX_fieldNumber, 32, 4}, {"ulMinor", JETX_fieldNumber, 36, 4},
    {"ulUpdateMajor", JETX_fieldNumber, 40, 4}, {"signLog", JETX_fieldSignature, 44, 28},
};

static const struct field_def log_last[] = {
    {"fLGFlags", JETX_fieldFlags, 639, 1}, {"lgposCheckpoint", JETX_fieldLgpos, 640, 8},
    {"ulUpdateMinor", JETX_fieldNumber, 648, 4},
    {"bDiskSecSizeMismatch", JETX_fieldNumber, 652, 1},
    {"checksumPrevLogAllSegments", JETX_fieldFlags, 653, 8},
    {"efvEngineCurrentDiagnostic", JETX_fieldNumber, 661, 4},
    {"filetype", JETX_fieldNumber, 667, 4},
};

static const struct field_def checkpoint_first[] = {
    {"ulChecksum", JETX_fieldFlags, 0, 4},
    {"lgposLastFullBackupCheckpoint", JETX_fieldLgpos, 4, 8},
    {"lgposCheckpoint", JETX_fieldLgpos, 12, 8}, {"signLog", JETX_fieldSignature, 20, 28},
};

static const struct field_def checkpoint_last[] = {
    {"lgposFullBackup", JETX_fieldLgpos, 615, 8}, {"logtimeFullBackup", JETX_fieldLogtime, 623, 8},
    {"lgposIncBackup", JETX_fieldLgpos, 631, 8}, {"logtimeIncBackup", JETX_fieldLogtime, 639, 8},
    {"fVersion", JETX_fieldFlags, 647, 1}, {"lgposDbConsistency", JETX_fieldLgpos, 648, 8},
    {"filetype", JETX_fieldNumber, 667, 4},
};

/* DBMS_PARAM (log format 1.5). */
static const struct field_def dbms_param[] = {
    {"szSystemPath", JETX_fieldText, 0, 261}, {"szLogFilePath", JETX_fieldText, 261, 261},
    {"fDBMSPARAMFlags", JETX_fieldFlags, 522, 1}, {"ulSessionsMax", JETX_fieldNumber, 523, 4},
    {"ulOpenTablesMax", JETX_fieldNumber, 527, 4}, {"ulVERPagesMax", JETX_fieldNumber, 531, 4},
    {"ulCursorsMax", JETX_fieldNumber, 535, 4}, {"ulLogBuffers", JETX_fieldNumber, 539, 4},
    {"ulcsecLGFile", JETX_fieldNumber, 543, 4}, {"ulCacheSizeMax", JETX_fieldNumber, 547, 4},
};

static const struct field_def attach_fixed[] = {
    {"dbid", JETX_fieldNumber, 0, 1}, {"flags", JETX_fieldFlags, 1, 1},
    {"dbtime", JETX_fieldNumber, 4, 8}, {"objidLast", JETX_fieldNumber, 12, 4},
    {"cpgDatabaseSizeMax", JETX_fieldNumber, 16, 4}, {"lgposAttach", JETX_fieldLgpos, 20, 8},
    {"lgposConsistent", JETX_fieldLgpos, 28, 8}, {"signDb", JETX_fieldSignature, 36, 28},
};
/* clang-format on */

/* "attach[1].dbid" ... of each entry of the list. */
static void
attach_fields(const uint8_t *list, struct fields *out)
{
    struct cursor c = cursor_over(list, ATTACH_LIST_BYTES);
    for (int i = 1;; i++) {
        const uint8_t *at = c.at;
        struct attach_info info;
        if (attach_next(&c, &info) != 1)
            return;
        for (size_t k = 0; k < G_N_ELEMENTS(attach_fixed); k++) {
            struct field_def def = attach_fixed[k];
            g_autofree char *name = g_strdup_printf("attach[%d].%s", i, def.name);
            def.name = name;
            fields_layout(out, &def, 1, at);
        }
        g_autofree char *name = g_strdup_printf("attach[%d].szPath", i);
        fields_text(out, name, info.path);
        attach_info_clear(&info);
    }
}

void
log_header_fields(const uint8_t in[LOG_HEADER_BYTES], struct fields *out)
{
    fields_layout(out, log_first, G_N_ELEMENTS(log_first), in);
    fields_layout(out, dbms_param, G_N_ELEMENTS(dbms_param), in + 72);
    fields_layout(out, log_last, G_N_ELEMENTS(log_last), in);
    attach_fields(in + 671, out);
}

void
checkpoint_fields(const uint8_t in[CHECKPOINT_COPY_BYTES], struct fields *out)
{
    fields_layout(out, checkpoint_first, G_N_ELEMENTS(checkpoint_first), in);
    fields_layout(out, dbms_param, G_N_ELEMENTS(dbms_param), in + 48);
    fields_layout(out, checkpoint_last, G_N_ELEMENTS(checkpoint_last), in);
    if (in[647] & 1)
        attach_fields(in + 679, out);
}
