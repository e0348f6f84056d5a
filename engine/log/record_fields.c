/* SPDX-License-Identifier: MIT */
/* record_fields: what a log record says, under ESE's names. Keys and data only by their sizes. */
#include <glib.h>

#include "log/attach.h"
#include "log/record.h"

#define N(name, value) fields_number(out, name, value)
#define I(name, value) fields_signed(out, name, value)
#define F(name, value) fields_flags(out, name, value)

static const char *
oper_name(uint32_t oper)
{
    switch (oper) {
    case LR_OPER_INSERT:
        return "Insert";
    case LR_OPER_REPLACE:
        return "Replace";
    case LR_OPER_FLAG_DELETE:
        return "FlagDelete";
    case LR_OPER_DELTA:
        return "Delta";
    case LR_OPER_DELTA64:
        return "Delta64";
    default:
        return NULL;
    }
}

static const char *
name_of(const char *const *names, size_t n, uint32_t value)
{
    return value < n ? names[value] : NULL;
}

static const char *const split_types[] = {"Vertical", "Right", "Append"};
static const char *const split_opers[] = {"None", "Insert", "Replace", "FlagInsertAndReplaceData"};
static const char *const merge_types[] = {"None",      "EmptyPage", "FullRight",   "PartialRight",
                                          "EmptyTree", "FullLeft",  "PartialLeft", "PageMove"};
static const char *const backup_phases[] = {NULL,     "Begin", "PrepareLogs", "Truncate",
                                            "Update", "Abort", "Stop"};
static const char *const backup_scopes[] = {NULL, "Full", "Incremental", NULL,
                                            NULL, "Copy", "Differential"};
#define NAMED(field, names, v) fields_symbol(out, field, v, name_of(names, G_N_ELEMENTS(names), v))

static void
put_lgpos(struct fields *out, const char *name, struct lgpos pos)
{
    uint8_t bytes[LGPOS_BYTES];
    lgpos_put(bytes, pos);
    fields_lgpos(out, name, bytes);
}

static void
put_time(struct fields *out, const char *name, uint64_t logtime)
{
    uint8_t bytes[8];
    le64_put(bytes, logtime);
    fields_logtime(out, name, bytes);
}

static void
put_path(struct fields *out, struct span path, bool wide)
{
    g_autofree char *text =
        wide ? attach_path_decode(path) : g_strndup((const char *)path.data, path.len);
    fields_text(out, "szPath", text ? text : "?");
}

static void
page_fields(const struct lr *lr, struct fields *out)
{
    N("procid", lr->page.procid);
    N("dbid", lr->page.dbid);
    N("pgno", lr->page.pgno);
    I("dbtime", lr->page.dbtime);
    I("dbtimeBefore", lr->page.dbtime_before);
    N("trxBegin0", lr->page.trx);
    N("level", lr->page.level);
    N("iline", lr->page.iline);
    F("flags", lr->page.flags);
    if (!lr_is_node(lr->type))
        return;
    N("rceid", lr->node.rceid);
    N("pgnoFDP", lr->node.pgno_fdp);
    N("objidFDP", lr->node.objid_fdp);
}

static void
tx_fields(const struct lr *lr, struct fields *out)
{
    N("procid", lr->tx.procid);
    if (lr->type == LR_BEGIN || lr->type == LR_BEGIN0) {
        N("levelBeginFrom", lr->tx.level);
        N("clevelsToBegin", lr->tx.levels);
    } else if (lr->type == LR_ROLLBACK) {
        N("levelRollback", lr->tx.level);
    } else if (lr->type != LR_REFRESH) {
        N("levelCommitTo", lr->tx.level);
    }
    if (lr->type == LR_BEGIN0)
        N("trxBegin0", lr->tx.trx);
    if (lr->type == LR_COMMIT0)
        N("trxCommit0", lr->tx.trx);
}

