/* SPDX-License-Identifier: MIT */
/*
 * fuzz_page: a page that page_check accepts can be read everywhere, and stays acceptable through
 * any row of changes.
 *
 * Input: u8 page size (0..3), u8 number of script bytes, script, then the page; short ones end in
 * zeros, the last 1/4 of short ones is moved to the end, where the tags are.
 */
#include <string.h>

#include "fuzz.h"
#include "page/checksum.h"
#include "page/dbheader.h"
#include "page/page.h"

static volatile uint32_t sink;

static void
read_all(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        sink += s.data[i];
}

static void
read_page(const struct page *page)
{
    read_all(page_external_header(page));
    for (uint16_t i = 0; i < page_lines(page); i++) {
        struct node node;
        uint8_t key[0x4000];
        FUZZ_HOLDS(page_node(page, i, &node) == JET_errSuccess);
        FUZZ_HOLDS(node_key_copy(&node, key) == node_key_len(&node));
        FUZZ_HOLDS(node_key_cmp(&node, span_of(key, node_key_len(&node))) == 0);
        read_all(page_raw(page, i));
        read_all(node.data);
    }
}

/* One change, told by three bytes. What comes in is what a caller may give: data never empty, four
 * bytes on a branch, a key. */
static void
change(struct page *page, const uint8_t *op)
{
    uint8_t bytes[256];
    memset(bytes, op[2], sizeof(bytes));
    uint16_t line = op[1];
    size_t n = page_is_leaf(page) ? op[2] + 1u : 4;
    uint16_t free_before = page_free(page);
    bool done = true;
    switch (op[0] % 6) {
    case 0:
        done = page_insert(page, line, 0, span_of(bytes, op[2] % 40 + 1), span_of(bytes, n),
                           op[2] & 3);
        break;
    case 1:
        done = page_replace(page, line, span_of(bytes, n));
        break;
    case 2:
        done = page_delete(page, line);
        break;
    case 3:
        done = page_set_node_flags(page, line, op[2]);
        break;
    case 4: /* prefixes of nodes that are compressed must stay there */
        if (op[2] >= page_external_header(page).len)
            done = page_set_external_header(page, span_of(bytes, op[2]));
        break;
    case 5:
        done = page_poke(page, line, op[2], span_of(bytes, 3));
        break;
    }
    if (!done)
        FUZZ_HOLDS(page_free(page) == free_before);
}

/* A branch may end in a node without key; what a deletion or an insertion puts behind it is the
 * affair of the tree. */
static bool
ends_in_an_open_key(const struct page *page)
{
    struct node node;
    uint16_t lines = page_lines(page);
    return !page_is_leaf(page) && lines > 0 && page_node(page, lines - 1, &node) >= 0 &&
           node_key_len(&node) == 0;
}

static void
check_page(uint8_t *image, uint32_t size, const uint8_t *script, size_t script_len)
{
    struct page page;
    page_init(&page, image, size, 9);
    if (page_check(&page, NULL) < 0 || (page_flags(&page) & PAGE_FLAG_EMPTY))
        return;
    read_page(&page);
    if (ends_in_an_open_key(&page))
        return;
    page_set_uncommitted_free(&page, 0);
    for (size_t i = 0; i + 3 <= script_len; i += 3) {
        const char *why = NULL;
        change(&page, script + i);
        if (page_check(&page, &why) < 0) {
            fprintf(stderr, "after change %zu (%u): %s\n", i / 3, script[i] % 6, why);
            abort();
        }
        read_page(&page);
    }
}

static void
check_header(const uint8_t *image, uint32_t size)
{
    struct dbheader h;
    if (dbheader_decode(image, size, &h) < 0)
        return;
    uint32_t bytes = dbheader_page_bytes(&h);
    FUZZ_HOLDS(bytes >= PAGE_BYTES_MIN && bytes <= size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 2 || (size_t)data[1] + 2 > len)
        return 0;
    uint32_t size = PAGE_BYTES_MIN << (data[0] & 3);
    const uint8_t *script = data + 2;
    size_t script_len = data[1];
    data += 2 + script_len;
    len -= 2 + script_len;
    uint8_t *image = g_malloc0(size);
    if (len >= size) {
        memcpy(image, data, size);
    } else {
        size_t tail = len / 4;
        memcpy(image, data, len - tail);
        memcpy(image + size - tail, data + len - tail, tail);
    }
    check_header(image, size);
    bool repaired;
    uint8_t *copy = g_malloc(size);
    memcpy(copy, image, size);
    (void)page_verify(copy, size, 9, &repaired);
    page_stamp(copy, size, 9);
    FUZZ_HOLDS(page_verify(copy, size, 9, &repaired) == JET_errSuccess && !repaired);
    g_free(copy);
    check_page(image, size, script, script_len);
    g_free(image);
    return 0;
}

static void
append_script(GByteArray *out, uint8_t size)
{
    static const uint8_t script[] = {0, 1, 9, 0, 0, 200, 1, 0, 90, 3, 1, 2, 2, 0, 0,
                                     4, 0, 9, 0, 2, 77,  1, 1, 3,  5, 0, 0, 0, 3, 250};
    uint8_t head[] = {size, sizeof(script)};
    g_byte_array_append(out, head, sizeof(head));
    g_byte_array_append(out, script, sizeof(script));
}

static bool
page_of_file(const char *name, uint32_t pgno, GByteArray *out)
{
    g_autofree char *path = g_build_filename(GOLDEN_DIR, name, NULL), *bytes = NULL;
    size_t len = 0;
    if (!g_file_get_contents(path, &bytes, &len, NULL))
        return false;
    uint32_t size = le32_get(bytes + DBH_PAGE_BYTES);
    size = page_size_valid(size) ? size : PAGE_BYTES_MIN;
    if ((size_t)(pgno + 2) * size > len)
        return false;
    append_script(out, (uint8_t)__builtin_ctz(size / PAGE_BYTES_MIN));
    g_byte_array_append(out, (uint8_t *)bytes + (size_t)(pgno + 1) * size, size);
    return true;
}

/* Four sizes by leaf and branch, some with a prefix in use. */
static void
made_page(unsigned i, GByteArray *out)
{
    uint32_t size = PAGE_BYTES_MIN << (i & 3);
    bool leaf = (i & 4) == 0;
    uint8_t *image = g_malloc0(size);
    struct page page;
    page_init(&page, image, size, 9);
    page_format(&page, 7, leaf ? PAGE_FLAG_LEAF : PAGE_FLAG_PARENT_OF_LEAF);
    if (!page_set_external_header(&page, span_of("prefix", 6)))
        abort();
    for (uint16_t line = 0; line < 12; line++) {
        char key[8];
        snprintf(key, sizeof(key), "key%03u", line);
        if (!page_insert(&page, line, line % 3 == 2 ? 6 : 0, span_of(key, 6),
                         span_of("somedata", leaf ? 8 : 4), 0))
            abort();
    }
    append_script(out, (uint8_t)(i & 3));
    g_byte_array_append(out, image, size);
    g_free(image);
}

bool
fuzz_seed(unsigned i, GByteArray *out)
{
    static const struct {
        const char *name;
        uint32_t pgno; /* -1: the header */
    } pages[] = {{"basic.edb", 4},          {"basic.edb", 7}, {"basic.edb", UINT32_MAX},
                 {"SystemIdentity.mdb", 4}, {"qmgr.db", 4},   {"qmgr.db", 1}};
    if (i < 8) {
        made_page(i, out);
        return true;
    }
    return i - 8 < G_N_ELEMENTS(pages) && page_of_file(pages[i - 8].name, pages[i - 8].pgno, out);
}
