/* SPDX-License-Identifier: MIT */
/*
 * A double of libesent's backup functions: serves the plain files of a directory, and fails on
 * demand. What it does is steered by files in that directory, which may come and go while it runs:
 *
 *   .owner          there at connect: a live instance; gone later: the owner died
 *   .abort          the owner ends the session (errBackupAbortByServer)
 *   .busy           "PID PROGRAM": a backup is running already; by whom may be left out
 *   .bad            "NAME OFFSET": reads that touch this page fail with JET_errReadVerifyFailure
 *   .slow           "N": every read takes N ms
 *   .end            "ERR": what the end of the session returns
 *   .verify         "ERR": what JetxVerifyBackup2 returns;  .restore the same
 *   .calls          written: one line for each call that changes the session
 */
#include "esent.h"
#include "esentx.h"

#include <dirent.h>
#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES 8192u

static struct {
    char *dir;
    char *only; /* one file, or NULL for all */
    bool live;
    gint begun; /* atomic */
    uint64_t begin;
} it;

static bool
exists(const char *name)
{
    g_autofree char *path = g_build_filename(it.dir, name, NULL);
    return access(path, F_OK) == 0;
}

static char *
content(const char *name)
{
    g_autofree char *path = g_build_filename(it.dir, name, NULL);
    char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? g_strchomp(text) : NULL;
}

static int
number(const char *name)
{
    g_autofree char *text = content(name);
    return text == NULL ? 0 : atoi(text);
}

static void
note(const char *call)
{
    g_autofree char *path = g_build_filename(it.dir, ".calls", NULL);
    FILE *out = fopen(path, "a");
    if (out == NULL)
        return;
    fprintf(out, "%s\n", call);
    fclose(out);
}

static JET_ERR
state(void)
{
    if (exists(".abort") || (it.live && !exists(".owner")))
        return JET_errBackupAbortByServer;
    return g_atomic_int_get(&it.begun) ? JET_errSuccess : JET_errNoBackup;
}

JET_ERR
JetxReadHeaderA(const char *path, JETX_HEADER **ppheader)
{
    return JET_errFileNotFound;
}

JET_ERR
JetxOpenLogA(const char *path, JET_GRBIT grbit, JETX_LOG *plog)
{
    return JET_errFileNotFound;
}

JET_ERR
JetxCloseLog(JETX_LOG log)
{
    return JET_errSuccess;
}

JET_ERR
JetxGetLogFileState(JETX_LOG log, JETX_LOGINFO *pinfo)
{
    return JET_errInvalidParameter;
}

JET_ERR
JetxReadLogRecord(JETX_LOG log, JETX_LOGRECORD *precord)
{
    return JET_errNoCurrentRecord;
}

JET_ERR
JetxConnectInstanceA(const char *path, JET_INSTANCE *pinst)
{
    g_autofree char *owner = g_build_filename(path, ".owner", NULL);
    if (access(owner, F_OK) < 0)
        return JET_errFileNotFound;
    it.dir = g_strdup(path);
    it.live = true;
    *pinst = 1;
    return JET_errSuccess;
}

JET_ERR
JetxOpenDatabaseFileA(const char *path, JET_INSTANCE *pinst)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return JET_errFileNotFound;
    if (S_ISREG(st.st_mode)) {
        it.dir = g_path_get_dirname(path);
        it.only = g_path_get_basename(path);
    } else {
        it.dir = g_strdup(path);
    }
    *pinst = 1;
    return JET_errSuccess;
}

JET_ERR
JetxDisconnectInstance(JET_INSTANCE inst)
{
    note("disconnect");
    g_clear_pointer(&it.dir, g_free);
    g_clear_pointer(&it.only, g_free);
    return JET_errSuccess;
}

JET_ERR
JetxBeginFrozenBackup(JET_INSTANCE inst, JET_GRBIT grbit)
{
    if (exists(".busy"))
        return JET_errBackupInProgress;
    note("begin");
    g_atomic_int_set(&it.begun, 1);
    it.begin = (uint64_t)(g_get_real_time() / G_USEC_PER_SEC);
    return JET_errSuccess;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const JETX_BACKUPFILE *)a)->szName, ((const JETX_BACKUPFILE *)b)->szName);
}