static void
create_db_fields(const struct lr *lr, struct fields *out)
{
    N("procid", lr->create_db.procid);
    N("dbid", lr->create_db.dbid);
    F("grbit", lr->create_db.grbit);
    N("cpgDatabaseSizeMax", lr->create_db.cpg_size_max);
    fields_signature(out, "signDb", lr->create_db.sign_db.data);
    F("flags", lr->create_db.flags);
    if (lr->create_db.flags & 4) {
        N("version", lr->create_db.version);
        N("update", lr->create_db.update);
    }
    put_path(out, lr->create_db.path, lr->create_db.flags & 8);
}

static void
attach_db_fields(const struct lr *lr, struct fields *out)
{
    N("procid", lr->attach_db.procid);
    N("dbid", lr->attach_db.dbid);
    N("cpgDatabaseSizeMax", lr->attach_db.cpg_size_max);
    put_lgpos(out, "lgposConsistent", lr->attach_db.consistent);
    fields_signature(out, "signDb", lr->attach_db.sign_db.data);
    fields_signature(out, "signLog", lr->attach_db.sign_log.data);
    F("flags", lr->attach_db.flags);
    put_path(out, lr->attach_db.path, lr->attach_db.flags & 8);
}

static void
fdp_fields(const struct lr *lr, struct fields *out)
{
    N("objidFDP", lr->fdp.objid);
    if (lr->type != LR_CREATE_SE) {
        N("pgnoOE", lr->fdp.pgno_oe);
        N("pgnoAE", lr->fdp.pgno_ae);
    }
    N("pgnoFDPParent", lr->fdp.pgno_parent);
    N("cpgPrimary", lr->fdp.cpg_primary);
    if (lr->type == LR_CONVERT_FDP2) {
        N("pgnoSecondaryFirst", lr->fdp.pgno_secondary_first);
        N("cpgSecondary", lr->fdp.cpg_secondary);
        F("rgbitAvail", lr->fdp.avail_bits);
    }
    F("fPageFlags", lr->fdp.page_flags);
}

static void
undo_info_fields(const struct lr *lr, struct fields *out)
{
    N("cbKey", lr->undo_info.key.len);
    N("cbBookmarkData", lr->undo_info.bm_data.len);
    fields_symbol(out, "oper", lr->undo_info.oper, oper_name(lr->undo_info.oper));
    I("cbMaxSize", lr->undo_info.max_size);
    I("cbDelta", lr->undo_info.delta);
    N("cbData", lr->undo_info.data.len);
}

static void
undo_fields(const struct lr *lr, struct fields *out)
{
    N("cbKey", lr->undo.key.len);
    N("cbBookmarkData", lr->undo.bm_data.len);
    fields_symbol(out, "oper", lr->undo.oper, oper_name(lr->undo.oper));
    N("levelUndo", lr->undo.level);
}

static void
empty_tree_fields(const struct lr *lr, struct fields *out)
{
    size_t n = lr->empty_tree.pages.len / LR_EMPTY_PAGE_BYTES;
    g_autoptr(GString) pages = g_string_new(NULL);
    for (size_t i = 0; i < n; i++)
        g_string_append_printf(pages, "%s%u", i ? " " : "",
                               lr_empty_page_get(lr->empty_tree.pages, i).pgno);
    N("cpageEmpty", n);
    fields_text(out, "pgnosEmpty", pages->str);
}

static void
split_fields(const struct lr *lr, struct fields *out)
{
    N("pgnoNew", lr->split.pgno_new);
    N("pgnoRight", lr->split.pgno_right);
    I("dbtimeRightBefore", lr->split.dbtime_right_before);
    N("pgnoParent", lr->split.pgno_parent);
    I("dbtimeParentBefore", lr->split.dbtime_parent_before);
    N("pgnoFDP", lr->split.pgno_fdp);
    N("objidFDP", lr->split.objid_fdp);
    NAMED("splittype", split_types, lr->split.type);
    NAMED("splitoper", split_opers, lr->split.oper);
    N("ilineOper", lr->split.iline_oper);
    N("ilineSplit", lr->split.iline_split);
    N("clines", lr->split.clines);
    F("fNewPageFlags", lr->split.flags_new);
    F("fSplitPageFlags", lr->split.flags_split);
    I("cbUncFreeSrc", lr->split.unc_free_src);
    I("cbUncFreeDest", lr->split.unc_free_dest);
    I("ilinePrefixSplit", lr->split.iline_prefix_split);
    I("ilinePrefixNew", lr->split.iline_prefix_new);
    N("cbKeyParent", lr->split.key_parent.len);
    N("cbPrefixSplitOld", lr->split.prefix_old.len);
    N("cbPrefixSplitNew", lr->split.prefix_new.len);
    F("fPreImage", lr->split.image_flags);
    N("cbPageBeforeImage", lr->split.image.len);
}

