/* SPDX-License-Identifier: MIT */
#include "instance/param.h"

#include <glib.h>
#include <string.h>

#include "esentx.h"

enum kind { NUMBER, TEXT, PATH, BASE_NAME };
enum when { ANY_TIME, BEFORE_INIT, READ_ONLY };

struct param_def {
    uint32_t id;
    enum kind kind;
    enum when when;
    uintptr_t min, max, preset;
    const char *preset_text;
};

#define NUM(id, when, min, max, preset)                                                            \
    {                                                                                              \
        id, NUMBER, when, min, max, preset, NULL                                                   \
    }
#define STR(id, kind, when, preset)                                                                \
    {                                                                                              \
        id, kind, when, 0, 0, 0, preset                                                            \
    }

#define PATH_CHARS_MAX 259
#define U32_MAX        0xffffffffu

static const struct param_def defs[] = {
    STR(JET_paramSystemPath, PATH, BEFORE_INIT, "./"),
    STR(JET_paramTempPath, PATH, BEFORE_INIT, "./"),
    STR(JET_paramLogFilePath, PATH, BEFORE_INIT, "./"),
    STR(JET_paramBaseName, BASE_NAME, BEFORE_INIT, "edb"),
    STR(JET_paramEventSource, TEXT, BEFORE_INIT, ""),
    NUM(JET_paramMaxSessions, BEFORE_INIT, 1, 65000, 512),
    NUM(JET_paramMaxOpenTables, BEFORE_INIT, 1, U32_MAX, 10000),
    NUM(JET_paramPreferredMaxOpenTables, BEFORE_INIT, 0, U32_MAX, 0),
    NUM(JET_paramMaxCursors, BEFORE_INIT, 1, U32_MAX, 10000),
    NUM(JET_paramMaxVerPages, BEFORE_INIT, 1, U32_MAX, 1024),
    NUM(JET_paramPreferredVerPages, ANY_TIME, 0, U32_MAX, 922),
    NUM(JET_paramMaxTemporaryTables, BEFORE_INIT, 0, U32_MAX, 20),
    NUM(JET_paramLogFileSize, BEFORE_INIT, 64, 32768, 5120),
    NUM(JET_paramLogBuffers, BEFORE_INIT, 80, U32_MAX / 512, 2048),
    NUM(JET_paramLogCheckpointPeriod, ANY_TIME, 0, U32_MAX, 1024),
    NUM(JET_paramCommitDefault, ANY_TIME, 0, U32_MAX, 0),
    NUM(JET_paramCircularLog, BEFORE_INIT, 0, 1, 0),
    NUM(JET_paramDbExtensionSize, ANY_TIME, 1, U32_MAX / 4, 256),
    NUM(JET_paramPageTempDBMin, BEFORE_INIT, 0, U32_MAX, 0),
    NUM(JET_paramCacheSizeMax, BEFORE_INIT, 1, 0x7fffffff, 16384),
    NUM(JET_paramCacheSizeMin, ANY_TIME, 1, 0x7fffffff, 64),
    NUM(JET_paramCacheSize, ANY_TIME, 0, 0x7fffffff, 0),
    NUM(JET_paramCheckpointDepthMax, ANY_TIME, 0, UINTPTR_MAX, 20 * 1024 * 1024),
    STR(JET_paramRecovery, TEXT, BEFORE_INIT, "On"),
    NUM(JET_paramEnableOnlineDefrag, ANY_TIME, 0, U32_MAX, 1),
    NUM(JET_paramOutstandingIOMax, BEFORE_INIT, 1, U32_MAX, 64),
    NUM(JET_paramStartFlushThreshold, ANY_TIME, 0, 0x7fffffff, 0),
    NUM(JET_paramStopFlushThreshold, ANY_TIME, 0, 0x7fffffff, 0),
    NUM(JET_paramEventLogCache, ANY_TIME, 0, U32_MAX, 0),
    NUM(JET_paramEventLoggingLevel, BEFORE_INIT, JET_EventLoggingDisable, JET_EventLoggingLevelMax,
        JET_EventLoggingLevelMax),
    NUM(JET_paramExceptionAction, ANY_TIME, JET_ExceptionMsgBox, JET_ExceptionFailFast,
        JET_ExceptionMsgBox),
    NUM(JET_paramNoInformationEvent, ANY_TIME, 0, 1, 0),
    NUM(JET_paramCreatePathIfNotExist, BEFORE_INIT, 0, 1, 0),
    NUM(JET_paramCleanupMismatchedLogFiles, BEFORE_INIT, 0, 1, 0),
    NUM(JET_paramDeleteOutOfRangeLogs, BEFORE_INIT, 0, 1, 0),
    NUM(JET_paramOneDatabasePerSession, ANY_TIME, 0, 1, 0),
    NUM(JET_paramDatabasePageSize, BEFORE_INIT, 4096, 32768, 4096),
    NUM(JET_paramEnableIndexChecking, ANY_TIME, 0, U32_MAX, 0),
    NUM(JET_paramZeroDatabaseDuringBackup, ANY_TIME, 0, 1, 0),
    NUM(JET_paramBackupChunkSize, ANY_TIME, 1, U32_MAX, 16),
    NUM(JET_paramBackupOutstandingReads, ANY_TIME, 1, U32_MAX, 8),
    NUM(JET_paramOSSnapshotTimeout, ANY_TIME, 0, U32_MAX, 70000),
    NUM(JET_paramMaxInstances, BEFORE_INIT, 1, 1024, 16),
    NUM(JET_paramLegacyFileNames, BEFORE_INIT, 0, 3, 3),
    NUM(JET_paramWaypointLatency, BEFORE_INIT, 0, 0, 0),
    NUM(JET_paramErrorToString, READ_ONLY, 0, UINTPTR_MAX, 0),
    NUM(JET_paramKeyMost, READ_ONLY, 0, U32_MAX, 255),
    NUM(JET_paramJetxBackupService, BEFORE_INIT, 0, 1, 0),
    STR(JET_paramJetxPreimagePath, PATH, ANY_TIME, ""),
    NUM(JET_paramJetxPreimageBudget, ANY_TIME, 0, UINTPTR_MAX, 0),
    STR(JET_paramJetxEventFile, PATH, ANY_TIME, ""),
    NUM(JET_paramJetxPreimagePercent, ANY_TIME, 0, 100, 50),
    NUM(JET_paramJetxPinnedLogBudget, ANY_TIME, 0, UINTPTR_MAX, 0),
    NUM(JET_paramJetxPinnedLogPercent, ANY_TIME, 0, 100, 50),
    NUM(JET_paramJetxSessionMaxAge, ANY_TIME, 0, U32_MAX, 24 * 3600),
    NUM(JET_paramJetxSessionIdle, ANY_TIME, 0, U32_MAX, 3600),
};