static bool
describe(const char *name, JETX_BACKUPFILE *file)
{
    g_autofree char *path = g_build_filename(it.dir, name, NULL);
    struct stat st;

    if (name[0] == '.' || (it.only != NULL && strcmp(name, it.only) != 0) || stat(path, &st) < 0 ||
        !S_ISREG(st.st_mode))
        return false;
    *file = (JETX_BACKUPFILE) {.cbStruct = sizeof *file};
    g_strlcpy(file->szName, name, sizeof file->szName);
    g_strlcpy(file->szPath, path, sizeof file->szPath);
    file->cbSize = (uint64_t)st.st_size;
    file->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    file->inode = st.st_ino;
    if (g_str_has_suffix(name, ".log")) {
        file->kind = JETX_fileLog;
        file->genLog = (uint32_t)strtoul(name + 3, NULL, 16);
    } else {
        file->kind = JETX_fileDatabase;
        file->cbPage = PAGE_BYTES;
        file->pgnoLast = (uint32_t)(file->cbSize / PAGE_BYTES);
    }
    return true;
}

JET_ERR
JetxGetFrozenFiles(JET_INSTANCE inst, JETX_BACKUPFILE **prg, uint32_t *pc)
{
    JETX_BACKUPFILE *files = calloc(4096, sizeof *files);
    DIR *dir = opendir(it.dir);
    struct dirent *entry;
    uint32_t n = 0;

    while ((entry = readdir(dir)) != NULL && n < 4096)
        n += describe(entry->d_name, &files[n]);
    closedir(dir);
    qsort(files, n, sizeof *files, by_name);
    *prg = files;
    *pc = n;
    return JET_errSuccess;
}

JET_ERR
JetxGetManifestA(JET_INSTANCE inst, char **psz)
{
    *psz = strdup("{\"double\": true}\n");
    return JET_errSuccess;
}

JET_ERR
JetFreeBuffer(char *pbBuf)
{
    free(pbBuf);
    return JET_errSuccess;
}

JET_ERR
JetOpenFileInstanceA(JET_INSTANCE instance, JET_PCSTR szFileName, JET_HANDLE *phfFile,
                     uint32_t *pulFileSizeLow, uint32_t *pulFileSizeHigh)
{
    g_autofree char *path = g_build_filename(it.dir, szFileName, NULL);
    JET_ERR err = state();
    if (err < 0)
        return err;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return JET_errFileNotFound;
    *phfFile = (JET_HANDLE)fd;
    return JET_errSuccess;
}

JET_ERR
JetCloseFileInstance(JET_INSTANCE instance, JET_HANDLE hfFile)
{
    close((int)hfFile);
    return JET_errSuccess;
}

static bool
is_bad(int fd, uint64_t ib, uint32_t cb)
{
    g_autofree char *text = content(".bad");
    char name[256];
    unsigned long long bad;

    if (text == NULL || sscanf(text, "%255s %llu", name, &bad) != 2)
        return false;
    g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
    g_autofree char *path = g_file_read_link(link, NULL);
    return g_str_has_suffix(path, name) && ib < bad + PAGE_BYTES && bad < ib + cb;
}

JET_ERR
JetxReadFileAt(JET_INSTANCE inst, JET_HANDLE hf, uint64_t ib, void *pv, uint32_t cb,
               uint32_t *pcbActual)
{
    JET_ERR err = state();
    if (err < 0)
        return err;
    int ms = number(".slow");
    if (ms > 0)
        g_usleep((gulong)ms * 1000);
    if (is_bad((int)hf, ib, cb))
        return JET_errReadVerifyFailure;
    ssize_t n = pread((int)hf, pv, cb, (off_t)ib);
    if (n < 0)
        return JET_errDiskIO;
    *pcbActual = (uint32_t)n;
    return JET_errSuccess;
}

