/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

/* What is printed for these statuses, a second apart. */
static char *
shown(int columns, const char *const *texts, size_t n)
{
    char *out = NULL;
    size_t size;
    FILE *file = open_memstream(&out, &size);
    struct progress *p = progress_new(file, columns);
    for (size_t i = 0; i < n; i++) {
        g_autoptr(JsonNode) root = json_from_string(texts[i], NULL);
        progress_show(p, json_node_get_object(root), (gint64)(i + 1) * G_USEC_PER_SEC);
    }
    progress_free(p);
    fclose(file);
    return out;
}

#define STATUS(served)                                                                             \
    "{\"bytes\": {\"required\": 10240, \"served\": " #served "}, \"files\": ["                     \
    "{\"name\": \"app.edb\", \"kind\": \"database\", \"size\": 10000, \"served\": " #served "},"   \
    "{\"name\": \"a.log\", \"kind\": \"log\", \"size\": 240, \"served\": 0}]}"

static void
test_bar_is_as_wide_as_asked(void **state)
{
    static const double fractions[] = {-1, 0, 0.001, 0.5, 0.999, 1, 7};
    for (size_t i = 0; i < G_N_ELEMENTS(fractions); i++) {
        g_autofree char *bar = progress_bar(fractions[i], 20);
        assert_int_equal(strlen(bar), 20);
    }
    g_autofree char *none = progress_bar(0, 6), *half = progress_bar(0.5, 6),
                    *all = progress_bar(1, 6);
    assert_string_equal(none, "[>   ]");
    assert_string_equal(half, "[==> ]");
    assert_string_equal(all, "[====]");
}

static void
test_terminal_is_drawn_over_and_never_wrapped(void **state)
{
    static const char *const texts[] = {STATUS(0), STATUS(1024)};
    for (int columns = 20; columns < 200; columns += 7) {
        char *out = shown(columns, texts, 2);
        assert_non_null(strstr(out, "\033[3A")); /* database, logs, total */
        for (char *line = strtok(out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
            const char *text = strstr(line, "\033[2K") + strlen("\033[2K");
            assert_true(g_utf8_strlen(text, -1) < columns);
        }
        free(out);
    }
}

static void
test_pace_and_time_left_are_told(void **state)
{
    static const char *const texts[] = {STATUS(0), STATUS(1024), STATUS(2048)};
    char *out = shown(120, texts, 3);
    assert_non_null(strstr(out, "total"));
    const char *last = g_strrstr(out, "total");
    assert_non_null(strstr(last, "20 %"));
    assert_non_null(strstr(last, "/s, 8.0 s left"));
    free(out);
}

static void
test_plain_lines_are_few(void **state)
{
    static const char *const texts[] = {STATUS(0), STATUS(100), STATUS(200), STATUS(1100),
                                        STATUS(1200)};
    char *out = shown(0, texts, 5);
    assert_null(strchr(out, '\033'));
    g_auto(GStrv) lines = g_strsplit(out, "\n", -1);
    assert_int_equal(g_strv_length(lines), 3); /* 0 %, 10 %, and what follows the last newline */
    assert_non_null(strstr(lines[1], " 10 %, "));
    free(out);
}

static void
test_nonsense_shows_nothing(void **state)
{
    static const char *const texts[] = {"{}", "{\"bytes\": 1}", "{\"bytes\": []}"};
    char *out = shown(80, texts, 3);
    assert_string_equal(out, "");
    free(out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bar_is_as_wide_as_asked),
        cmocka_unit_test(test_terminal_is_drawn_over_and_never_wrapped),
        cmocka_unit_test(test_pace_and_time_left_are_told),
        cmocka_unit_test(test_plain_lines_are_few),
        cmocka_unit_test(test_nonsense_shows_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