struct params {
    uintptr_t number[G_N_ELEMENTS(defs)];
    char *text[G_N_ELEMENTS(defs)];
};

static int
find_def(uint32_t id)
{
    for (size_t i = 0; i < G_N_ELEMENTS(defs); i++) {
        if (defs[i].id == id)
            return (int)i;
    }
    return -1;
}

struct params *
params_new(void)
{
    struct params *p = g_new0(struct params, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(defs); i++) {
        p->number[i] = defs[i].preset;
        p->text[i] = g_strdup(defs[i].preset_text);
    }
    return p;
}

struct params *
params_copy(const struct params *from)
{
    struct params *p = g_new0(struct params, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(defs); i++) {
        p->number[i] = from->number[i];
        p->text[i] = g_strdup(from->text[i]);
    }
    return p;
}

void
params_free(struct params *params)
{
    if (!params)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(defs); i++)
        g_free(params->text[i]);
    g_free(params);
}

static JET_ERR
check_number(const struct param_def *def, uintptr_t number)
{
    if (number < def->min || number > def->max)
        return JET_errInvalidParameter;
    if (def->id == JET_paramDatabasePageSize && (number & (number - 1)) != 0)
        return JET_errInvalidParameter;
    if (def->id == JET_paramExceptionAction && (number & (number - 1)) != 0)
        return JET_errInvalidParameter;
    return JET_errSuccess;
}

static JET_ERR
check_text(const struct param_def *def, const char *text)
{
    if (!g_utf8_validate(text, -1, NULL))
        return JET_errInvalidParameter;
    if (def->kind == BASE_NAME && (strlen(text) != 3 || strchr(text, '/')))
        return JET_errInvalidPath;
    if (def->kind == PATH && g_utf8_strlen(text, -1) > PATH_CHARS_MAX)
        return JET_errInvalidPath;
    if (def->id == JET_paramEventSource && g_utf8_strlen(text, -1) > PATH_CHARS_MAX)
        return JET_errInvalidParameter;
    if (def->id == JET_paramRecovery && g_ascii_strcasecmp(text, "on") != 0 &&
        g_ascii_strcasecmp(text, "off") != 0)
        return JET_errInvalidParameter;
    return JET_errSuccess;
}

JET_ERR
params_set(struct params *params, uint32_t id, uintptr_t number, const char *text, bool initialized)
{
    int i = find_def(id);
    if (i < 0 || defs[i].when == READ_ONLY)
        return JET_errInvalidParameter;
    if (initialized && defs[i].when == BEFORE_INIT)
        return JET_errAlreadyInitialized;
    if (defs[i].kind == NUMBER) {
        JET_ERR err = check_number(&defs[i], number);
        if (err < 0)
            return err;
        params->number[i] = number;
        return JET_errSuccess;
    }
    JET_ERR err = check_text(&defs[i], text ? text : "");
    if (err < 0)
        return err;
    g_free(params->text[i]);
    params->text[i] = g_strdup(text ? text : "");
    return JET_errSuccess;
}

JET_ERR
params_is_text(uint32_t id, bool *is_text)
{
    int i = find_def(id);
    if (i < 0)
        return JET_errInvalidParameter;
    *is_text = defs[i].kind != NUMBER;
    return JET_errSuccess;
}

uintptr_t
params_number(const struct params *params, uint32_t id)
{
    int i = find_def(id);
    g_assert(i >= 0 && defs[i].kind == NUMBER);
    return params->number[i];
}

const char *
params_text(const struct params *params, uint32_t id)
{
    int i = find_def(id);
    g_assert(i >= 0 && defs[i].kind != NUMBER);
    return params->text[i];
}