static void
tell_holder(JETX_BACKUPSTATUS *status)
{
    g_autofree char *text = content(".busy");
    status->pidHolder = 0;
    if (text != NULL)
        (void)sscanf(text, "%u %63s", &status->pidHolder, status->szHolderProgram);
    if (status->pidHolder == 1)
        status->pidHolder = status->pid;
}

JET_ERR
JetxGetBackupStatus(JET_INSTANCE inst, JETX_BACKUPSTATUS *pstatus)
{
    *pstatus = (JETX_BACKUPSTATUS) {.cbStruct = sizeof *pstatus};
    pstatus->pid = (uint32_t)getpid();
    g_strlcpy(pstatus->szInstance, "double", sizeof pstatus->szInstance);
    pstatus->timeBegin = it.begin;
    pstatus->genLow = 1;
    pstatus->genHigh = 2;
    pstatus->signLog.ulRandom = (uint32_t)number(".signature");
    tell_holder(pstatus);
    JET_ERR err = state();
    pstatus->errSession = err == JET_errNoBackup ? 0 : err;
    return JET_errSuccess;
}

JET_ERR
JetxSetBackupLimits(JET_INSTANCE inst, const JETX_BACKUPLIMITS *plimits)
{
    g_autofree char *call =
        g_strdup_printf("limits %u %u", (unsigned)plimits->secMaxAge, plimits->pctPreimage);
    note(call);
    return JET_errSuccess;
}

JET_ERR
JetxReportBackupProgress(JET_INSTANCE inst, const JETX_BACKUPPROGRESS *pprogress)
{
    return JET_errSuccess;
}

JET_ERR
JetxGetPreservedPages(JET_INSTANCE inst, JET_HANDLE hf, uint32_t cCell, uint32_t *rgcPage)
{
    memset(rgcPage, 0, cCell * sizeof *rgcPage);
    rgcPage[cCell / 2] = 1;
    return JET_errSuccess;
}

JET_ERR
JetSetSystemParameterA(JET_INSTANCE *pinstance, JET_SESID sesid, uint32_t paramid,
                       JET_API_PTR lParam, JET_PCSTR szParam)
{
    return JET_errSuccess;
}

JET_ERR
JetTruncateLogInstance(JET_INSTANCE instance)
{
    note("truncate");
    return JET_errSuccess;
}

JET_ERR
JetEndExternalBackupInstance2(JET_INSTANCE instance, JET_GRBIT grbit)
{
    note(grbit == JET_bitBackupEndNormal ? "end normal" : "end abort");
    JET_ERR err = number(".end") != 0 ? number(".end") : state();
    g_atomic_int_set(&it.begun, 0);
    if (err >= 0 && grbit == JET_bitBackupEndAbort)
        return JET_errBackupAbortByCaller;
    return err;
}

JET_ERR
JetxVerifyBackup2A(const char *const *sources, uint32_t n, JETX_VERIFYREPORT *preport)
{
    it.dir = g_strdup(sources[0]);
    preport->errFirst = number(".verify");
    g_strlcpy(preport->szFileFirst, "app.edb", sizeof preport->szFileFirst);
    g_clear_pointer(&it.dir, g_free);
    return preport->errFirst;
}

JET_ERR
JetxRestoreBackup2A(const char *const *sources, uint32_t n, const char *targetdir,
                    const JETX_RESTOREPARAM *param, JETX_RESTOREREPORT *preport)
{
    it.dir = g_strdup(sources[0]);
    JET_ERR err = number(".restore");
    g_clear_pointer(&it.dir, g_free);
    return err;
}

const char *
JetxErrorNameA(JET_ERR err)
{
    switch (err) {
    case JET_errSuccess:
        return "JET_errSuccess";
    case JET_errBackupAbortByServer:
        return "JET_errBackupAbortByServer";
    case JET_errReadVerifyFailure:
        return "JET_errReadVerifyFailure";
    default:
        return "JET_err";
    }
}

const char *
JetxErrorTextA(JET_ERR err)
{
    return "what the error means";
}
