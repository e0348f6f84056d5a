/* SPDX-License-Identifier: MIT */
/* attach: bounded reading and writing of the attach list, its paths, and DBMS_PARAM. */
#include "log/attach.h"

#include <glib.h>

char *
attach_path_decode(struct span utf16)
{
    if (utf16.len % 2 != 0)
        return NULL;
    size_t n = utf16.len / 2;
    g_autofree gunichar2 *units = g_try_new0(gunichar2, n + 1);
    if (!units)
        return NULL;
    for (size_t i = 0; i < n; i++)
        units[i] = le16_get(utf16.data + 2 * i);
    return g_utf16_to_utf8(units, -1, NULL, NULL, NULL);
}

uint8_t *
attach_path_encode(const char *path, size_t *bytes)
{
    glong n = 0;
    g_autofree gunichar2 *units = g_utf8_to_utf16(path, -1, NULL, &n, NULL);
    if (!units)
        return NULL;
    uint8_t *out = g_try_malloc0((size_t)(n + 1) * 2);
    if (!out)
        return NULL;
    for (glong i = 0; i < n; i++)
        le16_put(out + 2 * i, units[i]);
    *bytes = (size_t)(n + 1) * 2;
    return out;
}

void
attach_info_clear(struct attach_info *info)
{
    g_free(info->path);
    info->path = NULL;
}

JET_ERR
attach_next(struct cursor *c, struct attach_info *info)
{
    *info = (struct attach_info) {0};
    info->dbid = cursor_u8(c);
    if (c->bad || info->dbid == 0)
        return c->bad ? JET_errLogFileCorrupt : 0;
    info->flags = cursor_u8(c);
    uint16_t names = cursor_u16(c);
    info->dbtime = cursor_u64(c);
    info->objid_last = cursor_u32(c);
    info->cpg_max = cursor_u32(c);
    struct span attach = cursor_take(c, LGPOS_BYTES);
    struct span consistent = cursor_take(c, LGPOS_BYTES);
    struct span sign = cursor_take(c, SIGNATURE_BYTES);
    struct span path = cursor_take(c, names);
    if (c->bad)
        return JET_errLogFileCorrupt;
    info->attach = lgpos_get(attach.data);
    info->consistent = lgpos_get(consistent.data);
    memcpy(info->sign_db, sign.data, SIGNATURE_BYTES);
    info->path = attach_path_decode(path);
    return info->path ? 1 : JET_errLogFileCorrupt;
}

JET_ERR
attach_put(uint8_t out[ATTACH_LIST_BYTES], size_t *used, const struct attach_info *info)
{
    size_t n = 0;
    g_autofree uint8_t *path = attach_path_encode(info->path, &n);
    if (!path)
        return JET_errInvalidParameter;
    if (ATTACH_FIXED_BYTES + n + 1 > ATTACH_LIST_BYTES - *used)
        return JET_errBufferTooSmall;
    uint8_t *p = out + *used;
    p[0] = info->dbid;
    p[1] = info->flags | 0x20;
    le16_put(p + 2, (uint16_t)n);
    le64_put(p + 4, info->dbtime);
    le32_put(p + 12, info->objid_last);
    le32_put(p + 16, info->cpg_max);
    lgpos_put(p + 20, info->attach);
    lgpos_put(p + 28, info->consistent);
    memcpy(p + 36, info->sign_db, SIGNATURE_BYTES);
    memcpy(p + ATTACH_FIXED_BYTES, path, n);
    *used += ATTACH_FIXED_BYTES + n;
    return JET_errSuccess;
}

void
dbms_param_decode(const uint8_t in[DBMS_PARAM_BYTES], struct dbms_param *param)
{
    *param = (struct dbms_param) {0};
    memcpy(param->system_path, in, DBMS_PATH_BYTES - 1);
    memcpy(param->log_path, in + DBMS_PATH_BYTES, DBMS_PATH_BYTES - 1);
    const uint8_t *p = in + 2 * DBMS_PATH_BYTES;
    param->flags = p[0];
    param->sessions_max = le32_get(p + 1);
    param->open_tables_max = le32_get(p + 5);
    param->ver_pages_max = le32_get(p + 9);
    param->cursors_max = le32_get(p + 13);
    param->log_buffers = le32_get(p + 17);
    param->csec_log_file = le32_get(p + 21);
    param->cache_size_max = le32_get(p + 25);
}

void
dbms_param_encode(const struct dbms_param *param, uint8_t out[DBMS_PARAM_BYTES])
{
    memset(out, 0, DBMS_PARAM_BYTES);
    memcpy(out, param->system_path, strnlen(param->system_path, DBMS_PATH_BYTES - 1));
    memcpy(out + DBMS_PATH_BYTES, param->log_path, strnlen(param->log_path, DBMS_PATH_BYTES - 1));
    uint8_t *p = out + 2 * DBMS_PATH_BYTES;
    p[0] = param->flags;
    le32_put(p + 1, param->sessions_max);
    le32_put(p + 5, param->open_tables_max);
    le32_put(p + 9, param->ver_pages_max);
    le32_put(p + 13, param->cursors_max);
    le32_put(p + 17, param->log_buffers);
    le32_put(p + 21, param->csec_log_file);
    le32_put(p + 25, param->cache_size_max);
}