static void
merge_fields(const struct lr *lr, struct fields *out)
{
    N("pgnoRight", lr->merge.pgno_right);
    I("dbtimeRightBefore", lr->merge.dbtime_right_before);
    N("pgnoLeft", lr->merge.pgno_left);
    I("dbtimeLeftBefore", lr->merge.dbtime_left_before);
    N("pgnoParent", lr->merge.pgno_parent);
    I("dbtimeParentBefore", lr->merge.dbtime_parent_before);
    N("pgnoFDP", lr->merge.pgno_fdp);
    N("objidFDP", lr->merge.objid_fdp);
    N("cbSizeTotal", lr->merge.size_total);
    N("cbSizeMaxTotal", lr->merge.size_max_total);
    N("cbUncFreeDest", lr->merge.unc_free_dest);
    N("ilineMerge", lr->merge.iline_merge);
    F("mergeFlags", lr->merge.flags);
    NAMED("mergetype", merge_types, lr->merge.type);
    N("cbKeyParentSep", lr->merge.key_parent_sep.len);
    F("fPreImage", lr->merge.image_flags);
    N("cbPageBeforeImage", lr->merge.image.len);
}

static void
backup_fields(const struct lr *lr, struct fields *out)
{
    NAMED("phase", backup_phases, lr->backup.phase);
    N("bkinfotype", lr->backup.type);
    NAMED("scope", backup_scopes, lr->backup.scope);
    N("dbid", lr->backup.dbid);
    fields_bkinfo(out, "bkinfo", lr->backup.bkinfo.data);
    N("cbPath", lr->backup.path.len);
}

/* Records of the length of a database or of the engine's life. */
static void
small_fields(const struct lr *lr, struct fields *out)
{
    switch (lr->type) {
    case LR_INIT2:
        return put_time(out, "logtime", lr->init.logtime);
    case LR_RECOVERY_UNDO2:
        return put_time(out, "logtime", lr->recovery_undo.logtime);
    case LR_EXTEND_DB:
        N("dbid", lr->extend_db.dbid);
        return N("pgnoLast", lr->extend_db.pgno_last);
    case LR_CREATE_DB_FINISH:
        N("procid", lr->create_db_finish.procid);
        return N("dbid", lr->create_db_finish.dbid);
    case LR_REATTACH:
        N("dbid", lr->reattach.dbid);
        put_lgpos(out, "lgposAttach", lr->reattach.attach);
        put_lgpos(out, "lgposConsistent", lr->reattach.consistent);
        return fields_signature(out, "signDb", lr->reattach.sign_db.data);
    case LR_SET_DB_VERSION:
        N("dbid", lr->set_db_version.dbid);
        F("ulVersion", lr->set_db_version.version[0]);
        N("ulUpdateMajor", lr->set_db_version.version[1]);
        return N("ulUpdateMinor", lr->set_db_version.version[2]);
    case LR_NEW_PAGE:
        N("procid", lr->new_page.procid);
        N("dbid", lr->new_page.dbid);
        N("pgno", lr->new_page.pgno);
        N("objid", lr->new_page.objid);
        return I("dbtime", lr->new_page.dbtime);
    case LR_NOP:
    case LR_SHUTDOWN_MARK:
        return;
    default:
        return N("cb", lr->other.body.len);
    }
}

