/* SPDX-License-Identifier: MIT */
/* record_types: what can be told from a record's type alone. */
#include "log/record.h"

bool
lr_is_node(uint8_t type)
{
    return (type >= LR_INSERT && type <= LR_UNDO) || type == LR_EMPTY_TREE || type == LR_DELTA64;
}

bool
lr_is_page(uint8_t type)
{
    return lr_is_node(type) || type == LR_CREATE_ME || type == LR_CREATE_SE ||
           type == LR_CONVERT_FDP2 || type == LR_SPLIT2 || type == LR_MERGE2 || type == LR_SCRUB ||
           type == LR_PAGE_MOVE;
}

const char *
lr_type_name(uint8_t type)
{
    static const char *const names[] = {
        [LR_NOP] = "NOP",
        [LR_INIT_OLD] = "Init",
        [LR_TERM_OLD] = "Term",
        [LR_BEGIN] = "Begin",
        [LR_COMMIT] = "Commit",
        [LR_ROLLBACK] = "Rollback",
        [LR_BEGIN0] = "Begin0",
        [LR_COMMIT0] = "Commit0",
        [LR_REFRESH] = "Refresh",
        [LR_MACRO_BEGIN] = "MacroBegin",
        [LR_MACRO_COMMIT] = "MacroCommit",
        [LR_MACRO_ABORT] = "MacroAbort",
        [LR_CREATE_DB] = "CreateDB",
        [LR_ATTACH_DB] = "AttachDB",
        [LR_DETACH_DB] = "DetachDB",
        [LR_JET_OP] = "JetOp",
        [LR_TRACE] = "Trace",
        [LR_SHUTDOWN_MARK] = "ShutDownMark",
        [LR_CREATE_ME] = "CreateMultipleExtentFDP",
        [LR_CREATE_SE] = "CreateSingleExtentFDP",
        [LR_INSERT] = "Insert",
        [LR_FLAG_INSERT] = "FlagInsert",
        [LR_FIARD] = "FlagInsertAndReplaceData",
        [LR_FLAG_DELETE] = "FlagDelete",
        [LR_REPLACE] = "Replace",
        [LR_REPLACE_D] = "ReplaceD",
        [LR_DELETE] = "Delete",
        [LR_UNDO_INFO] = "UndoInfo",
        [LR_DELTA] = "Delta",
        [LR_SET_EXT_HEADER] = "SetExternalHeader",
        [LR_UNDO] = "Undo",
        [LR_EMPTY_TREE] = "EmptyTree",
        [LR_INIT2] = "Init2",
        [LR_TERM2] = "Term2",
        [LR_RECOVERY_UNDO2] = "RecoveryUndo2",
        [LR_RECOVERY_QUIT2] = "RecoveryQuit2",
        [LR_FORCE_WRITE_LOG] = "ForceWriteLog",
        [LR_CONVERT_FDP2] = "ConvertFDP2",
        [LR_BACKUP2] = "Backup2",
        [LR_FORCE_LOG_ROLLOVER] = "ForceLogRollover",
        [LR_SPLIT2] = "Split2",
        [LR_MERGE2] = "Merge2",
        [LR_SCRUB] = "Scrub",
        [LR_PAGE_MOVE] = "PageMove",
        [LR_PAGE_PATCH] = "PagePatchRequest",
        [LR_MACRO_INFO] = "MacroInfo",
        [LR_EXTEND_DB] = "ExtendDB",
        [LR_COMMIT_CTX] = "CommitCtx",
        [LR_SCAN_CHECK] = "ScanCheck",
        [LR_NOP2] = "NOP2",
        [LR_REATTACH] = "ReAttach",
        [LR_MACRO_INFO2] = "MacroInfo2",
        [LR_FREE_FDP] = "FreeFDP",
        [LR_FRAGMENT_BEGIN] = "FragmentBegin",
        [LR_FRAGMENT] = "Fragment",
        [LR_SHRINK_DB] = "ShrinkDB",
        [LR_CREATE_DB_FINISH] = "CreateDBFinish",
        [LR_RECOVERY_QUIT_KEEP] = "RecoveryQuitKeepAttachments",
        [LR_TRIM_DB] = "TrimDB",
        [LR_SET_DB_VERSION] = "SetDbVersion",
        [LR_DELTA64] = "Delta64",
        [LR_SHRINK_DB2] = "ShrinkDB2",
        [LR_NEW_PAGE] = "NewPage",
        [LR_ROOT_PAGE_MOVE] = "RootPageMove",
        [LR_SIGNAL_ATTACH_DB] = "SignalAttachDb",
        [LR_SCAN_CHECK2] = "ScanCheck2",
        [LR_SHRINK_DB3] = "ShrinkDB3",
        [LR_EXTENT_FREED] = "ExtentFreed",
        [LR_EXTENT_FREED2] = "ExtentFreed2",
    };
    if ((type >= LR_IGNORED10 && type <= LR_IGNORED19) || type == LR_IGNORED9)
        return "Ignored";
    const char *name = type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
    return name ? name : "?";
}