static void
trace_fields(const struct lr *lr, struct fields *out)
{
    N("procid", lr->trace.procid);
    if (lr->type == LR_FORCE_WRITE_LOG)
        return;
    g_autofree char *text = g_strndup((const char *)lr->trace.text.data, lr->trace.text.len);
    fields_text(out, "szTrace", text);
}

static void
quit_fields(const struct lr *lr, struct fields *out)
{
    put_lgpos(out, "lgposStart", lr->quit.start);
    put_lgpos(out, "lgposRedoFrom", lr->quit.redo_from);
    N("fHard", lr->quit.hard);
    put_time(out, "logtime", lr->quit.logtime);
}

/* The records on a node, what follows LRNODE. */
static void
node_fields(const struct lr *lr, struct fields *out)
{
    switch (lr->type) {
    case LR_INSERT:
        N("cbPrefix", lr->insert.prefix.len);
        N("cbSuffix", lr->insert.suffix.len);
        return N("cbData", lr->insert.data.len);
    case LR_FIARD:
        N("rceidReplace", lr->flag_insert.rceid_replace);
        /* fall through */
    case LR_FLAG_INSERT:
        N("cbKey", lr->flag_insert.key.len);
        return N("cbData", lr->flag_insert.data.len);
    case LR_REPLACE:
    case LR_REPLACE_D:
        N("cb", lr->replace.data.len);
        N("cbOldData", lr->replace.old_len);
        return N("cbNewData", lr->replace.new_len);
    case LR_UNDO_INFO:
        return undo_info_fields(lr, out);
    case LR_DELTA:
    case LR_DELTA64:
        N("cbKey", lr->delta.key.len);
        N("cbBookmarkData", lr->delta.bm_data.len);
        I("delta", lr->delta.delta);
        return N("cbOffset", lr->delta.offset);
    case LR_SET_EXT_HEADER:
        return N("cbData", lr->ext_header.data.len);
    case LR_UNDO:
        return undo_fields(lr, out);
    case LR_EMPTY_TREE:
        return empty_tree_fields(lr, out);
    default: /* FLAG_DELETE, DELETE: nothing more */
        return;
    }
}

void
lr_fields(const struct lr *lr, struct fields *out)
{
    if (lr_is_page(lr->type))
        page_fields(lr, out);
    if (lr_is_node(lr->type))
        return node_fields(lr, out);
    switch (lr->type) {
    case LR_BEGIN:
    case LR_BEGIN0:
    case LR_COMMIT:
    case LR_COMMIT0:
    case LR_ROLLBACK:
    case LR_REFRESH:
        return tx_fields(lr, out);
    case LR_MACRO_BEGIN:
    case LR_MACRO_COMMIT:
    case LR_MACRO_ABORT:
        N("procid", lr->macro.procid);
        return I("dbtime", lr->macro.dbtime);
    case LR_CREATE_DB:
        return create_db_fields(lr, out);
    case LR_ATTACH_DB:
        return attach_db_fields(lr, out);
    case LR_DETACH_DB:
        N("procid", lr->detach_db.procid);
        N("dbid", lr->detach_db.dbid);
        F("flags", lr->detach_db.flags);
        return put_path(out, lr->detach_db.path, lr->detach_db.flags & 0x10);
    case LR_CREATE_ME:
    case LR_CREATE_SE:
    case LR_CONVERT_FDP2:
        return fdp_fields(lr, out);
    case LR_SPLIT2:
        return split_fields(lr, out);
    case LR_MERGE2:
        return merge_fields(lr, out);
    case LR_TERM2:
    case LR_RECOVERY_QUIT2:
    case LR_RECOVERY_QUIT_KEEP:
        return quit_fields(lr, out);
    case LR_BACKUP2:
        return backup_fields(lr, out);
    case LR_TRACE:
    case LR_FORCE_LOG_ROLLOVER:
    case LR_FORCE_WRITE_LOG:
        return trace_fields(lr, out);
    default:
        return small_fields(lr, out);
    }
}
